/*
 * The tables that postmortems go by, and the calls that read and save them. See postmortem_tables.h.
 */

#include "alertd/api/postmortem_tables.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/api/postmortem_call.h"
#include "alertd/api/postmortem_files.h"
#include "alertd/api/read.h"
#include "alertd/db/postmortem_table_db.h"
#include "lib/base/clock.h"
#include "lib/json/write.h"

enum {
    TABLE_E_BAD = 1, /* words say which row and why */
    WORDS_MAX = 200,
    DUE_DAYS_MAX = 365,
};

#define DAY_MS    INT64_C(86400000)
#define MINUTE_MS INT64_C(60000)

/* --- reading a row --- */

static int bad(struct err *reterr, const char *words)
{
    return err_set(reterr, TABLE_E_BAD, "%s", words);
}

static int read_text(const struct json *row,
                     const char *name,
                     bool needed,
                     struct arena *arena,
                     const char **ret_text,
                     struct err *reterr)
{
    const char *text = NULL;

    if (json_get_string_or(row, name, NULL, &text, reterr))
        return TABLE_E_BAD;
    if (!text || !*text)
        return needed ? err_set(reterr, TABLE_E_BAD, "%s: is missing", name) : 0;
    if (strlen(text) > WORDS_MAX || strpbrk(text, "\r\n"))
        return err_set(reterr, TABLE_E_BAD, "%s: a line of at most %d bytes", name, WORDS_MAX);
    *ret_text = arena_strndup(arena, text, strlen(text));
    return *ret_text ? 0 : bad(reterr, "the table is too large");
}

static int read_word(const struct json *row, struct arena *arena, void *ret_row, struct err *reterr)
{
    static const char *const known[] = {"phrase", "kind", "advice", NULL};
    struct hint_word *word = ret_row;

    *word = (struct hint_word){"", "", ""};
    if (!json_is_object(row) || json_only(row, known, reterr))
        return TABLE_E_BAD;
    int r = read_text(row, "phrase", true, arena, &word->phrase, reterr);

    if (!r)
        r = read_text(row, "kind", true, arena, &word->kind, reterr);
    return r ? r : read_text(row, "advice", true, arena, &word->advice, reterr);
}

static int read_flag(const struct json *row, const char *name, bool *ret, struct err *reterr)
{
    return json_has(row, name) && json_get_bool(row, name, ret, reterr) ? TABLE_E_BAD : 0;
}

static int read_whole(
    const struct json *row, const char *name, int64_t max, int64_t *ret, struct err *reterr)
{
    if (json_get_int_or(row, name, 0, ret, reterr))
        return TABLE_E_BAD;
    return *ret >= 0 && *ret <= max
               ? 0
               : err_set(reterr, TABLE_E_BAD, "%s: 0 to %lld", name, (long long)max);
}

static bool is_origin(const char *text)
{
    static const char *const origins[] = {"real", "near_miss", "import", "drill"};

    for (size_t i = 0; i < sizeof(origins) / sizeof(*origins); i++)
        if (strcmp(text, origins[i]) == 0)
            return true;
    return false;
}

static int read_choice(const struct json *row,
                       struct arena *arena,
                       void *ret_row,
                       struct err *reterr)
{
    static const char *const known[] = {"template",    "due_days",        "why",     "origin",
                                        "severities",  "data_lost",       "repeats", "paged",
                                        "scopes_over", "longer_than_min", NULL};
    struct choice_rule *rule = ret_row;
    int64_t days = 0;
    int64_t minutes = 0;
    int64_t scopes = 0;

    *rule = (struct choice_rule){.choice = {"", 0, ""}};
    if (!json_is_object(row) || json_only(row, known, reterr))
        return TABLE_E_BAD;
    int r = read_text(row, "template", true, arena, &rule->choice.template_name, reterr);

