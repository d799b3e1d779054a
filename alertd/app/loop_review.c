/*
 * Reviews of rules in the background. See loop_review.h.
 */

#include "alertd/app/loop_review.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/tunings_labels.h"
#include "alertd/db/review_db.h"
#include "alertd/db/rule_db.h"
#include "alertd/pages/review.h"
#include "alertd/promql/told.h"
#include "alertd/rule/lint.h"
#include "alertd/rule/phase.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/rounds.h"
#include "lib/json/write.h"

enum {
    FIRST_MS = 10 * 60 * 1000, /* after a start there is other work */
    REST_TIMES = 10,
    QUERY_BYTES_MAX = 64 << 20,
    READ_BYTES_MAX = 256 << 20,
    CHOICES_BYTES_MAX = 64 << 20,
    SETTING_BYTES_MAX = 1024,
    WORDS_BYTES_MAX = 4096,
};
#define EVERY_MS (6 * INT64_C(3600000))
#define BACK_MS  (30 * INT64_C(86400000))

struct loop_review {
    struct loop_review_options options;
    struct rounds rounds; /* woken: a review is wanted */
};

/* One rule of a pass. */
struct subject {
    int64_t rule_id, version;
    const struct rule *rule;
    int64_t interval_ms, phase_ms;
    const char *blind; /* a finding's text; NULL */
    struct review review;
    struct review_spans spans;
    struct told *told; /* what of its past could not be read */
};

struct pass {
    struct loop_review *loop;
    struct arena arena;
    struct rule_file **files;
    size_t n_files;
    struct rule_findings *findings; /* of each file */
    struct subject *subjects;
    size_t n, capacity;
    int64_t from_ms, to_ms;
};

/* --- rules --- */

/* The first line that is no longer the rule's. */
static unsigned end_of(const struct rule_file *file, size_t group, size_t rule)
{
    const struct rule_group *here = &file->groups[group];

    if (rule + 1 < here->n_rules)
        return here->rules[rule + 1].node->line;
    return group + 1 < file->n_groups ? file->groups[group + 1].node->line : UINT_MAX;
}

/* Why the rule can't fire, by its text: of the checks that say so. */
static const char *blind_of(const struct rule_findings *findings,
                            const struct rule_file *file,
                            size_t group,
                            size_t rule)
{
    unsigned begin = file->groups[group].rules[rule].node->line;
    unsigned end = end_of(file, group, rule);

    for (size_t i = 0; i < findings->n; i++)
        if ((strcmp(findings->at[i].id, "single-event-blind") == 0 ||
             strcmp(findings->at[i].id, "for-never") == 0 ||
             strcmp(findings->at[i].id, "never-match") == 0) &&
            findings->at[i].span.line >= begin && findings->at[i].span.line < end)
            return findings->at[i].text;
    return NULL;
}

static const struct rule_group_row *row_of(const struct rule_group_row *rows,
                                           size_t n,
                                           const char *source,
                                           const char *group)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].source, source) == 0 && strcmp(rows[i].name, group) == 0)
            return &rows[i];
    return NULL;
}

static void add_group(struct pass *pass, size_t file, size_t at, const struct rule_group_row *row)
{
    const struct rule_group *group = &pass->files[file]->groups[at];

    for (size_t i = 0; row && i < group->n_rules && i < row->n_rules; i++) {
        if (!group->rules[i].is_alert)
            continue;
        pass->subjects = mem_grow(pass->subjects, &pass->capacity, pass->n + 1,
                                  sizeof(*pass->subjects));
        pass->subjects[pass->n++] = (struct subject){
            .rule_id = row->rules[i].id,
            .version = row->rules[i].version,
            .rule = &group->rules[i],
            .interval_ms = group->interval_ms,
            .phase_ms = rule_phase_ms(row->source, row->name, group->interval_ms),
            .blind = blind_of(&pass->findings[file], pass->files[file], at, i)};
    }
}

static int read_rules(struct pass *pass, struct err *reterr)
{
    struct rule_group_row *rows = NULL;
    struct rule_db_file *stored = NULL;
    struct db_conn *conn = NULL;
    size_t n_rows = 0;
    int r = db_read_begin(pass->loop->options.state, &conn, reterr);

    if (r)
        return r;
    r = rule_db_list(conn, pass->to_ms, &pass->arena, &rows, &n_rows, reterr);
    if (r == 0)
        r = rule_db_files(conn, &pass->arena, &stored, &pass->n_files, reterr);
    db_read_end(pass->loop->options.state, conn);
    if (r)
        return r;
    pass->files = mem_zalloc((pass->n_files + 1) * sizeof(*pass->files));
    pass->findings = mem_zalloc((pass->n_files + 1) * sizeof(*pass->findings));
    for (size_t f = 0; f < pass->n_files; f++) {
        struct err err = {0};

        /* one that can't be read is the evaluator's to complain of */
        if (rule_file_parse(stored[f].source, stored[f].yaml, strlen(stored[f].yaml), NULL,
                            &pass->files[f], &err))
            continue;
        rule_lint(pass->files[f], &pass->findings[f]);
        for (size_t g = 0; g < pass->files[f]->n_groups; g++)
            add_group(pass, f, g,
                      row_of(rows, n_rows, stored[f].source, pass->files[f]->groups[g].name));
    }
    return 0;
}

