/*
 * Batches that wait for the server. See spool.h.
 *
 * In memory there is one small entry per waiting record, in the order of appending:
 *
 *     records  [ done | wait | wait | done | wait ]
 *                first ^                  newest ^
 *
 * Done ones at either end are forgotten at once, those in between (a batch accepted
 * while a newer one came) when the end reaches them.
 */

#include "agent/spool.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/spool_segment.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"

enum {
    SEGMENTS = 16, /* a full spool has about this many files */
    SEGMENT_BYTES_MIN = 64 * 1024,
    SEGMENT_BYTES_MAX = 4 * 1024 * 1024,
    NAME_MAX_BYTES = 32,
};

struct segment {
    uint64_t id;
    uint64_t epoch;
    int64_t bytes;
    size_t n_waiting;
};

struct record {
    struct segment *segment;
    int64_t offset;
    uint32_t len;
    bool is_done;
    uint64_t sequence;
    int64_t at_ms;
};

struct spool {
    int folder_fd, lock_fd;
    int fd; /* of the last segment, which is the one written to */
    struct spool_limits limits;
    int64_t segment_bytes;
    uint64_t epoch, sequence;  /* of the last batch */
    struct segment **segments; /* oldest first */
    size_t n_segments, segments_capacity;
    struct record *records; /* [first, first + n) */
    size_t first, n, records_capacity;
    uint64_t bytes; /* of all segments */
    char *held;     /* invariant (5); NULL: nothing */
    size_t held_len;
    struct spool_id held_id;
    int64_t held_at_ms;
    char *buffer; /* what spool_read() lends */
    size_t buffer_capacity;
    struct spool_id lent; /* what it lent last, and perhaps is on its way now */
    uint64_t *lent_drop;  /* a limit dropped it meanwhile: where that counts if it fails */
    struct spool_stats stats;
};

static const char *segment_name(uint64_t id, char name[NAME_MAX_BYTES])
{
    (void)snprintf(name, NAME_MAX_BYTES, "%012llu.wbs", (unsigned long long)id);
    return name;
}

static struct segment *active(const struct spool *spool)
{
    return spool->segments[spool->n_segments - 1];
}

static void add_record(struct spool *spool, const struct record *record)
{
    if (spool->first && spool->first + spool->n == spool->records_capacity) {
        memmove(spool->records, spool->records + spool->first, spool->n * sizeof(*spool->records));
        spool->first = 0;
    }
    spool->records = mem_grow(spool->records, &spool->records_capacity, spool->first + spool->n + 1,
                              sizeof(*spool->records));
    spool->records[spool->first + spool->n++] = *record;
    record->segment->n_waiting++;
}

static struct segment *add_segment(struct spool *spool, uint64_t id, uint64_t epoch)
{
    struct segment *segment = mem_zalloc(sizeof(*segment));

    segment->id = id;
    segment->epoch = epoch;
    spool->segments = mem_grow(spool->segments, &spool->segments_capacity, spool->n_segments + 1,
                               sizeof(struct segment *));
    spool->segments[spool->n_segments++] = segment;
    return segment;
}

static void remove_segment(struct spool *spool, size_t index)
{
    char name[NAME_MAX_BYTES];
    struct segment *segment = spool->segments[index];

    assert(segment->n_waiting == 0);
    (void)unlinkat(spool->folder_fd, segment_name(segment->id, name), 0);
    spool->bytes -= (uint64_t)segment->bytes;
    memmove(&spool->segments[index], &spool->segments[index + 1],
            (spool->n_segments - index - 1) * sizeof(struct segment *));
    spool->n_segments--;
    free(segment);
}

