/*
 * Changing the roster: the row, what it refers to, its revision for ever, and an event in the
 * log, in one job. See roster_db.h.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/roster_private.h"
#include "alertd/db/rows.h"
#include "alertd/oncall/spelling.h"

enum {
    WORK_BYTES_MAX = 32 * 1024 * 1024,
    REFERRERS_NAMED_MAX = 5,
};

/* Where a change goes. */
struct target_row {
    enum roster_kind kind;
    int64_t id;
    const char *name;
    const char *owner; /* an override's schedule; NULL */
    int64_t revision;  /* the one it gets */
    const char *spec;  /* NULL: it is deleted */
    const char *by;
    int64_t now_ms;
};

/* --- history --- */

static int add_revision(struct db_conn *conn, const struct target_row *row, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO roster_change (kind, name, revision, spec, at_ms, by, owner)"
              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");

    db_bind_text(stmt, 1, roster_kind_name(row->kind));
    db_bind_text(stmt, 2, row->name);
    db_bind_int(stmt, 3, row->revision);
    db_bind_text(stmt, 4, row->spec);
    db_bind_int(stmt, 5, row->now_ms);
    db_bind_text(stmt, 6, row->by);
    db_bind_text(stmt, 7, row->owner);
    return db_run(stmt, reterr);
}

static int add_event(struct db_conn *conn, const struct target_row *row, struct err *reterr)
{
    const char *what = row->spec ? row->revision == 1 ? "made" : "changed" : "deleted";
    const char *noun = roster_kind_name(row->kind);
    char source[ROWS_SOURCE_MAX];
    char kind[64];
    STR_AUTO struct str text = STR_INIT(500);
    STR_AUTO struct str data = STR_INIT(1000);
    struct json_out out = JSON_OUT(&data);
    int64_t event_id;

    (void)snprintf(kind, sizeof(kind), "roster.%s_%s", noun, what);
    str_addf(&text, "%s '%s' %s", noun, row->name, what);
    json_open(&out, '{');
    json_kv_string(&out, noun, row->name);
    json_kv_int(&out, "revision", row->revision);
    json_close(&out, '}');
    const struct timeline_event event = {
        .kind = kind,
        .event_class = "human",
        .source = rows_source(source, noun, row->id),
        .actor = row->by,
        .text = str_text(&text),
        .data = str_text(&data),
        .occurred_at_ms = row->now_ms,
    };

    return event_db_append(conn, 0, &event, row->now_ms, &event_id, reterr);
}

static int remember(struct db_conn *conn, const struct target_row *row, struct err *reterr)
{
    int r = add_revision(conn, row, reterr);

    return r ? r : add_event(conn, row, reterr);
}

/* --- references --- */

static int exists(struct db_conn *conn,
                  enum roster_kind kind,
                  const char *name,
                  bool *ret_exists,
                  struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT 1 FROM roster_item WHERE kind = ?1 AND name = ?2");

    db_bind_text(stmt, 1, roster_kind_name(kind));
    db_bind_text(stmt, 2, name);
    *ret_exists = db_step(stmt);
    return db_done(stmt, reterr);
}

static int write_refs(struct db_conn *conn,
                      int64_t id,
                      const struct roster_refs *refs,
                      struct err *reterr)
{
    struct db_stmt *old = db_prepare(conn, "DELETE FROM roster_ref WHERE item_id = ?1");

    db_bind_int(old, 1, id);
    int r = db_run(old, reterr);

    for (size_t i = 0; i < refs->n && r == 0; i++) {
        bool is_there = false;
        struct db_stmt *stmt;

        r = exists(conn, refs->at[i].kind, refs->at[i].name, &is_there, reterr);
        if (r == 0 && !is_there)
            r = err_set(reterr, ROSTER_DB_E_REFERENCE, "%s: there is no %s '%s'", refs->at[i].path,
                        roster_kind_name(refs->at[i].kind), refs->at[i].name);
        if (r)
            break;
        stmt = db_prepare(conn, "INSERT INTO roster_ref VALUES (?1, ?2, ?3)");
        db_bind_int(stmt, 1, id);
        db_bind_text(stmt, 2, roster_kind_name(refs->at[i].kind));
        db_bind_text(stmt, 3, refs->at[i].name);
        r = db_run(stmt, reterr);
    }
    return r;
}

/* A schedule's own overrides go with it and do not keep it. */
static int refuse_used(struct db_conn *conn, const struct roster_delete *what, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT i.kind, i.name, i.owner FROM roster_ref r JOIN roster_item i ON"
              " i.id = r.item_id WHERE r.kind = ?1 AND r.name = ?2"
              " AND (i.ends_ms IS NULL OR i.ends_ms > ?3)"
              " AND NOT (r.kind = 'schedule' AND i.kind = 'override') ORDER BY i.id");
    STR_AUTO struct str who = STR_INIT(300);
    size_t n = 0;

    db_bind_text(stmt, 1, roster_kind_name(what->kind));
    db_bind_text(stmt, 2, what->name);
    db_bind_int(stmt, 3, what->now_ms);
    for (; db_step(stmt); n++) {
        if (n >= REFERRERS_NAMED_MAX)
            continue;
        str_addf(&who, "%s%s '%s'", n ? ", " : "", db_text(stmt, 0), db_text(stmt, 1));
        if (!db_is_null(stmt, 2))
            str_addf(&who, " of schedule '%s'", db_text(stmt, 2));
    }
    int r = db_done(stmt, reterr);

    if (r || n == 0)
        return r;
    if (n > REFERRERS_NAMED_MAX)
        str_addf(&who, " and %zu more", n - REFERRERS_NAMED_MAX);
    return err_set(reterr, ROSTER_DB_E_IN_USE, "%s '%s' is needed by %s",
                   roster_kind_name(what->kind), what->name, str_text(&who));
}

