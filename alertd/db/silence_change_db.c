/*
 * Silences made, changed and ended. Each change is one job, and an event of the log.
 */

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/db/alert_db.h"
#include "alertd/db/incident_db.h"
#include "alertd/db/rows.h"
#include "alertd/db/silence_db.h"
#include "alertd/db/silence_private.h"
#include "alertd/route/window.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/json/write.h"

enum {
    SCRATCH_BYTES_MAX = 64 * 1024 * 1024,
    DATA_BYTES_MAX = 512 * 1024,
    TEXT_BYTES_MAX = 32 * 1024,
    /* A silence "until resolved" outlives a short gap, so that what flaps does not page. */
    RESOLVED_GRACE_MS = 5 * 60 * 1000,
    MATCHED_STEP_MS = 60 * 1000, /* how exactly matched_ms is kept while it matches */
};

/* --- the log --- */

static int record(struct db_conn *conn,
                  const char *kind,
                  const struct silence_row *row,
                  const char *actor,
                  int64_t now_ms,
                  struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(TEXT_BYTES_MAX);
    STR_AUTO struct str data = STR_INIT(DATA_BYTES_MAX);
    STR_AUTO struct str matchers = STR_INIT(SILENCE_MATCHERS_BYTES_MAX);
    struct json_out json = JSON_OUT(&data);
    char until[CLOCK_TEXT_MAX];

    silence_matchers_text(row->matchers, row->n_matchers, &matchers);
    json_open(&json, '{');
    json_kv_string(&json, "silence", row->silence.id);
    json_key(&json, "matchers");
    json_raw(&json, str_text(&matchers));
    json_kv_time(&json, "starts_at", row->silence.starts_at_ms);
    json_kv_time(&json, "ends_at", row->silence.ends_at_ms);
    json_kv_bool(&json, "until_resolved", row->until_resolved);
    if (row->window) {
        json_key(&json, "window");
        json_raw(&json, row->window);
    }
    json_kv_string(&json, "comment", row->comment);
    json_close(&json, '}');
    for (size_t i = 0; i < row->n_matchers; i++) {
        str_add(&text, i ? ", " : "");
        matcher_print(&row->matchers[i], &text);
    }
    if (row->silence.window) {
        str_add(&text, " within ");
        route_window_print(row->silence.window, &text);
    }
    if (row->silence.ends_at_ms < SILENCE_NO_END_MS)
        str_addf(&text, " until %s", clock_rfc3339(row->silence.ends_at_ms, until));
    if (*row->comment)
        str_addf(&text, ": %s", row->comment);

    const struct timeline_event event = {
        .kind = kind,
        .event_class = actor ? "human" : "machine",
        .source = "silence",
        .actor = actor,
        .text = str_text(&text),
        .data = str_text(&data),
        .occurred_at_ms = now_ms,
    };

    return event_db_append(conn, 0, &event, now_ms, NULL, reterr);
}

/* --- what is wanted --- */

static int check_text(const char *name, const char *text, size_t max, struct err *reterr)
{
    size_t len = strlen(text);

    if (len > max)
        return err_set(reterr, SILENCE_DB_E_INVALID, "%s: at most %zu bytes", name, max);
    return labels_text_ok(text, len)
               ? 0
               : err_set(reterr, SILENCE_DB_E_INVALID, "%s: expected UTF-8", name);
}

static int check_window(const struct silence_wish *wish, struct err *reterr)
{
    int64_t from_ms = wish->starts_at_ms > wish->now_ms ? wish->starts_at_ms : wish->now_ms;
    int64_t until_ms = wish->now_ms + SILENCE_NEXT_LOOK_MS;

    if (until_ms > wish->ends_at_ms)
        until_ms = wish->ends_at_ms;
    if (!wish->window || route_interval_holds(wish->window, from_ms) ||
        route_interval_edge(wish->window, from_ms, until_ms - 1) < until_ms)
        return 0;
    return err_set(reterr, SILENCE_DB_E_INVALID,
                   "window: it never comes between the silence's start and end");
}

