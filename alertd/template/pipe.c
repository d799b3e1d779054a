/*
 * What stands in one {{ }}: pipes of commands of operands. See engine.h.
 *
 * Variables are resolved here, as in Go: using one that no enclosing list declared is an
 * error when the rule is loaded, not a gap in a page at night.
 */

#include <string.h>

#include "alertd/template/parser.h"
#include "lib/base/bug.h"
#include "lib/base/near.h"

int tmpl_pipe_fail(struct tmpl_parser *parser, const char *words)
{
    return tmpl_fail_at(&parser->lexer, parser->token.at, "%s", words);
}

int tmpl_pipe_fail_memory(struct tmpl_parser *parser)
{
    return tmpl_fail_at(&parser->lexer, parser->lexer.at, "template too large");
}

int tmpl_pipe_next(struct tmpl_parser *parser)
{
    return tmpl_lex(&parser->lexer, &parser->token);
}

size_t tmpl_pipe_offset(const struct tmpl_parser *parser, const char *at)
{
    return (size_t)(at - parser->lexer.text);
}

bool tmpl_pipe_is_word(const struct tmpl_parser *parser, const char *word)
{
    return parser->token.kind == TOKEN_WORD && strcmp(parser->token.word, word) == 0;
}

/* A growing array in the arena: the old one stays behind, arrays here are short. */
static void *grown(struct tmpl_parser *parser, void *array, size_t *capacity, size_t n, size_t size)
{
    if (n < *capacity)
        return array;
    size_t more = *capacity ? *capacity * 2 : 4;
    void *larger = arena_array(parser->lexer.arena, more, size);
    if (larger && n)
        memcpy(larger, array, n * size);
    if (larger)
        *capacity = more;
    return larger;
}

static bool declared(const struct tmpl_parser *parser, const char *name)
{
    for (size_t i = 0; i < parser->n_variables; i++)
        if (strcmp(parser->variables[i], name) == 0)
            return true;
    return false;
}

int tmpl_pipe_declare(struct tmpl_parser *parser, const char *name)
{
    if (parser->n_variables == VARIABLES_MAX)
        return tmpl_pipe_fail(parser, "too many variables");
    parser->variables[parser->n_variables++] = name;
    return 0;
}

