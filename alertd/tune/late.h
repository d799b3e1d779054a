#pragma once

/*
 * A past read as it was known then: at each evaluation the samples of the last while had not come yet.
 *
 *     samples      . . . . . . . . . .
 *     evaluation               ^           what live alerting saw:   . . . . .
 *     lag                  <--->
 *
 * When a sample really came is stored nowhere; how late they come as a rule is known to whoever runs it.
 * It is one evaluation of all steps, each of them blind for so long. Where there is a subquery, or series could come
 * to be the same (promql_steps_may_lag()), each step is an evaluation of its own, which takes longer.
 */

#include <stdint.h>

#include "alertd/promql/source.h"
#include "alertd/tune/reading.h"

struct late {
    const struct source *source;
    struct reading_source
        limits; /* of the reading: memory, look-back, deadline; its source is not looked at */
    int64_t lag_ms;
    int64_t known_until_ms; /* while it reads */
};

/* Refuses what is read at a fixed time (@). The struct stays where it is. */
struct tune_reader late_reader(struct late *late);
/* What is known at known_until_ms, and no more. */
struct source late_source(struct late *late);
