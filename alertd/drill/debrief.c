/*
 * What a drill came to. See debrief.h.
 */

#include "alertd/drill/debrief.h"

#include <stdio.h>
#include <string.h>

#include "alertd/drill/debrief_private.h"
#include "lib/model/duration.h"

enum {
    STEPS_MAX = 12,
};

const char *debrief_text(struct debrief_work *work, const char *fmt, ...)
{
    STR_AUTO struct str text = STR_INIT(64 * 1024);
    va_list ap;

    va_start(ap, fmt);
    str_addv(&text, fmt, ap);
    va_end(ap);

    const char *kept = arena_strndup(work->arena, str_text(&text), text.len);

    work->spent |= !kept;
    return kept ? kept : "";
}

/* --- Clocks ------------------------------------------------------------------------------------------- */

static const char *clock_text(struct debrief_work *work, int64_t ms)
{
    char text[DURATION_TEXT_MAX];

    if (ms == DRILL_NEVER)
        return "never";
    if (ms == 0)
        return "at once";
    if (ms < 0)
        return debrief_text(work, "%s before", duration_human(-ms, text));
    return debrief_text(work, "%s", duration_human(ms, text));
}

static const char *standing_text(enum drill_standing standing)
{
    switch (standing) {
    case DRILL_NO_LIMIT: return "";
    case DRILL_MET: return "met";
    case DRILL_MISSED: return "missed";
    case DRILL_OPEN: return "open";
    }
    return "";
}

static void fill_clock(struct debrief_work *work,
                       enum drill_clock clock,
                       struct postmortem_drill_clock *row)
{
    const struct drill *drill = work->drill;
    const struct debrief_compare *compare = work->input->compare;
    const struct drill_really *really = &drill->really[clock];
    enum drill_standing standing = drill_clock_standing(drill, work->score, clock);

    row->name = drill_clock_name(clock);
    row->yours = clock_text(work, work->score->clocks[clock]);
    row->standing = standing_text(standing);
    if (standing != DRILL_NO_LIMIT)
        row->limit = clock_text(work, drill->clock_limits[clock]);
    if (compare && compare->has_past)
        row->past = clock_text(work, compare->past_ms[clock]);
    if (compare && compare->has_median)
        row->median = clock_text(work, compare->median_ms[clock]);
    if (really->given)
        row->really = debrief_text(work, "%s%s%s",
                                   clock_text(work, really->never ? DRILL_NEVER : really->after_ms),
                                   really->note ? ", " : "", really->note ? really->note : "");
}

static void fill_count(struct debrief_work *work,
                       enum drill_count count,
                       struct postmortem_drill_clock *row)
{
    enum drill_standing standing = drill_count_standing(work->drill, work->score, count);

    row->name = drill_count_name(count);
    row->yours = debrief_text(work, "%lld", (long long)work->score->counts[count]);
    row->standing = standing_text(standing);
    if (standing != DRILL_NO_LIMIT)
        row->limit = debrief_text(work, "%lld", (long long)work->drill->count_limits[count]);
}

static void add_clocks(struct debrief_work *work)
{
    struct postmortem_drill_clock *rows = arena_array(work->arena, DRILL_N_CLOCKS + DRILL_N_COUNTS,
                                                      sizeof(*rows));
    size_t n = 0;

    work->spent |= !rows;
    for (size_t i = 0; rows && i < DRILL_N_CLOCKS; i++)
        fill_clock(work, (enum drill_clock)i, &rows[n++]);
    for (size_t i = 0; rows && i < DRILL_N_COUNTS; i++)
        if (work->score->counts[i] || work->drill->count_limits[i] != INT64_MAX)
            fill_count(work, (enum drill_count)i, &rows[n++]);
    work->about.clocks = rows;
    work->about.n_clocks = n;
}

/* --- Side by side ---------------------------------------------------------------------------------------- */

static bool is_of_player(const struct drill_moment *moment)
{
    return moment->kind == DRILL_MOMENT_ACT || moment->kind == DRILL_MOMENT_HINT;
}

static const char *moment_text(struct debrief_work *work, const struct drill_moment *moment)
{
    STR_AUTO struct str text = STR_INIT(64 * 1024);

    drill_moment_print(moment, &text);
    return debrief_text(work, "%s", str_text(&text));
}

const char *debrief_at(struct debrief_work *work, int64_t at_ms)
{
    int64_t s = (at_ms - work->score->base_ms) / 1000;
    int64_t a = s < 0 ? -s : s;

    return debrief_text(work, "%s%lld:%02d:%02d", s < 0 ? "−" : "+", (long long)(a / 3600),
                        (int)(a / 60 % 60), (int)(a % 60));
}