    if (!r)
        r = read_text(row, "why", true, arena, &rule->choice.why, reterr);
    if (!r)
        r = read_text(row, "origin", false, arena, &rule->origin, reterr);
    if (!r && rule->origin && !is_origin(rule->origin))
        return bad(reterr, "origin: real, near_miss, import or drill");
    if (!r)
        r = read_text(row, "severities", false, arena, &rule->severities, reterr);
    if (!r)
        r = read_flag(row, "data_lost", &rule->data_was_lost, reterr);
    if (!r)
        r = read_flag(row, "repeats", &rule->is_recurrence, reterr);
    if (!r)
        r = read_flag(row, "paged", &rule->was_paged, reterr);
    if (!r)
        r = read_whole(row, "due_days", DUE_DAYS_MAX, &days, reterr);
    if (!r)
        r = read_whole(row, "longer_than_min", DUE_DAYS_MAX * 1440, &minutes, reterr);
    if (!r)
        r = read_whole(row, "scopes_over", 1000, &scopes, reterr);
    rule->choice.due_ms = days * DAY_MS;
    rule->longer_than_ms = minutes * MINUTE_MS;
    rule->scopes_over = (unsigned)scopes;
    return r;
}

/* --- a table --- */

static void write_words(const void *rows, size_t n, struct json_out *out)
{
    const struct hint_word *words = rows;

    for (size_t i = 0; i < n; i++) {
        json_open(out, '{');
        json_kv_string(out, "phrase", words[i].phrase);
        json_kv_string(out, "kind", words[i].kind);
        json_kv_string(out, "advice", words[i].advice);
        json_close(out, '}');
    }
}

static void write_choices(const void *rows, size_t n, struct json_out *out)
{
    const struct choice_rule *rules = rows;

    for (size_t i = 0; i < n; i++) {
        json_open(out, '{');
        json_kv_string(out, "template", rules[i].choice.template_name);
        json_kv_int(out, "due_days", rules[i].choice.due_ms / DAY_MS);
        json_kv_string(out, "why", rules[i].choice.why);
        if (rules[i].origin)
            json_kv_string(out, "origin", rules[i].origin);
        if (rules[i].severities)
            json_kv_string(out, "severities", rules[i].severities);
        if (rules[i].data_was_lost)
            json_kv_bool(out, "data_lost", true);
        if (rules[i].is_recurrence)
            json_kv_bool(out, "repeats", true);
        if (rules[i].was_paged)
            json_kv_bool(out, "paged", true);
        if (rules[i].scopes_over)
            json_kv_int(out, "scopes_over", rules[i].scopes_over);
        if (rules[i].longer_than_ms)
            json_kv_int(out, "longer_than_min", rules[i].longer_than_ms / MINUTE_MS);
        json_close(out, '}');
    }
}

static const struct table {
    const char *name;
    size_t row_size;
    int (*read)(const struct json *row, struct arena *arena, void *ret_row, struct err *reterr);
    void (*write)(const void *rows, size_t n, struct json_out *out);
} tables[] = {
    {"hints", sizeof(struct hint_word), read_word, write_words},
    {"choices", sizeof(struct choice_rule), read_choice, write_choices},
};

/* As they are read from JSON, or as they ship. */
struct rows {
    const void *at;
    size_t n;
};

static struct rows builtin(const struct table *table)
{
    if (table == &tables[0])
        return (struct rows){hint_builtin.words, hint_builtin.n};
    return (struct rows){choice_builtin.rules, choice_builtin.n};
}

static int read_rows(const struct table *table,
                     const struct json *list,
                     struct arena *arena,
                     struct rows *ret_rows,
                     struct err *reterr)
{
    size_t n = json_length(list);
    char *rows = n <= POSTMORTEM_TABLE_ROWS_MAX ? arena_array(arena, n + 1, table->row_size) : NULL;

    if (!rows)
        return bad(reterr, "rows: at most 500");
    for (size_t i = 0; i < n; i++) {
        int r = table->read(json_at(list, i), arena, rows + i * table->row_size, reterr);

        if (r)
            return err_prefix(reterr, TABLE_E_BAD, "rows[%zu]", i);
    }
    *ret_rows = (struct rows){rows, n};
    return 0;
}

/* Of a revision; 0: what is in force. */
static int load(struct db_conn *conn,
                const struct table *table,
                int64_t revision,
                struct arena *arena,
                struct postmortem_table_row *ret_row,
                struct rows *ret_rows,
                struct err *reterr)
{
    struct json *list = NULL;
    int r = postmortem_table_db_get(conn, table->name, revision, arena, ret_row, reterr);

