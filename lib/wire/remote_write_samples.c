/*
 * The samples of one series. See remote_write_samples.h.
 */

#include "lib/wire/remote_write_samples.h"

#include "lib/base/mem.h"
#include "lib/wire/remote_write_decode.h"

/* As everybody writes it: the value, then the time, and nothing else. */
static bool read_usual(const struct cursor *in, struct sample *sample)
{
    enum {
        VALUE = 1 << 3 | WIRE_FIXED64,
        TIME = 2 << 3 | WIRE_VARINT,
    };
    struct cursor rest = *in;
    uint64_t t_ms;

    if (rest.end - rest.at < 11 || rest.at[0] != VALUE || rest.at[9] != TIME)
        return false;
    rest.at += 10;
    if (!protobuf_varint(&rest, &t_ms) || rest.at != rest.end)
        return false;
    *sample = (struct sample){(int64_t)t_ms, sample_from_bits(protobuf_fixed64(in->at + 1))};
    return true;
}

/* What is wrong about it; NULL: nothing. */
static const char *read_fields(struct cursor *in, struct sample *sample)
{
    struct field field;

    while (in->at < in->end) {
        if (!protobuf_field(in, &field))
            return "a sample";
        if (field.number == 1 && field.type == WIRE_FIXED64)
            sample->value = sample_from_bits(field.value);
        else if (field.number == 2 && field.type == WIRE_VARINT)
            sample->t_ms = (int64_t)field.value;
        else if (field.number <= 2)
            return "a sample's field has another type";
    }
    return NULL;
}

int remote_write_samples_read(struct remote_write_samples *samples,
                              size_t max,
                              struct cursor *in,
                              size_t i,
                              const char **ret_what,
                              struct err *reterr)
{
    struct sample sample = {0};

    *ret_what = read_usual(in, &sample) ? NULL : read_fields(in, &sample);
    if (*ret_what)
        return 0;
    if (samples->n_total >= max)
        return err_set(reterr, REMOTE_WRITE_E_LIMIT,
                       "more than %zu samples in one body: send smaller batches", max);
    samples->at = mem_grow(samples->at, &samples->capacity, i + 1, sizeof(*samples->at));
    samples->at[i] = sample;
    samples->n_total++;
    return 0;
}
