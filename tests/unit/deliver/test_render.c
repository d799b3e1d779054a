/*
 * What people read: the words of a page, on time, late, over, reminding, closed.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/deliver/render.h"
#include "tests/unit/deliver/some_page.h"

static void test_the_first_page(void **state)
{
    STR_AUTO struct str text = STR_INIT(8192);
    struct some_page some;

    some_page_init(&some);
    render_subject(&some.page, &text);
    assert_string_equal(str_text(&text),
                        "[critical] The shop does not answer and 1 more (INC-2026-0012)");
    str_cut(&text, 0);
    render_text(&some.page, &text);
    assert_string_equal(str_text(&text),
                        "The shop does not answer\n"
                        "Since 14:02:11 UTC, for 31 s.\n"
                        "\n"
                        "Acknowledge: http://watch/a/TOKEN\n"
                        "Runbook:     https://wiki/shop?a=1&b=2\n"
                        "Incident:    http://watch/i/INC-2026-0012\n"
                        "\n"
                        "Alerts: 2 firing of 2\n"
                        "- ShopDown on https://shop: The shop does not answer (value 0)\n"
                        "- ShopDown on https://cart\n"
                        "\n"
                        "Was this page worth it? Each link asks once more.\n"
                        "Useful:      http://watch/a/TOKEN?verdict=useful&page=4&via=mail\n"
                        "Noise:       http://watch/a/TOKEN?verdict=noise&page=4&via=mail\n"
                        "Don't know:  http://watch/a/TOKEN?verdict=unknown&page=4&via=mail\n"
                        "\n"
                        "INC-2026-0012, critical, told to oncall by alertd\n");
    some_page_done(&some);
}

static void test_late_and_over(void **state)
{
    STR_AUTO struct str text = STR_INIT(8192);
    struct some_page some;

    some_page_init(&some);
    some_page_over(&some);
    some.page.now_ms = FIRED_MS + 120 * SECOND_MS;
    some.page.earlier_error = "http://hook answered HTTP 429: too many requests";
    render_subject(&some.page, &text);
    assert_string_equal(str_text(&text), "[over] The shop does not answer (INC-2026-0012)");
    str_cut(&text, 0);
    render_text(&some.page, &text);
    assert_string_equal(str_text(&text),
                        "The shop does not answer\n"
                        "Over at 14:02:26 UTC, fired at 14:02:11 UTC: 15 s.\n"
                        "Late: fired 14:02:11 UTC, over at 14:02:26 UTC, delivered 1 min 30 s "
                        "late: http://hook answered HTTP 429: too many requests\n"
                        "\n"
                        "Runbook:     https://wiki/shop?a=1&b=2\n"
                        "Incident:    http://watch/i/INC-2026-0012\n"
                        "\n"
                        "Alerts: 0 firing of 2\n"
                        "- over: ShopDown on https://shop: The shop does not answer (value 0)\n"
                        "- over: ShopDown on https://cart\n"
                        "\n"
                        "Was this page worth it? Each link asks once more.\n"
                        "Useful:      http://watch/a/TOKEN?verdict=useful&page=4&via=mail\n"
                        "Noise:       http://watch/a/TOKEN?verdict=noise&page=4&via=mail\n"
                        "Don't know:  http://watch/a/TOKEN?verdict=unknown&page=4&via=mail\n"
                        "\n"
                        "INC-2026-0012, critical, told to oncall by alertd\n");
    some_page_done(&some);
}

static const struct {
    const char *name;
    const char *reason, *by;
    enum incident_status status;
    unsigned n_firing;
    int64_t at_s; /* after it fired */
    const char *subject, *first_lines;
} pages[] = {
    {"a reminder", "repeat", NULL, INCIDENT_TRIGGERED, 1, 7200,
     "[still critical] The shop does not answer (INC-2026-0012)",
     "Since 14:02:11 UTC, for 2 h. Nobody has acknowledged it.\n"},
    {"news of what somebody looks at", "new alerts", "ana", INCIDENT_ACKNOWLEDGED, 2, 600,
     "[critical] The shop does not answer and 1 more (INC-2026-0012)",
     "Since 14:02:11 UTC, for 10 min. Acknowledged by ana.\n"},
    {"closed by a person while it fires", "resolved", "ben", INCIDENT_RESOLVED, 1, 60,
     "[over] The shop does not answer (INC-2026-0012)",
     "Closed at 14:02:26 UTC by ben, fired at 14:02:11 UTC: 15 s. 1 alert still fires.\n"},
    {"the next day the date is said", "repeat", NULL, INCIDENT_TRIGGERED, 1, 86400,
     "[still critical] The shop does not answer (INC-2026-0012)",
     "Since 2026-11-23 14:02:11 UTC, for 1 d. Nobody has acknowledged it.\n"},
};

