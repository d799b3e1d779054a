/*
 * Services: their specs, whom an incident concerns, rules that watch their budgets. See
 * service.h.
 */

#include "alertd/incident/service.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "lib/base/float.h"
#include "lib/model/duration.h"

enum {
    HOUR_MS = 3600 * 1000,
    NAME_TEXT_MAX = 200,
};

bool service_name_ok(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
            return false;
    return len > 0 && len <= SERVICE_NAME_MAX;
}

/* --- specs --- */

static int invalid(struct err *reterr, const char *where, const char *words)
{
    return err_set(reterr, SERVICE_E_INVALID, "%s: %s", where, words);
}

static int read_text(
    const struct json *spec, const char *key, size_t max, const char **ret_text, struct err *reterr)
{
    if (json_get_string_or(spec, key, "", ret_text, reterr))
        return SERVICE_E_INVALID;
    if (strlen(*ret_text) > max || !labels_text_ok(*ret_text, strlen(*ret_text)))
        return err_set(reterr, SERVICE_E_INVALID, "%s: at most %zu bytes of text", key, max);
    return 0;
}

/* A list of at most SERVICE_LIST_MAX, or nothing. */
static int get_list(const struct json *spec,
                    const char *key,
                    const struct json **ret_list,
                    struct err *reterr)
{
    *ret_list = NULL;
    if (!json_has(spec, key))
        return 0;
    if (json_get_array(spec, key, ret_list, reterr))
        return SERVICE_E_INVALID;
    return json_length(*ret_list) <= SERVICE_LIST_MAX ? 0 : invalid(reterr, key, "too many");
}

static int check_links(const struct json *spec, const char *key, struct err *reterr)
{
    static const char *const known[] = {"title", "url", NULL};
    const struct json *list;
    int r = get_list(spec, key, &list, reterr);

    for (size_t i = 0; r == 0 && list && i < json_length(list); i++) {
        const struct json *link = json_at(list, i);
        const char *url = NULL;
        const char *title = NULL;

        if (!json_is_object(link) || json_only(link, known, reterr) ||
            json_get_string(link, "url", &url, reterr) ||
            json_get_string_or(link, "title", "", &title, reterr))
            return err_prefix(reterr, SERVICE_E_INVALID, "%s[%zu]", key, i);
        if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0 && *url != '/')
            return invalid(reterr, key, "a url begins with https://, http:// or /");
        if (url[0] == '/' && (url[1] == '/' || url[1] == '\\'))
            return invalid(reterr, key, "a path of this server begins with one /");
    }
    return r;
}

static int read_names(const struct json *spec,
                      const char *key,
                      bool of_services,
                      struct arena *arena,
                      const char ***ret_names,
                      size_t *ret_n,
                      struct err *reterr)
{
    const struct json *list;
    int r = get_list(spec, key, &list, reterr);
    const char **names = r || !list ? NULL
                                    : arena_array(arena, json_length(list) + 1, sizeof(char *));

    *ret_n = 0;
    if (r || !list)
        return r;
    if (!names)
        return err_set(reterr, SERVICE_E_LIMIT, "the service is too large");
    for (size_t i = 0; i < json_length(list); i++) {
        names[i] = json_text(json_at(list, i));
        if (!names[i] || (of_services && !service_name_ok(names[i])) ||
            strlen(names[i]) > NAME_TEXT_MAX)
            return invalid(reterr, key, "expected a list of names");
    }
    *ret_names = names;
    *ret_n = json_length(list);
    return 0;
}

static void unref_labels(void *labels)
{
    labels_unref(labels);
}

static int read_match(const struct json *spec,
                      struct arena *arena,
                      struct service *service,
                      struct err *reterr)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    const struct json *match = json_get(spec, "match");
    const struct json *value = NULL;
    const char *name = NULL;

    if (match && !json_is_object(match) && !json_is_null(match))
        return invalid(reterr, "match", "expected an object of labels");
    for (size_t i = 0; match && json_member(match, i, &name, &value); i++) {
        const char *text = json_text(value);

        if (!text || !*text || i == SERVICE_LIST_MAX || !labels_text_ok(name, strlen(name)) ||
            !labels_text_ok(text, strlen(text)))
            return invalid(reterr, "match", "expected an object of labels");
        labels_builder_set(&builder, name, text);
    }
    const struct labels *labels = labels_builder_finish(&builder);

    if (!labels)
        return invalid(reterr, "match", "too many labels");
    service->match = labels;
    /* the arena lets go of what it does not hold itself */
    union {
        const struct labels *kept;
        void *object;
    } held = {.kept = labels};

    if (arena_on_reset(arena, unref_labels, held.object))
        return 0;
    labels_unref(labels);
    return err_set(reterr, SERVICE_E_LIMIT, "the service is too large");
}

