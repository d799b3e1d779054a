#pragma once

/*
 * Alerts that others decided, on their way to the pager: collected from a body, checked one
 * by one, taken in by one job. Shared by the calls of Alertmanager, PagerDuty and webhooks.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/api/api.h"
#include "alertd/db/alert_db.h"
#include "lib/json/read.h"

enum {
    ALERTS_IN_E_INVALID = 70, /* words are Alertmanager's */
    ALERTS_IN_E_MANY = 71,    /* more fire than are kept */

    ALERTS_IN_BODY_MAX = 16 * 1024 * 1024,
    ALERTS_IN_MAX = 5000,           /* of one body */
    ALERTS_IN_TEXT_MAX = 32 * 1024, /* of the labels, or annotations, of one */
    ALERTS_IN_FIRING_MAX = 50000,   /* of others, in all */
};

struct alerts_in {
    const char *source; /* "alertmanager", "pagerduty", "webhook" */
    int64_t now_ms;
    int64_t resolve_timeout_ms;
    struct alert_db_external *at;
    size_t n, capacity;
    size_t n_taken; /* by alerts_in_commit(): that changed or renewed something */
};

/* One alert. Labels and annotations become its own (references are taken over, also on
 * failure); the URL is a loan until the commit; times are 0 when not given. */
int alerts_in_add(struct alerts_in *in,
                  const struct labels *labels,
                  const struct labels *annotations,
                  int64_t starts_ms,
                  int64_t ends_ms,
                  const char *generator_url,
                  struct err *reterr);
void alerts_in_done(struct alerts_in *in);

/* An object of texts as a label set; empty ones are dropped. */
int alerts_in_labels(const struct json *object, const struct labels **ret, struct err *reterr);
/* RFC 3339; 0 for none and for Go's zero time. */
int alerts_in_time(const struct json *object,
                   const char *key,
                   int64_t *ret_at_ms,
                   struct err *reterr);

/* Into the pager, and told to the live views. */
int alerts_in_commit(const struct api *api, struct alerts_in *in, struct err *reterr);
