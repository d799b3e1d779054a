#pragma once

/*
 * YAML in: libyaml's events made into a small tree in which every node knows its
 * line and column, because every config error says file:line:column.
 *
 * Strict where YAML is a trap: scalars stay the text they were written as (no
 * yes/no booleans; whoever reads a field says its type), a key twice is an error,
 * `<<` merge keys are refused with words, depth and size are capped, and aliases
 * may not expand without bound. Only files written for other programs (rule files)
 * are read with merge keys resolved: yaml_parse_foreign().
 *
 *   text --libyaml--> events --yaml.c--> struct yaml_node --field.c--> typed values
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

enum {
    YAML_E_SYNTAX = 1, /* not YAML, or a trap named above */
    YAML_E_TYPE = 2,   /* a field is missing, unknown or of another type */
    YAML_BYTES_MAX = 16 * 1024 * 1024,
    YAML_DEPTH_MAX = 64,          /* maps and lists inside each other, aliases followed */
    YAML_NODES_MAX = 1000 * 1000, /* counted as if every alias were written out */
};

enum yaml_kind {
    YAML_SCALAR,
    YAML_LIST,
    YAML_MAP,
};

struct yaml_node {
    enum yaml_kind kind;
    unsigned line, column; /* 1-based */
    const char *name;      /* the key it stands under, for error words; "" at the top */
    bool plain;            /* a scalar written without quotes */
    const char *text;      /* scalar; never NULL for one, without NUL inside */
    size_t len;
    const char *source; /* where the scalar is written: yaml_place() reads on from here */
    size_t n;           /* list: items; map: pairs, keys[i] -> items[i] in file order */
    struct yaml_node **items;
    struct yaml_node **keys; /* scalars */
};

struct yaml; /* owns the tree */

/* One document. An empty file gives an empty map. reterr carries line:column. */
int yaml_parse(const char *text, size_t len, struct yaml **ret_yaml, struct err *reterr);
/* The same with `<<: *base` merged in (a map's own keys win, as YAML 1.1 has it). */
int yaml_parse_foreign(const char *text, size_t len, struct yaml **ret_yaml, struct err *reterr);
const struct yaml_node *yaml_root(const struct yaml *yaml);
void yaml_free(struct yaml *yaml);

/* NULL when absent, or present with an empty plain scalar / null / ~. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* The key's own node: where to point when its value is wrong. */
const struct yaml_node *yaml_key(const struct yaml_node *map, const char *key);

/* The line and column at which byte `offset` of a scalar's text is written, through quotes,
 * folding and block indentation: where an error inside an expression is. When that can't be
 * told (\u escapes), the scalar's own place. */
void yaml_place(const struct yaml_node *scalar,
                size_t offset,
                unsigned *ret_line,
                unsigned *ret_column);

/* Each expects a scalar of that form and reports `field "x": expected ..., got ...`
 * at the node's position otherwise. */
int yaml_string(const struct yaml_node *node, const char **ret_text, struct err *reterr);
int yaml_int(const struct yaml_node *node, int64_t *ret_value, struct err *reterr);
int yaml_float(const struct yaml_node *node, double *ret_value, struct err *reterr);
int yaml_bool(const struct yaml_node *node, bool *ret_value, struct err *reterr);
int yaml_expect(const struct yaml_node *node,
                enum yaml_kind kind,
                const char *what,
                struct err *reterr);
/* Strict maps: a key not in `known` (NULL-terminated) is YAML_E_TYPE naming it, its
 * place and, when one is near, the key probably meant. */
int yaml_only(const struct yaml_node *map, const char *const *known, struct err *reterr);

/* Appends text as a scalar that reads back as it is. Further lines of a block are indented
 * by `indent`; the caller writes the newline behind it. */
void yaml_print_scalar(const char *text, unsigned indent, struct str *out);
/* The same as a key with the colon and blank behind it; `indent` is where it stands. */
void yaml_print_key(const char *text, unsigned indent, struct str *out);
