#pragma once

/*
 * A rule that is looked at over its past: one that is evaluated, by its id, or a text that somebody
 * brings; and what is to be said of it.
 *
 *   rule: 7 | "alert: X\nexpr: ..."  --> struct rule, interval --tune_run()--> tune_result
 *
 * Invariants
 *  (1) a few at a time, each with a deadline and a ceiling of memory: the others are told so.
 */

#include "alertd/api/api.h"
#include "alertd/promql/told.h"
#include "alertd/rule/group.h"
#include "alertd/tune/late.h"
#include "alertd/tune/tune.h"
#include "lib/json/read.h"

enum {
    TUNED_E_BAD = 81, /* what was asked: words begin with the field */
    TUNED_E_NOT_FOUND = 82,
    TUNED_E_BUSY = 83,  /* as many as may run do */
    TUNED_E_LATE = 84,  /* the deadline passed */
    TUNED_E_LIMIT = 85, /* too much: words say of what */
    TUNED_E_FORBIDDEN = 86,
    TUNED_E_CONFLICT = 87, /* not now: words say why */

    TUNED_AT_ONCE = 2,          /* readings of the store for all these calls; the others are told */
    TUNED_WAITING = 4,          /* for one of those */
    TUNED_DEADLINE_MS = 30000,  /* of each */
    TUNED_YAML_MAX = 256 << 10, /* a rule's text */
};

struct tuned_rule {
    int64_t id, version;               /* 0: a text that somebody brought */
    char *source, *group_name;         /* its file and group in the records; NULL: a text */
    char *yaml;                        /* as it was written */
    struct rule_file *file;            /* of that text */
    const struct rule *rule;           /* its first alert */
    const struct rule_group *group;    /* of that file */
    int64_t interval_ms, phase_ms;     /* phase: 0 of a text */
    unsigned head_lines, head_columns; /* of the file, before the text: places are further in */
};

/* 0 or TUNED_E_*; tuned_rule_done() in any case. */
int tuned_rule_by_id(const struct api *api, int64_t id, struct tuned_rule *ret, struct err *reterr);
/* One rule, or a rule file whose first alert it is. */
int tuned_rule_by_text(const char *text, struct tuned_rule *ret, struct err *reterr);
/* `rule` of a body, the id of one; or `yaml`, a text. */
int tuned_rule_read(const struct api *api,
                    const struct json *body,
                    struct tuned_rule *ret,
                    struct err *reterr);
/* The same rule in other words, where it was. `changed` may lend what the rule has. */
int tuned_rule_change(struct tuned_rule *tuned, const struct rule *changed, struct err *reterr);
void tuned_rule_done(struct tuned_rule *rule);

/* from, to of a body or a query's texts (NULL: the last 30 days). */
int tuned_times(
    const char *from, const char *to, int64_t *ret_from_ms, int64_t *ret_to_ms, struct err *reterr);

/* Over our own store, until a deadline, or until who asks has left. The reader is good until
 * tuned_over_done(). */
struct tuned_over {
    struct source source;
    struct source store; /* what source reads, and tells of what it could not (tuned_past.h) */
    struct told_of telling;
    struct reading_source reading;
    struct tune_reader reader;
    struct late late; /* where samples are read as late as they came (tuned_past.h) */
    bool is_running;
};
/* 0 or TUNED_E_BUSY; tuned_over_done() in any case; the struct stays where it is. */
int tuned_over_begin(const struct api *api,
                     const struct http_request *request,
                     struct tuned_over *ret,
                     struct err *reterr);
void tuned_over_done(struct tuned_over *over);
/* What a reading ended with, as TUNED_E_*. */
int tuned_over_code(const struct tuned_over *over, int code, struct err *reterr);

/* Answers with the words, and what could not be read until then. told NULL: nothing was to be read. */
void tuned_fail(struct http_response *response,
                const struct told *told,
                int code,
                const struct err *err);
