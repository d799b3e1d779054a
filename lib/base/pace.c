/*
 * How long something will take. See pace.h.
 */

#include "lib/base/pace.h"

void pace_note(struct pace *pace, int64_t at, int64_t now_ms)
{
    if (pace->is_begun && at == pace->at)
        return;
    pace->n_moves += pace->is_begun;
    pace->is_begun = true;
    pace->at = at;
    pace->moved_ms = now_ms;
    if (pace->n_moves <= 1) {
        pace->counted_at = at;
        pace->counted_ms = now_ms;
    }
}

int64_t pace_left_ms(const struct pace *pace, int64_t to, int64_t now_ms)
{
    int64_t done = pace->at - pace->counted_at;
    double spent_ms = (double)(pace->moved_ms - pace->counted_ms);

    if (pace->n_moves < 2 || done <= 0 || to < pace->at)
        return PACE_UNKNOWN;
    double left_ms = spent_ms * (double)(to - pace->at) / (double)done;
    double since_ms = (double)(now_ms - pace->moved_ms);
    double step_ms = spent_ms / (pace->n_moves - 1);
    left_ms -= since_ms < step_ms ? since_ms
                                  : step_ms; /* a step that takes longer is not over yet */
    return left_ms < 0 ? 0 : left_ms < 1e15 ? (int64_t)left_ms : PACE_UNKNOWN;
}
