#pragma once

/*
 * Which alerts belong together, and which notifications are owed about them. Pure.
 *
 *   opened ---group_wait---> FIRST ---group_interval---> NEW ALERTS (when there are any)
 *                              |------repeat_interval---> REPEAT (until acknowledged)
 *   over -----------------------------------------------> RESOLVED, at once
 *
 * A notification is rendered when it is sent, so one that still waits unsent tells of
 * whatever joined meanwhile: route_merge() says when a second one is not needed, and when
 * a later one must take an earlier one's place (and tell its story).
 */

#include <stdbool.h>
#include <stdint.h>

#include "alertd/route/config.h"
#include "lib/base/str.h"
#include "lib/model/labels.h"

/* The labels of the alert's group; heap, labels_unref(). */
const struct labels *route_group_labels(const struct route_config *config,
                                        const struct labels *alert);
/* Alertmanager's spelling: `{}:{alertname="Down", job="node"}`. */
void route_group_key(const struct labels *group, struct str *out);

enum route_reason {
    ROUTE_NOTHING,
    ROUTE_FIRST,
    ROUTE_NEW_ALERTS,
    ROUTE_RESOLVED,
    ROUTE_REPEAT,
};

/* "first", "new alerts", "resolved", "repeat". */
const char *route_reason_name(enum route_reason reason);
/* ROUTE_NOTHING for anything else. */
enum route_reason route_reason_parse(const char *name);

/* What is known, and told, of one incident. */
struct route_story {
    int64_t began_at_ms; /* opened, or opened again */
    int64_t told_at_ms;  /* when the last notification was due; 0: none since it began */
    bool open;           /* alerts fire and nobody resolved it */
    bool acknowledged;
    bool has_news;      /* an alert fired that no notification counted */
    bool told_resolved; /* a RESOLVED one was made since it began */
};

/* The next notification owed and when; ROUTE_NOTHING leaves *ret_due_ms alone. */
enum route_reason route_due(const struct route_times *times,
                            const struct route_story *story,
                            int64_t now_ms,
                            int64_t *ret_due_ms);

enum route_merge {
    ROUTE_MERGE_ADD,       /* enqueue the new one beside what is there */
    ROUTE_MERGE_COVERED,   /* the waiting one will tell it: enqueue nothing */
    ROUTE_MERGE_SUPERSEDE, /* the new one takes the waiting one's place */
};

/* `waiting`: the unsent notification of the same incident to the same integration
 * (ROUTE_NOTHING: none), tried `attempts` times so far. Once tried it may have arrived
 * without us knowing, under its idempotency key: news then needs a key of its own. */
enum route_merge route_merge(enum route_reason waiting, unsigned attempts, enum route_reason next);
