/*
 * From Markdown to a tree, through md4c's callbacks. See markdown.h.
 *
 * md4c says "enter", "text", "leave"; the builder keeps a stack of open nodes. Words
 * arrive in pieces (escapes, entities) and wait in `words` until something else comes.
 */

#include "alertd/postmortem/markdown.h"

#include <md4c.h>
#include <stdlib.h>
#include <string.h>

enum {
    HREF_MAX = 2048,
    LANGUAGE_MAX = 32,
    STOP = -1, /* ends the parse; md4c 0.4.8 goes on after a positive number */
};

struct builder {
    struct arena *arena;
    struct markdown *open[MARKDOWN_DEPTH_MAX + 1];
    unsigned n_open;
    unsigned too_deep;    /* entered beyond the stack and not left yet */
    unsigned in_image;    /* spans inside an image are only its words */
    int64_t graph_id;     /* of the open image; 0: not a graph */
    struct str words;     /* not yet a node */
    struct markdown flat; /* written, never read: stands in for what is too deep */
};

static struct markdown *top(struct builder *builder)
{
    return builder->open[builder->n_open - 1];
}

static struct markdown *add(struct builder *builder, enum markdown_kind kind)
{
    struct markdown *node = arena_alloc(builder->arena, sizeof(*node));
    struct markdown *parent = top(builder);

    if (!node)
        return NULL;
    node->kind = kind;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

static int flush_words(struct builder *builder)
{
    if (builder->words.full)
        return STOP;
    if (!builder->words.len || builder->in_image)
        return 0;
    struct markdown *parent = top(builder);
    char *text = arena_strndup(builder->arena, builder->words.text, builder->words.len);

    str_cut(&builder->words, 0);
    if (!text)
        return STOP;
    if (parent->kind == MARKDOWN_CODE) {
        parent->text = text;
        return 0;
    }
    struct markdown *node = add(builder, MARKDOWN_TEXT);

    if (!node)
        return STOP;
    node->text = text;
    return 0;
}

/* Opens a node; NULL when memory is spent. Beyond the depth the parent stands in. */
static struct markdown *push(struct builder *builder, enum markdown_kind kind)
{
    if (builder->n_open > MARKDOWN_DEPTH_MAX) {
        builder->too_deep++;
        return &builder->flat;
    }
    struct markdown *node = add(builder, kind);

    if (node)
        builder->open[builder->n_open++] = node;
    return node;
}

static void pop(struct builder *builder)
{
    if (builder->too_deep)
        builder->too_deep--;
    else
        builder->n_open--;
}

/* --- attributes --- */

static bool scheme_is_allowed(const char *href, size_t len)
{
    static const char *const allowed[] = {"http", "https", "mailto"};

    for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
        if (strlen(allowed[i]) == len && strncasecmp(href, allowed[i], len) == 0)
            return true;
    return false;
}

bool markdown_href_is_safe(const char *href, size_t len)
{
    size_t before_colon = 0;

    if (len > HREF_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)href[i] <= 32 || href[i] == 127 || href[i] == '\\')
            return false;
    if (len >= 2 && href[0] == '/' && href[1] == '/')
        return false;
    while (before_colon < len && !strchr(":/?#", href[before_colon]))
        before_colon++;
    if (before_colon == len || href[before_colon] != ':')
        return true;
    return scheme_is_allowed(href, before_colon);
}

/* The attribute's text, or false when it holds an entity other than &amp; or a NUL: what
 * a browser would decode must not differ from what was checked. */
static bool read_attribute(const MD_ATTRIBUTE *attribute, struct str *out)
{
    for (int i = 0; attribute->substr_offsets[i] < attribute->size; i++) {
        const char *part = attribute->text + attribute->substr_offsets[i];
        size_t len = attribute->substr_offsets[i + 1] - attribute->substr_offsets[i];

        switch (attribute->substr_types[i]) {
        case MD_TEXT_NORMAL: str_addn(out, part, len); break;
        case MD_TEXT_ENTITY:
            if (len != 5 || memcmp(part, "&amp;", 5) != 0)
                return false;
            str_addc(out, '&');
            break;
        default: return false;
        }
    }
    return !out->full;
}

