/*
 * Signals of a drill that were there and were not looked at, each drawn as it was until the
 * end. See debrief_private.h.
 */

#include <string.h>

#include "alertd/drill/debrief_private.h"
#include "alertd/postmortem/graph.h"
#include "alertd/postmortem/svg.h"

enum {
    MISSES_MAX = 16,
    BEFORE_MS = 20 * 60 * 1000, /* of the onset, in a graph */
    LEAST_STEP_MS = 1000,
    SERIES_JSON_MAX = 4 * 1024 * 1024,
    QUERY_SAMPLES_MAX = 5 * 1000 * 1000,
};

static bool was_queried(const struct debrief_work *work, const char *metric)
{
    for (size_t i = 0; i < work->n_moments; i++)
        if (work->moments[i].kind == DRILL_MOMENT_ACT && work->moments[i].act == DRILL_ACT_QUERY &&
            work->moments[i].what && strstr(work->moments[i].what, metric))
            return true;
    return false;
}

/* When the player was told or said first that it was this; DRILL_NOT_YET. */
static int64_t first_act(const struct debrief_work *work, enum drill_act_kind act)
{
    for (size_t i = 0; i < work->n_moments; i++)
        if (work->moments[i].kind == DRILL_MOMENT_ACT && work->moments[i].act == act)
            return work->moments[i].at_ms;
    return DRILL_NOT_YET;
}

/* --- Graphs --------------------------------------------------------------------------------------------- */

/* From before the onset to when it was ended, or to the end. */
static struct graph_plan plan_of(struct debrief_work *work, const char *metric)
{
    int64_t mended_ms = drill_world_mended_ms(work->input->world);
    int64_t end_ms = mended_ms == DRILL_NOT_YET ? work->score->until_ms : mended_ms + BEFORE_MS;
    struct graph_plan plan = {.title = metric, .query = metric};

    end_ms = end_ms < work->score->until_ms ? end_ms : work->score->until_ms;
    plan.start_ms = work->zero_ms + work->drill->onset_ms - BEFORE_MS;
    plan.end_ms = work->zero_ms + end_ms;
    if (plan.end_ms <= plan.start_ms)
        plan.end_ms = plan.start_ms + GRAPH_STEPS * LEAST_STEP_MS;
    plan.step_ms = (plan.end_ms - plan.start_ms) / GRAPH_STEPS;
    plan.step_ms = plan.step_ms < work->drill->interval_ms ? work->drill->interval_ms
                                                           : plan.step_ms;
    return plan;
}

/* The onset, the first page and the first belief are its letters. */
static size_t fill_marks(struct debrief_work *work, struct timeline_row rows[3])
{
    const struct {
        int64_t at_ms;
        const char *text;
    } marks[] = {{work->drill->onset_ms, "it begins"},
                 {work->score->paged ? work->score->base_ms : DRILL_NOT_YET, "the first page"},
                 {first_act(work, DRILL_ACT_HYPOTHESIS), "your first hypothesis"}};
    size_t n = 0;

    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        struct timeline_event *event = arena_alloc(work->arena, sizeof(*event));

        work->spent |= !event;
        if (!event || marks[i].at_ms == DRILL_NOT_YET)
            continue;
        *event = (struct timeline_event){.kind = "human.note",
                                         .event_class = "human",
                                         .text = marks[i].text,
                                         .occurred_at_ms = work->zero_ms + marks[i].at_ms};
        rows[n] = (struct timeline_row){.event = event, .letter = (char)('A' + n)};
        n++;
    }
    return n;
}

static bool draw(struct debrief_work *work, const char *metric, struct graph_drawing *drawing)
{
    struct graph_plan plan = plan_of(work, metric);
    struct source source = drill_world_source(work->input->world);
    struct timeline_row rows[3] = {{0}};
    const struct graph_story story = {.rows = rows, .n_rows = fill_marks(work, rows)};
    struct promql_expr *expr = NULL;
    struct promql_value value;

    if (promql_parse(work->arena, metric, &expr, NULL) != 0)
        return false;
    plan.expr = expr;

    const struct promql_query query = {
        .start_ms = plan.start_ms,
        .end_ms = plan.end_ms,
        .step_ms = plan.step_ms,
        .limits = {.max_samples = QUERY_SAMPLES_MAX, .lookback_ms = 5 * 60 * 1000},
    };

    return promql_eval(expr, &source, &query, work->arena, &value, NULL) == 0 &&
           graph_draw(work->arena, &plan, &value, &story, drawing, NULL) == 0 &&
           drawing->n_points > 0;
}

/* Into the document while there is room, and as numbers. */
static void add_graph(struct debrief_work *work,
                      struct debrief_miss *miss,
                      struct postmortem_drill_miss *told)
{
    struct graph_drawing drawing = {.svg = STR_INIT(SVG_TEXT_MAX),
                                    .series = STR_INIT(SERIES_JSON_MAX)};

