/*
 * alertctl schedule show: a schedule day by day, in 100 columns.
 *
 *               0     3     6     9     12    15    18    21
 *     Mon 30 Nov  AAAAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBBBBBBBBBBBBBBB  09:00 bob
 *     Tue 01 Dec  BBBBBBBBBBBBBBBBBBccccccccccccccccBBBBBBBBBBBBBB  09:00 cat until 17:00 (override)
 *
 * A cell is half an hour of the schedule's wall clock. A capital has their turn, a small
 * letter is there by an override or a swap, a dot is nobody.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/roster.h"
#include "lib/base/clock.h"

enum {
    CELLS = 48,
    SHOW_DAYS = 14,
    LETTERS_MAX = 26,
    WORDS_MAX = 200,
    WORDS_SHOWN = 38,
};

struct letters {
    const char *names[LETTERS_MAX]; /* of 'A' + i; NULL: free */
    size_t n_without;               /* people for whom none was left */
};

/* The letter their name begins with if it is free, else the next one that is. */
static char letter_of(struct letters *letters, const char *name)
{
    int first = toupper((unsigned char)name[0]) - 'A';

    for (int i = 0; i < LETTERS_MAX; i++)
        if (letters->names[i] && strcmp(letters->names[i], name) == 0)
            return (char)('A' + i);
    for (int i = 0; i < LETTERS_MAX; i++) {
        int at = ((first >= 0 && first < LETTERS_MAX ? first : 0) + i) % LETTERS_MAX;

        if (letters->names[at])
            continue;
        letters->names[at] = name;
        return (char)('A' + at);
    }
    letters->n_without++;
    return '#';
}

static int64_t local_ms(const struct zone *zone, struct zone_local day, int cell)
{
    day.hour = cell / 2;
    day.minute = cell % 2 * 30;
    day.second = 0;
    day.millisecond = 0;
    return zone_utc(zone, &day);
}

/* The first span of the lane at this instant, and how many others there are. */
static const struct json *span_at(const struct json *lane, int64_t at_ms, size_t *ret_more)
{
    const struct json *found = NULL;

    *ret_more = 0;
    for (size_t i = 0; i < json_length(lane); i++) {
        const struct json *span = json_at(lane, i);

        if (roster_instant(span, "from") > at_ms || roster_instant(span, "to") <= at_ms)
            continue;
        if (found)
            ++*ret_more;
        else
            found = span;
    }
    return found;
}

/* "08:00 bob", "09:00 chen until 17:00 (swap)" */
static void add_words(struct str *words, const struct zone *zone, const struct json *span)
{
    const char *why = answer_text(span, "why");
    const char *person = answer_text(span, "person");
    struct zone_local from = zone_local(zone, roster_instant(span, "from"));
    struct zone_local to = zone_local(zone, roster_instant(span, "to"));

    str_addf(words, "%s%02d:%02d %s", words->len ? ", " : "", from.hour, from.minute,
             person ? person : "NOBODY");
    if (person && why && strcmp(why, "layer") != 0)
        str_addf(words, " until %02d:%02d (%s)", to.hour, to.minute, why);
}

/* Everything that begins on this day, gaps too, in the order of time. */
static void day_words(const struct json *lanes,
                      const struct zone *zone,
                      int64_t from_ms,
                      int64_t to_ms,
                      struct str *words)
{
    const struct json *lane[] = {roster_list(lanes, "final"), roster_list(lanes, "gaps")};
    int64_t begins_ms = roster_instant(lanes, "from");
    size_t at[2] = {0};

    for (;;) {
        int64_t next_ms[2] = {INT64_MAX, INT64_MAX};

        for (int i = 0; i < 2; i++)
            if (lane[i] && at[i] < json_length(lane[i]))
                next_ms[i] = roster_instant(json_at(lane[i], at[i]), "from");
        int first = next_ms[1] < next_ms[0];

        if (next_ms[first] >= to_ms)
            return;
        if (next_ms[first] >= from_ms && (next_ms[first] != begins_ms || first == 1))
            add_words(words, zone, json_at(lane[first], at[first]));
        at[first]++;
    }
}

static char cell_of(const struct json *lanes, int64_t at_ms, struct letters *letters)
{
    const struct json *final = roster_list(lanes, "final");
    size_t more = 0;
    const struct json *span = final ? span_at(final, at_ms, &more) : NULL;
    const char *why = span ? answer_text(span, "why") : NULL;
    char letter = span ? letter_of(letters, answer_text(span, "person")) : '.';

    if (at_ms < roster_instant(lanes, "from") || at_ms >= roster_instant(lanes, "to"))
        return ' ';
    if (more)
        return '+';
    return why && strcmp(why, "layer") != 0 ? (char)tolower((unsigned char)letter) : letter;
}

