#pragma once

/*
 * Who pushes, and is it still there?
 *
 *              a push              silent for max(3 intervals, 30 s)
 *     LOST ───────────> FRESH ──> LATE ──────────────────────────────> LOST
 *                                 (past one interval and a half)
 *
 * For two intervals after alertd's own start, or after it stood still, nobody is lost: they may
 * be waiting to reach it. Silence is measured with the monotonic clock, so that no agent is lost
 * when the wall clock is set; what was before the start, only the wall clock knows.
 * In memory; db/agent_db.h keeps it, a row an agent, written now and then.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGENT_ID_MAX = 64,
    AGENT_VERSION_MAX = 40,
    AGENTS_MAX = 10000,
    AGENT_INTERVAL_DEFAULT_MS = 15000,
    AGENT_SILENCE_MIN_MS = 30000,
};

#define AGENT_NOT_YET INT64_MIN

enum agent_state {
    AGENT_FRESH,
    AGENT_LATE,
    AGENT_LOST,
};

struct agent {
    int64_t first_seen_ms;
    int64_t last_push_ms;   /* when its last batch was stored, our clock */
    int64_t pushed_mono_ms; /* the same by the monotonic clock; AGENT_NOT_YET: before our start */
    int64_t interval_ms;
    int64_t clock_skew_ms; /* its newest sample against our clock on arrival; > 0: ahead */
    int64_t newest_ms;     /* of its samples */
    uint32_t number;       /* 1, 2 ... within this process */
    char id[AGENT_ID_MAX + 1];
    bool is_dirty;  /* not written to the database yet */
    bool is_marked; /* found lost, its series marked stale */
};

/* 1 to 64 of [a-zA-Z0-9._-]. */
bool agent_id_ok(const char *id);

/* An instant, by both clocks, and since when we listen: our start, or the end of a standstill. */
struct agents_now {
    int64_t wall_ms, mono_ms, awake_mono_ms;
};

enum agent_state agent_state_at(const struct agent *agent, const struct agents_now *now);
/* How long it has been silent, and how long it may be. */
int64_t agent_silence_ms(const struct agent *agent, const struct agents_now *now);
int64_t agent_patience_ms(const struct agent *agent);
const char *agent_state_name(enum agent_state state);

struct agents;
struct agents *agents_new(void);
void agents_free(struct agents *agents);

/* From mono_ms on we listen (again). */
void agents_awake(struct agents *agents, int64_t mono_ms);
struct agents_now agents_now(struct agents *agents, int64_t wall_ms, int64_t mono_ms);

/* A batch of this agent was stored. newest_ms: its newest sample, INT64_MIN: none. */
struct agent_push {
    const char *id;
    int64_t interval_ms, newest_ms, wall_ms, mono_ms;
};
void agents_note(struct agents *agents, const struct agent_push *push);
/* As read from the database at start. */
void agents_put(struct agents *agents, const struct agent *from);

/* A copy of all, by id; free(). */
struct agent *agents_all(struct agents *agents, size_t *ret_n);
/* The dirty ones, which are clean now; free(). When they could not be written: put back. */
struct agent *agents_take_dirty(struct agents *agents, size_t *ret_n);
/* Its number, 0 when it is not known. */
uint32_t agents_number(struct agents *agents, const char *id);
void agents_set_marked(struct agents *agents, const char *id, bool is_marked);
