/*
 * Remote write, decoded. See remote_write_decode.h. Formats: google/snappy
 * format_description.txt; Prometheus' prompb/remote.proto.
 */

#include "lib/wire/remote_write_decode.h"

#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/wire/protobuf.h"
#include "lib/wire/remote_write_samples.h"

struct walk {
    const unsigned char *body; /* to name the byte in an error */
    const struct remote_write_visitor *visitor;
    struct remote_write_samples samples;
    struct err *reterr;
};

int remote_write_uncompress(const void *block,
                            size_t len,
                            size_t limit,
                            char **ret_bytes,
                            size_t *ret_len,
                            struct err *reterr)
{
    size_t claimed;

    if (snappy_uncompressed_length(block, len, &claimed) != SNAPPY_OK)
        return err_set(reterr, REMOTE_WRITE_E_MALFORMED,
                       "the body is not snappy's block format: its length is unreadable");
    if (claimed > limit)
        return err_set(reterr, REMOTE_WRITE_E_TOO_LARGE,
                       "the body claims %zu bytes, %zu at most: send smaller batches", claimed,
                       limit);
    char *bytes = malloc(claimed ? claimed : 1);
    if (!bytes)
        return err_set(reterr, REMOTE_WRITE_E_TOO_LARGE, "no memory for %zu bytes", claimed);
    size_t got = claimed;
    if (snappy_uncompress(block, len, bytes, &got) != SNAPPY_OK || got != claimed) {
        free(bytes);
        return err_set(reterr, REMOTE_WRITE_E_MALFORMED,
                       "the body is not snappy's block format, or was cut");
    }
    *ret_bytes = bytes;
    *ret_len = got;
    return 0;
}

static int malformed(const struct walk *walk, const struct cursor *at, const char *what)
{
    return err_set(walk->reterr, REMOTE_WRITE_E_MALFORMED,
                   "malformed protobuf at byte %zu: %s (is it a remote write 1.0 body?)",
                   (size_t)(at->at - walk->body), what);
}

static int read_sample(struct walk *walk, struct cursor in, size_t i)
{
    const char *what;
    int r = remote_write_samples_read(&walk->samples, walk->visitor->max_samples, &in, i, &what,
                                      walk->reterr);

    return what ? malformed(walk, &in, what) : r;
}

/* Labels lie in front, as a rule, and are shorter than 128 bytes: passed over, for a series that was
 * seen before is known by their bytes. */
static void pass_labels(struct cursor *in)
{
    enum {
        LABELS = 1 << 3 | WIRE_BYTES,
    };

    while (in->end - in->at >= 2 && in->at[0] == LABELS && in->at[1] < 0x80 &&
           in->end - in->at - 2 >= in->at[1])
        in->at += 2 + in->at[1];
}

static int read_series(struct walk *walk, struct cursor in)
{
    struct remote_write_series series = {0};
    const unsigned char *first = in.at;
    struct field field;

    pass_labels(&in);
    const unsigned char *last = in.at;
    size_t label_bytes = (size_t)(last - first);
    if (label_bytes == 0)
        first = last = NULL;

    while (in.at < in.end) {
        if (!protobuf_field(&in, &field))
            return malformed(walk, &in, "a time series");
        if (field.number >= 1 && field.number <= 4 && field.type != WIRE_BYTES)
            return malformed(walk, &in, "a time series' field has another type");
        switch (field.number) {
        case 1:
            first = first ? first : field.start;
            last = in.at;
            label_bytes += (size_t)(in.at - field.start);
            break;
        case 2: {
            int r = read_sample(walk, field.bytes, series.n);
            if (r != 0)
                return r;
            series.n++;
            break;
        }
        case 3: series.n_exemplars++; break;
        case 4: series.n_histograms++; break;
        default: break;
        }
    }
    series.raw = (const char *)first;
    series.raw_len = (size_t)(last - first);
    series.raw_is_labels_only = label_bytes == series.raw_len;
    series.samples = walk->samples.at;
    return walk->visitor->series(walk->visitor->arg, &series, walk->reterr);
}

static int read_metadata(struct walk *walk, struct cursor in)
{
    struct remote_write_metadata metadata = {.family = "", .help = "", .unit = ""};
    struct field field;

    while (in.at < in.end) {
        if (!protobuf_field(&in, &field))
            return malformed(walk, &in, "metadata");
        size_t len = (size_t)(field.bytes.end - field.bytes.at);
        if (field.number == 1 && field.type == WIRE_VARINT) {
            metadata.type = (unsigned)field.value;
        } else if (field.number == 2 && field.type == WIRE_BYTES) {
            metadata.family = (const char *)field.bytes.at;
            metadata.family_len = len;
        } else if (field.number == 4 && field.type == WIRE_BYTES) {
            metadata.help = (const char *)field.bytes.at;
            metadata.help_len = len;
        } else if (field.number == 5 && field.type == WIRE_BYTES) {
            metadata.unit = (const char *)field.bytes.at;
            metadata.unit_len = len;
        }
    }
    return walk->visitor->metadata(walk->visitor->arg, &metadata, walk->reterr);
}

