/*
 * alertctl check config: would alertd take this file, and what would it understand.
 *
 *     alertd.yml: SUCCESS (4 routes, 2 receivers, 1 inhibit rule, 1 time interval)
 *       receivers
 *         oncall     webhook, email
 *       inhibit rules
 *         {severity="page"} mutes {severity="warn"} with the same host
 *       read without effect
 *         alertd.yml:3:3: wechat_api_url: no receiver of this kind is delivered
 *     alertd.yml:9:5: warning: no route names receiver "old": it is never told
 *
 * Exit status: 1 when a file would not load, 3 when there are only warnings.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/route/advice.h"
#include "alertd/route/interval.h"
#include "alertd/route/matchers.h"
#include "ctl/cmd.h"
#include "ctl/config_file.h"
#include "lib/json/write.h"

enum {
    OUTPUT_BYTES_MAX = 64 * 1024 * 1024,
    NAME_WIDTH_MAX = 32,
};

struct checked {
    const struct ctl *ctl;
    const char *path;
    struct str *out;
    struct json_out *json; /* NULL: for people */
    struct str warnings;   /* lines for people */
    size_t n_warnings;
};

static void count(struct str *out, const char *comma, size_t n, const char *what)
{
    str_addf(out, "%s%zu %s%s", comma, n, what, n == 1 ? "" : "s");
}

/* "webhook, 2 slack": integrations of one kind stand together. */
static void add_kinds(const struct route_receiver *receiver, struct str *out)
{
    const struct route_integration *at = receiver->integrations;

    for (size_t i = 0, n; i < receiver->n_integrations; i += n) {
        for (n = 1; i + n < receiver->n_integrations && at[i + n].kind == at[i].kind; n++)
            ;
        str_add(out, i ? ", " : "");
        if (n > 1)
            str_addf(out, "%zu ", n);
        str_add(out,
                at[i].kind == ROUTE_DASHBOARD ? "dashboard only" : route_kind_name(at[i].kind));
    }
}

static void add_receivers(const struct route_config *config, struct str *out)
{
    int width = 0;

    for (size_t i = 0; i < config->n_receivers; i++) {
        int len = (int)strlen(config->receivers[i].name);

        if (len > width && len <= NAME_WIDTH_MAX)
            width = len;
    }
    str_add(out, "  receivers\n");
    for (size_t i = 0; i < config->n_receivers; i++) {
        str_addf(out, "    %-*s  ", width, config->receivers[i].name);
        add_kinds(&config->receivers[i], out);
        str_addc(out, '\n');
    }
}

static void add_rule(const struct route_inhibit_rule *rule, struct str *out)
{
    if (rule->name)
        str_addf(out, "%s: ", rule->name);
    route_matchers_print(rule->sources, rule->n_sources, out);
    str_add(out, " mutes ");
    route_matchers_print(rule->targets, rule->n_targets, out);
    for (size_t i = 0; i < rule->equal.n; i++)
        str_addf(out, "%s%s", i ? ", " : " with the same ", rule->equal.at[i]);
}

static void add_more(const struct checked *file, const struct route_config *config)
{
    struct str *out = file->out;

    if (config->n_inhibit_rules)
        str_add(out, "  inhibit rules\n");
    for (size_t i = 0; i < config->n_inhibit_rules; i++) {
        str_add(out, "    ");
        add_rule(&config->inhibit_rules[i], out);
        str_addc(out, '\n');
    }
    if (config->n_intervals)
        str_add(out, "  time intervals\n");
    for (size_t i = 0; i < config->n_intervals; i++) {
        str_addf(out, "    %s: ", config->intervals[i]->name);
        count(out, "", config->intervals[i]->n, "span");
        str_addc(out, '\n');
    }
    if (config->templates.n)
        str_add(out, "  template files\n");
    for (size_t i = 0; i < config->templates.n; i++)
        str_addf(out, "    %s\n", config->templates.at[i]);
    if (config->unused.n)
        str_add(out, "  read without effect\n");
    for (size_t i = 0; i < config->unused.n; i++)
        str_addf(out, "    %s:%s\n", file->path, config->unused.at[i]);
}

static void add_summary(const struct checked *file, const struct route_config *config)
{
    const char *green = file->ctl->color ? "\x1b[32m" : "";

    str_addf(file->out, "%s: %sSUCCESS%s (", file->path, green, *green ? "\x1b[0m" : "");
    count(file->out, "", config->n_nodes, "route");
    count(file->out, ", ", config->n_receivers, "receiver");
    count(file->out, ", ", config->n_inhibit_rules, "inhibit rule");
    count(file->out, ", ", config->n_intervals, "time interval");
    str_add(file->out, ")\n");
    add_receivers(config, file->out);
    add_more(file, config);
    str_add(file->out, str_text(&file->warnings));
}

