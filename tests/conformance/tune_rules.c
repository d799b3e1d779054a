/*
 * The alerting rules of others, taken apart: which way each goes, counted; and of each way some,
 * over series made for their selectors, every looked-at cell of the surface beside the rule's own
 * re-evaluation (tests/lib/tune_truth.h).
 *
 *     tune_rules [--each=N] FILE...      N rules of each way, the same each time; 40
 */

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/ast.h"
#include "alertd/promql/memory_source.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"
#include "tests/lib/tune_truth.h"

enum {
    FILE_BYTES_MAX = 16 << 20,
    ARENA_BYTES = 256 << 20,
    STEP_MS = 60000,
    SAMPLE_MS = 30000,
    HOURS = 3,
    WARM_UP_MS = 90 * 60000,
    NAMES_MAX = 32,
    NUMBERS_MAX = 16,
    WAYS = SPLIT_AGAIN + 1,
    EVERY = 9, /* thresholds and fors looked at: each ninth, and those of now */
};
static const int64_t start_ms = INT64_C(1700000040000) / STEP_MS * STEP_MS;

struct rules {
    const struct rule **at; /* each expression once */
    enum split_way *ways;
    size_t n, capacity, ways_capacity;
    struct rule_file **files;
    size_t n_files, files_capacity;
    size_t n_all, n_too_long;
};

/* --- which there are --- */

static bool is_known(const struct rules *rules, const char *text)
{
    for (size_t i = 0; i < rules->n; i++)
        if (strcmp(rules->at[i]->expr_text, text) == 0)
            return true;
    return false;
}

static void add_rule(struct rules *rules, const struct rule *rule)
{
    ARENA_AUTO struct arena arena;
    struct split_choice *choices = NULL;
    size_t n = 0;

    arena_init(&arena, ARENA_BYTES);
    rules->n_all += rule->is_alert;
    if (!rule->is_alert || is_known(rules, rule->expr_text))
        return;
    if (split_expr(rule->expr, &arena, &choices, &n, NULL) != 0) {
        rules->n_too_long++;
        return;
    }
    rules->at = mem_grow(rules->at, &rules->capacity, rules->n + 1, sizeof(struct rule *));
    rules->ways = mem_grow(rules->ways, &rules->ways_capacity, rules->n + 1, sizeof(*rules->ways));
    rules->ways[rules->n] = choices[0].way;
    rules->at[rules->n++] = rule;
}

static void add_file(struct rules *rules, const char *path)
{
    MEM_AUTO char *text = NULL;
    size_t len = 0;
    struct rule_file *file = NULL;

    if (fs_read(path, FILE_BYTES_MAX, &text, &len, NULL) != 0 ||
        rule_file_parse(path, text, len, NULL, &file, NULL) != 0)
        return; /* those that are no rule files are others' tests */
    rules->files = mem_grow(rules->files, &rules->files_capacity, rules->n_files + 1,
                            sizeof(struct rule_file *));
    rules->files[rules->n_files++] = file;
    for (size_t g = 0; g < file->n_groups; g++)
        for (size_t i = 0; i < file->groups[g].n_rules; i++)
            add_rule(rules, &file->groups[g].rules[i]);
}

/* --- series made for a rule --- */

struct making {
    struct memory_source *memory;
    struct rng rng;
    const char *names[NAMES_MAX]; /* of labels that it groups and matches by */
    size_t n_names;
    double numbers[NUMBERS_MAX]; /* that stand in it */
    size_t n_numbers;
};

static void note_names(struct making *making, const struct promql_names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        bool known = strcmp(names->at[i], LABEL_NAME) == 0 || strcmp(names->at[i], "le") == 0;
        for (size_t k = 0; k < making->n_names; k++)
            known |= strcmp(names->at[i], making->names[k]) == 0;
        if (!known && making->n_names < NAMES_MAX)
            making->names[making->n_names++] = names->at[i];
    }
}

static void look(struct making *making, const struct promql_expr *expr)
{
    if (expr->kind == PROMQL_NUMBER && making->n_numbers < NUMBERS_MAX)
        making->numbers[making->n_numbers++] = expr->number.value;
    if (expr->kind == PROMQL_AGGREGATE)
        note_names(making, &expr->aggregate.labels);
    if (expr->kind == PROMQL_BINARY) {
        note_names(making, &expr->binary.matching.labels);
        note_names(making, &expr->binary.matching.include);
    }
    for (size_t i = 0; expr_child(expr, i); i++)
        look(making, expr_child(expr, i));
}

