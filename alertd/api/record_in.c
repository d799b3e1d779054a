/*
 * Events and marks out of JSON. See record_in.h.
 */

#include "alertd/api/record_in.h"

#include <string.h>

#include "alertd/incident/timeline.h"
#include "lib/base/clock.h"
#include "lib/json/write.h"
#include "lib/model/labels.h"

enum {
    DATA_BYTES_MAX = 64 * 1024,
    NAME_BYTES_MAX = 200,
    CLOCK_SLACK_MS = 60000,
};

static int invalid(struct err *reterr, const char *key, const char *words)
{
    return err_set(reterr, RECORD_IN_E_INVALID, "%s: %s", key, words);
}

int record_in_precision(const char *text, const char **ret_precision, struct err *reterr)
{
    static const char *const names[] = {"s", "min", "approx"};

    *ret_precision = NULL;
    if (!text || strcmp(text, "ms") == 0)
        return 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], text) == 0)
            *ret_precision = names[i];
    return *ret_precision ? 0 : invalid(reterr, "precision", "expected ms, s, min or approx");
}

/* A text member of bounded length; fallback when absent. */
static int read_text(const struct json *object,
                     const char *key,
                     size_t max,
                     const char **ret_text,
                     struct err *reterr)
{
    int r = json_get_string_or(object, key, *ret_text, ret_text, reterr);

    if (r)
        return RECORD_IN_E_INVALID;
    if (*ret_text && (strlen(*ret_text) > max || !labels_text_ok(*ret_text, strlen(*ret_text))))
        return err_set(reterr, RECORD_IN_E_INVALID, "%s: at most %zu bytes of text", key, max);
    return 0;
}

static int read_flag(const struct json *object, const char *key, bool *ret_flag, struct err *reterr)
{
    if (!json_has(object, key))
        return 0;
    return json_get_bool(object, key, ret_flag, reterr) ? RECORD_IN_E_INVALID : 0;
}

/* --- events --- */

static int read_time(const struct record_reader *reader,
                     const struct json *object,
                     int64_t *ret_at_ms,
                     struct err *reterr)
{
    static const char *const names[] = {"t", "at", "occurred_at", "time"};
    const char *text = NULL;

    for (size_t i = 0; !text && i < sizeof(names) / sizeof(names[0]); i++)
        if (json_get_string_or(object, names[i], NULL, &text, reterr))
            return RECORD_IN_E_INVALID;
    *ret_at_ms = reader->now_ms;
    if (text && clock_parse_rfc3339(text, ret_at_ms))
        return invalid(reterr, "t", "expected a time with its zone, like 2026-11-23T22:27:00Z");
    if (*ret_at_ms > reader->now_ms + CLOCK_SLACK_MS || *ret_at_ms < 0)
        return invalid(reterr, "t", "nothing is written down before it happened");
    return 0;
}

/* Any JSON again, as text. */
static void copy_value(struct json_out *out, const struct json *value)
{
    const struct json *member = NULL;
    const char *key = NULL;
    double number = 0;
    bool truth = false;

    if (json_text(value)) {
        json_string(out, json_text(value));
    } else if (json_is_object(value)) {
        json_open(out, '{');
        for (size_t i = 0; json_member(value, i, &key, &member); i++) {
            json_key(out, key);
            copy_value(out, member);
        }
        json_close(out, '}');
    } else if (json_is_array(value)) {
        json_open(out, '[');
        for (size_t i = 0; i < json_length(value); i++)
            copy_value(out, json_at(value, i));
        json_close(out, ']');
    } else if (json_number(value, &number) == 0) {
        json_float(out, number);
    } else if (json_truth(value, &truth) == 0) {
        json_bool(out, truth);
    } else {
        json_null(out);
    }
}

static const char *keep(const struct record_reader *reader, const struct str *text)
{
    return text->full ? NULL : arena_strndup(reader->arena, str_text(text), text->len);
}

/* What has no column of its own: who wrote it down for whom, what became of it. */
static int read_data(const struct record_reader *reader,
                     const struct json *object,
                     struct timeline_event *event,
                     struct err *reterr)
{
    static const char *const copied[] = {"src",  "outcome", "about",   "role",   "channel",
                                         "link", "command", "service", "ref_url"};
    STR_AUTO struct str text = STR_INIT(DATA_BYTES_MAX);
    struct json_out out = JSON_OUT(&text);
    const struct json *data = json_get(object, "data");
    const struct json *value = NULL;
    const char *key = NULL;

