/*
 * What a rule would have done: the calls below /api/alertd/v1/tunings, each a question with one answer,
 * and a rule stored anew with what was found. See tuning.h.
 *
 *   POST tunings            every threshold x `for` at once, and the series to draw
 *   POST tunings/episodes   one setting, alert by alert, with keep_firing_for
 *   POST tunings/hysteresis firing at one threshold, clearing at another: the rule that does so
 *   POST tunings/preview    what somebody would have read of one of those alerts
 *   POST tunings/explain    why it did or did not fire at an instant
 *   POST tunings/faults     the smallest outage it catches
 *   POST tunings/unit       a unit test made of one of those alerts
 *   PUT  rules/{id}         the rule with another text: a new version of it
 */

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/rules_import.h"
#include "alertd/api/tuning.h"
#include "alertd/db/rule_db.h"
#include "alertd/rule/edit.h"
#include "alertd/tune/hysteresis.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    RUN_MS = 15000,       /* a written rule is run so long while somebody waits */
    EVEN_THRESHOLDS = 24, /* besides those that the data ask for */
    FILES_BYTES_MAX = 256 << 20,
};

static int read_body(const struct api *api,
                     const struct http_request *request,
                     const char *const *known,
                     struct json **ret_body,
                     struct tuning *tuning,
                     struct err *reterr)
{
    int r = json_parse(request->body, request->body_len, ret_body, reterr);

    if (r == 0 && json_is_object(*ret_body))
        r = json_only(*ret_body, known, reterr);
    if (r)
        return TUNED_E_BAD;
    return tuning_read(api, request, *ret_body, tuning, reterr);
}

/* What every question has. */
#define QUESTION                                                                          \
    "rule", "yaml", "expr", "interval_ms", "from", "to", "choice", "threshold", "for_ms", \
        "keep_firing_for_ms", "incidents", "turned", "zone", "drill", "session", "ingest_lag_ms"

/* --- the whole surface --- */

static void post_tuning(void *context, struct http_request *request, struct http_response *response)
{
    static const char *const known[] = {QUESTION, "columns", NULL};
    struct json_out out = JSON_OUT(&response->body);
    struct tuning tuning = {0};
    struct tune_result result = {0};
    struct json *body = NULL;
    struct err err = {0};
    int r = read_body(context, request, known, &body, &tuning, &err);

    if (r == 0) {
        struct tune_ask ask = tuning_ask(&tuning);
        ask.has_also = tuning.has_setting || tuning.for_ms != tuning.tuned.rule->for_ms;
        ask.also_threshold = tuning.has_setting ? tuning.threshold : (double)NAN;
        ask.also_for_ms = tuning.for_ms;
        ask.columns = tuning.columns;
        ask.n_even = EVEN_THRESHOLDS;
        r = tuning_run(&tuning, &ask, &result, &err);
    }
    if (r)
        tuned_fail(response, tuning.past.told, r, &err);
    else
        tuning_write(&tuning, &result, &out);
    tune_result_done(&result);
    tuning_done(&tuning);
    json_free(body);
}

/* --- one setting --- */

static int run_setting(const struct tuning *tuning,
                       struct tune_result *ret_result,
                       struct tuned_rule *ret_rule,
                       struct err *reterr)
{
    struct rule rule = *tuning->tuned.rule;
    struct tune_ask ask = tuning_ask(tuning);

    rule.for_ms = tuning->for_ms;
    rule.keep_firing_for_ms = tuning->keep_ms;
    ask.rule = &rule;
    ask.for_ms = tuning->for_ms;
    ask.has_threshold = tuning->has_setting;
    ask.threshold = tuning->threshold;
    int r = tuning_run(tuning, &ask, ret_result, reterr);
    if (r)
        return r;
    return tuning_rule_of(tuning, ret_result->choice,
                          tuning->has_setting ? tuning->threshold : ret_result->choice->now,
                          ret_rule, reterr);
}

static void post_episodes(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    static const char *const known[] = {QUESTION, NULL};
    struct json_out out = JSON_OUT(&response->body);
    struct tuning tuning = {0};
    struct tune_result result = {0};
    struct tuned_rule rule = {0};
    struct json *body = NULL;
    struct err err = {0};
    int r = read_body(context, request, known, &body, &tuning, &err);

    if (r == 0)
        r = run_setting(&tuning, &result, &rule, &err);
    if (r)
        tuned_fail(response, tuning.past.told, r, &err);
    else
        tuning_write_episodes(&tuning, &result, &rule, &out);
    tuned_rule_done(&rule);
    tune_result_done(&result);
    tuning_done(&tuning);
    json_free(body);
}

