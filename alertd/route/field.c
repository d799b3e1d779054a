/*
 * A map of the config file, read by its table. See field.h.
 */

#include "alertd/route/field.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/route/texts.h"
#include "lib/base/str.h"
#include "lib/model/duration.h"
#include "lib/model/labels.h"

enum {
    KNOWN_MAX = 80,
    TEXT_MAX = 4096,
    TEMPLATE_MAX = 64 * 1024,
};

static int bad(const struct yaml_node *node, struct err *reterr, const char *words)
{
    return err_at(reterr, ROUTE_E_CONFIG, node->line, node->column, "%s", words);
}

const char *field_copy(const struct field_reader *reader, const char *text)
{
    return arena_strndup(reader->arena, text, strlen(text));
}

int field_too_large(const struct yaml_node *node, struct err *reterr)
{
    return bad(node, reterr, "the config is too large to hold in memory: make it smaller");
}

static int keep(const struct field_reader *reader,
                const struct yaml_node *node,
                const char *text,
                const char **ret_text,
                struct err *reterr)
{
    const char *copy = field_copy(reader, text);

    if (!copy)
        return field_too_large(node, reterr);
    *ret_text = copy;
    return 0;
}

/* One line of text, without the ${...} that only secrets know. */
static int plain_text(const struct yaml_node *node, const char **ret_text, struct err *reterr)
{
    const char *text = "";

    if (yaml_string(node, &text, reterr))
        return ROUTE_E_CONFIG;
    if (strlen(text) != node->len || node->len > TEXT_MAX)
        return bad(node, reterr, "this text is too long or holds a NUL");
    if (strpbrk(text, "\r\n"))
        return bad(node, reterr, "this must be one line");
    if (strstr(text, "${"))
        return bad(node, reterr, "${...} is replaced in secrets only; write the value itself here");
    *ret_text = text;
    return 0;
}

static bool is_url(const char *text)
{
    const char *rest = NULL;

    if (strncmp(text, "http://", 7) == 0)
        rest = text + 7;
    else if (strncmp(text, "https://", 8) == 0)
        rest = text + 8;
    return rest && *rest && !strchr("/?#:@", *rest) && !strpbrk(text, " \t\"<>\\");
}

static bool is_host_port(const char *text)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL;

    if (!colon || colon == text || !colon[1])
        return false;
    long port = strtol(colon + 1, &end, 10);

    return *end == '\0' && port > 0 && port < 65536 && !strpbrk(text, " /\t@");
}

static bool is_addresses(const char *text)
{
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at >= 127)
            return false; /* RFC 6531 is not spoken: names and addresses are ASCII */
    for (const char *at = text;; at++) {
        size_t len = strcspn(at, ",");
        const char *mark = memchr(at, '@', len);

        if (!mark || mark == at || mark == at + len - 1)
            return false;
        at += len;
        if (!*at)
            return true;
    }
}

static int checked_text(const struct field_reader *reader,
                        const struct field *field,
                        const struct yaml_node *node,
                        const char **ret_text,
                        struct err *reterr)
{
    const char *text = "";

    if (plain_text(node, &text, reterr))
        return ROUTE_E_CONFIG;
    if (field->type == FIELD_URL && !is_url(text))
        return bad(node, reterr, "expected a URL such as https://host/path");
    if (field->type == FIELD_HOST_PORT && !is_host_port(text))
        return bad(node, reterr, "expected host:port such as mail.example.org:587");
    bool is_template = field->type == FIELD_ADDRESSES && strstr(text, "{{");

    if (field->type == FIELD_ADDRESSES && !is_template && !is_addresses(text))
        return bad(node, reterr, "expected mail addresses in plain ASCII with commas between");
    if (keep(reader, node, text, ret_text, reterr))
        return ROUTE_E_CONFIG;
    return is_template ? text_note(reader, node, *ret_text, reterr) : 0;
}

/* "a${NAME}b" with the variable's value; one that is not set is an error. */
static int expand(const struct field_reader *reader,
                  const struct yaml_node *node,
                  struct str *out,
                  struct err *reterr)
{
    const char *text = "";

