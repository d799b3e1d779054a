/*
 * alertctl template render: what a template of a notification makes of data.
 *
 *     alertctl template render --template.glob='team-*.tmpl' \
 *         --template.text='{{ template "team.title" . }}' --template.data=payload.json
 *
 * Data is what a webhook is sent (Alertmanager's payload, version 4); without it there is an
 * alert of ours to look at. Offline.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/template/notice.h"
#include "ctl/answer.h"
#include "ctl/cmd.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/json/read.h"

enum {
    ARENA_BYTES = 32 * 1024 * 1024,
    DATA_BYTES = 16 * 1024 * 1024,
    OUTPUT_BYTES = 4 * 1024 * 1024,
};

/* Until there is data of their own: the shape of it, and something to see. */
static const char example[] =
    "{\"receiver\":\"night\",\"status\":\"firing\",\"notification_reason\":\"first notification\","
    "\"externalURL\":\"http://127.0.0.1:9797\",\"groupLabels\":{\"alertname\":\"ShopDown\"},"
    "\"commonLabels\":{\"alertname\":\"ShopDown\",\"severity\":\"critical\"},"
    "\"commonAnnotations\":{\"summary\":\"The shop does not answer\"},\"alerts\":["
    "{\"status\":\"firing\",\"labels\":{\"alertname\":\"ShopDown\",\"instance\":\"shop-1\","
    "\"severity\":\"critical\"},\"annotations\":{\"summary\":\"The shop does not answer\"},"
    "\"startsAt\":\"2026-11-23T14:02:11Z\",\"fingerprint\":\"ab54a98ceb1f0ad2\"},"
    "{\"status\":\"resolved\",\"labels\":{\"alertname\":\"ShopDown\",\"instance\":\"shop-2\","
    "\"severity\":\"critical\"},\"annotations\":{\"summary\":\"The shop does not answer\"},"
    "\"startsAt\":\"2026-11-23T14:01:00Z\",\"endsAt\":\"2026-11-23T14:04:00Z\","
    "\"fingerprint\":\"ab54a98ceb1f0ad3\"}]}";

struct rendering {
    struct arena arena;
    struct tmpl_library library;
    struct json *json;
    struct notice_data data;
};

static int take_file(void *arg, const char *path, const char *text, size_t len, struct err *reterr)
{
    struct rendering *rendering = arg;
    struct err err = {0};
    const char *copy = labels_text_ok(text, len) ? arena_strndup(&rendering->arena, text, len)
                                                 : NULL;

    if (!copy)
        return err_set(reterr, TMPL_E_SYNTAX, "%s is not UTF-8 text, or too large", path);
    if (notice_add(&rendering->library, &rendering->arena, path, copy, &err))
        return err_set(reterr, TMPL_E_SYNTAX, "%s:%u:%u: %s", path, err.line, err.column, err.text);
    return 0;
}

/* A map of texts; what is none is left out. */
static const struct labels *labels_of(struct rendering *rendering,
                                      const struct json *object,
                                      const char *key)
{
    const struct json *map = NULL, *value;
    struct label *pairs;
    size_t n = 0;

    if (!json_has(object, key) || json_get_object(object, key, &map, NULL))
        return labels_empty();
    pairs = arena_array(&rendering->arena, json_length(map) + 1, sizeof(*pairs));
    for (size_t i = 0; pairs && json_member(map, i, &pairs[n].name, &value); i++) {
        pairs[n].value = json_text(value);
        n += pairs[n].value != NULL;
    }
    return pairs ? labels_in_arena(&rendering->arena, pairs, n) : NULL;
}

static int64_t time_of(const struct json *object, const char *key)
{
    int64_t at_ms = INT64_MIN;
    const char *text = answer_words(object, key);

    if (strncmp(text, "0001-", 5) == 0 || clock_parse_rfc3339(text, &at_ms))
        return INT64_MIN;
    return at_ms;
}

