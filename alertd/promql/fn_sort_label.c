/*
 * sort_by_label, sort_by_label_desc: an instant vector by the values of labels, numbers
 * within them as numbers ("node2" before "node10"); what they leave equal, by all labels.
 */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/eval.h"
#include "alertd/promql/fn_body.h"

/* What a column is sorted by: qsort() has no argument for the call. */
struct sorted {
    struct column column;
    const struct labels *labels; /* without the name that is gone */
    const struct promql_expr *call;
    bool descending;
};

/* A run of digits, or of anything else. */
static size_t run_length(const char *text)
{
    bool digits = isdigit((unsigned char)text[0]) != 0;
    size_t n = 0;

    while (text[n] && (isdigit((unsigned char)text[n]) != 0) == digits)
        n++;
    return n;
}

static bool run_number(const char *text, size_t len, long long *ret)
{
    char digits[24];

    if (!isdigit((unsigned char)text[0]) || len >= sizeof(digits))
        return false;
    memcpy(digits, text, len);
    digits[len] = '\0';
    errno = 0;
    *ret = strtoll(digits, NULL, 10);
    return errno == 0;
}

static int compare_runs(const char *a, size_t len_a, const char *b, size_t len_b)
{
    long long number_a;
    long long number_b;

    if (run_number(a, len_a, &number_a) && run_number(b, len_b, &number_b))
        return (number_a > number_b) - (number_a < number_b);
    int order = memcmp(a, b, len_a < len_b ? len_a : len_b);
    return order ? order : (len_a > len_b) - (len_a < len_b);
}

/* Run by run; the text that ends first comes first. */
static int compare_naturally(const char *a, const char *b)
{
    while (*a && *b) {
        size_t len_a = run_length(a);
        size_t len_b = run_length(b);
        int order = compare_runs(a, len_a, b, len_b);

        if (order)
            return order;
        a += len_a;
        b += len_b;
    }
    return (*a != '\0') - (*b != '\0');
}

static int by_labels(const void *a, const void *b)
{
    const struct sorted *left = a;
    const struct sorted *right = b;
    int order = 0;

    for (size_t i = 1; !order && i < left->call->call.n_args; i++) {
        const char *name = eval_string_arg(left->call, i);

        order = compare_naturally(column_label(&left->column, name),
                                  column_label(&right->column, name));
    }
    if (!order)
        order = labels_compare(left->labels, right->labels);
    return left->descending ? -order : order;
}

static int sort_columns(struct eval *eval,
                        const struct promql_expr *call,
                        bool descending,
                        struct value *ret_value)
{
    static const struct label_filter all = {.choice = LABELS_ALL};
    int r = eval_vector_arg(eval, call, 0, ret_value);

    if (r || eval->grid.n != 1 || !ret_value->n)
        return r; /* a range query has no one order */
    struct sorted *sorted = arena_array(eval->arena, ret_value->n, sizeof(*sorted));
    for (size_t i = 0; sorted && i < ret_value->n; i++) {
        const struct column *column = &ret_value->columns[i];

        sorted[i] = (struct sorted){*column, filter_labels(eval, &all, column), call, descending};
        if (!sorted[i].labels)
            return eval_out_of_memory(eval);
    }
    if (!sorted)
        return eval_out_of_memory(eval);
    qsort(sorted, ret_value->n, sizeof(*sorted), by_labels);
    for (size_t i = 0; i < ret_value->n; i++)
        ret_value->columns[i] = sorted[i].column;
    return 0;
}

int eval_sort_by_label(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    return sort_columns(eval, call, false, ret_value);
}

int eval_sort_by_label_desc(struct eval *eval,
                            const struct promql_expr *call,
                            struct value *ret_value)
{
    return sort_columns(eval, call, true, ret_value);
}
