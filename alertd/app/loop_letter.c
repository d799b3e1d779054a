/*
 * What is told that is no page. See loop_letter.h.
 */

#include "alertd/app/loop_letter.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/app/letter.h"
#include "alertd/deliver/receiver.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/rounds.h"

enum {
    LOOK_MS = 60000,
    LOOK_MIN_MS = 1000,
    TEXT_BYTES_MAX = 512 * 1024,
    BRIEF_BYTES_MAX = 2000,
    LINE_BYTES_MAX = 4096,
    TOPICS = 2,
};

/* A topic and who hears of it. */
struct audience {
    const struct letter_topic *topic;
    const char *receiver; /* "": nobody */
    bool complained;      /* said already that the receiver is of no use */
};

struct loop_letter {
    struct loop_letter_options options;
    struct letter_desk desk;
    struct audience audiences[TOPICS];
    struct zone *zone;
    struct rng rng;
    struct deliver *deliver;
    struct rounds rounds;
};

/* --- to whom --- */

static bool can_tell(const struct route_integration *to)
{
    return to->kind == ROUTE_EMAIL || to->kind == ROUTE_NTFY;
}

static struct letter_to address_of(const struct route_integration *to)
{
    return (struct letter_to){to->receiver, route_kind_name(to->kind), to->slot};
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
static const struct route_receiver *receiver_of(struct loop_letter *loop, struct audience *audience)
{
    const struct route_config *config = atomic_load(loop->options.config);
    const struct route_receiver *receiver = find_receiver(config, audience->receiver);
    bool can = false;

    for (size_t i = 0; receiver && i < receiver->n_integrations; i++)
        can |= can_tell(&receiver->integrations[i]);
    if (!can && !audience->complained)
        log_error(loop->options.log, audience->topic->name,
                  receiver ? "the receiver has neither mail nor ntfy"
                           : "the config has no such receiver",
                  "receiver=\"%s\" so=\"%s\"", audience->receiver, audience->topic->nobody);
    audience->complained = !can;
    return can ? receiver : NULL;
}

/* --- one letter --- */

struct job {
    const struct letter_desk *desk;
    const struct letter_topic *topic;
    struct letter_to to;
    struct letter_claim claim;
    const struct deliver_outcome *outcome;
    int64_t now_ms, retry_at_ms;
    bool given_up;
};

static int job_claim(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct job *job = arg;
    int r = job->topic->owe(job->desk, conn, &job->to, job->now_ms, reterr);

    if (r)
        return r;
    return letter_db_claim(conn, job->topic->name, &job->to, job->now_ms, &job->claim, reterr);
}

static int job_mark(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct job *job = arg;

    if (job->outcome->verdict == DELIVER_ACCEPTED)
        return letter_db_sent(conn, job->claim.id, job->now_ms, reterr);
    return letter_db_failed(conn, job->claim.id, job->outcome->words, job->retry_at_ms,
                            &job->given_up, reterr);
}

/* Until it is stored or alertd ends: then the next start sends it again. */
static void mark(struct loop_letter *loop, struct job *job)
{
    const struct log *log = loop->options.log;
    const char *name = job->topic->name;
    struct err err = {0};

    while (db_write(loop->options.state, job_mark, job, &err) != 0) {
        log_error(log, name, "result not stored, trying again", "error=\"%s\"", err.text);
        if (rounds_rest(&loop->rounds, LOOK_MIN_MS, NULL))
            return;
    }
    if (job->outcome->verdict == DELIVER_ACCEPTED)
        log_info(log, name, "sent", "about=%s receiver=\"%s\" kind=%s", job->claim.about,
                 job->to.receiver, job->to.kind);
    else
        log_warn(log, name, job->given_up ? "given up" : "failed, tried again",
                 "about=%s receiver=\"%s\" kind=%s error=\"%s\"", job->claim.about,
                 job->to.receiver, job->to.kind, job->outcome->words);
}

static void letter_done(struct letter *letter)
{
    str_done(&letter->subject);
    str_done(&letter->text);
    str_done(&letter->html);
    str_done(&letter->brief);
    str_done(&letter->url);
}

static void send_letter(struct loop_letter *loop,
                        const struct route_integration *to,
                        const struct job *job,
                        const struct letter *letter,
                        struct deliver_outcome *ret_outcome)
{
    const struct page_digest digest = {
        .subject = str_text(&letter->subject),
        .text = str_text(&letter->text),
        .html = str_text(&letter->html),
        .brief = str_text(&letter->brief),
        .url = str_text(&letter->url),
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

    deliver_send(loop->deliver, to, &page, ret_outcome);
}

static void deliver_letter(struct loop_letter *loop,
                           const struct route_integration *to,
                           struct job *job)
{
    struct letter letter = {STR_INIT(LINE_BYTES_MAX), STR_INIT(TEXT_BYTES_MAX),
                            STR_INIT(TEXT_BYTES_MAX), STR_INIT(BRIEF_BYTES_MAX),
                            STR_INIT(LINE_BYTES_MAX)};
    struct deliver_outcome outcome = {.verdict = DELIVER_LATER, .retry_after_ms = -1};
    struct err err = {0};
    int r = job->topic->write(job->desk, job->claim.about, job->now_ms, &letter, &err);

