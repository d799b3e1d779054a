#pragma once

/*
 * Between rows and structs, for the files about incidents: label sets are JSON objects,
 * a NaN is NULL, an absent time is NULL. Private to db/.
 */

#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/incident/incident.h"
#include "lib/base/arena.h"
#include "lib/base/str.h"
#include "lib/model/labels.h"

enum {
    ROWS_LABELS_BYTES_MAX = 256 * 1024,
    ROWS_KEY_BYTES_MAX = 64 * 1024,
};

void rows_labels_text(const struct labels *labels, struct str *out);
/* NULL when the text is not such an object or the arena is spent. */
const struct labels *rows_labels(struct arena *arena, const char *text);

/* A column's text in the arena; "" for NULL. NULL past the arena's limit. */
const char *rows_text(struct arena *arena, struct db_stmt *stmt, int column);
/* The same, but NULL for NULL: *ret_text is NULL then. False past the arena's limit. */
bool rows_text_or_null(struct arena *arena,
                       struct db_stmt *stmt,
                       int column,
                       const char **ret_text);

/* 0 binds NULL. */
void rows_bind_time(struct db_stmt *stmt, int index, int64_t at_ms);

/* What rows become: items of `size`, each filled by `read`, which is false past the
 * arena's limit; `too_many` and `words` then say so. */
struct rows_kind {
    size_t size;
    bool (*read)(struct db_stmt *stmt, struct arena *arena, void *ret_item);
    int too_many;
    const char *words;
};

/* All rows of a bound statement, which ends here, as an array in the arena. ret_items is
 * the address of a pointer to the kind's struct. */
int rows_read(struct db_stmt *stmt,
              struct arena *arena,
              const struct rows_kind *kind,
              void *ret_items,
              size_t *ret_n,
              struct err *reterr);

/* "rule 7" and such, for an event's source. */
enum {
    ROWS_SOURCE_MAX = 48
};
const char *rows_source(char *text, const char *what, int64_t id);
