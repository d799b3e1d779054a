/*
 * A program run for a probe. See exec_child.h.
 */

#include "agent/probe/exec_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"

enum {
    GRACE_MS = 500, /* between SIGTERM and SIGKILL */
    REAP_MS = 1000, /* for the kernel to end what was killed */
};

static int refuse(struct err *reterr, const char *path, const char *why)
{
    return err_set(reterr, EXEC_E_REFUSED, "%.300s: %s", path, why);
}

static bool is_ours(uid_t uid)
{
    return uid == 0 || uid == geteuid();
}

/* Every folder above path: with the sticky bit others may add, but not replace. */
static int check_folders(char *path, struct err *reterr)
{
    struct stat info;
    char *slash = strrchr(path, '/');

    while (slash) {
        *(slash == path ? slash + 1 : slash) = '\0';
        if (stat(path, &info) < 0)
            return refuse(reterr, path, strerrordesc_np(errno));
        if (!is_ours(info.st_uid) ||
            ((info.st_mode & (S_IWGRP | S_IWOTH)) && !(info.st_mode & S_ISVTX)))
            return refuse(reterr, path, "others can write this folder, so the program is not run");
        slash = slash == path ? NULL : strrchr(path, '/');
    }
    return 0;
}

int exec_check(const char *path, struct err *reterr)
{
    char real[PATH_MAX];
    struct stat info;

    if (path[0] != '/')
        return refuse(reterr, path, "a program is named by its absolute path");
    if (!realpath(path, real) || stat(real, &info) < 0)
        return refuse(reterr, path, strerrordesc_np(errno));
    if (!S_ISREG(info.st_mode))
        return refuse(reterr, path, "not a file");
    if (!is_ours(info.st_uid) || (info.st_mode & (S_IWGRP | S_IWOTH)))
        return refuse(reterr, path, "others can write this file, so it is not run");
    return check_folders(real, reterr);
}

static void set_limit(int what, rlim_t most)
{
    const struct rlimit limit = {most, most};

    (void)setrlimit(what, &limit);
}

/* Between fork and exec, in a process with threads: only calls that are
 * async-signal-safe. */
_Noreturn static void become(const struct exec_request *request,
                             int out_fd,
                             int null_fd,
                             rlim_t cpu_s)
{
    sigset_t none;

    (void)setpgid(0, 0);
    (void)sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    set_limit(RLIMIT_CPU, cpu_s);
    set_limit(RLIMIT_AS, (rlim_t)2 << 30);
    set_limit(RLIMIT_FSIZE, (rlim_t)64 << 20);
    set_limit(RLIMIT_NOFILE, 256);
    set_limit(RLIMIT_CORE, 0);
    if (dup2(null_fd, 0) < 0 || dup2(out_fd, 1) < 0 || dup2(null_fd, 2) < 0 || chdir("/") < 0)
        _exit(126);
    (void)close_range(3, ~0U, 0);
    (void)execve(request->argv[0], request->argv, request->environment);
    _exit(127);
}

/* Reads what is there; false at the end of the stream. */
static bool drain(int fd, size_t max, struct exec_result *result)
{
    char waste[4096];

    for (;;) {
        size_t room = max - result->output_len;
        ssize_t got = read(fd, room ? result->output + result->output_len : waste,
                           room ? room : sizeof(waste));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 && errno == EAGAIN;
        if (room)
            result->output_len += (size_t)got;
        else
            result->output_cut = true;
    }
}

/* Waits until pidfd says the program ended, or something else comes first. */
static int wait_for_end(const struct exec_request *request,
                        int pidfd,
                        int out_fd,
                        struct exec_result *result)
{
    struct pollfd fds[] = {{.fd = pidfd, .events = POLLIN},
                           {.fd = out_fd, .events = POLLIN},
                           {.fd = request->cancel_fd, .events = POLLIN}};

