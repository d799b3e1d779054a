/*
 * Who was on call in the span of a report, and where people live. See report_db.h.
 *
 *   every revision a schedule had --each while it was the newest--> turns --joined--> shifts
 *
 * A schedule that was changed, or deleted, since counts as it was then. Overrides and swaps
 * count for the times they name, and until they were taken back.
 */

#include <errno.h>
#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/report_db.h"
#include "alertd/db/roster_db.h"
#include "alertd/db/rows.h"
#include "alertd/oncall/schedule.h"
#include "alertd/oncall/spelling.h"

enum {
    DUTY_SHIFTS_MAX = 2000,
};

struct revision {
    const char *name;
    const char *spec; /* NULL: it was deleted */
    int64_t at_ms;
};

struct duty {
    struct db_conn *conn;
    struct arena *arena;
    struct zones *zones;
    const struct roster *roster;
    struct report_shift *shifts;
    size_t n;
    int64_t from_ms, to_ms;
};

static bool read_revision(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct revision *one = ret_item;

    *one = (struct revision){.name = rows_text(arena, stmt, 0), .at_ms = db_int(stmt, 2)};
    return one->name && rows_text_or_null(arena, stmt, 1, &one->spec);
}

/* Those of each schedule together, the oldest first. */
static int read_revisions(struct db_conn *conn,
                          struct arena *arena,
                          struct revision **ret_at,
                          size_t *ret_n,
                          struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct revision), read_revision,
                                          INCIDENT_DB_E_LIMIT,
                                          "the schedules changed too often for one report"};

    return rows_read(db_prepare(conn, "SELECT name, spec, at_ms FROM roster_change"
                                      " WHERE kind = 'schedule' ORDER BY name, id"),
                     arena, &kind, ret_at, ret_n, reterr);
}

static bool read_override(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    const char *spec = rows_text(arena, stmt, 0);
    int64_t taken_back_ms = db_is_null(stmt, 1) ? INT64_MAX : db_int(stmt, 1);
    struct override *one = ret_item;

    *one = (struct override){0};
    if (!spec)
        return false;
    if (override_parse(spec, strlen(spec), arena, one, NULL) != 0)
        *one = (struct override){.id = "", .person = ""}; /* of no time */
    if (one->to_ms > taken_back_ms)
        one->to_ms = taken_back_ms > one->from_ms ? taken_back_ms : one->from_ms;
    if (one->other_to_ms > taken_back_ms)
        one->other_to_ms = taken_back_ms > one->other_from_ms ? taken_back_ms : one->other_from_ms;
    return true;
}

/* All that a schedule ever had, in their order. */
static int read_overrides(struct db_conn *conn,
                          const char *schedule,
                          struct arena *arena,
                          struct override **ret_at,
                          size_t *ret_n,
                          struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct override), read_override,
                                          INCIDENT_DB_E_LIMIT,
                                          "there are too many overrides for one report"};
    struct db_stmt *stmt = db_prepare(
        conn,
        "SELECT c.spec, (SELECT min(d.at_ms) FROM roster_change d WHERE d.kind = 'override'"
        "  AND d.name = c.name AND d.spec IS NULL)"
        " FROM roster_change c LEFT JOIN roster_item i ON i.kind = c.kind AND i.name = c.name"
        " WHERE c.kind = 'override' AND coalesce(c.owner, i.owner) = ?1 AND c.spec IS NOT NULL"
        " AND c.id = (SELECT max(n.id) FROM roster_change n WHERE n.kind = c.kind"
        "  AND n.name = c.name AND n.spec IS NOT NULL) ORDER BY c.id");

    db_bind_text(stmt, 1, schedule);
    return rows_read(stmt, arena, &kind, ret_at, ret_n, reterr);
}

/* Goes on with the same person's last one of this schedule when they touch. */
static bool add_shift(struct duty *duty, const char *schedule, const struct span *span)
{
    const char *name = span->on_call.person;
    size_t len = sizeof(REPORT_PERSON) + strlen(name ? name : "");
    char *who;

    if (!name)
        return true;
    for (size_t i = duty->n; i > 0 && strcmp(duty->shifts[i - 1].schedule, schedule) == 0; i--) {
        struct report_shift *before = &duty->shifts[i - 1];

        if (before->to_ms == span->from_ms &&
            strcmp(before->who + sizeof(REPORT_PERSON) - 1, name) == 0) {
            before->to_ms = span->to_ms;
            return true;
        }
    }
    who = arena_alloc(duty->arena, len);
    if (!who || duty->n == DUTY_SHIFTS_MAX)
        return false;
    memcpy(who, REPORT_PERSON, sizeof(REPORT_PERSON) - 1);
    memcpy(who + sizeof(REPORT_PERSON) - 1, name, strlen(name) + 1);
    duty->shifts[duty->n++] = (struct report_shift){who, span->from_ms, span->to_ms, schedule};
    return true;
}

