/*
 * One question about a rule's past. See tuning.h.
 */

#include "alertd/api/tuning.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    ARENA_BYTES = 64 << 20,
    RULES_BYTES_MAX = 256 << 20,
    YAML_MAX = 256 << 10,
    QUERY_BYTES_MAX = 256 << 20, /* what reading a piece of time may take */
    AT_ONCE = 2,
    DEADLINE_MS = 30000,
    COLUMNS_USUAL = 800,
    SPAN_DAYS_MAX = 400,
    INDENT = 6,
};
#define DAY_MS      INT64_C(86400000)
#define BACK_MS     (30 * DAY_MS)
#define FOR_MS_MAX  (60 * DAY_MS)
#define STEP_MS_MIN 1000

/* A rule's text stands alone; a file has it below these lines. */
static const char head[] = "groups:\n  - name: tuning\n    rules:\n";

static atomic_uint running;

static int bad(struct err *reterr, const char *field, const char *words)
{
    return err_set(reterr, TUNING_E_BAD, "%s: %s", field, words);
}

/* --- the rule --- */

/* `text` as the only rule of a file: each line further in. */
static void add_indented(const char *text, struct str *out)
{
    str_add(out, head);
    while (*text) {
        size_t len = strcspn(text, "\n");
        if (len > 0)
            str_addf(out, "%*s%.*s", INDENT, "", (int)len, text);
        str_addc(out, '\n');
        text += len + (text[len] == '\n');
    }
}

static int parse_one(const char *text, struct rule_file **ret_file, struct err *reterr)
{
    STR_AUTO struct str whole = STR_INIT(4 * YAML_MAX);
    struct err err = {0};
    bool is_file = strncmp(text, "groups:", 7) == 0;

    if (is_file)
        str_add(&whole, text);
    else
        add_indented(text, &whole);
    if (whole.full)
        return bad(reterr, "yaml", "a rule has 256 KiB at most");
    if (rule_file_parse("rule", str_text(&whole), whole.len, NULL, ret_file, &err)) {
        unsigned line = err.line > 3 && !is_file ? err.line - 3 : err.line;
        unsigned column = err.column > INDENT && !is_file ? err.column - INDENT : err.column;
        return err_set(reterr, TUNING_E_BAD, "yaml: %u:%u: %.300s", line, column, err.text);
    }
    return 0;
}

static const struct rule *first_alert(const struct rule_file *file, int64_t *ret_interval_ms)
{
    for (size_t g = 0; g < file->n_groups; g++)
        for (size_t i = 0; i < file->groups[g].n_rules; i++)
            if (file->groups[g].rules[i].is_alert) {
                *ret_interval_ms = file->groups[g].interval_ms;
                return &file->groups[g].rules[i];
            }
    return NULL;
}

static int load_rule(struct db_conn *conn, struct tuning *tuning, struct err *reterr)
{
    struct rule_group_row *groups = NULL;
    struct rule_version_row *versions = NULL;
    struct arena arena;
    size_t n_groups = 0;
    size_t n_versions = 0;

    arena_init(&arena, RULES_BYTES_MAX);
    int r = rule_db_list(conn, clock_wall_ms(), &arena, &groups, &n_groups, reterr);
    for (size_t g = 0; r == 0 && g < n_groups; g++)
        for (size_t i = 0; i < groups[g].n_rules; i++)
            if (groups[g].rules[i].id == tuning->rule_id) {
                tuning->version = groups[g].rules[i].version;
                tuning->interval_ms = groups[g].interval_ms;
                tuning->source = arena_strndup(&tuning->arena, groups[g].source,
                                               strlen(groups[g].source));
                tuning->group = arena_strndup(&tuning->arena, groups[g].name,
                                              strlen(groups[g].name));
            }
    if (r == 0 && tuning->version > 0)
        r = rule_db_versions(conn, tuning->rule_id, &arena, &versions, &n_versions, reterr);
    if (r == 0 && n_versions > 0)
        tuning->yaml = mem_strdup(versions[0].yaml);
    arena_reset(&arena);
    return r;
}

