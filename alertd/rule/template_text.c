/*
 * Functions on text that only rules have: hosts and ports, links, titles.
 */

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "alertd/rule/template_private.h"

static int fn_title(struct tmpl_run *run,
                    const struct value *args,
                    size_t n,
                    struct value *ret_value)
{
    return tmpl_give_title(run, &args[0], TMPL_REST_STAYS, ret_value);
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

static int fn_strip_port(struct tmpl_run *run,
                         const struct value *args,
                         size_t n,
                         struct value *ret_value)
{
    const char *text, *host, *port;
    size_t len;
    int r = tmpl_need_text(run, &args[0], &text);

    if (r)
        return r;
    *ret_value = args[0];
    if (!split_host_port(text, &host, &len, &port))
        return 0;
    char *copy = arena_strndup(run->arena, host, len);
    if (!copy)
        return tmpl_fail_memory(run);
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
static int fn_strip_domain(struct tmpl_run *run,
                           const struct value *args,
                           size_t n,
                           struct value *ret_value)
{
    struct str out = STR_INIT(TMPL_OUTPUT_MAX);
    const char *text, *host, *port;
    size_t len;
    int r = tmpl_need_text(run, &args[0], &text);

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
    return tmpl_give_text(run, &out, ret_value);
}

static int link_to(struct tmpl_run *run, const struct value *arg, int tab, struct value *ret_value)
{
    struct str out = STR_INIT(TMPL_OUTPUT_MAX);
    const char *text;
    int r = tmpl_need_text(run, arg, &text);

    if (r)
        return r;
    str_add(&out, "/graph?g0.expr=");
    tmpl_add_query(&out, text);
    str_addf(&out, "&g0.tab=%d", tab);
    return tmpl_give_text(run, &out, ret_value);
}

static int fn_graph_link(struct tmpl_run *run,
                         const struct value *args,
                         size_t n,
                         struct value *ret_value)
{
    return link_to(run, &args[0], 0, ret_value);
}

static int fn_table_link(struct tmpl_run *run,
                         const struct value *args,
                         size_t n,
                         struct value *ret_value)
{
    return link_to(run, &args[0], 1, ret_value);
}

static int fn_external_url(struct tmpl_run *run,
                           const struct value *args,
                           size_t n,
                           struct value *ret_value)
{
    const struct rule_template_data *data = run->data;

    *ret_value = value_text(data->external_url ? data->external_url : "");
    return 0;
}

/* The path of the external URL. */
static int fn_path_prefix(struct tmpl_run *run,
                          const struct value *args,
                          size_t n,
                          struct value *ret_value)
{
    const struct rule_template_data *data = run->data;
    const char *url = data->external_url ? data->external_url : "";
    const char *host = strstr(url, "://");
    const char *path = strchr(host ? host + 3 : url, '/');

    *ret_value = value_text(path ? path : "");
    return 0;
}

/* In text there is nothing to make safe. */
static int fn_safe_html(struct tmpl_run *run,
                        const struct value *args,
                        size_t n,
                        struct value *ret_value)
{
    const char *text;

    *ret_value = args[0];
    return tmpl_need_text(run, &args[0], &text);
}

const struct tmpl_fn rule_template_text_fns[] = {
    {"title", 1, 1, fn_title, false},
    {"stripPort", 1, 1, fn_strip_port, false},
    {"stripDomain", 1, 1, fn_strip_domain, false},
    {"urlQueryEscape", 1, 1, tmpl_fn_urlquery, false},
    {"graphLink", 1, 1, fn_graph_link, false},
    {"tableLink", 1, 1, fn_table_link, false},
    {"externalURL", 0, 0, fn_external_url, false},
    {"pathPrefix", 0, 0, fn_path_prefix, false},
    {"safeHtml", 1, 1, fn_safe_html, false},
    {0},
};
