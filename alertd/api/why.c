/*
 * GET /api/alertd/v1/why: why somebody was told of an alert by an instant, or was not. What is
 * known is gathered in why_load.c, decided in why/.
 */

#include <string.h>

#include "alertd/api/rules.h"
#include "alertd/api/told_json.h"
#include "alertd/api/why_load.h"
#include "alertd/route/matchers.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/json/read.h"
#include "lib/model/fingerprint.h"
#include "lib/wire/prom_param.h"

enum {
    NOW_MS = 2000, /* an instant so close is now */
};

/* A request's own memory. */
struct asked {
    struct why_question question;
    struct route_matchers matchers;
    const char *receiver;
};

/* --- what is asked --- */

static bool refuse(struct http_response *response, const char *name, const char *words)
{
    http_fail(response, "bad_data", "%s: %s", name, words);
    return false;
}

static bool read_at(const struct http_request *request,
                    struct asked *asked,
                    struct http_response *response)
{
    const char *text = http_query(request, "at");
    struct why_question *question = &asked->question;

    question->now_ms = question->at_ms = clock_wall_ms();
    if (!text || !*text)
        return true;
    if (prom_param_time(text, &question->at_ms, NULL))
        return refuse(response, "at", "expected a time like 2026-11-23T22:27:00Z, or Unix seconds");
    if (question->at_ms > question->now_ms + NOW_MS)
        return refuse(response, "at", "lies ahead: what will be sent is not known");
    if (question->at_ms < 0)
        return refuse(response, "at", "lies before 1970");
    question->is_past = question->at_ms < question->now_ms - NOW_MS;
    return true;
}

static bool add_matcher(struct asked *asked, const char *name, const char *value)
{
    struct route_matchers *matchers = &asked->matchers;

    matchers->at = mem_realloc(matchers->at, (matchers->n + 1) * sizeof(*matchers->at));
    if (matcher_init(&matchers->at[matchers->n], MATCHER_EQUAL, name, value, NULL))
        return false;
    matchers->n++;
    return true;
}

/* {"alertname":"Down"} */
static bool read_json_labels(const struct json *json, struct asked *asked)
{
    const char *name = NULL;
    const struct json *value = NULL;

    for (size_t i = 0; json_member(json, i, &name, &value); i++) {
        if (!json_text(value) || !*name || !*json_text(value) || i >= ROUTE_MATCHERS_MAX ||
            !add_matcher(asked, name, json_text(value)))
            return false;
    }
    return true;
}

static bool read_labels(const char *text, struct asked *asked, struct http_response *response)
{
    struct json *json = NULL;
    struct err err = {0};
    bool is_json = json_parse(text, strlen(text), &json, NULL) == 0 && json_is_object(json);
    bool ok = true;

    if (is_json)
        ok = read_json_labels(json, asked) ||
             refuse(response, "labels",
                    "expected an object of at most 64 texts that are not empty");
    else if (route_matchers_parse(text, ROUTE_GRAMMAR_BOTH, &asked->matchers, NULL, &err))
        ok = refuse(response, "labels", err.text);
    json_free(json);
    for (size_t i = 0; ok && i < asked->matchers.n; i++)
        if (asked->matchers.at[i].type != MATCHER_EQUAL || !asked->matchers.at[i].value[0])
            ok = refuse(response, "labels", "only name=\"value\" names an alert's labels");
    if (ok && asked->matchers.n == 0)
        ok = refuse(response, "labels", "at least one is needed");
    asked->question.wish.matchers = asked->matchers.at;
    asked->question.wish.n_matchers = asked->matchers.n;
    return ok;
}

static const char *given(const struct http_request *request, const char *name)
{
    const char *text = http_query(request, name);

    return text && *text ? text : NULL;
}

static bool read_asked(const struct http_request *request,
                       struct asked *asked,
                       struct http_response *response)
{
    const char *fingerprint = given(request, "fingerprint");
    const char *labels = given(request, "labels");
    const char *incident = given(request, "incident");
    const char *supposed = given(request, "supposed");

    if (!!fingerprint + !!labels + !!incident != 1) {
        http_fail(response, "bad_data", "say which alert: one of fingerprint, labels and incident");
        return false;
    }
    asked->receiver = given(request, "receiver");
    asked->question.wish.fingerprint = fingerprint;
    asked->question.incident = incident;
    asked->question.is_supposed = supposed && strcmp(supposed, "true") == 0;
    if (supposed && !labels)
        return refuse(response, "supposed", "only labels can be supposed");
    return read_at(request, asked, response) && (!labels || read_labels(labels, asked, response));
}

