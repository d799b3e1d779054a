/*
 * What was looked up, as facts: where detection went, budgets, what would have fired earlier, what
 * held and told nobody; incidents like this one, actions it inherits, its services. See facts.h.
 */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alertd/postmortem/facts_part.h"
#include "lib/base/float.h"
#include "lib/model/duration.h"

#define MINUS " \xe2\x88\x92 "

/* --- detection, rule by rule --- */

enum {
    PARTS = 5
};

struct part {
    const char *step, *formula;
    int64_t from_ms, to_ms;
    const char *why_not;
};

static bool is_known(const struct part *part)
{
    return part->from_ms && part->to_ms;
}

static void add_part(struct facts *facts,
                     struct fact *list,
                     const struct part *part,
                     int64_t all_ms)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *row = facts_row(facts, list);
    int64_t ms = is_known(part) ? part->to_ms - part->from_ms : 0;

    fact_text(maker, row, "step", part->step);
    facts_time(facts, row, "at", part->to_ms, part->why_not);
    facts_span(facts, row, "took", part->from_ms, part->to_ms, part->formula, part->why_not);
    if (is_known(part) && all_ms > 0)
        fact_textf(maker, row, "share", "%lld %%", (long long)((ms * 100 + all_ms / 2) / all_ms));
    else
        fact_text(maker, row, "share", "");
}

static void add_way(struct facts *facts, struct fact *list, const struct learnt_way *way)
{
    const char *no_page = "no page was sent";
    const struct part parts[PARTS] = {
        {"Evaluated", "evaluated" MINUS "condition held", way->breach_ms, way->pending_ms,
         way->why_no_breach ? way->why_no_breach : "it was not evaluated"},
        {"Its for was over, it fired", "fired" MINUS "evaluated", way->pending_ms, way->firing_ms,
         "it did not fire"},
        {"Grouped, a page was owed", "owed" MINUS "fired", way->firing_ms, way->owed_ms, no_page},
        {"Page sent", "sent" MINUS "owed", way->owed_ms, way->sent_ms, no_page},
        {"Acknowledged", "acknowledged" MINUS "sent", way->sent_ms, way->acked_ms,
         way->sent_ms ? "nobody acknowledged" : no_page},
    };
    struct fact_maker *maker = &facts->maker;
    struct fact *row = facts_row(facts, list);
    struct fact *steps = NULL;
    const struct part *biggest = NULL;
    int64_t all_ms = 0;

    fact_text(maker, row, "rule", way->rule);
    fact_number(maker, row, "rule_id", way->rule_id);
    facts_time(facts, row, "breach", way->breach_ms,
               way->why_no_breach ? way->why_no_breach : "not recorded");
    for (size_t i = 0; i < PARTS; i++) {
        if (!is_known(&parts[i]))
            continue;
        all_ms += parts[i].to_ms - parts[i].from_ms;
        if (!biggest || parts[i].to_ms - parts[i].from_ms > biggest->to_ms - biggest->from_ms)
            biggest = &parts[i];
    }
    steps = fact_list(maker, row, "parts");
    for (size_t i = 0; i < PARTS; i++)
        add_part(facts, steps, &parts[i], all_ms);
    fact_text(maker, row, "biggest_part", biggest ? biggest->step : "");
}

static void add_ways(struct facts *facts, struct fact *root, const struct learnt *learnt)
{
    struct fact *list = fact_list(&facts->maker, root, "detections");

    for (size_t i = 0; i < learnt->n_ways; i++)
        add_way(facts, list, &learnt->ways[i]);
}

/* --- budgets --- */

static void add_number(struct facts *facts, struct fact *row, const char *name, double value)
{
    char text[FLOAT_TEXT_MAX];

    (void)snprintf(text, sizeof(text), fabs(value) < 100 ? "%.3g" : "%.0f", value);
    fact_text(&facts->maker, row, name, text);
}

static void add_share(struct facts *facts, struct fact *row, const char *name, double ratio)
{
    fact_textf(&facts->maker, row, name, fabs(ratio) < 10 ? "%.4g %%" : "%.0f %%", 100 * ratio);
}

static void add_burnt(struct facts *facts, struct fact *row, const struct learnt_burn *burn)
{
    const char *missing = burn->missing;

    fact_textf(&facts->maker, row, "burnt",
               fabs(burn->burnt_ratio) < 10 ? "%.4g %%%s%s%s" : "%.0f %%%s%s%s",
               100 * burn->burnt_ratio, missing ? " (not all of it could be read: " : "",
               missing ? missing : "", missing ? ")" : "");
}

static void add_burn(struct facts *facts, struct fact *list, const struct learnt_burn *burn)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *row = facts_row(facts, list);
    bool known = !burn->why_not;

    fact_bool(maker, row, "known", known);
    fact_text(maker, row, "service", burn->service);
    fact_text(maker, row, "name", burn->slo);
    fact_text(maker, row, "window", burn->window);
    add_share(facts, row, "objective", burn->objective);
    facts_time(facts, row, "from", burn->from_ms, "no beginning is recorded");
    facts_time(facts, row, "to", burn->to_ms, "no end is recorded");
    fact_text(maker, row, "why", burn->why_not);
    fact_text(maker, row, "formula",
              "bad \xc3\xb7 (total of the window \xc3\x97 (1 \xe2\x88\x92 objective))");
    if (known) {
        add_number(facts, row, "bad", burn->bad);
        add_number(facts, row, "total", burn->total);
        add_burnt(facts, row, burn);
    } else {
        fact_text(maker, row, "bad", "not known");
        fact_text(maker, row, "total", "not known");
        fact_textf(maker, row, "burnt", "not known (%s%s%s)", burn->why_not,
                   burn->missing ? "; not all of it could be read: " : "",
                   burn->missing ? burn->missing : "");
    }
    facts_code(facts, row, "good", burn->good);
    facts_code(facts, row, "all", burn->total_query);
}

