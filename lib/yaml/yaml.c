/*
 * YAML's events made into a tree. See yaml.h.
 *
 *   events    MAP-START  "a"  LIST-START  "1"  *x  LIST-END  MAP-END
 *   frames      {          {a    {a [        ...      {a: [..]    done
 *
 * A frame is an open map or list; its children gather in a heap array and move into
 * the arena when it closes. An alias is a second pointer to the same node, so it costs
 * no memory; what a reader would walk (weight, height) is counted as if it were written
 * out, and that is what the limits bound.
 *
 * libyaml exports a yaml_free() of its own, for itself; ours is hidden in the program
 * and the two never meet.
 */

#include "lib/yaml/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "lib/base/arena.h"
#include "lib/base/bug.h"
#include "lib/base/mem.h"

enum {
    TREE_BYTES_MAX = 320 * 1024 * 1024, /* YAML_NODES_MAX nodes and the text, twice */
};

struct yaml {
    struct arena arena;
    const struct yaml_node *root;
};

/* A node and what it would weigh with its aliases written out. */
struct grown {
    struct yaml_node node;
    size_t weight;
    unsigned height;
    bool open; /* its end has not come: an alias to it would never end */
};

struct frame {
    struct grown *parent;
    struct yaml_node **at; /* a map's keys and values by turns */
    size_t n;
    size_t capacity;
};

struct anchor {
    const char *name;
    struct grown *grown;
};

struct builder {
    yaml_parser_t parser;
    struct yaml *yaml;
    bool merge;
    struct frame frames[YAML_DEPTH_MAX];
    unsigned depth;
    size_t n_nodes;
    struct anchor *anchors;
    size_t n_anchors;
    size_t anchors_capacity;
    const char *source; /* our copy of the text */
    size_t source_len;
    size_t walked_chars; /* libyaml counts characters, we need the byte: one walk forward */
    size_t walked_bytes;
    struct err *reterr;
};

static int fail_at(const struct builder *builder, const yaml_mark_t *mark, const char *words)
{
    return err_at(builder->reterr, YAML_E_SYNTAX, (unsigned)mark->line + 1,
                  (unsigned)mark->column + 1, "%s", words);
}

static int fail_node(const struct builder *builder, const struct yaml_node *node, const char *words)
{
    return err_at(builder->reterr, YAML_E_SYNTAX, node->line, node->column, "%s", words);
}

