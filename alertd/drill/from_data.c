/*
 * Rules, routes and samples of a drill that is made of an incident. See from_private.h.
 *
 *     rules.yml   the rules as they were; for alerts without samples one on a series of its own
 *     routes.yml  grouped as it was; everything pages who plays
 *     samples.om  what was kept, from the drill's start on
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/drill/from_private.h"
#include "alertd/promql/ast.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"
#include "lib/wire/exposition_write.h"

enum {
    STAND_IN_STEP_MS = 15 * 1000,
    RULE_INDENT = 6,
    LINE_MAX_BYTES = 64 * 1024,
};

/* --- Which alerts fire by themselves ---------------------------------------------------------------- */

bool from_keeps(const struct source_series *series)
{
    const char *name = labels_get(series->labels, LABEL_NAME);

    /* what the rules make of it is made again */
    return name && strcmp(name, "ALERTS") != 0 && strcmp(name, "ALERTS_FOR_STATE") != 0;
}

const struct drill_from_rule *from_rule(const struct from_work *work,
                                        const struct incident_alert *alert)
{
    for (size_t i = 0; i < work->from->n_rules; i++)
        if (work->from->rules[i].id == alert->rule_id)
            return &work->from->rules[i];
    return NULL;
}

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

static struct promql_expr *expr_of(struct from_work *work, const struct incident_alert *alert)
{
    struct promql_expr *expr = NULL;

    if (!alert->expr || !*alert->expr || promql_parse(&work->arena, alert->expr, &expr, NULL) != 0)
        return NULL;
    return expr;
}

bool from_is_measured(struct from_work *work, const struct incident_alert *alert)
{
    const struct promql_expr *expr = from_rule(work, alert) ? expr_of(work, alert) : NULL;

    for (size_t i = 0; expr && i < work->from->n_series; i++)
        if (from_keeps(&work->from->series[i]) && reads(expr, work->from->series[i].labels))
            return true;
    return false;
}

static bool is_listed(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

size_t from_metrics(struct from_work *work, const char **names, size_t max)
{
    size_t n = 0;

    for (size_t a = 0; a < work->record->n_alerts; a++) {
        const struct promql_expr *expr = expr_of(work, &work->record->alerts[a]);

        for (size_t i = 0; expr && n < max && i < work->from->n_series; i++) {
            const struct labels *labels = work->from->series[i].labels;
            const char *name = labels_get(labels, LABEL_NAME);

            if (from_keeps(&work->from->series[i]) && labels_name_is_classic(name) &&
                !is_listed(names, n, name) && reads(expr, labels))
                names[n++] = name;
        }
    }
    return n;
}

/* --- rules.yml ---------------------------------------------------------------------------------------- */

static size_t indent_of(const char *line)
{
    return strspn(line, " ");
}

static bool begins_texts(const char *line)
{
    line += indent_of(line);
    return strncmp(line, "labels:", 7) == 0 || strncmp(line, "annotations:", 12) == 0;
}

/* Names of people are looked for in what is written for people, not in expressions. */
static void add_rule(const struct from_work *work, const char *yaml, struct str *out)
{
    size_t base = indent_of(yaml);
    bool in_texts = false;

    for (const char *line = yaml; *line;) {
        size_t len = strcspn(line, "\n");
        size_t indent = indent_of(line) < len ? indent_of(line) : len;
        MEM_AUTO char *text = mem_strndup(line, len);

        if (indent <= base + 2 && len > indent)
            in_texts = begins_texts(text);
        if (len > indent)
            str_addf(out, "%*s", RULE_INDENT + (int)(indent > base ? indent - base : 0), "");
        from_scrub(work, text + indent, in_texts, out);
        str_addc(out, '\n');
        line += len + (line[len] == '\n');
    }
}

static void add_annotations(struct from_work *work, const struct labels *texts, struct str *out)
{
    if (!texts || texts->n == 0)
        return;
    str_add(out, "        annotations:\n");
    for (uint32_t i = 0; i < texts->n; i++) {
        STR_AUTO struct str value = STR_INIT(LINE_MAX_BYTES);

        /* they were expanded that day: what looks like a template in them is text */
        for (const char *c = from_clean(work, texts->at[i].value); *c; c++) {
            if (c[0] == '{' && c[1] == '{')
                str_add(&value, "{{\"{{\"}}");
            else
                str_addc(&value, *c);
            c += c[0] == '{' && c[1] == '{';
        }
        str_add(out, "          ");
        yaml_print_key(texts->at[i].name, 10, out);
        yaml_print_scalar(str_text(&value), 12, out);
        str_addc(out, '\n');
    }
}

/* A rule on the series that stands in for the alert. */
static void add_stand_in(struct from_work *work,
                         const struct incident_alert *alert,
                         struct str *out)
{
    STR_AUTO struct str expr = STR_INIT(LINE_MAX_BYTES);
    char text[DURATION_TEXT_MAX];
    int64_t for_ms = alert->fired_at_ms - alert->active_at_ms;

    str_addf(&expr, FROM_ALERT "{alert=");
    from_quote(alert->name, &expr);
    str_add(&expr, "} == 1");
    str_add(out, "      - alert: ");
    yaml_print_scalar(alert->name, 10, out);
    str_add(out, "\n        expr: ");
    yaml_print_scalar(str_text(&expr), 10, out);
    str_addc(out, '\n');
    if (for_ms > 0)
        str_addf(out, "        for: %s\n", duration_print(for_ms / 1000 * 1000, text));
    add_annotations(work, alert->annotations, out);
}

static bool is_first_of_name(const struct from_work *work, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(work->record->alerts[i].name, work->record->alerts[index].name) == 0)
            return false;
    return true;
}

