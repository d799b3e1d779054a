/*
 * When it was bad. See tune_labels.h.
 */

#include "ctl/tune_labels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/tune/place.h"
#include "ctl/client.h"
#include "ctl/tune_drill.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"

enum {
    INCIDENTS_BYTES_MAX = 4 << 20,
    ARENA_BYTES = 64 << 20,
    PATH_BYTES_MAX = 4096,
};

/* What is looked at before and behind one incident. */
#define BEFORE_MS (6 * INT64_C(3600000))
#define BEHIND_MS (1 * INT64_C(3600000))

void tune_labels_init(struct tune_labels *labels)
{
    *labels = (struct tune_labels){0};
    arena_init(&labels->arena, ARENA_BYTES);
}

void tune_labels_done(struct tune_labels *labels)
{
    free(labels->text);
    free(labels->at);
    arena_reset(&labels->arena);
}

static void add(struct tune_labels *labels, struct tune_incident incident)
{
    labels->at = mem_grow(labels->at, &labels->capacity, labels->n + 1, sizeof(*labels->at));
    labels->at[labels->n++] = incident;
}

/* --- a file --- */

static int read_line(struct tune_labels *labels, char *line, struct err *reterr)
{
    struct tune_incident incident = {.name = line};
    char *comment = strchr(line, '#');
    char *end;

    if (comment) {
        *comment++ = '\0';
        comment += strspn(comment, " \t");
        comment[strcspn(comment, "\r\n")] = '\0';
    }
    if (comment && *comment)
        incident.name = comment;
    for (size_t len = strlen(line); len > 0 && strchr(" \t\r", line[len - 1]); len--)
        line[len - 1] = '\0';
    if (*line == '\0')
        return 0;
    end = strchr(line, ',');
    if (!end)
        return err_set(reterr, -EINVAL, "begin,end[,{matchers}] is wanted, not \"%.80s\"", line);
    *end++ = '\0';
    char *matchers = strchr(end, ',');
    if (matchers)
        *matchers++ = '\0';
    if (clock_parse_rfc3339(line, &incident.begin_ms) != 0)
        return err_set(reterr, -EINVAL, "\"%.60s\" is no time like 2026-11-03T02:10:00Z", line);
    if (clock_parse_rfc3339(end, &incident.end_ms) != 0)
        return err_set(reterr, -EINVAL, "\"%.60s\" is no time like 2026-11-03T02:55:00Z", end);
    if (incident.end_ms < incident.begin_ms)
        return err_set(reterr, -EINVAL, "it ends before it begins");
    if (matchers && *matchers &&
        promql_parse_selector(&labels->arena, matchers, &incident.matchers, &incident.n_matchers,
                              reterr) != 0)
        return -EINVAL;
    add(labels, incident);
    return 0;
}

static enum ctl_exit read_file(struct tune_labels *labels, const struct ctl *ctl, const char *path)
{
    size_t len = 0;
    unsigned line_number = 0;
    struct err err = {0};

    if (fs_read(path, INCIDENTS_BYTES_MAX, &labels->text, &len, &err) != 0)
        return ctl_fail(ctl, "%s", err.text);
    for (char *line = labels->text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        line_number++;
        if (read_line(labels, line, &err) != 0)
            return ctl_fail(ctl, "%s:%u: %s", path, line_number, err.text);
    }
    return CTL_OK;
}

/* --- alertd's records --- */

/* The daemon whose records and people are asked, whatever --url says of the samples. */
static enum ctl_exit ask_alertd(const struct ctl *ctl, const char *path, struct json **ret_root)
{
    struct ctl alertd = *ctl;
    const struct call call = {.method = "GET", .path = path, .kept = true};

    alertd.url = ctl->alertd_url;
    return call_json(&alertd, &call, ret_root);
}

static int take_place(struct tune_labels *labels,
                      const struct json *place,
                      struct tune_incident *incident,
                      struct err *reterr)
{
    size_t n = json_length(place);
    struct matcher *matchers = arena_array(&labels->arena, n + 1, sizeof(*matchers));
    int r = matchers ? 0 : err_set(reterr, -ENOMEM, "too many incidents");

    for (size_t i = 0; r == 0 && i < n; i++) {
        const char *name = NULL;
        const struct json *value = NULL;

        if (json_member(place, i, &name, &value) && json_text(value))
            r = place_matcher(&labels->arena, name, json_text(value),
                              &matchers[incident->n_matchers++], reterr);
    }
    incident->matchers = matchers;
    return r;
}

