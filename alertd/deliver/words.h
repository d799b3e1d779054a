#pragma once

/*
 * Words of the config file beside our own. Private to deliver/.
 *
 *     WORDS_AUTO struct words words = WORDS(to, page, outcome);
 *     const char *title = words_said(&words, to->slack.title, "slack.default.title", false);
 *     title ? title : our own
 *
 * A field is text, or a template over Alertmanager's data, which is made of the page once an
 * attempt. A template that fails at this hour never loses the page: NULL, so that our own words
 * are sent, and outcome->template_error says why.
 */

#include <stddef.h>

#include "alertd/deliver/receiver.h"
#include "alertd/template/notice.h"
#include "lib/base/arena.h"
#include "lib/base/str.h"

enum {
    WORDS_BYTES_MAX = 32 * 1024 * 1024,
    WORDS_TEXT_BYTES_MAX = 512 * 1024, /* of one field */
};

struct words {
    const struct route_integration *to;
    const struct page *page;
    struct deliver_outcome *outcome;
    struct arena arena;
    const struct notice_data *data; /* NULL: not made yet */
};

#define WORDS(to, page, outcome)                                  \
    {                                                             \
        (to), (page), (outcome), {.limit = WORDS_BYTES_MAX}, NULL \
    }
#define WORDS_AUTO __attribute__((cleanup(words_done)))
void words_done(struct words *words);

/* What the config file says: `text`, or where it says nothing the template `usual` (NULL: none)
 * if the files of `templates:` changed what that gives. NULL: our own words are meant. A loan. */
const char *words_said(struct words *words, const char *text, const char *usual, bool is_html);

/* Cuts a text to at most max bytes, at a character's border, with an ellipsis. */
void words_cut(struct str *text, size_t max);
