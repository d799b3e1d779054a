/*
 * A TZif file (RFC 8536) becomes a zone. See zone.h.
 *
 *     header v1 | data with 4-byte times | header v2+ | data with 8-byte times | \n footer \n
 *
 * Every count is checked against what is there before it is believed, and every index
 * against its table: the bytes may be anybody's.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/model/zone_private.h"

enum {
    FILE_MAX = 256 * 1024,
    HEADER_LEN = 44,
    TYPE_LEN = 6,
    FOOTER_MAX = 128,
    CHARS_MAX = 1024,
};

struct header {
    char version;
    uint32_t n_utc, n_standard, n_leaps, n_changes, n_types, n_chars;
};

struct cursor {
    const unsigned char *at;
    size_t left;
};

static uint32_t be32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t be_time(const unsigned char *at, size_t width)
{
    if (width == 4)
        return (int32_t)be32(at);
    return (int64_t)((uint64_t)be32(at) << 32 | be32(at + 4));
}

static const unsigned char *take(struct cursor *cursor, size_t len)
{
    const unsigned char *at = cursor->at;

    if (len > cursor->left)
        return NULL;
    cursor->at += len;
    cursor->left -= len;
    return at;
}

static bool read_header(struct cursor *cursor, struct header *ret_header)
{
    const unsigned char *at = take(cursor, HEADER_LEN);

    if (!at || memcmp(at, "TZif", 4) != 0)
        return false;
    *ret_header = (struct header){
        .version = (char)at[4],
        .n_utc = be32(at + 20),
        .n_standard = be32(at + 24),
        .n_leaps = be32(at + 28),
        .n_changes = be32(at + 32),
        .n_types = be32(at + 36),
        .n_chars = be32(at + 40),
    };
    return ret_header->n_changes <= ZONE_CHANGES_MAX && ret_header->n_types > 0 &&
           ret_header->n_types <= ZONE_TYPES_MAX && ret_header->n_chars <= CHARS_MAX &&
           ret_header->n_leaps <= CHARS_MAX && ret_header->n_utc <= ZONE_TYPES_MAX &&
           ret_header->n_standard <= ZONE_TYPES_MAX;
}

static size_t data_len(const struct header *h, size_t width)
{
    return h->n_changes * (width + 1) + h->n_types * (size_t)TYPE_LEN + h->n_chars +
           h->n_leaps * (width + 4) + h->n_standard + h->n_utc;
}

static bool read_type(const unsigned char *at,
                      const unsigned char *chars,
                      size_t n_chars,
                      struct zone_type *type)
{
    size_t begin = at[5];
    size_t n = 0;

    type->offset_s = (int32_t)be32(at);
    type->is_dst = at[4] != 0;
    if (type->offset_s <= -ZONE_OFFSET_MAX_S || type->offset_s >= ZONE_OFFSET_MAX_S || at[4] > 1 ||
        begin >= n_chars)
        return false;
    for (; begin + n < n_chars && chars[begin + n] && n + 1 < ZONE_ABBREVIATION_MAX; n++)
        type->abbreviation[n] = (char)chars[begin + n];
    return true;
}

static bool read_data(struct cursor *cursor,
                      const struct header *h,
                      size_t width,
                      struct zone *zone)
{
    const unsigned char *data = take(cursor, data_len(h, width));

    if (!data)
        return false;
    const unsigned char *indexes = data + h->n_changes * width;
    const unsigned char *types = indexes + h->n_changes;
    const unsigned char *chars = types + h->n_types * (size_t)TYPE_LEN;

    zone->types = mem_zalloc(h->n_types * sizeof(*zone->types));
    zone->n_types = h->n_types;
    zone->changes_s = mem_zalloc((h->n_changes + 1) * sizeof(*zone->changes_s));
    zone->change_types = mem_zalloc(h->n_changes + 1);
    zone->n_changes = h->n_changes;
    for (size_t i = 0; i < h->n_types; i++)
        if (!read_type(types + i * TYPE_LEN, chars, h->n_chars, &zone->types[i]))
            return false;
    for (size_t i = 0; i < h->n_changes; i++) {
        zone->changes_s[i] = be_time(data + i * width, width);
        zone->change_types[i] = indexes[i];
        if (indexes[i] >= h->n_types || (i > 0 && zone->changes_s[i] <= zone->changes_s[i - 1]))
            return false;
    }
    return true;
}

static int read_footer(struct cursor *cursor, struct zone *zone, struct err *reterr)
{
    const unsigned char *begin = take(cursor, 1);
    char text[FOOTER_MAX];
    const unsigned char *end = NULL;

    if (begin && *begin == '\n')
        end = memchr(cursor->at, '\n', cursor->left);
    if (!end || end - cursor->at >= FOOTER_MAX)
        return err_set(reterr, ZONE_E_DATA, "the footer is missing or too long");
    memcpy(text, cursor->at, (size_t)(end - cursor->at));
    text[end - cursor->at] = '\0';
    return text[0] ? zone_rule_parse(text, &zone->rule, reterr) : 0;
}

static int read_file(struct cursor *cursor, struct zone *zone, struct err *reterr)
{
    struct header header;
    size_t width = 4;

    if (!read_header(cursor, &header))
        return err_set(reterr, ZONE_E_DATA, "no TZif file, or one with impossible counts");
    if (header.version >= '2') {
        if (!take(cursor, data_len(&header, width)) || !read_header(cursor, &header))
            return err_set(reterr, ZONE_E_DATA, "cut off before the 64-bit data");
        width = 8;
    }
    if (header.n_leaps > 0)
        return err_set(reterr, ZONE_E_DATA,
                       "counts leap seconds (a right/ zone): take the usual one");
    if (!read_data(cursor, &header, width, zone))
        return err_set(reterr, ZONE_E_DATA, "cut off, or a table points outside another");
    return width == 8 ? read_footer(cursor, zone, reterr) : 0;
}

int zone_read(
    const void *bytes, size_t len, const char *name, struct zone **ret_zone, struct err *reterr)
{
    struct cursor cursor = {bytes, len};
    struct zone *zone = mem_zalloc(sizeof(*zone));

    for (size_t i = 0; name[i] && i < ZONE_NAME_MAX; i++)
        zone->name[i] = name[i];
    int rc = read_file(&cursor, zone, reterr);
    if (rc) {
        zone_free(zone);
        return err_prefix(reterr, rc, "time zone '%.64s'", name);
    }
    *ret_zone = zone;
    return 0;
}

static struct zone *new_utc(const char *name)
{
    struct zone *zone = mem_zalloc(sizeof(*zone));

    for (size_t i = 0; name[i]; i++)
        zone->name[i] = name[i];
    zone->types = mem_zalloc(sizeof(*zone->types));
    zone->n_types = 1;
    memcpy(zone->types[0].abbreviation, "UTC", sizeof("UTC"));
    return zone;
}

/* Only what can be a zone's name becomes part of a path. */
static bool is_name(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= ZONE_NAME_MAX && name[0] != '/' && name[len - 1] != '/' &&
           !strstr(name, "//") &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") ==
               len;
}

int zone_open_in(const char *folder, const char *name, struct zone **ret_zone, struct err *reterr)
{
    MEM_AUTO char *bytes = NULL;
    char path[512];
    size_t len = 0;

    if (!is_name(name))
        return err_set(reterr, ZONE_E_NAME,
                       "'%.64s' is no name of a time zone; one looks like 'Europe/Berlin'", name);
    if (strcmp(name, "UTC") == 0 || strcmp(name, "Etc/UTC") == 0) {
        *ret_zone = new_utc(name);
        return 0;
    }
    int n = snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof(path) || fs_read(path, FILE_MAX, &bytes, &len, NULL))
        return err_set(reterr, ZONE_E_NAME,
                       "no time zone '%s' under %.200s: an IANA name such as 'Europe/Berlin' is "
                       "expected, and the package tzdata to be installed",
                       name, folder);
    return zone_read(bytes, len, name, ret_zone, reterr);
}

int zone_open(const char *name, struct zone **ret_zone, struct err *reterr)
{
    return zone_open_in(ZONE_FOLDER, name, ret_zone, reterr);
}

void zone_free(struct zone *zone)
{
    if (!zone)
        return;
    free(zone->types);
    free(zone->changes_s);
    free(zone->change_types);
    free(zone);
}
