/*
 * A document as one HTML file, its graphs with captions and numbers. See postmortem_call.h.
 */

#include <string.h>

#include "alertd/api/postmortem_call.h"
#include "alertd/postmortem/document.h"
#include "alertd/postmortem/graph.h"
#include "alertd/postmortem/svg.h"
#include "lib/base/clock.h"

enum {
    GRAPH_ROWS_MAX = 60, /* of the numbers under a graph */
};

/* "2026-11-23 22:27:00" */
static void add_instant(int64_t at_ms, struct str *out)
{
    char text[CLOCK_TEXT_MAX];

    (void)clock_rfc3339(at_ms, text);
    str_addf(out, "%.10s %.8s", text, text + 11);
}

static void caption(const struct graph_row *graph, struct str *out)
{
    str_addf(out, "%s \xc2\xb7 ", graph->query);
    add_instant(graph->start_ms, out);
    str_add(out, " to ");
    add_instant(graph->end_ms, out);
    str_addf(out, " UTC, a point each %lld s, %lld points, captured ",
             (long long)(graph->step_ms / 1000), (long long)graph->n_points);
    add_instant(graph->captured_ms, out);
    str_add(out, " UTC from the samples of alertd");
}

static const char *keep(struct arena *arena, const struct str *text)
{
    return text->full ? NULL : arena_strndup(arena, str_text(text), text->len);
}

static bool fill_graph(const struct postmortem_view *view,
                       const struct graph_row *row,
                       struct markdown_graph *ret_graph)
{
    STR_AUTO struct str words = STR_INIT(64 * 1024);
    STR_AUTO struct str svg = STR_INIT(SVG_TEXT_MAX);
    STR_AUTO struct str table = STR_INIT(SVG_TEXT_MAX);
    struct graph_lines lines;

    if (postmortem_view_graph(view, row, &svg, NULL))
        return false;
    caption(row, &words);
    if (graph_lines_read(view->arena, row->series, &lines, NULL) == 0)
        graph_lines_table(&lines, GRAPH_ROWS_MAX, &table);
    *ret_graph = (struct markdown_graph){
        .id = row->id,
        .svg = keep(view->arena, &svg),
        .caption = keep(view->arena, &words),
        .table = keep(view->arena, &table),
    };
    return ret_graph->svg && ret_graph->caption;
}

int postmortem_html(const struct postmortem_view *view,
                    const char *markdown,
                    struct str *out,
                    struct err *reterr)
{
    struct markdown_graph *graphs = arena_array(view->arena, view->n_graphs + 1, sizeof(*graphs));
    STR_AUTO struct str named = STR_INIT(out->limit);
    struct document document = {
        .title = view->row.title,
        .incident_key = view->row.incident,
        .status = view->row.status,
        .updated_by = view->is_told ? "" : view->row.updated_by,
        .updated_at_ms = view->row.updated_ms,
        .revision = view->row.revision,
        .graphs = graphs,
    };
    struct markdown *body;

    for (size_t i = 0; graphs && i < view->n_graphs; i++)
        document.n_graphs += fill_graph(view, &view->graphs[i], &graphs[document.n_graphs]);
    if (!graphs || markdown_parse(view->arena, markdown, strlen(markdown), &body, NULL))
        return err_set(reterr, POSTMORTEM_DB_E_LIMIT, "the document is too large to export");
    document.body = body;
    if (document_html(&document, view->is_told ? &named : out, reterr))
        return POSTMORTEM_DB_E_LIMIT;
    if (view->is_told) /* captions and tables of graphs are no Markdown */
        roles_replace_markup(&view->roles, str_text(&named), out);
    return 0;
}
