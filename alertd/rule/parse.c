/*
 * Prometheus rule files, as strict as Prometheus: an unknown key, a rule that is neither
 * alert nor record, an expression or a template that does not parse, are errors with their
 * place. One bad rule does not hide the next: all errors of a file are found in one go,
 * and the file is refused as a whole.
 *
 * The checks and their order are those of model/rulefmt.
 */

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/rule/group.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"
#include "lib/model/labels.h"

enum {
    FILE_BYTES_MAX = 512 * 1024 * 1024, /* trees and texts of one file of YAML_BYTES_MAX */
};

struct reader {
    struct rule_file *file;
    struct rule_findings *findings; /* never NULL */
    const struct rule_group *group; /* for words; NULL outside of one */
    size_t rule_index;
    const struct rule *rule;
};

/* --- Words ------------------------------------------------------------------------------- */

/* `group "g", rule 2, "Name": words` */
static void blame_at(struct reader *reader,
                     const char *id,
                     struct rule_span span,
                     const char *fmt,
                     ...) __attribute__((format(printf, 4, 5)));

static void blame_at(
    struct reader *reader, const char *id, struct rule_span span, const char *fmt, ...)
{
    STR_AUTO struct str words = STR_INIT(ERR_TEXT_MAX * 2);
    va_list ap;

    if (reader->group && reader->group->name)
        str_addf(&words, "group \"%.60s\", ", reader->group->name);
    if (reader->rule)
        str_addf(&words, "rule %zu, ", reader->rule_index + 1);
    if (reader->rule && reader->rule->name)
        str_addf(&words, "\"%.60s\", ", reader->rule->name);
    if (words.len)
        str_cut(&words, words.len - 2);
    str_add(&words, words.len ? ": " : "");
    va_start(ap, fmt);
    str_addv(&words, fmt, ap);
    va_end(ap);
    rule_findings_add(reader->findings, RULE_ERROR, id, span, "%s", str_text(&words));
}

#define BLAME(reader, id, node, ...) blame_at(reader, id, rule_span_of(node), __VA_ARGS__)

/* An error with a place of its own. */
static void blame_err(struct reader *reader, const struct err *err)
{
    const struct yaml_node at = {.kind = YAML_MAP, .line = err->line, .column = err->column};

    BLAME(reader, "yaml-strict", &at, "%s", err->text);
}

/* The word that begins at this byte, or one character. */
static size_t word_len(const char *text)
{
    static const char of_words[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:$";
    size_t len = strspn(text, of_words);

    return len ? len : text[0] != '\0';
}

/* The bytes of the first `n` characters of a line. */
static size_t bytes_of(const char *text, unsigned n)
{
    size_t bytes = 0;

    for (; n > 0 && text[bytes]; n--)
        do
            bytes++;
        while (((unsigned char)text[bytes] & 0xc0) == 0x80);
    return bytes;
}

/* An error inside a scalar's text, at the line and column of that text. Templates count
 * columns in characters, expressions in bytes. */
static void blame_inside(struct reader *reader,
                         const char *id,
                         const struct yaml_node *scalar,
                         const char *text,
                         const struct err *err,
                         bool in_characters,
                         const char *what)
{
    size_t offset = (size_t)(text - scalar->text);
    struct rule_span span = rule_span_in(scalar, 0, 1);
    unsigned before = err->column ? err->column - 1 : 0;
    unsigned line = 1;

    for (; line < err->line && scalar->text[offset]; offset++)
        line += scalar->text[offset] == '\n';
    offset += in_characters ? bytes_of(scalar->text + offset, before) : before;
    if (offset > scalar->len)
        offset = scalar->len;
    if (err->line)
        span = rule_span_in(scalar, offset, offset + word_len(scalar->text + offset));
    blame_at(reader, id, span, "%s: %s", what, err->text);
}

/* --- Fields -------------------------------------------------------------------------------- */

static void read_string(struct reader *reader,
                        const struct yaml_node *map,
                        const char *key,
                        const char **ret_text)
{
    const struct yaml_node *node = yaml_get(map, key);
    struct err err = {0};

    if (node && yaml_string(node, ret_text, &err))
        blame_err(reader, &err);
}

static void read_duration(struct reader *reader,
                          const struct yaml_node *map,
                          const char *key,
                          int64_t *ret_ms)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *text = "";
    struct err err = {0};

    if (!node)
        return;
    if (yaml_string(node, &text, &err))
        blame_err(reader, &err);
    else if (duration_parse(text, strlen(text), ret_ms) != 0)
        BLAME(reader, "yaml-strict", node,
              "field \"%s\": not a valid duration: \"%.40s\" (like 5m, 1h30m, 30s)", key, text);
}

