/*
 * The document, the alerts, pages and timeline as facts. See facts.h; marks are in
 * facts_marks.c, what people did in facts_story.c.
 */

#include "alertd/postmortem/facts.h"

#include <stdio.h>
#include <string.h>

#include "alertd/postmortem/facts_part.h"
#include "alertd/postmortem/template.h"
#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/model/duration.h"

enum {
    RESPONDERS_MAX = 200
};

static void print_utc(int64_t at_ms, char text[CLOCK_TEXT_MAX])
{
    struct clock_utc utc = clock_split_utc(at_ms);

    (void)snprintf(text, CLOCK_TEXT_MAX, "%04d-%02d-%02d %02d:%02d:%02d", utc.year, utc.month,
                   utc.day, utc.hour, utc.minute, utc.second);
}

struct fact *facts_time(
    struct facts *facts, struct fact *parent, const char *name, int64_t at_ms, const char *why)
{
    return facts_time_exact(facts, parent, name, at_ms, NULL, why);
}

/* Over midnight each row has its day. */
static bool spans_days(const struct incident *incident)
{
    char opened[CLOCK_TEXT_MAX];
    char resolved[CLOCK_TEXT_MAX];

    print_utc(incident->opened_at_ms, opened);
    print_utc(incident->resolved_at_ms, resolved);
    return incident->resolved_at_ms && strncmp(opened, resolved, 10) != 0;
}

/* "2026-11-23 22:27:00" to "~ 2026-11-23 22:27" when no more is known. */
static void add_known_time(struct facts *facts,
                           struct fact *time,
                           int64_t at_ms,
                           const char *precision)
{
    struct fact_maker *maker = &facts->maker;
    bool coarse = precision && strcmp(precision, "s") != 0;
    const char *about = precision && strcmp(precision, "approx") == 0 ? "\xe2\x89\x88 " : "";
    char text[CLOCK_TEXT_MAX];
    char day[CLOCK_TEXT_MAX];

    print_utc(at_ms, text);
    print_utc(facts->input->incident->opened_at_ms, day);
    bool same_day = strncmp(text, day, 10) == 0 && !spans_days(facts->input->incident);

    if (coarse)
        text[16] = '\0'; /* without seconds */
    fact_textf(maker, time, "text", "%s%s UTC", about, text);
    fact_textf(maker, time, "utc", "%s%s UTC", about, text);
    fact_textf(maker, time, "hm", "%.5s", text + 11);
    fact_text(maker, time, "hms", text + 11);
    fact_textf(maker, time, "short", "%s%s", about, same_day ? text + 11 : text + 5);
    fact_textf(maker, time, "day", "%.10s", text);
    fact_text(maker, time, "iso", clock_rfc3339(at_ms, day));
}

struct fact *facts_time_exact(struct facts *facts,
                              struct fact *parent,
                              const char *name,
                              int64_t at_ms,
                              const char *precision,
                              const char *why)
{
    static const char *const names[] = {"utc", "hm", "hms", "short", "day", "iso"};
    struct fact_maker *maker = &facts->maker;
    struct fact *time = fact_group(maker, parent, name);

    fact_bool(maker, time, "known", at_ms != 0);
    fact_number(maker, time, "ms", at_ms);
    if (at_ms) {
        add_known_time(facts, time, at_ms, precision);
        return time;
    }
    fact_textf(maker, time, "text", "not known (%s)", why);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        fact_text(maker, time, names[i], "not known");
    return time;
}

const char *facts_duration(int64_t duration_ms, char text[FACTS_DURATION_MAX])
{
    enum {
        HOUR_S = 3600,
        FOUR_DAYS_S = 4 * 24 * HOUR_S
    };
    const char *sign = duration_ms < 0 ? "-" : "";
    long long s = (long long)(duration_ms < 0 ? -duration_ms : duration_ms) / 1000;
    char human[DURATION_TEXT_MAX];

    if (duration_ms == 0)
        (void)snprintf(text, FACTS_DURATION_MAX, "0 min");
    else if (s < HOUR_S)
        (void)snprintf(text, FACTS_DURATION_MAX, "%s", duration_human(duration_ms, human));
    else if (s >= FOUR_DAYS_S)
        (void)snprintf(text, FACTS_DURATION_MAX, "%s%lld d %lld h", sign, s / (24 * HOUR_S),
                       s / HOUR_S % 24);
    else if (s / 60 % 60)
        (void)snprintf(text, FACTS_DURATION_MAX, "%s%lld h %lld min", sign, s / HOUR_S,
                       s / 60 % 60);
    else
        (void)snprintf(text, FACTS_DURATION_MAX, "%s%lld h", sign, s / HOUR_S);
    return text;
}

