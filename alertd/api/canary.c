/*
 * Candidates of rules that run live and silent beside them.
 *
 *   POST .../rules/{id}/canary {yaml | expr, for_ms, keep_ms} --> it begins at the next evaluation
 *   GET  .../rules/{id}/canary --> pages of both since then: kept, moved, gained, lost
 *   GET  .../canaries          --> all of them, in a line each
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/canary_diff.h"
#include "alertd/api/tuned_rule.h"
#include "lib/base/clock.h"

enum {
    CANDIDATE_BYTES_MAX = 256 * 1024,
    READ_BYTES_MAX = 32 << 20,
};

static bool read_id(const struct http_request *request,
                    int64_t *ret_id,
                    struct http_response *response)
{
    char *end = NULL;

    errno = 0;
    *ret_id = strtoll(request->path_args[0], &end, 10);
    if (errno == 0 && *end == '\0' && *ret_id > 0)
        return true;
    http_fail(response, "not_found", "there is no rule \"%.40s\"", request->path_args[0]);
    return false;
}

static void fail(struct http_response *response, int code, const struct err *err)
{
    if (code == TRIAL_DB_E_NOT_FOUND)
        http_fail(response, "not_found", "%s", err->text);
    else if (code == TRIAL_DB_E_LIMIT)
        http_fail(response, "conflict", "%s", err->text);
    else
        tuned_fail(response, NULL, code, err);
}

/* --- POST --- */

struct put_job {
    int64_t rule_id;
    const char *yaml, *author;
    int64_t now_ms;
};

static int job_put(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct put_job *job = arg;

    return trial_db_put(conn, job->rule_id, job->yaml, job->author, job->now_ms, reterr);
}

/* The rule with other words, as a version's text. */
static int print_changed(const struct json *body,
                         const struct rule *rule,
                         struct str *out,
                         struct err *reterr)
{
    struct rule changed = *rule;

    if (json_get_string_or(body, "expr", rule->expr_text, &changed.expr_text, reterr) ||
        json_get_int_or(body, "for_ms", rule->for_ms, &changed.for_ms, reterr) ||
        json_get_int_or(body, "keep_ms", rule->keep_firing_for_ms, &changed.keep_firing_for_ms,
                        reterr))
        return TUNED_E_BAD;
    if (changed.for_ms < 0 || changed.keep_firing_for_ms < 0)
        return err_set(reterr, TUNED_E_BAD, "for_ms, keep_ms: milliseconds");
    rule_print(&changed, 0, out);
    return 0;
}

/* What will run: one alert of the rule's name, printed as versions are. */
static int read_candidate(const struct json *body,
                          const struct tuned_rule *rule,
                          struct str *out,
                          struct err *reterr)
{
    static const char *const known[] = {"yaml", "expr", "for_ms", "keep_ms", NULL};
    STR_AUTO struct str text = STR_INIT(CANDIDATE_BYTES_MAX);
    struct tuned_rule candidate = {0};
    const char *yaml = NULL;

    if (!json_is_object(body))
        return err_set(reterr, TUNED_E_BAD, "the body: expected an object");
    if (json_only(body, known, reterr) || json_get_string_or(body, "yaml", NULL, &yaml, reterr))
        return TUNED_E_BAD;
    int r = 0;
    if (yaml)
        str_add(&text, yaml);
    else
        r = print_changed(body, rule->rule, &text, reterr);
    if (r == 0)
        r = tuned_rule_by_text(str_text(&text), &candidate, reterr);
    if (r == 0 && strcmp(candidate.rule->name, rule->rule->name) != 0)
        r = err_set(
            reterr, TUNED_E_BAD,
            "yaml: it is called \"%.100s\", the rule \"%.100s\": pages could not be compared",
            candidate.rule->name, rule->rule->name);
    if (r == 0)
        rule_print(candidate.rule, 0, out);
    if (r == 0 && (out->full || text.full))
        r = err_set(reterr, TUNED_E_BAD, "yaml: 256 KiB at most");
    tuned_rule_done(&candidate);
    return r;
}

static void post_canary(void *context, struct http_request *request, struct http_response *response)
{
    struct api *api = context;
    STR_AUTO struct str yaml = STR_INIT(CANDIDATE_BYTES_MAX);
    struct tuned_rule rule = {0};
    struct put_job job = {.author = request->who.name, .now_ms = clock_wall_ms()};
    struct json_out out = JSON_OUT(&response->body);
    struct json *body = NULL;
    struct err err = {0};

    if (!read_id(request, &job.rule_id, response))
        return;
    if (json_parse(request->body, request->body_len, &body, &err)) {
        http_fail(response, "bad_data", "%s", err.text);
        return;
    }
    int r = tuned_rule_by_id(api, job.rule_id, &rule, &err);
    if (r == 0)
        r = read_candidate(body, &rule, &yaml, &err);
    job.yaml = str_text(&yaml);
    if (r == 0)
        r = db_write(api->state, job_put, &job, &err);
    if (r == 0) {
        api->wake(api->app, API_WAKE_RULES);
        response->status = 201;
        json_open(&out, '{');
        json_kv_int(&out, "rule_id", job.rule_id);
        json_kv_time(&out, "since", job.now_ms);
        json_kv_string(&out, "yaml", job.yaml);
        json_close(&out, '}');
    } else {
        fail(response, r, &err);
    }
    tuned_rule_done(&rule);
    json_free(body);
}

