/*
 * Agents that vanish at once: one alert, and silences for what their hosts would be paged about
 * one by one. Silences, because people see those, know why nothing came, and can end them.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/app/own_alerts.h"
#include "alertd/db/silence_db.h"
#include "alertd/db/standing_db.h"
#include "alertd/pager/pager.h"
#include "lib/base/mem.h"

enum {
    SILENCED_AT_ONCE = 50, /* in the matcher of one silence */
    WORDS_MAX = 1000,
    LOAD_BYTES_MAX = 16 * 1024 * 1024,
    SETTLE_MS = 30000, /* rules that saw nobody still fire, until they are evaluated again */
};

#define NAME     "AlertdBlind"
#define SEVERITY "critical"
#define ACTOR    "alertd"
#define COMMENT  "These agents fell silent at once: that is told as " NAME ", once."

struct silence_job {
    struct pager *pager;
    const struct silence_wish *wish;
    char id[SILENCE_ID_TEXT];
    int64_t now_ms;
};

static int run_set(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct silence_job *job = arg;

    pager_silences_changed(job->pager);
    return silence_db_set(conn, job->wish, job->id, reterr);
}

static int run_extend(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct silence_job *job = arg;

    pager_silences_changed(job->pager);
    return silence_db_extend(conn, job->id, job->now_ms + OWN_ALERT_MS, ACTOR, job->now_ms, reterr);
}

static int run_expire(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct silence_job *job = arg;

    pager_silences_changed(job->pager);
    return silence_db_expire(conn, job->id, ACTOR, job->now_ms, reterr);
}

/* `db-1|web\.2`: ids have no other character that means something. */
static void write_pattern(const char (*ids)[AGENT_ID_MAX + 1], size_t n, struct str *out)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            str_addc(out, '|');
        for (const char *c = ids[i]; *c; c++) {
            if (*c == '.')
                str_addc(out, '\\');
            str_addc(out, *c);
        }
    }
}

static void add_silence(struct loop_blackout *loop, const char *id)
{
    loop->silences = mem_grow(loop->silences, &loop->silences_capacity, loop->n_silences + 1,
                              sizeof(*loop->silences));
    (void)snprintf(loop->silences[loop->n_silences++], SILENCE_ID_TEXT, "%s", id);
}

static void add_silenced(struct loop_blackout *loop, const char *agent)
{
    loop->silenced = mem_grow(loop->silenced, &loop->silenced_capacity, loop->n_silenced + 1,
                              sizeof(*loop->silenced));
    (void)snprintf(loop->silenced[loop->n_silenced++], AGENT_ID_MAX + 1, "%s", agent);
}

static int silence_some(struct loop_blackout *loop,
                        const struct api *api,
                        const char (*ids)[AGENT_ID_MAX + 1],
                        size_t n,
                        int64_t now_ms,
                        struct err *reterr)
{
    STR_AUTO struct str pattern = STR_INIT(SILENCED_AT_ONCE * (2 * AGENT_ID_MAX + 2));
    struct matcher matcher;

    write_pattern(ids, n, &pattern);
    int r = matcher_init(&matcher, MATCHER_REGEX, "instance", str_text(&pattern), reterr);
    if (r)
        return r;
    const struct silence_wish wish = {
        .matchers = &matcher,
        .n_matchers = 1,
        .starts_at_ms = now_ms,
        .ends_at_ms = now_ms + OWN_ALERT_MS,
        .created_by = ACTOR,
        .comment = COMMENT,
        .actor = ACTOR,
        .now_ms = now_ms,
    };
    struct silence_job job = {.pager = api->pager, .wish = &wish};

    r = db_write(api->state, run_set, &job, reterr);
    matcher_done(&matcher);
    if (r)
        return r;
    add_silence(loop, job.id);
    return 0;
}

static bool is_silenced(const struct loop_blackout *loop, const char *id)
{
    for (size_t i = 0; i < loop->n_silenced; i++)
        if (strcmp(loop->silenced[i], id) == 0)
            return true;
    return false;
}

/* Those of the gone that are not silenced yet. */
static void silence_gone(struct loop_blackout *loop,
                         const struct api *api,
                         const struct agent *agents,
                         size_t n,
                         const struct agents_now *now)
{
    size_t from = loop->n_silenced;
    struct err err = {0};
    int r = 0;

    for (size_t i = 0; i < n; i++) {
        if (!blackout_has(&loop->blackout, &agents[i], now) || is_silenced(loop, agents[i].id))
            continue;
        add_silenced(loop, agents[i].id);
    }
    while (r == 0 && from < loop->n_silenced) {
        size_t n_some = loop->n_silenced - from < SILENCED_AT_ONCE ? loop->n_silenced - from
                                                                   : SILENCED_AT_ONCE;

        r = silence_some(loop, api, (const char(*)[AGENT_ID_MAX + 1]) & loop->silenced[from],
                         n_some, now->wall_ms, &err);
        from += n_some;
    }
    if (r)
        log_error(api->log, "keep", "agents that vanished at once are told one by one",
                  "error=\"%s\"", err.text);
}

