/*
 * From alerts and samples to a kept graph. See graph.h.
 */

#include "alertd/postmortem/graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/postmortem/svg.h"
#include "lib/base/float.h"

static int too_large(struct err *reterr)
{
    return err_set(reterr, GRAPH_E_LIMIT, "the graph has too many samples to be kept");
}

/* --- the plan --- */

/* All of the trouble, and as much before and after as shows what is normal. */
static void set_window(struct graph_plan *plan,
                       const struct incident_alert *alerts,
                       size_t n,
                       int64_t resolved_at_ms,
                       int64_t now_ms)
{
    static const int64_t whole_steps_ms[] = {1000,    2000,    5000,   10000,  15000,
                                             30000,   60000,   120000, 300000, 600000,
                                             1800000, 3600000, 7200000};
    int64_t start_ms = alerts[0].active_at_ms;
    int64_t end_ms = resolved_at_ms ? resolved_at_ms : now_ms;

    for (size_t i = 1; i < n; i++)
        start_ms = alerts[i].active_at_ms < start_ms ? alerts[i].active_at_ms : start_ms;
    if (end_ms < start_ms)
        end_ms = start_ms;
    int64_t margin_ms = (end_ms - start_ms) / 2;

    margin_ms = margin_ms < GRAPH_MARGIN_MS ? GRAPH_MARGIN_MS : margin_ms;
    plan->start_ms = start_ms - margin_ms;
    plan->end_ms = end_ms + margin_ms < now_ms ? end_ms + margin_ms : now_ms;
    if (plan->end_ms <= plan->start_ms)
        plan->end_ms = plan->start_ms + 1;

    int64_t least_ms = (plan->end_ms - plan->start_ms + GRAPH_STEPS - 1) / GRAPH_STEPS;
    size_t i = 0;

    while (i + 1 < sizeof(whole_steps_ms) / sizeof(*whole_steps_ms) && whole_steps_ms[i] < least_ms)
        i++;
    plan->step_ms = whole_steps_ms[i] < least_ms ? least_ms : whole_steps_ms[i];
    plan->start_ms = plan->start_ms / plan->step_ms * plan->step_ms;
}

int graph_plan(struct arena *arena,
               const struct incident_alert *alerts,
               size_t n,
               int64_t resolved_at_ms,
               int64_t now_ms,
               struct graph_plan *ret_plan,
               struct err *reterr)
{
    char *text = arena_strndup(arena, alerts[0].expr, strlen(alerts[0].expr));
    STR_AUTO struct str query = STR_INIT(64 * 1024);
    STR_AUTO struct str title = STR_INIT(4096);
    struct graph_plan plan = {0};
    struct promql_expr *expr;

    if (!text)
        return too_large(reterr);
    int r = promql_parse(arena, text, &expr, reterr);

    if (r)
        return r;
    plan.expr = expr;
    plan.has_threshold = promql_threshold(expr, &plan.expr, &plan.threshold);
    promql_print(plan.expr, &query);
    str_addf(&title, "%s: %.200s", alerts[0].name, str_text(&query));
    plan.query = arena_strndup(arena, str_text(&query), query.len);
    plan.title = arena_strndup(arena, str_text(&title), title.len);
    if (!plan.query || !plan.title)
        return too_large(reterr);
    set_window(&plan, alerts, n, resolved_at_ms, now_ms);
    *ret_plan = plan;
    return 0;
}

/* --- which series --- */

/* Every label of the series is one the alert has, with the same value. */
static bool belongs_to(const struct labels *series, const struct labels *alert)
{
    for (size_t i = 0; i < series->n; i++) {
        const char *value = labels_get(alert, series->at[i].name);

        if (strcmp(series->at[i].name, LABEL_NAME) != 0 &&
            (!value || strcmp(value, series->at[i].value) != 0))
            return false;
    }
    return true;
}

static bool belongs(const struct labels *series, const struct graph_story *story)
{
    for (size_t i = 0; i < story->n_alerts; i++)
        if (story->alerts[i].labels && belongs_to(series, story->alerts[i].labels))
            return true;
    return false;
}

struct chosen {
    const struct promql_series **series;
    size_t n;
};

