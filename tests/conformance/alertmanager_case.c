/*
 * Answers for tests/conformance/alertmanager.py: one JSON question a line in, one line out.
 *
 *     {"op": "config", "text"}                     ok, or error and its words
 *     {"op": "matchers", "text", "grammar"}        ok op name value ... as JSON
 *     {"op": "walk", "text", "labels"}             ok [[receiver, key], ...]
 *     {"op": "interval", "text", "at_ms": [...]}   ok [true, false ...]
 *     {"op": "history", "text", "alerts", "silences", "until_ms"}  ok [[ms, receiver, firing, resolved] ...]
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/route/dispatch.h"
#include "alertd/route/interval.h"
#include "alertd/route/matchers.h"
#include "alertd/route/tree.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

enum {
    PAIRS_MAX = 64
};

static const struct labels *labels_of(const struct json *object)
{
    struct label pairs[PAIRS_MAX];
    const struct json *value = NULL;
    size_t n = 0;

    while (n < PAIRS_MAX && json_member(object, n, &pairs[n].name, &value)) {
        pairs[n].value = json_text(value);
        n++;
    }
    return labels_new(pairs, n);
}

static int load(const char *text, const struct route_config **ret_config, struct err *err)
{
    return route_config_parse(text, strlen(text), "/etc", NULL, NULL, ret_config, err);
}

static int matchers(const struct json *ask, const char *text, struct json_out *out, struct err *err)
{
    static const char *const signs[] = {"=", "!=", "=~", "!~"};
    struct route_matchers found = {0};
    int64_t grammar = 0;
    int r = json_get_int(ask, "grammar", &grammar, err);

    if (!r)
        r = route_matchers_parse(text, (enum route_grammar)grammar, &found, NULL, err);
    json_open(out, '[');
    for (size_t i = 0; i < found.n; i++) {
        json_string(out, signs[found.at[i].type]);
        json_string(out, found.at[i].name);
        json_string(out, found.at[i].value);
    }
    json_close(out, ']');
    route_matchers_done(&found);
    return r;
}

static int walk(const struct json *ask, const char *text, struct json_out *out, struct err *err)
{
    const struct route_config *config = NULL;
    const struct json *object = NULL;
    const struct labels *labels;
    struct route_walk taken;
    int r = json_get_object(ask, "labels", &object, err);

    if (!r)
        r = load(text, &config, err);
    if (r)
        return r;
    labels = labels_of(object);
    route_walk(config, labels, &taken);
    json_open(out, '[');
    for (size_t i = 0; i < taken.n; i++) {
        json_open(out, '[');
        json_string(out, taken.at[i]->receiver->name);
        json_string(out, taken.at[i]->key);
        json_close(out, ']');
    }
    json_close(out, ']');
    labels_unref(labels);
    route_config_unref(config);
    return 0;
}

static int interval(const struct json *ask, const char *text, struct json_out *out, struct err *err)
{
    ARENA_AUTO struct arena arena;
    struct zones zones = {0};
    struct yaml *yaml = NULL;
    struct route_interval found = {0};
    const struct json *times = NULL;
    int r = json_get_array(ask, "at_ms", &times, err);

    arena_init(&arena, 1024 * 1024);
    if (!r)
        r = yaml_parse(text, strlen(text), &yaml, err);
    if (!r)
        r = route_interval_read(&arena, &zones, yaml_root(yaml), &found, err);
    json_open(out, '[');
    for (size_t i = 0; !r && i < json_length(times); i++) {
        double at_ms = 0;

        (void)json_number(json_at(times, i), &at_ms);
        json_bool(out, route_interval_holds(&found, (int64_t)at_ms));
    }
    json_close(out, ']');
    yaml_free(yaml);
    zones_done(&zones);
    return r;
}

static void add_labels(struct json_out *out, const struct dispatch_alert *const *alerts, size_t n)
{
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(out, '{');
        for (size_t j = 0; j < alerts[i]->labels->n; j++)
            json_kv_string(out, alerts[i]->labels->at[j].name, alerts[i]->labels->at[j].value);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void tell(void *arg, const struct dispatch_notification *note)
{
    struct json_out *out = arg;

    json_open(out, '[');
    json_int(out, note->at_ms);
    json_string(out, note->to->receiver);
    add_labels(out, note->firing, note->n_firing);
    add_labels(out, note->resolved, note->n_resolved);
    json_close(out, ']');
}

struct muting {
    struct silence spans[PAIRS_MAX];
    struct silence_matchers sets[PAIRS_MAX];
    struct route_matchers found[PAIRS_MAX];
    size_t n;
    struct silences *silences;
};

static int muting_init(struct muting *muting, const struct json *list, struct err *err)
{
    *muting = (struct muting){0};
    for (; muting->n < json_length(list) && muting->n < PAIRS_MAX; muting->n++) {
        const struct json *one = json_at(list, muting->n);
        struct route_matchers *found = &muting->found[muting->n];
        struct silence *span = &muting->spans[muting->n];
        const struct json *texts = NULL;

        if (json_get_int(one, "starts_at_ms", &span->starts_at_ms, err) ||
            json_get_int(one, "ends_at_ms", &span->ends_at_ms, err) ||
            json_get_array(one, "matchers", &texts, err))
            return -1;
        for (size_t i = 0; i < json_length(texts); i++)
            if (route_matchers_parse(json_text(json_at(texts, i)), ROUTE_GRAMMAR_BOTH, found, NULL,
                                     err))
                return -1;
        muting->sets[muting->n] = (struct silence_matchers){found->at, found->n};
        span->id = "one";
        span->sets = &muting->sets[muting->n];
        span->n_sets = 1;
    }
    muting->silences = silences_new(muting->spans, muting->n);
    return 0;
}

static void muting_done(struct muting *muting)
{
    silences_free(muting->silences);
    for (size_t i = 0; i < PAIRS_MAX; i++)
        route_matchers_done(&muting->found[i]);
}

static int history(const struct json *ask, const char *text, struct json_out *out, struct err *err)
{
    const struct route_config *config = NULL;
    const struct json *alerts = NULL;
    const struct json *silences = NULL;
    struct muting muting;
    struct dispatch *dispatch;
    int64_t until_ms = 0;

    if (json_get_array(ask, "silences", &silences, err) || muting_init(&muting, silences, err) ||
        json_get_array(ask, "alerts", &alerts, err) ||
        json_get_int(ask, "until_ms", &until_ms, err) || load(text, &config, err))
        return -1;
    dispatch = dispatch_new(config, 0);
    dispatch_silence(dispatch, muting.silences);
    json_open(out, '[');
    for (size_t i = 0; i < json_length(alerts); i++) {
        const struct json *one = json_at(alerts, i);
        const struct json *object = NULL;
        struct dispatch_alert alert = {0};
        int64_t at_ms = 0;

        (void)json_get_object(one, "labels", &object, NULL);
        (void)json_get_int(one, "at_ms", &at_ms, NULL);
        (void)json_get_int(one, "starts_at_ms", &alert.starts_at_ms, NULL);
        (void)json_get_int(one, "ends_at_ms", &alert.ends_at_ms, NULL);
        alert.labels = labels_of(object);
        dispatch_run(dispatch, at_ms, tell, out);
        dispatch_put(dispatch, &alert, at_ms);
        labels_unref(alert.labels);
    }
    dispatch_run(dispatch, until_ms, tell, out);
    json_close(out, ']');
    dispatch_free(dispatch);
    muting_done(&muting);
    route_config_unref(config);
    return 0;
}

static int answer(const struct json *ask, struct json_out *out, struct err *err)
{
    const struct route_config *config = NULL;
    const char *op = "";
    const char *text = "";

    if (json_get_string(ask, "op", &op, err) || json_get_string(ask, "text", &text, err))
        return -1;
    if (strcmp(op, "matchers") == 0)
        return matchers(ask, text, out, err);
    if (strcmp(op, "walk") == 0)
        return walk(ask, text, out, err);
    if (strcmp(op, "interval") == 0)
        return interval(ask, text, out, err);
    if (strcmp(op, "history") == 0)
        return history(ask, text, out, err);
    if (load(text, &config, err))
        return -1;
    route_config_unref(config);
    json_null(out);
    return 0;
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;

    while ((len = getline(&line, &room, stdin)) > 0) {
        STR_AUTO struct str reply = STR_INIT(16 * 1024 * 1024);
        struct json_out out = JSON_OUT(&reply);
        struct json *ask = NULL;
        struct err err = {0};

        if (json_parse(line, (size_t)len, &ask, &err) || answer(ask, &out, &err))
            printf("error %u:%u: %s\n", err.line, err.column, err.text);
        else
            printf("ok %s\n", str_text(&reply));
        json_free(ask);
    }
    free(line);
    return 0;
}
