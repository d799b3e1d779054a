/*
 * Any text at all as a postmortem: it becomes a tree within its memory, and every tag of
 * the HTML is one of ours, with a link's target allowed.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "alertd/postmortem/markdown.h"
#include "lib/base/bug.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* A tag with attributes that are the same whatever the text says. */
static bool is_ours(const char *tag)
{
    const char *attribute = strchr(tag, ' ');

    return begins(tag, "<span class=\"box\" aria-label=\"") ||
           (attribute && (begins(attribute, " class=\"") || begins(attribute, " start=\"")));
}

/* Only <a has an attribute from the text; every '<' of the text itself is escaped. */
static void check_html(const char *html)
{
    for (const char *at = strchr(html, '<'); at; at = strchr(at + 1, '<')) {
        const char *end = at + 1 + strcspn(at + 1, "<>");

        if (*end != '>')
            UNREACHABLE("a tag that does not end");
        if (begins(at, "<a ")) {
            const char *href = at + strlen("<a href=\"");

            if (!markdown_href_is_safe(href, strcspn(href, "\"")))
                UNREACHABLE("a link that is not allowed");
        } else if (memchr(at, '"', (size_t)(end - at)) && !is_ours(at)) {
            UNREACHABLE("an attribute that is not ours");
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    STR_AUTO struct str html = STR_INIT(64 * 1024 * 1024);
    STR_AUTO struct str text = STR_INIT(64 * 1024 * 1024);
    struct json_out json = JSON_OUT(&text);
    ARENA_AUTO struct arena arena;
    struct markdown *document;
    struct err err = {0};

    arena_init(&arena, 4 * 1024 * 1024);
    if (markdown_parse(&arena, (const char *)data, size, &document, &err)) {
        if (!err.text[0])
            UNREACHABLE("an error without words");
        return 0;
    }
    markdown_html(document, NULL, 0, &html);
    markdown_json(document, &json);
    check_html(str_text(&html));
    return 0;
}
