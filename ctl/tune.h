#pragma once

/*
 * alertctl tune; the work is alertd/tune's and alertd/pages':
 *
 *   cmd_tune.c    options, files, exit status
 *   tune_read.c   where the past is read: from a server by range queries, a folder, a text, or a drill
 *   tune_drill.c  a drill, played, as that past
 *   tune_labels.c when it was bad, from a file or from alertd's records
 *   tune_show.c   the result for people: what it is about, the surface, alert by alert
 *   tune_words.c  the setting of now in words, incident by incident, what to choose among
 *   tune_faults.c the smallest outage the rule catches
 *   tune_hysteresis.c  a rule that fires above one threshold and clears below another, written
 *   tune_test.c   a unit test of one of its alerts, written
 *   tune_pages.c  what a setting would have paged
 *   tune_json.c   the result for programs
 *   cmd_tune_diff.c, tune_diff_show.c   two rule files beside each other
 */

#include "alertd/promql/ast.h"
#include "alertd/promql/memory_source.h"
#include "alertd/promql/promql.h"
#include "alertd/promql/told.h"
#include "alertd/tune/grid.h"
#include "alertd/tune/hysteresis.h"
#include "alertd/tune/late.h"
#include "alertd/tune/outage.h"
#include "alertd/tune/tune.h"
#include "ctl/check.h"
#include "ctl/cmd.h"
#include "ctl/missing.h"
#include "ctl/origin.h"

struct tune_drill;

struct tune_past {
    struct tune_reader reader, at_once; /* at_once: as if no sample had come late */
    int64_t now_ms;                     /* a store's newest sample, a drill's end, or the clock */
    bool is_store, is_text;             /* text: its samples are in memory */
    bool has_origin;                    /* a server is asked, of a session too */
    struct tune_drill *drill;           /* NULL: none */
    struct store_asker store;
    struct memory_source memory; /* a text's; or what was last selected of a server */
    struct source source;        /* samples: of a server they are asked for, select by select */
    struct source stored;        /* a folder's, which source reads and tells of what it could not */
    struct told_of telling;
    struct told *told; /* what could not be read of any of them */
    size_t n_raw;      /* by one of those */
    struct reading_source over;
    struct origin origin;
    struct memory_source copy; /* of a server's samples, where each evaluation is one of its own */
    struct source copied;
    struct late late;
};

/* tune_past_done() in any case; the struct stays where it is. */
enum ctl_exit tune_past_init(struct tune_past *past, const struct ctl *ctl);
/* When its evaluations are, where it knows: a drill's own instants; 0 otherwise. */
int64_t tune_past_phase_ms(const struct tune_past *past, int64_t interval_ms);
void tune_past_done(struct tune_past *past);
/* Read as it was known then, when --ingest-lag says how late samples come. */
enum ctl_exit tune_past_late(struct tune_past *past,
                             const struct ctl *ctl,
                             const struct tune_ask *ask);
/* --from and --to; else the whole of a drill, or the 30 days before its now. */
enum ctl_exit tune_times(const struct ctl *ctl,
                         const struct tune_past *past,
                         int64_t *ret_from_ms,
                         int64_t *ret_to_ms);

/* 0, or a failure in words; outage_done() in any case. The struct stays where it is. */
int tune_faults_look(const struct ctl *ctl,
                     struct tune_past *past,
                     const struct tune_ask *tune,
                     const struct tune_result *result,
                     struct outage *ret,
                     struct err *reterr);
void tune_faults_show(const struct outage *outage, struct str *out);
void tune_faults_json(const struct outage *outage, struct json_out *out);

/* Written and run, over copies of a server's samples. 0, or a failure in words; hysteresis_written_done()
 * in any case. */
int tune_hysteresis_look(const struct tune_past *past,
                         const struct tune_ask *ask,
                         const struct tune_result *result,
                         struct hysteresis_written *ret,
                         struct err *reterr);
/* Words and YAML. */
void tune_hysteresis_show(const struct tune_ask *ask,
                          const struct tune_result *result,
                          const struct hysteresis_written *written,
                          struct str *out);
/* A member of an open object. */
void tune_hysteresis_json(const struct hysteresis_written *written, struct json_out *out);

/* To the file of --write-test. 0, or a failure in words. */
int tune_test_write(const struct ctl *ctl,
                    const struct tune_past *past,
                    const struct tune_ask *ask,
                    const struct tune_result *result,
                    struct err *reterr);
void tune_test_show(const struct ctl *ctl,
                    const struct tune_ask *ask,
                    const struct tune_result *result,
                    struct str *out);

/* How many alerts there are at so many phases of the clock; n 0: not asked. */
struct tune_phases {
    size_t n, least, most;
};

struct tune_look {
    bool color, alerts, front;
    const struct tune_phases *phases;
    const struct outage *faults;                 /* NULL: not asked */
    const struct hysteresis_written *hysteresis; /* NULL: not asked */
    const struct told *told;
};

void tune_show(const struct tune_ask *ask,
               const struct tune_result *result,
               const struct tune_look *look,
               struct str *out);
void tune_add_now(const struct tune_ask *ask,
                  const struct tune_result *result,
                  const struct tune_phases *phases,
                  struct str *out);
void tune_add_front(const struct tune_ask *ask, const struct tune_result *result, struct str *out);
const char *tune_sign(enum surface_op op);
void tune_add_steps(const struct tune_ask *ask, uint64_t steps, struct str *out);
/* "> 0.05 for 10m" */
void tune_add_setting(const struct tune_ask *ask,
                      const struct tune_result *result,
                      struct suggest_cell at,
                      struct str *out);
void tune_json(const struct tune_ask *ask,
               const struct tune_result *result,
               const struct tune_look *look,
               struct json_out *out);
