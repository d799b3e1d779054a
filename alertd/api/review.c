/*
 * All rules by what they cost people, each with the one change that would help most.
 *
 *   30 days of pages, nights, votes --review_cost()--+
 *   the last review in the background (rule_review) -+--> rows, the dearest first
 */

#include "alertd/pages/review.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/api/api.h"
#include "alertd/db/report_db.h"
#include "alertd/db/review_db.h"
#include "alertd/db/rule_db.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    READ_BYTES_MAX = 256 << 20,
};
#define BACK_MS (30 * INT64_C(86400000))

struct line {
    const struct rule_group_row *group;
    const struct rule_row *rule;
    const struct report_rule_row *cost; /* NULL: it paged nobody */
    const struct review_row *review;    /* NULL: it was not looked at yet */
    double price;
};

struct looked {
    struct arena arena;
    struct zones zones;
    struct rule_group_row *groups;
    size_t n_groups;
    struct review_row *reviews;
    size_t n_reviews;
    struct report report;
    struct line *lines;
    size_t n;
    int64_t from_ms, to_ms;
    int64_t reviewed_ms; /* the newest; 0: never */
};

static int look(struct db_conn *conn, struct looked *looked, struct err *reterr)
{
    struct report_input input = {.from_ms = looked->from_ms, .to_ms = looked->to_ms};
    const struct zone *zone = NULL;
    int r = zones_get(&looked->zones, "UTC", &zone, reterr);

    input.zone = zone;
    if (r == 0)
        r = rule_db_list(conn, looked->to_ms, &looked->arena, &looked->groups, &looked->n_groups,
                         reterr);
    if (r == 0)
        r = review_db_list(conn, &looked->arena, &looked->reviews, &looked->n_reviews, reterr);
    if (r == 0)
        r = report_db_read(conn, &looked->arena, &input, reterr);
    if (r == 0)
        r = report_db_read_duty(conn, &looked->zones, looked->to_ms, &looked->arena, &input,
                                reterr);
    return r ? r : report_make(&input, &looked->arena, &looked->report, reterr);
}

static const struct report_rule_row *cost_of(const struct looked *looked, int64_t rule_id)
{
    for (size_t i = 0; i < looked->report.n_rules; i++)
        if (looked->report.rules[i].rule_id == rule_id)
            return &looked->report.rules[i];
    return NULL;
}

static const struct review_row *review_of(const struct looked *looked, int64_t rule_id)
{
    for (size_t i = 0; i < looked->n_reviews; i++)
        if (looked->reviews[i].rule_id == rule_id)
            return &looked->reviews[i];
    return NULL;
}

/* What says most of rules that cost the same. */
static int weight_of(const struct line *line)
{
    static const char *const order[] = {"fine",      "not_known", "never_fired",
                                        "cant_fire", "redundant", "change"};

    for (int i = 0; line->review && i < (int)(sizeof(order) / sizeof(order[0])); i++)
        if (strcmp(order[i], line->review->kind) == 0)
            return i;
    return 0;
}

static int by_price(const void *a, const void *b)
{
    const struct line *x = a;
    const struct line *y = b;

    if (x->price != y->price)
        return x->price > y->price ? -1 : 1;
    if (weight_of(x) != weight_of(y))
        return weight_of(y) - weight_of(x);
    return strcmp(x->rule->name, y->rule->name);
}

static void make_lines(struct looked *looked)
{
    size_t capacity = 0;

    for (size_t g = 0; g < looked->n_groups; g++)
        for (size_t i = 0; i < looked->groups[g].n_rules; i++) {
            const struct rule_row *rule = &looked->groups[g].rules[i];
            struct line line = {&looked->groups[g], rule, cost_of(looked, rule->id),
                                review_of(looked, rule->id), 0};

            if (rule->is_recording)
                continue;
            if (line.cost)
                line.price = review_cost(line.cost->load.pages, line.cost->load.night_pages,
                                         line.cost->useful, line.cost->noise);
            if (line.review && line.review->at_ms > looked->reviewed_ms)
                looked->reviewed_ms = line.review->at_ms;
            looked->lines = mem_grow(looked->lines, &capacity, looked->n + 1, sizeof(line));
            looked->lines[looked->n++] = line;
        }
    if (looked->n > 0)
        qsort(looked->lines, looked->n, sizeof(*looked->lines), by_price);
}

static void write_line(const struct line *line, struct json_out *out)
{
    static const struct report_rule_row nothing = {0};
    const struct report_rule_row *cost = line->cost ? line->cost : &nothing;

    json_open(out, '{');
    json_kv_int(out, "rule_id", line->rule->id);
    json_kv_string(out, "rule", line->rule->name);
    json_kv_string(out, "group", line->group->name);
    json_kv_string(out, "source", line->group->source);
    json_kv_string(out, "expr", line->rule->expr);
    json_kv_float(out, "cost", line->price);
    json_kv_int(out, "pages", cost->load.pages);
    json_kv_int(out, "nights", cost->load.night_pages);
    json_kv_int(out, "useful", cost->useful);
    json_kv_int(out, "noise", cost->noise);
    json_kv_float(out, "noise_guess", review_noise(cost->useful, cost->noise));
    json_kv_string(out, "kind", line->review ? line->review->kind : "not_known");
    json_kv_string(out, "words", line->review ? line->review->words : "It was not looked at yet.");
    json_key(out, "alerts");
    if (line->review)
        json_int(out, line->review->alerts);
    else
        json_null(out);
    json_key(out, "setting");
    json_raw(out, line->review ? line->review->setting : "{}");
    json_kv_time(out, "reviewed_at", line->review ? line->review->at_ms : 0);
    json_kv_bool(out, "changed_since",
                 line->review && line->review->version != line->rule->version);
    json_close(out, '}');
}

static void get_review(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct looked looked = {.to_ms = clock_wall_ms()};
    struct json_out out = JSON_OUT(&response->body);
    struct db_conn *conn = NULL;
    struct err err = {0};

    (void)request;
    looked.from_ms = looked.to_ms - BACK_MS;
    arena_init(&looked.arena, READ_BYTES_MAX);
    int r = db_read_begin(api->state, &conn, &err);
    if (r == 0) {
        r = look(conn, &looked, &err);
        db_read_end(api->state, conn);
    }
    if (r) {
        http_fail(response, "internal", "%s", err.text);
    } else {
        make_lines(&looked);
        json_open(&out, '{');
        json_kv_time(&out, "from", looked.from_ms);
        json_kv_time(&out, "to", looked.to_ms);
        json_kv_time(&out, "reviewed_at", looked.reviewed_ms);
        json_key(&out, "rules");
        json_open(&out, '[');
        for (size_t i = 0; i < looked.n; i++)
            write_line(&looked.lines[i], &out);
        json_close(&out, ']');
        json_close(&out, '}');
    }
    free(looked.lines);
    zones_done(&looked.zones);
    arena_reset(&looked.arena);
}

static void post_review(void *context, struct http_request *request, struct http_response *response)
{
    struct api *api = context;

    (void)request;
    api->wake(api->app, API_WAKE_REVIEW);
    response->status = 202;
    str_add(&response->body, "{}");
}

static const struct http_route routes[] = {
    {"GET", "/api/alertd/v1/review", HTTP_SCOPE_READ, 0, get_review,
     "rules by what they cost people, with what to change"},
    {"POST", "/api/alertd/v1/review", HTTP_SCOPE_OPERATE, 0, post_review,
     "look at all rules again now"},
};

const struct api_table api_review_routes = {routes, sizeof(routes) / sizeof(routes[0])};
