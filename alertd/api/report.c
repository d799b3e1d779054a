/*
 * The report of a span of time: how many pages, when, to whom, what they were worth.
 *
 *   from, to | week, zone --report_db_read()--> rows --report_make()--> JSON | text
 */

#include <string.h>

#include "alertd/api/api.h"
#include "alertd/api/incident_json.h"
#include "alertd/db/incident_db.h"
#include "alertd/db/report_db.h"
#include "lib/base/clock.h"

enum {
    READ_BYTES_MAX = 64 * 1024 * 1024,
};

static const int64_t week_ms = 7 * INT64_C(86400000);

/* The span and its zone; false when the reply is an error already. */
static bool read_span(struct http_request *request,
                      struct report_input *input,
                      struct zone **ret_zone,
                      struct http_response *response)
{
    const char *name = http_query(request, "zone");
    const char *week = http_query(request, "week");
    const char *from = http_query(request, "from");
    const char *to = http_query(request, "to");
    struct err err = {0};

    if (zone_open(name && *name ? name : "UTC", ret_zone, &err)) {
        http_fail(response, "bad_data", "zone: %s", err.text);
        return false;
    }
    input->zone = *ret_zone;
    if (week && *week) {
        if (report_week_span(week, input->zone, &input->from_ms, &input->to_ms) == 0)
            return true;
        http_fail(response, "bad_data", "week: expected one like 2026-W47");
        return false;
    }
    input->to_ms = clock_wall_ms();
    if (to && *to && clock_parse_rfc3339(to, &input->to_ms)) {
        http_fail(response, "bad_data", "to: expected a time like 2026-11-23T00:00:00Z");
        return false;
    }
    input->from_ms = input->to_ms - week_ms;
    if (from && *from && clock_parse_rfc3339(from, &input->from_ms)) {
        http_fail(response, "bad_data", "from: expected a time like 2026-11-16T00:00:00Z");
        return false;
    }
    if (input->from_ms >= input->to_ms ||
        input->to_ms - input->from_ms > REPORT_DAYS_MAX * (week_ms / 7)) {
        http_fail(response, "bad_data", "from, to: from is earlier than to, by %d days at most",
                  REPORT_DAYS_MAX);
        return false;
    }
    return true;
}

static int make(const struct api *api,
                struct report_input *input,
                struct zones *zones,
                struct arena *arena,
                struct report *ret_report,
                struct err *reterr)
{
    struct report_shift *days = arena_array(arena, REPORT_DAYS_MAX, sizeof(*days));
    struct db_conn *conn = NULL;

    if (!days)
        return err_set(reterr, INCIDENT_DB_E_LIMIT, "no room for a report");
    input->shifts = days;
    input->n_shifts = report_days(input->zone, input->from_ms, input->to_ms, days);
    int r = db_read_begin(api->state, &conn, reterr);
    if (r)
        return r;
    r = report_db_read(conn, arena, input, reterr);
    if (r == 0)
        r = report_db_read_duty(conn, zones, clock_wall_ms(), arena, input, reterr);
    db_read_end(api->state, conn);
    if (r == 0 && report_make(input, arena, ret_report, reterr))
        r = INCIDENT_DB_E_LIMIT;
    return r;
}

/* --- JSON --- */

static void kv_load(struct json_out *out, const struct report_load *load)
{
    json_kv_int(out, "incidents", load->incidents);
    json_kv_int(out, "pages", load->pages);
    json_kv_int(out, "night_pages", load->night_pages);
}

static void kv_share(struct json_out *out, const struct report_share *share)
{
    json_kv_float(out, "noise_share", share->share);
    json_kv_float(out, "noise_share_low", share->low);
    json_kv_float(out, "noise_share_high", share->high);
}

static void kv_spans(struct json_out *out, const char *name, const struct report_spans *spans)
{
    json_key(out, name);
    json_open(out, '{');
    json_kv_int(out, "n", (int64_t)spans->n);
    json_kv_int(out, "median_ms", spans->median_ms);
    json_kv_int(out, "p90_ms", spans->p90_ms);
    json_kv_int(out, "max_ms", spans->max_ms);
    json_close(out, '}');
}

static void kv_verdicts(
    struct json_out *out, unsigned useful, unsigned noise, unsigned unknown, unsigned unanswered)
{
    json_kv_int(out, "useful", useful);
    json_kv_int(out, "noise", noise);
    json_kv_int(out, "unknown", unknown);
    json_kv_int(out, "unanswered", unanswered);
}

