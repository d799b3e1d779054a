/*
 * The call that brings a timeline of elsewhere into an incident, as rows of people: what it
 * would be can be looked at first.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/api/incidents.h"
#include "alertd/api/record_call.h"
#include "alertd/incident/foreign.h"
#include "lib/base/clock.h"
#include "lib/json/write.h"
#include "lib/model/hash.h"
#include "lib/model/labels.h"

enum {
    REFERENCE_MAX = 300,
    CLOCK_SLACK_MS = 60000,
};

/* --- what the caller says of the times --- */

static bool read_date(const struct http_request *request,
                      struct foreign_input *input,
                      struct http_response *response)
{
    const char *text = http_query(request, "date");
    char whole[CLOCK_TEXT_MAX];
    int64_t at_ms = 0;

    if (!text || !*text)
        return true;
    (void)snprintf(whole, sizeof(whole), "%.10sT00:00:00Z", text);
    if (strlen(text) != 10 || clock_parse_rfc3339(whole, &at_ms)) {
        http_fail(response, "bad_data", "date: expected a day like 2026-11-23");
        return false;
    }
    struct clock_utc utc = clock_split_utc(at_ms);

    input->year = utc.year;
    input->month = utc.month;
    input->day = utc.day;
    return true;
}

static bool read_zone(const struct http_request *request,
                      struct zone **ret_zone,
                      struct http_response *response)
{
    const char *name = http_query(request, "tz");
    struct err err = {0};

    if (!name || !*name || zone_open(name, ret_zone, &err) == 0)
        return true;
    http_fail(response, "bad_data", "tz: %s", err.text);
    return false;
}

/* --- into our own rows --- */

/* A row without a name of its own is named by what it says, so that it is taken in once. */
static const char *name_row(struct arena *arena,
                            const char *incident,
                            const struct foreign_event *from,
                            size_t i,
                            const struct foreign_event *all)
{
    STR_AUTO struct str words = STR_INIT(2 * FOREIGN_WORDS_MAX);
    char name[REFERENCE_MAX];
    unsigned same = 0;

    if (from->reference)
        return from->reference;
    for (size_t k = 0; k < i; k++)
        same += all[k].at_ms == from->at_ms && strcmp(all[k].text, from->text) == 0;
    str_addf(&words, "%lld %s %s", (long long)from->at_ms, from->actor ? from->actor : "",
             from->text);
    (void)snprintf(name, sizeof(name), "%.60s %016llx %u", incident,
                   (unsigned long long)hash64(str_text(&words), words.len), same);
    return arena_strndup(arena, name, strlen(name));
}

static bool take_in(const struct record_reader *reader,
                    const struct foreign_event *events,
                    struct record_batch *batch,
                    struct http_response *response)
{
    batch->news = arena_array(reader->arena, batch->n + 1, sizeof(*batch->news));
    for (size_t i = 0; batch->news && i < batch->n; i++) {
        const struct foreign_event *from = &events[i];

        if (from->at_ms < 0 || from->at_ms > reader->now_ms + CLOCK_SLACK_MS) {
            http_fail(response, "bad_data",
                      "event %zu: it would be in the future: is it of "
                      "another day?",
                      i + 1);
            return false;
        }
        if (!labels_text_ok(from->text, strlen(from->text)) ||
            (from->actor && !labels_text_ok(from->actor, strlen(from->actor)))) {
            http_fail(response, "bad_data", "event %zu: this is not UTF-8", i + 1);
            return false;
        }
        batch->news[i].event = (struct timeline_event){
            .kind = from->kind,
            .event_class = "human",
            .source = reader->source,
            .actor = from->actor ? from->actor : reader->actor,
            .text = from->text,
            .occurred_at_ms = from->at_ms,
            .precision = from->precision,
            .scope = from->scope,
            .reference = name_row(reader->arena, batch->key, from, i, events),
        };
    }
    if (!batch->news)
        http_fail(response, "too_large", "the timeline is too large");
    return batch->news != NULL;
}

static void show(const struct record_batch *batch, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);

    json_open(&out, '{');
    json_kv_int(&out, "would_add", (int64_t)batch->n);
    json_key(&out, "events");
    json_open(&out, '[');
    for (size_t i = 0; i < batch->n; i++) {
        const struct timeline_event *event = &batch->news[i].event;

        json_open(&out, '{');
        json_kv_time(&out, "occurred_at", event->occurred_at_ms);
        json_kv_string(&out, "precision", event->precision ? event->precision : "ms");
        json_kv_string(&out, "kind", event->kind);
        json_kv_string(&out, "actor", event->actor);
        json_kv_string(&out, "text", event->text);
        json_close(&out, '}');
    }
    json_close(&out, ']');
    json_close(&out, '}');
}

static void bring(const struct api *api,
                  struct http_request *request,
                  enum foreign_format format,
                  struct foreign_input *input,
                  struct http_response *response)
{
    struct foreign_event *events = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    char source[60];

    arena_init(&arena, RECORD_CALL_BYTES_MAX);
    (void)snprintf(source, sizeof(source), "import %s", http_query(request, "format"));
    struct record_reader reader = {
        .arena = &arena, .source = source, .actor = request->who.name, .now_ms = clock_wall_ms()};
    struct record_batch batch = {
        .key = request->path_args[0], .actor = reader.actor, .now_ms = reader.now_ms};
    int r = foreign_read(&arena, format, input, &events, &batch.n, &err);

    if (r && err.line)
        http_fail(response, r == FOREIGN_E_LIMIT ? "too_large" : "bad_data", "line %u: %s",
                  err.line, err.text);
    else if (r)
        http_fail(response, r == FOREIGN_E_LIMIT ? "too_large" : "bad_data", "%s", err.text);
    else if (!take_in(&reader, events, &batch, response))
        return;
    else if (http_query(request, "dry_run") && strcmp(http_query(request, "dry_run"), "1") == 0)
        show(&batch, response);
    else
        incidents_add_events(api, &batch, response);
}

static void handle_import(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    struct foreign_input input = {.text = request->body, .len = request->body_len};
    const char *name = http_query(request, "format");
    enum foreign_format format = name ? foreign_format_parse(name) : FOREIGN_FORMATS;
    struct zone *zone = NULL;

    if (format == FOREIGN_FORMATS) {
        http_fail(response, "bad_data", "format: expected csv, chat, pagerduty or alertmanager");
        return;
    }
    if (!read_date(request, &input, response) || !read_zone(request, &zone, response))
        return;
    input.zone = zone;
    bring(context, request, format, &input, response);
    zone_free(zone);
}

static const struct http_route routes[] = {
    {"POST", "/api/alertd/v1/incidents/{key}/import", HTTP_SCOPE_OPERATE, HTTP_BIG_BODY,
     handle_import, "a timeline of elsewhere: csv, chat, pagerduty, alertmanager"},
};

const struct api_table api_timelines_routes = {routes, sizeof(routes) / sizeof(routes[0])};
