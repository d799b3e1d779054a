/*
 * Paging-path drills: whom a policy would page, one page after the other, and who answered. See
 * paging_drill.h.
 */

#include "alertd/api/paging_drill.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/contacts.h"
#include "alertd/api/read.h"
#include "alertd/db/contact_db.h"
#include "alertd/db/paging_drill_db.h"
#include "alertd/oncall/escalation.h"
#include "lib/base/clock.h"
#include "lib/json/read.h"

#define PATH "/api/alertd/v1/oncall/drills"

enum {
    READ_BYTES_MAX = 16 * 1024 * 1024,
    WITHIN_MIN_MS = 1000,
    WITHIN_MAX_MS = 24 * 3600 * 1000,
};

/* --- Whom a policy pages ------------------------------------------------------------------------------ */

struct plan {
    struct roster_view *view;
    struct paging_drill_page_row *pages;
    size_t n;
};

static const char *via_name(enum target_kind kind)
{
    switch (kind) {
    case TARGET_PERSON: return "person";
    case TARGET_SCHEDULE: return "schedule";
    case TARGET_RECEIVER: return "receiver";
    }
    return "";
}

static bool is_planned(const struct plan *plan, const char *person, const struct contact *contact)
{
    for (size_t i = 0; i < plan->n; i++) {
        const struct paging_drill_page_row *page = &plan->pages[i];

        if (page->person && page->method && strcmp(page->person, person) == 0 &&
            strcmp(page->method, contact->method) == 0 &&
            strcmp(page->address, contact->address) == 0)
            return true;
    }
    return false;
}

static void plan_row(struct plan *plan, const struct paging_drill_page_row *row)
{
    if (plan->n < PAGING_DRILL_PAGES_MAX)
        plan->pages[plan->n++] = *row;
}

/* One person by every method, once, in the first step that has them. */
static void plan_page(struct plan *plan, int64_t step, const struct escalation_page *page)
{
    const struct person *person = page->person ? roster_person(&plan->view->roster, page->person)
                                               : NULL;
    struct paging_drill_page_row row = {.step = step,
                                        .via = via_name(page->via),
                                        .target = page->target,
                                        .person = page->person,
                                        .state = "unreached",
                                        .words = page->unreached};

    if (page->via == TARGET_RECEIVER)
        row.words = "a receiver: it is not tried by a drill";
    else if (person && person->n_contacts == 0)
        row.words = "has no contact";
    if (!person || person->n_contacts == 0) {
        plan_row(plan, &row);
        return;
    }
    for (size_t i = 0; i < person->n_contacts; i++) {
        row.method = person->contacts[i].method;
        row.address = person->contacts[i].address;
        row.state = "due";
        row.words = NULL;
        if (!is_planned(plan, person->name, &person->contacts[i]))
            plan_row(plan, &row);
    }
}

/* The escalation itself says whom it would page if nobody ever acknowledged: its first round. */
static bool plan_policy(struct plan *plan, const struct policy *policy)
{
    struct escalation_moves moves = {0};
    struct escalation state;
    int64_t until_ms = plan->view->now_ms;
    bool fits;

    for (size_t i = 0; i < policy->n_steps; i++)
        until_ms += policy->steps[i].delay_ms;
    for (int i = 0; i < policy->repeat; i++)
        for (size_t k = 0; k < policy->n_steps; k++)
            until_ms += policy->steps[k].delay_ms;
    escalation_open(&state, plan->view->now_ms);
    fits = escalation_advance(&state, policy, &plan->view->roster, until_ms + 1, &plan->view->arena,
                              &moves);
    for (size_t i = 0; fits && i < moves.n; i++) {
        const struct escalation_move *move = &moves.at[i];
        bool is_fallback = move->kind == ESCALATION_FALLBACK;

        if (move->round > 0 && !is_fallback)
            continue;
        for (size_t k = 0; k < move->n_pages; k++)
            plan_page(plan, is_fallback ? -1 : (int64_t)move->step, &move->pages[k]);
    }
    return fits;
}

struct begin_job {
    struct paging_drill_row drill;
    const struct plan *plan;
    int64_t id;
};

static int job_begin(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct begin_job *job = arg;

    return paging_drill_db_add(conn, &job->drill, job->plan->pages, job->plan->n, &job->id, reterr);
}

