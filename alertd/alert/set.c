/*
 * All alerts of one rule. See set.h.
 *
 * The result is sorted as the set is, and the two are merged like playing cards: what is
 * in both goes on, what is only in the result begins, what is only in the set is over.
 */

#include "alertd/alert/set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/model/sample.h"

static int compare_labels(const struct labels *a, const struct labels *b)
{
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return labels_compare(a, b);
}

static int compare_inputs(const void *a, const void *b)
{
    const struct alert_input *left = a, *right = b;

    return compare_labels(left->labels, right->labels);
}

static struct alert_input *sorted_inputs(const struct alert_input *inputs, size_t n)
{
    struct alert_input *sorted = mem_alloc((n + 1) * sizeof(*sorted));

    if (n)
        memcpy(sorted, inputs, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), compare_inputs);
    return sorted;
}

static int check_unique(const struct alert_input *sorted, size_t n, struct err *reterr)
{
    for (size_t i = 1; i < n; i++) {
        STR_AUTO struct str text = STR_INIT(200);

        if (compare_inputs(&sorted[i - 1], &sorted[i]) != 0)
            continue;
        labels_print(sorted[i].labels, &text);
        return err_set(reterr, ALERT_SET_E_DUPLICATE,
                       "two elements of the result have the same labels once the rule's are "
                       "applied: %s",
                       str_text(&text));
    }
    return 0;
}

static void push(struct alert_set *set, const struct alert_entry *entry)
{
    set->at = mem_grow(set->at, &set->capacity, set->n + 1, sizeof(*set->at));
    set->at[set->n] = *entry;
    labels_ref(entry->labels);
    labels_ref(entry->annotations);
    set->n++;
}

static int64_t or_zero(int64_t at_ms)
{
    return at_ms == ALERT_NEVER ? 0 : at_ms;
}

struct events {
    struct alert_event *at;
    size_t n, capacity;
};

static void add_event(struct events *events,
                      enum alert_event_kind kind,
                      const struct alert_rule *rule,
                      const struct alert_entry *entry,
                      int64_t now_ms)
{
    events->at = mem_grow(events->at, &events->capacity, events->n + 1, sizeof(*events->at));
    events->at[events->n++] = (struct alert_event){
        .kind = kind,
        .at_ms = now_ms,
        .rule_id = rule->id,
        .rule_name = rule->name,
        .group_name = rule->group_name,
        .expr = rule->expr,
        .for_ms = rule->timing.for_ms,
        .keep_firing_for_ms = rule->timing.keep_firing_for_ms,
        .fingerprint = entry->labels->hash,
        .labels = labels_ref(entry->labels),
        .annotations = labels_ref(entry->annotations),
        .active_at_ms = or_zero(entry->alert.active_at_ms),
        .fired_at_ms = or_zero(entry->alert.fired_at_ms),
        .resolved_at_ms = or_zero(entry->alert.resolved_at_ms),
        .value = entry->value,
    };
}

/* What the step from `before` to `after` is called. */
static void tell(struct events *events,
                 const struct alert_rule *rule,
                 const struct alert_entry *before,
                 const struct alert_entry *after,
                 int64_t now_ms)
{
    enum alert_state was = before->alert.state, is = after->alert.state;

    if (was == is)
        return;
    if (was == ALERT_PENDING && is == ALERT_INACTIVE)
        add_event(events, ALERT_EVENT_CLEARED, rule, before, now_ms);
    if (was == ALERT_FIRING && is == ALERT_INACTIVE)
        add_event(events, ALERT_EVENT_RESOLVED, rule, after, now_ms);
    if (was == ALERT_FIRING && is == ALERT_PENDING) { /* it is no longer called firing */
        struct alert_entry over = *before;

        over.alert.resolved_at_ms = now_ms;
        add_event(events, ALERT_EVENT_RESOLVED, rule, &over, now_ms);
    }
    if (is == ALERT_PENDING)
        add_event(events, ALERT_EVENT_PENDING, rule, after, now_ms);
    if (is == ALERT_FIRING)
        add_event(events, ALERT_EVENT_FIRING, rule, after, now_ms);
}

struct step {
    const struct alert_step_options *options;
    struct alert_set after;
    struct events events;
};

static void step_entry(struct step *step,
                       const struct alert_entry *before,
                       enum alert_seen seen,
                       const struct alert_input *input)
{
    const struct alert_step_options *options = step->options;
    struct alert_entry after = *before;

    if (input) {
        after.annotations = input->annotations;
        after.value = input->value;
    }
    (void)alert_step(&after.alert, &options->rule->timing, seen, options->now_ms);
    tell(&step->events, options->rule, before, &after, options->now_ms);
    if (!alert_is_forgotten(&after.alert, options->now_ms))
        push(&step->after, &after);
}

