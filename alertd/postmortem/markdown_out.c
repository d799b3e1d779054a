/*
 * A Markdown tree as JSON and as HTML. See markdown.h.
 *
 * Depth is bounded by the parser (MARKDOWN_DEPTH_MAX), so these walk recursively.
 */

#include <string.h>

#include "alertd/postmortem/markdown.h"

enum {
    SHORT_CELL = 20, /* bytes */
    SHORT_TIME = 27  /* "≈ 2026-11-23 22:27:00 UTC" */
};

static const char *const kind_names[] = {
    [MARKDOWN_DOCUMENT] = "document",
    [MARKDOWN_HEADING] = "heading",
    [MARKDOWN_PARAGRAPH] = "paragraph",
    [MARKDOWN_LIST] = "list",
    [MARKDOWN_ITEM] = "item",
    [MARKDOWN_TASK] = "task",
    [MARKDOWN_TABLE] = "table",
    [MARKDOWN_ROW] = "row",
    [MARKDOWN_CELL] = "cell",
    [MARKDOWN_CODE] = "code",
    [MARKDOWN_QUOTE] = "quote",
    [MARKDOWN_RULE] = "rule",
    [MARKDOWN_TEXT] = "text",
    [MARKDOWN_STRONG] = "strong",
    [MARKDOWN_EM] = "em",
    [MARKDOWN_LINK] = "link",
    [MARKDOWN_GRAPH] = "graph",
    [MARKDOWN_BREAK] = "break",
};

static const char *const align_names[] = {
    [MARKDOWN_ALIGN_NONE] = "",
    [MARKDOWN_ALIGN_LEFT] = "left",
    [MARKDOWN_ALIGN_CENTER] = "center",
    [MARKDOWN_ALIGN_RIGHT] = "right",
};

static void children_json(const struct markdown *node, struct json_out *out);

/* A list's item with a box is one node: {"type":"task","done":…,"children":[…]}. */
static void task_json(const struct markdown *item, struct json_out *out)
{
    struct markdown rest = {.first = item->first->next};

    json_open(out, '{');
    json_kv_string(out, "type", kind_names[MARKDOWN_TASK]);
    json_kv_bool(out, "done", item->first->is_done);
    json_key(out, "children");
    children_json(&rest, out);
    json_close(out, '}');
}

static void node_json(const struct markdown *node, struct json_out *out)
{
    if (node->kind == MARKDOWN_ITEM && node->first && node->first->kind == MARKDOWN_TASK) {
        task_json(node, out);
        return;
    }
    json_open(out, '{');
    json_kv_string(out, "type", kind_names[node->kind]);
    switch (node->kind) {
    case MARKDOWN_HEADING: json_kv_int(out, "level", node->number); break;
    case MARKDOWN_LIST:
        json_kv_bool(out, "ordered", node->is_ordered);
        json_kv_int(out, "start", node->is_ordered ? node->number : 1);
        break;
    case MARKDOWN_CELL:
        json_kv_bool(out, "header", node->is_header);
        json_kv_string(out, "align", node->align ? align_names[node->align] : NULL);
        break;
    case MARKDOWN_CODE:
        json_kv_bool(out, "block", node->is_block);
        json_kv_string(out, "lang", node->language);
        json_kv_string(out, "text", node->text ? node->text : "");
        break;
    case MARKDOWN_TEXT: json_kv_string(out, "text", node->text); break;
    case MARKDOWN_LINK: json_kv_string(out, "href", node->href); break;
    case MARKDOWN_GRAPH:
        json_kv_int(out, "id", node->number);
        json_kv_string(out, "title", node->text);
        break;
    case MARKDOWN_DOCUMENT:
    case MARKDOWN_PARAGRAPH:
    case MARKDOWN_ITEM:
    case MARKDOWN_TASK: /* task_json() */
    case MARKDOWN_TABLE:
    case MARKDOWN_ROW:
    case MARKDOWN_QUOTE:
    case MARKDOWN_RULE:
    case MARKDOWN_STRONG:
    case MARKDOWN_EM:
    case MARKDOWN_BREAK: break;
    }
    if (node->first) {
        json_key(out, "children");
        children_json(node, out);
    }
    json_close(out, '}');
}

