/*
 * The series an expression reads. See input.h.
 */

#include "alertd/tune/input.h"

#include <errno.h>
#include <string.h>

#include "alertd/promql/ast.h"
#include "alertd/promql/fn.h"

enum {
    LINGER_MS = 10 * 60000, /* more than a sample lingers, and than a fault looks back */
    COPY_BYTES_MAX = 256 << 20,
};

struct walk {
    struct arena *arena;
    struct inputs *inputs;
    struct err *reterr;
};

/* What is read around a node: by ranges and offsets above it, too. */
struct around {
    int64_t back_ms, range_ms;
    bool is_counter;
};

static int read_length(const struct promql_duration *length, int64_t *ret_ms, struct err *reterr)
{
    *ret_ms = 0;
    if (!length)
        return 0;
    if (length->kind != DURATION_NUMBER || length->seconds < 0)
        return err_set(
            reterr, -EINVAL,
            "it reads for a reckoned length of time, or ahead of it: its samples can't be copied");
    *ret_ms = (int64_t)(length->seconds * 1000);
    return 0;
}

static int go_back(const struct promql_duration *range,
                   const struct promql_when *when,
                   struct around *around,
                   struct err *reterr)
{
    int64_t range_ms = 0;
    int64_t offset_ms = 0;

    if (when->at != AT_NONE)
        return err_set(
            reterr, -EINVAL,
            "it reads at a fixed time (@): its samples can't be copied for an evaluation");
    int r = read_length(range, &range_ms, reterr);
    if (r == 0)
        r = read_length(when->offset, &offset_ms, reterr);
    around->back_ms += range_ms + offset_ms;
    around->range_ms += range_ms;
    return r;
}

static int add_input(const struct walk *walk,
                     const struct promql_selector *selector,
                     const struct around *around,
                     const char *text)
{
    struct inputs *inputs = walk->inputs;
    size_t at = 0;

    while (at < inputs->n && strcmp(inputs->at[at].text, text) != 0)
        at++;
    if (at == INPUTS_MAX)
        return err_set(walk->reterr, -E2BIG, "it reads more than %d kinds of series", INPUTS_MAX);
    struct input *input = &inputs->at[at];
    if (at == inputs->n) {
        *input = (struct input){.matchers = selector->matchers, .n_matchers = selector->n_matchers};
        input->text = arena_strndup(walk->arena, text, strlen(text));
        if (!input->text)
            return err_set(walk->reterr, -ENOMEM, "the expression is too long");
        inputs->n++;
    }
    if (input->back_ms < around->back_ms)
        input->back_ms = around->back_ms;
    if (input->range_ms < around->range_ms)
        input->range_ms = around->range_ms;
    input->is_counter |= around->is_counter;
    return 0;
}

static int on_selector(const struct walk *walk,
                       const struct promql_expr *expr,
                       const struct around *around)
{
    STR_AUTO struct str text = STR_INIT(PROMQL_TEXT_MAX);
    struct promql_expr plain = *expr;

    plain.selector.range = NULL;
    plain.selector.when = (struct promql_when){0};
    promql_print(&plain, &text);
    return add_input(walk, &expr->selector, around, str_text(&text));
}

static bool is_of_counter(const struct promql_expr *expr)
{
    static const char *const names[] = {"rate", "irate", "increase"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(expr->call.fn->name, names[i]) == 0)
            return true;
    return false;
}

static int walk_expr(const struct walk *walk,
                     const struct promql_expr *expr,
                     const struct around *above)
{
    struct around around = *above;
    struct promql_expr *child;
    int r = 0;

    if (expr->kind == PROMQL_SELECTOR)
        r = go_back(expr->selector.range, &expr->selector.when, &around, walk->reterr);
    else if (expr->kind == PROMQL_SUBQUERY)
        r = go_back(expr->subquery.range, &expr->subquery.when, &around, walk->reterr);
    else if (expr->kind == PROMQL_CALL)
        around.is_counter |= is_of_counter(expr);
    if (r == 0 && expr->kind == PROMQL_SELECTOR)
        r = on_selector(walk, expr, &around);
    for (size_t i = 0; r == 0 && (child = expr_child(expr, i)) != NULL; i++)
        r = walk_expr(walk, child, &around);
    return r;
}

int inputs_of(const struct promql_expr *expr,
              struct arena *arena,
              struct inputs *ret,
              struct err *reterr)
{
    const struct around around = {0};
    struct inputs inputs = {.n = 0};
    const struct walk walk = {arena, &inputs, reterr};
    int r = walk_expr(&walk, expr, &around);

    if (r == 0)
        *ret = inputs;
    return r;
}

/* --- copies --- */

bool input_is_like(const struct labels *series, const struct labels *like)
{
    for (size_t i = 0; like && i < like->n; i++) {
        const char *value = labels_get(series, like->at[i].name);
        if (value && strcmp(like->at[i].name, LABEL_NAME) != 0 &&
            strcmp(value, like->at[i].value) != 0)
            return false;
    }
    return true;
}

static int copy_input(const struct source *source,
                      const struct source_query *query,
                      const struct labels *like,
                      size_t *inout_left,
                      struct memory_source *copy,
                      struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct source_selection selection = {0};
    struct source_columns columns = {0};

    arena_init(&arena, COPY_BYTES_MAX);
    int r = source->select(source->self, query, &arena, &selection, reterr);
    for (size_t i = 0; r == 0 && i < selection.n; i++) {
        const struct source_match *match = &selection.matches[i];
        if (!input_is_like(match->labels, like))
            continue;
        r = source->read(source->self, query, match, &arena, &columns, reterr);
        if (r != 0 || columns.n == 0 || columns.kind != SAMPLE_FLOAT)
            continue;
        if (columns.n > *inout_left)
            return err_set(
                reterr, -E2BIG,
                "it reads more than %d samples at once: ask for fewer series, or for a shorter time",
                INPUT_SAMPLES_MAX);
        *inout_left -= columns.n;
        const struct labels *labels = labels_new(match->labels->at, match->labels->n);
        for (size_t k = 0; k < columns.n; k++)
            memory_source_add(copy, labels, columns.t_ms[k], columns.values[k]);
        labels_unref(labels);
    }
    return r;
}

int inputs_copy(const struct inputs *inputs,
                const struct source *source,
                int64_t from_ms,
                int64_t to_ms,
                const struct labels *like,
                struct memory_source *copy,
                struct err *reterr)
{
    size_t left = INPUT_SAMPLES_MAX;
    int64_t back_ms = 0;

    /* All as far back: two selectors of the same series must not cut each other short. */
    for (size_t i = 0; i < inputs->n; i++)
        if (inputs->at[i].back_ms > back_ms)
            back_ms = inputs->at[i].back_ms;
    for (size_t i = 0; i < inputs->n; i++) {
        const struct source_query query = {.matchers = inputs->at[i].matchers,
                                           .n_matchers = inputs->at[i].n_matchers,
                                           .from_ms = from_ms - back_ms - LINGER_MS,
                                           .to_ms = to_ms};
        int r = copy_input(source, &query, like, &left, copy, reterr);
        if (r != 0)
            return r;
    }
    return 0;
}