static int begin(struct plan *plan, struct begin_job *job, struct err *reterr)
{
    const struct policy *policy = roster_policy(&plan->view->roster, job->drill.policy);

    if (!policy)
        return err_set(reterr, PAGING_DRILL_E_POLICY, "there is no policy %.80s",
                       job->drill.policy);
    plan->pages = arena_array(&plan->view->arena, PAGING_DRILL_PAGES_MAX, sizeof(*plan->pages));
    if (!plan->pages || !plan_policy(plan, policy))
        return err_set(reterr, PAGING_DRILL_DB_E_LIMIT, "the policy is too large");
    if (plan->n == 0)
        return err_set(reterr, PAGING_DRILL_E_NOBODY, "the policy pages nobody at all");
    return db_write(plan->view->api->state, job_begin, job, reterr);
}

int paging_drill_begin(const struct api *api,
                       const char *policy,
                       const char *by,
                       int64_t within_ms,
                       int64_t *ret_id,
                       struct err *reterr)
{
    struct roster_view view;
    struct http_response refused = {.status = 200, .body = STR_INIT(4096)};
    struct plan plan = {.view = &view};

    if (!roster_view_open(api, &view, &refused)) {
        int r = err_set(reterr, -EIO, "the roster can't be read: %.300s", str_text(&refused.body));

        str_done(&refused.body);
        return r;
    }
    struct begin_job job = {.plan = &plan,
                            .drill = {.policy = policy,
                                      .by = by,
                                      .made_ms = view.now_ms,
                                      .until_ms = view.now_ms + within_ms}};
    int r = begin(&plan, &job, reterr);

    roster_view_close(&view);
    if (r == 0)
        *ret_id = job.id;
    return r;
}

/* --- One page after the other ----------------------------------------------------------------------------- */

struct sent_job {
    int64_t page_id, now_ms;
    const char *token, *words;
    size_t n_ended;
};

static int job_sent(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct sent_job *job = arg;

    return paging_drill_db_sent(conn, job->page_id, job->token, job->words, reterr);
}

static int job_end(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct sent_job *job = arg;

    return paging_drill_db_end(conn, job->now_ms, &job->n_ended, reterr);
}

static void send_one(const struct api *api,
                     const struct log *log,
                     const struct paging_drill_row *drill,
                     const struct paging_drill_page_row *page)
{
    STR_AUTO struct str title = STR_INIT(600);
    char token[CONTACT_TOKEN_MAX] = "";
    struct contact_outcome outcome;
    struct err err = {0};

    str_addf(&title,
             "DRILL for %s, nothing is wrong: press the link to show that pages reach you (policy "
             "%s)",
             page->person, drill->policy);

    const struct contact_ask ask = {.person = page->person,
                                    .method = page->method,
                                    .address = page->address,
                                    .by = drill->by,
                                    .title = str_text(&title)};
    int r = contact_send(api, &ask, token, &outcome, &err);
    struct sent_job job = {
        .page_id = page->id, .token = r == 0 ? token : NULL, .words = r == 0 ? NULL : err.text};

    if (r == 0 && strcmp(outcome.outcome, "accepted") != 0)
        log_warn(log, "paging_drill", "a page of a drill was not taken",
                 "drill=%" PRId64 " person=\"%s\" method=%s error=\"%s\"", drill->id, page->person,
                 page->method, outcome.words);
    if (db_write(api->state, job_sent, &job, &err))
        log_error(log, "paging_drill", "what was sent can't be noted", "error=\"%s\"", err.text);
}

bool paging_drill_step(const struct api *api, const struct log *log)
{
    struct sent_job over = {.now_ms = clock_wall_ms()};
    struct paging_drill_page_row page = {0};
    struct paging_drill_row drill;
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, READ_BYTES_MAX);
    if (db_read_begin(api->state, &conn, &err))
        return false;
    int r = paging_drill_db_due(conn, &arena, &drill, &page, &err);

    db_read_end(api->state, conn);
    if (r) {
        log_error(log, "paging_drill", "what is due can't be read", "error=\"%s\"", err.text);
        return false;
    }
    if (page.id && drill.until_ms > over.now_ms) {
        send_one(api, log, &drill, &page);
        return true;
    }
    if (db_write(api->state, job_end, &over, &err) == 0 && over.n_ended)
        log_info(log, "paging_drill", "a paging drill is over", "n=%zu", over.n_ended);
    return false;
}

