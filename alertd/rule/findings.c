/*
 * What is wrong or doubtful in a rule file, collected: see group.h.
 */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/rule/group.h"
#include "lib/base/mem.h"

enum {
    TEXT_MAX = 1000, /* of a finding, and of its fix */
};

void rule_findings_add(struct rule_findings *findings,
                       enum rule_severity severity,
                       const char *id,
                       struct rule_span span,
                       const char *fmt,
                       ...)
{
    STR_AUTO struct str text = STR_INIT(TEXT_MAX);
    va_list ap;

    if (findings->n == RULE_FINDINGS_MAX) {
        findings->n_untold++;
        return;
    }
    va_start(ap, fmt);
    str_addv(&text, fmt, ap);
    va_end(ap);
    findings->at = mem_grow(findings->at, &findings->capacity, findings->n + 1,
                            sizeof(*findings->at));
    findings->at[findings->n++] = (struct rule_finding){severity, id, span, str_take(&text), NULL};
}

void rule_findings_fix(struct rule_findings *findings, const char *fmt, ...)
{
    STR_AUTO struct str text = STR_INIT(TEXT_MAX);
    va_list ap;

    if (findings->n == 0 || findings->n_untold > 0)
        return;
    va_start(ap, fmt);
    str_addv(&text, fmt, ap);
    va_end(ap);
    free(findings->at[findings->n - 1].fix);
    findings->at[findings->n - 1].fix = str_take(&text);
}

static int compare_findings(const void *a, const void *b)
{
    const struct rule_finding *left = a, *right = b;

    if (left->span.line != right->span.line)
        return left->span.line < right->span.line ? -1 : 1;
    if (left->span.column != right->span.column)
        return left->span.column < right->span.column ? -1 : 1;
    return strcmp(left->id, right->id);
}

void rule_findings_sort(struct rule_findings *findings, size_t from)
{
    if (findings->n > from)
        qsort(findings->at + from, findings->n - from, sizeof(*findings->at), compare_findings);
}

void rule_findings_done(struct rule_findings *findings)
{
    for (size_t i = 0; i < findings->n; i++) {
        free(findings->at[i].text);
        free(findings->at[i].fix);
    }
    free(findings->at);
    *findings = (struct rule_findings){0};
}

const char *rule_severity_name(enum rule_severity severity)
{
    static const char *const names[] = {"error", "warning", "advice"};

    return names[severity];
}

struct rule_span rule_span_in(const struct yaml_node *scalar, size_t from, size_t to)
{
    struct rule_span span = {0};

    yaml_place(scalar, from, &span.line, &span.column);
    span.end_line = span.line;
    span.end_column = span.column;
    if (to > from)
        yaml_place(scalar, to - 1, &span.end_line, &span.end_column);
    span.end_column++;
    return span;
}

struct rule_span rule_span_of(const struct yaml_node *node)
{
    if (!node)
        return (struct rule_span){0};
    if (node->kind == YAML_SCALAR && node->source && node->len > 0) {
        struct rule_span span = rule_span_in(node, 0, node->len);

        if (*node->source == '"' || *node->source == '\'') { /* with its quotes */
            span.line = node->line;
            span.column = node->column;
            span.end_column++;
        }
        return span;
    }
    return (struct rule_span){node->line, node->column, node->line, node->column + 1};
}
