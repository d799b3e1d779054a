/*
 * What a group of unit tests found, as a person reads it. See unit_report.h.
 */

#include "alertd/eval/unit_report.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/model/duration.h"

enum {
    TITLE_SUBJECT_MAX = 100, /* bytes of an expression in a title */
};

static const char red[] = "\x1b[31m", green[] = "\x1b[32m", dim[] = "\x1b[2m", bold[] = "\x1b[1m",
                  plain[] = "\x1b[0m";

void unit_report_init(struct unit_report *report)
{
    *report = (struct unit_report){0};
    arena_init(&report->arena, UNIT_REPORT_BYTES_MAX);
}

static const char *keep(struct unit_report *report, const char *text)
{
    return text ? arena_strndup(&report->arena, text, strlen(text)) : "";
}

void unit_report_add(struct unit_report *report, const struct unit_failure *failure)
{
    struct unit_failure added = *failure;

    added.subject = keep(report, failure->subject);
    added.words = keep(report, failure->words);
    added.diff = keep(report, failure->diff);
    if (report->n == UNIT_REPORT_MAX || !added.subject || !added.words || !added.diff) {
        report->n_untold++;
        return;
    }
    report->at = mem_grow(report->at, &report->capacity, report->n + 1, sizeof(*report->at));
    report->at[report->n++] = added;
}

void unit_report_done(struct unit_report *report)
{
    free(report->at);
    arena_reset(&report->arena);
    *report = (struct unit_report){0};
}

const char *unit_failure_kind_name(enum unit_failure_kind kind)
{
    static const char *const names[] = {"alert", "expr", "rule", "group"};

    return names[kind];
}

void unit_report_text(const char *text, size_t max, struct str *out)
{
    size_t len = strlen(text), end = len < max ? len : max;

    while (end < len && end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--; /* never half a character */
    for (size_t i = 0; i < end; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '\n')
            str_add(out, "\\n");
        else if (c == '\t')
            str_add(out, "\\t");
        else if (c < 0x20 || c == 0x7f)
            str_addf(out, "\\x%02x", c);
        else
            str_addc(out, (char)c);
    }
    if (end < len)
        str_add(out, "...");
}

/* An expression of several lines in one, its white space made single spaces. */
static void add_subject(const char *text, struct str *out)
{
    STR_AUTO struct str joined = STR_INIT(TITLE_SUBJECT_MAX * 2);

    for (const char *c = text; *c; c++) {
        bool is_space = strchr(" \t\r\n", *c) != NULL;

        if (!is_space)
            str_addc(&joined, *c);
        else if (joined.len && c[strspn(c, " \t\r\n")] && joined.text[joined.len - 1] != ' ')
            str_addc(&joined, ' ');
    }
    unit_report_text(str_text(&joined), TITLE_SUBJECT_MAX, out);
}

void unit_failure_title(const struct unit_failure *failure, struct str *out)
{
    char at[DURATION_TEXT_MAX];

    if (failure->kind == UNIT_FAILURE_GROUP) {
        str_add(out, "not run");
        return;
    }
    str_addf(out, "%s ", unit_failure_kind_name(failure->kind));
    add_subject(failure->subject, out);
    str_addf(out, " at %s", duration_print(failure->eval_ms, at));
}

static const char *colour_of(const char *line)
{
    switch (line[0]) {
    case '-': return red;
    case '+': return green;
    default: return dim;
    }
}

static void add_diff(const char *diff, bool colours, struct str *out)
{
    while (*diff) {
        size_t len = strcspn(diff, "\n");

        str_add(out, "      ");
        str_add(out, colours ? colour_of(diff) : "");
        str_addn(out, diff, len);
        str_add(out, colours ? plain : "");
        str_addc(out, '\n');
        diff += len + (diff[len] == '\n');
    }
}

static void add_failure(const struct unit_failure *failure,
                        const char *path,
                        bool colours,
                        struct str *out)
{
    str_add(out, "    ");
    if (failure->line)
        str_addf(out, "%s:%u:%u: ", path, failure->line, failure->column);
    str_add(out, colours ? bold : "");
    unit_failure_title(failure, out);
    str_add(out, colours ? plain : "");
    str_add(out, ": ");
    unit_report_text(failure->words, UNIT_REPORT_TEXT_MAX, out);
    str_addc(out, '\n');
    add_diff(failure->diff, colours, out);
}

void unit_report_print(const struct unit_report *report,
                       const char *path,
                       bool colours,
                       struct str *out)
{
    for (size_t i = 0; i < report->n; i++)
        add_failure(&report->at[i], path, colours, out);
    if (report->n_untold)
        str_addf(out, "    and %zu more failures\n", report->n_untold);
}
