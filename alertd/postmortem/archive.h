#pragma once

/*
 * A tar file (POSIX ustar) of a few small texts, in memory.
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/base/str.h"

/* Appends one file; the name is at most 99 bytes and ours. */
void archive_add(struct str *out, const char *name, const char *bytes, size_t len, int64_t at_ms);
/* Two empty blocks. */
void archive_end(struct str *out);