static void children_json(const struct markdown *node, struct json_out *out)
{
    json_open(out, '[');
    for (const struct markdown *child = node->first; child; child = child->next)
        node_json(child, out);
    json_close(out, ']');
}

void markdown_json(const struct markdown *document, struct json_out *out)
{
    children_json(document, out);
}

/* --- HTML --- */

struct html {
    const struct markdown_graph *graphs;
    size_t n_graphs;
    struct str *out;
};

void markdown_escape_html(const char *text, struct str *out)
{
    for (size_t from = 0, at = 0;; at++) {
        const char *escaped = NULL;

        switch (text[at]) {
        case '&': escaped = "&amp;"; break;
        case '<': escaped = "&lt;"; break;
        case '>': escaped = "&gt;"; break;
        case '"': escaped = "&quot;"; break;
        case '\'': escaped = "&#39;"; break;
        case '\0': break;
        default: continue;
        }
        str_addn(out, text + from, at - from);
        if (!escaped)
            return;
        str_add(out, escaped);
        from = at + 1;
    }
}

static void nodes_html(const struct html *html, const struct markdown *nodes);

static void wrapped(const struct html *html, const struct markdown *node, const char *tag)
{
    str_addf(html->out, "<%s>", tag);
    nodes_html(html, node->first);
    str_addf(html->out, "</%s>", tag);
}

static void block(const struct html *html, const struct markdown *node, const char *tag)
{
    wrapped(html, node, tag);
    str_addc(html->out, '\n');
}

static void graph_html(const struct html *html, const struct markdown *node)
{
    for (size_t i = 0; i < html->n_graphs; i++) {
        if (html->graphs[i].id != node->number)
            continue;
        str_add(html->out, "<figure>");
        str_add(html->out, html->graphs[i].svg);
        str_add(html->out, "<figcaption>");
        markdown_escape_html(html->graphs[i].caption, html->out);
        str_add(html->out, "</figcaption>");
        str_add(html->out, html->graphs[i].table ? html->graphs[i].table : "");
        str_add(html->out, "</figure>\n");
        return;
    }
    str_addf(html->out, "<p class=\"missing\">Graph %lld is not stored.</p>\n",
             (long long)node->number);
}

static void code_html(const struct html *html, const struct markdown *node)
{
    str_add(html->out, node->is_block ? "<pre><code>" : "<code>");
    markdown_escape_html(node->text ? node->text : "", html->out);
    str_add(html->out, node->is_block ? "</code></pre>\n" : "</code>");
}

/* "2026-11-23 22:27 UTC", about or exactly. */
static bool is_time(const char *text)
{
    text += strspn(text, "\xe2\x89\x88 ");
    return strspn(text, "0123456789-") >= 5 && strlen(text) > 4 && strchr(text, ':');
}

/* A few words that read badly in pieces: a time, a number, a name. */
static bool is_short(const struct markdown *cell)
{
    const struct markdown *only = cell->first;

    if (!only)
        return true;
    if (only->next || only->kind != MARKDOWN_TEXT)
        return false;
    return strlen(only->text) <= (is_time(only->text) ? SHORT_TIME : SHORT_CELL);
}

static void cell_html(const struct html *html, const struct markdown *node)
{
    const char *tag = node->is_header ? "th" : "td";
    const char *is_both = node->align && is_short(node) ? " " : "";

    str_addf(html->out, "<%s", tag);
    if (node->align || is_short(node))
        str_addf(html->out, " class=\"%s%s%s\"", align_names[node->align], is_both,
                 is_short(node) ? "short" : "");
    str_addc(html->out, '>');
    nodes_html(html, node->first);
    str_addf(html->out, "</%s>", tag);
}

static void row_html(const struct html *html, const struct markdown *node)
{
    str_add(html->out, "<tr>");
    nodes_html(html, node->first);
    str_add(html->out, "</tr>\n");
}

static void link_html(const struct html *html, const struct markdown *node)
{
    str_add(html->out, "<a href=\"");
    markdown_escape_html(node->href, html->out);
    str_add(html->out, "\" rel=\"noopener noreferrer nofollow\">");
    nodes_html(html, node->first);
    str_add(html->out, "</a>");
}

