/*
 * When it was bad: what our records know (tunings_labels.h) or the drill says that is looked at, and what
 * a caller names or turns around. See tuning.h.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/api/tuning.h"
#include "alertd/api/tunings_labels.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

static struct tuning_incident *add(struct tuning *tuning)
{
    tuning->incidents = mem_realloc(tuning->incidents,
                                    (tuning->n_incidents + 1) * sizeof(*tuning->incidents));
    struct tuning_incident *incident = &tuning->incidents[tuning->n_incidents++];

    *incident = (struct tuning_incident){0};
    return incident;
}

/* --- of the records --- */

static int add_label(struct tuning *tuning, const struct tunings_label *label, struct err *reterr)
{
    struct tune_incident when;
    int r = tunings_label_when(label, &tuning->arena, &when, reterr);

    if (r == 0)
        *add(tuning) = (struct tuning_incident){
            .source = "record",
            .key = label->key,
            .title = label->title,
            .verdict = label->verdict ? verdict_name(label->verdict) : NULL,
            .begin_ms = label->begin_ms,
            .end_ms = label->end_ms,
            .counts = label->counts,
            .words = label->words,
            .matchers = when.matchers,
            .n_matchers = when.n_matchers,
        };
    return r;
}

static int read_records(struct db_conn *conn, struct tuning *tuning, struct err *reterr)
{
    const struct tunings_labels_query query = {tuning->tuned.rule->name, tuning->from_ms,
                                               tuning->to_ms};
    struct tunings_label *labels = NULL;
    size_t n = 0;
    int r = tunings_labels_read(conn, &query, &tuning->arena, &labels, &n, reterr);

    for (size_t i = 0; i < n && r == 0 && tuning->n_incidents < TUNING_INCIDENTS_MAX; i++)
        r = add_label(tuning, &labels[i], reterr);
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
        return err_set(reterr, TUNED_E_BAD, "incidents: expected objects with from and to");
    if (json_only(one, known, reterr) || json_get_string(one, "from", &from, reterr) ||
        json_get_string(one, "to", &to, reterr) ||
        json_get_string_or(one, "name", NULL, &name, reterr))
        return TUNED_E_BAD;
    if (clock_parse_rfc3339(from, &incident->begin_ms) ||
        clock_parse_rfc3339(to, &incident->end_ms))
        return err_set(reterr, TUNED_E_BAD, "incidents: expected times like 2026-11-03T02:10:00Z");
    if (incident->end_ms < incident->begin_ms)
        return err_set(reterr, TUNED_E_BAD, "incidents: one ends before it begins");
    incident->title = name ? arena_strndup(&tuning->arena, name, strlen(name)) : NULL;
    incident->source = "hand";
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
        return TUNED_E_BAD;
    if (json_length(list) > TUNING_INCIDENTS_MAX)
        return err_set(reterr, TUNED_E_BAD, "incidents: %d at most", TUNING_INCIDENTS_MAX);
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
        return TUNED_E_BAD;
    for (size_t i = 0; i < json_length(list); i++) {
        const char *key = json_text(json_at(list, i));
        if (!key)
            return err_set(reterr, TUNED_E_BAD, "turned: expected keys of incidents");
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

/* The records are of another time than a drill's. */
static void add_drill(struct tuning *tuning)
{
    *add(tuning) = (struct tuning_incident){
        .source = "drill",
        .key = tuning->past.key,
        .title = tuning->past.title,
        .begin_ms = tuning->past.when.begin_ms,
        .end_ms = tuning->past.when.end_ms,
        .counts = true,
        .words = tuning->past.when.words,
    };
}

int tuning_read_incidents(struct tuning *tuning, const struct json *body, struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = read_owns(tuning, body, reterr);

    if (r == 0 && tuning->past.is_drill)
        add_drill(tuning);
    else if (r == 0)
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
                .begin_ms = incident->begin_ms,
                .end_ms = incident->end_ms,
                .name = incident->key,
                .matchers = incident->matchers,
                .n_matchers = incident->n_matchers};
    }
    return 0;
}
