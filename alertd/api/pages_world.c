/*
 * The world that pages are reckoned in. See pages_world.h.
 */

#include "alertd/api/pages_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/roster_db.h"
#include "alertd/db/silence_db.h"

enum {
    WORLD_BYTES_MAX = 256 << 20,
    ANSWERS_MAX = 500, /* the newest incidents */
    ANSWERS_MIN = 5,   /* fewer tell nothing of a team */
};

static int no_room(struct err *reterr)
{
    return err_set(reterr, -ENOMEM, "too many silences or people to reckon pages with");
}

static int load_silences(struct db_conn *conn, struct pages_world *world, struct err *reterr)
{
    struct silence_row *rows = NULL;
    struct silence *silences;
    size_t n = 0;
    int r = silence_db_list(conn, 0, &world->arena, &rows, &n, reterr);

    if (r)
        return r;
    silences = arena_array(&world->arena, n + 1, sizeof(*silences));
    if (!silences)
        return no_room(reterr);
    for (size_t i = 0; i < n; i++)
        silences[i] = rows[i].silence;
    world->plan.silences = silences;
    world->plan.n_silences = n;
    return 0;
}

static int load_homes(struct pages_world *world, struct err *reterr)
{
    const struct roster *roster = &world->roster;
    struct pages_home *homes = arena_array(&world->arena, roster->n_people + 1, sizeof(*homes));
    size_t n = 0;

    if (!homes)
        return no_room(reterr);
    for (size_t i = 0; i < roster->n_people; i++) {
        const struct person *person = &roster->people[i];
        size_t size = sizeof(PAGES_PERSON) + strlen(person->name);
        const struct zone *zone = NULL;
        char *who;

        /* one whose zone is gone from the system lives where everybody else does */
        if (!person->zone || zones_get(&world->zones, person->zone, &zone, NULL))
            continue;
        who = arena_alloc(&world->arena, size);
        if (!who)
            return no_room(reterr);
        memcpy(who, PAGES_PERSON, sizeof(PAGES_PERSON) - 1);
        memcpy(who + sizeof(PAGES_PERSON) - 1, person->name, strlen(person->name) + 1);
        homes[n++] = (struct pages_home){who, zone};
    }
    world->plan.homes = homes;
    world->plan.n_homes = n;
    return 0;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* How long the last incidents waited for somebody: the middle one. */
static int load_answers(struct db_conn *conn, struct pages_world *world, struct err *reterr)
{
    const struct incident_query query = {.limit = ANSWERS_MAX};
    struct incident *incidents = NULL;
    int64_t waits_ms[ANSWERS_MAX];
    size_t n_incidents = 0;
    size_t n = 0;
    int r = incident_db_list(conn, &query, &world->arena, &incidents, &n_incidents, reterr);

    for (size_t i = 0; r == 0 && i < n_incidents; i++)
        if (incidents[i].acknowledged_at_ms > incidents[i].opened_at_ms)
            waits_ms[n++] = incidents[i].acknowledged_at_ms - incidents[i].opened_at_ms;
    world->plan.ack_after_ms = PAGES_ACK_USUAL_MS;
    if (r || n < ANSWERS_MIN)
        return r;
    qsort(waits_ms, n, sizeof(*waits_ms), by_size);
    world->plan.ack_after_ms = waits_ms[(n - 1) / 2];
    world->n_answers = n;
    return 0;
}

static int load(struct db_conn *conn, struct pages_world *world, struct err *reterr)
{
    struct err left_out = {0};
    int r = roster_db_load(conn, &world->zones, &world->arena, &world->roster, &left_out);

    if (r)
        return err_set(reterr, r, "%s", left_out.text);
    world->plan.roster = &world->roster;
    r = load_silences(conn, world, reterr);
    if (r == 0)
        r = load_homes(world, reterr);
    return r == 0 ? load_answers(conn, world, reterr) : r;
}

int pages_world_load(struct db *state,
                     const struct route_config *config,
                     int64_t from_ms,
                     int64_t to_ms,
                     struct pages_world *ret_world,
                     struct err *reterr)
{
    struct db_conn *conn = NULL;

    *ret_world = (struct pages_world){
        .plan = {.config = config, .from_ms = from_ms, .to_ms = to_ms}};
    arena_init(&ret_world->arena, WORLD_BYTES_MAX);
    int r = db_read_begin(state, &conn, reterr);

    if (r)
        return r;
    r = load(conn, ret_world, reterr);
    db_read_end(state, conn);
    return r;
}

void pages_world_done(struct pages_world *world)
{
    zones_done(&world->zones);
    arena_reset(&world->arena);
}
