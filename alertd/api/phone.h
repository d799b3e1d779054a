#pragma once

/*
 * What the pages that a phone opens from a notification share: HTML without JavaScript, one
 * stylesheet, words of others always escaped. /a/ is ack_page.h, /s/ is shadow_phone.h.
 */

#include "alertd/http/http.h"
#include "alertd/incident/incident.h"

enum {
    PHONE_TITLE_BYTES = 200,
};

/* A handler: the stylesheet of them all. */
void phone_style(void *context, struct http_request *request, struct http_response *response);

void phone_open(struct str *out, const char *title);
void phone_close(struct str *out);
/* A whole page of a heading and words, as the reply. */
void phone_say(struct http_response *response, int status, const char *title, const char *words);
/* Escaped; at most max bytes, cut between characters. */
void phone_cut(struct str *out, const char *text, size_t max);
/* "14:02:11 UTC (3 min ago)" */
void phone_time(struct str *out, int64_t at_ms, int64_t now_ms);
/* An item of a list. */
void phone_alert(struct str *out, const struct incident_alert *alert, int64_t now_ms);
/* A button to the first runbook of them, if it has a web address. */
void phone_runbook(struct str *out, const struct incident_alert *alerts, size_t n);
