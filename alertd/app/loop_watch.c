/*
 * The canary and what hangs on it. See loop_watch.h.
 */

#include "alertd/app/loop_watch.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alertd/app/loop_eval.h"
#include "alertd/app/loop_notify.h"
#include "alertd/app/ping.h"
#include "alertd/db/outbox_db.h"
#include "alertd/ingest/ingest.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"

enum {
    LOOK_MS = 1000, /* between looks at whether all is well */
    LOOK_MIN_MS = 50,
    RETRY_MS = 10000, /* a ping that failed is sent again after so long, or the interval */
    RECEIVER_MAX = 160,
    URL_BYTES_MAX = 4096,
};

struct beat {
    int64_t number;  /* 0: none */
    int64_t made_ms; /* monotonic */
};

struct loop_watch {
    struct loop_watch_options options;
    struct loop_eval *eval;
    struct loop_notify *notify;
    char key[WATCH_KEY_MAX];
    struct ping *ping;
    int64_t started_ms; /* monotonic, as all below but pinged_ms */
    int64_t systemd_ms; /* how often WATCHDOG=1 is wanted; 0: never */
    pthread_t thread, pinger;
    bool has_thread, has_pinger;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    bool stopping;
    struct beat beats[WATCH_BEATS];
    uint64_t n_beats, n_trips;
    struct beat newest; /* that came back */
    int64_t trip_ms, store_ms;
    bool is_disk_full;           /* the last beat was refused: nothing that a restart would mend */
    int64_t looked_ms;           /* when the thread took its last step; 0: not yet */
    char stuck[WATCH_WORDS_MAX]; /* who takes no step; "" */
    uint64_t pings_sent, pings_failed, pings_withheld;
    int64_t pinged_ms;
};

static bool has_dead_man(const struct loop_watch *watch)
{
    return watch->options.dead_man_url[0] || watch->options.dead_man_url_file[0];
}

/* --- is it well --- */

static int64_t limit_of(const struct loop_watch *watch)
{
    return 2 * watch->options.interval_ms;
}

/* Under the lock. Before the first beat is back it may be as old as it could be. */
static void judge(const struct loop_watch *watch, int64_t now_ms, struct watch_health *health)
{
    int64_t since_ms = watch->n_trips ? watch->newest.made_ms : watch->started_ms;
    int64_t limit_ms = limit_of(watch);

    health->age_ms = watch->n_trips ? now_ms - watch->newest.made_ms : -1;
    health->ok = false;
    if (watch->looked_ms && now_ms - watch->looked_ms > limit_ms)
        (void)snprintf(health->why, sizeof(health->why),
                       "the canary's thread takes no step for %" PRId64 " s",
                       (now_ms - watch->looked_ms) / 1000);
    else if (watch->stuck[0])
        (void)snprintf(health->why, sizeof(health->why), "%s", watch->stuck);
    else if (now_ms - since_ms > limit_ms)
        (void)snprintf(health->why, sizeof(health->why),
                       "the last round trip of the canary is %" PRId64 " s old%s",
                       (now_ms - since_ms) / 1000,
                       watch->is_disk_full ? ": its samples are refused" : "");
    else
        health->ok = true;
}

void loop_watch_health(struct loop_watch *watch, struct watch_health *ret_health)
{
    *ret_health = (struct watch_health){.limit_ms = limit_of(watch),
                                        .has_dead_man = has_dead_man(watch),
                                        .has_systemd = watch->systemd_ms > 0};
    (void)pthread_mutex_lock(&watch->lock);
    judge(watch, clock_mono_ms(), ret_health);
    ret_health->trip_ms = watch->trip_ms;
    ret_health->store_ms = watch->store_ms;
    ret_health->beats = watch->n_beats;
    ret_health->trips = watch->n_trips;
    ret_health->pings_sent = watch->pings_sent;
    ret_health->pings_failed = watch->pings_failed;
    ret_health->pings_withheld = watch->pings_withheld;
    ret_health->pinged_ms = watch->pinged_ms;
    (void)pthread_mutex_unlock(&watch->lock);
}

/* Who takes no step, in words. */
struct look {
    struct loop_watch *watch;
    struct str *words;
};

static void look_at_left(void *arg, const char *receiver, const char *kind, unsigned slot)
{
    const struct look *look = arg;
    int64_t idle_ms = loop_notify_idle_ms(look->watch->notify, receiver, kind, slot);

    if (idle_ms > limit_of(look->watch) && look->words->len == 0)
        str_addf(look->words, "what is due for %.80s is left lying for %" PRId64 " s", receiver,
                 idle_ms / 1000);
}

