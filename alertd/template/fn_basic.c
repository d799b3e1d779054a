/*
 * Go's own template functions: logic, comparison, length, index, print, escaping.
 */

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/template/engine.h"
#include "lib/base/bug.h"

/* and, or are lazy: the evaluator never calls this. */
static int fn_lazy(struct tmpl_run *run,
                   const struct value *args,
                   size_t n,
                   struct value *ret_value)
{
    UNREACHABLE("a lazy function is not called");
}

static int fn_not(struct tmpl_run *run, const struct value *args, size_t n, struct value *ret_value)
{
    *ret_value = value_bool(!value_is_true(&args[0]));
    return 0;
}

static bool is_ordered(const struct value *value)
{
    return value->kind == VALUE_INT || value->kind == VALUE_FLOAT || value->kind == VALUE_TEXT;
}

/* -1, 0, 1; 2 when a NaN makes it none of them. */
static int order(const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_TEXT) {
        int found = strcmp(a->text, b->text);

        return (found > 0) - (found < 0);
    }
    if (a->kind == VALUE_INT)
        return (a->number > b->number) - (a->number < b->number);
    if (isnan(a->real) || isnan(b->real))
        return 2;
    return (a->real > b->real) - (a->real < b->real);
}

static int incompatible(struct tmpl_run *run, const struct value *a, const struct value *b)
{
    return tmpl_fail(run, "incompatible types for comparison: %s and %s%s", value_type_name(a),
                     value_type_name(b),
                     (a->kind == VALUE_FLOAT && b->kind == VALUE_INT) ||
                             (a->kind == VALUE_INT && b->kind == VALUE_FLOAT)
                         ? " (write 1.0, not 1, beside a value)"
                         : "");
}

static int equal(struct tmpl_run *run,
                 const struct value *a,
                 const struct value *b,
                 bool *ret_equal)
{
    if (a->kind != b->kind)
        return a->kind == VALUE_NONE || b->kind == VALUE_NONE ? (*ret_equal = false, 0)
                                                              : incompatible(run, a, b);
    if (is_ordered(a))
        *ret_equal = order(a, b) == 0;
    else if (a->kind == VALUE_BOOL)
        *ret_equal = a->is_true == b->is_true;
    else if (a->kind == VALUE_TIME || a->kind == VALUE_DURATION)
        *ret_equal = a->number == b->number;
    else if (a->kind == VALUE_NONE)
        *ret_equal = true;
    else
        return tmpl_fail(run, "%s can't be compared", value_type_name(a));
    return 0;
}

/* eq a b c: is a equal to any of the others? */
static int fn_eq(struct tmpl_run *run, const struct value *args, size_t n, struct value *ret_value)
{
    bool is_equal = false;
    int r = 0;

    for (size_t i = 1; i < n && !r && !is_equal; i++)
        r = equal(run, &args[0], &args[i], &is_equal);
    *ret_value = value_bool(is_equal);
    return r;
}

static int fn_ne(struct tmpl_run *run, const struct value *args, size_t n, struct value *ret_value)
{
    bool is_equal = false;
    int r = equal(run, &args[0], &args[1], &is_equal);

    *ret_value = value_bool(!is_equal);
    return r;
}

static int compare(struct tmpl_run *run, const struct value *args, int *ret_order)
{
    if (args[0].kind != args[1].kind)
        return incompatible(run, &args[0], &args[1]);
    if (!is_ordered(&args[0]))
        return tmpl_fail(run, "%s has no order", value_type_name(&args[0]));
    *ret_order = order(&args[0], &args[1]);
    return 0;
}

static int fn_lt(struct tmpl_run *run, const struct value *args, size_t n, struct value *ret_value)
{
    int found = 0, r = compare(run, args, &found);

    *ret_value = value_bool(found == -1);
    return r;
}

static int fn_le(struct tmpl_run *run, const struct value *args, size_t n, struct value *ret_value)
{
    int found = 0, r = compare(run, args, &found);

    *ret_value = value_bool(found == -1 || found == 0);
    return r;
}

static int fn_gt(struct tmpl_run *run, const struct value *args, size_t n, struct value *ret_value)
{
    int found = 0, r = compare(run, args, &found);

    *ret_value = value_bool(found == 1);
    return r;
}

