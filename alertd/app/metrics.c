/*
 * Own metrics in the text exposition format. ONE table for what the whole daemon counts:
 * everything is read once into a snapshot and then written, row by row. The loops write
 * theirs themselves.
 */

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "alertd/app/parts.h"
#include "alertd/db/postmortem_action_db.h"
#include "alertd/ingest/ingest.h"
#include "lib/base/clock.h"
#include "lib/base/float.h"

struct snapshot {
    struct http_stats http;
    struct db_stats state;
    struct store_stats store;
    struct ingest_stats ingest;
    double resident_bytes, virtual_bytes, cpu_s, open_fds, max_fds, start_s;
};

struct row {
    const char *name, *type, *help;
    double (*read)(const struct snapshot *now);
};

static double http_requests(const struct snapshot *now)
{
    return (double)now->http.requests;
}

static double http_gate(const struct snapshot *now)
{
    return (double)now->http.refused_by_gate;
}

static double http_limit(const struct snapshot *now)
{
    return (double)now->http.refused_by_limit;
}

static double http_unauthorized(const struct snapshot *now)
{
    return (double)now->http.unauthorized;
}

static double http_connections(const struct snapshot *now)
{
    return (double)now->http.connections;
}

static double sse_clients(const struct snapshot *now)
{
    return (double)now->http.sse_clients;
}

static double state_commits(const struct snapshot *now)
{
    return (double)now->state.commits;
}

static double state_commit_s(const struct snapshot *now)
{
    return (double)now->state.commit_us_total / 1e6;
}

static double state_commit_max_s(const struct snapshot *now)
{
    return (double)now->state.commit_us_max / 1e6;
}

static double state_jobs(const struct snapshot *now)
{
    return (double)now->state.jobs;
}

static double state_failed_jobs(const struct snapshot *now)
{
    return (double)now->state.failed_jobs;
}

static double state_wal(const struct snapshot *now)
{
    return (double)now->state.wal_bytes;
}

static double state_file(const struct snapshot *now)
{
    return (double)now->state.file_bytes;
}

static double state_queue(const struct snapshot *now)
{
    return (double)now->state.queue_depth;
}

static double samples_series(const struct snapshot *now)
{
    return (double)now->store.series;
}

static double new_series(const struct snapshot *now)
{
    return (double)now->store.new_series_last_hour;
}

static double store_head(const struct snapshot *now)
{
    return (double)now->store.samples_in_head;
}

static double store_stored(const struct snapshot *now)
{
    return (double)now->store.samples_stored_total;
}

static double store_duplicate(const struct snapshot *now)
{
    return (double)now->store.samples_duplicate_total;
}

static double store_commits(const struct snapshot *now)
{
    return (double)now->store.commits;
}

static double store_partitions(const struct snapshot *now)
{
    return (double)now->store.partitions;
}

static double store_disk(const struct snapshot *now)
{
    return (double)now->store.disk_bytes;
}

static double store_quarantined(const struct snapshot *now)
{
    return (double)now->store.quarantined;
}

static double store_commit_s(const struct snapshot *now)
{
    return (double)now->store.commit_us_total / 1e6;
}

static double process_cpu(const struct snapshot *now)
{
    return now->cpu_s;
}

static double process_resident(const struct snapshot *now)
{
    return now->resident_bytes;
}

static double process_virtual(const struct snapshot *now)
{
    return now->virtual_bytes;
}

static double process_fds(const struct snapshot *now)
{
    return now->open_fds;
}

static double process_max_fds(const struct snapshot *now)
{
    return now->max_fds;
}

static double process_start(const struct snapshot *now)
{
    return now->start_s;
}