int64_t paging_drill_last(const struct api *api, const char *policy)
{
    struct db_conn *conn = NULL;
    struct err err = {0};
    int64_t made_ms = 0;

    if (db_read_begin(api->state, &conn, &err))
        return 0;
    (void)paging_drill_db_last(conn, policy, &made_ms, &err);
    db_read_end(api->state, conn);
    return made_ms;
}

/* --- The report ---------------------------------------------------------------------------------------------- */

static void write_head(const struct paging_drill_row *drill, struct json_out *out)
{
    json_kv_int(out, "id", drill->id);
    json_kv_string(out, "policy", drill->policy);
    json_kv_string(out, "by", drill->by);
    json_kv_time(out, "at", drill->made_ms);
    json_kv_time(out, "until", drill->until_ms);
    json_kv_string(out, "state", drill->ended_ms ? "ended" : "running");
}

static void write_page(const struct paging_drill_row *drill,
                       const struct paging_drill_page_row *page,
                       struct json_out *out)
{
    json_open(out, '{');
    json_kv_int(out, "step", page->step < 0 ? -1 : page->step + 1);
    json_kv_string(out, "via", page->via);
    json_kv_string(out, "target", page->target);
    json_kv_string(out, "person", page->person);
    json_kv_string(out, "method", page->method);
    json_kv_string(out, "state", page->state);
    json_kv_string(out, "outcome", page->outcome);
    json_kv_string(out, "words", page->words);
    json_kv_time(out, "answered_at", page->answered_ms);
    json_kv_bool(out, "late", page->answered_ms > drill->until_ms);
    json_close(out, '}');
}

/* The first answer of a person, by any method; NULL: none. */
static const struct paging_drill_page_row *answer_of(const struct paging_drill_page_row *pages,
                                                     size_t n,
                                                     const char *person)
{
    const struct paging_drill_page_row *best = NULL;

    for (size_t i = 0; i < n; i++)
        if (pages[i].answered_ms && pages[i].person && strcmp(pages[i].person, person) == 0 &&
            (!best || pages[i].answered_ms < best->answered_ms))
            best = &pages[i];
    return best;
}

static bool is_first(const struct paging_drill_page_row *pages, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (pages[i].person && strcmp(pages[i].person, pages[index].person) == 0)
            return false;
    return true;
}

static void write_people(const struct paging_drill_row *drill,
                         const struct paging_drill_page_row *pages,
                         size_t n,
                         struct json_out *out)
{
    json_key(out, "people");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (!pages[i].person || !is_first(pages, i))
            continue;
        const struct paging_drill_page_row *answer = answer_of(pages, n, pages[i].person);

        json_open(out, '{');
        json_kv_string(out, "person", pages[i].person);
        json_kv_time(out, "answered_at", answer ? answer->answered_ms : 0);
        json_kv_string(out, "answered_by", answer ? answer->method : NULL);
        if (answer)
            json_kv_int(out, "after_ms", answer->answered_ms - drill->made_ms);
        json_close(out, '}');
    }
    json_close(out, ']');
}

/* Who could not be reached: nobody on call, nothing to send to, refused, no answer. While it
 * goes on, who has not answered yet is not here. */
static const char *why_not(const struct paging_drill_row *drill,
                           const struct paging_drill_page_row *page)
{
    if (strcmp(page->state, "unreached") == 0)
        return page->words ? page->words : "nobody is on call";
    if (page->outcome && strcmp(page->outcome, "accepted") != 0)
        return page->words ? page->words : "it was not taken";
    if (!page->answered_ms && drill->ended_ms)
        return "no answer";
    return NULL;
}

static void write_unreached(const struct paging_drill_row *drill,
                            const struct paging_drill_page_row *pages,
                            size_t n,
                            struct json_out *out)
{
    json_key(out, "unreached");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        const char *why = why_not(drill, &pages[i]);

