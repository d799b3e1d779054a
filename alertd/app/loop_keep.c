/*
 * Housekeeping. See loop_keep.h.
 */

#include "alertd/app/loop_keep.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/app/own_alerts.h"
#include "alertd/app/time_watch.h"
#include "alertd/db/agent_db.h"
#include "alertd/db/incident_db.h"
#include "alertd/ingest/ingest.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/base/rounds.h"
#include "lib/json/write.h"
#include "lib/model/duration.h"

enum {
    ROUND_MS = 5000,
    OWN_ROUNDS = 3,   /* alertd's own metrics every 15 s */
    TRIM_ROUNDS = 24, /* memory back to the kernel every two minutes */
    METRICS_BYTES_MAX = 4 << 20,
};

struct loop_keep {
    struct api *api;
    struct time_watch watch;
    struct rounds rounds;
    uint64_t n_rounds;
    struct loop_blackout blackout;
};

/* --- agents and state.db --- */

static void put_agent(void *arg, const struct agent_row *row)
{
    struct agent agent = {.first_seen_ms = row->first_seen_ms,
                          .last_push_ms = row->last_push_ms,
                          .interval_ms = row->interval_ms,
                          .clock_skew_ms = row->clock_skew_ms,
                          .pushed_mono_ms = AGENT_NOT_YET,
                          .newest_ms = INT64_MIN};

    (void)snprintf(agent.id, sizeof(agent.id), "%s", row->id);
    agents_put(arg, &agent);
}

static int load_agents(const struct api *api, struct err *reterr)
{
    struct db_conn *conn;

    int r = db_read_begin(api->state, &conn, reterr);
    if (r != 0)
        return r;
    r = agent_db_each(conn, put_agent, ingest_agents(api->ingest), reterr);
    db_read_end(api->state, conn);
    return r;
}

struct dirty {
    const struct agent *agents;
    size_t n;
};

static int put_dirty(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct dirty *dirty = arg;
    int r = 0;

    for (size_t i = 0; i < dirty->n && r == 0; i++) {
        const struct agent *agent = &dirty->agents[i];
        struct agent_row row = {.first_seen_ms = agent->first_seen_ms,
                                .last_push_ms = agent->last_push_ms,
                                .interval_ms = agent->interval_ms,
                                .clock_skew_ms = agent->clock_skew_ms};

        (void)snprintf(row.id, sizeof(row.id), "%s", agent->id);
        r = agent_db_put(conn, &row, reterr);
    }
    return r;
}

/* A minute late at most is fine: a restart gives everybody two intervals anyway. */
static void write_agents(const struct api *api)
{
    struct agents *agents = ingest_agents(api->ingest);
    struct dirty dirty;
    struct err err = {0};
    struct agent *taken = agents_take_dirty(agents, &dirty.n);

    dirty.agents = taken;
    if (dirty.n > 0 && db_write(api->state, put_dirty, &dirty, &err) != 0) {
        log_warn(api->log, "keep", "cannot write the agents", "error=\"%s\"", err.text);
        for (size_t i = 0; i < dirty.n; i++)
            agents_put(agents, &taken[i]); /* dirty still */
    }
    free(taken);
}

/* --- up --- */

static const struct labels *up_labels(const char *id)
{
    const struct label pairs[] = {{LABEL_NAME, "up"}, {"instance", id}, {"job", "agent"}};

    return labels_new(pairs, 3);
}

static void tell_dashboard(const struct api *api, const char *id)
{
    STR_AUTO struct str text = STR_INIT(256);
    struct json_out out = JSON_OUT(&text);

    json_open(&out, '{');
    json_kv_string(&out, "key", id);
    json_close(&out, '}');
    http_hub_publish(api->hub, "agents", str_text(&text));
}