static void print_day(const struct json *lanes,
                      const struct zone *zone,
                      struct zone_local day,
                      struct letters *letters)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    STR_AUTO struct str words = STR_INIT(WORDS_MAX);
    char cells[CELLS + 1] = "";

    for (int i = 0; i < CELLS; i++)
        cells[i] = cell_of(lanes, local_ms(zone, day, i), letters);
    day_words(lanes, zone, local_ms(zone, day, 0), local_ms(zone, day, CELLS), &words);
    (void)printf("%s %02d %s  %s  %.*s%s\n", days[day.weekday], day.day, months[day.month - 1],
                 cells, WORDS_SHOWN, str_text(&words), words.len > WORDS_SHOWN ? "..." : "");
}

static void print_legend(const struct letters *letters, const struct json *lanes)
{
    const struct json *gaps = roster_list(lanes, "gaps");
    int column = 0;

    (void)putchar('\n');
    for (int i = 0; i < LETTERS_MAX; i++)
        if (letters->names[i])
            column += printf("%s%c %s", column ? "   " : "", 'A' + i, letters->names[i]);
    if (letters->n_without)
        (void)printf("   # others");
    (void)printf("\nA turn   a by an override or a swap   + several   . nobody\n");
    if (gaps && json_length(gaps))
        (void)printf("Nobody is on call in %zu span%s of this time.\n", json_length(gaps),
                     json_length(gaps) == 1 ? "" : "s");
}

static void print_shadows(const struct json *lanes, const struct zone *zone, int64_t now_ms)
{
    const struct json *shadows = roster_list(lanes, "shadows");

    if (!shadows || json_length(shadows) == 0)
        return;
    (void)puts("\nShadows: they learn, and are not on call");
    for (size_t i = 0; i < json_length(shadows); i++) {
        const struct json *one = json_at(shadows, i);
        const char *of = answer_text(one, "person");
        char from[ROSTER_WHEN_MAX];
        char to[ROSTER_WHEN_MAX];

        (void)printf("  %-12s %s - %s  %s of %s\n", answer_text(one, "shadow"),
                     roster_when(zone, roster_instant(one, "from"), now_ms, from),
                     roster_when(zone, roster_instant(one, "to"), now_ms, to),
                     answer_text(one, "mode"), of ? of : answer_text(lanes, "name"));
    }
}

static void print_days(const struct json *lanes, const struct zone *zone)
{
    struct zone_local day = zone_local(zone, roster_instant(lanes, "from"));
    int64_t ends_ms = roster_instant(lanes, "to");
    struct letters letters = {0};

    (void)printf("%s, times of %s\n\n            ", answer_text(lanes, "name"), zone_name(zone));
    for (int hour = 0; hour < 24; hour += 3)
        (void)printf("%-6d", hour);
    (void)putchar('\n');
    while (local_ms(zone, day, 0) < ends_ms) {
        int64_t noon_ms = local_ms(zone, day, CELLS / 2);

        day = zone_local(zone, noon_ms); /* its weekday, and a real date behind a month's end */
        print_day(lanes, zone, day, &letters);
        day.day++;
    }
    print_legend(&letters, lanes);
    print_shadows(lanes, zone, clock_wall_ms());
}

enum ctl_exit cmd_schedule_show(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(2048);
    struct json *root = NULL;
    struct json *lanes = NULL;
    const struct json *spec = NULL;

    str_add(&path, "/api/alertd/v1/schedules/");
    add_encoded(&path, ctl->arguments[0]);
    enum ctl_exit r = call_json(
        ctl, &(struct call){.method = "GET", .path = str_text(&path), .kept = true}, &root);

    if (r != CTL_OK)
        return r;
    (void)json_get_object(root, "spec", &spec, NULL);
    struct zone *zone = roster_zone(spec ? answer_text(spec, "zone") : NULL);

    json_free(root);
    if (!zone)
        return CTL_FAILURE;
    struct zone_local today = zone_local(zone, clock_wall_ms());

    str_add(&path, "/spans");
    if (roster_add_span(ctl, zone, local_ms(zone, today, 0), SHOW_DAYS, &path))
        r = call_json(ctl, &(struct call){.method = "GET", .path = str_text(&path)}, &lanes);
    else
        r = CTL_USAGE;
    if (lanes)
        print_days(lanes, zone);
    json_free(lanes);
    zone_free(zone);
    return r;
}
