/*
 * People, schedules and policies of another system. All of it or nothing: one job. What is
 * here already under the same name stays as it is and is listed as such.
 *
 * A dry run is the same job, taken back at its end: what it promises is what would happen.
 */

#include <errno.h>
#include <string.h>

#include "alertd/api/schedules.h"
#include "alertd/oncall/calendar.h"
#include "alertd/oncall/import.h"
#include "lib/base/clock.h"

enum {
    IMPORT_TAKE_BACK = 900, /* a dry run's own result: nothing of the job stays */
    IMPORT_E_SOURCE = 901,
};

struct import {
    struct roster roster;
    const char *const *untold; /* what was not understood */
    size_t n_untold;
    const char *by;
    int64_t now_ms;
    bool is_dry;
    struct str report; /* JSON members, made by the job */
    struct json_out out;
    size_t n_added;
};

/* --- what came --- */

/* Who a calendar's titles name, for whoever is not here yet: without contacts, which the
 * warnings then tell. */
static int people_of(const struct schedule *schedule, struct arena *arena, struct roster *roster)
{
    size_t n = 0;
    size_t most = 0;

    for (size_t i = 0; i < schedule->n_layers; i++)
        most += schedule->layers[i].n_shifts + schedule->layers[i].rotation.n_people;
    struct person *people = arena_array(arena, most ? most : 1, sizeof(*people));

    if (!people)
        return -ENOMEM;
    roster->people = people;
    for (size_t i = 0; i < schedule->n_layers; i++)
        for (size_t j = 0; j < schedule->layers[i].n_shifts; j++) {
            const char *name = schedule->layers[i].shifts[j].person;

            roster->n_people = n;
            if (!roster_person(roster, name))
                people[n++] = (struct person){.name = name};
        }
    roster->n_people = n;
    return 0;
}

static int read_calendar(const struct http_request *request,
                         struct zones *zones,
                         struct arena *arena,
                         struct import *import,
                         struct err *reterr)
{
    const char *name = http_query(request, "name");
    const char *zone_text = http_query(request, "zone");
    const struct zone *zone = NULL;
    struct calendar calendar = {0};
    struct schedule *schedule = arena_alloc(arena, sizeof(*schedule));

    if (!name || !*name || strlen(name) > ROSTER_NAME_MAX)
        return err_set(reterr, IMPORT_E_SOURCE, "name: expected what the schedule will be called");
    int r = zones_get(zones, zone_text && *zone_text ? zone_text : "UTC", &zone, reterr);

    if (r)
        return err_prefix(reterr, r, "zone");
    r = calendar_read(request->body, request->body_len, zone, zones,
                      import->now_ms - 31 * ROSTER_DAY_MS, import->now_ms + 366 * ROSTER_DAY_MS,
                      arena, &calendar, reterr);
    if (r)
        return reterr->line ? err_prefix(reterr, r, "line %u", reterr->line) : r;
    if (schedule)
        r = calendar_schedule(&calendar, name, zone, arena, schedule, reterr);
    if (r == 0 && (!schedule || people_of(schedule, arena, &import->roster)))
        r = err_set(reterr, ROSTER_DB_E_LIMIT, "it is too much at once");
    if (r)
        return r;
    import->roster.schedules = schedule;
    import->roster.n_schedules = 1;
    import->untold = calendar.untold;
    import->n_untold = calendar.n_untold;
    return 0;
}

static int read_import(const struct http_request *request,
                       struct zones *zones,
                       struct arena *arena,
                       struct import *import,
                       struct err *reterr)
{
    const char *from = http_query(request, "from");
    struct import_notes notes = {0};
    int r;

    if (from && strcmp(from, "ical") == 0)
        return read_calendar(request, zones, arena, import, reterr);
    if (from && strcmp(from, "goalert") == 0)
        r = import_goalert(request->body, request->body_len, zones, arena, &import->roster, &notes,
                           reterr);
    else if (from && strcmp(from, "oncall") == 0)
        r = import_oncall(request->body, request->body_len, zones, arena, &import->roster, &notes,
                          reterr);
    else
        r = err_set(reterr, IMPORT_E_SOURCE, "from: expected goalert, oncall or ical");
    import->untold = notes.at;
    import->n_untold = notes.n;
    return r;
}

/* --- storing it --- */

