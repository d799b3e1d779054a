/*
 * One rule, at one instant. See rule_eval.h.
 */

#include "alertd/eval/rule_eval.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/eval/live_data.h"
#include "lib/base/arena.h"
#include "lib/base/mem.h"
#include "lib/model/sample.h"

enum {
    VALUE_BYTES_MAX = TMPL_OUTPUT_MAX
};

/* --- the query --- */

static int run_query(const struct rule_eval *eval,
                     const struct promql_expr *expr,
                     int64_t at_ms,
                     struct promql_memo *memo,
                     struct arena *arena,
                     struct promql_value *ret_value,
                     struct err *reterr)
{
    const struct promql_query query = {
        .start_ms = at_ms,
        .end_ms = at_ms,
        .limits = *eval->limits,
        .memo = memo,
        .told = eval->told,
    };

    return promql_eval(expr, eval->source, &query, arena, ret_value, reterr);
}

/* --- labels and annotations --- */

struct expansion {
    const struct rule_eval *eval;
    struct arena *arena; /* texts live as long as the evaluation */
    struct rule_template_data data;
    struct labels_builder *builder;
};

/* {{ query "..." }} in a template: at the slot itself, without the group's offset. */
static int template_query(void *arg,
                          const char *text,
                          struct arena *arena,
                          struct rule_template_sample **ret_samples,
                          size_t *ret_n,
                          struct err *reterr)
{
    const struct rule_eval *eval = ((const struct expansion *)arg)->eval;
    struct promql_expr *expr;
    struct promql_value value;
    int r = promql_parse(arena, text, &expr, reterr);

    if (r == 0)
        r = run_query(eval, expr, eval->now_ms, NULL, arena, &value, reterr);
    if (r)
        return r;
    if (value.type != PROMQL_VECTOR && value.type != PROMQL_SCALAR)
        return err_set(reterr, RULE_EVAL_E_FAILED, "query: expected a vector or a scalar");

    struct rule_template_sample *samples = arena_array(arena, value.n, sizeof(*samples));
    if (!samples)
        return err_set(reterr, RULE_EVAL_E_FAILED, "query: the result takes too much memory");
    for (size_t i = 0; i < value.n; i++)
        samples[i] = (struct rule_template_sample){value.series[i].labels,
                                                   value.series[i].values[0]};
    *ret_samples = samples;
    *ret_n = value.n;
    return 0;
}

/* Adds the expanded texts to the builder. A template that fails becomes its error's words:
 * a broken description must not stop a page. */
static int add_texts(const struct expansion *expansion,
                     const struct rule_text *texts,
                     size_t n,
                     struct err *reterr)
{
    STR_AUTO struct str out = STR_INIT(VALUE_BYTES_MAX);

    for (size_t i = 0; i < n; i++) {
        const char *value = texts[i].text;

        if (texts[i].template && !tmpl_is_plain(texts[i].template)) {
            str_cut(&out, 0);
            rule_template_expand_or_tell(texts[i].template, &expansion->data, &out);
            value = arena_strndup(expansion->arena, str_text(&out), out.len);
        }
        if (!value)
            return err_set(reterr, RULE_EVAL_E_FAILED,
                           "labels and annotations take too much memory");
        labels_builder_set(expansion->builder, texts[i].name, value);
    }
    return 0;
}

/* The expansion of one element of the result; `data` points back to it. */
static void expansion_init(struct expansion *expansion,
                           const struct rule_eval *eval,
                           const struct promql_series *element,
                           struct arena *arena)
{
    *expansion = (struct expansion){
        .eval = eval,
        .arena = arena,
        .data = {.labels = element->labels,
                 .external_labels = eval->external_labels,
                 .external_url = eval->external_url,
                 .value = element->values[0],
                 .now_ms = eval->now_ms,
                 .query = template_query,
                 .arg = expansion},
    };
}

/* --- alerting --- */

static int make_input(const struct rule_eval *eval,
                      const struct promql_series *element,
                      struct arena *arena,
                      struct alert_input *ret_input,
                      struct err *reterr)
{
    LABELS_BUILDER_AUTO struct labels_builder labels = LABELS_BUILDER_INIT;
    LABELS_BUILDER_AUTO struct labels_builder annotations = LABELS_BUILDER_INIT;
    const struct rule *rule = eval->rule;
    struct expansion expansion;

    expansion_init(&expansion, eval, element, arena);
    labels_builder_add_all(&labels, element->labels);
    labels_builder_delete(&labels, LABEL_NAME);
    expansion.builder = &labels;
    int r = add_texts(&expansion, rule->labels, rule->n_labels, reterr);
    labels_builder_set(&labels, "alertname", rule->name);
    expansion.builder = &annotations;
    if (r == 0)
        r = add_texts(&expansion, rule->annotations, rule->n_annotations, reterr);
    if (r)
        return r;
    *ret_input = (struct alert_input){
        .labels = labels_builder_finish(&labels),
        .annotations = labels_builder_finish(&annotations),
        .value = element->values[0],
    };
    return 0;
}

static int step_alerts(const struct rule_eval *eval,
                       const struct alert_input *inputs,
                       size_t n,
                       struct arena *arena,
                       struct rule_eval_result *result,
                       struct err *reterr)
{
    struct live_data data = {
        .expr = eval->rule->expr,
        .source = eval->source,
        .limits = eval->limits,
        .now_ms = eval->now_ms - eval->group->query_offset_ms,
        .arena = arena,
    };
    const struct alert_rule rule = {
        .id = eval->rule_id,
        .name = eval->rule->name,
        .group_name = eval->group->name,
        .expr = eval->rule->expr_text,
        .timing = {.for_ms = eval->rule->for_ms,
                   .keep_firing_for_ms = eval->rule->keep_firing_for_ms,
                   .no_data_hold_ms = eval->no_data_hold_ms},
        .limit = eval->group->limit,
    };
    const struct alert_step_options options = {
        .rule = &rule, .now_ms = eval->now_ms, .has_data = live_data_has, .arg = &data};
    int r = alert_set_step(eval->alerts, inputs, n, &options, &result->alerts, reterr);

