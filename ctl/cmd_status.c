/*
 * alertctl status: is alertd itself well. alertctl status tsdb: what takes the samples' space, and
 * who was refused what.
 */

#include <inttypes.h>
#include <stdio.h>

#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/cmd.h"
#include "ctl/progress.h"
#include "ctl/table.h"
#include "lib/base/str.h"
#include "lib/json/read.h"

enum {
    NUMBER_TEXT_MAX = 32,
};

static const char *number(const struct json *object, const char *key, char *text)
{
    (void)snprintf(text, NUMBER_TEXT_MAX, "%" PRId64, answer_count(object, key));
    return text;
}

/* "512", "3.4K", "171M": as du prints it. */
static const char *size_text(int64_t bytes, char *text)
{
    static const char units[] = "KMGT";
    double size = (double)bytes;
    size_t unit = 0;

    if (bytes < 1024) {
        (void)snprintf(text, NUMBER_TEXT_MAX, "%" PRId64, bytes);
        return text;
    }
    for (size /= 1024; size >= 999.5 && unit + 2 < sizeof(units); unit++)
        size /= 1024;
    (void)snprintf(text, NUMBER_TEXT_MAX, size < 9.95 ? "%.1f%c" : "%.0f%c", size, units[unit]);
    return text;
}

static const char *size_of(const struct json *object, const char *key, char *text)
{
    return size_text(answer_count(object, key), text);
}

static double seconds(const struct json *object, const char *key)
{
    double value = -1;

    (void)json_get_float(object, key, &value, NULL);
    return value;
}

static bool is_set(const struct json *object, const char *key)
{
    bool value = false;

    (void)json_get_bool(object, key, &value, NULL);
    return value;
}

static void print_canary(const struct json *canary)
{
    if (seconds(canary, "age_seconds") < 0)
        (void)puts("round trip:  none has come back yet");
    else
        (void)printf("round trip:  %.1f s old, took %.2f s; too old after %.0f s\n",
                     seconds(canary, "age_seconds"), seconds(canary, "trip_seconds"),
                     seconds(canary, "limit_seconds"));
}

static void print_dead_man(const struct json *dead_man)
{
    char n[3][NUMBER_TEXT_MAX];

    if (!is_set(dead_man, "configured"))
        (void)puts("who notices: nobody: set --dead-man.url");
    else
        (void)printf("who notices: the dead-man's URL, pinged last at %s; %s sent, %s failed, "
                     "%s withheld\n",
                     *answer_words(dead_man, "pinged_at") ? answer_words(dead_man, "pinged_at")
                                                          : "never",
                     number(dead_man, "sent", n[0]), number(dead_man, "failed", n[1]),
                     number(dead_man, "withheld", n[2]));
    if (is_set(dead_man, "systemd"))
        (void)puts("             systemd's watchdog");
}

static void print_watch(const struct json *watch)
{
    const struct json *part = NULL;
    char n[NUMBER_TEXT_MAX];

    (void)printf("alertd:      %s\n",
                 is_set(watch, "ok") ? "pages reliably" : answer_words(watch, "why"));
    if (json_get_object(watch, "canary", &part, NULL) == 0)
        print_canary(part);
    if (json_get_object(watch, "pages", &part, NULL) == 0)
        (void)printf("pages:       %s unsent, the oldest for %.0f s\n", number(part, "unsent", n),
                     seconds(part, "oldest_unsent_seconds"));
    if (json_get_object(watch, "writers", &part, NULL) == 0)
        (void)printf("writers:     state.db %.2f s behind, samples %.2f s\n",
                     seconds(part, "state_lag_seconds"), seconds(part, "samples_lag_seconds"));
    if (json_get_object(watch, "dead_man", &part, NULL) == 0)
        print_dead_man(part);
}

enum ctl_exit cmd_status(struct ctl *ctl)
{
    const struct json *watch = NULL;
    struct json *root;
    static const struct call call = {
        .method = "GET", .path = "/api/alertd/v1/overview", .judged = true};
    enum ctl_exit r = call_json(ctl, &call, &root);

    if (r != CTL_OK)
        return r;
    if (json_get_object(root, "watch", &watch, NULL) == 0 && !ctl->json)
        print_watch(watch);
    bool ok = watch && is_set(watch, "ok");
    json_free(root);
    return ok ? CTL_OK : CTL_FAILURE;
}

static void print_top(const struct json *data, const char *key, const char *head)
{
    struct table table = TABLE(head, "COUNT");
    const struct json *list = NULL;
    char n[NUMBER_TEXT_MAX];

    table.numbers_right = true;
    if (json_get_array(data, key, &list, NULL) != 0)
        return;
    for (size_t i = 0; i < json_length(list); i++)
        TABLE_ROW(&table, answer_words(json_at(list, i), "name"),
                  number(json_at(list, i), "value", n));
    table_print(&table);
    (void)puts("");
}

