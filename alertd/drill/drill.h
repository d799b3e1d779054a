#pragma once

/*
 * A drill: an incident to practise on, as one file says it (docs/drill-language.md).
 *
 *     text --lex.c--> lines of tokens --parse*.c--> struct drill
 *                          \--print.c--> the same text, canonical
 *
 *     what happens   series, faults on them, data files, things said and done at times
 *     who is there   rules, routes, who is paged after whom
 *     what is right  answers, hypotheses, actions, hints, limits, what really happened
 *     who plays      scripts of players, with what is expected of each
 *
 * Invariants
 *  (1) times are milliseconds since the drill's start; nothing here knows a clock.
 *  (2) all of it lives in the drill's arena and never changes after it is parsed.
 *  (3) people are named by the drill; the first one of the first step is the player.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/drill/lex.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/model/labels.h"
#include "lib/model/matcher.h"
#include "lib/regex/regex.h"

enum {
    DRILL_E_FILE = 1, /* reterr has line, column and what to do */

    DRILL_LENGTH_MAX_MS = 7 * 24 * 3600 * 1000,
    DRILL_POINTS_MAX = 2 * 1000 * 1000, /* samples of all series */
    DRILL_SERIES_MAX = 1000,
    DRILL_PLAYERS_MAX = 16,
    DRILL_PEOPLE_MAX = 16,
    DRILL_ARENA_MAX = 128 * 1024 * 1024,
};

/* What is timed. The order is that of telling. */
enum drill_clock {
    DRILL_SEEN,
    DRILL_ACK,
    DRILL_GRAPH,
    DRILL_RUNBOOK,
    DRILL_HYPOTHESIS,
    DRILL_RIGHT, /* the first hypothesis that is right */
    DRILL_TELL,
    DRILL_ESCALATE,
    DRILL_MITIGATION,
    DRILL_N_CLOCKS,
};

/* What is counted. */
enum drill_count {
    DRILL_WRONG, /* hypotheses */
    DRILL_HERRINGS,
    DRILL_HARM,
    DRILL_HINTS,
    DRILL_COST,    /* of the hints */
    DRILL_ANSWERS, /* questions answered right */
    DRILL_MISSES,  /* answers that were not */
    DRILL_N_COUNTS,
};

const char *drill_clock_name(enum drill_clock clock);
const char *drill_count_name(enum drill_count count);

/* A sample at every interval. A gap is no sample; one whose value is NaN is a staleness marker. */
struct drill_series {
    const struct labels *labels; /* counted */
    double *values;              /* of counters: how much a second */
    bool *gaps;                  /* NULL: none */
    size_t n;                    /* behind the last: the last goes on */
    bool is_counter;
    double noise;       /* 0: none */
    bool noise_is_part; /* of the value, otherwise in its unit */
    unsigned line;
};

enum drill_fault_kind {
    DRILL_FAULT_SET,
    DRILL_FAULT_ADD,
    DRILL_FAULT_SCALE,
    DRILL_FAULT_RAMP,
    DRILL_FAULT_SPIKE,
    DRILL_FAULT_FREEZE,
    DRILL_FAULT_DROP,
    DRILL_FAULT_GAP,
    DRILL_FAULT_RESET,
};

struct drill_fault {
    enum drill_fault_kind kind;
    const struct matcher *matchers;
    size_t n_matchers;
    double value;
    int64_t from_ms;
    int64_t to_ms;     /* INT64_MAX: to the end */
    bool until_mended; /* and mended_after_ms behind the mitigation */
    int64_t mended_after_ms;
    int64_t over_ms;  /* ramp */
    int64_t every_ms; /* spike */
    unsigned line;
};

/* A file beside the drill; first_ms: where its first sample goes, also before the start. */
struct drill_file {
    const char *name;
    int64_t first_ms;
    int64_t mended_ms; /* 0: none. What comes behind it comes earlier, when it is mended earlier */
    bool until_mended; /* and later, when it is mended later: the trouble goes on until then */
    unsigned line, column;
};

enum drill_happening {
    DRILL_DEPLOY,
    DRILL_CHAT,
    DRILL_LOG,
    DRILL_CUSTOMER,
    DRILL_NOTE,
};

struct drill_event {
    int64_t at_ms;
    enum drill_happening kind;
    const char *text;
};

/* Words that are accepted: equal when case and blanks are left aside, or a pattern within. */
struct drill_accept {
    const char *words;
    struct regex *regex; /* NULL: words */
};

struct drill_question {
    const char *id, *text;
    struct drill_accept *accepts;
    size_t n_accepts;
    unsigned line;
};

enum drill_worth {
    DRILL_WORTH_RIGHT, /* a hypothesis; an action that mends */
    DRILL_WORTH_WRONG, /* a hypothesis */
    DRILL_WORTH_RELEVANT,
    DRILL_WORTH_HERRING,
    DRILL_WORTH_HARM,
};

/* A hypothesis or an action, recognised in what a player writes. */
struct drill_idea {
    const char *id, *text;
    enum drill_worth worth;
    struct drill_accept *accepts;
    size_t n_accepts;
    unsigned line;
};

