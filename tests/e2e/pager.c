/*
 * alertd's paging without the rest: state.db, the notifier and its receivers, with alert
 * events read from standard input instead of rules. For tests that kill it a hundred times
 * in a minute and hang every kind of receiver.
 *
 *     pager STORAGE CONFIG
 *     fire NAME INSTANCE SEVERITY    "ok" once it is committed
 *     end NAME INSTANCE
 *     ack INC-2026-0001
 */

#include "alertd/pager/pager.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alertd/app/loop_notify.h"
#include "alertd/db/incident_db.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"

enum {
    LINE_MAX_BYTES = 1024,
    N_WORDS = 4,
};

struct program {
    struct db *db;
    const struct route_config *config;
    struct pager *pager;
    struct loop_notify *loop;
};

struct order {
    struct program *program;
    char *words[N_WORDS];
};

/* --- the rule of all alerts, and its alerts as rows: what an evaluation stores --- */

static int job_rule(struct db_conn *conn, void *arg, struct err *reterr)
{
    int r = db_run(db_prepare(conn, "INSERT OR IGNORE INTO rule_group (id, source, name, position,"
                                    " is_live, interval_ms) VALUES (1, 'x.yml', 'x', 0, 1, 1000)"),
                   reterr);

    if (r)
        return r;
    return db_run(db_prepare(conn, "INSERT OR IGNORE INTO rule (id, group_id, type, name, ordinal,"
                                   " position, is_live, version, expr, for_ms, keep_firing_for_ms,"
                                   " labels, annotations) VALUES (1, 1, 'alerting', 'Down', 0, 0,"
                                   " 1, 1, 'up == 0', 0, 0, '{}', '{}')"),
                  reterr);
}

static const struct alert_entry *find(const struct alert_set *set, const struct order *order)
{
    for (size_t i = 0; i < set->n; i++) {
        const char *name = labels_get(set->at[i].labels, "alertname");
        const char *instance = labels_get(set->at[i].labels, "instance");

        if (name && instance && strcmp(name, order->words[1]) == 0 &&
            strcmp(instance, order->words[2]) == 0)
            return &set->at[i];
    }
    return NULL;
}

static struct alert_event event_of(const struct alert_entry *entry, int64_t now_ms)
{
    bool fires = entry->alert.state == ALERT_FIRING;

    return (struct alert_event){
        .kind = fires ? ALERT_EVENT_FIRING : ALERT_EVENT_RESOLVED,
        .at_ms = now_ms,
        .rule_id = 1,
        .rule_name = labels_get(entry->labels, "alertname"),
        .group_name = "test",
        .expr = "up == 0",
        .fingerprint = entry->labels->hash,
        .labels = entry->labels,
        .annotations = entry->annotations,
        .active_at_ms = entry->alert.active_at_ms,
        .fired_at_ms = entry->alert.fired_at_ms,
        .resolved_at_ms = fires ? 0 : now_ms,
    };
}

/* What one evaluation does with one alert that changed. */
static int evaluate(struct db_conn *conn,
                    const struct order *order,
                    const struct alert_entry *entry,
                    struct err *reterr)
{
    int64_t now_ms = clock_wall_ms();
    const struct alert_event event = event_of(entry, now_ms);
    struct pager_outcome outcome;
    struct alert_set before = {0};
    struct alert_set after = {0};
    int r = alert_db_load(conn, 1, &before, reterr);

    for (size_t i = 0; r == 0 && i < before.n; i++)
        alert_set_add(&after, &before.at[i]);
    alert_set_add(&after, entry);
    if (r == 0)
        r = alert_db_save(conn, 1, &before, &after, reterr);
    if (r == 0)
        r = pager_apply(order->program->pager, conn, &event, 1, now_ms, &outcome, reterr);
    alert_set_done(&before);
    alert_set_done(&after);
    return r;
}

