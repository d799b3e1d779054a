#pragma once

/*
 * The incident record as it stands: the log, and what people think of it on top.
 *
 *     events (never changed) + revisions (a log too) --record_fold()--> rows of the timeline
 *     rows + alerts + marks that people set --record_read()--> marks, impacts, metrics
 *
 * Invariants
 *  (1) a machine's row keeps its time and its words: people pin, hide, annotate, tag and merge it.
 *      A row that a person wrote can also be given another time or other words, or be taken back;
 *      then a reason is asked. Every revision is kept, with what it replaced.
 *  (2) a mark is what a person set last, else what its rule reads off the rows, else not known.
 *      Setting one never forgets what the rule reads: both are there when they differ.
 *  (3) not known is a value. A metric is a difference of two marks and says which; with one of
 *      them missing it is not known. A negative one is shown, never clipped.
 *
 *     impact_start - detected - paged - acked - response_start - cause - mitigated - resolved
 *     |<--- ttd --->|         |<-tta->|
 *                   |<------- engage ------->|
 *                   |<------------- diagnose ---------------->|
 *                   |<-------------------- ttm ---------------------->|
 *     |<------------------------- impact ---------------------------->|
 *     |<---------------------------------- ttr ------------------------------>|
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/incident/incident.h"
#include "alertd/incident/timeline.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"

/* The scope of an impact that names none. */
#define RECORD_SCOPE "service"

enum {
    RECORD_E_REFUSED = 1, /* such a row does not take such a revision: words say why */
    RECORD_E_LIMIT = 2,   /* the arena is spent */
    RECORD_WORDS_MAX = 16 * 1024,
    RECORD_REASON_MAX = 1000,
    RECORD_SCOPE_MAX = 100,
};

/* --- curation --- */

enum record_op {
    RECORD_PIN,
    RECORD_UNPIN,
    RECORD_HIDE,
    RECORD_UNHIDE,
    RECORD_ANNOTATE, /* value: words beside the row; "" takes them away */
    RECORD_RETIME,   /* value: milliseconds */
    RECORD_RETEXT,   /* value: the words */
    RECORD_RETAG,    /* value: a kind of the same family of words: what it is */
    RECORD_MERGE,    /* value: the id of the row that tells it too */
    RECORD_UNMERGE,
    RECORD_RETRACT, /* hidden, kept, and no mark is read off it */
    RECORD_RESTORE,
    RECORD_CONFLICT, /* value: what another source says */
    RECORD_OPS,
};

const char *record_op_name(enum record_op op);
/* RECORD_OPS for anything else. */
enum record_op record_op_parse(const char *name);

struct record_rev {
    int64_t id, event_id;
    enum record_op op;
    const char *old, *value; /* NULL: none */
    const char *precision;   /* of RECORD_RETIME */
    const char *reason, *editor;
    int64_t recorded_at_ms;
};

/* A row as it stands. Texts are loans of the event or of a revision. */
struct record_event {
    const struct timeline_event *event; /* as it was recorded */
    const char *kind, *text, *precision;
    int64_t at_ms;
    const char *note;       /* NULL: nobody wrote one beside it */
    const char *conflict;   /* NULL; else what another source says */
    const char *hypothesis; /* "open", "confirmed", "refuted"; NULL: it is none */
    int64_t merged_into;    /* 0: not */
    int64_t about;          /* the hypothesis that it confirms, refutes or opens again; 0 */
    unsigned n_revs;
    bool pinned, hidden, retracted;
};

/* In order of when they happened, rows of one instant in order of the log. Revisions in the order
 * of the log. RECORD_E_LIMIT. */
int record_fold(struct arena *arena,
                const struct timeline_event *events,
                size_t n_events,
                const struct record_rev *revs,
                size_t n_revs,
                struct record_event **ret_rows,
                struct err *reterr);

