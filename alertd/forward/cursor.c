/*
 * How far a target has got. See cursor.h.
 */

#include "alertd/forward/cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/crc32c.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum {
    FILE_BYTES_MAX = 4 << 20, /* 50,000 days */
};

static const char head[] = "watchbill forward 1\n";

void cursor_done(struct cursor *cursor)
{
    free(cursor->days);
    *cursor = (struct cursor){0};
}

void cursor_copy(struct cursor *to, const struct cursor *from)
{
    to->days = mem_grow(to->days, &to->capacity, from->n + 1, sizeof(*to->days));
    if (from->n > 0)
        memcpy(to->days, from->days, from->n * sizeof(*to->days));
    to->n = from->n;
}

static size_t place_of(const struct cursor *cursor, int64_t day_ms)
{
    size_t i = 0;

    while (i < cursor->n && cursor->days[i].day_ms < day_ms)
        i++;
    return i;
}

struct cursor_day *cursor_at(struct cursor *cursor, int64_t day_ms)
{
    size_t i = place_of(cursor, day_ms);

    if (i < cursor->n && cursor->days[i].day_ms == day_ms)
        return &cursor->days[i];
    cursor->days = mem_grow(cursor->days, &cursor->capacity, cursor->n + 1, sizeof(*cursor->days));
    memmove(&cursor->days[i + 1], &cursor->days[i], (cursor->n - i) * sizeof(*cursor->days));
    cursor->days[i] = (struct cursor_day){.day_ms = day_ms};
    cursor->n++;
    return &cursor->days[i];
}

const struct cursor_day *cursor_find(const struct cursor *cursor, int64_t day_ms)
{
    size_t i = place_of(cursor, day_ms);

    return i < cursor->n && cursor->days[i].day_ms == day_ms ? &cursor->days[i] : NULL;
}

void cursor_forget(struct cursor *cursor, size_t i)
{
    cursor->n--;
    memmove(&cursor->days[i], &cursor->days[i + 1], (cursor->n - i) * sizeof(*cursor->days));
}

static int damaged(const char *path, struct err *reterr)
{
    return err_set(reterr, CURSOR_E_DAMAGED, "%s is not what was written", path);
}

static int parse(const char *path, const char *text, struct cursor *cursor, struct err *reterr)
{
    const char *end = strstr(text, "crc32c ");
    const char *at = text + sizeof(head) - 1;
    unsigned crc;

    if (strncmp(text, head, sizeof(head) - 1) != 0 || !end)
        return damaged(path, reterr);
    // NOLINTNEXTLINE(cert-err34-c): a number that is not there does not match
    if (sscanf(end, "crc32c %8x\n", &crc) != 1 || crc != crc32c(0, text, (size_t)(end - text)))
        return damaged(path, reterr);
    while (at < end) {
        struct cursor_day day;
        int n = 0;

        // NOLINTNEXTLINE(cert-err34-c): the checksum has matched
        if (sscanf(at, "%" SCNd64 " %" SCNd64 " %" SCNu64 "\n%n", &day.day_ms, &day.row,
                   &day.samples, &n) != 3 ||
            n == 0)
            return damaged(path, reterr);
        *cursor_at(cursor, day.day_ms) = day;
        at += n;
    }
    return 0;
}

int cursor_load(const char *path, struct cursor *ret_cursor, struct err *reterr)
{
    MEM_AUTO char *text = NULL;
    struct cursor cursor = {0};
    size_t len;

    int r = fs_read(path, FILE_BYTES_MAX, &text, &len, reterr);
    if (r != 0)
        return r;
    r = strlen(text) == len ? parse(path, text, &cursor, reterr) : damaged(path, reterr);
    if (r != 0) {
        cursor_done(&cursor);
        return r;
    }
    *ret_cursor = cursor;
    return 0;
}

int cursor_save(const char *path, const struct cursor *cursor, struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(FILE_BYTES_MAX);

    str_add(&text, head);
    for (size_t i = 0; i < cursor->n; i++)
        str_addf(&text, "%" PRId64 " %" PRId64 " %" PRIu64 "\n", cursor->days[i].day_ms,
                 cursor->days[i].row, cursor->days[i].samples);
    str_addf(&text, "crc32c %08x\n", crc32c(0, str_text(&text), text.len));
    return fs_replace(path, str_text(&text), text.len, 0600, reterr);
}
