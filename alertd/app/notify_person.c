/*
 * A page to a person: the contact is looked up when the page is sent, so that a changed
 * address, or one that is gone, counts at once. See notify.h.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/app/notify.h"
#include "alertd/db/roster_db.h"
#include "alertd/deliver/contact.h"
#include "alertd/deliver/receiver.h"
#include "alertd/oncall/spelling.h"

enum {
    PERSON_BYTES_MAX = 4 * 1024 * 1024
};

static int find_person(struct db_conn *conn,
                       const char *name,
                       struct arena *arena,
                       struct person *ret_person,
                       struct err *reterr)
{
    struct roster_item item = {0};
    int r = roster_db_get(conn, ROSTER_PERSON, name, arena, &item, reterr);

    return r == 0 ? person_parse(item.spec, strlen(item.spec), arena, ret_person, reterr) : r;
}

/* 0, ROSTER_DB_E_NOT_FOUND: the person or the contact is gone; or that it can't be read now. */
static int find_contact(struct loop_notify *loop,
                        const struct page *page,
                        const char *name,
                        struct arena *arena,
                        struct contact *ret_contact,
                        struct err *reterr)
{
    struct person person = {0};
    struct db_conn *conn = NULL;
    int r = db_read_begin(loop->state, &conn, reterr);

    if (r)
        return r;
    r = find_person(conn, name, arena, &person, reterr);
    db_read_end(loop->state, conn);
    if (r)
        return r;
    if (page->slot >= person.n_contacts ||
        strcmp(person.contacts[page->slot].method, page->kind) != 0)
        return err_set(reterr, ROSTER_DB_E_NOT_FOUND, "%s has no %s there any more", name,
                       page->kind);
    *ret_contact = person.contacts[page->slot];
    return 0;
}

bool notify_person_send(struct loop_notify *loop,
                        struct deliver *deliver,
                        const struct page *page,
                        struct deliver_outcome *ret_outcome)
{
    const char *name = page->receiver + strlen(OUTBOX_PERSON);
    struct route_integration to;
    ARENA_AUTO struct arena arena;
    struct contact contact = {0};
    struct err err = {0};

    arena_init(&arena, PERSON_BYTES_MAX);
    *ret_outcome = (struct deliver_outcome){.verdict = DELIVER_LATER, .retry_after_ms = -1};
    int r = find_contact(loop, page, name, &arena, &contact, &err);
    bool is_gone = r == ROSTER_DB_E_NOT_FOUND;

    if (r == 0) {
        r = contact_integration(loop->config, name, contact.method, contact.address, &arena, &to,
                                &err);
        if (r)
            ret_outcome->verdict = DELIVER_REFUSED;
    }
    if (r == 0)
        deliver_send(deliver, &to, page, ret_outcome);
    else
        (void)snprintf(ret_outcome->words, sizeof(ret_outcome->words), "%s", err.text);
    return !is_gone;
}