/* *ret_href stays NULL when the target is not allowed. */
static int read_href(struct builder *builder, const MD_ATTRIBUTE *attribute, const char **ret_href)
{
    STR_AUTO struct str href = STR_INIT(HREF_MAX);

    if (!read_attribute(attribute, &href) || !markdown_href_is_safe(str_text(&href), href.len))
        return 0;
    *ret_href = arena_strndup(builder->arena, str_text(&href), href.len);
    return *ret_href ? 0 : STOP;
}

static const char *read_language(struct builder *builder, const MD_ATTRIBUTE *attribute)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+#._-";
    STR_AUTO struct str language = STR_INIT(LANGUAGE_MAX);

    if (!attribute->text || !read_attribute(attribute, &language) || !language.len ||
        strspn(language.text, letters) != language.len)
        return NULL;
    return arena_strndup(builder->arena, language.text, language.len);
}

/* The 12 of "graph:12", 0 for any other target. */
static int64_t read_graph_id(const MD_ATTRIBUTE *attribute)
{
    STR_AUTO struct str target = STR_INIT(40);

    if (!read_attribute(attribute, &target) || strncmp(str_text(&target), "graph:", 6) != 0)
        return 0;
    const char *digits = str_text(&target) + 6;
    size_t n = strspn(digits, "0123456789");

    return n && n <= 15 && digits[n] == '\0' ? strtoll(digits, NULL, 10) : 0;
}

/* --- blocks --- */

static int open_item(struct builder *builder, const MD_BLOCK_LI_DETAIL *detail)
{
    struct markdown *item = push(builder, MARKDOWN_ITEM);
    struct markdown *task = item && detail->is_task ? add(builder, MARKDOWN_TASK) : NULL;

    if (!item || (detail->is_task && !task))
        return STOP;
    if (task)
        task->is_done = detail->task_mark != ' ';
    return 0;
}

static int open_cell(struct builder *builder, bool is_header, const MD_BLOCK_TD_DETAIL *detail)
{
    struct markdown *cell = push(builder, MARKDOWN_CELL);

    if (!cell)
        return STOP;
    cell->is_header = is_header;
    switch (detail->align) {
    case MD_ALIGN_DEFAULT: break;
    case MD_ALIGN_LEFT: cell->align = MARKDOWN_ALIGN_LEFT; break;
    case MD_ALIGN_CENTER: cell->align = MARKDOWN_ALIGN_CENTER; break;
    case MD_ALIGN_RIGHT: cell->align = MARKDOWN_ALIGN_RIGHT; break;
    }
    return 0;
}

static int open_block(struct builder *builder, enum markdown_kind kind, int64_t number)
{
    struct markdown *node = push(builder, kind);

    if (!node)
        return STOP;
    node->number = number;
    return 0;
}

static int open_code_block(struct builder *builder, const MD_BLOCK_CODE_DETAIL *detail)
{
    struct markdown *code = push(builder, MARKDOWN_CODE);

    if (!code)
        return STOP;
    code->is_block = true;
    code->language = read_language(builder, &detail->lang);
    return 0;
}

