#pragma once

/*
 * What could not be read of what an answer is made of, as alertctl says it: in a block of its own to people,
 * as "warnings" to programs.
 */

#include "alertd/promql/told.h"
#include "lib/base/str.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

enum {
    MISSING_SHOWN = 8, /* to people */
};

/* "Not all of it could be read:" and what, some of it; nothing where all was. */
void missing_add(const struct told *told, struct str *out);
/* A member of an open object, "warnings" mostly: all of it. */
void missing_json(const struct told *told, const char *name, struct json_out *out);
/* On stderr, behind the words of a failure or of findings. */
void missing_tell(const struct told *told);

/* One as a server says it. alertd and Prometheus say of what it is, and where in the query: the query is not one
 * that a person wrote, and the same missing day is the same wherever it was asked for. */
void missing_note(struct told *told, const char *words);
/* Each of an answer's "warnings"; NULL: it has none. */
void missing_take(struct told *told, const struct json *warnings);

/* The block of an answer's "warnings": behind others, on stdout, or on stderr. */
void missing_add_of(const struct json *answer, struct str *out);
void missing_print_of(const struct json *answer);
void missing_tell_of(const struct json *answer);
