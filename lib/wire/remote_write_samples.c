/*
 * The samples of one series. See remote_write_samples.h.
 */

#include "lib/wire/remote_write_samples.h"

#include "lib/base/mem.h"
#include "lib/wire/remote_write_decode.h"

int remote_write_samples_read(struct remote_write_samples *samples,
                              size_t max,
                              struct cursor *in,
                              size_t i,
                              const char **ret_what,
                              struct err *reterr)
{
    struct sample sample = {0};
    struct field field;

    *ret_what = NULL;
    while (in->at < in->end) {
        if (!protobuf_field(in, &field)) {
            *ret_what = "a sample";
            return 0;
        }
        if (field.number == 1 && field.type == WIRE_FIXED64) {
            sample.value = sample_from_bits(field.value);
        } else if (field.number == 2 && field.type == WIRE_VARINT) {
            sample.t_ms = (int64_t)field.value;
        } else if (field.number <= 2) {
            *ret_what = "a sample's field has another type";
            return 0;
        }
    }
    if (samples->n_total >= max)
        return err_set(reterr, REMOTE_WRITE_E_LIMIT,
                       "more than %zu samples in one body: send smaller batches", max);
    samples->at = mem_grow(samples->at, &samples->capacity, i + 1, sizeof(*samples->at));
    samples->at[i] = sample;
    samples->n_total++;
    return 0;
}
