/*
 * When it was bad: incidents of our records, and those that a caller names. See tuning.h.
 *
 *   noise, somebody said                          does not count
 *   useful, somebody said; a postmortem           counts
 *   other rules' alerts in it                     counts
 *   only this rule's alerts, nobody said a thing  does not: what it fired for is the question
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/api/tuning.h"
#include "alertd/db/incident_db.h"
#include "alertd/db/verdict_db.h"
#include "alertd/promql/promql.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    LOOKED_AT_MAX = 2000, /* of the records, the newest */
    VERDICTS_MAX = 10000,
    ALERTS_MAX = 50,
};

static struct tuning_incident *add(struct tuning *tuning)
{
    tuning->incidents = mem_realloc(tuning->incidents,
                                    (tuning->n_incidents + 1) * sizeof(*tuning->incidents));
    struct tuning_incident *incident = &tuning->incidents[tuning->n_incidents++];

    *incident = (struct tuning_incident){0};
    return incident;
}

/* --- of the records --- */

struct votes {
    const struct verdict_row *rows;
    size_t n;
};

static const char *verdict_of(const struct votes *votes, const char *key)
{
    struct verdict_votes counts = {0};
    bool is_said = false;

    for (size_t i = 0; i < votes->n; i++) {
        if (!votes->rows[i].counts || strcmp(votes->rows[i].incident, key) != 0)
            continue;
        is_said = true;
        counts.useful += votes->rows[i].verdict == VERDICT_USEFUL;
        counts.noise += votes->rows[i].verdict == VERDICT_NOISE;
    }
    return is_said ? verdict_name(verdict_of_votes(&counts)) : NULL;
}

static int has_others(struct db_conn *conn,
                      const struct tuning *tuning,
                      const struct incident *incident,
                      bool *ret_others,
                      struct err *reterr)
{
    struct arena arena;
    struct incident_alert *alerts = NULL;
    size_t n = 0;

    arena_init(&arena, 16 << 20);
    int r = incident_db_alerts(conn, incident->id, ALERTS_MAX, &arena, &alerts, &n, reterr);
    *ret_others = false;
    for (size_t i = 0; i < n && r == 0; i++)
        *ret_others |= strcmp(alerts[i].name, tuning->rule->name) != 0;
    arena_reset(&arena);
    return r;
}

static int judge(struct db_conn *conn,
                 const struct tuning *tuning,
                 const struct incident *from,
                 struct tuning_incident *incident,
                 struct err *reterr)
{
    bool others = false;
    int r = has_others(conn, tuning, from, &others, reterr);

    bool is_noise = incident->verdict && strcmp(incident->verdict, "noise") == 0;
    bool is_useful = incident->verdict && strcmp(incident->verdict, "useful") == 0;
    incident->counts = !is_noise && (is_useful || from->postmortem_id || others);
    if (is_noise)
        incident->words = "somebody called it noise";
    else if (is_useful)
        incident->words = "somebody called it useful";
    else if (from->postmortem_id)
        incident->words = "it has a postmortem";
    else
        incident->words = others ? "other rules fired in it"
                                 : "only this rule fired, and nobody said whether it was worth it";
    return r;
}

static int add_record(struct db_conn *conn,
                      struct tuning *tuning,
                      const struct votes *votes,
                      const struct incident *from,
                      struct err *reterr)
{
    int64_t end_ms = from->resolved_at_ms ? from->resolved_at_ms : tuning->to_ms;

    if (from->opened_at_ms >= tuning->to_ms || end_ms < tuning->from_ms ||
        tuning->n_incidents >= TUNING_INCIDENTS_MAX)
        return 0;
    struct tuning_incident *incident = add(tuning);

    *incident = (struct tuning_incident){
        .key = arena_strndup(&tuning->arena, from->key, strlen(from->key)),
        .title = arena_strndup(&tuning->arena, from->title, strlen(from->title)),
        .verdict = verdict_of(votes, from->key),
        .begin_ms = from->opened_at_ms,
        .end_ms = end_ms,
    };
    return judge(conn, tuning, from, incident, reterr);
}

static int read_records(struct db_conn *conn, struct tuning *tuning, struct err *reterr)
{
    const struct incident_query query = {INCIDENT_LIST_ALL, 0, LOOKED_AT_MAX};
    const struct verdict_query said = {.to_ms = INT64_MAX, .limit = VERDICTS_MAX};
    struct incident *incidents = NULL;
    struct verdict_row *rows = NULL;
    struct arena arena;
    size_t n = 0;
    size_t n_rows = 0;

    arena_init(&arena, 128 << 20);
    int r = incident_db_list(conn, &query, &arena, &incidents, &n, reterr);
    if (r == 0)
        r = verdict_db_list(conn, &said, &arena, &rows, &n_rows, reterr);
    const struct votes votes = {rows, n_rows};
    for (size_t i = 0; i < n && r == 0; i++)
        r = add_record(conn, tuning, &votes, &incidents[i], reterr);
    arena_reset(&arena);
    return r;
}

