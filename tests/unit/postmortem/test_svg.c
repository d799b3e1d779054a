/*
 * Graphs: the axis reads well, spikes and gaps survive, nothing but presentation
 * attributes is in the drawing.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/postmortem/svg.h"
#include "tests/lib/row.h"

static void test_axes(void **state)
{
    static const struct {
        double low, high;
        enum svg_unit unit;
        const char *want; /* first, second, last label */
        bool whole;
    } rows[] = {
        {0, 1, SVG_UNIT_NONE, "0 0.2 1.0"},
        {0, 0.93, SVG_UNIT_NONE, "0 0.2 1.0"},
        {0, 100, SVG_UNIT_NONE, "0 20 100"},
        {0, 12345, SVG_UNIT_NONE, "0 2.5 k 12.5 k"},
        {0, 2.5e6, SVG_UNIT_NONE, "0 0.5 M 2.5 M"},
        {0, 0.5, SVG_UNIT_RATIO, "0 10% 50%"},
        {0, 3.0 * 1024 * 1024 * 1024, SVG_UNIT_BYTES, "0 1 GiB 3 GiB"},
        {0, 0.012, SVG_UNIT_SECONDS, "0 2.5 ms 12.5 ms"},
        {0, 600, SVG_UNIT_SECONDS, "0 2 min 10 min"},
        {0, 5e-5, SVG_UNIT_SECONDS, "0 10 \xc2\xb5s 50 \xc2\xb5s"},
        {0, 2 * 1024 * 1024, SVG_UNIT_BYTES_PER_SECOND, "0 0.5 MiB/s 2.0 MiB/s"},
        {-5, 5, SVG_UNIT_NONE, "-6 -4 6"},
        {7, 7, SVG_UNIT_NONE, "0 2.5 12.5"},
        {0, 0, SVG_UNIT_NONE, "0 0.2 1.0"},
        {-3, -3, SVG_UNIT_NONE, "-5 -4 -1"},
        {0, 1, SVG_UNIT_NONE, "0 1 1", true},
        {0, 30, SVG_UNIT_NONE, "0 10 30", true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct svg_axis axis = svg_axis_fit(rows[i].low, rows[i].high, rows[i].unit, rows[i].whole);
        char a[SVG_LABEL_MAX], b[SVG_LABEL_MAX], c[SVG_LABEL_MAX], text[3 * SVG_LABEL_MAX];

        row("%g..%g", rows[i].low, rows[i].high);
        (void)snprintf(text, sizeof(text), "%s %s %s", svg_axis_label(&axis, axis.low, a),
                       svg_axis_label(&axis, axis.low + axis.step, b),
                       svg_axis_label(&axis, axis.high, c));
        assert_string_equal(text, rows[i].want);
        assert_true(axis.low <= rows[i].low + 1e-12 && axis.high >= rows[i].high - 1e-12);
        assert_true((axis.high - axis.low) / axis.step < 8);
    }
}

