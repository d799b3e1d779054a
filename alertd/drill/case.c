/*
 * A drill with all that it names. See case.h.
 */

#include "alertd/drill/case.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/oncall/spelling.h"
#include "lib/base/mem.h"

enum {
    ROSTER_BYTES_MAX = 8 * 1024 * 1024,
};

/* Whatever fires pages, but for what says itself that it is only for information. */
static const char default_config[] =
    "receivers:\n"
    "  - name: oncall\n"
    "    oncall_configs: [{policy: drill}]\n"
    "  - name: dashboard\n"
    "route:\n"
    "  receiver: oncall\n"
    "  group_by: [alertname]\n"
    "  group_wait: 10s\n"
    "  group_interval: 1m\n"
    "  repeat_interval: 4h\n"
    "  routes:\n"
    "    - {matchers: ['severity=\"info\"'], receiver: dashboard}\n";

struct loading {
    struct drill_case *to;
    drill_read *read;
    void *arg;
    struct err *err;
};

static bool is_file(const char *name)
{
    return strchr(name, '.') != NULL || strchr(name, '/') != NULL;
}

/* An error in another file: its place becomes words, ours is the line that names it. */
static int fail_in(const struct loading *loading,
                   const char *file,
                   const struct err *inner,
                   unsigned line,
                   unsigned column)
{
    if (inner->line)
        return err_at(loading->err, DRILL_E_FILE, line, column, "%.80s:%u:%u: %.250s", file,
                      inner->line, inner->column, inner->text);
    return err_at(loading->err, DRILL_E_FILE, line, column, "%.80s: %.300s", file, inner->text);
}

/* --- Rules --------------------------------------------------------------------------------------- */

static int load_rules(const struct loading *loading, const struct drill_name *name)
{
    enum drill_read_what what = is_file(name->text) ? DRILL_READ_BESIDE : DRILL_READ_PACK;
    struct drill_case *to = loading->to;
    STR_AUTO struct str source = STR_INIT(1000);
    MEM_AUTO char *text = NULL;
    struct err err = {0};
    size_t len = 0;

    if (to->n_files == DRILL_RULE_FILES_MAX)
        return err_at(loading->err, DRILL_E_FILE, name->line, name->column,
                      "more than %d files of rules", DRILL_RULE_FILES_MAX);
    if (loading->read(loading->arg, what, name->text, &text, &len, &err) != 0)
        return fail_in(loading, name->text, &err, name->line, name->column);
    str_addf(&source, what == DRILL_READ_PACK ? "%s/alerts.yml" : "%s", name->text);
    if (rule_file_parse(str_text(&source), text, len, NULL, &to->files[to->n_files], &err) != 0)
        return fail_in(loading, str_text(&source), &err, name->line, name->column);
    to->n_files++;
    return 0;
}

const struct rule *drill_case_rule(const struct drill_case *drill_case, const char *alert)
{
    for (size_t i = 0; i < drill_case->n_files; i++) {
        const struct rule_file *file = drill_case->files[i];

        for (size_t k = 0; k < file->n_groups; k++)
            for (size_t m = 0; m < file->groups[k].n_rules; m++)
                if (file->groups[k].rules[m].is_alert &&
                    strcmp(file->groups[k].rules[m].name, alert) == 0)
                    return &file->groups[k].rules[m];
    }
    return NULL;
}

/* --- Routes and people ------------------------------------------------------------------------------ */

static const char *no_environment(void *arg, const char *name)
{
    return NULL;
}

static int load_config(const struct loading *loading)
{
    const struct drill *drill = loading->to->drill;
    MEM_AUTO char *text = NULL;
    const char *config = default_config;
    size_t len = sizeof(default_config) - 1;
    struct err err = {0};

    if (drill->config) {
        if (loading->read(loading->arg, DRILL_READ_BESIDE, drill->config, &text, &len, &err) != 0)
            return fail_in(loading, drill->config, &err, drill->config_line, 1);
        config = text;
    }
    if (route_config_parse(config, len, NULL, no_environment, NULL, &loading->to->config, &err))
        return fail_in(loading, drill->config ? drill->config : "routes", &err, drill->config_line,
                       1);
    return 0;
}

/* Everybody of a drill is reached the same way: at the player's desk. */
static const struct contact desk = {"drill", "drill"};

