/*
 * Reads tests of a config file. See test_file.h; test_run.c runs them.
 */

#include "alertd/route/test_file.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/route/matchers.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"

enum {
    ARENA_BYTES_MAX = 64 * 1024 * 1024
};

struct reader {
    struct route_test_file *file;
    struct err *reterr;
};

static int bad(const struct reader *reader, const struct yaml_node *at, const char *words)
{
    return err_at(reader->reterr, ROUTE_TEST_E_FILE, at->line, at->column, "%s", words);
}

static int too_large(const struct reader *reader, const struct yaml_node *at)
{
    return bad(reader, at, "this file of tests is too large: split it");
}

static int need(const struct reader *reader,
                const struct yaml_node *map,
                const char *key,
                const struct yaml_node **ret_node)
{
    *ret_node = yaml_get(map, key);
    if (*ret_node)
        return 0;
    return err_at(reader->reterr, ROUTE_TEST_E_FILE, map->line, map->column,
                  "\"%s:\" is missing here", key);
}

static int read_text(const struct reader *reader,
                     const struct yaml_node *map,
                     const char *key,
                     const char **ret_text)
{
    const struct yaml_node *node = yaml_get(map, key);

    return node && yaml_string(node, ret_text, reader->reterr) ? ROUTE_TEST_E_FILE : 0;
}

/* Left as it was when the key is not there. */
static int read_duration(const struct reader *reader,
                         const struct yaml_node *map,
                         const char *key,
                         int64_t *ret_ms)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *text = "";

    if (!node)
        return 0;
    if (yaml_string(node, &text, reader->reterr))
        return ROUTE_TEST_E_FILE;
    if (duration_parse(text, node->len, ret_ms) || *ret_ms > INT64_C(1000) * 86400 * 365 * 100)
        return bad(reader, node, "expected a time since the start, such as 90s or 1h30m");
    return 0;
}

static int read_names(const struct reader *reader,
                      const struct yaml_node *map,
                      const char *key,
                      struct route_test_names *names)
{
    const struct yaml_node *list = yaml_get(map, key);

    names->given = yaml_key(map, key) != NULL;
    if (!list)
        return 0;
    if (yaml_expect(list, YAML_LIST, "a list of text", reader->reterr))
        return ROUTE_TEST_E_FILE;
    if (list->n > ROUTE_TEST_NAMES_MAX)
        return too_large(reader, list);
    names->at = arena_array(&reader->file->arena, list->n + 1, sizeof(*names->at));
    if (!names->at)
        return too_large(reader, list);
    for (; names->n < list->n; names->n++)
        if (yaml_string(list->items[names->n], &names->at[names->n], reader->reterr))
            return ROUTE_TEST_E_FILE;
    return 0;
}

static int read_labels(const struct reader *reader,
                       const struct yaml_node *map,
                       const struct labels **ret_labels)
{
    const struct yaml_node *node;
    struct label *pairs;

    if (need(reader, map, "labels", &node) ||
        yaml_expect(node, YAML_MAP, "a map of labels", reader->reterr))
        return ROUTE_TEST_E_FILE;
    pairs = arena_array(&reader->file->arena, node->n + 1, sizeof(*pairs));
    if (!pairs)
        return too_large(reader, node);
    for (size_t i = 0; i < node->n; i++) {
        pairs[i].name = node->keys[i]->text;
        if (yaml_string(node->items[i], &pairs[i].value, reader->reterr))
            return ROUTE_TEST_E_FILE;
        if (!labels_text_ok(pairs[i].value, node->items[i]->len) || !*pairs[i].name)
            return bad(reader, node->items[i], "this is no label: name and value are UTF-8");
    }
    *ret_labels = labels_in_arena(&reader->file->arena, pairs, node->n);
    return *ret_labels ? 0 : too_large(reader, node);
}

