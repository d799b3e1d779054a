#pragma once

/*
 * One escalation: whom to page next about an incident nobody has taken yet.
 *
 *   RUNNING --- acknowledge ---> ACKNOWLEDGED --- it expired ---> RUNNING, with what was next
 *      |  \---- snooze --------> SNOOZED ------- its end -------> RUNNING, from the first step
 *      |   \--- take over -----> TAKEN
 *      |    \-- every round over, fallback paged --> EXHAUSTED
 *      +------- resolve (from any) --> RESOLVED
 *
 * Steps are due at instants that follow from the policy and the events alone:
 *  (1) the first when it opened, each next one delay_ms behind the one before;
 *  (2) a step that reaches nobody is over at once: the next is due at the same instant;
 *  (3) behind the last step of the last round comes the fallback, once;
 *  (4) a step is due before an event of the same instant; what was acknowledged when all had
 *      been paged already starts again from the first step when that expires;
 *  (5) who is on call is asked for the instant at which the step was DUE, not for now.
 * So it does not matter when, or how often, it is advanced: a restart changes no page. A
 * move that was due long ago says so (at_ms), and its teller may add how late it is.
 */

#include "alertd/oncall/schedule.h"
#include "lib/base/str.h"

enum escalation_status {
    ESCALATION_RUNNING,
    ESCALATION_ACKNOWLEDGED,
    ESCALATION_SNOOZED,
    ESCALATION_TAKEN,
    ESCALATION_EXHAUSTED,
    ESCALATION_RESOLVED,
};

#define ESCALATION_NEVER INT64_MAX

struct escalation {
    enum escalation_status status;
    int64_t opened_ms;
    unsigned round, step;             /* what is due next, both from 0 */
    int64_t next_ms;                  /* when; ESCALATION_NEVER: nothing by itself */
    char person[ROSTER_NAME_MAX + 1]; /* who acknowledged, snoozed or took it; "" */
};

enum escalation_event_kind {
    ESCALATION_ACKNOWLEDGE,
    ESCALATION_SNOOZE, /* until_ms */
    ESCALATION_TAKE_OVER,
    ESCALATION_RESOLVE,
    ESCALATION_ESCALATE, /* somebody asks for the next step now */
};

struct escalation_event {
    enum escalation_event_kind kind;
    int64_t at_ms;
    const char *person;
    int64_t until_ms;
};

enum escalation_move_kind {
    ESCALATION_PAGE,      /* somebody can be told */
    ESCALATION_NOBODY,    /* the step reaches nobody: reasons say why */
    ESCALATION_FALLBACK,  /* like PAGE, behind the last round */
    ESCALATION_RAN_OUT,   /* every round is over and no fallback reaches anybody */
    ESCALATION_CONTINUED, /* an acknowledgement expired or a snooze ended */
};

/* One person or receiver a step pages, or a target of it that reached nobody. */
struct escalation_page {
    enum target_kind via;  /* person, schedule, receiver */
    const char *target;    /* the name in the policy */
    const char *person;    /* NULL: a receiver, or nobody */
    const char *unreached; /* NULL: told; else why nobody is, for people to read */
};

struct escalation_move {
    enum escalation_move_kind kind;
    int64_t at_ms; /* when it was due */
    unsigned round, step;
    const struct escalation_page *pages; /* nobody twice */
    size_t n_pages;
};

struct escalation_moves {
    struct escalation_move *at;
    size_t n, capacity;
    bool cut; /* the arena is spent: not every move is here, and the state was left alone */
};

void escalation_open(struct escalation *escalation, int64_t opened_ms);

/* Performs all that was due until now_ms; moves are appended in their order, in arena.
 * False (and *escalation untouched) when the arena is spent. */
bool escalation_advance(struct escalation *escalation,
                        const struct policy *policy,
                        const struct roster *roster,
                        int64_t now_ms,
                        struct arena *arena,
                        struct escalation_moves *moves);

/* Performs what was due until the event, then the event. False as above. An event on a
 * RESOLVED escalation, or one with a time before the newest step, changes what is ahead only. */
bool escalation_tell(struct escalation *escalation,
                     const struct policy *policy,
                     const struct roster *roster,
                     const struct escalation_event *event,
                     struct arena *arena,
                     struct escalation_moves *moves);

/* What it did, and what somebody did to it, as JSON for the timeline:
 * {"policy","move":"page","step":1,"round":1,"targets":[{"kind","name","person"?,"unreached"?}]},
 * {"policy","deed":"snooze","until"?}, {"policy"}. */
void escalation_move_print(const struct escalation_move *move, const char *policy, struct str *out);
void escalation_event_print(const struct escalation_event *event,
                            const char *policy,
                            struct str *out);
void escalation_policy_print(const char *policy, struct str *out);

/* "running", "acknowledged", … */
const char *escalation_status_name(enum escalation_status status);

/* The state as JSON to be stored, and back: 0 or JSON's error. */
void escalation_print(const struct escalation *escalation, struct str *out);
int escalation_parse(const char *text, size_t len, struct escalation *ret, struct err *reterr);
