/*
 * One cell, alert by alert. See cell.h.
 */

#include "alertd/tune/cell.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/alert/state.h"
#include "lib/base/mem.h"

enum {
    HANDED_STEPS = 2, /* one begins so soon behind another's end */
};

/* --- runs of one line --- */

struct run {
    uint32_t begin, end; /* end: the first step that does not pass; n_steps: still */
};

struct walk {
    struct backtest_line line;
    uint32_t n_steps;
    struct crossing_walk crossings;
};

static struct walk walk_of(const struct backtest_line *line, uint32_t n_steps)
{
    return (struct walk){*line, n_steps, crossings_walk(line->crossings)};
}

static bool next_run(struct walk *walk, struct run *ret)
{
    if (!crossing_find(&walk->crossings, walk->line.above, true, &ret->begin))
        return false;
    if (!crossing_find(&walk->crossings, walk->line.above, false, &ret->end))
        ret->end = walk->n_steps;
    return true;
}

/* --- its alert --- */

struct life {
    const struct backtest_plan *plan;
    const struct backtest_line *line;
    struct alert_timing timing; /* a step is a millisecond */
    struct alert alert;
    struct cell_episodes *into;
};

static void end_episode(struct life *life, const struct alert *alert, uint32_t resolved)
{
    struct cell_episodes *into = life->into;
    struct episode episode = {.labels = life->line->labels,
                              .active = (uint32_t)alert->active_at_ms,
                              .fired = (uint32_t)alert->fired_at_ms,
                              .resolved = resolved};

    if (episode.fired < life->plan->grid.first_step)
        return;
    for (size_t i = 0; i < life->plan->n_incidents; i++) {
        const struct surface_incident *bad = &life->plan->incidents[i].when;
        episode.is_true |= life->line->concerns[i] && episode.fired <= bad->end &&
                           resolved > bad->begin;
    }
    into->at = mem_grow(into->at, &into->capacity, into->n + 1, sizeof(*into->at));
    into->at[into->n++] = episode;
}

static void step(struct life *life, uint32_t at, bool is_true)
{
    const struct alert before = life->alert;

    (void)alert_step(&life->alert, &life->timing, is_true ? ALERT_SEEN_TRUE : ALERT_SEEN_FALSE, at);
    if (before.state == ALERT_FIRING && life->alert.state != ALERT_FIRING)
        end_episode(life, &before, at);
}

/* The steps at which a run can change anything: its first, the one at which `for` is over, the
 * first behind it, the one at which keep_firing_for is over. */
static void live(struct life *life, const struct run *run, uint32_t next_begin)
{
    uint64_t fires = (uint64_t)run->begin + (uint64_t)life->timing.for_ms;
    uint64_t over = (uint64_t)run->end + (uint64_t)life->timing.keep_firing_for_ms;
    uint32_t n_steps = life->plan->n_steps;

    step(life, run->begin, true);
    if (fires > run->begin && fires < run->end)
        step(life, (uint32_t)fires, true);
    if (run->end < n_steps)
        step(life, run->end, false);
    if (over > run->end && over < next_begin && over < n_steps)
        step(life, (uint32_t)over, false);
}

static void live_line(struct life *life)
{
    struct walk walk = walk_of(life->line, life->plan->n_steps);
    struct run run;
    struct run next;

    life->alert = ALERT_INIT;
    for (bool more = next_run(&walk, &run); more; run = next) {
        more = next_run(&walk, &next);
        live(life, &run, more ? next.begin : UINT32_MAX);
    }
    if (life->alert.state == ALERT_FIRING)
        end_episode(life, &life->alert, life->plan->n_steps);
}

static int by_time(const void *a, const void *b)
{
    const struct episode *left = a;
    const struct episode *right = b;

    if (left->fired != right->fired)
        return left->fired < right->fired ? -1 : 1;
    return labels_compare(left->labels, right->labels);
}

int cell_episodes(const struct backtest *backtest,
                  const struct cell_setting *setting,
                  struct cell_episodes *ret,
                  struct err *reterr)
{
    struct cell_episodes made = {0};
    struct life life = {
        .plan = backtest_plan(backtest),
        .timing = {.for_ms = setting->for_steps, .keep_firing_for_ms = setting->keep_steps},
        .into = &made};

    if (!backtest_has_crossings(backtest))
        return err_set(reterr, BACKTEST_E_LIMIT,
                       "its values cross the thresholds too often to be told alert by alert: ask "
                       "for a shorter time, or with this threshold and `for` alone");
    for (size_t i = 0; i < backtest_n_series(backtest); i++) {
        const struct backtest_line line = backtest_line(backtest, i, setting->threshold);
        life.line = &line;
        live_line(&life);
    }
    if (made.n > 0)
        qsort(made.at, made.n, sizeof(*made.at), by_time);
    *ret = made;
    return 0;
}

