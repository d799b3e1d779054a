/*
 * From an incident to the first revision of its postmortem. See postmortem_draft.h.
 */

#include "alertd/api/postmortem_draft.h"

#include <string.h>

#include "alertd/api/postmortem_files.h"
#include "alertd/db/incident_db.h"
#include "alertd/db/outbox_db.h"
#include "alertd/postmortem/facts.h"
#include "alertd/postmortem/graph.h"
#include "alertd/postmortem/svg.h"
#include "lib/base/clock.h"

enum {
    ROWS_BYTES_MAX = 64 * 1024 * 1024,
    QUERY_BYTES_MAX = 64 * 1024 * 1024,
    MARKDOWN_MAX = 192 * 1024, /* so that the editor can save it back */
    SERIES_JSON_MAX = 4 * 1024 * 1024,
    ALERTS_MAX = 500,
    PAGES_MAX = 500,
};

/* One rule's graph: what it was planned to be, what it became. */
struct frozen_graph {
    struct graph_plan plan;
    struct graph_story story;
    struct graph_drawing drawing;
};

struct draft {
    const struct api *api;
    const struct postmortem_wish *wish;
    struct arena arena; /* rows, plans, facts */
    struct arena query; /* samples */
    struct incident incident;
    struct incident_alert *alerts; /* in order of their rule */
    size_t n_alerts;
    struct timeline_event *events;
    size_t n_events;
    struct outbox_row *pages;
    size_t n_pages;
    const struct timeline_row *rows;
    struct frozen_graph graphs[POSTMORTEM_DRAFT_GRAPHS_MAX];
    size_t n_graphs;
    struct source_series *read; /* what the queries read, each series once */
    size_t n_read, n_samples, read_capacity;
    struct str markdown, facts;
    int64_t id;
};

static int too_large(struct err *reterr)
{
    return err_set(reterr, POSTMORTEM_DRAFT_E_LIMIT, "the incident is too large for one document");
}

/* --- rows --- */

static int read_rows(struct draft *draft, struct db_conn *conn, struct err *reterr)
{
    const char *key = draft->wish->incident;
    struct arena *arena = &draft->arena;
    int r = incident_db_get(conn, key, arena, &draft->incident, reterr);

    if (!r)
        r = incident_db_alerts(conn, draft->incident.id, ALERTS_MAX, arena, &draft->alerts,
                               &draft->n_alerts, reterr);
    if (!r)
        r = incident_db_timeline(conn, draft->incident.id, arena, &draft->events, &draft->n_events,
                                 reterr);
    if (!r)
        r = outbox_db_list(conn, key, PAGES_MAX, arena, &draft->pages, &draft->n_pages, reterr);
    return r;
}

static int read_incident(struct draft *draft, struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = db_read_begin(draft->api->state, &conn, reterr);

    if (r)
        return r;
    r = read_rows(draft, conn, reterr);
    db_read_end(draft->api->state, conn);
    return r;
}

/* --- graphs --- */

/* What was read of this series so far, or the free place behind all; NULL past the limit. */
static struct source_series *place_for(struct draft *draft, const struct labels *labels)
{
    for (size_t i = 0; i < draft->n_read; i++)
        if (labels_equal(draft->read[i].labels, labels))
            return &draft->read[i];
    if (draft->n_read == draft->read_capacity) {
        size_t capacity = draft->read_capacity ? 2 * draft->read_capacity : 64;
        struct source_series *larger = arena_array(&draft->query, capacity, sizeof(*larger));

        if (!larger)
            return NULL;
        if (draft->n_read)
            memcpy(larger, draft->read, draft->n_read * sizeof(*larger));
        draft->read = larger;
        draft->read_capacity = capacity;
    }
    draft->read[draft->n_read] = (struct source_series){.labels = labels};
    return &draft->read[draft->n_read++];
}

