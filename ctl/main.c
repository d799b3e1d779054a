/*
 * alertctl: the operator's command line.
 *
 * This file is the way from argv to a row of the table in commands.c. What a command does is in
 * cmd_*.c.
 */

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alertd/promql/promql.h"
#include "ctl/cmd.h"
#include "lib/base/fs.h"

#define DEFAULT_URL "http://127.0.0.1:9797"

enum {
    KEPT_BYTES = 64 << 20,
};

static void print_overview(FILE *out)
{
    (void)fprintf(
        out, "usage: alertctl COMMAND [ARGUMENTS] [--url=URL] [--token-file=FILE] [--json]\n\n");
    for (int i = 0; i < (int)ctl_n_commands; i++) {
        char call[64];

        (void)snprintf(call, sizeof(call), "%s %s", ctl_commands[i].words,
                       ctl_commands[i].arguments);
        (void)fprintf(out, "  %-28s %s\n", call, ctl_commands[i].help);
    }
    (void)fprintf(out,
                  "\n  --url=URL           alertd's address (ALERTD_URL, else " DEFAULT_URL ")\n"
                  "  --token-file=FILE   where the token is (else the variable ALERTD_TOKEN)\n"
                  "  --json              the answer as JSON\n"
                  "  --enable-feature=promql-experimental-functions\n"
                  "                      check and test rules: as alertd with the same flag\n"
                  "  --version\n"
                  "  --help              behind a command: what it takes\n\n"
                  "Exit status: 0 fine, 1 failure, 2 wrong usage, 3 findings only.\n");
}

static void print_help(FILE *out, const struct command *command)
{
    (void)fprintf(out, "usage: alertctl %s %s\n\n  %s\n", command->words, command->arguments,
                  command->help);
    for (int i = 0; i < CTL_OPTIONS_MAX && command->options[i].name; i++) {
        const struct ctl_option *option = &command->options[i];
        char call[48];

        (void)snprintf(call, sizeof(call), "--%s%s%s", option->name, option->value ? "=" : "",
                       option->value ? option->value : "");
        (void)fprintf(out, "%s  %-26s %s\n", i ? "" : "\n", call, option->help);
    }
}

const char *ctl_option_at(const struct ctl *ctl, const char *name, int place)
{
    for (int i = 0; i < ctl->n_given; i++)
        if (strcmp(ctl->command->options[ctl->given[i].option].name, name) == 0 && place-- == 0)
            return ctl->given[i].value;
    return NULL;
}

const char *ctl_option(const struct ctl *ctl, const char *name)
{
    const char *value = NULL;

    for (int i = 0; i < ctl->n_given; i++)
        if (strcmp(ctl->command->options[ctl->given[i].option].name, name) == 0)
            value = ctl->given[i].value;
    return value;
}

enum ctl_exit ctl_fail(const struct ctl *ctl, const char *fmt, ...)
{
    va_list ap;

    (void)fprintf(stderr, "alertctl %s: ", ctl->command->words);
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
    return CTL_FAILURE;
}

/* The row whose words are the first of argv; *ret_used tells how many they were. */
static const struct command *find_command(char *const *words, int n, int *ret_used)
{
    for (int i = 0; i < (int)ctl_n_commands; i++) {
        char both[64];
        bool two = strchr(ctl_commands[i].words, ' ') != NULL;

        (void)snprintf(both, sizeof(both), "%s%s%s", words[0], two && n > 1 ? " " : "",
                       two && n > 1 ? words[1] : "");
        if (strcmp(both, ctl_commands[i].words) == 0) {
            *ret_used = two ? 2 : 1;
            return &ctl_commands[i];
        }
    }
    return NULL;
}

/* `--name=value`, `--name value` or `--flag` at argv[*at]; false when it is another one. */
static bool take(
    char *const *argv, int argc, int *at, const char *name, bool has_value, const char **ret_value)
{
    const char *text = argv[*at] + 2;
    size_t len = strlen(name);

    if (strncmp(text, name, len) != 0)
        return false;
    if (!has_value && text[len] == '\0') {
        *ret_value = "";
        return true;
    }
    if (has_value && text[len] == '=') {
        *ret_value = text + len + 1;
        return true;
    }
    if (has_value && text[len] == '\0' && *at + 1 < argc) {
        *ret_value = argv[++*at];
        return true;
    }
    return false;
}

struct line {
    char **words; /* what is no option */
    int n_words;
    char **options; /* the options that are not global, in place */
    int n_options;
    const char *token_file;
    const char *feature;
    bool help;
    bool version;
};

/* Sorts argv into words and options; global options are taken at once. An option's
 * separate value can't be told from a word before the command is known, so those stay
 * for the second pass: words and options keep their order in line->options. */
static void read_globals(int argc, char **argv, struct ctl *ctl, struct line *line)
{
    for (int i = 1; i < argc; i++) {
        const char *flag = NULL;
        bool is_option = strncmp(argv[i], "--", 2) == 0;

        if (is_option && take(argv, argc, &i, "url", true, &ctl->url)) {
            ctl->url_given = true;
            continue;
        }
        if (is_option && (take(argv, argc, &i, "enable-feature", true, &line->feature) ||
                          take(argv, argc, &i, "token-file", true, &line->token_file)))
            continue;
        if (is_option && take(argv, argc, &i, "json", false, &flag))
            ctl->json = true;
        else if (is_option && take(argv, argc, &i, "help", false, &flag))
            line->help = true;
        else if (is_option && take(argv, argc, &i, "version", false, &flag))
            line->version = true;
        else
            line->options[line->n_options++] = argv[i];
    }
}

