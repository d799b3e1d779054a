/*
 * Postmortems and their revisions. See postmortem_db.h; graphs and samples are in
 * frozen_db.c.
 */

#include "alertd/db/postmortem_db.h"

#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/rows.h"
#include "alertd/postmortem/template.h"

/* Open prompts: how often a line break with the prompt behind it occurs, counted by what
 * its removal takes away. */
#define PROMPT "char(10) || '" TEMPLATE_PROMPT "'"
#define ROWS                                                                             \
    "SELECT p.id, p.incident_id, i.key, p.title, p.template, p.status, p.revision,"      \
    " p.created_ms, p.updated_ms, p.updated_by,"                                         \
    " (length(char(10) || r.markdown)"                                                   \
    "  - length(replace(char(10) || r.markdown, " PROMPT ", ''))) / length(" PROMPT ")," \
    " r.markdown"                                                                        \
    " FROM postmortem p JOIN incident i ON i.id = p.incident_id"                         \
    " JOIN postmortem_revision r ON r.postmortem_id = p.id AND r.revision = p.revision"

static bool read_row(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct postmortem_row *row = ret_item;

    *row = (struct postmortem_row){
        .id = db_int(stmt, 0),
        .incident_id = db_int(stmt, 1),
        .incident = rows_text(arena, stmt, 2),
        .title = rows_text(arena, stmt, 3),
        .template_name = rows_text(arena, stmt, 4),
        .status = rows_text(arena, stmt, 5),
        .revision = db_int(stmt, 6),
        .created_ms = db_int(stmt, 7),
        .updated_ms = db_int(stmt, 8),
        .updated_by = rows_text(arena, stmt, 9),
        .open_prompts = db_int(stmt, 10),
    };
    return row->incident && row->title && row->template_name && row->status && row->updated_by;
}

static const struct rows_kind row_kind = {sizeof(struct postmortem_row), read_row,
                                          POSTMORTEM_DB_E_LIMIT, "too much to show at once"};

static int too_large(struct err *reterr)
{
    return err_set(reterr, POSTMORTEM_DB_E_LIMIT, "too much to show at once");
}

static int not_found(int64_t id, struct err *reterr)
{
    return err_set(reterr, POSTMORTEM_DB_E_NOT_FOUND, "there is no postmortem %lld", (long long)id);
}

int postmortem_db_list(struct db_conn *conn,
                       struct arena *arena,
                       struct postmortem_row **ret_rows,
                       size_t *ret_n,
                       struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, ROWS " ORDER BY p.id DESC LIMIT 500");

    return rows_read(stmt, arena, &row_kind, ret_rows, ret_n, reterr);
}

int postmortem_db_get(struct db_conn *conn,
                      int64_t id,
                      struct arena *arena,
                      struct postmortem_row *ret_row,
                      struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, ROWS " WHERE p.id = ?1");
    struct postmortem_row row;

    db_bind_int(stmt, 1, id);
    bool found = db_step(stmt);
    bool fits = found && read_row(stmt, arena, &row);

    if (fits)
        row.markdown = rows_text(arena, stmt, 11);
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    if (!found)
        return not_found(id, reterr);
    if (!fits || !row.markdown)
        return too_large(reterr);
    *ret_row = row;
    return 0;
}

/* --- jobs --- */

/* What a person did with the document is part of the incident's story. */
static int add_event(struct db_conn *conn,
                     int64_t incident_id,
                     int64_t postmortem_id,
                     const char *kind,
                     const char *actor,
                     int64_t now_ms,
                     struct err *reterr)
{
    char source[ROWS_SOURCE_MAX];
    STR_AUTO struct str text = STR_INIT(200);
    int64_t event_id;

    str_addf(&text, "postmortem %lld: %s", (long long)postmortem_id, strchr(kind, '.') + 1);
    const struct timeline_event event = {
        .kind = kind,
        .event_class = "human",
        .source = rows_source(source, "postmortem", postmortem_id),
        .actor = actor,
        .text = str_text(&text),
        .data = "{}",
        .occurred_at_ms = now_ms,
    };

    return event_db_append(conn, incident_id, &event, now_ms, &event_id, reterr);
}

static int refuse_second(struct db_conn *conn, int64_t incident_id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT id FROM postmortem WHERE incident_id = ?1");

    db_bind_int(stmt, 1, incident_id);
    bool found = db_step(stmt);
    int64_t id = found ? db_int(stmt, 0) : 0;
    int r = db_done(stmt, reterr);

    if (!r && found)
        return err_set(reterr, POSTMORTEM_DB_E_EXISTS, "the incident has postmortem %lld already",
                       (long long)id);
    return r;
}

static int insert_revision(struct db_conn *conn,
                           const struct postmortem_save *save,
                           int64_t revision,
                           struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "INSERT INTO postmortem_revision"
                                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6)");

    db_bind_int(stmt, 1, save->id);
    db_bind_int(stmt, 2, revision);
    db_bind_text(stmt, 3, save->title);
    db_bind_text(stmt, 4, save->markdown);
    db_bind_text(stmt, 5, save->author);
    db_bind_int(stmt, 6, save->now_ms);
    return db_run(stmt, reterr);
}

