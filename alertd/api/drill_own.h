#pragma once

/*
 * Drills of one's own: folders in <storage.path>/drills, made of incidents or written by hand.
 *
 *     drills/inc-2026-0012/drill.drill   the drill
 *                          rules.yml     what it names lies beside it
 *
 * A pack of rules that such a drill names is the one that drills are played with, or else the one
 * alertd has taken over. Reading, checking and a preview happen here; to play one is somebody
 * else's work (play/).
 */

#include "alertd/api/api.h"
#include "alertd/drill/check.h"
#include "alertd/drill/from_incident.h"

enum {
    DRILL_OWN_NAME_MAX = 60,
    DRILL_OWN_PATH_MAX = 4096,
    DRILL_OWN_FILE_MAX = 48 * 1024 * 1024,
    DRILL_OWN_PREVIEW_MAX_MS = 2 * 24 * 3600 * 1000,
};

/* Where a drill's files are. */
struct drill_own {
    const struct api *api;
    char folder[DRILL_OWN_PATH_MAX];
};

/* False: it is no name for a drill ([a-z0-9-]). */
bool drill_own_at(const struct api *api, const char *name, struct drill_own *ret_own);
/* A file within the folder, and nothing else. */
bool drill_own_file_ok(const char *name);
/* For drill_case_new(): arg is a struct drill_own. */
drill_read drill_own_read;
bool drill_own_exists(struct drill_own *own);
/* Writes one file; the drill itself is written last. */
int drill_own_write(const struct drill_own *own,
                    const char *file,
                    const char *text,
                    size_t len,
                    struct err *reterr);

/* From text to a case, by the strict parser: words begin with line:column. */
int drill_own_load(const char *text,
                   size_t len,
                   drill_read *read,
                   void *arg,
                   struct drill_case **ret_case,
                   struct err *reterr);

/* The members of an object: what comes when nobody acts, what of the expectations does not
 * come whoever plays, what is doubtful. */
void drill_own_preview(const struct drill_case *drill_case,
                       drill_read *read,
                       void *arg,
                       struct json_out *out);
