/*
 * What a template of a notification may look at: labels with their methods, alerts, and the
 * record that is its dot. See notice.h.
 */

#include <errno.h>
#include <string.h>

#include "alertd/template/notice_private.h"

enum {
    N_ALERT_FIELDS = 7,
    N_DATA_FIELDS = 9,
};

/* --- Labels ---------------------------------------------------------------------------- */

/* By name, but alertname first: how people look for it. */
static const struct label *pair_at(const struct labels *labels, uint32_t i)
{
    uint32_t name = 0;

    while (name < labels->n && strcmp(labels->at[name].name, "alertname") != 0)
        name++;
    if (name == labels->n || i > name)
        return &labels->at[i];
    return i == 0 ? &labels->at[name] : &labels->at[i - 1];
}

static void print_pairs(const struct labels *labels, struct str *out)
{
    for (uint32_t i = 0; i < labels->n; i++) {
        const struct label *pair = pair_at(labels, i);

        str_addf(out, "%s%s=%s", i ? ", " : "", pair->name, pair->value);
    }
}

static void print_labels(const struct value *value, struct str *out)
{
    print_pairs(value->labels, out);
}

/* The pairs of a list know the labels they are of: those print and name them. */
static int pairs_method(struct tmpl_run *run,
                        const struct value *receiver,
                        const char *name,
                        const struct value *args,
                        size_t n,
                        struct value *ret_value);

static void print_pair_list(const struct value *value, struct str *out)
{
    print_pairs(value->labels, out);
}

static const struct tmpl_type pairs_type = {"template.Pairs", pairs_method, print_pair_list, NULL};

int notice_give_texts(struct tmpl_run *run,
                      const char *const *texts,
                      size_t n,
                      struct value *ret_value)
{
    struct value *items = arena_array(run->arena, n ? n : 1, sizeof(*items));

    if (!items)
        return tmpl_fail_memory(run);
    for (size_t i = 0; i < n; i++)
        items[i] = value_text(texts[i]);
    *ret_value = (struct value){.kind = VALUE_LIST, .items = items, .n = n};
    return 0;
}

static int give_side(struct tmpl_run *run,
                     const struct labels *labels,
                     bool values,
                     struct value *ret_value)
{
    const char **texts = arena_array(run->arena, labels->n + 1, sizeof(*texts));

    if (!texts)
        return tmpl_fail_memory(run);
    for (uint32_t i = 0; i < labels->n; i++) {
        const struct label *pair = pair_at(labels, i);

        texts[i] = values ? pair->value : pair->name;
    }
    return notice_give_texts(run, texts, labels->n, ret_value);
}

static int pairs_method(struct tmpl_run *run,
                        const struct value *receiver,
                        const char *name,
                        const struct value *args,
                        size_t n,
                        struct value *ret_value)
{
    bool values = strcmp(name, "Values") == 0;

    if (n > 0 || (!values && strcmp(name, "Names") != 0))
        return -ENOENT;
    return give_side(run, receiver->labels, values, ret_value);
}

static int give_pairs(struct tmpl_run *run, const struct labels *labels, struct value *ret_value)
{
    static const char *const names[] = {"Name", "Value"};
    struct value *items = arena_array(run->arena, labels->n + 1, sizeof(*items));
    struct value *fields = arena_array(run->arena, (size_t)labels->n * 2 + 1, sizeof(*fields));

    if (!items || !fields)
        return tmpl_fail_memory(run);
    for (uint32_t i = 0; i < labels->n; i++) {
        const struct label *pair = pair_at(labels, i);

        fields[2 * i] = value_text(pair->name);
        fields[2 * i + 1] = value_text(pair->value);
        items[i] = (struct value){
            .kind = VALUE_RECORD, .items = &fields[2 * i], .names = names, .n = 2};
    }
    *ret_value = (struct value){
        .kind = VALUE_LIST, .items = items, .n = labels->n, .labels = labels, .type = &pairs_type};
    return 0;
}

static bool is_among(const struct value *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].kind == VALUE_TEXT && strcmp(list->items[i].text, text) == 0)
            return true;
    return false;
}

static int give_rest(struct tmpl_run *run,
                     const struct labels *labels,
                     const struct value *without,
                     struct value *ret_value)
{
    struct label *pairs = arena_array(run->arena, labels->n + 1, sizeof(*pairs));
    const struct labels *rest;
    size_t n = 0;

    if (without->kind != VALUE_LIST)
        return tmpl_fail(run, "Remove: expected a list of names, got %s", value_type_name(without));
    if (!pairs)
        return tmpl_fail_memory(run);
    for (uint32_t i = 0; i < labels->n; i++)
        if (!is_among(without, labels->at[i].name))
            pairs[n++] = labels->at[i];
    rest = labels_in_arena(run->arena, pairs, n);
    if (!rest)
        return tmpl_fail_memory(run);
    *ret_value = notice_labels_value(rest);
    return 0;
}

static int labels_method(struct tmpl_run *run,
                         const struct value *receiver,
                         const char *name,
                         const struct value *args,
                         size_t n,
                         struct value *ret_value)
{
    const struct labels *labels = receiver->labels;

    if (n == 1 && strcmp(name, "Remove") == 0)
        return give_rest(run, labels, &args[0], ret_value);
    if (n > 0)
        return -ENOENT;
    if (strcmp(name, "SortedPairs") == 0)
        return give_pairs(run, labels, ret_value);
    if (strcmp(name, "Names") == 0 || strcmp(name, "Values") == 0)
        return give_side(run, labels, name[0] == 'V', ret_value);
    return -ENOENT;
}

