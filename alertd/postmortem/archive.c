/*
 * A tar file. See archive.h.
 *
 *   header (512 bytes, numbers in octal) | content, filled up to 512 | ... | 1,024 zeros
 */

#include "alertd/postmortem/archive.h"

#include <assert.h>
#include <string.h>

enum {
    BLOCK = 512
};

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is a block");

/* Digits up to the last byte, which stays NUL; our texts are far below what fits. */
static void octal(char *field, size_t size, uint64_t value)
{
    for (size_t i = size - 1; i-- > 0; value >>= 3)
        field[i] = (char)('0' + (value & 7));
}

static void fill_up(struct str *out, size_t len)
{
    static const char zeros[BLOCK] = {0};

    if (len % BLOCK)
        str_addn(out, zeros, BLOCK - len % BLOCK);
}

void archive_add(struct str *out, const char *name, const char *bytes, size_t len, int64_t at_ms)
{
    struct header header = {.type = '0', .magic = "ustar", .version = {'0', '0'}};
    unsigned sum = 0;

    assert(strlen(name) < sizeof(header.name));
    memcpy(header.name, name, strlen(name));
    octal(header.mode, sizeof(header.mode), 0644);
    octal(header.uid, sizeof(header.uid), 0);
    octal(header.gid, sizeof(header.gid), 0);
    octal(header.size, sizeof(header.size), len);
    octal(header.mtime, sizeof(header.mtime), at_ms > 0 ? (uint64_t)at_ms / 1000 : 0);
    memset(header.checksum, ' ', sizeof(header.checksum));
    for (size_t i = 0; i < sizeof(header); i++)
        sum += ((const unsigned char *)&header)[i];
    octal(header.checksum, 7, sum); /* and the blank that stands there */
    str_addn(out, (const char *)&header, sizeof(header));
    str_addn(out, bytes, len);
    fill_up(out, len);
}

void archive_end(struct str *out)
{
    static const char zeros[2 * BLOCK] = {0};

    str_addn(out, zeros, sizeof(zeros));
}
