/*
 * A command: the webhook's payload on its input, the main facts in its environment.
 *
 *   memfd with the payload --> stdin      pipe <-- stdout and stderr (the first 4 KiB kept)
 *   pidfd: we wait for its end or the time limit, then end its whole process group
 *
 * No shell, no PATH search, its own process group, no file of ours but these three.
 * Exit status 0 is accepted; 100 and 127 and what could not be started are refusals.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alertd/deliver/kinds.h"
#include "alertd/deliver/payload.h"
#include "alertd/deliver/post.h"
#include "alertd/deliver/render.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    PAYLOAD_BYTES_MAX = 16 * 1024 * 1024,
    OUTPUT_BYTES_MAX = 4096,
    N_ENVIRONMENT = 13,
    EXIT_REFUSES = 100, /* by agreement: retrying is of no use now */
    EXIT_NOT_FOUND = 127,
};

struct child {
    pid_t pid;
    int pidfd;
    int output; /* read end; -1 at its end */
};

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}
#define FD_AUTO __attribute__((cleanup(close_fd)))

/* The payload as a file without a name, at its start. */
static int payload_fd(const struct str *payload)
{
    int fd = memfd_create("page", MFD_CLOEXEC);
    size_t done = 0;

    while (fd >= 0 && done < payload->len) {
        ssize_t n = write(fd, str_text(payload) + done, payload->len - done);

        if (n < 0) {
            (void)close(fd);
            return -1;
        }
        done += (size_t)n;
    }
    if (fd >= 0)
        (void)lseek(fd, 0, SEEK_SET);
    return fd;
}

/* NAME=value, one line each; the array ends with NULL. */
struct environment {
    struct str lines[N_ENVIRONMENT];
    char *at[N_ENVIRONMENT + 1];
    size_t n;
};

static void put(struct environment *environment, const char *name, const char *value)
{
    struct str *line = &environment->lines[environment->n];

    *line = STR_INIT(8192);
    str_addf(line, "%s=%s", name, value ? value : "");
    environment->at[environment->n++] = line->text;
}

static void fill_environment(struct environment *environment, const struct page *page)
{
    STR_AUTO struct str subject = STR_INIT(1024);

    render_subject(page, &subject);
    put(environment, "PATH", "/usr/local/bin:/usr/bin:/bin");
    put(environment, "LC_ALL", "C.UTF-8");
    put(environment, "WATCHBILL_INCIDENT", page->incident.key);
    put(environment, "WATCHBILL_STATUS",
        page->incident.status == INCIDENT_RESOLVED ? "resolved" : "firing");
    put(environment, "WATCHBILL_REASON", page->reason);
    put(environment, "WATCHBILL_SEVERITY", page->incident.severity);
    put(environment, "WATCHBILL_SUBJECT", str_text(&subject));
    put(environment, "WATCHBILL_RECEIVER", page->receiver);
    put(environment, "WATCHBILL_INCIDENT_URL", page->incident_url);
    put(environment, "WATCHBILL_ACKNOWLEDGE_URL", page->acknowledge_url);
    put(environment, "WATCHBILL_IDEMPOTENCY_KEY", page->idempotency_key);
    put(environment, "WATCHBILL_LANE", page->lane ? page->lane : "page");
}

static void drop_environment(struct environment *environment)
{
    for (size_t i = 0; i < environment->n; i++)
        str_done(&environment->lines[i]);
}

/* Its files, its group, ordinary signals. */
static int prepare(posix_spawn_file_actions_t *files,
                   posix_spawnattr_t *attributes,
                   int input,
                   int output)
{
    sigset_t none;
    sigset_t usual;
    int r = 0;

    (void)sigemptyset(&none);
    (void)sigemptyset(&usual);
    (void)sigaddset(&usual, SIGPIPE);
    (void)sigaddset(&usual, SIGTERM);
    (void)sigaddset(&usual, SIGINT);
    (void)sigaddset(&usual, SIGHUP);
    r |= posix_spawn_file_actions_adddup2(files, input, 0);
    r |= posix_spawn_file_actions_adddup2(files, output, 1);
    r |= posix_spawn_file_actions_adddup2(files, output, 2);
    r |= posix_spawn_file_actions_addclosefrom_np(files, 3);
    r |= posix_spawn_file_actions_addchdir_np(files, "/");
    r |= posix_spawnattr_setpgroup(attributes, 0);
    r |= posix_spawnattr_setsigmask(attributes, &none);
    r |= posix_spawnattr_setsigdefault(attributes, &usual);
    r |= posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                  POSIX_SPAWN_SETSIGDEF);
    return r ? -ENOMEM : 0;
}

