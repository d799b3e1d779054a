/*
 * Series as rows. See series_rows.h and docs/formats/partition.md.
 */

#include "alertd/store/series_rows.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/base/varint.h"

enum {
    ROW_BYTES_MAX = 1 << 20,
    LABELS_MAX = 256,
    NUMBER_MAX = 1 << 26,  /* of a pair: beyond it is damage, and not room to be made */
    TEXTS_BYTES = 8 << 20, /* then the pairs that were met are forgotten */
};

/* --- writing --- */

static void add_pair(struct str *bytes, const char *name, const char *value)
{
    str_addn(bytes, name, strlen(name) + 1);
    str_addn(bytes, value, strlen(value) + 1);
}

int series_put(struct db_conn *conn,
               uint32_t local_id,
               const struct labels *labels,
               struct err *reterr)
{
    STR_AUTO struct str bytes = STR_INIT(ROW_BYTES_MAX);
    const char *name = labels_get(labels, LABEL_NAME);

    for (size_t i = 0; i < labels->n; i++)
        add_pair(&bytes, labels->at[i].name, labels->at[i].value);
    struct db_stmt *stmt = db_prepare(conn,
                                      "INSERT INTO series (id, name, labels) VALUES (?, ?, ?)");
    db_bind_int(stmt, 1, local_id);
    db_bind_text(stmt, 2, name ? name : "");
    db_bind_blob(stmt, 3, str_text(&bytes), bytes.len);
    return db_run(stmt, reterr);
}

static int find_pair(struct db_conn *conn, const struct str *pair, int64_t *ret, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT id FROM label WHERE pair = ?");

    db_bind_blob(stmt, 1, str_text(pair), pair->len);
    if (db_step(stmt))
        *ret = db_int(stmt, 0);
    return db_done(stmt, reterr);
}

static int number_of(struct db_conn *conn,
                     const struct label *label,
                     int64_t *ret_number,
                     struct err *reterr)
{
    STR_AUTO struct str pair = STR_INIT(ROW_BYTES_MAX);
    int64_t number = 0;

    add_pair(&pair, label->name, label->value);
    int r = find_pair(conn, &pair, &number, reterr);
    if (r == 0 && number == 0) {
        struct db_stmt *stmt = db_prepare(conn, "INSERT INTO label (pair) VALUES (?)");

        db_bind_blob(stmt, 1, str_text(&pair), pair.len);
        r = db_run(stmt, reterr);
        number = db_last_id(conn);
    }
    *ret_number = number;
    return r;
}

static int put_brief(struct db_conn *conn,
                     uint32_t local_id,
                     const struct labels *labels,
                     struct err *reterr)
{
    MEM_AUTO unsigned char *bytes = mem_alloc(labels->n * VARINT_BYTES_MAX + 1);
    int64_t metric = 0;
    size_t len = 0;
    int r = 0;

    for (size_t i = 0; i < labels->n && r == 0; i++) {
        int64_t number = 0;

        r = number_of(conn, &labels->at[i], &number, reterr);
        if (strcmp(labels->at[i].name, LABEL_NAME) == 0)
            metric = number;
        len += varint_put(bytes + len, (uint64_t)number);
    }
    if (r != 0)
        return r;
    struct db_stmt *stmt = db_prepare(conn,
                                      "INSERT INTO brief (id, metric, labels) VALUES (?, ?, ?)");
    db_bind_int(stmt, 1, local_id);
    db_bind_int(stmt, 2, metric);
    db_bind_blob(stmt, 3, bytes, len);
    return db_run(stmt, reterr);
}

static const struct labels *parse_row(const void *bytes,
                                      size_t len,
                                      struct arena *arena,
                                      bool *ret_corrupt);

int series_make_brief(struct db_conn *conn, uint32_t local_id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT labels FROM series WHERE id = ?");
    const struct labels *labels = NULL;
    ARENA_AUTO struct arena arena;
    bool corrupt = false;

    arena_init(&arena, ROW_BYTES_MAX * 2);
    db_bind_int(stmt, 1, local_id);
    if (db_step(stmt)) {
        size_t len;
        const void *bytes = db_blob(stmt, 0, &len);

        labels = parse_row(bytes, len, &arena, &corrupt);
    }
    int r = db_done(stmt, reterr);
    if (r != 0 || !labels) /* brief already; or no labels: whoever reads it says so */
        return r;
    r = put_brief(conn, local_id, labels, reterr);
    if (r != 0)
        return r;
    stmt = db_prepare(conn, "DELETE FROM series WHERE id = ?");
    db_bind_int(stmt, 1, local_id);
    return db_run(stmt, reterr);
}

/* --- reading --- */

/* The only metric name that matches; NULL: there may be several. */
static const char *exact_name(const struct matcher *matchers, size_t n_matchers)
{
    for (size_t i = 0; i < n_matchers; i++)
        if (matchers[i].type == MATCHER_EQUAL && matchers[i].value[0] &&
            strcmp(matchers[i].name, LABEL_NAME) == 0)
            return matchers[i].value;
    return NULL;
}

