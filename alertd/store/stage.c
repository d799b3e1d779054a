/*
 * A batch against what is known: which samples are new, which are there already, which
 * are refused and why. Runs on the store's thread; changes nothing that a select sees but
 * the list of series.
 *
 *     sample later than all of its series    -> new, no look-up
 *     otherwise                              -> is that time in memory? in a chunk on disk?
 *     same series staged by another batch of this group, overlapping -> STAGE_LATER
 */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/store/private.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"

enum {
    OLDEST_MS = 86400000, /* how far back a sample may lie: as long as an agent spools */
    AHEAD_MS = 600000,    /* how far ahead, as Prometheus */
    SERIES_MAX = 1000000, /* when the options say nothing, as the next two */
    NEW_SERIES_MAX = 200000,
    NEW_SERIES_A_PUSHER_MAX = 100000,
    LOW_WATER_MAX = 256 << 20,
    PRINT_BYTES_MAX = 1 << 16, /* labels put together for a message */
    KNOWN_MS = 3600000,        /* of a series, read from the file at once */
};

/* What chunks on disk have of a segment within [from_ms, from_ms + KNOWN_MS): who sends a series
 * again sends many samples of it, and each look into the file unpacks whole chunks. Good for one
 * batch, as sealing waits for it. */
struct known {
    const struct segment *segment; /* NULL: nothing is read yet */
    int64_t from_ms;
    struct columns columns;
};

struct staging {
    struct store *store;
    struct request *request;
    struct partition *partition; /* of the sample before: mostly the same day */
    struct known known;
    bool must_sort;
    bool overlaps; /* with another batch of the group */
};

/* The series of an entry. */
struct named {
    struct series *series;       /* NULL: not known yet */
    const struct labels *labels; /* NULL: the series' */
};

static void print_labels(const struct store *store, const struct named *named, struct str *out)
{
    ARENA_AUTO struct arena arena;

    arena_init(&arena, PRINT_BYTES_MAX);
    const struct labels *labels = named->labels
                                      ? named->labels
                                      : index_labels(&store->index, named->series, &arena);
    if (labels)
        labels_print(labels, out);
}

static size_t *count_of(struct store_outcome *outcome, enum store_reason reason)
{
    switch (reason) {
    case STORE_TOO_OLD: return &outcome->rejected_too_old;
    case STORE_TOO_NEW: return &outcome->rejected_too_new;
    case STORE_SERIES_LIMIT: return &outcome->rejected_series_limit;
    case STORE_NEW_SERIES_LIMIT: return &outcome->rejected_new_series_limit;
    case STORE_INVALID:
    case STORE_N_REASONS: break;
    }
    return &outcome->rejected_invalid;
}

static void reject(struct staging *staging,
                   enum store_reason reason,
                   const struct named *named,
                   int64_t t_ms,
                   const char *why)
{
    struct store_outcome *outcome = &staging->request->outcome;

    if (++*count_of(outcome, reason) > 1)
        return;
    STR_AUTO struct str text = STR_INIT(120);
    char when[CLOCK_TEXT_MAX];
    print_labels(staging->store, named, &text);
    (void)snprintf(outcome->examples[reason], sizeof(outcome->examples[reason]), "%s",
                   str_text(&text));
    if (!outcome->first_rejection[0])
        (void)snprintf(outcome->first_rejection, sizeof(outcome->first_rejection),
                       "%s: %.80s at %s", why, str_text(&text), clock_rfc3339(t_ms, when));
}

/* Below it nothing is taken: what is left is for what is stored already. Small disks keep
 * a share. */
static bool disk_is_low(struct store *store)
{
    unsigned long long free_bytes = 0;
    unsigned long long total_bytes = 0;

    if (fs_space(store->folder, &free_bytes, &total_bytes) < 0)
        return false;
    unsigned long long low_water = store->options.low_water_bytes;
    if (low_water == 0) {
        low_water = total_bytes / 20;
        if (low_water < LOW_WATER_MAX && total_bytes > 4ULL * LOW_WATER_MAX)
            low_water = LOW_WATER_MAX;
    }
    return free_bytes < low_water;
}

