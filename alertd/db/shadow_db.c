/*
 * Pages of shadows: what people do with theirs, and reading. See shadow_db.h; how they are made
 * is in shadow_fork_db.c.
 */

#include "alertd/db/shadow_db.h"

#include <inttypes.h>
#include <string.h>

#include "alertd/db/rows.h"

static const char too_much[] = "too much to read at once: ask for less";

/* In reverse the incident's own acknowledgement is theirs, when they, or whoever pressed the
 * page's link, gave it. */
#define REAL_ACK                                                                              \
    "(SELECT min(e.occurred_ms) FROM incident_event ie JOIN event e ON e.id = ie.event_id"    \
    " WHERE ie.incident_id = p.incident_id AND e.kind = 'ack' AND e.occurred_ms >= p.made_ms" \
    " AND e.actor IN (p.person, 'somebody with the page''s link'))"
#define ACKNOWLEDGED "iif(p.mode = 'reverse', " REAL_ACK ", p.acknowledged_ms)"
#define TAKEN_OVER                                                                     \
    "(p.mode = 'reverse' AND EXISTS (SELECT 1 FROM incident_event ie"                  \
    " JOIN event e ON e.id = ie.event_id WHERE ie.incident_id = p.incident_id"         \
    " AND e.kind = 'escalation' AND e.class = 'human' AND e.text GLOB 'took it over*'" \
    " AND e.actor <> p.person AND e.occurred_ms >= p.made_ms))"

/* --- deeds --- */

/* What is there before a deed. */
struct before {
    bool is_reverse;
    bool has[SHADOW_REVEALED + 1]; /* done already, by kind */
    bool same_text;
    struct shadow_answers answers;
};

static enum shadow_answer answer_at(struct db_stmt *stmt, int column)
{
    if (db_is_null(stmt, column))
        return SHADOW_NOT_ANSWERED;
    return db_int(stmt, column) ? SHADOW_YES : SHADOW_NO;
}

static int read_before(struct db_conn *conn,
                       const struct shadow_deed *deed,
                       struct before *ret,
                       struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT mode = 'reverse', seen_ms, opened_ms, acknowledged_ms, hypothesis IS ?2,"
              " notes IS ?2, acted_on, made_sense, knew_where, revealed_ms FROM shadow_page"
              " WHERE id = ?1");
    bool found = false;

    *ret = (struct before){0};
    db_bind_int(stmt, 1, deed->page_id);
    db_bind_text(stmt, 2, deed->text);
    if (db_step(stmt)) {
        found = true;
        ret->is_reverse = db_int(stmt, 0) != 0;
        ret->has[SHADOW_SEEN] = !db_is_null(stmt, 1);
        ret->has[SHADOW_OPENED] = !db_is_null(stmt, 2);
        ret->has[SHADOW_ACKNOWLEDGED] = !db_is_null(stmt, 3);
        ret->has[SHADOW_REVEALED] = !db_is_null(stmt, 9);
        ret->same_text = db_int(stmt, deed->kind == SHADOW_NOTES ? 5 : 4) != 0;
        ret->answers = (struct shadow_answers){answer_at(stmt, 6), answer_at(stmt, 7),
                                               answer_at(stmt, 8)};
    }
    int r = db_done(stmt, reterr);

    if (r == 0 && !found)
        r = err_set(reterr, SHADOW_DB_E_NOT_FOUND, "there is no shadow page %" PRId64,
                    deed->page_id);
    return r;
}

static int set_time(struct db_conn *conn, const struct shadow_deed *deed, struct err *reterr)
{
    struct db_stmt *stmt;

    if (deed->kind == SHADOW_SEEN)
        stmt = db_prepare(conn, "UPDATE shadow_page SET seen_ms = ?2 WHERE id = ?1");
    else if (deed->kind == SHADOW_OPENED) /* who opens it sees it */
        stmt = db_prepare(conn, "UPDATE shadow_page SET opened_ms = ?2,"
                                " seen_ms = coalesce(seen_ms, ?2) WHERE id = ?1");
    else if (deed->kind == SHADOW_REVEALED)
        stmt = db_prepare(conn, "UPDATE shadow_page SET revealed_ms = ?2 WHERE id = ?1");
    else
        stmt = db_prepare(conn, "UPDATE shadow_page SET acknowledged_ms = ?2,"
                                " seen_ms = coalesce(seen_ms, ?2) WHERE id = ?1");
    db_bind_int(stmt, 1, deed->page_id);
    db_bind_int(stmt, 2, deed->now_ms);
    return db_run(stmt, reterr);
}

static const char *const kind_names[] = {
    [SHADOW_SEEN] = "seen",
    [SHADOW_OPENED] = "opened",
    [SHADOW_ACKNOWLEDGED] = "acknowledged",
    [SHADOW_HYPOTHESIS] = "hypothesis",
    [SHADOW_NOTES] = "notes",
    [SHADOW_ANSWERS] = "answers",
    [SHADOW_REVEALED] = "revealed",
};