static int job_fire(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct order *order = arg;
    int64_t now_ms = clock_wall_ms();
    const struct label pairs[] = {{"alertname", order->words[1]},
                                  {"instance", order->words[2]},
                                  {"severity", order->words[3] ? order->words[3] : ""}};
    const struct alert_entry entry = {
        .alert = {.state = ALERT_FIRING,
                  .active_at_ms = now_ms,
                  .fired_at_ms = now_ms,
                  .keep_firing_since_ms = ALERT_NEVER,
                  .no_data_since_ms = ALERT_NEVER,
                  .resolved_at_ms = ALERT_NEVER},
        .labels = labels_new(pairs, 3),
        .annotations = labels_empty(),
    };
    int r = evaluate(conn, order, &entry, reterr);

    labels_unref(entry.labels);
    return r;
}

static int job_end(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct alert_set alerts = {0};
    int r = alert_db_load(conn, 1, &alerts, reterr);
    const struct alert_entry *found = r == 0 ? find(&alerts, arg) : NULL;

    if (found && found->alert.state == ALERT_FIRING) {
        struct alert_entry over = *found;

        over.alert.state = ALERT_INACTIVE;
        over.alert.resolved_at_ms = clock_wall_ms();
        r = evaluate(conn, arg, &over, reterr);
    }
    alert_set_done(&alerts);
    return r;
}

static int job_ack(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct order *order = arg;
    const struct incident_deed deed = {
        .key = order->words[1], .actor = "test", .now_ms = clock_wall_ms()};
    bool changed;

    return incident_db_ack(conn, &deed, &changed, reterr);
}

static db_job *job_of(const char *verb)
{
    if (strcmp(verb, "ack") == 0)
        return job_ack;
    return strcmp(verb, "fire") == 0 ? job_fire : job_end;
}

static void obey(struct program *program, char *line)
{
    struct order order = {.program = program};
    struct err err = {0};
    char *rest = line;

    for (size_t i = 0; i < N_WORDS; i++)
        order.words[i] = strsep(&rest, " \n");
    int r = db_write(program->db, job_of(order.words[0]), &order, &err);
    loop_notify_wake(program->loop);
    (void)printf("%s\n", r ? err.text : "ok");
    (void)fflush(stdout);
}

static int open_config(const char *path, const struct route_config **ret, struct err *reterr)
{
    char *text = NULL;
    size_t len = 0;
    int r = fs_read(path, ROUTE_CONFIG_BYTES_MAX, &text, &len, reterr);

    if (r == 0)
        r = route_config_parse(text, len, NULL, NULL, NULL, ret, reterr);
    if (r == 0)
        r = route_config_read_templates(*ret, fs_each, reterr);
    free(text);
    return r;
}

static int start(struct program *program,
                 const char *storage,
                 const char *config,
                 const struct log *log)
{
    STR_AUTO struct str path = STR_INIT(4096);
    struct err err = {0};

    str_addf(&path, "%s/state.db", storage);

    const struct db_options options = {.path = str_text(&path),
                                       .application_id = DB_STATE_APPLICATION_ID,
                                       .migrations = db_state_migrations,
                                       .n_migrations = db_n_state_migrations};
    int r = open_config(config, &program->config, &err);

    if (r == 0)
        r = db_open(&options, &program->db, &err);
    if (r == 0)
        program->pager = pager_new(program->db, program->config, log);
    if (r == 0)
        r = db_write(program->db, job_rule, NULL, &err);
    if (r == 0)
        r = loop_notify_start(&(struct loop_notify_options){.state = program->db,
                                                            .pager = program->pager,
                                                            .config = program->config,
                                                            .log = log,
                                                            .external_url = "http://pager.test",
                                                            .storage_path = storage,
                                                            .now_wall_ms = clock_wall_ms},
                              &program->loop, &err);
    if (r)
        (void)fprintf(stderr, "pager: %u:%u: %s\n", err.line, err.column, err.text);
    return r;
}

int main(int argc, char **argv)
{
    const struct log log = {STDERR_FILENO, LOG_INFO, LOG_LOGFMT};
    struct program program = {0};
    char line[LINE_MAX_BYTES];

    if (argc != 3)
        return 2;
    int r = start(&program, argv[1], argv[2], &log);
    if (r == 0)
        (void)puts("ready");
    (void)fflush(stdout);
    while (r == 0 && fgets(line, sizeof(line), stdin))
        obey(&program, line);
    loop_notify_stop(program.loop);
    pager_free(program.pager);
    db_close(program.db);
    route_config_unref(program.config);
    return r ? 1 : 0;
}
