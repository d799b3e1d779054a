/*
 * The smallest outage a rule catches, asked and shown. See tune.h.
 */

#include <errno.h>
#include <string.h>

#include "ctl/tune.h"
#include "lib/base/float.h"
#include "lib/model/duration.h"

enum {
    OFFSETS = 100,
    SEED = 1, /* the same places each time: figures can be compared */
};

static void lay_durations(const struct tune_ask *ask, struct tune_faults *faults)
{
    static const int64_t minutes[] = {1, 2, 3, 5, 8, 12, 20, 30, 45, 60, 90, 120, 180};
    size_t n = 0;

    for (size_t i = 0; i < sizeof(minutes) / sizeof(*minutes); i++) {
        uint32_t steps = grid_for_steps(minutes[i] * 60000, ask->interval_ms);
        if (n == 0 || steps != faults->durations[n - 1])
            faults->durations[n++] = steps;
    }
    faults->ask.durations = faults->durations;
    faults->ask.n_durations = n;
}

int tune_faults_look(const struct tune_reader *reader,
                     const struct tune_ask *ask,
                     const struct tune_result *result,
                     struct tune_faults *ret,
                     struct err *reterr)
{
    *ret = (struct tune_faults){
        .ask = {.expression = result->choice->expr,
                .op = result->choice->op,
                .threshold = result->thresholds[result->now.threshold],
                .for_steps = result->for_steps[result->now.for_index],
                .span = result->span,
                .kind = FAULT_ADD,
                .n_offsets = OFFSETS,
                .seed = SEED},
    };
    if (result->choice->way != SPLIT_ONE)
        return err_set(reterr, -EINVAL,
                       "--faults puts more into what is compared: it takes a rule of one "
                       "threshold, this one is \"%s\" (--move=N takes another)",
                       split_way_name(result->choice->way));
    lay_durations(ask, ret);
    int r = detect_usual(reader, ret->ask.expression, &ret->ask.span, &ret->usual, reterr);
    if (r != 0)
        return r;
    ret->ask.magnitudes = ret->magnitudes;
    ret->ask.n_magnitudes = detect_magnitudes(ret->usual, ret->ask.threshold, ret->magnitudes,
                                              DETECT_MAGNITUDES_MAX);
    return detect(reader, &ret->ask, &ret->map, reterr);
}

static void add_magnitude(double magnitude, struct str *out)
{
    char text[FLOAT_TEXT_MAX];

    (void)float_short(magnitude, text);
    str_addf(out, "%s%s", magnitude > 0 ? "+" : "", text);
}

/* The least magnitude that is caught at all, for the shortest time that is enough. */
static void add_least(const struct tune_ask *ask, const struct tune_faults *faults, struct str *out)
{
    size_t best = SIZE_MAX;
    size_t duration = 0;
    size_t shortest = SIZE_MAX;

    for (size_t k = 0; k < faults->ask.n_durations; k++) {
        size_t least;
        if (!detect_least(&faults->map, &faults->ask, k, &least))
            continue;
        shortest = shortest == SIZE_MAX ? k : shortest;
        if (best == SIZE_MAX || least < best) {
            best = least;
            duration = k;
        }
    }
    if (best == SIZE_MAX) {
        str_add(out, "  None of them is caught nine times of ten.\n");
        return;
    }
    const struct detect_cell *cell = &faults->map.cells[best][duration];
    str_add(out, "  The smallest that is caught nine times of ten: ");
    add_magnitude(faults->magnitudes[best], out);
    str_add(out, " for ");
    tune_add_steps(ask, faults->durations[duration], out);
    str_add(out, ", half of them within ");
    tune_add_steps(ask, cell->median_delay, out);
    if (shortest > 0) {
        str_add(out, ".\n  None shorter than ");
        tune_add_steps(ask, faults->durations[shortest], out);
        str_add(out, " is, however large");
    }
    str_add(out, ".\n");
}

void tune_faults_show(const struct tune_ask *ask, const struct tune_faults *faults, struct str *out)
{
    char text[FLOAT_TEXT_MAX];
    char held[DURATION_TEXT_MAX];

    if (faults->map.n_offsets == 0) {
        str_add(out, "\nNo place in this time has a value without an alert to put a fault into.\n");
        return;
    }
    (void)float_short(faults->usual, text);
    str_addf(
        out,
        "\nOf 100 outages how many would be caught, by how much is added to one series and for "
        "how long\n(at %zu places of this time; usual is %s):\n\n%12s",
        faults->map.n_offsets, text, "");
    for (size_t k = 0; k < faults->ask.n_durations; k++)
        str_addf(out, " %6s", duration_print(faults->durations[k] * ask->interval_ms, held));
    str_addc(out, '\n');
    for (size_t j = 0; j < faults->ask.n_magnitudes; j++) {
        (void)float_short(faults->magnitudes[j], text);
        str_addf(out, "%*s%s", 12 - (int)strlen(text), faults->magnitudes[j] > 0 ? "+" : "", text);
        for (size_t k = 0; k < faults->ask.n_durations; k++) {
            const struct detect_cell *cell = &faults->map.cells[j][k];
            if (cell->n == 0)
                str_addf(out, " %6s", "-");
            else
                str_addf(out, " %6.0f", 100.0 * (double)cell->n_caught / (double)cell->n);
        }
        str_addc(out, '\n');
    }
    str_addc(out, '\n');
    add_least(ask, faults, out);
}

void tune_faults_json(const struct tune_ask *ask,
                      const struct tune_faults *faults,
                      struct json_out *out)
{
    json_key(out, "faults");
    json_open(out, '{');
    json_kv_string(out, "kind", fault_kind_name(faults->ask.kind));
    json_kv_float(out, "usual", faults->usual);
    json_kv_int(out, "places", (int64_t)faults->map.n_offsets);
    json_key(out, "cells");
    json_open(out, '[');
    for (size_t j = 0; j < faults->ask.n_magnitudes; j++)
        for (size_t k = 0; k < faults->ask.n_durations; k++) {
            const struct detect_cell *cell = &faults->map.cells[j][k];
            json_open(out, '{');
            json_kv_float(out, "magnitude", faults->magnitudes[j]);
            json_kv_int(out, "duration_ms", faults->durations[k] * ask->interval_ms);
            json_kv_int(out, "tried", (int64_t)cell->n);
            json_kv_int(out, "caught", (int64_t)cell->n_caught);
            json_kv_int(out, "median_delay_ms", cell->median_delay * ask->interval_ms);
            json_kv_int(out, "p90_delay_ms", cell->p90_delay * ask->interval_ms);
            json_close(out, '}');
        }
    json_close(out, ']');
    json_close(out, '}');
}
