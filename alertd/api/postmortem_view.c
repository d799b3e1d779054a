/*
 * A postmortem as it is seen. See postmortem_view.h.
 */

#include "alertd/api/postmortem_view.h"

#include <string.h>

#include "alertd/api/postmortem_files.h"
#include "alertd/db/roster_db.h"
#include "alertd/postmortem/graph.h"
#include "alertd/postmortem/section.h"
#include "alertd/postmortem/svg.h"
#include "lib/base/clock.h"

enum {
    BLOCKERS_MAX = 200
};

static int too_large(struct err *reterr)
{
    return err_set(reterr, POSTMORTEM_RECORD_E_LIMIT, "the document is too large to show");
}

const char *postmortem_section_state_name(enum postmortem_section_state state)
{
    static const char *const names[] = {"auto", "needs_you", "done", "stale"};

    return names[state];
}

bool postmortem_is_frozen(const struct postmortem_row *row)
{
    return strcmp(row->status, "published") == 0 || strcmp(row->status, "closed") == 0;
}

/* --- rows --- */

static int read_around(struct db_conn *conn, struct postmortem_view *view, struct err *reterr)
{
    const struct action_query of_it = {.postmortem_id = view->row.id};
    struct arena *arena = view->arena;
    int64_t id = view->row.id;
    int r = postmortem_review_db_list(conn, id, arena, &view->reviews, &view->n_reviews, reterr);

    if (!r)
        r = postmortem_answer_db_list(conn, id, arena, &view->answers, &view->n_answers, reterr);
    if (!r)
        r = action_db_list(conn, &of_it, arena, &view->actions, &view->n_actions, reterr);
    if (!r)
        r = graph_db_list(conn, view->row.incident_id, arena, &view->graphs, &view->n_graphs,
                          reterr);
    if (!r)
        r = postmortem_version_db_list(conn, id, arena, &view->versions, &view->n_versions, reterr);
    return r;
}

static int read_frozen(struct db_conn *conn, struct postmortem_view *view, struct err *reterr)
{
    struct postmortem_version *version = arena_alloc(view->arena, sizeof(*version));

    if (!postmortem_is_frozen(&view->row))
        return 0;
    view->frozen = version;
    return version ? postmortem_version_db_get(conn, view->row.id, 0, view->arena, version, reterr)
                   : too_large(reterr);
}

static int read_sections(struct db_conn *conn, struct postmortem_view *view, struct err *reterr)
{
    struct postmortem_section *rows = NULL;
    int r = postmortem_section_db_list(conn, view->row.id, view->arena, &rows, &view->n_sections,
                                       reterr);

    if (r)
        return r;
    view->sections = arena_array(view->arena, view->n_sections + 1, sizeof(*view->sections));
    for (size_t i = 0; view->sections && i < view->n_sections; i++)
        view->sections[i] = (struct postmortem_seen){
            .row = rows[i], .generated = "", .trouble = "", .state = SECTION_DONE};
    return view->sections ? 0 : too_large(reterr);
}

/* A text may name anybody, not only those who took part. */
static int add_people(struct db_conn *conn, struct postmortem_view *view, struct err *reterr)
{
    struct zones zones = {0};
    struct roster roster = {0};
    int r = roster_db_load(conn, &zones, view->arena, &roster, reterr);
    bool fits = true;

    for (size_t i = 0; r == 0 && fits && i < roster.n_people; i++)
        fits = roles_add(view->arena, &view->roles, roster.people[i].name,
                         roster.people[i].full_name);
    zones_done(&zones);
    return r ? r : fits ? 0 : too_large(reterr);
}

static const char *told_text(struct postmortem_view *view, const char *text)
{
    STR_AUTO struct str out = STR_INIT(POSTMORTEM_MARKDOWN_MAX);

    roles_replace(&view->roles, text, &out);
    return out.full ? NULL : arena_strndup(view->arena, str_text(&out), out.len);
}

static int tell(struct db_conn *conn, struct postmortem_view *view, struct err *reterr)
{
    int r = add_people(conn, view, reterr);

    if (r)
        return r;
    view->row.title = told_text(view, view->row.title);
    view->is_told = true;
    return view->row.title ? 0 : too_large(reterr);
}

