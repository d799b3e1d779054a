/*
 * Secrets: 256 random bits as text, and what is kept of them. See access_private.h.
 */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/db/access_private.h"

void secret_hash(const char *secret, unsigned char *hash)
{
    (void)crypto_generichash(hash, ACCESS_HASH_BYTES, (const unsigned char *)secret,
                             ACCESS_SECRET_TEXT, NULL, 0);
}

void secret_forget(char *text)
{
    sodium_memzero(text, ACCESS_SECRET_TEXT);
}

void secret_make(char *text)
{
    unsigned char bytes[32];

    randombytes_buf(bytes, sizeof(bytes));
    (void)sodium_bin2base64(text, ACCESS_SECRET_TEXT + 1, bytes, sizeof(bytes),
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof(bytes));
}

void secret_csrf(const char *secret, char *text)
{
    static const char purpose[] = "watchbill csrf 1";
    unsigned char bytes[ACCESS_HASH_BYTES];

    (void)crypto_generichash(bytes, sizeof(bytes), (const unsigned char *)purpose,
                             sizeof(purpose) - 1, (const unsigned char *)secret,
                             ACCESS_SECRET_TEXT);
    (void)sodium_bin2base64(text, ACCESS_SECRET_TEXT + 1, bytes, sizeof(bytes),
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool secret_split(
    const char *text, const char *prefix, char divider, int64_t *ret_id, const char **ret_secret)
{
    size_t prefix_len = strlen(prefix);
    char *end = NULL;

    if (strncmp(text, prefix, prefix_len) != 0)
        return false;
    text += prefix_len;
    if (*text < '1' || *text > '9')
        return false;
    *ret_id = strtoll(text, &end, 10);
    if (*end != divider || strlen(end + 1) != ACCESS_SECRET_TEXT)
        return false;
    *ret_secret = end + 1;
    return true;
}

bool secret_matches(const unsigned char *hash, const char *secret)
{
    static const unsigned char nobody[ACCESS_HASH_BYTES];
    unsigned char given[ACCESS_HASH_BYTES];

    secret_hash(secret, given);
    return sodium_memcmp(given, hash ? hash : nobody, ACCESS_HASH_BYTES) == 0 && hash;
}
