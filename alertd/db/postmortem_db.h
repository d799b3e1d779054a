#pragma once

/*
 * Postmortems as rows of state.db: sections and every save of them, what reviewers said, and
 * what was published. Reading functions take any connection; changing ones are for a db_job.
 * What is returned lives in the arena.
 *
 *   draft --> in_review --> reviewed --> published --> closed
 *     ^  \_______|____________|_____________/ |
 *     +---- back from each of them; a published version stays what it is
 *
 * A section's text is saved over the revision that the writer had before them; what somebody
 * else saved meanwhile is never lost: POSTMORTEM_DB_E_STALE. Revisions and versions are only
 * ever added: triggers refuse the rest.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "lib/base/arena.h"

enum {
    POSTMORTEM_DB_E_NOT_FOUND = 40,
    POSTMORTEM_DB_E_EXISTS = 41,    /* the incident has one: words name it */
    POSTMORTEM_DB_E_STALE = 42,     /* somebody saved a newer revision: words say who */
    POSTMORTEM_DB_E_PUBLISHED = 43, /* a published text cannot be saved over */
    POSTMORTEM_DB_E_LIMIT = 44,     /* the arena is spent */
    POSTMORTEM_DB_E_STEP = 45,      /* not from this status to that: words say which there are */
    POSTMORTEM_DB_HASH_BYTES = 32,
};

struct postmortem_row {
    int64_t id;
    int64_t incident_id;
    const char *incident; /* its key */
    const char *kind;     /* "internal", "public" */
    const char *title;
    const char *template_name;
    const char *status;
    const char *owner; /* "": nobody */
    int64_t due_ms;    /* 0: none */
    int64_t revision;
    int64_t version;      /* published last; 0: none */
    int64_t open_prompts; /* lines that begin with TEMPLATE_PROMPT */
    int64_t open_actions;
    int64_t created_ms, updated_ms;
    const char *created_by;
    const char *updated_by;
};

/* The newest 500. */
int postmortem_db_list(struct db_conn *conn,
                       struct arena *arena,
                       struct postmortem_row **ret_rows,
                       size_t *ret_n,
                       struct err *reterr);
int postmortem_db_get(struct db_conn *conn,
                      int64_t id,
                      struct arena *arena,
                      struct postmortem_row *ret_row,
                      struct err *reterr);

struct postmortem_section {
    const char *id;
    const char *title;
    bool is_generated;
    bool required;
    const char *template_text;
    int64_t line;
    const char *detached_from; /* NULL: what facts say is shown */
    int64_t revision;
    const char *body;
    const char *author;
    int64_t recorded_ms;
};

/* In their order. */
int postmortem_section_db_list(struct db_conn *conn,
                               int64_t id,
                               struct arena *arena,
                               struct postmortem_section **ret_sections,
                               size_t *ret_n,
                               struct err *reterr);

struct postmortem_revision {
    int64_t revision;
    const char *author;
    int64_t recorded_ms;
    const char *note;
    const char *body; /* NULL in lists */
};

/* Newest first. */
int postmortem_section_db_revisions(struct db_conn *conn,
                                    int64_t id,
                                    const char *section,
                                    struct arena *arena,
                                    struct postmortem_revision **ret_revisions,
                                    size_t *ret_n,
                                    struct err *reterr);
/* Revision 0 is empty: what was there before the first. */
int postmortem_section_db_revision(struct db_conn *conn,
                                   int64_t id,
                                   const char *section,
                                   int64_t revision,
                                   struct arena *arena,
                                   struct postmortem_revision *ret_revision,
                                   struct err *reterr);

/* --- jobs --- */

struct postmortem_draft {
    int64_t incident_id;
    const char *kind;
    const char *title;
    const char *template_name;
    const char *facts; /* JSON */
    const char *author;
    const char *owner;
    int64_t due_ms;
    int64_t now_ms;
    const struct postmortem_section *sections; /* their revision 1 */
    size_t n_sections;
};

/* The incident then names it, when it is the internal one. POSTMORTEM_DB_E_EXISTS. */
int postmortem_db_create(struct db_conn *conn,
                         const struct postmortem_draft *draft,
                         int64_t *ret_id,
                         struct err *reterr);

struct postmortem_save {
    int64_t id;
    const char *section;
    int64_t base_revision; /* what the writer had before them */
    const char *body;
    const char *author;
    const char *note;
    const char *detach_from; /* not NULL: what was generated becomes the person's */
    bool attach;             /* facts are shown again */
    int64_t now_ms;
};

/* Adds a revision. POSTMORTEM_DB_E_NOT_FOUND, _STALE, _PUBLISHED. */
int postmortem_section_db_save(struct db_conn *conn,
                               const struct postmortem_save *save,
                               int64_t *ret_revision,
                               struct err *reterr);

