#pragma once

/*
 * Document templates: Mustache without logic, made strict for Markdown.
 *
 *     {{x}} {{a.b}} {{.}}        a fact, with Markdown's signs escaped, on one line
 *     {{&x}}                     a fact that is Markdown already (others are refused)
 *     {{#x}} ... {{/x}}          for each item of a list; once for anything true
 *     {{^x}} ... {{/x}}          when the list is empty, the thing unknown or untrue
 *     {{> timeline}}             the file _timeline.md
 *     {{! words }}               nothing; {{! title: Quick }} names the template
 *     {{! ask What surprised us? }}   a line for a person: "> To answer: What surprised us?"
 *
 * A line with nothing but one tag that prints nothing itself vanishes whole, so tables
 * stay tables. Not in the language: code, filters, other delimiters, {{{x}}}.
 *
 * Strict, because a fact that is silently empty is a fact lost: a name that does not
 * exist is an error with its place. After the public Mustache specification
 * (mustache/spec 1.3), which leaves such names empty.
 */

#include <stdbool.h>
#include <stddef.h>

#include "alertd/postmortem/fact.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

enum {
    TEMPLATE_E_SYNTAX = 1, /* reterr has line and column */
    TEMPLATE_E_NAME = 2,   /* a name that no fact has, or of the wrong type; likewise */
    TEMPLATE_E_LIMIT = 3,  /* nesting, memory or output */
    TEMPLATE_DEPTH_MAX = 16,
    TEMPLATE_TEXT_MAX = 256 * 1024,       /* of one file */
    TEMPLATE_OUTPUT_MAX = 4 * 1024 * 1024 /* for the caller's struct str */
};

/* A template or partial: "standard.md", "_timeline.md". */
struct template_file {
    const char *name;
    const char *text;
};

struct template_set {
    const struct template_file *files; /* earlier ones hide later ones of the same name */
    size_t n;
};

/* What ships with the program; made from postmortems/ at build time. */
extern const struct template_file template_builtin[];
extern const size_t template_n_builtin;

/* NULL when there is none. */
const struct template_file *template_find(const struct template_set *set, const char *name);

/* The words behind "{{! title:" into ret_title; the file's name without .md otherwise. */
void template_title(const struct template_file *file, struct str *ret_title);

struct template_part {
    const char *file; /* its name, for errors */
    const char *text;
    unsigned line;
};

struct template; /* parsed, with its partials, in the arena; borrows the texts */

/* Errors in a partial have its position and begin with its name. */
int template_parse(struct arena *arena,
                   const struct template_set *set,
                   const struct template_file *file,
                   struct template **ret_template,
                   struct err *reterr);

/* The same for a part of the file, a text of its own that begins on `line` of it. */
int template_parse_part(struct arena *arena,
                        const struct template_set *set,
                        const struct template_part *part,
                        struct template **ret_template,
                        struct err *reterr);

/* Appends the document to out; what was appended before a failure stays. */
int template_render(const struct template *template,
                    const struct fact *root,
                    struct str *out,
                    struct err *reterr);

/* The same, with the prompts put into `asks` instead, a line of its own each. */
int template_render_apart(const struct template *template,
                          const struct fact *root,
                          struct str *out,
                          struct str *asks,
                          struct err *reterr);

/* Walks every part, both sides of every section, against facts in which every list has
 * an item: finds names that do not exist in branches that a given incident skips. */
int template_check(const struct template *template, const struct fact *example, struct err *reterr);

/* Appends text with Markdown's signs escaped: safe in a paragraph, at the start of a
 * line, in a table cell and as a link's words. Line breaks become spaces. */
void template_escape(const char *text, struct str *out);

/* How a line begins that a person has not answered yet; postmortem_db.h counts them. */
#define TEMPLATE_PROMPT "> To answer:"
