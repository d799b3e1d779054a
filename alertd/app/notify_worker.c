/*
 * One integration's thread: takes what is due, sends it, marks what became of it.
 *
 *   turn (commit: marks of the last batch; the next batch is `sending`) -> send all -> turn ...
 *     ^                                                                                |
 *     +--- at its bell: when a row for it is made, in the transaction that makes it ---+
 *
 * Between claim and mark a page may be out and nobody knows but us; so a turn that can't be
 * stored is tried until it can, and a start finds the rows in `sending`. Marks wait MARK_WITHIN_MS
 * for another commit to share, unless there is more to do. A batch is one page at first and after
 * trouble, BATCH_MIN while the receiver is quick, and grows while there is a backlog: a flood
 * then costs a commit for many pages.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/app/notify.h"
#include "alertd/incident/digest.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/json/write.h"

enum {
    PAGE_BYTES_MAX = 256 * 1024 * 1024, /* 500 alerts, each as large as labels may be */
    BATCH_MIN = 8,
    BATCH_MAX = 256,
    BATCH_MS = 250,      /* what took longer was too large */
    MARK_WITHIN_MS = 10, /* a kill meanwhile repeats a page that was told: not long */
    WAIT_MIN_MS = 50,
    WAIT_MAX_MS = 60000, /* the wall clock may jump: look again */
    MARK_AGAIN_MS = 1000,
};

struct turn {
    struct notify_worker *worker;
    bool fell_over; /* a failure made somebody else's page due */
    const struct notify_mark *marks;
    size_t n_marks;
    size_t max; /* to claim */
    struct arena *arena;
    int64_t now_ms; /* of the claim, by the wall clock */
    struct outbox_claims claims;
};

/* What was refused may make the next step of an escalation due, and what fails may go to somebody
 * else: so may each page that a digest told. */
static int fall_over(struct db_conn *conn,
                     struct turn *turn,
                     const struct notify_mark *mark,
                     bool refused,
                     struct err *reterr)
{
    int64_t ids[DIGEST_PAGES_MAX + 1] = {mark->outbox_id};
    size_t n = 0;
    int r = outbox_db_folded(conn, mark->outbox_id, ids + 1, &n, reterr);

    for (size_t i = 0; r == 0 && i <= n; i++) {
        struct pager_outcome outcome = {0};

        if (refused)
            r = pager_refused(turn->worker->loop->pager, conn, ids[i], mark->now_ms, &outcome,
                              reterr);
        turn->fell_over |= outcome.outbox_grew;
        if (r == 0)
            r = pager_failed(turn->worker->loop->pager, conn, ids[i], refused, mark->now_ms,
                             &outcome, reterr);
        turn->fell_over |= outcome.outbox_grew;
    }
    return r;
}

static int store_failure(struct db_conn *conn,
                         struct turn *turn,
                         const struct notify_mark *mark,
                         struct err *reterr)
{
    bool refused = mark->is_hopeless || mark->outcome.verdict == DELIVER_REFUSED;
    const char *words = mark->outcome.words;
    int r = mark->is_hopeless
                ? outbox_db_undelivered(conn, mark->outbox_id, words, mark->now_ms, reterr)
                : outbox_db_failed(conn, mark->outbox_id, words, refused, mark->retry_at_ms,
                                   mark->now_ms, reterr);

    return r == 0 ? fall_over(conn, turn, mark, refused, reterr) : r;
}

static int store_mark(struct db_conn *conn,
                      struct turn *turn,
                      const struct notify_mark *mark,
                      struct err *reterr)
{
    if (!mark->was_tried)
        return outbox_db_release(conn, mark->outbox_id, reterr);
    if (mark->outcome.verdict == DELIVER_ACCEPTED)
        return outbox_db_sent(conn, mark->outbox_id, mark->outcome.words, mark->now_ms, reterr);
    return store_failure(conn, turn, mark, reterr);
}

const char *notify_worker_name(const struct notify_worker *worker)
{
    if (worker->to)
        return worker->to->receiver;
    return worker->shadows ? "shadows" : "people";
}

static struct outbox_claim_options claim_options(struct notify_worker *worker, size_t max)
{
    struct outbox_claim_options options = {.pace = notify_pace(worker),
                                           .people = !worker->to,
                                           .shadows = worker->shadows,
                                           .external_url = worker->loop->external_url,
                                           .ack_key = worker->loop->ack_key,
                                           .now_ms = worker->loop->now_wall_ms(),
                                           .max = max};

    if (!worker->to)
        return options;
    options.receiver = worker->to->receiver;
    options.kind = route_kind_name(worker->to->kind);
    options.slot = worker->to->slot;
    return options;
}

