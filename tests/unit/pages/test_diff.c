/*
 * Two lists of pages joined: scripts of incidents, and what became of each page.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/pages/diff.h"
#include "lib/base/mem.h"
#include "tests/lib/row.h"

enum {
    MINUTE_MS = 60000,
};

/* "10-20 b5-9": incidents of group a (unless named) from minute to minute, a page at the first. */
static void make_side(const char *script, struct pages *pages, struct pages_alert *alerts)
{
    static char keys[26][2];
    size_t capacity = 0;

    *pages = (struct pages){0};
    arena_init(&pages->arena, 1 << 16);
    while (*script) {
        char group = *script >= 'a' ? *script++ : 'a';
        char *rest = NULL;
        int64_t from_ms = strtol(script, &rest, 10) * (int64_t)MINUTE_MS;
        int64_t to_ms = strtol(rest + 1, &rest, 10) * (int64_t)MINUTE_MS;
        const struct label host = {"host", keys[group - 'a']};

        keys[group - 'a'][0] = group;
        alerts[pages->n] = (struct pages_alert){labels_new(&host, 1), from_ms, to_ms, true};
        pages->at = mem_grow(pages->at, &capacity, pages->n + 1, sizeof(*pages->at));
        pages->at[pages->n] = (struct pages_page){.at_ms = from_ms,
                                                  .who = "oncall",
                                                  .reason = ROUTE_FIRST,
                                                  .alert = (uint32_t)pages->n,
                                                  .group_key = keys[group - 'a'],
                                                  .opened_ms = from_ms,
                                                  .over_ms = to_ms};
        pages->n++;
        script = rest + strspn(rest, " ");
    }
}

static const struct {
    const char *name, *old, *new, *incidents, *rows, *words;
} table[] = {
    {"nothing changes", "10-20 40-50", "10-20 40-50", "", "kept@10 kept@40",
     "+0 pages (2 -> 2): 2 kept, 0 moved, 0 gained, 0 lost; no incident is known to hold them "
     "against"},
    {"later, within the incident", "10-20", "15-20", "", "moved@10+5", NULL},
    {"earlier, and longer", "10-20", "4-30", "", "moved@10-6", NULL},
    {"one after the other is another one", "10-20", "25-30", "", "lost@10 gained@25", NULL},
    {"gone and come", "10-20 30-40", "30-40 50-60", "", "lost@10 kept@30 gained@50", NULL},
    {"another group is another page", "10-20", "b10-20", "", "lost@10 gained@10", NULL},
    {"two become one", "10-12 14-16", "10-16", "", "kept@10 lost@14", NULL},
    {"no rule before", "", "10-20", "5-30", "gained@10",
     "+1 pages (0 -> 1): 0 kept, 0 moved, 1 gained, 0 lost; loses no incident, finds 1 more"},
    {"noise goes, the incident stays", "10-20 40-50", "43-50", "40-60", "lost@10 moved@40+3",
     "-1 pages (2 -> 1): 0 kept, 1 moved, 0 gained, 1 lost; loses no incident, 1 later by up to 3 "
     "min"},
    {"the page that caught it goes", "10-20 40-50", "10-20", "40-60", "kept@10 lost@40!",
     "-1 pages (2 -> 1): 1 kept, 0 moved, 0 gained, 1 lost; LOSES 1 of 1 incidents"},
    {"one of two goes: it is still caught", "40-45 47-50", "47-50", "40-60", "lost@40 kept@47",
     NULL},
    {"of another host: it caught nothing", "b40-50", "", "a40-60", "lost@40", NULL},
};

static void print_rows(const struct diff *diff, struct str *out)
{
    for (size_t i = 0; i < diff->n; i++) {
        const struct diff_row *row = &diff->rows[i];
        const struct pages_page *page = row->old ? row->old : row->new;

        str_addf(out, "%s%s@%lld", i ? " " : "", diff_kind_name(row->kind),
                 (long long)page->at_ms / MINUTE_MS);
        if (row->kind == DIFF_MOVED)
            str_addf(out, "%+lld", (long long)row->moved_ms / MINUTE_MS);
        str_add(out, row->is_red ? "!" : "");
    }
}

static void test_rows(void **state)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct pages_alert alerts[3][8];
        struct pages pages[3];
        struct tune_incident incidents[8];
        struct matcher matchers[8];
        STR_AUTO struct str rows = STR_INIT(4096);
        STR_AUTO struct str words = STR_INIT(4096);
        struct diff_side old = {&pages[0], alerts[0]};
        struct diff_side new = {&pages[1], alerts[1]};
        bool are_named = table[i].incidents[0] >= 'a';

        row("%s", table[i].name);
        make_side(table[i].old, &pages[0], alerts[0]);
        make_side(table[i].new, &pages[1], alerts[1]);
        make_side(table[i].incidents, &pages[2], alerts[2]);
        for (size_t k = 0; k < pages[2].n; k++) {
            assert_int_equal(
                matcher_init(&matchers[k], MATCHER_EQUAL, "host", pages[2].at[k].group_key, NULL),
                0);
            incidents[k] = (struct tune_incident){.begin_ms = pages[2].at[k].opened_ms,
                                                  .end_ms = pages[2].at[k].over_ms,
                                                  .matchers = &matchers[k],
                                                  .n_matchers = are_named};
        }
        struct diff diff = diff_make(&old, &new, incidents, pages[2].n);

        print_rows(&diff, &rows);
        diff_words(&diff, &words);
        assert_string_equal(str_text(&rows), table[i].rows);
        if (table[i].words)
            assert_string_equal(str_text(&words), table[i].words);
        diff_done(&diff);
        for (size_t side = 0; side < 3; side++)
            for (size_t k = 0; k < pages[side].n; k++)
                labels_unref(alerts[side][k].labels);
        for (size_t k = 0; k < pages[2].n; k++)
            matcher_done(&matchers[k]);
        for (size_t side = 0; side < 3; side++)
            pages_done(&pages[side]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
