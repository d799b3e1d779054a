/*
 * Reading the roster. See roster_db.h; changing it is in roster_change_db.c.
 */

#include "alertd/db/roster_db.h"

#include <errno.h>
#include <string.h>

#include "alertd/db/access_private.h"
#include "alertd/db/rows.h"
#include "alertd/oncall/spelling.h"

#define ROWS                                                                        \
    "SELECT i.id, i.name, i.owner, i.spec, i.revision, i.created_ms, i.updated_ms," \
    " i.updated_by, l.made_ms FROM roster_item i"                                   \
    " LEFT JOIN ical_link l ON l.schedule_id = i.id WHERE i.kind = ?1"

const char *roster_kind_name(enum roster_kind kind)
{
    switch (kind) {
    case ROSTER_PERSON: return "person";
    case ROSTER_SCHEDULE: return "schedule";
    case ROSTER_OVERRIDE: return "override";
    case ROSTER_POLICY: return "policy";
    case ROSTER_SHADOW: return "shadow";
    }
    return "";
}

static bool read_row(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct roster_item *item = ret_item;

    *item = (struct roster_item){
        .id = db_int(stmt, 0),
        .name = rows_text(arena, stmt, 1),
        .spec = rows_text(arena, stmt, 3),
        .revision = db_int(stmt, 4),
        .created_ms = db_int(stmt, 5),
        .updated_ms = db_int(stmt, 6),
        .updated_by = rows_text(arena, stmt, 7),
        .ical_made_ms = db_int(stmt, 8),
    };
    return item->name && item->spec && item->updated_by &&
           rows_text_or_null(arena, stmt, 2, &item->owner);
}

static const struct rows_kind row_kind = {sizeof(struct roster_item), read_row, ROSTER_DB_E_LIMIT,
                                          "too much to read at once"};

int roster_db_list(struct db_conn *conn,
                   enum roster_kind kind,
                   const char *owner,
                   struct arena *arena,
                   struct roster_item **ret_items,
                   size_t *ret_n,
                   struct err *reterr)
{
    struct db_stmt *stmt;

    if (owner)
        stmt = db_prepare(conn, ROWS " AND i.owner = ?2 ORDER BY i.id");
    else if (kind == ROSTER_OVERRIDE || kind == ROSTER_SHADOW)
        stmt = db_prepare(conn, ROWS " ORDER BY i.id");
    else
        stmt = db_prepare(conn, ROWS " ORDER BY i.name");
    db_bind_text(stmt, 1, roster_kind_name(kind));
    if (owner)
        db_bind_text(stmt, 2, owner);
    return rows_read(stmt, arena, &row_kind, ret_items, ret_n, reterr);
}

int roster_db_get(struct db_conn *conn,
                  enum roster_kind kind,
                  const char *name,
                  struct arena *arena,
                  struct roster_item *ret_item,
                  struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, ROWS " AND i.name = ?2");
    struct roster_item *items = NULL;
    size_t n = 0;

    db_bind_text(stmt, 1, roster_kind_name(kind));
    db_bind_text(stmt, 2, name);
    int r = rows_read(stmt, arena, &row_kind, &items, &n, reterr);

    if (r)
        return r;
    if (n == 0)
        return err_set(reterr, ROSTER_DB_E_NOT_FOUND, "there is no %s '%.*s'",
                       roster_kind_name(kind), ROSTER_NAME_MAX, name);
    *ret_item = items[0];
    return 0;
}

int roster_db_revision(struct db_conn *conn, int64_t *ret_revision, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT max(id) FROM roster_change");
    int64_t revision = db_step(stmt) ? db_int(stmt, 0) : 0;
    int r = db_done(stmt, reterr);

    if (r == 0)
        *ret_revision = revision;
    return r;
}

/* --- the whole --- */

/* What the five kinds' rows become. */
struct loading {
    struct zones *zones;
    struct arena *arena;
    struct person *people;
    struct schedule *schedules;
    struct override *overrides;
    const char **owners; /* of the overrides */
    struct policy *policies;
    struct shadow *shadows;
};

static int parse(const struct loading *to,
                 enum roster_kind kind,
                 const struct roster_item *item,
                 size_t at,
                 struct err *reterr)
{
    size_t len = strlen(item->spec);

    switch (kind) {
    case ROSTER_PERSON: return person_parse(item->spec, len, to->arena, &to->people[at], reterr);
    case ROSTER_SCHEDULE:
        return schedule_parse(item->spec, len, to->zones, to->arena, &to->schedules[at], reterr);
    case ROSTER_OVERRIDE:
        to->owners[at] = item->owner;
        return override_parse(item->spec, len, to->arena, &to->overrides[at], reterr);
    case ROSTER_POLICY: return policy_parse(item->spec, len, to->arena, &to->policies[at], reterr);
    case ROSTER_SHADOW: return shadow_parse(item->spec, len, to->arena, &to->shadows[at], reterr);
    }
    return -1;
}

static bool make_room(struct loading *to, enum roster_kind kind, size_t n)
{
    struct arena *arena = to->arena;

    switch (kind) {
    case ROSTER_PERSON: return (to->people = arena_array(arena, n, sizeof(*to->people)));
    case ROSTER_SCHEDULE: return (to->schedules = arena_array(arena, n, sizeof(*to->schedules)));
    case ROSTER_OVERRIDE:
        to->owners = arena_array(arena, n, sizeof(*to->owners));
        return to->owners && (to->overrides = arena_array(arena, n, sizeof(*to->overrides)));
    case ROSTER_POLICY: return (to->policies = arena_array(arena, n, sizeof(*to->policies)));
    case ROSTER_SHADOW: return (to->shadows = arena_array(arena, n, sizeof(*to->shadows)));
    }
    return false;
}

