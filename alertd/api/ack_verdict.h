#pragma once

/*
 * The phone page's question: was this page worth it? One tap answers, a reason is optional.
 * Private to ack_page.c.
 */

#include "alertd/db/verdict_db.h"
#include "alertd/http/http.h"

struct ack_verdict {
    const char *token;
    enum verdict chosen; /* the link said so: that button comes first */
    int64_t outbox_id;   /* the page the link was in; 0: not said */
    const char *via;     /* "mail", "ntfy", "phone" */
    const struct verdict_row *rows;
    size_t n_rows;
};

/* What a link's query, or a form, says of page and way; both are only hints. */
void ack_verdict_read(const struct http_request *request, struct ack_verdict *ret);
void ack_verdict_write(const struct ack_verdict *asked, struct str *out);