static int insert_postmortem(struct db_conn *conn,
                             const struct postmortem_draft *draft,
                             int64_t *ret_id,
                             struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO postmortem (incident_id, title, template, status, revision,"
              " facts, created_ms, updated_ms, updated_by)"
              " VALUES (?1, ?2, ?3, 'draft', 1, ?4, ?5, ?5, ?6)");

    db_bind_int(stmt, 1, draft->incident_id);
    db_bind_text(stmt, 2, draft->title);
    db_bind_text(stmt, 3, draft->template_name);
    db_bind_text(stmt, 4, draft->facts);
    db_bind_int(stmt, 5, draft->now_ms);
    db_bind_text(stmt, 6, draft->author);
    int r = db_run(stmt, reterr);

    if (!r)
        *ret_id = db_last_id(conn);
    return r;
}

int postmortem_db_create(struct db_conn *conn,
                         const struct postmortem_draft *draft,
                         int64_t *ret_id,
                         struct err *reterr)
{
    struct postmortem_save first = {
        .title = draft->title,
        .markdown = draft->markdown,
        .author = draft->author,
        .now_ms = draft->now_ms,
    };
    int r = refuse_second(conn, draft->incident_id, reterr);

    if (!r)
        r = insert_postmortem(conn, draft, &first.id, reterr);
    if (!r)
        r = insert_revision(conn, &first, 1, reterr);
    if (r)
        return r;
    struct db_stmt *stmt = db_prepare(conn, "UPDATE incident SET postmortem_id = ?1 WHERE id = ?2");

    db_bind_int(stmt, 1, first.id);
    db_bind_int(stmt, 2, draft->incident_id);
    r = db_run(stmt, reterr);
    if (!r)
        r = add_event(conn, draft->incident_id, first.id, "postmortem.drafted", draft->author,
                      draft->now_ms, reterr);
    if (!r)
        *ret_id = first.id;
    return r;
}

static int update_postmortem(struct db_conn *conn,
                             const struct postmortem_save *save,
                             int64_t revision,
                             struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE postmortem SET title = ?1, revision = ?2, updated_ms = ?3,"
              " updated_by = ?4 WHERE id = ?5");

    db_bind_text(stmt, 1, save->title);
    db_bind_int(stmt, 2, revision);
    db_bind_int(stmt, 3, save->now_ms);
    db_bind_text(stmt, 4, save->author);
    db_bind_int(stmt, 5, save->id);
    return db_run(stmt, reterr);
}

int postmortem_db_save(struct db_conn *conn, const struct postmortem_save *save, struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct postmortem_save full = *save;
    struct postmortem_row now = {.status = "", .title = "", .updated_by = ""};

    arena_init(&arena, 8 * 1024 * 1024);
    int r = postmortem_db_get(conn, save->id, &arena, &now, reterr);

    if (r)
        return r;
    if (now.revision != save->base_revision)
        return err_set(reterr, POSTMORTEM_DB_E_STALE,
                       "revision %lld is not the newest: %s saved revision %lld meanwhile",
                       (long long)save->base_revision, now.updated_by, (long long)now.revision);
    if (strcmp(now.status, "published") == 0)
        return err_set(reterr, POSTMORTEM_DB_E_PUBLISHED,
                       "it is published: set it back to draft to change it");
    full.title = save->title ? save->title : now.title;
    r = insert_revision(conn, &full, now.revision + 1, reterr);
    return r ? r : update_postmortem(conn, &full, now.revision + 1, reterr);
}

static const char *event_of_status(const char *status)
{
    if (strcmp(status, "published") == 0)
        return "postmortem.published";
    return strcmp(status, "in_review") == 0 ? "postmortem.in_review" : "postmortem.draft";
}

int postmortem_db_set_status(struct db_conn *conn,
                             int64_t id,
                             const char *status,
                             const char *actor,
                             int64_t now_ms,
                             struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct postmortem_row now = {.status = "", .title = "", .updated_by = ""};

    arena_init(&arena, 8 * 1024 * 1024);
    int r = postmortem_db_get(conn, id, &arena, &now, reterr);

    if (r || strcmp(now.status, status) == 0)
        return r;
    struct db_stmt *stmt = db_prepare(conn, "UPDATE postmortem SET status = ?1, updated_ms = ?2,"
                                            " updated_by = ?3 WHERE id = ?4");

    db_bind_text(stmt, 1, status);
    db_bind_int(stmt, 2, now_ms);
    db_bind_text(stmt, 3, actor);
    db_bind_int(stmt, 4, id);
    r = db_run(stmt, reterr);
    return r ? r
             : add_event(conn, now.incident_id, id, event_of_status(status), actor, now_ms, reterr);
}
