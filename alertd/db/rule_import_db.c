/*
 * Taking over a rule file: what is new, what changed, what is gone. See rule_db.h.
 */

#include <inttypes.h>
#include <string.h>

#include "alertd/db/change_db.h"
#include "alertd/db/rows.h"
#include "alertd/db/rule_db.h"

enum {
    LABELS_TEXT_MAX = 1024 * 1024
};

struct place {
    const struct rule_db_import *import;
    struct rule_db_counts *counts;
    int64_t group_id;
    int64_t position;
};

static const char *type_of(const struct rule_db_rule *rule)
{
    return rule->is_recording ? "recording" : "alerting";
}

/* The n-th rule of this type and name in its group, from 0. */
static int64_t ordinal_of(const struct rule_db_group *group, size_t index)
{
    const struct rule_db_rule *rule = &group->rules[index];
    int64_t ordinal = 0;

    for (size_t i = 0; i < index; i++)
        ordinal += group->rules[i].is_recording == rule->is_recording &&
                   strcmp(group->rules[i].name, rule->name) == 0;
    return ordinal;
}

static int save_group(struct db_conn *conn,
                      const struct rule_db_group *group,
                      struct place *place,
                      struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn,
        "INSERT INTO rule_group (source, name, position, is_live, interval_ms,"
        " series_limit) VALUES (?1, ?2, ?3, 1, ?4, ?5) ON CONFLICT (source, name) DO UPDATE SET"
        " position = excluded.position, is_live = 1, interval_ms = excluded.interval_ms,"
        " series_limit = excluded.series_limit"
        " RETURNING id");

    db_bind_text(stmt, 1, place->import->source);
    db_bind_text(stmt, 2, group->name);
    db_bind_int(stmt, 3, place->position);
    db_bind_int(stmt, 4, group->interval_ms);
    db_bind_int(stmt, 5, (int64_t)group->limit);
    if (db_step(stmt))
        place->group_id = db_int(stmt, 0);
    return db_done(stmt, reterr);
}

/* The rule's row as it was: id and version, 0 when it is new; *ret_same: nothing to do but
 * its place. */
static int find_rule(struct db_conn *conn,
                     const struct rule_db_rule *rule,
                     const struct place *place,
                     int64_t ordinal,
                     int64_t ret_id_and_version[2],
                     bool *ret_same,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT r.id, r.version, r.is_live, v.yaml FROM rule r"
              " JOIN rule_version v ON v.rule_id = r.id AND v.version = r.version"
              " WHERE r.group_id = ?1 AND r.type = ?2 AND r.name = ?3 AND r.ordinal = ?4");

    ret_id_and_version[0] = ret_id_and_version[1] = 0;
    *ret_same = false;
    db_bind_int(stmt, 1, place->group_id);
    db_bind_text(stmt, 2, type_of(rule));
    db_bind_text(stmt, 3, rule->name);
    db_bind_int(stmt, 4, ordinal);
    if (db_step(stmt)) {
        ret_id_and_version[0] = db_int(stmt, 0);
        ret_id_and_version[1] = db_int(stmt, 1);
        *ret_same = strcmp(db_text(stmt, 3), rule->yaml) == 0;
    }
    return db_done(stmt, reterr);
}

static int save_row(struct db_conn *conn,
                    const struct rule_db_rule *rule,
                    const struct place *place,
                    int64_t ordinal,
                    int64_t version,
                    int64_t *ret_id,
                    struct err *reterr)
{
    STR_AUTO struct str labels = STR_INIT(LABELS_TEXT_MAX);
    STR_AUTO struct str annotations = STR_INIT(LABELS_TEXT_MAX);
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO rule (group_id, type, name, ordinal, position, is_live, version, expr,"
              " for_ms, keep_firing_for_ms, labels, annotations)"
              " VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?8, ?9, ?10, ?11)"
              " ON CONFLICT (group_id, type, name, ordinal) DO UPDATE SET"
              " position = excluded.position, is_live = 1, version = excluded.version,"
              " expr = excluded.expr, for_ms = excluded.for_ms,"
              " keep_firing_for_ms = excluded.keep_firing_for_ms, labels = excluded.labels,"
              " annotations = excluded.annotations RETURNING id");

    rows_labels_text(rule->labels, &labels);
    rows_labels_text(rule->annotations, &annotations);
    db_bind_int(stmt, 1, place->group_id);
    db_bind_text(stmt, 2, type_of(rule));
    db_bind_text(stmt, 3, rule->name);
    db_bind_int(stmt, 4, ordinal);
    db_bind_int(stmt, 5, place->position);
    db_bind_int(stmt, 6, version);
    db_bind_text(stmt, 7, rule->expr);
    db_bind_int(stmt, 8, rule->for_ms);
    db_bind_int(stmt, 9, rule->keep_firing_for_ms);
    db_bind_text(stmt, 10, str_text(&labels));
    db_bind_text(stmt, 11, str_text(&annotations));
    if (db_step(stmt))
        *ret_id = db_int(stmt, 0);
    return db_done(stmt, reterr);
}

