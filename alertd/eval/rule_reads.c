/*
 * Which rules wait for others. See rule_reads.h.
 */

#include "alertd/eval/rule_reads.h"

#include <string.h>

#include "alertd/promql/ast.h"
#include "alertd/promql/fn.h"

static bool may_select(const struct promql_selector *selector, const char *name)
{
    for (size_t i = 0; i < selector->n_matchers; i++)
        if (strcmp(selector->matchers[i].name, LABEL_NAME) == 0 &&
            !matcher_matches(&selector->matchers[i], name))
            return false;
    return true;
}

static bool expr_reads(const struct promql_expr *expr, const char *name)
{
    const struct promql_expr *child;

    if (expr->kind == PROMQL_SELECTOR)
        return may_select(&expr->selector, name);
    if (expr->kind == PROMQL_CALL && strcmp(expr->call.fn->name, "info") == 0)
        return true; /* it reads series that no selector names */
    for (size_t i = 0; (child = expr_child(expr, i)) != NULL; i++)
        if (expr_reads(child, name))
            return true;
    return false;
}

static bool texts_query(const struct rule_text *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (texts[i].text && strstr(texts[i].text, "query"))
            return true;
    return false;
}

bool rule_reads(const struct rule *reader, const struct rule *writer)
{
    if (texts_query(reader->labels, reader->n_labels) ||
        texts_query(reader->annotations, reader->n_annotations))
        return true;
    if (!writer->is_alert)
        return expr_reads(reader->expr, writer->name);
    return expr_reads(reader->expr, "ALERTS") || expr_reads(reader->expr, "ALERTS_FOR_STATE");
}
