/*
 * What is wrong or doubtful in a rule file, collected: see group.h.
 */

#include <stdarg.h>
#include <stdlib.h>

#include "alertd/rule/group.h"
#include "lib/base/mem.h"

void rule_findings_add(struct rule_findings *findings,
                       enum rule_severity severity,
                       const char *id,
                       const struct yaml_node *node,
                       const char *fmt,
                       ...)
{
    STR_AUTO struct str text = STR_INIT(1000);
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
    findings->at[findings->n++] = (struct rule_finding){severity, id, node ? node->line : 0,
                                                        node ? node->column : 0, str_take(&text)};
}

void rule_findings_done(struct rule_findings *findings)
{
    for (size_t i = 0; i < findings->n; i++)
        free(findings->at[i].text);
    free(findings->at);
    *findings = (struct rule_findings){0};
}

const char *rule_severity_name(enum rule_severity severity)
{
    static const char *const names[] = {"error", "warning", "advice"};

    return names[severity];
}
