/*
 * From a pushed body to stored samples. See ingest.h.
 *
 * The batch is built in growing arrays: entries know their first sample by place, because
 * the array of samples moves while it grows, and get their pointers at the end.
 */

#include "alertd/ingest/ingest.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/ingest/batch.h"
#include "alertd/ingest/series_cache.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/model/hash.h"
#include "lib/wire/exposition_parse.h"
#include "lib/wire/remote_write2_decode.h"
#include "lib/wire/remote_write_decode.h"

enum {
    STALE_WITHIN_MS = 3600000,
    RESERVE_MAX = 2048,
};

struct ingest {
    struct store *store;
    struct agents *agents;
    struct series_cache *cache;
    struct families *families;
    struct offenders *offenders;
    struct ingest_limits limits;
    atomic_size_t n_usual; /* series of the body before: the next one has about as many */
    atomic_ullong bodies, bodies_refused, bytes, samples_refused[INGEST_N_REFUSALS];
};

static size_t limit_or(size_t limit, size_t otherwise)
{
    return limit ? limit : otherwise;
}

static struct ingest_limits complete(const struct ingest_limits *limits)
{
    struct ingest_limits none = {0};

    limits = limits ? limits : &none;
    size_t labels = limit_or(limits->labels, 64);
    return (struct ingest_limits){
        .labels = labels < INGEST_LABELS_MAX ? labels : INGEST_LABELS_MAX,
        .name_bytes = limit_or(limits->name_bytes, 256),
        .value_bytes = limit_or(limits->value_bytes, 1024),
        .samples = limit_or(limits->samples, 100000),
        .body_bytes = limit_or(limits->body_bytes, (size_t)32 << 20),
    };
}

struct ingest *ingest_new(struct store *store, const struct ingest_limits *limits)
{
    struct ingest *ingest = mem_zalloc(sizeof(*ingest));

    ingest->store = store;
    ingest->agents = agents_new();
    ingest->cache = series_cache_new();
    ingest->families = families_new();
    ingest->offenders = offenders_new();
    ingest->limits = complete(limits);
    return ingest;
}

void ingest_free(struct ingest *ingest)
{
    if (!ingest)
        return;
    agents_free(ingest->agents);
    series_cache_free(ingest->cache);
    families_free(ingest->families);
    offenders_free(ingest->offenders);
    free(ingest);
}

const struct ingest_limits *ingest_limits(const struct ingest *ingest)
{
    return &ingest->limits;
}

struct families *ingest_families(struct ingest *ingest)
{
    return ingest->families;
}

struct offenders *ingest_offenders(struct ingest *ingest)
{
    return ingest->offenders;
}

struct agents *ingest_agents(struct ingest *ingest)
{
    return ingest->agents;
}

/* --- remote write --- */

static int on_series(void *arg, const struct remote_write_series *series, struct err *reterr)
{
    struct batch *batch = arg;
    struct label *pairs;
    size_t n;

    batch->n_unsupported += series->n_histograms;
    if (series->n == 0)
        return 0;
    /* who pushes a series now is not who brings its history */
    bool is_cached = series->raw_is_labels_only && !batch->body->is_history;
    struct hash128 key = series_cache_key(batch->cache, series->raw ? series->raw : "",
                                          series->raw_len, batch->salt);
    struct store_entry entry = {.samples = series->samples, .n = series->n};
    if (is_cached && !batch->without_cache)
        entry.series = series_cache_find(batch->cache, key, batch->pusher, batch->body->now_ms);
    if (entry.series.number) {
        batch_add(batch, &entry);
        batch_learn(batch, key);
        return 0;
    }
    struct err why = {0};
    arena_reset(&batch->scratch);
    int r = remote_write_labels(series, &batch->scratch, &pairs, &n, &why);
    if (r == REMOTE_WRITE_E_LABELS || r == REMOTE_WRITE_E_LIMIT) {
        batch_refuse(batch, series->n, INGEST_WRONG_LABELS, "", why.text);
        return 0;
    }
    if (r != 0)
        return err_set(reterr, r, "%s", why.text);
    entry.labels = batch_labels(batch, pairs, n, series->n);
    if (!entry.labels)
        return 0;
    batch_add(batch, &entry);
    if (is_cached)
        batch_learn(batch, key);
    return 0;
}

static int on_metadata(void *arg, const struct remote_write_metadata *metadata, struct err *reterr)
{
    const struct batch *batch = arg;
    enum metric_type type = metadata->type <= METRIC_STATESET ? (enum metric_type)metadata->type
                                                              : METRIC_UNKNOWN;

    (void)reterr;
    families_note(batch->families, metadata->family, metadata->family_len, &type, metadata->help,
                  metadata->help_len);
    return 0;
}

