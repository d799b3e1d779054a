/*
 * A tree of facts. See fact.h.
 */

#include "alertd/postmortem/fact.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "lib/base/str.h"

enum {
    TEXT_MAX = 64 * 1024 /* of one fact; a note in a timeline is at most a few KiB */
};

static const char *copied(struct fact_maker *maker, const char *text, size_t len)
{
    const char *copy = maker->spent ? NULL : arena_strndup(maker->arena, text, len);

    if (!copy)
        maker->spent = true;
    return copy ? copy : "";
}

static struct fact *made(struct fact_maker *maker,
                         struct fact *parent,
                         const char *name,
                         enum fact_type type)
{
    assert(!parent || maker->spent || parent->type == FACT_GROUP || parent->type == FACT_LIST);

    struct fact *fact = maker->spent ? NULL : arena_alloc(maker->arena, sizeof(*fact));

    if (!fact) {
        maker->spent = true;
        maker->loose = (struct fact){.type = type, .name = "", .text = ""};
        return &maker->loose;
    }
    fact->type = type;
    fact->text = "";
    fact->name = copied(maker, name, strlen(name));
    if (parent && parent->last)
        parent->last->next = fact;
    else if (parent)
        parent->first = fact;
    if (parent) {
        parent->last = fact;
        parent->n++;
    }
    return fact;
}

struct fact *fact_root(struct fact_maker *maker)
{
    return made(maker, NULL, "", FACT_GROUP);
}

struct fact *fact_group(struct fact_maker *maker, struct fact *parent, const char *name)
{
    return made(maker, parent, name, FACT_GROUP);
}

struct fact *fact_list(struct fact_maker *maker, struct fact *parent, const char *name)
{
    return made(maker, parent, name, FACT_LIST);
}

void fact_text(struct fact_maker *maker, struct fact *parent, const char *name, const char *text)
{
    struct fact *fact = made(maker, parent, name, FACT_TEXT);

    if (text)
        fact->text = copied(maker, text, strnlen(text, TEXT_MAX));
}

void fact_textf(
    struct fact_maker *maker, struct fact *parent, const char *name, const char *fmt, ...)
{
    STR_AUTO struct str text = STR_INIT(TEXT_MAX);
    va_list ap;

    va_start(ap, fmt);
    str_addv(&text, fmt, ap);
    va_end(ap);
    fact_text(maker, parent, name, str_text(&text));
}

void fact_markdown(struct fact_maker *maker,
                   struct fact *parent,
                   const char *name,
                   const char *markdown)
{
    struct fact *fact = made(maker, parent, name, FACT_MARKDOWN);

    fact->text = copied(maker, markdown, strlen(markdown));
}

void fact_bool(struct fact_maker *maker, struct fact *parent, const char *name, bool truth)
{
    made(maker, parent, name, FACT_BOOL)->truth = truth;
}

void fact_number(struct fact_maker *maker, struct fact *parent, const char *name, int64_t number)
{
    made(maker, parent, name, FACT_NUMBER)->number = number;
}

const struct fact *fact_member(const struct fact *group, const char *name, size_t len)
{
    if (group->type != FACT_GROUP)
        return NULL;
    for (const struct fact *member = group->first; member; member = member->next)
        if (strncmp(member->name, name, len) == 0 && member->name[len] == '\0')
            return member;
    return NULL;
}

bool fact_is_true(const struct fact *fact)
{
    const struct fact *known = fact_member(fact, "known", 5);

    switch (fact->type) {
    case FACT_TEXT:
    case FACT_MARKDOWN: return fact->text[0] != '\0';
    case FACT_BOOL: return fact->truth;
    case FACT_NUMBER: return fact->number != 0;
    case FACT_LIST: return fact->first != NULL;
    case FACT_GROUP: return !known || known->truth;
    }
    return false;
}

static void value_json(const struct fact *fact, struct json_out *out);

/* One level; the depth of the tree is that of facts.c, not of anybody's input. */
static void members_json(const struct fact *fact, struct json_out *out)
{
    for (const struct fact *member = fact->first; member; member = member->next) {
        if (fact->type == FACT_GROUP)
            json_key(out, member->name);
        value_json(member, out);
    }
}

static void value_json(const struct fact *fact, struct json_out *out)
{
    switch (fact->type) {
    case FACT_TEXT:
    case FACT_MARKDOWN: json_string(out, fact->text); break;
    case FACT_BOOL: json_bool(out, fact->truth); break;
    case FACT_NUMBER: json_int(out, fact->number); break;
    case FACT_GROUP:
        json_open(out, '{');
        members_json(fact, out);
        json_close(out, '}');
        break;
    case FACT_LIST:
        json_open(out, '[');
        members_json(fact, out);
        json_close(out, ']');
        break;
    }
}

void fact_json(const struct fact *fact, struct json_out *out)
{
    value_json(fact, out);
}
