/*
 * Names and values of labels. See texts.h.
 */

#include "alertd/store/texts.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/bug.h"
#include "lib/base/mem.h"

struct texts {
    atomic_size_t refs;
    struct arena arena;
};

struct texts *texts_new(void)
{
    struct texts *texts = mem_zalloc(sizeof(*texts));

    atomic_init(&texts->refs, 1);
    arena_init(&texts->arena, SIZE_MAX); /* the store limits the series */
    return texts;
}

struct texts *texts_ref(struct texts *texts)
{
    atomic_fetch_add_explicit(&texts->refs, 1, memory_order_relaxed);
    return texts;
}

void texts_unref(struct texts *texts)
{
    if (!texts || atomic_fetch_sub_explicit(&texts->refs, 1, memory_order_acq_rel) > 1)
        return;
    arena_reset(&texts->arena);
    free(texts);
}

size_t texts_bytes(const struct texts *texts)
{
    return texts->arena.used;
}

void texts_keep(struct texts *texts, void *object)
{
    if (!arena_on_reset(&texts->arena, free, object))
        UNREACHABLE("out of memory");
}

const char *texts_add(struct texts *texts, const char *text)
{
    const char *copy = arena_strndup(&texts->arena, text, strlen(text));

    if (!copy)
        UNREACHABLE("out of memory"); /* as mem.h says of our own */
    return copy;
}