static int read_slo(const struct json *object, struct service_slo *slo, struct err *reterr)
{
    static const char *const known[] = {"name", "objective", "window", "good", "total", NULL};
    const char *window = NULL;

    if (!json_is_object(object) || json_only(object, known, reterr) ||
        json_get_string(object, "name", &slo->name, reterr) ||
        json_get_float(object, "objective", &slo->objective, reterr) ||
        json_get_string_or(object, "window", "30d", &window, reterr) ||
        json_get_string(object, "good", &slo->good, reterr) ||
        json_get_string(object, "total", &slo->total, reterr))
        return SERVICE_E_INVALID;
    if (!service_name_ok(slo->name))
        return invalid(reterr, "name", "letters, digits, dots, dashes and underscores");
    if (!(slo->objective > 0 && slo->objective < 1))
        return invalid(reterr, "objective", "between 0 and 1, like 0.999");
    if (duration_parse(window, strlen(window), &slo->window_ms) ||
        slo->window_ms < (int64_t)24 * HOUR_MS || slo->window_ms > (int64_t)366 * 24 * HOUR_MS)
        return invalid(reterr, "window", "from 1d to 366d");
    if (!strstr(slo->good, "$window") || !strstr(slo->total, "$window"))
        return invalid(reterr, "good, total", "each needs $window, as in rate(x[$window])");
    if (strlen(slo->good) > SERVICE_TEXT_MAX || strlen(slo->total) > SERVICE_TEXT_MAX)
        return invalid(reterr, "good, total", "too long");
    return 0;
}

static int read_slos(const struct json *spec,
                     struct arena *arena,
                     struct service *service,
                     struct err *reterr)
{
    const struct json *list;
    int r = get_list(spec, "slos", &list, reterr);

    if (r || !list)
        return r;
    if (json_length(list) > SERVICE_SLOS_MAX)
        return invalid(reterr, "slos", "too many");
    service->slos = arena_array(arena, json_length(list) + 1, sizeof(*service->slos));
    if (!service->slos)
        return err_set(reterr, SERVICE_E_LIMIT, "the service is too large");
    for (size_t i = 0; i < json_length(list); i++) {
        r = read_slo(json_at(list, i), &service->slos[i], reterr);
        if (r)
            return err_prefix(reterr, r, "slos[%zu]", i);
        for (size_t k = 0; k < i; k++)
            if (strcmp(service->slos[k].name, service->slos[i].name) == 0)
                return invalid(reterr, "slos", "two of one name");
    }
    service->n_slos = json_length(list);
    return 0;
}

int service_read(const char *name,
                 const struct json *spec,
                 struct arena *arena,
                 struct service *ret_service,
                 struct err *reterr)
{
    static const char *const known[] = {"owner",      "tier",      "description", "match",
                                        "depends_on", "when_down", "runbooks",    "dashboards",
                                        "rules",      "slos",      NULL};
    struct service service = {.name = name};
    const char **rules = NULL;
    size_t n_rules = 0;

    if (!service_name_ok(name))
        return invalid(reterr, "name", "letters, digits, dots, dashes and underscores, at most 60");
    if (!json_is_object(spec))
        return invalid(reterr, "the body", "expected an object");
    if (json_only(spec, known, reterr) || json_get_int_or(spec, "tier", 0, &service.tier, reterr))
        return SERVICE_E_INVALID;
    if (service.tier < 0 || service.tier > 9)
        return invalid(reterr, "tier", "0 to 9");
    int r = read_text(spec, "owner", NAME_TEXT_MAX, &service.owner, reterr);

    if (r == 0)
        r = read_text(spec, "description", SERVICE_TEXT_MAX, &service.description, reterr);
    if (r == 0)
        r = read_text(spec, "when_down", SERVICE_TEXT_MAX, &service.when_down, reterr);
    if (r == 0)
        r = check_links(spec, "runbooks", reterr);
    if (r == 0)
        r = check_links(spec, "dashboards", reterr);
    if (r == 0)
        r = read_names(spec, "rules", false, arena, &rules, &n_rules, reterr);
    if (r == 0)
        r = read_names(spec, "depends_on", true, arena, &service.depends_on, &service.n_depends_on,
                       reterr);
    if (r == 0)
        r = read_slos(spec, arena, &service, reterr);
    if (r == 0)
        r = read_match(spec, arena, &service, reterr);
    if (r == 0)
        *ret_service = service;
    return r;
}

