/*
 * The alert itself: what its rule says, which routes it takes, what mutes it. See private.h.
 */

#include <string.h>

#include "alertd/route/interval.h"
#include "alertd/route/matchers.h"
#include "alertd/why/private.h"
#include "lib/base/float.h"
#include "lib/model/duration.h"
#include "lib/model/fingerprint.h"

/* --- its rule --- */

static const char *name_of(const struct labels *labels)
{
    const char *name = labels_get(labels, "alertname");

    return name ? name : "an alert without alertname";
}

static void add_value(struct why_writer *writer)
{
    const struct why_alert *alert = writer->in->alert;
    char text[FLOAT_TEXT_MAX];

    if (!alert->has_value)
        return;
    str_add(&writer->words, "; value ");
    str_addn(&writer->words, text, float_short(alert->value, text));
}

static void add_since(struct why_writer *writer, const char *words, int64_t at_ms)
{
    if (!at_ms)
        return;
    str_add(&writer->words, words);
    why_add_time(writer, at_ms);
}

static const char *firing(struct why_writer *writer)
{
    const struct why_alert *alert = writer->in->alert;
    bool is_rule = alert->source && strcmp(alert->source, "rule") == 0;
    char span[DURATION_TEXT_MAX];

    str_addf(&writer->words, "%s fires", name_of(alert->labels));
    add_since(writer, " since ", alert->fired_ms);
    if (is_rule && alert->for_ms > 0 && alert->active_ms && alert->active_ms < alert->fired_ms) {
        add_since(writer, ", true since ", alert->active_ms);
        str_addf(&writer->words, " (it must hold for %s)", duration_print(alert->for_ms, span));
    }
    if (!is_rule && alert->source) {
        str_addf(&writer->words, ": %s says so", alert->source);
        add_since(writer, ", the last time at ", alert->said_ms);
    }
    add_value(writer);
    if (alert->keep_firing_since_ms) {
        add_since(writer, "; not true any more since ", alert->keep_firing_since_ms);
        str_addf(&writer->words, ", kept firing by keep_firing_for %s",
                 duration_print(alert->keep_firing_for_ms, span));
        return "kept firing";
    }
    if (alert->no_data_since_ms) {
        add_since(writer, "; without data since ", alert->no_data_since_ms);
        str_add(&writer->words, ", which ends nothing");
        return "no data";
    }
    return "fires";
}

static const char *pending(struct why_writer *writer)
{
    const struct why_alert *alert = writer->in->alert;
    char span[DURATION_TEXT_MAX];

    str_addf(&writer->words, "%s is true", name_of(alert->labels));
    add_since(writer, " since ", alert->active_ms);
    if (alert->for_ms)
        str_addf(&writer->words, " and must hold for %s", duration_print(alert->for_ms, span));
    if (alert->for_ms && alert->active_ms)
        add_since(writer, ": it fires at ", alert->active_ms + alert->for_ms);
    str_add(&writer->words, ". Nobody is told before");
    add_value(writer);
    return "pending";
}

static const char *over(struct why_writer *writer)
{
    const struct why_alert *alert = writer->in->alert;
    char span[DURATION_TEXT_MAX];

    str_addf(&writer->words, "%s is over", name_of(alert->labels));
    add_since(writer, " since ", alert->resolved_ms);
    if (alert->fired_ms && alert->resolved_ms > alert->fired_ms)
        str_addf(&writer->words, ", it had fired for %s",
                 duration_human(alert->resolved_ms - alert->fired_ms, span));
    return "over";
}

static const char *inactive(struct why_writer *writer)
{
    const struct why_alert *alert = writer->in->alert;

    str_addf(&writer->words, "%s did not fire: ", name_of(alert->labels));
    if (alert->rule_error) {
        str_addf(&writer->words, "its rule can't be evaluated: %s", alert->rule_error);
        return "failing";
    }
    str_add(&writer->words, alert->source && strcmp(alert->source, "rule") != 0
                                ? "nobody said so"
                                : "its rule did not find these labels true");
    return "not true";
}

static const char *alert_words(struct why_writer *writer)
{
    const struct why_alert *alert = writer->in->alert;

    switch (alert->state) {
    case WHY_FIRING: return firing(writer);
    case WHY_PENDING: return pending(writer);
    case WHY_OVER: return over(writer);
    case WHY_INACTIVE: return inactive(writer);
    case WHY_SUPPOSED:
        str_add(&writer->words, "no alert with these labels is known: supposed that it fires");
        if (alert->rule_name)
            str_addf(&writer->words, ". The rule %s (group %s) did not find these labels",
                     alert->rule_name, alert->rule_group);
        return "supposed";
    case WHY_NOT_KNOWN: break;
    }
    str_addf(&writer->words, "not known: %s",
             alert->words ? alert->words : "whether it fired at that time");
    return "not known";
}

