/*
 * A draft from real rows and real samples: state.db and the store in a folder of their
 * own, PromQL over them, the templates that ship.
 */

#include <sys/stat.h>

#include "alertd/api/postmortem_draft.h"
#include "alertd/api/postmortem_rule.h"
#include "alertd/api/postmortem_view.h"
#include "lib/base/fs.h"
#include "lib/model/sample.h"
#include "tests/unit/pager/life.h"

static struct store *store;
static struct api api;
static struct log quiet;

static int64_t wall_ms(void)
{
    return (int64_t)(BASE_S + 7200) * 1000;
}

static int64_t at(int second)
{
    return (int64_t)(BASE_S + second) * 1000;
}

/* up of one instance, every 10 s for two hours; down within [from, to) seconds. */
static void push(const char *instance, int from, int to)
{
    const struct label pairs[] = {{LABEL_NAME, "up"}, {"instance", instance}};
    const struct labels *labels = labels_new(pairs, 2);
    static struct sample samples[720];
    struct store_outcome outcome;
    struct err err = {0};

    for (int i = 0; i < 720; i++) {
        int second = -3600 + i * 10;

        samples[i] = (struct sample){at(second), second >= from && second < to ? 0 : 1};
    }
    const struct store_entry entry = {labels, samples, 720};
    const struct store_batch batch = {.entries = &entry, .n = 1};

    if (store_append(store, &batch, &outcome, &err))
        fail_msg("%s", err.text);
    assert_int_equal(outcome.stored, 720);
    labels_unref(labels);
}

static void set_up(void)
{
    char folder[300];
    struct err err = {0};

    begin();
    (void)snprintf(folder, sizeof(folder), "%s", scratch_path(&scratch, "samples"));
    const struct store_options options = {
        .folder = folder, .sync_normal = true, .now_wall_ms = wall_ms, .log = &quiet};

    quiet = (struct log){.fd = STDERR_FILENO, .level = LOG_INFO};
    if (store_open(&options, &store, &err))
        fail_msg("%s", err.text);
    api.state = db;
    api.store = store;
    api.log = &quiet;
    api.external_url = "http://w";
    api.storage_path = scratch.folder;
    api.version = "1.2.3";
}

static void tear_down(void)
{
    store_close(store);
    end();
}

static int draft(const char *template_name, int64_t *ret_id, struct err *err)
{
    const struct postmortem_wish wish = {"INC-2026-0001", template_name, "ana", at(3600)};

    return postmortem_draft(&api, &wish, ret_id, err);
}

static void look(struct arena *arena,
                 struct str *text,
                 struct graph_row **graphs,
                 size_t *n_graphs,
                 struct source_series **frozen,
                 size_t *n_frozen)
{
    struct postmortem_view view;
    struct db_conn *conn;

    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    assert_int_equal(postmortem_view_load(&api, conn, 1, at(3600), arena, &view, NULL), 0);
    postmortem_view_markdown(&view, text);
    assert_int_equal(graph_db_list(conn, 1, arena, graphs, n_graphs, NULL), 0);
    assert_int_equal(frozen_db_list(conn, 1, arena, frozen, n_frozen, NULL), 0);
    db_read_end(db, conn);
}

static void expect(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("there is no \"%s\" in:\n%s", part, text);
}