static void look_at_outbox(struct look *look)
{
    struct loop_watch *watch = look->watch;
    struct db_conn *conn = NULL;

    if (db_read_begin(watch->options.state, &conn, NULL))
        return; /* then no beat comes back either */
    (void)outbox_db_left(conn, clock_wall_ms() - limit_of(watch), look_at_left, look, NULL);
    db_read_end(watch->options.state, conn);
}

static void look_at_threads(struct look *look)
{
    char receiver[RECEIVER_MAX];
    int64_t limit_ms = limit_of(look->watch);
    int64_t eval_ms = loop_eval_busy_ms(look->watch->eval);
    int64_t notify_ms = loop_notify_busy_ms(look->watch->notify, receiver, sizeof(receiver));
    int64_t commit_ms = db_lag_us(look->watch->options.state) / 1000;

    if (eval_ms > limit_ms)
        str_addf(look->words, "a group of rules is being evaluated for %" PRId64 " s",
                 eval_ms / 1000);
    else if (notify_ms > limit_ms)
        str_addf(look->words, "telling %.80s hangs for %" PRId64 " s", receiver, notify_ms / 1000);
    else if (commit_ms > limit_ms)
        str_addf(look->words, "a change to state.db waits for %" PRId64 " s", commit_ms / 1000);
}

static void look_around(struct loop_watch *watch)
{
    STR_AUTO struct str words = STR_INIT(WATCH_WORDS_MAX);
    struct look look = {watch, &words};

    look_at_threads(&look);
    look_at_outbox(&look);
    (void)pthread_mutex_lock(&watch->lock);
    (void)snprintf(watch->stuck, sizeof(watch->stuck), "%s", str_text(&words));
    watch->looked_ms = clock_mono_ms();
    (void)pthread_mutex_unlock(&watch->lock);
}

/* --- beats --- */

/* Its number is the wall clock's, so that a restart goes on; never twice the same. */
static int64_t make_beat(struct loop_watch *watch)
{
    struct beat beat = {.number = clock_wall_ms(), .made_ms = clock_mono_ms()};

    (void)pthread_mutex_lock(&watch->lock);
    const struct beat *before = &watch->beats[(watch->n_beats + WATCH_BEATS - 1) % WATCH_BEATS];
    if (beat.number <= before->number)
        beat.number = before->number + 1;
    watch->beats[watch->n_beats++ % WATCH_BEATS] = beat;
    (void)pthread_mutex_unlock(&watch->lock);
    return beat.number;
}

static void send_beat(struct loop_watch *watch)
{
    static const struct label own[] = {{"instance", "alertd"}, {"job", "alertd"}};
    int64_t began_ms = clock_mono_ms();
    int64_t now_ms = clock_wall_ms();
    struct ingest_answer answer = {0};
    char text[80];
    struct err err = {0};
    int len = snprintf(text, sizeof(text), EVAL_CANARY_METRIC " %" PRId64 "\n", make_beat(watch));

    const struct ingest_body body = {.format = INGEST_TEXT,
                                     .bytes = text,
                                     .len = (size_t)len,
                                     .now_ms = now_ms,
                                     .default_t_ms = now_ms,
                                     .own_labels = own,
                                     .n_own_labels = 2};
    int r = ingest_push(watch->options.ingest, &body, &answer, &err);
    if (r)
        log_warn(watch->options.log, "watch", "the canary's sample is not stored", "error=\"%s\"",
                 err.text);
    (void)pthread_mutex_lock(&watch->lock);
    watch->store_ms = clock_mono_ms() - began_ms;
    watch->is_disk_full = r == INGEST_E_FULL;
    (void)pthread_mutex_unlock(&watch->lock);
}

bool loop_watch_came_back(struct loop_watch *watch, const char *idempotency_key)
{
    size_t len = strlen(OUTBOX_CANARY_KEY);
    int64_t number = strncmp(idempotency_key, OUTBOX_CANARY_KEY, len) == 0
                         ? strtoll(idempotency_key + len, NULL, 10)
                         : 0;
    int64_t now_ms = clock_mono_ms();
    bool found = false;

    (void)pthread_mutex_lock(&watch->lock);
    for (size_t i = 0; number && !found && i < WATCH_BEATS; i++) {
        const struct beat *beat = &watch->beats[i];

        found = beat->number == number;
        if (!found || beat->number <= watch->newest.number)
            continue;
        watch->newest = *beat;
        watch->trip_ms = now_ms - beat->made_ms;
        watch->n_trips++;
    }
    (void)pthread_mutex_unlock(&watch->lock);
    return found;
}

