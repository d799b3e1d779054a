/*
 * Between rows and structs. See rows.h.
 */

#include "alertd/db/rows.h"

#include <stdio.h>
#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/memo.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

enum {
    PLAIN_MAX = 32 /* pairs that are read without a tree of JSON */
};

void rows_labels_text(const struct labels *labels, struct str *out)
{
    struct json_out json = JSON_OUT(out);

    json_open(&json, '{');
    for (uint32_t i = 0; i < labels->n; i++)
        json_kv_string(&json, labels->at[i].name, labels->at[i].value);
    json_close(&json, '}');
}

/* A string without escapes at *at: its length, with *at behind it; SIZE_MAX: none is there. */
static size_t plain_string(const char **at, const char **ret_text)
{
    if (**at != '"')
        return SIZE_MAX;
    const char *begin = *at + 1;
    size_t len = strcspn(begin, "\"\\");

    if (begin[len] != '"')
        return SIZE_MAX;
    *at = begin + len + 1;
    *ret_text = begin;
    return len;
}

/* rows_labels_text() read back, of what has no escapes: nearly all. False: it is not that. */
static bool read_plain(const char *text, struct arena *arena, const struct labels **ret_labels)
{
    struct label pairs[PLAIN_MAX];
    size_t n = 0;

    if (*text++ != '{')
        return false;
    while (*text == '"' && n < PLAIN_MAX) {
        const char *name;
        const char *value;
        size_t name_len = plain_string(&text, &name);

        if (name_len == SIZE_MAX || *text++ != ':')
            return false;
        size_t value_len = plain_string(&text, &value);
        if (value_len == SIZE_MAX)
            return false;
        pairs[n].name = arena_strndup(arena, name, name_len);
        pairs[n].value = arena_strndup(arena, value, value_len);
        if (!pairs[n].name || !pairs[n].value ||
            (n > 0 && strcmp(pairs[n - 1].name, pairs[n].name) >= 0))
            return false;
        n++;
        if (*text == ',')
            text++;
        else
            break;
    }
    if (strcmp(text, "}") != 0)
        return false;
    *ret_labels = labels_in_arena(arena, pairs, n);
    return true;
}

const struct labels *rows_labels(struct arena *arena, const char *text)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    const struct labels *labels = NULL;
    const struct json *value = NULL;
    struct json *root = NULL;
    const char *name = NULL;

    if (read_plain(text, arena, &labels))
        return labels;
    if (json_parse(text, strlen(text), &root, NULL))
        return NULL;
    for (size_t i = 0; json_member(root, i, &name, &value); i++)
        if (json_text(value))
            labels_builder_set(&builder, name, json_text(value));
    if (json_is_object(root))
        labels = labels_in_arena(arena, builder.pairs, builder.n);
    json_free(root);
    return labels;
}

const char *rows_text(struct arena *arena, struct db_stmt *stmt, int column)
{
    const char *text = db_text(stmt, column);

    return arena_strndup(arena, text, strlen(text));
}

bool rows_text_or_null(struct arena *arena, struct db_stmt *stmt, int column, const char **ret_text)
{
    const char *text = NULL;

    if (!db_is_null(stmt, column)) {
        text = rows_text(arena, stmt, column);
        if (!text)
            return false;
    }
    *ret_text = text;
    return true;
}

void rows_bind_time(struct db_stmt *stmt, int index, int64_t at_ms)
{
    if (at_ms)
        db_bind_int(stmt, index, at_ms);
    else
        db_bind_null(stmt, index);
}

/* Room for one more; false past the arena's limit. */
static bool grow(struct arena *arena, char **items, size_t *capacity, size_t n, size_t size)
{
    size_t more = *capacity ? 2 * *capacity : 16;
    char *grown;

    if (n < *capacity)
        return true;
    grown = arena_array(arena, more, size);
    if (!grown)
        return false;
    if (n > 0)
        memcpy(grown, *items, n * size);
    *items = grown;
    *capacity = more;
    return true;
}

int rows_read(struct db_stmt *stmt,
              struct arena *arena,
              const struct rows_kind *kind,
              void *ret_items,
              size_t *ret_n,
              struct err *reterr)
{
    char *items = NULL;
    size_t capacity = 0;
    size_t n = 0;
    bool fits = true;

    while (fits && db_step(stmt)) {
        fits = grow(arena, &items, &capacity, n, kind->size) &&
               kind->read(stmt, arena, items + n * kind->size);
        n++;
    }
    int r = db_done(stmt, reterr);
    if (r)
        return r;
    if (!fits)
        return err_set(reterr, kind->too_many, "%s", kind->words);
    memcpy(ret_items, &items, sizeof(items));
    *ret_n = n;
    return 0;
}

int db_memo_installation(struct db_conn *conn, const char **ret_text, struct err *reterr)
{
    struct db_memo *memo = db_memo(conn);
    int r = 0;

    if (!memo->installation[0]) {
        struct db_stmt *stmt = db_prepare(conn, "SELECT hex(id) FROM installation");

        if (db_step(stmt))
            (void)snprintf(memo->installation, sizeof(memo->installation), "%s", db_text(stmt, 0));
        r = db_done(stmt, reterr);
    }
    *ret_text = memo->installation;
    return r;
}

const char *rows_source(char *text, const char *what, int64_t id)
{
    (void)snprintf(text, ROWS_SOURCE_MAX, "%s %lld", what, (long long)id);
    return text;
}