    if (yaml_string(node, &text, reterr))
        return ROUTE_E_CONFIG;
    for (const char *start; (start = strstr(text, "${")); text = strchr(start, '}') + 1) {
        const char *end = strchr(start, '}');
        char name[128];

        if (!end || end == start + 2 || (size_t)(end - start) > sizeof(name))
            return bad(node, reterr, "${NAME} is not closed, or its name is empty or too long");
        memcpy(name, start + 2, (size_t)(end - start - 2));
        name[end - start - 2] = '\0';
        const char *value = reader->environment ? reader->environment(reader->environment_arg, name)
                                                : NULL;
        if (!value)
            return err_at(reterr, ROUTE_E_CONFIG, node->line, node->column,
                          "the environment variable %s is not set", name);
        str_addn(out, text, (size_t)(start - text));
        str_add(out, value);
    }
    str_add(out, text);
    return out->full ? bad(node, reterr, "this is too long for a secret") : 0;
}

static int secret_value(const struct field_reader *reader,
                        const struct field *field,
                        const struct yaml_node *node,
                        struct route_secret *secret,
                        struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(TEXT_MAX);

    if (secret->file)
        return bad(node, reterr, "give this by value or by file, not both");
    if (expand(reader, node, &text, reterr))
        return ROUTE_E_CONFIG;
    if (field->type != FIELD_PASSWORD && strpbrk(str_text(&text), "\r\n"))
        return bad(node, reterr, "this secret must be one line");
    if (field->type == FIELD_SECRET_URL && !is_url(str_text(&text)))
        return bad(node, reterr, "expected a URL such as https://host/path");
    return keep(reader, node, str_text(&text), &secret->value, reterr);
}

static int secret_file(const struct field_reader *reader,
                       const struct yaml_node *node,
                       struct route_secret *secret,
                       struct err *reterr)
{
    STR_AUTO struct str path = STR_INIT(TEXT_MAX);
    const char *text = "";

    if (secret->value)
        return bad(node, reterr, "give this by value or by file, not both");
    if (plain_text(node, &text, reterr))
        return ROUTE_E_CONFIG;
    if (text[0] != '/' && reader->base_folder)
        str_addf(&path, "%s/", reader->base_folder);
    str_add(&path, text);
    if (path.full || !*text)
        return bad(node, reterr, "expected the path of a file");
    return keep(reader, node, str_text(&path), &secret->file, reterr);
}

static int argument_list(const struct field_reader *reader,
                         const struct yaml_node *node,
                         const char ***ret_argv,
                         struct err *reterr)
{
    if (yaml_expect(node, YAML_LIST, "a list: the program's path, then its arguments", reterr))
        return ROUTE_E_CONFIG;
    if (node->n == 0 || node->n > ROUTE_ARGUMENTS_MAX)
        return bad(node, reterr, "expected the program's path and at most 63 arguments");

    const char **argv = arena_array(reader->arena, node->n + 1, sizeof(*argv));

    if (!argv)
        return field_too_large(node, reterr);
    for (size_t i = 0; i < node->n; i++) {
        const char *text = "";

        if (plain_text(node->items[i], &text, reterr) ||
            keep(reader, node->items[i], text, &argv[i], reterr))
            return ROUTE_E_CONFIG;
    }
    if (argv[0][0] != '/')
        return bad(node->items[0], reterr,
                   "the program needs its absolute path: no shell, no PATH");
    *ret_argv = argv;
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int field_label_names(const struct field_reader *reader,
                      const struct yaml_node *node,
                      struct route_names *names,
                      struct err *reterr)
{
    if (yaml_expect(node, YAML_LIST, "a list of label names", reterr))
        return ROUTE_E_CONFIG;
    if (node->n > ROUTE_GROUP_BY_MAX)
        return bad(node, reterr, "expected at most 32 label names");

    const char **at = arena_array(reader->arena, node->n + 1, sizeof(*at));

