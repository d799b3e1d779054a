/*
 * Agents that push for as long as they are told, and a ledger of what was acknowledged.
 *
 *   soak_load PORT AGENTS SERIES SECONDS
 *
 *     catch up    as fast as alertd takes them, samples of the last half day: the peak rate
 *     steady      half of it: each series has a sample at each step of the clock, which may be a fast one (fast_clock.c)
 *
 * Each batch has its identity, every fortieth is sent twice. A tenth of the series are others every two hours.
 * On stdout, as it happens:
 *
 *     peak RATE STEP_MS               samples a second of all agents; from here on a step is so long
 *     acked N SKIPPED                 samples so far, every second; and those left out, since the clock ran away by half a day
 *     hour AGENT HOUR N REQUESTS SUM  of an hour (ms at its beginning) that the agent is done with: samples, those of the
 *                                     counters, and these added up
 *
 * Ends with 1 as soon as a batch is refused.
 */

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/net/http_client.h"
#include "lib/wire/push.h"
#include "lib/wire/remote_write_encode.h"

#define HOUR_MS   INT64_C(3600000)
#define DAY_MS    INT64_C(86400000)
#define BEHIND_MS (12 * 3600 * INT64_C(1000)) /* how far behind the clock the catching up begins */

enum {
    AGENTS_MAX = 64,
    BATCH_SERIES = 500,
    BATCH_BYTES_MAX = 1 << 20,
    REPLAY_EVERY = 40,
    CATCH_UP_MS = 8000,
    CATCH_UP_STEP_MS = 15000,
    GENERATION_MS = 2 * 3600 * 1000,
    INTERVAL_MS = 3600 * 1000, /* patience of alertd with an agent, by its own clock */
    TIMEOUT_MS = 60000,
};

struct agent {
    pthread_t thread;
    int number;
    uint64_t sequence;
    struct http_client *client;
    struct remote_write batch;
    int64_t hour_ms; /* the ledger of this hour */
    int64_t n, n_requests, sum;
};

static struct agent agents[AGENTS_MAX];
static int n_agents, n_series; /* of each agent */
static int port;
static int64_t began_ms;        /* by the monotonic clock */
static int64_t catch_up_for_ms; /* by the monotonic clock */
static int64_t steady_ms;       /* where the steady part begins: set before step_ms is */
static _Atomic int64_t step_ms;
static _Atomic int64_t acked;
static _Atomic int64_t skipped; /* alertd was so slow that they were never sent */
static atomic_bool is_over;
static pthread_mutex_t out_lock = PTHREAD_MUTEX_INITIALIZER;

static void say_hour(const struct agent *agent)
{
    (void)pthread_mutex_lock(&out_lock);
    if (agent->n > 0)
        printf("hour %d %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", agent->number,
               agent->hour_ms, agent->n, agent->n_requests, agent->sum);
    (void)fflush(stdout);
    (void)pthread_mutex_unlock(&out_lock);
}

/* --- samples, as anybody can compute them again --- */

static bool is_requests(int series)
{
    return series % 4 == 0;
}

static int64_t requests_at(int series, int64_t t_ms)
{
    return t_ms % DAY_MS / 1000 * (series % 9 + 1);
}

static double value_of(int series, int64_t t_ms)
{
    uint64_t mix = ((uint64_t)series * 1000003 + (uint64_t)t_ms) * UINT64_C(0x9e3779b97f4a7c15);

    switch (series % 4) {
    case 0: return (double)requests_at(series, t_ms);
    case 1: return (double)(mix >> 58);            /* a queue */
    case 2: return (double)(mix >> 54) / 10;       /* degrees */
    default: return (double)(mix >> 11) * 0x1p-53; /* a part */
    }
}

