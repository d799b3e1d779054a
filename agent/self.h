#pragma once

/*
 * The agent's own health as metrics: in every batch, always the same ones, so that
 * "the agent dropped samples" is a rule like any other.
 */

#include "agent/config.h"
#include "agent/probe/samples.h"
#include "agent/push.h"
#include "agent/schedule.h"

/* Of one probe, counted since the start or the last reload. */
struct self_probe {
    uint64_t n_success, n_failed, n_late;
};

struct self_facts {
    const struct agent_config *config;
    const struct schedule *schedule;
    const struct self_probe *probes; /* n_probes of the config */
    struct push_stats push;
    int64_t now_ms;
    int64_t started_ms;
    int64_t reloaded_ms; /* Unix time of the last good config */
    bool reload_ok;
    uint64_t n_samples;         /* pushed into batches */
    uint64_t n_samples_refused; /* did not fit into a probe's samples or a batch */
};

/* What every kind of probe reports beside its own: probe_success and
 * probe_duration_seconds. */
void self_verdict(struct samples *out, bool is_success, double seconds);

void self_collect(const struct self_facts *facts, struct samples *out);
