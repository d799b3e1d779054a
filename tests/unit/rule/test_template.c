/*
 * Templates: text against what becomes of it, with the data of one alert:
 *
 *     m{job="j"} 1234567     external label dc="x"     http://h:9/p     now 1 Jan 1970 00:00:10
 */

#include <math.h>
#include <string.h>

#include "alertd/rule/template.h"
#include "tests/lib/row.h"

static const struct labels *sample_labels;
static const struct labels *external_labels;

static int query(void *arg,
                 const char *expr,
                 struct arena *arena,
                 struct rule_template_sample **ret_samples,
                 size_t *ret_n,
                 struct err *reterr)
{
    static const char *const jobs[] = {"b", "c", "a"};
    struct rule_template_sample *samples = arena_array(arena, 3, sizeof(*samples));

    if (strcmp(expr, "bad") == 0)
        return err_set(reterr, 1, "no such expression");
    *ret_n = strcmp(expr, "three") == 0 ? 3 : strcmp(expr, "one") == 0 ? 1 : 0;
    for (size_t i = 0; i < *ret_n; i++) {
        const struct label pair = {"job", jobs[i]};

        samples[i] = (struct rule_template_sample){labels_in_arena(arena, &pair, 1), (double)i + 1};
    }
    *ret_samples = samples;
    return 0;
}

static int expand(const char *text, struct str *out, struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct tmpl *template = NULL;
    const struct rule_template_data data = {
        .labels = sample_labels,
        .external_labels = external_labels,
        .external_url = "http://h:9/p",
        .value = 1234567,
        .now_ms = 10000,
        .query = query,
    };

    arena_init(&arena, 1024 * 1024);
    int r = rule_template_parse(&arena, text, &template, reterr);
    return r ? r : rule_template_expand(template, &data, out, reterr);
}

struct expansion {
    const char *text, *want;
};

static void check_expansions(const struct expansion *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        STR_AUTO struct str out = STR_INIT(TMPL_OUTPUT_MAX);
        struct err err = {0};

        row("%s", rows[i].text);
        if (expand(rows[i].text, &out, &err))
            fail_msg("%u:%u: %s", err.line, err.column, err.text);
        assert_string_equal(str_text(&out), rows[i].want);
    }
}

#define CHECK_EXPANSIONS(rows) check_expansions((rows), sizeof(rows) / sizeof(*(rows)))

static void test_what_alerts_say(void **state)
{
    static const struct expansion rows[] = {
        {"", ""},
        {"no action }} here", "no action }} here"},
        {"{{ $labels.job }} {{$labels.job}}", "j j"},
        {"[{{ $labels.missing }}] {{ len $labels.missing }}", "[] 0"},
        {"{{ $labels }}", "map[__name__:m job:j]"},
        {"{{ $value }} {{ .Value }} {{ $value | humanize }}", "1.234567e+06 1.234567e+06 1.235M"},
        {"{{ .Labels.job }} {{ $.Labels.job }} {{ index $labels \"job\" }}", "j j j"},
        {"{{ $externalLabels.dc }} {{ .ExternalLabels.no }}{{ $externalURL }}", "x http://h:9/p"},
        {"{{ externalURL }} {{ pathPrefix }}", "http://h:9/p /p"},
        {"{{ . }}", "{map[__name__:m job:j] map[dc:x] http://h:9/p 1.234567e+06}"},
        {"{{ $labels.job | toUpper | printf \"%s-%s\" \"a\" }}", "a-J"},
        {"{{ now | humanizeTimestamp }}", "1970-01-01 00:00:10 +0000 UTC"},
    };

    CHECK_EXPANSIONS(rows);
}

