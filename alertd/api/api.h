#pragma once

/*
 * What handlers are given. An api file is: parse the request, call what knows, render.
 * No SQL and no decision lives in api/. Each file exports one table of routes.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/eval/rule_history.h"
#include "alertd/http/http.h"
#include "alertd/store/store.h"
#include "lib/base/log.h"
#include "lib/json/write.h"

enum api_wake {
    API_WAKE_RULES,  /* rules were imported, enabled, disabled */
    API_WAKE_REVIEW, /* somebody wants all rules looked at now */
    API_WAKE_PATHS,  /* a paging drill has begun */
    API_WAKE_OUTBOX, /* something is due to be sent, or was superseded */
};

/* The Alertmanager that we say to be: what clients that ask for one may rely on. */
#define API_ALERTMANAGER_VERSION "0.33.0"

struct access;
struct ingest;
struct pager;
struct pager_outcome;
struct play;

struct api {
    struct db *state;      /* state.db */
    struct pager *pager;   /* alerts in, notifications out; inside jobs of state.db */
    struct store *store;   /* samples */
    struct ingest *ingest; /* pushed bodies into it; who pushes */
    struct access *access; /* tokens and sessions: db/access_db.h */
    struct play *play;     /* drills: play/play.h */
    struct http_hub *hub;  /* live events for the dashboard */
    const struct log *log;
    const char *external_url; /* "http://127.0.0.1:9797", no trailing slash */
    const char *storage_path;
    const char *version; /* "0.1.0" */
    const char *web_dir; /* serve the dashboard from this folder instead; NULL */
    bool auth_off;
    atomic_bool ready; /* everything is started: /-/ready says 200 */
    int64_t started_ms;
    atomic_uint_fast64_t clock_jumps, standstills; /* since then */
    /* alerts posted to /api/v2/alerts: firing, over, and not taken */
    atomic_uint_fast64_t posted_firing, posted_over, posted_invalid;
    int64_t retention_ms;     /* 0: everything is kept */
    int64_t query_timeout_ms; /* for one PromQL query */
    int64_t query_lookback_ms;
    size_t query_max_samples;
    /* Receivers, grouping. A reload puts another one here; the old one stays valid. */
    const struct route_config *_Atomic route;
    /* What a handler changed in state.db, for the loops that live off it. */
    void (*wake)(void *app, enum api_wake what);
    /* What the pager made of alerts, for those who tell it. */
    void (*told)(void *app, const struct pager_outcome *outcome);
    int (*reload)(void *app, struct err *reterr);
    /* The last evaluations of a rule, copied (rule_history_done()); false: it does not run. */
    bool (*rule_history)(void *app, int64_t rule_id, struct rule_history *ret_history);
    void (*render_metrics)(void *app, struct str *out);
    /* [{"level":"info|warn|error","text":"..."}]: what everybody should know, always. */
    void (*write_banners)(void *app, struct json_out *out);
    /* How well alertd itself is, as /-/deep says it; false: not well. */
    bool (*write_deep)(void *app, struct json_out *out);
    /* The canary's beat is back; false: it is none of ours. */
    bool (*canary_came_back)(void *app, const char *key, const char *idempotency_key);
    void *app;
};

struct api_table {
    const struct http_route *routes;
    size_t n;
};

/* One per file. */
extern const struct api_table api_push_routes;   /* api/push.c: write, import */
extern const struct api_table api_agents_routes; /* api/agents.c */
extern const struct api_table api_query_routes;  /* api/prom_query.c */
extern const struct api_table api_rules_routes;  /* api/rules.c: prometheus rules+alerts, ours */
extern const struct api_table api_deliveries_routes;        /* api/deliveries.c */
extern const struct api_table api_escalations_routes;       /* api/escalations.c */
extern const struct api_table api_incidents_routes;         /* api/incidents.c and the ack page */
extern const struct api_table api_declare_routes;           /* api/incidents_declare.c */
extern const struct api_table api_record_routes;            /* api/incidents_events.c */
extern const struct api_table api_marks_routes;             /* api/incidents_marks.c: metrics too */
extern const struct api_table api_postmortem_import_routes; /* api/postmortem_import.c */
extern const struct api_table api_queries_routes;           /* api/queries_seen.c */
extern const struct api_table api_postmortem_tables_routes; /* api/postmortem_tables.c */
extern const struct api_table api_learnt_routes;            /* api/learnt_call.c */
extern const struct api_table api_timelines_routes;         /* api/incidents_import.c */
extern const struct api_table api_changes_routes;           /* api/changes_in.c */
extern const struct api_table api_search_routes;            /* api/search.c, and what is related */
extern const struct api_table api_services_routes;          /* api/services.c */
extern const struct api_table api_postmortems_routes;       /* api/postmortems.c */
extern const struct api_table api_alertmanager_routes;      /* api/alertmanager.c: /api/v2 */
extern const struct api_table api_intake_routes;   /* api/intake.c: PagerDuty's, webhooks */
extern const struct api_table api_silences_routes; /* api/silences.c, and what fires */
extern const struct api_table api_verdicts_routes; /* api/verdicts.c */
extern const struct api_table api_report_routes;   /* api/report.c */
extern const struct api_table api_access_routes;   /* api/access.c: login, tokens */
extern const struct api_table api_postmortem_actions_routes;  /* api/postmortem_actions.c */
extern const struct api_table api_postmortem_export_routes;   /* api/postmortem_export.c */
extern const struct api_table api_postmortem_trends_routes;   /* api/postmortem_trends.c */
extern const struct api_table api_postmortem_publish_routes;  /* api/postmortem_publish.c */
extern const struct api_table api_postmortem_reviews_routes;  /* api/postmortem_reviews.c */
extern const struct api_table api_postmortem_sections_routes; /* api/postmortem_sections.c */
extern const struct api_table api_status_routes;    /* api/status.c: healthy, metrics, agents ... */
extern const struct api_table api_web_routes;       /* api/web.c: the embedded dashboard */
extern const struct api_table api_runbooks_routes;  /* api/runbooks.c */
extern const struct api_table api_people_routes;    /* api/people.c and a test's page */
extern const struct api_table api_schedules_routes; /* api/schedules.c: calendars, imports too */
extern const struct api_table api_oncall_routes;    /* api/oncall.c */
extern const struct api_table api_policies_routes;  /* api/policies.c */
extern const struct api_table api_shadows_routes;   /* the same */
extern const struct api_table
    api_shadow_pages_routes;                        /* api/shadow_pages.c, and their phone page */
extern const struct api_table api_readiness_routes; /* api/readiness.c */
extern const struct api_table api_tunings_routes;   /* api/tunings.c */
extern const struct api_table api_why_routes;       /* api/why.c */
extern const struct api_table api_review_routes;    /* api/review.c */
extern const struct api_table api_canary_routes;    /* api/canary.c */
extern const struct api_table api_tunings_pages_routes;  /* api/tunings_pages.c, and labels */
extern const struct api_table api_drill_library_routes;  /* api/drill_library.c */
extern const struct api_table api_paging_drill_routes;   /* api/paging_drill.c */
extern const struct api_table api_drill_debrief_routes;  /* api/drill_debrief.c */
extern const struct api_table api_drill_practice_routes; /* api/drill_practice.c */

extern const struct api_table api_drills_routes;      /* api/drills.c: library, beginning */
extern const struct api_table api_drills_play_routes; /* api/drills_play.c */
extern const struct api_table api_drills_prom_routes; /* api/drills_prom.c */

/* Postmortems: a file of their own for each noun within them. */
extern const struct api_table api_postmortem_page_routes;
