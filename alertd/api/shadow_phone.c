/*
 * The page a shadow's phone opens. See shadow_phone.h.
 *
 * The token in the address is all the right there is: to one shadow page, and to nothing real. GET
 * changes nothing (mail scanners open links); a POST answers with 303 to the same address. What
 * really happened, and who holds the incident, stays hidden until the shadow has guessed, asks to
 * see it, or it is over. No JavaScript; everything shown is escaped.
 */

#include "alertd/api/shadow_phone.h"

#include <string.h>

#include "alertd/api/phone.h"
#include "alertd/api/shadow_pages.h"
#include "alertd/db/incident_db.h"
#include "lib/base/clock.h"
#include "lib/base/html.h"
#include "lib/model/duration.h"

enum {
    ALERTS_SHOWN_MAX = 8,
    TEXT_SHOWN_BYTES = 600,
};

/* What the page shows, of one snapshot. */
struct shown {
    struct shadow_page page;
    struct incident_alert *alerts;
    size_t n_alerts;
    bool hides;
    struct shadow_event *story;
    size_t n_story;
    struct timeline_event *real;
    size_t n_real;
    int64_t now_ms;
};

/* --- HTML --- */

static void add_head(struct str *out, const struct shown *shown)
{
    const struct shadow_page *page = &shown->page;

    str_add(out, "<p class=\"bad\">SHADOW \xe2\x80\x93 practice copy, not yours to fix</p>\n"
                 "<p class=\"soft\">");
    html_escape(out, page->key);
    if (page->severity[0]) {
        str_add(out, " \xc2\xb7 ");
        phone_cut(out, page->severity, 40);
    }
    str_add(out, " \xc2\xb7 paged ");
    phone_time(out, page->made_ms, shown->now_ms);
    str_add(out, "<br>");
    phone_cut(out, page->person, 100);
    str_add(out, " looks over the shoulder of ");
    phone_cut(out, page->of_name, 100);
    str_addf(out, " (%s)</p>\n<h1>", page->mode);
    phone_cut(out, page->title, PHONE_TITLE_BYTES);
    str_add(out, "</h1>\n");
}

static void add_done(struct str *out, const char *words, int64_t at_ms, int64_t now_ms)
{
    str_addf(out, "<p><span class=\"ok\">%s</span> ", words);
    phone_time(out, at_ms, now_ms);
    str_add(out, "</p>\n");
}

static void add_button(struct str *out, const char *action, const char *words, bool is_main)
{
    str_addf(out,
             "<form method=\"post\"><input type=\"hidden\" name=\"action\" value=\"%s\">"
             "<button%s>%s</button></form>\n",
             action, is_main ? " class=\"main\"" : "", words);
}

static void add_deeds(struct str *out, const struct shown *shown)
{
    const struct shadow_page *page = &shown->page;
    bool has_copy = strcmp(page->mode, "own copy") == 0;

    if (page->acknowledged_ms)
        add_done(out, "You acknowledged your copy", page->acknowledged_ms, shown->now_ms);
    else if (page->seen_ms)
        add_done(out, "You saw it", page->seen_ms, shown->now_ms);
    if (has_copy && !page->acknowledged_ms)
        add_button(out, "ack", "Acknowledge my copy", true);
    if (!page->seen_ms)
        add_button(out, "seen", "I have seen it", !has_copy);
    if (has_copy && !page->acknowledged_ms)
        str_add(out, "<p class=\"soft\">This touches nothing real: whoever is on call is still "
                     "paged.</p>\n");
}

static void add_text_form(
    struct str *out, const char *action, const char *label, const char *button, const char *text)
{
    str_addf(out,
             "<form method=\"post\"><input type=\"hidden\" name=\"action\" value=\"%s\">"
             "<label for=\"%s\">%s</label>"
             "<textarea id=\"%s\" name=\"text\" rows=\"3\" maxlength=\"2000\"%s>",
             action, action, label, action, strcmp(action, "hypothesis") == 0 ? " required" : "");
    html_escape(out, text ? text : "");
    str_addf(out, "</textarea><button>%s</button></form>\n", button);
}

static void add_tap(struct str *out,
                    const char *question,
                    const char *field,
                    enum shadow_answer answer)
{
    static const struct {
        const char *value, *words;
        enum shadow_answer answer;
    } taps[] = {{"yes", "Yes", SHADOW_YES}, {"no", "No", SHADOW_NO}};

    str_addf(out,
             "<form method=\"post\"><input type=\"hidden\" name=\"action\" value=\"answer\">"
             "<p>%s</p><div class=\"row\">",
             question);
    for (unsigned i = 0; i < sizeof(taps) / sizeof(taps[0]); i++)
        str_addf(out, "<button name=\"%s\" value=\"%s\"%s aria-pressed=\"%s\">%s</button>", field,
                 taps[i].value, answer == taps[i].answer ? " class=\"main\"" : "",
                 answer == taps[i].answer ? "true" : "false", taps[i].words);
    str_add(out, "</div></form>\n");
}

