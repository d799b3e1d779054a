#pragma once

/*
 * One select at work: what it has found so far. select.c has the picture.
 */

#include "alertd/store/private.h"

struct found {
    const struct labels *labels; /* in the arena, perhaps with the index's texts */
    struct pieces *pieces;       /* in the arena; NULL: only the name is asked for */
    bool is_sure;                /* there is a sample in the time asked for, about; of a name */
};

/* A series found and its number within a warm partition's file. */
struct row {
    uint32_t found;
    uint32_t local_id;
};

/* A partition that may be read from, held by n_uses: it neither cools nor goes meanwhile. */
struct held {
    struct partition *partition;
    bool is_warm;
    bool knows_more;  /* warm: its file has what memory does not, by now */
    struct row *rows; /* warm */
    size_t n, capacity;
};

struct selection {
    struct store *store;
    const struct source_query *query;
    bool names_only; /* for store_series(): which series, not what */
    struct arena *arena;
    struct found *found;
    size_t n, capacity;
    const struct texts *texts; /* the index's, lately; the arena holds the reference */
    uint32_t *slots;           /* hash table over found, made when a file is read: place + 1 */
    size_t n_slots;
    struct held *held;
    size_t n_held;
    const char **warnings;
    size_t n_warnings, warnings_capacity;
    struct err *reterr;
};

/* SOURCE_E_LIMIT, with words. */
int selection_spent(const struct selection *selection);
/* A copy for the answer. */
int selection_warn(struct selection *selection, const char *words);
bool selection_overlaps(const struct selection *selection, int64_t day_ms);
/* `labels` must live as long as the arena. NULL past its limit. */
struct found *selection_add(struct selection *selection, const struct labels *labels);

/* select_memory.c: what memory has, and which files have more */
int selection_read_memory(struct selection *selection);
