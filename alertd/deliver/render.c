/*
 * A page in words. See render.h.
 */

#include "alertd/deliver/render.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "alertd/deliver/encode.h"
#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/base/html.h"
#include "lib/model/duration.h"

enum {
    LATE_MS = 5000,       /* less is nothing to tell */
    LISTED_MAX = 20,      /* alerts in a mail */
    LISTED_SHORT_MAX = 3, /* on a lock screen */
};

static void add_time(struct str *out, int64_t at_ms, int64_t now_ms)
{
    char text[CLOCK_TEXT_MAX];

    str_add(out, clock_human(at_ms, now_ms, text));
}

static void add_span(struct str *out, int64_t span_ms)
{
    char text[DURATION_TEXT_MAX];

    /* to the second: nobody reads milliseconds at night */
    str_add(out, duration_human(span_ms > 1000 ? span_ms / 1000 * 1000 : 1000, text));
}

/* For a shadow: its link leads to a page of its own, not to the incident. */
static bool is_copy(const struct page *page)
{
    return page->lane && strcmp(page->lane, "shadow") == 0;
}

const char *render_mark(const struct page *page)
{
    if (is_copy(page))
        return "SHADOW - practice copy, not yours to fix";
    if (page->lane && strcmp(page->lane, "test") == 0)
        return "TEST - nothing is wrong";
    if (page->lane && strcmp(page->lane, "drill") == 0)
        return "DRILL - practice, nothing is wrong";
    return NULL;
}

bool render_is_over(const struct page *page)
{
    return page->incident.status == INCIDENT_RESOLVED ||
           (page->n_alerts > 0 && !page->alerts[0].firing);
}

static bool is_reminder(const struct page *page)
{
    return strcmp(page->reason, "repeat") == 0;
}

void render_verdict_url(const struct page *page,
                        enum verdict verdict,
                        const char *via,
                        struct str *out)
{
    str_addf(out, "%s?verdict=%s&page=%" PRId64 "&via=%s", page->acknowledge_url,
             verdict_name(verdict), page->outbox_id, via);
}

/* "SHADOW - practice copy, not yours to fix.\n", when it is one. */
static void add_mark(const struct page *page, struct str *out)
{
    if (render_mark(page))
        str_addf(out, "%s.\n", render_mark(page));
}

void render_subject(const struct page *page, struct str *out)
{
    if (render_mark(page))
        str_addf(out, "[%s] ", render_mark(page));
    if (page->digest) {
        str_add(out, page->digest->subject);
        return;
    }
    const char *severity = page->incident.severity[0] ? page->incident.severity : "alert";

    if (render_is_over(page))
        str_add(out, "[over] ");
    else
        str_addf(out, "[%s%s] ", is_reminder(page) ? "still " : "", severity);
    for (const char *at = page->incident.title; *at; at++)
        str_addc(out, (unsigned char)*at < 32 || *at == 127 ? ' ' : *at);
    if (!render_is_over(page) && page->incident.n_firing > 1)
        str_addf(out, " and %u more", page->incident.n_firing - 1);
    str_addf(out, " (%s)", page->incident.key);
}

void render_late(const struct page *page, struct str *out)
{
    int64_t late_ms = page->now_ms - page->owed_at_ms;

    if (page->instead_of)
        str_addf(out, "%s could not be told%s%s", page->instead_of, page->earlier_error ? ": " : "",
                 page->earlier_error ? page->earlier_error : "");
    if (late_ms < LATE_MS)
        return;
    if (page->instead_of)
        str_add(out, "; ");
    str_add(out, "fired ");
    add_time(out, page->incident.opened_at_ms, page->now_ms);
    if (render_is_over(page)) {
        str_add(out, ", over at ");
        add_time(out, page->incident.resolved_at_ms, page->now_ms);
    }
    str_add(out, ", delivered ");
    add_span(out, late_ms);
    str_add(out, " late");
    if (page->earlier_error && !page->instead_of)
        str_addf(out, ": %s", page->earlier_error);
}

/* "Since 14:02:11 UTC (3 min)." / "Over at ... after 15 s, fired at ...." */
static void add_when(const struct page *page, struct str *out)
{
    const struct incident *incident = &page->incident;

    if (!render_is_over(page)) {
        str_add(out, "Since ");
        add_time(out, incident->opened_at_ms, page->now_ms);
        str_add(out, ", for ");
        add_span(out, page->now_ms - incident->opened_at_ms);
        str_add(out, ".");
        return;
    }
    str_add(out, incident->n_firing ? "Closed at " : "Over at ");
    add_time(out, incident->resolved_at_ms, page->now_ms);
    if (incident->resolved_by)
        str_addf(out, " by %s", incident->resolved_by);
    str_add(out, ", fired at ");
    add_time(out, incident->opened_at_ms, page->now_ms);
    str_add(out, ": ");
    add_span(out, incident->resolved_at_ms - incident->opened_at_ms);
    str_add(out, ".");
    if (incident->n_firing)
        str_addf(out, " %u alert%s still fire%s.", incident->n_firing,
                 incident->n_firing == 1 ? "" : "s", incident->n_firing == 1 ? "s" : "");
}

