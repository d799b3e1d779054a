/*
 * A rule that is looked at over its past. See tuned_rule.h.
 */

#include "alertd/api/tuned_rule.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/told_json.h"
#include "alertd/db/rule_db.h"
#include "alertd/rule/phase.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/parallel.h"

enum {
    LIST_BYTES_MAX = 256 << 20,
    QUERY_BYTES_MAX = 256 << 20, /* what reading a piece of time may take */
    WAIT_MS = 10000,             /* for a place */
    LOOK_MS = 10,
    INDENT = 6,
    HEAD_LINES = 4,
    DASH = 2, /* columns of what makes a rule an item */
    DAYS_USUAL = 30,
    DAYS_MAX = 400,
};
#define DAY_MS INT64_C(86400000)

/* Who reads, and who waits for it: a page asks several things when its reader rests. */
static atomic_int running, waiting;

/* --- the rule --- */

/* One rule with nothing around it becomes the only one of a file: each line further in. */
static void add_file(const struct tuned_rule *tuned, int64_t interval_ms, struct str *out)
{
    bool is_item = tuned->head_columns == INDENT;
    bool is_first = true;

    str_addf(out, "groups:\n  - name: tuned\n    interval: %lldms\n    rules:\n",
             (long long)interval_ms);
    for (const char *text = tuned->yaml; *text;) {
        size_t len = strcspn(text, "\n");

        if (len > 0)
            str_addf(out, "%*s%s%.*s", INDENT, "",
                     is_item    ? ""
                     : is_first ? "- "
                                : "  ",
                     (int)len, text);
        is_first &= len == 0;
        str_addc(out, '\n');
        text += len + (text[len] == '\n');
    }
}

static void find_alert(struct tuned_rule *tuned)
{
    for (size_t g = 0; g < tuned->file->n_groups; g++)
        for (size_t i = 0; i < tuned->file->groups[g].n_rules; i++)
            if (tuned->file->groups[g].rules[i].is_alert) {
                tuned->group = &tuned->file->groups[g];
                tuned->rule = &tuned->group->rules[i];
                return;
            }
}

/* field: what its words begin with. */
static int parse(const char *text,
                 const char *field,
                 int64_t interval_ms,
                 struct tuned_rule *tuned,
                 struct err *reterr)
{
    STR_AUTO struct str whole = STR_INIT(4 * TUNED_YAML_MAX);
    bool is_file = strncmp(text, "groups:", strlen("groups:")) == 0;
    bool is_item = text[strspn(text, " \n\r\t")] == '-';
    struct err err = {0};

    if (strlen(text) >= TUNED_YAML_MAX)
        return err_set(reterr, TUNED_E_BAD, "%s: a rule has %d KiB at most", field,
                       TUNED_YAML_MAX >> 10);
    tuned->yaml = mem_strdup(text);
    tuned->head_lines = is_file ? 0 : HEAD_LINES;
    tuned->head_columns = is_file ? 0 : is_item ? INDENT : INDENT + DASH;
    if (is_file)
        str_add(&whole, text);
    else
        add_file(tuned, interval_ms, &whole);
    if (whole.full)
        return err_set(reterr, TUNED_E_BAD, "%s: too many lines", field);
    if (rule_file_parse("rule", str_text(&whole), whole.len, NULL, &tuned->file, &err) != 0)
        return err_set(reterr, TUNED_E_BAD, "%s: %u:%u: %.300s", field,
                       err.line > tuned->head_lines ? err.line - tuned->head_lines : err.line,
                       err.column > tuned->head_columns ? err.column - tuned->head_columns
                                                        : err.column,
                       err.text);
    find_alert(tuned);
    if (!tuned->rule)
        return err_set(reterr, TUNED_E_BAD, "%s: there is no alert in it", field);
    tuned->interval_ms = tuned->group->interval_ms;
    return 0;
}

int tuned_rule_by_text(const char *text, struct tuned_rule *ret, struct err *reterr)
{
    *ret = (struct tuned_rule){0};
    return parse(text, "yaml", RULE_INTERVAL_DEFAULT_MS, ret, reterr);
}

