/*
 * A line graph of an incident. See svg.h.
 */

#include "alertd/postmortem/svg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alertd/postmortem/markdown.h"
#include "lib/base/clock.h"

enum {
    WIDTH = 800,
    PLOT_LEFT = 62,
    PLOT_RIGHT = 788,
    PLOT_TOP = 28,
    PLOT_BOTTOM = 208,
    LEGEND_TOP = 244, /* baseline of its first row */
    LEGEND_ROW = 17,
};

struct drawing {
    const struct svg_graph *graph;
    struct svg_axis axis;
    struct str *out;
};

/* Told apart by colour and by dash; each at least 3:1 on white and on #14171b. Words are
 * never in a colour of their own: they need 4.5:1. */
static const struct {
    const char *colour;
    const char *dash;
} lines[] = {
    {"#2f7fd6", ""},        {"#d0661b", "7 3"},     {"#279a63", "3 2"},
    {"#a35fd0", "9 3 2 3"}, {"#b08a12", "5 2 1 2"}, {"#d2497f", "12 3"},
};

static const struct {
    const char *colour;
    const char *name;
} bands[] = {
    [SVG_BAND_PENDING] = {"#c08a10", "pending"},
    [SVG_BAND_FIRING] = {"#dc4a41", "firing"},
};

#define THRESHOLD_COLOUR "#dc4a41"

static double x_of(const struct drawing *drawing, int64_t at_ms)
{
    double window = (double)(drawing->graph->end_ms - drawing->graph->start_ms);
    double part = (double)(at_ms - drawing->graph->start_ms) / (window > 0 ? window : 1);

    return PLOT_LEFT + fmin(fmax(part, 0), 1) * (PLOT_RIGHT - PLOT_LEFT);
}

static double y_of(const struct drawing *drawing, double value)
{
    double span = drawing->axis.high - drawing->axis.low;

    return PLOT_BOTTOM - (value - drawing->axis.low) / span * (PLOT_BOTTOM - PLOT_TOP);
}

/* --- the frame --- */

struct range {
    double low, high;
    bool whole; /* nothing but whole numbers: no step is less than one */
};

static void widen(struct range *range, double value)
{
    range->low = fmin(range->low, value);
    range->high = fmax(range->high, value);
    range->whole = range->whole && value == round(value);
}

static struct svg_axis fit(const struct svg_graph *graph)
{
    struct range range = {INFINITY, -INFINITY, graph->unit == SVG_UNIT_NONE};

    if (graph->has_threshold && isfinite(graph->threshold))
        widen(&range, graph->threshold);
    for (size_t i = 0; i < graph->n_series && i < SVG_SERIES_MAX; i++)
        for (size_t k = 0; k < graph->series[i].n; k++)
            if (isfinite(graph->series[i].values[k]))
                widen(&range, graph->series[i].values[k]);
    if (!(range.low <= range.high))
        range.low = range.high = 0;
    if (range.low > 0 && range.low < 0.7 * range.high)
        range.low = 0; /* from zero reads truer than a magnified wobble */
    if (graph->has_threshold && range.high == graph->threshold && range.high > 0)
        range.high *= 1.05; /* keep the dashed line off the frame */
    return svg_axis_fit(range.low, range.high, graph->unit, range.whole);
}

static void draw_value_axis(const struct drawing *drawing)
{
    const struct svg_axis *axis = &drawing->axis;
    int n = (int)lround((axis->high - axis->low) / axis->step);
    char label[SVG_LABEL_MAX];

    str_add(drawing->out, "<g font-size=\"11\" text-anchor=\"end\" fill=\"currentColor\">\n");
    for (int i = 0; i <= n; i++) {
        double value = axis->low + i * axis->step;
        double y = y_of(drawing, value);

        str_addf(drawing->out,
                 "<path d=\"M%d %.1fH%d\" stroke=\"currentColor\" stroke-opacity=\"%s\"/>"
                 "<text x=\"%d\" y=\"%.1f\">%s</text>\n",
                 PLOT_LEFT, y, PLOT_RIGHT, i ? ".16" : ".6", PLOT_LEFT - 7, y + 4,
                 svg_axis_label(axis, value, label));
    }
    str_add(drawing->out, "</g>\n");
}

