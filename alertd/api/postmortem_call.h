#pragma once

/*
 * What the calls about postmortems share: bodies and ids read strictly, results turned into
 * replies, the document as the reply to every change.
 */

#include "alertd/api/postmortem_view.h"
#include "lib/json/read.h"

#define POSTMORTEMS_PATH "/api/alertd/v1/postmortems"

enum {
    POSTMORTEM_TITLE_MAX = 500,
    POSTMORTEM_NAME_MAX = 120,
    POSTMORTEM_NOTE_MAX = 4000,
};

/* Turns a result of the db, of drafting and of a view into the reply's error. */
void postmortem_fail(struct http_response *response, int r, const struct err *err);

/* "12" and a suffix, from the path; false: the reply is 404. */
bool postmortem_id(const char *text,
                   const char *suffix,
                   int64_t *ret_id,
                   struct http_response *response);

/* The body, an object with these members at most (NULL-terminated). */
bool postmortem_body(const struct http_request *request,
                     const char *const *known,
                     struct json **ret_body,
                     struct http_response *response);

/* A text of the body, at most max bytes; NULL when it is absent. False: the reply is 400. */
bool postmortem_text(const struct json *body,
                     const char *key,
                     size_t max,
                     const char **ret_text,
                     struct http_response *response);
/* An instant (RFC 3339 with its zone, or null); 0 when absent. */
bool postmortem_time(const struct json *body,
                     const char *key,
                     int64_t *ret_at_ms,
                     struct http_response *response);

/* Runs the job, and answers with the document as it is then. */
void postmortem_change(
    const struct api *api, int64_t id, db_job *job, void *arg, struct http_response *response);

/* The reply is the postmortem as it is now; `changed` also tells the live views. */
void postmortem_reply(const struct api *api,
                      int64_t id,
                      bool changed,
                      struct http_response *response);
/* Without the document as one text: a page has its sections. */
void postmortem_reply_page(const struct api *api, int64_t id, struct http_response *response);

/* --- JSON (postmortem_json.c) --- */

void postmortem_json_head(struct json_out *out, const struct postmortem_row *row);
void postmortem_json_section(struct json_out *out, const struct postmortem_seen *section);
void postmortem_json_sections(struct json_out *out, const struct postmortem_view *view);
void postmortem_json_action(struct json_out *out, const struct action_row *action, int64_t now_ms);
/* Everything: head, sections, reviews, questions, hints, actions, graphs, versions; and where
 * `whole` is set, the document as one text. */
void postmortem_json_view(struct json_out *out, const struct postmortem_view *view, bool whole);
void postmortem_json_hash(struct json_out *out, const char *name, const unsigned char *hash);

/* --- publishing (postmortem_publish.c) --- */

/* A view's document as one HTML file, with its graphs as they are drawn now. */
int postmortem_html(const struct postmortem_view *view,
                    const char *markdown,
                    struct str *out,
                    struct err *reterr);
