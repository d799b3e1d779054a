/*
 * alertctl drill report: a script played, and its debrief as a document.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/drill/debrief.h"
#include "alertd/postmortem/document.h"
#include "ctl/drill.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"

enum {
    REPORT_BYTES_MAX = 64 * 1024 * 1024
};

static void add_markdown(const struct debrief_section *sections, size_t n, struct str *out)
{
    for (size_t i = 0; i < n; i++)
        section_join(sections[i].title, sections[i].generated, sections[i].asks, out);
}

/* In a text without files beside it a graph is named, not drawn. */
static void name_graphs(const char *markdown, struct str *out)
{
    const char *at;

    while ((at = strstr(markdown, "](graph:")) != NULL) {
        size_t digits = strspn(at + 8, "0123456789");

        str_addn(out, markdown, (size_t)(at - markdown));
        str_addf(out, "](graph-%.*s.svg", (int)digits, at + 8);
        markdown = at + 8 + digits;
    }
    str_add(out, markdown);
}

static int add_html(struct arena *arena,
                    const struct debrief *debrief,
                    const struct drill *drill,
                    const struct str *markdown,
                    struct str *out,
                    struct err *err)
{
    struct markdown *body = NULL;
    int r = markdown_parse(arena, str_text(markdown), markdown->len, &body, err);
    const struct document document = {.title = drill->title,
                                      .incident_key = "drill",
                                      .status = "draft",
                                      .updated_by = "",
                                      .updated_at_ms = drill->start_ms,
                                      .revision = 1,
                                      .body = body,
                                      .graphs = debrief->graphs,
                                      .n_graphs = debrief->n_graphs};

    return r ? r : document_html(&document, out, err);
}

/* The graphs beside a Markdown file: graph-1.svg. */
static int write_graphs(const char *output, const struct debrief *debrief, struct err *err)
{
    const char *slash = strrchr(output, '/');
    int folder = slash ? (int)(slash - output + 1) : 0;
    int r = 0;

    for (size_t i = 0; !r && i < debrief->n_graphs; i++) {
        STR_AUTO struct str path = STR_INIT(DRILL_PATH_MAX);

        str_addf(&path, "%.*sgraph-%zu.svg", folder, output, i + 1);
        r = fs_replace(str_text(&path), debrief->graphs[i].svg, strlen(debrief->graphs[i].svg),
                       0644, err);
    }
    return r;
}

static bool ends_with(const char *text, const char *ending)
{
    size_t len = strlen(text), n = strlen(ending);

    return len >= n && strcmp(text + len - n, ending) == 0;
}

static enum ctl_exit write_report(const struct ctl *ctl,
                                  struct arena *arena,
                                  const struct drill_job *job,
                                  const struct debrief *debrief)
{
    const struct template_set set = {template_builtin, template_n_builtin};
    const char *output = ctl_option(ctl, "output");
    STR_AUTO struct str markdown = STR_INIT(REPORT_BYTES_MAX);
    STR_AUTO struct str out = STR_INIT(REPORT_BYTES_MAX);
    struct debrief_section *sections = NULL;
    struct err err = {0};
    size_t n = 0;
    int r = debrief_sections(arena, &set, debrief, &sections, &n, &err);

    if (!r) {
        add_markdown(sections, n, &markdown);
        if (output && ends_with(output, ".html"))
            r = add_html(arena, debrief, job->loaded->drill_case->drill, &markdown, &out, &err);
        else
            name_graphs(str_text(&markdown), &out);
    }
    if (!r && output)
        r = fs_replace(output, str_text(&out), out.len, 0644, &err);
    else if (!r)
        (void)fputs(str_text(&out), stdout);
    if (!r && output && !ends_with(output, ".html"))
        r = write_graphs(output, debrief, &err);
    return r ? ctl_fail(ctl, "%s", err.text) : CTL_OK;
}

static enum ctl_exit report(const struct ctl *ctl, struct drill_job *job, const char *player)
{
    ARENA_AUTO struct arena arena;
    struct debrief debrief;
    struct err err = {0};

    arena_init(&arena, DEBRIEF_ARENA_BYTES);
    drill_play_all(job, 1);

    const struct debrief_input input = {.drill_case = job->loaded->drill_case,
                                        .world = job->played.world,
                                        .score = &job->played.score,
                                        .key = "drill",
                                        .player = player,
                                        .generator = "alertctl " WATCHBILL_VERSION};
    enum ctl_exit r = debrief_facts(&arena, &input, &debrief, &err)
                          ? ctl_fail(ctl, "%s", err.text)
                          : write_report(ctl, &arena, job, &debrief);

    drill_played_done(&job->played);
    return r;
}

enum ctl_exit cmd_drill_report(struct ctl *ctl)
{
    const char *player = ctl_option(ctl, "player");
    const char *seed = ctl_option(ctl, "seed");
    struct drill_loaded loaded;
    enum ctl_exit r = CTL_FAILURE;

    if (!drill_load(ctl->arguments[0], ctl_option(ctl, "rules"), &loaded)) {
        if (loaded.err.line)
            (void)fprintf(stderr, "%s:%u:%u: %s\n", loaded.path, loaded.err.line, loaded.err.column,
                          loaded.err.text);
        else
            (void)fprintf(stderr, "%s: %s\n", loaded.path, loaded.err.text);
        return CTL_FAILURE;
    }

    struct drill_job job = {.loaded = &loaded,
                            .player = player ? drill_player_find(loaded.drill_case->drill, player)
                                             : NULL,
                            .seed = seed ? strtoull(seed, NULL, 10) : 1};

    if (player && !job.player && strcmp(player, "nobody") != 0)
        (void)ctl_fail(ctl, "%s has no player '%s'", loaded.path, player);
    else
        r = report(ctl, &job, player ? player : "nobody");
    drill_loaded_done(&loaded);
    return r;
}
