#pragma once

/*
 * A roster from JSON written with ' for ", so that tests can say it in one line.
 */

#include <string.h>

#include "alertd/oncall/spelling.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "tests/lib/row.h"

__attribute__((unused)) static int64_t instant(const char *text)
{
    int64_t at_ms = 0;

    assert_int_equal(clock_parse_rfc3339(text, &at_ms), 0);
    return at_ms;
}

__attribute__((unused)) static char *quoted(const char *text)
{
    char *json = mem_strdup(text);

    for (char *c = json; *c; c++)
        if (*c == '\'')
            *c = '"';
    return json;
}

__attribute__((unused)) static struct roster roster_of(const char *text,
                                                       struct zones *zones,
                                                       struct arena *arena)
{
    MEM_AUTO char *json = quoted(text);
    struct roster roster = {0};
    struct err err = {0};

    if (roster_parse(json, strlen(json), zones, arena, &roster, &err))
        fail_msg("%s", err.text);
    return roster;
}
