#pragma once

/*
 * How far an import came, in a small file: written after everything before that place is
 * stored, replaced whole, removed at the end. After a kill the same command goes on there;
 * what was stored behind it and not noted yet is sent again, which changes nothing.
 *
 *     {"job":"prometheus http://p:9090 up ...","begin":1700000000000,"end":...,"position":1700003600000,"lines":0,
 *      "stored":51234,"duplicate":0,"refused":0}
 */

#include <stdbool.h>
#include <stdint.h>

#include "ctl/sink.h"
#include "lib/base/err.h"

enum {
    RESUME_E_OTHER = 20, /* the file is of another import */
};

struct resume {
    char *path; /* NULL: nowhere to note it (no HOME) */
    const char *job;
    int64_t begin;    /* as it was when the import began */
    int64_t end;      /* as well */
    int64_t position; /* up to which all is stored */
    int64_t lines;    /* of a text, up to position */
    struct sink_counts counts;
};

/* What was noted for this job, or as given in *resume when nothing was. path NULL: a file named
 * by the job below $XDG_STATE_HOME or ~/.local/state. *ret_found: goes on from there. */
int resume_open(struct resume *resume, const char *path, bool *ret_found, struct err *reterr);
int resume_save(const struct resume *resume, struct err *reterr);
/* The import is complete: the file goes. */
void resume_finish(const struct resume *resume);
void resume_done(struct resume *resume);