/* --- threads --- */

/* Until then, or a stop: true. */
static bool wait_until(struct loop_watch *watch, int64_t until_ms)
{
    const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

    (void)pthread_mutex_lock(&watch->lock);
    while (!watch->stopping && clock_mono_ms() < until_ms)
        (void)pthread_cond_timedwait(&watch->wake, &watch->lock, &until);
    bool stops = watch->stopping;
    (void)pthread_mutex_unlock(&watch->lock);
    return stops;
}

/* systemd would start us again: of no use when it is the disk that is full. */
static void feed_systemd(struct loop_watch *watch, bool *was_withheld)
{
    struct watch_health health;

    loop_watch_health(watch, &health);
    (void)pthread_mutex_lock(&watch->lock);
    bool feeds = health.ok || (watch->is_disk_full && !watch->stuck[0]);
    (void)pthread_mutex_unlock(&watch->lock);
    if (feeds)
        systemd_say("WATCHDOG=1");
    else if (!*was_withheld)
        log_error(watch->options.log, "watch", "systemd's watchdog is not fed", "why=\"%s\"",
                  health.why);
    *was_withheld = !feeds;
}

static void *watch_run(void *arg)
{
    struct loop_watch *watch = arg;
    int64_t look_ms = watch->options.interval_ms / 6;
    int64_t next_beat_ms = clock_mono_ms();
    int64_t next_feed_ms = next_beat_ms;
    bool was_withheld = false;

    (void)pthread_setname_np(pthread_self(), "watch");
    look_ms = look_ms < LOOK_MIN_MS ? LOOK_MIN_MS : look_ms > LOOK_MS ? LOOK_MS : look_ms;
    do {
        look_around(watch);
        if (clock_mono_ms() >= next_beat_ms) {
            send_beat(watch);
            next_beat_ms += watch->options.interval_ms;
            if (next_beat_ms < clock_mono_ms()) /* it hung: no crowd behind it */
                next_beat_ms = clock_mono_ms();
        }
        if (watch->systemd_ms && clock_mono_ms() >= next_feed_ms) {
            feed_systemd(watch, &was_withheld);
            next_feed_ms = clock_mono_ms() + watch->systemd_ms / 3;
        }
    } while (!wait_until(watch, clock_mono_ms() + look_ms));
    return NULL;
}

/* Its file is read each time: a secret that is rotated needs no restart. */
static int send_ping(struct loop_watch *watch, struct err *reterr)
{
    char *url = NULL;
    size_t len = 0;

    if (watch->options.dead_man_url[0])
        return ping_send(watch->ping, watch->options.dead_man_url, reterr);
    int r = fs_read(watch->options.dead_man_url_file, URL_BYTES_MAX, &url, &len, reterr);

    if (r == 0) {
        url[strcspn(url, " \t\r\n")] = '\0';
        r = ping_send(watch->ping, url, reterr);
    }
    free(url);
    return r;
}

/* How long until the next one. */
static int64_t ping_once(struct loop_watch *watch, bool *was_well)
{
    const struct log *log = watch->options.log;
    struct watch_health health;
    struct err err = {0};

    loop_watch_health(watch, &health);
    if (health.age_ms < 0 && health.ok)
        return LOOK_MIN_MS; /* just started: nothing is known yet */
    if (!health.ok) {
        log_error(log, "watch", "the dead-man's ping is withheld", "why=\"%s\"", health.why);
        (void)pthread_mutex_lock(&watch->lock);
        watch->pings_withheld++;
        (void)pthread_mutex_unlock(&watch->lock);
        return watch->options.dead_man_ms;
    }
    int r = send_ping(watch, &err);

    if (r && *was_well)
        log_warn(log, "watch", "the dead-man's URL does not take the ping", "error=\"%s\"",
                 err.text);
    if (!r && !*was_well)
        log_info(log, "watch", "the dead-man's URL takes the ping again", "late=true");
    *was_well = !r;
    (void)pthread_mutex_lock(&watch->lock);
    watch->pings_sent += !r;
    watch->pings_failed += r != 0;
    if (!r)
        watch->pinged_ms = clock_wall_ms();
    (void)pthread_mutex_unlock(&watch->lock);
    return r && watch->options.dead_man_ms > RETRY_MS ? RETRY_MS : watch->options.dead_man_ms;
}