/* The file and its log; what is in them adds up to it. */
static const char *size_of_day(const struct json *day, char *text)
{
    return size_text(answer_count(day, "bytes") + answer_count(day, "log_bytes"), text);
}

/* Sealed and not yet. */
static const char *samples_of(const struct json *day, char *text)
{
    return count_text(answer_count(day, "sealed_samples") + answer_count(day, "unsealed_samples"),
                      text);
}

static const char *per_sample(const struct json *day, char *text)
{
    double ratio = 0;

    if (json_get_float(day, "bytes_per_sample", &ratio, NULL))
        return "-";
    (void)snprintf(text, NUMBER_TEXT_MAX, "%.2f", ratio);
    return text;
}

/* Counted, not guessed. */
static void print_memory(const struct json *own)
{
    static const struct {
        const char *key, *what;
    } rows[] = {
        {"index_bytes", "series, labels, and who has them"},
        {"series_days_bytes", "a series' days"},
        {"open_chunks_bytes", "samples not yet sealed"},
        {"recent_copies_bytes", "copies of what was sealed last"},
        {"push_cache_bytes", "what pushes are recognised by"},
    };
    struct table table = TABLE("MEMORY OF", "BYTES");
    const struct json *memory = NULL;
    char n[NUMBER_TEXT_MAX];

    table.numbers_right = true;
    if (json_get_object(own, "memory", &memory, NULL) != 0)
        return;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        TABLE_ROW(&table, rows[i].what, number(memory, rows[i].key, n));
    table_print(&table);
    (void)puts("");
}

/* Damaged files that are not used. */
static void print_set_aside(const struct json *own)
{
    const struct json *list = NULL;

    (void)json_get_array(own, "set_aside", &list, NULL);
    for (size_t i = 0; list && i < json_length(list); i++)
        if (json_text(json_at(list, i)))
            (void)printf("set aside: %s\n", json_text(json_at(list, i)));
}

static void print_days(const struct json *own)
{
    struct table table = TABLE("DAY", "SIZE", "JOURNAL", "CHUNKS", "ROLL-UPS", "OTHER", "SAMPLES",
                               "B/SAMPLE", "SERIES");
    const struct json *list = NULL;
    char n[6][NUMBER_TEXT_MAX];

    table.numbers_right = true;
    (void)json_get_array(own, "days", &list, NULL);
    for (size_t i = 0; list && i < json_length(list); i++) {
        const struct json *day = json_at(list, i);
        char samples[NUMBER_TEXT_MAX];
        char ratio[NUMBER_TEXT_MAX];

        TABLE_ROW(&table, answer_words(day, "day"), size_of_day(day, n[0]),
                  size_of(day, "journal_bytes", n[1]), size_of(day, "chunk_bytes", n[2]),
                  size_of(day, "rollup_bytes", n[3]), size_of(day, "other_bytes", n[4]),
                  samples_of(day, samples), per_sample(day, ratio),
                  number(day, "series_in_memory", n[5]));
    }
    table_print(&table);
    (void)puts("");
}

static void print_limits(const struct json *own)
{
    struct table table = TABLE("LIMIT", "USED", "OF");
    const struct json *list = NULL;
    char n[2][NUMBER_TEXT_MAX];

    table.numbers_right = true;
    (void)json_get_array(own, "limits", &list, NULL);
    for (size_t i = 0; list && i < json_length(list); i++)
        TABLE_ROW(&table, answer_words(json_at(list, i), "flag"),
                  number(json_at(list, i), "used", n[0]), number(json_at(list, i), "limit", n[1]));
    table_print(&table);
}

static void print_offenders(const struct json *own)
{
    struct table table = TABLE("REFUSED", "PUSHER", "SAMPLES", "LAST", "EXAMPLE");
    const struct json *list = NULL;
    char n[NUMBER_TEXT_MAX];

    table.numbers_right = true;
    (void)json_get_array(own, "offenders", &list, NULL);
    if (!list || json_length(list) == 0)
        return;
    (void)puts("");
    for (size_t i = 0; i < json_length(list); i++) {
        const struct json *one = json_at(list, i);

        TABLE_ROW(&table, answer_words(one, "reason"), answer_words(one, "pusher"),
                  number(one, "count", n), answer_words(one, "last_at"),
                  answer_words(one, "series"));
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
        print_memory(own);
        print_top(data, "seriesCountByMetricName", "SERIES OF METRIC");
        print_top(data, "labelValueCountByLabelName", "VALUES OF LABEL");
        print_limits(own);
        print_offenders(own);
        print_set_aside(own);
    }
    json_free(root);
    return CTL_OK;
}
