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
#include "lib/base/mem.h"

enum {
    PAYLOAD_BYTES_MAX = 16 * 1024 * 1024
};

void webhook_send(struct http_client *http,
                  const struct route_integration *to,
                  const struct page *page,
                  struct deliver_outcome *outcome)
{
    STR_AUTO struct str payload = STR_INIT(PAYLOAD_BYTES_MAX);
    MEM_AUTO char *url = NULL;
    struct err err = {0};

    if (secret_read(&to->webhook.url, &url, &err)) {
        post_not_made(outcome, &err);
        return;
    }
    payload_write(page, (size_t)to->webhook.max_alerts, &payload);
    post_send(http,
              &(struct post){.url = url,
                             .as = &to->webhook.http,
                             .idempotency_key = page->idempotency_key,
                             .body = str_text(&payload),
                             .body_len = payload.len,
                             .timeout_ms = to->timeout_ms},
              outcome);
}
