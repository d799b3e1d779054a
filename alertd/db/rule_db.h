#pragma once

/*
 * Rules as rows of state.db: files as they were taken over, groups, rules, and every
 * version a rule ever had. Reading functions take any connection, changing ones are for a
 * db_job; what is returned lives in the arena.
 *
 *   rule file --rule/parse.c--> struct rule_db_import --rule_db_import()--> rows
 *
 * A rule keeps its id, and so its alerts, while its group, type and name stay the same; a
 * change of anything else is a new version. What is no longer in its file is not deleted:
 * it stops being live, its versions stay.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "lib/base/arena.h"
#include "lib/model/labels.h"

enum {
    RULE_DB_E_NOT_FOUND = 40,
    RULE_DB_E_LIMIT = 41, /* the arena is spent */
};

/* --- taking over a file --- */

struct rule_db_rule {
    bool is_recording;
    const char *name;
    const char *expr;
    int64_t for_ms;
    int64_t keep_firing_for_ms;
    const struct labels *labels;
    const struct labels *annotations;
    const char *yaml; /* the rule alone, canonical: another text is another version */
};

struct rule_db_group {
    const char *name;
    int64_t interval_ms;
    size_t limit;                     /* 0: none */
    const struct rule_db_rule *rules; /* in file order */
    size_t n_rules;
};

struct rule_db_import {
    const char *source; /* "rules/host/alerts.yml" */
    const char *yaml;   /* the whole file */
    const char *author;
    int64_t now_ms;
    const struct rule_db_group *groups;
    size_t n_groups;
};

struct rule_db_counts {
    size_t groups, rules;
    size_t changed; /* new, or with a new version */
    size_t removed;
};

/* Replaces what the source had. A job. */
int rule_db_import(struct db_conn *conn,
                   const struct rule_db_import *import,
                   struct rule_db_counts *ret_counts,
                   struct err *reterr);

/* --- reading --- */

struct rule_db_file {
    const char *source;
    const char *yaml;
    int64_t imported_at_ms;
};

/* All files, by source: what the evaluator runs. */
int rule_db_files(struct db_conn *conn,
                  struct arena *arena,
                  struct rule_db_file **ret_files,
                  size_t *ret_n,
                  struct err *reterr);

/* Where an error is: in the rule's file, and in its expression (0: not in it). */
struct rule_db_place {
    unsigned line, column;
    unsigned expr_line, expr_column;
};

struct rule_row {
    int64_t id;
    int64_t version;
    bool is_recording;
    const char *source; /* its file */
    const char *name;
    const char *expr;
    int64_t for_ms;
    int64_t keep_firing_for_ms;
    const struct labels *labels;
    const struct labels *annotations;
    const char *health;     /* "unknown", "ok", "err" */
    const char *last_error; /* NULL: none */
    struct rule_db_place error_place;
    int64_t failures;
    int64_t samples;            /* read by the last evaluation */
    int64_t series;             /* they are of */
    int64_t matched_ms;         /* when it last read a series, or was first asked; 0: never */
    int64_t last_evaluation_ms; /* 0: never */
    int64_t evaluation_us;
    int64_t fired_30d; /* times an alert of it began to fire in the 30 days before now_ms */
    int64_t group_id;
};

struct rule_group_row {
    int64_t id;
    const char *source;
    const char *name;
    int64_t interval_ms;
    int64_t limit;              /* 0: none */
    int64_t last_evaluation_ms; /* 0: never */
    int64_t evaluation_us;
    struct rule_row *rules; /* in file order */
    size_t n_rules;
};

/* Live groups with their live rules, by source and place in the file. */
int rule_db_list(struct db_conn *conn,
                 int64_t now_ms,
                 struct arena *arena,
                 struct rule_group_row **ret_groups,
                 size_t *ret_n,
                 struct err *reterr);

/* One rule, live or not; RULE_DB_E_NOT_FOUND. */
int rule_db_get(struct db_conn *conn,
                int64_t id,
                int64_t now_ms,
                struct arena *arena,
                struct rule_row *ret_rule,
                struct err *reterr);

struct rule_version_row {
    int64_t version;
    int64_t created_at_ms;
    const char *source;
    const char *author;
    const char *yaml;
};

/* Newest first. */
int rule_db_versions(struct db_conn *conn,
                     int64_t rule_id,
                     struct arena *arena,
                     struct rule_version_row **ret_versions,
                     size_t *ret_n,
                     struct err *reterr);

/* --- what an evaluation leaves; for a job --- */

struct rule_db_health {
    int64_t rule_id;
    const char *error; /* NULL: it went well */
    int64_t now_ms;
    int64_t evaluation_us;
    size_t samples, series; /* read */
    int64_t matched_ms;
    struct rule_db_place error_place;
};

int rule_db_save_health(struct db_conn *conn,
                        const struct rule_db_health *health,
                        struct err *reterr);
int rule_db_save_group(struct db_conn *conn,
                       int64_t group_id,
                       int64_t now_ms,
                       int64_t evaluation_us,
                       struct err *reterr);
