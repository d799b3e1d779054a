#pragma once

/*
 * Who pushes, and is it still there?
 *
 *              a push              silent for max(3 intervals, 30 s)
 *     LOST ───────────> FRESH ──> LATE ──────────────────────────────> LOST
 *                                 (past one interval and a half)
 *
 * For two intervals after alertd's own start nobody is lost: they may be waiting to reach it.
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

enum agent_state {
    AGENT_FRESH,
    AGENT_LATE,
    AGENT_LOST,
};

struct agent {
    int64_t first_seen_ms;
    int64_t last_push_ms; /* when its last batch was stored, our clock */
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
enum agent_state agent_state_at(const struct agent *agent, int64_t started_ms, int64_t now_ms);
/* How long it may be silent. */
int64_t agent_patience_ms(const struct agent *agent);
const char *agent_state_name(enum agent_state state);

struct agents;
struct agents *agents_new(void);
void agents_free(struct agents *agents);

/* A batch of this agent was stored. newest_ms: its newest sample, INT64_MIN: none. */
void agents_note(
    struct agents *agents, const char *id, int64_t interval_ms, int64_t newest_ms, int64_t now_ms);
/* As read from the database at start. */
void agents_put(struct agents *agents, const struct agent *from);

/* A copy of all, by id; free(). */
struct agent *agents_all(struct agents *agents, size_t *ret_n);
/* The dirty ones, which are clean now; free(). When they could not be written: put back. */
struct agent *agents_take_dirty(struct agents *agents, size_t *ret_n);
/* Its number, 0 when it is not known. */
uint32_t agents_number(struct agents *agents, const char *id);
void agents_set_marked(struct agents *agents, const char *id, bool is_marked);