    if (work->to->n_graphs < DEBRIEF_GRAPHS_MAX && draw(work, miss->query, &drawing)) {
        struct markdown_graph *graph = &work->to->graphs[work->to->n_graphs];
        struct graph_plan plan = plan_of(work, miss->query);

        graph->svg = arena_strndup(work->arena, str_text(&drawing.svg), drawing.svg.len);
        graph->caption = miss->query;
        miss->series = arena_strndup(work->arena, str_text(&drawing.series), drawing.series.len);
        miss->from_ms = plan.start_ms;
        miss->to_ms = plan.end_ms;
        work->spent |= !graph->svg || !miss->series;
        if (graph->svg)
            told->graph = graph->id = (int64_t)++work->to->n_graphs;
        told->graph_title = miss->query;
    }
    str_done(&drawing.svg);
    str_done(&drawing.series);
}

/* --- What was missed ---------------------------------------------------------------------------------------- */

static struct debrief_miss *next_miss(struct debrief_work *work, const char *kind, int64_t at_ms)
{
    struct debrief_miss *miss = &work->misses[work->n_misses++];

    miss->kind = kind;
    miss->at_ms = at_ms;
    return miss;
}

/* When a look would have mattered: when the player began to believe something, or else to act, or
 * else was paged. */
static int64_t decided_at(const struct debrief_work *work, const char **ret_words)
{
    int64_t believed_ms = first_act(work, DRILL_ACT_HYPOTHESIS);

    *ret_words = "when you wrote your first hypothesis";
    if (believed_ms != DRILL_NOT_YET)
        return believed_ms;
    *ret_words = "when you began to act";
    for (size_t i = 0; i < work->n_moments; i++)
        if (work->moments[i].kind == DRILL_MOMENT_ACT && work->moments[i].act == DRILL_ACT_DO)
            return work->moments[i].at_ms;
    *ret_words = work->score->paged ? "when you were paged" : "when it began";
    return work->score->base_ms;
}

static void add_metrics(struct debrief_work *work, struct postmortem_drill_miss *told)
{
    const char *words = NULL;
    int64_t at_ms = decided_at(work, &words);

    for (size_t i = 0; i < work->drill->n_graphs && work->n_misses < MISSES_MAX; i++) {
        const char *metric = work->drill->graphs[i].text;

        if (was_queried(work, metric))
            continue;
        struct debrief_miss *miss = next_miss(work, "metric", at_ms);

        miss->query = debrief_text(work, "%s", metric);
        miss->text = debrief_text(work, "%s was not looked at", metric);
        add_graph(work, miss, &told[work->n_misses - 1]);
        if (miss->series)
            miss->why = debrief_text(work, "it was there to be seen at %s, %s",
                                     debrief_at(work, at_ms), words);
    }
}

/* What somebody said, and nobody was told anything afterwards. */
static void add_customers(struct debrief_work *work)
{
    int64_t told_ms = first_act(work, DRILL_ACT_TELL);

    for (size_t i = 0; i < work->n_moments && work->n_misses < MISSES_MAX; i++) {
        const struct drill_moment *moment = &work->moments[i];

        if (moment->kind != DRILL_MOMENT_HAPPENED || strcmp(moment->who, "customer") != 0 ||
            (told_ms != DRILL_NOT_YET && told_ms >= moment->at_ms))
            continue;
        struct debrief_miss *miss = next_miss(work, "customer", moment->at_ms);

        miss->text = debrief_text(work, "customers asked: %s", moment->what);
        miss->why = "nobody was told anything after that";
        return;
    }
}

/* Nothing alerted at all. */
static void add_silence(struct debrief_work *work)
{
    if (work->score->paged || work->n_misses == MISSES_MAX)
        return;
    struct debrief_miss *miss = next_miss(work, "silence", work->drill->onset_ms);

    miss->text = "nobody was paged";
    miss->why = "what should have alerted is the first thing to mend";
}

static void add_runbooks(struct debrief_work *work)
{
    if (work->drill->n_runbooks == 0 || work->score->clocks[DRILL_RUNBOOK] != DRILL_NEVER ||
        work->n_misses == MISSES_MAX)
        return;
    struct debrief_miss *miss = next_miss(work, "runbook", work->score->base_ms);

    miss->runbook = debrief_text(work, "%s", work->drill->runbooks[0].text);
    miss->text = debrief_text(work, "the runbook %s was not opened", miss->runbook);
}

void debrief_misses(struct debrief_work *work)
{
    struct postmortem_drill_miss *told = arena_array(work->arena, MISSES_MAX, sizeof(*told));

    work->misses = arena_array(work->arena, MISSES_MAX, sizeof(*work->misses));
    work->spent |= !told || !work->misses;
    if (!told || !work->misses)
        return;
    add_silence(work);
    add_metrics(work, told);
    add_customers(work);
    add_runbooks(work);
    for (size_t i = 0; i < work->n_misses; i++) {
        told[i].text = work->misses[i].text;
        told[i].why = work->misses[i].why;
    }
    work->about.misses = told;
    work->about.n_misses = work->n_misses;
    work->to->misses = work->misses;
    work->to->n_misses = work->n_misses;
}
