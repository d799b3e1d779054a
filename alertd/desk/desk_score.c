/*
 * What a drill came to, and what was true all along.
 */

#include <stdio.h>

#include "alertd/desk/private.h"
#include "alertd/drill/score.h"

static void kv_met(struct json_out *out, enum drill_standing standing)
{
    json_key(out, "met");
    if (standing == DRILL_MET || standing == DRILL_MISSED)
        json_bool(out, standing == DRILL_MET);
    else
        json_null(out);
}

static void kv_limit(struct json_out *out, const char *name, int64_t limit)
{
    json_key(out, name);
    if (limit == INT64_MAX)
        json_null(out);
    else
        json_int(out, limit);
}

static void write_really(struct json_out *out, const struct drill_really *really)
{
    json_key(out, "really");
    if (!really->given) {
        json_null(out);
        return;
    }
    json_open(out, '{');
    if (really->never)
        json_kv_bool(out, "never", true);
    else
        json_kv_int(out, "after_ms", really->after_ms);
    json_kv_string(out, "note", really->note);
    json_close(out, '}');
}

/* What the same clock said before: the person's own runs, and the middle of everybody's. */
static void write_past(struct json_out *out, const struct json *request, const char *clock)
{
    const struct json *past = NULL, *median = NULL, *runs = NULL;
    int64_t median_ms = 0;

    json_key(out, "own_past");
    json_open(out, '[');
    if (json_get_object(request, "past", &past, NULL) == 0 &&
        json_get_array(past, clock, &runs, NULL) == 0)
        for (size_t i = 0; i < json_length(runs); i++) {
            double run = 0;

            if (json_number(json_at(runs, i), &run) == 0)
                json_int(out, (int64_t)run);
            else
                json_null(out);
        }
    json_close(out, ']');
    json_key(out, "team_median_ms");
    if (json_get_object(request, "median", &median, NULL) == 0 &&
        json_get_int(median, clock, &median_ms, NULL) == 0)
        json_int(out, median_ms);
    else
        json_null(out);
}

static void write_clocks(struct json_out *out,
                         const struct drill *drill,
                         const struct drill_score *score,
                         const struct json *request)
{
    json_key(out, "clocks");
    json_open(out, '[');
    for (size_t i = 0; i < DRILL_N_CLOCKS; i++) {
        enum drill_clock clock = (enum drill_clock)i;
        bool never = score->clocks[i] == DRILL_NEVER;

        json_open(out, '{');
        json_kv_string(out, "clock", drill_clock_name(clock));
        kv_limit(out, "after_ms", never ? INT64_MAX : score->clocks[i]);
        kv_limit(out, "at_ms", never ? INT64_MAX : score->base_ms + score->clocks[i]);
        kv_limit(out, "limit_ms", drill->clock_limits[i]);
        kv_met(out, drill_clock_standing(drill, score, clock));
        write_really(out, &drill->really[i]);
        write_past(out, request, drill_clock_name(clock));
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_counts(struct json_out *out,
                         const struct drill *drill,
                         const struct drill_score *score)
{
    json_key(out, "counts");
    json_open(out, '[');
    for (size_t i = 0; i < DRILL_N_COUNTS; i++) {
        enum drill_count count = (enum drill_count)i;

        json_open(out, '{');
        json_kv_string(out, "count", drill_count_name(count));
        json_kv_int(out, "n", score->counts[i]);
        kv_limit(out, "limit", drill->count_limits[i]);
        kv_met(out, drill_count_standing(drill, score, count));
        json_close(out, '}');
    }
    json_close(out, ']');
}

/* --- The truth -------------------------------------------------------------------------------------- */

static void write_event(struct json_out *out, int64_t at_ms, const char *kind, const char *text)
{
    json_open(out, '{');
    json_kv_int(out, "at_ms", at_ms);
    json_kv_string(out, "kind", kind);
    json_kv_string(out, "text", text);
    json_close(out, '}');
}

static void write_truth(struct json_out *out, const struct desk *desk)
{
    static const char *const names[] = {"deploy", "chat", "log", "customer", "note"};
    const struct drill *drill = desk->drill_case->drill;
    int64_t mended_ms = drill_world_mended_ms(desk->world);

    json_key(out, "truth");
    json_open(out, '[');
    write_event(out, drill_world_onset_ms(desk->world), "onset", "the trouble begins");
    for (size_t i = 0; i < drill->n_events; i++)
        write_event(out, drill->events[i].at_ms, names[drill->events[i].kind],
                    drill->events[i].text);
    if (mended_ms != DRILL_NOT_YET)
        write_event(out, mended_ms, "mended", "what was done mends it");
    json_close(out, ']');
}

static const char *worth_name(enum drill_worth worth)
{
    static const char *const names[] = {"right", "wrong", "relevant", "herring", "harm"};

    return names[worth];
}

static void write_ideas(struct json_out *out,
                        const char *key,
                        const struct drill_idea *ideas,
                        size_t n)
{
    json_key(out, key);
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(out, '{');
        json_kv_string(out, "id", ideas[i].id);
        json_kv_string(out, "text", ideas[i].text);
        json_kv_string(out, "worth", worth_name(ideas[i].worth));
        json_close(out, '}');
    }
    json_close(out, ']');
}

void desk_score(struct desk *desk, const struct json *request, struct desk_reply *reply)
{
    const struct drill *drill = desk->drill_case->drill;
    struct json_out out = JSON_OUT(&reply->body);
    struct drill_score score;
    char hash[24];

    drill_score(desk->world, &score);
    (void)snprintf(hash, sizeof(hash), "%016llx",
                   (unsigned long long)drill_world_hash(desk->world));
    json_open(&out, '{');
    json_kv_bool(&out, "scored", true);
    json_kv_string(&out, "hash", hash);
    json_kv_bool(&out, "paged", score.paged);
    json_kv_int(&out, "from_ms", score.base_ms);
    json_kv_int(&out, "until_ms", score.until_ms);
    write_clocks(&out, drill, &score, request);
    write_counts(&out, drill, &score);
    desk_moments(&out, desk->world, true);
    write_truth(&out, desk);
    desk_right_places(drill, &out);
    write_ideas(&out, "hypotheses", drill->hypotheses, drill->n_hypotheses);
    write_ideas(&out, "actions", drill->actions, drill->n_actions);
    json_kv_string(&out, "escalate_why", drill->escalate_why);
    json_kv_string(&out, "debrief", drill->debrief);
    json_kv_string(&out, "reconstructed", drill->reconstructed);
    json_key(&out, "sources");
    json_open(&out, '[');
    for (size_t i = 0; i < drill->n_sources; i++)
        json_string(&out, drill->sources[i]);
    json_close(&out, ']');
    json_close(&out, '}');
}