    json_open(&out, '{');
    for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++)
        if (json_has(object, copied[i])) {
            json_key(&out, copied[i]);
            copy_value(&out, json_get(object, copied[i]));
        }
    for (size_t i = 0; data && json_member(data, i, &key, &value); i++) {
        bool is_ours = strcmp(key, "recorded_by") == 0;

        for (size_t k = 0; k < sizeof(copied) / sizeof(copied[0]); k++)
            is_ours = is_ours || strcmp(copied[k], key) == 0;
        if (is_ours)
            continue;
        json_key(&out, key);
        copy_value(&out, value);
    }
    if (strcmp(event->actor, reader->actor) != 0)
        json_kv_string(&out, "recorded_by", reader->actor);
    json_close(&out, '}');
    event->data = keep(reader, &text);
    return event->data ? 0 : invalid(reterr, "data", "too much");
}

static int read_evidence(const struct record_reader *reader,
                         const struct json *object,
                         struct timeline_event *event,
                         struct err *reterr)
{
    static const char *const known[] = {"query", "value",   "unit",  "link", "from",
                                        "to",    "measure", "graph", "text", NULL};
    STR_AUTO struct str text = STR_INIT(DATA_BYTES_MAX);
    struct json_out out = JSON_OUT(&text);
    const struct json *evidence = NULL;

    if (!json_has(object, "evidence"))
        return 0;
    if (json_get_object(object, "evidence", &evidence, reterr) ||
        json_only(evidence, known, reterr))
        return RECORD_IN_E_INVALID;
    copy_value(&out, evidence);
    event->evidence = keep(reader, &text);
    return event->evidence ? 0 : invalid(reterr, "evidence", "too much");
}

static int read_words(const struct record_reader *reader,
                      const struct json *object,
                      struct record_news *news,
                      struct err *reterr)
{
    struct timeline_event *event = &news->event;
    const char *precision = NULL;
    int r = read_text(object, "kind", NAME_BYTES_MAX, &event->kind, reterr);

    if (!r)
        r = read_text(object, "text", RECORD_WORDS_MAX, &event->text, reterr);
    if (!r)
        r = read_text(object, "actor", NAME_BYTES_MAX, &event->actor, reterr);
    if (!r)
        r = read_text(object, "scope", RECORD_SCOPE_MAX, &event->scope, reterr);
    if (!r)
        r = read_text(object, "ref", NAME_BYTES_MAX, &event->reference, reterr);
    if (!r)
        r = read_text(object, "conflict", RECORD_WORDS_MAX, &news->conflict, reterr);
    if (!r)
        r = read_text(object, "precision", NAME_BYTES_MAX, &precision, reterr);
    if (!r)
        r = record_in_precision(precision, &event->precision, reterr);
    if (!r)
        r = read_time(reader, object, &event->occurred_at_ms, reterr);
    return r;
}

static int read_event(const struct record_reader *reader,
                      const struct json *object,
                      struct record_news *news,
                      struct err *reterr)
{
    static const char *const known[] = {"t",          "at",        "occurred_at", "time",    "kind",
                                        "text",       "precision", "scope",       "actor",   "src",
                                        "pin",        "outcome",   "conflict",    "ref",     "role",
                                        "order_only", "evidence",  "data",        "about",   "link",
                                        "command",    "channel",   "service",     "ref_url", NULL};
    struct timeline_event *event = &news->event;

    *news = (struct record_news){
        .event = {.kind = news->event.kind ? news->event.kind : "human.note",
                  .event_class = "human",
                  .source = reader->source,
                  .actor = reader->actor}};
    if (!json_is_object(object))
        return err_set(reterr, RECORD_IN_E_INVALID, "expected an object");
    if (json_only(object, known, reterr))
        return RECORD_IN_E_INVALID;
    int r = read_words(reader, object, news, reterr);
    if (r)
        return r;
    if (!event->text || !event->text[strspn(event->text, " \r\n\t")])
        return invalid(reterr, "text", "an event needs words");
    if (!timeline_kind_known(event->kind))
        return err_set(reterr, RECORD_IN_E_INVALID,
                       "kind: no kind %.60s; docs/api.md lists them, human.note is one",
                       event->kind);
    r = read_flag(object, "pin", &news->pin, reterr);
    if (!r)
        r = read_flag(object, "order_only", &event->order_only, reterr);
    if (!r)
        r = read_evidence(reader, object, event, reterr);
    if (!r)
        r = read_data(reader, object, event, reterr);
    return r;
}

int record_in_one(const struct record_reader *reader,
                  const struct json *object,
                  const char *kind,
                  struct timeline_event *ret_event,
                  struct err *reterr)
{
    struct record_news news = {.event = {.kind = kind}};
    int r = read_event(reader, object, &news, reterr);

    if (r == 0)
        *ret_event = news.event;
    return r;
}

int record_in_events(const struct record_reader *reader,
                     const struct json *array,
                     struct record_news **ret_news,
                     size_t *ret_n,
                     struct err *reterr)
{
    size_t n = json_length(array);
    struct record_news *news;