/* A time nobody may push: counted, and true. */
static bool is_out_of_bounds(struct staging *staging, const struct named *named, int64_t t_ms)
{
    const struct store_options *options = &staging->store->options;
    int64_t now_ms = staging->request->now_ms;
    bool is_day_enough = !staging->request->batch->history && options->retention_ms > OLDEST_MS;
    int64_t oldest_ms = is_day_enough ? OLDEST_MS : options->retention_ms;

    if (options->retention_ms > 0 && !staging->request->batch->internal) {
        if (t_ms < now_ms - oldest_ms) {
            reject(staging, STORE_TOO_OLD, named, t_ms,
                   is_day_enough ? "too old (more than 24 h)"
                                 : "too old (--storage.retention.time)");
            return true;
        }
        if (t_ms > now_ms + AHEAD_MS) {
            reject(staging, STORE_TOO_NEW, named, t_ms, "more than 10 minutes ahead of this clock");
            return true;
        }
    }
    if (!partition_has_day(t_ms)) {
        reject(staging, STORE_INVALID, named, t_ms, "outside of the years 1 to 9999");
        return true;
    }
    return false;
}

static size_t limit_or(size_t limit, size_t otherwise)
{
    return limit ? limit : otherwise;
}

/* A series more than may be: counted, and true. What alertd writes itself is always taken, and
 * an import brings old series, not new ones. */
static bool is_beyond_limits(struct staging *staging, const struct named *named, int64_t t_ms)
{
    struct store *store = staging->store;
    const struct store_options *options = &store->options;
    const struct store_batch *batch = staging->request->batch;
    size_t max = limit_or(options->max_series, SERIES_MAX);
    size_t max_new = limit_or(options->max_new_series_an_hour, NEW_SERIES_MAX);
    size_t max_a_pusher = limit_or(options->max_new_series_an_hour_a_pusher,
                                   NEW_SERIES_A_PUSHER_MAX);
    char why[200];

    if (batch->internal)
        return false;
    if (store->stats.series >= max) {
        (void)snprintf(why, sizeof(why), "%zu series are the limit (--limit.series)", max);
        reject(staging, STORE_SERIES_LIMIT, named, t_ms, why);
        return true;
    }
    (void)pthread_rwlock_wrlock(&store->lock);
    enum churn_verdict verdict = batch->history
                                     ? CHURN_FITS
                                     : churn_take(&store->churn, batch->pusher,
                                                  staging->request->now_ms, max_new, max_a_pusher);
    (void)pthread_rwlock_unlock(&store->lock);
    if (verdict == CHURN_FITS)
        return false;
    if (verdict == CHURN_TOTAL_FULL)
        (void)snprintf(why, sizeof(why),
                       "%zu new series within an hour are the limit "
                       "(--limit.new-series-per-hour)",
                       max_new);
    else
        (void)snprintf(why, sizeof(why),
                       "%zu new series within an hour from \"%.40s\" are the limit "
                       "(--limit.new-series-per-hour-per-pusher)",
                       max_a_pusher, batch->pusher);
    reject(staging, STORE_NEW_SERIES_LIMIT, named, t_ms, why);
    return true;
}

/* The series' segment of that day, and the series, which may be new. NULL with *ret_r 0:
 * refused and counted. */
static struct segment *find_segment(struct staging *staging,
                                    struct named *named,
                                    int64_t t_ms,
                                    int *ret_r)
{
    struct store *store = staging->store;
    struct request *request = staging->request;
    int64_t day_ms = partition_day_of(t_ms);

    *ret_r = 0;
    if (!staging->partition || staging->partition->day_ms != day_ms)
        *ret_r = store_partition_for_append(store, day_ms, &staging->partition, &request->err);
    if (*ret_r != 0)
        return NULL;
    if (!named->series) /* the day's file may just have made it known */
        named->series = index_find(&store->index, named->labels);
    struct series *series = named->series;
    for (struct segment *segment = series ? series->segments : NULL; segment;
         segment = segment->next)
        if (segment->partition == staging->partition)
            return segment;
    if ((!series || !series->segments) && is_beyond_limits(staging, named, t_ms))
        return NULL;
    struct segment *segment = store_segment(store, staging->partition, series, named->labels, false,
                                            staging->partition->next_local_id++);
    named->series = segment->series;
    return segment;
}

static int read_known(struct known *known,
                      const struct segment *segment,
                      int64_t t_ms,
                      struct err *err)
{
    const struct partition *partition = segment->partition;
    int64_t from_ms = t_ms - (t_ms - partition->day_ms) % KNOWN_MS;
    struct db_conn *conn;
    size_t n_damaged = 0;

