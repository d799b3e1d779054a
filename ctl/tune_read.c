/*
 * Where alertctl tune reads: a server, a folder, a text of samples, or a drill. See tune.h.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/store/store.h"
#include "ctl/tune.h"
#include "ctl/tune_drill.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/base/parallel.h"
#include "lib/model/duration.h"
#include "lib/wire/exposition_parse.h"

enum {
    QUERY_BYTES_MAX = 512 << 20,
    PIECE_MAX_MS = 86400000,
    ARENA_BYTES_MAX = 16 << 20,
    RAW_SAMPLES_MAX = 20 * 1000 * 1000,
    WARM_MS = 2 * 3600000, /* more than a reading warms up for */
    TEXT_BYTES_MAX = 1 << 30,
    TEXT_SAMPLES_MAX = 100 * 1000 * 1000,
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

/* --- samples of a server --- */

static int on_raw(void *arg,
                  const struct labels *labels,
                  const struct sample *samples,
                  size_t n,
                  struct err *reterr)
{
    struct tune_past *past = arg;

    past->n_raw += n;
    if (past->n_raw > RAW_SAMPLES_MAX)
        return err_set(reterr, -E2BIG,
                       "more than %d samples of it at once: ask for fewer series, or for a shorter "
                       "time",
                       RAW_SAMPLES_MAX);
    for (size_t i = 0; i < n; i++)
        memory_source_add(&past->memory, labels, samples[i].t_ms, samples[i].value);
    return 0;
}

static int select_raw(void *self,
                      const struct source_query *query,
                      struct arena *arena,
                      struct source_selection *ret_selection,
                      struct err *reterr)
{
    struct tune_past *past = self;
    STR_AUTO struct str selector = STR_INIT(PROMQL_TEXT_MAX);

    memory_source_done(&past->memory);
    past->memory = (struct memory_source){0};
    past->n_raw = 0;
    str_addc(&selector, '{');
    for (size_t i = 0; i < query->n_matchers; i++) {
        str_add(&selector, i ? "," : "");
        matcher_print(&query->matchers[i], &selector);
    }
    str_addc(&selector, '}');
    int r = origin_read(&past->origin, str_text(&selector), query->from_ms, query->to_ms, on_raw,
                        past, reterr);
    const struct source memory = memory_source_of(&past->memory);
    return r == 0 ? memory.select(memory.self, query, arena, ret_selection, reterr) : r;
}

static int read_raw(void *self,
                    const struct source_query *query,
                    const struct source_match *match,
                    struct arena *arena,
                    struct source_columns *columns,
                    struct err *reterr)
{
    struct tune_past *past = self;
    const struct source memory = memory_source_of(&past->memory);

    return memory.read(memory.self, query, match, arena, columns, reterr);
}

/* --- a text, a drill --- */

static void read_memory(struct tune_past *past, struct source source)
{
    past->source = source;
    past->over = (struct reading_source){
        .source = &past->source, .query_bytes = QUERY_BYTES_MAX, .told = past->told};
    past->reader = reading_of_source(&past->over);
}

struct text_read {
    struct tune_past *past;
    size_t n;
};

static int on_text_sample(void *arg, const struct exposition_sample *sample, struct err *reterr)
{
    struct text_read *read = arg;

    if (!sample->has_time)
        return err_at(reterr, EXPOSITION_E_SYNTAX, sample->line, 1,
                      "this sample has no time stamp: a past needs one");
    if (++read->n > TEXT_SAMPLES_MAX)
        return err_at(reterr, EXPOSITION_E_LIMIT, sample->line, 1,
                      "more than %d samples: import them into a folder instead", TEXT_SAMPLES_MAX);
    const struct labels *labels = labels_new(sample->labels, sample->n);

    memory_source_add(&read->past->memory, labels, sample->t_ms, sample->value);
    labels_unref(labels);
    if (sample->t_ms > read->past->now_ms)
        read->past->now_ms = sample->t_ms;
    return 0;
}

static enum ctl_exit read_text(const struct ctl *ctl, const char *path, struct tune_past *past)
{
    struct text_read read = {.past = past};
    const struct exposition_visitor visitor = {
        .sample = on_text_sample, .arg = &read, .openmetrics = true};
    char *text = NULL;
    size_t len = 0;
    struct err err = {0};

    past->is_text = true;
    if (fs_read(path, TEXT_BYTES_MAX, &text, &len, &err) != 0)
        return ctl_fail(ctl, "%s", err.text);
    int r = exposition_parse(text, len, &visitor, &err);

    free(text);
    if (r != 0)
        return ctl_fail(ctl, "%s:%u:%u: %s", path, err.line, err.column, err.text);
    read_memory(past, memory_source_of(&past->memory));
    return CTL_OK;
}

