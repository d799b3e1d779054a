#pragma once

/*
 * alertctl check rules, in four files:
 *
 *   cmd_check.c    options, files, exit status
 *   check_ask.c    the questions of lint with data, put to a server over HTTP
 *   check_store.c  the same, put to a folder of samples
 *   check_show.c   findings for people, for programs and for GitHub
 */

#include "alertd/rule/lint.h"
#include "alertd/store/store.h"
#include "ctl/cmd.h"
#include "ctl/missing.h"
#include "lib/json/write.h"
#include "lib/model/labels.h"

/* --- Asking ------------------------------------------------------------------------------ */

struct answer;

struct asker {
    const struct ctl *ctl;
    struct answer *answers; /* by question: rules ask the same again and again */
    size_t n, capacity;
    size_t n_unanswered;
    struct told *told;     /* what the server could not read */
    struct rule_data data; /* what lint is given; its arg is this */
    const struct labels *external_labels;
};

/* Whether the server answers at all, and what it tells about itself. */
enum ctl_exit asker_init(struct asker *asker, const struct ctl *ctl, int64_t window_ms);
void asker_done(struct asker *asker);

/* The same of a storage folder. */
struct store_asker {
    struct store *store;
    int64_t now_ms; /* its newest sample's time */
    size_t n_unanswered;
    struct told *told; /* what of it could not be read */
    struct rule_data data;
};

/* Fails when an alertd runs on the folder. In any case done() is due. */
enum ctl_exit store_asker_init(struct store_asker *asker,
                               const struct ctl *ctl,
                               const char *folder,
                               int64_t window_ms);
void store_asker_done(struct store_asker *asker);

/* --- Showing ----------------------------------------------------------------------------- */

enum show_format {
    SHOW_HUMAN,
    SHOW_JSON,
    SHOW_GITHUB,
};

struct show {
    enum show_format format;
    bool color;
    bool with_advice;
    const char *only;    /* ids with commas; NULL: all */
    const char *disable; /* the same, not these */
    struct json_out *out;
    size_t *counts; /* shown, by row of rule_checks() */
    size_t n_files, n_rules, n_shown;
    size_t n_errors, n_warnings, n_advice;
    size_t n_hidden; /* advice nobody asked for */
    size_t n_ignored_lines;
    const struct told *told; /* of the data; NULL: none was asked */
};

void show_init(struct show *show, struct json_out *out);
/* All of a file's findings; `text` is the file's, for the lines they are about. */
void show_file(struct show *show,
               const char *path,
               const char *text,
               const struct rule_findings *findings);
/* The summary, or JSON's end and all of it: fails when that is larger than the text's limit. */
enum ctl_exit show_end(const struct ctl *ctl, struct show *show);
void show_done(struct show *show);
/* The table of checks, for --list: as text, JSON, or Markdown for the manual. */
enum ctl_exit show_checks(const char *format);