/* A copy of the longest that was read of a series. */
static bool remember(struct draft *draft,
                     const struct labels *labels,
                     const struct source_columns *columns)
{
    struct source_series *series = columns->n ? place_for(draft, labels) : NULL;

    if (columns->n == 0 || (series && series->n >= columns->n))
        return true;
    int64_t *t_ms = arena_array(&draft->query, columns->n, sizeof(*t_ms));
    double *values = arena_array(&draft->query, columns->n, sizeof(*values));
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
    const struct draft *draft = self;
    struct source store = store_source(draft->api->store);

    return store.select(store.self, query, arena, ret_selection, reterr);
}

static int read_and_remember(void *self,
                             const struct source_query *query,
                             const struct source_match *match,
                             struct arena *arena,
                             struct source_columns *columns,
                             struct err *reterr)
{
    struct draft *draft = self;
    struct source store = store_source(draft->api->store);
    int r = store.read(store.self, query, match, arena, columns, reterr);

    if (!r && !remember(draft, match->labels, columns))
        return err_set(reterr, SOURCE_E_LIMIT, "the query reads too many samples");
    return r;
}

static int evaluate(struct draft *draft,
                    const struct graph_plan *plan,
                    struct promql_value *ret_value,
                    struct err *reterr)
{
    const struct source source = {
        .select = select_stored, .read = read_and_remember, .self = draft};
    const struct promql_query query = {
        .start_ms = plan->start_ms,
        .end_ms = plan->end_ms,
        .step_ms = plan->step_ms,
        .limits =
            {
                .max_samples = draft->api->query_max_samples,
                .lookback_ms = draft->api->query_lookback_ms,
                .deadline_ms = draft->api->query_timeout_ms
                                   ? clock_mono_ms() + draft->api->query_timeout_ms
                                   : 0,
                .now_fn = clock_mono_ms,
            },
    };

    return promql_eval(plan->expr, &source, &query, &draft->query, ret_value, reterr);
}

/* One rule's alerts stand next to each other: [from, to). A graph that cannot be drawn is
 * left out of the document, and logged; it must not stand in its way. */
static void freeze_rule(struct draft *draft, size_t from, size_t to)
{
    struct frozen_graph *graph = &draft->graphs[draft->n_graphs];
    struct promql_value value;
    struct err err = {0};

    *graph = (struct frozen_graph){
        .story = {draft->alerts + from, to - from, draft->rows, draft->n_events},
        .drawing = {.svg = STR_INIT(SVG_TEXT_MAX), .series = STR_INIT(SERIES_JSON_MAX)},
    };
    int r = graph_plan(&draft->arena, draft->alerts + from, to - from,
                       draft->incident.resolved_at_ms, draft->wish->now_ms, &graph->plan, &err);

    if (!r)
        r = evaluate(draft, &graph->plan, &value, &err);
    if (!r)
        r = graph_draw(&draft->query, &graph->plan, &value, &graph->story, &graph->drawing, &err);
    if (r) {
        log_warn(draft->api->log, "postmortem", "a graph is left out",
                 "incident=%s rule=\"%s\" err=\"%s\"", draft->incident.key,
                 draft->alerts[from].name, err.text);
        str_done(&graph->drawing.svg);
        str_done(&graph->drawing.series);
        return;
    }
    draft->n_graphs++;
}

/* Alerts of one rule next to each other, rules in the order in which they come first. */
static bool group_by_rule(struct draft *draft)
{
    struct incident_alert *sorted = arena_array(&draft->arena, draft->n_alerts + 1,
                                                sizeof(*sorted));
    size_t n = 0;

    if (!sorted)
        return false;
    for (size_t i = 0; i < draft->n_alerts; i++) {
        bool done = false;

        for (size_t k = 0; k < i && !done; k++)
            done = draft->alerts[k].rule_id == draft->alerts[i].rule_id;
        for (size_t k = i; k < draft->n_alerts && !done; k++)
            if (draft->alerts[k].rule_id == draft->alerts[i].rule_id)
                sorted[n++] = draft->alerts[k];
    }
    draft->alerts = sorted;
    return true;
}

