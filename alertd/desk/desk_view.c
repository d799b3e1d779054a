/*
 * What there is in a drill at this instant, as JSON. What only a game master may see, or
 * anybody when it is over, is left out for who plays.
 */

#include <string.h>

#include "alertd/alert/set.h"
#include "alertd/desk/private.h"

enum {
    WORDS_BYTES_MAX = 64 * 1024,
};

bool desk_sees_all(const struct json *request)
{
    bool all = false;

    return json_has(request, "all") && json_get_bool(request, "all", &all, NULL) == 0 && all;
}

void desk_labels(struct json_out *out, const char *name, const struct labels *labels)
{
    json_key(out, name);
    json_open(out, '{');
    for (uint32_t i = 0; i < labels->n; i++)
        json_kv_string(out, labels->at[i].name, labels->at[i].value);
    json_close(out, '}');
}

static void kv_ms(struct json_out *out, const char *name, int64_t at_ms)
{
    json_key(out, name);
    if (at_ms == DRILL_NOT_YET)
        json_null(out);
    else
        json_int(out, at_ms);
}

/* --- Moments --------------------------------------------------------------------------------------- */

/* Whether an act was any good is for the end, but for what everybody would see at once. */
static bool shows_verdict(const struct drill_moment *moment)
{
    if (moment->kind == DRILL_MOMENT_HINT)
        return true;
    if (moment->kind != DRILL_MOMENT_ACT)
        return false;
    return moment->act == DRILL_ACT_ACK || moment->act == DRILL_ACT_HINT ||
           (moment->act == DRILL_ACT_DO && moment->verdict == DRILL_GOOD);
}

/* Of a hypothesis or an action, who is what it was recognised as. */
static const char *who_of(const struct drill_moment *moment, bool shown)
{
    bool is_idea = moment->kind == DRILL_MOMENT_ACT &&
                   (moment->act == DRILL_ACT_HYPOTHESIS || moment->act == DRILL_ACT_DO);

    return is_idea && !shown ? NULL : moment->who;
}

static const char *worth_name(const struct drill_moment *moment)
{
    if (moment->verdict != DRILL_GOOD && moment->verdict != DRILL_BAD)
        return NULL;
    switch (moment->worth) {
    case DRILL_WORTH_RIGHT: return moment->act == DRILL_ACT_DO ? "mends" : "right";
    case DRILL_WORTH_WRONG: return "wrong";
    case DRILL_WORTH_RELEVANT: return "relevant";
    case DRILL_WORTH_HERRING: return "herring";
    case DRILL_WORTH_HARM: return "harm";
    }
    return NULL;
}

static void write_verdict(struct json_out *out, const struct drill_moment *moment)
{
    static const char *const names[] = {NULL, "good", "bad", "void"};
    bool is_idea = moment->act == DRILL_ACT_HYPOTHESIS || moment->act == DRILL_ACT_DO;

    if (moment->verdict)
        json_kv_string(out, "verdict", names[moment->verdict]);
    if (moment->kind == DRILL_MOMENT_ACT && is_idea && worth_name(moment))
        json_kv_string(out, "worth", worth_name(moment));
}

void desk_moment(struct json_out *out, const struct drill_moment *moment, size_t n, bool all)
{
    bool is_act = moment->kind == DRILL_MOMENT_ACT || moment->kind == DRILL_MOMENT_HINT;
    bool shown = all || shows_verdict(moment);

    json_open(out, '{');
    json_kv_int(out, "n", (int64_t)n + 1);
    json_kv_int(out, "at_ms", moment->at_ms);
    json_kv_string(out, "kind", drill_moment_name(moment->kind));
    json_kv_string(out, "who", who_of(moment, shown));
    json_kv_string(out, "what", moment->what);
    json_kv_string(out, "more", moment->more);
    if (moment->incident)
        json_kv_int(out, "incident", moment->incident);
    if (is_act)
        json_kv_string(
            out, "act",
            drill_act_name(moment->kind == DRILL_MOMENT_HINT ? DRILL_ACT_HINT : moment->act));
    if (moment->kind == DRILL_MOMENT_HINT)
        json_kv_int(out, "cost", moment->cost);
    if (is_act && shown)
        write_verdict(out, moment);
    json_close(out, '}');
}

void desk_moments(struct json_out *out, const struct drill_world *world, bool all)
{
    size_t n = 0;
    const struct drill_moment *moments = drill_world_moments(world, &n);

    json_key(out, "moments");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++)
        desk_moment(out, &moments[i], i, all);
    json_close(out, ']');
}

/* --- Alerts, incidents, pages ------------------------------------------------------------------------- */

static void write_alert(struct json_out *out,
                        const struct drill_world *world,
                        const struct alert_entry *entry)
{
    int64_t since_ms = entry->alert.active_at_ms - drill_world_zero_ms(world);

    json_open(out, '{');
    desk_labels(out, "labels", entry->labels);
    desk_labels(out, "annotations", entry->annotations);
    json_kv_string(out, "state", alert_state_name(entry->alert.state));
    json_kv_int(out, "since_ms", since_ms);
    json_kv_float(out, "value", entry->value);
    json_close(out, '}');
}

static void write_alerts(struct json_out *out, const struct drill_world *world)
{
    struct drill_rule_now rule;

    json_key(out, "alerts");
    json_open(out, '[');
    for (size_t i = 0; drill_world_rule(world, i, &rule); i++)
        for (size_t k = 0; k < rule.alerts->n; k++)
            if (rule.alerts->at[k].alert.state != ALERT_INACTIVE)
                write_alert(out, world, &rule.alerts->at[k]);
    json_close(out, ']');
}