static const struct row rows[] = {
    {"alertd_http_received_total", "counter", "Requests whose header arrived.", http_requests},
    {"alertd_http_malformed_total", "counter", "Requests the gate refused.", http_gate},
    {"alertd_http_limited_total", "counter", "Requests and connections refused or cut by a limit.",
     http_limit},
    {"alertd_http_unauthorized_total", "counter", "Requests with no valid token or session.",
     http_unauthorized},
    {"alertd_http_connections", "gauge", "Open connections.", http_connections},
    {"alertd_sse_clients", "gauge", "Open event streams.", sse_clients},
    {"alertd_sqlite_commits_total", "counter", "Commits of state.db, each with a sync.",
     state_commits},
    {"alertd_sqlite_commit_duration_seconds_total", "counter", "Time spent in them.",
     state_commit_s},
    {"alertd_sqlite_commit_duration_seconds_max", "gauge",
     "The longest since these metrics were read last.", state_commit_max_s},
    {"alertd_sqlite_jobs_total", "counter", "Changes to state.db; several share a commit.",
     state_jobs},
    {"alertd_sqlite_failed_jobs_total", "counter", "Changes that failed and were undone.",
     state_failed_jobs},
    {"alertd_sqlite_wal_bytes", "gauge", "Size of state.db's log.", state_wal},
    {"alertd_sqlite_file_bytes", "gauge", "Size of state.db.", state_file},
    {"alertd_sqlite_queue_depth", "gauge", "Changes waiting for their commit.", state_queue},
    {"alertd_series", "gauge", "Series in memory.", samples_series},
    {"alertd_new_series_last_hour", "gauge", "Series that pushes began within the last hour.",
     new_series},
    {"alertd_samples_in_memory", "gauge", "Samples not yet sealed into chunks.", store_head},
    {"alertd_samples_ingested_total", "counter", "Samples stored and synced.", store_stored},
    {"alertd_samples_duplicate_total", "counter", "Samples that were there already.",
     store_duplicate},
    {"alertd_store_commits_total", "counter", "Commits of samples, each with a sync.",
     store_commits},
    {"alertd_store_commit_duration_seconds_total", "counter", "Time spent in them.",
     store_commit_s},
    {"alertd_store_partitions", "gauge", "Days on disk.", store_partitions},
    {"alertd_store_bytes", "gauge", "Size of all days on disk.", store_disk},
    {"alertd_store_quarantined", "gauge", "Days set aside because they are damaged.",
     store_quarantined},
    {"process_cpu_seconds_total", "counter", "CPU time used.", process_cpu},
    {"process_resident_memory_bytes", "gauge", "Memory in RAM.", process_resident},
    {"process_virtual_memory_bytes", "gauge", "Address space in use.", process_virtual},
    {"process_open_fds", "gauge", "Open file descriptors.", process_fds},
    {"process_max_fds", "gauge", "Most file descriptors allowed.", process_max_fds},
    {"process_start_time_seconds", "gauge", "When alertd started, Unix time.", process_start},
};

static double count_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    double n = 0;

    if (!folder)
        return 0;
    while (readdir(folder)) // NOLINT(concurrency-mt-unsafe): the DIR is ours
        n++;
    (void)closedir(folder);
    return n > 3 ? n - 3 : 0; /* ".", "..", and the folder itself */
}

static void read_process(const struct app *app, struct snapshot *now)
{
    struct rlimit limit = {0};
    unsigned long pages = 0;
    unsigned long resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (file) {
        if (fscanf(file, "%lu %lu", &pages, &resident) != 2) // NOLINT(cert-err34-c): kernel's
            pages = resident = 0;
        (void)fclose(file);
    }
    double page_bytes = (double)sysconf(_SC_PAGESIZE);
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    now->virtual_bytes = (double)pages * page_bytes;
    now->resident_bytes = (double)resident * page_bytes;
    now->cpu_s = (double)clock_cpu_us() / 1e6;
    now->open_fds = count_fds();
    now->max_fds = (double)limit.rlim_cur;
    now->start_s = (double)app->api.started_ms / 1e3;
}

