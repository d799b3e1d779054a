/*
 * An incident of the record as a drill. See from_incident.h.
 */

#include "alertd/drill/from_incident.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/drill/from_private.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"

enum {
    BEFORE_MS = 120 * FROM_MINUTE_MS,
    AFTER_MS = 60 * FROM_MINUTE_MS,
    AT_LEAST_MS = 15 * FROM_MINUTE_MS, /* behind the first page */
    GRID_MS = 15 * 1000,
    METRICS_MAX = 12,
    EXPECTED_MAX = 20,
    SECOND_MS = 1000,
    QUIET_MS =
        30 * FROM_MINUTE_MS, /* before the onset, at least: half of what there is if that is less */
    LEAD_MS = 30 * FROM_MINUTE_MS,
    TIME_MS = 60 * FROM_MINUTE_MS, /* for who plays, behind the page */
    QUICK_MS = 150 * 1000,         /* nobody has mended anything so soon behind a page */
};

/* --- The record ---------------------------------------------------------------------------------------- */

bool from_is(const struct timeline_event *event, const char *kind)
{
    return strcmp(event->kind ? event->kind : "", kind) == 0;
}

bool from_is_of(const struct timeline_event *event, const char *family)
{
    return strncmp(event->kind ? event->kind : "", family, strlen(family)) == 0;
}

int64_t from_mark(const struct from_work *work, const char *name)
{
    for (size_t i = 0; i < work->record->n_marks; i++) {
        const struct postmortem_mark *mark = &work->record->marks[i];

        if (strcmp(mark->name, name) == 0 && (!mark->scope || !*mark->scope))
            return mark->at_ms;
    }
    return 0;
}

int64_t from_earlier(int64_t a_ms, int64_t b_ms)
{
    return a_ms == 0 || (b_ms != 0 && b_ms < a_ms) ? b_ms : a_ms;
}

