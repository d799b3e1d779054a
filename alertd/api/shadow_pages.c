/*
 * The calls about pages of shadows: looking at one's copies, saying what one made of them, and
 * comparing that with what really happened. Nothing here changes anything that is real.
 */

#include "alertd/api/shadow_pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/roster_call.h"
#include "alertd/api/shadow_phone.h"
#include "alertd/db/incident_db.h"
#include "lib/base/clock.h"
#include "lib/json/read.h"

#define PATH "/api/alertd/v1/shadow-pages"

enum {
    LIST_DEFAULT = 100,
    LIST_MAX = 1000,
};

void shadow_pages_fail(struct http_response *response, int r, const struct err *err)
{
    const char *type = "internal";

    if (r == SHADOW_DB_E_NOT_FOUND || r == INCIDENT_DB_E_NOT_FOUND)
        type = "not_found";
    else if (r == SHADOW_DB_E_REVERSE)
        type = "conflict";
    else if (r == SHADOW_DB_E_LIMIT || r == INCIDENT_DB_E_LIMIT)
        type = "too_large";
    else if (r == DB_E_FULL)
        type = "unavailable";
    else if (r == JSON_E_SYNTAX || r == JSON_E_TYPE)
        type = "bad_data";
    http_fail(response, type, "%s", err->text);
}

bool shadow_pages_hides(const struct shadow_page *page)
{
    return strcmp(page->status, "resolved") != 0 && !page->hypothesis_ms && !page->revealed_ms;
}

static int job_do(struct db_conn *conn, void *arg, struct err *reterr)
{
    return shadow_db_do(conn, arg, reterr);
}

int shadow_pages_do(const struct api *api, const struct shadow_deed *deed, struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(64);
    struct shadow_deed copy = *deed;
    struct json_out out = JSON_OUT(&text);
    int r = db_write(api->state, job_do, &copy, reterr);

    if (r || !api->hub)
        return r;
    json_open(&out, '{');
    json_kv_int(&out, "id", deed->page_id);
    json_close(&out, '}');
    http_hub_publish(api->hub, "shadow_page", str_text(&text));
    return 0;
}

/* Whose page it is says what they made of it; somebody else only by saying for whom: ?for=NAME. Where
 * everybody may do everything nobody is anybody. The one rule, for whoever calls: the dashboard reads
 * `yours`. */
static bool is_yours(const struct http_request *request, const char *person)
{
    return !request->who.token_id || strcmp(request->who.name, person) == 0;
}

static bool may_act(const struct api *api,
                    const struct http_request *request,
                    int64_t page_id,
                    struct http_response *response)
{
    const char *whom = http_query(request, "for");
    struct shadow_page page;
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, SHADOW_PAGES_READ_BYTES_MAX);
    int r = db_read_begin(api->state, &conn, &err);

    if (r == 0) {
        r = shadow_db_get(conn, page_id, &arena, &page, &err);
        db_read_end(api->state, conn);
    }
    if (r) {
        shadow_pages_fail(response, r, &err);
        return false;
    }
    if (whom && strcmp(whom, page.person) != 0) {
        http_fail(response, "bad_data", "for: this page is %s's", page.person);
        return false;
    }
    if (whom || is_yours(request, page.person))
        return true;
    http_fail(response, "forbidden", "this page is %s's: ?for=%s fills it in for them", page.person,
              page.person);
    return false;
}

/* --- showing --- */

static void kv_answer(struct json_out *out, const char *key, enum shadow_answer answer)
{
    json_key(out, key);
    if (answer == SHADOW_NOT_ANSWERED)
        json_null(out);
    else
        json_bool(out, answer == SHADOW_YES);
}

static void kv_pair(struct json_out *out,
                    const char *key,
                    const char *const names[2],
                    const char *const values[2])
{
    json_key(out, key);
    json_open(out, '{');
    for (unsigned i = 0; i < 2; i++)
        json_kv_string(out, names[i], values[i]);
    json_close(out, '}');
}