/* --- when it was bad --- */

static int read_incidents(const struct pass *pass,
                          const struct rule *rule,
                          struct arena *arena,
                          struct tune_ask *ask,
                          struct err *reterr)
{
    const struct tunings_labels_query query = {rule->name, pass->from_ms, pass->to_ms};
    struct tunings_label *labels = NULL;
    struct tune_incident *incidents = NULL;
    struct db_conn *conn = NULL;
    size_t n = 0;
    int r = db_read_begin(pass->loop->options.state, &conn, reterr);

    if (r)
        return r;
    r = tunings_labels_read(conn, &query, arena, &labels, &n, reterr);
    db_read_end(pass->loop->options.state, conn);
    if (r == 0)
        r = tunings_labels_whens(labels, n, arena, &incidents, &ask->n_incidents, reterr);
    ask->whens = incidents;
    return r;
}

/* --- one rule --- */

/* The reader, which gives up when alertd stops. */
struct watched {
    struct tune_reader reader;
    struct loop_review *loop;
    tune_visit *visit;
    void *arg;
};

static int visit_watched(void *arg,
                         const struct labels *labels,
                         uint32_t first,
                         const double *values,
                         size_t n,
                         struct err *reterr)
{
    struct watched *watched = arg;

    return rounds_stopping(&watched->loop->rounds)
               ? err_set(reterr, -ECANCELED, "alertd is stopping")
               : watched->visit(watched->arg, labels, first, values, n, reterr);
}

static int read_watched(void *reader,
                        const char *expression,
                        const struct tune_span *span,
                        bool as_presence,
                        tune_visit *visit,
                        void *arg,
                        struct err *reterr)
{
    struct watched *watched = reader;

    watched->visit = visit;
    watched->arg = arg;
    return watched->reader.read(watched->reader.reader, expression, span, as_presence,
                                visit_watched, watched, reterr);
}

/* The first choice, or where its threshold lies within the expression, `for` alone. */
static size_t choice_of(const struct rule *rule)
{
    struct split_choice *choices = NULL;
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    arena_init(&arena, CHOICES_BYTES_MAX);
    if (split_expr(rule->expr, &arena, &choices, &n, NULL) || n == 0)
        return 0;
    return choices[0].way == SPLIT_AGAIN ? n - 1 : 0;
}

static void review_one(struct pass *pass, struct subject *subject)
{
    const struct source store = store_source(pass->loop->options.store);
    struct told_of telling = {&store, subject->told = told_new()};
    struct source source = told_source(&telling);
    struct reading_source reading = {.source = &source, .query_bytes = QUERY_BYTES_MAX};
    struct watched watched = {.reader = reading_of_source(&reading), .loop = pass->loop};
    const struct tune_reader reader = {.read = read_watched, .reader = &watched};
    struct tune_ask ask = {.rule = subject->rule,
                           .interval_ms = subject->interval_ms,
                           .phase_ms = subject->phase_ms,
                           .from_ms = pass->from_ms,
                           .to_ms = pass->to_ms,
                           .choice = choice_of(subject->rule),
                           .for_ms = subject->rule->for_ms};
    struct tune_result result;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, READ_BYTES_MAX);
    int r = read_incidents(pass, subject->rule, &arena, &ask, &err);
    if (r == 0) {
        r = tune_run(&reader, &ask, &result, &err);
        if (r == 0) {
            review_make(&ask, &result, subject->blind, &subject->review);
            subject->spans = review_spans_of(&result);
        }
        tune_result_done(&result);
    }
    if (r == 0)
        return;
    subject->review = (struct review){.kind = REVIEW_NOT_KNOWN, .words = STR_INIT(WORDS_BYTES_MAX)};
    str_add(&subject->review.words, err.text);
}

/* Of two that fire together the one behind says so: the first stays what it is. */
static void find_redundant(struct pass *pass)
{
    for (size_t i = 0; i < pass->n; i++)
        for (size_t k = 0; k < i; k++) {
            struct subject *subject = &pass->subjects[i];
            double share;

            if (subject->review.alerts < 2 || pass->subjects[k].review.alerts < 2)
                continue;
            share = review_jaccard(&subject->spans, &pass->subjects[k].spans);
            if (share <= REVIEW_SAME)
                continue;
            subject->review.kind = REVIEW_REDUNDANT;
            subject->review.has_setting = false;
            str_cut(&subject->review.words, 0);
            str_addf(&subject->review.words,
                     "It fires when %.200s does (%.0f %% of the time of either): keep one, or let "
                     "it inhibit the other.",
                     pass->subjects[k].rule->name, share * 100);
            break;
        }
}

