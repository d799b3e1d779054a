/*
 * The full text of postmortems. See postmortem_db.h.
 */

#include <string.h>

#include "alertd/db/postmortem_db.h"
#include "alertd/db/rows.h"

enum {
    WORDS_MAX = 20
};

int postmortem_search_db_index(struct db_conn *conn, int64_t id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "DELETE FROM postmortem_search WHERE rowid = ?1");

    db_bind_int(stmt, 1, id);
    int r = db_run(stmt, reterr);

    if (r)
        return r;
    stmt = db_prepare(
        conn, "INSERT INTO postmortem_search (rowid, title, body) SELECT p.id, p.title,"
              " (SELECT group_concat(r.body, char(10)) FROM postmortem_section s"
              "  JOIN postmortem_section_revision r ON r.postmortem_id = s.postmortem_id"
              "  AND r.section = s.section AND r.revision = s.revision"
              "  WHERE s.postmortem_id = p.id)"
              " || char(10) || (SELECT i.title || ' ' || i.key || ' ' || i.labels FROM incident i"
              "  WHERE i.id = p.incident_id)"
              " || char(10) || coalesce((SELECT group_concat(a.text || ' ' || a.tag, char(10))"
              "  FROM postmortem_action a WHERE a.postmortem_id = p.id), '')"
              " FROM postmortem p WHERE p.id = ?1");
    db_bind_int(stmt, 1, id);
    return db_run(stmt, reterr);
}

/* Words as FTS5 strings, so that no sign of theirs is syntax; the last one may be a beginning. */
static void make_query(const char *words, struct str *out)
{
    unsigned n = 0;

    while (*words && n < WORDS_MAX) {
        size_t len = strcspn(words, " \t\r\n");

        if (len) {
            str_add(out, n++ ? " \"" : "\"");
            for (size_t i = 0; i < len; i++) {
                if (words[i] == '"')
                    str_addc(out, '"');
                str_addc(out, words[i]);
            }
            str_addc(out, '"');
            if (!words[len])
                str_addc(out, '*');
        }
        words += len + (words[len] != '\0');
    }
}

static bool read_hit(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct postmortem_hit *hit = ret_item;

    *hit = (struct postmortem_hit){
        .id = db_int(stmt, 0),
        .title = rows_text(arena, stmt, 1),
        .incident = rows_text(arena, stmt, 2),
        .snippet = rows_text(arena, stmt, 3),
        .rank = -db_float(stmt, 4),
    };
    return hit->title && hit->incident && hit->snippet;
}

static const struct rows_kind hit_kind = {sizeof(struct postmortem_hit), read_hit,
                                          POSTMORTEM_DB_E_LIMIT, "too much to show at once"};

int postmortem_search_db_find(struct db_conn *conn,
                              const char *words,
                              struct arena *arena,
                              struct postmortem_hit **ret_hits,
                              size_t *ret_n,
                              struct err *reterr)
{
    STR_AUTO struct str query = STR_INIT(4096);

    make_query(words, &query);
    *ret_n = 0;
    if (!query.len || query.full)
        return 0;
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT p.id, p.title, i.key,"
              " snippet(postmortem_search, -1, char(2), char(3), '...', 24),"
              " bm25(postmortem_search, 4.0, 1.0)"
              " FROM postmortem_search JOIN postmortem p ON p.id = postmortem_search.rowid"
              " JOIN incident i ON i.id = p.incident_id"
              " WHERE postmortem_search MATCH ?1 ORDER BY bm25(postmortem_search, 4.0, 1.0)"
              " LIMIT 50");

    db_bind_text(stmt, 1, str_text(&query));
    return rows_read(stmt, arena, &hit_kind, ret_hits, ret_n, reterr);
}