/* --- of the caller --- */

static int read_own(struct tuning *tuning,
                    const struct json *one,
                    struct tuning_incident *incident,
                    struct err *reterr)
{
    static const char *const known[] = {"from", "to", "name", NULL};
    const char *from = NULL;
    const char *to = NULL;
    const char *name = NULL;

    if (!json_is_object(one))
        return err_set(reterr, TUNING_E_BAD, "incidents: expected objects with from and to");
    if (json_only(one, known, reterr) || json_get_string(one, "from", &from, reterr) ||
        json_get_string(one, "to", &to, reterr) ||
        json_get_string_or(one, "name", NULL, &name, reterr))
        return TUNING_E_BAD;
    if (clock_parse_rfc3339(from, &incident->begin_ms) ||
        clock_parse_rfc3339(to, &incident->end_ms))
        return err_set(reterr, TUNING_E_BAD, "incidents: expected times like 2026-11-03T02:10:00Z");
    if (incident->end_ms < incident->begin_ms)
        return err_set(reterr, TUNING_E_BAD, "incidents: one ends before it begins");
    incident->title = name ? arena_strndup(&tuning->arena, name, strlen(name)) : NULL;
    incident->counts = true;
    incident->words = "named by hand";
    return 0;
}

static int read_owns(struct tuning *tuning, const struct json *body, struct err *reterr)
{
    const struct json *list = NULL;

    if (!json_has(body, "incidents"))
        return 0;
    if (json_get_array(body, "incidents", &list, reterr))
        return TUNING_E_BAD;
    if (json_length(list) > TUNING_INCIDENTS_MAX)
        return err_set(reterr, TUNING_E_BAD, "incidents: %d at most", TUNING_INCIDENTS_MAX);
    for (size_t i = 0; i < json_length(list); i++) {
        int r = read_own(tuning, json_at(list, i), add(tuning), reterr);
        if (r)
            return r;
    }
    return 0;
}

/* Incidents of the records that a person leaves out or takes in: their keys. */
static int read_turned(struct tuning *tuning, const struct json *body, struct err *reterr)
{
    const struct json *list = NULL;

    if (!json_has(body, "turned"))
        return 0;
    if (json_get_array(body, "turned", &list, reterr))
        return TUNING_E_BAD;
    for (size_t i = 0; i < json_length(list); i++) {
        const char *key = json_text(json_at(list, i));
        if (!key)
            return err_set(reterr, TUNING_E_BAD, "turned: expected keys of incidents");
        for (size_t k = 0; k < tuning->n_incidents; k++)
            if (tuning->incidents[k].key && strcmp(tuning->incidents[k].key, key) == 0)
                tuning->incidents[k].counts = !tuning->incidents[k].counts;
    }
    return 0;
}

static int by_begin(const void *a, const void *b)
{
    const struct tuning_incident *left = a;
    const struct tuning_incident *right = b;

    return (left->begin_ms > right->begin_ms) - (left->begin_ms < right->begin_ms);
}

int tuning_read_incidents(struct tuning *tuning, const struct json *body, struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = read_owns(tuning, body, reterr);

    if (r == 0)
        r = db_read_begin(tuning->api->state, &conn, reterr);
    if (conn) {
        r = read_records(conn, tuning, reterr);
        db_read_end(tuning->api->state, conn);
    }
    if (r == 0)
        r = read_turned(tuning, body, reterr);
    if (r)
        return r;
    if (tuning->n_incidents > 0)
        qsort(tuning->incidents, tuning->n_incidents, sizeof(*tuning->incidents), by_begin);
    tuning->whens = mem_zalloc((tuning->n_incidents + 1) * sizeof(*tuning->whens));
    for (size_t i = 0; i < tuning->n_incidents; i++) {
        struct tuning_incident *incident = &tuning->incidents[i];
        incident->is_when = incident->counts && incident->end_ms >= tuning->from_ms &&
                            incident->begin_ms < tuning->to_ms;
        incident->when = tuning->n_whens;
        if (incident->is_when && tuning->n_whens < TUNING_INCIDENTS_MAX)
            tuning->whens[tuning->n_whens++] = (struct tune_incident){
                .begin_ms = incident->begin_ms, .end_ms = incident->end_ms, .name = incident->key};
    }
    return 0;
}