const struct tmpl_type notice_labels_type = {"template.KV", labels_method, print_labels, NULL};

struct value notice_labels_value(const struct labels *labels)
{
    return (struct value){.kind = VALUE_LABELS,
                          .labels = labels ? labels : labels_empty(),
                          .is_nil = !labels,
                          .type = &notice_labels_type};
}

/* --- Alerts ---------------------------------------------------------------------------- */

static const char *const alert_names[N_ALERT_FIELDS] = {
    "Status", "Labels", "Annotations", "StartsAt", "EndsAt", "GeneratorURL", "Fingerprint"};
static const char *const alert_json[N_ALERT_FIELDS] = {
    "status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"};

const struct tmpl_type notice_alert_type = {"template.Alert", NULL, NULL, alert_json};

/* Those of one status; a plain list, as Alertmanager's. */
static int alerts_method(struct tmpl_run *run,
                         const struct value *receiver,
                         const char *name,
                         const struct value *args,
                         size_t n,
                         struct value *ret_value)
{
    const char *status = strcmp(name, "Firing") == 0 ? "firing" : "resolved";
    size_t found = 0;

    if (n > 0 || (strcmp(name, "Firing") != 0 && strcmp(name, "Resolved") != 0))
        return -ENOENT;

    struct value *items = arena_array(run->arena, receiver->n + 1, sizeof(*items));

    if (!items)
        return tmpl_fail_memory(run);
    for (size_t i = 0; i < receiver->n; i++)
        if (strcmp(receiver->items[i].items[0].text, status) == 0)
            items[found++] = receiver->items[i];
    *ret_value = (struct value){.kind = VALUE_LIST, .items = items, .n = found};
    return 0;
}

static const struct tmpl_type alerts_type = {"template.Alerts", alerts_method, NULL, NULL};

static struct value time_value(int64_t at_ms)
{
    int64_t ns;

    if (at_ms == INT64_MIN || __builtin_mul_overflow(at_ms, INT64_C(1000000), &ns))
        ns = VALUE_TIME_ZERO;
    return (struct value){.kind = VALUE_TIME, .number = ns};
}

static struct value text_or_nothing(const char *text)
{
    return value_text(text ? text : "");
}

static void fill_alert(const struct notice_alert *alert, struct value *fields)
{
    fields[0] = value_text(alert->is_firing ? "firing" : "resolved");
    fields[1] = notice_labels_value(alert->labels);
    fields[2] = notice_labels_value(alert->annotations);
    fields[3] = time_value(alert->starts_at_ms);
    fields[4] = time_value(alert->ends_at_ms);
    fields[5] = text_or_nothing(alert->generator_url);
    fields[6] = text_or_nothing(alert->fingerprint);
}

struct value notice_alerts_value(struct arena *arena, const struct notice_data *data)
{
    size_t n = data->n_alerts;
    struct value *items = arena_array(arena, n + 1, sizeof(*items));
    struct value *fields = arena_array(arena, n * N_ALERT_FIELDS + 1, sizeof(*fields));

    if (!items || !fields)
        return (struct value){0};
    for (size_t i = 0; i < n; i++) {
        struct value *own = &fields[i * N_ALERT_FIELDS];

        fill_alert(&data->alerts[i], own);
        items[i] = (struct value){.kind = VALUE_RECORD,
                                  .items = own,
                                  .names = alert_names,
                                  .n = N_ALERT_FIELDS,
                                  .type = &notice_alert_type};
    }
    return (struct value){.kind = VALUE_LIST,
                          .is_nil = !data->has_alerts,
                          .items = items,
                          .n = n,
                          .type = &alerts_type};
}

struct value notice_value(struct arena *arena, const struct notice_data *data)
{
    static const char *const names[N_DATA_FIELDS] = {
        "Receiver",           "Status",      "Alerts",
        "NotificationReason", "GroupLabels", "CommonLabels",
        "CommonAnnotations",  "RouteLabels", "ExternalURL"};
    static const char *const json[N_DATA_FIELDS] = {"receiver",
                                                    "status",
                                                    "alerts",
                                                    "notification_reason",
                                                    "groupLabels",
                                                    "commonLabels",
                                                    "commonAnnotations",
                                                    "routeLabels",
                                                    "externalURL"};
    static const struct tmpl_type type = {"template.Data", NULL, NULL, json};
    struct value *fields = arena_array(arena, N_DATA_FIELDS, sizeof(*fields));
    struct value alerts = notice_alerts_value(arena, data);

    if (!fields || alerts.kind == VALUE_NONE)
        return (struct value){0};
    fields[0] = text_or_nothing(data->receiver);
    fields[1] = text_or_nothing(data->status);
    fields[2] = alerts;
    fields[3] = text_or_nothing(data->reason);
    fields[4] = notice_labels_value(data->group_labels);
    fields[5] = notice_labels_value(data->common_labels);
    fields[6] = notice_labels_value(data->common_annotations);
    fields[7] = notice_labels_value(data->route_labels);
    fields[8] = text_or_nothing(data->external_url);
    return (struct value){
        .kind = VALUE_RECORD, .items = fields, .names = names, .n = N_DATA_FIELDS, .type = &type};
}
