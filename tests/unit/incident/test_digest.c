/*
 * A flood in one page: counted, the worst named, every incident linked, nothing twice.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/incident/digest.h"
#include "tests/lib/row.h"

enum {
    N_SHOPS = 30,
};
#define FIRED_MS INT64_C(1795442531000) /* 2026-11-23T14:02:11Z */

struct flood {
    struct page pages[DIGEST_PAGES_MAX + 1];
    struct incident_alert alerts[N_SHOPS];
    const struct labels *labels[N_SHOPS];
    char keys[N_SHOPS][32], urls[N_SHOPS][64];
};

/* n incidents of one alert each; every third critical, the rest warnings. */
static void flood_init(struct flood *flood, size_t n)
{
    memset(flood, 0, sizeof(*flood));
    for (size_t i = 0; i < n; i++) {
        char instance[32];
        const struct label pairs[] = {{"alertname", i % 3 ? "DiskFull" : "ShopDown"},
                                      {"cluster", "eu"},
                                      {"instance", instance},
                                      {"severity", i % 3 ? "warning" : "critical"}};

        (void)snprintf(instance, sizeof(instance), "host%zu", i);
        (void)snprintf(flood->keys[i], sizeof(flood->keys[i]), "INC-2026-%04zu", i);
        (void)snprintf(flood->urls[i], sizeof(flood->urls[i]), "http://watch/i/INC-2026-%04zu", i);
        flood->labels[i] = labels_new(pairs, 4);
        flood->alerts[i] = (struct incident_alert){
            .rule_id = 1,
            .fingerprint = i + 1,
            .name = pairs[0].value,
            .labels = flood->labels[i],
            .annotations = labels_empty(),
            .firing = true,
            .fired_at_ms = FIRED_MS,
        };
        flood->pages[i] = (struct page){
            .incident = {.key = flood->keys[i],
                         .title = i % 3 ? "The disk is full" : "The <shop> is down",
                         .severity = pairs[3].value,
                         .status = INCIDENT_TRIGGERED,
                         .opened_at_ms = FIRED_MS + (int64_t)i * 1000,
                         .n_alerts = 1,
                         .n_firing = 1},
            .alerts = &flood->alerts[i],
            .n_alerts = 1,
            .reason = "first",
            .receiver = "oncall",
            .now_ms = FIRED_MS + 60000,
            .owed_at_ms = FIRED_MS + 30000 + (int64_t)i * 1000,
            .incident_url = flood->urls[i],
            .acknowledge_url = "http://watch/a/TOKEN",
            .external_url = "http://watch",
        };
    }
}

static void flood_done(struct flood *flood)
{
    for (size_t i = 0; i < N_SHOPS; i++)
        labels_unref(flood->labels[i]);
}

static unsigned count_of(const char *text, const char *word)
{
    unsigned n = 0;

    for (text = strstr(text, word); text; text = strstr(text + 1, word))
        n++;
    return n;
}

static void test_what_a_flood_says(void **state)
{
    static const char expected[] = "6 pages in one: 6 incidents; 6 of 6 alerts firing.\n"
                                   "The first was due at 14:02:41 UTC.\n"
                                   "Severities: 2 critical, 4 warning\n"
                                   "Alerts: 4 DiskFull, 2 ShopDown\n"
                                   "In common: 6 cluster=eu\n"
                                   "\n"
                                   "Incidents, the worst first:\n"
                                   "\n"
                                   "- [critical] The <shop> is down (INC-2026-0000)\n"
                                   "  1 of 1 alert firing, since 14:02:11 UTC\n"
                                   "  Acknowledge: http://watch/a/TOKEN\n"
                                   "  Incident:    http://watch/i/INC-2026-0000\n";

    static struct flood flood;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    struct page page;

    arena_init(&arena, 4 * 1024 * 1024);
    flood_init(&flood, 6);
    assert_int_equal(digest_fold(flood.pages, 6, &arena, &page, &err), 0);
    assert_string_equal(page.digest->subject,
                        "[critical] 6 incidents with 6 alerts, the worst: The <shop> is down");
    assert_memory_equal(page.digest->text, expected, strlen(expected));
    assert_non_null(strstr(page.digest->html, "The &lt;shop&gt; is down (INC-2026-0003)"));
    assert_null(strstr(page.digest->html, "<shop>"));
    assert_string_equal(page.incident.key, "INC-2026-0000");
    assert_string_equal(page.lane, "digest");
    assert_int_equal(page.incident.n_firing, 6);
    assert_int_equal(page.owed_at_ms, FIRED_MS + 30000);
    assert_null(page.acknowledge_url);
    flood_done(&flood);
}