static void add_who(const struct page *page, struct str *out)
{
    if (page->incident.status == INCIDENT_ACKNOWLEDGED)
        str_addf(out, " Acknowledged by %s.",
                 page->incident.acknowledged_by ? page->incident.acknowledged_by : "somebody");
    else if (is_reminder(page))
        str_add(out, " Nobody has acknowledged it.");
    if (page->practice)
        str_addf(out, " %s.", page->practice);
}

/* "ProbeDown on http://shop: no answer (value 0)" */
static void add_alert(const struct incident_alert *alert, struct str *out)
{
    const char *instance = labels_get(alert->labels, "instance");
    const char *summary = labels_get(alert->annotations, "summary");
    char value[FLOAT_TEXT_MAX];

    str_add(out, alert->name);
    if (instance)
        str_addf(out, " on %s", instance);
    if (summary)
        str_addf(out, ": %s", summary);
    if (!isnan(alert->value)) {
        (void)float_short(alert->value, value);
        str_addf(out, " (value %s)", value);
    }
}

const char *render_runbook(const struct page *page)
{
    for (size_t i = 0; i < page->n_alerts; i++) {
        const char *url = labels_get(page->alerts[i].annotations, "runbook_url");

        if (url && (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0) &&
            !strpbrk(url, "\r\n"))
            return url;
    }
    return NULL;
}

const char *render_acknowledge_url(const struct page *page)
{
    return page->incident.status == INCIDENT_TRIGGERED && !page->digest ? page->acknowledge_url
                                                                        : NULL;
}

const char *render_open_url(const struct page *page)
{
    return page->digest ? page->digest->url : page->incident_url;
}

/* What a page asks back. */
static const struct {
    enum verdict verdict;
    const char *line, *link;
} answers[] = {
    {VERDICT_USEFUL, "Useful:", "Useful"},
    {VERDICT_NOISE, "Noise:", "Noise"},
    {VERDICT_UNKNOWN, "Don't know:", "Don&#39;t know"},
};

enum {
    N_ANSWERS = sizeof(answers) / sizeof(answers[0])
};

static void add_links(const struct page *page, struct str *out)
{
    const char *runbook = render_runbook(page);

    if (render_acknowledge_url(page))
        str_addf(out, "Acknowledge: %s\n", page->acknowledge_url);
    if (runbook)
        str_addf(out, "Runbook:     %s\n", runbook);
    str_addf(out, "%s%s\n", is_copy(page) ? "Your copy:   " : "Incident:    ", page->incident_url);
}

/* Only a real page is asked about. A link opens the question, it does not answer it: mail scanners open links. */
static void add_question(const struct page *page, struct str *out)
{
    if (!page->acknowledge_url || render_mark(page))
        return;
    str_add(out, "\nWas this page worth it? Each link asks once more.\n");
    for (unsigned i = 0; i < N_ANSWERS; i++) {
        str_addf(out, "%-13s", answers[i].line);
        render_verdict_url(page, answers[i].verdict, "mail", out);
        str_addc(out, '\n');
    }
}

static void add_alerts(const struct page *page, size_t max, const char *mark, struct str *out)
{
    for (size_t i = 0; i < page->n_alerts && i < max; i++) {
        str_addf(out, "%s%s", mark, page->alerts[i].firing ? "" : "over: ");
        add_alert(&page->alerts[i], out);
        str_addc(out, '\n');
    }
    if (page->incident.n_alerts > max)
        str_addf(out, "%sand %zu more\n", mark, page->incident.n_alerts - max);
}

void render_text(const struct page *page, struct str *out)
{
    STR_AUTO struct str late = STR_INIT(1024);

    add_mark(page, out);
    if (page->digest) {
        str_add(out, page->digest->text);
        return;
    }
    str_addf(out, "%s\n", page->incident.title);
    add_when(page, out);
    add_who(page, out);
    str_addc(out, '\n');
    render_late(page, &late);
    if (late.len)
        str_addf(out, "Late: %s\n", str_text(&late));
    str_addc(out, '\n');
    add_links(page, out);
    str_addf(out, "\nAlerts: %u firing of %u\n", page->incident.n_firing, page->incident.n_alerts);
    add_alerts(page, LISTED_MAX, "- ", out);
    add_question(page, out);
    str_addf(out, "\n%s%s%s, told to %s by alertd\n", page->incident.key,
             page->incident.severity[0] ? ", " : "", page->incident.severity, page->receiver);
}