    if (known->segment == segment && known->from_ms == from_ms)
        return 0;
    known->segment = NULL;
    known->columns.n = 0;
    int r = db_read_begin(partition->db, &conn, err);
    if (r != 0)
        return r;
    r = partition_read_chunks(conn, segment->local_id, from_ms, from_ms + KNOWN_MS - 1,
                              &known->columns, &n_damaged, err);
    db_read_end(partition->db, conn);
    if (r != 0)
        return r;
    columns_settle(&known->columns);
    known->segment = segment;
    known->from_ms = from_ms;
    return 0;
}

static bool known_has(const struct known *known, int64_t t_ms)
{
    size_t place = times_lower_bound(known->columns.t_ms, known->columns.n, t_ms);

    return place < known->columns.n && known->columns.t_ms[place] == t_ms;
}

/* Is it stored already? Only asked when it is not later than all of its series. */
static int is_stored(struct staging *staging,
                     const struct segment *segment,
                     int64_t t_ms,
                     bool *ret_stored)
{
    const struct partition *partition = segment->partition;

    *ret_stored = segment_has(segment, t_ms);
    if (*ret_stored || !partition->has_chunks || t_ms > segment->sealed_to_ms ||
        t_ms < partition->chunk_min_ms || t_ms > partition->chunk_max_ms)
        return 0;
    int r = read_known(&staging->known, segment, t_ms, &staging->request->err);
    *ret_stored = r == 0 && known_has(&staging->known, t_ms);
    return r;
}

/* What this group staged of the segment; NULL: nothing yet. A segment's place in the list may
 * be of an earlier group, so the list is asked whose place it is. */
static struct touch *touch_of(const struct store *store, const struct segment *segment)
{
    uint32_t at = segment_touch(segment);
    struct touch *touch = at < store->n_touches ? &store->touches[at] : NULL;

    return touch && touch->segment == segment ? touch : NULL;
}

static struct touch *touch(struct store *store, struct segment *segment, int64_t t_ms)
{
    struct touch *known = touch_of(store, segment);

    if (known)
        return known;
    store->touches = mem_grow(store->touches, &store->touches_capacity, store->n_touches + 1,
                              sizeof(*store->touches));
    assert(store->n_touches <= INT32_MAX);
    segment_set_touch(segment, (uint32_t)store->n_touches);
    store->touches[store->n_touches] = (struct touch){
        .segment = segment, .min_ms = t_ms, .max_ms = t_ms};
    return &store->touches[store->n_touches++];
}

static void push_staged(struct staging *staging, struct segment *segment, struct sample sample)
{
    struct store *store = staging->store;
    struct touch *touched = touch(store, segment, sample.t_ms);

    touched->by = staging->request;
    if (sample.t_ms < touched->min_ms)
        touched->min_ms = sample.t_ms;
    if (sample.t_ms > touched->max_ms)
        touched->max_ms = sample.t_ms;
    store->staged = mem_grow(store->staged, &store->staged_capacity, store->n_staged + 1,
                             sizeof(*store->staged));
    store->staged[store->n_staged] = (struct staged){
        segment, sample, (uint32_t)(store->n_staged - staging->request->first_staged)};
    store->n_staged++;
}

static int stage_sample(struct staging *staging, struct segment *segment, struct sample sample)
{
    bool stored = false;

    const struct touch *touched = touch_of(staging->store, segment);

    if (touched && sample.t_ms <= touched->max_ms) {
        if (touched->by == staging->request)
            staging->must_sort = true;
        else if (sample.t_ms >= touched->min_ms)
            staging->overlaps = true;
    }
    if (sample.t_ms <= segment_last_ms(segment)) {
        int r = is_stored(staging, segment, sample.t_ms, &stored);
        if (r != 0)
            return r;
    }
    if (stored)
        staging->request->outcome.duplicate++;
    else
        push_staged(staging, segment, sample);
    return 0;
}

static int unknown(const struct staging *staging)
{
    if (staging->request->batch->internal)
        return 0;
    return err_set(&staging->request->err, STORE_E_UNKNOWN,
                   "a series is told by a number that is no more");
}

static int stage_entry(struct staging *staging, size_t place)
{
    const struct store_batch *batch = staging->request->batch;
    const struct store_entry *entry = &batch->entries[place];
    struct named named = {.labels = entry->labels};
    struct segment *segment = NULL;
    int r;

    if (!named.labels)
        named.series = index_at(&staging->store->index, entry->series.number, entry->series.place);
    if (!named.labels && !named.series)
        return unknown(staging);
    for (size_t i = 0; i < entry->n && !staging->overlaps; i++) {
        int64_t t_ms = entry->samples[i].t_ms;
        if (is_out_of_bounds(staging, &named, t_ms))
            continue;
        if (!segment || segment->partition->day_ms != partition_day_of(t_ms)) {
            segment = find_segment(staging, &named, t_ms, &r);
            if (r != 0)
                return r;
            if (!segment)
                continue;
        }
        r = stage_sample(staging, segment, entry->samples[i]);
        if (r != 0)
            return r;
    }
    if (batch->ret_series && named.series)
        batch->ret_series[place] = (struct store_series){named.series->number, named.series->place};
    return 0;
}

