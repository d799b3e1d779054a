/*
 * Any bytes at all as a remote write body, 1.0 and 2.0: compressed, and as protobuf directly. Memory
 * stays below the limits, labels come out sorted, distinct and not empty.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/bug.h"
#include "lib/wire/remote_write2_decode.h"
#include "lib/wire/remote_write_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    UNCOMPRESSED_MAX = 1 << 20,
    SAMPLES_MAX = 1000,
};

struct found {
    struct arena arena;
    size_t n_samples;
};

static int check_series(void *arg, const struct remote_write_series *series, struct err *reterr)
{
    struct found *found = arg;
    struct label *labels;
    size_t n;

    found->n_samples += series->n;
    if (found->n_samples > SAMPLES_MAX)
        UNREACHABLE("more samples than allowed");
    if (remote_write_labels(series, &found->arena, &labels, &n, NULL) != 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (!labels[i].name[0] || !labels[i].value[0] ||
            (i > 0 && strcmp(labels[i - 1].name, labels[i].name) >= 0))
            UNREACHABLE("labels out of order, double or empty");
    return 0;
}

static void walk(const char *bytes, size_t len)
{
    struct found found = {0};
    const struct remote_write_visitor visitor = {
        .series = check_series, .arg = &found, .max_samples = SAMPLES_MAX};

    arena_init(&found.arena, UNCOMPRESSED_MAX);
    (void)remote_write_decode(bytes, len, &visitor, NULL);
    found.n_samples = 0;
    arena_reset(&found.arena);
    (void)remote_write2_decode(bytes, len, &visitor, NULL);
    arena_reset(&found.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes;
    size_t len;

    if (remote_write_uncompress(data, size, UNCOMPRESSED_MAX, &bytes, &len, NULL) == 0) {
        walk(bytes, len);
        free(bytes);
    }
    walk((const char *)data, size);
    return 0;
}
