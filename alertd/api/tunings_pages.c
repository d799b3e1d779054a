/*
 * What a setting of a rule would have paged: the rule over its past, its alerts through the routing
 * and the people of now.
 *
 *   {rule, threshold, for_ms, keep_ms, from, to} --tune--> alerts --pages_run()--> counts, people,
 *                                                                                  hours, pages
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/api/pages_world.h"
#include "alertd/api/tuned_past.h"
#include "alertd/api/tuned_rule.h"
#include "alertd/api/tunings_labels.h"
#include "alertd/pages/print.h"
#include "alertd/pages/tuned.h"

#define HOLD_MS_MAX (60 * INT64_C(86400000))

struct question {
    struct tuned_past past;
    struct tuned_rule tuned;
    struct rule rule; /* with keep_firing_for as it is asked for */
    struct tune_ask ask;
    bool with_others;
    bool has_ack;
    int64_t ack_after_ms;
};

static int read_hold(const struct json *body,
                     const char *name,
                     int64_t *inout_ms,
                     struct err *reterr)
{
    if (json_get_int_or(body, name, *inout_ms, inout_ms, reterr))
        return TUNED_E_BAD;
    return *inout_ms >= 0 && *inout_ms <= HOLD_MS_MAX
               ? 0
               : err_set(reterr, TUNED_E_BAD, "%s: milliseconds, of 60 days at most", name);
}

static int read_setting(const struct json *body, struct question *question, struct err *reterr)
{
    const struct json *ack = json_get(body, "ack_after_ms");
    int64_t choice = 1;
    int r = 0;

    question->ask.has_threshold = json_has(body, "threshold");
    if (question->ask.has_threshold &&
        json_get_float(body, "threshold", &question->ask.threshold, reterr))
        return TUNED_E_BAD;
    if (json_get_int_or(body, "choice", 1, &choice, reterr) ||
        (json_has(body, "others") && json_get_bool(body, "others", &question->with_others, reterr)))
        return TUNED_E_BAD;
    if (choice < 1)
        return err_set(reterr, TUNED_E_BAD, "choice: the number of a thing to move, from 1");
    question->ask.choice = (size_t)choice - 1;
    r = read_hold(body, "for_ms", &question->ask.for_ms, reterr);
    if (r == 0)
        r = read_hold(body, "keep_ms", &question->rule.keep_firing_for_ms, reterr);
    question->has_ack = ack != NULL;
    question->ack_after_ms = PAGES_ACK_NEVER; /* null: nobody */
    if (r == 0 && ack && !json_is_null(ack))
        r = read_hold(body, "ack_after_ms", &question->ack_after_ms, reterr);
    if (r == 0 && question->has_ack && !json_is_null(ack) && question->ack_after_ms < 0)
        r = err_set(reterr, TUNED_E_BAD, "ack_after_ms: milliseconds, or null: nobody does");
    return r;
}

static int read_question(const struct api *api,
                         const struct http_request *request,
                         const struct json *body,
                         struct question *question,
                         struct err *reterr)
{
    static const char *const known[] = {
        "rule",   "yaml",   "threshold",    "for_ms", "keep_ms", "from",          "to",
        "choice", "others", "ack_after_ms", "drill",  "session", "ingest_lag_ms", NULL};
    const char *from = NULL;
    const char *to = NULL;

    if (!json_is_object(body))
        return err_set(reterr, TUNED_E_BAD, "the body: expected an object");
    if (json_only(body, known, reterr) || json_get_string_or(body, "from", NULL, &from, reterr) ||
        json_get_string_or(body, "to", NULL, &to, reterr))
        return TUNED_E_BAD;
    int r = tuned_past_read(api, request, body, &question->past, reterr);
    if (r == 0)
        r = tuned_past_times(&question->past, from, to, &question->ask.from_ms,
                             &question->ask.to_ms, reterr);
    if (r == 0)
        r = tuned_rule_read(api, body, &question->tuned, reterr);
    if (r)
        return r;
    question->rule = *question->tuned.rule;
    question->ask.rule = &question->rule;
    question->ask.interval_ms = question->tuned.interval_ms;
    question->ask.phase_ms = question->past.is_drill
                                 ? drill_past_phase_ms(&question->past.when,
                                                       question->tuned.interval_ms)
                                 : question->tuned.phase_ms;
    question->ask.first_ms = question->past.is_drill ? question->past.when.from_ms : 0;
    question->ask.for_ms = question->rule.for_ms;
    return read_setting(body, question, reterr);
}

