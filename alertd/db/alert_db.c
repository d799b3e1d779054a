/*
 * The alerts of rules as rows. See alert_db.h.
 */

#include "alertd/db/alert_db.h"

#include <errno.h>
#include <string.h>

#include "alertd/db/rows.h"
#include "lib/model/sample.h"

enum {
    ENTRY_BYTES_MAX = 2 * 1024 * 1024, /* labels and annotations of one alert, read back */
};

static const enum alert_state states[] = {ALERT_INACTIVE, ALERT_PENDING, ALERT_FIRING};

static enum alert_state state_of(const char *name)
{
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (strcmp(alert_state_name(states[i]), name) == 0)
            return states[i];
    return ALERT_INACTIVE; /* the schema's CHECK lets nothing else in */
}

static int64_t time_or_never(struct db_stmt *stmt, int column)
{
    return db_is_null(stmt, column) ? ALERT_NEVER : db_int(stmt, column);
}

static void bind_time(struct db_stmt *stmt, int index, int64_t at_ms)
{
    if (at_ms == ALERT_NEVER)
        db_bind_null(stmt, index);
    else
        db_bind_int(stmt, index, at_ms);
}

/* A label set of one row on the heap, counted; NULL when the text is no such object. */
static const struct labels *read_labels(struct db_stmt *stmt, int column)
{
    ARENA_AUTO struct arena arena;

    arena_init(&arena, ENTRY_BYTES_MAX);
    const struct labels *labels = rows_labels(&arena, db_text(stmt, column));
    return labels ? labels_new(labels->at, labels->n) : NULL;
}

static bool add_row(struct db_stmt *stmt, struct alert_set *set)
{
    struct alert_entry entry = {
        .alert =
            {
                .state = state_of(db_text(stmt, 2)),
                .active_at_ms = time_or_never(stmt, 3),
                .fired_at_ms = time_or_never(stmt, 4),
                .keep_firing_since_ms = time_or_never(stmt, 5),
                .no_data_since_ms = time_or_never(stmt, 6),
                .resolved_at_ms = time_or_never(stmt, 7),
            },
        .labels = read_labels(stmt, 0),
        .annotations = read_labels(stmt, 1),
        .value = sample_from_bits((uint64_t)db_int(stmt, 8)),
    };
    bool whole = entry.labels && entry.annotations;

    if (whole)
        alert_set_add(set, &entry);
    labels_unref(entry.labels);
    labels_unref(entry.annotations);
    return whole;
}

int alert_db_load(struct db_conn *conn,
                  int64_t rule_id,
                  struct alert_set *ret_set,
                  struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT labels, annotations, state, active_ms, fired_ms, keep_firing_since_ms,"
              " no_data_since_ms, resolved_ms, value_bits FROM alert WHERE rule_id = ?1");
    struct alert_set set = {0};
    bool whole = true;

    db_bind_int(stmt, 1, rule_id);
    while (whole && db_step(stmt))
        whole = add_row(stmt, &set);
    int r = db_done(stmt, reterr);

    if (r == 0 && !whole)
        r = err_set(reterr, DB_E_CORRUPT, "an alert of rule %lld cannot be read back",
                    (long long)rule_id);
    if (r) {
        alert_set_done(&set);
        return r;
    }
    *ret_set = set;
    return 0;
}

static int save_entry(struct db_conn *conn,
                      int64_t rule_id,
                      const struct alert_entry *entry,
                      struct err *reterr)
{
    STR_AUTO struct str labels = STR_INIT(ROWS_LABELS_BYTES_MAX);
    STR_AUTO struct str annotations = STR_INIT(ROWS_LABELS_BYTES_MAX);
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO alert VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
              " ON CONFLICT (rule_id, fingerprint, labels) DO UPDATE SET"
              " annotations = excluded.annotations, state = excluded.state,"
              " active_ms = excluded.active_ms, fired_ms = excluded.fired_ms,"
              " keep_firing_since_ms = excluded.keep_firing_since_ms,"
              " no_data_since_ms = excluded.no_data_since_ms, resolved_ms = excluded.resolved_ms,"
              " value_bits = excluded.value_bits");

    rows_labels_text(entry->labels, &labels);
    rows_labels_text(entry->annotations, &annotations);
    if (labels.full || annotations.full) {
        (void)db_done(stmt, NULL);
        return err_set(reterr, -EMSGSIZE, "an alert's labels and annotations exceed %d bytes",
                       ROWS_LABELS_BYTES_MAX);
    }
    db_bind_int(stmt, 1, rule_id);
    db_bind_int(stmt, 2, (int64_t)entry->labels->hash);
    db_bind_text(stmt, 3, str_text(&labels));
    db_bind_text(stmt, 4, str_text(&annotations));
    db_bind_text(stmt, 5, alert_state_name(entry->alert.state));
    bind_time(stmt, 6, entry->alert.active_at_ms);
    bind_time(stmt, 7, entry->alert.fired_at_ms);
    bind_time(stmt, 8, entry->alert.keep_firing_since_ms);
    bind_time(stmt, 9, entry->alert.no_data_since_ms);
    bind_time(stmt, 10, entry->alert.resolved_at_ms);
    db_bind_int(stmt, 11, (int64_t)sample_bits(entry->value));
    return db_run(stmt, reterr);
}

