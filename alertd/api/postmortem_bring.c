/*
 * An exported document without its incident. See postmortem_bring.h.
 */

#include "alertd/api/postmortem_bring.h"

#include <string.h>

#include "lib/json/write.h"

enum {
    LABELS_BYTES_MAX = 64 * 1024,
    ROWS_MAX = 5000,
};

#define REASON "as in the document that was brought"

/* --- facts --- */

static const struct json *group(const struct json *facts, const char *name)
{
    const struct json *found = facts ? json_get(facts, name) : NULL;

    return found && json_is_object(found) ? found : NULL;
}

static const char *text_of(const struct json *facts, const char *name)
{
    const char *text = NULL;

    return facts && json_get_string(facts, name, &text, NULL) == 0 ? text : "";
}

/* Of a time among facts; 0: not known. */
static int64_t instant(const struct json *facts, const char *name)
{
    const struct json *time = group(facts, name);
    int64_t at_ms = 0;

    return time && json_get_int(time, "ms", &at_ms, NULL) == 0 ? at_ms : 0;
}

/* How exactly a time is said: "≈ ...", or without its seconds. */
static const char *precision(const struct json *time)
{
    const char *text = text_of(time, "text");
    const char *colon = strchr(text, ':');

    if (strncmp(text, "\xe2\x89\x88", 3) == 0)
        return "approx";
    return colon && !strchr(colon + 1, ':') ? "min" : NULL;
}

int64_t postmortem_bring_opened(const struct json *facts)
{
    return instant(group(facts, "incident"), "opened");
}

const char *postmortem_bring_title(const struct json *facts)
{
    return text_of(group(facts, "incident"), "title");
}

/* --- the incident --- */

static const char *read_labels(const struct json *incident, struct arena *arena)
{
    const struct json *labels = json_get(incident, "labels");
    STR_AUTO struct str text = STR_INIT(LABELS_BYTES_MAX);
    struct json_out out = JSON_OUT(&text);

    json_open(&out, '{');
    for (size_t i = 0; labels && i < json_length(labels); i++)
        json_kv_string(&out, text_of(json_at(labels, i), "name"),
                       text_of(json_at(labels, i), "value"));
    json_close(&out, '}');
    return text.full ? NULL : arena_strndup(arena, str_text(&text), text.len);
}

static const char *recorded_by(const struct postmortem_bring *bring)
{
    STR_AUTO struct str text = STR_INIT(4096);
    struct json_out out = JSON_OUT(&text);

    json_open(&out, '{');
    json_kv_string(&out, "recorded_by", bring->who);
    json_close(&out, '}');
    return arena_strndup(bring->arena, str_text(&text), text.len);
}

static void read_row(const struct postmortem_bring *bring,
                     const struct json *from,
                     const char *told_data,
                     struct record_news *news)
{
    const char *kind = text_of(from, "kind");
    const char *actor = text_of(from, "actor");
    const char *conflict = text_of(from, "conflict");
    const char *scope = text_of(from, "scope");

    *news = (struct record_news){
        .event = {.kind = timeline_kind_known(kind) ? kind : "human.note",
                  .event_class = "human",
                  .source = "import",
                  .actor = *actor ? actor : bring->who,
                  .text = text_of(from, "text"),
                  .data = *actor ? told_data : "{}",
                  .occurred_at_ms = instant(from, "time"),
                  .precision = precision(group(from, "time")),
                  .scope = *scope ? scope : NULL},
        .conflict = *conflict ? conflict : NULL,
    };
}

static int add_rows(struct db_conn *conn, struct postmortem_bring *bring, struct err *reterr)
{
    const struct json *rows = json_get(bring->facts, "timeline");
    size_t n = rows && json_is_array(rows) ? json_length(rows) : 0;
    const char *told_data = recorded_by(bring);
    struct record_batch batch = {.key = bring->key, .actor = bring->who, .now_ms = bring->now_ms};

    n = n > ROWS_MAX ? ROWS_MAX : n;
    batch.news = arena_array(bring->arena, n + 1, sizeof(*batch.news));
    if (!batch.news || !told_data)
        return err_set(reterr, INCIDENT_DB_E_LIMIT, "the document's timeline is too long");
    for (size_t i = 0; i < n; i++) {
        read_row(bring, json_at(rows, i), told_data, &batch.news[batch.n]);
        batch.n += batch.news[batch.n].event.occurred_at_ms && *batch.news[batch.n].event.text;
    }
    return batch.n ? incident_db_add_events(conn, &batch, reterr) : 0;
}

static int set_marks(struct db_conn *conn, struct postmortem_bring *bring, struct err *reterr)
{
    const struct json *marks = group(bring->facts, "mark");
    struct record_setting settings[RECORD_MARKS];
    struct record_marking marking = {
        .key = bring->key, .settings = settings, .actor = bring->who, .now_ms = bring->now_ms};

    for (unsigned i = 0; marks && i < RECORD_MARKS; i++) {
        const char *name = record_mark_name(i);
        int64_t at_ms = instant(marks, name);

        if (!group(marks, name))
            continue;
        settings[marking.n++] = (struct record_setting){
            .name = i,
            .scope = "",
            .state = at_ms ? RECORD_MARK_AT : RECORD_MARK_UNKNOWN,
            .at_ms = at_ms,
            .precision = at_ms ? precision(group(marks, name)) : NULL,
            .reason = REASON,
            .editor = bring->who,
        };
    }
    return marking.n ? incident_db_set_marks(conn, &marking, reterr) : 0;
}

int postmortem_bring(struct db_conn *conn, struct postmortem_bring *bring, struct err *reterr)
{
    const struct json *incident = group(bring->facts, "incident");
    struct incident_declaration declaration = {
        .title = text_of(incident, "title"),
        .severity = text_of(incident, "severity"),
        .labels = incident ? read_labels(incident, bring->arena) : NULL,
        .origin = "import",
        .actor = bring->who,
        .opened_at_ms = instant(incident, "opened"),
        .resolved_at_ms = instant(group(bring->facts, "mark"), "resolved"),
        .now_ms = bring->now_ms,
    };

    if (!incident || !*declaration.title || !declaration.opened_at_ms)
        return err_set(
            reterr, INCIDENT_DB_E_NOT_FOUND,
            "its incident is not known here, and its facts say too little to make it: name one "
            "with ?incident=");
    if (!declaration.labels)
        return err_set(reterr, INCIDENT_DB_E_LIMIT, "the incident has too many labels");
    if (declaration.resolved_at_ms < declaration.opened_at_ms)
        declaration.resolved_at_ms = declaration.opened_at_ms;
    int r = incident_db_declare(conn, &declaration, bring->key, reterr);

    if (!r)
        r = add_rows(conn, bring, reterr);
    return r ? r : set_marks(conn, bring, reterr);
}
