/*
 * What is accepted as an idea of a drill that is made of an incident: not its words, but what they
 * say. See from_private.h.
 *
 *     "The maintainer sees that the root partition is full."
 *         root | disk, partition, volume … | full, fill, exhaust …      three terms: two are wanted
 *
 * A term is a word's stem, or all that the field says instead of it. Left out are words that say
 * nothing, how it was found out, what was ruled out, what alerts say (whoever repeats the symptom
 * has not found the cause), and what an idea of another worth says too.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "alertd/drill/from_private.h"

#define LETTERS_OF_ONE "abcdefghijklmnopqrstuvwxyz0123456789"
#define LETTERS        "ABCDEFGHIJKLMNOPQRSTUVWXYZ" LETTERS_OF_ONE

enum {
    TERMS_MAX = 4, /* of an idea: the first ones */
    TERM_MAX = 160,
    WORD_MAX = 40,
    LINE_MAX_BYTES = 64 * 1024,
};

/* --- Words -------------------------------------------------------------------------------------- */

/* Blanks around each, so that a word is found whole. */
static const char common[] =
    " about above according actually after again all almost already also altogether always among and "
    "another any are around attempt back be because been before began begin begins behind being "
    "believe believed below beside between both brought but by called came can cause caused causes "
    "change changed changes colleague component confirmed could did does done down during each early "
    "either engineer enough error errors even ever every everything everywhere except fail failed "
    "failing fails failure fault few finally finds first for found from gave gets give given goes "
    "going gone had has have having help helped here hold holds how however hypothesis incident "
    "included including into issue issued itself its just keeps kept know known last late later "
    "least left less like likely little longer looks made maintainer make makes many maybe means "
    "might more most much must named names near nearly need needed needs never new next nobody not "
    "nothing noticed now occurs off often once one only onto other others our out outage over own "
    "part people perhaps possible possibly probably problem proposed proposes really reason "
    "refuted responder responders root-cause said same saw says seem seems seen sees several should "
    "shown shows since slow slowly some somebody something soon start started starting starts still "
    "such suddenly suspect taken takes than that the their them then there these they thing things "
    "think third this those though through time together too took tried tries trouble under unknown "
    "until unusual upon used user users using very was were what when where whether which while who "
    "whole why will with within without work worked working works would yet you your zone ";

/* What the field says for the same thing. A word of the first column means any of the second. */
static const struct {
    const char *words;
    const char *says;
} same[] = {
    {" disk disks partition volume filesystem storage ",
     "disk|partition|volume|file.?system|space"},
    {" full filled fills filling ", "full|fill|no space|exhaust|ran out"},
    {" deploy deployed deployment deploys release released rollout upgrade upgraded version ",
     "deploy|release|roll.?out|version|upgrade"},
    {" rolled rollback roll-back reverted revert undone undo ", "roll.*back|rollback|revert|undo"},
    {" certificate certificates cert certs tls ", "cert|tls|ssl"},
    {" expired expire expires expiry ", "expir|no longer valid|ran out|outdated"},
    {" stale outdated ", "stale|outdated|old"},
    {" dns resolver resolve resolves nameserver ", "dns|resolv|name.?server"},
    {" database databases db postgres postgresql mysql ", "database|db|postgres|mysql"},
    {" memory ram heap oom ", "memory|ram|heap|oom"},
    {" cpu cpus processor processors ", "cpu|processor|cores"},
    {" network packets connectivity ", "network|packet|connectivity"},
    {" retry retries retrying ", "retr(y|ies)"},
    {" lock locks locked locking deadlock ", "lock|deadlock|block|hang|stuck"},
    {" blocks blocked hang hangs hung stuck ", "block|lock|hang|hung|stuck"},
    {" setting settings config configuration configured flag parameter option ",
     "setting|config|flag|parameter|option"},
    {" credential credentials password secret token ", "credential|password|secret|token"},
    {" waf firewall ", "waf|firewall"},
    {" delete deleted deletes deleting removed remove removes removing removal purged purge wiped wipe ",
     "delet|remov|purg|wip|clean|rm"},
    {" switched switching turned turning disabled disable stopped stopping killed ",
     "switch|turn|disabl|stop|kill"},
    {" restarted restart restarting rebooted reboot ", "restart|reboot|bounce"},
    {" restored restore restoring recovered recover ", "restor|recover|bring.*back"},
    {" directory directories folder folders ", "director|folder"},
    {" enlarging enlarge enlarged resize resized grown ", "enlarg|resiz|grow|extend|bigger"},
    {" visitors visitor crowd traffic ", "visitor|crowd|traffic"},
    {" clock clocks ntp skew drift ", "clock|ntp|skew|drift"},
    {" permission permissions ", "permission|privilege|access|denied"},
    {" limit limits quota throttled throttling ", "limit|quota|throttl"},
    {" cache caches cached ", "cach"},
};

static bool is_in(const char *words, const char *word)
{
    char spaced[WORD_MAX + 3];

    (void)snprintf(spaced, sizeof(spaced), " %s ", word);
    return strstr(words, spaced) != NULL;
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

    return (len >= 4 || (len >= 3 && has_digit) || is_acronym) && !is_in(common, word);
}