static int delete_entry(struct db_conn *conn,
                        int64_t rule_id,
                        const struct alert_entry *entry,
                        struct err *reterr)
{
    STR_AUTO struct str labels = STR_INIT(ROWS_LABELS_BYTES_MAX);
    struct db_stmt *stmt = db_prepare(
        conn, "DELETE FROM alert WHERE rule_id = ?1 AND fingerprint = ?2 AND labels = ?3");

    rows_labels_text(entry->labels, &labels);
    db_bind_int(stmt, 1, rule_id);
    db_bind_int(stmt, 2, (int64_t)entry->labels->hash);
    db_bind_text(stmt, 3, str_text(&labels));
    return db_run(stmt, reterr);
}

int alert_db_save(struct db_conn *conn,
                  int64_t rule_id,
                  const struct alert_set *before,
                  const struct alert_set *after,
                  struct err *reterr)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < before->n; i++)
        if (!alert_set_find(after, before->at[i].labels))
            r = delete_entry(conn, rule_id, &before->at[i], reterr);
    for (size_t i = 0; r == 0 && i < after->n; i++) {
        const struct alert_entry *was = alert_set_find(before, after->at[i].labels);

        if (!was || !alert_entry_equal(was, &after->at[i]))
            r = save_entry(conn, rule_id, &after->at[i], reterr);
    }
    return r;
}

static bool read_dead(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct alert_db_dead *row = ret_item;

    row->rule_id = db_int(stmt, 0);
    row->name = rows_text(arena, stmt, 1);
    row->group_name = rows_text(arena, stmt, 2);
    row->expr = rows_text(arena, stmt, 3);
    return row->name && row->group_name && row->expr;
}

static const struct rows_kind dead_kind = {sizeof(struct alert_db_dead), read_dead, -ENOMEM,
                                           "too many removed rules with alerts"};

int alert_db_dead(struct db_conn *conn,
                  struct arena *arena,
                  struct alert_db_dead **ret_dead,
                  size_t *ret_n,
                  struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT r.id, r.name, g.name, r.expr FROM rule r"
              " JOIN rule_group g ON g.id = r.group_id"
              " WHERE NOT r.is_live AND r.id IN (SELECT rule_id FROM alert)");

    return rows_read(stmt, arena, &dead_kind, ret_dead, ret_n, reterr);
}

/* --- what fires, whoever said so --- */

#define STANDING                                                                          \
    "SELECT a.rule_id, a.fingerprint, r.expr, r.for_ms, a.labels, a.annotations,"         \
    " a.state = 'firing' AS firing, a.active_ms, a.fired_ms, a.resolved_ms, a.value_bits" \
    " FROM alert a JOIN rule r ON r.id = a.rule_id"                                       \
    " UNION ALL SELECT 0, fingerprint, '', 0, labels, annotations, is_firing, starts_ms," \
    " starts_ms, CASE WHEN is_firing THEN NULL ELSE ends_ms END, 0 FROM external_alert"

static bool read_standing(struct db_stmt *stmt, struct arena *arena, struct incident_alert *alert)
{
    *alert = (struct incident_alert){
        .rule_id = db_int(stmt, 0),
        .fingerprint = (uint64_t)db_int(stmt, 1),
        .expr = rows_text(arena, stmt, 2),
        .for_ms = db_int(stmt, 3),
        .labels = rows_labels(arena, db_text(stmt, 4)),
        .annotations = rows_labels(arena, db_text(stmt, 5)),
        .firing = db_int(stmt, 6) != 0,
        .active_at_ms = db_int(stmt, 7),
        .fired_at_ms = db_int(stmt, 8),
        .resolved_at_ms = db_int(stmt, 9),
        .value = sample_from_bits((uint64_t)db_int(stmt, 10)),
    };
    if (!alert->expr || !alert->labels || !alert->annotations)
        return false;
    alert->name = labels_get(alert->labels, "alertname");
    if (!alert->name)
        alert->name = "";
    return true;
}

int alert_db_standing(struct db_conn *conn,
                      int64_t over_since_ms,
                      void (*each)(void *arg, const struct incident_alert *alert),
                      void *arg,
                      struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT * FROM (" STANDING ") WHERE fired_ms IS NOT NULL"
                                      " AND (firing OR resolved_ms >= ?1)");
    ARENA_AUTO struct arena arena;

    arena_init(&arena, ENTRY_BYTES_MAX);
    db_bind_int(stmt, 1, over_since_ms);
    while (db_step(stmt)) {
        struct incident_alert alert;

        if (read_standing(stmt, &arena, &alert))
            each(arg, &alert);
        arena_reset(&arena);
    }
    return db_done(stmt, reterr);
}

