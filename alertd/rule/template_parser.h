#pragma once

/*
 * Inside the template parser: template_pipe.c reads what stands in one {{ }},
 * template_parse.c the lists and blocks around it.
 */

#include "alertd/rule/template_private.h"

struct rule_template_parser {
    struct rule_template_lexer lexer;
    struct rule_template *template;
    struct rule_template_token token; /* the next one, when inside an action */
    const char *variables[VARIABLES_MAX];
    size_t n_variables;
    unsigned depth;
    unsigned n_ranges;   /* open: break and continue belong inside */
    const char *opening; /* the {{ of the action being read */
    bool trim_next;      /* the last action ended with -}} */
};

int rule_template_pipe_fail(struct rule_template_parser *parser, const char *words);
int rule_template_pipe_fail_memory(struct rule_template_parser *parser);
/* Makes the next token current. */
int rule_template_pipe_next(struct rule_template_parser *parser);
size_t rule_template_pipe_offset(const struct rule_template_parser *parser, const char *at);
/* The current token is this word. */
bool rule_template_pipe_is_word(const struct rule_template_parser *parser, const char *word);
int rule_template_pipe_declare(struct rule_template_parser *parser, const char *name);
/* From the current token to the one that ends the pipe. `declares`: `$x :=` may stand in
 * front. */
int rule_template_pipe_parse(struct rule_template_parser *parser,
                             bool declares,
                             struct pipe **ret_pipe);
