/*
 * When it was bad, by our own records: the windows that alerts are held against.
 *
 *   incident, somebody said useful      true      a page was right to come then
 *   incident, somebody said noise       false     none should have come
 *   incident, it has a postmortem       true      it was worth one
 *   incident, other rules fired in it   true
 *   incident, only the rule that is asked about, nobody said a thing
 *                                       neither   whether its firing was right is the question
 *   a drill                             true      only over its own samples (tuned_past.h)
 *
 * A window is that from the first alert to the end; one that is not over ends now.
 */

#include "alertd/api/tunings_labels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/rules.h"
#include "alertd/api/tuned_rule.h"
#include "alertd/db/incident_db.h"
#include "alertd/db/verdict_db.h"
#include "alertd/tune/place.h"
#include "lib/base/clock.h"

enum {
    READ_BYTES_MAX = 256 << 20,
    VERDICTS_MAX = 20000,
    ALERTS_MAX = 100,
    PAGE_ROWS = 500,
    LABELS_MAX = 5000,
};

struct reading {
    struct db_conn *conn;
    struct arena *arena;
    const char *rule; /* its name; NULL: none is asked about */
    int64_t from_ms, to_ms;
    struct verdict_row *votes;
    size_t n_votes;
    struct tunings_label *labels;
    size_t n;
    struct err *reterr;
};

static enum verdict verdict_of(const struct reading *reading, const char *key)
{
    struct verdict_votes votes = {0};

    for (size_t i = 0; i < reading->n_votes; i++) {
        const struct verdict_row *row = &reading->votes[i];

        if (!row->counts || strcmp(row->incident, key) != 0)
            continue;
        votes.useful += row->verdict == VERDICT_USEFUL;
        votes.noise += row->verdict == VERDICT_NOISE;
        votes.unknown += row->verdict == VERDICT_UNKNOWN;
    }
    return votes.useful + votes.noise + votes.unknown ? verdict_of_votes(&votes) : VERDICT_NONE;
}

/* Where it was: what names and ranks alerts is no place. */
static const struct labels *place_of(struct arena *arena, const struct labels *labels)
{
    struct label *pairs = arena_array(arena, labels->n + 1, sizeof(*pairs));
    size_t n = 0;

    for (uint32_t i = 0; pairs && i < labels->n; i++)
        if (strcmp(labels->at[i].name, "alertname") != 0 &&
            strcmp(labels->at[i].name, "severity") != 0)
            pairs[n++] = labels->at[i];
    return pairs ? labels_in_arena(arena, pairs, n) : NULL;
}

static int find_rules(const struct reading *reading,
                      const struct incident *incident,
                      bool *ret_is_of,
                      bool *ret_others)
{
    struct incident_alert *alerts = NULL;
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    arena_init(&arena, 16 << 20);
    int r = incident_db_alerts(reading->conn, incident->id, ALERTS_MAX, &arena, &alerts, &n,
                               reading->reterr);

    *ret_is_of = false;
    *ret_others = false;
    for (size_t i = 0; r == 0 && i < n; i++) {
        bool is_it = reading->rule && strcmp(alerts[i].name, reading->rule) == 0;

        *ret_is_of |= is_it;
        *ret_others |= !is_it;
    }
    return r;
}

static void judge(struct tunings_label *label, bool has_postmortem, bool others, bool is_of)
{
    bool is_said = label->verdict == VERDICT_USEFUL || label->verdict == VERDICT_NOISE;

    label->is_noise = label->verdict == VERDICT_NOISE;
    label->counts = !label->is_noise && (is_said || has_postmortem || others || !is_of);
    if (is_said)
        label->words = label->is_noise ? "somebody called it noise" : "somebody called it useful";
    else if (has_postmortem)
        label->words = "it has a postmortem";
    else if (others)
        label->words = "other rules fired in it";
    else
        label->words = is_of ? "only this rule fired, and nobody said whether it was worth it"
                             : "it was an incident";
}

static int add(struct reading *reading, const struct incident *incident)
{
    struct tunings_label *label = &reading->labels[reading->n];
    bool is_of = false;
    bool others = false;
    int r = find_rules(reading, incident, &is_of, &others);

    if (r)
        return r;
    *label = (struct tunings_label){
        .key = incident->key,
        .title = incident->title,
        .begin_ms = incident->opened_at_ms,
        .end_ms = incident->resolved_at_ms ? incident->resolved_at_ms : reading->to_ms,
        .verdict = verdict_of(reading, incident->key),
        .labels = place_of(reading->arena, incident->labels),
    };
    judge(label, incident->postmortem_id != 0, reading->rule && others, is_of);
    reading->n += label->labels != NULL;
    return label->labels ? 0 : err_set(reading->reterr, -ENOMEM, "too many incidents");
}

static int read_incidents(struct reading *reading)
{
    struct incident_query query = {.limit = PAGE_ROWS};
    size_t n = PAGE_ROWS;
    int r = 0;

    while (r == 0 && n == PAGE_ROWS && reading->n < LABELS_MAX) {
        struct incident *incidents = NULL;

        r = incident_db_list(reading->conn, &query, reading->arena, &incidents, &n,
                             reading->reterr);
        for (size_t i = 0; r == 0 && i < n && reading->n < LABELS_MAX; i++) {
            const struct incident *incident = &incidents[i];
            bool ends_before = incident->resolved_at_ms &&
                               incident->resolved_at_ms < reading->from_ms;

            query.before_id = incident->id;
            if (!ends_before && incident->opened_at_ms <= reading->to_ms)
                r = add(reading, incident);
        }
    }
    return r;
}