static int fn_ge(struct tmpl_run *run, const struct value *args, size_t n, struct value *ret_value)
{
    int found = 0, r = compare(run, args, &found);

    *ret_value = value_bool(found == 1 || found == 0);
    return r;
}

static int fn_len(struct tmpl_run *run, const struct value *args, size_t n, struct value *ret_value)
{
    const struct value *of = &args[0];

    if (of->kind == VALUE_TEXT)
        *ret_value = value_int((int64_t)strlen(of->text));
    else if (of->kind == VALUE_LABELS)
        *ret_value = value_int(of->labels->n);
    else if (of->kind == VALUE_LIST || of->kind == VALUE_MAP)
        *ret_value = value_int((int64_t)of->n);
    else
        return tmpl_fail(run, "len of %s", value_type_name(of));
    return 0;
}

static int index_one(struct tmpl_run *run,
                     const struct value *of,
                     const struct value *key,
                     struct value *ret_value)
{
    if (of->kind == VALUE_LABELS && key->kind == VALUE_TEXT) {
        const char *text = labels_get(of->labels, key->text);

        *ret_value = value_text(text ? text : "");
        return 0;
    }
    if (of->kind == VALUE_MAP && key->kind == VALUE_TEXT) {
        *ret_value = (struct value){0};
        for (size_t i = 0; i < of->n; i++)
            if (strcmp(of->names[i], key->text) == 0)
                *ret_value = of->items[i];
        return 0;
    }
    if (of->kind == VALUE_TEXT && key->kind == VALUE_INT) {
        if (key->number < 0 || (uint64_t)key->number >= strlen(of->text))
            return tmpl_fail(run, "index out of range: %lld", (long long)key->number);
        *ret_value = value_int((unsigned char)of->text[key->number]);
        return 0;
    }
    if (of->kind != VALUE_LIST || key->kind != VALUE_INT)
        return tmpl_fail(run, "can't index %s with %s", value_type_name(of), value_type_name(key));
    if (key->number < 0 || (uint64_t)key->number >= of->n)
        return tmpl_fail(run, "index out of range: %lld", (long long)key->number);
    *ret_value = of->items[key->number];
    return 0;
}

static int fn_index(struct tmpl_run *run,
                    const struct value *args,
                    size_t n,
                    struct value *ret_value)
{
    struct value value = args[0];
    int r = 0;

    for (size_t i = 1; i < n && !r; i++) {
        struct value of = value;

        r = index_one(run, &of, &args[i], &value);
    }
    *ret_value = value;
    return r;
}

/* slice "abcdef" 1 3 is "bc"; bytes, as in Go. Lists too. */
static int fn_slice(struct tmpl_run *run,
                    const struct value *args,
                    size_t n,
                    struct value *ret_value)
{
    bool is_list = args[0].kind == VALUE_LIST;
    const char *text = "";
    int r = is_list ? 0 : tmpl_need_text(run, &args[0], &text);

    if (r)
        return r;
    int64_t len = (int64_t)(is_list ? args[0].n : strlen(text)), from = 0, to = len;
    for (size_t i = 1; i < n; i++) {
        if (args[i].kind != VALUE_INT)
            return tmpl_fail(run, "can't slice with %s", value_type_name(&args[i]));
        if (args[i].number < 0 || args[i].number > len)
            return tmpl_fail(run, "slice out of range: %lld", (long long)args[i].number);
        *(i == 1 ? &from : &to) = args[i].number;
    }
    if (from > to)
        return tmpl_fail(run, "slice out of range: from behind to");
    if (is_list) {
        *ret_value = args[0];
        ret_value->items += from;
        ret_value->n = (size_t)(to - from);
        return 0;
    }
    if (!labels_text_ok(text + from, (size_t)(to - from)))
        return tmpl_fail(run, "slice cuts a character in two");
    char *copy = arena_strndup(run->arena, text + from, (size_t)(to - from));
    if (!copy)
        return tmpl_fail_memory(run);
    *ret_value = value_text(copy);
    return 0;
}

static int fn_print(struct tmpl_run *run,
                    const struct value *args,
                    size_t n,
                    struct value *ret_value)
{
    struct str text = STR_INIT(TMPL_OUTPUT_MAX);

    value_print_all(args, n, &text);
    return tmpl_give_text(run, &text, ret_value);
}

static int fn_println(struct tmpl_run *run,
                      const struct value *args,
                      size_t n,
                      struct value *ret_value)
{
    struct str text = STR_INIT(TMPL_OUTPUT_MAX);

