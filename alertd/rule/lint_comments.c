/*
 * Comments that turn findings off, ours and pint's. libyaml drops comments, so they are read
 * from the text, line by line.
 *
 *     # alertd disable ID[,ID]           the rule it stands in, or directly above
 *     # alertd snooze 2026-12-01 ID      the same until that day
 *     # alertd file/disable ID           the whole file; file/snooze likewise
 *     # pint disable promql/series(up)   pint's names mean our checks of the same kind
 *     # pint ignore/line, ignore/next-line, ignore/begin ... ignore/end, ignore/file
 *
 * A rule's lines go from its first to the line before the next rule or group, and comments
 * directly above a rule are the rule's. Above the first rule of a group is the group's head.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/rule/lint.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/near.h"

enum {
    WORD_MAX = 200, /* a longer word names nothing we know */
    CHECKS_MAX = 100,
};

/* Lines [first, last]. */
struct region {
    unsigned first, last;
};

struct comment {
    const char *at; /* behind "alertd " or "pint " */
    const char *end;
    unsigned line, column;
    bool is_pint;
    bool is_alone; /* nothing but the comment on its line */
};

struct switched_off {
    struct region region;
    const struct rule_check *check;
    const char *only; /* pint: promql/series(NAME); not ended by NUL */
    size_t only_len;
};

struct comments {
    const char *text;
    int64_t now_ms;
    unsigned *starts; /* first lines of groups and rules, sorted */
    size_t n_starts;
    struct switched_off *off;
    size_t n_off, off_capacity;
    struct rule_findings *findings;
};

/* --- Lines ---------------------------------------------------------------------------------- */

static const char *line_end(const char *line)
{
    return line + strcspn(line, "\n");
}

static const char *skip_spaces(const char *at)
{
    return at + strspn(at, " \t");
}

static bool is_blank_or_comment(const char *line)
{
    line = skip_spaces(line);
    return *line == '#' || *line == '\n' || *line == '\r' || *line == '\0';
}

/* A comment for a program of ours on this line. */
static bool find_comment(const char *line, struct comment *ret_comment)
{
    static const char *const who[] = {"alertd", "pint"};
    const char *end = line_end(line);

    for (const char *at = line; at < end; at++) {
        if (*at != '#' || (at > line && at[-1] != ' ' && at[-1] != '\t'))
            continue;
        const char *word = at + strspn(at, "# \t");
        for (size_t i = 0; i < 2; i++) {
            size_t len = strlen(who[i]);

            if (strncmp(word, who[i], len) != 0 || (word[len] != ' ' && word[len] != '\t'))
                continue;
            ret_comment->at = skip_spaces(word + len);
            ret_comment->end = end;
            ret_comment->is_pint = i == 1;
            ret_comment->is_alone = skip_spaces(line) == at;
            ret_comment->column = 1;
            for (const char *before = line; before < at; before++)
                ret_comment->column += ((unsigned char)*before & 0xc0) != 0x80;
            return true;
        }
    }
    return false;
}

/* Takes the next word of a comment; "" at its end. */
static void take_word(struct comment *comment, char *word)
{
    size_t len = strcspn(comment->at, " \t\r\n");

    if (len > (size_t)(comment->end - comment->at))
        len = (size_t)(comment->end - comment->at);
    size_t kept = len < WORD_MAX ? len : WORD_MAX - 1;
    memcpy(word, comment->at, kept);
    word[kept] = '\0';
    comment->at = skip_spaces(comment->at + len);
    if (comment->at > comment->end)
        comment->at = comment->end;
}

/* --- Ignored lines ----------------------------------------------------------------------------- */

enum ignoring {
    IGNORE_NONE,
    IGNORE_NEXT,
    IGNORE_UNTIL_END,
    IGNORE_FILE,
};

static size_t blank_line(char *line)
{
    size_t len = strcspn(line, "\r\n");

    memset(line, ' ', len);
    return 1;
}

static bool says(const char *line, const char *what)
{
    struct comment comment;
    char word[WORD_MAX];

    if (!find_comment(line, &comment))
        return false;
    take_word(&comment, word);
    return strcmp(word, what) == 0;
}

size_t rule_comments_blank(char *text)
{
    enum ignoring ignoring = IGNORE_NONE;
    size_t n = 0;

    if (!strstr(text, "ignore/"))
        return 0;
    for (char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        bool ends = ignoring == IGNORE_UNTIL_END && says(line, "ignore/end");
        bool ignored = ignoring != IGNORE_NONE && !ends;

        if (ends || ignoring == IGNORE_NEXT)
            ignoring = IGNORE_NONE;
        if (says(line, "ignore/file"))
            ignoring = IGNORE_FILE;
        else if (ignoring == IGNORE_NONE && says(line, "ignore/begin"))
            ignoring = IGNORE_UNTIL_END;
        else if (ignoring == IGNORE_NONE && says(line, "ignore/next-line"))
            ignoring = IGNORE_NEXT;
        if (ignored || says(line, "ignore/line"))
            n += blank_line(line);
    }
    return n;
}

