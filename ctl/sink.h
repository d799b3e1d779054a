#pragma once

/*
 * Samples into alertd's history, batch by batch.
 *
 *     sink_add(series, samples) -> remote write body -> POST /api/alertd/v1/samples/history
 *
 * A batch has no identity (epoch, sequence): what a batch of before stored may be lost since, or
 * its day thrown away, and then the same import brings it back. Repeating one where all of it is
 * there changes nothing, because the first write of a sample wins.
 *
 * When alertd says "later" (429, 503), it is asked again after the time it names.
 */

#include <stddef.h>
#include <stdint.h>

#include "ctl/cmd.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/model/labels.h"
#include "lib/model/sample.h"
#include "lib/wire/remote_write_encode.h"

enum {
    SINK_E_PUSH = 10, /* alertd can't be reached, or refuses a whole batch */
};

struct http_client;

struct sink_counts {
    int64_t stored, duplicate, refused;
};

struct sink {
    const char *url;
    struct str bearer;
    struct http_client *client;
    struct remote_write writer;
    /* samples of one series, until another comes */
    const struct labels *labels;
    struct sample *samples;
    size_t n, capacity;
    struct sink_counts counts;
    char first_refusal[320];
};

void sink_init(struct sink *sink, const char *url, const char *token);
void sink_done(struct sink *sink);

/* 0 or SINK_E_PUSH with words. */
int sink_add(struct sink *sink,
             const struct labels *labels,
             const struct sample *samples,
             size_t n,
             struct err *reterr);
/* Everything added is stored and synced when it returns 0. */
int sink_flush(struct sink *sink, struct err *reterr);

/* Says at the end what came of it; CTL_FAILURE when something was refused. */
enum ctl_exit sink_report(const struct ctl *ctl,
                          const struct sink_counts *counts,
                          const char *first);
