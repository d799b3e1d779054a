/*
 * One integration's thread: takes what is due, sends it, marks what became of it.
 *
 *   turn (commit: marks of the last batch; the next batch is `sending`) -> send each -> turn ...
 *
 * Between claim and mark a page may be out and nobody knows but us; so a turn that can't be
 * stored is tried until it can, and a start finds the rows in `sending`. A batch is one page
 * and grows only while there is a backlog and the receiver is quick: a flood then costs a
 * commit for many pages, and a kill repeats one page at ordinary times.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alertd/app/notify.h"
#include "alertd/deliver/receiver.h"
#include "alertd/incident/digest.h"
#include "alertd/route/tree.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/json/write.h"

enum {
    PAGE_BYTES_MAX = 256 * 1024 * 1024, /* 500 alerts, each as large as labels may be */
    BATCH_MAX = 64,
    BATCH_MS = 250, /* what took longer was too large */
    WAIT_MIN_MS = 50,
    WAIT_MAX_MS = 60000, /* the wall clock may jump: look again */
    MARK_AGAIN_MS = 1000,
};

/* What became of one page. */
struct mark {
    int64_t outbox_id;
    char incident[32]; /* its key */
    bool was_tried;    /* false: we had to stop */
    bool is_hopeless;  /* whom it was for can't be told that way any more */
    struct deliver_outcome outcome;
    int64_t retry_at_ms;
    int64_t now_ms;
};

struct turn {
    struct pager *pager;
    bool fell_over; /* a failure made somebody else's page due */
    const struct mark *marks;
    size_t n_marks;
    struct outbox_claim_options options; /* max 0: claim nothing */
    struct arena *arena;
    struct outbox_claims claims;
};

/* What was refused may make the next step of an escalation due, and what fails may go to somebody
 * else: so may each page that a digest told. */
static int fall_over(struct db_conn *conn,
                     struct turn *turn,
                     const struct mark *mark,
                     bool refused,
                     struct err *reterr)
{
    int64_t ids[DIGEST_PAGES_MAX + 1] = {mark->outbox_id};
    size_t n = 0;
    int r = outbox_db_folded(conn, mark->outbox_id, ids + 1, &n, reterr);

    for (size_t i = 0; r == 0 && i <= n; i++) {
        struct pager_outcome outcome = {0};

        if (refused)
            r = pager_refused(turn->pager, conn, ids[i], mark->now_ms, &outcome, reterr);
        turn->fell_over |= outcome.outbox_grew;
        if (r == 0)
            r = pager_failed(turn->pager, conn, ids[i], refused, mark->now_ms, &outcome, reterr);
        turn->fell_over |= outcome.outbox_grew;
    }
    return r;
}

