/*
 * An incident's decisions. See incident.h.
 */

#include "alertd/incident/incident.h"

#include <string.h>
#include <strings.h>

#include "lib/base/bug.h"
#include "lib/base/clock.h"

enum {
    TITLE_BYTES_MAX = 200
};

static const char *const status_names[] = {
    [INCIDENT_NONE] = "none",
    [INCIDENT_TRIGGERED] = "triggered",
    [INCIDENT_ACKNOWLEDGED] = "acknowledged",
    [INCIDENT_RESOLVED] = "resolved",
};

const char *incident_status_name(enum incident_status status)
{
    return status_names[status];
}

enum incident_status incident_status_parse(const char *name)
{
    for (unsigned i = INCIDENT_TRIGGERED; i <= INCIDENT_RESOLVED; i++)
        if (strcmp(status_names[i], name) == 0)
            return (enum incident_status)i;
    return INCIDENT_NONE;
}

bool incident_takes_alerts(const struct incident_life *life)
{
    switch (life->status) {
    case INCIDENT_NONE: return false;
    case INCIDENT_TRIGGERED:
    case INCIDENT_ACKNOWLEDGED: return true;
    case INCIDENT_RESOLVED: return life->n_firing > 0;
    }
    UNREACHABLE("incident status");
}

static enum incident_change alert_fires(struct incident_life *life)
{
    bool taken_in = incident_takes_alerts(life);
    bool was_resolved = life->status == INCIDENT_RESOLVED;

    life->n_firing = taken_in ? life->n_firing + 1 : 1;
    if (taken_in && !was_resolved)
        return INCIDENT_UNCHANGED;
    life->status = INCIDENT_TRIGGERED;
    return taken_in ? INCIDENT_REOPENED : INCIDENT_OPENED;
}

static enum incident_change alert_ends(struct incident_life *life)
{
    if (life->n_firing > 0)
        life->n_firing--;
    if (life->n_firing > 0 || life->status == INCIDENT_RESOLVED || life->status == INCIDENT_NONE)
        return INCIDENT_UNCHANGED;
    life->status = INCIDENT_RESOLVED;
    return INCIDENT_OVER;
}

static enum incident_change acknowledge(struct incident_life *life)
{
    switch (life->status) {
    case INCIDENT_TRIGGERED: life->status = INCIDENT_ACKNOWLEDGED; return INCIDENT_ACKED;
    case INCIDENT_ACKNOWLEDGED: return INCIDENT_UNCHANGED;
    case INCIDENT_NONE:
    case INCIDENT_RESOLVED: break;
    }
    return INCIDENT_NOT_OPEN;
}

static enum incident_change resolve(struct incident_life *life)
{
    if (life->status == INCIDENT_RESOLVED)
        return INCIDENT_UNCHANGED;
    if (life->status == INCIDENT_NONE)
        return INCIDENT_NOT_OPEN;
    life->status = INCIDENT_RESOLVED;
    return INCIDENT_CLOSED;
}

enum incident_change incident_step(struct incident_life *life, enum incident_input input)
{
    switch (input) {
    case INCIDENT_ALERT_FIRES: return alert_fires(life);
    case INCIDENT_ALERT_ENDS: return alert_ends(life);
    case INCIDENT_ACK: return acknowledge(life);
    case INCIDENT_RESOLVE: return resolve(life);
    }
    UNREACHABLE("incident input");
}

void incident_key(int64_t opened_at_ms, int64_t number, struct str *out)
{
    str_addf(out, "INC-%04d-%04lld", clock_split_utc(opened_at_ms).year, (long long)number);
}

/* The first line, cut at a character's start when it is long. */
static void add_line(struct str *out, const char *text)
{
    size_t len = strcspn(text, "\r\n");

    if (len > TITLE_BYTES_MAX) {
        len = TITLE_BYTES_MAX;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
        str_addn(out, text, len);
        str_add(out, "\xe2\x80\xa6");
        return;
    }
    str_addn(out, text, len);
}

void incident_title(const struct labels *labels, const struct labels *annotations, struct str *out)
{
    static const char *const words[] = {"summary", "title", "description", "message"};
    static const char *const places[] = {"instance", "job", "service"};
    const char *name = labels_get(labels, "alertname");

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const char *text = labels_get(annotations, words[i]);

        if (text && text[strspn(text, " \r\n\t")]) {
            add_line(out, text + strspn(text, " \r\n\t"));
            return;
        }
    }
    add_line(out, name ? name : "an alert without a name");
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const char *value = labels_get(labels, places[i]);

        if (value) {
            str_add(out, " on ");
            add_line(out, value);
            return;
        }
    }
}

static const struct {
    const char *name;
    unsigned rank;
} severities[] = {
    {"critical", 3}, {"page", 3},    {"fatal", 3}, {"emergency", 3}, {"error", 2}, {"major", 2},
    {"high", 2},     {"warning", 1}, {"warn", 1},  {"minor", 1},     {"info", 0},  {"none", 0},
};

/* Known words by rank, unknown ones just above info, none at all below everything. */
static int order_of(const char *severity)
{
    if (!severity || !*severity)
        return -1;
    for (size_t i = 0; i < sizeof(severities) / sizeof(severities[0]); i++)
        if (strcasecmp(severities[i].name, severity) == 0)
            return 2 * (int)severities[i].rank;
    return 1;
}

unsigned incident_severity_rank(const char *severity)
{
    int order = order_of(severity);

    return order > 0 ? (unsigned)order / 2 : 0;
}

const char *incident_worse_severity(const char *a, const char *b)
{
    return order_of(b) > order_of(a) ? b : a;
}
