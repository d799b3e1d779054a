/*
 * Two rule files beside each other, for a terminal, a pull request, a program and a CI. See
 * tune_diff.h.
 */

#include <assert.h>
#include <string.h>

#include "alertd/incident/report.h"
#include "ctl/tune_diff.h"
#include "lib/base/clock.h"
#include "lib/base/html.h"
#include "lib/model/duration.h"

enum {
    ROWS_MAX = 40,   /* of one rule, for people */
    EXPR_MAX = 4096, /* of a label set */
};

#define DAY_MS INT64_C(86400000)

/* --- what is said everywhere --- */

static void add_duration_change(const char *name, int64_t old_ms, int64_t new_ms, struct str *out)
{
    char before[DURATION_TEXT_MAX];
    char after[DURATION_TEXT_MAX];

    if (old_ms != new_ms)
        str_addf(out, "%s%s %s -> %s", out->len ? ", " : "", name, duration_print(old_ms, before),
                 duration_print(new_ms, after));
}

static bool same_texts(const struct rule *a, const struct rule *b)
{
    if (a->n_labels != b->n_labels)
        return false;
    for (size_t i = 0; i < a->n_labels; i++)
        if (strcmp(a->labels[i].name, b->labels[i].name) != 0 ||
            strcmp(a->labels[i].text, b->labels[i].text) != 0)
            return false;
    return true;
}

void tune_diff_change(const struct pair *pair, struct str *out)
{
    STR_AUTO struct str what = STR_INIT(4096);
    const struct rule *old = pair->old.rule;
    const struct rule *new = pair->new.rule;

    if (!old || !new) {
        str_add(out, old ? "gone" : "new");
        return;
    }
    if (strcmp(old->expr_text, new->expr_text) != 0)
        str_add(&what, "expression");
    add_duration_change("for", old->for_ms, new->for_ms, &what);
    add_duration_change("keep_firing_for", old->keep_firing_for_ms, new->keep_firing_for_ms, &what);
    add_duration_change("interval", pair->old.interval_ms, pair->new.interval_ms, &what);
    if (!same_texts(old, new))
        str_addf(&what, "%slabels", what.len ? ", " : "");
    str_add(out, what.len ? str_text(&what) : "annotations");
}

struct totals {
    size_t old, new;
    size_t n_changed;
};

static struct totals totals_of(const struct tune_diff *diff)
{
    struct totals totals = {0};

    for (size_t i = 0; i < diff->n; i++) {
        const struct pair *pair = &diff->pairs[i];

        if (pair->state == PAIR_SAME)
            continue;
        totals.n_changed++;
        totals.old += pair->old.pages.n;
        totals.new += pair->new.pages.n;
    }
    return totals;
}

/* "-14 pages in 30 d, loses no incident" */
static void add_verdict(const struct tune_diff *diff, struct str *out)
{
    struct totals totals = totals_of(diff);
    char text[DURATION_TEXT_MAX];
    int64_t span_ms = diff->to_ms - diff->from_ms;

    if (totals.n_changed == 0) {
        str_add(out, "no alert changes");
        return;
    }
    str_addf(out, "%+lld pages in ", (long long)totals.new - (long long)totals.old);
    if (span_ms % DAY_MS == 0 || span_ms > 3 * DAY_MS)
        str_addf(out, "%lld d", (long long)((span_ms + DAY_MS / 2) / DAY_MS));
    else
        str_add(out, duration_human(span_ms, text));
    if (diff->labels->n == 0)
        str_add(out, ", no incident known to hold it against");
    else if (diff->n_lost == 0)
        str_add(out, ", loses no incident");
    else
        str_addf(out, ", LOSES %zu of %zu incidents", diff->n_lost, diff->labels->n);
}

static void add_labels(const struct pair *pair, const struct diff_row *row, struct str *out)
{
    const struct pages_page *page = row->old ? row->old : row->new;

    labels_print((row->old ? &pair->old : &pair->new)->alerts.at[page->alert].labels, out);
}

/* Red only when no other rule finds it. */
static bool is_red(const struct tune_diff *diff,
                   const struct pair *pair,
                   const struct diff_row *row)
{
    if (!row->is_red)
        return false;
    assert(row->old); /* lost is what was there */
    for (size_t i = 0; i < pair->diff.n_incidents; i++) {
        const struct tune_incident *incident = pair->diff.incidents[i].incident;

        if (row->old->at_ms >= incident->begin_ms && row->old->at_ms <= incident->end_ms &&
            tune_diff_is_lost(diff, incident))
            return true;
    }
    return false;
}