static int do_time(struct db_conn *conn,
                   const struct shadow_deed *deed,
                   const struct before *before,
                   struct err *reterr)
{
    static const char *const words[] = {
        [SHADOW_SEEN] = "saw it",
        [SHADOW_OPENED] = "opened it",
        [SHADOW_ACKNOWLEDGED] = "acknowledged their own copy",
        [SHADOW_REVEALED] = "looked at what really happened before guessing",
    };

    if (before->has[deed->kind])
        return 0;
    if (deed->kind == SHADOW_ACKNOWLEDGED && before->is_reverse)
        return err_set(reterr, SHADOW_DB_E_REVERSE,
                       "this page is the real one: acknowledge the incident itself");
    int r = set_time(conn, deed, reterr);

    return r == 0 ? shadow_db_tell(conn, deed->page_id, kind_names[deed->kind], words[deed->kind],
                                   deed->actor, deed->now_ms, reterr)
                  : r;
}

static int told_lately(struct db_conn *conn,
                       const struct shadow_deed *deed,
                       bool *ret_lately,
                       struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT 1 FROM shadow_page_event WHERE page_id = ?1"
                                            " AND kind = ?2 AND at_ms > ?3 LIMIT 1");

    db_bind_int(stmt, 1, deed->page_id);
    db_bind_text(stmt, 2, kind_names[deed->kind]);
    db_bind_int(stmt, 3, deed->now_ms - SHADOW_STORY_EVERY_MS);
    *ret_lately = db_step(stmt);
    return db_done(stmt, reterr);
}

static int do_text(struct db_conn *conn,
                   const struct shadow_deed *deed,
                   const struct before *before,
                   struct err *reterr)
{
    bool lately = false;

    if (before->same_text)
        return 0;
    struct db_stmt *stmt =
        deed->kind == SHADOW_NOTES
            ? db_prepare(conn, "UPDATE shadow_page SET notes = ?2 WHERE id = ?1 AND ?3")
            : db_prepare(conn, "UPDATE shadow_page SET hypothesis = ?2,"
                               " hypothesis_ms = coalesce(hypothesis_ms, ?3) WHERE id = ?1");

    db_bind_int(stmt, 1, deed->page_id);
    db_bind_text(stmt, 2, deed->text);
    db_bind_int(stmt, 3, deed->now_ms);
    int r = db_run(stmt, reterr);
    if (r == 0)
        r = told_lately(conn, deed, &lately, reterr);
    return r || lately ? r
                       : shadow_db_tell(conn, deed->page_id, kind_names[deed->kind], deed->text,
                                        deed->actor, deed->now_ms, reterr);
}

static void bind_answer(struct db_stmt *stmt, int index, enum shadow_answer answer)
{
    if (answer == SHADOW_NOT_ANSWERED)
        db_bind_null(stmt, index);
    else
        db_bind_int(stmt, index, answer == SHADOW_YES);
}

static enum shadow_answer over(enum shadow_answer before, enum shadow_answer said)
{
    return said == SHADOW_AS_BEFORE ? before : said;
}

static void answers_words(const struct shadow_answers *answers, struct str *out)
{
    static const char *const words[] = {
        [SHADOW_NOT_ANSWERED] = "-", [SHADOW_NO] = "no", [SHADOW_YES] = "yes"};

    str_addf(out, "acted on: %s, made sense: %s, knew where to look: %s", words[answers->acted_on],
             words[answers->made_sense], words[answers->knew_where]);
}

static int do_answers(struct db_conn *conn,
                      const struct shadow_deed *deed,
                      const struct before *before,
                      struct err *reterr)
{
    STR_AUTO struct str words = STR_INIT(256);
    const struct shadow_answers answers = {
        over(before->answers.acted_on, deed->answers.acted_on),
        over(before->answers.made_sense, deed->answers.made_sense),
        over(before->answers.knew_where, deed->answers.knew_where)};

    if (answers.acted_on == before->answers.acted_on &&
        answers.made_sense == before->answers.made_sense &&
        answers.knew_where == before->answers.knew_where)
        return 0;
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE shadow_page SET acted_on = ?2, made_sense = ?3, knew_where = ?4,"
              " answered_ms = coalesce(answered_ms, ?5) WHERE id = ?1");

    db_bind_int(stmt, 1, deed->page_id);
    bind_answer(stmt, 2, answers.acted_on);
    bind_answer(stmt, 3, answers.made_sense);
    bind_answer(stmt, 4, answers.knew_where);
    db_bind_int(stmt, 5, deed->now_ms);
    int r = db_run(stmt, reterr);

    answers_words(&answers, &words);
    return r == 0 ? shadow_db_tell(conn, deed->page_id, kind_names[SHADOW_ANSWERS],
                                   str_text(&words), deed->actor, deed->now_ms, reterr)
                  : r;
}

