/*
 * Timelines of elsewhere: each row is a text, and what it is read into: "time precision kind
 * actor|text" a line; or the mistake.
 */

#include <string.h>

#include "alertd/incident/foreign.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "tests/lib/row.h"

static const char *show(const struct foreign_event *events, size_t n, struct str *out)
{
    str_cut(out, 0);
    for (size_t i = 0; i < n; i++) {
        char at[CLOCK_TEXT_MAX];

        str_addf(out, "%.19s %s %s %s|%s\n", clock_rfc3339(events[i].at_ms, at),
                 events[i].precision ? events[i].precision : "ms", events[i].kind,
                 events[i].actor ? events[i].actor : "-", events[i].text);
    }
    return str_text(out);
}

struct foreign_row {
    const char *name;
    enum foreign_format format;
    const char *zone; /* NULL: the caller says none */
    bool has_day;     /* 2023-01-25, or the one below */
    const char *text;
    const char *events; /* or "! " and a part of the mistake */
    int month, day;
};

static void play(const struct foreign_row *rows, size_t n)
{
    STR_AUTO struct str text = STR_INIT(100000);

    for (size_t i = 0; i < n; i++) {
        struct foreign_event *events = NULL;
        ARENA_AUTO struct arena arena;
        struct zone *zone = NULL;
        struct err err = {0};
        size_t n_events = 0;

        row("%s", rows[i].name);
        arena_init(&arena, (size_t)4 * 1024 * 1024);
        if (rows[i].zone)
            assert_int_equal(zone_open(rows[i].zone, &zone, NULL), 0);
        const struct foreign_input input = {
            .text = rows[i].text,
            .len = strlen(rows[i].text),
            .zone = zone,
            .year = rows[i].has_day ? 2023 : 0,
            .month = rows[i].month ? rows[i].month : 1,
            .day = rows[i].month ? rows[i].day : 25,
        };
        int r = foreign_read(&arena, rows[i].format, &input, &events, &n_events, &err);

        if (strncmp(rows[i].events, "! ", 2) == 0) {
            assert_int_equal(r, FOREIGN_E_INVALID);
            if (!strstr(err.text, rows[i].events + 2))
                fail_msg("%s", err.text);
        } else {
            if (r)
                fail_msg("line %u: %s", err.line, err.text);
            assert_string_equal(show(events, n_events, &text), rows[i].events);
        }
        zone_free(zone);
    }
}

static void test_csv(void **state)
{
    static const struct foreign_row rows[] = {
        {"columns in any order", FOREIGN_CSV, NULL, false,
         "Who,Time,Message,kind\nana,2023-01-25T14:02:00Z,\"one, \"\"two\"\"\",ack\n",
         "2023-01-25T14:02:00 s ack ana|one, \"two\"\n"},
        {"a zone is given", FOREIGN_CSV, "Europe/Berlin", false, "time,text\n2023-07-25 14:02,x\n",
         "2023-07-25T12:02:00 min human.note -|x\n"},
        {"an offset wins", FOREIGN_CSV, "Europe/Berlin", false,
         "time,text\n2023-07-25 14:02:03+00:00,x\n", "2023-07-25T14:02:03 s human.note -|x\n"},
        {"lines within quotes, empty lines", FOREIGN_CSV, "UTC", false,
         "time,text\r\n\r\n2023-01-25 14:02,\"a\nb\"\r\n",
         "2023-01-25T14:02:00 min human.note -|a\nb\n"},
        {"a precision that is said", FOREIGN_CSV, "UTC", false,
         "precision,time,text\napprox,2023-01-25 14:02,x\n",
         "2023-01-25T14:02:00 approx human.note -|x\n"},
        {"no zone", FOREIGN_CSV, NULL, false, "time,text\n2023-01-25 14:02,x\n", "! no zone"},
        {"no time column", FOREIGN_CSV, NULL, false, "when,text\n1,x\n", "! time and text"},
        {"no words", FOREIGN_CSV, "UTC", false, "time,text\n2023-01-25 14:02,\n", "! a text"},
        {"no time", FOREIGN_CSV, "UTC", false, "time,text\nnoon,x\n", "! expected a time"},
        {"nothing", FOREIGN_CSV, "UTC", false, "time,text\n", "! no event"},
    };

    play(rows, sizeof(rows) / sizeof(rows[0]));
}

