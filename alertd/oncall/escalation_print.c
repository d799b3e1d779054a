/*
 * What escalations do, as data beside the words of their events. See escalation.h.
 */

#include "alertd/oncall/escalation.h"
#include "lib/base/bug.h"
#include "lib/json/write.h"

static const char *move_name(enum escalation_move_kind kind)
{
    switch (kind) {
    case ESCALATION_PAGE: return "page";
    case ESCALATION_NOBODY: return "nobody";
    case ESCALATION_FALLBACK: return "fallback";
    case ESCALATION_RAN_OUT: return "ran out";
    case ESCALATION_CONTINUED: return "continued";
    }
    UNREACHABLE("escalation_move_kind out of range");
}

static const char *deed_name(enum escalation_event_kind kind)
{
    switch (kind) {
    case ESCALATION_ACKNOWLEDGE: return "acknowledge";
    case ESCALATION_SNOOZE: return "snooze";
    case ESCALATION_TAKE_OVER: return "take over";
    case ESCALATION_RESOLVE: return "resolve";
    case ESCALATION_ESCALATE: return "escalate";
    }
    UNREACHABLE("escalation_event_kind out of range");
}

static const char *target_name(enum target_kind kind)
{
    switch (kind) {
    case TARGET_PERSON: return "person";
    case TARGET_SCHEDULE: return "schedule";
    case TARGET_RECEIVER: return "receiver";
    }
    UNREACHABLE("target_kind out of range");
}

static bool is_of_a_step(const struct escalation_move *move)
{
    return move->kind == ESCALATION_PAGE || move->kind == ESCALATION_NOBODY;
}

void escalation_move_print(const struct escalation_move *move, const char *policy, struct str *out)
{
    struct json_out json = JSON_OUT(out);

    json_open(&json, '{');
    json_kv_string(&json, "policy", policy);
    json_kv_string(&json, "move", move_name(move->kind));
    if (is_of_a_step(move)) {
        json_kv_int(&json, "step", (int64_t)move->step + 1);
        json_kv_int(&json, "round", (int64_t)move->round + 1);
    }
    json_key(&json, "targets");
    json_open(&json, '[');
    for (size_t i = 0; i < move->n_pages; i++) {
        const struct escalation_page *page = &move->pages[i];

        json_open(&json, '{');
        json_kv_string(&json, "kind", target_name(page->via));
        json_kv_string(&json, "name", page->target);
        if (page->person)
            json_kv_string(&json, "person", page->person);
        if (page->unreached)
            json_kv_string(&json, "unreached", page->unreached);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_close(&json, '}');
}

void escalation_event_print(const struct escalation_event *event,
                            const char *policy,
                            struct str *out)
{
    struct json_out json = JSON_OUT(out);

    json_open(&json, '{');
    json_kv_string(&json, "policy", policy);
    json_kv_string(&json, "deed", deed_name(event->kind));
    if (event->kind == ESCALATION_SNOOZE)
        json_kv_time(&json, "until", event->until_ms);
    json_close(&json, '}');
}

void escalation_policy_print(const char *policy, struct str *out)
{
    struct json_out json = JSON_OUT(out);

    json_open(&json, '{');
    json_kv_string(&json, "policy", policy);
    json_close(&json, '}');
}
