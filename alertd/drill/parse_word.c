/*
 * The next word of a line of a drill. See parse_private.h.
 */

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "alertd/drill/parse_private.h"
#include "lib/base/float.h"
#include "lib/base/near.h"
#include "lib/model/duration.h"

int(parse_fail)(const struct parse *parse, const char *fmt, ...)
{
    const struct drill_line *line = parse->line;
    unsigned column = 1;
    char words[ERR_TEXT_MAX];
    va_list ap;

    if (line->n > 0)
        column = line->tokens[parse->next < line->n ? parse->next : line->n - 1].column;
    va_start(ap, fmt);
    (void)vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    return err_at(parse->err, DRILL_E_FILE, line->number, column, "%s", words);
}

int(parse_fail_before)(const struct parse *parse, const char *fmt, ...)
{
    struct parse before = *parse;
    char words[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    before.next -= before.next > 0;
    return parse_fail(&before, "%s", words);
}

int(parse_spent)(const struct parse *parse)
{
    return err_at(parse->err, DRILL_E_FILE, parse->line->number, 1,
                  "the drill is too large: more than %d MiB in memory", DRILL_ARENA_MAX >> 20);
}

const struct drill_token *parse_peek(const struct parse *parse)
{
    return parse->next < parse->line->n ? &parse->line->tokens[parse->next] : NULL;
}

bool parse_is(const struct parse *parse, const char *word)
{
    const struct drill_token *token = parse_peek(parse);

    return token && token->kind == DRILL_WORD && strcmp(token->text, word) == 0;
}

bool parse_take(struct parse *parse, const char *word)
{
    bool is = parse_is(parse, word);

    parse->next += is;
    return is;
}

int parse_word(struct parse *parse, const char *what, const char **ret)
{
    const struct drill_token *token = parse_peek(parse);

    if (!token || token->kind != DRILL_WORD)
        return parse_fail(parse, "%s is missing here", what);
    *ret = token->text;
    parse->next++;
    return 0;
}

int parse_text(struct parse *parse, const char *what, const char **ret)
{
    const struct drill_token *token = parse_peek(parse);

    if (!token || token->kind != DRILL_TEXT)
        return parse_fail(parse, "%s belongs here, in quotes", what);
    if (!token->text[0])
        return parse_fail(parse, "%s is empty", what);
    *ret = token->text;
    parse->next++;
    return 0;
}

int parse_span(struct parse *parse, const char *what, int64_t *ret_ms)
{
    const char *word = NULL;

    PARSE_TRY(parse_word(parse, what, &word));
    if (duration_parse(word, strlen(word), ret_ms) != 0)
        return parse_fail_before(parse, "%s is a length of time like 90s, 5m or 1h30m, not '%.60s'",
                                 what, word);
    return 0;
}

int parse_time(struct parse *parse, const char *what, int64_t *ret_ms)
{
    int64_t ms = 0;

    PARSE_TRY(parse_span(parse, what, &ms));
    if (ms < 0 || ms > DRILL_LENGTH_MAX_MS)
        return parse_fail_before(parse, "a drill is seven days long at most");
    *ret_ms = ms;
    return 0;
}

int parse_number(struct parse *parse, const char *what, double *ret)
{
    const char *word = NULL;

    PARSE_TRY(parse_word(parse, what, &word));
    if (float_parse(word, strlen(word), ret) != 0 || isnan(*ret))
        return parse_fail_before(parse, "%s is a number, not '%.60s'", what, word);
    return 0;
}

int parse_whole(struct parse *parse, const char *what, int64_t *ret)
{
    double value = 0;

    PARSE_TRY(parse_number(parse, what, &value));
    if (value < 0 || value > 1e6 || value != floor(value))
        return parse_fail_before(parse, "%s is a whole number from 0 to a million", what);
    *ret = (int64_t)value;
    return 0;
}

int parse_end(const struct parse *parse)
{
    const struct drill_token *token = parse_peek(parse);

    return token ? parse_fail(parse, "the statement is complete before '%.60s'", token->text) : 0;
}

int parse_choice(struct parse *parse, const char *what, const char *const *names, size_t *ret)
{
    const char *word = NULL;

    PARSE_TRY(parse_word(parse, what, &word));
    for (size_t i = 0; names[i]; i++) {
        if (strcmp(names[i], word) == 0) {
            *ret = i;
            return 0;
        }
    }

    const char *near = near_word(word, names);

    return parse_fail_before(parse, "there is no %s '%.60s'%s%s%s", what, word,
                             near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}

int parse_clock_or_count(struct parse *parse,
                         bool *ret_is_clock,
                         enum drill_clock *ret_clock,
                         enum drill_count *ret_count)
{
    const char *names[DRILL_N_CLOCKS + DRILL_N_COUNTS + 1] = {NULL};
    size_t place = 0;

    for (size_t i = 0; i < DRILL_N_CLOCKS; i++)
        names[i] = drill_clock_name((enum drill_clock)i);
    for (size_t i = 0; i < DRILL_N_COUNTS; i++)
        names[DRILL_N_CLOCKS + i] = drill_count_name((enum drill_count)i);
    PARSE_TRY(parse_choice(parse, "clock or count", names, &place));
    *ret_is_clock = place < DRILL_N_CLOCKS;
    if (*ret_is_clock)
        *ret_clock = (enum drill_clock)place;
    else
        *ret_count = (enum drill_count)(place - DRILL_N_CLOCKS);
    return 0;
}

static void free_regex(void *regex)
{
    regex_free(regex);
}

static int parse_accept(struct parse *parse,
                        const struct drill_token *token,
                        struct drill_accept *accept)
{
    STR_AUTO struct str pattern = STR_INIT(DRILL_BYTES_MAX);
    struct err err = {0};

    if (!token->text[0])
        return parse_fail(parse, "empty words match nothing: write what is accepted");
    accept->words = token->text;
    if (token->kind == DRILL_PATTERN) {
        str_addf(&pattern, "(?i)%s", token->text);
        if (regex_new(str_text(&pattern), &accept->regex, &err) != 0)
            return parse_fail(parse, "this pattern can't be read: %.200s", err.text);
        if (!arena_on_reset(&parse->drill->arena, free_regex, accept->regex)) {
            regex_free(accept->regex);
            return parse_spent(parse);
        }
    }
    parse->next++;
    return 0;
}

int parse_accepts(struct parse *parse, struct drill_accept **ret, size_t *ret_n)
{
    size_t n = 0;

    while (parse->next + n < parse->line->n &&
           parse->line->tokens[parse->next + n].kind != DRILL_WORD)
        n++;
    if (n == 0)
        return parse_fail(parse, "what is accepted belongs here: \"words\" or ~\"a pattern\"");

    struct drill_accept *accepts = arena_array(&parse->drill->arena, n, sizeof(*accepts));

    if (!accepts)
        return parse_spent(parse);
    for (size_t i = 0; i < n; i++)
        PARSE_TRY(parse_accept(parse, &parse->line->tokens[parse->next], &accepts[i]));
    *ret = accepts;
    *ret_n = n;
    return 0;
}

void *parse_push(struct parse *parse, void **array, size_t *n, size_t *capacity, size_t size)
{
    if (*n == *capacity) {
        size_t more = *capacity ? *capacity * 2 : 8;
        char *room = arena_array(&parse->drill->arena, more, size);

        if (!room)
            return NULL;
        if (*n)
            memcpy(room, *array, *n * size);
        *array = room;
        *capacity = more;
    }
    return (char *)*array + (*n)++ * size;
}