/* --- DELETE --- */

static int job_delete(struct db_conn *conn, void *arg, struct err *reterr)
{
    return trial_db_delete(conn, *(const int64_t *)arg, reterr);
}

static void delete_canary(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    struct api *api = context;
    struct err err = {0};
    int64_t id = 0;

    if (!read_id(request, &id, response))
        return;
    int r = db_write(api->state, job_delete, &id, &err);

    if (r) {
        fail(response, r, &err);
        return;
    }
    api->wake(api->app, API_WAKE_RULES);
    response->status = 204;
}

/* --- GET --- */

static void write_trial(const struct trial_row *trial, struct json_out *out)
{
    json_kv_int(out, "rule_id", trial->rule_id);
    json_kv_string(out, "rule", trial->rule);
    json_kv_string(out, "author", trial->author);
    json_kv_time(out, "since", trial->began_ms);
    json_kv_bool(out, "running", trial->is_live);
    /* the rule itself was changed since: what is compared is not what it was */
    json_kv_bool(out, "rule_changed", trial->version != trial->base_version);
    json_kv_int(out, "evaluations", trial->evaluations);
    json_kv_int(out, "failures", trial->failures);
    json_kv_string(out, "last_error", trial->last_error);
    json_kv_time(out, "last_evaluation", trial->last_ms);
    json_kv_string(out, "yaml", trial->yaml);
}

static void write_side(const char *name, const struct pages *pages, struct json_out *out)
{
    json_key(out, name);
    json_open(out, '{');
    json_kv_int(out, "alerts", (int64_t)pages->alerts);
    json_kv_int(out, "notifications", (int64_t)pages->notifications);
    json_kv_int(out, "pages", (int64_t)pages->n);
    json_kv_int(out, "nights", pages->nights);
    json_close(out, '}');
}

static int write_one(const struct api *api,
                     const struct trial_row *trial,
                     bool whole,
                     struct json_out *out,
                     struct err *reterr)
{
    struct canary_diff canary;
    int r = canary_diff_make(api->state, api->route, trial, 0, clock_wall_ms(), &canary, reterr);

    if (r == 0) {
        json_open(out, '{');
        write_trial(trial, out);
        write_side("current", &canary.pages[0], out);
        write_side("candidate", &canary.pages[1], out);
        if (whole) {
            diff_json(&canary.diff, &canary.sides[0], &canary.sides[1], out);
        } else {
            STR_AUTO struct str words = STR_INIT(1024);

            diff_words(&canary.diff, &words);
            json_kv_string(out, "words", str_text(&words));
        }
        json_close(out, '}');
    }
    canary_diff_done(&canary);
    return r;
}

/* rule_id 0: all. */
static int read_trials(const struct api *api,
                       int64_t rule_id,
                       struct arena *arena,
                       struct trial_row **ret_trials,
                       size_t *ret_n,
                       struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = db_read_begin(api->state, &conn, reterr);

    if (r)
        return r;
    if (rule_id == 0) {
        r = trial_db_list(conn, arena, ret_trials, ret_n, reterr);
    } else {
        *ret_n = 1;
        *ret_trials = arena_alloc(arena, sizeof(**ret_trials));
        r = *ret_trials ? trial_db_get(conn, rule_id, arena, *ret_trials, reterr)
                        : err_set(reterr, -ENOMEM, "no room");
    }
    db_read_end(api->state, conn);
    return r;
}

static void get_canary(void *context, struct http_request *request, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct trial_row *trials = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    int64_t id = 0;
    size_t n = 0;

    arena_init(&arena, READ_BYTES_MAX);
    if (!read_id(request, &id, response))
        return;
    int r = read_trials(context, id, &arena, &trials, &n, &err);
    if (r == 0)
        r = write_one(context, trials, true, &out, &err);
    if (r)
        fail(response, r, &err);
}

static void get_canaries(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct trial_row *trials = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    size_t n = 0;

    (void)request;
    arena_init(&arena, READ_BYTES_MAX);
    int r = read_trials(context, 0, &arena, &trials, &n, &err);

    if (r == 0) {
        json_open(&out, '{');
        json_key(&out, "canaries");
        json_open(&out, '[');
    }
    for (size_t i = 0; r == 0 && i < n; i++)
        r = write_one(context, &trials[i], false, &out, &err);
    if (r) {
        str_cut(&response->body, 0);
        fail(response, r, &err);
        return;
    }
    json_close(&out, ']');
    json_close(&out, '}');
}

static const struct http_route routes[] = {
    {"GET", "/api/alertd/v1/canaries", HTTP_SCOPE_READ, 0, get_canaries,
     "candidates of rules that run beside them"},
    {"GET", "/api/alertd/v1/rules/{id}/canary", HTTP_SCOPE_READ, 0, get_canary,
     "what a rule's candidate would have changed"},
    {"POST", "/api/alertd/v1/rules/{id}/canary", HTTP_SCOPE_ADMIN, 0, post_canary,
     "run a candidate beside a rule, silently"},
    {"DELETE", "/api/alertd/v1/rules/{id}/canary", HTTP_SCOPE_ADMIN, 0, delete_canary, "end it"},
};

const struct api_table api_canary_routes = {routes, sizeof(routes) / sizeof(routes[0])};