static int add(struct db_conn *conn,
               struct import *import,
               const struct roster_value *value,
               const char *name,
               struct err *reterr)
{
    struct roster_put put = {.value = *value, .by = import->by, .now_ms = import->now_ms};
    int r = roster_db_put(conn, &put, reterr);

    if (r && r != ROSTER_DB_E_EXISTS)
        return err_prefix(reterr, r, "%s '%s'", roster_kind_name(value->kind), name);
    if (r == 0)
        import->n_added++;
    json_open(&import->out, '{');
    json_kv_string(&import->out, "name", name);
    json_kv_string(&import->out, "what", r ? "is here already" : "added");
    json_close(&import->out, '}');
    return 0;
}

static int add_schedule(struct db_conn *conn,
                        struct import *import,
                        const struct schedule *schedule,
                        struct err *reterr)
{
    const struct roster_value value = {.kind = ROSTER_SCHEDULE, .schedule = schedule};
    size_t before = import->n_added;
    int r = add(conn, import, &value, schedule->name, reterr);

    for (size_t i = 0; r == 0 && import->n_added > before && i < schedule->n_overrides; i++) {
        struct roster_put put = {
            .value = {.kind = ROSTER_OVERRIDE,
                      .override = &schedule->overrides[i],
                      .owner = schedule->name},
            .by = import->by,
            .now_ms = import->now_ms,
        };

        r = roster_db_put(conn, &put, reterr);
        if (r)
            (void)err_prefix(reterr, r, "schedule '%s', overrides[%zu]", schedule->name, i);
    }
    return r;
}

static void begin_list(struct import *import, const char *key)
{
    json_key(&import->out, key);
    json_open(&import->out, '[');
}

static int job_import(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct import *import = arg;
    const struct roster *roster = &import->roster;
    int r = 0;

    begin_list(import, "people");
    for (size_t i = 0; r == 0 && i < roster->n_people; i++)
        r = add(conn, import,
                &(struct roster_value){.kind = ROSTER_PERSON, .person = &roster->people[i]},
                roster->people[i].name, reterr);
    json_close(&import->out, ']');
    begin_list(import, "schedules");
    for (size_t i = 0; r == 0 && i < roster->n_schedules; i++)
        r = add_schedule(conn, import, &roster->schedules[i], reterr);
    json_close(&import->out, ']');
    begin_list(import, "policies");
    for (size_t i = 0; r == 0 && i < roster->n_policies; i++)
        r = add(conn, import,
                &(struct roster_value){.kind = ROSTER_POLICY, .policy = &roster->policies[i]},
                roster->policies[i].name, reterr);
    json_close(&import->out, ']');
    return r == 0 && import->is_dry ? IMPORT_TAKE_BACK : r;
}

static void reply(struct import *import, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);

    begin_list(import, "not_understood");
    for (size_t i = 0; i < import->n_untold; i++)
        json_string(&import->out, import->untold[i]);
    json_close(&import->out, ']');
    json_kv_bool(&import->out, "dry_run", import->is_dry);
    json_kv_int(&import->out, "added", (int64_t)import->n_added);
    json_close(&import->out, '}');
    json_raw(&out, str_text(&import->report));
}

static void store(const struct api *api, struct import *import, struct http_response *response)
{
    struct err err = {0};

    json_open(&import->out, '{');
    int r = db_write(api->state, job_import, import, &err);

    if (r && r != IMPORT_TAKE_BACK) {
        roster_fail(response, r, &err);
        return;
    }
    reply(import, response);
    if (r == 0 && import->n_added) {
        roster_tell(api, ROSTER_SCHEDULE, "");
        log_info(api->log, "roster", "imported", "by=\"%s\" added=%zu", import->by,
                 import->n_added);
    }
}

void schedules_import(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    const char *dry = http_query(request, "dry_run");
    struct zones zones = {0};
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    struct import import = {
        .by = roster_actor(request),
        .now_ms = clock_wall_ms(),
        .is_dry = dry && strcmp(dry, "0") != 0,
        .report = STR_INIT(ROSTER_READ_BYTES_MAX),
    };

    import.out = JSON_OUT(&import.report);
    arena_init(&arena, ROSTER_READ_BYTES_MAX);
    int r = read_import(request, &zones, &arena, &import, &err);

    if (r < 0 || r == ROSTER_DB_E_LIMIT)
        roster_fail(response, r, &err);
    else if (r)
        http_fail(response, "bad_data", "%s", err.text);
    else
        store(api, &import, response);
    str_done(&import.report);
    zones_done(&zones);
}
