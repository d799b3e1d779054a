/*
 * Any text: parsed, printed, parsed again, evaluated.
 *
 * What must hold: a text is refused with a position inside it or it is accepted; what is
 * accepted prints to a text that is accepted and prints the same; evaluation ends in an
 * answer or in words, within its memory, and the points of an answer lie on the steps.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/promql.h"
#include "lib/base/bug.h"
#include "lib/base/mem.h"
#include "tests/lib/fake_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    TEXT_MAX = 4096,
    ARENA_BYTES = 4 << 20
};

static void load(struct fake_source *fake)
{
    static const char *const lines[] = {
        "x{l=\"a\"} 1+1x20",
        "x{l=\"b\"} 5 _ 3 NaN Inf stale _x3 1",
        "y_total{l=\"a\",m=\"1\"} 0+7x9 0+7x9",
        "h_bucket{le=\"1\"} 0+1x20",
        "h_bucket{le=\"+Inf\"} 0+3x20",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        if (!fake_source_load(fake, 10000, lines[i], NULL))
            UNREACHABLE("our own series");
}

static void check_value(const struct promql_value *value, const struct promql_query *query)
{
    for (size_t i = 0; i < value->n; i++) {
        const struct promql_series *series = &value->series[i];

        if (!series->n)
            UNREACHABLE("a series without points");
        for (size_t j = 0; j < series->n; j++) {
            if (sample_is_stale(series->values[j]))
                UNREACHABLE("a staleness marker in an answer");
            if (query->step_ms && (series->t_ms[j] - query->start_ms) % query->step_ms)
                UNREACHABLE("a point beside the steps");
        }
    }
}

static void evaluate(const char *text, const struct promql_query *query)
{
    ARENA_AUTO struct arena arena;
    struct fake_source fake = {0};
    struct promql_expr *expr = NULL;
    struct promql_value value = {0};
    struct err err = {0};

    load(&fake);
    struct source source = fake_source_of(&fake);
    arena_init(&arena, ARENA_BYTES);
    if (promql_parse(&arena, text, &expr, &err) == 0) {
        if (promql_eval(expr, &source, query, &arena, &value, &err) == 0)
            check_value(&value, query);
        else if (!err.text[0])
            UNREACHABLE("a failure without words");
    }
    fake_source_done(&fake);
}

/* Printed twice, the same. */
static bool print_and_check(const char *text)
{
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str once = STR_INIT(1 << 20);
    STR_AUTO struct str twice = STR_INIT(1 << 20);
    struct promql_expr *expr = NULL;
    struct err err = {0};

    arena_init(&arena, ARENA_BYTES);
    int r = promql_parse(&arena, text, &expr, &err);
    if (r) {
        if (!err.text[0] || !err.line || !err.column || err.column > strlen(text) + 1)
            UNREACHABLE("a refusal without words or place");
        return false;
    }
    promql_print(expr, &once);
    if (promql_parse(&arena, str_text(&once), &expr, &err))
        return true; /* deeper by the parentheses of a printed form, or out of memory */
    promql_print(expr, &twice);
    if (strcmp(str_text(&once), str_text(&twice)) != 0)
        UNREACHABLE("the canonical spelling is not canonical");
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct promql_query instant = {.start_ms = 120000, .end_ms = 120000};
    static const struct promql_query range = {.end_ms = 180000, .step_ms = 45000};

    if (size > TEXT_MAX)
        return 0;
    MEM_AUTO char *text = mem_strndup((const char *)data, size);
    if (print_and_check(text)) {
        evaluate(text, &instant);
        evaluate(text, &range);
    }
    return 0;
}
