/*
 * A checksum in every page of a database, which SQLite itself has not: a bit that flips on a
 * disk is else a row that is gone, or another's.
 *
 *     page = content | CRC-32C of the page's number and content (4 bytes) | its complement (4)
 *
 * SQLite leaves 8 bytes at the end of each page alone when the file was begun so
 * (page_sum_begin()); this layer below it fills them on the way to the disk and compares on
 * the way back. Files begun without are read as they are. The log (-wal) has checksums of
 * its own.
 *
 * Invariants
 *  (1) All connections of the program use the layer: a page written past it is damaged.
 *  (2) A read that fails is tried again before it is believed; then SQLite calls it damage.
 *  (3) A page may be written before the head that says how it is to be: of a new file known
 *      already is what it will say (page_sum_begin(), page_sum_copying()).
 */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/db/log_gather.h"
#include "alertd/db/private.h"
#include "lib/base/crc32c.h"
#include "lib/base/mem.h"

enum {
    SUM_BYTES = 8,
    PAGE_MIN = 512,
    HEAD_BYTES = 100,
    HEAD_RESERVED_AT = 20, /* in the file's head: how many bytes a page SQLite leaves alone */
    READ_TRIES = 3,
};

/* What SQLite holds for a database's file, or its log's: ours, and behind it the file below. */
struct summed_file {
    sqlite3_file base;
    sqlite3_file *below;
    unsigned char *page; /* room for one */
    int n_page;
    bool is_pages; /* a database, not its log */
    bool has_sums;
    struct log_gather gather; /* of a log */
};

static sqlite3_vfs *below_vfs;
static sqlite3_vfs our_vfs;
static int register_rc;
/* Of the copy this thread makes: SQLite opens it by itself. */
static _Thread_local bool copy_has_sums;

static struct summed_file *ours(sqlite3_file *file)
{
    return (struct summed_file *)file;
}

static sqlite3_file *below(sqlite3_file *file)
{
    return ours(file)->below;
}

/* --- the sum --- */

static bool is_page(int n, sqlite3_int64 at)
{
    return n >= PAGE_MIN && (n & (n - 1)) == 0 && at % n == 0;
}

static void sum_of(const unsigned char *page, int n, sqlite3_int64 at, unsigned char *sum)
{
    uint64_t number = (uint64_t)(at / n);
    uint32_t crc = crc32c(crc32c(0, &number, sizeof(number)), page, (size_t)n - SUM_BYTES);

    for (unsigned i = 0; i < 4; i++) {
        sum[i] = (unsigned char)(crc >> (8 * i));
        sum[4 + i] = (unsigned char)~sum[i];
    }
}

/* The head says so; or its page looks so, when it is the head that is damaged. */
static bool says_sums(const unsigned char *head, int n)
{
    const unsigned char *sum = head + n - SUM_BYTES;
    bool is_pair = n >= PAGE_MIN;

    for (unsigned i = 0; i < 4 && is_pair; i++)
        is_pair = (sum[i] ^ sum[4 + i]) == 0xff;
    return is_pair || head[HEAD_RESERVED_AT] == SUM_BYTES;
}

/* --- a file --- */

/* Of a page that could not be read whole: was it never written, or is it cut? */
static bool is_past_end(const struct summed_file *summed, sqlite3_int64 at)
{
    sqlite3_int64 size = 0;

    return summed->below->pMethods->xFileSize(summed->below, &size) == SQLITE_OK && at >= size;
}

static int sum_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 at)
{
    struct summed_file *summed = ours(file);
    unsigned char sum[SUM_BYTES];
    int rc = log_gather_flush(&summed->gather, summed->below);

    if (rc != SQLITE_OK)
        return rc;
    for (int i = 0; i < READ_TRIES; i++) {
        rc = summed->below->pMethods->xRead(summed->below, bytes, n, at);
        if (rc == SQLITE_OK || rc == SQLITE_IOERR_SHORT_READ)
            break;
    }
    if (!summed->is_pages || (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ))
        return rc;
    if (rc != SQLITE_OK && is_past_end(summed, at))
        return rc;
    if (at == 0 && n >= HEAD_BYTES)
        summed->has_sums = says_sums(bytes, n);
    if (!summed->has_sums || !is_page(n, at))
        return rc;
    sum_of(bytes, n, at, sum);
    return memcmp(sum, (unsigned char *)bytes + n - SUM_BYTES, SUM_BYTES) == 0 ? rc
                                                                               : SQLITE_CORRUPT;
}

static int sum_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
    struct summed_file *summed = ours(file);

    if (!summed->is_pages)
        return log_gather_write(&summed->gather, summed->below, bytes, n, at);
    if (!is_page(n, at))
        return summed->below->pMethods->xWrite(summed->below, bytes, n, at);
    if (at == 0)
        summed->has_sums = ((const unsigned char *)bytes)[HEAD_RESERVED_AT] == SUM_BYTES;
    if (!summed->has_sums)
        return summed->below->pMethods->xWrite(summed->below, bytes, n, at);
    if (summed->n_page < n) {
        free(summed->page);
        summed->page = mem_alloc((size_t)n);
        summed->n_page = n;
    }
    memcpy(summed->page, bytes, (size_t)n);
    sum_of(summed->page, n, at, summed->page + n - SUM_BYTES);
    return summed->below->pMethods->xWrite(summed->below, summed->page, n, at);
}

