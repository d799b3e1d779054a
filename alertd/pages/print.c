/*
 * Pages in words. See print.h.
 */

#include "alertd/pages/print.h"

#include <string.h>

#include "alertd/incident/report.h"
#include "lib/base/clock.h"
#include "lib/model/duration.h"

enum {
    PEOPLE_SHOWN_MAX = 12,
};

#define WEEK_MS (7 * INT64_C(86400000))

static void kv_who(struct json_out *out, const char *who)
{
    json_kv_string(out, "name", report_name(who));
    json_kv_string(out, "kind", report_is_person(who) ? "person" : "receiver");
}

static void write_people(const struct pages *pages, struct json_out *out)
{
    json_key(out, "people");
    json_open(out, '[');
    for (size_t i = 0; i < pages->n_people; i++) {
        json_open(out, '{');
        kv_who(out, pages->people[i].who);
        json_kv_int(out, "pages", pages->people[i].pages);
        json_kv_int(out, "nights", pages->people[i].nights);
        json_kv_int(out, "weekends", pages->people[i].weekends);
        json_kv_int(out, "most_12h", pages->people[i].most_12h);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_page(const struct pages_page *page,
                       const struct pages_alert *alerts,
                       struct json_out *out)
{
    json_open(out, '{');
    json_kv_time(out, "at", page->at_ms);
    kv_who(out, page->who);
    json_kv_string(out, "reason", route_reason_name(page->reason));
    json_kv_string(out, "policy", page->policy);
    json_kv_int(out, "step", page->step);
    json_kv_int(out, "incident", page->incident);
    json_kv_string(out, "group", page->group_key);
    json_kv_int(out, "ways", page->n_ways);
    json_kv_int(out, "hour", page->hour);
    json_kv_bool(out, "night", page->is_night);
    json_kv_bool(out, "weekend", page->is_weekend);
    json_kv_time(out, "fired_at", alerts[page->alert].fired_ms);
    json_key(out, "labels");
    json_open(out, '{');
    for (size_t i = 0; i < alerts[page->alert].labels->n; i++)
        json_kv_string(out, alerts[page->alert].labels->at[i].name,
                       alerts[page->alert].labels->at[i].value);
    json_close(out, '}');
    json_close(out, '}');
}

void pages_json(const struct pages_plan *plan,
                const struct pages *pages,
                const struct pages_alert *alerts,
                struct json_out *out)
{
    json_kv_time(out, "from", plan->from_ms);
    json_kv_time(out, "to", plan->to_ms);
    json_kv_int(out, "alerts", (int64_t)pages->alerts);
    json_kv_int(out, "notifications", (int64_t)pages->notifications);
    json_kv_int(out, "n_pages", (int64_t)pages->n);
    json_kv_int(out, "incidents", (int64_t)pages->incidents);
    json_kv_int(out, "nights", pages->nights);
    json_kv_int(out, "weekends", pages->weekends);
    json_kv_int(out, "most_12h", pages->most_12h);
    json_kv_string(out, "most_12h_who", pages->n ? report_name(pages->most_12h_who) : NULL);
    json_kv_time(out, "most_12h_at", pages->most_12h_ms);
    json_kv_int(out, "quiet_ms", pages->quiet_ms);
    json_kv_time(out, "quiet_from", pages->quiet_from);
    json_kv_string(out, "no_policy", pages->no_policy);
    json_key(out, "ack_after_ms");
    if (plan->ack_after_ms < 0)
        json_null(out);
    else
        json_int(out, plan->ack_after_ms);
    write_people(pages, out);
    json_key(out, "hours");
    json_open(out, '[');
    for (size_t i = 0; i < PAGES_HOURS; i++)
        json_int(out, pages->hours[i]);
    json_close(out, ']');
    json_kv_bool(out, "pages_cut", pages->n > PAGES_SHOWN_MAX);
    json_key(out, "pages");
    json_open(out, '[');
    for (size_t i = 0; i < pages->n && i < PAGES_SHOWN_MAX; i++)
        write_page(&pages->at[i], alerts, out);
    json_close(out, ']');
}

static void add_spans(const struct pages *pages, struct str *out)
{
    char text[DURATION_TEXT_MAX];
    char time[CLOCK_TEXT_MAX];

    str_addf(out, "  Most in 12 h: %u, for %s, from %s on.\n", pages->most_12h,
             report_name(pages->most_12h_who), clock_rfc3339(pages->most_12h_ms, time));
    str_addf(out, "  Longest quiet: %s, from %s on.\n", duration_human(pages->quiet_ms, text),
             clock_rfc3339(pages->quiet_from, time));
}

void pages_show(const struct pages_plan *plan, const struct pages *pages, struct str *out)
{
    char text[DURATION_TEXT_MAX];
    double weeks = (double)(plan->to_ms - plan->from_ms) / (double)WEEK_MS;

    str_addf(out,
             "  %llu alerts -> %llu notifications -> %zu pages (%.1f a week), %u of them at "
             "night, %u at weekends.\n",
             (unsigned long long)pages->alerts, (unsigned long long)pages->notifications, pages->n,
             (double)pages->n / weeks, pages->nights, pages->weekends);
    if (plan->ack_after_ms < 0)
        str_add(out, "  Supposed: nobody acknowledges.\n");
    else
        str_addf(out, "  Supposed: somebody acknowledges %s after a page.\n",
                 duration_print(plan->ack_after_ms, text));
    if (pages->no_policy)
        str_addf(out, "  There is no policy %s: a receiver that goes by it pages nobody.\n",
                 pages->no_policy);
    if (pages->n == 0)
        return;
    add_spans(pages, out);
    str_addf(out, "\n  %-24s %7s %7s %9s %10s\n", "who", "pages", "nights", "weekends",
             "most in 12 h");
    for (size_t i = 0; i < pages->n_people && i < PEOPLE_SHOWN_MAX; i++) {
        const struct pages_person *person = &pages->people[i];

        str_addf(out, "  %-24s %7u %7u %9u %12u\n", report_name(person->who), person->pages,
                 person->nights, person->weekends, person->most_12h);
    }
}
