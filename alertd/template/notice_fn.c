/*
 * Functions on data that notifications have: times, JSON, lists and maps, labels of routes.
 */

#include <string.h>

#include "alertd/template/notice_private.h"

enum {
    EXPANDING_MAX = 16
};

static int need_time(struct tmpl_run *run, const char *name, const struct value *value)
{
    if (value->kind == VALUE_TIME)
        return 0;
    return tmpl_fail(run, "%s: expected a time, got %s", name, value_type_name(value));
}

static int fn_date(struct tmpl_run *run,
                   const struct value *args,
                   size_t n,
                   struct value *ret_value)
{
    struct str out = STR_INIT(TMPL_OUTPUT_MAX);
    const char *layout;
    int r = tmpl_need_text(run, &args[0], &layout);

    if (!r)
        r = need_time(run, "date", &args[1]);
    if (r)
        return r;
    tmpl_format_time(&args[1], layout, &out);
    return tmpl_give_text(run, &out, ret_value);
}

static int fn_tz(struct tmpl_run *run, const struct value *args, size_t n, struct value *ret_value)
{
    const struct notice_run *own = run->data;
    struct err err = {0};
    const char *name;
    int r = tmpl_need_text(run, &args[0], &name);

    if (!r)
        r = need_time(run, "tz", &args[1]);
    if (r)
        return r;
    *ret_value = args[1];
    if (zones_get(own->zones, *name ? name : "UTC", &ret_value->zone, &err))
        return tmpl_fail(run, "tz: %s", err.text);
    return 0;
}

static int fn_since(struct tmpl_run *run,
                    const struct value *args,
                    size_t n,
                    struct value *ret_value)
{
    int64_t now_ns = run->now_ms * 1000000;
    int r = need_time(run, "since", &args[0]);

    *ret_value = (struct value){.kind = VALUE_DURATION};
    if (!r && __builtin_sub_overflow(now_ns, args[0].number, &ret_value->number))
        ret_value->number = INT64_MAX;
    return r;
}

static int to_date(struct tmpl_run *run,
                   const struct value *args,
                   bool must,
                   struct value *ret_value)
{
    const char *layout, *text;
    int r = tmpl_need_text(run, &args[0], &layout);

    if (!r)
        r = tmpl_need_text(run, &args[1], &text);
    if (r)
        return r;
    if (tmpl_parse_time(layout, text, ret_value))
        return 0;
    *ret_value = (struct value){.kind = VALUE_TIME, .number = VALUE_TIME_ZERO};
    return must ? tmpl_fail(run, "mustToDate: \"%.60s\" is not a time spelled as \"%.60s\"", text,
                            layout)
                : 0;
}

static int fn_to_date(struct tmpl_run *run,
                      const struct value *args,
                      size_t n,
                      struct value *ret_value)
{
    return to_date(run, args, false, ret_value);
}

static int fn_must_to_date(struct tmpl_run *run,
                           const struct value *args,
                           size_t n,
                           struct value *ret_value)
{
    return to_date(run, args, true, ret_value);
}

static int fn_to_json(struct tmpl_run *run,
                      const struct value *args,
                      size_t n,
                      struct value *ret_value)
{
    struct str out = STR_INIT(1024 * 1024);

    value_json(&args[0], &out);
    return tmpl_give_text(run, &out, ret_value);
}

static int give_list(struct tmpl_run *run,
                     const struct value *first,
                     size_t n_first,
                     const struct value *more,
                     size_t n_more,
                     struct value *ret_value)
{
    struct value *items = arena_array(run->arena, n_first + n_more + 1, sizeof(*items));

    if (!items)
        return tmpl_fail_memory(run);
    if (n_first)
        memcpy(items, first, n_first * sizeof(*items));
    if (n_more)
        memcpy(items + n_first, more, n_more * sizeof(*items));
    *ret_value = (struct value){.kind = VALUE_LIST, .items = items, .n = n_first + n_more};
    return 0;
}

static int fn_list(struct tmpl_run *run,
                   const struct value *args,
                   size_t n,
                   struct value *ret_value)
{
    return give_list(run, NULL, 0, args, n, ret_value);
}

