/*
 * Functions on text: letters, hosts and ports, regular expressions, links.
 */

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "alertd/rule/template_private.h"
#include "lib/regex/regex.h"

static int map_letters(struct rule_template_run *run,
                       const struct value *arg,
                       int (*map)(int),
                       struct value *ret_value)
{
    const char *text;
    int r = rule_template_need_text(run, arg, &text);

    if (r)
        return r;
    char *copy = arena_strndup(run->arena, text, strlen(text));
    if (!copy)
        return rule_template_fail_memory(run);
    for (char *c = copy; *c; c++)
        if (((unsigned char)*c & 0x80) == 0) /* ASCII only: other letters stay as they are */
            *c = (char)map((unsigned char)*c);
    *ret_value = value_text(copy);
    return 0;
}

static int fn_to_upper(struct rule_template_run *run,
                       const struct value *args,
                       size_t n,
                       struct value *ret_value)
{
    return map_letters(run, &args[0], toupper, ret_value);
}

static int fn_to_lower(struct rule_template_run *run,
                       const struct value *args,
                       size_t n,
                       struct value *ret_value)
{
    return map_letters(run, &args[0], tolower, ret_value);
}

static bool continues_word(unsigned char letter)
{
    return isalnum(letter) || letter == '_' || letter == '\'' || letter >= 0x80;
}

static void raise_first_letters(char *text)
{
    bool in_word = false;

    for (char *c = text; *c; c++) {
        if (!in_word && *c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
        in_word = continues_word((unsigned char)*c);
    }
}

static int fn_title(struct rule_template_run *run,
                    const struct value *args,
                    size_t n,
                    struct value *ret_value)
{
    const char *text;
    int r = rule_template_need_text(run, &args[0], &text);

    if (r)
        return r;
    char *copy = arena_strndup(run->arena, text, strlen(text));
    if (!copy)
        return rule_template_fail_memory(run);
    raise_first_letters(copy);
    *ret_value = value_text(copy);
    return 0;
}

/* "host:port" and "[v6]:port" cut in two; false when it is neither. */
static bool split_host_port(const char *text,
                            const char **ret_host,
                            size_t *ret_len,
                            const char **ret_port)
{
    const char *colon = strrchr(text, ':');

    if (!colon)
        return false;
    if (text[0] == '[') {
        const char *end = strchr(text, ']');

        if (!end || end + 1 != colon || strchr(text + 1, '[') || strchr(end + 1, ']'))
            return false;
        *ret_host = text + 1;
        *ret_len = (size_t)(end - text - 1);
    } else {
        if (memchr(text, ':', (size_t)(colon - text)) || strpbrk(text, "[]"))
            return false;
        *ret_host = text;
        *ret_len = (size_t)(colon - text);
    }
    *ret_port = colon + 1;
    return true;
}

static int fn_strip_port(struct rule_template_run *run,
                         const struct value *args,
                         size_t n,
                         struct value *ret_value)
{
    const char *text, *host, *port;
    size_t len;
    int r = rule_template_need_text(run, &args[0], &text);

    if (r)
        return r;
    *ret_value = args[0];
    if (!split_host_port(text, &host, &len, &port))
        return 0;
    char *copy = arena_strndup(run->arena, host, len);
    if (!copy)
        return rule_template_fail_memory(run);
    *ret_value = value_text(copy);
    return 0;
}

static bool is_address(const char *host, size_t len)
{
    char copy[64];
    unsigned char bytes[sizeof(struct in6_addr)];

    if (len >= sizeof(copy))
        return false;
    memcpy(copy, host, len);
    copy[len] = '\0';
    return inet_pton(AF_INET, copy, bytes) == 1 || inet_pton(AF_INET6, copy, bytes) == 1;
}

/* "a.example.com:80" -> "a:80"; addresses stay. */
static int fn_strip_domain(struct rule_template_run *run,
                           const struct value *args,
                           size_t n,
                           struct value *ret_value)
{
    struct str out = STR_INIT(RULE_TEMPLATE_OUTPUT_MAX);
    const char *text, *host, *port;
    size_t len;
    int r = rule_template_need_text(run, &args[0], &text);

    if (r)
        return r;
    if (!split_host_port(text, &host, &len, &port)) {
        host = text;
        len = strlen(text);
        port = "";
    }
    *ret_value = args[0];
    if (is_address(host, len))
        return 0;
    const char *dot = memchr(host, '.', len);
    str_addn(&out, host, dot ? (size_t)(dot - host) : len);
    if (*port)
        str_addf(&out, ":%s", port);
    return rule_template_give_text(run, &out, ret_value);
}

/* Patterns come from the rule; as in Go `.` does not match a newline. */
static int make_regex(struct rule_template_run *run,
                      const struct value *arg,
                      struct regex **ret_regex)
{
    STR_AUTO struct str pattern = STR_INIT(8192);
    struct err err = {0};
    const char *text;
    int r = rule_template_need_text(run, arg, &text);

    if (r)
        return r;
    str_addf(&pattern, "(?-s)%s", text);
    if (regex_new(str_text(&pattern), ret_regex, &err))
        return rule_template_fail(run, "%s", err.text);
    return 0;
}

static int fn_match(struct rule_template_run *run,
                    const struct value *args,
                    size_t n,
                    struct value *ret_value)
{
    struct regex *regex = NULL;
    const char *text;
    int r = rule_template_need_text(run, &args[1], &text);

    if (!r)
        r = make_regex(run, &args[0], &regex);
    if (r)
        return r;
    *ret_value = value_bool(regex_matches_within(regex, text, strlen(text)));
    regex_free(regex);
    return 0;
}

/* reReplaceAll pattern replacement text */
static int fn_replace_all(struct rule_template_run *run,
                          const struct value *args,
                          size_t n,
                          struct value *ret_value)
{
    struct str out = STR_INIT(RULE_TEMPLATE_OUTPUT_MAX);
    struct regex *regex = NULL;
    const char *replacement, *text;
    int r = rule_template_need_text(run, &args[1], &replacement);

    if (!r)
        r = rule_template_need_text(run, &args[2], &text);
    if (!r)
        r = make_regex(run, &args[0], &regex);
    if (r)
        return r;
    regex_replace_all(regex, text, replacement, &out);
    regex_free(regex);
    return rule_template_give_text(run, &out, ret_value);
}

static void add_escaped_query(struct str *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (isalnum((unsigned char)*c) || strchr("-_.~", *c))
            str_addc(out, *c);
        else if (*c == ' ')
            str_addc(out, '+');
        else
            str_addf(out, "%%%02X", (unsigned char)*c);
    }
}

