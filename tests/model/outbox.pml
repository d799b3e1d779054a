/*
 * The outbox of one incident and two integrations, as a model that spin walks completely:
 * every order of news, people, receivers, timeouts and crashes there is. The integrations
 * share no row, so no step of one makes a step of the other possible or impossible: each is
 * walked by itself (ONLY=0 or 1) through every story, which is the same as both at once and
 * takes seconds instead of hours.
 *
 *   story --owe--> rows --claim--> sending --send--> receiver --mark--> sent | waiting | superseded
 *                   ^                 |
 *                   +----recover------+--- crash: at any point between two commits
 *
 * What each step stands for; an atomic block is one transaction of state.db's writer:
 *
 *   owe()         outbox_db_add(), decide() in outbox_db.c, with route_merge() of route/reason.c
 *   ACK           outbox_db_drop_reminders()
 *   REPEAT        make_reminders() in outbox_db.c
 *   claim         outbox_db_claim() in outbox_send_db.c: find_due(), set_sending(); the page is
 *                 rendered then, so it tells the story as it is at that moment
 *   send          deliver_send() in app/notify_worker.c, outside of any transaction
 *   mark          job_mark() in app/notify_worker.c: outbox_db_sent(), or outbox_db_failed() with
 *                 its hand_over() and wait_again()
 *   expire        find_hopeless() and outbox_db_undelivered(), called by outbox_db_give_up()
 *   crash         kill -9; outbox_db_recover() at the next start
 *   fold          outbox_fold() in outbox_fold_db.c: all that waits becomes one digest, which is sent
 *                 in its place
 *
 * ESCALATES: integration 0 is a person's contact. The story owes it pages of an escalation instead of
 * the first page, news and a reminder. DIGESTS: what waits may be folded whenever something is claimed.
 *
 * Integration 0 is told the end, integration 1 is not (send_resolved: false). Failures, crashes
 * and expiries are rationed, so every run ends; a run that ends is judged:
 *
 *   (1) what is owed was told, by its own row or by a later one, or expired with an event;
 *   (2) no row is sent again that the receiver was heard to accept, unless there was a crash
 *       between: then under the same key, which is the row's;
 *   (3) an integration is never told an earlier row after a later one, nor an older story after
 *       a newer one;
 *   (4) nothing is left waiting or sending (spin: no invalid end state);
 *   (5) no page of an escalation is begun to be sent after somebody acknowledged, whatever became of
 *       an attempt, or of alertd, that was under way then: nobody is owed it any more;
 *   (6) what a digest tells is done when the digest is told, or expires with it, and not before; while
 *       it is unsent nothing later overtakes it.
 *
 * MUTANT takes one guard of the protocol out. check_model.py sees that each of them breaks a
 * property: the check can fail. 3, 7, 8 and 9 were in the program until this model found them.
 */

#ifndef ONLY
#define ONLY 0
#endif
#ifndef MUTANT
#define MUTANT 0
#endif
#ifndef ESCALATES
#define ESCALATES 0
#endif
#ifndef DIGESTS
#define DIGESTS 0
#endif

/* The guards, each as it is and as its mutant has it. */
#if MUTANT == 1 /* a later row may be claimed while an earlier one waits */
#define MAY_SKIP true
#else
#define MAY_SKIP false
#endif
#if MUTANT == 2 /* a start leaves `sending` as it is */
#define RECOVERED SENDING
#else
#define RECOVERED WAITING
#endif
#if MUTANT == 3 /* a reminder covers news, and an acknowledgement drops both */
#define COVERS(why) (why != RESOLVED)
#else
#define COVERS(why) (why != RESOLVED && why != REPEAT)
#endif
#if MUTANT == 4 /* who is not told the end is not told what still waits either */
#define ENDS_WITH(why) true
#else
#define ENDS_WITH(why) (why == REPEAT)
#endif
#if MUTANT == 5 /* the mark is lost without a crash */
#define MAY_LOSE_MARK true
#else
#define MAY_LOSE_MARK false
#endif
#if MUTANT == 6 /* what expires is not on the timeline */
#define EXPIRES_WITH_EVENT false
#else
#define EXPIRES_WITH_EVENT true
#endif
#if MUTANT == 7 /* a reminder that took a first page's story over is still only a reminder */
#define TAKES_REASON false
#else
#define TAKES_REASON true
#endif
#if MUTANT == 8 /* a page that failed when it was not needed any more waits again */
#define FAILED_STATE(i) WAITING
#else
#define FAILED_STATE(i) (acknowledged && DROPPED(i) -> GONE : WAITING)
#endif
#if MUTANT == 9 /* a start sends again what was not needed any more */
#define IS_DROPPED_AT_START(i) false
#else
#define IS_DROPPED_AT_START(i) (acknowledged && DROPPED(i))
#endif
#if MUTANT == 10 /* an acknowledgement drops reminders, and goes on paging people */
#define DROPPED(i) (reason[i] == REPEAT)
#else
#define DROPPED(i) (reason[i] == REPEAT || reason[i] == ESCALATION)
#endif
#if MUTANT == 11 /* what is folded counts as told */
#define FOLDED_STATE GONE
#else
#define FOLDED_STATE FOLDED
#endif
#if MUTANT == 12 /* a later row goes past a digest that waits */
#define MAY_PASS_DIGEST true
#else
#define MAY_PASS_DIGEST false
#endif
#if MUTANT == 13 /* a digest that failed is forgotten, and its rows with it */
#define DIGEST_FAILED GONE
#else
#define DIGEST_FAILED WAITING
#endif

