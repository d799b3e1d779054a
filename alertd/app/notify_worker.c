/*
 * One integration's thread: takes what is due, sends it, marks what became of it.
 *
 *   claim (commit: sending) -> send -> mark (commit: sent, or waiting until ...)
 *
 * Between claim and mark the page may be out and nobody knows but us; so a mark that
 * can't be stored is tried until it can, and a start finds the row in `sending`.
 */

#include <inttypes.h>
#include <string.h>

#include "alertd/app/notify.h"
#include "alertd/deliver/receiver.h"
#include "lib/base/clock.h"
#include "lib/json/write.h"

enum {
    PAGE_BYTES_MAX = 256 * 1024 * 1024, /* 500 alerts, each as large as labels may be */
    WAIT_MIN_MS = 50,
    WAIT_MAX_MS = 60000, /* the wall clock may jump: look again */
    MARK_AGAIN_MS = 1000,
};

struct claim_job {
    struct outbox_claim_options options;
    struct arena *arena;
    struct outbox_claim claim;
};

static int job_claim(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct claim_job *job = arg;

    return outbox_db_claim(conn, &job->options, job->arena, &job->claim, reterr);
}

struct mark_job {
    int64_t outbox_id;
    const struct deliver_outcome *outcome;
    int64_t retry_at_ms;
    int64_t now_ms;
};

static int job_mark(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct mark_job *job = arg;

    if (job->outcome->verdict == DELIVER_ACCEPTED)
        return outbox_db_sent(conn, job->outbox_id, job->outcome->words, job->now_ms, reterr);
    return outbox_db_failed(conn, job->outbox_id, job->outcome->words,
                            job->outcome->verdict == DELIVER_REFUSED, job->retry_at_ms, job->now_ms,
                            reterr);
}

static void tell_viewers(struct loop_notify *loop, const char *key)
{
    STR_AUTO struct str text = STR_INIT(256);
    struct json_out out = JSON_OUT(&text);

    if (!loop->hub)
        return;
    json_open(&out, '{');
    json_kv_string(&out, "key", key);
    json_close(&out, '}');
    http_hub_publish(loop->hub, "incident", str_text(&text));
}

static void count(struct notify_worker *worker,
                  const struct deliver_outcome *outcome,
                  int64_t now_ms)
{
    switch (outcome->verdict) {
    case DELIVER_ACCEPTED:
        atomic_fetch_add(&worker->accepted, 1);
        atomic_store(&worker->sent_last_ms, now_ms);
        break;
    case DELIVER_LATER: atomic_fetch_add(&worker->failed, 1); break;
    case DELIVER_REFUSED: atomic_fetch_add(&worker->refused, 1); break;
    }
}

static void log_outcome(struct notify_worker *worker,
                        const struct page *page,
                        const struct deliver_outcome *outcome)
{
    const struct log *log = worker->loop->log;

    if (outcome->verdict == DELIVER_ACCEPTED)
        log_info(log, "notify", "sent",
                 "incident=%s receiver=\"%s\" kind=%s reason=\"%s\" late_ms=%" PRId64,
                 page->incident.key, page->receiver, page->kind, page->reason,
                 page->now_ms - page->owed_at_ms);
    else
        log_warn(log, "notify", outcome->verdict == DELIVER_REFUSED ? "refused" : "failed",
                 "incident=%s receiver=\"%s\" kind=%s attempt=%u error=\"%s\"", page->incident.key,
                 page->receiver, page->kind, page->attempts + 1, outcome->words);
}

/* Stores what became of it, however long that takes; gives up only with the program: then
 * the next start sends it again. */
static void mark(struct notify_worker *worker, struct mark_job *job)
{
    struct loop_notify *loop = worker->loop;
    struct err err = {0};

    while (db_write(loop->state, job_mark, job, &err) != 0) {
        log_error(loop->log, "notify", "result not stored, trying again",
                  "outbox=%" PRId64 " error=\"%s\"", job->outbox_id, err.text);
        if (notify_must_stop(loop))
            return;
        clock_sleep_ms(MARK_AGAIN_MS);
    }
}

static void send_one(struct notify_worker *worker,
                     struct deliver *deliver,
                     const struct page *page,
                     struct rng *rng)
{
    struct deliver_outcome outcome;

    deliver_send(deliver, worker->to, page, &outcome);

    int64_t now_ms = worker->loop->now_wall_ms();
    struct mark_job job = {
        .outbox_id = page->outbox_id,
        .outcome = &outcome,
        .retry_at_ms = deliver_retry_at(&outcome, page->attempts + 1, now_ms, rng),
        .now_ms = now_ms,
    };

    count(worker, &outcome, now_ms);
    log_outcome(worker, page, &outcome);
    mark(worker, &job);
    tell_viewers(worker->loop, page->incident.key);
}

static int64_t within(int64_t wait_ms)
{
    if (wait_ms < WAIT_MIN_MS)
        return WAIT_MIN_MS;
    return wait_ms > WAIT_MAX_MS ? WAIT_MAX_MS : wait_ms;
}

/* Sends all that is due; how long until it is worth looking again. */
static int64_t drain(struct notify_worker *worker, struct deliver *deliver, struct rng *rng)
{
    struct loop_notify *loop = worker->loop;

    for (;;) {
        ARENA_AUTO struct arena arena;
        struct err err = {0};
        struct claim_job job = {
            .options = {.receiver = worker->to->receiver,
                        .kind = route_kind_name(worker->to->kind),
                        .slot = worker->to->slot,
                        .external_url = loop->external_url,
                        .ack_key = loop->ack_key,
                        .now_ms = loop->now_wall_ms()},
            .arena = &arena,
        };

        arena_init(&arena, PAGE_BYTES_MAX);
        if (notify_must_stop(loop))
            return 0;
        if (db_write(loop->state, job_claim, &job, &err)) {
            log_error(loop->log, "notify", "outbox can't be read", "receiver=\"%s\" error=\"%s\"",
                      worker->to->receiver, err.text);
            return NOTIFY_PAUSE_MS;
        }
        if (!job.claim.found)
            return job.claim.next_due_ms == INT64_MAX
                       ? WAIT_MAX_MS
                       : within(job.claim.next_due_ms - job.options.now_ms);
        send_one(worker, deliver, &job.claim.page, rng);
    }
}

void *notify_worker_run(void *arg)
{
    struct notify_worker *worker = arg;
    struct deliver *deliver = deliver_new();
    struct rng rng = {.state = rng_os_seed()};
    uint64_t seen = 0; /* the generation is never 0: the first wait does not */
    int64_t until_ms = 0;

    while (!notify_wait(worker->loop, &seen, until_ms, false))
        until_ms = clock_mono_ms() + drain(worker, deliver, &rng);
    deliver_free(deliver);
    return NULL;
}
