/*
 * Aligned columns on a terminal. See table.h.
 */

#include "ctl/table.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"

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

/* What a terminal shows of text that came from outside: no control characters. */
static void print_cell(const char *text, size_t width, int is_last)
{
    for (const char *c = text; *c; c++)
        (void)putchar((unsigned char)*c < 32 || *c == 127 ? ' ' : *c);
    for (size_t i = width_of(text); !is_last && i < width + 2; i++)
        (void)putchar(' ');
}

void table_print(struct table *table)
{
    size_t n = n_columns(table);
    size_t widths[TABLE_COLUMNS_MAX] = {0};

    assert(n > 0);
    for (size_t i = 0; i < n; i++)
        widths[i] = width_of(table->heads[i]);
    for (size_t i = 0; i < table->n_cells; i++)
        if (width_of(table->cells[i]) > widths[i % n])
            widths[i % n] = width_of(table->cells[i]);

    for (size_t i = 0; i < n; i++)
        print_cell(table->heads[i], widths[i], i + 1 == n);
    (void)putchar('\n');
    for (size_t i = 0; i < table->n_cells; i++) {
        print_cell(table->cells[i], widths[i % n], (i + 1) % n == 0);
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
    (void)duration_human(past_ms < 0 ? -past_ms : past_ms, distance);
    (void)snprintf(text, size, past_ms < 0 ? "in %s" : "%s ago", distance);
    return text;
}
