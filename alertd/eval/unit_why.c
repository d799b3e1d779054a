/*
 * Why an expected alert is not firing: it waits, it is over, or its expression gives
 * nothing, and then which value stood against which threshold.
 *
 *     pending since 8m: fires at 13m if it stays true (for: 5m)
 *     resolved at 9m
 *     inactive: errors:rate5m{job="b"} is 0.3, the rule asks errors:rate5m > 0.5
 */

#include <string.h>

#include "alertd/eval/unit_diff.h"
#include "alertd/eval/unit_private.h"
#include "alertd/promql/promql.h"
#include "lib/base/float.h"
#include "lib/base/mem.h"
#include "lib/base/near.h"
#include "lib/model/duration.h"

enum {
    EXPR_SHOWN_MAX = 200,
    ALERTS_MAX = 10 * 1000, /* looked at to find the one that was meant */
};

#define INDENT "      "

static bool is_asked(const struct unit_running_rule *running, const char *alertname)
{
    return running->rule->is_alert && strcmp(running->rule->name, alertname) == 0;
}

/* The pending or resolved alert most like the one that was expected; NULL when all of them
 * are others. */
static const struct alert_entry *find_alike(const struct unit_running_rule *running,
                                            const struct labels *expected)
{
    const struct alert_entry *found = NULL;
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < running->alerts.n && i < ALERTS_MAX; i++) {
        const struct alert_entry *entry = &running->alerts.at[i];
        size_t distance = unit_diff_distance(entry->labels, expected);

        if (entry->alert.state == ALERT_FIRING || distance >= best ||
            unit_diff_conflicts(entry->labels, expected) >
                unit_diff_shared(entry->labels, expected))
            continue;
        best = distance;
        found = entry;
    }
    return found;
}

static void tell_state(const struct unit_why_question *question,
                       const struct unit_running_rule *running,
                       const struct alert_entry *entry,
                       const struct labels *expected,
                       struct str *diff)
{
    int64_t start_ms = question->run->group->start_ms, for_ms = running->rule->for_ms;
    char since[DURATION_TEXT_MAX], then[DURATION_TEXT_MAX], held[DURATION_TEXT_MAX];
    char number[FLOAT_TEXT_MAX];

    (void)float_short(entry->value, number);
    if (unit_diff_conflicts(entry->labels, expected))
        unit_diff_set(INDENT "nearest: ", entry->labels, diff);
    if (entry->alert.state == ALERT_PENDING)
        str_addf(diff,
                 INDENT "pending since %s: fires at %s if it stays true (for: %s); value %s\n",
                 duration_print(entry->alert.active_at_ms - start_ms, since),
                 duration_print(entry->alert.active_at_ms + for_ms - start_ms, then),
                 duration_print(for_ms, held), number);
    else
        str_addf(diff, INDENT "it fired at %s and resolved at %s\n",
                 duration_print(entry->alert.fired_at_ms - start_ms, since),
                 duration_print(entry->alert.resolved_at_ms - start_ms, then));
}

/* The element most like the expected alert. */
static const struct promql_series *nearest(const struct promql_value *value,
                                           const struct labels *expected)
{
    const struct promql_series *found = NULL;
    size_t best = 0;

    for (size_t i = 0; i < value->n && i < ALERTS_MAX; i++) {
        size_t shared = unit_diff_shared(value->series[i].labels, expected);

        if (found && shared <= best)
            continue;
        found = &value->series[i];
        best = shared;
    }
    return found;
}

static void print_expr(const struct promql_expr *expr, struct str *out)
{
    STR_AUTO struct str text = STR_INIT(UNIT_REPORT_TEXT_MAX);

    promql_print(expr, &text);
    unit_report_text(str_text(&text), EXPR_SHOWN_MAX, out);
}

/* The left side of the rule's comparison, asked at the same instant. */
static void tell_value(const struct unit_why_question *question,
                       const struct unit_running_rule *running,
                       const struct labels *expected,
                       struct str *diff)
{
    const struct source source = memory_source_of(&question->run->memory);
    int64_t at_ms = question->run->now_ms - running->group->query_offset_ms;
    const struct promql_query query = {
        .start_ms = at_ms,
        .end_ms = at_ms,
        .limits = {.subquery_step_ms = question->run->file->evaluation_interval_ms},
    };
    const struct promql_expr *left = NULL;
    ARENA_AUTO struct arena arena;
    struct promql_value value;
    double threshold;

    arena_init(&arena, RULE_EVAL_BYTES_MAX);
    if (!promql_threshold(running->rule->expr, &left, &threshold) ||
        promql_eval(left, &source, &query, &arena, &value, NULL) != 0) {
        str_add(diff, INDENT "inactive: the rule's expression gives nothing\n");
        return;
    }
    const struct promql_series *element = nearest(&value, expected);
    str_add(diff, INDENT "inactive: ");
    if (!element || !labels_get(element->labels, LABEL_NAME))
        print_expr(left, diff);
    if (element) {
        STR_AUTO struct str labels = STR_INIT(UNIT_REPORT_TEXT_MAX);
        char number[FLOAT_TEXT_MAX];

        labels_print(element->labels, &labels);
        (void)float_short(element->values[0], number);
        str_add(diff, labels_get(element->labels, LABEL_NAME) ? "" : " for ");
        unit_report_text(str_text(&labels), EXPR_SHOWN_MAX, diff);
        str_addf(diff, " is %s", number);
    } else {
        str_add(diff, " gives nothing");
    }
    str_add(diff, "; the rule asks ");
    print_expr(running->rule->expr, diff);
    str_addc(diff, '\n');
}

void unit_why_tell(void *arg, const struct labels *expected, struct str *diff)
{
    const struct unit_why_question *question = arg;
    const struct unit_running_rule *asked = NULL;

    for (size_t i = 0; i < question->run->n_rules; i++) {
        const struct unit_running_rule *running = &question->run->rules[i];

        if (!is_asked(running, question->test->alertname))
            continue;
        asked = running;
        const struct alert_entry *entry = find_alike(running, expected);
        if (entry) {
            tell_state(question, running, entry, expected, diff);
            return;
        }
    }
    if (asked)
        tell_value(question, asked, expected, diff);
}

const char *unit_why_near_name(const struct unit_running *run, const char *alertname)
{
    MEM_AUTO const char **names = mem_zalloc((run->n_rules + 1) * sizeof(*names));
    size_t n = 0;

    for (size_t i = 0; i < run->n_rules; i++)
        if (run->rules[i].rule->is_alert)
            names[n++] = run->rules[i].rule->name;
    return near_word(alertname, names);
}
