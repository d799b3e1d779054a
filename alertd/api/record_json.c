/*
 * The record as JSON. See record_json.h.
 */

#include "alertd/api/record_json.h"

#include <stdlib.h>
#include <string.h>

enum {
    LATER_MS = 60000, /* written down that long afterwards: a reader is told */
    WORDS_MAX = 200,
};

static void kv_id(struct json_out *out, const char *name, int64_t id)
{
    json_key(out, name);
    if (id)
        json_int(out, id);
    else
        json_null(out);
}

static void kv_raw(struct json_out *out, const char *name, const char *json)
{
    json_key(out, name);
    if (json)
        json_raw(out, json);
    else
        json_null(out);
}

static void kv_recorded(struct json_out *out, const struct record_event *row)
{
    const struct timeline_event *event = row->event;

    json_key(out, "recorded");
    if (row->at_ms == event->occurred_at_ms && row->text == event->text &&
        row->kind == event->kind) {
        json_null(out);
        return;
    }
    json_open(out, '{');
    json_kv_time(out, "occurred_at", event->occurred_at_ms);
    json_kv_string(out, "kind", event->kind);
    json_kv_string(out, "text", event->text);
    json_close(out, '}');
}

void record_json_row(struct json_out *out, const struct record_event *row)
{
    const struct timeline_event *event = row->event;
    bool by_people = strcmp(event->event_class, "human") == 0;

    json_open(out, '{');
    json_kv_int(out, "id", event->id);
    json_kv_string(out, "kind", row->kind);
    json_kv_string(out, "class", event->event_class);
    json_kv_string(out, "level", row->pinned ? "key" : timeline_kind_level(row->kind));
    json_kv_time(out, "occurred_at", row->at_ms);
    json_kv_string(out, "precision", row->precision ? row->precision : "ms");
    json_kv_time(out, "recorded_at", event->recorded_at_ms);
    json_kv_bool(out, "added_later", by_people && event->recorded_at_ms - row->at_ms > LATER_MS);
    json_kv_string(out, "actor", event->actor);
    json_kv_string(out, "source", event->source);
    json_kv_string(out, "text", row->text);
    json_kv_string(out, "scope", event->scope);
    json_kv_string(out, "reference", event->reference);
    kv_raw(out, "evidence", event->evidence);
    kv_raw(out, "data", event->data);
    json_kv_bool(out, "order_only", event->order_only);
    json_kv_bool(out, "pinned", row->pinned);
    json_kv_bool(out, "hidden", row->hidden);
    json_kv_bool(out, "retracted", row->retracted);
    json_kv_string(out, "note", row->note);
    json_kv_string(out, "conflict", row->conflict);
    json_kv_string(out, "hypothesis", row->hypothesis);
    kv_id(out, "about", row->about);
    kv_id(out, "merged_into", row->merged_into);
    json_kv_int(out, "n_revs", row->n_revs);
    kv_recorded(out, row);
    json_close(out, '}');
}

static void kv_value(struct json_out *out, const char *name, enum record_op op, const char *value)
{
    if (op == RECORD_RETIME && value)
        json_kv_time(out, name, strtoll(value, NULL, 10));
    else
        json_kv_string(out, name, value);
}

void record_json_rev(struct json_out *out, const struct record_rev *rev)
{
    json_open(out, '{');
    json_kv_int(out, "id", rev->id);
    json_kv_int(out, "event", rev->event_id);
    json_kv_string(out, "op", record_op_name(rev->op));
    kv_value(out, "old", rev->op, rev->old);
    kv_value(out, "value", rev->op, rev->value);
    json_kv_string(out, "precision", rev->precision);
    json_kv_string(out, "reason", rev->reason);
    json_kv_string(out, "editor", rev->editor);
    json_kv_time(out, "recorded_at", rev->recorded_at_ms);
    json_close(out, '}');
}

static void kv_machine(struct json_out *out, const struct record_mark *mark)
{
    json_key(out, "machine");
    json_open(out, '{');
    json_kv_time(out, "at", mark->machine.at_ms);
    kv_id(out, "event", mark->machine.event_id);
    json_kv_string(out, "rule", mark->rule);
    json_close(out, '}');
}

void record_json_mark(struct json_out *out, const struct record_mark *mark)
{
    const char *why = mark->set ? mark->set->reason : mark->why_not;

    json_open(out, '{');
    json_kv_string(out, "name", record_mark_name(mark->name));
    json_kv_string(out, "scope", mark->scope);
    json_kv_time(out, "at", mark->at_ms);
    json_kv_bool(out, "known", mark->at_ms != 0);
    json_kv_bool(out, "approx", mark->approx);
    json_kv_string(out, "set_by", mark->set ? "person" : "machine");
    json_kv_string(out, "editor", mark->set ? mark->set->editor : NULL);
    json_kv_time(out, "set_at", mark->set ? mark->set->set_at_ms : 0);
    kv_id(out, "event", mark->event_id);
    json_kv_string(out, "source", mark->source);
    json_kv_string(out, "why", mark->at_ms && !mark->set ? mark->rule : why);
    /* what a person set and what the rule reads are both kept; they may disagree */
    json_kv_bool(out, "conflict",
                 mark->set && mark->machine.at_ms && mark->machine.at_ms != mark->at_ms);
    kv_machine(out, mark);
    json_close(out, '}');
}

void record_json_setting(struct json_out *out, const struct record_setting *set)
{
    json_open(out, '{');
    json_kv_int(out, "id", set->id);
    json_kv_string(out, "name", record_mark_name(set->name));
    json_kv_string(out, "scope", set->scope);
    json_kv_string(out, "state", record_mark_state_name(set->state));
    json_kv_time(out, "at", set->at_ms);
    json_kv_string(out, "precision", set->precision ? set->precision : "ms");
    kv_id(out, "event", set->event_id);
    json_kv_string(out, "reason", set->reason);
    json_kv_string(out, "editor", set->editor);
    json_kv_time(out, "set_at", set->set_at_ms);
    json_close(out, '}');
}

void record_json_minutes(struct json_out *out, const char *name, bool known, int64_t ms)
{
    json_key(out, name);
    if (!known)
        json_null(out);
    else if (ms % 60000 == 0)
        json_int(out, ms / 60000);
    else
        json_float(out, (double)ms / 60000);
}

void record_json_metric(struct json_out *out, const struct record_metric *metric)
{
    STR_AUTO struct str words = STR_INIT(WORDS_MAX);

    record_metric_text(metric, &words);
    json_open(out, '{');
    json_kv_string(out, "name", metric->name);
    json_kv_string(out, "title", metric->title);
    json_kv_string(out, "formula", metric->formula);
    json_kv_bool(out, "known", metric->known);
    json_kv_bool(out, "approx", metric->approx);
    json_key(out, "ms");
    if (metric->known)
        json_int(out, metric->ms);
    else
        json_null(out);
    record_json_minutes(out, "minutes", metric->known, metric->ms);
    json_kv_string(out, "text", str_text(&words));
    json_close(out, '}');
}
