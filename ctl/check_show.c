/*
 * Findings of check rules, shown. See check.h.
 *
 *     rules/host.yml:12:15: warning: one event never fires: ... [single-event-blind]
 *        12 |       expr: increase(oom_kills_total[5m]) > 0
 *           |             ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
 *           = fix: a window longer than `for`, or no `for`
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/check.h"
#include "lib/base/mem.h"

enum {
    SHOWN_MAX = 120, /* characters of a source line */
    LEFT_MAX = 60,   /* of them in front of what it is about */
};

#define BOLD   "\033[1m"
#define RED    "\033[1;31m"
#define YELLOW "\033[1;33m"
#define CYAN   "\033[36m"
#define DIM    "\033[2m"
#define PLAIN  "\033[0m"

void show_init(struct show *show, struct json_out *out)
{
    size_t n;

    (void)rule_checks(&n);
    show->counts = mem_zalloc((n + 1) * sizeof(*show->counts));
    show->out = out;
    if (show->format != SHOW_JSON)
        return;
    json_open(out, '{');
    json_key(out, "findings");
    json_open(out, '[');
}

void show_done(struct show *show)
{
    free(show->counts);
    show->counts = NULL;
}

static const char *color(const struct show *show, const char *code)
{
    return show->color ? code : "";
}

static const char *severity_color(const struct show *show, enum rule_severity severity)
{
    static const char *const colors[] = {RED, YELLOW, CYAN};

    return color(show, colors[severity]);
}

/* `id` is a word of the comma list. */
static bool names(const char *list, const char *id)
{
    size_t len = strlen(id);

    for (; list; list = strchr(list, ',') ? strchr(list, ',') + 1 : NULL)
        if (strncmp(list, id, len) == 0 && (list[len] == ',' || list[len] == '\0'))
            return true;
    return false;
}

/* What was asked for. Errors always are: they decide whether the file loads. */
static bool is_wanted(struct show *show, const struct rule_finding *finding)
{
    if (finding->severity == RULE_ERROR)
        return true;
    if (show->disable && names(show->disable, finding->id))
        return false;
    if (show->only)
        return names(show->only, finding->id);
    if (finding->severity != RULE_ADVICE || show->with_advice)
        return true;
    show->n_hidden++;
    return false;
}

/* --- For people ------------------------------------------------------------------------------- */

/* The character in front of which `n` characters stand. */
static const char *skip_chars(const char *at, const char *end, unsigned n)
{
    for (; n > 0 && at < end; n--)
        for (at++; at < end && ((unsigned char)*at & 0xc0) == 0x80; at++)
            ;
    return at;
}

static unsigned count_chars(const char *at, const char *end)
{
    unsigned n = 0;

    for (; at < end; at++)
        n += ((unsigned char)*at & 0xc0) != 0x80;
    return n;
}

/* Control characters (tabs too) would shift the caret or do worse to a terminal. */
static void print_clean(const char *at, const char *end)
{
    for (; at < end; at++)
        (void)putchar((unsigned char)*at < ' ' || *at == 0x7f ? ' ' : *at);
}

static void show_source(const struct show *show,
                        const char *line,
                        const struct rule_finding *finding)
{
    const struct rule_span *span = &finding->span;
    const char *end = line + strcspn(line, "\r\n");
    unsigned width = count_chars(line, end), from = 0;

    while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (width > SHOWN_MAX && span->column > LEFT_MAX)
        from = span->column - LEFT_MAX;
    const char *first = skip_chars(line, end, from);
    const char *last = skip_chars(first, end, SHOWN_MAX);
    const char *dots = from ? "..." : "";
    unsigned shown = count_chars(first, last);
    unsigned before = span->column - 1 - from;
    unsigned under = span->end_line > span->line ? shown : span->end_column - 1 - from;
    if (under > shown)
        under = shown;
    (void)printf("%s%6u |%s %s", color(show, DIM), span->line, color(show, PLAIN), dots);
    print_clean(first, last);
    (void)printf("%s\n%s       |%s %*s%s^", last < end ? "..." : "", color(show, DIM),
                 color(show, PLAIN), (int)(before + strlen(dots)), "",
                 severity_color(show, finding->severity));
    for (unsigned i = before + 1; i < under; i++)
        (void)putchar('~');
    (void)printf("%s\n", color(show, PLAIN));
}