static int fn_urlquery(struct rule_template_run *run,
                       const struct value *args,
                       size_t n,
                       struct value *ret_value)
{
    STR_AUTO struct str plain = STR_INIT(RULE_TEMPLATE_OUTPUT_MAX);
    struct str out = STR_INIT(RULE_TEMPLATE_OUTPUT_MAX);

    value_print_shown(args, n, &plain);
    add_escaped_query(&out, str_text(&plain));
    return rule_template_give_text(run, &out, ret_value);
}

static int link_to(struct rule_template_run *run,
                   const struct value *arg,
                   int tab,
                   struct value *ret_value)
{
    struct str out = STR_INIT(RULE_TEMPLATE_OUTPUT_MAX);
    const char *text;
    int r = rule_template_need_text(run, arg, &text);

    if (r)
        return r;
    str_add(&out, "/graph?g0.expr=");
    add_escaped_query(&out, text);
    str_addf(&out, "&g0.tab=%d", tab);
    return rule_template_give_text(run, &out, ret_value);
}

static int fn_graph_link(struct rule_template_run *run,
                         const struct value *args,
                         size_t n,
                         struct value *ret_value)
{
    return link_to(run, &args[0], 0, ret_value);
}

static int fn_table_link(struct rule_template_run *run,
                         const struct value *args,
                         size_t n,
                         struct value *ret_value)
{
    return link_to(run, &args[0], 1, ret_value);
}

static int fn_external_url(struct rule_template_run *run,
                           const struct value *args,
                           size_t n,
                           struct value *ret_value)
{
    *ret_value = value_text(run->data->external_url ? run->data->external_url : "");
    return 0;
}

/* The path of the external URL. */
static int fn_path_prefix(struct rule_template_run *run,
                          const struct value *args,
                          size_t n,
                          struct value *ret_value)
{
    const char *url = run->data->external_url ? run->data->external_url : "";
    const char *host = strstr(url, "://");
    const char *path = strchr(host ? host + 3 : url, '/');

    *ret_value = value_text(path ? path : "");
    return 0;
}

/* In text there is nothing to make safe. */
static int fn_safe_html(struct rule_template_run *run,
                        const struct value *args,
                        size_t n,
                        struct value *ret_value)
{
    const char *text;

    *ret_value = args[0];
    return rule_template_need_text(run, &args[0], &text);
}

const struct rule_template_fn rule_template_text_fns[] = {
    {"toUpper", 1, 1, fn_to_upper, false},
    {"toLower", 1, 1, fn_to_lower, false},
    {"title", 1, 1, fn_title, false},
    {"stripPort", 1, 1, fn_strip_port, false},
    {"stripDomain", 1, 1, fn_strip_domain, false},
    {"match", 2, 2, fn_match, false},
    {"reReplaceAll", 3, 3, fn_replace_all, false},
    {"urlquery", 0, SIZE_MAX, fn_urlquery, false},
    {"urlQueryEscape", 1, 1, fn_urlquery, false},
    {"graphLink", 1, 1, fn_graph_link, false},
    {"tableLink", 1, 1, fn_table_link, false},
    {"externalURL", 0, 0, fn_external_url, false},
    {"pathPrefix", 0, 0, fn_path_prefix, false},
    {"safeHtml", 1, 1, fn_safe_html, false},
    {0},
};
