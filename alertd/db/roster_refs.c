/*
 * What a schedule, an override, a policy or a shadow refers to. See roster_private.h.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/db/roster_private.h"

enum {
    PATH_MAX_BYTES = 80
};

static void add(struct roster_refs *refs,
                struct arena *arena,
                enum roster_kind kind,
                const char *name,
                const char *path)
{
    if (!name || refs->full)
        return;
    for (size_t i = 0; i < refs->n; i++)
        if (refs->at[i].kind == kind && strcmp(refs->at[i].name, name) == 0)
            return;
    if (refs->n == refs->capacity) {
        size_t more = refs->capacity ? 2 * refs->capacity : 16;
        struct roster_ref *grown = arena_array(arena, more, sizeof(*grown));

        if (grown && refs->n)
            memcpy(grown, refs->at, refs->n * sizeof(*grown));
        refs->full = !grown;
        if (!grown)
            return;
        refs->at = grown;
        refs->capacity = more;
    }
    const char *kept = arena_strndup(arena, path, strlen(path));

    refs->full = !kept;
    if (kept)
        refs->at[refs->n++] = (struct roster_ref){kind, name, kept};
}

static void of_layer(const struct layer *layer,
                     size_t index,
                     struct arena *arena,
                     struct roster_refs *refs)
{
    char path[PATH_MAX_BYTES];

    for (size_t i = 0; i < layer->rotation.n_people; i++) {
        (void)snprintf(path, sizeof(path), "layers[%zu].rotation.people[%zu]", index, i);
        add(refs, arena, ROSTER_PERSON, layer->rotation.people[i], path);
    }
    for (size_t i = 0; i < layer->n_shifts; i++) {
        (void)snprintf(path, sizeof(path), "layers[%zu].shifts[%zu].person", index, i);
        add(refs, arena, ROSTER_PERSON, layer->shifts[i].person, path);
    }
}

static void of_targets(const struct target *targets,
                       size_t n,
                       const char *where,
                       struct arena *arena,
                       struct roster_refs *refs)
{
    char path[PATH_MAX_BYTES];

    for (size_t i = 0; i < n; i++) {
        switch (targets[i].kind) {
        case TARGET_PERSON:
            (void)snprintf(path, sizeof(path), "%s[%zu].person", where, i);
            add(refs, arena, ROSTER_PERSON, targets[i].name, path);
            break;
        case TARGET_SCHEDULE:
            (void)snprintf(path, sizeof(path), "%s[%zu].schedule", where, i);
            add(refs, arena, ROSTER_SCHEDULE, targets[i].name, path);
            break;
        case TARGET_RECEIVER: break; /* of the configuration file, which changes on its own */
        }
    }
}

static void of_policy(const struct policy *policy, struct arena *arena, struct roster_refs *refs)
{
    char where[PATH_MAX_BYTES / 2];

    for (size_t i = 0; i < policy->n_steps; i++) {
        (void)snprintf(where, sizeof(where), "steps[%zu].targets", i);
        of_targets(policy->steps[i].targets, policy->steps[i].n_targets, where, arena, refs);
    }
    of_targets(policy->fallback, policy->n_fallback, "fallback", arena, refs);
}

void roster_refs_of(const struct roster_value *value, struct arena *arena, struct roster_refs *refs)
{
    switch (value->kind) {
    case ROSTER_PERSON: break;
    case ROSTER_SCHEDULE:
        for (size_t i = 0; i < value->schedule->n_layers; i++)
            of_layer(&value->schedule->layers[i], i, arena, refs);
        break;
    case ROSTER_OVERRIDE:
        add(refs, arena, ROSTER_SCHEDULE, value->owner, "schedule");
        add(refs, arena, ROSTER_PERSON, value->override->person, "person");
        add(refs, arena, ROSTER_PERSON, value->override->of, "of");
        break;
    case ROSTER_POLICY: of_policy(value->policy, arena, refs); break;
    case ROSTER_SHADOW:
        add(refs, arena, ROSTER_PERSON, value->shadow->person, "person");
        add(refs, arena,
            value->shadow->target_kind == SHADOW_OF_PERSON ? ROSTER_PERSON : ROSTER_SCHEDULE,
            value->shadow->target, "target");
        add(refs, arena, ROSTER_PERSON, value->shadow->mentor, "mentor");
        break;
    }
}
