/*
 * What a player does in a drill's world, and moments in words. See world_private.h.
 */

#include <string.h>

#include "alertd/drill/world_private.h"
#include "lib/model/hash.h"

static const char *const moment_names[] = {"pending",  "firing", "resolved", "opened",
                                           "over",     "page",   "nobody",   "told",
                                           "happened", "act",    "hint",     "broken"};

const char *drill_moment_name(enum drill_moment_kind kind)
{
    return moment_names[kind];
}

/* --- Acts ------------------------------------------------------------------------------------------- */

/* Every page that is open: on a phone it is one tap, and here nobody measures taps. */
static void acknowledge(struct drill_world *world, struct drill_moment *moment)
{
    const char *you = drill_you(world->drill_case->drill);
    struct world_incident *incident;

    moment->verdict = DRILL_VOID;
    while ((incident = world_open_incident(world, true)) != NULL) {
        (void)incident_step(&incident->life, INCIDENT_ACK);
        incident->acked_ms = world->now_ms;
        world_tell_escalation(world, incident, ESCALATION_ACKNOWLEDGE, you);
        moment->incident = incident->number;
        moment->verdict = DRILL_GOOD;
    }
}

static void call_for_help(struct drill_world *world, struct drill_moment *moment)
{
    struct world_incident *incident = world_open_incident(world, false);
    const struct drill *drill = world->drill_case->drill;

    moment->verdict = drill->escalate_why ? DRILL_GOOD : DRILL_NO_VERDICT;
    if (!incident)
        return;

    bool was_taken = incident->life.status == INCIDENT_ACKNOWLEDGED;

    moment->incident = incident->number;
    world_tell_escalation(world, incident, ESCALATION_ESCALATE, drill_you(drill));
    if (was_taken) /* who is called by somebody at work comes, and nobody else is paged */
        world_tell_escalation(world, incident, ESCALATION_ACKNOWLEDGE, drill_you(drill));
}

static bool names_any(const struct drill_name *names, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        if (strstr(text, names[i].text))
            return true;
    return false;
}

static enum drill_verdict judge_answer(const struct drill *drill, const char *id, const char *text)
{
    for (size_t i = 0; i < drill->n_questions; i++)
        if (id && strcmp(drill->questions[i].id, id) == 0)
            return drill_accepts(drill->questions[i].accepts, drill->questions[i].n_accepts, text)
                       ? DRILL_GOOD
                       : DRILL_BAD;
    return DRILL_VOID;
}

static void judge_idea(struct drill_moment *moment,
                       const struct drill_idea *ideas,
                       size_t n,
                       const char *text)
{
    const struct drill_idea *idea = drill_idea_find(ideas, n, text);

    if (!idea)
        return;
    moment->who = idea->id;
    moment->worth = idea->worth;
    moment->verdict = idea->worth == DRILL_WORTH_RIGHT || idea->worth == DRILL_WORTH_RELEVANT
                          ? DRILL_GOOD
                          : DRILL_BAD;
}

static void give_hint(struct drill_world *world, struct drill_moment *moment)
{
    const struct drill *drill = world->drill_case->drill;

    moment->verdict = DRILL_VOID;
    if (world->n_hints == drill->n_hints)
        return;
    moment->kind = DRILL_MOMENT_HINT;
    moment->verdict = DRILL_GOOD;
    moment->what = drill->hints[world->n_hints].text;
    moment->cost = drill->hints[world->n_hints++].cost;
}

static void judge(struct drill_world *world, struct drill_moment *moment, const char *id)
{
    const struct drill *drill = world->drill_case->drill;
    const char *text = moment->what ? moment->what : "";

    switch (moment->act) {
    case DRILL_ACT_ACK: acknowledge(world, moment); return;
    case DRILL_ACT_ESCALATE: call_for_help(world, moment); return;
    case DRILL_ACT_HINT: give_hint(world, moment); return;
    case DRILL_ACT_QUERY:
        if (names_any(drill->graphs, drill->n_graphs, text))
            moment->verdict = DRILL_GOOD;
        return;
    case DRILL_ACT_RUNBOOK:
        moment->verdict = names_any(drill->runbooks, drill->n_runbooks, text) ? DRILL_GOOD
                                                                              : DRILL_BAD;
        return;
    case DRILL_ACT_ANSWER: moment->verdict = judge_answer(drill, id, text); return;
    case DRILL_ACT_HYPOTHESIS:
        judge_idea(moment, drill->hypotheses, drill->n_hypotheses, text);
        return;
    case DRILL_ACT_DO:
        judge_idea(moment, drill->actions, drill->n_actions, text);
        if (moment->verdict == DRILL_GOOD && moment->worth == DRILL_WORTH_RIGHT &&
            world->mended_ms == DRILL_NOT_YET)
            world->mended_ms = world->now_ms;
        return;
    case DRILL_ACT_SEE:
    case DRILL_ACT_TELL:
    case DRILL_ACT_NOTE: return;
    }
}

