/*
 * What readers of a postmortem said: reviews, answers, hints they left as they are.
 * See postmortem_db.h.
 */

#include "alertd/db/postmortem_db.h"
#include "alertd/db/rows.h"

/* --- reviews --- */

static bool read_review(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct postmortem_review *review = ret_item;

    *review = (struct postmortem_review){
        .who = rows_text(arena, stmt, 0),
        .verdict = rows_text(arena, stmt, 1),
        .section = rows_text(arena, stmt, 2),
        .text = rows_text(arena, stmt, 3),
        .revision = db_int(stmt, 4),
        .at_ms = db_int(stmt, 5),
    };
    return review->who && review->verdict && review->section && review->text;
}

static const struct rows_kind review_kind = {sizeof(struct postmortem_review), read_review,
                                             POSTMORTEM_DB_E_LIMIT, "too much to show at once"};

int postmortem_review_db_list(struct db_conn *conn,
                              int64_t id,
                              struct arena *arena,
                              struct postmortem_review **ret_reviews,
                              size_t *ret_n,
                              struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT who, verdict, section, text, revision, at_ms"
                                            " FROM postmortem_review WHERE postmortem_id = ?1"
                                            " ORDER BY id LIMIT 1000");

    db_bind_int(stmt, 1, id);
    return rows_read(stmt, arena, &review_kind, ret_reviews, ret_n, reterr);
}

int postmortem_review_db_add(struct db_conn *conn,
                             int64_t id,
                             const struct postmortem_review *review,
                             int64_t now_ms,
                             struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO postmortem_review (postmortem_id, who, verdict, section, text,"
              " revision, at_ms) SELECT id, ?2, ?3, ?4, ?5, revision, ?6 FROM postmortem"
              " WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    db_bind_text(stmt, 2, review->who);
    db_bind_text(stmt, 3, review->verdict);
    db_bind_text(stmt, 4, review->section);
    db_bind_text(stmt, 5, review->text);
    db_bind_int(stmt, 6, now_ms);
    int r = db_run(stmt, reterr);

    if (!r && db_changes(conn) == 0)
        r = err_set(reterr, POSTMORTEM_DB_E_NOT_FOUND, "there is no postmortem %lld",
                    (long long)id);
    return r;
}

/* --- answers --- */

static bool read_answer(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct postmortem_answer_row *answer = ret_item;

    *answer = (struct postmortem_answer_row){
        .question = rows_text(arena, stmt, 0),
        .answer = rows_text(arena, stmt, 1),
        .answered_by = rows_text(arena, stmt, 2),
        .at_ms = db_int(stmt, 3),
    };
    return answer->question && answer->answer && answer->answered_by;
}

static const struct rows_kind answer_kind = {sizeof(struct postmortem_answer_row), read_answer,
                                             POSTMORTEM_DB_E_LIMIT, "too much to show at once"};

int postmortem_answer_db_list(struct db_conn *conn,
                              int64_t id,
                              struct arena *arena,
                              struct postmortem_answer_row **ret_answers,
                              size_t *ret_n,
                              struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT question, answer, answered_by, at_ms"
                                            " FROM postmortem_answer WHERE postmortem_id = ?1"
                                            " ORDER BY question LIMIT 500");

    db_bind_int(stmt, 1, id);
    return rows_read(stmt, arena, &answer_kind, ret_answers, ret_n, reterr);
}

static int forget_answer(struct db_conn *conn, int64_t id, const char *question, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "DELETE FROM postmortem_answer"
                                            " WHERE postmortem_id = ?1 AND question = ?2");

    db_bind_int(stmt, 1, id);
    db_bind_text(stmt, 2, question);
    return db_run(stmt, reterr);
}

int postmortem_answer_db_set(struct db_conn *conn,
                             int64_t id,
                             const struct postmortem_answer_row *answer,
                             struct err *reterr)
{
    if (!*answer->answer)
        return forget_answer(conn, id, answer->question, reterr);
    struct db_stmt *stmt = db_prepare(conn, "INSERT OR REPLACE INTO postmortem_answer"
                                            " VALUES (?1, ?2, ?3, ?4, ?5)");

    db_bind_int(stmt, 1, id);
    db_bind_text(stmt, 2, answer->question);
    db_bind_text(stmt, 3, answer->answer);
    db_bind_text(stmt, 4, answer->answered_by);
    db_bind_int(stmt, 5, answer->at_ms);
    return db_run(stmt, reterr);
}

/* --- hints --- */

static bool read_dismissal(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct postmortem_dismissal *dismissal = ret_item;

    *dismissal = (struct postmortem_dismissal){
        .section = rows_text(arena, stmt, 0),
        .phrase = rows_text(arena, stmt, 1),
    };
    return dismissal->section && dismissal->phrase;
}

static const struct rows_kind dismissal_kind = {sizeof(struct postmortem_dismissal), read_dismissal,
                                                POSTMORTEM_DB_E_LIMIT, "too much to show at once"};

int postmortem_hint_db_list(struct db_conn *conn,
                            int64_t id,
                            struct arena *arena,
                            struct postmortem_dismissal **ret_dismissals,
                            size_t *ret_n,
                            struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT section, phrase FROM postmortem_hint_dismissed"
                                            " WHERE postmortem_id = ?1 LIMIT 2000");

    db_bind_int(stmt, 1, id);
    return rows_read(stmt, arena, &dismissal_kind, ret_dismissals, ret_n, reterr);
}

int postmortem_hint_db_dismiss(struct db_conn *conn,
                               int64_t id,
                               const struct postmortem_dismissal *dismissal,
                               const char *who,
                               int64_t now_ms,
                               struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "INSERT OR REPLACE INTO postmortem_hint_dismissed"
                                            " VALUES (?1, ?2, ?3, ?4, ?5)");

    db_bind_int(stmt, 1, id);
    db_bind_text(stmt, 2, dismissal->section);
    db_bind_text(stmt, 3, dismissal->phrase);
    db_bind_text(stmt, 4, who);
    db_bind_int(stmt, 5, now_ms);
    return db_run(stmt, reterr);
}