int postmortem_view_tell(const struct api *api, struct postmortem_view *view, struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = view->is_told ? 0 : db_read_begin(api->state, &conn, reterr);

    if (r || view->is_told)
        return r;
    r = tell(conn, view, reterr);
    db_read_end(api->state, conn);
    return r;
}

static int make_facts(struct db_conn *conn, struct postmortem_view *view, struct err *reterr)
{
    const struct postmortem_about about = {
        .row = &view->row,
        .graphs = view->graphs,
        .n_graphs = view->n_graphs,
        .answers = view->answers,
        .n_answers = view->n_answers,
        .actions = view->actions,
        .n_actions = view->n_actions,
        .now_ms = view->now_ms,
    };
    int r = postmortem_record_facts(view->api, &view->record, &about, &view->facts, reterr);

    if (!r && !roles_of(view->arena, view->facts, &view->roles))
        return too_large(reterr);
    return r == 0 && strcmp(view->row.kind, "public") == 0 ? tell(conn, view, reterr) : r;
}

/* --- sections --- */

/* The text in the arena, with roles instead of names when it is for the public. */
static const char *told(struct postmortem_view *view, const struct str *text)
{
    return view->is_told ? told_text(view, str_text(text))
                         : arena_strndup(view->arena, str_text(text), text->len);
}

/* A template that names something that is no more (a part was changed since) is trouble of
 * its section, not of the document. */
static int generate(struct postmortem_view *view,
                    const struct template_set *set,
                    struct postmortem_seen *seen,
                    struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(SECTION_GENERATED_MAX);
    STR_AUTO struct str asks = STR_INIT(SECTION_BODY_MAX);
    const struct section section = {
        .id = seen->row.id,
        .part = {view->row.template_name, seen->row.template_text, (unsigned)seen->row.line},
    };
    struct err err = {0};

    if (section_render(view->arena, set, &section, view->facts, &text, &asks, &err)) {
        STR_AUTO struct str words = STR_INIT(2000);

        str_addf(&words, "line %u, column %u: %s", err.line, err.column, err.text);
        seen->trouble = arena_strndup(view->arena, str_text(&words), words.len);
        return seen->trouble ? 0 : too_large(reterr);
    }
    seen->generated = told(view, &text);
    return seen->generated ? 0 : too_large(reterr);
}

static enum postmortem_section_state state_of(const struct postmortem_seen *seen)
{
    const struct postmortem_section *row = &seen->row;

    if (row->detached_from && strcmp(row->detached_from, seen->generated) != 0)
        return SECTION_STALE;
    if (row->is_generated && !row->detached_from)
        return SECTION_AUTO;
    if (seen->open_prompts || (row->required && section_is_unwritten(row->body)))
        return SECTION_NEEDS_YOU;
    return SECTION_DONE;
}

static bool is_dismissed(const struct postmortem_dismissal *dismissals,
                         size_t n,
                         const char *section,
                         const char *phrase)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(dismissals[i].section, section) == 0 &&
            strcmp(dismissals[i].phrase, phrase) == 0)
            return true;
    return false;
}

static bool find_hints(struct postmortem_view *view,
                       const struct hint_table *table,
                       struct postmortem_seen *seen,
                       const struct postmortem_dismissal *dismissals,
                       size_t n_dismissals)
{
    size_t n = 0;
    struct hint *hints = hint_find(view->arena, table, seen->row.body, &n);

    for (size_t i = 0; hints && i < n; i++)
        if (!is_dismissed(dismissals, n_dismissals, seen->row.id, hints[i].phrase))
            hints[seen->n_hints++] = hints[i];
    seen->hints = hints;
    return hints != NULL;
}

