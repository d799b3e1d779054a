/*
 * What the series of a drill measure. See signal.h.
 */

#include "alertd/drill/signal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/rng.h"
#include "lib/model/sample.h"

enum {
    AGAIN_MAX_MS = 5 * 60 * 1000, /* of a recording that goes on */
    AGAIN_LEAST_MS = 15 * 1000,
};

/* One series as it is being made. */
struct voice {
    const struct labels *labels;
    const struct drill_series *series; /* NULL: out of a file */
    const struct drill_points *points; /* the next one is at `next` */
    size_t next;
    const struct drill_fault **faults; /* that are about it */
    size_t n_faults;
    double counted;   /* of a counter */
    double taken_off; /* of a gauge, by a reset */
    double last;      /* what was measured last, for freeze */
    bool has_last, was_dropped;
    bool is_mended;     /* of a file: somebody mended it, and what came then comes */
    int64_t earlier_ms; /* so much earlier than that day; later below 0 */
    size_t again;       /* samples that came again while it waits */
    int64_t floor_ms;   /* nothing of it comes before then any more */
    double onto;        /* and a counter goes on from where it stood */
};

struct drill_signal {
    const struct drill_case *drill_case;
    uint64_t seed;
    struct voice *voices;
    size_t n;
};

static void find_faults(const struct drill *drill, struct voice *voice)
{
    voice->faults = mem_alloc((drill->n_faults + 1) * sizeof(struct drill_fault *));
    for (size_t i = 0; i < drill->n_faults; i++)
        if (matchers_match(drill->faults[i].matchers, drill->faults[i].n_matchers, voice->labels))
            voice->faults[voice->n_faults++] = &drill->faults[i];
}

struct drill_signal *drill_signal_new(const struct drill_case *drill_case, uint64_t seed)
{
    struct drill_signal *signal = mem_zalloc(sizeof(*signal));
    const struct drill *drill = drill_case->drill;

    signal->drill_case = drill_case;
    signal->seed = seed;
    signal->n = drill->n_series + drill_case->n_points;
    signal->voices = mem_zalloc((signal->n + 1) * sizeof(*signal->voices));
    for (size_t i = 0; i < signal->n; i++) {
        struct voice *voice = &signal->voices[i];

        if (i < drill->n_series)
            voice->series = &drill->series[i];
        else
            voice->points = &drill_case->points[i - drill->n_series];
        voice->labels = voice->series ? voice->series->labels : voice->points->labels;
        find_faults(drill, voice);
    }
    return signal;
}

void drill_signal_free(struct drill_signal *signal)
{
    if (!signal)
        return;
    for (size_t i = 0; i < signal->n; i++)
        free(signal->voices[i].faults);
    free(signal->voices);
    free(signal);
}

/* --- Faults ----------------------------------------------------------------------------------------- */

struct sampling {
    int64_t at_ms, interval_ms, mended_ms;
};

static bool holds(const struct drill_fault *fault, const struct sampling *now)
{
    if (now->at_ms < fault->from_ms || now->at_ms >= fault->to_ms)
        return false;
    return !fault->until_mended || now->mended_ms == DRILL_NOT_YET ||
           now->at_ms < now->mended_ms + fault->mended_after_ms;
}

/* False: there is no sample. */
static bool apply(const struct drill_fault *fault,
                  const struct sampling *now,
                  const struct voice *voice,
                  double *value)
{
    int64_t since_ms = now->at_ms - fault->from_ms;

    switch (fault->kind) {
    case DRILL_FAULT_SET: *value = fault->value; return true;
    case DRILL_FAULT_ADD: *value += fault->value; return true;
    case DRILL_FAULT_SCALE: *value *= fault->value; return true;
    case DRILL_FAULT_RAMP:
        *value += fault->value * fmin(1, (double)since_ms / (double)fault->over_ms);
        return true;
    case DRILL_FAULT_SPIKE:
        if (since_ms % fault->every_ms < now->interval_ms)
            *value *= fault->value;
        return true;
    case DRILL_FAULT_FREEZE:
        if (voice->has_last)
            *value = voice->series && voice->series->is_counter ? 0 : voice->last;
        return true;
    case DRILL_FAULT_DROP:
    case DRILL_FAULT_GAP: return false;
    case DRILL_FAULT_RESET: return true; /* at its instant: see reset() */
    }
    return true;
}

