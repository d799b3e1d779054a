/*
 * Login, logout, tokens, and who am I. See docs/api.md.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/api/api.h"
#include "alertd/db/access_db.h"
#include "lib/base/clock.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

_Static_assert((int)ACCESS_PUSH == (int)HTTP_SCOPE_PUSH &&
                   (int)ACCESS_READ == (int)HTTP_SCOPE_READ &&
                   (int)ACCESS_OPERATE == (int)HTTP_SCOPE_OPERATE &&
                   (int)ACCESS_ADMIN == (int)HTTP_SCOPE_ADMIN,
               "a row's bits are the routes' bits");

static const char cookie_name[] = "watchbill_session";
static const enum access_scope all_scopes[] = {ACCESS_PUSH, ACCESS_READ, ACCESS_OPERATE,
                                               ACCESS_ADMIN};

static void fail(struct http_response *response, int code, const struct err *err)
{
    switch (code) {
    case ACCESS_E_UNKNOWN: http_fail(response, "not_found", "%s", err->text); break;
    case ACCESS_E_SLOW_DOWN:
        http_fail(response, "limited", "%s", err->text);
        http_add_header(response, "Retry-After", "60");
        break;
    case ACCESS_E_INVALID:
    case JSON_E_SYNTAX:
    case JSON_E_TYPE: http_fail(response, "bad_data", "%s", err->text); break;
    case DB_E_FULL: http_fail(response, "unavailable", "%s", err->text); break;
    default: http_fail(response, "internal", "%s", err->text);
    }
}

static void write_scopes(struct json_out *out, unsigned scopes)
{
    json_key(out, "scopes");
    json_open(out, '[');
    for (size_t i = 0; i < sizeof(all_scopes) / sizeof(all_scopes[0]); i++)
        if (scopes & all_scopes[i])
            json_string(out, access_scope_name(all_scopes[i]));
    json_close(out, ']');
}

/* --- who am I --- */

static void get_me(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    const struct http_identity *who = &request->who;
    struct json_out out = JSON_OUT(&response->body);

    json_open(&out, '{');
    json_kv_string(&out, "auth", api->auth_off ? "off" : "required");
    json_kv_string(&out, "name", who->scopes ? who->name : NULL);
    write_scopes(&out, who->scopes);
    json_kv_string(&out, "csrf", who->csrf[0] ? who->csrf : NULL);
    json_kv_string(&out, "version", api->version);
    json_kv_string(&out, "external_url", api->external_url);
    json_close(&out, '}');
}

/* --- login, logout --- */

/* Our cookie; an empty value with Max-Age=0 takes it away. */
static void set_cookie(const struct api *api,
                       struct http_request *request,
                       struct http_response *response,
                       const char *value,
                       int64_t max_age_s)
{
    char text[256];
    bool is_https = strncasecmp(api->external_url, "https:", 6) == 0;

    (void)snprintf(text, sizeof(text), "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Strict%s",
                   cookie_name, value, (long long)max_age_s, is_https ? "; Secure" : "");
    const char *kept = arena_strndup(request->arena, text, strlen(text));
    http_add_header(response, "Set-Cookie", kept ? kept : "");
}

/* A form of another site can send text/plain that reads as JSON, but not this type. */
static bool is_json(const struct http_request *request)
{
    const char *type = http_header(request, "Content-Type");

    return type && strncasecmp(type, "application/json", 16) == 0;
}

static void post_login(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    char cookie[ACCESS_COOKIE_TEXT_MAX];
    struct json *body = NULL;
    const char *token = "";
    struct err err = {0};

    if (!is_json(request)) {
        http_fail(response, "unsupported", "expected Content-Type: application/json");
        return;
    }
    int r = json_parse(request->body, request->body_len, &body, &err);
    if (r == 0)
        r = json_get_string(body, "token", &token, &err);
    if (r == 0)
        r = access_login(api->access, request->peer, token, clock_wall_ms(), cookie, &err);
    json_free(body);
    if (r == ACCESS_E_UNKNOWN) {
        log_warn(api->log, "access", "login failed", "peer=%s", request->peer);
        http_fail(response, "unauthorized", "%s", err.text);
    } else if (r != 0) {
        fail(response, r, &err);
    } else {
        response->status = 204;
        set_cookie(api, request, response, cookie, ACCESS_ABSOLUTE_MS / 1000);
    }
}

/* The value of our cookie, copied. */
static const char *cookie_of(struct http_request *request)
{
    const char *at = http_header(request, "Cookie");
    const char *found = at ? strstr(at, cookie_name) : NULL;

    if (!found || found[sizeof(cookie_name) - 1] != '=')
        return "";
    found += sizeof(cookie_name);
    const char *copy = arena_strndup(request->arena, found, strcspn(found, "; "));
    return copy ? copy : "";
}

static void post_logout(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct err err = {0};
    int r = access_logout(api->access, cookie_of(request), clock_wall_ms(), &err);

    if (r != 0) {
        fail(response, r, &err);
        return;
    }
    response->status = 204;
    set_cookie(api, request, response, "", 0);
}

/* --- tokens --- */

