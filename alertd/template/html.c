/*
 * Where in an HTML text the output has come to: between tags, in the value of an attribute
 * (and what kind of value), in a script ... Only the template's own text is read for that; what
 * actions give is escaped so that it can't lead anywhere else.
 *
 *     <a href="/search?q={{ . }}">{{ . }}</a>
 *     TEXT  NAME  VALUE (URL, its query)  TEXT
 *
 * No parser of whole HTML: tags, attributes, comments and the four elements whose content is no
 * markup. What is not well formed ends in the text state, where everything is escaped.
 */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "alertd/template/engine.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

enum html_attribute tmpl_html_attribute(const char *name)
{
    static const char *const urls[] = {"action",   "archive",  "background", "cite",    "classid",
                                       "codebase", "data",     "formaction", "href",    "icon",
                                       "longdesc", "manifest", "poster",     "profile", "src",
                                       "srcset",   "usemap",   "xmlns",      NULL};
    const char *plain = strncmp(name, "data-", 5) == 0 ? name + 5 : name;

    if (strncmp(plain, "on", 2) == 0)
        return HTML_JS;
    if (strcmp(plain, "style") == 0)
        return HTML_CSS;
    for (size_t i = 0; urls[i]; i++)
        if (strcmp(plain, urls[i]) == 0)
            return HTML_URL;
    return strstr(plain, "src") || strstr(plain, "uri") || strstr(plain, "url") ? HTML_URL
                                                                                : HTML_PLAIN;
}

static void begin_name(struct tmpl_html *html, enum html_state state)
{
    html->state = state;
    html->name_len = 0;
    html->name[0] = '\0';
}

static void add_to_name(struct tmpl_html *html, char c)
{
    if (html->name_len + 1 >= sizeof(html->name))
        return;
    html->name[html->name_len++] = (char)tolower((unsigned char)c);
    html->name[html->name_len] = '\0';
}

/* Behind the > of a tag; `raw` holds the element when its content is no markup. */
static void end_tag(struct tmpl_html *html)
{
    html->state = html->raw[0] && !html->is_closing ? HTML_RAW : HTML_TEXT;
    if (html->state == HTML_TEXT)
        html->raw[0] = '\0';
}

static void end_tag_name(struct tmpl_html *html)
{
    static const char *const raw[] = {"script", "style", "textarea", "title"};

    html->state = HTML_TAG;
    html->raw[0] = '\0';
    for (size_t i = 0; i < sizeof(raw) / sizeof(raw[0]); i++)
        if (strcmp(raw[i], html->name) == 0)
            memcpy(html->raw, raw[i], strlen(raw[i]) + 1);
}

static void begin_value(struct tmpl_html *html, char quote)
{
    html->state = HTML_VALUE;
    html->quote = quote;
    html->attribute = tmpl_html_attribute(html->name);
    html->url_part = HTML_URL_START;
}

/* At < in text: a tag, a comment, or only a sign. Returns how many letters were read. */
static size_t read_open(struct tmpl_html *html, const char *at, size_t len, struct str *out)
{
    bool closes = len > 1 && at[1] == '/';
    size_t name = closes ? 2 : 1;

    if (len >= 4 && strncmp(at, "<!--", 4) == 0) {
        html->state = HTML_COMMENT;
        return 4;
    }
    if (len > name && isalpha((unsigned char)at[name])) {
        html->is_closing = closes;
        begin_name(html, HTML_TAG_NAME);
        str_addn(out, at, name);
        return name;
    }
    str_addc(out, '<');
    return 1;
}

/* In a script or the like: only its own end tag ends it. */
static size_t read_raw(struct tmpl_html *html, const char *at, size_t len, struct str *out)
{
    size_t name = strlen(html->raw);

    if (*at == '<' && len > name + 2 && at[1] == '/' && strncasecmp(at + 2, html->raw, name) == 0)
        return read_open(html, at, len, out);
    str_addc(out, *at);
    return 1;
}

static size_t read_comment(struct tmpl_html *html, const char *at, size_t len)
{
    if (len >= 3 && strncmp(at, "-->", 3) == 0) {
        html->state = HTML_TEXT;
        return 3;
    }
    return 1;
}

/* A letter of a value, or its end. False: the letter is not part of it. */
static bool read_value(struct tmpl_html *html, char c)
{
    if (html->quote ? c == html->quote : is_space(c) || c == '>') {
        html->state = HTML_TAG;
        return html->quote != 0;
    }
    if (c == '?' || c == '#')
        html->url_part = HTML_URL_QUERY;
    else if (html->url_part == HTML_URL_START)
        html->url_part = HTML_URL_PATH;
    return true;
}

/* Between < and >, outside of values. False: the letter is to be read again in the state it is
 * now. */
static bool read_tag(struct tmpl_html *html, char c)
{
    switch (html->state) {
    case HTML_TAG_NAME:
        if (isalnum((unsigned char)c) || c == '-' || c == ':')
            add_to_name(html, c);
        else
            end_tag_name(html);
        return html->state == HTML_TAG_NAME;
    case HTML_TAG:
        if (c == '>')
            end_tag(html);
        else if (!is_space(c) && c != '/')
            begin_name(html, HTML_NAME);
        return html->state != HTML_NAME;
    case HTML_NAME:
        if (c == '=' || c == '>' || c == '/' || is_space(c)) {
            html->state = HTML_AFTER_NAME;
            return false;
        }
        add_to_name(html, c);
        return true;
    case HTML_AFTER_NAME:
        if (c == '=')
            html->state = HTML_BEFORE_VALUE;
        else if (!is_space(c))
            html->state = HTML_TAG;
        return html->state != HTML_TAG;
    case HTML_BEFORE_VALUE:
        if (is_space(c))
            return true;
        if (c == '>') {
            html->state = HTML_TAG;
            return false;
        }
        begin_value(html, c == '"' || c == '\'' ? c : '\0');
        return html->quote != 0;
    case HTML_VALUE: return read_value(html, c);
    case HTML_TEXT:
    case HTML_RAW:
    case HTML_COMMENT: break;
    }
    return true;
}

void tmpl_html_text(struct tmpl_html *html, const char *text, size_t len, struct str *out)
{
    size_t i = 0;

    while (i < len) {
        if (html->state == HTML_COMMENT) {
            i += read_comment(html, text + i, len - i);
        } else if (html->state == HTML_RAW) {
            i += read_raw(html, text + i, len - i, out);
        } else if (html->state == HTML_TEXT) {
            if (text[i] == '<')
                i += read_open(html, text + i, len - i, out);
            else
                str_addc(out, text[i++]);
        } else if (read_tag(html, text[i])) {
            str_addc(out, text[i++]);
        }
    }
}
