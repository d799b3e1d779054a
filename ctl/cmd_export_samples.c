/*
 * alertctl export openmetrics: samples as a text, from alertd or any server with Prometheus'
 * query API.
 *
 *     selectors -> the list of series, sorted by name -> one after the other, each whole in time
 *
 * OpenMetrics wants what belongs to one name together, and the times of a series in order; so
 * a series is asked for by all of its labels, and what other series of its name have and it has
 * not is asked to be empty. Memory: the list, and one answer.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/cmd.h"
#include "ctl/origin.h"
#include "ctl/progress.h"
#include "ctl/when.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/model/quote.h"
#include "lib/wire/exposition_write.h"

enum {
    PIECE_MAX_DAYS = 31,
    LINE_MAX_BYTES = 2 * 1024 * 1024,
    SELECTOR_MAX = 256 * 1024,
    EXPORT_E_WRITE = 40,
};

struct export
{
    const struct ctl *ctl;
    FILE *out;
    struct origin origin;
    struct progress progress;
    int64_t from_ms, to_ms;
    const struct labels **series;
    size_t n, capacity;
    const struct labels *wanted; /* the series at hand */
    struct str line;
    int64_t n_samples, n_series;
    bool has_samples; /* of the series at hand */
};

static const char *metric_of(const struct labels *labels)
{
    const char *name = labels_get(labels, LABEL_NAME);

    return name ? name : "";
}

static int compare_series(const void *a, const void *b)
{
    const struct labels *const *x = a;
    const struct labels *const *y = b;
    int by_name = strcmp(metric_of(*x), metric_of(*y));

    return by_name ? by_name : labels_compare(*x, *y);
}

static int on_listed(void *arg,
                     const struct labels *labels,
                     const struct sample *samples,
                     size_t n,
                     struct err *reterr)
{
    struct export *export = arg;

    (void)samples;
    (void)n;
    (void)reterr;
    export->series = mem_grow(export->series, &export->capacity, export->n + 1,
                              sizeof(*export->series));
    export->series[export->n++] = labels_ref(labels);
    return 0;
}

/* Sorted, each once though two selectors may name it. */
static int list_series(struct export *export, struct err *reterr)
{
    const char *selector;
    size_t kept = 0;

    for (int i = 0; (selector = ctl_option_at(export->ctl, "match", i)); i++) {
        int r = origin_series(&export->origin, selector, export->from_ms, export->to_ms, on_listed,
                              export, reterr);
        if (r != 0)
            return r;
    }
    if (export->n == 0)
        return 0;
    qsort(export->series, export->n, sizeof(*export->series), compare_series);
    for (size_t i = 0; i < export->n; i++) {
        if (kept > 0 && labels_equal(export->series[kept - 1], export->series[i]))
            labels_unref(export->series[i]);
        else
            export->series[kept++] = export->series[i];
    }
    export->n = kept;
    return 0;
}

static int on_samples(void *arg,
                      const struct labels *labels,
                      const struct sample *samples,
                      size_t n,
                      struct err *reterr)
{
    struct export *export = arg;

    if (!labels_equal(labels, export->wanted))
        return 0;
    for (size_t i = 0; i < n; i++) {
        str_cut(&export->line, 0);
        openmetrics_sample(&export->line, labels->at, labels->n, samples[i]);
        if (export->line.full ||
            fwrite(str_text(&export->line), 1, export->line.len, export->out) != export->line.len)
            return err_set(reterr, EXPORT_E_WRITE, "the output can't be written: %s",
                           strerrordesc_np(errno));
    }
    export->has_samples = export->has_samples || n > 0;
    export->n_samples += (int64_t)n;
    return 0;
}

static void add_matcher(struct str *selector, const char *name, const char *value)
{
    str_add(selector, selector->len > 1 ? "," : "");
    if (labels_name_is_classic(name))
        str_add(selector, name);
    else
        quote_add(selector, name, strlen(name));
    str_addc(selector, '=');
    quote_add(selector, value, strlen(value));
}

/* The label names of series[first..end), which have one metric name: sorted, each once. */
static char **names_of_metric(const struct export *export, size_t first, size_t end, size_t *ret_n)
{
    char **names = NULL;
    size_t capacity = 0;
    size_t n = 0;

    for (size_t i = first; i < end; i++)
        for (size_t k = 0; k < export->series[i]->n; k++) {
            const char *name = export->series[i]->at[k].name;
            size_t at = 0;

            while (at < n && strcmp(names[at], name) != 0)
                at++;
            if (at < n)
                continue;
            names = mem_grow(names, &capacity, n + 1, sizeof(*names));
            names[n++] = mem_strdup(name);
        }
    *ret_n = n;
    return names;
}

