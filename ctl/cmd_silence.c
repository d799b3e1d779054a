/*
 * alertctl silence ... and alertctl alert list: what fires, and what nobody wants to be told of.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/cmd.h"
#include "ctl/table.h"
#include "lib/json/write.h"
#include "lib/model/duration.h"

enum {
    AGO_MAX = DURATION_TEXT_MAX + 8,
    BODY_MAX = 64 * 1024,
    TEXT_MAX = 64 * 1024,
};

static bool flag(const struct json *object, const char *key)
{
    bool value = false;

    (void)json_get_bool(object, key, &value, NULL);
    return value;
}

/* `severity="page", team=~"db|web"` */
static void add_matchers(const struct json *silence, struct str *out)
{
    static const char *const operators[2][2] = {{"!=", "="}, {"!~", "=~"}};
    const struct json *list = NULL;

    (void)json_get_array(silence, "matchers", &list, NULL);
    for (size_t i = 0; list && i < json_length(list); i++) {
        const struct json *one = json_at(list, i);
        struct json_out json = JSON_OUT(out);

        str_addf(out, "%s%s%s", i ? ", " : "", answer_text(one, "name"),
                 operators[flag(one, "isRegex")][flag(one, "isEqual")]);
        json_string(&json, answer_text(one, "value"));
    }
}

/* ?filter=...&filter=... */
static void add_filters(const struct ctl *ctl, char first, struct str *path)
{
    for (int i = 0; i < ctl->n_arguments; i++) {
        str_addc(path, i ? '&' : first);
        str_add(path, "filter=");
        add_encoded(path, ctl->arguments[i]);
    }
}

/* --- silence list --- */

/* ` next 2026-11-28T01:00Z and 2026-11-29T01:00Z`: what a window comes to. */
static void add_next(const struct json *silence, struct str *out)
{
    const struct json *next = NULL;

    if (answer_text(silence, "muting_until"))
        str_addf(out, ", now until %.16sZ", answer_text(silence, "muting_until"));
    (void)json_get_array(silence, "next", &next, NULL);
    for (size_t i = 0; next && i < json_length(next); i++)
        str_addf(out, "%s %.16sZ", i ? " and" : ", next", answer_text(json_at(next, i), "from"));
}

static void list_silence(struct table *table, const struct json *silence)
{
    STR_AUTO struct str matchers = STR_INIT(TEXT_MAX);
    STR_AUTO struct str window = STR_INIT(TEXT_MAX);
    const char *end = "by hand";
    char ends[AGO_MAX];
    char matches[24];
    int64_t n = 0;

    (void)json_get_int_or(silence, "matches_now", 0, &n, NULL);
    (void)snprintf(matches, sizeof(matches), "%" PRId64, n);
    add_matchers(silence, &matchers);
    if (answer_text(silence, "window_text"))
        str_add(&window, answer_text(silence, "window_text"));
    add_next(silence, &window);
    if (flag(silence, "until_resolved"))
        end = "when resolved";
    else if (answer_text(silence, "ends_at"))
        end = ago(answer_text(silence, "ends_at"), ends, AGO_MAX);
    TABLE_ROW(table, answer_text(silence, "id"), answer_text(silence, "state"), end, matches,
              answer_text(silence, "created_by"), str_text(&matchers),
              window.len ? str_text(&window) : "always", answer_text(silence, "comment"));
}

enum ctl_exit cmd_silence_list(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(TEXT_MAX);
    const char *state = ctl_option(ctl, "state");
    const struct json *list = NULL;
    struct json *root;

    str_add(&path, "/api/alertd/v1/silences?state=");
    add_encoded(&path, state ? state : "pending,active");
    add_filters(ctl, '&', &path);
    enum ctl_exit r = call_json(ctl, &(struct call){.method = "GET", .path = str_text(&path)},
                                &root);
    if (r != CTL_OK || !root)
        return r;
    if (json_get_array(root, "silences", &list, NULL) == 0 && json_length(list) > 0) {
        struct table table = TABLE("ID", "STATE", "ENDS", "MATCHES", "BY", "MATCHERS", "WHEN",
                                   "COMMENT");

        for (size_t i = 0; i < json_length(list); i++)
            list_silence(&table, json_at(list, i));
        table_print(&table);
    } else {
        (void)printf("No silences.\n");
    }
    json_free(root);
    return CTL_OK;
}

/* --- silence add, expire, extend --- */

/* What came of it, and a warning on stderr when it mutes nothing. */
static void print_silence(const struct json *silence)
{
    STR_AUTO struct str matchers = STR_INIT(TEXT_MAX);
    STR_AUTO struct str window = STR_INIT(TEXT_MAX);
    const char *ends = answer_text(silence, "ends_at");
    int64_t n = 0;

    (void)json_get_int_or(silence, "matches_now", 0, &n, NULL);
    add_matchers(silence, &matchers);
    add_next(silence, &window);
    (void)printf("%s\n", answer_text(silence, "id"));
    if (answer_text(silence, "window_text"))
        (void)printf("  %s%s\n", answer_text(silence, "window_text"), str_text(&window));
    (void)printf("  %s, until %s%s\n  %s\n  matches %" PRId64 " of what fires now\n",
                 answer_text(silence, "state"), ends ? ends : "ended by hand",
                 flag(silence, "until_resolved") ? " or until what it matches is over" : "",
                 str_text(&matchers), n);
    if (answer_text(silence, "warning"))
        (void)fprintf(stderr, "warning: %s\n", answer_text(silence, "warning"));
}

static enum ctl_exit send(struct ctl *ctl, const char *method, const char *path, const char *body)
{
    struct json *root;
    enum ctl_exit r = call_json(ctl, &(struct call){.method = method, .path = path, .body = body},
                                &root);