int shadow_db_do(struct db_conn *conn, const struct shadow_deed *deed, struct err *reterr)
{
    struct before before;
    int r = read_before(conn, deed, &before, reterr);

    if (r)
        return r;
    switch (deed->kind) {
    case SHADOW_SEEN:
    case SHADOW_OPENED:
    case SHADOW_ACKNOWLEDGED:
    case SHADOW_REVEALED: return do_time(conn, deed, &before, reterr);
    case SHADOW_HYPOTHESIS:
    case SHADOW_NOTES: return do_text(conn, deed, &before, reterr);
    case SHADOW_ANSWERS: return do_answers(conn, deed, &before, reterr);
    }
    return 0;
}

/* --- reading --- */

static bool read_page(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct shadow_page *page = ret_item;

    *page = (struct shadow_page){
        .id = db_int(stmt, 0),
        .person = rows_text(arena, stmt, 1),
        .shadow = rows_text(arena, stmt, 2),
        .mode = rows_text(arena, stmt, 3),
        .mentor = rows_text(arena, stmt, 4),
        .of_kind = rows_text(arena, stmt, 5),
        .of_name = rows_text(arena, stmt, 6),
        .incident_id = db_int(stmt, 7),
        .key = rows_text(arena, stmt, 8),
        .title = rows_text(arena, stmt, 9),
        .severity = rows_text(arena, stmt, 10),
        .status = rows_text(arena, stmt, 11),
        .made_ms = db_int(stmt, 12),
        .told_ms = db_int(stmt, 13),
        .seen_ms = db_int(stmt, 14),
        .opened_ms = db_int(stmt, 15),
        .acknowledged_ms = db_int(stmt, 16),
        .hypothesis_ms = db_int(stmt, 18),
        .notes = rows_text(arena, stmt, 19),
        .revealed_ms = db_int(stmt, 20),
        .answers = {answer_at(stmt, 21), answer_at(stmt, 22), answer_at(stmt, 23)},
        .answered_ms = db_int(stmt, 24),
        .real_told_ms = db_int(stmt, 25),
        .real_acknowledged_ms = db_int(stmt, 26),
        .real_resolved_ms = db_int(stmt, 27),
    };
    return page->person && page->shadow && page->mode && page->mentor && page->of_kind &&
           page->of_name && page->key && page->title && page->severity && page->status &&
           page->notes && rows_text_or_null(arena, stmt, 17, &page->hypothesis);
}

static const struct rows_kind page_kind = {sizeof(struct shadow_page), read_page, SHADOW_DB_E_LIMIT,
                                           too_much};

int shadow_db_list(struct db_conn *conn,
                   const struct shadow_query *query,
                   struct arena *arena,
                   struct shadow_page **ret_pages,
                   size_t *ret_n,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT p.id, p.person, p.shadow, p.mode, p.mentor, p.of_kind, p.of_name,"
              " p.incident_id, i.key, i.title, i.severity, i.status, p.made_ms,"
              " (SELECT min(o.sent_ms) FROM shadow_page_row r JOIN outbox o ON o.id = r.outbox_id"
              "  WHERE r.page_id = p.id AND r.role = 'shadow'), p.seen_ms, p.opened_ms,"
              " " ACKNOWLEDGED ", p.hypothesis, p.hypothesis_ms, p.notes, p.revealed_ms,"
              " p.acted_on, p.made_sense, p.knew_where, p.answered_ms,"
              " (SELECT min(o.sent_ms) FROM outbox o WHERE o.incident_id = p.incident_id"
              "  AND o.lane = 'page' AND o.receiver = (SELECT receiver FROM outbox"
              "  WHERE id = p.outbox_id) AND o.id >= p.outbox_id),"
              " i.acknowledged_ms, i.resolved_ms"
              " FROM shadow_page p JOIN incident i ON i.id = p.incident_id"
              " WHERE (?1 = 0 OR p.id = ?1) AND (?2 IS NULL OR p.person = ?2)"
              " AND (?3 IS NULL OR i.key = ?3) ORDER BY p.id DESC LIMIT ?4");

    db_bind_int(stmt, 1, query->id);
    db_bind_text(stmt, 2, query->person);
    db_bind_text(stmt, 3, query->incident);
    db_bind_int(stmt, 4, query->limit);
    return rows_read(stmt, arena, &page_kind, ret_pages, ret_n, reterr);
}

int shadow_db_get(struct db_conn *conn,
                  int64_t id,
                  struct arena *arena,
                  struct shadow_page *ret_page,
                  struct err *reterr)
{
    struct shadow_page *pages = NULL;
    size_t n = 0;
    int r = shadow_db_list(conn, &(struct shadow_query){.id = id ? id : -1, .limit = 1}, arena,
                           &pages, &n, reterr);

