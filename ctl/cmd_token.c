/*
 * alertctl token ...: who may call, and what they may do.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/cmd.h"
#include "ctl/table.h"
#include "lib/json/write.h"
#include "lib/model/duration.h"

#define TOKENS "/api/alertd/v1/tokens"

enum {
    AGO_MAX = DURATION_TEXT_MAX + 8,
};

static void add_scopes(struct json_out *out, const char *scopes)
{
    json_key(out, "scopes");
    json_open(out, '[');
    while (*scopes) {
        size_t len = strcspn(scopes, ",");

        json_stringn(out, scopes, len);
        scopes += len + (scopes[len] == ',');
    }
    json_close(out, ']');
}

enum ctl_exit cmd_token_create(struct ctl *ctl)
{
    STR_AUTO struct str body = STR_INIT(16 * 1024);
    struct json_out out = JSON_OUT(&body);
    struct json *root;
    const char *scopes = ctl_option(ctl, "scope");
    const char *agent = ctl_option(ctl, "agent");
    const char *expires = ctl_option(ctl, "expires");
    const char *secret = "";

    json_open(&out, '{');
    json_kv_string(&out, "name", ctl->arguments[0]);
    add_scopes(&out, scopes ? scopes : "read");
    if (agent)
        json_kv_string(&out, "agent", agent);
    if (expires)
        json_kv_string(&out, "expires_at", expires);
    json_close(&out, '}');

    enum ctl_exit r = call_json(
        ctl, &(struct call){.method = "POST", .path = TOKENS, .body = str_text(&body)}, &root);
    if (r != CTL_OK || !root)
        return r;
    if (json_get_string(root, "token", &secret, NULL) != 0)
        r = ctl_fail(ctl, "the answer holds no token");
    else if (ctl_option(ctl, "quiet"))
        (void)puts(secret);
    else
        (void)printf("%s\n\nKeep it now: only its hash is stored, it can't be shown again.\n",
                     secret);
    json_free(root);
    return r;
}

/* ["push","read"] -> "push,read" */
static const char *join(const struct json *list, struct str *text)
{
    str_cut(text, 0);
    for (size_t i = 0; i < json_length(list); i++)
        str_addf(text, "%s%s", i ? "," : "", json_text(json_at(list, i)));
    return str_text(text);
}

static void add_token_row(struct table *table, const struct json *token)
{
    STR_AUTO struct str scopes = STR_INIT(256);
    const struct json *list = NULL;
    const char *name = NULL;
    const char *agent = NULL;
    const char *used = NULL;
    const char *expires = NULL;
    int64_t id = 0;
    char number[32];
    char used_text[AGO_MAX];
    char expires_text[AGO_MAX];

    (void)json_get_int(token, "id", &id, NULL);
    (void)json_get_string(token, "name", &name, NULL);
    (void)json_get_array(token, "scopes", &list, NULL);
    (void)json_get_string_or(token, "agent", NULL, &agent, NULL);
    (void)json_get_string_or(token, "last_used_at", NULL, &used, NULL);
    (void)json_get_string_or(token, "expires_at", NULL, &expires, NULL);
    (void)snprintf(number, sizeof(number), "%lld", (long long)id);
    TABLE_ROW(table, number, list ? join(list, &scopes) : "", agent, ago(used, used_text, AGO_MAX),
              expires ? ago(expires, expires_text, AGO_MAX) : "never", name);
}

enum ctl_exit cmd_token_list(struct ctl *ctl)
{
    struct table table = TABLE("ID", "SCOPES", "AGENT", "LAST USED", "EXPIRES", "NAME");
    const struct json *list = NULL;
    struct json *root;
    enum ctl_exit r = call_json(ctl, &(struct call){.method = "GET", .path = TOKENS}, &root);

    if (r != CTL_OK || !root)
        return r;
    if (json_get_array(root, "tokens", &list, NULL) == 0)
        for (size_t i = 0; i < json_length(list); i++)
            add_token_row(&table, json_at(list, i));
    table_print(&table);
    json_free(root);
    return CTL_OK;
}

enum ctl_exit cmd_token_revoke(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(1024);
    char *body = NULL;

    str_add(&path, TOKENS "/");
    add_encoded(&path, ctl->arguments[0]);
    enum ctl_exit r = call_text(ctl, &(struct call){.method = "DELETE", .path = str_text(&path)},
                                &body);
    free(body);
    if (r == CTL_OK && !ctl->json)
        (void)printf("Token %s is revoked.\n", ctl->arguments[0]);
    return r;
}
