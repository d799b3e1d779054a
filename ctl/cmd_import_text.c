/*
 * alertctl import openmetrics: samples with times from a text of any size.
 *
 *     a file:          read whole once, to find mistakes before anything is stored; then piece
 *                      by piece -> the sink -> flushed -> its place noted in the resume file
 *     standard input:  piece by piece at once; a mistake ends it, what came before is stored
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/cmd.h"
#include "ctl/progress.h"
#include "ctl/resume.h"
#include "ctl/sink.h"
#include "lib/base/mem.h"
#include "lib/wire/exposition_parse.h"

enum {
    PIECE_BYTES = 2 * 1024 * 1024, /* more than a line may have */
    JOB_MAX = 16 * 1024,
    IMPORT_E_TIME = 30, /* a sample without a time, or with one nobody means */
    IMPORT_E_READ = 31,
};

#define YEAR_9999_MS INT64_C(253402300799999)

struct import {
    const struct ctl *ctl;
    const char *name;
    int fd;
    bool is_file;
    bool openmetrics;
    bool only_check;
    struct exposition_reader *reader;
    struct sink sink;
    struct resume resume;
    struct progress progress;
    int64_t n_samples; /* read */
};

static int on_sample(void *arg, const struct exposition_sample *sample, struct err *reterr)
{
    struct import *import = arg;
    const struct sample one = {sample->t_ms, sample->value};

    if (!sample->has_time)
        return err_at(reterr, IMPORT_E_TIME, sample->line, 1,
                      "this sample has no time stamp: history needs one");
    if (sample->t_ms > YEAR_9999_MS)
        return err_at(
            reterr, IMPORT_E_TIME, sample->line, 1, "this time stamp is after the year 9999%s",
            import->openmetrics ? ": if it is milliseconds, say --format=prometheus" : "");
    import->n_samples++;
    if (import->only_check)
        return 0;
    const struct labels *labels = labels_new(sample->labels, sample->n);
    int r = sink_add(&import->sink, labels, &one, 1, reterr);
    labels_unref(labels);
    return r;
}

static int take_piece(struct import *import, const char *lines, size_t len, struct err *reterr)
{
    int r = exposition_read(import->reader, lines, len, reterr);

    if (r == 0 && !import->only_check)
        r = sink_flush(&import->sink, reterr);
    if (r != 0)
        return r;
    import->resume.position += (int64_t)len;
    import->resume.lines = exposition_lines(import->reader);
    import->resume.counts = import->sink.counts;
    progress_show(&import->progress, import->resume.position,
                  import->only_check ? "checking" : "storing", import->n_samples);
    return import->only_check || !import->is_file ? 0 : resume_save(&import->resume, reterr);
}

/* Fills the rest of the buffer; *ret_end at the end of the text. */
static int fill(
    const struct import *import, char *buffer, size_t *len, bool *ret_end, struct err *reterr)
{
    while (*len < PIECE_BYTES) {
        ssize_t got = read(import->fd, buffer + *len, PIECE_BYTES - *len);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(reterr, IMPORT_E_READ, "%s: %s", import->name, strerrordesc_np(errno));
        *ret_end = got == 0;
        if (got == 0)
            return 0;
        *len += (size_t)got;
    }
    return 0;
}

/* The bytes of whole lines in it; all of it at the end of the text. */
static size_t whole_lines(const char *buffer, size_t len, bool is_end)
{
    const char *newline = is_end ? NULL : memrchr(buffer, '\n', len);

    if (is_end)
        return len;
    return newline ? (size_t)(newline - buffer) + 1 : 0;
}

static int read_pieces(struct import *import, struct err *reterr)
{
    MEM_AUTO char *buffer = mem_alloc(PIECE_BYTES);
    bool is_end = false;
    size_t len = 0;
    int r = 0;

    while (r == 0 && !is_end) {
        r = fill(import, buffer, &len, &is_end, reterr);
        if (r != 0)
            return r;
        size_t whole = whole_lines(buffer, len, is_end);
        if (whole == 0 && len > 0)
            return err_at(reterr, EXPOSITION_E_LIMIT, exposition_lines(import->reader) + 1, 1,
                          "a line of more than %d bytes", EXPOSITION_LINE_MAX);
        r = take_piece(import, buffer, whole, reterr);
        memmove(buffer, buffer + whole, len - whole);
        len -= whole;
    }
    return r == 0 ? exposition_end(import->reader, reterr) : r;
}

/* One way through the text, from resume.position on. */
static int read_text(struct import *import, bool only_check, struct err *reterr)
{
    const struct exposition_visitor visitor = {
        .sample = on_sample, .arg = import, .openmetrics = import->openmetrics};

    if (import->is_file && lseek(import->fd, import->resume.position, SEEK_SET) < 0)
        return err_set(reterr, IMPORT_E_READ, "%s: %s", import->name, strerrordesc_np(errno));
    import->only_check = only_check;
    import->n_samples = only_check ? 0
                                   : import->sink.counts.stored + import->sink.counts.duplicate +
                                         import->sink.counts.refused;
    import->reader = exposition_reader_new(&visitor, (unsigned)import->resume.lines);
    int r = read_pieces(import, reterr);
    exposition_reader_free(import->reader);
    import->reader = NULL;
    return r;
}

