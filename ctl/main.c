/*
 * alertctl: the operator's command line.
 *
 * This file is the table of commands and the way from argv to one of its rows. What a
 * command does is in cmd_*.c.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alertd/promql/promql.h"
#include "ctl/cmd.h"
#include "lib/base/fs.h"

#define DEFAULT_URL "http://127.0.0.1:9797"

static const struct command commands[] = {
    {"check rules",
     "FILE...",
     0,
     -1,
     {{"advice", NULL, "tell also what would only be nicer"},
      {"only", "ID,...", "only these checks"},
      {"disable", "ID,...", "not these checks"},
      {"format", "FORMAT", "human, json, or github for annotations (human)"},
      {"store", "FOLDER", "ask its samples, as --url asks a server (no alertd may run there)"},
      {"window", "DURATION", "with --url or --store: how far back to look (1d)"},
      {"policy", "FILE", "what your team wants of its rules (docs/lints.md)"},
      {"tests", "FILE,...", "unit tests: which alerts have none"},
      {"list", NULL, "all checks and what they mean"}},
     "would these rule files load, and what is doubtful in them",
     cmd_check_rules},
    {"test rules",
     "FILE...",
     1,
     -1,
     {{"run", "REGEX", "only groups whose names match"},
      {"format", "human|json|junit", "how to tell what was found (human)"},
      {"output", "FILE", "write that there, and tell people on standard output"}},
     "run unit tests of rules (promtool's format)",
     cmd_test_rules},
    {"test routes",
     "FILE...",
     1,
     -1,
     {{"run", "REGEX", "only tests whose names match"},
      {"format", "human|json|junit", "how to tell what was found (human)"},
      {"output", "FILE", "write that there, and tell people on standard output"}},
     "run tests of a config file: who is told, and when",
     cmd_test_routes},
    {"check config",
     "FILE...",
     1,
     -1,
     {{0}},
     "would alertd take these config files, and what is doubtful in them",
     cmd_check_config},
    {"route show",
     "",
     0,
     0,
     {{"config", "FILE", "alertd's config file"}},
     "the tree of routes",
     cmd_route_show},
    {"route test",
     "NAME=VALUE...",
     1,
     -1,
     {{"config", "FILE", "alertd's config file"},
      {"tree", NULL, "why each route takes the alert or not"},
      {"at", "WHEN", "for time intervals: RFC 3339 or Unix seconds (now)"},
      {"expect", "RECEIVER,...", "fail unless these are told, in this order"}},
     "which receivers an alert with these labels reaches",
     cmd_route_test},
    {"template render",
     "",
     0,
     0,
     {{"template.glob", "PATTERN", "files of templates; may be given several times"},
      {"template.text", "TEXT", "the template (needed)"},
      {"template.data", "FILE", "what a webhook is sent, as JSON (an example)"},
      {"template.type", "TYPE", "text, or html, where values are escaped (text)"}},
     "what a notification's template makes of data",
     cmd_template_render},
    {"query",
     "EXPRESSION",
     1,
     1,
     {{"time", "WHEN", "instant to ask about: RFC 3339 or Unix seconds (now)"},
      {"start", "WHEN", "with --end and --step: a range query"},
      {"end", "WHEN", "end of the range (now)"},
      {"step", "DURATION", "distance of its points (60s)"},
      {"explain", NULL, "what each part of it costs, instead of its result"}},
     "ask PromQL",
     cmd_query},
    {"incident list",
     "",
     0,
     0,
     {{"status", "open|resolved|all", "which ones (open)"}},
     "incidents, newest first",
     cmd_incident_list},
    {"incident show", "KEY", 1, 1, {{0}}, "one incident with its timeline", cmd_incident_show},
    {"incident ack",
     "KEY",
     1,
     1,
     {{"note", "TEXT", "say why or what next"}},
     "acknowledge: I am on it; repeats stop",
     cmd_incident_ack},
    {"incident note",
     "KEY TEXT",
     2,
     2,
     {{"at", "WHEN", "when it happened, if not now (RFC 3339)"}},
     "add to the timeline",
     cmd_incident_note},
    {"incident resolve",
     "KEY",
     1,
     1,
     {{"note", "TEXT", "say what mended it"}},
     "close an incident by hand",
     cmd_incident_resolve},
    {"incident snooze", "KEY DURATION", 2, 2, {{0}}, "page nobody so long", cmd_incident_snooze},
    {"incident takeover", "KEY", 1, 1, {{0}}, "hold it: page nobody else", cmd_incident_takeover},
    {"incident escalate", "KEY", 1, 1, {{0}}, "page the next step now", cmd_incident_escalate},
    {"incident verdict",
     "KEY VERDICT",
     2,
     2,
     {{"reason", "TEXT", "say why"}},
     "what its page was worth: useful, noise or unknown",
     cmd_incident_verdict},
    {"alert list",
     "[MATCHER...]",
     0,
     -1,
     {{0}},
     "what fires, and whether somebody is told",
     cmd_alert_list},
    {"silence add",
     "MATCHER...",
     1,
     -1,
     {{"comment", "TEXT", "say why (needed)"},
      {"for", "DURATION", "how long: 30m, 2h, 1d"},
      {"until-resolved", NULL, "until nothing that it matches fires; 30 days at most"},
      {"start", "WHEN", "when it begins, if not now (RFC 3339)"}},
     "mute what matches, such as severity=page 'team=~\"db|web\"'",
     cmd_silence_add},
    {"silence list",
     "[MATCHER...]",
     0,
     -1,
     {{"state", "STATE,...", "pending, active, expired, or all (pending,active)"}},
     "silences, and how much each matches now",
     cmd_silence_list},
    {"silence expire", "ID...", 1, -1, {{0}}, "end silences now", cmd_silence_expire},
    {"silence extend", "ID DURATION", 2, 2, {{0}}, "move a silence's end", cmd_silence_extend},
    {"report",
     "",
     0,
     0,
     {{"week", "WEEK", "such as 2026-W47 (the seven days until now)"},
      {"from", "WHEN", "RFC 3339, Unix seconds, or how long ago: 30d"},
      {"to", "WHEN", "the end of it, as --from (now)"},
      {"zone", "ZONE", "whose weeks and nights: Europe/Berlin (UTC)"}},
     "pages, nights, times and noise",
     cmd_report},
    {"oncall",
     "",
     0,
     0,
     {{"at", "WHEN", "at another instant: RFC 3339, or +2d from now (now)"},
      {"schedule", "NAME", "only this one"}},
     "who is on call, until when, and why",
     cmd_oncall},
    {"schedule show",
     "NAME",
     1,
     1,
     {{"from", "WHEN", "2026-12-01T09:00 there, with Z or +01:00 anywhere, +2d (today)"},
      {"to", "WHEN", "the end of it (two weeks later)"}},
     "a schedule day by day",
     cmd_schedule_show},
    {"schedule check",
     "[NAME]",
     0,
     1,
     {{"from", "WHEN", "as for schedule show (now)"},
      {"to", "WHEN", "the end of it (30 days later)"}},
     "gaps, and who could not be reached; exit status 3 if any",
     cmd_schedule_check},
    {"schedule import",
     "FILE",
     1,
     1,
     {{"from", "SYSTEM", "goalert, oncall (Grafana's), or ical (by the name of the file)"},
      {"name", "NAME", "for a calendar: what the schedule will be called"},
      {"zone", "ZONE", "for a calendar: where its times without a zone are (UTC)"},
      {"dry-run", NULL, "only tell what would come, and what is not understood"}},
     "people, schedules and policies of another system",
     cmd_schedule_import},
    {"override add",
     "SCHEDULE PERSON",
     2,
     2,
     {{"to", "WHEN", "until when: 2026-12-01T09:00 there, with Z anywhere, or +8h"},
      {"from", "WHEN", "since when (now)"},
      {"for", "PERSON", "instead of this one only (of everybody on call)"},
      {"beside", NULL, "beside whoever is on call, instead of nobody"},
      {"note", "TEXT", "why"}},
     "somebody steps in",
     cmd_override_add},
    {"person list", "", 0, 0, {{0}}, "people and how they are reached", cmd_person_list},
    {"person add",
     "NAME",
     1,
     1,
     {{"full-name", "TEXT", "as people write it"},
      {"zone", "ZONE", "where they live: Europe/Paris"},
      {"contact", "METHOD:ADDRESS", "email:ana@example.org, ntfy:https://…; may be given often"}},
     "somebody new",
     cmd_person_add},
    {"person test",
     "NAME",
     1,
     1,
     {{"contact", "N", "only this one, from 0"}},
     "send a test to each contact; its link verifies it",
     cmd_person_test},
    {"postmortem list", "", 0, 0, {{0}}, "documents, newest first", cmd_postmortem_list},
    {"postmortem create",
     "KEY",
     1,
     1,
     {{"template", "ID", "quick or standard (quick)"}},
     "start a document from an incident's facts",
     cmd_postmortem_create},
    {"postmortem export",
     "ID",
     1,
     1,
     {{"format", "md|html", "Markdown, or one HTML file (md)"},
      {"output", "FILE", "write there instead of standard output"}},
     "write a document to a file",
     cmd_postmortem_export},
    {"import rules",
     "FILE...",
     1,
     -1,
     {{0}},
     "store Prometheus rule files as new versions",
     cmd_import},
    {"import prometheus",
     "",
     0,
     -1, /* it says where files go */
     {{"match", "SELECTOR", "which series, as in PromQL; may be given several times"},
      {"from", "WHEN", "RFC 3339, Unix seconds, or how long ago: 30d"},
      {"to", "WHEN", "the end of it, as --from (now)"},
      {"into", "URL", "the alertd they go to (ALERTD_URL)"},
      {"step-hours", "N", "at most so much in one question (1)"},
      {"source-token-file", "FILE", "a bearer token for the server at --url"},
      {"resume", "FILE", "where to note how far it came (~/.local/state/alertctl)"}},
     "samples out of the Prometheus-compatible server at --url",
     cmd_import_prometheus},
    {"import openmetrics",
     "FILE|-",
     1,
     1,
     {{"format", "FORMAT", "openmetrics, or prometheus with times in milliseconds (openmetrics)"},
      {"resume", "FILE", "where to note how far it came (~/.local/state/alertctl)"}},
     "samples with times from a text",
     cmd_import_openmetrics},
    {"export rules",
     "",
     0,
     0,
     {{"file", "SOURCE", "only the rules that were imported under this name"},
      {"group", "NAME", "only groups of this name"}},
     "rules as one Prometheus file",
     cmd_export_rules},
    {"export openmetrics",
     "",
     0,
     0,
     {{"match", "SELECTOR", "which series, as in PromQL; may be given several times"},
      {"from", "WHEN", "RFC 3339, Unix seconds, or how long ago: 30d"},
      {"to", "WHEN", "the end of it, as --from (now)"},
      {"output", "FILE", "write there instead of standard output"}},
     "samples as a text that import openmetrics reads",
     cmd_export_openmetrics},
    {"agents", "", 0, 0, {{0}}, "agents, how fresh they are, their last results", cmd_agents},
    {"token create",
     "NAME",
     1,
     1,
     {{"scope", "SCOPES", "push, read, operate or admin; several with commas (read)"},
      {"agent", "ID", "for a push token: the one agent it may speak for"},
      {"expires", "WHEN", "RFC 3339"},
      {"quiet", NULL, "print only the token"}},
     "make a token; it is shown once",
     cmd_token_create},
    {"token list", "", 0, 0, {{0}}, "tokens, never their secrets", cmd_token_list},
    {"token revoke", "ID", 1, 1, {{0}}, "a token stops working at once", cmd_token_revoke},
    {"backup", "FOLDER", 1, 1, {{0}}, "a consistent copy, while alertd runs", cmd_backup},
    {"status tsdb",
     "",
     0,
     0,
     {{0}},
     "what takes the samples' space, who was refused",
     cmd_status_tsdb},
    {"ready", "", 0, 0, {{0}}, "0 when alertd answers and is ready", cmd_ready},
};