/* The items of a list of maps, with room for what each becomes; *ret_list NULL: none. */
static int read_list(const struct reader *reader,
                     const struct yaml_node *map,
                     const char *key,
                     size_t item_size,
                     const struct yaml_node **ret_list,
                     void *ret_room)
{
    const struct yaml_node *list = yaml_get(map, key);
    void *room;

    *ret_list = list;
    if (!list)
        return 0;
    if (yaml_expect(list, YAML_LIST, "a list", reader->reterr))
        return ROUTE_TEST_E_FILE;
    room = list->n <= ROUTE_TEST_ITEMS_MAX
               ? arena_array(&reader->file->arena, list->n + 1, item_size)
               : NULL;
    if (!room)
        return too_large(reader, list);
    memcpy(ret_room, &room, sizeof(room));
    for (size_t i = 0; i < list->n; i++)
        if (yaml_expect(list->items[i], YAML_MAP, "a map", reader->reterr))
            return ROUTE_TEST_E_FILE;
    return 0;
}

/* The place of an alert by its name; n: none has it. */
static size_t find_alert(const struct route_test *test, const char *name)
{
    size_t i = 0;

    while (i < test->n_alerts && strcmp(test->alerts[i].name, name) != 0)
        i++;
    return i;
}

static int read_alerts(const struct reader *reader,
                       const struct yaml_node *map,
                       struct route_test *test)
{
    static const char *const known[] = {"name", "labels", "at", "until", NULL};
    const struct yaml_node *list;

    if (read_list(reader, map, "alerts", sizeof(*test->alerts), &list, &test->alerts))
        return ROUTE_TEST_E_FILE;
    for (size_t i = 0; list && i < list->n; i++) {
        struct route_test_alert *alert = &test->alerts[i];
        const struct yaml_node *at = list->items[i];

        *alert = (struct route_test_alert){.until_ms = INT64_MAX, .line = at->line};
        if (yaml_only(at, known, reader->reterr) || read_text(reader, at, "name", &alert->name) ||
            read_labels(reader, at, &alert->labels) ||
            read_duration(reader, at, "at", &alert->at_ms) ||
            read_duration(reader, at, "until", &alert->until_ms))
            return ROUTE_TEST_E_FILE;
        if (alert->until_ms <= alert->at_ms)
            return bad(reader, yaml_get(at, "until"), "an alert ends after its \"at:\"");
        if (!alert->name)
            alert->name = labels_get(alert->labels, "alertname");
        if (!alert->name || find_alert(test, alert->name) < test->n_alerts)
            return bad(reader, at,
                       "each alert needs a \"name:\" of its own (its alertname unless said)");
        test->n_alerts++;
    }
    return 0;
}

static void matchers_gone(void *matchers)
{
    route_matchers_done(matchers);
}

static int read_matchers(const struct reader *reader,
                         const struct yaml_node *map,
                         struct silence *silence)
{
    struct route_matchers *found = arena_alloc(&reader->file->arena, sizeof(*found));
    struct silence_matchers *set = arena_alloc(&reader->file->arena, sizeof(*set));
    struct route_test_names texts = {0};
    const struct yaml_node *list;
    struct err err = {0};

    if (need(reader, map, "matchers", &list) || read_names(reader, map, "matchers", &texts))
        return ROUTE_TEST_E_FILE;
    if (!found || !set || !arena_on_reset(&reader->file->arena, matchers_gone, found))
        return too_large(reader, list);
    for (size_t i = 0; i < texts.n; i++)
        if (route_matchers_parse(texts.at[i], ROUTE_GRAMMAR_BOTH, found, NULL, &err))
            return bad(reader, list->items[i], err.text);
    if (found->n == 0)
        return bad(reader, list, "a silence needs a matcher");
    *set = (struct silence_matchers){found->at, found->n};
    silence->sets = set;
    silence->n_sets = 1;
    return 0;
}

static int read_silences(const struct reader *reader,
                         const struct yaml_node *map,
                         struct route_test *test)
{
    static const char *const known[] = {"name", "matchers", "from", "until", NULL};
    const struct yaml_node *list;

