/*
 * The page a phone opens from a notification. See ack_page.h.
 *
 * The token in the address is all the right there is: to look at one incident, to
 * acknowledge it, to add a note, to say what its page was worth. GET changes nothing (mail scanners open links); a POST
 * answers with 303 to the same address, so that reloading does not send it again. ntfy's
 * lock-screen button posts the same form.
 *
 * Everything shown is escaped; a runbook's address becomes a link only when it is http(s).
 */

#include "alertd/api/ack_page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alertd/api/ack_verdict.h"
#include "alertd/api/escalations.h"
#include "alertd/api/incident_json.h"
#include "alertd/api/incidents.h"
#include "lib/base/bug.h"
#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/base/html.h"
#include "lib/model/duration.h"

enum {
    READ_BYTES_MAX = 4 * 1024 * 1024,
    ALERTS_SHOWN_MAX = 8,
    TITLE_SHOWN_BYTES = 200,
    NOTE_BYTES_MAX = 4000,
    VERDICTS_SHOWN_MAX = 50,
    NAME_BYTES_MAX = 60,
};

static const char nobody[] = "somebody with the page's link";

static const char style[] =
    ":root{color-scheme:light dark;--ink:#16181d;--soft:#565c66;--paper:#fff;--line:#d5d8dd;"
    "--bad:#b3261e;--ok:#1b6e3c;--act:#0b57d0;--on-act:#fff}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a5abb5;--paper:#15171b;"
    "--line:#3a3f47;--bad:#f2857d;--ok:#7fd3a0;--act:#8ab4f8;--on-act:#10131a}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);"
    "font:17px/1.45 system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif}\n"
    "main{max-width:34rem;margin:0 auto;padding:1rem}\n"
    "h1{font-size:1.35rem;line-height:1.25;margin:.25rem 0 .75rem;overflow-wrap:anywhere}\n"
    "h2{font-size:1rem;margin:1.5rem 0 .5rem}\n"
    "p{margin:.25rem 0 .75rem}\n"
    "ul{list-style:none;margin:0;padding:0}\n"
    "li{border-top:1px solid var(--line);padding:.6rem 0;overflow-wrap:anywhere}\n"
    ".soft{color:var(--soft);font-size:.9rem}\n"
    ".bad{color:var(--bad);font-weight:600}.ok{color:var(--ok);font-weight:600}\n"
    "label{display:block;margin:.75rem 0 .25rem}\n"
    "input,textarea{width:100%;font:inherit;color:inherit;background:transparent;"
    "border:1px solid var(--soft);border-radius:8px;padding:.6rem;min-height:44px}\n"
    "button,.button{display:block;width:100%;min-height:44px;margin:.75rem 0;padding:.65rem 1rem;"
    "font:inherit;font-weight:600;text-align:center;text-decoration:none;border-radius:8px;"
    "border:1px solid var(--act);color:var(--act);background:transparent;cursor:pointer}\n"
    "button.main{background:var(--act);color:var(--on-act)}\n"
    ".row{display:flex;gap:.5rem}.row button{flex:1;margin:.25rem 0}\n"
    ".said{overflow-wrap:anywhere}\n"
    ":focus-visible{outline:3px solid var(--act);outline-offset:2px}\n";

void ack_page_style(void *context, struct http_request *request, struct http_response *response)
{
    response->content_type = "text/css; charset=utf-8";
    response->static_bytes = style;
    response->static_len = sizeof(style) - 1;
}

/* --- HTML --- */

