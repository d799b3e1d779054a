/*
 * alertctl shadow ..., readiness: who looks over whose shoulder, what they made of their pages,
 * and how far they are with the checklist.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/roster.h"
#include "ctl/table.h"
#include "lib/base/clock.h"
#include "lib/json/write.h"
#include "lib/model/duration.h"

#define SHADOWS   "/api/alertd/v1/shadows"
#define PAGES     "/api/alertd/v1/shadow-pages"
#define READINESS "/api/alertd/v1/readiness"

enum {
    BODY_MAX = 64 * 1024,
    PATH_MAX_BYTES = 2048,
    DAYS_USUAL = 14,
    AGO_MAX = DURATION_TEXT_MAX + 8,
};

static const struct json *object_of(const struct json *object, const char *key)
{
    const struct json *value = NULL;

    (void)json_get_object(object, key, &value, NULL);
    return value;
}

/* --- who shadows whom --- */

enum ctl_exit cmd_shadow_list(struct ctl *ctl)
{
    struct table table = TABLE("ID", "WHO", "LOOKS ON", "MODE", "MENTOR", "FROM", "TO");
    struct zone *utc = roster_zone("UTC");
    int64_t now_ms = clock_wall_ms();
    struct json *root = NULL;
    enum ctl_exit r = call_json(ctl, &(struct call){.method = "GET", .path = SHADOWS}, &root);
    const struct json *list = root ? roster_list(root, "shadows") : NULL;

    for (size_t i = 0; utc && list && i < json_length(list); i++) {
        const struct json *spec = object_of(json_at(list, i), "spec");
        char from[ROSTER_WHEN_MAX];
        char to[ROSTER_WHEN_MAX];
        char of[256];

        if (!spec)
            continue;
        const char *mentor = answer_text(spec, "mentor");

        (void)snprintf(of, sizeof(of), "%s %s", answer_text(spec, "target_kind"),
                       answer_text(spec, "target"));
        TABLE_ROW(&table, answer_text(json_at(list, i), "id"), answer_text(spec, "person"), of,
                  answer_text(spec, "mode"), mentor ? mentor : "-",
                  roster_when(utc, roster_instant(spec, "from"), now_ms, from),
                  roster_when(utc, roster_instant(spec, "to"), now_ms, to));
    }
    if (r == CTL_OK && root && list && json_length(list))
        table_print(&table);
    else if (r == CTL_OK && root)
        (void)puts("Nobody shadows anybody: alertctl shadow add NAME --schedule=NAME");
    zone_free(utc);
    json_free(root);
    return r;
}

static enum ctl_exit wrong_use(const struct ctl *ctl, const char *words)
{
    (void)ctl_fail(ctl, "%s", words);
    return CTL_USAGE;
}

static bool write_shadow(const struct ctl *ctl, struct json_out *out)
{
    const char *person = ctl_option(ctl, "person");
    const char *mode = ctl_option(ctl, "mode");
    const char *after = ctl_option(ctl, "after");
    struct zone *utc = roster_zone("UTC");
    char text[CLOCK_TEXT_MAX];
    int64_t after_ms = 0;
    int64_t from_ms = 0;
    int64_t to_ms = 0;
    bool is_time = utc && roster_read_when(ctl, "from", utc, clock_wall_ms(), &from_ms) &&
                   roster_read_when(ctl, "to", utc, from_ms + DAYS_USUAL * 86400000LL, &to_ms);

    zone_free(utc);
    if (!is_time)
        return false;
    if (after && duration_parse(after, strlen(after), &after_ms) != 0) {
        (void)ctl_fail(ctl, "--after: expected a duration such as 2m");
        return false;
    }
    json_open(out, '{');
    json_kv_string(out, "person", ctl->arguments[0]);
    json_kv_string(out, "target_kind", person ? "person" : "schedule");
    json_kv_string(out, "target", person ? person : ctl_option(ctl, "schedule"));
    json_kv_string(out, "from", clock_rfc3339(from_ms, text));
    json_kv_string(out, "to", clock_rfc3339(to_ms, text));
    json_kv_string(out, "mode", mode ? mode : "own copy");
    if (ctl_option(ctl, "mentor"))
        json_kv_string(out, "mentor", ctl_option(ctl, "mentor"));
    if (after)
        json_kv_int(out, "after_ms", after_ms);
    json_close(out, '}');
    return true;
}