static bool add_series(struct agent *agent, int series, int64_t t_ms)
{
    static const char *const names[] = {"soak_requests_total", "soak_queue", "soak_degrees",
                                        "soak_part"};
    char id[24], number[16], pod[40];
    const struct label labels[] = {{LABEL_NAME, names[series % 4]},
                                   {"agent", id},
                                   {"i", number},
                                   {"job", "soak"},
                                   {"pod", pod}};

    (void)snprintf(id, sizeof(id), "soak-%d", agent->number);
    (void)snprintf(number, sizeof(number), "%d", series);
    (void)snprintf(pod, sizeof(pod), "%d-%" PRId64, series,
                   series % 10 == 0 ? t_ms / GENERATION_MS : 0);
    return remote_write_add(&agent->batch, labels, 5,
                            (struct sample){t_ms, value_of(series, t_ms)});
}

/* --- pushing --- */

static void send(struct agent *agent, uint64_t sequence, const char *body, size_t len)
{
    char url[64], id[24], in_epoch[24], interval[24];
    const struct http_header headers[] = {
        {"Content-Type", REMOTE_WRITE_CONTENT_TYPE},
        {"Content-Encoding", REMOTE_WRITE_ENCODING},
        {"X-Prometheus-Remote-Write-Version", REMOTE_WRITE_VERSION},
        {PUSH_HEADER_AGENT, id},
        {PUSH_HEADER_EPOCH, "1"},
        {PUSH_HEADER_SEQUENCE, in_epoch},
        {PUSH_HEADER_INTERVAL, interval}};
    struct http_response response = {0};
    struct err err = {0};

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/api/v1/write", port);
    (void)snprintf(id, sizeof(id), "soak-%d", agent->number);
    (void)snprintf(in_epoch, sizeof(in_epoch), "%" PRIu64, sequence);
    (void)snprintf(interval, sizeof(interval), "%d", INTERVAL_MS);
    const struct http_request request = {.url = url,
                                         .headers = headers,
                                         .n_headers = sizeof(headers) / sizeof(*headers),
                                         .body = body,
                                         .body_len = len,
                                         .timeout_ms = TIMEOUT_MS};
    int r = http_client_send(agent->client, &request, &response, &err);
    if (r != 0 || response.status != 204) {
        (void)fprintf(stderr, "soak_load: agent %d, batch %" PRIu64 ": %s, status %d: %s\n",
                      agent->number, sequence, err.text, response.status,
                      response.body ? response.body : "");
        exit(1); // NOLINT(concurrency-mt-unsafe): the first refusal ends it all
    }
    http_response_done(&response);
}

static void push_batch(struct agent *agent, int from, int to, int64_t t_ms)
{
    const char *body;
    size_t len;
    uint64_t sequence = ++agent->sequence;

    remote_write_clear(&agent->batch);
    for (int i = from; i < to; i++)
        if (!add_series(agent, i, t_ms))
            abort();
    remote_write_seal(&agent->batch, &body, &len);
    for (int i = 0; i < (sequence % REPLAY_EVERY == 0 ? 2 : 1); i++)
        send(agent, sequence, body, len);
    agent->n += to - from;
    for (int i = from; i < to; i++)
        if (is_requests(i)) {
            agent->n_requests++;
            agent->sum += requests_at(i, t_ms);
        }
    atomic_fetch_add(&acked, to - from);
}

static void push_step(struct agent *agent, int64_t t_ms)
{
    int64_t hour_ms = t_ms - t_ms % HOUR_MS;

    if (hour_ms != agent->hour_ms) {
        say_hour(agent);
        agent->n = agent->n_requests = agent->sum = 0;
        agent->hour_ms = hour_ms;
    }
    for (int from = 0; from < n_series && !atomic_load(&is_over); from += BATCH_SERIES)
        push_batch(agent, from, from + BATCH_SERIES < n_series ? from + BATCH_SERIES : n_series,
                   t_ms);
}