static int check_wish(const struct silence_wish *wish, struct err *reterr)
{
    bool matches_something = false;

    if (wish->n_matchers > SILENCE_MATCHERS_MAX)
        return err_set(reterr, SILENCE_DB_E_INVALID, "invalid silence: at most %d matchers",
                       SILENCE_MATCHERS_MAX);
    if (wish->starts_at_ms >= wish->ends_at_ms)
        return err_set(reterr, SILENCE_DB_E_INVALID,
                       "Failed to create silence: start time must be before end time");
    if (wish->ends_at_ms < wish->now_ms)
        return err_set(reterr, SILENCE_DB_E_INVALID,
                       "Failed to create silence: end time can't be in the past");
    if (wish->n_matchers == 0)
        return err_set(reterr, SILENCE_DB_E_INVALID,
                       "invalid silence: at least one matcher required");
    for (size_t i = 0; i < wish->n_matchers; i++)
        matches_something |= !matcher_matches(&wish->matchers[i], "");
    if (!matches_something)
        return err_set(reterr, SILENCE_DB_E_INVALID,
                       "invalid silence: matcher set 0: at least one matcher must not match the "
                       "empty string");

    int r = check_text("createdBy", wish->created_by, SILENCE_NAME_BYTES_MAX, reterr);

    if (r == 0)
        r = check_text("comment", wish->comment, SILENCE_TEXT_BYTES_MAX, reterr);
    return r ? r : check_window(wish, reterr);
}

static int by_name(const void *left, const void *right)
{
    const struct matcher *a = *(const struct matcher *const *)left;
    const struct matcher *b = *(const struct matcher *const *)right;
    int order = strcmp(a->name, b->name);

    if (order == 0)
        order = strcmp(a->value, b->value);
    return order ? order : (int)a->type - (int)b->type;
}

static bool same_matchers(const struct silence_wish *wish, const struct silence_row *row)
{
    const struct matcher *a[SILENCE_MATCHERS_MAX];
    const struct matcher *b[SILENCE_MATCHERS_MAX];

    if (wish->n_matchers != row->n_matchers)
        return false;
    for (size_t i = 0; i < row->n_matchers; i++) {
        a[i] = &wish->matchers[i];
        b[i] = &row->matchers[i];
    }
    qsort(a, row->n_matchers, sizeof(a[0]), by_name);
    qsort(b, row->n_matchers, sizeof(b[0]), by_name);
    for (size_t i = 0; i < row->n_matchers; i++)
        if (by_name(&a[i], &b[i]) != 0)
            return false;
    return true;
}

static bool same_window(const char *one, const char *other)
{
    return one && other ? strcmp(one, other) == 0 : one == other;
}

/* Does it only move in time, in a way that rewrites no past? */
static bool only_moves(const struct silence_wish *wish,
                       const char *window,
                       const struct silence_row *row)
{
    if (!same_matchers(wish, row) || !same_window(window, row->window))
        return false;
    switch (silence_span_state(&row->silence, wish->now_ms)) {
    case SILENCE_PENDING: return wish->starts_at_ms >= wish->now_ms;
    case SILENCE_ACTIVE: /* to the second, as clients write it */
        return wish->starts_at_ms / 1000 == row->silence.starts_at_ms / 1000;
    case SILENCE_EXPIRED: return false;
    }
    return false;
}

