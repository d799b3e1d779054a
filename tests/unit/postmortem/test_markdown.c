/*
 * Markdown: what it becomes, and that nothing hostile survives.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/postmortem/markdown.h"
#include "tests/lib/row.h"

static const struct markdown_graph graphs[] = {{12, "<svg>twelve</svg>", "rate <5m>"}};

static int to_html(const char *text, size_t len, struct str *out)
{
    ARENA_AUTO struct arena arena;
    struct markdown *document;
    struct err err;

    arena_init(&arena, MARKDOWN_TREE_MAX);
    str_cut(out, 0);
    int r = markdown_parse(&arena, text, len, &document, &err);
    if (!r)
        markdown_html(document, graphs, 1, out);
    return r;
}

static void test_html(void **state)
{
    static const struct {
        const char *name, *text, *want;
    } rows[] = {
        {"heading and words", "# A & B\n\nc *d* **e** `f<`\n",
         "<h1>A &amp; B</h1>\n<p>c <em>d</em> <strong>e</strong> <code>f&lt;</code></p>\n"},
        {"escapes are one text", "INC\\-1 \\| x", "<p>INC-1 | x</p>\n"},
        {"list", "3. a\n4. b\n", "<ol start=\"3\">\n<li>a</li>\n<li>b</li>\n</ol>\n"},
        {"tasks", "- [x] a\n- [ ] b\n",
         "<ul>\n<li class=\"task\"><span class=\"box\" aria-label=\"done\">\xe2\x98\x91</span> a</li>\n"
         "<li class=\"task\"><span class=\"box\" aria-label=\"open\">\xe2\x98\x90</span> b</li>\n</ul>\n"},
        {"code", "```c\"x\nif (a<b)\n```\n", "<pre><code>if (a&lt;b)\n</code></pre>\n"},
        {"table", "| a | b |\n|---|--:|\n| 1 | 2 |\n",
         "<div class=\"scroll\"><table><thead><tr><th class=\"short\">a</th><th class=\"right short\">b</th></tr>\n</thead>\n"
         "<tbody><tr><td class=\"short\">1</td><td class=\"right short\">2</td></tr>\n</tbody></table></div>\n"},
        {"a table with short dashes", "|a|b|\n|-|:-|\n|1|2|\n",
         "<div class=\"scroll\"><table><thead><tr><th class=\"short\">a</th><th class=\"left short\">b</th></tr>\n</thead>\n"
         "<tbody><tr><td class=\"short\">1</td><td class=\"left short\">2</td></tr>\n</tbody></table></div>\n"},
        {"a table right behind words", "words\n|a|\n|---|\n|1|\n",
         "<p>words</p>\n<div class=\"scroll\"><table><thead><tr><th class=\"short\">a</th></tr>\n</thead>\n"
         "<tbody><tr><td class=\"short\">1</td></tr>\n</tbody></table></div>\n"},
        {"dashes in fenced code stay", "```\n|a|\n|-|\n```\n",
         "<pre><code>|a|\n|-|\n</code></pre>\n"},
        {"link", "[a *b*](https://x.example/?q=1&r=2)",
         "<p><a href=\"https://x.example/?q=1&amp;r=2\" rel=\"noopener noreferrer nofollow\">a "
         "<em>b</em></a></p>\n"},
        {"link to an event", "[e12](</incidents/INC-1#e12>)",
         "<p><a href=\"/incidents/INC-1#e12\" rel=\"noopener noreferrer nofollow\">e12</a></p>\n"},
        {"bare link", "see https://x.example/a.",
         "<p>see <a href=\"https://x.example/a\" rel=\"noopener noreferrer nofollow\">"
         "https://x.example/a</a>.</p>\n"},
        {"graph alone", "![load](graph:12)\n",
         "<figure><svg>twelve</svg><figcaption>rate &lt;5m&gt;</figcaption></figure>\n"},
        {"graph amid words is its title", "see ![load](graph:12) there", "<p>see load there</p>\n"},
        {"graph in a cell is its title", "|a|\n|---|\n|![load](graph:12)|\n",
         "<div class=\"scroll\"><table><thead><tr><th class=\"short\">a</th></tr>\n</thead>\n<tbody><tr><td class=\"short\">load</td></tr>\n"
         "</tbody></table></div>\n"},
        {"a graph that is gone", "![x](graph:99)",
         "<p class=\"missing\">Graph 99 is not stored.</p>\n"},
        {"any other image is its words", "a ![b *c*](http://evil.example/x.png) d",
         "<p>a b c d</p>\n"},
        {"prompt", "> To answer: why?\n",
         "<blockquote class=\"prompt\"><p>To answer: why?</p>\n</blockquote>\n"},
        {"entities", "&lt; &#65; &#x263a; &nosuch; &#0;",
         "<p>&lt; A \xe2\x98\xba &amp;nosuch; \xef\xbf\xbd</p>\n"},
    };
    STR_AUTO struct str out = STR_INIT(1024 * 1024);

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        row("%s", rows[i].name);
        assert_int_equal(to_html(rows[i].text, strlen(rows[i].text), &out), 0);
        assert_string_equal(str_text(&out), rows[i].want);
    }
}

/* Every tag in the output is one of ours with its own attributes; every href is allowed. */
static void check_harmless(const char *html)
{
    static const char *const tags[] = {"p",  "em", "strong", "a",  "code", "pre",    "blockquote",
                                       "ul", "ol", "li",     "h1", "br",   "figure", "table"};

    for (const char *at = strchr(html, '<'); at; at = strchr(at + 1, '<')) {
        const char *name = at[1] == '/' ? at + 2 : at + 1;
        size_t len = strcspn(name, " >");
        bool known = false;

        for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++)
            known |= strlen(tags[i]) == len && strncmp(tags[i], name, len) == 0;
        assert_true(known);
        const char *attributes = name + len;

        if (*attributes == '>')
            continue;
        if (strncmp(name, "a ", 2) == 0) {
            assert_int_equal(strncmp(attributes, " href=\"", 7), 0);
            const char *href = attributes + 7;
            const char *end = strchr(href, '"');

            assert_true(markdown_href_is_safe(href, (size_t)(end - href)));
            assert_int_equal(strncmp(end, "\" rel=\"noopener noreferrer nofollow\">", 37), 0);
        } else {
            assert_int_equal(strncmp(attributes, " class=\"", 8), 0);
        }
    }
}