    if (!at)
        return field_too_large(node, reterr);
    for (size_t i = 0; i < node->n; i++) {
        const struct yaml_node *item = node->items[i];
        const char *text = "";

        if (plain_text(item, &text, reterr))
            return ROUTE_E_CONFIG;
        if (!*text || (node->n > 1 && strcmp(text, "...") == 0))
            return bad(item, reterr, "expected a label name, or \"...\" alone for all labels");
        if (keep(reader, item, text, &at[i], reterr))
            return ROUTE_E_CONFIG;
    }
    if (node->n > 0)
        qsort(at, node->n, sizeof(*at), compare_names);
    for (size_t i = 1; i < node->n; i++)
        if (strcmp(at[i - 1], at[i]) == 0)
            return err_at(reterr, ROUTE_E_CONFIG, node->line, node->column,
                          "the label \"%s\" is named twice", at[i]);
    *names = (struct route_names){.at = at, .n = node->n};
    return 0;
}

static int template_text(const struct field_reader *reader,
                         const struct yaml_node *node,
                         const char **ret_text,
                         struct err *reterr)
{
    const char *text = "";

    if (yaml_string(node, &text, reterr))
        return ROUTE_E_CONFIG;
    if (strlen(text) != node->len || node->len > TEMPLATE_MAX)
        return bad(node, reterr, "this text is longer than 64 KiB or holds a NUL");
    if (keep(reader, node, text, ret_text, reterr))
        return ROUTE_E_CONFIG;
    return text_note(reader, node, *ret_text, reterr);
}

static int path(const struct field_reader *reader,
                const struct yaml_node *node,
                const char **ret_path,
                struct err *reterr)
{
    struct route_secret file = {0};

    if (secret_file(reader, node, &file, reterr))
        return ROUTE_E_CONFIG;
    *ret_path = file.file;
    return 0;
}

int field_texts(const struct field_reader *reader,
                const struct yaml_node *node,
                struct route_names *texts,
                struct err *reterr)
{
    if (yaml_expect(node, YAML_LIST, "a list", reterr))
        return ROUTE_E_CONFIG;
    if (node->n > ROUTE_PAIRS_MAX)
        return bad(node, reterr, "there may be at most 64 of these");
    texts->at = arena_array(reader->arena, node->n + 1, sizeof(*texts->at));
    if (!texts->at)
        return field_too_large(node, reterr);
    for (texts->n = 0; texts->n < node->n; texts->n++)
        if (template_text(reader, node->items[texts->n], &texts->at[texts->n], reterr))
            return ROUTE_E_CONFIG;
    return 0;
}

static int pairs(const struct field_reader *reader,
                 const struct yaml_node *node,
                 struct route_pairs *into,
                 struct err *reterr)
{
    if (yaml_expect(node, YAML_MAP, "a map of texts", reterr))
        return ROUTE_E_CONFIG;
    if (node->n > ROUTE_PAIRS_MAX)
        return bad(node, reterr, "there may be at most 64 of these");
    into->at = arena_array(reader->arena, node->n + 1, sizeof(*into->at));
    if (!into->at)
        return field_too_large(node, reterr);
    for (into->n = 0; into->n < node->n; into->n++)
        if (template_text(reader, node->keys[into->n], &into->at[into->n].key, reterr) ||
            template_text(reader, node->items[into->n], &into->at[into->n].value, reterr))
            return ROUTE_E_CONFIG;
    return 0;
}

static const struct field slack_field_rows[] = {
    {"title", FIELD_TEMPLATE, offsetof(struct route_slack_field, title), "", NULL},
    {"value", FIELD_TEMPLATE, offsetof(struct route_slack_field, value), "", NULL},
    {"short", FIELD_BOOL, offsetof(struct route_slack_field, is_short), "", NULL},
    {NULL, FIELD_TEXT, 0, NULL, NULL},
};

/* `at` is the pointer; the count lies behind it. */
static int slack_fields(const struct field_reader *reader,
                        const struct yaml_node *node,
                        struct route_slack_field **at,
                        struct err *reterr)
{
    size_t *n = (size_t *)(void *)(at + 1);

