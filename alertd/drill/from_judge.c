/*
 * What is right in a drill that is made of an incident: what people believed, what they did,
 * what they asked and when they did it. See from_private.h.
 */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "alertd/drill/from_private.h"
#include "lib/json/read.h"

enum {
    HINTS_MAX = 5,
    POINTS_MAX = 3, /* of the document: factors, lessons */
    LIMIT_ACK_MS = 5 * FROM_MINUTE_MS,
    LIMIT_RIGHT_MS = 10 * FROM_MINUTE_MS, /* at least */
    LIMIT_MENDED_MS = 15 * FROM_MINUTE_MS,
    LIMIT_ELSE_MS = 30 * FROM_MINUTE_MS, /* where nobody knows how long it took */
};

/* --- What people believed and did ------------------------------------------------------------------------- */

static void add_idea(struct from_work *work,
                     struct from_ideas *ideas,
                     const char *text,
                     enum drill_worth worth,
                     int64_t at_ms)
{
    text = from_clean(work, text);
    if (!*text || ideas->n == FROM_IDEAS_MAX)
        return;
    for (size_t i = 0; i < ideas->n; i++)
        if (strcasecmp(ideas->at[i].text, text) == 0)
            return;
    ideas->at[ideas->n++] = (struct from_idea){text, worth, at_ms};
}

static bool any(const struct from_ideas *ideas, enum drill_worth worth)
{
    for (size_t i = 0; i < ideas->n; i++)
        if (ideas->at[i].worth == worth)
            return true;
    return false;
}

/* The row that a mark was read off. */
static const struct timeline_event *event_of(const struct from_work *work, const char *mark)
{
    int64_t id = 0;

    for (size_t i = 0; i < work->record->n_marks; i++)
        if (strcmp(work->record->marks[i].name, mark) == 0)
            id = work->record->marks[i].event_id;
    for (size_t i = 0; id && i < work->record->n_events; i++)
        if (work->record->events[i].id == id)
            return &work->record->events[i];
    return NULL;
}

static bool is_said(const struct timeline_event *event)
{
    return event && event->event_class && strcmp(event->event_class, "human") == 0 &&
           !from_is(event, "human.hypothesis") && !from_is_of(event, "hypothesis.") &&
           !from_is(event, "ack");
}

/* What the document answers to a question about causes. */
static void collect_answers(struct from_work *work)
{
    for (size_t i = 0; i < work->record->n_answers; i++) {
        const struct postmortem_answer *answer = &work->record->answers[i];

        if (answer->answer &&
            (strstr(answer->question, "cause") || strstr(answer->question, "why") ||
             strstr(answer->question, "factor")))
            add_idea(work, &work->hypotheses, answer->answer, DRILL_WORTH_RIGHT, 0);
    }
}

static void collect_hypotheses(struct from_work *work)
{
    const struct postmortem_input *record = work->record;

    for (size_t i = 0; i < record->n_events; i++) {
        const struct timeline_event *event = &record->events[i];
        const char *state = record->curation ? record->curation[i].hypothesis : NULL;

        if (from_is(event, "cause.identified"))
            add_idea(work, &work->hypotheses, from_said(work, event), DRILL_WORTH_RIGHT,
                     event->occurred_at_ms);
        else if (state && strcmp(state, "open") != 0)
            add_idea(work, &work->hypotheses, from_said(work, event),
                     strcmp(state, "confirmed") == 0 ? DRILL_WORTH_RIGHT : DRILL_WORTH_WRONG,
                     event->occurred_at_ms);
    }
    if (!any(&work->hypotheses, DRILL_WORTH_RIGHT) && is_said(event_of(work, "cause")))
        add_idea(work, &work->hypotheses, from_said(work, event_of(work, "cause")),
                 DRILL_WORTH_RIGHT, event_of(work, "cause")->occurred_at_ms);
    if (!any(&work->hypotheses, DRILL_WORTH_RIGHT))
        collect_answers(work);
    if (!any(&work->hypotheses, DRILL_WORTH_RIGHT))
        for (size_t i = 0; i < work->factors.n; i++)
            add_idea(work, &work->hypotheses, work->factors.at[i].text, DRILL_WORTH_RIGHT, 0);
}

