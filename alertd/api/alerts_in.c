/*
 * Alerts of others. See alerts_in.h.
 *
 * One that is known and still fires keeps its first start, and its end only moves forward
 * while it fires. One that is over and did not fire here is no news and leaves no row.
 */

#include "alertd/api/alerts_in.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/api/incidents.h"
#include "alertd/db/incident_db.h"
#include "alertd/db/standing_db.h"
#include "alertd/pager/pager.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

/* --- collecting --- */

int alerts_in_labels(const struct json *object, const struct labels **ret, struct err *reterr)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    const struct json *value = NULL;
    const char *name = NULL;
    size_t bytes = 0;

    for (size_t i = 0; json_member(object, i, &name, &value); i++) {
        const char *text = json_text(value);

        if (!text)
            return err_set(reterr, ALERTS_IN_E_INVALID, "%.100s: expected a text", name);
        if (!*name || !labels_text_ok(name, strlen(name)))
            return err_set(reterr, ALERTS_IN_E_INVALID,
                           "invalid label set: invalid name \"%.100s\"", name);
        bytes += strlen(name) + strlen(text);
        if (*text)
            labels_builder_set(&builder, name, text);
    }
    if (bytes > ALERTS_IN_TEXT_MAX)
        return err_set(reterr, ALERTS_IN_E_INVALID,
                       "labels or annotations of an alert: at most %d bytes", ALERTS_IN_TEXT_MAX);
    *ret = labels_builder_finish(&builder);
    return 0;
}

int alerts_in_time(const struct json *object,
                   const char *key,
                   int64_t *ret_at_ms,
                   struct err *reterr)
{
    const char *text = NULL;
    int64_t at_ms = 0;
    int r = json_get_string_or(object, key, NULL, &text, reterr);

    if (r)
        return r;
    if (text && *text && clock_parse_rfc3339(text, &at_ms))
        return err_set(reterr, JSON_E_TYPE,
                       "%s: cannot parse \"%.60s\" as a time like 2026-11-23T22:27:00Z", key, text);
    *ret_at_ms = at_ms > 0 ? at_ms : 0;
    return 0;
}

static int check(const struct alerts_in *in,
                 const struct alert_db_external *alert,
                 struct err *reterr)
{
    if (alert->labels->n == 0)
        return err_set(reterr, ALERTS_IN_E_INVALID, "at least one label pair required");
    if (alert->ends_ms < alert->starts_ms)
        return err_set(reterr, ALERTS_IN_E_INVALID, "start time must be before end time");
    if (in->n >= ALERTS_IN_MAX)
        return err_set(reterr, ALERTS_IN_E_INVALID, "at most %d alerts at once", ALERTS_IN_MAX);
    return 0;
}

int alerts_in_add(struct alerts_in *in,
                  const struct labels *labels,
                  const struct labels *annotations,
                  int64_t starts_ms,
                  int64_t ends_ms,
                  const char *generator_url,
                  struct err *reterr)
{
    struct alert_db_external alert = {.labels = labels,
                                      .annotations = annotations,
                                      .source = in->source,
                                      .generator_url = generator_url,
                                      .starts_ms = starts_ms,
                                      .ends_ms = ends_ms,
                                      .now_ms = in->now_ms};

    if (alert.starts_ms == 0)
        alert.starts_ms = ends_ms ? ends_ms : in->now_ms;
    if (alert.ends_ms == 0)
        alert.ends_ms = in->now_ms + in->resolve_timeout_ms;
    alert.is_firing = alert.ends_ms > in->now_ms;

    int r = check(in, &alert, reterr);

    if (r) {
        labels_unref(labels);
        labels_unref(annotations);
        return r;
    }
    in->at = mem_grow(in->at, &in->capacity, in->n + 1, sizeof(*in->at));
    in->at[in->n++] = alert;
    return 0;
}

void alerts_in_done(struct alerts_in *in)
{
    for (size_t i = 0; i < in->n; i++) {
        labels_unref(in->at[i].labels);
        labels_unref(in->at[i].annotations);
    }
    free(in->at);
}

/* --- the job --- */