static void add_thoughts(struct str *out, const struct shown *shown)
{
    const struct shadow_page *page = &shown->page;

    str_add(out, "<h2>What do you think it is?</h2>\n");
    add_text_form(out, "hypothesis", "Your guess of the cause, before you see what was done",
                  page->hypothesis ? "Change my guess" : "Write down my guess", page->hypothesis);
    str_add(out, "<h2>Three taps</h2>\n");
    add_tap(out, "Would you have acted on it?", "acted_on", page->answers.acted_on);
    add_tap(out, "Did it make sense to you?", "made_sense", page->answers.made_sense);
    add_tap(out, "Did you know where to look?", "knew_where", page->answers.knew_where);
}

static void add_event(struct str *out, int64_t at_ms, const char *words, const char *actor)
{
    struct clock_utc utc = clock_split_utc(at_ms);

    str_addf(out, "<li><span class=\"soft\">%02d:%02d:%02d UTC</span> ", utc.hour, utc.minute,
             utc.second);
    if (actor) {
        phone_cut(out, actor, 80);
        str_add(out, ": ");
    }
    phone_cut(out, words, TEXT_SHOWN_BYTES);
    str_add(out, "</li>\n");
}

static void add_span(struct str *out, const char *who, int64_t ms)
{
    char text[DURATION_TEXT_MAX];

    str_addf(out, "%s %s", who, ms < 0 ? "did not" : duration_human(ms, text));
}

static void add_compared(struct str *out, const struct shown *shown)
{
    struct shadow_compared lines[SHADOW_COMPARED_N];

    shadow_pages_compare(&shown->page, lines);
    str_add(out, "<h2>Side by side</h2>\n<p class=\"soft\">After the page was made</p>\n<ul>\n");
    for (unsigned i = 0; i < SHADOW_COMPARED_N; i++) {
        if (lines[i].shadow_ms < 0 && lines[i].real_ms < 0)
            continue;
        str_addf(out, "<li><strong>%s</strong><br>", lines[i].what);
        add_span(out, "you:", lines[i].shadow_ms);
        str_add(out, " \xc2\xb7 ");
        add_span(out, "on call:", lines[i].real_ms);
        str_add(out, "</li>\n");
    }
    str_add(out, "</ul>\n");
}

static void add_timelines(struct str *out, const struct shown *shown)
{
    str_add(out, "<h2>What you did</h2>\n<ul>\n");
    for (size_t i = 0; i < shown->n_story; i++)
        add_event(out, shown->story[i].at_ms, shown->story[i].words, NULL);
    str_add(out, "</ul>\n");
    if (shown->hides) {
        str_add(out, "<h2>What really happened</h2>\n<p>It is shown once you have written down "
                     "your guess, or when the incident is over.</p>\n");
        add_button(out, "reveal", "Show it to me now", false);
        return;
    }
    add_compared(out, shown);
    str_add(out, "<h2>What really happened</h2>\n<ul>\n");
    for (size_t i = 0; i < shown->n_real; i++)
        add_event(out, shown->real[i].occurred_at_ms, shown->real[i].text, shown->real[i].actor);
    str_add(out, "</ul>\n");
}

static void write_page(struct str *out, const struct shown *shown)
{
    phone_open(out, shown->page.title);
    add_head(out, shown);
    add_deeds(out, shown);
    phone_runbook(out, shown->alerts, shown->n_alerts);
    str_add(out, "<h2>What the page says</h2>\n<ul>\n");
    for (size_t i = 0; i < shown->n_alerts; i++)
        phone_alert(out, &shown->alerts[i], shown->now_ms);
    str_add(out, "</ul>\n");
    add_thoughts(out, shown);
    add_timelines(out, shown);
    str_add(out, "<h2>Notes for later</h2>\n");
    add_text_form(out, "notes", "For you and your mentor", "Keep notes", shown->page.notes);
    phone_close(out);
}

/* --- handlers --- */

static void fail(struct http_response *response, int r, const struct err *err)
{
    if (r == SHADOW_DB_E_NOT_FOUND)
        phone_say(
            response, 404, "This link does not work any more",
            "It is unknown, or its incident ended more than a week ago. The dashboard has it all.");
    else if (r == SHADOW_DB_E_REVERSE)
        phone_say(response, 409, "That page is the real one", err->text);
    else
        phone_say(response, 500, "That did not work", err->text);
}

static int read_shown(struct db_conn *conn,
                      const char *token,
                      struct arena *arena,
                      struct shown *shown,
                      struct err *reterr)
{
    int64_t id = 0;
    int r = shadow_db_find_link(conn, token, shown->now_ms, &id, reterr);

