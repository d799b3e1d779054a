/*
 * Contributing factors in a document. See factor.h.
 */

#include "alertd/postmortem/factor.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "lib/base/str.h"

enum {
    TEXT_MAX = 4096
};

struct finding {
    struct arena *arena;
    struct factor *factors;
    size_t n;
    struct str text; /* of the last one, so far */
    bool is_open;    /* the next line may go on with it */
    bool is_spent;
};

static bool is_in_tag(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || (unsigned char)c >= 0x80;
}

static void add_tag(struct finding *finding, struct factor *factor, const char *tag, size_t len)
{
    char name[FACTOR_TAG_MAX + 1];

    if (len > FACTOR_TAG_MAX || factor->n_tags == FACTOR_TAGS_MAX)
        return;
    for (size_t i = 0; i < len; i++)
        name[i] = (char)tolower((unsigned char)tag[i]);
    name[len] = '\0';
    for (size_t i = 0; i < factor->n_tags; i++)
        if (strcmp(factor->tags[i], name) == 0)
            return;
    const char *kept = arena_strndup(finding->arena, name, len);

    finding->is_spent |= !kept;
    if (kept)
        factor->tags[factor->n_tags++] = kept;
}

/* How long a tag is that begins here: "#capacity", at the start of a word; 0: none does. "#12" is
 * somebody's ticket. */
static size_t tag_at(const char *line, const char *at, const char *end)
{
    size_t len = 1;

    if (*at != '#' || (at > line && at[-1] != ' ' && at[-1] != '(' && at[-1] != '\t'))
        return 0;
    while (at + len < end && is_in_tag(at[len]))
        len++;
    return len > 1 && !isdigit((unsigned char)at[1]) ? len : 0;
}

static char last_of(const struct str *text)
{
    return text->len ? str_text(text)[text->len - 1] : '\0';
}

static void close_factor(struct finding *finding)
{
    if (!finding->is_open)
        return;
    struct factor *factor = &finding->factors[finding->n - 1];

    while (last_of(&finding->text) == ' ')
        str_cut(&finding->text, finding->text.len - 1);
    factor->text = arena_strndup(finding->arena, str_text(&finding->text), finding->text.len);
    finding->is_spent |= !factor->text;
    finding->is_open = false;
    if (factor->text && !*factor->text && !factor->n_tags)
        finding->n--; /* an item without words */
    str_cut(&finding->text, 0);
}

static void add_words(struct finding *finding, const char *line, const char *end)
{
    struct factor *factor = &finding->factors[finding->n - 1];

    for (const char *at = line; at < end;) {
        size_t len = tag_at(line, at, end);

        if (len) {
            add_tag(finding, factor, at + 1, len - 1);
        } else if (finding->text.len < TEXT_MAX - 8 &&
                   (*at != ' ' || (finding->text.len && last_of(&finding->text) != ' '))) {
            str_addc(&finding->text, *at);
        }
        at += len ? len : 1;
    }
    if (finding->text.len)
        str_addc(&finding->text, ' ');
}

/* How long "- ", "* ", "+ ", "12. " or "- [ ] " at the start of a line is; 0: it is no item. */
static size_t item_sign(const char *line, const char *end)
{
    size_t n = strspn(line, "0123456789");
    size_t len = n && n < 10 && line + n < end && (line[n] == '.' || line[n] == ')') ? n + 1
                 : strchr("-*+", *line)                                              ? 1
                                                                                     : 0;

    if (len && line + len >= end)
        return len;
    if (!len || line[len] != ' ')
        return 0;
    len++;
    return end - line > (ptrdiff_t)len + 4 && line[len] == '[' && line[len + 2] == ']' ? len + 4
                                                                                       : len;
}

static void take_line(struct finding *finding, const char *line, const char *end)
{
    const char *at = line + strspn(line, " \t");

    /* what is quoted is nobody's factor, a prompt is one such; a table is what facts say */
    if (at >= end || *at == '>' || *at == '|') {
        close_factor(finding);
        return;
    }
    size_t sign = item_sign(at, end);

    if (sign || !finding->is_open) {
        close_factor(finding);
        if (finding->n == FACTORS_MAX)
            return;
        finding->factors[finding->n++] = (struct factor){.text = ""};
        finding->is_open = true;
    }
    add_words(finding, at + sign, end);
}

/* The line after "## HEADING"; NULL: there is none. */
static const char *section_of(const char *markdown, const char *heading)
{
    size_t len = strlen(heading);

    for (const char *at = markdown; at && *at;) {
        if (strncmp(at, "## ", 3) == 0 && strncmp(at + 3, heading, len) == 0 &&
            (at[3 + len] == '\n' || at[3 + len] == '\0'))
            return at + 3 + len;
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    return NULL;
}

struct factor *factor_find(struct arena *arena,
                           const char *markdown,
                           const char *heading,
                           size_t *ret_n)
{
    struct finding finding = {
        .arena = arena,
        .factors = arena_array(arena, FACTORS_MAX, sizeof(struct factor)),
        .text = STR_INIT(TEXT_MAX),
    };
    const char *line = section_of(markdown, heading);
    bool is_fenced = false;

    while (finding.factors && line && *line) {
        line += *line == '\n';
        const char *end = line + strcspn(line, "\n");

        if (!is_fenced && (strncmp(line, "## ", 3) == 0 || strncmp(line, "# ", 2) == 0))
            break;
        if (strncmp(line, "```", 3) == 0)
            is_fenced = !is_fenced;
        else if (!is_fenced && strncmp(line, "###", 3) != 0)
            take_line(&finding, line, end);
        line = end;
    }
    if (finding.factors)
        close_factor(&finding);
    str_done(&finding.text);
    *ret_n = finding.n;
    return finding.is_spent ? NULL : finding.factors;
}