    if (read_list(reader, map, "silences", sizeof(*test->silences), &list, &test->silences))
        return ROUTE_TEST_E_FILE;
    for (size_t i = 0; list && i < list->n; i++) {
        struct silence *silence = &test->silences[i];
        const struct yaml_node *at = list->items[i];
        STR_AUTO struct str number = STR_INIT(32);

        str_addf(&number, "%zu", i + 1);
        silence->id = arena_strndup(&reader->file->arena, str_text(&number), number.len);
        silence->ends_at_ms = INT64_MAX;
        if (!silence->id)
            return too_large(reader, at);
        if (yaml_only(at, known, reader->reterr) || read_text(reader, at, "name", &silence->id) ||
            read_matchers(reader, at, silence) ||
            read_duration(reader, at, "from", &silence->starts_at_ms) ||
            read_duration(reader, at, "until", &silence->ends_at_ms))
            return ROUTE_TEST_E_FILE;
        test->n_silences++;
    }
    return 0;
}

static int known_alerts(const struct reader *reader,
                        const struct yaml_node *map,
                        const char *key,
                        const struct route_test *test,
                        const struct route_test_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        if (find_alert(test, names->at[i]) == test->n_alerts)
            return err_at(reader->reterr, ROUTE_TEST_E_FILE, yaml_get(map, key)->items[i]->line,
                          yaml_get(map, key)->items[i]->column, "no alert is named \"%s\"",
                          names->at[i]);
    return 0;
}

static int read_told(const struct reader *reader,
                     const struct yaml_node *map,
                     struct route_test *test)
{
    static const char *const known[] = {"at",       "receiver",  "reason", "firing",
                                        "resolved", "group_key", "by",     NULL};
    const struct yaml_node *list;

    test->checks_told = yaml_key(map, "notifications") != NULL;
    if (read_list(reader, map, "notifications", sizeof(*test->told), &list, &test->told))
        return ROUTE_TEST_E_FILE;
    for (size_t i = 0; list && i < list->n; i++) {
        struct route_test_told *told = &test->told[i];
        const struct yaml_node *at = list->items[i];
        const struct yaml_node *receiver;

        *told = (struct route_test_told){.line = at->line, .column = at->column};
        if (yaml_only(at, known, reader->reterr) || need(reader, at, "receiver", &receiver) ||
            read_text(reader, at, "receiver", &told->receiver) ||
            read_text(reader, at, "reason", &told->reason) ||
            read_text(reader, at, "group_key", &told->group_key) ||
            read_duration(reader, at, "at", &told->at_ms) ||
            read_names(reader, at, "firing", &told->firing) ||
            read_names(reader, at, "resolved", &told->resolved) ||
            read_names(reader, at, "by", &told->by) ||
            known_alerts(reader, at, "firing", test, &told->firing) ||
            known_alerts(reader, at, "resolved", test, &told->resolved))
            return ROUTE_TEST_E_FILE;
        test->n_told++;
    }
    return 0;
}

static int read_muted(const struct reader *reader,
                      const struct yaml_node *map,
                      struct route_test *test)
{
    static const char *const known[] = {"at", "alert", "by", NULL};
    const struct yaml_node *list;

    if (read_list(reader, map, "muted", sizeof(*test->muted), &list, &test->muted))
        return ROUTE_TEST_E_FILE;
    for (size_t i = 0; list && i < list->n; i++) {
        struct route_test_muted *muted = &test->muted[i];
        const struct yaml_node *at = list->items[i];
        const struct yaml_node *node;
        const char *name = "";

        *muted = (struct route_test_muted){.line = at->line, .column = at->column};
        if (yaml_only(at, known, reader->reterr) || need(reader, at, "alert", &node) ||
            read_text(reader, at, "alert", &name) ||
            read_duration(reader, at, "at", &muted->at_ms) ||
            read_names(reader, at, "by", &muted->by))
            return ROUTE_TEST_E_FILE;
        muted->alert = find_alert(test, name);
        if (muted->alert == test->n_alerts)
            return err_at(reader->reterr, ROUTE_TEST_E_FILE, node->line, node->column,
                          "no alert is named \"%s\"", name);
        test->n_muted++;
    }
    return 0;
}