static void add_text_list(struct json_out *json, const char *key, const struct route_names *texts)
{
    json_key(json, key);
    json_open(json, '[');
    for (size_t i = 0; i < texts->n; i++)
        json_string(json, texts->at[i]);
    json_close(json, ']');
}

static void add_json(struct json_out *json, const struct route_config *config)
{
    json_kv_int(json, "routes", (int64_t)config->n_nodes);
    json_key(json, "receivers");
    json_open(json, '[');
    for (size_t i = 0; i < config->n_receivers; i++) {
        const struct route_receiver *receiver = &config->receivers[i];

        json_open(json, '{');
        json_kv_string(json, "name", receiver->name);
        json_key(json, "integrations");
        json_open(json, '[');
        for (size_t j = 0; j < receiver->n_integrations; j++)
            json_string(json, route_kind_name(receiver->integrations[j].kind));
        json_close(json, ']');
        json_close(json, '}');
    }
    json_close(json, ']');
    json_key(json, "inhibit_rules");
    json_open(json, '[');
    for (size_t i = 0; i < config->n_inhibit_rules; i++) {
        STR_AUTO struct str rule = STR_INIT(OUTPUT_BYTES_MAX);

        add_rule(&config->inhibit_rules[i], &rule);
        json_string(json, str_text(&rule));
    }
    json_close(json, ']');
    json_key(json, "time_intervals");
    json_open(json, '[');
    for (size_t i = 0; i < config->n_intervals; i++)
        json_string(json, config->intervals[i]->name);
    json_close(json, ']');
    add_text_list(json, "templates", &config->templates);
    add_text_list(json, "without_effect", &config->unused);
}

static void add_warning(void *arg, unsigned line, unsigned column, const char *words)
{
    struct checked *file = arg;

    file->n_warnings++;
    if (!file->json) {
        str_addf(&file->warnings, "%s:%u:%u: %swarning:%s %s\n", file->path, line, column,
                 file->ctl->color ? "\x1b[33m" : "", file->ctl->color ? "\x1b[0m" : "", words);
        return;
    }
    json_open(file->json, '{');
    json_kv_int(file->json, "line", line);
    json_kv_int(file->json, "column", column);
    json_kv_string(file->json, "text", words);
    json_close(file->json, '}');
}

/* What reading noted is "4:5: words". */
static void add_reading(struct checked *file, const char *note)
{
    unsigned line = 0;
    unsigned column = 0;
    int used = 0;

    /* NOLINTNEXTLINE(cert-err34-c): our own text, made with %u:%u */
    if (sscanf(note, "%u:%u: %n", &line, &column, &used) == 2)
        add_warning(file, line, column, note + used);
}

static void add_findings(struct checked *file, const struct route_config *config)
{
    for (size_t i = 0; i < config->warnings.n; i++)
        add_reading(file, config->warnings.at[i]);
    route_config_advise(config, add_warning, file);
}

static enum ctl_exit check_one(struct checked *file)
{
    const struct route_config *config = NULL;
    struct err err = {0};
    int r = config_file_read(file->path, &config, &err);

    if (file->json) {
        json_open(file->json, '{');
        json_kv_string(file->json, "file", file->path);
        json_kv_string(file->json, "error", r ? err.text : NULL);
        if (!r)
            add_json(file->json, config);
        json_key(file->json, "warnings");
        json_open(file->json, '[');
        if (!r)
            add_findings(file, config);
        json_close(file->json, ']');
        json_close(file->json, '}');
    } else if (r) {
        str_addf(file->out, "%s: %sFAILED%s\n  %s\n", file->path,
                 file->ctl->color ? "\x1b[31m" : "", file->ctl->color ? "\x1b[0m" : "", err.text);
    } else {
        add_findings(file, config);
        add_summary(file, config);
    }
    route_config_unref(config);
    return r ? CTL_FAILURE : file->n_warnings ? CTL_FINDINGS : CTL_OK;
}

enum ctl_exit cmd_check_config(struct ctl *ctl)
{
    STR_AUTO struct str out = STR_INIT(OUTPUT_BYTES_MAX);
    struct json_out json = JSON_OUT(&out);
    enum ctl_exit status = CTL_OK;

    if (ctl->json)
        json_open(&json, '[');
    for (int i = 0; i < ctl->n_arguments; i++) {
        struct checked file = {.ctl = ctl,
                               .path = ctl->arguments[i],
                               .out = &out,
                               .json = ctl->json ? &json : NULL,
                               .warnings = STR_INIT(OUTPUT_BYTES_MAX)};
        enum ctl_exit one = check_one(&file);

        str_done(&file.warnings);
        if (one == CTL_FAILURE || status == CTL_OK)
            status = one;
    }
    if (ctl->json) {
        json_close(&json, ']');
        str_addc(&out, '\n');
    }
    (void)fputs(str_text(&out), stdout);
    return out.full ? ctl_fail(ctl, "more than 64 MiB to say: check fewer files") : status;
}
