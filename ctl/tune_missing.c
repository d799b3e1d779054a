/*
 * What of the past could not be read: a number made of the rest is not the whole one. See tune.h.
 */

#include <stdio.h>

#include "ctl/tune.h"

enum {
    BYTES_MAX = 64 << 10,
};

void tune_add_missing(const struct told *told, struct str *out)
{
    const char *words[TOLD_LIST_MAX];
    size_t n = told_list(told, words);

    if (n == 0)
        return;
    str_add(out, "\nNot all of it could be read:\n");
    for (size_t i = 0; i < n && i < TUNE_MISSING_SHOWN; i++)
        str_addf(out, "  %s\n", words[i]);
    if (n > TUNE_MISSING_SHOWN)
        str_addf(out, "  ... and %zu more (--json has them)\n", n - TUNE_MISSING_SHOWN);
}

void tune_json_warnings(const struct told *told, struct json_out *out)
{
    const char *words[TOLD_LIST_MAX];
    size_t n = told_list(told, words);

    json_key(out, "warnings");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++)
        json_string(out, words[i]);
    json_close(out, ']');
}

void tune_tell_missing(const struct told *told)
{
    STR_AUTO struct str out = STR_INIT(BYTES_MAX);

    tune_add_missing(told, &out);
    (void)fputs(str_text(&out), stderr);
}
