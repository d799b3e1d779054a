/*
 * What is doubtful in a drill. See check.h.
 */

#include "alertd/drill/check.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/promql/ast.h"
#include "alertd/route/tree.h"
#include "lib/base/mem.h"
#include "lib/base/near.h"

enum {
    WORDS_MAX = 2000,
    NAMES_MAX = 1000,
    PLAYERS_WANTED = 3,
};

struct checking {
    const struct drill_case *drill_case;
    const struct drill *drill;
    struct drill_findings *findings;
};

static void find(struct checking *checking, bool is_error, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void find(struct checking *checking, bool is_error, unsigned line, const char *fmt, ...)
{
    struct drill_findings *findings = checking->findings;
    struct str words = STR_INIT(WORDS_MAX);
    va_list ap;

    va_start(ap, fmt);
    str_addv(&words, fmt, ap);
    va_end(ap);
    findings->at = mem_grow(findings->at, &findings->capacity, findings->n + 1,
                            sizeof(*findings->at));
    findings->at[findings->n++] = (struct drill_finding){
        .line = line, .column = 1, .is_error = is_error, .text = str_take(&words)};
}

/* --- Alerts and people ------------------------------------------------------------------------------ */

static const struct rule *find_rule(struct checking *checking, const char *alert, unsigned line)
{
    const struct rule *rule = drill_case_rule(checking->drill_case, alert);
    const char *names[NAMES_MAX + 1] = {NULL};
    size_t n = 0;

    if (rule)
        return rule;
    for (size_t i = 0; i < checking->drill_case->n_files; i++) {
        const struct rule_file *file = checking->drill_case->files[i];

        for (size_t k = 0; k < file->n_groups; k++)
            for (size_t m = 0; m < file->groups[k].n_rules && n < NAMES_MAX; m++)
                names[n++] = file->groups[k].rules[m].name;
    }

    const char *near = near_word(alert, names);

    find(checking, true, line, "no rule of this drill is called %s%s%s%s", alert,
         near ? ": did you mean " : "", near ? near : "", near ? "?" : "");
    return NULL;
}

/* Whether an alert of that rule, as far as its own labels say, pages anybody. */
static bool pages_somebody(const struct checking *checking, const struct rule *rule)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    struct route_walk walk;
    bool pages = false;

    for (size_t i = 0; i < rule->n_labels; i++)
        labels_builder_set(&builder, rule->labels[i].name, rule->labels[i].text);
    labels_builder_set(&builder, "alertname", rule->name);

    const struct labels *labels = labels_builder_finish(&builder);

    route_walk(checking->drill_case->config, labels, &walk);
    for (size_t i = 0; i < walk.n; i++)
        for (size_t k = 0; k < walk.at[i]->receiver->n_integrations; k++)
            pages |= walk.at[i]->receiver->integrations[k].kind == ROUTE_ONCALL;
    labels_unref(labels);
    return pages;
}

static void check_alert(struct checking *checking, const struct drill_expect *expect)
{
    const struct rule *rule = find_rule(checking, expect->alert, expect->line);

    if (!rule)
        return;
    if (expect->kind == DRILL_EXPECT_STATE && strcmp(expect->state, "pending") == 0 &&
        rule->for_ms == 0)
        find(checking, true, expect->line, "%s has no `for`: it is never pending", expect->alert);
    if (expect->kind == DRILL_EXPECT_PAGE && !pages_somebody(checking, rule))
        find(checking, true, expect->line, "the route of %s pages nobody", expect->alert);
}

static void check_expects(struct checking *checking, const struct drill_expect *expects, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct drill_expect *expect = &expects[i];

        if (expect->at_ms != INT64_MAX && expect->at_ms > checking->drill->length_ms)
            find(checking, true, expect->line, "the drill is over by then");
        if (expect->alert)
            check_alert(checking, expect);
        if (expect->person && !roster_person(&checking->drill_case->roster, expect->person) &&
            !roster_schedule(&checking->drill_case->roster, expect->person))
            find(checking, true, expect->line, "%s is not on call here", expect->person);
    }
}

/* --- Series ------------------------------------------------------------------------------------------ */

static bool reads(const struct promql_expr *expr, const struct labels *labels)
{
    const struct promql_expr *child;

    if (expr->kind == PROMQL_SELECTOR)
        return matchers_match(expr->selector.matchers, expr->selector.n_matchers, labels);
    for (size_t i = 0; (child = expr_child(expr, i)) != NULL; i++)
        if (reads(child, labels))
            return true;
    return false;
}

