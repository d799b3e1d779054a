#pragma once

/*
 * What is known about an incident, as a tree that a template can name: groups with
 * members, lists, texts, truths.
 *
 *     incident ── key "INC-2026-0012"
 *              └─ labels[] ── name "job"  value "node"
 *     mark ────── acked ── known false  text "not known (nobody acknowledged)"
 *
 * Invariants
 *  (1) Every fact lives in the arena of its maker; nothing is freed alone.
 *  (2) Members keep the order in which they were set and have distinct names.
 *  (3) Unknown is a fact: a group with `known` false says why in its text. Nothing is
 *      left out because it is missing, so a template that names it never fails.
 *
 * Making never fails at the call: when the arena is spent, `spent` is set, and what
 * comes back is a loose fact that nobody sees. Ask once, at the end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/json/write.h"

enum fact_type {
    FACT_TEXT,     /* printed with Markdown's signs escaped */
    FACT_MARKDOWN, /* a text that is Markdown: {{&x}} may print it as it is */
    FACT_BOOL,
    FACT_NUMBER, /* whole; printed in decimal */
    FACT_GROUP,
    FACT_LIST,
};

struct fact {
    enum fact_type type;
    const char *name; /* within its group; "" for items of a list */
    const char *text;
    int64_t number;
    bool truth;
    struct fact *first; /* members or items */
    struct fact *last;
    size_t n;          /* of those */
    struct fact *next; /* sibling */
};

struct fact_maker {
    struct arena *arena;
    bool spent;
    struct fact loose; /* what is handed out once spent */
};

#define FACT_MAKER(arena_ptr) ((struct fact_maker){.arena = (arena_ptr)})

/* A group to start with. */
struct fact *fact_root(struct fact_maker *maker);
/* Each adds a member to a group, or, with the name "", an item to a list. Texts are
 * copied; NULL is "". */
struct fact *fact_group(struct fact_maker *maker, struct fact *parent, const char *name);
struct fact *fact_list(struct fact_maker *maker, struct fact *parent, const char *name);
void fact_text(struct fact_maker *maker, struct fact *parent, const char *name, const char *text);
void fact_textf(struct fact_maker *maker,
                struct fact *parent,
                const char *name,
                const char *fmt,
                ...) __attribute__((format(printf, 4, 5)));
void fact_markdown(struct fact_maker *maker,
                   struct fact *parent,
                   const char *name,
                   const char *markdown);
void fact_bool(struct fact_maker *maker, struct fact *parent, const char *name, bool truth);
void fact_number(struct fact_maker *maker, struct fact *parent, const char *name, int64_t number);

/* The member of a group; NULL when there is none. name has len bytes. */
const struct fact *fact_member(const struct fact *group, const char *name, size_t len);

/* What {{#x}} asks: a list with items, a text that is not empty, a number that is not
 * zero, a truth; a group unless it says `known` false. */
bool fact_is_true(const struct fact *fact);

/* facts.json: groups as objects, lists as arrays. */
void fact_json(const struct fact *fact, struct json_out *out);
