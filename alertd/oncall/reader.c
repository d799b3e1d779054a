/*
 * Reading JSON into an arena. See spelling_private.h.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "alertd/oncall/spelling_private.h"
#include "lib/base/clock.h"

const char *const rotation_units[] = {"hours", "days", "weeks", "months", "always", NULL};
const char *const override_kinds[] = {"replace", "add", "remove", "swap", NULL};
const char *const shadow_modes[] = {"observe", "own copy", "reverse", NULL};
const char *const shadow_targets[] = {"person", "schedule", NULL};
const char *const target_kinds[] = {"person", "schedule", "receiver", NULL};
const char *const weekday_names[] = {"sunday",   "monday", "tuesday",  "wednesday",
                                     "thursday", "friday", "saturday", NULL};

void *reader_array(struct reader *r, size_t n, size_t size)
{
    void *array = r->rc ? NULL : arena_array(r->arena, n ? n : 1, size);

    if (!array && !r->rc)
        r->rc = err_set(r->reterr, -ENOMEM, "more than the memory set aside for it holds");
    return array;
}

char *reader_copy(struct reader *r, const char *text)
{
    size_t len = strlen(text);
    char *copy = reader_array(r, len + 1, 1);

    if (copy)
        memcpy(copy, text, len + 1);
    return copy;
}

void reader_wrong(struct reader *r, const struct json *value, const char *key, const char *fmt, ...)
{
    char words[ERR_TEXT_MAX];
    va_list ap;

    if (r->rc)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    r->rc = json_wrong(value, key, r->reterr, "%s", words);
}

const char *reader_text(struct reader *r, const struct json *object, const char *key, bool required)
{
    const char *text = NULL;

    if (r->rc || (!required && json_is_object(object) && !json_has(object, key)))
        return NULL;
    r->rc = json_get_string(object, key, &text, r->reterr);
    return r->rc ? NULL : reader_copy(r, text);
}

const char *reader_name(struct reader *r, const struct json *object, const char *key, bool required)
{
    const char *name = reader_text(r, object, key, required);

    if (!name)
        return NULL;
    if (!*name || strlen(name) > ROSTER_NAME_MAX)
        reader_wrong(r, object, key, "expected a name of 1 to %d bytes", (int)ROSTER_NAME_MAX);
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            reader_wrong(r, object, key, "a name holds no control characters");
    return r->rc ? NULL : name;
}

int64_t reader_time(struct reader *r, const struct json *object, const char *key, int64_t fallback)
{
    int64_t at_ms = fallback;
    const char *text = reader_text(r, object, key, fallback == 0);

    if (text && (clock_parse_rfc3339(text, &at_ms) || at_ms < ROSTER_TIME_MIN_MS ||
                 at_ms > ROSTER_TIME_MAX_MS))
        reader_wrong(r, object, key, "'%.40s' is no instant such as 2026-01-05T09:00:00Z", text);
    return at_ms;
}

int64_t reader_int(struct reader *r,
                   const struct json *object,
                   const char *key,
                   int64_t fallback,
                   int64_t min,
                   int64_t max)
{
    int64_t value = fallback;

    if (!r->rc)
        r->rc = json_get_int_or(object, key, fallback, &value, r->reterr);
    if (value < min || value > max)
        reader_wrong(r, object, key, "expected %lld to %lld", (long long)min, (long long)max);
    return value;
}

int reader_choice(struct reader *r,
                  const struct json *object,
                  const char *key,
                  const char *const *names,
                  int fallback)
{
    char known[120] = "";
    size_t len = 0;
    const char *text = reader_text(r, object, key, fallback < 0);

    if (!text)
        return fallback < 0 ? 0 : fallback;
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], text) == 0)
            return i;
        len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", i ? ", " : "", names[i]);
    }
    reader_wrong(r, object, key, "'%.40s' is none of %s", text, known);
    return 0;
}

const struct json *reader_list(struct reader *r,
                               const struct json *object,
                               const char *key,
                               size_t max)
{
    const struct json *list = NULL;

    if (r->rc || (json_is_object(object) && !json_has(object, key)))
        return NULL;
    r->rc = json_get_array(object, key, &list, r->reterr);
    if (!r->rc && json_length(list) > max)
        reader_wrong(r, object, key, "%zu entries: at most %zu", json_length(list), max);
    return r->rc ? NULL : list;
}

void reader_only(struct reader *r, const struct json *object, const char *const *known)
{
    if (!r->rc)
        r->rc = json_only(object, known, r->reterr);
}

/* Two digits at text[0]; -1 when there are none. */
static int two(const char *text)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return -1;
    return (text[0] - '0') * 10 + text[1] - '0';
}

bool reader_time_of_day(const char *text, int *ret_s)
{
    size_t len = strlen(text);
    int hour = len == 5 || len == 8 ? two(text) : -1;
    int minute = hour >= 0 && text[2] == ':' ? two(text + 3) : -1;
    int second = len == 5 ? 0 : (minute >= 0 && text[5] == ':' ? two(text + 6) : -1);

    if (hour < 0 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;
    *ret_s = hour * 3600 + minute * 60 + second;
    return *ret_s <= 86400;
}

bool reader_local(const char *text, struct zone_local *ret_local)
{
    char rfc[CLOCK_TEXT_MAX];
    int64_t at_ms = 0;
    int time_s = 0;
    size_t len = strlen(text);

    if ((len != 16 && len != 19) || text[10] != 'T' || !reader_time_of_day(text + 11, &time_s) ||
        time_s == 86400)
        return false;
    (void)snprintf(rfc, sizeof(rfc), "%.10sT00:00:00Z", text);
    if (clock_parse_rfc3339(rfc, &at_ms))
        return false;
    struct clock_utc date = clock_split_utc(at_ms);

    *ret_local = (struct zone_local){.year = date.year,
                                     .month = date.month,
                                     .day = date.day,
                                     .hour = time_s / 3600,
                                     .minute = time_s / 60 % 60,
                                     .second = time_s % 60};
    return date.year > 0 && date.year < 10000 && date.day == two(text + 8); /* 30 February */
}
