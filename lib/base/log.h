#pragma once

/*
 * One line per thing that happened: `ts=… level=… component=… msg="…" key=value`,
 * or the same as JSON. Programs log; libraries return errors. There is no global
 * logger: whoever logs was handed one.
 *
 *     log_info(log, "store", "partition opened", "day=%s series=%u", day, n);
 */

enum log_level {
    LOG_DEBUG,
    LOG_INFO,
    LOG_WARN,
    LOG_ERROR,
};

enum log_format {
    LOG_LOGFMT,
    LOG_JSON,
};

struct log {
    int fd;
    enum log_level level; /* nothing below it is written */
    enum log_format format;
};

/* "debug", "info", "warn", "error" / "logfmt", "json"; 0 or -EINVAL. */
int log_parse_level(const char *text, enum log_level *ret_level);
int log_parse_format(const char *text, enum log_format *ret_format);

/* `fmt` makes the logfmt pairs behind the message ("" for none). Values with
 * spaces must be quoted by the caller's format; control characters are replaced. */
void log_write(const struct log *log,
               enum log_level level,
               const char *component,
               const char *msg,
               const char *fmt,
               ...) __attribute__((format(printf, 5, 6)));

#define log_debug(log, component, ...) log_write((log), LOG_DEBUG, (component), __VA_ARGS__)
#define log_info(log, component, ...)  log_write((log), LOG_INFO, (component), __VA_ARGS__)
#define log_warn(log, component, ...)  log_write((log), LOG_WARN, (component), __VA_ARGS__)
#define log_error(log, component, ...) log_write((log), LOG_ERROR, (component), __VA_ARGS__)
