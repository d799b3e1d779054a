/*
 * Reminders of what postmortems promised. See loop_remind.h.
 */

#include "alertd/app/loop_remind.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alertd/db/postmortem_action_db.h"
#include "alertd/deliver/receiver.h"
#include "lib/base/clock.h"
#include "lib/base/html.h"
#include "lib/base/mem.h"

enum {
    LOOK_MS = 60000,
    LOOK_MIN_MS = 1000,
    READ_BYTES_MAX = 4 * 1024 * 1024,
    TEXT_BYTES_MAX = 32 * 1024,
};

struct loop_remind {
    struct loop_remind_options options;
    struct rng rng;
    struct deliver *deliver;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;   /* under lock */
    bool complained; /* said already that the receiver is of no use */
};

static bool can_tell(const struct route_integration *to)
{
    return to->kind == ROUTE_EMAIL || to->kind == ROUTE_NTFY;
}

static struct action_to address_of(const struct route_integration *to)
{
    return (struct action_to){to->receiver, route_kind_name(to->kind), to->slot};
}

static const struct route_receiver *find_receiver(const struct route_config *config,
                                                  const char *name)
{
    for (size_t i = 0; i < config->n_receivers; i++)
        if (strcmp(config->receivers[i].name, name) == 0)
            return &config->receivers[i];
    return NULL;
}

/* NULL when it can't be told; the log says so once, until it can. */
static const struct route_receiver *receiver_of(struct loop_remind *loop)
{
    const struct route_config *config = atomic_load(loop->options.config);
    const struct route_receiver *receiver = find_receiver(config, loop->options.receiver);
    bool can = false;

    for (size_t i = 0; receiver && i < receiver->n_integrations; i++)
        can |= can_tell(&receiver->integrations[i]);
    if (!can && !loop->complained)
        log_error(loop->options.log, "remind",
                  receiver ? "the receiver has neither mail nor ntfy: nobody is reminded"
                           : "the config has no such receiver: nobody is reminded",
                  "receiver=\"%s\"", loop->options.receiver);
    loop->complained = !can;
    return can ? receiver : NULL;
}

/* --- one message --- */

struct job {
    struct action_to to;
    struct action_claim claim;
    const struct deliver_outcome *outcome;
    int64_t now_ms, retry_at_ms;
    bool given_up;
};

struct words {
    struct str subject, text, html, brief, url;
};

static void words_done(struct words *words)
{
    str_done(&words->subject);
    str_done(&words->text);
    str_done(&words->html);
    str_done(&words->brief);
    str_done(&words->url);
}

static void fill_words(const struct loop_remind *loop,
                       const struct action_row *action,
                       int64_t now_ms,
                       struct words *words)
{
    const char *owner = *action->owner ? action->owner : "nobody yet";
    const char *when = action->due_ms < now_ms ? "was due on" : "is due on";
    char due[CLOCK_TEXT_MAX];

    (void)clock_rfc3339(action->due_ms, due);
    due[10] = '\0';
    str_addf(&words->url, "%s/pm/%lld", loop->options.external_url,
             (long long)action->postmortem_id);
    str_addf(&words->subject, "%s: %.120s", action->due_ms < now_ms ? "Overdue" : "Due soon",
             action->text);
    str_addf(&words->text,
             "%s\n\nOwner: %s. It %s %s, from the postmortem of %s.\n%s%s%s\nIts postmortem: %s\n",
             action->text, owner, when, due, action->incident,
             *action->done_when ? "Done when: " : "", action->done_when,
             *action->done_when ? ".\n" : "", str_text(&words->url));
    str_addf(&words->brief, "%s %s %s. Owner: %s.", action->incident, when, due, owner);
    str_add(&words->html, "<!doctype html><p><b>");
    html_escape(&words->html, action->text);
    str_add(&words->html, "</b></p><p>Owner: ");
    html_escape(&words->html, owner);
    str_addf(&words->html, ". It %s %s, from the postmortem of <a href=\"%s\">%s</a>.</p>", when,
             due, str_text(&words->url), action->incident);
}

