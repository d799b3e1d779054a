/*
 * What was received goes on to other servers. See forward.h.
 */

#include "alertd/forward/forward.h"

#include <errno.h>
#include <stdlib.h>

#include "alertd/forward/target.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"

enum {
    PATH_BYTES_MAX = 4096,
    LATE_MS = 300000,     /* a target that has failed as long is worth a word to everybody */
    DROPPED_MS = 3600000, /* and one for which samples were dropped within */
};

struct forward {
    struct store *store;
    struct forward_configs configs;
    struct target **targets; /* each on the heap: an abandoned one outlives the rest */
    size_t n;
    bool is_started;
};

/* The least of all targets' saved places is what the store holds from. */
static void hold(void *arg)
{
    struct forward *forward = arg;
    size_t n;
    struct store_outbound_day *days = store_outbound_days(forward->store, &n);

    for (size_t i = 0; i < n; i++)
        days[i].last_row = INT64_MAX;
    for (size_t t = 0; t < forward->n; t++) {
        struct target *target = forward->targets[t];

        (void)pthread_mutex_lock(&target->lock);
        for (size_t i = 0; i < n; i++) {
            const struct cursor_day *at = cursor_find(&target->saved, days[i].day_ms);
            int64_t row = at ? at->row : 0;

            if (row < days[i].last_row)
                days[i].last_row = row;
        }
        (void)pthread_mutex_unlock(&target->lock);
    }
    for (size_t i = 0; i < n; i++)
        store_outbound_hold(forward->store, &days[i]);
    free(days);
}

static struct target *add_target(struct forward *forward,
                                 const struct forward_options *options,
                                 const struct forward_config *config)
{
    struct target *target = mem_zalloc(sizeof(*target));
    struct str path = STR_INIT(PATH_BYTES_MAX);

    str_addf(&path, "%s/%s.cursor", options->folder, config->name);
    target->config = config;
    target->store = options->store;
    target->log = *options->log;
    target->path = str_take(&path);
    target->has_saved = hold;
    target->arg = forward;
    forward->targets[forward->n++] = target;
    return target;
}

static int start_all(struct forward *forward, struct err *reterr)
{
    hold(forward);
    for (size_t i = 0; i < forward->n; i++) {
        int r = target_start(forward->targets[i], reterr);
        if (r == 0)
            continue;
        while (i-- > 0)
            (void)target_stop(forward->targets[i]);
        return r;
    }
    forward->is_started = true;
    return 0;
}

int forward_start(const struct forward_options *options,
                  struct forward_configs *configs,
                  struct forward **ret_forward,
                  struct err *reterr)
{
    struct forward *forward = mem_zalloc(sizeof(*forward));

    forward->store = options->store;
    forward->configs = *configs;
    *configs = (struct forward_configs){0};
    forward->targets = mem_zalloc((forward->configs.n + 1) * sizeof(struct target *));
    int r = fs_make_folders(options->folder, reterr);
    for (size_t i = 0; i < forward->configs.n && r == 0; i++)
        r = target_init(add_target(forward, options, &forward->configs.at[i]), reterr);
    if (r == 0)
        r = start_all(forward, reterr);
    if (r != 0) {
        forward_stop(forward);
        return r;
    }
    for (size_t i = 0; i < forward->n; i++)
        log_info(options->log, "forward", "forwarding", "target=%s", forward->configs.at[i].name);
    *ret_forward = forward;
    return 0;
}

void forward_stop(struct forward *forward)
{
    bool all_ended = true;

    if (!forward)
        return;
    for (size_t i = 0; i < forward->n; i++) /* all of them at once */
        atomic_store(&forward->targets[i]->is_stopping, true);
    for (size_t i = 0; i < forward->n && forward->is_started; i++)
        forward->targets[i]->has_ended = target_stop(forward->targets[i]);
    for (size_t i = 0; i < forward->n; i++) {
        if (forward->is_started && !forward->targets[i]->has_ended) {
            all_ended = false; /* it looks at its config until its request ends */
            continue;
        }
        target_done(forward->targets[i]);
        free(forward->targets[i]);
    }
    if (all_ended)
        forward_configs_done(&forward->configs);
    free(forward->targets);
    free(forward);
}

size_t forward_n_targets(const struct forward *forward)
{
    return forward ? forward->n : 0;
}

static struct target_view view_of(struct target *target)
{
    (void)pthread_mutex_lock(&target->lock);
    struct target_view view = target->view;
    (void)pthread_mutex_unlock(&target->lock);
    return view;
}