static enum ctl_exit complain(struct import *import, const struct err *err, bool is_stored)
{
    bool in_text = err->line > 0;

    progress_clear(&import->progress);
    if (in_text)
        (void)ctl_fail(import->ctl, "%s:%u:%u: %s%s", import->name, err->line, err->column,
                       err->text,
                       import->openmetrics && strstr(err->text, "# EOF")
                           ? " (it is cut, or Prometheus' text format: --format=prometheus)"
                           : "");
    else
        (void)ctl_fail(import->ctl, "%s", err->text);
    if (!is_stored || import->resume.lines == 0)
        (void)fputs("import: nothing of it is stored\n", stderr);
    else
        (void)fprintf(stderr, "import: the first %lld lines are stored; the same command %s\n",
                      (long long)import->resume.lines,
                      import->is_file ? "goes on behind them"
                                      : "sends them again, which changes nothing");
    return CTL_FAILURE;
}

/* Of the two bytes that every gzip file begins with, and no text does. */
static bool is_gzip(const struct import *import)
{
    unsigned char first[2];

    return import->is_file && pread(import->fd, first, 2, 0) == 2 && first[0] == 0x1f &&
           first[1] == 0x8b;
}

static enum ctl_exit run(struct import *import)
{
    bool found = false;
    struct err err = {0};
    int r = 0;

    if (import->is_file)
        r = resume_open(&import->resume, ctl_option(import->ctl, "resume"), &found, &err);
    if (r != 0)
        return ctl_fail(import->ctl, "%s", err.text);
    progress_init(&import->progress, "import", 0, import->resume.end);
    if (found) {
        import->sink.counts = import->resume.counts;
        (void)fprintf(stderr, "import: goes on behind line %lld (%s)\n",
                      (long long)import->resume.lines, import->resume.path);
    } else if (import->is_file) {
        if (read_text(import, true, &err) != 0)
            return complain(import, &err, false);
        progress_clear(&import->progress);
        import->resume.position = import->resume.lines = 0;
        progress_init(&import->progress, "import", 0, import->resume.end);
    }
    if (read_text(import, false, &err) != 0)
        return complain(import, &err, true);
    progress_clear(&import->progress);
    if (import->is_file)
        resume_finish(&import->resume);
    return sink_report(import->ctl, &import->sink.counts, import->sink.first_refusal);
}

static enum ctl_exit open_text(struct import *import)
{
    struct stat stat;

    if (strcmp(import->name, "-") == 0) {
        import->name = "<stdin>";
        import->fd = STDIN_FILENO;
    } else {
        import->fd = open(import->name, O_RDONLY | O_CLOEXEC);
    }
    if (import->fd < 0 || fstat(import->fd, &stat) < 0)
        return ctl_fail(import->ctl, "%s: %s", import->name, strerrordesc_np(errno));
    import->is_file = import->fd != STDIN_FILENO && S_ISREG(stat.st_mode);
    import->resume.end = import->is_file ? (int64_t)stat.st_size : 0;
    if (is_gzip(import))
        return ctl_fail(import->ctl,
                        "%s is packed by gzip: gunzip -c %s | alertctl import openmetrics -",
                        import->name, import->name);
    return CTL_OK;
}

enum ctl_exit cmd_import_openmetrics(struct ctl *ctl)
{
    STR_AUTO struct str job = STR_INIT(JOB_MAX);
    const char *format = ctl_option(ctl, "format");
    struct import import = {.ctl = ctl, .name = ctl->arguments[0], .openmetrics = true};

    if (format && strcmp(format, "prometheus") == 0) {
        import.openmetrics = false;
    } else if (format && strcmp(format, "openmetrics") != 0) {
        (void)ctl_fail(ctl, "--format is openmetrics or prometheus, not \"%.40s\"", format);
        return CTL_USAGE;
    }
    enum ctl_exit status = open_text(&import);
    if (status != CTL_OK)
        return status;
    /* with the size: a file that has grown is another one, and what is stored of it stays */
    str_addf(&job, "%s %s of %lld bytes into %s",
             import.openmetrics ? "openmetrics" : "prometheus text", import.name,
             (long long)import.resume.end, ctl->url);
    import.resume.job = str_text(&job);
    sink_init(&import.sink, ctl->url, ctl->token);
    status = run(&import);
    sink_done(&import.sink);
    resume_done(&import.resume);
    if (import.fd != STDIN_FILENO)
        (void)close(import.fd);
    return status;
}
