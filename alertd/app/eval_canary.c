/*
 * The canary's rule: evaluated by the same threads over the same store as everybody's, told
 * through the same pager. Nobody can change it, and it is in no list. See loop_watch.h.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/app/eval.h"
#include "lib/base/bug.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

static const char rule_text[] = "groups:\n"
                                "  - name: canary\n"
                                "    interval: 1s\n"
                                "    rules:\n"
                                "      - alert: AlertdCanary\n"
                                "        expr: " EVAL_CANARY_METRIC
                                "{instance=\"alertd\", job=\"alertd\"} > 0\n";

void eval_canary_init(struct loop_eval *loop)
{
    struct err err = {0};

    if (loop->options.canary_ms <= 0)
        return;
    if (rule_file_parse("alertd:canary", rule_text, strlen(rule_text), NULL, &loop->canary.file,
                        &err))
        UNREACHABLE("the canary's rule is not valid");
    loop->canary_group = loop->canary.file->groups[0];
    loop->canary_group.interval_ms = loop->options.canary_ms;
    loop->canary.group = &loop->canary_group;
    loop->canary.is_canary = true;
    loop->canary.slot_ms = eval_next_slot(loop->canary.file, &loop->canary_group, clock_wall_ms());
}

void eval_canary_done(struct loop_eval *loop)
{
    rule_file_unref(loop->canary.file);
}

struct canary_job {
    struct loop_eval *loop;
    int64_t beat;
    struct pager_outcome outcome;
};

static int run_job(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct canary_job *job = arg;

    return pager_canary(job->loop->options.pager, conn, job->beat, clock_wall_ms(), &job->outcome,
                        reterr);
}

/* The beat that the rule sees; 0: none, or it can't be evaluated. */
static int64_t look(struct loop_eval *loop, const struct eval_group *group, struct err *reterr)
{
    const struct alert_set none = {0};
    struct source source = store_source(loop->options.store);
    struct promql_limits limits = loop->options.limits;
    struct rule_eval_result result;
    int64_t beat = 0;
    const struct rule_eval eval = {.group = group->group,
                                   .rule = &group->group->rules[0],
                                   .source = &source,
                                   .now_ms = group->slot_ms,
                                   .limits = &limits,
                                   .alerts = &none};

    limits.deadline_ms = clock_mono_ms() + loop->options.timeout_ms;
    limits.now_fn = clock_mono_ms;
    if (rule_eval(&eval, &result, reterr))
        return 0;
    if (result.alerts.after.n == 1)
        beat = (int64_t)result.alerts.after.at[0].value;
    rule_eval_result_done(&result);
    return beat;
}

void eval_canary(struct loop_eval *loop, struct eval_group *group)
{
    struct err err = {0};
    struct canary_job job = {.loop = loop, .beat = look(loop, group, &err)};

    if (err.text[0])
        log_warn(loop->options.log, "eval", "the canary's rule fails", "error=\"%s\"", err.text);
    if (!job.beat || job.beat == loop->canary_told)
        return;
    if (db_write(loop->options.state, run_job, &job, &err)) {
        log_error(loop->options.log, "eval", "the canary could not be stored", "error=\"%s\"",
                  err.text);
        return;
    }
    loop->canary_told = job.beat;
    loop->options.alerts_changed(loop->options.arg);
}
