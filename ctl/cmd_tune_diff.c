/*
 * alertctl tune diff. See tune_diff.h.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/tune_diff.h"
#include "ctl/tune_drill.h"
#include "ctl/tune_pages.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"

enum {
    OUTPUT_BYTES_MAX = 64 << 20,
    CHOICES_BYTES_MAX = 64 << 20,
    TEXT_BYTES_MAX = 1 << 20,
};

struct work {
    struct ctl *ctl;
    char *texts[2];
    struct rule_file *files[2]; /* old, new */
    const struct route_config *config;
    struct tune_past past;
    bool has_past;
    struct tune_labels labels;
    struct tune_diff diff;
};

/* --- pairs --- */

static bool is_same_rule(const struct rule *a, const struct rule *b)
{
    STR_AUTO struct str left = STR_INIT(TEXT_BYTES_MAX);
    STR_AUTO struct str right = STR_INIT(TEXT_BYTES_MAX);

    rule_print(a, 0, &left);
    rule_print(b, 0, &right);
    return strcmp(str_text(&left), str_text(&right)) == 0;
}

static void add_pair(struct tune_diff *diff, struct pair pair)
{
    diff->pairs = mem_grow(diff->pairs, &diff->capacity, diff->n + 1, sizeof(*diff->pairs));
    diff->pairs[diff->n++] = pair;
}

/* The old rule of that group and name that no other has taken. */
static struct pair *free_pair(struct tune_diff *diff,
                              size_t n_old,
                              const char *group,
                              const char *name)
{
    for (size_t i = 0; i < n_old; i++) {
        struct pair *pair = &diff->pairs[i];

        if (!pair->new.rule && strcmp(pair->group, group) == 0 && strcmp(pair->name, name) == 0)
            return pair;
    }
    return NULL;
}

static void add_side(struct tune_diff *diff, const struct rule_file *file, bool is_new)
{
    size_t n_old = diff->n;

    for (size_t g = 0; g < file->n_groups; g++)
        for (size_t i = 0; i < file->groups[g].n_rules; i++) {
            const struct rule *rule = &file->groups[g].rules[i];
            const struct pair_side side = {.rule = rule,
                                           .interval_ms = file->groups[g].interval_ms};
            struct pair *pair = is_new ? free_pair(diff, n_old, file->groups[g].name, rule->name)
                                       : NULL;

            if (pair)
                pair->new = side;
            else
                add_pair(diff, (struct pair){.group = file->groups[g].name,
                                             .name = rule->name,
                                             .old = is_new ? (struct pair_side){0} : side,
                                             .new = is_new ? side : (struct pair_side){0}});
        }
}

static void make_pairs(struct work *work)
{
    struct tune_diff *diff = &work->diff;
    size_t n = 0;

    add_side(diff, work->files[0], false);
    add_side(diff, work->files[1], true);
    for (size_t i = 0; i < diff->n; i++) {
        struct pair pair = diff->pairs[i];
        bool is_alert = (pair.new.rule &&pair.new.rule->is_alert) ||
                        (pair.old.rule && pair.old.rule->is_alert);

        pair.state = !pair.old.rule ? PAIR_NEW : !pair.new.rule ? PAIR_GONE : PAIR_CHANGED;
        if (pair.state == PAIR_CHANGED &&
            pair.old.interval_ms ==
                pair.new.interval_ms &&is_same_rule(pair.old.rule, pair.new.rule))
            pair.state = PAIR_SAME;
        if (is_alert)
            diff->pairs[n++] = pair;
        else
            diff->n_recording += pair.state != PAIR_SAME;
    }
    diff->n = n;
}

/* --- pages of a rule --- */

/* The last choice evaluates the rule as it stands. */
static int last_choice(const struct rule *rule, size_t *ret_choice, struct err *reterr)
{
    struct split_choice *choices = NULL;
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    arena_init(&arena, CHOICES_BYTES_MAX);
    int r = split_expr(rule->expr, &arena, &choices, &n, reterr);
    *ret_choice = n - 1;
    return r;
}