struct job {
    const struct api *api;
    struct alerts_in *in;
    struct alert_db_external *news; /* loans */
    size_t n, n_taken;
    struct pager_outcome outcome;
    char keys[PAGER_INCIDENTS_MAX][INCIDENT_DB_KEY_MAX]; /* of its incidents */
};

/* False: there is nothing new in it. */
static bool merge(struct alert_db_external *alert, const struct standing_external *was)
{
    if (!alert->is_firing)
        return was->is_firing;
    if (was->is_firing && was->ends_ms > alert->now_ms) {
        if (was->starts_ms < alert->starts_ms)
            alert->starts_ms = was->starts_ms;
        if (was->ends_ms > alert->ends_ms)
            alert->ends_ms = was->ends_ms;
    }
    return true;
}

static int take(struct db_conn *conn, struct job *job, size_t i, int64_t room, struct err *reterr)
{
    struct alert_db_external *alert = &job->news[job->n];
    struct standing_external was = {0};
    bool found = false;

    *alert = job->in->at[i];
    int r = standing_db_external(conn, alert->labels, &was, &found, reterr);
    alert->was_firing = was.is_firing;
    alert->is_new = r == 0 && !found;
    if (r == 0 && !was.is_firing && alert->is_firing && (int64_t)job->n >= room)
        return err_set(reterr, ALERTS_IN_E_MANY, "%d alerts of others fire: no more are taken",
                       ALERTS_IN_FIRING_MAX);
    if (r == 0 && merge(alert, &was))
        job->n++;
    return r;
}

/* What is collected so far into the pager. */
static int flush(struct db_conn *conn, struct job *job, struct err *reterr)
{
    struct pager_outcome outcome = {0};
    struct pager_outcome *all = &job->outcome;

    if (job->n == 0)
        return 0;
    int r = pager_apply_external(job->api->pager, conn, job->news, job->n, job->in->now_ms,
                                 &outcome, reterr);

    for (size_t i = 0; i < outcome.n_incidents && all->n_incidents < PAGER_INCIDENTS_MAX; i++)
        all->incidents[all->n_incidents++] = outcome.incidents[i];
    all->outbox_grew |= outcome.outbox_grew;
    all->next_ms = outcome.next_ms;
    job->n_taken += job->n;
    job->n = 0;
    return r;
}

static bool is_collected(const struct job *job, const struct labels *labels)
{
    for (size_t i = 0; i < job->n; i++)
        if (job->news[i].labels->hash == labels->hash)
            return true;
    return false;
}

/* One alert may be there twice, firing and over: each counts, in their order. */
static int run(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct job *job = arg;
    int64_t n_firing = 0;
    int r = pager_n_external(job->api->pager, conn, job->in->now_ms, &n_firing, reterr);

    job->n = job->n_taken = 0;
    job->outcome = (struct pager_outcome){.next_ms = INT64_MAX};
    for (size_t i = 0; r == 0 && i < job->in->n; i++) {
        if (is_collected(job, job->in->at[i].labels))
            r = flush(conn, job, reterr);
        if (r == 0)
            r = take(conn, job, i, ALERTS_IN_FIRING_MAX - n_firing, reterr);
    }
    if (r == 0)
        r = flush(conn, job, reterr);
    for (size_t i = 0; r == 0 && i < job->outcome.n_incidents; i++)
        r = incident_db_key(conn, job->outcome.incidents[i], job->keys[i], reterr);
    return r;
}

/* Live views hear of the incidents by their keys. */
static void publish(const struct api *api, const struct job *job)
{
    http_hub_publish(api->hub, "alerts", "{}");
    for (size_t i = 0; i < job->outcome.n_incidents; i++)
        incidents_publish(api, job->keys[i]);
    api->told(api->app, &job->outcome);
}

int alerts_in_commit(const struct api *api, struct alerts_in *in, struct err *reterr)
{
    MEM_AUTO struct alert_db_external *news = mem_zalloc((in->n + 1) * sizeof(*news));
    MEM_AUTO struct job *job = mem_zalloc(sizeof(*job));

    *job = (struct job){.api = api, .in = in, .news = news};
    if (in->n == 0)
        return 0;
    int r = db_write(api->state, run, job, reterr);

    if (r == 0) {
        in->n_taken = job->n_taken;
        publish(api, job);
    }
    return r;
}