static int parse_word_operand(struct tmpl_parser *parser, struct operand *operand)
{
    const char *word = parser->token.word;

    if (strcmp(word, "nil") == 0) {
        operand->kind = OPERAND_CONSTANT;
        return 0;
    }
    operand->kind = OPERAND_FUNCTION;
    operand->fn = tmpl_fn_find(parser->language, word);
    if (operand->fn)
        return 0;
    const char *near = tmpl_fn_near(parser->language, word);
    return tmpl_fail_at(&parser->lexer, parser->token.at, "unknown function \"%.60s\"%s%s%s", word,
                        near ? ": did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static int parse_variable_operand(struct tmpl_parser *parser, struct operand *operand)
{
    operand->kind = OPERAND_VARIABLE;
    operand->name = parser->token.word;
    if (declared(parser, operand->name))
        return 0;
    const char *near = near_word(operand->name, parser->language->variables);
    return tmpl_fail_at(&parser->lexer, parser->token.at, "undefined variable \"%.60s\"%s%s%s",
                        operand->name, near ? ": did you mean \"" : "", near ? near : "",
                        near ? "\"?" : "");
}

static int parse_parens(struct tmpl_parser *parser, struct operand *operand)
{
    struct pipe *pipe = NULL;

    operand->kind = OPERAND_PIPE;
    int r = tmpl_pipe_next(parser);
    if (!r)
        r = tmpl_pipe_parse(parser, false, &pipe);
    if (r)
        return r;
    if (parser->token.kind != TOKEN_CLOSE_PAREN)
        return tmpl_pipe_fail(parser, ") expected");
    operand->pipe = pipe;
    return 0;
}

/* The operand's first token; leaves it current. */
static int parse_operand_head(struct tmpl_parser *parser, struct operand *operand)
{
    switch (parser->token.kind) {
    case TOKEN_WORD: return parse_word_operand(parser, operand);
    case TOKEN_VARIABLE: return parse_variable_operand(parser, operand);
    case TOKEN_OPEN_PAREN: return parse_parens(parser, operand);
    case TOKEN_DOT: operand->kind = OPERAND_DOT; return 0;
    case TOKEN_CONSTANT:
        operand->kind = OPERAND_CONSTANT;
        operand->constant = parser->token.constant;
        return 0;
    case TOKEN_FIELD:
    case TOKEN_CLOSE:
    case TOKEN_PIPE:
    case TOKEN_CLOSE_PAREN:
    case TOKEN_DECLARE:
    case TOKEN_ASSIGN:
    case TOKEN_COMMA: return tmpl_pipe_fail(parser, "a value expected here");
    }
    UNREACHABLE("token_kind out of range");
}

static int add_field(struct tmpl_parser *parser, struct operand *operand)
{
    operand->fields = grown(parser, operand->fields, &operand->fields_capacity, operand->n_fields,
                            sizeof(*operand->fields));
    if (!operand->fields)
        return tmpl_pipe_fail_memory(parser);
    operand->fields[operand->n_fields++] = parser->token.word;
    return tmpl_pipe_next(parser);
}

static int parse_operand(struct tmpl_parser *parser, struct operand **ret_operand)
{
    struct operand *operand = arena_alloc(parser->lexer.arena, sizeof(*operand));
    int r = 0;

    if (!operand)
        return tmpl_pipe_fail_memory(parser);
    operand->offset = tmpl_pipe_offset(parser, parser->token.at);
    if (parser->token.kind == TOKEN_FIELD) { /* .a is a field of the dot */
        operand->kind = OPERAND_DOT;
        r = add_field(parser, operand);
    } else {
        r = parse_operand_head(parser, operand);
        if (!r)
            r = tmpl_pipe_next(parser);
    }
    while (!r && parser->token.kind == TOKEN_FIELD && !parser->token.after_space) {
        if (operand->kind == OPERAND_CONSTANT || operand->kind == OPERAND_FUNCTION)
            return tmpl_pipe_fail(parser, "a field of this? Put it in parentheses");
        r = add_field(parser, operand);
    }
    *ret_operand = operand;
    return r;
}

static bool ends_command(const struct tmpl_parser *parser)
{
    enum token_kind kind = parser->token.kind;

    return kind == TOKEN_PIPE || kind == TOKEN_CLOSE || kind == TOKEN_CLOSE_PAREN;
}

static int parse_command(struct tmpl_parser *parser, struct pipe *pipe)
{
    struct command command = {0};
    int r = 0;

    if (ends_command(parser))
        return tmpl_pipe_fail(parser, "missing value for command");
    while (!r && !ends_command(parser)) {
        if (command.n > 0 && !parser->token.after_space)
            return tmpl_pipe_fail(parser, "a space expected between values");
        command.args = grown(parser, command.args, &command.capacity, command.n,
                             sizeof(*command.args));
        if (!command.args)
            return tmpl_pipe_fail_memory(parser);
        r = parse_operand(parser, &command.args[command.n]);
        command.n++;
    }
    if (r)
        return r;
    pipe->commands = grown(parser, pipe->commands, &pipe->capacity, pipe->n,
                           sizeof(*pipe->commands));
    if (!pipe->commands)
        return tmpl_pipe_fail_memory(parser);
    pipe->commands[pipe->n++] = command;
    return 0;
}

/* `$x :=`, `$i, $x :=`, `$x =` in front of a pipe. Where there is none the lexer is put
 * back. */
static int parse_variables(struct tmpl_parser *parser, struct pipe *pipe)
{
    struct tmpl_lexer back = parser->lexer;
    struct tmpl_token first = parser->token;
    int r = 0;

    while (!r && parser->token.kind == TOKEN_VARIABLE && pipe->n_vars < 2) {
        pipe->vars[pipe->n_vars++] = parser->token.word;
        r = tmpl_pipe_next(parser);
        if (!r && parser->token.kind == TOKEN_COMMA)
            r = tmpl_pipe_next(parser);
        else
            break;
    }
    if (r)
        return r;
    if (pipe->n_vars && parser->token.kind == TOKEN_DECLARE)
        return tmpl_pipe_next(parser);
    if (pipe->n_vars == 1 && parser->token.kind == TOKEN_ASSIGN) {
        pipe->assigns = true;
        if (!declared(parser, pipe->vars[0]))
            return tmpl_fail_at(&parser->lexer, first.at, "undefined variable \"%.60s\"",
                                pipe->vars[0]);
        return tmpl_pipe_next(parser);
    }
    parser->lexer = back;
    parser->token = first;
    pipe->n_vars = 0;
    return 0;
}

/* A constant or a lone dot can't be given what comes down the pipe. */
static bool takes_nothing(const struct command *command)
{
    const struct operand *head = command->args[0];

    return head->kind == OPERAND_CONSTANT || (head->kind == OPERAND_DOT && head->n_fields == 0);
}

int tmpl_pipe_parse(struct tmpl_parser *parser, bool declares, struct pipe **ret_pipe)
{
    struct pipe *pipe = arena_alloc(parser->lexer.arena, sizeof(*pipe));

    if (!pipe)
        return tmpl_pipe_fail_memory(parser);
    if (++parser->depth > TMPL_DEPTH_MAX)
        return tmpl_pipe_fail(parser, "nested too deeply");
    pipe->offset = tmpl_pipe_offset(parser, parser->token.at);
    int r = declares ? parse_variables(parser, pipe) : 0;
    while (!r) {
        const char *at = parser->token.at;

        r = parse_command(parser, pipe);
        if (!r && pipe->n > 1 && takes_nothing(&pipe->commands[pipe->n - 1]))
            r = tmpl_fail_at(&parser->lexer, at, "a constant can't take what is piped");
        if (r || parser->token.kind != TOKEN_PIPE)
            break;
        r = tmpl_pipe_next(parser);
        if (parser->token.kind == TOKEN_CLOSE || parser->token.kind == TOKEN_CLOSE_PAREN)
            break; /* Go lets a pipe end in | */
    }
    for (size_t i = 0; i < pipe->n_vars && !pipe->assigns && !r; i++)
        r = tmpl_pipe_declare(parser, pipe->vars[i]);
    parser->depth--;
    *ret_pipe = pipe;
    return r;
}