static enum ctl_exit reckon(struct work *work, struct pair_side *side)
{
    if (!side->rule || side->is_reckoned)
        return CTL_OK;

    struct tune_ask ask = {.rule = side->rule,
                           .interval_ms = side->interval_ms,
                           .phase_ms = tune_past_phase_ms(&work->past, side->interval_ms),
                           .first_ms = work->past.drill ? work->past.drill->past.from_ms : 0,
                           .from_ms = work->diff.from_ms,
                           .to_ms = work->diff.to_ms};
    const struct pages_plan plan = {.config = work->config,
                                    .from_ms = ask.from_ms,
                                    .to_ms = ask.to_ms,
                                    .ack_after_ms = PAGES_ACK_USUAL_MS};
    struct tune_result result;
    struct err err = {0};

    ask.for_ms = side->rule->for_ms;
    int r = last_choice(side->rule, &ask.choice, &err);
    if (r == 0) {
        r = tune_run(&work->past.reader, &ask, &result, &err);
        if (r == 0)
            tuned_alerts_add(&side->alerts, &ask, &result);
        tune_result_done(&result);
    }
    if (r == 0)
        r = pages_run(&plan, side->alerts.at, side->alerts.n, &side->pages, &err);
    side->is_reckoned = true;
    if (r == 0)
        return CTL_OK;
    enum ctl_exit status = ctl_fail(work->ctl, "%s: %s", side->rule->name, err.text);
    missing_tell(work->past.told);
    return status;
}

static struct diff_side side_of(const struct pair_side *side)
{
    return (struct diff_side){side->is_reckoned ? &side->pages : NULL, side->alerts.at};
}

static enum ctl_exit reckon_all(struct work *work)
{
    for (size_t i = 0; i < work->diff.n; i++) {
        struct pair *pair = &work->diff.pairs[i];
        enum ctl_exit status = CTL_OK;

        if (pair->state == PAIR_SAME)
            continue;
        status = reckon(work, &pair->old);
        if (status == CTL_OK)
            status = reckon(work, &pair->new);
        if (status != CTL_OK)
            return status;
        const struct diff_side old = side_of(&pair->old);
        const struct diff_side new = side_of(&pair->new);

        pair->diff = diff_make(&old, &new, work->labels.at, work->labels.n);
    }
    return CTL_OK;
}

/* --- incidents of the whole file --- */

/* Some rule of NEW still pages in it. */
static enum ctl_exit is_still_found(struct work *work,
                                    const struct tune_incident *incident,
                                    bool *ret_found)
{
    static const struct diff_side none = {0};

    *ret_found = false;
    for (size_t i = 0; i < work->diff.n && !*ret_found; i++) {
        struct pair *pair = &work->diff.pairs[i];
        enum ctl_exit status = reckon(work, &pair->new);

        if (status != CTL_OK)
            return status;
        if (!pair->new.rule)
            continue;
        const struct diff_side side = side_of(&pair->new);
        struct diff diff = diff_make(&none, &side, incident, 1);

        *ret_found = diff.n_found > 0;
        diff_done(&diff);
    }
    return CTL_OK;
}

static bool is_lost_by_any(const struct tune_diff *diff, size_t incident)
{
    for (size_t i = 0; i < diff->n; i++) {
        const struct diff *one = &diff->pairs[i].diff;

        if (one->n_incidents > 0 && one->incidents[incident].old_ms != INT64_MAX &&
            one->incidents[incident].new_ms == INT64_MAX)
            return true;
    }
    return false;
}

bool tune_diff_is_lost(const struct tune_diff *diff, const struct tune_incident *incident)
{
    for (size_t i = 0; i < diff->n_lost; i++)
        if (&diff->labels->at[diff->lost[i]] == incident)
            return true;
    return false;
}

