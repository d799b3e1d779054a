/*
 * The smallest outage a rule catches, asked and shown. See tune.h.
 */

#include <errno.h>
#include <string.h>

#include "ctl/tune.h"
#include "lib/base/float.h"
#include "lib/model/duration.h"

enum {
    PLACES = 100,
    QUERY_BYTES_MAX = 256 << 20,
    WIDTH = 18, /* of a magnitude */
};

int tune_faults_look(const struct ctl *ctl,
                     struct tune_past *past,
                     const struct tune_ask *tune,
                     const struct tune_result *result,
                     struct outage *ret,
                     struct err *reterr)
{
    const char *kind = ctl_option(ctl, "fault");
    const char *input = ctl_option(ctl, "input");
    bool is_compared = input && strcmp(input, "compared") == 0;
    struct outage_ask ask = {.reader = past->late.source ? &past->at_once : &past->reader,
                             .source = &past->source,
                             .query_bytes = QUERY_BYTES_MAX,
                             .tune = tune,
                             .result = result,
                             .has_kind = kind != NULL,
                             .is_compared = is_compared,
                             .input = is_compared ? NULL : input,
                             .n_places = PLACES};

    *ret = (struct outage){0};
    if (kind && !fault_kind_find(kind, &ask.kind))
        return err_set(reterr, -EINVAL,
                       "--fault is set, add, scale, ramp, spike, freeze, drop, gap or reset");
    return outage_look(&ask, ret, reterr);
}

static const char *what_of(const struct outage *outage)
{
    if (!outage->input)
        return "what is compared, of one series,";
    return outage->input == &outage->all ? "all that it reads" : outage->input->text;
}

static void add_row(const struct outage *outage, size_t j, struct str *out)
{
    STR_AUTO struct str words = STR_INIT(256);

    outage_add_magnitude(outage, outage->magnitudes[j], &words);
    str_addf(out, "%*s", WIDTH, str_text(&words));
    for (size_t k = 0; k < outage->ask.n_durations; k++) {
        const struct detect_cell *cell = &outage->map.cells[j][k];
        if (cell->n == 0)
            str_addf(out, " %6s", "-");
        else
            str_addf(out, " %6.0f", 100.0 * (double)cell->n_caught / (double)cell->n);
    }
    str_addc(out, '\n');
}

void tune_faults_show(const struct outage *outage, struct str *out)
{
    char text[FLOAT_TEXT_MAX];
    char held[DURATION_TEXT_MAX];

    if (outage->map.n_offsets > 0) {
        (void)float_short(outage->usual, text);
        str_addf(out,
                 "\nOf 100 outages how many would be caught, by what becomes of %s and for how "
                 "long\n(at %zu places of this time; usual is %s%s):\n\n%*s",
                 what_of(outage), outage->map.n_offsets, text,
                 outage->ask.is_counter ? " a second" : "", WIDTH, "");
        for (size_t k = 0; k < outage->ask.n_durations; k++)
            str_addf(out, " %6s", duration_print(outage->durations[k] * outage->interval_ms, held));
        str_addc(out, '\n');
        for (size_t j = 0; j < outage->ask.n_magnitudes; j++)
            add_row(outage, j, out);
    }
    str_add(out, "\n  ");
    outage_words(outage, out);
    str_addc(out, '\n');
}

void tune_faults_json(const struct outage *outage, struct json_out *out)
{
    json_key(out, "faults");
    json_open(out, '{');
    json_kv_string(out, "kind", fault_kind_name(outage->ask.kind));
    json_kv_string(out, "input", outage->input ? outage->input->text : NULL);
    json_kv_float(out, "usual", outage->usual);
    json_kv_int(out, "places", (int64_t)outage->map.n_offsets);
    json_key(out, "cells");
    json_open(out, '[');
    for (size_t j = 0; j < outage->ask.n_magnitudes; j++)
        for (size_t k = 0; k < outage->ask.n_durations; k++) {
            const struct detect_cell *cell = &outage->map.cells[j][k];
            json_open(out, '{');
            json_kv_float(out, "magnitude", outage->magnitudes[j]);
            json_kv_int(out, "duration_ms", outage->durations[k] * outage->interval_ms);
            json_kv_int(out, "tried", (int64_t)cell->n);
            json_kv_int(out, "caught", (int64_t)cell->n_caught);
            json_kv_int(out, "median_delay_ms", cell->median_delay * outage->interval_ms);
            json_kv_int(out, "p90_delay_ms", cell->p90_delay * outage->interval_ms);
            json_close(out, '}');
        }
    json_close(out, ']');
    json_close(out, '}');
}
