/*
 * Graphs of an incident, and the samples behind them. See postmortem_freeze.h.
 */

#include "alertd/api/postmortem_freeze.h"

#include <string.h>

#include "lib/base/clock.h"

enum {
    INSTANCES_MAX = 4,
    STEPS_MAX = 600,
    TITLE_BYTES_MAX = 20000,
};

void freeze_init(struct freeze *freeze,
                 const struct api *api,
                 const struct postmortem_record *record,
                 int64_t now_ms)
{
    *freeze = (struct freeze){.api = api, .record = record, .now_ms = now_ms};
    arena_init(&freeze->query, FREEZE_QUERY_BYTES_MAX);
}

void freeze_done(struct freeze *freeze)
{
    for (size_t i = 0; i < freeze->n_graphs; i++) {
        str_done(&freeze->graphs[i].drawing.svg);
        str_done(&freeze->graphs[i].drawing.series);
    }
    arena_reset(&freeze->query);
}

/* --- samples --- */

static size_t samples_of(const struct freeze *freeze, size_t n_series)
{
    size_t n = 0;

    for (size_t i = 0; i < n_series; i++)
        n += freeze->read[i].n;
    return n;
}

/* What was read of this series so far, or the free place behind all; NULL past the limit. */
static struct source_series *place_for(struct freeze *freeze, const struct labels *labels)
{
    for (size_t i = 0; i < freeze->n_read; i++)
        if (labels_equal(freeze->read[i].labels, labels))
            return &freeze->read[i];
    if (freeze->n_read == freeze->read_capacity) {
        size_t capacity = freeze->read_capacity ? 2 * freeze->read_capacity : 64;
        struct source_series *larger = arena_array(&freeze->query, capacity, sizeof(*larger));

        if (!larger)
            return NULL;
        if (freeze->n_read)
            memcpy(larger, freeze->read, freeze->n_read * sizeof(*larger));
        freeze->read = larger;
        freeze->read_capacity = capacity;
    }
    freeze->read[freeze->n_read] = (struct source_series){.labels = labels};
    return &freeze->read[freeze->n_read++];
}

/* A copy of the longest that was read of a series. */
static bool remember(struct freeze *freeze,
                     const struct labels *labels,
                     const struct source_columns *columns)
{
    struct source_series *series = columns->n ? place_for(freeze, labels) : NULL;

    if (columns->n == 0 || (series && series->n >= columns->n))
        return true;
    int64_t *t_ms = arena_array(&freeze->query, columns->n, sizeof(*t_ms));
    double *values = arena_array(&freeze->query, columns->n, sizeof(*values));
    if (!series || !t_ms || !values)
        return false;
    memcpy(t_ms, columns->t_ms, columns->n * sizeof(*t_ms));
    memcpy(values, columns->values, columns->n * sizeof(*values));
    *series = (struct source_series){series->labels, columns->n, t_ms, values};
    return true;
}

/* A source that keeps what passes through it. */
static int select_stored(void *self,
                         const struct source_query *query,
                         struct arena *arena,
                         struct source_selection *ret_selection,
                         struct err *reterr)
{
    const struct freeze *freeze = self;
    struct source store = store_source(freeze->api->store);
    struct told_of telling = {&store, freeze->told};
    struct source source = told_source(&telling);

    return source.select(source.self, query, arena, ret_selection, reterr);
}

static int read_and_remember(void *self,
                             const struct source_query *query,
                             const struct source_match *match,
                             struct arena *arena,
                             struct source_columns *columns,
                             struct err *reterr)
{
    struct freeze *freeze = self;
    struct source store = store_source(freeze->api->store);
    struct source_query whole = *query;

    whole.regular = false; /* the times are remembered, too */
    int r = store.read(store.self, &whole, match, arena, columns, reterr);

    if (!r && !remember(freeze, match->labels, columns))
        return err_set(reterr, SOURCE_E_LIMIT, "the query reads too many samples");
    return r;
}

static int evaluate(struct freeze *freeze,
                    const struct graph_plan *plan,
                    struct promql_value *ret_value,
                    struct err *reterr)
{
    const struct source source = {
        .select = select_stored, .read = read_and_remember, .self = freeze};
    const struct promql_query query = {
        .start_ms = plan->start_ms,
        .end_ms = plan->end_ms,
        .step_ms = plan->step_ms,
        .limits =
            {
                .max_samples = freeze->api->query_max_samples,
                .lookback_ms = freeze->api->query_lookback_ms,
                .deadline_ms = freeze->api->query_timeout_ms
                                   ? clock_mono_ms() + freeze->api->query_timeout_ms
                                   : 0,
                .now_fn = clock_mono_ms,
            },
    };