static void make_id(char *ret_id)
{
    unsigned char b[16];

    randombytes_buf(b, sizeof(b));
    b[6] = (unsigned char)(0x40 | (b[6] & 0x0f)); /* version 4 */
    b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
    (void)snprintf(ret_id, SILENCE_ID_TEXT,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
}

static int write_row(struct db_conn *conn,
                     const struct silence_row *row,
                     int64_t now_ms,
                     struct err *reterr)
{
    STR_AUTO struct str matchers = STR_INIT(SILENCE_MATCHERS_BYTES_MAX);
    STR_AUTO struct str annotations = STR_INIT(ROWS_LABELS_BYTES_MAX);
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO silence (id, matchers, starts_ms, ends_ms, until_resolved, created_by,"
              " comment, annotations, created_ms, updated_ms, window)"
              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)"
              " ON CONFLICT DO UPDATE SET matchers = ?2, starts_ms = ?3, ends_ms = ?4,"
              " until_resolved = ?5, created_by = ?6, comment = ?7, annotations = ?8,"
              " updated_ms = max(?9, updated_ms + 1), window = ?10, told_end = 0");

    silence_matchers_text(row->matchers, row->n_matchers, &matchers);
    rows_labels_text(row->annotations, &annotations);
    if (matchers.full || annotations.full)
        return err_set(reterr, SILENCE_DB_E_INVALID, "invalid silence: too much text");
    db_bind_text(stmt, 1, row->silence.id);
    db_bind_text(stmt, 2, str_text(&matchers));
    db_bind_int(stmt, 3, row->silence.starts_at_ms);
    db_bind_int(stmt, 4, row->silence.ends_at_ms);
    db_bind_int(stmt, 5, row->until_resolved);
    db_bind_text(stmt, 6, row->created_by);
    db_bind_text(stmt, 7, row->comment);
    db_bind_text(stmt, 8, str_text(&annotations));
    db_bind_int(stmt, 9, now_ms);
    db_bind_text(stmt, 10, row->window);
    return db_run(stmt, reterr);
}

static int check_room(struct db_conn *conn, int64_t now_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT count(*) FROM silence WHERE ends_ms > ?1");

    db_bind_int(stmt, 1, now_ms);
    int64_t n = db_step(stmt) ? db_int(stmt, 0) : 0;
    int r = db_done(stmt, reterr);

    if (r == 0 && n >= SILENCES_STANDING_MAX)
        return err_set(reterr, SILENCE_DB_E_LIMIT, "there are %d silences: expire some",
                       SILENCES_STANDING_MAX);
    return r;
}

/* --- ends --- */

/* One that has not begun never will: it starts and ends now. */
static int end_row(struct db_conn *conn,
                   struct silence_row *row,
                   const char *kind,
                   const char *actor,
                   int64_t now_ms,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "UPDATE silence SET starts_ms = min(starts_ms, ?2),"
                                            " ends_ms = ?2, updated_ms = max(?2, updated_ms + 1),"
                                            " told_end = 1"
                                            " WHERE id = ?1");

    db_bind_text(stmt, 1, row->silence.id);
    db_bind_int(stmt, 2, now_ms);
    int r = db_run(stmt, reterr);

    row->silence.ends_at_ms = now_ms;
    return r ? r : record(conn, kind, row, actor, now_ms, reterr);
}

int silence_db_expire(
    struct db_conn *conn, const char *id, const char *actor, int64_t now_ms, struct err *reterr)
{
    ARENA_AUTO struct arena scratch;
    struct silence_row row;

    arena_init(&scratch, SCRATCH_BYTES_MAX);
    int r = silence_db_get(conn, id, &scratch, &row, reterr);
    if (r)
        return r;
    if (silence_state(&row.silence, now_ms) == SILENCE_EXPIRED)
        return err_set(reterr, SILENCE_DB_E_EXPIRED, "silence %s already expired", id);
    return end_row(conn, &row, "silence.expired", actor, now_ms, reterr);
}

int silence_db_extend(struct db_conn *conn,
                      const char *id,
                      int64_t ends_at_ms,
                      const char *actor,
                      int64_t now_ms,
                      struct err *reterr)
{
    ARENA_AUTO struct arena scratch;
    struct silence_row row;