    if (!json_is_array(array))
        return invalid(reterr, "events", "expected an array");
    if (n > RECORD_IN_EVENTS_MAX)
        return err_set(reterr, RECORD_IN_E_LIMIT, "events: at most %d at once",
                       RECORD_IN_EVENTS_MAX);
    news = arena_array(reader->arena, n + 1, sizeof(*news));
    if (!news)
        return err_set(reterr, RECORD_IN_E_LIMIT, "the events are too large together");
    for (size_t i = 0; i < n; i++) {
        int r = read_event(reader, json_at(array, i), &news[i], reterr);

        if (r)
            return err_prefix(reterr, r, "events[%zu]", i);
    }
    *ret_news = news;
    *ret_n = n;
    return 0;
}

/* --- marks --- */

static int read_mark_time(const struct record_reader *reader,
                          const struct json *value,
                          struct record_setting *set,
                          struct err *reterr)
{
    const char *text = json_text(value);

    set->state = RECORD_MARK_UNKNOWN;
    if (json_is_null(value))
        return 0;
    if (!text || clock_parse_rfc3339(text, &set->at_ms))
        return invalid(reterr, "at", "expected a time like 2026-11-23T22:27:00Z, or null");
    if (set->at_ms <= 0 || set->at_ms > reader->now_ms + CLOCK_SLACK_MS)
        return invalid(reterr, "at", "nothing is marked before it happened");
    set->state = RECORD_MARK_AT;
    return 0;
}

static int name_mark(const char *name, struct record_setting *set, struct err *reterr)
{
    set->name = record_mark_parse(name);
    if (set->name == RECORD_MARK_NAMES)
        return err_set(reterr, RECORD_IN_E_INVALID, "no mark %.40s", name);
    if (set->name != RECORD_IMPACT_START && set->name != RECORD_IMPACT_END && set->scope[0])
        return err_set(reterr, RECORD_IN_E_INVALID, "%s is of the whole incident: no scope", name);
    if (set->name == RECORD_IMPACT_END && !set->scope[0])
        set->scope = RECORD_SCOPE;
    return 0;
}

static int read_mark(const struct record_reader *reader,
                     const struct json *object,
                     struct record_setting *set,
                     struct err *reterr)
{
    static const char *const known[] = {"name",  "scope",  "at",   "precision",
                                        "event", "reason", "auto", NULL};
    const char *precision = NULL;
    const char *name = NULL;
    bool is_auto = false;

    if (!json_is_object(object) || json_only(object, known, reterr) ||
        json_get_string(object, "name", &name, reterr) ||
        json_get_int_or(object, "event", 0, &set->event_id, reterr))
        return RECORD_IN_E_INVALID;
    int r = read_text(object, "scope", RECORD_SCOPE_MAX, &set->scope, reterr);
    if (!r)
        r = read_text(object, "reason", RECORD_REASON_MAX, &set->reason, reterr);
    if (!r)
        r = read_text(object, "precision", NAME_BYTES_MAX, &precision, reterr);
    if (!r)
        r = record_in_precision(precision, &set->precision, reterr);
    if (!r)
        r = read_flag(object, "auto", &is_auto, reterr);
    if (!r)
        r = name_mark(name, set, reterr);
    if (r)
        return r;
    if (is_auto) {
        set->state = RECORD_MARK_AUTO;
        return 0;
    }
    if (!json_get(object, "at"))
        return invalid(reterr, "at", "expected a time, or null when it is not known");
    return read_mark_time(reader, json_get(object, "at"), set, reterr);
}

int record_in_marks(const struct record_reader *reader,
                    const struct json *marks,
                    const char *reason,
                    struct record_setting **ret_settings,
                    size_t *ret_n,
                    struct err *reterr)
{
    size_t n = json_length(marks);
    const struct json *value = NULL;
    struct record_setting *settings;
    const char *name = NULL;

    if (n > RECORD_IN_MARKS_MAX || (!json_is_array(marks) && !json_is_object(marks)))
        return err_set(reterr, RECORD_IN_E_INVALID, "marks: expected at most %d of them",
                       RECORD_IN_MARKS_MAX);
    settings = arena_array(reader->arena, n + 1, sizeof(*settings));
    if (!settings)
        return err_set(reterr, RECORD_IN_E_LIMIT, "the marks are too large together");
    for (size_t i = 0; i < n; i++) {
        struct record_setting *set = &settings[i];
        int r;

        *set = (struct record_setting){.scope = "", .reason = reason, .editor = reader->actor};
        if (json_is_array(marks)) {
            r = read_mark(reader, json_at(marks, i), set, reterr);
        } else {
            (void)json_member(marks, i, &name, &value);
            r = name_mark(name, set, reterr);
            if (!r)
                r = read_mark_time(reader, value, set, reterr);
        }
        if (r)
            return err_prefix(reterr, r, "marks[%zu]", i);
    }
    *ret_settings = settings;
    *ret_n = n;
    return 0;
}