static int fn_append(struct tmpl_run *run,
                     const struct value *args,
                     size_t n,
                     struct value *ret_value)
{
    if (args[0].kind != VALUE_LIST)
        return tmpl_fail(run, "append: expected a list, got %s", value_type_name(&args[0]));
    return give_list(run, args[0].items, args[0].n, args + 1, n - 1, ret_value);
}

/* Its place among the first n names; n: it is not there. */
static size_t place_of(const char *const *names, size_t n, const char *name)
{
    size_t i = 0;

    while (i < n && strcmp(names[i], name) != 0)
        i++;
    return i;
}

/* Sorted by name as it is made: it prints and is walked in that order. */
static int fn_dict(struct tmpl_run *run,
                   const struct value *args,
                   size_t n,
                   struct value *ret_value)
{
    struct value *items = arena_array(run->arena, n + 1, sizeof(*items));
    const char **names = arena_array(run->arena, n + 1, sizeof(*names));
    size_t n_names = 0;

    if (n % 2)
        return tmpl_fail(run, "dict: expected names and values in turn, the last name has none");
    if (!items || !names)
        return tmpl_fail_memory(run);
    for (size_t i = 0; i < n; i += 2) {
        const char *name;
        int r = tmpl_need_text(run, &args[i], &name);

        if (r)
            return r;
        size_t at = place_of(names, n_names, name);
        if (at == n_names) {
            for (; at > 0 && strcmp(names[at - 1], name) > 0; at--) {
                names[at] = names[at - 1];
                items[at] = items[at - 1];
            }
            n_names++;
        }
        names[at] = name;
        items[at] = args[i + 1];
    }
    *ret_value = (struct value){.kind = VALUE_MAP, .items = items, .names = names, .n = n_names};
    return 0;
}

static const struct labels *route_labels_of(const struct value *root)
{
    for (size_t i = 0; root->kind == VALUE_RECORD && i < root->n; i++)
        if (strcmp(root->names[i], "RouteLabels") == 0 && root->items[i].kind == VALUE_LABELS)
            return root->items[i].labels;
    return NULL;
}

/* routeLabels "team": the route's label, itself a template over the same data. */
static int fn_route_labels(struct tmpl_run *run,
                           const struct value *args,
                           size_t n,
                           struct value *ret_value)
{
    const struct labels *labels = route_labels_of(run->root);
    const struct tmpl_expanding *outer = run->expanding;
    struct tmpl_html *html = run->html;
    struct str *out = run->out;
    struct str made = STR_INIT(TMPL_OUTPUT_MAX);
    unsigned depth = 0;
    const char *name;
    int r = tmpl_need_text(run, &args[0], &name);

    if (r)
        return r;
    const char *text = labels ? labels_get(labels, name) : NULL;
    *ret_value = value_text("");
    if (!text)
        return 0;
    for (const struct tmpl_expanding *at = outer; at; at = at->outer)
        if (++depth == EXPANDING_MAX || strcmp(at->name, name) == 0)
            return tmpl_fail(run, "routeLabels: \"%.60s\" is made of itself", name);

    const struct tmpl_expanding own = {name, outer};

    run->expanding = &own;
    run->out = &made;
    run->html = NULL; /* what it gives is escaped as a whole */
    r = tmpl_run_text(run, text);
    run->expanding = outer;
    run->out = out;
    run->html = html;
    if (r) {
        str_done(&made);
        return r;
    }
    return tmpl_give_text(run, &made, ret_value);
}

const struct tmpl_fn notice_data_fns[] = {
    {"date", 2, 2, fn_date, false},
    {"tz", 2, 2, fn_tz, false},
    {"since", 1, 1, fn_since, false},
    {"toDate", 2, 2, fn_to_date, false},
    {"mustToDate", 2, 2, fn_must_to_date, false},
    {"toJson", 1, 1, fn_to_json, false},
    {"list", 0, 64, fn_list, false},
    {"append", 1, 64, fn_append, false},
    {"dict", 0, 64, fn_dict, false},
    {"routeLabels", 1, 1, fn_route_labels, false},
    {0},
};
