/*
 * Alerts about alertd itself. See own_alerts.h.
 */

#include "alertd/app/own_alerts.h"

#include "alertd/db/standing_db.h"
#include "alertd/pager/pager.h"

struct tell_job {
    struct pager *pager;
    const struct labels *labels, *annotations;
    bool is_firing;
    int64_t now_ms;
    struct pager_outcome outcome;
};

static int run_job(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct tell_job *job = arg;
    struct standing_external was = {0};
    bool found = false;
    int r = standing_db_external(conn, job->labels, &was, &found, reterr);

    if (r || (!job->is_firing && !(found && was.is_firing)))
        return r;
    const struct alert_db_external alert = {
        .labels = job->labels,
        .annotations = job->annotations,
        .source = "alertd",
        .generator_url = "",
        .starts_ms = found && was.is_firing ? was.starts_ms : job->now_ms,
        .ends_ms = job->is_firing ? job->now_ms + OWN_ALERT_MS : job->now_ms,
        .is_firing = job->is_firing,
        .now_ms = job->now_ms,
    };
    return pager_apply_external(job->pager, conn, &alert, 1, job->now_ms, &job->outcome, reterr);
}

static const struct labels *pair(const char *a, const char *value, const char *b, const char *other)
{
    const struct label pairs[] = {{a, value}, {b, other}};

    return labels_new(pairs, 2);
}

int own_alert_tell(const struct api *api,
                   const struct own_alert *alert,
                   int64_t now_ms,
                   struct err *reterr)
{
    struct tell_job job = {
        .pager = api->pager,
        .labels = pair("alertname", alert->name, "severity", alert->severity),
        .annotations = pair("description", alert->description, "summary", alert->summary),
        .is_firing = alert->is_firing,
        .now_ms = now_ms,
    };
    int r = db_write(api->state, run_job, &job, reterr);

    labels_unref(job.labels);
    labels_unref(job.annotations);
    if (r == 0 && (job.outcome.outbox_grew || job.outcome.n_incidents))
        api->wake(api->app, API_WAKE_OUTBOX);
    return r;
}
