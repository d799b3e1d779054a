/*
 * See backtest.h.
 */

#include "alertd/tune/backtest.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/alert/state.h"
#include "lib/base/mem.h"

struct series {
    const struct labels *labels; /* without the metric's name */
    struct surface_series passing;
    struct surface_row *rows;            /* by threshold, where they are apart; or NULL */
    struct surface_crossings *crossings; /* one, or by threshold; or NULL */
    struct alert alert;
    bool is_true;  /* lately, at the setting's threshold */
    uint32_t step; /* the next one that was not seen */
    bool *concerns;
};

struct episodes {
    struct episode *at;
    size_t n, capacity;
};

struct backtest {
    struct backtest_plan plan;
    struct surface *surface;
    struct series *series;
    size_t n_series, capacity;
    size_t *slots; /* index + 1 by hash of labels; open addressing */
    size_t n_slots;
    struct episodes episodes, earlier; /* earlier: fired before the counted time, and in it still */
    size_t crossings_left;
    size_t threshold; /* the setting's among the grid's */
};

enum {
    SLOTS_MIN = 64,
    NEAR_STEPS = 1024, /* whose crossings are found before what they change */
    STEP_MS = 1, /* to alert_step() a step is a millisecond: only their order and number count */
};

/* Of a series' crossings. */
static size_t n_lists(const struct backtest *backtest)
{
    return backtest->plan.is_apart ? backtest->plan.grid.n_thresholds : 1;
}

int backtest_new(const struct backtest_plan *plan, struct backtest **ret, struct err *reterr)
{
    struct surface_incident whens[SURFACE_INCIDENTS_MAX];
    struct surface *surface = NULL;

    if (plan->n_incidents <= SURFACE_INCIDENTS_MAX && plan->n_steps <= SURFACE_STEPS_MAX) {
        for (size_t i = 0; i < plan->n_incidents; i++)
            whens[i] = plan->incidents[i].when;
        surface = surface_new(&plan->grid, whens, plan->n_incidents);
    }
    if (!surface)
        return err_set(
            reterr, BACKTEST_E_GRID, "at most %d thresholds, %d fors, %d incidents and %d steps",
            SURFACE_THRESHOLDS_MAX, SURFACE_FORS_MAX, SURFACE_INCIDENTS_MAX, SURFACE_STEPS_MAX);
    struct backtest *backtest = mem_zalloc(sizeof(*backtest));
    *backtest = (struct backtest){.plan = *plan, .surface = surface, .n_slots = SLOTS_MIN};
    backtest->crossings_left = plan->keeps_crossings ? BACKTEST_CROSSINGS_BYTES_MAX : 0;
    if (plan->n_parts > 0)
        backtest->crossings_left /= plan->n_parts;
    while (backtest->threshold < plan->grid.n_thresholds &&
           plan->grid.thresholds[backtest->threshold] != plan->setting.threshold)
        backtest->threshold++;
    backtest->slots = mem_zalloc(SLOTS_MIN * sizeof(*backtest->slots));
    *ret = backtest;
    return 0;
}

void backtest_free(struct backtest *backtest)
{
    if (!backtest)
        return;
    for (size_t i = 0; i < backtest->n_series; i++) {
        labels_unref(backtest->series[i].labels);
        free(backtest->series[i].passing.open);
        free(backtest->series[i].rows);
        for (size_t k = 0; backtest->series[i].crossings && k < n_lists(backtest); k++)
            crossings_done(&backtest->series[i].crossings[k]);
        free(backtest->series[i].crossings);
        free(backtest->series[i].concerns);
    }
    surface_free(backtest->surface);
    free(backtest->series);
    free(backtest->slots);
    free(backtest->episodes.at);
    free(backtest->earlier.at);
    free(backtest);
}

/* --- series --- */

static const struct labels *without_name(const struct labels *labels)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;

    labels_builder_add_all(&builder, labels);
    labels_builder_delete(&builder, LABEL_NAME);
    return labels_builder_finish(&builder);
}

static size_t *slot_of(const struct backtest *backtest, const struct labels *labels)
{
    size_t at = labels->hash % backtest->n_slots;

    while (backtest->slots[at] &&
           !labels_equal(backtest->series[backtest->slots[at] - 1].labels, labels))
        at = at + 1 < backtest->n_slots ? at + 1 : 0;
    return &backtest->slots[at];
}

static void grow_slots(struct backtest *backtest)
{
    free(backtest->slots);
    backtest->n_slots *= 2;
    backtest->slots = mem_zalloc(backtest->n_slots * sizeof(*backtest->slots));
    for (size_t i = 0; i < backtest->n_series; i++)
        *slot_of(backtest, backtest->series[i].labels) = i + 1;
}

