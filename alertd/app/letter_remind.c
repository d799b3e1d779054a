/*
 * Reminders of what postmortems promised. See loop_letter.h.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "alertd/app/letter.h"
#include "alertd/db/postmortem_action_db.h"
#include "lib/base/clock.h"
#include "lib/base/html.h"

enum {
    OWE_BYTES_MAX = 64 * 1024 * 1024,
    READ_BYTES_MAX = 4 * 1024 * 1024,
    DAY_CHARS = 10, /* of an RFC 3339 time */
};

static void day_of(int64_t at_ms, char ret_day[CLOCK_TEXT_MAX])
{
    (void)clock_rfc3339(at_ms, ret_day);
    ret_day[DAY_CHARS] = '\0';
}

static int owe(const struct letter_desk *desk,
               struct db_conn *conn,
               const struct letter_to *to,
               int64_t now_ms,
               struct err *reterr)
{
    const struct action_query open = {.open_only = true};
    struct action_row *actions = NULL;
    char today[CLOCK_TEXT_MAX];
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    (void)desk;
    arena_init(&arena, OWE_BYTES_MAX);
    day_of(now_ms, today);
    int r = action_db_list(conn, &open, &arena, &actions, &n, reterr);

    for (size_t i = 0; !r && i < n; i++) {
        char id[LETTER_ABOUT_MAX];

        if (!action_is_reminded(actions[i].due_ms, now_ms))
            continue;
        (void)snprintf(id, sizeof(id), "%" PRId64, actions[i].id);
        r = letter_db_owe(conn, letter_remind.name, id, today, to, now_ms, reterr);
    }
    return r;
}

static void fill(const struct letter_desk *desk,
                 const struct action_row *action,
                 int64_t now_ms,
                 struct letter *letter)
{
    const char *owner = *action->owner ? action->owner : "nobody yet";
    const char *when = action->due_ms < now_ms ? "was due on" : "is due on";
    char due[CLOCK_TEXT_MAX];

    day_of(action->due_ms, due);
    str_addf(&letter->url, "%s/pm/%" PRId64, desk->options->external_url, action->postmortem_id);
    str_addf(&letter->subject, "%s: %.120s", action->due_ms < now_ms ? "Overdue" : "Due soon",
             action->text);
    str_addf(&letter->text,
             "%s\n\nOwner: %s. It %s %s, from the postmortem of %s.\n%s%s%s\nIts postmortem: %s\n",
             action->text, owner, when, due, action->incident,
             *action->done_when ? "Done when: " : "", action->done_when,
             *action->done_when ? ".\n" : "", str_text(&letter->url));
    str_addf(&letter->brief, "%s %s %s. Owner: %s.", action->incident, when, due, owner);
    str_add(&letter->html, "<!doctype html><p><b>");
    html_escape(&letter->html, action->text);
    str_add(&letter->html, "</b></p><p>Owner: ");
    html_escape(&letter->html, owner);
    str_addf(&letter->html, ". It %s %s, from the postmortem of <a href=\"%s\">%s</a>.</p>", when,
             due, str_text(&letter->url), action->incident);
}

static int write_letter(const struct letter_desk *desk,
                        const char *about,
                        int64_t now_ms,
                        struct letter *ret_letter,
                        struct err *reterr)
{
    struct action_row action;
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, READ_BYTES_MAX);
    int r = db_read_begin(desk->options->state, &conn, reterr);
    if (r)
        return r;
    r = action_db_get(conn, strtoll(about, NULL, 10), &arena, &action, reterr);
    db_read_end(desk->options->state, conn);
    if (r)
        return r;
    if (action_is_over(action.state))
        return err_set(reterr, LETTER_OVER, "the action is over");
    fill(desk, &action, now_ms, ret_letter);
    return 0;
}

const struct letter_topic letter_remind = {"remind", "nobody is reminded", owe, write_letter};
