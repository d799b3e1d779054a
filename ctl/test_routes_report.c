/*
 * What tests of config files found, for people, programs and CI. See test_routes.h.
 *
 *     routes.yml: FAILED (1 of 12 tests; - expected, + got)
 *       a silence ends, line 9:
 *         - 15m db: firing a (line 14)
 *         + 10m db by ntfy: first notification, firing a
 */

#include <string.h>

#include "ctl/test_routes.h"
#include "lib/base/html.h"
#include "lib/json/write.h"

enum {
    TITLE_MAX = 300
};

static void add_title(const struct route_result *result, struct str *out)
{
    const struct route_test *test = result->test;

    if (*test->name)
        unit_report_text(test->name, TITLE_MAX, out);
    else
        str_addf(out, "%s, line %u", test->is_history ? "history" : "route", test->line);
}

/* The texts of a diff are the file's own: control characters stay out of terminals. */
static void add_lines(const char *indent, const char *text, bool colours, struct str *out)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        STR_AUTO struct str line = STR_INIT(out->limit);
        const char *colour = !colours       ? ""
                             : *text == '-' ? "\x1b[31m"
                             : *text == '+' ? "\x1b[32m"
                                            : "";

        str_addn(&line, text, len);
        str_addf(out, "%s%s", indent, colour);
        unit_report_text(str_text(&line), len, out);
        str_addf(out, "%s\n", *colour ? "\x1b[0m" : "");
        text += len + (text[len] == '\n');
    }
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void human(const struct route_tested *file, bool colours, struct str *out)
{
    str_addf(out, "%s: %s%s%s", file->path,
             !colours   ? ""
             : file->ok ? "\x1b[32m"
                        : "\x1b[31m",
             file->ok ? "SUCCESS" : "FAILED", colours ? "\x1b[0m" : "");
    if (file->ok)
        str_addf(out, " (%zu test%s, %zu check%s)\n", file->n_chosen, plural(file->n_chosen),
                 file->n_checks, plural(file->n_checks));
    else if (file->n_failed)
        str_addf(out, " (%zu of %zu test%s; - expected, + got)\n", file->n_failed, file->n_chosen,
                 plural(file->n_chosen));
    else
        str_addc(out, '\n');
    add_lines("  ", str_text(&file->errors), false, out);
    for (size_t i = 0; file->results && i < file->file->n; i++) {
        const struct route_result *result = &file->results[i];

        if (!result->chosen || result->ok)
            continue;
        str_add(out, "  ");
        add_title(result, out);
        if (*result->test->name)
            str_addf(out, ", line %u", result->test->line);
        str_add(out, ":\n");
        add_lines("    ", str_text(&result->diff), colours, out);
    }
}

static void json(const struct route_tested *file, struct json_out *out)
{
    json_open(out, '{');
    json_kv_string(out, "file", file->path);
    json_kv_string(out, "verdict", file->ok ? "SUCCESS" : "FAILED");
    json_kv_string(out, "error", file->errors.len ? str_text(&file->errors) : NULL);
    json_key(out, "tests");
    json_open(out, '[');
    for (size_t i = 0; file->results && i < file->file->n; i++) {
        const struct route_result *result = &file->results[i];

        if (!result->chosen)
            continue;
        json_open(out, '{');
        json_kv_string(out, "name", result->test->name);
        json_kv_int(out, "line", result->test->line);
        json_kv_string(out, "verdict", result->ok ? "SUCCESS" : "FAILED");
        json_kv_int(out, "checks", (int64_t)route_test_checks(result->test));
        json_kv_float(out, "seconds", (double)result->took_us / 1e6);
        json_kv_string(out, "diff", str_text(&result->diff));
        json_close(out, '}');
    }
    json_close(out, ']');
    json_close(out, '}');
}

static void escaped(const char *text, struct str *out)
{
    STR_AUTO struct str clean = STR_INIT(out->limit);

    add_lines("", text, false, &clean);
    html_escape(out, str_text(&clean));
}

static void junit_case(const struct route_tested *file,
                       const struct route_result *result,
                       struct str *out)
{
    STR_AUTO struct str title = STR_INIT(TITLE_MAX * 8);

    add_title(result, &title);
    str_add(out, "    <testcase classname=\"");
    html_escape(out, file->path);
    str_add(out, "\" name=\"");
    html_escape(out, str_text(&title));
    str_addf(out, "\" line=\"%u\" time=\"%.6f\"", result->test->line,
             (double)result->took_us / 1e6);
    if (result->ok) {
        str_add(out, "/>\n");
        return;
    }
    str_add(out, ">\n      <failure message=\"differs\" type=\"routes\">");
    escaped(str_text(&result->diff), out);
    str_add(out, "</failure>\n    </testcase>\n");
}

static void junit(const struct route_tested *file, struct str *out)
{
    bool broken = file->errors.len > 0;

    str_add(out, "  <testsuite name=\"");
    html_escape(out, file->path);
    str_addf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%d\">\n", broken ? 1 : file->n_chosen,
             file->n_failed, broken);
    if (broken) {
        str_add(out, "    <testcase classname=\"");
        html_escape(out, file->path);
        str_add(out, "\" name=\"loads\">\n      <error message=\"does not load\" type=\"file\">");
        escaped(str_text(&file->errors), out);
        str_add(out, "</error>\n    </testcase>\n");
    }
    for (size_t i = 0; file->results && i < file->file->n; i++)
        if (file->results[i].chosen)
            junit_case(file, &file->results[i], out);
    str_add(out, "  </testsuite>\n");
}

void test_routes_report(const struct routes_run *run,
                        enum test_format format,
                        bool colours,
                        struct str *out)
{
    struct json_out objects = JSON_OUT(out);

    switch (format) {
    case TEST_FORMAT_HUMAN:
        for (size_t i = 0; i < run->n_files; i++)
            human(&run->files[i], colours, out);
        break;
    case TEST_FORMAT_JSON:
        json_open(&objects, '{');
        json_key(&objects, "files");
        json_open(&objects, '[');
        for (size_t i = 0; i < run->n_files; i++)
            json(&run->files[i], &objects);
        json_close(&objects, ']');
        json_kv_float(&objects, "seconds", (double)run->took_us / 1e6);
        json_close(&objects, '}');
        str_addc(out, '\n');
        break;
    case TEST_FORMAT_JUNIT:
        str_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<testsuites name=\"alertctl test routes\">\n");
        for (size_t i = 0; i < run->n_files; i++)
            junit(&run->files[i], out);
        str_add(out, "</testsuites>\n");
        break;
    }
}
