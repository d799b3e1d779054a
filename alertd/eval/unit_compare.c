/*
 * Expected beside found. See unit_compare.h.
 */

#include "alertd/eval/unit_compare.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/float.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"

/* --- Alerts ------------------------------------------------------------------------------------ */

static int compare_alerts(const void *a, const void *b)
{
    const struct unit_alert *left = a, *right = b;
    int order = labels_compare(left->labels, right->labels);

    return order ? order : labels_compare(left->annotations, right->annotations);
}

static void print_alerts(struct str *out,
                         const char *title,
                         const struct unit_alert *alerts,
                         size_t n)
{
    str_addf(out, "        %s[", title);
    for (size_t i = 0; i < n; i++) {
        str_addf(out, "\n            %zu:\n              Labels:", i);
        labels_print(alerts[i].labels, out);
        str_add(out, "\n              Annotations:");
        labels_print(alerts[i].annotations, out);
    }
    str_add(out, n ? "\n            ]\n" : "]\n");
}

bool unit_compare_alerts(const struct unit_alert_test *test,
                         struct unit_alert *got,
                         size_t n_got,
                         struct str *report)
{
    MEM_AUTO struct unit_alert *expected = mem_alloc((test->n_alerts + 1) * sizeof(*expected));
    bool same = n_got == test->n_alerts;
    char at[DURATION_TEXT_MAX];

    for (size_t i = 0; i < test->n_alerts; i++)
        expected[i] = test->alerts[i];
    qsort(expected, test->n_alerts, sizeof(*expected), compare_alerts);
    if (n_got)
        qsort(got, n_got, sizeof(*got), compare_alerts);
    for (size_t i = 0; i < n_got && same; i++)
        same = compare_alerts(&expected[i], &got[i]) == 0;
    if (same)
        return true;
    str_addf(report, "    alertname: %s, time: %s,\n", test->alertname,
             duration_print(test->eval_ms, at));
    print_alerts(report, "exp:", expected, test->n_alerts);
    print_alerts(report, "got:", got, n_got);
    return false;
}

/* --- Samples ----------------------------------------------------------------------------------- */

static int compare_samples(const void *a, const void *b)
{
    const struct unit_sample *left = a, *right = b;

    return labels_compare(left->labels, right->labels);
}

static bool is_near(double a, double b)
{
    return a == b || nextafter(a, b) == b;
}

static bool same_sample(const struct unit_sample *a, const struct unit_sample *b, bool fuzzy)
{
    if (a->is_histogram || b->is_histogram || !labels_equal(a->labels, b->labels))
        return false;
    return fuzzy ? is_near(a->value, b->value) : a->value == b->value;
}

static void print_samples(struct str *out,
                          const char *title,
                          const struct unit_sample *samples,
                          size_t n)
{
    char number[FLOAT_TEXT_MAX];

    str_addf(out, "        %s", title);
    for (size_t i = 0; i < n; i++) {
        str_add(out, i ? ", " : "");
        labels_print(samples[i].labels, out);
        (void)float_exponent(samples[i].value, number);
        str_addf(out, " %s", samples[i].is_histogram ? "histogram" : number);
    }
    str_add(out, n ? "\n" : "nil\n");
}

static bool same_samples(
    const struct unit_sample *a, size_t n_a, const struct unit_sample *b, size_t n_b, bool fuzzy)
{
    bool same = n_a == n_b;

    for (size_t i = 0; i < n_a && same; i++)
        same = same_sample(&a[i], &b[i], fuzzy);
    return same;
}

bool unit_compare_samples(const struct unit_expr_test *test,
                          const struct promql_value *got,
                          bool fuzzy,
                          struct str *report)
{
    MEM_AUTO struct unit_sample *expected = mem_alloc((test->n_samples + 1) * sizeof(*expected));
    MEM_AUTO struct unit_sample *found = mem_alloc((got->n + 1) * sizeof(*found));
    char at[DURATION_TEXT_MAX];

    for (size_t i = 0; i < test->n_samples; i++)
        expected[i] = test->samples[i];
    for (size_t i = 0; i < got->n; i++)
        found[i] = (struct unit_sample){got->series[i].labels, got->series[i].values[0], false};
    qsort(expected, test->n_samples, sizeof(*expected), compare_samples);
    qsort(found, got->n, sizeof(*found), compare_samples);
    if (same_samples(expected, test->n_samples, found, got->n, fuzzy))
        return true;
    str_addf(report, "    expr: \"%s\", time: %s,\n", test->text,
             duration_print(test->eval_ms, at));
    print_samples(report, "exp: ", expected, test->n_samples);
    print_samples(report, "got: ", found, got->n);
    return false;
}
