#pragma once

/*
 * A page to render: an incident of two alerts, fired at 14:02:11 on 2026-11-23.
 */

#include <math.h>

#include "alertd/incident/page.h"
#include "tests/lib/row.h"

enum {
    SECOND_MS = 1000
};
#define FIRED_MS INT64_C(1795442531000) /* 2026-11-23T14:02:11Z */

struct some_page {
    struct page page;
    struct incident_alert alerts[2];
    const struct labels *made[6];
};

static inline const struct labels *some_labels(struct some_page *some,
                                               size_t at,
                                               const struct label *pairs,
                                               size_t n)
{
    some->made[at] = labels_new(pairs, n);
    return some->made[at];
}

static inline void some_alerts_init(struct some_page *some)
{
    const struct label shop[] = {{"alertname", "ShopDown"},
                                 {"instance", "https://shop"},
                                 {"job", "probe"},
                                 {"severity", "critical"}};
    const struct label cart[] = {{"alertname", "ShopDown"},
                                 {"instance", "https://cart"},
                                 {"job", "probe"},
                                 {"severity", "critical"}};
    const struct label note[] = {{"summary", "The shop does not answer"},
                                 {"runbook_url", "https://wiki/shop?a=1&b=2"}};
    const struct label bare[] = {{"runbook_url", "https://wiki/shop?a=1&b=2"}};

    some->alerts[0] = (struct incident_alert){
        .rule_id = 7,
        .fingerprint = 0xab54a98ceb1f0ad2,
        .name = "ShopDown",
        .expr = "probe_success == 0",
        .for_ms = 60000,
        .labels = some_labels(some, 0, shop, 4),
        .annotations = some_labels(some, 1, note, 2),
        .firing = true,
        .active_at_ms = FIRED_MS - 60 * SECOND_MS,
        .fired_at_ms = FIRED_MS,
        .value = 0,
    };
    some->alerts[1] = some->alerts[0];
    some->alerts[1].fingerprint = 0x1;
    some->alerts[1].labels = some_labels(some, 2, cart, 4);
    some->alerts[1].annotations = some_labels(some, 3, bare, 1);
    some->alerts[1].value = (double)NAN;
}

static inline void some_page_init(struct some_page *some)
{
    const struct label group[] = {{"alertname", "ShopDown"}, {"job", "probe"}};

    *some = (struct some_page){0};
    some_alerts_init(some);
    some->page = (struct page){
        .incident =
            {
                .id = 12,
                .key = "INC-2026-0012",
                .title = "The shop does not answer",
                .severity = "critical",
                .status = INCIDENT_TRIGGERED,
                .opened_at_ms = FIRED_MS,
                .labels = some_labels(some, 4, group, 2),
                .group_key = "{}:{alertname=\"ShopDown\", job=\"probe\"}",
                .n_alerts = 2,
                .n_firing = 2,
            },
        .alerts = some->alerts,
        .n_alerts = 2,
        .n_told = 2,
        .group_key = "{}:{alertname=\"ShopDown\", job=\"probe\"}",
        .group = some->made[4],
        .reason = "first",
        .receiver = "oncall",
        .kind = "webhook",
        .outbox_id = 4,
        .idempotency_key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        .root_id = "abc-12",
        .now_ms = FIRED_MS + 31 * SECOND_MS,
        .owed_at_ms = FIRED_MS + 30 * SECOND_MS,
        .incident_url = "http://watch/i/INC-2026-0012",
        .acknowledge_url = "http://watch/a/TOKEN",
        .external_url = "http://watch",
    };
}

static inline void some_page_over(struct some_page *some)
{
    some->page.incident.status = INCIDENT_RESOLVED;
    some->page.incident.resolved_at_ms = FIRED_MS + 15 * SECOND_MS;
    some->page.incident.n_firing = 0;
    some->page.reason = "resolved";
    for (size_t i = 0; i < 2; i++) {
        some->alerts[i].firing = false;
        some->alerts[i].resolved_at_ms = FIRED_MS + 15 * SECOND_MS;
    }
}

static inline void some_page_done(struct some_page *some)
{
    for (size_t i = 0; i < 6; i++)
        labels_unref(some->made[i]);
}
