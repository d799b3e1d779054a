/*
 * A rule judged by its past. See review.h.
 */

#include "alertd/pages/review.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/tune/grid.h"
#include "lib/base/float.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"

enum {
    WORDS_BYTES_MAX = 4096,
    FEW = 3, /* alerts: fewer are no habit */
};

#define SHORT_MS INT64_C(300000)
#define AGAIN_MS INT64_C(3600000)
#define DAY_MS   INT64_C(86400000)
#define USUAL_MS INT64_C(43200000) /* firing for less may be one incident */

const char *review_kind_name(enum review_kind kind)
{
    static const char *const names[] = {"fine",        "change",    "redundant",
                                        "never_fired", "cant_fire", "not_known"};

    return names[kind];
}

/* --- cost --- */

double review_noise(unsigned useful, unsigned noise)
{
    return (noise + 1.0) / (useful + noise + 2.0);
}

double review_cost(unsigned pages, unsigned nights, unsigned useful, unsigned noise)
{
    return (pages + (REVIEW_NIGHT_WEIGHT - 1.0) * nights) * review_noise(useful, noise);
}

/* --- spans --- */

static int by_begin(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;

    return x[0] < y[0] ? -1 : x[0] > y[0];
}

struct review_spans review_spans_of(const struct tune_result *result)
{
    size_t n = 0;
    const struct episode *episodes = backtest_episodes(result->backtest, &n);
    struct review_spans spans = {.at = mem_alloc((n + 1) * sizeof(*spans.at))};

    for (size_t i = 0; i < n; i++) {
        spans.at[i][0] = episodes[i].fired;
        spans.at[i][1] = episodes[i].resolved;
        for (int end = 0; end < 2; end++)
            spans.at[i][end] = result->span.start_ms + spans.at[i][end] * result->span.step_ms;
    }
    if (n > 0)
        qsort(spans.at, n, sizeof(*spans.at), by_begin);
    for (size_t i = 0; i < n; i++) {
        int64_t *last = spans.n ? spans.at[spans.n - 1] : NULL;

        if (last && spans.at[i][0] <= last[1]) {
            last[1] = spans.at[i][1] > last[1] ? spans.at[i][1] : last[1];
            continue;
        }
        spans.at[spans.n][0] = spans.at[i][0];
        spans.at[spans.n++][1] = spans.at[i][1];
    }
    return spans;
}

void review_spans_done(struct review_spans *spans)
{
    free(spans->at);
    *spans = (struct review_spans){0};
}

static int64_t length_of(const struct review_spans *spans)
{
    int64_t length_ms = 0;

    for (size_t i = 0; i < spans->n; i++)
        length_ms += spans->at[i][1] - spans->at[i][0];
    return length_ms;
}

double review_jaccard(const struct review_spans *a, const struct review_spans *b)
{
    int64_t shared_ms = 0;

    for (size_t i = 0, j = 0; i < a->n && j < b->n;) {
        int64_t begin = a->at[i][0] > b->at[j][0] ? a->at[i][0] : b->at[j][0];
        int64_t end = a->at[i][1] < b->at[j][1] ? a->at[i][1] : b->at[j][1];

        shared_ms += end > begin ? end - begin : 0;
        if (a->at[i][1] < b->at[j][1])
            i++;
        else
            j++;
    }
    int64_t either_ms = length_of(a) + length_of(b) - shared_ms;

    return either_ms > 0 ? (double)shared_ms / (double)either_ms : 0;
}

/* --- one rule --- */

struct habits {
    size_t n, n_short, n_again;
};

/* How often it was over at once, and how often it came back within the hour. */
static struct habits habits_of(const struct tune_result *result)
{
    struct habits habits = {0};
    const struct episode *episodes = backtest_episodes(result->backtest, &habits.n);
    int64_t held_ms = result->keep_steps *
                      result->span.step_ms; /* when nothing is wrong any more */

    for (size_t i = 0; i < habits.n; i++) {
        habits.n_short += (episodes[i].resolved - episodes[i].fired) * result->span.step_ms <
                          SHORT_MS + held_ms;
        for (size_t k = i + 1; k < habits.n; k++) {
            if ((episodes[k].fired - (int64_t)episodes[i].resolved) * result->span.step_ms >
                AGAIN_MS)
                break;
            if (!labels_equal(episodes[k].labels, episodes[i].labels) ||
                episodes[k].fired < episodes[i].resolved)
                continue;
            habits.n_again++;
            break;
        }
    }
    return habits;
}

