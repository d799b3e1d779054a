/*
 * Matchers, read by two grammars. See matchers.h.
 */

#include "alertd/route/matchers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/route/config.h"
#include "alertd/route/matchers_utf8.h"
#include "lib/base/mem.h"
#include "lib/model/quote.h"

enum {
    TEXT_MAX = 64 * 1024
};

void route_matchers_done(struct route_matchers *matchers)
{
    for (size_t i = 0; i < matchers->n; i++)
        matcher_done(&matchers->at[i]);
    free(matchers->at);
    *matchers = (struct route_matchers){0};
}

int matchers_add(struct route_matchers *matchers,
                 enum matcher_type type,
                 const char *name,
                 const char *value,
                 struct err *reterr)
{
    if (matchers->n == ROUTE_MATCHERS_MAX)
        return err_set(reterr, ROUTE_MATCHERS_E_MANY, "there may be at most %d matchers",
                       ROUTE_MATCHERS_MAX);
    matchers->at = mem_realloc(matchers->at, (matchers->n + 1) * sizeof(*matchers->at));
    if (matcher_init(&matchers->at[matchers->n], type, name, value, reterr))
        return ROUTE_MATCHERS_E_SYNTAX;
    matchers->n++;
    return 0;
}

size_t matchers_operator(const char *text, enum matcher_type *ret_type)
{
    if (text[0] == '=' && text[1] == '~')
        *ret_type = MATCHER_REGEX;
    else if (text[0] == '!' && text[1] == '=')
        *ret_type = MATCHER_NOT_EQUAL;
    else if (text[0] == '!' && text[1] == '~')
        *ret_type = MATCHER_NOT_REGEX;
    else if (text[0] == '=') {
        *ret_type = MATCHER_EQUAL;
        return 1;
    } else
        return 0;
    return 2;
}

static bool is_name_byte(char c, bool first)
{
    return isalpha((unsigned char)c) || c == '_' || c == ':' ||
           (!first && (isdigit((unsigned char)c) || c == '-'));
}

/* \n, \" and \\ are what they say; another backslash stands for itself. A quote must be
 * escaped unless it is the one at the end that closes the one at the beginning. */
static int unescape(const char *raw, size_t len, struct str *out, struct err *reterr)
{
    bool open = len > 0 && raw[0] == '"';

    for (size_t i = open; i < len; i++) {
        if (raw[i] == '\\' && i + 1 < len) {
            i++;
            if (raw[i] == 'n')
                str_addc(out, '\n');
            else if (raw[i] == '"' || raw[i] == '\\')
                str_addc(out, raw[i]);
            else
                str_addn(out, raw + i - 1, 2);
        } else if (raw[i] != '"') {
            str_addc(out, raw[i]);
        } else if (open && i + 1 == len) {
            open = false;
        } else {
            return err_set(reterr, ROUTE_MATCHERS_E_SYNTAX,
                           "a quote inside the value %.*s must be written \\\"",
                           (int)(len < 100 ? len : 100), raw);
        }
    }
    if (open)
        return err_set(reterr, ROUTE_MATCHERS_E_SYNTAX, "the quote before %.*s is not closed",
                       (int)(len < 100 ? len : 100), raw);
    return 0;
}

static int classic_one(const char *text,
                       size_t len,
                       struct route_matchers *matchers,
                       struct err *reterr)
{
    STR_AUTO struct str name = STR_INIT(TEXT_MAX);
    STR_AUTO struct str value = STR_INIT(TEXT_MAX);
    enum matcher_type type = MATCHER_EQUAL;
    const char *at = text;
    const char *end = text + len;

    while (at < end && isspace((unsigned char)*at))
        at++;
    while (at < end && is_name_byte(*at, name.len == 0))
        str_addc(&name, *at++);
    while (at < end && isspace((unsigned char)*at))
        at++;

    size_t operator_len = at < end ? matchers_operator(at, &type) : 0;

    if (name.len == 0 || operator_len == 0 || at + operator_len > end)
        return err_set(reterr, ROUTE_MATCHERS_E_SYNTAX,
                       "expected a matcher such as severity=\"page\", got \"%.*s\"",
                       (int)(len < 100 ? len : 100), text);
    at += operator_len;
    while (at < end && isspace((unsigned char)*at))
        at++;
    while (end > at && isspace((unsigned char)end[-1]))
        end--;
    if (unescape(at, (size_t)(end - at), &value, reterr))
        return ROUTE_MATCHERS_E_SYNTAX;
    return matchers_add(matchers, type, str_text(&name), str_text(&value), reterr);
}

static bool is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isspace((unsigned char)text[i]))
            return false;
    return true;
}

