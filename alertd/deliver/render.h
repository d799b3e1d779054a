#pragma once

/*
 * A page in words: concise, the first line says what is wrong, then since when, then what
 * to press. A page that comes late says so. A digest brings its own words. Private to deliver/.
 */

#include <stdbool.h>

#include "alertd/incident/page.h"
#include "alertd/incident/verdict.h"
#include "lib/base/str.h"

/* What a page that is no real one says of itself in every channel: a shadow's copy, a test.
 * NULL for the others. */
const char *render_mark(const struct page *page);
/* What it is about is over: no need to get up. */
bool render_is_over(const struct page *page);
/* The first http(s) address among its alerts' runbooks, or NULL. */
const char *render_runbook(const struct page *page);
/* The phone page, while there is something to acknowledge on it; else NULL. */
const char *render_acknowledge_url(const struct page *page);
/* Where it is looked at: the incident, or what a digest names. */
const char *render_open_url(const struct page *page);

/* One line without control characters: "[critical] The shop is down (INC-2026-0012)". */
void render_subject(const struct page *page, struct str *out);
/* Plain text for mail and commands. */
void render_text(const struct page *page, struct str *out);
/* The same as one HTML document, without anything that is loaded from elsewhere. */
void render_html(const struct page *page, struct str *out);
/* A few lines for a lock screen. */
void render_short(const struct page *page, struct str *out);

/* "fired 14:02:11 UTC, over at 14:02:26 UTC, delivered 1 min 30 s late: HTTP 429", or
 * nothing when it is in time. */
void render_late(const struct page *page, struct str *out);
/* Where the phone page asks whether this was that; `via` says where the link is. */
void render_verdict_url(const struct page *page,
                        enum verdict verdict,
                        const char *via,
                        struct str *out);
/* The dashboard's graph of the alert's expression. */
void render_explore_url(const struct page *page,
                        const struct incident_alert *alert,
                        struct str *out);
