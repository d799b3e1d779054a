/*
 * The webhook's payload field by field, text as mail and HTTP want it, and when to try
 * again.
 */

#include <string.h>

#include "alertd/deliver/encode.h"
#include "alertd/deliver/payload.h"
#include "alertd/deliver/receiver.h"
#include "lib/json/read.h"
#include "tests/unit/deliver/some_page.h"

static const char *text_of(const struct json *object, const char *key)
{
    const char *text = NULL;
    struct err err = {0};

    if (json_get_string(object, key, &text, &err))
        fail_msg("%s", err.text);
    return text;
}

static const struct json *object_of(const struct json *object, const char *key)
{
    const struct json *value = NULL;

    assert_int_equal(json_get_object(object, key, &value, NULL), 0);
    return value;
}

static struct json *payload_of(const struct page *page, size_t max_alerts)
{
    STR_AUTO struct str text = STR_INIT(1 << 20);
    struct json *root = NULL;
    struct err err = {0};

    payload_write(page, max_alerts, &text);
    if (json_parse(str_text(&text), text.len, &root, &err))
        fail_msg("%s", err.text);
    return root;
}

static void test_a_firing_payload(void **state)
{
    const struct json *alerts = NULL;
    struct some_page some;
    int64_t truncated = -1;

    some_page_init(&some);
    struct json *root = payload_of(&some.page, 0);

    assert_string_equal(text_of(root, "version"), "4");
    assert_string_equal(text_of(root, "groupKey"), "{}:{alertname=\"ShopDown\", job=\"probe\"}");
    assert_string_equal(text_of(root, "status"), "firing");
    assert_string_equal(text_of(root, "receiver"), "oncall");
    assert_string_equal(text_of(root, "externalURL"), "http://watch");
    assert_string_equal(text_of(root, "notification_reason"), "first notification");
    assert_int_equal(json_get_int(root, "truncatedAlerts", &truncated, NULL), 0);
    assert_int_equal(truncated, 0);
    assert_int_equal(json_length(object_of(root, "groupLabels")), 2);
    assert_int_equal(json_length(object_of(root, "routeLabels")), 0);

    row("common is what all alerts share, value included");
    assert_int_equal(json_length(object_of(root, "commonLabels")), 3);
    assert_false(json_has(object_of(root, "commonLabels"), "instance"));
    assert_string_equal(text_of(object_of(root, "commonAnnotations"), "runbook_url"),
                        "https://wiki/shop?a=1&b=2");
    assert_false(json_has(object_of(root, "commonAnnotations"), "summary"));

    assert_int_equal(json_get_array(root, "alerts", &alerts, NULL), 0);
    assert_int_equal(json_length(alerts), 2);
    const struct json *alert = json_at(alerts, 0);
    assert_string_equal(text_of(alert, "status"), "firing");
    assert_string_equal(text_of(alert, "startsAt"), "2026-11-23T14:02:11.000Z");
    assert_string_equal(text_of(alert, "endsAt"), "0001-01-01T00:00:00Z");
    assert_string_equal(text_of(alert, "fingerprint"), "ffcc066495a65e21");
    assert_string_equal(text_of(json_at(alerts, 1), "fingerprint"), "438ed1a921f9ad0f");
    assert_string_equal(text_of(object_of(alert, "labels"), "instance"), "https://shop");
    assert_string_equal(text_of(object_of(root, "watchbill"), "acknowledge_url"),
                        "http://watch/a/TOKEN");
    assert_false(json_has(object_of(root, "watchbill"), "late"));
    assert_string_equal(text_of(object_of(root, "watchbill"), "lane"), "page");
    assert_false(json_has(object_of(root, "watchbill"), "mark"));
    json_free(root);
    some_page_done(&some);
}