/* Commas outside quotes stand between matchers; whatever is behind the last one may be empty. */
static int classic(const char *text, struct route_matchers *matchers, struct err *reterr)
{
    size_t len = strlen(text);
    size_t start;
    bool quoted = false;
    bool escaped = false;

    if (len > 0 && text[0] == '{') {
        text++;
        len--;
    }
    if (len > 0 && text[len - 1] == '}')
        len--;
    start = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == ',' && !quoted) {
            if (classic_one(text + start, i - start, matchers, reterr))
                return ROUTE_MATCHERS_E_SYNTAX;
            start = i + 1;
            continue;
        }
        if (text[i] == '"' && !escaped)
            quoted = !quoted;
        escaped = text[i] == '\\' && !escaped;
    }
    if (is_blank(text + start, len - start))
        return 0;
    return classic_one(text + start, len - start, matchers, reterr);
}

static bool same(const struct route_matchers *a, const struct route_matchers *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->at[i].type != b->at[i].type || strcmp(a->at[i].name, b->at[i].name) != 0 ||
            strcmp(a->at[i].value, b->at[i].value) != 0)
            return false;
    return true;
}

static int both(const char *text,
                struct route_matchers *matchers,
                struct str *warning,
                struct err *reterr)
{
    struct route_matchers old = {0};
    int new_r = utf8_matchers(text, matchers, NULL);
    int old_r = classic(text, &old, reterr);

    if (old_r) {
        route_matchers_done(&old);
        return new_r ? old_r : 0;
    }
    if (new_r == 0 && same(matchers, &old)) {
        route_matchers_done(&old);
        return 0;
    }
    if (warning)
        str_addf(warning,
                 new_r ? "the matcher %s is read by the classic grammar only: quote its value"
                       : "the matcher %s means something else in the UTF-8 grammar; the classic "
                         "reading is used: quote its value",
                 text);
    route_matchers_done(matchers);
    *matchers = old;
    return 0;
}

int route_matchers_parse(const char *text,
                         enum route_grammar grammar,
                         struct route_matchers *matchers,
                         struct str *warning,
                         struct err *reterr)
{
    struct route_matchers found = {0};
    int r = ROUTE_MATCHERS_E_SYNTAX;

    if (strlen(text) > TEXT_MAX || !labels_text_ok(text, strlen(text)))
        return err_set(reterr, r, "a matcher must be UTF-8 and at most 64 KiB");
    switch (grammar) {
    case ROUTE_GRAMMAR_CLASSIC: r = classic(text, &found, reterr); break;
    case ROUTE_GRAMMAR_UTF8: r = utf8_matchers(text, &found, reterr); break;
    case ROUTE_GRAMMAR_BOTH: r = both(text, &found, warning, reterr); break;
    }
    if (r == 0 && matchers->n + found.n > ROUTE_MATCHERS_MAX)
        r = err_set(reterr, ROUTE_MATCHERS_E_MANY, "there may be at most %d matchers",
                    ROUTE_MATCHERS_MAX);
    if (r) {
        route_matchers_done(&found);
        return r;
    }
    if (found.n == 0)
        return 0;
    matchers->at = mem_realloc(matchers->at, (matchers->n + found.n) * sizeof(*matchers->at));
    memcpy(matchers->at + matchers->n, found.at, found.n * sizeof(*found.at));
    matchers->n += found.n;
    free(found.at);
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct matcher *x = a;
    const struct matcher *y = b;
    int order = strcmp(x->name, y->name);

    if (order == 0)
        order = strcmp(x->value, y->value);
    return order ? order : (int)x->type - (int)y->type;
}

void route_matchers_sort(struct matcher *matchers, size_t n)
{
    if (n > 0)
        qsort(matchers, n, sizeof(*matchers), compare);
}

/* Quoted only where the bare name could not be read back. */
static void print_name(const char *name, struct str *out)
{
    if (strpbrk(name, " \t\n\v\f\r{}!=~,\\\"'`"))
        quote_add(out, name, strlen(name));
    else
        str_add(out, name);
}

void route_matchers_print(const struct matcher *matchers, size_t n, struct str *out)
{
    static const char *const signs[] = {
        [MATCHER_EQUAL] = "=",
        [MATCHER_NOT_EQUAL] = "!=",
        [MATCHER_REGEX] = "=~",
        [MATCHER_NOT_REGEX] = "!~",
    };

    str_addc(out, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            str_addc(out, ',');
        print_name(matchers[i].name, out);
        str_add(out, signs[matchers[i].type]);
        quote_add(out, matchers[i].value, strlen(matchers[i].value));
    }
    str_addc(out, '}');
}
