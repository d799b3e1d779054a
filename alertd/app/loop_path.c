/*
 * Paging-path drills. See loop_path.h.
 */

#include "alertd/app/loop_path.h"

#include <errno.h>
#include <stdlib.h>

#include "alertd/api/paging_drill.h"
#include "alertd/incident/report.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/rounds.h"
#include "lib/model/zone.h"

enum {
    LOOK_MS = 5000,
    GRACE_MS = 10 * 60 * 1000, /* behind its hour: later it is none */
};

struct loop_path {
    struct loop_path_options options;
    struct zone *zone;    /* NULL: none begins by itself */
    struct rounds rounds; /* woken: a drill was begun by hand */
};

static void begin_if_due(struct loop_path *loop)
{
    const struct loop_path_options *options = &loop->options;
    int64_t now_ms = clock_wall_ms();
    int64_t due_ms = loop->zone
                         ? report_weekly_due(loop->zone, options->weekday, options->hour, now_ms)
                         : 0;
    struct err err = {0};
    int64_t id = 0;

    if (!loop->zone || now_ms - due_ms > GRACE_MS ||
        paging_drill_last(options->api, options->policy) >= due_ms)
        return;
    if (paging_drill_begin(options->api, options->policy, "alertd", PAGING_DRILL_WITHIN_MS, &id,
                           &err))
        log_error(options->log, "paging_drill", "the weekly drill could not begin",
                  "policy=\"%s\" error=\"%s\"", options->policy, err.text);
}

static void *run(void *arg)
{
    struct loop_path *loop = arg;
    int64_t wait_ms;

    do {
        begin_if_due(loop);
        wait_ms = paging_drill_step(loop->options.api, loop->options.log) ? 0 : LOOK_MS;
    } while (!rounds_rest(&loop->rounds, wait_ms, NULL));
    return NULL;
}

static void drop(struct loop_path *loop)
{
    zone_free(loop->zone);
    free(loop);
}

int loop_path_start(const struct loop_path_options *options,
                    struct loop_path **ret_loop,
                    struct err *reterr)
{
    struct zone *zone = NULL;
    struct err err = {0};

    if (options->policy[0] && zone_open(options->zone, &zone, &err))
        return err_set(reterr, -EINVAL, "--report.zone: %s", err.text);
    struct loop_path *loop = mem_zalloc(sizeof(*loop));

    *loop = (struct loop_path){.options = *options, .zone = zone};
    int r = rounds_start(&loop->rounds, "paging drills", run, loop, reterr);

    if (r) {
        drop(loop);
        return r;
    }
    *ret_loop = loop;
    return 0;
}

void loop_path_wake(struct loop_path *loop)
{
    if (loop)
        rounds_wake(&loop->rounds);
}

void loop_path_stop(struct loop_path *loop)
{
    if (!loop)
        return;
    rounds_stop(&loop->rounds);
    drop(loop);
}
