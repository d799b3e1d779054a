/*
 * The smallest outage a setting of a rule catches: faults put into copies of what it reads. See
 * tuning.h and tune/outage.h.
 */

#include <errno.h>

#include "alertd/api/tuning.h"
#include "alertd/tune/outage.h"
#include "lib/base/clock.h"

enum {
    PLACES = 100,
    LOOK_MS = 12000, /* then the places looked at so far are enough */
    QUERY_BYTES_MAX = 256 << 20,
};

static bool is_enough(const void *until_ms)
{
    return clock_mono_ms() >= *(const int64_t *)until_ms;
}

static int read_fault(const struct json *body, struct outage_ask *ask, struct err *reterr)
{
    const char *kind = NULL;

    if (json_get_string_or(body, "kind", NULL, &kind, reterr) ||
        json_get_string_or(body, "input", NULL, &ask->input, reterr))
        return TUNED_E_BAD;
    ask->has_kind = kind != NULL;
    if (kind && !fault_kind_find(kind, &ask->kind))
        return err_set(reterr, TUNED_E_BAD,
                       "kind: set, add, scale, ramp, spike, freeze, drop, gap or reset");
    ask->is_compared = ask->input && !*ask->input;
    if (ask->is_compared)
        ask->input = NULL;
    return 0;
}

static int look(const struct tuning *tuning,
                const struct json *body,
                struct tune_result *result,
                struct outage *outage,
                struct err *reterr)
{
    struct tuned_over over;
    struct tune_ask tune = tuning_ask(tuning);
    struct tuned_past at_once = tuning->past; /* a loan */
    int64_t until_ms = 0;
    struct outage_ask ask = {.reader = &over.reader,
                             .source = &over.source,
                             .query_bytes = QUERY_BYTES_MAX,
                             .lookback_ms = tuning->api->query_lookback_ms,
                             .tune = &tune,
                             .result = result,
                             .n_places = PLACES,
                             .is_enough_fn = is_enough,
                             .enough_arg = &until_ms};
    int r = read_fault(body, &ask, reterr);

    if (r != 0)
        return r;
    at_once.lag_ms = 0;
    tune.is_alone = true;
    tune.for_ms = tuning->for_ms;
    tune.has_threshold = tuning->has_setting;
    tune.threshold = tuning->threshold;
    r = tuned_past_begin(tuning->api, tuning->request, &at_once, &over, reterr);
    if (r == 0) {
        r = tune_run(&over.reader, &tune, result, reterr);
        until_ms = clock_mono_ms() + LOOK_MS;
        if (r == 0)
            r = outage_look(&ask, outage, reterr);
        r = tuned_over_code(&over, r, reterr);
    }
    tuned_over_done(&over);
    return r;
}

static void write_cells(const struct outage *outage, struct json_out *out)
{
    json_key(out, "cells");
    json_open(out, '[');
    for (size_t j = 0; j < outage->ask.n_magnitudes; j++)
        for (size_t k = 0; k < outage->ask.n_durations; k++) {
            const struct detect_cell *cell = &outage->map.cells[j][k];
            json_open(out, '{');
            json_kv_int(out, "tried", (int64_t)cell->n);
            json_kv_int(out, "caught", (int64_t)cell->n_caught);
            json_kv_int(out, "median_delay_ms", cell->median_delay * outage->interval_ms);
            json_kv_int(out, "p90_delay_ms", cell->p90_delay * outage->interval_ms);
            json_close(out, '}');
        }
    json_close(out, ']');
}

static void write_axes(const struct outage *outage, struct json_out *out)
{
    STR_AUTO struct str words = STR_INIT(256);

    json_key(out, "magnitudes");
    json_open(out, '[');
    for (size_t j = 0; j < outage->ask.n_magnitudes; j++) {
        str_cut(&words, 0);
        outage_add_magnitude(outage, outage->magnitudes[j], &words);
        json_open(out, '{');
        json_kv_float(out, "value", outage->magnitudes[j]);
        json_kv_string(out, "words", str_text(&words));
        json_close(out, '}');
    }
    json_close(out, ']');
    json_key(out, "durations_ms");
    json_open(out, '[');
    for (size_t k = 0; k < outage->ask.n_durations; k++)
        json_int(out, outage->durations[k] * outage->interval_ms);
    json_close(out, ']');
}

static void write_choices(const struct outage *outage, struct json_out *out)
{
    json_key(out, "inputs");
    json_open(out, '[');
    for (size_t i = 0; i < outage->inputs.n; i++)
        json_string(out, outage->inputs.at[i].text);
    if (outage->inputs.n > 1)
        json_string(out, OUTAGE_ALL);
    json_close(out, ']');
    json_key(out, "kinds");
    json_open(out, '[');
    for (int kind = 0; kind < FAULT_KINDS; kind++)
        if (outage_kind_fits(outage->input, (enum fault_kind)kind))
            json_string(out, fault_kind_name((enum fault_kind)kind));
    json_close(out, ']');
}

static void write_outage(const struct tuning *tuning,
                         const struct outage *outage,
                         struct json_out *out)
{
    STR_AUTO struct str words = STR_INIT(4096);
    size_t magnitude = 0;
    size_t duration = 0;

    outage_words(outage, &words);
    json_open(out, '{');
    json_kv_string(out, "kind", fault_kind_name(outage->ask.kind));
    json_kv_string(out, "input", outage->input ? outage->input->text : NULL);
    json_kv_bool(out, "is_counter", outage->ask.is_counter);
    write_choices(outage, out);
    json_kv_float(out, "usual", outage->usual);
    json_kv_int(out, "places", (int64_t)outage->map.n_offsets);
    write_axes(outage, out);
    write_cells(outage, out);
    json_key(out, "least");
    if (outage_least(outage, &magnitude, &duration)) {
        json_open(out, '{');
        json_kv_int(out, "magnitude", (int64_t)magnitude);
        json_kv_int(out, "duration", (int64_t)duration);
        json_close(out, '}');
    } else {
        json_null(out);
    }
    json_kv_string(out, "words", str_text(&words));
    told_json(tuning->past.told, out);
    json_close(out, '}');
}

void tuning_faults(const struct tuning *tuning,
                   const struct json *body,
                   struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct tune_result result = {0};
    struct outage outage = {0};
    struct err err = {0};
    int r = look(tuning, body, &result, &outage, &err);

    if (r)
        tuned_fail(response, tuning->past.told, r, &err);
    else
        write_outage(tuning, &outage, &out);
    outage_done(&outage);
    tune_result_done(&result);
}