/* At most max bytes, cut between characters. */
static void add_cut(struct str *out, const char *text, size_t max)
{
    STR_AUTO struct str cut = STR_INIT(max + 8);
    size_t len = strlen(text);

    if (len <= max) {
        html_escape(out, text);
        return;
    }
    for (len = max; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
        continue;
    str_addn(&cut, text, len);
    str_add(&cut, "\xe2\x80\xa6");
    html_escape(out, str_text(&cut));
}

static void open_page(struct str *out, const char *title)
{
    str_add(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                 "<meta name=\"robots\" content=\"noindex\">"
                 "<link rel=\"stylesheet\" href=\"/a/style.css\"><title>");
    add_cut(out, title, TITLE_SHOWN_BYTES);
    str_add(out, "</title></head><body><main>\n");
}

static void close_page(struct str *out)
{
    str_add(out, "</main></body></html>\n");
}

static void say(struct http_response *response, int status, const char *title, const char *words)
{
    response->status = status;
    response->content_type = "text/html; charset=utf-8";
    str_cut(&response->body, 0);
    open_page(&response->body, title);
    str_add(&response->body, "<h1>");
    html_escape(&response->body, title);
    str_add(&response->body, "</h1><p>");
    html_escape(&response->body, words);
    str_add(&response->body, "</p>\n");
    close_page(&response->body);
}

/* "14:02:11 UTC (3 min ago)" */
static void add_time(struct str *out, int64_t at_ms, int64_t now_ms)
{
    struct clock_utc utc = clock_split_utc(at_ms);
    char span[DURATION_TEXT_MAX];
    int64_t past_ms = now_ms - at_ms;

    str_addf(out, "%02d:%02d:%02d UTC (", utc.hour, utc.minute, utc.second);
    if (past_ms < 1000) /* also a clock that was set back */
        str_add(out, "just now)");
    else
        str_addf(out, "%s ago)", duration_human(past_ms / 1000 * 1000, span));
}

static void add_status(struct str *out, const struct incident *incident, int64_t now_ms)
{
    str_add(out, "<p>");
    switch (incident->status) {
    case INCIDENT_TRIGGERED:
    case INCIDENT_NONE: str_add(out, "<span class=\"bad\">Nobody looks at it yet</span>"); break;
    case INCIDENT_ACKNOWLEDGED:
        str_add(out, "<span class=\"ok\">Acknowledged</span> by ");
        add_cut(out, incident->acknowledged_by ? incident->acknowledged_by : "somebody", 80);
        str_add(out, " at ");
        add_time(out, incident->acknowledged_at_ms, now_ms);
        break;
    case INCIDENT_RESOLVED:
        str_add(out, "<span class=\"ok\">Resolved</span> at ");
        add_time(out, incident->resolved_at_ms, now_ms);
        if (incident->n_firing)
            str_addf(out, "; <span class=\"bad\">%u still firing</span>", incident->n_firing);
        break;
    }
    str_add(out, "</p>\n");
}

static void add_alert(struct str *out, const struct incident_alert *alert, int64_t now_ms)
{
    const char *instance = labels_get(alert->labels, "instance");
    const char *summary = labels_get(alert->annotations, "summary");
    char value[FLOAT_TEXT_MAX];

    str_add(out, "<li><strong>");
    add_cut(out, alert->name, 80);
    str_add(out, "</strong>");
    if (instance) {
        str_add(out, " on ");
        add_cut(out, instance, 80);
    }
    str_add(out, alert->firing ? " <span class=\"bad\">fires</span>"
                               : " <span class=\"ok\">over</span>");
    if (summary) {
        str_add(out, "<br>");
        add_cut(out, summary, TITLE_SHOWN_BYTES);
    }
    str_add(out, "<br><span class=\"soft\">since ");
    add_time(out, alert->fired_at_ms, now_ms);
    if (!isnan(alert->value)) {
        (void)float_short(alert->value, value);
        str_addf(out, ", value %s", value);
    }
    str_add(out, "</span></li>\n");
}

static bool is_web_address(const char *url)
{
    return strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;
}

static void add_runbook(struct str *out, const struct incident_alert *alerts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *url = labels_get(alerts[i].annotations, "runbook_url");

        if (!url || !is_web_address(url) || strlen(url) > 1000)
            continue;
        str_add(out, "<a class=\"button\" rel=\"noreferrer\" href=\"");
        html_escape(out, url);
        str_add(out, "\">Runbook</a>\n");
        return; /* the first alert's: one incident is one kind of trouble */
    }
}

static void add_forms(struct str *out, const struct incident *incident)
{
    if (incident->status == INCIDENT_TRIGGERED)
        str_add(out, "<form method=\"post\"><input type=\"hidden\" name=\"action\" value=\"ack\">"
                     "<button class=\"main\">Acknowledge</button></form>\n");
    if (incident->status != INCIDENT_RESOLVED)
        str_add(out,
                "<form method=\"post\"><input type=\"hidden\" name=\"action\""
                " value=\"takeover\"><button>Take over: I hold it to the end</button></form>\n");
}

static void add_note_form(struct str *out)
{
    str_add(out, "<h2>Add a note</h2>\n<form method=\"post\">"
                 "<input type=\"hidden\" name=\"action\" value=\"note\">"
                 "<label for=\"note\">What you see or did</label>"
                 "<textarea id=\"note\" name=\"note\" rows=\"3\" maxlength=\"1000\" required>"
                 "</textarea>"
                 "<label for=\"name\">Your name (optional)</label>"
                 "<input id=\"name\" name=\"name\" maxlength=\"60\" autocomplete=\"name\">"
                 "<button>Add note</button></form>\n");
}

/* What the page shows, of one snapshot. */
struct shown {
    struct incident incident;
    struct incident_alert *alerts;
    size_t n_alerts;
    struct verdict_row *verdicts;
    struct ack_verdict asked;
};

