/*
 * alertctl tune: what a rule would have done in the past, at every threshold and `for`. See tune.h.
 */

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/rule/phase.h"
#include "ctl/client.h"
#include "ctl/tune.h"
#include "ctl/tune_drill.h"
#include "ctl/tune_labels.h"
#include "ctl/tune_pages.h"
#include "ctl/when.h"
#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"

enum {
    OUTPUT_BYTES_MAX = 256 * 1024 * 1024,
    PHASES = 4,
    BACK_MS_30D = 30 * INT64_C(86400000),
};

/* --- the rule --- */

struct chosen {
    char *text;
    struct rule_file *file;
    const struct rule *rule;
    const struct rule_group *group;
    int64_t interval_ms;
    size_t n_alerts;
};

static void choose_rule(struct chosen *chosen, const char *name)
{
    for (size_t g = 0; g < chosen->file->n_groups; g++) {
        const struct rule_group *group = &chosen->file->groups[g];
        for (size_t i = 0; i < group->n_rules; i++) {
            if (!group->rules[i].is_alert || (name && strcmp(group->rules[i].name, name) != 0))
                continue;
            if (chosen->n_alerts++ == 0) {
                chosen->rule = &group->rules[i];
                chosen->group = group;
                chosen->interval_ms = group->interval_ms;
            }
        }
    }
}

static enum ctl_exit read_rule(struct ctl *ctl, struct chosen *chosen)
{
    const char *path = ctl->arguments[0];
    const char *name = ctl_option(ctl, "rule");
    size_t len = 0;
    struct err err = {0};

    if (fs_read(path, YAML_BYTES_MAX, &chosen->text, &len, &err) != 0)
        return ctl_fail(ctl, "%s", err.text);
    if (rule_file_parse(path, chosen->text, len, NULL, &chosen->file, &err) != 0)
        return ctl_fail(ctl, "%s", err.text);
    choose_rule(chosen, name);
    if (chosen->n_alerts == 0)
        return ctl_fail(ctl, name ? "%s has no alert %s" : "%s has no alerts%s", path,
                        name ? name : "");
    if (chosen->n_alerts > 1 && !name)
        return ctl_fail(ctl, "%s has %zu alerts: say which by --rule=NAME", path, chosen->n_alerts);
    return CTL_OK;
}

/* --- options --- */

static enum ctl_exit wrong(const struct ctl *ctl, const char *words)
{
    (void)ctl_fail(ctl, "%s", words);
    return CTL_USAGE;
}

enum ctl_exit tune_times(const struct ctl *ctl,
                         const struct tune_past *past,
                         int64_t *ret_from_ms,
                         int64_t *ret_to_ms)
{
    const char *from = ctl_option(ctl, "from");
    const char *to = ctl_option(ctl, "to");
    int64_t now_ms = past->now_ms;
    struct err err = {0};

    *ret_to_ms = now_ms;
    if (to && when_parse("to", to, now_ms, ret_to_ms, &err) != 0)
        return wrong(ctl, err.text);
    *ret_from_ms = past->drill ? past->drill->past.from_ms : *ret_to_ms - BACK_MS_30D;
    if (from && when_parse("from", from, now_ms, ret_from_ms, &err) != 0)
        return wrong(ctl, err.text);
    return CTL_OK;
}

static enum ctl_exit read_setting(const struct ctl *ctl, struct tune_ask *ask)
{
    const char *threshold = ctl_option(ctl, "threshold");
    const char *held = ctl_option(ctl, "for");
    const char *keep = ctl_option(ctl, "keep");
    const char *move = ctl_option(ctl, "move");
    const char *grid = ctl_option(ctl, "grid");

