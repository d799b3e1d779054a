/*
 * A scalar written so that any YAML reader gives the same text back: plain where nothing
 * can be mistaken, a literal block for lines, double quotes for the rest.
 */

#include <ctype.h>
#include <string.h>

#include "lib/base/float.h"
#include "lib/yaml/yaml.h"

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

/* Text that stands for itself in a block: a letter first, and nothing in it that would end
 * it (": ", " #"). */
static bool is_plain(const char *text)
{
    size_t len = strlen(text);

    if (!isalpha((unsigned char)text[0]) && text[0] != '_')
        return false;
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    if (strstr(text, ": ") || strstr(text, " #") || text[len - 1] == ':' || text[len - 1] == ' ')
        return false;
    return !is_special_word(text);
}

/* Lines that a literal block gives back as they are. */
static bool fits_block(const char *text)
{
    size_t len = strlen(text);

    if (!strchr(text, '\n') || text[0] == ' ' || text[0] == '\n' || text[len - 1] == '\n')
        return false;
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' ? *c != '\n' : *c == 0x7f)
            return false;
    return strstr(text, " \n") == NULL;
}

static void add_block(struct str *out, const char *text, unsigned indent)
{
    str_add(out, "|-\n");
    while (*text) {
        size_t len = strcspn(text, "\n");

        if (len)
            str_addf(out, "%*s", (int)indent, "");
        str_addn(out, text, len);
        text += len;
        if (*text) {
            str_addc(out, '\n');
            text++;
        }
    }
}

static void add_quoted(struct str *out, const char *text)
{
    str_addc(out, '"');
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            str_addf(out, "\\%c", *c);
        else if (*c == '\n')
            str_add(out, "\\n");
        else if (*c == '\t')
            str_add(out, "\\t");
        else if ((unsigned char)*c < ' ' || *c == 0x7f)
            str_addf(out, "\\x%02x", (unsigned char)*c);
        else
            str_addc(out, *c);
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