/* May this row, as it stands, be given this? RECORD_E_REFUSED says why not. */
int record_check(const struct record_event *row, const struct record_rev *rev, struct err *reterr);
/* What the revision replaces, as text; NULL: nothing. scratch takes a number (24 bytes). */
const char *record_old(const struct record_event *row, enum record_op op, char *scratch);

/* --- marks --- */

enum record_mark_name {
    RECORD_TRIGGER,
    RECORD_IMPACT_START,
    RECORD_DETECTED,
    RECORD_PAGED,
    RECORD_ACKED,
    RECORD_RESPONSE_START,
    RECORD_CAUSE,
    RECORD_MITIGATED,
    RECORD_RESOLVED,
    RECORD_MARKS,                     /* of the whole incident: those above */
    RECORD_IMPACT_END = RECORD_MARKS, /* of a scope alone */
    RECORD_MARK_NAMES,
};

const char *record_mark_name(enum record_mark_name name);
/* RECORD_MARK_NAMES for anything else. */
enum record_mark_name record_mark_parse(const char *name);

enum record_mark_state {
    RECORD_MARK_AT,
    RECORD_MARK_UNKNOWN, /* somebody says that it is not known, and why */
    RECORD_MARK_AUTO,    /* given back to the rule */
};

const char *record_mark_state_name(enum record_mark_state state);
/* false for anything else. */
bool record_mark_state_parse(const char *name, enum record_mark_state *ret_state);

/* A mark as somebody set it. */
struct record_setting {
    int64_t id;
    enum record_mark_name name;
    enum record_mark_state state;
    const char *scope; /* "": of the whole incident */
    int64_t at_ms;
    const char *precision; /* NULL: as exact as it is written */
    int64_t event_id;      /* the row that says so; 0 */
    const char *reason, *editor;
    int64_t set_at_ms;
};

/* What a rule reads. */
struct record_reading {
    int64_t at_ms; /* 0: nothing */
    int64_t event_id;
    const char *source; /* what recorded it; "" */
    bool approx;
};

struct record_mark {
    enum record_mark_name name;
    const char *scope;
    int64_t at_ms; /* 0: not known */
    int64_t event_id;
    const char *source;
    bool approx;
    const struct record_setting *set; /* NULL: the rule's */
    struct record_reading machine;    /* what the rule reads */
    const char *rule;                 /* in words */
    const char *why_not;              /* why the rule reads nothing */
};

struct record_impact {
    const char *scope;
    struct record_mark start, end;
};

/* --- metrics --- */

enum record_metric_name {
    RECORD_TTD,
    RECORD_TTA,
    RECORD_ENGAGE,
    RECORD_DIAGNOSE,
    RECORD_TTM,
    RECORD_IMPACT,
    RECORD_TTR,
    RECORD_METRICS,
};

struct record_metric {
    const char *name;    /* "ttd" */
    const char *title;   /* "time to detect" */
    const char *formula; /* "detected − impact_start" */
    bool known, approx;
    int64_t ms;
    enum record_mark_name missing; /* while not known: the mark to blame */
};

/* "57 min", "≈ 25 min", "not known (mark acked is not set)". */
void record_metric_text(const struct record_metric *metric, struct str *out);

/* --- all of it --- */

struct record_input {
    const struct incident *incident;
    const struct incident_alert *alerts;
    size_t n_alerts;
    const struct record_event *rows; /* as record_fold() left them */
    size_t n_rows;
    const struct record_setting *settings; /* in the order of the log */
    size_t n_settings;
};

struct record {
    struct record_mark marks[RECORD_MARKS];
    struct record_impact *impacts; /* in order of their start */
    size_t n_impacts;
    struct record_metric metrics[RECORD_METRICS];
    const char *detected_by; /* "alert", "customer", "human"; NULL: not known */
};

/* RECORD_E_LIMIT. The record lends from the input and from the arena. */
int record_read(struct arena *arena,
                const struct record_input *input,
                struct record *ret_record,
                struct err *reterr);
