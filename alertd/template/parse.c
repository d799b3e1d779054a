/*
 * The tree of a template: lists of text and actions, and the blocks that hold lists.
 * See engine.h for its shape.
 */

#include <string.h>

#include "alertd/template/parser.h"

/* How a list ended. */
enum ending {
    ENDING_TEXT, /* of the template */
    ENDING_END,  /* {{end}} */
    ENDING_ELSE, /* {{else}}, the next token is what follows the word */
};

static int parse_list(struct tmpl_parser *parser, struct node **ret_list, enum ending *ret_ending);

/* The action's }} must come now. */
static int parse_close(struct tmpl_parser *parser)
{
    if (parser->token.kind != TOKEN_CLOSE)
        return tmpl_pipe_fail(parser, "}} expected");
    parser->trim_next = parser->token.trims;
    return 0;
}

/* NULL when the arena is spent. */
static struct node *new_node(struct tmpl_parser *parser, enum node_kind kind)
{
    struct node *node = arena_alloc(parser->lexer.arena, sizeof(*node));

    if (node) {
        node->kind = kind;
        node->offset = tmpl_pipe_offset(parser, parser->token.at);
    }
    return node;
}

static int parse_block(struct tmpl_parser *parser, enum node_kind kind, struct node **ret_node);

/* Behind {{else: either }} and a list, or the word of another block that takes its place. */
static int parse_else(struct tmpl_parser *parser, enum node_kind kind, struct node *node)
{
    enum ending ending;

    if (tmpl_pipe_is_word(parser, "if") && kind == NODE_IF)
        return parse_block(parser, NODE_IF, &node->else_list);
    if (tmpl_pipe_is_word(parser, "with") && kind == NODE_WITH)
        return parse_block(parser, NODE_WITH, &node->else_list);
    int r = parse_close(parser);
    if (!r)
        r = parse_list(parser, &node->else_list, &ending);
    if (!r && ending != ENDING_END)
        return tmpl_fail_at(&parser->lexer, parser->opening, "%s",
                            ending == ENDING_ELSE ? "a second {{else}}" : "{{end}} is missing");
    return r;
}

/* if, with, range: the word is the current token. */
static int parse_block(struct tmpl_parser *parser, enum node_kind kind, struct node **ret_node)
{
    size_t outer = parser->n_variables;
    struct node *node = new_node(parser, kind);
    struct pipe *pipe = NULL;
    enum ending ending;
    int r;

    if (!node)
        return tmpl_pipe_fail_memory(parser);
    if (++parser->depth > TMPL_DEPTH_MAX)
        return tmpl_pipe_fail(parser, "nested too deeply");
    parser->n_ranges += kind == NODE_RANGE;
    r = tmpl_pipe_next(parser);
    if (!r)
        r = tmpl_pipe_parse(parser, true, &pipe);
    if (!r && pipe->n_vars == 2 && kind != NODE_RANGE)
        r = tmpl_pipe_fail(parser, "two variables belong to range only");
    if (!r)
        r = parse_close(parser);
    if (!r)
        r = parse_list(parser, &node->list, &ending);
    if (r)
        return r;
    node->pipe = pipe;
    parser->n_ranges -= kind == NODE_RANGE;
    if (ending == ENDING_ELSE)
        r = parse_else(parser, kind, node);
    else if (ending == ENDING_TEXT)
        r = tmpl_fail_at(&parser->lexer, parser->lexer.text + node->offset,
                         "{{end}} is missing for this");
    parser->n_variables = outer;
    parser->depth--;
    *ret_node = node;
    return r;
}

static int parse_name(struct tmpl_parser *parser, const char **ret_name)
{
    int r = tmpl_pipe_next(parser);

    if (r)
        return r;
    if (parser->token.kind != TOKEN_CONSTANT || parser->token.constant.kind != VALUE_TEXT)
        return tmpl_pipe_fail(parser, "a quoted name expected");
    *ret_name = parser->token.constant.text;
    return tmpl_pipe_next(parser);
}

/* As Go: a name has one body, blank ones aside. */
static int add_definition(struct tmpl_parser *parser, struct definition *definition, const char *at)
{
    for (const struct definition *other = parser->template->definitions; other; other = other->next)
        if (strcmp(other->name, definition->name) == 0 && !tmpl_is_blank(other->list)) {
            if (tmpl_is_blank(definition->list))
                return 0;
            return tmpl_fail_at(&parser->lexer, at, "template \"%.60s\" is defined twice",
                                definition->name);
        }
    definition->source.text = parser->lexer.text;
    definition->next = parser->template->definitions;
    parser->template->definitions = definition;
    return 0;
}

