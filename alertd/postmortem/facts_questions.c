/*
 * What the record does not say, as questions a person can answer. See facts.h.
 *
 * A gap is a fact; what was tried in it is not known to any machine. So each question
 * names the rows it comes from, and none supposes an answer.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/postmortem/facts_part.h"
#include "lib/base/clock.h"

enum {
    QUESTIONS_MAX = 40 /* a month-long incident is not forty pages of questions */
};

struct asking {
    struct facts *facts;
    struct fact *list;
    unsigned n;
};

/* A question's words are its identity: other times make another question. */
static const struct postmortem_answer *answer_to(const struct postmortem_input *input,
                                                 const char *question)
{
    for (size_t i = 0; i < input->n_answers; i++)
        if (strcmp(input->answers[i].question, question) == 0)
            return &input->answers[i];
    return NULL;
}

static void ask(struct asking *asking, const char *text, const char *why)
{
    struct fact_maker *maker = &asking->facts->maker;

    if (asking->n++ >= QUESTIONS_MAX)
        return;
    struct fact *row = fact_group(maker, asking->list, "");

    const struct postmortem_answer *answer = answer_to(asking->facts->input, text);

    fact_text(maker, row, "text", text);
    fact_text(maker, row, "why", why);
    fact_text(maker, row, "answer", answer ? answer->answer : "");
    fact_text(maker, row, "answered_by", answer ? answer->by : "");
}

/* "22:27", with the day when it is another than the incident's first. */
static const char *moment(const struct asking *asking, int64_t at_ms, char text[CLOCK_TEXT_MAX])
{
    struct clock_utc at = clock_split_utc(at_ms);
    struct clock_utc opened = clock_split_utc(asking->facts->input->incident->opened_at_ms);

    if (at.yearday == opened.yearday && at.year == opened.year)
        (void)snprintf(text, CLOCK_TEXT_MAX, "%02d:%02d", at.hour, at.minute);
    else
        (void)snprintf(text, CLOCK_TEXT_MAX, "%02d-%02d %02d:%02d", at.month, at.day, at.hour,
                       at.minute);
    return text;
}

static void ask_about_gap(struct asking *asking, int64_t from_ms, int64_t to_ms)
{
    STR_AUTO struct str text = STR_INIT(400);
    char from[CLOCK_TEXT_MAX];
    char to[CLOCK_TEXT_MAX];
    char length[FACTS_DURATION_MAX];

    if (to_ms - from_ms <= FACTS_QUESTION_GAP_MS)
        return;
    int64_t detected_ms = asking->facts->marks[FACTS_DETECTED].at_ms;
    int64_t mitigated_ms = asking->facts->marks[FACTS_MITIGATED].at_ms;
    bool unseen = detected_ms && to_ms <= detected_ms;
    bool is_over = mitigated_ms && from_ms >= mitigated_ms;

    str_addf(&text, "%s to %s UTC has no event for %s. %s", moment(asking, from_ms, from),
             moment(asking, to_ms, to), facts_duration(to_ms - from_ms, length),
             unseen    ? "What would have shown it earlier?"
             : is_over ? "The impact was over: what was still to be done?"
                       : "What was tried?");
    ask(asking, str_text(&text), "more than 15 min between two rows while the incident was open");
}

static void ask_about_gaps(struct asking *asking)
{
    const struct postmortem_input *input = asking->facts->input;
    int64_t end_ms = input->incident->resolved_at_ms ? input->incident->resolved_at_ms
                                                     : input->now_ms;
    int64_t last_ms = input->incident->opened_at_ms;

    for (size_t i = 0; i < input->n_events; i++) {
        int64_t at_ms = asking->facts->rows[i].event->occurred_at_ms;

        if (at_ms <= last_ms)
            continue;
        if (at_ms > end_ms)
            break;
        ask_about_gap(asking, last_ms, at_ms);
        last_ms = at_ms;
    }
    if (input->n_events)
        ask_about_gap(asking, last_ms, end_ms);
}

/* Notes and actions; an acknowledgement or a click on "resolve" says nothing yet. */
static bool says_something(const struct timeline_event *event)
{
    return facts_is_human(event) && strncmp(facts_or_empty(event->kind), "human.", 6) == 0;
}