static int fail_memory(const struct builder *builder)
{
    return err_set(builder->reterr, YAML_E_SYNTAX, "YAML too large to hold in memory");
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static const char *source_at(struct builder *builder, size_t index)
{
    if (index < builder->walked_chars)
        builder->walked_chars = builder->walked_bytes = 0;
    while (builder->walked_chars < index && builder->walked_bytes < builder->source_len) {
        builder->walked_bytes++;
        while (builder->walked_bytes < builder->source_len &&
               is_continuation(builder->source[builder->walked_bytes]))
            builder->walked_bytes++;
        builder->walked_chars++;
    }
    return builder->source + builder->walked_bytes;
}

static int new_node(struct builder *builder,
                    enum yaml_kind kind,
                    const yaml_mark_t *mark,
                    struct grown **ret_grown)
{
    if (++builder->n_nodes > YAML_NODES_MAX)
        return fail_at(builder, mark, "more than a million values: too large");
    struct grown *grown = arena_alloc(&builder->yaml->arena, sizeof(*grown));
    if (!grown)
        return fail_memory(builder);
    grown->node.kind = kind;
    grown->node.line = (unsigned)mark->line + 1;
    grown->node.column = (unsigned)mark->column + 1;
    grown->node.name = "";
    grown->weight = 1;
    grown->height = kind == YAML_SCALAR ? 0 : 1;
    *ret_grown = grown;
    return 0;
}

static int remember_anchor(struct builder *builder, const char *name, struct grown *grown)
{
    if (!name)
        return 0;
    char *copy = arena_strndup(&builder->yaml->arena, name, strlen(name));
    if (!copy)
        return fail_memory(builder);
    builder->anchors = mem_grow(builder->anchors, &builder->anchors_capacity,
                                builder->n_anchors + 1, sizeof(*builder->anchors));
    builder->anchors[builder->n_anchors++] = (struct anchor){copy, grown};
    return 0;
}

/* Puts a node under the frame on top; `weight` is that of the whole it stands for. */
static int attach(struct builder *builder, struct grown *grown, const yaml_mark_t *mark)
{
    if (builder->depth == 0) {
        builder->yaml->root = &grown->node;
        return 0;
    }
    struct frame *frame = &builder->frames[builder->depth - 1];
    bool is_key = frame->parent->node.kind == YAML_MAP && frame->n % 2 == 0;

    if (is_key && grown->node.kind != YAML_SCALAR)
        return fail_at(builder, mark, "a key must be text, not a list or a map");
    if (frame->parent->node.kind == YAML_LIST)
        grown->node.name = frame->parent->node.name;
    else if (!is_key)
        grown->node.name = frame->at[frame->n - 1]->text;
    frame->at = mem_grow(frame->at, &frame->capacity, frame->n + 1, sizeof(*frame->at));
    frame->at[frame->n++] = &grown->node;
    return 0;
}

/* Adds what a closed child weighs to its parent, where both limits are kept. */
static int weigh(struct builder *builder, const struct grown *child, const yaml_mark_t *mark)
{
    if (builder->depth == 0)
        return 0;
    struct grown *parent = builder->frames[builder->depth - 1].parent;

    parent->weight += child->weight;
    if (parent->weight > YAML_NODES_MAX)
        return fail_at(builder, mark, "aliases here expand to more than a million values");
    if (parent->height < child->height + 1)
        parent->height = child->height + 1;
    if (builder->depth + child->height > YAML_DEPTH_MAX)
        return fail_at(builder, mark, "nested too deeply");
    return 0;
}

static int add_scalar(struct builder *builder, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    struct grown *grown;
    int r = new_node(builder, YAML_SCALAR, &event->start_mark, &grown);

    if (r)
        return r;
    if (memchr(text, '\0', len))
        return fail_at(builder, &event->start_mark, "text with a NUL byte in it");
    grown->node.text = arena_strndup(&builder->yaml->arena, text, len);
    if (!grown->node.text)
        return fail_memory(builder);
    grown->node.len = len;
    grown->node.plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                        event->data.scalar.plain_implicit;
    grown->node.source = source_at(builder, event->start_mark.index);
    r = remember_anchor(builder, (const char *)event->data.scalar.anchor, grown);
    if (!r)
        r = attach(builder, grown, &event->start_mark);
    return r ? r : weigh(builder, grown, &event->start_mark);
}

static int open_frame(struct builder *builder,
                      enum yaml_kind kind,
                      const yaml_char_t *anchor,
                      const yaml_mark_t *mark)
{
    struct grown *grown;
    int r = new_node(builder, kind, mark, &grown);

    if (r)
        return r;
    if (builder->depth == YAML_DEPTH_MAX)
        return fail_at(builder, mark, "nested too deeply");
    grown->open = true;
    r = remember_anchor(builder, (const char *)anchor, grown);
    if (!r)
        r = attach(builder, grown, mark);
    if (!r)
        builder->frames[builder->depth++] = (struct frame){.parent = grown};
    return r;
}

static int add_alias(struct builder *builder, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;

    for (size_t i = builder->n_anchors; i-- > 0;) { /* a name may be given anew: newest first */
        struct grown *grown = builder->anchors[i].grown;

        if (strcmp(builder->anchors[i].name, name) != 0)
            continue;
        if (grown->open)
            return fail_at(builder, &event->start_mark, "this alias stands inside what it names");
        const char *first_name = grown->node.name;
        int r = attach(builder, grown, &event->start_mark);
        grown->node.name = first_name;
        return r ? r : weigh(builder, grown, &event->start_mark);
    }
    return err_at(builder->reterr, YAML_E_SYNTAX, (unsigned)event->start_mark.line + 1,
                  (unsigned)event->start_mark.column + 1,
                  "alias *%.60s: no anchor &%.60s stands above", name, name);
}

static int compare_keys(const void *a, const void *b)
{
    const struct yaml_node *left = *(struct yaml_node *const *)a;
    const struct yaml_node *right = *(struct yaml_node *const *)b;
    int order = strcmp(left->text, right->text);

    if (order)
        return order;
    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    return left->column < right->column ? -1 : left->column > right->column;
}

static int check_unique(const struct builder *builder, const struct yaml_node *map)
{
    if (map->n < 2)
        return 0;
    MEM_AUTO struct yaml_node **sorted = mem_dup(map->keys, map->n * sizeof(*sorted));

    qsort(sorted, map->n, sizeof(*sorted), compare_keys);
    for (size_t i = 1; i < map->n; i++)
        if (strcmp(sorted[i - 1]->text, sorted[i]->text) == 0)
            return err_at(builder->reterr, YAML_E_SYNTAX, sorted[i]->line, sorted[i]->column,
                          "key \"%.80s\" stands here again: first in line %u", sorted[i]->text,
                          sorted[i - 1]->line);
    return 0;
}

static bool is_merge_key(const struct yaml_node *key)
{
    return key->plain && strcmp(key->text, "<<") == 0;
}

static bool has_key(const struct frame *frame, const char *key)
{
    for (size_t i = 0; i < frame->n; i += 2)
        if (strcmp(frame->at[i]->text, key) == 0)
            return true;
    return false;
}

/* Appends the pairs of one `<<` value whose keys are not there yet. */
static int merge_map(struct builder *builder, struct frame *frame, const struct yaml_node *from)
{
    if (from->kind != YAML_MAP)
        return fail_node(builder, from, "<< merges maps: expected a map");
    if (from->n * (frame->n + from->n) > YAML_NODES_MAX)
        return fail_node(builder, from, "a map too large to merge");
    for (size_t i = 0; i < from->n; i++) {
        if (has_key(frame, from->keys[i]->text))
            continue;
        frame->at = mem_grow(frame->at, &frame->capacity, frame->n + 2, sizeof(*frame->at));
        frame->at[frame->n++] = from->keys[i];
        frame->at[frame->n++] = from->items[i];
    }
    return 0;
}

/* Takes a `<<: value` out of the frame and puts what it stands for behind the rest. */
static int merge(struct builder *builder, struct frame *frame)
{
    for (size_t i = 0; i < frame->n; i += 2) {
        const struct yaml_node *value = frame->at[i + 1];
        int r = 0;

        if (!is_merge_key(frame->at[i]))
            continue;
        if (!builder->merge)
            return fail_node(builder, frame->at[i],
                             "merge keys (<<) are not read here: write the fields out");
        memmove(&frame->at[i], &frame->at[i + 2], (frame->n - i - 2) * sizeof(*frame->at));
        frame->n -= 2;
        if (value->kind == YAML_LIST)
            for (size_t item = 0; item < value->n && !r; item++)
                r = merge_map(builder, frame, value->items[item]);
        else
            r = merge_map(builder, frame, value);
        return r; /* a second << is a duplicate key, found before */
    }
    return 0;
}

/* Moves a frame's children into the arena as the node's keys and items. */
static int settle(struct builder *builder, struct frame *frame)
{
    struct yaml_node *node = &frame->parent->node;
    size_t step = node->kind == YAML_MAP ? 2 : 1;
    size_t n = frame->n / step;

    node->items = arena_array(&builder->yaml->arena, n ? n : 1, sizeof(*node->items));
    node->keys = arena_array(&builder->yaml->arena, n ? n : 1, sizeof(*node->keys));
    if (!node->items || !node->keys)
        return fail_memory(builder);
    node->n = n;
    for (size_t i = 0; i < n; i++) {
        node->keys[i] = frame->at[i * step];
        node->items[i] = frame->at[i * step + step - 1];
    }
    return 0;
}

static int close_frame(struct builder *builder, const yaml_mark_t *mark)
{
    struct frame *frame = &builder->frames[builder->depth - 1];
    struct grown *grown = frame->parent;
    int r = settle(builder, frame);

    if (!r && grown->node.kind == YAML_MAP)
        r = check_unique(builder, &grown->node);
    if (!r && grown->node.kind == YAML_MAP) {
        size_t before = frame->n;

        r = merge(builder, frame);
        if (!r && (builder->merge || before != frame->n))
            r = settle(builder, frame);
    }
    if (r)
        return r;
    free(frame->at);
    *frame = (struct frame){0};
    builder->depth--;
    grown->open = false;
    return weigh(builder, grown, mark);
}

static int fail_syntax(const struct builder *builder)
{
    const yaml_parser_t *parser = &builder->parser;
    const yaml_mark_t *mark = &parser->problem_mark;

    if (parser->error == YAML_MEMORY_ERROR)
        return fail_memory(builder);
    if (parser->error == YAML_READER_ERROR) {
        size_t line = 1;
        size_t end = parser->problem_offset < builder->source_len ? parser->problem_offset
                                                                  : builder->source_len;

        for (size_t i = 0; i < end; i++)
            line += builder->source[i] == '\n';
        return err_at(builder->reterr, YAML_E_SYNTAX, (unsigned)line, 1, "not YAML: %s",
                      parser->problem ? parser->problem : "unreadable");
    }
    return err_at(builder->reterr, YAML_E_SYNTAX, (unsigned)mark->line + 1,
                  (unsigned)mark->column + 1, "not YAML: %s%s%s",
                  parser->problem ? parser->problem : "unreadable", parser->context ? " " : "",
                  parser->context ? parser->context : "");
}

static int add_event(struct builder *builder, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (builder->yaml->root)
            return fail_at(builder, &event->start_mark,
                           "a second document starts here: one for each file");
        return 0;
    case YAML_ALIAS_EVENT: return add_alias(builder, event);
    case YAML_SCALAR_EVENT: return add_scalar(builder, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_frame(builder, YAML_LIST, event->data.sequence_start.anchor,
                          &event->start_mark);
    case YAML_MAPPING_START_EVENT:
        return open_frame(builder, YAML_MAP, event->data.mapping_start.anchor, &event->start_mark);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return close_frame(builder, &event->start_mark);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT: return 0;
    }
    UNREACHABLE("yaml_event_type_t out of range");
}

static int run(struct builder *builder)
{
    bool at_end = false;
    int r = 0;

    while (!at_end && !r) {
        yaml_event_t event;

        if (!yaml_parser_parse(&builder->parser, &event))
            return fail_syntax(builder);
        at_end = event.type == YAML_STREAM_END_EVENT;
        r = add_event(builder, &event);
        yaml_event_delete(&event);
    }
    return r;
}

/* No document, or one that is only `null`, reads as a map without fields. */
static int check_root(struct builder *builder)
{
    static const yaml_mark_t start = {0};
    const struct yaml_node *root = builder->yaml->root;
    struct grown *empty = NULL;

    if (root && !(root->kind == YAML_SCALAR && root->plain && root->len == 0))
        return 0;
    int r = new_node(builder, YAML_MAP, &start, &empty);
    if (!r)
        builder->yaml->root = &empty->node;
    return r;
}

static int build(struct builder *builder, const char *text, size_t len)
{
    builder->source = arena_strndup(&builder->yaml->arena, text, len);
    builder->source_len = len;
    if (!builder->source || !yaml_parser_initialize(&builder->parser))
        return fail_memory(builder);
    yaml_parser_set_encoding(&builder->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&builder->parser, (const unsigned char *)text, len);
    int r = run(builder);
    if (!r)
        r = check_root(builder);
    yaml_parser_delete(&builder->parser);
    for (unsigned i = 0; i < builder->depth; i++)
        free(builder->frames[i].at);
    free(builder->anchors);
    return r;
}

static int parse(
    const char *text, size_t len, bool merge_keys, struct yaml **ret_yaml, struct err *reterr)
{
    struct builder builder = {.merge = merge_keys, .reterr = reterr};

    if (len > YAML_BYTES_MAX)
        return err_set(reterr, YAML_E_SYNTAX, "YAML of %zu bytes: at most %d are read", len,
                       (int)YAML_BYTES_MAX);
    builder.yaml = mem_zalloc(sizeof(*builder.yaml));
    arena_init(&builder.yaml->arena, TREE_BYTES_MAX);
    int r = build(&builder, text, len);
    if (r) {
        yaml_free(builder.yaml);
        return r;
    }
    *ret_yaml = builder.yaml;
    return 0;
}

int yaml_parse(const char *text, size_t len, struct yaml **ret_yaml, struct err *reterr)
{
    return parse(text, len, false, ret_yaml, reterr);
}

int yaml_parse_foreign(const char *text, size_t len, struct yaml **ret_yaml, struct err *reterr)
{
    return parse(text, len, true, ret_yaml, reterr);
}

const struct yaml_node *yaml_root(const struct yaml *yaml)
{
    return yaml->root;
}

void yaml_free(struct yaml *yaml)
{
    if (!yaml)
        return;
    arena_reset(&yaml->arena);
    free(yaml);
}
