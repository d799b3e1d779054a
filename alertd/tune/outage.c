/*
 * The smallest outage a rule catches, asked for and said. See outage.h.
 */

#include "alertd/tune/outage.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "alertd/promql/ast.h"
#include "alertd/tune/grid.h"
#include "lib/base/float.h"
#include "lib/model/duration.h"

enum {
    ARENA_BYTES = 16 << 20,
    SEED = 1, /* the same places each time: figures can be compared */
    TAIL_STEPS_MAX = 60,
    LINGER_MS = 300000, /* a series that is gone is missed only then */
};

/* --- what is put where --- */

static bool is_presence(const struct outage *outage, const struct tune_result *result)
{
    return outage->input &&
           (result->choice->way == SPLIT_PRESENCE || result->choice->way == SPLIT_AGAIN);
}

bool outage_kind_fits(const struct input *input, enum fault_kind kind)
{
    bool is_of_gauges = kind == FAULT_SET || kind == FAULT_RAMP || kind == FAULT_SPIKE;

    return !input || !input->is_counter || !is_of_gauges;
}

/* All of them as one. */
static struct input all_of(const struct inputs *inputs)
{
    struct input all = {.text = OUTAGE_ALL, .is_counter = true};

    for (size_t i = 0; i < inputs->n; i++) {
        const struct input *input = &inputs->at[i];
        all.is_counter &= input->is_counter;
        all.range_ms = input->range_ms > all.range_ms ? input->range_ms : all.range_ms;
    }
    return all;
}

static int choose_input(const struct outage_ask *ask, struct outage *outage, struct err *reterr)
{
    struct err err = {0};
    int r = inputs_of(ask->tune->rule->expr, &outage->arena, &outage->inputs, &err);

    if (ask->is_compared)
        return 0;
    if (r != 0)
        return err_set(reterr, r, "%s", err.text);
    if (outage->inputs.n == 0)
        return err_set(reterr, -EINVAL, "the rule reads no series");
    bool is_together = ask->result->choice->way == SPLIT_TOGETHER && outage->inputs.n > 1;
    const char *wanted = ask->input ? ask->input : is_together ? OUTAGE_ALL : NULL;
    outage->all = all_of(&outage->inputs);
    if (wanted && strcmp(wanted, OUTAGE_ALL) == 0)
        outage->input = &outage->all;
    for (size_t i = 0; i < outage->inputs.n && !outage->input; i++)
        if (!wanted || strcmp(wanted, outage->inputs.at[i].text) == 0)
            outage->input = &outage->inputs.at[i];
    return outage->input ? 0 : err_set(reterr, -EINVAL, "the rule reads no %s", wanted);
}

static int choose_kind(const struct outage_ask *ask, struct outage *outage, struct err *reterr)
{
    const struct input *input = outage->input;

    outage->ask.kind = FAULT_ADD;
    if (ask->has_kind)
        outage->ask.kind = ask->kind;
    else if (is_presence(outage, ask->result) && strstr(ask->tune->rule->expr_text, "absent"))
        outage->ask.kind = FAULT_DROP;
    else if (is_presence(outage, ask->result) && !input->is_counter)
        outage->ask.kind = FAULT_SET;
    if (outage_kind_fits(input, outage->ask.kind))
        return 0;
    return err_set(reterr, -EINVAL,
                   "%s is a counter: a fault of it may add, scale, freeze, drop, gap "
                   "or reset",
                   input->text);
}

static int lay_expression(const struct outage_ask *ask, struct outage *outage, struct err *reterr)
{
    const struct tune_result *result = ask->result;
    const struct split_choice *choice = result->choice;
    double threshold = result->thresholds[result->now.threshold];

    outage->ask.expression = choice->expr;
    outage->ask.op = choice->op;
    outage->ask.threshold = threshold;
    if (is_presence(outage, result)) {
        split_text(ask->tune->rule->expr, choice, threshold, &outage->rule_text);
        outage->ask.is_presence = true;
        outage->ask.expression = str_text(&outage->rule_text);
        outage->ask.op = SURFACE_AT_LEAST;
        outage->ask.threshold = 1;
    } else if (choice->way == SPLIT_PRESENCE || choice->way == SPLIT_AGAIN) {
        return err_set(
            reterr, -EINVAL,
            "a fault in what is compared takes a rule of one threshold, this one is \"%s\"",
            split_way_name(choice->way));
    }
    return 0;
}

