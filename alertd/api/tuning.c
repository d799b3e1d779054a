/*
 * One question about a rule's past. See tuning.h.
 */

#include "alertd/api/tuning.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARENA_BYTES = 256 << 20,
    COLUMNS_USUAL = 800,
};
#define DAY_MS      INT64_C(86400000)
#define FOR_MS_MAX  (60 * DAY_MS)
#define STEP_MS_MIN 1000

static int bad(struct err *reterr, const char *field, const char *words)
{
    return err_set(reterr, TUNED_E_BAD, "%s: %s", field, words);
}

/* --- the rule --- */

static int read_rule(struct tuning *tuning, const struct json *body, struct err *reterr)
{
    int r = tuned_rule_read(tuning->api, body, &tuning->tuned, reterr);

    if (r || !json_has(body, "expr"))
        return r;
    struct rule changed = *tuning->tuned.rule;
    if (json_get_string(body, "expr", &changed.expr_text, reterr))
        return TUNED_E_BAD;
    return tuned_rule_change(&tuning->tuned, &changed, reterr);
}

int tuning_rule_of(const struct tuning *tuning,
                   const struct split_choice *choice,
                   double threshold,
                   struct tuned_rule *ret,
                   struct err *reterr)
{
    STR_AUTO struct str expr = STR_INIT(TUNED_YAML_MAX);
    struct rule changed = *tuning->tuned.rule;

    *ret = (struct tuned_rule){.interval_ms = tuning->tuned.interval_ms};
    if (threshold != choice->now) {
        split_text(changed.expr, choice, threshold, &expr);
        changed.expr_text = str_text(&expr);
    }
    changed.for_ms = tuning->for_ms;
    changed.keep_firing_for_ms = tuning->keep_ms;
    if (expr.full)
        return err_set(reterr, TUNED_E_LIMIT, "the rule would be longer than %d KiB",
                       TUNED_YAML_MAX >> 10);
    return tuned_rule_change(ret, &changed, reterr);
}

/* --- what of it --- */

static int read_times(struct tuning *tuning, const struct json *body, struct err *reterr)
{
    const char *from = NULL;
    const char *to = NULL;

    if (json_get_string_or(body, "from", NULL, &from, reterr) ||
        json_get_string_or(body, "to", NULL, &to, reterr))
        return TUNED_E_BAD;
    return tuned_past_times(&tuning->past, from, to, &tuning->from_ms, &tuning->to_ms, reterr);
}

static int read_span(const struct json *body,
                     const char *name,
                     int64_t *inout_ms,
                     struct err *reterr)
{
    if (json_get_int_or(body, name, *inout_ms, inout_ms, reterr))
        return TUNED_E_BAD;
    if (*inout_ms < 0 || *inout_ms > FOR_MS_MAX)
        return bad(reterr, name, "milliseconds, 0 to 60 days");
    return 0;
}

static int read_setting(struct tuning *tuning, const struct json *body, struct err *reterr)
{
    int64_t choice = 0;
    int64_t columns = COLUMNS_USUAL;

    tuning->for_ms = tuning->tuned.rule->for_ms;
    tuning->keep_ms = tuning->tuned.rule->keep_firing_for_ms;
    tuning->has_choice = json_has(body, "choice");
    tuning->has_setting = json_has(body, "threshold");
    if (json_get_int_or(body, "choice", 1, &choice, reterr) ||
        json_get_int_or(body, "columns", COLUMNS_USUAL, &columns, reterr) ||
        (tuning->has_setting && json_get_float(body, "threshold", &tuning->threshold, reterr)))
        return TUNED_E_BAD;
    if (choice < 1)
        return bad(reterr, "choice", "the number of one of the things to move, from 1");
    if (tuning->has_setting && !isfinite(tuning->threshold))
        return bad(reterr, "threshold", "expected a finite number");
    if (columns < 1 || columns > PICTURE_COLUMNS_MAX)
        return bad(reterr, "columns", "1 to 4000");
    tuning->choice = (size_t)choice - 1;
    tuning->columns = (uint32_t)columns;
    int r = read_span(body, "for_ms", &tuning->for_ms, reterr);
    if (r == 0)
        r = read_span(body, "keep_firing_for_ms", &tuning->keep_ms, reterr);
    if (r == 0 && json_has(body, "interval_ms"))
        r = read_span(body, "interval_ms", &tuning->tuned.interval_ms, reterr);
    if (r == 0 && tuning->tuned.interval_ms < STEP_MS_MIN)
        r = bad(reterr, "interval_ms", "a second at least");
    return r;
}

