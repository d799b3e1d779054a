#pragma once

/*
 * Rule files into state.db: parsed, then stored whole or not at all. For the API's import
 * and for --rules.import at start.
 */

#include "alertd/db/db.h"
#include "alertd/db/rule_db.h"
#include "lib/base/err.h"

struct rules_import_file {
    const char *source; /* the name it is known by */
    const char *text;
    size_t len;
    const char *before; /* what is stored must be this still; NULL: whatever it is */
};

enum {
    RULES_IMPORT_E_FILE = 1,    /* words are `source:line:column: ...` */
    RULES_IMPORT_E_CHANGED = 2, /* what is stored is not what it was */
};

/* All files in one transaction: when one does not parse, nothing changed. A file that is
 * as it was stored last is left alone. ret_counts is the sum. */
int rules_import(struct db *state,
                 const struct rules_import_file *files,
                 size_t n_files,
                 const char *author,
                 int64_t now_ms,
                 struct rule_db_counts *ret_counts,
                 struct err *reterr);