int tunings_labels_read(struct db_conn *conn,
                        const struct tunings_labels_query *query,
                        struct arena *arena,
                        struct tunings_label **ret_labels,
                        size_t *ret_n,
                        struct err *reterr)
{
    struct reading reading = {
        .conn = conn,
        .arena = arena,
        .rule = query->rule,
        .from_ms = query->from_ms,
        .to_ms = query->to_ms,
        .labels = arena_array(arena, LABELS_MAX, sizeof(struct tunings_label)),
        .reterr = reterr,
    };
    const struct verdict_query votes = {.to_ms = INT64_MAX, .limit = VERDICTS_MAX};

    if (!reading.labels)
        return err_set(reterr, -ENOMEM, "no room for incidents");
    int r = verdict_db_list(conn, &votes, arena, &reading.votes, &reading.n_votes, reterr);

    if (r == 0)
        r = read_incidents(&reading);
    *ret_labels = reading.labels;
    *ret_n = reading.n;
    return r;
}

int tunings_label_when(const struct tunings_label *label,
                       struct arena *arena,
                       struct tune_incident *ret,
                       struct err *reterr)
{
    struct matcher *matchers = arena_array(arena, label->labels->n + 1, sizeof(*matchers));
    int r = matchers ? 0 : err_set(reterr, -ENOMEM, "too many incidents");

    for (uint32_t i = 0; r == 0 && i < label->labels->n; i++)
        r = place_matcher(arena, label->labels->at[i].name, label->labels->at[i].value,
                          &matchers[i], reterr);
    if (r == 0)
        *ret = (struct tune_incident){.begin_ms = label->begin_ms,
                                      .end_ms = label->end_ms,
                                      .name = label->key,
                                      .matchers = matchers,
                                      .n_matchers = label->labels->n};
    return r;
}

int tunings_labels_whens(const struct tunings_label *labels,
                         size_t n,
                         struct arena *arena,
                         struct tune_incident **ret_whens,
                         size_t *ret_n,
                         struct err *reterr)
{
    struct tune_incident *whens = arena_array(arena, SURFACE_INCIDENTS_MAX, sizeof(*whens));
    size_t n_whens = 0;
    int r = 0;

    if (!whens)
        return err_set(reterr, -ENOMEM, "too many incidents");
    for (size_t i = 0; r == 0 && i < n && n_whens < SURFACE_INCIDENTS_MAX; i++)
        if (labels[i].counts)
            r = tunings_label_when(&labels[i], arena, &whens[n_whens++], reterr);
    *ret_whens = whens;
    *ret_n = r == 0 ? n_whens : 0;
    return r;
}

/* --- GET .../tunings/labels --- */

/* A number is the id of a rule, anything else its name. */
static int read_rule(const struct api *api,
                     const char *text,
                     struct arena *arena,
                     const char **ret_name,
                     struct err *reterr)
{
    struct tuned_rule tuned;
    char *end = NULL;
    long long id = text ? strtoll(text, &end, 10) : 0;

    *ret_name = text && *text ? text : NULL;
    if (!*ret_name || *end || id < 1)
        return 0;
    int r = tuned_rule_by_id(api, id, &tuned, reterr);
    if (r == 0)
        *ret_name = arena_strndup(arena, tuned.rule->name, strlen(tuned.rule->name));
    tuned_rule_done(&tuned);
    return r;
}

static void write(const struct tunings_label *labels, size_t n, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);

    json_open(&out, '{');
    json_key(&out, "labels");
    json_open(&out, '[');
    for (size_t i = n; i > 0; i--) {
        const struct tunings_label *label = &labels[i - 1];

        json_open(&out, '{');
        json_kv_time(&out, "begin", label->begin_ms);
        json_kv_time(&out, "end", label->end_ms);
        json_kv_string(&out, "kind", label->is_noise ? "noise" : "incident");
        json_kv_bool(&out, "counts", label->counts);
        json_kv_string(&out, "source", "record");
        json_kv_string(&out, "incident", label->key);
        json_kv_string(&out, "title", label->title);
        json_kv_string(&out, "verdict", label->verdict ? verdict_name(label->verdict) : NULL);
        rules_json_labels(&out, "labels", label->labels);
        json_kv_string(&out, "words", label->words);
        json_close(&out, '}');
    }
    json_close(&out, ']');
    json_close(&out, '}');
}

void tunings_labels_get(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct tunings_labels_query query = {0};
    struct tunings_label *labels = NULL;
    struct db_conn *conn = NULL;
    struct err err = {0};
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    arena_init(&arena, READ_BYTES_MAX);
    int r = tuned_times(http_query(request, "from"), http_query(request, "to"), &query.from_ms,
                        &query.to_ms, &err);
    if (r == 0)
        r = read_rule(api, http_query(request, "rule"), &arena, &query.rule, &err);
    if (r == 0)
        r = db_read_begin(api->state, &conn, &err);
    if (r == 0) {
        r = tunings_labels_read(conn, &query, &arena, &labels, &n, &err);
        db_read_end(api->state, conn);
    }
    if (r)
        tuned_fail(response, NULL, r, &err);
    else
        write(labels, n, response);
}
