#pragma once

/*
 * Markdown that people wrote, to a tree, and the tree to JSON or HTML: md4c's one home.
 *
 *   text --markdown_parse()--> struct markdown --markdown_json()--> preview in the page
 *                                              --markdown_html()--> the exported file
 *
 * CommonMark with tables, task lists and bare http links; no raw HTML. Whoever may write
 * a note may write here, so nothing of the input is trusted:
 *
 *  (1) A link's target is http, https, mailto, a path or a fragment; anything else (other
 *      schemes, `//host`, control characters, entities, more than 2,048 bytes) leaves its
 *      words without a link.
 *  (2) No image is loaded from anywhere. `![title](graph:12)` alone in its paragraph is
 *      a stored graph; every other image becomes its words.
 *  (3) The tree is bounded by the caller's arena and is at most MARKDOWN_DEPTH_MAX deep;
 *      what is nested deeper is kept, flat. (28 kB of reference links can grow to 40 MB.)
 *  (4) HTML has no attribute from the input but href, and it is escaped.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/json/write.h"

enum {
    MARKDOWN_E_LIMIT = 1, /* the text, or what it grows to, is too large */
    MARKDOWN_DEPTH_MAX = 32,
    MARKDOWN_TEXT_MAX = 1024 * 1024,
    MARKDOWN_TREE_MAX = 24 * 1024 * 1024, /* a good limit for the arena */
};

enum markdown_kind {
    MARKDOWN_DOCUMENT,
    MARKDOWN_HEADING, /* number: level */
    MARKDOWN_PARAGRAPH,
    MARKDOWN_LIST, /* is_ordered, number: first number */
    MARKDOWN_ITEM,
    MARKDOWN_TASK, /* first child of an item: is_done */
    MARKDOWN_TABLE,
    MARKDOWN_ROW,
    MARKDOWN_CELL, /* is_header, align */
    MARKDOWN_CODE, /* is_block, text, language */
    MARKDOWN_QUOTE,
    MARKDOWN_RULE,
    MARKDOWN_TEXT, /* text */
    MARKDOWN_STRONG,
    MARKDOWN_EM,
    MARKDOWN_LINK,  /* href */
    MARKDOWN_GRAPH, /* number: id, text: title; only as a block */
    MARKDOWN_BREAK,
};

enum markdown_align {
    MARKDOWN_ALIGN_NONE,
    MARKDOWN_ALIGN_LEFT,
    MARKDOWN_ALIGN_CENTER,
    MARKDOWN_ALIGN_RIGHT,
};

struct markdown {
    enum markdown_kind kind;
    enum markdown_align align;
    bool is_ordered, is_header, is_block, is_done;
    int64_t number;
    const char *text;
    const char *href;
    const char *language;
    struct markdown *first, *last; /* children */
    struct markdown *next;         /* sibling */
};

int markdown_parse(struct arena *arena,
                   const char *source,
                   size_t len,
                   struct markdown **ret_document,
                   struct err *reterr);

/* The children of the document as an array of NODE (docs/api.md). */
void markdown_json(const struct markdown *document, struct json_out *out);

/* What stands where a graph is named. */
struct markdown_graph {
    int64_t id;
    const char *svg;     /* our own drawing, put in as it is */
    const char *caption; /* plain text */
    const char *table;   /* its numbers, our own HTML; NULL: none */
};

/* The document's body. A graph that is not among `graphs` becomes a sentence that says
 * so. Ends early when out is full: ask out->full. */
void markdown_html(const struct markdown *document,
                   const struct markdown_graph *graphs,
                   size_t n_graphs,
                   struct str *out);

/* Escapes for HTML text and quoted attributes. */
void markdown_escape_html(const char *text, struct str *out);

/* (1) above, for a target of len bytes. */
bool markdown_href_is_safe(const char *href, size_t len);

/* Tables as people paste them: delimiter rows with one or two dashes, tables right
 * behind a paragraph. Both are tables elsewhere and not to md4c; makes them so. */
void markdown_mend_tables(const char *text, size_t len, struct str *out);
