#pragma once

/*
 * Base64 (RFC 4648), with padding.
 */

#include <stddef.h>

#include "lib/base/str.h"

void base64_encode(const void *bytes, size_t len, struct str *out);
