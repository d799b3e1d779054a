#pragma once

/*
 * Exercises on paper as drills of text: the JSON of the Wheel of Misfortune, one file each.
 *
 *     [{"ID": 3, "title": "Checkout is slow", "scenario": "...", "inkstory": "..."}]
 *
 * Such a drill has no series, no rules and no pages: a game master tells what is asked for, and
 * people say what they would do. An Ink story is not read; its name is kept as a comment.
 */

#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/json/read.h"

enum {
    WHEEL_BYTES_MAX = 4 * 1024 * 1024,
    WHEEL_INCIDENTS_MAX = 500,
};

/* The whole file; *ret_incidents is its list, a loan. 0 or JSON_E_*; json_free(*ret_root). */
int wheel_read(const char *text,
               size_t len,
               struct json **ret_root,
               const struct json **ret_incidents,
               struct err *reterr);
/* One of them as a drill; ret_name: "07-checkout-is-slow" (WHEEL_NAME_MAX). JSON_E_TYPE. */
enum {
    WHEEL_NAME_MAX = 64
};
int wheel_drill(
    const struct json *incident, size_t index, char *ret_name, struct str *out, struct err *reterr);