static int export_series(struct export *export,
                         const struct labels *labels,
                         char *const *names,
                         size_t n_names,
                         struct err *reterr)
{
    STR_AUTO struct str selector = STR_INIT(SELECTOR_MAX);

    str_addc(&selector, '{');
    for (size_t i = 0; i < n_names; i++) {
        const char *value = labels_get(labels, names[i]);
        add_matcher(&selector, names[i], value ? value : "");
    }
    str_addc(&selector, '}');
    export->wanted = labels;
    export->has_samples = false;
    int r = selector.full ? err_set(reterr, ORIGIN_E_ASK,
                                    "a series with labels of more than %d bytes", SELECTOR_MAX)
                          : origin_read(&export->origin, str_text(&selector), export->from_ms,
                                        export->to_ms, on_samples, export, reterr);
    export->n_series += export->has_samples;
    return r;
}

static int export_all(struct export *export, struct err *reterr)
{
    int r = list_series(export, reterr);

    progress_init(&export->progress, "export", 0, (int64_t) export->n);
    for (size_t first = 0, end; r == 0 && first < export->n; first = end) {
        const char *metric = metric_of(export->series[first]);
        size_t n_names;

        for (end = first + 1; end < export->n; end++)
            if (strcmp(metric_of(export->series[end]), metric) != 0)
                break;
        char **names = names_of_metric(export, first, end, &n_names);
        for (size_t i = first; r == 0 && i < end; i++) {
            progress_show(&export->progress, (int64_t)i, metric, export->n_samples);
            r = export_series(export, export->series[i], names, n_names, reterr);
        }
        for (size_t i = 0; i < n_names; i++)
            free(names[i]);
        free(names);
    }
    progress_clear(&export->progress);
    if (r == 0 && (fputs("# EOF\n", export->out) < 0 || fflush(export->out) != 0))
        r = err_set(reterr, EXPORT_E_WRITE, "the output can't be written: %s",
                    strerrordesc_np(errno));
    return r;
}

/* Into FILE.part, which becomes FILE when it is complete. */
static enum ctl_exit export_to(struct export *export, const char *path)
{
    STR_AUTO struct str part = STR_INIT(4096);
    struct err err = {0};

    export->out = stdout;
    if (path) {
        str_addf(&part, "%s.part", path);
        export->out = fopen(str_text(&part), "we");
        if (!export->out)
            return ctl_fail(export->ctl, "%s: %s", str_text(&part), strerrordesc_np(errno));
    }
    int r = export_all(export, &err);
    if (path) {
        if (fclose(export->out) != 0 && r == 0)
            r = err_set(&err, EXPORT_E_WRITE, "%s: %s", str_text(&part), strerrordesc_np(errno));
        if (r == 0 && rename(str_text(&part), path) != 0)
            r = err_set(&err, EXPORT_E_WRITE, "%s: %s", path, strerrordesc_np(errno));
        if (r != 0)
            (void)remove(str_text(&part));
    }
    return r == 0 ? CTL_OK : ctl_fail(export->ctl, "%s", err.text);
}

enum ctl_exit cmd_export_openmetrics(struct ctl *ctl)
{
    struct export export = {.ctl = ctl, .line = STR_INIT(LINE_MAX_BYTES)};
    const char *from = ctl_option(ctl, "from");
    const char *to = ctl_option(ctl, "to");
    int64_t now_ms = clock_wall_ms();
    struct err err = {0};
    char samples[COUNT_TEXT_MAX];
    char series[COUNT_TEXT_MAX];

    if (!from || !ctl_option(ctl, "match")) {
        (void)ctl_fail(ctl, "--match and --from are needed");
        return CTL_USAGE;
    }
    if (when_parse("from", from, now_ms, &export.from_ms, &err) != 0 ||
        when_parse("to", to ? to : "now", now_ms, &export.to_ms, &err) != 0 ||
        (export.from_ms > export.to_ms && err_set(&err, -EINVAL, "--from is later than --to"))) {
        (void)ctl_fail(ctl, "%s", err.text);
        return CTL_USAGE;
    }
    origin_init(&export.origin, ctl->url, ctl->token, PIECE_MAX_DAYS * INT64_C(86400000));
    enum ctl_exit status = export_to(&export, ctl_option(ctl, "output"));
    if (status == CTL_OK)
        (void)fprintf(stderr, "export: %s samples of %s series\n",
                      count_text(export.n_samples, samples), count_text(export.n_series, series));
    if (export.origin.n_histograms > 0)
        (void)fprintf(stderr, "export: %llu samples of native histograms left out\n",
                      (unsigned long long)export.origin.n_histograms);
    for (size_t i = 0; i < export.n; i++)
        labels_unref(export.series[i]);
    free(export.series);
    str_done(&export.line);
    origin_done(&export.origin);
    return status;
}
