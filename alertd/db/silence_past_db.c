/*
 * What a silence would have muted. See silence_past_db.h.
 *
 *   incidents touched --> their alerts, matched or not, by incident and fingerprint
 *   notifications, by incident --walked beside them--> counted
 */

#include "alertd/db/silence_past_db.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/db/rows.h"
#include "lib/base/arena.h"
#include "lib/base/mem.h"

enum {
    LABELS_BYTES_MAX = 1024 * 1024
};

struct past_alert {
    int64_t incident_id;
    uint64_t fingerprint;
    bool is_matched;
};

struct past {
    struct db_conn *conn;
    const struct silence *silence;
    int64_t from_ms, to_ms;
    struct past_alert *alerts; /* by incident */
    size_t n_alerts;
    struct silence_past *out;
    struct err *reterr;
};

static bool is_matched(const struct silence *silence, const char *text, struct arena *scratch)
{
    const struct labels *labels = rows_labels(scratch, text);
    bool matched = labels && silence_matches(silence, labels);

    arena_reset(scratch);
    return matched;
}

/* The newest incidents first, so that what is left out is the oldest. */
static int read_alerts(struct past *past)
{
    struct db_stmt *stmt = db_prepare(
        past->conn, "SELECT incident_id, fingerprint, labels FROM incident_alert"
                    " WHERE incident_id IN (SELECT incident_id FROM outbox WHERE state = 'sent'"
                    "  AND sent_ms >= ?1 AND sent_ms < ?2 UNION SELECT id FROM incident"
                    "  WHERE opened_ms >= ?1 AND opened_ms < ?2)"
                    " ORDER BY incident_id DESC LIMIT ?3");
    ARENA_AUTO struct arena scratch;
    size_t capacity = 0;

    arena_init(&scratch, LABELS_BYTES_MAX);
    db_bind_int(stmt, 1, past->from_ms);
    db_bind_int(stmt, 2, past->to_ms);
    db_bind_int(stmt, 3, SILENCE_PAST_ALERTS_MAX + 1);
    while (db_step(stmt)) {
        if (past->n_alerts == capacity) {
            capacity = capacity ? 2 * capacity : 256;
            past->alerts = mem_realloc(past->alerts, capacity * sizeof(*past->alerts));
        }
        past->alerts[past->n_alerts++] = (struct past_alert){
            db_int(stmt, 0), (uint64_t)db_int(stmt, 1),
            is_matched(past->silence, db_text(stmt, 2), &scratch)};
    }
    past->out->is_part = past->n_alerts > SILENCE_PAST_ALERTS_MAX;
    return db_done(stmt, past->reterr);
}

/* The alerts of an incident, from *at on, which moves there: both are in the same order. */
static const struct past_alert *alerts_of(const struct past *past,
                                          int64_t incident_id,
                                          size_t *at,
                                          size_t *ret_n)
{
    size_t n = 0;

    while (*at < past->n_alerts && past->alerts[*at].incident_id > incident_id)
        (*at)++;
    while (*at + n < past->n_alerts && past->alerts[*at + n].incident_id == incident_id)
        n++;
    *ret_n = n;
    return past->alerts + *at;
}

/* Are all of these matched? fingerprints NULL: all of the incident's. */
static bool all_matched(const struct past_alert *alerts,
                        size_t n,
                        const uint64_t *fingerprints,
                        size_t n_fingerprints)
{
    size_t n_told = 0;

    for (size_t i = 0; i < n; i++) {
        bool is_told = !fingerprints;

        for (size_t k = 0; !is_told && k < n_fingerprints; k++)
            is_told = fingerprints[k] == alerts[i].fingerprint;
        n_told += is_told;
        if (is_told && !alerts[i].is_matched)
            return false;
    }
    return n_told > 0;
}

static bool holds(const struct silence *silence, int64_t at_ms)
{
    return !silence->window || route_interval_holds(silence->window, at_ms);
}

static int count_notifications(struct past *past)
{
    struct db_stmt *stmt = db_prepare(
        past->conn, "SELECT incident_id, alerts, owed_ms FROM outbox WHERE state = 'sent'"
                    " AND sent_ms >= ?1 AND sent_ms < ?2 AND incident_id IS NOT NULL"
                    " AND lane = 'page' AND kind <> 'dashboard' ORDER BY incident_id DESC");
    size_t at = 0;

    db_bind_int(stmt, 1, past->from_ms);
    db_bind_int(stmt, 2, past->to_ms);
    while (db_step(stmt)) {
        size_t n = 0;
        size_t len = 0;
        const struct past_alert *alerts = alerts_of(past, db_int(stmt, 0), &at, &n);
        const void *bytes = db_is_null(stmt, 1) ? NULL : db_blob(stmt, 1, &len);
        MEM_AUTO uint64_t *told = bytes ? mem_alloc(len + 1) : NULL;

        if (told)
            memcpy(told, bytes, len);
        past->out->all_notifications++;
        past->out->notifications += holds(past->silence, db_int(stmt, 2)) &&
                                    all_matched(alerts, n, told, len / sizeof(*told));
    }
    return db_done(stmt, past->reterr);
}

static int count_incidents(struct past *past)
{
    struct db_stmt *stmt = db_prepare(past->conn,
                                      "SELECT id, opened_ms FROM incident WHERE opened_ms >= ?1"
                                      " AND opened_ms < ?2 ORDER BY id DESC");
    size_t at = 0;

    db_bind_int(stmt, 1, past->from_ms);
    db_bind_int(stmt, 2, past->to_ms);
    while (db_step(stmt)) {
        size_t n = 0;
        const struct past_alert *alerts = alerts_of(past, db_int(stmt, 0), &at, &n);

        past->out->all_incidents++;
        past->out->incidents += holds(past->silence, db_int(stmt, 1)) &&
                                all_matched(alerts, n, NULL, 0);
    }
    return db_done(stmt, past->reterr);
}

int silence_db_past(struct db_conn *conn,
                    const struct silence *silence,
                    int64_t from_ms,
                    int64_t to_ms,
                    struct silence_past *ret_past,
                    struct err *reterr)
{
    struct silence_past out = {0};
    struct past past = {.conn = conn,
                        .silence = silence,
                        .from_ms = from_ms,
                        .to_ms = to_ms,
                        .out = &out,
                        .reterr = reterr};
    int r = read_alerts(&past);

    if (r == 0)
        r = count_notifications(&past);
    if (r == 0)
        r = count_incidents(&past);
    free(past.alerts);
    if (r == 0)
        *ret_past = out;
    return r;
}
