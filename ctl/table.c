/*
 * Aligned columns on a terminal. See table.h.
 */

#include "ctl/table.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"

/* Words that mean something at a glance, with their colour (SGR) on a terminal. A word is
 * coloured only when it is the whole cell: titles and names stay as they are. */
static const struct {
    const char *word;
    const char *colour;
} coloured[] = {
    {"triggered", "31"}, {"firing", "31"},    {"critical", "31"}, {"lost", "31"},
    {"err", "31"},       {"failed", "31"},    {"warning", "33"},  {"acknowledged", "33"},
    {"pending", "33"},   {"late", "33"},      {"draft", "33"},    {"in_review", "33"},
    {"resolved", "32"},  {"published", "32"}, {"fresh", "32"},    {"ok", "32"},
};

static const char *colour_of(const char *text)
{
    for (size_t i = 0; i < sizeof(coloured) / sizeof(*coloured); i++)
        if (strcmp(coloured[i].word, text) == 0)
            return coloured[i].colour;
    return NULL;
}

/* On a terminal, unless the user said NO_COLOR (https://no-color.org). */
static bool shows_colours(void)
{
    const char *refused = getenv("NO_COLOR"); /* NOLINT(concurrency-mt-unsafe): one thread */

    return isatty(STDOUT_FILENO) && !(refused && *refused);
}

static size_t n_columns(const struct table *table)
{
    size_t n = 0;

    while (n < TABLE_COLUMNS_MAX && table->heads[n])
        n++;
    return n;
}

/* Characters of UTF-8 text: bytes that are no continuation. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

void table_add(struct table *table, const char *const *cells)
{
    size_t n = n_columns(table);

    table->cells = mem_grow(table->cells, &table->capacity, table->n_cells + n,
                            sizeof(*table->cells));
    for (size_t i = 0; i < n; i++)
        table->cells[table->n_cells++] = mem_strdup(cells[i] ? cells[i] : "-");
}

/* "12", "1,234.5", "1.7M", "-" */
static bool is_number(const char *text)
{
    text += *text == '-';
    size_t n = strspn(text, "0123456789.,");

    return strspn(text + n, "KMGT") == strlen(text + n);
}

static bool has_only_numbers(const struct table *table, size_t column, size_t n)
{
    for (size_t i = column; i < table->n_cells; i += n)
        if (!is_number(table->cells[i]))
            return false;
    return table->n_cells > 0;
}

struct column {
    size_t width;
    bool at_right, is_last;
};

/* What a terminal shows of text that came from outside: no control characters. */
static void print_cell(const char *text, const struct column *column, const char *colour)
{
    size_t left = column->width - width_of(text);

    (void)printf("%*s", column->at_right ? (int)left : 0, "");
    if (colour)
        (void)printf("\x1b[%sm", colour);
    for (const char *c = text; *c; c++)
        (void)putchar((unsigned char)*c < 32 || *c == 127 ? ' ' : *c);
    if (colour)
        (void)fputs("\x1b[0m", stdout);
    if (!column->is_last)
        (void)printf("%*s", column->at_right ? 2 : (int)left + 2, "");
}

void table_print(struct table *table)
{
    size_t n = n_columns(table);
    struct column columns[TABLE_COLUMNS_MAX] = {0};
    bool colours = shows_colours();

    assert(n > 0);
    for (size_t i = 0; i < n; i++)
        columns[i] = (struct column){
            .width = width_of(table->heads[i]),
            .at_right = table->numbers_right && has_only_numbers(table, i, n),
            .is_last = i + 1 == n,
        };
    for (size_t i = 0; i < table->n_cells; i++)
        if (width_of(table->cells[i]) > columns[i % n].width)
            columns[i % n].width = width_of(table->cells[i]);

    for (size_t i = 0; i < n; i++)
        print_cell(table->heads[i], &columns[i], colours ? "1" : NULL);
    (void)putchar('\n');
    for (size_t i = 0; i < table->n_cells; i++) {
        print_cell(table->cells[i], &columns[i % n], colours ? colour_of(table->cells[i]) : NULL);
        if ((i + 1) % n == 0)
            (void)putchar('\n');
        free(table->cells[i]);
    }
    free(table->cells);
    table->cells = NULL;
    table->n_cells = table->capacity = 0;
}

const char *ago(const char *rfc3339, char *text, size_t size)
{
    char distance[DURATION_TEXT_MAX];
    int64_t at_ms;

    if (!rfc3339 || clock_parse_rfc3339(rfc3339, &at_ms) != 0)
        return "-";
    int64_t past_ms = clock_wall_ms() - at_ms;
    if (past_ms >= 0 && past_ms < 1000)
        return "just now";
    (void)duration_human(past_ms < 0 ? -past_ms : past_ms, distance);
    (void)snprintf(text, size, past_ms < 0 ? "in %s" : "%s ago", distance);
    return text;
}