/* What was done that day, as a row at its time; the next clock that is due by then. */
static size_t next_truth(const struct debrief_work *work, const bool *told, int64_t until_ms)
{
    size_t best = DRILL_N_CLOCKS;

    for (size_t i = 0; i < DRILL_N_CLOCKS; i++) {
        const struct drill_really *really = &work->drill->really[i];

        if (told[i] || !really->given || really->never ||
            work->score->base_ms + really->after_ms > until_ms)
            continue;
        if (best == DRILL_N_CLOCKS || really->after_ms < work->drill->really[best].after_ms)
            best = i;
    }
    return best;
}

static struct postmortem_drill_row *next_row(struct debrief_work *work, int64_t at_ms)
{
    struct postmortem_drill_row *row = &work->rows[work->n_rows++];

    row->at = debrief_at(work, at_ms);
    return row;
}

static void tell_truth(struct debrief_work *work, bool *told, int64_t until_ms)
{
    size_t clock;

    while (work->n_rows < DEBRIEF_ROWS_MAX &&
           (clock = next_truth(work, told, until_ms)) < DRILL_N_CLOCKS) {
        const struct drill_really *really = &work->drill->really[clock];

        told[clock] = true;
        next_row(work, work->score->base_ms + really->after_ms)->truth = debrief_text(
            work, "%s%s%s", drill_clock_name((enum drill_clock)clock), really->note ? ": " : "",
            really->note ? really->note : "");
    }
}

static void add_rows(struct debrief_work *work)
{
    bool told[DRILL_N_CLOCKS] = {false};

    work->rows = arena_array(work->arena, DEBRIEF_ROWS_MAX + 1, sizeof(*work->rows));
    work->spent |= !work->rows;
    for (size_t i = 0; work->rows && i < work->n_moments && work->n_rows < DEBRIEF_ROWS_MAX; i++) {
        const struct drill_moment *moment = &work->moments[i];

        tell_truth(work, told, moment->at_ms);
        if (work->n_rows == DEBRIEF_ROWS_MAX)
            break;
        struct postmortem_drill_row *row = next_row(work, moment->at_ms);

        *(is_of_player(moment) ? &row->yours : &row->happened) = moment_text(work, moment);
    }
    if (work->rows)
        tell_truth(work, told, INT64_MAX);
    work->about.rows = work->rows;
    work->about.n_rows = work->n_rows;
}

/* --- What to do next -------------------------------------------------------------------------------------------- */

static struct debrief_step *next_step(struct debrief_work *work, const char *kind)
{
    if (work->n_steps == STEPS_MAX)
        return NULL;
    work->steps[work->n_steps].kind = kind;
    return &work->steps[work->n_steps++];
}

/* The alerts that fired; where none did, those that should be written. */
static void suggest_rules(struct debrief_work *work)
{
    const char *seen[STEPS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < work->n_moments && n < STEPS_MAX / 2; i++) {
        const struct drill_moment *moment = &work->moments[i];
        bool known = moment->kind != DRILL_MOMENT_FIRING;

        for (size_t k = 0; k < n && !known; k++)
            known = strcmp(seen[k], moment->what) == 0;
        if (known)
            continue;
        seen[n++] = moment->what;

        struct debrief_step *step = next_step(work, "tune");

        if (!step)
            return;
        step->rule = debrief_text(work, "%s", moment->what);
        step->text = debrief_text(
            work, "Would %s have helped earlier, or less often? Tune it on this time",
            moment->what);
        step->url = work->input->rule_url ? work->input->rule_url(work->input->arg, moment->what)
                                          : NULL;
    }
    if (n == 0 && work->n_steps < STEPS_MAX)
        next_step(work, "rule")->text =
            "Nothing alerted: write the rule that would have, beside the drill, "
            "and play it again";
}

static bool was_opened(const struct debrief_work *work, const char *runbook)
{
    for (size_t i = 0; i < work->n_moments; i++)
        if (work->moments[i].kind == DRILL_MOMENT_ACT &&
            work->moments[i].act == DRILL_ACT_RUNBOOK && work->moments[i].what &&
            strstr(work->moments[i].what, runbook))
            return true;
    return false;
}

