/*
 * The samples of a file beside a drill: OpenMetrics with times, or a table. NaN is a staleness
 * marker: the text has no other word for it.
 *
 *     at,"up{job=""shop""}",queue_length        times are lengths since the drill began
 *     0s,1,40
 *     15s,1,44                                  an empty cell is no sample
 */

#include <math.h>
#include <string.h>

#include "alertd/drill/case.h"
#include "alertd/promql/series_text.h"
#include "lib/base/float.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"
#include "lib/model/sample.h"
#include "lib/wire/exposition_parse.h"

enum {
    COLUMNS_MAX = 1000,
    CELL_MAX = 64 * 1024,
};

/* Where a file's samples go. */
struct into {
    struct drill_case *to;
    const struct drill_file *file;
};

static int add_point(const struct into *into,
                     const struct labels *labels,
                     int64_t t_ms,
                     double value,
                     struct err *err)
{
    struct drill_case *to = into->to;
    struct drill_points *points = NULL;

    for (size_t i = 0; i < to->n_points && !points; i++)
        if (labels_equal(to->points[i].labels, labels))
            points = &to->points[i];
    if (!points) {
        to->points = mem_grow(to->points, &to->points_capacity, to->n_points + 1,
                              sizeof(*to->points));
        points = &to->points[to->n_points++];
        *points = (struct drill_points){.labels = labels_ref(labels),
                                        .mended_ms = into->file->mended_ms,
                                        .until_mended = into->file->until_mended};
    }
    if (points->n && t_ms <= points->t_ms[points->n - 1])
        return err_set(err, DRILL_E_FILE, "samples of a series are not in the order of time");
    if (to->n_samples == DRILL_POINTS_MAX || to->n_points > DRILL_SERIES_MAX)
        return err_set(err, DRILL_E_FILE, "more than %d samples or %d series", DRILL_POINTS_MAX,
                       DRILL_SERIES_MAX);
    points->t_ms = mem_grow(points->t_ms, &points->times_capacity, points->n + 1, sizeof(t_ms));
    points->values = mem_grow(points->values, &points->capacity, points->n + 1, sizeof(value));
    points->t_ms[points->n] = t_ms;
    points->values[points->n++] = isnan(value) ? sample_stale() : value;
    to->n_samples++;
    return 0;
}

/* --- OpenMetrics ---------------------------------------------------------------------------------- */

struct metrics {
    struct into into;
    int64_t first_ms; /* where the first sample goes */
    bool has_first;
    int64_t base_ms; /* its time in the file */
};

/* The file's earliest time goes where the drill says. */
static int take_first(void *arg, const struct exposition_sample *sample, struct err *err)
{
    struct metrics *metrics = arg;

    if (!sample->has_time)
        return err_at(err, DRILL_E_FILE, sample->line, 1, "this sample has no time");
    if (!metrics->has_first || sample->t_ms < metrics->base_ms)
        metrics->base_ms = sample->t_ms;
    metrics->has_first = true;
    return 0;
}

static int take_sample(void *arg, const struct exposition_sample *sample, struct err *err)
{
    struct metrics *metrics = arg;
    const struct labels *labels = labels_new(sample->labels, sample->n);
    int r = add_point(&metrics->into, labels, sample->t_ms - metrics->base_ms + metrics->first_ms,
                      sample->value, err);

    labels_unref(labels);
    return r;
}

static int read_metrics(struct drill_case *to,
                        const struct drill_file *file,
                        const char *text,
                        size_t len,
                        struct err *err)
{
    struct metrics metrics = {.into = {to, file}, .first_ms = file->first_ms};
    struct exposition_visitor visitor = {
        .sample = take_first, .arg = &metrics, .openmetrics = true};
    int r = exposition_parse(text, len, &visitor, err);

    visitor.sample = take_sample;
    return r ? r : exposition_parse(text, len, &visitor, err);
}

/* --- A table ------------------------------------------------------------------------------------------ */

