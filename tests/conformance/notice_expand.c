/*
 * Expands templates of notifications for tests/conformance/notice_expand.py: one JSON case a
 * line in, one line out: `ok <the text as JSON>` or `error <words>`.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/template/notice_value.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

enum {
    PAIRS_MAX = 32,
    ALERTS_MAX = 32,
};

static const struct labels *read_labels(struct arena *arena,
                                        const struct json *of,
                                        const char *name)
{
    const struct json *map = NULL, *value;
    struct label pairs[PAIRS_MAX];
    size_t n = 0;

    if (!json_has(of, name) || json_get_object(of, name, &map, NULL))
        return NULL;
    while (n < PAIRS_MAX && json_member(map, n, &pairs[n].name, &value)) {
        pairs[n].value = json_text(value);
        n++;
    }
    return labels_in_arena(arena, pairs, n);
}

static struct value read_data(struct arena *arena, const struct json *from)
{
    struct notice_alert *alerts = arena_array(arena, ALERTS_MAX, sizeof(*alerts));
    struct notice_data data = {
        .alerts = alerts,
        .group_labels = read_labels(arena, from, "GroupLabels"),
        .common_labels = read_labels(arena, from, "CommonLabels"),
        .common_annotations = read_labels(arena, from, "CommonAnnotations"),
        .route_labels = read_labels(arena, from, "RouteLabels"),
    };
    const struct json *list = NULL;

    if (json_has(from, "Alerts") && json_get_array(from, "Alerts", &list, NULL) == 0)
        data.has_alerts = true;
    for (; list && data.n_alerts < json_length(list) && data.n_alerts < ALERTS_MAX;
         data.n_alerts++) {
        const struct json *one = json_at(list, data.n_alerts);
        const char *status = "";

        (void)json_get_string_or(one, "Status", "", &status, NULL);
        alerts[data.n_alerts] = (struct notice_alert){
            .is_firing = strcmp(status, "firing") == 0,
            .labels = read_labels(arena, one, "Labels"),
            .annotations = read_labels(arena, one, "Annotations"),
            .starts_at_ms = INT64_MIN,
            .ends_at_ms = INT64_MIN,
        };
    }
    return notice_value(arena, &data);
}

/* A text, or a number as {"int": n} or {"float": x}. */
static struct value read_item(const struct json *from)
{
    struct value value = {0};
    double real = 0;

    if (json_text(from))
        return value_text(json_text(from));
    if (json_has(from, "int")) {
        (void)json_get_int(from, "int", &value.number, NULL);
        value.kind = VALUE_INT;
        return value;
    }
    (void)json_get_float(from, "float", &real, NULL);
    return value_float(real);
}

static struct value read_dot(struct arena *arena, const struct json *test)
{
    const struct json *part = NULL;
    struct value dot = {0};

    if (json_has(test, "list") && json_get_array(test, "list", &part, NULL) == 0) {
        struct value *items = arena_array(arena, json_length(part) + 1, sizeof(*items));

        for (size_t i = 0; i < json_length(part); i++)
            items[i] = read_item(json_at(part, i));
        return (struct value){.kind = VALUE_LIST, .items = items, .n = json_length(part)};
    }
    if (json_has(test, "at_ms")) {
        (void)json_get_int(test, "at_ms", &dot.number, NULL);
        dot.kind = VALUE_TIME;
        dot.number *= 1000000;
        return dot;
    }
    if (json_has(test, "fields") && json_get_object(test, "fields", &part, NULL) == 0)
        return read_data(arena, part);
    return dot;
}

static void run(const struct json *test)
{
    STR_AUTO struct str out = STR_INIT(TMPL_OUTPUT_MAX);
    STR_AUTO struct str reply = STR_INIT(TMPL_OUTPUT_MAX * 8);
    ARENA_AUTO struct arena arena;
    struct json_out json = JSON_OUT(&reply);
    struct tmpl_library library;
    struct tmpl *template = NULL;
    struct err err = {0};
    const char *text = "";
    bool is_html = false;

    arena_init(&arena, 4 * 1024 * 1024);
    (void)json_get_bool(test, "html", &is_html, NULL);

    int r = json_get_string(test, "in", &text, &err);

    if (!r)
        r = notice_library_make(&arena, &library, &err);
    if (!r)
        r = notice_parse(&library, &arena, text, &template, &err);
    if (!r) {
        const struct value dot = read_dot(&arena, test);

        r = notice_expand_dot(template, &dot, INT64_C(1700000000000), is_html, &out, &err);
    }
    if (r) {
        printf("error %s\n", err.text);
        return;
    }
    json_string(&json, str_text(&out));
    printf("ok %s\n", str_text(&reply));
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;

    while ((len = getline(&line, &room, stdin)) > 0) {
        struct json *json = NULL;

        if (json_parse(line, (size_t)len, &json, NULL) == 0)
            run(json);
        else
            printf("error not JSON\n");
        (void)fflush(stdout);
        json_free(json);
    }
    free(line);
    return 0;
}
