/*
 * alertctl import prometheus: history out of a server with Prometheus' query API.
 *
 *     hour by hour: each selector's samples -> the sink -> flushed -> noted in the resume file
 *                   the next answer is asked for meanwhile (fetch_ahead.h)
 *
 * Whole hours of Unix time, so that no question straddles two of alertd's days.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/cmd.h"
#include "ctl/fetch_ahead.h"
#include "ctl/origin.h"
#include "ctl/progress.h"
#include "ctl/resume.h"
#include "ctl/sink.h"
#include "ctl/when.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"

enum {
    HOUR_MS = 3600000,
    STEP_HOURS_MAX = 24 * 31,
    JOB_MAX = 64 * 1024,
    MINUTE_LEN = sizeof("2026-11-23T22:00") - 1,
};

struct import {
    const struct ctl *ctl;
    int64_t step_ms;
    struct origin origin;
    struct sink sink;
    struct resume resume;
    struct progress progress;
    int64_t at_ms; /* up to where all came */
    char where[CLOCK_TEXT_MAX];
};

static void show(struct import *import)
{
    const struct sink_counts *counts = &import->sink.counts;

    clock_rfc3339(import->at_ms, import->where);
    (void)snprintf(import->where + MINUTE_LEN, sizeof(import->where) - MINUTE_LEN, "Z");
    progress_show(&import->progress, import->at_ms, import->where,
                  counts->stored + counts->duplicate + counts->refused);
}

static int on_series(void *arg,
                     const struct labels *labels,
                     const struct sample *samples,
                     size_t n,
                     struct err *reterr)
{
    struct import *import = arg;
    int r = n > 0 ? sink_add(&import->sink, labels, samples, n, reterr) : 0;

    show(import);
    return r;
}

/* Everything up to at_ms was told to the sink. */
static int end_window(struct import *import, int64_t at_ms, struct err *reterr)
{
    int r = sink_flush(&import->sink, reterr);

    if (r != 0)
        return r;
    import->resume.position = import->at_ms = at_ms;
    import->resume.counts = import->sink.counts;
    show(import);
    return resume_save(&import->resume, reterr);
}

static int import_all(struct import *import, struct err *reterr)
{
    const struct ctl *ctl = import->ctl;
    MEM_AUTO const char **selectors = mem_alloc(((size_t)ctl->n_given + 1) * sizeof(*selectors));
    struct fetch_plan plan = {selectors, 0, import->resume.position, import->resume.end,
                              import->step_ms};
    struct fetch_ahead ahead;
    struct fetched fetched = {0};

    while ((selectors[plan.n_selectors] = ctl_option_at(ctl, "match", (int)plan.n_selectors)))
        plan.n_selectors++;
    int r = fetch_ahead_start(&ahead, &import->origin, &plan, reterr);
    if (r != 0)
        return r;
    while (r == 0 && fetched.kind != FETCHED_END) {
        fetch_ahead_next(&ahead, &fetched);
        switch (fetched.kind) {
        case FETCHED_ANSWER:
            r = origin_answer_read(&import->origin, &fetched.answer, on_series, import, reterr);
            break;
        case FETCHED_WINDOW: r = end_window(import, fetched.at_ms, reterr); break;
        case FETCHED_END:
            r = fetched.r;
            *reterr = fetched.err;
            break;
        }
    }
    fetch_ahead_stop(&ahead);
    return r;
}

static enum ctl_exit run(struct import *import)
{
    const struct ctl *ctl = import->ctl;
    struct err err = {0};
    bool found;

