/*
 * /api/v1/series, labels and label/N/values: what there is, between two instants, that
 * matches any of the given selectors.
 */

#include "alertd/api/prom_series.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/promql/promql.h"
#include "lib/json/write.h"
#include "lib/wire/prom_param.h"

enum {
    ARENA_BYTES = 256 << 20
};

/* Things found, each once: label sets, names or values. */
struct found {
    const void **items; /* hash table; NULL: free */
    size_t n_slots;     /* a power of two */
    size_t n;
};

struct search {
    const struct api *api;
    const struct http_request *request;
    struct http_response *response;
    struct arena arena;
    int64_t from_ms, to_ms;
    size_t limit;
    const char *label; /* whose values are wanted; NULL */
    struct found found;
    bool spent; /* the arena is */
};

/* --- Sets ------------------------------------------------------------------------------- */

struct kind {
    uint64_t (*hash)(const void *item);
    bool (*equal)(const void *a, const void *b);
};

static uint64_t hash_labels(const void *item)
{
    return ((const struct labels *)item)->hash;
}

static bool equal_labels(const void *a, const void *b)
{
    return labels_equal(a, b);
}

static uint64_t hash_text(const void *item)
{
    return labels_hash_text(0, item);
}

static bool equal_text(const void *a, const void *b)
{
    return strcmp(a, b) == 0;
}

static const struct kind sets_of_labels = {hash_labels, equal_labels};
static const struct kind texts = {hash_text, equal_text};

static const void **find_slot(const struct found *found, const struct kind *kind, const void *item)
{
    size_t at = (size_t)kind->hash(item) & (found->n_slots - 1);

    while (found->items[at] && !kind->equal(found->items[at], item))
        at = (at + 1) & (found->n_slots - 1);
    return &found->items[at];
}

static bool grow(struct search *search, const struct kind *kind)
{
    struct found *found = &search->found;
    struct found larger = {.n_slots = found->n_slots ? 2 * found->n_slots : 256, .n = found->n};

    if (found->n_slots && found->n < found->n_slots / 2)
        return true;
    larger.items = arena_array(&search->arena, larger.n_slots, sizeof(*larger.items));
    if (!larger.items)
        return false;
    for (size_t i = 0; i < found->n_slots; i++)
        if (found->items[i])
            *find_slot(&larger, kind, found->items[i]) = found->items[i];
    *found = larger;
    return true;
}

/* --- Collecting ---------------------------------------------------------------------------- */

static bool add_text(struct search *search, const char *text)
{
    search->spent = !grow(search, &texts);
    if (search->spent)
        return false;
    const void **slot = find_slot(&search->found, &texts, text);
    if (*slot)
        return true;
    *slot = arena_strndup(&search->arena, text, strlen(text));
    search->spent = !*slot;
    search->found.n++;
    return !search->spent;
}

static bool collect_series(void *arg, const struct labels *labels)
{
    struct search *search = arg;

    search->spent = !grow(search, &sets_of_labels);
    if (search->spent)
        return false;
    const void **slot = find_slot(&search->found, &sets_of_labels, labels);
    if (*slot)
        return true;
    *slot = labels_in_arena(&search->arena, labels->at, labels->n);
    search->spent = !*slot;
    search->found.n++;
    return !search->spent;
}

static bool collect_names(void *arg, const struct labels *labels)
{
    for (uint32_t i = 0; i < labels->n; i++)
        if (!add_text(arg, labels->at[i].name))
            return false;
    return true;
}

static bool collect_values(void *arg, const struct labels *labels)
{
    struct search *search = arg;
    const char *value = labels_get(labels, search->label);

    return !value || add_text(search, value);
}

/* --- Parameters ------------------------------------------------------------------------------ */

static bool read_bound(struct search *search, const char *name, int64_t *inout_ms)
{
    const char *text = http_query(search->request, name);
    struct err err = {0};

    if (!text || !text[0] || prom_param_time(text, inout_ms, &err) == 0)
        return true;
    http_fail(search->response, "bad_data",
              "invalid parameter \"%s\": invalid time value for '%s': %s", name, name, err.text);
    return false;
}

static bool read_parameters(struct search *search)
{
    const char *limit = http_query(search->request, "limit");
    struct err err = {0};

    search->from_ms = -(INT64_C(1) << 52);
    search->to_ms = INT64_C(1) << 52;
    if (limit && limit[0] && prom_param_limit(limit, &search->limit, &err)) {
        http_fail(search->response, "bad_data", "invalid parameter \"limit\": %s", err.text);
        return false;
    }
    return read_bound(search, "start", &search->from_ms) &&
           read_bound(search, "end", &search->to_ms);
}

