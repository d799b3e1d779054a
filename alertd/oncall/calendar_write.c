/*
 * A schedule as iCalendar. See calendar.h.
 *
 * A shift's identity is made of who has it where, and of its END: what is asked for begins in
 * the middle of the running shift, at another instant each time.
 */

#include <inttypes.h>
#include <string.h>

#include "alertd/oncall/calendar.h"
#include "lib/base/clock.h"
#include "lib/model/hash.h"

enum {
    LINE_MAX_OCTETS = 75,
    LINE_TEXT_MAX = 4096,
};

/* Folded: a line of more than 75 octets goes on behind a line break and a space; never
 * within a character. */
static void add_line(struct str *out, const char *line)
{
    size_t room = LINE_MAX_OCTETS;

    while (strlen(line) > room) {
        size_t n = room;

        while (n > 1 && ((unsigned char)line[n] & 0xc0) == 0x80)
            n--;
        str_addn(out, line, n);
        str_add(out, "\r\n ");
        line += n;
        room = LINE_MAX_OCTETS - 1;
    }
    str_add(out, line);
    str_add(out, "\r\n");
}

static void add_property(struct str *out, const char *name, const char *value)
{
    STR_AUTO struct str line = STR_INIT(LINE_TEXT_MAX);

    str_addf(&line, "%s:%s", name, value);
    add_line(out, str_text(&line));
}

/* TEXT: what has a meaning in the format is escaped, control characters are left out. */
static void add_text(struct str *out, const char *name, const char *text)
{
    STR_AUTO struct str value = STR_INIT(LINE_TEXT_MAX);

    for (; *text; text++) {
        if (*text == '\n')
            str_add(&value, "\\n");
        else if (strchr("\\;,", *text))
            str_addf(&value, "\\%c", *text);
        else if ((unsigned char)*text >= ' ' && *text != 0x7f)
            str_addc(&value, *text);
    }
    add_property(out, name, str_text(&value));
}

static void add_time(struct str *out, const char *name, int64_t at_ms)
{
    struct clock_utc utc = clock_split_utc(at_ms);
    STR_AUTO struct str value = STR_INIT(64);

    str_addf(&value, "%04d%02d%02dT%02d%02d%02dZ", utc.year, utc.month, utc.day, utc.hour,
             utc.minute, utc.second);
    add_property(out, name, str_text(&value));
}

static void add_uid(struct str *out,
                    const struct schedule *schedule,
                    const struct span *span,
                    const char *host)
{
    STR_AUTO struct str identity = STR_INIT(LINE_TEXT_MAX);
    STR_AUTO struct str value = STR_INIT(LINE_TEXT_MAX);
    const struct on_call *one = &span->on_call;

    str_addf(&identity, "%s\n%s\n%s\n%s\n%" PRId64, schedule->name, one->person ? one->person : "",
             one->layer ? one->layer->name : "", span->shadow ? span->shadow->id : "", span->to_ms);
    str_addf(&value, "%016" PRIx64 "@%s", hash64(str_text(&identity), identity.len), host);
    add_text(out, "UID", str_text(&value));
}

static void add_why(struct str *out, const struct span *span)
{
    STR_AUTO struct str why = STR_INIT(LINE_TEXT_MAX);
    const struct on_call *one = &span->on_call;

    if (span->shadow)
        str_add(&why, "Shadow: looks on, and is not on call.");
    else if (one->override)
        str_addf(&why, "%s %s%s%s", one->why == ON_CALL_SWAP ? "Swap" : "Override",
                 one->override->id, one->override->note ? ": " : "",
                 one->override->note ? one->override->note : "");
    else if (one->layer)
        str_addf(&why, "Layer %s", one->layer->name);
    add_text(out, "DESCRIPTION", str_text(&why));
}

static void add_event(struct str *out,
                      const struct schedule *schedule,
                      const struct span *span,
                      const struct calendar_settings *settings)
{
    STR_AUTO struct str summary = STR_INIT(LINE_TEXT_MAX);
    STR_AUTO struct str revision = STR_INIT(32);

    str_addf(&revision, "%u", settings->revision);
    if (span->shadow)
        str_addf(&summary, "%s (shadow of %s)", span->shadow->person,
                 span->on_call.person ? span->on_call.person : span->shadow->target);
    else
        str_add(&summary, span->on_call.person);
    add_property(out, "BEGIN", "VEVENT");
    add_uid(out, schedule, span, settings->host);
    add_time(out, "DTSTAMP", settings->now_ms);
    add_property(out, "SEQUENCE", str_text(&revision));
    add_time(out, "DTSTART", span->from_ms);
    add_time(out, "DTEND", span->to_ms);
    add_text(out, "SUMMARY", str_text(&summary));
    add_why(out, span);
    add_property(out, "TRANSP", span->shadow ? "TRANSPARENT" : "OPAQUE");
    add_property(out, "END", "VEVENT");
}

static void add_lane(struct str *out,
                     const struct schedule *schedule,
                     const struct lane *lane,
                     const struct calendar_settings *settings)
{
    for (size_t i = 0; i < lane->n; i++) {
        const struct span *span = &lane->spans[i];
        const char *whose = span->shadow ? span->shadow->person : span->on_call.person;

        if (!settings->person || strcmp(settings->person, whose) == 0)
            add_event(out, schedule, span, settings);
    }
}

void calendar_write(const struct schedule *schedule,
                    const struct schedule_spans *spans,
                    const struct calendar_settings *settings,
                    struct str *out)
{
    STR_AUTO struct str refresh = STR_INIT(32);

    str_addf(&refresh, "PT%dM", settings->refresh_minutes);
    add_property(out, "BEGIN", "VCALENDAR");
    add_property(out, "PRODID", "-//Watchbill//alertd//EN");
    add_property(out, "VERSION", "2.0");
    add_property(out, "CALSCALE", "GREGORIAN");
    add_property(out, "METHOD", "PUBLISH");
    add_text(out, "X-WR-CALNAME", schedule->title ? schedule->title : schedule->name);
    add_property(out, "REFRESH-INTERVAL;VALUE=DURATION", str_text(&refresh));
    add_property(out, "X-PUBLISHED-TTL", str_text(&refresh));
    add_lane(out, schedule, &spans->final, settings);
    add_lane(out, schedule, &spans->shadows, settings);
    add_property(out, "END", "VCALENDAR");
}