static int spawn(const char **argv, char **environment, int input, int output, pid_t *ret_pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    union {
        const char **ours;
        char *const *theirs; /* posix_spawn() does not write, it only says so */
    } arguments = {.ours = argv};

    if (posix_spawn_file_actions_init(&files) != 0)
        return -ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        (void)posix_spawn_file_actions_destroy(&files);
        return -ENOMEM;
    }
    int r = prepare(&files, &attributes, input, output);
    if (r == 0)
        r = -posix_spawn(ret_pid, argv[0], &files, &attributes, arguments.theirs, environment);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&files);
    return r;
}

static int start(const struct route_command *command,
                 const struct page *page,
                 struct child *ret_child)
{
    STR_AUTO struct str payload = STR_INIT(PAYLOAD_BYTES_MAX);
    struct environment environment = {.n = 0};
    int ends[2];

    payload_write(page, 0, &payload);
    FD_AUTO int input = payload_fd(&payload);
    if (input < 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return -errno;
    /* the child's end blocks, as programs expect of their output */
    (void)fcntl(ends[1], F_SETFL, 0);
    fill_environment(&environment, page);
    int r = spawn(command->argv, environment.at, input, ends[1], &ret_child->pid);
    drop_environment(&environment);
    (void)close(ends[1]);
    if (r) {
        (void)close(ends[0]);
        return r;
    }
    ret_child->output = ends[0];
    ret_child->pidfd = pidfd_open(ret_child->pid, 0);
    return 0;
}

/* Keeps the first bytes, reads the others so that nobody blocks on us. */
static void read_output(struct child *child, struct str *kept)
{
    char bytes[1024];
    ssize_t n;

    while ((n = read(child->output, bytes, sizeof(bytes))) > 0)
        str_addn(kept, bytes, (size_t)n);
    if (n == 0) {
        (void)close(child->output);
        child->output = -1;
    }
}

/* Until it ends (true) or the time is over. */
static bool wait_end(struct child *child, int64_t deadline_ms, struct str *kept)
{
    for (;;) {
        struct pollfd wait[2] = {{.fd = child->pidfd, .events = POLLIN},
                                 {.fd = child->output, .events = POLLIN}};
        int64_t left_ms = deadline_ms - clock_mono_ms();

        if (left_ms <= 0)
            return false;
        /* without a pidfd (an old kernel) its end is looked for ten times a second */
        if (child->pidfd < 0 && left_ms > 100)
            left_ms = 100;
        if (poll(wait, 2, (int)left_ms) < 0 && errno != EINTR)
            return false;
        if (wait[1].revents)
            read_output(child, kept);
        if (wait[0].revents)
            return true;
        siginfo_t info = {0};
        if (child->pidfd < 0 &&
            waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid == child->pid)
            return true;
    }
}

/* The first line of what it wrote, printable. */
static void first_line(const struct str *output, char *text, size_t size)
{
    size_t n = 0;

    for (const char *at = str_text(output); *at && *at != '\n' && n + 1 < size; at++)
        text[n++] = (unsigned char)*at < 32 || (unsigned char)*at > 126 ? ' ' : *at;
    text[n] = '\0';
}

static void judge(const struct route_integration *to,
                  int status,
                  bool ended,
                  const struct str *output,
                  struct deliver_outcome *outcome)
{
    const char *program = to->command.argv[0];
    char line[200];

    first_line(output, line, sizeof(line));
    if (!ended) {
        (void)snprintf(outcome->words, sizeof(outcome->words), "%.100s did not end within %lld ms",
                       program, (long long)to->timeout_ms);
    } else if (WIFSIGNALED(status)) {
        (void)snprintf(outcome->words, sizeof(outcome->words), "%.100s was ended by signal %d",
                       program, WTERMSIG(status));
    } else {
        int code = WEXITSTATUS(status);

        outcome->verdict = code == 0                                        ? DELIVER_ACCEPTED
                           : code == EXIT_REFUSES || code == EXIT_NOT_FOUND ? DELIVER_REFUSED
                                                                            : DELIVER_LATER;
        (void)snprintf(outcome->words, sizeof(outcome->words), "%.100s ended with %d%s%s", program,
                       code, line[0] ? ": " : "", line);
    }
}

void command_send(struct http_client *http,
                  const struct route_integration *to,
                  const struct page *page,
                  struct deliver_outcome *outcome)
{
    STR_AUTO struct str output = STR_INIT(OUTPUT_BYTES_MAX);
    int64_t deadline_ms = clock_mono_ms() + to->timeout_ms;
    struct child child = {.pidfd = -1, .output = -1};
    int status = 0;
    int r = start(&to->command, page, &child);

    if (r) {
        struct err err = {0};

        (void)err_set(&err, r, "%.200s can't be started: %s", to->command.argv[0],
                      strerrordesc_np(-r));
        post_not_made(outcome, &err);
        return;
    }
    bool ended = wait_end(&child, deadline_ms, &output);
    (void)kill(-child.pid, SIGKILL); /* and what it left behind */
    while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (child.output >= 0)
        read_output(&child, &output);
    close_fd(&child.output);
    close_fd(&child.pidfd);
    judge(to, status, ended, &output, outcome);
}
