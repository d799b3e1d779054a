/*
 * Asking the engine and comparing what it says. See promqltest.h.
 */

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/token.h"
#include "lib/base/float.h"
#include "lib/regex/regex.h"
#include "tests/conformance/promqltest.h"

struct verdict {
    bool ok;
    bool refused; /* by name: experimental or native histograms */
    char why[600];
};

__attribute__((format(printf, 2, 3))) static void say(struct verdict *verdict, const char *fmt, ...)
{
    va_list ap;

    if (!verdict->ok)
        return;
    verdict->ok = false;
    va_start(ap, fmt);
    (void)vsnprintf(verdict->why, sizeof(verdict->why), fmt, ap);
    va_end(ap);
}

static bool almost_equal(double a, double b)
{
    const double tolerance = 1e-6;
    double sum = fabs(a) + fabs(b);
    double difference = fabs(a - b);

    if ((isnan(a) && isnan(b)) || a == b)
        return true;
    if (a == 0 || b == 0 || sum < DBL_MIN)
        return difference < tolerance * DBL_MIN;
    return difference / fmin(sum, DBL_MAX) < tolerance;
}

/* --- Messages ------------------------------------------------------------------------------- */

/* The words without the place, ` (1:5)`, at their end. */
static size_t without_place(const char *text)
{
    size_t len = strlen(text);
    const char *open = strrchr(text, '(');

    if (open && open > text && open[-1] == ' ' && text[len - 1] == ')' &&
        strspn(open + 1, "0123456789:") == len - (size_t)(open - text) - 2)
        return (size_t)(open - text) - 1;
    return len;
}

static bool fits(const struct pattern *pattern, const char *text)
{
    size_t len = without_place(text);
    struct regex *regex = NULL;

    if (!pattern->text)
        return true;
    if (!pattern->is_regex)
        return strlen(pattern->text) == len && memcmp(pattern->text, text, len) == 0;
    if (regex_new(pattern->text, &regex, NULL))
        return false;
    bool found = regex_matches_within(regex, text, len);
    regex_free(regex);
    return found;
}

static void check_notes(struct verdict *verdict,
                        const char *kind,
                        const struct pattern *pattern,
                        const char *const *texts,
                        size_t n)
{
    if (!n)
        say(verdict, "no %s", kind);
    for (size_t i = 0; i < n; i++)
        if (!fits(pattern, texts[i]))
            say(verdict, "%s: %s", kind, texts[i]);
}

static void check_all_notes(struct verdict *verdict,
                            const struct question *question,
                            const struct promql_value *value)
{
    if (question->warns)
        check_notes(verdict, "warning", &question->warning, value->warnings, value->n_warnings);
    if (question->informs)
        check_notes(verdict, "info", &question->info, value->infos, value->n_infos);
    if (question->no_warns && value->n_warnings)
        say(verdict, "unwanted warning: %s", value->warnings[0]);
    if (question->no_informs && value->n_infos)
        say(verdict, "unwanted info: %s", value->infos[0]);
}

/* --- Values ---------------------------------------------------------------------------------- */

static bool is_number_line(const char *line, double *ret_value)
{
    char *end;
    size_t len = strlen(line);

    if (float_parse(line, len, ret_value) == 0)
        return true;
    if (line[0] != '0' && line[0] != '-')
        return false;
    *ret_value = (double)strtoll(line, &end, 0);
    return end == line + len;
}

static void check_string(struct verdict *verdict, const char *quoted, const char *got)
{
    ARENA_AUTO struct arena arena;
    struct lexer lexer = {.text = quoted, .arena = &arena};
    struct token token;

    arena_init(&arena, 1 << 16);
    if (lexer_next(&lexer, &token, NULL) || token.kind != TOKEN_STRING)
        say(verdict, "cannot read the expected string");
    else if (!got || strcmp(got, token.text) != 0)
        say(verdict, "got \"%s\"", got ? got : "");
}

static const struct promql_series *find_series(const struct promql_value *value,
                                               const struct labels *labels,
                                               size_t *ret_place)
{
    for (size_t i = 0; i < value->n; i++)
        if (labels_equal(value->series[i].labels, labels)) {
            *ret_place = i;
            return &value->series[i];
        }
    return NULL;
}

/* The points of a series against the positions of an answer. */
static void check_points(struct verdict *verdict,
                         const struct question *question,
                         const struct promql_series *series,
                         const struct series_position *positions,
                         size_t n)
{
    int64_t from_ms = question->is_matrix ? question->matrix_from_ms : question->query.start_ms;
    int64_t step_ms = question->is_matrix ? question->matrix_step_ms : question->query.step_ms;
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        int64_t t_ms = from_ms + (int64_t)i * step_ms;
        bool there = at < series->n && series->t_ms[at] == t_ms;

        if (positions[i].gap != !there)
            say(verdict, "step %zu: %s", i, there ? "an unexpected point" : "no point");
        else if (there && !almost_equal(series->values[at], positions[i].value))
            say(verdict, "step %zu: got %.17g for %.17g", i, series->values[at],
                positions[i].value);
        at += there;
    }
    if (at < series->n)
        say(verdict, "%zu points too many", series->n - at);
}