#define N_K       2 /* integrations */
#define N_ROWS    4 /* transitions, in order: the first, a reminder and news, the end */
#define FAILURES  2 /* of attempts */
#define CRASHES   2
#define EXPIRIES  1

#define AT(k, i) ((k) * N_ROWS + (i))

/* a row's state; its place is its transition: later rows have later places */
#define ABSENT     0
#define WAITING    1
#define SENDING    2
#define GONE       3 /* sent, superseded or failed: nothing looks at it any more */
#define FOLDED     4 /* superseded by a digest that is not told yet */

/* reasons */
#define FIRST    1
#define NEWS     2
#define RESOLVED 3
#define REPEAT   4
#define ESCALATION 5

byte state[N_K * N_ROWS];
byte reason[N_K * N_ROWS];
byte covers[N_K * N_ROWS]; /* the newest chapter of the story it stands for */
bit tried[N_K * N_ROWS];   /* attempts > 0 */
bit heard[N_K * N_ROWS];   /* since the last start, the receiver was heard to accept it */

byte n_rows;    /* transitions so far */
byte chapter;   /* of the story: first 1, each news and the end one more */
byte owed[N_K]; /* the newest chapter this integration has a right to */
byte known[N_K];   /* the newest chapter it was told */
byte excused[N_K]; /* the newest chapter that expired with an event */
byte last[N_K];    /* 1 + the latest row it was told */
byte epoch;        /* starts of alertd */
byte digest;       /* the state of the one that is open, of ONLY: ABSENT, WAITING, SENDING */
bool acknowledged;
bool over;         /* the story */
byte expiries = EXPIRIES;
byte failures = FAILURES;

#define UNSENT(k, i) (state[AT(k, i)] == WAITING || state[AT(k, i)] == SENDING || state[AT(k, i)] == FOLDED)
#define SOMETHING_WAITS(k)                                                                     \
    (digest == WAITING || state[AT(k, 0)] == WAITING || state[AT(k, 1)] == WAITING || state[AT(k, 2)] == WAITING || \
     state[AT(k, 3)] == WAITING)
#define NOTHING_UNSENT(k) (digest == ABSENT && !UNSENT(k, 0) && !UNSENT(k, 1) && !UNSENT(k, 2) && !UNSENT(k, 3))

/* --- owing --- */

hidden byte waiting_at; /* 1 + place; scratch of one step */
hidden byte j;

/* the newest waiting row of the integration: find_waiting() */
inline find_waiting(k)
{
    waiting_at = 0;
    j = 0;
    do
    :: j < n_rows ->
        if
        :: state[AT(k, j)] == WAITING -> waiting_at = j + 1
        :: else
        fi;
        j++
    :: else -> break
    od
}

/* insert() */
inline add_row(k, why)
{
    state[AT(k, n_rows)] = WAITING;
    reason[AT(k, n_rows)] = why;
    covers[AT(k, n_rows)] = chapter
}