/* A revision while it was the newest. One that cannot be read any more, or changes too often
 * to be told, has no shifts. */
static int add_revision(struct duty *duty,
                        const struct revision *one,
                        int64_t until_ms,
                        struct err *reterr)
{
    struct override *overrides = NULL;
    int64_t from_ms = one->at_ms > duty->from_ms ? one->at_ms : duty->from_ms;
    int64_t to_ms = until_ms < duty->to_ms ? until_ms : duty->to_ms;
    struct schedule_spans spans;
    struct schedule schedule;

    if (!one->spec || from_ms >= to_ms ||
        schedule_parse(one->spec, strlen(one->spec), duty->zones, duty->arena, &schedule, NULL))
        return 0;
    int r = read_overrides(duty->conn, one->name, duty->arena, &overrides, &schedule.n_overrides,
                           reterr);

    if (r)
        return r;
    schedule.overrides = overrides;
    if (schedule_spans(&schedule, NULL, 0, from_ms, to_ms, duty->arena, &spans, NULL))
        return 0;
    for (size_t i = 0; i < spans.final.n; i++)
        if (!add_shift(duty, one->name, &spans.final.spans[i]))
            return err_set(reterr, INCIDENT_DB_E_LIMIT,
                           "more than %d shifts: ask for a shorter time", DUTY_SHIFTS_MAX);
    return 0;
}

static int add_homes(const struct duty *duty, struct report_input *input, struct err *reterr)
{
    const struct roster *roster = duty->roster;
    struct report_home *homes = arena_array(duty->arena, roster->n_people + 1, sizeof(*homes));

    if (!homes)
        return err_set(reterr, INCIDENT_DB_E_LIMIT, "no room for a report");
    for (size_t i = 0; i < roster->n_people; i++) {
        const struct person *person = &roster->people[i];
        size_t len = strlen(person->name) + 1;
        const struct zone *zone = NULL;
        char *who = arena_alloc(duty->arena, sizeof(REPORT_PERSON) + len);

        if (!who)
            return err_set(reterr, INCIDENT_DB_E_LIMIT, "no room for a report");
        memcpy(who, REPORT_PERSON, sizeof(REPORT_PERSON) - 1);
        memcpy(who + sizeof(REPORT_PERSON) - 1, person->name, len);
        if (person->zone && zones_get(duty->zones, person->zone, &zone, NULL) == 0)
            homes[input->n_homes++] = (struct report_home){who, zone};
    }
    input->homes = homes;
    return 0;
}

int report_db_read_duty(struct db_conn *conn,
                        struct zones *zones,
                        int64_t now_ms,
                        struct arena *arena,
                        struct report_input *input,
                        struct err *reterr)
{
    struct roster roster = {0};
    struct duty duty = {.conn = conn,
                        .arena = arena,
                        .zones = zones,
                        .roster = &roster,
                        .from_ms = input->from_ms,
                        .to_ms = input->to_ms < now_ms ? input->to_ms : now_ms};
    struct report_shift *all = arena_array(arena, input->n_shifts + DUTY_SHIFTS_MAX, sizeof(*all));
    struct revision *revisions = NULL;
    size_t n = 0;
    int r = all ? roster_db_load(conn, zones, arena, &roster, NULL) : -ENOMEM;

    if (r == 0)
        r = read_revisions(conn, arena, &revisions, &n, reterr);
    if (r == 0)
        r = add_homes(&duty, input, reterr);
    if (r)
        return r;
    duty.shifts = all + input->n_shifts;
    if (input->n_shifts > 0)
        memcpy(all, input->shifts, input->n_shifts * sizeof(*all));
    for (size_t i = 0; r == 0 && i < n; i++) {
        bool is_last = i + 1 == n || strcmp(revisions[i + 1].name, revisions[i].name) != 0;

        r = add_revision(&duty, &revisions[i], is_last ? INT64_MAX : revisions[i + 1].at_ms,
                         reterr);
    }
    input->shifts = all;
    input->n_shifts += duty.n;
    return r;
}