static void write_rules(struct json_out *out, const struct report *report)
{
    json_key(out, "rules");
    json_open(out, '[');
    for (size_t i = 0; i < report->n_rules; i++) {
        const struct report_rule_row *row = &report->rules[i];

        json_open(out, '{');
        json_kv_int(out, "rule_id", row->rule_id);
        json_kv_string(out, "rule", row->rule);
        kv_load(out, &row->load);
        kv_verdicts(out, row->useful, row->noise, row->unknown, row->unanswered);
        kv_share(out, &row->noise_share);
        json_kv_float(out, "flap_percent", row->flap_percent);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_people(struct json_out *out, const struct report *report)
{
    json_key(out, "people");
    json_open(out, '[');
    for (size_t i = 0; i < report->n_people; i++) {
        json_open(out, '{');
        json_kv_string(out, "who", report_name(report->people[i].who));
        json_kv_bool(out, "is_person", report_is_person(report->people[i].who));
        kv_load(out, &report->people[i].load);
        json_close(out, '}');
    }
    json_close(out, ']');
}

/* Days have no schedule, shifts have. */
static void write_shifts(struct json_out *out,
                         const char *key,
                         bool of_schedules,
                         const struct report *report)
{
    json_key(out, key);
    json_open(out, '[');
    for (size_t i = 0; i < report->n_shifts; i++) {
        const struct report_shift *shift = &report->shifts[i].shift;

        if ((shift->schedule != NULL) != of_schedules)
            continue;
        json_open(out, '{');
        if (of_schedules) {
            json_kv_string(out, "who", report_name(shift->who));
            json_kv_string(out, "schedule", shift->schedule);
        }
        json_kv_time(out, "from", shift->from_ms);
        json_kv_time(out, "to", shift->to_ms);
        kv_load(out, &report->shifts[i].load);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_flapping(struct json_out *out, const struct report *report)
{
    json_key(out, "flapping");
    json_open(out, '[');
    for (size_t i = 0; i < report->n_flapping; i++) {
        json_open(out, '{');
        json_kv_int(out, "rule_id", report->flapping[i].rule_id);
        json_kv_string(out, "rule", report->flapping[i].rule);
        json_kv_string(out, "instance", report->flapping[i].instance);
        json_kv_int(out, "changes", report->flapping[i].changes);
        json_kv_float(out, "percent", report->flapping[i].percent);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_report(struct json_out *out, const struct report *report)
{
    json_open(out, '{');
    json_kv_time(out, "from", report->from_ms);
    json_kv_time(out, "to", report->to_ms);
    json_kv_string(out, "zone", zone_name(report->zone));
    kv_load(out, &report->load);
    kv_verdicts(out, report->useful, report->noise, report->unknown, report->unanswered);
    kv_share(out, &report->noise_share);
    kv_spans(out, "time_to_acknowledge", &report->to_acknowledge);
    kv_spans(out, "time_to_resolve", &report->to_resolve);
    json_kv_int(out, "never_acknowledged", report->never_acknowledged);
    json_kv_int(out, "self_resolved_within_5m", report->self_resolved_fast);
    write_rules(out, report);
    write_people(out, report);
    write_shifts(out, "days", false, report);
    write_shifts(out, "shifts", true, report);
    write_flapping(out, report);
    json_close(out, '}');
}

static void handle_report(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    const char *format = http_query(request, "format");
    bool is_text = format && strcmp(format, "text") == 0;
    struct json_out out = JSON_OUT(&response->body);
    struct report_input input = {0};
    struct zone *zone = NULL;
    struct zones zones = {0};
    struct report report = {0};
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, READ_BYTES_MAX);
    if (format && !is_text && strcmp(format, "json") != 0) {
        http_fail(response, "bad_data", "format: expected json or text");
        return;
    }
    if (read_span(request, &input, &zone, response)) {
        int r = make(context, &input, &zones, &arena, &report, &err);

        if (r) {
            incident_json_fail(response, r, &err);
        } else if (is_text) {
            response->content_type = "text/plain; charset=utf-8";
            report_text(&report, &response->body);
        } else {
            write_report(&out, &report);
        }
    }
    zones_done(&zones);
    zone_free(zone);
}

static const struct http_route routes[] = {
    {"GET", "/api/alertd/v1/report", HTTP_SCOPE_READ, 0, handle_report,
     "pages, nights, times and noise of a span of time"},
};

const struct api_table api_report_routes = {routes, sizeof(routes) / sizeof(routes[0])};