static int open_ordered(struct builder *builder, const MD_BLOCK_OL_DETAIL *detail)
{
    struct markdown *list = push(builder, MARKDOWN_LIST);

    if (!list)
        return STOP;
    list->is_ordered = true;
    list->number = detail->start;
    return 0;
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *userdata)
{
    struct builder *builder = userdata;

    if (flush_words(builder))
        return STOP;
    switch (type) {
    case MD_BLOCK_DOC:
    case MD_BLOCK_THEAD:
    case MD_BLOCK_TBODY: return 0;
    case MD_BLOCK_QUOTE: return open_block(builder, MARKDOWN_QUOTE, 0);
    case MD_BLOCK_UL: return open_block(builder, MARKDOWN_LIST, 0);
    case MD_BLOCK_OL: return open_ordered(builder, detail);
    case MD_BLOCK_LI: return open_item(builder, detail);
    case MD_BLOCK_HR: return open_block(builder, MARKDOWN_RULE, 0);
    case MD_BLOCK_H:
        return open_block(builder, MARKDOWN_HEADING, ((MD_BLOCK_H_DETAIL *)detail)->level);
    case MD_BLOCK_CODE: return open_code_block(builder, detail);
    case MD_BLOCK_HTML: /* never: MD_FLAG_NOHTMLBLOCKS */
    case MD_BLOCK_P: return open_block(builder, MARKDOWN_PARAGRAPH, 0);
    case MD_BLOCK_TABLE: return open_block(builder, MARKDOWN_TABLE, 0);
    case MD_BLOCK_TR: return open_block(builder, MARKDOWN_ROW, 0);
    case MD_BLOCK_TH: return open_cell(builder, true, detail);
    case MD_BLOCK_TD: return open_cell(builder, false, detail);
    }
    return 0;
}

/* A graph alone in its paragraph becomes the block itself; among words, its title. */
static void settle_graphs(struct markdown *block)
{
    if (block->kind == MARKDOWN_PARAGRAPH && block->first && block->first == block->last &&
        block->first->kind == MARKDOWN_GRAPH) {
        struct markdown *next = block->next;

        *block = *block->first;
        block->next = next;
        return;
    }
    for (struct markdown *child = block->first; child; child = child->next)
        if (child->kind == MARKDOWN_GRAPH && block->kind != MARKDOWN_DOCUMENT &&
            block->kind != MARKDOWN_QUOTE && block->kind != MARKDOWN_ITEM)
            child->kind = MARKDOWN_TEXT;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *userdata)
{
    struct builder *builder = userdata;

    (void)detail;
    if (flush_words(builder))
        return STOP;
    if (type == MD_BLOCK_DOC || type == MD_BLOCK_THEAD || type == MD_BLOCK_TBODY)
        return 0;
    if (!builder->too_deep)
        settle_graphs(top(builder));
    pop(builder);
    return 0;
}

/* --- spans --- */

static int open_link(struct builder *builder, const MD_SPAN_A_DETAIL *detail)
{
    const char *href = NULL;

    if (read_href(builder, &detail->href, &href))
        return STOP;
    struct markdown *link = push(builder, href ? MARKDOWN_LINK : MARKDOWN_EM);

    if (!link)
        return STOP;
    link->href = href;
    return 0;
}

static int enter_span(MD_SPANTYPE type, void *detail, void *userdata)
{
    struct builder *builder = userdata;

    if (type == MD_SPAN_IMG && builder->in_image == 0) {
        if (flush_words(builder))
            return STOP;
        builder->graph_id = read_graph_id(&((MD_SPAN_IMG_DETAIL *)detail)->src);
    }
    if (builder->in_image || type == MD_SPAN_IMG) {
        builder->in_image++;
        return 0;
    }
    if (flush_words(builder))
        return STOP;
    if (type == MD_SPAN_A)
        return open_link(builder, detail);
    if (type == MD_SPAN_STRONG)
        return open_block(builder, MARKDOWN_STRONG, 0);
    return open_block(builder, type == MD_SPAN_CODE ? MARKDOWN_CODE : MARKDOWN_EM, 0);
}

/* The words inside ![...]: the title of a graph, or just words. */
static int close_image(struct builder *builder)
{
    int64_t id = builder->graph_id;

    if (--builder->in_image || !id)
        return 0;
    if (builder->words.full)
        return STOP;
    char *title = arena_strndup(builder->arena, str_text(&builder->words), builder->words.len);
    struct markdown *graph = title ? add(builder, MARKDOWN_GRAPH) : NULL;

    str_cut(&builder->words, 0);
    if (!graph)
        return STOP;
    graph->number = id;
    graph->text = title;
    return 0;
}

static int leave_span(MD_SPANTYPE type, void *detail, void *userdata)
{
    struct builder *builder = userdata;

    (void)detail;
    if (builder->in_image > 1) {
        builder->in_image--;
        return 0;
    }
    if (type == MD_SPAN_IMG)
        return close_image(builder);
    if (flush_words(builder))
        return STOP;
    if (!builder->too_deep)
        settle_graphs(top(builder));
    pop(builder);
    return 0;
}

