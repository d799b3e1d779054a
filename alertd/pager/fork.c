/*
 * What a step's pages are for those who look over a shoulder. See escalate.h.
 *
 *   ana is paged ----> observe, own copy: behind it, a copy for dan in a lane of its own
 *                \---> reverse: before it, dan's page is the real one; ana's is due a while later
 *
 * Nothing that goes wrong here may cost or delay a real page: each shadow is made inside a
 * savepoint, is taken back alone and logged; a person behind a shadow that could not be paged is
 * paged at once.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/db/shadow_db.h"
#include "alertd/incident/report.h"
#include "alertd/pager/escalate.h"
#include "lib/model/duration.h"

enum {
    STEP_TEXT_MAX = ROSTER_NAME_MAX + 32,
};

/* A reverse page that the move has made. */
struct fork_made {
    const struct shadow *shadow;
    int64_t page_id;
    struct fork_made *next;
};

/* One shadow of one page. */
struct fork {
    struct escalate_work *work;
    const struct escalation_move *move;
    const struct escalation_page *page;
    const struct shadow *shadow;
    const struct person *person; /* of the shadow */
};

static bool is_paged(const struct escalation_move *move, const char *name)
{
    for (size_t i = 0; i < move->n_pages; i++)
        if (move->pages[i].person && !move->pages[i].unreached &&
            strcmp(move->pages[i].person, name) == 0)
            return true;
    return false;
}

/* Who is really paged in the same step is no shadow of it. */
static bool looks_on(const struct shadow *shadow,
                     const struct escalation_move *move,
                     const struct escalation_page *page)
{
    if (!page->person || page->unreached || move->at_ms < shadow->from_ms ||
        move->at_ms >= shadow->to_ms || is_paged(move, shadow->person))
        return false;
    if (shadow->target_kind == SHADOW_OF_PERSON)
        return strcmp(shadow->target, page->person) == 0;
    return page->via == TARGET_SCHEDULE && strcmp(shadow->target, page->target) == 0;
}

static void step_text(const struct fork *fork, char *text)
{
    const struct escalation_move *move = fork->move;

    if (move->kind == ESCALATION_FALLBACK)
        (void)snprintf(text, STEP_TEXT_MAX, "%s fallback", fork->work->policy.name);
    else
        (void)snprintf(text, STEP_TEXT_MAX, "%s %u.%u", fork->work->policy.name, move->round + 1,
                       move->step + 1);
}

/* By the clock of who looks on; of the schedule, of UTC when theirs is not known. */
static bool is_night(const struct fork *fork)
{
    struct pager *pager = fork->work->call->pager;
    const struct schedule *schedule = fork->page->via == TARGET_SCHEDULE
                                          ? roster_schedule(&pager->roster, fork->page->target)
                                          : NULL;
    const struct zone *zone = NULL;

    if (fork->person->zone)
        (void)zones_get(&pager->zones, fork->person->zone, &zone, NULL);
    if (!zone && schedule)
        zone = schedule->zone;
    if (!zone)
        (void)zones_get(&pager->zones, "UTC", &zone, NULL);
    return zone && report_is_night(zone, fork->move->at_ms);
}

static int make_page(const struct fork *fork, int64_t *ret_page_id)
{
    struct pager_call *call = fork->work->call;
    bool is_reverse = fork->shadow->mode == SHADOW_REVERSE;
    char step[STEP_TEXT_MAX];

    step_text(fork, step);
    return shadow_db_fork(
        call->conn,
        &(struct shadow_fork){
            .shadow = fork->shadow,
            .mentor = fork->shadow->mentor ? fork->shadow->mentor : fork->page->person,
            .real = is_reverse ? NULL : fork->page->person,
            .step = step,
            .incident_id = fork->work->incident.id,
            .is_night = is_night(fork),
            .real_made_ms = escalate_owed_ms(call, fork->move->at_ms),
            .now_ms = escalate_owed_ms(call, fork->move->at_ms),
        },
        ret_page_id, call->reterr);
}

/* Runs `make` so that it can be taken back alone; *ret_made says whether it was not. */
static int guarded(struct fork *fork, int (*make)(struct fork *fork), bool *ret_made)
{
    struct pager_call *call = fork->work->call;
    struct err *outer = call->reterr;
    struct err err = {0};
    int r = shadow_db_begin(call->conn, outer);

    if (r)
        return r;
    call->reterr = &err;
    r = fork->person ? make(fork) : err_set(&err, 1, "there is no such person any more");
    call->reterr = outer;
    *ret_made = r == 0;
    if (r)
        log_warn(call->pager->log, "pager", "a shadow is left out",
                 "shadow=%s person=\"%s\" incident=%s error=\"%s\"", fork->shadow->id,
                 fork->shadow->person, fork->work->incident.key, err.text);
    return shadow_db_end(call->conn, r == 0, outer);
}

static struct fork fork_of(struct escalate_work *work,
                           const struct escalation_move *move,
                           const struct escalation_page *page,
                           const struct shadow *shadow)
{
    return (struct fork){work, move, page, shadow,
                         roster_person(&work->call->pager->roster, shadow->person)};
}

/* --- in front of the real page --- */

