#pragma once

/*
 * A file of /proc or /sys that is read again and again: opened once, read whole
 * with pread() into a buffer that is shared by all of them, and walked word by word.
 *
 * Opening a /proc file costs more than reading it, and the kernel makes the content
 * anew for each pread() at offset 0.
 *
 *     struct words line;
 *     while (text_line(&text, &line))
 *         while (words_next(&line, &word)) ...
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PROC_BUFFER_BYTES = 256 * 1024 /* /proc/stat of a 512-core machine is 200 KiB */
};

struct proc_file {
    const char *path; /* below the root, such as "proc/stat" */
    int fd;           /* -1: not opened yet */
};

struct proc_buffer {
    char *bytes; /* grows to what was needed, at most PROC_BUFFER_BYTES */
    size_t capacity;
};

/* Reads the whole file below root_fd; NUL-terminated text is a loan until the next
 * read into this buffer. 0 or negative errno. */
int proc_read(struct proc_file *file, int root_fd, struct proc_buffer *buffer, char **ret_text);
void proc_close(struct proc_file *file);

/* The next line of *text, which it moves on and cuts at the line's end; NULL at the end. */
char *text_line(char **text);
/* The next word of *line (blanks and tabs divide), cut the same way; NULL at the end. */
char *text_word(char **line);
/* A word as a number; 0 when it is none, as the kernel never writes that. */
double text_number(const char *word);
