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

#include <stdio.h>
#include <string.h>

#include "alertd/api/ack_verdict.h"
#include "alertd/api/escalations.h"
#include "alertd/api/incident_json.h"
#include "alertd/api/incidents.h"
#include "alertd/api/phone.h"
#include "lib/base/bug.h"
#include "lib/base/clock.h"
#include "lib/base/html.h"

enum {
    READ_BYTES_MAX = 4 * 1024 * 1024,
    ALERTS_SHOWN_MAX = 8,
    NOTE_BYTES_MAX = 4000,
    VERDICTS_SHOWN_MAX = 50,
    NAME_BYTES_MAX = 60,
};

static const char nobody[] = "somebody with the page's link";

/* --- HTML --- */

static void add_status(struct str *out, const struct incident *incident, int64_t now_ms)
{
    str_add(out, "<p>");
    switch (incident->status) {
    case INCIDENT_TRIGGERED:
    case INCIDENT_NONE: str_add(out, "<span class=\"bad\">Nobody looks at it yet</span>"); break;
    case INCIDENT_ACKNOWLEDGED:
        str_add(out, "<span class=\"ok\">Acknowledged</span> by ");
        phone_cut(out, incident->acknowledged_by ? incident->acknowledged_by : "somebody", 80);
        str_add(out, " at ");
        phone_time(out, incident->acknowledged_at_ms, now_ms);
        break;
    case INCIDENT_RESOLVED:
        str_add(out, "<span class=\"ok\">Resolved</span> at ");
        phone_time(out, incident->resolved_at_ms, now_ms);
        if (incident->n_firing)
            str_addf(out, "; <span class=\"bad\">%u still firing</span>", incident->n_firing);
        break;
    }
    str_add(out, "</p>\n");
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

    phone_open(out, incident->title);
    str_addf(out, "<p class=\"soft\">%s", incident->key);
    if (incident->severity[0]) {
        str_add(out, " \xc2\xb7 ");
        phone_cut(out, incident->severity, 40);
    }
    str_add(out, " \xc2\xb7 since ");
    phone_time(out, incident->opened_at_ms, now_ms);
    str_add(out, "</p>\n<h1>");
    phone_cut(out, incident->title, PHONE_TITLE_BYTES);
    str_add(out, "</h1>\n");
    add_status(out, incident, now_ms);
    if (shown->asked.chosen != VERDICT_NONE) /* what the link that led here is about */
        ack_verdict_write(&shown->asked, out);
    add_forms(out, incident);
    phone_runbook(out, shown->alerts, shown->n_alerts);
    if (shown->asked.chosen == VERDICT_NONE)
        ack_verdict_write(&shown->asked, out);
    str_addf(out, "<h2>Alerts (%u firing of %u)</h2>\n<ul>\n", incident->n_firing,
             incident->n_alerts);
    for (size_t i = 0; i < shown->n_alerts; i++)
        phone_alert(out, &shown->alerts[i], now_ms);
    str_add(out, "</ul>\n");
    if (incident->n_alerts > shown->n_alerts)
        str_addf(out, "<p class=\"soft\">and %zu more</p>\n", incident->n_alerts - shown->n_alerts);
    add_note_form(out);
    str_addf(out, "<p><a class=\"button\" href=\"/i/%s\">The whole incident</a></p>\n",
             incident->key);
    phone_close(out);
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
        phone_say(
            response, 404, "This link does not work any more",
            "It is unknown, or its incident ended more than a week ago. The dashboard has it all.");
    else if (result == INCIDENT_DB_E_NOT_OPEN)
        phone_say(response, 409, "It is over already", err->text);
    else
        phone_say(response, 500, "That did not work", err->text);
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
        phone_say(response, 400, "That did not work", "A verdict is useful, noise or unknown.");
        return false;
    }
    if (reason &&
        (strlen(reason) > VERDICT_REASON_BYTES_MAX || !labels_text_ok(reason, strlen(reason)))) {
        phone_say(response, 400, "That reason is too long", "300 characters fit.");
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
        phone_say(response, 400, "That did not work",
                  "The form says neither ack, takeover, note nor verdict.");
        return false;
    }
    if (submitted->action == ACTION_VERDICT)
        return read_verdict(request, submitted, response);
    if (note && (strlen(note) > NOTE_BYTES_MAX || !labels_text_ok(note, strlen(note)))) {
        phone_say(response, 400, "That note is too long", "1,000 characters fit.");
        return false;
    }
    if (submitted->action == ACTION_NOTE && (!note || !note[strspn(note, " \r\n\t")])) {
        phone_say(response, 400, "That note is empty", "A note needs words.");
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