/* --- Regions ----------------------------------------------------------------------------------- */

static int compare_lines(const void *a, const void *b)
{
    unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;

    return (left > right) - (left < right);
}

static void collect_starts(struct comments *comments, const struct rule_file *file)
{
    comments->starts = mem_alloc((file->n_groups + file->n_rules + 1) * sizeof(unsigned));
    for (size_t group = 0; group < file->n_groups; group++) {
        comments->starts[comments->n_starts++] = file->groups[group].node->line;
        for (size_t i = 0; i < file->groups[group].n_rules; i++)
            comments->starts[comments->n_starts++] = file->groups[group].rules[i].node->line;
    }
    qsort(comments->starts, comments->n_starts, sizeof(unsigned), compare_lines);
}

/* The rule or group head that begins at or before this line. */
static struct region region_of(const struct comments *comments, unsigned line)
{
    struct region region = {1, UINT32_MAX};

    for (size_t i = 0; i < comments->n_starts; i++) {
        if (comments->starts[i] <= line)
            region.first = comments->starts[i];
        else if (region.last == UINT32_MAX)
            region.last = comments->starts[i] - 1;
    }
    return region;
}

static bool is_start(const struct comments *comments, unsigned line)
{
    return comments->n_starts > 0 && bsearch(&line, comments->starts, comments->n_starts,
                                             sizeof(unsigned), compare_lines) != NULL;
}

/* A comment directly above a rule is the rule's. */
static struct region region_of_comment(const struct comments *comments,
                                       const struct comment *comment)
{
    const char *line = comment->end;
    unsigned number = comment->line;

    if (comment->is_alone) {
        do {
            line += *line == '\n';
            number++;
            if (!is_blank_or_comment(line))
                break;
            line = line_end(line);
        } while (*line);
        if (is_start(comments, number))
            return region_of(comments, number);
    }
    return region_of(comments, comment->line);
}

/* --- Turning off --------------------------------------------------------------------------------- */

static void tell(struct comments *comments, const struct comment *comment, const char *words)
{
    unsigned width = 0;
    const struct rule_check *row = rule_check_find("bad-comment");

    for (const char *at = comment->at; at < comment->end; at++)
        width += ((unsigned char)*at & 0xc0) != 0x80;
    struct rule_span span = {comment->line, comment->column, comment->line,
                             comment->column + (width ? width : 1)};
    rule_findings_add(comments->findings, row->severity, row->id, span, "%s", words);
}

static void turn_off(struct comments *comments,
                     struct region region,
                     const struct rule_check *check,
                     const char *only)
{
    comments->off = mem_grow(comments->off, &comments->off_capacity, comments->n_off + 1,
                             sizeof(*comments->off));
    comments->off[comments->n_off++] = (struct switched_off){region, check, only,
                                                             only ? strcspn(only, "){ \r\n") : 0};
}

/* All checks of this name, ours or pint's; how many. */
static size_t turn_off_name(struct comments *comments,
                            struct region region,
                            const char *name,
                            const char *only)
{
    size_t n = 0, found = 0;
    const struct rule_check *checks = rule_checks(&n);

    for (size_t i = 0; i < n; i++) {
        bool is_pints = checks[i].pint && strcmp(checks[i].pint, name) == 0;

        if (strcmp(checks[i].id, name) != 0 && !is_pints)
            continue;
        turn_off(comments, region, &checks[i], only);
        found++;
    }
    return found;
}

/* Names of pint's that mean no check of ours are not mistakes. */
static bool is_pints(const char *name)
{
    static const char *const folders[] = {"alerts/", "group/", "labels/", "promql/",
                                          "query/",  "rule/",  "yaml/",   NULL};

    for (size_t i = 0; folders[i]; i++)
        if (strncmp(name, folders[i], strlen(folders[i])) == 0)
            return true;
    return false;
}

