/*
 * Actions of postmortems. See postmortem_action_db.h.
 */

#include "alertd/db/postmortem_action_db.h"

#include <string.h>

#include "alertd/db/postmortem_db.h"
#include "alertd/db/rows.h"
#include "lib/json/write.h"

enum {
    DAY_MS = 24 * 3600 * 1000,
    AGAIN_DAYS = 7, /* between reminders of what is overdue */
};

const char *const action_types[] = {"prevent", "detect",      "mitigate", "process",
                                    "repair",  "investigate", NULL};
const char *const action_tags[] = {"monitoring", "alerting",   "oncall", "process",
                                   "capacity",   "failover",   "slo",    "code",
                                   "config",     "dependency", NULL};
const char *const action_states[] = {"open", "doing", "done", "wont_do", NULL};

bool action_is_over(const char *state)
{
    return strcmp(state, "done") == 0 || strcmp(state, "wont_do") == 0;
}

bool action_is_reminded(int64_t due_ms, int64_t now_ms)
{
    int64_t since_ms = now_ms - due_ms;

    if (!due_ms || since_ms < -DAY_MS)
        return false;
    return since_ms < 0 || since_ms / DAY_MS % AGAIN_DAYS == 0;
}

#define ROWS                                                                         \
    "SELECT a.id, a.postmortem_id, i.key, a.text, a.type, a.tag, a.owner, a.due_ms," \
    " a.state, a.done_when, a.proof_url, a.reason, a.rule_draft, a.revision,"        \
    " a.created_ms, a.created_by, a.updated_ms, a.updated_by, a.closed_ms"           \
    " FROM postmortem_action a JOIN postmortem p ON p.id = a.postmortem_id"          \
    " JOIN incident i ON i.id = p.incident_id"

static bool read_row(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct action_row *row = ret_item;

    *row = (struct action_row){
        .id = db_int(stmt, 0),
        .postmortem_id = db_int(stmt, 1),
        .incident = rows_text(arena, stmt, 2),
        .text = rows_text(arena, stmt, 3),
        .type = rows_text(arena, stmt, 4),
        .tag = rows_text(arena, stmt, 5),
        .owner = rows_text(arena, stmt, 6),
        .due_ms = db_int(stmt, 7),
        .state = rows_text(arena, stmt, 8),
        .done_when = rows_text(arena, stmt, 9),
        .proof_url = rows_text(arena, stmt, 10),
        .reason = rows_text(arena, stmt, 11),
        .rule_draft = rows_text(arena, stmt, 12),
        .revision = db_int(stmt, 13),
        .created_ms = db_int(stmt, 14),
        .created_by = rows_text(arena, stmt, 15),
        .updated_ms = db_int(stmt, 16),
        .updated_by = rows_text(arena, stmt, 17),
        .closed_ms = db_int(stmt, 18),
    };
    return row->incident && row->text && row->type && row->tag && row->owner && row->state &&
           row->done_when && row->proof_url && row->reason && row->rule_draft && row->created_by &&
           row->updated_by;
}

static const struct rows_kind row_kind = {sizeof(struct action_row), read_row, ACTION_DB_E_LIMIT,
                                          "too much to show at once"};

int action_db_list(struct db_conn *conn,
                   const struct action_query *query,
                   struct arena *arena,
                   struct action_row **ret_actions,
                   size_t *ret_n,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, ROWS " WHERE (?1 = 0 OR a.postmortem_id = ?1)"
                   " AND (?2 = 0 OR a.state IN ('open', 'doing'))"
                   " AND (?3 IS NULL OR a.owner = ?3)"
                   " ORDER BY a.state IN ('done', 'wont_do'), a.due_ms IS NULL, a.due_ms, a.id"
                   " LIMIT 1000");

    db_bind_int(stmt, 1, query->postmortem_id);
    db_bind_int(stmt, 2, query->open_only);
    db_bind_text(stmt, 3, query->owner);
    return rows_read(stmt, arena, &row_kind, ret_actions, ret_n, reterr);
}

int action_db_get(struct db_conn *conn,
                  int64_t id,
                  struct arena *arena,
                  struct action_row *ret_action,
                  struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, ROWS " WHERE a.id = ?1");
    struct action_row row;

    db_bind_int(stmt, 1, id);
    bool found = db_step(stmt);
    bool fits = found && read_row(stmt, arena, &row);
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    if (!found)
        return err_set(reterr, ACTION_DB_E_NOT_FOUND, "there is no action %lld", (long long)id);
    if (!fits)
        return err_set(reterr, ACTION_DB_E_LIMIT, "too much to show at once");
    *ret_action = row;
    return 0;
}

/* --- jobs --- */

static void write_change(const struct action_row *action, struct str *out)
{
    struct json_out json = JSON_OUT(out);

    json_open(&json, '{');
    json_kv_string(&json, "text", action->text);
    json_kv_string(&json, "type", action->type);
    json_kv_string(&json, "tag", action->tag);
    json_kv_string(&json, "owner", action->owner);
    json_kv_time(&json, "due_at", action->due_ms);
    json_kv_string(&json, "state", action->state);
    json_kv_string(&json, "done_when", action->done_when);
    json_kv_string(&json, "proof_url", action->proof_url);
    json_kv_string(&json, "reason", action->reason);
    json_close(&json, '}');
}

