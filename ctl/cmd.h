#pragma once

/*
 * alertctl's commands: a table of rows, and what every row is given.
 *
 *   argv --main.c, commands.c--> global options, the row, its options --> row->run(ctl) --> exit code
 *
 * A command reads ctl->arguments and ctl_option(), writes its answer to stdout and its
 * complaints to stderr. Help text is made from the table.
 */

#include <stdbool.h>
#include <stddef.h>

enum ctl_exit {
    CTL_OK = 0,
    CTL_FAILURE = 1,
    CTL_USAGE = 2,
    CTL_FINDINGS = 3, /* lint findings only */
};

enum {
    CTL_OPTIONS_MAX = 40,
};

struct ctl_option {
    const char *name;  /* without the dashes */
    const char *value; /* what to call its value in help; NULL: a flag */
    const char *help;
};

/* One option as it was given: a command may be given one several times. */
struct ctl_given {
    int option; /* of command->options */
    const char *value;
};

struct ctl {
    const char *url;   /* alertd's address, no trailing slash */
    bool url_given;    /* with --url, not only by default */
    const char *token; /* NULL: none given */
    bool json;
    bool color;
    const struct command *command;
    char *const *arguments; /* what is left after the command's words and options */
    int n_arguments;
    struct ctl_given *given; /* its options, in order */
    int n_given;
    const char *alertd_url; /* from the environment, or the default: never --url */
};

struct command {
    const char *words;     /* "incident ack" */
    const char *arguments; /* "KEY", "FILE...", "" */
    int min_arguments;
    int max_arguments; /* -1: any number */
    struct ctl_option options[CTL_OPTIONS_MAX];
    const char *help;
    enum ctl_exit (*run)(struct ctl *ctl);
};

/* commands.c */
extern const struct command ctl_commands[];
extern const size_t ctl_n_commands;

/* NULL when not given, "" for a flag that was; the last one of several. */
const char *ctl_option(const struct ctl *ctl, const char *name);
/* The one at this place of several, from 0; NULL past the last. */
const char *ctl_option_at(const struct ctl *ctl, const char *name, int place);