    int r = resume_open(&import->resume, ctl_option(ctl, "resume"), &found, &err);
    if (r != 0)
        return ctl_fail(ctl, "%s", err.text);
    import->at_ms = import->resume.position;
    import->sink.counts = import->resume.counts;
    if (found)
        (void)fprintf(stderr, "import: goes on at %s (%s)\n",
                      clock_rfc3339(import->at_ms, import->where), import->resume.path);
    progress_init(&import->progress, "import", import->resume.begin, import->resume.end);
    show(import);
    r = import_all(import, &err);
    progress_clear(&import->progress);
    if (r != 0) {
        (void)ctl_fail(ctl, "%s", err.text);
        if (import->resume.position == import->resume.begin)
            (void)fputs("import: nothing of it is stored\n", stderr);
        else
            (void)fprintf(stderr,
                          "import: everything up to %s is stored; the same command goes on there\n",
                          clock_rfc3339(import->resume.position, import->where));
        return CTL_FAILURE;
    }
    resume_finish(&import->resume);
    if (import->origin.n_histograms > 0)
        (void)fprintf(stderr,
                      "import: %llu samples of native histograms left out: alertd has none\n",
                      (unsigned long long)import->origin.n_histograms);
    return sink_report(ctl, &import->sink.counts, import->sink.first_refusal);
}

/* The same text for the same import: what is asked where, and where it goes. */
static void describe(const struct ctl *ctl, const char *into, struct str *job)
{
    const char *to = ctl_option(ctl, "to");
    const char *selector;

    str_addf(job, "prometheus %s into %s from %s to %s", ctl->url, into, ctl_option(ctl, "from"),
             to ? to : "now");
    for (int i = 0; (selector = ctl_option_at(ctl, "match", i)); i++)
        str_addf(job, " match %s", selector);
}

static enum ctl_exit wrong_usage(const struct ctl *ctl, const char *words)
{
    (void)ctl_fail(ctl, "%s", words);
    return CTL_USAGE;
}

/* The times and the step; CTL_OK or what is wrong with them. */
static enum ctl_exit read_times(struct import *import)
{
    const struct ctl *ctl = import->ctl;
    const char *step = ctl_option(ctl, "step-hours");
    const char *to = ctl_option(ctl, "to");
    int64_t now_ms = clock_wall_ms();
    int64_t from_ms = 0;
    struct err err = {0};
    char *end = NULL;
    long hours = step ? strtol(step, &end, 10) : 1;

    if (hours < 1 || hours > STEP_HOURS_MAX || (end && *end))
        return wrong_usage(ctl, "--step-hours: expected whole hours, 1 to 744");
    import->step_ms = hours * (int64_t)HOUR_MS;
    if (when_parse("from", ctl_option(ctl, "from"), now_ms, &from_ms, &err) != 0 ||
        when_parse("to", to ? to : "now", now_ms, &import->resume.end, &err) != 0)
        return wrong_usage(ctl, err.text);
    if (from_ms > import->resume.end)
        return wrong_usage(ctl, "--from is later than --to");
    import->resume.begin = import->resume.position = from_ms - 1;
    return CTL_OK;
}

enum ctl_exit cmd_import_prometheus(struct ctl *ctl)
{
    STR_AUTO struct str job = STR_INIT(JOB_MAX);
    struct import import = {.ctl = ctl};
    const char *into = ctl_option(ctl, "into");
    const char *token_file = ctl_option(ctl, "source-token-file");
    char *token = NULL;
    struct err err = {0};
    size_t len;

    if (ctl->n_arguments > 0)
        return wrong_usage(ctl,
                           "no files are taken: rules are stored by import rules FILE, samples "
                           "by import openmetrics FILE");
    if (!ctl->url_given || !ctl_option(ctl, "match") || !ctl_option(ctl, "from"))
        return wrong_usage(ctl, "--url (the server to read from), --match and --from are needed");
    enum ctl_exit status = read_times(&import);
    if (status != CTL_OK)
        return status;
    if (token_file && fs_read(token_file, 4096, &token, &len, &err) != 0)
        return ctl_fail(ctl, "%s", err.text);
    if (token)
        token[strcspn(token, "\r\n")] = '\0';
    into = into ? into : ctl->alertd_url;
    describe(ctl, into, &job);
    import.resume.job = str_text(&job);
    origin_init(&import.origin, ctl->url, token, import.step_ms);
    sink_init(&import.sink, into, ctl->token);
    status = run(&import);
    sink_done(&import.sink);
    origin_done(&import.origin);
    resume_done(&import.resume);
    free(token);
    return status;
}