static void add_moved(int64_t moved_ms, struct str *out)
{
    char text[DURATION_TEXT_MAX];

    str_addf(out, " %s %s", duration_human(moved_ms < 0 ? -moved_ms : moved_ms, text),
             moved_ms < 0 ? "earlier" : "later");
}

static const char *incident_name(const struct tune_incident *incident)
{
    return incident->name && *incident->name ? incident->name : "incident";
}

/* --- a terminal --- */

static void show_row(const struct tune_diff *diff,
                     const struct pair *pair,
                     const struct diff_row *row,
                     bool color,
                     struct str *out)
{
    const struct pages_page *page = row->old ? row->old : row->new;
    char time[CLOCK_TEXT_MAX];
    bool red = is_red(diff, pair, row);

    str_addf(out, "    %s%-6s  %s  %-16s ", color && red ? "\033[31m" : "",
             diff_kind_name(row->kind), clock_rfc3339(page->at_ms, time), report_name(page->who));
    add_labels(pair, row, out);
    if (row->kind == DIFF_MOVED)
        add_moved(row->moved_ms, out);
    if (red)
        str_add(out, "  LOSES AN INCIDENT");
    str_addf(out, "%s\n", color && red ? "\033[0m" : "");
}

static void show_pair(const struct tune_diff *diff,
                      const struct pair *pair,
                      bool color,
                      struct str *out)
{
    size_t n = 0;

    str_addf(out, "\n%s / %s (", pair->group, pair->name);
    tune_diff_change(pair, out);
    str_add(out, ")\n  ");
    diff_words(&pair->diff, out);
    str_add(out, ".\n");
    for (size_t i = 0; i < pair->diff.n; i++) {
        if (pair->diff.rows[i].kind == DIFF_KEPT)
            continue;
        if (n++ < ROWS_MAX)
            show_row(diff, pair, &pair->diff.rows[i], color, out);
    }
    if (n > ROWS_MAX)
        str_addf(out, "    ... and %zu more (--format=json has all)\n", n - ROWS_MAX);
}

/* "the disk, 2026-11-03T02:10:00.000Z"; of one without a name its time is enough. */
static void add_incident(const struct tune_incident *incident, struct str *out)
{
    char time[CLOCK_TEXT_MAX];
    int64_t at_ms;
    bool is_time = clock_parse_rfc3339(incident_name(incident), &at_ms) == 0;

    str_addf(out, "%s%s%s", is_time ? "the incident of" : incident_name(incident),
             is_time ? " " : ", ", clock_rfc3339(incident->begin_ms, time));
}

static void show_text(const struct tune_diff *diff, bool color, struct str *out)
{
    add_verdict(diff, out);
    str_add(out, ".\n");
    missing_add(diff->told, out);
    for (size_t i = 0; i < diff->n_lost; i++) {
        const struct tune_incident *incident = &diff->labels->at[diff->lost[i]];
        STR_AUTO struct str name = STR_INIT(1024);

        add_incident(incident, &name);
        str_addf(out, "%sLost: %s: no rule pages in it any more.%s\n", color ? "\033[31m" : "",
                 str_text(&name), color ? "\033[0m" : "");
    }
    for (size_t i = 0; i < diff->n; i++)
        if (diff->pairs[i].state != PAIR_SAME)
            show_pair(diff, &diff->pairs[i], color, out);
    if (diff->n_recording > 0)
        str_addf(out,
                 "\n%zu recording rules changed: what they would have recorded is not known.\n",
                 diff->n_recording);
}

/* --- a pull request --- */

/* Text in a cell of a table: nothing of it is Markdown. */
static void add_cell(const char *text, struct str *out)
{
    for (; *text; text++) {
        if (strchr("\\`*_{}[]<>()#+!|~&", *text))
            str_addc(out, '\\');
        str_addc(out, *text == '\n' ? ' ' : *text);
    }
}

static void add_cell_of(void (*add)(const struct pair *pair, struct str *out),
                        const struct pair *pair,
                        struct str *out)
{
    STR_AUTO struct str text = STR_INIT(EXPR_MAX);

    add(pair, &text);
    add_cell(str_text(&text), out);
}

static void add_incidents(const struct pair *pair, struct str *out)
{
    const struct diff *one = &pair->diff;
    size_t old = 0;
    size_t new = 0;

    for (size_t i = 0; i < one->n_incidents; i++) {
        old += one->incidents[i].old_ms != INT64_MAX;
        new += one->incidents[i].new_ms != INT64_MAX;
    }
    if (one->n_incidents == 0)
        str_add(out, "-");
    else
        str_addf(out, "%zu -> %zu of %zu", old, new, one->n_incidents);
}

