/*
 * A drill's pages to people who asked for them. See loop_drill.h.
 */

#include "alertd/app/loop_drill.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/db/roster_db.h"
#include "alertd/deliver/contact.h"
#include "alertd/deliver/receiver.h"
#include "alertd/oncall/spelling.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    WAITING_MAX = 100,
    ARENA_BYTES_MAX = 4 * 1024 * 1024,
    WORDS_BYTES_MAX = 300,
};

struct waiting {
    struct waiting *next;
    int64_t session, moment;
    char *person, *drill, *alerts, *title;
};

struct loop_drill {
    struct loop_drill_options options;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct waiting *first, **last;
    unsigned n;
    bool stopping;
    pthread_t thread;
};

static void drop(struct waiting *waiting)
{
    free(waiting->person);
    free(waiting->drill);
    free(waiting->alerts);
    free(waiting->title);
    free(waiting);
}

void loop_drill_page(struct loop_drill *loop, const struct play_page *page)
{
    struct waiting *waiting = mem_zalloc(sizeof(*waiting));

    *waiting = (struct waiting){.session = page->session,
                                .moment = page->moment,
                                .person = mem_strdup(page->person),
                                .drill = mem_strdup(page->drill),
                                .alerts = mem_strdup(page->alerts),
                                .title = mem_strdup(page->title)};
    (void)pthread_mutex_lock(&loop->lock);
    bool is_full = loop->n == WAITING_MAX;

    if (!is_full) {
        *loop->last = waiting;
        loop->last = &waiting->next;
        loop->n++;
        (void)pthread_cond_signal(&loop->wake);
    }
    (void)pthread_mutex_unlock(&loop->lock);
    if (is_full) {
        log_warn(loop->options.log, "drill", "too many pages of drills wait: one is dropped",
                 "session=%" PRId64, page->session);
        drop(waiting);
    }
}

/* --- Sending ----------------------------------------------------------------------------------------- */

static int find_person(const struct loop_drill *loop,
                       const char *name,
                       struct arena *arena,
                       struct person *ret_person,
                       struct err *reterr)
{
    struct roster_item item = {0};
    struct db_conn *conn = NULL;
    int r = db_read_begin(loop->options.state, &conn, reterr);

    if (r)
        return r;
    r = roster_db_get(conn, ROSTER_PERSON, name, arena, &item, reterr);
    db_read_end(loop->options.state, conn);
    return r ? r : person_parse(item.spec, strlen(item.spec), arena, ret_person, reterr);
}

static void send(struct deliver *deliver,
                 const struct loop_drill *loop,
                 const struct waiting *waiting,
                 const struct route_integration *to,
                 const char *method,
                 struct deliver_outcome *outcome)
{
    STR_AUTO struct str title = STR_INIT(WORDS_BYTES_MAX);
    STR_AUTO struct str link = STR_INIT(1000);
    const struct labels *none = labels_empty();
    int64_t now_ms = clock_wall_ms();
    const struct incident_alert alert = {.name = waiting->alerts,
                                         .expr = "",
                                         .labels = none,
                                         .annotations = none,
                                         .firing = true,
                                         .active_at_ms = now_ms,
                                         .fired_at_ms = now_ms,
                                         .value = (double)NAN};
    char key[48], number[32];

    str_addf(&title, "[DRILL] %.150s", waiting->title);
    str_addf(&link, "%s/drills/%" PRId64 "/play", loop->options.external_url, waiting->session);
    (void)snprintf(key, sizeof(key), "%016" PRIx64 "%016" PRIx64, (uint64_t)waiting->session,
                   (uint64_t)waiting->moment);
    (void)snprintf(number, sizeof(number), "DRILL-%" PRId64, waiting->session);
    const struct page page = {.incident = {.key = number,
                                           .title = str_text(&title),
                                           .severity = "drill",
                                           .status = INCIDENT_TRIGGERED,
                                           .opened_at_ms = now_ms,
                                           .labels = none,
                                           .group_key = "drill",
                                           .n_alerts = 1,
                                           .n_firing = 1},
                              .alerts = &alert,
                              .n_alerts = 1,
                              .reason = "first",
                              .receiver = waiting->person,
                              .kind = method,
                              .idempotency_key = key,
                              .root_id = key,
                              .now_ms = now_ms,
                              .owed_at_ms = now_ms,
                              .incident_url = str_text(&link),
                              .external_url = loop->options.external_url,
                              .lane = "drill"};