static void lay_durations(const struct outage_ask *ask, struct outage *outage)
{
    static const int64_t minutes[] = {1, 2, 3, 5, 8, 12, 20, 30, 45, 60, 90, 120, 180};
    const struct input *input = outage->input;
    int64_t step_ms = outage->interval_ms;
    size_t n = 0;

    if (input) {
        int64_t tail_ms = input->range_ms > LINGER_MS ? input->range_ms : LINGER_MS;
        int64_t steps = tail_ms / step_ms + 1;
        outage->ask.tail_steps = steps < TAIL_STEPS_MAX ? (uint32_t)steps : TAIL_STEPS_MAX;
    }
    for (size_t i = 0; i < sizeof(minutes) / sizeof(*minutes); i++) {
        uint32_t steps = grid_for_steps(minutes[i] * 60000, step_ms);
        bool is_short = steps < ask->result->span.n_steps / 4 || n == 0;
        if (is_short && (n == 0 || steps != outage->durations[n - 1]))
            outage->durations[n++] = steps;
    }
    outage->ask.durations = outage->durations;
    outage->ask.n_durations = n;
}

/* --- how large --- */

/* The magnitude that changes nothing. */
static double nothing_of(const struct outage *outage)
{
    switch (outage->ask.kind) {
    case FAULT_SET: return isnan(outage->usual) ? 0 : outage->usual;
    case FAULT_SCALE: return 1;
    default: return 0;
    }
}

/* The magnitude at which what is compared comes from `compared` to the threshold: as far as a first
 * one moves it, and once more from there. NaN: it does not move. */
static int reach(const struct outage_ask *ask,
                 struct outage *outage,
                 double compared,
                 double *ret_magnitude,
                 struct err *reterr)
{
    struct detect_ask look = outage->ask;
    double nothing = nothing_of(outage);
    double unit = isfinite(outage->usual) && outage->usual != 0 ? fabs(outage->usual) : 1;
    double room = outage->ask.threshold - compared;
    double size = look.kind == FAULT_SCALE ? 1 : unit;

    if (look.kind == FAULT_SPIKE)
        look.kind = FAULT_ADD; /* it is over before one looks */
    *ret_magnitude = (double)NAN;
    for (int i = 0; i < 2; i++) {
        double moves = 0;
        int r = detect_moves(ask->reader, &look, nothing + size, &moves, reterr);
        for (int k = 0; k < 2 && r == 0 && moves == 0 && i == 0; k++) {
            size *= 10; /* some move only when it is large */
            r = detect_moves(ask->reader, &look, nothing + size, &moves, reterr);
        }
        if (r != 0)
            return r;
        if (!isfinite(room / moves) || moves == 0 || room == 0)
            return 0;
        size *= room / moves;
        if (look.kind == FAULT_SCALE && size < -0.5)
            size = -0.5; /* less, then: times 0.1 is as far as -0.9 */
        *ret_magnitude = nothing + size;
    }
    return 0;
}

/* Where the threshold is not looked at, it may lie on either side; and nothing is less than none. */
static void lay_fixed(struct outage *outage, double unit)
{
    static const double less[] = {0.75, 0.5, 0.25, 0.1, 0};
    static const double more[] = {1.5, 2, 5, 10};
    size_t n = 0;

    for (size_t i = 0; i < sizeof(less) / sizeof(*less); i++)
        outage->magnitudes[n++] = unit * less[i];
    for (size_t i = 0; outage->ask.is_presence && i < sizeof(more) / sizeof(*more); i++)
        outage->magnitudes[n++] = unit * more[i];
    outage->ask.n_magnitudes = n;
}

static void lay_shares(struct outage *outage, double nothing, double to)
{
    size_t n = detect_magnitudes(nothing, to, outage->magnitudes, DETECT_MAGNITUDES_MAX);

    for (size_t i = 0; i < n; i++)
        outage->magnitudes[i] += nothing;
    outage->ask.n_magnitudes = n;
}

static int lay_magnitudes(const struct outage_ask *ask, struct outage *outage, struct err *reterr)
{
    struct detect_ask *look = &outage->ask;
    double nothing = nothing_of(outage);
    double to = (double)NAN;
    double compared = outage->usual;
    int r = 0;

    look->magnitudes = outage->magnitudes;
    look->n_magnitudes = 1;
    outage->is_moved = true;
    if (!fault_kind_is_sized(look->kind))
        return 0;
    if (outage->input && !look->is_presence)
        r = detect_usual(ask->reader, look->expression, &look->span, &compared, reterr);
    if (r == 0 && !look->is_presence)
        r = reach(ask, outage, compared, &to, reterr);
    if (!isfinite(to)) {
        outage->is_moved = look->is_presence;
        to = look->kind == FAULT_SCALE ? 2 : 2 * (isfinite(outage->usual) ? outage->usual : 1);
    }
    if (look->kind == FAULT_SCALE && (look->is_presence || to < 1))
        lay_fixed(outage, 1);
    else if (look->kind == FAULT_SET && look->is_presence)
        lay_fixed(outage, nothing == 0 ? 1 : nothing);
    else
        lay_shares(outage, nothing, to);
    return r;
}

static const char *usual_of(const struct outage *outage)
{
    return outage->input == &outage->all ? outage->inputs.at[0].text : outage->input->text;
}

