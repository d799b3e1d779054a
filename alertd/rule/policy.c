/*
 * Reading a policy. See policy.h.
 */

#include <stdlib.h>

#include "alertd/rule/policy_private.h"
#include "lib/base/mem.h"

static int read_list(const struct yaml_node *root,
                     const char *key,
                     const struct yaml_node **ret_list,
                     struct err *reterr)
{
    const struct yaml_node *list = yaml_get(root, key);
    const char *text;

    if (!list)
        return 0;
    if (yaml_expect(list, YAML_LIST, "a list of texts", reterr) != 0)
        return RULE_POLICY_E_FILE;
    for (size_t i = 0; i < list->n; i++)
        if (yaml_string(list->items[i], &text, reterr) != 0)
            return RULE_POLICY_E_FILE;
    *ret_list = list;
    return 0;
}

static int read_regex(const struct yaml_node *node, struct regex **ret_regex, struct err *reterr)
{
    const char *text = "";
    struct err err = {0};

    if (!node)
        return 0;
    if (yaml_string(node, &text, reterr) != 0)
        return RULE_POLICY_E_FILE;
    if (regex_new(text, ret_regex, &err) != 0)
        return err_at(reterr, RULE_POLICY_E_FILE, node->line, node->column, "\"%.60s\": %s", text,
                      err.text);
    return 0;
}

static int read_rejects(struct rule_policy *policy,
                        const struct yaml_node *root,
                        struct err *reterr)
{
    const struct yaml_node *list = NULL;
    int r = read_list(root, "reject", &list, reterr);

    if (r || !list)
        return r;
    policy->rejects = mem_zalloc((list->n + 1) * sizeof(*policy->rejects));
    policy->reject_nodes = list;
    for (size_t i = 0; i < list->n && !r; i++)
        r = read_regex(list->items[i], &policy->rejects[policy->n_rejects++], reterr);
    return r;
}

static int read_policy(struct rule_policy *policy, struct err *reterr)
{
    static const char *const known[] = {
        "severities", "labels", "annotations", "selectors",       "keep",
        "alert_name", "reject", "record_name", "external_labels", NULL};
    const struct yaml_node *root = yaml_root(policy->yaml);
    const struct {
        const char *key;
        const struct yaml_node **ret;
    } lists[] = {{"severities", &policy->severities},
                 {"labels", &policy->labels},
                 {"annotations", &policy->annotations},
                 {"selectors", &policy->selectors},
                 {"keep", &policy->keep},
                 {"external_labels", &policy->external}};
    int r = yaml_only(root, known, reterr) ? RULE_POLICY_E_FILE : 0;

    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists) && !r; i++)
        r = read_list(root, lists[i].key, lists[i].ret, reterr);
    if (!r)
        r = read_regex(yaml_get(root, "alert_name"), &policy->alert_name, reterr);
    if (!r)
        r = read_regex(yaml_get(root, "record_name"), &policy->record_name, reterr);
    return r ? r : read_rejects(policy, root, reterr);
}

int rule_policy_parse(const char *text,
                      size_t len,
                      struct rule_policy **ret_policy,
                      struct err *reterr)
{
    struct rule_policy *policy = mem_zalloc(sizeof(*policy));
    int r = yaml_parse(text, len, &policy->yaml, reterr) ? RULE_POLICY_E_FILE : 0;

    if (!r)
        r = read_policy(policy, reterr);
    if (r)
        rule_policy_free(policy);
    else
        *ret_policy = policy;
    return r;
}

void rule_policy_free(struct rule_policy *policy)
{
    if (!policy)
        return;
    for (size_t i = 0; i < policy->n_rejects; i++)
        regex_free(policy->rejects[i]);
    free(policy->rejects);
    regex_free(policy->alert_name);
    regex_free(policy->record_name);
    yaml_free(policy->yaml);
    free(policy);
}
