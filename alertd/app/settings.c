/*
 * alertd's flags. See settings.h.
 */

#include "alertd/app/settings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/bug.h"
#include "lib/model/duration.h"

enum {
    WIRE_BYTES_MIN = 256 * 1024,
    WIRE_BYTES_MAX = 128 * 1024 * 1024,
};

enum kind {
    TEXT,
    DURATION, /* int64_t ms */
    COUNT,    /* int64_t, at least 1 */
    SIZE,     /* uint64_t bytes */
    CHOICE,   /* an enum: the index into `choices` */
    SWITCH,   /* a bool: whether it is the second of two choices */
    LIST,     /* repeatable */
    ACTION,   /* takes no value */
};

struct row {
    const char *name;
    enum kind kind;
    int action; /* ACTION: the settings_action */
    size_t place;
    const char *initial; /* what stands without the flag; NULL: nothing */
    const char *what;    /* the value's form in --help: PATH, DURATION ... */
    const char *choices; /* "full|normal" */
    const char *help;
};

#define AT(member) offsetof(struct settings, member)

static const struct row rows[] = {
    {"config.file", TEXT, 0, AT(config_file), "", "PATH", NULL,
     "Receivers and grouping, YAML. Without it alerts reach the dashboard only."},
    {"storage.path", TEXT, 0, AT(storage_path), "data", "PATH", NULL,
     "Folder for everything that is kept. One alertd at a time."},
    {"storage.retention.time", DURATION, 0, AT(retention_ms), "90d", "DURATION", NULL,
     "How long samples are kept, in days; 0 keeps them for ever and takes samples of any age."},
    {"storage.retention.size", SIZE, 0, AT(retention_bytes), "0", "SIZE", NULL,
     "How much room days of samples may take, such as 500MB or 20GB; beyond it the oldest day goes, "
     "but never today. 0: no limit."},
    {"storage.sync", SWITCH, 0, AT(sync_normal), "full", NULL, "full|normal",
     "full: an answered push survives a power cut. normal: it survives a crash of alertd, but "
     "a power cut loses what came since the last checkpoint."},
    {"limit.series", COUNT, 0, AT(max_series), "1000000", "N", NULL,
     "Most series kept in memory; samples of others are refused."},
    {"limit.new-series-per-hour", COUNT, 0, AT(max_new_series_an_hour), "200000", "N", NULL,
     "Most series that pushes may begin within an hour, all together. Series that are known go on."},
    {"limit.new-series-per-hour-per-pusher", COUNT, 0, AT(max_new_series_an_hour_a_pusher),
     "100000", "N", NULL, "The same for one agent, or for one token where no agent is named."},
    {"limit.labels-per-series", COUNT, 0, AT(max_labels), "64", "N", NULL,
     "Most labels of a series, its name among them; 256 are the most that can be."},
    {"limit.label-name-bytes", COUNT, 0, AT(max_label_name_bytes), "256", "N", NULL,
     "Longest name of a label."},
    {"limit.label-value-bytes", COUNT, 0, AT(max_label_value_bytes), "1024", "N", NULL,
     "Longest value of a label."},
    {"limit.samples-per-body", COUNT, 0, AT(max_body_samples), "100000", "N", NULL,
     "Most samples that one push may bring; larger ones are refused whole."},
    {"limit.body-bytes", SIZE, 0, AT(max_body_bytes), "32MB", "SIZE", NULL,
     "Largest push after decompression."},
    {"limit.wire-body-bytes", SIZE, 0, AT(max_wire_bytes), "32MB", "SIZE", NULL,
     "Largest push as it is sent, compressed; from 256KB to 128MB, which is also the most that all "
     "requests together may hold."},
    {"web.listen-address", LIST, 0, AT(listen), "127.0.0.1:9797", "HOST:PORT", NULL,
     "Where to serve; repeatable."},
    {"web.external-url", TEXT, 0, AT(external_url), "", "URL", NULL,
     "How people reach this alertd: links in pages begin with it, and its host name is "
     "answered to. Without it, the first listen address."},
    {"web.allow-host", LIST, 0, AT(hosts), NULL, "NAME", NULL,
     "Another host name to answer to, besides localhost, IP addresses and the external URL's; "
     "repeatable."},
    {"web.dir", TEXT, 0, AT(web_dir), "", "PATH", NULL,
     "Serve the dashboard from this folder instead of the built-in one, for its development."},
    {"auth.mode", SWITCH, 0, AT(auth_off), "required", NULL, "required|off",
     "off: everybody who reaches a listen address may do everything; refused unless all of "
     "them are loopback."},
    {"rules.import", LIST, 0, AT(rules_import), NULL, "GLOB", NULL,
     "Rule files to load into the database at start; repeatable."},
    {"remote-write.config-file", TEXT, 0, AT(remote_write_file), "", "PATH", NULL,
     "Forward what is received: a YAML file with the remote_write list of prometheus.yml; read at "
     "start. See docs/forwarding.md."},
    {"query.timeout", DURATION, 0, AT(query_timeout_ms), "10s", "DURATION", NULL,
     "Longest time one query may take."},
    {"query.max-samples", COUNT, 0, AT(query_max_samples), "500000000", "N", NULL,
     "Most samples one query may read; what it may hold is bounded by its memory."},
    {"query.max-concurrency", COUNT, 0, AT(query_max_concurrency), "6", "N", NULL,
     "Most queries and other reads answered at once, 128 at most; the others wait their turn. At "
     "least twice as many workers are started, so that a pile of queries never holds up an "
     "acknowledgement."},
    {"query.lookback-delta", DURATION, 0, AT(query_lookback_ms), "5m", "DURATION", NULL,
     "How old a sample may be to still count as a series' present value."},
    {"enable-feature", SWITCH, 0, AT(experimental_functions), "none", NULL,
     "none|promql-experimental-functions",
     "Prometheus' experimental functions that work here: limitk, limit_ratio, mad_over_time, "
     "double_exponential_smoothing, sort_by_label, sort_by_label_desc, first_over_time, info."},
    {"postmortem.remind-to", TEXT, 0, AT(remind_to), "", "RECEIVER", NULL,
     "Remind of what postmortems promised, by the mail and ntfy of this receiver of the config "
     "file: the day before its date, on the day, and every seventh day after."},
    {"paging-drill.policy", TEXT, 0, AT(path_policy), "", "POLICY", NULL,
     "Once a week, page everybody whom this policy would page, by every contact they have, with a "
     "page that is marked as a drill; who does not answer in half an hour could not be reached."},
    {"paging-drill.day", CHOICE, 0, AT(path_weekday), "wednesday", NULL,
     "sunday|monday|tuesday|wednesday|thursday|friday|saturday", "On which day."},
    {"paging-drill.hour", COUNT, 0, AT(path_hour), "10", "HOUR", NULL,
     "At which hour of that day, 1 to 23, by the clock of --report.zone."},
    {"report.weekly-to", TEXT, 0, AT(report_to), "", "RECEIVER", NULL,
     "Send the report of each week to the mail and ntfy of this receiver of the config file."},
    {"report.weekly-day", CHOICE, 0, AT(report_weekday), "monday", NULL,
     "sunday|monday|tuesday|wednesday|thursday|friday|saturday", "On which day."},
    {"report.weekly-hour", COUNT, 0, AT(report_hour), "9", "HOUR", NULL,
     "At which hour of that day, 1 to 23, by the clock of --report.zone."},
    {"report.zone", TEXT, 0, AT(report_zone), "UTC", "ZONE", NULL,
     "Where those who read it live, such as Europe/Berlin: decides its weeks and its nights."},
    {"dead-man.url", TEXT, 0, AT(dead_man_url), "", "URL", NULL,
     "Ask this address while alertd is well, and only then: a service that pages when it hears "
     "nothing, such as healthchecks.io or a heartbeat monitor."},
    {"dead-man.url-file", TEXT, 0, AT(dead_man_url_file), "", "PATH", NULL,
     "The same from a file, which is read again for every ping: the address is a secret, and flags "
     "can be seen by everybody on the machine."},
    {"dead-man.interval", DURATION, 0, AT(dead_man_ms), "1m", "DURATION", NULL,
     "How often. Give the service this and two minutes of grace."},
    {"canary.interval", DURATION, 0, AT(canary_ms), "30s", "DURATION", NULL,
     "How often alertd sends itself a sample the whole way to a receiver. When none has come back "
     "for twice as long, alertd is not well. For tests; leave it."},
    {"drills.path", TEXT, 0, AT(drills_path), "", "PATH", NULL,
     "Folder of incidents to practise on (FILE.drill), with packs of rules in rules/ beside it. Own "
     "ones are in drills/ of the storage folder."},
    {"drills.program", TEXT, 0, AT(drills_program), "", "PATH", NULL,
     "The program a drill is played in. Without it, alert-drill beside alertd."},
    {"drills.max-running", COUNT, 0, AT(drills_max), "20", "N", NULL,
     "Most drills that run at once; each is a process of its own."},
    {"drills.max-per-person", COUNT, 0, AT(drills_max_per_person), "4", "N", NULL,
     "Most drills of one person that are not over."},
    {"drills.pause-after", DURATION, 0, AT(drills_leave_ms), "10m", "DURATION", NULL,
     "A drill that nobody who takes part looked at for so long is paused."},
    {"drills.end-after", DURATION, 0, AT(drills_end_ms), "7d", "DURATION", NULL,
     "A drill that nobody came back to for so long ends by itself."},
    {"log.level", CHOICE, 0, AT(log_level), "info", NULL, "debug|info|warn|error",
     "Nothing less important is written."},
    {"log.format", CHOICE, 0, AT(log_format), "logfmt", NULL, "logfmt|json",
     "One line each, on standard error."},
    {"help", ACTION, SETTINGS_HELP, 0, NULL, NULL, NULL, "Show this and end."},
    {"help-markdown", ACTION, SETTINGS_HELP_MARKDOWN, 0, NULL, NULL, NULL,
     "Show this as a Markdown table and end."},
    {"version", ACTION, SETTINGS_VERSION, 0, NULL, NULL, NULL, "Show the version and end."},
    {"config-markdown", ACTION, SETTINGS_CONFIG_MARKDOWN, 0, NULL, NULL, NULL,
     "Show every key of the config file as Markdown tables and end."},
    {"dump-routes", ACTION, SETTINGS_ROUTES, 0, NULL, NULL, NULL,
     "Show every HTTP route with the scope it needs, as JSON, and end."},
};