static void add_head(struct str *out, const char *name, const char *type, const char *help)
{
    str_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_value(struct str *out, double value)
{
    char text[FLOAT_TEXT_MAX];

    (void)float_plain(value, text);
    str_addf(out, " %s\n", text);
}

static void add_rejected(struct str *out,
                         const struct store_stats *stats,
                         const struct ingest_stats *ingest)
{
    const struct {
        const char *reason;
        uint64_t n;
    } lines[] = {
        {"too_old", stats->rejected_too_old},
        {"too_new", stats->rejected_too_new},
        {"series_limit", stats->rejected_series_limit},
        {"new_series_limit", stats->rejected_new_series_limit},
        {"invalid", stats->rejected_invalid},
        {"labels_limit", ingest->samples_refused[INGEST_TOO_MANY_LABELS]},
        {"label_name_limit", ingest->samples_refused[INGEST_LONG_NAME]},
        {"label_value_limit", ingest->samples_refused[INGEST_LONG_VALUE]},
        {"labels", ingest->samples_refused[INGEST_WRONG_LABELS]},
    };

    add_head(out, "alertd_samples_rejected_total", "counter", "Samples not taken, by reason.");
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        str_addf(out, "alertd_samples_rejected_total{reason=\"%s\"}", lines[i].reason);
        add_value(out, (double)lines[i].n);
    }
}

/* One line for each class of status of each route that was ever asked for. */
static void add_routes(struct str *out, struct http_server *server)
{
    static const char *const classes[] = {"cut", "1xx", "2xx", "3xx", "4xx", "5xx"};
    struct http_route_stats stats;

    add_head(out, "alertd_http_requests_total", "counter", "Answers, by route and status.");
    for (size_t i = 0; http_server_route_stats(server, i, &stats); i++) {
        for (int status = 0; status < 6; status++) {
            if (!stats.by_class[status])
                continue;
            str_addf(out, "alertd_http_requests_total{handler=\"%s\",method=\"%s\",code=\"%s\"}",
                     stats.pattern, stats.method, classes[status]);
            add_value(out, (double)stats.by_class[status]);
        }
    }
    add_head(out, "alertd_http_request_duration_seconds_total", "counter",
             "Time from request line to the end of the answer, by route.");
    for (size_t i = 0; http_server_route_stats(server, i, &stats); i++) {
        if (!stats.duration_us)
            continue;
        str_addf(out, "alertd_http_request_duration_seconds_total{handler=\"%s\",method=\"%s\"}",
                 stats.pattern, stats.method);
        add_value(out, (double)stats.duration_us / 1e6);
    }
}

/* What was promised in postmortems, so that rules can page when it is overdue. */
static void add_actions(struct str *out, const struct app *app)
{
    struct action_count counts[ACTION_COUNTS];
    struct db_conn *conn = NULL;

    if (db_read_begin(app->api.state, &conn, NULL))
        return;
    int r = action_db_count(conn, clock_wall_ms(), counts, NULL);

    db_read_end(app->api.state, conn);
    if (r)
        return;
    add_head(out, "alertd_postmortem_actions", "gauge", "Actions of postmortems, by state.");
    for (int i = 0; i < ACTION_COUNTS; i++)
        for (int overdue = 0; overdue < 2; overdue++) {
            str_addf(out, "alertd_postmortem_actions{state=\"%s\",overdue=\"%s\"}", counts[i].state,
                     overdue ? "true" : "false");
            add_value(out, (double)(overdue ? counts[i].overdue : counts[i].in_time));
        }
}

void app_render_metrics(void *arg, struct str *out)
{
    struct app *app = arg;
    struct snapshot now = {0};

    http_server_stats(app->server, &now.http);
    db_stats(app->api.state, &now.state);
    store_stats(app->api.store, &now.store);
    ingest_stats(app->api.ingest, &now.ingest);
    read_process(app, &now);

    add_head(out, "alertd_build_info", "gauge", "Always 1; its labels say which build this is.");
    str_addf(out, "alertd_build_info{version=\"%s\"} 1\n", ALERTD_VERSION);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        add_head(out, rows[i].name, rows[i].type, rows[i].help);
        str_add(out, rows[i].name);
        add_value(out, rows[i].read(&now));
    }
    add_rejected(out, &now.store, &now.ingest);
    add_routes(out, app->server);
    add_actions(out, app);
    loop_eval_metrics(app->eval, out);
    loop_keep_metrics(&app->api, out);
    boot_play_metrics(app, out);
    loop_notify_metrics(app->notify, out);
    app_alertmanager_metrics(app, out);
    loop_watch_metrics(app->watch, out);
    forward_metrics(app->forward, out);
}