static int write_deliveries(struct roster_view *view,
                            int64_t page_id,
                            struct json_out *out,
                            struct err *reterr)
{
    struct shadow_delivery *rows = NULL;
    size_t n = 0;
    int r = shadow_db_deliveries(view->conn, page_id, &view->arena, &rows, &n, reterr);

    json_key(out, "deliveries");
    json_open(out, '[');
    for (size_t i = 0; r == 0 && i < n; i++) {
        json_open(out, '{');
        json_kv_string(out, "receiver", rows[i].receiver);
        json_kv_string(out, "kind", rows[i].kind);
        json_kv_string(out, "state",
                       strcmp(rows[i].state, "sending") == 0 ? "waiting" : rows[i].state);
        json_kv_time(out, "sent_at", rows[i].sent_ms);
        json_kv_string(out, "error", rows[i].error);
        json_close(out, '}');
    }
    json_close(out, ']');
    return r;
}

static void write_incident(struct json_out *out, const struct shadow_page *page)
{
    json_key(out, "incident");
    json_open(out, '{');
    json_kv_string(out, "key", page->key);
    json_kv_string(out, "title", page->title);
    json_kv_string(out, "severity", page->severity);
    json_kv_string(out, "state", page->status);
    json_close(out, '}');
}

static int write_page(struct roster_view *view,
                      const struct http_request *request,
                      const struct shadow_page *page,
                      struct json_out *out,
                      struct err *reterr)
{
    static const char *const of_names[2] = {"kind", "name"};
    const char *const of[2] = {page->of_kind, page->of_name};
    const struct person *person = roster_person(&view->roster, page->person);

    json_open(out, '{');
    json_kv_int(out, "id", page->id);
    json_kv_string(out, "person", page->person);
    json_kv_string(out, "full_name", person ? person->full_name : NULL);
    json_kv_bool(out, "yours", is_yours(request, page->person));
    json_kv_string(out, "shadow", page->shadow);
    json_kv_string(out, "mode", page->mode);
    json_kv_string(out, "mentor", page->mentor);
    kv_pair(out, "of", of_names, of);
    write_incident(out, page);
    json_kv_time(out, "made_at", page->made_ms);
    json_kv_time(out, "told_at", page->told_ms);
    json_kv_time(out, "seen_at", page->seen_ms);
    json_kv_time(out, "opened_at", page->opened_ms);
    json_kv_time(out, "acknowledged_at", page->acknowledged_ms);
    json_kv_string(out, "hypothesis", page->hypothesis);
    json_kv_time(out, "hypothesis_at", page->hypothesis_ms);
    json_kv_string(out, "notes", page->notes);
    json_key(out, "answers");
    json_open(out, '{');
    kv_answer(out, "acted_on", page->answers.acted_on);
    kv_answer(out, "made_sense", page->answers.made_sense);
    kv_answer(out, "knew_where", page->answers.knew_where);
    json_kv_time(out, "answered_at", page->answered_ms);
    json_close(out, '}');
    int r = write_deliveries(view, page->id, out, reterr);

    json_close(out, '}');
    return r;
}

/* The path's page. False: the response says why not. */
static bool read_id(const struct http_request *request,
                    int64_t *ret_id,
                    struct http_response *response)
{
    const char *text = request->path_args[0];

    *ret_id = strspn(text, "0123456789") == strlen(text) && strlen(text) < 19
                  ? strtoll(text, NULL, 10)
                  : 0;
    if (*ret_id <= 0)
        http_fail(response, "not_found", "there is no shadow page '%.40s'", text);
    return *ret_id > 0;
}

static void reply(const struct api *api,
                  const struct http_request *request,
                  int64_t id,
                  struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct shadow_page page;
    struct roster_view view;
    struct err err = {0};

    if (!roster_view_open(api, &view, response))
        return;
    int r = shadow_db_get(view.conn, id, &view.arena, &page, &err);

    if (r == 0)
        r = write_page(&view, request, &page, &out, &err);
    if (r)
        shadow_pages_fail(response, r, &err);
    roster_view_close(&view);
}

static bool read_limit(const struct http_request *request,
                       unsigned *ret_limit,
                       struct http_response *response)
{
    const char *text = http_query(request, "limit");
    char *end = NULL;