static void tell_unknown(struct comments *comments, const struct comment *comment, const char *name)
{
    const char *known[CHECKS_MAX] = {NULL};
    char words[WORD_MAX + 100];
    size_t n = 0;
    const struct rule_check *checks = rule_checks(&n);

    for (size_t i = 0; i < n && i + 1 < CHECKS_MAX; i++)
        known[i] = checks[i].id;
    const char *near = near_word(name, known);
    (void)snprintf(words, sizeof(words), "turns nothing off: there is no check \"%.60s\"%s%s%s",
                   name, near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
    tell(comments, comment, words);
}

/* ID[,ID ...] */
static void turn_off_all(struct comments *comments, struct comment comment, struct region region)
{
    const struct comment whole = comment;
    char word[WORD_MAX];
    bool more = true;

    while (more) {
        const char *written = comment.at;

        take_word(&comment, word);
        size_t len = strlen(word);
        more = len > 0 && word[len - 1] == ',';
        if (len == 0)
            tell(comments, &whole, "turns nothing off: it names no check");
        for (char *save = NULL, *name = strtok_r(word, ",", &save); name;
             name = strtok_r(NULL, ",", &save)) {
            char *bracket = strchr(name, '(');
            bool is_series = strncmp(name, "promql/series(", strlen("promql/series(")) == 0;

            if (bracket)
                *bracket = '\0';
            if (turn_off_name(comments, region, name,
                              is_series ? written + (bracket - word) + 1 : NULL) == 0 &&
                !(whole.is_pint && is_pints(name)))
                tell_unknown(comments, &whole, name);
        }
    }
}

/* "2026-12-01" or RFC 3339. */
static bool read_date(const char *word, int64_t *ret_ms)
{
    char full[WORD_MAX + 16];

    (void)snprintf(full, sizeof(full), "%s%s", word, strlen(word) == 10 ? "T00:00:00Z" : "");
    return clock_parse_rfc3339(full, ret_ms) == 0;
}

static void read_comment(struct comments *comments, struct comment comment)
{
    static const char *const verbs[] = {"disable", "snooze", "file/disable", "file/snooze", NULL};
    static const char *const others[] = {"file/owner",       "rule/owner",  "rule/set",
                                         "ignore/file",      "ignore/line", "ignore/begin",
                                         "ignore/next-line", "ignore/end",  NULL};
    struct comment whole = comment;
    int64_t until_ms = 0;
    char verb[WORD_MAX], date[WORD_MAX];

    take_word(&comment, verb);
    for (size_t i = 0; others[i]; i++)
        if (strcmp(verb, others[i]) == 0)
            return;
    const char *near = near_word(verb, verbs);
    if (!near || strcmp(near, verb) != 0) {
        if (near) /* anything else is prose */
            tell(comments, &whole,
                 "turns nothing off: disable, snooze, file/disable or file/snooze?");
        return;
    }
    struct region region = strncmp(verb, "file/", 5) == 0 ? (struct region){1, UINT32_MAX}
                                                          : region_of_comment(comments, &comment);
    if (strstr(verb, "snooze")) {
        take_word(&comment, date);
        if (!read_date(date, &until_ms)) {
            tell(comments, &whole,
                 "turns nothing off: snooze wants a day (2026-12-01) and a check");
            return;
        }
    }
    if (!strstr(verb, "snooze") || comments->now_ms < until_ms)
        turn_off_all(comments, comment, region);
}

static bool is_off(const struct comments *comments, const struct rule_finding *finding)
{
    if (finding->severity == RULE_ERROR)
        return false;
    for (size_t i = 0; i < comments->n_off; i++) {
        const struct switched_off *off = &comments->off[i];

        if (finding->span.line < off->region.first || finding->span.line > off->region.last ||
            strcmp(off->check->id, finding->id) != 0)
            continue;
        if (!off->only || memmem(finding->text, strlen(finding->text), off->only, off->only_len))
            return true;
    }
    return false;
}

static void take_away(const struct comments *comments, struct rule_findings *findings)
{
    size_t kept = 0;

    for (size_t i = 0; i < findings->n; i++) {
        if (is_off(comments, &findings->at[i])) {
            free(findings->at[i].text);
            free(findings->at[i].fix);
        } else {
            findings->at[kept++] = findings->at[i];
        }
    }
    findings->n = kept;
}

void rule_comments_apply(const struct rule_file *file,
                         const char *text,
                         int64_t now_ms,
                         struct rule_findings *findings)
{
    struct comments comments = {.text = text, .now_ms = now_ms, .findings = findings};
    unsigned number = 1;

    collect_starts(&comments, file);
    for (const char *line = text; *line; number++) {
        struct comment comment = {.line = number};

        if (find_comment(line, &comment))
            read_comment(&comments, comment);
        line = line_end(line);
        line += *line == '\n';
    }
    take_away(&comments, findings);
    rule_findings_sort(findings, 0);
    free(comments.starts);
    free(comments.off);
}