/* Once for each change between lost and not. */
static void note_change(const struct api *api, const struct agent *agent, bool lost, int64_t now_ms)
{
    struct err err = {0};

    if (lost == agent->is_marked)
        return;
    if (lost) {
        log_warn(api->log, "keep", "an agent has fallen silent", "agent=%s silent_ms=%lld",
                 agent->id, (long long)(now_ms - agent->last_push_ms));
        if (ingest_mark_stale(api->ingest, agent->id, now_ms, &err) != 0)
            log_warn(api->log, "keep", "cannot end a lost agent's series", "error=\"%s\"",
                     err.text);
    } else {
        log_info(api->log, "keep", "an agent is back", "agent=%s", agent->id);
    }
    agents_set_marked(ingest_agents(api->ingest), agent->id, lost);
    tell_dashboard(api, agent->id);
}

/* In the grace after a start nothing is known: then nothing is said. */
static bool is_unknown(const struct agent *agent,
                       enum agent_state state,
                       const struct agents_now *now)
{
    return state == AGENT_LATE && agent->pushed_mono_ms < now->awake_mono_ms;
}

static void write_up(struct loop_keep *loop, int64_t now_ms)
{
    const struct api *api = loop->api;
    size_t n = 0;
    size_t n_entries = 0;
    struct agent *agents = agents_all(ingest_agents(api->ingest), &n);
    struct store_entry *entries = mem_zalloc((n ? n : 1) * sizeof(*entries));
    static const double values[] = {0, 1};
    struct sample samples[] = {{now_ms, values[0]}, {now_ms, values[1]}};
    struct store_outcome outcome;
    struct err err = {0};

    const struct agents_now now = agents_now(ingest_agents(api->ingest), now_ms, clock_mono_ms());

    loop_blackout_step(&loop->blackout, api, agents, n, &now);
    for (size_t i = 0; i < n; i++) {
        enum agent_state state = agent_state_at(&agents[i], &now);

        note_change(api, &agents[i], state == AGENT_LOST, now_ms);
        if (!is_unknown(&agents[i], state, &now))
            entries[n_entries++] = (struct store_entry){up_labels(agents[i].id),
                                                        &samples[state != AGENT_LOST], 1};
    }
    const struct store_batch batch = {.entries = entries, .n = n_entries, .internal = true};
    if (n_entries > 0 && store_append(api->store, &batch, &outcome, &err) != 0)
        log_warn(api->log, "keep", "cannot store up", "error=\"%s\"", err.text);
    for (size_t i = 0; i < n_entries; i++)
        labels_unref(entries[i].labels);
    free(entries);
    free(agents);
}

struct keep_counts loop_keep_counts(const struct api *api, int64_t now_ms)
{
    struct keep_counts counts = {0};
    size_t n = 0;
    struct agent *agents = agents_all(ingest_agents(api->ingest), &n);

    const struct agents_now now = agents_now(ingest_agents(api->ingest), now_ms, clock_mono_ms());

    for (size_t i = 0; i < n; i++)
        switch (agent_state_at(&agents[i], &now)) {
        case AGENT_FRESH: counts.fresh++; break;
        case AGENT_LATE: counts.late++; break;
        case AGENT_LOST: counts.lost++; break;
        }
    free(agents);
    return counts;
}

/* --- alertd's own metrics --- */

static void add_skews(const struct api *api, struct str *out)
{
    size_t n = 0;
    struct agent *agents = agents_all(ingest_agents(api->ingest), &n);

    str_add(out,
            "# HELP alertd_agent_clock_skew_seconds How far an agent's clock is ahead of ours.\n"
            "# TYPE alertd_agent_clock_skew_seconds gauge\n");
    for (size_t i = 0; i < n; i++)
        str_addf(out, "alertd_agent_clock_skew_seconds{agent=\"%s\"} %.3f\n", agents[i].id,
                 (double)agents[i].clock_skew_ms / 1000);
    free(agents);
}

