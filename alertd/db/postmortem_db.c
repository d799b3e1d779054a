/*
 * Postmortems as rows. See postmortem_db.h; sections, reviews, versions and the search have
 * files of their own.
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
    "SELECT p.id, p.incident_id, i.key, p.kind, p.title, p.template, p.status, p.owner," \
    " p.due_ms, p.revision, p.version, p.created_ms, p.created_by, p.updated_ms,"        \
    " p.updated_by,"                                                                     \
    " (SELECT coalesce(sum((length(char(10) || r.body)"                                  \
    "  - length(replace(char(10) || r.body, " PROMPT ", ''))) / length(" PROMPT ")), 0)" \
    "  FROM postmortem_section s JOIN postmortem_section_revision r"                     \
    "  ON r.postmortem_id = s.postmortem_id AND r.section = s.section"                   \
    "  AND r.revision = s.revision WHERE s.postmortem_id = p.id),"                       \
    " (SELECT count(*) FROM postmortem_action a WHERE a.postmortem_id = p.id"            \
    "  AND a.state IN ('open', 'doing'))"                                                \
    " FROM postmortem p JOIN incident i ON i.id = p.incident_id"

static bool read_row(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct postmortem_row *row = ret_item;

    *row = (struct postmortem_row){
        .id = db_int(stmt, 0),
        .incident_id = db_int(stmt, 1),
        .incident = rows_text(arena, stmt, 2),
        .kind = rows_text(arena, stmt, 3),
        .title = rows_text(arena, stmt, 4),
        .template_name = rows_text(arena, stmt, 5),
        .status = rows_text(arena, stmt, 6),
        .owner = rows_text(arena, stmt, 7),
        .due_ms = db_int(stmt, 8),
        .revision = db_int(stmt, 9),
        .version = db_int(stmt, 10),
        .created_ms = db_int(stmt, 11),
        .created_by = rows_text(arena, stmt, 12),
        .updated_ms = db_int(stmt, 13),
        .updated_by = rows_text(arena, stmt, 14),
        .open_prompts = db_int(stmt, 15),
        .open_actions = db_int(stmt, 16),
    };
    return row->incident && row->kind && row->title && row->template_name && row->status &&
           row->owner && row->created_by && row->updated_by;
}

static const struct rows_kind row_kind = {sizeof(struct postmortem_row), read_row,
                                          POSTMORTEM_DB_E_LIMIT, "too much to show at once"};

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
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    if (!found)
        return err_set(reterr, POSTMORTEM_DB_E_NOT_FOUND, "there is no postmortem %lld",
                       (long long)id);
    if (!fits)
        return err_set(reterr, POSTMORTEM_DB_E_LIMIT, "too much to show at once");
    *ret_row = row;
    return 0;
}

/* --- jobs --- */

/* kind is "postmortem." and a status, or "postmortem.drafted". */
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

static int refuse_second(struct db_conn *conn,
                         int64_t incident_id,
                         const char *kind,
                         struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT id FROM postmortem WHERE incident_id = ?1 AND kind = ?2");

    db_bind_int(stmt, 1, incident_id);
    db_bind_text(stmt, 2, kind);
    bool found = db_step(stmt);
    int64_t id = found ? db_int(stmt, 0) : 0;
    int r = db_done(stmt, reterr);

    if (!r && found)
        return err_set(reterr, POSTMORTEM_DB_E_EXISTS, "the incident has postmortem %lld already",
                       (long long)id);
    return r;
}

static int insert_postmortem(struct db_conn *conn,
                             const struct postmortem_draft *draft,
                             int64_t *ret_id,
                             struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO postmortem (incident_id, kind, title, template, status, owner, due_ms,"
              " revision, facts, created_ms, created_by, updated_ms, updated_by)"
              " VALUES (?1, ?2, ?3, ?4, 'draft', ?5, ?6, 1, ?7, ?8, ?9, ?8, ?9)");

    db_bind_int(stmt, 1, draft->incident_id);
    db_bind_text(stmt, 2, draft->kind);
    db_bind_text(stmt, 3, draft->title);
    db_bind_text(stmt, 4, draft->template_name);
    db_bind_text(stmt, 5, draft->owner ? draft->owner : "");
    rows_bind_time(stmt, 6, draft->due_ms);
    db_bind_text(stmt, 7, draft->facts);
    db_bind_int(stmt, 8, draft->now_ms);
    db_bind_text(stmt, 9, draft->author);
    int r = db_run(stmt, reterr);

    if (!r)
        *ret_id = db_last_id(conn);
    return r;
}