enum ctl_exit cmd_shadow_add(struct ctl *ctl)
{
    STR_AUTO struct str body = STR_INIT(BODY_MAX);
    struct json_out out = JSON_OUT(&body);
    struct json *root = NULL;

    if (!ctl_option(ctl, "person") == !ctl_option(ctl, "schedule"))
        return wrong_use(ctl, "whom they look over the shoulder: either --person or --schedule");
    if (!write_shadow(ctl, &out))
        return CTL_USAGE;
    enum ctl_exit r = call_json(
        ctl, &(struct call){.method = "POST", .path = SHADOWS, .body = str_text(&body)}, &root);

    if (r == CTL_OK && root)
        (void)printf("%s is a shadow until it ends or: alertctl shadow remove %s\n",
                     ctl->arguments[0], answer_text(root, "id"));
    json_free(root);
    return r;
}

enum ctl_exit cmd_shadow_remove(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(PATH_MAX_BYTES);
    char *text = NULL;

    str_add(&path, SHADOWS "/");
    add_encoded(&path, ctl->arguments[0]);
    enum ctl_exit r = call_text(ctl, &(struct call){.method = "DELETE", .path = str_text(&path)},
                                &text);

    if (r == CTL_OK && !ctl->json)
        (void)printf("%s is over. What was shadowed stays.\n", ctl->arguments[0]);
    free(text);
    return r;
}

/* --- their pages --- */

static void add_parameter(struct str *path, const char *name, const char *value)
{
    if (!value)
        return;
    str_addf(path, "%s%s=", strchr(str_text(path), '?') ? "&" : "?", name);
    add_encoded(path, value);
}

static const char *tap(const struct json *answers, const char *key)
{
    bool yes = false;

    if (!answers || !json_has(answers, key) || json_get_bool(answers, key, &yes, NULL) != 0)
        return "-";
    return yes ? "yes" : "no";
}

static void add_page(struct table *table, const struct json *page)
{
    const struct json *incident = object_of(page, "incident");
    const struct json *answers = object_of(page, "answers");
    const char *hypothesis = answer_text(page, "hypothesis");
    char taps[64];
    char made[AGO_MAX];
    char state[AGO_MAX];
    char id[24];
    bool acknowledged = answer_text(page, "acknowledged_at") != NULL;
    bool seen = answer_text(page, "seen_at") != NULL;

    (void)snprintf(id, sizeof(id), "%" PRId64, answer_count(page, "id"));
    (void)snprintf(taps, sizeof(taps), "%s/%s/%s", tap(answers, "acted_on"),
                   tap(answers, "made_sense"), tap(answers, "knew_where"));
    (void)snprintf(state, sizeof(state), "%s",
                   acknowledged                   ? "acknowledged"
                   : seen                         ? "seen"
                   : answer_text(page, "told_at") ? "told"
                                                  : "not told yet");
    TABLE_ROW(table, id, answer_text(page, "person"), incident ? answer_text(incident, "key") : "-",
              answer_text(page, "mode"), ago(answer_text(page, "made_at"), made, sizeof(made)),
              state, taps, hypothesis ? hypothesis : "-");
}

enum ctl_exit cmd_shadow_pages(struct ctl *ctl)
{
    struct table table = TABLE("ID", "WHO", "INCIDENT", "MODE", "MADE", "STATE",
                               "ACTED/SENSE/WHERE", "GUESS");
    STR_AUTO struct str path = STR_INIT(PATH_MAX_BYTES);
    struct json *root = NULL;