    deliver_send(deliver, to, &page, outcome);
}

static void tell(struct deliver *deliver,
                 const struct loop_drill *loop,
                 const struct waiting *waiting)
{
    const struct log *log = loop->options.log;
    struct person person = {0};
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, ARENA_BYTES_MAX);
    if (find_person(loop, waiting->person, &arena, &person, &err) != 0) {
        log_warn(log, "drill", "a drill's page reached nobody", "session=%" PRId64 " error=\"%s\"",
                 waiting->session, err.text);
        return;
    }
    for (size_t i = 0; i < person.n_contacts; i++) {
        struct deliver_outcome outcome = {.verdict = DELIVER_REFUSED};
        const struct contact *contact = &person.contacts[i];
        struct route_integration to;

        if (contact_integration(atomic_load(loop->options.config), person.name, contact->method,
                                contact->address, &arena, &to, &err) == 0)
            send(deliver, loop, waiting, &to, contact->method, &outcome);
        else
            (void)snprintf(outcome.words, sizeof(outcome.words), "%s", err.text);
        log_info(log, "drill", "a drill's page",
                 "session=%" PRId64 " to=%s by=%s sent=%s why=\"%s\"", waiting->session,
                 person.name, contact->method, outcome.verdict == DELIVER_ACCEPTED ? "yes" : "no",
                 outcome.words);
    }
}

static void *run(void *arg)
{
    struct loop_drill *loop = arg;
    struct deliver *deliver = deliver_new();

    (void)pthread_mutex_lock(&loop->lock);
    while (!loop->stopping) {
        struct waiting *waiting = loop->first;

        if (!waiting) {
            (void)pthread_cond_wait(&loop->wake, &loop->lock);
            continue;
        }
        loop->first = waiting->next;
        loop->last = loop->first ? loop->last : &loop->first;
        loop->n--;
        (void)pthread_mutex_unlock(&loop->lock);
        tell(deliver, loop, waiting);
        drop(waiting);
        (void)pthread_mutex_lock(&loop->lock);
    }
    (void)pthread_mutex_unlock(&loop->lock);
    deliver_free(deliver);
    return NULL;
}

int loop_drill_start(const struct loop_drill_options *options,
                     struct loop_drill **ret_loop,
                     struct err *reterr)
{
    struct loop_drill *loop = mem_zalloc(sizeof(*loop));

    loop->options = *options;
    loop->last = &loop->first;
    (void)pthread_mutex_init(&loop->lock, NULL);
    (void)pthread_cond_init(&loop->wake, NULL);

    int r = pthread_create(&loop->thread, NULL, run, loop);

    if (r) {
        free(loop);
        return err_set(reterr, -r, "a thread can't be started: %s", strerrordesc_np(r));
    }
    *ret_loop = loop;
    return 0;
}

void loop_drill_stop(struct loop_drill *loop)
{
    if (!loop)
        return;
    (void)pthread_mutex_lock(&loop->lock);
    loop->stopping = true;
    (void)pthread_cond_signal(&loop->wake);
    (void)pthread_mutex_unlock(&loop->lock);
    (void)pthread_join(loop->thread, NULL);
    for (struct waiting *waiting = loop->first, *next; waiting; waiting = next) {
        next = waiting->next;
        drop(waiting);
    }
    (void)pthread_cond_destroy(&loop->wake);
    (void)pthread_mutex_destroy(&loop->lock);
    free(loop);
}
