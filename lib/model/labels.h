#pragma once

/*
 * A label set: what names a series.
 *
 * One heap block, sorted by name, never changed after it is made; counted
 * references, so that a series, an alert and a reply can share it across threads.
 *
 *     { hash, n, refs | (name,value) (name,value) ... | "job\0node\0..." }
 *
 * Invariants
 *  (1) names are unique, not empty, in strcmp order; values are not empty (an
 *      empty value means the label is absent, as in Prometheus).
 *  (2) names and values are valid UTF-8 without NUL; whoever decodes bytes from
 *      outside checks that with labels_text_ok() first.
 *  (3) hash is XXH3 over name\0value\0...; equal sets have equal hashes, and
 *      equal hashes are still compared in full.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/str.h"

#define LABEL_NAME "__name__"

struct label {
    const char *name;
    const char *value;
};

struct labels {
    uint64_t hash;
    uint32_t refs;
    uint32_t n;
    struct label at[];
};

/* The empty set, a static: ref and unref of it do nothing. */
const struct labels *labels_empty(void);

/* Makes a set of pairs in any order. Later pairs win over earlier ones of the
 * same name; empty values delete. Heap; give it back with labels_unref(). */
const struct labels *labels_new(const struct label *pairs, size_t n);

/* Named texts that are no series' labels, where an empty one is not an absent one: what a
 * unit test expects of annotations. Against invariant (1), so never where series go. */
const struct labels *labels_of_texts(const struct label *pairs, size_t n);

const struct labels *labels_ref(const struct labels *labels);
void labels_unref(const struct labels *labels); /* NULL is fine */

/* The same in an arena: not counted, lives as long as it; NULL past its limit. */
const struct labels *labels_in_arena(struct arena *arena, const struct label *pairs, size_t n);

/* Room in an arena for n pairs that the caller fills in: sorted and settled as invariant (1)
 * says, of this hash, with texts that live as long as the arena. NULL past its limit. */
struct labels *labels_lend(struct arena *arena, size_t n, uint64_t hash);

/* NULL when absent; a loan. */
const char *labels_get(const struct labels *labels, const char *name);
bool labels_equal(const struct labels *a, const struct labels *b);
/* Order by pairs, as Prometheus sorts results. */
int labels_compare(const struct labels *a, const struct labels *b);

/* For hashing a choice of labels: folds one more text into a hash. */
uint64_t labels_hash_text(uint64_t hash, const char *text);

/* `{a="b", c="d"}` with the metric name in front, as Prometheus prints a series. */
void labels_print(const struct labels *labels, struct str *out);

/* Valid UTF-8 without NUL. */
bool labels_text_ok(const char *text, size_t len);
/* [a-zA-Z_][a-zA-Z0-9_]* */
bool labels_name_is_classic(const char *name);

/* Label sets under construction. */
struct labels_builder {
    struct label *pairs; /* strings are loans: they must outlive the builder */
    size_t n;
    size_t capacity;
};
#define LABELS_BUILDER_INIT ((struct labels_builder){0})
#define LABELS_BUILDER_AUTO __attribute__((cleanup(labels_builder_done)))

void labels_builder_add_all(struct labels_builder *builder, const struct labels *from);
/* Sets or replaces; an empty value deletes. */
void labels_builder_set(struct labels_builder *builder, const char *name, const char *value);
void labels_builder_delete(struct labels_builder *builder, const char *name);
const struct labels *labels_builder_finish(const struct labels_builder *builder);
void labels_builder_done(struct labels_builder *builder);
