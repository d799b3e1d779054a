/*
 * What published postmortems say together. See postmortem_trend_db.h.
 */

#include "alertd/db/postmortem_trend_db.h"

#include "alertd/db/rows.h"

static struct trend_span read_span(struct db_stmt *stmt, int column)
{
    return (struct trend_span){db_int(stmt, column) != 0, db_int(stmt, column + 1)};
}

static bool read_row(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct trend_row *row = ret_item;

    *row = (struct trend_row){
        .id = db_int(stmt, 0),
        .title = rows_text(arena, stmt, 1),
        .incident = rows_text(arena, stmt, 2),
        .severity = rows_text(arena, stmt, 3),
        .recurrence_of = rows_text(arena, stmt, 4),
        .opened_ms = db_int(stmt, 5),
        .ttd = read_span(stmt, 6),
        .ttm = read_span(stmt, 8),
        .ttr = read_span(stmt, 10),
    };
    return row->title && row->incident && row->severity && row->recurrence_of;
}

static const struct rows_kind row_kind = {sizeof(struct trend_row), read_row, TREND_DB_E_LIMIT,
                                          "too much to show at once"};

int trend_db_rows(struct db_conn *conn,
                  int64_t from_ms,
                  int64_t to_ms,
                  struct arena *arena,
                  struct trend_row **ret_rows,
                  size_t *ret_n,
                  struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT p.id, p.title, i.key, i.severity,"
              " (SELECT was.key FROM incident was WHERE was.id = i.recurrence_of), i.opened_ms,"
              " v.facts ->> '$.metric.ttd.known', v.facts ->> '$.metric.ttd.s',"
              " v.facts ->> '$.metric.ttm.known', v.facts ->> '$.metric.ttm.s',"
              " v.facts ->> '$.metric.ttr.known', v.facts ->> '$.metric.ttr.s'"
              " FROM postmortem p JOIN incident i ON i.id = p.incident_id"
              " JOIN postmortem_version v ON v.postmortem_id = p.id AND v.version = p.version"
              " WHERE p.kind = 'internal' AND i.opened_ms >= ?1 AND i.opened_ms < ?2"
              " ORDER BY i.opened_ms, p.id LIMIT 5000");

    db_bind_int(stmt, 1, from_ms);
    db_bind_int(stmt, 2, to_ms);
    return rows_read(stmt, arena, &row_kind, ret_rows, ret_n, reterr);
}

int trend_db_documents(struct db_conn *conn,
                       int64_t from_ms,
                       int64_t to_ms,
                       int (*visit)(void *arg, const struct trend_document *document),
                       void *arg,
                       struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT p.id, i.key, i.opened_ms, s.title, v.markdown"
              " FROM postmortem p JOIN incident i ON i.id = p.incident_id"
              " JOIN postmortem_version v ON v.postmortem_id = p.id AND v.version = p.version"
              " JOIN postmortem_section s ON s.postmortem_id = p.id AND s.section = 'factors'"
              " WHERE p.kind = 'internal' AND i.opened_ms >= ?1 AND i.opened_ms < ?2"
              " ORDER BY i.opened_ms, p.id LIMIT 5000");
    int result = 0;

    db_bind_int(stmt, 1, from_ms);
    db_bind_int(stmt, 2, to_ms);
    while (result == 0 && db_step(stmt)) {
        const struct trend_document document = {
            .id = db_int(stmt, 0),
            .incident = db_text(stmt, 1),
            .opened_ms = db_int(stmt, 2),
            .heading = db_text(stmt, 3),
            .markdown = db_text(stmt, 4),
        };

        result = visit(arg, &document);
    }
    int r = db_done(stmt, reterr);

    return r ? r : result;
}

static bool read_tag(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct trend_tag *tag = ret_item;

    *tag = (struct trend_tag){
        .tag = rows_text(arena, stmt, 0),
        .n = db_int(stmt, 1),
        .done_in_time = db_int(stmt, 2),
        .done_late = db_int(stmt, 3),
        .wont_do = db_int(stmt, 4),
        .open = db_int(stmt, 5),
        .overdue = db_int(stmt, 6),
    };
    return tag->tag != NULL;
}

static const struct rows_kind tag_kind = {sizeof(struct trend_tag), read_tag, TREND_DB_E_LIMIT,
                                          "too much to show at once"};

int trend_db_tags(struct db_conn *conn,
                  const struct trend_time *time,
                  struct arena *arena,
                  struct trend_tag **ret_tags,
                  size_t *ret_n,
                  struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT tag, count(*),"
              " sum(state = 'done' AND closed_ms <= coalesce(due_ms, closed_ms)),"
              " sum(state = 'done' AND closed_ms > coalesce(due_ms, closed_ms)),"
              " sum(state = 'wont_do'), sum(state IN ('open', 'doing')),"
              " sum(state IN ('open', 'doing') AND coalesce(due_ms, ?3) < ?3)"
              " FROM postmortem_action WHERE created_ms >= ?1 AND created_ms < ?2"
              " GROUP BY tag ORDER BY count(*) DESC, tag");

    db_bind_int(stmt, 1, time->from_ms);
    db_bind_int(stmt, 2, time->to_ms);
    db_bind_int(stmt, 3, time->now_ms);
    return rows_read(stmt, arena, &tag_kind, ret_tags, ret_n, reterr);
}