static void write_token(struct json_out *out, const struct access_token *token, const char *secret)
{
    json_open(out, '{');
    json_kv_int(out, "id", token->id);
    json_kv_string(out, "name", token->name);
    write_scopes(out, token->scopes);
    json_kv_time(out, "created_at", token->created_ms);
    json_kv_time(out, "expires_at", token->expires_ms);
    json_kv_time(out, "last_used_at", token->last_used_ms);
    json_kv_string(out, "agent", token->agent[0] ? token->agent : NULL);
    if (secret)
        json_kv_string(out, "token", secret);
    json_close(out, '}');
}

static void get_tokens(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    struct access_token *tokens = NULL;
    size_t n = 0;
    struct err err = {0};
    int r = access_list(api->access, request->arena, &tokens, &n, &err);

    if (r != 0) {
        fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "tokens");
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++)
        write_token(&out, &tokens[i], NULL);
    json_close(&out, ']');
    json_close(&out, '}');
}

/* Copies a field that has a ceiling, and no control characters: it lands in logs. */
static int take_name(const char *field, const char *text, char *place, struct err *reterr)
{
    if (strlen(text) > ACCESS_NAME_MAX)
        return err_set(reterr, ACCESS_E_INVALID, "%s: at most %d bytes", field, ACCESS_NAME_MAX);
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            return err_set(reterr, ACCESS_E_INVALID, "%s: has a control character", field);
    (void)snprintf(place, ACCESS_NAME_MAX + 1, "%s", text);
    return 0;
}

static int take_scopes(const struct json *body, unsigned *ret_scopes, struct err *reterr)
{
    const struct json *list;
    int r = json_get_array(body, "scopes", &list, reterr);

    if (r != 0)
        return r;
    *ret_scopes = 0;
    for (size_t i = 0; i < json_length(list); i++) {
        const char *name = json_text(json_at(list, i));
        unsigned scope = name ? access_scope_of(name) : 0;

        if (!scope)
            return err_set(reterr, ACCESS_E_INVALID,
                           "scopes[%zu]: expected push, read, operate or admin", i);
        *ret_scopes |= scope;
    }
    return 0;
}

static int read_token(const struct json *body, struct access_token *ret_token, struct err *reterr)
{
    static const char *const known[] = {"name", "scopes", "expires_at", "agent", NULL};
    const char *name = "";
    const char *expires = NULL;
    const char *agent = "";
    int r = json_only(body, known, reterr);

    if (r == 0)
        r = json_get_string(body, "name", &name, reterr);
    if (r == 0)
        r = take_name("name", name, ret_token->name, reterr);
    if (r == 0)
        r = take_scopes(body, &ret_token->scopes, reterr);
    if (r == 0)
        r = json_get_string_or(body, "agent", "", &agent, reterr);
    if (r == 0)
        r = take_name("agent", agent, ret_token->agent, reterr);
    if (r == 0)
        r = json_get_string_or(body, "expires_at", NULL, &expires, reterr);
    if (r == 0 && expires && clock_parse_rfc3339(expires, &ret_token->expires_ms) != 0)
        r = err_set(reterr, ACCESS_E_INVALID,
                    "expires_at: expected a time as 2030-01-31T00:00:00Z");
    return r;
}

static void post_tokens(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    struct access_token token = {0};
    char secret[ACCESS_TOKEN_TEXT_MAX];
    struct json *body = NULL;
    struct err err = {0};
    int r = json_parse(request->body, request->body_len, &body, &err);

    if (r == 0)
        r = read_token(body, &token, &err);
    json_free(body);
    if (r == 0)
        r = access_create(api->access, &token, request->who.name, clock_wall_ms(), secret, &token,
                          &err);
    if (r != 0) {
        fail(response, r, &err);
        return;
    }
    log_info(api->log, "access", "token created", "id=%lld by=\"%s\"", (long long)token.id,
             request->who.name);
    response->status = 201;
    write_token(&out, &token, secret);
}

static void delete_token(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    const struct api *api = context;
    struct err err = {0};
    char *end = NULL;

    errno = 0;
    int64_t id = strtoll(request->path_args[0], &end, 10);
    if (*end || errno || id < 1) {
        http_fail(response, "not_found", "there is no token %s", request->path_args[0]);
        return;
    }
    int r = access_revoke(api->access, id, clock_wall_ms(), &err);
    if (r != 0) {
        fail(response, r, &err);
        return;
    }
    log_info(api->log, "access", "token revoked", "id=%lld by=\"%s\"", (long long)id,
             request->who.name);
    response->status = 204;
}

static const struct http_route routes[] = {
    {"GET", "/api/alertd/v1/me", HTTP_SCOPE_NONE, HTTP_INLINE, get_me,
     "who this request comes from, and what they may do"},
    {"POST", "/api/alertd/v1/login", HTTP_SCOPE_NONE, 0, post_login,
     "a session cookie for who holds a token"},
    {"POST", "/api/alertd/v1/logout", HTTP_SCOPE_NONE, 0, post_logout, "end the session"},
    {"GET", "/api/alertd/v1/tokens", HTTP_SCOPE_ADMIN, 0, get_tokens, "tokens not revoked"},
    {"POST", "/api/alertd/v1/tokens", HTTP_SCOPE_ADMIN, 0, post_tokens,
     "make a token; its text is shown this once"},
    {"DELETE", "/api/alertd/v1/tokens/{id}", HTTP_SCOPE_ADMIN, 0, delete_token,
     "revoke a token and end its sessions"},
};

const struct api_table api_access_routes = {routes, sizeof(routes) / sizeof(routes[0])};
