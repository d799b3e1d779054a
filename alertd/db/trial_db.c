/*
 * Candidates of rules as rows. See trial_db.h.
 */

#include "alertd/db/trial_db.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/db/rows.h"
#include "lib/base/mem.h"

enum {
    LABELS_BYTES_MAX = 2 * 1024 * 1024,
    OPEN_BYTES_MAX = 64 << 20,
};

/* --- reading --- */

#define TRIAL_COLUMNS                                                                           \
    "SELECT t.rule_id, r.name, t.yaml, t.base_version, r.version, t.author, t.began_ms,"        \
    " r.is_live AND g.is_live, t.is_seeded, t.evaluations, t.failures, t.last_error, t.last_ms" \
    " FROM rule_trial t JOIN rule r ON r.id = t.rule_id JOIN rule_group g ON g.id = r.group_id"

static bool read_trial(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct trial_row *row = ret_item;

    *row = (struct trial_row){
        .rule_id = db_int(stmt, 0),
        .rule = rows_text(arena, stmt, 1),
        .yaml = rows_text(arena, stmt, 2),
        .base_version = db_int(stmt, 3),
        .version = db_int(stmt, 4),
        .author = rows_text(arena, stmt, 5),
        .began_ms = db_int(stmt, 6),
        .is_live = db_int(stmt, 7) != 0,
        .is_seeded = db_int(stmt, 8) != 0,
        .evaluations = db_int(stmt, 9),
        .failures = db_int(stmt, 10),
        .last_ms = db_int(stmt, 12),
    };
    return row->rule && row->yaml && row->author &&
           rows_text_or_null(arena, stmt, 11, &row->last_error);
}

static const struct rows_kind trial_kind = {sizeof(struct trial_row), read_trial, TRIAL_DB_E_LIMIT,
                                            "too many candidates to read at once"};

int trial_db_list(struct db_conn *conn,
                  struct arena *arena,
                  struct trial_row **ret_rows,
                  size_t *ret_n,
                  struct err *reterr)
{
    return rows_read(db_prepare(conn, TRIAL_COLUMNS " ORDER BY t.rule_id"), arena, &trial_kind,
                     ret_rows, ret_n, reterr);
}

int trial_db_get(struct db_conn *conn,
                 int64_t rule_id,
                 struct arena *arena,
                 struct trial_row *ret_row,
                 struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, TRIAL_COLUMNS " WHERE t.rule_id = ?1");
    struct trial_row *rows = NULL;
    size_t n = 0;

    db_bind_int(stmt, 1, rule_id);
    int r = rows_read(stmt, arena, &trial_kind, &rows, &n, reterr);

    if (r == 0 && n == 0)
        return err_set(reterr, TRIAL_DB_E_NOT_FOUND, "no canary runs beside rule %lld",
                       (long long)rule_id);
    if (r == 0)
        *ret_row = rows[0];
    return r;
}

static bool read_alert(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct trial_alert *alert = ret_item;

    *alert = (struct trial_alert){
        .is_candidate = strcmp(db_text(stmt, 0), "candidate") == 0,
        .labels = rows_labels(arena, db_text(stmt, 1)),
        .fired_ms = db_int(stmt, 2),
        .resolved_ms = db_int(stmt, 3),
    };
    return alert->labels != NULL;
}

int trial_db_alerts(struct db_conn *conn,
                    int64_t rule_id,
                    int64_t from_ms,
                    struct arena *arena,
                    struct trial_alert **ret_alerts,
                    size_t *ret_n,
                    struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct trial_alert), read_alert, TRIAL_DB_E_LIMIT,
                                          "too many alerts to compare"};
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT side, labels, fired_ms, resolved_ms FROM rule_trial_alert WHERE rule_id = ?1"
              " AND (resolved_ms IS NULL OR resolved_ms >= ?2) ORDER BY fired_ms, id");

    db_bind_int(stmt, 1, rule_id);
    db_bind_int(stmt, 2, from_ms);
    return rows_read(stmt, arena, &kind, ret_alerts, ret_n, reterr);
}

static int64_t time_or_never(struct db_stmt *stmt, int column)
{
    return db_is_null(stmt, column) ? ALERT_NEVER : db_int(stmt, column);
}

/* A counted set; NULL when the text is no such object. */
static const struct labels *read_labels(struct db_stmt *stmt, int column)
{
    ARENA_AUTO struct arena arena;

    arena_init(&arena, LABELS_BYTES_MAX);
    const struct labels *labels = rows_labels(&arena, db_text(stmt, column));

    return labels ? labels_new(labels->at, labels->n) : NULL;
}

