/*
 * Batches told before: the same (agent, epoch, sequence) is stored once and answered the
 * same way again; with another body it is a conflict.
 *
 *     sequence above all of this agent's    -> new, no look-up      (nearly always)
 *     otherwise                             -> the batch table of the last three days
 *
 * The row is written to the file of the day on which the batch arrived, after its samples
 * are committed, so a row means the samples are there.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/store/private.h"
#include "lib/base/mem.h"

enum {
    DAYS = 3 /* 48 hours and the one at hand */
};

static struct pusher *find_pusher(const struct store *store, const char *agent, uint64_t epoch)
{
    for (size_t i = 0; i < store->n_pushers; i++)
        if (store->pushers[i].epoch == epoch && strcmp(store->pushers[i].agent, agent) == 0)
            return &store->pushers[i];
    return NULL;
}

static void note(struct store *store, const char *agent, uint64_t epoch, uint64_t sequence)
{
    struct pusher *pusher = find_pusher(store, agent, epoch);

    if (!pusher) {
        store->pushers = mem_grow(store->pushers, &store->pushers_capacity, store->n_pushers + 1,
                                  sizeof(*store->pushers));
        pusher = &store->pushers[store->n_pushers++];
        *pusher = (struct pusher){.epoch = epoch};
        (void)snprintf(pusher->agent, sizeof(pusher->agent), "%s", agent);
    }
    if (sequence > pusher->max_sequence)
        pusher->max_sequence = sequence;
}

void replay_note(struct store *store, const struct store_batch *batch)
{
    note(store, batch->agent, batch->epoch, batch->sequence);
}

/* 0: not there; 1: there, outcome filled; STORE_E_CONFLICT; negative or DB_E_*. */
static int look_up(struct db_conn *conn, struct request *request)
{
    const struct store_batch *batch = request->batch;
    struct store_outcome *outcome = &request->outcome;
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT body_hash, stored, duplicate, too_old, too_new, series_limit,"
              " invalid, words FROM batch WHERE agent = ? AND epoch = ? AND sequence = ?");
    bool found;
    uint64_t body_hash = 0;

    db_bind_text(stmt, 1, batch->agent);
    db_bind_int(stmt, 2, (int64_t)batch->epoch);
    db_bind_int(stmt, 3, (int64_t)batch->sequence);
    found = db_step(stmt);
    if (found) {
        body_hash = (uint64_t)db_int(stmt, 0);
        outcome->stored = (size_t)db_int(stmt, 1);
        outcome->duplicate = (size_t)db_int(stmt, 2);
        outcome->rejected_too_old = (size_t)db_int(stmt, 3);
        outcome->rejected_too_new = (size_t)db_int(stmt, 4);
        outcome->rejected_series_limit = (size_t)db_int(stmt, 5);
        outcome->rejected_invalid = (size_t)db_int(stmt, 6);
        (void)snprintf(outcome->first_rejection, sizeof(outcome->first_rejection), "%s",
                       db_text(stmt, 7));
        outcome->replayed = true;
    }
    int r = db_done(stmt, &request->err);
    if (r != 0 || !found)
        return r;
    if (body_hash == batch->body_hash)
        return 1;
    *outcome = (struct store_outcome){0};
    return err_set(
        &request->err, STORE_E_CONFLICT,
        "batch %llu of agent %s (epoch %llu) was stored before with another body: is the "
        "agent's id used by two machines?",
        (unsigned long long)batch->sequence, batch->agent, (unsigned long long)batch->epoch);
}

int replay_check(struct store *store, struct request *request)
{
    const struct store_batch *batch = request->batch;
    int64_t today_ms = partition_day_of(request->now_ms);

    if (!batch->agent)
        return 0;
    const struct pusher *pusher = find_pusher(store, batch->agent, batch->epoch);
    if (!pusher || batch->sequence > pusher->max_sequence)
        return 0;
    for (int64_t i = 0; i < DAYS; i++) {
        struct partition *partition = store_partition(store, today_ms - i * PARTITION_MS);
        struct db_conn *conn;

        if (!partition)
            continue;
        int r = db_read_begin(partition->db, &conn, &request->err);
        if (r != 0)
            return r < 0 ? r : -5;
        r = look_up(conn, request);
        db_read_end(partition->db, conn);
        if (r != 0)
            return r;
    }
    return 0;
}

int replay_put(struct db_conn *conn, const struct request *request, struct err *reterr)
{
    const struct store_batch *batch = request->batch;
    const struct store_outcome *outcome = &request->outcome;
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT OR IGNORE INTO batch (agent, epoch, sequence, body_hash,"
              " received_ms, stored, duplicate, too_old, too_new, series_limit, invalid,"
              " words) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

    db_bind_text(stmt, 1, batch->agent);
    db_bind_int(stmt, 2, (int64_t)batch->epoch);
    db_bind_int(stmt, 3, (int64_t)batch->sequence);
    db_bind_int(stmt, 4, (int64_t)batch->body_hash);
    db_bind_int(stmt, 5, request->now_ms);
    db_bind_int(stmt, 6, (int64_t)outcome->stored);
    db_bind_int(stmt, 7, (int64_t)outcome->duplicate);
    db_bind_int(stmt, 8, (int64_t)outcome->rejected_too_old);
    db_bind_int(stmt, 9, (int64_t)outcome->rejected_too_new);
    db_bind_int(stmt, 10,
                (int64_t)(outcome->rejected_series_limit + outcome->rejected_new_series_limit));
    db_bind_int(stmt, 11, (int64_t)outcome->rejected_invalid);
    db_bind_text(stmt, 12, outcome->first_rejection);
    return db_run(stmt, reterr);
}

int replay_load(struct store *store, struct partition *partition, struct err *reterr)
{
    struct db_conn *conn;

    int r = db_read_begin(partition->db, &conn, reterr);
    if (r != 0)
        return r;
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT agent, epoch, max(sequence) FROM batch GROUP BY agent, epoch");
    while (db_step(stmt))
        note(store, db_text(stmt, 0), (uint64_t)db_int(stmt, 1), (uint64_t)db_int(stmt, 2));
    r = db_done(stmt, reterr);
    db_read_end(partition->db, conn);
    return r;
}