static void freeze_graphs(struct draft *draft)
{
    size_t from = 0;

    while (from < draft->n_alerts && draft->n_graphs < POSTMORTEM_DRAFT_GRAPHS_MAX) {
        size_t to = from + 1;

        while (to < draft->n_alerts && draft->alerts[to].rule_id == draft->alerts[from].rule_id)
            to++;
        freeze_rule(draft, from, to);
        from = to;
    }
    for (size_t i = 0; i < draft->n_read; i++)
        draft->n_samples += draft->read[i].n;
}

/* --- the job --- */

static int store_graphs(struct draft *draft,
                        struct db_conn *conn,
                        struct postmortem_graph_ref *refs,
                        struct err *reterr)
{
    for (size_t i = 0; i < draft->n_graphs; i++) {
        const struct graph_plan *plan = &draft->graphs[i].plan;
        const struct graph_row row = {
            .incident_id = draft->incident.id,
            .title = plan->title,
            .query = plan->query,
            .start_ms = plan->start_ms,
            .end_ms = plan->end_ms,
            .step_ms = plan->step_ms,
            .captured_ms = draft->wish->now_ms,
            .n_points = draft->graphs[i].drawing.n_points,
            .series = str_text(&draft->graphs[i].drawing.series),
            .svg = str_text(&draft->graphs[i].drawing.svg),
        };

        refs[i] = (struct postmortem_graph_ref){
            .title = row.title, .query = row.query, .start_ms = row.start_ms, .end_ms = row.end_ms};
        int r = graph_db_add(conn, &row, &refs[i].id, reterr);

        if (r)
            return r;
    }
    return 0;
}

static int store_samples(struct draft *draft, struct db_conn *conn, struct err *reterr)
{
    int r = 0;

    if (draft->n_samples > POSTMORTEM_DRAFT_SAMPLES_MAX)
        return 0; /* half a story would mislead a replay; the graph is kept all the same */
    for (size_t i = 0; !r && i < draft->n_read; i++)
        r = frozen_db_add(conn, draft->incident.id, &draft->read[i], reterr);
    return r;
}

static struct postmortem_notification *list_pages(struct draft *draft)
{
    struct postmortem_notification *pages = arena_array(&draft->arena, draft->n_pages + 1,
                                                        sizeof(*pages));

    for (size_t i = 0; pages && i < draft->n_pages; i++)
        pages[i] = (struct postmortem_notification){
            .id = draft->pages[i].id,
            .receiver = draft->pages[i].receiver,
            .kind = draft->pages[i].kind,
            .reason = draft->pages[i].reason,
            .state = draft->pages[i].state,
            .last_error = draft->pages[i].last_error,
            .due_at_ms = draft->pages[i].due_at_ms,
            .sent_at_ms = draft->pages[i].sent_at_ms,
            .attempts = draft->pages[i].attempts,
        };
    return pages;
}

static int make_facts(struct draft *draft,
                      const struct postmortem_graph_ref *graphs,
                      const struct fact **ret_facts,
                      struct err *reterr)
{
    STR_AUTO struct str url = STR_INIT(4096);
    STR_AUTO struct str generator = STR_INIT(100);

    str_addf(&generator, "alertd %s", draft->api->version);
    str_addf(&url, "%s/i/%s", draft->api->external_url, draft->incident.key);
    const struct postmortem_input input = {
        .template_name = draft->wish->template_name,
        .author = draft->wish->author,
        .generator = str_text(&generator),
        .now_ms = draft->wish->now_ms,
        .incident_url = str_text(&url),
        .incident = &draft->incident,
        .alerts = draft->alerts,
        .n_alerts = draft->n_alerts,
        .events = draft->events,
        .n_events = draft->n_events,
        .notifications = list_pages(draft),
        .n_notifications = draft->n_pages,
        .graphs = graphs,
        .n_graphs = draft->n_graphs,
    };

