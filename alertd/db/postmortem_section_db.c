/*
 * Sections of postmortems and their revisions, read. See postmortem_db.h.
 */

#include <string.h>

#include "alertd/db/postmortem_db.h"
#include "alertd/db/rows.h"

static bool read_section(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct postmortem_section *section = ret_item;
    const char *detached_from;

    if (!rows_text_or_null(arena, stmt, 6, &detached_from))
        return false;
    *section = (struct postmortem_section){
        .id = rows_text(arena, stmt, 0),
        .title = rows_text(arena, stmt, 1),
        .is_generated = db_int(stmt, 2) != 0,
        .required = db_int(stmt, 3) != 0,
        .template_text = rows_text(arena, stmt, 4),
        .line = db_int(stmt, 5),
        .detached_from = detached_from,
        .revision = db_int(stmt, 7),
        .body = rows_text(arena, stmt, 8),
        .author = rows_text(arena, stmt, 9),
        .recorded_ms = db_int(stmt, 10),
    };
    return section->id && section->title && section->template_text && section->body &&
           section->author;
}

static const struct rows_kind section_kind = {sizeof(struct postmortem_section), read_section,
                                              POSTMORTEM_DB_E_LIMIT, "too much to show at once"};

int postmortem_section_db_list(struct db_conn *conn,
                               int64_t id,
                               struct arena *arena,
                               struct postmortem_section **ret_sections,
                               size_t *ret_n,
                               struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT s.section, s.title, s.mode = 'generated', s.required, s.template, s.line,"
              " s.detached_from, s.revision, r.body, r.author, r.recorded_ms"
              " FROM postmortem_section s JOIN postmortem_section_revision r"
              " ON r.postmortem_id = s.postmortem_id AND r.section = s.section"
              " AND r.revision = s.revision WHERE s.postmortem_id = ?1 ORDER BY s.position");

    db_bind_int(stmt, 1, id);
    return rows_read(stmt, arena, &section_kind, ret_sections, ret_n, reterr);
}

static bool read_revision(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct postmortem_revision *revision = ret_item;

    *revision = (struct postmortem_revision){
        .revision = db_int(stmt, 0),
        .author = rows_text(arena, stmt, 1),
        .recorded_ms = db_int(stmt, 2),
        .note = rows_text(arena, stmt, 3),
    };
    return revision->author && revision->note;
}

static const struct rows_kind revision_kind = {sizeof(struct postmortem_revision), read_revision,
                                               POSTMORTEM_DB_E_LIMIT, "too much to show at once"};

int postmortem_section_db_revisions(struct db_conn *conn,
                                    int64_t id,
                                    const char *section,
                                    struct arena *arena,
                                    struct postmortem_revision **ret_revisions,
                                    size_t *ret_n,
                                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT revision, author, recorded_ms, note FROM postmortem_section_revision"
              " WHERE postmortem_id = ?1 AND section = ?2 ORDER BY revision DESC LIMIT 500");

    db_bind_int(stmt, 1, id);
    db_bind_text(stmt, 2, section);
    return rows_read(stmt, arena, &revision_kind, ret_revisions, ret_n, reterr);
}

int postmortem_section_db_revision(struct db_conn *conn,
                                   int64_t id,
                                   const char *section,
                                   int64_t revision,
                                   struct arena *arena,
                                   struct postmortem_revision *ret_revision,
                                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT revision, author, recorded_ms, note, body FROM postmortem_section_revision"
              " WHERE postmortem_id = ?1 AND section = ?2 AND revision = ?3");
    struct postmortem_revision row = {.author = "", .note = "", .body = ""};

    db_bind_int(stmt, 1, id);
    db_bind_text(stmt, 2, section);
    db_bind_int(stmt, 3, revision);
    bool found = db_step(stmt);
    bool fits = !found || read_revision(stmt, arena, &row);

    if (found && fits)
        row.body = rows_text(arena, stmt, 4);
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    if (!found && revision)
        return err_set(reterr, POSTMORTEM_DB_E_NOT_FOUND, "section %.60s has no revision %lld",
                       section, (long long)revision);
    if (!fits || !row.body)
        return err_set(reterr, POSTMORTEM_DB_E_LIMIT, "too much to show at once");
    *ret_revision = row;
    return 0;
}
