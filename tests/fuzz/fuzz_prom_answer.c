/*
 * Any text at all, read as an answer of Prometheus' API: labels are honest texts, or the error
 * has words.
 */

#include <stdint.h>
#include <stdlib.h>

#include "lib/base/bug.h"
#include "lib/base/mem.h"
#include "lib/wire/prom_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check(void *arg, const struct prom_answer_series *series, struct err *reterr)
{
    for (size_t i = 0; i < series->n_labels; i++)
        if (!series->labels[i].name[0] ||
            !labels_text_ok(series->labels[i].value, strlen(series->labels[i].value)))
            UNREACHABLE("a label without an honest text");
    return 0;
}

static void warn(void *arg, const char *words)
{
    *(size_t *)arg += strlen(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    MEM_AUTO char *copy = size ? mem_dup(data, size) : mem_alloc(1);
    size_t n_warned = 0;
    struct err err = {0};

    if (prom_answer_read(copy, size, check, warn, &n_warned, &err) != 0 && !err.text[0])
        UNREACHABLE("an error without words");
    if (n_warned > size)
        UNREACHABLE("more words than there is text");
    return 0;
}