    if (r)
        (void)snprintf(outcome.words, sizeof(outcome.words), "%s", err.text);
    else
        send_letter(loop, to, job, &letter, &outcome);
    letter_done(&letter);
    job->outcome = &outcome;
    job->now_ms = loop->options.now_wall_ms();
    job->retry_at_ms = r == LETTER_OVER ? INT64_MAX
                                        : deliver_retry_at(&outcome, job->claim.attempts + 1,
                                                           job->now_ms, &loop->rng);
    mark(loop, job);
    job->outcome = NULL;
}

/* All that is due; how long until the next look. */
static int64_t drain(struct loop_letter *loop, struct audience *audience)
{
    const struct route_receiver *receiver = receiver_of(loop, audience);
    int64_t wait_ms = LOOK_MS;

    for (size_t i = 0; receiver && i < receiver->n_integrations; i++) {
        const struct route_integration *to = &receiver->integrations[i];
        struct job job = {.desk = &loop->desk,
                          .topic = audience->topic,
                          .to = address_of(to),
                          .now_ms = loop->options.now_wall_ms()};
        struct err err = {0};

        if (!can_tell(to) || rounds_stopping(&loop->rounds))
            continue;
        if (db_write(loop->options.state, job_claim, &job, &err)) {
            log_error(loop->options.log, audience->topic->name, "what is owed can't be read",
                      "error=\"%s\"", err.text);
            continue;
        }
        if (job.claim.found) {
            deliver_letter(loop, to, &job);
            wait_ms = 0; /* another may wait, or it is tried again */
        } else if (job.claim.next_due_ms - job.now_ms < wait_ms) {
            wait_ms = job.claim.next_due_ms - job.now_ms;
        }
    }
    return wait_ms;
}

/* --- life --- */

static void *run(void *arg)
{
    struct loop_letter *loop = arg;
    int64_t wait_ms;

    do {
        wait_ms = LOOK_MS;
        for (size_t i = 0; i < TOPICS; i++) {
            int64_t next_ms = *loop->audiences[i].receiver ? drain(loop, &loop->audiences[i])
                                                           : LOOK_MS;

            wait_ms = next_ms < wait_ms ? next_ms : wait_ms;
        }
        wait_ms = wait_ms > LOOK_MIN_MS ? wait_ms : LOOK_MIN_MS;
    } while (!rounds_rest(&loop->rounds, wait_ms, NULL));
    return NULL;
}

static int job_recover(struct db_conn *conn, void *arg, struct err *reterr)
{
    const int64_t *now_ms = arg;

    return letter_db_recover(conn, *now_ms, reterr);
}

static void drop(struct loop_letter *loop)
{
    deliver_free(loop->deliver);
    zone_free(loop->zone);
    free(loop);
}

int loop_letter_start(const struct loop_letter_options *options,
                      struct loop_letter **ret_loop,
                      struct err *reterr)
{
    struct zone *zone = NULL;
    int64_t now_ms = options->now_wall_ms();
    struct err err = {0};

    *ret_loop = NULL;
    if (!*options->report_to && !*options->remind_to)
        return 0;
    if (zone_open(options->zone, &zone, &err))
        return err_set(reterr, -EINVAL, "--report.zone: %s", err.text);
    struct loop_letter *loop = mem_zalloc(sizeof(*loop));
    *loop = (struct loop_letter){.options = *options,
                                 .audiences = {{&letter_report, options->report_to, false},
                                               {&letter_remind, options->remind_to, false}},
                                 .zone = zone,
                                 .rng = {.state = rng_os_seed()},
                                 .deliver = deliver_new()};
    loop->desk = (struct letter_desk){&loop->options, zone};
    int r = db_write(options->state, job_recover, &now_ms, reterr);
    if (r == 0)
        r = rounds_start(&loop->rounds, "letters", run, loop, reterr);
    if (r) {
        drop(loop);
        return r;
    }
    *ret_loop = loop;
    return 0;
}

void loop_letter_stop(struct loop_letter *loop)
{
    if (!loop)
        return;
    rounds_stop(&loop->rounds);
    drop(loop);
}