static int read_route(const struct reader *reader,
                      const struct yaml_node *map,
                      struct route_test *test)
{
    static const char *const known[] = {"name", "labels", "receivers", "group_keys", NULL};
    const struct yaml_node *receivers;

    if (yaml_only(map, known, reader->reterr) || need(reader, map, "receivers", &receivers) ||
        read_labels(reader, map, &test->labels) ||
        read_names(reader, map, "receivers", &test->receivers))
        return ROUTE_TEST_E_FILE;
    return read_names(reader, map, "group_keys", &test->group_keys);
}

static int read_history(const struct reader *reader,
                        const struct yaml_node *map,
                        struct route_test *test)
{
    static const char *const known[] = {"name",     "start",         "until", "alerts",
                                        "silences", "notifications", "muted", NULL};
    const struct yaml_node *until;
    const char *start = NULL;

    test->is_history = true;
    if (yaml_only(map, known, reader->reterr) || need(reader, map, "until", &until) ||
        read_text(reader, map, "start", &start) ||
        read_duration(reader, map, "until", &test->until_ms))
        return ROUTE_TEST_E_FILE;
    if (start && clock_parse_rfc3339(start, &test->start_ms))
        return bad(reader, yaml_get(map, "start"), "expected 2026-11-27T22:00:00Z");
    if (read_alerts(reader, map, test) || read_silences(reader, map, test) ||
        read_told(reader, map, test))
        return ROUTE_TEST_E_FILE;
    return read_muted(reader, map, test);
}

static int read_root(const struct reader *reader, const struct yaml_node *root)
{
    static const char *const known[] = {"config", "routes", "histories", NULL};
    struct route_test_file *file = reader->file;
    const struct yaml_node *lists[2];
    size_t n = 0;

    if (yaml_expect(root, YAML_MAP, "a map", reader->reterr) ||
        yaml_only(root, known, reader->reterr) || need(reader, root, "config", &file->config) ||
        yaml_expect(file->config, YAML_SCALAR, "a path, or the config in a block behind |",
                    reader->reterr))
        return ROUTE_TEST_E_FILE;
    for (size_t i = 0; i < 2; i++) {
        void *unused;

        if (read_list(reader, root, known[i + 1], 1, &lists[i], &unused))
            return ROUTE_TEST_E_FILE;
        n += lists[i] ? lists[i]->n : 0;
    }
    file->tests = arena_array(&file->arena, n + 1, sizeof(*file->tests));
    if (n == 0)
        return bad(reader, root, "nothing is tested: write \"routes:\" or \"histories:\"");
    if (!file->tests || n > ROUTE_TESTS_MAX)
        return too_large(reader, root);
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; lists[i] && j < lists[i]->n; j++) {
            struct route_test *test = &file->tests[file->n++];
            const struct yaml_node *at = lists[i]->items[j];

            *test = (struct route_test){.name = "", .line = at->line, .column = at->column};
            if (read_text(reader, at, "name", &test->name) ||
                (i == 0 ? read_route(reader, at, test) : read_history(reader, at, test)))
                return ROUTE_TEST_E_FILE;
        }
    return 0;
}

int route_test_file_parse(const char *text,
                          size_t len,
                          struct route_test_file **ret_file,
                          struct err *reterr)
{
    struct route_test_file *file = mem_zalloc(sizeof(*file));
    struct reader reader = {file, reterr};
    int r;

    arena_init(&file->arena, ARENA_BYTES_MAX);
    r = yaml_parse(text, len, &file->yaml, reterr) ? ROUTE_TEST_E_FILE : 0;
    if (!r)
        r = read_root(&reader, yaml_root(file->yaml));
    if (r)
        route_test_file_free(file);
    else
        *ret_file = file;
    return r;
}

void route_test_file_free(struct route_test_file *file)
{
    if (!file)
        return;
    arena_reset(&file->arena);
    yaml_free(file->yaml);
    free(file);
}
