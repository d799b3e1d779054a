/*
 * What both importers use. See import_private.h.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "alertd/oncall/import_private.h"

enum {
    NOTES_MAX = 2000,
    NOTE_LEN = 400,
};

void *import_array(struct importer *im, size_t n, size_t size)
{
    return reader_array(&im->r, n, size);
}

void *import_room(const void *array)
{
    void *room = NULL;

    memcpy(&room, &array, sizeof(room));
    return room;
}

void import_note(struct importer *im, const char *what, const char *name, const char *fmt, ...)
{
    struct import_notes *notes = im->notes;
    char words[NOTE_LEN], text[NOTE_LEN];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    (void)snprintf(text, sizeof(text), "%s '%.100s': %.250s", what, name, words);
    if (notes->n == NOTES_MAX)
        return;
    if (notes->n == notes->capacity) {
        size_t capacity = notes->capacity ? 2 * notes->capacity : 16;
        const char **at = import_array(im, capacity, sizeof(*at));

        if (!at)
            return;
        if (notes->n)
            memcpy(at, notes->at, notes->n * sizeof(*at));
        notes->at = at;
        notes->capacity = capacity;
    }
    const char *copy = reader_copy(&im->r, text);

    if (copy)
        notes->at[notes->n++] = copy;
}

const char *import_text(const struct json *object, const char *key, const char *fallback)
{
    const char *text = json_text(json_get(object, key));

    return text ? text : fallback;
}

const char *import_name(struct importer *im,
                        const char *what,
                        const struct json *object,
                        const char *key)
{
    const char *text = import_text(object, key, "");
    size_t len = strlen(text);
    char *name = reader_copy(&im->r, *text ? text : "unnamed");

    if (!name)
        return "";
    if (len > ROSTER_NAME_MAX) {
        len = ROSTER_NAME_MAX;
        while (len > 1 && ((unsigned char)name[len] & 0xc0) == 0x80)
            len--;
        name[len] = '\0';
        import_note(im, what, name, "its name is cut to %d bytes", (int)ROSTER_NAME_MAX);
    }
    for (char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    return name;
}

int64_t import_int(const struct json *object, const char *key, int64_t fallback)
{
    double value = 0;

    if (json_number(json_get(object, key), &value) || value < -1e15 || value > 1e15)
        return fallback;
    return (int64_t)value;
}

const struct json *import_list(const struct json *root, const char *key)
{
    static const char *const inside[] = {"nodes", "results"};
    const struct json *list = json_get(root, key);

    for (size_t i = 0; i < 2 && json_is_object(list); i++)
        if (json_is_array(json_get(list, inside[i])))
            return json_get(list, inside[i]);
    return json_is_array(list) ? list : NULL;
}

const struct json *import_find(const struct json *list, const char *id)
{
    for (size_t i = 0; id && i < json_length(list); i++) {
        const char *other = import_text(json_at(list, i), "id", NULL);

        if (other && strcmp(other, id) == 0)
            return json_at(list, i);
    }
    return NULL;
}

static bool is_taken(const struct importer *im, const char *name)
{
    for (size_t i = 0; i < im->n_people; i++)
        if (strcmp(im->people[i].name, name) == 0)
            return true;
    return false;
}

static void import_user(struct importer *im, const struct json *user, const char *name_key)
{
    const char *id = import_text(user, "id", NULL);
    const char *name = import_text(user, name_key, NULL);
    char unique[ROSTER_NAME_MAX + 1];

    if (!id || !name || !*name || strlen(name) > ROSTER_NAME_MAX) {
        import_note(im, "user", id ? id : "?", "has no usable %s", name_key);
        return;
    }
    (void)snprintf(unique, sizeof(unique), "%s", name);
    if (is_taken(im, name)) {
        (void)snprintf(unique, sizeof(unique), "%.60s %.38s", name, id);
        import_note(im, "user", name, "two have this name; one becomes '%s'", unique);
    }
    struct person *person = &im->people[im->n_people];

    person->name = reader_copy(&im->r, unique);
    person->full_name = reader_copy(&im->r, name);
    im->user_ids[im->n_people] = reader_copy(&im->r, id);
    if (!im->r.rc)
        im->n_people++;
}

void import_people(struct importer *im,
                   const struct json *users,
                   const char *name_key,
                   void (*contacts)(struct importer *im,
                                    const struct json *user,
                                    struct person *person))
{
    size_t n = json_length(users);

    if (n > ROSTER_PEOPLE_MAX) {
        im->r.rc = json_wrong(users, NULL, im->r.reterr, "more than %d users",
                              (int)ROSTER_PEOPLE_MAX);
        return;
    }
    im->people = import_array(im, n, sizeof(*im->people));
    im->user_ids = import_array(im, n, sizeof(*im->user_ids));
    for (size_t i = 0; i < n && !im->r.rc; i++) {
        size_t before = im->n_people;

        import_user(im, json_at(users, i), name_key);
        if (im->n_people > before)
            contacts(im, json_at(users, i), &im->people[before]);
    }
}

const char *import_person(struct importer *im, const char *what, const char *id)
{
    for (size_t i = 0; id && i < im->n_people; i++)
        if (strcmp(im->user_ids[i], id) == 0)
            return im->people[i].name;
    import_note(im, what, id ? id : "?", "a user who is not in the export");
    return NULL;
}

const struct zone *import_zone(struct importer *im, const char *what, const char *name)
{
    const struct zone *zone = NULL;
    struct err err = {0};

    if (zones_get(im->r.zones, name, &zone, &err) == 0)
        return zone;
    import_note(im, what, name, "%s; UTC is taken", err.text);
    if (!im->r.rc)
        im->r.rc = zones_get(im->r.zones, "UTC", &zone, im->r.reterr);
    return zone;
}

int import_end(struct importer *im, struct roster *roster, struct roster *ret_roster)
{
    roster->people = im->people;
    roster->n_people = im->n_people;
    if (!im->r.rc)
        *ret_roster = *roster;
    return im->r.rc;
}
