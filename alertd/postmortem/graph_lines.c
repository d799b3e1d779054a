/*
 * A drawing's numbers, read back: to draw it again, and as a table. See graph.h.
 */

#include <math.h>
#include <string.h>

#include "alertd/postmortem/graph.h"
#include "alertd/postmortem/markdown.h"
#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/json/read.h"

enum {
    SERIES_JSON_MAX = 8 * 1024 * 1024,
    TABLE_COLUMNS_MAX = 8,
};

static int too_large(struct err *reterr)
{
    return err_set(reterr, GRAPH_E_LIMIT, "the graph is too large");
}

static int read_line(struct arena *arena,
                     const struct json *from,
                     struct svg_series *line,
                     struct err *reterr)
{
    const struct json *times = NULL;
    const struct json *values = NULL;
    const char *name = NULL;

    if (json_get_string(from, "name", &name, reterr) ||
        json_get_array(from, "t_ms", &times, reterr) ||
        json_get_array(from, "values", &values, reterr))
        return GRAPH_E_LIMIT;
    size_t n = json_length(times);
    int64_t *t_ms = arena_array(arena, n + 1, sizeof(*t_ms));
    double *numbers = arena_array(arena, n + 1, sizeof(*numbers));
    const char *copy = arena_strndup(arena, name, strlen(name));

    if (!t_ms || !numbers || !copy || json_length(values) != n)
        return too_large(reterr);
    for (size_t i = 0; i < n; i++) {
        double at = 0;

        (void)json_number(json_at(times, i), &at);
        t_ms[i] = (int64_t)at;
        if (json_number(json_at(values, i), &numbers[i]))
            numbers[i] = NAN; /* null: not a number */
    }
    *line = (struct svg_series){.name = copy, .n = n, .t_ms = t_ms, .values = numbers};
    return 0;
}

int graph_lines_read(struct arena *arena,
                     const char *json,
                     struct graph_lines *ret_lines,
                     struct err *reterr)
{
    struct json *root = NULL;
    int r = json_parse_upto(json, strlen(json), SERIES_JSON_MAX, &root, reterr);
    size_t n = r ? 0 : json_length(root);
    struct svg_series *lines = r ? NULL : arena_array(arena, n + 1, sizeof(*lines));

    if (!r && !lines)
        r = too_large(reterr);
    for (size_t i = 0; !r && i < n; i++)
        r = read_line(arena, json_at(root, i), &lines[i], reterr);
    json_free(root);
    if (!r)
        *ret_lines = (struct graph_lines){lines, n};
    return r;
}

/* The value at an instant of the first line; "" where the line has none. */
static void add_value(const struct svg_series *line, int64_t at_ms, size_t *from, struct str *out)
{
    char text[FLOAT_TEXT_MAX];

    while (*from < line->n && line->t_ms[*from] < at_ms)
        (*from)++;
    if (*from >= line->n || line->t_ms[*from] != at_ms || isnan(line->values[*from]))
        return;
    float_short(line->values[*from], text);
    str_add(out, text);
}

void graph_lines_table(const struct graph_lines *lines, size_t max_rows, struct str *out)
{
    size_t from[TABLE_COLUMNS_MAX] = {0};
    size_t n = lines->n < TABLE_COLUMNS_MAX ? lines->n : TABLE_COLUMNS_MAX;

    if (!n || !lines->series[0].n)
        return;
    size_t step = (lines->series[0].n + max_rows - 1) / max_rows;

    str_add(out, "<details><summary>The numbers</summary><div class=\"scroll\"><table><thead><tr>"
                 "<th>UTC</th>");
    for (size_t i = 0; i < n; i++) {
        str_add(out, "<th>");
        markdown_escape_html(lines->series[i].name, out);
        str_add(out, "</th>");
    }
    str_add(out, "</tr></thead><tbody>");
    for (size_t row = 0; row < lines->series[0].n; row += step) {
        int64_t at_ms = lines->series[0].t_ms[row];
        char at[CLOCK_TEXT_MAX];

        (void)clock_rfc3339(at_ms, at);
        str_addf(out, "<tr><td>%.10s %.8s</td>", at, at + 11);
        for (size_t i = 0; i < n; i++) {
            str_add(out, "<td>");
            add_value(&lines->series[i], at_ms, &from[i], out);
            str_add(out, "</td>");
        }
        str_add(out, "</tr>");
    }
    str_add(out, "</tbody></table></div></details>\n");
}