static void write(const struct question *question,
                  const struct pages_world *world,
                  const struct pages *pages,
                  const struct tuned_alerts *alerts,
                  struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);

    json_open(&out, '{');
    json_kv_string(&out, "rule", question->rule.name);
    json_kv_int(&out, "rule_id", question->tuned.id);
    json_kv_int(&out, "for_ms", question->ask.for_ms);
    json_kv_int(&out, "keep_ms", question->rule.keep_firing_for_ms);
    json_kv_bool(&out, "others", question->with_others);
    json_kv_int(&out, "answers", question->has_ack ? 0 : (int64_t)world->n_answers);
    told_json(question->past.told, &out);
    pages_json(&world->plan, pages, alerts->at, &out);
    json_close(&out, '}');
}

/* Alerts of the setting, and of others if they are asked for. */
static int find_alerts(const struct api *api,
                       const struct http_request *request,
                       const struct question *question,
                       struct tuned_alerts *alerts,
                       struct err *reterr)
{
    struct tune_result result;
    struct tuned_over over;
    int r = tuned_past_begin(api, request, &question->past, &over, reterr);

    if (r)
        return r;
    r = tuned_over_code(&over, tune_run(&over.reader, &question->ask, &result, reterr), reterr);
    if (r == 0)
        tuned_alerts_add(alerts, &question->ask, &result);
    if (r == 0 && question->with_others)
        r = tuned_over_code(
            &over, tuned_alerts_add_others(alerts, &over.reader, &question->ask, &result, reterr),
            reterr);
    tune_result_done(&result);
    tuned_over_done(&over);
    return r;
}

static void answer(const struct api *api,
                   const struct http_request *request,
                   const struct question *question,
                   struct http_response *response)
{
    struct tuned_alerts alerts = {0};
    struct pages_world world;
    struct pages pages = {0};
    struct err err = {0};
    int r = pages_world_load(api->state, api->route, question->ask.from_ms, question->ask.to_ms,
                             &world, &err);

    if (question->has_ack)
        world.plan.ack_after_ms = question->ack_after_ms;
    if (r == 0)
        r = find_alerts(api, request, question, &alerts, &err);
    if (r == 0)
        r = pages_run(&world.plan, alerts.at, alerts.n, &pages, &err) ? TUNED_E_LIMIT : 0;
    if (r == 0)
        write(question, &world, &pages, &alerts, response);
    else
        tuned_fail(response, question->past.told, r, &err);
    pages_done(&pages);
    tuned_alerts_done(&alerts);
    pages_world_done(&world);
}

static void post_pages(void *context, struct http_request *request, struct http_response *response)
{
    struct question question = {0};
    struct json *body = NULL;
    struct err err = {0};

    if (json_parse(request->body, request->body_len, &body, &err)) {
        http_fail(response, "bad_data", "%s", err.text);
        return;
    }
    int r = read_question(context, request, body, &question, &err);

    if (r)
        tuned_fail(response, question.past.told, r, &err);
    else
        answer(context, request, &question, response);
    tuned_rule_done(&question.tuned);
    tuned_past_done(&question.past);
    json_free(body);
}

static const struct http_route routes[] = {
    {"POST", "/api/alertd/v1/tunings/pages", HTTP_SCOPE_READ, 0, post_pages,
     "what a setting of a rule would have paged"},
    {"GET", "/api/alertd/v1/tunings/labels", HTTP_SCOPE_READ, 0, tunings_labels_get,
     "when it was bad, by incidents and verdicts"},
    {"GET", "/api/alertd/v1/tunings/drills", HTTP_SCOPE_READ, 0, tuned_past_drills,
     "drills in which a rule's alert is expected, and one's own sessions of them"},
};

const struct api_table api_tunings_pages_routes = {routes, sizeof(routes) / sizeof(routes[0])};
