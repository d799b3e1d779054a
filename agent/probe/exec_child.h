#pragma once

/*
 * A program run for a probe, with nothing it could hurt or keep.
 *
 *   own process group      killed as a whole: at the deadline, on cancel, and when
 *                          the program itself has ended but left children behind
 *   no shell               argv as it stands
 *   clean environment      PATH, LC_ALL=C and what the config says
 *   stdin, stderr          /dev/null; stdout is kept up to a ceiling, the rest is read
 *                          and forgotten
 *   no_new_privs           set-user-id bits mean nothing
 *   limits                 CPU time, address space, file size, open files, no core
 *   dies with the agent    (PR_SET_PDEATHSIG)
 *
 * A program whose file or folder others may write is refused: whoever can change it
 * could become the agent.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/err.h"

enum {
    EXEC_E_REFUSED = 1, /* not to be trusted, or not there */
    EXEC_E_TIMEOUT = 2,
    EXEC_E_CANCELLED = 3,
    EXEC_E_STUCK = 4, /* an earlier run cannot even be killed */
};

struct exec_child {
    pid_t stuck_pid; /* of a run that SIGKILL did not end; 0: none */
};

struct exec_request {
    char *const *argv;
    char *const *environment;
    int64_t deadline_ms; /* clock_mono_ms() */
    int cancel_fd;
    size_t output_max;
};

struct exec_result {
    int wait_status; /* as waitpid() gives it */
    char *output;    /* NUL-terminated, output_max + 1 bytes of the caller's */
    size_t output_len;
    bool output_cut;
};

/* Whether the file at path may be run: absolute, regular, executable, and neither it nor
 * a folder above it writable by anybody but root and us. 0 or EXEC_E_REFUSED. */
int exec_check(const char *path, struct err *reterr);

/* 0 when the program ended by itself, or EXEC_E_*, or negative errno. The output so far
 * is in ret_result in every case. */
int exec_run(struct exec_child *child,
             const struct exec_request *request,
             struct exec_result *ret_result,
             struct err *reterr);
