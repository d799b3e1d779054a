#pragma once

/*
 * What the two spellings of the calls about silences share: matchers out of JSON, and the
 * jobs, after which the pager knows and the live views are told.
 */

#include "alertd/api/api.h"
#include "alertd/db/silence_db.h"
#include "alertd/route/matchers.h"
#include "lib/json/read.h"

enum {
    SILENCE_CALL_E_MATCHER = 60 /* words say which and why */
};

/* [{"name","value","isRegex","isEqual"}] or, with texts allowed, ["a=b", "{c=~\"d\"}"]. */
int silence_call_matchers(const struct json *array,
                          bool texts,
                          struct route_matchers *matchers,
                          struct err *reterr);
void silence_call_write_matchers(struct json_out *out, const struct silence_row *row);

/* The member "window" of a body: a line, an object or a list of objects (route/window.h); NULL
 * when it is not there. In the arena, which closes its time zones. 0, JSON_E_TYPE with words
 * that begin with the field. */
int silence_call_window(const struct json *body,
                        struct arena *arena,
                        const struct route_interval **ret_window,
                        struct err *reterr);
/* The same of a line. */
int silence_call_window_line(const char *line,
                             struct arena *arena,
                             const struct route_interval **ret_window,
                             struct err *reterr);
/* "window", "window_text", "muting_until" and "next": the two stretches that begin next. */
void silence_call_write_window(struct json_out *out, const struct silence *silence, int64_t now_ms);

/* ret_id: SILENCE_ID_TEXT bytes. */
int silence_call_set(const struct api *api,
                     const struct silence_wish *wish,
                     char *ret_id,
                     struct err *reterr);
int silence_call_expire(const struct api *api,
                        const char *id,
                        const char *actor,
                        struct err *reterr);
int silence_call_extend(const struct api *api,
                        const char *id,
                        int64_t ends_at_ms,
                        const char *actor,
                        struct err *reterr);

/* One, in the arena. */
int silence_call_get(const struct api *api,
                     const char *id,
                     struct arena *arena,
                     struct silence_row *ret_row,
                     struct err *reterr);
/* All that ended less than five days ago or will end. */
int silence_call_list(const struct api *api,
                      struct arena *arena,
                      struct silence_row **ret_rows,
                      size_t *ret_n,
                      struct err *reterr);

/* A filter asks a silence's matchers: a name's pattern instead of an alert's value. */
bool silence_call_passes(const struct route_matchers *filter, const struct silence_row *row);
