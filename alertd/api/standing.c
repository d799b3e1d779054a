/*
 * What fires and who is told. See standing.h.
 */

#include "alertd/api/standing.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/db/silence_db.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    STANDING_BYTES_MAX = 512 * 1024 * 1024,
    SILENCED_BY_MAX = 64,
};

/* --- one alert --- */

static bool find_routes(struct standing *standing, struct standing_view *view)
{
    struct route_walk walk;

    route_walk(standing->config, view->row->labels, &walk);
    view->nodes = arena_array(&standing->arena, walk.n, sizeof(view->nodes[0]));
    if (!view->nodes)
        return false;
    memcpy(view->nodes, walk.at, walk.n * sizeof(view->nodes[0]));
    view->n_nodes = walk.n;
    return true;
}

static bool find_silences(struct standing *standing,
                          struct standing_view *view,
                          const struct silences *silences)
{
    const struct silence *found[SILENCED_BY_MAX];
    size_t n = silences_find(silences, view->row->labels, standing->now_ms, found, SILENCED_BY_MAX);

    if (n > SILENCED_BY_MAX)
        n = SILENCED_BY_MAX;
    view->silenced_by = arena_array(&standing->arena, n + 1, sizeof(view->silenced_by[0]));
    if (!view->silenced_by)
        return false;
    memcpy(view->silenced_by, found, n * sizeof(found[0]));
    view->n_silenced_by = n;
    return true;
}

static void find_inhibition(const struct standing *standing,
                            struct standing_view *view,
                            const struct inhibitor *inhibitor)
{
    struct inhibition found = inhibitor_check(inhibitor, view->row->labels, standing->now_ms);

    if (!found.source)
        return;
    (void)fingerprint_text(found.source, view->inhibited_by);
    view->inhibit_rule = found.rule->name;
}

/* --- all of them --- */

static int by_end(const void *left, const void *right)
{
    const struct standing_alert *a = *(const struct standing_alert *const *)left;
    const struct standing_alert *b = *(const struct standing_alert *const *)right;

    return (a->ends_ms > b->ends_ms) - (a->ends_ms < b->ends_ms);
}

/* All fire now, whatever their rows say of their end. Of several that inhibit, the last one
 * put is named: the one that lasts longest, as in Alertmanager. */
static void put_sources(const struct standing *standing,
                        const struct standing_alert *rows,
                        struct inhibitor *inhibitor)
{
    size_t n = standing->n;
    MEM_AUTO const struct standing_alert **order = mem_alloc((n + 1) * sizeof(*order));

    for (size_t i = 0; i < n; i++)
        order[i] = &rows[i];
    if (n > 0)
        qsort(order, n, sizeof(*order), by_end);
    for (size_t i = 0; i < n; i++)
        inhibitor_put(inhibitor, order[i]->labels, INT64_MAX);
}

static int by_fingerprint(const void *left, const void *right)
{
    const struct standing_view *a = left;
    const struct standing_view *b = right;

    return strcmp(a->fingerprint, b->fingerprint);
}

static bool view_all(struct standing *standing,
                     const struct standing_alert *rows,
                     const struct silences *silences)
{
    struct inhibitor *inhibitor = inhibitor_new(standing->config);
    bool fits = true;

    put_sources(standing, rows, inhibitor);
    for (size_t i = 0; fits && i < standing->n; i++) {
        struct standing_view *view = &standing->at[i];

        view->row = &rows[i];
        (void)fingerprint_text(rows[i].labels, view->fingerprint);
        fits = find_routes(standing, view) && find_silences(standing, view, silences);
        find_inhibition(standing, view, inhibitor);
    }
    inhibitor_free(inhibitor);
    if (fits && standing->n > 0)
        qsort(standing->at, standing->n, sizeof(standing->at[0]), by_fingerprint);
    return fits;
}

static int load(struct standing *standing, struct db_conn *conn, struct err *reterr)
{
    struct standing_alert *rows = NULL;
    struct silence *silences = NULL;
    size_t n_silences = 0;
    int r = standing_db_list(conn, standing->now_ms, &standing->arena, &rows, &standing->n, reterr);

    if (r == 0)
        r = silence_db_load(conn, standing->now_ms, &standing->arena, &silences, &n_silences,
                            reterr);
    if (r)
        return r;

    standing->at = arena_array(&standing->arena, standing->n + 1, sizeof(standing->at[0]));
    struct silences *set = silences_new(silences, n_silences);
    bool fits = standing->at && view_all(standing, rows, set);

    silences_free(set);
    return fits ? 0 : err_set(reterr, STANDING_DB_E_LIMIT, "too many alerts fire for one answer");
}

bool standing_load(const struct api *api, struct standing *ret, struct http_response *response)
{
    struct db_conn *conn = NULL;
    struct err err = {0};

    *ret = (struct standing){.config = api->route, .now_ms = clock_wall_ms()};
    arena_init(&ret->arena, STANDING_BYTES_MAX);
    int r = db_read_begin(api->state, &conn, &err);
    if (r == 0) {
        r = load(ret, conn, &err);
        db_read_end(api->state, conn);
    }
    if (r)
        http_fail(response, "internal", "%s", err.text);
    return r == 0;
}

void standing_done(struct standing *standing)
{
    arena_reset(&standing->arena);
}

bool standing_is_suppressed(const struct standing_view *view)
{
    return view->n_silenced_by > 0 || view->inhibited_by[0];
}

size_t standing_receivers(const struct standing_view *view, const char **ret_names)
{
    size_t n = 0;

    for (size_t i = 0; i < view->n_nodes; i++) {
        const char *name = view->nodes[i]->receiver->name;
        bool known = false;

        for (size_t k = 0; k < n; k++)
            known = known || strcmp(ret_names[k], name) == 0;
        if (!known)
            ret_names[n++] = name;
    }
    return n;
}

size_t standing_count(const struct standing *standing, const struct matcher *matchers, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < standing->n; i++)
        count += matchers_match(matchers, n, standing->at[i].row->labels);
    return count;
}
