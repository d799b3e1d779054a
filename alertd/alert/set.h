#pragma once

/*
 * All alerts of one rule, by their label sets, moved on by one evaluation.
 *
 *   before   {a: firing} {b: pending}            the set as it is committed
 *   result   {a: 3} {c: 1}                       what the expression gave, labelled
 *   after    {a: firing} {c: pending}            a new set; `before` is not touched
 *   events   CLEARED b, PENDING c
 *
 * A step makes a new set instead of changing the old one: the caller stores the change
 * and then swaps, so that when storing fails nothing has happened and the next evaluation
 * decides the same again.
 *
 * Invariants
 *  (1) entries are sorted by (hash of labels, labels); no two have equal labels.
 *  (2) labels and active_at_ms never change during one run of an alert.
 *  (3) value and annotations are those of the last evaluation in which it was true.
 */

#include <stddef.h>
#include <stdint.h>

#include "alertd/alert/event.h"
#include "alertd/alert/state.h"
#include "lib/base/err.h"
#include "lib/model/labels.h"

enum {
    ALERT_SET_E_DUPLICATE = 1, /* two elements of the result have the same labels */
    ALERT_SET_E_LIMIT = 2,     /* more pending and firing alerts than the rule allows */
};

struct alert_entry {
    struct alert alert;
    const struct labels *labels; /* a reference of ours */
    const struct labels *annotations;
    double value;
};

struct alert_set {
    struct alert_entry *at;
    size_t n;
    size_t capacity;
};

/* The rule, as events tell of it. Strings are loans; events point to them. */
struct alert_rule {
    int64_t id;
    const char *name; /* alertname */
    const char *group_name;
    const char *expr;
    struct alert_timing timing;
    size_t limit; /* 0: none */
};

/* One element of the expression's result with its final labels. Loans, but counted ones
 * (labels_new(), not an arena's): the set takes references. */
struct alert_input {
    const struct labels *labels;
    const struct labels *annotations;
    double value;
};

struct alert_step_options {
    const struct alert_rule *rule;
    int64_t now_ms;
    /* Is there data this alert could have come from? NULL: yes. Asked only about alerts
     * that are not in the result and are held without data. */
    bool (*has_data)(void *arg, const struct labels *labels);
    void *arg;
};

struct alert_outcome {
    struct alert_set after;
    struct alert_event *events; /* references of their own to labels and annotations */
    size_t n_events;
};

/* 0, or an ALERT_SET_E_* with words and *ret_outcome untouched. */
int alert_set_step(const struct alert_set *before,
                   const struct alert_input *inputs,
                   size_t n_inputs,
                   const struct alert_step_options *options,
                   struct alert_outcome *ret_outcome,
                   struct err *reterr);
void alert_outcome_done(struct alert_outcome *outcome);

/* NULL when there is none. A loan. */
const struct alert_entry *alert_set_find(const struct alert_set *set, const struct labels *labels);

/* Adds one entry, when a set is read back from storage; takes references. An entry with
 * the same labels is replaced. */
void alert_set_add(struct alert_set *set, const struct alert_entry *entry);
size_t alert_set_count(const struct alert_set *set, enum alert_state state);
void alert_set_done(struct alert_set *set);

/* Whether anything of the two that is stored differs (both not NULL). */
bool alert_entry_equal(const struct alert_entry *a, const struct alert_entry *b);