/* Behind the words, whatever they are: they were found in the rest. */
static void name_missing(struct pass *pass)
{
    for (size_t i = 0; i < pass->n; i++)
        told_say(pass->subjects[i].told, " Not all of these days could be read: ", ".",
                 &pass->subjects[i].review.words);
}

/* --- a pass --- */

static void write_setting(const struct review *review, struct str *out)
{
    struct json_out json = JSON_OUT(out);

    json_open(&json, '{');
    if (review->has_setting) {
        json_kv_float(&json, "threshold", review->threshold);
        json_kv_int(&json, "for_ms", review->for_ms);
        json_kv_int(&json, "keep_ms", review->keep_ms);
    }
    json_close(&json, '}');
}

static int job_save(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct pass *pass = arg;
    int r = 0;

    for (size_t i = 0; r == 0 && i < pass->n; i++) {
        STR_AUTO struct str setting = STR_INIT(SETTING_BYTES_MAX);
        const struct subject *subject = &pass->subjects[i];

        write_setting(&subject->review, &setting);
        r = review_db_put(conn,
                          &(struct review_row){.rule_id = subject->rule_id,
                                               .version = subject->version,
                                               .at_ms = pass->to_ms,
                                               .kind = review_kind_name(subject->review.kind),
                                               .alerts = (int64_t)subject->review.alerts,
                                               .words = str_text(&subject->review.words),
                                               .setting = str_text(&setting)},
                          reterr);
    }
    return r;
}

/* Without rests when somebody waits for it. False: stopped. */
static bool review_all(struct pass *pass, bool is_wanted)
{
    struct rounds *rounds = &pass->loop->rounds;
    bool in_haste = is_wanted;

    for (size_t i = 0; i < pass->n; i++) {
        int64_t began_ms = clock_mono_ms();

        review_one(pass, &pass->subjects[i]);
        int64_t took_ms = clock_mono_ms() - began_ms;

        if (in_haste ? rounds_stopping(rounds)
                     : rounds_rest(rounds, took_ms * REST_TIMES, &in_haste))
            return false;
    }
    if (in_haste && !is_wanted)
        rounds_wake(rounds); /* asked for meanwhile: what this pass has read may be old */
    return true;
}

static void pass_done(struct pass *pass)
{
    for (size_t i = 0; i < pass->n; i++) {
        str_done(&pass->subjects[i].review.words);
        review_spans_done(&pass->subjects[i].spans);
        told_free(pass->subjects[i].told);
    }
    for (size_t f = 0; f < pass->n_files && pass->files; f++) {
        rule_findings_done(&pass->findings[f]);
        rule_file_unref(pass->files[f]);
    }
    free(pass->subjects);
    free(pass->files);
    free(pass->findings);
    arena_reset(&pass->arena);
}

static void run_pass(struct loop_review *loop, bool is_wanted)
{
    struct pass pass = {.loop = loop, .to_ms = clock_wall_ms()};
    struct err err = {0};

    pass.from_ms = pass.to_ms - BACK_MS;
    arena_init(&pass.arena, READ_BYTES_MAX);
    int r = read_rules(&pass, &err);
    if (r == 0 && review_all(&pass, is_wanted)) {
        find_redundant(&pass);
        name_missing(&pass);
        r = db_write(loop->options.state, job_save, &pass, &err);
    }
    if (r)
        log_warn(loop->options.log, "review", "rules not reviewed", "error=\"%s\"", err.text);
    pass_done(&pass);
}

static void *run(void *arg)
{
    struct loop_review *loop = arg;
    int64_t rest_ms = FIRST_MS;
    bool is_wanted;

    while (!rounds_rest(&loop->rounds, rest_ms, &is_wanted)) {
        run_pass(loop, is_wanted);
        rest_ms = EVERY_MS;
    }
    return NULL;
}

int loop_review_start(const struct loop_review_options *options,
                      struct loop_review **ret_loop,
                      struct err *reterr)
{
    struct loop_review *loop = mem_zalloc(sizeof(*loop));

    loop->options = *options;
    int r = rounds_start(&loop->rounds, "reviewer", run, loop, reterr);
    if (r) {
        free(loop);
        return r;
    }
    *ret_loop = loop;
    return 0;
}

void loop_review_stop(struct loop_review *loop)
{
    if (!loop)
        return;
    rounds_stop(&loop->rounds);
    free(loop);
}

void loop_review_wake(struct loop_review *loop)
{
    if (loop)
        rounds_wake(&loop->rounds);
}
