/*
 * A digest in words: the first line says how much and how bad, then what it has in common,
 * then every incident with its links.
 */

#include "alertd/incident/digest_words.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/html.h"

enum {
    TITLE_BYTES_MAX = 200, /* of an incident in the list */
    SUBJECT_BYTES_MAX = 1024,
    LINE_BYTES_MAX = 4096,
    TEXT_BYTES_MAX = 2 * 1024 * 1024,
    BRIEF_INCIDENTS_MAX = 5,
};

static void add_time(struct str *out, int64_t at_ms, int64_t now_ms)
{
    char text[CLOCK_TEXT_MAX];

    str_add(out, clock_human(at_ms, now_ms, text));
}

static void add_count(struct str *out, size_t n, const char *noun)
{
    str_addf(out, "%zu %s%s", n, noun, n == 1 ? "" : "s");
}

/* One line of at most so many bytes, at a character's border. */
static void add_line(struct str *out, const char *text)
{
    size_t len = strlen(text);
    size_t keep = len < TITLE_BYTES_MAX ? len : TITLE_BYTES_MAX;

    while (keep < len && keep > 0 && ((unsigned char)text[keep] & 0xC0) == 0x80)
        keep--;
    for (size_t i = 0; i < keep; i++)
        str_addc(out, (unsigned char)text[i] < ' ' || text[i] == 127 ? ' ' : text[i]);
    if (keep < len)
        str_add(out, "\u2026");
}

static const char *severity_of(const struct incident *incident)
{
    return incident->severity && *incident->severity ? incident->severity : "alert";
}

/* "[critical] The shop does not answer (INC-2026-0012)" */
static void add_incident(struct str *out, const struct incident *incident)
{
    str_addf(out, "[%s] ", incident->status == INCIDENT_RESOLVED ? "over" : severity_of(incident));
    add_line(out, incident->title);
    str_addf(out, " (%s)", incident->key);
}

/* "3 of 4 alerts firing since 14:02:11 UTC, acknowledged by ana" */
static void add_state(struct str *out, const struct digest_incident *one, int64_t now_ms)
{
    const struct incident *incident = &one->page->incident;

    str_addf(out, "%u of ", incident->n_firing);
    add_count(out, incident->n_alerts, "alert");
    str_add(out, " firing, since ");
    add_time(out, incident->opened_at_ms, now_ms);
    if (incident->status == INCIDENT_ACKNOWLEDGED)
        str_addf(out, ", acknowledged by %s",
                 incident->acknowledged_by ? incident->acknowledged_by : "somebody");
    if (incident->status == INCIDENT_RESOLVED) {
        str_add(out, ", over at ");
        add_time(out, incident->resolved_at_ms, now_ms);
    }
}

static void add_tallies(struct str *out,
                        const struct digest_tally *tallies,
                        size_t n,
                        size_t n_shown_max)
{
    size_t n_rest = 0;

    for (size_t i = 0; i < n; i++) {
        if (i >= n_shown_max) {
            n_rest += tallies[i].n;
            continue;
        }
        str_addf(out, "%s%zu ", i ? ", " : "", tallies[i].n);
        if (tallies[i].name)
            str_addf(out, "%s=", tallies[i].name);
        add_line(out, tallies[i].word);
    }
    if (n_rest > 0)
        str_addf(out, ", %zu of %zu others", n_rest, n - n_shown_max);
}

static void add_subject(const struct digest_counts *counts, struct str *out)
{
    const struct incident *worst = &counts->incidents[0].page->incident;
    bool all_over = counts->n_over == counts->n_incidents;

    str_addf(out, "[%s] ", all_over ? "over" : severity_of(worst));
    add_count(out, counts->n_incidents, "incident");
    str_add(out, " with ");
    add_count(out, counts->n_alerts + counts->n_not_carried, "alert");
    str_add(out, all_over ? ": " : ", the worst: ");
    add_line(out, worst->title);
}

/* The lines above the list: what it is, and what its alerts have in common. */
static void add_summary(const struct digest_counts *counts, struct str *out)
{
    add_count(out, counts->n_pages, "page");
    str_add(out, " in one: ");
    add_count(out, counts->n_incidents, "incident");
    if (counts->n_over > 0)
        str_addf(out, ", %zu of them over", counts->n_over);
    str_addf(out, "; %zu of ", counts->n_firing);
    add_count(out, counts->n_alerts, "alert");
    str_add(out, " firing.");
    if (counts->n_not_carried > 0) {
        str_addc(out, ' ');
        add_count(out, counts->n_not_carried, "more alert");
        str_add(out, " only counted.");
    }
    str_add(out, "\nThe first was due at ");
    add_time(out, counts->oldest_ms, counts->now_ms);
    str_add(out, ".\nSeverities: ");
    add_tallies(out, counts->severities, counts->n_severities, DIGEST_SEVERITIES_MAX);
    str_add(out, "\nAlerts: ");
    add_tallies(out, counts->names, counts->n_names, DIGEST_NAMES_SHOWN_MAX);
    if (counts->n_labels > 0) {
        str_add(out, "\nIn common: ");
        add_tallies(out, counts->labels,
                    counts->n_labels < DIGEST_LABELS_SHOWN_MAX ? counts->n_labels
                                                               : DIGEST_LABELS_SHOWN_MAX,
                    DIGEST_LABELS_SHOWN_MAX);
    }
    str_addc(out, '\n');
}