static void draw_time_axis(const struct drawing *drawing)
{
    const struct svg_graph *graph = drawing->graph;
    int64_t step_ms = svg_time_step(graph->end_ms - graph->start_ms);
    int64_t first_ms = (graph->start_ms + step_ms - 1) / step_ms * step_ms;
    char label[SVG_LABEL_MAX];

    str_add(drawing->out, "<g font-size=\"11\" text-anchor=\"middle\" fill=\"currentColor\">\n");
    for (int64_t at_ms = first_ms; at_ms <= graph->end_ms; at_ms += step_ms) {
        double x = x_of(drawing, at_ms);

        str_addf(drawing->out,
                 "<path d=\"M%.1f %dv4\" stroke=\"currentColor\" stroke-opacity=\".6\"/>"
                 "<text x=\"%.1f\" y=\"%d\">%s</text>\n",
                 x, PLOT_BOTTOM, fmin(x, PLOT_RIGHT - 14), PLOT_BOTTOM + 17,
                 svg_time_label(at_ms, step_ms, label));
    }
    str_add(drawing->out, "</g>\n");
}

static void draw_bands(const struct drawing *drawing)
{
    for (size_t i = 0; i < drawing->graph->n_bands; i++) {
        const struct svg_band *band = &drawing->graph->bands[i];
        double from = x_of(drawing, band->from_ms);
        double width = fmax(x_of(drawing, band->to_ms) - from, 1);

        str_addf(drawing->out,
                 "<g fill=\"%s\"><title>%s</title>"
                 "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill-opacity=\".13\"/>"
                 "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"3\"/>",
                 bands[band->kind].colour, bands[band->kind].name, from, PLOT_TOP, width,
                 PLOT_BOTTOM - PLOT_TOP, from, PLOT_TOP - 4, width);
        if (width > (double)(strlen(bands[band->kind].name) + 1) * 6)
            str_addf(drawing->out,
                     "<text x=\"%.1f\" y=\"%d\" font-size=\"11\" fill=\"currentColor\">%s</text>",
                     from + 5, PLOT_TOP + 13, bands[band->kind].name);
        str_add(drawing->out, "</g>\n");
    }
}

static void draw_threshold(const struct drawing *drawing)
{
    char label[SVG_LABEL_MAX];

    if (!drawing->graph->has_threshold || !isfinite(drawing->graph->threshold))
        return;
    double y = y_of(drawing, drawing->graph->threshold);
    struct svg_axis exact = drawing->axis;

    exact.digits = 0;
    while (exact.digits < 4 &&
           fabs(drawing->graph->threshold / exact.scale * pow(10, exact.digits) -
                round(drawing->graph->threshold / exact.scale * pow(10, exact.digits))) > 1e-6)
        exact.digits++;
    str_addf(drawing->out,
             "<path d=\"M%d %.1fH%d\" stroke=\"" THRESHOLD_COLOUR
             "\" stroke-width=\"1.4\" stroke-dasharray=\"6 4\"/>"
             "<text x=\"%d\" y=\"%.1f\" font-size=\"11\" text-anchor=\"end\" "
             "fill=\"currentColor\">threshold %s</text>\n",
             PLOT_LEFT, y, PLOT_RIGHT, PLOT_RIGHT - 4, y < PLOT_TOP + 16 ? y + 13 : y - 5,
             svg_axis_label(&exact, drawing->graph->threshold, label));
}

/* --- lines --- */

/* The samples of one pixel column; drawing its four corners draws all of it. */
struct column {
    size_t first, least, greatest, last;
    bool is_open;
    int x;
};

struct line {
    const struct drawing *drawing;
    const struct svg_series *series;
    bool pen_down;
    size_t n_since_move; /* a lone sample needs a dot */
};

static void draw_point(struct line *line, size_t i)
{
    double x = x_of(line->drawing, line->series->t_ms[i]);
    double y = y_of(line->drawing, line->series->values[i]);

    str_addf(line->drawing->out, "%c%.1f %.1f", line->pen_down ? 'L' : 'M', x, y);
    line->n_since_move = line->pen_down ? line->n_since_move + 1 : 0;
    line->pen_down = true;
}

static void draw_column(struct line *line, struct column *column)
{
    size_t early = column->least < column->greatest ? column->least : column->greatest;
    size_t late = column->least < column->greatest ? column->greatest : column->least;

    if (!column->is_open)
        return;
    draw_point(line, column->first);
    if (early != column->first)
        draw_point(line, early);
    if (late != early)
        draw_point(line, late);
    if (column->last != late)
        draw_point(line, column->last);
    column->is_open = false;
}

static void lift_pen(struct line *line)
{
    if (line->pen_down && line->n_since_move == 0)
        str_add(line->drawing->out, "h.1");
    line->pen_down = false;
}

