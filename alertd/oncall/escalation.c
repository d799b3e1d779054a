/*
 * One escalation. See escalation.h.
 *
 * All that was due is worked off in the order in which it was due, each with the instant at
 * which it was: the only clock here is next_ms.
 */

#include "alertd/oncall/escalation.h"

#include <stdio.h>
#include <string.h>

enum {
    PAGES_MAX = 256 /* of one step */
};

/* What one run of due things works with: a copy of the state, given back when all is told. */
struct run {
    struct escalation state;
    const struct policy *policy;
    const struct roster *roster;
    struct arena *arena;
    struct escalation_moves *moves;
    bool spent;
};

/* The pages of a step while they are collected. */
struct pages {
    struct escalation_page at[PAGES_MAX];
    size_t n;
    size_t n_reached;
};

const char *escalation_status_name(enum escalation_status status)
{
    static const char *const names[] = {"running", "acknowledged", "snoozed",
                                        "taken",   "exhausted",    "resolved"};

    return names[status];
}

void escalation_open(struct escalation *escalation, int64_t opened_ms)
{
    *escalation = (struct escalation){
        .status = ESCALATION_RUNNING, .opened_ms = opened_ms, .next_ms = opened_ms};
}

static bool is_there(const struct pages *pages, const struct escalation_page *page)
{
    for (size_t i = 0; i < pages->n; i++) {
        const struct escalation_page *other = &pages->at[i];

        if (page->person ? other->person && strcmp(other->person, page->person) == 0
                         : !other->person && other->via == page->via &&
                               strcmp(other->target, page->target) == 0)
            return true;
    }
    return false;
}

static void put(struct pages *pages, struct escalation_page page)
{
    if (pages->n == PAGES_MAX || is_there(pages, &page))
        return;
    pages->at[pages->n++] = page;
    pages->n_reached += page.unreached == NULL;
}

static void put_person(struct run *run,
                       struct pages *pages,
                       const struct target *target,
                       const char *name)
{
    const struct person *person = roster_person(run->roster, name);
    struct escalation_page page = {target->kind, target->name, name, NULL};

    if (!person)
        page.unreached = "nobody of that name is known any more";
    else if (person->n_contacts == 0)
        page.unreached = "has no contact to be told by";
    put(pages, page);
}

static void put_schedule(struct run *run,
                         struct pages *pages,
                         const struct target *target,
                         int64_t at_ms)
{
    const struct schedule *schedule = roster_schedule(run->roster, target->name);
    struct escalation_page page = {target->kind, target->name, NULL, NULL};
    struct on_call people[ON_CALL_MAX];
    size_t n = schedule ? schedule_at(schedule, at_ms, people, NULL) : 0;

    if (n == 0) {
        page.unreached = schedule ? "nobody is on call" : "no schedule of that name any more";
        put(pages, page);
    }
    for (size_t i = 0; i < n; i++)
        put_person(run, pages, target, people[i].person);
}

static void resolve(
    struct run *run, const struct target *targets, size_t n, int64_t at_ms, struct pages *pages)
{
    pages->n = pages->n_reached = 0;
    for (size_t i = 0; i < n; i++)
        switch (targets[i].kind) {
        case TARGET_PERSON: put_person(run, pages, &targets[i], targets[i].name); break;
        case TARGET_SCHEDULE: put_schedule(run, pages, &targets[i], at_ms); break;
        case TARGET_RECEIVER:
            put(pages, (struct escalation_page){TARGET_RECEIVER, targets[i].name, NULL, NULL});
            break;
        }
}

/* Appends a move at next_ms; what it holds outlives this run. */
static void tell(struct run *run, enum escalation_move_kind kind, const struct pages *pages)
{
    struct escalation_moves *moves = run->moves;
    size_t n = pages ? pages->n : 0;
    struct escalation_page *kept = arena_array(run->arena, n ? n : 1, sizeof(*kept));

    if (moves->n == moves->capacity) {
        size_t capacity = moves->capacity ? 2 * moves->capacity : 8;
        struct escalation_move *at = arena_array(run->arena, capacity, sizeof(*at));

        if (at) {
            if (moves->n)
                memcpy(at, moves->at, moves->n * sizeof(*at));
            moves->at = at;
            moves->capacity = capacity;
        }
    }
    if (!kept || moves->n == moves->capacity) {
        run->spent = true;
        return;
    }
    if (n)
        memcpy(kept, pages->at, n * sizeof(*kept));
    moves->at[moves->n++] = (struct escalation_move){
        .kind = kind,
        .at_ms = run->state.next_ms,
        .round = run->state.round,
        .step = run->state.step,
        .pages = kept,
        .n_pages = n,
    };
}

static int64_t later(int64_t at_ms, int64_t delay_ms)
{
    int64_t sum_ms = 0;

    return __builtin_add_overflow(at_ms, delay_ms, &sum_ms) ? ESCALATION_NEVER : sum_ms;
}

/* Behind the last round: the fallback is next. */
static bool is_over(const struct escalation *state, const struct policy *policy)
{
    return state->round > (unsigned)policy->repeat;
}

/* And that was paged too. */
static bool is_spent(const struct escalation *state, const struct policy *policy)
{
    return state->round > (unsigned)policy->repeat + 1;
}