static const char *acknowledge_url(const struct digest_incident *one)
{
    return one->page->incident.status == INCIDENT_TRIGGERED ? one->page->acknowledge_url : NULL;
}

static void add_text(const struct digest_counts *counts, struct str *out)
{
    add_summary(counts, out);
    str_add(out, "\nIncidents, the worst first:\n");
    for (size_t i = 0; i < counts->n_incidents; i++) {
        const struct digest_incident *one = &counts->incidents[i];

        str_add(out, "\n- ");
        add_incident(out, &one->page->incident);
        str_add(out, "\n  ");
        add_state(out, one, counts->now_ms);
        if (acknowledge_url(one))
            str_addf(out, "\n  Acknowledge: %s", acknowledge_url(one));
        str_addf(out, "\n  Incident:    %s\n", one->page->incident_url);
    }
    str_addf(out, "\ntold to %s by alertd\n", counts->incidents[0].page->receiver);
}

/* For a lock screen and a chat. */
static void add_brief(const struct digest_counts *counts, struct str *out)
{
    size_t n = counts->n_incidents;

    add_tallies(out, counts->severities, counts->n_severities, DIGEST_SEVERITIES_MAX);
    str_add(out, "; ");
    add_tallies(out, counts->names, counts->n_names, 3);
    str_addc(out, '\n');
    for (size_t i = 0; i < n && i < BRIEF_INCIDENTS_MAX; i++) {
        add_incident(out, &counts->incidents[i].page->incident);
        str_addf(out, "\n%s\n", counts->incidents[i].page->incident_url);
    }
    if (n > BRIEF_INCIDENTS_MAX)
        str_addf(out, "and %zu more incidents\n", n - BRIEF_INCIDENTS_MAX);
}

static void add_link(struct str *out, const char *url, const char *words)
{
    str_add(out, "<a href=\"");
    html_escape(out, url);
    str_add(out, "\">");
    html_escape(out, words);
    str_add(out, "</a>");
}

static void html_incident(const struct digest_counts *counts,
                          const struct digest_incident *one,
                          struct str *out)
{
    STR_AUTO struct str line = STR_INIT(LINE_BYTES_MAX);

    add_incident(&line, &one->page->incident);
    str_add(out, "<li style=\"margin-bottom:12px\">");
    add_link(out, one->page->incident_url, str_text(&line));
    str_cut(&line, 0);
    add_state(&line, one, counts->now_ms);
    str_add(out, "<br>");
    html_escape(out, str_text(&line));
    if (acknowledge_url(one)) {
        str_add(out, "<br>");
        add_link(out, acknowledge_url(one), "Acknowledge");
    }
    str_add(out, "</li>\n");
}

static void add_html(const struct digest_counts *counts, const char *subject, struct str *out)
{
    STR_AUTO struct str summary = STR_INIT(TEXT_BYTES_MAX);
    const char *line;
    char *rest;

    str_add(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                 "<meta name=\"color-scheme\" content=\"light dark\"></head>"
                 "<body style=\"font:16px/1.5 system-ui,sans-serif;max-width:36em\">\n<h2>");
    html_escape(out, subject);
    str_add(out, "</h2>\n<p>");
    add_summary(counts, &summary);
    rest = summary.text;
    while ((line = strsep(&rest, "\n")) && *line) {
        html_escape(out, line);
        str_add(out, "<br>\n");
    }
    str_add(out, "</p>\n<ul style=\"padding-left:20px\">\n");
    for (size_t i = 0; i < counts->n_incidents; i++)
        html_incident(counts, &counts->incidents[i], out);
    str_add(out, "</ul>\n<p>told to ");
    html_escape(out, counts->incidents[0].page->receiver);
    str_add(out, " by alertd</p>\n</body></html>\n");
}

/* The text in the arena; NULL when it is spent or the text grew past every bound. */
static const char *keep(struct arena *arena, const struct str *text)
{
    return text->full ? NULL : arena_strndup(arena, str_text(text), text->len);
}

bool digest_words(const struct digest_counts *counts,
                  const char *url,
                  struct arena *arena,
                  struct page_digest **ret_digest)
{
    struct page_digest *digest = arena_alloc(arena, sizeof(*digest));
    STR_AUTO struct str subject = STR_INIT(SUBJECT_BYTES_MAX);
    STR_AUTO struct str text = STR_INIT(TEXT_BYTES_MAX);
    STR_AUTO struct str brief = STR_INIT(TEXT_BYTES_MAX);
    STR_AUTO struct str html = STR_INIT(TEXT_BYTES_MAX);

    if (!digest)
        return false;
    add_subject(counts, &subject);
    add_text(counts, &text);
    add_brief(counts, &brief);
    add_html(counts, str_text(&subject), &html);
    digest->subject = keep(arena, &subject);
    digest->text = keep(arena, &text);
    digest->brief = keep(arena, &brief);
    digest->html = keep(arena, &html);
    digest->url = url;
    *ret_digest = digest;
    return digest->subject && digest->text && digest->brief && digest->html;
}
