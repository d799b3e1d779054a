#pragma once

/*
 * Inside the process that plays a drill: what its files share. See desk.h.
 */

#include "alertd/drill/world.h"
#include "lib/base/frame.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

struct desk {
    struct drill_case *drill_case; /* NULL: nothing is loaded yet */
    struct drill_world *world;
    size_t *acts; /* the moment of each act and inject, by number - 1 */
    size_t n_acts, acts_capacity;
    bool called; /* the last request stopped where something called for the player */
};

struct desk_reply {
    const char *error_type; /* as http_fail() knows them; NULL: all is well */
    struct err err;
    struct str body;
};

/* Always false. */
bool desk_fail(struct desk_reply *reply, const char *type, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What an op is: the request's object in, the body out. */
typedef void desk_op(struct desk *desk, const struct json *request, struct desk_reply *reply);

/* desk_load.c: the bytes behind the line hold what it lists. */
bool desk_load(struct desk *desk,
               const struct json *request,
               const struct str *bytes,
               struct desk_reply *reply);
/* How many bytes come behind a line. */
bool desk_load_bytes(const struct json *request, size_t *ret_bytes, struct desk_reply *reply);

/* desk_view.c */
desk_op desk_state;
desk_op desk_pages; /* to who plays, behind the moment of that number */
/* all: with what only a game master sees, or anybody when it is over. */
void desk_moment(struct json_out *out, const struct drill_moment *moment, size_t n, bool all);
void desk_moments(struct json_out *out, const struct drill_world *world, bool all);
void desk_labels(struct json_out *out, const char *name, const struct labels *labels);
bool desk_sees_all(const struct json *request);

desk_op desk_score; /* desk_score.c */
desk_op desk_prom;  /* desk_prom.c */

/* desk_places.c */
void desk_places(struct desk *desk, struct json_out *out);
void desk_right_places(const struct drill *drill, struct json_out *out);

/* desk_rules.c */
void desk_rules(struct desk *desk, struct json_out *out);
void desk_alerts(struct desk *desk, struct json_out *out);
