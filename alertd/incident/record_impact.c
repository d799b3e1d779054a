/*
 * What was hurt, from when to when: a scope each. Without a word about impact, the alerts'
 * conditions are all that is known. See record.h.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/incident/record_private.h"

static const char *const starts[] = {"impact.start", NULL};
static const char *const ends[] = {"impact.end", NULL};

static const char *scope_of(const struct record_event *row)
{
    return row->event->scope && *row->event->scope ? row->event->scope : RECORD_SCOPE;
}

static bool is_impact(enum record_mark_name name)
{
    return name == RECORD_IMPACT_START || name == RECORD_IMPACT_END;
}

static void add_scope(struct record *record, const char *scope)
{
    for (size_t i = 0; i < record->n_impacts; i++)
        if (strcmp(record->impacts[i].scope, scope) == 0)
            return;
    record->impacts[record->n_impacts++].scope = scope;
}

/* The first breach of an alert's condition. */
static void read_breach(const struct record_input *input, struct record_reading *reading)
{
    for (size_t i = 0; i < input->n_alerts; i++) {
        const struct incident_alert *alert = &input->alerts[i];

        if (alert->active_at_ms && (!reading->at_ms || alert->active_at_ms < reading->at_ms))
            *reading = (struct record_reading){.at_ms = alert->active_at_ms, .source = alert->name};
    }
}

/* The last alert's end, while none fires. */
static void read_calm(const struct record_input *input, struct record_reading *reading)
{
    struct record_reading calm = {0};

    for (size_t i = 0; i < input->n_alerts; i++) {
        const struct incident_alert *alert = &input->alerts[i];

        if (alert->firing || !alert->resolved_at_ms)
            return;
        if (alert->resolved_at_ms > calm.at_ms)
            calm = (struct record_reading){.at_ms = alert->resolved_at_ms, .source = alert->name};
    }
    *reading = calm;
}

void record_read_impact_start(const struct record_input *input, struct record_reading *reading)
{
    struct record_reading breach = {0};

    for (size_t i = 0; !reading->at_ms && i < input->n_rows; i++)
        if (record_is(&input->rows[i], starts))
            record_read_row(reading, &input->rows[i]);
    read_breach(input, &breach);
    if (breach.at_ms && (!reading->at_ms || breach.at_ms < reading->at_ms))
        *reading = breach;
}

/* The first start and the last end of a scope; an end before a later start is none. */
static void read_scope(const struct record_input *input, struct record_impact *impact)
{
    int64_t last_start_ms = 0;

    for (size_t i = 0; i < input->n_rows; i++) {
        const struct record_event *row = &input->rows[i];
        bool is_start = record_is(row, starts);

        if ((!is_start && !record_is(row, ends)) || strcmp(scope_of(row), impact->scope) != 0)
            continue;
        if (!is_start) {
            record_read_row(&impact->end.machine, row);
            continue;
        }
        last_start_ms = row->at_ms;
        if (!impact->start.machine.at_ms)
            record_read_row(&impact->start.machine, row);
    }
    if (impact->end.machine.at_ms < last_start_ms)
        impact->end.machine = (struct record_reading){0};
}

static int by_start(const void *a, const void *b)
{
    const struct record_impact *x = a;
    const struct record_impact *y = b;

    if (x->start.at_ms != y->start.at_ms)
        return x->start.at_ms < y->start.at_ms ? -1 : 1;
    return strcmp(x->scope, y->scope);
}

static void read_impact(const struct record_input *input,
                        struct record_impact *impact,
                        bool is_told)
{
    impact->start.name = RECORD_IMPACT_START;
    impact->start.rule = is_told ? "first start of this scope that was recorded"
                                 : "first evaluation at which an alert's condition held";
    impact->start.why_not = "no start of this scope was recorded";
    impact->end.name = RECORD_IMPACT_END;
    impact->end.rule = is_told ? "last end of this scope that was recorded"
                               : "when the last alert's condition was over";
    impact->end.why_not = "no end of this scope was recorded";
    impact->start.scope = impact->end.scope = impact->scope;
    read_scope(input, impact);
    if (!is_told) {
        read_breach(input, &impact->start.machine);
        read_calm(input, &impact->end.machine);
    }
    record_settle(input, &impact->start);
    record_settle(input, &impact->end);
}

int record_read_impacts(struct arena *arena,
                        const struct record_input *input,
                        struct record *record,
                        struct err *reterr)
{
    size_t n = 1;

    for (size_t i = 0; i < input->n_rows; i++)
        n += record_is(&input->rows[i], starts);
    record->impacts = arena_array(arena, n + input->n_settings, sizeof(*record->impacts));
    if (!record->impacts)
        return err_set(reterr, RECORD_E_LIMIT, "the incident has too many impacts");
    for (size_t i = 0; i < input->n_rows; i++)
        if (record_is(&input->rows[i], starts))
            add_scope(record, scope_of(&input->rows[i]));
    for (size_t i = 0; i < input->n_settings; i++)
        if (input->settings[i].scope[0] && is_impact(input->settings[i].name))
            add_scope(record, input->settings[i].scope);

    bool is_told = record->n_impacts > 0;

    if (!is_told && input->n_alerts)
        add_scope(record, RECORD_SCOPE);
    for (size_t i = 0; i < record->n_impacts; i++)
        read_impact(input, &record->impacts[i], is_told);
    if (record->n_impacts)
        qsort(record->impacts, record->n_impacts, sizeof(*record->impacts), by_start);
    return 0;
}