enum {
    N_ROWS = sizeof(rows) / sizeof(rows[0])
};

static void *place_of(struct settings *settings, const struct row *row)
{
    return (char *)settings + row->place;
}

/* The index of text among "a|b|c", or -1. */
static int choice_of(const char *choices, const char *text)
{
    size_t len = strlen(text);

    for (int i = 0;; i++) {
        size_t name = strcspn(choices, "|");

        if (name == len && strncmp(choices, text, len) == 0)
            return i;
        if (!choices[name])
            return -1;
        choices += name + 1;
    }
}

static int set_choice(void *place, const struct row *row, const char *text, struct err *reterr)
{
    int chosen = choice_of(row->choices, text);

    if (chosen < 0)
        return err_set(reterr, SETTINGS_E_USAGE, "--%s: expected one of %s, got \"%s\"", row->name,
                       row->choices, text);
    if (row->kind == SWITCH)
        *(bool *)place = chosen != 0;
    else
        *(int *)place = chosen;
    return 0;
}

static int set_count(int64_t *place, const struct row *row, const char *text, struct err *reterr)
{
    char *end = NULL;
    long long value = strtoll(text, &end, 10);

    if (*end || end == text || value < 1)
        return err_set(reterr, SETTINGS_E_USAGE,
                       "--%s: expected a whole number above 0, got \"%s\"", row->name, text);
    *place = value;
    return 0;
}