enum {
    N_COMMANDS = sizeof(commands) / sizeof(commands[0])
};

static void print_overview(FILE *out)
{
    (void)fprintf(
        out, "usage: alertctl COMMAND [ARGUMENTS] [--url=URL] [--token-file=FILE] [--json]\n\n");
    for (int i = 0; i < N_COMMANDS; i++) {
        char call[64];

        (void)snprintf(call, sizeof(call), "%s %s", commands[i].words, commands[i].arguments);
        (void)fprintf(out, "  %-28s %s\n", call, commands[i].help);
    }
    (void)fprintf(out,
                  "\n  --url=URL           alertd's address (ALERTD_URL, else " DEFAULT_URL ")\n"
                  "  --token-file=FILE   where the token is (else the variable ALERTD_TOKEN)\n"
                  "  --json              the answer as JSON\n"
                  "  --enable-feature=promql-experimental-functions\n"
                  "                      check and test rules: as alertd with the same flag\n"
                  "  --version\n"
                  "  --help              behind a command: what it takes\n\n"
                  "Exit status: 0 fine, 1 failure, 2 wrong usage, 3 findings only.\n");
}

/* The row whose words are the first of argv; *ret_used tells how many they were. */
static const struct command *find_command(char *const *words, int n, int *ret_used)
{
    for (int i = 0; i < N_COMMANDS; i++) {
        char both[64];
        bool two = strchr(commands[i].words, ' ') != NULL;

        (void)snprintf(both, sizeof(both), "%s%s%s", words[0], two && n > 1 ? " " : "",
                       two && n > 1 ? words[1] : "");
        if (strcmp(both, commands[i].words) == 0) {
            *ret_used = two ? 2 : 1;
            return &commands[i];
        }
    }
    return NULL;
}

