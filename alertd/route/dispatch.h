#pragma once

/*
 * Alertmanager's dispatcher in virtual time: alerts in, notifications out.
 *
 *   put --route_walk()--> groups --group_wait, then every group_interval--> flush
 *   flush: not inhibited, not silenced, route not quiet --log of what was told--> notification
 *
 * A flush tells an integration when somebody new fires, when the last one is over, when some
 * are over (and it wants to know), or when repeat_interval has passed since it was told.
 * Alerts that are over leave the group once a flush has seen them, and a group that was left by the
 * last is forgotten at once: the next alert begins a new one, with its group_wait. Groups that are
 * empty otherwise (restored ones that no alert came back to) go every 30 s.
 *
 * State is rows: alerts, groups and the log. What is saved and given back to a new machine
 * goes on as the old one would have. Pure; one thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/route/config.h"
#include "alertd/route/inhibit.h"
#include "alertd/route/silence.h"
#include "alertd/route/tree.h"
#include "lib/model/labels.h"

enum {
    DISPATCH_MAINTENANCE_MS = 30000,
    DISPATCH_LOG_KEPT_MS = 120 * 3600 * 1000, /* or 2 x repeat_interval when that is less */
};

/* An alert as a sender gives it. */
struct dispatch_alert {
    const struct labels *labels;
    const struct labels *annotations; /* NULL: none */
    int64_t starts_at_ms;             /* 0: not given */
    int64_t ends_at_ms;               /* 0: not given: over after resolve_timeout */
    int64_t updated_at_ms;
    bool timed_out; /* the end is ours, not the sender's */
};

enum dispatch_reason {
    DISPATCH_FIRST,
    DISPATCH_NEW_ALERTS,
    DISPATCH_SOME_RESOLVED,
    DISPATCH_ALL_RESOLVED,
    DISPATCH_REPEAT,
};

/* Alertmanager's words: "first notification", "new alerts added" ... */
const char *dispatch_reason_name(enum dispatch_reason reason);

/* Loans, for the call only. */
struct dispatch_notification {
    const struct route_node *node;
    const struct route_integration *to;
    const char *group_key;
    const struct labels *group;
    enum dispatch_reason reason;
    int64_t at_ms;
    const struct dispatch_alert *const *firing; /* by labels */
    size_t n_firing;
    const struct dispatch_alert *const *resolved;
    size_t n_resolved;
    const uint64_t *told_firing; /* what it was told fires when it was told last: labels' hashes */
    size_t n_told_firing;
};

typedef void dispatch_notify(void *arg, const struct dispatch_notification *notification);

struct dispatch;

struct dispatch *dispatch_new(const struct route_config *config, int64_t started_at_ms);
void dispatch_free(struct dispatch *dispatch); /* NULL is fine */

/* What mutes from now on; must outlive the machine or be replaced. NULL: nothing. */
void dispatch_silence(struct dispatch *dispatch, const struct silences *silences);

/* Takes an alert in, now. Time never goes back: flushes before now must have been run. */
void dispatch_put(struct dispatch *dispatch, const struct dispatch_alert *alert, int64_t now_ms);

/* When something is next due; INT64_MAX: nothing is. */
int64_t dispatch_next_ms(const struct dispatch *dispatch);
/* Runs what is due until now, in order of time. */
void dispatch_run(struct dispatch *dispatch, int64_t now_ms, dispatch_notify *notify, void *arg);

/* Rows: loans, for the call only. */
struct dispatch_group_row {
    int64_t id;           /* of this life of the machine: rises, and is never given again */
    const char *route_id; /* route_node.id */
    const struct labels *group;
    int64_t next_flush_ms;
    int64_t not_before_ms; /* when restored: what was due earlier is due then */
    bool has_flushed;
    const struct labels *const *members; /* the alerts in it */
    size_t n_members;
};

struct dispatch_log_row {
    int64_t id; /* stays what it was when restored; 0: a new one */
    const char *group_key;
    const char *receiver;
    const char *kind;
    unsigned slot;
    int64_t told_at_ms;
    int64_t expires_at_ms;
    const uint64_t *firing; /* hashes of labels, sorted */
    size_t n_firing;
    const uint64_t *resolved;
    size_t n_resolved;
};

struct dispatch_rows {
    void (*alert)(void *arg, const struct dispatch_alert *row);
    void (*group)(void *arg, const struct dispatch_group_row *row);
    void (*log)(void *arg, const struct dispatch_log_row *row);
    void *arg;
};

/* Every row: alerts first, then groups, then the log. */
void dispatch_save(const struct dispatch *dispatch, const struct dispatch_rows *to);

/* From now on what changes is remembered until dispatch_save_changes() tells it: for a shell
 * that keeps rows. Right after dispatch_new(), or after restoring. */
void dispatch_track(struct dispatch *dispatch);

struct dispatch_changes {
    void (*group)(void *arg, const struct dispatch_group_row *row); /* new or moved; no members */
    void (*group_gone)(void *arg, int64_t group_id);
    void (*log)(void *arg, const struct dispatch_log_row *row);
    void *arg;
};

/* Rows that changed since the last call. Entries of the log that expired are not told: whoever
 * keeps them sees expires_at_ms. */
void dispatch_save_changes(struct dispatch *dispatch, const struct dispatch_changes *to);

/* Why nobody is told of an alert by a route at an instant; all empty when somebody is. */
struct dispatch_mute {
    const struct silence *silence;
    struct inhibition inhibition;
    enum route_quiet quiet;
    const char *interval; /* of quiet: its name */
};

bool dispatch_mutes(const struct dispatch *dispatch,
                    const struct labels *alert,
                    const struct route_node *node,
                    int64_t at_ms,
                    struct dispatch_mute *ret_why);

/* Back into a new machine, in that order. Members of a group need not be given: its alerts join it
 * when they are put. A group whose route is gone, or which its members
 * no longer belong to, is refused: put its alerts again and they find their new one. */
void dispatch_restore_alert(struct dispatch *dispatch, const struct dispatch_alert *row);
bool dispatch_restore_group(struct dispatch *dispatch, const struct dispatch_group_row *row);
void dispatch_restore_log(struct dispatch *dispatch, const struct dispatch_log_row *row);
/* An alert that is over joins those of its groups that were not flushed since. */
void dispatch_restore_over(struct dispatch *dispatch, const struct dispatch_alert *alert);
/* What the shell keeps beside the rows so that 30 s go on from where they were. */
int64_t dispatch_maintenance_ms(const struct dispatch *dispatch);
