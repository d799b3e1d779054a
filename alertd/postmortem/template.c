/*
 * From template text to a tree of tags. See template.h; template_render.c prints it.
 *
 *     text --next_piece()--> words, tags --parse_body()--> nodes, sections with children
 *
 * Partials are read where they are named, as children, so that a tree knows its whole
 * depth and one that names itself ends at TEMPLATE_DEPTH_MAX.
 */

#include "alertd/postmortem/template.h"

#include <string.h>

#include "alertd/postmortem/template_tree.h"

struct reader {
    struct arena *arena;
    const struct template_set *set;
    const char *file; /* its name */
    const char *at;
    unsigned line;
    const char *line_start;
    int depth;
    struct err *reterr;
};

/* One tag as it stands in the text. */
struct tag {
    char sign; /* '#', '^', '/', '&', '!', '>' or 0 for a plain name */
    const char *name;
    size_t len;
    unsigned line, column;
    const char *from, *to; /* of the text it takes, its whole line when it stands alone */
};

const struct template_file *template_find(const struct template_set *set, const char *name)
{
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->files[i].name, name) == 0)
            return &set->files[i];
    return NULL;
}

void template_title(const struct template_file *file, struct str *ret_title)
{
    static const char opening[] = "{{! title:";
    const char *found = strstr(file->text, opening);
    const char *end = found ? strstr(found, "}}") : NULL;

    if (!end) {
        const char *dot = strrchr(file->name, '.');

        str_addn(ret_title, file->name, dot ? (size_t)(dot - file->name) : strlen(file->name));
        return;
    }
    found += sizeof(opening) - 1;
    while (*found == ' ')
        found++;
    while (end > found && end[-1] == ' ')
        end--;
    str_addn(ret_title, found, (size_t)(end - found));
}

static int fail(const struct reader *reader, const struct tag *tag, int code, const char *what)
{
    int r = err_at(reader->reterr, code, tag->line, tag->column, "%s: {{%.*s%.*s}}", what,
                   tag->sign ? 1 : 0, &tag->sign, (int)(tag->len > 60 ? 60 : tag->len), tag->name);

    return reader->file[0] == '_' ? err_prefix(reader->reterr, r, "%s", reader->file) : r;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Moves on, counting lines, so that positions are right. */
static void advance(struct reader *reader, const char *to)
{
    for (; reader->at < to; reader->at++)
        if (*reader->at == '\n') {
            reader->line++;
            reader->line_start = reader->at + 1;
        }
}

/* A tag that prints nothing, alone on its line(s), takes the line with it. */
static void widen_to_line(const struct reader *reader, struct tag *tag)
{
    const char *from = tag->from;
    const char *to = tag->to;

    if (tag->sign == 0 || tag->sign == '&')
        return;
    while (from > reader->line_start && is_blank(from[-1]))
        from--;
    while (is_blank(*to))
        to++;
    if (from != reader->line_start || (*to && *to != '\n'))
        return;
    tag->from = from;
    tag->to = *to ? to + 1 : to;
}

/* Reads the tag whose braces open at reader->at. */
static int read_tag(struct reader *reader, struct tag *ret_tag)
{
    struct tag tag = {
        .line = reader->line,
        .column = (unsigned)(reader->at - reader->line_start) + 1,
        .from = reader->at,
    };
    const char *inside = reader->at + 2;
    const char *end = strstr(inside, "}}");

    if (!end) {
        tag.name = "";
        return fail(reader, &tag, TEMPLATE_E_SYNTAX, "a tag without its closing braces");
    }
    if (strchr("#^/&!>={", *inside))
        tag.sign = *inside++;
    while (inside < end && (is_blank(*inside) || *inside == '\n'))
        inside++;
    tag.name = inside;
    tag.to = end + 2;
    while (end > inside && (is_blank(end[-1]) || end[-1] == '\n'))
        end--;
    tag.len = (size_t)(end - inside);
    if (tag.sign == '{')
        return fail(reader, &tag, TEMPLATE_E_SYNTAX, "write {{&name}} for Markdown; three braces");
    if (tag.sign == '=')
        return fail(reader, &tag, TEMPLATE_E_SYNTAX, "delimiters can not be changed");
    widen_to_line(reader, &tag);
    *ret_tag = tag;
    return 0;
}

static bool name_is_fine(const char *name, size_t len)
{
    bool at_start = true;

    if (len == 1 && *name == '.')
        return true;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

        if (c == '.' ? at_start : !(letter || (!at_start && c >= '0' && c <= '9')))
            return false;
        at_start = c == '.';
    }
    return len > 0 && !at_start;
}

static int add_node(struct reader *reader,
                    const struct tag *tag,
                    enum node_kind kind,
                    struct node ***tail)
{
    struct node *node = arena_alloc(reader->arena, sizeof(*node));

    if (!node)
        return fail(reader, tag, TEMPLATE_E_LIMIT, "the template is too large");
    *node = (struct node){
        .kind = kind,
        .file = reader->file,
        .text = tag->name,
        .len = tag->len,
        .line = tag->line,
        .column = tag->column,
    };
    **tail = node;
    *tail = &node->next;
    return 0;
}