    _Static_assert(offsetof(struct route_slack, n_fields) ==
                       offsetof(struct route_slack, fields) + sizeof(void *),
                   "the count lies behind the fields");
    if (yaml_expect(node, YAML_LIST, "a list of fields", reterr))
        return ROUTE_E_CONFIG;
    if (node->n > ROUTE_PAIRS_MAX)
        return bad(node, reterr, "there may be at most 64 fields");
    *at = arena_array(reader->arena, node->n + 1, sizeof(**at));
    if (!*at)
        return field_too_large(node, reterr);
    for (*n = 0; *n < node->n; (*n)++) {
        struct route_slack_field *field = &(*at)[*n];

        if (field_read_map(reader, node->items[*n], slack_field_rows, field, reterr))
            return ROUTE_E_CONFIG;
        if (!field->title || !field->value)
            return bad(node->items[*n], reterr, "a Slack field needs a title and a value");
    }
    return 0;
}

static int read_duration(const struct yaml_node *node, int64_t *ret_ms, struct err *reterr)
{
    const char *text = "";

    if (yaml_string(node, &text, reterr))
        return ROUTE_E_CONFIG;
    if (duration_parse(text, strlen(text), ret_ms))
        return bad(node, reterr, "expected a duration such as 30s, 5m or 4h");
    return 0;
}

static int read_count(const struct yaml_node *node, int64_t *ret_value, struct err *reterr)
{
    int64_t value = 0;

    if (yaml_int(node, &value, reterr))
        return ROUTE_E_CONFIG;
    if (value < 0)
        return bad(node, reterr, "expected a number that is not negative");
    *ret_value = value;
    return 0;
}

static int read_not_bool(const struct yaml_node *node, bool *ret_value, struct err *reterr)
{
    bool value = true;

    if (yaml_bool(node, &value, reterr))
        return ROUTE_E_CONFIG;
    *ret_value = !value;
    return 0;
}

void field_note_unused(const struct field_reader *reader,
                       const struct yaml_node *node,
                       const char *why)
{
    STR_AUTO struct str note = STR_INIT(1024);
    struct route_names *unused = reader->unused;
    const char *kept;

    if (!unused->at)
        unused->at = arena_array(reader->arena, ROUTE_PAIRS_MAX, sizeof(*unused->at));
    if (!unused->at || unused->n == ROUTE_PAIRS_MAX)
        return;
    str_addf(&note, "%u:%u: %s: %s", node->line, node->column, node->name, why);
    kept = field_copy(reader, str_text(&note));
    if (kept)
        unused->at[unused->n++] = kept;
}

void field_warn(const struct field_reader *reader, const struct yaml_node *node, const char *words)
{
    STR_AUTO struct str text = STR_INIT(1024);
    struct route_names *warnings = reader->warnings;
    const char *kept;

    if (!warnings->at)
        warnings->at = arena_array(reader->arena, ROUTE_PAIRS_MAX, sizeof(*warnings->at));
    if (!warnings->at || warnings->n == ROUTE_PAIRS_MAX)
        return;
    str_addf(&text, "%u:%u: %s", node->line, node->column, words);
    kept = field_copy(reader, str_text(&text));
    if (kept)
        warnings->at[warnings->n++] = kept;
}

static int read_field(const struct field_reader *reader,
                      const struct field *field,
                      const struct yaml_node *node,
                      void *at,
                      struct err *reterr)
{
    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_URL:
    case FIELD_HOST_PORT:
    case FIELD_ADDRESSES: return checked_text(reader, field, node, at, reterr);
    case FIELD_DURATION: return read_duration(node, at, reterr);
    case FIELD_COUNT: return read_count(node, at, reterr);
    case FIELD_BOOL: return yaml_bool(node, at, reterr) ? ROUTE_E_CONFIG : 0;
    case FIELD_SECRET:
    case FIELD_PASSWORD:
    case FIELD_SECRET_URL: return secret_value(reader, field, node, at, reterr);
    case FIELD_SECRET_FILE: return secret_file(reader, node, at, reterr);
    case FIELD_ARGV: return argument_list(reader, node, at, reterr);
    case FIELD_LABEL_NAMES: return field_label_names(reader, node, at, reterr);
    case FIELD_TEMPLATE: return template_text(reader, node, at, reterr);
    case FIELD_PATH: return path(reader, node, at, reterr);
    case FIELD_INT: return yaml_int(node, at, reterr) ? ROUTE_E_CONFIG : 0;
    case FIELD_NOT_BOOL: return read_not_bool(node, at, reterr);
    case FIELD_PAIRS: return pairs(reader, node, at, reterr);
    case FIELD_TEXTS: return field_texts(reader, node, at, reterr);
    case FIELD_SLACK_FIELDS: return slack_fields(reader, node, at, reterr);
    case FIELD_READ: return 0;
    case FIELD_UNUSED: field_note_unused(reader, node, field->help); return 0;
    case FIELD_REFUSED:
        return err_at(reterr, ROUTE_E_CONFIG, node->line, node->column,
                      "\"%s\" is not supported: %s", field->name, field->help);
    case FIELD_MAP: return field_read_map(reader, node, field->nested, at, reterr);
    }
    return ROUTE_E_CONFIG;
}