static int job_turn(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct turn *turn = arg;
    struct notify_worker *worker = turn->worker;
    int r = 0;

    turn->claims = (struct outbox_claims){.next_due_ms = INT64_MAX};
    atomic_store(&worker->looked_ms, clock_mono_ms());
    for (size_t i = 0; r == 0 && i < turn->n_marks; i++)
        r = store_mark(conn, turn, &turn->marks[i], reterr);
    if (r || notify_must_stop(worker->loop))
        return r;

    const struct outbox_claim_options options = claim_options(worker, turn->max);

    turn->now_ms = options.now_ms;
    return outbox_db_claim(conn, &options, turn->arena, &turn->claims, reterr);
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

/* What a worker goes on with from turn to turn. */
struct work {
    struct notify_worker *worker;
    struct notify_senders *senders;
    struct notify_mark *marks; /* BATCH_MAX of them */
    size_t n_marks;            /* of the last batch, to be stored */
    size_t size;               /* of the next batch */
    int64_t look_at_ms;        /* monotonic: the next turn, unless it is called before */
};

/* What became of a batch, and the next one. Marks are stored however long that takes; we give
 * up only with the program: then the next start sends those pages again. */
static int take_turn(const struct work *work, struct turn *turn)
{
    struct loop_notify *loop = work->worker->loop;
    int64_t until_us = work->look_at_ms * 1000;
    struct err err = {0};
    int r;

    while ((r = db_write_at(loop->state, &work->worker->bell, until_us, turn->n_marks > 0, job_turn,
                            turn, &err)) != 0) {
        log_error(loop->log, "notify",
                  turn->n_marks ? "results not stored, trying again" : "outbox can't be read",
                  "receiver=\"%s\" error=\"%s\"", notify_worker_name(work->worker), err.text);
        if (!turn->n_marks || notify_must_stop(loop))
            return r;
        clock_sleep_ms(MARK_AGAIN_MS);
        arena_reset(turn->arena);
        until_us = 0;
    }
    return 0;
}

static int64_t within(int64_t wait_ms)
{
    if (wait_ms < WAIT_MIN_MS)
        return WAIT_MIN_MS;
    return wait_ms > WAIT_MAX_MS ? WAIT_MAX_MS : wait_ms;
}

/* How many to take next, when n of at most `size` took so long. */
static size_t next_size(const struct work *work, size_t n, int64_t took_ms)
{
    for (size_t i = 0; i < n; i++)
        if (!work->marks[i].was_tried || work->marks[i].outcome.verdict != DELIVER_ACCEPTED)
            return 1;
    if (took_ms > BATCH_MS)
        return 1;
    n = n < work->size ? n : work->size * 2;
    if (n < BATCH_MIN)
        return BATCH_MIN;
    return n < BATCH_MAX ? n : BATCH_MAX;
}

static void tell_of_turn(struct work *work, const struct turn *turn)
{
    struct loop_notify *loop = work->worker->loop;

    if (turn->fell_over)
        loop_notify_wake(loop);
    atomic_fetch_add(&loop->digests, turn->claims.n_digests);
    atomic_fetch_add(&loop->folded, turn->claims.n_folded);
    atomic_fetch_add(&loop->held, turn->claims.was_held && turn->claims.n == 0);
    for (size_t i = 0; i < turn->n_marks; i++)
        if (turn->marks[i].was_tried && !work->worker->is_canary)
            tell_viewers(loop, turn->marks[i].incident);
}

/* Sends what the turn claimed, and says when the next one is. */
static void send_claims(struct work *work, const struct turn *turn)
{
    size_t n = turn->claims.n;
    int64_t began_ms = clock_mono_ms();

    work->n_marks = n;
    if (n == 0) {
        int64_t next_ms = turn->claims.next_due_ms;

        work->look_at_ms = began_ms +
                           (next_ms == INT64_MAX ? WAIT_MAX_MS : within(next_ms - turn->now_ms));
        return;
    }

    bool had_all = n < work->size;

    atomic_store(&work->worker->busy_since_ms, began_ms);
    (void)notify_send(work->senders, &turn->claims, work->marks);
    work->size = next_size(work, n, clock_mono_ms() - began_ms);
    work->look_at_ms = had_all && work->size > 1 ? clock_mono_ms() + MARK_WITHIN_MS : 0;
}

/* One turn and what it claimed; false: it is to end. */
static bool take_and_send(struct work *work)
{
    ARENA_AUTO struct arena arena;
    struct turn turn = {
        .worker = work->worker,
        .marks = work->marks,
        .n_marks = work->n_marks,
        .max = work->size,
        .arena = &arena,
    };

    arena_init(&arena, PAGE_BYTES_MAX);
    if (work->n_marks == 0) {
        atomic_store(&work->worker->busy_since_ms, 0);
        if (notify_must_stop(work->worker->loop))
            return false;
    }
    if (take_turn(work, &turn)) {
        work->n_marks = 0;
        work->look_at_ms = clock_mono_ms() + NOTIFY_PAUSE_MS;
        return !notify_must_stop(work->worker->loop);
    }
    tell_of_turn(work, &turn);
    send_claims(work, &turn);
    return true;
}

void *notify_worker_run(void *arg)
{
    struct notify_worker *worker = arg;
    struct work work = {
        .worker = worker,
        .senders = notify_senders_new(worker),
        .marks = mem_alloc(BATCH_MAX * sizeof(*work.marks)),
        .size = 1,
    };
    char name[16]; /* for top and debuggers: a thread's has no more */

    (void)snprintf(name, sizeof(name), "%s", notify_worker_name(worker));
    (void)pthread_setname_np(pthread_self(), name);
    while (take_and_send(&work))
        continue;
    notify_senders_free(work.senders);
    free(work.marks);
    return NULL;
}
