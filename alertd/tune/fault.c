/*
 * Faults put into copies of samples. See fault.h.
 */

#include "alertd/tune/fault.h"

#include <math.h>
#include <string.h>

#include "alertd/tune/input.h"

enum {
    BEFORE_MS = 10 * 60000, /* as far back the value before a fault is looked for */
};

static const char *const names[FAULT_KINDS] = {"set",    "add",  "scale", "ramp", "spike",
                                               "freeze", "drop", "gap",   "reset"};

const char *fault_kind_name(enum fault_kind kind)
{
    return names[kind];
}

bool fault_kind_is_sized(enum fault_kind kind)
{
    return kind <= FAULT_SPIKE;
}

bool fault_kind_find(const char *name, enum fault_kind *ret_kind)
{
    for (int i = 0; i < FAULT_KINDS; i++)
        if (strcmp(names[i], name) == 0) {
            *ret_kind = (enum fault_kind)i;
            return true;
        }
    return false;
}

/* --- a series on its way --- */

struct path {
    const struct fault *fault;
    double before; /* the last value before the fault; NaN: none */
    double added;  /* a counter's, by the end */
    bool is_begun; /* a sample within was there */
};

enum fate {
    FATE_STAYS,
    FATE_ENDS, /* becomes the staleness marker */
    FATE_GOES,
};

static double ramp_at(const struct fault *fault, int64_t at_ms)
{
    double whole = (double)(fault->end_ms - fault->begin_ms);

    return fault->magnitude * ((double)(at_ms - fault->begin_ms) / whole);
}

/* A counter goes up by so many times as much. */
static void scale(struct path *path, double *value)
{
    const struct fault *fault = path->fault;

    if (!fault->persists) {
        *value *= fault->magnitude;
        return;
    }
    if (isnan(path->before))
        path->before = *value;
    path->added = *value > path->before ? (fault->magnitude - 1) * (*value - path->before) : 0;
    *value += path->added;
}

static enum fate within(struct path *path, int64_t at_ms, double *value)
{
    const struct fault *fault = path->fault;
    bool is_first = !path->is_begun;

    path->is_begun = true;
    switch (fault->kind) {
    case FAULT_SET: *value = fault->magnitude; break;
    case FAULT_ADD: *value += fault->magnitude; break;
    case FAULT_SCALE: scale(path, value); break;
    case FAULT_RAMP: *value += ramp_at(fault, at_ms); break;
    case FAULT_SPIKE: *value += is_first ? fault->magnitude : 0; break;
    case FAULT_FREEZE: *value = isnan(path->before) ? *value : path->before; break;
    case FAULT_DROP: return is_first ? FATE_ENDS : FATE_GOES;
    case FAULT_GAP: return FATE_GOES;
    case FAULT_RESET: *value -= isnan(path->before) ? 0 : path->before; break;
    }
    return FATE_STAYS;
}

static enum fate pass(struct path *path, int64_t at_ms, double *value)
{
    const struct fault *fault = path->fault;

    if (sample_is_stale(*value))
        return FATE_STAYS;
    if (at_ms < fault->begin_ms) {
        path->before = *value;
        return FATE_STAYS;
    }
    if (at_ms < fault->end_ms)
        return within(path, at_ms, value);
    if (fault->kind == FAULT_RESET && !isnan(path->before))
        *value -= path->before;
    else if (fault->persists && (fault->kind == FAULT_ADD || fault->kind == FAULT_RAMP))
        *value += fault->magnitude;
    else if (fault->persists && fault->kind == FAULT_SCALE)
        *value += path->added;
    return FATE_STAYS;
}

void fault_values(const struct fault *fault, double *values, size_t n)
{
    struct path path = {fault, NAN, 0, false};

    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i]) && pass(&path, (int64_t)i, &values[i]) != FATE_STAYS)
            values[i] = NAN;
}

/* --- a source --- */

static bool is_of(const struct fault *fault, const struct labels *labels)
{
    for (size_t i = 0; i < fault->n_matchers; i++) {
        const char *value = labels_get(labels, fault->matchers[i].name);
        if (!matcher_matches(&fault->matchers[i], value ? value : ""))
            return false;
    }
    return input_is_like(labels, fault->like);
}

