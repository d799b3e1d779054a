/*
 * What each integration was told last about each group. See dispatch.h.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/route/dispatch_private.h"
#include "lib/base/mem.h"

static uint64_t entry_hash(const char *group_key,
                           const char *receiver,
                           const char *kind,
                           unsigned slot)
{
    uint64_t hash = labels_hash_text(slot, group_key);

    return labels_hash_text(labels_hash_text(hash, receiver), kind);
}

struct log_entry *log_find(const struct dispatch *dispatch,
                           const char *group_key,
                           const char *receiver,
                           const char *kind,
                           unsigned slot)
{
    uint64_t hash = entry_hash(group_key, receiver, kind, slot);

    for (struct chain *at = chains_find(&dispatch->log, hash); at; at = chains_next(at)) {
        struct log_entry *entry = (struct log_entry *)at;

        if (entry->slot == slot && strcmp(entry->group_key, group_key) == 0 &&
            strcmp(entry->receiver, receiver) == 0 && strcmp(entry->kind, kind) == 0)
            return entry;
    }
    return NULL;
}

static uint64_t *copy(const uint64_t *set, size_t n)
{
    return n ? mem_dup(set, n * sizeof(*set)) : NULL;
}

void log_set(struct dispatch *dispatch, const struct dispatch_log_row *row)
{
    struct log_entry *entry = log_find(dispatch, row->group_key, row->receiver, row->kind,
                                       row->slot);

    if (!entry) {
        entry = mem_zalloc(sizeof(*entry));
        entry->id = row->id ? 0 : ++dispatch->last_log_id;
        entry->group_key = mem_strdup(row->group_key);
        entry->receiver = mem_strdup(row->receiver);
        entry->kind = mem_strdup(row->kind);
        entry->slot = row->slot;
        chains_add(&dispatch->log, &entry->link,
                   entry_hash(row->group_key, row->receiver, row->kind, row->slot));
    }
    if (row->id > entry->id) { /* of two rows the later one counts, and is the one that goes on */
        entry->id = row->id;
        if (row->id > dispatch->last_log_id)
            dispatch->last_log_id = row->id;
    }
    free(entry->firing);
    free(entry->resolved);
    entry->firing = copy(row->firing, row->n_firing);
    entry->n_firing = row->n_firing;
    entry->resolved = copy(row->resolved, row->n_resolved);
    entry->n_resolved = row->n_resolved;
    entry->told_at_ms = row->told_at_ms;
    entry->expires_at_ms = row->expires_at_ms;
    changed_log(dispatch, entry);
}

void log_prune(struct dispatch *dispatch, int64_t now_ms)
{
    for (size_t i = 0; i < dispatch->log.n_buckets; i++)
        for (struct chain *at = dispatch->log.buckets[i], *next; at; at = next) {
            struct log_entry *entry = (struct log_entry *)at;

            next = at->next;
            if (entry->expires_at_ms > now_ms)
                continue;
            gone_log(dispatch, entry);
            chains_remove(&dispatch->log, at);
            free(entry->group_key);
            free(entry->receiver);
            free(entry->kind);
            free(entry->firing);
            free(entry->resolved);
            free(entry);
        }
}

bool log_is_subset(const uint64_t *set, size_t n, const uint64_t *of, size_t n_of)
{
    size_t j = 0;

    for (size_t i = 0; i < n; i++) {
        while (j < n_of && of[j] < set[i])
            j++;
        if (j == n_of || of[j] != set[i])
            return false;
    }
    return true;
}