static int insert_section(struct db_conn *conn,
                          int64_t id,
                          size_t position,
                          const struct postmortem_section *section,
                          struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO postmortem_section (postmortem_id, section, position, title, mode,"
              " required, template, line, detached_from, revision)"
              " VALUES (?1, ?2, ?3, ?4, iif(?5, 'generated', 'human'), ?6, ?7, ?8, ?9, 1)");

    db_bind_int(stmt, 1, id);
    db_bind_text(stmt, 2, section->id);
    db_bind_int(stmt, 3, (int64_t)position);
    db_bind_text(stmt, 4, section->title);
    db_bind_int(stmt, 5, section->is_generated);
    db_bind_int(stmt, 6, section->required);
    db_bind_text(stmt, 7, section->template_text);
    db_bind_int(stmt, 8, section->line);
    db_bind_text(stmt, 9, section->detached_from);
    return db_run(stmt, reterr);
}

static int insert_revision(struct db_conn *conn,
                           const struct postmortem_save *save,
                           int64_t revision,
                           struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "INSERT INTO postmortem_section_revision"
                                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");

    db_bind_int(stmt, 1, save->id);
    db_bind_text(stmt, 2, save->section);
    db_bind_int(stmt, 3, revision);
    db_bind_text(stmt, 4, save->body);
    db_bind_text(stmt, 5, save->author);
    db_bind_int(stmt, 6, save->now_ms);
    db_bind_text(stmt, 7, save->note ? save->note : "");
    return db_run(stmt, reterr);
}

static int insert_sections(struct db_conn *conn,
                           const struct postmortem_draft *draft,
                           int64_t id,
                           struct err *reterr)
{
    int r = 0;

    for (size_t i = 0; !r && i < draft->n_sections; i++) {
        const struct postmortem_section *section = &draft->sections[i];
        const struct postmortem_save first = {
            .id = id,
            .section = section->id,
            .body = section->body,
            .author = section->author ? section->author : draft->author,
            .now_ms = draft->now_ms,
        };

        r = insert_section(conn, id, i, section, reterr);
        if (!r)
            r = insert_revision(conn, &first, 1, reterr);
    }
    return r;
}

static int name_in_incident(struct db_conn *conn,
                            int64_t incident_id,
                            int64_t id,
                            struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "UPDATE incident SET postmortem_id = ?1 WHERE id = ?2");

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, incident_id);
    return db_run(stmt, reterr);
}

int postmortem_db_create(struct db_conn *conn,
                         const struct postmortem_draft *draft,
                         int64_t *ret_id,
                         struct err *reterr)
{
    int64_t id = 0;
    int r = refuse_second(conn, draft->incident_id, draft->kind, reterr);

    if (!r)
        r = insert_postmortem(conn, draft, &id, reterr);
    if (!r)
        r = insert_sections(conn, draft, id, reterr);
    if (!r && strcmp(draft->kind, "internal") == 0)
        r = name_in_incident(conn, draft->incident_id, id, reterr);
    if (!r)
        r = add_event(conn, draft->incident_id, id, "postmortem.drafted", draft->author,
                      draft->now_ms, reterr);
    if (!r)
        r = postmortem_search_db_index(conn, id, reterr);
    if (!r)
        *ret_id = id;
    return r;
}

int postmortem_db_touch(
    struct db_conn *conn, int64_t id, const char *actor, int64_t now_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "UPDATE postmortem SET revision = revision + 1,"
                                            " updated_ms = ?2, updated_by = ?3 WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, now_ms);
    db_bind_text(stmt, 3, actor);
    return db_run(stmt, reterr);
}

int postmortem_db_change(struct db_conn *conn,
                         const struct postmortem_change *change,
                         struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct postmortem_row now;

    arena_init(&arena, 1024 * 1024);
    int r = postmortem_db_get(conn, change->id, &arena, &now, reterr);

    if (r)
        return r;
    struct db_stmt *stmt = db_prepare(conn, "UPDATE postmortem SET title = ?2, owner = ?3,"
                                            " due_ms = ?4 WHERE id = ?1");

    db_bind_int(stmt, 1, change->id);
    db_bind_text(stmt, 2, change->title ? change->title : now.title);
    db_bind_text(stmt, 3, change->owner ? change->owner : now.owner);
    rows_bind_time(stmt, 4, change->sets_due ? change->due_ms : now.due_ms);
    r = db_run(stmt, reterr);
    if (!r)
        r = postmortem_db_touch(conn, change->id, change->actor, change->now_ms, reterr);
    return r ? r : postmortem_search_db_index(conn, change->id, reterr);
}

/* --- sections --- */

static int find_section(struct db_conn *conn,
                        int64_t id,
                        const char *section,
                        struct arena *arena,
                        struct postmortem_section *ret_section,
                        struct err *reterr)
{
    struct postmortem_section *sections = NULL;
    size_t n = 0;
    int r = postmortem_section_db_list(conn, id, arena, &sections, &n, reterr);

