/*
 * A config file without addresses and secrets. See keep.h.
 */

#include "alertd/route/keep.h"

#include <string.h>

#include "alertd/route/config.h"
#include "lib/yaml/yaml.h"

/* What stands where an integration's address was: the least that is read. Of an integration
 * only the keys that decide something are kept. */
static const struct {
    const char *key, *stands_in;
} kinds[] = {
    {"webhook_configs", "url: http://not.kept.invalid/"},
    {"email_configs",
     "to: not@kept.invalid\nfrom: not@kept.invalid\nsmarthost: not.kept.invalid:25"},
    {"ntfy_configs", "url: http://not.kept.invalid/\ntopic: not-kept"},
    {"command_configs", "argv: [/not/kept]"},
    {"slack_configs", "api_url: http://not.kept.invalid/"},
    {"telegram_configs", "bot_token: not-kept\nchat_id: 1"},
    {"pagerduty_configs", "routing_key: not-kept"},
    {"oncall_configs", ""},
};

static const char *const kept_keys[] = {"send_resolved", "policy", "timeout"};
static const char *const whole[] = {"route", "inhibit_rules", "time_intervals",
                                    "mute_time_intervals"};

/* --- any node, as it is --- */

static void new_line(struct str *out, unsigned indent)
{
    str_addf(out, "\n%*s", (int)indent, "");
}

/* What was written without quotes stays so: true, 5 and nothing at all mean something then. */
static void print_scalar(const struct yaml_node *node, unsigned indent, struct str *out)
{
    if (node->plain && !strchr(node->text, '\n'))
        str_add(out, node->text);
    else
        yaml_print_scalar(node->text, indent, out);
}

/* Depth is limited where the text is read, so this may call itself. */
static void print(const struct yaml_node *node, unsigned indent, struct str *out)
{
    if (node->kind == YAML_SCALAR) {
        print_scalar(node, indent, out);
    } else if (node->n == 0) {
        str_add(out, node->kind == YAML_LIST ? "[]" : "{}");
    } else {
        for (size_t i = 0; i < node->n; i++) {
            new_line(out, indent);
            if (node->kind == YAML_LIST)
                str_add(out, "- ");
            else
                yaml_print_key(node->keys[i]->text, indent, out);
            print(node->items[i], indent + 2, out);
        }
    }
}

static void print_key(const struct yaml_node *map,
                      const char *key,
                      unsigned indent,
                      struct str *out)
{
    const struct yaml_node *value = yaml_get(map, key);

    if (!value)
        return;
    new_line(out, indent);
    str_addf(out, "%s: ", key);
    print(value, indent + 2, out);
}

/* --- receivers --- */

static void print_lines(const char *lines, unsigned indent, struct str *out)
{
    while (*lines) {
        size_t len = strcspn(lines, "\n");

        new_line(out, indent);
        str_addn(out, lines, len);
        lines += len + (lines[len] == '\n');
    }
}

static void print_integrations(const struct yaml_node *receiver, size_t kind, struct str *out)
{
    const struct yaml_node *list = yaml_get(receiver, kinds[kind].key);

    if (!list || list->kind != YAML_LIST || list->n == 0)
        return;
    new_line(out, 4);
    str_addf(out, "%s:", kinds[kind].key);
    for (size_t i = 0; i < list->n; i++) {
        new_line(out, 6);
        str_add(out, "- ");
        print_lines(kinds[kind].stands_in, 8, out);
        for (size_t k = 0; k < sizeof(kept_keys) / sizeof(kept_keys[0]); k++)
            print_key(list->items[i], kept_keys[k], 8, out);
    }
}

static void print_receivers(const struct yaml_node *root, struct str *out)
{
    const struct yaml_node *list = yaml_get(root, "receivers");

    str_add(out, "\nreceivers:");
    for (size_t i = 0; i < list->n; i++) {
        new_line(out, 2);
        str_add(out, "- ");
        print_key(list->items[i], "name", 4, out);
        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
            print_integrations(list->items[i], k, out);
    }
}

static void print_all(const struct yaml_node *root, struct str *out)
{
    const struct yaml_node *global = yaml_get(root, "global");

    str_add(out, "# What decided who is told; addresses and secrets are not kept.");
    if (global && yaml_get(global, "resolve_timeout")) {
        str_add(out, "\nglobal:");
        print_key(global, "resolve_timeout", 2, out);
    }
    print_receivers(root, out);
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
        print_key(root, whole[i], 0, out);
    str_addc(out, '\n');
}

int route_config_keep(const char *text, size_t len, struct str *out, struct err *reterr)
{
    const struct route_config *config = NULL;
    struct yaml *yaml = NULL;
    int r = yaml_parse(text, len, &yaml, reterr);

    if (r == 0 && yaml_get(yaml_root(yaml), "receivers"))
        print_all(yaml_root(yaml), out);
    yaml_free(yaml);
    if (r)
        return err_prefix(reterr, ROUTE_E_CONFIG, "a config that was taken");
    if (out->full)
        return err_set(reterr, ROUTE_E_CONFIG, "what is to be kept of it is too large");
    r = route_config_parse(str_text(out), out->len, NULL, NULL, NULL, &config, reterr);
    route_config_unref(config);
    return r ? err_prefix(reterr, ROUTE_E_CONFIG, "what is to be kept of it") : 0;
}