void render_short(const struct page *page, struct str *out)
{
    STR_AUTO struct str late = STR_INIT(1024);

    add_mark(page, out);
    if (page->digest) {
        str_add(out, page->digest->brief);
        return;
    }
    add_when(page, out);
    add_who(page, out);
    str_addc(out, '\n');
    render_late(page, &late);
    if (late.len)
        str_addf(out, "Late: %s\n", str_text(&late));
    add_alerts(page, LISTED_SHORT_MAX, "", out);
}

/* --- HTML --- */

static void add_button(struct str *out, const char *url, const char *words, bool is_main)
{
    str_add(out, "<p><a href=\"");
    html_escape(out, url);
    str_addf(out,
             "\" style=\"display:inline-block;padding:12px 20px;border-radius:8px;"
             "font-weight:600;text-decoration:none;%s\">%s</a></p>\n",
             is_main ? "border:1px solid #0b57d0;background:#0b57d0;color:#ffffff"
                     : "border:1px solid currentColor;color:inherit", /* on light and dark */
             words);
}

static void html_alerts(const struct page *page, struct str *out)
{
    str_addf(out, "<p>Alerts: %u firing of %u</p>\n<ul>\n", page->incident.n_firing,
             page->incident.n_alerts);
    for (size_t i = 0; i < page->n_alerts && i < LISTED_MAX; i++) {
        STR_AUTO struct str text = STR_INIT(8192);

        add_alert(&page->alerts[i], &text);
        str_add(out, page->alerts[i].firing ? "<li>" : "<li>over: ");
        html_escape(out, str_text(&text));
        str_add(out, "</li>\n");
    }
    if (page->incident.n_alerts > LISTED_MAX)
        str_addf(out, "<li>and %u more</li>\n", page->incident.n_alerts - LISTED_MAX);
    str_add(out, "</ul>\n");
}

static void html_line(struct str *out, const char *tag, const char *text)
{
    str_addf(out, "<%s>", tag);
    html_escape(out, text);
    str_addf(out, "</%s>\n", tag);
}

/* In a box, before all else. */
static void html_mark(const struct page *page, struct str *out)
{
    if (render_mark(page))
        str_addf(out,
                 "<p style=\"border:2px solid currentColor;padding:8px 12px;font-weight:700\">"
                 "%s</p>\n",
                 render_mark(page));
}

static void html_question(const struct page *page, struct str *out)
{
    if (!page->acknowledge_url || render_mark(page))
        return;
    str_add(out, "<p>Was this page worth it?");
    for (unsigned i = 0; i < N_ANSWERS; i++) {
        STR_AUTO struct str url = STR_INIT(4096);

        render_verdict_url(page, answers[i].verdict, "mail", &url);
        str_add(out, " &nbsp; <a href=\"");
        html_escape(out, str_text(&url));
        str_addf(out, "\">%s</a>", answers[i].link);
    }
    str_add(out, "</p>\n");
}

void render_html(const struct page *page, struct str *out)
{
    STR_AUTO struct str words = STR_INIT(4096);
    STR_AUTO struct str late = STR_INIT(1024);
    const char *runbook = render_runbook(page);

    if (page->digest) {
        html_mark(page, out);
        str_add(out, page->digest->html);
        return;
    }
    str_add(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                 "<meta name=\"color-scheme\" content=\"light dark\"></head>"
                 "<body style=\"font:16px/1.5 system-ui,sans-serif;max-width:36em\">\n");
    html_mark(page, out);
    html_line(out, "h2", page->incident.title);
    add_when(page, &words);
    add_who(page, &words);
    html_line(out, "p", str_text(&words));
    render_late(page, &late);
    if (late.len) {
        str_cut(&words, 0);
        str_addf(&words, "Late: %s", str_text(&late));
        html_line(out, "p", str_text(&words));
    }
    if (render_acknowledge_url(page))
        add_button(out, page->acknowledge_url, "Acknowledge", true);
    if (runbook)
        add_button(out, runbook, "Runbook", false);
    add_button(out, page->incident_url, is_copy(page) ? "Open your copy" : "Open the incident",
               false);
    html_alerts(page, out);
    html_question(page, out);
    str_cut(&words, 0);
    str_addf(&words, "%s%s%s, told to %s by alertd", page->incident.key,
             page->incident.severity[0] ? ", " : "", page->incident.severity, page->receiver);
    html_line(out, "p", str_text(&words));
    str_add(out, "</body></html>\n");
}

void render_explore_url(const struct page *page,
                        const struct incident_alert *alert,
                        struct str *out)
{
    str_addf(out, "%s/explore?expr=", page->external_url);
    encode_percent(alert->expr, out);
}