    for (size_t i = 0; !r && i < n; i++)
        if (strcmp(sections[i].id, section) == 0) {
            *ret_section = sections[i];
            return 0;
        }
    return r ? r
             : err_set(reterr, POSTMORTEM_DB_E_NOT_FOUND, "postmortem %lld has no section %.60s",
                       (long long)id, section);
}

static int update_section(struct db_conn *conn,
                          const struct postmortem_save *save,
                          int64_t revision,
                          struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn,
                                      "UPDATE postmortem_section SET revision = ?3,"
                                      " detached_from = iif(?5, NULL, coalesce(?4, detached_from))"
                                      " WHERE postmortem_id = ?1 AND section = ?2");

    db_bind_int(stmt, 1, save->id);
    db_bind_text(stmt, 2, save->section);
    db_bind_int(stmt, 3, revision);
    db_bind_text(stmt, 4, save->detach_from);
    db_bind_int(stmt, 5, save->attach);
    return db_run(stmt, reterr);
}

static bool is_frozen(const char *status)
{
    return strcmp(status, "published") == 0 || strcmp(status, "closed") == 0;
}

int postmortem_section_db_save(struct db_conn *conn,
                               const struct postmortem_save *save,
                               int64_t *ret_revision,
                               struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct postmortem_section section = {.author = ""};
    struct postmortem_row now;

    arena_init(&arena, 64 * 1024 * 1024);
    int r = postmortem_db_get(conn, save->id, &arena, &now, reterr);

    if (!r)
        r = find_section(conn, save->id, save->section, &arena, &section, reterr);
    if (r)
        return r;
    if (section.revision != save->base_revision)
        return err_set(reterr, POSTMORTEM_DB_E_STALE,
                       "revision %lld is not the newest: %s saved revision %lld meanwhile",
                       (long long)save->base_revision, section.author, (long long)section.revision);
    if (is_frozen(now.status))
        return err_set(reterr, POSTMORTEM_DB_E_PUBLISHED,
                       "it is %s: set it back to draft to change it", now.status);
    r = insert_revision(conn, save, section.revision + 1, reterr);
    if (!r)
        r = update_section(conn, save, section.revision + 1, reterr);
    if (!r)
        r = postmortem_db_touch(conn, save->id, save->author, save->now_ms, reterr);
    if (!r)
        r = postmortem_search_db_index(conn, save->id, reterr);
    if (!r)
        *ret_revision = section.revision + 1;
    return r;
}

/* --- status --- */

static const struct {
    const char *from, *to, *event;
} steps[] = {
    {"draft", "in_review", "postmortem.in_review"},
    {"in_review", "reviewed", "postmortem.reviewed"},
    {"published", "closed", "postmortem.closed"},
    {"in_review", "draft", "postmortem.draft"},
    {"reviewed", "draft", "postmortem.draft"},
    {"published", "draft", "postmortem.draft"},
    {"closed", "draft", "postmortem.draft"},
    {"reviewed", "in_review", "postmortem.in_review"},
    {"closed", "published", "postmortem.published"},
};

static const char *event_of_step(const char *from, const char *to)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
        if (strcmp(steps[i].from, from) == 0 && strcmp(steps[i].to, to) == 0)
            return steps[i].event;
    return NULL;
}

static int refuse_step(const char *from, const char *to, struct err *reterr)
{
    STR_AUTO struct str words = STR_INIT(300);

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
        if (strcmp(steps[i].from, from) == 0)
            str_addf(&words, "%s%s", words.len ? ", " : "", steps[i].to);
    return err_set(reterr, POSTMORTEM_DB_E_STEP, "from %s it goes to %s, not to %.30s", from,
                   str_text(&words), to);
}

int postmortem_db_set_status(struct db_conn *conn,
                             int64_t id,
                             const char *status,
                             const char *actor,
                             int64_t now_ms,
                             struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct postmortem_row now = {.status = ""};

    arena_init(&arena, 1024 * 1024);
    int r = postmortem_db_get(conn, id, &arena, &now, reterr);

    if (r || strcmp(now.status, status) == 0)
        return r;
    const char *event = event_of_step(now.status, status);

    if (!event)
        return refuse_step(now.status, status, reterr);
    if (strcmp(status, "closed") == 0 && now.open_actions)
        return err_set(reterr, POSTMORTEM_DB_E_STEP, "%lld of its actions are still open",
                       (long long)now.open_actions);
    struct db_stmt *stmt = db_prepare(conn, "UPDATE postmortem SET status = ?2 WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    db_bind_text(stmt, 2, status);
    r = db_run(stmt, reterr);
    if (!r)
        r = postmortem_db_touch(conn, id, actor, now_ms, reterr);
    return r ? r : add_event(conn, now.incident_id, id, event, actor, now_ms, reterr);
}
