/*
 * Runs tests of a config file. See test_run.h.
 */

#include "alertd/route/test_run.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/route/dispatch.h"
#include "alertd/route/tree.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"

enum {
    LINE_MAX_BYTES = 256 * 1024,
    NOTES_MAX = 100000, /* notifications of one history */
};

/* --- One alert ------------------------------------------------------------------------------- */

static void add_list(char mark,
                     const char *what,
                     const struct route_test_names *names,
                     struct str *out)
{
    str_addf(out, "%c %s:", mark, what);
    for (size_t i = 0; i < names->n; i++)
        str_addf(out, "%s %s", i ? "," : "", names->at[i]);
    str_addc(out, '\n');
}

static bool same_list(const char *what,
                      const struct route_test_names *expected,
                      const struct route_test_names *got,
                      struct str *out)
{
    size_t i = 0;

    while (i < expected->n && i < got->n && strcmp(expected->at[i], got->at[i]) == 0)
        i++;
    if (i == expected->n && i == got->n)
        return true;
    add_list('-', what, expected, out);
    add_list('+', what, got, out);
    return false;
}

static bool run_route(const struct route_config *config,
                      const struct route_test *test,
                      struct str *out)
{
    const char *receivers[ROUTE_WALK_MAX];
    const char *keys[ROUTE_WALK_MAX];
    struct str texts[ROUTE_WALK_MAX];
    struct route_walk walk;
    bool ok;

    route_walk(config, test->labels, &walk);
    for (size_t i = 0; i < walk.n; i++) {
        const struct labels *group = route_node_group(walk.at[i], test->labels);

        texts[i] = STR_INIT(LINE_MAX_BYTES);
        route_node_group_key(walk.at[i], group, &texts[i]);
        labels_unref(group);
        receivers[i] = walk.at[i]->receiver->name;
        keys[i] = str_text(&texts[i]);
    }
    ok = same_list("receivers", &test->receivers,
                   &(struct route_test_names){.at = receivers, .n = walk.n}, out);
    if (test->group_keys.given)
        ok = same_list("group keys", &test->group_keys,
                       &(struct route_test_names){.at = keys, .n = walk.n}, out) &&
             ok;
    for (size_t i = 0; i < walk.n; i++)
        str_done(&texts[i]);
    return ok;
}

/* --- What came, in a history ----------------------------------------------------------------- */

/* A notification, or the same one by several integrations. */
struct note {
    int64_t at_ms;
    const char *receiver, *reason;
    char *group_key;
    const char *kinds[ROUTE_INTEGRATIONS_MAX];
    size_t n_kinds;
    size_t *firing, *resolved; /* alerts of the test, in its order */
    size_t n_firing, n_resolved;
    bool expected;
};

struct play {
    const struct route_test *test;
    const struct route_config *config;
    struct dispatch *dispatch;
    struct inhibitor *inhibitor;
    struct silences *silences;
    struct silence *spans; /* the test's, in absolute time */
    struct note *notes;
    size_t n_notes, capacity;
    bool too_many;
    struct str *out;
    bool ok;
};

static int compare_places(const void *a, const void *b)
{
    size_t x = *(const size_t *)a;
    size_t y = *(const size_t *)b;

    return x < y ? -1 : x > y;
}

/* Alerts with the same labels are one alert to the dispatcher: the first of them stands for it. */
static size_t place_of(const struct play *play, const struct labels *labels)
{
    size_t i = 0;

    while (!labels_equal(play->test->alerts[i].labels, labels))
        i++;
    return i;
}

static size_t *places(const struct play *play, const struct dispatch_alert *const *alerts, size_t n)
{
    size_t *at = mem_alloc((n + 1) * sizeof(*at));

    for (size_t i = 0; i < n; i++)
        at[i] = place_of(play, alerts[i]->labels);
    if (n > 0)
        qsort(at, n, sizeof(*at), compare_places);
    return at;
}

static bool same_places(const size_t *a, size_t n_a, const size_t *b, size_t n_b)
{
    return n_a == n_b && memcmp(a, b, n_a * sizeof(*a)) == 0;
}

static void note_done(struct note *note)
{
    free(note->group_key);
    free(note->firing);
    free(note->resolved);
}

