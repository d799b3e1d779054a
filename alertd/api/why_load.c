/*
 * What was known of an alert at an instant. See why_load.h.
 */

#include <errno.h>
#include <string.h>

#include "alertd/api/why_load_private.h"
#include "alertd/db/config_db.h"
#include "alertd/db/incident_db.h"
#include "alertd/db/silence_db.h"
#include "alertd/db/standing_db.h"
#include "lib/base/mem.h"

enum {
    KNOWN_BYTES_MAX = 512 * 1024 * 1024,
};

int why_no_room(struct why_loading *loading)
{
    return err_set(loading->reterr, -ENOMEM, "too much to explain at once");
}

/* --- which alert --- */

static int newest_of_incident(struct why_loading *loading)
{
    struct arena *arena = &loading->known->arena;
    struct incident_alert *alerts = NULL;
    struct incident incident;
    size_t n = 0;
    int r = incident_db_get(loading->conn, loading->question->incident, arena, &incident,
                            loading->reterr);

    if (r == 0)
        r = incident_db_alerts(loading->conn, incident.id, WHY_DB_OTHERS_MAX, arena, &alerts, &n,
                               loading->reterr);
    for (size_t i = 0; r == 0 && i < n; i++) {
        if (i == 0)
            loading->known->found.labels = alerts[i].labels;
        else
            loading->known->found.others[loading->known->found.n_others++] = alerts[i].labels;
    }
    return r == INCIDENT_DB_E_NOT_FOUND ? WHY_LOAD_E_NOT_FOUND : r;
}

/* The labels that were given, when no alert has them. */
static const struct labels *given_labels(struct why_loading *loading)
{
    const struct why_db_wish *wish = &loading->question->wish;
    MEM_AUTO struct label *pairs = mem_alloc((wish->n_matchers + 1) * sizeof(*pairs));

    for (size_t i = 0; i < wish->n_matchers; i++)
        pairs[i] = (struct label){wish->matchers[i].name, wish->matchers[i].value};
    return labels_in_arena(&loading->known->arena, pairs, wish->n_matchers);
}

static int find_alert(struct why_loading *loading)
{
    const struct why_question *question = loading->question;
    struct why_known *known = loading->known;
    int r = 0;

    if (question->incident)
        r = newest_of_incident(loading);
    else if (!question->is_supposed)
        r = why_db_find(loading->conn, &question->wish, &known->arena, &known->found,
                        loading->reterr);
    if (r)
        return r;
    known->alert.labels = known->found.labels;
    if (known->alert.labels)
        return 0;
    if (question->incident || question->wish.fingerprint)
        return err_set(loading->reterr, WHY_LOAD_E_NOT_FOUND,
                       question->incident ? "%s holds no alert"
                                          : "no alert with fingerprint %s is "
                                            "known",
                       question->incident ? question->incident : question->wish.fingerprint);
    known->alert.labels = given_labels(loading);
    known->alert.state = WHY_SUPPOSED;
    return known->alert.labels ? 0 : why_no_room(loading);
}

static int settle_state(struct why_loading *loading)
{
    struct why_alert *alert = &loading->known->alert;
    bool is_rule = alert->rule_name != NULL;
    bool is_sure = alert->from && strcmp(alert->from, "its row") == 0;

    if (is_sure || (!loading->question->is_past && alert->state != WHY_NOT_KNOWN))
        return 0;
    if (loading->question->is_past && is_rule)
        return why_ask_samples(loading);
    if (alert->state != WHY_NOT_KNOWN)
        return 0;
    if (loading->question->is_past) {
        alert->words = "what others say of an alert is kept in incidents, and it was in none then";
    } else {
        alert->state = WHY_INACTIVE;
        alert->from = is_rule ? "its rule" : "nobody";
    }
    return 0;
}

static int load_alert(struct why_loading *loading)
{
    const struct why_question *question = loading->question;
    struct why_alert *alert = &loading->known->alert;
    bool is_supposed = alert->state == WHY_SUPPOSED;
    int r;

    alert->state = WHY_NOT_KNOWN;
    r = why_db_alert(loading->conn, question->at_ms, question->is_past, &loading->known->arena,
                     alert, loading->reterr);
    if (is_supposed) {
        alert->state = WHY_SUPPOSED;
        alert->source = NULL;
        alert->from = NULL;
        return r;
    }
    return r ? r : settle_state(loading);
}

/* --- the config of then --- */

