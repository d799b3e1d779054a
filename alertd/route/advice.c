/*
 * What loads and is probably not what was meant. See advice.h.
 */

#include "alertd/route/advice.h"

#include <string.h>

#include "alertd/route/interval.h"
#include "alertd/route/matchers.h"
#include "lib/model/duration.h"

enum {
    WORDS_MAX = 4096
};

struct adviser {
    const struct route_config *config;
    route_advise *advise;
    void *arg;
};

static void tell(const struct adviser *to, unsigned line, unsigned column, struct str *words)
{
    to->advise(to->arg, line, column, str_text(words));
    str_cut(words, 0);
}

static bool same_matcher(const struct matcher *a, const struct matcher *b)
{
    return a->type == b->type && strcmp(a->name, b->name) == 0 && strcmp(a->value, b->value) == 0;
}

static bool has_matcher(const struct route_node *node, const struct matcher *matcher)
{
    for (size_t i = 0; i < node->n_matchers; i++)
        if (same_matcher(&node->matchers[i], matcher))
            return true;
    return false;
}

/* Whatever `after` matches, `before` matches too: it asks for less of the same. */
static bool covers(const struct route_node *before, const struct route_node *after)
{
    for (size_t i = 0; i < before->n_matchers; i++)
        if (!has_matcher(after, &before->matchers[i]))
            return false;
    return true;
}

static void check_reach(const struct adviser *to, const struct route_node *parent, size_t place)
{
    STR_AUTO struct str words = STR_INIT(WORDS_MAX);
    const struct route_node *node = &parent->children[place];

    for (size_t i = 0; i < place; i++) {
        const struct route_node *before = &parent->children[i];

        if (before->goes_on || !covers(before, node))
            continue;
        str_add(&words, "no alert reaches this route: all that match it are taken by ");
        route_matchers_print(before->matchers, before->n_matchers, &words);
        str_addf(&words, " in line %u; put it first, or let that one say \"continue: true\"",
                 before->line);
        tell(to, node->line, node->column, &words);
        return;
    }
}

static void check_times(const struct adviser *to, const struct route_node *node)
{
    STR_AUTO struct str words = STR_INIT(WORDS_MAX);
    const struct route_times *times = &node->times;
    char repeat[DURATION_TEXT_MAX];
    char interval[DURATION_TEXT_MAX];

    if (times->repeat_interval_ms >= times->group_interval_ms)
        return;
    if (node->parent && node->parent->times.repeat_interval_ms == times->repeat_interval_ms &&
        node->parent->times.group_interval_ms == times->group_interval_ms)
        return; /* said where they are inherited from */
    str_addf(&words,
             "repeat_interval (%s) is shorter than group_interval (%s): reminders come only "
             "every %s",
             duration_print(times->repeat_interval_ms, repeat),
             duration_print(times->group_interval_ms, interval), interval);
    tell(to, node->line, node->column, &words);
}

/* Depth is limited, so this may call itself. */
static void check_route(const struct adviser *to, const struct route_node *node)
{
    check_times(to, node);
    for (size_t i = 0; i < node->n_children; i++) {
        check_reach(to, node, i);
        check_route(to, &node->children[i]);
    }
}

typedef bool names_it(const struct route_node *node, const void *what);

static bool is_told(const struct route_node *node, const void *what)
{
    return node->receiver == what;
}

static bool asks_interval(const struct route_node *node, const void *what)
{
    for (size_t i = 0; i < node->n_mute; i++)
        if (node->mute[i] == what)
            return true;
    for (size_t i = 0; i < node->n_active; i++)
        if (node->active[i] == what)
            return true;
    return false;
}

static bool any_route(const struct route_node *node, names_it *names, const void *what)
{
    if (names(node, what))
        return true;
    for (size_t i = 0; i < node->n_children; i++)
        if (any_route(&node->children[i], names, what))
            return true;
    return false;
}

static bool stands_in(const struct route_config *config, const struct route_receiver *receiver)
{
    for (size_t i = 0; i < config->n_receivers; i++)
        if (config->receivers[i].failover == receiver)
            return true;
    return false;
}

/* A failover that is told of nothing, or only of what the one before it could not be told. */
static void check_failovers(const struct adviser *to)
{
    STR_AUTO struct str words = STR_INIT(WORDS_MAX);

    for (size_t i = 0; i < to->config->n_receivers; i++) {
        const struct route_receiver *receiver = &to->config->receivers[i];
        const struct route_receiver *failover = receiver->failover;

        if (!failover)
            continue;
        if (receiver->integrations[0].kind == ROUTE_DASHBOARD)
            str_addf(&words, "receiver \"%s\" has nobody to tell, so nothing goes to \"%s\"",
                     receiver->name, failover->name);
        else if (failover->integrations[0].kind == ROUTE_DASHBOARD)
            str_addf(&words, "the failover \"%s\" has nobody to tell", failover->name);
        else
            continue;
        tell(to, receiver->line, receiver->column, &words);
    }
}

static void check_unnamed(const struct adviser *to)
{
    STR_AUTO struct str words = STR_INIT(WORDS_MAX);
    const struct route_config *config = to->config;

    for (size_t i = 0; i < config->n_receivers; i++) {
        const struct route_receiver *receiver = &config->receivers[i];

        if (any_route(config->root, is_told, receiver) || stands_in(config, receiver))
            continue;
        str_addf(&words, "no route names receiver \"%s\": it is never told", receiver->name);
        tell(to, receiver->line, receiver->column, &words);
    }
    for (size_t i = 0; i < config->n_intervals; i++) {
        const struct route_interval *interval = config->intervals[i];

        if (any_route(config->root, asks_interval, interval))
            continue;
        str_addf(&words, "no route names time interval \"%s\"", interval->name);
        tell(to, interval->line, interval->column, &words);
    }
}

static void check_inhibition(const struct adviser *to)
{
    STR_AUTO struct str words = STR_INIT(WORDS_MAX);

    for (size_t i = 0; i < to->config->n_inhibit_rules; i++) {
        const struct route_inhibit_rule *rule = &to->config->inhibit_rules[i];

        if (rule->n_sources > 0 && rule->n_targets > 0)
            continue;
        str_addf(&words, "this inhibit rule has no %s matchers: every alert %s",
                 rule->n_sources == 0 ? "source" : "target",
                 rule->n_sources == 0 ? "that fires mutes others" : "can be muted by it");
        tell(to, rule->line, rule->column, &words);
    }
}

void route_config_advise(const struct route_config *config, route_advise *advise, void *arg)
{
    struct adviser to = {config, advise, arg};

    check_route(&to, config->root);
    check_unnamed(&to);
    check_failovers(&to);
    check_inhibition(&to);
}
