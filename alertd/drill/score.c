/*
 * What a player did, by several clocks. See score.h.
 */

#include "alertd/drill/score.h"

static void at_first(struct drill_score *score, enum drill_clock clock, int64_t at_ms)
{
    if (score->clocks[clock] == DRILL_NEVER)
        score->clocks[clock] = at_ms - score->base_ms;
}

static void count_act(struct drill_score *score, const struct drill_moment *moment)
{
    bool bad = moment->verdict == DRILL_BAD;

    switch (moment->act) {
    case DRILL_ACT_HYPOTHESIS: score->counts[DRILL_WRONG] += bad; return;
    case DRILL_ACT_ANSWER:
        score->counts[DRILL_ANSWERS] += moment->verdict == DRILL_GOOD;
        score->counts[DRILL_MISSES] += bad;
        return;
    case DRILL_ACT_DO:
        score->counts[DRILL_HERRINGS] += bad && moment->worth == DRILL_WORTH_HERRING;
        score->counts[DRILL_HARM] += bad && moment->worth == DRILL_WORTH_HARM;
        return;
    case DRILL_ACT_HINT:
        score->counts[DRILL_HINTS] += moment->kind == DRILL_MOMENT_HINT;
        score->counts[DRILL_COST] += moment->cost;
        return;
    case DRILL_ACT_SEE:
    case DRILL_ACT_ACK:
    case DRILL_ACT_QUERY:
    case DRILL_ACT_RUNBOOK:
    case DRILL_ACT_TELL:
    case DRILL_ACT_ESCALATE:
    case DRILL_ACT_NOTE: return;
    }
}

static void time_act(struct drill_score *score, const struct drill_moment *moment)
{
    bool good = moment->verdict == DRILL_GOOD;
    int64_t at_ms = moment->at_ms;

    at_first(score, DRILL_SEEN, at_ms);
    switch (moment->act) {
    case DRILL_ACT_ACK:
        if (good)
            at_first(score, DRILL_ACK, at_ms);
        return;
    case DRILL_ACT_QUERY: at_first(score, DRILL_GRAPH, at_ms); return;
    case DRILL_ACT_RUNBOOK:
        if (good)
            at_first(score, DRILL_RUNBOOK, at_ms);
        return;
    case DRILL_ACT_HYPOTHESIS:
        at_first(score, DRILL_HYPOTHESIS, at_ms);
        if (good)
            at_first(score, DRILL_RIGHT, at_ms);
        return;
    case DRILL_ACT_TELL: at_first(score, DRILL_TELL, at_ms); return;
    case DRILL_ACT_ESCALATE: at_first(score, DRILL_ESCALATE, at_ms); return;
    case DRILL_ACT_DO:
        if (good && moment->worth == DRILL_WORTH_RIGHT)
            at_first(score, DRILL_MITIGATION, at_ms);
        return;
    case DRILL_ACT_SEE:
    case DRILL_ACT_ANSWER:
    case DRILL_ACT_HINT:
    case DRILL_ACT_NOTE: return;
    }
}

void drill_score(const struct drill_world *world, struct drill_score *ret_score)
{
    size_t n = 0;
    const struct drill_moment *moments = drill_world_moments(world, &n);
    int64_t paged_ms = drill_world_paged_ms(world);

    *ret_score = (struct drill_score){.paged = paged_ms != DRILL_NOT_YET,
                                      .until_ms = drill_world_now_ms(world)};
    ret_score->base_ms = ret_score->paged ? paged_ms : drill_world_onset_ms(world);
    for (size_t i = 0; i < DRILL_N_CLOCKS; i++)
        ret_score->clocks[i] = DRILL_NEVER;
    for (size_t i = 0; i < n; i++) {
        if (moments[i].kind != DRILL_MOMENT_ACT && moments[i].kind != DRILL_MOMENT_HINT)
            continue;
        time_act(ret_score, &moments[i]);
        count_act(ret_score, &moments[i]);
    }
}

enum drill_standing drill_clock_standing(const struct drill *drill,
                                         const struct drill_score *score,
                                         enum drill_clock clock)
{
    int64_t limit_ms = drill->clock_limits[clock];

    if (limit_ms == INT64_MAX)
        return DRILL_NO_LIMIT;
    if (score->clocks[clock] != DRILL_NEVER)
        return score->clocks[clock] <= limit_ms ? DRILL_MET : DRILL_MISSED;
    return score->until_ms - score->base_ms <= limit_ms ? DRILL_OPEN : DRILL_MISSED;
}

enum drill_standing drill_count_standing(const struct drill *drill,
                                         const struct drill_score *score,
                                         enum drill_count count)
{
    int64_t limit = drill->count_limits[count];

    if (limit == INT64_MAX)
        return DRILL_NO_LIMIT;
    /* of answers so many are wanted, of all others no more are */
    if (count == DRILL_ANSWERS)
        return score->counts[count] >= limit ? DRILL_MET : DRILL_MISSED;
    return score->counts[count] <= limit ? DRILL_MET : DRILL_MISSED;
}