/* Files in which nothing waits; the active one is cut back when it has grown. */
static void tidy(struct spool *spool)
{
    while (spool->n && spool->records[spool->first].is_done) {
        spool->first++;
        spool->n--;
    }
    while (spool->n && spool->records[spool->first + spool->n - 1].is_done)
        spool->n--;
    for (size_t i = spool->n_segments; i-- > 0;)
        if (spool->segments[i]->n_waiting == 0 && spool->segments[i] != active(spool))
            remove_segment(spool, i);
    if (active(spool)->n_waiting == 0 && active(spool)->bytes > spool->segment_bytes / 4 &&
        ftruncate(spool->fd, SPOOL_HEAD_BYTES) == 0) {
        spool->bytes -= (uint64_t)(active(spool)->bytes - SPOOL_HEAD_BYTES);
        active(spool)->bytes = SPOOL_HEAD_BYTES;
    }
}

static void set_done(struct record *record)
{
    if (!record->is_done)
        record->segment->n_waiting--;
    record->is_done = true;
}

/* A limit drops a record. One that is on its way just now counts as lost only when it
 * does not arrive. */
static void drop(struct spool *spool, struct record *record, uint64_t *counter)
{
    set_done(record);
    if (record->sequence == spool->lent.sequence && record->segment->epoch == spool->lent.epoch)
        spool->lent_drop = counter;
    else
        (*counter)++;
}

/* The last attempt is over and did not end in spool_forget(). */
static void settle_lent(struct spool *spool)
{
    if (spool->lent_drop)
        (*spool->lent_drop)++;
    spool->lent_drop = NULL;
    spool->lent = (struct spool_id){0, 0};
}

