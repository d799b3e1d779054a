/*
 * info(): the labels of info metrics, joined by instance and job.
 *
 *     up{instance="a", job="n"}  +  target_info{instance="a", job="n", version="2"}
 *       ->  up{instance="a", job="n", version="2"}
 *
 * The second argument's matchers on __name__ choose the info metrics: target_info without
 * any; with negative ones alone, all others called *_info. Its other matchers choose the
 * labels taken; without any, all are. At each step, of info series alike in name, instance
 * and job the newest sample counts. A series without any info stays as it is, unless a
 * matcher wants a label to be there.
 * Labels a series has already stay; info series themselves are passed through.
 */

#include <string.h>

#include "alertd/promql/eval.h"
#include "alertd/promql/fn_body.h"

enum {
    N_IDENTITY = 2
};

static const char *const identity[N_IDENTITY] = {"instance", "job"};

struct info {
    struct eval *eval;
    const struct promql_selector *wanted; /* NULL: one argument */
    struct value base, infos;             /* infos' values are the times of their samples */
    bool *passed;                         /* by base column: info series, left alone */
    struct groups known[N_IDENTITY];      /* the instances and jobs of the others */
    struct groups groups;                 /* of infos, by name and identity */
    size_t *newest;                       /* by group and step: column of infos; SIZE_MAX: none */
    const char **names;                   /* of info metrics */
    size_t n_names;
    struct value out;
    size_t out_capacity;
};

static bool is_name(const char *label)
{
    return strcmp(label, LABEL_NAME) == 0;
}

static size_t count_matchers(const struct promql_selector *wanted, bool on_name)
{
    size_t n = 0;

    for (size_t i = 0; wanted && i < wanted->n_matchers; i++)
        n += is_name(wanted->matchers[i].name) == on_name;
    return n;
}

static bool is_called_info(const char *name)
{
    size_t len = strlen(name);

    return len > 5 && strcmp(name + len - 5, "_info") == 0;
}

/* A name that the matchers on __name__ choose. */
static bool is_chosen_name(const struct info *info, const char *name)
{
    bool said = false;

    for (size_t i = 0; i < info->wanted->n_matchers; i++) {
        const struct matcher *matcher = &info->wanted->matchers[i];

        if (!is_name(matcher->name))
            continue;
        if (!matcher_matches(matcher, name))
            return false;
        said = said || matcher->type == MATCHER_EQUAL || matcher->type == MATCHER_REGEX;
    }
    return said || is_called_info(name);
}

/* A base series that is itself one of the info metrics. */
static bool is_info(const struct info *info, const struct column *column)
{
    const char *name = column_label(column, LABEL_NAME);

    if (!info->wanted)
        return strcmp(name, "target_info") == 0;
    return count_matchers(info->wanted, true) && is_chosen_name(info, name);
}

/* The instances and the jobs of the base series that are looked at. */
static int find_identities(struct info *info)
{
    int r = 0;

    for (size_t i = 0; !r && i < N_IDENTITY; i++) {
        const struct label_filter filter = {LABELS_ONLY, &identity[i], 1};

        r = groups_init(info->eval, &filter, info->base.n, &info->known[i]);
        for (size_t j = 0; !r && j < info->base.n; j++) {
            const struct column *column = &info->base.columns[j];

            if (!info->passed[j] && column_label(column, identity[i])[0])
                (void)groups_put(&info->known[i], column);
            r = eval_tick(info->eval);
        }
    }
    return r;
}

/* Info series with an instance or job that no base series has do not take part. */
static int keep_identified(struct info *info)
{
    bool any_name = !count_matchers(info->wanted, true);
    size_t kept = 0;
    int r = 0;

    for (size_t i = 0; !r && i < info->infos.n; i++) {
        const struct column *column = &info->infos.columns[i];
        bool known = any_name || is_chosen_name(info, column_label(column, LABEL_NAME));

        for (size_t j = 0; known && j < N_IDENTITY; j++)
            known = info->known[j].n == 0 || groups_find(&info->known[j], column) != SIZE_MAX;
        if (known)
            info->infos.columns[kept++] = *column;
        r = eval_tick(info->eval);
    }
    info->infos.n = kept;
    return r;
}

static int select_infos(struct info *info, const struct promql_expr *call)
{
    static char name[] = LABEL_NAME;
    static char target_info[] = "target_info";
    size_t n = info->wanted ? info->wanted->n_matchers : 0;
    struct matcher *matchers = arena_array(info->eval->arena, n + 1, sizeof(*matchers));

    if (!matchers)
        return eval_out_of_memory(info->eval);
    if (n)
        memcpy(matchers, info->wanted->matchers, n * sizeof(*matchers));
    if (!count_matchers(info->wanted, true))
        matchers[n++] = (struct matcher){MATCHER_EQUAL, name, target_info, NULL};
    if (info->known[0].n == 0 && info->known[1].n == 0)
        return vector_new(info->eval, 0, &info->infos);
    const struct promql_expr expr = {.kind = PROMQL_SELECTOR,
                                     .type = PROMQL_VECTOR,
                                     .start = call->start,
                                     .text = call->text,
                                     .selector = {.matchers = matchers, .n_matchers = n}};
    int r = eval_selector_times(info->eval, &expr, &info->infos);
    return r ? r : keep_identified(info);
}