static int see_sections(struct db_conn *conn, struct postmortem_view *view, struct err *reterr)
{
    struct postmortem_dismissal *dismissals = NULL;
    struct template_set set;
    struct hint_table table = hint_builtin;
    size_t n = 0;
    int r = postmortem_hint_db_list(conn, view->row.id, view->arena, &dismissals, &n, reterr);

    if (!r)
        r = postmortem_hints(conn, view->arena, &table, reterr);
    if (!r && postmortem_files_read(view->api, view->arena, &set, reterr))
        r = too_large(reterr);
    for (size_t i = 0; !r && i < view->n_sections; i++) {
        struct postmortem_seen *seen = &view->sections[i];

        r = generate(view, &set, seen, reterr);
        if (!r && !find_hints(view, &table, seen, dismissals, n))
            r = too_large(reterr);
        seen->open_prompts = section_open_prompts(seen->row.body);
        if (!r)
            seen->state = state_of(seen);
    }
    return r;
}

/* --- what stands between it and being published --- */

static void block(struct postmortem_view *view, const char *fmt, const char *what)
{
    STR_AUTO struct str words = STR_INIT(400);

    if (view->n_blockers == BLOCKERS_MAX)
        return;
    str_addf(&words, "%s%.200s", fmt, what);
    const char *kept = arena_strndup(view->arena, str_text(&words), words.len);

    if (kept)
        view->blockers[view->n_blockers++] = kept;
}

static bool mark_is_known(const struct postmortem_view *view, const char *name)
{
    const struct fact *marks = fact_member(view->facts, "mark", 4);
    const struct fact *mark = marks ? fact_member(marks, name, strlen(name)) : NULL;

    return mark && fact_is_true(mark);
}

static bool is_answered(const struct postmortem_view *view, const char *question)
{
    for (size_t i = 0; i < view->n_answers; i++)
        if (strcmp(view->answers[i].question, question) == 0)
            return true;
    return false;
}

static void block_on_sections(struct postmortem_view *view)
{
    for (size_t i = 0; i < view->n_sections; i++) {
        const struct postmortem_seen *seen = &view->sections[i];
        const char *name = *seen->row.title ? seen->row.title : seen->row.id;

        if (*seen->trouble)
            block(view, "Its facts can't be put in: ", name);
        if (seen->row.required && section_is_unwritten(seen->row.body))
            block(view, "Nobody wrote: ", name);
        else if (seen->open_prompts)
            block(view, "A prompt is open in: ", name);
        if (strstr(seen->row.body, "TO"
                                   "DO"))
            block(view, "Something is left to do in: ", name);
    }
}

static void block_on_actions(struct postmortem_view *view)
{
    for (size_t i = 0; i < view->n_actions; i++) {
        const struct action_row *action = &view->actions[i];

        if (action_is_over(action->state))
            continue;
        if (!*action->owner)
            block(view, "Nobody owns the action: ", action->text);
        if (!action->due_ms)
            block(view, "No date for the action: ", action->text);
        if (!*action->done_when)
            block(view, "Nothing says when it is done: ", action->text);
    }
}

/* The last thing each reviewer said counts; the owner's own word does not. */
static void block_on_reviews(struct postmortem_view *view)
{
    bool approved = false;

    for (size_t i = 0; i < view->n_reviews; i++) {
        const struct postmortem_review *review = &view->reviews[i];
        bool is_last = strcmp(review->verdict, "comment") != 0;

        for (size_t k = i + 1; k < view->n_reviews && is_last; k++)
            is_last = strcmp(view->reviews[k].who, review->who) != 0 ||
                      strcmp(view->reviews[k].verdict, "comment") == 0;
        if (!is_last)
            continue;
        if (strcmp(review->verdict, "changes") == 0)
            block(view, "Changes are asked for by ", review->who);
        approved |= strcmp(review->verdict, "approved") == 0 &&
                    strcmp(review->who, view->row.owner) != 0;
    }
    if (!approved)
        block(view, "Nobody but its owner approved it", "");
}

static int find_blockers(struct postmortem_view *view, struct err *reterr)
{
    view->blockers = arena_array(view->arena, BLOCKERS_MAX, sizeof(*view->blockers));
    if (!view->blockers)
        return too_large(reterr);
    block_on_sections(view);
    if (!mark_is_known(view, "impact_start") && !is_answered(view, FACTS_ASK_IMPACT_START))
        block(view, "Set the mark or answer why not: ", FACTS_ASK_IMPACT_START);
    if (!mark_is_known(view, "mitigated") && !is_answered(view, FACTS_ASK_MITIGATED))
        block(view, "Set the mark or answer why not: ", FACTS_ASK_MITIGATED);
    block_on_actions(view);
    block_on_reviews(view);
    return 0;
}

