/*
 * Windows out of one line, out of JSON, and back. See window.h.
 *
 * A line is translated into the notation of the config file and read by interval.c: what is a
 * weekday or a time is said in one place.
 */

#include "alertd/route/window.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/route/config.h"

static const char *const weekdays[] = {"sunday",   "monday", "tuesday", "wednesday",
                                       "thursday", "friday", "saturday"};
static const char *const months[] = {"january",   "february", "march",    "april",
                                     "may",       "june",     "july",     "august",
                                     "september", "october",  "november", "december"};

static int wrong(struct err *reterr, const char *words, const char *text, size_t len)
{
    return err_set(reterr, ROUTE_E_CONFIG, "\"%.*s\": %s", (int)(len < 60 ? len : 60), text, words);
}

/* --- a line --- */

/* The lists of one time of a line, as they will be written. */
struct parts {
    struct str today, tomorrow;         /* times of day; what is behind midnight */
    struct str weekdays, weekdays_next; /* the same days, and each one's next */
    struct str days, months, years;
    char zone[ZONE_NAME_MAX + 1];
};

static void parts_done(struct parts *parts)
{
    str_done(&parts->today);
    str_done(&parts->tomorrow);
    str_done(&parts->weekdays);
    str_done(&parts->weekdays_next);
    str_done(&parts->days);
    str_done(&parts->months);
    str_done(&parts->years);
}

static void add_range(struct str *list, const char *first, const char *last)
{
    str_addf(list, "%s'%s:%s'", list->len ? ", " : "", first, last);
}

static void add_times(struct str *list, const char *from, const char *to)
{
    str_addf(list, "%s{start_time: '%s', end_time: '%s'}", list->len ? ", " : "", from, to);
}

static void add_number(struct str *list, const char *text, size_t len)
{
    str_addf(list, "%s'%.*s'", list->len ? ", " : "", (int)len, text);
}

/* -1: none, or several. "sat" is saturday. */
static int name_of(const char *const *names, int n, const char *text, size_t len)
{
    if (len < 3)
        return -1;
    for (int i = 0; i < n; i++)
        if (strncasecmp(names[i], text, len) == 0 && len <= strlen(names[i]))
            return i;
    return -1;
}

/* fri-mon: to the week's end, and on from its beginning. */
static void add_weekdays(struct str *list, int first, int last)
{
    if (first > last) {
        add_range(list, weekdays[first], weekdays[6]);
        first = 0;
    }
    add_range(list, weekdays[first], weekdays[last]);
}

static int read_weekdays(struct parts *parts, const char *text, size_t len, struct err *reterr)
{
    const char *dash = memchr(text, '-', len);
    size_t first_len = dash ? (size_t)(dash - text) : len;
    int first = name_of(weekdays, 7, text, first_len);
    int last = dash ? name_of(weekdays, 7, dash + 1, len - first_len - 1) : first;

    if (first < 0 || last < 0)
        return wrong(reterr,
                     "expected weekdays (sat, mon-fri), times (02:00-04:00), days=, months=, "
                     "years= or a time zone",
                     text, len);
    add_weekdays(&parts->weekdays, first, last);
    add_weekdays(&parts->weekdays_next, (first + 1) % 7, (last + 1) % 7);
    return 0;
}

static int read_time(struct parts *parts, const char *text, size_t len, struct err *reterr)
{
    char from[6] = "";
    char to[6] = "";

    if (len != 11 || text[5] != '-')
        return wrong(reterr, "expected a time of day like 02:00-04:00", text, len);
    memcpy(from, text, 5);
    memcpy(to, text + 6, 5);
    if (strcmp(to, "00:00") == 0)
        memcpy(to, "24:00", 6);
    if (strcmp(from, to) < 0) {
        add_times(&parts->today, from, to);
        return 0;
    }
    if (strcmp(from, to) == 0)
        return wrong(reterr, "it ends when it begins; leave it out for the whole day", text, len);
    add_times(&parts->today, from, "24:00");
    add_times(&parts->tomorrow, "00:00", to);
    return 0;
}