/* `--name=value`, `--name value` or `--flag` at argv[*at]; false when it is another one. */
static bool take(
    char *const *argv, int argc, int *at, const char *name, bool has_value, const char **ret_value)
{
    const char *text = argv[*at] + 2;
    size_t len = strlen(name);

    if (strncmp(text, name, len) != 0)
        return false;
    if (!has_value && text[len] == '\0') {
        *ret_value = "";
        return true;
    }
    if (has_value && text[len] == '=') {
        *ret_value = text + len + 1;
        return true;
    }
    if (has_value && text[len] == '\0' && *at + 1 < argc) {
        *ret_value = argv[++*at];
        return true;
    }
    return false;
}

struct line {
    char **words; /* what is no option */
    int n_words;
    char **options; /* the options that are not global, in place */
    int n_options;
    const char *token_file;
    const char *feature;
    bool help;
    bool version;
};

/* Sorts argv into words and options; global options are taken at once. An option's
 * separate value can't be told from a word before the command is known, so those stay
 * for the second pass: words and options keep their order in line->options. */
static void read_globals(int argc, char **argv, struct ctl *ctl, struct line *line)
{
    for (int i = 1; i < argc; i++) {
        const char *flag = NULL;
        bool is_option = strncmp(argv[i], "--", 2) == 0;

        if (is_option && take(argv, argc, &i, "url", true, &ctl->url)) {
            ctl->url_given = true;
            continue;
        }
        if (is_option && (take(argv, argc, &i, "enable-feature", true, &line->feature) ||
                          take(argv, argc, &i, "token-file", true, &line->token_file)))
            continue;
        if (is_option && take(argv, argc, &i, "json", false, &flag))
            ctl->json = true;
        else if (is_option && take(argv, argc, &i, "help", false, &flag))
            line->help = true;
        else if (is_option && take(argv, argc, &i, "version", false, &flag))
            line->version = true;
        else
            line->options[line->n_options++] = argv[i];
    }
}

