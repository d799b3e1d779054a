#pragma once

/*
 * A page as it is about to be sent: one notification of one incident to one
 * integration, with all a renderer needs and nothing it would have to look up.
 *
 * Rendered when it is sent, not when it was decided: so a page that was held up tells
 * what happened meanwhile ("fired 14:02:11, over at 14:02:26, delivered 90 s late ...").
 */

#include "alertd/incident/incident.h"

enum {
    PAGE_ALERTS_MAX = 500 /* carried in one page; more are counted */
};

/* A message of its own instead of an incident: a weekly report. */
struct page_digest {
    const char *subject;
    const char *text, *html;
    const char *brief; /* for a lock screen */
    const char *url;
};

struct page {
    struct incident incident;
    const struct incident_alert *alerts; /* firing first, then newest first */
    size_t n_alerts;                     /* at most PAGE_ALERTS_MAX */
    size_t n_told;                       /* alerts it is about, carried or not */
    const char *group_key;               /* Alertmanager's, of the group it is about */
    const struct labels *route;          /* labels of its route; NULL: none */
    const struct labels *group;          /* its labels */
    const char *reason; /* "first", "new alerts", "some resolved", "resolved", "repeat" ... */
    const char *receiver;
    const char *kind;
    unsigned slot;
    int64_t outbox_id;
    const char *idempotency_key; /* hex; the same in every attempt */
    const char *root_id;         /* hex; the same in every page of the incident: threading */
    unsigned attempts;           /* before this one */
    int64_t now_ms;
    int64_t owed_at_ms;        /* when it, or what it took the place of, should have gone out */
    const char *earlier_error; /* NULL: never failed */
    const char *instead_of; /* the receiver that could not be told, for that; NULL: it is its own */
    const char *incident_url;
    const char *acknowledge_url; /* the phone page; NULL when there is none */
    const char *external_url;
    const char *lane;                 /* NULL, "page", "shadow", "test", "drill", "digest" */
    const char *practice;             /* who answers and who stands behind, in reverse; or NULL */
    const struct page_digest *digest; /* NULL: it is about the incident */
};
