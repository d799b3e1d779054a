/*
 * Timelines as text: comma-separated rows, and chats. See foreign.h.
 */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "alertd/incident/foreign_private.h"
#include "alertd/incident/timeline.h"
#include "lib/base/str.h"

enum {
    COLUMNS_MAX = 20,
    NAME_BYTES_MAX = 60,
};

static int too_many(struct foreign *foreign)
{
    return err_at(foreign->reterr, FOREIGN_E_LIMIT, foreign->line, 1, "at most %d events at once",
                  FOREIGN_EVENTS_MAX);
}

/* --- csv --- */

enum column {
    COLUMN_NONE,
    COLUMN_TIME,
    COLUMN_TEXT,
    COLUMN_KIND,
    COLUMN_ACTOR,
    COLUMN_SCOPE,
    COLUMN_REFERENCE,
    COLUMN_PRECISION,
};

static enum column column_of(const char *name)
{
    static const struct {
        const char *name;
        enum column column;
    } columns[] = {
        {"time", COLUMN_TIME},
        {"t", COLUMN_TIME},
        {"at", COLUMN_TIME},
        {"timestamp", COLUMN_TIME},
        {"date", COLUMN_TIME},
        {"occurred_at", COLUMN_TIME},
        {"created_at", COLUMN_TIME},
        {"text", COLUMN_TEXT},
        {"message", COLUMN_TEXT},
        {"description", COLUMN_TEXT},
        {"summary", COLUMN_TEXT},
        {"event", COLUMN_TEXT},
        {"kind", COLUMN_KIND},
        {"type", COLUMN_KIND},
        {"actor", COLUMN_ACTOR},
        {"user", COLUMN_ACTOR},
        {"author", COLUMN_ACTOR},
        {"who", COLUMN_ACTOR},
        {"name", COLUMN_ACTOR},
        {"scope", COLUMN_SCOPE},
        {"service", COLUMN_SCOPE},
        {"ref", COLUMN_REFERENCE},
        {"reference", COLUMN_REFERENCE},
        {"id", COLUMN_REFERENCE},
        {"precision", COLUMN_PRECISION},
    };

    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        if (strcasecmp(columns[i].name, name) == 0)
            return columns[i].column;
    return COLUMN_NONE;
}

/* What stands within quotes; *at behind the closing one. */
static void read_quoted(struct foreign *foreign,
                        const char **at,
                        const char *end,
                        struct str *field)
{
    for ((*at)++; *at < end; (*at)++) {
        if (**at == '"' && (*at + 1 >= end || (*at)[1] != '"')) {
            (*at)++;
            return;
        }
        *at += **at == '"';
        foreign->line += **at == '\n';
        str_addc(field, **at);
    }
}

/* One field; *at at the comma or the end of the line behind it. */
static void read_field(struct foreign *foreign, const char **at, const char *end, struct str *field)
{
    while (*at < end && **at != ',' && **at != '\n') {
        if (**at == '"') {
            read_quoted(foreign, at, end, field);
            continue;
        }
        if (**at != '\r')
            str_addc(field, **at);
        (*at)++;
    }
}

/* One row's fields into the arena; *at behind it. Quotes hold commas, lines and ("") quotes. */
static int read_fields(
    struct foreign *foreign, const char **at, const char *end, const char **fields, size_t *ret_n)
{
    bool more = true;
    size_t n = 0;

    while (more) {
        STR_AUTO struct str field = STR_INIT(FOREIGN_WORDS_MAX);

        read_field(foreign, at, end, &field);
        if (n == COLUMNS_MAX || field.full)
            return foreign_wrong(foreign, "too many columns, or a field is too long");
        fields[n] = foreign_keep(foreign, str_text(&field), field.len);
        if (!fields[n++])
            return too_many(foreign);
        more = *at < end && **at == ',';
        foreign->line += *at < end && !more;
        *at += *at < end;
    }
    *ret_n = n;
    return 0;
}

static const char *or_null(const char *text)
{
    return *text ? text : NULL;
}

static int take_field(struct foreign *foreign,
                      struct foreign_event *event,
                      enum column column,
                      const char *field)
{
    size_t len = 0;

    switch (column) {
    case COLUMN_NONE: return 0;
    case COLUMN_TEXT: event->text = field; return 0;
    case COLUMN_ACTOR: event->actor = or_null(field); return 0;
    case COLUMN_SCOPE: event->scope = or_null(field); return 0;
    case COLUMN_REFERENCE: event->reference = or_null(field); return 0;
    case COLUMN_TIME: {
        const char *precision = event->precision;
        int r = foreign_time(foreign, field, strlen(field), event, &len);

        event->precision = precision ? precision : event->precision;
        return r || !field[len] ? r : foreign_wrong(foreign, "something follows the time");
    }
    case COLUMN_KIND:
        if (timeline_kind_known(field))
            event->kind = field;
        return 0;
    case COLUMN_PRECISION:
        if (strcmp(field, "s") == 0 || strcmp(field, "min") == 0 || strcmp(field, "approx") == 0)
            event->precision = field;
        return 0;
    }
    return 0;
}

