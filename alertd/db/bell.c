/*
 * Bells: jobs that wait to be called by other jobs. See db.h; writer.c runs them.
 *
 *     job rings ─> behind the group: who waits at a bell of that name ─> one COMMIT for both
 *                  nobody waits at it: remembered
 *
 * A worker that drains a queue of rows waits so: what it claims is committed with what was
 * queued, and nothing that rings between two of its turns is missed.
 */

#include <errno.h>

#include "alertd/db/private.h"
#include "lib/base/clock.h"

void db_bell_hang(struct db *db, struct db_bell *bell)
{
    (void)pthread_mutex_lock(&db->lock);
    bell->waits = NULL;
    bell->has_rung = false;
    bell->next = db->bells;
    db->bells = bell;
    (void)pthread_mutex_unlock(&db->lock);
}

void db_bell_take_down(struct db *db, struct db_bell *bell)
{
    struct db_bell **at = &db->bells;

    (void)pthread_mutex_lock(&db->lock);
    while (*at != bell)
        at = &(*at)->next;
    *at = bell->next;
    (void)pthread_mutex_unlock(&db->lock);
}

int db_write_at(struct db *db,
                struct db_bell *bell,
                int64_t until_us,
                bool joins,
                db_job *job,
                void *arg,
                struct err *reterr)
{
    struct db_request request = {.job = job, .arg = arg};

    (void)pthread_mutex_lock(&db->lock);
    if (db->stopping) {
        (void)pthread_mutex_unlock(&db->lock);
        return err_set(reterr, -ESHUTDOWN, "%s is being closed", db->path);
    }
    (void)pthread_cond_init(&request.wake, NULL);
    bell->waits = &request;
    bell->until_us = until_us;
    bell->joins = joins;
    (void)pthread_cond_signal(&db->wake); /* it may be the first whose time comes */
    while (!request.done)
        (void)pthread_cond_wait(&request.wake, &db->lock);
    (void)pthread_mutex_unlock(&db->lock);
    (void)pthread_cond_destroy(&request.wake);

    if (request.result != 0 && reterr)
        *reterr = request.err;
    return request.result;
}

void db_ring(struct db_conn *conn, uint64_t names)
{
    conn->db->rung |= names;
}

void db_ring_outside(struct db *db, uint64_t names)
{
    (void)pthread_mutex_lock(&db->lock);
    for (struct db_bell *bell = db->bells; bell; bell = bell->next)
        bell->has_rung |= (bell->names & names) != 0;
    (void)pthread_cond_signal(&db->wake);
    (void)pthread_mutex_unlock(&db->lock);
}

int64_t db_bells_next_us(const struct db *db)
{
    int64_t next_us = INT64_MAX;

    for (const struct db_bell *bell = db->bells; bell; bell = bell->next)
        if (bell->waits && bell->has_rung)
            return 0;
        else if (bell->waits && bell->until_us < next_us)
            next_us = bell->until_us;
    return next_us;
}

void db_bells_answer(
    struct db *db, uint64_t rung, struct db_request **group, size_t *n, size_t n_max)
{
    int64_t now_us = db->bells ? clock_mono_us() : 0;
    bool in_company = *n > 0;

    for (struct db_bell *bell = db->bells; bell; bell = bell->next) {
        bell->has_rung |= (bell->names & rung) != 0;
        if (!bell->waits || *n == n_max ||
            !(bell->has_rung || bell->until_us <= now_us || db->stopping ||
              (bell->joins && in_company)))
            continue;
        bell->waits->asked_us = now_us;
        group[(*n)++] = bell->waits;
        bell->waits = NULL;
        bell->has_rung = false;
    }
}
