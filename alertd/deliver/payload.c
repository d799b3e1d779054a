/*
 * Alertmanager's webhook payload, version 4, field by field, and one field of ours
 * ("watchbill") for what it has no place for: the incident, its links, lateness.
 */

#include "alertd/deliver/payload.h"

#include <string.h>

#include "alertd/deliver/render.h"
#include "lib/base/clock.h"
#include "lib/json/write.h"
#include "lib/model/fingerprint.h"

/* What a firing alert's end is in Go's zero time. */
#define NO_END "0001-01-01T00:00:00Z"

static void kv_labels(struct json_out *out, const char *name, const struct labels *labels)
{
    json_key(out, name);
    json_open(out, '{');
    for (uint32_t i = 0; labels && i < labels->n; i++)
        json_kv_string(out, labels->at[i].name, labels->at[i].value);
    json_close(out, '}');
}

static const struct labels *set_of(const struct incident_alert *alert, bool annotations)
{
    return annotations ? alert->annotations : alert->labels;
}

/* The pairs that all alerts share. */
static void kv_common(struct json_out *out,
                      const char *name,
                      const struct page *page,
                      bool annotations)
{
    json_key(out, name);
    json_open(out, '{');
    for (uint32_t i = 0; page->n_alerts && i < set_of(&page->alerts[0], annotations)->n; i++) {
        const struct label *pair = &set_of(&page->alerts[0], annotations)->at[i];
        bool shared = true;

        for (size_t j = 1; shared && j < page->n_alerts; j++) {
            const char *value = labels_get(set_of(&page->alerts[j], annotations), pair->name);

            shared = value && strcmp(value, pair->value) == 0;
        }
        if (shared)
            json_kv_string(out, pair->name, pair->value);
    }
    json_close(out, '}');
}

static const char *reason_of(const struct page *page)
{
    static const struct {
        const char *ours, *theirs;
    } reasons[] = {
        {"first", "first notification"},           {"new alerts", "new alerts added"},
        {"some resolved", "some alerts resolved"}, {"resolved", "all alerts resolved"},
        {"repeat", "repeat interval elapsed"},
    };

    /* closed by a person while alerts fire: nothing that Alertmanager knows */
    if (strcmp(page->reason, "resolved") == 0 && page->incident.n_firing > 0)
        return "unknown";
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (strcmp(reasons[i].ours, page->reason) == 0)
            return reasons[i].theirs;
    return "unknown";
}

static void write_alert(struct json_out *out,
                        const struct page *page,
                        const struct incident_alert *alert)
{
    STR_AUTO struct str url = STR_INIT(16384);
    char fingerprint[FINGERPRINT_TEXT];

    render_explore_url(page, alert, &url);
    json_open(out, '{');
    json_kv_string(out, "status", alert->firing ? "firing" : "resolved");
    kv_labels(out, "labels", alert->labels);
    kv_labels(out, "annotations", alert->annotations);
    json_kv_time(out, "startsAt", alert->fired_at_ms);
    if (alert->firing)
        json_kv_string(out, "endsAt", NO_END);
    else
        json_kv_time(out, "endsAt", alert->resolved_at_ms);
    json_kv_string(out, "generatorURL", str_text(&url));
    json_kv_string(out, "fingerprint", fingerprint_text(alert->labels, fingerprint));
    json_close(out, '}');
}

static void write_ours(struct json_out *out, const struct page *page)
{
    STR_AUTO struct str late = STR_INIT(1024);

    render_late(page, &late);
    json_key(out, "watchbill");
    json_open(out, '{');
    json_kv_string(out, "incident", page->incident.key);
    json_kv_string(out, "title", page->incident.title);
    json_kv_string(out, "severity", page->incident.severity);
    json_kv_string(out, "status", incident_status_name(page->incident.status));
    json_kv_time(out, "opened_at", page->incident.opened_at_ms);
    json_kv_time(out, "resolved_at", page->incident.resolved_at_ms);
    json_kv_string(out, "incident_url", page->incident_url);
    json_kv_string(out, "acknowledge_url", page->acknowledge_url);
    json_kv_string(out, "late", late.len ? str_text(&late) : NULL);
    json_kv_string(out, "lane", page->lane ? page->lane : "page");
    json_kv_string(out, "mark", render_mark(page));
    if (page->practice)
        json_kv_string(out, "practice", page->practice);
    if (page->digest)
        json_kv_string(out, "digest", page->digest->text);
    json_close(out, '}');
}

void payload_write(const struct page *page, size_t max_alerts, struct str *out)
{
    struct json_out json = JSON_OUT(out);
    size_t n = max_alerts && max_alerts < page->n_alerts ? max_alerts : page->n_alerts;

    json_open(&json, '{');
    json_kv_string(&json, "version", "4");
    json_kv_string(&json, "groupKey", page->group_key);
    json_kv_int(&json, "truncatedAlerts", (int64_t)page->n_told - (int64_t)n);
    json_kv_string(&json, "status", render_is_over(page) ? "resolved" : "firing");
    json_kv_string(&json, "receiver", page->receiver);
    kv_labels(&json, "groupLabels", page->group);
    kv_common(&json, "commonLabels", page, false);
    kv_common(&json, "commonAnnotations", page, true);
    kv_labels(&json, "routeLabels", page->route ? page->route : labels_empty());
    json_kv_string(&json, "externalURL", page->external_url);
    json_kv_string(&json, "notification_reason", reason_of(page));
    json_key(&json, "alerts");
    json_open(&json, '[');
    for (size_t i = 0; i < n; i++)
        write_alert(&json, page, &page->alerts[i]);
    json_close(&json, ']');
    write_ours(&json, page);
    json_close(&json, '}');
}