/* owe_to(): the transition has place n_rows */
inline owe_to(k, why)
{
    find_waiting(k);
    if
    :: why == RESOLVED && k == 1 -> /* it is not told the end */
        if
        :: waiting_at > 0 && ENDS_WITH(reason[AT(k, waiting_at - 1)]) ->
            state[AT(k, waiting_at - 1)] = GONE
        :: else
        fi
    :: else ->
        if
        :: why != REPEAT -> owed[k] = chapter
        :: else
        fi;
        if
        :: waiting_at > 0 && why == ESCALATION -> skip /* the page that waits is the same page */
        :: waiting_at == 0 -> add_row(k, why)
        :: waiting_at > 0 && why == REPEAT -> skip /* covered */
        :: waiting_at > 0 && why == NEWS && !tried[AT(k, waiting_at - 1)] &&
           COVERS(reason[AT(k, waiting_at - 1)]) ->
            covers[AT(k, waiting_at - 1)] = chapter /* covered: rendered when it is claimed */
        :: else -> /* the new one takes its place */
            add_row(k, why);
            state[AT(k, waiting_at - 1)] = GONE
        fi
    fi
}

inline owe(why)
{
    if
    :: why != REPEAT -> chapter++
    :: else
    fi;
    owe_to(ONLY, why);
    n_rows++
}

inline drop_reminders()
{
    j = 0;
    do
    :: j < N_K * N_ROWS ->
        if
        :: state[j] == WAITING && DROPPED(j) -> state[j] = GONE
        :: else
        fi;
        j++
    :: else -> break
    od;
    skip
}

active proctype story()
{
    bool news = true;
    bool repeated = false;

    if
    :: ESCALATES -> d_step { owe(ESCALATION) }
    :: !ESCALATES -> d_step { owe(FIRST) }
    fi;
    do
    :: d_step { !ESCALATES && news -> news = false; owe(NEWS) }
    :: d_step { ESCALATES && news && !acknowledged -> news = false; owe(ESCALATION) } /* the next round */
    :: d_step { !ESCALATES && !repeated && !acknowledged -> repeated = true; owe(REPEAT) }
    :: d_step {
           !acknowledged ->
           acknowledged = true;
           drop_reminders();
           if
           :: ESCALATES -> owed[ONLY] = 0 /* (5) */
           :: else
           fi
       }
    :: d_step { true -> owe(RESOLVED); over = true } -> break
    od
}

/* --- giving up --- */

inline expire(i)
{
    expiries--;
    state[i] = GONE;
    if /* notify.undelivered on the timeline */
    :: EXPIRES_WITH_EVENT && covers[i] > excused[(i) / N_ROWS] -> excused[(i) / N_ROWS] = covers[i]
    :: else
    fi
}

#define MAY_EXPIRE(i) (expiries > 0 && state[i] == WAITING)

/* outbox_db_undelivered() of a digest: each of the rows it tells */
inline expire_digest()
{
    expiries--;
    digest = ABSENT;
    j = 0;
    do
    :: j < N_ROWS ->
        if
        :: state[AT(ONLY, j)] == FOLDED ->
            state[AT(ONLY, j)] = GONE;
            if
            :: covers[AT(ONLY, j)] > excused[ONLY] -> excused[ONLY] = covers[AT(ONLY, j)]
            :: else
            fi
        :: else
        fi;
        j++
    :: else -> break
    od;
    skip
}

active proctype keeper()
{
end:
    do
    :: d_step { expiries > 0 && digest == WAITING -> expire_digest() }
    :: d_step { MAY_EXPIRE(0) -> expire(0) }
    :: d_step { MAY_EXPIRE(1) -> expire(1) }
    :: d_step { MAY_EXPIRE(2) -> expire(2) }
    :: d_step { MAY_EXPIRE(3) -> expire(3) }
    :: d_step { MAY_EXPIRE(4) -> expire(4) }
    :: d_step { MAY_EXPIRE(5) -> expire(5) }
    :: d_step { MAY_EXPIRE(6) -> expire(6) }
    :: d_step { MAY_EXPIRE(7) -> expire(7) }
    od
}

/* --- crashing --- */

active proctype killer()
{
end:
    do
    :: d_step {
           epoch < CRASHES ->
           epoch++;
           j = 0;
           do
           :: j < N_K * N_ROWS ->
               heard[j] = 0;
               if
               :: state[j] == SENDING && IS_DROPPED_AT_START(j) -> state[j] = GONE
               :: state[j] == SENDING && !IS_DROPPED_AT_START(j) ->
                   state[j] = RECOVERED /* outbox_db_recover() */
               :: else
               fi;
               j++
           :: else -> break
           od;
           if
           :: digest == SENDING -> digest = WAITING
           :: else
           fi
       }
    od
}

/* --- sending --- */

/* the receiver has it */
inline tell(k, i, what)
{
    assert(last[k] <= i + 1);  /* (3) */
    assert(known[k] <= what);  /* (3) */
    last[k] = i + 1;
    known[k] = what
}

