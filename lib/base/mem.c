/*
 * Memory for ourselves. See mem.h.
 */

#include "lib/base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/bug.h"

static void *or_abort(void *memory)
{
    if (!memory)
        bug_abort(__FILE__, __LINE__, __func__, "out of memory");
    return memory;
}

void *mem_alloc(size_t size)
{
    return or_abort(malloc(size ? size : 1));
}

void *mem_zalloc(size_t size)
{
    return or_abort(calloc(1, size ? size : 1));
}

void *mem_realloc(void *old, size_t size)
{
    return or_abort(realloc(old, size ? size : 1));
}

char *mem_strndup(const char *text, size_t len)
{
    char *copy = mem_alloc(len + 1);

    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *mem_strdup(const char *text)
{
    return mem_strndup(text, strlen(text));
}

void *mem_dup(const void *bytes, size_t size)
{
    void *copy = mem_alloc(size);

    if (size)
        memcpy(copy, bytes, size);
    return copy;
}

void *mem_grow(void *array, size_t *capacity, size_t need, size_t size)
{
    size_t room = *capacity ? *capacity : 8;
    size_t bytes;

    if (need <= *capacity && array)
        return array;
    while (room < need)
        if (__builtin_mul_overflow(room, 2, &room))
            bug_abort(__FILE__, __LINE__, __func__, "array too large");
    if (__builtin_mul_overflow(room, size, &bytes))
        bug_abort(__FILE__, __LINE__, __func__, "array too large");
    *capacity = room;
    return mem_realloc(array, bytes);
}

void mem_free_at(void *pointer_to_pointer)
{
    void **place = pointer_to_pointer;

    free(*place);
    *place = NULL;
}