static void post_unit(void *context, struct http_request *request, struct http_response *response)
{
    static const char *const known[] = {QUESTION, "at", "labels", NULL};
    STR_AUTO struct str text = STR_INIT(YAML_BYTES_MAX);
    struct json_out out = JSON_OUT(&response->body);
    struct tuning tuning = {0};
    struct tune_result result = {0};
    struct tuned_rule rule = {0};
    struct json *body = NULL;
    struct err err = {0};
    int r = read_body(context, request, known, &body, &tuning, &err);

    if (r == 0)
        r = run_setting(&tuning, &result, &rule, &err);
    if (r == 0)
        r = tuning_unit(&tuning, body, &result, rule.rule, &text, &err);
    if (r) {
        tuned_fail(response, tuning.past.told, r, &err);
    } else {
        json_open(&out, '{');
        json_kv_string(&out, "yaml", str_text(&text));
        told_json(tuning.past.told, &out);
        json_close(&out, '}');
    }
    tuned_rule_done(&rule);
    tune_result_done(&result);
    tuning_done(&tuning);
    json_free(body);
}

/* Firing above one threshold and clearing below another: the rule that does so, in the same words as the
 * command line's, evaluated step by step over our own store. */
static void write_hysteresis(const struct tuning *tuning,
                             const struct hysteresis_written *written,
                             struct json_out *out)
{
    struct rule rule = *tuning->tuned.rule;
    STR_AUTO struct str yaml = STR_INIT(TUNED_YAML_MAX);

    rule.expr_text = str_text(&written->expr);
    rule.for_ms = rule.keep_firing_for_ms = 0;
    rule_print(&rule, 0, &yaml);
    json_open(out, '{');
    json_kv_string(out, "none", written->none);
    if (written->is_there) {
        json_kv_float(out, "fires_at", written->on);
        json_kv_float(out, "clears_at", written->off);
        json_kv_int(out, "alerts", (int64_t)written->pair.alerts);
        json_kv_string(out, "expr", str_text(&written->expr));
        json_kv_string(out, "yaml", str_text(&yaml));
        if (written->was_run)
            json_kv_int(out, "run_alerts", (int64_t)written->ran.alerts);
    }
    told_json(tuning->past.told, out);
    json_close(out, '}');
}

static bool is_enough(const void *until_ms)
{
    return clock_mono_ms() >= *(const int64_t *)until_ms;
}

static int look_for_pair(const struct tuning *tuning,
                         struct tune_result *result,
                         struct hysteresis_written *written,
                         struct err *reterr)
{
    struct tune_ask ask = tuning_ask(tuning);
    struct tuned_over over;
    int r = tuning_run(tuning, &ask, result, reterr);

    if (r == 0)
        r = tuning_over_begin(tuning, &over, reterr);
    if (r)
        return r;
    int64_t until_ms = clock_mono_ms() + RUN_MS;
    const struct hysteresis_over run = {&over.source, tuning->past.lag_ms, is_enough, &until_ms};
    r = hysteresis_write(&ask, result, &run, written, reterr);
    tuned_over_done(&over);
    return tuned_over_code(&over, r, reterr);
}

static void post_hysteresis(void *context,
                            struct http_request *request,
                            struct http_response *response)
{
    static const char *const known[] = {QUESTION, NULL};
    struct json_out out = JSON_OUT(&response->body);
    struct tuning tuning = {0};
    struct tune_result result = {0};
    struct hysteresis_written written = {0};
    struct json *body = NULL;
    struct err err = {0};
    int r = read_body(context, request, known, &body, &tuning, &err);

    if (r == 0)
        r = look_for_pair(&tuning, &result, &written, &err);
    if (r)
        tuned_fail(response, tuning.past.told, r, &err);
    else
        write_hysteresis(&tuning, &written, &out);
    hysteresis_written_done(&written);
    tune_result_done(&result);
    tuning_done(&tuning);
    json_free(body);
}

/* Questions whose own part lies in a file of its own. */
static void answer_by(const struct api *api,
                      const struct http_request *request,
                      const char *const *known,
                      void (*answer)(const struct tuning *tuning,
                                     const struct json *body,
                                     struct http_response *response),
                      struct http_response *response)
{
    struct tuning tuning = {0};
    struct json *body = NULL;
    struct err err = {0};
    int r = read_body(api, request, known, &body, &tuning, &err);

    if (r)
        tuned_fail(response, tuning.past.told, r, &err);
    else
        answer(&tuning, body, response);
    tuning_done(&tuning);
    json_free(body);
}

static void post_preview(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    static const char *const known[] = {QUESTION, "at", "labels", NULL};

    answer_by(context, request, known, tuning_preview, response);
}

static void post_explain(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    static const char *const known[] = {QUESTION, "at", NULL};

    answer_by(context, request, known, tuning_explain, response);
}

static void post_faults(void *context, struct http_request *request, struct http_response *response)
{
    static const char *const known[] = {QUESTION, "kind", "input", NULL};

    answer_by(context, request, known, tuning_faults, response);
}