/* The last one, when it says the same by another integration. */
static bool joins(struct play *play, const struct note *note)
{
    struct note *last = play->n_notes > 0 ? &play->notes[play->n_notes - 1] : NULL;

    if (!last || last->at_ms != note->at_ms || last->receiver != note->receiver ||
        last->reason != note->reason || strcmp(last->group_key, note->group_key) != 0 ||
        !same_places(last->firing, last->n_firing, note->firing, note->n_firing) ||
        !same_places(last->resolved, last->n_resolved, note->resolved, note->n_resolved) ||
        last->n_kinds == ROUTE_INTEGRATIONS_MAX)
        return false;
    last->kinds[last->n_kinds++] = note->kinds[0];
    return true;
}

static void take(void *arg, const struct dispatch_notification *told)
{
    struct play *play = arg;
    struct note note = {
        .at_ms = told->at_ms - play->test->start_ms,
        .receiver = told->to->receiver,
        .reason = dispatch_reason_name(told->reason),
        .group_key = mem_strdup(told->group_key),
        .kinds = {route_kind_name(told->to->kind)},
        .n_kinds = 1,
        .firing = places(play, told->firing, told->n_firing),
        .resolved = places(play, told->resolved, told->n_resolved),
        .n_firing = told->n_firing,
        .n_resolved = told->n_resolved,
    };

    if (play->n_notes == NOTES_MAX || joins(play, &note)) {
        play->too_many |= play->n_notes == NOTES_MAX;
        note_done(&note);
        return;
    }
    play->notes = mem_grow(play->notes, &play->capacity, play->n_notes + 1, sizeof(note));
    play->notes[play->n_notes++] = note;
}

/* --- What was expected ----------------------------------------------------------------------- */

static void add_names(const char *before, const struct route_test_names *names, struct str *out)
{
    for (size_t i = 0; i < names->n; i++)
        str_addf(out, "%s%s", i ? ", " : before, names->at[i]);
}

static void add_expected(const struct route_test_told *told, struct str *out)
{
    char at[DURATION_TEXT_MAX];

    str_addf(out, "- %s %s", duration_print(told->at_ms, at), told->receiver);
    add_names(" by ", &told->by, out);
    str_addf(out, ": %s%s", told->reason ? told->reason : "", told->reason ? ", " : "");
    if (told->firing.n == 0 && told->resolved.n == 0)
        str_add(out, "nothing");
    add_names("firing ", &told->firing, out);
    add_names(told->firing.n ? ", resolved " : "resolved ", &told->resolved, out);
    if (told->group_key)
        str_addf(out, " in %s", told->group_key);
    str_addf(out, " (line %u)\n", told->line);
}

static void add_note(const struct play *play, const struct note *note)
{
    struct str *out = play->out;
    char at[DURATION_TEXT_MAX];

    str_addf(out, "+ %s %s by ", duration_print(note->at_ms, at), note->receiver);
    for (size_t i = 0; i < note->n_kinds; i++)
        str_addf(out, "%s%s", i ? ", " : "", note->kinds[i]);
    str_addf(out, ": %s", note->reason);
    for (size_t i = 0; i < note->n_firing; i++)
        str_addf(out, "%s%s", i ? ", " : ", firing ", play->test->alerts[note->firing[i]].name);
    for (size_t i = 0; i < note->n_resolved; i++)
        str_addf(out, "%s%s", i ? ", " : ", resolved ", play->test->alerts[note->resolved[i]].name);
    str_addc(out, '\n');
}

/* The alert of that name, or the first one with its labels: to the dispatcher they are one. */
static size_t named(const struct play *play, const char *name)
{
    size_t i = 0;

    while (strcmp(play->test->alerts[i].name, name) != 0)
        i++;
    return place_of(play, play->test->alerts[i].labels);
}

static bool same_alerts(const struct play *play,
                        const struct route_test_names *expected,
                        const size_t *got,
                        size_t n_got)
{
    if (expected->n != n_got)
        return false;

    MEM_AUTO size_t *wanted = mem_alloc((n_got + 1) * sizeof(*wanted));

    for (size_t i = 0; i < n_got; i++)
        wanted[i] = named(play, expected->at[i]);
    if (n_got > 0)
        qsort(wanted, n_got, sizeof(*wanted), compare_places);
    return same_places(wanted, n_got, got, n_got);
}

static bool same_kinds(const struct route_test_names *expected, const struct note *note)
{
    if (!expected->given)
        return true;
    for (size_t i = 0; i < expected->n && i < note->n_kinds; i++)
        if (strcmp(expected->at[i], note->kinds[i]) != 0)
            return false;
    return expected->n == note->n_kinds;
}

