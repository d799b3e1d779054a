/*
 * The exec probe: a Nagios plugin (or any program that exits 0, 1, 2 or 3), its
 * verdict and its performance data as metrics.
 *
 *     exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; anything else, a signal or no end
 *     in time is UNKNOWN too
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "agent/probe/exec_child.h"
#include "agent/probe/perfdata.h"
#include "agent/probe/probe.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum {
    ARGUMENTS_MAX = 64,
    ENVIRONMENT_MAX = 32,
    OUTPUT_MAX = 8 * 1024,
    NAGIOS_OK = 0,
    NAGIOS_UNKNOWN = 3,
};

struct exec_probe {
    struct exec_child child;
    char *argv[ARGUMENTS_MAX + 1];
    char *environment[ENVIRONMENT_MAX + 3];
    char output[OUTPUT_MAX + 1];
};

static const struct metric_family family_status = {
    "nagios_status", METRIC_GAUGE, "What the plugin says: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."};
static const struct metric_family family_cut = {"nagios_output_truncated", METRIC_GAUGE,
                                                "1 when the plugin printed more than 8 KiB."};
static const struct metric_family family_value = {
    "nagios_perfdata_value", METRIC_UNKNOWN,
    "A value of the plugin, in seconds, bytes or as it is."};
static const struct metric_family family_bounds[PERFDATA_N_BOUNDS] = {
    [PERFDATA_WARN] = {"nagios_perfdata_warn", METRIC_GAUGE, "The plugin warns above this."},
    [PERFDATA_CRIT] = {"nagios_perfdata_crit", METRIC_GAUGE, "The plugin is critical above this."},
    [PERFDATA_MIN] = {"nagios_perfdata_min", METRIC_GAUGE, "The least the value can be."},
    [PERFDATA_MAX] = {"nagios_perfdata_max", METRIC_GAUGE, "The most the value can be."},
};

static void exec_done(void *state)
{
    struct exec_probe *probe = state;

    if (!probe)
        return;
    for (size_t i = 0; probe->argv[i]; i++)
        free(probe->argv[i]);
    for (size_t i = 0; probe->environment[i]; i++)
        free(probe->environment[i]);
    free(probe);
}

static int read_command(const struct yaml_node *map, struct exec_probe *probe, struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, "command");
    int r;

    if (!node)
        return err_at(reterr, YAML_E_TYPE, map->line, map->column,
                      "an exec probe needs `command`: [/absolute/path, argument, ...]");
    r = yaml_expect(node, YAML_LIST, "command", reterr);
    if (r)
        return r;
    if (node->n == 0 || node->n > ARGUMENTS_MAX)
        return err_at(reterr, YAML_E_TYPE, node->line, node->column,
                      "field \"command\": expected 1 to %d words", ARGUMENTS_MAX);
    for (size_t i = 0; i < node->n; i++) {
        const char *word;

        r = yaml_string(node->items[i], &word, reterr);
        if (r)
            return r;
        probe->argv[i] = mem_strdup(word);
    }
    if (probe->argv[0][0] != '/')
        return err_at(reterr, YAML_E_TYPE, node->items[0]->line, node->items[0]->column,
                      "field \"command\": expected an absolute path, got \"%.100s\"",
                      probe->argv[0]);
    return 0;
}

static int read_environment(const struct yaml_node *map,
                            struct exec_probe *probe,
                            struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, "env");
    size_t n = 0;
    int r = node ? yaml_expect(node, YAML_MAP, "env", reterr) : 0;

    if (r)
        return r;
    probe->environment[n++] = mem_strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
    probe->environment[n++] = mem_strdup("LC_ALL=C");
    if (!node)
        return 0;
    if (node->n > ENVIRONMENT_MAX)
        return err_at(reterr, YAML_E_TYPE, node->line, node->column,
                      "field \"env\": more than %d variables", ENVIRONMENT_MAX);
    for (size_t i = 0; i < node->n; i++) {
        STR_AUTO struct str pair = STR_INIT(OUTPUT_MAX);
        const char *value;

        r = yaml_string(node->items[i], &value, reterr);
        if (r)
            return r;
        str_addf(&pair, "%s=%s", node->keys[i]->text, value);
        probe->environment[n++] = str_take(&pair);
    }
    return 0;
}

static int exec_configure(const struct yaml_node *map, void **ret_state, struct err *reterr)
{
    struct exec_probe *probe = mem_zalloc(sizeof(*probe));
    int r = read_command(map, probe, reterr);

    if (r == 0)
        r = read_environment(map, probe, reterr);
    if (r) {
        exec_done(probe);
        return r;
    }
    *ret_state = probe;
    return 0;
}

/* `[/bin/sh, /etc/checks/disk.sh]` hides the program that matters behind one that is fine. */
static int check_script(const struct exec_probe *probe, struct err *reterr)
{
    static const char *const interpreters[] = {"sh",   "bash", "dash", "python3",
                                               "perl", "ruby", "env"};
    const char *name = strrchr(probe->argv[0], '/') + 1;

    for (size_t i = 0; i < sizeof(interpreters) / sizeof(interpreters[0]); i++)
        if (strcmp(name, interpreters[i]) == 0 && probe->argv[1] && probe->argv[1][0] == '/')
            return exec_check(probe->argv[1], reterr);
    return 0;
}

static void add_perfdata(const char *text, struct samples *out)
{
    struct perfdata_item item;

    for (int n = 0; n < PERFDATA_ITEMS_MAX && perfdata_next(&text, &item); n++) {
        const struct label labels[] = {{"label", item.label}, {"uom", item.unit}};

        samples_add_with(out, &family_value, item.value, labels, 2);
        for (int i = 0; i < PERFDATA_N_BOUNDS; i++)
            if (item.has[i])
                samples_add_with(out, &family_bounds[i], item.bound[i], labels, 2);
    }
}

static int verdict_of(int r, const struct exec_result *result)
{
    if (r || !WIFEXITED(result->wait_status) || WEXITSTATUS(result->wait_status) > NAGIOS_UNKNOWN)
        return NAGIOS_UNKNOWN;
    return WEXITSTATUS(result->wait_status);
}

static int exec_probe_run(void *state,
                          const struct probe_run *run,
                          struct samples *out,
                          struct err *reterr)
{
    static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
    struct exec_probe *probe = state;
    struct exec_result result = {.output = probe->output};
    const struct exec_request request = {
        .argv = probe->argv,
        .environment = probe->environment,
        .deadline_ms = run->deadline_ms,
        .cancel_fd = run->cancel_fd,
        .output_max = OUTPUT_MAX,
    };
    char *perfdata;
    int r;

    probe->output[0] = '\0';
    r = check_script(probe, reterr);
    if (r == 0)
        r = exec_run(&probe->child, &request, &result, reterr);

    int verdict = verdict_of(r, &result);
    const char *first_line = perfdata_split(probe->output, &perfdata);

    samples_add(out, &family_status, verdict);
    samples_add(out, &family_cut, result.output_cut);
    if (r)
        return PROBE_E_FAILED;
    add_perfdata(perfdata, out);
    if (verdict == NAGIOS_OK)
        return 0;
    return err_set(reterr, PROBE_E_FAILED, "%s: %.200s", words[verdict], first_line);
}

static const char *const keys[] = {"command", "env", NULL};

const struct probe_kind probe_exec = {
    .name = "exec",
    .help = "a Nagios plugin: its verdict and its performance data",
    .job = "nagios",
    .keys = keys,
    .configure = exec_configure,
    .run = exec_probe_run,
    .done = exec_done,
};
