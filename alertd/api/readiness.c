/*
 * The calls about readiness: what people who learn to be on call have seen and done, and who
 * signed it. It advises; a mentor decides.
 */

#include "alertd/oncall/readiness.h"

#include <errno.h>
#include <string.h>

#include "alertd/api/roster_call.h"
#include "alertd/db/contact_db.h"
#include "alertd/db/paging_drill_db.h"
#include "alertd/db/readiness_db.h"
#include "alertd/db/shadow_db.h"
#include "alertd/play/play.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/json/read.h"

#define PATH "/api/alertd/v1/readiness"

/* All that the answers are made of. */
struct board {
    struct roster_view view;
    struct readiness list;
    struct shadow_counts *counts;
    size_t n_counts;
    struct readiness_row *rows;
    size_t n_rows;
};

static void fail(struct http_response *response, int r, const struct err *err)
{
    switch (r) {
    case READINESS_DB_E_SELF: http_fail(response, "forbidden", "%s", err->text); break;
    case READINESS_DB_E_NOT_DONE: http_fail(response, "conflict", "%s", err->text); break;
    case READINESS_DB_E_LIMIT:
    case SHADOW_DB_E_LIMIT: http_fail(response, "too_large", "%s", err->text); break;
    case JSON_E_SYNTAX:
    case JSON_E_TYPE: http_fail(response, "bad_data", "%s", err->text); break;
    case READINESS_E_WRONG: http_fail(response, "execution", "%s", err->text); break;
    default: http_fail(response, "internal", "%s", err->text); break;
    }
}

/* The storage folder's checklist, or the built-in one. */
static int load_list(const struct api *api,
                     struct arena *arena,
                     struct readiness *ret_list,
                     struct err *reterr)
{
    STR_AUTO struct str path = STR_INIT(8192);
    MEM_AUTO char *text = NULL;
    size_t len = 0;

    str_addf(&path, "%s/readiness.yml", api->storage_path);
    int r = fs_read(str_text(&path), READINESS_FILE_BYTES_MAX, &text, &len, reterr);

    if (r == -ENOENT)
        return readiness_parse(readiness_builtin[0].text, strlen(readiness_builtin[0].text), arena,
                               ret_list, reterr);
    if (r == 0)
        r = readiness_parse(text, len, arena, ret_list, reterr);
    return r == READINESS_E_WRONG ? err_prefix(reterr, r, "readiness.yml") : r;
}

/* False: the response says why, and nothing is to be closed. person NULL: everybody. */
static bool open_board(const struct api *api,
                       const char *person,
                       struct board *board,
                       struct http_response *response)
{
    struct roster_view *view = &board->view;
    struct err err = {0};

    *board = (struct board){.n_counts = 0};
    if (!roster_view_open(api, view, response))
        return false;
    int r = load_list(api, &view->arena, &board->list, &err);

    if (r == 0)
        r = shadow_db_counts(view->conn, person, &view->arena, &board->counts, &board->n_counts,
                             &err);
    if (r == 0)
        r = readiness_db_list(view->conn, person, &view->arena, &board->rows, &board->n_rows, &err);
    if (r == 0 && person && !roster_person(&view->roster, person))
        http_fail(response, "not_found", "there is no person '%.100s'", person);
    else if (r == 0)
        return true;
    else
        fail(response, r, &err);
    roster_view_close(view);
    return false;
}

static const struct shadow_counts *counts_of(const struct board *board, const char *person)
{
    static const struct shadow_counts none = {0};

    for (size_t i = 0; i < board->n_counts; i++)
        if (strcmp(board->counts[i].person, person) == 0)
            return &board->counts[i];
    return &none;
}

static const struct readiness_row *row_of(const struct board *board,
                                          const char *person,
                                          const char *item)
{
    for (size_t i = 0; i < board->n_rows; i++)
        if (strcmp(board->rows[i].person, person) == 0 && strcmp(board->rows[i].item, item) == 0)
            return &board->rows[i];
    return NULL;
}

