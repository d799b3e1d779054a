#pragma once

/*
 * What published postmortems say together: figures of each with how many there are, never a
 * mean alone; what was promised, by tag.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "lib/base/arena.h"

enum {
    TREND_DB_E_LIMIT = 44,
};

struct trend_span {
    bool known;
    int64_t s;
};

struct trend_row {
    int64_t id;
    const char *title;
    const char *incident; /* its key */
    const char *severity;
    const char *recurrence_of; /* a key; "" */
    int64_t opened_ms;
    struct trend_span ttd, ttm, ttr; /* as they were published */
};

/* Of incidents that were opened in [from_ms, to_ms), oldest first; at most 5,000. */
int trend_db_rows(struct db_conn *conn,
                  int64_t from_ms,
                  int64_t to_ms,
                  struct arena *arena,
                  struct trend_row **ret_rows,
                  size_t *ret_n,
                  struct err *reterr);

/* A published document whose template has a section of factors. */
struct trend_document {
    int64_t id;
    const char *incident; /* its key */
    int64_t opened_ms;
    const char *heading; /* of that section */
    const char *markdown;
};
/* Each of those that trend_db_rows() lists, as it was published; texts are loans. Not 0 of
 * `visit` ends it and is passed up. */
int trend_db_documents(struct db_conn *conn,
                       int64_t from_ms,
                       int64_t to_ms,
                       int (*visit)(void *arg, const struct trend_document *document),
                       void *arg,
                       struct err *reterr);

struct trend_tag {
    const char *tag; /* "" for none */
    int64_t n, done_in_time, done_late, wont_do, open, overdue;
};

struct trend_time {
    int64_t from_ms, to_ms; /* until just before to_ms */
    int64_t now_ms;         /* by which something is overdue */
};

/* Of actions that were promised in that time. */
int trend_db_tags(struct db_conn *conn,
                  const struct trend_time *time,
                  struct arena *arena,
                  struct trend_tag **ret_tags,
                  size_t *ret_n,
                  struct err *reterr);
