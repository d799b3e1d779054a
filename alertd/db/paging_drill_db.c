/*
 * Paging-path drills as rows. See paging_drill_db.h.
 */

#include "alertd/db/paging_drill_db.h"

#include "alertd/db/access_private.h"
#include "alertd/db/rows.h"

enum {
    LISTED_MAX = 200
};

static int too_much(struct err *reterr)
{
    return err_set(reterr, PAGING_DRILL_DB_E_LIMIT, "too much to show at once");
}

/* --- jobs --- */

static int refuse_second(struct db_conn *conn, const char *policy, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT id FROM paging_drill WHERE policy = ?1 AND ended_ms IS NULL");

    db_bind_text(stmt, 1, policy);
    int64_t id = db_step(stmt) ? db_int(stmt, 0) : 0;
    int r = db_done(stmt, reterr);

    if (r == 0 && id)
        return err_set(reterr, PAGING_DRILL_DB_E_RUNNING,
                       "paging drill %lld of this policy goes on still", (long long)id);
    return r;
}

static int add_page(struct db_conn *conn,
                    int64_t id,
                    const struct paging_drill_page_row *page,
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO paging_drill_page (drill_id, step, via, target, person, method,"
              " address, state, words) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, page->step);
    db_bind_text(stmt, 3, page->via);
    db_bind_text(stmt, 4, page->target);
    db_bind_text(stmt, 5, page->person);
    db_bind_text(stmt, 6, page->method);
    db_bind_text(stmt, 7, page->address);
    db_bind_text(stmt, 8, page->state);
    db_bind_text(stmt, 9, page->words);
    return db_run(stmt, reterr);
}

int paging_drill_db_add(struct db_conn *conn,
                        const struct paging_drill_row *drill,
                        const struct paging_drill_page_row *pages,
                        size_t n,
                        int64_t *ret_id,
                        struct err *reterr)
{
    int r = refuse_second(conn, drill->policy, reterr);

    if (r)
        return r;
    struct db_stmt *stmt = db_prepare(conn, "INSERT INTO paging_drill (policy, made_by, made_ms,"
                                            " until_ms) VALUES (?1, ?2, ?3, ?4)");

    db_bind_text(stmt, 1, drill->policy);
    db_bind_text(stmt, 2, drill->by);
    db_bind_int(stmt, 3, drill->made_ms);
    db_bind_int(stmt, 4, drill->until_ms);
    r = db_run(stmt, reterr);
    if (r)
        return r;
    int64_t id = db_last_id(conn);

    for (size_t i = 0; r == 0 && i < n; i++)
        r = add_page(conn, id, &pages[i], reterr);
    if (r == 0)
        *ret_id = id;
    return r;
}

int paging_drill_db_sent(
    struct db_conn *conn, int64_t page_id, const char *token, const char *words, struct err *reterr)
{
    unsigned char hash[ACCESS_HASH_BYTES];
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE paging_drill_page SET state = CASE WHEN ?2 IS NULL THEN 'unreached' ELSE"
              " 'sent' END, token_hash = ?2, words = ?3 WHERE id = ?1");

    db_bind_int(stmt, 1, page_id);
    if (token) {
        secret_hash(token, hash);
        db_bind_blob(stmt, 2, hash, sizeof(hash));
    }
    db_bind_text(stmt, 3, words);
    return db_run(stmt, reterr);
}

int paging_drill_db_end(struct db_conn *conn, int64_t now_ms, size_t *ret_n, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE paging_drill_page SET state = 'unreached', words = 'it was not sent in time'"
              " WHERE state = 'due' AND drill_id IN (SELECT id FROM paging_drill"
              "  WHERE ended_ms IS NULL AND until_ms <= ?1)");

    db_bind_int(stmt, 1, now_ms);
    int r = db_run(stmt, reterr);

    if (r)
        return r;
    stmt = db_prepare(conn, "UPDATE paging_drill SET ended_ms = until_ms"
                            " WHERE ended_ms IS NULL AND until_ms <= ?1");
    db_bind_int(stmt, 1, now_ms);
    r = db_run(stmt, reterr);
    if (r == 0)
        *ret_n = (size_t)db_changes(conn);
    return r;
}

/* --- reading --- */

#define DRILL_COLUMNS "d.id, d.policy, d.made_by, d.made_ms, d.until_ms, d.ended_ms"
#define PAGE_COLUMNS                                                                    \
    "p.id, p.step, p.via, p.target, p.person, p.method, p.address, p.state, c.outcome," \
    " coalesce(p.words, c.words), c.confirmed_ms"

static bool read_drill(struct db_stmt *stmt, struct arena *arena, struct paging_drill_row *row)
{
    *row = (struct paging_drill_row){.id = db_int(stmt, 0),
                                     .policy = rows_text(arena, stmt, 1),
                                     .by = rows_text(arena, stmt, 2),
                                     .made_ms = db_int(stmt, 3),
                                     .until_ms = db_int(stmt, 4),
                                     .ended_ms = db_int(stmt, 5)};
    return row->policy && row->by;
}

