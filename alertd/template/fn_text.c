/*
 * Functions on text that all languages here have: letters and regular expressions.
 */

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "alertd/template/engine.h"
#include "lib/regex/regex.h"

static int map_letters(struct tmpl_run *run,
                       const struct value *arg,
                       int (*map)(int),
                       struct value *ret_value)
{
    const char *text;
    int r = tmpl_need_text(run, arg, &text);

    if (r)
        return r;
    char *copy = arena_strndup(run->arena, text, strlen(text));
    if (!copy)
        return tmpl_fail_memory(run);
    for (char *c = copy; *c; c++)
        if (((unsigned char)*c & 0x80) == 0) /* ASCII only: other letters stay as they are */
            *c = (char)map((unsigned char)*c);
    *ret_value = value_text(copy);
    return 0;
}

static int fn_to_upper(struct tmpl_run *run,
                       const struct value *args,
                       size_t n,
                       struct value *ret_value)
{
    return map_letters(run, &args[0], toupper, ret_value);
}

static int fn_to_lower(struct tmpl_run *run,
                       const struct value *args,
                       size_t n,
                       struct value *ret_value)
{
    return map_letters(run, &args[0], tolower, ret_value);
}

/* Patterns come from the template; as in Go `.` does not match a newline. */
static int make_regex(struct tmpl_run *run, const struct value *arg, struct regex **ret_regex)
{
    STR_AUTO struct str pattern = STR_INIT(8192);
    struct err err = {0};
    const char *text;
    int r = tmpl_need_text(run, arg, &text);

    if (r)
        return r;
    str_addf(&pattern, "(?-s)%s", text);
    if (regex_new(str_text(&pattern), ret_regex, &err))
        return tmpl_fail(run, "%s", err.text);
    return 0;
}

static int fn_match(struct tmpl_run *run,
                    const struct value *args,
                    size_t n,
                    struct value *ret_value)
{
    struct regex *regex = NULL;
    const char *text;
    int r = tmpl_need_text(run, &args[1], &text);

    if (!r)
        r = make_regex(run, &args[0], &regex);
    if (r)
        return r;
    *ret_value = value_bool(regex_matches_within(regex, text, strlen(text)));
    regex_free(regex);
    return 0;
}

/* reReplaceAll pattern replacement text */
static int fn_replace_all(struct tmpl_run *run,
                          const struct value *args,
                          size_t n,
                          struct value *ret_value)
{
    struct str out = STR_INIT(TMPL_OUTPUT_MAX);
    struct regex *regex = NULL;
    const char *replacement, *text;
    int r = tmpl_need_text(run, &args[1], &replacement);

    if (!r)
        r = tmpl_need_text(run, &args[2], &text);
    if (!r)
        r = make_regex(run, &args[0], &regex);
    if (r)
        return r;
    regex_replace_all(regex, text, replacement, &out);
    regex_free(regex);
    return tmpl_give_text(run, &out, ret_value);
}

const struct tmpl_fn tmpl_text_fns[] = {
    {"toUpper", 1, 1, fn_to_upper, false},
    {"toLower", 1, 1, fn_to_lower, false},
    {"match", 2, 2, fn_match, false},
    {"reReplaceAll", 3, 3, fn_replace_all, false},
    {0},
};
