/*
 * A rule that fires above one threshold and clears below another, written. See tune.h.
 */

#include "ctl/tune.h"
#include "lib/base/float.h"

enum {
    ARENA_BYTES = 16 << 20,
};

/* A server is asked for its samples once, not evaluation by evaluation. False: not for all of them. */
static bool copy_past(const struct tune_past *past,
                      const struct tune_ask *ask,
                      const struct tune_result *result,
                      struct memory_source *copy)
{
    ARENA_AUTO struct arena arena;
    const struct tune_span *span = &result->span;
    struct inputs inputs;
    struct err err = {0};

    arena_init(&arena, ARENA_BYTES);
    return inputs_of(ask->rule->expr, &arena, &inputs, &err) == 0 &&
           inputs_copy(&inputs, &past->source, span->start_ms,
                       span->start_ms + span->n_steps * span->step_ms, NULL, copy, &err) == 0;
}

int tune_hysteresis_look(const struct tune_past *past,
                         const struct tune_ask *ask,
                         const struct tune_result *result,
                         struct hysteresis_written *ret,
                         struct err *reterr)
{
    struct memory_source copy = {0};
    const struct source copied = memory_source_of(&copy);
    struct hysteresis_over over = {.source = &past->source, .lag_ms = past->late.lag_ms};
    bool is_near = past->is_store || past->is_text;

    if (!is_near)
        over.source = &copied;
    bool can_run = is_near || copy_past(past, ask, result, &copy);
    int r = hysteresis_write(ask, result, can_run ? &over : NULL, ret, reterr);
    memory_source_done(&copy);
    return r;
}

static void add_words(const struct tune_result *result,
                      const struct hysteresis_written *written,
                      struct str *out)
{
    char on[FLOAT_TEXT_MAX];
    char off[FLOAT_TEXT_MAX];
    const struct surface_cell now = surface_cell(backtest_surface(result->backtest),
                                                 result->now.threshold, result->now.for_index);
    bool is_up = result->choice->op == SURFACE_ABOVE || result->choice->op == SURFACE_AT_LEAST;

    (void)float_short(written->on, on);
    (void)float_short(written->off, off);
    str_addf(out,
             "\nFiring %s %s, at once, and over %s %s: %llu alerts instead of %llu (the warm-up "
             "among them).\n",
             is_up ? "above" : "below", on, is_up ? "below" : "above", off,
             (unsigned long long)written->pair.alerts, (unsigned long long)now.alerts);
}

void tune_hysteresis_show(const struct tune_ask *ask,
                          const struct tune_result *result,
                          const struct hysteresis_written *written,
                          struct str *out)
{
    if (!written->is_there) {
        str_addf(out, "\n%s\n", written->none);
        return;
    }
    add_words(result, written, out);
    str_addf(out, "\n  - alert: %s\n    expr: |-\n      %s\n", ask->rule->name,
             str_text(&written->expr));
    if (ask->rule->n_labels > 0)
        str_add(out, "    # labels and annotations as they are\n");
    if (written->was_run)
        str_addf(out, "\n  Run step by step with its own ALERTS in sight: %llu alerts, %s.\n",
                 (unsigned long long)written->ran.alerts,
                 written->ran.alerts == written->pair.alerts ? "as counted"
                                                             : "which is NOT what was counted");
    else
        str_add(out, "\n  Counted from what was read. Running it step by step with its own ALERTS "
                     "takes a shorter time here, or a storage folder (--store).\n");
}

/* Alert by alert, with the labels that ALERTS has. */
static void write_run(const struct hysteresis_ran *ran, struct json_out *out)
{
    json_key(out, "run");
    json_open(out, '[');
    for (size_t i = 0; i < ran->n; i++) {
        json_open(out, '{');
        json_key(out, "labels");
        json_open(out, '{');
        for (size_t k = 0; k < ran->at[i].labels->n; k++)
            json_kv_string(out, ran->at[i].labels->at[k].name, ran->at[i].labels->at[k].value);
        json_close(out, '}');
        json_kv_time(out, "fired_at", ran->at[i].fired_ms);
        json_kv_time(out, "resolved_at", ran->at[i].resolved_ms);
        json_close(out, '}');
    }
    json_close(out, ']');
}

void tune_hysteresis_json(const struct hysteresis_written *written, struct json_out *out)
{
    json_key(out, "hysteresis");
    json_open(out, '{');
    json_kv_string(out, "none", written->none);
    if (written->is_there) {
        json_kv_float(out, "fires_at", written->on);
        json_kv_float(out, "clears_at", written->off);
        json_kv_int(out, "alerts", (int64_t)written->pair.alerts);
        json_kv_string(out, "expr", str_text(&written->expr));
        if (written->was_run) {
            json_kv_int(out, "run_alerts", (int64_t)written->ran.alerts);
            write_run(&written->ran, out);
        }
    }
    json_close(out, '}');
}