static int sum_close(sqlite3_file *file)
{
    int flushed = log_gather_flush(&ours(file)->gather, below(file));
    int rc = below(file)->pMethods->xClose(below(file));

    log_gather_done(&ours(file)->gather);
    rc = flushed == SQLITE_OK ? rc : flushed;
    free(ours(file)->page);
    ours(file)->page = NULL;
    return rc;
}

static int sum_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int rc = log_gather_flush(&ours(file)->gather, below(file));

    return rc == SQLITE_OK ? below(file)->pMethods->xTruncate(below(file), size) : rc;
}

static int sum_sync(sqlite3_file *file, int flags)
{
    int rc = log_gather_flush(&ours(file)->gather, below(file));

    return rc == SQLITE_OK ? below(file)->pMethods->xSync(below(file), flags) : rc;
}

static int sum_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    int rc = log_gather_flush(&ours(file)->gather, below(file));

    return rc == SQLITE_OK ? below(file)->pMethods->xFileSize(below(file), ret_size) : rc;
}

static int sum_lock(sqlite3_file *file, int level)
{
    return below(file)->pMethods->xLock(below(file), level);
}

static int sum_unlock(sqlite3_file *file, int level)
{
    return below(file)->pMethods->xUnlock(below(file), level);
}

static int sum_reserved(sqlite3_file *file, int *ret_is)
{
    return below(file)->pMethods->xCheckReservedLock(below(file), ret_is);
}

static int sum_control(sqlite3_file *file, int op, void *arg)
{
    return below(file)->pMethods->xFileControl(below(file), op, arg);
}

static int sum_sector(sqlite3_file *file)
{
    return below(file)->pMethods->xSectorSize(below(file));
}

static int sum_traits(sqlite3_file *file)
{
    return below(file)->pMethods->xDeviceCharacteristics(below(file));
}

static int sum_shm_map(sqlite3_file *file, int i, int size, int extend, void volatile **ret_bytes)
{
    return below(file)->pMethods->xShmMap(below(file), i, size, extend, ret_bytes);
}

static int sum_shm_lock(sqlite3_file *file, int at, int n, int flags)
{
    return below(file)->pMethods->xShmLock(below(file), at, n, flags);
}

static void sum_shm_barrier(sqlite3_file *file)
{
    below(file)->pMethods->xShmBarrier(below(file));
}

static int sum_shm_unmap(sqlite3_file *file, int delete)
{
    return below(file)->pMethods->xShmUnmap(below(file), delete);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, /* no memory map: it would go past the sums */
    .xClose = sum_close,
    .xRead = sum_read,
    .xWrite = sum_write,
    .xTruncate = sum_truncate,
    .xSync = sum_sync,
    .xFileSize = sum_size,
    .xLock = sum_lock,
    .xUnlock = sum_unlock,
    .xCheckReservedLock = sum_reserved,
    .xFileControl = sum_control,
    .xSectorSize = sum_sector,
    .xDeviceCharacteristics = sum_traits,
    .xShmMap = sum_shm_map,
    .xShmLock = sum_shm_lock,
    .xShmBarrier = sum_shm_barrier,
    .xShmUnmap = sum_shm_unmap,
};

static int sum_open(
    sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *ret_flags)
{
    struct summed_file *summed = ours(file);

    if (!(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
        return below_vfs->xOpen(below_vfs, name, file, flags, ret_flags);
    *summed = (struct summed_file){.below = (sqlite3_file *)(summed + 1),
                                   .is_pages = (flags & SQLITE_OPEN_MAIN_DB) != 0};
    int rc = below_vfs->xOpen(below_vfs, name, summed->below, flags, ret_flags);
    summed->base.pMethods = summed->below->pMethods ? &methods : NULL;
    if (rc == SQLITE_OK && summed->is_pages && (flags & SQLITE_OPEN_CREATE))
        summed->has_sums = copy_has_sums;
    return rc;
}

/* --- for the program --- */

static void register_once(void)
{
    /* What a job may take back is kept in memory, not in a file: before anything else of SQLite. A
     * bound instead of -1 would be allocated at once, by each statement. */
    (void)sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1);
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* a lock around each allocation */
    below_vfs = sqlite3_vfs_find(NULL);
    if (!below_vfs) {
        register_rc = SQLITE_ERROR;
        return;
    }
    our_vfs = *below_vfs;
    our_vfs.pNext = NULL;
    our_vfs.zName = "page_sum";
    our_vfs.szOsFile = (int)sizeof(struct summed_file) + below_vfs->szOsFile;
    our_vfs.xOpen = sum_open;
    register_rc = sqlite3_vfs_register(&our_vfs, 0);
}

const char *page_sum_layer(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, register_once);
    return register_rc == SQLITE_OK ? our_vfs.zName : NULL;
}

void page_sum_gather(sqlite3 *handle)
{
    sqlite3_file *log = NULL;

    if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK &&
        log && log->pMethods == &methods && !ours(log)->is_pages)
        ours(log)->gather.is_on = true;
}

int page_sum_begin(sqlite3 *handle)
{
    int n = SUM_BYTES;

    return sqlite3_file_control(handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &n);
}

void page_sum_copying(sqlite3 *handle, bool is_copying)
{
    int n = -1; /* asks */

    copy_has_sums = is_copying &&
                    sqlite3_file_control(handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &n) ==
                        SQLITE_OK &&
                    n == SUM_BYTES;
}
