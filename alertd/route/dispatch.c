/*
 * Alerts and groups in virtual time. See dispatch.h; the parts are in dispatch_private.h.
 */

#include "alertd/route/dispatch.h"

#include <stdlib.h>

#include "alertd/route/dispatch_private.h"
#include "alertd/route/tree.h"
#include "lib/base/mem.h"

enum {
    LOG_PRUNE_MS = 15 * 60 * 1000,
    KEY_BYTES_MAX = 1024 * 1024,
};

struct dispatch *dispatch_new(const struct route_config *config, int64_t started_at_ms)
{
    struct dispatch *dispatch = mem_zalloc(sizeof(*dispatch));

    dispatch->config = route_config_ref(config);
    dispatch->inhibitor = inhibitor_new(config);
    dispatch->next_maintenance_ms = started_at_ms + DISPATCH_MAINTENANCE_MS;
    dispatch->next_log_prune_ms = (started_at_ms / LOG_PRUNE_MS + 1) * LOG_PRUNE_MS;
    return dispatch;
}

void dispatch_silence(struct dispatch *dispatch, const struct silences *silences)
{
    dispatch->silences = silences;
}

int64_t dispatch_maintenance_ms(const struct dispatch *dispatch)
{
    return dispatch->next_maintenance_ms;
}

static bool is_before(const struct group *a, const struct group *b)
{
    if (a->next_flush_ms != b->next_flush_ms)
        return a->next_flush_ms < b->next_flush_ms;
    if (a->node != b->node)
        return a->node->index < b->node->index;
    return labels_compare(a->labels, b->labels) < 0;
}

static void heap_set(struct dispatch *dispatch, size_t place, struct group *group)
{
    dispatch->heap[place] = group;
    group->heap_place = place;
}

