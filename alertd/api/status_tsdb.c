/*
 * What takes the samples' space, in Prometheus' shape, and behind `watchbill` what it has no
 * place for: days on disk, limits and their use, who was refused what.
 */

#include "alertd/api/status_tsdb.h"

#include <stdlib.h>

#include "alertd/api/api.h"
#include "alertd/ingest/ingest.h"
#include "alertd/store/space.h"
#include "lib/base/mem.h"
#include "lib/json/write.h"

static void write_top(struct json_out *out, const char *key, const struct space_top *top)
{
    json_key(out, key);
    json_open(out, '[');
    for (size_t i = 0; i < top->n; i++) {
        const struct space_row *row = &top->rows[i];
        STR_AUTO struct str name = STR_INIT(4096);

        str_add(&name, row->name);
        if (row->value)
            str_addf(&name, "=%s", row->value);
        json_open(out, '{');
        json_kv_string(out, "name", str_text(&name));
        json_kv_int(out, "value", (int64_t)row->n);
        json_close(out, '}');
    }
    json_close(out, ']');
}

/* What file and log have besides samples: series, indexes, identities of batches, free pages,
 * and what the log has a second time. */
static uint64_t rest_of(const struct space_day *day)
{
    uint64_t samples = day->journal_bytes + day->chunk_bytes + day->rollup_bytes;
    uint64_t all = day->file_bytes + day->wal_bytes;

    return all > samples ? all - samples : 0;
}

static void write_ratio(struct json_out *out, uint64_t bytes, uint64_t samples)
{
    json_key(out, "bytes_per_sample");
    if (samples)
        json_float(out, (double)bytes / (double)samples);
    else
        json_null(out);
}

static void write_days(struct json_out *out, const struct space *space)
{
    json_key(out, "days");
    json_open(out, '[');
    for (size_t i = 0; i < space->n_days; i++) {
        const struct space_day *day = &space->days[i];

        json_open(out, '{');
        json_kv_string(out, "day", day->day);
        json_kv_int(out, "bytes", (int64_t)day->file_bytes);
        json_kv_int(out, "log_bytes", (int64_t)day->wal_bytes);
        json_kv_int(out, "journal_bytes", (int64_t)day->journal_bytes);
        json_kv_int(out, "chunk_bytes", (int64_t)day->chunk_bytes);
        json_kv_int(out, "packed_bytes", (int64_t)day->packed_bytes);
        json_kv_int(out, "rollup_bytes", (int64_t)day->rollup_bytes);
        json_kv_int(out, "other_bytes", (int64_t)rest_of(day));
        json_kv_int(out, "chunks", (int64_t)day->n_chunks);
        json_kv_int(out, "sealed_samples", (int64_t)day->chunk_samples);
        json_kv_int(out, "unsealed_samples", (int64_t)day->n_unsealed);
        write_ratio(out, day->file_bytes + day->wal_bytes, day->chunk_samples + day->n_unsealed);
        json_kv_int(out, "series_in_memory", (int64_t)day->n_series);
        json_kv_bool(out, "compact", day->is_compact);
        json_close(out, '}');
    }
    json_close(out, ']');
}

/* Counted, not guessed; what the allocator and the database's caches add is not in it. */
static void write_memory(struct json_out *out, const struct api *api, const struct space *space)
{
    struct ingest_stats stats;

    ingest_stats(api->ingest, &stats);
    json_key(out, "memory");
    json_open(out, '{');
    json_kv_int(out, "index_bytes", (int64_t)space->memory.index_bytes);
    json_kv_int(out, "series_days_bytes", (int64_t)space->memory.segment_bytes);
    json_kv_int(out, "open_chunks_bytes", (int64_t)space->memory.open_bytes);
    json_kv_int(out, "recent_copies_bytes", (int64_t)space->memory.recent_bytes);
    json_kv_int(out, "push_cache_bytes", (int64_t)stats.cache_bytes);
    json_close(out, '}');
}

