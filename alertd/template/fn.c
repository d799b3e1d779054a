/*
 * The functions of a language, found by name, and what they share.
 */

#include <math.h>
#include <string.h>

#include "alertd/template/engine.h"
#include "lib/base/float.h"
#include "lib/base/near.h"

enum {
    NAMES_MAX = 100
};

const struct tmpl_fn *tmpl_fn_find(const struct tmpl_language *language, const char *name)
{
    for (const struct tmpl_fn *const *family = language->families; *family; family++)
        for (const struct tmpl_fn *fn = *family; fn->name; fn++)
            if (strcmp(fn->name, name) == 0)
                return fn;
    return NULL;
}

const char *tmpl_fn_near(const struct tmpl_language *language, const char *name)
{
    const char *names[NAMES_MAX + 1] = {0};
    size_t n = 0;

    for (const struct tmpl_fn *const *family = language->families; *family; family++)
        for (const struct tmpl_fn *fn = *family; fn->name && n < NAMES_MAX; fn++)
            names[n++] = fn->name;
    return near_word(name, names);
}

int tmpl_give_text(struct tmpl_run *run, struct str *text, struct value *ret_value)
{
    char *copy = text->full ? NULL : arena_strndup(run->arena, str_text(text), text->len);

    str_done(text);
    if (!copy)
        return tmpl_fail_memory(run);
    *ret_value = value_text(copy);
    return 0;
}

int tmpl_need_text(struct tmpl_run *run, const struct value *value, const char **ret_text)
{
    if (value->kind != VALUE_TEXT)
        return tmpl_fail(run, "wrong type for value: expected text, got %s",
                         value_type_name(value));
    *ret_text = value->text;
    return 0;
}

int tmpl_need_float(struct tmpl_run *run, const struct value *value, double *ret_real)
{
    if (value->kind == VALUE_FLOAT)
        *ret_real = value->real;
    else if (value->kind == VALUE_INT)
        *ret_real = (double)value->number;
    else if (value->kind == VALUE_DURATION)
        *ret_real = (double)value->number / 1e9;
    else if (value->kind != VALUE_TEXT)
        return tmpl_fail(run, "wrong type for value: expected a number, got %s",
                         value_type_name(value));
    else if (float_parse(value->text, strlen(value->text), ret_real) != 0)
        return tmpl_fail(run, "\"%.60s\" is not a number", value->text);
    return 0;
}