static void test_control(void **state)
{
    static const struct expansion rows[] = {
        {"{{ if eq $labels.job \"j\" }}yes{{ else }}no{{ end }}", "yes"},
        {"{{ if eq $labels.job \"a\" }}1{{ else if gt $value 5.0 }}2{{ else }}3{{ end }}", "2"},
        {"{{ if $labels.nope }}x{{ end }}", ""},
        {"{{ with $labels.job -}}\n  [{{ . }}]\n{{- end }}", "[j]"},
        {"{{ with \"\" }}a{{ else with 5 }}{{ . }}{{ else }}c{{ end }}", "5"},
        {"{{ with $x := 5 }}{{ $x }}{{ end }}", "5"},
        {"{{ $s := \"\" }}{{ if gt $value 1.0 }}{{ $s = \"s\" }}{{ end }}disk{{ $s }}", "disks"},
        {"{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}", "__name__=m;job=j;"},
        {"{{ range 3 }}{{ . }}{{ end }}", "012"},
        {"{{ range query \"none\" }}x{{ else }}nothing{{ end }}", "nothing"},
        {"{{ range $i, $e := query \"three\" }}{{ if eq $i 1 }}{{ continue }}{{ end }}"
         "{{ $e.Labels.job }}{{ .Value }} {{ end }}",
         "b1 a3 "},
        {"{{ range query \"three\" }}{{ .Value }}{{ break }}{{ end }}", "1"},
        {"{{ define \"t\" }}<{{ . }}>{{ end }}{{ template \"t\" 4 }}{{ tmpl \"t\" 5 }}", "<4><5>"},
        {"{{ define \"t\" }}{{ .arg0 }}+{{ .arg1 }}{{ end }}{{ template \"t\" (args 1 \"b\") }}",
         "1+b"},
        {"a {{- /* comment */ -}} b", "ab"},
        {"a {{- 1 -}} b {{ -1 }}", "a1b -1"},
        {"{{ and true 0 }} {{ and 1 2 }} {{ or \"\" \"b\" }} {{ or 0 \"\" }}| {{ not 0 }}",
         "0 2 b | true"},
        {"{{ or true (first (query \"none\")) }}", "true"}, /* the rest is not evaluated */
    };

    CHECK_EXPANSIONS(rows);
}

static void test_constants_and_comparison(void **state)
{
    static const struct expansion rows[] = {
        {"{{ 100000.0 }} {{ 1000000.0 }} {{ 1234567 }} {{ 0.00001 }}",
         "100000 1e+06 1234567 1e-05"},
        {"{{ 0x1F }} {{ 1_000 }} {{ -3 }} {{ +4 }} {{ 1e3 }} {{ .5 }} {{ 'x' }} {{ true }}",
         "31 1000 -3 4 1000 0.5 120 true"},
        {"{{ `raw\\n` }} {{ \"a\\tb\\u00e9\\\"\" }}", "raw\\n a\tb\xc3\xa9\""},
        {"{{ le 1 2 }} {{ lt 1.0 2.0 }} {{ eq \"a\" \"b\" \"a\" }} {{ ne 1 2 }} {{ gt \"b\" \"a\" }} "
         "{{ ge 2 3 }}",
         "true true true true true false"},
        {"{{ slice \"abcdef\" 1 3 }} {{ len \"abc\" }}", "bc 3"},
        {"{{ print 1 2 \"a\" \"b\" 3 }}|{{ println 1 2 }}", "1 2ab3|1 2\n"},
    };

    CHECK_EXPANSIONS(rows);
}

static void test_printf(void **state)
{
    static const struct expansion rows[] = {
        {"{{ printf \"%.2f %5.1f%% %f\" $value 12.34 1.5 }}", "1234567.00  12.3% 1.500000"},
        {"{{ printf \"%g %v %.3g %e %.4g\" $value $value $value 12345.678 0.00001234 }}",
         "1.234567e+06 1.234567e+06 1.23e+06 1.234568e+04 1.234e-05"},
        {"{{ printf \"%d %5d|%-5d|%05d %x\" 1 2 3 4 255 }}", "1     2|3    |00004 ff"},
        {"{{ printf \"%08.3f|%+.1f|% d|%#x\" 3.14159 2.0 7 255 }}", "0003.142|+2.0| 7|0xff"},
        {"{{ printf \"%q %x %-6s|%6s %.2s\" \"a\\\"b\" \"hi\" \"ab\" \"cd\" \"xyz\" }}",
         "\"a\\\"b\" 6869 ab    |    cd xy"},
        {"{{ printf \"%t %T %T %v\" true 1 $labels nil }}", "true int map[string]string <nil>"},
        {"{{ printf \"%d\" $value }}", "%!d(float64=1.234567e+06)"},
        {"{{ printf \"%s\" $value }}", "%!s(float64=1.234567e+06)"},
        {"{{ printf \"%d %d\" 1 }} {{ printf \"%d\" 1 2 }} {{ printf \"%\" }}",
         "1 %!d(MISSING) 1%!(EXTRA int=2) %!(NOVERB)"},
    };

    CHECK_EXPANSIONS(rows);
}

