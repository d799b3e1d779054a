/*
 * Where one can look in a drill: every metric, every runbook that a rule links. Which of them are
 * the right ones is for the end.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/desk/private.h"

enum {
    PLACES_BYTES_MAX = 16 * 1024 * 1024,
    PLACES_MAX = 3000,
};

/* Names, each once and in their order. */
struct places {
    struct arena *arena;
    const char **at;
    size_t n;
};

static void add(struct places *places, const char *name)
{
    if (name && places->n < PLACES_MAX)
        places->at[places->n++] = name;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_all(struct json_out *out, const char *key, struct places *places)
{
    if (places->n)
        qsort(places->at, places->n, sizeof(*places->at), by_text);
    json_key(out, key);
    json_open(out, '[');
    for (size_t i = 0; i < places->n; i++)
        if (i == 0 || strcmp(places->at[i], places->at[i - 1]) != 0)
            json_string(out, places->at[i]);
    json_close(out, ']');
}

/* What was measured until now. */
static void add_metrics(struct places *places, struct drill_world *world)
{
    const struct source source = drill_world_source(world);
    const struct source_query query = {.from_ms = INT64_MIN, .to_ms = INT64_MAX};
    struct source_selection selection = {0};

    if (source.select(source.self, &query, places->arena, &selection, NULL) != 0)
        return;
    for (size_t i = 0; i < selection.n; i++)
        add(places, labels_get(selection.matches[i].labels, LABEL_NAME));
}

/* `{{ $externalURL }}/runbooks/host#hostdiskfull` is host#hostdiskfull. */
static void add_link(struct places *places, const char *url)
{
    static const char before[] = "/runbooks/";
    const char *at = strstr(url, before);

    if (!at)
        return;
    at += strlen(before);

    size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789-_#");

    if (at[len] == '\0' && memchr(at, '#', len))
        add(places, at);
}

static void add_links(struct places *places, const struct drill_world *world)
{
    struct drill_rule_now now;

    for (size_t i = 0; drill_world_rule(world, i, &now); i++)
        for (size_t k = 0; k < now.rule->n_annotations; k++)
            if (strcmp(now.rule->annotations[k].name, "runbook_url") == 0)
                add_link(places, now.rule->annotations[k].text);
}

void desk_places(struct desk *desk, struct json_out *out)
{
    const struct drill *drill = desk->drill_case->drill;
    ARENA_AUTO struct arena arena;
    struct places places = {.arena = &arena};

    arena_init(&arena, PLACES_BYTES_MAX);
    places.at = arena_array(&arena, PLACES_MAX, sizeof(*places.at));
    if (places.at)
        add_metrics(&places, desk->world);
    write_all(out, "graphs", &places);
    places.n = 0;
    if (places.at) {
        add_links(&places, desk->world);
        for (size_t i = 0; i < drill->n_runbooks; i++)
            add(&places, drill->runbooks[i].text);
    }
    write_all(out, "runbooks", &places);
}

/* --- The right ones ------------------------------------------------------------------------------ */

static void write_names(struct json_out *out,
                        const char *key,
                        const struct drill_name *names,
                        size_t n)
{
    json_key(out, key);
    json_open(out, '[');
    for (size_t i = 0; i < n; i++)
        json_string(out, names[i].text);
    json_close(out, ']');
}

static void write_accepts(struct json_out *out,
                          const char *key,
                          const struct drill_question *question,
                          bool patterns)
{
    json_key(out, key);
    json_open(out, '[');
    for (size_t i = 0; i < question->n_accepts; i++)
        if ((question->accepts[i].regex != NULL) == patterns)
            json_string(out, question->accepts[i].words);
    json_close(out, ']');
}

static void write_question(struct json_out *out, const struct drill_question *question)
{
    json_open(out, '{');
    json_kv_string(out, "id", question->id);
    json_kv_string(out, "text", question->text);
    write_accepts(out, "accepts", question, false);
    write_accepts(out, "patterns", question, true);
    json_close(out, '}');
}

void desk_right_places(const struct drill *drill, struct json_out *out)
{
    json_key(out, "right");
    json_open(out, '{');
    write_names(out, "graphs", drill->graphs, drill->n_graphs);
    write_names(out, "runbooks", drill->runbooks, drill->n_runbooks);
    json_key(out, "questions");
    json_open(out, '[');
    for (size_t i = 0; i < drill->n_questions; i++)
        write_question(out, &drill->questions[i]);
    json_close(out, ']');
    json_close(out, '}');
}
