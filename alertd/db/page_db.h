#pragma once

/*
 * Alerts into incidents, inside the transaction that also stores the alerts' own state: either
 * all of it happened or nothing did. Who calls decides which group an alert belongs to, and
 * that somebody is to be told of it (pager/).
 */

#include "alertd/db/db.h"
#include "alertd/incident/incident.h"

/* The group an incident is of. */
struct page_group {
    const struct labels *labels;
    const char *key; /* Alertmanager's: `{}/{severity="page"}:{alertname="Down"}` */
    /* An incident of it that was over later than this, and whose end nobody was told, goes on. */
    int64_t goes_on_since_ms;
};

/* The alert fires: it joins the incident of its group that takes alerts in, or opens one, with
 * its events. `late` (may be NULL): why it comes only now, "silenced until 14:03 UTC". An alert
 * that fires in it already changes nothing. *ret_incident_id is the incident's in any case. */
int page_db_fires(struct db_conn *conn,
                  const struct incident_alert *alert,
                  const struct page_group *group,
                  const char *late,
                  int64_t now_ms,
                  int64_t *ret_incident_id,
                  struct err *reterr);

/* The alert is over, in every incident that holds it as firing: one, unless the grouping was
 * changed. Incidents of which it was the last are resolved. `touched` is told each. */
/* It still fires: whoever is told of it next is told its present words. */
int page_db_renews(struct db_conn *conn, const struct incident_alert *alert, struct err *reterr);
int page_db_ends(struct db_conn *conn,
                 const struct incident_alert *alert,
                 int64_t now_ms,
                 void (*touched)(void *arg, int64_t incident_id),
                 void *arg,
                 struct err *reterr);

/* The newest incident that has the alert; 0: none has. *ret_firing: it fires there. */
int page_db_of_alert(struct db_conn *conn,
                     uint64_t fingerprint,
                     int64_t *ret_incident_id,
                     bool *ret_firing,
                     struct err *reterr);
