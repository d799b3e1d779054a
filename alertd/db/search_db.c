/*
 * Words in incidents, with SQLite's full-text index. See search_db.h.
 */

#include "alertd/db/search_db.h"

#include <ctype.h>
#include <string.h>

#include "alertd/db/rows.h"

/* --- the index --- */

int search_db_catch_up(struct db_conn *conn, bool *ret_more, struct err *reterr)
{
    struct db_stmt *stmt;
    int64_t n;
    int r = db_run(
        db_prepare(conn, "INSERT INTO incident_words (rowid, title) SELECT id, title FROM incident"
                         " WHERE id > (SELECT incident_id FROM search_state)"),
        reterr);

    if (r == 0)
        r = db_run(db_prepare(conn, "INSERT INTO event_words (rowid, text) SELECT id, text FROM"
                                    " event WHERE id > (SELECT event_id FROM search_state)"
                                    " ORDER BY id LIMIT 2000"),
                   reterr);
    n = db_changes(conn);
    if (r == 0)
        r = db_run(db_prepare(conn, "UPDATE search_state SET incident_id = (SELECT"
                                    " coalesce(max(id), 0) FROM incident)"),
                   reterr);
    if (r)
        return r;
    /* ids of events have no gaps: the log checks that */
    stmt = db_prepare(conn, "UPDATE search_state SET event_id = event_id + ?1");
    db_bind_int(stmt, 1, n);
    *ret_more = n == 2000;
    return db_run(stmt, reterr);
}

/* "pool full" becomes "\"pool\" \"full\" *": words alone, none of the index's language. */
static bool quote(const char *words, struct str *out)
{
    bool any = false;

    while (*words) {
        size_t len = 0;

        while (words[len] && (isalnum((unsigned char)words[len]) || words[len] == '_' ||
                              (unsigned char)words[len] >= 0x80))
            len++;
        if (len) {
            str_add(out, any ? " \"" : "\"");
            str_addn(out, words, len);
            str_addc(out, '"');
            any = true;
        }
        words += len + (words[len] != '\0');
    }
    str_add(out, "*");
    return any && !out->full;
}

static bool read_hit(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct search_hit *hit = ret_item;

    *hit = (struct search_hit){
        .key = rows_text(arena, stmt, 0),
        .title = rows_text(arena, stmt, 1),
        .status = rows_text(arena, stmt, 2),
        .severity = rows_text(arena, stmt, 3),
        .opened_at_ms = db_int(stmt, 4),
        .event_id = db_int(stmt, 5),
        .kind = rows_text(arena, stmt, 6),
        .occurred_at_ms = db_int(stmt, 7),
        .snippet = rows_text(arena, stmt, 8),
    };
    return hit->key && hit->title && hit->status && hit->severity && hit->kind && hit->snippet;
}

static const struct rows_kind hit_kind = {sizeof(struct search_hit), read_hit, INCIDENT_DB_E_LIMIT,
                                          "too much was found: ask for less"};

int search_db_find(struct db_conn *conn,
                   const char *words,
                   unsigned limit,
                   struct arena *arena,
                   struct search_hit **ret_hits,
                   size_t *ret_n,
                   struct err *reterr)
{
    STR_AUTO struct str match = STR_INIT(4 * SEARCH_DB_WORDS_MAX);
    struct db_stmt *stmt;

    if (strlen(words) > SEARCH_DB_WORDS_MAX || !quote(words, &match))
        return err_set(reterr, SEARCH_DB_E_WORDS, "q: a few words, at most %d bytes",
                       SEARCH_DB_WORDS_MAX);
    stmt = db_prepare(
        conn, "SELECT i.key, i.title, i.status, i.severity, i.opened_ms, 0, '', i.opened_ms,"
              " i.title, w.rank * 4 AS score FROM incident_words w JOIN incident i ON i.id ="
              " w.rowid WHERE incident_words MATCH ?1"
              " UNION ALL"
              " SELECT i.key, i.title, i.status, i.severity, i.opened_ms, e.id, e.kind,"
              " e.occurred_ms, f.words, f.score FROM (SELECT rowid, rank AS score,"
              " snippet(event_words, 0, '', '', ' ... ', 24) AS words FROM event_words"
              " WHERE event_words MATCH ?1 ORDER BY rank LIMIT 1000) f JOIN event e ON e.id ="
              " f.rowid JOIN incident_event ie ON ie.event_id = e.id JOIN incident i ON i.id ="
              " ie.incident_id ORDER BY score LIMIT ?2");
    db_bind_text(stmt, 1, str_text(&match));
    db_bind_int(stmt, 2, limit);
    return rows_read(stmt, arena, &hit_kind, ret_hits, ret_n, reterr);
}