void why_rule(struct why_writer *writer)
{
    const struct why_alert *alert = writer->in->alert;

    (void)why_begin(writer);
    const char *result = alert_words(writer);

    json_kv_string(&writer->json, "source", alert->source);
    json_kv_string(&writer->json, "known_from", alert->from);
    if (alert->rule_name) {
        json_kv_int(&writer->json, "rule_id", alert->rule_id);
        json_kv_string(&writer->json, "rule", alert->rule_name);
        json_kv_string(&writer->json, "group", alert->rule_group);
        json_kv_string(&writer->json, "expr", alert->expr);
        json_kv_int(&writer->json, "for_ms", alert->for_ms);
        json_kv_int(&writer->json, "keep_firing_for_ms", alert->keep_firing_for_ms);
        json_kv_time(&writer->json, "evaluated_at", alert->evaluated_ms);
    }
    if (alert->has_value)
        json_kv_float(&writer->json, "value", alert->value);
    json_kv_time(&writer->json, "active_at", alert->active_ms);
    json_kv_time(&writer->json, "fired_at", alert->fired_ms);
    json_kv_time(&writer->json, "resolved_at", alert->resolved_ms);
    why_end(writer, "rule", result, NULL);
}

/* --- the config --- */

void why_config(struct why_writer *writer)
{
    const struct why_input *in = writer->in;

    if (!in->config_words && !in->config_hash)
        return;
    struct str *words = why_begin(writer);

    if (in->config_words) {
        str_addf(words, "not known: %s", in->config_words);
    } else {
        str_add(words, "by the config file that was in force then");
        add_since(writer, ", since ", in->config_from_ms);
    }
    json_kv_string(&writer->json, "hash", in->config_hash);
    json_kv_time(&writer->json, "from", in->config_from_ms);
    why_end(writer, "config", in->config_words ? "not known" : "of then", NULL);
}

/* --- routes --- */

static void add_route(const struct route_node *node, struct str *out)
{
    if (!node->parent)
        str_add(out, "the root route");
    else if (node->n_matchers == 0)
        str_add(out, "a route for every alert");
    else {
        str_add(out, "route ");
        route_matchers_print(node->matchers, node->n_matchers, out);
    }
}

/* The first that does not match, and what the label is. */
static void add_mismatch(const struct route_node *node, const struct labels *alert, struct str *out)
{
    for (size_t i = 0; i < node->n_matchers; i++) {
        const struct matcher *matcher = &node->matchers[i];
        const char *value = labels_get(alert, matcher->name);

        if (matcher_matches(matcher, value ? value : ""))
            continue;
        str_add(out, " is not taken: ");
        matcher_print(matcher, out);
        if (value)
            str_addf(out, " does not match %s=\"%s\"", matcher->name, value);
        else
            str_addf(out, " does not match: the alert has no label %s", matcher->name);
        return;
    }
}

static void route_step(struct why_writer *writer,
                       const struct route_node *node,
                       enum route_outcome outcome)
{
    struct str *words = why_begin(writer);
    const char *result = "taken";

    add_route(node, words);
    switch (outcome) {
    case ROUTE_TAKEN:
        str_addf(words, " takes it: receiver %s%s", node->receiver->name,
                 node->goes_on ? ", and the routes behind it are asked too (continue)" : "");
        break;
    case ROUTE_BELOW:
        str_add(words, " matches, and a route below it takes the alert");
        result = "below";
        break;
    case ROUTE_NO_MATCH:
        add_mismatch(node, writer->in->alert->labels, words);
        result = "does not match";
        break;
    case ROUTE_NOT_ASKED:
        str_add(words, " is not asked: one before it took the alert, without continue");
        result = "not asked";
        break;
    }
    json_kv_string(&writer->json, "route", node->id);
    json_kv_string(&writer->json, "receiver", node->receiver->name);
    json_kv_int(&writer->json, "line", node->line);
    why_end(writer, "route", result, NULL);
}

struct route_steps {
    const enum route_outcome *outcomes;
    size_t n_other; /* told of, that were not taken */
};

/* Below what matches only; depth is limited, so this may call itself. */
static void route_steps(struct why_writer *writer,
                        struct route_steps *steps,
                        const struct route_node *node)
{
    enum route_outcome outcome = steps->outcomes[node->index];
    bool is_dull = outcome == ROUTE_NO_MATCH || outcome == ROUTE_NOT_ASKED;

    if (!is_dull || steps->n_other < WHY_ROUTES_MAX)
        route_step(writer, node, outcome);
    steps->n_other += is_dull;
    for (size_t i = 0; !is_dull && i < node->n_children; i++)
        route_steps(writer, steps, &node->children[i]);
}

void why_routes(struct why_writer *writer)
{
    const struct route_config *config = writer->in->config;
    enum route_outcome *outcomes = arena_array(writer->arena, config->n_nodes, sizeof(*outcomes));
    struct route_steps steps = {.outcomes = outcomes};

    if (!outcomes) {
        writer->is_full = true;
        return;
    }
    route_walk_trace(config, writer->in->alert->labels, &writer->walk, outcomes);
    route_steps(writer, &steps, config->root);
    if (steps.n_other > WHY_ROUTES_MAX) {
        str_addf(why_begin(writer), "%zu more routes do not take it",
                 steps.n_other - WHY_ROUTES_MAX);
        why_end(writer, "route", "does not match", NULL);
    }
}

