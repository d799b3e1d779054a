#pragma once

/*
 * A unit test made of what happened: the samples around one alert, and what the rule must say of them.
 *
 *     samples         .  .   .  .  .  .  .   .  .     as they came
 *     of the test     |__|__|__|__|__|__|__|__|__|    at an even distance, from 0
 *     alert                   ....######              nothing expected; it fires; it is over
 *
 * The file is in the format of docs/rule-tests.md, which is promtool's. What is expected is what the rule,
 * evaluated over the samples of the test, comes to: the test passes.
 *
 * Invariants
 *  (1) a sample of the test is the last one that came since the sample before it.
 */

#include <stdint.h>

#include "alertd/promql/source.h"
#include "alertd/rule/group.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

enum {
    UNIT_E_NONE = 1, /* none can be made: words say why */

    UNIT_SERIES_MAX = 200,
    UNIT_SAMPLES_MAX = 20000, /* of a series */
};

struct unit_ask {
    const struct source *source;
    const struct rule *rule; /* in the setting that is tested */
    int64_t interval_ms;
    const char *file;            /* where the rule is, for `rule_files` */
    int64_t active_ms, fired_ms; /* evaluations at which the alert began to wait, and fired */
    int64_t resolved_ms;         /* and the first at which it fired no more; INT64_MAX: it does */
    const struct labels *labels; /* of its series: without those of the rule */
    const char *external_url;    /* of templates; NULL: none */
};

/* 0, UNIT_E_NONE, or a failure in words. */
int unit_write(const struct unit_ask *ask, struct str *out, struct err *reterr);