struct drill_hint {
    int64_t cost;
    const char *text;
};

struct drill_step {
    const char *person;
    int64_t delay_ms; /* until the next one is paged */
};

struct drill_really {
    bool given;
    int64_t after_ms;
    bool never;
    const char *note; /* NULL: none */
};

/* What must be so. */
enum drill_expect_kind {
    DRILL_EXPECT_STATE,    /* at at_ms the alert is in state */
    DRILL_EXPECT_PAGE,     /* by at_ms person was paged for the alert */
    DRILL_EXPECT_NO_PAGE,  /* never, anybody (person NULL) for the alert (NULL: any) */
    DRILL_EXPECT_RESOLVED, /* by at_ms it has fired and is over */
    DRILL_EXPECT_CLOCK,
    DRILL_EXPECT_COUNT,
};

enum drill_compare {
    DRILL_LESS,
    DRILL_AT_MOST,
    DRILL_EQUAL,
    DRILL_AT_LEAST,
    DRILL_MORE,
};

struct drill_expect {
    enum drill_expect_kind kind;
    int64_t at_ms; /* INT64_MAX: by the end */
    const char *alert, *person;
    const char *state; /* "pending", "firing", "inactive" */
    enum drill_clock clock;
    enum drill_count count;
    enum drill_compare compare;
    int64_t value; /* INT64_MAX: never */
    unsigned line, column;
};

enum drill_act_kind {
    DRILL_ACT_SEE,
    DRILL_ACT_ACK,
    DRILL_ACT_QUERY,
    DRILL_ACT_RUNBOOK,
    DRILL_ACT_HYPOTHESIS,
    DRILL_ACT_ANSWER, /* id: the question */
    DRILL_ACT_TELL,
    DRILL_ACT_ESCALATE,
    DRILL_ACT_DO, /* an action, in words */
    DRILL_ACT_HINT,
    DRILL_ACT_NOTE,
};

const char *drill_act_name(enum drill_act_kind kind);

enum drill_since {
    DRILL_SINCE_START,
    DRILL_SINCE_PAGE, /* the first page to the player */
    DRILL_SINCE_ONSET,
    DRILL_SINCE_LAST, /* what the player did before */
};

struct drill_act {
    enum drill_since since;
    int64_t after_ms;
    enum drill_act_kind kind;
    const char *id, *text; /* NULL: none */
    unsigned line;
};

struct drill_player {
    const char *name;
    struct drill_act *acts;
    size_t n_acts;
    struct drill_expect *expects;
    size_t n_expects;
    unsigned line;
};

/* A list of words with their places. */
struct drill_name {
    const char *text;
    unsigned line, column;
};

#define DRILL_LIST(type, name) \
    type *name;                \
    size_t n_##name, name##_capacity

struct drill {
    const char *title, *level, *teaches, *brief, *debrief;
    const char *reconstructed; /* NULL: made up to teach; otherwise from what */
    int64_t path;
    int64_t start_ms; /* the wall clock at 0 */
    int64_t interval_ms, length_ms, onset_ms, lead_ms;
    const char *config; /* a file beside it; NULL: one receiver that pages the steps */
    const char *roster, *policy;
    unsigned config_line, roster_line;
    DRILL_LIST(const char *, sources);
    DRILL_LIST(struct drill_name, rules);
    DRILL_LIST(struct drill_name, graphs);
    DRILL_LIST(struct drill_name, runbooks);
    DRILL_LIST(struct drill_step, steps);
    DRILL_LIST(struct drill_series, series);
    DRILL_LIST(struct drill_fault, faults);
    DRILL_LIST(struct drill_file, files);
    DRILL_LIST(struct drill_event, events);
    DRILL_LIST(struct drill_question, questions);
    DRILL_LIST(struct drill_idea, hypotheses);
    DRILL_LIST(struct drill_idea, actions);
    DRILL_LIST(struct drill_hint, hints);
    DRILL_LIST(struct drill_expect, expects);
    DRILL_LIST(struct drill_player, players);
    int64_t clock_limits[DRILL_N_CLOCKS]; /* INT64_MAX: none */
    int64_t count_limits[DRILL_N_COUNTS];
    struct drill_really really[DRILL_N_CLOCKS];
    const char *escalate_why; /* NULL: nobody needs to be called */
    struct drill_lines lines;
    struct arena arena;
};

/* Heap; drill_free(). 0 or DRILL_E_FILE. The text need not be NUL-terminated. */
int drill_parse(const char *text, size_t len, struct drill **ret_drill, struct err *reterr);
void drill_free(struct drill *drill); /* NULL is fine */

/* Canonical: what is parsed from it prints the same. */
void drill_print(const struct drill *drill, struct str *out);

/* Whether what somebody wrote is one of these. */
bool drill_accepts(const struct drill_accept *accepts, size_t n, const char *said);
/* NULL when none does; what would be wrong or do harm is found first. */
const struct drill_idea *drill_idea_find(const struct drill_idea *ideas,
                                         size_t n,
                                         const char *said);
const struct drill_player *drill_player_find(const struct drill *drill, const char *name);
/* Who plays: the first who is paged. */
const char *drill_you(const struct drill *drill);
