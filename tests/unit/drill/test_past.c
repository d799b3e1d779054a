/*
 * A drill that was played as a past: when its trouble was, by who mended it, and where its evaluations lie.
 */

#include <string.h>

#include "alertd/drill/headless.h"
#include "alertd/drill/past.h"
#include "tests/lib/drill_text.h"
#include "tests/lib/row.h"

#define MINUTE INT64_C(60000)

#define RULES                                         \
    "groups:\n- name: g\n  interval: 15s\n  rules:\n" \
    "  - {alert: Long, expr: queue > 100, annotations: {summary: 'the queue waits'}}\n"

#define DRILL                                                                               \
    "drill \"The queue\"\n start 2026-03-02T14:00:10Z\n length 1h\n onset 20m\n lead 30m\n" \
    " rules r.yml\n oncall ana after 5m ben\n series queue{job=\"a\"} 1 for 20m, 400\n"     \
    " fault set queue 1 from 20m to 20m15s\n action b mends \"roll back\"\n"                \
    " player quick\n  at 30m ack\n  at 31m do \"roll back\"\n player late\n  at 20m30s ack\n"

static void test_when_it_was_bad(void **state)
{
    static const struct {
        const char *player;
        int64_t end_ms;
        const char *words;
    } rows[] = {
        {"quick", 31 * MINUTE, "until it was mended"},
        {"late", 60 * MINUTE, "until its end"},
    };
    struct drill_case *made = drill_of_text(DRILL, RULES);

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct drill_played played;

        row("%s", rows[i].player);
        drill_play(made, drill_player_find(made->drill, rows[i].player), 7, &played);
        const struct drill_past past = drill_past_of(made, played.world);
        int64_t zero_ms = made->drill->start_ms;
        assert_int_equal(past.begin_ms - zero_ms, 20 * MINUTE);
        assert_int_equal(past.end_ms - zero_ms, rows[i].end_ms);
        assert_int_equal(past.from_ms - zero_ms, -drill_world_lead_ms(played.world));
        assert_int_equal(past.to_ms - zero_ms, 60 * MINUTE);
        assert_non_null(strstr(past.words, rows[i].words));
        assert_int_equal(drill_past_phase_ms(&past, 15000), 10000);
        assert_int_equal(drill_past_phase_ms(&past, 60000), 10000);
        drill_played_done(&played);
    }
    drill_case_free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_when_it_was_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