static bool is_about(const struct backtest_incident *incident, const struct labels *labels)
{
    for (size_t i = 0; i < incident->n_matchers; i++) {
        const char *value = labels_get(labels, incident->matchers[i].name);
        if (!matcher_matches(&incident->matchers[i], value ? value : ""))
            return false;
    }
    return true;
}

static void note_crossings(struct backtest *backtest, struct series *series)
{
    size_t n = n_lists(backtest);

    series->crossings = mem_zalloc(n * sizeof(*series->crossings));
    for (size_t k = 0; k < n; k++)
        series->crossings[k].left = &backtest->crossings_left;
    for (size_t j = 0; series->rows && j < n; j++)
        series->rows[j].crossings = &series->crossings[j];
    if (!series->rows)
        series->passing.crossings = series->crossings;
}

/* Takes the reference to labels. */
static struct series *add_series(struct backtest *backtest, const struct labels *labels)
{
    const struct backtest_plan *plan = &backtest->plan;

    backtest->series = mem_grow(backtest->series, &backtest->capacity, backtest->n_series + 1,
                                sizeof(*backtest->series));
    struct series *series = &backtest->series[backtest->n_series++];
    *series = (struct series){
        .labels = labels, .alert = ALERT_INIT, .passing.watched = backtest->threshold};
    if (plan->is_apart)
        series->rows = mem_zalloc(plan->grid.n_thresholds * sizeof(*series->rows));
    if (plan->keeps_crossings)
        note_crossings(backtest, series);
    series->concerns = mem_alloc(plan->n_incidents + 1);
    for (size_t i = 0; i < plan->n_incidents; i++)
        series->concerns[i] = is_about(&plan->incidents[i], labels);
    *slot_of(backtest, labels) = backtest->n_series;
    if (backtest->n_series * 2 > backtest->n_slots)
        grow_slots(backtest);
    return series;
}

static struct series *find_series(struct backtest *backtest, const struct labels *labels)
{
    const struct labels *own = without_name(labels);
    size_t at = *slot_of(backtest, own);

    if (at == 0)
        return add_series(backtest, own);
    labels_unref(own);
    return &backtest->series[at - 1];
}

/* --- one setting, alert by alert --- */

static void add_episodes(struct episodes *into, const struct episode *from, size_t n)
{
    into->at = mem_grow(into->at, &into->capacity, into->n + n + 1, sizeof(*into->at));
    if (n > 0)
        memcpy(into->at + into->n, from, n * sizeof(*from));
    into->n += n;
}

static void end_episode(struct backtest *backtest, const struct series *series, uint32_t resolved)
{
    const struct backtest_plan *plan = &backtest->plan;
    struct episode episode = {.labels = series->labels,
                              .active = (uint32_t)series->alert.active_at_ms,
                              .fired = (uint32_t)series->alert.fired_at_ms,
                              .resolved = resolved};

    if (episode.fired < plan->grid.first_step && resolved <= plan->grid.first_step)
        return;
    for (size_t i = 0; i < plan->n_incidents; i++)
        episode.is_true |= series->concerns[i] && episode.fired <= plan->incidents[i].when.end &&
                           resolved > plan->incidents[i].when.begin;
    bool is_earlier = episode.fired < plan->grid.first_step;

    add_episodes(is_earlier ? &backtest->earlier : &backtest->episodes, &episode, 1);
}

static void step_alert(struct backtest *backtest,
                       struct series *series,
                       uint32_t step,
                       bool is_true)
{
    const struct backtest_setting *setting = &backtest->plan.setting;
    const struct alert_timing timing = {.for_ms = (int64_t)setting->for_steps * STEP_MS,
                                        .keep_firing_for_ms = (int64_t)setting->keep_steps *
                                                              STEP_MS};
    const struct alert before = series->alert;

    (void)alert_step(&series->alert, &timing, is_true ? ALERT_SEEN_TRUE : ALERT_SEEN_FALSE, step);
    if (before.state == ALERT_FIRING && series->alert.state != ALERT_FIRING) {
        struct alert after = series->alert;
        series->alert = before;
        end_episode(backtest, series, step);
        series->alert = after;
    }
}

/* As long as it stays true, or false, one step before `step` changes something: the one at which `for` is over,
 * or keep_firing_for. */
static void go_on(struct backtest *backtest, struct series *series, uint32_t step)
{
    const struct backtest_setting *setting = &backtest->plan.setting;
    const struct alert *alert = &series->alert;
    int64_t changes = INT64_MAX;

    if (series->is_true && alert->state == ALERT_PENDING)
        changes = alert->active_at_ms + (int64_t)setting->for_steps * STEP_MS;
    else if (!series->is_true && alert->state == ALERT_FIRING)
        changes = alert->keep_firing_since_ms + (int64_t)setting->keep_steps * STEP_MS;
    if (changes < step)
        step_alert(backtest, series, (uint32_t)changes, series->is_true);
}