/* --- put --- */

static const char *name_of(const struct roster_value *value)
{
    switch (value->kind) {
    case ROSTER_PERSON: return value->person->name;
    case ROSTER_SCHEDULE: return value->schedule->name;
    case ROSTER_OVERRIDE: return value->override->id;
    case ROSTER_POLICY: return value->policy->name;
    case ROSTER_SHADOW: return value->shadow->id;
    }
    return "";
}

static int64_t end_of(const struct roster_value *value)
{
    const struct override *override = value->override;

    if (value->kind == ROSTER_SHADOW)
        return value->shadow->to_ms;
    if (value->kind != ROSTER_OVERRIDE)
        return 0;
    return override->kind == OVERRIDE_SWAP && override->other_to_ms > override->to_ms
               ? override->other_to_ms
               : override->to_ms;
}

static void print(const struct roster_value *value, const char *name, struct str *spec)
{
    struct json_out out = JSON_OUT(spec);
    struct schedule schedule;
    struct override override;
    struct shadow shadow;

    switch (value->kind) {
    case ROSTER_PERSON: person_print(value->person, &out); break;
    case ROSTER_SCHEDULE:
        schedule = *value->schedule;
        schedule.n_overrides = 0;
        schedule_print(&schedule, &out);
        break;
    case ROSTER_OVERRIDE:
        override = *value->override;
        override.id = name;
        override_print(&override, &out);
        break;
    case ROSTER_POLICY: policy_print(value->policy, &out); break;
    case ROSTER_SHADOW:
        shadow = *value->shadow;
        shadow.id = name;
        shadow_print(&shadow, &out);
        break;
    }
}

/* Ids of overrides and shadows: never given twice, those of deleted ones neither. */
static int next_id(struct db_conn *conn, char *ret_id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT seq FROM sqlite_sequence WHERE name = 'roster_item'");
    int64_t seq = db_step(stmt) ? db_int(stmt, 0) : 0;
    int r = db_done(stmt, reterr);

    if (r == 0)
        (void)snprintf(ret_id, ROSTER_DB_ID_MAX, "%lld", (long long)seq + 1);
    return r;
}

static int refuse_more(struct db_conn *conn, const struct roster_put *put, struct err *reterr)
{
    static const int64_t most[] = {
        [ROSTER_PERSON] = ROSTER_PEOPLE_MAX,      [ROSTER_SCHEDULE] = ROSTER_SCHEDULES_MAX,
        [ROSTER_OVERRIDE] = ROSTER_OVERRIDES_MAX, [ROSTER_POLICY] = ROSTER_POLICIES_MAX,
        [ROSTER_SHADOW] = ROSTER_SHADOWS_MAX,
    };
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT count(*) FROM roster_item WHERE kind = ?1 AND (?2 IS NULL OR owner = ?2)");

    db_bind_text(stmt, 1, roster_kind_name(put->value.kind));
    db_bind_text(stmt, 2, put->value.owner);
    int64_t n = db_step(stmt) ? db_int(stmt, 0) : 0;
    int r = db_done(stmt, reterr);

    if (r == 0 && n >= most[put->value.kind])
        return err_set(reterr, ROSTER_DB_E_LIMIT, "there are %lld of its kind, and more do not fit",
                       (long long)n);
    return r;
}

static int insert(struct db_conn *conn,
                  struct roster_put *put,
                  struct target_row *row,
                  struct str *spec,
                  struct err *reterr)
{
    bool has_own_id = put->value.kind == ROSTER_OVERRIDE || put->value.kind == ROSTER_SHADOW;
    bool is_there = false;
    int r = has_own_id ? next_id(conn, put->id, reterr) : 0;

    if (r == 0)
        r = refuse_more(conn, put, reterr);
    row->name = has_own_id ? put->id : name_of(&put->value);
    if (r == 0)
        r = exists(conn, row->kind, row->name, &is_there, reterr);
    if (r)
        return r;
    if (is_there)
        return err_set(reterr, ROSTER_DB_E_EXISTS, "there is a %s '%s' already",
                       roster_kind_name(row->kind), row->name);
    print(&put->value, row->name, spec);
    row->spec = str_text(spec);
    row->owner = put->value.owner;
    row->revision = 1;
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO roster_item (kind, name, owner, spec, revision, created_ms, updated_ms,"
              " updated_by, ends_ms) VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5, ?6, ?7)");

