/*
 * Rules as YAML: what is stored as a version, and what export gives. Prometheus reads it.
 */

#include "alertd/rule/group.h"
#include "lib/model/duration.h"

static void add_field(struct str *out, unsigned indent, const char *name, const char *text)
{
    str_addf(out, "%*s", (int)indent, "");
    yaml_print_key(name, indent, out);
    yaml_print_scalar(text, indent + 2, out);
    str_addc(out, '\n');
}

static void add_duration(struct str *out, unsigned indent, const char *name, int64_t duration_ms)
{
    char text[DURATION_TEXT_MAX];

    if (duration_ms)
        str_addf(out, "%*s%s: %s\n", (int)indent, "", name, duration_print(duration_ms, text));
}

static void add_texts(
    struct str *out, unsigned indent, const char *name, const struct rule_text *texts, size_t n)
{
    if (n == 0)
        return;
    str_addf(out, "%*s%s:\n", (int)indent, "", name);
    for (size_t i = 0; i < n; i++)
        add_field(out, indent + 2, texts[i].name, texts[i].text);
}

void rule_print(const struct rule *rule, unsigned indent, struct str *out)
{
    str_addf(out, "%*s- %s: ", (int)indent, "", rule->is_alert ? "alert" : "record");
    yaml_print_scalar(rule->name, indent + 4, out);
    str_addc(out, '\n');
    add_field(out, indent + 2, "expr", rule->expr_text);
    add_duration(out, indent + 2, "for", rule->for_ms);
    add_duration(out, indent + 2, "keep_firing_for", rule->keep_firing_for_ms);
    add_texts(out, indent + 2, "labels", rule->labels, rule->n_labels);
    add_texts(out, indent + 2, "annotations", rule->annotations, rule->n_annotations);
}

void rule_group_print(const struct rule_group *group, struct str *out)
{
    char offset[DURATION_TEXT_MAX];

    str_add(out, "  - name: ");
    yaml_print_scalar(group->name, 6, out);
    str_addc(out, '\n');
    if (group->has_interval)
        add_duration(out, 4, "interval", group->interval_ms);
    if (group->has_query_offset)
        str_addf(out, "    query_offset: %s\n", duration_print(group->query_offset_ms, offset));
    if (group->limit)
        str_addf(out, "    limit: %zu\n", group->limit);
    if (group->n_rules == 0) {
        str_add(out, "    rules: []\n");
        return;
    }
    str_add(out, "    rules:\n");
    for (size_t i = 0; i < group->n_rules; i++)
        rule_print(&group->rules[i], 6, out);
}
