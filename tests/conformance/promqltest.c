/*
 * Runs promqltest scripts against the engine, in process.
 *
 *     promqltest [--tags FILE] [--covers] [-v] SCRIPT...
 *
 * A script loads series and asks queries:
 *
 *     load 1m
 *       x{a="b"} 1+1x10
 *
 *     eval instant at 5m sum(x)
 *       {} 6
 *
 *     eval range from 0 to 2m step 1m x
 *       x{a="b"} 1 2 3
 *
 * with `expect fail|ordered|warn|info|no_warn|no_info|string` between question and
 * answer, and the older spelling eval_fail, eval_ordered, eval_warn, eval_info. Every
 * instant question is asked again as the middle of a range query, which must agree.
 *
 * A case is apart, and counted by itself, when its query uses what we refuse by name
 * (experimental, native histograms) or touches native histograms that were loaded, or
 * when the tags file, keyed by the `# src:` comment above it, says so.
 */

#include "tests/conformance/promqltest.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/ast.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"
#include "lib/regex/regex.h"

static void free_lines(struct script *script)
{
    for (size_t i = 0; i < script->n; i++)
        free(script->lines[i]);
    free(script->lines);
}

/* Lines without blanks at their ends; comments become empty, but `# src:` is kept. */
static bool read_lines(const char *path, struct script *ret)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    size_t capacity = 0;
    ssize_t n;

    if (!file)
        return false;
    while ((n = getline(&line, &size, file)) >= 0) {
        size_t start = strspn(line, " \t");

        while (n > 0 && strchr(" \t\r\n", line[n - 1]))
            line[--n] = '\0';
        const char *text = line[start] == '#' && strncmp(line + start, "# src:", 6) != 0
                               ? ""
                               : line + (start < (size_t)n ? start : (size_t)n);
        ret->lines = mem_grow(ret->lines, &capacity, ret->n + 1, sizeof(*ret->lines));
        ret->lines[ret->n++] = mem_strdup(text);
    }
    free(line);
    (void)fclose(file);
    return true;
}

static bool block_goes_on(const struct script *script)
{
    return script->at < script->n && script->lines[script->at][0] &&
           script->lines[script->at][0] != '#';
}

static int64_t duration_at(const char **text)
{
    int64_t ms = 0;
    size_t len = strcspn(*text, " \t");

    if (duration_parse(*text, len, &ms))
        ms = (int64_t)llround(strtod(*text, NULL) * 1000); /* a number of seconds */
    *text += len;
    *text += strspn(*text, " \t");
    return ms;
}

/* --- load ---------------------------------------------------------------------------------- */

/* A series we do not have: native histograms, or (as_classic) the one that would be made
 * of a classic histogram's. */
static void note_native(struct run *run, const char *line, bool as_classic)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    const char *rest;
    const struct labels *labels = series_text_labels(line, &rest, NULL);
    char name[200];

    if (!labels)
        return;
    const char *metric = labels_get(labels, LABEL_NAME);
    (void)snprintf(name, sizeof(name), "%s", metric ? metric : "");
    char *cut = strrchr(name, '_');
    if (as_classic && cut)
        *cut = '\0';
    labels_builder_add_all(&builder, labels);
    labels_builder_set(&builder, LABEL_NAME, name);
    if (as_classic)
        labels_builder_delete(&builder, "le");
    run->native = mem_grow(run->native, &run->native_capacity, run->n_native + 1,
                           sizeof(*run->native));
    run->native[run->n_native++] = labels_builder_finish(&builder);
    labels_unref(labels);
}

static void forget_data(struct run *run)
{
    fake_source_done(&run->fake);
    for (size_t i = 0; i < run->n_native; i++)
        labels_unref(run->native[i]);
    run->n_native = 0;
    run->typed = false;
}