/* A word that begins so, whatever its ending. */
static bool has_beginning(const char *text, const char *beginning)
{
    char word[WORD_MAX];

    while (next_word(&text, word))
        if (strncmp(word, beginning, strlen(beginning)) == 0)
            return true;
    return false;
}

/* `locks` and `locked` are lock: what a pattern looks for may go on. */
static void cut_ending(char *word)
{
    static const char *const endings[] = {"ing", "ed", "es", "s"};
    size_t len = strlen(word);

    if (strpbrk(word, "0123456789._-"))
        return;
    for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
        size_t n = strlen(endings[i]);

        if (len >= n + 4 && strcmp(word + len - n, endings[i]) == 0 && word[len - n - 1] != 's') {
            word[len - n] = '\0';
            return;
        }
    }
}

/* --- What tells nothing -------------------------------------------------------------------------- */

/* QueueLong is queue and long; false: there is no other part. */
static bool next_part(const char **at, char part[WORD_MAX])
{
    const char *begin = *at + strcspn(*at, LETTERS);
    size_t n = *begin ? 1 + strspn(begin + 1, LETTERS_OF_ONE) : 0;
    size_t kept = n < WORD_MAX ? n : WORD_MAX - 1;

    for (size_t i = 0; i < kept; i++)
        part[i] = (char)tolower((unsigned char)begin[i]);
    part[kept] = '\0';
    *at = begin + n;
    return n > 0;
}

static bool is_in_name(const char *name, const char *word)
{
    char part[WORD_MAX];

    while (next_part(&name, part))
        if (strcmp(part, word) == 0)
            return true;
    return false;
}

static bool is_in_values(const struct labels *labels, const char *word)
{
    for (uint32_t i = 0; labels && i < labels->n; i++)
        if (has_beginning(labels->at[i].value, word))
            return true;
    return false;
}

/* What it is all about is in every idea: alerts' labels, words and names. */
static bool is_subject(const struct from_work *work, const char *word)
{
    for (size_t i = 0; i < work->record->n_alerts; i++) {
        const struct incident_alert *alert = &work->record->alerts[i];

        if (is_in_values(alert->labels, word) || is_in_values(alert->annotations, word) ||
            (alert->name && is_in_name(alert->name, word)))
            return true;
    }
    return false;
}

/* Wrong ideas are looked for first, then good ones in their order: these are in its way. */
static bool is_in_its_way(const struct from_idea *idea, const struct from_idea *other)
{
    bool both_good = (idea->worth == DRILL_WORTH_RIGHT || idea->worth == DRILL_WORTH_RELEVANT) &&
                     (other->worth == DRILL_WORTH_RIGHT || other->worth == DRILL_WORTH_RELEVANT);

    return other->worth != idea->worth && !(both_good && idea->worth == DRILL_WORTH_RIGHT);
}

static bool is_elsewhere(const struct from_ideas *others,
                         const struct from_idea *idea,
                         const char *beginning)
{
    for (size_t i = 0; others && i < others->n; i++)
        if (is_in_its_way(idea, &others->at[i]) && has_beginning(others->at[i].text, beginning))
            return true;
    return false;
}

/* "The disk is full; an attack is ruled out." is about a disk. */
static bool is_ruled_out(const char *clause, size_t len)
{
    static const char *const phrases[] = {"ruled out", "excluded", "is not it", "was not it"};

    for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++) {
        const char *at = strcasestr(clause, phrases[i]);

        if (at && at < clause + len)
            return true;
    }
    return false;
}

/* --- Terms --------------------------------------------------------------------------------------- */

struct terms {
    char at[TERMS_MAX][TERM_MAX];
    size_t n;
};

struct seeking {
    const struct from_work *work;
    const struct from_idea *idea;
    const struct from_ideas *others; /* NULL: none */
    bool with_subject;
};

static bool is_free(const struct seeking *seeking, const char *word)
{
    return !is_elsewhere(seeking->others, seeking->idea, word) &&
           (seeking->with_subject || !is_subject(seeking->work, word));
}

/* Of what is said instead of a word, what is free; patterns of several words always are. */
static void say_same(const struct seeking *seeking, const char *says, struct str *out)
{
    for (const char *at = says; *at;) {
        size_t len = strcspn(at, "|");
        char one[WORD_MAX];

        (void)snprintf(one, sizeof(one), "%.*s", (int)len, at);
        if (at[len] == '|' && strchr(one, '(') && !strchr(one, ')')) /* retr(y|ies) is one */
            len += 1 + strcspn(at + len + 1, "|");
        if (strpbrk(one, " .(") || is_free(seeking, one))
            str_addf(out, "%s%.*s", out->len ? "|" : "", (int)len, at);
        at += len + (at[len] == '|');
    }
}

static void add_term(struct terms *terms, const char *term)
{
    for (size_t i = 0; i < terms->n; i++)
        if (strcmp(terms->at[i], term) == 0)
            return;
    if (terms->n < TERMS_MAX && *term)
        (void)snprintf(terms->at[terms->n++], TERM_MAX, "%s", term);
}

