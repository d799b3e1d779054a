#pragma once

/*
 * Bodies about the incident record, read strictly: events as people and scripts bring them,
 * marks as they are set. Texts are loans of the body and of the arena.
 *
 *     {"t":"2019-07-02T13:42:00Z","kind":"change.deploy","text":"...","precision":"min",
 *      "scope":"builds","actor":"ana","evidence":{"query","value","link"},"pin":true,
 *      "conflict":"...","order_only":true,"ref":"log 17"}
 */

#include "alertd/db/incident_db_record.h"
#include "lib/base/arena.h"
#include "lib/json/read.h"

enum {
    RECORD_IN_EVENTS_MAX = 5000,
    RECORD_IN_MARKS_MAX = 200,
    RECORD_IN_E_INVALID = 1, /* words say where */
    RECORD_IN_E_LIMIT = 2,
};

struct record_reader {
    struct arena *arena;
    const char *source; /* of the events: "api", "import chat" */
    const char *actor;  /* who sends them */
    int64_t now_ms;
};

/* An array of events, or an object's member `events`. */
int record_in_events(const struct record_reader *reader,
                     const struct json *array,
                     struct record_news **ret_news,
                     size_t *ret_n,
                     struct err *reterr);

/* One event; `kind` is what it is when it says none. */
int record_in_one(const struct record_reader *reader,
                  const struct json *object,
                  const char *kind,
                  struct timeline_event *ret_event,
                  struct err *reterr);

/* [{"name","scope","at","precision","event","reason","auto"}], or {"detected":"...","acked":null}
 * as a file of marks has them; null says that it is not known. */
int record_in_marks(const struct record_reader *reader,
                    const struct json *marks,
                    const char *reason,
                    struct record_setting **ret_settings,
                    size_t *ret_n,
                    struct err *reterr);

/* A precision's name, or NULL for "ms" and absence. */
int record_in_precision(const char *text, const char **ret_precision, struct err *reterr);
