/*
 * Verdicts as rows of state.db. See verdict_db.h.
 */

#include "alertd/db/verdict_db.h"

#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/rows.h"
#include "lib/json/write.h"

enum {
    SCRATCH_BYTES_MAX = 1024 * 1024,
    TEXT_BYTES_MAX = 4096,
};

/* What the person said last of this incident is this already. */
static int is_said(struct db_conn *conn,
                   int64_t incident_id,
                   const struct verdict_deed *deed,
                   bool *ret_said,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT verdict, reason FROM verdict WHERE incident_id = ?1"
                                      " AND actor = ?2 ORDER BY id DESC LIMIT 1");

    db_bind_int(stmt, 1, incident_id);
    db_bind_text(stmt, 2, deed->actor);
    *ret_said = db_step(stmt) && strcmp(db_text(stmt, 0), verdict_name(deed->verdict)) == 0 &&
                strcmp(db_text(stmt, 1), deed->reason ? deed->reason : "") == 0;
    return db_done(stmt, reterr);
}

static int insert(struct db_conn *conn,
                  int64_t incident_id,
                  const struct verdict_deed *deed,
                  int64_t *ret_id,
                  struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO verdict (incident_id, outbox_id, actor, verdict, reason, at_ms, via)"
              " VALUES (?1, (SELECT id FROM outbox WHERE id = ?2 AND incident_id = ?1),"
              " ?3, ?4, ?5, ?6, ?7)");

    db_bind_int(stmt, 1, incident_id);
    db_bind_int(stmt, 2, deed->outbox_id);
    db_bind_text(stmt, 3, deed->actor);
    db_bind_text(stmt, 4, verdict_name(deed->verdict));
    db_bind_text(stmt, 5, deed->reason ? deed->reason : "");
    db_bind_int(stmt, 6, deed->now_ms);
    db_bind_text(stmt, 7, deed->via);
    int r = db_run(stmt, reterr);

    if (r)
        return r;
    *ret_id = db_last_id(conn);
    stmt = db_prepare(conn, "INSERT INTO verdict_rule SELECT DISTINCT ?1, rule_id, name"
                            " FROM incident_alert WHERE incident_id = ?2");
    db_bind_int(stmt, 1, *ret_id);
    db_bind_int(stmt, 2, incident_id);
    return db_run(stmt, reterr);
}

static int append(struct db_conn *conn,
                  int64_t incident_id,
                  const struct verdict_deed *deed,
                  struct err *reterr)
{
    static const char *const words[] = {
        [VERDICT_NONE] = "",
        [VERDICT_USEFUL] = "this page was useful",
        [VERDICT_NOISE] = "this page was noise",
        [VERDICT_UNKNOWN] = "doesn't know whether this page was useful",
    };
    STR_AUTO struct str text = STR_INIT(TEXT_BYTES_MAX);
    STR_AUTO struct str data = STR_INIT(TEXT_BYTES_MAX);
    struct json_out json = JSON_OUT(&data);

    str_add(&text, words[deed->verdict]);
    if (deed->reason && *deed->reason)
        str_addf(&text, ": %s", deed->reason);
    json_open(&json, '{');
    json_kv_string(&json, "verdict", verdict_name(deed->verdict));
    json_kv_string(&json, "via", deed->via);
    json_close(&json, '}');

    const struct timeline_event event = {
        .kind = timeline_kind_name(TIMELINE_VERDICT),
        .event_class = "human",
        .source = deed->via,
        .actor = deed->actor,
        .text = str_text(&text),
        .data = str_text(&data),
        .occurred_at_ms = deed->now_ms,
    };

    return event_db_append(conn, incident_id, &event, deed->now_ms, NULL, reterr);
}

int verdict_db_say(struct db_conn *conn,
                   const struct verdict_deed *deed,
                   bool *ret_changed,
                   struct err *reterr)
{
    ARENA_AUTO struct arena scratch;
    struct incident incident;
    int64_t id = 0;
    bool said = false;

