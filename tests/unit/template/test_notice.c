/*
 * Templates of notifications: text against what becomes of it, with these alerts:
 *
 *     firing    ShopDown{instance="a", job="shop"}  summary="no answer"  since 2023-11-14 22:13:20
 *     resolved  ShopDown{instance="b", job="shop"}  summary="<slow> & old"   over five minutes later
 */

#include <string.h>

#include "alertd/template/notice.h"
#include "tests/lib/row.h"

#define SINCE_MS INT64_C(1700000000000)

static int expand_with(
    const char *file, const char *text, bool is_html, struct str *out, struct err *reterr)
{
    static const struct label labels_a[] = {
        {"alertname", "ShopDown"}, {"instance", "a"}, {"job", "shop"}};
    static const struct label labels_b[] = {
        {"alertname", "ShopDown"}, {"instance", "b"}, {"job", "shop"}};
    static const struct label said_a[] = {{"summary", "no answer"}};
    static const struct label said_b[] = {{"summary", "<slow> & old"}};
    static const struct label group[] = {{"job", "shop"}};
    static const struct label common[] = {{"alertname", "ShopDown"}, {"job", "shop"}};
    ARENA_AUTO struct arena arena;
    struct tmpl_library library;
    struct tmpl *template = NULL;

    arena_init(&arena, 4 * 1024 * 1024);

    const struct notice_alert alerts[] = {
        {true, labels_in_arena(&arena, labels_a, 3), labels_in_arena(&arena, said_a, 1), SINCE_MS,
         INT64_MIN, "http://h/g?a=1&b=2", "00ff"},
        {false, labels_in_arena(&arena, labels_b, 3), labels_in_arena(&arena, said_b, 1), SINCE_MS,
         SINCE_MS + 300000, "javascript:alert(1)", "00fe"},
    };
    const struct notice_data data = {
        .receiver = "night",
        .status = "firing",
        .reason = "first notification",
        .external_url = "http://watch.example.org",
        .alerts = alerts,
        .n_alerts = 2,
        .has_alerts = true,
        .group_labels = labels_in_arena(&arena, group, 1),
        .common_labels = labels_in_arena(&arena, common, 2),
        .common_annotations = labels_empty(),
        .now_ms = SINCE_MS + 3600000,
    };
    int r = notice_library_make(&arena, &library, reterr);

    if (!r && file)
        r = notice_add(&library, &arena, "/etc/alertd/team.tmpl", file, reterr);
    if (!r)
        r = tmpl_library_check_names(&library, reterr);
    if (!r)
        r = notice_parse(&library, &arena, text, &template, reterr);
    if (!r)
        r = tmpl_check_names(template, reterr);
    return r ? r : notice_expand(template, &data, is_html, out, reterr);
}

struct row {
    const char *text, *want;
};

static void check(const char *file, const struct row *rows, size_t n, bool is_html)
{
    for (size_t i = 0; i < n; i++) {
        STR_AUTO struct str out = STR_INIT(TMPL_OUTPUT_MAX);
        struct err err = {0};

        row("%s", rows[i].text);
        if (expand_with(file, rows[i].text, is_html, &out, &err))
            fail_msg("%u:%u: %s", err.line, err.column, err.text);
        assert_string_equal(str_text(&out), rows[i].want);
    }
}

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