/* months=jan:mar */
static int read_months(struct str *list, const char *text, size_t len, struct err *reterr)
{
    const char *colon = memchr(text, ':', len);
    size_t first_len = colon ? (size_t)(colon - text) : len;
    int first = name_of(months, 12, text, first_len);
    int last = colon ? name_of(months, 12, colon + 1, len - first_len - 1) : first;

    if (isdigit((unsigned char)text[0])) {
        add_number(list, text, len);
        return 0;
    }
    if (first < 0 || last < 0)
        return wrong(reterr, "expected a month, or two with a colon between", text, len);
    add_range(list, months[first], months[last]);
    return 0;
}

/* One item of a word's list. */
static int read_item(
    struct parts *parts, const char *field, const char *text, size_t len, struct err *reterr)
{
    if (len == 0 || len > 40)
        return wrong(reterr, "nothing between two commas, or too much", text, len);
    if (strcmp(field, "months=") == 0)
        return read_months(&parts->months, text, len, reterr);
    if (*field)
        add_number(*field == 'd' ? &parts->days : &parts->years, text, len);
    else if (isdigit((unsigned char)text[0]))
        return read_time(parts, text, len, reterr);
    else
        return read_weekdays(parts, text, len, reterr);
    return 0;
}

/* Europe/Berlin, UTC, CET: what has a capital and is no weekday. */
static bool is_zone(const char *word, size_t len)
{
    size_t letters = 0;

    while (letters < len && isalpha((unsigned char)word[letters]))
        letters++;
    return memchr(word, '/', len) ||
           (isupper((unsigned char)*word) && name_of(weekdays, 7, word, letters) < 0);
}

static int read_word(struct parts *parts, const char *word, size_t len, struct err *reterr)
{
    static const char *const fields[] = {"days=", "months=", "years=", ""};
    const char *end = word + len;
    size_t field = 0;

    if (is_zone(word, len)) {
        if (parts->zone[0] || len > ZONE_NAME_MAX)
            return wrong(reterr, "one time zone", word, len);
        memcpy(parts->zone, word, len);
        return 0;
    }
    while (strncmp(word, fields[field], strlen(fields[field])) != 0)
        field++;
    word += strlen(fields[field]);
    for (const char *at = word; at <= end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma ? comma : end;

        if (read_item(parts, fields[field], at, (size_t)(stop - at), reterr))
            return ROUTE_E_CONFIG;
        at = stop + 1;
    }
    return 0;
}

static void add_list(struct str *out, const char *key, const struct str *list)
{
    if (list->len)
        str_addf(out, "%s: [%s], ", key, str_text(list));
}

static void add_span(const struct parts *parts,
                     const struct str *times,
                     const struct str *days_of_week,
                     struct str *out)
{
    str_add(out, "- {");
    add_list(out, "weekdays", days_of_week);
    add_list(out, "times", times);
    add_list(out, "days_of_month", &parts->days);
    add_list(out, "months", &parts->months);
    add_list(out, "years", &parts->years);
    str_addf(out, "location: '%s'}\n", parts->zone[0] ? parts->zone : "UTC");
}

/* One time of the line, as the config file has it. */
static int translate(const char *text, size_t len, struct str *out, struct err *reterr)
{
    struct str list = STR_INIT(ROUTE_WINDOW_BYTES_MAX);
    struct parts parts = {list, list, list, list, list, list, list, ""};
    const char *end = text + len;
    size_t n_words = 0;
    int r = 0;

    for (const char *at = text; r == 0 && at < end;) {
        size_t word = strcspn(at, " \t\r\n;");

        if (word > 0) {
            r = read_word(&parts, at, word, reterr);
            n_words++;
        }
        at += word + 1;
    }
    if (r == 0 && n_words == (parts.zone[0] ? 1 : 0))
        r = wrong(reterr, "say when: weekdays, times of day, days=, months= or years=", text, len);
    if (r == 0 && parts.tomorrow.len && parts.days.len + parts.months.len + parts.years.len > 0)
        r = wrong(reterr, "over midnight with days=, months= or years=: write two, with ; between",
                  text, len);
    if (r == 0 && parts.tomorrow.len && !parts.weekdays.len)
        str_addf(&parts.today, ", %s", str_text(&parts.tomorrow));
    if (r == 0)
        add_span(&parts, &parts.today, &parts.weekdays, out);
    if (r == 0 && parts.tomorrow.len && parts.weekdays.len)
        add_span(&parts, &parts.tomorrow, &parts.weekdays_next, out);
    parts_done(&parts);
    return r;
}

