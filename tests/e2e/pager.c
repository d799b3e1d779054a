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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alertd/app/loop_notify.h"
#include "alertd/db/incident_db.h"
#include "alertd/db/page_db.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"

enum {
    LINE_MAX_BYTES = 1024,
    N_WORDS = 4,
};

struct pager {
    struct db *db;
    const struct route_config *config;
    struct loop_notify *loop;
};

struct order {
    struct pager *pager;
    char *words[N_WORDS];
};

static int job_event(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct order *order = arg;
    bool fires = strcmp(order->words[0], "fire") == 0;
    int64_t now_ms = clock_wall_ms();
    const struct label pairs[] = {{"alertname", order->words[1]}, {"instance", order->words[2]}};
    const struct label told[] = {{"severity", fires ? order->words[3] : ""}};
    const struct labels *identity = labels_new(pairs, 2);
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    struct page_outcome outcome;

    labels_builder_add_all(&builder, identity);
    labels_builder_set(&builder, told[0].name, told[0].value);
    const struct labels *labels = labels_builder_finish(&builder);
    const struct alert_event event = {
        .kind = fires ? ALERT_EVENT_FIRING : ALERT_EVENT_RESOLVED,
        .at_ms = now_ms,
        .rule_id = 1,
        .rule_name = order->words[1],
        .group_name = "test",
        .expr = "up == 0",
        .fingerprint = identity->hash,
        .labels = labels,
        .annotations = labels_empty(),
        .active_at_ms = now_ms,
        .fired_at_ms = now_ms,
        .resolved_at_ms = fires ? 0 : now_ms,
    };
    int r = page_db_apply(conn, order->pager->config, &event, 1, now_ms, &outcome, reterr);

    labels_unref(labels);
    labels_unref(identity);
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

static void obey(struct pager *pager, char *line)
{
    struct order order = {.pager = pager};
    struct err err = {0};
    char *rest = line;

    for (size_t i = 0; i < N_WORDS; i++)
        order.words[i] = strsep(&rest, " \n");
    bool is_ack = strcmp(order.words[0], "ack") == 0;
    int r = db_write(pager->db, is_ack ? job_ack : job_event, &order, &err);
    loop_notify_wake(pager->loop);
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
    free(text);
    return r;
}

static int start(struct pager *pager,
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
    int r = open_config(config, &pager->config, &err);

    if (r == 0)
        r = db_open(&options, &pager->db, &err);
    if (r == 0)
        r = loop_notify_start(&(struct loop_notify_options){.state = pager->db,
                                                            .config = pager->config,
                                                            .log = log,
                                                            .external_url = "http://pager.test",
                                                            .storage_path = storage,
                                                            .now_wall_ms = clock_wall_ms},
                              &pager->loop, &err);
    if (r)
        (void)fprintf(stderr, "pager: %u:%u: %s\n", err.line, err.column, err.text);
    return r;
}

int main(int argc, char **argv)
{
    const struct log log = {STDERR_FILENO, LOG_INFO, LOG_LOGFMT};
    struct pager pager = {0};
    char line[LINE_MAX_BYTES];

    if (argc != 3)
        return 2;
    int r = start(&pager, argv[1], argv[2], &log);
    if (r == 0)
        (void)puts("ready");
    (void)fflush(stdout);
    while (r == 0 && fgets(line, sizeof(line), stdin))
        obey(&pager, line);
    loop_notify_stop(pager.loop);
    db_close(pager.db);
    route_config_unref(pager.config);
    return r ? 1 : 0;
}