/* What was tried and did not help: as the record says, or as its words say. */
static bool did_not_help(const struct timeline_event *event)
{
    static const char *const phrases[] = {"nothing changed", "no effect",   "no change",
                                          "did not help",    "didn't help", "did not work"};
    struct json *data = NULL;
    const char *outcome = NULL;
    bool failed = false;

    if (event->data && json_parse(event->data, strlen(event->data), &data, NULL) == 0)
        (void)json_get_string(data, "outcome", &outcome, NULL);
    if (outcome)
        failed = strcmp(outcome, "worked") != 0 && strcmp(outcome, "helped") != 0 &&
                 strcmp(outcome, "ok") != 0;
    json_free(data);
    for (size_t i = 0; !failed && event->text && i < sizeof(phrases) / sizeof(*phrases); i++)
        failed = strcasestr(event->text, phrases[i]) != NULL;
    return failed;
}

static void collect_actions(struct from_work *work)
{
    static const char *const tried[] = {"human.action", "human.command", "human.decision"};
    const struct timeline_event *mended = event_of(work, "mitigated");

    for (size_t i = 0; i < work->record->n_events; i++) {
        const struct timeline_event *event = &work->record->events[i];
        bool is_behind = event->occurred_at_ms >= work->base_ms;

        if (from_is(event, "mitigation.applied") ||
            (is_behind && from_is(event, "change.rollback")) ||
            (event == mended && is_said(mended)))
            add_idea(work, &work->actions, from_said(work, event),
                     did_not_help(event) ? DRILL_WORTH_HERRING : DRILL_WORTH_RIGHT,
                     event->occurred_at_ms);
    }
    for (size_t i = 0; i < work->record->n_events; i++) {
        const struct timeline_event *event = &work->record->events[i];

        for (size_t k = 0; k < sizeof(tried) / sizeof(*tried); k++)
            if (from_is(event, tried[k]) && event->occurred_at_ms >= work->base_ms &&
                (!work->mitigated_ms || event->occurred_at_ms <= work->mitigated_ms))
                add_idea(work, &work->actions, from_said(work, event),
                         did_not_help(event) ? DRILL_WORTH_HERRING : DRILL_WORTH_RELEVANT,
                         event->occurred_at_ms);
    }
}

/* A point each of what a section of the document lists, or each of its lines. */
static void collect_points(struct from_work *work, const char *markdown, struct from_ideas *points)
{
    for (const char *line = markdown; line && *line && points->n < POINTS_MAX;) {
        size_t len = strcspn(line, "\n");
        STR_AUTO struct str text = STR_INIT(4096);
        size_t from = strspn(line, " ");
        size_t digits = strspn(line + from, "0123456789");

        if (digits && strchr(".)", line[from + digits]) && line[from + digits])
            from += digits + 1;
        from += strspn(line + from, " *-+");
        for (size_t i = from; i < len; i++)
            if (!strchr("*`", line[i]))
                str_addc(&text, line[i]);
        if (from < len && !strchr(">#|<!", line[from])) /* nobody's words: a prompt, a heading */
            add_idea(work, points, str_text(&text), DRILL_WORTH_RIGHT, 0);
        line += len + (line[len] == '\n');
    }
}

void from_collect(struct from_work *work)
{
    collect_points(work, work->from->factors, &work->factors);
    collect_points(work, work->from->lessons, &work->lessons);
    collect_hypotheses(work);
    collect_actions(work);
}

/* --- Questions ------------------------------------------------------------------------------------------------ */

static void ask(struct from_work *work, const char *id, const char *question, const char *answer)
{
    if (work->n_questions == FROM_QUESTIONS_MAX || !*answer)
        return;
    work->question_ids[work->n_questions] = id;
    work->answers[work->n_questions++] = answer;
    str_addf(work->out, "    question %s ", id);
    from_quote(question, work->out);
    from_accept(work, &(struct from_idea){answer, DRILL_WORTH_RIGHT, 0}, NULL);
    str_addc(work->out, '\n');
}

