/*
 * The calls about what a drill came to: its debrief, of which facts are made anew each time and
 * what people write is kept.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/drills_call.h"
#include "alertd/api/postmortem_files.h"
#include "alertd/api/read.h"
#include "alertd/db/play_debrief_db.h"
#include "alertd/db/rule_db.h"
#include "alertd/drill/debrief.h"
#include "alertd/postmortem/document.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    ROWS_BYTES_MAX = 64 * 1024 * 1024,
    MARKDOWN_BYTES_MAX = 4 * 1024 * 1024,
    LOOK_BYTES_MAX = 32 * 1024 * 1024,
};

/* A debrief being made; all of it is in the arena but for what is replayed. */
struct debriefing {
    const struct api *api;
    struct arena arena;
    int64_t id;
    struct play_view view;
    struct play_replayed played;
    bool has_played;
    struct rule_group_row *groups;
    size_t n_groups;
    struct debrief debrief;
    struct debrief_section *sections;
    size_t n_sections;
    struct play_debrief_row *written;
    size_t n_written;
    char generator[100];
    char key[40];
};

static void debriefing_done(struct debriefing *all)
{
    if (all->has_played)
        play_replayed_done(&all->played);
    arena_reset(&all->arena);
    free(all);
}

/* --- What it is made of ---------------------------------------------------------------------------------- */

/* A rule of that name that is live here, over the samples and the trouble of this session. */
static const char *rule_url(void *arg, const char *alert)
{
    struct debriefing *all = arg;

    for (size_t i = 0; i < all->n_groups; i++)
        for (size_t k = 0; k < all->groups[i].n_rules; k++) {
            const struct rule_row *rule = &all->groups[i].rules[k];
            char url[100];

            if (rule->is_recording || strcmp(rule->name, alert) != 0)
                continue;
            int n = snprintf(url, sizeof(url), "/rules/%lld/tune?session=%lld", (long long)rule->id,
                             (long long)all->id);

            return arena_strndup(&all->arena, url, (size_t)n);
        }
    return NULL;
}

static int read_rules(struct debriefing *all, struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = db_read_begin(all->api->state, &conn, reterr);

    if (r)
        return r;
    r = rule_db_list(conn, clock_wall_ms(), &all->arena, &all->groups, &all->n_groups, reterr);
    db_read_end(all->api->state, conn);
    return r;
}

static int compare(struct debriefing *all, struct debrief_compare *ret, struct err *reterr)
{
    struct practice_run *runs = NULL;
    size_t n = 0;
    int r = play_runs(all->api->play, all->view.row.drill, &all->arena, &runs, &n, reterr);
    const struct practice_run *last = r ? NULL
                                        : practice_last(runs, n, all->view.row.player, all->id);

    *ret = (struct debrief_compare){.has_past = last != NULL};
    for (size_t i = 0; !r && i < DRILL_N_CLOCKS; i++) {
        int64_t median_ms = practice_median(runs, n, (enum drill_clock)i);

        ret->has_median |= n > 1 && median_ms != PRACTICE_UNKNOWN;
        ret->median_ms[i] = median_ms == PRACTICE_UNKNOWN ? DRILL_NEVER : median_ms;
        if (last)
            ret->past_ms[i] = last->clocks[i] == PRACTICE_UNKNOWN ? DRILL_NEVER : last->clocks[i];
    }
    return r;
}

/* The next one on the path behind this. */
static void find_next(struct debriefing *all, struct debrief_input *input)
{
    struct library_drill *drills = NULL;
    size_t n = 0;

    if (library_list(play_library(all->api->play), &all->arena, &drills, &n, NULL) != 0)
        return;
    for (size_t i = 0; i + 1 < n; i++)
        if (strcmp(drills[i].name, all->view.row.drill) == 0 && !drills[i + 1].error) {
            input->next_name = drills[i + 1].name;
            input->next_title = drills[i + 1].title;
        }
}

static int make(struct debriefing *all, struct err *reterr)
{
    struct template_set set;
    struct debrief_compare about;
    int r = play_replay(all->api->play, all->id, NULL, &all->played, reterr);

    if (r)
        return r;
    all->has_played = true;
    r = read_rules(all, reterr);
    if (!r)
        r = compare(all, &about, reterr);
    if (!r)
        r = postmortem_files_read(all->api, &all->arena, &set, reterr);
    if (r)
        return r;
    (void)snprintf(all->generator, sizeof(all->generator), "alertd %s", all->api->version);
    (void)snprintf(all->key, sizeof(all->key), "DRILL-%lld", (long long)all->id);

    struct debrief_input input = {.drill_case = all->played.drill_case,
                                  .world = all->played.world,
                                  .score = &all->played.score,
                                  .key = all->key,
                                  .player = all->view.row.player,
                                  .generator = all->generator,
                                  .compare = &about,
                                  .rule_url = rule_url,
                                  .arg = all};

    find_next(all, &input);
    r = debrief_facts(&all->arena, &input, &all->debrief, reterr);
    return r ? r
             : debrief_sections(&all->arena, &set, &all->debrief, &all->sections, &all->n_sections,
                                reterr);
}