static void step_missing(struct step *step, const struct alert_entry *before)
{
    const struct alert_step_options *options = step->options;
    bool ask = options->has_data && options->rule->timing.no_data_hold_ms > 0 &&
               before->alert.state != ALERT_INACTIVE;
    bool has_data = !ask || options->has_data(options->arg, before->labels);

    step_entry(step, before, has_data ? ALERT_SEEN_FALSE : ALERT_SEEN_NO_DATA, NULL);
}

static void merge(struct step *step,
                  const struct alert_set *before,
                  const struct alert_input *sorted,
                  size_t n)
{
    size_t b = 0;

    for (size_t i = 0; i < n; i++) {
        while (b < before->n && compare_labels(before->at[b].labels, sorted[i].labels) < 0)
            step_missing(step, &before->at[b++]);
        if (b < before->n && compare_labels(before->at[b].labels, sorted[i].labels) == 0) {
            step_entry(step, &before->at[b++], ALERT_SEEN_TRUE, &sorted[i]);
        } else {
            struct alert_entry fresh = {
                .alert = ALERT_INIT,
                .labels = sorted[i].labels,
                .annotations = sorted[i].annotations,
            };
            step_entry(step, &fresh, ALERT_SEEN_TRUE, &sorted[i]);
        }
    }
    while (b < before->n)
        step_missing(step, &before->at[b++]);
}

int alert_set_step(const struct alert_set *before,
                   const struct alert_input *inputs,
                   size_t n_inputs,
                   const struct alert_step_options *options,
                   struct alert_outcome *ret_outcome,
                   struct err *reterr)
{
    MEM_AUTO struct alert_input *sorted = sorted_inputs(inputs, n_inputs);
    struct step step = {.options = options};
    int r = check_unique(sorted, n_inputs, reterr);

    if (r)
        return r;
    merge(&step, before, sorted, n_inputs);

    struct alert_outcome outcome = {step.after, step.events.at, step.events.n};
    size_t active = alert_set_count(&outcome.after, ALERT_PENDING) +
                    alert_set_count(&outcome.after, ALERT_FIRING);
    if (options->rule->limit && active > options->rule->limit) {
        alert_outcome_done(&outcome);
        return err_set(reterr, ALERT_SET_E_LIMIT, "exceeded limit of %zu with %zu alerts",
                       options->rule->limit, active);
    }
    *ret_outcome = outcome;
    return 0;
}

void alert_outcome_done(struct alert_outcome *outcome)
{
    alert_set_done(&outcome->after);
    for (size_t i = 0; i < outcome->n_events; i++) {
        labels_unref(outcome->events[i].labels);
        labels_unref(outcome->events[i].annotations);
    }
    free(outcome->events);
    *outcome = (struct alert_outcome){0};
}

/* The index of the first entry not below `labels`. */
static size_t lower_bound(const struct alert_set *set, const struct labels *labels)
{
    size_t low = 0, high = set->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_labels(set->at[middle].labels, labels) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct alert_entry *alert_set_find(const struct alert_set *set, const struct labels *labels)
{
    size_t i = lower_bound(set, labels);

    return i < set->n && labels_equal(set->at[i].labels, labels) ? &set->at[i] : NULL;
}

void alert_set_add(struct alert_set *set, const struct alert_entry *entry)
{
    size_t i = lower_bound(set, entry->labels);

    if (i < set->n && labels_equal(set->at[i].labels, entry->labels)) {
        const struct alert_entry old = set->at[i];

        set->at[i] = *entry;
        labels_ref(entry->labels);
        labels_ref(entry->annotations);
        labels_unref(old.labels);
        labels_unref(old.annotations);
        return;
    }
    push(set, entry);
    memmove(&set->at[i + 1], &set->at[i], (set->n - 1 - i) * sizeof(*set->at));
    set->at[i] = *entry;
}

size_t alert_set_count(const struct alert_set *set, enum alert_state state)
{
    size_t n = 0;

    for (size_t i = 0; i < set->n; i++)
        n += set->at[i].alert.state == state;
    return n;
}

void alert_set_done(struct alert_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        labels_unref(set->at[i].labels);
        labels_unref(set->at[i].annotations);
    }
    free(set->at);
    *set = (struct alert_set){0};
}

bool alert_entry_equal(const struct alert_entry *a, const struct alert_entry *b)
{
    return a->alert.state == b->alert.state && a->alert.active_at_ms == b->alert.active_at_ms &&
           a->alert.fired_at_ms == b->alert.fired_at_ms &&
           a->alert.keep_firing_since_ms == b->alert.keep_firing_since_ms &&
           a->alert.no_data_since_ms == b->alert.no_data_since_ms &&
           a->alert.resolved_at_ms == b->alert.resolved_at_ms &&
           sample_bits(a->value) == sample_bits(b->value) && labels_equal(a->labels, b->labels) &&
           labels_equal(a->annotations, b->annotations);
}