/* the row to claim: the first of its incident and integration that is unsent, if it waits */
inline find_due(k)
{
    at = 0;
    do
    :: at < n_rows && (!UNSENT(k, at) || (MAY_PASS_DIGEST && state[AT(k, at)] == FOLDED)) -> at++
    :: MAY_SKIP && at < n_rows -> at++
    :: MAY_SKIP && at < n_rows && state[AT(k, at)] == WAITING -> break
    :: else -> break
    od;
    due = at < n_rows && state[AT(k, at)] == WAITING && (digest == ABSENT || MAY_PASS_DIGEST);
    folds = false
}

/* all that waits, in its order, from the first that is unsent on; or a digest that is there already */
inline fold(k)
{
    folds = true;
    due = true;
    j = 0;
    do
    :: j < n_rows ->
        if
        :: digest == ABSENT && state[AT(k, j)] == WAITING -> state[AT(k, j)] = FOLDED_STATE
        :: else
        fi;
        if
        :: state[AT(k, j)] == FOLDED -> at = j /* the newest that it tells */
        :: else
        fi;
        j++
    :: else -> break
    od;
    digest = SENDING;
    what = chapter
}

/* what a digest tells is told, or waits with it */
inline close_digest(k)
{
    digest = ABSENT;
    j = 0;
    do
    :: j < n_rows ->
        if
        :: state[AT(k, j)] == FOLDED -> state[AT(k, j)] = GONE
        :: else
        fi;
        j++
    :: else -> break
    od;
    skip
}

inline fail_digest(k)
{
    digest = DIGEST_FAILED;
    if
    :: DIGEST_FAILED == GONE -> close_digest(k)
    :: else
    fi
}

/* a later row that waits takes the story over: hand_over(); else it waits again */
inline fail(k)
{
    find_waiting(k);
    if
    :: waiting_at > at + 1 ->
        state[AT(k, at)] = GONE;
        if /* what was never told is no reminder */
        :: TAKES_REASON && reason[AT(k, waiting_at - 1)] == REPEAT ->
            reason[AT(k, waiting_at - 1)] = reason[AT(k, at)]
        :: else
        fi
    :: else -> state[AT(k, at)] = FAILED_STATE(AT(k, at))
    fi
}

/* One integration's thread. */
proctype worker(byte k)
{
    byte at, what, mine;
    bool due, accepted, lost, folds;

    do
    :: atomic {
           SOMETHING_WAITS(k) ->
           find_due(k);
           mine = epoch;
           if
           :: digest == WAITING && !(due && MAY_PASS_DIGEST) -> fold(k) /* it is tried again as it was */
           :: digest == ABSENT && due && DIGESTS -> fold(k)
           :: due ->
               assert(!(acknowledged && reason[AT(k, at)] == ESCALATION)); /* (5) */
               state[AT(k, at)] = SENDING; tried[AT(k, at)] = 1; what = chapter
           :: else
           fi
       };
       /* a crash may come before each of these: then this worker is gone, and begins anew */
       if
       :: !due || mine != epoch -> lost = true
       :: d_step { due && mine == epoch -> /* accepted, and heard */
              assert(folds || !heard[AT(k, at)]); /* (2) */
              tell(k, at, what);
              heard[AT(k, at)] = 1;
              accepted = true }
       :: d_step { due && mine == epoch && failures > 0 -> /* accepted, and the answer was lost */
              failures--;
              tell(k, at, what) }
       :: d_step { due && mine == epoch && failures > 0 -> /* refused, busy, or it hung */
              failures-- }
       fi;
       if
       :: d_step { lost || mine != epoch -> skip }
       :: d_step { MAY_LOSE_MARK && !lost && mine == epoch -> state[AT(k, at)] = WAITING }
       :: d_step { !lost && mine == epoch && folds && accepted -> close_digest(k) }
       :: d_step { !lost && mine == epoch && folds && !accepted -> fail_digest(k) }
       :: d_step { !lost && mine == epoch && !folds && accepted -> state[AT(k, at)] = GONE }
       :: d_step { !lost && mine == epoch && !folds && !accepted -> fail(k) }
       fi;
       d_step { folds = false; at = 0; what = 0; mine = 0; due = false; accepted = false; lost = false }
    :: over && NOTHING_UNSENT(k) -> break
    od
}

init
{
    run worker(ONLY);
    /* the last word, when everybody else is done */
    over && NOTHING_UNSENT(ONLY);
    assert(known[ONLY] >= owed[ONLY] || excused[ONLY] >= owed[ONLY]) /* (1) */
}