static void test_data(void **state)
{
    static const struct row rows[] = {
        {"{{ .Receiver }} {{ .Status }} {{ .NotificationReason }}",
         "night firing first notification"},
        {"{{ len .Alerts }} {{ len .Alerts.Firing }} {{ .Alerts.Resolved | len }}", "2 1 1"},
        {"{{ range .Alerts }}{{ .Status }}:{{ .Labels.instance }} {{ end }}",
         "firing:a resolved:b "},
        {"{{ (index .Alerts 0).Annotations.summary }}", "no answer"},
        {"{{ .CommonLabels }}", "alertname=ShopDown, job=shop"},
        {"{{ .CommonLabels.SortedPairs }}", "alertname=ShopDown, job=shop"},
        {"{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }};{{ end }}",
         "alertname=ShopDown;job=shop;"},
        {"{{ range $k, $v := .CommonLabels }}{{ $k }}:{{ $v }},{{ end }}",
         "alertname:ShopDown,job:shop,"},
        {"{{ .CommonLabels.Names | join \"+\" }} {{ .CommonLabels.Values | join \"+\" }}",
         "alertname+job ShopDown+shop"},
        {"{{ .CommonLabels.Remove .GroupLabels.Names }}", "alertname=ShopDown"},
        {"{{ with .CommonLabels.Remove (stringSlice \"job\") }}{{ .Values }}{{ end }}",
         "[ShopDown]"},
        {"[{{ .CommonLabels.missing }}]", "[]"},
        {"{{ if gt (len .CommonLabels) (len .GroupLabels) }}more{{ end }}", "more"},
        {"{{ (index .Alerts.Resolved 0).Fingerprint }}", "00fe"},
    };

    check(NULL, rows, N(rows), false);
}

static void test_times(void **state)
{
    static const struct row rows[] = {
        {"{{ (index .Alerts 0).StartsAt }}", "2023-11-14 22:13:20 +0000 UTC"},
        {"{{ (index .Alerts 0).EndsAt }}", "0001-01-01 00:00:00 +0000 UTC"},
        {"{{ (index .Alerts 0).EndsAt.IsZero }} {{ (index .Alerts 1).EndsAt.IsZero }}",
         "true false"},
        {"{{ (index .Alerts 0).StartsAt.Unix }}", "1700000000"},
        {"{{ ((index .Alerts 0).StartsAt.Add 28800e9).Format \"2006-01-02 15:04:05\" }}",
         "2023-11-15 06:13:20"},
        {"{{ with index .Alerts 1 }}{{ .EndsAt.Sub .StartsAt }}{{ end }}", "5m0s"},
        {"{{ (index .Alerts 0).StartsAt | since | humanizeDuration }}", "1h 0m 0s"},
        {"{{ (index .Alerts 0).StartsAt | tz \"Europe/Berlin\" | date \"Mon Jan _2 3:04 PM MST -07:00\" }}",
         "Tue Nov 14 11:13 PM CET +01:00"},
        {"{{ (index .Alerts 0).StartsAt | date \"2006-01-02T15:04:05.000Z07:00\" }}",
         "2023-11-14T22:13:20.000Z"},
        {"{{ toDate \"02 Jan 2006 15:04 -0700\" \"01 Mar 2024 00:30 +0100\" | date \"2006-01-02 15:04\" }}",
         "2024-02-29 23:30"},
        {"{{ (toDate \"2006-01-02\" \"2023-02-29\").IsZero }}", "true"},
        {"{{ toDate \"2006 3:04pm\" \"2024 12:05am\" | date \"15:04\" }}", "00:05"},
    };

    check(NULL, rows, N(rows), false);
}

static void test_functions(void **state)
{
    static const struct row rows[] = {
        {"{{ \"the SHOP is-down isn't it\" | title }}", "The Shop Is-Down Isn't It"},
        {"{{ \"über ÄRGER łódź éa-ωΑ x\" | title }}", "Über Ärger Łódź Éa-Ωα X"},
        {"{{ \"straße ñ ж\" | toUpper }} {{ \"ÀÉЖ\" | toLower }}", "STRAßE Ñ Ж àéж"},
        {"{{ \"a%20b+c%2F\" | urlUnescape }}", "a b c/"},
        {"{{ \"fl<\" | base64encode | base64decode }}", "fl<"},
        {"{{ toJson .GroupLabels }}", "{\"job\":\"shop\"}"},
        {"{{ toJson (dict \"b\" 1 \"a\" (list 1.5 true \"<\")) }}",
         "{\"a\":[1.5,true,\"\\u003c\"],\"b\":1}"},
        {"{{ list 1 2 | len }} {{ append (list 1) 2 3 }}", "2 [1 2 3]"},
        {"{{ range $k, $v := dict \"z\" 1 \"a\" 2 }}{{ $k }}{{ $v }}{{ end }}", "a2z1"},
        {"{{ reReplaceAll \"(.)hop\" \"$1-$1\" .CommonLabels.job }}", "s-s"},
        {"{{ \"<b>\" | safeHtml }}{{ \"<b>\" | html }}", "<b>&lt;b&gt;"},
        {"[{{ routeLabels \"team\" }}]", "[]"},
    };

    check(NULL, rows, N(rows), false);
}