/* Moves the group to where its time belongs. */
static void heap_settle(struct dispatch *dispatch, struct group *group)
{
    size_t place = group->heap_place;

    while (place > 0 && is_before(group, dispatch->heap[(place - 1) / 2])) {
        heap_set(dispatch, place, dispatch->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    for (size_t child; (child = place * 2 + 1) < dispatch->n_heap; place = child) {
        if (child + 1 < dispatch->n_heap &&
            is_before(dispatch->heap[child + 1], dispatch->heap[child]))
            child++;
        if (!is_before(dispatch->heap[child], group))
            break;
        heap_set(dispatch, place, dispatch->heap[child]);
    }
    heap_set(dispatch, place, group);
}

void dispatch_reschedule(struct dispatch *dispatch, struct group *group, int64_t next_flush_ms)
{
    group->next_flush_ms = next_flush_ms;
    heap_settle(dispatch, group);
    changed_group(dispatch, group);
}

static uint64_t group_hash(const struct route_node *node, const struct labels *labels)
{
    return labels->hash ^ (UINT64_C(0x9e3779b97f4a7c15) * (node->index + 1));
}

struct group *dispatch_find_group(const struct dispatch *dispatch,
                                  const struct route_node *node,
                                  const struct labels *labels)
{
    struct chain *at = chains_find(&dispatch->groups, group_hash(node, labels));

    for (; at; at = chains_next(at)) {
        struct group *group = (struct group *)at;

        if (group->node == node && labels_equal(group->labels, labels))
            return group;
    }
    return NULL;
}

struct group *dispatch_new_group(struct dispatch *dispatch,
                                 const struct route_node *node,
                                 const struct labels *labels,
                                 int64_t next_flush_ms)
{
    struct group *group = mem_zalloc(sizeof(*group));
    STR_AUTO struct str key = STR_INIT(KEY_BYTES_MAX);

    route_node_group_key(node, labels, &key);
    group->id = ++dispatch->last_group_id;
    group->node = node;
    group->labels = labels_ref(labels);
    group->key = mem_strdup(str_text(&key));
    group->next_flush_ms = next_flush_ms;
    chains_add(&dispatch->groups, &group->link, group_hash(node, labels));
    dispatch->heap = mem_grow(dispatch->heap, &dispatch->heap_capacity, dispatch->n_heap + 1,
                              sizeof(struct group *));
    group->heap_place = dispatch->n_heap++;
    heap_settle(dispatch, group);
    dispatch->n_empty++;
    changed_group(dispatch, group);
    return group;
}

struct held_alert *dispatch_find_alert(const struct dispatch *dispatch, const struct labels *labels)
{
    struct chain *at = chains_find(&dispatch->alerts, labels->hash);

    while (at && !labels_equal(((struct held_alert *)at)->alert.labels, labels))
        at = chains_next(at);
    return (struct held_alert *)at;
}

struct held_alert *dispatch_hold_alert(struct dispatch *dispatch,
                                       const struct dispatch_alert *alert)
{
    struct held_alert *held = dispatch_find_alert(dispatch, alert->labels);
    struct dispatch_alert old = {0};

    if (held) {
        old = held->alert;
    } else {
        held = mem_zalloc(sizeof(*held));
        chains_add(&dispatch->alerts, &held->link, alert->labels->hash);
    }
    held->alert = *alert;
    labels_ref(alert->labels);
    if (!alert->annotations)
        held->alert.annotations = labels_empty();
    labels_ref(held->alert.annotations);
    labels_unref(old.labels);
    labels_unref(old.annotations);
    return held;
}

static void free_alert(struct dispatch *dispatch, struct held_alert *held)
{
    chains_remove(&dispatch->alerts, &held->link);
    labels_unref(held->alert.labels);
    labels_unref(held->alert.annotations);
    free(held->groups);
    free(held);
}

static void leave(struct dispatch *dispatch, struct group *group, struct held_alert *held)
{
    size_t i = 0;

    while (held->groups[i] != group)
        i++;
    held->groups[i] = held->groups[--held->n_groups];
    if (held->n_groups == 0)
        free_alert(dispatch, held);
}

static void free_group(struct dispatch *dispatch, struct group *group)
{
    struct group *last = dispatch->heap[--dispatch->n_heap];
    size_t place = group->heap_place;

    gone_group(dispatch, group);
    if (group->n_members == 0)
        dispatch->n_empty--;
    for (size_t i = 0; i < group->n_members; i++)
        leave(dispatch, group, group->members[i]);
    chains_remove(&dispatch->groups, &group->link);
    if (last != group) {
        heap_set(dispatch, place, last);
        heap_settle(dispatch, last);
    }
    labels_unref(group->labels);
    free(group->members);
    free(group->key);
    free(group);
}

void dispatch_free(struct dispatch *dispatch)
{
    if (!dispatch)
        return;
    dispatch->tracks = false;
    while (dispatch->n_heap > 0)
        free_group(dispatch, dispatch->heap[dispatch->n_heap - 1]);
    /* restored ones that no group took */
    for (size_t i = 0; i < dispatch->alerts.n_buckets; i++)
        while (dispatch->alerts.buckets[i])
            free_alert(dispatch, (struct held_alert *)dispatch->alerts.buckets[i]);
    log_prune(dispatch, INT64_MAX);
    chains_done(&dispatch->alerts);
    chains_done(&dispatch->groups);
    chains_done(&dispatch->log);
    changed_done(&dispatch->changed);
    inhibitor_free(dispatch->inhibitor);
    route_config_unref(dispatch->config);
    free(dispatch->heap);
    free(dispatch);
}

void dispatch_join(struct dispatch *dispatch, struct group *group, struct held_alert *held)
{
    for (size_t i = 0; i < held->n_groups; i++)
        if (held->groups[i] == group)
            return;
    if (group->n_members == 0)
        dispatch->n_empty--;
    group->members = mem_grow(group->members, &group->capacity, group->n_members + 1,
                              sizeof(struct held_alert *));
    group->members[group->n_members++] = held;
    held->groups = mem_grow(held->groups, &held->capacity, held->n_groups + 1,
                            sizeof(struct group *));
    held->groups[held->n_groups++] = group;
}

/* What the sender left out. */
static void complete(const struct dispatch *dispatch, struct dispatch_alert *alert, int64_t now_ms)
{
    alert->updated_at_ms = now_ms;
    if (alert->starts_at_ms == 0)
        alert->starts_at_ms = alert->ends_at_ms && alert->ends_at_ms < now_ms ? alert->ends_at_ms
                                                                              : now_ms;
    if (alert->ends_at_ms == 0) {
        alert->timed_out = true;
        alert->ends_at_ms = now_ms + dispatch->config->resolve_timeout_ms;
    }
}

/* Two spans of one alert that touch are one span; the newer words win. */
static void merge(const struct dispatch_alert *old, struct dispatch_alert *alert, int64_t now_ms)
{
    bool ends_within = alert->ends_at_ms > old->starts_at_ms && alert->ends_at_ms < old->ends_at_ms;
    bool starts_within = alert->starts_at_ms > old->starts_at_ms &&
                         alert->starts_at_ms < old->ends_at_ms;

    if (!ends_within && !starts_within)
        return;
    if (old->starts_at_ms < alert->starts_at_ms)
        alert->starts_at_ms = old->starts_at_ms;
    if (dispatch_is_over(alert, now_ms)) {
        if (dispatch_is_over(old, now_ms) && old->ends_at_ms > alert->ends_at_ms)
            alert->ends_at_ms = old->ends_at_ms;
    } else if (old->ends_at_ms > alert->ends_at_ms && !old->timed_out) {
        alert->ends_at_ms = old->ends_at_ms;
    }
}

void dispatch_put(struct dispatch *dispatch, const struct dispatch_alert *alert, int64_t now_ms)
{
    struct dispatch_alert whole = *alert;
    struct held_alert *held = dispatch_find_alert(dispatch, alert->labels);
    struct route_walk taken;

    complete(dispatch, &whole, now_ms);
    if (held)
        merge(&held->alert, &whole, now_ms);
    held = dispatch_hold_alert(dispatch, &whole);
    inhibitor_put(dispatch->inhibitor, whole.labels, whole.ends_at_ms);
    route_walk(dispatch->config, whole.labels, &taken);
    for (size_t i = 0; i < taken.n; i++) {
        const struct route_node *node = taken.at[i];
        const struct labels *labels = route_node_group(node, whole.labels);
        struct group *group = dispatch_find_group(dispatch, node, labels);
        int64_t wait_ms = node->times.group_wait_ms;

        if (!group)
            group = dispatch_new_group(dispatch, node, labels, now_ms + wait_ms);
        labels_unref(labels);
        dispatch_join(dispatch, group, held);
        /* it waited elsewhere for longer than its company may take */
        if (!group->has_flushed && whole.starts_at_ms + wait_ms < now_ms)
            dispatch_reschedule(dispatch, group, now_ms);
    }
}

int64_t dispatch_next_ms(const struct dispatch *dispatch)
{
    int64_t flush_ms = dispatch->n_heap > 0 ? dispatch->heap[0]->next_flush_ms : INT64_MAX;

    return dispatch->n_empty > 0 && dispatch->next_maintenance_ms < flush_ms
               ? dispatch->next_maintenance_ms
               : flush_ms;
}

/* Members that were over when the flush saw them leave; true when that was the last of them. */
static bool sweep(struct dispatch *dispatch, struct group *group, int64_t at_ms)
{
    size_t n = 0;
    size_t before = group->n_members;

    for (size_t i = 0; i < before; i++) {
        struct held_alert *held = group->members[i];

        if (dispatch_is_over(&held->alert, at_ms))
            leave(dispatch, group, held);
        else
            group->members[n++] = held;
    }
    group->n_members = n;
    if (before > 0 && n == 0)
        dispatch->n_empty++;
    return before > 0 && n == 0;
}

static void maintain(struct dispatch *dispatch, int64_t at_ms)
{
    for (size_t i = dispatch->n_heap; dispatch->n_empty > 0 && i-- > 0;)
        if (i < dispatch->n_heap && dispatch->heap[i]->n_members == 0) {
            free_group(dispatch, dispatch->heap[i]);
            i = dispatch->n_heap; /* the heap moved: from its end again */
        }
    if (at_ms < dispatch->next_log_prune_ms)
        return;
    log_prune(dispatch, at_ms);
    inhibitor_prune(dispatch->inhibitor, at_ms);
    dispatch->next_log_prune_ms = (at_ms / LOG_PRUNE_MS + 1) * LOG_PRUNE_MS;
}

/* While no group is empty, maintenance only counts on: many steps are one. */
static void skip_maintenance(struct dispatch *dispatch, int64_t until_ms)
{
    int64_t behind_ms = until_ms - dispatch->next_maintenance_ms;

    if (dispatch->n_empty == 0 && behind_ms > DISPATCH_MAINTENANCE_MS)
        dispatch->next_maintenance_ms += behind_ms / DISPATCH_MAINTENANCE_MS *
                                         DISPATCH_MAINTENANCE_MS;
}

void dispatch_run(struct dispatch *dispatch, int64_t now_ms, dispatch_notify *notify, void *arg)
{
    for (;;) {
        struct group *group = dispatch->n_heap > 0 ? dispatch->heap[0] : NULL;
        int64_t at_ms = group ? group->next_flush_ms : INT64_MAX;

        skip_maintenance(dispatch, at_ms < now_ms ? at_ms : now_ms);
        if (group && at_ms <= now_ms && at_ms <= dispatch->next_maintenance_ms) {
            dispatch_reschedule(dispatch, group, at_ms + group->node->times.group_interval_ms);
            group->has_flushed = true;
            group->flushed_ms = at_ms;
            dispatch_flush(dispatch, group, at_ms, notify, arg);
            if (sweep(dispatch, group, at_ms))
                free_group(dispatch, group);
        } else if (dispatch->next_maintenance_ms <= now_ms) {
            maintain(dispatch, dispatch->next_maintenance_ms);
            dispatch->next_maintenance_ms += DISPATCH_MAINTENANCE_MS;
        } else {
            return;
        }
    }
}
