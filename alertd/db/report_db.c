/*
 * What a report is made of. See report_db.h.
 *
 * Touched are the incidents that were open within the span, or paged about in it: of these
 * everything is read, so that a page finds the alerts it was about.
 */

#include "alertd/db/report_db.h"

#include <stdlib.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/outbox_db.h"
#include "alertd/db/rows.h"

/* ?1 and ?2: the span. */
#define TOUCHED                                                                            \
    "WITH touched AS (SELECT id FROM incident WHERE opened_ms < ?2"                        \
    " AND (resolved_ms IS NULL OR resolved_ms >= ?1) UNION SELECT incident_id FROM outbox" \
    " WHERE " OUTBOX_IS_PAGE " AND sent_ms >= ?1 AND sent_ms < ?2"                         \
    " AND incident_id IS NOT NULL) "

static const char too_much[] = "too much for one report: ask for a shorter time";

static bool read_incident(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct report_incident *one = ret_item;

    *one = (struct report_incident){
        .id = db_int(stmt, 0),
        .key = rows_text(arena, stmt, 1),
        .title = rows_text(arena, stmt, 2),
        .opened_at_ms = db_int(stmt, 3),
        .acknowledged_at_ms = db_int(stmt, 4),
        .resolved_at_ms = db_int(stmt, 5),
        .resolved_by_person = db_int(stmt, 6) != 0,
    };
    return one->key && one->title;
}

static bool read_page(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct report_page *one = ret_item;

    *one = (struct report_page){db_int(stmt, 0), rows_text(arena, stmt, 1), db_int(stmt, 2)};
    return one->who != NULL;
}

static bool read_change(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct report_change *one = ret_item;

    *one = (struct report_change){
        .incident_id = db_int(stmt, 0),
        .rule_id = db_int(stmt, 1),
        .rule = rows_text(arena, stmt, 2),
        .instance = rows_text(arena, stmt, 3),
        .fingerprint = strtoull(db_text(stmt, 4), NULL, 16),
        .at_ms = db_int(stmt, 5),
        .fires = db_int(stmt, 6) != 0,
        .step_ms = db_int(stmt, 7),
    };
    return one->rule && one->instance;
}

static bool read_vote(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct report_vote *one = ret_item;

    *one = (struct report_vote){db_int(stmt, 0), db_int(stmt, 1), rows_text(arena, stmt, 2),
                                verdict_parse(db_text(stmt, 3))};
    return one->rule != NULL;
}

static int read_all(struct db_stmt *stmt,
                    const struct report_input *input,
                    struct arena *arena,
                    const struct rows_kind *kind,
                    void *ret_items,
                    size_t *ret_n,
                    struct err *reterr)
{
    db_bind_int(stmt, 1, input->from_ms);
    db_bind_int(stmt, 2, input->to_ms);
    return rows_read(stmt, arena, kind, ret_items, ret_n, reterr);
}

static int read_incidents(struct db_conn *conn,
                          struct arena *arena,
                          struct report_input *input,
                          struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct report_incident), read_incident,
                                          INCIDENT_DB_E_LIMIT, too_much};

    return read_all(db_prepare(conn, TOUCHED
                               "SELECT id, key, title, opened_ms, acknowledged_ms, resolved_ms,"
                               " resolved_by IS NOT NULL FROM incident"
                               " WHERE id IN (SELECT id FROM touched)"),
                    input, arena, &kind, &input->incidents, &input->n_incidents, reterr);
}

/* One telling of one receiver or person, in however many ways: what was decided at one instant. */
static int read_pages(struct db_conn *conn,
                      struct arena *arena,
                      struct report_input *input,
                      struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct report_page), read_page,
                                          INCIDENT_DB_E_LIMIT, too_much};

    return read_all(db_prepare(conn, "SELECT incident_id, receiver, min(sent_ms) FROM outbox"
                                     " WHERE " OUTBOX_IS_PAGE " AND incident_id IS NOT NULL"
                                     " GROUP BY incident_id, receiver, created_ms"
                                     " HAVING min(sent_ms) >= ?1 AND min(sent_ms) < ?2"),
                    input, arena, &kind, &input->pages, &input->n_pages, reterr);
}

/* A rule's state can't change more often than its group is evaluated, nor come back sooner
 * than its `for`; nobody looks more often than once a minute. */
static int read_changes(struct db_conn *conn,
                        struct arena *arena,
                        struct report_input *input,
                        struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct report_change), read_change,
                                          INCIDENT_DB_E_LIMIT, too_much};

    return read_all(
        db_prepare(conn, TOUCHED
                   "SELECT ie.incident_id, json_extract(e.data, '$.rule_id'),"
                   " coalesce(json_extract(e.data, '$.alertname'), ''),"
                   " coalesce(json_extract(e.data, '$.labels.instance'), ''),"
                   " json_extract(e.data, '$.fingerprint'), e.occurred_ms, e.kind = 'alert.firing',"
                   " max(60000, coalesce(r.for_ms, 0), coalesce(g.interval_ms, 0))"
                   " FROM touched t JOIN incident_event ie ON ie.incident_id = t.id"
                   " JOIN event e ON e.id = ie.event_id"
                   " LEFT JOIN rule r ON r.id = json_extract(e.data, '$.rule_id')"
                   " LEFT JOIN rule_group g ON g.id = r.group_id"
                   " WHERE e.kind IN ('alert.firing', 'alert.resolved') AND e.occurred_ms < ?2"),
        input, arena, &kind, &input->changes, &input->n_changes, reterr);
}

static int read_votes(struct db_conn *conn,
                      struct arena *arena,
                      struct report_input *input,
                      struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct report_vote), read_vote,
                                          INCIDENT_DB_E_LIMIT, too_much};

    return read_all(db_prepare(conn, TOUCHED
                               "SELECT v.incident_id, r.rule_id, r.name, v.verdict FROM verdict v"
                               " JOIN verdict_rule r ON r.verdict_id = v.id"
                               " WHERE v.incident_id IN (SELECT id FROM touched)"
                               " AND NOT EXISTS (SELECT 1 FROM verdict n"
                               "  WHERE n.incident_id = v.incident_id AND n.actor = v.actor"
                               "  AND n.id > v.id)"),
                    input, arena, &kind, &input->votes, &input->n_votes, reterr);
}

int report_db_read(struct db_conn *conn,
                   struct arena *arena,
                   struct report_input *input,
                   struct err *reterr)
{
    int r = read_incidents(conn, arena, input, reterr);

    if (r == 0)
        r = read_pages(conn, arena, input, reterr);
    if (r == 0)
        r = read_changes(conn, arena, input, reterr);
    if (r == 0)
        r = read_votes(conn, arena, input, reterr);
    return r;
}
