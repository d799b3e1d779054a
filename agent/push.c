/*
 * From the spool to the server. See push.h.
 */

#include "agent/push.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/push_plan.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/net/http_client.h"
#include "lib/wire/push.h"
#include "lib/wire/remote_write_encode.h"

enum {
    PUSH_STACK = 256 * 1024,
    TOKEN_MAX = 4096,
    HEADERS_MAX = 16 + CONFIG_HEADERS_MAX,
    LAST_ATTEMPT_MS = 1000,
};

struct push {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    struct spool *spool;
    struct agent_config *config; /* our reference */
    struct push_plan plan;
    struct rng rng;
    struct push_stats stats;
    bool is_stopping;
    bool config_changed;
    const struct log *log;
    /* the thread's own */
    struct http_client *client;
    char *body;
    size_t body_capacity;
    char *token; /* of the token file; NULL: read it */
};

/* One request, with what must not change while it runs. */
struct attempt {
    enum push_action action;
    struct spool_id id;
    size_t len;
    int64_t timeout_ms;
    struct agent_config *config; /* a reference */
};

/* "Bearer …", from the config or its file; false when there should be one and is not. */
static bool authorization(struct push *push,
                          const struct push_config *config,
                          struct str *value,
                          struct err *reterr)
{
    const char *token = config->token;
    size_t len;

    if (config->token_file && !push->token) {
        char *text;

        if (fs_read(config->token_file, TOKEN_MAX, &text, &len, reterr))
            return false;
        text[strcspn(text, "\r\n \t")] = '\0';
        push->token = text;
    }
    if (config->token_file)
        token = push->token;
    if (token)
        str_addf(value, "Bearer %s", token);
    return true;
}

static int post(struct push *push,
                const struct attempt *attempt,
                struct http_response *ret_response,
                struct err *reterr)
{
    STR_AUTO struct str bearer = STR_INIT(TOKEN_MAX + 16);
    char epoch[24], sequence[24], interval[24];
    struct http_header headers[HEADERS_MAX] = {
        {"Content-Type", REMOTE_WRITE_CONTENT_TYPE},
        {"Content-Encoding", REMOTE_WRITE_ENCODING},
        {"X-Prometheus-Remote-Write-Version", REMOTE_WRITE_VERSION},
        {"User-Agent", "alert-agent"},
        {PUSH_HEADER_AGENT, attempt->config->id},
        {PUSH_HEADER_EPOCH, epoch},
        {PUSH_HEADER_SEQUENCE, sequence},
        {PUSH_HEADER_INTERVAL, interval},
    };
    const struct push_config *config = &attempt->config->push;
    size_t n = 8;

    (void)snprintf(epoch, sizeof(epoch), "%llu", (unsigned long long)attempt->id.epoch);
    (void)snprintf(sequence, sizeof(sequence), "%llu", (unsigned long long)attempt->id.sequence);
    (void)snprintf(interval, sizeof(interval), "%lld", (long long)config->interval_ms);
    if (!authorization(push, config, &bearer, reterr))
        return HTTP_E_REQUEST;
    if (bearer.len)
        headers[n++] = (struct http_header){"Authorization", str_text(&bearer)};
    for (size_t i = 0; i < config->n_headers; i++)
        headers[n++] = config->headers[i];
    const struct http_request request = {
        .method = "POST",
        .url = config->url,
        .headers = headers,
        .n_headers = n,
        .body = push->body,
        .body_len = attempt->len,
        .timeout_ms = attempt->timeout_ms,
        .response_max = 1024,
        .ca_file = config->ca_file,
    };
    return http_client_send(push->client, &request, ret_response, reterr);
}