static void test_nothing_is_lost_and_nothing_is_twice(void **state)
{
    static struct flood flood;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    struct page page;
    size_t n = 0;

    arena_init(&arena, 16 * 1024 * 1024);
    flood_init(&flood, N_SHOPS);
    for (n = N_SHOPS; n < DIGEST_PAGES_MAX; n++)
        flood.pages[n] = flood.pages[n % N_SHOPS];
    row("the last page about an incident says how it is");
    flood.pages[DIGEST_PAGES_MAX - 1].incident.status = INCIDENT_RESOLVED;
    flood.pages[DIGEST_PAGES_MAX - 1].incident.resolved_at_ms = FIRED_MS + 15000;
    flood.pages[0].incident.n_alerts = 700; /* superseded: not counted */
    assert_int_equal(digest_fold(flood.pages, n, &arena, &page, &err), 0);
    assert_memory_equal(page.digest->text, "200 pages in one: 30 incidents, 1 of them over; 30 of",
                        52);
    for (size_t i = 0; i < N_SHOPS; i++) {
        char link[80];

        (void)snprintf(link, sizeof(link), "%s\n", flood.urls[i]);
        assert_int_equal(count_of(page.digest->text, link), 1);
        (void)snprintf(link, sizeof(link), "\"%s\"", flood.urls[i]);
        assert_int_equal(count_of(page.digest->html, link), 1);
    }
    assert_int_equal(page.n_alerts, N_SHOPS);
    row("what is over is last");
    assert_non_null(strstr(strstr(page.digest->text, "[over]"), "told to oncall"));
    assert_int_equal(count_of(strstr(page.digest->text, "[over]"), "\n- "), 0);
    row("alerts that a page only counts are counted");
    flood.pages[DIGEST_PAGES_MAX - 2].incident.n_alerts = 8;
    assert_int_equal(digest_fold(flood.pages, n, &arena, &page, &err), 0);
    assert_non_null(strstr(page.digest->text, "7 more alerts only counted."));
    assert_int_equal(page.incident.n_alerts, N_SHOPS + 7);
    flood_done(&flood);
}

static void test_what_is_no_digest(void **state)
{
    static struct flood flood;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    struct page page;

    arena_init(&arena, 4 * 1024 * 1024);
    flood_init(&flood, 3);
    assert_int_equal(digest_fold(flood.pages, 0, &arena, &page, &err), DIGEST_E_PAGES);
    assert_int_equal(digest_fold(flood.pages, DIGEST_PAGES_MAX + 1, &arena, &page, &err),
                     DIGEST_E_PAGES);
    row("a practice copy is not hidden among real pages");
    flood.pages[1].lane = "shadow";
    assert_int_equal(digest_fold(flood.pages, 3, &arena, &page, &err), DIGEST_E_PAGES);
    row("and a digest of practice copies is one");
    flood.pages[0].lane = flood.pages[2].lane = "shadow";
    assert_int_equal(digest_fold(flood.pages, 3, &arena, &page, &err), 0);
    assert_string_equal(page.lane, "shadow");
    flood_done(&flood);
}

/* Every limit of the arena from nothing to enough: an answer or DIGEST_E_MEMORY. */
static void test_little_memory(void **state)
{
    static struct flood flood;
    struct err err = {0};
    unsigned n_refused = 0;
    int r = DIGEST_E_MEMORY;

    flood_init(&flood, 3);
    for (size_t limit = 0; r != 0 && limit < 256 * 1024; limit += 64) {
        ARENA_AUTO struct arena arena;
        struct page page;

        arena_init(&arena, limit);
        r = digest_fold(flood.pages, 3, &arena, &page, &err);
        if (r) {
            assert_int_equal(r, DIGEST_E_MEMORY);
            n_refused++;
        }
    }
    assert_int_equal(r, 0);
    assert_true(n_refused > 10);
    flood_done(&flood);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_flood_says),
        cmocka_unit_test(test_nothing_is_lost_and_nothing_is_twice),
        cmocka_unit_test(test_what_is_no_digest),
        cmocka_unit_test(test_little_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
