/*
 * From an incident's rows to a drill. See drill_incident.h.
 */

#include "alertd/api/drill_incident.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/incident_json.h"
#include "alertd/api/postmortem_freeze.h"
#include "alertd/api/roster_call.h"
#include "alertd/db/rule_db.h"
#include "alertd/route/tree.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    STEPS_MAX = 16,
    NOW_MAX = 500,
    AHEAD_MS = 10 * 60 * 1000,
};

/* All that one drill is made of. */
struct gathering {
    const struct api *api;
    struct roster_view view; /* a snapshot of state.db too */
    struct postmortem_record record;
    struct postmortem_input input;
    struct drill_from from;
    struct rule_group_row *groups; /* that are live */
    size_t n_groups;
    struct freeze freeze;
    bool freezes;
    int64_t steps_ms[STEPS_MAX];
};

void drill_incident_name(const char *key, char *ret_name)
{
    size_t n = 0;

    for (; *key && n < DRILL_OWN_NAME_MAX; key++)
        ret_name[n++] = isalnum((unsigned char)*key) ? (char)tolower((unsigned char)*key) : '-';
    ret_name[n] = '\0';
}

int drill_incident_read(void *arg,
                        enum drill_read_what what,
                        const char *name,
                        char **ret_text,
                        size_t *ret_len,
                        struct err *reterr)
{
    struct drill_own own = {0};

    return what == DRILL_READ_RUNBOOKS
               ? drill_own_read(&own, what, name, ret_text, ret_len, reterr)
               : drill_made_read(arg, what, name, ret_text, ret_len, reterr);
}

static int too_large(struct err *reterr)
{
    return err_set(reterr, POSTMORTEM_RECORD_E_LIMIT, "the incident is too large for a drill");
}

/* --- The document ---------------------------------------------------------------------------------------- */

/* What people wrote in it of why it could happen, and what it taught. */
static int read_sections(struct gathering *all, int64_t id, struct err *reterr)
{
    struct postmortem_section *sections = NULL;
    size_t n = 0;
    int r = postmortem_section_db_list(all->view.conn, id, &all->view.arena, &sections, &n, reterr);

    for (size_t i = 0; !r && i < n; i++)
        if (strcmp(sections[i].id, "factors") == 0)
            all->from.factors = sections[i].body;
        else if (strcmp(sections[i].id, "lessons") == 0)
            all->from.lessons = sections[i].body;
    return r;
}

static int read_answers(struct gathering *all, int64_t id, struct err *reterr)
{
    struct postmortem_answer_row *rows = NULL;
    size_t n = 0;
    int r = postmortem_answer_db_list(all->view.conn, id, &all->view.arena, &rows, &n, reterr);
    struct postmortem_answer *answers = r ? NULL
                                          : arena_array(&all->view.arena, n + 1, sizeof(*answers));

    if (!answers)
        return r ? r : too_large(reterr);
    for (size_t i = 0; i < n; i++)
        answers[i] = (struct postmortem_answer){rows[i].question, rows[i].answer,
                                                rows[i].answered_by};
    all->input.answers = answers;
    all->input.n_answers = n;
    return 0;
}

static int read_actions(struct gathering *all, int64_t id, struct err *reterr)
{
    const struct action_query query = {.postmortem_id = id};
    struct action_row *rows = NULL;
    size_t n = 0;
    int r = action_db_list(all->view.conn, &query, &all->view.arena, &rows, &n, reterr);
    struct postmortem_action *actions = r ? NULL
                                          : arena_array(&all->view.arena, n + 1, sizeof(*actions));

    if (!actions)
        return r ? r : too_large(reterr);
    for (size_t i = 0; i < n; i++)
        actions[i] = (struct postmortem_action){.id = rows[i].id, .text = rows[i].text};
    all->input.actions = actions;
    all->input.n_actions = n;
    return 0;
}