/* The list up to {{end}}, which knows no variable from outside but its own dot. */
static int parse_body(struct tmpl_parser *parser, struct definition *definition)
{
    struct tmpl_parser outer = *parser;
    const char *at = parser->opening;
    enum ending ending = ENDING_TEXT;

    parser->n_variables = 0;
    parser->n_ranges = 0;
    parser->depth++;
    int r = tmpl_pipe_declare(parser, "$");
    if (!r)
        r = parse_list(parser, &definition->list, &ending);
    if (r)
        return r;
    if (ending != ENDING_END)
        return tmpl_pipe_fail(parser, "{{end}} is missing for define or block");
    parser->depth--;
    memcpy(parser->variables, outer.variables, sizeof(outer.variables));
    parser->n_variables = outer.n_variables;
    parser->n_ranges = outer.n_ranges;
    return add_definition(parser, definition, at);
}

static int parse_define(struct tmpl_parser *parser)
{
    struct definition *definition = arena_alloc(parser->lexer.arena, sizeof(*definition));

    if (!definition)
        return tmpl_pipe_fail_memory(parser);
    if (parser->depth > 0)
        return tmpl_pipe_fail(parser, "define stands at the top only");
    int r = parse_name(parser, &definition->name);
    if (!r)
        r = parse_close(parser);
    return r ? r : parse_body(parser, definition);
}

/* {{block "name" dot}}...{{end}}: define and template in one. */
static int parse_block_template(struct tmpl_parser *parser, struct node **ret_node)
{
    struct definition *definition = arena_alloc(parser->lexer.arena, sizeof(*definition));
    struct node *node = new_node(parser, NODE_TEMPLATE);
    struct pipe *pipe = NULL;

    if (!node || !definition)
        return tmpl_pipe_fail_memory(parser);
    if (parser->depth >= TMPL_DEPTH_MAX)
        return tmpl_pipe_fail(parser, "nested too deeply");
    int r = parse_name(parser, &definition->name);
    if (!r)
        r = tmpl_pipe_parse(parser, false, &pipe);
    if (!r)
        r = parse_close(parser);
    if (!r)
        r = parse_body(parser, definition);
    node->text = definition->name;
    node->pipe = pipe;
    *ret_node = node;
    return r;
}

static int parse_template(struct tmpl_parser *parser, struct node **ret_node)
{
    struct node *node = new_node(parser, NODE_TEMPLATE);
    struct pipe *pipe = NULL;

    if (!node)
        return tmpl_pipe_fail_memory(parser);
    int r = parse_name(parser, &node->text);
    if (!r && parser->token.kind != TOKEN_CLOSE) {
        r = tmpl_pipe_parse(parser, false, &pipe);
        if (!r)
            node->pipe = pipe;
    }
    *ret_node = node;
    return r ? r : parse_close(parser);
}

static int parse_jump(struct tmpl_parser *parser, enum node_kind kind, struct node **ret_node)
{
    *ret_node = new_node(parser, kind);
    if (!*ret_node)
        return tmpl_pipe_fail_memory(parser);
    if (parser->n_ranges == 0)
        return tmpl_pipe_fail(parser, "break and continue belong inside range");
    int r = tmpl_pipe_next(parser);
    return r ? r : parse_close(parser);
}

static int parse_plain_action(struct tmpl_parser *parser, struct node **ret_node)
{
    struct node *node = new_node(parser, NODE_ACTION);
    struct pipe *pipe = NULL;

    if (!node)
        return tmpl_pipe_fail_memory(parser);
    int r = tmpl_pipe_parse(parser, true, &pipe);
    if (!r && pipe->n_vars == 2)
        r = tmpl_pipe_fail(parser, "two variables belong to range only");
    if (r)
        return r;
    node->pipe = pipe;
    *ret_node = node;
    return parse_close(parser);
}

/* One {{...}} behind its opening. *ret_node stays NULL for what leaves none. */
static int parse_action(struct tmpl_parser *parser, struct node **ret_node, enum ending *ret_ending)
{
    int r = tmpl_pipe_next(parser);

    if (r)
        return r;
    if (tmpl_pipe_is_word(parser, "end")) {
        *ret_ending = ENDING_END;
        r = tmpl_pipe_next(parser);
        return r ? r : parse_close(parser);
    }
    if (tmpl_pipe_is_word(parser, "else")) {
        *ret_ending = ENDING_ELSE;
        return tmpl_pipe_next(parser);
    }
    if (tmpl_pipe_is_word(parser, "if"))
        return parse_block(parser, NODE_IF, ret_node);
    if (tmpl_pipe_is_word(parser, "with"))
        return parse_block(parser, NODE_WITH, ret_node);
    if (tmpl_pipe_is_word(parser, "range"))
        return parse_block(parser, NODE_RANGE, ret_node);
    if (tmpl_pipe_is_word(parser, "define"))
        return parse_define(parser);
    if (tmpl_pipe_is_word(parser, "template"))
        return parse_template(parser, ret_node);
    if (tmpl_pipe_is_word(parser, "break"))
        return parse_jump(parser, NODE_BREAK, ret_node);
    if (tmpl_pipe_is_word(parser, "continue"))
        return parse_jump(parser, NODE_CONTINUE, ret_node);
    if (tmpl_pipe_is_word(parser, "block"))
        return parse_block_template(parser, ret_node);
    return parse_plain_action(parser, ret_node);
}