static void test_a_draft(void **state)
{
    struct source_series *frozen;
    struct graph_row *graphs;
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str now = STR_INIT(1 << 20);
    struct err err = {0};
    size_t n_frozen;
    size_t n_graphs;
    int64_t id = 0;

    arena_init(&arena, 64 << 20);
    set_up();
    push("a:1", -60, 600);
    push("b:2", 0, 0);
    play("0 F1, 30 send, 100 ack, 600 E1, 630 send");
    if (draft("standard", &id, &err))
        fail_msg("%s", err.text);
    assert_int_equal(id, 1);
    look(&arena, &now, &graphs, &n_graphs, &frozen, &n_frozen);

    row("the text holds what happened");
    expect(str_text(&now), "[INC-2026-0001](http://w/i/INC-2026-0001)");
    expect(str_text(&now), "| Impact began | 2025-12-31 23:59:00 UTC |");
    expect(str_text(&now), "| Acknowledged | 2026-01-01 00:01:40 UTC |");
    expect(str_text(&now), "| Resolved | 2026-01-01 00:10:00 UTC |");
    expect(str_text(&now), "| Time to detect | 1 min |");
    expect(str_text(&now), "| Time to resolve | 11 min |");
    expect(str_text(&now), "![Down: up](graph:1)");
    expect(str_text(&now), "| B | 00:00:00 | ");

    row("one graph: the instance of the alert, its threshold and bands");
    assert_int_equal(n_graphs, 1);
    assert_string_equal(graphs[0].query, "up");
    expect(graphs[0].svg, "up{instance=&quot;a:1&quot;}");
    expect(graphs[0].svg, "threshold 0<");
    expect(graphs[0].svg, "<title>firing</title>");
    assert_null(strstr(graphs[0].svg, "b:2"));
    assert_int_equal(graphs[0].start_ms, at(-60 - 1800));
    assert_int_equal(graphs[0].end_ms, at(600 + 1800));

    row("what the query read is kept, sample by sample");
    assert_int_equal(n_frozen, 2);
    assert_true(frozen[0].n > 400);
    assert_string_equal(labels_get(frozen[0].labels, LABEL_NAME), "up");

    row("a rule that would have fired earlier, later, never");
    int64_t first_ms = 0;
    size_t n_series = 0;

    assert_int_equal(postmortem_rule_first_fire(&api, "INC-2026-0001",
                                                "- alert: X\n  expr: up == 0\n", &first_ms,
                                                &n_series, &err),
                     0);
    assert_int_equal(n_series, 2);
    assert_true(first_ms >= at(-60) && first_ms < at(-40));
    assert_int_equal(postmortem_rule_first_fire(&api, "INC-2026-0001",
                                                "alert: X\nexpr: up == 0\nfor: 5m\n", &first_ms,
                                                &n_series, &err),
                     0);
    assert_true(first_ms >= at(240) && first_ms < at(270));
    assert_int_equal(postmortem_rule_first_fire(&api, "INC-2026-0001",
                                                "- alert: X\n  expr: up > 1\n", &first_ms,
                                                &n_series, &err),
                     0);
    assert_int_equal(first_ms, 0);
    assert_int_not_equal(postmortem_rule_check("- record: x\n  expr: up\n", &err), 0);
    assert_int_not_equal(postmortem_rule_check("- alert: X\n  expr: up ==\n", &err), 0);

    row("a second draft is refused before anything is read");
    assert_int_equal(draft("quick", &id, &err), POSTMORTEM_DB_E_EXISTS);
    tear_down();
}

static void test_without_samples(void **state)
{
    struct source_series *frozen;
    struct graph_row *graphs;
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str now = STR_INIT(1 << 20);
    struct err err = {0};
    size_t n_frozen;
    size_t n_graphs;
    int64_t id = 0;

    arena_init(&arena, 64 << 20);
    set_up();
    play("0 F1, 0 F2");
    if (draft("quick", &id, &err))
        fail_msg("%s", err.text);
    look(&arena, &now, &graphs, &n_graphs, &frozen, &n_frozen);
    expect(str_text(&now), "| Resolved | not known (it is still open) |");
    expect(str_text(&now), "| Paged | not known (no page was sent) |");
    assert_int_equal(n_graphs, 1);
    expect(graphs[0].svg, "no samples in this window");
    assert_int_equal(n_frozen, 0);
    tear_down();
}

static void write_template(const char *name, const char *text)
{
    char path[400];
    struct err err = {0};

    (void)snprintf(path, sizeof(path), "%s/postmortems", scratch.folder);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof(path), "%s/postmortems/%s", scratch.folder, name);
    if (fs_replace(path, text, strlen(text), 0600, &err))
        fail_msg("%s", err.text);
}

static void test_refusals_store_nothing(void **state)
{
    struct err err = {0};
    struct db_conn *conn;
    ARENA_AUTO struct arena arena;
    struct graph_row *graphs;
    size_t n_graphs;
    int64_t id = 0;

    arena_init(&arena, 64 << 20);
    set_up();
    row("no incident");
    assert_int_equal(draft("quick", &id, &err), INCIDENT_DB_E_NOT_FOUND);

    push("a:1", -60, 600);
    play("0 F1");
    row("no such template");
    assert_int_equal(draft("nope", &id, &err), POSTMORTEM_DRAFT_E_TEMPLATE);
    assert_int_equal(draft("_marks", &id, &err), POSTMORTEM_DRAFT_E_TEMPLATE);
    assert_int_equal(draft("../state", &id, &err), POSTMORTEM_DRAFT_E_TEMPLATE);

    row("a wrong name in one's own template");
    write_template("own.md", "a\n\n  {{incident.naem}}\n");
    assert_int_equal(draft("own", &id, &err), POSTMORTEM_DRAFT_E_TEMPLATE);
    expect(err.text, "template own.md, line 3, column 3: unknown name \"incident.naem\"");

    row("the graph that was stored first went with the rest");
    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    assert_int_equal(graph_db_list(conn, 1, &arena, &graphs, &n_graphs, NULL), 0);
    db_read_end(db, conn);
    assert_int_equal(n_graphs, 0);

    row("a template of one's own hides the one that ships");
    write_template("quick.md", "# {{incident.key}}\n");
    assert_int_equal(draft("quick", &id, &err), 0);
    tear_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_draft),
        cmocka_unit_test(test_without_samples),
        cmocka_unit_test(test_refusals_store_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