static int write_words(struct loop_remind *loop,
                       const struct job *job,
                       struct words *words,
                       struct err *reterr)
{
    struct action_row action;
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, READ_BYTES_MAX);
    int r = db_read_begin(loop->options.state, &conn, reterr);
    if (r)
        return r;
    r = action_db_get(conn, job->claim.action_id, &arena, &action, reterr);
    db_read_end(loop->options.state, conn);
    if (r == 0)
        fill_words(loop, &action, job->now_ms, words);
    return r;
}

static int job_claim(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct job *job = arg;
    int r = action_db_owe(conn, &job->to, job->now_ms, reterr);

    return r ? r : action_db_claim(conn, &job->to, job->now_ms, &job->claim, reterr);
}

static int job_mark(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct job *job = arg;

    if (job->outcome->verdict == DELIVER_ACCEPTED)
        return action_db_sent(conn, job->claim.id, job->now_ms, reterr);
    return action_db_failed(conn, job->claim.id, job->outcome->words, job->retry_at_ms,
                            &job->given_up, reterr);
}

static bool must_stop(struct loop_remind *loop)
{
    (void)pthread_mutex_lock(&loop->lock);
    bool stopping = loop->stopping;
    (void)pthread_mutex_unlock(&loop->lock);
    return stopping;
}

/* Until it is stored or alertd ends: then the next start sends it again. */
static void mark(struct loop_remind *loop, struct job *job)
{
    const struct log *log = loop->options.log;
    struct err err = {0};

    while (db_write(loop->options.state, job_mark, job, &err) != 0) {
        log_error(log, "remind", "result not stored, trying again", "error=\"%s\"", err.text);
        if (must_stop(loop))
            return;
        clock_sleep_ms(LOOK_MIN_MS);
    }
    if (job->outcome->verdict == DELIVER_ACCEPTED)
        log_info(log, "remind", "sent", "action=%lld receiver=\"%s\" kind=%s",
                 (long long)job->claim.action_id, job->to.receiver, job->to.kind);
    else
        log_warn(log, "remind", job->given_up ? "given up" : "failed, tried again",
                 "action=%lld receiver=\"%s\" kind=%s error=\"%s\"",
                 (long long)job->claim.action_id, job->to.receiver, job->to.kind,
                 job->outcome->words);
}

static void deliver_reminder(struct loop_remind *loop,
                             const struct route_integration *to,
                             struct job *job)
{
    struct words words = {STR_INIT(1024), STR_INIT(TEXT_BYTES_MAX), STR_INIT(TEXT_BYTES_MAX),
                          STR_INIT(1024), STR_INIT(4096)};
    struct deliver_outcome outcome = {.verdict = DELIVER_LATER, .retry_after_ms = -1};
    struct err err = {0};

    if (write_words(loop, job, &words, &err)) {
        (void)snprintf(outcome.words, sizeof(outcome.words), "%s", err.text);
    } else {
        const struct page_digest digest = {
            .subject = str_text(&words.subject),
            .text = str_text(&words.text),
            .html = str_text(&words.html),
            .brief = str_text(&words.brief),
            .url = str_text(&words.url),
        };
        const struct page page = {
            .receiver = to->receiver,
            .kind = route_kind_name(to->kind),
            .slot = to->slot,
            .reason = "report",
            .idempotency_key = job->claim.key,
            .attempts = job->claim.attempts,
            .now_ms = job->now_ms,
            .owed_at_ms = job->claim.owed_ms,
            .external_url = loop->options.external_url,
            .digest = &digest,
        };

        deliver_send(loop->deliver, to, &page, &outcome);
    }
    words_done(&words);
    job->outcome = &outcome;
    job->now_ms = loop->options.now_wall_ms();
    job->retry_at_ms = deliver_retry_at(&outcome, job->claim.attempts + 1, job->now_ms, &loop->rng);
    mark(loop, job);
    job->outcome = NULL;
}

