/*
 * Preloaded into alertd: new files of samples get no checksums in their pages, so that what these cost can be measured.
 */

#include <dlfcn.h>
#include <sqlite3.h>

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name)
__attribute__((visibility("default"))) int sqlite3_file_control(sqlite3 *handle,
                                                                const char *name,
                                                                int op,
                                                                void *arg)
{
    static int (*next)(sqlite3 *, const char *, int, void *);

    if (op == SQLITE_FCNTL_RESERVE_BYTES)
        return SQLITE_OK;
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "sqlite3_file_control");
    return next(handle, name, op, arg);
}
