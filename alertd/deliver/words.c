/*
 * Words of the config file beside our own. See words.h.
 */

#include "alertd/deliver/words.h"

#include <string.h>

const char *words_configured(const char *text)
{
    return text && !strstr(text, "{{") ? text : NULL;
}

void words_cut(struct str *text, size_t max)
{
    static const char ellipsis[] = "\u2026";
    size_t keep = max > sizeof(ellipsis) - 1 ? max - (sizeof(ellipsis) - 1) : 0;
    const char *at = str_text(text);

    if (text->len <= max)
        return;
    while (keep > 0 && ((unsigned char)at[keep] & 0xC0) == 0x80)
        keep--;
    str_cut(text, keep);
    str_add(text, ellipsis);
}