    for (;;) {
        int64_t left_ms = request->deadline_ms - clock_mono_ms();

        if (left_ms <= 0)
            return EXEC_E_TIMEOUT;
        if (poll(fds, 3, left_ms > 60000 ? 60000 : (int)left_ms) < 0 && errno != EINTR)
            return -errno;
        if (fds[1].revents && !drain(out_fd, request->output_max, result))
            fds[1].fd = -1; /* it closed its output but goes on */
        if (fds[0].revents)
            return 0;
        if (fds[2].revents)
            return EXEC_E_CANCELLED;
    }
}

static bool ends_within(int pidfd, int64_t wait_ms)
{
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    int64_t until_ms = clock_mono_ms() + wait_ms;
    int64_t left_ms = wait_ms;

    while (left_ms > 0) {
        int r = poll(&end, 1, (int)left_ms);

        if (r > 0)
            return true;
        left_ms = until_ms - clock_mono_ms();
    }
    return false;
}

/* Ends the whole group. While its leader is not reaped, the group's number cannot be
 * anybody else's. */
static void end_group(
    struct exec_child *child, pid_t pid, int pidfd, int reason, struct exec_result *result)
{
    if (reason == EXEC_E_TIMEOUT) {
        (void)kill(-pid, SIGTERM);
        (void)ends_within(pidfd, GRACE_MS);
    }
    (void)kill(-pid, SIGKILL);
    if (!ends_within(pidfd, REAP_MS)) {
        child->stuck_pid = pid; /* in the kernel, on a dead disk perhaps */
        return;
    }
    (void)waitpid(pid, &result->wait_status, 0);
}

static int start(const struct exec_request *request, pid_t *ret_pid, int *ret_out_fd)
{
    int64_t left_ms = request->deadline_ms - clock_mono_ms();
    int out[2];
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    pid_t pid = -1;
    int r = 0;

    if (null_fd < 0 || pipe2(out, O_CLOEXEC) < 0) {
        r = -errno;
        if (null_fd >= 0)
            (void)close(null_fd);
        return r;
    }
    pid = fork();
    if (pid == 0)
        become(request, out[1], null_fd, (rlim_t)(left_ms / 1000 + 2));
    r = pid < 0 ? -errno : 0;
    (void)close(null_fd);
    (void)close(out[1]);
    if (r) {
        (void)close(out[0]);
        return r;
    }
    (void)setpgid(pid, pid); /* both sides say it, whoever is first */
    (void)fcntl(out[0], F_SETFL, O_NONBLOCK);
    *ret_pid = pid;
    *ret_out_fd = out[0];
    return 0;
}

static int report(int r, struct err *reterr)
{
    if (r == EXEC_E_TIMEOUT)
        return err_set(reterr, r, "it did not end in time and was killed");
    if (r == EXEC_E_CANCELLED)
        return err_set(reterr, r, "the agent is stopping");
    return r < 0 ? err_set(reterr, r, "it could not be run: %s", strerrordesc_np(-r)) : r;
}

int exec_run(struct exec_child *child,
             const struct exec_request *request,
             struct exec_result *ret_result,
             struct err *reterr)
{
    pid_t pid = 0;
    int out_fd = -1;
    int pidfd;
    int r = exec_check(request->argv[0], reterr);

    if (r)
        return r;
    if (child->stuck_pid) {
        if (waitpid(child->stuck_pid, NULL, WNOHANG) == 0)
            return err_set(reterr, EXEC_E_STUCK, "an earlier run (pid %d) cannot be killed",
                           (int)child->stuck_pid);
        child->stuck_pid = 0;
    }
    r = start(request, &pid, &out_fd);
    if (r)
        return report(r, reterr);
    pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    r = pidfd < 0 ? -errno : wait_for_end(request, pidfd, out_fd, ret_result);
    end_group(child, pid, pidfd, r, ret_result);
    (void)drain(out_fd, request->output_max, ret_result);
    ret_result->output[ret_result->output_len] = '\0';
    (void)close(out_fd);
    if (pidfd >= 0)
        (void)close(pidfd);
    return report(r, reterr);
}
