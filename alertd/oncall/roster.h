#pragma once

/*
 * People, schedules and escalation policies: the plain model everything here works on.
 *
 *     roster
 *       people     name, zone, contacts
 *       schedules  layers (who takes turns), overrides (what people agreed on since)
 *       shadows    who looks over whose shoulder: a lane of its own, never on call
 *       policies   steps, each paging people, schedules or receivers
 *
 * Invariants
 *  (1) All of it lives in one arena and never changes after it was made; names are compared
 *      as they are. A schedule and a policy refer to people by name, so that each can be
 *      stored and parsed alone.
 *  (2) Hand-offs keep to the wall clock of the schedule's zone. A hand-off in a gap happens
 *      when the gap ends, in an overlap at the first of both (lib/model/zone.h).
 *  (3) Of the layers that have somebody at an instant, those of the highest level are on
 *      call, all of them together; lower ones are not.
 *  (4) Overrides apply in their order, each to what the one before left.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/model/zone.h"

/* What outsiders can size. */
enum {
    ROSTER_NAME_MAX = 100,
    ROSTER_PEOPLE_MAX = 2000,
    ROSTER_CONTACTS_MAX = 16, /* of a person */
    ROSTER_SCHEDULES_MAX = 500,
    ROSTER_LAYERS_MAX = 16, /* of a schedule */
    ROSTER_TURNS_MAX = 100, /* people of a layer, one after the other */
    ROSTER_WINDOWS_MAX = 32,
    ROSTER_SHIFTS_MAX = 5000,
    ROSTER_OVERRIDES_MAX = 1000,
    ROSTER_SHADOWS_MAX = 500,
    ROSTER_POLICIES_MAX = 500,
    ROSTER_STEPS_MAX = 32,
    ROSTER_TARGETS_MAX = 32, /* of a step */
    ROSTER_REPEAT_MAX = 20,
    ROSTER_SHADOW_AFTER_MS_MAX = 15 * 60 * 1000,
};

/* Without a beginning, without an end. */
#define ROSTER_ALWAYS  INT64_MIN
#define ROSTER_FOREVER INT64_MAX
/* Nobody is on call before the year 1 or after the year 9999. */
#define ROSTER_TIME_MIN_MS INT64_C(-62135596800000)
#define ROSTER_TIME_MAX_MS INT64_C(253402300800000)

struct contact {
    const char *method; /* "email", "ntfy", … : a kind of receiver */
    const char *address;
};

struct person {
    const char *name; /* what schedules, policies and tokens call them */
    const char *full_name;
    const char *zone; /* IANA, or NULL */
    const struct contact *contacts;
    size_t n_contacts;
};

enum rotation_unit {
    ROTATION_HOURS,
    ROTATION_DAYS,
    ROTATION_WEEKS,
    ROTATION_MONTHS,
};

/* Turn k begins at the anchor's date and time of day plus k times every unit, on the wall
 * clock; turn 0 is people[0]'s. In a month without the anchor's day: on its last day. */
struct rotation {
    enum rotation_unit unit;
    int every;                 /* 0: no turns, the first person all the time */
    struct zone_local anchor;  /* local; only year … second count */
    const char *const *people; /* NULL in a place: nobody has that turn */
    size_t n_people;
};

/* On call only within: from a time of day on these weekdays to another, which lies on the
 * next day when it is not later. Both equal: 24 hours. */
struct window {
    unsigned weekdays; /* bit 0 = Sunday; of the day on which it begins */
    int from_s, to_s;  /* behind local midnight, 0 … 86400 */
};

/* A single turn with fixed ends: what a calendar brings. */
struct shift {
    const char *person;
    int64_t from_ms, to_ms;
};

struct layer {
    const char *name;
    int level;                 /* higher wins */
    int64_t from_ms, until_ms; /* ROSTER_ALWAYS, ROSTER_FOREVER */
    struct rotation rotation;  /* n_people 0: there are shifts instead */
    const struct window *windows;
    size_t n_windows;           /* 0: always */
    const struct shift *shifts; /* ascending, none over another */
    size_t n_shifts;
};

enum override_kind {
    OVERRIDE_REPLACE, /* person instead of `of`; without `of` also where nobody was */
    OVERRIDE_ADD,     /* person beside whoever it is */
    OVERRIDE_REMOVE,  /* without `of` */
    OVERRIDE_SWAP,    /* person takes of's turns in the span, of takes person's in the other */
};

struct override {
    const char *id;
    enum override_kind kind;
    const char *person;
    const char *of; /* NULL: everybody who is on call (a swap names one) */
    int64_t from_ms, to_ms;
    int64_t other_from_ms, other_to_ms; /* of a swap */
    const char *note;                   /* NULL: none */
};

struct schedule {
    const char *name;
    const char *title;       /* for people; NULL: the name */
    const struct zone *zone; /* a loan of the zones it was made with */
    const struct layer *layers;
    size_t n_layers;
    const struct override *overrides;
    size_t n_overrides;
};

enum shadow_target {
    SHADOW_OF_PERSON,
    SHADOW_OF_SCHEDULE,
};

enum shadow_mode {
    SHADOW_OBSERVE,  /* sees what the other one gets */
    SHADOW_OWN_COPY, /* gets a page of their own that touches nothing real */
    SHADOW_REVERSE,  /* is paged first and answers; the other one stands behind */
};

struct shadow {
    const char *id;
    const char *person;
    enum shadow_target target_kind;
    const char *target;
    int64_t from_ms, to_ms;
    enum shadow_mode mode;
    const char *mentor; /* who stands behind; NULL: whoever is really on call */
    int64_t after_ms;   /* reverse: how long behind the shadow the others are paged */
};

enum target_kind {
    TARGET_PERSON,
    TARGET_SCHEDULE,
    TARGET_RECEIVER,
};

struct target {
    enum target_kind kind;
    const char *name;
};

struct policy_step {
    int64_t delay_ms; /* how long it waits for somebody before the next step is due */
    const struct target *targets;
    size_t n_targets;
};

struct policy {
    const char *name;
    const char *title;      /* NULL: the name */
    int repeat;             /* rounds behind the first */
    int64_t ack_expires_ms; /* 0: an acknowledgement holds until it is resolved */
    const struct policy_step *steps;
    size_t n_steps;
    const struct target *fallback; /* when every round is over */
    size_t n_fallback;
};

struct roster {
    const struct person *people;
    size_t n_people;
    const struct schedule *schedules;
    size_t n_schedules;
    const struct shadow *shadows;
    size_t n_shadows;
    const struct policy *policies;
    size_t n_policies;
};

/* NULL when there is none of that name. */
const struct person *roster_person(const struct roster *roster, const char *name);
const struct schedule *roster_schedule(const struct roster *roster, const char *name);
const struct policy *roster_policy(const struct roster *roster, const char *name);
