/*
 * One call of alertd's API. See client.h.
 */

#include "ctl/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/missing.h"
#include "lib/net/http_client.h"

enum {
    REPLY_MS = 120000,
};

void add_encoded(struct str *url, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-._~", c) != NULL;

        if (plain)
            str_addc(url, (char)c);
        else
            str_addf(url, "%%%02X", (unsigned)c);
    }
}

/* `... 2:5: parse error: ...`: the place in the expression. */
static bool find_place(const char *words, unsigned long *ret_line, unsigned long *ret_column)
{
    for (const char *at = strpbrk(words, "123456789"); at; at = strpbrk(at, "123456789")) {
        char *end = NULL;

        *ret_line = strtoul(at, &end, 10);
        *ret_column = *end == ':' ? strtoul(end + 1, &end, 10) : 0;
        if (*ret_column > 0 && strncmp(end, ": parse error", 13) == 0)
            return true;
        at = end;
    }
    return false;
}

/* The line of the expression with the mistake, and a caret below its column (in bytes). */
static void show_place(const char *expression, const char *words)
{
    unsigned long line = 0;
    unsigned long column = 0;

    if (!find_place(words, &line, &column))
        return;
    while (--line > 0 && strchr(expression, '\n'))
        expression = strchr(expression, '\n') + 1;
    size_t len = strcspn(expression, "\n");
    (void)fprintf(stderr, "  %.*s\n  ", (int)len, expression);
    for (size_t i = 0; i + 1 < column && i < len; i++)
        if (expression[i] == '\t')
            (void)fputc('\t', stderr);
        else if (((unsigned char)expression[i] & 0xC0) != 0x80) /* a character, not a byte of one */
            (void)fputc(' ', stderr);
    (void)fputs("^\n", stderr);
}

/* alertd says what went wrong in "error"; anything else is shown as it came. */
static void complain(const struct ctl *ctl,
                     const struct call *call,
                     const struct http_response *reply)
{
    struct json *root = NULL;
    const char *words = NULL;

    if (reply->status == 401) {
        (void)ctl_fail(ctl,
                       "%s asks who you are: set ALERTD_TOKEN or give --token-file "
                       "(the first one is in <storage.path>/admin.token)",
                       ctl->url);
        return;
    }
    if (json_parse(reply->body, reply->body_len, &root, NULL) == 0 && json_is_object(root))
        (void)json_get_string(root, "error", &words, NULL);
    if (words)
        (void)ctl_fail(ctl, "%s", words);
    else
        (void)ctl_fail(ctl, "%s answered %d: %.200s", ctl->url, reply->status, reply->body);
    if (words && call->expression)
        show_place(call->expression, words);
    if (words) /* why may lie in what could not be read */
        missing_tell_of(root);
    json_free(root);
}

enum ctl_exit call_text(const struct ctl *ctl, const struct call *call, char **ret_body)
{
    STR_AUTO struct str url = STR_INIT(64 * 1024);
    STR_AUTO struct str bearer = STR_INIT(4200);
    struct http_client *client = http_client_new();
    struct http_header headers[2];
    struct http_response reply = {0};
    struct err err = {0};
    enum ctl_exit status = CTL_FAILURE;
    size_t n = 0;

    str_addf(&url, "%s%s", ctl->url, call->path);
    if (ctl->token) {
        str_addf(&bearer, "Bearer %s", ctl->token);
        headers[n++] = (struct http_header){"Authorization", str_text(&bearer)};
    }
    if (call->body)
        headers[n++] = (struct http_header){
            "Content-Type", call->content_type ? call->content_type : "application/json"};

    struct http_request request = {
        .method = call->method,
        .url = str_text(&url),
        .headers = headers,
        .n_headers = n,
        .body = call->body,
        .body_len = call->body ? strlen(call->body) : 0,
        .timeout_ms = REPLY_MS,
        .response_max = CALL_REPLY_MAX,
    };
    int r = http_client_send(client, &request, &reply, &err);
    if (r != 0 && !call->quiet) {
        (void)ctl_fail(ctl, "%s%s", err.text,
                       r == HTTP_E_CONNECT ? " (is alertd running? --url or ALERTD_URL says where)"
                                           : "");
    } else if (r == 0 && reply.status / 100 == 2) {
        *ret_body = reply.body;
        reply.body = NULL;
        status = CTL_OK;
    } else if (r == 0 && !call->quiet) {
        complain(ctl, call, &reply);
    }
    if (r == 0)
        http_response_done(&reply);
    http_client_free(client);
    return status;
}

enum ctl_exit call_json(const struct ctl *ctl, const struct call *call, struct json **ret_root)
{
    char *body = NULL;
    struct err err = {0};
    enum ctl_exit status = call_text(ctl, call, &body);

    bool is_printed = ctl->json && !call->kept;

    *ret_root = NULL;
    if (status == CTL_OK && is_printed)
        (void)puts(body);
    if (status == CTL_OK && (!is_printed || call->judged) &&
        json_parse_upto(body, strlen(body), CALL_REPLY_MAX, ret_root, &err) != 0)
        status = ctl_fail(ctl, "the answer is no JSON: %s", err.text);
    free(body);
    return status;
}
