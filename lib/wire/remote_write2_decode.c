/*
 * Remote write 2.0, decoded. See remote_write2_decode.h. Format: Prometheus'
 * docs/specs/prw/remote_write_spec_2_0.md.
 *
 * Two walks over the body: the first collects the symbols, wherever they stand; the second
 * tells the series.
 */

#include "lib/wire/remote_write2_decode.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/model/metric.h"
#include "lib/wire/protobuf.h"
#include "lib/wire/remote_write_samples.h"

enum {
    REQUEST_SYMBOL = 4,
    REQUEST_SERIES = 5,
};

struct walk {
    const unsigned char *body;
    const struct remote_write_visitor *visitor;
    struct cursor *symbols;
    size_t n_symbols, symbols_capacity;
    struct remote_write_samples samples;
    struct str labels;      /* of the series at hand, as 1.0 writes them */
    struct cursor name;     /* the value of its __name__ */
    struct cursor metadata; /* the message, not read yet */
    size_t n_label_bytes;
    struct err *reterr;
};

static int malformed(const struct walk *walk, const struct cursor *at, const char *what)
{
    return err_set(walk->reterr, REMOTE_WRITE_E_MALFORMED,
                   "malformed protobuf at byte %zu: %s (is it a remote write 2.0 body?)",
                   (size_t)(at->at - walk->body), what);
}

static size_t length_of(const struct cursor *bytes)
{
    return (size_t)(bytes->end - bytes->at);
}

static const struct cursor *find_symbol(const struct walk *walk, uint64_t ref)
{
    return ref < walk->n_symbols ? &walk->symbols[ref] : NULL;
}

static int collect_symbols(struct walk *walk, struct cursor in)
{
    struct field field;

    while (in.at < in.end) {
        if (!protobuf_field(&in, &field))
            return malformed(walk, &in, "the request");
        if (field.number < REQUEST_SYMBOL)
            return malformed(walk, &in, "this is remote write 1.0, its content type says 2.0");
        if (field.number > REQUEST_SERIES)
            continue;
        if (field.type != WIRE_BYTES)
            return malformed(walk, &in, "the request's field has another type");
        if (field.number == REQUEST_SERIES)
            continue;
        if (walk->n_symbols == REMOTE_WRITE2_SYMBOLS_MAX)
            return err_set(walk->reterr, REMOTE_WRITE_E_LIMIT,
                           "more than %d symbols in one body: send smaller batches",
                           REMOTE_WRITE2_SYMBOLS_MAX);
        walk->symbols = mem_grow(walk->symbols, &walk->symbols_capacity, walk->n_symbols + 1,
                                 sizeof(*walk->symbols));
        walk->symbols[walk->n_symbols++] = field.bytes;
    }
    return 0;
}

/* --- labels --- */

static void put_text(struct str *out, unsigned field, const struct cursor *text)
{
    str_addc(out, (char)(field << 3 | WIRE_BYTES));
    protobuf_put_varint(out, length_of(text));
    str_addn(out, (const char *)text->at, length_of(text));
}

/* Label = 1 {string name = 1, value = 2} */
static void put_label(struct str *out, const struct cursor *name, const struct cursor *value)
{
    str_addc(out, 1 << 3 | WIRE_BYTES);
    protobuf_put_varint(out, 2 + protobuf_varint_size(length_of(name)) + length_of(name) +
                                 protobuf_varint_size(length_of(value)) + length_of(value));
    put_text(out, 1, name);
    put_text(out, 2, value);
}

/* References in pairs: a name, its value. */
static int read_labels(struct walk *walk, struct cursor in)
{
    uint64_t name_ref;
    uint64_t value_ref;

    while (in.at < in.end) {
        if (!protobuf_varint(&in, &name_ref) || !protobuf_varint(&in, &value_ref))
            return malformed(walk, &in, "labels_refs are not pairs");
        const struct cursor *name = find_symbol(walk, name_ref);
        const struct cursor *value = find_symbol(walk, value_ref);
        if (!name || !value)
            return malformed(walk, &in, "a label names a symbol that is not there");
        put_label(&walk->labels, name, value);
        if (length_of(name) == strlen(LABEL_NAME) &&
            memcmp(name->at, LABEL_NAME, strlen(LABEL_NAME)) == 0)
            walk->name = *value;
        if (walk->labels.full ||
            walk->n_label_bytes + walk->labels.len > REMOTE_WRITE2_LABEL_BYTES_MAX)
            return err_set(walk->reterr, REMOTE_WRITE_E_LIMIT,
                           "the labels of this body are too much text: send smaller batches");
    }
    return 0;
}

/* --- a series --- */

