/*
 * The dispatcher's state, out and in. See dispatch.h.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/route/dispatch_private.h"
#include "alertd/route/tree.h"
#include "lib/base/mem.h"

static void save_group(const struct group *group, const struct dispatch_rows *to)
{
    const struct labels **members = mem_alloc((group->n_members + 1) * sizeof(struct labels *));

    for (size_t i = 0; i < group->n_members; i++)
        members[i] = group->members[i]->alert.labels;

    struct dispatch_group_row row = {
        .id = group->id,
        .route_id = group->node->id,
        .group = group->labels,
        .next_flush_ms = group->next_flush_ms,
        .has_flushed = group->has_flushed,
        .members = members,
        .n_members = group->n_members,
    };

    to->group(to->arg, &row);
    free(members);
}

static void save_log(const struct log_entry *entry, const struct dispatch_rows *to)
{
    struct dispatch_log_row row = {
        .id = entry->id,
        .group_key = entry->group_key,
        .receiver = entry->receiver,
        .kind = entry->kind,
        .slot = entry->slot,
        .told_at_ms = entry->told_at_ms,
        .expires_at_ms = entry->expires_at_ms,
        .firing = entry->firing,
        .n_firing = entry->n_firing,
        .resolved = entry->resolved,
        .n_resolved = entry->n_resolved,
    };

    to->log(to->arg, &row);
}

void dispatch_save(const struct dispatch *dispatch, const struct dispatch_rows *to)
{
    for (size_t i = 0; i < dispatch->alerts.n_buckets; i++)
        for (const struct chain *at = dispatch->alerts.buckets[i]; at; at = at->next)
            to->alert(to->arg, &((const struct held_alert *)at)->alert);
    for (size_t i = 0; i < dispatch->n_heap; i++)
        save_group(dispatch->heap[i], to);
    for (size_t i = 0; i < dispatch->log.n_buckets; i++)
        for (const struct chain *at = dispatch->log.buckets[i]; at; at = at->next)
            save_log((const struct log_entry *)at, to);
}

/* --- changes --- */

void dispatch_track(struct dispatch *dispatch)
{
    dispatch->tracks = true;
}

void changed_group(struct dispatch *dispatch, struct group *group)
{
    struct changed *changed = &dispatch->changed;

    if (!dispatch->tracks || group->changed_place)
        return;
    changed->groups = mem_grow(changed->groups, &changed->groups_capacity, changed->n_groups + 1,
                               sizeof(struct group *));
    changed->groups[changed->n_groups++] = group;
    group->changed_place = changed->n_groups;
}

void changed_log(struct dispatch *dispatch, struct log_entry *entry)
{
    struct changed *changed = &dispatch->changed;

    if (!dispatch->tracks || entry->changed_place)
        return;
    changed->log = mem_grow(changed->log, &changed->log_capacity, changed->n_log + 1,
                            sizeof(struct log_entry *));
    changed->log[changed->n_log++] = entry;
    entry->changed_place = changed->n_log;
}

void gone_group(struct dispatch *dispatch, struct group *group)
{
    struct changed *changed = &dispatch->changed;

    if (!dispatch->tracks)
        return;
    if (group->changed_place)
        changed->groups[group->changed_place - 1] = NULL;
    changed->gone = mem_grow(changed->gone, &changed->gone_capacity, changed->n_gone + 1,
                             sizeof(*changed->gone));
    changed->gone[changed->n_gone++] = group->id;
}

void gone_log(struct dispatch *dispatch, struct log_entry *entry)
{
    struct changed *changed = &dispatch->changed;

    if (entry->changed_place)
        changed->log[entry->changed_place - 1] = NULL;
}

void changed_done(struct changed *changed)
{
    free(changed->groups);
    free(changed->log);
    free(changed->gone);
    *changed = (struct changed){0};
}