    *ret_limit = LIST_DEFAULT;
    if (!text || !*text)
        return true;
    errno = 0;
    long value = *text >= '1' && *text <= '9' ? strtol(text, &end, 10) : 0;

    if (!value || errno || *end || value > LIST_MAX) {
        http_fail(response, "bad_data", "limit: expected 1 to %d", LIST_MAX);
        return false;
    }
    *ret_limit = (unsigned)value;
    return true;
}

static void get_pages(void *context, struct http_request *request, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct shadow_query query = {.person = http_query(request, "person"),
                                 .incident = http_query(request, "incident")};
    struct shadow_page *pages = NULL;
    struct roster_view view;
    struct err err = {0};
    size_t n = 0;

    if (!read_limit(request, &query.limit, response) || !roster_view_open(context, &view, response))
        return;
    int r = shadow_db_list(view.conn, &query, &view.arena, &pages, &n, &err);

    json_open(&out, '{');
    json_key(&out, "shadow_pages");
    json_open(&out, '[');
    for (size_t i = 0; r == 0 && i < n; i++)
        r = write_page(&view, request, &pages[i], &out, &err);
    json_close(&out, ']');
    json_close(&out, '}');
    if (r)
        shadow_pages_fail(response, r, &err);
    roster_view_close(&view);
}

static void get_page(void *context, struct http_request *request, struct http_response *response)
{
    int64_t id;

    if (read_id(request, &id, response))
        reply(context, request, id, response);
}

/* --- deeds --- */

static int read_answer(const struct json *body,
                       const char *key,
                       enum shadow_answer *ret_answer,
                       struct err *reterr)
{
    const struct json *value = json_get(body, key);
    bool yes = false;

    *ret_answer = SHADOW_AS_BEFORE;
    if (!value)
        return 0;
    if (json_is_null(value)) {
        *ret_answer = SHADOW_NOT_ANSWERED;
        return 0;
    }
    if (json_truth(value, &yes) != 0)
        return err_set(reterr, JSON_E_TYPE, "%s: expected true, false or null", key);
    *ret_answer = yes ? SHADOW_YES : SHADOW_NO;
    return 0;
}

static int read_text(const struct json *body, const char **ret_text, struct err *reterr)
{
    int r = json_get_string(body, "text", ret_text, reterr);

    if (r == 0 && (strlen(*ret_text) > SHADOW_TEXT_BYTES_MAX ||
                   !labels_text_ok(*ret_text, strlen(*ret_text))))
        r = err_set(reterr, JSON_E_TYPE, "text: at most %d bytes of text", SHADOW_TEXT_BYTES_MAX);
    return r;
}

static int read_deed(const struct json *body, struct shadow_deed *deed, struct err *reterr)
{
    static const char *const nothing[] = {NULL};
    static const char *const text[] = {"text", NULL};
    static const char *const answers[] = {"acted_on", "made_sense", "knew_where", NULL};
    bool has_text = deed->kind == SHADOW_HYPOTHESIS || deed->kind == SHADOW_NOTES;
    bool has_answers = deed->kind == SHADOW_ANSWERS;
    int r = json_is_object(body) ? 0 : err_set(reterr, JSON_E_TYPE, "the body: expected an object");

    if (r == 0)
        r = json_only(body, has_text ? text : has_answers ? answers : nothing, reterr);
    if (r == 0 && has_text)
        r = read_text(body, &deed->text, reterr);
    if (r == 0 && deed->kind == SHADOW_HYPOTHESIS && !deed->text[strspn(deed->text, " \t\r\n")])
        r = err_set(reterr, JSON_E_TYPE, "text: a guess needs words");
    if (r || !has_answers)
        return r;
    r = read_answer(body, "acted_on", &deed->answers.acted_on, reterr);
    if (r == 0)
        r = read_answer(body, "made_sense", &deed->answers.made_sense, reterr);
    return r == 0 ? read_answer(body, "knew_where", &deed->answers.knew_where, reterr) : r;
}

static void act(const struct api *api,
                struct http_request *request,
                enum shadow_deed_kind kind,
                struct http_response *response)
{
    struct shadow_deed deed = {
        .kind = kind, .actor = roster_actor(request), .now_ms = clock_wall_ms()};
    struct json *body = NULL;
    struct err err = {0};