/* What is left belongs to the command: its options, and the rest are arguments. */
static enum ctl_exit read_options(struct ctl *ctl, struct line *line)
{
    bool only_words = false;

    for (int i = 0; i < line->n_options; i++) {
        const char *value = NULL;
        int option = 0;

        if (!only_words && strcmp(line->options[i], "--") == 0) {
            only_words = true;
            continue;
        }
        if (only_words || strncmp(line->options[i], "--", 2) != 0) {
            line->words[line->n_words++] = line->options[i];
            continue;
        }
        for (; option < CTL_OPTIONS_MAX && ctl->command->options[option].name; option++)
            if (take(line->options, line->n_options, &i, ctl->command->options[option].name,
                     ctl->command->options[option].value != NULL, &value))
                break;
        if (option == CTL_OPTIONS_MAX || !ctl->command->options[option].name) {
            (void)ctl_fail(ctl, "unknown or incomplete option %s (try --help)", line->options[i]);
            return CTL_USAGE;
        }
        ctl->given[ctl->n_given++] = (struct ctl_given){option, value};
    }
    return CTL_OK;
}

static enum ctl_exit enable_feature(const struct ctl *ctl, const char *feature)
{
    if (!feature)
        return CTL_OK;
    if (strcmp(feature, "promql-experimental-functions") != 0) {
        (void)ctl_fail(ctl, "--enable-feature knows only promql-experimental-functions, not \"%s\"",
                       feature);
        return CTL_USAGE;
    }
    promql_allow_experimental();
    return CTL_OK;
}