    arena_init(&scratch, SCRATCH_BYTES_MAX);
    int r = silence_db_get(conn, id, &scratch, &row, reterr);
    if (r)
        return r;
    if (silence_state(&row.silence, now_ms) == SILENCE_EXPIRED)
        return err_set(reterr, SILENCE_DB_E_EXPIRED, "silence %s already expired: make a new one",
                       id);
    if (ends_at_ms <= now_ms || ends_at_ms <= row.silence.starts_at_ms)
        return err_set(reterr, SILENCE_DB_E_INVALID,
                       "a silence ends after it starts, and not "
                       "in the past");
    if (row.silence.ends_at_ms >= SILENCE_NO_END_MS)
        return err_set(reterr, SILENCE_DB_E_INVALID, "it has no end to move");
    row.silence.ends_at_ms = ends_at_ms;
    r = write_row(conn, &row, now_ms, reterr);
    return r ? r : record(conn, "silence.updated", &row, actor, now_ms, reterr);
}

/* --- set --- */

/* window: where its text goes. */
static struct silence_row row_of(const struct silence_wish *wish, struct str *window)
{
    if (wish->window)
        route_window_json(wish->window, window);
    return (struct silence_row){
        .silence = {.starts_at_ms = wish->starts_at_ms,
                    .ends_at_ms = wish->ends_at_ms,
                    .window = wish->window},
        .window = wish->window ? str_text(window) : NULL,
        .matchers = wish->matchers,
        .n_matchers = wish->n_matchers,
        .until_resolved = wish->until_resolved,
        .created_by = wish->created_by,
        .comment = wish->comment,
        .annotations = wish->annotations ? wish->annotations : labels_empty(),
    };
}

static int add(struct db_conn *conn,
               const struct silence_wish *wish,
               struct silence_row *row,
               char *ret_id,
               struct err *reterr)
{
    char id[SILENCE_ID_TEXT];
    int r = check_room(conn, wish->now_ms, reterr);

    if (r)
        return r;
    make_id(id);
    row->silence.id = id;
    if (row->silence.starts_at_ms < wish->now_ms)
        row->silence.starts_at_ms = wish->now_ms;
    r = write_row(conn, row, wish->now_ms, reterr);
    if (r == 0)
        r = record(conn, "silence.created", row, wish->actor, wish->now_ms, reterr);
    if (r == 0)
        memcpy(ret_id, id, sizeof(id));
    row->silence.id = NULL;
    return r;
}

static int change(struct db_conn *conn,
                  const struct silence_wish *wish,
                  struct silence_row *row,
                  struct silence_row *was,
                  char *ret_id,
                  struct err *reterr)
{
    int r = 0;

    if (wish->base_revision && wish->base_revision != was->updated_ms)
        return err_set(reterr, SILENCE_DB_E_STALE,
                       "somebody changed it meanwhile: look at it again");
    if (wish->keeps_window && !wish->window) {
        row->window = was->window;
        row->silence.window = was->silence.window;
    }
    if (only_moves(wish, row->window, was)) {
        row->silence.id = was->silence.id;
        if (silence_span_state(&was->silence, wish->now_ms) == SILENCE_ACTIVE)
            row->silence.starts_at_ms = was->silence.starts_at_ms;
        r = write_row(conn, row, wish->now_ms, reterr);
        if (r == 0)
            r = record(conn, "silence.updated", row, wish->actor, wish->now_ms, reterr);
        if (r == 0)
            (void)snprintf(ret_id, SILENCE_ID_TEXT, "%s", was->silence.id);
        return r;
    }
    if (silence_state(&was->silence, wish->now_ms) != SILENCE_EXPIRED)
        r = end_row(conn, was, "silence.expired", wish->actor, wish->now_ms, reterr);
    return r ? r : add(conn, wish, row, ret_id, reterr);
}

int silence_db_set(struct db_conn *conn,
                   const struct silence_wish *wish,
                   char *ret_id,
                   struct err *reterr)
{
    STR_AUTO struct str window = STR_INIT(ROUTE_WINDOW_BYTES_MAX);
    ARENA_AUTO struct arena scratch;
    struct silence_row was;

    arena_init(&scratch, SCRATCH_BYTES_MAX);
    int r = check_wish(wish, reterr);
    if (r)
        return r;
    struct silence_row row = row_of(wish, &window);

