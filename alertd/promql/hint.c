/*
 * What to do about a mistake. The parser's words are Prometheus', so that a message found
 * on the web fits; here a clause is put behind them for the mistakes people make: what was
 * probably meant, and how it is written.
 *
 *     1:7: parse error: unexpected identifier "node" in label matching, expected string;
 *          a label's value stands in quotes
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "alertd/promql/fn.h"
#include "alertd/promql/parser.h"
#include "lib/base/near.h"

enum {
    WORD_MAX = 60,
    NAMES_MAX = 200, /* of functions and aggregations */
};

/* A mistake: how its message begins, what else stands in it, the text at its place. */
static const struct row {
    const char *begins;
    const char *has; /* NULL: anything */
    const char *at;  /* one of these characters; NULL: anything */
    const char *hint;
} rows[] = {
    {"unexpected character: '&'", NULL, NULL, "\"and\" is written out"},
    {"unexpected character: '|'", NULL, NULL, "\"or\" is written out"},
    {"unexpected character: '!'", NULL, NULL,
     "there is no \"not\": compare with == 0, or take away with unless"},
    {"unexpected character: '.'", NULL, NULL,
     "a name with a dot stands in braces and quotes: {\"a.b\"}"},
    {"unexpected character", NULL, "$",
     "a dashboard's variable has to be filled in before it is asked"},
    {"unexpected character inside braces", NULL, "{",
     "templates stand in labels and annotations, not in expressions"},
    {"unexpected character inside braces", NULL, NULL,
     "labels are matched with =, !=, =~ or !~, and their values stand in quotes"},
    {"unexpected \"=\"", NULL, NULL, "to compare is =="},
    {"unexpected right parenthesis", NULL, NULL, "none is open here"},
    {"unexpected right bracket", NULL, NULL, "none is open here"},
    {"unexpected end of input", "inside braces", NULL, "the closing } is missing"},
    {"unexpected end of input", "in subquery or range", NULL, "a length of time is missing: 5m"},
    {"unexpected end of input", NULL, NULL, "what the last operator works on is missing"},
    {"unexpected <group_", NULL, NULL, "it stands behind on (...) or ignoring (...)"},
    {"unexpected <on>", NULL, NULL, "it stands behind an operator: a * on (job) b"},
    {"unexpected <ignoring>", NULL, NULL, "it stands behind an operator: a * ignoring (job) b"},
    {"unexpected", "in grouping opts, expected \"(\"", NULL,
     "labels stand in parentheses: by (job)"},
    {"unexpected identifier", "in label matching, expected \",\"", NULL,
     "a comma is missing before it"},
    {"unexpected identifier", "in subquery or range selector, expected \":\"", NULL,
     "a length of time is one word: 1h30m"},
    {"unexpected", "in label matching, expected string", NULL, "a label's value stands in quotes"},
    {"unexpected", "expected label matching operator", NULL, "which is =, !=, =~ or !~"},
    {"unterminated", NULL, NULL, "the quote opened here is not closed"},
    {"bad number or duration syntax", NULL, NULL,
     "numbers are 1.5, 1e3 or 0x1F, durations 90s or 1h30m (ms, s, m, h, d, w, y)"},
    {"binary expression must", NULL, "\"'`",
     "a label's value is matched in braces: x{label=\"value\"}"},
    {"binary expression must", NULL, NULL,
     "put a function of ranges around it: rate(x[5m]), or leave out the range"},
    {"expected type range vector", NULL, NULL, "give it a range: x[5m]"},
    {"expected type instant vector", "got range vector", NULL,
     "put a function of ranges around it: rate(x[5m]), avg_over_time(x[5m])"},
    {"expected type instant vector in aggregation", "got scalar", NULL,
     "the parameter comes first: topk(3, x); a number alone is no vector: vector(1)"},
    {"expected type instant vector", "got scalar", NULL, "a number as a vector is vector(1)"},
    {"expected type scalar", "got instant vector", NULL,
     "are the arguments in order? The value of a single series is scalar(x)"},
    {"expected type scalar", "got string", NULL, "a number stands without quotes"},
    {"expected type string", NULL, NULL, "a text stands in quotes"},
    {"ranges only allowed", NULL, NULL, "of anything else take a subquery, with a colon: [5m:]"},
    {"no offset modifiers", NULL, NULL, "the offset stands behind it: x[5m] offset 1h"},
    {"no @ modifiers", NULL, NULL, "@ stands behind it: x[5m] @ end()"},
    {"vector selector must", NULL, NULL,
     "name a metric, or match a label with something that is not empty"},
    {"comparisons between scalars", NULL, NULL, "1 == bool 1"},
    {"no grouping allowed", NULL, NULL, "and, or, unless match any number of series as they are"},
    {"wrong number of arguments for aggregate", "expected 2", NULL,
     "parameter and vector: topk(3, x)"},
    {"wrong number of arguments for aggregate", "expected 1", NULL, "only the vector: sum(x)"},
    {"no arguments for aggregate", NULL, NULL, "it takes a vector: sum(x)"},
    {"trailing commas not", NULL, NULL, "an argument is missing, or the comma too much"},
};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static const char *hint_of(const char *words, const char *place)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (begins(words, rows[i].begins) && (!rows[i].has || strstr(words, rows[i].has)) &&
            (!rows[i].at || (*place && strchr(rows[i].at, *place))))
            return rows[i].hint;
    return NULL;
}