static void add_storage(const struct api *api, struct str *out)
{
    unsigned long long free_bytes;
    unsigned long long size_bytes;

    if (fs_space(api->storage_path, &free_bytes, &size_bytes) < 0)
        return;
    str_addf(out,
             "# HELP alertd_storage_free_bytes Free on the file system of --storage.path.\n"
             "# TYPE alertd_storage_free_bytes gauge\n"
             "alertd_storage_free_bytes %llu\n"
             "# HELP alertd_storage_size_bytes Size of that file system.\n"
             "# TYPE alertd_storage_size_bytes gauge\n"
             "alertd_storage_size_bytes %llu\n",
             free_bytes, size_bytes);
}

void loop_keep_metrics(const struct api *api, struct str *out)
{
    struct keep_counts counts = loop_keep_counts(api, clock_wall_ms());
    struct ingest_stats stats;

    ingest_stats(api->ingest, &stats);
    str_addf(out,
             "# HELP alertd_agents Agents by how fresh they are.\n"
             "# TYPE alertd_agents gauge\n"
             "alertd_agents{state=\"fresh\"} %zu\n"
             "alertd_agents{state=\"late\"} %zu\n"
             "alertd_agents{state=\"lost\"} %zu\n"
             "# HELP alertd_push_bodies_total Pushed bodies.\n"
             "# TYPE alertd_push_bodies_total counter\n"
             "alertd_push_bodies_total %llu\n"
             "# HELP alertd_push_bodies_refused_total Pushed bodies of which nothing was stored.\n"
             "# TYPE alertd_push_bodies_refused_total counter\n"
             "alertd_push_bodies_refused_total %llu\n"
             "# HELP alertd_push_bytes_total Bytes of pushed bodies, as sent.\n"
             "# TYPE alertd_push_bytes_total counter\n"
             "alertd_push_bytes_total %llu\n"
             "# HELP alertd_clock_jumps_total How often the wall clock was set.\n"
             "# TYPE alertd_clock_jumps_total counter\n"
             "alertd_clock_jumps_total %llu\n"
             "# HELP alertd_standstills_total How often alertd, or its machine, stood still.\n"
             "# TYPE alertd_standstills_total counter\n"
             "alertd_standstills_total %llu\n",
             counts.fresh, counts.late, counts.lost, (unsigned long long)stats.bodies,
             (unsigned long long)stats.bodies_refused, (unsigned long long)stats.bytes,
             (unsigned long long)atomic_load(&api->clock_jumps),
             (unsigned long long)atomic_load(&api->standstills));
    add_skews(api, out);
    add_storage(api, out);
}

static void write_own(const struct api *api, int64_t now_ms)
{
    static const struct label own[] = {{"instance", "alertd"}, {"job", "alertd"}};
    STR_AUTO struct str text = STR_INIT(METRICS_BYTES_MAX);
    struct ingest_answer answer;
    struct err err = {0};

    api->render_metrics(api->app, &text);
    const struct ingest_body body = {.format = INGEST_TEXT,
                                     .bytes = str_text(&text),
                                     .len = text.len,
                                     .now_ms = now_ms,
                                     .default_t_ms = now_ms,
                                     .own_labels = own,
                                     .n_own_labels = 2};
    if (ingest_push(api->ingest, &body, &answer, &err) != 0)
        log_warn(api->log, "keep", "cannot store alertd's own metrics", "error=\"%s\"", err.text);
}

/* --- time --- */

struct time_news {
    struct timeline_event event;
    int64_t now_ms;
};

static int put_time_news(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct time_news *news = arg;

    return event_db_tell_open(conn, &news->event, news->now_ms, reterr);
}

static void tell_of_time(const struct api *api, const char *words, int64_t now_ms)
{
    struct time_news news = {.event = {.kind = timeline_kind_name(TIMELINE_CLOCK),
                                       .event_class = "machine",
                                       .source = "alertd",
                                       .text = words,
                                       .data = "{}",
                                       .occurred_at_ms = now_ms},
                             .now_ms = now_ms};
    struct err err = {0};

    log_warn(api->log, "keep", "time", "words=\"%s\"", words);
    if (db_write(api->state, put_time_news, &news, &err) != 0)
        log_warn(api->log, "keep", "the timelines miss it", "error=\"%s\"", err.text);
}

