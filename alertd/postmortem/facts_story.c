/*
 * What was hit, what changed, what people thought, did and said: rows of the timeline by
 * kind, and the actions of the document. See facts.h.
 */

#include <string.h>

#include "alertd/postmortem/facts_part.h"
#include "lib/json/read.h"

/* The event's place in the record, and where its source says it, when it said so. */
static void add_evidence(struct facts *facts, struct fact *row, const struct timeline_event *event)
{
    STR_AUTO struct str text = STR_INIT(8192);
    const char *url = facts_or_empty(facts->input->incident_url);
    const char *link = NULL;
    struct json *evidence = NULL;

    if (*url)
        str_addf(&text, strpbrk(url, " ()") ? "[e%lld](<%s#e%lld>)" : "[e%lld](%s#e%lld)",
                 (long long)event->id, url, (long long)event->id);
    else
        str_addf(&text, "e%lld", (long long)event->id);
    if (event->evidence &&
        json_parse(event->evidence, strlen(event->evidence), &evidence, NULL) == 0 &&
        json_get_string(evidence, "link", &link, NULL) == 0 && strncmp(link, "http", 4) == 0 &&
        !strpbrk(link, "<> \t\r\n"))
        str_addf(&text, " [source](<%s>)", link);
    json_free(evidence);
    fact_markdown(&facts->maker, row, "evidence", str_text(&text));
}

void facts_event(struct facts *facts, struct fact *row, const struct timeline_row *from)
{
    const struct timeline_event *event = from->event;
    const struct postmortem_curation *curation = from->curation;
    struct fact_maker *maker = &facts->maker;

    facts_time_exact(facts, row, "time", event->occurred_at_ms,
                     event->order_only ? "approx" : event->precision, "not recorded");
    fact_text(maker, row, "kind", event->kind);
    fact_text(maker, row, "text", event->text);
    fact_text(maker, row, "note", curation ? curation->note : NULL);
    fact_text(maker, row, "conflict", curation ? curation->conflict : NULL);
    fact_text(maker, row, "actor", facts_actor(event));
    fact_text(maker, row, "source", event->source);
    fact_text(maker, row, "scope", event->scope);
    add_evidence(facts, row, event);
}

/* NULL past FACTS_PLAIN_ROWS_MAX rows: a table of thousands is read by nobody, and the incident
 * has them all. */
static struct fact *add_event(struct facts *facts,
                              struct fact *list,
                              const struct timeline_row *from)
{
    if (list->n >= FACTS_PLAIN_ROWS_MAX)
        return NULL;
    struct fact *row = facts_row(facts, list);

    facts_event(facts, row, from);
    return row;
}

static void add_impacts(struct facts *facts, struct fact *root)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *list = fact_list(maker, root, "impacts");

    for (size_t i = 0; i < facts->input->n_impacts; i++) {
        const struct postmortem_impact *from = &facts->input->impacts[i];
        struct fact *row = facts_row(facts, list);

        fact_text(maker, row, "scope", from->scope);
        facts_time_exact(facts, row, "start", from->start_ms, from->start_precision,
                         "no beginning is recorded");
        facts_time_exact(facts, row, "end", from->end_ms, from->end_precision,
                         "no end is recorded");
        facts_span(facts, row, "duration", from->start_ms, from->end_ms, "end \xe2\x88\x92 start",
                   from->start_ms ? "no end is recorded" : "no beginning is recorded");
        facts_span(facts, row, "ttd", from->start_ms, facts->marks[FACTS_DETECTED].at_ms,
                   "detected \xe2\x88\x92 start",
                   from->start_ms ? facts->marks[FACTS_DETECTED].why_not
                                  : "no beginning is recorded");
        fact_bool(maker, row, "approx", from->is_approx);
        fact_text(maker, row, "measure", from->measure);
        fact_text(maker, row, "peak", from->peak);
        fact_text(maker, row, "source", from->source);
    }
}

/* "11 min before it began", where that is known. */
static void add_when(struct facts *facts, struct fact *row, int64_t after_ms)
{
    const struct facts_mark *start = &facts->marks[FACTS_IMPACT_START];
    char length[FACTS_DURATION_MAX];

    if (!start->at_ms)
        fact_textf(&facts->maker, row, "when", "not known (%s)", start->why_not);
    else if (after_ms == 0)
        fact_text(&facts->maker, row, "when", "as it began");
    else
        fact_textf(&facts->maker, row, "when", "%s %s it began",
                   facts_duration(after_ms < 0 ? -after_ms : after_ms, length),
                   after_ms < 0 ? "before" : "after");
}

static void add_changes(struct facts *facts, struct fact *root)
{
    const struct facts_mark *start = &facts->marks[FACTS_IMPACT_START];
    struct fact *list = fact_list(&facts->maker, root, "changes");

    for (size_t i = 0; i < facts->input->n_events; i++) {
        const struct timeline_event *event = facts->rows[i].event;

        if (!(facts->kinds[i]->parts & FACTS_CHANGE))
            continue;
        struct fact *row = add_event(facts, list, &facts->rows[i]);

        if (!row)
            return;
        facts_span(facts, row, "before_impact", event->occurred_at_ms, start->at_ms,
                   "impact_start \xe2\x88\x92 change", start->why_not);
        add_when(facts, row, event->occurred_at_ms - start->at_ms);
    }
}

static void add_response(struct facts *facts, struct fact *root)
{
    struct fact *list = fact_list(&facts->maker, root, "response");
    int64_t n_left_out = 0;

    for (size_t i = 0; i < facts->input->n_events; i++) {
        const struct postmortem_curation *curation = facts->rows[i].curation;
        const char *word = facts->kinds[i]->response;

        if (!word)
            continue;
        struct fact *row = add_event(facts, list, &facts->rows[i]);

        n_left_out += !row;
        if (!row)
            continue;
        fact_text(&facts->maker, row, "what", word);
        fact_text(&facts->maker, row, "outcome",
                  curation && curation->hypothesis && strcmp(curation->hypothesis, "open") != 0
                      ? curation->hypothesis
                      : NULL);
    }
    fact_number(&facts->maker, root, "response_left_out", n_left_out);
}

