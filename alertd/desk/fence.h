#pragma once

/*
 * What a process that plays a drill may no longer do.
 *
 *     environment   started without any
 *     files         only its socket and /dev/null are open; none can be opened
 *     programs      none can be started, no thread or process either
 *     network       no socket can be made or connected
 *     limits        memory, no core file, no byte in a file
 *
 * The kernel enforces it (seccomp): what is not on a short list fails with EPERM. The process
 * cannot take it back. It ends when alertd does.
 */

#include "lib/base/err.h"
#include "lib/base/str.h"

/* At the start: limits, ends with its parent, is less important than what pages. */
int fence_prepare(struct err *reterr);
/* From now on. */
int fence_raise(struct err *reterr);
/* Tries what it must refuse, with the fence up: a line each, "socket refused: Operation not
 * permitted". True: all of it was. */
bool fence_try(struct str *out);