/* --- Names ------------------------------------------------------------------------------ */

/* The function or aggregation that was probably meant; NULL: none is near. */
static const char *near_name(const char *word)
{
    const char *known[NAMES_MAX] = {NULL};
    size_t n = 0;
    size_t n_known = 0;
    const struct fn *table = fn_table(&n);

    for (int i = AGGREGATOR_SUM; i <= AGGREGATOR_LIMIT_RATIO; i++)
        known[n_known++] = aggregator_name((enum promql_aggregator)i);
    for (size_t i = 0; i < n && n_known < NAMES_MAX - 1; i++)
        if (!table[i].refusal)
            known[n_known++] = table[i].name;
    return near_word(word, known);
}

/* The word at a place, "" when there is none. */
static const char *word_at(const char *place, char *word)
{
    size_t n = 0;

    while (n < WORD_MAX && (isalnum((unsigned char)place[n]) || place[n] == '_'))
        n++;
    memcpy(word, place, n);
    word[n] = '\0';
    return word;
}

static void hint_name(const char *place, char *out, size_t size)
{
    char word[WORD_MAX + 1];
    const char *name = strcmp(word_at(place, word), "holt_winters") == 0 ? NULL : near_name(word);

    if (name)
        (void)snprintf(out, size, "did you mean \"%s\"?", name);
    else if (strcmp(word, "holt_winters") == 0)
        (void)snprintf(out, size, "it is double_exponential_smoothing since Prometheus 3");
}

/* `clamp(instant vector, scalar, scalar)` */
static void hint_signature(const char *place, char *out, size_t size)
{
    char word[WORD_MAX + 1];
    const struct fn *fn = fn_find(word_at(place, word));

    if (!fn)
        return;
    size_t last = fn->max_args == FN_ANY_NUMBER ? (size_t)fn->min_args + 1 : (size_t)fn->max_args;
    size_t n = (size_t)snprintf(out, size, "it is %s(", fn->name);
    for (size_t i = 0; i < last && i < FN_ARGS_MAX && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s%s", i ? ", " : "", type_words(fn->args[i]),
                              (int)i >= fn->min_args ? " ..." : "");
    if (n < size)
        (void)snprintf(out + n, size - n, ")");
}

/* --- Parentheses ------------------------------------------------------------------------- */

/* The last parenthesis that nothing closes, as the lexer sees the text. */
static void hint_open(const char *text, char *out, size_t size)
{
    ARENA_AUTO struct arena arena;
    struct lexer lexer = {.text = text, .arena = &arena};
    uint32_t open[PROMQL_DEPTH_MAX];
    struct err err = {0};
    struct token token;
    size_t n = 0;

    arena_init(&arena, 2 * PROMQL_TEXT_MAX);
    while (!lexer_next(&lexer, &token, NULL) && token.kind != TOKEN_END) {
        if (token.kind == TOKEN_LEFT_PAREN && n < PROMQL_DEPTH_MAX)
            open[n++] = token.start;
        else if (token.kind == TOKEN_RIGHT_PAREN && n)
            n--;
    }
    if (!n)
        return;
    (void)lexer_error(text, open[n - 1], 0, &err, "open");
    (void)snprintf(out, size, "the one at %u:%u has no )", err.line, err.column);
}

/* A word that follows another without an operator. */
static void hint_word(const char *text, const char *place, char *out, size_t size)
{
    char word[WORD_MAX + 1];

    while (place > text && isspace((unsigned char)place[-1]))
        place--;
    while (place > text && (isalnum((unsigned char)place[-1]) || place[-1] == '_'))
        place--;
    word_at(place, word);
    if (aggregator_find(word) >= 0 || fn_find(word))
        (void)snprintf(out, size, "what %s works on stands in parentheses: %s(x)", word, word);
    else
        (void)snprintf(out, size, "an operator or a comma is missing before it");
}

static const char *place_of(const char *text, const struct err *err)
{
    for (unsigned line = 1; line < err->line && strchr(text, '\n'); line++)
        text = strchr(text, '\n') + 1;
    size_t column = err->column ? err->column - 1 : 0;
    return text + (column < strlen(text) ? column : strlen(text));
}

void hint_add(const char *text, struct err *err)
{
    const char *place = place_of(text, err);
    const char *fixed = hint_of(err->text, place);
    size_t len = strlen(err->text);
    char made[200] = "";

    if (begins(err->text, "unknown function"))
        hint_name(place, made, sizeof(made));
    else if (begins(err->text, "unclosed left parenthesis"))
        hint_open(text, made, sizeof(made));
    else if (begins(err->text, "expected ") && strstr(err->text, "argument(s) in call"))
        hint_signature(place, made, sizeof(made));
    else if (begins(err->text, "unexpected identifier") && !strstr(err->text, "\" in "))
        hint_word(text, place, made, sizeof(made));
    else if (fixed)
        (void)snprintf(made, sizeof(made), "%s", fixed);
    if (made[0])
        (void)snprintf(err->text + len, sizeof(err->text) - len, "; %s", made);
}