static int read_written(struct debriefing *all, struct err *reterr)
{
    struct db *db = play_database(all->api->play);
    struct db_conn *conn = NULL;
    int r = db_read_begin(db, &conn, reterr);

    if (r)
        return r;
    r = play_debrief_db_list(conn, all->id, &all->arena, &all->written, &all->n_written, reterr);
    db_read_end(db, conn);
    return r;
}

static bool is_over(const struct debriefing *all, struct http_response *response)
{
    if (strcmp(all->view.row.state, "ended") == 0 && all->view.row.hash[0])
        return true;
    if (strcmp(all->view.row.state, "ended") == 0) {
        http_fail(response, "conflict", "it has no debrief: %s", all->view.row.error);
        return false;
    }
    http_fail(response, "conflict",
              "the drill is not over: its debrief would give the answer away");
    return false;
}

/* Who may look at the session; NULL: answered. */
static struct debriefing *open_debriefing(const struct api *api,
                                          const struct http_request *request,
                                          struct http_response *response)
{
    struct debriefing *all = mem_zalloc(sizeof(*all));
    STR_AUTO struct str body = STR_INIT(LOOK_BYTES_MAX);
    struct err err = {0};

    all->api = api;
    arena_init(&all->arena, ROWS_BYTES_MAX + DEBRIEF_ARENA_BYTES);
    if (!drills_ready(api, response) || !drills_id(api, request, &all->id, response)) {
        debriefing_done(all);
        return NULL;
    }
    int r = play_look(api->play, &(struct play_asked){all->id, request->who.name, -1}, &all->arena,
                      &all->view, &body, &err);

    if (r)
        drills_fail(response, r, &err);
    if (!r && is_over(all, response))
        return all;
    debriefing_done(all);
    return NULL;
}

static bool make_all(struct debriefing *all, struct http_response *response)
{
    struct err err = {0};
    int r = make(all, &err);

    if (!r)
        r = read_written(all, &err);
    if (r)
        drills_fail(response, r, &err);
    return r == 0;
}

/* --- The document ----------------------------------------------------------------------------------------- */

static const struct play_debrief_row *written_of(const struct debriefing *all, const char *section)
{
    for (size_t i = 0; i < all->n_written; i++)
        if (strcmp(all->written[i].section, section) == 0)
            return &all->written[i];
    return NULL;
}

static const char *body_of(const struct debriefing *all, const struct debrief_section *section)
{
    const struct play_debrief_row *row = written_of(all, section->id);

    return row ? row->body : section->asks;
}

static void add_markdown(const struct debriefing *all, struct str *out)
{
    for (size_t i = 0; i < all->n_sections; i++)
        section_join(all->sections[i].title, all->sections[i].generated,
                     body_of(all, &all->sections[i]), out);
}

static int add_html(struct debriefing *all, struct str *out, bool whole, struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(MARKDOWN_BYTES_MAX);
    struct markdown *body = NULL;

    add_markdown(all, &text);
    int r = markdown_parse(&all->arena, str_text(&text), text.len, &body, reterr);
    const struct document document = {.title = all->view.row.title,
                                      .incident_key = all->key,
                                      .status = "draft",
                                      .updated_by = all->view.row.player,
                                      .updated_at_ms = all->view.row.ended_ms,
                                      .revision = 1,
                                      .body = body,
                                      .graphs = all->debrief.graphs,
                                      .n_graphs = all->debrief.n_graphs};

    if (r)
        return r;
    if (whole)
        return document_html(&document, out, reterr);
    markdown_html(body, all->debrief.graphs, all->debrief.n_graphs, out);
    return 0;
}

static int64_t version_of(const struct debriefing *all)
{
    int64_t version = 1;

    for (size_t i = 0; i < all->n_written; i++)
        version += all->written[i].revision;
    return version;
}

static void write_section(const struct debriefing *all,
                          const struct debrief_section *section,
                          struct json_out *out)
{
    const struct play_debrief_row *row = written_of(all, section->id);
    STR_AUTO struct str markdown = STR_INIT(MARKDOWN_BYTES_MAX);

