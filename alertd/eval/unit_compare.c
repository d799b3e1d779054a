/*
 * Expected beside found. See unit_compare.h.
 */

#include "alertd/eval/unit_compare.h"

#include <math.h>
#include <stdlib.h>

#include "alertd/eval/unit_diff.h"
#include "lib/base/float.h"
#include "lib/base/mem.h"

enum {
    SHOWN_MAX = 50,         /* alerts or samples told of one check; the rest is counted */
    PAIRS_MAX = 100 * 1000, /* comparisons to find which alert is which */
};

/* --- Alerts ------------------------------------------------------------------------------------ */

/* One side of a check. */
struct side {
    const struct unit_alert **at;
    bool *taken;
    size_t n, left;
};

static int compare_alerts(const void *a, const void *b)
{
    const struct unit_alert *left = *(const struct unit_alert *const *)a;
    const struct unit_alert *right = *(const struct unit_alert *const *)b;
    int order = labels_compare(left->labels, right->labels);

    return order ? order : labels_compare(left->annotations, right->annotations);
}

static struct side make_side(const struct unit_alert *alerts, size_t n)
{
    struct side side = {mem_alloc((n + 1) * sizeof(*side.at)), mem_zalloc(n + 1), n, n};

    for (size_t i = 0; i < n; i++)
        side.at[i] = &alerts[i];
    qsort(side.at, n, sizeof(*side.at), compare_alerts);
    return side;
}

static void side_done(struct side *side)
{
    free(side->at);
    free(side->taken);
}

static void take(struct side *expected, size_t e, struct side *got, size_t g)
{
    expected->taken[e] = got->taken[g] = true;
    expected->left--;
    got->left--;
}

/* Both are sorted: equal ones meet. */
static void take_equal(struct side *expected, struct side *got)
{
    size_t e = 0, g = 0;

    while (e < expected->n && g < got->n) {
        int order = compare_alerts(&expected->at[e], &got->at[g]);

        if (order == 0)
            take(expected, e, got, g);
        e += order <= 0;
        g += order >= 0;
    }
}

/* The two that are most alike and may be the same alert; false when none may. */
static bool find_pair(const struct side *expected,
                      const struct side *got,
                      size_t *ret_e,
                      size_t *ret_g)
{
    bool only_two = expected->left == 1 && got->left == 1;
    size_t best = SIZE_MAX;

    for (size_t e = 0; e < expected->n; e++) {
        for (size_t g = 0; g < got->n && !expected->taken[e]; g++) {
            const struct unit_alert *a = expected->at[e], *b = got->at[g];
            size_t distance = got->taken[g] ? SIZE_MAX : unit_diff_distance(a->labels, b->labels);

            if (distance >= best ||
                (distance > 0 && !only_two && unit_diff_shared(a->labels, b->labels) < distance))
                continue;
            best = distance;
            *ret_e = e;
            *ret_g = g;
        }
    }
    return best != SIZE_MAX;
}

/* Alerts that are there in another form; returns how many. */
static size_t tell_changed(struct side *expected, struct side *got, struct str *diff)
{
    size_t n = 0, e = 0, g = 0;

    while (expected->left && got->left && expected->n * got->n <= PAIRS_MAX && n < SHOWN_MAX &&
           find_pair(expected, got, &e, &g)) {
        unit_diff_alert(expected->at[e], got->at[g], diff);
        take(expected, e, got, g);
        n++;
    }
    return n;
}

static void tell_lone(char mark,
                      const struct side *side,
                      const struct unit_why *why,
                      struct str *diff)
{
    size_t told = 0;

    for (size_t i = 0; i < side->n && told < SHOWN_MAX; i++) {
        if (side->taken[i])
            continue;
        unit_diff_lone_alert(mark, side->at[i], diff);
        if (mark == '-' && why)
            why->tell(why->arg, side->at[i]->labels, diff);
        told++;
    }
    if (side->left > told)
        str_addf(diff, "%c and %zu more\n", mark, side->left - told);
}

static void add_count(struct str *words, size_t n, const char *what)
{
    if (n)
        str_addf(words, "%s%zu %s", words->len ? ", " : "", n, what);
}

bool unit_compare_alerts(const struct unit_alert_test *test,
                         const struct unit_alert *got,
                         size_t n_got,
                         const struct unit_why *why,
                         struct str *words,
                         struct str *diff)
{
    struct side want = make_side(test->alerts, test->n_alerts), came = make_side(got, n_got);