static void show_for_people(const struct show *show,
                            const char *path,
                            const char *line,
                            const struct rule_finding *finding)
{
    (void)printf("%s%s:%u:%u:%s %s%s:%s %s", color(show, BOLD), path, finding->span.line,
                 finding->span.column, color(show, PLAIN), severity_color(show, finding->severity),
                 rule_severity_name(finding->severity), color(show, PLAIN), finding->text);
    (void)printf(" %s[%s]%s\n", color(show, DIM), finding->id, color(show, PLAIN));
    if (line && finding->span.column > 0)
        show_source(show, line, finding);
    if (finding->fix)
        (void)printf("%s       =%s fix: %s\n", color(show, DIM), color(show, PLAIN), finding->fix);
    (void)putchar('\n');
}

static void add_count(struct str *out, size_t n, const char *one, const char *many)
{
    str_addf(out, "%s%zu %s", out->len ? ", " : "", n, n == 1 ? one : many);
}

static void show_counts(const struct show *show)
{
    size_t n;
    const struct rule_check *checks = rule_checks(&n);

    for (size_t shown = 0; shown < show->n_shown;) {
        size_t most = 0;

        for (size_t i = 1; i < n; i++)
            if (show->counts[i] > show->counts[most])
                most = i;
        if (show->counts[most] == 0)
            return;
        (void)printf("%6zu  %s%-20s%s  %s\n", show->counts[most],
                     severity_color(show, checks[most].severity), checks[most].id,
                     color(show, PLAIN), checks[most].meaning);
        shown += show->counts[most];
        show->counts[most] = 0;
    }
}

static void show_summary(const struct show *show)
{
    STR_AUTO struct str found = STR_INIT(200);

    if (show->n_errors)
        add_count(&found, show->n_errors, "error", "errors");
    if (show->n_warnings)
        add_count(&found, show->n_warnings, "warning", "warnings");
    if (show->n_advice)
        add_count(&found, show->n_advice, "piece of advice", "pieces of advice");
    (void)printf("%s%zu rule%s in %zu file%s: %s%s", color(show, BOLD), show->n_rules,
                 show->n_rules == 1 ? "" : "s", show->n_files, show->n_files == 1 ? "" : "s",
                 found.len ? str_text(&found) : "nothing to tell", color(show, PLAIN));
    if (show->n_hidden)
        (void)printf("; %zu more with --advice", show->n_hidden);
    if (show->n_ignored_lines)
        (void)printf("; %zu line%s ignored, as comments say", show->n_ignored_lines,
                     show->n_ignored_lines == 1 ? "" : "s");
    (void)putchar('\n');
    if (show->n_shown > 1)
        show_counts(show);
}

/* --- For programs ------------------------------------------------------------------------------- */

static void show_as_json(const struct show *show,
                         const char *path,
                         const struct rule_finding *finding)
{
    struct json_out *out = show->out;

    json_open(out, '{');
    json_kv_string(out, "file", path);
    json_kv_int(out, "line", finding->span.line);
    json_kv_int(out, "column", finding->span.column);
    json_kv_int(out, "end_line", finding->span.end_line);
    json_kv_int(out, "end_column", finding->span.end_column);
    json_kv_string(out, "severity", rule_severity_name(finding->severity));
    json_kv_string(out, "id", finding->id);
    json_kv_string(out, "text", finding->text);
    json_kv_string(out, "fix", finding->fix);
    json_close(out, '}');
}

/* GitHub's workflow commands: %, CR and LF everywhere, and : and , in properties. */
static void print_escaped(const char *text, bool is_property)
{
    for (; *text; text++) {
        bool special = strchr("%\r\n", *text) || (is_property && strchr(":,", *text));

        if (special)
            (void)printf("%%%02X", (unsigned)(unsigned char)*text);
        else
            (void)putchar(*text);
    }
}

static void show_for_github(const char *path, const struct rule_finding *finding)
{
    static const char *const commands[] = {"error", "warning", "notice"};
    const struct rule_span *span = &finding->span;

    (void)printf("::%s file=", commands[finding->severity]);
    print_escaped(path, true);
    (void)printf(",line=%u,endLine=%u", span->line, span->end_line);
    if (span->line == span->end_line) /* GitHub takes columns within one line only */
        (void)printf(",col=%u,endColumn=%u", span->column, span->end_column);
    (void)printf(",title=%s::", finding->id);
    print_escaped(finding->text, false);
    if (finding->fix) {
        (void)printf("%%0Afix: ");
        print_escaped(finding->fix, false);
    }
    (void)putchar('\n');
}

