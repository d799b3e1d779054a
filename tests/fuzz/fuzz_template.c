/*
 * Any text at all as a document template: it is printed within its limits, or the error
 * has a place inside the text.
 */

#include <stdint.h>
#include <stdlib.h>

#include "alertd/postmortem/facts.h"
#include "alertd/postmortem/template.h"
#include "lib/base/bug.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    STR_AUTO struct str out = STR_INIT(64 * 1024);
    MEM_AUTO char *text = mem_strndup((const char *)data, size);
    const struct template_file files[] = {{"t.md", text}, {"_t.md", text}};
    const struct template_set set = {files, 2};
    struct template *template;
    ARENA_AUTO struct arena arena;
    const struct fact *facts;
    struct err err = {0};

    arena_init(&arena, 4 * 1024 * 1024);
    if (postmortem_facts_example(&arena, &facts, &err))
        UNREACHABLE("the example does not fit");
    int r = template_parse(&arena, &set, &files[0], &template, &err);

    if (!r)
        r = template_render(template, facts, &out, &err);
    if (r && r != TEMPLATE_E_LIMIT && (err.line == 0 || err.line > size + 1))
        UNREACHABLE("an error without a place");
    return 0;
}
