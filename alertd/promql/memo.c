/*
 * What aggregations gave at one instant. See memo.h.
 *
 * What is kept is a copy: operators work in place on what they are given. Something that came
 * with a warning is not kept, for the warning says where in the query it arose.
 */

#include "alertd/promql/memo.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/promql/eval.h"
#include "lib/base/mem.h"
#include "lib/model/hash.h"

enum {
    N_LISTS = 64
};

struct kept {
    struct kept *next;
    uint64_t hash;
    const char *text;
    size_t len;
    int64_t at_ms;
    struct value value; /* of one step */
    size_t n_samples, n_series;
};

struct promql_memo {
    struct arena arena;
    struct kept *lists[N_LISTS]; /* by hash */
};

struct promql_memo *promql_memo_new(size_t limit_bytes)
{
    struct promql_memo *memo = mem_zalloc(sizeof(*memo));

    arena_init(&memo->arena, limit_bytes);
    return memo;
}

void promql_memo_forget(struct promql_memo *memo)
{
    arena_reset(&memo->arena);
    memset(memo->lists, 0, sizeof(memo->lists));
}

void promql_memo_free(struct promql_memo *memo)
{
    if (!memo)
        return;
    arena_reset(&memo->arena);
    free(memo);
}

static const struct kept *find(const struct promql_memo *memo, const struct kept *key)
{
    const struct kept *kept = memo->lists[key->hash % N_LISTS];

    while (kept && (kept->hash != key->hash || kept->at_ms != key->at_ms || kept->len != key->len ||
                    memcmp(kept->text, key->text, key->len) != 0))
        kept = kept->next;
    return kept;
}

/* False past the limit; some of it may be in the arena then. */
static bool copy_columns(struct arena *arena, const struct value *from, struct value *ret)
{
    struct column *columns = arena_array(arena, from->n + 1, sizeof(*columns));
    double *values = arena_room(arena, from->n + 1, sizeof(*values));
    struct value made = *from;

    if (!columns || !values)
        return false;
    for (size_t i = 0; i < from->n; i++) {
        values[i] = from->columns[i].values[0];
        columns[i] = from->columns[i];
        columns[i].values = &values[i];
    }
    made.columns = columns;
    *ret = made;
    return true;
}

static void keep(struct promql_memo *memo, const struct kept *key, const struct value *value)
{
    struct kept *kept = arena_alloc(&memo->arena, sizeof(*kept));
    char *text = arena_strndup(&memo->arena, key->text, key->len);
    struct value copy;

    if (!kept || !text || !copy_columns(&memo->arena, value, &copy))
        return;
    for (size_t i = 0; i < copy.n; i++) {
        const struct labels *labels = copy.columns[i].labels;

        copy.columns[i].labels = labels_in_arena(&memo->arena, labels->at, labels->n);
        if (!copy.columns[i].labels)
            return;
    }
    *kept = *key;
    kept->text = text;
    kept->value = copy;
    kept->next = memo->lists[key->hash % N_LISTS];
    memo->lists[key->hash % N_LISTS] = kept;
}

int eval_remembered(struct eval *eval, const struct promql_expr *expr, struct value *ret_value)
{
    struct kept key = {.text = expr->text + expr->start,
                       .len = expr->end - expr->start,
                       .at_ms = eval->grid.start_ms};

    key.hash = hash64(key.text, key.len);
    const struct kept *kept = find(eval->memo, &key);
    if (kept && kept->n_samples <= eval->limits.max_samples - eval->n_samples) {
        eval->n_samples += kept->n_samples;
        eval->n_series += kept->n_series;
        return copy_columns(eval->arena, &kept->value, ret_value) ? 0 : eval_out_of_memory(eval);
    }
    key.n_samples = eval->n_samples;
    key.n_series = eval->n_series;
    int r = eval_aggregate(eval, expr, ret_value);
    key.n_samples = eval->n_samples - key.n_samples;
    key.n_series = eval->n_series - key.n_series;
    if (!r && !kept && !eval->warnings && !eval->infos)
        keep(eval->memo, &key, ret_value);
    return r;
}