bool forward_trouble(struct forward *forward, size_t i, struct str *out)
{
    struct target_view view = view_of(forward->targets[i]);
    const char *name = forward->configs.at[i].name;
    int64_t now_ms = clock_wall_ms();
    bool is_late = view.failing_ms != 0 && now_ms - view.failing_ms > LATE_MS;
    bool has_dropped = view.dropped_at_ms != 0 && now_ms - view.dropped_at_ms < DROPPED_MS;

    if (is_late)
        str_addf(out, "Forwarding to %s fails; %llu samples wait (%s).", name,
                 (unsigned long long)view.queue.samples, view.last_error);
    if (has_dropped)
        str_addf(out, "%sSamples for %s were dropped within the last hour%s%s%s.",
                 is_late ? " " : "", name, view.last_error[0] ? " (" : "", view.last_error,
                 view.last_error[0] ? ")" : "");
    return is_late || has_dropped;
}

/* --- metrics --- */

static double age_s(const struct target_view *view)
{
    int64_t age_ms = view->oldest_ms == 0 ? 0 : clock_wall_ms() - view->oldest_ms;

    return age_ms > 0 ? (double)age_ms / 1000 : 0;
}

static double queue_bytes(const struct target_view *view)
{
    return (double)view->queue.bytes;
}

static double queue_samples(const struct target_view *view)
{
    return (double)view->queue.samples;
}

static double is_failing(const struct target_view *view)
{
    return view->failing_ms != 0;
}

static double sent(const struct target_view *view)
{
    return (double)view->send.sent;
}

static double filtered(const struct target_view *view)
{
    return (double)view->queue.filtered;
}

static double requests(const struct target_view *view)
{
    return (double)view->send.requests;
}

static double failed(const struct target_view *view)
{
    return (double)view->send.failed;
}

static double sent_bytes(const struct target_view *view)
{
    return (double)view->send.bytes;
}

static double dropped_full(const struct target_view *view)
{
    return (double)view->queue.dropped_full;
}

static double dropped_retention(const struct target_view *view)
{
    return (double)view->queue.dropped_retention;
}

static double dropped_order(const struct target_view *view)
{
    return (double)view->send.dropped_out_of_order;
}

static double dropped_refused(const struct target_view *view)
{
    return (double)view->send.dropped_refused;
}

static double damaged_rows(const struct target_view *view)
{
    return (double)view->queue.dropped_damaged;
}

#define DROPPED "alertd_forward_dropped_samples_total"

static const struct row {
    const char *name, *type, *help, *reason;
    double (*read)(const struct target_view *view);
} rows[] = {
    {"alertd_forward_queue_bytes", "gauge", "Journal bytes that wait for the target.", NULL,
     queue_bytes},
    {"alertd_forward_queue_samples", "gauge", "Samples that wait for the target.", NULL,
     queue_samples},
    {"alertd_forward_oldest_age_seconds", "gauge", "How old the oldest sample at hand is; 0: none.",
     NULL, age_s},
    {"alertd_forward_failing", "gauge", "1: the last attempt failed and is made again.", NULL,
     is_failing},
    {"alertd_forward_sent_samples_total", "counter", "Samples the target took.", NULL, sent},
    {"alertd_forward_filtered_samples_total", "counter",
     "Samples that write_relabel_configs kept back.", NULL, filtered},
    {"alertd_forward_requests_total", "counter", "Requests to the target.", NULL, requests},
    {"alertd_forward_failed_requests_total", "counter", "Attempts that failed and are made again.",
     NULL, failed},
    {"alertd_forward_bytes_total", "counter", "Bytes of bodies sent.", NULL, sent_bytes},
    {"alertd_forward_damaged_rows_total", "counter", "Journal rows that could not be read.", NULL,
     damaged_rows},
    {DROPPED, "counter", "Samples the target will not get, by reason.", "full", dropped_full},
    {DROPPED, NULL, NULL, "retention", dropped_retention},
    {DROPPED, NULL, NULL, "out_of_order", dropped_order},
    {DROPPED, NULL, NULL, "refused", dropped_refused},
};

void forward_metrics(struct forward *forward, struct str *out)
{
    if (!forward)
        return;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct row *row = &rows[i];

        if (row->type)
            str_addf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
                     row->type);
        for (size_t t = 0; t < forward->n; t++) {
            struct target_view view = view_of(forward->targets[t]);

            str_addf(out, "%s{target=\"%s\"%s%s%s} %.17g\n", row->name, forward->configs.at[t].name,
                     row->reason ? ",reason=\"" : "", row->reason ? row->reason : "",
                     row->reason ? "\"" : "", row->read(&view));
        }
    }
}