/* --- words --- */

static void add_code_point(struct str *out, unsigned long code)
{
    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ||
        (code < 32 && code != '\n' && code != '\t'))
        code = 0xfffd;
    str_add_rune(out, (uint32_t)code);
}

/* Numeric ones and the few that people type; any other stays as it was written. */
static void add_entity(struct str *out, const char *entity, size_t len)
{
    static const struct {
        const char *name;
        unsigned long code;
    } known[] = {
        {"&amp;", '&'},       {"&lt;", '<'},      {"&gt;", '>'},       {"&quot;", '"'},
        {"&apos;", '\''},     {"&nbsp;", 0xa0},   {"&ndash;", 0x2013}, {"&mdash;", 0x2014},
        {"&hellip;", 0x2026}, {"&rarr;", 0x2192}, {"&times;", 0xd7},   {"&deg;", 0xb0},
        {"&micro;", 0xb5},    {"&copy;", 0xa9},
    };

    if (len > 3 && entity[1] == '#') {
        bool is_hex = entity[2] == 'x' || entity[2] == 'X';

        add_code_point(out, strtoul(entity + (is_hex ? 3 : 2), NULL, is_hex ? 16 : 10));
        return;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strlen(known[i].name) == len && memcmp(known[i].name, entity, len) == 0) {
            add_code_point(out, known[i].code);
            return;
        }
    str_addn(out, entity, len);
}

static int text(MD_TEXTTYPE type, const MD_CHAR *bytes, MD_SIZE size, void *userdata)
{
    struct builder *builder = userdata;

    switch (type) {
    case MD_TEXT_NULLCHAR: str_add(&builder->words, "\xef\xbf\xbd"); break;
    case MD_TEXT_SOFTBR: str_addc(&builder->words, builder->in_image ? ' ' : '\n'); break;
    case MD_TEXT_ENTITY: add_entity(&builder->words, bytes, size); break;
    case MD_TEXT_BR:
        if (builder->in_image) {
            str_addc(&builder->words, ' ');
            break;
        }
        return flush_words(builder) || !add(builder, MARKDOWN_BREAK) ? STOP : 0;
    case MD_TEXT_NORMAL:
    case MD_TEXT_CODE:
    case MD_TEXT_HTML:
    case MD_TEXT_LATEXMATH: str_addn(&builder->words, bytes, size); break;
    }
    return builder->words.full ? STOP : 0;
}

int markdown_parse(struct arena *arena,
                   const char *source,
                   size_t len,
                   struct markdown **ret_document,
                   struct err *reterr)
{
    static const MD_PARSER parser = {
        .flags = MD_FLAG_TABLES | MD_FLAG_TASKLISTS | MD_FLAG_NOHTML |
                 MD_FLAG_PERMISSIVEURLAUTOLINKS,
        .enter_block = enter_block,
        .leave_block = leave_block,
        .enter_span = enter_span,
        .leave_span = leave_span,
        .text = text,
    };
    STR_AUTO struct str mended = STR_INIT(2 * MARKDOWN_TEXT_MAX);
    struct builder builder = {.arena = arena, .words = STR_INIT(MARKDOWN_TEXT_MAX)};
    struct markdown *document = arena_alloc(arena, sizeof(*document));

    if (!document || len > MARKDOWN_TEXT_MAX)
        return err_set(reterr, MARKDOWN_E_LIMIT, "the document is too large (1 MiB at most)");
    markdown_mend_tables(source, len, &mended);
    document->kind = MARKDOWN_DOCUMENT;
    builder.open[builder.n_open++] = document;
    int r = md_parse(str_text(&mended), (MD_SIZE)mended.len, &parser, &builder);
    str_done(&builder.words);
    if (r || mended.full)
        return err_set(reterr, MARKDOWN_E_LIMIT,
                       "the document grows too large when it is read; "
                       "shorten it, or its link references");
    *ret_document = document;
    return 0;
}
