/*
 * The calls about people and their contacts.
 *
 * An address may be a secret (the topic of a push service, the key in a webhook): it goes in
 * and never comes out. Who changes a person without knowing it says `"keep": 2`: the address
 * that contact 2 has now.
 */

#include <string.h>

#include "alertd/api/contacts.h"
#include "alertd/db/contact_db.h"
#include "alertd/deliver/contact.h"
#include "alertd/oncall/spelling.h"
#include "lib/base/clock.h"

/* --- showing --- */

struct contact_counts {
    size_t verified, broken;
};

static int write_contact(struct roster_view *view,
                         const struct person *person,
                         const struct contact *contact,
                         struct contact_counts *counts,
                         struct json_out *out,
                         struct err *reterr)
{
    STR_AUTO struct str shown = STR_INIT(4000);
    struct contact_state state = {0};
    struct route_integration to;
    struct err why = {0};
    int r = contact_db_state(view->conn, person->name, contact->method, contact->address,
                             &view->arena, &state, reterr);

    if (r)
        return r;
    int broken = contact_integration(view->api->route, person->name, contact->method,
                                     contact->address, &view->arena, &to, &why);

    counts->verified += state.confirmed_ms != 0;
    counts->broken += broken != 0;
    contact_show(contact->method, contact->address, &shown);
    json_open(out, '{');
    json_kv_string(out, "method", contact->method);
    json_kv_string(out, "address", str_text(&shown));
    json_kv_bool(out, "secret", contact_is_secret(contact->method));
    json_kv_string(out, "broken", broken ? why.text : NULL);
    json_kv_time(out, "verified_at", state.confirmed_ms);
    json_kv_time(out, "tested_at", state.tested_ms);
    json_kv_string(out, "outcome", state.outcome);
    json_kv_string(out, "words", state.words && *state.words ? state.words : NULL);
    json_close(out, '}');
    return 0;
}

static void write_warnings(const struct person *person,
                           const struct contact_counts *counts,
                           struct json_out *out)
{
    json_key(out, "warnings");
    json_open(out, '[');
    if (person->n_contacts == 0)
        json_string(out, "no contact: pages cannot reach them");
    else if (counts->broken == person->n_contacts)
        json_string(out, "no contact works: pages cannot reach them");
    else if (counts->verified == 0)
        json_string(out, "no contact is verified: send a test and press the link in it");
    json_close(out, ']');
}

static int write_person(struct roster_view *view,
                        const struct roster_item *item,
                        struct json_out *out,
                        struct err *reterr)
{
    const struct person *person = roster_person(&view->roster, item->name);
    struct contact_counts counts = {0};
    int r = 0;

    json_open(out, '{');
    roster_write_head(out, item);
    json_kv_string(out, "full_name", person ? person->full_name : NULL);
    json_kv_string(out, "zone", person ? person->zone : NULL);
    json_key(out, "contacts");
    json_open(out, '[');
    for (size_t i = 0; person && r == 0 && i < person->n_contacts; i++)
        r = write_contact(view, person, &person->contacts[i], &counts, out, reterr);
    json_close(out, ']');
    if (person)
        write_warnings(person, &counts, out);
    json_close(out, '}');
    return r;
}

static void reply(const struct api *api, const char *name, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct roster_item item;
    struct roster_view view;
    struct err err = {0};

    if (!roster_view_open(api, &view, response))
        return;
    int r = roster_db_get(view.conn, ROSTER_PERSON, name, &view.arena, &item, &err);

    if (r == 0)
        r = write_person(&view, &item, &out, &err);
    if (r)
        roster_fail(response, r, &err);
    roster_view_close(&view);
}

static void get_people(void *context, struct http_request *request, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct roster_item *items = NULL;
    struct roster_view view;
    struct err err = {0};
    size_t n = 0;

    if (!roster_view_open(context, &view, response))
        return;
    int r = roster_db_list(view.conn, ROSTER_PERSON, NULL, &view.arena, &items, &n, &err);

    json_open(&out, '{');
    json_key(&out, "people");
    json_open(&out, '[');
    for (size_t i = 0; r == 0 && i < n; i++)
        r = write_person(&view, &items[i], &out, &err);
    json_close(&out, ']');
    json_close(&out, '}');
    if (r)
        roster_fail(response, r, &err);
    roster_view_close(&view);
}

static void get_person(void *context, struct http_request *request, struct http_response *response)
{
    reply(context, request->path_args[0], response);
}

/* --- changing --- */

/* One contact of the body; `keep` becomes the address it stands for. What has a wrong type is
 * passed on as such, for the parser to name. */
static int copy_contact(const struct json *contact,
                        const struct person *now,
                        struct json_out *out,
                        struct err *reterr)
{
    const struct json *value = NULL;
    const char *key = NULL;
    int64_t keep = -1;
    int r = json_get_int_or(contact, "keep", -1, &keep, reterr);