    return promql_eval(plan->expr, &source, &query, &freeze->query, ret_value, reterr);
}

/* --- graphs --- */

/* In the title, which goes wherever the graph does. */
static int name_missing(struct freeze *freeze, struct graph_plan *plan, struct err *reterr)
{
    STR_AUTO struct str title = STR_INIT(TITLE_BYTES_MAX);

    str_add(&title, plan->title);
    told_say(freeze->told, " (not all of it could be read: ", ")", &title);
    plan->title = arena_strndup(freeze->record->arena, str_text(&title), title.len);
    return plan->title ? 0 : err_set(reterr, GRAPH_E_LIMIT, "the graph's title is too long");
}

static int draw(struct freeze *freeze, struct frozen_graph *graph, struct err *reterr)
{
    struct promql_value value;

    freeze->told = told_new();
    int r = evaluate(freeze, &graph->plan, &value, reterr);
    if (!r)
        r = name_missing(freeze, &graph->plan, reterr);
    told_free(freeze->told);
    freeze->told = NULL;
    if (!r)
        r = graph_draw(&freeze->query, &graph->plan, &value, &graph->story, &graph->drawing,
                       reterr);
    if (!r)
        freeze->n_graphs++;
    return r;
}

static struct frozen_graph *next_graph(struct freeze *freeze)
{
    struct frozen_graph *graph = &freeze->graphs[freeze->n_graphs];

    *graph = (struct frozen_graph){
        .story = {.rows = freeze->record->rows, .n_rows = freeze->record->n_events},
        .drawing = {.svg = STR_INIT(SVG_TEXT_MAX), .series = STR_INIT(FREEZE_SERIES_JSON_MAX)},
    };
    return graph;
}

/* Until it is counted, nobody else lets go of it. */
static void drop(struct frozen_graph *graph)
{
    str_done(&graph->drawing.svg);
    str_done(&graph->drawing.series);
}

/* All that the whole rule reads, for whoever evaluates it again. */
static void read_rule(struct freeze *freeze, const char *expr, const struct graph_plan *window)
{
    char *text = arena_strndup(freeze->record->arena, expr, strlen(expr));
    struct graph_plan plan = *window;
    struct promql_expr *whole;
    struct promql_value value;

    if (!text || promql_parse(freeze->record->arena, text, &whole, NULL))
        return; /* it has no graph either, and that was logged */
    plan.expr = whole;
    if (evaluate(freeze, &plan, &value, NULL))
        log_debug(freeze->api->log, "postmortem", "a rule's samples are not all kept",
                  "incident=%s", freeze->record->incident.key);
}

/* One rule's alerts stand next to each other: [from, to). A graph that cannot be drawn is
 * left out of the document, and logged; it must not stand in its way. */
static void freeze_rule(struct freeze *freeze, size_t from, size_t to)
{
    const struct postmortem_record *record = freeze->record;
    struct frozen_graph *graph = next_graph(freeze);
    struct err err = {0};

    graph->story.alerts = record->alerts + from;
    graph->story.n_alerts = to - from;
    graph->rule_id = record->alerts[from].rule_id;
    int r = graph_plan(record->arena, record->alerts + from, to - from,
                       record->incident.resolved_at_ms, freeze->now_ms, &graph->plan, &err);

    if (!r)
        r = draw(freeze, graph, &err);
    if (r) {
        log_warn(freeze->api->log, "postmortem", "a graph is left out",
                 "incident=%s rule=\"%s\" err=\"%s\"", record->incident.key,
                 record->alerts[from].name, err.text);
        drop(graph);
        return;
    }
    read_rule(freeze, record->alerts[from].expr, &graph->plan);
}

/* Everything measured on an instance, when it fits beside what is there. */
static void read_instance(struct freeze *freeze, const char *instance)
{
    const struct label pair = {"instance", instance};
    STR_AUTO struct str text = STR_INIT(8192);
    size_t n_before = freeze->n_read;
    const struct labels *labels = labels_new(&pair, 1);

    labels_print(labels, &text);
    labels_unref(labels);
    read_rule(freeze, str_text(&text), &freeze->graphs[0].plan);
    if (samples_of(freeze, freeze->n_read) > FREEZE_SAMPLES_MAX)
        freeze->n_read = n_before;
}