static int choose(struct arena *arena,
                  const struct promql_value *value,
                  const struct graph_story *story,
                  struct chosen *chosen)
{
    chosen->series = arena_array(arena, value->n + 1, sizeof(const struct promql_series *));
    if (!chosen->series)
        return GRAPH_E_LIMIT;
    for (size_t i = 0; i < value->n; i++)
        if (belongs(value->series[i].labels, story))
            chosen->series[chosen->n++] = &value->series[i];
    if (chosen->n)
        return 0;
    for (size_t i = 0; i < value->n; i++)
        chosen->series[chosen->n++] = &value->series[i];
    return 0;
}

static bool tells_apart(const struct chosen *chosen, const char *name)
{
    const char *first = labels_get(chosen->series[0]->labels, name);

    for (size_t i = 1; i < chosen->n; i++) {
        const char *other = labels_get(chosen->series[i]->labels, name);

        if (!first != !other || (first && strcmp(first, other) != 0))
            return true;
    }
    return false;
}

/* One series is named in full; of several, what they share is left out. */
static const char *name_of(struct arena *arena,
                           const struct chosen *chosen,
                           size_t index,
                           const char *query)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    const struct labels *all = chosen->series[index]->labels;
    STR_AUTO struct str name = STR_INIT(4096);

    for (size_t i = 0; i < all->n; i++)
        if (chosen->n == 1 || tells_apart(chosen, all->at[i].name))
            labels_builder_set(&builder, all->at[i].name, all->at[i].value);
    const struct labels *shown = labels_builder_finish(&builder);

    if (shown->n)
        labels_print(shown, &name);
    else
        str_add(&name, query);
    labels_unref(shown);
    return arena_strndup(arena, str_text(&name), name.len);
}

/* --- around the lines --- */

static int by_start(const void *a, const void *b)
{
    const struct svg_band *x = a;
    const struct svg_band *y = b;

    return (x->from_ms > y->from_ms) - (x->from_ms < y->from_ms);
}

/* Overlapping bands of one kind would only grow darker: they become one. */
static size_t merge(struct svg_band *bands, size_t n)
{
    size_t kept = 0;

    qsort(bands, n, sizeof(*bands), by_start);
    for (size_t i = 0; i < n; i++) {
        if (kept && bands[i].from_ms <= bands[kept - 1].to_ms) {
            if (bands[i].to_ms > bands[kept - 1].to_ms)
                bands[kept - 1].to_ms = bands[i].to_ms;
            continue;
        }
        bands[kept++] = bands[i];
    }
    return kept;
}

/* Firing bands, then the pending band before the first of them. */
static size_t add_bands(const struct graph_plan *plan,
                        const struct graph_story *story,
                        struct svg_band *bands)
{
    int64_t active_ms = INT64_MAX;
    size_t n = 0;

    for (size_t i = 0; i < story->n_alerts; i++) {
        const struct incident_alert *alert = &story->alerts[i];

        if (alert->active_at_ms && alert->active_at_ms < active_ms)
            active_ms = alert->active_at_ms;
        if (alert->fired_at_ms)
            bands[n++] = (struct svg_band){SVG_BAND_FIRING, alert->fired_at_ms,
                                           alert->resolved_at_ms ? alert->resolved_at_ms
                                                                 : plan->end_ms};
    }
    n = merge(bands, n);
    int64_t end_ms = n ? bands[0].from_ms : plan->end_ms;

    if (active_ms < end_ms)
        bands[n++] = (struct svg_band){SVG_BAND_PENDING, active_ms, end_ms};
    return n;
}

static size_t add_marks(const struct graph_plan *plan,
                        const struct graph_story *story,
                        struct svg_mark *marks)
{
    size_t n = 0;

    for (size_t i = 0; i < story->n_rows; i++) {
        const struct timeline_event *event = story->rows[i].event;

        if (story->rows[i].letter && event->occurred_at_ms >= plan->start_ms &&
            event->occurred_at_ms <= plan->end_ms)
            marks[n++] = (struct svg_mark){event->occurred_at_ms, story->rows[i].letter,
                                           event->text ? event->text : ""};
    }
    return n;
}

