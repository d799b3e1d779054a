/*
 * Any text at all, read as the plain format and as OpenMetrics: either every sample has a
 * name and honest labels, or the error has a place inside the text.
 */

#include <stdint.h>

#include "lib/base/bug.h"
#include "lib/wire/exposition_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check_sample(void *arg, const struct exposition_sample *sample, struct err *reterr)
{
    if (sample->n == 0 || !sample->labels[0].value[0])
        UNREACHABLE("a sample without a name");
    for (size_t i = 1; i < sample->n; i++)
        if (!sample->labels[i].name || !sample->labels[i].value)
            UNREACHABLE("a label without a text");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int openmetrics = 0; openmetrics < 2; openmetrics++) {
        const struct exposition_visitor visitor = {.sample = check_sample,
                                                   .openmetrics = openmetrics};
        struct err err = {0};
        int r = exposition_parse((const char *)data, size, &visitor, &err);

        if (r != 0 &&
            (err.line == 0 || err.column == 0 || err.line > size + 1 || err.column > size + 1))
            UNREACHABLE("an error without a place");
    }
    return 0;
}
