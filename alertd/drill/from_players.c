/*
 * Scripts for a drill that is made of an incident: what its own test plays. See from_private.h.
 *
 *     perfect     sees it, looks, finds it, ends it
 *     as-it-was   what people did that day, when they did it
 *     wrong       what was believed and was not so, or nothing for a while
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/drill/from_private.h"

enum {
    DEEDS_MAX = 60,
    ACK_LEAST_MS = 5000,
};

struct deed {
    int64_t at_ms;
    const char *word; /* "hypothesis" */
    const char *text; /* NULL: none */
};

static const char *first_idea(const struct from_ideas *ideas, enum drill_worth worth)
{
    for (size_t i = 0; i < ideas->n; i++)
        if (ideas->at[i].worth == worth)
            return ideas->at[i].text;
    return NULL;
}

static void add_deed(struct from_work *work, const char *when, const char *word, const char *text)
{
    str_addf(work->out, "        %s %s", when, word);
    if (text) {
        str_addc(work->out, ' ');
        from_quote(text, work->out);
    }
    str_addc(work->out, '\n');
}

/* A minute behind the page, or half of what there is: an incident may be short. */
static int64_t ack_after(const struct from_work *work)
{
    int64_t half_ms = (work->over_ms - work->base_ms) / 2;

    return half_ms < FROM_MINUTE_MS ? half_ms : FROM_MINUTE_MS;
}

/* One that is over at once can only be looked at. */
static bool can_ack(const struct from_work *work)
{
    return work->pages && ack_after(work) >= ACK_LEAST_MS;
}

static const char *at_first(struct from_work *work)
{
    STR_AUTO struct str when = STR_INIT(100);

    str_addf(&when, "at %s+%s", work->pages ? "page" : "onset",
             from_span(work, can_ack(work) ? ack_after(work) : FROM_MINUTE_MS));

    const char *kept = arena_strndup(&work->arena, str_text(&when), when.len);

    work->spent |= !kept;
    return kept ? kept : "";
}

static void add_perfect(struct from_work *work)
{
    const char *right = first_idea(&work->hypotheses, DRILL_WORTH_RIGHT);
    const char *mends = first_idea(&work->actions, DRILL_WORTH_RIGHT);

    str_add(work->out, "\n    player perfect\n");
    add_deed(work, at_first(work), can_ack(work) ? "ack" : "see", NULL);
    if (work->metric)
        add_deed(work, "then 1m", "query", work->metric);
    if (work->runbook)
        str_addf(work->out, "        then 1m runbook %s\n", work->runbook);
    for (size_t i = 0; i < work->n_questions; i++) {
        str_addf(work->out, "        then 30s answer %s ", work->question_ids[i]);
        from_quote(work->answers[i], work->out);
        str_addc(work->out, '\n');
    }
    if (right)
        add_deed(work, "then 2m", "hypothesis", right);
    add_deed(work, "then 1m", "tell", "we know of it and are working on it");
    if (mends)
        add_deed(work, "then 1m", "do", mends);
    str_addf(work->out, "        expect answers = %zu\n", work->n_questions);
    if (can_ack(work))
        str_add(work->out, "        expect ack <= 5m\n");
    if (right)
        str_add(work->out, "        expect right < 10m\n        expect wrong = 0\n");
    if (mends)
        str_add(work->out, "        expect mitigation < 15m\n");
}

/* --- That day ----------------------------------------------------------------------------------------- */

static void list_deed(
    struct deed *deeds, size_t *n, int64_t at_ms, const char *word, const char *text)
{
    if (*n < DEEDS_MAX && at_ms)
        deeds[(*n)++] = (struct deed){at_ms, word, text};
}

static int by_time(const void *a, const void *b)
{
    int64_t x = ((const struct deed *)a)->at_ms, y = ((const struct deed *)b)->at_ms;

    return (x > y) - (x < y);
}

static size_t list_deeds(struct from_work *work, struct deed *deeds)
{
    size_t n = 0;

    if (work->pages)
        list_deed(deeds, &n, from_mark(work, "acked"), "ack", NULL);
    for (size_t i = 0; i < work->hypotheses.n; i++)
        list_deed(deeds, &n, work->hypotheses.at[i].at_ms, "hypothesis",
                  work->hypotheses.at[i].text);
    for (size_t i = 0; i < work->actions.n; i++)
        list_deed(deeds, &n, work->actions.at[i].at_ms, "do", work->actions.at[i].text);
    for (size_t i = 0; i < work->record->n_events; i++) {
        const struct timeline_event *event = &work->record->events[i];
        const char *text = from_clean(work, event->text);

        if (from_is_of(event, "comms.") && *text)
            list_deed(deeds, &n, event->occurred_at_ms, "tell", text);
    }
    if (n)
        qsort(deeds, n, sizeof(*deeds), by_time);
    return n;
}

static void add_as_it_was(struct from_work *work)
{
    struct deed deeds[DEEDS_MAX];
    size_t n = list_deeds(work, deeds), n_told = 0;

    str_add(work->out, "\n    player as-it-was\n");
    for (size_t i = 0; i < n; i++) {
        if (deeds[i].at_ms < work->start_ms || deeds[i].at_ms >= work->end_ms)
            continue;
        str_addf(work->out, "        at %s %s", from_time(work, deeds[i].at_ms), deeds[i].word);
        if (deeds[i].text) {
            str_addc(work->out, ' ');
            from_quote(deeds[i].text, work->out);
        }
        str_addc(work->out, '\n');
        n_told++;
    }
    if (n_told == 0)
        str_add(work->out, "        at 0s see\n");
    str_add(work->out, "        expect harm = 0\n");
    if (work->goes_on) /* what they did that day ends it as it did */
        from_resolved(work, "        ");
}

static void add_wrong(struct from_work *work)
{
    const char *wrong = first_idea(&work->hypotheses, DRILL_WORTH_WRONG);

    str_add(work->out, "\n    player wrong\n");
    if (wrong) {
        add_deed(work, at_first(work), "hypothesis", wrong);
        str_add(work->out, "        expect wrong = 1\n        expect right never\n");
    } else {
        add_deed(work, work->pages ? "at page+6m" : "at onset+6m", "see", NULL);
        str_add(work->out, "        expect seen > 5m\n        expect mitigation never\n");
    }
}

void from_players(struct from_work *work)
{
    add_perfect(work);
    add_as_it_was(work);
    add_wrong(work);
}
