/*
 * Any text at all as a file of unit tests: refused with a place and words, or its groups run
 * over rules that always fire, and what is told of them holds nothing that moves a cursor.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/eval/unit_run.h"
#include "lib/base/bug.h"
#include "lib/base/mem.h"

enum {
    STEPS_MAX = 50,
    POSITIONS_MAX = 10 * 1000,
};

static const char rules_text[] =
    "groups:\n- name: g\n  rules:\n"
    "  - {record: 'a:sum', expr: sum by (a) (a)}\n"
    "  - {alert: A, expr: a > 0, for: 1m, labels: {l: '{{ $value }}'}, annotations: {t: "
    "'{{ $labels }}'}}\n"
    "  - {alert: B, expr: vector(1), annotations: {t: \"one\\ntwo\\nthree\", u: \"\\e[2J\"}}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not too much to do for one input. */
static bool is_small(const struct unit_file *file, const struct unit_group *group)
{
    int64_t end_ms = STEPS_MAX * file->evaluation_interval_ms;
    size_t n = 0;

    for (size_t i = 0; i < group->n_inputs; i++)
        n += group->inputs[i].n;
    for (size_t i = 0; i < group->n_alert_tests; i++)
        if (group->alert_tests[i].eval_ms > end_ms)
            return false;
    for (size_t i = 0; i < group->n_expr_tests; i++)
        if (group->expr_tests[i].eval_ms > end_ms || strchr(group->expr_tests[i].text, ':'))
            return false; /* subqueries have a fuzzer of their own */
    return n <= POSITIONS_MAX && file->evaluation_interval_ms < INT64_MAX / STEPS_MAX;
}

static void check_report(const struct unit_report *report, bool ok)
{
    STR_AUTO struct str text = STR_INIT(16 * 1024 * 1024);

    if (ok != (report->n + report->n_untold == 0))
        UNREACHABLE("failed without a failure, or the other way round");
    for (size_t i = 0; i < report->n; i++)
        if (!report->at[i].words[0])
            UNREACHABLE("a failure without words");
    unit_report_print(report, "t.yml", false, &text);
    for (const char *c = str_text(&text); *c; c++)
        if (((unsigned char)*c < ' ' && *c != '\n') || *c == 0x7f)
            UNREACHABLE("a control character in a report");
}

static void run(const struct unit_file *file, struct rule_file *rules)
{
    const struct unit_rules loaded = {&rules, 1};

    for (size_t i = 0; i < file->n_groups; i++) {
        struct unit_report report;

        if (!is_small(file, &file->groups[i]))
            continue;
        unit_report_init(&report);
        bool ok = unit_run(file, &file->groups[i], &loaded, &report);
        check_report(&report, ok);
        unit_report_done(&report);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    MEM_AUTO char *text = mem_strndup((const char *)data, size);
    struct rule_file *rules = NULL;
    struct unit_file *file = NULL;
    struct err err = {0};

    if (unit_file_parse(text, size, &file, &err)) {
        if (!err.text[0])
            UNREACHABLE("refused without words");
        return 0;
    }
    if (rule_file_parse("r.yml", rules_text, sizeof(rules_text) - 1, NULL, &rules, &err))
        UNREACHABLE("our own rules do not load");
    run(file, rules);
    rule_file_unref(rules);
    unit_file_free(file);
    return 0;
}
