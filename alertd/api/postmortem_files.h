#pragma once

/*
 * The document templates at hand: those in <storage.path>/postmortems hide the ones of
 * the same name that came with the program, so a team can have its own.
 */

#include "alertd/api/api.h"
#include "alertd/postmortem/template.h"
#include "lib/base/arena.h"

enum {
    POSTMORTEM_FILES_E_LIMIT = 1, /* too many or too large files: words name the folder */
    POSTMORTEM_FILES_MAX = 200,
};

/* Everything in the arena. A missing folder is no error. */
int postmortem_files_read(const struct api *api,
                          struct arena *arena,
                          struct template_set *ret_set,
                          struct err *reterr);

/* The template of an id ("quick"), never a partial; NULL when there is none. */
const struct template_file *postmortem_files_find(const struct template_set *set, const char *id);