static void turn(struct backtest *backtest, struct series *series, uint32_t step, bool is_true)
{
    if (is_true == series->is_true)
        return;
    go_on(backtest, series, step);
    step_alert(backtest, series, step, is_true);
    series->is_true = is_true;
}

/* Steps without a value. */
static void step_over(struct backtest *backtest, struct series *series, uint32_t to)
{
    if (series->step < to)
        turn(backtest, series, series->step, false);
    series->step = to;
}

/* How many of n values from first on were there before step: another metric with these labels
 * gave them. */
static size_t seen_before(uint32_t step, uint32_t first, size_t n)
{
    size_t seen = first < step ? step - first : 0;

    return seen < n ? seen : n;
}

static int look_at_limits(const struct backtest *backtest, struct err *reterr)
{
    if (backtest->n_series > BACKTEST_SERIES_MAX)
        return err_set(reterr, BACKTEST_E_LIMIT,
                       "the rule has more than %d series: ask for fewer by a label, or for a "
                       "shorter time",
                       BACKTEST_SERIES_MAX);
    if (backtest->episodes.n > BACKTEST_EPISODES_MAX)
        return err_set(reterr, BACKTEST_E_LIMIT,
                       "the rule would have fired more than %d times: it is no alert",
                       BACKTEST_EPISODES_MAX);
    return 0;
}

/* n_near is NEAR_STEPS at most. */
static void add_near(struct backtest *backtest,
                     struct series *series,
                     const double *values,
                     size_t n_near)
{
    MEM_UNSET struct surface_crossing crossings[NEAR_STEPS];
    size_t n = surface_feed(backtest->surface, &series->passing, values, n_near, series->concerns,
                            crossings);

    for (size_t i = 0; i < n; i++)
        turn(backtest, series, crossings[i].step, crossings[i].level > 0);
}

int backtest_add(struct backtest *backtest,
                 const struct labels *labels,
                 uint32_t first_step,
                 const double *values,
                 size_t n,
                 struct err *reterr)
{
    struct series *series = find_series(backtest, labels);
    size_t seen = seen_before(series->step, first_step, n);

    assert(!backtest->plan.is_apart);
    if (seen == n)
        return 0;
    values += seen;
    n -= seen;
    first_step += (uint32_t)seen;
    if (backtest->plan.picture)
        picture_add(backtest->plan.picture, (size_t)(series - backtest->series), series->labels,
                    first_step, values, n);
    surface_skip(backtest->surface, &series->passing, first_step, series->concerns);
    step_over(backtest, series, first_step);
    for (size_t at = 0; at < n; at += NEAR_STEPS)
        add_near(backtest, series, values + at, n - at < NEAR_STEPS ? n - at : NEAR_STEPS);
    series->step = first_step + (uint32_t)n;
    return look_at_limits(backtest, reterr);
}

/* The values of the setting's threshold, where they are apart. */
static void add_alone(struct backtest *backtest,
                      struct series *series,
                      uint32_t first_step,
                      const double *values,
                      size_t n)
{
    step_over(backtest, series, first_step);
    for (size_t i = 0; i < n; i++)
        turn(backtest, series, first_step + (uint32_t)i, !isnan(values[i]));
    series->step = first_step + (uint32_t)n;
}

int backtest_add_at(struct backtest *backtest,
                    size_t threshold,
                    const struct labels *labels,
                    uint32_t first_step,
                    const double *values,
                    size_t n,
                    struct err *reterr)
{
    const struct backtest_plan *plan = &backtest->plan;
    struct series *series = find_series(backtest, labels);

    assert(plan->is_apart && threshold < plan->grid.n_thresholds);
    struct surface_row *row = &series->rows[threshold];
    size_t seen = seen_before(row->step, first_step, n);
    if (seen == n)
        return 0;
    values += seen;
    n -= seen;
    first_step += (uint32_t)seen;
    surface_skip_row(backtest->surface, row, threshold, first_step, series->concerns);
    surface_feed_row(backtest->surface, row, threshold, values, n, series->concerns);
    if (threshold == backtest->threshold)
        add_alone(backtest, series, first_step, values, n);
    return look_at_limits(backtest, reterr);
}

