/*
 * Columns that agree on chosen labels: what aggregation, matching and renaming share.
 * An open-addressing table of hashes; equal hashes are compared label by label.
 */

#include <string.h>

#include "alertd/promql/eval.h"

struct group_slot {
    uint64_t hash;
    size_t group; /* + 1; 0: free */
};

int groups_init(struct eval *eval,
                const struct label_filter *filter,
                size_t max_groups,
                struct groups *ret_groups)
{
    struct groups made = {.filter = *filter, .capacity = max_groups, .n_slots = 8};

    while (made.n_slots < 2 * max_groups)
        made.n_slots *= 2;
    made.slots = arena_array(eval->arena, made.n_slots, sizeof(*made.slots));
    made.first = arena_array(eval->arena, max_groups ? max_groups : 1, sizeof(struct column *));
    if (!made.slots || !made.first)
        return eval_out_of_memory(eval);
    *ret_groups = made;
    return 0;
}

static bool is_named(const struct label_filter *filter, const char *name)
{
    for (size_t i = 0; i < filter->n; i++)
        if (filter->names[i][0] == name[0] && strcmp(filter->names[i], name) == 0)
            return true; /* most names differ in the first letter */
    return false;
}

static bool is_chosen(const struct label_filter *filter,
                      const struct column *column,
                      const char *name)
{
    bool is_metric = name[0] == '_' && strcmp(name, LABEL_NAME) == 0;

    if (is_metric && (column->nameless || filter->choice == LABELS_WITHOUT))
        return false;
    switch (filter->choice) {
    case LABELS_ALL: return true;
    case LABELS_ONLY: return is_named(filter, name);
    case LABELS_WITHOUT: return !is_named(filter, name);
    }
    return false;
}

static uint64_t hash_of(const struct label_filter *filter, const struct column *column)
{
    uint64_t hash = 0;

    for (uint32_t i = 0; i < column->labels->n; i++) {
        const struct label *label = &column->labels->at[i];

        if (is_chosen(filter, column, label->name))
            hash = labels_hash_text(labels_hash_text(hash, label->name), label->value);
    }
    return hash;
}

bool filter_is_nameless(const struct label_filter *filter)
{
    return filter->choice == LABELS_WITHOUT ||
           (filter->choice == LABELS_ONLY && !is_named(filter, LABEL_NAME));
}

/* The next chosen label at or after *at; NULL at the end. */
static const struct label *next_chosen(const struct label_filter *filter,
                                       const struct column *column,
                                       uint32_t *at)
{
    while (*at < column->labels->n) {
        const struct label *label = &column->labels->at[(*at)++];

        if (is_chosen(filter, column, label->name))
            return label;
    }
    return NULL;
}

static bool same_chosen(const struct label_filter *filter,
                        const struct column *a,
                        const struct column *b)
{
    uint32_t at_a = 0;
    uint32_t at_b = 0;

    if (a->labels == b->labels && a->nameless == b->nameless)
        return true;
    for (;;) {
        const struct label *of_a = next_chosen(filter, a, &at_a);
        const struct label *of_b = next_chosen(filter, b, &at_b);

        if (!of_a || !of_b)
            return of_a == of_b;
        if (strcmp(of_a->name, of_b->name) != 0 || strcmp(of_a->value, of_b->value) != 0)
            return false;
    }
}

/* The slot of an equal column, or the free one where it belongs. */
static struct group_slot *find_slot(const struct groups *groups,
                                    const struct column *column,
                                    uint64_t hash)
{
    size_t mask = groups->n_slots - 1;

    for (size_t at = (size_t)hash & mask;; at = (at + 1) & mask) {
        struct group_slot *slot = &groups->slots[at];

        if (!slot->group)
            return slot;
        if (slot->hash == hash &&
            same_chosen(&groups->filter, groups->first[slot->group - 1], column))
            return slot;
    }
}

size_t groups_put(struct groups *groups, const struct column *column)
{
    uint64_t hash = hash_of(&groups->filter, column);
    struct group_slot *slot = find_slot(groups, column, hash);

    if (!slot->group) {
        groups->first[groups->n++] = column;
        *slot = (struct group_slot){hash, groups->n};
    }
    return slot->group - 1;
}

size_t groups_find(const struct groups *groups, const struct column *column)
{
    return find_slot(groups, column, hash_of(&groups->filter, column))->group - 1;
}

const struct labels *filter_labels(struct eval *eval,
                                   const struct label_filter *filter,
                                   const struct column *column)
{
    struct label few[32];
    size_t n = column->labels->n;
    struct label *pairs = n <= sizeof(few) / sizeof(few[0])
                              ? few
                              : arena_array(eval->arena, n, sizeof(*pairs));
    uint32_t at = 0;
    const struct label *label;

    if (!pairs)
        return NULL;
    n = 0;
    while ((label = next_chosen(filter, column, &at)))
        pairs[n++] = *label;
    return labels_in_arena(eval->arena, pairs, n);
}

const char *column_label(const struct column *column, const char *name)
{
    const char *value = labels_get(column->labels, name);

    if (!value || (column->nameless && strcmp(name, LABEL_NAME) == 0))
        return "";
    return value;
}

const struct labels *column_relabel(struct eval *eval,
                                    const struct column *column,
                                    const struct label *changes,
                                    size_t n_changes)
{
    size_t n = 0;
    struct label *pairs = arena_array(eval->arena, column->labels->n + n_changes + 1,
                                      sizeof(*pairs));

    if (!pairs)
        return NULL;
    for (uint32_t i = 0; i < column->labels->n; i++)
        if (!column->nameless || strcmp(column->labels->at[i].name, LABEL_NAME) != 0)
            pairs[n++] = column->labels->at[i];
    for (size_t i = 0; i < n_changes; i++)
        pairs[n++] = changes[i]; /* later pairs win, empty values delete */
    return labels_in_arena(eval->arena, pairs, n);
}