static int read_sample(struct walk *walk, struct cursor in, size_t i)
{
    const char *what;
    int r = remote_write_samples_read(&walk->samples, walk->visitor->max_samples, &in, i, &what,
                                      walk->reterr);

    return what ? malformed(walk, &in, what) : r;
}

/* Parts of a histogram and of a summary carry the metadata of their family. */
static size_t family_length(const struct cursor *name, unsigned type)
{
    static const char *const parts[] = {"_bucket", "_count", "_sum"};
    size_t len = length_of(name);
    bool has_parts = type == METRIC_HISTOGRAM || type == METRIC_SUMMARY;

    for (size_t i = 0; has_parts && i < sizeof(parts) / sizeof(*parts); i++) {
        size_t part_len = strlen(parts[i]);
        if (len > part_len && memcmp(name->end - part_len, parts[i], part_len) == 0)
            return len - part_len;
    }
    return len;
}

static int read_metadata(struct walk *walk, struct cursor in)
{
    struct remote_write_metadata metadata = {.help = "", .unit = ""};
    const struct cursor *help = NULL;
    const struct cursor *unit = NULL;
    struct field field;

    while (in.at < in.end) {
        if (!protobuf_field(&in, &field))
            return malformed(walk, &in, "metadata");
        if (field.type != WIRE_VARINT)
            continue;
        if (field.number == 1)
            metadata.type = field.value <= METRIC_STATESET ? (unsigned)field.value : 0;
        else if (field.number == 3)
            help = find_symbol(walk, field.value);
        else if (field.number == 4)
            unit = find_symbol(walk, field.value);
    }
    if (!walk->name.at || (metadata.type == 0 && !(help && length_of(help) > 0)))
        return 0;
    metadata.family = (const char *)walk->name.at;
    metadata.family_len = family_length(&walk->name, metadata.type);
    if (help) {
        metadata.help = (const char *)help->at;
        metadata.help_len = length_of(help);
    }
    if (unit) {
        metadata.unit = (const char *)unit->at;
        metadata.unit_len = length_of(unit);
    }
    return walk->visitor->metadata(walk->visitor->arg, &metadata, walk->reterr);
}

static int read_member(struct walk *walk,
                       const struct cursor *in,
                       const struct field *field,
                       struct remote_write_series *series)
{
    if (field->number >= 1 && field->number <= 5 && field->type != WIRE_BYTES)
        return malformed(walk, in, "a time series' field has another type");
    switch (field->number) {
    case 1: return read_labels(walk, field->bytes);
    case 2: return read_sample(walk, field->bytes, series->n++);
    case 3: series->n_histograms++; return 0;
    case 4: series->n_exemplars++; return 0;
    case 5: walk->metadata = field->bytes; return 0;
    default: return 0;
    }
}

static int read_series(struct walk *walk, struct cursor in)
{
    struct remote_write_series series = {.raw_is_labels_only = true};
    struct field field;

    str_cut(&walk->labels, 0);
    walk->name = walk->metadata = (struct cursor){0};
    while (in.at < in.end) {
        if (!protobuf_field(&in, &field))
            return malformed(walk, &in, "a time series");
        int r = read_member(walk, &in, &field, &series);
        if (r != 0)
            return r;
    }
    walk->n_label_bytes += walk->labels.len;
    series.raw = str_text(&walk->labels);
    series.raw_len = walk->labels.len;
    series.samples = walk->samples.at;
    int r = walk->visitor->series(walk->visitor->arg, &series, walk->reterr);
    if (r == 0 && walk->metadata.at && walk->visitor->metadata)
        r = read_metadata(walk, walk->metadata);
    return r;
}

static int read_all_series(struct walk *walk, struct cursor in)
{
    struct field field;
    int r = 0;

    while (r == 0 && in.at < in.end)
        if (!protobuf_field(&in, &field))
            r = malformed(walk, &in, "the request");
        else if (field.number == REQUEST_SERIES)
            r = read_series(walk, field.bytes);
    return r;
}

int remote_write2_decode(const char *bytes,
                         size_t len,
                         const struct remote_write_visitor *visitor,
                         struct err *reterr)
{
    const unsigned char *body = (const unsigned char *)bytes;
    const struct cursor whole = {body, body + len};
    struct walk walk = {.body = body,
                        .visitor = visitor,
                        .labels = STR_INIT(REMOTE_WRITE2_SERIES_BYTES_MAX),
                        .reterr = reterr};

    int r = collect_symbols(&walk, whole);
    if (r == 0)
        r = read_all_series(&walk, whole);
    free(walk.symbols);
    free(walk.samples.at);
    str_done(&walk.labels);
    return r;
}