    str_add(&path, PAGES);
    add_parameter(&path, "person", ctl->n_arguments ? ctl->arguments[0] : NULL);
    add_parameter(&path, "incident", ctl_option(ctl, "incident"));
    add_parameter(&path, "limit", ctl_option(ctl, "limit"));
    enum ctl_exit r = call_json(ctl, &(struct call){.method = "GET", .path = str_text(&path)},
                                &root);
    const struct json *pages = root ? roster_list(root, "shadow_pages") : NULL;

    for (size_t i = 0; pages && i < json_length(pages); i++)
        add_page(&table, json_at(pages, i));
    if (pages && json_length(pages))
        table_print(&table);
    else if (pages)
        (void)puts("No page was shadowed yet.");
    json_free(root);
    return r;
}

/* One saying about a page; `body` is JSON. */
static enum ctl_exit say(struct ctl *ctl, const char *what, const char *body)
{
    STR_AUTO struct str path = STR_INIT(PATH_MAX_BYTES);
    char *text = NULL;

    str_add(&path, PAGES "/");
    add_encoded(&path, ctl->arguments[0]);
    str_addf(&path, "/%s", what);
    add_parameter(&path, "for", ctl_option(ctl, "for"));
    enum ctl_exit r = call_text(
        ctl, &(struct call){.method = "POST", .path = str_text(&path), .body = body}, &text);

    if (r == CTL_OK && ctl->json)
        (void)puts(text);
    else if (r == CTL_OK)
        (void)printf("%s: kept\n", what);
    free(text);
    return r;
}

static enum ctl_exit say_text(struct ctl *ctl, const char *what)
{
    STR_AUTO struct str body = STR_INIT(BODY_MAX);
    struct json_out out = JSON_OUT(&body);

    if (!ctl_option(ctl, what))
        return CTL_OK;
    json_open(&out, '{');
    json_kv_string(&out, "text", ctl_option(ctl, what));
    json_close(&out, '}');
    return say(ctl, what, str_text(&body));
}

/* "acted_on": true and so on, of the taps that were given; false: one is neither yes nor no. */
static bool write_taps(const struct ctl *ctl, struct json_out *out, bool *ret_any)
{
    static const char *const taps[][2] = {
        {"acted-on", "acted_on"}, {"made-sense", "made_sense"}, {"knew-where", "knew_where"}};

    json_open(out, '{');
    for (size_t i = 0; i < sizeof(taps) / sizeof(taps[0]); i++) {
        const char *value = ctl_option(ctl, taps[i][0]);

        if (!value)
            continue;
        if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
            return false;
        json_kv_bool(out, taps[i][1], *value == 'y');
        *ret_any = true;
    }
    json_close(out, '}');
    return true;
}

enum ctl_exit cmd_shadow_answer(struct ctl *ctl)
{
    STR_AUTO struct str body = STR_INIT(BODY_MAX);
    struct json_out out = JSON_OUT(&body);
    bool any = false;

    if (!write_taps(ctl, &out, &any))
        return wrong_use(ctl, "--acted-on, --made-sense, --knew-where: expected yes or no");
    if (!any && !ctl_option(ctl, "hypothesis") && !ctl_option(ctl, "notes"))
        return wrong_use(ctl, "nothing is said: try --hypothesis or one of the taps");
    enum ctl_exit r = say_text(ctl, "hypothesis");

    if (r == CTL_OK && any)
        r = say(ctl, "answers", str_text(&body));
    return r == CTL_OK ? say_text(ctl, "notes") : r;
}

/* --- readiness --- */