/* Once per change for the better or worse; the rest is at debug. */
static void log_outcome(const struct push *push,
                        enum push_outcome outcome,
                        bool was_well,
                        const char *why)
{
    if (outcome == PUSH_REJECTED)
        log_error(push->log, "push", "the server refuses a batch for good; it is dropped",
                  "reason=\"%s\"", why);
    else if (outcome == PUSH_FAILED && was_well)
        log_warn(push->log, "push", "cannot push; spooling", "reason=\"%s\"", why);
    else if (outcome == PUSH_FAILED)
        log_debug(push->log, "push", "still cannot push", "reason=\"%s\"", why);
    else if (!was_well)
        log_info(push->log, "push", "pushing again", "backlog=%llu",
                 (unsigned long long)push->stats.spool.n_records);
}

static void count(struct push *push, const struct attempt *attempt, enum push_outcome outcome)
{
    switch (outcome) {
    case PUSH_ACCEPTED:
        push->stats.n_accepted++;
        push->stats.n_backlog += attempt->action == PUSH_SEND_BACKLOG;
        push->stats.n_bytes += attempt->len;
        push->stats.last_success_ms = clock_wall_ms();
        break;
    case PUSH_REJECTED: push->stats.n_rejected++; break;
    case PUSH_FAILED: push->stats.n_failed++; break;
    }
}

/* What an answer means, with words for the log. */
static enum push_outcome judge(struct push *push,
                               int r,
                               const struct http_response *reply,
                               struct err *err)
{
    if (r)
        return PUSH_FAILED;                             /* err has the words */
    if (reply->status == 401 || reply->status == 403) { /* the token may have been changed */
        free(push->token);
        push->token = NULL;
    }
    (void)err_set(err, 0, "status %d %.200s", reply->status, reply->body);
    return push_outcome_of(reply->status);
}

/* Sends one batch; called and returns with the lock held. */
static void send_one(struct push *push, struct attempt *attempt)
{
    struct http_response reply = {.retry_after_ms = -1};
    struct err err = {0};
    bool was_well = push->plan.n_failures == 0;
    const char *bytes;

    if (spool_read(push->spool, &attempt->id, &bytes, &attempt->len) < 0)
        return; /* dropped or damaged: forgotten and counted already */
    attempt->config = config_ref(push->config);
    push->body = mem_grow(push->body, &push->body_capacity, attempt->len, 1);
    memcpy(push->body, bytes, attempt->len);
    (void)pthread_mutex_unlock(&push->lock);

    int64_t start_us = clock_mono_us();
    int r = post(push, attempt, &reply, &err);
    enum push_outcome outcome = judge(push, r, &reply, &err);
    int64_t retry_after_ms = r ? -1 : reply.retry_after_ms;

    (void)pthread_mutex_lock(&push->lock);
    push->stats.last_duration_us = clock_mono_us() - start_us;
    if (outcome != PUSH_FAILED)
        spool_forget(push->spool, &attempt->id);
    push_plan_ended(&push->plan, attempt->action, outcome, retry_after_ms, &push->rng,
                    clock_mono_ms());
    count(push, attempt, outcome);
    spool_get_stats(push->spool, &push->stats.spool);
    log_outcome(push, outcome, was_well, err.text);
    http_response_done(&reply);
    config_unref(attempt->config);
}

static void wait_until(struct push *push, int64_t wake_ms)
{
    const struct timespec until = {wake_ms / 1000, wake_ms % 1000 * 1000000};

    if (wake_ms == INT64_MAX)
        (void)pthread_cond_wait(&push->changed, &push->lock);
    else
        (void)pthread_cond_timedwait(&push->changed, &push->lock, &until);
}

static void take_new_config(struct push *push)
{
    if (!push->config_changed)
        return;
    push->config_changed = false;
    push->plan.retry_ms = 0; /* the old address's troubles are not the new one's */
    push->plan.n_failures = 0;
    http_client_free(push->client);
    push->client = http_client_new();
    free(push->token);
    push->token = NULL;
}

