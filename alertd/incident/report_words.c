/*
 * A report in words: plain text for a terminal and a mail, HTML for a mail. See report.h.
 *
 *   report --fill_*()--> sheets (cells of text) --as text or as HTML-->
 */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alertd/incident/flap.h"
#include "alertd/incident/report.h"
#include "lib/base/html.h"
#include "lib/base/str.h"
#include "lib/model/duration.h"

enum {
    COLUMNS_MAX = 10,
    CELL_MAX = 64,
    SHEET_BYTES_MAX = 256 * 1024,
    RULES_SHOWN_MAX = 25,
    PEOPLE_SHOWN_MAX = 25,
    FLAPPING_SHOWN_MAX = 10,
    SHIFTS_SHOWN_MAX = 31,
};

/* Rows of cells, the heads first; each ends with a NUL. */
struct sheet {
    unsigned n_columns;
    unsigned n_left; /* so many columns from the left hold words, the rest numbers */
    struct str cells;
};

static void cell(struct sheet *sheet, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void cell(struct sheet *sheet, const char *fmt, ...)
{
    char text[CELL_MAX];
    va_list ap;

    va_start(ap, fmt);
    int len = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (len < 0)
        len = 0;
    if ((size_t)len >= sizeof(text)) { /* cut between characters */
        len = CELL_MAX - 1;
        while (len > 0 && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
            len--;
        if (len > 0 && ((unsigned char)text[len - 1] & 0x80))
            len--;
    }
    for (int i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ')
            text[i] = ' ';
    str_addn(&sheet->cells, text, (size_t)len);
    str_addc(&sheet->cells, '\0');
}

static size_t width_of(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static const char *next_cell(const struct sheet *sheet, const char *at)
{
    at += strlen(at) + 1;
    return at < sheet->cells.text + sheet->cells.len ? at : NULL;
}

static void pad(struct str *out, size_t n)
{
    while (n-- > 0)
        str_addc(out, ' ');
}

static void sheet_text(const struct sheet *sheet, struct str *out)
{
    size_t widths[COLUMNS_MAX] = {0};
    unsigned column = 0;

    if (sheet->cells.full)
        return;
    for (const char *at = str_text(&sheet->cells); at; at = next_cell(sheet, at)) {
        size_t width = width_of(at);

        if (width > widths[column])
            widths[column] = width;
        column = (column + 1) % sheet->n_columns;
    }
    column = 0;
    for (const char *at = str_text(&sheet->cells); at; at = next_cell(sheet, at)) {
        bool is_left = column < sheet->n_left;
        bool is_last = column + 1 == sheet->n_columns;

        str_add(out, "  ");
        if (!is_left)
            pad(out, widths[column] - width_of(at));
        str_add(out, at);
        if (is_left && !is_last)
            pad(out, widths[column] - width_of(at));
        if (is_last)
            str_addc(out, '\n');
        column = (column + 1) % sheet->n_columns;
    }
}

static void sheet_html(const struct sheet *sheet, struct str *out)
{
    const char *tag = "th";
    unsigned column = 0;

    if (sheet->cells.full)
        return;
    str_add(out, "<table style=\"border-collapse:collapse;font-size:14px\">\n");
    for (const char *at = str_text(&sheet->cells); at; at = next_cell(sheet, at)) {
        if (column == 0)
            str_add(out, "<tr>");
        str_addf(out, "<%s style=\"padding:3px 10px 3px 0;text-align:%s;%s\">", tag,
                 column < sheet->n_left ? "left" : "right",
                 tag[1] == 'h' ? "border-bottom:1px solid #999999" : "white-space:nowrap");
        html_escape(out, at);
        str_addf(out, "</%s>", tag);
        column = (column + 1) % sheet->n_columns;
        if (column == 0) {
            str_add(out, "</tr>\n");
            tag = "td";
        }
    }
    str_add(out, "</table>\n");
}

/* --- cells --- */

static void cell_span(struct sheet *sheet, const struct report_spans *spans, int64_t span_ms)
{
    char text[DURATION_TEXT_MAX];

    if (spans->n && span_ms < 1000)
        cell(sheet, "0 s");
    else
        cell(sheet, "%s", spans->n ? duration_human(span_ms / 1000 * 1000, text) : "-");
}

static void share_words(const struct report_share *share, char *text, size_t size)
{
    if (isnan(share->share))
        (void)snprintf(text, size, "-");
    else
        (void)snprintf(text, size, "%.0f %% (%.0f to %.0f)", 100 * share->share, 100 * share->low,
                       100 * share->high);
}

static void cell_count(struct sheet *sheet, unsigned n)
{
    if (n)
        cell(sheet, "%u", n);
    else
        cell(sheet, "."); /* what is not zero stands out */
}

static void heads(struct sheet *sheet, const char *const *names)
{
    for (unsigned i = 0; i < sheet->n_columns; i++)
        cell(sheet, "%s", names[i]);
}

/* --- sheets --- */

static void fill_spans(const struct report *report, struct sheet *sheet)
{
    static const char *const names[] = {"", "median", "p90", "longest", "of"};
    const struct {
        const char *name;
        const struct report_spans *spans;
    } rows[] = {{"acknowledged in", &report->to_acknowledge}, {"resolved in", &report->to_resolve}};

    sheet->n_columns = 5;
    sheet->n_left = 1;
    heads(sheet, names);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cell(sheet, "%s", rows[i].name);
        cell_span(sheet, rows[i].spans, rows[i].spans->median_ms);
        cell_span(sheet, rows[i].spans, rows[i].spans->p90_ms);
        cell_span(sheet, rows[i].spans, rows[i].spans->max_ms);
        cell(sheet, "%zu", rows[i].spans->n);
    }
}

static void fill_rules(const struct report *report, struct sheet *sheet)
{
    static const char *const names[] = {"rule",  "incidents", "pages",  "night",       "useful",
                                        "noise", "?",         "unsaid", "noise share", "flaps"};

    sheet->n_columns = 10;
    sheet->n_left = 1;
    heads(sheet, names);
    for (size_t i = 0; i < report->n_rules && i < RULES_SHOWN_MAX; i++) {
        const struct report_rule_row *row = &report->rules[i];
        char share[CELL_MAX];

        share_words(&row->noise_share, share, sizeof(share));
        cell(sheet, "%s", row->rule);
        cell_count(sheet, row->load.incidents);
        cell_count(sheet, row->load.pages);
        cell_count(sheet, row->load.night_pages);
        cell_count(sheet, row->useful);
        cell_count(sheet, row->noise);
        cell_count(sheet, row->unknown);
        cell_count(sheet, row->unanswered);
        cell(sheet, "%s", share);
        if (row->flap_percent >= FLAP_HIGH_PERCENT)
            cell(sheet, "%.0f %%", row->flap_percent);
        else
            cell(sheet, ".");
    }
}

static void fill_people(const struct report *report, struct sheet *sheet)
{
    static const char *const names[] = {"who", "pages", "night", "incidents"};

    sheet->n_columns = 4;
    sheet->n_left = 1;
    heads(sheet, names);
    for (size_t i = 0; i < report->n_people && i < PEOPLE_SHOWN_MAX; i++) {
        cell(sheet, "%s%s", report_is_person(report->people[i].who) ? "" : "receiver ",
             report_name(report->people[i].who));
        cell_count(sheet, report->people[i].load.pages);
        cell_count(sheet, report->people[i].load.night_pages);
        cell_count(sheet, report->people[i].load.incidents);
    }
}

static void cell_day(struct sheet *sheet, const struct zone *zone, int64_t at_ms)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    struct zone_local local = zone_local(zone, at_ms);

    if (local.hour || local.minute)
        cell(sheet, "%s %04d-%02d-%02d %02d:%02d", days[local.weekday], local.year, local.month,
             local.day, local.hour, local.minute);
    else
        cell(sheet, "%s %04d-%02d-%02d", days[local.weekday], local.year, local.month, local.day);
}

static void fill_days(const struct report *report, struct sheet *sheet)
{
    static const char *const names[] = {"day", "pages", "night", "incidents"};
    size_t n_shown = 0;

    sheet->n_columns = 4;
    sheet->n_left = 1;
    heads(sheet, names);
    for (size_t i = 0; i < report->n_shifts && n_shown < SHIFTS_SHOWN_MAX; i++) {
        const struct report_shift_row *row = &report->shifts[i];

        if (row->shift.schedule)
            continue;
        n_shown++;
        cell_day(sheet, report->zone, row->shift.from_ms);
        cell_count(sheet, row->load.pages);
        cell_count(sheet, row->load.night_pages);
        cell_count(sheet, row->load.incidents);
    }
}

static void fill_shifts(const struct report *report, struct sheet *sheet)
{
    static const char *const names[] = {"from", "who", "schedule", "pages", "night", "incidents"};
    size_t n_shown = 0;

    sheet->n_columns = 6;
    sheet->n_left = 3;
    heads(sheet, names);
    for (size_t i = 0; i < report->n_shifts && n_shown < SHIFTS_SHOWN_MAX; i++) {
        const struct report_shift_row *row = &report->shifts[i];

        if (!row->shift.schedule)
            continue;
        n_shown++;
        cell_day(sheet, report->zone, row->shift.from_ms);
        cell(sheet, "%s", report_name(row->shift.who));
        cell(sheet, "%s", row->shift.schedule);
        cell_count(sheet, row->load.pages);
        cell_count(sheet, row->load.night_pages);
        cell_count(sheet, row->load.incidents);
    }
}

static void fill_flapping(const struct report *report, struct sheet *sheet)
{
    static const char *const names[] = {"rule", "instance", "changes", "at worst"};

    sheet->n_columns = 4;
    sheet->n_left = 2;
    heads(sheet, names);
    for (size_t i = 0; i < report->n_flapping && i < FLAPPING_SHOWN_MAX; i++) {
        cell(sheet, "%s", report->flapping[i].rule);
        cell(sheet, "%s", report->flapping[i].instance);
        cell_count(sheet, report->flapping[i].changes);
        cell(sheet, "%.0f %%", report->flapping[i].percent);
    }
}

static size_t n_rules(const struct report *report)
{
    return report->n_rules;
}

static size_t n_people(const struct report *report)
{
    return report->n_people;
}

static size_t n_days(const struct report *report)
{
    return report->load.pages ? report->n_shifts : 0;
}

/* What belongs to a schedule is behind the days. */
static size_t n_shifts(const struct report *report)
{
    return report->n_shifts > 0 && report->shifts[report->n_shifts - 1].shift.schedule ? 1 : 0;
}

static size_t n_flapping(const struct report *report)
{
    return report->n_flapping;
}

static const struct {
    const char *title;
    void (*fill)(const struct report *report, struct sheet *sheet);
    size_t (*n)(const struct report *report); /* NULL: always shown */
} parts[] = {
    {"How fast", fill_spans, NULL},           {"Rules, the noisiest first", fill_rules, n_rules},
    {"Who was paged", fill_people, n_people}, {"When", fill_days, n_days},
    {"Shifts", fill_shifts, n_shifts},        {"What flaps", fill_flapping, n_flapping},
};

enum {
    N_PARTS = sizeof(parts) / sizeof(parts[0])
};

/* --- the whole --- */

/* "week 2026-W47", or its ends when it is none. */
static void add_when(const struct report *report, struct str *out)
{
    char week[REPORT_WEEK_MAX];
    int64_t from_ms = 0;
    int64_t to_ms = 0;
    struct zone_local from = zone_local(report->zone, report->from_ms);
    struct zone_local to = zone_local(report->zone, report->to_ms - 1);

    report_week_of(report->zone, report->from_ms, week);
    if (report_week_span(week, report->zone, &from_ms, &to_ms) == 0 && from_ms == report->from_ms &&
        to_ms == report->to_ms)
        str_addf(out, "week %s", week);
    else
        str_addf(out, "%04d-%02d-%02d to %04d-%02d-%02d", from.year, from.month, from.day, to.year,
                 to.month, to.day);
}

static const char *plural(unsigned n)
{
    return n == 1 ? "" : "s";
}

void report_subject(const struct report *report, struct str *out)
{
    str_addf(out, "%u page%s in ", report->load.pages, plural(report->load.pages));
    add_when(report, out);
    str_addf(out, ", %u at night, %u incident%s", report->load.night_pages, report->load.incidents,
             plural(report->load.incidents));
}

/* Two or three lines that say what there is to know. */
static void add_summary(const struct report *report, struct str *out)
{
    char share[CELL_MAX];
    unsigned judged = report->useful + report->noise + report->unknown;

    str_addf(out, "%u incident%s, %u page%s, %u of them at night (%d to %02d, %s).",
             report->load.incidents, plural(report->load.incidents), report->load.pages,
             plural(report->load.pages), report->load.night_pages, REPORT_NIGHT_FROM_HOUR,
             REPORT_NIGHT_TO_HOUR, zone_name(report->zone));
    str_addf(out, "\n%u never acknowledged, %u over by %s within 5 min.",
             report->never_acknowledged, report->self_resolved_fast,
             report->self_resolved_fast == 1 ? "itself" : "themselves");
    share_words(&report->noise_share, share, sizeof(share));
    if (judged)
        str_addf(out, "\n%u useful, %u noise, %u nobody knows, %u not judged; noise: %s.",
                 report->useful, report->noise, report->unknown, report->unanswered, share);
    else
        str_addf(out, "\nNobody said what they were worth: every page asks, one tap does it.");
}

void report_text(const struct report *report, struct str *out)
{
    str_add(out, "Report of ");
    add_when(report, out);
    str_add(out, "\n\n");
    add_summary(report, out);
    str_addc(out, '\n');
    for (unsigned i = 0; i < N_PARTS; i++) {
        struct sheet sheet = {.cells = STR_INIT(SHEET_BYTES_MAX)};

        if (parts[i].n && parts[i].n(report) == 0)
            continue;
        parts[i].fill(report, &sheet);
        str_addf(out, "\n%s\n", parts[i].title);
        sheet_text(&sheet, out);
        str_done(&sheet.cells);
    }
    if (report->n_rules > RULES_SHOWN_MAX)
        str_addf(out, "\n%zu more rules are in the report itself.\n",
                 report->n_rules - RULES_SHOWN_MAX);
}

void report_html(const struct report *report, const char *more, const char *url, struct str *out)
{
    STR_AUTO struct str words = STR_INIT(4096);

    str_add(out,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
            "<meta name=\"color-scheme\" content=\"light dark\"></head>"
            "<body style=\"font:16px/1.5 system-ui,sans-serif;max-width:60em\">\n<h2>Report of ");
    add_when(report, &words);
    html_escape(out, str_text(&words));
    str_add(out, "</h2>\n<p style=\"white-space:pre-line\">");
    str_cut(&words, 0);
    add_summary(report, &words);
    html_escape(out, str_text(&words));
    str_add(out, "</p>\n");
    for (unsigned i = 0; i < N_PARTS; i++) {
        struct sheet sheet = {.cells = STR_INIT(SHEET_BYTES_MAX)};

        if (parts[i].n && parts[i].n(report) == 0)
            continue;
        parts[i].fill(report, &sheet);
        str_addf(out, "<h3>%s</h3>\n", parts[i].title);
        sheet_html(&sheet, out);
        str_done(&sheet.cells);
    }
    if (*more) {
        str_add(out, "<p style=\"white-space:pre-line\">");
        html_escape(out, more);
        str_add(out, "</p>\n");
    }
    if (url) {
        str_add(out, "<p><a href=\"");
        html_escape(out, url);
        str_add(out, "\">The whole report</a></p>\n");
    }
    str_add(out, "</body></html>\n");
}