static void test_units(void **state)
{
    static const struct {
        const char *query;
        enum svg_unit unit;
    } rows[] = {
        {"probe_success", SVG_UNIT_NONE},
        {"probe_duration_seconds{job=\"x_bytes\"}", SVG_UNIT_SECONDS},
        {"sum by (job) (rate(http_requests_total[5m]))", SVG_UNIT_PER_SECOND},
        {"http_requests_total", SVG_UNIT_NONE},
        {"rate(node_cpu_seconds_total[5m])", SVG_UNIT_RATIO},
        {"rate(node_disk_read_bytes_total[5m])", SVG_UNIT_BYTES_PER_SECOND},
        {"node_memory_MemAvailable_bytes", SVG_UNIT_BYTES},
        {"node_filesystem_avail_bytes / node_filesystem_size_bytes", SVG_UNIT_NONE},
        {"probe_ssl_earliest_cert_expiry - time()", SVG_UNIT_NONE},
        {"cache_hit_ratio", SVG_UNIT_RATIO},
        {"\"unclosed", SVG_UNIT_NONE},
        {"", SVG_UNIT_NONE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        row("%s", rows[i].query);
        assert_int_equal(svg_unit_of(rows[i].query), rows[i].unit);
    }
}

static void test_time_steps(void **state)
{
    char text[SVG_LABEL_MAX];

    assert_int_equal(svg_time_step(30 * 60000), 300000);
    assert_int_equal(svg_time_step(61 * 60000), 600000);
    assert_int_equal(svg_time_step(7 * 86400000LL), 86400000);
    assert_true(365 * 86400000LL / svg_time_step(365 * 86400000LL) <= 8);
    assert_string_equal(svg_time_label(1795471230000, 15000, text), "22:00:30");
    assert_string_equal(svg_time_label(1795471200000, 600000, text), "22:00");
    assert_string_equal(svg_time_label(1795478400000, 3600000, text), "11-24");
}

struct picture {
    int64_t t_ms[2000];
    double values[2000];
    struct svg_series series;
    struct svg_graph graph;
};

/* n samples, one each second. */
static struct picture *draw_start(size_t n)
{
    struct picture *picture = calloc(1, sizeof(*picture));

    assert_non_null(picture);
    for (size_t i = 0; i < n; i++) {
        picture->t_ms[i] = (int64_t)i * 1000;
        picture->values[i] = 1;
    }
    picture->series = (struct svg_series){"up", n, picture->t_ms, picture->values};
    picture->graph = (struct svg_graph){
        .title = "t",
        .description = "d",
        .end_ms = (int64_t)n * 1000,
        .step_ms = 1000,
        .series = &picture->series,
        .n_series = 1,
    };
    return picture;
}

/* The d="" of the only line. */
static char *line_of(const struct picture *picture, struct str *out)
{
    str_cut(out, 0);
    svg_draw(&picture->graph, out);
    assert_false(out->full);
    char *line = strstr(out->text, "stroke=\"#2f7fd6\" d=\"");

    assert_non_null(line);
    return line + strlen("stroke=\"#2f7fd6\" d=\"");
}

static size_t count(const char *text, char c, char until)
{
    size_t n = 0;

    for (; *text && *text != until; text++)
        n += *text == c;
    return n;
}

static void test_lines(void **state)
{
    STR_AUTO struct str out = STR_INIT(1024 * 1024);
    struct picture *picture = draw_start(2000);

    row("a spike of one sample among 2,000 is drawn to the top");
    picture->values[777] = 10;
    assert_non_null(strstr(line_of(picture, &out), " 28.0L"));
    row("at most four corners for each pixel");
    assert_true(count(line_of(picture, &out), ' ', '"') < 4 * 730);

    row("a gap lifts the pen, a short one does not");
    for (size_t i = 1000; i < 1010; i++)
        picture->values[i] = NAN;
    picture->values[500] = NAN;
    assert_int_equal(count(line_of(picture, &out), 'M', '"'), 2);

    row("a sample alone is a dot");
    for (size_t i = 0; i < 2000; i++)
        picture->values[i] = i == 900 ? 3 : NAN;
    assert_non_null(strstr(line_of(picture, &out), "h.1\""));

    row("infinities and a stale marker are not drawn");
    for (size_t i = 0; i < 2000; i++)
        picture->values[i] = i % 2 ? INFINITY : -INFINITY;
    str_cut(&out, 0);
    svg_draw(&picture->graph, &out);
    assert_non_null(strstr(out.text, "no samples in this window"));
    free(picture);
}

static void test_words_are_escaped_and_nothing_is_styled(void **state)
{
    static const struct svg_mark marks[] = {
        {1000, 'A', "<b>\"x\""}, {1500, 'B', "y"}, {90000, 'C', "z"}};
    static const struct svg_band band = {SVG_BAND_FIRING, 2000, 90000};
    STR_AUTO struct str out = STR_INIT(1024 * 1024);
    struct picture *picture = draw_start(100);

    picture->series.name = "{a=\"</text><script>\"}";
    picture->graph.title = "<script>";
    picture->graph.marks = marks;
    picture->graph.n_marks = 3;
    picture->graph.bands = &band;
    picture->graph.n_bands = 1;
    picture->graph.has_threshold = true;
    picture->graph.threshold = 0.9;
    svg_draw(&picture->graph, &out);
    assert_null(strstr(out.text, "<script"));
    assert_null(strstr(out.text, "style="));
    assert_null(strstr(out.text, "href"));
    assert_null(strstr(out.text, "nan"));
    assert_non_null(strstr(out.text, "threshold 0.9<"));
    assert_non_null(strstr(out.text, "stroke-dasharray=\"6 4\""));
    assert_non_null(strstr(out.text, "<title>A &lt;b&gt;&quot;x&quot;; B y</title>"));
    assert_non_null(strstr(out.text, ">A\xe2\x80\x93"
                                     "B<"));
    assert_non_null(strstr(out.text, ">C</text>"));
    assert_non_null(strstr(out.text, "<title>firing</title>"));
    free(picture);
}

static void test_many_series(void **state)
{
    STR_AUTO struct str out = STR_INIT(4 * 1024 * 1024);
    struct picture *picture = draw_start(10);
    static struct svg_series series[40];

    for (size_t i = 0; i < 40; i++)
        series[i] = picture->series;
    picture->graph.series = series;
    picture->graph.n_series = 40;
    svg_draw(&picture->graph, &out);
    assert_non_null(strstr(out.text, "and 32 more series, not all drawn"));
    free(picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_axes),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_time_steps),
        cmocka_unit_test(test_words_are_escaped_and_nothing_is_styled),
        cmocka_unit_test(test_many_series),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
