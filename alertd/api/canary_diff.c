/*
 * What a candidate would have changed. See canary_diff.h.
 */

#include "alertd/api/canary_diff.h"

#include <stdlib.h>

#include "lib/base/mem.h"

enum {
    READ_BYTES_MAX = 64 << 20,
    LIST_BYTES_MAX = 32 << 20,
};

static int read_alerts(struct db_conn *conn,
                       const struct trial_row *trial,
                       int64_t from_ms,
                       int64_t to_ms,
                       struct canary_diff *canary,
                       struct err *reterr)
{
    struct trial_alert *alerts = NULL;
    size_t n = 0;
    int r = trial_db_alerts(conn, trial->rule_id, from_ms, &canary->arena, &alerts, &n, reterr);

    for (int side = 0; side < 2; side++)
        canary->alerts[side] = mem_alloc((n + 1) * sizeof(struct pages_alert));
    for (size_t i = 0; r == 0 && i < n; i++) {
        int side = alerts[i].is_candidate;

        if (alerts[i].fired_ms > to_ms)
            continue;
        canary->alerts[side][canary->n_alerts[side]++] = (struct pages_alert){
            .labels = labels_new(alerts[i].labels->at, alerts[i].labels->n),
            .fired_ms = alerts[i].fired_ms,
            .resolved_ms = alerts[i].resolved_ms ? alerts[i].resolved_ms : INT64_MAX,
            .counts = true,
        };
    }
    return r;
}

int canary_diff_make(struct db *state,
                     const struct route_config *config,
                     const struct trial_row *trial,
                     int64_t from_ms,
                     int64_t to_ms,
                     struct canary_diff *ret,
                     struct err *reterr)
{
    struct db_conn *conn = NULL;

    *ret = (struct canary_diff){0};
    arena_init(&ret->arena, READ_BYTES_MAX);
    from_ms = from_ms < trial->began_ms ? trial->began_ms : from_ms;
    int r = db_read_begin(state, &conn, reterr);
    if (r)
        return r;
    r = read_alerts(conn, trial, from_ms, to_ms, ret, reterr);
    db_read_end(state, conn);
    ret->has_world = r == 0;
    if (r == 0)
        r = pages_world_load(state, config, from_ms, to_ms, &ret->world, reterr);
    for (int side = 0; r == 0 && side < 2; side++) {
        r = pages_run(&ret->world.plan, ret->alerts[side], ret->n_alerts[side], &ret->pages[side],
                      reterr);
        ret->sides[side] = (struct diff_side){&ret->pages[side], ret->alerts[side]};
    }
    if (r == 0)
        ret->diff = diff_make(&ret->sides[0], &ret->sides[1], NULL, 0);
    return r;
}

void canary_diff_done(struct canary_diff *canary)
{
    diff_done(&canary->diff);
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < canary->n_alerts[side]; i++)
            labels_unref(canary->alerts[side][i].labels);
        free(canary->alerts[side]);
        pages_done(&canary->pages[side]);
    }
    if (canary->has_world)
        pages_world_done(&canary->world);
    arena_reset(&canary->arena);
}

static void add_line(const struct trial_row *trial,
                     const struct canary_diff *canary,
                     struct str *out)
{
    const size_t *counts = canary->diff.counts;

    str_addf(out, "  %s: %zu pages, its canary %zu (%zu kept, %zu moved, %zu gained, %zu lost)",
             trial->rule, canary->pages[0].n, canary->pages[1].n, counts[DIFF_KEPT],
             counts[DIFF_MOVED], counts[DIFF_GAINED], counts[DIFF_LOST]);
    if (trial->last_error)
        str_addf(out, "; it fails: %.200s", trial->last_error);
    str_addc(out, '\n');
}

int canary_diff_weekly(struct db *state,
                       const struct route_config *config,
                       int64_t from_ms,
                       int64_t to_ms,
                       struct str *out,
                       struct err *reterr)
{
    struct trial_row *trials = NULL;
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    arena_init(&arena, LIST_BYTES_MAX);
    int r = db_read_begin(state, &conn, reterr);
    if (r)
        return r;
    r = trial_db_list(conn, &arena, &trials, &n, reterr);
    db_read_end(state, conn);
    for (size_t i = 0, shown = 0; r == 0 && i < n; i++) {
        struct canary_diff canary;

        if (trials[i].began_ms >= to_ms)
            continue;
        r = canary_diff_make(state, config, &trials[i], from_ms, to_ms, &canary, reterr);
        if (r == 0 && shown++ == 0)
            str_add(out, "\nCanaries, candidates that ran silently beside their rules:\n");
        if (r == 0)
            add_line(&trials[i], &canary, out);
        canary_diff_done(&canary);
    }
    return r;
}