    *ret_rows = builtin(table);
    if (r || !*ret_row->rows ||
        json_parse_upto(ret_row->rows, strlen(ret_row->rows), POSTMORTEM_TABLE_JSON_MAX, &list,
                        NULL))
        return r;
    (void)read_rows(table, list, arena, ret_rows, NULL); /* it was checked when it was saved */
    json_free(list);
    return 0;
}

int postmortem_hints(struct db_conn *conn,
                     struct arena *arena,
                     struct hint_table *ret_table,
                     struct err *reterr)
{
    struct postmortem_table_row row;
    struct rows rows;
    int r = load(conn, &tables[0], 0, arena, &row, &rows, reterr);

    *ret_table = (struct hint_table){rows.at, rows.n};
    return r;
}

int postmortem_choices(struct db_conn *conn,
                       struct arena *arena,
                       struct choice_table *ret_table,
                       struct err *reterr)
{
    struct postmortem_table_row row;
    struct rows rows;
    int r = load(conn, &tables[1], 0, arena, &row, &rows, reterr);

    *ret_table = (struct choice_table){rows.at, rows.n};
    return r;
}

/* --- the calls --- */

static const struct table *table_of(const struct http_request *request,
                                    struct http_response *response)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
        if (strcmp(request->path_args[0], tables[i].name) == 0)
            return &tables[i];
    http_fail(response, "not_found", "tables are hints and choices");
    return NULL;
}

static void reply(const struct api *api,
                  const struct table *table,
                  int64_t revision,
                  struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct postmortem_table_row row;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};
    struct rows rows;

    arena_init(&arena, 8 * (size_t)POSTMORTEM_TABLE_JSON_MAX);
    if (!api_read_begin(api, &conn, response))
        return;
    int r = load(conn, table, revision, &arena, &row, &rows, &err);

    db_read_end(api->state, conn);
    if (r) {
        postmortem_fail(response, r, &err);
        return;
    }
    if (row.revision == 0 && revision) {
        http_fail(response, "not_found", "there is no revision %lld", (long long)revision);
        return;
    }
    json_open(&out, '{');
    json_kv_string(&out, "name", table->name);
    json_kv_bool(&out, "ships", rows.at == builtin(table).at);
    json_kv_int(&out, "revision", row.revision);
    json_kv_string(&out, "saved_by", row.revision ? row.saved_by : NULL);
    json_kv_time(&out, "saved_at", row.saved_ms);
    json_key(&out, "rows");
    json_open(&out, '[');
    table->write(rows.at, rows.n, &out);
    json_close(&out, ']');
    json_close(&out, '}');
}

static void handle_get(void *context, struct http_request *request, struct http_response *response)
{
    const char *asked = http_query(request, "revision");
    const struct table *table = table_of(request, response);
    char *end = NULL;
    long long revision = asked ? strtoll(asked, &end, 10) : 0;

    if (asked && (end == asked || *end || revision < 1))
        http_fail(response, "bad_data", "revision: a number from 1 on");
    else if (table)
        reply(context, table, revision, response);
}

static void handle_revisions(void *context,
                             struct http_request *request,
                             struct http_response *response)
{
    const struct table *table = table_of(request, response);
    struct json_out out = JSON_OUT(&response->body);
    struct postmortem_table_row *rows = NULL;
    const struct api *api = context;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};
    size_t n = 0;

    arena_init(&arena, POSTMORTEM_TABLE_JSON_MAX);
    if (!table || !api_read_begin(api, &conn, response))
        return;
    int r = postmortem_table_db_list(conn, table->name, &arena, &rows, &n, &err);

    db_read_end(api->state, conn);
    if (r) {
        postmortem_fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "revisions");
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(&out, '{');
        json_kv_int(&out, "revision", rows[i].revision);
        json_kv_bool(&out, "ships", !*rows[i].rows);
        json_kv_string(&out, "saved_by", rows[i].saved_by);
        json_kv_time(&out, "saved_at", rows[i].saved_ms);
        json_close(&out, '}');
    }
    json_close(&out, ']');
    json_close(&out, '}');
}