int tuned_rule_change(struct tuned_rule *tuned, const struct rule *changed, struct err *reterr)
{
    STR_AUTO struct str yaml = STR_INIT(TUNED_YAML_MAX);
    struct tuned_rule made = {
        .id = tuned->id, .version = tuned->version, .phase_ms = tuned->phase_ms};

    rule_print(changed, 0, &yaml);
    int r = yaml.full ? err_set(reterr, TUNED_E_LIMIT, "the rule would be longer than %d KiB",
                                TUNED_YAML_MAX >> 10)
                      : parse(str_text(&yaml), "yaml", tuned->interval_ms, &made, reterr);

    made.source = tuned->source;
    made.group_name = tuned->group_name;
    tuned->source = tuned->group_name = NULL;
    tuned_rule_done(tuned);
    *tuned = made;
    return r;
}

static const struct rule_group_row *group_of(const struct rule_group_row *groups,
                                             size_t n,
                                             int64_t id,
                                             const struct rule_row **ret_row)
{
    for (size_t g = 0; g < n; g++)
        for (size_t i = 0; i < groups[g].n_rules; i++)
            if (groups[g].rules[i].id == id) {
                *ret_row = &groups[g].rules[i];
                return &groups[g];
            }
    return NULL;
}

static int load(struct db_conn *conn,
                int64_t id,
                struct arena *arena,
                struct tuned_rule *rule,
                struct err *reterr)
{
    struct rule_group_row *groups = NULL;
    struct rule_version_row *versions = NULL;
    const struct rule_row *row = NULL;
    size_t n_groups = 0;
    size_t n = 0;
    int r = rule_db_list(conn, clock_wall_ms(), arena, &groups, &n_groups, reterr);
    const struct rule_group_row *group = r ? NULL : group_of(groups, n_groups, id, &row);

    if (r)
        return r;
    if (!group)
        return err_set(reterr, TUNED_E_NOT_FOUND, "rule: there is no rule %lld that is evaluated",
                       (long long)id);
    if (row->is_recording)
        return err_set(reterr, TUNED_E_BAD,
                       "rule: \"%.100s\" records, it is no alert: there is nothing to tune",
                       row->name);
    r = rule_db_versions(conn, id, arena, &versions, &n, reterr);
    if (r == 0 && n == 0)
        r = err_set(reterr, TUNED_E_NOT_FOUND, "rule: %lld has no version", (long long)id);
    if (r)
        return r;
    rule->id = id;
    rule->version = row->version;
    rule->source = mem_strdup(group->source);
    rule->group_name = mem_strdup(group->name);
    rule->phase_ms = rule_phase_ms(group->source, group->name, group->interval_ms);
    return parse(versions[0].yaml, "rule", group->interval_ms, rule, reterr);
}

int tuned_rule_by_id(const struct api *api, int64_t id, struct tuned_rule *ret, struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;

    *ret = (struct tuned_rule){0};
    arena_init(&arena, LIST_BYTES_MAX);
    int r = db_read_begin(api->state, &conn, reterr);
    if (r)
        return r;
    r = load(conn, id, &arena, ret, reterr);
    db_read_end(api->state, conn);
    return r;
}

int tuned_rule_read(const struct api *api,
                    const struct json *body,
                    struct tuned_rule *ret,
                    struct err *reterr)
{
    const char *text = NULL;
    int64_t id = 0;

    *ret = (struct tuned_rule){0};
    if (json_has(body, "yaml") == json_has(body, "rule"))
        return err_set(reterr, TUNED_E_BAD,
                       "rule: say which: `rule`, the id of one, or `yaml`, the text of one");
    if (json_get_string_or(body, "yaml", NULL, &text, reterr) ||
        json_get_int_or(body, "rule", 0, &id, reterr))
        return TUNED_E_BAD;
    return text ? tuned_rule_by_text(text, ret, reterr) : tuned_rule_by_id(api, id, ret, reterr);
}

void tuned_rule_done(struct tuned_rule *rule)
{
    rule_file_unref(rule->file);
    free(rule->source);
    free(rule->group_name);
    free(rule->yaml);
    *rule = (struct tuned_rule){0};
}

/* --- times --- */

static int read_time(const char *text, const char *field, int64_t *inout_ms, struct err *reterr)
{
    if (text && *text && clock_parse_rfc3339(text, inout_ms))
        return err_set(reterr, TUNED_E_BAD, "%s: expected a time like 2026-11-03T02:10:00Z", field);
    return 0;
}

