/*
 * Appended bytes of a log in few writes. See log_gather.h.
 */

#include "alertd/db/log_gather.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

enum {
    GATHER_BYTES = 128 * 1024
};

int log_gather_flush(struct log_gather *gather, sqlite3_file *file)
{
    int n = gather->n;

    gather->n = 0;
    return n > 0 ? file->pMethods->xWrite(file, gather->bytes, n, gather->at) : SQLITE_OK;
}

int log_gather_write(
    struct log_gather *gather, sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
    int rc = SQLITE_OK;

    if (gather->n > 0 && (at != gather->at + gather->n || n > GATHER_BYTES - gather->n))
        rc = log_gather_flush(gather, file);
    if (rc != SQLITE_OK)
        return rc;
    if (!gather->is_on || n > GATHER_BYTES)
        return file->pMethods->xWrite(file, bytes, n, at);
    if (!gather->bytes)
        gather->bytes = mem_alloc(GATHER_BYTES);
    if (gather->n == 0)
        gather->at = at;
    memcpy(gather->bytes + gather->n, bytes, (size_t)n);
    gather->n += n;
    return SQLITE_OK;
}

void log_gather_done(struct log_gather *gather)
{
    free(gather->bytes);
    *gather = (struct log_gather){0};
}
