#pragma once

/*
 * Templates in labels and annotations: Go's text/template as Prometheus rules use it.
 *
 *     {{ $labels.instance }} is at {{ $value | humanizePercentage }}
 *
 * The language is alertd/template's; the functions that only rules have and what a template
 * of a rule may look at are here. What is not known, or a variable nobody declared, is an
 * error when the rule is loaded.
 */

#include <stdint.h>

#include "alertd/template/template.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/model/labels.h"

/* As tmpl_parse(): text must outlive the template; both usually live as long as the rule
 * file. */
int rule_template_parse(struct arena *arena,
                        const char *text,
                        struct tmpl **ret_template,
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

/* Appends the expanded text. On TMPL_E_EXPAND `out` holds what came before. */
int rule_template_expand(const struct tmpl *template,
                         const struct rule_template_data *data,
                         struct str *out,
                         struct err *reterr);

/* For alerts: the expanded text, or `<error expanding template: words>` in its place, as
 * Prometheus does: a broken description must not stop a page. */
void rule_template_expand_or_tell(const struct tmpl *template,
                                  const struct rule_template_data *data,
                                  struct str *out);

/* What a template reads, for advice. `kind` is one of:
 *   'l' a label: $labels.NAME, .Labels.NAME, index $labels "NAME"
 *   'e' an external label   'v' the value   'L' all labels at once
 *   'r' the value again, printed as it is: {{ $value }}
 *   '!' a call that can't work: NAME says why */
void rule_template_reads(const struct tmpl *template,
                         void (*each)(void *arg, char kind, const char *name, size_t offset),
                         void *arg);
