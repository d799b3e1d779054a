/*
 * Any text at all, read as a rule file: either it has a place where it is wrong, or it can
 * be advised on, and what is printed of it reads back and prints the same.
 */

#include <stdint.h>
#include <string.h>

#include "alertd/rule/group.h"
#include "alertd/rule/lint.h"
#include "lib/base/bug.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_good(const struct rule_file *file)
{
    STR_AUTO struct str first = STR_INIT(16 * 1024 * 1024);
    STR_AUTO struct str second = STR_INIT(16 * 1024 * 1024);
    struct rule_findings findings = {0};
    struct rule_file *again = NULL;

    rule_lint(file, &findings);
    rule_findings_done(&findings);
    rule_file_print(&file, 1, &first);
    if (first.full)
        return;
    if (rule_file_parse("again", str_text(&first), first.len, NULL, &again, NULL))
        UNREACHABLE("what was printed does not read back");
    rule_file_print((const struct rule_file *const *)&again, 1, &second);
    if (strcmp(str_text(&first), str_text(&second)) != 0)
        UNREACHABLE("printed differently the second time");
    rule_file_unref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rule_findings findings = {0};
    struct rule_file *file = NULL;
    struct err err = {0};
    int r = rule_file_parse("fuzz", (const char *)data, size, &findings, &file, &err);

    if (r == 0)
        check_good(file);
    else if (findings.n == 0 || !err.text[0])
        UNREACHABLE("refused without words");
    rule_findings_done(&findings);
    rule_file_unref(file);
    return 0;
}