static bool is_list_of(struct reader *reader, const struct yaml_node *node, const char *what)
{
    struct err err = {0};

    if (!node)
        return false;
    if (yaml_expect(node, YAML_LIST, what, &err) == 0)
        return true;
    blame_err(reader, &err);
    return false;
}

static bool only(struct reader *reader, const struct yaml_node *map, const char *const *known)
{
    struct err err = {0};

    if (yaml_only(map, known, &err) == 0)
        return true;
    blame_err(reader, &err);
    return false;
}

/* --- Labels and annotations ---------------------------------------------------------------- */

static int compare_texts(const void *a, const void *b)
{
    const struct rule_text *left = a, *right = b;

    return strcmp(left->name, right->name);
}

static bool has_text(const struct rule_text *texts, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(texts[i].name, name) == 0)
            return true;
    return false;
}

const char *rule_text_find(const struct rule_text *texts, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(texts[i].name, name) == 0)
            return texts[i].text;
    return NULL;
}

static void parse_text(struct reader *reader, struct rule_text *text, const char *what)
{
    struct tmpl *template = NULL;
    struct err err = {0};
    char words[120];

    if (rule_template_parse(&reader->file->arena, text->text, &template, &err) == 0) {
        text->template = template;
        return;
    }
    (void)snprintf(words, sizeof(words), "%s \"%.60s\": template", what, text->name);
    if (text->node)
        blame_inside(reader, "template-syntax", text->node, text->node->text, &err, true, words);
}

/* Appends the pairs of a map to texts[]; names already there win. */
static void read_pairs(struct reader *reader,
                       const struct yaml_node *map,
                       const char *what,
                       struct rule_text *texts,
                       size_t *n)
{
    struct err err = {0};

    for (size_t i = 0; map && i < map->n; i++) {
        const struct yaml_node *key = map->keys[i], *value = map->items[i];
        struct rule_text text = {.name = key->text, .text = "", .node = value};
        bool is_label = strcmp(what, "label") == 0;

        if (key->len == 0 || (is_label && strcmp(key->text, LABEL_NAME) == 0)) {
            BLAME(reader, "yaml-strict", key, "invalid %s name: \"%.60s\"", what, key->text);
        } else if (yaml_get(map, key->text) && yaml_string(value, &text.text, &err)) {
            blame_err(reader, &err);
        } else if (!has_text(texts, *n, key->text)) {
            texts[(*n)++] = text;
        }
    }
}

static const struct yaml_node *get_map(struct reader *reader,
                                       const struct yaml_node *map,
                                       const char *key)
{
    const struct yaml_node *node = yaml_get(map, key);
    struct err err = {0};

    if (!node)
        return NULL;
    if (yaml_expect(node, YAML_MAP, "a map of names to texts", &err) == 0)
        return node;
    blame_err(reader, &err);
    return NULL;
}

static bool out_of_memory(struct reader *reader, const void *memory)
{
    if (!memory)
        BLAME(reader, "yaml-strict", NULL, "the file needs too much memory");
    return !memory;
}

/* Labels: the rule's own, then the group's that it does not name. */
static void read_texts(struct reader *reader,
                       const struct yaml_node *own,
                       const struct yaml_node *of_group,
                       const char *what,
                       struct rule_text **ret_texts,
                       size_t *ret_n)
{
    size_t room = (own ? own->n : 0) + (of_group ? of_group->n : 0);
    struct rule_text *texts = arena_array(&reader->file->arena, room + 1, sizeof(*texts));

    if (out_of_memory(reader, texts))
        return;
    read_pairs(reader, own, what, texts, ret_n);
    read_pairs(reader, of_group, what, texts, ret_n);
    qsort(texts, *ret_n, sizeof(*texts), compare_texts);
    *ret_texts = texts;
}

/* --- Rules --------------------------------------------------------------------------------- */