static bool is_first_of_rule(const struct from_work *work, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (work->record->alerts[i].rule_id == work->record->alerts[index].rule_id)
            return false;
    return true;
}

static void begin_group(struct from_work *work, const char *name, int64_t ms, struct str *out)
{
    char text[DURATION_TEXT_MAX];

    if (out->len == 0)
        str_add(out, "# The rules as they were. Change one and play again: would it have helped?\n"
                     "groups:\n");
    str_add(out, "  - name: ");
    yaml_print_scalar(from_clean(work, name), 6, out);
    str_addf(out, "\n    interval: %s\n    rules:\n", duration_print(ms, text));
}

static void add_rules_of_now(struct from_work *work, struct str *out)
{
    const char *group = NULL;

    for (size_t i = 0; i < work->from->n_now; i++) {
        const struct drill_from_rule *rule = &work->from->now[i];

        if (!group || strcmp(group, rule->group) != 0)
            begin_group(work, rule->group, rule->interval_ms, out);
        group = rule->group;
        add_rule(work, rule->yaml, out);
    }
}

/* A group for each rule: its interval is its own, and what it is called tells people where it
 * is from. */
static void add_rules_of_then(struct from_work *work, struct str *out)
{
    for (size_t i = 0; i < work->record->n_alerts; i++) {
        const struct incident_alert *alert = &work->record->alerts[i];
        const struct drill_from_rule *rule = from_rule(work, alert);
        STR_AUTO struct str name = STR_INIT(1000);

        if (!from_is_measured(work, alert) || !is_first_of_rule(work, i))
            continue;
        str_addf(&name, "%s: %s", rule->group, alert->name);
        begin_group(work, str_text(&name), rule->interval_ms, out);
        add_rule(work, rule->yaml, out);
    }
}

static void add_rules(struct from_work *work, struct str *out)
{
    bool begun = false;

    if (work->from->as_now)
        add_rules_of_now(work, out);
    else
        add_rules_of_then(work, out);
    for (size_t i = 0; i < work->record->n_alerts; i++) {
        if (from_is_measured(work, &work->record->alerts[i]) || !is_first_of_name(work, i))
            continue;
        if (!begun)
            begin_group(work, "alerts without samples", STAND_IN_STEP_MS, out);
        begun = true;
        add_stand_in(work, &work->record->alerts[i], out);
    }
}

/* --- routes.yml ----------------------------------------------------------------------------------------- */

static void add_routes(struct from_work *work, struct str *out)
{
    const struct drill_from_route *route = &work->from->route;
    char text[DURATION_TEXT_MAX];

    str_add(out, "# Grouped as it was that day; whatever fires pages who plays.\n"
                 "receivers:\n"
                 "  - name: oncall\n"
                 "    oncall_configs: [{policy: drill}]\n"
                 "route:\n"
                 "  receiver: oncall\n"
                 "  group_by: [");
    for (size_t i = 0; i < route->n_group_by; i++) {
        str_add(out, i ? ", " : "");
        from_quote(route->group_by[i], out); /* JSON is YAML */
    }
    str_addf(out, "]\n  group_wait: %s\n", duration_print(route->wait_ms, text));
    str_addf(out, "  group_interval: %s\n", duration_print(route->interval_ms, text));
    str_addf(out, "  repeat_interval: %s\n", duration_print(route->repeat_ms, text));
}