/* A text that the matcher takes: its pattern without what makes it one, or something plain. */
static bool fitting(const struct matcher *matcher, size_t which, char *ret_text, size_t size)
{
    static const char *const plain[] = {"made", "500", "200", "1", "", "a-1", "/data"};
    size_t n = 0;

    for (const char *p = matcher->value; *p && n + 2 < size && *p != '|'; p++)
        if (*p == '.' && (p[1] == '*' || p[1] == '+'))
            ret_text[n++] = (char)('a' + which), p++;
        else if (*p == '.')
            ret_text[n++] = '0';
        else if (!strchr("()^$?*+\\[]", *p))
            ret_text[n++] = *p;
    ret_text[n] = '\0';
    if (matcher_matches(matcher, ret_text))
        return true;
    for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
        (void)snprintf(ret_text, size, "%s", plain[i]);
        if (matcher_matches(matcher, ret_text))
            return true;
    }
    return false;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t n = strlen(end);

    return len >= n && strcmp(text + len - n, end) == 0;
}

static void put_values(struct making *making, const struct labels *labels, bool rises, bool jumps)
{
    double value = 0;
    double pace = 0;

    for (int64_t t = -WARM_UP_MS; t <= HOURS * 3600000; t += SAMPLE_MS) {
        if (rng_below(&making->rng, 12) == 0) { /* goes on otherwise */
            double share = (double)rng_below(&making->rng, 200003) / 100003;
            double number = making->n_numbers > 0
                                ? making->numbers[rng_below(&making->rng, making->n_numbers)]
                                : 1;
            pace = isfinite(number) ? fabs(number) * share : share;
            if (jumps && rng_below(&making->rng, 2))
                pace = (double)rng_below(&making->rng, 3);
        }
        if (rng_below(&making->rng, 40) == 0)
            continue;
        value = rises ? value + pace * SAMPLE_MS / 1000 : pace;
        memory_source_add(making->memory, labels, start_ms + t, value);
    }
}

static void put_series(struct making *making,
                       const struct promql_selector *selector,
                       size_t which,
                       const char *le)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    const char *name = selector->name ? selector->name : "made_up";
    char text[300];
    enum {
        VALUE_MAX = 300
    };
    MEM_AUTO char *values = mem_alloc((selector->n_matchers + 1) *
                                      VALUE_MAX); /* until they are labels */

    (void)snprintf(text, sizeof(text), "%c-1", (int)('a' + which));
    labels_builder_set(&builder, "instance", text);
    for (size_t i = 0; i < making->n_names; i++)
        labels_builder_set(&builder, making->names[i],
                           strcmp(making->names[i], "instance") == 0 ? text : "made");
    for (size_t i = 0; i < selector->n_matchers; i++) {
        char *value = values + i * VALUE_MAX;
        const struct matcher *matcher = &selector->matchers[i];
        if (!fitting(matcher, which, value, VALUE_MAX))
            continue;
        if (strcmp(matcher->name, LABEL_NAME) == 0)
            name = selector->name ? selector->name : value;
        labels_builder_set(&builder, matcher->name, value);
    }
    labels_builder_set(&builder, LABEL_NAME, name);
    if (le)
        labels_builder_set(&builder, "le", le);
    const struct labels *labels = labels_builder_finish(&builder);
    bool rises = ends_with(name, "_total") || ends_with(name, "_count") ||
                 ends_with(name, "_sum") || ends_with(name, "_bucket");
    put_values(making, labels, rises, !rises);
    labels_unref(labels);
}

static void make_series(struct making *making, const struct promql_expr *expr)
{
    static const char *const les[] = {"0.5", "1", "5", "+Inf"};

    if (expr->kind == PROMQL_SELECTOR) {
        const char *name = expr->selector.name;
        bool is_bucket = name && ends_with(name, "_bucket");
        for (size_t which = 0; which < 2; which++)
            for (size_t i = 0; i < (is_bucket ? 4 : 1); i++)
                put_series(making, &expr->selector, which, is_bucket ? les[i] : NULL);
    }
    for (size_t i = 0; expr_child(expr, i); i++)
        make_series(making, expr_child(expr, i));
}

/* --- one rule --- */

struct tally {
    size_t n, n_looked_at, n_refused, n_fired, n_wrong;
};

/* Made series may match many to many, where the real ones do not. */
static bool is_refused(const struct source *source, const struct rule *rule)
{
    ARENA_AUTO struct arena arena;
    struct promql_value value;
    const struct promql_query query = {.start_ms = start_ms - WARM_UP_MS,
                                       .end_ms = start_ms + HOURS * 3600000,
                                       .step_ms = STEP_MS};

    arena_init(&arena, ARENA_BYTES);
    return promql_eval(rule->expr, source, &query, &arena, &value, NULL) != 0;
}

