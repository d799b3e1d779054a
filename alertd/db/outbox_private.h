#pragma once

/*
 * Inside the outbox: what outbox_send_db.c (claims, marks) and outbox_fold_db.c (digests, the
 * canary) share. Nobody else includes this.
 */

#include "alertd/db/outbox_db.h"

/* A row in whose place an earlier one has to be told first: one of its own that is unsent, or a
 * digest that tells one. */
#define OUTBOX_NO_EARLIER                                                                       \
    " AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.receiver = o.receiver AND e.kind = o.kind" \
    "  AND e.slot = o.slot AND e.state IN ('waiting', 'sending')"                               \
    "  AND (e.lane = 'shadow') = (o.lane = 'shadow')"                                           \
    "  AND e.incident_id = o.incident_id AND e.id < o.id)"                                      \
    " AND NOT EXISTS (SELECT 1 FROM outbox f CROSS JOIN outbox d ON d.id = f.superseded_by"     \
    "  WHERE f.incident_id = o.incident_id AND f.receiver = o.receiver AND f.kind = o.kind"     \
    "  AND f.slot = o.slot AND f.state = 'superseded' AND d.reason = 'digest'"                  \
    "  AND (f.lane = 'shadow') = (o.lane = 'shadow')"                                           \
    "  AND d.state IN ('waiting', 'sending'))"
/* Of a row that was being sent: what nobody needs any more when it did not arrive, since somebody looks
 * at the incident; outbox_db_drop_reminders() had it out of reach. */
#define OUTBOX_NOT_NEEDED                                                        \
    "lane = 'page' AND reason IN ('repeat', 'escalation') AND 'acknowledged' = " \
    "(SELECT i.status FROM incident i WHERE i.id = outbox.incident_id)"

/* By a range, so that the index of what is unsent serves it. */
#define OUTBOX_OF_PEOPLE "receiver >= 'person:' AND receiver < 'person;' AND state = 'waiting'"

/* Orders incidents (i) by what their severity is worth: incident_severity_rank(). */
#define OUTBOX_GRAVEST                                                              \
    "CASE lower(i.severity) WHEN 'critical' THEN 0 WHEN 'page' THEN 0"              \
    " WHEN 'fatal' THEN 0 WHEN 'emergency' THEN 0 WHEN 'error' THEN 1"              \
    " WHEN 'major' THEN 1 WHEN 'high' THEN 1 WHEN 'info' THEN 3 WHEN 'none' THEN 3" \
    " WHEN '' THEN 3 ELSE 2 END"

/* Whom the next page is for. */
struct outbox_place {
    char receiver[160]; /* "": nobody may be told now */
    char kind[16];
    unsigned slot;
    size_t singly;   /* SIZE_MAX: nothing is folded */
    int64_t wait_ms; /* INT64_MAX: nobody is held back; else until one of them may be told */
};

/* The integration of the options, or a contact of a person, that something is due for and the
 * pace lets through. */
int outbox_next_place(struct db_conn *conn,
                      const struct outbox_claim_options *options,
                      struct outbox_place *ret_place,
                      struct err *reterr);
/* When there is something to claim again, when nothing is now: into claims->next_due_ms. */
int outbox_next_due(struct db_conn *conn,
                    const struct outbox_claim_options *options,
                    struct outbox_claims *claims,
                    struct err *reterr);
/* More wait than may go one by one: a digest of them, claimed; *ret_n is how many it tells, 0
 * when there is none. The options name an integration. */
int outbox_fold(struct db_conn *conn,
                const struct outbox_claim_options *options,
                size_t singly,
                struct arena *arena,
                struct page *page,
                size_t *ret_n,
                struct err *reterr);
/* The page of a row about no incident: a digest as its rows say now, or the canary. */
int outbox_page_of_none(struct db_conn *conn,
                        const struct outbox_claim_options *options,
                        struct arena *arena,
                        struct page *page,
                        struct err *reterr);
void outbox_canary_page(const struct outbox_claim_options *options, struct page *page);

/* The page of a row, whatever its state is. */
int outbox_page_of(struct db_conn *conn,
                   const struct outbox_claim_options *options,
                   int64_t id,
                   struct arena *arena,
                   struct page *page,
                   struct err *reterr);