static int find_rule(struct tuning *tuning, struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = db_read_begin(tuning->api->state, &conn, reterr);

    if (r)
        return r;
    r = load_rule(conn, tuning, reterr);
    db_read_end(tuning->api->state, conn);
    if (r)
        return r;
    if (!tuning->yaml)
        return err_set(reterr, TUNING_E_NOT_FOUND, "rule: there is no rule %lld that is evaluated",
                       (long long)tuning->rule_id);
    return 0;
}

/* Other words in place of the rule's own. */
static int change_rule(struct tuning *tuning, const struct json *body, struct err *reterr)
{
    STR_AUTO struct str yaml = STR_INIT(YAML_MAX);
    struct rule changed = *tuning->rule;
    const char *expr = NULL;

    if (json_get_string_or(body, "expr", changed.expr_text, &expr, reterr))
        return TUNING_E_BAD;
    if (!json_has(body, "expr"))
        return 0;
    changed.expr_text = expr;
    rule_print(&changed, 0, &yaml);
    rule_file_unref(tuning->file);
    tuning->file = NULL;
    tuning->rule = NULL;
    free(tuning->yaml);
    tuning->yaml = str_take(&yaml);
    int r = parse_one(tuning->yaml, &tuning->file, reterr);
    if (r)
        return r;
    int64_t unused_ms = 0;
    tuning->rule = first_alert(tuning->file, &unused_ms);
    return tuning->rule ? 0 : bad(reterr, "expr", "it makes no alert");
}

static int read_rule(struct tuning *tuning, const struct json *body, struct err *reterr)
{
    const char *text = NULL;
    int64_t interval_ms = RULE_INTERVAL_DEFAULT_MS;
    int r = 0;

    if (json_has(body, "rule") == json_has(body, "yaml"))
        return bad(reterr, "rule", "say which: `rule`, the id of one, or `yaml`, the text of one");
    if (json_get_string_or(body, "yaml", NULL, &text, reterr) ||
        json_get_int_or(body, "rule", 0, &tuning->rule_id, reterr))
        return TUNING_E_BAD;
    if (text) {
        STR_AUTO struct str copy = STR_INIT(YAML_MAX);
        str_add(&copy, text);
        if (copy.full)
            return bad(reterr, "yaml", "a rule has 256 KiB at most");
        tuning->yaml = str_take(&copy);
        if (!tuning->yaml)
            return bad(reterr, "yaml", "it is empty");
    } else {
        r = find_rule(tuning, reterr);
    }
    if (r == 0)
        r = parse_one(tuning->yaml, &tuning->file, reterr);
    if (r)
        return r;
    tuning->rule = first_alert(tuning->file, &interval_ms);
    if (!tuning->rule)
        return bad(reterr, text ? "yaml" : "rule", "it is no alert: there is nothing to tune");
    if (text)
        tuning->interval_ms = interval_ms;
    return change_rule(tuning, body, reterr);
}

int tuning_rule_of(const struct tuning *tuning,
                   const struct split_choice *choice,
                   double threshold,
                   struct str *ret_yaml,
                   struct rule_file **ret_file,
                   struct err *reterr)
{
    STR_AUTO struct str expr = STR_INIT(YAML_MAX);
    struct rule changed = *tuning->rule;

    if (threshold != choice->now) {
        split_text(tuning->rule->expr, choice, threshold, &expr);
        changed.expr_text = str_text(&expr);
    }
    changed.for_ms = tuning->for_ms;
    changed.keep_firing_for_ms = tuning->keep_ms;
    rule_print(&changed, 0, ret_yaml);
    if (expr.full || ret_yaml->full)
        return err_set(reterr, TUNING_E_LIMIT, "the rule would be longer than 256 KiB");
    return parse_one(str_text(ret_yaml), ret_file, reterr);
}

/* --- what of it --- */

static int read_time(const struct json *body,
                     const char *name,
                     int64_t *inout_ms,
                     struct err *reterr)
{
    const char *text = NULL;

