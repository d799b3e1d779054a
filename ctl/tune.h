#pragma once

/*
 * alertctl tune, in three files; the work is alertd/tune's:
 *
 *   cmd_tune.c    options, files, exit status
 *   tune_read.c   where the past is read: from a server by range queries, or from a folder
 *   tune_show.c   the result for people and for programs
 */

#include "alertd/promql/ast.h"
#include "alertd/promql/promql.h"
#include "alertd/tune/tune.h"
#include "ctl/check.h"
#include "ctl/cmd.h"
#include "ctl/origin.h"

struct tune_past {
    struct tune_reader reader;
    int64_t now_ms; /* a store's newest sample, or the clock */
    bool is_store;
    struct store_asker store;
    struct source source;
    struct reading_source over;
    struct origin origin;
};

/* tune_past_done() in any case; the struct stays where it is. */
enum ctl_exit tune_past_init(struct tune_past *past, const struct ctl *ctl);
void tune_past_done(struct tune_past *past);

void tune_show(const struct tune_ask *ask,
               const struct tune_result *result,
               bool color,
               bool with_alerts,
               struct str *out);
void tune_json(const struct tune_ask *ask, const struct tune_result *result, struct json_out *out);
