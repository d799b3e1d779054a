#pragma once

/*
 * What pushers say a metric is: its type and its help, by family. For editors and
 * /api/v1/metadata; nothing else depends on it, so it lives in memory only and comes again
 * with the next pushes. From any thread. The last word wins; beyond FAMILIES_MAX names,
 * new ones are left out.
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/model/metric.h"

enum {
    FAMILIES_MAX = 20000,
    FAMILY_NAME_MAX = 256, /* bytes */
    FAMILY_HELP_MAX = 1024,
};

struct families;
struct families *families_new(void);
void families_free(struct families *families); /* NULL is fine */

/* type NULL, help NULL: not said this time. Names and texts that are too long or not UTF-8
 * are ignored. */
void families_note(struct families *families,
                   const char *name,
                   size_t name_len,
                   const enum metric_type *type,
                   const char *help,
                   size_t help_len);

/* In order of names, under the lock: each() must be quick; false ends it. */
void families_each(
    struct families *families,
    bool (*each)(void *arg, const char *name, enum metric_type type, const char *help),
    void *arg);