    for (size_t i = 0; i < n; i++) {
        if (i)
            str_addc(&text, ' ');
        value_print_all(&args[i], 1, &text);
    }
    str_addc(&text, '\n');
    return tmpl_give_text(run, &text, ret_value);
}

static int fn_printf(struct tmpl_run *run,
                     const struct value *args,
                     size_t n,
                     struct value *ret_value)
{
    struct str text = STR_INIT(TMPL_OUTPUT_MAX);
    const char *format;
    int r = tmpl_need_text(run, &args[0], &format);

    if (r)
        return r;
    value_format(format, args + 1, n - 1, &text);
    return tmpl_give_text(run, &text, ret_value);
}

struct escape {
    char c;
    const char *text;
};

/* Prints the arguments and replaces the characters of a table. */
static int escape_all(struct tmpl_run *run,
                      const struct value *args,
                      size_t n,
                      const struct escape *escapes,
                      struct value *ret_value)
{
    STR_AUTO struct str plain = STR_INIT(TMPL_OUTPUT_MAX);
    struct str text = STR_INIT(TMPL_OUTPUT_MAX);

    value_print_shown(args, n, &plain);
    for (const char *at = str_text(&plain); *at; at++) {
        const struct escape *escape = escapes;

        while (escape->c && escape->c != *at)
            escape++;
        if (escape->c)
            str_add(&text, escape->text);
        else
            str_addc(&text, *at);
    }
    return tmpl_give_text(run, &text, ret_value);
}

static int fn_html(struct tmpl_run *run,
                   const struct value *args,
                   size_t n,
                   struct value *ret_value)
{
    static const struct escape escapes[] = {
        {'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'\'', "&#39;"}, {'"', "&#34;"}, {0, NULL},
    };

    return escape_all(run, args, n, escapes, ret_value);
}

static int fn_js(struct tmpl_run *run, const struct value *args, size_t n, struct value *ret_value)
{
    static const struct escape escapes[] = {
        {'\\', "\\\\"},    {'\'', "\\'"},     {'"', "\\\""},    {'<', "\\u003C"},
        {'>', "\\u003E"},  {'&', "\\u0026"},  {'=', "\\u003D"}, {'\n', "\\u000A"},
        {'\r', "\\u000D"}, {'\t', "\\u0009"}, {0, NULL},
    };

    return escape_all(run, args, n, escapes, ret_value);
}

void tmpl_add_query(struct str *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (isalnum((unsigned char)*c) || strchr("-_.~", *c))
            str_addc(out, *c);
        else if (*c == ' ')
            str_addc(out, '+');
        else
            str_addf(out, "%%%02X", (unsigned char)*c);
    }
}

int tmpl_fn_urlquery(struct tmpl_run *run,
                     const struct value *args,
                     size_t n,
                     struct value *ret_value)
{
    STR_AUTO struct str plain = STR_INIT(TMPL_OUTPUT_MAX);
    struct str out = STR_INIT(TMPL_OUTPUT_MAX);

    value_print_shown(args, n, &plain);
    tmpl_add_query(&out, str_text(&plain));
    return tmpl_give_text(run, &out, ret_value);
}

const struct tmpl_fn tmpl_basic_fns[] = {
    {"and", 1, SIZE_MAX, fn_lazy, true},
    {"or", 1, SIZE_MAX, fn_lazy, true},
    {"not", 1, 1, fn_not, false},
    {"eq", 2, SIZE_MAX, fn_eq, false},
    {"ne", 2, 2, fn_ne, false},
    {"lt", 2, 2, fn_lt, false},
    {"le", 2, 2, fn_le, false},
    {"gt", 2, 2, fn_gt, false},
    {"ge", 2, 2, fn_ge, false},
    {"len", 1, 1, fn_len, false},
    {"index", 1, SIZE_MAX, fn_index, false},
    {"slice", 1, 3, fn_slice, false},
    {"print", 0, SIZE_MAX, fn_print, false},
    {"println", 0, SIZE_MAX, fn_println, false},
    {"printf", 1, SIZE_MAX, fn_printf, false},
    {"html", 0, SIZE_MAX, fn_html, false},
    {"js", 0, SIZE_MAX, fn_js, false},
    {"urlquery", 0, SIZE_MAX, tmpl_fn_urlquery, false},
    {0},
};