static int read_yaml(const char *text,
                     struct arena *arena,
                     struct zones *zones,
                     struct route_interval *ret_window,
                     struct err *reterr)
{
    struct route_interval window = {0};
    struct yaml *yaml = NULL;
    int r = yaml_parse(text, strlen(text), &yaml, reterr);

    if (r == 0)
        r = route_interval_read(arena, zones, yaml_root(yaml), &window, reterr);
    yaml_free(yaml);
    if (r == 0 && window.n > ROUTE_WINDOW_SPANS_MAX)
        r = err_set(reterr, ROUTE_E_CONFIG, "at most %d times", ROUTE_WINDOW_SPANS_MAX);
    if (r) {
        if (reterr)
            reterr->line = reterr->column = 0;
        return ROUTE_E_CONFIG;
    }
    *ret_window = window;
    return 0;
}

int route_window_parse(const char *line,
                       struct arena *arena,
                       struct zones *zones,
                       struct route_interval *ret_window,
                       struct err *reterr)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789 \t\r\n;,:-+=_/";
    STR_AUTO struct str yaml = STR_INIT(ROUTE_WINDOW_BYTES_MAX);
    size_t strange = strspn(line, letters);

    if (line[strange])
        return wrong(reterr, "no word of a window has that", line + strange, 1);
    if (strlen(line) > ROUTE_WINDOW_LINE_MAX)
        return wrong(reterr, "it is too long", line, 40);
    for (const char *at = line; at;) {
        size_t len = strcspn(at, ";");

        if (translate(at, len, &yaml, reterr))
            return ROUTE_E_CONFIG;
        at = at[len] ? at + len + 1 : NULL;
    }
    return read_yaml(str_text(&yaml), arena, zones, ret_window, reterr);
}

/* --- JSON --- */

/* Each field by itself first: only so can words name it. */
static int check_span(const struct yaml_node *node,
                      const char *where,
                      struct arena *arena,
                      struct zones *zones,
                      struct err *reterr)
{
    bool says_when = false;

    if (node->kind != YAML_MAP)
        return err_set(reterr, ROUTE_E_CONFIG, "%s: expected an object with times, weekdays ...",
                       where);
    for (size_t i = 0; i < node->n; i++) {
        struct yaml_node map = *node;
        struct yaml_node *item = &map;
        struct yaml_node list = *node;
        struct route_interval ignored = {0};

        map.n = 1;
        map.keys = &node->keys[i];
        map.items = &node->items[i];
        list.kind = YAML_LIST;
        list.n = 1;
        list.items = &item;
        if (route_interval_read(arena, zones, &list, &ignored, reterr))
            return err_prefix(reterr, ROUTE_E_CONFIG, "%s.%.40s", where, node->keys[i]->text);
        says_when |= strcmp(node->keys[i]->text, "location") != 0 && node->items[i]->n > 0;
    }
    return says_when
               ? 0
               : err_set(reterr, ROUTE_E_CONFIG,
                         "%s: say when: times, weekdays, days_of_month, months or years", where);
}

static int check_all(const struct yaml_node *root,
                     struct arena *arena,
                     struct zones *zones,
                     struct err *reterr)
{
    char where[32] = "window";
    int r = 0;

    if (root->kind == YAML_MAP)
        return check_span(root, where, arena, zones, reterr);
    if (root->kind != YAML_LIST || root->n < 1 || root->n > ROUTE_WINDOW_SPANS_MAX)
        return err_set(reterr, ROUTE_E_CONFIG,
                       "window: expected an object with times, weekdays ..., or 1 to %d of them",
                       ROUTE_WINDOW_SPANS_MAX);
    for (size_t i = 0; r == 0 && i < root->n; i++) {
        (void)snprintf(where, sizeof(where), "window[%zu]", i);
        r = check_span(root->items[i], where, arena, zones, reterr);
    }
    return r;
}

int route_window_read(const char *json,
                      struct arena *arena,
                      struct zones *zones,
                      struct route_interval *ret_window,
                      struct err *reterr)
{
    struct route_interval window = {0};
    struct yaml *yaml = NULL;

