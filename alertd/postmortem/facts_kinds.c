/*
 * What each row's kind is told as. See facts_part.h.
 *
 * A long incident has thousands of rows and a dozen kinds: each kind is compared with the tables
 * once, and a row with the kinds that were met before it.
 */

#include <string.h>

#include "alertd/postmortem/facts_part.h"

enum {
    KINDS_MAX = 200 /* of which the words are remembered; others are compared anew */
};

static const struct {
    const char *name; /* a kind, or with a point at its end what kinds begin with */
    unsigned parts;
    const char *response;
} told[] = {
    {"change.", FACTS_CHANGE, NULL},
    {"rule.changed", FACTS_CHANGE, NULL},
    {"comms.", FACTS_COMMS | FACTS_RESPONDS, NULL},
    {"agent.lost", FACTS_BLIND | FACTS_UNSEEN, NULL},
    {"rule.nodata", FACTS_BLIND | FACTS_UNSEEN, NULL},
    {"silence.on", FACTS_BLIND | FACTS_UNSEEN, NULL},
    {"scrape.gap", FACTS_BLIND, NULL},
    {"inhibited", FACTS_BLIND, NULL},
    {"notify.muted", FACTS_BLIND, NULL},
    {"clock", FACTS_BLIND, NULL},
    {"silence", FACTS_BLIND, NULL},
    {"human.hypothesis", FACTS_RESPONDS, "hypothesis"},
    {"human.decision", FACTS_RESPONDS, "decision"},
    {"human.action", FACTS_RESPONDS, "action"},
    {"human.observation", FACTS_RESPONDS, "observation"},
    {"human.report", FACTS_RESPONDS, "report"},
    {"human.note", FACTS_RESPONDS, "note"},
    {"human.", FACTS_RESPONDS, NULL},
    {"mitigation.applied", FACTS_RESPONDS, "mitigation"},
    {"mitigation.", FACTS_RESPONDS, NULL},
    {"cause.identified", FACTS_RESPONDS, "cause"},
    {"cause.", FACTS_RESPONDS, NULL},
    {"hypothesis.confirmed", FACTS_RESPONDS, "confirmed"},
    {"hypothesis.refuted", FACTS_RESPONDS, "refuted"},
    {"hypothesis.", FACTS_RESPONDS, "hypothesis"},
    {"hypothesis", FACTS_RESPONDS, NULL},
    {"ack", FACTS_RESPONDS, NULL},
    {"role", FACTS_RESPONDS, NULL},
    {"incident.role", FACTS_RESPONDS, NULL},
    {"escalation", FACTS_RESPONDS, NULL},
    {"escalation.", FACTS_RESPONDS, NULL},
    {"notify.escalated", FACTS_RESPONDS, NULL},
    {"incident.resolved", FACTS_RESPONDS, NULL},
    {"incident.status", FACTS_RESPONDS, NULL},
    {"command", FACTS_RESPONDS, NULL},
};

static struct facts_kind kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++) {
        size_t len = strlen(told[i].name);
        bool is_family = told[i].name[len - 1] == '.';

        if (is_family ? strncmp(name, told[i].name, len) == 0 : strcmp(name, told[i].name) == 0)
            return (struct facts_kind){name, told[i].parts, told[i].response};
    }
    return (struct facts_kind){name, 0, NULL};
}

bool facts_find_kinds(struct facts *facts)
{
    size_t n_rows = facts->input->n_events;
    struct arena *arena = facts->maker.arena;
    struct facts_kind *kinds = arena_array(arena, KINDS_MAX, sizeof(*kinds));
    const struct facts_kind **of = arena_array(arena, n_rows + 1, sizeof(*of));
    size_t n = 0;

    facts->kinds = of;
    for (size_t i = 0; kinds && of && i < n_rows; i++) {
        const char *name = facts_or_empty(facts->rows[i].event->kind);
        struct facts_kind *other = NULL;

        for (size_t k = 0; k < n && !of[i]; k++)
            of[i] = strcmp(kinds[k].name, name) == 0 ? &kinds[k] : NULL;
        if (of[i])
            continue;
        other = n < KINDS_MAX ? &kinds[n++] : arena_alloc(arena, sizeof(*other));
        if (!other)
            return false;
        *other = kind_of(name);
        of[i] = other;
    }
    return kinds && of;
}