    if (!input.notifications || postmortem_facts(&draft->arena, &input, ret_facts, NULL))
        return too_large(reterr);
    return 0;
}

static int render(struct draft *draft, const struct fact *facts, struct err *reterr)
{
    struct json_out json = JSON_OUT(&draft->facts);
    const struct template_file *file;
    struct template *template;
    struct template_set set;
    int r = postmortem_files_read(draft->api, &draft->arena, &set, reterr);

    if (r)
        return r < 0 ? r : POSTMORTEM_DRAFT_E_TEMPLATE;
    file = postmortem_files_find(&set, draft->wish->template_name);
    if (!file)
        return err_set(reterr, POSTMORTEM_DRAFT_E_TEMPLATE, "there is no template %.60s",
                       draft->wish->template_name);
    r = template_parse(&draft->arena, &set, file, &template, reterr);
    if (!r)
        r = template_render(template, facts, &draft->markdown, reterr);
    if (r)
        return err_prefix(reterr, POSTMORTEM_DRAFT_E_TEMPLATE, "template %s, line %u, column %u",
                          file->name, reterr->line, reterr->column);
    fact_json(facts, &json);
    return draft->facts.full ? too_large(reterr) : 0;
}

static int store_draft(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct postmortem_graph_ref refs[POSTMORTEM_DRAFT_GRAPHS_MAX];
    struct draft *draft = arg;
    const struct fact *facts = NULL;
    int r = store_graphs(draft, conn, refs, reterr);

    if (!r)
        r = store_samples(draft, conn, reterr);
    if (!r)
        r = make_facts(draft, refs, &facts, reterr);
    if (!r)
        r = render(draft, facts, reterr);
    if (r)
        return r;
    const struct postmortem_draft row = {
        .incident_id = draft->incident.id,
        .title = draft->incident.title,
        .template_name = draft->wish->template_name,
        .markdown = str_text(&draft->markdown),
        .facts = str_text(&draft->facts),
        .author = draft->wish->author,
        .now_ms = draft->wish->now_ms,
    };

    return postmortem_db_create(conn, &row, &draft->id, reterr);
}

static void done(struct draft *draft)
{
    for (size_t i = 0; i < draft->n_graphs; i++) {
        str_done(&draft->graphs[i].drawing.svg);
        str_done(&draft->graphs[i].drawing.series);
    }
    str_done(&draft->markdown);
    str_done(&draft->facts);
    arena_reset(&draft->query);
    arena_reset(&draft->arena);
}

static int prepare(struct draft *draft, struct err *reterr)
{
    int r = read_incident(draft, reterr);

    if (r)
        return r;
    if (draft->incident.postmortem_id)
        return err_set(reterr, POSTMORTEM_DB_E_EXISTS, "%s has postmortem %lld already",
                       draft->incident.key, (long long)draft->incident.postmortem_id);
    const struct postmortem_input input = {.events = draft->events, .n_events = draft->n_events};

    draft->rows = postmortem_timeline(&draft->arena, &input);
    if (!draft->rows || !group_by_rule(draft))
        return too_large(reterr);
    freeze_graphs(draft);
    return 0;
}

int postmortem_draft(const struct api *api,
                     const struct postmortem_wish *wish,
                     int64_t *ret_id,
                     struct err *reterr)
{
    struct draft draft = {
        .api = api,
        .wish = wish,
        .markdown = STR_INIT(MARKDOWN_MAX),
        .facts = STR_INIT(SERIES_JSON_MAX),
    };

    arena_init(&draft.arena, ROWS_BYTES_MAX);
    arena_init(&draft.query, QUERY_BYTES_MAX);
    int r = prepare(&draft, reterr);

    if (!r)
        r = db_write(api->state, store_draft, &draft, reterr);
    if (!r)
        *ret_id = draft.id;
    done(&draft);
    return r;
}