    if (json_get_string_or(body, name, NULL, &text, reterr))
        return TUNING_E_BAD;
    if (text && clock_parse_rfc3339(text, inout_ms))
        return bad(reterr, name, "expected a time like 2026-11-03T02:10:00Z");
    return 0;
}

static int read_times(struct tuning *tuning, const struct json *body, struct err *reterr)
{
    int64_t now_ms = clock_wall_ms();

    tuning->to_ms = now_ms;
    int r = read_time(body, "to", &tuning->to_ms, reterr);
    tuning->from_ms = tuning->to_ms - BACK_MS;
    if (r == 0)
        r = read_time(body, "from", &tuning->from_ms, reterr);
    if (r)
        return r;
    if (tuning->to_ms > now_ms + DAY_MS)
        return bad(reterr, "to", "lies ahead: there is only a past to look at");
    if (tuning->from_ms < 0 || tuning->from_ms >= tuning->to_ms)
        return bad(reterr, "from", "it must lie before `to`, and after 1970");
    if (tuning->to_ms - tuning->from_ms > SPAN_DAYS_MAX * DAY_MS)
        return bad(reterr, "from", "400 days at most lie between it and `to`");
    return 0;
}

static int read_span(const struct json *body,
                     const char *name,
                     int64_t *inout_ms,
                     struct err *reterr)
{
    if (json_get_int_or(body, name, *inout_ms, inout_ms, reterr))
        return TUNING_E_BAD;
    if (*inout_ms < 0 || *inout_ms > FOR_MS_MAX)
        return bad(reterr, name, "milliseconds, 0 to 60 days");
    return 0;
}

static int read_setting(struct tuning *tuning, const struct json *body, struct err *reterr)
{
    int64_t choice = 0;
    int64_t columns = COLUMNS_USUAL;

    tuning->for_ms = tuning->rule->for_ms;
    tuning->keep_ms = tuning->rule->keep_firing_for_ms;
    tuning->has_choice = json_has(body, "choice");
    tuning->has_setting = json_has(body, "threshold");
    if (json_get_int_or(body, "choice", 1, &choice, reterr) ||
        json_get_int_or(body, "columns", COLUMNS_USUAL, &columns, reterr) ||
        (tuning->has_setting && json_get_float(body, "threshold", &tuning->threshold, reterr)))
        return TUNING_E_BAD;
    if (choice < 1)
        return bad(reterr, "choice", "the number of one of the things to move, from 1");
    if (tuning->has_setting && !isfinite(tuning->threshold))
        return bad(reterr, "threshold", "expected a finite number");
    if (columns < 1 || columns > PICTURE_COLUMNS_MAX)
        return bad(reterr, "columns", "1 to 4000");
    tuning->choice = (size_t)choice - 1;
    tuning->columns = (uint32_t)columns;
    int r = read_span(body, "for_ms", &tuning->for_ms, reterr);
    if (r == 0)
        r = read_span(body, "keep_firing_for_ms", &tuning->keep_ms, reterr);
    if (r == 0 && json_has(body, "interval_ms"))
        r = read_span(body, "interval_ms", &tuning->interval_ms, reterr);
    if (r == 0 && tuning->interval_ms < STEP_MS_MIN)
        r = bad(reterr, "interval_ms", "a second at least");
    return r;
}

static int read_zone(struct tuning *tuning, const struct json *body, struct err *reterr)
{
    const char *name = NULL;
    struct err err = {0};

    if (json_get_string_or(body, "zone", "UTC", &name, reterr))
        return TUNING_E_BAD;
    return zone_open(name, &tuning->zone, &err) == 0 ? 0 : bad(reterr, "zone", err.text);
}

int tuning_read(const struct api *api,
                const struct json *body,
                struct tuning *ret_tuning,
                struct err *reterr)
{
    struct tuning *tuning = ret_tuning;

