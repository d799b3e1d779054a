/*
 * What was looked up as JSON, and back. See learnt.h.
 */

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "alertd/api/learnt.h"
#include "lib/json/read.h"
#include "lib/model/duration.h"

/* --- members of each row, once for both ways --- */

enum field_type {
    FIELD_TEXT,
    FIELD_INT,
    FIELD_REAL,
    FIELD_BOOL,
};

struct field {
    const char *name;
    enum field_type type;
    size_t offset;
};

#define TEXT(of, member)                                 \
    {                                                    \
#member, FIELD_TEXT, offsetof(struct of, member) \
    }
#define INT(of, member)                                 \
    {                                                   \
#member, FIELD_INT, offsetof(struct of, member) \
    }
#define REAL(of, member)                                 \
    {                                                    \
#member, FIELD_REAL, offsetof(struct of, member) \
    }
#define BOOL(of, member)                                 \
    {                                                    \
#member, FIELD_BOOL, offsetof(struct of, member) \
    }
#define END                 \
    {                       \
        NULL, FIELD_TEXT, 0 \
    }

static const struct field of_look[] = {INT(learnt, made_ms),  INT(learnt, from_ms),
                                       INT(learnt, to_ms),    INT(learnt, n_rules),
                                       TEXT(learnt, why_not), END};
static const struct field of_way[] = {TEXT(learnt_way, rule),          INT(learnt_way, rule_id),
                                      INT(learnt_way, breach_ms),      INT(learnt_way, pending_ms),
                                      INT(learnt_way, firing_ms),      INT(learnt_way, owed_ms),
                                      INT(learnt_way, sent_ms),        INT(learnt_way, acked_ms),
                                      TEXT(learnt_way, why_no_breach), END};
static const struct field of_burn[] = {TEXT(learnt_burn, service),     TEXT(learnt_burn, slo),
                                       TEXT(learnt_burn, window),      TEXT(learnt_burn, good),
                                       TEXT(learnt_burn, total_query), REAL(learnt_burn, objective),
                                       INT(learnt_burn, from_ms),      INT(learnt_burn, to_ms),
                                       REAL(learnt_burn, bad),         REAL(learnt_burn, total),
                                       REAL(learnt_burn, burnt_ratio), TEXT(learnt_burn, why_not),
                                       TEXT(learnt_burn, missing),     END};
static const struct field of_earlier[] = {
    TEXT(learnt_earlier, rule),       INT(learnt_earlier, rule_id),
    TEXT(learnt_earlier, setting),    TEXT(learnt_earlier, query),
    INT(learnt_earlier, for_ms),      INT(learnt_earlier, fired_ms),
    BOOL(learnt_earlier, is_counted), INT(learnt_earlier, alerts),
    INT(learnt_earlier, alerts_then), BOOL(learnt_earlier, is_own),
    BOOL(learnt_earlier, is_paged),   INT(learnt_earlier, pages),
    INT(learnt_earlier, pages_then),  END};
static const struct field of_signal[] = {TEXT(learnt_signal, rule),     INT(learnt_signal, rule_id),
                                         TEXT(learnt_signal, query),    INT(learnt_signal, for_ms),
                                         INT(learnt_signal, breach_ms), END};

/* A list of rows within struct learnt. */
static const struct list {
    const char *name;
    const struct field *fields;
    size_t size, rows, n; /* of a row; where the pointer and the count are */
} lists[] = {
    {"ways", of_way, sizeof(struct learnt_way), offsetof(struct learnt, ways),
     offsetof(struct learnt, n_ways)},
    {"burns", of_burn, sizeof(struct learnt_burn), offsetof(struct learnt, burns),
     offsetof(struct learnt, n_burns)},
    {"earlier", of_earlier, sizeof(struct learnt_earlier), offsetof(struct learnt, earlier),
     offsetof(struct learnt, n_earlier)},
    {"signals", of_signal, sizeof(struct learnt_signal), offsetof(struct learnt, signals),
     offsetof(struct learnt, n_signals)},
};

enum {
    LISTS = sizeof(lists) / sizeof(*lists)
};

/* --- out --- */

static void write_fields(const struct field *fields, const char *row, struct json_out *out)
{
    for (const struct field *field = fields; field->name; field++) {
        const void *at = row + field->offset;

        switch (field->type) {
        case FIELD_TEXT: json_kv_string(out, field->name, *(const char *const *)at); break;
        case FIELD_INT: json_kv_int(out, field->name, *(const int64_t *)at); break;
        case FIELD_REAL: json_kv_float(out, field->name, *(const double *)at); break;
        case FIELD_BOOL: json_kv_bool(out, field->name, *(const bool *)at); break;
        }
    }
}

void learnt_write(const struct learnt *learnt, struct json_out *out)
{
    const char *base = (const char *)learnt;

    json_open(out, '{');
    write_fields(of_look, base, out);
    for (size_t i = 0; i < LISTS; i++) {
        const void *rows_at = base + lists[i].rows;
        const void *n_at = base + lists[i].n;
        const char *rows = *(const char *const *)rows_at;
        size_t n = *(const size_t *)n_at;

        json_key(out, lists[i].name);
        json_open(out, '[');
        for (size_t k = 0; k < n; k++) {
            json_open(out, '{');
            write_fields(lists[i].fields, rows + k * lists[i].size, out);
            json_close(out, '}');
        }
        json_close(out, ']');
    }
    json_close(out, '}');
}

