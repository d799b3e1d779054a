/*
 * FNV-1a over a label set. See fingerprint.h.
 */

#include "lib/model/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>

#define FNV_OFFSET UINT64_C(14695981039346656037)
#define FNV_PRIME  UINT64_C(1099511628211)
#define BETWEEN    0xffU /* in no UTF-8 text */

static uint64_t add_byte(uint64_t hash, unsigned byte)
{
    return (hash ^ byte) * FNV_PRIME;
}

static uint64_t add_text(uint64_t hash, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at; at++)
        hash = add_byte(hash, *at);
    return add_byte(hash, BETWEEN);
}

uint64_t fingerprint_of(const struct labels *labels)
{
    uint64_t hash = FNV_OFFSET;

    for (uint32_t i = 0; i < labels->n; i++)
        hash = add_text(add_text(hash, labels->at[i].name), labels->at[i].value);
    return hash;
}

char *fingerprint_text(const struct labels *labels, char *text)
{
    (void)snprintf(text, FINGERPRINT_TEXT, "%016" PRIx64, fingerprint_of(labels));
    return text;
}
