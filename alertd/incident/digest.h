#pragma once

/*
 * A flood in one page: many pages that wait for one receiver, folded into a digest.
 *
 *     page, page, page ... --digest_fold()--> one page whose `digest` counts them, names the
 *                                             worst and links every incident
 *
 * Whoever keeps the outbox decides when to fold and marks the folded rows as told when the
 * digest is taken; here is only what it says.
 *
 * Invariants
 *  (1) nothing is lost: every incident of the pages is named and linked, each once, as the
 *      last page about it says; every alert they carry is counted, each once.
 *  (2) the page stands on its own for each kind of receiver: its incident is the worst one,
 *      its alerts are all (PAGE_ALERTS_MAX of them), firing first.
 *  (3) a digest of practice copies or tests is one itself: pages of one lane are folded.
 */

#include "alertd/incident/page.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"

enum {
    DIGEST_PAGES_MAX = 200, /* more: fold again */
    DIGEST_E_PAGES = 1,     /* none, too many, or not of one receiver and lane */
    DIGEST_E_MEMORY = 2,    /* the arena is spent */
};

/* Folds pages, oldest first, all of one receiver, kind, slot and lane. What is made is in
 * the arena; the rest is on loan from the pages. The caller sets outbox_id, idempotency_key
 * and attempts. now_ms is the last page's. 0, DIGEST_E_PAGES or DIGEST_E_MEMORY. */
int digest_fold(const struct page *pages,
                size_t n_pages,
                struct arena *arena,
                struct page *ret_page,
                struct err *reterr);
