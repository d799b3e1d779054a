/*
 * What alerts were like. See figures.h.
 */

#include "alertd/tune/figures.h"

#include <stdlib.h>

#include "lib/base/mem.h"

enum {
    SHORT_MS = 5 * 60000,
    AGAIN_MS = 60 * 60000,
    SHIFT_MS = 12 * 60 * 60000,
};

static int compare_steps(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;

    return (*left > *right) - (*left < *right);
}

static int64_t median_of(const struct episode *episodes, size_t n, int64_t step_ms)
{
    MEM_AUTO uint32_t *held = mem_alloc((n + 1) * sizeof(*held));

    if (n == 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        held[i] = episodes[i].resolved - episodes[i].fired;
    qsort(held, n, sizeof(*held), compare_steps);
    return held[(n - 1) / 2] * step_ms;
}

/* In whatever order of labels is quickest. */
static int by_labels_and_time(const void *a, const void *b)
{
    const struct episode *left = *(const struct episode *const *)a;
    const struct episode *right = *(const struct episode *const *)b;
    int order = 0;

    if (left->labels->hash != right->labels->hash)
        return left->labels->hash < right->labels->hash ? -1 : 1;
    if (left->labels != right->labels)
        order = labels_compare(left->labels, right->labels);
    return order ? order : (left->fired > right->fired) - (left->fired < right->fired);
}

static size_t count_again(const struct episode *episodes, size_t n, int64_t step_ms)
{
    MEM_AUTO const struct episode **sorted = mem_alloc((n + 1) * sizeof(struct episode *));
    size_t n_again = 0;

    for (size_t i = 0; i < n; i++)
        sorted[i] = &episodes[i];
    if (n > 0)
        qsort(sorted, n, sizeof(struct episode *), by_labels_and_time);
    for (size_t i = 1; i < n; i++)
        n_again += labels_equal(sorted[i]->labels, sorted[i - 1]->labels) &&
                   (sorted[i]->fired - sorted[i - 1]->resolved) * step_ms <= AGAIN_MS;
    return n_again;
}

static size_t most_within(const struct episode *episodes, size_t n, int64_t step_ms)
{
    size_t most = 0;

    for (size_t last = 0, first = 0; last < n; last++) {
        while ((episodes[last].fired - episodes[first].fired) * step_ms >= SHIFT_MS)
            first++;
        most = last - first + 1 > most ? last - first + 1 : most;
    }
    return most;
}

struct figures figures_of(const struct episode *episodes, size_t n, const struct figures_span *span)
{
    struct figures figures = {.n = n};
    uint32_t quiet_since = span->first_step;
    uint32_t quiet = 0;

    for (size_t i = 0; i < n; i++) {
        int64_t held_ms = (episodes[i].resolved - episodes[i].fired) * span->step_ms;
        figures.n_nights += span->is_night && span->is_night[episodes[i].fired];
        figures.n_short += held_ms < SHORT_MS;
        figures.longest_ms = held_ms > figures.longest_ms ? held_ms : figures.longest_ms;
        if (episodes[i].fired > quiet_since && episodes[i].fired - quiet_since > quiet)
            quiet = episodes[i].fired - quiet_since;
        quiet_since = episodes[i].resolved > quiet_since ? episodes[i].resolved : quiet_since;
    }
    if (span->n_steps > quiet_since && span->n_steps - quiet_since > quiet)
        quiet = span->n_steps - quiet_since;
    figures.longest_quiet_ms = quiet * span->step_ms;
    figures.median_ms = median_of(episodes, n, span->step_ms);
    figures.n_again = count_again(episodes, n, span->step_ms);
    figures.most_in_shift = most_within(episodes, n, span->step_ms);
    return figures;
}

/* --- an incident --- */

static bool is_about(const struct backtest_incident *incident, const struct labels *labels)
{
    for (size_t i = 0; i < incident->n_matchers; i++) {
        const char *value = labels_get(labels, incident->matchers[i].name);
        if (!matcher_matches(&incident->matchers[i], value ? value : ""))
            return false;
    }
    return true;
}

struct figures_found figures_found(const struct episode *episodes,
                                   size_t n,
                                   const struct backtest_incident *incident,
                                   const struct figures_span *span,
                                   int64_t begin_ms,
                                   int64_t start_ms)
{
    struct figures_found found = {0};
    const struct surface_incident *bad = &incident->when;
    const struct episode *first = NULL;
    uint32_t over = 0;

    for (size_t i = 0; i < n; i++) {
        const struct episode *episode = &episodes[i];
        if (episode->fired > bad->end || episode->resolved <= bad->begin ||
            !is_about(incident, episode->labels))
            continue;
        if (!first || episode->fired < first->fired)
            first = episode;
        over = episode->resolved > over ? episode->resolved : over;
    }
    if (!first)
        return found;
    found.is_found = true;
    found.is_still = over >= span->n_steps;
    if (over > bad->end + 1)
        found.reset_ms = (over - bad->end - 1) * span->step_ms;
    if (first->fired < bad->begin)
        return found; /* it fired already */
    uint32_t active = first->active > bad->begin ? first->active : bad->begin;
    int64_t phase_ms = start_ms + bad->begin * span->step_ms - begin_ms;
    found.phase_ms = phase_ms > 0 && phase_ms < span->step_ms ? phase_ms : 0;
    found.passing_ms = (active - bad->begin) * span->step_ms;
    found.for_ms = (first->fired - active) * span->step_ms;
    found.delay_ms = found.phase_ms + found.passing_ms + found.for_ms;
    return found;
}
