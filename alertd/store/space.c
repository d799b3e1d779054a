/*
 * What takes the space. See space.h.
 */

#include "alertd/store/space.h"

#include <errno.h>
#include <string.h>

#include "alertd/store/private.h"

struct tally {
    struct arena *arena;
    struct space *space;
    size_t top;
    const char *name; /* the one at hand: its pairs come together */
    uint64_t n_values, n_bytes;
};

/* Into a list kept in order, if it is among the largest. */
static void offer(
    struct space_top *list, size_t top, const char *name, const char *value, uint64_t n)
{
    size_t at = list->n;

    if (list->n == top && n <= list->rows[top - 1].n)
        return;
    if (list->n < top)
        list->n++;
    else
        at--;
    for (; at > 0 && list->rows[at - 1].n < n; at--)
        list->rows[at] = list->rows[at - 1];
    list->rows[at] = (struct space_row){name, value, n};
}

static void end_name(struct tally *tally)
{
    if (!tally->name)
        return;
    offer(&tally->space->values_by_name, tally->top, tally->name, NULL, tally->n_values);
    offer(&tally->space->bytes_by_name, tally->top, tally->name, NULL, tally->n_bytes);
    tally->n_values = tally->n_bytes = 0;
}

static void add_pair(void *arg, const char *name, const char *value, size_t n_series)
{
    struct tally *tally = arg;

    if (tally->name != name)
        end_name(tally);
    tally->name = name;
    tally->n_values++;
    tally->n_bytes += strlen(value) * n_series;
    tally->space->n_pairs++;
    offer(&tally->space->series_by_pair, tally->top, name, value, n_series);
    if (strcmp(name, LABEL_NAME) == 0)
        offer(&tally->space->series_by_metric, tally->top, value, NULL, n_series);
}

static bool make_room(struct space_top *list, size_t top, struct arena *arena)
{
    list->rows = arena_array(arena, top, sizeof(*list->rows));
    return list->rows != NULL;
}

static void give_back(void *texts)
{
    texts_unref(texts);
}

static void read_days(const struct store *store, struct space *space)
{
    for (size_t i = 0; i < store->n_partitions; i++) {
        const struct partition *partition = store->partitions[i];
        struct db_stats stats = {0};

        db_stats(partition->db, &stats);
        space->days[i] = (struct space_day){.day = partition->day,
                                            .file_bytes = stats.file_bytes,
                                            .wal_bytes = stats.wal_bytes,
                                            .journal_bytes = partition->journal_bytes,
                                            .n_series = partition->n_segments,
                                            .is_compact = partition->is_compact};
    }
    space->n_days = store->n_partitions;
    if (space->n_days > 0) {
        space->oldest_ms = store->partitions[0]->day_ms;
        space->newest_ms = store->partitions[space->n_days - 1]->day_ms;
    }
}

/* Texts of what may go when the lock is let go. */
static bool keep_words(const struct store *store, struct arena *arena, struct space *space)
{
    for (size_t i = 0; i < space->n_days; i++)
        if (!(space->days[i].day = arena_strndup(arena, space->days[i].day,
                                                 strlen(space->days[i].day))))
            return false;
    for (size_t i = 0; i < store->n_quarantined; i++) {
        const char *words = store->quarantined[i].words;

        space->set_aside[i] = arena_strndup(arena, words, strlen(words));
        if (!space->set_aside[i])
            return false;
    }
    space->n_set_aside = store->n_quarantined;
    return true;
}

static bool read_all(struct store *store, struct tally *tally)
{
    struct space *space = tally->space;

    space->days = arena_array(tally->arena, store->n_partitions + 1, sizeof(*space->days));
    space->set_aside = arena_array(tally->arena, store->n_quarantined + 1,
                                   sizeof(*space->set_aside));
    if (!space->days || !space->set_aside ||
        !arena_on_reset(tally->arena, give_back, store->index.texts))
        return false;
    (void)texts_ref(store->index.texts);
    index_each_pair(&store->index, add_pair, tally);
    end_name(tally);
    space->n_series = store->stats.series;
    read_days(store, space);
    return keep_words(store, tally->arena, space);
}

int store_space(struct store *store, size_t top, struct arena *arena, struct space *ret_space)
{
    struct space space = {0};
    struct tally tally = {.arena = arena, .space = &space, .top = top};

    if (!make_room(&space.series_by_metric, top, arena) ||
        !make_room(&space.values_by_name, top, arena) ||
        !make_room(&space.bytes_by_name, top, arena) ||
        !make_room(&space.series_by_pair, top, arena))
        return -ENOMEM;
    (void)pthread_rwlock_rdlock(&store->lock);
    bool fits = read_all(store, &tally);
    (void)pthread_rwlock_unlock(&store->lock);
    *ret_space = space;
    return fits ? 0 : -ENOMEM;
}
