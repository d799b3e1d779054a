#pragma once

/*
 * Alertmanager's API v2: what its files share. Answers are spelled as Alertmanager 0.33
 * spells them, errors too, since its clients show them to people.
 *
 *   alertmanager.c   the routes; status, receivers, what is gone
 *   am_alerts.c      alerts and groups out
 *   am_post.c        alerts in
 *   am_silences.c    silences
 */

#include <stdbool.h>

#include "alertd/api/api.h"
#include "alertd/api/standing.h"
#include "alertd/route/matchers.h"

/* A text as JSON, with that status. */
void am_say(struct http_response *response, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* {"code":...,"message":...}: what its framework answers itself. */
void am_refuse(struct http_response *response, int status, int code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The repeatable parameter `name`, one matcher each, appended. False: answered. */
bool am_read_filter(const struct http_request *request,
                    const char *name,
                    struct route_matchers *matchers,
                    struct http_response *response);
/* A truth value as its framework reads it; true when it is not there. */
bool am_read_flag(const struct http_request *request, const char *name);

http_handler am_get_alerts;
http_handler am_get_groups;
http_handler am_post_alerts;
http_handler am_get_silences;
http_handler am_post_silences;
http_handler am_get_silence;
http_handler am_delete_silence;
