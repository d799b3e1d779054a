#pragma once

/*
 * Names and values of labels, each kept once: a hundred thousand series have a few thousand.
 *
 * A text never moves and lives as long as anybody holds a reference on the whole, so that a
 * query's labels can point to it when the series is long gone. Adding is for one thread at a
 * time; references are counted from any.
 */

#include <stddef.h>

struct texts;
struct texts *texts_new(void); /* with a reference for the caller */
struct texts *texts_ref(struct texts *texts);
void texts_unref(struct texts *texts); /* NULL is fine */

size_t texts_bytes(const struct texts *texts);
/* Frees the heap's object with the texts: somebody may refer to both. */
void texts_keep(struct texts *texts, void *object);

/* A copy in it; the caller looks first whether it has one. */
const char *texts_add(struct texts *texts, const char *text);