/* `oncall ana after 5m ben` as a policy of two steps. */
static int make_policy(const struct loading *loading)
{
    struct drill_case *to = loading->to;
    size_t n = to->drill->n_steps;
    struct person *people = arena_array(&to->arena, n, sizeof(*people));
    struct policy_step *steps = arena_array(&to->arena, n, sizeof(*steps));
    struct target *targets = arena_array(&to->arena, n, sizeof(*targets));
    struct policy *policy = arena_alloc(&to->arena, sizeof(*policy));

    if (!people || !steps || !targets || !policy)
        return err_set(loading->err, DRILL_E_FILE, "too many people");
    for (size_t i = 0; i < n; i++) {
        const struct drill_step *step = &to->drill->steps[i];

        people[i] = (struct person){
            .name = step->person, .full_name = step->person, .contacts = &desk, .n_contacts = 1};
        targets[i] = (struct target){TARGET_PERSON, step->person};
        steps[i] = (struct policy_step){.delay_ms = step->delay_ms ? step->delay_ms
                                                                   : DRILL_POLICY_DEFAULT_DELAY_MS,
                                        .targets = &targets[i],
                                        .n_targets = 1};
    }
    *policy = (struct policy){.name = "drill", .steps = steps, .n_steps = n};
    to->roster = (struct roster){
        .people = people, .n_people = n, .policies = policy, .n_policies = 1};
    return 0;
}

static int load_people(const struct loading *loading)
{
    struct drill_case *to = loading->to;
    const struct drill *drill = to->drill;
    MEM_AUTO char *text = NULL;
    struct err err = {0};
    size_t len = 0;

    if (!drill->roster)
        return make_policy(loading);
    if (loading->read(loading->arg, DRILL_READ_BESIDE, drill->roster, &text, &len, &err) != 0)
        return fail_in(loading, drill->roster, &err, drill->roster_line, 1);
    if (roster_parse(text, len, &to->zones, &to->arena, &to->roster, &err) != 0)
        return fail_in(loading, drill->roster, &err, drill->roster_line, 1);
    if (!roster_policy(&to->roster, drill->policy))
        return err_at(loading->err, DRILL_E_FILE, drill->roster_line, 1,
                      "%.80s has no policy '%.80s'", drill->roster, drill->policy);
    return 0;
}

/* --- The whole ---------------------------------------------------------------------------------------- */

static int load_data(const struct loading *loading)
{
    const struct drill *drill = loading->to->drill;

    for (size_t i = 0; i < drill->n_files; i++) {
        const struct drill_file *file = &drill->files[i];
        MEM_AUTO char *text = NULL;
        struct err err = {0};
        size_t len = 0;

        if (loading->read(loading->arg, DRILL_READ_BESIDE, file->name, &text, &len, &err) != 0 ||
            drill_data_read(loading->to, file, text, len, &err) != 0)
            return fail_in(loading, file->name, &err, file->line, file->column);
    }
    return 0;
}

int drill_case_new(struct drill *drill,
                   drill_read *read,
                   void *arg,
                   struct drill_case **ret_case,
                   struct err *reterr)
{
    struct drill_case *made = mem_zalloc(sizeof(*made));
    const struct loading loading = {made, read, arg, reterr};
    int r = 0;

    made->drill = drill;
    arena_init(&made->arena, ROSTER_BYTES_MAX);
    for (size_t i = 0; !r && i < drill->n_rules; i++)
        r = load_rules(&loading, &drill->rules[i]);
    if (!r)
        r = load_config(&loading);
    if (!r)
        r = load_people(&loading);
    if (!r)
        r = load_data(&loading);
    if (r)
        drill_case_free(made);
    else
        *ret_case = made;
    return r;
}

void drill_case_free(struct drill_case *drill_case)
{
    if (!drill_case)
        return;
    for (size_t i = 0; i < drill_case->n_files; i++)
        rule_file_unref(drill_case->files[i]);
    for (size_t i = 0; i < drill_case->n_points; i++) {
        labels_unref(drill_case->points[i].labels);
        free(drill_case->points[i].t_ms);
        free(drill_case->points[i].values);
    }
    free(drill_case->points);
    route_config_unref(drill_case->config);
    arena_reset(&drill_case->arena);
    zones_done(&drill_case->zones);
    drill_free(drill_case->drill);
    free(drill_case);
}