/* --- the rule stored anew --- */

enum {
    SAVE_E_BAD = 1,
    SAVE_E_NOT_FOUND = 2,
    SAVE_E_CONFLICT = 3,
};

struct save {
    struct arena arena;
    int64_t id, version;
    struct rule_row row;
    const char *group; /* its group's name */
    const char *text;  /* of its file */
    struct rule_file *file, *wanted;
};

static int read_stored(struct db_conn *conn, struct save *save, struct err *reterr)
{
    struct rule_group_row *groups = NULL;
    struct rule_db_file *files = NULL;
    size_t n_groups = 0;
    size_t n = 0;
    int r = rule_db_get(conn, save->id, clock_wall_ms(), &save->arena, &save->row, reterr);

    if (r)
        return r == RULE_DB_E_NOT_FOUND ? SAVE_E_NOT_FOUND : r;
    r = rule_db_list(conn, clock_wall_ms(), &save->arena, &groups, &n_groups, reterr);
    for (size_t g = 0; g < n_groups && r == 0; g++)
        for (size_t i = 0; i < groups[g].n_rules; i++)
            if (groups[g].rules[i].id == save->id)
                save->group = groups[g].name;
    if (r == 0)
        r = rule_db_files(conn, &save->arena, &files, &n, reterr);
    for (size_t i = 0; i < n && r == 0; i++)
        if (strcmp(files[i].source, save->row.source) == 0)
            save->text = files[i].yaml;
    if (r == 0 && (!save->text || !save->group))
        return err_set(reterr, SAVE_E_NOT_FOUND, "rule %lld is in no file any more",
                       (long long)save->id);
    return r;
}

static int load(const struct api *api, struct save *save, struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = db_read_begin(api->state, &conn, reterr);

    if (r)
        return r;
    r = read_stored(conn, save, reterr);
    db_read_end(api->state, conn);
    if (r)
        return r;
    if (save->version != save->row.version)
        return err_set(reterr, SAVE_E_CONFLICT,
                       "somebody changed %s meanwhile: it has version %lld, not %lld",
                       save->row.name, (long long)save->row.version, (long long)save->version);
    return rule_file_parse(save->row.source, save->text, strlen(save->text), NULL, &save->file,
                           reterr);
}

static int read_wanted(struct save *save, const struct json *body, struct err *reterr)
{
    static const char *const known[] = {"yaml", "version", NULL};
    STR_AUTO struct str whole = STR_INIT(4 * TUNED_YAML_MAX);
    const char *yaml = NULL;

    if (!json_is_object(body))
        return err_set(reterr, SAVE_E_BAD, "the body: expected an object");
    if (json_only(body, known, reterr) || json_get_string(body, "yaml", &yaml, reterr) ||
        json_get_int(body, "version", &save->version, reterr))
        return SAVE_E_BAD;
    str_add(&whole, "groups:\n- name: wanted\n  rules:\n");
    for (const char *at = yaml; *at;) {
        size_t len = strcspn(at, "\n");
        str_addf(&whole, "  %.*s\n", (int)len, at);
        at += len + (at[len] == '\n');
    }
    struct err err = {0};
    if (whole.full ||
        rule_file_parse("yaml", str_text(&whole), whole.len, NULL, &save->wanted, &err))
        return err_set(reterr, SAVE_E_BAD, "yaml: %.300s",
                       whole.full ? "a rule has 256 KiB at most" : err.text);
    if (save->wanted->n_rules != 1 || save->wanted->n_groups != 1)
        return err_set(reterr, SAVE_E_BAD, "yaml: expected one rule");
    return 0;
}

static const struct rule *find_rule(const struct save *save)
{
    for (size_t g = 0; g < save->file->n_groups; g++) {
        const struct rule_group *group = &save->file->groups[g];
        for (size_t i = 0; i < group->n_rules && strcmp(group->name, save->group) == 0; i++)
            if (strcmp(group->rules[i].name, save->row.name) == 0 &&
                group->rules[i].is_alert == !save->row.is_recording)
                return &group->rules[i];
    }
    return NULL;
}

static int edit(struct save *save, struct str *out, struct err *reterr)
{
    const struct rule *wanted = &save->wanted->groups[0].rules[0];
    const struct rule *rule = find_rule(save);

    if (!rule)
        return err_set(reterr, SAVE_E_NOT_FOUND, "%s is not in its file any more", save->row.name);
    if (strcmp(wanted->name, rule->name) != 0 || wanted->is_alert != rule->is_alert)
        return err_set(reterr, SAVE_E_BAD, "yaml: its name stays %s", rule->name);
    return rule_edit(save->file, save->text, rule, wanted, out, reterr) ? SAVE_E_CONFLICT : 0;
}

