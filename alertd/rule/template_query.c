/*
 * Functions that look at samples: query and what picks from its result. A sample is a
 * record {Labels, Value}.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/rule/template_private.h"

static const char *const sample_fields[] = {"Labels", "Value"};

static int make_samples(struct tmpl_run *run,
                        const struct rule_template_sample *samples,
                        size_t n,
                        struct value *ret_value)
{
    struct value *items = arena_array(run->arena, n ? n : 1, sizeof(*items));
    struct value *fields = arena_array(run->arena, n ? n : 1, 2 * sizeof(*fields));

    if (!items || !fields)
        return tmpl_fail_memory(run);
    for (size_t i = 0; i < n; i++) {
        fields[2 * i] = value_labels(samples[i].labels);
        fields[2 * i + 1] = value_float(samples[i].value);
        items[i] = (struct value){
            .kind = VALUE_RECORD, .items = &fields[2 * i], .names = sample_fields, .n = 2};
    }
    *ret_value = (struct value){.kind = VALUE_LIST, .items = items, .n = n};
    return 0;
}

static int fn_query(struct tmpl_run *run,
                    const struct value *args,
                    size_t n,
                    struct value *ret_value)
{
    const struct rule_template_data *data = run->data;
    struct rule_template_sample *samples = NULL;
    struct err err = {0};
    const char *expr;
    size_t n_samples = 0;
    int r = tmpl_need_text(run, &args[0], &expr);

    if (r)
        return r;
    if (!data->query)
        return tmpl_fail(run, "query: there are no samples to ask here");
    run->n_steps += TMPL_STEPS_MAX / 100; /* a hundred queries are enough for one text */
    if (data->query(data->arg, expr, run->arena, &samples, &n_samples, &err))
        return tmpl_fail(run, "query: %s", err.text);
    return make_samples(run, samples, n_samples, ret_value);
}

static int need_sample(struct tmpl_run *run,
                       const struct value *value,
                       const struct labels **ret_labels,
                       double *ret_value)
{
    if (value->kind != VALUE_RECORD || value->names != sample_fields)
        return tmpl_fail(run, "wrong type for value: expected a sample, got %s",
                         value_type_name(value));
    *ret_labels = value->items[0].labels;
    *ret_value = value->items[1].real;
    return 0;
}

static int fn_first(struct tmpl_run *run,
                    const struct value *args,
                    size_t n,
                    struct value *ret_value)
{
    if (args[0].kind != VALUE_LIST)
        return tmpl_fail(run, "first: expected the result of a query, got %s",
                         value_type_name(&args[0]));
    if (args[0].n == 0)
        return tmpl_fail(run, "first() called on vector with no elements");
    *ret_value = args[0].items[0];
    return 0;
}

static int fn_value(struct tmpl_run *run,
                    const struct value *args,
                    size_t n,
                    struct value *ret_value)
{
    const struct labels *labels;
    double real = 0;
    int r = need_sample(run, &args[0], &labels, &real);

    *ret_value = value_float(real);
    return r;
}

static int label_of(struct tmpl_run *run,
                    const char *name,
                    const struct value *sample,
                    struct value *ret_value)
{
    const struct labels *labels = NULL;
    double real;
    int r = need_sample(run, sample, &labels, &real);

    if (r)
        return r;
    const char *text = labels_get(labels, name);
    *ret_value = value_text(text ? text : "");
    return 0;
}

/* label "job" sample */
static int fn_label(struct tmpl_run *run,
                    const struct value *args,
                    size_t n,
                    struct value *ret_value)
{
    const char *name;
    int r = tmpl_need_text(run, &args[0], &name);

    return r ? r : label_of(run, name, &args[1], ret_value);
}

static int fn_strvalue(struct tmpl_run *run,
                       const struct value *args,
                       size_t n,
                       struct value *ret_value)
{
    return label_of(run, "__value__", &args[0], ret_value);
}

/* A stable sort by one label's value: insertion, results in a text are short; beyond the
 * steps left it is refused. */
static int fn_sort_by_label(struct tmpl_run *run,
                            const struct value *args,
                            size_t n,
                            struct value *ret_value)
{
    const struct value *list = &args[1];
    const char *name;
    int r = tmpl_need_text(run, &args[0], &name);

    if (r)
        return r;
    if (list->kind != VALUE_LIST)
        return tmpl_fail(run, "sortByLabel: expected the result of a query, got %s",
                         value_type_name(list));
    if (list->n > 1000)
        return tmpl_fail(run, "sortByLabel: more than 1000 samples");
    struct value *sorted = arena_array(run->arena, list->n ? list->n : 1, sizeof(*sorted));
    struct value key = {0}, other = {0};
    if (!sorted)
        return tmpl_fail_memory(run);
    for (size_t i = 0; i < list->n; i++) {
        size_t at = i;

        r = label_of(run, name, &list->items[i], &key);
        for (; at > 0 && !r; at--) {
            r = label_of(run, name, &sorted[at - 1], &other);
            if (r || strcmp(other.text, key.text) <= 0)
                break;
            sorted[at] = sorted[at - 1];
        }
        if (r)
            return r;
        sorted[at] = list->items[i];
    }
    *ret_value = (struct value){.kind = VALUE_LIST, .items = sorted, .n = list->n};
    return 0;
}

/* args 1 "2": a map with arg0, arg1 ... for a template. */
static int fn_args(struct tmpl_run *run,
                   const struct value *args,
                   size_t n,
                   struct value *ret_value)
{
    struct value *items = arena_array(run->arena, n ? n : 1, sizeof(*items));
    const char **names = arena_array(run->arena, n ? n : 1, sizeof(*names));

    if (!items || !names)
        return tmpl_fail_memory(run);
    for (size_t i = 0; i < n; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "arg%zu", i);
        items[i] = args[i];
        names[i] = arena_strndup(run->arena, name, strlen(name));
        if (!names[i])
            return tmpl_fail_memory(run);
    }
    *ret_value = (struct value){.kind = VALUE_MAP, .items = items, .names = names, .n = n};
    return 0;
}

/* tmpl $name dot: a defined template whose name is computed. */
static int fn_tmpl(struct tmpl_run *run,
                   const struct value *args,
                   size_t n,
                   struct value *ret_value)
{
    struct str made = STR_INIT(TMPL_OUTPUT_MAX);
    struct str *outer = run->out;
    const char *name;
    int r = tmpl_need_text(run, &args[0], &name);

    if (r)
        return r;
    run->out = &made;
    r = tmpl_run_named(run, name, &args[1]);
    run->out = outer;
    if (r) {
        str_done(&made);
        return r;
    }
    return tmpl_give_text(run, &made, ret_value);
}

const struct tmpl_fn rule_template_query_fns[] = {
    {"query", 1, 1, fn_query, false},
    {"first", 1, 1, fn_first, false},
    {"value", 1, 1, fn_value, false},
    {"label", 2, 2, fn_label, false},
    {"strvalue", 1, 1, fn_strvalue, false},
    {"sortByLabel", 2, 2, fn_sort_by_label, false},
    {"args", 0, 64, fn_args, false},
    {"tmpl", 2, 2, fn_tmpl, false},
    {0},
};
