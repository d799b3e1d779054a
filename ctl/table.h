#pragma once

/*
 * Aligned columns on a terminal.
 *
 *     struct table table = TABLE("KEY", "STATUS", "SINCE");
 *     TABLE_ROW(&table, key, status, since);
 *     table_print(&table);   and frees it
 *
 * Widths are counted in characters, not bytes; the last column is never padded. With
 * numbers_right, columns that have nothing but numbers stand at the right. On a
 * terminal heads are bold and words like "critical" have a colour; NO_COLOR turns that off.
 */

#include <stdbool.h>
#include <stddef.h>

enum {
    TABLE_COLUMNS_MAX = 12
};

struct table {
    const char *heads[TABLE_COLUMNS_MAX];
    bool numbers_right;
    char **cells; /* row by row */
    size_t n_cells, capacity;
};

#define TABLE(...) ((struct table){.heads = {__VA_ARGS__}})

/* One text per head, copied. */
#define TABLE_ROW(table, ...) table_add((table), (const char *[]){__VA_ARGS__})
void table_add(struct table *table, const char *const *cells);
void table_print(struct table *table);

/* "just now", "3 min ago", "in 2 h" of an RFC 3339 text; "-" for NULL. text holds DURATION_TEXT_MAX + 8. */
const char *ago(const char *rfc3339, char *text, size_t size);
