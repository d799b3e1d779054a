/*
 * Alerts and their groups, as Alertmanager lists them. See am.h.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/api/am.h"
#include "alertd/api/rules.h"
#include "alertd/route/interval.h"
#include "lib/base/mem.h"

/* What a call asks for. */
struct wanted {
    bool active, silenced, inhibited, muted;
    struct route_matchers filter;
    struct route_matchers receiver_matchers; /* on {name="..."} */
    struct matcher receiver;                 /* a pattern; name NULL: any */
};

static void wanted_done(struct wanted *wanted)
{
    route_matchers_done(&wanted->filter);
    route_matchers_done(&wanted->receiver_matchers);
    if (wanted->receiver.name)
        matcher_done(&wanted->receiver);
}

static bool read_receiver(const struct http_request *request,
                          struct matcher *ret_pattern,
                          struct http_response *response)
{
    const char *text = http_query(request, "receiver");
    struct err err = {0};

    if (!text || !*text || matcher_init(ret_pattern, MATCHER_REGEX, "receiver", text, &err) == 0)
        return true;
    ret_pattern->name = NULL;
    am_say(response, 400, "failed to parse receiver param: error parsing regexp: %s", err.text);
    return false;
}

static bool read_wanted(const struct http_request *request,
                        struct wanted *wanted,
                        struct http_response *response)
{
    *wanted = (struct wanted){
        .active = am_read_flag(request, "active"),
        .silenced = am_read_flag(request, "silenced"),
        .inhibited = am_read_flag(request, "inhibited"),
        .muted = am_read_flag(request, "muted"),
    };
    return am_read_filter(request, "filter", &wanted->filter, response) &&
           am_read_filter(request, "receiver_matchers", &wanted->receiver_matchers, response) &&
           read_receiver(request, &wanted->receiver, response);
}

static bool wants_receiver(const struct wanted *wanted, const char *name)
{
    if (wanted->receiver.name && !matcher_matches(&wanted->receiver, name))
        return false;
    for (size_t i = 0; i < wanted->receiver_matchers.n; i++) {
        const struct matcher *matcher = &wanted->receiver_matchers.at[i];

        if (!matcher_matches(matcher, strcmp(matcher->name, "name") == 0 ? name : ""))
            return false;
    }
    return true;
}

static bool wants_alert(const struct wanted *wanted, const struct standing_view *view)
{
    if (!wanted->active && !standing_is_suppressed(view))
        return false;
    if (!wanted->silenced && view->n_silenced_by)
        return false;
    if (!wanted->inhibited && view->inhibited_by[0])
        return false;
    return matchers_match(wanted->filter.at, wanted->filter.n, view->row->labels);
}

/* --- out --- */

/* The intervals by which the route is quiet now; none when it is not. */
static bool write_muted_by(struct json_out *out, const struct route_node *node, int64_t now_ms)
{
    const char *interval = NULL;
    enum route_quiet quiet = node ? route_node_quiet(node, now_ms, &interval) : ROUTE_TELLS;

    json_key(out, "mutedBy");
    json_open(out, '[');
    if (quiet == ROUTE_MUTED)
        json_string(out, interval);
    for (size_t i = 0; quiet == ROUTE_NOT_ACTIVE && i < node->n_active; i++)
        json_string(out, node->active[i]->name);
    json_close(out, ']');
    return quiet != ROUTE_TELLS;
}

/* node: of the group it is shown in; NULL in a plain list. */
static void write_status(struct json_out *out,
                         const struct standing_view *view,
                         const struct route_node *node,
                         int64_t now_ms)
{
    json_key(out, "status");
    json_open(out, '{');
    json_key(out, "silencedBy");
    json_open(out, '[');
    for (size_t i = 0; i < view->n_silenced_by; i++)
        json_string(out, view->silenced_by[i]->id);
    json_close(out, ']');
    json_key(out, "inhibitedBy");
    json_open(out, '[');
    if (view->inhibited_by[0])
        json_string(out, view->inhibited_by);
    json_close(out, ']');

    bool is_muted = write_muted_by(out, node, now_ms);

    json_kv_string(out, "state",
                   is_muted || standing_is_suppressed(view) ? "suppressed" : "active");
    json_close(out, '}');
}

static void write_generator(struct json_out *out,
                            const struct api *api,
                            const struct standing_alert *row)
{
    STR_AUTO struct str url = STR_INIT(64 * 1024);

    if (*row->generator_url) {
        json_kv_string(out, "generatorURL", row->generator_url);
    } else if (*row->expr) {
        str_addf(&url, "%s/explore?expr=", api->external_url);
        for (const char *at = row->expr; *at; at++) {
            unsigned char c = (unsigned char)*at;
            bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || (c && strchr("-._~", c));

            str_addf(&url, plain ? "%c" : "%%%02X", c);
        }
        json_kv_string(out, "generatorURL", str_text(&url));
    }
}