static void test_what_a_lock_screen_says(void **state)
{
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        STR_AUTO struct str text = STR_INIT(8192);
        struct some_page some;

        row("%s", pages[i].name);
        some_page_init(&some);
        some.page.reason = pages[i].reason;
        some.page.incident.status = pages[i].status;
        some.page.incident.acknowledged_by = pages[i].by;
        some.page.incident.resolved_by = pages[i].by;
        some.page.incident.resolved_at_ms = FIRED_MS + 15 * SECOND_MS;
        some.page.incident.n_firing = pages[i].n_firing;
        some.page.now_ms = FIRED_MS + pages[i].at_s * SECOND_MS;
        some.page.owed_at_ms = some.page.now_ms;
        render_subject(&some.page, &text);
        assert_string_equal(str_text(&text), pages[i].subject);
        str_cut(&text, 0);
        render_short(&some.page, &text);
        assert_memory_equal(str_text(&text), pages[i].first_lines, strlen(pages[i].first_lines));
        some_page_done(&some);
    }
}

static void test_html_is_escaped(void **state)
{
    STR_AUTO struct str text = STR_INIT(16384);
    struct some_page some;

    some_page_init(&some);
    some.page.incident.title = "<img src=x onerror=alert(1)> \"&'";
    render_html(&some.page, &text);
    assert_null(strstr(str_text(&text), "<img"));
    assert_non_null(strstr(str_text(&text), "&lt;img src=x onerror=alert(1)&gt; &quot;&amp;&#39;"));
    assert_non_null(strstr(str_text(&text), "href=\"https://wiki/shop?a=1&amp;b=2\""));
    assert_non_null(strstr(str_text(&text), "href=\"http://watch/a/TOKEN\""));
    row("a runbook that is no web address is no link");
    str_cut(&text, 0);
    const struct label evil[] = {{"runbook_url", "javascript:alert(1)"}};
    const struct labels *annotations = labels_new(evil, 1);
    some.alerts[0].annotations = some.alerts[1].annotations = annotations;
    render_html(&some.page, &text);
    assert_null(strstr(str_text(&text), "javascript:"));
    labels_unref(annotations);
    some_page_done(&some);
}

static void test_a_title_can_not_break_the_subject(void **state)
{
    STR_AUTO struct str text = STR_INIT(8192);
    struct some_page some;

    some_page_init(&some);
    some.page.incident.title = "down\r\nBcc: all@example.org";
    render_subject(&some.page, &text);
    assert_null(strpbrk(str_text(&text), "\r\n"));
    some_page_done(&some);
}

static const struct {
    const char *lane, *mark;
} lanes[] = {
    {"shadow", "SHADOW - practice copy, not yours to fix"},
    {"test", "TEST - nothing is wrong"},
};

static void test_what_is_no_real_page_says_so_first(void **state)
{
    for (size_t i = 0; i < sizeof(lanes) / sizeof(lanes[0]); i++) {
        STR_AUTO struct str text = STR_INIT(16384);
        struct some_page some;
        char subject[200];

        row("%s", lanes[i].lane);
        some_page_init(&some);
        some.page.lane = lanes[i].lane;
        (void)snprintf(subject, sizeof(subject), "[%s] [critical] The shop", lanes[i].mark);
        render_subject(&some.page, &text);
        assert_memory_equal(str_text(&text), subject, strlen(subject));
        str_cut(&text, 0);
        render_text(&some.page, &text);
        assert_memory_equal(str_text(&text), lanes[i].mark, strlen(lanes[i].mark));
        str_cut(&text, 0);
        render_short(&some.page, &text);
        assert_memory_equal(str_text(&text), lanes[i].mark, strlen(lanes[i].mark));
        str_cut(&text, 0);
        render_html(&some.page, &text);
        assert_true(strstr(str_text(&text), lanes[i].mark) < strstr(str_text(&text), "<h2"));
        assert_null(strstr(str_text(&text), "worth it"));
        some_page_done(&some);
    }
    struct some_page some;

    some_page_init(&some);
    some.page.lane = "page";
    assert_null(render_mark(&some.page));
    some_page_done(&some);
}

static void test_links_to_the_graph(void **state)
{
    STR_AUTO struct str text = STR_INIT(8192);
    struct some_page some;

    some_page_init(&some);
    render_explore_url(&some.page, &some.alerts[0], &text);
    assert_string_equal(str_text(&text), "http://watch/explore?expr=probe_success%20%3D%3D%200");
    some_page_done(&some);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_page),
        cmocka_unit_test(test_late_and_over),
        cmocka_unit_test(test_what_a_lock_screen_says),
        cmocka_unit_test(test_html_is_escaped),
        cmocka_unit_test(test_a_title_can_not_break_the_subject),
        cmocka_unit_test(test_what_is_no_real_page_says_so_first),
        cmocka_unit_test(test_links_to_the_graph),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