static void run_load(struct run *run, struct script *script)
{
    const char *text = script->lines[script->at++];
    bool with_native = strncmp(text, "load_with_nhcb", 14) == 0;

    text += strcspn(text, " \t");
    text += strspn(text, " \t");
    int64_t step_ms = duration_at(&text);
    for (; block_goes_on(script); script->at++) {
        const char *line = script->lines[script->at];
        struct err err = {0};

        if (strstr(line, "{{") || strstr(line, "@st")) {
            note_native(run, line, false);
            continue;
        }
        run->typed = run->typed || strstr(line, "__type__") || strstr(line, "__unit__");
        if (with_native)
            note_native(run, line, true);
        if (!fake_source_load(&run->fake, step_ms, line, &err)) {
            printf("%s:%zu: cannot load: %s\n", script->path, script->at + 1, err.text);
            run->failed++;
        }
    }
}

/* --- eval: the question ----------------------------------------------------------------------- */

static bool skip_word(const char **text, const char *word)
{
    size_t len = strlen(word);

    if (strncmp(*text, word, len) != 0 || !strchr(" \t", (*text)[len]))
        return false;
    *text += len;
    *text += strspn(*text, " \t");
    return true;
}

static void read_flavour(const char **text, struct question *question)
{
    static const char *const flavours[] = {"eval_fail", "eval_warn", "eval_info", "eval_ordered"};
    bool *const flags[] = {&question->fails, &question->warns, &question->informs,
                           &question->ordered};

    for (size_t i = 0; i < sizeof(flavours) / sizeof(flavours[0]); i++)
        if (skip_word(text, flavours[i]))
            *flags[i] = true;
    (void)skip_word(text, "eval");
}

static bool read_question(const char *text, struct question *question)
{
    struct promql_query *query = &question->query;

    read_flavour(&text, question);
    if (skip_word(&text, "instant")) {
        if (skip_word(&text, "at"))
            query->start_ms = duration_at(&text);
        query->end_ms = query->start_ms;
    } else if (skip_word(&text, "range") && skip_word(&text, "from")) {
        query->start_ms = duration_at(&text);
        if (!skip_word(&text, "to"))
            return false;
        query->end_ms = duration_at(&text);
        if (!skip_word(&text, "step"))
            return false;
        query->step_ms = duration_at(&text);
    } else {
        return false;
    }
    question->expr = text;
    return true;
}

/* `msg: TEXT` or `regex: RE` behind an expect; the pattern is kept for comparison. */
static void read_pattern(const char *text, struct pattern *pattern)
{
    pattern->wanted = true;
    pattern->is_regex = skip_word(&text, "regex:");
    if (pattern->is_regex || skip_word(&text, "msg:"))
        pattern->text = text;
}

static void read_expect(const char *text, struct question *question)
{
    (void)skip_word(&text, "expect");
    if (strncmp(text, "fail", 4) == 0) {
        text += 4;
        question->fails = true;
        read_pattern(text + strspn(text, " \t"), &question->failure);
    } else if (strncmp(text, "no_warn", 7) == 0) {
        question->no_warns = true;
    } else if (strncmp(text, "no_info", 7) == 0) {
        question->no_informs = true;
    } else if (strncmp(text, "warn", 4) == 0) {
        text += 4;
        question->warns = true;
        read_pattern(text + strspn(text, " \t"), &question->warning);
    } else if (strncmp(text, "info", 4) == 0) {
        text += 4;
        question->informs = true;
        read_pattern(text + strspn(text, " \t"), &question->info);
    } else if (strncmp(text, "ordered", 7) == 0) {
        question->ordered = true;
    } else if (strncmp(text, "string", 6) == 0) {
        question->string = text + 7;
    } else if (skip_word(&text, "range") && skip_word(&text, "vector") &&
               skip_word(&text, "from")) {
        question->is_matrix = true;
        question->matrix_from_ms = duration_at(&text);
        if (skip_word(&text, "to"))
            (void)duration_at(&text);
        if (skip_word(&text, "step"))
            question->matrix_step_ms = duration_at(&text);
    }
}

/* A selector of the expression sees one of the series we do not have. */
static bool touches_native(const struct run *run, const struct promql_expr *expr)
{
    const struct promql_expr *child;

    if (expr->kind == PROMQL_SELECTOR)
        for (size_t i = 0; i < run->n_native; i++)
            if (matchers_match(expr->selector.matchers, expr->selector.n_matchers, run->native[i]))
                return true;
    for (size_t i = 0; (child = expr_child(expr, i)); i++)
        if (touches_native(run, child))
            return true;
    return false;
}