int tuned_times(
    const char *from, const char *to, int64_t *ret_from_ms, int64_t *ret_to_ms, struct err *reterr)
{
    int64_t now_ms = clock_wall_ms();

    *ret_to_ms = now_ms;
    int r = read_time(to, "to", ret_to_ms, reterr);
    *ret_from_ms = *ret_to_ms - DAYS_USUAL * DAY_MS;
    if (r == 0)
        r = read_time(from, "from", ret_from_ms, reterr);
    if (r)
        return r;
    if (*ret_to_ms > now_ms + DAY_MS)
        return err_set(reterr, TUNED_E_BAD, "to: lies ahead: there is only a past to look at");
    if (*ret_from_ms < 0 || *ret_from_ms >= *ret_to_ms)
        return err_set(reterr, TUNED_E_BAD, "from: it must lie before `to`, and after 1970");
    if (*ret_to_ms - *ret_from_ms > DAYS_MAX * DAY_MS)
        return err_set(reterr, TUNED_E_BAD, "from: %d days at most lie between it and `to`",
                       DAYS_MAX);
    return 0;
}

/* --- the store --- */

static bool is_left(const void *request)
{
    return http_is_left(request);
}

static bool take_place(void)
{
    if (atomic_fetch_add(&running, 1) < TUNED_AT_ONCE)
        return true;
    atomic_fetch_sub(&running, 1);
    return false;
}

/* False: too many wait already, or it took too long, or nobody waits any more. */
static bool wait_for_place(const struct http_request *request)
{
    int64_t until_ms = clock_mono_ms() + WAIT_MS;
    bool has_place = take_place();

    if (has_place)
        return true;
    if (atomic_fetch_add(&waiting, 1) < TUNED_WAITING)
        while (!has_place && clock_mono_ms() < until_ms && !http_is_left(request)) {
            clock_sleep_ms(LOOK_MS);
            has_place = take_place();
        }
    atomic_fetch_sub(&waiting, 1);
    return has_place;
}

int tuned_over_begin(const struct api *api,
                     const struct http_request *request,
                     struct tuned_over *ret,
                     struct err *reterr)
{
    *ret = (struct tuned_over){0};
    if (!wait_for_place(request))
        return err_set(reterr, TUNED_E_BUSY,
                       "%d questions about rules' pasts are being answered, as many as may be at "
                       "once, and others wait: try again in a moment",
                       TUNED_AT_ONCE);
    ret->is_running = true;
    ret->source = store_source(api->store);
    ret->reading = (struct reading_source){
        .source = &ret->source,
        .query_bytes = QUERY_BYTES_MAX,
        .lookback_ms = api->query_lookback_ms,
        .now_fn = clock_mono_ms,
        .deadline_ms = clock_mono_ms() + TUNED_DEADLINE_MS,
        .is_given_up_fn = is_left,
        .given_up_arg = request,
        .at_once_fn = parallel_each,
    };
    ret->reader = reading_of_source(&ret->reading);
    return 0;
}

void tuned_over_done(struct tuned_over *over)
{
    if (over->is_running)
        atomic_fetch_sub(&running, 1);
    over->is_running = false;
}

int tuned_over_code(const struct tuned_over *over, int code, struct err *reterr)
{
    if (code == 0 || code == -ECANCELED)
        return code;
    if (clock_mono_ms() >= over->reading.deadline_ms)
        return err_set(reterr, TUNED_E_LATE,
                       "the rule's past could not be read within %d s: ask for a shorter time, or "
                       "for fewer series",
                       TUNED_DEADLINE_MS / 1000);
    return code == -EINVAL ? TUNED_E_BAD : TUNED_E_LIMIT;
}

void tuned_fail(struct http_response *response,
                const struct told *told,
                int code,
                const struct err *err)
{
    const char *type = "internal";

    switch (code) {
    case TUNED_E_BAD: type = "bad_data"; break;
    case TUNED_E_NOT_FOUND: type = "not_found"; break;
    case TUNED_E_BUSY: type = "unavailable"; break;
    case TUNED_E_LATE: type = "timeout"; break;
    case TUNED_E_LIMIT: type = "execution"; break;
    case TUNED_E_FORBIDDEN: type = "forbidden"; break;
    case TUNED_E_CONFLICT: type = "conflict"; break;
    default: break;
    }
    told_fail(response, told, type, err->text);
    if (code == TUNED_E_BUSY)
        http_add_header(response, "Retry-After", "2");
}
