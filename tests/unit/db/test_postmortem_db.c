/*
 * Postmortems on a real database file: revisions are only added, a writer who is late is
 * told so, what is frozen stays.
 */

#include "alertd/db/postmortem_db.h"
#include "lib/model/sample.h"
#include "tests/unit/pager/life.h"

static int run_create(struct db_conn *conn, void *arg, struct err *reterr)
{
    int64_t *id = arg;
    const struct postmortem_draft draft = {
        .incident_id = 1,
        .title = "Down on a:1",
        .template_name = "quick",
        .markdown = "> To answer: why?\n\nx",
        .facts = "{}",
        .author = "ana",
        .now_ms = 1000,
    };

    return postmortem_db_create(conn, &draft, id, reterr);
}

static int run_save(struct db_conn *conn, void *arg, struct err *reterr)
{
    return postmortem_db_save(conn, arg, reterr);
}

static int run_set_status(struct db_conn *conn, void *arg, struct err *reterr)
{
    return postmortem_db_set_status(conn, 1, *(const char **)arg, "ben", 3000, reterr);
}

static int set_status(const char *status, struct err *err)
{
    return db_write(db, run_set_status, &status, err);
}

/* Any SQL, as someone with the file would. */
static int run_sql(struct db_conn *conn, void *arg, struct err *reterr)
{
    static const char *const statements[] = {"UPDATE postmortem_revision SET markdown = 'x'",
                                             "DELETE FROM postmortem_revision",
                                             "UPDATE graph SET svg = 'x'", "DELETE FROM graph"};

    return db_run(db_prepare(conn, statements[*(int *)arg]), reterr);
}

static struct postmortem_row get(struct arena *arena)
{
    struct postmortem_row row = {0};
    struct db_conn *conn;

    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    assert_int_equal(postmortem_db_get(conn, 1, arena, &row, NULL), 0);
    db_read_end(db, conn);
    return row;
}

static void test_saving(void **state)
{
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    int64_t id = 0;

    arena_init(&arena, 1 << 20);
    begin();
    play("0 F1, 30 send, 60 E1");
    assert_int_equal(db_write(db, run_create, &id, &err), 0);
    assert_int_equal(id, 1);
    struct postmortem_row now = get(&arena);

    assert_string_equal(now.incident, "INC-2026-0001");
    assert_string_equal(now.status, "draft");
    assert_int_equal(now.revision, 1);
    assert_string_equal(now.markdown, "> To answer: why?\n\nx");

    assert_int_equal(now.open_prompts, 1);

    row("a second one for the incident");
    assert_int_equal(db_write(db, run_create, &id, &err), POSTMORTEM_DB_E_EXISTS);
    assert_non_null(strstr(err.text, "postmortem 1"));

    row("a save on the newest revision");
    struct postmortem_save save = {1, 1, NULL, "# Down, > To answer: why\n", "ben", 2000};

    assert_int_equal(db_write(db, run_save, &save, &err), 0);
    now = get(&arena);
    assert_int_equal(now.revision, 2);
    assert_string_equal(now.title, "Down on a:1");
    assert_string_equal(now.updated_by, "ben");
    assert_string_equal(now.markdown, "# Down, > To answer: why\n");

    assert_int_equal(now.open_prompts, 0);

    row("a save on an older one");
    save.title = "mine";
    assert_int_equal(db_write(db, run_save, &save, &err), POSTMORTEM_DB_E_STALE);
    assert_non_null(strstr(err.text, "ben saved revision 2"));
    assert_string_equal(get(&arena).title, "Down on a:1");

    row("published is read-only until it is a draft again");
    save.base_revision = 2;
    assert_int_equal(set_status("published", &err), 0);
    assert_int_equal(db_write(db, run_save, &save, &err), POSTMORTEM_DB_E_PUBLISHED);
    assert_int_equal(set_status("draft", &err), 0);
    assert_int_equal(db_write(db, run_save, &save, &err), 0);
    assert_string_equal(get(&arena).title, "mine");

    row("one that does not exist");
    save.id = 9;
    assert_int_equal(db_write(db, run_save, &save, &err), POSTMORTEM_DB_E_NOT_FOUND);

    row("a status that does not exist");
    assert_int_not_equal(set_status("perfect", &err), 0);
    end();
}

static void test_it_is_part_of_the_story(void **state)
{
    ARENA_AUTO struct arena arena;
    struct timeline_event *events;
    struct incident incident;
    struct db_conn *conn;
    int64_t id;
    size_t n;

    arena_init(&arena, 1 << 20);
    begin();
    play("0 F1, 60 E1");
    assert_int_equal(db_write(db, run_create, &id, NULL), 0);
    assert_int_equal(set_status("published", NULL), 0);
    row("setting what it is already is no event");
    assert_int_equal(set_status("published", NULL), 0);
    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    assert_int_equal(incident_db_get(conn, "INC-2026-0001", &arena, &incident, NULL), 0);
    assert_int_equal(incident.postmortem_id, 1);
    assert_int_equal(incident_db_timeline(conn, 1, &arena, &events, &n, NULL), 0);
    assert_string_equal(events[0].kind, "postmortem.drafted"); /* recorded at second 1 */
    assert_string_equal(events[1].kind, "postmortem.published");
    assert_string_equal(events[1].actor, "ben");
    assert_string_not_equal(events[2].kind, "postmortem.published");
    db_read_end(db, conn);
    end();
}