/* Says on disk, too, that nobody needs to send this any more. */
static void mark_on_disk(const struct spool *spool, const struct record *record)
{
    char name[NAME_MAX_BYTES];
    bool is_active = record->segment == active(spool);
    int fd = is_active ? spool->fd
                       : openat(spool->folder_fd, segment_name(record->segment->id, name),
                                O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return; /* it will be sent once more after a restart, and recognised */
    (void)spool_segment_mark(fd, record->offset);
    if (!is_active)
        (void)close(fd);
}

static int fail(struct err *reterr, int code, const char *what, const char *name)
{
    return err_set(reterr, code, "spool: cannot %s %s: %s", what, name, strerrordesc_np(-code));
}

/* Begins a new last file. */
static int begin_segment(struct spool *spool, struct err *reterr)
{
    char name[NAME_MAX_BYTES];
    uint64_t id = spool->n_segments ? active(spool)->id + 1 : 1;
    int fd;
    int r;

    (void)segment_name(id, name);
    fd = openat(spool->folder_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(reterr, -errno, "make", name);
    r = spool_segment_begin(fd, spool->epoch);
    if (r < 0) {
        (void)close(fd);
        (void)unlinkat(spool->folder_fd, name, 0);
        return fail(reterr, r, "write", name);
    }
    if (spool->fd >= 0) {
        (void)fdatasync(spool->fd);
        (void)close(spool->fd);
    }
    spool->fd = fd;
    add_segment(spool, id, spool->epoch)->bytes = SPOOL_HEAD_BYTES;
    spool->bytes += SPOOL_HEAD_BYTES;
    (void)fsync(spool->folder_fd);
    return 0;
}

/* The oldest file with everything in it that still waits. */
static void drop_oldest_segment(struct spool *spool)
{
    struct segment *oldest = spool->segments[0];

    for (size_t i = spool->first; i < spool->first + spool->n; i++)
        if (spool->records[i].segment == oldest && !spool->records[i].is_done)
            drop(spool, &spool->records[i], &spool->stats.n_dropped_size);
    tidy(spool); /* removes the file: nothing in it waits */
}

void spool_expire(struct spool *spool, int64_t now_ms)
{
    bool any = false;

    for (size_t i = spool->first; i < spool->first + spool->n; i++) {
        struct record *record = &spool->records[i];

        if (record->is_done)
            continue;
        if (now_ms - record->at_ms <= spool->limits.max_age_ms)
            break;
        mark_on_disk(spool, record);
        drop(spool, record, &spool->stats.n_dropped_age);
        any = true;
    }
    if (any)
        tidy(spool);
}

/* Room for one more record: a new file when the last is full (a record larger than a
 * file gets one of its own), an old one less when all together are. */
static int make_room(struct spool *spool, int64_t need, struct err *reterr)
{
    int r = 0;

    if ((uint64_t)need > spool->limits.max_bytes / 2)
        return err_set(reterr, -EFBIG, "spool: a batch of %lld bytes is more than half of it",
                       (long long)need);
    if (active(spool)->bytes > SPOOL_HEAD_BYTES &&
        active(spool)->bytes + need > spool->segment_bytes)
        r = begin_segment(spool, reterr);
    tidy(spool); /* the one before may hold nothing that waits */
    while (r == 0 && spool->bytes + (uint64_t)need > spool->limits.max_bytes &&
           spool->n_segments > 1)
        drop_oldest_segment(spool);
    return r;
}

static int write_record(
    struct spool *spool, const void *bytes, size_t len, int64_t now_ms, struct err *reterr)
{
    struct segment *segment = active(spool);
    const struct spool_record_head head = {
        .len = (uint32_t)len, .sequence = spool->sequence, .at_ms = now_ms};
    const struct record record = {segment, segment->bytes,  (uint32_t)len,
                                  false,   spool->sequence, now_ms};
    int r = spool_segment_write(spool->fd, segment->bytes, &head, bytes);

    if (r < 0) {
        (void)!ftruncate(spool->fd, (off_t)segment->bytes);
        return fail(reterr, r, "write", "a batch");
    }
    if (spool->n) /* the server does not take what we have: this may have to last */
        (void)fdatasync(spool->fd);
    add_record(spool, &record);
    segment->bytes += SPOOL_RECORD_BYTES + (int64_t)len;
    spool->bytes += SPOOL_RECORD_BYTES + len;
    return 0;
}

static void drop_held(struct spool *spool)
{
    free(spool->held);
    spool->held = NULL;
}

int spool_append(
    struct spool *spool, const void *bytes, size_t len, int64_t now_ms, struct err *reterr)
{
    int r;

    spool->sequence++;
    if (spool->held) {
        spool->stats.n_dropped_disk++;
        drop_held(spool);
    }
    spool_expire(spool, now_ms);
    r = make_room(spool, SPOOL_RECORD_BYTES + (int64_t)len, reterr);
    if (r == 0)
        r = write_record(spool, bytes, len, now_ms, reterr);
    if (r == -ENOSPC && spool->n_segments > 1) { /* give back what we have, then try once more */
        drop_oldest_segment(spool);
        r = write_record(spool, bytes, len, now_ms, reterr);
    }
    if (r == 0)
        return 0;
    spool->stats.n_write_errors++;
    spool->held = mem_dup(bytes, len);
    spool->held_len = len;
    spool->held_id = (struct spool_id){spool->epoch, spool->sequence};
    spool->held_at_ms = now_ms;
    return r;
}

bool spool_live(const struct spool *spool, struct spool_id *ret_id)
{
    const struct record *newest = spool->n ? &spool->records[spool->first + spool->n - 1] : NULL;

    if (spool->held) {
        *ret_id = spool->held_id;
        return true;
    }
    if (!newest || newest->segment->epoch != spool->epoch || newest->sequence != spool->sequence)
        return false;
    *ret_id = (struct spool_id){spool->epoch, newest->sequence};
    return true;
}

bool spool_backlog(const struct spool *spool, struct spool_id *ret_id)
{
    struct spool_id live = {0, 0};
    const struct record *oldest = spool->n ? &spool->records[spool->first] : NULL;

    (void)spool_live(spool, &live);
    if (!oldest || (oldest->segment->epoch == live.epoch && oldest->sequence == live.sequence))
        return false;
    *ret_id = (struct spool_id){oldest->segment->epoch, oldest->sequence};
    return true;
}

static struct record *find(struct spool *spool, const struct spool_id *id)
{
    for (size_t i = 0; i < spool->n; i++) { /* wanted ones are at the ends, nearly always */
        size_t at = spool->first + (i % 2 ? i / 2 : spool->n - 1 - i / 2);
        struct record *record = &spool->records[at];

        if (!record->is_done && record->sequence == id->sequence &&
            record->segment->epoch == id->epoch)
            return record;
    }
    return NULL;
}

static int read_record(struct spool *spool, const struct record *record)
{
    char name[NAME_MAX_BYTES];
    struct spool_record_head head;
    int fd = openat(spool->folder_fd, segment_name(record->segment->id, name),
                    O_RDONLY | O_CLOEXEC);
    int r;

    if (fd < 0)
        return -errno;
    spool->buffer = mem_grow(spool->buffer, &spool->buffer_capacity, record->len, 1);
    r = spool_segment_read(fd, record->offset, &head, spool->buffer, record->len);
    (void)close(fd);
    return r;
}

int spool_read(struct spool *spool,
               const struct spool_id *id,
               const char **ret_bytes,
               size_t *ret_len)
{
    struct record *record;
    int r;

    settle_lent(spool);
    if (spool->held && spool->held_id.epoch == id->epoch &&
        spool->held_id.sequence == id->sequence) {
        *ret_bytes = spool->held;
        *ret_len = spool->held_len;
        return 0;
    }
    record = find(spool, id);
    if (!record)
        return -ENOENT;
    r = read_record(spool, record);
    if (r < 0) {
        spool->stats.n_corrupt++;
        set_done(record);
        tidy(spool);
        return -EBADMSG;
    }
    spool->lent = *id;
    *ret_bytes = spool->buffer;
    *ret_len = record->len;
    return 0;
}

void spool_forget(struct spool *spool, const struct spool_id *id)
{
    struct record *record;

    spool->lent_drop = NULL; /* it arrived */
    settle_lent(spool);
    if (spool->held && spool->held_id.epoch == id->epoch &&
        spool->held_id.sequence == id->sequence) {
        drop_held(spool);
        return;
    }
    record = find(spool, id);
    if (!record)
        return; /* a limit was faster */
    mark_on_disk(spool, record);
    set_done(record);
    tidy(spool);
}

void spool_get_stats(const struct spool *spool, struct spool_stats *ret_stats)
{
    *ret_stats = spool->stats;
    ret_stats->bytes = spool->bytes;
    ret_stats->n_records = spool->held ? 1 : 0;
    ret_stats->oldest_ms = spool->held ? spool->held_at_ms : 0;
    for (size_t i = 0; i < spool->n_segments; i++)
        ret_stats->n_records += spool->segments[i]->n_waiting;
    if (spool->n)
        ret_stats->oldest_ms = spool->records[spool->first].at_ms;
}

/* A record of a file from before. */
struct recovery {
    struct spool *spool;
    struct segment *segment;
};

static void recover_record(void *of, int64_t offset, const struct spool_record_head *head)
{
    const struct recovery *recovery = of;
    const struct record record = {recovery->segment, offset,     head->len, false,
                                  head->sequence,    head->at_ms};

    if (!head->is_done)
        add_record(recovery->spool, &record);
}

/* Reads one file from before; one that is no segment is put aside, not deleted. */
static void recover_segment(struct spool *spool, uint64_t id)
{
    char name[NAME_MAX_BYTES];
    char aside[NAME_MAX_BYTES + 8];
    struct recovery recovery = {spool, add_segment(spool, id, 0)};
    struct spool_scan scan = {.found = recover_record, .of = &recovery};
    int fd = openat(spool->folder_fd, segment_name(id, name), O_RDWR | O_CLOEXEC);
    int r = fd < 0 ? -errno : spool_segment_scan(fd, &scan);

    recovery.segment->epoch = scan.epoch;
    recovery.segment->bytes = scan.file_len;
    spool->bytes += (uint64_t)scan.file_len;
    spool->stats.n_corrupt += scan.n_bad;
    if (r == 0 && scan.end < scan.file_len && ftruncate(fd, (off_t)scan.end) == 0) {
        spool->stats.n_torn++;
        spool->bytes -= (uint64_t)(scan.file_len - scan.end);
        recovery.segment->bytes = scan.end;
    }
    if (fd >= 0)
        (void)close(fd);
    if (r < 0) {
        spool->stats.n_corrupt++;
        (void)snprintf(aside, sizeof(aside), "%s.bad", name);
        (void)renameat(spool->folder_fd, name, spool->folder_fd, aside);
    }
}

static int by_id(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

static int recover(struct spool *spool)
{
    int fd = openat(spool->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    uint64_t *ids = NULL;
    size_t n = 0;
    size_t capacity = 0;

    if (!folder)
        return -errno;
    const struct dirent *entry;
    while ((entry = readdir(folder))) { // NOLINT(concurrency-mt-unsafe): the DIR is ours
        char *end;
        unsigned long long id = strtoull(entry->d_name, &end, 10);

        if (end == entry->d_name || strcmp(end, ".wbs") != 0)
            continue;
        ids = mem_grow(ids, &capacity, n + 1, sizeof(*ids));
        ids[n++] = id;
    }
    (void)closedir(folder);
    if (n)
        qsort(ids, n, sizeof(*ids), by_id);
    for (size_t i = 0; i < n; i++)
        recover_segment(spool, ids[i]);
    free(ids);
    return 0;
}

static int open_folder(struct spool *spool, const char *folder, struct err *reterr)
{
    int r = fs_make_folders(folder, reterr);

    if (r < 0)
        return r;
    spool->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (spool->folder_fd < 0)
        return fail(reterr, -errno, "open", folder);
    spool->lock_fd = openat(spool->folder_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (spool->lock_fd < 0)
        return fail(reterr, -errno, "open the lock of", folder);
    if (flock(spool->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return err_set(reterr, -EBUSY, "spool: another agent uses %s", folder);
    return 0;
}

int spool_open(const char *folder,
               const struct spool_limits *limits,
               uint64_t epoch,
               struct spool **ret_spool,
               struct err *reterr)
{
    struct spool *spool = mem_zalloc(sizeof(*spool));
    int64_t share = (int64_t)(limits->max_bytes / SEGMENTS);
    int r;

    spool->fd = spool->folder_fd = spool->lock_fd = -1;
    spool->limits = *limits;
    spool->epoch = epoch;
    spool->segment_bytes = share < SEGMENT_BYTES_MIN   ? SEGMENT_BYTES_MIN
                           : share > SEGMENT_BYTES_MAX ? SEGMENT_BYTES_MAX
                                                       : share;
    r = open_folder(spool, folder, reterr);
    if (r == 0) {
        r = recover(spool);
        if (r < 0)
            (void)fail(reterr, r, "read", folder);
    }
    if (r == 0)
        r = begin_segment(spool, reterr);
    if (r < 0) {
        spool_close(spool);
        return r;
    }
    tidy(spool);
    *ret_spool = spool;
    return 0;
}

void spool_close(struct spool *spool)
{
    if (!spool)
        return;
    if (spool->fd >= 0) {
        (void)fdatasync(spool->fd);
        (void)close(spool->fd);
    }
    if (spool->lock_fd >= 0)
        (void)close(spool->lock_fd);
    if (spool->folder_fd >= 0)
        (void)close(spool->folder_fd);
    for (size_t i = 0; i < spool->n_segments; i++)
        free(spool->segments[i]);
    free(spool->segments);
    free(spool->records);
    free(spool->held);
    free(spool->buffer);
    free(spool);
}