static void *ping_run(void *arg)
{
    struct loop_watch *watch = arg;
    bool was_well = true;
    int64_t next_ms = 0;

    (void)pthread_setname_np(pthread_self(), "dead-man");
    while (!wait_until(watch, next_ms)) {
        int64_t began_ms = clock_mono_ms();

        next_ms = began_ms + ping_once(watch, &was_well);
    }
    return NULL;
}

/* --- life --- */

struct loop_watch *loop_watch_new(const struct loop_watch_options *options)
{
    struct loop_watch *watch = mem_zalloc(sizeof(*watch));
    pthread_condattr_t monotonic;

    watch->options = *options;
    watch->systemd_ms = systemd_watchdog_ms();
    (void)snprintf(watch->key, sizeof(watch->key), "%016" PRIx64 "%016" PRIx64, rng_os_seed(),
                   rng_os_seed());
    (void)pthread_mutex_init(&watch->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&watch->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    watch->ping = ping_new();
    watch->started_ms = clock_mono_ms();
    return watch;
}

const char *loop_watch_key(const struct loop_watch *watch)
{
    return watch->key;
}

int loop_watch_start(struct loop_watch *watch,
                     struct loop_eval *eval,
                     struct loop_notify *notify,
                     struct err *reterr)
{
    watch->eval = eval;
    watch->notify = notify;
    (void)pthread_mutex_lock(&watch->lock); /* others ask already how it goes */
    watch->started_ms = clock_mono_ms();
    (void)pthread_mutex_unlock(&watch->lock);
    watch->has_thread = pthread_create(&watch->thread, NULL, watch_run, watch) == 0;
    if (watch->has_thread && has_dead_man(watch))
        watch->has_pinger = pthread_create(&watch->pinger, NULL, ping_run, watch) == 0;
    if (!watch->has_thread || (has_dead_man(watch) && !watch->has_pinger))
        return err_set(reterr, -EAGAIN, "no thread for watching ourselves");
    return 0;
}

void loop_watch_stop(struct loop_watch *watch)
{
    if (!watch)
        return;
    (void)pthread_mutex_lock(&watch->lock);
    watch->stopping = true;
    (void)pthread_cond_broadcast(&watch->wake);
    (void)pthread_mutex_unlock(&watch->lock);
    if (watch->has_thread)
        (void)pthread_join(watch->thread, NULL);
    if (watch->has_pinger)
        (void)pthread_join(watch->pinger, NULL);
    watch->has_thread = watch->has_pinger = false;
}

void loop_watch_free(struct loop_watch *watch)
{
    if (!watch)
        return;
    loop_watch_stop(watch);
    ping_free(watch->ping);
    (void)pthread_cond_destroy(&watch->wake);
    (void)pthread_mutex_destroy(&watch->lock);
    free(watch);
}

/* --- numbers --- */

void loop_watch_metrics(struct loop_watch *watch, struct str *out)
{
    struct watch_health health;
    const double never = -1;

    loop_watch_health(watch, &health);
    str_addf(out,
             "# HELP alertd_canary_age_seconds Age of the newest beat that went the whole way "
             "from sample to receiver; -1: none has.\n"
             "# TYPE alertd_canary_age_seconds gauge\n"
             "alertd_canary_age_seconds %.3f\n"
             "# HELP alertd_canary_trip_seconds How long it was on its way.\n"
             "# TYPE alertd_canary_trip_seconds gauge\n"
             "alertd_canary_trip_seconds %.3f\n",
             health.age_ms < 0 ? never : (double)health.age_ms / 1000,
             (double)health.trip_ms / 1000);
    str_addf(out,
             "# HELP alertd_dead_man_pings_total Pings to the dead-man's URL.\n"
             "# TYPE alertd_dead_man_pings_total counter\n"
             "alertd_dead_man_pings_total{outcome=\"sent\"} %" PRIu64 "\n"
             "alertd_dead_man_pings_total{outcome=\"failed\"} %" PRIu64 "\n"
             "alertd_dead_man_pings_total{outcome=\"withheld\"} %" PRIu64 "\n",
             health.pings_sent, health.pings_failed, health.pings_withheld);
}