static void add_to_column(struct column *column, const struct svg_series *series, size_t i, int x)
{
    if (!column->is_open)
        *column = (struct column){i, i, i, i, true, x};
    column->least = series->values[i] < series->values[column->least] ? i : column->least;
    column->greatest = series->values[i] > series->values[column->greatest] ? i : column->greatest;
    column->last = i;
}

static void draw_line(const struct drawing *drawing, size_t index)
{
    const struct svg_series *series = &drawing->graph->series[index];
    size_t look = index % (sizeof(lines) / sizeof(*lines));
    struct line line = {.drawing = drawing, .series = series};
    struct column column = {0};
    int64_t before_ms = 0;

    str_addf(drawing->out, "<path stroke=\"%s\"", lines[look].colour);
    if (lines[look].dash[0])
        str_addf(drawing->out, " stroke-dasharray=\"%s\"", lines[look].dash);
    str_add(drawing->out, " d=\"");
    for (size_t i = 0; i < series->n; i++) {
        int64_t at_ms = series->t_ms[i];
        int x = (int)x_of(drawing, at_ms);

        if (!isfinite(series->values[i]) || at_ms < drawing->graph->start_ms ||
            at_ms > drawing->graph->end_ms)
            continue;
        bool gap = before_ms && 2 * (at_ms - before_ms) > 5 * drawing->graph->step_ms;

        if (column.is_open && (gap || x != column.x))
            draw_column(&line, &column);
        if (gap)
            lift_pen(&line);
        add_to_column(&column, series, i, x);
        before_ms = at_ms;
    }
    draw_column(&line, &column);
    lift_pen(&line);
    str_add(drawing->out, "\"><title>");
    markdown_escape_html(series->name, drawing->out);
    str_add(drawing->out, "</title></path>\n");
}

static bool is_empty(const struct svg_graph *graph)
{
    for (size_t i = 0; i < graph->n_series; i++)
        for (size_t k = 0; k < graph->series[i].n; k++)
            if (isfinite(graph->series[i].values[k]))
                return false;
    return true;
}

static void draw_lines(const struct drawing *drawing)
{
    if (is_empty(drawing->graph)) {
        str_addf(drawing->out,
                 "<text x=\"%d\" y=\"%d\" font-size=\"13\" text-anchor=\"middle\" "
                 "fill=\"currentColor\">no samples in this window</text>\n",
                 (PLOT_LEFT + PLOT_RIGHT) / 2, (PLOT_TOP + PLOT_BOTTOM) / 2);
        return;
    }
    str_add(drawing->out, "<g fill=\"none\" stroke-width=\"1.7\" stroke-linejoin=\"round\" "
                          "stroke-linecap=\"round\">\n");
    for (size_t i = 0; i < drawing->graph->n_series && i < SVG_SERIES_MAX; i++)
        draw_line(drawing, i);
    str_add(drawing->out, "</g>\n");
}

/* --- letters --- */

/* Letters that would overlap share one box: "A-C". */
struct box {
    size_t from, to; /* marks */
    double left, right;
};

static struct box box_of(const struct drawing *drawing, size_t from, size_t to)
{
    double middle = (x_of(drawing, drawing->graph->marks[from].at_ms) +
                     x_of(drawing, drawing->graph->marks[to].at_ms)) /
                    2;
    double half = to > from ? 15 : 8;

    middle = fmin(fmax(middle, PLOT_LEFT + half), PLOT_RIGHT - half);
    return (struct box){from, to, middle - half, middle + half};
}

static void draw_box(const struct drawing *drawing, const struct box *box)
{
    const struct svg_mark *marks = drawing->graph->marks;
    char label[8] = {marks[box->from].letter};

    if (box->to > box->from)
        (void)snprintf(label, sizeof(label), "%c\xe2\x80\x93%c", marks[box->from].letter,
                       marks[box->to].letter);
    str_addf(drawing->out,
             "<rect x=\"%.1f\" y=\"5\" width=\"%.1f\" height=\"16\" rx=\"8\" fill=\"none\" "
             "stroke=\"currentColor\"/>"
             "<text x=\"%.1f\" y=\"17\" fill=\"currentColor\">%s</text></g>\n",
             box->left, box->right - box->left, (box->left + box->right) / 2, label);
}

