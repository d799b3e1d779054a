#pragma once

/*
 * A postmortem as it is seen: the rows, the record of its incident, what facts say in each
 * section right now, hints, and what stands between it and being published.
 *
 * While it is a draft, in review or reviewed, what facts say is made anew in each view: a
 * mark that is moved shows at once. Published, it is what was frozen (postmortem_publish.h).
 */

#include "alertd/api/postmortem_record.h"
#include "alertd/postmortem/hint.h"
#include "alertd/postmortem/roles.h"

enum {
    POSTMORTEM_VIEW_BYTES_MAX = 192 * 1024 * 1024,
    POSTMORTEM_MARKDOWN_MAX = 4 * 1024 * 1024,
};

enum postmortem_section_state {
    SECTION_AUTO,      /* facts only */
    SECTION_NEEDS_YOU, /* a prompt is open, or it is required and empty */
    SECTION_DONE,
    SECTION_STALE, /* taken over by a person, and the facts changed since */
};

struct postmortem_seen {
    struct postmortem_section row;
    const char *generated; /* what facts say now */
    const char *trouble;   /* why they can't be put in; "" */
    enum postmortem_section_state state;
    size_t open_prompts;
    const struct hint *hints; /* those nobody dismissed */
    size_t n_hints;
};

struct postmortem_view {
    const struct api *api;
    struct arena *arena;
    int64_t now_ms;
    struct postmortem_row row;
    struct postmortem_record record;
    struct postmortem_seen *sections;
    size_t n_sections;
    struct postmortem_review *reviews;
    size_t n_reviews;
    struct postmortem_answer_row *answers;
    size_t n_answers;
    struct action_row *actions;
    size_t n_actions;
    struct graph_row *graphs;
    size_t n_graphs;
    struct postmortem_version *versions; /* newest first */
    size_t n_versions;
    const struct postmortem_version *frozen; /* what is shown when it is published; or NULL */
    const struct fact *facts;
    struct roles roles; /* those of the incident's people */
    bool is_told;       /* in roles instead of names: it is for the public */
    const char **blockers;
    size_t n_blockers;
};

/* For the public: from here on everybody who is known here has a role, also in title and graphs. */
int postmortem_view_tell(const struct api *api, struct postmortem_view *view, struct err *reterr);

bool postmortem_is_frozen(const struct postmortem_row *row); /* published or closed */

/* Codes of incident_db.h, postmortem_db.h, postmortem_record.h. In a read or a job. */
int postmortem_view_load(const struct api *api,
                         struct db_conn *conn,
                         int64_t id,
                         int64_t now_ms,
                         struct arena *arena,
                         struct postmortem_view *ret_view,
                         struct err *reterr);
/* The same in a snapshot of its own. */
int postmortem_view_read(const struct api *api,
                         int64_t id,
                         struct arena *arena,
                         struct postmortem_view *ret_view,
                         struct err *reterr);

/* What stands in a section: facts unless it was detached, then the body. */
void postmortem_view_section(const struct postmortem_view *view,
                             const struct postmortem_seen *section,
                             struct str *out);
/* The whole document as Markdown. */
void postmortem_view_markdown(const struct postmortem_view *view, struct str *out);

/* A graph with the letters of the timeline as it is now. */
int postmortem_view_graph(const struct postmortem_view *view,
                          const struct graph_row *graph,
                          struct str *out,
                          struct err *reterr);

const char *postmortem_section_state_name(enum postmortem_section_state state);
