/*
 * A rule's flight recorder. See rule_history.h.
 */

#include "alertd/eval/rule_history.h"

#include <stdlib.h>

#include "lib/base/mem.h"

void rule_history_add(struct rule_history *history, const struct rule_past *past)
{
    struct rule_past *place = &history->ring[history->next];

    free(place->error);
    *place = *past;
    place->error = past->error ? mem_strdup(past->error) : NULL;
    history->next = (history->next + 1) % RULE_HISTORY_MAX;
    if (history->n < RULE_HISTORY_MAX)
        history->n++;
}

const struct rule_past *rule_history_at(const struct rule_history *history, size_t i)
{
    if (i >= history->n)
        return NULL;
    return &history->ring[(history->next + RULE_HISTORY_MAX - 1 - i) % RULE_HISTORY_MAX];
}

void rule_history_copy(struct rule_history *to, const struct rule_history *from)
{
    for (size_t i = 0; i < from->n; i++)
        rule_history_add(
            to, &from->ring[(from->next + RULE_HISTORY_MAX - from->n + i) % RULE_HISTORY_MAX]);
}

void rule_history_done(struct rule_history *history)
{
    for (size_t i = 0; i < history->n; i++)
        free(history->ring[i].error);
    *history = (struct rule_history){0};
}