/* "500MB": units of 1024, as in Prometheus. */
static int set_size(uint64_t *place, const struct row *row, const char *text, struct err *reterr)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB"};
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, 10);
    size_t unit = 0;

    while (unit < sizeof(units) / sizeof(*units) && strcmp(end, units[unit]) != 0)
        unit++;
    bool has_unit = unit < sizeof(units) / sizeof(*units);
    if (end == text || text[0] < '0' || text[0] > '9' || !(has_unit || strcmp(text, "0") == 0) ||
        (has_unit && value > UINT64_MAX >> (10 * unit)))
        return err_set(reterr, SETTINGS_E_USAGE,
                       "--%s: expected a size such as 500MB or 20GB, or 0, got \"%s\"", row->name,
                       text);
    *place = has_unit ? (uint64_t)value << (10 * unit) : 0;
    return 0;
}

static int set_duration(int64_t *place, const struct row *row, const char *text, struct err *reterr)
{
    int64_t value_ms;

    if (duration_parse(text, strlen(text), &value_ms) != 0)
        return err_set(reterr, SETTINGS_E_USAGE,
                       "--%s: expected a duration such as 30s, 5m or 90d, got \"%s\"", row->name,
                       text);
    if (value_ms == 0 && row->place != AT(retention_ms))
        return err_set(reterr, SETTINGS_E_USAGE, "--%s: must be longer than nothing", row->name);
    *place = value_ms;
    return 0;
}