int postmortem_view_load(const struct api *api,
                         struct db_conn *conn,
                         int64_t id,
                         int64_t now_ms,
                         struct arena *arena,
                         struct postmortem_view *ret_view,
                         struct err *reterr)
{
    struct postmortem_view view = {.api = api, .arena = arena, .now_ms = now_ms};
    int r = postmortem_db_get(conn, id, arena, &view.row, reterr);

    if (!r)
        r = postmortem_record_read(conn, view.row.incident, arena, &view.record, reterr);
    if (!r)
        r = read_around(conn, &view, reterr);
    if (!r)
        r = read_frozen(conn, &view, reterr);
    if (!r)
        r = read_sections(conn, &view, reterr);
    if (!r)
        r = make_facts(conn, &view, reterr);
    if (!r)
        r = see_sections(conn, &view, reterr);
    if (!r)
        r = find_blockers(&view, reterr);
    if (!r)
        *ret_view = view;
    return r;
}

int postmortem_view_read(const struct api *api,
                         int64_t id,
                         struct arena *arena,
                         struct postmortem_view *ret_view,
                         struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = db_read_begin(api->state, &conn, reterr);

    if (r)
        return r;
    r = postmortem_view_load(api, conn, id, clock_wall_ms(), arena, ret_view, reterr);
    db_read_end(api->state, conn);
    return r;
}

/* --- as text --- */

void postmortem_view_section(const struct postmortem_view *view,
                             const struct postmortem_seen *section,
                             struct str *out)
{
    const char *generated = section->row.detached_from ? "" : section->generated;

    (void)view;
    section_join(section->row.title, generated, section->row.body, out);
}

void postmortem_view_markdown(const struct postmortem_view *view, struct str *out)
{
    if (view->frozen)
        str_add(out, view->frozen->markdown);
    for (size_t i = 0; !view->frozen && i < view->n_sections; i++)
        postmortem_view_section(view, &view->sections[i], out);
}

/* The alerts of the rule whose graph it is, next to each other. */
static struct graph_story story_of(const struct postmortem_view *view,
                                   const struct graph_row *graph)
{
    const struct postmortem_record *record = &view->record;
    struct graph_story story = {.rows = record->rows, .n_rows = record->n_events};

    for (size_t i = 0; graph->rule_id && i < record->n_alerts; i++)
        if (record->alerts[i].rule_id == graph->rule_id) {
            story.alerts = story.n_alerts ? story.alerts : &record->alerts[i];
            story.n_alerts++;
        }
    return story;
}

static int draw(const struct postmortem_view *view,
                const struct graph_row *graph,
                struct str *out,
                struct err *reterr)
{
    const struct graph_plan plan = {
        .title = graph->title,
        .query = graph->query,
        .has_threshold = graph->has_threshold,
        .threshold = graph->threshold,
        .start_ms = graph->start_ms,
        .end_ms = graph->end_ms,
        .step_ms = graph->step_ms,
    };
    const struct graph_story story = story_of(view, graph);
    struct graph_lines lines;

    for (size_t i = 0; view->frozen && i < view->frozen->n_graphs; i++)
        if (view->frozen->graphs[i].graph_id == graph->id) {
            str_add(out, view->frozen->graphs[i].svg);
            return 0;
        }
    int r = graph_lines_read(view->arena, graph->series, &lines, reterr);

    return r ? r : graph_draw_lines(view->arena, &plan, &lines, &story, out, reterr);
}

int postmortem_view_graph(const struct postmortem_view *view,
                          const struct graph_row *graph,
                          struct str *out,
                          struct err *reterr)
{
    STR_AUTO struct str named = STR_INIT(SVG_TEXT_MAX);

    if (!view->is_told)
        return draw(view, graph, out, reterr);

    int r = draw(view, graph, &named, reterr);

    if (r == 0)
        roles_replace_markup(&view->roles, str_text(&named), out);
    return r;
}
