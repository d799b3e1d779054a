/*
 * A drill out of a text. See drill_text.h.
 */

#include "tests/lib/drill_text.h"

#include <string.h>

#include "lib/base/mem.h"
#include "tests/lib/row.h"

struct files {
    const char *rules;
};

static int read_rules(void *arg,
                      enum drill_read_what what,
                      const char *name,
                      char **ret_text,
                      size_t *ret_len,
                      struct err *reterr)
{
    const struct files *files = arg;

    *ret_text = mem_strdup(files->rules);
    *ret_len = strlen(files->rules);
    return 0;
}

struct drill_case *drill_of_text(const char *text, const char *rules)
{
    struct files files = {rules};
    struct drill *drill = NULL;
    struct drill_case *made = NULL;
    struct err err = {0};

    if (drill_parse(text, strlen(text), &drill, &err) != 0 ||
        drill_case_new(drill, read_rules, &files, &made, &err) != 0)
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    return made;
}