/* --- what is like it --- */

static bool read_like(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct search_like *like = ret_item;

    *like = (struct search_like){
        .key = rows_text(arena, stmt, 0),
        .title = rows_text(arena, stmt, 1),
        .status = rows_text(arena, stmt, 2),
        .opened_at_ms = db_int(stmt, 3),
        .resolved_at_ms = db_int(stmt, 4),
        .postmortem_id = db_int(stmt, 5),
        .n_rules = (unsigned)db_int(stmt, 6),
        .n_labels = (unsigned)db_int(stmt, 7),
        .n_words = (unsigned)db_int(stmt, 8),
        .is_linked = db_int(stmt, 9) != 0,
    };
    return like->key && like->title && like->status;
}

static const struct rows_kind like_kind = {sizeof(struct search_like), read_like,
                                           INCIDENT_DB_E_LIMIT, "too much was found: ask for less"};

/* The title's words as a JSON list, in small letters; short ones tell nothing. */
static void list_words(const char *title, struct str *out)
{
    size_t from = 0;

    str_addc(out, '[');
    for (size_t i = 0;; i++) {
        unsigned char c = (unsigned char)title[i];

        if (isalnum(c) || c >= 0x80)
            continue;
        if (i - from >= 4) {
            str_add(out, out->len > 1 ? ",\"" : "\"");
            for (size_t k = from; k < i; k++)
                str_addc(out,
                         title[k] >= 'A' && title[k] <= 'Z' ? (char)(title[k] + 32) : title[k]);
            str_addc(out, '"');
        }
        from = i + 1;
        if (!c)
            break;
    }
    str_addc(out, ']');
}

int search_db_like(struct db_conn *conn,
                   const struct incident *incident,
                   unsigned limit,
                   struct arena *arena,
                   struct search_like **ret_likes,
                   size_t *ret_n,
                   struct err *reterr)
{
    STR_AUTO struct str words = STR_INIT(ROWS_KEY_BYTES_MAX);
    struct db_stmt *stmt = db_prepare(
        conn,
        "WITH mine AS (SELECT DISTINCT name FROM incident_alert WHERE incident_id = ?1),"
        " labels AS (SELECT key, value FROM json_each((SELECT labels FROM incident WHERE id = ?1))"
        "  WHERE key <> 'alertname'),"
        " words AS (SELECT DISTINCT value FROM json_each(?2)),"
        " found AS (SELECT i.id, i.key, i.title, i.status, i.opened_ms, i.resolved_ms,"
        "  i.postmortem_id,"
        "  (SELECT count(DISTINCT a.name) FROM incident_alert a WHERE a.incident_id = i.id"
        "   AND a.name IN (SELECT name FROM mine)) AS rules,"
        "  (SELECT count(*) FROM json_each(i.labels) l JOIN labels ON labels.key = l.key"
        "   AND labels.value = l.value) AS n_labels,"
        "  (SELECT count(*) FROM words WHERE instr(lower(i.title), words.value) > 0) AS n_words,"
        "  (i.recurrence_of = ?1 OR i.id = (SELECT recurrence_of FROM incident WHERE id = ?1))"
        "   IS TRUE AS linked"
        "  FROM (SELECT * FROM incident WHERE id <> ?1 ORDER BY id DESC LIMIT 1000) i)"
        " SELECT key, title, status, opened_ms, resolved_ms, postmortem_id, rules, n_labels,"
        " n_words, linked FROM found WHERE linked OR rules > 0 OR n_labels > 0 OR n_words >= 2"
        " ORDER BY linked DESC, 3 * rules + 2 * n_labels + n_words DESC, id DESC LIMIT ?3");

    list_words(incident->title, &words);
    db_bind_int(stmt, 1, incident->id);
    db_bind_text(stmt, 2, words.full ? "[]" : str_text(&words));
    db_bind_int(stmt, 3, limit);
    return rows_read(stmt, arena, &like_kind, ret_likes, ret_n, reterr);
}
