/*
 * Any text at all as a notification's template, then as a file of `templates:`: refused with a
 * place inside the text, or expanded within its limits, as plain text and as HTML; and it is the
 * same each time.
 */

#include <stdint.h>
#include <string.h>

#include "alertd/template/notice.h"
#include "lib/base/bug.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expand(const struct tmpl *template, const struct notice_data *data, bool is_html)
{
    STR_AUTO struct str out = STR_INIT(TMPL_OUTPUT_MAX);
    STR_AUTO struct str again = STR_INIT(TMPL_OUTPUT_MAX);
    struct err err = {0};
    int r = notice_expand(template, data, is_html, &out, &err);

    if (r && !err.text[0])
        UNREACHABLE("an error without words");
    if (notice_expand(template, data, is_html, &again, NULL) != r ||
        strcmp(str_text(&out), str_text(&again)) != 0)
        UNREACHABLE("expanded differently the second time");
}

static void take(const char *text, size_t size)
{
    static const struct label pairs[] = {{"alertname", "<script>"}, {"job", "a\" b='c"}};
    static const struct label routes[] = {{"a", "{{ routeLabels \"b\" }}"}, {"b", "{{ .Status }}"}};
    ARENA_AUTO struct arena arena;
    struct tmpl_library library;
    struct tmpl *template = NULL;
    struct err err = {0};

    arena_init(&arena, 8 * 1024 * 1024);

    const struct labels *labels = labels_in_arena(&arena, pairs, 2);
    const struct notice_alert alert = {true, labels, NULL, 5000, INT64_MIN, "javascript:x", "00"};
    const struct notice_data data = {
        .receiver = "r",
        .status = "firing",
        .alerts = &alert,
        .n_alerts = 1,
        .has_alerts = true,
        .group_labels = labels,
        .common_labels = labels,
        .route_labels = labels_in_arena(&arena, routes, 2),
        .now_ms = 10000,
    };

    if (notice_library_make(&arena, &library, &err))
        UNREACHABLE("what is built in does not load");
    if (notice_parse(&library, &arena, text, &template, &err)) {
        if (!err.text[0] || err.line > size + 1 || err.column > size + 1)
            UNREACHABLE("an error without words, or outside of the text");
        return;
    }
    (void)tmpl_check_names(template, &err);
    expand(template, &data, false);
    expand(template, &data, true);
    if (notice_add(&library, &arena, "x/fuzz.tmpl", text, &err) ||
        notice_parse(&library, &arena,
                     "{{ template \"fuzz.tmpl\" . }}{{ template \"__subject\" . }}", &template,
                     &err))
        UNREACHABLE("a text that loads alone does not load as a file");
    (void)tmpl_library_check_names(&library, &err);
    (void)tmpl_library_is_users(&library, "email.default.html");
    expand(template, &data, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    MEM_AUTO char *text = mem_strndup((const char *)data, size);

    if (labels_text_ok(text, strlen(text)))
        take(text, size);
    return 0;
}