static void add_github_row(const struct pair *pair, struct str *out)
{
    const size_t *counts = pair->diff.counts;

    str_add(out, "| ");
    add_cell(pair->name, out);
    str_add(out, " | ");
    add_cell_of(tune_diff_change, pair, out);
    str_addf(out, " | %zu -> **%zu** | %zu | %zu | %zu | %zu | ", pair->old.pages.n,
             pair->new.pages.n, counts[DIFF_KEPT], counts[DIFF_MOVED], counts[DIFF_GAINED],
             counts[DIFF_LOST]);
    add_incidents(pair, out);
    str_add(out, " |\n");
}

static void add_github_pages(const struct tune_diff *diff, const struct pair *pair, struct str *out)
{
    size_t n = 0;

    for (size_t i = 0; i < pair->diff.n; i++) {
        const struct diff_row *row = &pair->diff.rows[i];
        const struct pages_page *page = row->old ? row->old : row->new;
        STR_AUTO struct str labels = STR_INIT(EXPR_MAX);
        char time[CLOCK_TEXT_MAX];

        if (row->kind == DIFF_KEPT || n++ >= ROWS_MAX)
            continue;
        add_labels(pair, row, &labels);
        str_addf(out, "| %s%s | %s | ", is_red(diff, pair, row) ? "\xf0\x9f\x94\xb4 " : "",
                 diff_kind_name(row->kind), clock_rfc3339(page->at_ms, time));
        add_cell(report_name(page->who), out);
        str_add(out, " | ");
        add_cell(str_text(&labels), out);
        if (row->kind == DIFF_MOVED)
            add_moved(row->moved_ms, out);
        str_add(out, " |\n");
    }
    if (n > ROWS_MAX)
        str_addf(out, "| ... | and %zu more | | |\n", n - ROWS_MAX);
}

static void add_github_missing(const struct told *told, struct str *out)
{
    const char *missing[TOLD_LIST_MAX];
    size_t n = told_list(told, missing);

    if (n == 0)
        return;
    str_add(out, "> \xe2\x9a\xa0\xef\xb8\x8f **Not all of the past could be read:**\n");
    for (size_t i = 0; i < n && i < MISSING_SHOWN; i++) {
        str_add(out, "> - ");
        add_cell(missing[i], out);
        str_addc(out, '\n');
    }
    if (n > MISSING_SHOWN)
        str_addf(out, "> - and %zu more\n", n - MISSING_SHOWN);
    str_addc(out, '\n');
}

