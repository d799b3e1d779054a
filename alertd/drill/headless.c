/*
 * A drill played by a script. See headless.h.
 */

#include "alertd/drill/headless.h"

#include <errno.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/model/duration.h"

enum {
    TICK_MS = 1000
};

struct playing {
    const struct drill *drill;
    const struct drill_player *player;
    struct drill_world *world;
    struct drill_played *played;
    int64_t last_ms; /* when the player did something */
};

static void fail(struct playing *playing, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(struct playing *playing, unsigned line, const char *fmt, ...)
{
    struct str *out = &playing->played->failures;
    va_list ap;

    playing->played->n_failed++;
    str_addf(out, "%u: ", line);
    va_start(ap, fmt);
    str_addv(out, fmt, ap);
    va_end(ap);
    str_addc(out, '\n');
}

/* --- States, while time goes on ------------------------------------------------------------------ */

static void check_states(struct playing *playing, const struct drill_expect *expects, size_t n)
{
    int64_t now_ms = drill_world_now_ms(playing->world);
    char at[DURATION_TEXT_MAX];

    for (size_t i = 0; i < n; i++) {
        const struct drill_expect *expect = &expects[i];

        if (expect->kind != DRILL_EXPECT_STATE || expect->at_ms / TICK_MS != now_ms / TICK_MS)
            continue;

        const char *state = alert_state_name(drill_world_state(playing->world, expect->alert));

        if (strcmp(state, expect->state) != 0)
            fail(playing, expect->line, "at %s %s is %s, not %s", duration_print(now_ms, at),
                 expect->alert, state, expect->state);
    }
}

static int64_t next_state_ms(const struct drill_expect *expects, size_t n, int64_t now_ms)
{
    int64_t next_ms = INT64_MAX;

    for (size_t i = 0; i < n; i++)
        if (expects[i].kind == DRILL_EXPECT_STATE && expects[i].at_ms > now_ms &&
            expects[i].at_ms < next_ms)
            next_ms = expects[i].at_ms;
    return next_ms;
}

static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

/* Stops at every instant at which a state is expected. */
static void play_to(struct playing *playing, int64_t to_ms)
{
    const struct drill *drill = playing->drill;
    const struct drill_player *player = playing->player;

    to_ms = earlier(to_ms, drill->length_ms);
    while (drill_world_now_ms(playing->world) < to_ms) {
        int64_t now_ms = drill_world_now_ms(playing->world);
        int64_t next_ms = next_state_ms(drill->expects, drill->n_expects, now_ms);

        if (player)
            next_ms = earlier(next_ms, next_state_ms(player->expects, player->n_expects, now_ms));
        drill_world_advance(playing->world, earlier(next_ms, to_ms));
        if (drill_world_now_ms(playing->world) == now_ms)
            break; /* less than a second is left, or nobody waits */
        check_states(playing, drill->expects, drill->n_expects);
        if (player)
            check_states(playing, player->expects, player->n_expects);
    }
}

/* --- The script ------------------------------------------------------------------------------------ */

/* When an act is due; DRILL_NOT_YET: never, for nobody was paged. */
static int64_t due_ms(struct playing *playing, const struct drill_act *act)
{
    switch (act->since) {
    case DRILL_SINCE_START: return act->after_ms;
    case DRILL_SINCE_ONSET: return playing->drill->onset_ms + act->after_ms;
    case DRILL_SINCE_LAST: return playing->last_ms + act->after_ms;
    case DRILL_SINCE_PAGE: break;
    }
    while (drill_world_paged_ms(playing->world) == DRILL_NOT_YET &&
           drill_world_now_ms(playing->world) + TICK_MS <= playing->drill->length_ms &&
           !drill_world_is_given_up(playing->world))
        play_to(playing, drill_world_now_ms(playing->world) + TICK_MS);

    int64_t paged_ms = drill_world_paged_ms(playing->world);

    return paged_ms == DRILL_NOT_YET ? paged_ms : paged_ms + act->after_ms;
}

static void play_script(struct playing *playing)
{
    for (size_t i = 0; playing->player && i < playing->player->n_acts; i++) {
        const struct drill_act *act = &playing->player->acts[i];
        int64_t at_ms = due_ms(playing, act);

        if (at_ms == DRILL_NOT_YET || at_ms > playing->drill->length_ms) {
            fail(playing, act->line, "%s is never done: %s", drill_act_name(act->kind),
                 at_ms == DRILL_NOT_YET ? "nobody paged the player" : "the drill is over by then");
            return; /* what follows hangs on it */
        }
        play_to(playing, at_ms);
        (void)drill_world_act(playing->world, act->kind, act->id, act->text);
        playing->last_ms = drill_world_now_ms(playing->world);
    }
}

/* --- What came, at the end --------------------------------------------------------------------------- */

/* "A, B" has B. */
static bool lists(const char *names, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = names; at && *at;) {
        if (strncmp(at, name, len) == 0 && (at[len] == '\0' || at[len] == ','))
            return true;
        at = strchr(at, ' ');
        if (at)
            at++;
    }
    return false;
}

/* The first moment that is meant; NULL when there is none. */
static const struct drill_moment *find(const struct playing *playing,
                                       enum drill_moment_kind kind,
                                       const char *who,
                                       const char *alert)
{
    size_t n = 0;
    const struct drill_moment *moments = drill_world_moments(playing->world, &n);

    for (size_t i = 0; i < n; i++)
        if (moments[i].kind == kind && (!who || strcmp(moments[i].who, who) == 0) &&
            (!alert || lists(moments[i].what, alert)))
            return &moments[i];
    return NULL;
}

