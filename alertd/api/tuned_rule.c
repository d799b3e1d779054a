/*
 * A rule that is looked at over its past. See tuned_rule.h.
 */

#include "alertd/api/tuned_rule.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/db/rule_db.h"
#include "lib/base/clock.h"

enum {
    LIST_BYTES_MAX = 256 << 20,
    TEXT_BYTES_MAX = 1 << 20,
    QUERY_BYTES_MAX = 256 << 20,
    INDENT = 6,
    HEAD_LINES = 4,
    DAYS_USUAL = 30,
    DAYS_MAX = 400,
};
#define DAY_MS INT64_C(86400000)

static atomic_int running;

/* --- the rule --- */

/* One rule with nothing around it becomes the only one of a file: each line further in. */
static void add_file(const char *text, int64_t interval_ms, struct str *out)
{
    bool is_item = text[strspn(text, " \n\r\t")] == '-';
    bool is_first = true;

    str_addf(out, "groups:\n  - name: tuned\n    interval: %lldms\n    rules:\n",
             (long long)interval_ms);
    while (*text) {
        size_t len = strcspn(text, "\n");

        if (len > 0 && !is_item)
            str_addf(out, "%*s%s%.*s", INDENT, "", is_first ? "- " : "  ", (int)len, text);
        else if (len > 0)
            str_addf(out, "%*s%.*s", INDENT, "", (int)len, text);
        is_first &= len == 0;
        str_addc(out, '\n');
        text += len + (text[len] == '\n');
    }
}

static int parse(const char *text, int64_t interval_ms, struct tuned_rule *rule, struct err *reterr)
{
    STR_AUTO struct str whole = STR_INIT(TEXT_BYTES_MAX);
    struct err err = {0};
    bool is_file = strncmp(text, "groups:", strlen("groups:")) == 0;

    if (is_file)
        str_add(&whole, text);
    else
        add_file(text, interval_ms, &whole);
    if (whole.full)
        return err_set(reterr, TUNED_E_BAD, "rule: 1 MiB at most");
    if (rule_file_parse("rule", str_text(&whole), whole.len, NULL, &rule->file, &err) != 0)
        return err_set(reterr, TUNED_E_BAD, "rule: line %u: %.400s",
                       is_file || err.line <= HEAD_LINES ? err.line : err.line - HEAD_LINES,
                       err.text);
    for (size_t g = 0; !rule->rule && g < rule->file->n_groups; g++)
        for (size_t i = 0; !rule->rule && i < rule->file->groups[g].n_rules; i++)
            if (rule->file->groups[g].rules[i].is_alert) {
                rule->group = &rule->file->groups[g];
                rule->rule = &rule->group->rules[i];
            }
    if (!rule->rule)
        return err_set(reterr, TUNED_E_BAD, "rule: there is no alert in it");
    rule->interval_ms = rule->group->interval_ms;
    return 0;
}

int tuned_rule_by_text(const char *text, struct tuned_rule *ret, struct err *reterr)
{
    *ret = (struct tuned_rule){0};
    return parse(text, RULE_INTERVAL_DEFAULT_MS, ret, reterr);
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
        return err_set(reterr, TUNED_E_NOT_FOUND, "there is no rule %lld that is evaluated",
                       (long long)id);
    if (row->is_recording)
        return err_set(reterr, TUNED_E_BAD, "rule: \"%.100s\" records, it is no alert", row->name);
    r = rule_db_versions(conn, id, arena, &versions, &n, reterr);
    if (r == 0 && n == 0)
        r = err_set(reterr, TUNED_E_NOT_FOUND, "rule %lld has no version", (long long)id);
    if (r)
        return r;
    rule->id = id;
    rule->version = row->version;
    return parse(versions[0].yaml, group->interval_ms, rule, reterr);
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
    const struct json *rule = json_get(body, "rule");
    const char *text = rule ? json_text(rule) : NULL;
    int64_t id = 0;

    *ret = (struct tuned_rule){0};
    if (json_has(body, "yaml") == json_has(body, "rule"))
        return err_set(reterr, TUNED_E_BAD, "rule: an id or a text, or `yaml`: one of them");
    if (json_has(body, "yaml") && json_get_string(body, "yaml", &text, reterr))
        return TUNED_E_BAD;
    if (text)
        return tuned_rule_by_text(text, ret, reterr);
    if (json_get_int(body, "rule", &id, reterr))
        return TUNED_E_BAD;
    return tuned_rule_by_id(api, id, ret, reterr);
}

void tuned_rule_done(struct tuned_rule *rule)
{
    rule_file_unref(rule->file);
    *rule = (struct tuned_rule){0};
}

/* --- times --- */

int tuned_times(
    const char *from, const char *to, int64_t *ret_from_ms, int64_t *ret_to_ms, struct err *reterr)
{
    *ret_to_ms = clock_wall_ms();
    if (to && *to && clock_parse_rfc3339(to, ret_to_ms))
        return err_set(reterr, TUNED_E_BAD, "to: expected a time like 2026-11-23T00:00:00Z");
    *ret_from_ms = *ret_to_ms - DAYS_USUAL * DAY_MS;
    if (from && *from && clock_parse_rfc3339(from, ret_from_ms))
        return err_set(reterr, TUNED_E_BAD, "from: expected a time like 2026-11-16T00:00:00Z");
    if (*ret_from_ms >= *ret_to_ms || *ret_to_ms - *ret_from_ms > DAYS_MAX * DAY_MS)
        return err_set(reterr, TUNED_E_BAD, "from: earlier than `to`, by %d days at most",
                       DAYS_MAX);
    return 0;
}

/* --- the store --- */

int tuned_over_begin(const struct api *api, struct tuned_over *ret, struct err *reterr)
{
    *ret = (struct tuned_over){0};
    if (atomic_fetch_add(&running, 1) >= TUNED_AT_ONCE) {
        atomic_fetch_sub(&running, 1);
        return err_set(reterr, TUNED_E_BUSY,
                       "%d questions about the past are being answered: try again", TUNED_AT_ONCE);
    }
    ret->is_running = true;
    ret->source = store_source(api->store);
    ret->reading = (struct reading_source){.source = &ret->source, .query_bytes = QUERY_BYTES_MAX};
    ret->reader = reading_of_source(&ret->reading);
    return 0;
}

void tuned_over_done(struct tuned_over *over)
{
    if (over->is_running)
        atomic_fetch_sub(&running, 1);
    over->is_running = false;
}

void tuned_fail(struct http_response *response, int code, const struct err *err)
{
    switch (code) {
    case TUNED_E_BAD: http_fail(response, "bad_data", "%s", err->text); return;
    case TUNED_E_NOT_FOUND: http_fail(response, "not_found", "%s", err->text); return;
    case TUNED_E_BUSY: http_fail(response, "unavailable", "%s", err->text); return;
    default: http_fail(response, "execution", "%s", err->text); return;
    }
}