static int read_request(struct walk *walk, struct cursor in)
{
    struct field field;

    while (in.at < in.end) {
        if (!protobuf_field(&in, &field))
            return malformed(walk, &in, "the request");
        int r = 0;
        if ((field.number == 1 || field.number == 3) && field.type != WIRE_BYTES)
            r = malformed(walk, &in, "the request's field has another type");
        else if (field.number == 1)
            r = read_series(walk, field.bytes);
        else if (field.number == 3 && walk->visitor->metadata)
            r = read_metadata(walk, field.bytes);
        else if (field.number == 4 || field.number == 5)
            r = malformed(walk, &in, "this is remote write 2.0, its content type says 1.0");
        if (r != 0)
            return r;
    }
    return 0;
}

int remote_write_decode(const char *bytes,
                        size_t len,
                        const struct remote_write_visitor *visitor,
                        struct err *reterr)
{
    const unsigned char *body = (const unsigned char *)bytes;
    struct walk walk = {.body = body, .visitor = visitor, .reterr = reterr};

    int r = read_request(&walk, (struct cursor){body, body + len});
    free(walk.samples.at);
    return r;
}

/* --- labels --- */

static int read_label_text(struct arena *arena,
                           const struct cursor *bytes,
                           const char *what,
                           const char **ret_text,
                           struct err *reterr)
{
    size_t len = (size_t)(bytes->end - bytes->at);
    const char *text = (const char *)bytes->at;

    if (len == 0)
        return err_set(reterr, REMOTE_WRITE_E_LABELS, "a label with an empty %s", what);
    if (!labels_text_ok(text, len))
        return err_set(reterr, REMOTE_WRITE_E_LABELS, "a label's %s is not UTF-8 or has a NUL",
                       what);
    *ret_text = arena_strndup(arena, text, len);
    if (!*ret_text)
        return err_set(reterr, REMOTE_WRITE_E_LIMIT,
                       "the labels of this body need too much memory");
    return 0;
}

static int read_label(struct arena *arena,
                      struct cursor in,
                      struct label *ret_label,
                      struct err *reterr)
{
    struct cursor name = {0};
    struct cursor value = {0};
    struct field field;

    while (in.at < in.end) {
        if (!protobuf_field(&in, &field) || (field.number <= 2 && field.type != WIRE_BYTES))
            return err_set(reterr, REMOTE_WRITE_E_MALFORMED, "malformed protobuf in a label");
        if (field.number == 1)
            name = field.bytes;
        else if (field.number == 2)
            value = field.bytes;
    }
    int r = read_label_text(arena, &name, "name", &ret_label->name, reterr);
    if (r == 0)
        r = read_label_text(arena, &value, "value", &ret_label->value, reterr);
    return r;
}

/* Insertion sort: they come sorted, and few. */
static void insert_sorted(struct label *labels, size_t n, struct label label)
{
    while (n > 0 && strcmp(labels[n - 1].name, label.name) > 0) {
        labels[n] = labels[n - 1];
        n--;
    }
    labels[n] = label;
}

static int check_twice(const struct label *labels, size_t n, struct err *reterr)
{
    for (size_t i = 1; i < n; i++)
        if (strcmp(labels[i - 1].name, labels[i].name) == 0)
            return err_set(reterr, REMOTE_WRITE_E_LABELS, "label \"%.100s\" is there twice",
                           labels[i].name);
    return 0;
}

int remote_write_labels(const struct remote_write_series *series,
                        struct arena *arena,
                        struct label **ret_labels,
                        size_t *ret_n,
                        struct err *reterr)
{
    const unsigned char *raw = (const unsigned char *)series->raw;
    struct cursor in = {raw, raw + series->raw_len};
    MEM_UNSET struct label found[REMOTE_WRITE_LABELS_MAX];
    struct label label = {"", ""};
    struct field field;
    size_t n = 0;

    while (in.at < in.end) {
        if (!protobuf_field(&in, &field))
            return err_set(reterr, REMOTE_WRITE_E_MALFORMED, "malformed protobuf in the labels");
        if (field.number != 1)
            continue;
        if (n == REMOTE_WRITE_LABELS_MAX)
            return err_set(reterr, REMOTE_WRITE_E_LABELS, "a series with more than %d labels",
                           REMOTE_WRITE_LABELS_MAX);
        int r = read_label(arena, field.bytes, &label, reterr);
        if (r != 0)
            return r;
        insert_sorted(found, n++, label);
    }
    int r = check_twice(found, n, reterr);
    if (r != 0)
        return r;
    struct label *labels = arena_array(arena, n ? n : 1, sizeof(*labels));
    if (!labels)
        return err_set(reterr, REMOTE_WRITE_E_LIMIT,
                       "the labels of this body need too much memory");
    for (size_t i = 0; i < n; i++)
        labels[i] = found[i];
    *ret_labels = labels;
    *ret_n = n;
    return 0;
}