static int read_remote_write(struct batch *batch, struct err *reterr)
{
    const struct remote_write_visitor visitor = {.series = on_series,
                                                 .metadata = on_metadata,
                                                 .arg = batch,
                                                 .max_samples = batch->limits->samples};
    MEM_AUTO char *bytes = NULL;
    size_t len;

    int r = remote_write_uncompress(batch->body->bytes, batch->body->len, batch->limits->body_bytes,
                                    &bytes, &len, reterr);
    if (r == 0)
        r = batch->body->format == INGEST_REMOTE_WRITE_2
                ? remote_write2_decode(bytes, len, &visitor, reterr)
                : remote_write_decode(bytes, len, &visitor, reterr);
    if (r == REMOTE_WRITE_E_TOO_LARGE || r == REMOTE_WRITE_E_LIMIT)
        return err_prefix(reterr, INGEST_E_TOO_LARGE, "%s",
                          r == REMOTE_WRITE_E_LIMIT ? "--limit.samples-per-body"
                                                    : "--limit.body-bytes");
    return r > 0 ? INGEST_E_MALFORMED : r;
}

/* --- text --- */

static int on_sample(void *arg, const struct exposition_sample *sample, struct err *reterr)
{
    struct batch *batch = arg;
    const struct sample one = {sample->has_time ? sample->t_ms : batch->body->default_t_ms,
                               sample->value};

    if (batch->n_samples >= batch->limits->samples)
        return err_set(reterr, INGEST_E_TOO_LARGE,
                       "more than %zu samples in one body (--limit.samples-per-body): send less",
                       batch->limits->samples);
    const struct store_entry entry = {
        .labels = batch_labels(batch, sample->labels, sample->n, 1), .samples = &one, .n = 1};
    if (entry.labels)
        batch_add(batch, &entry);
    return 0;
}

static int on_comment(
    void *arg, const char *what, const char *family, const char *text, struct err *reterr)
{
    const struct batch *batch = arg;

    (void)reterr;
    if (strcmp(what, "HELP") == 0)
        families_note(batch->families, family, strlen(family), NULL, text, strlen(text));
    for (unsigned type = 0; strcmp(what, "TYPE") == 0 && type <= METRIC_STATESET; type++) {
        enum metric_type one = (enum metric_type)type;

        if (strcmp(text, metric_type_name(one)) == 0)
            families_note(batch->families, family, strlen(family), &one, NULL, 0);
    }
    return 0;
}

static int read_text(struct batch *batch, struct err *reterr)
{
    const struct exposition_visitor visitor = {.sample = on_sample,
                                               .metadata = on_comment,
                                               .arg = batch,
                                               .openmetrics = batch->body->format ==
                                                              INGEST_OPENMETRICS};

    if (batch->body->len > batch->limits->body_bytes)
        return err_set(reterr, INGEST_E_TOO_LARGE,
                       "a body of %zu bytes, %zu at most (--limit.body-bytes)", batch->body->len,
                       batch->limits->body_bytes);
    int r = exposition_parse(batch->body->bytes, batch->body->len, &visitor, reterr);
    if (r != EXPOSITION_E_SYNTAX && r != EXPOSITION_E_LIMIT)
        return r;
    if (reterr)
        return err_prefix(reterr, INGEST_E_MALFORMED, "line %u, column %u", reterr->line,
                          reterr->column);
    return INGEST_E_MALFORMED;
}

/* --- storing --- */

static int public_result(int r)
{
    switch (r) {
    case STORE_E_CONFLICT: return INGEST_E_CONFLICT;
    case STORE_E_FULL: return INGEST_E_FULL;
    case STORE_E_LIMIT: return INGEST_E_LIMIT;
    default: return r;
    }
}

static void add_reason(struct str *out, size_t n, const char *what)
{
    if (n > 0)
        str_addf(out, "%s%zu %s", out->len ? ", " : "", n, what);
}

/* --- who is refused what --- */

static const char *pusher_of(const struct ingest_body *body)
{
    if (body->agent && body->agent[0])
        return body->agent;
    return body->source && body->source[0] ? body->source : "unknown";
}

static void note_offender(struct ingest *ingest,
                          const struct ingest_body *body,
                          const char *reason,
                          size_t n,
                          const char *series)
{
    struct offender seen = {
        .reason = reason, .first_ms = body->now_ms, .last_ms = body->now_ms, .n = n};

    if (n == 0)
        return;
    (void)snprintf(seen.pusher, sizeof(seen.pusher), "%s", pusher_of(body));
    (void)snprintf(seen.series, sizeof(seen.series), "%s", series);
    offenders_note(ingest->offenders, &seen);
}