/* For those who hear a graph instead of seeing it. */
static void describe(const struct graph_plan *plan,
                     const struct svg_series *series,
                     size_t n,
                     struct str *out)
{
    str_addf(out, "%s.", plan->query);
    for (size_t i = 0; i < n && i < SVG_LEGEND_MAX; i++) {
        double least = INFINITY;
        double greatest = -INFINITY;
        char low[FLOAT_TEXT_MAX];
        char high[FLOAT_TEXT_MAX];

        for (size_t k = 0; k < series[i].n; k++) {
            least = fmin(least, series[i].values[k]);
            greatest = fmax(greatest, series[i].values[k]);
        }
        if (!(least <= greatest))
            continue;
        float_short(least, low);
        float_short(greatest, high);
        str_addf(out, " %s: from %s to %s.", series[i].name, low, high);
    }
}

/* --- drawing --- */

static void add_json(const struct svg_series *series, size_t n, struct str *out)
{
    struct json_out json = JSON_OUT(out);

    json_open(&json, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(&json, '{');
        json_kv_string(&json, "name", series[i].name);
        json_key(&json, "t_ms");
        json_open(&json, '[');
        for (size_t k = 0; k < series[i].n; k++)
            json_int(&json, series[i].t_ms[k]);
        json_close(&json, ']');
        json_key(&json, "values");
        json_open(&json, '[');
        for (size_t k = 0; k < series[i].n; k++)
            json_float(&json, series[i].values[k]);
        json_close(&json, ']');
        json_close(&json, '}');
    }
    json_close(&json, ']');
}

static int fill_series(struct arena *arena,
                       const struct graph_plan *plan,
                       const struct chosen *chosen,
                       struct svg_series *series)
{
    for (size_t i = 0; i < chosen->n; i++) {
        series[i] = (struct svg_series){
            .name = name_of(arena, chosen, i, plan->query),
            .n = chosen->series[i]->n,
            .t_ms = chosen->series[i]->t_ms,
            .values = chosen->series[i]->values,
        };
        if (!series[i].name)
            return GRAPH_E_LIMIT;
    }
    return 0;
}

int graph_draw_lines(struct arena *arena,
                     const struct graph_plan *plan,
                     const struct graph_lines *lines,
                     const struct graph_story *story,
                     struct str *out,
                     struct err *reterr)
{
    struct svg_band *bands = arena_array(arena, story->n_alerts + 1, sizeof(*bands));
    STR_AUTO struct str description = STR_INIT(8192);
    struct svg_mark marks['Z' - 'A' + 1];

    if (!bands)
        return too_large(reterr);
    describe(plan, lines->series, lines->n, &description);
    const struct svg_graph graph = {
        .title = plan->title,
        .description = str_text(&description),
        .unit = svg_unit_of(plan->query),
        .start_ms = plan->start_ms,
        .end_ms = plan->end_ms,
        .step_ms = plan->step_ms,
        .series = lines->series,
        .n_series = lines->n,
        .has_threshold = plan->has_threshold,
        .threshold = plan->threshold,
        .bands = bands,
        .n_bands = add_bands(plan, story, bands),
        .marks = marks,
        .n_marks = add_marks(plan, story, marks),
    };

    svg_draw(&graph, out);
    return out->full ? too_large(reterr) : 0;
}

int graph_draw(struct arena *arena,
               const struct graph_plan *plan,
               const struct promql_value *value,
               const struct graph_story *story,
               struct graph_drawing *ret_drawing,
               struct err *reterr)
{
    struct svg_series *series = arena_array(arena, value->n + 1, sizeof(*series));
    struct chosen chosen = {0};

    if (!series || choose(arena, value, story, &chosen) ||
        fill_series(arena, plan, &chosen, series))
        return too_large(reterr);
    const struct graph_lines lines = {series, chosen.n};
    int r = graph_draw_lines(arena, plan, &lines, story, &ret_drawing->svg, reterr);

    if (r)
        return r;
    add_json(series, chosen.n, &ret_drawing->series);
    for (size_t i = 0; i < chosen.n; i++)
        ret_drawing->n_points += (int64_t)series[i].n;
    return ret_drawing->series.full ? too_large(reterr) : 0;
}
