#pragma once

/*
 * What somebody would read: a page in the words of one receiver, sent to nobody.
 */

#include "alertd/incident/page.h"
#include "alertd/route/config.h"
#include "lib/base/str.h"

/* A title and a text, as the integration would say them: its templates, else our own words. The note
 * (ERR_TEXT_MAX bytes) says why a template gave nothing; "" when none failed. */
void deliver_preview(const struct route_integration *to,
                     const struct page *page,
                     struct str *ret_title,
                     struct str *ret_text,
                     char *ret_note);