static void gate_words(const struct json *row, char *text, size_t size)
{
    const struct json *gate = object_of(row, "gate");
    double needs = 0;
    double sense = 0;
    bool passed = false;

    if (!gate) {
        (void)snprintf(text, size, "-");
        return;
    }
    (void)json_get_bool(gate, "passed", &passed, NULL);
    (void)json_get_float(gate, "needs_sense", &needs, NULL);
    if (!json_has(gate, "sense") || json_get_float(gate, "sense", &sense, NULL) != 0)
        (void)snprintf(text, size, "nothing judged of %" PRId64, answer_count(gate, "needs_pages"));
    else
        (void)snprintf(text, size, "%s: %.0f %% of %" PRId64 ", over %.0f %% of %" PRId64 " needed",
                       passed ? "passed" : "not yet", 100 * sense, answer_count(row, "answered"),
                       100 * needs, answer_count(gate, "needs_pages"));
}

static enum ctl_exit show_board(struct ctl *ctl)
{
    struct table table = TABLE("WHO", "PAGES", "NIGHT", "DONE", "SIGNED", "GATE");
    struct json *root = NULL;
    enum ctl_exit r = call_json(ctl, &(struct call){.method = "GET", .path = READINESS}, &root);
    const struct json *people = root ? roster_list(root, "people") : NULL;

    for (size_t i = 0; people && i < json_length(people); i++) {
        const struct json *row = json_at(people, i);
        char cells[4][32];
        char gate[128];

        (void)snprintf(cells[0], sizeof(cells[0]), "%" PRId64, answer_count(row, "pages"));
        (void)snprintf(cells[1], sizeof(cells[1]), "%" PRId64, answer_count(row, "night_pages"));
        (void)snprintf(cells[2], sizeof(cells[2]), "%" PRId64 "/%" PRId64,
                       answer_count(row, "items_done"), answer_count(row, "items"));
        (void)snprintf(cells[3], sizeof(cells[3]), "%" PRId64, answer_count(row, "items_signed"));
        gate_words(row, gate, sizeof(gate));
        TABLE_ROW(&table, answer_text(row, "person"), cells[0], cells[1], cells[2], cells[3], gate);
    }
    if (people && json_length(people))
        table_print(&table);
    else if (people)
        (void)puts("Nobody learns to be on call: alertctl shadow add NAME --schedule=NAME");
    json_free(root);
    return r;
}

static void print_item(const struct json *item)
{
    const char *signed_by = answer_text(item, "signed_by");
    bool done = answer_text(item, "done_at") != NULL;

    (void)printf("  [%c] %-20s %s\n",
                 signed_by ? 'S'
                 : done    ? 'x'
                           : ' ',
                 answer_text(item, "item"), answer_text(item, "text"));
    if (done)
        (void)printf("      %s%s%s\n", answer_text(item, "evidence"),
                     signed_by ? ", signed by " : "", signed_by ? signed_by : "");
}

static enum ctl_exit show_person(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(PATH_MAX_BYTES);
    struct json *root = NULL;
    char gate[128];

    str_add(&path, READINESS "/");
    add_encoded(&path, ctl->arguments[0]);
    enum ctl_exit r = call_json(ctl, &(struct call){.method = "GET", .path = str_text(&path)},
                                &root);

    if (r != CTL_OK || !root)
        return r;
    const struct json *areas = roster_list(root, "areas");

    gate_words(root, gate, sizeof(gate));
    (void)printf("%s: %" PRId64 " pages, %" PRId64 " at night; gate %s\n",
                 answer_text(root, "person"), answer_count(root, "pages"),
                 answer_count(root, "night_pages"), gate);
    (void)printf("%" PRId64 " of %" PRId64 " items done, %" PRId64 " signed\n",
                 answer_count(root, "items_done"), answer_count(root, "items"),
                 answer_count(root, "items_signed"));
    for (size_t i = 0; areas && i < json_length(areas); i++) {
        const struct json *items = roster_list(json_at(areas, i), "items");

        (void)printf("\n%s\n", answer_text(json_at(areas, i), "area"));
        for (size_t j = 0; items && j < json_length(items); j++)
            print_item(json_at(items, j));
    }
    json_free(root);
    return r;
}

enum ctl_exit cmd_readiness(struct ctl *ctl)
{
    return ctl->n_arguments ? show_person(ctl) : show_board(ctl);
}
