#pragma once

/*
 * CRC-32C (Castagnoli), the checksum of iSCSI and ext4: what tells a flipped bit in a
 * stored chunk, which SQLite does not notice. Software, eight bytes a step.
 */

#include <stddef.h>
#include <stdint.h>

/* crc32c(0, "123456789", 9) is 0xe3069283; feed the result back in to go on. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len);
/* The same on any processor: for tests. */
uint32_t crc32c_by_tables(uint32_t crc, const void *bytes, size_t len);
