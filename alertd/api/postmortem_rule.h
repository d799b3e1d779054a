#pragma once

/*
 * A rule that an action promises: is it one, is it live, and would it have paged earlier in
 * this very incident? The last is asked of the engine itself, over the frozen samples.
 */

#include <stdint.h>

#include "alertd/api/api.h"

enum {
    POSTMORTEM_RULE_E_NOT_LIVE = 1, /* words say what is missing */
    POSTMORTEM_RULE_E_LATE = 2,     /* it would not have fired earlier */
    POSTMORTEM_RULE_STEPS_MAX = 20000,
};

/* One alerting rule: `- alert: X` with its members, or a whole rule file of one group. */
int postmortem_rule_check(const char *draft, struct err *reterr);

/* Live with the same expression and `for`, and, where samples of the incident are frozen and an
 * alert of it fired, earlier than that alert. */
int postmortem_rule_is_live(const struct api *api,
                            const char *incident,
                            const char *draft,
                            struct err *reterr);

/* When the draft fires over the incident's frozen samples; 0: never, or there are none. */
int postmortem_rule_first_fire(const struct api *api,
                               const char *incident,
                               const char *draft,
                               int64_t *ret_fired_ms,
                               size_t *ret_n_series,
                               struct err *reterr);
