/*
 * Where alertctl tune reads: a server, or a folder. See tune.h.
 */

#include <stdlib.h>

#include "alertd/store/store.h"
#include "ctl/tune.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    QUERY_BYTES_MAX = 512 << 20,
    PIECE_MAX_MS = 86400000,
};

static int on_samples(void *arg,
                      const struct labels *labels,
                      const struct sample *samples,
                      size_t n,
                      struct err *reterr)
{
    struct reading_piece *piece = arg;
    MEM_AUTO int64_t *t_ms = mem_alloc((n + 1) * sizeof(*t_ms));
    MEM_AUTO double *values = mem_alloc((n + 1) * sizeof(*values));

    for (size_t i = 0; i < n; i++) {
        t_ms[i] = samples[i].t_ms;
        values[i] = samples[i].value;
    }
    return reading_visit(piece, labels, t_ms, values, n, reterr);
}

static int read_origin(void *reader,
                       const char *expression,
                       const struct tune_span *span,
                       bool as_presence,
                       tune_visit *visit,
                       void *arg,
                       struct err *reterr)
{
    struct reading_piece piece = {span, as_presence, visit, arg, NULL, 0};
    const struct origin_steps steps = {
        span->start_ms, span->start_ms + (span->n_steps - 1) * span->step_ms, span->step_ms};

    int r = origin_range(reader, expression, &steps, on_samples, &piece, reterr);
    reading_done(&piece);
    return r;
}

enum ctl_exit tune_past_init(struct tune_past *past, const struct ctl *ctl)
{
    const char *folder = ctl_option(ctl, "store");

    *past = (struct tune_past){.is_store = folder != NULL};
    if (folder) {
        enum ctl_exit status = store_asker_init(&past->store, ctl, folder, PIECE_MAX_MS);
        if (status != CTL_OK)
            return status;
        past->source = store_source(past->store.store);
        past->over = (struct reading_source){.source = &past->source,
                                             .query_bytes = QUERY_BYTES_MAX};
        past->reader = reading_of_source(&past->over);
        past->now_ms = past->store.now_ms;
        return CTL_OK;
    }
    origin_init(&past->origin, ctl->url, ctl->token, PIECE_MAX_MS);
    past->reader = (struct tune_reader){.read = read_origin, .reader = &past->origin};
    past->now_ms = clock_wall_ms();
    return CTL_OK;
}

void tune_past_done(struct tune_past *past)
{
    if (past->is_store)
        store_asker_done(&past->store);
    else
        origin_done(&past->origin);
}