static void draw_marks(const struct drawing *drawing)
{
    const struct svg_graph *graph = drawing->graph;
    double free_from = 0;

    str_add(drawing->out, "<g font-size=\"11\" font-weight=\"600\" text-anchor=\"middle\">\n");
    for (size_t i = 0; i < graph->n_marks;) {
        struct box box = box_of(drawing, i, i);

        while (
            box.to + 1 < graph->n_marks &&
            (box_of(drawing, box.to + 1, box.to + 1).left < box.right + 2 || box.left < free_from))
            box = box_of(drawing, box.from, box.to + 1);
        str_add(drawing->out, "<g><title>");
        for (size_t k = box.from; k <= box.to; k++) {
            str_addf(drawing->out, "%s%c ", k > box.from ? "; " : "", graph->marks[k].letter);
            markdown_escape_html(graph->marks[k].text, drawing->out);
        }
        str_add(drawing->out, "</title>");
        for (size_t k = box.from; k <= box.to; k++)
            str_addf(drawing->out,
                     "<path d=\"M%.1f 21V%d\" stroke=\"currentColor\" stroke-opacity=\".7\" "
                     "stroke-dasharray=\"2 3\"/>",
                     x_of(drawing, graph->marks[k].at_ms), PLOT_BOTTOM);
        draw_box(drawing, &box);
        free_from = box.right;
        i = box.to + 1;
    }
    str_add(drawing->out, "</g>\n");
}

/* --- legend --- */

/* Names longer than a row end in an ellipsis, at a character's border. */
static void add_name(struct str *out, const char *name)
{
    enum {
        NAME_MAX_BYTES = 96
    };
    STR_AUTO struct str cut = STR_INIT(NAME_MAX_BYTES + 8);
    size_t len = strlen(name);

    if (len > NAME_MAX_BYTES) {
        len = NAME_MAX_BYTES;
        while (len && ((unsigned char)name[len] & 0xc0) == 0x80)
            len--;
    }
    str_addn(&cut, name, len);
    if (name[len])
        str_add(&cut, "\xe2\x80\xa6");
    markdown_escape_html(str_text(&cut), out);
}

static size_t legend_rows(const struct svg_graph *graph)
{
    size_t n = graph->n_series < SVG_LEGEND_MAX ? graph->n_series : SVG_LEGEND_MAX;

    return n + (graph->n_series > n) + (n == 0);
}

static void draw_legend(const struct drawing *drawing)
{
    const struct svg_graph *graph = drawing->graph;
    struct clock_utc day = clock_split_utc(graph->start_ms);
    int y = LEGEND_TOP;

    str_add(drawing->out, "<g font-size=\"11\" fill=\"currentColor\">\n");
    str_addf(drawing->out,
             "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%04d-%02d-%02d, UTC</text>\n", PLOT_RIGHT,
             y, day.year, day.month, day.day);
    for (size_t i = 0; i < graph->n_series && i < SVG_LEGEND_MAX; i++, y += LEGEND_ROW) {
        size_t look = i % (sizeof(lines) / sizeof(*lines));

        str_addf(drawing->out, "<path d=\"M%d %dh26\" stroke=\"%s\" stroke-width=\"2\"", PLOT_LEFT,
                 y - 4, lines[look].colour);
        if (lines[look].dash[0])
            str_addf(drawing->out, " stroke-dasharray=\"%s\"", lines[look].dash);
        str_addf(drawing->out, "/><text x=\"%d\" y=\"%d\">", PLOT_LEFT + 33, y);
        add_name(drawing->out, graph->series[i].name);
        str_add(drawing->out, "</text>\n");
    }
    if (graph->n_series > SVG_LEGEND_MAX)
        str_addf(drawing->out, "<text x=\"%d\" y=\"%d\">and %zu more series%s</text>\n",
                 PLOT_LEFT + 33, y, graph->n_series - SVG_LEGEND_MAX,
                 graph->n_series > SVG_SERIES_MAX ? ", not all drawn" : "");
    str_add(drawing->out, "</g>\n");
}

void svg_draw(const struct svg_graph *graph, struct str *out)
{
    const struct drawing drawing = {.graph = graph, .axis = fit(graph), .out = out};
    size_t height = LEGEND_TOP + LEGEND_ROW * (legend_rows(graph) - 1) + 8;

    str_addf(out,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %zu\" width=\"%d\" "
             "height=\"%zu\" role=\"img\" color=\"#737a85\" "
             "font-family=\"system-ui, sans-serif\">\n<title>",
             WIDTH, height, WIDTH, height);
    markdown_escape_html(graph->title, out);
    str_add(out, "</title>\n<desc>");
    markdown_escape_html(graph->description, out);
    str_add(out, "</desc>\n");
    draw_bands(&drawing);
    draw_value_axis(&drawing);
    draw_time_axis(&drawing);
    draw_threshold(&drawing);
    draw_lines(&drawing);
    draw_marks(&drawing);
    draw_legend(&drawing);
    str_add(out, "</svg>");
}