static bool touches(const struct fault *fault,
                    const struct source_query *query,
                    const struct labels *labels)
{
    bool stays = fault->persists || fault->kind == FAULT_RESET;

    return query->to_ms >= fault->begin_ms && (stays || query->from_ms < fault->end_ms) &&
           is_of(fault, labels);
}

/* What a fault does may depend on the value before it. */
static void widen(struct source_query *query, const struct fault *fault)
{
    if (fault->begin_ms - BEFORE_MS < query->from_ms)
        query->from_ms = fault->begin_ms - BEFORE_MS;
}

static int select_faulty(void *self,
                         const struct source_query *query,
                         struct arena *arena,
                         struct source_selection *ret_selection,
                         struct err *reterr)
{
    const struct fault_source *faulty = self;
    struct source_query wider = *query;

    for (size_t i = 0; i < faulty->n; i++)
        if (faulty->faults[i].begin_ms <= query->to_ms)
            widen(&wider, &faulty->faults[i]);
    wider.newest_only = query->newest_only && faulty->n == 0;
    return faulty->of->select(faulty->of->self, &wider, arena, ret_selection, reterr);
}

/* The columns in room that may be written. */
static int own_columns(struct source_columns *columns, struct arena *arena, struct err *reterr)
{
    const int64_t *t_ms = columns->t_ms;
    const double *values = columns->values;
    size_t n = columns->n;

    if (n == 0 || (t_ms == columns->t_room && values == columns->value_room))
        return 0;
    bool is_within = columns->t_room && t_ms > columns->t_room &&
                     t_ms < columns->t_room + columns->capacity;
    if (!is_within && !source_columns_reserve(columns, arena, n))
        return err_set(reterr, SOURCE_E_LIMIT, "no memory for %zu samples with a fault", n);
    memmove(columns->t_room, t_ms, n * sizeof(*t_ms));
    memmove(columns->value_room, values, n * sizeof(*values));
    columns->t_ms = columns->t_room;
    columns->values = columns->value_room;
    return 0;
}

static void put(const struct fault *fault, struct source_columns *columns)
{
    struct path path = {fault, NAN, 0, false};
    size_t n = 0;

    for (size_t i = 0; i < columns->n; i++) {
        int64_t at_ms = columns->t_room[i];
        double value = columns->value_room[i];
        enum fate fate = pass(&path, at_ms, &value);
        if (fate == FATE_GOES)
            continue;
        columns->t_room[n] = at_ms;
        columns->value_room[n++] = fate == FATE_ENDS ? sample_stale() : value;
    }
    columns->n = n;
}

static void cut(struct source_columns *columns, int64_t from_ms)
{
    size_t first = 0;

    while (first < columns->n && columns->t_ms[first] < from_ms)
        first++;
    columns->t_ms += first;
    columns->values += first;
    columns->n -= first;
}

static int read_faulty(void *self,
                       const struct source_query *query,
                       const struct source_match *match,
                       struct arena *arena,
                       struct source_columns *columns,
                       struct err *reterr)
{
    const struct fault_source *faulty = self;
    struct source_query wider = *query;
    bool is_touched = false;

    for (size_t i = 0; i < faulty->n; i++) {
        const struct fault *fault = &faulty->faults[i];
        if (!touches(fault, query, match->labels))
            continue;
        is_touched = true;
        widen(&wider, fault);
    }
    wider.newest_only = query->newest_only && !is_touched;
    wider.regular = query->regular && !is_touched;
    int r = faulty->of->read(faulty->of->self, &wider, match, arena, columns, reterr);
    if (r != 0 || !is_touched || columns->kind != SAMPLE_FLOAT)
        return r;
    r = own_columns(columns, arena, reterr);
    for (size_t i = 0; i < faulty->n && r == 0; i++)
        if (touches(&faulty->faults[i], query, match->labels))
            put(&faulty->faults[i], columns);
    if (r == 0)
        cut(columns, query->from_ms);
    return r;
}

struct source fault_source_of(struct fault_source *faulty)
{
    return (struct source){select_faulty, read_faulty, faulty};
}
