/*
 * Drill files as text, and what is said about them: the place and the words of the first thing
 * that can't be, or what they print as.
 */

#include <string.h>

#include "alertd/drill/drill.h"
#include "tests/lib/row.h"

#define HEAD "drill \"d\"\n    length 10m\n    oncall ana after 5m ben\n"

static const struct {
    const char *name, *text, *want; /* "": it is read */
} rows[] = {
    {"a small one", HEAD, ""},
    {"nothing", "", "1:1: a drill begins with its title"},
    {"no title", "length 10m\n", "1:1: a drill begins with its title"},
    {"nobody is on call", "drill \"d\"\nlength 10m\n", "0:0: nobody is on call"},
    {"no length", "drill \"d\"\noncall ana\n", "0:0: how long is it?"},
    {"a word that is none", HEAD "    oncal ben\n",
     "4:5: there is no statement 'oncal': did you mean 'oncall'?"},
    {"a text without an end", "drill \"d\n", "1:7: this text has no end"},
    {"a comment is none in a text", HEAD "    teaches \"a # b\" # c\n", ""},
    {"braces without an end", HEAD "    series up{a=\"b\" 1\n", "4:12: a } is missing"},
    {"a control character", "drill \"\x01\"\n", "1:1: a control character"},
    {"Windows' line ends", "drill \"d\"\r\n", "1:1: a line ends with \\r"},
    {"no UTF-8", "drill \"\xff\"\n", "0:0: this is not UTF-8"},
    {"columns count characters", "drill \"Zoë\" 5\n", "1:13: the statement is complete before '5'"},
    {"promtool's notation", HEAD "    series up{job=\"a\"} 1x3 0x2 _ stale 1\n", ""},
    {"pieces", HEAD "    series a 40 to 4 for 3m, gap for 1m, 4 noise 3%\n", ""},
    {"a slope without a length", HEAD "    series a 40 to 4\n", "4:20: a slope needs its length"},
    {"a piece without a length", HEAD "    series a 1, 2 for 1m\n", "4:14: for how long?"},
    {"more values than the drill is long", HEAD "    series a 1x41\n", "4:14: 42 values are more"},
    {"a series twice", HEAD "    series a 1\n    series a 2\n",
     "5:12: this series is there already, on line 4"},
    {"a series above its length", "drill \"d\"\n series a 1\n", "2:9: say `length` above"},
    {"a fault", HEAD "    series a 1\n    fault ramp a 4 from 1m to 3m\n", ""},
    {"a ramp without a length", HEAD "    fault ramp a 4 from 1m\n", "4:25: how long is the ramp?"},
    {"an unknown fault", HEAD "    fault spik a 4 from 1m\n",
     "4:11: there is no fault 'spik': did you mean 'spike'?"},
    {"a pattern", HEAD "    question q \"?\" accept ~\"wal[_-]size\\s\\\"\" \"words\"\n", ""},
    {"a broken pattern", HEAD "    question q \"?\" accept ~\"(\"\n",
     "4:27: this pattern can't be read"},
    {"a question without answers", HEAD "    question q \"?\"\n", "4:16: what answers are right?"},
    {"scores are a player's", HEAD "    expect ack < 5m\n", "4:12: who is meant?"},
    {"a player's",
     HEAD
     "    player p\n        at page+1m ack\n        then 2s do \"x\"\n        expect ack < 5m\n"
     "        by 9m expect page ben A\n        at 3m expect state A firing\n",
     ""},
    {"then what", HEAD "    player p\n        then 1m ack\n", "5:9: `then` follows something"},
    {"a clock that is none", HEAD "    limit akc 5m\n",
     "4:11: there is no clock or count 'akc': did you mean 'ack'?"},
    {"a state by a time", HEAD "    by 3m expect state A firing\n", "4:18: when?"},
    {"paged twice", "drill \"d\"\noncall ana after 5m ana\n", "2:21: ana is paged already"},
    {"mended before there is anything", HEAD "    samples a.om at 5m mended 5m\n",
     "4:31: it is mended behind its first sample"},
    {"too long", "drill \"d\"\nlength 8d\n", "2:8: a drill is seven days long at most"},
    {"too many samples",
     "drill \"d\"\ninterval 1s\nlength 7d\noncall a\nseries a 1\nseries b 1\nseries c 1\nseries d 1\n",
     "0:0: the drill has 2433600 samples"},
};

static const char *read_it(const char *text, struct str *out)
{
    struct drill *drill = NULL;
    struct err err = {0};

    str_cut(out, 0);
    if (drill_parse(text, strlen(text), &drill, &err) != 0)
        str_addf(out, "%u:%u: %s", err.line, err.column, err.text);
    drill_free(drill);
    return str_text(out);
}