static void write_limit(struct json_out *out, const char *flag, uint64_t used, uint64_t limit)
{
    json_open(out, '{');
    json_kv_string(out, "flag", flag);
    json_kv_int(out, "used", (int64_t)used);
    json_kv_int(out, "limit", (int64_t)limit);
    json_close(out, '}');
}

static void write_limits(struct json_out *out, struct store *store)
{
    struct store_stats stats;

    store_stats(store, &stats);
    json_key(out, "limits");
    json_open(out, '[');
    write_limit(out, "--limit.series", stats.series, stats.max_series);
    write_limit(out, "--limit.new-series-per-hour", stats.new_series_last_hour,
                stats.max_new_series_an_hour);
    json_open(out, '{');
    json_kv_string(out, "flag", "--limit.new-series-per-hour-per-pusher");
    json_kv_int(out, "used", (int64_t)stats.new_series_of_busiest);
    json_kv_int(out, "limit", (int64_t)stats.max_new_series_an_hour_a_pusher);
    json_kv_string(out, "pusher", stats.busiest_pusher);
    json_close(out, '}');
    json_close(out, ']');
}

static void write_offenders(struct json_out *out, struct ingest *ingest)
{
    MEM_AUTO struct offender *seen = mem_alloc(OFFENDERS_MAX * sizeof(*seen));
    size_t n = offenders_list(ingest_offenders(ingest), seen);

    json_key(out, "offenders");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(out, '{');
        json_kv_string(out, "pusher", seen[i].pusher);
        json_kv_string(out, "reason", seen[i].reason);
        json_kv_string(out, "series", seen[i].series);
        json_kv_int(out, "count", (int64_t)seen[i].n);
        json_kv_time(out, "first_at", seen[i].first_ms);
        json_kv_time(out, "last_at", seen[i].last_ms);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_own(struct json_out *out, const struct api *api, const struct space *space)
{
    json_key(out, "watchbill");
    json_open(out, '{');
    write_days(out, space);
    write_memory(out, api, space);
    write_limits(out, api->store);
    write_offenders(out, api->ingest);
    json_key(out, "set_aside");
    json_open(out, '[');
    for (size_t i = 0; i < space->n_set_aside; i++)
        json_string(out, space->set_aside[i]);
    json_close(out, ']');
    json_close(out, '}');
}

static void write_head(struct json_out *out, const struct space *space)
{
    json_key(out, "headStats");
    json_open(out, '{');
    json_kv_int(out, "numSeries", (int64_t)space->n_series);
    json_kv_int(out, "chunkCount", (int64_t)space->memory.n_chunks);
    json_kv_int(out, "numLabelPairs", (int64_t)space->n_pairs);
    json_kv_int(out, "minTime", space->oldest_ms);
    json_kv_int(out, "maxTime", space->n_days ? space->newest_ms + 86399999 : 0);
    json_close(out, '}');
}

void status_tsdb_get(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    const char *limit = http_query(request, "limit");
    char *end = NULL;
    long top = limit ? strtol(limit, &end, 10) : 10;
    struct space space;

    if (limit && (*end || end == limit || top < 1 || top > SPACE_TOP_MAX)) {
        http_fail(response, "bad_data", "limit: expected 1 to %d, got \"%.40s\"", SPACE_TOP_MAX,
                  limit);
        return;
    }
    if (store_space(api->store, (size_t)top, request->arena, &space) != 0) {
        http_fail(response, "unavailable", "not enough memory for this answer");
        return;
    }
    json_open(&out, '{');
    json_kv_string(&out, "status", "success");
    json_key(&out, "data");
    json_open(&out, '{');
    write_head(&out, &space);
    write_top(&out, "seriesCountByMetricName", &space.series_by_metric);
    write_top(&out, "labelValueCountByLabelName", &space.values_by_name);
    write_top(&out, "memoryInBytesByLabelName", &space.bytes_by_name);
    write_top(&out, "seriesCountByLabelValuePair", &space.series_by_pair);
    write_own(&out, api, &space);
    json_close(&out, '}');
    json_close(&out, '}');
}