    if (threshold) {
        ask->has_threshold = true;
        if (float_parse(threshold, strlen(threshold), &ask->threshold) != 0 ||
            !isfinite(ask->threshold))
            return wrong(ctl, "--threshold is a number");
    }
    if (held && (duration_parse(held, strlen(held), &ask->for_ms) != 0 || ask->for_ms < 0))
        return wrong(ctl, "--for is a duration like 5m");
    if (keep) {
        ask->has_keep = true;
        if (duration_parse(keep, strlen(keep), &ask->keep_ms) != 0 || ask->keep_ms < 0)
            return wrong(ctl, "--keep is a duration like 10m");
    }
    if (grid) {
        char *end;
        ask->n_thresholds = strtoul(grid, &end, 10);
        ask->n_fors = *end == 'x' ? strtoul(end + 1, &end, 10) : 0;
        if (*end || ask->n_thresholds == 0 || ask->n_thresholds > SURFACE_THRESHOLDS_MAX ||
            ask->n_fors == 0 || ask->n_fors > SURFACE_FORS_MAX)
            return wrong(ctl, "--grid is two numbers like 64x32, at most 256x64");
    }
    if (move) {
        char *end;
        unsigned long n = strtoul(move, &end, 10);
        if (*end || n == 0 || *move == '-')
            return wrong(ctl, "--move is the number of one of the things to move");
        ask->choice = n - 1;
    }
    if (ctl_option(ctl, "fault") && !ctl_option(ctl, "faults"))
        return wrong(ctl, "--fault is for --faults");
    if (ctl_option(ctl, "input") && !ctl_option(ctl, "faults"))
        return wrong(ctl, "--input is for --faults");
    return CTL_OK;
}

/* *ret_zone: zone_free() */
static enum ctl_exit read_nights(const struct ctl *ctl,
                                 struct tune_ask *ask,
                                 struct zone **ret_zone)
{
    const char *zone = ctl_option(ctl, "zone");
    const char *night = ctl_option(ctl, "night");
    struct err err = {0};

    if (zone && zone_open(zone, ret_zone, &err) != 0)
        return wrong(ctl, err.text);
    ask->zone = *ret_zone;
    if (night) {
        char *end;
        unsigned long weight = strtoul(night, &end, 10);
        if (*end || weight == 0 || weight > UINT8_MAX)
            return wrong(ctl, "--night is a number from 1 to 255");
        ask->night_weight = (unsigned)weight;
    }
    return CTL_OK;
}

/* --- all of it --- */

static enum ctl_exit tell(const struct ctl *ctl,
                          struct tune_past *past,
                          const struct tune_ask *ask,
                          const struct tune_result *result,
                          const struct tune_look *look)
{
    STR_AUTO struct str out = STR_INIT(OUTPUT_BYTES_MAX);

    if (ctl->json) {
        struct json_out json = JSON_OUT(&out);
        tune_json(ask, result, look, &json);
    } else {
        tune_show(ask, result, look, &out);
    }
    enum ctl_exit status = tune_pages_add(ctl, past, ask, result, &out);
    if (status != CTL_OK)
        return status;
    if (ctl->json)
        str_addc(&out, '\n');
    else if (look->hysteresis)
        tune_hysteresis_show(ask, result, look->hysteresis, &out);
    if (!ctl->json && ctl_option(ctl, "write-test"))
        tune_test_show(ctl, ask, result, &out);
    if (out.full)
        return ctl_fail(ctl, "the answer has more than %d MiB: ask for a shorter time",
                        OUTPUT_BYTES_MAX >> 20);
    (void)fputs(str_text(&out), stdout);
    return CTL_OK;
}

/* A foreign server's evaluations lie somewhere between ours and see other samples. */
static int look_at_phases(const struct tune_reader *reader,
                          const struct tune_ask *ask,
                          const struct tune_result *result,
                          struct tune_phases *ret,
                          struct err *reterr)
{
    size_t n = 0;

    (void)backtest_episodes(result->backtest, &n);
    *ret = (struct tune_phases){.n = 1, .least = n, .most = n};
    for (int i = 1; i < PHASES; i++) {
        struct tune_result other;
        struct tune_ask moved = *ask;
        moved.phase_ms += ask->interval_ms * i / PHASES;
        moved.is_alone = true;
        moved.has_threshold = true;
        moved.threshold = result->thresholds[result->now.threshold];
        int r = tune_run(reader, &moved, &other, reterr);
        if (r == 0)
            (void)backtest_episodes(other.backtest, &n);
        tune_result_done(&other);
        if (r != 0)
            return r;
        ret->n++;
        ret->least = n < ret->least ? n : ret->least;
        ret->most = n > ret->most ? n : ret->most;
    }
    return 0;
}

/* When a server evaluates is not known: as a matter of course, unless somebody knows. */
static bool has_phases(const struct ctl *ctl, const struct tune_past *past)
{
    bool is_server = past->has_origin && !past->drill;

    return ctl_option(ctl, "phases") ||
           (is_server && !ctl_option(ctl, "source") && !ctl_option(ctl, "alone") &&
            !ctl_option(ctl, "ingest-lag"));
}

