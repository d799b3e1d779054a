/*
 * Labels that the server adds to all it sends, whoever says which they are: the server
 * itself (lint_data.c) or a policy (lint_policy.c). Where both do, it is told once.
 */

#include <string.h>

#include "alertd/rule/lint_private.h"

struct external {
    struct lint *lint;
    lint_has_label *has;
    const void *arg;
};

static bool is_told(const struct lint *lint, struct rule_span span, const char *text)
{
    for (size_t i = 0; i < lint->findings->n; i++) {
        const struct rule_finding *finding = &lint->findings->at[i];

        if (finding->span.line == span.line && finding->span.column == span.column &&
            strcmp(finding->id, lint->row->id) == 0 && strcmp(finding->text, text) == 0)
            return true;
    }
    return false;
}

static void tell_once(struct lint *lint, struct rule_span span, const char *text, const char *fix)
{
    if (is_told(lint, span, text))
        return;
    TELL(lint, span, "%s", text);
    FIX(lint, "%s", fix);
}

static void judge_read(void *arg, char kind, const char *name, size_t offset)
{
    const struct external *external = arg;
    STR_AUTO struct str text = STR_INIT(200);

    (void)offset;
    if (kind != 'e' || external->has(external->arg, name))
        return;
    external->lint->row = rule_check_find("ext-label");
    str_addf(&text, "a gap in the text: the server has no external label %.60s", name);
    tell_once(external->lint, lint_span_name(external->lint->rule), str_text(&text),
              "one that it has, or none");
}

void lint_external(struct lint *lint, lint_has_label *has, const void *arg)
{
    struct external external = {.lint = lint, .has = has, .arg = arg};
    const struct rule *rule = lint->rule;

    for (size_t i = 0; i < rule->n_annotations; i++)
        if (rule->annotations[i].template)
            rule_template_reads(rule->annotations[i].template, judge_read, &external);
    for (size_t i = 0; i < rule->n_labels; i++) {
        STR_AUTO struct str text = STR_INIT(200);

        if (!has(arg, rule->labels[i].name))
            continue;
        lint->row = rule_check_find("label-conflict");
        str_addf(&text, "the server sets %.60s on all it sends: one of the two values is lost",
                 rule->labels[i].name);
        tell_once(lint, rule_span_of(rule->labels[i].node), str_text(&text),
                  "another name for this label");
    }
}