static int read_record(struct gathering *all, const char *key, struct err *reterr)
{
    struct postmortem_record *record = &all->record;
    int r = postmortem_record_read(all->view.conn, key, &all->view.arena, record, reterr);

    if (r)
        return r;
    all->input = (struct postmortem_input){
        .now_ms = all->view.now_ms,
        .incident = &record->incident,
        .alerts = record->alerts,
        .n_alerts = record->n_alerts,
        .events = record->events,
        .n_events = record->n_events,
        .curation = record->curation,
        .marks = record->marks,
        .n_marks = record->n_marks,
        .impacts = record->impacts,
        .n_impacts = record->n_impacts,
    };
    if (!record->incident.postmortem_id)
        return 0;
    r = read_sections(all, record->incident.postmortem_id, reterr);
    if (!r)
        r = read_answers(all, record->incident.postmortem_id, reterr);
    return r ? r : read_actions(all, record->incident.postmortem_id, reterr);
}

/* --- Rules, as they were ------------------------------------------------------------------------------------ */

/* The rule may be gone meanwhile, and its group too. */
static struct rule_group_row *group_of(struct gathering *all, int64_t rule_id)
{
    struct rule_row rule = {0};

    if (rule_db_get(all->view.conn, rule_id, all->view.now_ms, &all->view.arena, &rule, NULL) != 0)
        return NULL;
    for (size_t i = 0; i < all->n_groups; i++)
        if (all->groups[i].id == rule.group_id)
            return &all->groups[i];
    return NULL;
}

/* The version that was live when the alert fired. */
static const char *version_at(const struct rule_version_row *versions, size_t n, int64_t at_ms)
{
    for (size_t i = 0; i < n; i++)
        if (versions[i].created_at_ms <= at_ms || i + 1 == n)
            return versions[i].yaml;
    return NULL;
}

static bool has_rule(const struct drill_from_rule *rules, size_t n, int64_t id)
{
    for (size_t i = 0; i < n; i++)
        if (rules[i].id == id)
            return true;
    return false;
}

static int read_rules(struct gathering *all, struct err *reterr)
{
    size_t n_alerts = all->record.n_alerts, n = 0;
    struct drill_from_rule *rules = arena_array(&all->view.arena, n_alerts + 1, sizeof(*rules));
    int r = rule_db_list(all->view.conn, all->view.now_ms, &all->view.arena, &all->groups,
                         &all->n_groups, reterr);

    if (r)
        return r;
    if (!rules)
        return too_large(reterr);
    for (size_t i = 0; !r && i < n_alerts; i++) {
        const struct incident_alert *alert = &all->record.alerts[i];
        const struct rule_group_row *group = group_of(all, alert->rule_id);
        struct rule_version_row *versions = NULL;
        size_t n_versions = 0;

        if (!alert->rule_id || has_rule(rules, n, alert->rule_id))
            continue;
        r = rule_db_versions(all->view.conn, alert->rule_id, &all->view.arena, &versions,
                             &n_versions, reterr);
        if (r || n_versions == 0)
            continue;
        rules[n++] = (struct drill_from_rule){
            .id = alert->rule_id,
            .group = group ? group->name : "rules",
            .interval_ms = group ? group->interval_ms : RULE_INTERVAL_DEFAULT_MS,
            .yaml = version_at(versions, n_versions, alert->fired_at_ms)};
    }
    all->from.rules = rules;
    all->from.n_rules = n;
    return r;
}

/* What was recorded that day is among the samples. */
static bool is_recorded(const struct gathering *all, const struct rule_row *rule)
{
    for (size_t i = 0; rule->is_recording && i < all->from.n_series; i++) {
        const char *name = labels_get(all->from.series[i].labels, LABEL_NAME);

        if (name && strcmp(name, rule->name) == 0)
            return true;
    }
    return false;
}

static int add_now(struct gathering *all,
                   const struct rule_group_row *group,
                   struct drill_from_rule *now,
                   size_t *n,
                   struct err *reterr)
{
    int r = 0;