static int say_first(const struct fork *fork)
{
    STR_AUTO struct str words = STR_INIT(ESCALATE_WORDS_MAX);
    const struct shadow *shadow = fork->shadow;
    char span[DURATION_TEXT_MAX];

    str_addf(&words, "%s is paged first and answers (reverse shadow); %s", shadow->person,
             fork->page->person);
    if (shadow->mentor && strcmp(shadow->mentor, fork->page->person) != 0)
        str_addf(&words, " and %s stand", shadow->mentor);
    else
        str_add(&words, " stands");
    if (shadow->after_ms)
        str_addf(&words, " behind, paged %s later", duration_human(shadow->after_ms, span));
    else
        str_add(&words, " behind, paged at the same time");
    return escalate_say(fork->work, NULL, str_text(&words), NULL, fork->move->at_ms);
}

/* Pages a person for real and remembers that it was as a part of this page. */
static int page_and_link(
    const struct fork *fork, int64_t page_id, const char *name, int64_t after_ms, bool is_mentor)
{
    struct pager_call *call = fork->work->call;
    int r = escalate_page_person(fork->work, name, fork->move->at_ms, after_ms);

    return r == 0
               ? shadow_db_link(call->conn, page_id, name,
                                escalate_owed_ms(call, fork->move->at_ms), is_mentor, call->reterr)
               : r;
}

static int put_first(struct fork *fork)
{
    struct escalate_work *work = fork->work;
    const struct shadow *shadow = fork->shadow;
    struct fork_made *made = arena_array(work->arena, 1, sizeof(*made));
    int64_t page_id = 0;

    if (!made)
        return err_set(work->call->reterr, SHADOW_DB_E_LIMIT, "no room");
    if (fork->person->n_contacts == 0)
        return err_set(work->call->reterr, SHADOW_DB_E_LIMIT, "has no contact: not paged first");
    int r = make_page(fork, &page_id);

    if (r || !page_id)
        return r;
    r = say_first(fork);
    if (r == 0)
        r = page_and_link(fork, page_id, shadow->person, 0, false);
    if (r == 0 && shadow->mentor && !is_paged(fork->move, shadow->mentor))
        r = page_and_link(fork, page_id, shadow->mentor, shadow->after_ms, true);
    if (r)
        return r;
    *made = (struct fork_made){shadow, page_id, work->made};
    work->made = made;
    return 0;
}

int fork_reverse(struct escalate_work *work,
                 const struct escalation_move *move,
                 const struct escalation_page *page,
                 int64_t *ret_after_ms)
{
    const struct roster *roster = &work->call->pager->roster;
    int64_t after_ms = INT64_MAX;
    int r = 0;

    for (size_t i = 0; r == 0 && i < roster->n_shadows; i++) {
        const struct shadow *shadow = &roster->shadows[i];
        struct fork fork = fork_of(work, move, page, shadow);
        bool made = false;

        if (shadow->mode != SHADOW_REVERSE || !looks_on(shadow, move, page))
            continue;
        r = guarded(&fork, put_first, &made);
        if (made && shadow->after_ms < after_ms)
            after_ms = shadow->after_ms;
    }
    *ret_after_ms = after_ms == INT64_MAX ? 0 : after_ms;
    return r;
}

/* --- behind it --- */

static int put_copy(struct fork *fork)
{
    struct pager_call *call = fork->work->call;
    int64_t now_ms = escalate_owed_ms(call, fork->move->at_ms);
    int64_t page_id = 0;
    int r = make_page(fork, &page_id);

    if (r || !page_id)
        return r;
    if (fork->person->n_contacts == 0)
        r = shadow_db_tell(call->conn, page_id, "untold", "has no contact: nothing was sent", NULL,
                           now_ms, call->reterr);
    for (size_t i = 0; r == 0 && i < fork->person->n_contacts; i++)
        r = shadow_db_owe(call->conn, page_id, &fork->person->contacts[i], (unsigned)i, now_ms,
                          call->reterr);
    call->outcome->outbox_grew = true;
    return r;
}

/* Who was really on call stands behind the reverse page. */
static int put_behind(struct fork *fork)
{
    struct pager_call *call = fork->work->call;

    for (const struct fork_made *made = fork->work->made; made; made = made->next)
        if (made->shadow == fork->shadow)
            return shadow_db_link(call->conn, made->page_id, fork->page->person,
                                  escalate_owed_ms(call, fork->move->at_ms), true, call->reterr);
    return 0;
}

int fork_copies(struct escalate_work *work, const struct escalation_move *move)
{
    const struct roster *roster = &work->call->pager->roster;
    int r = 0;

    for (size_t i = 0; i < roster->n_shadows; i++)
        for (size_t j = 0; r == 0 && j < move->n_pages; j++) {
            const struct shadow *shadow = &roster->shadows[i];
            struct fork fork = fork_of(work, move, &move->pages[j], shadow);
            bool made = false;

            if (looks_on(shadow, move, &move->pages[j]))
                r = guarded(&fork, shadow->mode == SHADOW_REVERSE ? put_behind : put_copy, &made);
        }
    return r;
}

int fork_end(struct escalate_work *work)
{
    struct pager_call *call = work->call;
    struct err err = {0};
    int r = shadow_db_begin(call->conn, call->reterr);

    if (r)
        return r;
    r = shadow_db_close(call->conn, work->incident.id, call->now_ms, &err);
    if (r)
        log_warn(call->pager->log, "pager", "shadows are not told the end",
                 "incident=%s error=\"%s\"", work->incident.key, err.text);
    call->outcome->outbox_grew = true;
    return shadow_db_end(call->conn, r == 0, call->reterr);
}