    section_join("", section->generated, body_of(all, section), &markdown);
    json_open(out, '{');
    json_kv_string(out, "id", section->id);
    json_kv_string(out, "title", section->title);
    json_kv_string(out, "kind", section->is_generated ? "facts" : "person");
    json_kv_string(out, "markdown", str_text(&markdown));
    if (!section->is_generated) {
        json_kv_string(out, "body", body_of(all, section));
        json_kv_int(out, "revision", row ? row->revision : 0);
        json_kv_string(out, "author", row ? row->author : NULL);
    }
    json_close(out, '}');
}

static void write_graph(const struct debriefing *all,
                        const struct debrief_miss *miss,
                        struct json_out *out)
{
    json_key(out, "graph");
    if (!miss->series) {
        json_null(out);
        return;
    }
    json_open(out, '{');
    json_kv_string(out, "title", miss->query);
    json_kv_int(out, "from_ms", miss->from_ms);
    json_kv_int(out, "to_ms", miss->to_ms);
    json_kv_int(out, "at_ms", drill_world_zero_ms(all->played.world) + miss->at_ms);
    json_key(out, "series");
    json_raw(out, miss->series);
    json_close(out, '}');
}

/* Signals that were not looked at, with their samples; and what to do next. */
static void write_lists(const struct debriefing *all, struct json_out *out)
{
    json_key(out, "missed");
    json_open(out, '[');
    for (size_t i = 0; i < all->debrief.n_misses; i++) {
        const struct debrief_miss *miss = &all->debrief.misses[i];

        json_open(out, '{');
        json_kv_string(out, "kind", miss->kind);
        json_kv_string(out, "text", miss->text);
        json_kv_string(out, "why", miss->why);
        json_kv_int(out, "at_ms", miss->at_ms);
        json_kv_string(out, "query", miss->query);
        json_kv_string(out, "runbook", miss->runbook);
        write_graph(all, miss, out);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_key(out, "next");
    json_open(out, '[');
    for (size_t i = 0; i < all->debrief.n_steps; i++) {
        const struct debrief_step *step = &all->debrief.steps[i];

        json_open(out, '{');
        json_kv_string(out, "kind", step->kind);
        json_kv_string(out, "text", step->text);
        json_kv_string(out, "url", step->url);
        json_kv_string(out, "rule", step->rule);
        json_kv_string(out, "runbook", step->runbook);
        json_kv_string(out, "drill", step->drill);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static int write_json(struct debriefing *all, bool with_html, struct str *text, struct err *reterr)
{
    STR_AUTO struct str html = STR_INIT(DOCUMENT_HTML_MAX);
    struct json_out out = JSON_OUT(text);
    char etag[32];
    int r = with_html ? add_html(all, &html, false, reterr) : 0;

    if (r)
        return r;
    (void)snprintf(etag, sizeof(etag), "\"%lld\"", (long long)version_of(all));
    json_open(&out, '{');
    json_kv_int(&out, "id", all->id);
    json_kv_string(&out, "drill", all->view.row.drill);
    json_kv_string(&out, "title", all->view.row.title);
    json_kv_string(&out, "player", all->view.row.player);
    json_key(&out, "sections");
    json_open(&out, '[');
    for (size_t i = 0; i < all->n_sections; i++)
        write_section(all, &all->sections[i], &out);
    json_close(&out, ']');
    write_lists(all, &out);
    if (with_html)
        json_kv_string(&out, "html", str_text(&html));
    else {
        json_key(&out, "facts");
        fact_json(all->debrief.facts, &out);
    }
    json_kv_int(&out, "version", version_of(all));
    json_kv_string(&out, "etag", etag);
    json_close(&out, '}');
    return 0;
}

enum form {
    FORM_PAGE, /* what the dashboard shows */
    FORM_JSON,
    FORM_MARKDOWN,
    FORM_HTML,
};

static void answer(const struct api *api,
                   const struct http_request *request,
                   struct http_response *response,
                   enum form form)
{
    struct debriefing *all = open_debriefing(api, request, response);
    struct err err = {0};
    int r = 0;

    if (!all)
        return;
    if (make_all(all, response)) {
        switch (form) {
        case FORM_PAGE: r = write_json(all, true, &response->body, &err); break;
        case FORM_JSON: r = write_json(all, false, &response->body, &err); break;
        case FORM_MARKDOWN:
            response->content_type = "text/markdown; charset=utf-8";
            add_markdown(all, &response->body);
            break;
        case FORM_HTML:
            response->content_type = "text/html; charset=utf-8";
            http_add_header(response, "Content-Disposition",
                            "attachment; filename=\"debrief.html\"");
            r = add_html(all, &response->body, true, &err);
            break;
        }
        if (r)
            drills_fail(response, r, &err);
    }
    debriefing_done(all);
}

static void handle_page(void *context, struct http_request *request, struct http_response *response)
{
    answer(context, request, response, FORM_PAGE);
}

static void handle_json(void *context, struct http_request *request, struct http_response *response)
{
    answer(context, request, response, FORM_JSON);
}

static void handle_markdown(void *context,
                            struct http_request *request,
                            struct http_response *response)
{
    answer(context, request, response, FORM_MARKDOWN);
}

static void handle_html(void *context, struct http_request *request, struct http_response *response)
{
    answer(context, request, response, FORM_HTML);
}

/* --- What people write ------------------------------------------------------------------------------------- */

static int job_save(struct db_conn *conn, void *arg, struct err *reterr)
{
    return play_debrief_db_save(conn, arg, reterr);
}

static const struct debrief_section *section_of(const struct debriefing *all, const char *id)
{
    for (size_t i = 0; i < all->n_sections; i++)
        if (strcmp(all->sections[i].id, id) == 0)
            return &all->sections[i];
    return NULL;
}

/* If-Match: "3", or 0 when it was never written. */
static int64_t base_of(const struct http_request *request)
{
    const char *match = http_header(request, "If-Match");

    return match ? strtoll(match + strspn(match, "\" W/"), NULL, 10) : -1;
}

static void save(struct debriefing *all,
                 const struct http_request *request,
                 const char *markdown,
                 struct http_response *response)
{
    const struct debrief_section *section = section_of(all, request->path_args[1]);
    struct play_debrief_save job = {.session = all->id,
                                    .section = request->path_args[1],
                                    .body = markdown,
                                    .author = request->who.name,
                                    .base_revision = base_of(request),
                                    .now_ms = clock_wall_ms()};
    struct err err = {0};

    if (!section || section->is_generated) {
        http_fail(response, "not_found", "nobody writes a section %.60s of a debrief",
                  request->path_args[1]);
        return;
    }
    if (job.base_revision < 0) {
        http_fail(response, "bad_data", "If-Match: the revision that you had before you");
        return;
    }
    int r = db_write(play_database(all->api->play), job_save, &job, &err);

    if (r == PLAY_DEBRIEF_DB_E_STALE) {
        http_fail(response, "conflict", "%s", err.text);
        return;
    }
    if (r == 0)
        r = read_written(all, &err);
    if (r == 0)
        r = write_json(all, true, &response->body, &err);
    if (r)
        drills_fail(response, r, &err);
}

static void handle_put(void *context, struct http_request *request, struct http_response *response)
{
    static const char *const known[] = {"markdown", NULL};
    struct debriefing *all = open_debriefing(context, request, response);
    struct json *body = NULL;
    const char *markdown = NULL;
    struct err err = {0};

    if (!all)
        return;
    if (all->view.role == PLAY_WATCHER)
        http_fail(response, "forbidden", "it is written by who was in it");
    else if (drills_body(request, known, &body, response)) {
        if (json_get_string(body, "markdown", &markdown, &err) != 0)
            http_fail(response, "bad_data", "%s", err.text);
        else if (strlen(markdown) > SECTION_BODY_MAX)
            http_fail(response, "too_large", "a section is at most %d KiB",
                      SECTION_BODY_MAX / 1024);
        else if (make_all(all, response))
            save(all, request, markdown, response);
    }
    json_free(body);
    debriefing_done(all);
}

static const struct http_route routes[] = {
    {"GET", DRILLS_PATH "/{id}/debrief", HTTP_SCOPE_READ, 0, handle_page,
     "what a drill came to, as sections"},
    {"GET", DRILLS_PATH "/{id}/debrief.json", HTTP_SCOPE_READ, 0, handle_json,
     "the debrief with its facts"},
    {"GET", DRILLS_PATH "/{id}/debrief.md", HTTP_SCOPE_READ, 0, handle_markdown,
     "the debrief as Markdown"},
    {"GET", DRILLS_PATH "/{id}/debrief.html", HTTP_SCOPE_READ, 0, handle_html,
     "the debrief as one HTML file with its graphs"},
    {"PUT", DRILLS_PATH "/{id}/debrief/sections/{section}", HTTP_SCOPE_OPERATE, 0, handle_put,
     "saves what the player writes in a section"},
};

const struct api_table api_drill_debrief_routes = {routes, sizeof(routes) / sizeof(routes[0])};