static void test_numbers_for_people(void **state)
{
    static const struct expansion rows[] = {
        {"{{ humanize 0.0 }} {{ humanize 1 }} {{ humanize 1234567.0 }} {{ humanize \".12\" }}",
         "0 1 1.235M 120m"},
        {"{{ humanize1024 1048576.0 }} {{ humanize1024 .12 }} {{ humanize1024 -2048 }}",
         "1Mi 0.12 -2ki"},
        {"{{ humanizeDuration 0 }} {{ humanizeDuration 60 }} {{ humanizeDuration 86400 }} "
         "{{ humanizeDuration .0001 }} {{ humanizeDuration 12.345 }} {{ humanizeDuration -90 }}",
         "0s 1m 0s 1d 0h 0m 0s 100us 12.35s -1m 30s"},
        {"{{ humanizePercentage 0.1234567 }} {{ humanizePercentage -1 }}", "12.35% -100%"},
        {"{{ humanize \"NaN\" }} {{ humanizeDuration \"+Inf\" }} {{ humanize1024 \"-Inf\" }}",
         "NaN +Inf -Inf"},
        {"{{ humanizeTimestamp 1435065584.128 }}", "2015-06-23 13:19:44.128 +0000 UTC"},
        {"{{ (\"1435065584.128\" | toTime).Format \"Mon 2 Jan 2006 15:04:05.000 MST\" }}",
         "Tue 23 Jun 2015 13:19:44.128 UTC"},
        {"{{ (\"1800\" | toDuration).String }} {{ (toDuration 90).Seconds }} {{ toDuration 0.0015 }}",
         "30m0s 90 1ms"},
        {"{{ (\"-30m\" | parseDuration | toDuration | (now | toTime).Add).UnixMilli }}",
         "-1790000"},
        {"{{ parseDuration \"1h2m10ms\" }}", "3720.01"},
    };

    CHECK_EXPANSIONS(rows);
}

static void test_text_functions(void **state)
{
    static const struct expansion rows[] = {
        {"{{ title \"foo bar-baz\" }} {{ toLower \"aB\" }}", "Foo Bar-Baz ab"},
        {"{{ title \"élan vITAL ωμέγα\" }} {{ toUpper \"ö\" }}", "Élan VITAL Ωμέγα Ö"},
        {"{{ stripPort \"a.b:1\" }} {{ stripPort \"[::1]:1\" }} {{ stripPort \"a\" }}",
         "a.b ::1 a"},
        {"{{ stripDomain \"a.b:1\" }} {{ stripDomain \"1.2.3.4:5\" }}", "a:1 1.2.3.4:5"},
        {"{{ match \"a+\" \"xaa\" }} {{ reReplaceAll \"(.*)x\" \"${1}y\" \"abx\" }}", "true aby"},
        {"{{ urlquery \"a b&c\" }} {{ urlQueryEscape \"~/\" }}", "a+b%26c ~%2F"},
        {"{{ html \"<a&'>\" }} {{ js \"a'b\" }} {{ safeHtml \"<b>\" }}",
         "&lt;a&amp;&#39;&gt; a\\'b <b>"},
        {"{{ graphLink \"up == 0\" }} {{ tableLink \"a\" }}",
         "/graph?g0.expr=up+%3D%3D+0&g0.tab=0 /graph?g0.expr=a&g0.tab=1"},
    };

    CHECK_EXPANSIONS(rows);
}

static void test_queries(void **state)
{
    static const struct expansion rows[] = {
        {"{{ query \"one\" | first | value }} {{ (query \"one\" | first).Labels.job }}", "1 b"},
        {"{{ query \"one\" | first | label \"job\" }} {{ query \"one\" }}", "b [{map[job:b] 1}]"},
        {"{{ range query \"three\" | sortByLabel \"job\" }}{{ .Labels.job }}{{ end }}", "abc"},
        {"{{ with query \"none\" }}x{{ else }}none{{ end }}", "none"},
        {"{{ query \"one\" | first | strvalue }}.", "."},
    };

    CHECK_EXPANSIONS(rows);
}

