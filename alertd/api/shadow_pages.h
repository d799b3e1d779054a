#pragma once

/*
 * What the calls about shadow pages and the pages' own phone page share.
 */

#include "alertd/api/api.h"
#include "alertd/db/shadow_db.h"

enum {
    SHADOW_PAGES_READ_BYTES_MAX = 32 * 1024 * 1024,
};

/* A result of shadow_db.h as a reply. */
void shadow_pages_fail(struct http_response *response, int r, const struct err *err);
/* What really happened stays hidden: the incident is open, nothing was guessed, nobody asked. */
bool shadow_pages_hides(const struct shadow_page *page);
/* Commits a deed and tells the live views; 0 or shadow_db_do()'s errors. */
int shadow_pages_do(const struct api *api, const struct shadow_deed *deed, struct err *reterr);

/* One line of a comparison: milliseconds behind the instant at which the page was made. */
struct shadow_compared {
    const char *what;
    int64_t shadow_ms, real_ms; /* -1: not */
};

enum {
    SHADOW_COMPARED_N = 5
};

void shadow_pages_compare(const struct shadow_page *page,
                          struct shadow_compared ret_lines[SHADOW_COMPARED_N]);