const struct drill_moment *drill_world_act(struct drill_world *world,
                                           enum drill_act_kind kind,
                                           const char *id,
                                           const char *text)
{
    struct drill_moment moment = {.at_ms = world->now_ms,
                                  .kind = DRILL_MOMENT_ACT,
                                  .act = kind,
                                  .what = text,
                                  .more = id,
                                  .incident = 0};

    judge(world, &moment, id);
    return world_add(world, &moment);
}

const char *const drill_injects[] = {"chat", "log", "customer", "deploy", "note", "hint", NULL};

const struct drill_moment *drill_world_inject(struct drill_world *world,
                                              const char *who,
                                              const char *text)
{
    return world_add(world, &(struct drill_moment){.at_ms = world->now_ms,
                                                   .kind = DRILL_MOMENT_HAPPENED,
                                                   .who = who,
                                                   .what = text});
}

/* --- In words ---------------------------------------------------------------------------------------- */

static const char *verdict_words(const struct drill_moment *moment)
{
    switch (moment->verdict) {
    case DRILL_NO_VERDICT: return "";
    case DRILL_GOOD:
        return moment->act == DRILL_ACT_DO && moment->worth == DRILL_WORTH_RIGHT ? " (mends)"
                                                                                 : " (good)";
    case DRILL_BAD: return moment->worth == DRILL_WORTH_HARM ? " (does harm)" : " (not that)";
    case DRILL_VOID: return " (nothing to act on)";
    }
    return "";
}

static void print_act(const struct drill_moment *moment, struct str *out)
{
    str_addf(out, "you %s", drill_act_name(moment->act));
    if (moment->more)
        str_addf(out, " %s", moment->more);
    if (moment->what)
        str_addf(out, ": %s", moment->what);
    str_add(out, verdict_words(moment));
}

void drill_moment_print(const struct drill_moment *moment, struct str *out)
{
    const char *who = moment->who ? moment->who : "";
    const char *what = moment->what ? moment->what : "";
    const char *more = moment->more ? moment->more : "";

    switch (moment->kind) {
    case DRILL_MOMENT_PENDING:
    case DRILL_MOMENT_FIRING:
    case DRILL_MOMENT_RESOLVED: str_addf(out, "%s %s", what, moment_names[moment->kind]); return;
    case DRILL_MOMENT_OPENED: str_addf(out, "incident %u: %s", moment->incident, more); return;
    case DRILL_MOMENT_OVER: str_addf(out, "incident %u is over", moment->incident); return;
    case DRILL_MOMENT_PAGE: str_addf(out, "page to %s: %s, %s", who, what, more); return;
    case DRILL_MOMENT_NOBODY: str_addf(out, "%s: %s reaches nobody new", who, what); return;
    case DRILL_MOMENT_TOLD: str_addf(out, "%s is told: %s, %s", who, what, more); return;
    case DRILL_MOMENT_HAPPENED: str_addf(out, "%s: %s", who, what); return;
    case DRILL_MOMENT_ACT: print_act(moment, out); return;
    case DRILL_MOMENT_HINT:
        str_addf(out, "hint (costs %lld): %s", (long long)moment->cost, what);
        return;
    case DRILL_MOMENT_BROKEN: str_addf(out, "rule %s can't be evaluated: %s", what, more); return;
    }
}

uint64_t drill_world_hash(const struct drill_world *world)
{
    STR_AUTO struct str text = STR_INIT(256 * 1024 * 1024);

    for (size_t i = 0; i < world->n_moments; i++) {
        const struct drill_moment *moment = &world->moments[i];

        str_addf(&text, "%lld %s ", (long long)moment->at_ms, moment->more ? moment->more : "");
        drill_moment_print(moment, &text);
        str_addc(&text, '\n');
    }
    return hash64(str_text(&text), text.len);
}
