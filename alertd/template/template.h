#pragma once

/*
 * Go's text/template, as rules and notifications use it.
 *
 *   text --parse.c--> tree --eval.c, a language's functions--> text
 *
 * Known: fields, variables, pipelines, parentheses, if/else, with, range, break, continue,
 * define, template, block, := and =, trim markers, comments, Go's comparisons and printf.
 * Not known: call and complex numbers. Which functions there are and what a template may look
 * at is the language's: rule/template.h for rules.
 *
 * Everything is bounded: steps, output, memory, nesting. Text is UTF-8 without NUL.
 */

#include <stdbool.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

enum {
    TMPL_E_SYNTAX = 1, /* not a template; reterr has line and column within the text */
    TMPL_E_EXPAND = 2, /* it made no sense with this data, or spent a limit */
    TMPL_TEXT_MAX = 64 * 1024,
    TMPL_OUTPUT_MAX = 64 * 1024,
    TMPL_STEPS_MAX = 100 * 1000,
    TMPL_DEPTH_MAX = 64,
};

struct tmpl;
struct tmpl_language;

/* Named templates of several texts, for others to call; a later one takes the place of an
 * earlier one of its name. Lives in an arena; never changes once it is used. */
struct tmpl_library {
    struct definition *definitions;
};

/* text must outlive the template. */
int tmpl_parse(const struct tmpl_language *language,
               struct arena *arena,
               const char *text,
               struct tmpl **ret_template,
               struct err *reterr);

/* Adds a parsed text: its definitions, and under `name` what stands outside of them. A blank
 * body takes no other's place. `name` must outlive the library. */
int tmpl_library_add(struct tmpl_library *library,
                     struct arena *arena,
                     struct tmpl *template,
                     const char *name,
                     bool is_users,
                     struct err *reterr);

/* The first {{template}} that names nothing, as TMPL_E_SYNTAX with its place; 0: none does. In
 * another text of the library the place is part of the words: "team.tmpl:3:4: ...". */
int tmpl_check_names(const struct tmpl *template, struct err *reterr);
int tmpl_library_check_names(const struct tmpl_library *library, struct err *reterr);

/* Does the template of this name, or one that it calls, come from a text of the user's? */
bool tmpl_library_is_users(const struct tmpl_library *library, const char *name);

/* The template is only text: no expansion needed. */
bool tmpl_is_plain(const struct tmpl *template);