static void test_hostile(void **state)
{
    static const char *const texts[] = {
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt:alert(1))",
        "[a](javascript&colon;alert(1))",
        "[a](javascript&#58;alert(1))",
        "[a](java&Tab;script:alert(1))",
        "[a](java&NewLine;script:alert(1))",
        "[a](&#1;javascript:alert(1))",
        "[a](\x01javascript:alert(1))",
        "[a](< javascript:alert(1)>)",
        "[a](<java\tscript:alert(1)>)",
        "[a](%01javascript:alert(1))",
        "<javascript:alert(1)>",
        "[a](data:text/html,<script>alert(1)</script>)",
        "[a](data:image/svg+xml;base64,PHN2Zz4=)",
        "[a](vbscript:msgbox(1))",
        "[a](//evil.example/)",
        "[a](/\\evil.example/)",
        "[a](\\\\evil.example/)",
        "[a][r]\n\n[r]: javascript:alert(1)",
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<p onclick=\"alert(1)\">x</p>\n",
        "<svg onload=alert(1)>\n",
        "<!-- --><iframe src=//x>",
        "<![CDATA[<script>]]>",
        "![x](graph:1\" onerror=\"alert(1))",
        "![x\" onerror=\"alert(1)](y.png \"t\\\" onload=\\\"alert(1)\")",
        "![<script>](graph:99)",
        "[x](http://a.example/\" onmouseover=\"alert(1))",
        "[x](<http://a.example/\" onmouseover=\"alert(1)>)",
        "[x](http://a.example/ \"t\\\" onmouseover=\\\"alert(1)\")",
        "```\" onload=\"alert(1)\nx\n```",
        "~~~ <script>\nx\n~~~",
        "[<script>alert(1)</script>](http://a.example/)",
        "[a](mailto:x@example.org?body=<script>)",
        "ftp://x.example/ https://x.example/<script>",
        "[a](&#106;avascript:alert(1))",
        "[a](javascript\\:alert(1))",
        "\\<script>alert(1)\\</script>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    };
    STR_AUTO struct str out = STR_INIT(1024 * 1024);

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        row("%s", texts[i]);
        assert_int_equal(to_html(texts[i], strlen(texts[i]), &out), 0);
        (void)fprintf(stderr, "# %.*s\n", (int)strcspn(str_text(&out), "\n"), str_text(&out));
        check_harmless(str_text(&out));
        assert_null(strstr(str_text(&out), "<script"));
    }
    row("a NUL in the text");
    assert_int_equal(to_html("a\0b", 3, &out), 0);
    assert_string_equal(str_text(&out), "<p>a\xef\xbf\xbd"
                                        "b</p>\n");
}

static void test_hrefs(void **state)
{
    static const struct {
        const char *href;
        bool safe;
    } rows[] = {
        {"http://a.example/", true},
        {"HTTPS://a", true},
        {"mailto:a@b", true},
        {"/a/b:c", true},
        {"#e12", true},
        {"a/b?c=d:e", true},
        {"", true},
        {"//a", false},
        {"javascript:x", false},
        {"ftp://a", false},
        {"http:\\\\a", false},
        {" http://a", false},
        {"a b", false},
        {"file:///etc", false},
        {"x\ty", false},
    };
    char *longer = malloc(3001);

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        row("%s", rows[i].href);
        assert_int_equal(markdown_href_is_safe(rows[i].href, strlen(rows[i].href)), rows[i].safe);
    }
    memset(longer, 'a', 3000);
    assert_false(markdown_href_is_safe(longer, 3000));
    free(longer);
}

static void repeat(struct str *text, const char *part, int n)
{
    for (int i = 0; i < n; i++)
        str_add(text, part);
}

