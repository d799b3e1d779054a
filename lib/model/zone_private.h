#pragma once

/*
 * What zone.c, zone_read.c and zone_rule.c share: a zone in memory.
 */

#include "lib/model/zone.h"

enum {
    ZONE_TYPES_MAX = 256,
    ZONE_CHANGES_MAX = 8192,
    ZONE_OFFSET_MAX_S = 26 * 3600, /* either way: RFC 8536 knows none beyond */
    ZONE_DAY_S = 86400,
};

struct zone_type {
    int offset_s;
    bool is_dst;
    char abbreviation[ZONE_ABBREVIATION_MAX];
};

/* One yearly change of the footer: when, in which spelling. */
struct zone_yearly {
    enum {
        ZONE_YEARLY_MONTH,  /* Mm.w.d: the w-th (5: last) weekday d of month m */
        ZONE_YEARLY_JULIAN, /* Jn: day 1..365, 29 February never counted */
        ZONE_YEARLY_DAY,    /* n: day 0..365, 29 February counted */
    } kind;
    int month, week, weekday;
    int day;
    int time_s; /* behind local midnight; may be negative or above a day */
};

/* The footer: how it goes on behind the last transition. */
struct zone_rule {
    bool is_set;
    bool has_dst;
    struct zone_type standard, dst;
    struct zone_yearly start, end; /* of dst */
};

struct zone {
    char name[ZONE_NAME_MAX + 1];
    struct zone_type *types;
    size_t n_types;
    int64_t *changes_s; /* ascending */
    uint8_t *change_types;
    size_t n_changes;
    struct zone_rule rule;
};

/* "CET-1CEST,M3.5.0,M10.5.0/3": 0 or ZONE_E_DATA. */
int zone_rule_parse(const char *text, struct zone_rule *ret_rule, struct err *reterr);
const struct zone_type *zone_rule_type(const struct zone_rule *rule, int64_t at_s);
int64_t zone_rule_next_s(const struct zone_rule *rule, int64_t at_s);