static enum ctl_exit read_drill(const struct ctl *ctl, const char *path, struct tune_past *past)
{
    enum ctl_exit status = tune_drill_play(ctl, path, &past->drill);

    past->is_text = true;
    if (status != CTL_OK)
        return status;
    past->now_ms = past->drill->past.to_ms;
    read_memory(past, drill_world_source(past->drill->played.world));
    return CTL_OK;
}

static void read_server(struct tune_past *past, const char *url, const char *token)
{
    origin_init(&past->origin, url, token, PIECE_MAX_MS);
    past->has_origin = true;
    past->origin.told = past->told;
    past->reader = (struct tune_reader){.read = read_origin, .reader = &past->origin};
    past->source = (struct source){select_raw, read_raw, past};
}

static enum ctl_exit read_session(const struct ctl *ctl, const char *text, struct tune_past *past)
{
    enum ctl_exit status = tune_drill_session(ctl, text, &past->drill);

    if (status != CTL_OK)
        return status;
    past->now_ms = past->drill->past.to_ms;
    read_server(past, past->drill->url, ctl->token);
    return CTL_OK;
}

int64_t tune_past_phase_ms(const struct tune_past *past, int64_t interval_ms)
{
    return past->drill ? drill_past_phase_ms(&past->drill->past, interval_ms) : 0;
}

enum ctl_exit tune_past_init(struct tune_past *past, const struct ctl *ctl)
{
    const char *folder = ctl_option(ctl, "store");
    const char *text = ctl_option(ctl, "openmetrics");
    const char *drill = ctl_option(ctl, "drill");
    const char *session = ctl_option(ctl, "session");

    *past = (struct tune_past){.is_store = folder != NULL, .told = told_new()};
    if (drill && session) {
        (void)ctl_fail(ctl, "say one of them, --drill or --session");
        return CTL_USAGE;
    }
    if (text && !folder)
        return read_text(ctl, text, past);
    if (drill && !folder)
        return read_drill(ctl, drill, past);
    if (session && !folder)
        return read_session(ctl, session, past);
    if (folder) {
        enum ctl_exit status = store_asker_init(&past->store, ctl, folder, PIECE_MAX_MS);
        if (status != CTL_OK)
            return status;
        past->stored = store_source(past->store.store);
        past->telling = (struct told_of){&past->stored, past->told};
        past->source = told_source(&past->telling);
        past->over = (struct reading_source){
            .source = &past->source,
            .query_bytes = QUERY_BYTES_MAX,
            .at_once_fn = parallel_each,
            .told = past->told,
        };
        past->reader = reading_of_source(&past->over);
        past->now_ms = past->store.now_ms;
        return CTL_OK;
    }
    read_server(past, ctl->url, ctl->token);
    past->now_ms = clock_wall_ms();
    return CTL_OK;
}

/* --- as it was known then --- */

static int copy_past(struct tune_past *past, const struct tune_ask *ask, struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct inputs inputs;

    arena_init(&arena, ARENA_BYTES_MAX);
    past->copied = memory_source_of(&past->copy);
    past->late.source = &past->copied;
    int r = inputs_of(ask->rule->expr, &arena, &inputs, reterr);
    if (r != 0)
        return r;
    return inputs_copy(&inputs, &past->source, ask->from_ms - WARM_MS - ask->for_ms, ask->to_ms,
                       NULL, &past->copy, reterr);
}

enum ctl_exit tune_past_late(struct tune_past *past,
                             const struct ctl *ctl,
                             const struct tune_ask *ask)
{
    const char *lag = ctl_option(ctl, "ingest-lag");
    struct err err = {0};

    if (!lag)
        return CTL_OK;
    past->late = (struct late){
        .source = &past->source,
        .limits = {.query_bytes = QUERY_BYTES_MAX, .told = past->told},
    };
    if (duration_parse(lag, strlen(lag), &past->late.lag_ms) != 0 || past->late.lag_ms < 0) {
        (void)ctl_fail(ctl, "--ingest-lag is a duration like 30s");
        return CTL_USAGE;
    }
    if (past->has_origin && copy_past(past, ask, &err) != 0)
        return ctl_fail(ctl, "%s: %s", ask->rule->name, err.text);
    past->at_once = past->reader;
    past->reader = late_reader(&past->late);
    return CTL_OK;
}

void tune_past_done(struct tune_past *past)
{
    if (past->is_store)
        store_asker_done(&past->store);
    if (past->has_origin)
        origin_done(&past->origin);
    memory_source_done(&past->memory);
    memory_source_done(&past->copy);
    tune_drill_free(past->drill);
    told_free(past->told);
}
