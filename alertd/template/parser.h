#pragma once

/*
 * Inside the template parser: pipe.c reads what stands in one {{ }},
 * parse.c the lists and blocks around it.
 */

#include "alertd/template/engine.h"

struct tmpl_parser {
    struct tmpl_lexer lexer;
    const struct tmpl_language *language;
    struct tmpl *template;
    struct tmpl_token token; /* the next one, when inside an action */
    const char *variables[VARIABLES_MAX];
    size_t n_variables;
    unsigned depth;
    unsigned n_ranges;   /* open: break and continue belong inside */
    const char *opening; /* the {{ of the action being read */
    bool trim_next;      /* the last action ended with -}} */
};

int tmpl_pipe_fail(struct tmpl_parser *parser, const char *words);
int tmpl_pipe_fail_memory(struct tmpl_parser *parser);
/* Makes the next token current. */
int tmpl_pipe_next(struct tmpl_parser *parser);
size_t tmpl_pipe_offset(const struct tmpl_parser *parser, const char *at);
/* The current token is this word. */
bool tmpl_pipe_is_word(const struct tmpl_parser *parser, const char *word);
int tmpl_pipe_declare(struct tmpl_parser *parser, const char *name);
/* From the current token to the one that ends the pipe. `declares`: `$x :=` may stand in
 * front. */
int tmpl_pipe_parse(struct tmpl_parser *parser, bool declares, struct pipe **ret_pipe);