static void check(const struct rule *rule, uint64_t seed, struct tally *tally)
{
    struct memory_source memory = {0};
    struct making making = {.memory = &memory, .rng = {seed}};
    struct rule copy = *rule;
    struct tune_result result;
    struct err err = {0};

    look(&making, rule->expr);
    make_series(&making, rule->expr);
    const struct source source = memory_source_of(&memory);
    struct reading_source over = {.source = &source, .query_bytes = ARENA_BYTES, .piece_steps = 77};
    const struct tune_reader reader = reading_of_source(&over);
    copy.for_ms = rule->for_ms > 600000 ? 600000 : rule->for_ms; /* what three hours can show */
    copy.keep_firing_for_ms = rule->keep_firing_for_ms > 600000 ? 600000 : rule->keep_firing_for_ms;
    const struct tune_incident incident = {start_ms + 3600000, start_ms + 4500000, "made", NULL, 0};
    const struct tune_ask ask = {.rule = &copy,
                                 .interval_ms = STEP_MS,
                                 .from_ms = start_ms,
                                 .to_ms = start_ms + HOURS * 3600000,
                                 .for_ms = copy.for_ms,
                                 .whens = &incident,
                                 .n_incidents = 1};
    tally->n_looked_at++;
    int r = tune_run(&reader, &ask, &result, &err);
    if (r != 0 && !is_refused(&source, rule) && result.choice->way != SPLIT_AGAIN) {
        tally->n_wrong++;
        printf("FAIL %s\n  %s\n", rule->expr_text, err.text);
    } else if (r != 0) {
        tally->n_refused++;
    } else if (!tune_truth_check(&source, &ask, &result, EVERY, &err)) {
        tally->n_wrong++;
        printf("FAIL %s\n  %s\n", rule->expr_text, err.text);
    } else {
        tally->n_fired += surface_cell(backtest_surface(result.backtest), 0, 0).alerts > 0;
    }
    tune_result_done(&result);
    memory_source_done(&memory);
}

/* --- all of them --- */

static size_t check_all(const struct rules *rules, size_t each, struct tally *tallies)
{
    size_t n_wrong = 0;

    for (size_t i = 0; i < rules->n; i++)
        tallies[rules->ways[i]].n++;
    for (int way = 0; way < WAYS; way++) {
        size_t every = tallies[way].n > each ? tallies[way].n / each : 1;
        for (size_t i = 0, k = 0; i < rules->n; i++)
            if ((int)rules->ways[i] == way && k++ % every == 0)
                check(rules->at[i], i + 1, &tallies[way]);
        n_wrong += tallies[way].n_wrong;
    }
    return n_wrong;
}

static void tell(const struct rules *rules, const struct tally *tallies)
{
    size_t n_swept = 0;

    printf("%zu alerting rules, %zu different expressions, %zu too long to take apart\n",
           rules->n_all, rules->n, rules->n_too_long);
    for (int way = 0; way < WAYS; way++) {
        const struct tally *tally = &tallies[way];
        n_swept += way == SPLIT_AGAIN ? 0 : tally->n;
        printf("  %-9s %5zu (%4.1f %%)  looked at %zu: %zu equal in every cell (%zu of them "
               "fired), %zu could not be evaluated over made series, %zu wrong\n",
               split_way_name((enum split_way)way), tally->n,
               100.0 * (double)tally->n / (double)rules->n, tally->n_looked_at,
               tally->n_looked_at - tally->n_refused - tally->n_wrong, tally->n_fired,
               tally->n_refused, tally->n_wrong);
    }
    printf("  from one pass: %.1f %%\n", 100.0 * (double)n_swept / (double)rules->n);
}

int main(int argc, char **argv)
{
    struct rules rules = {0};
    struct tally tallies[WAYS] = {0};
    size_t each = 40;

    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], "--each=", 7) == 0)
            each = strtoul(argv[i] + 7, NULL, 10);
        else
            add_file(&rules, argv[i]);
    size_t n_wrong = rules.n > 0 ? check_all(&rules, each ? each : 1, tallies) : 0;
    if (rules.n > 0)
        tell(&rules, tallies);
    size_t n_swept = rules.n - tallies[SPLIT_AGAIN].n;
    bool is_enough = n_swept * 100 >= (rules.n + rules.n_too_long) * 95;
    if (!is_enough)
        printf("FAIL: fewer than 95 %% go by one pass\n");
    for (size_t i = 0; i < rules.n_files; i++)
        rule_file_unref(rules.files[i]);
    free(rules.files);
    free(rules.at);
    free(rules.ways);
    return n_wrong > 0 || rules.n == 0 || !is_enough;
}