static void check_line(struct verdict *verdict,
                       const struct question *question,
                       const struct promql_value *value,
                       size_t number)
{
    STR_AUTO struct str text = STR_INIT(300);
    struct series_position *positions = NULL;
    const char *rest = NULL;
    size_t n = 0;
    size_t place = 0;
    const struct labels *labels = series_text_labels(question->answers[number], &rest, NULL);

    if (!labels || !series_text_values(rest, &positions, &n, NULL)) {
        say(verdict, "cannot read the answer: %s", question->answers[number]);
        labels_unref(labels);
        return;
    }
    const struct promql_series *series = find_series(value, labels, &place);
    labels_print(labels, &text);
    if (!series)
        say(verdict, "missing: %s", str_text(&text));
    else if (question->ordered && place != number)
        say(verdict, "%s is number %zu", str_text(&text), place + 1);
    else
        check_points(verdict, question, series, positions, n);
    if (!verdict->ok && !strstr(verdict->why, " of "))
        (void)snprintf(verdict->why + strlen(verdict->why),
                       sizeof(verdict->why) - strlen(verdict->why), " of %s", str_text(&text));
    free(positions);
    labels_unref(labels);
}

static void check_answer(struct verdict *verdict,
                         const struct question *question,
                         const struct promql_value *value)
{
    double number;

    if (question->string) {
        check_string(verdict, question->string, value->string);
        return;
    }
    if (question->n_answers && is_number_line(question->answers[0], &number)) {
        if (value->type != PROMQL_SCALAR || value->n != 1)
            say(verdict, "not a scalar");
        else if (!almost_equal(value->series[0].values[0], number))
            say(verdict, "got %.17g for %.17g", value->series[0].values[0], number);
        return;
    }
    if (value->type == PROMQL_SCALAR || value->type == PROMQL_STRING)
        say(verdict, "an unexpected scalar or string");
    for (size_t i = 0; i < question->n_answers; i++)
        check_line(verdict, question, value, i);
    for (size_t i = 0; i < value->n && value->n > question->n_answers; i++) {
        STR_AUTO struct str text = STR_INIT(300);

        labels_print(value->series[i].labels, &text);
        say(verdict, "%zu series for %zu, among them %s", value->n, question->n_answers,
            str_text(&text));
    }
}

/* --- Asking ------------------------------------------------------------------------------------ */

static bool is_refusal(const char *words)
{
    return strstr(words, "(promql-") || strstr(words, "native histograms");
}

static int evaluate(struct run *run,
                    const struct question *question,
                    struct arena *arena,
                    struct promql_value *ret_value,
                    struct err *err)
{
    struct source source = fake_source_of(&run->fake);
    struct promql_expr *expr = NULL;
    int r = promql_parse(arena, question->expr, &expr, err);

    if (!r)
        cover_expr(run->coverage, expr);
    return r ? r : promql_eval(expr, &source, &question->query, arena, ret_value, err);
}

static void ask(struct run *run, const struct question *question, struct verdict *verdict)
{
    ARENA_AUTO struct arena arena;
    struct promql_value value = {0};
    struct err err = {0};

    arena_init(&arena, (size_t)256 << 20);
    int r = evaluate(run, question, &arena, &value, &err);
    verdict->refused = r && is_refusal(err.text);
    if (r && !question->fails)
        say(verdict, "failed: %s", err.text);
    else if (!r && question->fails)
        say(verdict, "did not fail");
    else if (r && !fits(&question->failure, err.text))
        say(verdict, "failed with: %s", err.text);
    if (r || !verdict->ok)
        return;
    check_all_notes(verdict, question, &value);
    check_answer(verdict, question, &value);
}

/* The instant question as the middle of three steps: the same answer there. */
static void ask_as_range(struct run *run, const struct question *question, struct verdict *verdict)
{
    struct question range = *question;
    ARENA_AUTO struct arena arena;
    struct promql_value value = {0};
    struct err err = {0};
    size_t kept = 0;

    arena_init(&arena, (size_t)256 << 20);
    range.query.start_ms -= 60000;
    range.query.end_ms += 60000;
    range.query.step_ms = 60000;
    range.query.limits = question->query.limits;
    if (evaluate(run, &range, &arena, &value, &err)) {
        say(verdict, "as a range query: %s", err.text);
        return;
    }
    for (size_t i = 0; i < value.n; i++) {
        struct promql_series series = value.series[i];

        for (size_t j = 0; j < series.n; j++)
            if (series.t_ms[j] == question->query.start_ms)
                value.series[kept++] = (struct promql_series){series.labels, 1, series.t_ms + j,
                                                              series.values + j};
    }
    value.n = kept;
    double number;
    if (question->n_answers == 1 && is_number_line(question->answers[0], &number))
        value.type = PROMQL_SCALAR;
    check_answer(verdict, question, &value);
    if (!verdict->ok && strncmp(verdict->why, "as a", 4) != 0) {
        char why[sizeof(verdict->why)];
        (void)snprintf(why, sizeof(why), "%s", verdict->why);
        (void)snprintf(verdict->why, sizeof(verdict->why), "as a range query: %.500s", why);
    }
}

void ask_question(struct run *run, const struct script *script, const struct question *question)
{
    struct verdict verdict = {.ok = true};

    ask(run, question, &verdict);
    if (verdict.ok && !question->fails && !question->ordered && !question->string &&
        !question->is_matrix && !question->query.step_ms && !strstr(question->expr, "start()") &&
        !strstr(question->expr, "end()") && !strstr(question->expr, "step()") &&
        !strstr(question->expr, "range()"))
        ask_as_range(run, question, &verdict);
    if (question->apart || (verdict.refused && !verdict.ok)) {
        run->apart++;
        run->apart_passed += verdict.ok;
        if (run->verbose && !verdict.ok)
            printf("apart %s:%zu: %s\n      %s\n", script->path, question->line, question->expr,
                   verdict.why);
        return;
    }
    run->passed += verdict.ok;
    run->failed += !verdict.ok;
    if (!verdict.ok)
        printf("FAIL %s:%zu: %s\n     %s\n", script->path, question->line, question->expr,
               verdict.why);
}