/* --- All of them --------------------------------------------------------------------------------- */

static void count(struct show *show, const struct rule_finding *finding)
{
    size_t n;
    const struct rule_check *checks = rule_checks(&n);

    show->n_shown++;
    show->n_errors += finding->severity == RULE_ERROR;
    show->n_warnings += finding->severity == RULE_WARNING;
    show->n_advice += finding->severity == RULE_ADVICE;
    for (size_t i = 0; i < n; i++)
        show->counts[i] += strcmp(checks[i].id, finding->id) == 0;
}

void show_file(struct show *show,
               const char *path,
               const char *text,
               const struct rule_findings *findings)
{
    const char *line = text;
    unsigned number = 1;

    show->n_files++;
    for (size_t i = 0; i < findings->n; i++) {
        const struct rule_finding *finding = &findings->at[i];

        if (!is_wanted(show, finding))
            continue;
        count(show, finding);
        for (; number < finding->span.line && *line; number++)
            line = strchr(line, '\n') ? strchr(line, '\n') + 1 : line + strlen(line);
        if (show->format == SHOW_JSON)
            show_as_json(show, path, finding);
        else if (show->format == SHOW_GITHUB)
            show_for_github(path, finding);
        else
            show_for_people(show, path, number == finding->span.line ? line : NULL, finding);
    }
}

enum ctl_exit show_end(const struct ctl *ctl, struct show *show)
{
    if (show->format == SHOW_HUMAN)
        show_summary(show);
    if (show->format != SHOW_JSON)
        return CTL_OK;
    json_close(show->out, ']');
    json_kv_int(show->out, "files", (int64_t)show->n_files);
    json_kv_int(show->out, "rules", (int64_t)show->n_rules);
    json_kv_int(show->out, "errors", (int64_t)show->n_errors);
    json_kv_int(show->out, "warnings", (int64_t)show->n_warnings);
    json_kv_int(show->out, "advice", (int64_t)(show->n_advice + show->n_hidden));
    json_kv_int(show->out, "ignored_lines", (int64_t)show->n_ignored_lines);
    missing_json(show->told, "not_read", show->out); /* "warnings" are findings */
    json_close(show->out, '}');
    if (show->out->text->full)
        return ctl_fail(ctl, "the findings are larger than %zu MiB: check fewer files at a time",
                        show->out->text->limit >> 20);
    (void)printf("%s\n", str_text(show->out->text));
    return CTL_OK;
}

/* --- The table of checks ---------------------------------------------------------------------------- */

static const char *needs_words(enum rule_needs needs)
{
    static const char *const words[] = {"", "--url",   "better with --url",
                                        "", "--tests", "--policy"};

    return words[needs];
}

static void list_as_json(const struct rule_check *checks, size_t n)
{
    STR_AUTO struct str text = STR_INIT(256 * 1024);
    struct json_out out = JSON_OUT(&text);

    json_open(&out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(&out, '{');
        json_kv_string(&out, "id", checks[i].id);
        json_kv_string(&out, "severity", rule_severity_name(checks[i].severity));
        json_kv_bool(&out, "alerts_only", checks[i].alerts_only);
        json_kv_string(&out, "needs", needs_words(checks[i].needs));
        json_kv_string(&out, "pint", checks[i].pint);
        json_kv_string(&out, "meaning", checks[i].meaning);
        json_close(&out, '}');
    }
    json_close(&out, ']');
    (void)printf("%s\n", str_text(&text));
}

enum ctl_exit show_checks(const char *format)
{
    size_t n;
    const struct rule_check *checks = rule_checks(&n);
    bool markdown = format && strcmp(format, "markdown") == 0;

    if (format && strcmp(format, "json") == 0) {
        list_as_json(checks, n);
        return CTL_OK;
    }
    if (markdown)
        (void)printf(
            "| id | severity | of | needs | pint | meaning |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < n; i++) {
        const char *severity = rule_severity_name(checks[i].severity);

        if (markdown)
            (void)printf("| `%s` | %s | %s | %s | %s | %s |\n", checks[i].id, severity,
                         checks[i].alerts_only ? "alerts" : "all rules",
                         needs_words(checks[i].needs), checks[i].pint ? checks[i].pint : "",
                         checks[i].meaning);
        else
            (void)printf("%-20s  %-7s  %-17s  %s\n", checks[i].id, severity,
                         needs_words(checks[i].needs), checks[i].meaning);
    }
    return CTL_OK;
}