/* What stands around the text; NULL members stay as they are. */
struct postmortem_change {
    int64_t id;
    const char *title;
    const char *owner;
    bool sets_due;
    int64_t due_ms;
    const char *actor;
    int64_t now_ms;
};
int postmortem_db_change(struct db_conn *conn,
                         const struct postmortem_change *change,
                         struct err *reterr);

/* draft, in_review, reviewed, closed; `published` is postmortem_version_db_add()'s. An event
 * goes on the incident's timeline when it changes. POSTMORTEM_DB_E_STEP. */
int postmortem_db_set_status(struct db_conn *conn,
                             int64_t id,
                             const char *status,
                             const char *actor,
                             int64_t now_ms,
                             struct err *reterr);

/* In a job: something of the document changed. */
int postmortem_db_touch(
    struct db_conn *conn, int64_t id, const char *actor, int64_t now_ms, struct err *reterr);

/* --- reviews, answers, hints --- */

struct postmortem_review {
    const char *who;
    const char *verdict; /* "asked", "approved", "changes", "comment" */
    const char *section; /* "": of the whole */
    const char *text;
    int64_t revision;
    int64_t at_ms;
};
/* Oldest first. */
int postmortem_review_db_list(struct db_conn *conn,
                              int64_t id,
                              struct arena *arena,
                              struct postmortem_review **ret_reviews,
                              size_t *ret_n,
                              struct err *reterr);
/* Job; revision and at_ms are filled in. */
int postmortem_review_db_add(struct db_conn *conn,
                             int64_t id,
                             const struct postmortem_review *review,
                             int64_t now_ms,
                             struct err *reterr);

struct postmortem_answer_row {
    const char *question;
    const char *answer;
    const char *answered_by;
    int64_t at_ms;
};
int postmortem_answer_db_list(struct db_conn *conn,
                              int64_t id,
                              struct arena *arena,
                              struct postmortem_answer_row **ret_answers,
                              size_t *ret_n,
                              struct err *reterr);
/* Job; an empty answer takes it back. */
int postmortem_answer_db_set(struct db_conn *conn,
                             int64_t id,
                             const struct postmortem_answer_row *answer,
                             struct err *reterr);

struct postmortem_dismissal {
    const char *section;
    const char *phrase;
};
int postmortem_hint_db_list(struct db_conn *conn,
                            int64_t id,
                            struct arena *arena,
                            struct postmortem_dismissal **ret_dismissals,
                            size_t *ret_n,
                            struct err *reterr);
/* Job. */
int postmortem_hint_db_dismiss(struct db_conn *conn,
                               int64_t id,
                               const struct postmortem_dismissal *dismissal,
                               const char *who,
                               int64_t now_ms,
                               struct err *reterr);

/* --- what is published --- */

struct postmortem_version_graph {
    int64_t graph_id;
    const char *svg;
};

struct postmortem_version {
    int64_t version;
    const char *title;
    const char *markdown;
    const char *html;
    const char *facts;
    const char *sections;
    int64_t published_ms;
    const char *published_by;
    int64_t samples_upto; /* what was frozen of them then: frozen_db.h */
    unsigned char samples_sha256[POSTMORTEM_DB_HASH_BYTES];
    unsigned char sha256[POSTMORTEM_DB_HASH_BYTES];
    const struct postmortem_version_graph *graphs;
    size_t n_graphs;
};

/* Job: freezes it as the next version, and sets the status. version and both hashes are
 * filled in. */
int postmortem_version_db_add(struct db_conn *conn,
                              int64_t id,
                              const struct postmortem_version *version,
                              int64_t *ret_version,
                              struct err *reterr);
/* Newest first, without texts. */
int postmortem_version_db_list(struct db_conn *conn,
                               int64_t id,
                               struct arena *arena,
                               struct postmortem_version **ret_versions,
                               size_t *ret_n,
                               struct err *reterr);
/* version 0: the newest. With its graphs. */
int postmortem_version_db_get(struct db_conn *conn,
                              int64_t id,
                              int64_t version,
                              struct arena *arena,
                              struct postmortem_version *ret_version,
                              struct err *reterr);
/* Is everything still what was published? 0, or -EIO with words. */
int postmortem_version_db_verify(
    struct db_conn *conn, int64_t id, int64_t version, struct arena *arena, struct err *reterr);

/* --- finding them again --- */

/* Job: the words of the document as they are now. */
int postmortem_search_db_index(struct db_conn *conn, int64_t id, struct err *reterr);

struct postmortem_hit {
    int64_t id;
    const char *title;
    const char *incident;
    const char *snippet; /* with \x02 and \x03 around what was found */
    double rank;
};
/* Best first, at most 50. Words are and-ed; a query that is none finds nothing. */
int postmortem_search_db_find(struct db_conn *conn,
                              const char *words,
                              struct arena *arena,
                              struct postmortem_hit **ret_hits,
                              size_t *ret_n,
                              struct err *reterr);
