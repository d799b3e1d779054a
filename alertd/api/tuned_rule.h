#pragma once

/*
 * A rule that is looked at over its past: one that is evaluated, by its id, or a text that somebody
 * brings; and what is to be said of it.
 *
 *   rule: 7 | "alert: X\nexpr: ..."  --> struct rule, interval --tuned_run()--> tune_result
 */

#include "alertd/api/api.h"
#include "alertd/rule/group.h"
#include "alertd/tune/tune.h"
#include "lib/json/read.h"

enum {
    TUNED_E_BAD = 81, /* what was asked: words begin with the field */
    TUNED_E_NOT_FOUND = 82,
    TUNED_E_BUSY = 83, /* as many as may run do */

    TUNED_AT_ONCE = 2, /* readings of the store for these calls; the others are told */
};

struct tuned_rule {
    int64_t id; /* 0: a text */
    int64_t version;
    struct rule_file *file;
    const struct rule *rule;
    const struct rule_group *group;
    int64_t interval_ms;
};

/* 0 or TUNED_E_*; tuned_rule_done() in any case. */
int tuned_rule_by_id(const struct api *api, int64_t id, struct tuned_rule *ret, struct err *reterr);
/* One rule, or a rule file whose first alert it is. */
int tuned_rule_by_text(const char *text, struct tuned_rule *ret, struct err *reterr);
/* `rule` of a body: an id or a text; or `yaml`, a text. */
int tuned_rule_read(const struct api *api,
                    const struct json *body,
                    struct tuned_rule *ret,
                    struct err *reterr);
void tuned_rule_done(struct tuned_rule *rule);

/* from, to of a body or a query's texts (NULL: the last 30 days). */
int tuned_times(
    const char *from, const char *to, int64_t *ret_from_ms, int64_t *ret_to_ms, struct err *reterr);

/* Over our own store. A reader for other questions of the same time is given too; it is good
 * until tuned_over_done(). */
struct tuned_over {
    struct source source;
    struct reading_source reading;
    struct tune_reader reader;
    bool is_running;
};
int tuned_over_begin(const struct api *api, struct tuned_over *ret, struct err *reterr);
void tuned_over_done(struct tuned_over *over);

/* Answers with the words. */
void tuned_fail(struct http_response *response, int code, const struct err *err);
