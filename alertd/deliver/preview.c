/*
 * A page in the words of one receiver. See preview.h.
 */

#include "alertd/deliver/preview.h"

#include <stdio.h>
#include <string.h>

#include "alertd/deliver/render.h"
#include "alertd/deliver/words.h"

/* What the config file says of it, or the name of the template that usually does. */
struct said {
    const char *text, *usual;
};

static struct said title_of(const struct route_integration *to)
{
    switch (to->kind) {
    case ROUTE_SLACK: return (struct said){to->slack.title, "slack.default.title"};
    case ROUTE_NTFY: return (struct said){to->ntfy.title, NULL};
    case ROUTE_PAGERDUTY:
        return (struct said){to->pagerduty.description, "pagerduty.default.description"};
    case ROUTE_EMAIL:
        for (size_t i = 0; i < to->email.headers.n; i++)
            if (strcmp(to->email.headers.at[i].key, "Subject") == 0)
                return (struct said){to->email.headers.at[i].value, NULL};
        return (struct said){NULL, "email.default.subject"};
    case ROUTE_TELEGRAM:
    case ROUTE_DASHBOARD:
    case ROUTE_WEBHOOK:
    case ROUTE_COMMAND:
    case ROUTE_ONCALL: break;
    }
    return (struct said){NULL, NULL};
}

static struct said text_of(const struct route_integration *to)
{
    switch (to->kind) {
    case ROUTE_SLACK: return (struct said){to->slack.text, "slack.default.text"};
    case ROUTE_NTFY: return (struct said){to->ntfy.message, NULL};
    case ROUTE_TELEGRAM: return (struct said){to->telegram.message, "telegram.default.message"};
    case ROUTE_EMAIL: return (struct said){to->email.text, NULL};
    case ROUTE_PAGERDUTY:
    case ROUTE_DASHBOARD:
    case ROUTE_WEBHOOK:
    case ROUTE_COMMAND:
    case ROUTE_ONCALL: break;
    }
    return (struct said){NULL, NULL};
}

void deliver_preview(const struct route_integration *to,
                     const struct page *page,
                     struct str *ret_title,
                     struct str *ret_text,
                     char *ret_note)
{
    struct deliver_outcome outcome = {0};
    WORDS_AUTO struct words words = WORDS(to, page, &outcome);
    struct said said = title_of(to);
    const char *own = words_said(&words, said.text, said.usual, false);

    if (own && *own)
        str_add(ret_title, own);
    else
        render_subject(page, ret_title);
    said = text_of(to);
    own = words_said(&words, said.text, said.usual, false);
    if (own && *own)
        str_add(ret_text, own);
    else if (to->kind == ROUTE_EMAIL || to->kind == ROUTE_COMMAND)
        render_text(page, ret_text);
    else
        render_short(page, ret_text);
    (void)snprintf(ret_note, ERR_TEXT_MAX, "%s", outcome.template_error);
}