static bool is_read(const struct checking *checking, const struct labels *labels)
{
    for (size_t i = 0; i < checking->drill->n_graphs; i++)
        if (strcmp(checking->drill->graphs[i].text, labels_get(labels, LABEL_NAME)) == 0)
            return true;
    for (size_t i = 0; i < checking->drill_case->n_files; i++) {
        const struct rule_file *file = checking->drill_case->files[i];

        for (size_t k = 0; k < file->n_groups; k++)
            for (size_t m = 0; m < file->groups[k].n_rules; m++)
                if (reads(file->groups[k].rules[m].expr, labels))
                    return true;
    }
    return false;
}

static void check_series(struct checking *checking)
{
    const struct drill *drill = checking->drill;
    const char *last = "";

    for (size_t i = 0; i < drill->n_series; i++) {
        const char *name = labels_get(drill->series[i].labels, LABEL_NAME);

        if (!is_read(checking, drill->series[i].labels) && strcmp(last, name) != 0)
            find(checking, false, drill->series[i].line,
                 "no rule reads %s: name it in `graph` if it is there to be looked at", name);
        last = name;
    }
}

static bool has_series(const struct checking *checking, const struct drill_fault *fault)
{
    for (size_t i = 0; i < checking->drill->n_series; i++)
        if (matchers_match(fault->matchers, fault->n_matchers, checking->drill->series[i].labels))
            return true;
    for (size_t i = 0; i < checking->drill_case->n_points; i++)
        if (matchers_match(fault->matchers, fault->n_matchers,
                           checking->drill_case->points[i].labels))
            return true;
    return false;
}

static bool has_metric(const struct checking *checking, const char *name)
{
    for (size_t i = 0; i < checking->drill->n_series; i++)
        if (strcmp(labels_get(checking->drill->series[i].labels, LABEL_NAME), name) == 0)
            return true;
    for (size_t i = 0; i < checking->drill_case->n_points; i++)
        if (strcmp(labels_get(checking->drill_case->points[i].labels, LABEL_NAME), name) == 0)
            return true;
    return false;
}

static void check_data(struct checking *checking)
{
    const struct drill *drill = checking->drill;

    check_series(checking);
    for (size_t i = 0; i < drill->n_faults; i++) {
        if (!has_series(checking, &drill->faults[i]))
            find(checking, true, drill->faults[i].line,
                 "this fault is about no series of the drill");
        if (drill->faults[i].from_ms >= drill->length_ms)
            find(checking, true, drill->faults[i].line, "the drill is over by then");
    }
    for (size_t i = 0; i < drill->n_graphs; i++)
        if (!has_metric(checking, drill->graphs[i].text))
            find(checking, true, drill->graphs[i].line, "there is no series %s to look at",
                 drill->graphs[i].text);
}

/* --- Scripts ------------------------------------------------------------------------------------------- */

static void check_act(struct checking *checking, const struct drill_act *act)
{
    const struct drill *drill = checking->drill;
    bool known = act->kind != DRILL_ACT_ANSWER;

    for (size_t i = 0; i < drill->n_questions && !known; i++)
        known = strcmp(drill->questions[i].id, act->id) == 0;
    if (!known)
        find(checking, true, act->line, "there is no question '%s'", act->id);
    if (act->since == DRILL_SINCE_START && act->after_ms > drill->length_ms)
        find(checking, true, act->line, "the drill is over by then");
    if (act->kind == DRILL_ACT_HYPOTHESIS &&
        !drill_idea_find(drill->hypotheses, drill->n_hypotheses, act->text))
        find(checking, false, act->line, "no hypothesis of the drill recognises this");
    if (act->kind == DRILL_ACT_DO && !drill_idea_find(drill->actions, drill->n_actions, act->text))
        find(checking, false, act->line, "no action of the drill recognises this");
}

static bool any_worth(const struct drill_idea *ideas, size_t n, enum drill_worth worth)
{
    for (size_t i = 0; i < n; i++)
        if (ideas[i].worth == worth)
            return true;
    return false;
}

static bool is_on_paper(const struct drill_case *drill_case)
{
    return drill_case->n_files == 0 && drill_case->drill->n_series == 0 &&
           drill_case->n_points == 0;
}

