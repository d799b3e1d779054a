#pragma once

/*
 * What SQLite appends to a log, in few writes: it writes each page's head and its content by a call of their own, and a commit of
 * many alerts is hundreds of them.
 *
 * Invariant: only for the log of a connection that syncs each commit (synchronous=FULL). Nobody else reads a frame before the
 * sync that ends its commit, and that sync writes what was gathered first.
 */

#include <sqlite3.h>
#include <stdbool.h>

struct log_gather {
    unsigned char *bytes; /* NULL until something is gathered */
    int n;
    sqlite3_int64 at; /* where they belong */
    bool is_on;
};

/* As xWrite of the file. */
int log_gather_write(
    struct log_gather *gather, sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at);
/* Before anything else is done with the file. What could not be written is gone, as its commit is. */
int log_gather_flush(struct log_gather *gather, sqlite3_file *file);
void log_gather_done(struct log_gather *gather);
