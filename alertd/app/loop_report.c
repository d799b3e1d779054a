/*
 * The weekly report. See loop_report.h.
 */

#include "alertd/app/loop_report.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alertd/api/canary_diff.h"
#include "alertd/db/report_db.h"
#include "alertd/db/weekly_db.h"
#include "alertd/deliver/receiver.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    LOOK_MS = 60000,
    LOOK_MIN_MS = 1000,
    READ_BYTES_MAX = 64 * 1024 * 1024,
    TEXT_BYTES_MAX = 512 * 1024,
    BRIEF_BYTES_MAX = 2000,
};

struct loop_report {
    struct loop_report_options options;
    struct zone *zone;
    struct rng rng;
    struct deliver *deliver;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;   /* under lock */
    bool complained; /* said already that the receiver is of no use */
};

/* --- what is owed --- */

struct owe_job {
    const char *week;
    const struct route_receiver *receiver;
    int64_t now_ms;
};

static bool can_tell(const struct route_integration *to)
{
    return to->kind == ROUTE_EMAIL || to->kind == ROUTE_NTFY;
}

static struct weekly_to address_of(const struct route_integration *to)
{
    return (struct weekly_to){to->receiver, route_kind_name(to->kind), to->slot};
}

static int job_owe(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct owe_job *job = arg;
    int r = 0;

    for (size_t i = 0; r == 0 && i < job->receiver->n_integrations; i++) {
        const struct route_integration *to = &job->receiver->integrations[i];
        struct weekly_to address = address_of(to);

        if (can_tell(to))
            r = weekly_db_owe(conn, job->week, &address, job->now_ms, reterr);
    }
    return r;
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
static const struct route_receiver *receiver_of(struct loop_report *loop)
{
    const struct route_config *config = atomic_load(loop->options.config);
    const struct route_receiver *receiver = find_receiver(config, loop->options.receiver);
    bool can = false;

    for (size_t i = 0; receiver && i < receiver->n_integrations; i++)
        can |= can_tell(&receiver->integrations[i]);
    if (!can && !loop->complained)
        log_error(loop->options.log, "report",
                  receiver ? "the receiver has neither mail nor ntfy: nobody gets the report"
                           : "the config has no such receiver: nobody gets the report",
                  "receiver=\"%s\"", loop->options.receiver);
    loop->complained = !can;
    return can ? receiver : NULL;
}

static void owe(struct loop_report *loop, const struct route_receiver *receiver, int64_t now_ms)
{
    const struct loop_report_options *options = &loop->options;
    int64_t due_ms = report_weekly_due(loop->zone, options->weekday, options->hour, now_ms);
    int64_t from_ms = 0;
    int64_t to_ms = 0;
    char week[REPORT_WEEK_MAX];
    struct owe_job job = {week, receiver, now_ms};
    struct err err = {0};

    report_week_of(loop->zone, due_ms, week);
    if (report_week_span(week, loop->zone, &from_ms, &to_ms))
        return; /* a clock before 1970 */
    report_week_of(loop->zone, from_ms - 1, week);
    if (db_write(options->state, job_owe, &job, &err))
        log_error(options->log, "report", "the weekly report can't be noted", "error=\"%s\"",
                  err.text);
}

/* --- one message --- */

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

/* "31 pages ... / 9 at night ...": a report's text up to its first table. */
static void add_brief(struct words *words)
{
    const char *text = str_text(&words->text);
    const char *begin = strstr(text, "\n\n");
    const char *end = begin ? strstr(begin + 2, "\n\n") : NULL;

    if (end)
        str_addn(&words->brief, begin + 2, (size_t)(end - begin - 2));
}

static int write_words(struct loop_report *loop,
                       const char *week,
                       struct words *words,
                       struct err *reterr)
{
    struct report_input input = {.zone = loop->zone};
    struct zones zones = {0};
    struct report report;
    struct db_conn *conn = NULL;
    struct err canary_err = {0};
    ARENA_AUTO struct arena arena;

    arena_init(&arena, READ_BYTES_MAX);

    struct report_shift *days = arena_array(&arena, REPORT_DAYS_MAX, sizeof(*days));
    if (!days || report_week_span(week, loop->zone, &input.from_ms, &input.to_ms))
        return err_set(reterr, -EINVAL, "%s is no week", week);
    input.shifts = days;
    input.n_shifts = report_days(loop->zone, input.from_ms, input.to_ms, days);
    int r = db_read_begin(loop->options.state, &conn, reterr);
    if (r)
        return r;
    r = report_db_read(conn, &arena, &input, reterr);
    if (r == 0)
        r = report_db_read_duty(conn, &zones, clock_wall_ms(), &arena, &input, reterr);
    db_read_end(loop->options.state, conn);
    if (r == 0)
        r = report_make(&input, &arena, &report, reterr);
    zones_done(&zones); /* what was made has no zone of a person's any more */
    if (r)
        return r;
    str_addf(&words->url, "%s/report?week=%s&zone=%s", loop->options.external_url, week,
             zone_name(loop->zone));
    report_subject(&report, &words->subject);
    report_text(&report, &words->text);
    add_brief(words);
    if (canary_diff_weekly(loop->options.state, atomic_load(loop->options.config), input.from_ms,
                           input.to_ms, &words->text, &canary_err))
        log_warn(loop->options.log, "report", "the canaries are not in the weekly report",
                 "error=\"%s\"", canary_err.text);
    str_addf(&words->text, "\nAll of it: %s\n", str_text(&words->url));
    report_html(&report, str_text(&words->url), &words->html);
    return 0;
}

struct send_job {
    struct weekly_to to;
    struct weekly_claim claim;
    const struct deliver_outcome *outcome;
    int64_t now_ms, retry_at_ms;
    bool given_up;
};

static int job_claim(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct send_job *job = arg;

    return weekly_db_claim(conn, &job->to, job->now_ms, &job->claim, reterr);
}

static int job_mark(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct send_job *job = arg;

    if (job->outcome->verdict == DELIVER_ACCEPTED)
        return weekly_db_sent(conn, job->claim.week, &job->to, job->now_ms, reterr);
    return weekly_db_failed(conn, job->claim.week, &job->to, job->outcome->words, job->retry_at_ms,
                            &job->given_up, reterr);
}

static bool must_stop(struct loop_report *loop)
{
    (void)pthread_mutex_lock(&loop->lock);
    bool stopping = loop->stopping;
    (void)pthread_mutex_unlock(&loop->lock);
    return stopping;
}

/* Until it is stored or alertd ends: then the next start sends it again. */
static void mark(struct loop_report *loop, struct send_job *job)
{
    const struct log *log = loop->options.log;
    struct err err = {0};

    while (db_write(loop->options.state, job_mark, job, &err) != 0) {
        log_error(log, "report", "result not stored, trying again", "error=\"%s\"", err.text);
        if (must_stop(loop))
            return;
        clock_sleep_ms(LOOK_MIN_MS);
    }
    if (job->outcome->verdict == DELIVER_ACCEPTED)
        log_info(log, "report", "sent", "week=%s receiver=\"%s\" kind=%s", job->claim.week,
                 job->to.receiver, job->to.kind);
    else
        log_warn(log, "report", job->given_up ? "given up" : "failed, tried again",
                 "week=%s receiver=\"%s\" kind=%s error=\"%s\"", job->claim.week, job->to.receiver,
                 job->to.kind, job->outcome->words);
}

static void deliver_report(struct loop_report *loop,
                           const struct route_integration *to,
                           struct send_job *job)
{
    struct words words = {STR_INIT(1024), STR_INIT(TEXT_BYTES_MAX), STR_INIT(TEXT_BYTES_MAX),
                          STR_INIT(BRIEF_BYTES_MAX), STR_INIT(4096)};
    struct deliver_outcome outcome = {.verdict = DELIVER_LATER, .retry_after_ms = -1};
    struct err err = {0};

    if (write_words(loop, job->claim.week, &words, &err)) {
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
static int64_t drain(struct loop_report *loop, const struct route_receiver *receiver)
{
    int64_t wait_ms = LOOK_MS;

    for (size_t i = 0; i < receiver->n_integrations && !must_stop(loop); i++) {
        const struct route_integration *to = &receiver->integrations[i];
        struct send_job job = {.to = address_of(to), .now_ms = loop->options.now_wall_ms()};
        struct err err = {0};

        if (!can_tell(to))
            continue;
        if (db_write(loop->options.state, job_claim, &job, &err)) {
            log_error(loop->options.log, "report", "what is owed can't be read", "error=\"%s\"",
                      err.text);
            continue;
        }
        if (job.claim.found) {
            deliver_report(loop, to, &job);
            wait_ms = 0; /* another week may wait, or it is tried again */
        } else if (job.claim.next_due_ms - job.now_ms < wait_ms) {
            wait_ms = job.claim.next_due_ms - job.now_ms;
        }
    }
    return wait_ms > LOOK_MIN_MS ? wait_ms : LOOK_MIN_MS;
}

/* --- life --- */

/* True: stop. */
static bool wait_for(struct loop_report *loop, int64_t wait_ms)
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
    struct loop_report *loop = arg;
    int64_t wait_ms;

    do {
        const struct route_receiver *receiver = receiver_of(loop);

        wait_ms = LOOK_MS;
        if (receiver) {
            owe(loop, receiver, loop->options.now_wall_ms());
            wait_ms = drain(loop, receiver);
        }
    } while (!wait_for(loop, wait_ms));
    return NULL;
}

static int job_recover(struct db_conn *conn, void *arg, struct err *reterr)
{
    const int64_t *now_ms = arg;

    return weekly_db_recover(conn, *now_ms, reterr);
}

static void drop(struct loop_report *loop)
{
    (void)pthread_cond_destroy(&loop->wake);
    (void)pthread_mutex_destroy(&loop->lock);
    deliver_free(loop->deliver);
    zone_free(loop->zone);
    free(loop);
}

int loop_report_start(const struct loop_report_options *options,
                      struct loop_report **ret_loop,
                      struct err *reterr)
{
    struct zone *zone = NULL;
    int64_t now_ms = options->now_wall_ms();
    pthread_condattr_t monotonic;
    struct err err = {0};

    *ret_loop = NULL;
    if (!options->receiver[0])
        return 0;
    if (zone_open(options->zone, &zone, &err))
        return err_set(reterr, -EINVAL, "--report.zone: %s", err.text);
    struct loop_report *loop = mem_zalloc(sizeof(*loop));
    *loop = (struct loop_report){.options = *options,
                                 .zone = zone,
                                 .rng = {.state = rng_os_seed()},
                                 .deliver = deliver_new()};
    (void)pthread_mutex_init(&loop->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&loop->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    int r = db_write(options->state, job_recover, &now_ms, reterr);
    if (r == 0) {
        r = -pthread_create(&loop->thread, NULL, run, loop);
        if (r)
            (void)err_set(reterr, r, "no thread for the weekly report");
    }
    if (r) {
        drop(loop);
        return r;
    }
    *ret_loop = loop;
    return 0;
}

void loop_report_stop(struct loop_report *loop)
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