/* What is asked for besides. 0, or a failure in words. */
struct besides {
    struct outage faults;
    struct tune_phases phases;
    struct hysteresis_written hysteresis;
};

static int look_besides(const struct ctl *ctl,
                        struct tune_past *past,
                        const struct tune_ask *ask,
                        const struct tune_result *result,
                        struct besides *besides,
                        struct tune_look *look,
                        struct err *reterr)
{
    int r = 0;

    *look = (struct tune_look){.color = ctl->color,
                               .alerts = ctl_option(ctl, "alerts") != NULL,
                               .front = ctl_option(ctl, "front") != NULL,
                               .phases = &besides->phases,
                               .told = past->told};
    if (has_phases(ctl, past))
        r = look_at_phases(&past->reader, ask, result, &besides->phases, reterr);
    if (r == 0 && ctl_option(ctl, "faults")) {
        r = tune_faults_look(ctl, past, ask, result, &besides->faults, reterr);
        look->faults = &besides->faults;
    }
    if (r == 0 && ctl_option(ctl, "hysteresis")) {
        r = tune_hysteresis_look(past, ask, result, &besides->hysteresis, reterr);
        look->hysteresis = &besides->hysteresis;
    }
    if (r == 0 && ctl_option(ctl, "write-test"))
        r = tune_test_write(ctl, past, ask, result, reterr);
    return r;
}

/* Why may lie in what could not be read. */
static enum ctl_exit fail(const struct ctl *ctl,
                          const struct tune_past *past,
                          const struct tune_ask *ask,
                          const char *words)
{
    enum ctl_exit status = ctl_fail(ctl, "%s: %s", ask->rule->name, words);

    missing_tell(past->told);
    return status;
}

static enum ctl_exit run(struct ctl *ctl,
                         struct tune_past *past,
                         struct tune_labels *labels,
                         struct tune_ask *ask)
{
    struct tune_result result;
    struct tune_look look;
    struct besides besides = {0};
    struct err err = {0};

    enum ctl_exit status = tune_times(ctl, past, &ask->from_ms, &ask->to_ms);
    ask->first_ms = past->drill ? past->drill->past.from_ms : 0;
    if (!ctl_option(ctl, "source"))
        ask->phase_ms = tune_past_phase_ms(past, ask->interval_ms);
    if (status == CTL_OK)
        status = tune_labels_read(labels, ctl, past, ask);
    if (status == CTL_OK)
        status = tune_past_late(past, ctl, ask);
    if (status != CTL_OK)
        return status;
    int r = tune_run(&past->reader, ask, &result, &err);
    if (r == 0)
        r = look_besides(ctl, past, ask, &result, &besides, &look, &err);
    if (r != 0)
        status = fail(ctl, past, ask, err.text);
    else
        status = tell(ctl, past, ask, &result, &look);
    hysteresis_written_done(&besides.hysteresis);
    outage_done(&besides.faults);
    tune_result_done(&result);
    return status;
}

enum ctl_exit cmd_tune(struct ctl *ctl)
{
    struct chosen chosen = {0};
    struct tune_labels labels;
    struct tune_past past;
    struct tune_ask ask = {0};
    struct zone *zone = NULL;

    tune_labels_init(&labels);
    enum ctl_exit status = read_rule(ctl, &chosen);
    if (status == CTL_OK) {
        ask = (struct tune_ask){.rule = chosen.rule,
                                .interval_ms = chosen.interval_ms,
                                .for_ms = chosen.rule->for_ms,
                                .is_alone = ctl_option(ctl, "alone") != NULL,
                                .evaluated = ctl_option(ctl, "evaluated")};
        status = read_setting(ctl, &ask);
        if (ctl_option(ctl, "source"))
            ask.phase_ms = rule_phase_ms(ctl_option(ctl, "source"), chosen.group->name,
                                         chosen.interval_ms);
    }
    if (status == CTL_OK)
        status = read_nights(ctl, &ask, &zone);
    if (status == CTL_OK) {
        status = tune_past_init(&past, ctl);
        if (status == CTL_OK)
            status = run(ctl, &past, &labels, &ask);
        tune_past_done(&past);
    }
    zone_free(zone);
    rule_file_unref(chosen.file);
    free(chosen.text);
    tune_labels_done(&labels);
    return status;
}