/* Tells whom the targets reach, in a move of the first kind, or that they reach nobody, in one of
 * the second; false then. */
static bool page(struct run *run,
                 const struct target *targets,
                 size_t n,
                 enum escalation_move_kind reached,
                 enum escalation_move_kind missed)
{
    struct pages pages;

    resolve(run, targets, n, run->state.next_ms, &pages);
    tell(run, pages.n_reached ? reached : missed, &pages);
    return pages.n_reached > 0;
}

static void fall_back(struct run *run)
{
    (void)page(run, run->policy->fallback, run->policy->n_fallback, ESCALATION_FALLBACK,
               ESCALATION_RAN_OUT);
    run->state.status = ESCALATION_EXHAUSTED;
    run->state.round++;
    run->state.next_ms = ESCALATION_NEVER;
}

/* A policy may have been made shorter since: what lies behind its end is over. */
static void settle(struct escalation *state, const struct policy *policy)
{
    if (state->step >= policy->n_steps && !is_over(state, policy)) {
        state->step = 0;
        state->round++;
    }
}

static void take_step(struct run *run)
{
    struct escalation *state = &run->state;

    if (is_over(state, run->policy)) {
        fall_back(run);
        return;
    }
    const struct policy_step *step = &run->policy->steps[state->step];

    if (page(run, step->targets, step->n_targets, ESCALATION_PAGE, ESCALATION_NOBODY))
        state->next_ms = later(state->next_ms, step->delay_ms);
    state->step++;
    settle(state, run->policy);
}

static void start_again(struct escalation *state)
{
    state->round = 0;
    state->step = 0;
}

/* An acknowledgement expired, or a snooze ended. */
static void go_on(struct run *run)
{
    struct escalation *state = &run->state;

    if (state->status == ESCALATION_SNOOZED || is_spent(state, run->policy))
        start_again(state);
    tell(run, ESCALATION_CONTINUED, NULL);
    state->status = ESCALATION_RUNNING;
    state->person[0] = '\0';
}

static void advance(struct run *run, int64_t now_ms)
{
    settle(&run->state, run->policy);
    while (!run->spent && run->state.next_ms <= now_ms && run->state.next_ms != ESCALATION_NEVER) {
        switch (run->state.status) {
        case ESCALATION_RUNNING: take_step(run); break;
        case ESCALATION_ACKNOWLEDGED:
        case ESCALATION_SNOOZED: go_on(run); break;
        case ESCALATION_TAKEN:
        case ESCALATION_EXHAUSTED:
        case ESCALATION_RESOLVED: run->state.next_ms = ESCALATION_NEVER; break;
        }
    }
}

/* Stops until next_ms. */
static void hold(struct escalation *state,
                 enum escalation_status status,
                 int64_t next_ms,
                 const char *person)
{
    state->status = status;
    state->next_ms = next_ms;
    (void)snprintf(state->person, sizeof(state->person), "%s", person ? person : "");
}

static void perform(struct run *run, const struct escalation_event *event)
{
    struct escalation *state = &run->state;
    int64_t expires_ms = run->policy->ack_expires_ms;

    if (state->status == ESCALATION_RESOLVED)
        return;
    switch (event->kind) {
    case ESCALATION_ACKNOWLEDGE:
        hold(state, ESCALATION_ACKNOWLEDGED,
             expires_ms ? later(event->at_ms, expires_ms) : ESCALATION_NEVER, event->person);
        break;
    case ESCALATION_SNOOZE:
        hold(state, ESCALATION_SNOOZED,
             event->until_ms > event->at_ms ? event->until_ms : event->at_ms, event->person);
        break;
    case ESCALATION_TAKE_OVER:
        hold(state, ESCALATION_TAKEN, ESCALATION_NEVER, event->person);
        break;
    case ESCALATION_RESOLVE:
        hold(state, ESCALATION_RESOLVED, ESCALATION_NEVER, event->person);
        break;
    case ESCALATION_ESCALATE:
        if (is_spent(state, run->policy))
            start_again(state);
        hold(state, ESCALATION_RUNNING, event->at_ms, NULL);
        advance(run, event->at_ms);
        break;
    }
}

static bool run_until(struct escalation *escalation,
                      struct run *run,
                      const struct escalation_event *event,
                      int64_t now_ms)
{
    size_t n_before = run->moves->n;

    run->state = *escalation;
    advance(run, now_ms);
    if (event && !run->spent)
        perform(run, event);
    if (run->spent) {
        run->moves->n = n_before;
        run->moves->cut = true;
        return false;
    }
    *escalation = run->state;
    return true;
}

bool escalation_advance(struct escalation *escalation,
                        const struct policy *policy,
                        const struct roster *roster,
                        int64_t now_ms,
                        struct arena *arena,
                        struct escalation_moves *moves)
{
    struct run run = {.policy = policy, .roster = roster, .arena = arena, .moves = moves};

    return run_until(escalation, &run, NULL, now_ms);
}

bool escalation_tell(struct escalation *escalation,
                     const struct policy *policy,
                     const struct roster *roster,
                     const struct escalation_event *event,
                     struct arena *arena,
                     struct escalation_moves *moves)
{
    struct run run = {.policy = policy, .roster = roster, .arena = arena, .moves = moves};

    return run_until(escalation, &run, event, event->at_ms);
}