static bool has_receiver(const struct route_config *config, const char *name)
{
    for (size_t i = 0; i < config->n_receivers; i++)
        if (strcmp(config->receivers[i].name, name) == 0)
            return true;
    return false;
}

/* --- the answer --- */

static const char *state_name(enum why_state state)
{
    switch (state) {
    case WHY_NOT_KNOWN: break;
    case WHY_INACTIVE: return "inactive";
    case WHY_PENDING: return "pending";
    case WHY_FIRING: return "firing";
    case WHY_OVER: return "over";
    case WHY_SUPPOSED: return "hypothetical";
    }
    return "not known";
}

static void write_alert(struct json_out *out, const struct why_known *known)
{
    const struct why_alert *alert = &known->alert;
    char fingerprint[FINGERPRINT_TEXT];

    json_key(out, "alert");
    json_open(out, '{');
    json_kv_string(out, "fingerprint", fingerprint_text(alert->labels, fingerprint));
    json_kv_string(out, "name", labels_get(alert->labels, "alertname"));
    rules_json_labels(out, "labels", alert->labels);
    json_kv_string(out, "state", state_name(alert->state));
    json_kv_bool(out, "hypothetical", alert->state == WHY_SUPPOSED);
    json_kv_string(out, "source", alert->source);
    json_kv_time(out, "fired_at", alert->fired_ms);
    json_kv_string(out, "incident", known->input.incident);
    json_key(out, "others");
    json_open(out, '[');
    for (size_t i = 0; i < known->found.n_others; i++) {
        json_open(out, '{');
        json_kv_string(out, "fingerprint", fingerprint_text(known->found.others[i], fingerprint));
        rules_json_labels(out, "labels", known->found.others[i]);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_close(out, '}');
}

static void write_step(struct json_out *out, const struct why_step *step)
{
    json_open(out, '{');
    json_kv_string(out, "step", step->step);
    json_kv_string(out, "result", step->result);
    json_kv_string(out, "because", step->because);
    json_kv_string(out, "receiver", step->receiver);
    json_key(out, "evidence");
    json_raw(out, step->evidence);
    json_close(out, '}');
}

static void write_why(struct json_out *out, const struct why_known *known, const struct why *why)
{
    json_open(out, '{');
    write_alert(out, known);
    json_kv_time(out, "at", known->input.at_ms);
    json_kv_bool(out, "past", known->input.is_past);
    json_kv_string(out, "verdict", why_verdict_name(why->verdict));
    json_kv_string(out, "words", why->words);
    json_key(out, "steps");
    json_open(out, '[');
    for (size_t i = 0; i < why->n; i++)
        write_step(out, &why->steps[i]);
    json_close(out, ']');
    told_json(known->told, out);
    json_close(out, '}');
}

static void answer(const struct api *api,
                   const struct asked *asked,
                   struct why_known *known,
                   struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct err err = {0};
    struct why why;
    int r = why_load(api, &asked->question, known, &err);

    if (r == WHY_LOAD_E_NOT_FOUND) {
        told_fail(response, known->told, "not_found", err.text);
        return;
    }
    if (r == 0 && asked->receiver && !has_receiver(known->input.config, asked->receiver)) {
        http_fail(response, "bad_data", "receiver: there is none called \"%s\"", asked->receiver);
        return;
    }
    known->input.receiver = asked->receiver;
    if (r == 0)
        r = why_decide(&known->input, &known->arena, &why, &err);
    if (r)
        told_fail(response, known->told, "internal", err.text);
    else
        write_why(&out, known, &why);
}

static void get_why(void *context, struct http_request *request, struct http_response *response)
{
    struct asked asked = {0};
    struct why_known known = {0};

    if (read_asked(request, &asked, response))
        answer(context, &asked, &known, response);
    why_known_done(&known);
    route_matchers_done(&asked.matchers);
}

static const struct http_route routes[] = {
    {"GET", "/api/alertd/v1/why", HTTP_SCOPE_READ, 0, get_why,
     "why an alert was sent by an instant, or was not"},
};

const struct api_table api_why_routes = {routes, sizeof(routes) / sizeof(routes[0])};