static int add_to_list(struct settings_list *list,
                       const struct row *row,
                       const char *text,
                       struct err *reterr)
{
    if (list->n == SETTINGS_LIST_MAX)
        return err_set(reterr, SETTINGS_E_USAGE, "--%s: at most %d of them", row->name,
                       SETTINGS_LIST_MAX);
    list->at[list->n++] = text;
    return 0;
}

static int set_value(struct settings *settings,
                     const struct row *row,
                     const char *text,
                     struct err *reterr)
{
    void *place = place_of(settings, row);

    switch (row->kind) {
    case TEXT: *(const char **)place = text; return 0;
    case DURATION: return set_duration(place, row, text, reterr);
    case COUNT: return set_count(place, row, text, reterr);
    case SIZE: return set_size(place, row, text, reterr);
    case CHOICE:
    case SWITCH: return set_choice(place, row, text, reterr);
    case LIST: return add_to_list(place, row, text, reterr);
    case ACTION: break;
    }
    UNREACHABLE("an action has no value");
}

static const struct row *find_row(const char *name, size_t len)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (strlen(rows[i].name) == len && strncmp(rows[i].name, name, len) == 0)
            return &rows[i];
    return NULL;
}

/* "--name=value" or "--name value": advances *at past what it took. */
static int parse_flag(struct settings *settings, int argc, char **argv, int *at, struct err *reterr)
{
    const char *flag = argv[*at];
    const char *name = flag + 2;
    size_t len = strcspn(flag, "=") - 2;
    const struct row *row = strncmp(flag, "--", 2) == 0 ? find_row(name, len) : NULL;

    if (!row)
        return err_set(reterr, SETTINGS_E_USAGE, "unknown argument \"%s\": see --help", flag);
    (*at)++;
    if (row->kind == ACTION) {
        if (name[len])
            return err_set(reterr, SETTINGS_E_USAGE, "--%s takes no value", row->name);
        settings->action = (enum settings_action)row->action;
        return 0;
    }
    if (name[len])
        return set_value(settings, row, name + len + 1, reterr);
    if (*at == argc)
        return err_set(reterr, SETTINGS_E_USAGE, "--%s needs a value", row->name);
    return set_value(settings, row, argv[(*at)++], reterr);
}