static void write_page(struct str *out, const struct shown *shown, int64_t now_ms)
{
    const struct incident *incident = &shown->incident;

    open_page(out, incident->title);
    str_addf(out, "<p class=\"soft\">%s", incident->key);
    if (incident->severity[0]) {
        str_add(out, " \xc2\xb7 ");
        add_cut(out, incident->severity, 40);
    }
    str_add(out, " \xc2\xb7 since ");
    add_time(out, incident->opened_at_ms, now_ms);
    str_add(out, "</p>\n<h1>");
    add_cut(out, incident->title, TITLE_SHOWN_BYTES);
    str_add(out, "</h1>\n");
    add_status(out, incident, now_ms);
    if (shown->asked.chosen != VERDICT_NONE) /* what the link that led here is about */
        ack_verdict_write(&shown->asked, out);
    add_forms(out, incident);
    add_runbook(out, shown->alerts, shown->n_alerts);
    if (shown->asked.chosen == VERDICT_NONE)
        ack_verdict_write(&shown->asked, out);
    str_addf(out, "<h2>Alerts (%u firing of %u)</h2>\n<ul>\n", incident->n_firing,
             incident->n_alerts);
    for (size_t i = 0; i < shown->n_alerts; i++)
        add_alert(out, &shown->alerts[i], now_ms);
    str_add(out, "</ul>\n");
    if (incident->n_alerts > shown->n_alerts)
        str_addf(out, "<p class=\"soft\">and %zu more</p>\n", incident->n_alerts - shown->n_alerts);
    add_note_form(out);
    str_addf(out, "<p><a class=\"button\" href=\"/i/%s\">The whole incident</a></p>\n",
             incident->key);
    close_page(out);
}

/* --- handlers --- */

static int read_incident(struct db_conn *conn,
                         const char *token,
                         struct arena *arena,
                         struct incident *incident,
                         struct err *reterr)
{
    int64_t id = 0;
    int r = ack_link_db_find(conn, token, clock_wall_ms(), &id, reterr);

    if (r == 0)
        r = incident_db_get_by_id(conn, id, arena, incident, reterr);
    return r;
}

static int read_shown(struct db_conn *conn,
                      struct arena *arena,
                      struct shown *shown,
                      struct err *reterr)
{
    int r = read_incident(conn, shown->asked.token, arena, &shown->incident, reterr);
    const struct verdict_query of_it = {
        .incident_id = shown->incident.id, .to_ms = INT64_MAX, .limit = VERDICTS_SHOWN_MAX};

    if (r == 0)
        r = incident_db_alerts(conn, shown->incident.id, ALERTS_SHOWN_MAX, arena, &shown->alerts,
                               &shown->n_alerts, reterr);
    if (r == 0)
        r = verdict_db_list(conn, &of_it, arena, &shown->verdicts, &shown->asked.n_rows, reterr);
    shown->asked.rows = shown->verdicts;
    return r;
}

static void fail(struct http_response *response, int result, const struct err *err)
{
    if (result == INCIDENT_DB_E_NOT_FOUND)
        say(response, 404, "This link does not work any more",
            "It is unknown, or its incident ended more than a week ago. The dashboard has it all.");
    else if (result == INCIDENT_DB_E_NOT_OPEN)
        say(response, 409, "It is over already", err->text);
    else
        say(response, 500, "That did not work", err->text);
}

void ack_page_show(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct shown shown = {0};
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};

    arena_init(&arena, READ_BYTES_MAX);
    shown.asked.token = request->path_args[0];
    ack_verdict_read(request, &shown.asked);
    int r = db_read_begin(api->state, &conn, &err);
    if (r == 0) {
        r = read_shown(conn, &arena, &shown, &err);
        db_read_end(api->state, conn);
    }
    if (r) {
        fail(response, r, &err);
        return;
    }
    response->content_type = "text/html; charset=utf-8";
    write_page(&response->body, &shown, clock_wall_ms());
}

enum action {
    ACTION_ACK,
    ACTION_TAKE_OVER,
    ACTION_NOTE,
    ACTION_VERDICT,
};

/* One submitted form. */
struct submitted {
    const struct api *api;
    const char *token;
    enum action action;
    struct incident_deed deed; /* without its key; its actor is NULL when nobody said who */
    struct ack_verdict said;
    char key[64];
};

/* What the page was worth: whoever said no name is who the page was sent to. */
static int submit_verdict(struct db_conn *conn,
                          const struct submitted *submitted,
                          const struct incident *incident,
                          struct arena *arena,
                          struct err *reterr)
{
    const char *receiver = NULL;
    bool changed = false;
    struct verdict_deed deed = {
        .key = incident->key,
        .outbox_id = submitted->said.outbox_id,
        .actor = submitted->deed.actor,
        .verdict = submitted->said.chosen,
        .reason = submitted->deed.text,
        .via = submitted->said.via,
        .now_ms = submitted->deed.now_ms,
    };
    int r = verdict_db_receiver(conn, incident->id, deed.outbox_id, arena, &receiver, reterr);