static int run_freeze(struct db_conn *conn, void *arg, struct err *reterr)
{
    static const struct label pairs[] = {{LABEL_NAME, "up"}, {"job", "a\"b"}};
    static const int64_t t_ms[] = {-5, 0, 1795471200000};
    const double values[] = {1.5, -0.0, sample_stale()};
    const struct labels *labels = labels_new(pairs, 2);
    const struct source_series series = {labels, 3, t_ms, values};
    const struct graph_row graph = {
        .incident_id = 1,
        .title = "up",
        .query = "up == 0",
        .start_ms = 1,
        .end_ms = 2,
        .step_ms = 3,
        .captured_ms = 4,
        .n_points = 5,
        .series = "[]",
        .svg = "<svg/>",
    };
    int64_t *id = arg;
    int r = graph_db_add(conn, &graph, id, reterr);

    if (!r)
        r = frozen_db_add(conn, 1, &series, reterr);
    if (!r)
        r = frozen_db_add(conn, 1, &series, reterr); /* again: stays as it is */
    labels_unref(labels);
    return r;
}

static void test_what_is_frozen(void **state)
{
    ARENA_AUTO struct arena arena;
    struct source_series *series;
    struct graph_row *graphs;
    struct graph_row graph;
    struct db_conn *conn;
    struct err err = {0};
    int64_t id = 0;
    size_t n;

    arena_init(&arena, 1 << 20);
    begin();
    play("0 F1");
    assert_int_equal(db_write(db, run_freeze, &id, &err), 0);
    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    assert_int_equal(graph_db_get(conn, id, &arena, &graph, NULL), 0);
    assert_string_equal(graph.svg, "<svg/>");
    assert_int_equal(graph.n_points, 5);
    assert_int_equal(graph_db_verify(conn, id, &err), 0);
    assert_int_equal(graph_db_get(conn, 99, &arena, &graph, &err), POSTMORTEM_DB_E_NOT_FOUND);
    assert_int_equal(graph_db_verify(conn, 99, &err), POSTMORTEM_DB_E_NOT_FOUND);
    assert_int_equal(graph_db_list(conn, 1, &arena, &graphs, &n, NULL), 0);
    assert_int_equal(n, 1);

    row("every bit of a sample comes back");
    assert_int_equal(frozen_db_list(conn, 1, &arena, &series, &n, NULL), 0);
    assert_int_equal(n, 1);
    assert_int_equal(series[0].n, 3);
    assert_string_equal(labels_get(series[0].labels, "job"), "a\"b");
    assert_int_equal(series[0].t_ms[0], -5);
    assert_int_equal(series[0].t_ms[2], 1795471200000);
    assert_true(sample_bits(series[0].values[1]) == sample_bits(-0.0));
    assert_true(sample_is_stale(series[0].values[2]));
    db_read_end(db, conn);

    row("nobody changes or deletes revisions and graphs");
    assert_int_equal(db_write(db, run_create, &id, NULL), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_not_equal(db_write(db, run_sql, &i, &err), 0);
        assert_non_null(strstr(err.text, "never"));
    }
    end();
}

static void test_memory(void **state)
{
    struct db_conn *conn;
    int64_t id;
    size_t limit = 0;
    int r;

    begin();
    play("0 F1");
    assert_int_equal(db_write(db, run_create, &id, NULL), 0);
    assert_int_equal(db_write(db, run_freeze, &id, NULL), 0);
    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    do {
        ARENA_AUTO struct arena arena;
        struct postmortem_row one;
        struct postmortem_row *rows;
        struct source_series *series;
        struct graph_row graph;
        size_t n;

        arena_init(&arena, limit);
        r = postmortem_db_get(conn, 1, &arena, &one, NULL);
        r = r ? r : postmortem_db_list(conn, &arena, &rows, &n, NULL);
        r = r ? r : graph_db_get(conn, 1, &arena, &graph, NULL);
        r = r ? r : frozen_db_list(conn, 1, &arena, &series, &n, NULL);
        assert_true(r == 0 || r == POSTMORTEM_DB_E_LIMIT);
        limit += 16;
    } while (r);
    db_read_end(db, conn);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_saving),
        cmocka_unit_test(test_it_is_part_of_the_story),
        cmocka_unit_test(test_what_is_frozen),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
