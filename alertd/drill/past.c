/*
 * A drill that was played as a past. See past.h.
 */

#include "alertd/drill/past.h"

/* When that day's samples were mended, since the drill's start; INT64_MAX: they say nothing of it. */
static int64_t mended_that_day(const struct drill *drill)
{
    int64_t last_ms = 0;

    for (size_t i = 0; i < drill->n_files; i++)
        if (!drill->files[i].until_mended && drill->files[i].mended_ms > last_ms)
            last_ms = drill->files[i].mended_ms;
    return last_ms > drill->onset_ms ? last_ms : INT64_MAX;
}

struct drill_past drill_past_of(const struct drill_case *drill_case,
                                const struct drill_world *world)
{
    int64_t zero_ms = drill_world_zero_ms(world);
    int64_t now_ms = drill_world_now_ms(world);
    int64_t onset_ms = drill_world_onset_ms(world);
    int64_t mended_ms = drill_world_mended_ms(world);
    int64_t end_ms = mended_that_day(drill_case->drill);
    struct drill_past past = {.from_ms = zero_ms - drill_world_lead_ms(world),
                              .to_ms = zero_ms + now_ms,
                              .words = "the drill's trouble, which went on until its end"};

    if (mended_ms != DRILL_NOT_YET && mended_ms < end_ms) {
        past.words = "the drill's trouble, until it was mended";
        end_ms = mended_ms;
    } else if (end_ms < now_ms) {
        past.words = "the drill's trouble, until it was mended that day";
    }
    onset_ms = onset_ms < now_ms ? onset_ms : now_ms;
    end_ms = end_ms < now_ms ? end_ms : now_ms;
    past.begin_ms = zero_ms + onset_ms;
    past.end_ms = zero_ms + (end_ms > onset_ms ? end_ms : onset_ms);
    return past;
}

int64_t drill_past_phase_ms(const struct drill_past *past, int64_t interval_ms)
{
    return (past->from_ms % interval_ms + interval_ms) % interval_ms;
}