/* Whoever waited for a machine that stood still gets the time it has after a start. */
static void note_standstill(struct loop_keep *loop, int64_t late_ms)
{
    STR_AUTO struct str words = STR_INIT(256);
    char text[DURATION_TEXT_MAX];

    if (late_ms < TIME_STANDSTILL_MIN_MS)
        return;
    atomic_fetch_add(&loop->api->standstills, 1);
    agents_awake(ingest_agents(loop->api->ingest), clock_mono_ms());
    str_addf(&words, "alertd stood still for %s: nothing was evaluated, nobody was paged",
             duration_human(late_ms / 1000 * 1000, text));
    tell_of_time(loop->api, str_text(&words), clock_wall_ms());
}

static void watch_clock(struct loop_keep *loop, int64_t now_ms)
{
    STR_AUTO struct str words = STR_INIT(256);
    char text[DURATION_TEXT_MAX];
    int64_t jump_ms = time_watch_look(&loop->watch, now_ms, clock_mono_ms());

    if (jump_ms == 0)
        return;
    atomic_fetch_add(&loop->api->clock_jumps, 1);
    str_addf(&words, "alertd's clock was set %s %s: times before and after do not fit",
             duration_human((llabs(jump_ms) + 500) / 1000 * 1000, text),
             jump_ms < 0 ? "back" : "ahead");
    tell_of_time(loop->api, str_text(&words), now_ms);
}

/* --- the thread --- */

static void run_round(struct loop_keep *loop)
{
    const struct api *api = loop->api;
    int64_t now_ms = clock_wall_ms();
    struct err err = {0};

    watch_clock(loop, now_ms);
    write_up(loop, now_ms);
    if (loop->n_rounds % OWN_ROUNDS == 0)
        write_own(api, now_ms);
    write_agents(api);
    if (store_maintain(api->store, now_ms, &err) != 0)
        log_warn(api->log, "keep", "maintenance of samples failed", "error=\"%s\"", err.text);
    /* What lies free between what is used: main.c's threshold is about the end only. Now and
     * then, for whoever needs it next has it to be faulted in. */
    if (++loop->n_rounds % TRIM_ROUNDS == 0)
        (void)malloc_trim(0);
}

/* True: stop. */
static bool wait_round(struct loop_keep *loop)
{
    int64_t until_ms = clock_mono_ms() + ROUND_MS;
    bool must_stop = rounds_rest(&loop->rounds, ROUND_MS, NULL);

    note_standstill(loop, clock_mono_ms() - until_ms);
    return must_stop;
}

static void *keep_main(void *arg)
{
    struct loop_keep *loop = arg;

    do
        run_round(loop);
    while (!wait_round(loop));
    write_agents(loop->api);
    return NULL;
}

static int load_blackout(struct loop_keep *loop, struct err *reterr)
{
    struct agents *all = ingest_agents(loop->api->ingest);
    const struct agents_now now = agents_now(all, clock_wall_ms(), clock_mono_ms());
    size_t n = 0;
    struct agent *agents = agents_all(all, &n);
    int r = loop_blackout_load(&loop->blackout, loop->api, agents, n, &now, reterr);

    free(agents);
    return r;
}

int loop_keep_start(struct api *api, struct loop_keep **ret_loop, struct err *reterr)
{
    int r = load_agents(api, reterr);

    if (r != 0)
        return r;
    struct loop_keep *loop = mem_zalloc(sizeof(*loop));
    loop->api = api;
    agents_awake(ingest_agents(api->ingest), clock_mono_ms());
    r = load_blackout(loop, reterr);
    if (r == 0)
        r = rounds_start(&loop->rounds, "housekeeping", keep_main, loop, reterr);
    if (r != 0) {
        loop_blackout_done(&loop->blackout);
        free(loop);
        return r;
    }
    *ret_loop = loop;
    return 0;
}

void loop_keep_stop(struct loop_keep *loop)
{
    if (!loop)
        return;
    rounds_stop(&loop->rounds);
    loop_blackout_done(&loop->blackout);
    free(loop);
}
