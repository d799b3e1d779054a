#pragma once

/*
 * One question about a rule's past, as the API is asked it. What the calls below
 * /api/alertd/v1/tunings share.
 *
 *   body --tuning_read()--> rule, times, setting, incidents --tuning_run()--> tune_result --> JSON
 *
 * Invariants
 *  (1) nothing is stored, whatever becomes of the question.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/api/api.h"
#include "alertd/api/tuned_past.h"
#include "alertd/api/tuned_rule.h"
#include "alertd/tune/tune.h"
#include "lib/base/arena.h"
#include "lib/json/read.h"
#include "lib/json/write.h"
#include "lib/model/zone.h"

enum {
    TUNING_INCIDENTS_MAX = SURFACE_INCIDENTS_MAX,
};

/* When it was bad, from our own records, the drill that is looked at, or the caller. */
struct tuning_incident {
    const char *source;  /* "record", "drill", "hand" */
    const char *key;     /* "INC-2026-0012"; NULL: the caller's */
    const char *title;   /* NULL: none */
    const char *verdict; /* "useful", "noise", "unknown"; NULL: nobody said, or the caller's */
    int64_t begin_ms, end_ms;
    bool counts;                    /* alerts are held against it */
    const char *words;              /* why it counts, or does not */
    const struct matcher *matchers; /* which alerts it is about; none: all */
    size_t n_matchers;
    size_t when; /* of tuning.whens, when it counts and lies within the time */
    bool is_when;
};

struct tuning {
    const struct api *api;
    const struct http_request *request;
    struct arena arena;
    struct tuned_past past;
    struct tuned_rule tuned; /* as it is asked about */
    /* what of it */
    int64_t from_ms, to_ms;
    bool has_choice;
    size_t choice;
    bool has_setting;
    double threshold;
    int64_t for_ms, keep_ms; /* the rule's own where nothing is said */
    uint32_t columns;
    struct zone *zone;
    struct tuning_incident *incidents;
    size_t n_incidents;
    struct tune_incident *whens; /* of those that count */
    size_t n_whens;
};

/* 0 or TUNED_E_*. In any case tuning_done(). */
int tuning_read(const struct api *api,
                const struct http_request *request,
                const struct json *body,
                struct tuning *ret_tuning,
                struct err *reterr);
void tuning_done(struct tuning *tuning);

/* The rule with another comparison's number and `for`. tuned_rule_done() in any case. */
int tuning_rule_of(const struct tuning *tuning,
                   const struct split_choice *choice,
                   double threshold,
                   struct tuned_rule *ret,
                   struct err *reterr);

/* Incidents of the records or of the drill, and of the body, in order of time. */
int tuning_read_incidents(struct tuning *tuning, const struct json *body, struct err *reterr);

/* A reading of its past. 0 or TUNED_E_*; tuned_over_done() in any case; the struct stays where it is. */
int tuning_over_begin(const struct tuning *tuning, struct tuned_over *ret, struct err *reterr);

/* 0 or TUNED_E_*; tune_result_done() in any case. */
int tuning_run(const struct tuning *tuning,
               const struct tune_ask *ask,
               struct tune_result *ret_result,
               struct err *reterr);
/* The ask of a whole surface. */
struct tune_ask tuning_ask(const struct tuning *tuning);

/* tuning_apart.c: "apart", where each threshold has alerts of its own: its runs; otherwise null. */
void tuning_write_apart(const struct tune_result *result, struct json_out *out);

/* tuning_json.c */
void tuning_write(const struct tuning *tuning, struct tune_result *result, struct json_out *out);
void tuning_write_episodes(const struct tuning *tuning,
                           const struct tune_result *result,
                           const struct tuned_rule *rule,
                           struct json_out *out);
/* What there is to say of the rule: "findings":[...], places within its text. */
void tuning_write_findings(const struct tuned_rule *rule, struct json_out *out);

/* tuning_preview.c, tuning_explain.c, tuning_faults.c */
void tuning_preview(const struct tuning *tuning,
                    const struct json *body,
                    struct http_response *response);
void tuning_explain(const struct tuning *tuning,
                    const struct json *body,
                    struct http_response *response);
void tuning_faults(const struct tuning *tuning,
                   const struct json *body,
                   struct http_response *response);

/* `at` and `labels` of a body: which alert. */
int tuning_read_at(const struct json *body, int64_t *ret_ms, struct err *reterr);
int tuning_read_labels(const struct json *body, struct labels_builder *builder, struct err *reterr);
/* A unit test of the alert that the body says, of rule in a setting with that result. 0 or TUNED_E_*. */
int tuning_unit(const struct tuning *tuning,
                const struct json *body,
                const struct tune_result *result,
                const struct rule *rule,
                struct str *out,
                struct err *reterr);
