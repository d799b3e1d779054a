#pragma once

/*
 * YAML in: libyaml's events made into a small tree in which every node knows its
 * line and column, because every config error says file:line:column.
 *
 * Strict where YAML is a trap: scalars stay the text they were written as (no
 * yes/no booleans; whoever reads a field says its type), a key twice is an error,
 * `<<` merge keys are refused with words, depth and size are capped, and aliases
 * may not expand without bound.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum {
    YAML_E_SYNTAX = 1, /* not YAML, or a trap named above */
    YAML_E_TYPE = 2,   /* a field is missing, unknown or of another type */
    YAML_BYTES_MAX = 16 * 1024 * 1024,
};

enum yaml_kind {
    YAML_SCALAR,
    YAML_LIST,
    YAML_MAP,
};

struct yaml_node {
    enum yaml_kind kind;
    unsigned line, column; /* 1-based */
    bool plain;            /* a scalar written without quotes */
    const char *text;      /* scalar; never NULL for one */
    size_t len;
    size_t n; /* list: items; map: pairs, keys[i] -> items[i] in file order */
    struct yaml_node **items;
    struct yaml_node **keys; /* scalars */
};

struct yaml; /* owns the tree */

/* One document. An empty file gives an empty map. reterr carries line:column. */
int yaml_parse(const char *text, size_t len, struct yaml **ret_yaml, struct err *reterr);
const struct yaml_node *yaml_root(const struct yaml *yaml);
void yaml_free(struct yaml *yaml);

/* NULL when absent, or present with an empty plain scalar / null / ~. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* The key's own node: where to point when its value is wrong. */
const struct yaml_node *yaml_key(const struct yaml_node *map, const char *key);

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
