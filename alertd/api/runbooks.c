/*
 * Runbooks, for the page that an alert's runbook_url opens: the pack's text as the same
 * tree of nodes that postmortem previews use, so that the browser needs no Markdown.
 */

#include "alertd/api/runbooks.h"

#include <string.h>

#include "alertd/api/api.h"
#include "alertd/postmortem/markdown.h"
#include "lib/json/write.h"

static const struct runbook *find_runbook(const char *pack)
{
    for (size_t i = 0; i < n_runbooks; i++)
        if (strcmp(runbooks[i].pack, pack) == 0)
            return &runbooks[i];
    return NULL;
}

static void get_runbook(void *context, struct http_request *request, struct http_response *response)
{
    const struct runbook *runbook = find_runbook(request->path_args[0]);
    struct json_out out = JSON_OUT(&response->body);
    ARENA_AUTO struct arena arena;
    struct markdown *document;
    struct err err = {0};

    (void)context;
    arena_init(&arena, MARKDOWN_TREE_MAX);
    if (!runbook) {
        http_fail(response, "not_found", "no runbook named %.40s ships with alertd",
                  request->path_args[0]);
        return;
    }
    if (markdown_parse(&arena, runbook->markdown, strlen(runbook->markdown), &document, &err) !=
        0) {
        http_fail(response, "internal", "%s", err.text);
        return;
    }
    json_open(&out, '{');
    json_kv_string(&out, "pack", runbook->pack);
    json_key(&out, "nodes");
    markdown_json(document, &out);
    json_close(&out, '}');
}

static const struct http_route routes[] = {
    {"GET", "/api/alertd/v1/runbooks/{pack}", HTTP_SCOPE_READ, 0, get_runbook,
     "the runbook of a rule pack, as a tree"},
};

const struct api_table api_runbooks_routes = {routes, sizeof(routes) / sizeof(routes[0])};
