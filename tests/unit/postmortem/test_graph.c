/*
 * Which graph an incident gets: expression, threshold, window, step, series.
 */

#include <string.h>

#include "alertd/postmortem/graph.h"
#include "alertd/postmortem/svg.h"
#include "tests/lib/row.h"

enum {
    MINUTE_MS = 60000
};

static const int64_t base_ms = 1795471200000;

static int64_t at(int minute)
{
    return base_ms + (int64_t)minute * MINUTE_MS;
}

static void test_plans(void **state)
{
    static const struct {
        const char *name, *expr, *query;
        bool has_threshold;
        double threshold;
        int active, resolved, now; /* minutes; resolved 0: open */
        int start, end, step_s;
    } rows[] = {
        {"a comparison: its left side, 30 min around", "up == 0", "up", true, 0, 0, 5, 600, -30, 35,
         10},
        {"either way round", "0.9 < load1", "load1", true, 0.9, 0, 5, 600, -30, 35, 10},
        {"no number: all of it", "a > b", "a > b", false, 0, 0, 5, 600, -30, 35, 10},
        {"long: half of it around", "up == 0", "up", true, 0, 0, 600, 6000, -300, 900, 120},
        {"nothing is drawn of the future", "up == 0", "up", true, 0, 0, 5, 10, -30, 10, 5},
        {"still open: until now", "up == 0", "up", true, 0, 0, 0, 20, -30, 20, 5},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct incident_alert alerts[] = {
            {.name = "A", .expr = rows[i].expr, .active_at_ms = at(rows[i].active + 2)},
            {.name = "A", .expr = rows[i].expr, .active_at_ms = at(rows[i].active)},
        };
        ARENA_AUTO struct arena arena;
        struct graph_plan plan;
        struct err err = {0};

        row("%s", rows[i].name);
        arena_init(&arena, 1024 * 1024);
        assert_int_equal(graph_plan(&arena, alerts, 2, rows[i].resolved ? at(rows[i].resolved) : 0,
                                    at(rows[i].now), &plan, &err),
                         0);
        assert_string_equal(plan.query, rows[i].query);
        assert_int_equal(plan.has_threshold, rows[i].has_threshold);
        assert_true(plan.threshold == rows[i].threshold);
        assert_int_equal(plan.start_ms, at(rows[i].start));
        assert_int_equal(plan.end_ms, at(rows[i].end));
        assert_int_equal(plan.step_ms, rows[i].step_s * 1000);
        assert_true((plan.end_ms - plan.start_ms) / plan.step_ms <= GRAPH_STEPS + 1);
    }
}

static void test_what_does_not_parse(void **state)
{
    const struct incident_alert alert = {.name = "A", .expr = "up ==", .active_at_ms = at(0)};
    ARENA_AUTO struct arena arena;
    struct graph_plan plan;
    struct err err = {0};

    arena_init(&arena, 1024 * 1024);
    assert_int_equal(graph_plan(&arena, &alert, 1, 0, at(1), &plan, &err), PROMQL_E_SYNTAX);
    arena_reset(&arena);
    arena.limit = 16;
    assert_int_not_equal(graph_plan(&arena, &alert, 1, 0, at(1), &plan, &err), 0);
}

static const int64_t t_ms[] = {1795471200000, 1795471260000};
static const double values[] = {1, 0};

/* Two alerts on a and b, and the series of a, b and c. */
struct scene {
    struct incident_alert alerts[2];
    struct promql_series series[3];
    struct promql_value value;
    struct timeline_event event;
    struct timeline_row line;
    struct graph_story story;
    struct graph_plan plan;
    struct graph_drawing drawing;
};

static const struct labels *make_labels(struct arena *arena, const char *instance, bool of_alert)
{
    const struct label pairs[] = {{LABEL_NAME, "up"}, {"instance", instance}, {"job", "web"}};
    const struct label more[] = {{"alertname", "A"}, {"instance", instance}, {"job", "web"}};

    return labels_in_arena(arena, of_alert ? more : pairs, 3);
}

