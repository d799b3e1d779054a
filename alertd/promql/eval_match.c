/*
 * Arithmetic and comparison of two vectors: series find each other by their labels.
 *
 * Series of both sides are put into groups of equal matching labels once, for all
 * steps. Within a group, at each step, the "one" side may have one point at most; every
 * point of the "many" side meets it (one-to-one: there may be only one as well).
 *
 *     left group {job="a"}: L1, L2        right group {job="a"}: R1, R2
 *     step 0:  L1 . R1  -> result(L1, R1)     step 1:  L2 . R2  -> result(L2, R2)
 *
 * A result column belongs to a pair (many, one), because its labels may come from both;
 * pairs whose results are called the same are merged at the end.
 */

#include <string.h>

#include "alertd/promql/eval.h"
#include "lib/model/quote.h"

/* Columns of one side, linked by group. */
struct side {
    const struct value *value;
    size_t *first; /* of each group: index of a column; SIZE_MAX: none */
    size_t *next;  /* of each column: the next in its group */
};

struct match {
    struct eval *eval;
    const struct promql_expr *expr;
    struct label_filter filter;
    struct groups groups;
    struct side many, one;
    bool swapped;     /* the many side is the right one */
    bool *any_many;   /* by step: the many side is not empty */
    double **results; /* of the current group: by many column, then one column; NULL: none yet */
    struct value *out;
    size_t out_capacity;
};

static int link_side(struct match *match, struct value *value, struct side *ret)
{
    struct eval *eval = match->eval;
    struct side side = {.value = value};

    side.first = arena_array(eval->arena, match->groups.capacity + 1, sizeof(*side.first));
    side.next = arena_array(eval->arena, value->n + 1, sizeof(*side.next));
    if (!side.first || !side.next)
        return eval_out_of_memory(eval);
    for (size_t i = 0; i < match->groups.capacity; i++)
        side.first[i] = SIZE_MAX;
    for (size_t i = value->n; i-- > 0;) { /* backwards: the lists come out in order */
        size_t group = groups_put(&match->groups, &value->columns[i]);

        side.next[i] = side.first[group];
        side.first[group] = i;
    }
    *ret = side;
    return 0;
}

/* --- Names of results --------------------------------------------------------------------- */

static bool drops_name(const struct promql_expr *expr)
{
    return !operator_is_comparison(expr->binary.op) || expr->binary.return_bool;
}

/* `ignoring` takes its labels away; the metric's name goes by drops_name() alone. */
static const struct labels *without(struct eval *eval,
                                    const struct promql_names *names,
                                    const struct column *column)
{
    struct label *gone = arena_array(eval->arena, names->n, sizeof(*gone));

    for (size_t i = 0; gone && i < names->n; i++)
        gone[i] = (struct label){names->at[i], ""};
    return gone ? column_relabel(eval, column, gone, names->n) : NULL;
}

static const struct labels *with_included(struct eval *eval,
                                          const struct promql_names *names,
                                          const struct column *many,
                                          const struct column *one)
{
    struct label *taken = arena_array(eval->arena, names->n, sizeof(*taken));

    for (size_t i = 0; taken && i < names->n; i++)
        taken[i] = (struct label){names->at[i], column_label(one, names->at[i])};
    return taken ? column_relabel(eval, many, taken, names->n) : NULL;
}

/* The labels of a pair's result: the many side's, with the included ones of the one side. */
static int result_labels(const struct match *match,
                         const struct column *many,
                         const struct column *one,
                         struct column *ret)
{
    struct eval *eval = match->eval;
    const struct promql_matching *matching = &match->expr->binary.matching;
    struct column made = *many;

    made.nameless = many->nameless || drops_name(match->expr);
    if (matching->card != CARD_ONE_TO_ONE && matching->include.n) {
        made.labels = with_included(eval, &matching->include, &made, one);
        /* relabelling took it; a name included is meant, but bool takes that, too */
        made.nameless = match->expr->binary.return_bool;
    } else if (matching->card == CARD_ONE_TO_ONE && matching->on) {
        made.labels = filter_labels(eval, &match->filter, &made);
    } else if (matching->card == CARD_ONE_TO_ONE && matching->labels.n) {
        made.labels = without(eval, &matching->labels, &made);
    }
    if (!made.labels)
        return eval_out_of_memory(eval);
    *ret = made;
    return 0;
}

