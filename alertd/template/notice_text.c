/*
 * Functions on text that notifications have: blanks, titles, lists of texts, base64, trust.
 */

#include <ctype.h>
#include <string.h>

#include "alertd/template/notice_private.h"
#include "lib/base/base64.h"

static int give_copy(struct tmpl_run *run, const char *text, size_t len, struct value *ret_value)
{
    char *copy = arena_strndup(run->arena, text, len);

    if (!copy)
        return tmpl_fail_memory(run);
    *ret_value = value_text(copy);
    return 0;
}

static int fn_trim_space(struct tmpl_run *run,
                         const struct value *args,
                         size_t n,
                         struct value *ret_value)
{
    const char *text;
    int r = tmpl_need_text(run, &args[0], &text);

    if (r)
        return r;
    text += strspn(text, " \t\r\n\v\f");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r\n\v\f", text[len - 1]))
        len--;
    return give_copy(run, text, len, ret_value);
}

/* Each word begins large and goes on small. */
static int fn_title(struct tmpl_run *run,
                    const struct value *args,
                    size_t n,
                    struct value *ret_value)
{
    return tmpl_give_title(run, &args[0], TMPL_REST_SMALL, ret_value);
}

static int fn_join(struct tmpl_run *run,
                   const struct value *args,
                   size_t n,
                   struct value *ret_value)
{
    struct str out = STR_INIT(TMPL_OUTPUT_MAX);
    const char *between;
    int r = tmpl_need_text(run, &args[0], &between);

    if (r)
        return r;
    if (args[1].kind != VALUE_LIST)
        return tmpl_fail(run, "join: expected a list of texts, got %s", value_type_name(&args[1]));
    for (size_t i = 0; i < args[1].n; i++) {
        if (args[1].items[i].kind != VALUE_TEXT) {
            str_done(&out);
            return tmpl_fail(run, "join: expected a list of texts, one is %s",
                             value_type_name(&args[1].items[i]));
        }
        str_addf(&out, "%s%s", i ? between : "", args[1].items[i].text);
    }
    return tmpl_give_text(run, &out, ret_value);
}

static int trust(struct tmpl_run *run,
                 const struct value *arg,
                 enum value_trust trust,
                 struct value *ret_value)
{
    const char *text;
    int r = tmpl_need_text(run, arg, &text);

    *ret_value = *arg;
    ret_value->trust = trust;
    return r;
}

static int fn_safe_html(struct tmpl_run *run,
                        const struct value *args,
                        size_t n,
                        struct value *ret_value)
{
    return trust(run, &args[0], TRUST_HTML, ret_value);
}

static int fn_safe_url(struct tmpl_run *run,
                       const struct value *args,
                       size_t n,
                       struct value *ret_value)
{
    return trust(run, &args[0], TRUST_URL, ret_value);
}

static int hex(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* Every % has its two digits. */
static bool is_escaped(const char *text)
{
    for (const char *at = strchr(text, '%'); at; at = strchr(at + 1, '%'))
        if (!isxdigit((unsigned char)at[1]) || !isxdigit((unsigned char)at[2]))
            return false;
    return true;
}

static int fn_url_unescape(struct tmpl_run *run,
                           const struct value *args,
                           size_t n,
                           struct value *ret_value)
{
    struct str out = STR_INIT(TMPL_OUTPUT_MAX);
    const char *text;
    int r = tmpl_need_text(run, &args[0], &text);

    if (r)
        return r;
    for (const char *at = text; *at && is_escaped(text); at++) {
        if (*at == '%') {
            str_addc(&out, (char)(hex(at[1]) * 16 + hex(at[2])));
            at += 2;
        } else {
            str_addc(&out, *at == '+' ? ' ' : *at);
        }
    }
    if (!is_escaped(text) || !labels_text_ok(str_text(&out), out.len)) {
        str_done(&out);
        return tmpl_fail(run, "urlUnescape: \"%.60s\" has a %% without two digits, or is no text",
                         text);
    }
    return tmpl_give_text(run, &out, ret_value);
}

static int fn_string_slice(struct tmpl_run *run,
                           const struct value *args,
                           size_t n,
                           struct value *ret_value)
{
    const char *texts[64];

    for (size_t i = 0; i < n && i < 64; i++) {
        int r = tmpl_need_text(run, &args[i], &texts[i]);

        if (r)
            return r;
    }
    return notice_give_texts(run, texts, n, ret_value);
}

/* The alphabet for addresses: - and _. */
static int fn_base64_encode(struct tmpl_run *run,
                            const struct value *args,
                            size_t n,
                            struct value *ret_value)
{
    struct str out = STR_INIT(TMPL_OUTPUT_MAX);
    const char *text;
    int r = tmpl_need_text(run, &args[0], &text);

    if (r)
        return r;
    base64_encode(text, strlen(text), &out);
    for (size_t i = 0; i < out.len; i++)
        out.text[i] = (char)(out.text[i] == '+' ? '-' : out.text[i] == '/' ? '_' : out.text[i]);
    return tmpl_give_text(run, &out, ret_value);
}

static int digit_of(char c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *at = c ? strchr(alphabet, c) : NULL;

    return at ? (int)(at - alphabet) : -1;
}

/* False: it is no base64, with its padding, in that alphabet. */
static bool decode(const char *text, struct str *out)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i += 4) {
        unsigned bits = 0, n = 0;
        bool is_last = i + 4 >= len;

        for (; n < 4 && text[i + n] && text[i + n] != '='; n++) {
            int digit = digit_of(text[i + n]);

            if (digit < 0)
                return false;
            bits |= (unsigned)digit << (18 - 6 * n);
        }
        if (n < 2 || (n < 4 && (!is_last || text[i + n] != '=')) || (n == 2 && text[i + 3] != '='))
            return false;
        for (unsigned byte = 0; byte + 1 < n; byte++)
            str_addc(out, (char)(bits >> (16 - 8 * byte)));
    }
    return len % 4 == 0;
}

static int fn_base64_decode(struct tmpl_run *run,
                            const struct value *args,
                            size_t n,
                            struct value *ret_value)
{
    struct str out = STR_INIT(TMPL_OUTPUT_MAX);
    const char *text;
    int r = tmpl_need_text(run, &args[0], &text);

    if (r)
        return r;
    if (!decode(text, &out) || !labels_text_ok(str_text(&out), out.len)) {
        str_done(&out);
        return tmpl_fail(run, "base64decode: \"%.60s\" is no base64 of a text", text);
    }
    return tmpl_give_text(run, &out, ret_value);
}

const struct tmpl_fn notice_text_fns[] = {
    {"trimSpace", 1, 1, fn_trim_space, false},
    {"title", 1, 1, fn_title, false},
    {"join", 2, 2, fn_join, false},
    {"safeHtml", 1, 1, fn_safe_html, false},
    {"safeUrl", 1, 1, fn_safe_url, false},
    {"urlUnescape", 1, 1, fn_url_unescape, false},
    {"stringSlice", 0, 64, fn_string_slice, false},
    {"base64encode", 1, 1, fn_base64_encode, false},
    {"base64decode", 1, 1, fn_base64_decode, false},
    {0},
};