static void note_outcome(struct ingest *ingest,
                         const struct batch *batch,
                         const struct store_outcome *outcome)
{
    const struct ingest_body *body = batch->body;

    for (int i = 0; i < INGEST_N_REFUSALS; i++) {
        atomic_fetch_add(&ingest->samples_refused[i], batch->refused[i]);
        note_offender(ingest, body, ingest_refusal_name((enum ingest_refusal)i), batch->refused[i],
                      batch->examples[i]);
    }
    if (outcome->replayed)
        return;
    note_offender(ingest, body, "too_old", outcome->rejected_too_old,
                  outcome->examples[STORE_TOO_OLD]);
    note_offender(ingest, body, "too_new", outcome->rejected_too_new,
                  outcome->examples[STORE_TOO_NEW]);
    note_offender(ingest, body, "series_limit", outcome->rejected_series_limit,
                  outcome->examples[STORE_SERIES_LIMIT]);
    note_offender(ingest, body, "new_series_limit", outcome->rejected_new_series_limit,
                  outcome->examples[STORE_NEW_SERIES_LIMIT]);
    note_offender(ingest, body, "invalid", outcome->rejected_invalid,
                  outcome->examples[STORE_INVALID]);
}

/* The counts in words, for whoever reads the answer. */
static void describe(const struct batch *batch, struct ingest_answer *answer)
{
    STR_AUTO struct str reasons = STR_INIT(200);
    const struct store_outcome *outcome = &answer->outcome;
    const char *first = batch->first_refusal[0] ? batch->first_refusal : outcome->first_rejection;

    answer->outcome.rejected_invalid += batch->n_refused;
    answer->n_refused = outcome->rejected_too_old + outcome->rejected_too_new +
                        outcome->rejected_series_limit + outcome->rejected_new_series_limit +
                        outcome->rejected_invalid;
    answer->n_unsupported = batch->n_unsupported;
    add_reason(&reasons, outcome->rejected_too_old, "too old");
    add_reason(&reasons, outcome->rejected_too_new, "too far ahead");
    add_reason(&reasons, outcome->rejected_series_limit, "of series beyond the limit");
    add_reason(&reasons, outcome->rejected_new_series_limit, "of new series beyond the limit");
    add_reason(&reasons, outcome->rejected_invalid, "invalid");
    size_t n = batch->n_samples + batch->n_refused;
    if (answer->n_refused > 0)
        (void)snprintf(answer->partial, sizeof(answer->partial),
                       "%zu of %zu samples refused (%s)%s; first: %s", answer->n_refused, n,
                       str_text(&reasons), answer->n_refused < n ? ", the others are stored" : "",
                       first);
}

/* Which series the store says they are: new ones, and those that moved. */
static void teach_cache(const struct batch *batch, const struct store_series *told)
{
    for (size_t i = 0; i < batch->n_lessons; i++) {
        const struct lesson *lesson = &batch->lessons[i];
        const struct store_series *series = &told[lesson->entry];
        const struct store_entry *entry = &batch->entries[lesson->entry];

        if (series->number &&
            (series->number != entry->series.number || series->place != entry->series.place))
            series_cache_put(batch->cache, lesson->key, *series, batch->pusher,
                             batch->body->now_ms);
    }
}

static int store_batch(struct ingest *ingest,
                       struct batch *batch,
                       struct ingest_answer *ret_answer,
                       struct err *reterr)
{
    const struct ingest_body *body = batch->body;
    MEM_AUTO struct store_series *told = mem_zalloc(batch->n_entries * sizeof(*told));
    bool named = body->agent && body->agent[0];
    const struct store_batch to_store = {.entries = batch_entries(batch),
                                         .n = batch->n_entries,
                                         .agent = named && body->sequence ? body->agent : NULL,
                                         .epoch = body->epoch,
                                         .sequence = body->sequence,
                                         .body_hash = hash64(body->bytes, body->len),
                                         .internal = body->own_labels != NULL,
                                         .pusher = pusher_of(body),
                                         .history = body->is_history,
                                         .ret_series = told};
    struct ingest_answer answer = {0};

    int r = store_append(ingest->store, &to_store, &answer.outcome, reterr);
    note_outcome(ingest, batch, &answer.outcome);
    if (r != 0)
        return public_result(r);
    teach_cache(batch, told);
    describe(batch, &answer);
    if (named && !body->is_history)
        agents_note(ingest->agents, &(struct agent_push){.id = body->agent,
                                                         .interval_ms = body->interval_ms,
                                                         .newest_ms = batch->newest_ms,
                                                         .wall_ms = body->now_ms,
                                                         .mono_ms = clock_mono_ms()});
    *ret_answer = answer;
    return 0;
}