    if (r)
        return r;
    if (n == 0)
        return err_set(reterr, SHADOW_DB_E_NOT_FOUND, "there is no shadow page %" PRId64, id);
    *ret_page = pages[0];
    return 0;
}

static bool read_delivery(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct shadow_delivery *one = ret_item;

    *one = (struct shadow_delivery){.receiver = rows_text(arena, stmt, 0),
                                    .kind = rows_text(arena, stmt, 1),
                                    .state = rows_text(arena, stmt, 2),
                                    .sent_ms = db_int(stmt, 3)};
    return one->receiver && one->kind && one->state &&
           rows_text_or_null(arena, stmt, 4, &one->error);
}

int shadow_db_deliveries(struct db_conn *conn,
                         int64_t page_id,
                         struct arena *arena,
                         struct shadow_delivery **ret_deliveries,
                         size_t *ret_n,
                         struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct shadow_delivery), read_delivery,
                                          SHADOW_DB_E_LIMIT, too_much};
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT o.receiver, o.kind, o.state, o.sent_ms, o.last_error FROM shadow_page_row r"
              " JOIN outbox o ON o.id = r.outbox_id WHERE r.page_id = ?1 AND r.role = 'shadow'"
              " ORDER BY o.id");

    db_bind_int(stmt, 1, page_id);
    return rows_read(stmt, arena, &kind, ret_deliveries, ret_n, reterr);
}

static bool read_event(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct shadow_event *one = ret_item;

    *one = (struct shadow_event){.at_ms = db_int(stmt, 0),
                                 .kind = rows_text(arena, stmt, 1),
                                 .words = rows_text(arena, stmt, 2)};
    return one->kind && one->words && rows_text_or_null(arena, stmt, 3, &one->actor);
}

int shadow_db_story(struct db_conn *conn,
                    int64_t page_id,
                    struct arena *arena,
                    struct shadow_event **ret_events,
                    size_t *ret_n,
                    struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct shadow_event), read_event,
                                          SHADOW_DB_E_LIMIT, too_much};
    struct db_stmt *stmt = db_prepare(
        conn,
        "SELECT at_ms, kind, words, actor, id AS place FROM shadow_page_event"
        " WHERE page_id = ?1 UNION ALL SELECT o.sent_ms, 'told', iif(o.reason ="
        " 'resolved', 'told that it is over by ', 'told by ') || o.kind, NULL, 0 FROM shadow_page_row r JOIN outbox o ON o.id = r.outbox_id"
        " WHERE r.page_id = ?1 AND r.role = 'shadow' AND o.state = 'sent'"
        " UNION ALL SELECT " REAL_ACK ", 'acknowledged', 'acknowledged the incident',"
        " p.person, 0 FROM shadow_page p WHERE p.id = ?1 AND p.mode = 'reverse'"
        " AND " REAL_ACK " IS NOT NULL ORDER BY 1, 5");

    db_bind_int(stmt, 1, page_id);
    return rows_read(stmt, arena, &kind, ret_events, ret_n, reterr);
}

static bool read_counts(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct shadow_counts *one = ret_item;

    *one = (struct shadow_counts){
        .person = rows_text(arena, stmt, 0),
        .pages = (unsigned)db_int(stmt, 1),
        .night_pages = (unsigned)db_int(stmt, 2),
        .observed = (unsigned)db_int(stmt, 3),
        .own_copy = (unsigned)db_int(stmt, 4),
        .reverse = (unsigned)db_int(stmt, 5),
        .acknowledged = (unsigned)db_int(stmt, 6),
        .answered = (unsigned)db_int(stmt, 7),
        .made_sense = (unsigned)db_int(stmt, 8),
        .taken_over = (unsigned)db_int(stmt, 9),
    };
    return one->person != NULL;
}

int shadow_db_counts(struct db_conn *conn,
                     const char *person,
                     struct arena *arena,
                     struct shadow_counts **ret_counts,
                     size_t *ret_n,
                     struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct shadow_counts), read_counts,
                                          SHADOW_DB_E_LIMIT, too_much};
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT p.person, count(*), sum(p.is_night), sum(p.mode = 'observe'),"
              " sum(p.mode = 'own copy'), sum(p.mode = 'reverse'),"
              " sum(" ACKNOWLEDGED " IS NOT NULL), sum(p.made_sense IS NOT NULL),"
              " total(p.made_sense), sum(" TAKEN_OVER ") FROM shadow_page p"
              " WHERE ?1 IS NULL OR p.person = ?1 GROUP BY p.person ORDER BY p.person");

    db_bind_text(stmt, 1, person);
    return rows_read(stmt, arena, &kind, ret_counts, ret_n, reterr);
}