void dispatch_save_changes(struct dispatch *dispatch, const struct dispatch_changes *to)
{
    struct changed changed = dispatch->changed;
    const struct dispatch_rows rows = {.log = to->log, .arg = to->arg};

    dispatch->changed = (struct changed){0};
    /* what went before what came: a group that went may be back */
    for (size_t i = 0; i < changed.n_gone; i++)
        to->group_gone(to->arg, changed.gone[i]);
    for (size_t i = 0; i < changed.n_groups; i++) {
        struct group *group = changed.groups[i];

        if (!group)
            continue;
        group->changed_place = 0;
        to->group(to->arg, &(struct dispatch_group_row){.id = group->id,
                                                        .route_id = group->node->id,
                                                        .group = group->labels,
                                                        .next_flush_ms = group->next_flush_ms,
                                                        .has_flushed = group->has_flushed});
    }
    for (size_t i = 0; i < changed.n_log; i++)
        if (changed.log[i]) {
            changed.log[i]->changed_place = 0;
            save_log(changed.log[i], &rows);
        }
    changed_done(&changed);
}

/* --- back --- */

void dispatch_restore_alert(struct dispatch *dispatch, const struct dispatch_alert *row)
{
    dispatch_hold_alert(dispatch, row);
    inhibitor_put(dispatch->inhibitor, row->labels, row->ends_at_ms);
}

/* The tree's depth is limited, so this may call itself. */
static const struct route_node *find_node(const struct route_node *node, const char *id)
{
    const struct route_node *found = strcmp(node->id, id) == 0 ? node : NULL;

    for (size_t i = 0; i < node->n_children && !found; i++)
        found = find_node(&node->children[i], id);
    return found;
}

/* Whether the alert would be put into that group today. */
static bool belongs(const struct dispatch *dispatch,
                    const struct route_node *node,
                    const struct labels *group,
                    const struct labels *alert)
{
    const struct labels *labels = route_node_group(node, alert);
    bool same = labels_equal(labels, group);
    bool taken = false;
    struct route_walk walk;

    labels_unref(labels);
    route_walk(dispatch->config, alert, &walk);
    for (size_t i = 0; i < walk.n && !taken; i++)
        taken = walk.at[i] == node;
    return same && taken;
}

bool dispatch_restore_group(struct dispatch *dispatch, const struct dispatch_group_row *row)
{
    const struct route_node *node = find_node(dispatch->config->root, row->route_id);
    struct group *group;

    if (!node || dispatch_find_group(dispatch, node, row->group))
        return false;
    for (size_t i = 0; i < row->n_members; i++)
        if (!belongs(dispatch, node, row->group, row->members[i]))
            return false;
    group = dispatch_new_group(dispatch, node, row->group,
                               row->next_flush_ms < row->not_before_ms ? row->not_before_ms
                                                                       : row->next_flush_ms);
    group->has_flushed = row->has_flushed;
    group->flushed_ms = row->next_flush_ms - node->times.group_interval_ms;
    for (size_t i = 0; i < row->n_members; i++) {
        struct held_alert *held = dispatch_find_alert(dispatch, row->members[i]);

        if (held)
            dispatch_join(dispatch, group, held);
    }
    return true;
}

void dispatch_restore_log(struct dispatch *dispatch, const struct dispatch_log_row *row)
{
    log_set(dispatch, row);
}

void dispatch_restore_over(struct dispatch *dispatch, const struct dispatch_alert *alert)
{
    struct held_alert *held = dispatch_find_alert(dispatch, alert->labels);
    struct route_walk taken;

    route_walk(dispatch->config, alert->labels, &taken);
    for (size_t i = 0; i < taken.n; i++) {
        const struct labels *labels = route_node_group(taken.at[i], alert->labels);
        struct group *group = dispatch_find_group(dispatch, taken.at[i], labels);

        labels_unref(labels);
        if (!group || (group->has_flushed && alert->ends_at_ms <= group->flushed_ms))
            continue;
        if (!held)
            held = dispatch_hold_alert(dispatch, alert);
        dispatch_join(dispatch, group, held);
    }
}