static int compare_staged(const void *a, const void *b)
{
    const struct staged *x = a;
    const struct staged *y = b;

    if (x->segment != y->segment)
        return (uintptr_t)x->segment < (uintptr_t)y->segment ? -1 : 1;
    if (x->sample.t_ms != y->sample.t_ms)
        return x->sample.t_ms < y->sample.t_ms ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* By series and time; of two at one time the first in the body stays. */
static void sort_staged(struct store *store, struct request *request)
{
    struct staged *staged = store->staged + request->first_staged;
    size_t n = store->n_staged - request->first_staged;
    size_t kept = 0;

    if (n == 0)
        return;
    qsort(staged, n, sizeof(*staged), compare_staged);
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && staged[kept - 1].segment == staged[i].segment &&
            staged[kept - 1].sample.t_ms == staged[i].sample.t_ms) {
            request->outcome.duplicate++;
            continue;
        }
        staged[kept++] = staged[i];
    }
    store->n_staged = request->first_staged + kept;
}

/* What went wrong on the way, as the store's callers know it. */
static int result_of(int r)
{
    if (r == DB_E_FULL)
        return STORE_E_FULL;
    return r < 0 || r == STORE_E_UNKNOWN ? r : -EIO;
}

static enum stage_verdict answer(struct request *request, int result)
{
    request->result = result;
    return STAGE_ANSWERED;
}

/* NULL: it is told by labels, or was elsewhere when it was told. */
static const struct series *ahead(const struct store *store,
                                  const struct store_batch *batch,
                                  size_t i)
{
    if (i >= batch->n || batch->entries[i].labels ||
        batch->entries[i].series.place >= store->index.n)
        return NULL;
    return store->index.series[batch->entries[i].series.place];
}

/* Asks the memory, link by link, for what the entries some places ahead will need: of series that
 * are told by number nearly nothing is in the cache. */
static void look_ahead(const struct store *store, const struct store_batch *batch, size_t i)
{
    enum {
        FOR_SERIES = 24,
        FOR_SEGMENT = 16,
        FOR_OPEN = 8,
        FOR_END = 4,
    };
    const struct series *series = ahead(store, batch, i + FOR_SERIES);

    __builtin_prefetch(series);
    series = ahead(store, batch, i + FOR_SEGMENT);
    if (series && series->segments)
        segment_prefetch(series->segments);
    series = ahead(store, batch, i + FOR_OPEN);
    if (series && series->segments)
        segment_prefetch_runs(series->segments);
    series = ahead(store, batch, i + FOR_END);
    if (series && series->segments)
        segment_prefetch_end(series->segments);
}

enum stage_verdict stage_batch(struct store *store, struct request *request)
{
    const struct store_batch *batch = request->batch;
    struct staging staging = {.store = store, .request = request};

    request->first_staged = store->n_staged;
    request->outcome = (struct store_outcome){0};
    int r = replay_check(store, request);
    if (r != 0)
        return answer(request, r == 1 && request->outcome.replayed ? 0 : r);
    if (disk_is_low(store))
        return answer(request,
                      err_set(&request->err, STORE_E_FULL,
                              "the disk of %s is nearly full: nothing is taken until there "
                              "is room",
                              store->folder));
    for (size_t i = 0; i < batch->n && r == 0 && !staging.overlaps; i++) {
        look_ahead(store, batch, i);
        r = stage_entry(&staging, i);
    }
    columns_done(&staging.known.columns);
    if (r != 0 || staging.overlaps) {
        store->n_staged = request->first_staged;
        return r != 0 ? answer(request, result_of(r)) : STAGE_LATER;
    }
    if (staging.must_sort)
        sort_staged(store, request);
    request->n_staged = store->n_staged - request->first_staged;
    size_t n_limited = request->outcome.rejected_series_limit +
                       request->outcome.rejected_new_series_limit;
    if (request->n_staged == 0 && n_limited > 0 && request->outcome.duplicate == 0)
        return answer(request, err_set(&request->err, STORE_E_LIMIT, "nothing is stored: %s",
                                       request->outcome.first_rejection));
    return STAGE_READY;
}
