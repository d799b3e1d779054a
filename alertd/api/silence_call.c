/*
 * Calls about silences, whatever they are spelled like. See silence_call.h.
 */

#include "alertd/api/silence_call.h"

#include <string.h>

#include "alertd/pager/pager.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    EXPIRED_SHOWN_MS = 5 * 24 * 3600 * 1000, /* as long as Alertmanager keeps them */
};

/* --- matchers --- */

static bool flag_or(
    const struct json *json, const char *key, bool fallback, int *r, struct err *err)
{
    bool value = fallback;

    if (*r == 0 && json_has(json, key))
        *r = json_get_bool(json, key, &value, err);
    return value;
}

static int one_matcher(const struct json *json,
                       size_t i,
                       struct route_matchers *matchers,
                       struct err *reterr)
{
    const char *name = NULL;
    const char *value = NULL;
    struct matcher matcher;
    int r = json_get_string(json, "name", &name, reterr);

    if (r == 0)
        r = json_get_string(json, "value", &value, reterr);

    bool is_regex = flag_or(json, "isRegex", false, &r, reterr);
    bool is_equal = flag_or(json, "isEqual", true, &r, reterr);
    enum matcher_type plain = is_equal ? MATCHER_EQUAL : MATCHER_NOT_EQUAL;
    enum matcher_type pattern = is_equal ? MATCHER_REGEX : MATCHER_NOT_REGEX;

    if (r)
        return r;
    if (!*name || !labels_text_ok(name, strlen(name)) || !labels_text_ok(value, strlen(value)))
        return err_set(reterr, SILENCE_CALL_E_MATCHER,
                       "invalid silence: invalid label matcher %zu in set 0: invalid label name "
                       "\"%.100s\"",
                       i, name);
    if (matchers->n >= SILENCE_MATCHERS_MAX)
        return err_set(reterr, SILENCE_CALL_E_MATCHER, "invalid silence: at most %d matchers",
                       SILENCE_MATCHERS_MAX);
    if (matcher_init(&matcher, is_regex ? pattern : plain, name, value, reterr))
        return err_prefix(reterr, SILENCE_CALL_E_MATCHER,
                          "invalid silence: invalid label matcher %zu in set 0: invalid regular "
                          "expression \"%.100s\": error parsing regexp",
                          i, value);
    matchers->at = mem_realloc(matchers->at, (matchers->n + 1) * sizeof(*matchers->at));
    matchers->at[matchers->n++] = matcher;
    return 0;
}

int silence_call_matchers(const struct json *array,
                          bool texts,
                          struct route_matchers *matchers,
                          struct err *reterr)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < json_length(array); i++) {
        const char *text = texts ? json_text(json_at(array, i)) : NULL;

        if (!text)
            r = one_matcher(json_at(array, i), i, matchers, reterr);
        else if (route_matchers_parse(text, ROUTE_GRAMMAR_BOTH, matchers, NULL, reterr))
            r = err_prefix(reterr, SILENCE_CALL_E_MATCHER, "matchers[%zu]", i);
    }
    return r;
}

void silence_call_write_matchers(struct json_out *out, const struct silence_row *row)
{
    json_key(out, "matchers");
    json_open(out, '[');
    for (size_t i = 0; i < row->n_matchers; i++) {
        enum matcher_type type = row->matchers[i].type;

        json_open(out, '{');
        json_kv_bool(out, "isEqual", type == MATCHER_EQUAL || type == MATCHER_REGEX);
        json_kv_bool(out, "isRegex", type == MATCHER_REGEX || type == MATCHER_NOT_REGEX);
        json_kv_string(out, "name", row->matchers[i].name);
        json_kv_string(out, "value", row->matchers[i].value);
        json_close(out, '}');
    }
    json_close(out, ']');
}

bool silence_call_passes(const struct route_matchers *filter, const struct silence_row *row)
{
    for (size_t i = 0; i < filter->n; i++) {
        const char *value = "";

        for (size_t k = 0; k < row->n_matchers; k++)
            if (strcmp(row->matchers[k].name, filter->at[i].name) == 0)
                value = row->matchers[k].value;
        if (!matcher_matches(&filter->at[i], value))
            return false;
    }
    return true;
}

/* --- changes --- */

struct change {
    const struct api *api;
    const struct silence_wish *wish;
    const char *id, *actor;
    int64_t ends_at_ms, now_ms;
    char made[SILENCE_ID_TEXT];
};

/* The pager reads them again with its next job, also when this one fails. */
static int job_set(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct change *change = arg;

    pager_silences_changed(change->api->pager);
    return silence_db_set(conn, change->wish, change->made, reterr);
}

static int job_expire(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct change *change = arg;

    pager_silences_changed(change->api->pager);
    return silence_db_expire(conn, change->id, change->actor, change->now_ms, reterr);
}

static int job_extend(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct change *change = arg;

    pager_silences_changed(change->api->pager);
    return silence_db_extend(conn, change->id, change->ends_at_ms, change->actor, change->now_ms,
                             reterr);
}

static int run(const struct api *api, db_job *job, struct change *change, struct err *reterr)
{
    change->api = api;
    change->now_ms = clock_wall_ms();
    int r = db_write(api->state, job, change, reterr);

    if (r == 0) {
        http_hub_publish(api->hub, "silences", "{}");
        api->wake(api->app, API_WAKE_OUTBOX);
    }
    return r;
}

int silence_call_set(const struct api *api,
                     const struct silence_wish *wish,
                     char *ret_id,
                     struct err *reterr)
{
    struct change change = {.wish = wish};
    int r = run(api, job_set, &change, reterr);

    if (r == 0)
        memcpy(ret_id, change.made, SILENCE_ID_TEXT);
    return r;
}

int silence_call_expire(const struct api *api,
                        const char *id,
                        const char *actor,
                        struct err *reterr)
{
    return run(api, job_expire, &(struct change){.id = id, .actor = actor}, reterr);
}

int silence_call_extend(const struct api *api,
                        const char *id,
                        int64_t ends_at_ms,
                        const char *actor,
                        struct err *reterr)
{
    return run(api, job_extend,
               &(struct change){.id = id, .actor = actor, .ends_at_ms = ends_at_ms}, reterr);
}

/* --- reading --- */

int silence_call_get(const struct api *api,
                     const char *id,
                     struct arena *arena,
                     struct silence_row *ret_row,
                     struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = db_read_begin(api->state, &conn, reterr);

    if (r)
        return r;
    r = silence_db_get(conn, id, arena, ret_row, reterr);
    db_read_end(api->state, conn);
    return r;
}

int silence_call_list(const struct api *api,
                      struct arena *arena,
                      struct silence_row **ret_rows,
                      size_t *ret_n,
                      struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = db_read_begin(api->state, &conn, reterr);

    if (r)
        return r;
    r = silence_db_list(conn, clock_wall_ms() - EXPIRED_SHOWN_MS, arena, ret_rows, ret_n, reterr);
    db_read_end(api->state, conn);
    return r;
}