static void test_refused_at_load(void **state)
{
    static const struct {
        const char *text, *words;
        unsigned line, column;
    } rows[] = {
        {"{{", "unclosed action", 1, 3},
        {"a\n{{ $labels.job", "unclosed action", 2, 15},
        {"{{ $label.job }}", "undefined variable \"$label\": did you mean \"$labels\"?", 1, 4},
        {"{{ $nope }}", "undefined variable \"$nope\"", 1, 4},
        {"{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}", "undefined variable", 1, 39},
        {"{{ humanise 1 }}", "unknown function \"humanise\": did you mean \"humanize\"?", 1, 4},
        {"{{ if true }}", "{{end}} is missing", 1, 4},
        {"{{ end }}", "{{end}} without a beginning", 1, 1},
        {"{{ else }}", "{{else}} without a beginning", 1, 1},
        {"{{ if 1 }}{{ else }}{{ else }}{{ end }}", "a second {{else}}", 1, 21},
        {"{{ break }}", "inside range", 1, 4},
        {"{{ \"a }}", "unterminated quoted text", 1, 4},
        {"{{ \"\\q\" }}", "unknown escape", 1, 5},
        {"{{\xc2\xa0}}", "unexpected character", 1, 3},
        {"{{ 1x }}", "bad number", 1, 4},
        {"{{ | humanize }}", "missing value", 1, 4},
        {"{{ }}", "missing value", 1, 4},
        {"{{ (1 }}", ") expected", 1, 7},
        {"{{ block \"a\" }}{{ end }}", "missing value for command", 1, 14},
        {"{{ block \"a\" 1 }}", "{{end}} is missing", 1, 18},
        {"{{ call 1 }}", "unknown function \"call\"", 1, 4},
        {"{{ define \"a\" }}1{{ end }}\n{{ define \"a\" }}2{{ end }}", "defined twice", 2, 1},
        {"{{ 1 | 2 }}", "a constant can't take what is piped", 1, 8},
        {"{{ 1 | . }}", "a constant can't take what is piped", 1, 8},
        {"{{ 'ab' }}", "unterminated character constant", 1, 4},
        {"{{ '' }}", "a character constant holds one character", 1, 4},
        {"{{ /* x */ }}", "unexpected '/'", 1, 4},
        {"{{/* x }}", "unclosed comment", 1, 1},
        {"{{ $a, $b := 1 }}", "two variables belong to range only", 1, 16},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str out = STR_INIT(1000);
        struct err err = {0};

        row("%s", rows[i].text);
        int r = expand(rows[i].text, &out, &err);
        assert_int_equal(r, TMPL_E_SYNTAX);
        if (!strstr(err.text, rows[i].words))
            fail_msg("got \"%s\", want \"%s\"", err.text, rows[i].words);
        assert_int_equal(err.line, rows[i].line);
        assert_int_equal(err.column, rows[i].column);
    }
}

