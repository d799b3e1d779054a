/*
 * See shared.h.
 */

#include "alertd/tune/shared.h"

#include <string.h>

void shared_init(struct shared *shared, const struct source *of, uint32_t n_at_once, size_t bytes)
{
    *shared = (struct shared){.of = of, .n_at_once = n_at_once};
    arena_init(&shared->arena, bytes);
}

void shared_done(struct shared *shared)
{
    arena_reset(&shared->arena);
}

void shared_begin(struct shared *shared, int64_t ahead_ms)
{
    shared->is_asked = false;
    shared->ahead_ms = ahead_ms;
}

static bool is_found(const struct shared *shared, const struct source_query *query)
{
    const struct source_query *found = &shared->query;

    return shared->is_found && query->matchers == found->matchers &&
           query->n_matchers == found->n_matchers && query->from_ms == found->from_ms &&
           query->to_ms <= found->to_ms && found->to_ms - query->to_ms <= shared->found_ahead_ms &&
           query->newest_only == found->newest_only;
}

static int find(void *self,
                const struct source_query *query,
                struct arena *arena,
                struct source_selection *ret_selection,
                struct err *reterr)
{
    struct shared *shared = self;
    struct source_query all = *query;

    *ret_selection = (struct source_selection){0};
    if (shared->is_asked)
        return 0;
    shared->is_asked = true;
    if (is_found(shared, query))
        return 0;
    all.n_parts = 0;
    all.n_at_once = shared->n_at_once;
    all.to_ms += shared->ahead_ms;
    shared->query = all;
    shared->found_ahead_ms = shared->ahead_ms;
    arena_reset(&shared->arena);
    int r = shared->of->select(shared->of->self, &all, &shared->arena, &shared->found, reterr);
    shared->is_found = r == 0;
    return r;
}

static int take(void *self,
                const struct source_query *query,
                struct arena *arena,
                struct source_selection *ret_selection,
                struct err *reterr)
{
    const struct shared *shared = self;
    const struct source_selection *found = &shared->found;

    if (!is_found(shared, query))
        return shared->of->select(shared->of->self, query, arena, ret_selection, reterr);
    struct source_match *own = arena_array(arena, found->n + 1, sizeof(*own));
    if (!own)
        return err_set(reterr, SOURCE_E_LIMIT, "so many series need more memory than allowed");
    *ret_selection = *found;
    ret_selection->matches = own;
    ret_selection->n = 0;
    for (size_t i = 0; i < found->n; i++)
        if (source_query_counts(query, found->matches[i].labels->hash))
            own[ret_selection->n++] = found->matches[i];
    return 0;
}

static int read_through(void *self,
                        const struct source_query *query,
                        const struct source_match *match,
                        struct arena *arena,
                        struct source_columns *columns,
                        struct err *reterr)
{
    const struct shared *shared = self;

    return shared->of->read(shared->of->self, query, match, arena, columns, reterr);
}

struct source shared_finder(struct shared *shared)
{
    return (struct source){.select = find, .read = read_through, .self = shared};
}

struct source shared_source(struct shared *shared)
{
    return (struct source){.select = take, .read = read_through, .self = shared};
}
