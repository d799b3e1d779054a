/*
 * Any text at all as an alert's template: refused with a place inside the text, or
 * expanded within its limits; and it is the same each time.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/rule/template.h"
#include "lib/base/bug.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int query(void *arg,
                 const char *expr,
                 struct arena *arena,
                 struct rule_template_sample **ret_samples,
                 size_t *ret_n,
                 struct err *reterr)
{
    static const struct label pairs[] = {{"job", "b"}};

    *ret_samples = arena_array(arena, 2, sizeof(**ret_samples));
    if (!*ret_samples)
        return err_set(reterr, 1, "no memory");
    *ret_n = strlen(expr) % 3;
    for (size_t i = 0; i < 2; i++) {
        (*ret_samples)[i].value = (double)i;
        (*ret_samples)[i].labels = labels_in_arena(arena, pairs, 1);
        if (!(*ret_samples)[i].labels)
            return err_set(reterr, 1, "no memory");
    }
    return 0;
}

static void nothing(void *arg, char kind, const char *name, size_t offset)
{
    if (offset > *(const size_t *)arg)
        UNREACHABLE("a reading outside of the text");
}

static void expand(const char *text, size_t size)
{
    static const struct label pairs[] = {{"__name__", "up"}, {"job", "a"}};
    STR_AUTO struct str out = STR_INIT(TMPL_OUTPUT_MAX);
    STR_AUTO struct str again = STR_INIT(TMPL_OUTPUT_MAX);
    ARENA_AUTO struct arena arena;
    struct tmpl *template = NULL;
    struct err err = {0};

    arena_init(&arena, 4 * 1024 * 1024);
    const struct rule_template_data data = {
        .labels = labels_in_arena(&arena, pairs, 2),
        .external_url = "http://x/y",
        .value = 0.123,
        .now_ms = INT64_C(1700000000000),
        .query = query,
    };
    if (rule_template_parse(&arena, text, &template, &err)) {
        if (!err.text[0] || err.line > size + 1 || err.column > size + 1)
            UNREACHABLE("an error without words, or outside of the text");
        return;
    }
    rule_template_reads(template, nothing, &size);
    rule_template_expand_or_tell(template, &data, &out);
    rule_template_expand_or_tell(template, &data, &again);
    if (strcmp(str_text(&out), str_text(&again)) != 0)
        UNREACHABLE("expanded differently the second time");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    MEM_AUTO char *text = mem_strndup((const char *)data, size);

    if (labels_text_ok(text, strlen(text)))
        expand(text, size);
    return 0;
}