static void begin(struct scene *scene, struct arena *arena)
{
    static const char *const instances[] = {"a", "b", "c"};
    struct err err = {0};

    *scene = (struct scene){.drawing = {STR_INIT(SVG_TEXT_MAX), STR_INIT(SVG_TEXT_MAX), 0}};
    for (size_t i = 0; i < 3; i++)
        scene->series[i] = (struct promql_series){make_labels(arena, instances[i], false), 2, t_ms,
                                                  values};
    for (size_t i = 0; i < 2; i++)
        scene->alerts[i] = (struct incident_alert){.name = "A",
                                                   .expr = "up == 0",
                                                   .labels = make_labels(arena, instances[i], true),
                                                   .active_at_ms = at((int)i),
                                                   .fired_at_ms = at((int)i + 1),
                                                   .resolved_at_ms = i ? 0 : at(5)};
    scene->value = (struct promql_value){.type = PROMQL_MATRIX, .series = scene->series, .n = 3};
    scene->event = (struct timeline_event){
        .id = 1, .kind = "ack", .text = "seen", .occurred_at_ms = at(2)};
    scene->line = (struct timeline_row){.event = &scene->event, .letter = 'A'};
    scene->story = (struct graph_story){scene->alerts, 2, &scene->line, 1};
    assert_int_equal(graph_plan(arena, scene->alerts, 2, 0, at(10), &scene->plan, &err), 0);
}

static void end(struct scene *scene)
{
    str_done(&scene->drawing.svg);
    str_done(&scene->drawing.series);
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;

    for (const char *found = strstr(text, part); found; found = strstr(found + 1, part))
        n++;
    return n;
}

static void test_drawing(void **state)
{
    ARENA_AUTO struct arena arena;
    struct scene scene;

    arena_init(&arena, 1024 * 1024);
    begin(&scene, &arena);
    assert_int_equal(
        graph_draw(&arena, &scene.plan, &scene.value, &scene.story, &scene.drawing, NULL), 0);

    row("the series of the alerts only, named by what tells them apart");
    assert_string_equal(
        str_text(&scene.drawing.series),
        "[{\"name\":\"{instance=\\\"a\\\"}\",\"t_ms\":[1795471200000,1795471260000],"
        "\"values\":[1,0]},{\"name\":\"{instance=\\\"b\\\"}\",\"t_ms\":["
        "1795471200000,1795471260000],\"values\":[1,0]}]");
    assert_int_equal(scene.drawing.n_points, 4);
    row("overlapping bands are one; what still fires goes to the edge");
    assert_int_equal(count(scene.drawing.svg.text, "<title>firing</title>"), 1);
    assert_int_equal(count(scene.drawing.svg.text, "<title>pending</title>"), 1);
    assert_non_null(strstr(scene.drawing.svg.text, "<title>A seen</title>"));
    assert_non_null(
        strstr(scene.drawing.svg.text, "<desc>up. {instance=&quot;a&quot;}: from 0 to 1."));
    end(&scene);

    row("one series alone is named in full");
    begin(&scene, &arena);
    scene.value.n = 1;
    assert_int_equal(
        graph_draw(&arena, &scene.plan, &scene.value, &scene.story, &scene.drawing, NULL), 0);
    assert_non_null(
        strstr(scene.drawing.series.text, "\"up{instance=\\\"a\\\", job=\\\"web\\\"}\""));
    end(&scene);

    row("none belongs to an alert: all of them");
    begin(&scene, &arena);
    scene.story.n_alerts = 0;
    assert_int_equal(
        graph_draw(&arena, &scene.plan, &scene.value, &scene.story, &scene.drawing, NULL), 0);
    assert_int_equal(scene.drawing.n_points, 6);
    end(&scene);

    row("no series at all");
    begin(&scene, &arena);
    scene.value.n = 0;
    assert_int_equal(
        graph_draw(&arena, &scene.plan, &scene.value, &scene.story, &scene.drawing, NULL), 0);
    assert_string_equal(str_text(&scene.drawing.series), "[]");
    assert_non_null(strstr(scene.drawing.svg.text, "no samples in this window"));
    end(&scene);

    row("a drawing larger than its limit");
    begin(&scene, &arena);
    scene.drawing.svg.limit = 100;
    assert_int_equal(
        graph_draw(&arena, &scene.plan, &scene.value, &scene.story, &scene.drawing, NULL),
        GRAPH_E_LIMIT);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_what_does_not_parse),
        cmocka_unit_test(test_drawing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