void cell_episodes_done(struct cell_episodes *episodes)
{
    free(episodes->at);
    *episodes = (struct cell_episodes){0};
}

/* --- labels that restart the clock --- */

/* A series' first run, and its last. */
struct reign {
    const struct labels *labels;
    uint32_t begin;
    struct run last;
};

struct reigns {
    struct reign *at;
    size_t n;
    size_t n_runs; /* of all */
};

static struct reigns collect(const struct backtest *backtest, size_t threshold)
{
    struct reigns reigns = {
        .at = mem_alloc((backtest_n_series(backtest) + 1) * sizeof(*reigns.at))};

    for (size_t i = 0; i < backtest_n_series(backtest); i++) {
        const struct backtest_line line = backtest_line(backtest, i, threshold);
        struct walk walk = walk_of(&line, backtest_plan(backtest)->n_steps);
        size_t before = reigns.n_runs;
        struct run run;

        for (; next_run(&walk, &run); reigns.n_runs++) {
            if (reigns.n_runs == before)
                reigns.at[reigns.n++] = (struct reign){walk.line.labels, run.begin, run};
            reigns.at[reigns.n - 1].last = run;
        }
    }
    return reigns;
}

static int by_begin(const void *a, const void *b)
{
    const struct reign *left = a;
    const struct reign *right = b;

    if (left->begin != right->begin)
        return left->begin < right->begin ? -1 : 1;
    return labels_compare(left->labels, right->labels);
}

/* The one label by which two sets differ, which both have; NULL: more, or none. */
static const char *differing(const struct labels *a, const struct labels *b)
{
    const char *name = NULL;

    if (a->n != b->n)
        return NULL;
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->at[i].name, b->at[i].name) != 0)
            return NULL;
        if (strcmp(a->at[i].value, b->at[i].value) == 0)
            continue;
        if (name)
            return NULL;
        name = a->at[i].name;
    }
    return name;
}

enum {
    NAMES_MAX = 32,
    LOOKED_AT_MAX = 64, /* that begin about when one ends */
};

struct counted {
    struct cell_churn names[NAMES_MAX];
    size_t n;
};

static void count(struct counted *counted, const char *name, bool is_lost)
{
    size_t i = 0;

    while (i < counted->n && strcmp(counted->names[i].label, name) != 0)
        i++;
    if (i == NAMES_MAX)
        return;
    if (i == counted->n)
        counted->names[counted->n++] = (struct cell_churn){.label = name};
    counted->names[i].n_handed++;
    counted->names[i].n_lost += is_lost;
}

/* The first that begins at `step` or later, among reigns by their begin. */
static size_t first_from(const struct reigns *reigns, uint32_t step)
{
    size_t low = 0;
    size_t high = reigns->n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (reigns->at[middle].begin < step)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void look_for_heir(const struct reigns *reigns,
                          const struct reign *ended,
                          uint32_t for_steps,
                          struct counted *counted)
{
    const struct run *last = &ended->last;
    size_t from = first_from(reigns, last->end > 0 ? last->end - 1 : 0);

    for (size_t i = from; i < reigns->n && i < from + LOOKED_AT_MAX; i++) {
        const struct reign *heir = &reigns->at[i];
        if (heir->begin > last->end + HANDED_STEPS)
            return;
        const char *name = heir != ended ? differing(ended->labels, heir->labels) : NULL;
        if (!name)
            continue;
        count(counted, name, last->end - last->begin <= for_steps);
        return;
    }
}

struct cell_churn cell_churn(const struct backtest *backtest, const struct cell_setting *setting)
{
    struct counted counted = {.n = 0};
    struct cell_churn most = {0};

    if (!backtest_has_crossings(backtest))
        return most;
    struct reigns reigns = collect(backtest, setting->threshold);
    if (reigns.n > 0)
        qsort(reigns.at, reigns.n, sizeof(*reigns.at), by_begin);
    for (size_t i = 0; i < reigns.n; i++)
        if (reigns.at[i].last.end < backtest_plan(backtest)->n_steps)
            look_for_heir(&reigns, &reigns.at[i], setting->for_steps, &counted);
    for (size_t i = 0; i < counted.n; i++)
        if (counted.names[i].n_lost > most.n_lost ||
            (counted.names[i].n_lost == most.n_lost && counted.names[i].n_handed > most.n_handed))
            most = counted.names[i];
    most.n_runs = reigns.n_runs;
    free(reigns.at);
    return most;
}