    if (strlen(json) > ROUTE_WINDOW_BYTES_MAX)
        return err_set(reterr, ROUTE_E_CONFIG, "window: at most %d bytes", ROUTE_WINDOW_BYTES_MAX);
    int r = yaml_parse(json, strlen(json), &yaml, reterr);
    if (r == 0)
        r = check_all(yaml_root(yaml), arena, zones, reterr);
    if (r == 0) {
        struct yaml_node list = *yaml_root(yaml);
        struct yaml_node *only = &list;
        struct yaml_node one = list;

        if (list.kind == YAML_MAP) {
            one.kind = YAML_LIST;
            one.n = 1;
            one.items = &only;
        }
        r = route_interval_read(arena, zones, &one, &window, reterr);
    }
    yaml_free(yaml);
    if (r) {
        if (reterr)
            reterr->line = reterr->column = 0;
        return ROUTE_E_CONFIG;
    }
    *ret_window = window;
    return 0;
}

/* --- out --- */

static void add_end(struct str *out, const char *const *names, int base, int value)
{
    if (names)
        str_add(out, names[value - base]);
    else
        str_addf(out, "%d", value);
}

static void add_ranges(struct str *out,
                       const char *key,
                       const struct route_ranges *ranges,
                       const char *const *names,
                       int base)
{
    if (ranges->n == 0)
        return;
    str_addf(out, "\"%s\":[", key);
    for (size_t i = 0; i < ranges->n; i++) {
        str_add(out, i ? ",\"" : "\"");
        add_end(out, names, base, ranges->at[i].first);
        if (ranges->at[i].first != ranges->at[i].last) {
            str_addc(out, ':');
            add_end(out, names, base, ranges->at[i].last);
        }
        str_addc(out, '"');
    }
    str_add(out, "],");
}

void route_window_json(const struct route_interval *window, struct str *out)
{
    str_addc(out, '[');
    for (size_t i = 0; i < window->n; i++) {
        const struct route_span *span = &window->spans[i];

        str_add(out, i ? ",{" : "{");
        if (span->times.n) {
            str_add(out, "\"times\":[");
            for (size_t k = 0; k < span->times.n; k++)
                str_addf(out, "%s{\"start_time\":\"%02d:%02d\",\"end_time\":\"%02d:%02d\"}",
                         k ? "," : "", span->times.at[k].first / 60, span->times.at[k].first % 60,
                         span->times.at[k].last / 60, span->times.at[k].last % 60);
            str_add(out, "],");
        }
        add_ranges(out, "weekdays", &span->weekdays, weekdays, 0);
        add_ranges(out, "days_of_month", &span->days_of_month, NULL, 0);
        add_ranges(out, "months", &span->months, months, 1);
        add_ranges(out, "years", &span->years, NULL, 0);
        str_addf(out, "\"location\":\"%s\"}", span->zone ? zone_name(span->zone) : "UTC");
    }
    str_addc(out, ']');
}

static void print_ranges(struct str *out,
                         const char *key,
                         const struct route_ranges *ranges,
                         const char *const *names)
{
    for (size_t i = 0; i < ranges->n; i++) {
        const struct route_range *range = &ranges->at[i];

        if (i == 0)
            str_addf(out, "%s=", key);
        else
            str_addc(out, ',');
        add_end(out, names, 1, range->first);
        if (range->first != range->last) {
            str_addc(out, ':');
            add_end(out, names, 1, range->last);
        }
    }
    if (ranges->n)
        str_addc(out, ' ');
}

static void print_span(const struct route_span *span, struct str *out)
{
    for (size_t i = 0; i < span->weekdays.n; i++) {
        const struct route_range *range = &span->weekdays.at[i];

        str_addf(out, "%s%.3s", i ? "," : "", weekdays[range->first]);
        if (range->first != range->last)
            str_addf(out, "-%.3s", weekdays[range->last]);
    }
    if (span->weekdays.n)
        str_addc(out, ' ');
    for (size_t i = 0; i < span->times.n; i++) {
        const struct route_range *range = &span->times.at[i];

        str_addf(out, "%s%02d:%02d-%02d:%02d", i ? "," : "", range->first / 60, range->first % 60,
                 range->last / 60, range->last % 60);
    }
    if (span->times.n)
        str_addc(out, ' ');
    print_ranges(out, "days", &span->days_of_month, NULL);
    print_ranges(out, "months", &span->months, months);
    print_ranges(out, "years", &span->years, NULL);
    str_add(out, span->zone ? zone_name(span->zone) : "UTC");
}

void route_window_print(const struct route_interval *window, struct str *out)
{
    for (size_t i = 0; i < window->n; i++) {
        str_add(out, i ? "; " : "");
        print_span(&window->spans[i], out);
    }
}