static void ask_about_silence_after_ack(struct asking *asking)
{
    const struct postmortem_input *input = asking->facts->input;
    const struct facts_mark *acked = &asking->facts->marks[FACTS_ACKED];
    int64_t next_ms = input->incident->resolved_at_ms ? input->incident->resolved_at_ms
                                                      : input->now_ms;
    STR_AUTO struct str text = STR_INIT(400);
    char at[CLOCK_TEXT_MAX];
    char length[FACTS_DURATION_MAX];

    if (!acked->at_ms)
        return;
    for (size_t i = 0; i < input->n_events; i++) {
        const struct timeline_event *event = asking->facts->rows[i].event;

        if (says_something(event) && event->occurred_at_ms >= acked->at_ms) {
            next_ms = event->occurred_at_ms < next_ms ? event->occurred_at_ms : next_ms;
            break;
        }
    }
    if (next_ms - acked->at_ms <= FACTS_QUESTION_ACK_MS)
        return;
    str_addf(&text,
             "Acknowledged at %s UTC; nothing a person did is recorded in the %s after. "
             "What was looked at first?",
             moment(asking, acked->at_ms, at), facts_duration(next_ms - acked->at_ms, length));
    ask(asking, str_text(&text),
        "more than 10 min between the acknowledgement and the next action");
}

static void ask_about_recovery(struct asking *asking)
{
    const struct postmortem_input *input = asking->facts->input;
    int64_t resolved_ms = input->incident->resolved_at_ms;
    STR_AUTO struct str text = STR_INIT(400);
    char at[CLOCK_TEXT_MAX];

    for (size_t i = 0; i < input->n_events; i++)
        if (says_something(asking->facts->rows[i].event) &&
            asking->facts->rows[i].event->occurred_at_ms <= resolved_ms)
            return;
    if (!resolved_ms)
        return;
    str_addf(&text, "Resolved at %s UTC; no note says what was done. Did it end by itself?",
             moment(asking, resolved_ms, at));
    ask(asking, str_text(&text), "resolved before any note");
}

static bool asked_before(const struct postmortem_input *input, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (input->alerts[k].rule_id == input->alerts[i].rule_id)
            return true;
    return false;
}

static void ask_about_runbooks(struct asking *asking)
{
    const struct postmortem_input *input = asking->facts->input;

    for (size_t i = 0; i < input->n_alerts; i++) {
        STR_AUTO struct str text = STR_INIT(600);

        const struct labels *annotations = input->alerts[i].annotations;

        if ((annotations && labels_get(annotations, "runbook_url")) || asked_before(input, i))
            continue;
        str_addf(&text, "Rule %s has no runbook. What should the next person look at first?",
                 facts_or_empty(input->alerts[i].name));
        ask(asking, str_text(&text), "no runbook_url on the rule");
    }
}

static void ask_about_failed_pages(struct asking *asking)
{
    const struct postmortem_input *input = asking->facts->input;

    for (size_t i = 0; i < input->n_notifications; i++) {
        const struct postmortem_notification *page = &input->notifications[i];
        STR_AUTO struct str text = STR_INIT(600);

        if (strcmp(facts_or_empty(page->state), "failed") != 0)
            continue;
        str_addf(&text,
                 "A page to %s was given up after %lld attempts. Who learned of it, and how?",
                 facts_or_empty(page->receiver), (long long)page->attempts);
        ask(asking, str_text(&text), "a notification that failed");
    }
}

static void ask_about_marks(struct asking *asking)
{
    const struct facts *facts = asking->facts;

    if (!facts->marks[FACTS_IMPACT_START].at_ms)
        ask(asking, FACTS_ASK_IMPACT_START, "the mark impact_start is not set");
    if (!facts->marks[FACTS_MITIGATED].at_ms && facts->input->incident->resolved_at_ms)
        ask(asking, FACTS_ASK_MITIGATED, "the mark mitigated is not set");
}

enum {
    CHANGE_BEFORE_MS = 60 * 60 * 1000,
    CHANGES_ASKED_MAX = 5,
    COMMS_LATE_MS = 30 * 60 * 1000
};

/* A change shortly before the impact is listed because of its time; whether it matters is for
 * a person to say. */