/* --- in --- */

/* Our own writing: what is absent is not known. */
static bool read_fields(const struct field *fields,
                        const struct json *from,
                        struct arena *arena,
                        char *row)
{
    bool fits = true;

    for (const struct field *field = fields; field->name; field++) {
        void *at = row + field->offset;
        const char *text = NULL;

        switch (field->type) {
        case FIELD_TEXT:
            (void)json_get_string_or(from, field->name, NULL, &text, NULL);
            *(const char **)at = text ? arena_strndup(arena, text, strlen(text)) : NULL;
            fits &= !text || *(const char **)at;
            break;
        case FIELD_INT: (void)json_get_int_or(from, field->name, 0, (int64_t *)at, NULL); break;
        case FIELD_REAL:
            if (!json_has(from, field->name) ||
                json_get_float(from, field->name, (double *)at, NULL))
                *(double *)at = (double)NAN;
            break;
        case FIELD_BOOL:
            if (json_has(from, field->name))
                (void)json_get_bool(from, field->name, (bool *)at, NULL);
            break;
        }
    }
    return fits;
}

static bool read_list(const struct list *list,
                      const struct json *from,
                      struct arena *arena,
                      struct learnt *learnt)
{
    const struct json *array = NULL;

    if (json_get_array(from, list->name, &array, NULL))
        return true;
    size_t n = json_length(array);
    char *rows = arena_array(arena, n + 1, list->size);

    if (!rows)
        return false;
    memset(rows, 0, (n + 1) * list->size);
    for (size_t i = 0; i < n; i++)
        if (!read_fields(list->fields, json_at(array, i), arena, rows + i * list->size))
            return false;
    void *rows_at = (char *)learnt + list->rows;
    void *n_at = (char *)learnt + list->n;

    *(void **)rows_at = rows;
    *(size_t *)n_at = n;
    return true;
}

bool learnt_parse(const char *text, struct arena *arena, struct learnt *ret_learnt)
{
    struct learnt learnt = {0};
    struct json *json = NULL;

    if (json_parse_upto(text, strlen(text), LEARNT_JSON_MAX, &json, NULL))
        return true; /* written by an alertd of later: as if nobody had looked */
    bool fits = read_fields(of_look, json, arena, (char *)&learnt);

    for (size_t i = 0; fits && i < LISTS; i++)
        fits = read_list(&lists[i], json, arena, &learnt);
    json_free(json);
    if (fits)
        *ret_learnt = learnt;
    return fits;
}

/* --- for people --- */

static void write_count(struct json_out *out, const char *name, bool is_known, int64_t n)
{
    json_key(out, name);
    if (is_known)
        json_int(out, n);
    else
        json_null(out);
}

static void write_earlier(const struct learnt_earlier *row,
                          int64_t detected_ms,
                          struct json_out *out)
{
    json_open(out, '{');
    json_kv_string(out, "rule", row->rule);
    json_kv_int(out, "rule_id", row->rule_id);
    json_kv_string(out, "setting", row->setting);
    json_kv_string(out, "query", row->query);
    json_kv_int(out, "for_ms", row->for_ms);
    json_kv_time(out, "fired_at", row->fired_ms);
    json_kv_string(out, "formula", "detected \xe2\x88\x92 fired_at");
    json_kv_bool(out, "known", detected_ms != 0);
    json_key(out, "seconds_earlier");
    if (detected_ms)
        json_float(out, (double)(detected_ms - row->fired_ms) / 1000);
    else
        json_null(out);
    write_count(out, "alerts_30d", row->is_counted, row->alerts);
    write_count(out, "alerts_30d_then", row->is_counted && !row->is_own, row->alerts_then);
    write_count(out, "pages_30d", row->is_paged, row->pages);
    write_count(out, "pages_30d_then", row->is_paged && !row->is_own, row->pages_then);
    json_close(out, '}');
}

void learnt_write_metric(const struct learnt *learnt, int64_t detected_ms, struct json_out *out)
{
    json_key(out, "earlier");
    json_open(out, '[');
    for (size_t i = 0; i < learnt->n_earlier; i++)
        write_earlier(&learnt->earlier[i], detected_ms, out);
    json_close(out, ']');
    json_kv_string(out, "earlier_why", learnt->why_not);
    json_key(out, "signals");
    json_open(out, '[');
    for (size_t i = 0; i < learnt->n_signals; i++) {
        json_open(out, '{');
        json_kv_string(out, "rule", learnt->signals[i].rule);
        json_kv_int(out, "rule_id", learnt->signals[i].rule_id);
        json_kv_string(out, "query", learnt->signals[i].query);
        json_kv_int(out, "for_ms", learnt->signals[i].for_ms);
        json_kv_time(out, "breach_at", learnt->signals[i].breach_ms);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_kv_time(out, "looked_at", learnt->made_ms);
    json_kv_time(out, "window_from", learnt->from_ms);
    json_kv_time(out, "window_to", learnt->to_ms);
    json_kv_int(out, "rules_looked_at", learnt->n_rules);
}