static void suggest_runbooks(struct debrief_work *work)
{
    for (size_t i = 0; i < work->drill->n_runbooks; i++) {
        const char *runbook = work->drill->runbooks[i].text;
        struct debrief_step *step = next_step(work, "runbook");

        if (!step)
            return;
        step->runbook = debrief_text(work, "%s", runbook);
        step->text = was_opened(work, runbook)
                         ? debrief_text(work,
                                        "What did the runbook %s lack? Mend it while you know",
                                        runbook)
                         : debrief_text(work, "Read the runbook %s: it was not opened", runbook);
        step->url = debrief_text(work, "/runbooks/%s", runbook);
    }
}

static void add_steps(struct debrief_work *work)
{
    struct debrief_step *step;

    work->steps = arena_array(work->arena, STEPS_MAX, sizeof(*work->steps));
    work->spent |= !work->steps;
    if (!work->steps)
        return;
    suggest_rules(work);
    suggest_runbooks(work);
    if (work->input->next_name && (step = next_step(work, "drill"))) {
        step->drill = work->input->next_name;
        step->text = debrief_text(work, "The next drill: %s", work->input->next_title);
        step->url = debrief_text(work, "/drills?drill=%s", step->drill);
    }
    work->to->steps = work->steps;
    work->to->n_steps = work->n_steps;
}

/* The same for the template. */
static void tell_steps(struct debrief_work *work)
{
    struct postmortem_drill_step *told = arena_array(work->arena, STEPS_MAX, sizeof(*told));

    work->spent |= !told;
    for (size_t i = 0; told && i < work->n_steps; i++)
        told[i] = (struct postmortem_drill_step){work->steps[i].text, work->steps[i].url};
    work->about.steps = told;
    work->about.n_steps = told ? work->n_steps : 0;
}

/* --- The whole -------------------------------------------------------------------------------------------------- */

int debrief_facts(struct arena *arena,
                  const struct debrief_input *input,
                  struct debrief *ret_debrief,
                  struct err *reterr)
{
    struct debrief debrief = {0};
    struct debrief_work work = {.arena = arena,
                                .input = input,
                                .drill = input->drill_case->drill,
                                .score = input->score,
                                .zero_ms = drill_world_zero_ms(input->world),
                                .to = &debrief};

    work.moments = drill_world_moments(input->world, &work.n_moments);
    work.about.player = input->player;
    work.about.from = input->score->paged ? "the first page" : "the onset: nobody was paged";
    work.about.told_last = work.drill->debrief;
    work.about.reconstructed = work.drill->reconstructed;
    work.about.sources = work.drill->sources;
    work.about.n_sources = work.drill->n_sources;
    add_clocks(&work);
    add_rows(&work);
    debrief_misses(&work);
    add_steps(&work);
    tell_steps(&work);

    int r = debrief_record(&work, &debrief.facts, reterr);

    if (!r && work.spent)
        r = err_set(reterr, DEBRIEF_E_LIMIT, "the drill is too long for one document");
    if (!r)
        *ret_debrief = debrief;
    return r;
}

static const char *keep(struct arena *arena, const struct str *text)
{
    return arena_strndup(arena, str_text(text), text->len);
}

int debrief_sections(struct arena *arena,
                     const struct template_set *set,
                     const struct debrief *debrief,
                     struct debrief_section **ret_sections,
                     size_t *ret_n,
                     struct err *reterr)
{
    const struct template_file *file = template_find(set, "debrief.md");
    struct section *sections = NULL;
    size_t n = 0;
    int r = file ? section_split(arena, file, &sections, &n, reterr)
                 : err_set(reterr, TEMPLATE_E_NAME, "there is no template debrief.md");
    if (r)
        return r;
    struct debrief_section *made = arena_array(arena, n + 1, sizeof(*made));
    if (!made)
        return err_set(reterr, DEBRIEF_E_LIMIT, "the drill is too long for one document");
    for (size_t i = 0; !r && i < n; i++) {
        STR_AUTO struct str generated = STR_INIT(SECTION_GENERATED_MAX);
        STR_AUTO struct str asks = STR_INIT(SECTION_BODY_MAX);

        r = section_render(arena, set, &sections[i], debrief->facts, &generated, &asks, reterr);
        made[i] = (struct debrief_section){.id = sections[i].id,
                                           .title = sections[i].title,
                                           .is_generated = sections[i].is_generated,
                                           .generated = keep(arena, &generated),
                                           .asks = keep(arena, &asks)};
        if (!r && (!made[i].generated || !made[i].asks))
            r = err_set(reterr, DEBRIEF_E_LIMIT, "the drill is too long for one document");
    }
    if (r)
        return r;
    *ret_sections = made;
    *ret_n = n;
    return 0;
}