static void show_github(const struct tune_diff *diff, struct str *out)
{
    str_add(out, "### Alert rules: ");
    add_verdict(diff, out);
    str_add(out, "\n\n");
    add_github_missing(diff->told, out);
    for (size_t i = 0; i < diff->n_lost; i++) {
        const struct tune_incident *incident = &diff->labels->at[diff->lost[i]];
        STR_AUTO struct str name = STR_INIT(1024);

        add_incident(incident, &name);
        str_add(out, "> \xf0\x9f\x94\xb4 **Lost:** ");
        add_cell(str_text(&name), out);
        str_add(out, ": no rule pages in it any more.\n>\n");
    }
    if (totals_of(diff).n_changed == 0)
        return;
    str_add(out, "\n| rule | change | pages | kept | moved | gained | lost | incidents found |\n"
                 "|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < diff->n; i++)
        if (diff->pairs[i].state != PAIR_SAME)
            add_github_row(&diff->pairs[i], out);
    str_add(out, "\n<details><summary>Every page that changes</summary>\n\n"
                 "| | when | who | alert |\n|---|---|---|---|\n");
    for (size_t i = 0; i < diff->n; i++)
        if (diff->pairs[i].state != PAIR_SAME)
            add_github_pages(diff, &diff->pairs[i], out);
    str_add(out, "\n</details>\n\nA page is one telling of one receiver. Reckoned over the real "
                 "past by the rules' own evaluation and the config's routing.\n");
    if (diff->n_recording > 0)
        str_addf(out,
                 "\n%zu recording rules changed too: what they would have recorded is not "
                 "known.\n",
                 diff->n_recording);
}

/* --- a program --- */

static const char *state_name(enum pair_state state)
{
    static const char *const names[] = {"same", "changed", "new", "gone"};

    return names[state];
}

static void write_pair(const struct pair *pair, struct json_out *json)
{
    STR_AUTO struct str change = STR_INIT(EXPR_MAX);
    const struct diff_side old = {&pair->old.pages, pair->old.alerts.at};
    const struct diff_side new = {&pair->new.pages, pair->new.alerts.at};

    tune_diff_change(pair, &change);
    json_open(json, '{');
    json_kv_string(json, "group", pair->group);
    json_kv_string(json, "rule", pair->name);
    json_kv_string(json, "state", state_name(pair->state));
    json_kv_string(json, "change", str_text(&change));
    json_kv_int(json, "pages_old", (int64_t)pair->old.pages.n);
    json_kv_int(json, "pages_new", (int64_t)pair->new.pages.n);
    json_kv_int(json, "alerts_old", (int64_t)pair->old.pages.alerts);
    json_kv_int(json, "alerts_new", (int64_t)pair->new.pages.alerts);
    diff_json(&pair->diff, &old, &new, json);
    json_close(json, '}');
}

static void show_json(const struct tune_diff *diff, struct str *out)
{
    struct json_out json = JSON_OUT(out);
    STR_AUTO struct str verdict = STR_INIT(EXPR_MAX);
    struct totals totals = totals_of(diff);

    add_verdict(diff, &verdict);
    json_open(&json, '{');
    json_kv_string(&json, "verdict", str_text(&verdict));
    json_kv_time(&json, "from", diff->from_ms);
    json_kv_time(&json, "to", diff->to_ms);
    json_kv_int(&json, "pages_old", (int64_t)totals.old);
    json_kv_int(&json, "pages_new", (int64_t)totals.new);
    json_kv_int(&json, "incidents", (int64_t)diff->labels->n);
    json_kv_int(&json, "recording_rules_changed", (int64_t)diff->n_recording);
    missing_json(diff->told, "warnings", &json);
    json_key(&json, "lost");
    json_open(&json, '[');
    for (size_t i = 0; i < diff->n_lost; i++) {
        const struct tune_incident *incident = &diff->labels->at[diff->lost[i]];

        json_open(&json, '{');
        json_kv_string(&json, "name", incident->name);
        json_kv_time(&json, "begin", incident->begin_ms);
        json_kv_time(&json, "end", incident->end_ms);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_key(&json, "rules");
    json_open(&json, '[');
    for (size_t i = 0; i < diff->n; i++)
        if (diff->pairs[i].state != PAIR_SAME)
            write_pair(&diff->pairs[i], &json);
    json_close(&json, ']');
    json_close(&json, '}');
    str_addc(out, '\n');
}

/* --- a CI --- */

static bool loses(const struct tune_diff *diff, const struct pair *pair)
{
    for (size_t i = 0; i < pair->diff.n_incidents; i++)
        if (pair->diff.incidents[i].old_ms != INT64_MAX &&
            pair->diff.incidents[i].new_ms == INT64_MAX &&
            tune_diff_is_lost(diff, pair->diff.incidents[i].incident))
            return true;
    return false;
}

static void show_junit(const struct tune_diff *diff, struct str *out)
{
    size_t n_failures = 0;

    for (size_t i = 0; i < diff->n; i++)
        n_failures += loses(diff, &diff->pairs[i]);
    str_addf(out,
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
             "<testsuite name=\"alert rules\" tests=\"%zu\" failures=\"%zu\">\n",
             totals_of(diff).n_changed, n_failures);
    for (size_t i = 0; i < diff->n; i++) {
        const struct pair *pair = &diff->pairs[i];
        STR_AUTO struct str words = STR_INIT(EXPR_MAX);

        if (pair->state == PAIR_SAME)
            continue;
        diff_words(&pair->diff, &words);
        str_add(out, "  <testcase classname=\"");
        html_escape(out, pair->group);
        str_add(out, "\" name=\"");
        html_escape(out, pair->name);
        str_add(out, loses(diff, pair) ? "\"><failure message=\"" : "\"><system-out>");
        html_escape(out, str_text(&words));
        str_add(out, loses(diff, pair) ? "\"/></testcase>\n" : "</system-out></testcase>\n");
    }
    STR_AUTO struct str missing = STR_INIT(EXPR_MAX * TOLD_LIST_MAX);
    missing_add(diff->told, &missing);
    if (missing.len > 0) {
        str_add(out, "  <system-out>");
        html_escape(out, str_text(&missing));
        str_add(out, "</system-out>\n");
    }
    str_add(out, "</testsuite>\n");
}

bool tune_diff_show(const char *format, const struct tune_diff *diff, bool color, struct str *out)
{
    if (strcmp(format, "text") == 0)
        show_text(diff, color, out);
    else if (strcmp(format, "github") == 0)
        show_github(diff, out);
    else if (strcmp(format, "json") == 0)
        show_json(diff, out);
    else if (strcmp(format, "junit") == 0)
        show_junit(diff, out);
    else
        return false;
    return true;
}