int field_read_map(const struct field_reader *reader,
                   const struct yaml_node *map,
                   const struct field *fields,
                   void *into,
                   struct err *reterr)
{
    const char *known[KNOWN_MAX] = {0};

    for (size_t i = 0; fields[i].name && i < KNOWN_MAX - 1; i++)
        known[i] = fields[i].name;
    if (yaml_expect(map, YAML_MAP, "a map", reterr) || yaml_only(map, known, reterr))
        return ROUTE_E_CONFIG;
    return field_read_known(reader, map, fields, into, reterr);
}

int field_read_known(const struct field_reader *reader,
                     const struct yaml_node *map,
                     const struct field *fields,
                     void *into,
                     struct err *reterr)
{
    for (const struct field *field = fields; field->name; field++) {
        const struct yaml_node *node = yaml_get(map, field->name);

        if (node && read_field(reader, field, node, (char *)into + field->offset, reterr))
            return ROUTE_E_CONFIG;
    }
    return 0;
}

static const char *type_words(enum field_type type)
{
    switch (type) {
    case FIELD_TEXT: return "text";
    case FIELD_URL: return "URL";
    case FIELD_HOST_PORT: return "host:port";
    case FIELD_ADDRESSES: return "mail addresses";
    case FIELD_DURATION: return "duration";
    case FIELD_COUNT: return "number";
    case FIELD_BOOL: return "true or false";
    case FIELD_SECRET:
    case FIELD_PASSWORD: return "secret";
    case FIELD_SECRET_URL: return "URL, a secret";
    case FIELD_SECRET_FILE: return "file of a secret";
    case FIELD_ARGV: return "list of text";
    case FIELD_LABEL_NAMES: return "list of label names";
    case FIELD_TEMPLATE: return "template";
    case FIELD_PATH: return "file";
    case FIELD_INT: return "number";
    case FIELD_NOT_BOOL: return "true or false";
    case FIELD_PAIRS: return "map of templates";
    case FIELD_TEXTS: return "list of text";
    case FIELD_SLACK_FIELDS: return "list of maps";
    case FIELD_READ: return "list or map";
    case FIELD_UNUSED: return "read, without effect";
    case FIELD_REFUSED: return "refused";
    case FIELD_MAP: return "map";
    }
    return "";
}

static void manual_rows(const char *above, const struct field *fields, struct str *out)
{
    for (; fields->name; fields++) {
        STR_AUTO struct str name = STR_INIT(200);

        str_addf(&name, "%s%s%s", above, *above ? "." : "", fields->name);
        if (fields->type == FIELD_MAP)
            manual_rows(str_text(&name), fields->nested, out);
        else
            str_addf(out, "| `%s` | %s | %s |\n", str_text(&name), type_words(fields->type),
                     fields->help);
    }
}

void field_manual(const char *title, const struct field *fields, struct str *out)
{
    str_addf(out, "\n**%s**\n\n| key | is | for |\n|---|---|---|\n", title);
    manual_rows("", fields, out);
}
