#pragma once

/*
 * A secret of the config, by value or from its file. Read anew for each attempt, so that a
 * rotated one needs no reload. Private to deliver/.
 */

#include "alertd/route/config.h"

enum {
    SECRET_BYTES_MAX = 4096
};

/* The secret, one line; "" when none was configured. Heap, free(). 0, or negative errno
 * with words that name the file. */
int secret_read(const struct route_secret *secret, char **ret_text, struct err *reterr);
