/*
 * Words of a drill that is made of an incident. See from_private.h.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/drill/from_private.h"
#include "lib/model/duration.h"

enum {
    WORDS_MAX = 8,  /* of a pattern */
    PART_LEAST = 3, /* letters of a part of a name that is looked for by itself */
    WORD_MAX = 40,
    LINE_MAX_BYTES = 64 * 1024,
    FILE_MAX_BYTES = 64 * 1024 * 1024,
};

/* --- Names ------------------------------------------------------------------------------------- */

static void add_role(struct from_work *work, struct roles *roles, const char *name, const char *to)
{
    size_t len = name ? strlen(name) : 0;

    if (len < 2 || roles->n == ROLES_MAX)
        return;
    for (size_t i = 0; i < roles->n; i++)
        if (strcmp(roles->at[i].name, name) == 0)
            return;

    struct role role = {arena_strndup(&work->arena, name, len),
                        arena_strndup(&work->arena, to, strlen(to))};

    work->spent |= !role.name || !role.role;
    if (!work->spent)
        roles->at[roles->n++] = role;
}

/* The name, and as it begins a sentence. */
static void add_person(struct from_work *work, const char *name, const char *to)
{
    char capital[64];

    add_role(work, &work->people, name, to);
    if (!name || !islower((unsigned char)name[0]) || strlen(name) >= sizeof(capital))
        return;
    (void)snprintf(capital, sizeof(capital), "%s", name);
    capital[0] = (char)toupper((unsigned char)capital[0]);
    add_role(work, &work->people, capital, to);
}

static int longest_first(const void *a, const void *b)
{
    size_t x = strlen(((const struct role *)a)->name);
    size_t y = strlen(((const struct role *)b)->name);

    return (x < y) - (x > y);
}

static const char *role_of(const struct from_work *work, const char *name)
{
    for (size_t i = 0; i < work->people.n; i++)
        if (strcmp(work->people.at[i].name, name) == 0)
            return work->people.at[i].role;
    return "a colleague";
}

/* "Ana Lund" is Ana too, and whoever ana is. */
static void add_known(struct from_work *work, const struct drill_from_person *person)
{
    const char *role = role_of(work, person->name);
    const char *at = person->full_name;

    add_person(work, person->name, role);
    add_person(work, at, role);
    while (at && *at) {
        size_t len = strcspn(at, " ");
        char *part = len < PART_LEAST ? NULL : arena_strndup(&work->arena, at, len);

        add_person(work, part, role);
        at += len + strspn(at + len, " ");
    }
}

static void add_responders(struct from_work *work)
{
    const struct postmortem_input *record = work->record;
    unsigned n = 0;

    for (size_t i = 0; i < record->n_events; i++) {
        const char *actor = record->events[i].actor;
        size_t before = work->people.n;
        char role[40];

        if (!actor || !*actor)
            continue;
        (void)snprintf(role, sizeof(role), "responder %u", n + 1);
        add_person(work, actor, role);
        n += work->people.n > before;
    }
    add_person(work, record->incident->acknowledged_by, "a responder");
    add_person(work, record->incident->resolved_by, "a responder");
    add_person(work, record->owner, "the owner");
    add_person(work, record->author, "the author");
    for (size_t i = 0; i < work->from->n_people; i++)
        add_known(work, &work->from->people[i]);
}