/* A line to stderr: `alertctl incident ack: words`; returns CTL_FAILURE. */
enum ctl_exit ctl_fail(const struct ctl *ctl, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* cmd_check.c, cmd_config.c, cmd_route.c, cmd_test.c: offline, with the daemon's own engine. */
enum ctl_exit cmd_check_config(struct ctl *ctl);
enum ctl_exit cmd_check_rules(struct ctl *ctl);
enum ctl_exit cmd_route_show(struct ctl *ctl);
enum ctl_exit cmd_template_render(struct ctl *ctl);
enum ctl_exit cmd_route_test(struct ctl *ctl);
enum ctl_exit cmd_test_routes(struct ctl *ctl);
enum ctl_exit cmd_test_rules(struct ctl *ctl);
enum ctl_exit cmd_tune(struct ctl *ctl);
enum ctl_exit cmd_tune_diff(struct ctl *ctl);

/* cmd_drill.c, offline too. */
enum ctl_exit cmd_check_drills(struct ctl *ctl);
enum ctl_exit cmd_drill_list(struct ctl *ctl);
enum ctl_exit cmd_drill_run(struct ctl *ctl);
enum ctl_exit cmd_drill_new(struct ctl *ctl);
enum ctl_exit cmd_drill_import_wheel(struct ctl *ctl);
enum ctl_exit cmd_drill_report(struct ctl *ctl);

/* The rest speaks HTTP. */
enum ctl_exit cmd_canary_list(struct ctl *ctl);
enum ctl_exit cmd_drill_from_incident(struct ctl *ctl);
enum ctl_exit cmd_review(struct ctl *ctl);
enum ctl_exit cmd_canary_show(struct ctl *ctl);
enum ctl_exit cmd_canary_start(struct ctl *ctl);
enum ctl_exit cmd_canary_stop(struct ctl *ctl);
enum ctl_exit cmd_ready(struct ctl *ctl);
enum ctl_exit cmd_query(struct ctl *ctl);
enum ctl_exit cmd_import(struct ctl *ctl);
enum ctl_exit cmd_import_prometheus(struct ctl *ctl);
enum ctl_exit cmd_import_openmetrics(struct ctl *ctl);
enum ctl_exit cmd_export_openmetrics(struct ctl *ctl);
enum ctl_exit cmd_export_rules(struct ctl *ctl);
enum ctl_exit cmd_agents(struct ctl *ctl);
enum ctl_exit cmd_status(struct ctl *ctl);
enum ctl_exit cmd_status_tsdb(struct ctl *ctl);
enum ctl_exit cmd_backup(struct ctl *ctl);
enum ctl_exit cmd_incident_list(struct ctl *ctl);
enum ctl_exit cmd_incident_show(struct ctl *ctl);
enum ctl_exit cmd_incident_ack(struct ctl *ctl);
enum ctl_exit cmd_incident_note(struct ctl *ctl);
enum ctl_exit cmd_incident_resolve(struct ctl *ctl);
enum ctl_exit cmd_incident_verdict(struct ctl *ctl);
enum ctl_exit cmd_incident_declare(struct ctl *ctl);
enum ctl_exit cmd_incident_import(struct ctl *ctl);
enum ctl_exit cmd_incident_metrics(struct ctl *ctl);
enum ctl_exit cmd_incident_search(struct ctl *ctl);
enum ctl_exit cmd_service_list(struct ctl *ctl);
enum ctl_exit cmd_service_show(struct ctl *ctl);
enum ctl_exit cmd_service_set(struct ctl *ctl);
enum ctl_exit cmd_service_delete(struct ctl *ctl);
enum ctl_exit cmd_service_rules(struct ctl *ctl);
enum ctl_exit cmd_silence_add(struct ctl *ctl);
enum ctl_exit cmd_silence_list(struct ctl *ctl);
enum ctl_exit cmd_silence_expire(struct ctl *ctl);
enum ctl_exit cmd_silence_extend(struct ctl *ctl);
enum ctl_exit cmd_alert_list(struct ctl *ctl);
enum ctl_exit cmd_why(struct ctl *ctl);
enum ctl_exit cmd_incident_snooze(struct ctl *ctl);
enum ctl_exit cmd_incident_takeover(struct ctl *ctl);
enum ctl_exit cmd_incident_escalate(struct ctl *ctl);
enum ctl_exit cmd_report(struct ctl *ctl);
enum ctl_exit cmd_oncall(struct ctl *ctl);
enum ctl_exit cmd_paging_drill(struct ctl *ctl);
enum ctl_exit cmd_override_add(struct ctl *ctl);
enum ctl_exit cmd_person_list(struct ctl *ctl);
enum ctl_exit cmd_person_add(struct ctl *ctl);
enum ctl_exit cmd_person_test(struct ctl *ctl);
enum ctl_exit cmd_schedule_show(struct ctl *ctl);
enum ctl_exit cmd_schedule_check(struct ctl *ctl);
enum ctl_exit cmd_schedule_import(struct ctl *ctl);
enum ctl_exit cmd_shadow_list(struct ctl *ctl);
enum ctl_exit cmd_shadow_add(struct ctl *ctl);
enum ctl_exit cmd_shadow_remove(struct ctl *ctl);
enum ctl_exit cmd_shadow_pages(struct ctl *ctl);
enum ctl_exit cmd_shadow_answer(struct ctl *ctl);
enum ctl_exit cmd_readiness(struct ctl *ctl);
enum ctl_exit cmd_postmortem_list(struct ctl *ctl);
enum ctl_exit cmd_postmortem_create(struct ctl *ctl);
enum ctl_exit cmd_postmortem_export(struct ctl *ctl);
enum ctl_exit cmd_postmortem_lint(struct ctl *ctl);
enum ctl_exit cmd_token_create(struct ctl *ctl);
enum ctl_exit cmd_token_list(struct ctl *ctl);
enum ctl_exit cmd_token_revoke(struct ctl *ctl);
