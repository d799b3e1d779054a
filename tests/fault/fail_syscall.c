/*
 * Preloaded into a program: makes one call to the file system or the network go wrong.
 *
 *   FAIL_FOLDER   only files below this folder count, and sockets
 *   FAIL_CALLS    which calls count: "pwrite fdatasync fsync ftruncate pread write send recv", any of them
 *   FAIL_AT       the number of the call that fails, from 1; 0: none
 *   FAIL_HOW      enospc, eio: the call fails so; short: half of the bytes, said so;
 *                 kill: half of the bytes, and the process is killed
 *   FAIL_AFTER    also this many calls behind it fail (a disk stays full for a while)
 *   FAIL_COUNT    a file that the number of calls is written to at the end of each
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

enum how {
    HOW_NOT,
    HOW_ERROR,
    HOW_SHORT,
    HOW_KILL
};

static atomic_long n_calls;

static const char *setting(const char *name)
{
    const char *value = getenv(name); // NOLINT(concurrency-mt-unsafe): nobody sets it

    return value ? value : "";
}

static ssize_t real_pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    static ssize_t (*next)(int, const void *, size_t, off_t);

    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "pwrite64");
    return next(fd, bytes, n, at);
}

static void note_count(long n)
{
    const char *path = setting("FAIL_COUNT");
    char text[32];

    if (!path[0])
        return;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int len = snprintf(text, sizeof(text), "%ld\n", n);
    (void)!real_pwrite(fd, text, (size_t)len, 0);
    (void)close(fd);
}

static int counts(int fd, const char *call)
{
    const char *folder = setting("FAIL_FOLDER");
    char link[64];
    char path[PATH_MAX];

    if (!folder[0] || !strstr(setting("FAIL_CALLS"), call))
        return 0;
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof(path) - 1);
    if (len < 0)
        return 0;
    path[len] = '\0';
    return strncmp(path, folder, strlen(folder)) == 0 || strncmp(path, "socket:", 7) == 0;
}

/* What becomes of this call; errno is set for HOW_ERROR. */
static enum how fate(int fd, const char *call)
{
    const char *how = setting("FAIL_HOW");

    if (!counts(fd, call))
        return HOW_NOT;
    long n = atomic_fetch_add(&n_calls, 1) + 1;
    long at = strtol(setting("FAIL_AT"), NULL, 10);
    note_count(n);
    if (at == 0 || n < at || n > at + strtol(setting("FAIL_AFTER"), NULL, 10))
        return HOW_NOT;
    if (strcmp(how, "short") == 0)
        return HOW_SHORT;
    if (strcmp(how, "kill") == 0)
        return HOW_KILL;
    errno = strcmp(how, "enospc") == 0 ? ENOSPC : EIO;
    return HOW_ERROR;
}

#pragma GCC visibility push(default)

ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at)
{
    switch (fate(fd, "pwrite")) {
    case HOW_ERROR: return -1;
    case HOW_SHORT: return real_pwrite(fd, bytes, n / 2, at);
    case HOW_KILL:
        (void)!real_pwrite(fd, bytes, n / 2, at);
        (void)raise(SIGKILL);
        return -1;
    default: return real_pwrite(fd, bytes, n, at);
    }
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    return pwrite64(fd, bytes, n, at);
}

ssize_t pread64(int fd, void *bytes, size_t n, off_t at)
{
    static ssize_t (*next)(int, void *, size_t, off_t);
    enum how how = fate(fd, "pread");

    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "pread64");
    if (how == HOW_ERROR)
        return -1;
    if (how == HOW_KILL)
        (void)raise(SIGKILL);
    return next(fd, bytes, how == HOW_SHORT ? n / 2 : n, at);
}

ssize_t pread(int fd, void *bytes, size_t n, off_t at)
{
    return pread64(fd, bytes, n, at);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    static ssize_t (*next)(int, const void *, size_t);
    enum how how = fate(fd, " write");

    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "write");
    if (how == HOW_ERROR)
        return -1;
    ssize_t done = next(fd, bytes, how == HOW_NOT ? n : n / 2);
    if (how == HOW_KILL)
        (void)raise(SIGKILL);
    return done;
}

int ftruncate64(int fd, off_t size)
{
    static int (*next)(int, off_t);
    enum how how = fate(fd, "ftruncate");

    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "ftruncate64");
    if (how == HOW_ERROR)
        return -1;
    if (how == HOW_KILL)
        (void)raise(SIGKILL);
    return next(fd, size);
}

int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

int fdatasync(int fd)
{
    static int (*next)(int);
    enum how how = fate(fd, "fdatasync");

    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "fdatasync");
    if (how == HOW_ERROR)
        return -1;
    if (how == HOW_KILL)
        (void)raise(SIGKILL);
    return next(fd);
}

int fsync(int fd)
{
    static int (*next)(int);
    enum how how = fate(fd, "fsync");

    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "fsync");
    if (how == HOW_ERROR)
        return -1;
    if (how == HOW_KILL)
        (void)raise(SIGKILL);
    return next(fd);
}

ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
    static ssize_t (*next)(int, const void *, size_t, int);
    enum how how = fate(fd, "send");

    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "send");
    if (how == HOW_ERROR)
        return -1;
    ssize_t done = next(fd, bytes, how == HOW_NOT ? n : n / 2, flags);
    if (how == HOW_KILL)
        (void)raise(SIGKILL);
    return done;
}

ssize_t recv(int fd, void *bytes, size_t n, int flags)
{
    static ssize_t (*next)(int, void *, size_t, int);
    enum how how = fate(fd, "recv");

    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "recv");
    if (how == HOW_ERROR)
        return -1;
    if (how == HOW_KILL)
        (void)raise(SIGKILL);
    return next(fd, bytes, how == HOW_SHORT && n > 1 ? n / 2 : n, flags);
}

#pragma GCC visibility pop
