/*
 * From a template's tree and the facts to Markdown. See template.h.
 *
 * A name is looked up from the innermost section outwards; only its first part: after
 * that it must lead on, so that `alerts.naem` never finds another group's `naem`.
 */

#include <assert.h>
#include <string.h>

#include "alertd/postmortem/template.h"
#include "alertd/postmortem/template_tree.h"

enum {
    FRAMES_MAX = TEMPLATE_DEPTH_MAX + 1
};

struct printer {
    const struct fact *frames[FRAMES_MAX]; /* innermost last */
    int n;
    bool check; /* walk both sides of everything, print nothing */
    struct str *out;
    struct str *asks; /* where prompts go: out, unless they are wanted apart */
    struct err *reterr;
};

static int fail(const struct printer *printer, const struct node *node, int code, const char *words)
{
    int r = err_at(printer->reterr, code, node->line, node->column, "%s", words);

    return node->file[0] == '_' ? err_prefix(printer->reterr, r, "%s", node->file) : r;
}

static void list_members(const struct fact *group, struct str *words)
{
    const char *comma = "";

    for (const struct fact *member = group->first; member; member = member->next) {
        str_addf(words, "%s%s", comma, member->name);
        comma = ", ";
    }
}

static int fail_unknown(const struct printer *printer,
                        const struct node *node,
                        const struct fact *within,
                        const char *part)
{
    STR_AUTO struct str words = STR_INIT(ERR_TEXT_MAX);

    str_addf(&words, "unknown name \"%.*s\"", (int)node->len, node->text);
    if (within && within->type != FACT_GROUP) {
        str_addf(&words, ": \"%.*s\" has no members", (int)(part - node->text - 1), node->text);
    } else if (within) {
        str_addf(&words, "; %.*s has: ", (int)(part - node->text - 1), node->text);
        list_members(within, &words);
    } else {
        str_add(&words, "; at hand here: ");
        list_members(printer->frames[printer->n - 1], &words);
        if (printer->n > 1)
            str_add(&words, ", and what stands outside this section");
    }
    return fail(printer, node, TEMPLATE_E_NAME, str_text(&words));
}

static const struct fact *find_outwards(const struct printer *printer, const char *name, size_t len)
{
    for (int i = printer->n; i-- > 0;) {
        const struct fact *found = fact_member(printer->frames[i], name, len);

        if (found)
            return found;
    }
    return NULL;
}

static int look_up(const struct printer *printer,
                   const struct node *node,
                   const struct fact **ret_fact)
{
    const char *part = node->text;
    const char *end = node->text + node->len;
    const struct fact *fact = NULL;

    if (node->len == 1 && *part == '.') {
        *ret_fact = printer->frames[printer->n - 1];
        return 0;
    }
    for (;;) {
        const char *dot = memchr(part, '.', (size_t)(end - part));
        size_t len = (size_t)((dot ? dot : end) - part);
        const struct fact *inner = fact ? fact_member(fact, part, len)
                                        : find_outwards(printer, part, len);

        if (!inner)
            return fail_unknown(printer, node, fact, part);
        fact = inner;
        if (!dot)
            break;
        part = dot + 1;
    }
    *ret_fact = fact;
    return 0;
}

static bool is_sign(char c)
{
    return c && strchr("\\`*[]<|~&", c);
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (unsigned char)c >= 0x80;
}

/* Does text begin as a heading, list item, rule or setext underline would? */
static size_t digits_of_list_item(const char *text)
{
    size_t n = strspn(text, "0123456789");

    return n && (text[n] == '.' || text[n] == ')') && (text[n + 1] == ' ' || !text[n + 1]) ? n : 0;
}

/* "- x", "---", "## x", "=", "> x"; not "-3". */
static bool opens_block(const char *text)
{
    char next = text[1];

    if (text[0] == '>')
        return true;
    return strchr("#+-=", text[0]) && (next == ' ' || next == '\0' || next == text[0]);
}

void template_escape(const char *text, struct str *out)
{
    char before = '\0';

    text += strspn(text, " \t\r\n");
    size_t item = digits_of_list_item(text);
    size_t len = strlen(text);

    while (len && strchr(" \t\r\n", text[len - 1]))
        len--;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool opens = i == 0 && opens_block(text);
        bool emphasis = c == '_' && !(is_word(before) && is_word(text[i + 1]));

        if ((unsigned char)c < 32 || c == 127)
            c = ' ';
        if (c == ' ' && before == ' ')
            continue;
        if (is_sign(c) || opens || emphasis || (item && i == item))
            str_addc(out, '\\');
        str_addc(out, c);
        before = c;
    }
}

