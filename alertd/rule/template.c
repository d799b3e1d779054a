/*
 * Templates of rules: the language's functions and variables. See template.h.
 */

#include "alertd/rule/template.h"

#include "alertd/rule/template_private.h"

static const struct tmpl_language *language(void)
{
    static const struct tmpl_fn *const families[] = {
        tmpl_basic_fns,          tmpl_text_fns,           tmpl_human_fns, rule_template_text_fns,
        rule_template_human_fns, rule_template_query_fns, NULL,
    };
    static const char *const variables[] = {"$labels", "$externalLabels", "$externalURL", "$value",
                                            NULL};
    static const struct tmpl_language rules = {families, variables};

    return &rules;
}

int rule_template_parse(struct arena *arena,
                        const char *text,
                        struct tmpl **ret_template,
                        struct err *reterr)
{
    return tmpl_parse(language(), arena, text, ret_template, reterr);
}

int rule_template_expand_dot(const struct tmpl *template,
                             const struct rule_template_data *data,
                             const struct value *dot,
                             struct str *out,
                             struct err *reterr)
{
    const struct tmpl_input input = {.data = data, .now_ms = data->now_ms, .dot = *dot};

    return tmpl_expand(template, &input, out, reterr);
}

int rule_template_expand(const struct tmpl *template,
                         const struct rule_template_data *data,
                         struct str *out,
                         struct err *reterr)
{
    static const char *const names[] = {"Labels", "ExternalLabels", "ExternalURL", "Value"};
    const struct value fields[] = {
        value_labels(data->labels),
        value_labels(data->external_labels ? data->external_labels : labels_empty()),
        value_text(data->external_url ? data->external_url : ""),
        value_float(data->value),
    };
    const struct variable variables[] = {
        {"$labels", fields[0]},
        {"$externalLabels", fields[1]},
        {"$externalURL", fields[2]},
        {"$value", fields[3]},
    };
    const struct tmpl_input input = {
        .data = data,
        .now_ms = data->now_ms,
        .dot = {.kind = VALUE_RECORD, .items = fields, .names = names, .n = 4},
        .variables = variables,
        .n_variables = 4,
    };

    return tmpl_expand(template, &input, out, reterr);
}

void rule_template_expand_or_tell(const struct tmpl *template,
                                  const struct rule_template_data *data,
                                  struct str *out)
{
    struct err err = {0};
    size_t before = out->len;

    if (rule_template_expand(template, data, out, &err) == 0)
        return;
    str_cut(out, before);
    str_addf(out, "<error expanding template: %s>", err.text);
}