static void test_fails_when_expanded(void **state)
{
    static const struct expansion rows[] = {
        {"{{ humanize }}", "humanize: too few arguments"},
        {"{{ humanize 1 2 }}", "humanize: too many arguments"},
        {"{{ $value 1 }}", "this is no function"},
        {"{{ 1 | $value }}", "this is no function"},
        {"{{ first (query \"none\") }}", "first() called on vector with no elements"},
        {"{{ query \"bad\" }}", "query: no such expression"},
        {"{{ .Foo }}", "there is no field .Foo here"},
        {"{{ $labels.job.x }}", "string has no field .x"},
        {"{{ $value.x }}", "float64 has no field .x"},
        {"{{ 5 | toUpper }}", "expected text, got int"},
        {"{{ humanize \"x\" }}", "\"x\" is not a number"},
        {"{{ nil }}", "nil is not a command"},
        {"{{ if nil }}{{ end }}", "nil is not a command"},
        {"{{ index \"abc\" 3 }}", "index out of range: 3"},
        {"{{ lt $value 2 }}", "incompatible types for comparison: float64 and int (write 1.0"},
        {"{{ template \"zz\" }}", "template \"zz\" is not defined"},
        {"{{ len 3 }}", "len of int"},
        {"{{ range $value }}{{ end }}", "range can't walk over float64"},
        {"{{ humanizeTimestamp 1e300 }}", "before 1677 or after 2262"},
        {"{{ reReplaceAll \"(\" \"\" \"\" }}", "missing"},
        {"{{ range 1000000 }}{{ end }}", "steps"},
        {"{{ range 10000 }}0123456789{{ end }}", "output longer than"},
        {"{{ define \"t\" }}{{ template \"t\" }}{{ end }}{{ template \"t\" }}", "too deeply"},
        {"{{ range 200 }}{{ query \"one\" }}{{ end }}", "steps"},
        {"{{ slice \"\xc3\xa9\" 0 1 }}", "cuts a character"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str out = STR_INIT(TMPL_OUTPUT_MAX);
        struct err err = {0};

        row("%s", rows[i].text);
        assert_int_equal(expand(rows[i].text, &out, &err), TMPL_E_EXPAND);
        if (!strstr(err.text, rows[i].want))
            fail_msg("got \"%s\", want \"%s\"", err.text, rows[i].want);
    }
}

static void test_a_broken_text_does_not_stop_a_page(void **state)
{
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str out = STR_INIT(TMPL_OUTPUT_MAX);
    struct tmpl *template = NULL;
    const struct rule_template_data data = {.labels = labels_empty()};

    arena_init(&arena, 100000);
    assert_int_equal(rule_template_parse(&arena, "half {{ query \"up\" }}", &template, NULL), 0);
    assert_false(tmpl_is_plain(template));
    rule_template_expand_or_tell(template, &data, &out);
    assert_string_equal(str_text(&out),
                        "<error expanding template: query: there are no samples to ask here>");
    assert_int_equal(rule_template_parse(&arena, "plain", &template, NULL), 0);
    assert_true(tmpl_is_plain(template));
}

/* Every memory limit from nothing to enough fails cleanly or works. */
static void test_every_memory_limit(void **state)
{
    static const char text[] = "{{ define \"a\" }}{{ . }}{{ end }}{{ range $i, $e := query \"x\" }}"
                               "{{ if eq $i 1 }}{{ $e.Value | printf \"%f\" }}{{ end }}{{ end }}";
    struct tmpl *template = NULL;
    int r = -1;

    for (size_t limit = 0; r != 0; limit += 16) {
        ARENA_AUTO struct arena arena;

        assert_true(limit < 100000);
        arena_init(&arena, limit);
        r = rule_template_parse(&arena, text, &template, NULL);
        assert_true(r == 0 || r == TMPL_E_SYNTAX);
    }
}

static void note(void *arg, char kind, const char *name, size_t offset)
{
    str_addf(arg, "%c%s@%zu ", kind, name, offset);
}

static void test_what_a_template_reads(void **state)
{
    static const struct expansion rows[] = {
        {"{{ $labels.a }}{{ .Labels.b | toUpper }}", "la@3 lb@18 "},
        {"{{ $labels }}{{ $value }}{{ .Value }}", "L@3 v@16 r@16 v@28 r@28 "},
        {"{{ index $labels \"c\" }}{{ $externalLabels.d }}", "lc@9 ed@26 "},
        {"{{ range query \"x\" }}{{ .Labels.no }}{{ $labels.e }}{{ $.Labels.f }}{{ end }}",
         "le@40 lf@55 "},
        {"{{ if eq $labels.g \"1\" }}{{ end }}{{ ($labels).h }}", "lg@9 L@38 "},
        {"{{ value }}{{ $labels.i 1 }}", "!too few arguments@3 li@14 "},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        ARENA_AUTO struct arena arena;
        STR_AUTO struct str out = STR_INIT(1000);
        struct tmpl *template = NULL;

        row("%s", rows[i].text);
        arena_init(&arena, 100000);
        assert_int_equal(rule_template_parse(&arena, rows[i].text, &template, NULL), 0);
        rule_template_reads(template, note, &out);
        assert_string_equal(str_text(&out), rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_alerts_say),
        cmocka_unit_test(test_control),
        cmocka_unit_test(test_constants_and_comparison),
        cmocka_unit_test(test_printf),
        cmocka_unit_test(test_numbers_for_people),
        cmocka_unit_test(test_text_functions),
        cmocka_unit_test(test_queries),
        cmocka_unit_test(test_refused_at_load),
        cmocka_unit_test(test_fails_when_expanded),
        cmocka_unit_test(test_a_broken_text_does_not_stop_a_page),
        cmocka_unit_test(test_every_memory_limit),
        cmocka_unit_test(test_what_a_template_reads),
    };
    static const struct label sample[] = {{LABEL_NAME, "m"}, {"job", "j"}};
    static const struct label external[] = {{"dc", "x"}};

    sample_labels = labels_new(sample, 2);
    external_labels = labels_new(external, 1);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    labels_unref(sample_labels);
    labels_unref(external_labels);
    return failed;
}