    db_bind_text(stmt, 1, roster_kind_name(row->kind));
    db_bind_text(stmt, 2, row->name);
    db_bind_text(stmt, 3, put->value.owner);
    db_bind_text(stmt, 4, row->spec);
    db_bind_int(stmt, 5, put->now_ms);
    db_bind_text(stmt, 6, put->by);
    rows_bind_time(stmt, 7, end_of(&put->value));
    r = db_run(stmt, reterr);
    row->id = db_last_id(conn);
    return r;
}

static int refuse_stale(const struct roster_item *now,
                        enum roster_kind kind,
                        int64_t base_revision,
                        struct err *reterr)
{
    if (!base_revision || base_revision == now->revision)
        return 0;
    return err_set(reterr, ROSTER_DB_E_STALE,
                   "%s '%s' is not at revision %lld any more: %s made revision %lld meanwhile",
                   roster_kind_name(kind), now->name, (long long)base_revision, now->updated_by,
                   (long long)now->revision);
}

static int update(struct db_conn *conn,
                  const struct roster_put *put,
                  struct target_row *row,
                  struct arena *arena,
                  struct str *spec,
                  struct err *reterr)
{
    struct roster_item now = {.name = ""};
    int r = roster_db_get(conn, row->kind, put->name, arena, &now, reterr);

    if (r == 0)
        r = refuse_stale(&now, row->kind, put->base_revision, reterr);
    if (r)
        return r;
    print(&put->value, now.name, spec);
    row->id = now.id;
    row->name = now.name;
    row->owner = now.owner;
    row->spec = str_text(spec);
    row->revision = now.revision + 1;
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE roster_item SET spec = ?2, revision = ?3,"
              " updated_ms = ?4, updated_by = ?5, ends_ms = ?6 WHERE id = ?1");

    db_bind_int(stmt, 1, now.id);
    db_bind_text(stmt, 2, row->spec);
    db_bind_int(stmt, 3, row->revision);
    db_bind_int(stmt, 4, put->now_ms);
    db_bind_text(stmt, 5, put->by);
    rows_bind_time(stmt, 6, end_of(&put->value));
    return db_run(stmt, reterr);
}

int roster_db_put(struct db_conn *conn, struct roster_put *put, struct err *reterr)
{
    STR_AUTO struct str spec = STR_INIT(ROSTER_TEXT_MAX);
    struct target_row row = {.kind = put->value.kind, .by = put->by, .now_ms = put->now_ms};
    struct roster_refs refs = {0};
    ARENA_AUTO struct arena arena;

    arena_init(&arena, WORK_BYTES_MAX);
    if (put->name && row.kind != ROSTER_OVERRIDE && row.kind != ROSTER_SHADOW &&
        strcmp(put->name, name_of(&put->value)) != 0)
        return err_set(reterr, ROSTER_DB_E_REFERENCE,
                       "name: it stays '%s', since others know it by that", put->name);
    roster_refs_of(&put->value, &arena, &refs);
    if (refs.full)
        return err_set(reterr, ROSTER_DB_E_LIMIT, "it refers to too many");
    int r = put->name ? update(conn, put, &row, &arena, &spec, reterr)
                      : insert(conn, put, &row, &spec, reterr);

    if (r == 0 && spec.full)
        r = err_set(reterr, ROSTER_DB_E_LIMIT, "it is longer than %d bytes", ROSTER_TEXT_MAX);
    if (r == 0)
        r = write_refs(conn, row.id, &refs, reterr);
    return r ? r : remember(conn, &row, reterr);
}

/* --- delete --- */

static int delete_row(struct db_conn *conn, int64_t id, const char *schedule, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "DELETE FROM roster_item WHERE id = ?1 OR owner = ?2");

    db_bind_int(stmt, 1, id);
    db_bind_text(stmt, 2, schedule);
    return db_run(stmt, reterr);
}

int roster_db_delete(struct db_conn *conn, const struct roster_delete *what, struct err *reterr)
{
    struct roster_item now = {.name = ""};
    ARENA_AUTO struct arena arena;

    arena_init(&arena, WORK_BYTES_MAX);
    int r = roster_db_get(conn, what->kind, what->name, &arena, &now, reterr);

    if (r)
        return r;
    if (what->owner && (!now.owner || strcmp(now.owner, what->owner) != 0))
        return err_set(reterr, ROSTER_DB_E_NOT_FOUND, "schedule '%s' has no override '%s'",
                       what->owner, what->name);
    r = refuse_stale(&now, what->kind, what->base_revision, reterr);
    if (r == 0)
        r = refuse_used(conn, what, reterr);
    if (r == 0)
        r = delete_row(conn, now.id, what->kind == ROSTER_SCHEDULE ? now.name : NULL, reterr);
    if (r)
        return r;
    const struct target_row row = {
        .kind = what->kind,
        .id = now.id,
        .name = now.name,
        .owner = now.owner,
        .revision = now.revision + 1,
        .by = what->by,
        .now_ms = what->now_ms,
    };

    return remember(conn, &row, reterr);
}