/* --- silences, inhibition --- */

static void silence_evidence(struct why_writer *writer, const struct why_silence *one)
{
    json_kv_string(&writer->json, "silence", one->silence.id);
    json_kv_string(&writer->json, "comment", one->comment);
    json_kv_string(&writer->json, "created_by", one->created_by);
    json_kv_time(&writer->json, "created_at", one->created_ms);
    json_kv_time(&writer->json, "starts_at", one->silence.starts_at_ms);
    json_kv_time(&writer->json, "ends_at", one->silence.ends_at_ms);
}

static void silence_step(struct why_writer *writer, const struct why_silence *one)
{
    int64_t at_ms = writer->in->at_ms;
    struct str *words = why_begin(writer);
    bool is_active = silence_state(&one->silence, at_ms) == SILENCE_ACTIVE;
    bool is_over = silence_state(&one->silence, at_ms) == SILENCE_EXPIRED;

    str_addf(words, "silence %s by %s", one->silence.id, one->created_by);
    if (*one->comment)
        str_addf(words, " (\"%s\")", one->comment);
    if (is_over)
        str_add(words, " matches it and is over since ");
    else
        str_add(words, is_active ? " mutes it until " : " matches it and begins at ");
    why_add_time(writer,
                 is_active || is_over ? one->silence.ends_at_ms : one->silence.starts_at_ms);
    if (is_active && one->until_resolved)
        str_add(words, ", or until it is over");
    silence_evidence(writer, one);
    why_end(writer, "silence",
            is_active ? "silenced"
            : is_over ? "silenced before"
                      : "silenced later",
            NULL);
}

/* Is it worth telling: it mutes now, or did while the alert fired, or is about to? */
static bool is_telling(const struct why_input *in, const struct why_silence *one)
{
    int64_t since_ms = in->alert->fired_ms ? in->alert->fired_ms : in->at_ms;

    return one->silence.ends_at_ms > since_ms && one->created_ms <= in->at_ms &&
           one->silence.ends_at_ms > one->silence.starts_at_ms &&
           silence_matches(&one->silence, in->alert->labels);
}

static void silences(struct why_writer *writer)
{
    const struct why_input *in = writer->in;

    for (size_t i = 0; i < in->n_silences; i++) {
        const struct why_silence *one = &in->silences[i];

        if (!is_telling(in, one))
            continue;
        silence_step(writer, one);
        if (!writer->found.silence && silence_state(&one->silence, in->at_ms) == SILENCE_ACTIVE)
            writer->found.silence = one;
    }
    if (writer->found.silence)
        return;
    str_add(why_begin(writer), "no silence mutes it");
    why_end(writer, "silence", "not silenced", NULL);
}

static const struct why_source *source_of(const struct why_input *in, const struct labels *labels)
{
    for (size_t i = 0; i < in->n_sources; i++)
        if (labels_equal(in->sources[i].labels, labels))
            return &in->sources[i];
    return NULL;
}

static void inhibited(struct why_writer *writer, const struct inhibition *found)
{
    const struct why_source *source = source_of(writer->in, found->source);
    size_t index = (size_t)(found->rule - writer->in->config->inhibit_rules);
    char fingerprint[FINGERPRINT_TEXT];
    struct str *words = why_begin(writer);

    str_addf(words, "inhibit rule %zu", index + 1);
    if (found->rule->name)
        str_addf(words, " (%s)", found->rule->name);
    str_add(words, " mutes it while ");
    labels_print(found->source, words);
    str_add(words, " fires");
    if (source)
        add_since(writer, ", since ", source->since_ms);
    json_kv_int(&writer->json, "rule", (int64_t)index);
    json_kv_string(&writer->json, "name", found->rule->name);
    json_kv_int(&writer->json, "line", found->rule->line);
    json_kv_string(&writer->json, "source", fingerprint_text(found->source, fingerprint));
    why_end(writer, "inhibition", "inhibited", NULL);
    writer->found.source = source;
    writer->found.rule = found->rule;
}

static void inhibition(struct why_writer *writer)
{
    const struct why_input *in = writer->in;
    struct inhibitor *inhibitor = inhibitor_new(in->config);

    for (size_t i = 0; i < in->n_sources; i++)
        inhibitor_put(inhibitor, in->sources[i].labels, INT64_MAX);
    struct inhibition found = inhibitor_check(inhibitor, in->alert->labels, in->at_ms);

    if (found.source) {
        inhibited(writer, &found);
    } else {
        struct str *words = why_begin(writer);

        str_add(words, in->config->n_inhibit_rules ? "no alert that fires inhibits it"
                                                   : "there are no inhibit rules");
        if (in->sources_words && in->config->n_inhibit_rules)
            str_addf(words, "; not known: %s", in->sources_words);
        why_end(writer, "inhibition", "not inhibited", NULL);
    }
    inhibitor_free(inhibitor);
}

void why_mutes(struct why_writer *writer)
{
    silences(writer);
    inhibition(writer);
}
