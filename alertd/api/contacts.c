/*
 * A test of a contact, end to end:
 *
 *   POST …/contacts/0/test --> a link --> one attempt through deliver/ --> its outcome kept
 *                                              |
 *       the person's phone:  GET /c/TOKEN  <---+    says what it is; changes nothing
 *                            POST /c/TOKEN          "it arrived": the contact is verified
 *
 * The page has no JavaScript and needs no login: the token is all the right there is, and
 * good for nothing else. One attempt is made, while the caller waits: a test says at once
 * whether the other side took it.
 */

#include "alertd/api/contacts.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/ack_page.h"
#include "alertd/db/contact_db.h"
#include "alertd/deliver/contact.h"
#include "alertd/deliver/receiver.h"
#include "alertd/oncall/spelling.h"
#include "lib/base/clock.h"
#include "lib/base/html.h"

enum {
    TEST_BYTES_MAX = 4 * 1024 * 1024,
};

/* --- the test --- */

/* What one test needs, from the contact to its link. */
struct test {
    const struct api *api;
    struct arena arena;
    struct contact_check check;
    const char *title;
    char token[CONTACT_TOKEN_MAX];
    struct contact_outcome *outcome;
};

static int job_begin(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct test *test = arg;

    return contact_db_begin(conn, &test->check, test->token, reterr);
}

static int job_sent(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct test *test = arg;

    return contact_db_sent(conn, test->token, test->outcome->outcome, test->outcome->words, reterr);
}

static int find_contact(struct test *test, const char *name, size_t index, struct err *reterr)
{
    struct roster_item item;
    struct person person;
    struct db_conn *conn = NULL;
    int r = db_read_begin(test->api->state, &conn, reterr);

    if (r)
        return r;
    r = roster_db_get(conn, ROSTER_PERSON, name, &test->arena, &item, reterr);
    db_read_end(test->api->state, conn);
    if (r == 0)
        r = person_parse(item.spec, strlen(item.spec), &test->arena, &person, reterr);
    if (r)
        return r;
    if (index >= person.n_contacts)
        return err_set(reterr, ROSTER_DB_E_NOT_FOUND, "'%s' has no contact %zu", name, index);
    test->check.person = person.name;
    test->check.method = person.contacts[index].method;
    test->check.address = person.contacts[index].address;
    return 0;
}

/* A page as any other, so that what a test shows is what a page at night will look like. */
static void send(struct test *test, const struct route_integration *to)
{
    STR_AUTO struct str link = STR_INIT(1000);
    STR_AUTO struct str people = STR_INIT(1000);
    struct deliver_outcome outcome;
    struct deliver *deliver = deliver_new();
    const struct labels *none = labels_in_arena(&test->arena, NULL, 0);
    const struct incident_alert alert = {
        .name = "Test",
        .expr = "",
        .labels = none,
        .annotations = none,
        .firing = true,
        .active_at_ms = test->check.made_ms,
        .fired_at_ms = test->check.made_ms,
        .value = NAN,
    };
    char key[33];

    str_addf(&link, "%s/c/%s", test->api->external_url, test->token);
    str_addf(&people, "%s/people", test->api->external_url);
    (void)snprintf(key, sizeof(key), "%016llx%.16s", (unsigned long long)test->check.made_ms,
                   test->token);
    const struct page page = {
        .incident = {.key = "TEST",
                     .title = test->title,
                     .severity = "test",
                     .status = INCIDENT_TRIGGERED,
                     .opened_at_ms = test->check.made_ms,
                     .labels = none,
                     .group_key = "test",
                     .n_alerts = 1,
                     .n_firing = 1},
        .alerts = &alert,
        .n_alerts = 1,
        .reason = "first",
        .receiver = test->check.person,
        .kind = test->check.method,
        .idempotency_key = key,
        .root_id = key,
        .now_ms = test->check.made_ms,
        .owed_at_ms = test->check.made_ms,
        .incident_url = str_text(&people),
        .acknowledge_url = str_text(&link),
        .external_url = test->api->external_url,
        .lane = "test",
    };

    if (none)
        deliver_send(deliver, to, &page, &outcome);
    else
        outcome = (struct deliver_outcome){.verdict = DELIVER_LATER, .words = "out of memory"};
    deliver_free(deliver);
    static const char *const names[] = {
        [DELIVER_ACCEPTED] = "accepted", [DELIVER_LATER] = "later", [DELIVER_REFUSED] = "refused"};

    test->outcome->outcome = names[outcome.verdict];
    (void)snprintf(test->outcome->words, sizeof(test->outcome->words), "%s", outcome.words);
}

/* From the check to its outcome. */
static int perform(struct test *test, struct err *reterr)
{
    const struct api *api = test->api;
    const struct route_config *config = api->route;
    struct route_integration to;
    struct err err = {0};

    *test->outcome = (struct contact_outcome){.outcome = "refused"};
    int r = db_write(api->state, job_begin, test, reterr);

    if (r)
        return r;
    if (contact_integration(config, test->check.person, test->check.method, test->check.address,
                            &test->arena, &to, &err) == 0)
        send(test, &to);
    else
        (void)snprintf(test->outcome->words, sizeof(test->outcome->words), "%s", err.text);
    return db_write(api->state, job_sent, test, reterr);
}