    for (size_t i = 0; !r && i < group->n_rules && *n < NOW_MAX; i++) {
        struct rule_version_row *versions = NULL;
        size_t n_versions = 0;

        if (is_recorded(all, &group->rules[i]))
            continue;
        r = rule_db_versions(all->view.conn, group->rules[i].id, &all->view.arena, &versions,
                             &n_versions, reterr);
        if (!r && n_versions)
            now[(*n)++] = (struct drill_from_rule){.id = group->rules[i].id,
                                                   .group = group->name,
                                                   .interval_ms = group->interval_ms,
                                                   .yaml = versions[0].yaml};
    }
    return r;
}

/* Every rule that is live in a group of which one fired: also one that was written since. */
static int read_rules_of_now(struct gathering *all, struct err *reterr)
{
    struct drill_from_rule *now = arena_array(&all->view.arena, NOW_MAX, sizeof(*now));
    bool *is_told = arena_array(&all->view.arena, all->n_groups + 1, sizeof(*is_told));
    size_t n = 0;
    int r = 0;

    if (!now || !is_told)
        return too_large(reterr);
    for (size_t i = 0; !r && i < all->from.n_rules; i++) {
        const struct rule_group_row *group = group_of(all, all->from.rules[i].id);

        if (!group || is_told[group - all->groups])
            continue;
        is_told[group - all->groups] = true;
        r = add_now(all, group, now, &n, reterr);
    }
    all->from.now = now;
    all->from.n_now = n;
    return r;
}

/* --- Routes and people ------------------------------------------------------------------------------------------ */

static const struct policy *policy_of(const struct gathering *all, const struct route_node *node)
{
    for (size_t i = 0; node && i < node->receiver->n_integrations; i++)
        if (node->receiver->integrations[i].kind == ROUTE_ONCALL)
            return roster_policy(&all->view.roster, node->receiver->integrations[i].oncall.policy);
    return NULL;
}

static int read_route(struct gathering *all, struct err *reterr)
{
    const struct route_config *config = all->api->route;
    const char *key = all->record.incident.group_key;
    const struct route_node *node = key ? route_node_of_key(config, key) : NULL;
    const struct labels *group = all->record.incident.labels;
    const struct policy *policy = policy_of(all, node);
    size_t n = group ? group->n : 0;
    const char **names = arena_array(&all->view.arena, n + 1, sizeof(*names));

    if (!names)
        return too_large(reterr);
    for (size_t i = 0; i < n; i++)
        names[i] = group->at[i].name;
    if (!node)
        node = config->root;
    all->from.route = (struct drill_from_route){names, n, node->times.group_wait_ms,
                                                node->times.group_interval_ms,
                                                node->times.repeat_interval_ms};
    for (size_t i = 0; policy && i < policy->n_steps && i < STEPS_MAX; i++)
        all->steps_ms[all->from.n_steps++] = policy->steps[i].delay_ms;
    all->from.steps_ms = all->steps_ms;
    return 0;
}

static int read_people(struct gathering *all, struct err *reterr)
{
    const struct roster *roster = &all->view.roster;
    struct drill_from_person *people = arena_array(&all->view.arena, roster->n_people + 1,
                                                   sizeof(*people));

    if (!people)
        return too_large(reterr);
    for (size_t i = 0; i < roster->n_people; i++)
        people[i] = (struct drill_from_person){roster->people[i].name, roster->people[i].full_name};
    all->from.people = people;
    all->from.n_people = roster->n_people;
    return 0;
}

/* --- Samples -------------------------------------------------------------------------------------------------------- */