static void read_instances(struct freeze *freeze)
{
    const struct postmortem_record *record = freeze->record;
    const char *seen[INSTANCES_MAX];
    size_t n = 0;

    for (size_t i = 0; freeze->n_graphs && i < record->n_alerts && n < INSTANCES_MAX; i++) {
        const char *instance = record->alerts[i].labels
                                   ? labels_get(record->alerts[i].labels, "instance")
                                   : NULL;
        bool done = !instance;

        for (size_t k = 0; k < n && !done; k++)
            done = strcmp(seen[k], instance) == 0;
        if (done)
            continue;
        seen[n++] = instance;
        read_instance(freeze, instance);
    }
}

void freeze_rules(struct freeze *freeze)
{
    const struct postmortem_record *record = freeze->record;
    size_t from = 0;

    while (from < record->n_alerts && freeze->n_graphs < FREEZE_GRAPHS_MAX) {
        size_t to = from + 1;

        while (to < record->n_alerts && record->alerts[to].rule_id == record->alerts[from].rule_id)
            to++;
        freeze_rule(freeze, from, to);
        from = to;
    }
    read_instances(freeze);
}

static int plan_query(struct freeze *freeze,
                      const struct freeze_wish *wish,
                      struct graph_plan *ret_plan,
                      struct err *reterr)
{
    struct arena *arena = freeze->record->arena;
    char *text = arena_strndup(arena, wish->query, strlen(wish->query));
    struct promql_expr *expr = NULL;

    if (!text || promql_parse(arena, text, &expr, reterr))
        return FREEZE_E_QUERY;
    int64_t least_ms = (wish->end_ms - wish->start_ms + STEPS_MAX - 1) / STEPS_MAX;
    int64_t step_ms = (least_ms + 999) / 1000 * 1000;
    struct graph_plan plan = {
        .expr = expr,
        .query = wish->query,
        .title = *wish->title ? wish->title : wish->query,
        .start_ms = wish->start_ms / step_ms * step_ms,
        .end_ms = wish->end_ms,
        .step_ms = step_ms,
    };

    plan.has_threshold = promql_threshold(expr, &plan.expr, &plan.threshold);
    *ret_plan = plan;
    return 0;
}

int freeze_query(struct freeze *freeze, const struct freeze_wish *wish, struct err *reterr)
{
    struct frozen_graph *graph = next_graph(freeze);
    int r = plan_query(freeze, wish, &graph->plan, reterr);

    if (!r && draw(freeze, graph, reterr))
        r = FREEZE_E_QUERY;
    if (!r && graph->drawing.n_points == 0) {
        freeze->n_graphs--;
        r = err_set(reterr, FREEZE_E_QUERY, "the query finds no sample in this window");
    }
    if (r)
        drop(graph);
    return r;
}

/* --- jobs --- */

int freeze_store_graphs(struct freeze *freeze,
                        struct db_conn *conn,
                        bool is_chosen,
                        struct graph_row *rows,
                        struct err *reterr)
{
    for (size_t i = 0; i < freeze->n_graphs; i++) {
        const struct graph_plan *plan = &freeze->graphs[i].plan;

        rows[i] = (struct graph_row){
            .incident_id = freeze->record->incident.id,
            .title = plan->title,
            .query = plan->query,
            .start_ms = plan->start_ms,
            .end_ms = plan->end_ms,
            .step_ms = plan->step_ms,
            .captured_ms = freeze->now_ms,
            .n_points = freeze->graphs[i].drawing.n_points,
            .series = str_text(&freeze->graphs[i].drawing.series),
            .svg = str_text(&freeze->graphs[i].drawing.svg),
            .is_chosen = is_chosen,
            .has_threshold = plan->has_threshold,
            .threshold = plan->threshold,
            .rule_id = freeze->graphs[i].rule_id,
        };
        int r = graph_db_add(conn, &rows[i], &rows[i].id, reterr);

        if (r)
            return r;
    }
    return 0;
}

int freeze_store_samples(struct freeze *freeze, struct db_conn *conn, struct err *reterr)
{
    int r = 0;

    if (samples_of(freeze, freeze->n_read) > FREEZE_SAMPLES_MAX)
        return 0; /* half a story would mislead a replay; the graph is kept all the same */
    for (size_t i = 0; !r && i < freeze->n_read; i++)
        r = frozen_db_add(conn, freeze->record->incident.id, &freeze->read[i], reterr);
    return r;
}