static struct suggest_sum sum_of(const struct tune_result *result, struct suggest_cell at)
{
    return suggest_sum(backtest_surface(result->backtest), result->n_incidents, at);
}

static void add_setting(const struct tune_ask *ask,
                        const struct tune_result *result,
                        struct suggest_cell at,
                        struct str *out)
{
    static const char *const signs[] = {">", ">=", "<", "<="};
    char number[FLOAT_TEXT_MAX];
    char held[DURATION_TEXT_MAX];

    (void)float_short(result->thresholds[at.threshold], number);
    if (result->choice->way != SPLIT_PRESENCE)
        str_addf(out, "%s %s ", result->choice->way == SPLIT_ONE ? signs[result->choice->op] : "x",
                 number);
    str_addf(out, "for %s",
             duration_print(result->for_steps[at.for_index] * ask->interval_ms, held));
}

/* --- a rule that is silent --- */

static void tell_silent(const struct tune_ask *ask,
                        const struct tune_result *result,
                        struct review *review)
{
    struct suggest_cell at = {result->now.threshold, 0};
    uint64_t passed = sum_of(result, at).cell.alerts;
    int64_t days = (ask->to_ms - ask->from_ms) / DAY_MS;
    char held[DURATION_TEXT_MAX];

    if (backtest_n_series(result->backtest) == 0) {
        review->kind = result->choice->way == SPLIT_PRESENCE ? REVIEW_NEVER_FIRED
                                                             : REVIEW_CANT_FIRE;
        str_add(&review->words, result->choice->way == SPLIT_PRESENCE
                                    ? "It was not once true: nothing says that it works."
                                    : "Nothing that it looks at has a value: its metrics are gone, "
                                      "or never were.");
        return;
    }
    if (sum_of(result, result->now).cell.firing_steps > 0) {
        str_addf(&review->words, "It fires since before these %lld d, and did not begin anew.",
                 (long long)days);
        return;
    }
    if (passed > 0) {
        review->kind = REVIEW_NEVER_FIRED;
        str_addf(&review->words, "It was true %llu times in %lld d, never for as long as %s.",
                 (unsigned long long)passed, (long long)days,
                 duration_print(ask->rule->for_ms, held));
        return;
    }
    if (result->choice->way == SPLIT_PRESENCE) {
        review->kind = REVIEW_NEVER_FIRED;
        str_addf(&review->words, "It was not once true in %lld d.", (long long)days);
        return;
    }
    review->kind = REVIEW_CANT_FIRE;
    str_add(&review->words, "Its threshold ");
    add_setting(ask, result, at, &review->words);
    str_cut(&review->words, review->words.len - strlen(" for 0s"));
    str_addf(&review->words, " was not reached once in %lld d", (long long)days);
    for (size_t j = result->n_thresholds; j-- > 0;) {
        at.threshold = j;
        if (sum_of(result, at).cell.alerts == 0)
            continue;
        str_add(&review->words, "; ");
        add_setting(ask, result, at, &review->words);
        str_cut(&review->words, review->words.len - strlen(" for 0s"));
        str_addf(&review->words, " was, %llu times",
                 (unsigned long long)sum_of(result, at).cell.alerts);
        break;
    }
    str_addc(&review->words, '.');
}

/* --- a rule that talks --- */

static void set(struct review *review,
                const struct tune_ask *ask,
                const struct tune_result *result,
                struct suggest_cell at)
{
    review->kind = REVIEW_CHANGE;
    review->has_setting = true;
    review->threshold = result->thresholds[at.threshold];
    review->for_ms = result->for_steps[at.for_index] * ask->interval_ms;
    review->keep_ms = ask->rule->keep_firing_for_ms;
}

static void tell_suggestion(const struct tune_ask *ask,
                            const struct tune_result *result,
                            struct review *review)
{
    const struct suggest_sum now = sum_of(result, result->now);
    const struct suggest_sum then = sum_of(result, result->suggestion);

