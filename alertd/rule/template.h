#pragma once

/*
 * Templates in labels and annotations: Go's text/template as Prometheus rules use it.
 *
 *     {{ $labels.instance }} is at {{ $value | humanizePercentage }}
 *
 *   text --template_parse.c--> tree --template_eval.c, template_fn.c--> text
 *
 * Known: fields, variables, pipelines, parentheses, if/else, with, range, break, continue,
 * define, template, block, := and =, trim markers, comments, Go's comparisons and printf,
 * and Prometheus' functions. Not known: call, complex numbers and functions of our own.
 * What is not known, or a variable nobody declared, is an error when the rule is loaded.
 *
 * Everything is bounded: steps, output, memory, nesting. Text is UTF-8 without NUL.
 */

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/model/labels.h"

enum {
    RULE_TEMPLATE_E_SYNTAX = 1, /* not a template; reterr has line and column within the text */
    RULE_TEMPLATE_E_EXPAND = 2, /* it made no sense with this data, or spent a limit */
    RULE_TEMPLATE_TEXT_MAX = 64 * 1024,
    RULE_TEMPLATE_OUTPUT_MAX = 64 * 1024,
    RULE_TEMPLATE_STEPS_MAX = 100 * 1000,
    RULE_TEMPLATE_DEPTH_MAX = 64,
};

struct rule_template;

/* text must outlive the template; both usually live as long as the rule file. */
int rule_template_parse(struct arena *arena,
                        const char *text,
                        struct rule_template **ret_template,
                        struct err *reterr);

/* One element of a query's result. */
struct rule_template_sample {
    const struct labels *labels;
    double value;
};

/* What a template may look at. */
struct rule_template_data {
    const struct labels *labels;          /* $labels: the sample's own, with its name */
    const struct labels *external_labels; /* NULL: none */
    const char *external_url;             /* NULL: none */
    double value;
    int64_t now_ms;
    /* {{ query "up" }}: an instant query. NULL: there is nothing to ask. Labels and array
     * live in the arena. 0 or any other code with words. */
    int (*query)(void *arg,
                 const char *expr,
                 struct arena *arena,
                 struct rule_template_sample **ret_samples,
                 size_t *ret_n,
                 struct err *reterr);
    void *arg;
};

/* Appends the expanded text. On RULE_TEMPLATE_E_EXPAND `out` holds what came before. */
int rule_template_expand(const struct rule_template *template,
                         const struct rule_template_data *data,
                         struct str *out,
                         struct err *reterr);

/* For alerts: the expanded text, or `<error expanding template: words>` in its place, as
 * Prometheus does: a broken description must not stop a page. */
void rule_template_expand_or_tell(const struct rule_template *template,
                                  const struct rule_template_data *data,
                                  struct str *out);

/* The template is only text: no expansion needed. */
bool rule_template_is_plain(const struct rule_template *template);

/* What a template reads, for advice. `kind` is one of:
 *   'l' a label: $labels.NAME, .Labels.NAME, index $labels "NAME"
 *   'e' an external label   'v' the value   'L' all labels at once
 *   'r' the value again, printed as it is: {{ $value }}
 *   '!' a call that can't work: NAME says why */
void rule_template_reads(const struct rule_template *template,
                         void (*each)(void *arg, char kind, const char *name, size_t offset),
                         void *arg);
