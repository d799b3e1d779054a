/*
 * A postmortem as JSON: POSTMORTEM of docs/api.md. See postmortem_call.h.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/api/postmortem_call.h"
#include "alertd/postmortem/markdown.h"

void postmortem_json_head(struct json_out *out, const struct postmortem_row *row)
{
    json_kv_int(out, "id", row->id);
    json_kv_string(out, "incident", row->incident);
    json_kv_string(out, "kind", row->kind);
    json_kv_string(out, "title", row->title);
    json_kv_string(out, "template", row->template_name);
    json_kv_string(out, "status", row->status);
    json_kv_string(out, "owner", row->owner);
    json_kv_time(out, "due_at", row->due_ms);
    json_kv_int(out, "revision", row->revision);
    json_kv_int(out, "version", row->version);
    json_kv_time(out, "created_at", row->created_ms);
    json_kv_string(out, "created_by", row->created_by);
    json_kv_time(out, "updated_at", row->updated_ms);
    json_kv_string(out, "updated_by", row->updated_by);
    json_kv_int(out, "open_prompts", row->open_prompts);
    json_kv_int(out, "open_actions", row->open_actions);
}

void postmortem_json_hash(struct json_out *out, const char *name, const unsigned char *hash)
{
    char text[2 * POSTMORTEM_DB_HASH_BYTES + 1];

    for (int i = 0; i < POSTMORTEM_DB_HASH_BYTES; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", hash[i]);
    json_kv_string(out, name, text);
}

/* The tree of a text; null when it grows too large. */
static void add_nodes(struct json_out *out, const char *name, const char *markdown)
{
    ARENA_AUTO struct arena arena;
    struct markdown *document;

    arena_init(&arena, MARKDOWN_TREE_MAX);
    json_key(out, name);
    if (markdown_parse(&arena, markdown, strlen(markdown), &document, NULL))
        json_null(out);
    else
        markdown_json(document, out);
}

void postmortem_json_section(struct json_out *out, const struct postmortem_seen *section)
{
    const struct postmortem_section *row = &section->row;

    json_open(out, '{');
    json_kv_string(out, "id", row->id);
    json_kv_string(out, "title", row->title);
    json_kv_string(out, "mode", row->is_generated ? "generated" : "human");
    json_kv_bool(out, "required", row->required);
    json_kv_string(out, "state", postmortem_section_state_name(section->state));
    json_kv_int(out, "revision", row->revision);
    json_kv_string(out, "body", row->body);
    json_kv_string(out, "generated", section->generated);
    json_kv_bool(out, "detached", row->detached_from != NULL);
    json_kv_string(out, "trouble", section->trouble);
    json_kv_int(out, "open_prompts", (int64_t)section->open_prompts);
    json_kv_time(out, "updated_at", row->recorded_ms);
    json_kv_string(out, "updated_by", row->author);
    add_nodes(out, "generated_nodes", row->detached_from ? "" : section->generated);
    add_nodes(out, "body_nodes", row->body);
    json_close(out, '}');
}

void postmortem_json_sections(struct json_out *out, const struct postmortem_view *view)
{
    if (view->frozen) {
        json_raw(out, view->frozen->sections);
        return;
    }
    json_open(out, '[');
    for (size_t i = 0; i < view->n_sections; i++)
        postmortem_json_section(out, &view->sections[i]);
    json_close(out, ']');
}

void postmortem_json_action(struct json_out *out, const struct action_row *action, int64_t now_ms)
{
    bool open = !action_is_over(action->state);

    json_open(out, '{');
    json_kv_int(out, "id", action->id);
    json_kv_int(out, "postmortem", action->postmortem_id);
    json_kv_string(out, "incident", action->incident);
    json_kv_string(out, "text", action->text);
    json_kv_string(out, "type", action->type);
    json_kv_string(out, "tag", action->tag);
    json_kv_string(out, "owner", action->owner);
    json_kv_time(out, "due_at", action->due_ms);
    json_kv_string(out, "state", action->state);
    json_kv_bool(out, "overdue", open && action->due_ms && action->due_ms < now_ms);
    json_kv_string(out, "done_when", action->done_when);
    json_kv_string(out, "proof_url", action->proof_url);
    json_kv_string(out, "reason", action->reason);
    json_kv_string(out, "rule_draft", action->rule_draft);
    json_kv_int(out, "revision", action->revision);
    json_kv_time(out, "created_at", action->created_ms);
    json_kv_time(out, "updated_at", action->updated_ms);
    json_kv_string(out, "updated_by", action->updated_by);
    json_kv_time(out, "closed_at", action->closed_ms);
    json_close(out, '}');
}