static bool is_apart(const struct run *run, const struct question *question)
{
    ARENA_AUTO struct arena arena;
    struct promql_expr *expr = NULL;

    arena_init(&arena, 1 << 20);
    if (question->apart || run->typed)
        return true;
    return promql_parse(&arena, question->expr, &expr, NULL) == 0 && touches_native(run, expr);
}

/* The tag in the file for the case of this `# src:` comment. */
static bool tagged_apart(const struct run *run, const char *src)
{
    char key[256];

    if (!run->tags || !src)
        return false;
    (void)snprintf(key, sizeof(key), "\"%s\": [", src + 7);
    const char *found = strstr(run->tags, key);
    return found && strncmp(found + strlen(key), "\n\"passes", 8) != 0;
}

static void run_eval(struct run *run, struct script *script, const char *src)
{
    struct question question = {.line = script->at + 1};
    const char *text = script->lines[script->at++];

    if (!read_question(text, &question)) {
        printf("%s:%zu: cannot read: %s\n", script->path, question.line, text);
        run->failed++;
        return;
    }
    for (; block_goes_on(script); script->at++) {
        const char *line = script->lines[script->at];

        if (strncmp(line, "expect ", 7) == 0) {
            read_expect(line, &question);
            continue;
        }
        if (question.n_answers < ANSWERS_MAX)
            question.answers[question.n_answers++] = line;
        question.apart = question.apart || strstr(line, "{{");
    }
    question.apart = is_apart(run, &question) || tagged_apart(run, src);
    ask_question(run, script, &question);
}

static void run_script(struct run *run, struct script *script)
{
    const char *src = NULL;

    while (script->at < script->n) {
        const char *line = script->lines[script->at];

        if (strncmp(line, "# src:", 6) == 0) {
            src = line;
            script->at++;
        } else if (!line[0]) {
            script->at++;
        } else if (strcmp(line, "clear") == 0) {
            forget_data(run);
            script->at++;
        } else if (strncmp(line, "load", 4) == 0) {
            run_load(run, script);
        } else if (strncmp(line, "eval", 4) == 0) {
            run_eval(run, script, src);
            src = NULL;
        } else {
            printf("%s:%zu: unknown command: %s\n", script->path, script->at + 1, line);
            run->failed++;
            script->at++;
        }
    }
}

static char *read_file(const char *path)
{
    struct str text = STR_INIT(16 << 20);
    char bytes[4096];
    size_t n;
    FILE *file = fopen(path, "re");

    if (!file)
        return NULL;
    while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
        str_addn(&text, bytes, n);
    (void)fclose(file);
    return str_take(&text);
}

static void run_file(struct run *total, const char *path, const char *tags, bool verbose)
{
    struct script script = {.path = path};
    struct run run = {.tags = tags, .verbose = verbose, .coverage = total->coverage};

    if (!read_lines(path, &script)) {
        printf("%s: cannot be read\n", path);
        total->failed++;
        return;
    }
    run_script(&run, &script);
    forget_data(&run);
    free(run.native);
    free_lines(&script);
    const char *name = strrchr(path, '/');
    printf("%-28s %4zu passed, %zu failed, %zu apart (%zu of them pass)\n", name ? name + 1 : path,
           run.passed, run.failed, run.apart, run.apart_passed);
    total->passed += run.passed;
    total->failed += run.failed;
    total->apart += run.apart;
    total->apart_passed += run.apart_passed;
}

int main(int argc, char **argv)
{
    static struct coverage coverage;
    struct run total = {.coverage = &coverage};
    bool verbose = false;
    bool covers = false;
    MEM_AUTO char *tags = NULL;

    promql_allow_experimental();
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0)
            verbose = true;
        else if (strcmp(argv[i], "--covers") == 0)
            covers = true;
        else if (strcmp(argv[i], "--tags") == 0 && i + 1 < argc)
            tags = read_file(argv[++i]);
        else
            run_file(&total, argv[i], tags, verbose);
    }
    if (covers)
        total.failed += cover_count_missing(&coverage);
    printf("%zu passed, %zu failed, %zu apart (%zu of them pass)\n", total.passed, total.failed,
           total.apart, total.apart_passed);
    return total.failed || !total.passed ? 1 : 0;
}
