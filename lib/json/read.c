/*
 * JSON in, for small bodies. See read.h.
 *
 *   text --jansson--> json_t tree --> our tree: {value, parent, key or index, children}
 *
 * Ours stands beside jansson's for two reasons: a node that knows its parent can say
 * where it stands (`alerts[2].labels.job`), and a member is found by index at once,
 * where jansson walks its list again for each.
 */

#include "lib/json/read.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"

/* jansson has macros of these names; here they are functions. */
#undef json_is_object
#undef json_is_array
#undef json_is_null

enum {
    DEPTH_MAX = 64, /* nobody writes deeper by hand, and we recurse */
    PLACE_MAX = 160,
};

struct json {
    json_t *value; /* the root's is ours; the others' belong to it */
    const struct json *parent;
    const char *key; /* in an object; NULL in an array and for the root */
    size_t index;
    struct json *children;
    size_t n;
};

static bool has_type(const struct json *node, json_type type)
{
    return node && json_typeof(node->value) == type;
}

bool json_is_object(const struct json *value)
{
    return has_type(value, JSON_OBJECT);
}

bool json_is_array(const struct json *value)
{
    return has_type(value, JSON_ARRAY);
}

bool json_is_null(const struct json *value)
{
    return has_type(value, JSON_NULL);
}

/* Fills node->children from node->value; false when it is nested too deeply. What was
 * allocated until then is the node's, so that drop() frees a half-built tree. */
static bool build(struct json *node, int depth)
{
    void *at = json_object_iter(node->value); /* NULL for an array: harmless below */
    size_t n = json_is_object(node) ? json_object_size(node->value) : json_array_size(node->value);

    if (n == 0)
        return true;
    if (depth == DEPTH_MAX)
        return false;
    node->children = mem_zalloc(n * sizeof(*node->children));
    for (size_t i = 0; i < n; i++) {
        struct json *child = &node->children[node->n++];

        child->parent = node;
        child->index = i;
        if (json_is_object(node)) {
            child->key = json_object_iter_key(at);
            child->value = json_object_iter_value(at);
            at = json_object_iter_next(node->value, at);
        } else {
            child->value = json_array_get(node->value, i);
        }
        if (!build(child, depth + 1))
            return false;
    }
    return true;
}

static void drop(struct json *node)
{
    for (size_t i = 0; i < node->n; i++)
        drop(&node->children[i]);
    free(node->children);
}

int json_parse(const char *text, size_t len, struct json **ret_root, struct err *reterr)
{
    return json_parse_upto(text, len, JSON_BODY_MAX, ret_root, reterr);
}

int json_parse_upto(
    const char *text, size_t len, size_t max_bytes, struct json **ret_root, struct err *reterr)
{
    json_error_t error;

    if (len > max_bytes)
        return err_set(reterr, JSON_E_SYNTAX, "JSON of %zu bytes: at most %zu are read", len,
                       max_bytes);
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!value)
        return err_at(reterr, JSON_E_SYNTAX, error.line > 0 ? (unsigned)error.line : 1,
                      error.column > 0 ? (unsigned)error.column : 1, "not JSON: %s", error.text);

    struct json *root = mem_zalloc(sizeof(*root));
    root->value = value;
    if (!build(root, 0)) {
        json_free(root);
        return err_set(reterr, JSON_E_SYNTAX, "JSON nested deeper than %d levels", (int)DEPTH_MAX);
    }
    *ret_root = root;
    return 0;
}

void json_free(struct json *root)
{
    if (!root)
        return;
    drop(root);
    json_decref(root->value);
    free(root);
}

/* `alerts[2].labels`, nothing for the root. */
static void add_place(struct str *place, const struct json *node)
{
    if (!node->parent)
        return;
    add_place(place, node->parent);
    if (!node->key)
        str_addf(place, "[%zu]", node->index);
    else
        str_addf(place, "%s%s", place->len ? "." : "", node->key);
}

static int fail(const struct json *object, const char *key, const char *words, struct err *reterr)
{
    STR_AUTO struct str place = STR_INIT(PLACE_MAX);

    add_place(&place, object);
    if (key)
        str_addf(&place, "%s%s", place.len ? "." : "", key);
    return err_set(reterr, JSON_E_TYPE, "%s: %s", place.len ? str_text(&place) : "the body", words);
}