int foreign_read_csv(struct foreign *foreign)
{
    const char *fields[COLUMNS_MAX] = {0};
    enum column columns[COLUMNS_MAX];
    const char *at = foreign->input->text;
    const char *end = at + foreign->input->len;
    size_t n_columns = 0;
    bool has[COLUMN_PRECISION + 1] = {false};

    foreign->line = 1;
    int r = read_fields(foreign, &at, end, fields, &n_columns);
    for (size_t i = 0; r == 0 && i < n_columns; i++) {
        columns[i] = column_of(fields[i]);
        has[columns[i]] = true;
    }
    if (r == 0 && (!has[COLUMN_TIME] || !has[COLUMN_TEXT]))
        return foreign_wrong(foreign, "the first line names columns; time and text are needed");
    while (r == 0 && at < end) {
        size_t n = 0;
        unsigned line = foreign->line;

        r = read_fields(foreign, &at, end, fields, &n);
        if (r || (n == 1 && !*fields[0]))
            continue;
        struct foreign_event *event = foreign_add(foreign);
        unsigned next_line = foreign->line;

        foreign->line = line;
        if (!event)
            return too_many(foreign);
        for (size_t i = 0; r == 0 && i < n && i < n_columns; i++)
            r = take_field(foreign, event, columns[i], fields[i]);
        if (r == 0 && (!event->text || !*event->text || !event->at_ms))
            r = foreign_wrong(foreign, "a row needs a time and a text");
        foreign->line = r ? line : next_line;
    }
    return r;
}

/* --- chat --- */

/* "<ana> words", "ana: words", "@ana words": whom it is of, and where the words begin. */
static const char *read_author(struct foreign *foreign,
                               const char *text,
                               const char *end,
                               struct foreign_event *event)
{
    const char *close = NULL;

    if (text < end && *text == '<')
        close = memchr(text, '>', (size_t)(end - text));
    if (close && close - text <= NAME_BYTES_MAX) {
        event->actor = foreign_keep(foreign, text + 1, (size_t)(close - text - 1));
        return close + 1;
    }
    close = memchr(text, ':', (size_t)(end - text));
    if (!close || close == text || close - text > NAME_BYTES_MAX ||
        (close + 1 < end && close[1] != ' '))
        return text;
    event->actor = foreign_keep(foreign, text, (size_t)(close - text));
    return close + 1;
}

/* Another line of the message before. */
static int go_on(struct foreign *foreign, const char *line, size_t len)
{
    STR_AUTO struct str text = STR_INIT(FOREIGN_WORDS_MAX);
    struct foreign_event *event;

    if (foreign->n == 0)
        return foreign_wrong(foreign, "the first line begins with no time");
    event = &foreign->events[foreign->n - 1];
    str_add(&text, event->text);
    str_addc(&text, '\n');
    str_addn(&text, line, len);
    if (text.full)
        return foreign_wrong(foreign, "a message is too long");
    event->text = foreign_keep(foreign, str_text(&text), text.len);
    return event->text ? 0 : too_many(foreign);
}

/* Where a line's time begins: behind a bracket; NULL: it begins with none. */
static const char *find_time(const char *line, size_t len)
{
    const char *end = line + len;
    const char *at = line;

    while (at < end && (*at == '[' || *at == '(' || *at == ' '))
        at++;
    size_t n = 0;

    while (at + n < end && (isdigit((unsigned char)at[n]) || at[n] == '-'))
        n++;
    if (n == 10 && at + n < end && (at[n] == ' ' || at[n] == 'T'))
        return at;
    return (n == 1 || n == 2) && at + n + 2 < end && at[n] == ':' &&
                   isdigit((unsigned char)at[n + 1]) && isdigit((unsigned char)at[n + 2])
               ? at
               : NULL;
}

static int read_message(struct foreign *foreign, const char *line, size_t len)
{
    const char *at = find_time(line, len);
    const char *end = line + len;
    struct foreign_event *event;
    size_t n = 0;

    if (!at)
        return go_on(foreign, line, len);
    event = foreign_add(foreign);
    if (!event)
        return too_many(foreign);
    event->kind = "chat.message";
    int r = foreign_time(foreign, at, (size_t)(end - at), event, &n);
    if (r)
        return r;
    at += n;
    while (at < end && strchr(" \t])-", *at))
        at++;
    at = read_author(foreign, at, end, event);
    event->text = foreign_keep(foreign, at, (size_t)(end - at));
    if (!event->text)
        return too_many(foreign);
    return *event->text ? 0 : foreign_wrong(foreign, "a message without words");
}

int foreign_read_chat(struct foreign *foreign)
{
    const char *at = foreign->input->text;
    const char *end = at + foreign->input->len;
    int r = 0;

    while (r == 0 && at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);
        size_t words = len;

        foreign->line++;
        while (words && isspace((unsigned char)at[words - 1]))
            words--;
        if (words)
            r = read_message(foreign, at, words);
        at += len + (stop != NULL);
    }
    return r;
}
