/*
 * The words of an escalation's moves. See escalate.h.
 */

#include <string.h>

#include "alertd/pager/escalate.h"

static void add_methods(const struct person *person, struct str *out)
{
    for (size_t i = 0; person && i < person->n_contacts; i++) {
        const char *between = i + 1 == person->n_contacts ? " and " : ", ";

        str_addf(out, "%s%s", i == 0 ? " by " : between, person->contacts[i].method);
    }
}

static bool has_receiver(const struct route_config *config, const char *name)
{
    for (size_t i = 0; i < config->n_receivers; i++)
        if (strcmp(config->receivers[i].name, name) == 0)
            return true;
    return false;
}

static void add_reached(const struct escalation_page *page,
                        const struct roster *roster,
                        const struct route_config *config,
                        struct str *out)
{
    if (!page->person) {
        str_addf(out, "receiver %s", page->target);
        if (!has_receiver(config, page->target))
            str_add(out, " (which is not in the config file: nobody is told)");
        return;
    }
    str_add(out, page->person);
    if (page->via == TARGET_SCHEDULE)
        str_addf(out, " (schedule %s)", page->target);
    add_methods(roster_person(roster, page->person), out);
}

static void add_unreached(const struct escalation_page *page, struct str *out)
{
    if (page->person)
        str_addf(out, "%s %s", page->person, page->unreached);
    else if (page->via == TARGET_SCHEDULE)
        str_addf(out, "schedule %s: %s", page->target, page->unreached);
    else
        str_addf(out, "%s: %s", page->target, page->unreached);
}

static void add_pages(const struct escalation_move *move,
                      const struct roster *roster,
                      const struct route_config *config,
                      struct str *out)
{
    const char *between = "";

    for (size_t i = 0; i < move->n_pages; i++)
        if (!move->pages[i].unreached) {
            str_add(out, between);
            add_reached(&move->pages[i], roster, config, out);
            between = ", ";
        }
    between = *between ? "; but " : "";
    for (size_t i = 0; i < move->n_pages; i++)
        if (move->pages[i].unreached) {
            str_add(out, between);
            add_unreached(&move->pages[i], out);
            between = ", ";
        }
}

static void add_step(const struct escalation_move *move,
                     const struct policy *policy,
                     struct str *out)
{
    str_addf(out, "step %u of %s", move->step + 1, policy->name);
    if (move->round > 0)
        str_addf(out, ", round %u,", move->round + 1);
}

void escalate_words(const struct escalation_move *move,
                    const struct policy *policy,
                    const struct roster *roster,
                    const struct route_config *config,
                    struct str *out)
{
    switch (move->kind) {
    case ESCALATION_PAGE:
        add_step(move, policy, out);
        str_add(out, " pages ");
        break;
    case ESCALATION_NOBODY:
        add_step(move, policy, out);
        str_add(out, " reaches nobody: ");
        break;
    case ESCALATION_FALLBACK:
        str_addf(out, "every step of %s is over: its fallback pages ", policy->name);
        break;
    case ESCALATION_RAN_OUT:
        str_addf(out, "every step of %s is over, and nobody is left to page", policy->name);
        str_add(out, move->n_pages ? ": " : "");
        break;
    case ESCALATION_CONTINUED:
        str_addf(out, "nobody holds it any more: %s goes on", policy->name);
        break;
    }
    add_pages(move, roster, config, out);
}