static void test_html(void **state)
{
    static const struct row rows[] = {
        {"<p>{{ (index .Alerts 1).Annotations.summary }}</p>", "<p>&lt;slow&gt; &amp; old</p>"},
        {"<p title='{{ (index .Alerts 1).Annotations.summary }}'>",
         "<p title='&lt;slow&gt; &amp; old'>"},
        {"<p title={{ \"a b=c\" }}>", "<p title=a&#32;b&#61;c>"},
        {"<a href=\"{{ (index .Alerts 0).GeneratorURL }}\">",
         "<a href=\"http://h/g?a=1&amp;b=2\">"},
        {"<a href=\"{{ (index .Alerts 1).GeneratorURL }}\">", "<a href=\"#ZgotmplZ\">"},
        {"<a href=\"{{ \"tel:5\" | safeUrl }}\">", "<a href=\"tel:5\">"},
        {"<a href=\"/s?q={{ \"a b&c\" }}\">{{ \"a b&c\" }}</a>",
         "<a href=\"/s?q=a%20b%26c\">a b&amp;c</a>"},
        {"<!-- {{ .Receiver }} gone -->x", "x"},
        {"<p style=\"color: {{ \"#f00\" }}; width: {{ \"expression(1)\" }}\">",
         "<p style=\"color: #f00; width: ZgotmplZ\">"},
        {"<script>x = {{ \"</script>\" }};</script>",
         "<script>x = \"\\u003c/script\\u003e\";</script>"},
        {"<b onclick=\"f({{ \"a\" }})\">", "<b onclick=\"f(&#34;a&#34;)\">"},
        {"<title>{{ \"<\" }}</title>{{ \"<\" }}", "<title>&lt;</title>&lt;"},
        {"{{ \"<i>\" | safeHtml }}<p title=\"{{ \"<i>x</i>\" | safeHtml }}\">",
         "<i><p title=\"x\">"},
        {"a < b {{ \"<\" }}", "a < b &lt;"},
        {"{{ define \"cell\" }}<td>{{ . }}</td>{{ end }}<tr>{{ template \"cell\" \"&\" }}</tr>",
         "<tr><td>&amp;</td></tr>"},
        {"[{{ (dict).none }}{{ .CommonLabels.none }}]", "[]"},
    };

    check(NULL, rows, N(rows), true);
}

static void test_library(void **state)
{
    static const char file[] = "{{ define \"__subject\" }}ours: {{ .Receiver }}{{ end }}\n"
                               "{{ define \"team.line\" }}{{ template \"__subject\" . }}!{{ end }}";
    static const struct row rows[] = {
        {"{{ template \"team.line\" . }}", "ours: night!"},
        {"{{ template \"slack.default.title\" . }}", "ours: night"},
        {"{{ define \"__subject\" }}mine{{ end }}{{ template \"slack.default.title\" . }}", "mine"},
        {"{{ block \"team.other\" . }}{{ .Status }}{{ end }}", "firing"},
    };
    static const struct row built_in[] = {
        {"{{ template \"slack.default.title\" . }}", "[1 firing] shop"},
        {"{{ template \"__alertmanagerURL\" . }}", "http://watch.example.org/incidents"},
    };

    check(file, rows, N(rows), false);
    check(NULL, built_in, N(built_in), false);
}