static int clash(const struct info *info, size_t a, size_t b, size_t step)
{
    STR_AUTO struct str first = STR_INIT(2000);
    STR_AUTO struct str second = STR_INIT(2000);
    long long at_ms = (long long)(info->infos.columns[a].values[step] * 1000 + 0.5);

    labels_print(info->infos.columns[a].labels, &first);
    labels_print(info->infos.columns[b].labels, &second);
    return EVAL_FAILED(info->eval,
                       "found duplicate series for info metric: existing %s @ %lld, new %s @ %lld",
                       str_text(&first), at_ms, str_text(&second), at_ms);
}

static bool any_base(const struct info *info, size_t step)
{
    for (size_t i = 0; i < info->base.n; i++)
        if (!is_hole(info->base.columns[i].values[step]))
            return true;
    return false;
}

/* Puts a sample of an info series in its group's place for the step when it is newer. */
static int offer(const struct info *info, size_t column, size_t step, size_t *place)
{
    double time = info->infos.columns[column].values[step];

    if (is_hole(time))
        return 0;
    if (*place == SIZE_MAX || info->infos.columns[*place].values[step] < time)
        *place = column;
    else if (info->infos.columns[*place].values[step] == time)
        return any_base(info, step) ? clash(info, *place, column, step) : 0;
    return 0;
}

static int group_infos(struct info *info)
{
    static const char *const labels[] = {LABEL_NAME, "instance", "job"};
    static const struct label_filter by_all = {LABELS_ONLY, labels, N_IDENTITY + 1};
    static const struct label_filter by_name = {LABELS_ONLY, labels, 1};
    struct eval *eval = info->eval;
    struct groups names;
    size_t n = info->infos.n;
    size_t steps = eval->grid.n;
    int r = groups_init(eval, &by_all, n, &info->groups);

    if (!r)
        r = groups_init(eval, &by_name, n, &names);
    info->newest = arena_array(eval->arena, (n + 1) * steps, sizeof(*info->newest));
    info->names = arena_array(eval->arena, n + 1, sizeof(*info->names));
    if (r || !info->newest || !info->names)
        return r ? r : eval_out_of_memory(eval);
    for (size_t i = 0; i < (n + 1) * steps; i++)
        info->newest[i] = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        const struct column *column = &info->infos.columns[i];
        size_t group = groups_put(&info->groups, column);

        if (groups_put(&names, column) == info->n_names)
            info->names[info->n_names++] = column_label(column, LABEL_NAME);
        for (size_t step = 0; !r && step < steps; step++)
            r = offer(info, i, step, &info->newest[group * steps + step]);
        if (!r)
            r = eval_tick(eval);
        if (r)
            return r;
    }
    return 0;
}

/* --- Joining ------------------------------------------------------------------------------ */

/* The groups of info series of a base series, by info metric; SIZE_MAX: none. */
static int find_groups(const struct info *info, const struct column *base, size_t *groups)
{
    for (size_t i = 0; i < info->n_names; i++) {
        const struct label pairs[] = {{identity[0], column_label(base, identity[0])},
                                      {identity[1], column_label(base, identity[1])},
                                      {LABEL_NAME, info->names[i]}};
        const struct column like = {
            .labels = labels_in_arena(info->eval->arena, pairs, N_IDENTITY + 1)};

        if (!like.labels)
            return eval_out_of_memory(info->eval);
        groups[i] = groups_find(&info->groups, &like);
    }
    return 0;
}

static bool is_wanted(const struct info *info, const char *name)
{
    if (is_name(name))
        return false;
    if (!count_matchers(info->wanted, false))
        return true;
    for (size_t i = 0; i < info->wanted->n_matchers; i++)
        if (strcmp(info->wanted->matchers[i].name, name) == 0)
            return true;
    return false;
}

/* Adds the labels of one info series to those taken so far. */
static int take_labels(const struct info *info,
                       const struct column *base,
                       const struct column *from,
                       struct label *taken,
                       size_t *n_taken)
{
    for (uint32_t i = 0; i < from->labels->n; i++) {
        const struct label *label = &from->labels->at[i];
        size_t j = 0;

        if (!is_wanted(info, label->name))
            continue;
        while (j < *n_taken && strcmp(taken[j].name, label->name) != 0)
            j++;
        if (j < *n_taken && strcmp(taken[j].value, label->value) != 0)
            return EVAL_FAILED(info->eval, "conflicting label: %s", label->name);
        if (j == *n_taken && !column_label(base, label->name)[0])
            taken[(*n_taken)++] = *label;
    }
    return 0;
}

