#pragma once

/*
 * A postmortem as one HTML file: opens offline, prints, reads in the dark and on a phone,
 * asks no server for anything (its own Content-Security-Policy forbids it).
 */

#include <stdint.h>

#include "alertd/postmortem/markdown.h"
#include "lib/base/err.h"

enum {
    DOCUMENT_E_LIMIT = 1,
    DOCUMENT_HTML_MAX = 16 * 1024 * 1024, /* a good limit for the caller's struct str */
};

struct document {
    const char *title;
    const char *incident_key;
    const char *status; /* "draft", "in_review", "published"; NULL: it has none, nor revisions */
    const char *updated_by; /* may be "" */
    int64_t updated_at_ms;
    int64_t revision;
    const struct markdown *body;
    const struct markdown_graph *graphs;
    size_t n_graphs;
};

/* Appends the file to out. 0, or DOCUMENT_E_LIMIT when out is full. */
int document_html(const struct document *document, struct str *out, struct err *reterr);