    if (r)
        return r;
    json_open(out, '{');
    for (size_t i = 0; json_member(contact, i, &key, &value); i++) {
        if (strcmp(key, "keep") == 0)
            continue;
        json_key(out, key);
        if (json_text(value))
            json_string(out, json_text(value));
        else
            json_int(out, 0);
    }
    if (json_has(contact, "keep")) {
        if (!now || keep < 0 || (size_t)keep >= now->n_contacts)
            return json_wrong(contact, "keep", reterr, "there is no contact %lld to keep",
                              (long long)keep);
        json_kv_string(out, "address", now->contacts[keep].address);
    }
    json_close(out, '}');
    return 0;
}

static int copy_body(const struct json *root,
                     const struct person *now,
                     struct json_out *out,
                     struct err *reterr)
{
    const struct json *value = NULL;
    const char *key = NULL;
    int r = 0;

    json_open(out, '{');
    for (size_t i = 0; r == 0 && json_member(root, i, &key, &value); i++) {
        json_key(out, key);
        if (json_is_array(value) && strcmp(key, "contacts") == 0) {
            json_open(out, '[');
            for (size_t j = 0; r == 0 && j < json_length(value); j++)
                r = copy_contact(json_at(value, j), now, out, reterr);
            if (r == 0)
                json_close(out, ']');
        } else if (json_text(value)) {
            json_string(out, json_text(value));
        } else if (json_has(root, key)) {
            json_int(out, 0);
        } else {
            json_null(out);
        }
    }
    if (r == 0)
        json_close(out, '}');
    return r;
}

static int check_contacts(const struct person *person, struct err *reterr)
{
    for (size_t i = 0; i < person->n_contacts; i++) {
        const struct contact *one = &person->contacts[i];
        int r = contact_valid(one->method, one->address, reterr);

        if (r)
            return err_prefix(reterr, r, "contacts[%zu].%s", i,
                              r == CONTACT_E_METHOD ? "method" : "address");
    }
    return 0;
}

/* The body as a person; now NULL: nobody of that name is here yet. */
static bool read_body(const struct http_request *request,
                      const struct person *now,
                      struct person *ret_person,
                      struct http_response *response)
{
    STR_AUTO struct str text = STR_INIT(JSON_BODY_MAX * 2);
    struct json_out out = JSON_OUT(&text);
    struct json *root = NULL;
    struct err err = {0};
    int r = json_parse(request->body, request->body_len, &root, &err);

    if (r == 0 && !json_is_object(root))
        r = err_set(&err, JSON_E_TYPE, "the body: expected an object");
    if (r == 0)
        r = copy_body(root, now, &out, &err);
    json_free(root);
    if (r == 0)
        r = person_parse(str_text(&text), text.len, request->arena, ret_person, &err);
    if (r == 0)
        r = check_contacts(ret_person, &err);
    if (r)
        http_fail(response, "bad_data", "%s", err.text);
    return r == 0;
}

static void put(const struct api *api,
                struct http_request *request,
                const char *name,
                const struct person *now,
                struct http_response *response)
{
    struct person person;
    struct roster_put what = {
        .value = {.kind = ROSTER_PERSON, .person = &person},
        .name = name,
        .by = roster_actor(request),
        .now_ms = clock_wall_ms(),
    };

    if (name && !roster_base_revision(request, true, &what.base_revision, response))
        return;
    if (!read_body(request, now, &person, response) || !roster_put(api, &what, response))
        return;
    if (!name)
        response->status = 201;
    reply(api, person.name, response);
}

static void post_person(void *context, struct http_request *request, struct http_response *response)
{
    put(context, request, NULL, NULL, response);
}

static void put_person(void *context, struct http_request *request, struct http_response *response)
{
    struct roster_view view;

    if (!roster_view_open(context, &view, response))
        return;
    const struct person *now = roster_person(&view.roster, request->path_args[0]);

    if (now)
        put(context, request, request->path_args[0], now, response);
    else
        http_fail(response, "not_found", "there is no person '%.100s'", request->path_args[0]);
    roster_view_close(&view);
}

static void delete_person(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    roster_delete(context, request, ROSTER_PERSON, request->path_args[0], NULL, response);
}

#define PATH "/api/alertd/v1/people"

static const struct http_route routes[] = {
    {"GET", PATH, HTTP_SCOPE_READ, 0, get_people, "people and how they are reached"},
    {"POST", PATH, HTTP_SCOPE_ADMIN, 0, post_person, "add somebody"},
    {"GET", PATH "/{name}", HTTP_SCOPE_READ, 0, get_person, "one person"},
    {"PUT", PATH "/{name}", HTTP_SCOPE_ADMIN, 0, put_person, "change a person"},
    {"DELETE", PATH "/{name}", HTTP_SCOPE_ADMIN, 0, delete_person, "delete a person"},
    {"POST", PATH "/{name}/contacts/{i}/test", HTTP_SCOPE_OPERATE, 0, contacts_post_test,
     "send a marked test with a link that verifies the contact"},
    {"GET", "/c/{token}", HTTP_SCOPE_NONE, 0, contacts_page_show, "what a test's link leads to"},
    {"POST", "/c/{token}", HTTP_SCOPE_NONE, 0, contacts_page_confirm, "the test arrived"},
};

const struct api_table api_people_routes = {routes, sizeof(routes) / sizeof(routes[0])};
