/*
 * Silences out of their rows. See silence_db.h.
 */

#include "alertd/db/silence_db.h"

#include <string.h>

#include "alertd/db/rows.h"
#include "alertd/db/silence_private.h"
#include "alertd/route/window.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

#define COLUMNS                                                                           \
    "id, matchers, starts_ms, ends_ms, until_resolved, created_by, comment, annotations," \
    " created_ms, updated_ms, matched_ms, window"

/* --- matchers --- */

void silence_matchers_text(const struct matcher *matchers, size_t n, struct str *out)
{
    struct json_out json = JSON_OUT(out);

    json_open(&json, '[');
    for (size_t i = 0; i < n; i++) {
        enum matcher_type type = matchers[i].type;

        json_open(&json, '{');
        json_kv_string(&json, "name", matchers[i].name);
        json_kv_string(&json, "value", matchers[i].value);
        json_kv_bool(&json, "isRegex", type == MATCHER_REGEX || type == MATCHER_NOT_REGEX);
        json_kv_bool(&json, "isEqual", type == MATCHER_EQUAL || type == MATCHER_REGEX);
        json_close(&json, '}');
    }
    json_close(&json, ']');
}

static void forget_matcher(void *object)
{
    matcher_done(object);
}

static enum matcher_type type_of(bool is_regex, bool is_equal)
{
    if (is_regex)
        return is_equal ? MATCHER_REGEX : MATCHER_NOT_REGEX;
    return is_equal ? MATCHER_EQUAL : MATCHER_NOT_EQUAL;
}

static bool read_matcher(const struct json *json, struct arena *arena, struct matcher *matcher)
{
    const char *name = NULL;
    const char *value = NULL;
    bool is_regex = false;
    bool is_equal = true;

    if (json_get_string(json, "name", &name, NULL) ||
        json_get_string(json, "value", &value, NULL) ||
        json_get_bool(json, "isRegex", &is_regex, NULL) ||
        json_get_bool(json, "isEqual", &is_equal, NULL) ||
        matcher_init(matcher, type_of(is_regex, is_equal), name, value, NULL))
        return false;
    if (arena_on_reset(arena, forget_matcher, matcher))
        return true;
    matcher_done(matcher);
    return false;
}

static bool read_matchers(const char *text, struct arena *arena, struct silence_row *row)
{
    struct json *json = NULL;
    struct matcher *matchers = NULL;
    bool ok = json_parse(text, strlen(text), &json, NULL) == 0 && json_is_array(json);
    size_t n = ok ? json_length(json) : 0;

    if (ok)
        matchers = arena_array(arena, n, sizeof(*matchers));
    ok = ok && matchers;
    for (size_t i = 0; ok && i < n; i++)
        ok = read_matcher(json_at(json, i), arena, &matchers[i]);
    json_free(json);
    row->matchers = matchers;
    row->n_matchers = n;
    return ok;
}

/* --- windows --- */

static void forget_zones(void *object)
{
    zones_done(object);
}

/* One whose time zone is gone from the system never comes: it mutes nothing rather than
 * everything always. */
static bool read_window(const char *text, struct arena *arena, struct silence_row *row)
{
    struct route_interval *window = arena_alloc(arena, sizeof(*window));
    struct zones *zones = arena_alloc(arena, sizeof(*zones));

    row->window = arena_strndup(arena, text, strlen(text));
    if (!window || !zones || !row->window || !arena_on_reset(arena, forget_zones, zones))
        return false;
    (void)route_window_read(text, arena, zones, window, NULL);
    row->silence.window = window;
    return true;
}

/* --- rows --- */

static bool read_row(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct silence_row *row = ret_item;
    struct silence_matchers *set = arena_alloc(arena, sizeof(*set));

    *row = (struct silence_row){
        .silence = {.id = rows_text(arena, stmt, 0),
                    .sets = set,
                    .n_sets = 1,
                    .starts_at_ms = db_int(stmt, 2),
                    .ends_at_ms = db_int(stmt, 3)},
        .until_resolved = db_int(stmt, 4) != 0,
        .created_by = rows_text(arena, stmt, 5),
        .comment = rows_text(arena, stmt, 6),
        .annotations = rows_labels(arena, db_text(stmt, 7)),
        .created_ms = db_int(stmt, 8),
        .updated_ms = db_int(stmt, 9),
        .matched_ms = db_int(stmt, 10),
    };
    if (!set || !row->silence.id || !row->created_by || !row->comment || !row->annotations ||
        !read_matchers(db_text(stmt, 1), arena, row) ||
        (!db_is_null(stmt, 11) && !read_window(db_text(stmt, 11), arena, row)))
        return false;
    *set = (struct silence_matchers){row->matchers, row->n_matchers};
    return true;
}

static const struct rows_kind row_kind = {sizeof(struct silence_row), read_row, SILENCE_DB_E_LIMIT,
                                          "too many silences for one answer"};

int silence_db_list(struct db_conn *conn,
                    int64_t ended_after_ms,
                    struct arena *arena,
                    struct silence_row **ret_rows,
                    size_t *ret_n,
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT " COLUMNS " FROM silence WHERE ends_ms > ?1"
                                            " ORDER BY updated_ms DESC, id");

    db_bind_int(stmt, 1, ended_after_ms);
    return rows_read(stmt, arena, &row_kind, ret_rows, ret_n, reterr);
}

int silence_db_load(struct db_conn *conn,
                    int64_t now_ms,
                    struct arena *arena,
                    struct silence **ret_rows,
                    size_t *ret_n,
                    struct err *reterr)
{
    struct silence_row *rows = NULL;
    size_t n = 0;
    int r = silence_db_list(conn, now_ms, arena, &rows, &n, reterr);

    if (r)
        return r;

    struct silence *silences = arena_array(arena, n, sizeof(*silences));

    if (n > 0 && !silences)
        return err_set(reterr, SILENCE_DB_E_LIMIT, "%s", row_kind.words);
    for (size_t i = 0; i < n; i++)
        silences[i] = rows[i].silence;
    *ret_rows = silences;
    *ret_n = n;
    return 0;
}

int silence_db_get(struct db_conn *conn,
                   const char *id,
                   struct arena *arena,
                   struct silence_row *ret_row,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT " COLUMNS " FROM silence WHERE id = ?1");
    struct silence_row *rows = NULL;
    size_t n = 0;

    db_bind_text(stmt, 1, id);
    int r = rows_read(stmt, arena, &row_kind, &rows, &n, reterr);
    if (r)
        return r;
    if (n == 0)
        return err_set(reterr, SILENCE_DB_E_NOT_FOUND, "silence not found");
    *ret_row = rows[0];
    return 0;
}

int silence_db_count(struct db_conn *conn,
                     int64_t now_ms,
                     struct silence_counts *ret_counts,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT count(*), coalesce(sum(ends_ms <= ?1), 0), coalesce(sum(starts_ms > ?1 AND"
              " ends_ms > ?1), 0) FROM silence");

    db_bind_int(stmt, 1, now_ms);
    if (db_step(stmt)) {
        ret_counts->expired = db_int(stmt, 1);
        ret_counts->pending = db_int(stmt, 2);
        ret_counts->active = db_int(stmt, 0) - ret_counts->expired - ret_counts->pending;
    }
    return db_done(stmt, reterr);
}
