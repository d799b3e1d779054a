/*
 * Words of a drill that is made of an incident. See from_private.h.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/drill/from_private.h"
#include "lib/model/duration.h"

enum {
    PART_LEAST = 3, /* letters of a part of a name that is looked for by itself */
    LINE_MAX_BYTES = 64 * 1024,
    FILE_MAX_BYTES = 64 * 1024 * 1024,
};

/* --- Names ------------------------------------------------------------------------------------- */

static void add_role(struct from_work *work, struct roles *roles, const char *name, const char *to)
{
    if (!name || strlen(name) < 2)
        return;
    for (size_t i = 0; i < roles->n; i++)
        if (strcmp(roles->at[i].name, name) == 0)
            return;
    work->spent |= !roles_push(&work->arena, roles, name, to, ROLE_AS_IT_IS);
}

/* The name, and as it begins a sentence. */
static void add_person(struct from_work *work, const char *name, const char *to)
{
    char capital[64];

    add_role(work, &work->people, name, to);
    if (!name || !islower((unsigned char)name[0]) || strlen(name) >= sizeof(capital))
        return;
    (void)snprintf(capital, sizeof(capital), "%s", name);
    capital[0] = (char)toupper((unsigned char)capital[0]);
    add_role(work, &work->people, capital, to);
}

static int longest_first(const void *a, const void *b)
{
    size_t x = strlen(((const struct role *)a)->name);
    size_t y = strlen(((const struct role *)b)->name);

    return (x < y) - (x > y);
}

static const char *role_of(const struct from_work *work, const char *name)
{
    for (size_t i = 0; i < work->people.n; i++)
        if (strcmp(work->people.at[i].name, name) == 0)
            return work->people.at[i].role;
    return "a colleague";
}

/* "Ana Lund" is Ana too, and whoever ana is. */
static void add_known(struct from_work *work, const struct drill_from_person *person)
{
    const char *role = role_of(work, person->name);
    const char *at = person->full_name;

    add_person(work, person->name, role);
    add_person(work, at, role);
    while (at && *at) {
        size_t len = strcspn(at, " ");
        char *part = len < PART_LEAST ? NULL : arena_strndup(&work->arena, at, len);

        add_person(work, part, role);
        at += len + strspn(at + len, " ");
    }
}

static void add_responders(struct from_work *work)
{
    const struct postmortem_input *record = work->record;
    unsigned n = 0;

    for (size_t i = 0; i < record->n_events; i++) {
        const char *actor = record->events[i].actor;
        size_t before = work->people.n;
        char role[40];

        if (!actor || !*actor)
            continue;
        (void)snprintf(role, sizeof(role), "responder %u", n + 1);
        add_person(work, actor, role);
        n += work->people.n > before;
    }
    add_person(work, record->incident->acknowledged_by, "a responder");
    add_person(work, record->incident->resolved_by, "a responder");
    add_person(work, record->owner, "the owner");
    add_person(work, record->author, "the author");
    for (size_t i = 0; i < work->from->n_people; i++)
        add_known(work, &work->from->people[i]);
}

bool from_is_host_label(const char *name)
{
    static const char *const names[] = {"instance", "host", "hostname", "node",
                                        "nodename", "pod",  "server",   "fqdn"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* `web-1:9100` is web-1: its port stays. */
static void add_host(struct from_work *work, const char *value, unsigned *n)
{
    size_t len = strcspn(value, ":/");
    size_t before = work->hosts.n;
    char role[40];
    char *host = arena_strndup(&work->arena, value, len);

    work->spent |= !host;
    if (!host)
        return;
    (void)snprintf(role, sizeof(role), "host-%u", *n + 1);
    add_role(work, &work->hosts, host, role);
    *n += work->hosts.n > before;
}

static void add_hosts_of(struct from_work *work, const struct labels *labels, unsigned *n)
{
    for (uint32_t i = 0; labels && i < labels->n; i++)
        if (from_is_host_label(labels->at[i].name))
            add_host(work, labels->at[i].value, n);
}

void from_scrubs(struct from_work *work)
{
    unsigned n = 0;

    add_responders(work);
    for (size_t i = 0; work->from->scrub_hosts && i < work->record->n_alerts; i++)
        add_hosts_of(work, work->record->alerts[i].labels, &n);
    for (size_t i = 0; work->from->scrub_hosts && i < work->from->n_series; i++)
        add_hosts_of(work, work->from->series[i].labels, &n);
    if (work->people.n)
        qsort(work->people.at, work->people.n, sizeof(struct role), longest_first);
    if (work->hosts.n)
        qsort(work->hosts.at, work->hosts.n, sizeof(struct role), longest_first);
}

void from_scrub(const struct from_work *work, const char *text, bool people, struct str *out)
{
    STR_AUTO struct str named = STR_INIT(FILE_MAX_BYTES);

    if (people)
        roles_replace(&work->people, text, &named);
    else
        str_add(&named, text);
    roles_replace(&work->hosts, str_text(&named), out);
}

const char *from_label(struct from_work *work, const char *value)
{
    STR_AUTO struct str out = STR_INIT(LINE_MAX_BYTES);

    if (work->hosts.n == 0)
        return value;
    roles_replace(&work->hosts, value, &out);

    const char *kept = arena_strndup(&work->arena, str_text(&out), out.len);

    work->spent |= !kept;
    return kept ? kept : "";
}

const char *from_clean(struct from_work *work, const char *text)
{
    STR_AUTO struct str scrubbed = STR_INIT(LINE_MAX_BYTES);
    STR_AUTO struct str out = STR_INIT(LINE_MAX_BYTES);
    const char *kept;

    from_scrub(work, text ? text : "", true, &scrubbed);
    for (const char *c = str_text(&scrubbed); *c; c++) {
        bool blank = (unsigned char)*c <= ' ' || *c == 0x7f;

        if (!blank)
            str_addc(&out, *c);
        else if (out.len && out.text[out.len - 1] != ' ')
            str_addc(&out, ' ');
    }
    while (out.len && out.text[out.len - 1] == ' ')
        str_cut(&out, out.len - 1);
    if (out.len > FROM_TEXT_MAX) {
        size_t len = FROM_TEXT_MAX;

        while (len > 0 && ((unsigned char)out.text[len] & 0xC0) == 0x80)
            len--; /* not within a character */
        str_cut(&out, len);
        str_add(&out, "…");
    }
    kept = arena_strndup(&work->arena, str_text(&out), out.len);
    work->spent |= !kept;
    return kept ? kept : "";
}

const char *from_said(struct from_work *work, const struct timeline_event *event)
{
    const char *text = from_clean(work, event->text);
    const char *who = from_clean(work, event->actor);
    size_t len = strlen(who);

    if (len && strncmp(text, who, len) == 0 && text[len] && strchr(" :,", text[len]))
        text += len + strspn(text + len, " :,");
    return text;
}

void from_quote(const char *text, struct str *out)
{
    str_addc(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            str_addc(out, '\\');
        str_addc(out, *text);
    }
    str_addc(out, '"');
}

/* --- Times ------------------------------------------------------------------------------------------ */

const char *from_span(struct from_work *work, int64_t ms)
{
    char text[DURATION_TEXT_MAX];

    (void)duration_print(ms < 0 ? 0 : ms / 1000 * 1000, text);

    const char *kept = arena_strndup(&work->arena, text, strlen(text));

    work->spent |= !kept;
    return kept ? kept : "0s";
}

const char *from_time(struct from_work *work, int64_t at_ms)
{
    return from_span(work, at_ms - work->start_ms);
}