static int add_text(struct tmpl_parser *parser, const char *end, struct node ***tail)
{
    const char *start = parser->lexer.at;

    while (parser->trim_next && start < end && tmpl_is_space(*start))
        start++;
    parser->trim_next = false;
    if (strncmp(end, "{{-", 3) == 0 && tmpl_is_space(end[3]))
        while (end > start && tmpl_is_space(end[-1]))
            end--;
    if (start == end)
        return 0;
    struct node *node = new_node(parser, NODE_TEXT);
    if (!node)
        return tmpl_pipe_fail_memory(parser);
    node->text = start;
    node->len = (size_t)(end - start);
    **tail = node;
    *tail = &node->next;
    return 0;
}

/* Over {{, {{- and a comment with its }}; true when it was a comment. */
static int skip_opening(struct tmpl_parser *parser, bool *ret_was_comment)
{
    struct tmpl_lexer *lexer = &parser->lexer;
    const char *opening = lexer->at;

    lexer->at += 2;
    if (lexer->at[0] == '-' && tmpl_is_space(lexer->at[1])) {
        lexer->at++;
        while (tmpl_is_space(*lexer->at))
            lexer->at++;
    }
    *ret_was_comment = strncmp(lexer->at, "/*", 2) == 0;
    if (!*ret_was_comment)
        return 0;
    const char *end = strstr(lexer->at + 2, "*/");
    if (!end)
        return tmpl_fail_at(lexer, opening, "unclosed comment");
    lexer->at = end + 2;
    int r = tmpl_pipe_next(parser);
    return r ? r : parse_close(parser);
}

static int parse_list(struct tmpl_parser *parser, struct node **ret_list, enum ending *ret_ending)
{
    struct node **tail = ret_list;
    enum ending ending = ENDING_TEXT;
    int r = 0;

    *ret_list = NULL;
    while (!r && ending == ENDING_TEXT) {
        const char *opening = strstr(parser->lexer.at, "{{");
        const char *end = opening ? opening : parser->lexer.at + strlen(parser->lexer.at);
        struct node *node = NULL;
        bool was_comment = false;

        parser->token = (struct tmpl_token){.at = parser->lexer.at};
        r = add_text(parser, end, &tail);
        parser->lexer.at = end;
        if (r || !opening)
            break;
        parser->token.at = parser->opening = opening;
        r = skip_opening(parser, &was_comment);
        if (!r && !was_comment)
            r = parse_action(parser, &node, &ending);
        if (!r && node) {
            *tail = node;
            tail = &node->next;
        }
    }
    *ret_ending = ending;
    return r;
}

int tmpl_parse(const struct tmpl_language *language,
               struct arena *arena,
               const char *text,
               struct tmpl **ret_template,
               struct err *reterr)
{
    struct tmpl_parser parser = {.lexer = {arena, text, text, reterr}, .language = language};
    enum ending ending = ENDING_TEXT;

    size_t text_max = language->text_max ? language->text_max : TMPL_TEXT_MAX;

    if (strlen(text) > text_max)
        return err_set(reterr, TMPL_E_SYNTAX, "template longer than %zu bytes", text_max);
    parser.template = arena_alloc(arena, sizeof(*parser.template));
    if (!parser.template)
        return tmpl_pipe_fail_memory(&parser);
    parser.template->language = language;
    parser.template->source.text = text;
    parser.variables[parser.n_variables++] = "$";
    for (const char *const *name = language->variables; *name; name++)
        parser.variables[parser.n_variables++] = *name;
    int r = parse_list(&parser, &parser.template->list, &ending);
    if (!r && ending != ENDING_TEXT)
        r = tmpl_fail_at(&parser.lexer, parser.opening, "{{%s}} without a beginning",
                         ending == ENDING_END ? "end" : "else");
    if (!r)
        *ret_template = parser.template;
    return r;
}

bool tmpl_is_plain(const struct tmpl *template)
{
    return !template->list || (template->list->kind == NODE_TEXT && !template->list->next);
}