static int64_t max_ms(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

static int64_t min_ms(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

/* The alert that fired first; NULL: there is none. */
static const struct incident_alert *first_alert(const struct from_work *work)
{
    const struct incident_alert *first = NULL;

    for (size_t i = 0; i < work->record->n_alerts; i++) {
        const struct incident_alert *alert = &work->record->alerts[i];

        if (alert->fired_at_ms && (!first || alert->fired_at_ms < first->fired_at_ms))
            first = alert;
    }
    return first;
}

static int64_t interval_of(const struct from_work *work, const struct incident_alert *alert)
{
    const struct drill_from_rule *rule = from_rule(work, alert);

    return rule && rule->interval_ms > 0 ? rule->interval_ms : GRID_MS;
}

/* --- When ------------------------------------------------------------------------------------------------ */

static void find_span(const struct from_work *work, int64_t *ret_from_ms, int64_t *ret_to_ms)
{
    *ret_from_ms = *ret_to_ms = 0;
    for (size_t i = 0; i < work->from->n_series; i++) {
        const struct source_series *series = &work->from->series[i];

        if (series->n == 0 || !from_keeps(series))
            continue;
        *ret_from_ms = from_earlier(*ret_from_ms, series->t_ms[0]);
        *ret_to_ms = max_ms(*ret_to_ms, series->t_ms[series->n - 1]);
    }
}

static int64_t first_event(const struct from_work *work)
{
    int64_t at_ms = 0;

    for (size_t i = 0; i < work->record->n_events; i++)
        at_ms = from_earlier(at_ms, work->record->events[i].occurred_at_ms);
    return at_ms;
}

static int64_t over_at(const struct from_work *work)
{
    int64_t at_ms = work->record->incident->resolved_at_ms;

    for (size_t i = 0; i < work->record->n_alerts; i++)
        at_ms = max_ms(at_ms, work->record->alerts[i].resolved_at_ms);
    return at_ms ? at_ms : work->record->now_ms;
}

/* On the grid of the rule that fired first: it is evaluated at the instants of that day. */
static int64_t on_grid(const struct from_work *work, int64_t wanted_ms)
{
    const struct incident_alert *first = first_alert(work);

    if (!first)
        return wanted_ms / FROM_MINUTE_MS * FROM_MINUTE_MS;

    int64_t grid_ms = interval_of(work, first);
    int64_t at_ms = first->active_at_ms ? first->active_at_ms : first->fired_at_ms;

    return at_ms - (at_ms - wanted_ms + grid_ms - 1) / grid_ms * grid_ms;
}

/* Rules are evaluated at the instants of that day however early it begins: whole minutes. */
static bool fits_minutes(const struct from_work *work)
{
    for (size_t i = 0; i < work->record->n_alerts; i++)
        if (FROM_MINUTE_MS % interval_of(work, &work->record->alerts[i]) != 0)
            return false;
    return true;
}

/*   first          earliest begin        0             onset
 *     |- the rules' past -|---- lead ----|---- quiet ----|
 */
static void find_start(struct from_work *work, int64_t measured_ms)
{
    int64_t first_ms = measured_ms ? max_ms(measured_ms, work->onset_ms - BEFORE_MS)
                                   : work->onset_ms - AT_LEAST_MS;
    int64_t quiet_ms = max_ms(min_ms(QUIET_MS, (work->onset_ms - first_ms) / 2), FROM_MINUTE_MS);

    work->start_ms = on_grid(work, work->onset_ms - quiet_ms);
    work->first_ms = min_ms(first_ms, work->start_ms);
    if (fits_minutes(work))
        work->lead_ms = min_ms(LEAD_MS, (work->start_ms - work->first_ms) / 2) / FROM_MINUTE_MS *
                        FROM_MINUTE_MS;
}

static int find_times(struct from_work *work, struct err *err)
{
    const struct incident_alert *first = first_alert(work);
    int64_t from_ms = 0, to_ms = 0;

    work->pages = first != NULL;
    work->onset_ms = from_earlier(from_mark(work, "impact_start"), first ? first->active_at_ms : 0);
    if (!work->onset_ms)
        work->onset_ms = work->record->incident->opened_at_ms;
    if (!work->onset_ms)
        work->onset_ms = first_event(work);
    if (!first && work->record->n_events == 0)
        return err_set(err, DRILL_FROM_E_NOTHING,
                       "the incident has neither alerts nor events: there is nothing to play");
    work->base_ms = from_mark(work, "paged");
    if (!work->base_ms || !first)
        work->base_ms = first ? first->fired_at_ms + work->from->route.wait_ms : work->onset_ms;
    work->mitigated_ms = from_mark(work, "mitigated");
    work->over_ms = over_at(work);
    find_span(work, &from_ms, &to_ms);
    find_start(work, from_ms);
    work->end_ms = over_at(work) + (first ? AFTER_MS : FROM_MINUTE_MS);
    if (to_ms)
        work->end_ms = min_ms(work->end_ms, max_ms(to_ms, over_at(work) + FROM_MINUTE_MS));
    work->end_ms = max_ms(work->end_ms, work->base_ms + AT_LEAST_MS);
    work->end_ms = work->start_ms +
                   (work->end_ms - work->start_ms + SECOND_MS - 1) / SECOND_MS * SECOND_MS;
    if (work->end_ms - work->start_ms > DRILL_LENGTH_MAX_MS)
        return err_set(err, DRILL_FROM_E_LIMIT,
                       "the incident was longer than the seven days of a drill");
    return 0;
}

/* It goes on until whoever plays does what ended it: it does not end by itself before they understand
 * it, and there is time for that. */
static void find_end(struct from_work *work)
{
    for (size_t i = 0; i < work->actions.n; i++)
        if (work->actions.at[i].worth == DRILL_WORTH_RIGHT)
            work->mended_ms = from_earlier(work->mended_ms, work->actions.at[i].at_ms);
    work->goes_on = work->pages && work->mended_ms > work->base_ms &&
                    work->mended_ms < work->end_ms;
    if (work->goes_on && work->end_ms < work->base_ms + TIME_MS)
        work->end_ms += (work->base_ms + TIME_MS - work->end_ms) / SECOND_MS * SECOND_MS;
}

/* --- What it is ---------------------------------------------------------------------------------------------- */

static void add_text(struct from_work *work, const char *word, const char *text)
{
    str_addf(work->out, "    %s ", word);
    from_quote(text, work->out);
    str_addc(work->out, '\n');
}

static void tell_ideas(const struct from_ideas *ideas, const char *before, struct str *text)
{
    for (size_t i = 0; i < ideas->n; i++) {
        const char *idea = ideas->at[i].text;

        str_addf(text, "%s%s%s ", i ? "" : before, idea,
                 strchr(".!?", idea[strlen(idea) - 1]) ? "" : ".");
    }
}

/* What is told last: what it was, and what ended it. */
static void add_debrief(struct from_work *work)
{
    STR_AUTO struct str text = STR_INIT(16 * 1024);
    size_t n = 0;

    for (size_t i = 0; i < work->hypotheses.n; i++)
        if (work->hypotheses.at[i].worth == DRILL_WORTH_RIGHT)
            str_addf(&text, "%s%s. ", n++ ? "" : "What it was: ", work->hypotheses.at[i].text);
    n = 0;
    for (size_t i = 0; i < work->actions.n; i++)
        if (work->actions.at[i].worth == DRILL_WORTH_RIGHT)
            str_addf(&text, "%s%s. ", n++ ? "" : "What ended it: ", work->actions.at[i].text);
    tell_ideas(&work->factors, "What made it possible: ", &text);
    n = 0;
    for (size_t i = 0; i < work->record->n_actions && i < 5; i++)
        str_addf(&text, "%s%s. ", n++ ? "" : "What was to change: ",
                 from_clean(work, work->record->actions[i].text));
    tell_ideas(&work->lessons, "What was learnt: ", &text);
    if (text.len)
        add_text(work, "debrief", str_text(&text));
}

/* The title is what an alert said: whoever is paged reads it too. */
static bool is_of_alert(const struct postmortem_input *record)
{
    for (size_t i = 0; i < record->n_alerts; i++) {
        const struct incident_alert *alert = &record->alerts[i];
        const char *summary = labels_get(alert->annotations, "summary");

        if ((alert->name && strstr(record->incident->title, alert->name)) ||
            (*summary && strcmp(record->incident->title, summary) == 0))
            return true;
    }
    return false;
}

/* Who writes a title later writes the cause into it: then it is not the drill's. */
static const char *find_title(struct from_work *work)
{
    const struct postmortem_input *record = work->record;
    const char *title = from_clean(work, *record->incident->title ? record->incident->title
                                                                  : record->incident->key);
    bool is_known = false;
    char when[CLOCK_TEXT_MAX];

    for (size_t i = 0; i < work->hypotheses.n; i++)
        is_known |= work->hypotheses.at[i].worth == DRILL_WORTH_RIGHT;
    if (is_of_alert(record) || (is_known && !from_gives_away(work, &work->hypotheses, title) &&
                                !from_gives_away(work, &work->actions, title)))
        return title;
    if (record->n_alerts && record->alerts[0].name)
        return from_clean(work, record->alerts[0].name);
    (void)clock_rfc3339(work->start_ms, when);

    STR_AUTO struct str words = STR_INIT(100);

    str_addf(&words, "What happened on %.10s", when);
    return from_clean(work, str_text(&words));
}

static void add_head(struct from_work *work)
{
    const struct incident *incident = work->record->incident;
    char start[CLOCK_TEXT_MAX];
    STR_AUTO struct str brief = STR_INIT(2000);

    (void)clock_rfc3339(work->start_ms, start);
    str_addf(&brief,
             "You are on call. This happened here on %.10s; people are roles, and what they found "
             "is for you to find. Nothing here is real: try things.",
             start);
    str_add(work->out, "drill ");
    from_quote(find_title(work), work->out);
    str_add(work->out, "\n    path 100\n    level on-call\n");
    add_text(work, "teaches", "an incident of our own: find it, say it, end it");
    add_text(work, "brief", str_text(&brief));
    add_debrief(work);
    add_text(work, "reconstructed",
             work->from->scrub_hosts ? DRILL_FROM_OURS_SCRUBBED : DRILL_FROM_OURS);
    add_text(work, "source", incident->key);
    str_addf(work->out, "    start %s\n", start);
}

/* The sparsest grid on which every rule's instants lie. */
static int64_t find_interval(const struct from_work *work)
{
    static const int64_t grids[] = {15 * SECOND_MS, 5 * SECOND_MS, SECOND_MS};

    for (size_t g = 0; g + 1 < sizeof(grids) / sizeof(*grids); g++) {
        bool fits = true;

        for (size_t i = 0; i < work->record->n_alerts; i++)
            fits &= interval_of(work, &work->record->alerts[i]) % grids[g] == 0;
        if (fits)
            return grids[g];
    }
    return SECOND_MS;
}

static void add_oncall(struct from_work *work)
{
    static const char *const names[] = {"primary", "secondary", "third", "fourth", "fifth"};
    size_t n = work->from->n_steps;

    n = n < sizeof(names) / sizeof(*names) ? n : sizeof(names) / sizeof(*names);
    if (n == 0) { /* nobody else was paged by itself, and somebody can be called */
        str_addf(work->out, "    oncall primary after %s secondary\n",
                 from_time(work, work->end_ms));
        return;
    }
    str_add(work->out, "    oncall primary");
    for (size_t i = 1; i < n; i++)
        str_addf(work->out, " after %s %s",
                 from_span(work, max_ms(work->from->steps_ms[i - 1], SECOND_MS)), names[i]);
    str_addc(work->out, '\n');
}

static void add_world(struct from_work *work)
{
    char at[DURATION_TEXT_MAX];
    int64_t first_ms = INT64_MAX;

    str_addf(work->out, "    interval %s\n    length %s\n    onset %s\n",
             from_span(work, find_interval(work)), from_time(work, work->end_ms),
             from_time(work, max_ms(work->onset_ms, work->start_ms)));
    if (work->lead_ms)
        str_addf(work->out, "    lead %s\n", from_span(work, work->lead_ms));
    if (work->pages)
        str_add(work->out,
                "    rules " DRILL_FROM_RULES " # change one, play again: would it have helped?\n"
                "    config " DRILL_FROM_ROUTES "\n");
    add_oncall(work);
    for (size_t i = 0; i < work->from->n_series; i++) {
        const struct source_series *series = &work->from->series[i];

        for (size_t k = 0; from_keeps(series) && k < series->n; k++)
            if (series->t_ms[k] >= work->first_ms) {
                first_ms = min_ms(first_ms, series->t_ms[k]);
                break;
            }
    }
    for (size_t i = 0; i < work->record->n_alerts; i++)
        if (!from_is_measured(work, &work->record->alerts[i]))
            first_ms = min_ms(first_ms, work->first_ms);
    if (first_ms > work->end_ms)
        return;
    str_addf(work->out, "    samples " DRILL_FROM_SAMPLES " at %s%s",
             first_ms < work->start_ms ? "-" : "",
             duration_print(first_ms < work->start_ms ? work->start_ms - first_ms
                                                      : first_ms - work->start_ms,
                            at));
    if (work->goes_on)
        str_addf(work->out, " mended %s until mended", from_time(work, work->mended_ms));
    str_addc(work->out, '\n');
}

/* --- What came that day, and must come again ------------------------------------------------------------------ */

static bool is_first_of_name(const struct from_work *work, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(work->record->alerts[i].name, work->record->alerts[index].name) == 0)
            return false;
    return true;
}

/* When alerts of that name fired first and were over; over 0: not all of them. */
static void find_life(const struct from_work *work,
                      const char *name,
                      int64_t *ret_fired_ms,
                      int64_t *ret_over_ms)
{
    bool goes_on = false;

    *ret_fired_ms = *ret_over_ms = 0;
    for (size_t i = 0; i < work->record->n_alerts; i++) {
        const struct incident_alert *alert = &work->record->alerts[i];

        if (strcmp(alert->name, name) != 0)
            continue;
        goes_on |= alert->resolved_at_ms == 0;
        *ret_fired_ms = from_earlier(*ret_fired_ms, alert->fired_at_ms);
        *ret_over_ms = max_ms(*ret_over_ms, alert->resolved_at_ms);
    }
    if (goes_on)
        *ret_over_ms = 0;
}

static void expect_alert(struct from_work *work, const struct incident_alert *alert)
{
    int64_t grid_ms = interval_of(work, alert);
    int64_t fired_ms = 0, over_ms = 0;

    find_life(work, alert->name, &fired_ms, &over_ms);
    if (fired_ms < work->start_ms || fired_ms + 2 * grid_ms > work->end_ms)
        return;
    if (fired_ms + grid_ms <= work->base_ms + QUICK_MS &&
        (over_ms == 0 || fired_ms + 3 * grid_ms < over_ms))
        str_addf(work->out, "    at %s expect state %s firing\n",
                 from_time(work, fired_ms + grid_ms + SECOND_MS), alert->name);
}

void from_resolved(struct from_work *work, const char *indent)
{
    size_t n = 0;

    for (size_t i = 0; i < work->record->n_alerts && n < EXPECTED_MAX; i++) {
        const struct incident_alert *alert = &work->record->alerts[i];
        int64_t grid_ms = interval_of(work, alert);
        int64_t fired_ms = 0, over_ms = 0;

        if (!is_first_of_name(work, i))
            continue;
        n++;
        find_life(work, alert->name, &fired_ms, &over_ms);
        if (fired_ms >= work->start_ms && over_ms && over_ms + 3 * grid_ms <= work->end_ms)
            str_addf(work->out, "%sby %s expect resolved %s\n", indent,
                     from_time(work, over_ms + 2 * grid_ms + SECOND_MS), alert->name);
    }
}

static void add_expected(struct from_work *work)
{
    const struct incident_alert *first = first_alert(work);
    int64_t by_ms = first ? first->fired_at_ms + work->from->route.wait_ms +
                                2 * interval_of(work, first) + SECOND_MS
                          : 0;
    size_t n = 0;

    if (first && first->fired_at_ms >= work->start_ms && by_ms <= work->end_ms)
        str_addf(work->out, "    by %s expect page primary %s\n", from_time(work, by_ms),
                 first->name);
    for (size_t i = 0; i < work->record->n_alerts && n < EXPECTED_MAX; i++)
        if (is_first_of_name(work, i) && ++n)
            expect_alert(work, &work->record->alerts[i]);
    if (!work->goes_on)
        from_resolved(work, "    ");
}

/* --- What to look at -------------------------------------------------------------------------------------------- */

static bool is_anchor(const char *text)
{
    return text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_#")] == '\0' &&
           strchr(text, '#') && text[0] != '#';
}

static void find_runbook(struct from_work *work)
{
    for (size_t i = 0; i < work->record->n_alerts && !work->runbook; i++) {
        const struct labels *texts = work->record->alerts[i].annotations;
        const char *url = texts ? labels_get(texts, "runbook_url") : NULL;
        const char *at = url ? strstr(url, "/runbooks/") : NULL;

        if (at && is_anchor(at + strlen("/runbooks/")))
            work->runbook = at + strlen("/runbooks/");
    }
}

static void add_places(struct from_work *work)
{
    const char *metrics[METRICS_MAX];
    size_t n = from_metrics(work, metrics, METRICS_MAX);

    if (n) {
        work->metric = metrics[0];
        str_add(work->out, "    graph");
        for (size_t i = 0; i < n; i++)
            str_addf(work->out, " %s", metrics[i]);
        str_addc(work->out, '\n');
    }
    find_runbook(work);
    if (work->runbook)
        str_addf(work->out, "    runbook %s\n", work->runbook);
}

/* --- The whole ------------------------------------------------------------------------------------------------- */

static int check_made(const struct from_work *work, const struct drill_made *made, struct err *err)
{
    if (work->spent || made->text.full || made->rules.full || made->routes.full)
        return err_set(err, DRILL_FROM_E_LIMIT, "the incident is too large for a drill");
    if (made->samples.full)
        return err_set(err, DRILL_FROM_E_LIMIT,
                       "the incident's samples are more than %d MiB as text", FROM_BYTES_MAX >> 20);
    return 0;
}

static void make(struct from_work *work, struct drill_made *made)
{
    work->known_ms = from_known(work);
    from_scrubs(work);
    from_collect(work);
    find_end(work);
    add_head(work);
    add_world(work);
    from_events(work);
    add_expected(work);
    add_places(work);
    from_judge(work);
    from_players(work);
    from_files(work, made);
}

int drill_from_incident(const struct drill_from *from,
                        struct drill_made *ret_made,
                        struct err *reterr)
{
    struct from_work *work = mem_zalloc(sizeof(*work));
    struct drill_made made = {.text = STR_INIT(DRILL_BYTES_MAX),
                              .rules = STR_INIT(YAML_BYTES_MAX),
                              .routes = STR_INIT(64 * 1024),
                              .samples = STR_INIT(FROM_BYTES_MAX)};

    *work = (struct from_work){.from = from, .record = from->record, .out = &made.text};
    arena_init(&work->arena, FROM_BYTES_MAX);

    int r = find_times(work, reterr);

    if (!r) {
        make(work, &made);
        r = check_made(work, &made, reterr);
    }
    arena_reset(&work->arena);
    free(work);
    if (r)
        drill_made_done(&made);
    else
        *ret_made = made;
    return r;
}