/* {known text s formula}: from one mark to another. A negative one is shown, never
 * clipped: it says that the marks are worth a look. */
struct fact *facts_span(struct facts *facts,
                        struct fact *parent,
                        const char *name,
                        int64_t from_ms,
                        int64_t to_ms,
                        const char *formula,
                        const char *why)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *span = fact_group(maker, parent, name);
    char text[FACTS_DURATION_MAX];
    bool known = from_ms && to_ms;

    fact_bool(maker, span, "known", known);
    fact_text(maker, span, "formula", formula);
    fact_number(maker, span, "s", known ? (to_ms - from_ms) / 1000 : 0);
    if (!known)
        fact_textf(maker, span, "text", "not known (%s)", why);
    else
        fact_textf(maker, span, "text", "%s%s", facts_duration(to_ms - from_ms, text),
                   to_ms < from_ms ? " (negative: look at the marks)" : "");
    return span;
}

/* `[e12](page#e12)`, or plain e12 without a page. */
void facts_evidence(struct facts *facts, struct fact *parent, const char *name, int64_t event_id)
{
    STR_AUTO struct str link = STR_INIT(2048);
    const char *url = facts_or_empty(facts->input->incident_url);

    if (event_id && *url)
        str_addf(&link, strpbrk(url, " ()") ? "[e%lld](<%s#e%lld>)" : "[e%lld](%s#e%lld)",
                 (long long)event_id, url, (long long)event_id);
    else if (event_id)
        str_addf(&link, "e%lld", (long long)event_id);
    fact_markdown(&facts->maker, parent, name, str_text(&link));
}

void facts_code(struct facts *facts, struct fact *parent, const char *name, const char *words)
{
    STR_AUTO struct str code = STR_INIT(64 * 1024);
    size_t longest = 0;

    words = facts_or_empty(words);
    for (const char *at = words; *at; at++) {
        size_t run = strspn(at, "`");

        longest = run > longest ? run : longest;
    }
    for (size_t i = 0; i <= longest && *words; i++)
        str_addc(&code, '`');
    if (*words == '`' || *words == ' ')
        str_addc(&code, ' ');
    for (const char *at = words; *at; at++)
        str_addc(&code, *at == '\n' || *at == '\r' ? ' ' : *at);
    if (*words && (words[strlen(words) - 1] == '`' || words[strlen(words) - 1] == ' '))
        str_addc(&code, ' ');
    for (size_t i = 0; i <= longest && *words; i++)
        str_addc(&code, '`');
    fact_markdown(&facts->maker, parent, name, str_text(&code));
}

/* --- the groups --- */

/* A list's item; the first one knows it, so that a table can bring its own heading. */
struct fact *facts_row(struct facts *facts, struct fact *list)
{
    bool is_first = list->first == NULL;
    struct fact *row = fact_group(&facts->maker, list, "");

    fact_bool(&facts->maker, row, "is_first", is_first);
    return row;
}

static void add_labels(struct facts *facts, struct fact *parent, const struct labels *labels)
{
    struct fact *list = fact_list(&facts->maker, parent, "labels");

    for (size_t i = 0; labels && i < labels->n; i++) {
        struct fact *label = fact_group(&facts->maker, list, "");

        fact_text(&facts->maker, label, "name", labels->at[i].name);
        fact_text(&facts->maker, label, "value", labels->at[i].value);
    }
}