/* What was kept for it; where nothing was, what the store still has. */
static int read_samples(struct gathering *all, struct err *reterr)
{
    struct source_series *series = NULL;
    size_t n = 0;
    int r = frozen_db_list(all->view.conn, all->record.incident.id, &all->view.arena, &series, &n,
                           reterr);

    if (r)
        return r;
    if (n == 0) {
        /* into the future: what was pushed a moment ago lies behind the last whole step */
        freeze_init(&all->freeze, all->api, &all->record, all->view.now_ms + AHEAD_MS);
        all->freezes = true;
        freeze_rules(&all->freeze);
        series = all->freeze.read;
        n = all->freeze.n_read;
    }
    all->from.series = series;
    all->from.n_series = n < DRILL_SERIES_MAX - 100 ? n : DRILL_SERIES_MAX - 100;
    return 0;
}

static int gather(struct gathering *all, const char *key, struct err *reterr)
{
    int r = read_record(all, key, reterr);

    if (!r)
        r = read_rules(all, reterr);
    if (!r)
        r = read_route(all, reterr);
    if (!r)
        r = read_people(all, reterr);
    if (!r)
        r = read_samples(all, reterr);
    return r || !all->from.as_now ? r : read_rules_of_now(all, reterr);
}

bool drill_incident_make(const struct api *api,
                         const char *key,
                         const struct drill_incident_wish *wish,
                         struct drill_made *ret_made,
                         struct http_response *response)
{
    struct gathering *all = mem_zalloc(sizeof(*all));
    struct err err = {0};

    all->api = api;
    all->from.record = &all->input;
    all->from.scrub_hosts = wish->scrub_hosts;
    all->from.as_now = wish->as_now;
    if (!roster_view_open(api, &all->view, response)) {
        free(all);
        return false;
    }

    int r = gather(all, key, &err);

    if (r) {
        if (r == POSTMORTEM_RECORD_E_LIMIT)
            http_fail(response, "too_large", "%s", err.text);
        else
            incident_json_fail(response, r, &err);
    } else {
        r = drill_from_incident(&all->from, ret_made, &err);
        if (r)
            http_fail(response, r == DRILL_FROM_E_LIMIT ? "too_large" : "conflict", "%s", err.text);
    }
    if (all->freezes)
        freeze_done(&all->freeze);
    roster_view_close(&all->view);
    free(all);
    return r == 0;
}

/* The incident that an own drill was made of; false: it was not, and that is answered. */
static bool find_source(const struct api *api,
                        const char *name,
                        struct drill_incident_wish *wish,
                        char key[DRILL_OWN_NAME_MAX + 1],
                        struct http_response *response)
{
    MEM_AUTO char *text = NULL;
    struct drill *drill = NULL;
    struct drill_own own;
    size_t len = 0;
    bool is_ours = false;

    if (drill_own_at(api, name, &own) &&
        drill_own_read(&own, DRILL_READ_BESIDE, DRILL_FROM_TEXT, &text, &len, NULL) == 0 &&
        drill_parse(text, len, &drill, NULL) == 0 && drill->reconstructed && drill->n_sources) {
        wish->scrub_hosts = strcmp(drill->reconstructed, DRILL_FROM_OURS_SCRUBBED) == 0;
        is_ours = wish->scrub_hosts || strcmp(drill->reconstructed, DRILL_FROM_OURS) == 0;
        (void)snprintf(key, DRILL_OWN_NAME_MAX + 1, "%s", drill->sources[0]);
    }
    drill_free(drill);
    if (!is_ours)
        http_fail(
            response, "bad_data",
            "rules: only a drill that was made of an incident has rules of now; %.60s was not",
            name);
    return is_ours;
}

bool drill_incident_rules_now(const struct api *api,
                              const char *name,
                              struct str *ret_rules,
                              struct http_response *response)
{
    struct drill_incident_wish wish = {.as_now = true};
    struct drill_made made;
    char key[DRILL_OWN_NAME_MAX + 1];

    if (!find_source(api, name, &wish, key, response) ||
        !drill_incident_make(api, key, &wish, &made, response))
        return false;
    str_addn(ret_rules, str_text(&made.rules), made.rules.len);
    if (ret_rules->len == 0)
        str_add(ret_rules, "groups: []\n");
    drill_made_done(&made);
    return true;
}
