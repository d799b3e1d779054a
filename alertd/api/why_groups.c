/*
 * The groups of an alert, and whom a policy would page. See why_load_private.h.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/api/why_load_private.h"
#include "alertd/db/notify_db.h"
#include "alertd/db/roster_db.h"
#include "alertd/oncall/escalation.h"
#include "alertd/pager/escalate.h"
#include "alertd/route/tree.h"
#include "lib/base/mem.h"

enum {
    WORDS_MAX = 16 * 1024,
    KEY_BYTES_MAX = 64 * 1024,
};

static const char *why_kept(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

/* --- groups --- */

/* Lists that grow while rows are read; the arena has their texts. */
struct groups {
    struct why_loading *loading;
    struct why_clock *clocks;
    struct why_told *told;
    size_t n_clocks, n_told, clocks_capacity, told_capacity;
    struct str keys[ROUTE_WALK_MAX]; /* of the alert's groups */
    size_t n_keys;
};

static bool is_group_of(const struct labels *group, const struct labels *alert)
{
    for (uint32_t i = 0; i < group->n; i++) {
        const char *value = labels_get(alert, group->at[i].name);

        if (!value || strcmp(value, group->at[i].value) != 0)
            return false;
    }
    return true;
}

static void on_clock(void *arg, const struct dispatch_group_row *row)
{
    struct groups *groups = arg;
    struct arena *arena = &groups->loading->known->arena;

    if (!is_group_of(row->group, groups->loading->known->alert.labels))
        return;
    groups->clocks = mem_grow(groups->clocks, &groups->clocks_capacity, groups->n_clocks + 1,
                              sizeof(*groups->clocks));
    struct why_clock *clock = &groups->clocks[groups->n_clocks++];

    *clock = (struct why_clock){.route_id = why_kept(arena, row->route_id),
                                .group = labels_in_arena(arena, row->group->at, row->group->n),
                                .next_flush_ms = row->next_flush_ms,
                                .has_flushed = row->has_flushed};
    if (!clock->route_id || !clock->group)
        groups->loading->result = why_no_room(groups->loading);
}

static bool is_key_of(const struct groups *groups, const char *key)
{
    for (size_t i = 0; i < groups->n_keys; i++)
        if (strcmp(str_text(&groups->keys[i]), key) == 0)
            return true;
    return false;
}

static void on_told(void *arg, const struct dispatch_log_row *row)
{
    struct groups *groups = arg;
    struct arena *arena = &groups->loading->known->arena;
    uint64_t hash = groups->loading->known->alert.labels->hash;

    if (!is_key_of(groups, row->group_key))
        return;
    groups->told = mem_grow(groups->told, &groups->told_capacity, groups->n_told + 1,
                            sizeof(*groups->told));
    struct why_told *told = &groups->told[groups->n_told++];

    *told = (struct why_told){.group_key = why_kept(arena, row->group_key),
                              .receiver = why_kept(arena, row->receiver),
                              .kind = why_kept(arena, row->kind),
                              .slot = row->slot,
                              .told_ms = row->told_at_ms};
    for (size_t i = 0; i < row->n_firing; i++)
        told->has_alert |= row->firing[i] == hash;
    if (!told->group_key || !told->receiver || !told->kind)
        groups->loading->result = why_no_room(groups->loading);
}

/* Into the arena. */
static int keep_groups(struct groups *groups)
{
    struct why_input *in = &groups->loading->known->input;
    struct arena *arena = &groups->loading->known->arena;
    struct why_clock *clocks = arena_array(arena, groups->n_clocks + 1, sizeof(*clocks));
    struct why_told *told = arena_array(arena, groups->n_told + 1, sizeof(*told));

    if (!clocks || !told)
        return why_no_room(groups->loading);
    if (groups->n_clocks)
        memcpy(clocks, groups->clocks, groups->n_clocks * sizeof(*clocks));
    if (groups->n_told)
        memcpy(told, groups->told, groups->n_told * sizeof(*told));
    in->clocks = clocks;
    in->n_clocks = groups->n_clocks;
    in->told = told;
    in->n_told = groups->n_told;
    return 0;
}