static bool read_page(struct db_stmt *stmt,
                      int from,
                      struct arena *arena,
                      struct paging_drill_page_row *row)
{
    *row = (struct paging_drill_page_row){.id = db_int(stmt, from),
                                          .step = db_int(stmt, from + 1),
                                          .via = rows_text(arena, stmt, from + 2),
                                          .target = rows_text(arena, stmt, from + 3),
                                          .state = rows_text(arena, stmt, from + 7),
                                          .answered_ms = db_int(stmt, from + 10)};
    return row->via && row->target && row->state &&
           rows_text_or_null(arena, stmt, from + 4, &row->person) &&
           rows_text_or_null(arena, stmt, from + 5, &row->method) &&
           rows_text_or_null(arena, stmt, from + 6, &row->address) &&
           rows_text_or_null(arena, stmt, from + 8, &row->outcome) &&
           rows_text_or_null(arena, stmt, from + 9, &row->words);
}

int paging_drill_db_due(struct db_conn *conn,
                        struct arena *arena,
                        struct paging_drill_row *ret_drill,
                        struct paging_drill_page_row *ret_page,
                        struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT " DRILL_COLUMNS ", " PAGE_COLUMNS " FROM paging_drill_page p"
              " JOIN paging_drill d ON d.id = p.drill_id"
              " LEFT JOIN contact_check c ON c.token_hash = p.token_hash"
              " WHERE p.state = 'due' ORDER BY p.id LIMIT 1");
    bool fits = true;

    *ret_page = (struct paging_drill_page_row){0};
    if (db_step(stmt))
        fits = read_drill(stmt, arena, ret_drill) && read_page(stmt, 6, arena, ret_page);
    int r = db_done(stmt, reterr);

    return r == 0 && !fits ? too_much(reterr) : r;
}

int paging_drill_db_last(struct db_conn *conn,
                         const char *policy,
                         int64_t *ret_made_ms,
                         struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT max(made_ms) FROM paging_drill WHERE policy = ?1");

    db_bind_text(stmt, 1, policy);
    int64_t made_ms = db_step(stmt) ? db_int(stmt, 0) : 0;
    int r = db_done(stmt, reterr);

    if (r == 0)
        *ret_made_ms = made_ms;
    return r;
}

int paging_drill_db_list(struct db_conn *conn,
                         struct arena *arena,
                         struct paging_drill_row **ret_rows,
                         size_t *ret_n,
                         struct err *reterr)
{
    struct paging_drill_row *rows = arena_array(arena, LISTED_MAX, sizeof(*rows));
    struct db_stmt *stmt = db_prepare(conn, "SELECT " DRILL_COLUMNS
                                            " FROM paging_drill d ORDER BY d.id DESC LIMIT ?1");
    bool fits = rows != NULL;
    size_t n = 0;

    db_bind_int(stmt, 1, LISTED_MAX);
    while (fits && db_step(stmt))
        fits = read_drill(stmt, arena, &rows[n++]);
    int r = db_done(stmt, reterr);

    if (r == 0 && !fits)
        return too_much(reterr);
    if (r == 0) {
        *ret_rows = rows;
        *ret_n = n;
    }
    return r;
}

static int list_pages(struct db_conn *conn,
                      int64_t id,
                      struct arena *arena,
                      struct paging_drill_page_row **ret_pages,
                      size_t *ret_n,
                      struct err *reterr)
{
    struct paging_drill_page_row *pages = arena_array(arena, PAGING_DRILL_PAGES_MAX,
                                                      sizeof(*pages));
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT " PAGE_COLUMNS " FROM paging_drill_page p"
                                      " LEFT JOIN contact_check c ON c.token_hash = p.token_hash"
                                      " WHERE p.drill_id = ?1 ORDER BY p.id LIMIT ?2");
    bool fits = pages != NULL;
    size_t n = 0;

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, PAGING_DRILL_PAGES_MAX);
    while (fits && db_step(stmt))
        fits = read_page(stmt, 0, arena, &pages[n++]);
    int r = db_done(stmt, reterr);

    if (r == 0 && !fits)
        return too_much(reterr);
    *ret_pages = pages;
    *ret_n = n;
    return r;
}

int paging_drill_db_get(struct db_conn *conn,
                        int64_t id,
                        struct arena *arena,
                        struct paging_drill_row *ret_drill,
                        struct paging_drill_page_row **ret_pages,
                        size_t *ret_n,
                        struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT " DRILL_COLUMNS
                                            " FROM paging_drill d WHERE d.id = ?1");
    bool fits = true;

    db_bind_int(stmt, 1, id);
    bool found = db_step(stmt);

    if (found)
        fits = read_drill(stmt, arena, ret_drill);
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    if (!found)
        return err_set(reterr, PAGING_DRILL_DB_E_NOT_FOUND, "there is no paging drill %lld",
                       (long long)id);
    return fits ? list_pages(conn, id, arena, ret_pages, ret_n, reterr) : too_much(reterr);
}

int paging_drill_db_of_person(struct db_conn *conn,
                              const char *person,
                              int64_t *ret_made_ms,
                              int64_t *ret_answered_ms,
                              struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT d.made_ms, (SELECT min(c.confirmed_ms) FROM paging_drill_page p"
              "  JOIN contact_check c ON c.token_hash = p.token_hash"
              "  WHERE p.drill_id = d.id AND p.person = ?1)"
              " FROM paging_drill d WHERE d.id = (SELECT max(drill_id) FROM paging_drill_page"
              "  WHERE person = ?1)");

    db_bind_text(stmt, 1, person);
    *ret_made_ms = *ret_answered_ms = 0;
    if (db_step(stmt)) {
        *ret_made_ms = db_int(stmt, 0);
        *ret_answered_ms = db_int(stmt, 1);
    }
    return db_done(stmt, reterr);
}
