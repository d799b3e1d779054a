#pragma once

/*
 * Tests of people's contacts: what is sent, and the page its link leads to. Handlers for
 * people.c's table.
 */

#include "alertd/api/roster_call.h"

struct contact_outcome {
    const char *outcome; /* "accepted", "later", "refused" */
    char words[ERR_TEXT_MAX];
};

/* A page that is none, to one address. */
struct contact_ask {
    const char *person, *method, *address;
    const char *by;    /* who asked for it */
    const char *title; /* what it says */
};

/* Sends it with a link, and keeps what became of it. ret_token has CONTACT_TOKEN_MAX.
 * CONTACT_DB_E_LIMIT. */
int contact_send(const struct api *api,
                 const struct contact_ask *ask,
                 char *ret_token,
                 struct contact_outcome *ret_outcome,
                 struct err *reterr);

/* Sends a marked test with a link to the index-th contact of a person, and keeps what became
 * of it. 0; ROSTER_DB_E_NOT_FOUND, CONTACT_DB_E_LIMIT. A contact that nothing can be sent to
 * is an outcome, "refused" with words. */
int contact_test(const struct api *api,
                 const char *person,
                 size_t index,
                 const char *by,
                 struct contact_outcome *ret_outcome,
                 struct err *reterr);

void contacts_post_test(void *context,
                        struct http_request *request,
                        struct http_response *response);
void contacts_page_show(void *context,
                        struct http_request *request,
                        struct http_response *response);
void contacts_page_confirm(void *context,
                           struct http_request *request,
                           struct http_response *response);