int why_load_groups(struct why_loading *loading)
{
    const struct labels *labels = loading->known->alert.labels;
    struct groups groups = {.loading = loading};
    struct route_walk walk;
    int r;

    if (loading->question->is_past)
        return 0; /* of clocks and what was told only the present is kept */
    route_walk(loading->known->input.config, labels, &walk);
    for (; groups.n_keys < walk.n; groups.n_keys++) {
        const struct labels *group = route_node_group(walk.at[groups.n_keys], labels);

        groups.keys[groups.n_keys] = STR_INIT(KEY_BYTES_MAX);
        route_node_group_key(walk.at[groups.n_keys], group, &groups.keys[groups.n_keys]);
        labels_unref(group);
    }
    r = notify_db_groups(loading->conn, on_clock, &groups, loading->reterr);
    if (r == 0)
        r = notify_db_told(loading->conn, on_told, &groups, loading->reterr);
    if (r == 0)
        r = loading->result ? loading->result : keep_groups(&groups);
    for (size_t i = 0; i < groups.n_keys; i++)
        str_done(&groups.keys[i]);
    free(groups.clocks);
    free(groups.told);
    return r;
}

/* --- whom a policy would page --- */

static bool reaches(const struct escalation_move *move)
{
    return move->kind == ESCALATION_PAGE || move->kind == ESCALATION_FALLBACK;
}

static int ask_policy(struct why_loading *loading,
                      const struct roster *roster,
                      const char *name,
                      const char *warning,
                      struct why_policy *ret)
{
    STR_AUTO struct str words = STR_INIT(WORDS_MAX);
    struct arena *arena = &loading->known->arena;
    const struct policy *policy = roster_policy(roster, name);
    struct escalation_moves moves = {0};
    struct escalation escalation;

    *ret = (struct why_policy){.name = name};
    if (!policy) {
        str_addf(&words, "there is no policy %s: it pages nobody", name);
    } else {
        escalation_open(&escalation, loading->question->at_ms);
        if (!escalation_advance(&escalation, policy, roster, loading->question->at_ms, arena,
                                &moves))
            return why_no_room(loading);
        for (size_t i = 0; i < moves.n; i++) {
            str_add(&words, i ? "; " : "");
            escalate_words(&moves.at[i], policy, roster, loading->known->input.config, &words);
            ret->reaches_somebody |= reaches(&moves.at[i]);
        }
    }
    str_add(&words, warning);
    ret->words = why_kept(arena, str_text(&words));
    return ret->words ? 0 : why_no_room(loading);
}

static int ask_policies(struct why_loading *loading,
                        const struct roster *roster,
                        const char *warning)
{
    struct why_input *in = &loading->known->input;
    struct arena *arena = &loading->known->arena;
    struct why_policy *policies = arena_array(arena, ROUTE_INTEGRATIONS_MAX, sizeof(*policies));
    struct route_walk walk;
    int r = 0;

    if (!policies)
        return why_no_room(loading);
    route_walk(in->config, loading->known->alert.labels, &walk);
    for (size_t i = 0; r == 0 && i < walk.n; i++) {
        const struct route_receiver *receiver = walk.at[i]->receiver;

        for (size_t k = 0; r == 0 && k < receiver->n_integrations; k++)
            if (receiver->integrations[k].kind == ROUTE_ONCALL &&
                in->n_policies < ROUTE_INTEGRATIONS_MAX)
                r = ask_policy(loading, roster, receiver->integrations[k].oncall.policy, warning,
                               &policies[in->n_policies++]);
    }
    in->policies = policies;
    return r;
}

int why_load_policies(struct why_loading *loading)
{
    struct why_known *known = loading->known;
    struct roster roster = {0};
    struct err left_out = {0};
    int64_t n_changes = 0;
    int r;

    if (known->alert.state != WHY_SUPPOSED)
        return 0;
    r = roster_db_load(loading->conn, &known->zones, &known->arena, &roster, &left_out);
    if (r)
        return err_set(loading->reterr, r, "%s", left_out.text);
    if (loading->question->is_past)
        r = why_db_roster_changes(loading->conn, loading->question->at_ms, &n_changes,
                                  loading->reterr);
    return r ? r
             : ask_policies(loading, &roster,
                            n_changes ? " (not known: people, schedules or policies were changed "
                                        "since; this is by today's)"
                                      : "");
}