int json_wrong(const struct json *value, const char *key, struct err *reterr, const char *fmt, ...)
{
    char words[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    return fail(value, key, words, reterr);
}

static const struct json *find(const struct json *object, const char *key)
{
    if (!json_is_object(object))
        return NULL;
    for (size_t i = 0; i < object->n; i++)
        if (strcmp(object->children[i].key, key) == 0)
            return &object->children[i];
    return NULL;
}

/* The member; or NULL, and the words for what stands there instead of `expected`. */
static const struct json *require(const struct json *object,
                                  const char *key,
                                  bool (*fits)(const struct json *),
                                  const char *expected,
                                  struct err *reterr)
{
    char words[80];
    const struct json *member = find(object, key);

    if (member && fits(member))
        return member;
    if (!json_is_object(object)) {
        (void)fail(object, NULL, "expected an object", reterr);
        return NULL;
    }
    (void)snprintf(words, sizeof(words), "%sexpected %s", member ? "" : "missing, ", expected);
    (void)fail(object, key, words, reterr);
    return NULL;
}

static bool is_string(const struct json *node)
{
    return has_type(node, JSON_STRING);
}

static bool is_int(const struct json *node)
{
    return has_type(node, JSON_INTEGER);
}

static bool is_number(const struct json *node)
{
    return has_type(node, JSON_INTEGER) || has_type(node, JSON_REAL);
}

static bool is_bool(const struct json *node)
{
    return has_type(node, JSON_TRUE) || has_type(node, JSON_FALSE);
}

int json_get_string(const struct json *object,
                    const char *key,
                    const char **ret_text,
                    struct err *reterr)
{
    const struct json *member = require(object, key, is_string, "a string", reterr);

    if (!member)
        return JSON_E_TYPE;
    *ret_text = json_string_value(member->value);
    return 0;
}

int json_get_int(const struct json *object, const char *key, int64_t *ret_value, struct err *reterr)
{
    const struct json *member = require(object, key, is_int, "a whole number", reterr);

    if (!member)
        return JSON_E_TYPE;
    *ret_value = json_integer_value(member->value);
    return 0;
}

int json_get_float(const struct json *object,
                   const char *key,
                   double *ret_value,
                   struct err *reterr)
{
    const struct json *member = require(object, key, is_number, "a number", reterr);

    if (!member)
        return JSON_E_TYPE;
    *ret_value = json_number_value(member->value);
    return 0;
}

int json_get_bool(const struct json *object, const char *key, bool *ret_value, struct err *reterr)
{
    const struct json *member = require(object, key, is_bool, "true or false", reterr);

    if (!member)
        return JSON_E_TYPE;
    *ret_value = has_type(member, JSON_TRUE);
    return 0;
}

int json_get_array(const struct json *object,
                   const char *key,
                   const struct json **ret_array,
                   struct err *reterr)
{
    const struct json *member = require(object, key, json_is_array, "an array", reterr);

    if (!member)
        return JSON_E_TYPE;
    *ret_array = member;
    return 0;
}

int json_get_object(const struct json *object,
                    const char *key,
                    const struct json **ret_object,
                    struct err *reterr)
{
    const struct json *member = require(object, key, json_is_object, "an object", reterr);

    if (!member)
        return JSON_E_TYPE;
    *ret_object = member;
    return 0;
}

const struct json *json_get(const struct json *object, const char *key)
{
    return find(object, key);
}

bool json_has(const struct json *object, const char *key)
{
    const struct json *member = find(object, key);

    return member && !has_type(member, JSON_NULL);
}

int json_get_string_or(const struct json *object,
                       const char *key,
                       const char *fallback,
                       const char **ret_text,
                       struct err *reterr)
{
    if (json_is_object(object) && !json_has(object, key)) {
        *ret_text = fallback;
        return 0;
    }
    return json_get_string(object, key, ret_text, reterr);
}

int json_get_int_or(const struct json *object,
                    const char *key,
                    int64_t fallback,
                    int64_t *ret_value,
                    struct err *reterr)
{
    if (json_is_object(object) && !json_has(object, key)) {
        *ret_value = fallback;
        return 0;
    }
    return json_get_int(object, key, ret_value, reterr);
}

const char *json_text(const struct json *value)
{
    return is_string(value) ? json_string_value(value->value) : NULL;
}

int json_number(const struct json *value, double *ret_value)
{
    if (!value || !json_is_number(value->value))
        return JSON_E_TYPE;
    *ret_value = json_number_value(value->value);
    return 0;
}

int json_truth(const struct json *value, bool *ret_value)
{
    if (!is_bool(value))
        return JSON_E_TYPE;
    *ret_value = has_type(value, JSON_TRUE);
    return 0;
}

size_t json_length(const struct json *array_or_object)
{
    return array_or_object ? array_or_object->n : 0;
}

const struct json *json_at(const struct json *array, size_t index)
{
    return json_is_array(array) && index < array->n ? &array->children[index] : NULL;
}

bool json_member(const struct json *object,
                 size_t index,
                 const char **ret_key,
                 const struct json **ret_value)
{
    if (!json_is_object(object) || index >= object->n)
        return false;
    *ret_key = object->children[index].key;
    *ret_value = &object->children[index];
    return true;
}

int json_only(const struct json *object, const char *const *known, struct err *reterr)
{
    if (!json_is_object(object))
        return fail(object, NULL, "expected an object", reterr);
    for (size_t i = 0; i < object->n; i++) {
        const char *const *name = known;

        while (*name && strcmp(*name, object->children[i].key) != 0)
            name++;
        if (!*name)
            return fail(object, object->children[i].key, "unknown field", reterr);
    }
    return 0;
}