static int load_kind(struct db_conn *conn,
                     enum roster_kind kind,
                     struct loading *to,
                     size_t *ret_n,
                     struct err *reterr)
{
    struct roster_item *items = NULL;
    struct err err = {0};
    size_t n = 0;
    int r = roster_db_list(conn, kind, NULL, to->arena, &items, &n, reterr);

    *ret_n = 0;
    if (r || n == 0)
        return r;
    if (!make_room(to, kind, n))
        return err_set(reterr, ROSTER_DB_E_LIMIT, "too much to read at once");
    for (size_t i = 0; i < n; i++) {
        r = parse(to, kind, &items[i], *ret_n, &err);
        if (r == -ENOMEM)
            return err_set(reterr, ROSTER_DB_E_LIMIT, "%s", err.text);
        if (r == 0)
            ++*ret_n;
        else if (reterr && !reterr->text[0])
            (void)err_set(reterr, 0, "%s '%s' is left out: %s", roster_kind_name(kind),
                          items[i].name, err.text);
    }
    return 0;
}

/* Overrides to their schedules, in their order. */
static int hang_overrides(struct loading *to, size_t n_schedules, size_t n, struct err *reterr)
{
    struct override *sorted = arena_array(to->arena, n ? n : 1, sizeof(*sorted));
    size_t used = 0;

    if (!sorted)
        return err_set(reterr, ROSTER_DB_E_LIMIT, "too much to read at once");
    for (size_t i = 0; i < n_schedules; i++) {
        size_t first = used;

        for (size_t j = 0; j < n; j++)
            if (strcmp(to->owners[j], to->schedules[i].name) == 0)
                sorted[used++] = to->overrides[j];
        to->schedules[i].overrides = sorted + first;
        to->schedules[i].n_overrides = used - first;
    }
    return 0;
}

int roster_db_load(struct db_conn *conn,
                   struct zones *zones,
                   struct arena *arena,
                   struct roster *ret_roster,
                   struct err *reterr)
{
    struct loading to = {.zones = zones, .arena = arena};
    struct roster made = {0};
    size_t n_overrides = 0;
    int r = load_kind(conn, ROSTER_PERSON, &to, &made.n_people, reterr);

    if (r == 0)
        r = load_kind(conn, ROSTER_SCHEDULE, &to, &made.n_schedules, reterr);
    if (r == 0)
        r = load_kind(conn, ROSTER_OVERRIDE, &to, &n_overrides, reterr);
    if (r == 0)
        r = load_kind(conn, ROSTER_POLICY, &to, &made.n_policies, reterr);
    if (r == 0)
        r = load_kind(conn, ROSTER_SHADOW, &to, &made.n_shadows, reterr);
    if (r == 0)
        r = hang_overrides(&to, made.n_schedules, n_overrides, reterr);
    if (r)
        return r;
    made.people = to.people;
    made.schedules = to.schedules;
    made.policies = to.policies;
    made.shadows = to.shadows;
    *ret_roster = made;
    return 0;
}

/* --- a schedule's calendar --- */

int roster_db_make_ical(struct db_conn *conn,
                        const char *schedule,
                        const char *by,
                        int64_t now_ms,
                        char *ret_secret,
                        struct err *reterr)
{
    unsigned char hash[ACCESS_HASH_BYTES];
    ARENA_AUTO struct arena arena;
    struct roster_item item = {.id = 0};

    arena_init(&arena, ROSTER_TEXT_MAX * 2);
    int r = roster_db_get(conn, ROSTER_SCHEDULE, schedule, &arena, &item, reterr);

    if (r)
        return r;
    secret_make(ret_secret);
    secret_hash(ret_secret, hash);
    struct db_stmt *stmt = db_prepare(conn, "INSERT OR REPLACE INTO ical_link"
                                            " VALUES (?1, ?2, ?3, ?4)");

    db_bind_int(stmt, 1, item.id);
    db_bind_blob(stmt, 2, hash, sizeof(hash));
    db_bind_int(stmt, 3, now_ms);
    db_bind_text(stmt, 4, by);
    return db_run(stmt, reterr);
}

int roster_db_find_ical(struct db_conn *conn,
                        const char *secret,
                        struct arena *arena,
                        const char **ret_schedule,
                        struct err *reterr)
{
    unsigned char hash[ACCESS_HASH_BYTES];
    const char *name = NULL;

    if (strlen(secret) != ACCESS_SECRET_TEXT)
        return err_set(reterr, ROSTER_DB_E_NOT_FOUND, "there is no such calendar");
    secret_hash(secret, hash);
    struct db_stmt *stmt = db_prepare(conn, "SELECT i.name FROM ical_link l"
                                            " JOIN roster_item i ON i.id = l.schedule_id"
                                            " WHERE l.hash = ?1");

    db_bind_blob(stmt, 1, hash, sizeof(hash));
    bool found = db_step(stmt);

    if (found)
        name = rows_text(arena, stmt, 0);
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    if (!found)
        return err_set(reterr, ROSTER_DB_E_NOT_FOUND, "there is no such calendar");
    if (!name)
        return err_set(reterr, ROSTER_DB_E_LIMIT, "too much to read at once");
    *ret_schedule = name;
    return 0;
}