/* Somebody who learns: has looked on, will, or began the checklist. */
static bool is_learning(const struct board *board, const char *person)
{
    const struct roster *roster = &board->view.roster;

    for (size_t i = 0; i < roster->n_shadows; i++)
        if (strcmp(roster->shadows[i].person, person) == 0)
            return true;
    for (size_t i = 0; i < board->n_rows; i++)
        if (strcmp(board->rows[i].person, person) == 0)
            return true;
    return counts_of(board, person)->pages > 0;
}

static void write_gate(const struct board *board,
                       const struct shadow_counts *counts,
                       struct json_out *out)
{
    const struct readiness_gate *gate = &board->list.gate;

    json_key(out, "gate");
    json_open(out, '{');
    json_kv_int(out, "needs_pages", gate->pages);
    json_kv_float(out, "needs_sense", gate->sense);
    json_key(out, "sense");
    if (counts->answered)
        json_float(out, (double)counts->made_sense / (double)counts->answered);
    else
        json_null(out);
    json_kv_bool(out, "passed", readiness_passes(gate, counts->answered, counts->made_sense));
    json_close(out, '}');
}

/* The members of a row of the board, in an open object. */
static void write_row(const struct board *board, const struct person *person, struct json_out *out)
{
    const struct shadow_counts *counts = counts_of(board, person->name);
    size_t n_signed = 0;
    size_t n_done = 0;

    for (size_t i = 0; i < board->n_rows; i++) {
        const struct readiness_row *row = &board->rows[i];

        if (strcmp(row->person, person->name) != 0 ||
            !readiness_find(&board->list, row->item, NULL))
            continue;
        n_done++;
        n_signed += row->signed_by != NULL;
    }
    json_kv_string(out, "person", person->name);
    json_kv_string(out, "full_name", person->full_name);
    json_kv_int(out, "pages", counts->pages);
    json_kv_int(out, "night_pages", counts->night_pages);
    json_kv_int(out, "answered", counts->answered);
    json_kv_int(out, "made_sense", counts->made_sense);
    write_gate(board, counts, out);
    json_kv_int(out, "items_done", (int64_t)n_done);
    json_kv_int(out, "items_signed", (int64_t)n_signed);
    json_kv_int(out, "items", (int64_t)readiness_n_items(&board->list));
}

static void get_board(void *context, struct http_request *request, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct board board;

    if (!open_board(context, NULL, &board, response))
        return;
    const struct roster *roster = &board.view.roster;

    json_open(&out, '{');
    json_key(&out, "people");
    json_open(&out, '[');
    for (size_t i = 0; i < roster->n_people; i++) {
        if (!is_learning(&board, roster->people[i].name))
            continue;
        json_open(&out, '{');
        write_row(&board, &roster->people[i], &out);
        json_close(&out, '}');
    }
    json_close(&out, ']');
    json_close(&out, '}');
    roster_view_close(&board.view);
}

/* --- one person --- */

static int write_contacts(struct board *board,
                          const struct person *person,
                          struct json_out *out,
                          struct err *reterr)
{
    int64_t n_verified = 0;
    int r = 0;

    for (size_t i = 0; r == 0 && i < person->n_contacts; i++) {
        struct contact_state state = {0};

        r = contact_db_state(board->view.conn, person->name, person->contacts[i].method,
                             person->contacts[i].address, &board->view.arena, &state, reterr);
        n_verified += r == 0 && state.confirmed_ms != 0;
    }
    json_kv_int(out, "contacts_verified", n_verified);
    json_kv_int(out, "contacts", (int64_t)person->n_contacts);
    return r;
}

/* How many different drills they played to the end; null where drills can't be played. */
static int write_drills(struct board *board,
                        const struct person *person,
                        struct json_out *out,
                        struct err *reterr)
{
    const struct api *api = board->view.api;
    struct play_played_row *played = NULL;
    struct db_conn *conn = NULL;
    size_t n = 0;

    json_key(out, "drills_done");
    if (!api->play) {
        json_null(out);
        return 0;
    }
    int r = db_read_begin(play_database(api->play), &conn, reterr);

    if (r == 0) {
        r = play_db_played(conn, person->name, &board->view.arena, &played, &n, reterr);
        db_read_end(play_database(api->play), conn);
    }
    json_int(out, (int64_t)n);
    return r;
}