static void last_attempt(struct push *push)
{
    struct attempt attempt = {.action = PUSH_SEND_LIVE, .timeout_ms = LAST_ATTEMPT_MS};

    if (push->plan.n_failures == 0 && spool_live(push->spool, &attempt.id))
        send_one(push, &attempt);
}

static void *run(void *of)
{
    struct push *push = of;

    (void)pthread_mutex_lock(&push->lock);
    while (!push->is_stopping) {
        struct attempt attempt = {0};
        struct spool_id old;
        int64_t wake_ms = INT64_MAX;

        take_new_config(push);
        bool has_live = spool_live(push->spool, &attempt.id);
        bool has_backlog = spool_backlog(push->spool, &old);

        attempt.action = push_plan_next(&push->plan, has_live, has_backlog, clock_mono_ms(),
                                        &wake_ms);
        if (attempt.action == PUSH_WAIT) {
            wait_until(push, wake_ms);
            continue;
        }
        if (attempt.action == PUSH_SEND_BACKLOG)
            attempt.id = old;
        attempt.timeout_ms = push->config->push.timeout_ms;
        send_one(push, &attempt);
    }
    last_attempt(push);
    (void)pthread_mutex_unlock(&push->lock);
    return NULL;
}

struct push *push_new(struct spool *spool,
                      struct agent_config *config,
                      uint64_t seed,
                      const struct log *log)
{
    struct push *push = mem_zalloc(sizeof(*push));
    pthread_condattr_t monotonic;
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;

    push->spool = spool;
    push->config = config_ref(config);
    push->plan.interval_ms = config->push.interval_ms;
    push->rng.state = seed;
    push->log = log;
    push->client = http_client_new();
    spool_get_stats(spool, &push->stats.spool);
    (void)pthread_mutex_init(&push->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&push->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, PUSH_STACK);
    int r = pthread_create(&push->thread, &attributes, run, push);
    (void)pthread_attr_destroy(&attributes);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r) {
        log_error(log, "push", "no thread to push with", "error=\"%s\"", strerrordesc_np(r));
        http_client_free(push->client);
        free(push);
        return NULL;
    }
    return push;
}

int push_append(struct push *push, const void *body, size_t len, int64_t now_ms, struct err *reterr)
{
    (void)pthread_mutex_lock(&push->lock);
    int r = spool_append(push->spool, body, len, now_ms, reterr);
    spool_get_stats(push->spool, &push->stats.spool);
    (void)pthread_cond_signal(&push->changed);
    (void)pthread_mutex_unlock(&push->lock);
    return r;
}

void push_configure(struct push *push, struct agent_config *config)
{
    (void)pthread_mutex_lock(&push->lock);
    config_unref(push->config);
    push->config = config_ref(config);
    push->plan.interval_ms = config->push.interval_ms;
    push->config_changed = true;
    (void)pthread_cond_signal(&push->changed);
    (void)pthread_mutex_unlock(&push->lock);
}

void push_get_stats(struct push *push, struct push_stats *ret_stats)
{
    (void)pthread_mutex_lock(&push->lock);
    *ret_stats = push->stats;
    ret_stats->n_failures_in_a_row = push->plan.n_failures;
    (void)pthread_mutex_unlock(&push->lock);
}

void push_stop(struct push *push, int64_t wait_ms)
{
    int64_t until_ms = clock_mono_ms() + wait_ms;
    const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

    (void)pthread_mutex_lock(&push->lock);
    push->is_stopping = true;
    (void)pthread_cond_signal(&push->changed);
    (void)pthread_mutex_unlock(&push->lock);
    if (pthread_clockjoin_np(push->thread, NULL, CLOCK_MONOTONIC, &until) != 0)
        return;
    spool_close(push->spool);
    http_client_free(push->client);
    (void)pthread_cond_destroy(&push->changed);
    (void)pthread_mutex_destroy(&push->lock);
    free(push->body);
    free(push->token);
    config_unref(push->config);
    free(push);
}