struct db_stmt *series_rows(struct db_conn *conn, const struct matcher *matchers, size_t n_matchers)
{
    const char *name = exact_name(matchers, n_matchers);

    if (!name)
        return db_prepare(conn, "SELECT id, labels, 0 FROM series"
                                " UNION ALL SELECT id, labels, 1 FROM brief");
    STR_AUTO struct str pair = STR_INIT(ROW_BYTES_MAX);
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT id, labels, 0 FROM series WHERE name = ?1"
                                      " UNION ALL SELECT id, labels, 1 FROM brief"
                                      " WHERE metric = (SELECT id FROM label WHERE pair = ?2)");
    add_pair(&pair, LABEL_NAME, name);
    db_bind_text(stmt, 1, name);
    db_bind_blob(stmt, 2, str_text(&pair), pair.len);
    return stmt;
}

struct db_stmt *series_rows_all(struct db_conn *conn)
{
    return db_prepare(conn, "SELECT id, labels, 0 FROM series"
                            " UNION ALL SELECT id, labels, 1 FROM brief ORDER BY id");
}

struct db_stmt *series_row_of(struct db_conn *conn, uint32_t local_id)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT id, labels, 0 FROM series WHERE id = ?1"
                                            " UNION ALL SELECT id, labels, 1 FROM brief"
                                            " WHERE id = ?1");

    db_bind_int(stmt, 1, local_id);
    return stmt;
}

void series_reader_init(struct series_reader *reader, struct db_conn *conn)
{
    *reader = (struct series_reader){.conn = conn};
    arena_init(&reader->texts, TEXTS_BYTES + ROW_BYTES_MAX);
}

void series_reader_done(struct series_reader *reader)
{
    arena_reset(&reader->texts);
    free(reader->pairs);
    reader->pairs = NULL;
}

/* Name, NUL, value, NUL; the byte behind them, or NULL. */
static const char *parse_pair(const char *at, const char *end, struct label *ret_pair)
{
    const char *value = at < end ? memchr(at, 0, (size_t)(end - at)) : NULL;

    if (!value || ++value == end)
        return NULL;
    const char *stop = memchr(value, 0, (size_t)(end - value));
    *ret_pair = (struct label){at, value};
    return stop ? stop + 1 : NULL;
}

static const struct labels *parse_row(const void *bytes,
                                      size_t len,
                                      struct arena *arena,
                                      bool *ret_corrupt)
{
    MEM_UNSET struct label pairs[LABELS_MAX];
    const char *at = bytes;
    const char *end = at + len;
    size_t n = 0;

    while (at && at < end && n < LABELS_MAX)
        at = parse_pair(at, end, &pairs[n++]);
    *ret_corrupt = at != end;
    return *ret_corrupt ? NULL : labels_in_arena(arena, pairs, n);
}

/* Asks the file for a pair and remembers it. False: there is none of the number. */
static bool meet(struct series_reader *reader, uint64_t number)
{
    bool found = false;

    if (number == 0 || number > NUMBER_MAX)
        return false;
    struct db_stmt *stmt = db_prepare(reader->conn, "SELECT pair FROM label WHERE id = ?");
    db_bind_int(stmt, 1, (int64_t)number);
    if (db_step(stmt)) {
        size_t len;
        const void *bytes = db_blob(stmt, 0, &len);
        const char *copy = arena_strndup(&reader->texts, bytes ? bytes : "", len);
        struct label pair;

        found = copy && parse_pair(copy, copy + len, &pair) == copy + len;
        if (found) {
            reader->pairs = mem_grow(reader->pairs, &reader->capacity, number + 1,
                                     sizeof(*reader->pairs));
            for (; reader->n <= number; reader->n++)
                reader->pairs[reader->n] = (struct label){0};
            reader->pairs[number] = pair;
        }
    }
    return db_done(stmt, NULL) == 0 && found;
}

static const struct labels *parse_brief(struct series_reader *reader,
                                        const unsigned char *at,
                                        size_t len,
                                        struct arena *arena,
                                        bool *ret_corrupt)
{
    const unsigned char *end = at + len;
    MEM_UNSET struct label pairs[LABELS_MAX];
    size_t n = 0;

    if (reader->texts.used > TEXTS_BYTES) {
        arena_reset(&reader->texts);
        reader->n = 0;
    }
    *ret_corrupt = true;
    while (at < end) {
        uint64_t number = 0;

        at = varint_get(at, end, &number);
        if (!at || n == LABELS_MAX)
            return NULL;
        if ((number >= reader->n || !reader->pairs[number].name) && !meet(reader, number))
            return NULL;
        pairs[n++] = reader->pairs[number];
    }
    *ret_corrupt = false;
    return labels_in_arena(arena, pairs, n);
}

const struct labels *series_reader_labels(struct series_reader *reader,
                                          struct db_stmt *stmt,
                                          struct arena *arena,
                                          bool *ret_corrupt)
{
    size_t len;
    const void *bytes = db_blob(stmt, 1, &len);

    return db_int(stmt, 2) ? parse_brief(reader, bytes, len, arena, ret_corrupt)
                           : parse_row(bytes, len, arena, ret_corrupt);
}
