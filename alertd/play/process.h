#pragma once

/*
 * An alert-drill as a child of ours: started with nothing but a socket, asked line by line,
 * ended by closing it. See desk/desk.h for the other side.
 *
 * Not for threads: whoever holds the session's lock asks.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

struct process;

enum {
    PROCESS_E_GONE = 1, /* it ended, was killed, or was too late and was ended by us */
};

int process_start(const char *program, struct process **ret_process, struct err *reterr);
/* Its line and bytes behind it, and the answer: a head (JSON), then its body. */
int process_ask(struct process *process,
                const struct str *line,
                const struct str *bytes,
                struct str *ret_head,
                struct str *ret_body,
                struct err *reterr);
int process_pid(const struct process *process);
void process_stop(struct process *process); /* NULL is fine */