    live_data_done(&data);
    if (r)
        return RULE_EVAL_E_FAILED;
    alert_series_add(eval->alerts, &result->alerts.after, &result->series);
    return 0;
}

static int eval_alerting(const struct rule_eval *eval,
                         const struct promql_value *value,
                         struct arena *arena,
                         struct rule_eval_result *result,
                         struct err *reterr)
{
    struct alert_input *inputs = mem_zalloc(value->n * sizeof(*inputs));
    size_t n = 0;
    int r = 0;

    while (r == 0 && n < value->n) {
        r = make_input(eval, &value->series[n], arena, &inputs[n], reterr);
        n += r == 0;
    }
    if (r == 0)
        r = step_alerts(eval, inputs, n, arena, result, reterr);
    for (size_t i = 0; i < n; i++) {
        labels_unref(inputs[i].labels);
        labels_unref(inputs[i].annotations);
    }
    free(inputs);
    return r;
}

/* --- recording --- */

static int by_hash(const void *a, const void *b)
{
    const struct labels *left = *(const struct labels *const *)a;
    const struct labels *right = *(const struct labels *const *)b;

    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    return labels_compare(left, right);
}

static bool has_output(const struct rule_output *output, const struct labels *labels)
{
    return output->n && bsearch(&labels, output->at, output->n, sizeof(*output->at), by_hash);
}

static const struct labels *recorded_labels(const struct rule *rule, const struct labels *element)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;

    labels_builder_add_all(&builder, element);
    for (size_t i = 0; i < rule->n_labels; i++)
        labels_builder_set(&builder, rule->labels[i].name, rule->labels[i].text);
    labels_builder_set(&builder, LABEL_NAME, rule->name);
    return labels_builder_finish(&builder);
}

static int refuse_duplicates(const struct rule_output *output, struct err *reterr)
{
    for (size_t i = 1; i < output->n; i++)
        if (labels_equal(output->at[i - 1], output->at[i]))
            return err_set(
                reterr, RULE_EVAL_E_FAILED,
                "vector contains metrics with the same labelset after applying rule labels");
    return 0;
}

static int eval_recording(const struct rule_eval *eval,
                          const struct promql_value *value,
                          struct rule_eval_result *result,
                          struct err *reterr)
{
    struct rule_output *output = &result->output;

    if (eval->group->limit && value->n > eval->group->limit)
        return err_set(reterr, RULE_EVAL_E_FAILED, "exceeded limit of %zu with %zu series",
                       eval->group->limit, value->n);
    output->at = mem_zalloc(value->n * sizeof(*output->at));
    for (size_t i = 0; i < value->n; i++) {
        const struct labels *labels = recorded_labels(eval->rule, value->series[i].labels);

        output->at[output->n++] = labels;
        alert_series_push(&result->series, labels_ref(labels), value->series[i].values[0]);
    }
    qsort(output->at, output->n, sizeof(*output->at), by_hash);
    int r = refuse_duplicates(output, reterr);

    for (size_t i = 0; r == 0 && i < eval->output->n; i++)
        if (!has_output(output, eval->output->at[i]))
            alert_series_push(&result->series, labels_ref(eval->output->at[i]), sample_stale());
    return r;
}

/* --- one rule --- */

static int eval_value(const struct rule_eval *eval,
                      const struct promql_value *value,
                      struct arena *arena,
                      struct rule_eval_result *result,
                      struct err *reterr)
{
    if (value->type != PROMQL_VECTOR && value->type != PROMQL_SCALAR)
        return err_set(reterr, RULE_EVAL_E_FAILED, "rule result is not a vector or scalar");
    if (value->n > RULE_EVAL_OUTPUT_MAX)
        return err_set(reterr, RULE_EVAL_E_FAILED,
                       "%zu elements, %d at most: narrow the expression", value->n,
                       RULE_EVAL_OUTPUT_MAX);
    result->n_samples = value->n_samples;
    result->n_series = value->n_series_read;
    result->n_results = value->n;
    return eval->rule->is_alert ? eval_alerting(eval, value, arena, result, reterr)
                                : eval_recording(eval, value, result, reterr);
}

int rule_eval(const struct rule_eval *eval, struct rule_eval_result *ret_result, struct err *reterr)
{
    struct rule_eval_result result = {0};
    struct promql_value value;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, RULE_EVAL_BYTES_MAX);
    int r = run_query(eval, eval->rule->expr, eval->now_ms - eval->group->query_offset_ms,
                      eval->memo, &arena, &value, reterr);
    if (r == 0)
        r = eval_value(eval, &value, &arena, &result, reterr);
    if (r) {
        rule_eval_result_done(&result);
        return RULE_EVAL_E_FAILED;
    }
    *ret_result = result;
    return 0;
}

void rule_output_done(struct rule_output *output)
{
    for (size_t i = 0; i < output->n; i++)
        labels_unref(output->at[i]);
    free(output->at);
    *output = (struct rule_output){0};
}

void rule_eval_result_done(struct rule_eval_result *result)
{
    alert_outcome_done(&result->alerts);
    rule_output_done(&result->output);
    alert_series_done(&result->series);
}
