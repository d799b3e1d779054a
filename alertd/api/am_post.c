/*
 * POST /api/v2/alerts: alerts in, as Alertmanager takes them. See am.h.
 *
 * What its framework refuses, it refuses whole (400 and 422 with a code). Of what passes, the
 * good alerts are taken in even when others are bad; the answer names those.
 */

#include <ctype.h>
#include <string.h>

#include "alertd/api/alerts_in.h"
#include "alertd/api/am.h"
#include "lib/base/clock.h"

enum {
    CODE_REQUIRED = 602,
    CODE_TYPE = 601,
    WORDS_BYTES_MAX = 4000,
};

/* One alert of the body. */
struct posted {
    const struct json *labels; /* an object; NULL: none */
    const struct json *annotations;
    int64_t starts_ms, ends_ms;
    const char *generator_url;
};

static bool refuse_body(struct http_response *response, const char *words)
{
    am_refuse(response, 400, 400, "parsing alerts body from \"\" failed, because %s", words);
    return false;
}

/* An absolute URL, or a path. */
static bool is_uri(const char *text)
{
    const char *at = text;

    for (const char *c = text; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 127)
            return false;
    if (*at == '/')
        return true;
    if (!isalpha((unsigned char)*at))
        return false;
    while (isalnum((unsigned char)*at) || (*at && strchr("+.-", *at)))
        at++;
    return *at == ':' && at[1];
}

static int read_object(const struct json *item,
                       const char *key,
                       const struct json **ret,
                       struct err *reterr)
{
    const struct json *value = NULL;
    const char *name = NULL;

    if (!json_has(item, key))
        return 0;
    int r = json_get_object(item, key, ret, reterr);

    for (size_t i = 0; r == 0 && json_member(*ret, i, &name, &value); i++)
        if (!json_text(value))
            r = err_set(reterr, JSON_E_TYPE, "%s.%.100s: expected a text", key, name);
    return r;
}

/* False: answered. */
static bool read_one(const struct json *item, struct posted *ret, struct http_response *response)
{
    struct err err = {0};
    int r = json_is_object(item) ? 0 : err_set(&err, JSON_E_TYPE, "an alert is an object");

    *ret = (struct posted){0};
    if (r == 0)
        r = read_object(item, "labels", &ret->labels, &err);
    if (r == 0)
        r = read_object(item, "annotations", &ret->annotations, &err);
    if (r == 0)
        r = alerts_in_time(item, "startsAt", &ret->starts_ms, &err);
    if (r == 0)
        r = alerts_in_time(item, "endsAt", &ret->ends_ms, &err);
    if (r == 0)
        r = json_get_string_or(item, "generatorURL", "", &ret->generator_url, &err);
    return r == 0 || refuse_body(response, err.text);
}

/* What the framework's schema asks for, of each before any is taken. */
static bool check_one(const struct posted *posted, size_t i, struct http_response *response)
{
    if (!posted->labels)
        am_refuse(response, 422, CODE_REQUIRED, "%zu.labels in body is required", i);
    else if (*posted->generator_url && !is_uri(posted->generator_url))
        am_refuse(response, 422, CODE_TYPE,
                  "%zu.generatorURL in body must be of type uri: \"%.200s\"", i,
                  posted->generator_url);
    else
        return true;
    return false;
}

static int add_one(struct alerts_in *in, const struct posted *posted, struct err *reterr)
{
    const struct labels *labels = NULL;
    const struct labels *annotations = labels_empty();
    int r = alerts_in_labels(posted->labels, &labels, reterr);

    if (r == 0 && posted->annotations)
        r = alerts_in_labels(posted->annotations, &annotations, reterr);
    if (r) {
        labels_unref(labels);
        return r;
    }
    return alerts_in_add(in, labels, annotations, posted->starts_ms, posted->ends_ms,
                         posted->generator_url, reterr);
}

/* All of the body's; what is wrong with single ones goes to `words`. False: answered. */
static bool read_all(const struct json *root,
                     struct alerts_in *in,
                     struct str *words,
                     size_t *ret_n_wrong,
                     struct http_response *response)
{
    size_t n = json_length(root);

    for (size_t i = 0; i < n; i++) {
        struct posted posted;

        if (!read_one(json_at(root, i), &posted, response))
            return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct posted posted;
        struct err err = {0};

        if (!read_one(json_at(root, i), &posted, response) || !check_one(&posted, i, response))
            return false;
        if (add_one(in, &posted, &err) && ++*ret_n_wrong)
            str_addf(words, "%s%s", words->len ? "; " : "", err.text);
    }
    return true;
}

static bool parse(const struct http_request *request,
                  struct json **ret_root,
                  struct http_response *response)
{
    struct err err = {0};

    if (request->who.agent[0]) {
        am_say(response, 403, "the token of agent %s writes its samples, no alerts",
               request->who.agent);
        return false;
    }
    if (request->body_len == 0) {
        am_refuse(response, 422, CODE_REQUIRED, "alerts in body is required");
        return false;
    }
    if (json_parse_upto(request->body, request->body_len, ALERTS_IN_BODY_MAX, ret_root, &err))
        return refuse_body(response, err.text);
    return json_is_array(*ret_root) || refuse_body(response, "a list of alerts is expected");
}

static void count(struct api *api, const struct alerts_in *in, size_t n_wrong)
{
    size_t n_firing = 0;

    for (size_t i = 0; i < in->n; i++)
        n_firing += in->at[i].is_firing;
    atomic_fetch_add(&api->posted_firing, n_firing);
    atomic_fetch_add(&api->posted_over, in->n - n_firing);
    atomic_fetch_add(&api->posted_invalid, n_wrong);
}

void am_post_alerts(void *context, struct http_request *request, struct http_response *response)
{
    STR_AUTO struct str words = STR_INIT(WORDS_BYTES_MAX);
    struct api *api = context;
    const struct route_config *config = api->route;
    size_t n_wrong = 0;
    struct alerts_in in = {.source = "alertmanager",
                           .now_ms = clock_wall_ms(),
                           .resolve_timeout_ms = config->resolve_timeout_ms};
    struct json *root = NULL;
    struct err err = {0};

    if (parse(request, &root, response) && read_all(root, &in, &words, &n_wrong, response)) {
        int r = alerts_in_commit(api, &in, &err);

        if (r)
            am_say(response, r == ALERTS_IN_E_MANY || r == DB_E_FULL ? 503 : 500, "%s", err.text);
        else if (words.len)
            am_say(response, 400, "%s", str_text(&words));
    }
    count(api, &in, n_wrong);
    json_free(root);
    alerts_in_done(&in);
}
