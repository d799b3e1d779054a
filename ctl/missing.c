/*
 * What could not be read: a number made of the rest is not the whole one. See missing.h.
 */

#include "ctl/missing.h"

#include <stdio.h>
#include <string.h>

enum {
    BYTES_MAX = 64 << 10,
    WORDS_MAX = 4096,
};

static void add_block(const struct told *told, const char *where_rest_is, struct str *out)
{
    const char *words[TOLD_LIST_MAX];
    size_t n = told_list(told, words);

    if (n == 0)
        return;
    str_add(out, "\nNot all of it could be read:\n");
    for (size_t i = 0; i < n && i < MISSING_SHOWN; i++)
        str_addf(out, "  %s\n", words[i]);
    if (n > MISSING_SHOWN)
        str_addf(out, "  ... and %zu more%s\n", n - MISSING_SHOWN, where_rest_is);
}

void missing_add(const struct told *told, struct str *out)
{
    add_block(told, " (--json has them)", out);
}

void missing_json(const struct told *told, const char *name, struct json_out *out)
{
    const char *words[TOLD_LIST_MAX];
    size_t n = told_list(told, words);

    json_kv_strings(out, name, words, n);
}

void missing_tell(const struct told *told)
{
    STR_AUTO struct str out = STR_INIT(BYTES_MAX);

    add_block(told, "", &out);
    (void)fputs(str_text(&out), stderr);
}

void missing_note(struct told *told, const char *words)
{
    static const char head[] = "PromQL warning: ";
    STR_AUTO struct str text = STR_INIT(WORDS_MAX);

    words += strncmp(words, head, strlen(head)) == 0 ? strlen(head) : 0;
    const char *place = strrchr(words, '(');
    bool has_place = place && place > words && place[-1] == ' ' && strchr(place, ':') &&
                     place[strspn(place, "(0123456789:")] == ')';
    if (has_place)
        str_addn(&text, words, (size_t)(place - words) - 1);
    else
        str_add(&text, words);
    told_add(told, str_text(&text));
}

void missing_take(struct told *told, const struct json *warnings)
{
    for (size_t i = 0; i < json_length(warnings); i++)
        if (json_text(json_at(warnings, i)))
            missing_note(told, json_text(json_at(warnings, i)));
}

void missing_add_of(const struct json *answer, struct str *out)
{
    struct told *told = told_new();

    missing_take(told, json_get(answer, "warnings"));
    missing_add(told, out);
    told_free(told);
}

void missing_print_of(const struct json *answer)
{
    STR_AUTO struct str out = STR_INIT(BYTES_MAX);

    missing_add_of(answer, &out);
    (void)fputs(str_text(&out), stdout);
}

void missing_tell_of(const struct json *answer)
{
    struct told *told = told_new();

    missing_take(told, json_get(answer, "warnings"));
    missing_tell(told);
    told_free(told);
}