/* The value all alerts have of a label; NULL: they differ. */
static const char *common_label(const struct from_work *work, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < work->record->n_alerts; i++) {
        const struct labels *labels = work->record->alerts[i].labels;
        const char *own = labels ? labels_get(labels, name) : NULL;

        if (!own || (value && strcmp(value, own) != 0))
            return NULL;
        value = own;
    }
    return value;
}

/* `db-1:9187` is db-1. */
static const char *without_port(struct from_work *work, const char *value)
{
    size_t len = strcspn(value, ":");
    bool is_port = value[len] && value[len + 1 + strspn(value + len + 1, "0123456789")] == '\0';
    const char *host = is_port ? arena_strndup(&work->arena, value, len) : value;

    work->spent |= !host;
    return host ? host : "";
}

static void add_questions(struct from_work *work)
{
    static const char *const names[] = {"mountpoint", "device",  "topic",    "queue",
                                        "shard",      "service", "instance", "job"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const char *value = common_label(work, names[i]);
        char question[100];

        if (!value)
            continue;
        (void)snprintf(question, sizeof(question), "Which %s is it about?", names[i]);
        ask(work, "which", question, without_port(work, from_label(work, value)));
        break;
    }
    if (work->change)
        ask(work, "change", "What was changed before it began?", work->change);
    for (size_t i = 0; i < work->record->n_impacts; i++)
        if (work->record->impacts[i].scope &&
            strcmp(work->record->impacts[i].scope, "service") != 0) {
            ask(work, "impact", "What of the service was hit?",
                from_clean(work, work->record->impacts[i].scope));
            break;
        }
}

/* --- Ideas ------------------------------------------------------------------------------------------------------ */

static void add_hypotheses(struct from_work *work)
{
    for (size_t i = 0; i < work->hypotheses.n; i++) {
        const struct from_idea *idea = &work->hypotheses.at[i];

        str_addf(work->out, "    hypothesis idea-%zu %s ", i + 1,
                 idea->worth == DRILL_WORTH_RIGHT ? "right" : "wrong");
        from_quote(idea->text, work->out);
        from_accept(work, idea, &work->hypotheses);
        str_addc(work->out, '\n');
    }
    if (!any(&work->hypotheses, DRILL_WORTH_RIGHT))
        str_add(work->out, "    # the record does not say what it was: "
                           "hypothesis cause right \"...\" accept ~\"...\"\n");
}

static void add_actions(struct from_work *work)
{
    for (size_t i = 0; i < work->actions.n; i++) {
        const struct from_idea *idea = &work->actions.at[i];

        str_addf(work->out, "    action deed-%zu %s ", i + 1,
                 idea->worth == DRILL_WORTH_RIGHT     ? "mends"
                 : idea->worth == DRILL_WORTH_HERRING ? "herring"
                                                      : "relevant");
        from_quote(idea->text, work->out);
        from_accept(work, idea, &work->actions);
        str_addc(work->out, '\n');
    }
    if (!any(&work->actions, DRILL_WORTH_RIGHT))
        str_add(work->out, "    # the record does not say what ended it: "
                           "action fix mends \"...\" accept ~\"...\"\n");
}

/* --- Hints --------------------------------------------------------------------------------------------------------- */

static void add_hint(struct from_work *work, size_t *n, const char *before, const char *text)
{
    STR_AUTO struct str words = STR_INIT(4096);

    if (*n == HINTS_MAX)
        return;
    str_addf(&words, "%s%s", before, text);
    str_addf(work->out, "    hint cost %zu ", ++*n);
    from_quote(str_text(&words), work->out);
    str_addc(work->out, '\n');
}