static void *run(void *arg)
{
    struct agent *agent = arg;

    for (int64_t t_ms = 0; clock_mono_ms() < began_ms + catch_up_for_ms; t_ms += CATCH_UP_STEP_MS) {
        int64_t now_ms = clock_wall_ms();
        int64_t from_ms = (now_ms - BEHIND_MS) / 1000 * 1000; /* a fast clock runs away */

        if (t_ms < from_ms)
            t_ms = from_ms;
        if (t_ms + CATCH_UP_STEP_MS >= now_ms)
            break;
        push_step(agent, t_ms);
    }
    while (atomic_load(&step_ms) == 0 && !atomic_load(&is_over))
        clock_sleep_ms(20);
    for (int64_t t_ms = steady_ms; !atomic_load(&is_over);) {
        if (clock_wall_ms() < t_ms) {
            clock_sleep_ms(2);
            continue;
        }
        push_step(agent, t_ms);
        t_ms += atomic_load(&step_ms);
        while (t_ms < clock_wall_ms() - BEHIND_MS) { /* as an agent whose spool is full */
            t_ms += atomic_load(&step_ms);
            atomic_fetch_add(&skipped, n_series);
        }
    }
    say_hour(agent);
    return NULL;
}

/* --- the whole --- */

/* A step so long that the clock's speed makes half of the peak rate of it. */
static void begin_steady(int64_t speed)
{
    while (clock_mono_ms() < began_ms + catch_up_for_ms)
        clock_sleep_ms(20);
    int64_t rate = atomic_load(&acked) * 1000 / (clock_mono_ms() - began_ms);
    int64_t step = rate > 0 ? (int64_t)n_agents * n_series * speed * 1000 * 2 / rate : 0;

    steady_ms = clock_wall_ms();
    steady_ms -= steady_ms % 1000;
    step = step > 1000 ? step - step % 1000 : 1000;
    (void)pthread_mutex_lock(&out_lock);
    printf("peak %" PRId64 " %" PRId64 "\n", rate, step);
    (void)fflush(stdout);
    (void)pthread_mutex_unlock(&out_lock);
    atomic_store(&step_ms, step);
}

static int64_t measure_speed(void)
{
    int64_t wall_ms = clock_wall_ms();
    int64_t mono_ms = clock_mono_ms();

    clock_sleep_ms(1000);
    int64_t passed_ms = clock_mono_ms() - mono_ms;
    return (clock_wall_ms() - wall_ms + passed_ms / 2) / passed_ms;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        (void)fprintf(stderr, "usage: soak_load PORT AGENTS SERIES SECONDS\n");
        return 2;
    }
    port = (int)strtol(argv[1], NULL, 10);
    n_agents = (int)strtol(argv[2], NULL, 10);
    n_series = (int)strtol(argv[3], NULL, 10) / (n_agents > 0 ? n_agents : 1);
    int64_t seconds = strtoll(argv[4], NULL, 10);
    if (n_agents < 1 || n_agents > AGENTS_MAX || n_series < 1)
        return 2;
    (void)signal(SIGPIPE, SIG_IGN);
    int64_t speed = measure_speed();
    began_ms = clock_mono_ms();
    catch_up_for_ms = seconds * 1000 / 10 < CATCH_UP_MS ? seconds * 1000 / 10 : CATCH_UP_MS;
    for (int i = 0; i < n_agents; i++) {
        agents[i] = (struct agent){.number = i, .client = http_client_new()};
        remote_write_init(&agents[i].batch, BATCH_BYTES_MAX);
        if (pthread_create(&agents[i].thread, NULL, run, &agents[i]) != 0)
            return 2;
    }
    begin_steady(speed);
    while (clock_mono_ms() < began_ms + seconds * 1000) {
        clock_sleep_ms(1000);
        (void)pthread_mutex_lock(&out_lock);
        printf("acked %" PRId64 " %" PRId64 "\n", atomic_load(&acked), atomic_load(&skipped));
        (void)fflush(stdout);
        (void)pthread_mutex_unlock(&out_lock);
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < n_agents; i++) {
        (void)pthread_join(agents[i].thread, NULL);
        http_client_free(agents[i].client);
        remote_write_done(&agents[i].batch);
    }
    return 0;
}
