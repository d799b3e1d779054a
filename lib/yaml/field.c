/*
 * Fields of a tree, each with its type: the text of a scalar becomes a value here, and
 * only here, because the reader knows what it should be. `port: 0800` is text, a number
 * or an error, never a guess.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/float.h"
#include "lib/base/near.h"
#include "lib/base/str.h"
#include "lib/yaml/yaml.h"

static bool is_null(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && node->plain &&
           (node->len == 0 || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0 ||
            strcmp(node->text, "Null") == 0 || strcmp(node->text, "NULL") == 0);
}

static size_t find(const struct yaml_node *map, const char *key)
{
    if (map->kind != YAML_MAP)
        return map->n;
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->keys[i]->text, key) == 0)
            return i;
    return map->n;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    size_t i = find(map, key);

    if (i == map->n || map->kind != YAML_MAP || is_null(map->items[i]))
        return NULL;
    return map->items[i];
}

const struct yaml_node *yaml_key(const struct yaml_node *map, const char *key)
{
    size_t i = find(map, key);

    return i == map->n || map->kind != YAML_MAP ? NULL : map->keys[i];
}

/* field "for": expected a duration, got "soon" */
static int mismatch(const struct yaml_node *node, const char *what, struct err *reterr)
{
    STR_AUTO struct str words = STR_INIT(ERR_TEXT_MAX);

    if (*node->name)
        str_addf(&words, "field \"%.80s\": ", node->name);
    str_addf(&words, "expected %s, got ", what);
    if (node->kind == YAML_MAP)
        str_add(&words, "a map");
    else if (node->kind == YAML_LIST)
        str_add(&words, "a list");
    else if (is_null(node))
        str_add(&words, "nothing");
    else
        str_addf(&words, "\"%.60s\"%s", node->text, node->len > 60 ? "..." : "");
    return err_at(reterr, YAML_E_TYPE, node->line, node->column, "%s", str_text(&words));
}

int yaml_string(const struct yaml_node *node, const char **ret_text, struct err *reterr)
{
    if (node->kind != YAML_SCALAR || is_null(node))
        return mismatch(node, "text", reterr);
    *ret_text = node->text;
    return 0;
}

int yaml_int(const struct yaml_node *node, int64_t *ret_value, struct err *reterr)
{
    char *end;

    if (node->kind != YAML_SCALAR || !node->plain || node->len == 0 ||
        !(node->text[0] == '-' || (node->text[0] >= '0' && node->text[0] <= '9')))
        return mismatch(node, "a whole number", reterr);
    errno = 0;
    long long value = strtoll(node->text, &end, 10);
    if (errno || *end)
        return mismatch(node, "a whole number", reterr);
    *ret_value = value;
    return 0;
}

int yaml_float(const struct yaml_node *node, double *ret_value, struct err *reterr)
{
    double value;

    if (node->kind != YAML_SCALAR || !node->plain || node->len == 0 ||
        float_parse(node->text, node->len, &value) != 0)
        return mismatch(node, "a number", reterr);
    *ret_value = value;
    return 0;
}

int yaml_bool(const struct yaml_node *node, bool *ret_value, struct err *reterr)
{
    if (node->kind == YAML_SCALAR && node->plain && strcmp(node->text, "true") == 0)
        *ret_value = true;
    else if (node->kind == YAML_SCALAR && node->plain && strcmp(node->text, "false") == 0)
        *ret_value = false;
    else
        return mismatch(node, "true or false", reterr);
    return 0;
}

int yaml_expect(const struct yaml_node *node,
                enum yaml_kind kind,
                const char *what,
                struct err *reterr)
{
    return node->kind == kind ? 0 : mismatch(node, what, reterr);
}

int yaml_only(const struct yaml_node *map, const char *const *known, struct err *reterr)
{
    int r = yaml_expect(map, YAML_MAP, "a map", reterr);

    for (size_t i = 0; i < map->n && !r; i++) {
        const struct yaml_node *key = map->keys[i];
        size_t k = 0;

        while (known[k] && strcmp(known[k], key->text) != 0)
            k++;
        if (known[k])
            continue;
        const char *near = near_word(key->text, known);
        r = err_at(reterr, YAML_E_TYPE, key->line, key->column, "unknown field \"%.80s\"%s%s%s",
                   key->text, near ? ": did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    return r;
}
