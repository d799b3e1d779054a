/*
 * Words worth a second look. See hint.h.
 */

#include "alertd/postmortem/hint.h"

#include <stdbool.h>
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

struct finding {
    const struct hint_table *table;
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
        for (size_t i = 0; !in_code && i < finding->table->n; i++) {
            const struct hint_word *word = &finding->table->words[i];

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
    struct finding finding = {table, arena_array(arena, HINT_MAX, sizeof(struct hint)), 0};
    bool fenced = false;
    unsigned number = 0;

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
