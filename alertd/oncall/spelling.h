#pragma once

/*
 * People, schedules, policies and shadows as JSON: docs/formats/schedule.md.
 *
 * What the database stores and the API takes and gives is this text. Parsing is strict: a
 * key nobody knows is an error that names it, and so is a value out of its range, with the
 * path of the field (`layers[1].windows[0].from`). Printing gives the same text for the same
 * value, and what was printed parses to what it was printed from.
 */

#include "alertd/oncall/roster.h"
#include "lib/base/arena.h"
#include "lib/base/str.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

enum {
    ROSTER_TEXT_MAX = 16 * 1024 * 1024
};

/* 0, JSON_E_SYNTAX, JSON_E_TYPE (also for what is well-formed and not meaningful), or -ENOMEM
 * when the arena is spent. Schedules borrow from zones. */
int person_parse(
    const char *text, size_t len, struct arena *arena, struct person *ret, struct err *reterr);
int schedule_parse(const char *text,
                   size_t len,
                   struct zones *zones,
                   struct arena *arena,
                   struct schedule *ret,
                   struct err *reterr);
int override_parse(
    const char *text, size_t len, struct arena *arena, struct override *ret, struct err *reterr);
/* "observe", "own copy", "reverse". */
const char *shadow_mode_name(enum shadow_mode mode);
int shadow_parse(
    const char *text, size_t len, struct arena *arena, struct shadow *ret, struct err *reterr);
int policy_parse(
    const char *text, size_t len, struct arena *arena, struct policy *ret, struct err *reterr);
/* {"people": […], "schedules": […], "shadows": […], "policies": […]}; every name a schedule, a
 * shadow or a policy uses must be there (receivers excepted), and no name twice. */
int roster_parse(const char *text,
                 size_t len,
                 struct zones *zones,
                 struct arena *arena,
                 struct roster *ret,
                 struct err *reterr);

void person_print(const struct person *person, struct json_out *out);
void schedule_print(const struct schedule *schedule, struct json_out *out);
void override_print(const struct override *override, struct json_out *out);
void shadow_print(const struct shadow *shadow, struct json_out *out);
void policy_print(const struct policy *policy, struct json_out *out);
void roster_print(const struct roster *roster, struct json_out *out);

/* A lane of spans: [{"person", "from", "to", "why", "layer", "override", "shadow", "mode"}]. */
struct lane;
void lane_print(const struct lane *lane, struct json_out *out);
