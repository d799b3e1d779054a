/*
 * Which template an incident asks for. See choice.h.
 */

#include "alertd/postmortem/choice.h"

#include <string.h>
#include <strings.h>

enum {
    MINUTE_MS = 60 * 1000,
};

#define DAYS(n) ((int64_t)(n)*24 * 60 * MINUTE_MS)

static const struct choice_rule rules[] = {
    {{"debrief", DAYS(1), "it is a drill"}, .origin = "drill"},
    {{"near-miss", DAYS(5), "it was declared a near miss"}, .origin = "near_miss"},
    {{"major", DAYS(3), "data was lost"}, .data_was_lost = true},
    {{"major", DAYS(3), "its severity is of the first class"}, .severities = "sev1 p1 emergency"},
    {{"major", DAYS(3), "it hit more than one scope"}, .scopes_over = 1},
    {{"major", DAYS(3), "it happened before"}, .is_recurrence = true},
    {{"major", DAYS(3), "it was critical for more than two hours"},
     .severities = "critical",
     .longer_than_ms = 120 * MINUTE_MS},
    {{"standard", DAYS(5), "its severity is of the second class"}, .severities = "sev2 p2"},
    {{"standard", DAYS(5), "somebody was paged, and it lasted more than 30 minutes"},
     .was_paged = true,
     .longer_than_ms = 30 * MINUTE_MS},
    {{"quick", DAYS(5), "it was short, or nobody was paged"}},
};

const struct choice_table choice_builtin = {rules, sizeof(rules) / sizeof(*rules)};

static bool is_one_of(const char *word, const char *words)
{
    size_t len = strlen(word);

    while (*words) {
        size_t n = strcspn(words, " ");

        if (n == len && strncasecmp(word, words, n) == 0)
            return true;
        words += n + (words[n] == ' ');
    }
    return false;
}

static bool holds(const struct choice_rule *rule, const struct choice_input *input)
{
    return (!rule->origin || (input->origin && strcmp(rule->origin, input->origin) == 0)) &&
           (!rule->severities || is_one_of(input->severity, rule->severities)) &&
           (!rule->data_was_lost || input->data_was_lost) &&
           (!rule->is_recurrence || input->is_recurrence) &&
           (!rule->was_paged || input->was_paged) &&
           (!rule->scopes_over || input->n_scopes > rule->scopes_over) &&
           (!rule->longer_than_ms || input->duration_ms > rule->longer_than_ms);
}

struct choice choice_make(const struct choice_input *input, const struct choice_table *table)
{
    for (size_t i = 0; i < table->n; i++)
        if (holds(&table->rules[i], input))
            return table->rules[i].choice;
    return choice_builtin.rules[choice_builtin.n - 1].choice;
}
