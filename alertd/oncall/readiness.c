/*
 * The checklist from YAML. See readiness.h.
 */

#include "alertd/oncall/readiness.h"

#include <errno.h>
#include <string.h>

#include "lib/yaml/yaml.h"

/* One reading: the first failure stays. */
struct reading {
    struct arena *arena;
    struct readiness *list;
    struct err *reterr;
};

static int wrong(const struct reading *reading, const struct yaml_node *node, const char *words)
{
    return err_set(reading->reterr, READINESS_E_WRONG, "%u:%u: %s", node->line, node->column,
                   words);
}

/* YAML's error with its place in front, as ours. */
static int placed(const struct reading *reading, int r)
{
    struct err *err = reading->reterr;
    const struct err was = err ? *err : (struct err){0};

    if (r <= 0)
        return r;
    return err_set(err, READINESS_E_WRONG, "%u:%u: %s", was.line, was.column, was.text);
}

static int copy_text(const struct reading *reading,
                     const struct yaml_node *map,
                     const char *key,
                     bool needed,
                     const char **ret_text)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *text = "";

    if (!node && needed)
        return wrong(reading, map,
                     key[0] == 'a'   ? "expected a name: area"
                     : key[0] == 'i' ? "expected a name: item"
                                     : "expected a sentence: text");
    int r = node ? placed(reading, yaml_string(node, &text, reading->reterr)) : 0;

    if (r)
        return r;
    *ret_text = arena_strndup(reading->arena, text, strlen(text));
    return *ret_text ? 0 : err_set(reading->reterr, -ENOMEM, "too large");
}

static int read_item(const struct reading *reading,
                     const struct yaml_node *map,
                     struct readiness_item *item)
{
    static const char *const known[] = {"item", "text", "question", NULL};
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    int r = placed(reading, yaml_expect(map, YAML_MAP, "an item", reading->reterr));

    if (r == 0)
        r = placed(reading, yaml_only(map, known, reading->reterr));
    if (r == 0)
        r = copy_text(reading, map, "item", true, &item->name);
    if (r == 0)
        r = copy_text(reading, map, "text", true, &item->text);
    if (r == 0)
        r = copy_text(reading, map, "question", false, &item->question);
    if (r)
        return r;
    size_t len = strlen(item->name);

    if (len == 0 || len > READINESS_NAME_MAX || strspn(item->name, allowed) != len)
        return wrong(reading, map, "item: expected a name of a-z, 0-9 and dashes");
    return 0;
}

/* The items of an area so far, or of an earlier one, have that name already. */
static bool is_taken(const struct reading *reading,
                     const struct readiness_area *area,
                     const char *name)
{
    for (size_t i = 0; i < area->n_items; i++)
        if (strcmp(area->items[i].name, name) == 0)
            return true;
    return readiness_find(reading->list, name, NULL) != NULL;
}

static int read_area(const struct reading *reading,
                     const struct yaml_node *map,
                     struct readiness_area *area)
{
    static const char *const known[] = {"area", "items", NULL};
    int r = placed(reading, yaml_expect(map, YAML_MAP, "an area", reading->reterr));

    if (r == 0)
        r = placed(reading, yaml_only(map, known, reading->reterr));
    if (r == 0)
        r = copy_text(reading, map, "area", true, &area->name);
    const struct yaml_node *list = r == 0 ? yaml_get(map, "items") : NULL;

    if (r)
        return r;
    if (!list || list->kind != YAML_LIST || list->n == 0 || list->n > READINESS_ITEMS_MAX)
        return wrong(reading, list ? list : map, "items: expected a list of 1 to 100");
    struct readiness_item *items = arena_array(reading->arena, list->n, sizeof(*items));

    if (!items)
        return err_set(reading->reterr, -ENOMEM, "too large");
    area->items = items;
    for (size_t i = 0; r == 0 && i < list->n; i++) {
        r = read_item(reading, list->items[i], &items[i]);
        if (r == 0 && is_taken(reading, area, items[i].name))
            r = wrong(reading, list->items[i], "item: that name stands there already");
        area->n_items += r == 0;
    }
    return r;
}

