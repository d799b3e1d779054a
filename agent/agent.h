#pragma once

/*
 * The agent at work: one loop that starts what is due, gathers what has finished, and
 * hands a batch on every push interval.
 *
 *     schedule --> runner --> samples --> batch --> push (spool, server)
 *        ^            |                     ^
 *        +--finished--+                     +-- self: the agent's own health
 *
 * The loop sleeps in poll() until the next instant that matters or a signal: SIGHUP
 * reads the config again, SIGTERM and SIGINT end it within two seconds.
 */

#include "agent/config.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

struct agent_options {
    const char *config_path;
    const char *hostname;
    const struct log *log;
};

/* Runs until a signal ends it. 0, or negative errno / a positive code with words. */
int agent_run(const struct agent_options *options, struct err *reterr);

/* Every probe once, and what would be pushed as text. Nothing is sent or spooled. */
int agent_once(const struct agent_options *options, struct str *out, struct err *reterr);
