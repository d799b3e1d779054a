/*
 * The functions of templates, found by name: Go's own and Prometheus'. Each family is a
 * table in its file; what the families share is here.
 */

#include <math.h>
#include <string.h>

#include "alertd/rule/template_private.h"
#include "lib/base/float.h"
#include "lib/base/near.h"

static const struct rule_template_fn *const families[] = {
    rule_template_basic_fns,
    rule_template_text_fns,
    rule_template_human_fns,
    rule_template_query_fns,
};

enum {
    N_FAMILIES = sizeof(families) / sizeof(*families),
    NAMES_MAX = 80,
};

const struct rule_template_fn *rule_template_fn_find(const char *name)
{
    for (size_t family = 0; family < N_FAMILIES; family++)
        for (const struct rule_template_fn *fn = families[family]; fn->name; fn++)
            if (strcmp(fn->name, name) == 0)
                return fn;
    return NULL;
}

const char *rule_template_fn_near(const char *name)
{
    const char *names[NAMES_MAX + 1] = {0};
    size_t n = 0;

    for (size_t family = 0; family < N_FAMILIES; family++)
        for (const struct rule_template_fn *fn = families[family]; fn->name && n < NAMES_MAX; fn++)
            names[n++] = fn->name;
    return near_word(name, names);
}

int rule_template_give_text(struct rule_template_run *run,
                            struct str *text,
                            struct value *ret_value)
{
    char *copy = text->full ? NULL : arena_strndup(run->arena, str_text(text), text->len);

    str_done(text);
    if (!copy)
        return rule_template_fail_memory(run);
    *ret_value = value_text(copy);
    return 0;
}

int rule_template_need_text(struct rule_template_run *run,
                            const struct value *value,
                            const char **ret_text)
{
    if (value->kind != VALUE_TEXT)
        return rule_template_fail(run, "wrong type for value: expected text, got %s",
                                  value_type_name(value));
    *ret_text = value->text;
    return 0;
}

int rule_template_need_float(struct rule_template_run *run,
                             const struct value *value,
                             double *ret_real)
{
    if (value->kind == VALUE_FLOAT)
        *ret_real = value->real;
    else if (value->kind == VALUE_INT)
        *ret_real = (double)value->number;
    else if (value->kind == VALUE_DURATION)
        *ret_real = (double)value->number / 1e9;
    else if (value->kind != VALUE_TEXT)
        return rule_template_fail(run, "wrong type for value: expected a number, got %s",
                                  value_type_name(value));
    else if (float_parse(value->text, strlen(value->text), ret_real) != 0)
        return rule_template_fail(run, "\"%.60s\" is not a number", value->text);
    return 0;
}