/* Its head apart: on paper it stands on each page that the table goes on to. */
static void table_html(const struct html *html, const struct markdown *node)
{
    const struct markdown *row = node->first;

    str_add(html->out, "<div class=\"scroll\"><table>");
    if (row && row->first && row->first->is_header) {
        str_add(html->out, "<thead>");
        row_html(html, row);
        str_add(html->out, "</thead>\n");
        row = row->next;
    }
    str_add(html->out, "<tbody>");
    for (; row && !html->out->full; row = row->next)
        row_html(html, row);
    str_add(html->out, "</tbody></table></div>\n");
}

/* A prompt nobody has answered yet stands out: a quote that begins with "To answer:". */
static void quote_html(const struct html *html, const struct markdown *node)
{
    static const char prompt[] = "To answer:";
    const struct markdown *words = node->first ? node->first->first : NULL;
    bool is_prompt = words && words->kind == MARKDOWN_TEXT &&
                     strncmp(words->text, prompt, sizeof(prompt) - 1) == 0;

    str_add(html->out, is_prompt ? "<blockquote class=\"prompt\">" : "<blockquote>");
    nodes_html(html, node->first);
    str_add(html->out, "</blockquote>\n");
}

static void list_html(const struct html *html, const struct markdown *node)
{
    if (node->is_ordered && node->number != 1)
        str_addf(html->out, "<ol start=\"%lld\">\n", (long long)node->number);
    else
        str_add(html->out, node->is_ordered ? "<ol>\n" : "<ul>\n");
    nodes_html(html, node->first);
    str_add(html->out, node->is_ordered ? "</ol>\n" : "</ul>\n");
}

static void item_html(const struct html *html, const struct markdown *node)
{
    bool is_task = node->first && node->first->kind == MARKDOWN_TASK;

    str_add(html->out, is_task ? "<li class=\"task\">" : "<li>");
    nodes_html(html, node->first);
    str_add(html->out, "</li>\n");
}

static void node_html(const struct html *html, const struct markdown *node)
{
    char heading[] = {'h', (char)('0' + node->number % 10), '\0'};

    switch (node->kind) {
    case MARKDOWN_DOCUMENT: nodes_html(html, node->first); break;
    case MARKDOWN_HEADING: block(html, node, heading); break;
    case MARKDOWN_PARAGRAPH: block(html, node, "p"); break;
    case MARKDOWN_LIST: list_html(html, node); break;
    case MARKDOWN_ITEM: item_html(html, node); break;
    case MARKDOWN_TASK:
        str_add(html->out, node->is_done
                               ? "<span class=\"box\" aria-label=\"done\">\xe2\x98\x91</span> "
                               : "<span class=\"box\" aria-label=\"open\">\xe2\x98\x90</span> ");
        break;
    case MARKDOWN_TABLE: table_html(html, node); break;
    case MARKDOWN_ROW: row_html(html, node); break;
    case MARKDOWN_CELL: cell_html(html, node); break;
    case MARKDOWN_CODE: code_html(html, node); break;
    case MARKDOWN_QUOTE: quote_html(html, node); break;
    case MARKDOWN_RULE: str_add(html->out, "<hr>\n"); break;
    case MARKDOWN_TEXT: markdown_escape_html(node->text, html->out); break;
    case MARKDOWN_STRONG: wrapped(html, node, "strong"); break;
    case MARKDOWN_EM: wrapped(html, node, "em"); break;
    case MARKDOWN_LINK: link_html(html, node); break;
    case MARKDOWN_GRAPH: graph_html(html, node); break;
    case MARKDOWN_BREAK: str_add(html->out, "<br>\n"); break;
    }
}

static void nodes_html(const struct html *html, const struct markdown *nodes)
{
    for (const struct markdown *node = nodes; node && !html->out->full; node = node->next)
        node_html(html, node);
}

void markdown_html(const struct markdown *document,
                   const struct markdown_graph *graphs,
                   size_t n_graphs,
                   struct str *out)
{
    const struct html html = {.graphs = graphs, .n_graphs = n_graphs, .out = out};

    nodes_html(&html, document->first);
}