static int check_agent(const struct ingest_body *body, struct err *reterr)
{
    bool bound = body->bound_agent && body->bound_agent[0];

    if (body->agent && body->agent[0] && !agent_id_ok(body->agent))
        return err_set(reterr, INGEST_E_MALFORMED,
                       "an agent's id is 1 to %d of letters, digits, '.', '_' and '-'",
                       AGENT_ID_MAX);
    if (bound && (!body->agent || strcmp(body->agent, body->bound_agent) != 0))
        return err_set(reterr, INGEST_E_FORBIDDEN, "this token pushes as agent \"%s\" only",
                       body->bound_agent);
    return 0;
}

static int read_and_store(struct ingest *ingest,
                          const struct ingest_body *body,
                          bool without_cache,
                          struct ingest_answer *ret_answer,
                          struct err *reterr)
{
    struct batch batch;

    batch_init(&batch, body, &ingest->limits, ingest->cache,
               body->agent ? agents_number(ingest->agents, body->agent) : 0);
    batch.families = ingest->families;
    batch.without_cache = without_cache;
    batch_reserve(&batch, atomic_load_explicit(&ingest->n_usual, memory_order_relaxed));
    bool is_text = body->format == INGEST_TEXT || body->format == INGEST_OPENMETRICS;
    int r = is_text ? read_text(&batch, reterr) : read_remote_write(&batch, reterr);
    if (r == 0)
        r = store_batch(ingest, &batch, ret_answer, reterr);
    size_t n = batch.n_entries < RESERVE_MAX ? batch.n_entries : RESERVE_MAX;
    atomic_store_explicit(&ingest->n_usual, n, memory_order_relaxed);
    batch_done(&batch);
    return r;
}

int ingest_push(struct ingest *ingest,
                const struct ingest_body *body,
                struct ingest_answer *ret_answer,
                struct err *reterr)
{
    int r = check_agent(body, reterr);

    atomic_fetch_add(&ingest->bodies, 1);
    atomic_fetch_add(&ingest->bytes, body->len);
    if (r == 0)
        r = read_and_store(ingest, body, false, ret_answer, reterr);
    if (r == STORE_E_UNKNOWN) /* the store has forgotten what the cache remembers */
        r = read_and_store(ingest, body, true, ret_answer, reterr);
    if (r != 0)
        atomic_fetch_add(&ingest->bodies_refused, 1);
    if (r == INGEST_E_TOO_LARGE)
        note_offender(ingest, body, "body_too_large", 1, "");
    return r;
}

/* --- a lost agent --- */

struct markers {
    struct store_entry *entries;
    size_t n, capacity;
    const struct sample *marker;
};

static void add_marker(void *arg, struct store_series series)
{
    struct markers *markers = arg;

    markers->entries = mem_grow(markers->entries, &markers->capacity, markers->n + 1,
                                sizeof(*markers->entries));
    markers->entries[markers->n++] = (struct store_entry){
        .samples = markers->marker, .n = 1, .series = series};
}

int ingest_mark_stale(struct ingest *ingest, const char *agent, int64_t at_ms, struct err *reterr)
{
    const struct sample marker = {at_ms, sample_stale()};
    struct markers markers = {.marker = &marker};
    struct store_outcome outcome;
    uint32_t number = agents_number(ingest->agents, agent);
    int r = 0;

    if (number)
        series_cache_of(ingest->cache, number, at_ms - STALE_WITHIN_MS, add_marker, &markers);
    if (markers.n > 0) {
        const struct store_batch batch = {
            .entries = markers.entries, .n = markers.n, .internal = true};
        r = store_append(ingest->store, &batch, &outcome, reterr);
    }
    free(markers.entries);
    return r;
}

static void count_one(void *arg, struct store_series series)
{
    ++*(size_t *)arg;
}

size_t ingest_count_series(struct ingest *ingest, const char *agent)
{
    uint32_t number = agents_number(ingest->agents, agent);
    size_t n = 0;

    if (number)
        series_cache_of(ingest->cache, number, INT64_MIN, count_one, &n);
    return n;
}

void ingest_stats(struct ingest *ingest, struct ingest_stats *ret_stats)
{
    *ret_stats = (struct ingest_stats){.bodies = atomic_load(&ingest->bodies),
                                       .bodies_refused = atomic_load(&ingest->bodies_refused),
                                       .bytes = atomic_load(&ingest->bytes),
                                       .cached_series = series_cache_size(ingest->cache),
                                       .cache_bytes = series_cache_bytes(ingest->cache)};
    for (int i = 0; i < INGEST_N_REFUSALS; i++)
        ret_stats->samples_refused[i] = atomic_load(&ingest->samples_refused[i]);
}