    set(review, ask, result, result->suggestion);
    str_add(&review->words, "Try ");
    add_setting(ask, result, result->suggestion, &review->words);
    str_addf(&review->words,
             ": %llu alerts instead of %llu, %llu instead of %llu about no incident; it finds %zu "
             "of %zu as before.",
             (unsigned long long)then.cell.alerts, (unsigned long long)now.cell.alerts,
             (unsigned long long)(then.cell.alerts - then.cell.true_alerts),
             (unsigned long long)(now.cell.alerts - now.cell.true_alerts), then.n_found,
             result->n_incidents);
}

/* The shortest longer `for` that leaves half of what there is. False: none does. */
static bool tell_longer(const struct tune_ask *ask,
                        const struct tune_result *result,
                        const struct habits *habits,
                        struct review *review)
{
    uint64_t now = sum_of(result, result->now).cell.alerts;
    size_t n_found = sum_of(result, result->now).n_found;
    struct suggest_cell at = result->now;
    char held[DURATION_TEXT_MAX];

    for (at.for_index++; at.for_index < result->n_fors; at.for_index++) {
        const struct suggest_sum then = sum_of(result, at);

        if (then.n_found < n_found || then.cell.alerts * 2 > now)
            continue;
        set(review, ask, result, at);
        str_addf(&review->words,
                 "%zu of %zu alerts were over within 5 min%s: for %s would have left %llu%s.",
                 habits->n_short, habits->n,
                 result->keep_steps > 0 ? " but for keep_firing_for" : "",
                 duration_print(review->for_ms, held), (unsigned long long)then.cell.alerts,
                 result->n_incidents ? "" : " (no incident is known to hold that against)");
        return true;
    }
    return false;
}

/* Since it first fired it hardly ever did not: that is how things are, and no news. */
static bool tell_usual(const struct tune_ask *ask,
                       const struct tune_result *result,
                       struct review *review)
{
    struct review_spans spans = review_spans_of(result);
    int64_t since_ms = spans.n > 0 ? tune_time_of(result, result->n_steps) - spans.at[0][0] : 0;
    int64_t fired_ms = length_of(&spans);
    char text[DURATION_TEXT_MAX];

    review_spans_done(&spans);
    if (since_ms < USUAL_MS || fired_ms * 10 < since_ms * 9)
        return false;
    set(review, ask, result, result->now);
    str_addf(&review->words,
             "Of the last %s it fired %lld %% of the time: what it calls bad is what is usual.",
             duration_human(since_ms, text), (long long)(fired_ms * 100 / since_ms));
    return true;
}

static void tell_loud(const struct tune_ask *ask,
                      const struct tune_result *result,
                      struct review *review)
{
    const struct habits habits = habits_of(result);

    if (result->has_suggestion) {
        tell_suggestion(ask, result, review);
        return;
    }
    if (habits.n >= FEW && habits.n_short * 2 >= habits.n &&
        tell_longer(ask, result, &habits, review))
        return;
    if (tell_usual(ask, result, review))
        return;
    if (habits.n >= FEW && habits.n_again * 10 >= habits.n * 3 &&
        ask->rule->keep_firing_for_ms < AGAIN_MS) {
        set(review, ask, result, result->now);
        review->keep_ms = AGAIN_MS;
        str_addf(&review->words,
                 "%zu of %zu alerts fired again within the hour: keep_firing_for 1h makes one of "
                 "them.",
                 habits.n_again, habits.n);
        return;
    }
    str_add(&review->words, "Nothing to change by what is known.");
}

void review_make(const struct tune_ask *ask,
                 const struct tune_result *result,
                 const char *blind,
                 struct review *ret)
{
    *ret = (struct review){.words = STR_INIT(WORDS_BYTES_MAX)};
    ret->alerts = sum_of(result, result->now).cell.alerts;
    if (ret->alerts > 0) {
        tell_loud(ask, result, ret);
    } else if (blind) {
        ret->kind = REVIEW_CANT_FIRE;
        str_addc(&ret->words, (char)(*blind >= 'a' && *blind <= 'z' ? *blind - 'a' + 'A' : *blind));
        str_add(&ret->words, *blind ? blind + 1 : "");
        str_addc(&ret->words, '.');
    } else {
        tell_silent(ask, result, ret);
    }
}