/* All that is due; when to look again. */
static int64_t drain(struct loop_remind *loop, const struct route_receiver *receiver)
{
    int64_t wait_ms = LOOK_MS;

    for (size_t i = 0; i < receiver->n_integrations && !must_stop(loop); i++) {
        const struct route_integration *to = &receiver->integrations[i];
        struct job job = {.to = address_of(to), .now_ms = loop->options.now_wall_ms()};
        struct err err = {0};

        if (!can_tell(to))
            continue;
        if (db_write(loop->options.state, job_claim, &job, &err)) {
            log_error(loop->options.log, "remind", "what is owed can't be read", "error=\"%s\"",
                      err.text);
            continue;
        }
        if (job.claim.found) {
            deliver_reminder(loop, to, &job);
            wait_ms = 0; /* another may wait, or it is tried again */
        } else if (job.claim.next_due_ms - job.now_ms < wait_ms) {
            wait_ms = job.claim.next_due_ms - job.now_ms;
        }
    }
    return wait_ms > LOOK_MIN_MS ? wait_ms : LOOK_MIN_MS;
}

/* --- life --- */

/* True: stop. */
static bool wait_for(struct loop_remind *loop, int64_t wait_ms)
{
    int64_t until_ms = clock_mono_ms() + wait_ms;
    const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

    (void)pthread_mutex_lock(&loop->lock);
    while (!loop->stopping && clock_mono_ms() < until_ms)
        (void)pthread_cond_timedwait(&loop->wake, &loop->lock, &until);
    bool stop = loop->stopping;
    (void)pthread_mutex_unlock(&loop->lock);
    return stop;
}

static void *run(void *arg)
{
    struct loop_remind *loop = arg;
    int64_t wait_ms;

    do {
        const struct route_receiver *receiver = receiver_of(loop);

        wait_ms = receiver ? drain(loop, receiver) : LOOK_MS;
    } while (!wait_for(loop, wait_ms));
    return NULL;
}

static int job_recover(struct db_conn *conn, void *arg, struct err *reterr)
{
    const int64_t *now_ms = arg;

    return action_db_recover(conn, *now_ms, reterr);
}

static void drop(struct loop_remind *loop)
{
    (void)pthread_cond_destroy(&loop->wake);
    (void)pthread_mutex_destroy(&loop->lock);
    deliver_free(loop->deliver);
    free(loop);
}

int loop_remind_start(const struct loop_remind_options *options,
                      struct loop_remind **ret_loop,
                      struct err *reterr)
{
    int64_t now_ms = options->now_wall_ms();
    pthread_condattr_t monotonic;

    *ret_loop = NULL;
    if (!options->receiver[0])
        return 0;
    struct loop_remind *loop = mem_zalloc(sizeof(*loop));
    *loop = (struct loop_remind){
        .options = *options, .rng = {.state = rng_os_seed()}, .deliver = deliver_new()};
    (void)pthread_mutex_init(&loop->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&loop->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    int r = db_write(options->state, job_recover, &now_ms, reterr);
    if (r == 0) {
        r = -pthread_create(&loop->thread, NULL, run, loop);
        if (r)
            (void)err_set(reterr, r, "no thread for reminders");
    }
    if (r) {
        drop(loop);
        return r;
    }
    *ret_loop = loop;
    return 0;
}

void loop_remind_stop(struct loop_remind *loop)
{
    if (!loop)
        return;
    (void)pthread_mutex_lock(&loop->lock);
    loop->stopping = true;
    (void)pthread_cond_signal(&loop->wake);
    (void)pthread_mutex_unlock(&loop->lock);
    (void)pthread_join(loop->thread, NULL);
    drop(loop);
}
