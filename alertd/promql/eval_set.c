/*
 * and, or, unless: which series stay, decided per step by what is there on the other
 * side under the same labels.
 */

#include "alertd/promql/eval.h"

struct label_filter matching_filter(const struct promql_matching *matching)
{
    return (struct label_filter){matching->on ? LABELS_ONLY : LABELS_WITHOUT, matching->labels.at,
                                 matching->labels.n};
}

/* For each group of `of`: a 1 at the steps where one of its columns has a point. */
static int presence(struct eval *eval,
                    struct groups *groups,
                    const struct value *of,
                    unsigned char **ret_present)
{
    size_t n = eval->grid.n;
    unsigned char *present = arena_array(eval->arena, of->n ? of->n : 1, n);

    if (!present)
        return eval_out_of_memory(eval);
    for (size_t i = 0; i < of->n; i++) {
        unsigned char *row = present + groups_put(groups, &of->columns[i]) * n;

        for (size_t j = 0; j < n; j++)
            row[j] |= !is_hole(of->columns[i].values[j]);
    }
    *ret_present = present;
    return 0;
}

/* Keeps the points of `value` where the other side is (or is not) present. */
static void keep_where(struct eval *eval,
                       const struct groups *groups,
                       const unsigned char *present,
                       bool wanted,
                       struct value *value)
{
    size_t n = eval->grid.n;

    for (size_t i = 0; i < value->n; i++) {
        size_t group = groups_find(groups, &value->columns[i]);
        const unsigned char *row = group == SIZE_MAX ? NULL : present + group * n;

        for (size_t j = 0; j < n; j++)
            if ((row && row[j]) != wanted)
                value->columns[i].values[j] = sample_stale();
    }
    vector_drop_empty(eval, value);
}

static int join(struct eval *eval,
                const struct value *left,
                const struct value *right,
                struct value *ret)
{
    struct value made;
    int r = vector_new(eval, left->n + right->n, &made);

    if (r)
        return r;
    for (size_t i = 0; i < left->n; i++)
        made.columns[made.n++] = left->columns[i];
    for (size_t i = 0; i < right->n; i++)
        made.columns[made.n++] = right->columns[i];
    r = left->n && right->n ? vector_merge(eval, &made, false) : 0;
    if (r)
        return r;
    made.one_name = (left->one_name && !right->n) || (right->one_name && !left->n);
    *ret = made;
    return 0;
}

int eval_set(struct eval *eval,
             const struct promql_expr *expr,
             struct value *left,
             struct value *right,
             struct value *ret_value)
{
    struct label_filter filter = matching_filter(&expr->binary.matching);
    bool is_or = expr->binary.op == OPERATOR_OR;
    struct value *asked = is_or ? left : right;
    struct value *filtered = is_or ? right : left;
    unsigned char *present = NULL;
    struct groups groups;
    int r = groups_init(eval, &filter, asked->n, &groups);

    if (!r)
        r = presence(eval, &groups, asked, &present);
    if (r)
        return r;
    keep_where(eval, &groups, present, expr->binary.op == OPERATOR_AND, filtered);
    if (is_or)
        return join(eval, left, right, ret_value);
    *ret_value = *left;
    return 0;
}
