/*
 * alertctl query --explain: what each node of an expression cost, as a tree.
 *
 *       TOTAL     SELF     %  SERIES  POINTS  SAMPLES
 *     3.20 ms    20 us     1       3     723    9,000  sum by (job)
 *   > 3.18 ms  3.18 ms    99     120  28,920    9,000  `- rate()
 *      ...
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/explain.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum {
    COLUMNS = 6,
    CELL_MAX = 24,
    DEPTH_MAX = 1000,
    LABEL_MAX = 64 * 1024,
};

static const char *const heads[COLUMNS] = {"TOTAL", "SELF", "%", "SERIES", "POINTS", "SAMPLES"};

struct line {
    char cells[COLUMNS][CELL_MAX];
    char *tree; /* the branch and the label */
    bool hottest;
};

struct lines {
    struct line *at;
    size_t n, capacity;
    bool last[DEPTH_MAX]; /* of each level above: it was the last child */
};

static double number(const struct json *object, const char *key)
{
    double value = 0;

    (void)json_get_float(object, key, &value, NULL);
    return value;
}

/* "812 us", "3.20 ms", "1.24 s": three digits are enough. */
static void print_ms(double ms, char *text)
{
    if (ms < 1)
        (void)snprintf(text, CELL_MAX, "%.0f us", ms * 1000);
    else if (ms < 1000)
        (void)snprintf(text, CELL_MAX, "%.*f ms", ms < 10 ? 2 : ms < 100 ? 1 : 0, ms);
    else
        (void)snprintf(text, CELL_MAX, "%.2f s", ms / 1000);
}

/* "28,920" */
static void print_count(double count, char *text)
{
    char digits[CELL_MAX];
    int n = snprintf(digits, sizeof(digits), "%.0f", fmin(count, 1e15));

    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            *text++ = ',';
        *text++ = digits[i];
    }
    *text = '\0';
}

/* `|  `- ` before the label: which of the nodes above go on below this one. */
static char *draw(const struct lines *lines, size_t depth, const char *label)
{
    struct str out = STR_INIT(LABEL_MAX + 4 * DEPTH_MAX);

    for (size_t level = 1; level < depth; level++)
        str_add(&out, lines->last[level] ? "   " : "\xe2\x94\x82  ");
    if (depth)
        str_add(&out,
                lines->last[depth] ? "\xe2\x94\x94\xe2\x94\x80 " : "\xe2\x94\x9c\xe2\x94\x80 ");
    for (const char *c = label; *c; c++) /* no control characters on a terminal */
        str_addc(&out, (unsigned char)*c < 32 || *c == 127 ? ' ' : *c);
    return str_take(&out);
}

static void add_line(struct lines *lines, const struct json *node, size_t depth)
{
    const char *label = "";
    struct line line = {0};

    (void)json_get_string(node, "label", &label, NULL);
    (void)json_get_bool(node, "hottest", &line.hottest, NULL);
    line.tree = draw(lines, depth, label);
    if (number(node, "evaluations") > 0) {
        print_ms(number(node, "total_ms"), line.cells[0]);
        print_ms(number(node, "self_ms"), line.cells[1]);
        (void)snprintf(line.cells[2], CELL_MAX, "%.0f", number(node, "share") * 100);
        print_count(number(node, "series"), line.cells[3]);
        print_count(number(node, "points"), line.cells[4]);
        print_count(number(node, "samples"), line.cells[5]);
    }
    lines->at = mem_grow(lines->at, &lines->capacity, lines->n + 1, sizeof(*lines->at));
    lines->at[lines->n++] = line;
}

static void add_tree(struct lines *lines, const struct json *node, size_t depth)
{
    const struct json *children = NULL;

    add_line(lines, node, depth);
    if (depth + 1 == DEPTH_MAX || json_get_array(node, "children", &children, NULL) != 0)
        return;
    for (size_t i = 0; i < json_length(children); i++) {
        lines->last[depth + 1] = i + 1 == json_length(children);
        add_tree(lines, json_at(children, i), depth + 1);
    }
}

/* The hottest node is in red where there are colours, and has a mark in any case. */
static void print_line(const struct line *line, const int *widths, bool color)
{
    bool red = color && line->hottest;

    (void)printf("%s%c ", red ? "\x1b[1;31m" : "", line->hottest ? '>' : ' ');
    for (int i = 0; i < COLUMNS; i++)
        (void)printf("%*s  ", widths[i], line->cells[i]);
    (void)printf("%s%s\n", line->tree, red ? "\x1b[0m" : "");
}

static void print_lines(const struct lines *lines, bool color)
{
    int widths[COLUMNS];

    for (int i = 0; i < COLUMNS; i++) {
        widths[i] = (int)strlen(heads[i]);
        for (size_t at = 0; at < lines->n; at++)
            if ((int)strlen(lines->at[at].cells[i]) > widths[i])
                widths[i] = (int)strlen(lines->at[at].cells[i]);
    }
    (void)printf("%s  ", color ? "\x1b[1m" : "");
    for (int i = 0; i < COLUMNS; i++)
        (void)printf("%*s%s", widths[i], heads[i], i + 1 < COLUMNS ? "  " : "");
    (void)printf("%s\n", color ? "\x1b[0m" : "");
    for (size_t at = 0; at < lines->n; at++)
        print_line(&lines->at[at], widths, color);
}

static void print_summary(const struct json *root)
{
    char series[CELL_MAX];
    char points[CELL_MAX];
    char samples[CELL_MAX];
    char took[CELL_MAX];
    double steps = number(root, "steps");

    print_count(number(root, "series"), series);
    print_count(number(root, "points"), points);
    print_count(number(root, "samples"), samples);
    print_ms(number(root, "total_ms"), took);
    (void)printf("%s series, %s points at %.0f step%s from %s samples, in %s with %.0f KiB\n\n",
                 series, points, steps, steps == 1 ? "" : "s", samples, took,
                 ceil(number(root, "bytes") / 1024));
}

enum ctl_exit print_explain(const struct ctl *ctl, const struct json *root)
{
    const struct json *tree = NULL;
    struct lines *lines;

    if (json_get_object(root, "tree", &tree, NULL) != 0)
        return ctl_fail(ctl, "the answer has another shape than expected");
    lines = mem_zalloc(sizeof(*lines));
    add_tree(lines, tree, 0);
    print_summary(root);
    print_lines(lines, ctl->color);
    for (size_t i = 0; i < lines->n; i++)
        free(lines->at[i].tree);
    free(lines->at);
    free(lines);
    return CTL_OK;
}
