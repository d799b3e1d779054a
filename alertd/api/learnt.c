/*
 * Looking up what is known of an incident beside its rows. See learnt.h.
 */

#include "alertd/api/learnt.h"

#include <string.h>

#include "alertd/api/detection.h"
#include "alertd/api/services.h"
#include "alertd/db/learnt_db.h"

/* --- the window --- */

/* When it began: the impact, else the first alert that held, else the incident. */
static int64_t begin_of(const struct postmortem_record *record)
{
    int64_t begin_ms = record->from->record.marks[RECORD_IMPACT_START].at_ms;

    for (size_t i = 0; !begin_ms && i < record->n_alerts; i++)
        if (record->alerts[i].active_at_ms)
            begin_ms = record->alerts[i].active_at_ms;
    return begin_ms ? begin_ms : record->incident.opened_at_ms;
}

static void lay_window(const struct postmortem_record *record, struct learnt *learnt)
{
    int64_t begin_ms = begin_of(record);
    int64_t resolved_ms = record->incident.resolved_at_ms;
    int64_t end_ms = resolved_ms ? resolved_ms : learnt->made_ms;
    int64_t margin_ms = (end_ms - begin_ms) / 2;

    learnt->from_ms = begin_ms - (margin_ms < LEARNT_MARGIN_MS ? LEARNT_MARGIN_MS : margin_ms);
    learnt->to_ms = end_ms;
    if (end_ms <= begin_ms)
        learnt->why_not = "its marks leave no time to look at";
    else if (learnt->to_ms - learnt->from_ms > LEARNT_WINDOW_MS)
        learnt->why_not = "it lasted longer than the days that are looked at";
}

/* --- the ways --- */

static bool add_ways(const struct api *api, struct postmortem_record *record, struct learnt *learnt)
{
    struct detection *detections = NULL;
    size_t n = 0;

    if (detection_find(api, record->from, record->arena, &detections, &n, NULL))
        return true; /* it says nothing of them: the marks are there all the same */
    learnt->ways = arena_array(record->arena, n + 1, sizeof(*learnt->ways));
    for (size_t i = 0; learnt->ways && i < n; i++)
        learnt->ways[learnt->n_ways++] = (struct learnt_way){
            .rule = detections[i].alert->name,
            .rule_id = detections[i].alert->rule_id,
            .breach_ms = detections[i].breach_at_ms,
            .pending_ms = detections[i].pending_at_ms,
            .firing_ms = detections[i].firing_at_ms,
            .owed_ms = detections[i].owed_at_ms,
            .sent_ms = detections[i].sent_at_ms,
            .acked_ms = detections[i].acked_at_ms,
            .why_no_breach = detections[i].why_no_breach,
        };
    return learnt->ways != NULL;
}

static bool add_burns(const struct api *api,
                      struct postmortem_record *record,
                      struct learnt *learnt)
{
    struct services_of of = {.record = &record->from->record};
    struct service_row *rows = NULL;
    struct db_conn *conn = NULL;

    if (db_read_begin(api->state, &conn, NULL))
        return true;
    int r = service_db_of_incident(conn, &record->incident, record->arena, &rows, &of.n, NULL);

    db_read_end(api->state, conn);
    of.rows = rows;
    return r || services_burns(api, &of, record->arena, &learnt->burns, &learnt->n_burns);
}

bool learnt_make(const struct api *api, struct postmortem_record *record, int64_t now_ms)
{
    struct learnt learnt = {.made_ms = now_ms};

    lay_window(record, &learnt);
    if (!add_ways(api, record, &learnt) || !add_burns(api, record, &learnt))
        return false;
    if (!learnt.why_not && !learnt_rules(api, record, &learnt))
        return false;
    record->learnt = learnt;
    return true;
}

/* --- which look is kept --- */

static size_t known_of(const struct learnt *learnt)
{
    size_t n = learnt->n_earlier + learnt->n_signals;

    for (size_t i = 0; i < learnt->n_ways; i++)
        n += learnt->ways[i].breach_ms != 0;
    for (size_t i = 0; i < learnt->n_burns; i++)
        n += learnt->burns[i].why_not == NULL && !learnt->burns[i].missing;
    return n;
}

bool learnt_again(const struct api *api, struct postmortem_record *record, int64_t now_ms)
{
    struct learnt before = record->learnt;

    if (!learnt_make(api, record, now_ms))
        return false;
    if (before.made_ms && known_of(&record->learnt) < known_of(&before))
        record->learnt = before;
    return true;
}

/* --- rows --- */

int learnt_store(struct db_conn *conn, const struct postmortem_record *record, struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(LEARNT_JSON_MAX);
    struct json_out out = JSON_OUT(&text);
    const char *newest = NULL;

    if (!record->learnt.made_ms)
        return 0;
    learnt_write(&record->learnt, &out);
    int r = learnt_db_get(conn, record->incident.id, record->arena, &newest, reterr);

    if (r || text.full || (newest && strcmp(newest, str_text(&text)) == 0))
        return r;
    return learnt_db_add(conn, record->incident.id, record->learnt.made_ms, str_text(&text),
                         reterr);
}

int learnt_of(struct db_conn *conn,
              int64_t incident_id,
              struct arena *arena,
              struct learnt *ret_learnt,
              struct err *reterr)
{
    const char *text = NULL;
    int r = learnt_db_get(conn, incident_id, arena, &text, reterr);

    *ret_learnt = (struct learnt){0};
    if (!r && text && !learnt_parse(text, arena, ret_learnt))
        r = err_set(reterr, POSTMORTEM_RECORD_E_LIMIT, "too much is known of the incident");
    return r;
}

int learnt_read(struct db_conn *conn, struct postmortem_record *record, struct err *reterr)
{
    int r = learnt_of(conn, record->incident.id, record->arena, &record->learnt, reterr);

    return r ? r : learnt_around_read(conn, record, reterr);
}
