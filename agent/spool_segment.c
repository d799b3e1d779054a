/*
 * One file of the spool. See spool_segment.h.
 */

#include "agent/spool_segment.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/crc32c.h"

enum {
    AT_CRC = 8,
    AT_STATE = 12,
    STATE_PENDING = 0,
    STATE_DONE = 0xff,
};

static const unsigned char segment_magic[8] = {'W', 'B', 'S', 'P', 'O', 'O', 'L', '1'};
static const unsigned char record_magic[4] = {'W', 'B', 'R', 'C'};

static void put32(unsigned char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

static void put64(unsigned char *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

static uint32_t get32(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t get64(const unsigned char *at)
{
    return (uint64_t)get32(at) | (uint64_t)get32(at + 4) << 32;
}

/* Over everything but itself and the state. */
static uint32_t record_crc(const unsigned char *head, const void *payload, size_t len)
{
    uint32_t crc = crc32c(0, head, AT_CRC);

    crc = crc32c(crc, head + 16, SPOOL_RECORD_BYTES - 16);
    return crc32c(crc, payload, len);
}

int spool_segment_begin(int fd, uint64_t epoch)
{
    unsigned char head[SPOOL_HEAD_BYTES] = {0};

    memcpy(head, segment_magic, sizeof(segment_magic));
    put64(head + 8, epoch);
    put32(head + 28, crc32c(0, head, 28));
    ssize_t put = pwrite(fd, head, sizeof(head), 0);
    if (put < 0)
        return -errno;
    return put == sizeof(head) ? 0 : -ENOSPC;
}

int spool_segment_write(int fd,
                        int64_t offset,
                        const struct spool_record_head *head,
                        const void *payload)
{
    unsigned char bytes[SPOOL_RECORD_BYTES] = {0};
    struct iovec parts[] = {{bytes, sizeof(bytes)}, {NULL, head->len}};

    memcpy(&parts[1].iov_base, &payload, sizeof(payload)); /* iovec knows no const */

    memcpy(bytes, record_magic, sizeof(record_magic));
    put32(bytes + 4, head->len);
    put64(bytes + 16, head->sequence);
    put64(bytes + 24, (uint64_t)head->at_ms);
    put32(bytes + AT_CRC, record_crc(bytes, payload, head->len));
    ssize_t put = pwritev(fd, parts, 2, (off_t)offset);
    if (put < 0)
        return -errno;
    return (size_t)put == sizeof(bytes) + head->len ? 0 : -ENOSPC;
}

int spool_segment_mark(int fd, int64_t offset)
{
    const unsigned char done = STATE_DONE;

    return pwrite(fd, &done, 1, (off_t)(offset + AT_STATE)) == 1 ? 0 : -errno;
}

/* False when these bytes start no record that fits into `left`. */
static bool read_head(const unsigned char *bytes, size_t left, struct spool_record_head *ret_head)
{
    if (left < SPOOL_RECORD_BYTES || memcmp(bytes, record_magic, sizeof(record_magic)) != 0)
        return false;
    ret_head->len = get32(bytes + 4);
    ret_head->is_done = bytes[AT_STATE] != STATE_PENDING;
    ret_head->sequence = get64(bytes + 16);
    ret_head->at_ms = (int64_t)get64(bytes + 24);
    return ret_head->len <= SPOOL_PAYLOAD_MAX && ret_head->len <= left - SPOOL_RECORD_BYTES;
}

static bool is_whole(const unsigned char *bytes, const struct spool_record_head *head)
{
    return get32(bytes + AT_CRC) == record_crc(bytes, bytes + SPOOL_RECORD_BYTES, head->len);
}

int spool_segment_read(
    int fd, int64_t offset, struct spool_record_head *ret_head, void *payload, size_t room)
{
    unsigned char bytes[SPOOL_RECORD_BYTES];
    struct spool_record_head head;
    ssize_t got = pread(fd, bytes, sizeof(bytes), (off_t)offset);

    if (got < 0)
        return -errno;
    if (!read_head(bytes, (size_t)got + room, &head) || head.len > room)
        return -EBADMSG;
    got = pread(fd, payload, head.len, (off_t)(offset + SPOOL_RECORD_BYTES));
    if (got < 0)
        return -errno;
    if ((size_t)got != head.len || get32(bytes + AT_CRC) != record_crc(bytes, payload, head.len))
        return -EBADMSG;
    *ret_head = head;
    return 0;
}

/* Where the next record may start after a damaged one; len when there is none. */
static size_t next_magic(const unsigned char *bytes, size_t at, size_t len)
{
    const unsigned char *found;

    if (at >= len)
        return len;
    found = memmem(bytes + at, len - at, record_magic, sizeof(record_magic));
    return found ? (size_t)(found - bytes) : len;
}

static void walk(const unsigned char *bytes, size_t len, struct spool_scan *scan)
{
    size_t at = SPOOL_HEAD_BYTES;
    bool in_damage = false;

    scan->end = SPOOL_HEAD_BYTES;
    while (at < len) {
        struct spool_record_head head;

        if (read_head(bytes + at, len - at, &head) && is_whole(bytes + at, &head)) {
            scan->n_bad += in_damage;
            in_damage = false;
            scan->found(scan->of, (int64_t)at, &head);
            at += SPOOL_RECORD_BYTES + head.len;
            scan->end = (int64_t)at;
        } else {
            in_damage = true; /* counted only when a whole record follows: else it is the tail */
            at = next_magic(bytes, at + 1, len);
        }
    }
}

int spool_segment_scan(int fd, struct spool_scan *scan)
{
    struct stat info;
    void *bytes;
    int r = 0;

    if (fstat(fd, &info) < 0)
        return -errno;
    scan->file_len = info.st_size;
    if (info.st_size < SPOOL_HEAD_BYTES)
        return -EBADMSG;
    bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return -errno;
    if (memcmp(bytes, segment_magic, sizeof(segment_magic)) != 0 ||
        get32((const unsigned char *)bytes + 28) != crc32c(0, bytes, 28)) {
        r = -EBADMSG;
    } else {
        scan->epoch = get64((const unsigned char *)bytes + 8);
        walk(bytes, (size_t)info.st_size, scan);
    }
    (void)munmap(bytes, (size_t)info.st_size);
    return r;
}
