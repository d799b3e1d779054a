/*
 * Which incidents somebody is at. See responding_db.h.
 */

#include "alertd/db/responding_db.h"

#include "alertd/db/rows.h"

static bool read_key(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    const char **key = ret_item;

    *key = rows_text(arena, stmt, 0);
    return *key != NULL;
}

int responding_db_list(struct db_conn *conn,
                       const char *actor,
                       struct arena *arena,
                       const char ***ret_keys,
                       size_t *ret_n,
                       struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(const char *), read_key, RESPONDING_DB_E_LIMIT,
                                          "too many incidents"};
    struct db_stmt *stmt = db_prepare(
        conn,
        "SELECT key FROM incident i WHERE resolved_ms IS NULL AND EXISTS (SELECT 1 FROM incident_event l"
        "  JOIN event e ON e.id = l.event_id WHERE l.incident_id = i.id AND e.class = 'human'"
        "  AND e.actor = ?1 AND e.kind <> 'query.run')"
        " ORDER BY id DESC LIMIT ?2");

    db_bind_text(stmt, 1, actor);
    db_bind_int(stmt, 2, RESPONDING_DB_MAX);
    return rows_read(stmt, arena, &kind, ret_keys, ret_n, reterr);
}
