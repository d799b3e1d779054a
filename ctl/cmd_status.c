/*
 * alertctl status tsdb: what takes the samples' space, and who was refused what.
 */

#include <inttypes.h>
#include <stdio.h>

#include "ctl/client.h"
#include "ctl/cmd.h"
#include "ctl/table.h"
#include "lib/base/str.h"
#include "lib/json/read.h"

enum {
    NUMBER_TEXT_MAX = 32,
};

static const char *number(const struct json *object, const char *key, char *text)
{
    int64_t value = 0;

    (void)json_get_int_or(object, key, 0, &value, NULL);
    (void)snprintf(text, NUMBER_TEXT_MAX, "%" PRId64, value);
    return text;
}

static const char *words(const struct json *object, const char *key)
{
    const char *text = "";

    (void)json_get_string(object, key, &text, NULL);
    return text;
}

static void print_top(const struct json *data, const char *key, const char *head)
{
    struct table table = TABLE(head, "COUNT");
    const struct json *list = NULL;
    char n[NUMBER_TEXT_MAX];

    if (json_get_array(data, key, &list, NULL) != 0)
        return;
    for (size_t i = 0; i < json_length(list); i++)
        TABLE_ROW(&table, words(json_at(list, i), "name"), number(json_at(list, i), "value", n));
    table_print(&table);
    (void)puts("");
}

static void print_days(const struct json *own)
{
    struct table table = TABLE("DAY", "BYTES", "LOG", "JOURNAL", "SERIES IN MEMORY");
    const struct json *list = NULL;
    char n[4][NUMBER_TEXT_MAX];

    (void)json_get_array(own, "days", &list, NULL);
    for (size_t i = 0; list && i < json_length(list); i++) {
        const struct json *day = json_at(list, i);

        TABLE_ROW(&table, words(day, "day"), number(day, "bytes", n[0]),
                  number(day, "log_bytes", n[1]), number(day, "journal_bytes", n[2]),
                  number(day, "series_in_memory", n[3]));
    }
    table_print(&table);
    (void)puts("");
}

static void print_limits(const struct json *own)
{
    struct table table = TABLE("LIMIT", "USED", "OF");
    const struct json *list = NULL;
    char n[2][NUMBER_TEXT_MAX];

    (void)json_get_array(own, "limits", &list, NULL);
    for (size_t i = 0; list && i < json_length(list); i++)
        TABLE_ROW(&table, words(json_at(list, i), "flag"), number(json_at(list, i), "used", n[0]),
                  number(json_at(list, i), "limit", n[1]));
    table_print(&table);
}

static void print_offenders(const struct json *own)
{
    struct table table = TABLE("REFUSED", "PUSHER", "SAMPLES", "LAST", "EXAMPLE");
    const struct json *list = NULL;
    char n[NUMBER_TEXT_MAX];

    (void)json_get_array(own, "offenders", &list, NULL);
    if (!list || json_length(list) == 0)
        return;
    (void)puts("");
    for (size_t i = 0; i < json_length(list); i++) {
        const struct json *one = json_at(list, i);

        TABLE_ROW(&table, words(one, "reason"), words(one, "pusher"), number(one, "count", n),
                  words(one, "last_at"), words(one, "series"));
    }
    table_print(&table);
}

enum ctl_exit cmd_status_tsdb(struct ctl *ctl)
{
    const struct json *data = NULL;
    const struct json *own = NULL;
    struct json *root;
    enum ctl_exit r = call_json(ctl, &(struct call){.method = "GET", .path = "/api/v1/status/tsdb"},
                                &root);

    if (r != CTL_OK || !root)
        return r;
    if (json_get_object(root, "data", &data, NULL) == 0 &&
        json_get_object(data, "watchbill", &own, NULL) == 0) {
        print_days(own);
        print_top(data, "seriesCountByMetricName", "SERIES OF METRIC");
        print_top(data, "labelValueCountByLabelName", "VALUES OF LABEL");
        print_limits(own);
        print_offenders(own);
    }
    json_free(root);
    return CTL_OK;
}