int alert_db_firing(struct db_conn *conn,
                    uint64_t fingerprint,
                    struct arena *arena,
                    struct incident_alert *ret_alert,
                    bool *ret_found,
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT * FROM (" STANDING
                                            ") WHERE fingerprint = ?1 AND firing LIMIT 1");

    db_bind_int(stmt, 1, (int64_t)fingerprint);
    *ret_found = db_step(stmt) && read_standing(stmt, arena, ret_alert);
    return db_done(stmt, reterr);
}

static int run_external(struct db_stmt *stmt,
                        const struct alert_db_external *alert,
                        const char *labels,
                        const char *annotations,
                        struct err *reterr)
{
    db_bind_int(stmt, 1, (int64_t)alert->labels->hash);
    db_bind_text(stmt, 2, labels);
    db_bind_text(stmt, 3, annotations);
    db_bind_text(stmt, 4, alert->source);
    db_bind_text(stmt, 5, alert->generator_url);
    db_bind_int(stmt, 6, alert->starts_ms);
    db_bind_int(stmt, 7, alert->ends_ms);
    db_bind_int(stmt, 8, alert->is_firing);
    db_bind_int(stmt, 9, alert->now_ms);
    return db_run(stmt, reterr);
}

int alert_db_put_external(struct db_conn *conn,
                          const struct alert_db_external *alert,
                          struct err *reterr)
{
    STR_AUTO struct str labels = STR_INIT(ROWS_LABELS_BYTES_MAX);
    STR_AUTO struct str annotations = STR_INIT(ROWS_LABELS_BYTES_MAX);

    rows_labels_text(alert->labels, &labels);
    rows_labels_text(alert->annotations, &annotations);
    if (labels.full || annotations.full)
        return err_set(reterr, -EMSGSIZE, "an alert's labels and annotations exceed %d bytes",
                       ROWS_LABELS_BYTES_MAX);

    struct db_stmt *stmt;

    if (!alert->is_new) {
        stmt = db_prepare(
            conn, "UPDATE external_alert SET annotations = ?3, source = ?4, generator_url = ?5,"
                  " starts_ms = ?6, ends_ms = ?7, is_firing = ?8, updated_ms = ?9"
                  " WHERE fingerprint = ?1 AND labels = ?2");
        int r = run_external(stmt, alert, str_text(&labels), str_text(&annotations), reterr);

        if (r || db_changes(conn) > 0)
            return r;
    }
    stmt = db_prepare(conn,
                      "INSERT INTO external_alert VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    return run_external(stmt, alert, str_text(&labels), str_text(&annotations), reterr);
}

int alert_db_forget_external(struct db_conn *conn, int64_t over_before_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "DELETE FROM external_alert WHERE NOT is_firing AND ends_ms < ?1");

    db_bind_int(stmt, 1, over_before_ms);
    return db_run(stmt, reterr);
}

static bool read_external(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct alert_db_external *alert = ret_item;

    *alert = (struct alert_db_external){
        .labels = rows_labels(arena, db_text(stmt, 0)),
        .annotations = rows_labels(arena, db_text(stmt, 1)),
        .source = rows_text(arena, stmt, 2),
        .generator_url = rows_text(arena, stmt, 3),
        .starts_ms = db_int(stmt, 4),
        .ends_ms = db_int(stmt, 5),
        .was_firing = true,
        .now_ms = db_int(stmt, 6),
    };
    return alert->labels && alert->annotations && alert->source && alert->generator_url;
}

static const struct rows_kind external_kind = {sizeof(struct alert_db_external), read_external,
                                               -ENOMEM, "too many alerts end at once"};

static int next_end(struct db_conn *conn, int64_t now_ms, int64_t *ret_next_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT min(ends_ms) FROM external_alert WHERE is_firing AND ends_ms > ?1");

    *ret_next_ms = INT64_MAX;
    db_bind_int(stmt, 1, now_ms);
    if (db_step(stmt) && !db_is_null(stmt, 0))
        *ret_next_ms = db_int(stmt, 0);
    return db_done(stmt, reterr);
}

int alert_db_expired(struct db_conn *conn,
                     int64_t now_ms,
                     struct arena *arena,
                     struct alert_db_external **ret_alerts,
                     size_t *ret_n,
                     int64_t *ret_next_ms,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT labels, annotations, source, generator_url, starts_ms, ends_ms, ?1"
              " FROM external_alert WHERE is_firing AND ends_ms <= ?1 LIMIT 10000");

    db_bind_int(stmt, 1, now_ms);
    int r = rows_read(stmt, arena, &external_kind, ret_alerts, ret_n, reterr);

    return r == 0 ? next_end(conn, now_ms, ret_next_ms, reterr) : r;
}