static void write_incident(struct json_out *out, const struct drill_incident_now *incident)
{
    json_open(out, '{');
    json_kv_int(out, "n", incident->number);
    json_kv_string(out, "title", incident->title);
    kv_ms(out, "opened_ms", incident->opened_ms);
    kv_ms(out, "over_ms", incident->over_ms);
    kv_ms(out, "acked_ms", incident->acked_ms);
    json_key(out, "alerts");
    json_open(out, '[');
    for (size_t i = 0; i < incident->n_firing; i++) {
        STR_AUTO struct str labels = STR_INIT(WORDS_BYTES_MAX);

        labels_print(incident->firing[i], &labels);
        json_string(out, str_text(&labels));
    }
    json_close(out, ']');
    json_close(out, '}');
}

static void write_incidents(struct json_out *out, const struct drill_world *world)
{
    struct drill_incident_now incident;

    json_key(out, "incidents");
    json_open(out, '[');
    for (size_t i = 0; drill_world_incident(world, i, &incident); i++)
        write_incident(out, &incident);
    json_close(out, ']');
}

static bool is_acked(const struct drill_world *world, unsigned number)
{
    struct drill_incident_now incident;

    return number > 0 && drill_world_incident(world, number - 1, &incident) &&
           incident.acked_ms != DRILL_NOT_YET;
}

static void write_pages(struct json_out *out, const struct drill_world *world)
{
    size_t n = 0;
    const struct drill_moment *moments = drill_world_moments(world, &n);

    json_key(out, "pages");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (moments[i].kind != DRILL_MOMENT_PAGE)
            continue;
        json_open(out, '{');
        json_kv_int(out, "at_ms", moments[i].at_ms);
        json_kv_string(out, "who", moments[i].who);
        json_kv_string(out, "what", moments[i].what);
        json_kv_string(out, "title", moments[i].more);
        json_kv_int(out, "incident", moments[i].incident);
        json_kv_bool(out, "acked", is_acked(world, moments[i].incident));
        json_close(out, '}');
    }
    json_close(out, ']');
}

void desk_pages(struct desk *desk, const struct json *request, struct desk_reply *reply)
{
    const char *you = drill_you(desk->drill_case->drill);
    struct json_out out = JSON_OUT(&reply->body);
    int64_t behind = 0;
    size_t n = 0;
    const struct drill_moment *moments = drill_world_moments(desk->world, &n);

    (void)json_get_int(request, "behind", &behind, NULL);
    json_open(&out, '[');
    for (size_t i = behind > 0 ? (size_t)behind : 0; i < n; i++)
        if (moments[i].kind == DRILL_MOMENT_PAGE && strcmp(moments[i].who, you) == 0)
            desk_moment(&out, &moments[i], i, false);
    json_close(&out, ']');
}

/* --- What the drill says ---------------------------------------------------------------------------- */

static bool is_answered(const struct drill_world *world, const char *id)
{
    size_t n = 0;
    const struct drill_moment *moments = drill_world_moments(world, &n);

    for (size_t i = 0; i < n; i++)
        if (moments[i].kind == DRILL_MOMENT_ACT && moments[i].act == DRILL_ACT_ANSWER &&
            moments[i].more && strcmp(moments[i].more, id) == 0)
            return true;
    return false;
}

static void write_questions(struct json_out *out, const struct desk *desk)
{
    const struct drill *drill = desk->drill_case->drill;

    json_key(out, "questions");
    json_open(out, '[');
    for (size_t i = 0; i < drill->n_questions; i++) {
        json_open(out, '{');
        json_kv_string(out, "id", drill->questions[i].id);
        json_kv_string(out, "text", drill->questions[i].text);
        json_kv_bool(out, "answered", is_answered(desk->world, drill->questions[i].id));
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_hints(struct json_out *out, const struct desk *desk)
{
    const struct drill *drill = desk->drill_case->drill;
    size_t given = drill_world_n_hints(desk->world);
    size_t n = 0;
    const struct drill_moment *moments = drill_world_moments(desk->world, &n);

    json_key(out, "hints");
    json_open(out, '{');
    json_kv_int(out, "left", (int64_t)(drill->n_hints - given));
    json_key(out, "next_cost");
    if (given < drill->n_hints)
        json_int(out, drill->hints[given].cost);
    else
        json_null(out);
    json_key(out, "given");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        bool is_free = moments[i].kind == DRILL_MOMENT_HAPPENED && moments[i].who &&
                       strcmp(moments[i].who, "hint") == 0;

        if (moments[i].kind != DRILL_MOMENT_HINT && !is_free)
            continue;
        json_open(out, '{');
        json_kv_int(out, "at_ms", moments[i].at_ms);
        json_kv_string(out, "text", moments[i].what);
        json_kv_int(out, "cost", moments[i].cost);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_close(out, '}');
}

static void write_people(struct json_out *out, const struct drill *drill)
{
    json_kv_string(out, "you", drill_you(drill));
    json_key(out, "oncall");
    json_open(out, '[');
    for (size_t i = 0; i < drill->n_steps; i++)
        json_string(out, drill->steps[i].person);
    json_close(out, ']');
}

void desk_state(struct desk *desk, const struct json *request, struct desk_reply *reply)
{
    const struct drill *drill = desk->drill_case->drill;
    struct json_out out = JSON_OUT(&reply->body);

    json_open(&out, '{');
    json_kv_string(&out, "brief", drill->brief);
    json_kv_string(&out, "level", drill->level);
    write_people(&out, drill);
    write_alerts(&out, desk->world);
    write_incidents(&out, desk->world);
    write_pages(&out, desk->world);
    desk_moments(&out, desk->world, desk_sees_all(request));
    desk_places(desk, &out);
    write_questions(&out, desk);
    write_hints(&out, desk);
    json_close(&out, '}');
}