static int add_change(struct db_conn *conn,
                      const struct action_row *action,
                      const char *actor,
                      int64_t now_ms,
                      struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "INSERT INTO postmortem_action_change"
                                            " VALUES (?1, ?2, ?3, ?4, ?5)");
    STR_AUTO struct str change = STR_INIT(256 * 1024);

    write_change(action, &change);
    db_bind_int(stmt, 1, action->id);
    db_bind_int(stmt, 2, action->revision);
    db_bind_text(stmt, 3, str_text(&change));
    db_bind_text(stmt, 4, actor);
    db_bind_int(stmt, 5, now_ms);
    return db_run(stmt, reterr);
}

static void bind_action(struct db_stmt *stmt,
                        const struct action_row *action,
                        const char *actor,
                        int64_t now_ms)
{
    db_bind_text(stmt, 2, action->text);
    db_bind_text(stmt, 3, action->type);
    db_bind_text(stmt, 4, action->tag);
    db_bind_text(stmt, 5, action->owner);
    rows_bind_time(stmt, 6, action->due_ms);
    db_bind_text(stmt, 7, action->state);
    db_bind_text(stmt, 8, action->done_when);
    db_bind_text(stmt, 9, action->proof_url);
    db_bind_text(stmt, 10, action->reason);
    db_bind_text(stmt, 11, action->rule_draft);
    db_bind_int(stmt, 12, action->revision);
    db_bind_int(stmt, 13, now_ms);
    db_bind_text(stmt, 14, actor);
    rows_bind_time(stmt, 15, action->closed_ms);
}

static int insert_action(struct db_conn *conn,
                         struct action_row *action,
                         const char *actor,
                         int64_t now_ms,
                         struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO postmortem_action (postmortem_id, text, type, tag, owner, due_ms, state,"
              " done_when, proof_url, reason, rule_draft, revision, created_ms, created_by,"
              " updated_ms, updated_by, closed_ms) SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
              " ?11, ?12, ?13, ?14, ?13, ?14, ?15 FROM postmortem WHERE id = ?1");

    db_bind_int(stmt, 1, action->postmortem_id);
    bind_action(stmt, action, actor, now_ms);
    int r = db_run(stmt, reterr);

    if (!r && db_changes(conn) == 0)
        r = err_set(reterr, ACTION_DB_E_NOT_FOUND, "there is no postmortem %lld",
                    (long long)action->postmortem_id);
    if (!r)
        action->id = db_last_id(conn);
    return r;
}

static int update_action(struct db_conn *conn,
                         const struct action_row *action,
                         const char *actor,
                         int64_t now_ms,
                         struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE postmortem_action SET text = ?2, type = ?3, tag = ?4, owner = ?5,"
              " due_ms = ?6, state = ?7, done_when = ?8, proof_url = ?9, reason = ?10,"
              " rule_draft = ?11, revision = ?12, updated_ms = ?13, updated_by = ?14,"
              " closed_ms = ?15 WHERE id = ?1");

    db_bind_int(stmt, 1, action->id);
    bind_action(stmt, action, actor, now_ms);
    return db_run(stmt, reterr);
}

/* Its next revision, when it is the one the writer had before them. */
static int prepare(struct db_conn *conn,
                   struct action_row *action,
                   int64_t now_ms,
                   struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct action_row now = {.state = ""};

    arena_init(&arena, 4 * 1024 * 1024);
    int r = action->id ? action_db_get(conn, action->id, &arena, &now, reterr) : 0;

    if (r)
        return r;
    if (action->id && now.revision != action->revision)
        return err_set(reterr, ACTION_DB_E_STALE,
                       "revision %lld is not the newest: %s saved revision %lld meanwhile",
                       (long long)action->revision, now.updated_by, (long long)now.revision);
    if (strcmp(action->state, "wont_do") == 0 && !*action->reason)
        return err_set(reterr, ACTION_DB_E_REASON, "say why it will not be done: reason");
    if (action->id)
        action->postmortem_id = now.postmortem_id;
    action->revision = now.revision + 1;
    action->closed_ms = 0;
    if (action_is_over(action->state))
        action->closed_ms = now.closed_ms ? now.closed_ms : now_ms;
    return 0;
}

int action_db_save(struct db_conn *conn,
                   const struct action_row *action,
                   const char *actor,
                   int64_t now_ms,
                   int64_t *ret_id,
                   struct err *reterr)
{
    struct action_row next = *action;
    int r = prepare(conn, &next, now_ms, reterr);

    if (!r)
        r = next.id ? update_action(conn, &next, actor, now_ms, reterr)
                    : insert_action(conn, &next, actor, now_ms, reterr);
    if (!r)
        r = add_change(conn, &next, actor, now_ms, reterr);
    if (!r)
        r = postmortem_db_touch(conn, next.postmortem_id, actor, now_ms, reterr);
    if (!r)
        r = postmortem_search_db_index(conn, next.postmortem_id, reterr);
    if (!r)
        *ret_id = next.id;
    return r;
}

int action_db_count(struct db_conn *conn,
                    int64_t now_ms,
                    struct action_count ret_counts[ACTION_COUNTS],
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT state, state IN ('open', 'doing') AND coalesce(due_ms, ?1) < ?1, count(*)"
              " FROM postmortem_action GROUP BY 1, 2");

    for (int i = 0; i < ACTION_COUNTS; i++)
        ret_counts[i] = (struct action_count){.state = action_states[i]};
    db_bind_int(stmt, 1, now_ms);
    while (db_step(stmt))
        for (int i = 0; i < ACTION_COUNTS; i++)
            if (strcmp(action_states[i], db_text(stmt, 0)) == 0)
                *(db_int(stmt, 1) ? &ret_counts[i].overdue : &ret_counts[i].in_time) = db_int(stmt,
                                                                                              2);
    return db_done(stmt, reterr);
}
