#pragma once

/*
 * The functions that only rules have. Private to rule/; their run's data is a
 * struct rule_template_data.
 */

#include "alertd/rule/template.h"
#include "alertd/template/engine.h"

extern const struct tmpl_fn rule_template_human_fns[]; /* template_human.c, ends with {0} */
extern const struct tmpl_fn rule_template_text_fns[];  /* template_text.c */
extern const struct tmpl_fn rule_template_query_fns[]; /* template_query.c */

/* Expands with any value as the dot and no variables but `$`: for tests of the language. */
int rule_template_expand_dot(const struct tmpl *template,
                             const struct rule_template_data *data,
                             const struct value *dot,
                             struct str *out,
                             struct err *reterr);
