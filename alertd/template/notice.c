/*
 * Templates of notifications: their language, libraries and expansion. See notice.h.
 */

#include "alertd/template/notice.h"

#include <string.h>

#include "alertd/template/notice_private.h"

enum {
    DATA_BYTES_MAX = 16 * 1024 * 1024
};

static const struct tmpl_language *language(void)
{
    static const struct tmpl_fn *const families[] = {
        tmpl_basic_fns, tmpl_text_fns, tmpl_human_fns, notice_text_fns, notice_data_fns, NULL,
    };
    static const char *const variables[] = {NULL};
    static const struct tmpl_language notices = {families, variables, NOTICE_FILE_BYTES_MAX};

    return &notices;
}

static int add(struct tmpl_library *library,
               struct arena *arena,
               const char *name,
               const char *text,
               bool is_users,
               struct err *reterr)
{
    struct tmpl *template = NULL;
    int r = tmpl_parse(language(), arena, text, &template, reterr);

    return r ? r : tmpl_library_add(library, arena, template, name, is_users, reterr);
}

int notice_library_make(struct arena *arena, struct tmpl_library *ret_library, struct err *reterr)
{
    *ret_library = (struct tmpl_library){0};
    return add(ret_library, arena, "built-in templates", notice_builtin_text(), false, reterr);
}

int notice_add(struct tmpl_library *library,
               struct arena *arena,
               const char *path,
               const char *text,
               struct err *reterr)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *name = arena_strndup(arena, base, strlen(base));

    if (!name)
        return err_set(reterr, TMPL_E_SYNTAX, "the templates are too large");
    return add(library, arena, name, text, true, reterr);
}

int notice_parse(const struct tmpl_library *library,
                 struct arena *arena,
                 const char *text,
                 struct tmpl **ret_template,
                 struct err *reterr)
{
    int r = tmpl_parse(language(), arena, text, ret_template, reterr);

    if (r == 0)
        (*ret_template)->library = library;
    return r;
}

int notice_expand_dot(const struct tmpl *template,
                      const struct value *dot,
                      int64_t now_ms,
                      bool is_html,
                      struct str *out,
                      struct err *reterr)
{
    struct zones zones = {0};
    const struct notice_run own = {&zones};
    const struct tmpl_input input = {
        .data = &own, .now_ms = now_ms, .is_html = is_html, .dot = *dot};
    int r = tmpl_expand(template, &input, out, reterr);

    zones_done(&zones);
    return r;
}

int notice_expand(const struct tmpl *template,
                  const struct notice_data *data,
                  bool is_html,
                  struct str *out,
                  struct err *reterr)
{
    ARENA_AUTO struct arena arena;

    arena_init(&arena, DATA_BYTES_MAX);

    struct value dot = notice_value(&arena, data);

    if (dot.kind == VALUE_NONE)
        return err_set(reterr, TMPL_E_EXPAND, "too many alerts for a template");
    return notice_expand_dot(template, &dot, data->now_ms, is_html, out, reterr);
}