/* --- samples.om ----------------------------------------------------------------------------------------- */

static void add_series(struct from_work *work, const struct source_series *series, struct str *out)
{
    struct label *pairs = arena_array(&work->arena, series->labels->n + 1, sizeof(*pairs));

    work->spent |= !pairs;
    for (uint32_t i = 0; pairs && i < series->labels->n; i++) {
        const struct label *label = &series->labels->at[i];
        bool is_name = strcmp(label->name, LABEL_NAME) == 0;

        pairs[i] = (struct label){label->name,
                                  is_name ? label->value : from_label(work, label->value)};
    }
    for (size_t i = 0; pairs && i < series->n; i++) {
        if (series->t_ms[i] < work->first_ms || series->t_ms[i] > work->end_ms)
            continue;
        /* a staleness marker is written as NaN, and read so */
        openmetrics_sample(out, pairs, series->labels->n,
                           (struct sample){series->t_ms[i], series->values[i]});
    }
}

/* 1 while it was true, with its own labels. */
static void add_stand_in_series(struct from_work *work,
                                const struct incident_alert *alert,
                                struct str *out)
{
    uint32_t n = alert->labels ? alert->labels->n : 0;
    struct label *pairs = arena_array(&work->arena, n + 2, sizeof(*pairs));
    size_t n_pairs = 0;

    work->spent |= !pairs;
    if (!pairs)
        return;
    pairs[n_pairs++] = (struct label){LABEL_NAME, FROM_ALERT};
    pairs[n_pairs++] = (struct label){"alert", alert->name};
    for (uint32_t i = 0; i < n; i++) {
        const struct label *label = &alert->labels->at[i];

        if (strcmp(label->name, "alertname") != 0 && strcmp(label->name, "alert") != 0)
            pairs[n_pairs++] = (struct label){label->name, from_label(work, label->value)};
    }
    for (int64_t t_ms = work->first_ms; t_ms <= work->end_ms; t_ms += STAND_IN_STEP_MS) {
        bool is = t_ms >= alert->active_at_ms &&
                  (alert->resolved_at_ms == 0 || t_ms < alert->resolved_at_ms);

        openmetrics_sample(out, pairs, n_pairs, (struct sample){t_ms, is});
    }
}

void from_files(struct from_work *work, struct drill_made *made)
{
    for (size_t i = 0; i < work->from->n_series; i++)
        if (from_keeps(&work->from->series[i]))
            add_series(work, &work->from->series[i], &made->samples);
    for (size_t i = 0; i < work->record->n_alerts; i++)
        if (!from_is_measured(work, &work->record->alerts[i]))
            add_stand_in_series(work, &work->record->alerts[i], &made->samples);
    if (made->samples.len)
        str_add(&made->samples, "# EOF\n");
    add_rules(work, &made->rules);
    if (made->rules.len)
        add_routes(work, &made->routes);
}

/* --- What was made, as files --- */

void drill_made_done(struct drill_made *made)
{
    str_done(&made->text);
    str_done(&made->rules);
    str_done(&made->routes);
    str_done(&made->samples);
}

bool drill_made_file(const struct drill_made *made,
                     size_t index,
                     const char **ret_name,
                     const struct str **ret_text)
{
    const struct {
        const char *name;
        const struct str *text;
    } files[DRILL_FROM_FILES] = {{DRILL_FROM_TEXT, &made->text},
                                 {DRILL_FROM_RULES, &made->rules},
                                 {DRILL_FROM_ROUTES, &made->routes},
                                 {DRILL_FROM_SAMPLES, &made->samples}};

    for (size_t i = 0; i < DRILL_FROM_FILES; i++) {
        if (files[i].text->len == 0 || index-- > 0)
            continue;
        *ret_name = files[i].name;
        *ret_text = files[i].text;
        return true;
    }
    return false;
}

int drill_made_read(void *arg,
                    enum drill_read_what what,
                    const char *name,
                    char **ret_text,
                    size_t *ret_len,
                    struct err *reterr)
{
    const struct drill_made *made = arg;
    const struct str *text = NULL;
    const char *file = NULL;

    for (size_t i = 0; what == DRILL_READ_BESIDE && drill_made_file(made, i, &file, &text); i++) {
        if (strcmp(file, name) != 0)
            continue;
        *ret_len = text->len;
        *ret_text = mem_strndup(str_text(text), text->len);
        return 0;
    }
    return err_set(reterr, DRILL_E_FILE, "there is no %.80s beside it", name);
}