static void test_a_late_resolved_payload_cut_to_one(void **state)
{
    const struct json *alerts = NULL;
    struct some_page some;
    int64_t truncated = -1;

    some_page_init(&some);
    some_page_over(&some);
    some.page.now_ms = FIRED_MS + 120 * SECOND_MS;
    some.page.earlier_error = "HTTP 429";
    some.page.lane = "shadow";
    struct json *root = payload_of(&some.page, 1);

    assert_string_equal(text_of(root, "status"), "resolved");
    assert_string_equal(text_of(root, "notification_reason"), "all alerts resolved");
    assert_int_equal(json_get_int(root, "truncatedAlerts", &truncated, NULL), 0);
    assert_int_equal(truncated, 1);
    assert_int_equal(json_get_array(root, "alerts", &alerts, NULL), 0);
    assert_int_equal(json_length(alerts), 1);
    assert_string_equal(text_of(json_at(alerts, 0), "endsAt"), "2026-11-23T14:02:26.000Z");
    assert_string_equal(text_of(object_of(root, "watchbill"), "late"),
                        "fired 14:02:11 UTC, over at 14:02:26 UTC, delivered 1 min 30 s late: "
                        "HTTP 429");
    assert_string_equal(text_of(object_of(root, "watchbill"), "lane"), "shadow");
    assert_string_equal(text_of(object_of(root, "watchbill"), "mark"),
                        "SHADOW - practice copy, not yours to fix");
    json_free(root);
    some_page_done(&some);
}

static void test_header_texts(void **state)
{
    static const struct {
        const char *name, *text, *encoded;
    } rows[] = {
        {"plain", "The shop is down", "The shop is down"},
        {"no second header", "x\r\nBcc: a@b", "x  Bcc: a@b"},
        {"not ASCII", "Caf\xc3\xa9", "=?UTF-8?B?Q2Fmw6k=?="},
        {"what looks encoded is encoded", "=?UTF-8?Q?x?=", "=?UTF-8?B?PT9VVEYtOD9RP3g/PQ==?="},
        {"long words are folded between characters",
         "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
         "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
         "\xc3\xa9",
         "=?UTF-8?B?w6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6k=?=\r\n "
         "=?UTF-8?B?w6k=?="},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        STR_AUTO struct str text = STR_INIT(1000);

        row("%s", rows[i].name);
        encode_header(rows[i].text, &text);
        assert_string_equal(str_text(&text), rows[i].encoded);
    }
}

static void test_quoted_printable(void **state)
{
    STR_AUTO struct str text = STR_INIT(1000);

    encode_quoted_printable("a = b\xc3\xa9 \nend ", &text);
    assert_string_equal(str_text(&text), "a =3D b=C3=A9=20\r\nend=20");
    row("no line is longer than 76, and no escape is cut");
    str_cut(&text, 0);
    encode_quoted_printable("0123456789012345678901234567890123456789012345678901234567890123456789"
                            "0123\xc3\xa9z",
                            &text);
    assert_string_equal(
        str_text(&text),
        "01234567890123456789012345678901234567890123456789012345678901234567890123=\r\n=C3=A9z");
}

static void test_percent(void **state)
{
    STR_AUTO struct str text = STR_INIT(100);

    encode_percent("a b&\xc3\xa9/~", &text);
    assert_string_equal(str_text(&text), "a%20b%26%C3%A9%2F~");
}

static void test_when_to_try_again(void **state)
{
    static const struct {
        const char *name;
        enum deliver_verdict verdict;
        unsigned attempts;
        int64_t asked_ms, least_ms, most_ms;
    } rows[] = {
        {"first failure", DELIVER_LATER, 1, -1, 250, 2000},
        {"fourth", DELIVER_LATER, 4, -1, 250, 16000},
        {"the hundredth is a minute at most", DELIVER_LATER, 100, -1, 250, 60000},
        {"asked for 2 s", DELIVER_LATER, 1, 2000, 2000, 2000},
        {"asked for an hour: five minutes", DELIVER_LATER, 1, 3600000, 300000, 300000},
        {"asked for nothing", DELIVER_LATER, 1, 0, 250, 2000},
        {"refused", DELIVER_REFUSED, 1, -1, 300000, 300000},
    };
    struct rng rng = {.state = 1};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct deliver_outcome outcome = {.verdict = rows[i].verdict,
                                                .retry_after_ms = rows[i].asked_ms};

        row("%s", rows[i].name);
        for (int round = 0; round < 1000; round++) {
            int64_t pause_ms = deliver_retry_at(&outcome, rows[i].attempts, 5000, &rng) - 5000;

            assert_in_range(pause_ms, rows[i].least_ms, rows[i].most_ms);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_firing_payload),
        cmocka_unit_test(test_a_late_resolved_payload_cut_to_one),
        cmocka_unit_test(test_header_texts),
        cmocka_unit_test(test_quoted_printable),
        cmocka_unit_test(test_percent),
        cmocka_unit_test(test_when_to_try_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