    take_equal(&want, &came);
    bool same = want.left == 0 && came.left == 0;
    if (!same) {
        size_t changed = tell_changed(&want, &came, diff);

        tell_lone('-', &want, why, diff);
        tell_lone('+', &came, NULL, diff);
        add_count(words, changed, changed == 1 ? "differs" : "differ");
        add_count(words, want.left, "expected and not firing");
        add_count(words, came.left, "firing and not expected");
        if (test->n_alerts - want.left - changed > 0)
            add_count(words, test->n_alerts - want.left - changed, "as expected");
    }
    side_done(&want);
    side_done(&came);
    return same;
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

static bool same_value(const struct unit_sample *a, const struct unit_sample *b, bool fuzzy)
{
    if (a->is_histogram || b->is_histogram)
        return false;
    return fuzzy ? is_near(a->value, b->value) : a->value == b->value;
}

static void tell_sample(char mark, const struct unit_sample *sample, struct str *diff)
{
    STR_AUTO struct str labels = STR_INIT(UNIT_REPORT_TEXT_MAX);
    char number[FLOAT_TEXT_MAX];

    labels_print(sample->labels, &labels);
    (void)float_short(sample->value, number);
    str_addf(diff, "%c ", mark);
    unit_report_text(str_text(&labels), UNIT_REPORT_TEXT_MAX, diff);
    str_addf(diff, " %s\n", sample->is_histogram ? "a native histogram" : number);
}

/* Why two values that look alike are not equal. */
static void tell_hint(const struct unit_sample *a, const struct unit_sample *b, struct str *diff)
{
    if (isnan(a->value) && isnan(b->value))
        str_add(diff, "    NaN equals nothing, not even NaN: test for it with `x != x`\n");
    else if (is_near(a->value, b->value) && !a->is_histogram && !b->is_histogram)
        str_add(diff, "    they differ in the last bit: `fuzzy_compare: true` lets that pass\n");
}

struct counts {
    size_t same, differ, missing, extra;
};

/* One step of the walk over both sorted sides: -1 expected alone, 1 came alone, 0 both. */
static void tell_samples(int order,
                         const struct unit_sample *want,
                         const struct unit_sample *came,
                         bool fuzzy,
                         struct counts *counts,
                         struct str *diff)
{
    bool same = order == 0 && same_value(want, came, fuzzy);
    bool shown = counts->differ + counts->missing + counts->extra < SHOWN_MAX;

    counts->same += same;
    counts->differ += order == 0 && !same;
    counts->missing += order < 0;
    counts->extra += order > 0;
    if (same || !shown)
        return;
    if (order <= 0)
        tell_sample('-', want, diff);
    if (order >= 0)
        tell_sample('+', came, diff);
    if (order == 0)
        tell_hint(want, came, diff);
}

static struct counts walk_samples(const struct unit_sample *want,
                                  size_t n_want,
                                  const struct unit_sample *came,
                                  size_t n_came,
                                  bool fuzzy,
                                  struct str *diff)
{
    struct counts counts = {0};
    size_t w = 0, c = 0;

    while (w < n_want || c < n_came) {
        int order = w == n_want ? 1 : c == n_came ? -1 : compare_samples(&want[w], &came[c]);

        tell_samples(order, &want[w], &came[c], fuzzy, &counts, diff);
        w += order <= 0;
        c += order >= 0;
    }
    return counts;
}

bool unit_compare_samples(const struct unit_expr_test *test,
                          const struct promql_value *got,
                          bool fuzzy,
                          struct str *words,
                          struct str *diff)
{
    MEM_AUTO struct unit_sample *want = mem_zalloc((test->n_samples + 1) * sizeof(*want));
    MEM_AUTO struct unit_sample *came = mem_zalloc((got->n + 1) * sizeof(*came));

    for (size_t i = 0; i < test->n_samples; i++)
        want[i] = test->samples[i];
    for (size_t i = 0; i < got->n; i++)
        came[i] = (struct unit_sample){got->series[i].labels, got->series[i].values[0], false};
    qsort(want, test->n_samples, sizeof(*want), compare_samples);
    qsort(came, got->n, sizeof(*came), compare_samples);

    struct counts counts = walk_samples(want, test->n_samples, came, got->n, fuzzy, diff);
    size_t wrong = counts.differ + counts.missing + counts.extra;
    if (wrong == 0)
        return true;
    if (wrong > SHOWN_MAX)
        str_addf(diff, "  and %zu more\n", wrong - SHOWN_MAX);
    add_count(words, counts.differ, counts.differ == 1 ? "value differs" : "values differ");
    add_count(words, counts.missing, "expected and not there");
    add_count(words, counts.extra, "not expected");
    add_count(words, counts.same, "as expected");
    return false;
}
