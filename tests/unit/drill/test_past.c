/*
 * A drill that was played as a past: when its trouble was, by who mended it, and where its evaluations lie.
 */

#include <errno.h>
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
    " player quick\n  at 30m ack\n  at 31m do \"roll back\"\n player late\n  at page+1m ack\n"

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

static bool is_longer_than(const void *arg)
{
    static size_t n_asked;
    const size_t *most = arg;

    n_asked = *most == 0 ? 0 : n_asked + 1; /* 0: begins anew */
    return *most != 0 && n_asked > *most;
}

/* Played for somebody who waits no longer than so many of its minutes. */
static void test_who_waits_may_give_up(void **state)
{
    static const struct {
        size_t minutes;
        const char *player;
        bool is_over;
    } rows[] = {
        {1, NULL, true},
        {30, "quick", true},
        {40, "late", true}, /* while its player waits for a page */
        {10000, "quick", false},
    };
    static const size_t anew = 0;
    struct drill_case *made = drill_of_text(DRILL, RULES);

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct drill_player *player = rows[i].player
                                                ? drill_player_find(made->drill, rows[i].player)
                                                : NULL;
        const struct drill_patience patience = {is_longer_than, &rows[i].minutes};
        struct drill_played played;
        struct drill_played whole;
        row("%zu minutes", rows[i].minutes);
        (void)is_longer_than(&anew);
        assert_int_equal(drill_play_for(made, player, 7, &patience, &played),
                         rows[i].is_over ? -ECANCELED : 0);
        int64_t went_ms = drill_world_now_ms(played.world) + drill_world_lead_ms(played.world);
        drill_play(made, player, 7, &whole);
        if (rows[i].is_over)
            assert_int_equal(went_ms, (int64_t)rows[i].minutes * MINUTE);
        else
            assert_int_equal(played.hash, whole.hash);
        drill_played_done(&played);
        drill_played_done(&whole);
    }
    drill_case_free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_when_it_was_bad),
        cmocka_unit_test(test_who_waits_may_give_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