static void add_reviews(struct json_out *out, const struct postmortem_view *view)
{
    json_key(out, "reviews");
    json_open(out, '[');
    for (size_t i = 0; i < view->n_reviews; i++) {
        json_open(out, '{');
        json_kv_string(out, "who", view->reviews[i].who);
        json_kv_string(out, "verdict", view->reviews[i].verdict);
        json_kv_string(out, "section", view->reviews[i].section);
        json_kv_string(out, "text", view->reviews[i].text);
        json_kv_int(out, "revision", view->reviews[i].revision);
        json_kv_time(out, "at", view->reviews[i].at_ms);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void add_questions(struct json_out *out, const struct postmortem_view *view)
{
    const struct fact *questions = fact_member(view->facts, "questions", 9);

    json_key(out, "questions");
    if (questions)
        fact_json(questions, out);
    else
        json_null(out);
}

static void add_hints(struct json_out *out, const struct postmortem_view *view)
{
    json_key(out, "hints");
    json_open(out, '[');
    for (size_t i = 0; i < view->n_sections; i++)
        for (size_t k = 0; k < view->sections[i].n_hints; k++) {
            const struct hint *hint = &view->sections[i].hints[k];

            json_open(out, '{');
            json_kv_string(out, "section", view->sections[i].row.id);
            json_kv_string(out, "kind", hint->kind);
            json_kv_string(out, "phrase", hint->phrase);
            json_kv_string(out, "advice", hint->advice);
            json_kv_int(out, "line", hint->line);
            json_close(out, '}');
        }
    json_close(out, ']');
}

static void add_actions(struct json_out *out, const struct postmortem_view *view)
{
    json_key(out, "actions");
    json_open(out, '[');
    for (size_t i = 0; i < view->n_actions; i++)
        postmortem_json_action(out, &view->actions[i], view->now_ms);
    json_close(out, ']');
}

static void add_graphs(struct json_out *out, const struct postmortem_view *view)
{
    json_key(out, "graphs");
    json_open(out, '[');
    for (size_t i = 0; i < view->n_graphs; i++) {
        json_open(out, '{');
        json_kv_int(out, "id", view->graphs[i].id);
        json_kv_string(out, "title", view->graphs[i].title);
        json_kv_string(out, "query", view->graphs[i].query);
        json_kv_time(out, "from", view->graphs[i].start_ms);
        json_kv_time(out, "to", view->graphs[i].end_ms);
        json_kv_bool(out, "chosen", view->graphs[i].is_chosen);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void add_versions(struct json_out *out, const struct postmortem_view *view)
{
    json_key(out, "versions");
    json_open(out, '[');
    for (size_t i = 0; i < view->n_versions; i++) {
        json_open(out, '{');
        json_kv_int(out, "version", view->versions[i].version);
        json_kv_string(out, "title", view->versions[i].title);
        json_kv_time(out, "published_at", view->versions[i].published_ms);
        json_kv_string(out, "published_by", view->versions[i].published_by);
        postmortem_json_hash(out, "sha256", view->versions[i].sha256);
        postmortem_json_hash(out, "samples_sha256", view->versions[i].samples_sha256);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void add_blockers(struct json_out *out, const struct postmortem_view *view)
{
    json_key(out, "blockers");
    json_open(out, '[');
    for (size_t i = 0; i < view->n_blockers; i++)
        json_string(out, view->blockers[i]);
    json_close(out, ']');
}

static void add_markdown(struct json_out *out, const struct postmortem_view *view)
{
    STR_AUTO struct str markdown = STR_INIT(POSTMORTEM_MARKDOWN_MAX);

    postmortem_view_markdown(view, &markdown);
    json_kv_string(out, "markdown", str_text(&markdown));
}

void postmortem_json_view(struct json_out *out, const struct postmortem_view *view, bool whole)
{
    json_open(out, '{');
    postmortem_json_head(out, &view->row);
    if (whole)
        add_markdown(out, view);
    json_key(out, "sections");
    postmortem_json_sections(out, view);
    add_reviews(out, view);
    add_questions(out, view);
    add_hints(out, view);
    add_actions(out, view);
    add_graphs(out, view);
    add_versions(out, view);
    add_blockers(out, view);
    json_close(out, '}');
}
