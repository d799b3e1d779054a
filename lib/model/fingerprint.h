#pragma once

/*
 * The number by which Prometheus, Alertmanager and what reads them know a label set: 64 bits
 * of FNV-1a over name 0xff value 0xff ..., names in order. Ours (labels->hash) is another,
 * and never leaves the program as theirs.
 */

#include <stdint.h>

#include "lib/model/labels.h"

enum {
    FINGERPRINT_TEXT = 17 /* 16 hexadecimal digits and the NUL */
};

uint64_t fingerprint_of(const struct labels *labels);
/* As the APIs spell it; returns text. */
char *fingerprint_text(const struct labels *labels, char *text);
