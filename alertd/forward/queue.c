/*
 * What waits for one target. See queue.h.
 */

#include "alertd/forward/queue.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/mem.h"

static void drop_batch(struct queue *queue)
{
    for (size_t i = 0; i < queue->n_owned; i++)
        labels_unref(queue->owned[i]);
    queue->n_owned = queue->n = 0;
}

void queue_done(struct queue *queue)
{
    drop_batch(queue);
    cursor_done(&queue->cursor);
    cursor_done(&queue->next);
    free(queue->days);
    free(queue->batch);
    free(queue->owned);
}

void queue_begin_now(struct queue *queue)
{
    size_t n;
    struct store_outbound_day *days = store_outbound_days(queue->store, &n);

    for (size_t i = 0; i < n; i++)
        cursor_at(&queue->cursor, days[i].day_ms)->row = days[i].last_row;
    free(days);
    cursor_copy(&queue->next, &queue->cursor);
}

/* --- counting --- */

/* Rows that never go to the target are not waiting. */
static bool is_wanted(const struct queue *queue, const struct store_outbound_row *row)
{
    return queue->config->send_history || !row->is_history;
}

static void count_out(struct queue *queue,
                      struct queue_day *day,
                      const struct store_outbound_row *row)
{
    if (row->number > day->counted_row || !is_wanted(queue, row))
        return;
    uint64_t bytes = row->bytes < day->bytes ? row->bytes : day->bytes;
    uint64_t samples = row->n_samples < day->samples ? row->n_samples : day->samples;

    day->bytes -= bytes;
    day->samples -= samples;
    queue->leaving_bytes += bytes;
    queue->leaving_samples += samples;
}

static int count_in(struct queue *queue, struct queue_day *day, struct err *reterr)
{
    while (day->counted_row < day->last_row && !atomic_load(queue->stopping)) {
        struct store_outbound_row row;
        const struct store_outbound_query query = {.after = {day->day_ms, day->counted_row}};

        int r = store_outbound_read(queue->store, &query, &row, reterr);
        if (r == -ENOENT) {
            day->counted_row = day->last_row;
            break;
        }
        if (r != 0)
            return r;
        day->counted_row = row.number;
        if (!is_wanted(queue, &row))
            continue;
        day->bytes += row.bytes;
        day->samples += row.n_samples;
        queue->stats.bytes += row.bytes;
        queue->stats.samples += row.n_samples;
    }
    return 0;
}

/* A day that went (its retention, or it was damaged) takes what waited of it along. */
static void forget_day(struct queue *queue, size_t i)
{
    queue->stats.dropped_retention += queue->days[i].samples;
    queue->stats.bytes -= queue->days[i].bytes;
    queue->stats.samples -= queue->days[i].samples;
    for (size_t k = i; k + 1 < queue->n_days; k++)
        queue->days[k] = queue->days[k + 1];
    queue->n_days--;
}

static struct queue_day *add_day(struct queue *queue, size_t i, int64_t day_ms)
{
    queue->days = mem_grow(queue->days, &queue->days_capacity, queue->n_days + 1,
                           sizeof(*queue->days));
    for (size_t k = queue->n_days; k > i; k--)
        queue->days[k] = queue->days[k - 1];
    queue->days[i] = (struct queue_day){.day_ms = day_ms,
                                        .counted_row = cursor_at(&queue->cursor, day_ms)->row};
    (void)cursor_at(&queue->next, day_ms);
    queue->n_days++;
    return &queue->days[i];
}

static void forget_places(struct cursor *cursor, const struct queue *queue)
{
    for (size_t i = cursor->n; i-- > 0;) {
        bool is_there = false;

        for (size_t k = 0; k < queue->n_days && !is_there; k++)
            is_there = queue->days[k].day_ms == cursor->days[i].day_ms;
        if (!is_there)
            cursor_forget(cursor, i);
    }
}

/* The days as the store has them now, and our places in them. */
static void take_days(struct queue *queue, const struct store_outbound_day *days, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        while (i < queue->n_days && queue->days[i].day_ms < days[i].day_ms)
            forget_day(queue, i);
        struct cursor_day *at = cursor_at(&queue->cursor, days[i].day_ms);
        bool is_known = i < queue->n_days && queue->days[i].day_ms == days[i].day_ms;

        if (at->row > days[i].last_row) { /* another file of this day: it begins anew */
            *at = (struct cursor_day){.day_ms = days[i].day_ms};
            *cursor_at(&queue->next, days[i].day_ms) = *at;
            if (is_known)
                forget_day(queue, i);
            is_known = false;
        }
        struct queue_day *day = is_known ? &queue->days[i] : add_day(queue, i, days[i].day_ms);
        day->last_row = days[i].last_row;
    }
    while (queue->n_days > n)
        forget_day(queue, queue->n_days - 1);
    forget_places(&queue->cursor, queue);
    forget_places(&queue->next, queue);
}