static void read_expr(struct reader *reader, const struct yaml_node *node, struct rule *rule)
{
    const char *text = "";
    struct promql_expr *expr = NULL;
    struct err err = {0};

    rule->expr_node = yaml_get(node, "expr");
    if (rule->expr_node && yaml_string(rule->expr_node, &text, &err)) {
        blame_err(reader, &err);
        return;
    }
    if (text[0] == '\0') {
        BLAME(reader, "yaml-strict", node, "field 'expr' must be set in rule");
        return;
    }
    text += strspn(text, " \t\r\n");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r\n", text[len - 1]))
        len--;
    rule->expr_text = arena_strndup(&reader->file->arena, text, len);
    if (out_of_memory(reader, rule->expr_text))
        return;
    int r = promql_parse(&reader->file->arena, rule->expr_text, &expr, &err);
    if (r) {
        blame_inside(reader, r == PROMQL_E_TYPE ? "promql-type" : "promql-syntax", rule->expr_node,
                     text, &err, false, "could not parse expression: parse error");
        return;
    }
    if (promql_expr_type(expr) != PROMQL_VECTOR && promql_expr_type(expr) != PROMQL_SCALAR) {
        BLAME(reader, "promql-type", rule->expr_node,
              "the expression must give an instant vector or a scalar, and gives a %s",
              promql_expr_type(expr) == PROMQL_STRING ? "string" : "range vector");
        return;
    }
    rule->expr = expr;
}

static void check_recording(struct reader *reader, const struct yaml_node *node)
{
    static const char *const alert_only[] = {"for", "keep_firing_for", "annotations"};
    const struct rule *rule = reader->rule;

    for (size_t i = 0; i < sizeof(alert_only) / sizeof(*alert_only); i++) {
        const struct yaml_node *key = yaml_key(node, alert_only[i]);
        bool is_set = i == 0   ? rule->for_ms != 0
                      : i == 1 ? rule->keep_firing_for_ms != 0
                               : rule->n_annotations != 0;

        if (key && is_set)
            BLAME(reader, "one-of", key, "invalid field '%s' in recording rule", alert_only[i]);
    }
    if (strpbrk(rule->name, "{}"))
        BLAME(reader, "yaml-strict", yaml_get(node, "record"),
              "braces present in the recording rule name; should it be in expr?: \"%.60s\"",
              rule->name);
}

/* Which of the two it is; false when neither or both. */
static bool read_kind(struct reader *reader, const struct yaml_node *node, struct rule *rule)
{
    const char *alert = "", *record = "";

    read_string(reader, node, "alert", &alert);
    read_string(reader, node, "record", &record);
    rule->is_alert = alert[0] != '\0';
    rule->name = alert[0] ? alert : record;
    if (alert[0] && record[0]) {
        BLAME(reader, "one-of", yaml_key(node, "record"),
              "only one of 'record' and 'alert' must be set");
        return false;
    }
    if (!rule->name[0]) {
        BLAME(reader, "one-of", node, "one of 'record' or 'alert' must be set");
        return false;
    }
    return true;
}

static void read_rule(struct reader *reader,
                      const struct yaml_node *node,
                      const struct yaml_node *group_labels,
                      struct rule *rule)
{
    static const char *const known[] = {"record",          "alert",  "expr",        "for",
                                        "keep_firing_for", "labels", "annotations", NULL};

    rule->node = node;
    if (!only(reader, node, known) || !read_kind(reader, node, rule))
        return;
    read_duration(reader, node, "for", &rule->for_ms);
    read_duration(reader, node, "keep_firing_for", &rule->keep_firing_for_ms);
    read_texts(reader, get_map(reader, node, "labels"), group_labels, "label", &rule->labels,
               &rule->n_labels);
    read_texts(reader, get_map(reader, node, "annotations"), NULL, "annotation", &rule->annotations,
               &rule->n_annotations);
    read_expr(reader, node, rule);
    if (!rule->is_alert) {
        check_recording(reader, node);
        return;
    }
    for (size_t i = 0; i < rule->n_labels; i++)
        parse_text(reader, &rule->labels[i], "label");
    for (size_t i = 0; i < rule->n_annotations; i++)
        parse_text(reader, &rule->annotations[i], "annotation");
}

/* --- Groups -------------------------------------------------------------------------------- */

static void read_limit(struct reader *reader, const struct yaml_node *node, size_t *ret_limit)
{
    const struct yaml_node *limit_node = yaml_get(node, "limit");
    int64_t limit = 0;
    struct err err = {0};

    if (limit_node && yaml_int(limit_node, &limit, &err))
        blame_err(reader, &err);
    *ret_limit = limit > 0 ? (size_t)limit : 0;
}

static void read_rules(struct reader *reader,
                       const struct yaml_node *node,
                       struct rule_group *group)
{
    const struct yaml_node *rules = yaml_get(node, "rules");
    const struct yaml_node *labels = get_map(reader, node, "labels");

    if (!is_list_of(reader, rules, "a list of rules"))
        return;
    group->rules = arena_array(&reader->file->arena, rules->n + 1, sizeof(*group->rules));
    if (out_of_memory(reader, group->rules))
        return;
    for (size_t i = 0; i < rules->n; i++) {
        reader->rule = &group->rules[i];
        reader->rule_index = i;
        read_rule(reader, rules->items[i], labels, &group->rules[i]);
        group->n_rules++;
    }
    reader->rule = NULL;
    reader->file->n_rules += group->n_rules;
}

