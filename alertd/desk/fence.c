/*
 * The fence around a drill's process. See fence.h.
 */

#include "alertd/desk/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OUR_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "name this machine's AUDIT_ARCH_ here: drills are not played without their fence"
#endif

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

enum {
    NICE = 10,
    MEMORY_BYTES_MAX = 1024 * 1024 * 1024,
    FILES_MAX = 3, /* what is open already */
};

int fence_prepare(struct err *reterr)
{
    const struct rlimit none = {0, 0};
    const struct rlimit memory = {MEMORY_BYTES_MAX, MEMORY_BYTES_MAX};
    const struct rlimit files = {FILES_MAX, FILES_MAX};

    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_set(reterr, -errno, "prctl: %s", strerrordesc_np(errno));
    if (setrlimit(RLIMIT_CORE, &none) != 0 || setrlimit(RLIMIT_FSIZE, &none) != 0 ||
        setrlimit(RLIMIT_NOFILE, &files) != 0 ||
        (!IS_SANITIZED && setrlimit(RLIMIT_AS, &memory) != 0)) /* a sanitizer maps terabytes */
        return err_set(reterr, -errno, "setrlimit: %s", strerrordesc_np(errno));
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* already lower is fine */
    return 0;
}

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))
/* The next statement only when what was loaded is that. */
#define WHEN(value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1)
#define ALLOW(call) WHEN(__NR_##call), RETURN(SECCOMP_RET_ALLOW)
#define REFUSED     (SECCOMP_RET_ERRNO | EPERM)

static struct sock_filter filter[] = {
    LOAD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCHITECTURE, 1, 0),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    LOAD(nr),
    /* what is open: the socket */
    ALLOW(read),
    ALLOW(write),
    ALLOW(sendto),
#ifdef __NR_poll
    ALLOW(poll),
#endif
    ALLOW(ppoll),
    ALLOW(close),
    /* memory, as data */
    ALLOW(brk),
    ALLOW(munmap),
    ALLOW(mremap),
    ALLOW(madvise),
    /* what the C library needs: locks, time for a deadline, randomness, its own end */
    ALLOW(futex),
    ALLOW(clock_gettime),
    ALLOW(getrandom),
    ALLOW(restart_syscall),
    ALLOW(rt_sigreturn),
    ALLOW(rt_sigprocmask),
    ALLOW(sigaltstack),
    ALLOW(sched_yield),
    ALLOW(getpid),
    ALLOW(gettid),
    ALLOW(exit),
    ALLOW(exit_group),
    /* mmap and mprotect, unless something shall be run there */
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mmap, 2, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mprotect, 1, 0),
    RETURN(REFUSED),
    LOAD(args[2]), /* its lower half: both machines are little-endian */
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
    RETURN(REFUSED),
    RETURN(SECCOMP_RET_ALLOW),
};

int fence_raise(struct err *reterr)
{
    const struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
        return err_set(reterr, -errno, "the kernel takes no filter of system calls: %s",
                       strerrordesc_np(errno));
    return 0;
}

/* --- What must not work ------------------------------------------------------------------------- */

static int try_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static int try_local_socket(void)
{
    int pair[2];

    return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static int try_connect(void)
{
    const struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};

    return connect(0, (const struct sockaddr *)&to, sizeof(to));
}

static int try_read(void)
{
    return open("/etc/hostname", O_RDONLY | O_CLOEXEC);
}

static int try_write(void)
{
    return open("/tmp/alert-drill.out", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int try_exec(void)
{
    char program[] = "/bin/true";
    char *const arguments[] = {program, NULL};

    return execve(arguments[0], arguments, NULL);
}

static int try_fork(void)
{
    return (int)syscall(__NR_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static int try_kill(void)
{
    return kill(getppid(), 0);
}

static int try_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0) == MAP_FAILED
               ? -1
               : 0;
}

static int try_unfence(void)
{
    return prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
}

bool fence_try(struct str *out)
{
    static const struct {
        const char *name;
        int (*call)(void);
    } rows[] = {
        {"socket", try_socket},
        {"socketpair", try_local_socket},
        {"connect", try_connect},
        {"open for read", try_read},
        {"open for write", try_write},
        {"exec", try_exec},
        {"fork", try_fork},
        {"kill", try_kill},
        {"run code from memory", try_code},
        {"prctl", try_unfence},
    };
    bool all = true;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        errno = 0;
        bool worked = rows[i].call() >= 0;

        str_addf(out, "%s %s: %s\n", rows[i].name, worked ? "WORKED" : "refused",
                 strerrordesc_np(errno));
        all = all && !worked && errno == EPERM;
    }
    return all;
}
