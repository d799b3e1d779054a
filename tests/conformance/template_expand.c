/*
 * Expands templates for tests/conformance/rule_template_expand.py: one JSON case a line in,
 * one line out: `ok <the text as JSON>` or `error <words>`.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/rule/template_private.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

struct test_case {
    struct arena arena;
    const struct json *json;
};

static struct value dot_of(struct test_case *test, const struct json *input)
{
    size_t n = json_length(input);
    struct value *items = arena_array(&test->arena, n + 1, sizeof(*items));

    for (size_t i = 0; i < n; i++) {
        const char *text = json_text(json_at(input, i));
        double real = 0;

        if (text) {
            items[i] = value_text(text);
            continue;
        }
        /* The driver writes numbers as {"int": n} or {"float": x}. */
        if (json_has(json_at(input, i), "int")) {
            (void)json_get_int(json_at(input, i), "int", &items[i].number, NULL);
            items[i].kind = VALUE_INT;
        } else {
            (void)json_get_float(json_at(input, i), "float", &real, NULL);
            items[i] = value_float(real);
        }
    }
    return (struct value){.kind = VALUE_LIST, .items = items, .n = n};
}

static int query(void *arg,
                 const char *expr,
                 struct arena *arena,
                 struct rule_template_sample **ret_samples,
                 size_t *ret_n,
                 struct err *reterr)
{
    const struct test_case *test = arg;
    const struct json *result = NULL, *metric = NULL;

    *ret_n = 0;
    if (!json_has(test->json, "queryResult") ||
        json_get_array(test->json, "queryResult", &result, reterr))
        return 0;
    *ret_n = json_length(result);
    *ret_samples = arena_array(arena, *ret_n + 1, sizeof(**ret_samples));
    for (size_t i = 0; i < *ret_n; i++) {
        struct label pairs[16];
        size_t n = 0;
        const struct json *value;

        (void)json_get_float(json_at(result, i), "F", &(*ret_samples)[i].value, NULL);
        if (json_has(json_at(result, i), "Metric"))
            (void)json_get_object(json_at(result, i), "Metric", &metric, NULL);
        while (metric && n < 16 && json_member(metric, n, &pairs[n].name, &value)) {
            pairs[n].value = json_text(value);
            n++;
        }
        (*ret_samples)[i].labels = labels_in_arena(arena, pairs, n);
    }
    return 0;
}

static void run(struct test_case *test)
{
    const struct rule_template_data data = {
        .labels = labels_empty(),
        .external_url = "http://testhost:9090/path/prefix",
        .now_ms = INT64_C(1353755652000),
        .query = query,
        .arg = test,
    };
    STR_AUTO struct str out = STR_INIT(TMPL_OUTPUT_MAX);
    STR_AUTO struct str reply = STR_INIT(TMPL_OUTPUT_MAX * 8);
    struct tmpl *template = NULL;
    struct json_out json = JSON_OUT(&reply);
    struct value dot = {0};
    struct err err = {0};
    const struct json *input;
    const char *text = "";

    int r = json_get_string(test->json, "text", &text, &err);
    if (!r)
        r = rule_template_parse(&test->arena, text, &template, &err);
    if (json_has(test->json, "input") && !json_get_array(test->json, "input", &input, NULL))
        dot = dot_of(test, input);
    if (!r)
        r = rule_template_expand_dot(template, &data, &dot, &out, &err);
    if (r) {
        printf("error %s\n", err.text);
    } else {
        json_string(&json, str_text(&out));
        printf("ok %s\n", str_text(&reply));
    }
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;

    while ((len = getline(&line, &room, stdin)) > 0) {
        struct test_case test = {0};
        struct json *json = NULL;

        arena_init(&test.arena, 1024 * 1024);
        if (json_parse(line, (size_t)len, &json, NULL) == 0) {
            test.json = json;
            run(&test);
        } else {
            printf("error not JSON\n");
        }
        (void)fflush(stdout);
        json_free(json);
        arena_reset(&test.arena);
    }
    free(line);
    return 0;
}
