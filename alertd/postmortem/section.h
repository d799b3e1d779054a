#pragma once

/*
 * A template cut into the sections of which a document is made.
 *
 *     # {{doc.title}}                                       section "head"
 *     {{> header}}
 *     {{! section id=impact mode=human required }}          section "impact"
 *     ## Impact                                             its title
 *     {{> impact}}                                          what facts say, anew in each view
 *     {{! ask Who was hit? }}                               what a person is asked
 *
 *  (1) `mode=generated`: facts only; a prompt in it is an error. `mode=human`: facts, then what a
 *      person writes; `required`: it must be written before the document can be published.
 *  (2) A template without any section header is one section, `document`: filled once, prompts
 *      where they stand, text from then on.
 *  (3) A section is a template of its own: a tag may not reach from one into the next.
 */

#include <stdbool.h>
#include <stddef.h>

#include "alertd/postmortem/template.h"

enum {
    SECTION_E_SYNTAX = 10, /* reterr has the line */
    SECTION_E_LIMIT = 11,
    SECTION_MAX = 40,
    SECTION_ID_MAX = 40,
    SECTION_TITLE_MAX = 120,
    SECTION_BODY_MAX = 192 * 1024, /* what a person may write in one */
    SECTION_GENERATED_MAX = 1024 * 1024,
};

#define SECTION_HEAD  "head"
#define SECTION_WHOLE "document"

struct section {
    const char *id;
    const char *title; /* words of its heading; "" when it has none */
    struct template_part part;
    bool is_generated;
    bool required;
    bool whole; /* (2) */
};

/* Texts are the arena's. */
int section_split(struct arena *arena,
                  const struct template_file *file,
                  struct section **ret_sections,
                  size_t *ret_n,
                  struct err *reterr);

/* Appends what facts say to out, the prompts to asks. */
int section_render(struct arena *arena,
                   const struct template_set *set,
                   const struct section *section,
                   const struct fact *facts,
                   struct str *out,
                   struct str *asks,
                   struct err *reterr);

/* Everything that can be wrong with a template: its sections, its tags, names that no fact has.
 * reterr has line and column. */
int section_lint(struct arena *arena,
                 const struct template_set *set,
                 const struct template_file *file,
                 struct err *reterr);

/* One section of the document: heading, facts, what was written. Empty sections leave nothing. */
void section_join(const char *title, const char *generated, const char *body, struct str *out);

/* Lines that begin with TEMPLATE_PROMPT. */
size_t section_open_prompts(const char *body);
/* Nothing but blanks and open prompts. */
bool section_is_unwritten(const char *body);
