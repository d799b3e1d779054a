/*
 * Revisions over events. See record.h.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/incident/record.h"
#include "lib/base/bug.h"
#include "lib/json/read.h"

static const struct {
    const char *name;
    bool of_people; /* only of rows that people wrote, with a reason */
    bool has_value;
} ops[RECORD_OPS] = {
    [RECORD_PIN] = {"pin", false, false},          [RECORD_UNPIN] = {"unpin", false, false},
    [RECORD_HIDE] = {"hide", false, false},        [RECORD_UNHIDE] = {"unhide", false, false},
    [RECORD_ANNOTATE] = {"annotate", false, true}, [RECORD_RETIME] = {"retime", true, true},
    [RECORD_RETEXT] = {"retext", true, true},      [RECORD_RETAG] = {"retag", true, true},
    [RECORD_MERGE] = {"merge", false, true},       [RECORD_UNMERGE] = {"unmerge", false, false},
    [RECORD_RETRACT] = {"retract", true, false},   [RECORD_RESTORE] = {"restore", true, false},
    [RECORD_CONFLICT] = {"conflict", false, true},
};

const char *record_op_name(enum record_op op)
{
    return ops[op].name;
}

enum record_op record_op_parse(const char *name)
{
    unsigned i = 0;

    while (i < RECORD_OPS && strcmp(ops[i].name, name) != 0)
        i++;
    return (enum record_op)i;
}

static bool is_empty(const char *text)
{
    return !text || !text[strspn(text, " \t\r\n")];
}

static int check_value(const struct record_event *row,
                       const struct record_rev *rev,
                       struct err *reterr)
{
    if (rev->op == RECORD_ANNOTATE || rev->op == RECORD_CONFLICT) /* "" takes it away */
        return rev->value ? 0 : err_set(reterr, RECORD_E_REFUSED, "value: expected words");
    if (is_empty(rev->value))
        return err_set(reterr, RECORD_E_REFUSED, "value: %s needs one", ops[rev->op].name);
    if (rev->op == RECORD_RETAG && !timeline_kind_known(rev->value))
        return err_set(reterr, RECORD_E_REFUSED, "value: no kind %.40s", rev->value);
    if (rev->op == RECORD_MERGE && strtoll(rev->value, NULL, 10) == row->event->id)
        return err_set(reterr, RECORD_E_REFUSED, "value: a row cannot be merged into itself");
    return 0;
}

int record_check(const struct record_event *row, const struct record_rev *rev, struct err *reterr)
{
    bool by_machine = strcmp(row->event->event_class, "machine") == 0;

    if (by_machine && ops[rev->op].of_people)
        return err_set(reterr, RECORD_E_REFUSED,
                       "%s: a machine wrote event %" PRId64 "; pin, hide, annotate or merge it",
                       ops[rev->op].name, row->event->id);
    if (ops[rev->op].of_people && is_empty(rev->reason))
        return err_set(reterr, RECORD_E_REFUSED, "reason: %s needs one", ops[rev->op].name);
    return ops[rev->op].has_value ? check_value(row, rev, reterr) : 0;
}

const char *record_old(const struct record_event *row, enum record_op op, char *scratch)
{
    switch (op) {
    case RECORD_PIN:
    case RECORD_UNPIN: return row->pinned ? "pinned" : NULL;
    case RECORD_HIDE:
    case RECORD_UNHIDE: return row->hidden ? "hidden" : NULL;
    case RECORD_RETRACT:
    case RECORD_RESTORE: return row->retracted ? "retracted" : NULL;
    case RECORD_ANNOTATE: return row->note;
    case RECORD_CONFLICT: return row->conflict;
    case RECORD_RETEXT: return row->text;
    case RECORD_RETAG: return row->kind;
    case RECORD_RETIME: (void)snprintf(scratch, 24, "%" PRId64, row->at_ms); return scratch;
    case RECORD_MERGE:
    case RECORD_UNMERGE:
        (void)snprintf(scratch, 24, "%" PRId64, row->merged_into);
        return row->merged_into ? scratch : NULL;
    case RECORD_OPS: break;
    }
    UNREACHABLE("revision");
}

