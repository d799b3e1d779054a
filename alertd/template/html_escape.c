/*
 * What an action gives, made harmless for where in an HTML text it stands:
 *
 *   text, plain attributes   < > & " ' + are entities; without quotes blanks and = too
 *   addresses                http, https, mailto or none, else "#ZgotmplZ"; then what an address
 *                            can't hold is %xx, in a query everything but letters
 *   style                    only what can't leave a value, else "ZgotmplZ"
 *   scripts, on...           a JSON value
 *   names of attributes      letters and digits, else "ZgotmplZ"
 *
 * The word is the one Go's html/template uses: people look for it.
 */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "alertd/template/engine.h"
#include "lib/base/bug.h"

#define HARMLESS "ZgotmplZ"

static void add_entities(const char *text, bool is_unquoted, struct str *out)
{
    for (const char *at = text; *at; at++) {
        unsigned char c = (unsigned char)*at;

        if (c == '<')
            str_add(out, "&lt;");
        else if (c == '>')
            str_add(out, "&gt;");
        else if (c == '&')
            str_add(out, "&amp;");
        else if (strchr("\"'+", c) || (is_unquoted && (c <= ' ' || c == '=' || c == '`')))
            str_addf(out, "&#%u;", c);
        else
            str_addc(out, (char)c);
    }
}

/* HTML that is trusted between tags can't stand in an attribute with them. */
static void add_without_tags(const char *text, struct str *out)
{
    STR_AUTO struct str kept = STR_INIT(TMPL_OUTPUT_MAX);
    bool in_tag = false;

    for (const char *at = text; *at; at++) {
        if (*at == '<')
            in_tag = true;
        else if (*at == '>' && in_tag)
            in_tag = false;
        else if (!in_tag && *at == '"')
            str_add(&kept, "&#34;");
        else if (!in_tag && *at == '\'')
            str_add(&kept, "&#39;");
        else if (!in_tag)
            str_addc(&kept, *at);
    }
    str_add(out, str_text(&kept));
}

static bool has_safe_scheme(const char *url)
{
    static const char *const safe[] = {"http", "https", "mailto"};
    size_t len = strcspn(url, ":/?#");

    if (url[len] != ':')
        return true;
    for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++)
        if (strlen(safe[i]) == len && strncasecmp(safe[i], url, len) == 0)
            return true;
    return false;
}

static void add_url(const char *url, bool in_query, struct str *out)
{
    for (const char *at = url; *at; at++) {
        unsigned char c = (unsigned char)*at;
        bool is_escape = c == '%' && isxdigit((unsigned char)at[1]) &&
                         isxdigit((unsigned char)at[2]);

        if (isalnum(c) || strchr("-._~", c) ||
            (!in_query && (strchr("!#$&*+,/:;=?@[]", c) || is_escape)))
            str_addc(out, (char)c);
        else
            str_addf(out, "%%%02x", c);
    }
}

static void add_address(const struct tmpl_html *html,
                        const struct value *value,
                        const char *text,
                        struct str *out)
{
    STR_AUTO struct str url = STR_INIT(TMPL_OUTPUT_MAX);
    bool is_start = html->url_part == HTML_URL_START;

    if (is_start && value->trust != TRUST_URL && !has_safe_scheme(text))
        text = "#" HARMLESS;
    add_url(text, html->url_part == HTML_URL_QUERY, &url);
    add_entities(str_text(&url), html->quote == '\0', out);
}

/* Colours, lengths, names: what can't end a declaration or call something. */
static const char *css_of(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  " #%.,+-_!*";

    if (text[strspn(text, allowed)] || strcasestr(text, "expression") ||
        strcasestr(text, "mozbinding") || strstr(text, "--"))
        return HARMLESS;
    return text;
}

static void add_script(const struct value *value,
                       bool in_attribute,
                       bool is_unquoted,
                       struct str *out)
{
    STR_AUTO struct str json = STR_INIT(TMPL_OUTPUT_MAX);

    value_json(value, &json);
    if (in_attribute)
        add_entities(str_text(&json), is_unquoted, out);
    else
        str_add(out, str_text(&json));
}

static void add_in_value(struct tmpl_html *html,
                         const struct value *value,
                         const char *text,
                         struct str *out)
{
    bool is_unquoted = html->quote == '\0';

    switch (html->attribute) {
    case HTML_PLAIN:
        if (value->trust == TRUST_HTML)
            add_without_tags(text, out);
        else
            add_entities(text, is_unquoted, out);
        break;
    case HTML_URL: add_address(html, value, text, out); break;
    case HTML_CSS: add_entities(css_of(text), is_unquoted, out); break;
    case HTML_JS: add_script(value, true, is_unquoted, out); break;
    }
    if (html->url_part == HTML_URL_START)
        html->url_part = HTML_URL_PATH;
}

static void add_in_raw(const struct tmpl_html *html,
                       const struct value *value,
                       const char *text,
                       struct str *out)
{
    if (strcmp(html->raw, "script") == 0)
        add_script(value, false, false, out);
    else if (strcmp(html->raw, "style") == 0)
        str_add(out, css_of(text));
    else
        add_entities(text, false, out);
}

static bool is_name(const char *text)
{
    const char *at = text;

    while (isalnum((unsigned char)*at))
        at++;
    return at > text && !*at && tmpl_html_attribute(text) == HTML_PLAIN;
}

void tmpl_html_value(struct tmpl_html *html, const struct value *value, struct str *out)
{
    STR_AUTO struct str shown = STR_INIT(TMPL_OUTPUT_MAX);
    const char *text;

    if (value->kind != VALUE_NONE) /* nothing shows as nothing */
        value_print(value, &shown);
    text = str_text(&shown);
    if (html->state == HTML_BEFORE_VALUE) { /* href={{ . }} */
        html->state = HTML_VALUE;
        html->quote = '\0';
        html->attribute = tmpl_html_attribute(html->name);
        html->url_part = HTML_URL_START;
    }
    switch (html->state) {
    case HTML_TEXT:
        if (value->trust == TRUST_HTML)
            str_add(out, text);
        else
            add_entities(text, false, out);
        return;
    case HTML_VALUE: add_in_value(html, value, text, out); return;
    case HTML_RAW: add_in_raw(html, value, text, out); return;
    case HTML_TAG_NAME:
    case HTML_TAG:
    case HTML_NAME:
    case HTML_AFTER_NAME: str_add(out, is_name(text) ? text : HARMLESS); return;
    case HTML_BEFORE_VALUE: /* taken above */
    case HTML_COMMENT: return;
    }
    UNREACHABLE("html_state out of range");
}