int trial_db_state(struct db_conn *conn,
                   int64_t rule_id,
                   struct alert_set *ret_set,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT labels, state, active_ms, fired_ms, keep_firing_since_ms, no_data_since_ms,"
              " resolved_ms FROM rule_trial_state WHERE rule_id = ?1");

    *ret_set = (struct alert_set){0};
    db_bind_int(stmt, 1, rule_id);
    while (db_step(stmt)) {
        struct alert_entry entry = {
            .alert = {.state = (enum alert_state)db_int(stmt, 1),
                      .active_at_ms = time_or_never(stmt, 2),
                      .fired_at_ms = time_or_never(stmt, 3),
                      .keep_firing_since_ms = time_or_never(stmt, 4),
                      .no_data_since_ms = time_or_never(stmt, 5),
                      .resolved_at_ms = time_or_never(stmt, 6)},
            .labels = read_labels(stmt, 0),
            .annotations = labels_empty(),
        };

        if (entry.labels)
            alert_set_add(ret_set, &entry);
        labels_unref(entry.labels);
    }
    return db_done(stmt, reterr);
}

/* --- a candidate --- */

int trial_db_delete(struct db_conn *conn, int64_t rule_id, struct err *reterr)
{
    static const char *const all[] = {"DELETE FROM rule_trial_alert WHERE rule_id = ?1",
                                      "DELETE FROM rule_trial_state WHERE rule_id = ?1",
                                      "DELETE FROM rule_trial WHERE rule_id = ?1"};
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(all) / sizeof(all[0]); i++) {
        struct db_stmt *stmt = db_prepare(conn, all[i]);

        db_bind_int(stmt, 1, rule_id);
        r = db_run(stmt, reterr);
    }
    if (r == 0 && db_changes(conn) == 0)
        return err_set(reterr, TRIAL_DB_E_NOT_FOUND, "no canary runs beside rule %lld",
                       (long long)rule_id);
    return r;
}

static int count(struct db_conn *conn, int64_t *ret_n, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT count(*) FROM rule_trial");

    if (db_step(stmt))
        *ret_n = db_int(stmt, 0);
    return db_done(stmt, reterr);
}

int trial_db_put(struct db_conn *conn,
                 int64_t rule_id,
                 const char *yaml,
                 const char *author,
                 int64_t now_ms,
                 struct err *reterr)
{
    int64_t n = 0;
    int r = trial_db_delete(conn, rule_id, NULL);

    if (r == 0 || r == TRIAL_DB_E_NOT_FOUND)
        r = count(conn, &n, reterr);
    if (r == 0 && n >= TRIALS_MAX)
        return err_set(reterr, TRIAL_DB_E_LIMIT, "%d canaries run: take one away first",
                       TRIALS_MAX);
    if (r)
        return r;
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO rule_trial (rule_id, yaml, base_version, author, began_ms)"
              " SELECT id, ?2, version, ?3, ?4 FROM rule"
              " WHERE id = ?1 AND is_live AND type = 'alerting'");

    db_bind_int(stmt, 1, rule_id);
    db_bind_text(stmt, 2, yaml);
    db_bind_text(stmt, 3, author);
    db_bind_int(stmt, 4, now_ms);
    r = db_run(stmt, reterr);
    return r == 0 && db_changes(conn) == 0
               ? err_set(reterr, TRIAL_DB_E_NOT_FOUND, "there is no alerting rule %lld",
                         (long long)rule_id)
               : r;
}

/* --- an evaluation --- */

static void bind_time(struct db_stmt *stmt, int index, int64_t at_ms)
{
    if (at_ms == ALERT_NEVER)
        db_bind_null(stmt, index);
    else
        db_bind_int(stmt, index, at_ms);
}

static bool same_alert(const struct alert *a, const struct alert *b)
{
    return a->state == b->state && a->active_at_ms == b->active_at_ms &&
           a->fired_at_ms == b->fired_at_ms && a->keep_firing_since_ms == b->keep_firing_since_ms &&
           a->no_data_since_ms == b->no_data_since_ms && a->resolved_at_ms == b->resolved_at_ms;
}

static bool same_state(const struct alert_set *a, const struct alert_set *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!labels_equal(a->at[i].labels, b->at[i].labels) ||
            !same_alert(&a->at[i].alert, &b->at[i].alert))
            return false;
    return true;
}

static int save_state(struct db_conn *conn, const struct trial_save *save, struct err *reterr)
{
    struct db_stmt *gone = db_prepare(conn, "DELETE FROM rule_trial_state WHERE rule_id = ?1");

    db_bind_int(gone, 1, save->rule_id);
    int r = db_run(gone, reterr);

    for (size_t i = 0; r == 0 && i < save->after->n; i++) {
        STR_AUTO struct str labels = STR_INIT(ROWS_LABELS_BYTES_MAX);
        const struct alert *alert = &save->after->at[i].alert;
        struct db_stmt *stmt = db_prepare(
            conn, "INSERT INTO rule_trial_state VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");

        rows_labels_text(save->after->at[i].labels, &labels);
        db_bind_int(stmt, 1, save->rule_id);
        db_bind_text(stmt, 2, str_text(&labels));
        db_bind_int(stmt, 3, alert->state);
        bind_time(stmt, 4, alert->active_at_ms);
        bind_time(stmt, 5, alert->fired_at_ms);
        bind_time(stmt, 6, alert->keep_firing_since_ms);
        bind_time(stmt, 7, alert->no_data_since_ms);
        bind_time(stmt, 8, alert->resolved_at_ms);
        r = db_run(stmt, reterr);
    }
    return r;
}

