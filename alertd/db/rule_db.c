/*
 * Rules read back, and what an evaluation leaves. See rule_db.h; taking over a file is in
 * rule_import_db.c.
 */

#include "alertd/db/rule_db.h"

#include "alertd/db/rows.h"

#define RULE_COLUMNS                                                                         \
    "r.id, r.version, r.type = 'recording', r.name, r.expr, r.for_ms, r.keep_firing_for_ms," \
    " r.labels, r.annotations, r.health, r.last_error, r.failures, r.last_evaluation_ms,"    \
    " r.evaluation_us, (SELECT count(*) FROM event e WHERE e.kind = 'alert.firing' AND"      \
    "  e.occurred_ms > ?1 AND e.source = 'rule ' || r.id), r.group_id, r.samples, r.series," \
    " r.error_line, r.error_column, r.expr_line, r.expr_column,"                             \
    " (SELECT source FROM rule_group g WHERE g.id = r.group_id), r.matched_ms"

#define DAYS_30_MS (INT64_C(30) * 86400000)

static int too_large(struct err *reterr)
{
    return err_set(reterr, RULE_DB_E_LIMIT, "too many rules to show at once");
}

static bool read_rule(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct rule_row *row = ret_item;

    *row = (struct rule_row){
        .id = db_int(stmt, 0),
        .version = db_int(stmt, 1),
        .is_recording = db_int(stmt, 2) != 0,
        .name = rows_text(arena, stmt, 3),
        .expr = rows_text(arena, stmt, 4),
        .for_ms = db_int(stmt, 5),
        .keep_firing_for_ms = db_int(stmt, 6),
        .labels = rows_labels(arena, db_text(stmt, 7)),
        .annotations = rows_labels(arena, db_text(stmt, 8)),
        .health = rows_text(arena, stmt, 9),
        .failures = db_int(stmt, 11),
        .last_evaluation_ms = db_int(stmt, 12),
        .evaluation_us = db_int(stmt, 13),
        .fired_30d = db_int(stmt, 14),
        .group_id = db_int(stmt, 15),
        .samples = db_int(stmt, 16),
        .series = db_int(stmt, 17),
        .error_place = {(unsigned)db_int(stmt, 18), (unsigned)db_int(stmt, 19),
                        (unsigned)db_int(stmt, 20), (unsigned)db_int(stmt, 21)},
        .source = rows_text(arena, stmt, 22),
        .matched_ms = db_int(stmt, 23),
    };
    return row->name && row->source && row->expr && row->labels && row->annotations &&
           row->health && rows_text_or_null(arena, stmt, 10, &row->last_error);
}

static const struct rows_kind rule_kind = {sizeof(struct rule_row), read_rule, RULE_DB_E_LIMIT,
                                           "too many rules to show at once"};

static bool read_file(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct rule_db_file *file = ret_item;

    file->source = rows_text(arena, stmt, 0);
    file->yaml = rows_text(arena, stmt, 1);
    file->imported_at_ms = db_int(stmt, 2);
    return file->source && file->yaml;
}

static const struct rows_kind file_kind = {sizeof(struct rule_db_file), read_file, RULE_DB_E_LIMIT,
                                           "too many rules to show at once"};

int rule_db_files(struct db_conn *conn,
                  struct arena *arena,
                  struct rule_db_file **ret_files,
                  size_t *ret_n,
                  struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT source, yaml, imported_ms FROM rule_file ORDER BY source");

    return rows_read(stmt, arena, &file_kind, ret_files, ret_n, reterr);
}

static bool read_group(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct rule_group_row *group = ret_item;

    *group = (struct rule_group_row){
        .id = db_int(stmt, 0),
        .source = rows_text(arena, stmt, 1),
        .name = rows_text(arena, stmt, 2),
        .interval_ms = db_int(stmt, 3),
        .last_evaluation_ms = db_int(stmt, 4),
        .evaluation_us = db_int(stmt, 5),
        .limit = db_int(stmt, 6),
    };
    return group->source && group->name;
}

static const struct rows_kind group_kind = {sizeof(struct rule_group_row), read_group,
                                            RULE_DB_E_LIMIT, "too many rules to show at once"};

static int list_groups(struct db_conn *conn,
                       struct arena *arena,
                       struct rule_group_row **ret_groups,
                       size_t *ret_n,
                       struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn,
        "SELECT id, source, name, interval_ms, last_evaluation_ms, evaluation_us, series_limit"
        " FROM rule_group WHERE is_live ORDER BY source, position");

    return rows_read(stmt, arena, &group_kind, ret_groups, ret_n, reterr);
}

