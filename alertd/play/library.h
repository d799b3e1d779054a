#pragma once

/*
 * The drills there are: files in folders.
 *
 *     --drills.path=FOLDER            FOLDER/NAME.drill, its data beside it, rules in FOLDER/../rules
 *     <storage.path>/drills/NAME/     own ones: drill.drill and its data; the same rules
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/drill/case.h"
#include "lib/base/arena.h"

enum {
    LIBRARY_E_NOT_FOUND = 1,
    LIBRARY_E_BROKEN = 2, /* words with the file, its line and column */
    LIBRARY_NAME_MAX = 100,
    LIBRARY_PATH_MAX = 4096,
};

struct library {
    char path[LIBRARY_PATH_MAX];  /* of those that came along; "": none */
    char rules[LIBRARY_PATH_MAX]; /* packs */
    char own[LIBRARY_PATH_MAX];
};

/* What a list says; texts in the arena. One that does not load has words in `error` alone. */
struct library_drill {
    const char *name, *title, *level, *teaches, *brief, *reconstructed, *error;
    const char **sources;
    size_t n_sources;
    int64_t path, length_ms;
    int64_t clock_limits[DRILL_N_CLOCKS]; /* INT64_MAX: none */
    bool is_tabletop, is_own;
    const char **alerts; /* of which something is expected */
    size_t n_alerts;
};

/* By path, then name. */
int library_list(const struct library *library,
                 struct arena *arena,
                 struct library_drill **ret_drills,
                 size_t *ret_n,
                 struct err *reterr);

/* A file that a drill names, as it was read. */
struct library_file {
    const char *what; /* "drill", "pack", "beside" */
    char *name;
    char *bytes;
    size_t len;
};

/* A drill with everything it names; the first file is itself. library_loaded_done(). */
struct library_loaded {
    struct drill_case *drill_case;
    struct library_file *files;
    size_t n_files, capacity, n_bytes;
};

/* A file beside the drill that is another one this time. */
struct library_instead {
    const char *name, *text; /* NULL: none */
    size_t len;
};

int library_load(const struct library *library,
                 const char *name,
                 const struct library_instead *instead,
                 struct library_loaded *ret_loaded,
                 struct err *reterr);
void library_loaded_done(struct library_loaded *loaded);

/* The alerts of a pack of rules; -ENOENT when it is none of those that came along. */
int library_read_pack(const struct library *library,
                      const char *name,
                      char **ret_text,
                      size_t *ret_len,
                      struct err *reterr);

/* A name that may be a file's: letters, digits, - and _. */
bool library_name_ok(const char *name);
