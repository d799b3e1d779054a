/*
 * A file of /proc or /sys that is read again and again. See proc_file.h.
 */

#include "agent/probe/proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/float.h"
#include "lib/base/mem.h"

/* Fills the buffer from offset 0 on; a read that fills it to the brim may be cut, so
 * the buffer grows and the file is read again. */
int proc_read(struct proc_file *file, int root_fd, struct proc_buffer *buffer, char **ret_text)
{
    size_t len = 0;

    if (file->fd < 0)
        file->fd = openat(root_fd, file->path, O_RDONLY | O_CLOEXEC);
    if (file->fd < 0)
        return -errno;
    for (;;) {
        buffer->bytes = mem_grow(buffer->bytes, &buffer->capacity, len + 4096, 1);
        ssize_t got = pread(file->fd, buffer->bytes + len, buffer->capacity - len - 1, (off_t)len);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            int code = errno;

            proc_close(file); /* a device that went away: open it anew next time */
            return -code;
        }
        if (got == 0)
            break;
        len += (size_t)got;
        if (len + 4096 > PROC_BUFFER_BYTES)
            return -EFBIG;
    }
    buffer->bytes[len] = '\0';
    *ret_text = buffer->bytes;
    return 0;
}

void proc_close(struct proc_file *file)
{
    if (file->fd >= 0)
        (void)close(file->fd);
    file->fd = -1;
}

char *text_line(char **text)
{
    char *line = *text;

    if (!*line)
        return NULL;
    char *feed = strchr(line, '\n');
    if (feed) {
        *feed = '\0';
        *text = feed + 1;
    } else {
        *text = line + strlen(line);
    }
    return line;
}

char *text_word(char **line)
{
    char *at = *line;

    while (*at == ' ' || *at == '\t')
        at++;
    char *word = at;
    while (*at && *at != ' ' && *at != '\t')
        at++;
    if (*at)
        *at++ = '\0';
    *line = at;
    return *word ? word : NULL;
}

double text_number(const char *word)
{
    double value = 0;
    uint64_t whole = 0;
    const char *at = word;

    while (*at >= '0' && *at <= '9' && at - word < 18)
        whole = whole * 10 + (uint64_t)(*at++ - '0');
    if (!*at && at > word)
        return (double)whole;
    if (float_parse(word, strlen(word), &value) < 0)
        return 0;
    return value;
}