static int list_rules(struct db_conn *conn,
                      int64_t now_ms,
                      struct arena *arena,
                      struct rule_group_row *group,
                      struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT " RULE_COLUMNS " FROM rule r WHERE r.group_id = ?2"
                                      " AND r.is_live ORDER BY r.position");

    db_bind_int(stmt, 1, now_ms - DAYS_30_MS);
    db_bind_int(stmt, 2, group->id);
    return rows_read(stmt, arena, &rule_kind, &group->rules, &group->n_rules, reterr);
}

int rule_db_list(struct db_conn *conn,
                 int64_t now_ms,
                 struct arena *arena,
                 struct rule_group_row **ret_groups,
                 size_t *ret_n,
                 struct err *reterr)
{
    struct rule_group_row *groups = NULL;
    size_t n = 0;
    int r = list_groups(conn, arena, &groups, &n, reterr);

    for (size_t i = 0; r == 0 && i < n; i++)
        r = list_rules(conn, now_ms, arena, &groups[i], reterr);
    if (r)
        return r;
    *ret_groups = groups;
    *ret_n = n;
    return 0;
}

int rule_db_get(struct db_conn *conn,
                int64_t id,
                int64_t now_ms,
                struct arena *arena,
                struct rule_row *ret_rule,
                struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT " RULE_COLUMNS " FROM rule r WHERE r.id = ?2");
    struct rule_row row = {0};
    bool found;
    bool fits;

    db_bind_int(stmt, 1, now_ms - DAYS_30_MS);
    db_bind_int(stmt, 2, id);
    found = db_step(stmt);
    fits = found && read_rule(stmt, arena, &row);
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    if (!found)
        return err_set(reterr, RULE_DB_E_NOT_FOUND, "there is no rule %lld", (long long)id);
    if (!fits)
        return too_large(reterr);
    *ret_rule = row;
    return 0;
}

static bool read_version(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct rule_version_row *row = ret_item;

    row->version = db_int(stmt, 0);
    row->created_at_ms = db_int(stmt, 1);
    row->source = rows_text(arena, stmt, 2);
    row->author = rows_text(arena, stmt, 3);
    row->yaml = rows_text(arena, stmt, 4);
    return row->source && row->author && row->yaml;
}

static const struct rows_kind version_kind = {sizeof(struct rule_version_row), read_version,
                                              RULE_DB_E_LIMIT, "too many rules to show at once"};

int rule_db_versions(struct db_conn *conn,
                     int64_t rule_id,
                     struct arena *arena,
                     struct rule_version_row **ret_versions,
                     size_t *ret_n,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT version, created_ms, source, author, yaml FROM rule_version"
              " WHERE rule_id = ?1 ORDER BY version DESC LIMIT 200");

    db_bind_int(stmt, 1, rule_id);
    return rows_read(stmt, arena, &version_kind, ret_versions, ret_n, reterr);
}

int rule_db_save_health(struct db_conn *conn,
                        const struct rule_db_health *health,
                        struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE rule SET health = iif(?2 IS NULL, 'ok', 'err'), last_error = ?2,"
              " failures = iif(?2 IS NULL, 0, failures + 1), last_evaluation_ms = ?3,"
              " evaluation_us = ?4, samples = ?5, series = ?6, error_line = ?7,"
              " error_column = ?8, expr_line = ?9, expr_column = ?10,"
              " matched_ms = ?11 WHERE id = ?1");

    db_bind_int(stmt, 1, health->rule_id);
    db_bind_text(stmt, 2, health->error);
    db_bind_int(stmt, 3, health->now_ms);
    db_bind_int(stmt, 4, health->evaluation_us);
    db_bind_int(stmt, 5, (int64_t)health->samples);
    db_bind_int(stmt, 6, (int64_t)health->series);
    db_bind_int(stmt, 7, health->error_place.line);
    db_bind_int(stmt, 8, health->error_place.column);
    db_bind_int(stmt, 9, health->error_place.expr_line);
    db_bind_int(stmt, 10, health->error_place.expr_column);
    db_bind_int(stmt, 11, health->matched_ms);
    return db_run(stmt, reterr);
}

int rule_db_save_group(struct db_conn *conn,
                       int64_t group_id,
                       int64_t now_ms,
                       int64_t evaluation_us,
                       struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE rule_group SET last_evaluation_ms = ?2, evaluation_us = ?3 WHERE id = ?1");

    db_bind_int(stmt, 1, group_id);
    db_bind_int(stmt, 2, now_ms);
    db_bind_int(stmt, 3, evaluation_us);
    return db_run(stmt, reterr);
}
