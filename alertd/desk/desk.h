#pragma once

/*
 * One drill being played, in a process of its own (alert-drill).
 *
 *     alertd --{"op":"act","to_ms":61000,...}\n--> desk --drill_world_advance(), drill_world_act()
 *            <--{"ok":true,"now_ms":61000,"bytes":9}\n + body--
 *
 *   desk.c       the line protocol, one request after the other
 *   desk_load.c  the drill and all that it names, out of what alertd sent
 *   desk_view.c  what there is: state, moments
 *   desk_places.c where one can look, and where it would have been right
 *   desk_score.c what it came to, and the truth
 *   desk_prom.c  Prometheus' query API over what was measured until now
 *   desk_rules.c and its rules and alerts
 *   fence.c      what the process may no longer do
 *
 * Invariants
 *  (1) the process knows no time but what a request says: the same requests give the same bytes.
 *  (2) the drill, its files, everything comes over the one socket; after the first request the
 *      fence is up: no file, no socket, no program can be opened any more.
 *  (3) time goes as far as to_ms says; with heed_ms no further than the second behind that in which
 *      something calls for the player, and the answer says `called`.
 *  (4) an act has a number. One that was done already is answered again and not done again.
 */

#include <stdbool.h>

#include "lib/base/err.h"

enum {
    DESK_LINE_BYTES_MAX = 512 * 1024,       /* a request's line */
    DESK_HEAD_BYTES_MAX = 4096,             /* an answer's */
    DESK_LOAD_BYTES_MAX = 48 * 1024 * 1024, /* a drill and its files */
    DESK_BODY_BYTES_MAX = 32 * 1024 * 1024, /* an answer */
    DESK_FILES_MAX = 64,
};

/* Until the other side closes the socket; an exit status. */
int desk_serve(int fd);
