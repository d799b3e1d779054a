/*
 * Text for HTML. See html.h.
 */

#include "lib/base/html.h"

void html_escape(struct str *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&': str_add(out, "&amp;"); break;
        case '<': str_add(out, "&lt;"); break;
        case '>': str_add(out, "&gt;"); break;
        case '"': str_add(out, "&quot;"); break;
        case '\'': str_add(out, "&#39;"); break;
        default: str_addc(out, *text); break;
        }
    }
}
