/*
 * Where detection went. See detection.h.
 */

#include "alertd/api/detection.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/promql/promql.h"
#include "alertd/promql/told.h"
#include "lib/base/clock.h"
#include "lib/model/duration.h"

enum {
    QUERY_BYTES_MAX = 64 * 1024 * 1024,
    ARENA_BYTES_MAX = 1024 * 1024,
    LOOK_BACK_MS = 5 * 60 * 1000,
    STEP_MS = 1000,
};

/* --- the breach --- */

/* The series that became the alert: its labels, but the name, are the alert's. */
static bool became(const struct labels *series, const struct labels *alert)
{
    for (uint32_t i = 0; i < series->n; i++) {
        const char *value = labels_get(alert, series->at[i].name);

        if (strcmp(series->at[i].name, "__name__") != 0 &&
            (!value || strcmp(value, series->at[i].value) != 0))
            return false;
    }
    return true;
}

/* Back from the end while every step has a point. */
static int64_t run_start(const struct promql_series *series, int64_t end_ms)
{
    int64_t at_ms = 0;

    for (size_t i = series->n; i > 0 && series->t_ms[i - 1] == end_ms; i--, end_ms -= STEP_MS)
        at_ms = end_ms;
    return at_ms;
}

static void find_breach(const struct api *api, struct detection *detection)
{
    const struct incident_alert *alert = detection->alert;
    int64_t timeout_ms = api->query_timeout_ms ? api->query_timeout_ms : 10000;
    const struct source store = store_source(api->store);
    struct told_of telling = {&store, NULL};
    const struct source source = told_source(&telling);
    const char *missing[TOLD_LIST_MAX];
    const struct promql_query query = {
        .start_ms = alert->active_at_ms - LOOK_BACK_MS,
        .end_ms = alert->active_at_ms,
        .step_ms = STEP_MS,
        .limits = {.max_samples = api->query_max_samples,
                   .lookback_ms = api->query_lookback_ms,
                   .deadline_ms = clock_mono_ms() + timeout_ms,
                   .now_fn = clock_mono_ms},
    };
    struct promql_value value = {0};
    struct promql_expr *expr = NULL;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, QUERY_BYTES_MAX);
    detection->why_no_breach = "its rule's expression is not known here";
    if (!*alert->expr || promql_parse(&arena, alert->expr, &expr, NULL))
        return;
    detection->why_no_breach = "its samples could not be read";
    telling.told = told_new();
    int r = promql_eval(expr, &source, &query, &arena, &value, NULL);
    bool is_whole = told_list(telling.told, missing) == 0;
    told_free(telling.told);
    if (r)
        return;
    detection->why_no_breach = is_whole
                                   ? "its samples are not stored any more, or did not hold then"
                                   : "not all samples of then could be read";
    for (size_t i = 0; i < value.n; i++)
        if (became(value.series[i].labels, alert->labels))
            detection->breach_at_ms = run_start(&value.series[i], query.end_ms);
    if (detection->breach_at_ms)
        detection->why_no_breach = NULL;
    if (detection->breach_at_ms == query.start_ms) { /* it held longer than anyone looked */
        detection->breach_at_ms = 0;
        detection->why_no_breach = "it held for more than 5 min before it was evaluated";
    }
}

/* --- each rule --- */

static int by_firing(const void *a, const void *b)
{
    const struct detection *x = a;
    const struct detection *y = b;

    return (x->firing_at_ms > y->firing_at_ms) - (x->firing_at_ms < y->firing_at_ms);
}

/* Of each rule the alert that fired first. */
static size_t pick(const struct incident_record *of, struct detection *detections)
{
    size_t n = 0;

    for (size_t i = 0; i < of->input.n_alerts; i++) {
        const struct incident_alert *alert = &of->input.alerts[i];
        size_t k = 0;

        while (k < n && (detections[k].alert->rule_id != alert->rule_id ||
                         strcmp(detections[k].alert->name, alert->name) != 0))
            k++;
        if (k == n && n == DETECTION_RULES_MAX)
            continue;
        if (k == n || alert->fired_at_ms < detections[k].alert->fired_at_ms)
            detections[k].alert = alert;
        n += k == n;
    }
    return n;
}

int detection_find(const struct api *api,
                   const struct incident_record *of,
                   struct arena *arena,
                   struct detection **ret_detections,
                   size_t *ret_n,
                   struct err *reterr)
{
    struct detection *detections = arena_array(arena, DETECTION_RULES_MAX, sizeof(*detections));
    struct db_conn *conn = NULL;