static void add_document(struct facts *facts, struct fact *root)
{
    const struct postmortem_input *input = facts->input;
    const struct incident *from = input->incident;
    struct fact_maker *maker = &facts->maker;
    struct fact *doc = fact_group(maker, root, "doc");
    struct fact *incident = fact_group(maker, root, "incident");
    struct fact *meta = fact_group(maker, root, "meta");

    fact_text(maker, doc, "title", input->title ? input->title : from->title);
    fact_text(maker, doc, "template", input->template_name);
    fact_text(maker, doc, "status", input->status);
    fact_text(maker, doc, "owner", input->owner);
    fact_number(maker, doc, "version", input->version);
    fact_text(maker, doc, "author", input->author);
    facts_time(facts, doc, "created", input->created_ms ? input->created_ms : input->now_ms, "");

    fact_text(maker, incident, "key", from->key);
    fact_text(maker, incident, "title", from->title);
    fact_text(maker, incident, "severity", from->severity);
    fact_text(maker, incident, "status", incident_status_name(from->status));
    fact_text(maker, incident, "url", input->incident_url);
    fact_text(maker, incident, "origin", from->origin);
    fact_bool(maker, incident, "is_brought", strcmp(facts_or_empty(from->origin), "import") == 0);
    fact_text(maker, incident, "recurrence_of", from->recurrence_of);
    fact_bool(maker, incident, "is_open", from->resolved_at_ms == 0);
    facts_time(facts, incident, "opened", from->opened_at_ms, "never opened");
    add_labels(facts, incident, from->labels);

    facts_time(facts, meta, "now", input->now_ms, "");
    fact_text(maker, meta, "generator", input->generator);
}

const char *facts_actor(const struct timeline_event *event)
{
    const char *data = facts_or_empty(event->data);

    if (strncmp(facts_or_empty(event->source), "import", 6) == 0 &&
        !strstr(data, "\"recorded_by\""))
        return "";
    return facts_or_empty(event->actor);
}

static const struct incident_alert *first_fired(const struct postmortem_input *input)
{
    const struct incident_alert *first = NULL;

    for (size_t i = 0; i < input->n_alerts; i++)
        if (input->alerts[i].fired_at_ms &&
            (!first || input->alerts[i].fired_at_ms < first->fired_at_ms))
            first = &input->alerts[i];
    return first;
}

static const char *label_of(const struct labels *labels, const char *name)
{
    return labels ? labels_get(labels, name) : NULL;
}

static void add_rule(struct facts *facts, struct fact *parent, const struct incident_alert *alert)
{
    struct fact_maker *maker = &facts->maker;
    char text[DURATION_TEXT_MAX];

    fact_number(maker, parent, "rule_id", alert->rule_id);
    fact_text(maker, parent, "name", alert->name);
    fact_text(maker, parent, "severity", label_of(alert->labels, "severity"));
    fact_text(maker, parent, "expr", alert->expr);
    facts_code(facts, parent, "code", alert->expr);
    fact_text(maker, parent, "for", duration_print(alert->for_ms, text));
    fact_text(maker, parent, "runbook", label_of(alert->annotations, "runbook_url"));
}

/* Where the time between "bad" and "a person knows" went, for the alert that fired
 * first; no other record keeps these apart. */
static void add_detection(struct facts *facts, struct fact *root)
{
    static const struct incident_alert none = {0};
    const struct incident_alert *alert = first_fired(facts->input);
    struct fact *detection = fact_group(&facts->maker, root, "detection");
    const struct incident_alert *from = alert ? alert : &none;
    int64_t sent_ms = facts->marks[FACTS_PAGED].at_ms;
    int64_t acked_ms = facts->marks[FACTS_ACKED].at_ms;

    fact_bool(&facts->maker, detection, "known", alert != NULL);
    add_rule(facts, fact_group(&facts->maker, detection, "rule"), from);
    facts_time(facts, detection, "breach", from->active_at_ms, "no alert fired");
    facts_time(facts, detection, "firing", from->fired_at_ms, "no alert fired");
    facts_time(facts, detection, "sent", sent_ms, facts->marks[FACTS_PAGED].why_not);
    facts_time(facts, detection, "acked", acked_ms, facts->marks[FACTS_ACKED].why_not);
    facts_span(facts, detection, "d_for", from->active_at_ms, from->fired_at_ms,
               "firing \xe2\x88\x92 breach", "no alert fired");
    facts_span(facts, detection, "d_send", from->fired_at_ms, sent_ms, "sent \xe2\x88\x92 firing",
               facts->marks[FACTS_PAGED].why_not);
    facts_span(facts, detection, "d_ack", sent_ms, acked_ms, "acked \xe2\x88\x92 sent",
               sent_ms ? facts->marks[FACTS_ACKED].why_not : facts->marks[FACTS_PAGED].why_not);

    int64_t held = from->fired_at_ms - from->active_at_ms;
    int64_t sending = sent_ms ? sent_ms - from->fired_at_ms : 0;
    int64_t waiting = sent_ms && acked_ms ? acked_ms - sent_ms : 0;
    const char *biggest = held >= sending && held >= waiting ? "alert fired"
                          : sending >= waiting               ? "page sent"
                                                             : "acknowledged";

    fact_text(&facts->maker, detection, "biggest_part", alert ? biggest : "");
}