int backtest_merge(struct backtest *into, struct backtest *from, struct err *reterr)
{
    size_t n = into->n_series;

    surface_merge(into->surface, from->surface);
    into->series = mem_grow(into->series, &into->capacity, n + from->n_series + 1,
                            sizeof(*into->series));
    for (size_t i = 0; i < from->n_series; i++) {
        struct series *series = &into->series[n + i];

        *series = from->series[i];
        for (size_t k = 0; series->crossings && k < n_lists(into); k++)
            series->crossings[k].left = &into->crossings_left;
    }
    into->n_series += from->n_series;
    from->n_series = 0;
    while (into->n_series > into->n_slots)
        into->n_slots *= 2;
    grow_slots(into);
    if (from->crossings_left == 0)
        into->crossings_left = 0;
    add_episodes(&into->episodes, from->episodes.at, from->episodes.n);
    add_episodes(&into->earlier, from->earlier.at, from->earlier.n);
    return look_at_limits(into, reterr);
}

static int by_time(const void *a, const void *b)
{
    const struct episode *left = a;
    const struct episode *right = b;

    if (left->fired != right->fired)
        return left->fired < right->fired ? -1 : 1;
    return labels_compare(left->labels, right->labels);
}

void backtest_finish(struct backtest *backtest)
{
    for (size_t i = 0; i < backtest->n_series; i++) {
        struct series *series = &backtest->series[i];
        surface_end(backtest->surface, &series->passing, series->concerns);
        for (size_t j = 0; series->rows && j < backtest->plan.grid.n_thresholds; j++)
            surface_end_row(backtest->surface, &series->rows[j], j, series->concerns);
        step_over(backtest, series, backtest->plan.n_steps);
        go_on(backtest, series, backtest->plan.n_steps);
        if (series->alert.state == ALERT_FIRING)
            end_episode(backtest, series, backtest->plan.n_steps);
    }
    surface_finish(backtest->surface);
    if (backtest->episodes.n > 0)
        qsort(backtest->episodes.at, backtest->episodes.n, sizeof(*backtest->episodes.at), by_time);
}

size_t backtest_n_series(const struct backtest *backtest)
{
    return backtest->n_series;
}

const struct labels *backtest_series_labels(const struct backtest *backtest, size_t series)
{
    return backtest->series[series].labels;
}

const struct surface *backtest_surface(const struct backtest *backtest)
{
    return backtest->surface;
}

const struct episode *backtest_episodes(const struct backtest *backtest, size_t *ret_n)
{
    *ret_n = backtest->episodes.n;
    return backtest->episodes.at;
}

const struct episode *backtest_earlier(const struct backtest *backtest, size_t *ret_n)
{
    *ret_n = backtest->earlier.n;
    return backtest->earlier.at;
}

/* --- what it was made of --- */

bool backtest_has_crossings(const struct backtest *backtest)
{
    return backtest->crossings_left > 0;
}

struct backtest_line backtest_line(const struct backtest *backtest, size_t series, size_t threshold)
{
    const struct series *of = &backtest->series[series];
    bool is_apart = backtest->plan.is_apart;
    const struct surface_crossings *crossings = &of->crossings[is_apart ? threshold : 0];

    return (struct backtest_line){.labels = of->labels,
                                  .crossings = crossings,
                                  .above = is_apart ? 0 : (uint32_t)threshold,
                                  .concerns = of->concerns};
}

const struct backtest_plan *backtest_plan(const struct backtest *backtest)
{
    return &backtest->plan;
}

static void cross_again(struct surface *surface,
                        const struct series *series,
                        bool is_apart,
                        const bool *concerns)
{
    size_t n = is_apart ? surface_thresholds(surface) : 1;

    for (size_t j = 0; j < n; j++) {
        struct crossing_walk walk = crossings_walk(&series->crossings[j]);
        struct surface_crossing at;
        struct surface_series passing = {0};
        struct surface_row row = {0};
        while (crossing_next(&walk, &at))
            if (is_apart)
                surface_cross_row(surface, &row, j, at, concerns);
            else
                surface_cross(surface, &passing, at, concerns);
        surface_end(surface, &passing, concerns);
    }
}

struct surface *backtest_without(const struct backtest *backtest, size_t incident)
{
    struct surface_incident whens[SURFACE_INCIDENTS_MAX];
    bool concerns[SURFACE_INCIDENTS_MAX];
    const struct backtest_plan *plan = &backtest->plan;

    if (!backtest_has_crossings(backtest))
        return NULL;
    for (size_t i = 0; i < plan->n_incidents; i++)
        whens[i] = plan->incidents[i].when;
    struct surface *surface = surface_new(&plan->grid, whens, plan->n_incidents);
    for (size_t s = 0; s < backtest->n_series; s++) {
        memcpy(concerns, backtest->series[s].concerns, plan->n_incidents * sizeof(*concerns));
        concerns[incident] = false;
        cross_again(surface, &backtest->series[s], plan->is_apart, concerns);
    }
    surface_finish(surface);
    return surface;
}
