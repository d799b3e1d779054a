/*
 * What happens in a drill that is made of an incident: what of its timeline is told to who plays, and
 * what is kept because it gives the answer away. See from_private.h.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/drill/from_private.h"

enum {
    CHANGES_BEFORE_MS = 24 * 60 * FROM_MINUTE_MS,
};

static bool is_change(const struct timeline_event *event)
{
    return from_is_of(event, "change") && !from_is(event, "change.rollback");
}

/* What of the timeline is told to a player, and as what; NULL: it is not. */
static const char *told_as(const struct from_work *work, const struct timeline_event *event)
{
    static const struct {
        const char *kind, *as;
    } rows[] = {
        {"chat.message", "chat"}, {"human.report", "customer"}, {"agent.lost", "log"},
        {"agent.back", "log"},    {"scrape.gap", "log"},        {"rule.nodata", "log"},
        {"slo.burn", "note"},     {"metric.mark", "note"},
    };

    if (is_change(event))
        return "deploy";
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (from_is(event, rows[i].kind))
            return rows[i].as;
    /* before anybody was paged nobody knew, and what was noted is what was seen */
    if (event->occurred_at_ms < work->base_ms &&
        (from_is(event, "human.note") || from_is(event, "human.observation")))
        return "note";
    return NULL;
}

/* The first word that says what it was, or what was done. */
int64_t from_known(const struct from_work *work)
{
    static const char *const kinds[] = {"cause.identified", "hypothesis.confirmed",
                                        "mitigation.applied", "change.rollback", "human.decision"};
    int64_t known_ms = from_earlier(from_mark(work, "cause"), work->mitigated_ms);

    for (size_t i = 0; i < work->record->n_events; i++) {
        const struct timeline_event *event = &work->record->events[i];
        const char *state = work->record->curation ? work->record->curation[i].hypothesis : NULL;
        bool tells = state && strcmp(state, "confirmed") == 0;

        for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
            tells |= from_is(event, kinds[k]) && event->occurred_at_ms >= work->base_ms;
        if (tells)
            known_ms = from_earlier(known_ms, event->occurred_at_ms);
    }
    return known_ms;
}

static void add_event(struct from_work *work, const struct timeline_event *event, const char *as)
{
    int64_t at_ms = event->occurred_at_ms > work->start_ms ? event->occurred_at_ms : work->start_ms;
    bool is_said = strcmp(as, "chat") == 0 && event->actor && *event->actor;
    STR_AUTO struct str text = STR_INIT(8192);

    if (is_said)
        str_addf(&text, "%s: ", from_clean(work, event->actor));
    str_add(&text, is_said ? from_said(work, event) : from_clean(work, event->text));
    if (at_ms != event->occurred_at_ms)
        str_addf(&text, " (%s before)", from_span(work, at_ms - event->occurred_at_ms));
    str_addf(work->out, "    at %s %s ", from_time(work, at_ms), as);
    from_quote(text.len ? str_text(&text) : "…", work->out);
    str_addc(work->out, '\n');
}

static int by_time(const void *a, const void *b)
{
    const struct timeline_event *x = *(const struct timeline_event *const *)a;
    const struct timeline_event *y = *(const struct timeline_event *const *)b;

    return (x->occurred_at_ms > y->occurred_at_ms) - (x->occurred_at_ms < y->occurred_at_ms);
}

/* Words of people that say what it was before anybody was sure of it. */
static bool gives_away(struct from_work *work, const struct timeline_event *event)
{
    if (!from_is(event, "chat.message") && !from_is_of(event, "human."))
        return false;
    for (size_t i = 0; i < work->hypotheses.n; i++)
        if (work->hypotheses.at[i].worth == DRILL_WORTH_RIGHT &&
            from_tells(work, work->hypotheses.at[i].text, event->text))
            return true;
    return false;
}

static bool is_told(struct from_work *work, const struct timeline_event *event)
{
    int64_t from_ms = work->first_ms - (is_change(event) ? CHANGES_BEFORE_MS : 0);

    return told_as(work, event) && !gives_away(work, event) && event->occurred_at_ms >= from_ms &&
           event->occurred_at_ms < work->end_ms &&
           (!work->known_ms || event->occurred_at_ms < work->known_ms);
}

void from_events(struct from_work *work)
{
    const struct timeline_event *told[FROM_EVENTS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < work->record->n_events && n < FROM_EVENTS_MAX; i++)
        if (is_told(work, &work->record->events[i]))
            told[n++] = &work->record->events[i];
    if (n)
        qsort(told, n, sizeof(*told), by_time);
    for (size_t i = 0; i < n; i++) {
        if (is_change(told[i]) && told[i]->occurred_at_ms < work->base_ms)
            work->change = from_clean(work, told[i]->text);
        add_event(work, told[i], told_as(work, told[i]));
    }
}
