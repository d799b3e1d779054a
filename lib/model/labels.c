/*
 * A label set. See labels.h.
 */

#include "lib/model/labels.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "lib/base/mem.h"

enum {
    REFS_NONE = UINT32_MAX /* static or in an arena: not counted */
};

static const struct labels empty_set = {.hash = 0x2d06800538d394c2U, .refs = REFS_NONE};

const struct labels *labels_empty(void)
{
    return &empty_set;
}

static bool is_sorted(const struct label *pairs, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (strcmp(pairs[i - 1].name, pairs[i].name) >= 0)
            return false;
    return true;
}

/* Insertion sort: it keeps equal names in the order they came (the last one
 * wins), label sets are short, and decoders cap their number. */
static void sort_pairs(struct label *pairs, size_t n)
{
    if (is_sorted(pairs, n))
        return;
    for (size_t i = 1; i < n; i++) {
        struct label moving = pairs[i];
        size_t place = i;

        for (; place > 0 && strcmp(pairs[place - 1].name, moving.name) > 0; place--)
            pairs[place] = pairs[place - 1];
        pairs[place] = moving;
    }
}

/* Sorted pairs: keep the last of each name, drop empty values unless told otherwise. */
static size_t settle(struct label *pairs, size_t n, bool keeps_empty)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (i + 1 < n && strcmp(pairs[i].name, pairs[i + 1].name) == 0)
            continue;
        if (keeps_empty || pairs[i].value[0])
            pairs[kept++] = pairs[i];
    }
    return kept;
}

static size_t text_size(const struct label *pairs, size_t n)
{
    size_t size = 0;

    for (size_t i = 0; i < n; i++)
        size += strlen(pairs[i].name) + strlen(pairs[i].value) + 2;
    return size;
}

static void fill(struct labels *labels, const struct label *pairs, size_t n)
{
    char *text = (char *)&labels->at[n];
    char *start = text;

    for (size_t i = 0; i < n; i++) {
        labels->at[i].name = text;
        text = stpcpy(text, pairs[i].name) + 1;
        labels->at[i].value = text;
        text = stpcpy(text, pairs[i].value) + 1;
    }
    labels->n = (uint32_t)n;
    labels->hash = XXH3_64bits(start, (size_t)(text - start));
}

static const struct labels *make(struct arena *arena,
                                 const struct label *pairs,
                                 size_t n,
                                 bool keeps_empty)
{
    struct label *sorted = mem_dup(pairs, n * sizeof(*pairs));
    struct labels *labels;

    sort_pairs(sorted, n);
    n = settle(sorted, n, keeps_empty);
    size_t size = sizeof(*labels) + n * sizeof(labels->at[0]) + text_size(sorted, n);
    labels = arena ? arena_alloc(arena, size) : mem_alloc(size);
    if (labels) {
        labels->refs = arena ? REFS_NONE : 1;
        fill(labels, sorted, n);
    }
    free(sorted);
    return labels;
}

const struct labels *labels_new(const struct label *pairs, size_t n)
{
    return n ? make(NULL, pairs, n, false) : &empty_set;
}

const struct labels *labels_of_texts(const struct label *pairs, size_t n)
{
    return n ? make(NULL, pairs, n, true) : &empty_set;
}

const struct labels *labels_in_arena(struct arena *arena, const struct label *pairs, size_t n)
{
    return n ? make(arena, pairs, n, false) : &empty_set;
}

struct labels *labels_lend(struct arena *arena, size_t n, uint64_t hash)
{
    struct labels *labels = arena_room(arena, 1, sizeof(*labels) + n * sizeof(labels->at[0]));

    if (labels)
        *labels = (struct labels){.hash = hash, .refs = REFS_NONE, .n = (uint32_t)n};
    return labels;
}

/* The count is the one part of a set that changes, from several threads. */
static struct labels *writable(const struct labels *labels)
{
    union {
        const struct labels *shared;
        struct labels *own;
    } both = {.shared = labels};

    return both.own;
}

/* An arena's, which nobody counts. The count is read while others change it. */
static bool is_uncounted(const struct labels *labels)
{
    return __atomic_load_n(&labels->refs, __ATOMIC_RELAXED) == REFS_NONE;
}

const struct labels *labels_ref(const struct labels *labels)
{
    if (!is_uncounted(labels))
        __atomic_fetch_add(&writable(labels)->refs, 1, __ATOMIC_RELAXED);
    return labels;
}