bool service_concerns(const struct service *service, const struct labels *labels)
{
    const char *named = labels_get(labels, "service");

    if (service->match->n == 0)
        return named && strcmp(named, service->name) == 0;
    for (uint32_t i = 0; i < service->match->n; i++) {
        const char *value = labels_get(labels, service->match->at[i].name);

        if (!value || strcmp(value, service->match->at[i].value) != 0)
            return false;
    }
    return true;
}

/* --- rules --- */

bool service_query(const char *query, int64_t window_ms, struct str *out)
{
    static const char hole[] = "$window";
    char window[DURATION_TEXT_MAX];
    const char *at;

    (void)duration_print(window_ms, window);
    while ((at = strstr(query, hole))) {
        str_addn(out, query, (size_t)(at - query));
        str_add(out, window);
        query = at + strlen(hole);
    }
    str_add(out, query);
    return !out->full;
}

/* A YAML text in single quotes, on one line. */
static void add_quoted(struct str *out, const char *text)
{
    str_addc(out, '\'');
    for (; *text; text++) {
        str_addc(out, *text == '\n' || *text == '\r' ? ' ' : *text);
        if (*text == '\'')
            str_addc(out, '\'');
    }
    str_addc(out, '\'');
}

/* "1 - (good) / (total) > burn * budget" over one window. */
static void add_side(const struct service_slo *slo, int64_t window_ms, double burn, struct str *out)
{
    char limit[FLOAT_TEXT_MAX];

    /* binary fractions read badly: 14.4 * (1 - 0.999) is 0.0144 */
    limit[float_short(round(burn * (1 - slo->objective) * 1e9) / 1e9, limit)] = '\0';
    str_add(out, "(1 - (");
    (void)service_query(slo->good, window_ms, out);
    str_add(out, ") / (");
    (void)service_query(slo->total, window_ms, out);
    str_addf(out, ") > %s)", limit);
}

static void add_rule(const struct service *service,
                     const struct service_slo *slo,
                     int64_t long_ms,
                     double share,
                     const char *severity,
                     struct str *out)
{
    STR_AUTO struct str expr = STR_INIT(8 * SERVICE_TEXT_MAX);
    STR_AUTO struct str summary = STR_INIT(SERVICE_TEXT_MAX);
    double burn = share * (double)slo->window_ms / (double)long_ms;
    int64_t short_ms = long_ms / 12;
    char window[DURATION_TEXT_MAX];
    char whole[DURATION_TEXT_MAX];

    add_side(slo, long_ms, burn, &expr);
    str_add(&expr, " and ");
    add_side(slo, short_ms, burn, &expr);
    str_addf(&summary, "%s: %g %% of the %s budget of %s went within %s", service->name,
             100 * share, duration_print(slo->window_ms, whole), slo->name,
             duration_print(long_ms, window));
    str_addf(out, "      - alert: BudgetBurns_%s\n        expr: ", window);
    add_quoted(out, str_text(&expr));
    str_addf(out, "\n        labels: {severity: %s, service: ", severity);
    add_quoted(out, service->name);
    str_add(out, ", slo: ");
    add_quoted(out, slo->name);
    str_add(out, "}\n        annotations:\n          summary: ");
    add_quoted(out, str_text(&summary));
    str_add(out, "\n");
}

void service_rules(const struct service *service, struct str *out)
{
    static const struct {
        int64_t long_ms;
        double share; /* of the budget, gone within it */
        const char *severity;
    } windows[] = {
        {(int64_t)1 * HOUR_MS, 0.02, "critical"},
        {(int64_t)6 * HOUR_MS, 0.05, "critical"},
        {(int64_t)24 * HOUR_MS, 0.10, "warning"},
        {(int64_t)72 * HOUR_MS, 0.10, "warning"},
    };

    str_add(out, service->n_slos ? "groups:\n" : "groups: []\n");
    for (size_t i = 0; i < service->n_slos; i++) {
        str_addf(out, "  - name: slo_%s_%s\n    rules:\n", service->name, service->slos[i].name);
        for (size_t w = 0; w < sizeof(windows) / sizeof(windows[0]); w++)
            if (windows[w].long_ms < service->slos[i].window_ms)
                add_rule(service, &service->slos[i], windows[w].long_ms, windows[w].share,
                         windows[w].severity, out);
    }
}