static enum ctl_exit read_token(struct ctl *ctl, const char *path, char **ret_token)
{
    struct err err;
    size_t len;

    if (!path)
        return CTL_OK;
    if (fs_read(path, 4096, ret_token, &len, &err) != 0)
        return ctl_fail(ctl, "%s", err.text);
    (*ret_token)[strcspn(*ret_token, "\r\n")] = '\0';
    ctl->token = *ret_token;
    return CTL_OK;
}

static enum ctl_exit run(struct ctl *ctl, struct line *line)
{
    char *token = NULL;
    int used = 0;

    if (line->n_options > 0)
        ctl->command = find_command(line->options, line->n_options, &used);
    if (!ctl->command) {
        if (line->n_options > 0)
            (void)fprintf(stderr, "alertctl: unknown command '%s%s%s'\n\n", line->options[0],
                          line->n_options > 1 ? " " : "",
                          line->n_options > 1 ? line->options[1] : "");
        print_overview(line->help ? stdout : stderr);
        return line->help ? CTL_OK : CTL_USAGE;
    }
    if (line->help) {
        ctl_print_help(stdout, ctl->command);
        return CTL_OK;
    }
    line->options += used;
    line->n_options -= used;

    enum ctl_exit status = read_options(ctl, line);
    if (status == CTL_OK)
        status = enable_feature(ctl, line->feature);
    if (status != CTL_OK)
        return status;
    if (line->n_words < ctl->command->min_arguments ||
        (ctl->command->max_arguments >= 0 && line->n_words > ctl->command->max_arguments)) {
        ctl_print_help(stderr, ctl->command);
        return CTL_USAGE;
    }
    ctl->arguments = line->words;
    ctl->n_arguments = line->n_words;
    status = read_token(ctl, line->token_file, &token);
    if (status == CTL_OK)
        status = ctl->command->run(ctl);
    free(token);
    return status;
}

/* An environment variable that says something, else NULL. */
static const char *variable(const char *name)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): before any thread */

    return value && *value ? value : NULL;
}

int main(int argc, char **argv)
{
    const char *url = variable("ALERTD_URL");
    struct ctl ctl = {
        .url = url ? url : DEFAULT_URL,
        .alertd_url = url ? url : DEFAULT_URL,
        .given = calloc((size_t)argc + 1, sizeof(*ctl.given)),
        .token = variable("ALERTD_TOKEN"),
        .color = isatty(STDOUT_FILENO) && !variable("NO_COLOR"),
    };
    char **words = calloc((size_t)argc + 1, sizeof(*words));
    char **options = calloc((size_t)argc + 1, sizeof(*options));
    struct line line = {.words = words, .options = options};
    int status = CTL_FAILURE;

    if (words && options && ctl.given) {
        read_globals(argc, argv, &ctl, &line);
        if (line.version) {
            (void)printf("alertctl " WATCHBILL_VERSION "\n");
            status = CTL_OK;
        } else {
            status = run(&ctl, &line);
        }
    }
    free(words);
    free(options);
    free(ctl.given);
    if (fflush(stdout) != 0)
        status = CTL_FAILURE;
    return status;
}