    *tuning = (struct tuning){.api = api, .deadline_ms = clock_mono_ms() + DEADLINE_MS};
    arena_init(&tuning->arena, ARENA_BYTES);
    if (!json_is_object(body))
        return bad(reterr, "the body", "expected an object");
    int r = read_times(tuning, body, reterr);
    if (r == 0)
        r = read_rule(tuning, body, reterr);
    if (r == 0)
        r = read_setting(tuning, body, reterr);
    if (r == 0)
        r = read_zone(tuning, body, reterr);
    if (r == 0)
        r = tuning_read_incidents(tuning, body, reterr);
    return r;
}

void tuning_done(struct tuning *tuning)
{
    rule_file_unref(tuning->file);
    free(tuning->yaml);
    zone_free(tuning->zone);
    free(tuning->incidents);
    free(tuning->whens);
    arena_reset(&tuning->arena);
}

/* --- and its answer --- */

struct tune_ask tuning_ask(const struct tuning *tuning)
{
    return (struct tune_ask){
        .rule = tuning->rule,
        .interval_ms = tuning->interval_ms,
        .from_ms = tuning->from_ms,
        .to_ms = tuning->to_ms,
        .choice = tuning->choice,
        .for_ms = tuning->rule->for_ms,
        .whens = tuning->whens,
        .n_incidents = tuning->n_whens,
        .zone = tuning->zone,
    };
}

static int as_ours(const struct tuning *tuning, int code, struct err *reterr)
{
    if (code == 0)
        return 0;
    if (clock_mono_ms() >= tuning->deadline_ms)
        return err_set(reterr, TUNING_E_LATE,
                       "the rule's past could not be read within %d s: ask for a shorter time, or "
                       "for fewer series",
                       DEADLINE_MS / 1000);
    return code == -EINVAL ? TUNING_E_BAD : TUNING_E_LIMIT;
}

static int run(const struct tuning *tuning,
               const struct tune_ask *ask,
               struct tune_result *ret_result,
               struct err *reterr)
{
    const struct source source = store_source(tuning->api->store);
    struct reading_source reading = {
        .source = &source,
        .query_bytes = QUERY_BYTES_MAX,
        .lookback_ms = tuning->api->query_lookback_ms,
        .now_fn = clock_mono_ms,
        .deadline_ms = tuning->deadline_ms,
    };
    const struct tune_reader reader = reading_of_source(&reading);
    struct tune_ask other = *ask;
    int r = tune_run(&reader, ask, ret_result, reterr);

    /* The first thing to move can't be: the last one, `for`, always can. */
    if (r == -EINVAL && !tuning->has_choice && ret_result->n_choices > 1 &&
        ret_result->choices[0].way == SPLIT_AGAIN) {
        other.choice = ret_result->n_choices - 1;
        tune_result_done(ret_result);
        r = tune_run(&reader, &other, ret_result, reterr);
    }
    if (r == -EINVAL && ret_result->n_choices > 0 && tuning->choice >= ret_result->n_choices)
        return err_set(reterr, TUNING_E_BAD, "choice: the rule has %zu things to move",
                       ret_result->n_choices);
    return as_ours(tuning, r, reterr);
}

int tuning_run(const struct tuning *tuning,
               const struct tune_ask *ask,
               struct tune_result *ret_result,
               struct err *reterr)
{
    int r;

    *ret_result = (struct tune_result){0};
    if (atomic_fetch_add(&running, 1) >= AT_ONCE)
        r = err_set(reterr, TUNING_E_BUSY,
                    "%d rules are being tuned now, as many as may be at once: try again in a "
                    "moment",
                    AT_ONCE);
    else
        r = run(tuning, ask, ret_result, reterr);
    atomic_fetch_sub(&running, 1);
    return r;
}

void tuning_fail(struct http_response *response, int code, const struct err *err)
{
    static const char *const types[] = {
        [TUNING_E_BAD] = "bad_data",     [TUNING_E_NOT_FOUND] = "not_found",
        [TUNING_E_BUSY] = "unavailable", [TUNING_E_LATE] = "timeout",
        [TUNING_E_LIMIT] = "execution",
    };

    http_fail(response, code > 0 && code <= TUNING_E_LIMIT ? types[code] : "internal", "%s",
              err->text);
    if (code == TUNING_E_BUSY)
        http_add_header(response, "Retry-After", "2");
}