static void check_judgement(struct checking *checking)
{
    const struct drill *drill = checking->drill;

    for (size_t i = 0; i < drill->n_players; i++) {
        for (size_t k = 0; k < drill->players[i].n_acts; k++)
            check_act(checking, &drill->players[i].acts[k]);
        check_expects(checking, drill->players[i].expects, drill->players[i].n_expects);
        if (drill->players[i].n_expects == 0)
            find(checking, false, drill->players[i].line, "nothing is expected of this player");
    }
    bool on_paper = is_on_paper(checking->drill_case); /* a game master judges */

    if (drill->n_players < PLAYERS_WANTED && !on_paper)
        find(checking, false, 1, "it has %zu players of %d: perfect, slow and wrong test it best",
             drill->n_players, PLAYERS_WANTED);
    if (!on_paper && !any_worth(drill->hypotheses, drill->n_hypotheses, DRILL_WORTH_RIGHT))
        find(checking, false, 1, "no hypothesis is right: what is it that the player should find?");
    for (size_t i = 0; i < drill->n_faults; i++)
        if (drill->faults[i].until_mended &&
            !any_worth(drill->actions, drill->n_actions, DRILL_WORTH_RIGHT))
            find(checking, true, drill->faults[i].line, "no action mends: this fault never ends");
    if (drill->reconstructed && drill->n_sources == 0)
        find(checking, true, 1, "reconstructed from what? name its sources");
    for (size_t i = 0; i < drill->n_events; i++)
        if (drill->events[i].at_ms > drill->length_ms)
            find(checking, true, 1, "'%.40s' happens behind the drill's end",
                 drill->events[i].text);
}

/* Whoever reads what stands in the library must not know already what there is to find. */
static void check_spoils(struct checking *checking)
{
    const struct drill *drill = checking->drill;
    const struct {
        const char *what, *text;
    } shown[] = {{"title", drill->title}, {"brief", drill->brief}, {"`teaches`", drill->teaches}};
    const struct {
        const struct drill_idea *at;
        size_t n;
        const char *what;
    } found[] = {{drill->hypotheses, drill->n_hypotheses, "hypothesis"},
                 {drill->actions, drill->n_actions, "action"}};

    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
        for (size_t k = 0; k < sizeof(found) / sizeof(found[0]); k++)
            for (size_t m = 0; shown[i].text && m < found[k].n; m++)
                if (found[k].at[m].worth == DRILL_WORTH_RIGHT &&
                    drill_accepts(found[k].at[m].accepts, found[k].at[m].n_accepts, shown[i].text))
                    find(checking, false, 1,
                         "its %s gives away the %s '%s': it is read before anybody plays",
                         shown[i].what, found[k].what, found[k].at[m].id);
}

/* --- Runbooks -------------------------------------------------------------------------------------------- */

/* `## HostDiskFull` is host#hostdiskfull. */
static bool has_heading(const char *text, const char *anchor)
{
    size_t len = strlen(anchor);

    for (const char *at = strstr(text, "## "); at; at = strstr(at + 3, "## "))
        if (strncasecmp(at + 3, anchor, len) == 0 && strchr("\n", at[3 + len]))
            return true; /* strchr finds the text's end too */
    return false;
}

static void check_runbook(struct checking *checking,
                          const struct drill_name *name,
                          drill_read *read,
                          void *arg)
{
    size_t len = strcspn(name->text, "#");
    MEM_AUTO char *pack = mem_strndup(name->text, len);
    MEM_AUTO char *text = NULL;
    struct err err = {0};
    size_t size = 0;

    if (read(arg, DRILL_READ_RUNBOOKS, pack, &text, &size, &err) != 0)
        find(checking, true, name->line, "there are no runbooks %s: %s", pack, err.text);
    else if (name->text[len] && !has_heading(text, name->text + len + 1))
        find(checking, true, name->line, "the runbooks of %s have no section %s", pack,
             name->text + len + 1);
}

static int by_line(const void *a, const void *b)
{
    const struct drill_finding *x = a;
    const struct drill_finding *y = b;

    return x->line != y->line ? (x->line < y->line ? -1 : 1) : strcmp(x->text, y->text);
}

void drill_check(const struct drill_case *drill_case,
                 drill_read *read,
                 void *arg,
                 struct drill_findings *findings)
{
    struct checking checking = {drill_case, drill_case->drill, findings};

    check_expects(&checking, drill_case->drill->expects, drill_case->drill->n_expects);
    check_data(&checking);
    check_judgement(&checking);
    check_spoils(&checking);
    for (size_t i = 0; i < drill_case->drill->n_runbooks; i++)
        check_runbook(&checking, &drill_case->drill->runbooks[i], read, arg);
    if (findings->n > 0)
        qsort(findings->at, findings->n, sizeof(*findings->at), by_line);
}

void drill_findings_done(struct drill_findings *findings)
{
    for (size_t i = 0; i < findings->n; i++)
        free(findings->at[i].text);
    free(findings->at);
    *findings = (struct drill_findings){0};
}
