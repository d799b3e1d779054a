#pragma once

/*
 * Why a notification is made, and what becomes of one that still waits when the next is due.
 *
 * A notification is rendered when it is sent, so one that waits unsent tells of whatever
 * happened meanwhile: route_merge() says when a second one is not needed, and when a later
 * one must take an earlier one's place (and tell its story).
 */

enum route_reason {
    ROUTE_NOTHING,
    ROUTE_FIRST,
    ROUTE_NEW_ALERTS,
    ROUTE_SOME_RESOLVED,
    ROUTE_RESOLVED,
    ROUTE_REPEAT,
    ROUTE_ESCALATION, /* a step of an escalation policy */
};

/* "first", "new alerts", "some resolved", "resolved", "repeat", "escalation". */
const char *route_reason_name(enum route_reason reason);
/* ROUTE_NOTHING for anything else. */
enum route_reason route_reason_parse(const char *name);

enum route_merge {
    ROUTE_MERGE_ADD,       /* enqueue the new one beside what is there */
    ROUTE_MERGE_COVERED,   /* the waiting one will tell it: enqueue nothing */
    ROUTE_MERGE_SUPERSEDE, /* the new one takes the waiting one's place */
};

/* `waiting`: the unsent notification of the same incident to the same integration
 * (ROUTE_NOTHING: none), tried `attempts` times so far. Once tried it may have arrived
 * without us knowing, under its idempotency key: news then needs a key of its own. */
enum route_merge route_merge(enum route_reason waiting, unsigned attempts, enum route_reason next);
