/*
 * Regular expressions in matchers: those that say less, or more, than they seem to.
 * Prometheus anchors them at both ends.
 */

#include <ctype.h>
#include <string.h>

#include "alertd/rule/lint_private.h"

enum {
    FIX_BYTES_MAX = 200
};

static bool is_regex(const struct matcher *matcher)
{
    return matcher->type == MATCHER_REGEX || matcher->type == MATCHER_NOT_REGEX;
}

static const char *operator_of(const struct matcher *matcher)
{
    return matcher->type == MATCHER_REGEX ? "=~" : "!~";
}

/* Behind a quoted text that begins at `at`. */
static const char *skip_quoted(const char *at, const char *end)
{
    char quote = *at++;

    while (at < end && *at != quote)
        at += quote != '`' && *at == '\\' && at + 1 < end ? 2 : 1;
    return at < end ? at + 1 : end;
}

/* Where `name =~ "value"` stands within the selector; the whole selector when it can't be told. */
static struct rule_span span_of_matcher(const struct lint *lint,
                                        const struct promql_expr *expr,
                                        const struct matcher *matcher)
{
    const struct yaml_node *node = lint->rule->expr_node;
    size_t skipped = strspn(node->text, " \t\r\n"), len = strlen(matcher->name);
    const char *end = expr->text + expr->end;

    /* Behind the name or the brace that a selector begins with. */
    for (const char *at = expr->text + expr->start + 1; at + len < end; at++) {
        if (strncmp(at, matcher->name, len) != 0 || isalnum((unsigned char)at[-1]) || at[-1] == '_')
            continue;
        const char *op = at + len + strspn(at + len, " \t\r\n");
        if (strncmp(op, operator_of(matcher), 2) != 0)
            continue;
        const char *quote = op + 2 + strspn(op + 2, " \t\r\n");
        return rule_span_in(node, skipped + (size_t)(at - expr->text),
                            skipped + (size_t)(skip_quoted(quote, end) - expr->text));
    }
    return lint_span(lint, expr);
}

/* --- regex-literal -------------------------------------------------------------------------- */

static bool tell_literal(struct lint *lint, const struct promql_expr *expr)
{
    for (size_t i = 0; expr->kind == PROMQL_SELECTOR && i < expr->selector.n_matchers; i++) {
        const struct matcher *matcher = &expr->selector.matchers[i];
        const char *plain = matcher->type == MATCHER_REGEX ? "=" : "!=";

        if (!is_regex(matcher) || strpbrk(matcher->value, ".*+?()[]{}|^$\\"))
            continue;
        TELL(lint, span_of_matcher(lint, expr, matcher),
             "%s with plain text makes the reader look for a pattern that isn't there",
             operator_of(matcher));
        FIX(lint, "%.60s%s\"%.60s\"", matcher->name, plain, matcher->value);
    }
    return true;
}

void lint_regex_literal(struct lint *lint)
{
    lint_walk(lint->rule->expr, tell_literal, lint);
}

/* --- regex-anchor --------------------------------------------------------------------------- */

static bool ends_with_dollar(const char *pattern)
{
    size_t len = strlen(pattern), escapes = 0;

    if (len == 0 || pattern[len - 1] != '$')
        return false;
    while (escapes + 1 < len && pattern[len - 2 - escapes] == '\\')
        escapes++;
    return escapes % 2 == 0;
}

static bool tell_anchor(struct lint *lint, const struct promql_expr *expr)
{
    for (size_t i = 0; expr->kind == PROMQL_SELECTOR && i < expr->selector.n_matchers; i++) {
        const struct matcher *matcher = &expr->selector.matchers[i];
        bool at_start = matcher->value[0] == '^', at_end = ends_with_dollar(matcher->value);

        if (!is_regex(matcher) || (!at_start && !at_end))
            continue;
        TELL(lint, span_of_matcher(lint, expr, matcher),
             "Prometheus anchors the pattern at both ends: %s says nothing",
             at_start && at_end ? "^...$" : (at_start ? "^" : "$"));
        if (strchr(matcher->value, '|'))
            FIX(lint, "leave the anchors away");
        else
            FIX(lint, "%.60s%s\"%.*s\"", matcher->name, operator_of(matcher),
                (int)(strlen(matcher->value) - at_start - at_end), matcher->value + at_start);
    }
    return true;
}

void lint_regex_anchor(struct lint *lint)
{
    lint_walk(lint->rule->expr, tell_anchor, lint);
}

/* --- smelly-regex --------------------------------------------------------------------------- */

/* A dot between letters, as in a host's name, outside of brackets, at `from` or later; NULL:
 * none. */
static const char *find_plain_dot(const char *pattern, const char *from)
{
    bool in_class = false;

    for (const char *at = pattern; *at; at++) {
        if (*at == '\\' && at[1])
            at++;
        else if (*at == '[')
            in_class = true;
        else if (*at == ']')
            in_class = false;
        else if (*at == '.' && !in_class && at >= from && at > pattern &&
                 isalpha((unsigned char)at[-1]) && isalpha((unsigned char)at[1]))
            return at;
    }
    return NULL;
}

/* The matcher with a backslash in front of each such dot. */
static void fix_dots(struct lint *lint, const struct matcher *matcher)
{
    STR_AUTO struct str pattern = STR_INIT(FIX_BYTES_MAX), fixed = STR_INIT(FIX_BYTES_MAX);
    struct matcher made = *matcher;
    const char *at = matcher->value;

    for (const char *dot; (dot = find_plain_dot(matcher->value, at)) != NULL; at = dot) {
        str_addn(&pattern, at, (size_t)(dot - at));
        str_addc(&pattern, '\\');
        str_addc(&pattern, *dot++);
    }
    str_add(&pattern, at);
    made.value = pattern.text;
    matcher_print(&made, &fixed);
    if (pattern.full || fixed.full)
        FIX(lint, "a backslash in front of each dot: \"a\\\\.b\"");
    else
        FIX(lint, "%s%s", str_text(&fixed),
            lint->rule->expr_node->plain ? "" : ", each backslash twice within YAML's \"...\"");
}

static void tell_smell(struct lint *lint,
                       const struct promql_expr *expr,
                       const struct matcher *matcher)
{
    const char *dot = find_plain_dot(matcher->value, matcher->value);

    if (strcmp(matcher->value, ".*") == 0) {
        bool all = matcher->type == MATCHER_REGEX;

        TELL(lint, span_of_matcher(lint, expr, matcher),
             all ? "matches every series, also those without this label: it selects nothing"
                 : "matches no series at all, not even those without this label");
        FIX(lint, "%s",
            all ? "leave it away, or .+ when the label must be there"
                : "!~\".+\" for series without the label");
    } else if (dot) {
        const char *from = dot;

        while (from > matcher->value && isalnum((unsigned char)from[-1]))
            from--;
        TELL(lint, span_of_matcher(lint, expr, matcher),
             "an unescaped dot stands for any character: \"%.*s-%.*s\" matches too",
             (int)(dot - from), from, (int)strcspn(dot + 1, ".|()[]{}*+?\\^$/"), dot + 1);
        fix_dots(lint, matcher);
    }
}

static bool each_smell(struct lint *lint, const struct promql_expr *expr)
{
    for (size_t i = 0; expr->kind == PROMQL_SELECTOR && i < expr->selector.n_matchers; i++)
        if (is_regex(&expr->selector.matchers[i]))
            tell_smell(lint, expr, &expr->selector.matchers[i]);
    return true;
}

void lint_smelly_regex(struct lint *lint)
{
    lint_walk(lint->rule->expr, each_smell, lint);
}