/* --- what would have fired earlier; what held --- */

static void add_earlier(struct facts *facts, struct fact *list, const struct learnt_earlier *from)
{
    struct fact_maker *maker = &facts->maker;
    const struct facts_mark *detected = &facts->marks[FACTS_DETECTED];
    struct fact *row = facts_row(facts, list);
    char text[DURATION_TEXT_MAX];

    fact_text(maker, row, "rule", from->rule);
    fact_number(maker, row, "rule_id", from->rule_id);
    fact_text(maker, row, "setting", from->setting);
    fact_text(maker, row, "for", duration_print(from->for_ms, text));
    facts_code(facts, row, "code", from->query);
    facts_time(facts, row, "fired", from->fired_ms, "it does not fire");
    facts_span(facts, row, "earlier", from->fired_ms, detected->at_ms,
               "detected" MINUS "would have fired", detected->why_not);
    fact_bool(maker, row, "is_counted", from->is_counted);
    fact_number(maker, row, "alerts", from->alerts);
    fact_number(maker, row, "alerts_then", from->alerts_then);
    fact_bool(maker, row, "is_own", from->is_own);
    fact_bool(maker, row, "is_paged", from->is_paged);
    fact_number(maker, row, "pages", from->pages);
    fact_number(maker, row, "pages_then", from->pages_then);
}

static void add_signal(struct facts *facts, struct fact *list, const struct learnt_signal *from)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *row = facts_row(facts, list);
    char text[DURATION_TEXT_MAX];

    fact_text(maker, row, "rule", from->rule);
    fact_number(maker, row, "rule_id", from->rule_id);
    fact_text(maker, row, "for", duration_print(from->for_ms, text));
    facts_code(facts, row, "code", from->query);
    facts_time(facts, row, "breach", from->breach_ms, "not recorded");
}

static void add_look(struct facts *facts, struct fact *root, const struct learnt *learnt)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *look = fact_group(maker, root, "look");

    fact_bool(maker, look, "known", learnt->made_ms != 0);
    facts_time(facts, look, "at", learnt->made_ms, "nobody looked yet");
    facts_time(facts, look, "from", learnt->from_ms, "nobody looked yet");
    facts_time(facts, look, "to", learnt->to_ms, "nobody looked yet");
    fact_number(maker, look, "rules", learnt->n_rules);
    fact_number(maker, look, "days", LEARNT_PAST_DAYS);
    fact_text(maker, look, "why", learnt->why_not);
}

/* --- around it --- */

static void add_similar(struct facts *facts, struct fact *root, const struct learnt_around *around)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *list = fact_list(maker, root, "similar");

    for (size_t i = 0; i < around->n_similar; i++) {
        const struct learnt_similar *from = &around->similar[i];

        if (!from->is_linked) /* only what a person confirmed; the others are asked about */
            continue;
        struct fact *row = facts_row(facts, list);

        fact_text(maker, row, "key", from->key);
        fact_text(maker, row, "title", from->title);
        fact_text(maker, row, "why", from->why);
        facts_time(facts, row, "opened", from->opened_ms, "not recorded");
    }
}

static void add_inherited(struct facts *facts,
                          struct fact *root,
                          const struct learnt_around *around)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *list = fact_list(maker, root, "inherited_actions");

    for (size_t i = 0; i < around->n_inherited; i++) {
        const struct learnt_inherited *from = &around->inherited[i];
        struct fact *row = facts_row(facts, list);

        fact_number(maker, row, "id", from->id);
        fact_text(maker, row, "text", from->text);
        fact_text(maker, row, "from", from->incident);
        fact_text(maker, row, "owner", from->owner);
        facts_time(facts, row, "due", from->due_ms, "no date is set");
        facts_span(facts, row, "age", from->created_ms, facts->input->now_ms,
                   "now" MINUS "promised", "not recorded");
    }
}

static void add_services(struct facts *facts, struct fact *root, const struct learnt_around *around)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *list = fact_list(maker, root, "services");

    for (size_t i = 0; i < around->n_services; i++) {
        const struct learnt_service *from = &around->services[i];
        struct fact *row = facts_row(facts, list);

        fact_text(maker, row, "name", from->name);
        fact_text(maker, row, "owner", from->owner);
        fact_number(maker, row, "tier", from->tier);
        fact_text(maker, row, "description", from->description);
        fact_text(maker, row, "when_down", from->when_down);
        fact_text(maker, row, "depends_on", from->depends_on);
        fact_markdown(maker, row, "links", from->links);
    }
}

void facts_learnt(struct facts *facts, struct fact *root)
{
    static const struct learnt nothing = {0};
    static const struct learnt_around nobody = {0};
    const struct postmortem_input *input = facts->input;
    const struct learnt *learnt = input->learnt ? input->learnt : &nothing;
    const struct learnt_around *around = input->around ? input->around : &nobody;
    struct fact *list;

    add_look(facts, root, learnt);
    add_ways(facts, root, learnt);
    list = fact_list(&facts->maker, root, "slos");
    for (size_t i = 0; i < learnt->n_burns; i++)
        add_burn(facts, list, &learnt->burns[i]);
    list = fact_list(&facts->maker, root, "would_have");
    for (size_t i = 0; i < learnt->n_earlier; i++)
        add_earlier(facts, list, &learnt->earlier[i]);
    list = fact_list(&facts->maker, root, "missed");
    for (size_t i = 0; i < learnt->n_signals; i++)
        add_signal(facts, list, &learnt->signals[i]);
    add_similar(facts, root, around);
    add_inherited(facts, root, around);
    add_services(facts, root, around);
}
