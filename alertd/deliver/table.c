/*
 * The kinds of receivers, and what all attempts share. See receiver.h.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/deliver/kinds.h"
#include "lib/base/mem.h"
#include "lib/net/http_client.h"

struct deliver {
    struct http_client *http;
};

/* The dashboard shows every incident anyway: told by being there. */
static void dashboard_send(struct http_client *http,
                           const struct route_integration *to,
                           const struct page *page,
                           struct deliver_outcome *outcome)
{
    outcome->verdict = DELIVER_ACCEPTED;
}

static deliver_send_kind *const kinds[] = {
    [ROUTE_DASHBOARD] = dashboard_send, [ROUTE_WEBHOOK] = webhook_send,
    [ROUTE_EMAIL] = email_send,         [ROUTE_NTFY] = ntfy_send,
    [ROUTE_COMMAND] = command_send,     [ROUTE_SLACK] = slack_send,
    [ROUTE_TELEGRAM] = telegram_send,   [ROUTE_PAGERDUTY] = pagerduty_send,
    [ROUTE_ONCALL] = dashboard_send, /* its pages are people's */
};

struct deliver *deliver_new(void)
{
    struct deliver *deliver = mem_zalloc(sizeof(*deliver));

    deliver->http = http_client_new();
    return deliver;
}

void deliver_free(struct deliver *deliver)
{
    if (!deliver)
        return;
    http_client_free(deliver->http);
    free(deliver);
}

/* A template that failed is said where people look for what became of a page. */
static void tell_template(struct deliver_outcome *outcome)
{
    size_t len = strlen(outcome->words);

    if (outcome->template_error[0])
        (void)snprintf(outcome->words + len, sizeof(outcome->words) - len,
                       "%sa template failed: %s", len ? "; " : "", outcome->template_error);
}

void deliver_send(struct deliver *deliver,
                  const struct route_integration *to,
                  const struct page *page,
                  struct deliver_outcome *ret_outcome)
{
    *ret_outcome = (struct deliver_outcome){.verdict = DELIVER_LATER, .retry_after_ms = -1};
    kinds[to->kind](deliver->http, to, page, ret_outcome);
    tell_template(ret_outcome);
}