/* Whoever came between the look and the write is noticed by the file's text. */
static int store(struct api *api,
                 const struct save *save,
                 const struct str *text,
                 const char *author,
                 struct rule_db_counts *ret_counts,
                 struct err *reterr)
{
    const struct rules_import_file file = {save->row.source, str_text(text), text->len, save->text};

    int r = rules_import(api->state, &file, 1, author, clock_wall_ms(), ret_counts, reterr);
    return r == RULES_IMPORT_E_CHANGED ? SAVE_E_CONFLICT : r;
}

static void answer_saved(struct api *api, const struct save *save, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct rule_row row = {0};
    struct db_conn *conn = NULL;
    struct arena arena;
    struct err err = {0};

    arena_init(&arena, 16 << 20);
    int r = db_read_begin(api->state, &conn, &err);
    if (r == 0) {
        r = rule_db_get(conn, save->id, clock_wall_ms(), &arena, &row, &err);
        db_read_end(api->state, conn);
    }
    if (r) {
        http_fail(response, "internal", "%s", err.text);
    } else {
        json_open(&out, '{');
        json_kv_int(&out, "id", row.id);
        json_kv_int(&out, "version", row.version);
        json_kv_string(&out, "source", row.source);
        json_close(&out, '}');
    }
    arena_reset(&arena);
}

static void fail_save(struct http_response *response, int code, const struct err *err)
{
    static const char *const types[] = {[SAVE_E_BAD] = "bad_data",
                                        [SAVE_E_NOT_FOUND] = "not_found",
                                        [SAVE_E_CONFLICT] = "conflict"};

    http_fail(response, code > 0 && code <= SAVE_E_CONFLICT ? types[code] : "internal", "%s",
              err->text);
}

static int save_rule(struct api *api,
                     const struct http_request *request,
                     struct save *save,
                     struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(YAML_BYTES_MAX);
    struct rule_db_counts counts;
    struct json *body = NULL;
    char *end = NULL;

    errno = 0;
    save->id = strtoll(request->path_args[0], &end, 10);
    if (errno || *end || save->id < 1)
        return err_set(reterr, SAVE_E_NOT_FOUND, "there is no rule \"%.40s\"",
                       request->path_args[0]);
    int r = json_parse(request->body, request->body_len, &body, reterr) ? SAVE_E_BAD : 0;
    if (r == 0)
        r = read_wanted(save, body, reterr);
    if (r == 0)
        r = load(api, save, reterr);
    if (r == 0)
        r = edit(save, &text, reterr);
    if (r == 0)
        r = store(api, save, &text, request->who.name, &counts, reterr);
    json_free(body);
    return r;
}

static void put_rule(void *context, struct http_request *request, struct http_response *response)
{
    struct api *api = context;
    struct save save = {0};
    struct err err = {0};

    arena_init(&save.arena, FILES_BYTES_MAX);
    int r = save_rule(api, request, &save, &err);
    if (r) {
        fail_save(response, r, &err);
    } else {
        api->wake(api->app, API_WAKE_RULES);
        http_hub_publish(api->hub, "rules", "{}");
        answer_saved(api, &save, response);
    }
    rule_file_unref(save.file);
    rule_file_unref(save.wanted);
    arena_reset(&save.arena);
}

static const struct http_route routes[] = {
    {"POST", "/api/alertd/v1/tunings", HTTP_SCOPE_READ, HTTP_SAFE_POST, post_tuning,
     "what a rule would have done at every threshold and for"},
    {"POST", "/api/alertd/v1/tunings/episodes", HTTP_SCOPE_READ, HTTP_SAFE_POST, post_episodes,
     "one setting of a rule, alert by alert"},
    {"POST", "/api/alertd/v1/tunings/hysteresis", HTTP_SCOPE_READ, HTTP_SAFE_POST, post_hysteresis,
     "a rule that fires above one threshold and clears below another, written"},
    {"POST", "/api/alertd/v1/tunings/unit", HTTP_SCOPE_READ, HTTP_SAFE_POST, post_unit,
     "a unit test made of one of those alerts"},
    {"POST", "/api/alertd/v1/tunings/preview", HTTP_SCOPE_READ, HTTP_SAFE_POST, post_preview,
     "what somebody would have read of one of them"},
    {"POST", "/api/alertd/v1/tunings/explain", HTTP_SCOPE_READ, HTTP_SAFE_POST, post_explain,
     "why a rule did or did not fire at an instant"},
    {"POST", "/api/alertd/v1/tunings/faults", HTTP_SCOPE_READ, HTTP_SAFE_POST, post_faults,
     "the smallest outage a rule catches, by faults put into copies of what it reads"},
    {"PUT", "/api/alertd/v1/rules/{id}", HTTP_SCOPE_ADMIN, 0, put_rule,
     "a rule with another text: a new version"},
};

const struct api_table api_tunings_routes = {routes, sizeof(routes) / sizeof(routes[0])};
