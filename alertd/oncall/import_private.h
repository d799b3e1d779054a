#pragma once

/*
 * What both importers use: objects by their id, notes of what was left out, and the people,
 * schedules and policies made so far.
 */

#include "alertd/oncall/import.h"
#include "alertd/oncall/spelling_private.h"

enum {
    IMPORT_TEXT_MAX = 32 * 1024 * 1024
};

struct importer {
    struct reader r;
    struct import_notes *notes;
    struct person *people; /* of users, in their order */
    const char **user_ids;
    size_t n_people;
};

/* "what 'name': why" among the notes. */
void import_note(struct importer *im, const char *what, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* A member's text as it stands; fallback when there is none. A loan of the JSON. */
const char *import_text(const struct json *object, const char *key, const char *fallback);
/* A member as a name of ours, copied: cut where it is too long, with a note. */
const char *import_name(struct importer *im,
                        const char *what,
                        const struct json *object,
                        const char *key);
/* A whole number, or fallback. */
int64_t import_int(const struct json *object, const char *key, int64_t fallback);
/* root[key], as a list, or as what a page of it holds ("nodes", "results"). */
const struct json *import_list(const struct json *root, const char *key);
/* The object of a list whose id this is; NULL when there is none. */
const struct json *import_find(const struct json *list, const char *id);

/* The people of a list of users: name_key names them, nobody twice. */
void import_people(struct importer *im,
                   const struct json *users,
                   const char *name_key,
                   void (*contacts)(struct importer *im,
                                    const struct json *user,
                                    struct person *person));
/* The person of a user's id; NULL (with a note) when the export lacks them. */
const char *import_person(struct importer *im, const char *what, const char *id);

/* The zone of a name; UTC with a note when there is none. */
const struct zone *import_zone(struct importer *im, const char *what, const char *name);
void *import_array(struct importer *im, size_t n, size_t size);
/* An array of import_array() that the roster holds already and that is still being filled. */
void *import_room(const void *array);
int import_end(struct importer *im, struct roster *roster, struct roster *ret_roster);