/* The next cell, without its quotes; *at is behind its comma or at the line's end. */
static int read_cell(const char **at, const char *end, struct str *cell, struct err *err)
{
    bool quoted = *at < end && **at == '"';

    str_cut(cell, 0);
    for (*at += quoted; *at < end; ++*at) {
        if (quoted && **at == '"') {
            if (*at + 1 < end && (*at)[1] == '"')
                ++*at;
            else
                break;
        } else if (!quoted && (**at == ',' || **at == '\n')) {
            break;
        }
        str_addc(cell, **at);
    }
    if (quoted && *at == end)
        return err_set(err, DRILL_E_FILE, "a \" is missing in the table");
    *at += quoted;
    if (*at < end && **at != ',' && **at != '\n')
        return err_set(err, DRILL_E_FILE, "a comma belongs behind a quoted cell");
    *at += *at < end && **at == ',';
    return cell->full ? err_set(err, DRILL_E_FILE, "a cell is longer than 64 KiB") : 0;
}

struct table {
    struct into into;
    int64_t first_ms;
    const struct labels *columns[COLUMNS_MAX];
    size_t n;
    unsigned line;
};

static int read_head(struct table *table, const char **at, const char *end, struct err *err)
{
    STR_AUTO struct str cell = STR_INIT(CELL_MAX);
    const char *rest = NULL;

    if (read_cell(at, end, &cell, err) != 0)
        return DRILL_E_FILE;
    if (strcmp(str_text(&cell), "at") != 0)
        return err_set(err, DRILL_E_FILE, "a table's first column is called `at`");
    while (*at < end && **at != '\n') {
        if (table->n == COLUMNS_MAX)
            return err_set(err, DRILL_E_FILE, "more than %d columns", COLUMNS_MAX);
        if (read_cell(at, end, &cell, err) != 0)
            return DRILL_E_FILE;
        table->columns[table->n] = series_text_labels(str_text(&cell), &rest, err);
        if (!table->columns[table->n])
            return DRILL_E_FILE;
        table->n++;
        if (*rest)
            return err_set(err, DRILL_E_FILE, "'%.60s' is no series", str_text(&cell));
    }
    return 0;
}

static int read_row(struct table *table, const char **at, const char *end, struct err *err)
{
    STR_AUTO struct str cell = STR_INIT(CELL_MAX);
    int64_t t_ms = 0;

    if (read_cell(at, end, &cell, err) != 0)
        return DRILL_E_FILE;
    if (duration_parse(str_text(&cell), cell.len, &t_ms) != 0 || t_ms > DRILL_LENGTH_MAX_MS)
        return err_set(err, DRILL_E_FILE, "a row begins with its time, such as 15s or 1h30m");
    for (size_t i = 0; *at < end && **at != '\n'; i++) {
        double value = 0;

        if (i == table->n)
            return err_set(err, DRILL_E_FILE, "this row has more cells than the first one");
        if (read_cell(at, end, &cell, err) != 0)
            return DRILL_E_FILE;
        if (cell.len == 0)
            continue;
        if (float_parse(str_text(&cell), cell.len, &value) != 0)
            return err_set(err, DRILL_E_FILE, "'%.60s' is no number", str_text(&cell));
        if (add_point(&table->into, table->columns[i], t_ms + table->first_ms, value, err) != 0)
            return DRILL_E_FILE;
    }
    return 0;
}

static int read_table(struct table *table, const char *text, size_t len, struct err *err)
{
    const char *at = text, *end = text + len;
    int r = 0;

    for (table->line = 1; !r && at < end; table->line++) {
        if (*at != '\n') /* an empty line is no row */
            r = table->line == 1 ? read_head(table, &at, end, err) : read_row(table, &at, end, err);
        if (r && err) {
            err->line = table->line;
            err->column = 1;
        }
        at += at < end;
    }
    for (size_t i = 0; i < table->n; i++)
        labels_unref(table->columns[i]);
    return r;
}

int drill_data_read(struct drill_case *drill_case,
                    const struct drill_file *file,
                    const char *text,
                    size_t len,
                    struct err *reterr)
{
    size_t n = strlen(file->name), before = drill_case->n_points;
    struct table table = {.into = {drill_case, file}, .first_ms = file->first_ms};
    int64_t last_ms = INT64_MIN;
    int r = n > 4 && strcmp(file->name + n - 4, ".csv") == 0
                ? read_table(&table, text, len, reterr)
                : read_metrics(drill_case, file, text, len, reterr);

    for (size_t i = before; i < drill_case->n_points; i++) {
        const struct drill_points *points = &drill_case->points[i];

        last_ms = points->t_ms[points->n - 1] > last_ms ? points->t_ms[points->n - 1] : last_ms;
    }
    for (size_t i = before; i < drill_case->n_points; i++)
        drill_case->points[i].last_ms = last_ms;
    return r;
}
