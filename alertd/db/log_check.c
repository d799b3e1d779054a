/*
 * Whether a log (-wal) that a killed process left behind ends where it was written to, or where
 * a bit flipped: SQLite reads up to the first frame that is not right, and says nothing.
 *
 *     head (32 bytes) | frame: page number, size of the database if it ends a commit, two salts,
 *                       two checksums over all before | page | frame ...
 *
 * A commit begins when the one before is synced. So behind the break there is the rest of one
 * commit at most, unless something acknowledged was damaged.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alertd/db/private.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum {
    HEAD_BYTES = 32,
    FRAME_BYTES = 24,
    SALTS_AT = 8,
    SALT_BYTES = 8,
};

struct sums {
    uint32_t a, b;
    bool is_big; /* the words summed are big-endian */
};

static uint32_t word(const unsigned char *at, bool is_big)
{
    return is_big ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]
                  : (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static void sums_add(struct sums *sums, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        sums->a += word(bytes + i, sums->is_big) + sums->b;
        sums->b += word(bytes + i + 4, sums->is_big) + sums->a;
    }
}

static bool sums_are(const struct sums *sums, const unsigned char *stored)
{
    return sums->a == word(stored, true) && sums->b == word(stored + 4, true);
}

static size_t count_lost(int fd, unsigned char *frame, size_t page_bytes)
{
    size_t frame_bytes = FRAME_BYTES + page_bytes;
    unsigned char head[HEAD_BYTES];
    unsigned char salts[SALT_BYTES];
    size_t n_commits = 0;

    if (pread(fd, head, sizeof(head), 0) != sizeof(head))
        return 0;
    struct sums sums = {.is_big = (head[3] & 1) != 0};
    sums_add(&sums, head, HEAD_BYTES - 8);
    bool whole = sums_are(&sums, head + HEAD_BYTES - 8);
    memcpy(salts, head + 16, sizeof(salts));
    for (off_t i = 0;; i++) {
        off_t at = HEAD_BYTES + i * (off_t)frame_bytes;
        if (pread(fd, frame, frame_bytes, at) != (ssize_t)frame_bytes)
            break;
        if (i == 0 && !whole)
            memcpy(salts, frame + SALTS_AT, sizeof(salts));
        bool is_current = memcmp(salts, frame + SALTS_AT, sizeof(salts)) == 0;
        sums_add(&sums, frame, SALTS_AT);
        sums_add(&sums, frame + FRAME_BYTES, page_bytes);
        whole = whole && is_current && sums_are(&sums, frame + SALTS_AT + SALT_BYTES);
        n_commits += !whole && is_current && word(frame + 4, true) != 0;
    }
    return n_commits > 1 ? n_commits : 0;
}

size_t db_log_lost(const char *path, size_t page_bytes)
{
    STR_AUTO struct str name = STR_INIT(4096);

    str_addf(&name, "%s-wal", path);
    int fd = open(str_text(&name), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    MEM_AUTO unsigned char *frame = mem_alloc(FRAME_BYTES + page_bytes);
    size_t n = count_lost(fd, frame, page_bytes);
    (void)close(fd);
    return n;
}