bool from_is_host_label(const char *name)
{
    static const char *const names[] = {"instance", "host", "hostname", "node",
                                        "nodename", "pod",  "server",   "fqdn"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* `web-1:9100` is web-1: its port stays. */
static void add_host(struct from_work *work, const char *value, unsigned *n)
{
    size_t len = strcspn(value, ":/");
    size_t before = work->hosts.n;
    char role[40];
    char *host = arena_strndup(&work->arena, value, len);

    work->spent |= !host;
    if (!host)
        return;
    (void)snprintf(role, sizeof(role), "host-%u", *n + 1);
    add_role(work, &work->hosts, host, role);
    *n += work->hosts.n > before;
}

static void add_hosts_of(struct from_work *work, const struct labels *labels, unsigned *n)
{
    for (uint32_t i = 0; labels && i < labels->n; i++)
        if (from_is_host_label(labels->at[i].name))
            add_host(work, labels->at[i].value, n);
}

void from_scrubs(struct from_work *work)
{
    unsigned n = 0;

    add_responders(work);
    for (size_t i = 0; work->from->scrub_hosts && i < work->record->n_alerts; i++)
        add_hosts_of(work, work->record->alerts[i].labels, &n);
    for (size_t i = 0; work->from->scrub_hosts && i < work->from->n_series; i++)
        add_hosts_of(work, work->from->series[i].labels, &n);
    qsort(work->people.at, work->people.n, sizeof(struct role), longest_first);
    qsort(work->hosts.at, work->hosts.n, sizeof(struct role), longest_first);
}

void from_scrub(const struct from_work *work, const char *text, bool people, struct str *out)
{
    STR_AUTO struct str named = STR_INIT(FILE_MAX_BYTES);

    if (people)
        roles_replace(&work->people, text, &named);
    else
        str_add(&named, text);
    roles_replace(&work->hosts, str_text(&named), out);
}

const char *from_label(struct from_work *work, const char *value)
{
    STR_AUTO struct str out = STR_INIT(LINE_MAX_BYTES);

    if (work->hosts.n == 0)
        return value;
    roles_replace(&work->hosts, value, &out);

    const char *kept = arena_strndup(&work->arena, str_text(&out), out.len);

    work->spent |= !kept;
    return kept ? kept : "";
}

const char *from_clean(struct from_work *work, const char *text)
{
    STR_AUTO struct str scrubbed = STR_INIT(LINE_MAX_BYTES);
    STR_AUTO struct str out = STR_INIT(LINE_MAX_BYTES);
    const char *kept;

    from_scrub(work, text ? text : "", true, &scrubbed);
    for (const char *c = str_text(&scrubbed); *c; c++) {
        bool blank = (unsigned char)*c <= ' ' || *c == 0x7f;

        if (!blank)
            str_addc(&out, *c);
        else if (out.len && out.text[out.len - 1] != ' ')
            str_addc(&out, ' ');
    }
    while (out.len && out.text[out.len - 1] == ' ')
        str_cut(&out, out.len - 1);
    if (out.len > FROM_TEXT_MAX) {
        size_t len = FROM_TEXT_MAX;

        while (len > 0 && ((unsigned char)out.text[len] & 0xC0) == 0x80)
            len--; /* not within a character */
        str_cut(&out, len);
        str_add(&out, "…");
    }
    kept = arena_strndup(&work->arena, str_text(&out), out.len);
    work->spent |= !kept;
    return kept ? kept : "";
}

const char *from_said(struct from_work *work, const struct timeline_event *event)
{
    const char *text = from_clean(work, event->text);
    const char *who = from_clean(work, event->actor);
    size_t len = strlen(who);

    if (len && strncmp(text, who, len) == 0 && text[len] && strchr(" :,", text[len]))
        text += len + strspn(text + len, " :,");
    return text;
}

void from_quote(const char *text, struct str *out)
{
    str_addc(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            str_addc(out, '\\');
        str_addc(out, *text);
    }
    str_addc(out, '"');
}

/* --- Words that tell an idea from others ---------------------------------------------------------- */

static bool is_common(const char *word)
{
    static const char *const common[] = {
        "about",     "after",   "again",   "all",       "and",       "are",     "because",
        "been",      "before",  "being",   "but",       "can",       "could",   "did",
        "does",      "each",    "for",     "from",      "had",       "has",     "have",
        "into",      "its",     "just",    "like",      "more",      "most",    "must",
        "not",       "now",     "off",     "only",      "other",     "our",     "out",
        "over",      "should",  "since",   "some",      "still",     "than",    "that",
        "the",       "their",   "them",    "then",      "there",     "these",   "they",
        "this",      "those",   "through", "too",       "under",     "until",   "very",
        "was",       "were",    "what",    "when",      "where",     "which",   "while",
        "who",       "will",    "with",    "would",     "you",       "your",    "maybe",
        "think",     "believe", "looks",   "responder", "confirmed", "refuted", "hypothesis",
        "colleague", "seems",   "ever",    "never",     "much",      "many",    "nothing",
        "change",    "changed", "changes", "work",      "worked",    "help",    "helped",
        "same",      "again",   "here",    "itself",    "made",      "make"};

    for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++)
        if (strcmp(common[i], word) == 0)
            return true;
    return false;
}

static bool is_of_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-';
}

/* The next word, small; false: there is none. */
static bool next_word(const char **at, char word[WORD_MAX])
{
    size_t n = 0;

    while (**at && !isalnum((unsigned char)**at))
        ++*at;
    for (; **at && is_of_word(**at); ++*at)
        if (n + 1 < WORD_MAX)
            word[n++] = (char)tolower((unsigned char)**at);
    while (n > 0 && !isalnum((unsigned char)word[n - 1]))
        n--;
    word[n] = '\0';
    return n > 0;
}