/* Whether pages reach them: when that was tried last, and when they answered. */
static int write_paging_drill(struct board *board,
                              const struct person *person,
                              struct json_out *out,
                              struct err *reterr)
{
    int64_t made_ms = 0, answered_ms = 0;
    int r = paging_drill_db_of_person(board->view.conn, person->name, &made_ms, &answered_ms,
                                      reterr);

    json_kv_time(out, "paging_drill_at", made_ms);
    json_kv_time(out, "paging_drill_answered_at", answered_ms);
    return r;
}

static int write_counters(struct board *board,
                          const struct person *person,
                          struct json_out *out,
                          struct err *reterr)
{
    const struct shadow_counts *counts = counts_of(board, person->name);

    json_key(out, "counters");
    json_open(out, '{');
    json_kv_int(out, "pages_shadowed", counts->pages);
    json_kv_int(out, "night_pages", counts->night_pages);
    json_kv_int(out, "observed", counts->observed);
    json_kv_int(out, "own_copy", counts->own_copy);
    json_kv_int(out, "reverse_pages", counts->reverse);
    json_kv_int(out, "acknowledged", counts->acknowledged);
    json_kv_int(out, "took_over_by_mentor", counts->taken_over);
    json_kv_string(out, "runbooks_opened", NULL); /* nobody counts that */
    int r = write_drills(board, person, out, reterr);

    if (r == 0)
        r = write_contacts(board, person, out, reterr);
    if (r == 0)
        r = write_paging_drill(board, person, out, reterr);
    json_close(out, '}');
    return r;
}

static void write_item(const struct board *board,
                       const struct person *person,
                       const struct readiness_item *item,
                       struct json_out *out)
{
    const struct readiness_row *row = row_of(board, person->name, item->name);

    json_open(out, '{');
    json_kv_string(out, "item", item->name);
    json_kv_string(out, "text", item->text);
    json_kv_string(out, "question", item->question);
    json_kv_string(out, "evidence", row ? row->evidence : NULL);
    json_kv_string(out, "answer", row ? row->answer : NULL);
    json_kv_time(out, "done_at", row ? row->done_ms : 0);
    json_kv_string(out, "signed_by", row ? row->signed_by : NULL);
    json_kv_time(out, "signed_at", row ? row->signed_ms : 0);
    json_close(out, '}');
}