static void test_chat(void **state)
{
    static const struct foreign_row rows[] = {
        {"ways to write it", FOREIGN_CHAT, "UTC", true,
         "[14:02] ana: it is down\n14:03:10 <ben> looking\n2:04 PM cem: me too\n14:05 restarted\n",
         "2023-01-25T14:02:00 min chat.message ana|it is down\n"
         "2023-01-25T14:03:10 s chat.message ben|looking\n"
         "2023-01-25T14:04:00 min chat.message cem|me too\n"
         "2023-01-25T14:05:00 min chat.message -|restarted\n"},
        {"a message of several lines", FOREIGN_CHAT, "UTC", true,
         "[14:02] ana: look:\n  $ df -h\n\nfull\n[14:03] ben: ok\n",
         "2023-01-25T14:02:00 min chat.message ana|look:\n  $ df -h\nfull\n"
         "2023-01-25T14:03:00 min chat.message ben|ok\n"},
        {"past midnight", FOREIGN_CHAT, "UTC", true, "23:58 ana: a\n00:03 ana: b\n",
         "2023-01-25T23:58:00 min chat.message ana|a\n"
         "2023-01-26T00:03:00 min chat.message ana|b\n"},
        {"clocks go back in its middle", FOREIGN_CHAT, "Europe/Berlin", true,
         "02:30 ana: a\n02:50 ana: b\n02:10 ana: c\n03:05 ana: d\n02:59 ben: late\n",
         "2023-10-29T00:30:00 min chat.message ana|a\n"
         "2023-10-29T00:50:00 min chat.message ana|b\n"
         "2023-10-29T01:10:00 min chat.message ana|c\n"
         "2023-10-29T02:05:00 min chat.message ana|d\n"
         "2023-10-29T01:59:00 min chat.message ben|late\n",
         10, 29},
        {"a night of 25 hours", FOREIGN_CHAT, "Europe/Berlin", true, "23:58 ana: a\n03:10 ana: b\n",
         "2023-10-28T21:58:00 min chat.message ana|a\n"
         "2023-10-29T02:10:00 min chat.message ana|b\n",
         10, 28},
        {"a night of 23", FOREIGN_CHAT, "Europe/Berlin", true, "23:58 ana: a\n03:10 ana: b\n",
         "2023-03-25T22:58:00 min chat.message ana|a\n"
         "2023-03-26T01:10:00 min chat.message ana|b\n",
         3, 25},
        {"a day of its own", FOREIGN_CHAT, NULL, false,
         "[2023-01-25 14:02:00 UTC] ana: http://x is down\n",
         "2023-01-25T14:02:00 s chat.message ana|http://x is down\n"},
        {"a link is nobody's name", FOREIGN_CHAT, "UTC", true, "14:02 http://x is down\n",
         "2023-01-25T14:02:00 min chat.message -|http://x is down\n"},
        {"no day", FOREIGN_CHAT, "UTC", false, "14:02 ana: a\n", "! no day"},
        {"no time first", FOREIGN_CHAT, "UTC", true, "ana: a\n", "! begins with no time"},
        {"no such time", FOREIGN_CHAT, "UTC", true, "25:02 ana: a\n", "! expected a time"},
        {"no words", FOREIGN_CHAT, "UTC", true, "14:02 ana:\n", "! without words"},
    };

    play(rows, sizeof(rows) / sizeof(rows[0]));
}

static void test_tools(void **state)
{
    static const struct foreign_row rows[] = {
        {"PagerDuty", FOREIGN_PAGERDUTY, NULL, false,
         "{\"log_entries\":[{\"id\":\"R1\",\"type\":\"trigger_log_entry\",\"created_at\":"
         "\"2023-01-25T14:02:00Z\",\"summary\":\"Triggered\",\"channel\":{\"summary\":\"db down\"},"
         "\"agent\":{\"summary\":\"monitor\"}},{\"id\":\"R2\",\"type\":\"acknowledge_log_entry\","
         "\"created_at\":\"2023-01-25T15:03:00+01:00\",\"summary\":\"Acknowledged by Ana\","
         "\"agent\":{\"summary\":\"Ana\"}}]}",
         "2023-01-25T14:02:00 s alert.firing monitor|db down\n"
         "2023-01-25T14:03:00 s ack Ana|Acknowledged by Ana\n"},
        {"a list of something else", FOREIGN_PAGERDUTY, NULL, false, "{\"incidents\":[]}",
         "! log_entries"},
        {"Alertmanager", FOREIGN_ALERTMANAGER, NULL, false,
         "{\"@timestamp\":\"2023-01-25T14:02:00.5Z\",\"data\":{\"alertCreated\":{\"alert\":{"
         "\"labels\":{\"alertname\":\"Down\",\"instance\":\"a\"}}}}}\n"
         "{\"@timestamp\":\"2023-01-25T14:02:01Z\",\"data\":{\"alertGrouped\":{}}}\n"
         "{\"@timestamp\":\"2023-01-25T14:02:02Z\",\"data\":{\"notification\":{\"groupInfo\":{"
         "\"receiverName\":\"team\"},\"integration\":{\"name\":\"slack\"}}}}\n",
         "2023-01-25T14:02:00 ms alert.firing -|Down fires on a\n"
         "2023-01-25T14:02:02 s notify.sent -|team told by slack\n"},
        {"no event of its", FOREIGN_ALERTMANAGER, NULL, false, "{\"alerts\":[]}",
         "! events of the recorder"},
    };

    play(rows, sizeof(rows) / sizeof(rows[0]));
}

/* Whatever is cut off or spent, the answer is an error with words. */
static void test_limits(void **state)
{
    static const char chat[] = "[14:02] ana: it is down\n14:03:10 <ben> looking\nfurther\n";
    struct foreign_event *events = NULL;
    size_t n = 0;

    for (size_t limit = 0; limit < 1000; limit += 37) {
        ARENA_AUTO struct arena arena;
        struct err err = {0};
        struct zone *zone = NULL;

        assert_int_equal(zone_open("UTC", &zone, NULL), 0);
        const struct foreign_input input = {.text = chat,
                                            .len = sizeof(chat) - 1,
                                            .zone = zone,
                                            .year = 2023,
                                            .month = 1,
                                            .day = 1};

        arena_init(&arena, limit);
        assert_int_equal(foreign_read(&arena, FOREIGN_CHAT, &input, &events, &n, &err),
                         FOREIGN_E_LIMIT);
        assert_true(err.text[0] != '\0');
        zone_free(zone);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_chat),
        cmocka_unit_test(test_tools),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