/* A counter begins again, a gauge is measured from where it stands. */
static void reset(struct voice *voice, const struct sampling *now, double value)
{
    for (size_t i = 0; i < voice->n_faults; i++) {
        const struct drill_fault *fault = voice->faults[i];

        if (fault->kind != DRILL_FAULT_RESET || now->at_ms < fault->from_ms ||
            now->at_ms - now->interval_ms >= fault->from_ms)
            continue;
        voice->counted = 0;
        voice->taken_off = voice->series && voice->series->is_counter ? 0 : value;
    }
}

static bool is_dropped(const struct voice *voice, const struct sampling *now)
{
    for (size_t i = 0; i < voice->n_faults; i++)
        if (voice->faults[i]->kind == DRILL_FAULT_DROP && holds(voice->faults[i], now))
            return true;
    return false;
}

/* --- Samples ------------------------------------------------------------------------------------------ */

static double noise(const struct drill_signal *signal, const struct voice *voice, int64_t at_ms)
{
    struct rng rng = {.state = signal->seed ^ voice->labels->hash ^
                               (uint64_t)(at_ms + DRILL_LENGTH_MAX_MS) *
                                   UINT64_C(0x9e3779b97f4a7c15)};

    (void)rng_next(&rng);
    return 2 * ((double)rng_below(&rng, 1U << 30) / (double)(1U << 30)) - 1;
}

static void emit(struct voice *voice, int64_t t_ms, double value, struct memory_source *memory)
{
    memory_source_add(memory, voice->labels, t_ms, value);
    voice->last = value;
    voice->has_last = true;
    voice->was_dropped = false;
}

static void drop(struct voice *voice, int64_t t_ms, struct memory_source *memory)
{
    if (voice->has_last && !voice->was_dropped)
        memory_source_add(memory, voice->labels, t_ms, sample_stale());
    voice->was_dropped = true;
}

/* The value of an instant through all faults; false: no sample. */
static bool faulted(struct voice *voice, const struct sampling *now, double *value)
{
    bool is = true;

    reset(voice, now, *value);
    for (size_t i = 0; i < voice->n_faults; i++)
        if (holds(voice->faults[i], now))
            is &= apply(voice->faults[i], now, voice, value);
    *value -= voice->taken_off;
    return is;
}

static void sample_series(const struct drill_signal *signal,
                          struct voice *voice,
                          const struct sampling *now,
                          int64_t zero_ms,
                          struct memory_source *memory)
{
    const struct drill_series *series = voice->series;
    size_t place = now->at_ms < 0 ? 0 : (size_t)(now->at_ms / now->interval_ms);

    if (series->n == 0)
        return;
    place = place < series->n ? place : series->n - 1;

    double value = series->values[place];

    if (series->gaps && series->gaps[place]) {
        if (isnan(value))
            drop(voice, zero_ms + now->at_ms, memory);
        return;
    }
    if (series->noise > 0)
        value += noise(signal, voice, now->at_ms) * series->noise *
                 (series->noise_is_part ? fabs(value) : 1);

    bool is = faulted(voice, now, &value);

    if (series->is_counter) {
        voice->counted += fmax(0, value) * (double)now->interval_ms / 1000;
        value = voice->counted;
    }
    if (is)
        emit(voice, zero_ms + now->at_ms, value, memory);
    else if (is_dropped(voice, now))
        drop(voice, zero_ms + now->at_ms, memory);
}

static bool is_counted(const struct labels *labels)
{
    static const char *const endings[] = {"_total", "_count", "_sum", "_bucket"};
    const char *name = labels_get(labels, LABEL_NAME);
    size_t len = name ? strlen(name) : 0;

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t n = strlen(endings[i]);

        if (len > n && strcmp(name + len - n, endings[i]) == 0)
            return true;
    }
    return false;
}

/* What came when it was mended that day comes now: the rest of the trouble is left out, or what came
 * again while nobody mended it is over. */
static void go_to_mended(struct voice *voice, const struct sampling *now)
{
    const struct drill_points *points = voice->points;

    if (points->mended_ms == 0 || voice->is_mended || now->mended_ms == DRILL_NOT_YET ||
        (now->mended_ms >= points->mended_ms && !points->until_mended))
        return;
    voice->is_mended = true;
    voice->again = 0;
    voice->earlier_ms = points->mended_ms - now->mended_ms;
    if (voice->earlier_ms == 0)
        return;
    voice->floor_ms = now->at_ms;
    /* the last one until then comes too: how it stood */
    while (voice->next + 1 < points->n && points->t_ms[voice->next + 1] <= points->mended_ms)
        voice->next++;
    if (voice->earlier_ms < 0 && voice->next > 0 &&
        points->mended_ms - points->t_ms[voice->next - 1] <= AGAIN_MAX_MS)
        voice->next--;
    if (voice->next < points->n && voice->has_last && is_counted(voice->labels))
        voice->onto = voice->last - points->values[voice->next];
}

