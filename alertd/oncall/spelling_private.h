#pragma once

/*
 * Reading JSON into an arena: what the parsers of spelling and importers share. The first
 * failure stays; everything behind it is skipped, so a parser reads field after field and
 * looks once.
 */

#include "alertd/oncall/roster.h"
#include "lib/base/arena.h"
#include "lib/json/read.h"

struct reader {
    struct arena *arena;
    struct zones *zones;
    struct err *reterr;
    int rc;
};

/* A zeroed array in the arena, never empty; NULL when something failed. */
void *reader_array(struct reader *r, size_t n, size_t size);
char *reader_copy(struct reader *r, const char *text);

/* A member's text, copied; NULL when it is absent and may be. */
const char *reader_text(struct reader *r,
                        const struct json *object,
                        const char *key,
                        bool required);
/* The same, 1 … ROSTER_NAME_MAX bytes without control characters. */
const char *reader_name(struct reader *r,
                        const struct json *object,
                        const char *key,
                        bool required);
/* An instant, or fallback when it is absent; required when fallback is 0. */
int64_t reader_time(struct reader *r, const struct json *object, const char *key, int64_t fallback);
int64_t reader_int(struct reader *r,
                   const struct json *object,
                   const char *key,
                   int64_t fallback,
                   int64_t min,
                   int64_t max);
/* The index of a member's text in names (NULL-terminated); fallback < 0: required. */
int reader_choice(struct reader *r,
                  const struct json *object,
                  const char *key,
                  const char *const *names,
                  int fallback);
/* A member that is a list of at most max; absent is an empty one (NULL). */
const struct json *reader_list(struct reader *r,
                               const struct json *object,
                               const char *key,
                               size_t max);
void reader_only(struct reader *r, const struct json *object, const char *const *known);
void reader_wrong(struct reader *r, const struct json *value, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* "2026-01-05T09:00[:00]": a wall clock's date and time. */
bool reader_local(const char *text, struct zone_local *ret_local);
/* "09:00[:00]", up to 24:00. */
bool reader_time_of_day(const char *text, int *ret_s);

/* Parts of spelling, used by the whole. */
void read_person(struct reader *r, const struct json *object, struct person *person);
void read_schedule(struct reader *r, const struct json *object, struct schedule *schedule);
void read_override(struct reader *r, const struct json *object, struct override *override);
void read_shadow(struct reader *r, const struct json *object, struct shadow *shadow);
void read_policy(struct reader *r, const struct json *object, struct policy *policy);

/* How the enums are written. */
extern const char *const rotation_units[]; /* hours days weeks months always */
extern const char *const override_kinds[];
extern const char *const shadow_modes[];
extern const char *const shadow_targets[];
extern const char *const target_kinds[];
extern const char *const weekday_names[]; /* 0 = sunday */

enum {
    UNIT_ALWAYS = ROTATION_MONTHS + 1
};