static int take_label(struct tune_labels *labels, const struct json *label, struct err *reterr)
{
    struct tune_incident incident = {0};
    const char *begin = NULL;
    const char *end = NULL;
    const char *kind = NULL;
    const char *key = NULL;
    const struct json *place = NULL;
    bool counts = false;

    if (json_get_string(label, "begin", &begin, reterr) ||
        json_get_string(label, "end", &end, reterr) ||
        json_get_string(label, "kind", &kind, reterr) ||
        json_get_string_or(label, "incident", "", &key, reterr) ||
        json_get_object(label, "labels", &place, reterr) ||
        json_get_bool(label, "counts", &counts, reterr))
        return -EINVAL;
    if (!counts || strcmp(kind, "incident") != 0)
        return 0;
    if (clock_parse_rfc3339(begin, &incident.begin_ms) ||
        clock_parse_rfc3339(end, &incident.end_ms))
        return err_set(reterr, -EINVAL, "its times can't be read");
    incident.name = arena_strndup(&labels->arena, key, strlen(key));
    if (take_place(labels, place, &incident, reterr) != 0)
        return -EINVAL;
    add(labels, incident);
    return 0;
}

static enum ctl_exit read_server(struct tune_labels *labels,
                                 const struct ctl *ctl,
                                 const struct tune_ask *ask)
{
    STR_AUTO struct str path = STR_INIT(PATH_BYTES_MAX);
    const struct json *array = NULL;
    struct json *root = NULL;
    char from[CLOCK_TEXT_MAX];
    char to[CLOCK_TEXT_MAX];
    struct err err = {0};

    str_addf(&path, "/api/alertd/v1/tunings/labels?from=%s&to=%s",
             clock_rfc3339(ask->from_ms, from), clock_rfc3339(ask->to_ms, to));
    if (ask->rule) {
        str_add(&path, "&rule=");
        add_encoded(&path, ask->rule->name);
    }
    enum ctl_exit status = ask_alertd(ctl, str_text(&path), &root);
    if (status != CTL_OK)
        return status;
    int r = json_get_array(root, "labels", &array, &err);
    for (size_t i = 0; r == 0 && i < json_length(array); i++)
        r = take_label(labels, json_at(array, i), &err);
    json_free(root);
    return r == 0 ? CTL_OK : ctl_fail(ctl, "alertd's incidents: %s", err.text);
}

static enum ctl_exit read_incident(struct tune_labels *labels,
                                   const struct ctl *ctl,
                                   const char *key,
                                   struct tune_ask *ask)
{
    STR_AUTO struct str path = STR_INIT(PATH_BYTES_MAX);
    struct tune_incident incident = {.name = key};
    struct json *root = NULL;
    const char *begin = NULL;
    const char *end = NULL;
    struct err err = {0};

    str_add(&path, "/api/alertd/v1/incidents/");
    add_encoded(&path, key);
    enum ctl_exit status = ask_alertd(ctl, str_text(&path), &root);
    if (status != CTL_OK)
        return status;
    int r = json_get_string(root, "opened_at", &begin, &err);
    if (r == 0)
        r = json_get_string_or(root, "resolved_at", NULL, &end, &err);
    if (r == 0 && (clock_parse_rfc3339(begin, &incident.begin_ms) ||
                   (end && clock_parse_rfc3339(end, &incident.end_ms))))
        r = err_set(&err, -EINVAL, "its times can't be read");
    json_free(root);
    if (r != 0)
        return ctl_fail(ctl, "%s: %s", key, err.text);
    if (!end)
        incident.end_ms = ask->to_ms;
    add(labels, incident);
    ask->from_ms = incident.begin_ms - BEFORE_MS;
    ask->to_ms = incident.end_ms + BEHIND_MS < ask->to_ms ? incident.end_ms + BEHIND_MS
                                                          : ask->to_ms;
    return CTL_OK;
}

/* The trouble of a drill, under its title. */
static void take_drill(struct tune_labels *labels, const struct tune_drill *drill)
{
    add(labels, (struct tune_incident){.begin_ms = drill->past.begin_ms,
                                       .end_ms = drill->past.end_ms,
                                       .name = drill->title});
}

enum ctl_exit tune_labels_read(struct tune_labels *labels,
                               const struct ctl *ctl,
                               const struct tune_past *past,
                               struct tune_ask *ask)
{
    const char *path = ctl_option(ctl, "incidents");
    const char *key = ctl_option(ctl, "incident");
    enum ctl_exit status = CTL_OK;

    if (past->drill)
        take_drill(labels, past->drill);
    if (key)
        status = read_incident(labels, ctl, key, ask);
    if (status == CTL_OK && path)
        status = strcmp(path, "server") == 0 ? read_server(labels, ctl, ask)
                                             : read_file(labels, ctl, path);
    if (status == CTL_OK && labels->n > SURFACE_INCIDENTS_MAX)
        status = ctl_fail(ctl, "%zu incidents: at most %d", labels->n, SURFACE_INCIDENTS_MAX);
    ask->whens = labels->at;
    ask->n_incidents = labels->n;
    return status;
}