/* --- Searching --------------------------------------------------------------------------------- */

typedef bool collect_fn(void *arg, const struct labels *labels);

static bool search_store(struct search *search,
                         collect_fn *collect,
                         const struct matcher *matchers,
                         size_t n_matchers)
{
    struct err err = {0};
    int r = store_series(search->api->store, matchers, n_matchers, search->from_ms, search->to_ms,
                         collect, search, &err);

    if (search->spent)
        http_fail(search->response, "execution",
                  "the answer needs more than %d MiB of memory: ask for fewer series",
                  ARENA_BYTES >> 20);
    else if (r)
        http_fail(search->response, r < 0 ? "internal" : "execution", "%s", err.text);
    return !r && !search->spent;
}

void prom_series_fail_match(struct http_response *response, int code, const struct err *err)
{
    if (code == PROMQL_E_TYPE && strstr(err->text, "non-empty matcher"))
        http_fail(response, "bad_data",
                  "invalid parameter \"match[]\": match[] must contain at least one non-empty "
                  "matcher");
    else
        http_fail(response, "bad_data", "invalid parameter \"match[]\": %u:%u: parse error: %s",
                  err->line, err->column, err->text);
}

/* All match[] in turn; without any, everything. */
static bool search_all(struct search *search, collect_fn *collect)
{
    const char *text = http_query_at(search->request, "match[]", 0);

    if (!text)
        return search_store(search, collect, NULL, 0);
    for (size_t i = 1; text; i++) {
        const struct matcher *matchers = NULL;
        size_t n = 0;
        struct err err = {0};

        int r = promql_parse_selector(&search->arena, text, &matchers, &n, &err);
        if (r) {
            prom_series_fail_match(search->response, r, &err);
            return false;
        }
        if (!search_store(search, collect, matchers, n))
            return false;
        text = http_query_at(search->request, "match[]", i);
    }
    return true;
}

/* --- Replies --------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_labels(const void *a, const void *b)
{
    return labels_compare(*(const struct labels *const *)a, *(const struct labels *const *)b);
}

static void add_item(struct json_out *out, const void *item, bool is_text)
{
    const struct labels *labels = item;

    if (is_text) {
        json_string(out, item);
        return;
    }
    json_open(out, '{');
    for (uint32_t i = 0; i < labels->n; i++)
        json_kv_string(out, labels->at[i].name, labels->at[i].value);
    json_close(out, '}');
}

static void reply(struct search *search, bool is_text)
{
    struct json_out out = JSON_OUT(&search->response->body);
    const void **items = search->found.items;
    size_t n = 0;

    for (size_t i = 0; i < search->found.n_slots; i++)
        if (items[i])
            items[n++] = items[i];
    if (n)
        qsort(items, n, sizeof(*items), is_text ? by_text : by_labels);
    bool cut = search->limit && n > search->limit;
    json_open(&out, '{');
    json_kv_string(&out, "status", "success");
    json_key(&out, "data");
    json_open(&out, '[');
    for (size_t i = 0; i < (cut ? search->limit : n); i++)
        add_item(&out, items[i], is_text);
    json_close(&out, ']');
    if (cut) {
        json_key(&out, "warnings");
        json_open(&out, '[');
        json_string(&out, "results truncated due to limit");
        json_close(&out, ']');
    }
    json_close(&out, '}');
}

static void run(struct search *search, collect_fn *collect)
{
    arena_init(&search->arena, ARENA_BYTES);
    if (read_parameters(search) && search_all(search, collect))
        reply(search, collect != collect_series);
    arena_reset(&search->arena);
}

void prom_series_get(void *context, struct http_request *request, struct http_response *response)
{
    struct search search = {.api = context, .request = request, .response = response};

    if (!http_query_at(request, "match[]", 0)) {
        http_fail(response, "bad_data", "no match[] parameter provided");
        return;
    }
    run(&search, collect_series);
}

void prom_labels_get(void *context, struct http_request *request, struct http_response *response)
{
    struct search search = {.api = context, .request = request, .response = response};

    run(&search, collect_names);
}

void prom_label_values_get(void *context,
                           struct http_request *request,
                           struct http_response *response)
{
    STR_AUTO struct str name = STR_INIT(4096);
    struct search search = {.api = context, .request = request, .response = response};

    prom_unescape_name(request->path_args[0], &name);
    if (name.full || !name.len || !labels_text_ok(str_text(&name), name.len)) {
        http_fail(response, "bad_data", "invalid label name: \"%.100s\"", str_text(&name));
        return;
    }
    search.label = str_text(&name);
    run(&search, collect_values);
}