static void read_group(struct reader *reader,
                       const struct yaml_node *node,
                       struct rule_group *group)
{
    static const char *const known[] = {"name",  "interval", "query_offset", "limit", "labels",
                                        "rules", NULL};

    group->node = node;
    group->interval_ms = RULE_INTERVAL_DEFAULT_MS;
    if (!only(reader, node, known))
        return;
    read_string(reader, node, "name", &group->name);
    reader->group = group;
    if (!group->name)
        BLAME(reader, "group-name", node, "Groupname must not be empty");
    read_duration(reader, node, "interval", &group->interval_ms);
    group->has_interval = yaml_get(node, "interval") && group->interval_ms > 0;
    if (group->interval_ms <= 0)
        group->interval_ms = RULE_INTERVAL_DEFAULT_MS;
    read_duration(reader, node, "query_offset", &group->query_offset_ms);
    group->has_query_offset = yaml_get(node, "query_offset") != NULL;
    read_limit(reader, node, &group->limit);
    read_rules(reader, node, group);
    reader->group = NULL;
}

static int compare_groups(const void *a, const void *b)
{
    const struct rule_group *const *left = a, *const *right = b;
    int order = strcmp((*left)->name, (*right)->name);

    if (order)
        return order;
    return (*left)->node->line < (*right)->node->line ? -1 : 1;
}

static void check_group_names(struct reader *reader)
{
    const struct rule_file *file = reader->file;
    MEM_AUTO const struct rule_group **named = mem_alloc((file->n_groups + 1) * sizeof(*named));
    size_t n = 0;

    for (size_t i = 0; i < file->n_groups; i++)
        if (file->groups[i].name)
            named[n++] = &file->groups[i];
    qsort(named, n, sizeof(*named), compare_groups);
    for (size_t i = 1; i < n; i++)
        if (strcmp(named[i - 1]->name, named[i]->name) == 0)
            BLAME(reader, "group-name", named[i]->node,
                  "groupname: \"%.80s\" is repeated in the same file", named[i]->name);
}

static void read_file(struct reader *reader)
{
    static const char *const known[] = {"groups", NULL};
    struct rule_file *file = reader->file;
    const struct yaml_node *root = yaml_root(file->yaml);

    if (!only(reader, root, known))
        return;
    const struct yaml_node *groups = yaml_get(root, "groups");
    if (!is_list_of(reader, groups, "a list of groups"))
        return;
    file->groups = arena_array(&file->arena, groups->n + 1, sizeof(*file->groups));
    if (out_of_memory(reader, file->groups))
        return;
    for (size_t i = 0; i < groups->n; i++)
        read_group(reader, groups->items[i], &file->groups[file->n_groups++]);
    check_group_names(reader);
}

/* --- Files --------------------------------------------------------------------------------- */

static int parse_into(struct rule_file *file,
                      const char *text,
                      size_t len,
                      struct rule_findings *findings,
                      struct err *reterr)
{
    struct reader reader = {.file = file, .findings = findings};
    size_t before = findings->n;
    struct err err = {0};

    if (yaml_parse_foreign(text, len, &file->yaml, &err))
        blame_err(&reader, &err);
    else
        read_file(&reader);
    if (findings->n == before)
        return 0;
    rule_findings_sort(findings, before);
    const struct rule_finding *first = &findings->at[before];
    return err_at(reterr, RULE_E_FILE, first->span.line, first->span.column, "%s", first->text);
}

int rule_file_parse(const char *source,
                    const char *text,
                    size_t len,
                    struct rule_findings *findings,
                    struct rule_file **ret_file,
                    struct err *reterr)
{
    struct rule_findings own = {0};
    struct rule_file *file = mem_zalloc(sizeof(*file));

    file->refs = 1;
    arena_init(&file->arena, FILE_BYTES_MAX);
    file->source = arena_strndup(&file->arena, source, strlen(source));
    int r = parse_into(file, text, len, findings ? findings : &own, reterr);
    rule_findings_done(&own);
    if (r)
        rule_file_unref(file);
    else
        *ret_file = file;
    return r;
}

struct rule_file *rule_file_ref(struct rule_file *file)
{
    (void)__atomic_add_fetch(&file->refs, 1, __ATOMIC_RELAXED);
    return file;
}

void rule_file_unref(struct rule_file *file)
{
    if (!file || __atomic_sub_fetch(&file->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    yaml_free(file->yaml);
    arena_reset(&file->arena);
    free(file);
}
