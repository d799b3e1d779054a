#pragma once

/*
 * The calls about schedules, in three files with one table of routes (schedules.c).
 */

#include "alertd/api/roster_call.h"

/* A reply with the schedule as it is stored now. */
void schedules_reply(const struct api *api, const char *name, struct http_response *response);

/* ical.c */
void schedules_ical_secret(void *context,
                           struct http_request *request,
                           struct http_response *response);
void schedules_ical(void *context, struct http_request *request, struct http_response *response);

/* schedules_import.c */
void schedules_import(void *context, struct http_request *request, struct http_response *response);