/* From where to look to what it was not, to what was seen just before it was known. */
static void add_hints(struct from_work *work)
{
    const struct timeline_event *seen = NULL;
    size_t n = 0;

    if (work->change)
        add_hint(work, &n, "Something was changed before it began: look at what happened first.",
                 "");
    if (work->metric)
        add_hint(work, &n, "Draw this, and find the minute in which it turns: ", work->metric);
    for (size_t i = 0; i < work->hypotheses.n; i++)
        if (work->hypotheses.at[i].worth == DRILL_WORTH_WRONG) {
            add_hint(work, &n, "This was believed that day, and it was not so: ",
                     work->hypotheses.at[i].text);
            break;
        }
    for (size_t i = 0; i < work->record->n_events; i++) {
        const struct timeline_event *event = &work->record->events[i];

        if (from_is(event, "human.observation") && event->occurred_at_ms >= work->base_ms)
            seen = event;
    }
    if (seen)
        add_hint(work, &n, "This was seen that day: ", from_clean(work, seen->text));
    if (work->factors.n)
        add_hint(work, &n, "This made it possible: ", work->factors.at[0].text);
}

/* --- That day -------------------------------------------------------------------------------------------------------- */

static int64_t first_of(const struct from_work *work, const char *family, bool by_people)
{
    int64_t at_ms = 0;

    for (size_t i = 0; i < work->record->n_events; i++) {
        const struct timeline_event *event = &work->record->events[i];

        if (from_is_of(event, family) && (!by_people || event->actor) &&
            (!at_ms || event->occurred_at_ms < at_ms))
            at_ms = event->occurred_at_ms;
    }
    return at_ms;
}

static int64_t first_known(int64_t a_ms, int64_t b_ms)
{
    return a_ms ? a_ms : b_ms;
}

static void add_really(struct from_work *work, const char *clock, int64_t at_ms)
{
    if (!at_ms)
        return;
    str_addf(work->out, "    really %s %s", clock, from_span(work, at_ms - work->base_ms));
    str_add(work->out, at_ms < work->base_ms ? " \"before the page\"\n" : "\n");
}

static int64_t right_at(const struct from_work *work)
{
    int64_t at_ms = 0;

    for (size_t i = 0; i < work->hypotheses.n; i++) {
        const struct from_idea *idea = &work->hypotheses.at[i];

        if (idea->worth == DRILL_WORTH_RIGHT && idea->at_ms && (!at_ms || idea->at_ms < at_ms))
            at_ms = idea->at_ms;
    }
    return at_ms;
}

/* As long as it took that day, and never less than a fair while. */
static void add_limit(struct from_work *work,
                      const char *clock,
                      int64_t really_ms,
                      int64_t least_ms)
{
    int64_t limit_ms = really_ms ? really_ms - work->base_ms : LIMIT_ELSE_MS;

    str_addf(work->out, "    limit %s %s\n", clock,
             from_span(work, limit_ms < least_ms ? least_ms : limit_ms));
}

static void add_clocks(struct from_work *work)
{
    int64_t acked_ms = from_mark(work, "acked");
    int64_t right_ms = first_known(right_at(work), from_mark(work, "cause"));
    int64_t told_ms = first_of(work, "comms.", false);

    if (work->pages)
        str_addf(work->out, "    limit ack %s\n", from_span(work, LIMIT_ACK_MS));
    add_limit(work, "right", right_ms, LIMIT_RIGHT_MS);
    if (any(&work->actions, DRILL_WORTH_RIGHT))
        add_limit(work, "mitigation", work->mitigated_ms, LIMIT_MENDED_MS);
    if (work->n_questions)
        str_addf(work->out, "    limit answers %zu\n", work->n_questions);
    if (work->pages && acked_ms)
        add_really(work, "ack", acked_ms);
    else if (work->pages)
        str_add(work->out, "    really ack never\n");
    add_really(work, "graph", first_of(work, "query.run", false));
    add_really(work, "hypothesis", first_of(work, "human.hypothesis", false));
    add_really(work, "right", right_ms);
    if (told_ms)
        add_really(work, "tell", told_ms);
    else
        str_add(work->out, "    really tell never \"the record has no word to others\"\n");
    add_really(
        work, "escalate",
        first_known(first_of(work, "notify.escalated", false), first_of(work, "escalation", true)));
    add_really(work, "mitigation", work->mitigated_ms);
}

void from_judge(struct from_work *work)
{
    add_questions(work);
    add_hypotheses(work);
    add_actions(work);
    add_hints(work);
    add_clocks(work);
}