/* What people named as a cause, or confirmed: where writing about factors begins. */
static void add_named(struct facts *facts, struct fact *root)
{
    struct fact *list = fact_list(&facts->maker, root, "named");

    for (size_t i = 0; i < facts->input->n_events; i++) {
        const struct postmortem_curation *curation = facts->rows[i].curation;
        const char *outcome = curation && curation->hypothesis ? curation->hypothesis : "";
        bool is_cause = strcmp(facts->kinds[i]->name, "cause.identified") == 0;

        if (!is_cause && strcmp(outcome, "confirmed") != 0)
            continue;
        struct fact *row = add_event(facts, list, &facts->rows[i]);

        if (!row)
            return;
        fact_text(&facts->maker, row, "what",
                  is_cause ? "named as a cause" : "hypothesis, confirmed");
    }
}

static void add_comms(struct facts *facts, struct fact *root)
{
    const struct facts_mark *start = &facts->marks[FACTS_IMPACT_START];
    struct fact *list = fact_list(&facts->maker, root, "comms");

    for (size_t i = 0; i < facts->input->n_events; i++) {
        const struct timeline_event *event = facts->rows[i].event;

        if (!(facts->kinds[i]->parts & FACTS_COMMS))
            continue;
        struct fact *row = add_event(facts, list, &facts->rows[i]);

        if (!row)
            return;
        fact_text(&facts->maker, row, "channel", strchr(event->kind, '.') + 1);
        facts_span(facts, row, "after_impact", start->at_ms, event->occurred_at_ms,
                   "time \xe2\x88\x92 impact_start", start->why_not);
    }
}

static void add_blind(struct facts *facts, struct fact *root)
{
    struct fact *list = fact_list(&facts->maker, root, "blind");

    for (size_t i = 0; i < facts->input->n_events; i++)
        if (facts->kinds[i]->parts & FACTS_BLIND)
            (void)add_event(facts, list, &facts->rows[i]);
}

static void add_key_rows(struct facts *facts, struct fact *root)
{
    struct fact *list = fact_list(&facts->maker, root, "key_rows");

    for (size_t i = 0; i < facts->input->n_events; i++)
        if (facts->rows[i].letter)
            (void)add_event(facts, list, &facts->rows[i]);
}

static bool is_listed(const struct fact *list, const char *name)
{
    for (const struct fact *row = list->first; row; row = row->next) {
        const struct fact *listed = fact_member(row, "name", 4);

        if (listed && strcmp(listed->text, name) == 0) /* none: the maker is spent */
            return true;
    }
    return false;
}

static void add_person(struct facts *facts, struct fact *list, const char *name)
{
    enum {
        PEOPLE_MAX = 100
    };
    static const char *const machines[] = {"alertd", "api", "system"};

    name = facts_or_empty(name);
    for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++)
        if (strcmp(name, machines[i]) == 0)
            return;
    if (*name && list->n < PEOPLE_MAX && !is_listed(list, name))
        fact_text(&facts->maker, facts_row(facts, list), "name", name);
}

/* Everybody who is named: what a public document has roles for. */
static void add_people(struct facts *facts, struct fact *root)
{
    const struct postmortem_input *input = facts->input;
    struct fact *list = fact_list(&facts->maker, root, "people");

    for (size_t i = 0; i < input->n_events; i++)
        add_person(facts, list, facts_actor(facts->rows[i].event));
    for (size_t i = 0; i < input->n_actions; i++)
        add_person(facts, list, input->actions[i].owner);
    for (size_t i = 0; input->around && i < input->around->n_inherited; i++)
        add_person(facts, list, input->around->inherited[i].owner);
    add_person(facts, list, input->incident->acknowledged_by);
    add_person(facts, list, input->incident->resolved_by);
    add_person(facts, list, input->owner);
    add_person(facts, list, input->author);
}

static bool is_over(const char *state)
{
    return strcmp(state, "done") == 0 || strcmp(state, "wont_do") == 0;
}

static void add_actions(struct facts *facts, struct fact *root)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *list = fact_list(maker, root, "actions");

    for (size_t i = 0; i < facts->input->n_actions; i++) {
        const struct postmortem_action *from = &facts->input->actions[i];
        const char *state = facts_or_empty(from->state);
        struct fact *row = facts_row(facts, list);

        fact_number(maker, row, "id", from->id);
        fact_text(maker, row, "text", from->text);
        fact_text(maker, row, "type", from->type);
        fact_text(maker, row, "tag", from->tag);
        fact_text(maker, row, "owner", from->owner);
        fact_text(maker, row, "state", strcmp(state, "wont_do") == 0 ? "will not be done" : state);
        fact_text(maker, row, "done_when", from->done_when);
        fact_text(maker, row, "url", from->proof_url);
        fact_text(maker, row, "reason", from->reason);
        fact_bool(maker, row, "overdue",
                  from->due_ms && from->due_ms < facts->input->now_ms && !is_over(state));
        facts_time(facts, row, "due", from->due_ms, "no date is set");
    }
}

void facts_story(struct facts *facts, struct fact *root)
{
    add_impacts(facts, root);
    add_changes(facts, root);
    add_response(facts, root);
    add_named(facts, root);
    add_comms(facts, root);
    add_blind(facts, root);
    add_key_rows(facts, root);
    add_people(facts, root);
    add_actions(facts, root);
}
