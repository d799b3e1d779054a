/*
 * Which alerts are not told because another one fires. See inhibit.h.
 */

#include "alertd/route/inhibit.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/route/chain.h"
#include "lib/base/mem.h"

struct source {
    struct chain link; /* first: by the values of `equal` */
    const struct labels *labels;
    int64_t ends_at_ms;
    bool is_target; /* of the same rule too */
};

struct inhibitor {
    const struct route_config *config;
    struct chains *sources; /* of each rule */
};

struct inhibitor *inhibitor_new(const struct route_config *config)
{
    struct inhibitor *inhibitor = mem_zalloc(sizeof(*inhibitor));

    inhibitor->config = route_config_ref(config);
    inhibitor->sources = mem_zalloc((config->n_inhibit_rules + 1) * sizeof(*inhibitor->sources));
    return inhibitor;
}

static void drop(struct chains *chains, int64_t until_ms)
{
    for (size_t i = 0; i < chains->n_buckets; i++)
        for (struct chain *at = chains->buckets[i], *next; at; at = next) {
            struct source *source = (struct source *)at;

            next = at->next;
            if (source->ends_at_ms > until_ms)
                continue;
            chains_remove(chains, at);
            labels_unref(source->labels);
            free(source);
        }
}

void inhibitor_prune(struct inhibitor *inhibitor, int64_t now_ms)
{
    for (size_t i = 0; i < inhibitor->config->n_inhibit_rules; i++)
        drop(&inhibitor->sources[i], now_ms);
}

void inhibitor_free(struct inhibitor *inhibitor)
{
    if (!inhibitor)
        return;
    inhibitor_prune(inhibitor, INT64_MAX);
    for (size_t i = 0; i < inhibitor->config->n_inhibit_rules; i++)
        chains_done(&inhibitor->sources[i]);
    free(inhibitor->sources);
    route_config_unref(inhibitor->config);
    free(inhibitor);
}

static const char *value_of(const struct labels *labels, const char *name)
{
    const char *value = labels_get(labels, name);

    return value ? value : "";
}

static uint64_t equal_hash(const struct route_inhibit_rule *rule, const struct labels *labels)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < rule->equal.n; i++)
        hash = labels_hash_text(hash, value_of(labels, rule->equal.at[i]));
    return hash;
}

static bool equal_values(const struct route_inhibit_rule *rule,
                         const struct labels *a,
                         const struct labels *b)
{
    for (size_t i = 0; i < rule->equal.n; i++)
        if (strcmp(value_of(a, rule->equal.at[i]), value_of(b, rule->equal.at[i])) != 0)
            return false;
    return true;
}

static void put(struct chains *chains,
                const struct route_inhibit_rule *rule,
                const struct labels *alert,
                int64_t ends_at_ms)
{
    uint64_t hash = equal_hash(rule, alert);
    struct source *source;

    for (struct chain *at = chains_find(chains, hash); at; at = chains_next(at)) {
        source = (struct source *)at;
        if (labels_equal(source->labels, alert)) {
            source->ends_at_ms = ends_at_ms;
            return;
        }
    }
    source = mem_zalloc(sizeof(*source));
    source->labels = labels_ref(alert);
    source->ends_at_ms = ends_at_ms;
    source->is_target = matchers_match(rule->targets, rule->n_targets, alert);
    chains_add(chains, &source->link, hash);
}

void inhibitor_put(struct inhibitor *inhibitor, const struct labels *alert, int64_t ends_at_ms)
{
    for (size_t i = 0; i < inhibitor->config->n_inhibit_rules; i++) {
        const struct route_inhibit_rule *rule = &inhibitor->config->inhibit_rules[i];

        if (matchers_match(rule->sources, rule->n_sources, alert))
            put(&inhibitor->sources[i], rule, alert, ends_at_ms);
    }
}

struct inhibition inhibitor_check(const struct inhibitor *inhibitor,
                                  const struct labels *alert,
                                  int64_t now_ms)
{
    for (size_t i = 0; i < inhibitor->config->n_inhibit_rules; i++) {
        const struct route_inhibit_rule *rule = &inhibitor->config->inhibit_rules[i];

        if (inhibitor->sources[i].n == 0 || !matchers_match(rule->targets, rule->n_targets, alert))
            continue;

        bool is_source = matchers_match(rule->sources, rule->n_sources, alert);
        struct chain *at = chains_find(&inhibitor->sources[i], equal_hash(rule, alert));

        for (; at; at = chains_next(at)) {
            const struct source *source = (const struct source *)at;

            if (source->ends_at_ms > now_ms && !(is_source && source->is_target) &&
                equal_values(rule, source->labels, alert))
                return (struct inhibition){source->labels, rule};
        }
    }
    return (struct inhibition){0};
}
