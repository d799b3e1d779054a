/*
 * Functions on text that all languages here have: letters and regular expressions.
 */

#include <ctype.h>
#include <locale.h>
#include <stdint.h>
#include <string.h>
#include <wctype.h>

#include "alertd/template/engine.h"
#include "lib/base/bug.h"
#include "lib/regex/regex.h"

enum letters {
    LETTERS_LARGE,
    LETTERS_SMALL,
    LETTERS_TITLE,      /* the first of a word large, the rest as it is */
    LETTERS_TITLE_ONLY, /* the rest small */
};

/* A letter begins a word unless a letter, a digit or a sign within words stands before it. */
static bool is_within_word(const char *text, size_t i)
{
    unsigned char before = i > 0 ? (unsigned char)text[i - 1] : ' ';

    if (before == '\'' || before == '.' || before == ':')
        return i > 1 && (isalnum((unsigned char)text[i - 2]) || (text[i - 2] & 0x80));
    return isalnum(before) || before == '_' || before >= 0x80;
}

/* The character at text and how many bytes it has; what is no UTF-8 is a byte that stays. */
static size_t read_character(const char *text, wchar_t *ret_character)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t n = at[0] < 0x80   ? 1
               : at[0] < 0xC2 ? 0
               : at[0] < 0xE0 ? 2
               : at[0] < 0xF0 ? 3
               : at[0] < 0xF5 ? 4
                              : 0;
    uint32_t value = n == 0 ? 0 : n == 1 ? at[0] : at[0] & (0x7Fu >> n);

    for (size_t i = 1; i < n; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (at[i] & 0x3Fu);
    }
    *ret_character = (wchar_t)value;
    return n;
}

static wint_t mapped(wchar_t letter, bool within, enum letters letters, locale_t locale)
{
    switch (letters) {
    case LETTERS_LARGE: return towupper_l((wint_t)letter, locale);
    case LETTERS_SMALL: return towlower_l((wint_t)letter, locale);
    case LETTERS_TITLE: return within ? (wint_t)letter : towupper_l((wint_t)letter, locale);
    case LETTERS_TITLE_ONLY:
        return within ? towlower_l((wint_t)letter, locale) : towupper_l((wint_t)letter, locale);
    }
    UNREACHABLE("letters out of range");
}

/* The C library's own letters: C.UTF-8 is built into it, whatever is installed. */
static int map_letters(struct tmpl_run *run,
                       const struct value *arg,
                       enum letters letters,
                       struct value *ret_value)
{
    struct str out = STR_INIT(TMPL_OUTPUT_MAX);
    const char *text;
    int r = tmpl_need_text(run, arg, &text);

    if (r)
        return r;
    locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);

    for (size_t i = 0; text[i];) {
        wchar_t letter = 0;
        size_t n = read_character(&text[i], &letter);

        if (n && locale)
            str_add_rune(&out, (uint32_t)mapped(letter, is_within_word(text, i), letters, locale));
        else
            str_addn(&out, &text[i], n ? n : 1);
        i += n ? n : 1;
    }
    if (locale)
        freelocale(locale);
    return tmpl_give_text(run, &out, ret_value);
}

int tmpl_give_title(struct tmpl_run *run,
                    const struct value *arg,
                    enum tmpl_rest rest,
                    struct value *ret_value)
{
    return map_letters(run, arg, rest == TMPL_REST_SMALL ? LETTERS_TITLE_ONLY : LETTERS_TITLE,
                       ret_value);
}

static int fn_to_upper(struct tmpl_run *run,
                       const struct value *args,
                       size_t n,
                       struct value *ret_value)
{
    return map_letters(run, &args[0], LETTERS_LARGE, ret_value);
}

static int fn_to_lower(struct tmpl_run *run,
                       const struct value *args,
                       size_t n,
                       struct value *ret_value)
{
    return map_letters(run, &args[0], LETTERS_SMALL, ret_value);
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