static void test_bombs(void **state)
{
    STR_AUTO struct str text = STR_INIT(8 * 1024 * 1024);
    STR_AUTO struct str out = STR_INIT(64 * 1024 * 1024);

    row("a reference bomb of 28 kB ends at the limit");
    str_add(&text, "[x]: http://a.example/");
    repeat(&text, "aaaaaaaaaa", 195);
    str_add(&text, "\n\n");
    repeat(&text, "[x] ", 6500);
    ARENA_AUTO struct arena arena;
    struct markdown *document;
    struct err err;

    arena_init(&arena, 8 * 1024 * 1024);
    assert_int_equal(markdown_parse(&arena, str_text(&text), text.len, &document, &err),
                     MARKDOWN_E_LIMIT);
    assert_non_null(strstr(err.text, "link references"));

    row("five thousand nested quotes stay readable");
    str_cut(&text, 0);
    repeat(&text, ">", 5000);
    str_add(&text, " deep");
    assert_int_equal(to_html(str_text(&text), text.len, &out), 0);
    assert_non_null(strstr(str_text(&out), "deep"));
    assert_true(out.len < 4096);

    row("deep lists and emphasis");
    str_cut(&text, 0);
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < i; k++)
            str_add(&text, "  ");
        str_add(&text, "- ***x** y*\n");
    }
    assert_int_equal(to_html(str_text(&text), text.len, &out), 0);

    row("more than a MiB");
    str_cut(&text, 0);
    repeat(&text, "0123456789abcdef", 65537);
    assert_int_equal(to_html(str_text(&text), text.len, &out), MARKDOWN_E_LIMIT);

    row("unclosed brackets");
    str_cut(&text, 0);
    repeat(&text, "![[](", 20000);
    assert_int_equal(to_html(str_text(&text), text.len, &out), 0);
}

static void test_every_memory_limit(void **state)
{
    static const char text[] =
        "# a\n\n- [ ] b *c* [d](http://e)\n\n|a|\n|-|\n|`x`|\n\n> q\\\n> r\n\n"
        "![t](graph:12)\n\n```c\nx\n```\n";
    size_t limit = 0;
    int r;

    do {
        ARENA_AUTO struct arena arena;
        struct markdown *document;
        struct err err;

        arena_init(&arena, limit);
        r = markdown_parse(&arena, text, sizeof(text) - 1, &document, &err);
        assert_true(r == 0 || r == MARKDOWN_E_LIMIT);
        limit += 16;
    } while (r);
}

static void test_json(void **state)
{
    static const char text[] =
        "# A\n\n2. b\n\n- [x] c\n\n|h|\n|:-:|\n|`q`|\n\n![t](graph:12)\n\n[l](/m) **n**  \n*o*\n\n"
        "---\n\n```sh\np\n```\n\n> r\n";
    static const char want[] =
        "[{\"type\":\"heading\",\"level\":1,\"children\":[{\"type\":\"text\",\"text\":\"A\"}]},"
        "{\"type\":\"list\",\"ordered\":true,\"start\":2,\"children\":[{\"type\":\"item\","
        "\"children\":[{\"type\":\"text\",\"text\":\"b\"}]}]},"
        "{\"type\":\"list\",\"ordered\":false,\"start\":1,\"children\":[{\"type\":\"task\","
        "\"done\":true,\"children\":[{\"type\":\"text\",\"text\":\"c\"}]}]},"
        "{\"type\":\"table\",\"children\":[{\"type\":\"row\",\"children\":[{\"type\":\"cell\","
        "\"header\":true,\"align\":\"center\",\"children\":[{\"type\":\"text\",\"text\":\"h\"}]}]},"
        "{\"type\":\"row\",\"children\":[{\"type\":\"cell\",\"header\":false,\"align\":\"center\","
        "\"children\":[{\"type\":\"code\",\"block\":false,\"lang\":null,\"text\":\"q\"}]}]}]},"
        "{\"type\":\"graph\",\"id\":12,\"title\":\"t\"},"
        "{\"type\":\"paragraph\",\"children\":[{\"type\":\"link\",\"href\":\"/m\",\"children\":["
        "{\"type\":\"text\",\"text\":\"l\"}]},{\"type\":\"text\",\"text\":\" \"},"
        "{\"type\":\"strong\",\"children\":[{\"type\":\"text\",\"text\":\"n\"}]},"
        "{\"type\":\"break\"},{\"type\":\"em\",\"children\":[{\"type\":\"text\",\"text\":\"o\"}]}]},"
        "{\"type\":\"rule\"},"
        "{\"type\":\"code\",\"block\":true,\"lang\":\"sh\",\"text\":\"p\\n\"},"
        "{\"type\":\"quote\",\"children\":[{\"type\":\"paragraph\",\"children\":["
        "{\"type\":\"text\",\"text\":\"r\"}]}]}]";
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str out = STR_INIT(64 * 1024);
    struct json_out json = JSON_OUT(&out);
    struct markdown *document;
    struct err err;

    arena_init(&arena, MARKDOWN_TREE_MAX);
    assert_int_equal(markdown_parse(&arena, text, sizeof(text) - 1, &document, &err), 0);
    markdown_json(document, &json);
    assert_string_equal(str_text(&out), want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_html),  cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_hrefs), cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_json),  cmocka_unit_test(test_every_memory_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