static void apply(struct record_event *row, const struct record_rev *rev)
{
    const char *words = is_empty(rev->value) ? NULL : rev->value;

    row->n_revs++;
    switch (rev->op) {
    case RECORD_PIN: row->pinned = true; break;
    case RECORD_UNPIN: row->pinned = false; break;
    case RECORD_HIDE: row->hidden = true; break;
    case RECORD_UNHIDE: row->hidden = false; break;
    case RECORD_RETRACT: row->retracted = true; break;
    case RECORD_RESTORE: row->retracted = false; break;
    case RECORD_ANNOTATE: row->note = words; break;
    case RECORD_CONFLICT: row->conflict = words; break;
    case RECORD_RETEXT: row->text = words ? words : row->text; break;
    case RECORD_RETAG: row->kind = words ? words : row->kind; break;
    case RECORD_MERGE: row->merged_into = words ? strtoll(words, NULL, 10) : 0; break;
    case RECORD_UNMERGE: row->merged_into = 0; break;
    case RECORD_RETIME:
        row->at_ms = words ? strtoll(words, NULL, 10) : row->at_ms;
        row->precision = rev->precision;
        break;
    case RECORD_OPS: UNREACHABLE("revision");
    }
}

static int by_id(const void *a, const void *b)
{
    const struct record_event *x = *(struct record_event *const *)a;
    const struct record_event *y = *(struct record_event *const *)b;

    return (x->event->id > y->event->id) - (x->event->id < y->event->id);
}

static int by_time(const void *a, const void *b)
{
    const struct record_event *x = a;
    const struct record_event *y = b;

    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return (x->event->id > y->event->id) - (x->event->id < y->event->id);
}

static struct record_event *find(struct record_event **index, size_t n, int64_t id)
{
    size_t from = 0;

    while (from < n) {
        size_t middle = from + (n - from) / 2;

        if (index[middle]->event->id == id)
            return index[middle];
        if (index[middle]->event->id < id)
            from = middle + 1;
        else
            n = middle;
    }
    return NULL;
}

static int64_t about_of(const char *data)
{
    struct json *json = NULL;
    int64_t id = 0;

    if (json_parse(data, strlen(data), &json, NULL) == 0)
        (void)json_get_int(json, "about", &id, NULL);
    json_free(json);
    return id;
}

/* The newest word about a hypothesis counts; words are read in order of the log. */
static void judge_hypotheses(struct record_event **index, size_t n)
{
    static const char family[] = "hypothesis.";

    for (size_t i = 0; i < n; i++) {
        struct record_event *row = index[i];

        if (strcmp(row->kind, "human.hypothesis") == 0)
            row->hypothesis = "open";
        if (strncmp(row->kind, family, strlen(family)) != 0)
            continue;
        row->about = about_of(row->event->data);
        struct record_event *of = find(index, n, row->about);

        if (of && of->hypothesis && !row->retracted)
            of->hypothesis = row->kind + strlen(family);
    }
}

int record_fold(struct arena *arena,
                const struct timeline_event *events,
                size_t n_events,
                const struct record_rev *revs,
                size_t n_revs,
                struct record_event **ret_rows,
                struct err *reterr)
{
    struct record_event *rows = arena_array(arena, n_events + 1, sizeof(*rows));
    struct record_event **index = arena_array(arena, n_events + 1, sizeof(struct record_event *));

    if (!rows || !index)
        return err_set(reterr, RECORD_E_LIMIT, "the timeline is too long to show at once");
    for (size_t i = 0; i < n_events; i++) {
        rows[i] = (struct record_event){
            .event = &events[i],
            .kind = events[i].kind,
            .text = events[i].text,
            .precision = events[i].precision,
            .at_ms = events[i].occurred_at_ms,
        };
        index[i] = &rows[i];
    }
    if (n_events)
        qsort(index, n_events, sizeof(*index), by_id);
    for (size_t i = 0; i < n_revs; i++) {
        struct record_event *row = find(index, n_events, revs[i].event_id);

        if (row)
            apply(row, &revs[i]);
    }
    judge_hypotheses(index, n_events);
    if (n_events)
        qsort(rows, n_events, sizeof(*rows), by_time);
    *ret_rows = rows;
    return 0;
}