static int print_name(struct printer *printer, const struct node *node)
{
    const struct fact *fact = NULL;
    int r = look_up(printer, node, &fact);

    if (r)
        return r;
    assert(fact); /* found, or r said so */
    switch (fact->type) {
    case FACT_TEXT:
    case FACT_MARKDOWN: template_escape(fact->text, printer->out); return 0;
    case FACT_BOOL: str_add(printer->out, fact->truth ? "yes" : "no"); return 0;
    case FACT_NUMBER: str_addf(printer->out, "%lld", (long long)fact->number); return 0;
    case FACT_GROUP:
    case FACT_LIST: break;
    }
    STR_AUTO struct str words = STR_INIT(ERR_TEXT_MAX);

    str_addf(&words, "\"%.*s\" is a %s and can not be printed", (int)node->len, node->text,
             fact->type == FACT_LIST ? "list" : "group");
    if (fact->type == FACT_GROUP) {
        str_add(&words, "; it has: ");
        list_members(fact, &words);
    }
    return fail(printer, node, TEMPLATE_E_NAME, str_text(&words));
}

static int print_raw(struct printer *printer, const struct node *node)
{
    const struct fact *fact = NULL;
    int r = look_up(printer, node, &fact);

    if (r)
        return r;
    assert(fact); /* found, or r said so */
    if (fact->type != FACT_MARKDOWN) {
        STR_AUTO struct str words = STR_INIT(ERR_TEXT_MAX);

        str_addf(&words, "\"%.*s\" is not Markdown: write {{%.*s}}", (int)node->len, node->text,
                 (int)node->len, node->text);
        return fail(printer, node, TEMPLATE_E_NAME, str_text(&words));
    }
    str_add(printer->out, fact->text);
    return 0;
}

static int print_nodes(struct printer *printer, const struct node *nodes);

static int print_inside(struct printer *printer, const struct node *node, const struct fact *frame)
{
    assert(printer->n < FRAMES_MAX);
    printer->frames[printer->n++] = frame;
    int r = print_nodes(printer, node->first);
    printer->n--;
    return r;
}

static int print_section(struct printer *printer, const struct node *node)
{
    const struct fact *fact = NULL;
    int r = look_up(printer, node, &fact);

    if (r)
        return r;
    assert(fact); /* found, or r said so */
    if (node->kind == NODE_INVERTED) {
        bool shown = printer->check || !fact_is_true(fact);

        return shown ? print_nodes(printer, node->first) : 0;
    }
    if (fact->type != FACT_LIST) {
        bool shown = printer->check || fact_is_true(fact);

        return shown ? print_inside(printer, node, fact) : 0;
    }
    for (const struct fact *item = fact->first; item; item = item->next) {
        r = print_inside(printer, node, item);
        if (r)
            return r;
    }
    return 0;
}

/* The words may run over lines in the template; a prompt is one line. */
static void print_ask(struct printer *printer, const struct node *node)
{
    if (printer->asks != printer->out && printer->asks->len)
        str_addc(printer->asks, '\n'); /* a paragraph each */
    str_add(printer->asks, TEMPLATE_PROMPT " ");
    for (size_t i = 0; i < node->len; i++)
        str_addc(printer->asks, node->text[i] == '\n' ? ' ' : node->text[i]);
    str_addc(printer->asks, '\n');
}

static int print_node(struct printer *printer, const struct node *node)
{
    switch (node->kind) {
    case NODE_WORDS: str_addn(printer->out, node->text, node->len); return 0;
    case NODE_NAME: return print_name(printer, node);
    case NODE_RAW: return print_raw(printer, node);
    case NODE_SECTION:
    case NODE_INVERTED: return print_section(printer, node);
    case NODE_PARTIAL: return print_nodes(printer, node->first);
    case NODE_ASK: print_ask(printer, node); return 0;
    }
    return 0;
}

static int print_nodes(struct printer *printer, const struct node *nodes)
{
    for (const struct node *node = nodes; node; node = node->next) {
        int r = print_node(printer, node);

        if (r)
            return r;
        if (printer->out->full && !printer->check)
            return fail(printer, node, TEMPLATE_E_LIMIT, "the document becomes too large");
    }
    return 0;
}

int template_render(const struct template *template,
                    const struct fact *root,
                    struct str *out,
                    struct err *reterr)
{
    return template_render_apart(template, root, out, out, reterr);
}

int template_render_apart(const struct template *template,
                          const struct fact *root,
                          struct str *out,
                          struct str *asks,
                          struct err *reterr)
{
    struct printer printer = {.frames = {root}, .n = 1, .out = out, .asks = asks, .reterr = reterr};

    return print_nodes(&printer, template->first);
}

int template_check(const struct template *template, const struct fact *example, struct err *reterr)
{
    struct str nothing = STR_INIT(0);
    struct printer printer = {.frames = {example},
                              .n = 1,
                              .check = true,
                              .out = &nothing,
                              .asks = &nothing,
                              .reterr = reterr};

    return print_nodes(&printer, template->first);
}