/* Without the flag at all: its initial value. */
static void fill_in(struct settings *settings)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct row *row = &rows[i];
        const struct settings_list *list = place_of(settings, row);

        if (row->kind == LIST && row->initial && list->n == 0)
            (void)set_value(settings, row, row->initial, NULL);
    }
}

int settings_parse(int argc, char **argv, struct settings *ret_settings, struct err *reterr)
{
    struct settings settings = {0};

    for (size_t i = 0; i < N_ROWS; i++) {
        if (rows[i].initial && rows[i].kind != LIST &&
            set_value(&settings, &rows[i], rows[i].initial, reterr) != 0)
            UNREACHABLE("a setting's initial value is not valid");
    }
    for (int at = 1; at < argc;) {
        int r = parse_flag(&settings, argc, argv, &at, reterr);

        if (r != 0)
            return r;
    }
    fill_in(&settings);
    if (!settings.storage_path[0])
        return err_set(reterr, SETTINGS_E_USAGE, "--storage.path: a folder is needed");
    if (settings.query_max_concurrency > SETTINGS_QUERIES_MAX)
        return err_set(reterr, SETTINGS_E_USAGE, "--query.max-concurrency: at most %d",
                       SETTINGS_QUERIES_MAX);
    if (settings.max_wire_bytes < WIRE_BYTES_MIN || settings.max_wire_bytes > WIRE_BYTES_MAX)
        return err_set(reterr, SETTINGS_E_USAGE, "--limit.wire-body-bytes: from 256KB to 128MB");
    if (settings.dead_man_url[0] && settings.dead_man_url_file[0])
        return err_set(reterr, SETTINGS_E_USAGE,
                       "--dead-man.url-file: not together with --dead-man.url");
    if (settings.path_hour < 1 || settings.path_hour > 23)
        return err_set(reterr, SETTINGS_E_USAGE, "--paging-drill.hour: 1 to 23");
    if (settings.report_hour > 23)
        return err_set(reterr, SETTINGS_E_USAGE, "--report.weekly-hour: 1 to 23");
    *ret_settings = settings;
    return 0;
}

static const char *form_of(const struct row *row)
{
    return row->choices ? row->choices : row->what;
}

void settings_help(struct str *out)
{
    str_add(out,
            "usage: alertd [--flag=value ...]\n\n"
            "Takes samples, evaluates rules, pages, keeps incidents, serves the dashboard.\n\n");
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct row *row = &rows[i];

        str_addf(out, "  --%s%s%s\n      %s\n", row->name, row->kind == ACTION ? "" : "=",
                 row->kind == ACTION ? "" : form_of(row), row->help);
        if (row->initial && row->initial[0])
            str_addf(out, "      (%s)\n", row->initial);
    }
    str_add(out, "\nSignals: HUP reads the config file and the imported rules again; TERM and INT "
                 "stop.\nExit status: 0 stopped, 1 failure, 2 wrong usage, 3 another alertd holds "
                 "the folder,\n4 the database is damaged.\n");
}

void settings_help_markdown(struct str *out)
{
    str_add(out, "| flag | default | what |\n|---|---|---|\n");
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct row *row = &rows[i];

        str_addf(out, "| `--%s", row->name);
        for (const char *c = row->kind == ACTION ? "" : form_of(row); *c; c++) {
            if (c == form_of(row))
                str_addc(out, '=');
            if (*c == '|')
                str_addc(out, '\\');
            str_addc(out, *c);
        }
        str_addf(out, "` | %s%s%s | %s |\n", row->initial && row->initial[0] ? "`" : "",
                 row->initial ? row->initial : "", row->initial && row->initial[0] ? "`" : "",
                 row->help);
    }
}
