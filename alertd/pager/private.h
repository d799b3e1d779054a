#pragma once

/*
 * Inside the pager: what pager.c (events in), tell.c (notifications out) and load.c (from rows)
 * share. Nobody else includes this.
 */

#include <stdatomic.h>

#include "alertd/pager/pager.h"
#include "alertd/route/dispatch.h"
#include "lib/base/arena.h"

struct pager {
    struct db *state;
    const struct log *log;
    const struct route_config *_Atomic wanted; /* by pager_configure(); NULL: none waits */

    const struct route_config *config; /* a reference */
    struct dispatch *dispatch;
    struct silences *silences;
    struct silence *silence_rows;
    struct arena silence_arena;
    struct roster roster; /* people and schedules, as of a revision */
    struct arena roster_arena;
    struct zones zones;
    int64_t roster_revision;
    int64_t n_external; /* of others' alerts that fire, by their rows */
    bool has_roster;
    bool is_stale; /* the dispatcher is not what the rows say */
    uint64_t job;  /* that used it last */
    bool silences_are_stale;
};

/* One call of the pager, in a job. */
struct pager_call {
    struct pager *pager;
    struct db_conn *conn;
    int64_t now_ms;
    struct pager_outcome *outcome;
    int result; /* of callbacks: the first that failed */
    struct err *reterr;
};

/* pager.c: into the dispatcher, which takes references to its labels: they must be counted ones. */
void pager_put(struct pager_call *call, const struct incident_alert *alert);
/* The same of an alert in an arena. */
void pager_put_copy(struct pager_call *call, const struct incident_alert *alert);

/* load.c: the dispatcher and the silences as the rows say, if they are not. */
int pager_load(struct pager_call *call);
void pager_unload(struct pager *pager);

/* escalate.c */
void pager_drop_roster(struct pager *pager);

/* tell.c */
/* Flushes what is due and stores what it changed. */
int pager_flush(struct pager_call *call);
/* An alert into the incident of its first route; `late` as for page_db_fires(). */
int pager_open(struct pager_call *call, const struct incident_alert *alert, const char *late);
void pager_touch(struct pager_call *call, int64_t incident_id);

/* failover.c */
struct outbox_new;
/* What is over for a receiver is over for who stood in for it. */
int failover_end(struct pager_call *call, const struct outbox_new *news);
