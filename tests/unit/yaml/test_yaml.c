/*
 * YAML in: what is read, where it stood, and which traps are refused with which words.
 */

#include <string.h>

#include "lib/base/str.h"
#include "lib/yaml/yaml.h"
#include "tests/lib/row.h"

/* The tree as one line: {a=1,b=[x,y]}, each key and item with its place when asked. */
static void show(const struct yaml_node *node, bool with_places, struct str *out)
{
    if (with_places)
        str_addf(out, "%u:%u", node->line, node->column);
    if (node->kind == YAML_SCALAR)
        str_add(out, node->text);
    else
        str_addc(out, node->kind == YAML_MAP ? '{' : '[');
    for (size_t i = 0; i < node->n; i++) {
        if (i)
            str_addc(out, ',');
        if (node->kind == YAML_MAP) {
            show(node->keys[i], with_places, out);
            str_addc(out, '=');
        }
        show(node->items[i], with_places, out);
    }
    if (node->kind != YAML_SCALAR)
        str_addc(out, node->kind == YAML_MAP ? '}' : ']');
}

static void test_trees(void **state)
{
    static const struct {
        const char *name, *text, *want, *want_places;
    } rows[] = {
        {"empty file", "", "{}", "1:1{}"},
        {"only a comment", "# nothing\n", "{}", "1:1{}"},
        {"map", "a: 1\nb: yes\n", "{a=1,b=yes}", "1:1{1:1a=1:41,2:1b=2:4yes}"},
        {"list in map", "k:\n  - x\n  - 'y z'\n", "{k=[x,y z]}", "1:1{1:1k=2:3[2:5x,3:5y z]}"},
        {"flow", "{a: [1, {b: c}]}", "{a=[1,{b=c}]}", "1:1{1:2a=1:5[1:61,1:9{1:10b=1:13c}]}"},
        {"block text", "e: |\n  one\n  two\n", "{e=one\ntwo\n}", "1:1{1:1e=1:4one\ntwo\n}"},
        {"alias", "a: &x [1]\nb: *x\n", "{a=[1],b=[1]}", "1:1{1:1a=1:4[1:81],2:1b=1:4[1:81]}"},
        {"anchor given anew", "[&x 1, &x 2, *x]", "[1,2,2]", "1:1[1:21,1:82,1:82]"},
        {"columns count characters", "\xc3\xa9: {\xc3\xbc: x}", "{\xc3\xa9={\xc3\xbc=x}}",
         "1:1{1:1\xc3\xa9=1:4{1:5\xc3\xbc=1:8x}}"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str text = STR_INIT(1000);
        struct err err = {0};
        struct yaml *yaml = NULL;

        row("%s", rows[i].name);
        if (yaml_parse(rows[i].text, strlen(rows[i].text), &yaml, &err))
            fail_msg("%u:%u: %s", err.line, err.column, err.text);
        show(yaml_root(yaml), false, &text);
        assert_string_equal(str_text(&text), rows[i].want);
        str_cut(&text, 0);
        show(yaml_root(yaml), true, &text);
        assert_string_equal(str_text(&text), rows[i].want_places);
        yaml_free(yaml);
    }
}

static void expect_refused(
    const char *text, size_t len, unsigned line, unsigned column, const char *words)
{
    struct err err = {0};
    struct yaml *yaml = NULL;

    assert_int_equal(yaml_parse(text, len, &yaml, &err), YAML_E_SYNTAX);
    assert_null(yaml);
    if (!strstr(err.text, words))
        fail_msg("got \"%s\", want \"%s\"", err.text, words);
    assert_int_equal(err.line, line);
    assert_int_equal(err.column, column);
}

static void test_refused(void **state)
{
    static const struct {
        const char *name, *text;
        unsigned line, column;
        const char *words;
    } rows[] = {
        {"a key twice", "a: 1\nb: 2\na: 3\n", 3, 1, "key \"a\" stands here again: first in line 1"},
        {"a key twice in a nested map", "x:\n  a: 1\n  a: 1\n", 3, 3, "stands here again"},
        {"merge key", "b: &b {x: 1}\nc:\n  <<: *b\n", 3, 3, "merge keys (<<) are not read"},
        {"unknown anchor", "a: *nobody\n", 1, 4, "no anchor &nobody"},
        {"an alias inside what it names", "a: &x [1, *x]\n", 1, 11, "inside what it names"},
        {"a list as key", "? [a]\n: 1\n", 1, 3, "a key must be text"},
        {"second document", "a: 1\n---\nb: 2\n", 2, 1, "a second document"},
        {"open bracket", "a: [1, 2\n", 2, 1, "not YAML"},
        {"tab as indentation", "a:\n\tb: 1\n", 2, 1, "not YAML"},
        {"NUL in text", "a: \"x\\0y\"\n", 1, 4, "NUL"},
        {"not UTF-8", "a: 1\nb: \xff\n", 2, 1, "not YAML"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        row("%s", rows[i].name);
        expect_refused(rows[i].text, strlen(rows[i].text), rows[i].line, rows[i].column,
                       rows[i].words);
    }
}

/* Ten lists, each of ten of the one before: ten thousand million values in 300 bytes. */
static void test_alias_bomb(void **state)
{
    STR_AUTO struct str text = STR_INIT(10000);

    str_add(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++) {
        str_addf(&text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            str_addf(&text, "%s*a%d", k ? "," : "", i - 1);
        str_add(&text, "]\n");
    }
    expect_refused(text.text, text.len, 6, 46, "expand to more than a million values");
}

static void test_depth(void **state)
{
    STR_AUTO struct str text = STR_INIT(10000);
    struct yaml *yaml = NULL;

    for (int i = 0; i < YAML_DEPTH_MAX; i++)
        str_addc(&text, '[');
    for (int i = 0; i < YAML_DEPTH_MAX; i++)
        str_addc(&text, ']');
    assert_int_equal(yaml_parse(text.text, text.len, &yaml, NULL), 0);
    yaml_free(yaml);

    str_cut(&text, 0);
    for (int i = 0; i <= YAML_DEPTH_MAX; i++)
        str_addc(&text, '[');
    expect_refused(text.text, text.len, 1, YAML_DEPTH_MAX + 1, "nested too deeply");

    str_cut(&text, 0); /* each list holds the one before it: deep only through aliases */
    str_add(&text, "- &a0 [x]\n");
    for (int i = 1; i < 80; i++)
        str_addf(&text, "- &a%d [*a%d]\n", i, i - 1);
    struct err err = {0};
    assert_int_equal(yaml_parse(text.text, text.len, &yaml, &err), YAML_E_SYNTAX);
    assert_non_null(strstr(err.text, "nested too deeply"));
}

static void test_size(void **state)
{
    STR_AUTO struct str text = STR_INIT(YAML_BYTES_MAX + 10);

    for (int i = 0; i < YAML_BYTES_MAX / 4 + 1; i++)
        str_add(&text, "#ab\n");
    expect_refused(text.text, text.len, 0, 0, "at most");

    str_cut(&text, 0);
    str_addc(&text, '[');
    for (int i = 0; i < YAML_NODES_MAX + 1; i++)
        str_add(&text, "1,\n");
    struct err err = {0};
    struct yaml *yaml = NULL;
    assert_int_equal(yaml_parse(text.text, text.len, &yaml, &err), YAML_E_SYNTAX);
    assert_non_null(strstr(err.text, "more than a million values"));
}

static void test_merge_keys_of_foreign_files(void **state)
{
    static const struct {
        const char *name, *text, *want;
    } rows[] = {
        {"own keys win", "- &b {x: 1, y: 2}\n- {y: 3, <<: *b}\n", "[{x=1,y=2},{y=3,x=1}]"},
        {"a list: the first wins", "- &a {x: 1}\n- &b {x: 2, z: 3}\n- <<: [*a, *b]\n",
         "[{x=1},{x=2,z=3},{x=1,z=3}]"},
        {"quoted << is a key", "{'<<': 1}", "{<<=1}"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str text = STR_INIT(1000);
        struct yaml *yaml = NULL;

        row("%s", rows[i].name);
        assert_int_equal(yaml_parse_foreign(rows[i].text, strlen(rows[i].text), &yaml, NULL), 0);
        show(yaml_root(yaml), false, &text);
        assert_string_equal(str_text(&text), rows[i].want);
        yaml_free(yaml);
    }
    struct err err = {0};
    struct yaml *yaml = NULL;
    assert_int_equal(yaml_parse_foreign("{<<: 1}", 7, &yaml, &err), YAML_E_SYNTAX);
    assert_string_equal(err.text, "<< merges maps: expected a map");
}

static void test_fields(void **state)
{
    static const char text[] = "s: 0800\ni: -42\nf: 1.5e3\nt: true\nq: \"true\"\nempty:\n"
                               "tilde: ~\nnone: null\nquoted: ''\nlist: [a]\nbig: "
                               "99999999999999999999\nyes: yes\n";
    struct yaml *yaml = NULL;
    struct err err = {0};
    const char *string = NULL;
    int64_t number = 0;
    double real = 0;
    bool flag = false;

    assert_int_equal(yaml_parse(text, sizeof(text) - 1, &yaml, &err), 0);
    const struct yaml_node *root = yaml_root(yaml);

    assert_int_equal(yaml_string(yaml_get(root, "s"), &string, &err), 0);
    assert_string_equal(string, "0800");
    assert_int_equal(yaml_int(yaml_get(root, "i"), &number, &err), 0);
    assert_int_equal(number, -42);
    assert_int_equal(yaml_float(yaml_get(root, "f"), &real, &err), 0);
    assert_true(real == 1500);
    assert_int_equal(yaml_bool(yaml_get(root, "t"), &flag, &err), 0);
    assert_true(flag);

    assert_null(yaml_get(root, "empty"));
    assert_null(yaml_get(root, "tilde"));
    assert_null(yaml_get(root, "none"));
    assert_null(yaml_get(root, "absent"));
    assert_non_null(yaml_get(root, "quoted"));
    assert_int_equal(yaml_key(root, "empty")->line, 6);
    assert_null(yaml_key(root, "absent"));

    static const struct {
        const char *key, *words;
    } wrong[] = {
        {"q", "field \"q\": expected true or false, got \"true\""},
        {"yes", "field \"yes\": expected true or false, got \"yes\""},
        {"list", "field \"list\": expected true or false, got a list"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_int_equal(yaml_bool(yaml_get(root, wrong[i].key), &flag, &err), YAML_E_TYPE);
        assert_string_equal(err.text, wrong[i].words);
    }
    assert_int_equal(yaml_int(yaml_get(root, "big"), &number, &err), YAML_E_TYPE);
    assert_int_equal(yaml_int(yaml_get(root, "f"), &number, &err), YAML_E_TYPE);
    assert_int_equal(yaml_float(yaml_get(root, "t"), &real, &err), YAML_E_TYPE);
    assert_int_equal(yaml_string(yaml_get(root, "list"), &string, &err), YAML_E_TYPE);
    assert_int_equal(err.line, 10);
    assert_int_equal(err.column, 7);
    assert_int_equal(yaml_expect(root, YAML_LIST, "a list of probes", &err), YAML_E_TYPE);
    assert_string_equal(err.text, "expected a list of probes, got a map");
    yaml_free(yaml);
}

static void test_unknown_keys(void **state)
{
    static const char *const known[] = {"interval", "timeout", "probes", NULL};
    static const char text[] = "interval: 5s\ntimeuot: 1s\n";
    struct yaml *yaml = NULL;
    struct err err = {0};

    assert_int_equal(yaml_parse(text, sizeof(text) - 1, &yaml, &err), 0);
    assert_int_equal(yaml_only(yaml_root(yaml), known, &err), YAML_E_TYPE);
    assert_string_equal(err.text, "unknown field \"timeuot\": did you mean \"timeout\"?");
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 1);
    yaml_free(yaml);

    assert_int_equal(yaml_parse("colour: red", 11, &yaml, &err), 0);
    assert_int_equal(yaml_only(yaml_root(yaml), known, &err), YAML_E_TYPE);
    assert_string_equal(err.text, "unknown field \"colour\"");
    yaml_free(yaml);
}

static void test_places_inside_a_scalar(void **state)
{
    static const struct {
        const char *name, *text;
        const char *find; /* where in the value */
        unsigned line, column;
    } rows[] = {
        {"plain", "e: a + bad\n", "bad", 1, 8},
        {"plain over two lines", "e: a +\n     bad\n", "bad", 2, 6},
        {"double quotes", "e: \"a{b=\\\"c\\\"} bad\"\n", "bad", 1, 16},
        {"single quotes", "e: 'it''s bad'\n", "bad", 1, 11},
        {"literal block", "e: |\n  a +\n\n    bad\n", "bad", 4, 5},
        {"folded block", "e: >-\n  a +\n  bad\n", "bad", 3, 3},
        {"characters, not bytes", "e: '\xc3\xa9\xc3\xa9 bad'\n", "bad", 1, 8},
        {"an escape we don't follow: the scalar itself", "e: \"\\u0041 bad\"\n", "bad", 1, 4},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct yaml *yaml = NULL;
        unsigned line = 0, column = 0;

        row("%s", rows[i].name);
        assert_int_equal(yaml_parse(rows[i].text, strlen(rows[i].text), &yaml, NULL), 0);
        const struct yaml_node *value = yaml_get(yaml_root(yaml), "e");
        const char *found = strstr(value->text, rows[i].find);
        yaml_place(value, (size_t)(found - value->text), &line, &column);
        assert_int_equal(line, rows[i].line);
        assert_int_equal(column, rows[i].column);
        yaml_place(value, value->len + 100, &line, &column); /* past the end: no crash */
        yaml_free(yaml);
    }
}

static void test_what_is_printed_reads_back(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"plain-word_1.x/y", "plain-word_1.x/y"},
        {"two words", "two words"},
        {"sum by (job) (x{a=\"b\"}) > 5", "sum by (job) (x{a=\"b\"}) > 5"},
        {"a:b:c", "a:b:c"},
        {"ends:", "\"ends:\""},
        {"a #b", "\"a #b\""},
        {"{{ $labels.x }}", "\"{{ $labels.x }}\""},
        {"", "\"\""},
        {"yes", "\"yes\""},
        {"Null", "\"Null\""},
        {"inf", "\"inf\""},
        {"1e3", "\"1e3\""},
        {"5m", "\"5m\""},
        {"a: b", "\"a: b\""},
        {"#x", "\"#x\""},
        {"q\"\\\t", "\"q\\\"\\\\\\t\""},
        {"one\n  two\n\nthree", "|-\n    one\n      two\n\n    three"},
        {" first is blank\nx", "\" first is blank\\nx\""},
        {"ends\n", "\"ends\\n\""},
        {"blank at end \nx", "\"blank at end \\nx\""},
        {"\x01\x7f", "\"\\x01\\x7f\""},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"one\ntwo\n", "|\n    one\n    two"},
        {"one\ntwo\n\n", "\"one\\ntwo\\n\\n\""},
        {"next\xc2\x85line", "\"next\\x85line\""},
        {"a\xe2\x80\xa8"
         "b\xe2\x80\xa9",
         "\"a\\u2028b\\u2029\""},
        {"\xef\xbb\xbfmark", "\"\\ufeffmark\""},
        {"c1\xc2\x9b", "\"c1\\x9b\""},
        {"no\xc2\xa0"
         "break",
         "no\xc2\xa0"
         "break"},
        {"<<", "\"<<\""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str out = STR_INIT(1000);
        struct yaml *yaml = NULL;
        struct err err = {0};

        row("%s", rows[i].text);
        str_add(&out, "k: ");
        yaml_print_scalar(rows[i].text, 4, &out);
        assert_string_equal(str_text(&out) + 3, rows[i].want);
        str_addc(&out, '\n');
        if (yaml_parse(out.text, out.len, &yaml, &err))
            fail_msg("%s", err.text);
        assert_string_equal(yaml_root(yaml)->items[0]->text, rows[i].text);
        yaml_free(yaml);
    }
}

static void test_printed_keys_read_back(void **state)
{
    char longest[3000];
    const char *const keys[] = {"plain", "two\nlines", "- dash", "? question",  "a: b",
                                "#x",    "<<",         "yes",    "caf\xc3\xa9", longest};

    memset(longest, 'k', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        STR_AUTO struct str out = STR_INIT(10000);
        struct yaml *yaml = NULL;
        struct err err = {0};

        row("%.20s", keys[i]);
        str_add(&out, "map:\n    ");
        yaml_print_key(keys[i], 4, &out);
        str_add(&out, "value\n");
        if (yaml_parse(out.text, out.len, &yaml, &err))
            fail_msg("%s in %s", err.text, out.text);
        const struct yaml_node *map = yaml_root(yaml)->items[0];
        assert_string_equal(map->keys[0]->text, keys[i]);
        assert_string_equal(map->items[0]->text, "value");
        yaml_free(yaml);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trees),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_alias_bomb),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_merge_keys_of_foreign_files),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_unknown_keys),
        cmocka_unit_test(test_places_inside_a_scalar),
        cmocka_unit_test(test_what_is_printed_reads_back),
        cmocka_unit_test(test_printed_keys_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
