#pragma once

/*
 * alertctl tune, in some files; the work is alertd/tune's and alertd/pages':
 *
 *   cmd_tune.c    options, files, exit status
 *   tune_read.c   where the past is read: from a server by range queries, a folder, or a text
 *   tune_show.c   the result for people and for programs
 *   tune_labels.c when it was bad, from a file or from alertd's records
 *   tune_pages.c  what a setting would have paged
 *   cmd_tune_diff.c, tune_diff_show.c   two rule files beside each other
 */

#include "alertd/promql/ast.h"
#include "alertd/promql/memory_source.h"
#include "alertd/promql/promql.h"
#include "alertd/tune/tune.h"
#include "ctl/check.h"
#include "ctl/cmd.h"
#include "ctl/origin.h"

struct tune_past {
    struct tune_reader reader;
    int64_t now_ms; /* a store's newest sample, or the clock */
    bool is_store, is_text;
    struct store_asker store;
    struct memory_source memory;
    struct source source;
    struct reading_source over;
    struct origin origin;
};

/* tune_past_done() in any case; the struct stays where it is. */
enum ctl_exit tune_past_init(struct tune_past *past, const struct ctl *ctl);
void tune_past_done(struct tune_past *past);
/* --from and --to; else the 30 days before now_ms. */
enum ctl_exit tune_times(const struct ctl *ctl,
                         int64_t now_ms,
                         int64_t *ret_from_ms,
                         int64_t *ret_to_ms);

void tune_show(const struct tune_ask *ask,
               const struct tune_result *result,
               bool color,
               bool with_alerts,
               struct str *out);
void tune_json(const struct tune_ask *ask, const struct tune_result *result, struct json_out *out);