static bool read_alerts(struct rendering *rendering)
{
    struct notice_data *data = &rendering->data;
    const struct json *list = NULL;

    data->has_alerts = json_has(rendering->json, "alerts") &&
                       json_get_array(rendering->json, "alerts", &list, NULL) == 0;
    if (!data->has_alerts)
        return true;

    struct notice_alert *alerts = arena_array(&rendering->arena, json_length(list) + 1,
                                              sizeof(*alerts));

    data->alerts = alerts;
    for (; alerts && data->n_alerts < json_length(list); data->n_alerts++) {
        const struct json *one = json_at(list, data->n_alerts);

        if (!json_is_object(one))
            return false;
        alerts[data->n_alerts] = (struct notice_alert){
            .is_firing = strcmp(answer_words(one, "status"), "resolved") != 0,
            .labels = labels_of(rendering, one, "labels"),
            .annotations = labels_of(rendering, one, "annotations"),
            .starts_at_ms = time_of(one, "startsAt"),
            .ends_at_ms = time_of(one, "endsAt"),
            .generator_url = answer_words(one, "generatorURL"),
            .fingerprint = answer_words(one, "fingerprint"),
        };
    }
    return alerts != NULL;
}

static bool read_data(struct rendering *rendering)
{
    const struct json *json = rendering->json;

    if (!json_is_object(json))
        return false;
    rendering->data = (struct notice_data){
        .receiver = answer_words(json, "receiver"),
        .status = answer_words(json, "status"),
        .reason = answer_words(json, "notification_reason"),
        .external_url = answer_words(json, "externalURL"),
        .group_labels = labels_of(rendering, json, "groupLabels"),
        .common_labels = labels_of(rendering, json, "commonLabels"),
        .common_annotations = labels_of(rendering, json, "commonAnnotations"),
        .route_labels = labels_of(rendering, json, "routeLabels"),
        .now_ms = clock_wall_ms(),
    };
    return read_alerts(rendering);
}

static enum ctl_exit load(const struct ctl *ctl, struct rendering *rendering)
{
    const char *path = ctl_option(ctl, "template.data");
    MEM_AUTO char *text = NULL;
    struct err err = {0};
    const char *glob;
    size_t len = 0;

    if (notice_library_make(&rendering->arena, &rendering->library, &err))
        return ctl_fail(ctl, "%s", err.text);
    for (int i = 0; (glob = ctl_option_at(ctl, "template.glob", i)); i++)
        if (fs_each(glob, NOTICE_FILE_BYTES_MAX, take_file, rendering, &err))
            return ctl_fail(ctl, "%s", err.text);
    if (tmpl_library_check_names(&rendering->library, &err))
        return ctl_fail(ctl, "%s", err.text);
    if (path && fs_read(path, DATA_BYTES, &text, &len, &err))
        return ctl_fail(ctl, "%s", err.text);
    if (json_parse(path ? text : example, path ? len : strlen(example), &rendering->json, &err))
        return ctl_fail(ctl, "%s:%u:%u: %s", path, err.line, err.column, err.text);
    if (!read_data(rendering))
        return ctl_fail(ctl, "%s is not what a webhook is sent", path);
    return CTL_OK;
}

static enum ctl_exit render(const struct ctl *ctl, struct rendering *rendering)
{
    STR_AUTO struct str out = STR_INIT(OUTPUT_BYTES);
    const char *type = ctl_option(ctl, "template.type");
    const char *text = ctl_option(ctl, "template.text");
    struct tmpl *template = NULL;
    struct err err = {0};
    bool is_html = type && strcmp(type, "html") == 0;
    int r = notice_parse(&rendering->library, &rendering->arena, text, &template, &err);

    if (r == 0)
        r = tmpl_check_names(template, &err);
    if (r == 0)
        r = notice_expand(template, &rendering->data, is_html, &out, &err);
    (void)fputs(str_text(&out), stdout);
    if (r && err.line)
        return ctl_fail(ctl, "--template.text:%u:%u: %s", err.line, err.column, err.text);
    if (r)
        return ctl_fail(ctl, "%s", err.text);
    (void)putchar('\n');
    return CTL_OK;
}

enum ctl_exit cmd_template_render(struct ctl *ctl)
{
    const char *type = ctl_option(ctl, "template.type");
    struct rendering rendering = {0};
    enum ctl_exit status;

    if (!ctl_option(ctl, "template.text") ||
        (type && strcmp(type, "text") != 0 && strcmp(type, "html") != 0)) {
        (void)ctl_fail(ctl, "give --template.text, and --template.type as text or html");
        return CTL_USAGE;
    }
    arena_init(&rendering.arena, ARENA_BYTES);
    status = load(ctl, &rendering);
    if (status == CTL_OK)
        status = render(ctl, &rendering);
    json_free(rendering.json);
    arena_reset(&rendering.arena);
    return status;
}
