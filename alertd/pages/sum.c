/*
 * Pages in sums: by hour, by person, the most at once, the longest quiet. See pages.h.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/incident/report.h"
#include "alertd/pages/private.h"
#include "lib/base/mem.h"

#define SHIFT_MS (12 * INT64_C(3600000))

static const struct zone *home_of(const struct pages_plan *plan, const char *who)
{
    for (size_t i = 0; i < plan->n_homes; i++)
        if (strcmp(plan->homes[i].who, who) == 0)
            return plan->homes[i].zone;
    return plan->zone;
}

/* UTC needs no zone's file: the wall clock is arithmetic. */
static struct zone_local local_of(const struct zone *zone, int64_t at_ms)
{
    static const int64_t day_ms = 86400000;
    int64_t days = at_ms >= 0 ? at_ms / day_ms : -((day_ms - 1 - at_ms) / day_ms);

    if (zone)
        return zone_local(zone, at_ms);
    return (struct zone_local){.hour = (int)((at_ms - days * day_ms) / 3600000),
                               .weekday = (int)(((days + 4) % 7 + 7) % 7)};
}

static void place(const struct pages_plan *plan, struct pages_page *page)
{
    struct zone_local local = local_of(home_of(plan, page->who), page->at_ms);

    page->hour = (unsigned)((local.weekday + 6) % 7 * 24 + local.hour);
    page->is_weekend = local.weekday == 0 || local.weekday == 6;
    page->is_night = local.hour >= REPORT_NIGHT_FROM_HOUR || local.hour < REPORT_NIGHT_TO_HOUR;
}

static int by_time(const void *a, const void *b)
{
    const struct pages_page *x = a;
    const struct pages_page *y = b;

    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return strcmp(x->who, y->who);
}

static int by_pages(const void *a, const void *b)
{
    const struct pages_person *x = a;
    const struct pages_person *y = b;

    if (x->pages != y->pages)
        return x->pages > y->pages ? -1 : 1;
    return strcmp(x->who, y->who);
}

static struct pages_person *person_of(struct pages *pages, const char *who, size_t *capacity)
{
    for (size_t i = 0; i < pages->n_people; i++)
        if (strcmp(pages->people[i].who, who) == 0)
            return &pages->people[i];
    pages->people = mem_grow(pages->people, capacity, pages->n_people + 1, sizeof(*pages->people));
    pages->people[pages->n_people] = (struct pages_person){.who = who};
    return &pages->people[pages->n_people++];
}

/* A window that moves from page to page of one person. */
static void find_most(struct pages *pages, struct pages_person *person)
{
    size_t first = 0;
    unsigned n = 0;

    for (size_t i = 0; i < pages->n; i++) {
        if (strcmp(pages->at[i].who, person->who) != 0)
            continue;
        n++;
        for (; pages->at[first].at_ms <= pages->at[i].at_ms - SHIFT_MS; first++)
            n -= strcmp(pages->at[first].who, person->who) == 0;
        person->most_12h = n > person->most_12h ? n : person->most_12h;
        if (n <= pages->most_12h)
            continue;
        while (strcmp(pages->at[first].who, person->who) != 0)
            first++;
        pages->most_12h = n;
        pages->most_12h_who = person->who;
        pages->most_12h_ms = pages->at[first].at_ms;
    }
}

static void find_quiet(const struct pages_plan *plan, struct pages *pages)
{
    int64_t since_ms = plan->from_ms;

    for (size_t i = 0; i <= pages->n; i++) {
        int64_t until_ms = i < pages->n ? pages->at[i].at_ms : plan->to_ms;

        if (until_ms - since_ms > pages->quiet_ms) {
            pages->quiet_ms = until_ms - since_ms;
            pages->quiet_from = since_ms;
        }
        since_ms = until_ms;
    }
}

void pages_sum(const struct pages_plan *plan, struct pages *pages)
{
    size_t capacity = 0;

    if (pages->n > 0)
        qsort(pages->at, pages->n, sizeof(*pages->at), by_time);
    for (size_t i = 0; i < pages->n; i++) {
        struct pages_page *page = &pages->at[i];
        struct pages_person *person = person_of(pages, page->who, &capacity);

        place(plan, page);
        pages->hours[page->hour]++;
        pages->nights += page->is_night;
        pages->weekends += page->is_weekend;
        person->pages++;
        person->nights += page->is_night;
        person->weekends += page->is_weekend;
    }
    for (size_t i = 0; i < pages->n_people; i++)
        find_most(pages, &pages->people[i]);
    if (pages->n_people > 0)
        qsort(pages->people, pages->n_people, sizeof(*pages->people), by_pages);
    find_quiet(plan, pages);
}
