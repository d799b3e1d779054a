#pragma once

/*
 * Which past a rule is looked at over: what alertd has stored, or a drill with its trouble.
 *
 *     {}                the store, the last 30 days
 *     {"drill": NAME}   a drill as it goes when nobody plays it; not for who is playing it
 *     {"session": ID}   one that was played, as it went: for those who may read its debrief
 *
 * and how late samples came, {"ingest_lag_ms": N}.
 */

#include "alertd/api/api.h"
#include "alertd/api/told_json.h"
#include "alertd/api/tuned_rule.h"
#include "alertd/drill/headless.h"
#include "alertd/drill/past.h"
#include "alertd/play/library.h"
#include "alertd/play/play.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

struct tuned_past {
    bool is_drill;
    int64_t session;                /* 0: nobody played it */
    char *name, *title;             /* of the drill */
    char key[LIBRARY_NAME_MAX + 8]; /* of its trouble, among incidents: "DRILL-12", or the name */
    struct drill_past when;
    struct source source; /* its samples */
    int64_t took_ms;      /* to play it */
    int64_t lag_ms;
    struct told *told; /* what of it could not be read, by all readings */
    /* its own */
    struct library_loaded loaded;
    struct drill_played played;
    struct play_replayed replayed;
};

/* 0 or TUNED_E_*; tuned_past_done() in any case. The struct stays where it is. */
int tuned_past_read(const struct api *api,
                    const struct http_request *request,
                    const struct json *body,
                    struct tuned_past *ret_past,
                    struct err *reterr);
void tuned_past_done(struct tuned_past *past);

/* from, to of a body (NULL: the whole of a drill, or the last 30 days). */
int tuned_past_times(const struct tuned_past *past,
                     const char *from,
                     const char *to,
                     int64_t *ret_from_ms,
                     int64_t *ret_to_ms,
                     struct err *reterr);

/* tuned_over_begin() over that past, as it was known then. */
int tuned_past_begin(const struct api *api,
                     const struct http_request *request,
                     const struct tuned_past *past,
                     struct tuned_over *ret,
                     struct err *reterr);
/* What was known at an instant: a source for one evaluation. */
struct tuned_instant {
    struct source source, store;
    struct told_of telling;
    struct late late;
};
struct source tuned_past_at(const struct api *api,
                            const struct tuned_past *past,
                            int64_t at_ms,
                            struct tuned_instant *instant);

/* GET .../tunings/drills?rule= */
void tuned_past_drills(void *context, struct http_request *request, struct http_response *response);