static int parse_body(struct reader *reader, const struct tag *open, struct node **ret_first);

static int parse_section(struct reader *reader, const struct tag *tag, struct node ***tail)
{
    struct node **slot = *tail;
    int r = add_node(reader, tag, tag->sign == '#' ? NODE_SECTION : NODE_INVERTED, tail);

    if (r)
        return r;
    if (++reader->depth > TEMPLATE_DEPTH_MAX)
        return fail(reader, tag, TEMPLATE_E_LIMIT, "nested too deeply");
    r = parse_body(reader, tag, &(*slot)->first);
    reader->depth--;
    return r;
}

static int parse_partial(struct reader *reader, const struct tag *tag, struct node ***tail)
{
    STR_AUTO struct str name = STR_INIT(100);

    str_addf(&name, "_%.*s.md", (int)(tag->len > 80 ? 80 : tag->len), tag->name);
    const struct template_file *file = template_find(reader->set, str_text(&name));

    if (!file)
        return fail(reader, tag, TEMPLATE_E_NAME, "there is no such partial");
    struct node **slot = *tail;
    int r = add_node(reader, tag, NODE_PARTIAL, tail);

    if (r)
        return r;
    if (reader->depth + 1 > TEMPLATE_DEPTH_MAX)
        return fail(reader, tag, TEMPLATE_E_LIMIT, "nested too deeply (does it name itself?)");
    struct reader inner = *reader;

    inner.file = file->name;
    inner.at = inner.line_start = file->text;
    inner.line = 1;
    inner.depth++;
    return parse_body(&inner, NULL, &(*slot)->first);
}

/* `{{! ask words }}` is the one comment that leaves something. */
static int parse_comment(struct reader *reader, const struct tag *tag, struct node ***tail)
{
    struct tag ask = *tag;

    if (tag->len < 5 || strncmp(tag->name, "ask ", 4) != 0)
        return 0;
    ask.name += 4;
    ask.len -= 4;
    return add_node(reader, &ask, NODE_ASK, tail);
}

static int parse_tag(struct reader *reader, const struct tag *tag, struct node ***tail)
{
    if (tag->sign == '!')
        return parse_comment(reader, tag, tail);
    if (!name_is_fine(tag->name, tag->len))
        return fail(reader, tag, TEMPLATE_E_SYNTAX, "not a name");
    if (tag->sign == '#' || tag->sign == '^')
        return parse_section(reader, tag, tail);
    if (tag->sign == '>')
        return parse_partial(reader, tag, tail);
    return add_node(reader, tag, tag->sign == '&' ? NODE_RAW : NODE_NAME, tail);
}

static int add_words(struct reader *reader, const char *from, const char *to, struct node ***tail)
{
    struct tag words = {.name = from, .len = (size_t)(to - from), .line = reader->line};

    return words.len ? add_node(reader, &words, NODE_WORDS, tail) : 0;
}

/* Until the end of the text, or the end of the section that `open` opened. */
static int parse_body(struct reader *reader, const struct tag *open, struct node **ret_first)
{
    struct node **tail = ret_first;

    for (;;) {
        const char *words = reader->at;
        const char *braces = strstr(words, "{{");
        struct tag tag = {0};

        if (!braces) {
            if (open)
                return fail(reader, open, TEMPLATE_E_SYNTAX, "this section is never closed");
            return add_words(reader, words, words + strlen(words), &tail);
        }
        advance(reader, braces);
        int r = read_tag(reader, &tag);
        if (!r)
            r = add_words(reader, words, tag.from, &tail);
        if (r)
            return r;
        advance(reader, tag.to);
        if (tag.sign == '/') {
            if (!open || open->len != tag.len || strncmp(open->name, tag.name, tag.len) != 0)
                return fail(reader, &tag, TEMPLATE_E_SYNTAX, "this closes no open section");
            return 0;
        }
        r = parse_tag(reader, &tag, &tail);
        if (r)
            return r;
    }
}

int template_parse_part(struct arena *arena,
                        const struct template_set *set,
                        const struct template_part *part,
                        struct template **ret_template,
                        struct err *reterr)
{
    struct template *template = arena_alloc(arena, sizeof(*template));
    struct reader reader = {
        .arena = arena,
        .set = set,
        .file = part->file,
        .at = part->text,
        .line = part->line,
        .line_start = part->text,
        .reterr = reterr,
    };

    if (!template || strnlen(part->text, TEMPLATE_TEXT_MAX + 1) > TEMPLATE_TEXT_MAX)
        return err_set(reterr, TEMPLATE_E_LIMIT, "%s is too large", part->file);
    int r = parse_body(&reader, NULL, &template->first);
    if (r)
        return r;
    *ret_template = template;
    return 0;
}

int template_parse(struct arena *arena,
                   const struct template_set *set,
                   const struct template_file *file,
                   struct template **ret_template,
                   struct err *reterr)
{
    const struct template_part whole = {file->name, file->text, 1};

    return template_parse_part(arena, set, &whole, ret_template, reterr);
}
