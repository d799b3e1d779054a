#pragma once

/*
 * A kind of probe: one row in table.c and one file. docs/adding-a-probe.md walks
 * through making one.
 *
 *     configure(yaml) -> state     once per probe in the config
 *     run(state) -> samples        every interval, in a thread of its own
 *     done(state)
 *
 * Rules for run()
 *  (1) it returns by run->deadline_ms (clock_mono_ms()), whatever the world does, or
 *      soon after; the runner reports the probe as failed at the deadline anyway;
 *  (2) it is never called twice at once for one state;
 *  (3) 0 means success: what was watched is well. PROBE_E_FAILED means it is not, with
 *      words for a person. In both cases what was measured is in `out`. The runner adds
 *      probe_success and probe_duration_seconds for every kind;
 *  (4) it keeps buffers and open files in its state: a probe that runs for a year
 *      allocates in its first minute only.
 */

#include <stdint.h>

#include "agent/probe/samples.h"
#include "lib/base/err.h"
#include "lib/yaml/yaml.h"

enum {
    PROBE_E_FAILED = 1
};

struct probe_run {
    int64_t deadline_ms; /* clock_mono_ms() */
    int64_t wall_ms;     /* when it started */
    int cancel_fd;       /* readable when the agent stops: kill what you started */
};

struct probe_kind {
    const char *name;
    const char *help;
    const char *job;         /* the label job, unless the config says another */
    const char *target_key;  /* this key is required and becomes the label instance; NULL: none */
    const char *const *keys; /* its own config keys, NULL-terminated */
    /* Reads its keys of the probe's map. 0 or YAML_E_TYPE with line and column. */
    int (*configure)(const struct yaml_node *map, void **ret_state, struct err *reterr);
    int (*run)(void *state, const struct probe_run *run, struct samples *out, struct err *reterr);
    void (*done)(void *state);
};

/* All kinds, in the order of the manual; NULL past the end. */
const struct probe_kind *probe_kind_at(size_t index);
const struct probe_kind *probe_kind_find(const char *name);

/* The row of each kind. */
extern const struct probe_kind probe_host;
extern const struct probe_kind probe_http;
extern const struct probe_kind probe_tcp;
extern const struct probe_kind probe_exec;
