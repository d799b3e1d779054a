/*
 * Between drills and what is real: a real page to somebody who plays raises the drill's banner (and
 * pauses it, when that was asked for); a drill's page to somebody who wants it is told outside.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/play/session.h"
#include "lib/base/clock.h"
#include "lib/json/read.h"

enum {
    BANNER_MS = 15 * 60 * 1000,
    PAGES_BYTES_MAX = 1024 * 1024,
};

/* --- A drill's pages ------------------------------------------------------------------------------- */

static void tell(struct play *play, const struct session *session, const struct json *moment)
{
    struct play_page page = {.session = session->id,
                             .person = session->row.player,
                             .drill = session->row.title,
                             .alerts = "",
                             .title = ""};

    (void)json_get_int(moment, "n", &page.moment, NULL);
    (void)json_get_string(moment, "what", &page.alerts, NULL);
    (void)json_get_string(moment, "more", &page.title, NULL);
    play->options.page(play->options.arg, &page);
}

int tick_tell_pages(struct play *play, struct session *session, struct err *reterr)
{
    STR_AUTO struct str body = STR_INIT(PAGES_BYTES_MAX);
    struct json *pages = NULL;
    char more[60];

    if (!session->row.page_me || !play->options.page || !session->is_known)
        return 0;
    if (session->n_moments == session->paged_to)
        return 0;
    (void)snprintf(more, sizeof(more), ",\"behind\":%lld", (long long)session->paged_to);

    int r = session_ask(play, session, "pages", more, &body, reterr);

    if (r == 0)
        r = json_parse_upto(str_text(&body), body.len, PAGES_BYTES_MAX, &pages, reterr);
    for (size_t i = 0; r == 0 && i < json_length(pages); i++)
        tell(play, session, json_at(pages, i));
    json_free(pages);
    if (r == 0)
        session->paged_to = session->n_moments;
    return r;
}

/* --- Real pages ------------------------------------------------------------------------------------ */

struct telling {
    struct play *play;
    const int64_t *ids;
    size_t n;
};

static void raise_banner(struct play *play,
                         struct session *session,
                         const struct play_real_page *page)
{
    bool stops = session->row.stops_for_pages && session_is(session, "running");
    struct err err = {0};

    (void)snprintf(session->banner, sizeof(session->banner), "A real page reached %.63s: %s %.80s",
                   page->person, page->incident, page->title);
    (void)snprintf(session->banner_incident, sizeof(session->banner_incident), "%s",
                   page->incident);
    session->banner_until_ms = clock_mono_ms() + BANNER_MS;
    if (stops)
        (void)snprintf(session->paused_why, sizeof(session->paused_why),
                       "paused: a real page reached %.63s", page->person);
    if (session_change(play, session, stops ? "paused" : session->state, page->person, "real page",
                       session->banner, &err) != 0)
        log_warn(play->options.log, "play", "cannot write drills.db", "error=\"%s\"", err.text);
}

void tick_banner(struct play *play, struct session *session)
{
    struct err err = {0};

    if (!session->banner[0] || clock_mono_ms() < session->banner_until_ms)
        return;
    session->banner[0] = '\0';
    if (session_change(play, session, session->state, "", "real page over", NULL, &err) != 0)
        log_warn(play->options.log, "play", "cannot write drills.db", "error=\"%s\"", err.text);
}

static void take_page(void *arg, const struct play_real_page *page)
{
    const struct telling *telling = arg;

    for (size_t i = 0; i < telling->n; i++) {
        struct session *session = NULL;

        if (session_peek(telling->play, telling->ids[i], &session, NULL) != 0)
            continue;
        if ((session_is(session, "running") || session_is(session, "paused")) &&
            session_role(session, page->person) != PLAY_WATCHER)
            raise_banner(telling->play, session, page);
        session_put(telling->play, session);
    }
}

void tick_real_pages(struct play *play, const int64_t *ids, size_t n)
{
    struct telling telling = {play, ids, n};
    struct err err = {0};

    if (!play->options.real_pages)
        return;
    if (n == 0)
        play->real_pages_after = -1; /* nobody plays: from the next one on */
    else if (play->options.real_pages(play->options.arg, &play->real_pages_after, take_page,
                                      &telling, &err) != 0)
        log_warn(play->options.log, "play", "cannot see who is really paged", "error=\"%s\"",
                 err.text);
}
