#pragma once

/*
 * The checklist before somebody goes on call: areas with items, each with a question a mentor
 * asks, and the gate that shadowed pages have to pass. Read from YAML (readiness/checklist.yml).
 *
 *   gate: {pages: 10, sense: 0.8}
 *   areas: [{area: runbooks, items: [{item: followed-one, text: ..., question: ...}]}]
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

enum {
    READINESS_E_WRONG = 90, /* words say line, column and what is wrong */
    READINESS_AREAS_MAX = 50,
    READINESS_ITEMS_MAX = 100, /* of an area */
    READINESS_NAME_MAX = 60,
    READINESS_FILE_BYTES_MAX = 256 * 1024,
    READINESS_PAGES_MAX = 10000,
};

struct readiness_item {
    const char *name; /* a-z, 0-9 and dashes; of the whole list, once */
    const char *text;
    const char *question; /* "": none */
};

struct readiness_area {
    const char *name;
    const struct readiness_item *items;
    size_t n_items;
};

/* More than `sense` of at least `pages` pages must have made sense. */
struct readiness_gate {
    unsigned pages;
    double sense;
};

struct readiness {
    struct readiness_gate gate;
    const struct readiness_area *areas;
    size_t n_areas;
};

/* Everything is in the arena. 0, READINESS_E_WRONG, or -ENOMEM when that is spent. */
int readiness_parse(const char *text,
                    size_t len,
                    struct arena *arena,
                    struct readiness *ret_readiness,
                    struct err *reterr);

/* NULL when there is none of that name; *ret_area is where it stands. */
const struct readiness_item *readiness_find(const struct readiness *readiness,
                                            const char *item,
                                            const struct readiness_area **ret_area);
size_t readiness_n_items(const struct readiness *readiness);
bool readiness_passes(const struct readiness_gate *gate, unsigned answered, unsigned made_sense);

/* The built-in one: a row. */
struct readiness_file {
    const char *name;
    const char *text;
};
extern const struct readiness_file readiness_builtin[];
extern const size_t readiness_n_builtin;