int contact_send(const struct api *api,
                 const struct contact_ask *ask,
                 char *ret_token,
                 struct contact_outcome *ret_outcome,
                 struct err *reterr)
{
    struct test test = {
        .api = api,
        .title = ask->title,
        .check = {.person = ask->person,
                  .method = ask->method,
                  .address = ask->address,
                  .by = ask->by,
                  .made_ms = clock_wall_ms()},
        .outcome = ret_outcome,
    };

    arena_init(&test.arena, TEST_BYTES_MAX);
    int r = perform(&test, reterr);

    if (r == 0)
        (void)snprintf(ret_token, CONTACT_TOKEN_MAX, "%s", test.token);
    arena_reset(&test.arena);
    return r;
}

int contact_test(const struct api *api,
                 const char *person,
                 size_t index,
                 const char *by,
                 struct contact_outcome *ret_outcome,
                 struct err *reterr)
{
    STR_AUTO struct str title = STR_INIT(300);
    struct test test = {
        .api = api,
        .check = {.by = by, .made_ms = clock_wall_ms()},
        .outcome = ret_outcome,
    };

    arena_init(&test.arena, TEST_BYTES_MAX);
    *ret_outcome = (struct contact_outcome){.outcome = "refused"};
    int r = find_contact(&test, person, index, reterr);

    if (r == 0) {
        str_addf(&title, "TEST for %s, nothing is wrong: press the link to confirm it arrived",
                 test.check.person);
        test.title = str_text(&title);
        r = perform(&test, reterr);
    }
    arena_reset(&test.arena);
    return r;
}

void contacts_post_test(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    struct contact_outcome outcome;
    struct err err = {0};
    char *end = NULL;
    unsigned long index = strtoul(request->path_args[1], &end, 10);

    if (*end || end == request->path_args[1] || index >= ROSTER_CONTACTS_MAX) {
        http_fail(response, "not_found", "there is no contact %.20s", request->path_args[1]);
        return;
    }
    int r = contact_test(api, request->path_args[0], index, roster_actor(request), &outcome, &err);

    if (r) {
        roster_fail(response, r, &err);
        return;
    }
    roster_tell(api, ROSTER_PERSON, request->path_args[0]);
    json_open(&out, '{');
    json_kv_string(&out, "outcome", outcome.outcome);
    json_kv_string(&out, "words", outcome.words[0] ? outcome.words : NULL);
    json_close(&out, '}');
}

/* --- the page --- */

static void say(struct http_response *response,
                int status,
                const char *title,
                const char *words,
                bool with_button)
{
    struct str *out = &response->body;

    response->status = status;
    response->content_type = "text/html; charset=utf-8";
    str_add(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                 "<meta name=\"robots\" content=\"noindex\">"
                 "<link rel=\"stylesheet\" href=\"/a/style.css\"><title>");
    html_escape(out, title);
    str_add(out, "</title></head><body><main>\n<h1>");
    html_escape(out, title);
    str_add(out, "</h1>\n<p>");
    html_escape(out, words);
    str_add(out, "</p>\n");
    if (with_button)
        str_add(out, "<form method=\"post\"><button class=\"main\">It arrived</button></form>\n"
                     "<p class=\"soft\">If this is not for you, close the page: nothing "
                     "happens.</p>\n");
    str_add(out, "</main></body></html>\n");
}

static void page_fail(struct http_response *response, int r, const struct err *err)
{
    if (r == CONTACT_DB_E_NOT_FOUND)
        say(response, 404, "This link does not work any more",
            "It is unknown or more than a week old. Ask for another test.", false);
    else
        say(response, 500, "That did not work", err->text, false);
}

void contacts_page_show(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    STR_AUTO struct str words = STR_INIT(600);
    struct contact_check check;
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, TEST_BYTES_MAX);
    int r = db_read_begin(api->state, &conn, &err);

    if (r == 0) {
        r = contact_db_find(conn, request->path_args[0], clock_wall_ms(), &arena, &check, &err);
        db_read_end(api->state, conn);
    }
    if (r) {
        page_fail(response, r, &err);
        return;
    }
    str_addf(&words, "%s asked for a test by %s to %s. Nothing is wrong.", check.by, check.method,
             check.person);
    if (check.confirmed_ms)
        say(response, 200, "Confirmed",
            "Thank you: pages reach you this way. You can close this page.", false);
    else
        say(response, 200, "Did the test reach you?", str_text(&words), true);
}

struct confirming {
    const char *token;
    char person[ROSTER_NAME_MAX + 1];
};

static int job_confirm(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct confirming *confirming = arg;
    struct contact_check check;
    ARENA_AUTO struct arena arena;
    int64_t now_ms = clock_wall_ms();

    arena_init(&arena, TEST_BYTES_MAX);
    int r = contact_db_find(conn, confirming->token, now_ms, &arena, &check, reterr);

    if (r)
        return r;
    (void)snprintf(confirming->person, sizeof(confirming->person), "%s", check.person);
    return contact_db_confirm(conn, confirming->token, now_ms, reterr);
}

void contacts_page_confirm(void *context,
                           struct http_request *request,
                           struct http_response *response)
{
    const struct api *api = context;
    struct confirming confirming = {.token = request->path_args[0]};
    struct err err = {0};
    int r = db_write(api->state, job_confirm, &confirming, &err);

    if (r) {
        page_fail(response, r, &err);
        return;
    }
    roster_tell(api, ROSTER_PERSON, confirming.person);
    response->status = 303; /* reloading does not send it again */
    http_add_header(response, "Location", request->path);
}