struct open_alert {
    int64_t id;
    const struct labels *labels;
};

static bool read_open(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct open_alert *open = ret_item;

    *open = (struct open_alert){db_int(stmt, 0), rows_labels(arena, db_text(stmt, 1))};
    return open->labels != NULL;
}

static int end_alert(struct db_conn *conn, int64_t id, int64_t now_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn,
                                      "UPDATE rule_trial_alert SET resolved_ms = ?2 WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, now_ms);
    return db_run(stmt, reterr);
}

static int begin_alert(struct db_conn *conn,
                       int64_t rule_id,
                       const char *side,
                       const struct alert_entry *entry,
                       struct err *reterr)
{
    STR_AUTO struct str labels = STR_INIT(ROWS_LABELS_BYTES_MAX);
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO rule_trial_alert (rule_id, side, labels, fired_ms)"
              " VALUES (?1, ?2, ?3, ?4)");

    rows_labels_text(entry->labels, &labels);
    db_bind_int(stmt, 1, rule_id);
    db_bind_text(stmt, 2, side);
    db_bind_text(stmt, 3, str_text(&labels));
    db_bind_int(stmt, 4, entry->alert.fired_at_ms);
    return db_run(stmt, reterr);
}

static bool fires(const struct alert_set *set, const struct labels *labels)
{
    const struct alert_entry *entry = alert_set_find(set, labels);

    return entry && entry->alert.state == ALERT_FIRING;
}

static bool is_open(const struct open_alert *open, size_t n, const struct labels *labels)
{
    for (size_t i = 0; i < n; i++)
        if (labels_equal(open[i].labels, labels))
            return true;
    return false;
}

/* Rows that are open become those that fire. */
static int save_side(struct db_conn *conn,
                     const struct trial_save *save,
                     const char *side,
                     const struct alert_set *set,
                     struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct open_alert), read_open, TRIAL_DB_E_LIMIT,
                                          "too many alerts of a candidate"};
    struct open_alert *open = NULL;
    ARENA_AUTO struct arena arena;
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT id, labels FROM rule_trial_alert"
                                      " WHERE rule_id = ?1 AND side = ?2 AND resolved_ms IS NULL");
    size_t n = 0;

    arena_init(&arena, OPEN_BYTES_MAX);
    db_bind_int(stmt, 1, save->rule_id);
    db_bind_text(stmt, 2, side);
    int r = rows_read(stmt, &arena, &kind, &open, &n, reterr);

    for (size_t i = 0; r == 0 && i < n; i++)
        if (!fires(set, open[i].labels))
            r = end_alert(conn, open[i].id, save->now_ms, reterr);
    for (size_t i = 0; r == 0 && i < set->n; i++)
        if (set->at[i].alert.state == ALERT_FIRING && !is_open(open, n, set->at[i].labels))
            r = begin_alert(conn, save->rule_id, side, &set->at[i], reterr);
    return r;
}

static int forget_oldest(struct db_conn *conn, int64_t rule_id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "DELETE FROM rule_trial_alert WHERE rule_id = ?1 AND id <= (SELECT id FROM"
              " rule_trial_alert WHERE rule_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)");

    db_bind_int(stmt, 1, rule_id);
    db_bind_int(stmt, 2, TRIAL_ALERTS_MAX);
    return db_run(stmt, reterr);
}

int trial_db_save(struct db_conn *conn, const struct trial_save *save, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE rule_trial SET is_seeded = is_seeded OR ?3 IS NULL,"
              " evaluations = evaluations + 1, failures = failures + (?3 IS NOT NULL),"
              " last_error = ?3, last_ms = ?4 WHERE rule_id = ?1 AND began_ms = ?2");

    db_bind_int(stmt, 1, save->rule_id);
    db_bind_int(stmt, 2, save->began_ms);
    db_bind_text(stmt, 3, save->error);
    db_bind_int(stmt, 4, save->now_ms);
    int r = db_run(stmt, reterr);

    if (r || db_changes(conn) == 0)
        return r;
    if (save->after && !same_state(save->before, save->after))
        r = save_state(conn, save, reterr);
    if (r == 0 && save->after)
        r = save_side(conn, save, "candidate", save->after, reterr);
    if (r == 0)
        r = save_side(conn, save, "current", save->current, reterr);
    return r == 0 ? forget_oldest(conn, save->rule_id, reterr) : r;
}
