/*
 * Lines and bytes between two processes. See frame.h.
 */

#include "lib/base/frame.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"

/* Until fd can be used or the time is over. */
static int wait_for(int fd, short events, int64_t deadline_ms, struct err *reterr)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};

    for (;;) {
        int64_t left_ms = deadline_ms ? deadline_ms - clock_mono_ms() : -1;

        if (deadline_ms && left_ms <= 0)
            return err_set(reterr, FRAME_E_LATE, "no answer in time");

        int n = poll(&poll_fd, 1, deadline_ms ? (int)left_ms : -1);

        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return err_set(reterr, -errno, "poll: %s", strerrordesc_np(errno));
    }
}

static int fill(struct frame_reader *reader, struct err *reterr)
{
    int r = wait_for(reader->fd, POLLIN, reader->deadline_ms, reterr);

    if (r)
        return r;

    ssize_t n = read(reader->fd, reader->room, sizeof(reader->room));

    if (n == 0 || (n < 0 && errno == ECONNRESET))
        return err_set(reterr, FRAME_E_CLOSED, "the other process ended");
    if (n < 0)
        return errno == EINTR || errno == EAGAIN
                   ? 0
                   : err_set(reterr, -errno, "read: %s", strerrordesc_np(errno));
    reader->at = 0;
    reader->n = (size_t)n;
    return 0;
}

int frame_read_line(struct frame_reader *reader, struct str *line, struct err *reterr)
{
    str_cut(line, 0);
    for (;;) {
        const char *from = reader->room + reader->at;
        const char *end = memchr(from, '\n', reader->n - reader->at);
        size_t len = end ? (size_t)(end - from) : reader->n - reader->at;

        str_addn(line, from, len);
        reader->at += len + (end ? 1 : 0);
        if (line->full)
            return err_set(reterr, FRAME_E_LIMIT, "a line is longer than %zu bytes", line->limit);
        if (end)
            return 0;

        int r = fill(reader, reterr);

        if (r)
            return r;
    }
}

int frame_read_bytes(struct frame_reader *reader, size_t len, struct str *bytes, struct err *reterr)
{
    if (len > bytes->limit || bytes->len > bytes->limit - len)
        return err_set(reterr, FRAME_E_LIMIT, "more than %zu bytes", bytes->limit);
    str_reserve(bytes, len);
    while (len > 0) {
        size_t here = reader->n - reader->at;

        here = here < len ? here : len;
        str_addn(bytes, reader->room + reader->at, here);
        reader->at += here;
        len -= here;
        if (len == 0)
            break;

        int r = fill(reader, reterr);

        if (r)
            return r;
    }
    return 0;
}

int frame_write(int fd, const void *bytes, size_t len, int64_t deadline_ms, struct err *reterr)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL | (deadline_ms ? MSG_DONTWAIT : 0));

        if (n > 0) {
            at += n;
            len -= (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            int r = wait_for(fd, POLLOUT, deadline_ms, reterr);

            if (r)
                return r;
        } else if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) {
            return err_set(reterr, FRAME_E_CLOSED, "the other process ended");
        } else if (n < 0 && errno != EINTR) {
            return err_set(reterr, -errno, "send: %s", strerrordesc_np(errno));
        }
    }
    return 0;
}