/* Where a recording that goes on until it is mended waits, and how much of it comes again: there half
 * of the trouble, behind its end half of the peace. */
static int64_t waits_at(const struct voice *voice, int64_t onset_ms, int64_t *ret_span_ms)
{
    const struct drill_points *points = voice->points;
    int64_t at_ms = voice->is_mended ? points->last_ms : points->mended_ms;
    int64_t span_ms = (at_ms - (voice->is_mended ? points->mended_ms : onset_ms)) / 2;

    span_ms = span_ms < AGAIN_MAX_MS ? span_ms : AGAIN_MAX_MS;
    *ret_span_ms = span_ms > AGAIN_LEAST_MS ? span_ms : AGAIN_LEAST_MS;
    return points->until_mended ? at_ms : INT64_MAX;
}

struct upcoming {
    int64_t t_ms;
    double value;
    bool is_again;
};

/* A sample once more; a counter goes on counting. False: the series had ended. */
static bool come_again(const struct voice *voice,
                       int64_t at_ms,
                       int64_t span_ms,
                       struct upcoming *ret)
{
    const struct drill_points *points = voice->points;
    size_t first = voice->next;

    while (first > 0 && points->t_ms[first - 1] > at_ms - span_ms)
        first--;
    if (first == voice->next) { /* sparser than that, or ended by itself long before */
        if (first == 0 || at_ms - points->t_ms[first - 1] > AGAIN_MAX_MS)
            return false;
        first--;
    }

    size_t n = voice->next - first;

    if (sample_is_stale(points->values[voice->next - 1]))
        return false;

    int64_t round = (int64_t)(voice->again / n) + 1;
    size_t i = first + voice->again % n;
    size_t before = first > 0 ? first - 1 : first;
    double more = points->values[voice->next - 1] - points->values[before];

    if (before < first) /* as many samples in a while as there were */
        span_ms = points->t_ms[voice->next - 1] - points->t_ms[before];

    *ret = (struct upcoming){points->t_ms[i] + round * span_ms, points->values[i], true};
    if (is_counted(voice->labels) && more > 0)
        ret->value += (double)round * more;
    return true;
}

static bool next_sample(const struct voice *voice, int64_t onset_ms, struct upcoming *ret)
{
    const struct drill_points *points = voice->points;
    int64_t span_ms = 0;
    int64_t at_ms = waits_at(voice, onset_ms, &span_ms);

    if (voice->next < points->n && points->t_ms[voice->next] <= at_ms)
        *ret = (struct upcoming){points->t_ms[voice->next], points->values[voice->next], false};
    else if (at_ms == INT64_MAX || !come_again(voice, at_ms, span_ms, ret))
        return false;
    ret->t_ms -= voice->earlier_ms;
    ret->value += voice->onto;
    return true;
}

static void sample_points(struct voice *voice,
                          const struct sampling *now,
                          const struct drill_signal *signal,
                          int64_t zero_ms,
                          struct memory_source *memory)
{
    int64_t onset_ms = signal->drill_case->drill->onset_ms;
    struct upcoming next;

    go_to_mended(voice, now);
    while (next_sample(voice, onset_ms, &next) && next.t_ms <= now->at_ms) {
        int64_t t_ms = voice->earlier_ms && next.t_ms < voice->floor_ms ? voice->floor_ms
                                                                        : next.t_ms;
        const struct sampling then = {t_ms, now->interval_ms, now->mended_ms};

        if (faulted(voice, &then, &next.value))
            emit(voice, zero_ms + then.at_ms, next.value, memory);
        else if (is_dropped(voice, &then))
            drop(voice, zero_ms + then.at_ms, memory);
        *(next.is_again ? &voice->again : &voice->next) += 1;
    }
}

void drill_signal_sample(struct drill_signal *signal,
                         int64_t at_ms,
                         int64_t zero_ms,
                         int64_t mended_ms,
                         struct memory_source *memory)
{
    const struct sampling now = {at_ms, signal->drill_case->drill->interval_ms, mended_ms};

    for (size_t i = 0; i < signal->n; i++) {
        if (signal->voices[i].series)
            sample_series(signal, &signal->voices[i], &now, zero_ms, memory);
        else
            sample_points(&signal->voices[i], &now, signal, zero_ms, memory);
    }
}