static void check_by(struct playing *playing, const struct drill_expect *expect)
{
    bool is_page = expect->kind == DRILL_EXPECT_PAGE;
    const struct drill_moment *moment = find(playing,
                                             is_page ? DRILL_MOMENT_PAGE : DRILL_MOMENT_RESOLVED,
                                             expect->person, expect->alert);
    char at[DURATION_TEXT_MAX], by[DURATION_TEXT_MAX];
    const char *what = is_page ? "page for" : "end of";

    if (moment && moment->at_ms <= expect->at_ms)
        return;
    if (expect->at_ms == INT64_MAX)
        fail(playing, expect->line, "no %s %s", what, expect->alert);
    else if (moment)
        fail(playing, expect->line, "by %s no %s %s: it came at %s",
             duration_print(expect->at_ms, by), what, expect->alert,
             duration_print(moment->at_ms, at));
    else
        fail(playing, expect->line, "by %s no %s %s, nor later", duration_print(expect->at_ms, by),
             what, expect->alert);
}

static bool compares(int64_t got, enum drill_compare compare, int64_t want)
{
    switch (compare) {
    case DRILL_LESS: return got < want;
    case DRILL_AT_MOST: return got <= want;
    case DRILL_EQUAL: return got == want;
    case DRILL_AT_LEAST: return got >= want;
    case DRILL_MORE: return got > want;
    }
    return false;
}

static void check_score(struct playing *playing, const struct drill_expect *expect)
{
    static const char *const signs[] = {"<", "<=", "=", ">=", ">"};
    bool is_clock = expect->kind == DRILL_EXPECT_CLOCK;
    int64_t got = is_clock ? playing->played->score.clocks[expect->clock]
                           : playing->played->score.counts[expect->count];
    char got_text[DURATION_TEXT_MAX] = "never", want_text[DURATION_TEXT_MAX] = "never";

    if (compares(got, expect->compare, expect->value))
        return;
    if (!is_clock) {
        fail(playing, expect->line, "%s is %lld, not %s %lld", drill_count_name(expect->count),
             (long long)got, signs[expect->compare], (long long)expect->value);
        return;
    }
    if (got != DRILL_NEVER)
        (void)duration_print(got, got_text);
    if (expect->value != DRILL_NEVER)
        (void)duration_print(expect->value, want_text);
    fail(playing, expect->line, "%s is %s, not %s %s", drill_clock_name(expect->clock), got_text,
         signs[expect->compare], want_text);
}

static void check_no_page(struct playing *playing, const struct drill_expect *expect)
{
    const struct drill_moment *moment = find(playing, DRILL_MOMENT_PAGE, expect->person,
                                             expect->alert);
    char at[DURATION_TEXT_MAX];

    if (moment)
        fail(playing, expect->line, "%s was paged for %s at %s", moment->who, moment->what,
             duration_print(moment->at_ms, at));
}

static void check_end(struct playing *playing, const struct drill_expect *expects, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        playing->played->n_checks++;
        switch (expects[i].kind) {
        case DRILL_EXPECT_STATE: break; /* was looked at in its time */
        case DRILL_EXPECT_PAGE:
        case DRILL_EXPECT_RESOLVED: check_by(playing, &expects[i]); break;
        case DRILL_EXPECT_NO_PAGE: check_no_page(playing, &expects[i]); break;
        case DRILL_EXPECT_CLOCK:
        case DRILL_EXPECT_COUNT: check_score(playing, &expects[i]); break;
        }
    }
}

static void check_rules(struct playing *playing)
{
    size_t n = 0;
    const struct drill_moment *moments = drill_world_moments(playing->world, &n);

    for (size_t i = 0; i < n; i++)
        if (moments[i].kind == DRILL_MOMENT_BROKEN)
            fail(playing, 1, "rule %s can't be evaluated: %s", moments[i].what, moments[i].more);
}

int drill_play_for(const struct drill_case *drill_case,
                   const struct drill_player *player,
                   uint64_t seed,
                   const struct drill_patience *patience,
                   struct drill_played *ret_played)
{
    struct playing playing = {.drill = drill_case->drill, .player = player, .played = ret_played};

    *ret_played = (struct drill_played){.failures = STR_INIT(DRILL_FAILURES_BYTES_MAX)};
    playing.world = ret_played->world = drill_world_new(drill_case, seed);
    drill_world_heed(playing.world, patience);
    drill_world_advance(playing.world, 0);
    check_states(&playing, playing.drill->expects, playing.drill->n_expects);
    play_script(&playing);
    play_to(&playing, playing.drill->length_ms);
    if (drill_world_is_given_up(playing.world))
        return -ECANCELED;
    drill_score(playing.world, &ret_played->score);
    check_end(&playing, playing.drill->expects, playing.drill->n_expects);
    if (player)
        check_end(&playing, player->expects, player->n_expects);
    check_rules(&playing);
    ret_played->hash = drill_world_hash(playing.world);
    return 0;
}

void drill_play(const struct drill_case *drill_case,
                const struct drill_player *player,
                uint64_t seed,
                struct drill_played *ret_played)
{
    (void)drill_play_for(drill_case, player, seed, NULL, ret_played);
}

void drill_played_done(struct drill_played *played)
{
    drill_world_free(played->world);
    str_done(&played->failures);
    *played = (struct drill_played){0};
}