void labels_unref(const struct labels *labels)
{
    if (!labels || is_uncounted(labels))
        return;
    if (__atomic_sub_fetch(&writable(labels)->refs, 1, __ATOMIC_ACQ_REL) == 0)
        free(writable(labels));
}

const char *labels_get(const struct labels *labels, const char *name)
{
    for (uint32_t i = 0; i < labels->n; i++)
        if (labels->at[i].name[0] == name[0] && strcmp(labels->at[i].name, name) == 0)
            return labels->at[i].value;
    return NULL;
}

int labels_compare(const struct labels *a, const struct labels *b)
{
    for (uint32_t i = 0; i < a->n && i < b->n; i++) {
        int order = strcmp(a->at[i].name, b->at[i].name);

        if (!order)
            order = strcmp(a->at[i].value, b->at[i].value);
        if (order)
            return order;
    }
    return (a->n > b->n) - (a->n < b->n);
}

bool labels_equal(const struct labels *a, const struct labels *b)
{
    return a == b || (a->hash == b->hash && a->n == b->n && labels_compare(a, b) == 0);
}

uint64_t labels_hash_text(uint64_t hash, const char *text)
{
    return XXH3_64bits_withSeed(text, strlen(text), hash);
}

static void print_quoted(const char *text, struct str *out)
{
    assert(text);
    str_addc(out, '"');
    for (; *text; text++) {
        if (*text == '\n')
            str_add(out, "\\n");
        else if (*text == '"' || *text == '\\')
            str_addf(out, "\\%c", *text);
        else
            str_addc(out, *text);
    }
    str_addc(out, '"');
}

void labels_print(const struct labels *labels, struct str *out)
{
    const char *metric = labels_get(labels, LABEL_NAME);
    bool bare = metric && labels_name_is_classic(metric);
    const char *divider = "";

    if (bare)
        str_add(out, metric);
    if (bare && labels->n == 1)
        return;
    str_addc(out, '{');
    for (uint32_t i = 0; i < labels->n; i++) {
        if (bare && strcmp(labels->at[i].name, LABEL_NAME) == 0)
            continue;
        str_add(out, divider);
        divider = ", ";
        if (labels_name_is_classic(labels->at[i].name))
            str_add(out, labels->at[i].name);
        else
            print_quoted(labels->at[i].name, out);
        str_addc(out, '=');
        print_quoted(labels->at[i].value, out);
    }
    str_addc(out, '}');
}

/* Length of the UTF-8 sequence that starts with this byte, 0 when none does. */
static size_t sequence_length(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

static bool sequence_ok(const unsigned char *at, size_t length)
{
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return false;
    if (length == 3)
        return !(at[0] == 0xe0 && at[1] < 0xa0) && !(at[0] == 0xed && at[1] > 0x9f);
    if (length == 4)
        return !(at[0] == 0xf0 && at[1] < 0x90) && !(at[0] == 0xf4 && at[1] > 0x8f);
    return true;
}

bool labels_text_ok(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + len;

    while (at < end) {
        size_t length = sequence_length(*at);

        if (*at == 0 || length == 0 || length > (size_t)(end - at) || !sequence_ok(at, length))
            return false;
        at += length;
    }
    return true;
}

bool labels_name_is_classic(const char *name)
{
    if (!name[0] || (name[0] >= '0' && name[0] <= '9'))
        return false;
    for (; *name; name++) {
        char c = *name;

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == ':'))
            return false;
    }
    return true;
}

void labels_builder_add_all(struct labels_builder *builder, const struct labels *from)
{
    for (uint32_t i = 0; i < from->n; i++)
        labels_builder_set(builder, from->at[i].name, from->at[i].value);
}

void labels_builder_set(struct labels_builder *builder, const char *name, const char *value)
{
    builder->pairs = mem_grow(builder->pairs, &builder->capacity, builder->n + 1,
                              sizeof(*builder->pairs));
    builder->pairs[builder->n++] = (struct label){name, value};
}

void labels_builder_delete(struct labels_builder *builder, const char *name)
{
    labels_builder_set(builder, name, "");
}

const struct labels *labels_builder_finish(const struct labels_builder *builder)
{
    return labels_new(builder->pairs, builder->n);
}

void labels_builder_done(struct labels_builder *builder)
{
    free(builder->pairs);
    *builder = LABELS_BUILDER_INIT;
}
