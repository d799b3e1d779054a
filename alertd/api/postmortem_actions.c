/*
 * The calls about actions: what was promised, by whom, until when, and how one will know.
 *
 * One that carries a rule is done when that rule is live: alertd looks.
 */

#include <string.h>

#include "alertd/api/postmortem_call.h"
#include "alertd/api/postmortem_rule.h"
#include "alertd/api/read.h"
#include "lib/base/clock.h"

enum {
    ACTION_TEXT_MAX = 2000,
    ACTION_RULE_MAX = 32 * 1024,
    READ_BYTES_MAX = 32 * 1024 * 1024,
};

struct saving {
    const struct api *api;
    struct action_row action;
    const char *who;
    int64_t now_ms;
    int64_t id;
};

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

static int job_save(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct saving *saving = arg;

    return action_db_save(conn, &saving->action, saving->who, saving->now_ms, &saving->id, reterr);
}

/* Members that are in the body replace what is there. */
static bool fill_texts(const struct json *body,
                       struct action_row *action,
                       struct http_response *response)
{
    const struct {
        const char *name;
        size_t max;
        const char **text;
    } texts[] = {
        {"text", ACTION_TEXT_MAX, &action->text},
        {"type", 20, &action->type},
        {"tag", 20, &action->tag},
        {"owner", POSTMORTEM_NAME_MAX, &action->owner},
        {"state", 20, &action->state},
        {"done_when", ACTION_TEXT_MAX, &action->done_when},
        {"proof_url", ACTION_TEXT_MAX, &action->proof_url},
        {"reason", ACTION_TEXT_MAX, &action->reason},
        {"rule_draft", ACTION_RULE_MAX, &action->rule_draft},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        const char *text = NULL;

        if (!postmortem_text(body, texts[i].name, texts[i].max, &text, response))
            return false;
        if (text)
            *texts[i].text = text;
    }
    return true;
}

static bool fill(const struct json *body, struct action_row *action, struct http_response *response)
{
    struct err err = {0};

    if (!fill_texts(body, action, response))
        return false;
    if (json_get(body, "due_at") && !postmortem_time(body, "due_at", &action->due_ms, response))
        return false;
    if (action->id && json_get_int(body, "revision", &action->revision, &err)) {
        http_fail(response, "bad_data", "revision: which one did you change?");
        return false;
    }
    const char *wrong = !action->text[strspn(action->text, " \t\r\n")] ? "text: say what"
                        : !is_one_of(action->type, action_types)
                            ? "type: prevent, detect, mitigate, process, repair or investigate"
                        : *action->tag && !is_one_of(action->tag, action_tags)
                            ? "tag: monitoring, alerting, oncall, process, capacity, failover, slo,"
                              " code, config or dependency"
                        : !is_one_of(action->state, action_states)
                            ? "state: open, doing, done or wont_do"
                        : *action->proof_url && strncmp(action->proof_url, "http://", 7) != 0 &&
                                strncmp(action->proof_url, "https://", 8) != 0
                            ? "proof_url: an address that begins with http:// or https://"
                            : NULL;

    if (wrong)
        http_fail(response, "bad_data", "%s", wrong);
    return !wrong;
}

/* A rule that is promised must be one, and is done when it is live. */
static bool check_rule(const struct saving *saving, struct http_response *response)
{
    const struct action_row *action = &saving->action;
    struct err err = {0};

    if (!*action->rule_draft)
        return true;
    int r = postmortem_rule_check(action->rule_draft, &err);

    if (r) {
        http_fail(response, "bad_data", "rule_draft: %s", err.text);
        return false;
    }
    if (strcmp(action->state, "done") != 0)
        return true;
    if (postmortem_rule_is_live(saving->api, action->incident, action->rule_draft, &err)) {
        http_fail(response, "conflict", "%s", err.text);
        return false;
    }
    return true;
}

static const char *const known[] = {"text",   "type",       "tag",       "owner",
                                    "due_at", "state",      "done_when", "proof_url",
                                    "reason", "rule_draft", "revision",  NULL};

static void handle_create(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    struct saving saving = {
        .api = context,
        .action = {.text = "",
                   .incident = "",
                   .type = "prevent",
                   .tag = "",
                   .owner = "",
                   .state = "open",
                   .done_when = "",
                   .proof_url = "",
                   .reason = "",
                   .rule_draft = ""},
        .who = request->who.name,
        .now_ms = clock_wall_ms(),
    };
    struct json *body = NULL;

    if (!postmortem_id(request->path_args[0], "", &saving.action.postmortem_id, response))
        return;
    if (postmortem_body(request, known, &body, response) && fill(body, &saving.action, response) &&
        check_rule(&saving, response)) {
        postmortem_change(context, saving.action.postmortem_id, job_save, &saving, response);
        if (response->status == 200)
            response->status = 201;
    }
    json_free(body);
}

static bool read_action(const struct api *api,
                        int64_t id,
                        struct arena *arena,
                        struct action_row *ret_action,
                        struct http_response *response)
{
    struct db_conn *conn = NULL;
    struct err err = {0};

    if (!api_read_begin(api, &conn, response))
        return false;
    int r = action_db_get(conn, id, arena, ret_action, &err);

    db_read_end(api->state, conn);
    if (r)
        postmortem_fail(response, r, &err);
    return r == 0;
}

static void handle_save(void *context, struct http_request *request, struct http_response *response)
{
    struct saving saving = {.api = context, .who = request->who.name, .now_ms = clock_wall_ms()};
    struct json *body = NULL;
    ARENA_AUTO struct arena arena;
    int64_t id;

    arena_init(&arena, READ_BYTES_MAX);
    if (!postmortem_id(request->path_args[0], "", &id, response) ||
        !read_action(context, id, &arena, &saving.action, response))
        return;
    if (postmortem_body(request, known, &body, response) && fill(body, &saving.action, response) &&
        check_rule(&saving, response))
        postmortem_change(context, saving.action.postmortem_id, job_save, &saving, response);
    json_free(body);
}

/* Of all documents: what is still owed, or all that was. */
static void handle_list(void *context, struct http_request *request, struct http_response *response)
{
    const char *open = http_query(request, "open");
    const struct action_query query = {
        .open_only = open && strcmp(open, "true") == 0,
        .owner = http_query(request, "owner"),
    };
    struct json_out out = JSON_OUT(&response->body);
    const struct api *api = context;
    struct action_row *actions = NULL;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};
    size_t n = 0;

    arena_init(&arena, READ_BYTES_MAX);
    if (!api_read_begin(api, &conn, response))
        return;
    int r = action_db_list(conn, &query, &arena, &actions, &n, &err);

    db_read_end(api->state, conn);
    if (r) {
        postmortem_fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "actions");
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++)
        postmortem_json_action(&out, &actions[i], clock_wall_ms());
    json_close(&out, ']');
    json_close(&out, '}');
}

static const struct http_route routes[] = {
    {"GET", "/api/alertd/v1/postmortem-actions", HTTP_SCOPE_READ, 0, handle_list,
     "actions of all postmortems; open=true, owner="},
    {"PUT", "/api/alertd/v1/postmortem-actions/{id}", HTTP_SCOPE_OPERATE, 0, handle_save,
     "change an action; the reply is its postmortem"},
    {"POST", POSTMORTEMS_PATH "/{id}/actions", HTTP_SCOPE_OPERATE, 0, handle_create,
     "promise something"},
};

const struct api_table api_postmortem_actions_routes = {routes, sizeof(routes) / sizeof(routes[0])};
