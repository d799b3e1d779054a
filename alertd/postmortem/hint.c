/*
 * Words worth a second look. See hint.h.
 */

#include "alertd/postmortem/hint.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define HINDSIGHT \
    "hindsight", "What was known then? Say what was seen and done, not what should have been."
#define BLAME     "blame", "Name the condition that let it happen, not the person it happened to."
#define CERTAINTY "certainty", "Say how it is known, or leave the word out."
#define SINGLE    "single cause", "Which conditions had to come together? List them."
#define VAGUE     "vague action", "Who will see that it is done, and by what?"

static const struct hint_word words[] = {
    {"should have", HINDSIGHT}, {"could have", HINDSIGHT},  {"would have noticed", HINDSIGHT},
    {"failed to", HINDSIGHT},   {"if only", HINDSIGHT},     {"neglected to", HINDSIGHT},
    {"careless", BLAME},        {"carelessness", BLAME},    {"forgot", BLAME},
    {"human error", BLAME},     {"his fault", BLAME},       {"her fault", BLAME},
    {"their fault", BLAME},     {"at fault", BLAME},        {"to blame", BLAME},
    {"negligent", BLAME},       {"incompetent", BLAME},     {"sloppy", BLAME},
    {"operator error", BLAME},  {"obviously", CERTAINTY},   {"clearly", CERTAINTY},
    {"simply", CERTAINTY},      {"of course", CERTAINTY},   {"the root cause", SINGLE},
    {"the only cause", SINGLE}, {"be more careful", VAGUE}, {"pay more attention", VAGUE},
    {"look into", VAGUE},       {"raise awareness", VAGUE}, {"try to remember", VAGUE},
};

const struct hint_table hint_builtin = {words, sizeof(words) / sizeof(*words)};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

/* Does the phrase stand at `at` of a line that ends at `end`, as words of their own? */
static bool stands_at(const char *line, const char *at, const char *end, const char *phrase)
{
    size_t len = strlen(phrase);

    return (size_t)(end - at) >= len && strncasecmp(at, phrase, len) == 0 &&
           (at == line || !is_letter(at[-1])) && (at + len == end || !is_letter(at[len]));
}

/* Rows of the table by the byte they begin with, whatever its case: 1 + the row, 0 ends. */
struct index {
    uint32_t first[256];
    uint32_t *next; /* table->n of them */
};

static unsigned char folded(char c)
{
    return (unsigned char)tolower((unsigned char)c);
}

static bool lay_index(struct arena *arena, const struct hint_table *table, struct index *index)
{
    index->next = arena_array(arena, table->n + 1, sizeof(*index->next));
    for (size_t i = table->n; index->next && i-- > 0;) {
        uint32_t *first = &index->first[folded(*table->words[i].phrase)];

        index->next[i] = *first;
        *first = (uint32_t)i + 1;
    }
    return index->next != NULL;
}

struct finding {
    const struct hint_table *table;
    struct index index;
    struct hint *hints;
    size_t n;
};

static void look_at(struct finding *finding, const char *line, size_t len, unsigned number)
{
    bool in_code = false;

    for (const char *at = line; at < line + len; at++) {
        in_code ^= *at == '`';
        if (at > line && is_letter(at[-1])) /* no phrase begins within a word */
            continue;
        if (in_code)
            continue;
        for (uint32_t i = finding->index.first[folded(*at)]; i; i = finding->index.next[i - 1]) {
            const struct hint_word *word = &finding->table->words[i - 1];

            if (finding->n == HINT_MAX || !stands_at(line, at, line + len, word->phrase))
                continue;
            finding->hints[finding->n++] = (struct hint){word->kind, word->phrase, word->advice,
                                                         number};
        }
    }
}

struct hint *hint_find(struct arena *arena,
                       const struct hint_table *table,
                       const char *markdown,
                       size_t *ret_n)
{
    struct finding finding = {.table = table};
    bool fenced = false;
    unsigned number = 0;

    if (lay_index(arena, table, &finding.index))
        finding.hints = arena_array(arena, HINT_MAX, sizeof(struct hint));
    while (finding.hints && *markdown) {
        size_t len = strcspn(markdown, "\n");

        number++;
        fenced ^= strncmp(markdown, "```", 3) == 0;
        if (!fenced && *markdown != '>')
            look_at(&finding, markdown, len, number);
        markdown += len + (markdown[len] == '\n');
    }
    *ret_n = finding.n;
    return finding.hints;
}