    if (r)
        return r;
    if (!deed.actor)
        deed.actor = receiver ? receiver : nobody;
    return verdict_db_say(conn, &deed, &changed, reterr);
}

static int job_submit(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct submitted *submitted = arg;
    struct incident incident;
    ARENA_AUTO struct arena arena;
    int64_t event_id = 0;
    bool changed = false;

    arena_init(&arena, READ_BYTES_MAX);
    int r = read_incident(conn, submitted->token, &arena, &incident, reterr);
    if (r)
        return r;

    struct incident_deed deed = submitted->deed;

    deed.key = incident.key;
    if (!deed.actor)
        deed.actor = nobody;
    (void)snprintf(submitted->key, sizeof(submitted->key), "%s", incident.key);
    switch (submitted->action) {
    case ACTION_ACK:
        r = incident_db_ack(conn, &deed, &changed, reterr);
        return r == 0 ? escalations_tell(submitted->api, conn, &deed, ESCALATION_ACKNOWLEDGE, 0,
                                         reterr)
                      : r;
    case ACTION_TAKE_OVER:
        return escalations_tell(submitted->api, conn, &deed, ESCALATION_TAKE_OVER, 0, reterr);
    case ACTION_NOTE: return incident_db_note(conn, &deed, &event_id, reterr);
    case ACTION_VERDICT: return submit_verdict(conn, submitted, &incident, &arena, reterr);
    }
    UNREACHABLE("an action that no form has");
}

/* What is written as who did it: a name given, or a login; NULL: neither. */
static const char *actor_of(struct http_request *request)
{
    const char *name = http_query(request, "name");

    if (name && name[strspn(name, " \t")] && strlen(name) <= NAME_BYTES_MAX &&
        labels_text_ok(name, strlen(name)) && !strpbrk(name, "\r\n"))
        return name;
    return request->who.name[0] ? request->who.name : NULL;
}

static bool read_action(const char *text, enum action *ret_action)
{
    static const char *const names[] = {
        [ACTION_ACK] = "ack",
        [ACTION_TAKE_OVER] = "takeover",
        [ACTION_NOTE] = "note",
        [ACTION_VERDICT] = "verdict",
    };

    for (unsigned i = 0; text && i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], text) == 0) {
            *ret_action = (enum action)i;
            return true;
        }
    return false;
}

static bool read_verdict(const struct http_request *request,
                         struct submitted *submitted,
                         struct http_response *response)
{
    const char *reason = http_query(request, "reason");

    ack_verdict_read(request, &submitted->said);
    submitted->deed.text = reason;
    if (submitted->said.chosen == VERDICT_NONE) {
        say(response, 400, "That did not work", "A verdict is useful, noise or unknown.");
        return false;
    }
    if (reason &&
        (strlen(reason) > VERDICT_REASON_BYTES_MAX || !labels_text_ok(reason, strlen(reason)))) {
        say(response, 400, "That reason is too long", "300 characters fit.");
        return false;
    }
    return true;
}

static bool read_form(struct http_request *request,
                      struct submitted *submitted,
                      struct http_response *response)
{
    const char *action = http_query(request, "action");
    const char *note = http_query(request, "note");

    *submitted = (struct submitted){
        .token = request->path_args[0],
        .deed = {.actor = actor_of(request), .text = note, .now_ms = clock_wall_ms()},
    };
    if (!read_action(action, &submitted->action)) {
        say(response, 400, "That did not work",
            "The form says neither ack, takeover, note nor verdict.");
        return false;
    }
    if (submitted->action == ACTION_VERDICT)
        return read_verdict(request, submitted, response);
    if (note && (strlen(note) > NOTE_BYTES_MAX || !labels_text_ok(note, strlen(note)))) {
        say(response, 400, "That note is too long", "1,000 characters fit.");
        return false;
    }
    if (submitted->action == ACTION_NOTE && (!note || !note[strspn(note, " \r\n\t")])) {
        say(response, 400, "That note is empty", "A note needs words.");
        return false;
    }
    return true;
}

void ack_page_change(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct submitted submitted;
    struct err err = {0};

    if (!read_form(request, &submitted, response))
        return;
    submitted.api = api;
    int r = db_write(api->state, job_submit, &submitted, &err);
    if (r) {
        fail(response, r, &err);
        return;
    }
    incidents_tell(api, submitted.key);
    response->status = 303;
    http_add_header(response, "Location", request->path);
}