/* One row is passed over, or the batch at hand. */
static int drop_oldest(struct queue *queue, struct err *reterr)
{
    if (queue->n > 0) {
        queue->stats.dropped_full += queue->n;
        queue_settle(queue);
        return 0;
    }
    for (size_t i = 0; i < queue->n_days; i++) {
        struct queue_day *day = &queue->days[i];
        struct cursor_day *at = cursor_at(&queue->next, day->day_ms);
        const struct store_outbound_query query = {.after = {day->day_ms, at->row}};
        struct store_outbound_row row;

        if (at->row >= day->last_row)
            continue;
        int r = store_outbound_read(queue->store, &query, &row, reterr);
        if (r != 0 && r != -ENOENT)
            return r;
        if (r == 0 && row.number <= day->last_row) {
            if (is_wanted(queue, &row))
                queue->stats.dropped_full += row.n_samples - at->samples;
            count_out(queue, day, &row);
        }
        at->row = r == 0 ? row.number : day->last_row;
        at->samples = 0;
        queue_settle(queue);
        return 0;
    }
    return -ENOENT;
}

int queue_refresh(struct queue *queue, struct err *reterr)
{
    size_t n;
    MEM_AUTO struct store_outbound_day *days = store_outbound_days(queue->store, &n);
    int r = 0;

    take_days(queue, days, n);
    for (size_t i = 0; i < queue->n_days && r == 0; i++)
        r = count_in(queue, &queue->days[i], reterr);
    while (r == 0 && queue->stats.bytes > queue->config->queue_bytes &&
           !atomic_load(queue->stopping))
        r = drop_oldest(queue, reterr);
    return r == -ENOENT ? 0 : r;
}

/* --- the batch --- */

static void take_sample(void *arg, const struct labels *labels, struct sample sample)
{
    struct queue *queue = arg;
    const struct labels *last = queue->n_owned > 0 ? queue->owned[queue->n_owned - 1] : NULL;

    if (!last || !labels_equal(last, labels)) {
        if (!forward_config_wants(queue->config, labels)) {
            queue->stats.filtered++;
            return;
        }
        queue->owned = mem_grow(queue->owned, &queue->owned_capacity, queue->n_owned + 1,
                                sizeof(*queue->owned));
        last = queue->owned[queue->n_owned++] = labels_new(labels->at, labels->n);
    }
    queue->batch = mem_grow(queue->batch, &queue->capacity, queue->n + 1, sizeof(*queue->batch));
    queue->batch[queue->n++] = (struct queue_sample){last, sample};
}

/* What fits of the next row. */
static int take_row(struct queue *queue, struct queue_day *day, struct err *reterr)
{
    struct cursor_day *at = cursor_at(&queue->next, day->day_ms);
    size_t room = queue->config->max_samples_per_send - queue->n;
    const struct store_outbound_query query = {.after = {day->day_ms, at->row},
                                               .first = at->samples,
                                               .most = room,
                                               .each = take_sample,
                                               .arg = queue};
    struct store_outbound_row row;
    size_t n_before = queue->n;
    uint64_t filtered_before = queue->stats.filtered;

    int r = store_outbound_read(queue->store, &query, &row, reterr);
    if (r == -ENOENT) {
        at->row = day->last_row;
        at->samples = 0;
        return 0;
    }
    if (r != 0)
        return r;
    if (!is_wanted(queue, &row)) {
        queue->n = n_before; /* their labels stay until the batch is settled */
        queue->stats.filtered = filtered_before;
    } else if (row.n_samples > at->samples + room) {
        at->samples += room;
        return 0;
    } else if (row.is_damaged) {
        queue->stats.dropped_damaged++;
    }
    count_out(queue, day, &row);
    at->row = row.number;
    at->samples = 0;
    return 0;
}

/* From the cursor again. */
static void recount(struct queue *queue)
{
    queue->n_days = 0;
    queue->leaving_bytes = queue->leaving_samples = 0;
    queue->stats.bytes = queue->stats.samples = 0;
}

int queue_fill(struct queue *queue, struct err *reterr)
{
    int r = 0;

    for (size_t i = 0; i < queue->n_days && queue->n < queue->config->max_samples_per_send; i++) {
        struct queue_day *day = &queue->days[i];

        while (r == 0 && queue->n < queue->config->max_samples_per_send &&
               cursor_at(&queue->next, day->day_ms)->row < day->last_row &&
               !atomic_load(queue->stopping))
            r = take_row(queue, day, reterr);
        if (r != 0)
            break;
    }
    if (r != 0) { /* nothing of it was sent */
        drop_batch(queue);
        cursor_copy(&queue->next, &queue->cursor);
        recount(queue);
    } else if (queue->n == 0) {
        queue_settle(queue);
    }
    return r;
}

void queue_settle(struct queue *queue)
{
    drop_batch(queue);
    cursor_copy(&queue->cursor, &queue->next);
    queue->stats.bytes -= queue->leaving_bytes;
    queue->stats.samples -= queue->leaving_samples;
    queue->leaving_bytes = queue->leaving_samples = 0;
}