static void add_alert(struct facts *facts, struct fact *list, const struct incident_alert *alert)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *row = facts_row(facts, list);
    STR_AUTO struct str labels = STR_INIT(32 * 1024);
    char value[FLOAT_TEXT_MAX];

    add_rule(facts, row, alert);
    if (alert->labels)
        labels_print(alert->labels, &labels);
    fact_text(maker, row, "labels_text", str_text(&labels));
    add_labels(facts, row, alert->labels);
    fact_text(maker, row, "summary", label_of(alert->annotations, "summary"));
    facts_time(facts, row, "active", alert->active_at_ms, "not recorded");
    facts_time(facts, row, "fired", alert->fired_at_ms, "it did not fire");
    facts_time(facts, row, "resolved", alert->resolved_at_ms, "it still fires");
    facts_span(facts, row, "duration", alert->fired_at_ms, alert->resolved_at_ms,
               "resolved \xe2\x88\x92 fired",
               alert->fired_at_ms ? "it still fires" : "it did not fire");
    float_short(alert->value, value);
    fact_text(maker, row, "value", value);
}

static void add_alerts(struct facts *facts, struct fact *root)
{
    struct fact *list = fact_list(&facts->maker, root, "alerts");

    for (size_t i = 0; i < facts->input->n_alerts; i++)
        add_alert(facts, list, &facts->input->alerts[i]);
}

static void add_notifications(struct facts *facts, struct fact *root)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *list = fact_list(maker, root, "notifications");
    struct fact *pages = fact_group(maker, root, "pages");
    int64_t n_sent = 0;
    int64_t n_failed = 0;

    for (size_t i = 0; i < facts->input->n_notifications; i++) {
        const struct postmortem_notification *from = &facts->input->notifications[i];
        struct fact *row = facts_row(facts, list);

        fact_text(maker, row, "receiver", from->receiver);
        fact_text(maker, row, "kind", from->kind);
        fact_text(maker, row, "reason", from->reason);
        fact_text(maker, row, "state", from->state);
        fact_text(maker, row, "error", from->last_error);
        fact_number(maker, row, "attempts", from->attempts);
        facts_time(facts, row, "due", from->due_at_ms, "not recorded");
        facts_time(facts, row, "sent", from->sent_at_ms, "it was not sent");
        n_sent += from->sent_at_ms != 0;
        n_failed += strcmp(facts_or_empty(from->state), "failed") == 0;
    }
    fact_number(maker, pages, "total", (int64_t)facts->input->n_notifications);
    fact_number(maker, pages, "sent", n_sent);
    fact_number(maker, pages, "failed", n_failed);
}

/* From elsewhere, all of it later: its head says so once. */
static bool is_brought(const struct incident *incident)
{
    return strcmp(facts_or_empty(incident->origin), "import") == 0;
}

