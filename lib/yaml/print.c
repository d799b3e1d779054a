/*
 * A scalar written so that any YAML reader gives the same text back: plain where nothing
 * can be mistaken, a literal block for lines, double quotes for the rest.
 */

#include <ctype.h>
#include <string.h>

#include "lib/base/float.h"
#include "lib/yaml/yaml.h"

enum {
    SIMPLE_KEY_MAX = 200, /* bytes; quoted it stays below the 1024 characters YAML allows */
};

/* Words that YAML 1.1 readers take for something else than text. */
static bool is_special_word(const char *text)
{
    static const char *const words[] = {"y",    "n",     "yes",  "no",   "on", "off",
                                        "true", "false", "null", "none", "~"};
    double number;

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return float_parse(text, strlen(text), &number) == 0 || isdigit((unsigned char)text[0]);
}

/* Bytes of a character at `at` that has to be escaped, 0 when it may stand as it is: control
 * characters, and what YAML 1.1 takes for a line end or refuses (NEL, LS, PS, BOM). */
static size_t must_escape(const char *at, unsigned *ret_code)
{
    static const struct {
        const char *bytes;
        unsigned code;
    } others[] = {{"\xe2\x80\xa8", 0x2028},
                  {"\xe2\x80\xa9", 0x2029},
                  {"\xef\xbb\xbf", 0xfeff},
                  {"\xef\xbf\xbe", 0xfffe},
                  {"\xef\xbf\xbf", 0xffff}};
    const unsigned char *byte = (const unsigned char *)at;

    if (byte[0] < ' ' || byte[0] == 0x7f) {
        *ret_code = byte[0];
        return 1;
    }
    if (byte[0] == 0xc2 && byte[1] < 0xa0) {
        *ret_code = byte[1];
        return 2;
    }
    for (size_t i = 0; byte[0] >= 0xe2 && i < sizeof(others) / sizeof(*others); i++) {
        if (strncmp(at, others[i].bytes, 3) != 0)
            continue;
        *ret_code = others[i].code;
        return 3;
    }
    return 0;
}

/* Nothing in it has to be escaped, line ends aside when `lines`. */
static bool is_printable(const char *text, bool lines)
{
    unsigned code;

    for (; *text; text++)
        if (!(lines && *text == '\n') && must_escape(text, &code))
            return false;
    return true;
}

/* Text that stands for itself in a block: a letter first, and nothing in it that would end
 * it (": ", " #"). */
static bool is_plain(const char *text)
{
    size_t len = strlen(text);

    if (!isalpha((unsigned char)text[0]) && text[0] != '_')
        return false;
    if (!is_printable(text, false) || strstr(text, ": ") || strstr(text, " #") ||
        text[len - 1] == ':' || text[len - 1] == ' ')
        return false;
    return !is_special_word(text);
}

/* Lines that a literal block gives back as they are: at most one line end behind them. */
static bool fits_block(const char *text)
{
    size_t len = strlen(text);
    const char *first = strchr(text, '\n');

    if (!first || first == text || !first[1] || text[0] == ' ')
        return false;
    if (text[len - 1] == '\n' && text[len - 2] == '\n')
        return false;
    return is_printable(text, true) && strstr(text, " \n") == NULL;
}

static void add_block(struct str *out, const char *text, unsigned indent)
{
    bool ends = text[strlen(text) - 1] == '\n';

    str_add(out, ends ? "|\n" : "|-\n");
    while (*text) {
        size_t len = strcspn(text, "\n");

        if (len)
            str_addf(out, "%*s", (int)indent, "");
        str_addn(out, text, len);
        text += len;
        if (*text && text[1]) /* the caller writes the last one */
            str_addc(out, '\n');
        text += *text != '\0';
    }
}

static void add_quoted(struct str *out, const char *text)
{
    str_addc(out, '"');
    while (*text) {
        unsigned code = 0;
        size_t len = must_escape(text, &code);

        if (*text == '"' || *text == '\\')
            str_addf(out, "\\%c", *text);
        else if (code == '\n' || code == '\t')
            str_add(out, code == '\n' ? "\\n" : "\\t");
        else if (len)
            str_addf(out, code < 0x100 ? "\\x%02x" : "\\u%04x", code);
        else
            str_addc(out, *text);
        text += len ? len : 1;
    }
    str_addc(out, '"');
}

void yaml_print_scalar(const char *text, unsigned indent, struct str *out)
{
    if (is_plain(text))
        str_add(out, text);
    else if (fits_block(text))
        add_block(out, text, indent);
    else
        add_quoted(out, text);
}

void yaml_print_key(const char *text, unsigned indent, struct str *out)
{
    bool is_long = strlen(text) > SIMPLE_KEY_MAX;

    str_add(out, is_long ? "? " : "");
    if (is_plain(text))
        str_add(out, text);
    else
        add_quoted(out, text);
    if (is_long)
        str_addf(out, "\n%*s", (int)indent, "");
    str_add(out, ": ");
}