    if (r == CTL_OK && root)
        print_silence(root);
    json_free(root);
    return r;
}

static bool read_duration(const struct ctl *ctl, const char *text, int64_t *ret_ms)
{
    if (duration_parse(text, strlen(text), ret_ms) == 0 && *ret_ms > 0)
        return true;
    (void)ctl_fail(ctl, "\"%s\" is no duration: write 30m, 2h, 1d", text);
    return false;
}

enum ctl_exit cmd_silence_add(struct ctl *ctl)
{
    STR_AUTO struct str body = STR_INIT(BODY_MAX);
    struct json_out out = JSON_OUT(&body);
    const char *duration = ctl_option(ctl, "for");
    const char *comment = ctl_option(ctl, "comment");
    const char *window = ctl_option(ctl, "window");
    bool until_resolved = ctl_option(ctl, "until-resolved") != NULL;
    int64_t duration_ms = 0;

    if (!comment || !*comment)
        return ctl_fail(ctl, "--comment is needed: say why, for whoever finds it later");
    if (!duration && !until_resolved && !window)
        return ctl_fail(ctl, "--for, --until-resolved or --window is needed: a silence must end");
    if (duration && !read_duration(ctl, duration, &duration_ms))
        return CTL_FAILURE;
    json_open(&out, '{');
    json_key(&out, "matchers");
    json_open(&out, '[');
    for (int i = 0; i < ctl->n_arguments; i++)
        json_string(&out, ctl->arguments[i]);
    json_close(&out, ']');
    if (duration)
        json_kv_int(&out, "duration_ms", duration_ms);
    if (until_resolved)
        json_kv_bool(&out, "until_resolved", true);
    if (window)
        json_kv_string(&out, "window", window);
    if (ctl_option(ctl, "start"))
        json_kv_string(&out, "starts_at", ctl_option(ctl, "start"));
    json_kv_string(&out, "comment", comment);
    json_close(&out, '}');
    if (body.full)
        return ctl_fail(ctl, "the text is longer than %d bytes", BODY_MAX);
    return send(ctl, "POST", "/api/alertd/v1/silences", str_text(&body));
}

enum ctl_exit cmd_silence_expire(struct ctl *ctl)
{
    enum ctl_exit r = CTL_OK;

    for (int i = 0; i < ctl->n_arguments; i++) {
        STR_AUTO struct str path = STR_INIT(TEXT_MAX);

        str_add(&path, "/api/alertd/v1/silences/");
        add_encoded(&path, ctl->arguments[i]);
        enum ctl_exit one = send(ctl, "DELETE", str_text(&path), NULL);
        r = r == CTL_OK ? one : r;
    }
    return r;
}

enum ctl_exit cmd_silence_extend(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(TEXT_MAX);
    STR_AUTO struct str body = STR_INIT(BODY_MAX);
    int64_t duration_ms = 0;

    if (!read_duration(ctl, ctl->arguments[1], &duration_ms))
        return CTL_FAILURE;
    str_add(&path, "/api/alertd/v1/silences/");
    add_encoded(&path, ctl->arguments[0]);
    str_add(&path, "/extend");
    str_addf(&body, "{\"duration_ms\":%" PRId64 "}", duration_ms);
    return send(ctl, "POST", str_text(&path), str_text(&body));
}

/* --- alert list --- */

/* "silenced", "inhibited", "muted" or "active". */
static const char *state_of(const struct json *alert)
{
    static const struct {
        const char *key, *word;
    } states[] = {
        {"silenced_by", "silenced"}, {"inhibited_by", "inhibited"}, {"muted_by", "muted"}};

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        const struct json *list = NULL;

        if (json_get_array(alert, states[i].key, &list, NULL) == 0 && json_length(list) > 0)
            return states[i].word;
    }
    return "active";
}

static void list_alert(struct table *table, const struct json *alert)
{
    STR_AUTO struct str labels = STR_INIT(TEXT_MAX);
    const struct json *object = NULL;
    const struct json *value = NULL;
    const char *incident = answer_text(alert, "incident");
    const char *name = answer_text(alert, "name");
    const char *key = NULL;
    char since[AGO_MAX];

    (void)json_get_object(alert, "labels", &object, NULL);
    for (size_t i = 0; json_member(object, i, &key, &value); i++)
        if (strcmp(key, "alertname") != 0)
            str_addf(&labels, "%s%s=%s", labels.len ? " " : "", key,
                     json_text(value) ? json_text(value) : "");
    TABLE_ROW(table, name ? name : "-", state_of(alert),
              ago(answer_text(alert, "starts_at"), since, AGO_MAX), answer_text(alert, "source"),
              incident ? incident : "-", str_text(&labels));
}

enum ctl_exit cmd_alert_list(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(TEXT_MAX);
    const struct json *list = NULL;
    struct json *root;

    str_add(&path, "/api/alertd/v1/alerts");
    add_filters(ctl, '?', &path);
    enum ctl_exit r = call_json(ctl, &(struct call){.method = "GET", .path = str_text(&path)},
                                &root);
    if (r != CTL_OK || !root)
        return r;
    if (json_get_array(root, "alerts", &list, NULL) == 0 && json_length(list) > 0) {
        struct table table = TABLE("ALERT", "STATE", "SINCE", "SOURCE", "INCIDENT", "LABELS");

        for (size_t i = 0; i < json_length(list); i++)
            list_alert(&table, json_at(list, i));
        table_print(&table);
    } else {
        (void)printf("Nothing fires.\n");
    }
    json_free(root);
    return CTL_OK;
}