static void test_users_templates_are_known(void **state)
{
    ARENA_AUTO struct arena arena;
    struct tmpl_library library;

    arena_init(&arena, 4 * 1024 * 1024);
    assert_int_equal(notice_library_make(&arena, &library, NULL), 0);
    assert_false(tmpl_library_is_users(&library, "slack.default.title"));
    assert_int_equal(
        notice_add(&library, &arena, "a.tmpl", "{{ define \"__subject\" }}x{{ end }}", NULL), 0);
    assert_true(tmpl_library_is_users(&library, "slack.default.title"));
    assert_false(tmpl_library_is_users(&library, "slack.default.text"));
    assert_false(tmpl_library_is_users(&library, "no such name"));
}

static void test_errors(void **state)
{
    static const struct {
        const char *file, *text, *words;
        unsigned line, column;
    } rows[] = {
        {NULL, "a\n {{ nope }}", "unknown function \"nope\"", 2, 5},
        {NULL, "{{ toUper .Status }}", "did you mean \"toUpper\"", 1, 4},
        {NULL, "a {{ template \"team.gone\" . }}", "template \"team.gone\" is not defined", 1, 6},
        {"x\n{{ define \"a\" }}{{ template \"b\" . }}{{ end }}", "", "team.tmpl:2:", 0, 0},
        {NULL, "{{ .Alert }}", "there is no field .Alert here", 1, 4},
        {"{{ define \"a\" }}{{ .Nope }}{{ end }}", "{{ template \"a\" . }}", "team.tmpl:1:", 0, 0},
        {NULL, "{{ dict \"a\" }}", "the last name has none", 1, 4},
        {NULL, "{{ mustToDate \"2006\" \"x\" }}", "is not a time", 1, 4},
        {NULL, "{{ tz \"No/Where\" (index .Alerts 0).StartsAt }}", "tz:", 1, 4},
        {NULL, "{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}",
         "too deeply", 1, 0},
        {NULL, "{{ join \",\" (list 1) }}", "join:", 1, 4},
        {NULL, "{{ urlUnescape \"%2\" }}", "without two digits", 1, 4},
    };

    for (size_t i = 0; i < N(rows); i++) {
        STR_AUTO struct str out = STR_INIT(TMPL_OUTPUT_MAX);
        struct err err = {0};

        row("%s", rows[i].text);
        assert_int_not_equal(expand_with(rows[i].file, rows[i].text, false, &out, &err), 0);
        if (!strstr(err.text, rows[i].words))
            fail_msg("got \"%s\"", err.text);
        assert_int_equal(err.line, rows[i].line);
        if (rows[i].column)
            assert_int_equal(err.column, rows[i].column);
    }
}

static void test_every_built_in_name_expands(void **state)
{
    const char *at = notice_builtin_text();
    unsigned n = 0;

    while ((at = strstr(at, "{{ define \""))) {
        STR_AUTO struct str text = STR_INIT(200);
        STR_AUTO struct str out = STR_INIT(TMPL_OUTPUT_MAX);
        struct err err = {0};

        at += strlen("{{ define \"");
        /* these take an alert or alerts, not the data */
        if (strncmp(at, "__text_alert", 12) == 0 || strncmp(at, "__html_alert", 12) == 0 ||
            strncmp(at, "pagerduty.default.instances", 27) == 0)
            continue;
        str_addf(&text, "{{ template \"%.*s\" . }}", (int)strcspn(at, "\""), at);
        row("%s", str_text(&text));
        if (expand_with(NULL, str_text(&text), strstr(str_text(&text), "html") != NULL, &out, &err))
            fail_msg("%s", err.text);
        n++;
    }
    assert_true(n > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data),      cmocka_unit_test(test_times),
        cmocka_unit_test(test_functions), cmocka_unit_test(test_html),
        cmocka_unit_test(test_library),   cmocka_unit_test(test_users_templates_are_known),
        cmocka_unit_test(test_errors),    cmocka_unit_test(test_every_built_in_name_expands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