static void ask_about_changes(struct asking *asking)
{
    const struct postmortem_input *input = asking->facts->input;
    int64_t start_ms = asking->facts->marks[FACTS_IMPACT_START].at_ms;
    unsigned n = 0;

    for (size_t i = 0; start_ms && i < input->n_events && n < CHANGES_ASKED_MAX; i++) {
        const struct timeline_event *event = asking->facts->rows[i].event;
        STR_AUTO struct str text = STR_INIT(800);
        char at[CLOCK_TEXT_MAX];
        char length[FACTS_DURATION_MAX];
        int64_t before_ms = start_ms - event->occurred_at_ms;

        if (strncmp(facts_or_empty(event->kind), "change.", 7) != 0 || before_ms < 0 ||
            before_ms > CHANGE_BEFORE_MS)
            continue;
        n++;
        str_addf(&text, "%s UTC, %s before the impact: %.300s Did it play a part?",
                 moment(asking, event->occurred_at_ms, at), facts_duration(before_ms, length),
                 facts_or_empty(event->text));
        ask(asking, str_text(&text), "a change at most 60 min before the impact");
    }
}

/* One without which the incident might have been seen: was it known to be in force? */
static void ask_about_silences(struct asking *asking)
{
    const struct postmortem_input *input = asking->facts->input;

    for (size_t i = 0; i < input->n_events; i++) {
        const struct timeline_event *event = asking->facts->rows[i].event;
        STR_AUTO struct str text = STR_INIT(800);
        char at[CLOCK_TEXT_MAX];

        if (!(asking->facts->kinds[i]->parts & FACTS_UNSEEN))
            continue;
        str_addf(&text, "%s UTC: %.300s Who knew of it, and what was not seen for it?",
                 moment(asking, event->occurred_at_ms, at), facts_or_empty(event->text));
        ask(asking, str_text(&text), "a silence, a lost agent or a rule without data");
    }
}

static void ask_about_comms(struct asking *asking)
{
    const struct postmortem_input *input = asking->facts->input;
    int64_t start_ms = asking->facts->marks[FACTS_IMPACT_START].at_ms;

    for (size_t i = 0; start_ms && i < input->n_events; i++) {
        const struct timeline_event *event = asking->facts->rows[i].event;
        STR_AUTO struct str text = STR_INIT(400);
        char length[FACTS_DURATION_MAX];
        int64_t after_ms = event->occurred_at_ms - start_ms;

        if (!(asking->facts->kinds[i]->parts & FACTS_COMMS) || after_ms < 0)
            continue;
        if (after_ms > COMMS_LATE_MS) {
            str_addf(&text, "Others were first told %s after the impact began. Who waited for it?",
                     facts_duration(after_ms, length));
            ask(asking, str_text(&text),
                "the first word to others more than 30 min after the impact");
        }
        return;
    }
}

static void ask_about_conflicts(struct asking *asking)
{
    const struct postmortem_input *input = asking->facts->input;

    for (size_t i = 0; i < input->n_events; i++) {
        const struct timeline_row *row = &asking->facts->rows[i];
        STR_AUTO struct str text = STR_INIT(1200);
        char at[CLOCK_TEXT_MAX];

        if (!row->curation || !row->curation->conflict || !*row->curation->conflict)
            continue;
        str_addf(&text, "%s UTC: %.300s Another source says \"%.300s\": which one holds?",
                 moment(asking, row->event->occurred_at_ms, at), facts_or_empty(row->event->text),
                 row->curation->conflict);
        ask(asking, str_text(&text), "two sources that disagree");
    }
}

/* One that nobody linked, in which the same rule fired. */
static void ask_about_similar(struct asking *asking)
{
    const struct learnt_around *around = asking->facts->input->around;

    for (size_t i = 0; around && i < around->n_similar; i++) {
        const struct learnt_similar *similar = &around->similar[i];
        STR_AUTO struct str text = STR_INIT(800);

        if (similar->is_linked || !similar->same_rule)
            continue;
        str_addf(&text, "The same rule fired in %s (%.200s). Is this that again?",
                 facts_or_empty(similar->key), facts_or_empty(similar->title));
        ask(asking, str_text(&text), "an incident like this one that nobody linked with it");
    }
}

void facts_questions(struct facts *facts, struct fact *root)
{
    struct asking asking = {
        .facts = facts,
        .list = fact_list(&facts->maker, root, "questions"),
    };

    ask_about_marks(&asking);
    ask_about_gaps(&asking);
    ask_about_changes(&asking);
    ask_about_silence_after_ack(&asking);
    ask_about_recovery(&asking);
    ask_about_runbooks(&asking);
    ask_about_failed_pages(&asking);
    ask_about_silences(&asking);
    ask_about_comms(&asking);
    ask_about_conflicts(&asking);
    ask_about_similar(&asking);
}