    if (!read_id(request, &deed.page_id, response) ||
        !may_act(api, request, deed.page_id, response))
        return;
    int r = request->body_len ? json_parse(request->body, request->body_len, &body, &err)
                              : json_parse("{}", 2, &body, &err);

    if (r == 0)
        r = read_deed(body, &deed, &err);
    if (r == 0)
        r = shadow_pages_do(api, &deed, &err);
    json_free(body);
    if (r)
        shadow_pages_fail(response, r, &err);
    else
        reply(api, request, deed.page_id, response);
}

static void post_seen(void *context, struct http_request *request, struct http_response *response)
{
    act(context, request, SHADOW_SEEN, response);
}

static void post_opened(void *context, struct http_request *request, struct http_response *response)
{
    act(context, request, SHADOW_OPENED, response);
}

static void post_ack(void *context, struct http_request *request, struct http_response *response)
{
    act(context, request, SHADOW_ACKNOWLEDGED, response);
}

static void post_hypothesis(void *context,
                            struct http_request *request,
                            struct http_response *response)
{
    act(context, request, SHADOW_HYPOTHESIS, response);
}

static void post_notes(void *context, struct http_request *request, struct http_response *response)
{
    act(context, request, SHADOW_NOTES, response);
}

static void post_answers(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    act(context, request, SHADOW_ANSWERS, response);
}

/* --- both timelines --- */

static int64_t behind(int64_t at_ms, int64_t made_ms)
{
    return at_ms ? at_ms > made_ms ? at_ms - made_ms : 0 : -1;
}

void shadow_pages_compare(const struct shadow_page *page,
                          struct shadow_compared ret_lines[SHADOW_COMPARED_N])
{
    const int64_t made_ms = page->made_ms;
    const struct shadow_compared lines[SHADOW_COMPARED_N] = {
        {"told", behind(page->told_ms, made_ms), behind(page->real_told_ms, made_ms)},
        {"seen", behind(page->seen_ms, made_ms), -1},
        {"acknowledged", behind(page->acknowledged_ms, made_ms),
         behind(page->real_acknowledged_ms, made_ms)},
        {"hypothesis", behind(page->hypothesis_ms, made_ms), -1},
        {"resolved", -1, behind(page->real_resolved_ms, made_ms)},
    };

    memcpy(ret_lines, lines, sizeof(lines));
}

static void kv_ms(struct json_out *out, const char *key, int64_t ms)
{
    json_key(out, key);
    if (ms < 0)
        json_null(out);
    else
        json_int(out, ms);
}

static void write_shadow_event(struct json_out *out, const struct shadow_event *event)
{
    json_open(out, '{');
    json_kv_time(out, "at", event->at_ms);
    json_kv_string(out, "kind", event->kind);
    json_kv_string(out, "actor", event->actor);
    json_kv_string(out, "words", event->words);
    json_close(out, '}');
}

static void write_real_event(struct json_out *out, const struct timeline_event *event)
{
    json_open(out, '{');
    json_kv_time(out, "at", event->occurred_at_ms);
    json_kv_string(out, "kind", event->kind);
    json_kv_string(out, "actor", event->actor);
    json_kv_string(out, "words", event->text);
    json_close(out, '}');
}

static int write_timelines(struct db_conn *conn,
                           const struct shadow_page *page,
                           struct arena *arena,
                           struct json_out *out,
                           struct err *reterr)
{
    struct shadow_compared lines[SHADOW_COMPARED_N];
    struct timeline_event *real = NULL;
    struct shadow_event *story = NULL;
    size_t n_story = 0;
    size_t n_real = 0;
    int r = shadow_db_story(conn, page->id, arena, &story, &n_story, reterr);

