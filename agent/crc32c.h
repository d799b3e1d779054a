#pragma once

/*
 * CRC-32C (Castagnoli, polynomial 0x1EDC6F41, as iSCSI and ext4 use it), by table.
 */

#include <stddef.h>
#include <stdint.h>

/* Continues from crc (0 at the start). */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len);