static void write_alert(struct json_out *out,
                        const struct api *api,
                        const struct standing_view *view,
                        const struct route_node *node,
                        int64_t now_ms)
{
    const char *receivers[ROUTE_WALK_MAX];
    size_t n = standing_receivers(view, receivers);

    json_open(out, '{');
    rules_json_labels(out, "annotations", view->row->annotations);
    json_kv_time(out, "endsAt", view->row->ends_ms);
    json_kv_string(out, "fingerprint", view->fingerprint);
    json_key(out, "receivers");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(out, '{');
        json_kv_string(out, "name", receivers[i]);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_kv_time(out, "startsAt", view->row->starts_ms);
    write_status(out, view, node, now_ms);
    json_kv_time(out, "updatedAt", view->row->updated_ms);
    write_generator(out, api, view->row);
    rules_json_labels(out, "labels", view->row->labels);
    json_close(out, '}');
}

/* --- GET /api/v2/alerts --- */

static bool any_receiver(const struct wanted *wanted, const struct standing_view *view)
{
    for (size_t i = 0; i < view->n_nodes; i++)
        if (wants_receiver(wanted, view->nodes[i]->receiver->name))
            return true;
    return false;
}

void am_get_alerts(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    struct standing standing = {0};
    struct wanted wanted;

    if (read_wanted(request, &wanted, response) && standing_load(api, &standing, response)) {
        json_open(&out, '[');
        for (size_t i = 0; i < standing.n; i++)
            if (wants_alert(&wanted, &standing.at[i]) && any_receiver(&wanted, &standing.at[i]))
                write_alert(&out, api, &standing.at[i], NULL, standing.now_ms);
        json_close(&out, ']');
    }
    wanted_done(&wanted);
    standing_done(&standing);
}

/* --- GET /api/v2/alerts/groups --- */

/* One alert in one group. */
struct member {
    const struct route_node *node;
    const struct labels *group; /* a reference */
    const struct standing_view *view;
};

/* Fewer labels first, then by names and values. */
static int compare_groups(const struct labels *a, const struct labels *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    return labels_compare(a, b);
}

static int by_group(const void *left, const void *right)
{
    const struct member *a = left;
    const struct member *b = right;
    int order = compare_groups(a->group, b->group);

    if (order == 0)
        order = strcmp(a->node->receiver->name, b->node->receiver->name);
    if (order == 0 && a->node->index != b->node->index)
        order = a->node->index < b->node->index ? -1 : 1;
    return order ? order : strcmp(a->view->fingerprint, b->view->fingerprint);
}

static bool same_group(const struct member *a, const struct member *b)
{
    return a->node == b->node && labels_equal(a->group, b->group);
}

static bool is_quiet(const struct member *member, int64_t now_ms)
{
    const char *interval = NULL;

    return route_node_quiet(member->node, now_ms, &interval) != ROUTE_TELLS;
}

/* From `first` on; returns how many are its group. */
static size_t write_group(struct json_out *out,
                          const struct api *api,
                          const struct member *first,
                          size_t n,
                          int64_t now_ms)
{
    size_t count = 0;

    json_open(out, '{');
    json_key(out, "alerts");
    json_open(out, '[');
    for (; count < n && same_group(&first[0], &first[count]); count++)
        write_alert(out, api, first[count].view, first->node, now_ms);
    json_close(out, ']');
    rules_json_labels(out, "labels", first->group);
    const struct labels *of_route = route_node_labels(first->node);
    if (of_route->n > 0) /* as Alertmanager 0.33, which knows none, where there are none */
        rules_json_labels(out, "routeLabels", of_route);
    labels_unref(of_route);
    json_key(out, "receiver");
    json_open(out, '{');
    json_kv_string(out, "name", first->node->receiver->name);
    json_close(out, '}');
    json_close(out, '}');
    return count;
}

static struct member *collect(const struct standing *standing,
                              const struct wanted *wanted,
                              size_t *ret_n)
{
    struct member *members = NULL;
    size_t capacity = 0;
    size_t n = 0;

    for (size_t i = 0; i < standing->n; i++) {
        const struct standing_view *view = &standing->at[i];

        for (size_t k = 0; wants_alert(wanted, view) && k < view->n_nodes; k++) {
            const struct member member = {.node = view->nodes[k], .view = view};

            if (!wants_receiver(wanted, member.node->receiver->name) ||
                (!wanted->muted && is_quiet(&member, standing->now_ms)))
                continue;
            members = mem_grow(members, &capacity, n + 1, sizeof(*members));
            members[n] = member;
            members[n++].group = route_node_group(member.node, view->row->labels);
        }
    }
    *ret_n = n;
    return members;
}

void am_get_groups(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    struct standing standing = {0};
    struct wanted wanted;
    size_t n = 0;

    if (read_wanted(request, &wanted, response) && standing_load(api, &standing, response)) {
        struct member *members = collect(&standing, &wanted, &n);

        if (n > 0)
            qsort(members, n, sizeof(*members), by_group);
        json_open(&out, '[');
        for (size_t i = 0; i < n;)
            i += write_group(&out, api, &members[i], n - i, standing.now_ms);
        json_close(&out, ']');
        for (size_t i = 0; i < n; i++)
            labels_unref(members[i].group);
        free(members);
    }
    wanted_done(&wanted);
    standing_done(&standing);
}
