#pragma once

/*
 * One file of the spool: its bytes on disk (docs/formats/spool.md draws them).
 *
 *     | head, 32 bytes | record | record | ... | perhaps a torn tail |
 *
 * A record is written by one pwrite() and never changes, but for one byte: its state,
 * which goes from pending to done when the server has it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum {
    SPOOL_HEAD_BYTES = 32,   /* of a segment */
    SPOOL_RECORD_BYTES = 32, /* in front of each payload */
    SPOOL_PAYLOAD_MAX = 16 * 1024 * 1024,
};

struct spool_record_head {
    uint32_t len; /* of the payload */
    bool is_done;
    uint64_t sequence;
    int64_t at_ms;
};

/* What a scan of a whole segment found. */
struct spool_scan {
    uint64_t epoch;
    int64_t end;      /* behind the last record that is whole */
    int64_t file_len; /* past `end`: a torn tail */
    size_t n_bad;     /* places in between that are no record */
    /* Called for each whole record. */
    void (*found)(void *of, int64_t offset, const struct spool_record_head *head);
    void *of;
};

/* Writes the head into a new file; 0 or negative errno. */
int spool_segment_begin(int fd, uint64_t epoch);

/* Writes one record at offset; 0 or negative errno (the file may then hold a part of it:
 * cut it back to offset). */
int spool_segment_write(int fd,
                        int64_t offset,
                        const struct spool_record_head *head,
                        const void *payload);

/* Turns the record at offset to done. */
int spool_segment_mark(int fd, int64_t offset);

/* Reads and checks the record at offset; payload holds head->len bytes at most `room`.
 * 0, -EBADMSG when it is damaged, negative errno. */
int spool_segment_read(
    int fd, int64_t offset, struct spool_record_head *ret_head, void *payload, size_t room);

/* Walks the file; damaged records are stepped over to the next whole one. 0, -EBADMSG
 * when the head is no segment's, negative errno. */
int spool_segment_scan(int fd, struct spool_scan *scan);
