/*
 * An alert-drill as a child of ours. See process.h.
 */

#include "alertd/play/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alertd/desk/desk.h"
#include "lib/base/clock.h"
#include "lib/base/frame.h"
#include "lib/base/mem.h"
#include "lib/json/read.h"

enum {
    ANSWER_MS_MAX = 20 * 1000,
};

struct process {
    pid_t pid;
    struct frame_reader reader; /* its fd is our end */
};

/* The socket as its input; its output and errors go nowhere. */
static int prepare(posix_spawn_file_actions_t *files, posix_spawnattr_t *attributes, int socket)
{
    sigset_t none;
    sigset_t usual;
    int r = 0;

    (void)sigemptyset(&none);
    (void)sigfillset(&usual);
    (void)sigdelset(&usual, SIGKILL);
    (void)sigdelset(&usual, SIGSTOP);
    r |= posix_spawn_file_actions_adddup2(files, socket, STDIN_FILENO);
    r |= posix_spawn_file_actions_addopen(files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    r |= posix_spawn_file_actions_adddup2(files, STDOUT_FILENO, STDERR_FILENO);
    r |= posix_spawn_file_actions_addclosefrom_np(files, 3);
    r |= posix_spawn_file_actions_addchdir_np(files, "/");
    r |= posix_spawnattr_setpgroup(attributes, 0);
    r |= posix_spawnattr_setsigmask(attributes, &none);
    r |= posix_spawnattr_setsigdefault(attributes, &usual);
    r |= posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                  POSIX_SPAWN_SETSIGDEF);
    return r ? -ENOMEM : 0;
}

static int spawn(const char *program, int socket, pid_t *ret_pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    MEM_AUTO char *name = mem_strdup(program);
    char *const arguments[] = {name, NULL};
    char *const environment[] = {NULL};

    if (posix_spawn_file_actions_init(&files) != 0)
        return -ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        (void)posix_spawn_file_actions_destroy(&files);
        return -ENOMEM;
    }

    int r = prepare(&files, &attributes, socket);

    if (r == 0)
        r = -posix_spawn(ret_pid, program, &files, &attributes, arguments, environment);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&files);
    return r;
}

int process_start(const char *program, struct process **ret_process, struct err *reterr)
{
    struct process *process = mem_zalloc(sizeof(*process));
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        int r = err_set(reterr, -errno, "socketpair: %s", strerrordesc_np(errno));

        free(process);
        return r;
    }

    int r = spawn(program, ends[1], &process->pid);

    (void)close(ends[1]);
    if (r) {
        (void)close(ends[0]);
        free(process);
        return err_set(reterr, r, "%s can't be started: %s", program, strerrordesc_np(-r));
    }
    process->reader.fd = ends[0];
    *ret_process = process;
    return 0;
}

static int read_answer(struct process *process,
                       struct str *ret_head,
                       struct str *ret_body,
                       struct err *reterr)
{
    struct json *head = NULL;
    int64_t bytes = 0;
    int r = frame_read_line(&process->reader, ret_head, reterr);

    if (r == 0)
        r = json_parse(str_text(ret_head), ret_head->len, &head, reterr);
    if (r == 0)
        r = json_get_int(head, "bytes", &bytes, reterr);
    json_free(head);
    if (r == 0 && bytes < 0)
        r = err_set(reterr, PROCESS_E_GONE, "its answer is no answer");
    return r ? r : frame_read_bytes(&process->reader, (size_t)bytes, ret_body, reterr);
}

int process_ask(struct process *process,
                const struct str *line,
                const struct str *bytes,
                struct str *ret_head,
                struct str *ret_body,
                struct err *reterr)
{
    int64_t deadline_ms = clock_mono_ms() + ANSWER_MS_MAX;
    int fd = process->reader.fd;
    int r = frame_write(fd, str_text(line), line->len, deadline_ms, reterr);

    process->reader.deadline_ms = deadline_ms;
    if (r == 0)
        r = frame_write(fd, "\n", 1, deadline_ms, reterr);
    if (r == 0 && bytes)
        r = frame_write(fd, str_text(bytes), bytes->len, deadline_ms, reterr);
    if (r == 0)
        r = read_answer(process, ret_head, ret_body, reterr);
    return r ? PROCESS_E_GONE : 0;
}

int process_pid(const struct process *process)
{
    return process->pid;
}

void process_stop(struct process *process)
{
    if (!process)
        return;
    (void)close(process->reader.fd);
    (void)kill(process->pid,
               SIGKILL); /* it has nothing to lose: all that matters is in drills.db */
    while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    free(process);
}