    if (r == 0)
        r = shadow_db_get(conn, id, arena, &shown->page, reterr);
    if (r == 0)
        r = incident_db_alerts(conn, shown->page.incident_id, ALERTS_SHOWN_MAX, arena,
                               &shown->alerts, &shown->n_alerts, reterr);
    if (r == 0)
        r = shadow_db_story(conn, id, arena, &shown->story, &shown->n_story, reterr);
    if (r)
        return r;
    shown->hides = shadow_pages_hides(&shown->page);
    return shown->hides ? 0
                        : incident_db_timeline(conn, shown->page.incident_id, arena, &shown->real,
                                               &shown->n_real, reterr);
}

void shadow_phone_show(void *context, struct http_request *request, struct http_response *response)
{
    struct shown shown = {.now_ms = clock_wall_ms()};
    const struct api *api = context;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};

    arena_init(&arena, SHADOW_PAGES_READ_BYTES_MAX);
    int r = db_read_begin(api->state, &conn, &err);

    if (r == 0) {
        r = read_shown(conn, request->path_args[0], &arena, &shown, &err);
        db_read_end(api->state, conn);
    }
    if (r) {
        fail(response, r, &err);
        return;
    }
    response->content_type = "text/html; charset=utf-8";
    write_page(&response->body, &shown);
}

/* Whose page the link is for: that is who does what is done with it. */
static int find_page(const struct api *api,
                     const char *token,
                     struct arena *arena,
                     struct shadow_page *ret_page,
                     struct err *reterr)
{
    struct db_conn *conn = NULL;
    int64_t id = 0;
    int r = db_read_begin(api->state, &conn, reterr);

    if (r)
        return r;
    r = shadow_db_find_link(conn, token, clock_wall_ms(), &id, reterr);
    if (r == 0)
        r = shadow_db_get(conn, id, arena, ret_page, reterr);
    db_read_end(api->state, conn);
    return r;
}

static enum shadow_answer read_tap(const struct http_request *request, const char *field)
{
    const char *value = http_query(request, field);

    if (value && strcmp(value, "yes") == 0)
        return SHADOW_YES;
    return value && strcmp(value, "no") == 0 ? SHADOW_NO : SHADOW_AS_BEFORE;
}

static bool read_action(const char *text, enum shadow_deed_kind *ret_kind)
{
    static const struct {
        const char *action;
        enum shadow_deed_kind kind;
    } actions[] = {
        {"seen", SHADOW_SEEN},        {"opened", SHADOW_OPENED},
        {"ack", SHADOW_ACKNOWLEDGED}, {"hypothesis", SHADOW_HYPOTHESIS},
        {"notes", SHADOW_NOTES},      {"answer", SHADOW_ANSWERS},
        {"reveal", SHADOW_REVEALED},
    };

    for (unsigned i = 0; text && i < sizeof(actions) / sizeof(actions[0]); i++)
        if (strcmp(text, actions[i].action) == 0) {
            *ret_kind = actions[i].kind;
            return true;
        }
    return false;
}

static bool read_form(const struct http_request *request,
                      struct shadow_deed *deed,
                      struct http_response *response)
{
    const char *text = http_query(request, "text");

    if (!read_action(http_query(request, "action"), &deed->kind)) {
        phone_say(response, 400, "That did not work",
                  "The form says none of seen, ack, hypothesis, notes, answer and reveal.");
        return false;
    }
    deed->answers = (struct shadow_answers){read_tap(request, "acted_on"),
                                            read_tap(request, "made_sense"),
                                            read_tap(request, "knew_where")};
    if (deed->kind != SHADOW_HYPOTHESIS && deed->kind != SHADOW_NOTES)
        return true;
    deed->text = text ? text : "";
    if (strlen(deed->text) > SHADOW_TEXT_BYTES_MAX ||
        !labels_text_ok(deed->text, strlen(deed->text))) {
        phone_say(response, 400, "That text is too long", "2,000 characters fit.");
        return false;
    }
    if (deed->kind == SHADOW_HYPOTHESIS && !deed->text[strspn(deed->text, " \r\n\t")]) {
        phone_say(response, 400, "That guess is empty", "A guess needs words.");
        return false;
    }
    return true;
}

void shadow_phone_change(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    const struct api *api = context;
    struct shadow_deed deed = {.now_ms = clock_wall_ms()};
    ARENA_AUTO struct arena arena;
    struct shadow_page page;
    struct err err = {0};

    arena_init(&arena, SHADOW_PAGES_READ_BYTES_MAX);
    if (!read_form(request, &deed, response))
        return;
    int r = find_page(api, request->path_args[0], &arena, &page, &err);

    if (r == 0) {
        deed.page_id = page.id;
        deed.actor = page.person;
        r = shadow_pages_do(api, &deed, &err);
    }
    if (r) {
        fail(response, r, &err);
        return;
    }
    response->status = 303;
    http_add_header(response, "Location", request->path);
}