static int read_gate(const struct reading *reading, const struct yaml_node *map)
{
    static const char *const known[] = {"pages", "sense", NULL};
    const struct yaml_node *pages_node = yaml_get(map, "pages");
    const struct yaml_node *sense_node = yaml_get(map, "sense");
    struct readiness_gate *gate = &reading->list->gate;
    int64_t pages = gate->pages;
    int r = placed(reading, yaml_expect(map, YAML_MAP, "a gate", reading->reterr));

    if (r == 0)
        r = placed(reading, yaml_only(map, known, reading->reterr));
    if (r == 0 && pages_node)
        r = placed(reading, yaml_int(pages_node, &pages, reading->reterr));
    if (r == 0 && sense_node)
        r = placed(reading, yaml_float(sense_node, &gate->sense, reading->reterr));
    if (r)
        return r;
    if (pages < 1 || pages > READINESS_PAGES_MAX)
        return wrong(reading, pages_node ? pages_node : map, "pages: expected 1 to 10000");
    if (!(gate->sense >= 0 && gate->sense < 1))
        return wrong(reading, sense_node ? sense_node : map,
                     "sense: expected a share from 0, below 1");
    gate->pages = (unsigned)pages;
    return 0;
}

static int read_list(const struct reading *reading, const struct yaml_node *root)
{
    static const char *const known[] = {"gate", "areas", NULL};
    struct readiness *list = reading->list;
    int r = placed(reading, yaml_expect(root, YAML_MAP, "a checklist", reading->reterr));

    if (r == 0)
        r = placed(reading, yaml_only(root, known, reading->reterr));
    if (r == 0 && yaml_get(root, "gate"))
        r = read_gate(reading, yaml_get(root, "gate"));
    if (r)
        return r;
    const struct yaml_node *areas_node = yaml_get(root, "areas");

    if (!areas_node || areas_node->kind != YAML_LIST || areas_node->n == 0 ||
        areas_node->n > READINESS_AREAS_MAX)
        return wrong(reading, areas_node ? areas_node : root, "areas: expected a list of 1 to 50");
    struct readiness_area *areas = arena_array(reading->arena, areas_node->n, sizeof(*areas));

    if (!areas)
        return err_set(reading->reterr, -ENOMEM, "too large");
    list->areas = areas;
    for (size_t i = 0; r == 0 && i < areas_node->n; i++) {
        areas[i] = (struct readiness_area){0};
        r = read_area(reading, areas_node->items[i], &areas[i]);
        list->n_areas += r == 0;
    }
    return r;
}

int readiness_parse(const char *text,
                    size_t len,
                    struct arena *arena,
                    struct readiness *ret_readiness,
                    struct err *reterr)
{
    struct readiness list = {.gate = {.pages = 10, .sense = 0.8}};
    struct err err = {0};
    const struct reading reading = {arena, &list, &err};
    struct yaml *yaml = NULL;
    int r = placed(&reading, yaml_parse(text, len, &yaml, &err));

    if (r == 0)
        r = read_list(&reading, yaml_root(yaml));
    yaml_free(yaml);
    if (r == 0)
        *ret_readiness = list;
    return r == 0 ? 0 : err_set(reterr, r, "%s", err.text);
}

const struct readiness_item *readiness_find(const struct readiness *readiness,
                                            const char *item,
                                            const struct readiness_area **ret_area)
{
    for (size_t i = 0; i < readiness->n_areas; i++)
        for (size_t j = 0; j < readiness->areas[i].n_items; j++)
            if (strcmp(readiness->areas[i].items[j].name, item) == 0) {
                if (ret_area)
                    *ret_area = &readiness->areas[i];
                return &readiness->areas[i].items[j];
            }
    return NULL;
}

size_t readiness_n_items(const struct readiness *readiness)
{
    size_t n = 0;

    for (size_t i = 0; i < readiness->n_areas; i++)
        n += readiness->areas[i].n_items;
    return n;
}

bool readiness_passes(const struct readiness_gate *gate, unsigned answered, unsigned made_sense)
{
    return answered >= gate->pages && (double)made_sense > gate->sense * (double)answered;
}