static void add_timeline(struct facts *facts, struct fact *root)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *list = fact_list(maker, root, "timeline");
    int64_t n_plain = 0;
    int64_t n_left_out = 0;

    for (size_t i = 0; i < facts->input->n_events; i++) {
        const struct timeline_event *event = facts->rows[i].event;
        char letter[2] = {facts->rows[i].letter, '\0'};

        if (!letter[0] && n_plain++ >= FACTS_PLAIN_ROWS_MAX) {
            n_left_out++;
            continue;
        }
        struct fact *row = facts_row(facts, list);

        fact_text(maker, row, "letter", letter);
        fact_bool(maker, row, "is_key", letter[0] != '\0');
        facts_event(facts, row, &facts->rows[i]);
        fact_bool(maker, row, "is_human", facts_is_human(event));
        fact_bool(maker, row, "added_later",
                  facts_is_human(event) && !is_brought(facts->input->incident) &&
                      event->recorded_at_ms - event->occurred_at_ms > 60 * 1000);
    }
    fact_number(maker, root, "timeline_left_out", n_left_out);
}

struct responder {
    const char *name;
    const struct timeline_event *first;
    int64_t n_rows;
};

/* The place of a name in the list, at its end when it is new; n when the list is full. */
static size_t place_of(struct responder *people, size_t *n, const struct timeline_event *event)
{
    const char *name = facts_actor(event);
    size_t i = 0;

    while (i < *n && strcmp(people[i].name, name) != 0)
        i++;
    if (i == *n && *n < RESPONDERS_MAX)
        people[(*n)++] = (struct responder){name, event, 0};
    return i;
}

/* Everyone who did something, in the order of their first row. */
static void add_responders(struct facts *facts, struct fact *root)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *list = fact_list(maker, root, "responders");
    struct responder people[RESPONDERS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < facts->input->n_events; i++) {
        const struct timeline_event *event = facts->rows[i].event;

        if (!(facts->kinds[i]->parts & FACTS_RESPONDS) || !facts_is_human(event) ||
            !*facts_actor(event))
            continue;
        size_t place = place_of(people, &n, event);

        if (place < n)
            people[place].n_rows++;
    }
    for (size_t i = 0; i < n; i++) {
        const struct timeline_event *first = people[i].first;
        struct fact *row = facts_row(facts, list);

        fact_text(maker, row, "name", people[i].name);
        facts_time_exact(facts, row, "first", first->occurred_at_ms, first->precision,
                         "not recorded");
        fact_number(maker, row, "rows", people[i].n_rows);
    }
}

static void add_graphs(struct facts *facts, struct fact *root)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *list = fact_list(maker, root, "graphs");

    for (size_t i = 0; i < facts->input->n_graphs; i++) {
        const struct postmortem_graph_ref *from = &facts->input->graphs[i];
        struct fact *row = facts_row(facts, list);
        STR_AUTO struct str image = STR_INIT(8192);

        str_add(&image, "![");
        template_escape(facts_or_empty(from->title), &image);
        str_addf(&image, "](graph:%lld)", (long long)from->id);
        fact_number(maker, row, "id", from->id);
        fact_text(maker, row, "title", from->title);
        fact_text(maker, row, "query", from->query);
        facts_code(facts, row, "code", from->query);
        facts_time(facts, row, "from", from->start_ms, "not recorded");
        facts_time(facts, row, "to", from->end_ms, "not recorded");
        fact_markdown(maker, row, "md", str_text(&image));
    }
}

int postmortem_facts(struct arena *arena,
                     const struct postmortem_input *input,
                     const struct fact **ret_facts,
                     struct err *reterr)
{
    struct facts facts = {
        .maker = FACT_MAKER(arena),
        .input = input,
        .rows = input->rows ? input->rows : postmortem_timeline(arena, input),
    };

    if (!facts.rows || !facts_find_kinds(&facts))
        return err_set(reterr, FACTS_E_LIMIT, "%zu events are too many", input->n_events);
    facts_find_marks(&facts);

    struct fact *root = fact_root(&facts.maker);

    add_document(&facts, root);
    facts_marks_and_metrics(&facts, root);
    add_detection(&facts, root);
    add_alerts(&facts, root);
    add_notifications(&facts, root);
    add_timeline(&facts, root);
    add_responders(&facts, root);
    add_graphs(&facts, root);
    facts_story(&facts, root);
    facts_learnt(&facts, root);
    facts_questions(&facts, root);
    facts_drill(&facts, root);
    if (facts.maker.spent)
        return err_set(reterr, FACTS_E_LIMIT, "the incident has too many facts for one document");
    *ret_facts = root;
    return 0;
}