static int find_usual(const struct outage_ask *ask, struct outage *outage, struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(PROMQL_TEXT_MAX);

    if (!outage->input)
        str_add(&text, outage->ask.expression);
    else if (outage->input->is_counter)
        str_addf(&text, "rate(%s[5m])", usual_of(outage));
    else
        str_add(&text, usual_of(outage));
    return detect_usual(ask->reader, str_text(&text), &outage->ask.span, &outage->usual, reterr);
}

int outage_look(const struct outage_ask *ask, struct outage *ret, struct err *reterr)
{
    const struct tune_result *result = ask->result;

    *ret = (struct outage){
        .rule_text = STR_INIT(PROMQL_TEXT_MAX),
        .interval_ms = ask->tune->interval_ms,
        .ask = {.for_steps = result->for_steps[result->now.for_index],
                .span = result->span,
                .query_bytes = ask->query_bytes,
                .lookback_ms = ask->lookback_ms,
                .n_offsets = ask->n_places,
                .seed = SEED,
                .is_enough_fn = ask->is_enough_fn,
                .enough_arg = ask->enough_arg},
    };
    arena_init(&ret->arena, ARENA_BYTES);
    int r = choose_input(ask, ret, reterr);
    if (r == 0)
        r = choose_kind(ask, ret, reterr);
    if (r == 0)
        r = lay_expression(ask, ret, reterr);
    if (r != 0)
        return r;
    lay_durations(ask, ret);
    if (ret->input) {
        ret->ask.source = ask->source;
        ret->ask.matchers = ret->input->matchers;
        ret->ask.n_matchers = ret->input->n_matchers;
        ret->ask.is_counter = ret->input->is_counter;
    }
    r = find_usual(ask, ret, reterr);
    if (r == 0)
        r = lay_magnitudes(ask, ret, reterr);
    return r == 0 ? detect(ask->reader, &ret->ask, &ret->map, reterr) : r;
}

void outage_done(struct outage *outage)
{
    str_done(&outage->rule_text);
    arena_reset(&outage->arena);
}

/* --- in words --- */

void outage_add_magnitude(const struct outage *outage, double magnitude, struct str *out)
{
    char text[FLOAT_TEXT_MAX];
    const char *sign = magnitude > 0 ? "+" : "";

    (void)float_short(magnitude, text);
    switch (outage->ask.kind) {
    case FAULT_SET: str_addf(out, "set to %s", text); break;
    case FAULT_SCALE: str_addf(out, "times %s", text); break;
    case FAULT_ADD:
        str_addf(out, "%s%s%s", sign, text, outage->ask.is_counter ? " a second" : "");
        break;
    case FAULT_RAMP: str_addf(out, "up to %s%s", sign, text); break;
    case FAULT_SPIKE: str_addf(out, "%s%s once", sign, text); break;
    case FAULT_FREEZE:
    case FAULT_DROP:
    case FAULT_GAP:
    case FAULT_RESET: str_add(out, fault_kind_name(outage->ask.kind)); break;
    }
}

static void add_steps(const struct outage *outage, uint64_t steps, struct str *out)
{
    char text[DURATION_TEXT_MAX];

    str_add(out, duration_human((int64_t)steps * outage->interval_ms, text));
}

bool outage_least(const struct outage *outage, size_t *ret_magnitude, size_t *ret_duration)
{
    bool is_there = false;

    for (size_t k = 0; k < outage->ask.n_durations; k++) {
        size_t least;
        if (!detect_least(&outage->map, &outage->ask, k, &least) ||
            (is_there && least >= *ret_magnitude))
            continue;
        *ret_magnitude = least;
        *ret_duration = k;
        is_there = true;
    }
    return is_there;
}

static size_t shortest(const struct outage *outage)
{
    size_t least;

    for (size_t k = 0; k < outage->ask.n_durations; k++)
        if (detect_least(&outage->map, &outage->ask, k, &least))
            return k;
    return 0;
}

void outage_words(const struct outage *outage, struct str *out)
{
    size_t magnitude = 0;
    size_t duration = 0;

    if (outage->map.n_offsets == 0) {
        str_add(out, "No place in this time has a value without an alert to put a fault into.");
        return;
    }
    if (!outage_least(outage, &magnitude, &duration)) {
        if (!outage->is_moved)
            str_add(out, "What is compared hardly moves with it. ");
        str_add(out, "None of them is caught nine times of ten.");
        return;
    }
    str_add(out, "The smallest that is caught nine times of ten: ");
    outage_add_magnitude(outage, outage->magnitudes[magnitude], out);
    str_add(out, " for ");
    add_steps(outage, outage->durations[duration], out);
    str_add(out, ", half of them within ");
    add_steps(outage, outage->map.cells[magnitude][duration].median_delay, out);
    size_t first = shortest(outage);
    if (first > 0) {
        str_add(out, ". None shorter than ");
        add_steps(outage, outage->durations[first], out);
        str_add(out, " is, however large");
    }
    str_addc(out, '.');
}