static void test_errors(void **state)
{
    STR_AUTO struct str out = STR_INIT(4096);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row("%s", rows[i].name);
        read_it(rows[i].text, &out);
        if (strncmp(str_text(&out), rows[i].want, strlen(rows[i].want)) != 0 ||
            (rows[i].want[0] == '\0' && out.len))
            fail_msg("%s: \"%s\", not \"%s\"", rows[i].name, str_text(&out), rows[i].want);
    }
}

/* Every beginning of a drill that uses everything is read or refused with words. */
static const char everything[] =
    "# a comment above\n\n\ndrill \"A \\\"quoted\\\" title\"   # beside\n"
    " path 3\nlevel on-call\n teaches \"t\"\n brief \"b\\nc\"\n debrief \"d\"\n"
    " reconstructed \"a report\"\n source \"https://example.org/x\"\n"
    " start 2026-03-02T03:00:00Z\n interval 30s\n length 2h\n onset 40m\n lead 20m\n"
    " rules host shop.yml\n config routes.yml\n oncall ana after 5m ben after 10m cat\n"
    " series up{job=\"a b\",x=\"}\"}   1x3  0x2\n counter c_total 5 for 1h, 9 to 20 for 10m, 20 noise 2%\n"
    " samples shop.csv at 10m\n fault spike up 3 from 1m to 30m every 5m\n"
    " fault set up 0 from 40m until mended after 2m\n at 35m deploy \"x\"\n"
    " at 45m expect state A pending\n by 50m expect page ana A\n expect no page to ben for A\n"
    " question q \"why?\" accept \"because\" ~\"a\\\\\\\"b\\d\"\n hypothesis h right \"it\" accept \"x\"\n"
    " action a mends \"do\"\n hint cost 2 \"look\"\n graph up c_total\n runbook host#hostdiskfull\n"
    " escalate \"nobody else may\"\n limit ack 5m\n limit hints 1\n really ack 1m \"quick\"\n really tell never\n"
    " player perfect\n within 5m of page ack\nthen 1m query \"up == 0\"\nat onset+3m escalate\n"
    " expect ack <= 5m\n expect tell never\n# and below\n";

static void test_prints_stably(void **state)
{
    STR_AUTO struct str once = STR_INIT(64 * 1024), twice = STR_INIT(64 * 1024);
    struct drill *drill = NULL;
    struct err err = {0};

    if (drill_parse(everything, strlen(everything), &drill, &err) != 0)
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    drill_print(drill, &once);
    drill_free(drill);
    if (drill_parse(str_text(&once), once.len, &drill, &err) != 0)
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    drill_print(drill, &twice);
    assert_string_equal(str_text(&once), str_text(&twice));
    assert_non_null(strstr(str_text(&once), "\n    series up{job=\"a b\",x=\"}\"} 1x3 0x2\n"));
    assert_non_null(strstr(str_text(&once), "\n        within 5m of page ack\n"));
    assert_non_null(strstr(str_text(&once), "drill \"A \\\"quoted\\\" title\" # beside\n"));
    assert_non_null(strstr(str_text(&once), "~\"a\\\\\\\"b\\d\""));
    assert_string_equal(drill->runbooks[0].text, "host#hostdiskfull"); /* no comment */
    assert_int_equal(drill->n_players, 1);
    assert_int_equal(drill->players[0].n_acts, 3);
    assert_string_equal(drill->brief, "b\nc");
    drill_free(drill);
}

static void test_every_beginning(void **state)
{
    size_t n_read = 0;

    for (size_t len = 0; len <= strlen(everything); len++) {
        struct drill *drill = NULL;
        struct err err = {0};

        if (drill_parse(everything, len, &drill, &err) == 0)
            n_read++;
        else
            assert_true(err.text[0] != '\0');
        drill_free(drill);
    }
    assert_true(n_read > 0);
}

static void test_accepts(void **state)
{
    static const char text[] = HEAD
        "    hypothesis disk right \"the disk is full\" accept ~\"disk|/var\"\n"
        "    hypothesis net wrong \"the network\" accept ~\"network\"\n";
    struct drill *drill = NULL;
    struct err err = {0};

    assert_int_equal(drill_parse(text, strlen(text), &drill, &err), 0);

    const struct drill_idea *ideas = drill->hypotheses;
    const struct {
        const char *said, *id;
    } said[] = {
        {"  The DISK is   full ", "disk"},
        {"/var has no room", "disk"},
        {"disk", "disk"},
        {"disk or network", "net"}, /* what would be wrong comes first: naming all is not knowing */
        {"cosmic rays", NULL},
    };

    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        const struct drill_idea *idea = drill_idea_find(ideas, drill->n_hypotheses, said[i].said);

        row("%s", said[i].said);
        if (!said[i].id)
            assert_null(idea);
        else
            assert_string_equal(idea ? idea->id : "none", said[i].id);
    }
    drill_free(drill);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_prints_stably),
        cmocka_unit_test(test_every_beginning),
        cmocka_unit_test(test_accepts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
