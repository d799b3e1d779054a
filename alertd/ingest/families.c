/*
 * What pushers say a metric is. See families.h.
 */

#include "alertd/ingest/families.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/model/labels.h"

struct family {
    char *name;
    char *help;
    enum metric_type type;
};

struct families {
    pthread_mutex_t lock; /* guards all of it */
    struct family *at;    /* sorted by name */
    size_t n, capacity;
};

struct families *families_new(void)
{
    struct families *families = mem_zalloc(sizeof(*families));

    (void)pthread_mutex_init(&families->lock, NULL);
    return families;
}

void families_free(struct families *families)
{
    if (!families)
        return;
    for (size_t i = 0; i < families->n; i++) {
        free(families->at[i].name);
        free(families->at[i].help);
    }
    free(families->at);
    (void)pthread_mutex_destroy(&families->lock);
    free(families);
}

/* Where the name stands, or would. */
static size_t place_of(const struct families *families, const char *name, bool *ret_found)
{
    size_t low = 0;
    size_t high = families->n;

    *ret_found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(families->at[middle].name, name);

        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The family of that name, made when there is room; NULL when there is none. */
static struct family *take(struct families *families, const char *name)
{
    bool found;
    size_t place = place_of(families, name, &found);

    if (found)
        return &families->at[place];
    if (families->n == FAMILIES_MAX)
        return NULL;
    families->at = mem_grow(families->at, &families->capacity, families->n + 1,
                            sizeof(*families->at));
    memmove(&families->at[place + 1], &families->at[place],
            (families->n - place) * sizeof(*families->at));
    families->n++;
    families->at[place] = (struct family){
        .name = mem_strdup(name), .help = mem_strdup(""), .type = METRIC_UNKNOWN};
    return &families->at[place];
}

void families_note(struct families *families,
                   const char *name,
                   size_t name_len,
                   const enum metric_type *type,
                   const char *help,
                   size_t help_len)
{
    char text[FAMILY_NAME_MAX + 1];

    if (name_len == 0 || name_len > FAMILY_NAME_MAX || !labels_text_ok(name, name_len))
        return;
    if (help && (help_len > FAMILY_HELP_MAX || !labels_text_ok(help, help_len)))
        help = NULL;
    memcpy(text, name, name_len);
    text[name_len] = '\0';

    (void)pthread_mutex_lock(&families->lock);
    struct family *family = take(families, text);
    if (family && type)
        family->type = *type;
    if (family && help &&
        (strlen(family->help) != help_len || memcmp(family->help, help, help_len) != 0)) {
        free(family->help);
        family->help = mem_strndup(help, help_len);
    }
    (void)pthread_mutex_unlock(&families->lock);
}

void families_each(
    struct families *families,
    bool (*each)(void *arg, const char *name, enum metric_type type, const char *help),
    void *arg)
{
    (void)pthread_mutex_lock(&families->lock);
    for (size_t i = 0; i < families->n; i++)
        if (!each(arg, families->at[i].name, families->at[i].type, families->at[i].help))
            break;
    (void)pthread_mutex_unlock(&families->lock);
}
