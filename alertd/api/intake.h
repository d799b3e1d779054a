#pragma once

/*
 * Calls by which other pagers' senders reach us: what their files share.
 */

#include "alertd/api/api.h"

http_handler pagerduty_post_event;  /* pagerduty_in.c */
http_handler pagerduty_post_change; /* pagerduty_in.c */
http_handler intake_get_changes;    /* intake.c */
http_handler webhook_post;          /* webhook_in.c */