static enum ctl_exit find_lost(struct work *work)
{
    struct tune_diff *diff = &work->diff;

    diff->lost = mem_alloc((work->labels.n + 1) * sizeof(*diff->lost));
    for (size_t k = 0; k < work->labels.n; k++) {
        bool found = true;
        enum ctl_exit status = is_lost_by_any(diff, k)
                                   ? is_still_found(work, &work->labels.at[k], &found)
                                   : CTL_OK;

        if (status != CTL_OK)
            return status;
        if (!found)
            diff->lost[diff->n_lost++] = k;
    }
    return CTL_OK;
}

/* --- all of it --- */

static enum ctl_exit read_file(struct work *work, int which)
{
    const char *path = work->ctl->arguments[which];
    size_t len = 0;
    struct err err = {0};

    if (fs_read(path, YAML_BYTES_MAX, &work->texts[which], &len, &err) != 0)
        return ctl_fail(work->ctl, "%s", err.text);
    if (rule_file_parse(path, work->texts[which], len, NULL, &work->files[which], &err) != 0)
        return ctl_fail(work->ctl, "%s:%u:%u: %s", path, err.line, err.column, err.text);
    return CTL_OK;
}

static enum ctl_exit read_all(struct work *work)
{
    struct tune_ask ask = {0};
    enum ctl_exit status = read_file(work, 0);

    if (status == CTL_OK)
        status = read_file(work, 1);
    if (status == CTL_OK)
        status = tune_pages_config(work->ctl, ctl_option(work->ctl, "config"), &work->config);
    if (status != CTL_OK)
        return status;
    work->has_past = true;
    status = tune_past_init(&work->past, work->ctl);
    if (status == CTL_OK)
        status = tune_times(work->ctl, &work->past, &ask.from_ms, &ask.to_ms);
    if (status == CTL_OK)
        status = tune_labels_read(&work->labels, work->ctl, &work->past, &ask);
    work->diff.from_ms = ask.from_ms;
    work->diff.to_ms = ask.to_ms;
    work->diff.labels = &work->labels;
    work->diff.told = work->past.told;
    return status;
}

static enum ctl_exit tell(struct work *work)
{
    STR_AUTO struct str out = STR_INIT(OUTPUT_BYTES_MAX);
    const char *format = ctl_option(work->ctl, "format");

    if (!tune_diff_show(format            ? format
                        : work->ctl->json ? "json"
                                          : "text",
                        &work->diff, work->ctl->color, &out)) {
        (void)ctl_fail(work->ctl, "--format is text, github, json or junit");
        return CTL_USAGE;
    }
    (void)fputs(str_text(&out), stdout);
    return work->diff.n_lost > 0 ? CTL_FAILURE : CTL_OK;
}

static void work_done(struct work *work)
{
    for (size_t i = 0; i < work->diff.n; i++) {
        struct pair *pair = &work->diff.pairs[i];

        diff_done(&pair->diff);
        pages_done(&pair->old.pages);
        pages_done(&pair->new.pages);
        tuned_alerts_done(&pair->old.alerts);
        tuned_alerts_done(&pair->new.alerts);
    }
    free(work->diff.pairs);
    free(work->diff.lost);
    tune_labels_done(&work->labels);
    if (work->has_past)
        tune_past_done(&work->past);
    route_config_unref(work->config);
    for (int i = 0; i < 2; i++) {
        rule_file_unref(work->files[i]);
        free(work->texts[i]);
    }
}

enum ctl_exit cmd_tune_diff(struct ctl *ctl)
{
    struct work work = {.ctl = ctl};

    tune_labels_init(&work.labels);
    enum ctl_exit status = read_all(&work);
    if (status == CTL_OK) {
        make_pairs(&work);
        status = reckon_all(&work);
    }
    if (status == CTL_OK)
        status = find_lost(&work);
    if (status == CTL_OK)
        status = tell(&work);
    work_done(&work);
    return status;
}
