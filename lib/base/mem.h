#pragma once

/*
 * Memory for ourselves. These never return NULL: when a small allocation of our
 * own fails there is nothing sensible left to do, and everything that matters is
 * on disk already, so the process ends with the place. What outsiders can size
 * comes from an arena with a ceiling instead (arena.h).
 */

#include <stddef.h>

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));
void *mem_zalloc(size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));
void *mem_realloc(void *old, size_t size) __attribute__((returns_nonnull, warn_unused_result));
char *mem_strdup(const char *text) __attribute__((malloc, returns_nonnull, warn_unused_result));
char *mem_strndup(const char *text, size_t len)
    __attribute__((malloc, returns_nonnull, warn_unused_result));
void *mem_dup(const void *bytes, size_t size)
    __attribute__((malloc, returns_nonnull, warn_unused_result));

/* Room for `need` elements of `size` bytes in a growing array: returns the array
 * (moved perhaps) and doubles *capacity as often as it must. */
void *mem_grow(void *array, size_t *capacity, size_t need, size_t size)
    __attribute__((returns_nonnull, warn_unused_result));

/* free() for a cleanup attribute: `MEM_AUTO char *text = mem_strdup(...)`. */
void mem_free_at(void *pointer_to_pointer);
#define MEM_AUTO __attribute__((cleanup(mem_free_at)))

/* A large local array that is written before it is read, in a function that is called often:
 * a release build sets all other locals to zero first, which costs more than the work here. */
#define MEM_UNSET __attribute__((uninitialized))
