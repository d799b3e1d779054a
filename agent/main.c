/*
 * alert-agent: watches this machine and what it can reach, and pushes what it sees.
 *
 * Flags in Prometheus' spelling (getopt_long knows one dash as two). Exit codes:
 * 0 fine, 1 failure, 2 wrong usage.
 */

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/probe/probe.h"

enum {
    ONCE_BYTES_MAX = 64 * 1024 * 1024,
    HOSTNAME_BYTES = 65,
};

enum flag {
    FLAG_CONFIG = 1,
    FLAG_ONCE,
    FLAG_LOG_LEVEL,
    FLAG_LOG_FORMAT,
    FLAG_VERSION,
    FLAG_HELP,
};

static const struct {
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *help;
    enum flag flag;
} flags[] = {
    {"config.file", "FILE", "the configuration (default /etc/alert-agent/agent.yml)", FLAG_CONFIG},
    {"once", NULL, "run every probe once, print what would be pushed, end", FLAG_ONCE},
    {"log.level", "LEVEL", "debug, info, warn or error (default info)", FLAG_LOG_LEVEL},
    {"log.format", "FORMAT", "logfmt or json (default logfmt)", FLAG_LOG_FORMAT},
    {"version", NULL, "print the version", FLAG_VERSION},
    {"help", NULL, "print this", FLAG_HELP},
};

enum {
    N_FLAGS = sizeof(flags) / sizeof(flags[0])
};

struct command {
    const char *config_path;
    bool is_once;
    bool is_over; /* --help and --version have said all */
    struct log log;
};

static void print_help(void)
{
    const struct probe_kind *kind;

    (void)printf("usage: alert-agent [flags]\n\nWatches this machine and what it can reach, and "
                 "pushes to alertd or anything\nthat takes Prometheus remote write.\n\nflags\n");
    for (int i = 0; i < N_FLAGS; i++) {
        char spelled[40];

        (void)snprintf(spelled, sizeof(spelled), "--%s%s%s", flags[i].name,
                       flags[i].argument ? "=" : "", flags[i].argument ? flags[i].argument : "");
        (void)printf("  %-22s %s\n", spelled, flags[i].help);
    }
    (void)printf("\nkinds of probes\n");
    for (size_t i = 0; (kind = probe_kind_at(i)); i++)
        (void)printf("  %-22s %s\n", kind->name, kind->help);
    (void)printf("\nsignals: SIGHUP reads the configuration again, SIGTERM ends.\n");
}

static int usage(const char *why, const char *what)
{
    (void)fprintf(stderr, "alert-agent: %s %s (see --help)\n", why, what);
    return 2;
}

static int take_flag(enum flag flag, const char *value, struct command *command)
{
    switch (flag) {
    case FLAG_CONFIG: command->config_path = value; return 0;
    case FLAG_ONCE: command->is_once = true; return 0;
    case FLAG_LOG_LEVEL:
        return log_parse_level(value, &command->log.level) ? usage("no such level:", value) : 0;
    case FLAG_LOG_FORMAT:
        return log_parse_format(value, &command->log.format) ? usage("no such format:", value) : 0;
    case FLAG_VERSION:
        (void)printf("alert-agent %s\n", WATCHBILL_VERSION);
        command->is_over = true;
        return 0;
    case FLAG_HELP:
        print_help();
        command->is_over = true;
        return 0;
    }
    return 2;
}

/* 0, or the exit code of wrong usage. */
static int parse(int argc, char **argv, struct command *command)
{
    struct option options[N_FLAGS + 1] = {0};
    int found;

    for (int i = 0; i < N_FLAGS; i++)
        options[i] = (struct option){flags[i].name,
                                     flags[i].argument ? required_argument : no_argument, NULL,
                                     flags[i].flag};
    opterr = 0;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread
    while ((found = getopt_long_only(argc, argv, ":", options, NULL)) != -1) {
        int r;

        if (found == ':')
            return usage("a value is missing for", argv[optind - 1]);
        if (found == '?')
            return usage("unknown flag", argv[optind - 1]);
        r = take_flag((enum flag)found, optarg, command);
        if (r || command->is_over)
            return r;
    }
    return optind < argc ? usage("unexpected argument", argv[optind]) : 0;
}

/* One allocator arena for all threads, small pieces given back at once: an agent that
 * holds 200 KiB needs no arena per thread. */
static void settle_process(void)
{
    // NOLINTBEGIN(concurrency-mt-unsafe): before any thread
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_TRIM_THRESHOLD, 64 * 1024);
    (void)mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    // NOLINTEND(concurrency-mt-unsafe)
    (void)signal(SIGPIPE, SIG_IGN);
    (void)prctl(PR_SET_DUMPABLE, 0); /* a token is in memory */
}

static int once(const struct agent_options *options)
{
    STR_AUTO struct str out = STR_INIT(ONCE_BYTES_MAX);
    struct err err = {0};

    if (agent_once(options, &out, &err)) {
        (void)fprintf(stderr, "alert-agent: %s\n", err.text);
        return 1;
    }
    return fwrite(str_text(&out), 1, out.len, stdout) == out.len && fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct command command = {
        .config_path = "/etc/alert-agent/agent.yml",
        .log = {.fd = 2, .level = LOG_INFO, .format = LOG_LOGFMT},
    };
    char hostname[HOSTNAME_BYTES] = "localhost";
    struct err err = {0};
    int r = parse(argc, argv, &command);

    if (r || command.is_over)
        return r;
    (void)gethostname(hostname, sizeof(hostname) - 1);
    settle_process();
    const struct agent_options options = {command.config_path, hostname, &command.log};
    if (command.is_once)
        return once(&options);
    if (agent_run(&options, &err)) {
        log_error(&command.log, "agent", "cannot start", "reason=\"%s\"", err.text);
        return 1;
    }
    _exit(0); /* a thread may still hang in a lookup; everything that matters is on disk */
}
