/*
 * One line per thing that happened. See log.h.
 */

#include "lib/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"

enum {
    LINE_MAX_BYTES = 4096
};

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *const format_names[] = {"logfmt", "json"};

static int find(const char *text, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    return -EINVAL;
}

int log_parse_level(const char *text, enum log_level *ret_level)
{
    int found = find(text, level_names, 4);

    if (found < 0)
        return found;
    *ret_level = (enum log_level)found;
    return 0;
}

int log_parse_format(const char *text, enum log_format *ret_format)
{
    int found = find(text, format_names, 2);

    if (found < 0)
        return found;
    *ret_format = (enum log_format)found;
    return 0;
}

/* Nothing an outsider sends may break a line in two. */
static void add_clean(struct str *line, const char *text, int in_quotes)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 32 || c == 127)
            str_addc(line, ' ');
        else if (in_quotes && (c == '"' || c == '\\'))
            str_addf(line, "\\%c", c);
        else
            str_addc(line, (char)c);
    }
}

void log_write(const struct log *log,
               enum log_level level,
               const char *component,
               const char *msg,
               const char *fmt,
               ...)
{
    char at[CLOCK_TEXT_MAX];
    STR_AUTO struct str pairs = STR_INIT(LINE_MAX_BYTES / 2);
    STR_AUTO struct str line = STR_INIT(LINE_MAX_BYTES);
    va_list ap;

    if (!log || level < log->level)
        return;
    va_start(ap, fmt);
    str_addv(&pairs, fmt, ap);
    va_end(ap);

    clock_rfc3339(clock_wall_ms(), at);
    if (log->format == LOG_JSON) {
        str_addf(&line, "{\"ts\":\"%s\",\"level\":\"%s\",\"component\":\"%s\",\"msg\":\"", at,
                 level_names[level], component);
        add_clean(&line, msg, 1);
        str_add(&line, "\",\"detail\":\"");
        add_clean(&line, str_text(&pairs), 1);
        str_add(&line, "\"}");
    } else {
        str_addf(&line, "ts=%s level=%s component=%s msg=\"", at, level_names[level], component);
        add_clean(&line, msg, 1);
        str_add(&line, pairs.len ? "\" " : "\"");
        add_clean(&line, str_text(&pairs), 0);
    }
    line.full = false; /* room was left for the end of line */
    str_addc(&line, '\n');
    ssize_t ignored = write(log->fd, str_text(&line), line.len);
    (void)ignored;
}