static bool is_as_expected(const struct play *play,
                           const struct route_test_told *told,
                           const struct note *note)
{
    return told->at_ms == note->at_ms && strcmp(told->receiver, note->receiver) == 0 &&
           (!told->reason || strcmp(told->reason, note->reason) == 0) &&
           (!told->group_key || strcmp(told->group_key, note->group_key) == 0) &&
           same_kinds(&told->by, note) &&
           same_alerts(play, &told->firing, note->firing, note->n_firing) &&
           same_alerts(play, &told->resolved, note->resolved, note->n_resolved);
}

/* What was expected and did not come stands before what came instead, in order of time. */
static void compare(struct play *play)
{
    const struct route_test *test = play->test;
    MEM_AUTO bool *met = mem_zalloc(test->n_told + 1);
    size_t shown = 0;

    for (size_t i = 0; i < test->n_told; i++)
        for (size_t j = 0; j < play->n_notes && !met[i]; j++)
            if (!play->notes[j].expected && is_as_expected(play, &test->told[i], &play->notes[j]))
                met[i] = play->notes[j].expected = true;
    for (size_t i = 0; i < test->n_told; i++) {
        if (met[i])
            continue;
        for (; shown < play->n_notes && play->notes[shown].at_ms < test->told[i].at_ms; shown++)
            if (!play->notes[shown].expected)
                add_note(play, &play->notes[shown]);
        add_expected(&test->told[i], play->out);
        play->ok = false;
    }
    for (; shown < play->n_notes; shown++)
        if (!play->notes[shown].expected)
            add_note(play, &play->notes[shown]);
    for (size_t i = 0; i < play->n_notes; i++)
        play->ok &= play->notes[i].expected;
}

/* --- What mutes an alert at an instant ------------------------------------------------------- */

static void add_reasons(const struct play *play,
                        const struct labels *alert,
                        int64_t at_ms,
                        struct str *out)
{
    struct inhibition inhibition = inhibitor_check(play->inhibitor, alert, at_ms);
    const struct silence *found[16];
    size_t n = silences_find(play->silences, alert, at_ms, found, 16);
    struct route_walk walk;

    for (size_t i = 0; i < n && i < 16; i++)
        str_addf(out, "%ssilence %s", out->len ? ", " : "", found[i]->id);
    if (inhibition.source)
        str_addf(out, "%sinhibition by %s", out->len ? ", " : "",
                 play->test->alerts[place_of(play, inhibition.source)].name);
    route_walk(play->config, alert, &walk);
    for (size_t i = 0; i < walk.n; i++) {
        const char *interval = NULL;
        enum route_quiet quiet = route_node_quiet(walk.at[i], at_ms, &interval);

        if (quiet != ROUTE_TELLS)
            str_addf(out, "%s%s of %s", out->len ? ", " : "",
                     quiet == ROUTE_MUTED ? interval : "inactive time", walk.at[i]->receiver->name);
    }
}

static void check_muted(struct play *play, const struct route_test_muted *muted)
{
    STR_AUTO struct str got = STR_INIT(LINE_MAX_BYTES);
    STR_AUTO struct str expected = STR_INIT(LINE_MAX_BYTES);
    const struct route_test_alert *alert = &play->test->alerts[muted->alert];
    char at[DURATION_TEXT_MAX];

    add_reasons(play, alert->labels, play->test->start_ms + muted->at_ms, &got);
    add_names("", &muted->by, &expected);
    if (strcmp(str_text(&got), str_text(&expected)) == 0)
        return;
    play->ok = false;
    (void)duration_print(muted->at_ms, at);
    str_addf(play->out, "- %s %s muted by %s (line %u)\n+ %s %s muted by %s\n", at, alert->name,
             expected.len ? str_text(&expected) : "nothing", muted->line, at, alert->name,
             got.len ? str_text(&got) : "nothing");
}

/* --- Time ------------------------------------------------------------------------------------ */

enum event_kind {
    EVENT_BEGINS,
    EVENT_ENDS,
    EVENT_CHECK, /* behind the others of its instant */
};

struct event {
    int64_t at_ms;
    enum event_kind kind;
    size_t place;
};

static int compare_events(const void *a, const void *b)
{
    const struct event *x = a;
    const struct event *y = b;

    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    if (x->kind != y->kind)
        return (x->kind == EVENT_CHECK) - (y->kind == EVENT_CHECK);
    return x->place < y->place ? -1 : x->place > y->place;
}

