/*
 * Pages of two rules, joined. See diff.h.
 */

#include "alertd/pages/diff.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/incident/report.h"
#include "lib/base/mem.h"

enum {
    ROWS_SHOWN_MAX = 2000,
};

const char *diff_kind_name(enum diff_kind kind)
{
    static const char *const names[] = {"kept", "moved", "gained", "lost"};

    return names[kind];
}

/* --- joining --- */

static int by_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

/* What makes two pages the same but for their time. */
static int by_what(const struct pages_page *a, const struct pages_page *b)
{
    int r = strcmp(a->who, b->who);

    r = r ? r : strcmp(a->group_key, b->group_key);
    r = r ? r : (int)a->reason - (int)b->reason;
    r = r ? r : by_text(a->policy, b->policy);
    return r ? r : (int)a->step - (int)b->step;
}

static int by_place(const void *a, const void *b)
{
    const struct pages_page *x = *(const struct pages_page *const *)a;
    const struct pages_page *y = *(const struct pages_page *const *)b;
    int r = by_what(x, y);

    return r ? r : (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

static const struct pages_page **sorted(const struct diff_side *side, size_t *ret_n)
{
    size_t n = side->pages ? side->pages->n : 0;
    const struct pages_page **pages = mem_alloc((n + 1) * sizeof(*pages));

    for (size_t i = 0; i < n; i++)
        pages[i] = &side->pages->at[i];
    if (n > 0)
        qsort(pages, n, sizeof(*pages), by_place);
    *ret_n = n;
    return pages;
}

static bool overlap(const struct pages_page *a, const struct pages_page *b)
{
    return a->opened_ms <= b->over_ms && b->opened_ms <= a->over_ms;
}

static void add(struct diff *diff,
                enum diff_kind kind,
                const struct pages_page *old,
                const struct pages_page *new)
{
    diff->rows[diff->n++] = (struct diff_row){
        .kind = kind, .old = old, .new = new, .moved_ms = old &&new ? new->at_ms - old->at_ms : 0};
    diff->counts[kind]++;
}

/* Both in order of what and when: what is the same meets, the earlier of two that do not is alone. */
static void join(struct diff *diff, const struct diff_side *old, const struct diff_side *new)
{
    size_t n_old = 0;
    size_t n_new = 0;
    MEM_AUTO const struct pages_page **left = sorted(old, &n_old);
    MEM_AUTO const struct pages_page **right = sorted(new, &n_new);
    size_t i = 0;
    size_t j = 0;

    diff->rows = mem_alloc((n_old + n_new + 1) * sizeof(*diff->rows));
    while (i < n_old || j < n_new) {
        int order = i == n_old ? 1 : j == n_new ? -1 : by_what(left[i], right[j]);

        if (order == 0 && !overlap(left[i], right[j]))
            order = left[i]->at_ms <= right[j]->at_ms ? -1 : 1;
        if (order < 0) {
            add(diff, DIFF_LOST, left[i++], NULL);
        } else if (order > 0) {
            add(diff, DIFF_GAINED, NULL, right[j++]);
        } else {
            add(diff, left[i]->at_ms == right[j]->at_ms ? DIFF_KEPT : DIFF_MOVED, left[i],
                right[j]);
            i++;
            j++;
        }
    }
}

static int64_t time_of(const struct diff_row *row)
{
    return row->old ? row->old->at_ms : row->new->at_ms;
}

static int by_time(const void *a, const void *b)
{
    const struct diff_row *x = a;
    const struct diff_row *y = b;

    if (time_of(x) != time_of(y))
        return time_of(x) < time_of(y) ? -1 : 1;
    return strcmp(x->old ? x->old->who : x->new->who, y->old ? y->old->who : y->new->who);
}

/* --- incidents --- */

static bool falls_into(const struct pages_page *page,
                       const struct pages_alert *alerts,
                       const struct tune_incident *incident)
{
    return page->at_ms >= incident->begin_ms && page->at_ms <= incident->end_ms &&
           matchers_match(incident->matchers, incident->n_matchers, alerts[page->alert].labels);
}

static int64_t first_within(const struct diff_side *side, const struct tune_incident *incident)
{
    for (size_t i = 0; side->pages && i < side->pages->n; i++)
        if (falls_into(&side->pages->at[i], side->alerts, incident))
            return side->pages->at[i].at_ms;
    return INT64_MAX;
}

static void judge(struct diff *diff,
                  const struct diff_side *old,
                  const struct diff_side *new,
                  const struct tune_incident *incident)
{
    struct diff_incident *judged = &diff->incidents[diff->n_incidents++];

    *judged = (struct diff_incident){incident, first_within(old, incident),
                                     first_within(new, incident)};
    diff->n_found += judged->old_ms == INT64_MAX && judged->new_ms != INT64_MAX;
    if (judged->old_ms == INT64_MAX)
        return;
    if (judged->new_ms != INT64_MAX) {
        int64_t later_ms = judged->new_ms - judged->old_ms;

        diff->n_later += later_ms > 0;
        diff->latest_ms = later_ms > diff->latest_ms ? later_ms : diff->latest_ms;
        return;
    }
    diff->n_lost++;
    for (size_t i = 0; i < diff->n; i++)
        if (diff->rows[i].kind == DIFF_LOST && falls_into(diff->rows[i].old, old->alerts, incident))
            diff->rows[i].is_red = true;
}

struct diff diff_make(const struct diff_side *old,
                      const struct diff_side *new,
                      const struct tune_incident *incidents,
                      size_t n_incidents)
{
    struct diff diff = {.incidents = mem_alloc((n_incidents + 1) * sizeof(*diff.incidents))};

    join(&diff, old, new);
    if (diff.n > 0)
        qsort(diff.rows, diff.n, sizeof(*diff.rows), by_time);
    for (size_t i = 0; i < n_incidents; i++)
        judge(&diff, old, new, &incidents[i]);
    return diff;
}

void diff_done(struct diff *diff)
{
    free(diff->rows);
    free(diff->incidents);
    *diff = (struct diff){0};
}

/* --- words --- */

void diff_words(const struct diff *diff, struct str *out)
{
    size_t old = diff->counts[DIFF_KEPT] + diff->counts[DIFF_MOVED] + diff->counts[DIFF_LOST];
    size_t new = diff->counts[DIFF_KEPT] + diff->counts[DIFF_MOVED] + diff->counts[DIFF_GAINED];

    str_addf(out, "%+lld pages (%zu -> %zu): %zu kept, %zu moved, %zu gained, %zu lost",
             (long long)new - (long long)old, old, new, diff->counts[DIFF_KEPT],
             diff->counts[DIFF_MOVED], diff->counts[DIFF_GAINED], diff->counts[DIFF_LOST]);
    if (diff->n_incidents == 0)
        str_add(out, "; no incident is known to hold them against");
    else if (diff->n_lost == 0)
        str_add(out, "; loses no incident");
    else
        str_addf(out, "; LOSES %zu of %zu incidents", diff->n_lost, diff->n_incidents);
    if (diff->n_found > 0)
        str_addf(out, ", finds %zu more", diff->n_found);
    if (diff->n_later > 0)
        str_addf(out, ", %zu later by up to %lld min", diff->n_later,
                 (long long)((diff->latest_ms + 59999) / 60000));
}

static void kv_page(struct json_out *out, const char *name, const struct pages_page *page)
{
    json_kv_time(out, name, page ? page->at_ms : 0);
}

static void write_row(const struct diff_row *row,
                      const struct diff_side *old,
                      const struct diff_side *new,
                      struct json_out *out)
{
    const struct pages_page *page = row->old ? row->old : row->new;
    const struct pages_alert *alert = row->old ? &old->alerts[page->alert]
                                               : &new->alerts[page->alert];

    json_open(out, '{');
    json_kv_string(out, "kind", diff_kind_name(row->kind));
    kv_page(out, "old", row->old);
    kv_page(out, "new", row->new);
    json_kv_int(out, "moved_ms", row->moved_ms);
    json_kv_string(out, "name", report_name(page->who));
    json_kv_string(out, "reason", route_reason_name(page->reason));
    json_kv_string(out, "group", page->group_key);
    json_kv_bool(out, "night", page->is_night);
    json_kv_bool(out, "loses_incident", row->is_red);
    json_key(out, "labels");
    json_open(out, '{');
    for (uint32_t i = 0; i < alert->labels->n; i++)
        json_kv_string(out, alert->labels->at[i].name, alert->labels->at[i].value);
    json_close(out, '}');
    json_close(out, '}');
}

static void kv_found(struct json_out *out, const char *name, int64_t at_ms)
{
    json_kv_time(out, name, at_ms == INT64_MAX ? 0 : at_ms);
}

void diff_json(const struct diff *diff,
               const struct diff_side *old,
               const struct diff_side *new,
               struct json_out *out)
{
    STR_AUTO struct str words = STR_INIT(1024);

    diff_words(diff, &words);
    json_kv_string(out, "words", str_text(&words));
    for (int i = 0; i < DIFF_KINDS; i++)
        json_kv_int(out, diff_kind_name((enum diff_kind)i), (int64_t)diff->counts[i]);
    json_kv_int(out, "incidents_lost", (int64_t)diff->n_lost);
    json_kv_int(out, "incidents_found", (int64_t)diff->n_found);
    json_kv_int(out, "incidents_later", (int64_t)diff->n_later);
    json_key(out, "incidents");
    json_open(out, '[');
    for (size_t i = 0; i < diff->n_incidents; i++) {
        json_open(out, '{');
        json_kv_string(out, "name", diff->incidents[i].incident->name);
        json_kv_time(out, "begin", diff->incidents[i].incident->begin_ms);
        json_kv_time(out, "end", diff->incidents[i].incident->end_ms);
        kv_found(out, "old", diff->incidents[i].old_ms);
        kv_found(out, "new", diff->incidents[i].new_ms);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_kv_bool(out, "rows_cut", diff->n > ROWS_SHOWN_MAX);
    json_key(out, "rows");
    json_open(out, '[');
    for (size_t i = 0; i < diff->n && i < ROWS_SHOWN_MAX; i++)
        write_row(&diff->rows[i], old, new, out);
    json_close(out, ']');
}
