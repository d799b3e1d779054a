#pragma once

/*
 * What of the past could not be read, as it is to be said beside an answer that is made of it: each once.
 *
 *     select ──> told_source() ──> the source    what it warns of is kept on the way back
 *     promql_query.told                          what PromQL itself warns of, a few, named last
 *
 * Several who read at the same time may share one list.
 */

#include <stddef.h>

#include "alertd/promql/source.h"
#include "lib/base/str.h"

enum {
    TOLD_WORDS_MAX = 64, /* different ones; that there are more is the last one's words */
    TOLD_NOTES_MAX = 8,  /* of PromQL: they are of each series, and may hide no missing day */
    TOLD_LIST_MAX = TOLD_WORDS_MAX + 1 + TOLD_NOTES_MAX + 1,
};

struct told;
struct told *told_new(void);
void told_free(struct told *told);

/* told NULL: nobody asks. */
void told_add(struct told *told, const char *words);
/* What is odd about all that could be read. */
void told_add_note(struct told *told, const char *words);
/* What could not be read, then notes; each in order of their words: loans until told_free(), in room for TOLD_LIST_MAX. told NULL: none. */
size_t told_list(const struct told *told, const char **ret_words);
/* "the first of them, and 2 more", between two texts; nothing at all where there is none. */
void told_say(const struct told *told, const char *before, const char *behind, struct str *out);

struct told_of {
    const struct source *source;
    struct told *told;
};
/* Both stay where they are. */
struct source told_source(struct told_of *of);