static int store_failure(struct db_conn *conn,
                         struct turn *turn,
                         const struct mark *mark,
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
                      const struct mark *mark,
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

static int job_turn(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct turn *turn = arg;
    int r = 0;

    for (size_t i = 0; r == 0 && i < turn->n_marks; i++)
        r = store_mark(conn, turn, &turn->marks[i], reterr);
    if (r == 0 && turn->options.max > 0)
        r = outbox_db_claim(conn, &turn->options, turn->arena, &turn->claims, reterr);
    return r;
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
    if (outcome->template_error[0])
        atomic_fetch_add(&worker->template_errors, 1);
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

    if (outcome->template_error[0])
        log_warn(log, "notify", "a template failed",
                 "incident=%s receiver=\"%s\" kind=%s error=\"%s\"", page->incident.key,
                 page->receiver, page->kind, outcome->template_error);
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

/* What became of a page to a person is in notify_person.c. */
static void send_page(struct notify_worker *worker,
                      struct deliver *deliver,
                      const struct page *page,
                      struct mark *mark)
{
    const struct route_node *node = page->group_key && worker->loop->config
                                        ? route_node_of_key(worker->loop->config, page->group_key)
                                        : NULL;
    struct page told = *page;

    told.route = node ? route_node_labels(node) : NULL;
    if (worker->to)
        deliver_send(deliver, worker->to, &told, &mark->outcome);
    else
        mark->is_hopeless = !notify_person_send(worker->loop, deliver, &told, &mark->outcome);
    labels_unref(told.route);
}

static struct mark send_one(struct notify_worker *worker,
                            struct deliver *deliver,
                            const struct page *page,
                            struct rng *rng)
{
    struct mark mark = {.outbox_id = page->outbox_id, .was_tried = true};

    (void)snprintf(mark.incident, sizeof(mark.incident), "%s", page->incident.key);
    send_page(worker, deliver, page, &mark);
    mark.now_ms = worker->loop->now_wall_ms();
    mark.retry_at_ms = deliver_retry_at(&mark.outcome, page->attempts + 1, mark.now_ms, rng);
    count(worker, &mark.outcome, mark.now_ms);
    if (!worker->is_canary || mark.outcome.verdict != DELIVER_ACCEPTED)
        log_outcome(worker, page, &mark.outcome);
    atomic_store(&worker->busy_since_ms, clock_mono_ms());
    atomic_store(&worker->looked_ms, clock_mono_ms());
    return mark;
}

/* What became of a batch, and the next one. Marks are stored however long that takes; we give
 * up only with the program: then the next start sends those pages again. */
static int take_turn(struct notify_worker *worker, struct turn *turn)
{
    struct loop_notify *loop = worker->loop;
    struct err err = {0};
    int r;

    while ((r = db_write(loop->state, job_turn, turn, &err)) != 0) {
        log_error(loop->log, "notify",
                  turn->n_marks ? "results not stored, trying again" : "outbox can't be read",
                  "receiver=\"%s\" error=\"%s\"", notify_worker_name(worker), err.text);
        if (!turn->n_marks || notify_must_stop(loop))
            return r;
        clock_sleep_ms(MARK_AGAIN_MS);
        arena_reset(turn->arena);
    }
    return 0;
}

static int64_t within(int64_t wait_ms)
{
    if (wait_ms < WAIT_MIN_MS)
        return WAIT_MIN_MS;
    return wait_ms > WAIT_MAX_MS ? WAIT_MAX_MS : wait_ms;
}

/* How many to take next, when this turn's batch of at most `size` took so long. */
static size_t next_size(size_t size, const struct turn *sent, const struct mark *marks, int64_t ms)
{
    bool all_accepted = true;

    for (size_t i = 0; i < sent->claims.n; i++)
        all_accepted &= marks[i].was_tried && marks[i].outcome.verdict == DELIVER_ACCEPTED;
    if (!all_accepted || sent->claims.n < size || ms > BATCH_MS)
        return 1;
    return size * 2 < BATCH_MAX ? size * 2 : BATCH_MAX;
}

/* Sends a batch; false when it had to stop. */
static bool send_batch(struct notify_worker *worker,
                       struct deliver *deliver,
                       const struct outbox_claims *claims,
                       struct rng *rng,
                       struct mark *ret_marks)
{
    bool goes_on = true;

    for (size_t i = 0; i < claims->n; i++) {
        goes_on = goes_on && !notify_must_stop(worker->loop);
        ret_marks[i] = goes_on ? send_one(worker, deliver, &claims->pages[i], rng)
                               : (struct mark){.outbox_id = claims->pages[i].outbox_id};
    }
    return goes_on;
}

static struct outbox_claim_options claim_options(struct notify_worker *worker)
{
    struct outbox_claim_options options = {.pace = notify_pace(worker),
                                           .people = !worker->to,
                                           .shadows = worker->shadows,
                                           .external_url = worker->loop->external_url,
                                           .ack_key = worker->loop->ack_key,
                                           .now_ms = worker->loop->now_wall_ms()};

    if (!worker->to)
        return options;
    options.receiver = worker->to->receiver;
    options.kind = route_kind_name(worker->to->kind);
    options.slot = worker->to->slot;
    return options;
}

/* Sends all that is due; how long until it is worth looking again. */
static int64_t drain(struct notify_worker *worker, struct deliver *deliver, struct rng *rng)
{
    struct loop_notify *loop = worker->loop;
    MEM_AUTO struct mark *marks = mem_alloc(BATCH_MAX * sizeof(*marks));
    struct turn sent = {0};
    bool goes_on = !notify_must_stop(loop);
    size_t size = 1;

    for (;;) {
        ARENA_AUTO struct arena arena;
        struct turn turn = {
            .pager = loop->pager,
            .marks = marks,
            .n_marks = sent.claims.n,
            .options = claim_options(worker),
            .arena = &arena,
        };

        atomic_store(&worker->looked_ms, clock_mono_ms());
        turn.options.max = goes_on ? size : 0;

        arena_init(&arena, PAGE_BYTES_MAX);
        if (take_turn(worker, &turn))
            return NOTIFY_PAUSE_MS;
        if (turn.fell_over)
            loop_notify_wake(loop);
        atomic_fetch_add(&loop->digests, turn.claims.n_digests);
        atomic_fetch_add(&loop->folded, turn.claims.n_folded);
        atomic_fetch_add(&loop->held, turn.claims.was_held && turn.claims.n == 0);
        for (size_t i = 0; i < sent.claims.n; i++)
            if (marks[i].was_tried && !worker->is_canary)
                tell_viewers(loop, marks[i].incident);
        if (turn.claims.n == 0)
            return turn.claims.next_due_ms == INT64_MAX
                       ? WAIT_MAX_MS
                       : within(turn.claims.next_due_ms - turn.options.now_ms);

        int64_t began_ms = clock_mono_ms();

        goes_on = send_batch(worker, deliver, &turn.claims, rng, marks);
        size = next_size(size, &turn, marks, clock_mono_ms() - began_ms);
        sent = turn;
    }
}

void *notify_worker_run(void *arg)
{
    struct notify_worker *worker = arg;
    struct deliver *deliver = deliver_new();
    struct rng rng = {.state = rng_os_seed()};
    enum notify_role role = worker->to ? NOTIFY_INTEGRATION : NOTIFY_PEOPLE;
    uint64_t seen = 0; /* the generation is never 0: the first wait does not */
    int64_t until_ms = 0;

    char name[16]; /* for top and debuggers: a thread's has no more */

    (void)snprintf(name, sizeof(name), "%s", notify_worker_name(worker));
    (void)pthread_setname_np(pthread_self(), name);
    while (!notify_wait(worker->loop, role, &seen, until_ms)) {
        atomic_store(&worker->busy_since_ms, clock_mono_ms());
        until_ms = clock_mono_ms() + drain(worker, deliver, &rng);
        atomic_store(&worker->busy_since_ms, 0);
    }
    deliver_free(deliver);
    return NULL;
}