    arena_init(&scratch, SCRATCH_BYTES_MAX);
    int r = incident_db_get(conn, deed->key, &scratch, &incident, reterr);
    if (r == 0)
        r = is_said(conn, incident.id, deed, &said, reterr);
    if (r == 0 && !said)
        r = insert(conn, incident.id, deed, &id, reterr);
    if (r == 0 && !said)
        r = append(conn, incident.id, deed, reterr);
    if (r == 0)
        *ret_changed = !said;
    return r;
}

int verdict_db_receiver(struct db_conn *conn,
                        int64_t incident_id,
                        int64_t outbox_id,
                        struct arena *arena,
                        const char **ret_receiver,
                        struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT receiver FROM outbox WHERE id = ?1 AND incident_id = ?2");
    const char *receiver = NULL;

    db_bind_int(stmt, 1, outbox_id);
    db_bind_int(stmt, 2, incident_id);
    bool found = db_step(stmt);
    if (found)
        receiver = rows_text(arena, stmt, 0);
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    if (found && !receiver)
        return err_set(reterr, INCIDENT_DB_E_LIMIT, "no room for a receiver's name");
    *ret_receiver = receiver;
    return 0;
}

static bool read_row(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct verdict_row *row = ret_item;

    *row = (struct verdict_row){
        .id = db_int(stmt, 0),
        .incident = rows_text(arena, stmt, 1),
        .opened_at_ms = db_int(stmt, 2),
        .resolved_at_ms = db_int(stmt, 3),
        .labels = rows_text(arena, stmt, 4),
        .rules = rows_text(arena, stmt, 5),
        .outbox_id = db_int(stmt, 6),
        .actor = rows_text(arena, stmt, 7),
        .verdict = verdict_parse(db_text(stmt, 8)),
        .reason = rows_text(arena, stmt, 9),
        .at_ms = db_int(stmt, 10),
        .via = rows_text(arena, stmt, 11),
        .counts = db_int(stmt, 12) != 0,
    };
    return row->incident && row->labels && row->rules && row->actor && row->reason && row->via;
}

static const struct rows_kind row_kind = {sizeof(struct verdict_row), read_row, INCIDENT_DB_E_LIMIT,
                                          "too much to show at once: ask for less"};

int verdict_db_list(struct db_conn *conn,
                    const struct verdict_query *query,
                    struct arena *arena,
                    struct verdict_row **ret_rows,
                    size_t *ret_n,
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT v.id, i.key, i.opened_ms, i.resolved_ms, i.labels,"
              " (SELECT coalesce(json_group_array(json_object('id', r.rule_id, 'name', r.name)),"
              "  '[]') FROM verdict_rule r WHERE r.verdict_id = v.id),"
              " v.outbox_id, v.actor, v.verdict, v.reason, v.at_ms, v.via,"
              " NOT EXISTS (SELECT 1 FROM verdict n WHERE n.incident_id = v.incident_id"
              "  AND n.actor = v.actor AND n.id > v.id)"
              " FROM verdict v JOIN incident i ON i.id = v.incident_id"
              " WHERE v.at_ms >= ?1 AND v.at_ms < ?2 AND (?3 = 0 OR v.incident_id = ?3)"
              " AND ((?4 = 0 AND ?5 IS NULL) OR EXISTS (SELECT 1 FROM verdict_rule r"
              "  WHERE r.verdict_id = v.id AND (?4 = 0 OR r.rule_id = ?4)"
              "  AND (?5 IS NULL OR r.name = ?5)))"
              " ORDER BY v.id DESC LIMIT ?6");

    db_bind_int(stmt, 1, query->from_ms);
    db_bind_int(stmt, 2, query->to_ms);
    db_bind_int(stmt, 3, query->incident_id);
    db_bind_int(stmt, 4, query->rule_id);
    db_bind_text(stmt, 5, query->rule);
    db_bind_int(stmt, 6, query->limit);
    return rows_read(stmt, arena, &row_kind, ret_rows, ret_n, reterr);
}