/* What is left belongs to the command: its options, and the rest are arguments. */
static enum ctl_exit read_options(struct ctl *ctl, struct line *line)
{
    bool only_words = false;

    for (int i = 0; i < line->n_options; i++) {
        const char *value = NULL;
        int option = 0;

        if (!only_words && strcmp(line->options[i], "--") == 0) {
            only_words = true;
            continue;
        }
        if (only_words || strncmp(line->options[i], "--", 2) != 0) {
            line->words[line->n_words++] = line->options[i];
            continue;
        }
        for (; option < CTL_OPTIONS_MAX && ctl->command->options[option].name; option++)
            if (take(line->options, line->n_options, &i, ctl->command->options[option].name,
                     ctl->command->options[option].value != NULL, &value))
                break;
        if (option == CTL_OPTIONS_MAX || !ctl->command->options[option].name) {
            (void)ctl_fail(ctl, "unknown or incomplete option %s (try --help)", line->options[i]);
            return CTL_USAGE;
        }
        ctl->given[ctl->n_given++] = (struct ctl_given){option, value};
    }
    return CTL_OK;
}

static enum ctl_exit enable_feature(const struct ctl *ctl, const char *feature)
{
    if (!feature)
        return CTL_OK;
    if (strcmp(feature, "promql-experimental-functions") != 0) {
        (void)ctl_fail(ctl, "--enable-feature knows only promql-experimental-functions, not \"%s\"",
                       feature);
        return CTL_USAGE;
    }
    promql_allow_experimental();
    return CTL_OK;
}

static enum ctl_exit read_token(struct ctl *ctl, const char *path, char **ret_token)
{
    struct err err;
    size_t len;

    if (!path)
        return CTL_OK;
    if (fs_read(path, 4096, ret_token, &len, &err) != 0)
        return ctl_fail(ctl, "%s", err.text);
    (*ret_token)[strcspn(*ret_token, "\r\n")] = '\0';
    ctl->token = *ret_token;
    return CTL_OK;
}

static enum ctl_exit run(struct ctl *ctl, struct line *line)
{
    char *token = NULL;
    int used = 0;

    if (line->n_options > 0)
        ctl->command = find_command(line->options, line->n_options, &used);
    if (!ctl->command) {
        if (line->n_options > 0)
            (void)fprintf(stderr, "alertctl: unknown command '%s%s%s'\n\n", line->options[0],
                          line->n_options > 1 ? " " : "",
                          line->n_options > 1 ? line->options[1] : "");
        print_overview(line->help ? stdout : stderr);
        return line->help ? CTL_OK : CTL_USAGE;
    }
    if (line->help) {
        print_help(stdout, ctl->command);
        return CTL_OK;
    }
    line->options += used;
    line->n_options -= used;

    enum ctl_exit status = read_options(ctl, line);
    if (status == CTL_OK)
        status = enable_feature(ctl, line->feature);
    if (status != CTL_OK)
        return status;
    if (line->n_words < ctl->command->min_arguments ||
        (ctl->command->max_arguments >= 0 && line->n_words > ctl->command->max_arguments)) {
        print_help(stderr, ctl->command);
        return CTL_USAGE;
    }
    ctl->arguments = line->words;
    ctl->n_arguments = line->n_words;
    status = read_token(ctl, line->token_file, &token);
    if (status == CTL_OK)
        status = ctl->command->run(ctl);
    free(token);
    return status;
}

/* An environment variable that says something, else NULL. */
static const char *variable(const char *name)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): before any thread */

    return value && *value ? value : NULL;
}

/* A piece of the past that was evaluated frees what it took: given back to the kernel, it would be
 * faulted in again by the next, which cost a quarter of tuning over a month. */
static void keep_memory(void)
{
    /* NOLINTBEGIN(concurrency-mt-unsafe): there is one thread yet */
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    (void)mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
    /* NOLINTEND(concurrency-mt-unsafe) */
}

int main(int argc, char **argv)
{
    const char *url = variable("ALERTD_URL");
    struct ctl ctl = {
        .url = url ? url : DEFAULT_URL,
        .alertd_url = url ? url : DEFAULT_URL,
        .given = calloc((size_t)argc + 1, sizeof(*ctl.given)),
        .token = variable("ALERTD_TOKEN"),
        .color = isatty(STDOUT_FILENO) && !variable("NO_COLOR"),
    };
    char **words = calloc((size_t)argc + 1, sizeof(*words));
    char **options = calloc((size_t)argc + 1, sizeof(*options));
    struct line line = {.words = words, .options = options};
    int status = CTL_FAILURE;

    keep_memory();
    if (words && options && ctl.given) {
        read_globals(argc, argv, &ctl, &line);
        if (line.version) {
            (void)printf("alertctl " WATCHBILL_VERSION "\n");
            status = CTL_OK;
        } else {
            status = run(&ctl, &line);
        }
    }
    free(words);
    free(options);
    free(ctl.given);
    if (fflush(stdout) != 0)
        status = CTL_FAILURE;
    return status;
}
