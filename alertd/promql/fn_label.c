/*
 * Functions of labels: label_replace, label_join, absent.
 */

#include <string.h>

#include "alertd/promql/eval.h"
#include "alertd/promql/fn_body.h"
#include "lib/regex/regex.h"

enum {
    LABEL_VALUE_MAX = 64 * 1024
};

/* Sets one label of a column; a name that is set is no longer gone. */
static int set_label(struct eval *eval, struct column *column, const char *name, const char *value)
{
    const struct labels *labels = column_relabel(eval, column, &(struct label){name, value}, 1);

    if (!labels)
        return eval_out_of_memory(eval);
    column->labels = labels;
    column->nameless = false;
    return 0;
}

static void free_regex(void *regex)
{
    regex_free(regex);
}

struct replacement {
    const struct regex *regex;
    const char *to, *with, *from;
};

static int replace_one(struct eval *eval,
                       const struct replacement *replacement,
                       struct column *column)
{
    STR_AUTO struct str made = STR_INIT(LABEL_VALUE_MAX);

    if (!regex_expand(replacement->regex, column_label(column, replacement->from),
                      replacement->with, &made))
        return 0;
    if (made.full)
        return EVAL_FAILED(eval, "label_replace() made a value longer than %d bytes",
                           LABEL_VALUE_MAX);
    return set_label(eval, column, replacement->to, str_text(&made));
}

int eval_label_replace(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    struct replacement replacement = {.to = eval_string_arg(call, 1),
                                      .with = eval_string_arg(call, 2),
                                      .from = eval_string_arg(call, 3)};
    const char *pattern = eval_string_arg(call, 4);
    struct regex *regex = NULL;

    if (regex_new(pattern, &regex, NULL))
        return EVAL_FAILED(eval, "invalid regular expression in label_replace(): %s", pattern);
    if (!arena_on_reset(eval->arena, free_regex, regex)) {
        regex_free(regex);
        return eval_out_of_memory(eval);
    }
    if (!replacement.to[0] || !labels_text_ok(replacement.to, strlen(replacement.to)))
        return EVAL_FAILED(eval, "invalid destination label name in label_replace(): %s",
                           replacement.to);
    replacement.regex = regex;
    int r = eval_vector_arg(eval, call, 0, ret_value);
    if (r)
        return r;
    for (size_t i = 0; !r && i < ret_value->n; i++)
        r = replace_one(eval, &replacement, &ret_value->columns[i]);
    ret_value->one_name = ret_value->one_name && strcmp(replacement.to, LABEL_NAME) != 0;
    return r ? r : vector_merge(eval, ret_value, true);
}

static int join_one(struct eval *eval,
                    const struct promql_expr *call,
                    const char *to,
                    struct column *column)
{
    STR_AUTO struct str made = STR_INIT(LABEL_VALUE_MAX);
    const char *separator = eval_string_arg(call, 2);

    for (size_t i = 3; i < call->call.n_args; i++) {
        str_add(&made, i > 3 ? separator : "");
        str_add(&made, column_label(column, eval_string_arg(call, i)));
    }
    if (made.full)
        return EVAL_FAILED(eval, "label_join() made a value longer than %d bytes", LABEL_VALUE_MAX);
    return set_label(eval, column, to, str_text(&made));
}

int eval_label_join(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    const char *to = eval_string_arg(call, 1);

    for (size_t i = 3; i < call->call.n_args; i++) {
        const char *from = eval_string_arg(call, i);

        if (!from[0] || !labels_text_ok(from, strlen(from)))
            return EVAL_FAILED(eval, "invalid source label name in label_join(): %s", from);
    }
    if (!to[0] || !labels_text_ok(to, strlen(to)))
        return EVAL_FAILED(eval, "invalid destination label name in label_join(): %s", to);
    int r = eval_vector_arg(eval, call, 0, ret_value);
    if (r)
        return r;
    for (size_t i = 0; !r && i < ret_value->n; i++)
        r = join_one(eval, call, to, &ret_value->columns[i]);
    ret_value->one_name = ret_value->one_name && strcmp(to, LABEL_NAME) != 0;
    return r ? r : vector_merge(eval, ret_value, true);
}

/* --- absent ----------------------------------------------------------------------------------- */

/* A label that is set stays set until anything else is said of it. */
static size_t without_label(struct label *pairs, size_t n, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (strcmp(pairs[i].name, name) != 0)
            pairs[kept++] = pairs[i];
    return kept;
}

static bool was_pinned(const struct promql_selector *selector, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (selector->matchers[i].type == MATCHER_EQUAL &&
            strcmp(selector->matchers[i].name, name) == 0)
            return true;
    return false;
}

/* What the missing series would have been called, as far as the selector pins it down. */
static const struct labels *absent_labels(struct eval *eval, const struct promql_expr *arg)
{
    const struct promql_selector *selector = &arg->selector;
    size_t n = 0;

    if (arg->kind != PROMQL_SELECTOR)
        return labels_empty();
    struct label *pairs = arena_array(eval->arena, selector->n_matchers + 1, sizeof(*pairs));
    if (!pairs)
        return NULL;
    for (size_t i = 0; i < selector->n_matchers; i++) {
        const struct matcher *matcher = &selector->matchers[i];

        if (strcmp(matcher->name, LABEL_NAME) == 0)
            continue;
        if (matcher->type == MATCHER_EQUAL && !was_pinned(selector, i, matcher->name))
            pairs[n++] = (struct label){matcher->name, matcher->value};
        else
            n = without_label(pairs, n, matcher->name);
    }
    return labels_in_arena(eval->arena, pairs, n);
}

int absent_of(struct eval *eval,
              const struct promql_expr *call,
              const struct value *of,
              struct value *ret_value)
{
    const struct labels *labels = absent_labels(eval, expr_unwrap(call->call.args[0]));
    struct value made;
    int r = labels ? vector_new(eval, 1, &made) : eval_out_of_memory(eval);

    if (r)
        return r;
    double *values = vector_add(eval, &made, labels, false);
    if (!values)
        return eval_out_of_memory(eval);
    for (size_t i = 0; i < eval->grid.n; i++) {
        bool any = false;

        for (size_t j = 0; !any && j < of->n; j++)
            any = !is_hole(of->columns[j].values[i]);
        if (!any)
            values[i] = 1;
    }
    made.one_name = true;
    vector_drop_empty(eval, &made);
    *ret_value = made;
    return 0;
}

int eval_absent(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    struct value of;
    int r = eval_vector_arg(eval, call, 0, &of);

    return r ? r : absent_of(eval, call, &of, ret_value);
}
