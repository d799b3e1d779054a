#pragma once

/*
 * Small files, whole. Bigger or growing things (spool, database) have homes of
 * their own.
 */

#include <stddef.h>

#include "lib/base/err.h"

/* Reads all of path, at most limit bytes, into heap memory with a NUL behind it
 * (free()). -EFBIG when it is longer; negative errno otherwise, with words. */
int fs_read(const char *path, size_t limit, char **ret_bytes, size_t *ret_len, struct err *reterr);

/* Gives each() every file that a pattern of the shell's (*, ?, [a-z]) names, read whole, in the
 * order of their names; none is fine. What each() answers, when it is not 0, ends it. */
typedef int fs_each_call(
    void *arg, const char *path, const char *text, size_t len, struct err *reterr);
int fs_each(const char *pattern, size_t limit, fs_each_call *each, void *arg, struct err *reterr);

/* Replaces path by bytes so that a crash leaves the old or the new, never a mix:
 * temporary file beside it with `mode`, fsync, rename, fsync of the folder. */
int fs_replace(const char *path, const void *bytes, size_t len, unsigned mode, struct err *reterr);

/* mkdir -p with mode 0700 for what is missing. */
int fs_make_folders(const char *path, struct err *reterr);

/* Bytes free to us on the file system of path; negative errno. */
int fs_free_bytes(const char *path, unsigned long long *ret_bytes);
/* The same, with the size of the file system. */
int fs_space(const char *path, unsigned long long *ret_free, unsigned long long *ret_total);