/* Without any info a series stays when no matcher insists on a label. */
static bool may_stay_bare(const struct info *info)
{
    for (size_t i = 0; info->wanted && i < info->wanted->n_matchers; i++)
        if (!is_name(info->wanted->matchers[i].name) &&
            !matcher_matches(&info->wanted->matchers[i], ""))
            return false;
    return true;
}

static int add_column(struct info *info, const struct column *like, double **ret_values)
{
    if (info->out.n == info->out_capacity) {
        struct value larger;
        int r = vector_new(info->eval, 2 * info->out_capacity + 8, &larger);

        if (r)
            return r;
        if (info->out.n)
            memcpy(larger.columns, info->out.columns, info->out.n * sizeof(*larger.columns));
        info->out_capacity = 2 * info->out_capacity + 8;
        info->out.columns = larger.columns;
    }
    *ret_values = vector_add(info->eval, &info->out, like->labels, like->nameless);
    return *ret_values ? 0 : eval_out_of_memory(info->eval);
}

/* The column for a base series with these info series; none: NULL, or the series bare. */
static int column_for(struct info *info,
                      const struct column *base,
                      const size_t *chosen,
                      double **ret_values)
{
    struct eval *eval = info->eval;
    struct column made = *base;
    size_t n_chosen = 0;
    size_t n_labels = 0;
    size_t n_taken = 0;
    int r = 0;

    for (size_t i = 0; i < info->n_names; i++)
        n_labels += chosen[i] == SIZE_MAX ? 0 : info->infos.columns[chosen[i]].labels->n;
    struct label *taken = arena_array(eval->arena, n_labels + 1, sizeof(*taken));
    if (!taken)
        return eval_out_of_memory(eval);
    for (size_t i = 0; !r && i < info->n_names; i++) {
        if (chosen[i] == SIZE_MAX)
            continue;
        n_chosen++;
        r = take_labels(info, base, &info->infos.columns[chosen[i]], taken, &n_taken);
    }
    *ret_values = NULL;
    if (r || (!n_chosen && !may_stay_bare(info)))
        return r;
    if (n_taken) {
        made.labels = column_relabel(eval, base, taken, n_taken);
        made.nameless = false;
    }
    return made.labels ? add_column(info, &made, ret_values) : eval_out_of_memory(eval);
}

/* A base series over the steps: another column whenever its info series are others. */
static int join_series(struct info *info, const struct column *base)
{
    struct eval *eval = info->eval;
    size_t n = info->n_names;
    size_t *groups = arena_array(eval->arena, n + 1, sizeof(*groups));
    size_t *chosen = arena_array(eval->arena, n + 1, sizeof(*chosen));
    size_t *before = arena_array(eval->arena, n + 1, sizeof(*before));
    double *values = NULL;
    bool first = true;

    if (!groups || !chosen || !before)
        return eval_out_of_memory(eval);
    int r = find_groups(info, base, groups);
    for (size_t step = 0; !r && step < eval->grid.n; step++) {
        if (is_hole(base->values[step]))
            continue;
        for (size_t i = 0; i < n; i++)
            chosen[i] = groups[i] == SIZE_MAX ? SIZE_MAX
                                              : info->newest[groups[i] * eval->grid.n + step];
        if (first || memcmp(chosen, before, n * sizeof(*chosen)) != 0)
            r = column_for(info, base, chosen, &values);
        if (!r && values)
            values[step] = base->values[step];
        memcpy(before, chosen, n * sizeof(*chosen));
        first = false;
    }
    return r ? r : eval_tick(eval);
}

static int join_all(struct info *info)
{
    int r = 0;

    for (size_t i = 0; !r && i < info->base.n; i++) {
        const struct column *base = &info->base.columns[i];
        double *values = NULL;

        if (!info->passed[i]) {
            r = join_series(info, base);
            continue;
        }
        r = add_column(info, base, &values);
        if (!r)
            memcpy(values, base->values, info->eval->grid.n * sizeof(*values));
    }
    return r;
}

int eval_info(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    struct info info = {.eval = eval};
    int r = eval_vector_arg(eval, call, 0, &info.base);

    if (r)
        return r;
    if (call->call.n_args > 1)
        info.wanted = &expr_unwrap(call->call.args[1])->selector;
    info.passed = arena_array(eval->arena, info.base.n + 1, sizeof(*info.passed));
    if (!info.passed)
        return eval_out_of_memory(eval);
    for (size_t i = 0; i < info.base.n; i++)
        info.passed[i] = is_info(&info, &info.base.columns[i]);
    r = find_identities(&info);
    if (!r)
        r = select_infos(&info, call);
    if (!r)
        r = group_infos(&info);
    if (!r)
        r = vector_new(eval, 0, &info.out);
    if (!r)
        r = join_all(&info);
    if (!r)
        r = vector_merge(eval, &info.out, false);
    if (r)
        return r;
    info.out.one_name = info.base.one_name;
    *ret_value = info.out;
    return 0;
}
