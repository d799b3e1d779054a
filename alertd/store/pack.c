/*
 * Long chunks end to end. See pack.h.
 */

#include "alertd/store/pack.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

/* One that is not taken: a series that stays as it was may lie in an old pack. */
static int choose_id(struct db_conn *conn, uint32_t series, int64_t *ret_id, struct err *reterr)
{
    int64_t first = (int64_t)series * PACK_IDS;
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT coalesce(max(id) + 1, ?1) FROM pack WHERE id >= ?1 AND id < ?2");

    db_bind_int(stmt, 1, first);
    db_bind_int(stmt, 2, first + PACK_IDS);
    if (db_step(stmt))
        *ret_id = db_int(stmt, 0);
    int r = db_done(stmt, reterr);
    if (r == 0 && *ret_id >= first + PACK_IDS)
        return err_set(reterr, DB_E_CORRUPT, "series %u has %d packs", series, PACK_IDS);
    return r;
}

int pack_finish(struct pack *pack, struct db_conn *conn, struct err *reterr)
{
    if (pack->n == 0)
        return 0;
    struct db_stmt *stmt = db_prepare(conn, "INSERT INTO pack (id, body) VALUES (?, ?)");
    db_bind_int(stmt, 1, pack->id);
    db_bind_blob(stmt, 2, pack->bytes, pack->n);
    pack->n = 0;
    int r = db_run(stmt, reterr);
    if (r != 0)
        return r;
    places_finish(&pack->places);
    stmt = db_prepare(conn, "INSERT INTO place (pack, body) VALUES (?, ?)");
    db_bind_int(stmt, 1, pack->id);
    db_bind_blob(stmt, 2, pack->places.bytes, pack->places.n);
    return db_run(stmt, reterr);
}

/* What lies in the table's page is small: SQLite's file format, part 1.6, for pages of 4096 bytes
 * with a checksum of 8. Another size of page costs room, and nothing else. */
bool pack_is_full(const struct pack *pack)
{
    enum {
        HEADER = 6,          /* of the record */
        HERE_MIN = 488,      /* what lies in the table's page at least */
        PAGE = 4096 - 8 - 4, /* what one of its own pages holds */
        ROOM = 512,          /* more than that is much */
    };

    if (pack->n < PACK_BYTES)
        return false;
    return pack->n >= PACK_MAX || (pack->n + HEADER - HERE_MIN) % PAGE < ROOM;
}

static bool is_same(const struct pack *pack,
                    const struct place *other,
                    const struct place *place,
                    const unsigned char *lean)
{
    const struct chunk_info *a = &other->head.info;
    const struct chunk_info *b = &place->head.info;

    return other->len == place->len && other->head.format == place->head.format && a->n == b->n &&
           a->t0_ms == b->t0_ms && a->t1_ms == b->t1_ms &&
           memcmp(pack->bytes + other->at, lean, place->len) == 0;
}

/* Where the same chunk lies already; or the end. */
static uint64_t find_place(const struct pack *pack,
                           const struct place *place,
                           const unsigned char *lean)
{
    const struct places *places = &pack->places;
    size_t n = places->n_all < PLACES_BACK ? places->n_all : PLACES_BACK;

    for (size_t i = 0; i < n; i++)
        if (is_same(pack, &places->recent[i], place, lean))
            return places->recent[i].at;
    return pack->n;
}

int pack_put(struct pack *pack,
             struct db_conn *conn,
             uint32_t series,
             const unsigned char *chunk,
             size_t len,
             struct err *reterr)
{
    const unsigned char *lean = chunk + LEAN_LEFT_OUT;
    struct place place = {.series = series, .head = lean_take(chunk), .len = len - LEAN_LEFT_OUT};
    int r = 0;

    if (pack_is_full(pack) || series - pack->first_series >= PACK_SPAN)
        r = pack_finish(pack, conn, reterr);
    if (r == 0 && pack->n == 0) {
        pack->first_series = series;
        places_begin(&pack->places, series);
        r = choose_id(conn, series, &pack->id, reterr);
    }
    if (r != 0)
        return r;
    place.at = find_place(pack, &place, lean);
    places_add(&pack->places, &place);
    if (place.at < pack->n)
        return 0;
    pack->bytes = mem_grow(pack->bytes, &pack->capacity, pack->n + place.len, 1);
    memcpy(pack->bytes + pack->n, lean, place.len);
    pack->n += place.len;
    return 0;
}

void pack_done(struct pack *pack)
{
    free(pack->bytes);
    places_done(&pack->places);
    *pack = (struct pack){0};
}

static int let_go(struct pack_reader *reader, struct err *reterr)
{
    int r = reader->stmt ? db_done(reader->stmt, reterr) : 0;

    reader->stmt = NULL;
    reader->n = 0;
    return r;
}

int pack_read(struct pack_reader *reader,
              const struct pack_place *place,
              const void **ret_chunk,
              struct err *reterr)
{
    int r = 0;

    if (!reader->stmt || reader->id != place->pack) {
        (void)let_go(reader, NULL);
        reader->stmt = db_prepare(reader->conn, "SELECT body FROM pack WHERE id = ?");
        reader->id = place->pack;
        db_bind_int(reader->stmt, 1, place->pack);
        if (db_step(reader->stmt))
            reader->bytes = db_blob(reader->stmt, 0, &reader->n);
        else
            r = let_go(reader, reterr);
    }
    bool is_within = place->at >= 0 && place->len >= 0 && (uint64_t)place->at <= reader->n &&
                     (uint64_t)place->len <= reader->n - (uint64_t)place->at;
    *ret_chunk = is_within && reader->n > 0 ? reader->bytes + place->at : NULL;
    return r;
}

const unsigned char *pack_reader_whole(struct pack_reader *reader,
                                       const struct lean_head *head,
                                       const void *lean,
                                       size_t len)
{
    reader->chunk = mem_grow(reader->chunk, &reader->capacity, len + LEAN_LEFT_OUT, 1);
    lean_give(head, lean, len, reader->chunk);
    return reader->chunk;
}

void pack_reader_done(struct pack_reader *reader)
{
    (void)let_go(reader, NULL);
    free(reader->chunk);
    reader->chunk = NULL;
    reader->capacity = 0;
}

int pack_sweep(struct db_conn *conn, uint32_t first, uint32_t last, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "DELETE FROM pack WHERE id >= ?1 * ?3 AND id < (?2 + 1) * ?3 AND NOT EXISTS"
              " (SELECT 1 FROM chunk WHERE chunk.pack = pack.id"
              "  AND series >= pack.id / ?3 AND series < pack.id / ?3 + ?4)"
              " AND NOT EXISTS (SELECT 1 FROM place WHERE place.pack = pack.id)");

    db_bind_int(stmt, 1, first);
    db_bind_int(stmt, 2, last);
    db_bind_int(stmt, 3, PACK_IDS);
    db_bind_int(stmt, 4, PACK_SPAN);
    return db_run(stmt, reterr);
}