static int read_zone(struct tuning *tuning, const struct json *body, struct err *reterr)
{
    const char *name = NULL;
    struct err err = {0};

    if (json_get_string_or(body, "zone", "UTC", &name, reterr))
        return TUNED_E_BAD;
    return zone_open(name, &tuning->zone, &err) == 0 ? 0 : bad(reterr, "zone", err.text);
}

int tuning_read(const struct api *api,
                const struct http_request *request,
                const struct json *body,
                struct tuning *ret_tuning,
                struct err *reterr)
{
    struct tuning *tuning = ret_tuning;

    *tuning = (struct tuning){.api = api, .request = request};
    arena_init(&tuning->arena, ARENA_BYTES);
    if (!json_is_object(body))
        return bad(reterr, "the body", "expected an object");
    int r = tuned_past_read(api, request, body, &tuning->past, reterr);
    if (r == 0)
        r = read_times(tuning, body, reterr);
    if (r == 0)
        r = read_rule(tuning, body, reterr);
    if (r == 0)
        r = read_setting(tuning, body, reterr);
    if (r == 0 && tuning->past.is_drill)
        tuning->tuned.phase_ms = drill_past_phase_ms(&tuning->past.when, tuning->tuned.interval_ms);
    if (r == 0)
        r = read_zone(tuning, body, reterr);
    if (r == 0)
        r = tuning_read_incidents(tuning, body, reterr);
    return r;
}

void tuning_done(struct tuning *tuning)
{
    tuned_rule_done(&tuning->tuned);
    tuned_past_done(&tuning->past);
    zone_free(tuning->zone);
    free(tuning->incidents);
    free(tuning->whens);
    arena_reset(&tuning->arena);
}

/* --- and its answer --- */

struct tune_ask tuning_ask(const struct tuning *tuning)
{
    return (struct tune_ask){
        .rule = tuning->tuned.rule,
        .interval_ms = tuning->tuned.interval_ms,
        .phase_ms = tuning->tuned.phase_ms,
        .from_ms = tuning->from_ms,
        .to_ms = tuning->to_ms,
        .first_ms = tuning->past.is_drill ? tuning->past.when.from_ms : 0,
        .choice = tuning->choice,
        .for_ms = tuning->tuned.rule->for_ms,
        .whens = tuning->whens,
        .n_incidents = tuning->n_whens,
        .zone = tuning->zone,
    };
}

static int run(const struct tuning *tuning,
               const struct tuned_over *over,
               const struct tune_ask *ask,
               struct tune_result *ret_result,
               struct err *reterr)
{
    struct tune_ask other = *ask;
    int r = tune_run(&over->reader, ask, ret_result, reterr);

    /* The first thing to move can't be: the last one, `for`, always can. */
    if (r == -EINVAL && !tuning->has_choice && ret_result->n_choices > 1 &&
        ret_result->choices[0].way == SPLIT_AGAIN) {
        other.choice = ret_result->n_choices - 1;
        tune_result_done(ret_result);
        r = tune_run(&over->reader, &other, ret_result, reterr);
    }
    if (r == -EINVAL && ret_result->n_choices > 0 && tuning->choice >= ret_result->n_choices)
        return err_set(reterr, TUNED_E_BAD, "choice: the rule has %zu things to move",
                       ret_result->n_choices);
    return tuned_over_code(over, r, reterr);
}

int tuning_over_begin(const struct tuning *tuning, struct tuned_over *ret, struct err *reterr)
{
    return tuned_past_begin(tuning->api, tuning->request, &tuning->past, ret, reterr);
}

int tuning_run(const struct tuning *tuning,
               const struct tune_ask *ask,
               struct tune_result *ret_result,
               struct err *reterr)
{
    struct tuned_over over;

    *ret_result = (struct tune_result){0};
    int r = tuning_over_begin(tuning, &over, reterr);
    if (r == 0)
        r = run(tuning, &over, ask, ret_result, reterr);
    tuned_over_done(&over);
    return r;
}
