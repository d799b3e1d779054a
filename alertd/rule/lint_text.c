/*
 * Will a human understand it? Checks of labels and annotations.
 */

#include <string.h>

#include "alertd/rule/lint_private.h"

struct reading {
    struct lint *lint;
    const struct rule_text *text;
    bool reads_value;
};

static struct yaml_node place_in_text(const struct reading *reading, size_t offset)
{
    struct yaml_node at = {0};

    if (reading->text->node)
        yaml_place(reading->text->node, offset, &at.line, &at.column);
    return at;
}

static void judge_label(void *arg, char kind, const char *name, size_t offset)
{
    struct reading *reading = arg;
    struct lint *lint = reading->lint;
    const struct yaml_node at = place_in_text(reading, offset);
    bool is_rules_own = rule_text_find(lint->rule->labels, lint->rule->n_labels, name) ||
                        strcmp(name, "alertname") == 0;

    if (kind == 'v')
        reading->reads_value = true;
    if (kind != 'l' || rule_label_is_possible(&lint->labels, name))
        return;
    if (is_rules_own)
        TELL(lint, &at,
             "$labels.%.60s is empty: $labels holds the labels of the sample, and \"%.60s\" is one "
             "the rule adds",
             name, name);
    else
        TELL(lint, &at,
             "$labels.%.60s is always empty: the expression's result has %s; keep it with by "
             "(%.60s)",
             name, lint->labels.n ? "other labels only" : "no labels", name);
}

static void read_texts(struct lint *lint,
                       const struct rule_text *texts,
                       size_t n,
                       void (*judge)(void *arg, char kind, const char *name, size_t offset))
{
    for (size_t i = 0; i < n; i++) {
        struct reading reading = {.lint = lint, .text = &texts[i]};

        if (texts[i].template)
            rule_template_reads(texts[i].template, judge, &reading);
    }
}

void lint_dead_label(struct lint *lint) /* 8.4 % */
{
    read_texts(lint, lint->rule->labels, lint->rule->n_labels, judge_label);
    read_texts(lint, lint->rule->annotations, lint->rule->n_annotations, judge_label);
}

static void judge_own_label(void *arg, char kind, const char *name, size_t offset)
{
    struct reading *reading = arg;
    struct lint *lint = reading->lint;
    const struct yaml_node at = place_in_text(reading, offset);

    if (kind == 'l' && strcmp(name, "alertname") == 0 && !lint->labels.is_known)
        TELL(lint, &at, "$labels.alertname is empty: write the rule's name");
}

void lint_rule_label(struct lint *lint)
{
    read_texts(lint, lint->rule->annotations, lint->rule->n_annotations, judge_own_label);
}

static void judge_call(void *arg, char kind, const char *name, size_t offset)
{
    struct reading *reading = arg;
    const struct yaml_node at = place_in_text(reading, offset);

    if (kind == '!')
        TELL(reading->lint, &at, "%s: the text of every alert will be an error", name);
}

void lint_calls(struct lint *lint)
{
    read_texts(lint, lint->rule->labels, lint->rule->n_labels, judge_call);
    read_texts(lint, lint->rule->annotations, lint->rule->n_annotations, judge_call);
}

static void judge_value(void *arg, char kind, const char *name, size_t offset)
{
    struct reading *reading = arg;
    const struct yaml_node at = place_in_text(reading, offset);

    if (kind != 'v' || reading->reads_value)
        return;
    reading->reads_value = true;
    TELL(reading->lint, &at,
         "label \"%.60s\" shows the value: each evaluation is a new alert, so `for` never ends and "
         "nothing groups; move it to an annotation",
         reading->text->name);
}

void lint_value_in_label(struct lint *lint)
{
    const struct rule *rule = lint->rule;

    for (size_t i = 0; i < rule->n_labels; i++) {
        /* A level made of the value ({{ if gt $value 5.0 }}) is one of few, not new each time. */
        if (rule->labels[i].text && strstr(rule->labels[i].text, "{{ if"))
            continue;
        read_texts(lint, &rule->labels[i], 1, judge_value);
    }
}

void lint_summary(struct lint *lint)
{
    static const char *const names[] = {"summary", "description", "message", "title"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (rule_text_find(lint->rule->annotations, lint->rule->n_annotations, names[i]))
            return;
    TELL(lint, lint->rule->node, "no summary: who is paged sees the name and the labels only");
}

void lint_runbook(struct lint *lint) /* 60 % */
{
    if (!rule_text_find(lint->rule->annotations, lint->rule->n_annotations, "runbook_url") &&
        !rule_text_find(lint->rule->annotations, lint->rule->n_annotations, "runbook"))
        TELL(lint, lint->rule->node, "no runbook_url: who is paged starts from nothing");
}