static struct event *make_events(const struct route_test *test, size_t *ret_n)
{
    struct event *events = mem_alloc((test->n_alerts * 2 + test->n_muted + 1) * sizeof(*events));
    size_t n = 0;

    for (size_t i = 0; i < test->n_alerts; i++) {
        events[n++] = (struct event){test->alerts[i].at_ms, EVENT_BEGINS, i};
        if (test->alerts[i].until_ms != INT64_MAX)
            events[n++] = (struct event){test->alerts[i].until_ms, EVENT_ENDS, i};
    }
    for (size_t i = 0; i < test->n_muted; i++)
        events[n++] = (struct event){test->muted[i].at_ms, EVENT_CHECK, i};
    if (n > 0)
        qsort(events, n, sizeof(*events), compare_events);
    *ret_n = n;
    return events;
}

static void play_event(struct play *play, const struct event *event)
{
    const struct route_test *test = play->test;
    int64_t at_ms = test->start_ms + event->at_ms;

    if (event->kind == EVENT_CHECK) {
        check_muted(play, &test->muted[event->place]);
        return;
    }

    const struct route_test_alert *from = &test->alerts[event->place];
    struct dispatch_alert alert = {
        .labels = from->labels,
        .starts_at_ms = test->start_ms + from->at_ms,
        .ends_at_ms = event->kind == EVENT_ENDS ? at_ms : test->start_ms + test->until_ms + 1,
    };

    dispatch_put(play->dispatch, &alert, at_ms);
    inhibitor_put(play->inhibitor, alert.labels, alert.ends_at_ms);
}

static int64_t least_interval_ms(const struct route_node *node)
{
    int64_t least_ms = node->times.group_interval_ms;

    for (size_t i = 0; i < node->n_children; i++) {
        int64_t below_ms = least_interval_ms(&node->children[i]);

        least_ms = below_ms < least_ms ? below_ms : least_ms;
    }
    return least_ms;
}

static void play_init(struct play *play)
{
    const struct route_test *test = play->test;

    play->spans = mem_alloc((test->n_silences + 1) * sizeof(*play->spans));
    for (size_t i = 0; i < test->n_silences; i++) {
        play->spans[i] = test->silences[i];
        play->spans[i].starts_at_ms += test->start_ms;
        if (play->spans[i].ends_at_ms != INT64_MAX)
            play->spans[i].ends_at_ms += test->start_ms;
    }
    play->silences = silences_new(play->spans, test->n_silences);
    play->inhibitor = inhibitor_new(play->config);
    play->dispatch = dispatch_new(play->config, test->start_ms);
    dispatch_silence(play->dispatch, play->silences);
}

static void play_done(struct play *play)
{
    dispatch_free(play->dispatch);
    inhibitor_free(play->inhibitor);
    silences_free(play->silences);
    for (size_t i = 0; i < play->n_notes; i++)
        note_done(&play->notes[i]);
    free(play->notes);
    free(play->spans);
}

static bool run_history(const struct route_config *config,
                        const struct route_test *test,
                        struct str *out)
{
    struct play play = {.test = test, .config = config, .out = out, .ok = true};
    size_t n = 0;

    if (test->until_ms / least_interval_ms(config->root) > ROUTE_TEST_STEPS_MAX) {
        str_add(out, "+ this history is longer than a million of the shortest group_interval\n");
        return false;
    }

    MEM_AUTO struct event *events = make_events(test, &n);

    play_init(&play);
    for (size_t i = 0; i < n && events[i].at_ms <= test->until_ms; i++) {
        dispatch_run(play.dispatch, test->start_ms + events[i].at_ms, take, &play);
        play_event(&play, &events[i]);
    }
    dispatch_run(play.dispatch, test->start_ms + test->until_ms, take, &play);
    if (test->checks_told)
        compare(&play);
    if (play.too_many) {
        str_add(out, "+ more than 100,000 notifications\n");
        play.ok = false;
    }
    play_done(&play);
    return play.ok;
}

bool route_test_run(const struct route_config *config,
                    const struct route_test *test,
                    struct str *out)
{
    return test->is_history ? run_history(config, test, out) : run_route(config, test, out);
}

size_t route_test_checks(const struct route_test *test)
{
    if (!test->is_history)
        return 1 + test->group_keys.given;
    return (test->n_told ? test->n_told : test->checks_told) + test->n_muted;
}
