#pragma once

/*
 * Pages for programs and for people: the one spelling that the API and the command line share.
 */

#include "alertd/pages/pages.h"
#include "lib/json/write.h"

enum {
    PAGES_SHOWN_MAX = 1000, /* in one answer; `pages_cut` says when there are more */
};

/* Members of an object that is open: alerts, notifications, pages (counts), people[], hours[168],
 * and the pages one by one as `list`. alerts: the plan's. */
void pages_json(const struct pages_plan *plan,
                const struct pages *pages,
                const struct pages_alert *alerts,
                struct json_out *out);
/* "3 alerts, 5 notifications, 2 pages, 1 of them at night; ..." in lines, two spaces in. */
void pages_show(const struct pages_plan *plan, const struct pages *pages, struct str *out);
