/*
 * A webhook: Alertmanager's payload by POST, with a key that is the same in every attempt
 * so that the receiver can drop what it has already.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/deliver/kinds.h"
#include "alertd/deliver/payload.h"
#include "alertd/deliver/post.h"
#include "alertd/deliver/secret.h"
#include "lib/base/base64.h"
#include "lib/base/mem.h"

enum {
    PAYLOAD_BYTES_MAX = 16 * 1024 * 1024
};

/* "Bearer token", "Basic base64" or nothing. */
static int authorization(const struct route_http *http, struct str *out, struct err *reterr)
{
    MEM_AUTO char *secret = NULL;
    int r;

    if (http->basic_auth.username) {
        STR_AUTO struct str pair = STR_INIT(SECRET_BYTES_MAX * 2);

        r = secret_read(&http->basic_auth.password, &secret, reterr);
        if (r)
            return r;
        str_addf(&pair, "%s:%s", http->basic_auth.username, secret);
        str_add(out, "Basic ");
        base64_encode(str_text(&pair), pair.len, out);
        return 0;
    }
    r = secret_read(&http->authorization.credentials, &secret, reterr);
    if (r == 0 && *secret)
        str_addf(out, "%s %s", http->authorization.type, secret);
    return r;
}

void webhook_send(struct http_client *http,
                  const struct route_integration *to,
                  const struct page *page,
                  struct deliver_outcome *outcome)
{
    STR_AUTO struct str payload = STR_INIT(PAYLOAD_BYTES_MAX);
    STR_AUTO struct str auth = STR_INIT(SECRET_BYTES_MAX * 4);
    struct http_header headers[POST_HEADERS_MAX] = {
        {"Content-Type", "application/json"},
        {"User-Agent", "watchbill-alertd"},
        {"Idempotency-Key", page->idempotency_key},
    };
    MEM_AUTO char *url = NULL;
    struct err err = {0};
    size_t n = 3;

    if (secret_read(&to->webhook.url, &url, &err) ||
        authorization(&to->webhook.http, &auth, &err)) {
        post_not_made(outcome, &err);
        return;
    }
    if (auth.len)
        headers[n++] = (struct http_header){"Authorization", str_text(&auth)};
    payload_write(page, (size_t)to->webhook.max_alerts, &payload);
    post_send(http,
              &(struct post){.url = url,
                             .headers = headers,
                             .n_headers = n,
                             .body = str_text(&payload),
                             .body_len = payload.len,
                             .timeout_ms = to->timeout_ms},
              outcome);
}
