/*
 * Where each threshold has alerts of its own (a rule that is evaluated anew for each): the runs of each
 * series at each threshold, so that a page shows any of them without asking again. See tuning.h.
 *
 * Runs are written as a picture's levels are (tune/picture.h): 1 where it would be true, 0 where not.
 */

#include "alertd/api/rules.h"
#include "alertd/api/tuning.h"
#include "alertd/tune/crossing.h"
#include "lib/base/base64.h"

enum {
    RUNS_BYTES_MAX = 6 << 20, /* of all thresholds */
    RUN_BYTES_MAX = 8,
};

static void add_run(struct str *out, bool is_true, uint32_t n)
{
    char bytes[RUN_BYTES_MAX];
    size_t len = 0;

    bytes[len++] = is_true;
    for (; n >= 0x80; n >>= 7)
        bytes[len++] = (char)(n | 0x80);
    bytes[len++] = (char)n;
    str_addn(out, bytes, len);
}

static void add_runs(const struct backtest_line *line, uint32_t n_steps, struct str *out)
{
    struct crossing_walk walk = crossings_walk(line->crossings);
    struct surface_crossing at;
    uint32_t since = 0;
    bool is_true = false;

    while (crossing_next(&walk, &at)) {
        if ((at.level > line->above) == is_true)
            continue;
        if (at.step > since)
            add_run(out, is_true, at.step - since);
        since = at.step;
        is_true = !is_true;
    }
    if (n_steps > since)
        add_run(out, is_true, n_steps - since);
}

static void write_series(const struct tune_result *result, size_t series, struct json_out *out)
{
    STR_AUTO struct str runs = STR_INIT(RUNS_BYTES_MAX);
    STR_AUTO struct str text = STR_INIT(RUNS_BYTES_MAX / 3 * 4 + 8);

    json_open(out, '{');
    rules_json_labels(out, "labels", backtest_series_labels(result->backtest, series));
    json_key(out, "runs");
    json_open(out, '[');
    for (size_t j = 0; j < result->n_thresholds; j++) {
        const struct backtest_line line = backtest_line(result->backtest, series, j);

        str_cut(&runs, 0);
        str_cut(&text, 0);
        add_runs(&line, result->n_steps, &runs);
        base64_encode(str_text(&runs), runs.len, &text);
        json_string(out, str_text(&text));
    }
    json_close(out, ']');
    json_close(out, '}');
}

/* All of them can be sent to a page: a byte for a level, and some for how long. */
static bool is_small(const struct tune_result *result)
{
    size_t n_bytes = 0;

    for (size_t j = 0; j < result->n_thresholds; j++)
        for (size_t s = 0; s < backtest_n_series(result->backtest); s++) {
            const struct backtest_line line = backtest_line(result->backtest, s, j);
            struct crossing_walk walk = crossings_walk(line.crossings);
            struct surface_crossing at;

            for (n_bytes += RUN_BYTES_MAX; crossing_next(&walk, &at); n_bytes += RUN_BYTES_MAX / 2)
                if (n_bytes > RUNS_BYTES_MAX)
                    return false;
        }
    return n_bytes <= RUNS_BYTES_MAX;
}

void tuning_write_apart(const struct tune_result *result, struct json_out *out)
{
    json_key(out, "apart");
    if (result->choice->way != SPLIT_AGAIN || !backtest_has_crossings(result->backtest) ||
        !is_small(result)) {
        json_null(out);
        return;
    }
    json_open(out, '[');
    for (size_t s = 0; s < backtest_n_series(result->backtest); s++)
        write_series(result, s, out);
    json_close(out, ']');
}
