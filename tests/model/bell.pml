/*
 * A worker that sleeps at its bell, and jobs that ring it, as a model: no row is left behind while
 * the worker sleeps, in any order of the two. See alertd/db/bell.c.
 *
 *   job: a row, ring --group--> who waits runs behind it, in the same transaction --commit--> woken
 *                               nobody waits: remembered, and found by who comes next
 *
 * What each step stands for; d_step is what happens under the writer's lock:
 *
 *   park           db_write_at(): waits is set
 *   make           run_jobs() of writer.c up to the jobs of bells: rows are there, names are rung
 *   answer         db_bells_answer() behind the group's jobs
 *   called alone   the same when there is no group: has_rung found by db_bells_next_us()
 *
 * MUTANT 1 forgets a bell that rings while nobody waits at it; 2 answers before the jobs run.
 */

#ifndef MUTANT
#define MUTANT 0
#endif
#define ROWS 4

byte queued;    /* jobs that wait */
byte made;      /* rows there are */
byte claimed;   /* of them */
bit waits;      /* the worker, at its bell */
bit rung;       /* remembered */
bit woken;      /* its job is committed */

inline claim()
{
    waits = 0;
    rung = 0;
    claimed = made;
    woken = 1
}

inline answer()
{
    if
    :: waits -> claim()
    :: !waits && MUTANT != 1 -> rung = 1
    :: else
    fi
}

active proctype callers()
{
    byte n = 0;

    do
    :: n < ROWS -> n++; queued++
    :: else -> break
    od
}

active proctype writer()
{
end:
    do
    :: queued > 0 ->
        if
        :: MUTANT == 2 -> d_step { answer() }
        :: else
        fi;
        made++; queued--;
        if
        :: queued > 0 -> made++; queued-- /* two in one group */
        :: true
        fi;
        if
        :: MUTANT != 2 -> d_step { answer() }
        :: else
        fi
    :: d_step { queued == 0 && waits && rung -> claim() }
    od
}

active proctype worker()
{
    do
    :: d_step { waits = 1 };
end:
        woken;
        woken = 0 /* sends what it claimed; rings meanwhile are remembered */
    od
}

active proctype judge()
{
end:
    timeout -> assert(made == ROWS && claimed == made)
}
