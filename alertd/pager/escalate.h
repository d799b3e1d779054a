#pragma once

/*
 * Escalations of incidents: what an integration of kind `oncall` becomes instead of a row of
 * the outbox. Inside the pager; what people do to one is in pager.h.
 *
 *   first news of a group ----> begins, pages the first step at once
 *   next_ms, in pager_run() --> oncall/escalation.h decides; its moves become an event on the
 *                               timeline and rows of the outbox, for each contact of a person
 *   the end of the incident --> over, and who was paged is told
 *
 * Everything is in the transaction that moved the row, so a restart finds what was done and
 * nothing else. An incident that fires again after its escalation was over begins anew.
 */

#include "alertd/db/escalation_db.h"
#include "alertd/db/incident_db.h"
#include "alertd/pager/private.h"
#include "alertd/route/reason.h"

/* A notification is owed to a policy. */
int escalate_news(struct pager_call *call,
                  const char *policy,
                  int64_t incident_id,
                  enum route_reason reason,
                  int64_t at_ms);
/* An alert fires in the incident: escalations of it that were over begin anew. */
int escalate_again(struct pager_call *call, int64_t incident_id);
/* Performs what is due. *next_ms becomes when the next is, if that is sooner. */
int escalate_due(struct pager_call *call, int64_t *next_ms);

/* One escalation that is worked on. */
struct escalate_work {
    struct pager_call *call;
    struct arena *arena;
    struct incident incident;
    struct escalation_row row;
    struct escalation state;
    struct policy policy;
    struct fork_made *made; /* fork.c's: reverse pages of the move that is performed */
};

enum {
    ESCALATE_BYTES_MAX = 64 * 1024 * 1024, /* of a work's arena */
    ESCALATE_WORDS_MAX = 16 * 1024,
};

/* Reads the texts of work->row; *ret_ok is false when they can't be read: it was given up. */
int escalate_read(struct escalate_work *work, bool *ret_ok);
/* Performs and stores everything due until now, then the event if there is one (NULL: none). */
int escalate_move(struct escalate_work *work, const struct escalation_event *event);
/* The incident is over: nobody else is paged. */
int escalate_end(struct escalate_work *work);
/* An event on the timeline; actor NULL: a machine's; data NULL: the policy's name alone. */
int escalate_say(struct escalate_work *work,
                 const char *actor,
                 const char *text,
                 const struct str *data,
                 int64_t at_ms);

/* Every contact of a person, after_ms behind the instant. */
int escalate_page_person(struct escalate_work *work,
                         const char *name,
                         int64_t at_ms,
                         int64_t after_ms);
/* Since when rows that were due at an instant are owed. */
int64_t escalate_owed_ms(const struct pager_call *call, int64_t at_ms);

/* fork.c: what a move's pages are for shadows. Whatever goes wrong there is logged, and taken
 * back alone; an error is one of the whole transaction.
 *
 * In front of a page: who is in reverse in the place of its person is paged first. *ret_after_ms
 * is how long behind them its person is; 0: at once. */
int fork_reverse(struct escalate_work *work,
                 const struct escalation_move *move,
                 const struct escalation_page *page,
                 int64_t *ret_after_ms);
/* Behind all of the move's pages: copies, and who stands behind in reverse. */
int fork_copies(struct escalate_work *work, const struct escalation_move *move);
/* The incident is over: so say their copies. */
int fork_end(struct escalate_work *work);

/* What a move is, for people, and for who explains: "step 1 of shop pages ana (schedule web) by
 * ntfy and email". */
void escalate_words(const struct escalation_move *move,
                    const struct policy *policy,
                    const struct roster *roster,
                    const struct route_config *config,
                    struct str *out);