static void escape(const char *word, struct str *out)
{
    for (; *word; word++)
        str_addf(out, "%s%c", *word == '.' ? "\\" : "", *word);
}

static void take_word(const struct seeking *seeking, char *word, struct terms *terms)
{
    STR_AUTO struct str term = STR_INIT(TERM_MAX);

    for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
        if (is_in(same[i].words, word)) {
            if (is_free(seeking, word))
                say_same(seeking, same[i].says, &term);
            add_term(terms, str_text(&term));
            return;
        }
    cut_ending(word);
    if (!is_free(seeking, word))
        return;
    escape(word, &term);
    add_term(terms, str_text(&term));

    size_t len = strcspn(word, "._"); /* who says pool means pool.max too; of hosts none */

    word[len] = '\0';
    if (len >= 4 && !strpbrk(word, "0123456789") && is_free(seeking, word)) {
        str_cut(&term, 0);
        escape(word, &term);
        if (terms->n && strncmp(terms->at[terms->n - 1], word, len) == 0)
            terms->n--; /* the shorter one finds the longer one */
        add_term(terms, str_text(&term));
    }
}

static void seek(const struct seeking *seeking, struct terms *terms)
{
    const char *at = seeking->idea->text;

    terms->n = 0;
    while (*at) {
        size_t len = strcspn(at, ";,");
        const char *behind = at + len;
        bool is_out = is_ruled_out(at, len);
        char word[WORD_MAX];

        while (!is_out && at < behind && next_word(&at, word)) {
            if (at > behind)
                break; /* of the next clause: it is read there */
            if (is_telling(word, at - strlen(word)))
                take_word(seeking, word, terms);
        }
        at = behind + (*behind != '\0');
    }
}

static void find_terms(const struct from_work *work,
                       const struct from_idea *idea,
                       const struct from_ideas *others,
                       struct terms *terms)
{
    struct seeking seeking = {work, idea, others, others == NULL};

    seek(&seeking, terms);
    if (terms->n == 0) {
        seeking.with_subject = true;
        seek(&seeking, terms);
    }
}

/* --- What is made of them -------------------------------------------------------------------------- */

static bool says_term(const char *text, const char *term)
{
    while (*term) {
        size_t len = strcspn(term, "|");
        char one[WORD_MAX];
        size_t n = 0;

        for (size_t i = 0; i < len && n + 1 < WORD_MAX && !strchr("(.", term[i]); i++)
            if (term[i] != '\\')
                one[n++] = term[i];
            else if (term[i + 1] == '.')
                one[n++] = term[++i];
        one[n] = '\0';
        if (n && has_beginning(text, one))
            return true;
        term += len + (term[len] == '|');
    }
    return false;
}

bool from_tells(struct from_work *work, const char *idea, const char *text)
{
    const struct from_idea right = {idea, DRILL_WORTH_RIGHT, 0};
    const struct seeking seeking = {work, &right, NULL, false};
    struct terms terms;
    size_t n = 0;

    seek(&seeking, &terms);
    for (size_t i = 0; i < terms.n; i++)
        n += says_term(text, terms.at[i]);
    return n >= 2;
}

bool from_gives_away(const struct from_work *work, const struct from_ideas *ideas, const char *text)
{
    for (size_t i = 0; i < ideas->n; i++) {
        struct terms terms;
        size_t n = 0;

        if (ideas->at[i].worth != DRILL_WORTH_RIGHT)
            continue;
        find_terms(work, &ideas->at[i], ideas, &terms);
        for (size_t k = 0; k < terms.n; k++)
            n += says_term(text, terms.at[k]);
        if (terms.n && n >= (terms.n <= 2 ? 1 : 2))
            return true;
    }
    return false;
}

/* `\b(disk|partition)`: from a word's beginning on. */
static void add_found(const char *term, struct str *out)
{
    bool is_plain = !strchr(term, '|');

    str_addf(out, is_plain ? "\\b%s" : "\\b(%s)", term);
}

/* One term, then any of the others. */
static void add_pair(const struct terms *terms, size_t first, struct str *out)
{
    bool is_more = false;

    str_add(out, " ~\"");
    add_found(terms->at[first], out);
    str_add(out, ".*\\b(");
    for (size_t i = 0; i < terms->n; i++) {
        if (i == first)
            continue;
        str_addf(out, "%s%s", is_more ? "|" : "", terms->at[i]);
        is_more = true;
    }
    str_add(out, ")\"");
}

void from_accept(struct from_work *work,
                 const struct from_idea *idea,
                 const struct from_ideas *others)
{
    struct terms terms;

    find_terms(work, idea, others, &terms);
    str_add(work->out, " accept ");
    from_quote(idea->text, work->out);
    if (terms.n <= 2)
        for (size_t i = 0; i < terms.n; i++) {
            str_add(work->out, " ~\"");
            add_found(terms.at[i], work->out);
            str_addc(work->out, '"');
        }
    else
        for (size_t i = 0; i < terms.n; i++)
            add_pair(&terms, i, work->out);
}
