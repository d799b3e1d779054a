#pragma once

/*
 * The parts of the dispatcher. Private to route/.
 *
 *   dispatch.c        alerts and groups, their life and their times
 *   dispatch_flush.c  who is told what
 *   dispatch_log.c    what was told
 *   dispatch_rows.c   state, out and in
 */

#include "alertd/route/chain.h"
#include "alertd/route/dispatch.h"

struct held_alert {
    struct chain link; /* first: by labels */
    struct dispatch_alert alert;
    struct group **groups; /* that hold it */
    size_t n_groups, capacity;
};

struct group {
    struct chain link; /* first: by route and group labels */
    int64_t id;
    const struct route_node *node;
    const struct labels *labels;
    char *key; /* Alertmanager's group key */
    int64_t next_flush_ms;
    bool has_flushed;
    int64_t flushed_ms; /* when last */
    size_t heap_place;
    size_t changed_place; /* in the list of changed ones, from 1; 0: it is not there */
    struct held_alert **members;
    size_t n_members, capacity;
};

struct log_entry {
    struct chain link; /* first: by group key and integration */
    int64_t id;
    char *group_key, *receiver, *kind;
    unsigned slot;
    int64_t told_at_ms, expires_at_ms;
    uint64_t *firing, *resolved; /* sorted */
    size_t n_firing, n_resolved;
    size_t changed_place; /* as a group's */
};

/* What dispatch_save_changes() has to tell. A place is NULL when its owner went since. */
struct changed {
    struct group **groups;
    struct log_entry **log;
    int64_t *gone; /* groups that were forgotten */
    size_t n_groups, n_log, n_gone;
    size_t groups_capacity, log_capacity, gone_capacity;
};

struct dispatch {
    const struct route_config *config;
    const struct silences *silences;
    struct inhibitor *inhibitor;
    struct chains alerts, groups, log;
    struct group **heap; /* by next_flush_ms, then route, then labels */
    size_t n_heap, heap_capacity;
    size_t n_empty; /* groups without members */
    int64_t last_group_id, last_log_id;
    int64_t next_maintenance_ms;
    int64_t next_log_prune_ms;
    bool tracks; /* changes */
    struct changed changed;
};

/* dispatch.c */
struct held_alert *dispatch_find_alert(const struct dispatch *dispatch,
                                       const struct labels *labels);
struct held_alert *dispatch_hold_alert(struct dispatch *dispatch,
                                       const struct dispatch_alert *alert);
struct group *dispatch_find_group(const struct dispatch *dispatch,
                                  const struct route_node *node,
                                  const struct labels *labels);
struct group *dispatch_new_group(struct dispatch *dispatch,
                                 const struct route_node *node,
                                 const struct labels *labels,
                                 int64_t next_flush_ms);
void dispatch_join(struct dispatch *dispatch, struct group *group, struct held_alert *held);
void dispatch_reschedule(struct dispatch *dispatch, struct group *group, int64_t next_flush_ms);

/* dispatch_rows.c */
void changed_group(struct dispatch *dispatch, struct group *group);
void changed_log(struct dispatch *dispatch, struct log_entry *entry);
/* Before they are freed. */
void gone_group(struct dispatch *dispatch, struct group *group);
void gone_log(struct dispatch *dispatch, struct log_entry *entry);
void changed_done(struct changed *changed);

/* dispatch_flush.c */
bool dispatch_is_over(const struct dispatch_alert *alert, int64_t at_ms);
void dispatch_flush(struct dispatch *dispatch,
                    struct group *group,
                    int64_t at_ms,
                    dispatch_notify *notify,
                    void *arg);

/* dispatch_log.c */
struct log_entry *log_find(const struct dispatch *dispatch,
                           const char *group_key,
                           const char *receiver,
                           const char *kind,
                           unsigned slot);
/* In the place of what was logged before; copies. */
void log_set(struct dispatch *dispatch, const struct dispatch_log_row *row);
void log_prune(struct dispatch *dispatch, int64_t now_ms);
bool log_is_subset(const uint64_t *set, size_t n, const uint64_t *of, size_t n_of);
