/*
 * The wall in one call: is anything wrong, who is told, and is alertd itself well.
 *
 *   down       something fires
 *   degraded   nothing fires, but something is pending, a rule is broken or an agent silent
 *   ok         none of that
 */

#include "alertd/api/overview.h"

#include <stdlib.h>

#include "alertd/api/incidents.h"
#include "alertd/api/rules.h"
#include "alertd/ingest/ingest.h"
#include "lib/base/clock.h"

struct totals {
    size_t n_firing, n_pending, n_groups, n_rules, n_broken;
    int64_t last_evaluation_ms, evaluation_us_max;
    int64_t n_agents[AGENT_LOST + 1]; /* by enum agent_state */
};

static void add_rule(struct totals *totals,
                     const struct rule_row *rule,
                     const struct alert_set *set)
{
    totals->n_rules++;
    totals->n_broken += rule->health[0] == 'e'; /* "err" */
    totals->n_firing += alert_set_count(set, ALERT_FIRING);
    totals->n_pending += alert_set_count(set, ALERT_PENDING);
}

static void add_up(const struct rules_snapshot *rules, struct totals *totals)
{
    *totals = (struct totals){.n_groups = rules->n_groups};
    for (size_t g = 0; g < rules->n_groups; g++) {
        const struct rule_group_row *group = &rules->groups[g];

        if (group->last_evaluation_ms > totals->last_evaluation_ms)
            totals->last_evaluation_ms = group->last_evaluation_ms;
        if (group->evaluation_us > totals->evaluation_us_max)
            totals->evaluation_us_max = group->evaluation_us;
        for (size_t i = 0; i < group->n_rules; i++)
            add_rule(totals, &group->rules[i], &rules->alerts[g][i]);
    }
}

static void count_agents(const struct api *api, int64_t now_ms, struct totals *totals)
{
    size_t n = 0;
    struct agent *agents = agents_all(ingest_agents(api->ingest), &n);

    const struct agents_now now = agents_now(ingest_agents(api->ingest), now_ms, clock_mono_ms());

    for (size_t i = 0; i < n; i++)
        totals->n_agents[agent_state_at(&agents[i], &now)]++;
    free(agents);
}

static const char *state_of(const struct totals *totals)
{
    if (totals->n_firing)
        return "down";
    return totals->n_pending || totals->n_broken || totals->n_agents[AGENT_LOST] ? "degraded"
                                                                                 : "ok";
}

static void write_rules(struct json_out *out, const struct totals *totals)
{
    json_key(out, "rules");
    json_open(out, '{');
    json_kv_int(out, "groups", (int64_t)totals->n_groups);
    json_kv_int(out, "rules", (int64_t)totals->n_rules);
    json_kv_int(out, "broken", (int64_t)totals->n_broken);
    json_close(out, '}');
    json_key(out, "evaluation");
    json_open(out, '{');
    json_kv_time(out, "last_at", totals->last_evaluation_ms);
    json_kv_float(out, "max_ms", (double)totals->evaluation_us_max / 1e3);
    json_close(out, '}');
}

static void write_agents(struct json_out *out, const struct totals *totals)
{
    json_key(out, "agents");
    json_open(out, '{');
    json_kv_int(out, "fresh", totals->n_agents[AGENT_FRESH]);
    json_kv_int(out, "late", totals->n_agents[AGENT_LATE]);
    json_kv_int(out, "lost", totals->n_agents[AGENT_LOST]);
    json_close(out, '}');
}

/* What is read from state.db directly; one consistent look. */
static int write_incidents(const struct api *api,
                           struct json_out *out,
                           struct db_conn *conn,
                           struct arena *arena,
                           int64_t now_ms,
                           struct err *reterr)
{
    json_key(out, "open_incidents");
    int r = incidents_write_open(out, conn, arena, reterr);
    if (r != 0)
        return r;
    json_key(out, "told");
    r = incidents_write_told(out, conn, api->route, now_ms, reterr);
    if (r != 0)
        return r;
    json_key(out, "hours");
    return incidents_write_hours(out, conn, now_ms, reterr);
}

void overview_get(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    struct rules_snapshot rules;
    struct totals totals;
    struct db_conn *conn;
    int64_t now_ms = clock_wall_ms();
    struct err err = {0};

    if (!rules_snapshot_take(api, &rules, response))
        return;
    add_up(&rules, &totals);
    rules_snapshot_done(&rules);
    count_agents(api, now_ms, &totals);
    int r = db_read_begin(api->state, &conn, &err);
    if (r != 0) {
        http_fail(response, "internal", "%s", err.text);
        return;
    }
    json_open(&out, '{');
    json_kv_string(&out, "state", state_of(&totals));
    json_kv_time(&out, "now", now_ms);
    json_kv_int(&out, "n_firing", (int64_t)totals.n_firing);
    json_kv_int(&out, "n_pending", (int64_t)totals.n_pending);
    write_agents(&out, &totals);
    write_rules(&out, &totals);
    json_key(&out, "watch");
    (void)api->write_deep(api->app, &out);
    json_key(&out, "banners");
    api->write_banners(api->app, &out);
    r = write_incidents(api, &out, conn, request->arena, now_ms, &err);
    db_read_end(api->state, conn);
    json_close(&out, '}');
    if (r != 0)
        http_fail(response, "internal", "%s", err.text);
}
