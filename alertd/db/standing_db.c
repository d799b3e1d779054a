/*
 * Alerts that fire, out of the two tables that have them. See standing_db.h.
 */

#include "alertd/db/standing_db.h"

#include <stdlib.h>

#include "alertd/db/rows.h"
#include "lib/model/sample.h"

#define LEAST_INTERVAL "60000"
#define INCIDENT                                                                    \
    "(SELECT i.key FROM incident_alert ia JOIN incident i ON i.id = ia.incident_id" \
    " WHERE ia.fingerprint = x.fingerprint AND ia.labels = x.labels AND ia.firing"  \
    " ORDER BY i.id DESC LIMIT 1)"

/* A rule's alert is renewed by each evaluation, as Prometheus would renew it. */
#define STANDING                                                                                \
    "SELECT x.labels, x.annotations, x.source, x.url, x.expr, " INCIDENT ", x.starts, x.ends,"  \
    " x.updated, x.bits FROM ("                                                                 \
    "SELECT a.fingerprint, a.labels, a.annotations, 'rule' AS source, '' AS url, r.expr,"       \
    " coalesce(a.fired_ms, a.active_ms) AS starts,"                                             \
    " coalesce(r.last_evaluation_ms, a.fired_ms) + 4 * max(g.interval_ms, " LEAST_INTERVAL      \
    ") AS ends,"                                                                                \
    " coalesce(r.last_evaluation_ms, a.fired_ms) AS updated, a.value_bits AS bits"              \
    " FROM alert a JOIN rule r ON r.id = a.rule_id JOIN rule_group g ON g.id = r.group_id"      \
    " WHERE a.state = 'firing'"                                                                 \
    " UNION ALL SELECT fingerprint, labels, annotations, source, generator_url, '', starts_ms," \
    " ends_ms, updated_ms, NULL FROM external_alert WHERE is_firing AND ends_ms > ?1) x"

static bool read_alert(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct standing_alert *alert = ret_item;

    *alert = (struct standing_alert){
        .labels = rows_labels(arena, db_text(stmt, 0)),
        .annotations = rows_labels(arena, db_text(stmt, 1)),
        .source = rows_text(arena, stmt, 2),
        .generator_url = rows_text(arena, stmt, 3),
        .expr = rows_text(arena, stmt, 4),
        .starts_ms = db_int(stmt, 6),
        .ends_ms = db_int(stmt, 7),
        .updated_ms = db_int(stmt, 8),
        .has_value = !db_is_null(stmt, 9),
        .value = sample_from_bits((uint64_t)db_int(stmt, 9)),
    };
    return alert->labels && alert->annotations && alert->source && alert->generator_url &&
           alert->expr && rows_text_or_null(arena, stmt, 5, &alert->incident);
}

static const struct rows_kind alert_kind = {sizeof(struct standing_alert), read_alert,
                                            STANDING_DB_E_LIMIT,
                                            "too many alerts fire for one answer"};

static int by_labels(const void *left, const void *right)
{
    const struct standing_alert *a = left;
    const struct standing_alert *b = right;

    return labels_compare(a->labels, b->labels);
}

/* Of several with the same labels the one said last stays. */
static size_t drop_twins(struct standing_alert *alerts, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || !labels_equal(alerts[kept - 1].labels, alerts[i].labels))
            alerts[kept++] = alerts[i];
        else if (alerts[i].updated_ms > alerts[kept - 1].updated_ms)
            alerts[kept - 1] = alerts[i];
    }
    return kept;
}

int standing_db_list(struct db_conn *conn,
                     int64_t now_ms,
                     struct arena *arena,
                     struct standing_alert **ret_alerts,
                     size_t *ret_n,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, STANDING);
    struct standing_alert *alerts = NULL;
    size_t n = 0;

    db_bind_int(stmt, 1, now_ms);
    int r = rows_read(stmt, arena, &alert_kind, &alerts, &n, reterr);
    if (r)
        return r;
    if (n > 0)
        qsort(alerts, n, sizeof(*alerts), by_labels);
    *ret_alerts = alerts;
    *ret_n = drop_twins(alerts, n);
    return 0;
}

int standing_db_external(struct db_conn *conn,
                         const struct labels *labels,
                         struct standing_external *ret_row,
                         bool *ret_found,
                         struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(ROWS_LABELS_BYTES_MAX);
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT starts_ms, ends_ms, is_firing FROM"
                                      " external_alert WHERE fingerprint = ?1 AND labels = ?2");

    rows_labels_text(labels, &text);
    db_bind_int(stmt, 1, (int64_t)labels->hash);
    db_bind_text(stmt, 2, str_text(&text));
    *ret_found = db_step(stmt);
    if (*ret_found)
        *ret_row = (struct standing_external){db_int(stmt, 0), db_int(stmt, 1),
                                              db_int(stmt, 2) != 0};
    return db_done(stmt, reterr);
}

int standing_db_count_external(struct db_conn *conn, int64_t *ret_n, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT count(*) FROM external_alert WHERE is_firing");

    *ret_n = db_step(stmt) ? db_int(stmt, 0) : 0;
    return db_done(stmt, reterr);
}

int standing_db_by_dedup_key(struct db_conn *conn,
                             const char *integration,
                             const char *dedup_key,
                             struct arena *arena,
                             struct standing_alert *ret_alert,
                             bool *ret_found,
                             struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT x.labels, x.annotations, x.source, x.generator_url, '', " INCIDENT
              ", x.starts_ms, x.ends_ms, x.updated_ms, NULL FROM external_alert x"
              " WHERE x.is_firing AND x.source = 'pagerduty'"
              " AND x.labels ->> 'integration' = ?1 AND x.labels ->> 'dedup_key' = ?2 LIMIT 1");
    struct standing_alert *alerts = NULL;
    size_t n = 0;

    db_bind_text(stmt, 1, integration);
    db_bind_text(stmt, 2, dedup_key);
    int r = rows_read(stmt, arena, &alert_kind, &alerts, &n, reterr);

    if (r == 0 && n > 0)
        *ret_alert = alerts[0];
    if (r == 0)
        *ret_found = n > 0;
    return r;
}

int standing_db_count(struct db_conn *conn, int64_t *ret_n, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT (SELECT count(*) FROM alert WHERE state = 'firing')"
                                      " + (SELECT count(*) FROM external_alert WHERE is_firing)");

    *ret_n = db_step(stmt) ? db_int(stmt, 0) : 0;
    return db_done(stmt, reterr);
}
