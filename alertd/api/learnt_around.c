/*
 * What stands around an incident: those like it, what is still open of those it repeats, and the
 * services that it concerns. See learnt.h.
 */

#include <string.h>

#include "alertd/api/learnt.h"
#include "alertd/db/search_db.h"
#include "alertd/db/service_db.h"
#include "alertd/postmortem/template.h"
#include "lib/json/read.h"

enum {
    LIKES_MAX = 5,
    INHERITED_MAX = 50,
    SPEC_BYTES_MAX = 128 * 1024,
};

static int too_large(struct err *reterr)
{
    return err_set(reterr, POSTMORTEM_RECORD_E_LIMIT, "too much is known around the incident");
}

static const char *keep(struct arena *arena, const struct str *text)
{
    return arena_strndup(arena, str_text(text), text->len);
}

/* --- like it --- */

static const char *why(struct arena *arena, const struct search_like *like)
{
    STR_AUTO struct str words = STR_INIT(400);

    if (like->is_linked)
        str_add(&words, "one repeats the other");
    if (like->n_rules)
        str_addf(&words, "%s%s fired in both", words.len ? ", " : "",
                 like->n_rules == 1 ? "the same rule" : "the same rules");
    if (like->n_labels)
        str_addf(&words, "%sthe same %s", words.len ? ", " : "",
                 like->n_labels == 1 ? "label" : "labels");
    if (!words.len)
        str_add(&words, "words of its title");
    return keep(arena, &words);
}

static int inherit(struct db_conn *conn,
                   const struct search_like *like,
                   struct postmortem_record *record,
                   struct err *reterr)
{
    const struct action_query open_of_it = {.postmortem_id = like->postmortem_id,
                                            .open_only = true};
    struct learnt_around *around = &record->around;
    struct action_row *rows = NULL;
    size_t n = 0;
    int r = action_db_list(conn, &open_of_it, record->arena, &rows, &n, reterr);

    for (size_t i = 0; !r && i < n && around->n_inherited < INHERITED_MAX; i++)
        around->inherited[around->n_inherited++] = (struct learnt_inherited){
            .id = rows[i].id,
            .text = rows[i].text,
            .incident = like->key,
            .owner = rows[i].owner,
            .created_ms = rows[i].created_ms,
            .due_ms = rows[i].due_ms,
        };
    return r;
}

static int read_similar(struct db_conn *conn, struct postmortem_record *record, struct err *reterr)
{
    struct learnt_around *around = &record->around;
    struct search_like *likes = NULL;
    size_t n = 0;
    int r = search_db_like(conn, &record->incident, LIKES_MAX, record->arena, &likes, &n, reterr);

    if (r)
        return r;
    around->similar = arena_array(record->arena, LIKES_MAX, sizeof(*around->similar));
    around->inherited = arena_array(record->arena, INHERITED_MAX, sizeof(*around->inherited));
    if (!around->similar || !around->inherited)
        return too_large(reterr);
    for (size_t i = 0; !r && i < n; i++) {
        struct learnt_similar *similar = &around->similar[around->n_similar++];

        *similar = (struct learnt_similar){
            .key = likes[i].key,
            .title = likes[i].title,
            .why = why(record->arena, &likes[i]),
            .is_linked = likes[i].is_linked,
            .same_rule = likes[i].n_rules > 0,
            .opened_ms = likes[i].opened_at_ms,
        };
        if (!similar->why)
            return too_large(reterr);
        if (likes[i].is_linked && likes[i].postmortem_id)
            r = inherit(conn, &likes[i], record, reterr);
    }
    return r;
}

/* --- services --- */

/* `[title](url)` of a list of such pairs. */
static void add_links(const struct json *spec, const char *key, struct str *out)
{
    const struct json *list = NULL;

    if (json_get_array(spec, key, &list, NULL))
        return;
    for (size_t i = 0; i < json_length(list); i++) {
        const char *title = NULL;
        const char *url = NULL;

        if (json_get_string(json_at(list, i), "url", &url, NULL) || strpbrk(url, "<> \t\r\n"))
            continue;
        (void)json_get_string_or(json_at(list, i), "title", url, &title, NULL);
        str_add(out, out->len ? ", [" : "[");
        template_escape(title, out);
        str_addf(out, "](<%s>)", url);
    }
}

static const char *text_of(struct arena *arena, const char *text)
{
    return text ? arena_strndup(arena, text, strlen(text)) : "";
}

static bool fill_service(struct arena *arena,
                         const struct service_row *row,
                         const struct json *spec,
                         struct learnt_service *ret)
{
    STR_AUTO struct str needs = STR_INIT(8192);
    STR_AUTO struct str links = STR_INIT(64 * 1024);
    struct service service = {0};

    *ret = (struct learnt_service){.name = row->name,
                                   .owner = "",
                                   .description = "",
                                   .when_down = "",
                                   .depends_on = "",
                                   .links = ""};
    if (service_read(row->name, spec, arena, &service, NULL))
        return true; /* nothing more is known of it */
    for (size_t i = 0; i < service.n_depends_on; i++)
        str_addf(&needs, "%s%s", i ? ", " : "", service.depends_on[i]);
    add_links(spec, "runbooks", &links);
    add_links(spec, "dashboards", &links);
    ret->owner = text_of(arena, service.owner);
    ret->description = text_of(arena, service.description);
    ret->when_down = text_of(arena, service.when_down);
    ret->tier = service.tier;
    ret->depends_on = keep(arena, &needs);
    ret->links = keep(arena, &links);
    return ret->owner && ret->description && ret->when_down && ret->depends_on && ret->links;
}

static int read_services(struct db_conn *conn, struct postmortem_record *record, struct err *reterr)
{
    struct learnt_around *around = &record->around;
    struct service_row *rows = NULL;
    size_t n = 0;
    int r = service_db_of_incident(conn, &record->incident, record->arena, &rows, &n, reterr);

    if (r)
        return r;
    around->services = arena_array(record->arena, n + 1, sizeof(*around->services));
    if (!around->services)
        return too_large(reterr);
    for (size_t i = 0; !r && i < n; i++) {
        struct json *spec = NULL;

        r = json_parse_upto(rows[i].spec, strlen(rows[i].spec), SPEC_BYTES_MAX, &spec, NULL) == 0 &&
                    !fill_service(record->arena, &rows[i], spec,
                                  &around->services[around->n_services++])
                ? too_large(reterr)
                : 0;
        json_free(spec);
    }
    return r;
}

int learnt_around_read(struct db_conn *conn, struct postmortem_record *record, struct err *reterr)
{
    int r = read_similar(conn, record, reterr);

    return r ? r : read_services(conn, record, reterr);
}