    if (!detections)
        return err_set(reterr, INCIDENT_DB_E_LIMIT, "too many rules fired");
    int r = db_read_begin(api->state, &conn, reterr);
    if (r)
        return r;

    size_t n = pick(of, detections);

    for (size_t i = 0; r == 0 && i < n; i++) {
        struct incident_page_times times = {0};
        struct detection *detection = &detections[i];

        r = incident_db_page_times(conn, of->incident.id, detection->alert, &times, reterr);
        detection->pending_at_ms = detection->alert->active_at_ms;
        detection->firing_at_ms = detection->alert->fired_at_ms;
        detection->owed_at_ms = times.owed_at_ms;
        detection->sent_at_ms = times.sent_at_ms;
        detection->acked_at_ms = of->record.marks[RECORD_ACKED].at_ms;
    }
    db_read_end(api->state, conn);
    if (r)
        return r;
    for (size_t i = 0; i < n; i++)
        find_breach(api, &detections[i]);
    if (n)
        qsort(detections, n, sizeof(*detections), by_firing);
    *ret_detections = detections;
    *ret_n = n;
    return 0;
}

/* --- as JSON --- */

#define MINUS " \xe2\x88\x92 "

/* A part of the way; not known where one end is not. */
struct part {
    const char *name, *formula;
    int64_t from_ms, to_ms;
    const char *why_not;
};

static void write_part(struct json_out *out, const struct part *part, int64_t whole_ms)
{
    bool known = part->from_ms && part->to_ms;
    int64_t ms = part->to_ms - part->from_ms;
    char span[DURATION_TEXT_MAX];

    json_open(out, '{');
    json_kv_string(out, "name", part->name);
    json_kv_string(out, "formula", part->formula);
    json_kv_bool(out, "known", known);
    json_key(out, "seconds");
    if (known)
        json_float(out, (double)ms / 1000);
    else
        json_null(out);
    json_key(out, "share");
    if (known && whole_ms > 0)
        json_float(out, (double)ms / (double)whole_ms);
    else
        json_null(out);
    if (known)
        json_kv_string(out, "text", duration_human(llabs(ms), span));
    else
        json_kv_string(out, "text", "not known");
    json_kv_string(out, "why", known ? NULL : part->why_not);
    json_close(out, '}');
}

static void write_one(struct json_out *out, const struct detection *of)
{
    const struct part parts[DETECTION_PARTS] = {
        {"evaluation", "pending" MINUS "breach", of->breach_at_ms, of->pending_at_ms,
         of->why_no_breach},
        {"for", "firing" MINUS "pending", of->pending_at_ms, of->firing_at_ms, "it never fired"},
        {"grouping", "owed" MINUS "firing", of->firing_at_ms, of->owed_at_ms, "no page was sent"},
        {"send", "sent" MINUS "owed", of->owed_at_ms, of->sent_at_ms, "no page was sent"},
        {"acknowledge", "acked" MINUS "sent", of->sent_at_ms, of->acked_at_ms,
         of->sent_at_ms ? "nobody acknowledged" : "no page was sent"},
    };
    int64_t whole_ms = 0;

    for (size_t i = 0; i < DETECTION_PARTS; i++)
        if (parts[i].from_ms && parts[i].to_ms)
            whole_ms += parts[i].to_ms - parts[i].from_ms;
    json_open(out, '{');
    json_kv_string(out, "rule", of->alert->name);
    json_kv_int(out, "rule_id", of->alert->rule_id);
    json_kv_time(out, "breach_at", of->breach_at_ms);
    json_kv_time(out, "pending_at", of->pending_at_ms);
    json_kv_time(out, "firing_at", of->firing_at_ms);
    json_kv_time(out, "owed_at", of->owed_at_ms);
    json_kv_time(out, "sent_at", of->sent_at_ms);
    json_kv_time(out, "acked_at", of->acked_at_ms);
    json_key(out, "parts");
    json_open(out, '[');
    for (size_t i = 0; i < DETECTION_PARTS; i++)
        write_part(out, &parts[i], whole_ms);
    json_close(out, ']');
    json_close(out, '}');
}

void detection_write(const struct api *api, const struct incident_record *of, struct json_out *out)
{
    struct detection *detections = NULL;
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    arena_init(&arena, ARENA_BYTES_MAX);
    json_key(out, "detection");
    json_open(out, '[');
    if (detection_find(api, of, &arena, &detections, &n, NULL) == 0)
        for (size_t i = 0; i < n; i++)
            write_one(out, &detections[i]);
    json_close(out, ']');
}
