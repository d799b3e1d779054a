/*
 * What every command is given: its options, its complaints, its help. See cmd.h.
 */

#include "ctl/cmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void ctl_print_help(FILE *out, const struct command *command)
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