    if (r == 0)
        r = incident_db_timeline(conn, page->incident_id, arena, &real, &n_real, reterr);
    if (r)
        return r;
    shadow_pages_compare(page, lines);
    json_open(out, '{');
    json_key(out, "shadow");
    json_open(out, '[');
    for (size_t i = 0; i < n_story; i++)
        write_shadow_event(out, &story[i]);
    json_close(out, ']');
    json_key(out, "real");
    json_open(out, '[');
    for (size_t i = 0; i < n_real; i++)
        write_real_event(out, &real[i]);
    json_close(out, ']');
    json_key(out, "compared");
    json_open(out, '[');
    for (size_t i = 0; i < SHADOW_COMPARED_N; i++) {
        json_open(out, '{');
        json_kv_string(out, "what", lines[i].what);
        kv_ms(out, "shadow_ms", lines[i].shadow_ms);
        kv_ms(out, "real_ms", lines[i].real_ms);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_close(out, '}');
    return 0;
}

/* Who asks to see it before they guessed: that is kept. */
static bool reveal(const struct api *api,
                   struct http_request *request,
                   int64_t page_id,
                   struct http_response *response)
{
    const struct shadow_deed deed = {.page_id = page_id,
                                     .kind = SHADOW_REVEALED,
                                     .actor = roster_actor(request),
                                     .now_ms = clock_wall_ms()};
    struct err err = {0};
    int r = shadow_pages_do(api, &deed, &err);

    if (r)
        shadow_pages_fail(response, r, &err);
    return r == 0;
}

static void get_timelines(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    const char *asks = http_query(request, "reveal");
    const struct api *api = context;
    struct db_conn *conn = NULL;
    struct shadow_page page;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    int64_t id;

    arena_init(&arena, SHADOW_PAGES_READ_BYTES_MAX);
    if (!read_id(request, &id, response))
        return;
    int r = db_read_begin(api->state, &conn, &err);

    if (r == 0)
        r = shadow_db_get(conn, id, &arena, &page, &err);
    bool hides = r == 0 && shadow_pages_hides(&page);
    bool reveals = hides && asks && strcmp(asks, "1") == 0;

    if (r == 0 && (!hides || reveals))
        r = write_timelines(conn, &page, &arena, &out, &err);
    if (conn)
        db_read_end(api->state, conn);
    if (r)
        shadow_pages_fail(response, r, &err);
    else if (hides && !reveals)
        http_fail(response, "conflict",
                  "first write down what you think it is: what really happened is shown then, or"
                  " when the incident is over, or with ?reveal=1");
    else if (reveals)
        (void)reveal(api, request, id, response);
}

static const struct http_route routes[] = {
    {"GET", PATH, HTTP_SCOPE_READ, 0, get_pages, "pages of shadows, newest first"},
    {"GET", PATH "/{id}", HTTP_SCOPE_READ, 0, get_page, "one page of a shadow"},
    {"POST", PATH "/{id}/seen", HTTP_SCOPE_OPERATE, 0, post_seen, "the shadow saw it"},
    {"POST", PATH "/{id}/opened", HTTP_SCOPE_OPERATE, 0, post_opened, "the shadow opened it"},
    {"POST", PATH "/{id}/acknowledge", HTTP_SCOPE_OPERATE, 0, post_ack,
     "acknowledges the shadow's own copy, and nothing real"},
    {"POST", PATH "/{id}/hypothesis", HTTP_SCOPE_OPERATE, 0, post_hypothesis,
     "what the shadow thinks it is"},
    {"POST", PATH "/{id}/notes", HTTP_SCOPE_OPERATE, 0, post_notes, "the shadow's notes"},
    {"POST", PATH "/{id}/answers", HTTP_SCOPE_OPERATE, 0, post_answers,
     "acted on, made sense, knew where to look"},
    {"GET", PATH "/{id}/timelines", HTTP_SCOPE_READ, 0, get_timelines,
     "the shadow's story beside the real one, once they have guessed"},
    {"GET", "/s/{token}", HTTP_SCOPE_NONE, 0, shadow_phone_show,
     "the phone page of one shadow page: HTML, no JavaScript"},
    {"POST", "/s/{token}", HTTP_SCOPE_NONE, 0, shadow_phone_change,
     "see, acknowledge, guess and answer from the shadow's phone page"},
};

const struct api_table api_shadow_pages_routes = {routes, sizeof(routes) / sizeof(routes[0])};