static int result_column(const struct match *match, size_t many, size_t one, double **ret_values)
{
    struct column column = {0};
    int r = result_labels(match, &match->many.value->columns[many], &match->one.value->columns[one],
                          &column);

    if (r)
        return r;
    *ret_values = vector_add(match->eval, match->out, column.labels, column.nameless);
    return *ret_values ? 0 : eval_out_of_memory(match->eval);
}

/* --- Values --------------------------------------------------------------------------------- */

/* The result of a pair at a step, a hole when a filter drops it. */
static double pair_value(const struct match *match, double many, double one)
{
    enum promql_operator op = match->expr->binary.op;
    double left = match->swapped ? one : many;
    double right = match->swapped ? many : one;
    double result = operator_apply(op, left, right);

    if (!operator_is_comparison(op) || match->expr->binary.return_bool)
        return result;
    return result != 0 ? left : sample_stale();
}

static const char *side_words(const struct match *match, bool many)
{
    return many == match->swapped ? "right" : "left";
}

/* `{__name__="up", job="a"}`: in these words the name is a label like the others. */
static int print_column(struct eval *eval,
                        const struct label_filter *filter,
                        const struct column *column,
                        struct str *out)
{
    const struct labels *labels = filter_labels(eval, filter, column);

    if (!labels)
        return eval_out_of_memory(eval);
    str_addc(out, '{');
    for (uint32_t i = 0; i < labels->n; i++) {
        str_addf(out, "%s%s=", i ? ", " : "", labels->at[i].name);
        quote_add(out, labels->at[i].value, strlen(labels->at[i].value));
    }
    str_addc(out, '}');
    return 0;
}

/* The words Prometheus uses, with the two series that clash. */
static int duplicate_on_one_side(const struct match *match, size_t a, size_t b)
{
    static const struct label_filter all = {.choice = LABELS_ALL};
    const struct column *columns = match->one.value->columns;
    struct eval *eval = match->eval;
    STR_AUTO struct str group = STR_INIT(1000);
    STR_AUTO struct str first = STR_INIT(1000);
    STR_AUTO struct str second = STR_INIT(1000);
    int r = print_column(eval, &match->filter, &columns[a], &group);

    if (!r)
        r = print_column(eval, &all, &columns[a], &first);
    if (!r)
        r = print_column(eval, &all, &columns[b], &second);
    if (r)
        return r;
    return EVAL_FAILED(eval,
                       "found duplicate series for the match group %s on the %s hand-side of the "
                       "operation: [%s, %s];many-to-many matching not allowed: matching labels "
                       "must be unique on one side",
                       str_text(&group), side_words(match, false), str_text(&second),
                       str_text(&first));
}

/* The column of the one side with a point at this step; SIZE_MAX: none. */
static int one_at(const struct match *match, size_t group, size_t step, size_t *ret_one)
{
    size_t found = SIZE_MAX;

    for (size_t i = match->one.first[group]; i != SIZE_MAX; i = match->one.next[i]) {
        if (is_hole(match->one.value->columns[i].values[step]))
            continue;
        if (found != SIZE_MAX)
            return duplicate_on_one_side(match, found, i);
        found = i;
    }
    *ret_one = found;
    return 0;
}

static int too_many(const struct match *match)
{
    if (match->expr->binary.matching.card == CARD_ONE_TO_ONE)
        return EVAL_FAILED(match->eval, "multiple matches for labels: many-to-one matching must be "
                                        "explicit (group_left/group_right)");
    return EVAL_FAILED(match->eval, "multiple matches for labels: grouping labels must ensure "
                                    "unique matches");
}

/* One column on each side: the common case, a loop over two arrays. */
static int match_pair(struct match *match, size_t many, size_t one)
{
    const double *of_many = match->many.value->columns[many].values;
    const double *of_one = match->one.value->columns[one].values;
    double *out = NULL;
    int r = result_column(match, many, one, &out);

    if (r)
        return r;
    for (size_t i = 0; i < match->eval->grid.n; i++)
        if (!is_hole(of_many[i]) && !is_hole(of_one[i]))
            out[i] = pair_value(match, of_many[i], of_one[i]);
    return 0;
}