static int job_save(struct db_conn *conn, void *arg, struct err *reterr)
{
    return postmortem_table_db_save(conn, arg, reterr);
}

/* --- what rows can't be seen to be wrong by themselves --- */

static int check_words(const struct hint_word *words, size_t n, struct err *reterr)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (strcasecmp(words[i].phrase, words[k].phrase) == 0)
                return err_set(reterr, TABLE_E_BAD, "rows[%zu]: phrase: rows[%zu] has it too", i,
                               k);
    return 0;
}

static int check_choices(const struct api *api,
                         const struct choice_rule *rules,
                         size_t n,
                         struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct template_set set;

    arena_init(&arena, 64 * 1024 * 1024);
    if (postmortem_files_read(api, &arena, &set, reterr))
        return TABLE_E_BAD;
    for (size_t i = 0; i < n; i++)
        if (!postmortem_files_find(&set, rules[i].choice.template_name))
            return err_set(reterr, TABLE_E_BAD, "rows[%zu]: template: there is no %s", i,
                           rules[i].choice.template_name);
    return 0;
}

/* The rows as they will be kept: read, and written again; "" for null. */
static int read_body(const struct api *api,
                     const struct table *table,
                     const struct json *body,
                     struct str *text,
                     struct err *reterr)
{
    const struct json *list = json_get(body, "rows");
    struct json_out out = JSON_OUT(text);
    ARENA_AUTO struct arena arena;
    struct rows rows;

    arena_init(&arena, 8 * (size_t)POSTMORTEM_TABLE_JSON_MAX);
    if (list && json_is_null(list))
        return 0;
    if (!list || !json_is_array(list))
        return bad(reterr, "rows: a list, or null for the table that ships");
    int r = read_rows(table, list, &arena, &rows, reterr);

    if (!r)
        r = table == &tables[0] ? check_words(rows.at, rows.n, reterr)
                                : check_choices(api, rows.at, rows.n, reterr);
    if (r)
        return r;
    json_open(&out, '[');
    table->write(rows.at, rows.n, &out);
    json_close(&out, ']');
    return text->full ? bad(reterr, "rows: 256 KiB at most") : 0;
}

static void handle_put(void *context, struct http_request *request, struct http_response *response)
{
    static const char *const known[] = {"rows", "revision", NULL};
    const struct table *table = table_of(request, response);
    STR_AUTO struct str text = STR_INIT(POSTMORTEM_TABLE_JSON_MAX);
    struct postmortem_table_save save = {.who = request->who.name, .now_ms = clock_wall_ms()};
    const struct api *api = context;
    struct json *body = NULL;
    struct err err = {0};

    if (!table || !postmortem_body(request, known, &body, response)) {
        json_free(body);
        return;
    }
    int r = json_get_int(body, "revision", &save.base_revision, &err) ? TABLE_E_BAD : 0;

    if (!r)
        r = read_body(api, table, body, &text, &err);
    save.name = table->name;
    save.rows = str_text(&text);
    json_free(body);
    if (r) {
        http_fail(response, "bad_data", "%s", err.text);
        return;
    }
    r = db_write(api->state, job_save, &save, &err);
    if (r == POSTMORTEM_TABLE_DB_E_STALE)
        http_fail(response, "conflict", "%s", err.text);
    else if (r)
        postmortem_fail(response, r, &err);
    else
        reply(api, table, 0, response);
}

static const struct http_route routes[] = {
    {"GET", "/api/alertd/v1/postmortem-tables/{name}", HTTP_SCOPE_READ, 0, handle_get,
     "hints: words worth a second look; choices: which template an incident asks for"},
    {"GET", "/api/alertd/v1/postmortem-tables/{name}/revisions", HTTP_SCOPE_READ, 0,
     handle_revisions, "who saved it, and when"},
    {"PUT", "/api/alertd/v1/postmortem-tables/{name}", HTTP_SCOPE_OPERATE, 0, handle_put,
     "another table over the revision that was edited; null gives it back to what ships"},
};

const struct api_table api_postmortem_tables_routes = {routes, sizeof(routes) / sizeof(routes[0])};