static int save_version(struct db_conn *conn,
                        const struct rule_db_rule *rule,
                        const struct rule_db_import *import,
                        int64_t id,
                        int64_t version,
                        struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO rule_version (rule_id, version, created_ms, source, author, yaml)"
              " VALUES (?1, ?2, ?3, ?4, ?5, ?6)");

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, version);
    db_bind_int(stmt, 3, import->now_ms);
    db_bind_text(stmt, 4, import->source);
    db_bind_text(stmt, 5, import->author);
    db_bind_text(stmt, 6, rule->yaml);
    return db_run(stmt, reterr);
}

/* What pages changed: whoever reads an open incident's timeline is to know. A rule that is new
 * explains nothing that fired. */
static int tell(struct db_conn *conn,
                const struct rule_db_rule *rule,
                const struct rule_db_import *import,
                int64_t id,
                int64_t version,
                struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(LABELS_TEXT_MAX);
    STR_AUTO struct str data = STR_INIT(LABELS_TEXT_MAX);
    char source[ROWS_SOURCE_MAX];

    if (version < 2)
        return 0;
    str_addf(&text, "rule %s changed (version %" PRId64 " of %s)", rule->name, version,
             import->source);
    str_addf(&data, "{\"rule_id\":%" PRId64 ",\"version\":%" PRId64 "}", id, version);

    const struct timeline_event event = {
        .kind = "change.rule",
        .event_class = "machine",
        .source = rows_source(source, "rule", id),
        .actor = import->author,
        .text = str_text(&text),
        .data = str_text(&data),
        .occurred_at_ms = import->now_ms,
    };

    return change_db_add(conn, &event, NULL, import->now_ms, reterr);
}

static int save_rule(struct db_conn *conn,
                     const struct rule_db_rule *rule,
                     int64_t ordinal,
                     struct place *place,
                     struct err *reterr)
{
    int64_t known[2];
    bool same;
    int64_t id = 0;
    int r = find_rule(conn, rule, place, ordinal, known, &same, reterr);

    if (r == 0)
        r = save_row(conn, rule, place, ordinal, known[1] + !same, &id, reterr);
    if (r == 0 && !same) {
        r = save_version(conn, rule, place->import, id, known[1] + 1, reterr);
        if (r == 0)
            r = tell(conn, rule, place->import, id, known[1] + 1, reterr);
        place->counts->changed++;
    }
    place->counts->rules++;
    return r;
}

static int save_groups(struct db_conn *conn, struct place *place, struct err *reterr)
{
    const struct rule_db_import *import = place->import;
    int r = 0;

    for (size_t g = 0; r == 0 && g < import->n_groups; g++) {
        const struct rule_db_group *group = &import->groups[g];

        place->position = (int64_t)g;
        r = save_group(conn, group, place, reterr);
        for (size_t i = 0; r == 0 && i < group->n_rules; i++) {
            place->position = (int64_t)i;
            r = save_rule(conn, &group->rules[i], ordinal_of(group, i), place, reterr);
        }
        place->counts->groups++;
    }
    return r;
}

static int run_for_source(struct db_stmt *stmt, const char *source, struct err *reterr)
{
    db_bind_text(stmt, 1, source);
    return db_run(stmt, reterr);
}

/* How many rules of the source left with the file's last version and did not come back. */
static int count_left(struct db_conn *conn, const char *source, size_t *ret_n, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT count(*) FROM rule r JOIN rule_group g ON g.id = r.group_id"
              " WHERE g.source = ?1 AND r.is_live < 0");

    db_bind_text(stmt, 1, source);
    *ret_n = db_step(stmt) ? (size_t)db_int(stmt, 0) : 0;
    return db_done(stmt, reterr);
}

static int save_file(struct db_conn *conn, const struct rule_db_import *import, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn,
        "INSERT INTO rule_file (source, yaml, imported_ms, imported_by) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (source) DO UPDATE SET yaml = excluded.yaml,"
        " imported_ms = excluded.imported_ms, imported_by = excluded.imported_by");

    db_bind_text(stmt, 1, import->source);
    db_bind_text(stmt, 2, import->yaml);
    db_bind_int(stmt, 3, import->now_ms);
    db_bind_text(stmt, 4, import->author);
    return db_run(stmt, reterr);
}

int rule_db_import(struct db_conn *conn,
                   const struct rule_db_import *import,
                   struct rule_db_counts *ret_counts,
                   struct err *reterr)
{
    struct rule_db_counts counts = {0};
    struct place place = {.import = import, .counts = &counts};
    /* all leave (-1), and those that are in the file come back (1) */
    int r = run_for_source(db_prepare(conn, "UPDATE rule SET is_live = -is_live WHERE group_id IN"
                                            " (SELECT id FROM rule_group WHERE source = ?1)"),
                           import->source, reterr);
    if (r == 0)
        r = run_for_source(db_prepare(conn, "UPDATE rule_group SET is_live = 0 WHERE source = ?1"),
                           import->source, reterr);
    if (r == 0)
        r = save_file(conn, import, reterr);
    if (r == 0)
        r = save_groups(conn, &place, reterr);
    if (r == 0)
        r = count_left(conn, import->source, &counts.removed, reterr);
    if (r == 0)
        r = run_for_source(db_prepare(conn,
                                      "UPDATE rule SET is_live = 0 WHERE is_live < 0 AND group_id"
                                      " IN (SELECT id FROM rule_group WHERE source = ?1)"),
                           import->source, reterr);
    if (r == 0)
        *ret_counts = counts;
    return r;
}