/* A step of a group with several columns; results holds a result per (many, one). */
static int match_step(struct match *match, size_t group, size_t step, size_t n_one)
{
    const struct match *m = match;
    bool matched = false;
    size_t one = SIZE_MAX;
    size_t row = 0;
    int r = m->any_many[step] ? one_at(match, group, step, &one) : 0;

    if (r || one == SIZE_MAX)
        return r;
    size_t place = 0; /* of `one` in its list */
    for (size_t i = m->one.first[group]; i != one; i = m->one.next[i])
        place++;
    for (size_t i = m->many.first[group]; i != SIZE_MAX; i = m->many.next[i], row++) {
        double many = m->many.value->columns[i].values[step];
        double value = is_hole(many)
                           ? many
                           : pair_value(match, many, m->one.value->columns[one].values[step]);

        if (is_hole(value))
            continue;
        if (matched && m->expr->binary.matching.card == CARD_ONE_TO_ONE)
            return too_many(match);
        matched = true;
        double **out = &m->results[row * n_one + place];
        r = *out ? 0 : result_column(match, i, one, out);
        if (r)
            return r;
        (*out)[step] = value;
    }
    return 0;
}

static size_t list_length(const struct side *side, size_t group)
{
    size_t n = 0;

    for (size_t i = side->first[group]; i != SIZE_MAX; i = side->next[i])
        n++;
    return n;
}

/* Room for the results of a group: its columns are added as they get their first point. */
static int make_room(struct match *match, size_t n_results)
{
    struct eval *eval = match->eval;
    struct value *out = match->out;

    if (out->n + n_results <= match->out_capacity)
        return 0;
    match->out_capacity = 2 * (out->n + n_results);
    struct column *columns = arena_array(eval->arena, match->out_capacity, sizeof(*columns));
    if (!columns)
        return eval_out_of_memory(eval);
    memcpy(columns, out->columns, out->n * sizeof(*columns));
    out->columns = columns;
    return 0;
}

static int match_group(struct match *match, size_t group)
{
    size_t n_many = list_length(&match->many, group);
    size_t n_one = list_length(&match->one, group);
    int r = eval_tick(match->eval);

    if (r || !n_one || (!n_many && n_one == 1))
        return r;
    r = make_room(match, n_many * n_one);
    if (n_one == 1 && (n_many == 1 || match->expr->binary.matching.card != CARD_ONE_TO_ONE)) {
        for (size_t i = match->many.first[group]; !r && i != SIZE_MAX; i = match->many.next[i])
            r = match_pair(match, i, match->one.first[group]);
        return r;
    }
    match->results = arena_array(match->eval->arena, n_many * n_one + 1, sizeof(double *));
    if (!r && !match->results)
        r = eval_out_of_memory(match->eval);
    for (size_t step = 0; !r && step < match->eval->grid.n; step++)
        r = match_step(match, group, step, n_one);
    return r;
}

/* Two series alike on the one side are an error only where there is anything to match. */
static int note_presence(struct match *match)
{
    size_t n = match->eval->grid.n;

    match->any_many = arena_array(match->eval->arena, n, sizeof(*match->any_many));
    if (!match->any_many)
        return eval_out_of_memory(match->eval);
    for (size_t i = 0; i < match->many.value->n; i++)
        for (size_t step = 0; step < n; step++)
            match->any_many[step] |= !is_hole(match->many.value->columns[i].values[step]);
    return 0;
}

int eval_match(struct eval *eval,
               const struct promql_expr *expr,
               struct value *left,
               struct value *right,
               struct value *ret_value)
{
    const struct promql_matching *matching = &expr->binary.matching;
    struct value out;
    struct match match = {.eval = eval,
                          .expr = expr,
                          .filter = matching_filter(matching),
                          .swapped = matching->card == CARD_ONE_TO_MANY,
                          .out = &out};
    int r = groups_init(eval, &match.filter, left->n + right->n, &match.groups);

    if (!r)
        r = link_side(&match, match.swapped ? right : left, &match.many);
    if (!r)
        r = link_side(&match, match.swapped ? left : right, &match.one);
    if (!r)
        r = vector_new(eval, 0, &out);
    if (!r)
        r = note_presence(&match);
    for (size_t group = 0; !r && group < match.groups.n; group++)
        r = match_group(&match, group);
    if (r)
        return r;
    vector_drop_empty(eval, &out);
    out.one_name = match.many.value->one_name;
    r = vector_merge(eval, &out, false);
    if (r == PROMQL_E_EVAL && matching->card != CARD_ONE_TO_ONE)
        r = too_many(&match);
    if (!r)
        *ret_value = out;
    return r;
}