        if (!why)
            continue;
        json_open(out, '{');
        json_kv_int(out, "step", pages[i].step < 0 ? -1 : pages[i].step + 1);
        json_kv_string(out, "who", pages[i].person ? pages[i].person : pages[i].target);
        json_kv_string(out, "method", pages[i].method);
        json_kv_string(out, "why", why);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void fail(struct http_response *response, int r, const struct err *err)
{
    switch (r) {
    case PAGING_DRILL_E_POLICY:
    case PAGING_DRILL_DB_E_NOT_FOUND: http_fail(response, "not_found", "%s", err->text); break;
    case PAGING_DRILL_E_NOBODY:
    case PAGING_DRILL_DB_E_RUNNING: http_fail(response, "conflict", "%s", err->text); break;
    case PAGING_DRILL_DB_E_LIMIT: http_fail(response, "too_large", "%s", err->text); break;
    default: http_fail(response, "internal", "%s", err->text); break;
    }
}

static void reply(const struct api *api, int64_t id, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct paging_drill_page_row *pages = NULL;
    struct paging_drill_row drill;
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    size_t n = 0;

    arena_init(&arena, READ_BYTES_MAX);
    if (!api_read_begin(api, &conn, response))
        return;
    int r = paging_drill_db_get(conn, id, &arena, &drill, &pages, &n, &err);

    db_read_end(api->state, conn);
    if (r) {
        fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    write_head(&drill, &out);
    json_key(&out, "pages");
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++)
        write_page(&drill, &pages[i], &out);
    json_close(&out, ']');
    write_people(&drill, pages, n, &out);
    write_unreached(&drill, pages, n, &out);
    json_close(&out, '}');
}

static void handle_list(void *context, struct http_request *request, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct paging_drill_row *rows = NULL;
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    size_t n = 0;

    arena_init(&arena, READ_BYTES_MAX);
    if (!api_read_begin(context, &conn, response))
        return;
    int r = paging_drill_db_list(conn, &arena, &rows, &n, &err);

    db_read_end(((const struct api *)context)->state, conn);
    if (r) {
        fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "drills");
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(&out, '{');
        write_head(&rows[i], &out);
        json_close(&out, '}');
    }
    json_close(&out, ']');
    json_close(&out, '}');
}

static void handle_get(void *context, struct http_request *request, struct http_response *response)
{
    char *end = NULL;
    long long id = strtoll(request->path_args[0], &end, 10);

    if (*end || id <= 0)
        http_fail(response, "not_found", "there is no paging drill %.40s", request->path_args[0]);
    else
        reply(context, id, response);
}

static void handle_post(void *context, struct http_request *request, struct http_response *response)
{
    static const char *const known[] = {"policy", "within_ms", NULL};
    const struct api *api = context;
    struct json *body = NULL;
    const char *policy = NULL;
    int64_t within_ms = 0, id = 0;
    struct err err = {0};
    int r = json_parse(request->body, request->body_len, &body, &err);

    if (!r)
        r = json_only(body, known, &err);
    if (!r)
        r = json_get_string(body, "policy", &policy, &err);
    if (!r)
        r = json_get_int_or(body, "within_ms", PAGING_DRILL_WITHIN_MS, &within_ms, &err);
    if (!r && (within_ms < WITHIN_MIN_MS || within_ms > WITHIN_MAX_MS))
        r = json_wrong(body, "within_ms", &err, "from a second to a day");
    if (r) {
        http_fail(response, "bad_data", "%s", err.text);
    } else {
        r = paging_drill_begin(api, policy, roster_actor(request), within_ms, &id, &err);
        if (r) {
            fail(response, r, &err);
        } else {
            api->wake(api->app, API_WAKE_PATHS);
            reply(api, id, response);
            if (response->status == 200)
                response->status = 201;
        }
    }
    json_free(body);
}

static const struct http_route routes[] = {
    {"GET", PATH, HTTP_SCOPE_READ, 0, handle_list, "paging drills, newest first"},
    {"GET", PATH "/{id}", HTTP_SCOPE_READ, 0, handle_get,
     "a paging drill: who answered by which method, and who could not be reached"},
    {"POST", PATH, HTTP_SCOPE_OPERATE, 0, handle_post,
     "sends a marked page to every contact of everybody whom a policy would page"},
};

const struct api_table api_paging_drill_routes = {routes, sizeof(routes) / sizeof(routes[0])};
