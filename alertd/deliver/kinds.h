#pragma once

/*
 * One function per kind of receiver, for table.c. Private to deliver/.
 */

#include "alertd/deliver/receiver.h"

struct http_client;

/* Fills *outcome; starts as DELIVER_LATER without words. */
typedef void deliver_send_kind(struct http_client *http,
                               const struct route_integration *to,
                               const struct page *page,
                               struct deliver_outcome *outcome);

deliver_send_kind webhook_send;
deliver_send_kind email_send;
deliver_send_kind ntfy_send;
deliver_send_kind command_send;
deliver_send_kind slack_send;
deliver_send_kind telegram_send;
deliver_send_kind pagerduty_send;
