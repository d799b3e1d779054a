/*
 * Configs that were in force, as rows. See config_db.h.
 */

#include "alertd/db/config_db.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "alertd/db/change_db.h"
#include "alertd/db/rows.h"

enum {
    HASH_BYTES = 32,
};

static int is_newest(struct db_conn *conn,
                     const unsigned char *hash,
                     bool *ret_is,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT hash = ?1 FROM config_version ORDER BY id DESC LIMIT 1");

    db_bind_blob(stmt, 1, hash, HASH_BYTES);
    *ret_is = db_step(stmt) && db_int(stmt, 0) != 0;
    return db_done(stmt, reterr);
}

/* Who is told of what changed with it. The first config there is changed nothing. */
static int tell(struct db_conn *conn, int64_t version, int64_t now_ms, struct err *reterr)
{
    static const struct timeline_event what = {
        .kind = "change.config",
        .event_class = "machine",
        .source = "config",
        .text = "alertd's configuration changed: who is told of what, and how",
        .data = "{}",
    };
    struct timeline_event event = what;

    event.occurred_at_ms = now_ms;
    return version > 1 ? change_db_add(conn, &event, NULL, now_ms, reterr) : 0;
}

int config_db_keep(
    struct db_conn *conn, const char *file, const char *text, int64_t now_ms, struct err *reterr)
{
    unsigned char hash[HASH_BYTES];
    bool is_known = false;

    (void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)file, strlen(file), NULL,
                             0);
    int r = is_newest(conn, hash, &is_known, reterr);
    if (r || is_known)
        return r;
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO config_version (from_ms, hash, text) VALUES (?1, ?2, ?3)");

    db_bind_int(stmt, 1, now_ms);
    db_bind_blob(stmt, 2, hash, sizeof(hash));
    db_bind_text(stmt, 3, text);
    r = db_run(stmt, reterr);

    int64_t version = db_last_id(conn);

    if (r == 0)
        r = tell(conn, version, now_ms, reterr);
    if (r)
        return r;
    stmt = db_prepare(conn, "DELETE FROM config_version WHERE id <= ?1 - ?2");
    db_bind_int(stmt, 1, version);
    db_bind_int(stmt, 2, CONFIG_DB_KEPT_MAX);
    return db_run(stmt, reterr);
}

static int oldest(struct db_conn *conn, int64_t *ret_from_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT min(from_ms) FROM config_version");

    *ret_from_ms = db_step(stmt) ? db_int(stmt, 0) : 0;
    return db_done(stmt, reterr);
}

int config_db_at(struct db_conn *conn,
                 int64_t at_ms,
                 struct arena *arena,
                 struct config_row *ret_row,
                 bool *ret_found,
                 struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT c.from_ms, c.text, lower(hex(c.hash)), (SELECT n.from_ms FROM config_version"
              " n WHERE n.id > c.id ORDER BY n.id LIMIT 1) FROM config_version c"
              " WHERE c.from_ms <= ?1 ORDER BY c.id DESC LIMIT 1");

    *ret_row = (struct config_row){.until_ms = INT64_MAX};
    db_bind_int(stmt, 1, at_ms);
    *ret_found = db_step(stmt);
    if (*ret_found) {
        ret_row->from_ms = db_int(stmt, 0);
        ret_row->text = rows_text(arena, stmt, 1);
        memcpy(ret_row->hash, db_text(stmt, 2), 2 * HASH_BYTES);
        if (!db_is_null(stmt, 3))
            ret_row->until_ms = db_int(stmt, 3);
    }
    int r = db_done(stmt, reterr);

    if (r == 0 && *ret_found && !ret_row->text)
        return err_set(reterr, -ENOMEM, "a config is too large to read here");
    return r || *ret_found ? r : oldest(conn, &ret_row->until_ms, reterr);
}
