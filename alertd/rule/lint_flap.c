/*
 * Will it flap or lie? Checks for alerts that come and go, or come late.
 */

#include "alertd/rule/lint_private.h"
#include "lib/model/duration.h"

void lint_no_for(struct lint *lint) /* 14.1 % */
{
    if (lint->rule->for_ms == 0 && lint->rule->keep_firing_for_ms == 0 &&
        !lint_is_constant(lint->rule->expr))
        TELL(lint, lint->rule->node,
             "no `for` and no `keep_firing_for`: one odd sample pages, and flapping pages again");
}

void lint_slow_group(struct lint *lint)
{
    char text[DURATION_TEXT_MAX];

    if (lint->rule == &lint->group->rules[0] && lint->group->interval_ms > 5 * 60 * 1000)
        TELL(lint, lint->group->node,
             "evaluated every %s, but a sample counts for 5m only: its own series have gaps",
             duration_print(lint->group->interval_ms, text));
}
