#pragma once

/*
 * A folder for one test, removed with all in it by scratch_done(). Under TMPDIR.
 */

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct scratch {
    char folder[128];
    char path[256]; /* of the last scratch_path() */
};

static inline int scratch_init_under(struct scratch *scratch, const char *base)
{
    (void)snprintf(scratch->folder, sizeof(scratch->folder), "%s/watchbill-test-XXXXXX", base);
    return mkdtemp(scratch->folder) ? 0 : -1;
}

static inline int scratch_init(struct scratch *scratch)
{
    const char *base = getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): nobody sets it

    return scratch_init_under(scratch, base ? base : "/tmp");
}

/* folder/name; a loan until the next call. */
static inline const char *scratch_path(struct scratch *scratch, const char *name)
{
    (void)snprintf(scratch->path, sizeof(scratch->path), "%s/%s", scratch->folder, name);
    return scratch->path;
}

static inline int scratch_remove_one(const char *path,
                                     const struct stat *info,
                                     int type,
                                     struct FTW *ftw)
{
    (void)info, (void)type, (void)ftw;
    return remove(path);
}

static inline void scratch_done(struct scratch *scratch)
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): called between tests
    (void)nftw(scratch->folder, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