    if (!wish->id || !*wish->id)
        return add(conn, wish, &row, ret_id, reterr);
    r = silence_db_get(conn, wish->id, &scratch, &was, reterr);
    return r ? r : change(conn, wish, &row, &was, ret_id, reterr);
}

/* --- what ends by itself --- */

/* Which of the silences match something that fires. */
struct matched {
    const struct silence_row *rows;
    bool *fires;
    size_t n;
};

static void note_matches(void *arg, const struct incident_alert *alert)
{
    struct matched *matched = arg;

    if (!alert->firing)
        return;
    for (size_t i = 0; i < matched->n; i++)
        if (!matched->fires[i])
            matched->fires[i] = silence_matches(&matched->rows[i].silence, alert->labels);
}

static int set_matched(struct db_conn *conn, const char *id, int64_t now_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "UPDATE silence SET matched_ms = ?2 WHERE id = ?1");

    db_bind_text(stmt, 1, id);
    db_bind_int(stmt, 2, now_ms);
    return db_run(stmt, reterr);
}

static int sweep_row(struct db_conn *conn,
                     struct silence_row *row,
                     bool fires,
                     int64_t now_ms,
                     bool *changed,
                     struct err *reterr)
{
    if (silence_state(&row->silence, now_ms) != SILENCE_ACTIVE)
        return 0;
    if (fires)
        return now_ms - row->matched_ms >= MATCHED_STEP_MS
                   ? set_matched(conn, row->silence.id, now_ms, reterr)
                   : 0;
    if (!row->until_resolved || !row->matched_ms || now_ms - row->matched_ms < RESOLVED_GRACE_MS)
        return 0;
    *changed = true;
    return end_row(conn, row, "silence.resolved", NULL, now_ms, reterr);
}

/* Those whose end came by itself since the last time. */
static int tell_ends(struct db_conn *conn, int64_t now_ms, bool *changed, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT id FROM silence WHERE ends_ms <= ?1 AND NOT told_end LIMIT 100");
    char ids[100][SILENCE_ID_TEXT];
    size_t n = 0;

    db_bind_int(stmt, 1, now_ms);
    while (db_step(stmt))
        (void)snprintf(ids[n++], SILENCE_ID_TEXT, "%s", db_text(stmt, 0));
    int r = db_done(stmt, reterr);

    for (size_t i = 0; r == 0 && i < n; i++) {
        ARENA_AUTO struct arena scratch;
        struct silence_row row;

        arena_init(&scratch, SCRATCH_BYTES_MAX);
        r = silence_db_get(conn, ids[i], &scratch, &row, reterr);
        if (r == 0)
            r = record(conn, "silence.expired", &row, NULL, row.silence.ends_at_ms, reterr);
        stmt = db_prepare(conn, "UPDATE silence SET told_end = 1 WHERE id = ?1");
        db_bind_text(stmt, 1, ids[i]);
        int done = db_run(stmt, reterr);
        r = r ? r : done;
        *changed = true;
    }
    return r;
}

int silence_db_sweep(struct db_conn *conn, int64_t now_ms, bool *ret_changed, struct err *reterr)
{
    struct silence_row *rows = NULL;
    ARENA_AUTO struct arena scratch;
    bool changed = false;
    size_t n = 0;

    arena_init(&scratch, SCRATCH_BYTES_MAX);
    int r = tell_ends(conn, now_ms, &changed, reterr);
    if (r == 0)
        r = silence_db_list(conn, now_ms, &scratch, &rows, &n, reterr);

    MEM_AUTO bool *fires = mem_zalloc((n + 1) * sizeof(*fires));
    struct matched matched = {rows, fires, n};

    if (r == 0 && n > 0)
        r = alert_db_standing(conn, now_ms + 1, note_matches, &matched, reterr);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = sweep_row(conn, &rows[i], fires[i], now_ms, &changed, reterr);
    if (r == 0)
        *ret_changed = changed;
    return r;
}