static void write_areas(const struct board *board,
                        const struct person *person,
                        struct json_out *out)
{
    json_key(out, "areas");
    json_open(out, '[');
    for (size_t i = 0; i < board->list.n_areas; i++) {
        const struct readiness_area *area = &board->list.areas[i];

        json_open(out, '{');
        json_kv_string(out, "area", area->name);
        json_key(out, "items");
        json_open(out, '[');
        for (size_t j = 0; j < area->n_items; j++)
            write_item(board, person, &area->items[j], out);
        json_close(out, ']');
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void reply(const struct api *api, const char *name, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct board board;
    struct err err = {0};

    if (!open_board(api, name, &board, response))
        return;
    const struct person *person = roster_person(&board.view.roster, name);

    json_open(&out, '{');
    write_row(&board, person, &out);
    int r = write_counters(&board, person, &out, &err);

    write_areas(&board, person, &out);
    json_close(&out, '}');
    if (r)
        fail(response, r, &err);
    roster_view_close(&board.view);
}

static void get_person(void *context, struct http_request *request, struct http_response *response)
{
    reply(context, request->path_args[0], response);
}

/* --- changing --- */

struct change {
    struct readiness_row row;
    bool signs; /* else it is done */
    const char *by;
    int64_t now_ms;
};

static int job_change(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct change *change = arg;

    return change->signs ? readiness_db_sign(conn, change->row.person, change->row.item, change->by,
                                             change->now_ms, reterr)
                         : readiness_db_put(conn, &change->row, reterr);
}

/* Names that the path gives must be those of a person and an item. */
static bool open_item(const struct api *api,
                      const struct http_request *request,
                      struct board *board,
                      struct change *change,
                      struct http_response *response)
{
    const struct readiness_area *area = NULL;

    if (!open_board(api, request->path_args[0], board, response))
        return false;
    const struct readiness_item *item = readiness_find(&board->list, request->path_args[1], &area);

    if (!item) {
        http_fail(response, "not_found", "there is no item '%.60s' on the checklist",
                  request->path_args[1]);
        roster_view_close(&board->view);
        return false;
    }
    change->row.person = request->path_args[0];
    change->row.item = item->name;
    change->row.area = area->name;
    change->row.question = item->question;
    return true;
}

/* Commits and answers with the person; the board is closed behind it. */
static void commit(const struct api *api,
                   struct board *board,
                   struct change *change,
                   struct http_response *response)
{
    struct err err = {0};
    int r = db_write(api->state, job_change, change, &err);

    roster_view_close(&board->view);
    if (r)
        fail(response, r, &err);
    else
        reply(api, change->row.person, response);
}

static int check_text(const char *key, const char *text, bool needed, struct err *reterr)
{
    if (strlen(text) > READINESS_TEXT_BYTES_MAX || !labels_text_ok(text, strlen(text)))
        return err_set(reterr, JSON_E_TYPE, "%s: at most %d bytes of text", key,
                       READINESS_TEXT_BYTES_MAX);
    if (needed && !text[strspn(text, " \t\r\n")])
        return err_set(reterr, JSON_E_TYPE, "%s: expected a link or words that show it", key);
    return 0;
}

static void put_item(void *context, struct http_request *request, struct http_response *response)
{
    static const char *const known[] = {"evidence", "answer", NULL};
    struct change change = {.now_ms = clock_wall_ms()};
    struct json *body = NULL;
    struct board board;
    struct err err = {0};

    if (!open_item(context, request, &board, &change, response))
        return;
    int r = json_parse(request->body, request->body_len, &body, &err);

    if (r == 0)
        r = json_is_object(body) ? json_only(body, known, &err)
                                 : err_set(&err, JSON_E_TYPE, "the body: expected an object");
    if (r == 0)
        r = json_get_string(body, "evidence", &change.row.evidence, &err);
    if (r == 0)
        r = json_get_string_or(body, "answer", "", &change.row.answer, &err);
    if (r == 0)
        r = check_text("evidence", change.row.evidence, true, &err);
    if (r == 0)
        r = check_text("answer", change.row.answer, false, &err);
    change.row.done_ms = change.now_ms;
    change.row.done_by = roster_actor(request);
    if (r == 0) {
        commit(context, &board, &change, response);
    } else {
        roster_view_close(&board.view);
        fail(response, r, &err);
    }
    json_free(body);
}

static void sign(const struct api *api,
                 struct http_request *request,
                 const char *by,
                 struct http_response *response)
{
    struct change change = {.signs = true, .by = by, .now_ms = clock_wall_ms()};
    struct board board;

    if (open_item(api, request, &board, &change, response))
        commit(api, &board, &change, response);
}

static void post_sign(void *context, struct http_request *request, struct http_response *response)
{
    sign(context, request, roster_actor(request), response);
}

static void delete_sign(void *context, struct http_request *request, struct http_response *response)
{
    sign(context, request, NULL, response);
}

static const struct http_route routes[] = {
    {"GET", PATH, HTTP_SCOPE_READ, 0, get_board, "who learns to be on call, and how far they are"},
    {"GET", PATH "/{person}", HTTP_SCOPE_READ, 0, get_person,
     "one person's checklist and what they have seen"},
    {"PUT", PATH "/{person}/items/{item}", HTTP_SCOPE_OPERATE, 0, put_item,
     "done, and what shows it"},
    {"POST", PATH "/{person}/items/{item}/sign", HTTP_SCOPE_OPERATE, 0, post_sign,
     "somebody else signs it"},
    {"DELETE", PATH "/{person}/items/{item}/sign", HTTP_SCOPE_OPERATE, 0, delete_sign,
     "takes the signature away"},
};

const struct api_table api_readiness_routes = {routes, sizeof(routes) / sizeof(routes[0])};