/* `as` is how it was written: CPU and DNS tell something. */
static bool is_telling(const char *word, const char *as)
{
    size_t len = strlen(word);
    bool has_digit = word[strcspn(word, "0123456789")] != '\0';
    bool is_acronym = len >= 2 && isupper((unsigned char)as[0]) && isupper((unsigned char)as[1]);

    return (len >= 4 || (len >= 3 && has_digit) || is_acronym) && !is_common(word);
}

static bool has_word(const char *text, const char *word)
{
    char other[WORD_MAX];

    while (next_word(&text, other))
        if (strcmp(other, word) == 0)
            return true;
    return false;
}

static bool is_elsewhere(const struct from_ideas *others, enum drill_worth worth, const char *word)
{
    for (size_t i = 0; others && i < others->n; i++)
        if (others->at[i].worth != worth && has_word(others->at[i].text, word))
            return true;
    return false;
}

static void add_pattern_word(struct str *out, const char *word)
{
    for (; *word; word++) {
        if (*word == '.')
            str_addc(out, '\\');
        str_addc(out, *word);
    }
}

/* What it is all about is in every idea: names of what alerts. */
static bool is_subject(const struct from_work *work, const char *word)
{
    for (size_t i = 0; i < work->record->n_alerts; i++) {
        const struct labels *labels = work->record->alerts[i].labels;

        for (uint32_t k = 0; labels && k < labels->n; k++)
            if (has_word(labels->at[k].value, word))
                return true;
    }
    return false;
}

struct telling {
    char at[WORDS_MAX][WORD_MAX];
    size_t n;
};

static void add_telling(struct telling *telling, const char *word)
{
    for (size_t i = 0; i < telling->n; i++)
        if (strcmp(telling->at[i], word) == 0)
            return;
    if (telling->n < WORDS_MAX)
        (void)snprintf(telling->at[telling->n++], WORD_MAX, "%s", word);
}

static bool tells(const struct from_work *work, const char *word, const char *as, bool with_subject)
{
    return is_telling(word, as) && (with_subject || !is_subject(work, word));
}

/* Words that no idea of another worth has; with_subject: also those of what it is all about. */
static void find_telling(const struct from_work *work,
                         const struct from_idea *idea,
                         const struct from_ideas *others,
                         bool with_subject,
                         struct telling *telling)
{
    const char *at = idea->text;
    char word[WORD_MAX];

    telling->n = 0;
    while (telling->n < WORDS_MAX && next_word(&at, word)) {
        const char *as = at - strlen(word);

        if (!tells(work, word, as, with_subject) || is_elsewhere(others, idea->worth, word))
            continue;
        add_telling(telling, word);
        word[strcspn(word, "._")] = '\0'; /* who says pool means pool.max too; of hosts none */
        if (tells(work, word, as, with_subject) && !is_elsewhere(others, idea->worth, word) &&
            !strpbrk(word, "0123456789"))
            add_telling(telling, word);
    }
}

bool from_tells(struct from_work *work, const char *idea, const char *text)
{
    struct telling telling;
    size_t n = 0;

    find_telling(work, &(struct from_idea){idea, DRILL_WORTH_RIGHT, 0}, NULL, false, &telling);
    for (size_t i = 0; i < telling.n; i++)
        n += has_word(text, telling.at[i]);
    return n >= 2;
}

void from_accept(struct from_work *work,
                 const struct from_idea *idea,
                 const struct from_ideas *others)
{
    STR_AUTO struct str any = STR_INIT(LINE_MAX_BYTES);
    struct telling telling;

    find_telling(work, idea, others, others == NULL, &telling);
    if (telling.n == 0)
        find_telling(work, idea, others, true, &telling);
    for (size_t i = 0; i < telling.n; i++) {
        str_add(&any, i ? "|" : "");
        add_pattern_word(&any, telling.at[i]);
    }
    str_add(work->out, " accept ");
    from_quote(idea->text, work->out);
    if (telling.n == 1 || telling.n == 2)
        str_addf(work->out, " ~\"%s\"", str_text(&any));
    if (telling.n > 2)
        str_addf(work->out, " ~\"(%s).*(%s)\"", str_text(&any), str_text(&any));
}

/* --- Times ------------------------------------------------------------------------------------------ */

const char *from_span(struct from_work *work, int64_t ms)
{
    char text[DURATION_TEXT_MAX];

    (void)duration_print(ms < 0 ? 0 : ms / 1000 * 1000, text);

    const char *kept = arena_strndup(&work->arena, text, strlen(text));

    work->spent |= !kept;
    return kept ? kept : "0s";
}

const char *from_time(struct from_work *work, int64_t at_ms)
{
    return from_span(work, at_ms - work->start_ms);
}