static void each_silence(struct loop_blackout *loop,
                         const struct api *api,
                         db_job *run,
                         int64_t now_ms)
{
    for (size_t i = 0; i < loop->n_silences; i++) {
        struct silence_job job = {.pager = api->pager, .now_ms = now_ms};

        (void)memcpy(job.id, loop->silences[i], SILENCE_ID_TEXT);
        (void)db_write(api->state, run, &job, NULL); /* somebody may have ended it */
    }
}

static void tell(const struct loop_blackout *loop, const struct api *api, int64_t now_ms)
{
    char summary[WORDS_MAX];
    struct err err = {0};

    (void)snprintf(summary, sizeof(summary),
                   "%zu of %zu agents fell silent at once: alertd may be blind",
                   loop->blackout.n_gone, loop->blackout.n_known);
    int r = own_alert_tell(
        api,
        &(struct own_alert){
            .name = NAME,
            .severity = SEVERITY,
            .summary = summary,
            .description = "Either those hosts are gone, or the network between them and alertd "
                           "is. What they would be paged about one by one is silenced meanwhile.",
            .is_firing = loop->blackout.is_on,
        },
        now_ms, &err);
    if (r)
        log_error(api->log, "keep", NAME " can't be told", "error=\"%s\"", err.text);
}

/* What still fires when it is over ends with the next evaluation; whoever is dead then is told. */
static void settle(struct loop_blackout *loop, const struct api *api, const struct agents_now *now)
{
    if (loop->settles_ms == 0 || now->mono_ms < loop->settles_ms)
        return;
    each_silence(loop, api, run_expire, now->wall_ms);
    loop->n_silenced = loop->n_silences = 0;
    loop->settles_ms = 0;
}

void loop_blackout_step(struct loop_blackout *loop,
                        const struct api *api,
                        const struct agent *agents,
                        size_t n,
                        const struct agents_now *now)
{
    int64_t now_ms = now->wall_ms;
    bool was_on = loop->blackout.is_on;

    blackout_step(&loop->blackout, agents, n, now);
    if (!was_on && !loop->blackout.is_on) {
        settle(loop, api, now);
        return;
    }
    if (was_on != loop->blackout.is_on)
        log_warn(api->log, "keep", was_on ? "the blackout is over" : "agents vanished at once",
                 "gone=%zu of=%zu", loop->blackout.n_gone, loop->blackout.n_known);
    if (loop->blackout.is_on)
        silence_gone(loop, api, agents, n, now);
    if (was_on != loop->blackout.is_on || now_ms - loop->renewed_ms >= OWN_ALERT_RENEW_MS) {
        tell(loop, api, now_ms);
        each_silence(loop, api, run_extend, now_ms);
        loop->renewed_ms = now_ms;
    }
    loop->settles_ms = loop->blackout.is_on ? 0 : now->mono_ms + SETTLE_MS;
}

/* --- after a start --- */

static int load_alert(struct loop_blackout *loop,
                      struct db_conn *conn,
                      const struct agents_now *now,
                      struct err *reterr)
{
    const struct label pairs[] = {{"alertname", NAME}, {"severity", SEVERITY}};
    const struct labels *labels = labels_new(pairs, 2);
    struct standing_external was = {0};
    bool found = false;
    int r = standing_db_external(conn, labels, &was, &found, reterr);

    labels_unref(labels);
    if (r == 0 && found)
        blackout_resume(&loop->blackout, was.is_firing,
                        (was.is_firing ? now->wall_ms : was.ends_ms) - was.starts_ms, now->mono_ms);
    return r;
}

static int load_silences(struct loop_blackout *loop,
                         struct db_conn *conn,
                         const struct agent *agents,
                         size_t n_agents,
                         int64_t now_ms,
                         struct err *reterr)
{
    struct silence_row *rows = NULL;
    size_t n = 0;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, LOAD_BYTES_MAX);
    int r = silence_db_list(conn, now_ms, &arena, &rows, &n, reterr);
    for (size_t i = 0; r == 0 && i < n; i++) {
        if (strcmp(rows[i].created_by, ACTOR) != 0 || strcmp(rows[i].comment, COMMENT) != 0)
            continue;
        add_silence(loop, rows[i].silence.id);
        for (size_t agent = 0; agent < n_agents; agent++)
            if (!is_silenced(loop, agents[agent].id) &&
                matcher_matches(&rows[i].matchers[0], agents[agent].id))
                add_silenced(loop, agents[agent].id);
    }
    return r;
}

int loop_blackout_load(struct loop_blackout *loop,
                       const struct api *api,
                       const struct agent *agents,
                       size_t n,
                       const struct agents_now *now,
                       struct err *reterr)
{
    struct db_conn *conn;
    int r = db_read_begin(api->state, &conn, reterr);

    if (r)
        return r;
    r = load_alert(loop, conn, now, reterr);
    if (r == 0)
        r = load_silences(loop, conn, agents, n, now->wall_ms, reterr);
    db_read_end(api->state, conn);
    if (r == 0 && !loop->blackout.is_on && loop->n_silences > 0)
        loop->settles_ms = now->mono_ms + SETTLE_MS; /* it ended between the two */
    return r;
}

void loop_blackout_done(struct loop_blackout *loop)
{
    free(loop->silenced);
    free(loop->silences);
}