static int load_config(struct why_loading *loading)
{
    struct why_known *known = loading->known;
    struct why_input *in = &known->input;
    struct config_row row;
    char *hash;
    bool found = false;
    int r = 0;

    in->config = loading->api->route;
    if (!loading->question->is_past)
        return 0;
    r = config_db_at(loading->conn, loading->question->at_ms, &known->arena, &row, &found,
                     loading->reterr);
    if (r)
        return r;
    if (!found) {
        in->config_words = "the config of that time is older than those kept; what follows is by "
                           "the one in force now";
        return 0;
    }
    r = route_config_parse(row.text, strlen(row.text), NULL, NULL, NULL, &known->then,
                           loading->reterr);
    if (r) {
        in->config_words = "the config of that time can't be read any more; what follows is by the "
                           "one in force now";
        return 0;
    }
    hash = arena_strndup(&known->arena, row.hash, strlen(row.hash));
    in->config = known->then;
    in->config_hash = hash;
    in->config_from_ms = row.from_ms;
    return hash ? 0 : why_no_room(loading);
}

/* --- what mutes --- */

static int load_silences(struct why_loading *loading)
{
    struct why_input *in = &loading->known->input;
    struct arena *arena = &loading->known->arena;
    struct silence_row *rows = NULL;
    struct why_silence *silences;
    size_t n = 0;
    int r = silence_db_list(loading->conn, 0, arena, &rows, &n, loading->reterr);

    if (r)
        return r;
    silences = arena_array(arena, n + 1, sizeof(*silences));
    if (!silences)
        return why_no_room(loading);
    for (size_t i = 0; i < n; i++)
        silences[i] = (struct why_silence){.silence = rows[i].silence,
                                           .comment = rows[i].comment,
                                           .created_by = rows[i].created_by,
                                           .created_ms = rows[i].created_ms,
                                           .until_resolved = rows[i].until_resolved};
    in->silences = silences;
    in->n_silences = n;
    return 0;
}

static int sources_now(struct why_loading *loading)
{
    struct why_input *in = &loading->known->input;
    struct arena *arena = &loading->known->arena;
    struct standing_alert *rows = NULL;
    struct why_source *sources;
    size_t n = 0;
    int r = standing_db_list(loading->conn, loading->question->at_ms, arena, &rows, &n,
                             loading->reterr);

    if (r)
        return r;
    sources = arena_array(arena, n + 1, sizeof(*sources));
    if (!sources)
        return why_no_room(loading);
    for (size_t i = 0; i < n; i++)
        sources[i] = (struct why_source){rows[i].labels, rows[i].starts_ms};
    in->sources = sources;
    in->n_sources = n;
    return 0;
}

/* --- its incident --- */

static int load_incident(struct why_loading *loading)
{
    struct why_known *known = loading->known;
    struct why_input *in = &known->input;
    struct timeline_event *events = NULL;
    struct why_delivery *rows = NULL;
    struct why_db_incident incident;
    int r = why_db_incident(loading->conn, &known->alert, in->at_ms, &known->arena, &incident,
                            loading->reterr);

    if (r || !incident.id)
        return r;
    in->incident = incident.key;
    in->incident_title = incident.title;
    r = incident_db_timeline(loading->conn, incident.id, &known->arena, &events, &in->n_events,
                             loading->reterr);
    if (r == 0)
        r = why_db_deliveries(loading->conn, incident.id, known->alert.labels->hash, &known->arena,
                              &rows, &in->n_deliveries, loading->reterr);
    in->events = events;
    in->deliveries = rows;
    return r;
}

/* --- all of it --- */

static int load(struct why_loading *loading)
{
    int r = find_alert(loading);

    if (r == 0)
        r = load_alert(loading);
    if (r == 0)
        r = load_config(loading);
    if (r == 0)
        r = load_silences(loading);
    if (r == 0)
        r = loading->question->is_past ? why_sources_then(loading) : sources_now(loading);
    if (r == 0)
        r = why_load_groups(loading);
    if (r == 0 && loading->known->alert.state != WHY_SUPPOSED)
        r = load_incident(loading);
    return r ? r : why_load_policies(loading);
}

int why_load(const struct api *api,
             const struct why_question *question,
             struct why_known *ret_known,
             struct err *reterr)
{
    struct why_loading loading = {
        .api = api, .question = question, .known = ret_known, .reterr = reterr};

    *ret_known = (struct why_known){
        .input = {.at_ms = question->at_ms, .is_past = question->is_past}, .told = told_new()};
    ret_known->input.alert = &ret_known->alert;
    arena_init(&ret_known->arena, KNOWN_BYTES_MAX);
    int r = db_read_begin(api->state, &loading.conn, reterr);

    if (r)
        return r;
    r = load(&loading);
    db_read_end(api->state, loading.conn);
    return r;
}

void why_known_done(struct why_known *known)
{
    route_config_unref(known->then);
    zones_done(&known->zones);
    told_free(known->told);
    arena_reset(&known->arena);
}
