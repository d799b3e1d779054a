/*
 * All routes there are. A file of api/ exports one table; a new one is named here.
 */

#include "alertd/app/parts.h"
#include "alertd/http/http.h"
#include "lib/json/write.h"

static const struct api_table *const tables[] = {
    &api_access_routes,
    &api_agents_routes,
    &api_alertmanager_routes,
    &api_deliveries_routes,
    &api_escalations_routes,
    &api_incidents_routes,
    &api_declare_routes,
    &api_record_routes,
    &api_marks_routes,
    &api_learnt_routes,
    &api_intake_routes,
    &api_oncall_routes,
    &api_people_routes,
    &api_policies_routes,
    &api_postmortems_routes,
    &api_postmortem_actions_routes,
    &api_postmortem_export_routes,
    &api_postmortem_import_routes,
    &api_postmortem_tables_routes,
    &api_postmortem_publish_routes,
    &api_postmortem_reviews_routes,
    &api_postmortem_sections_routes,
    &api_postmortem_trends_routes,
    &api_push_routes,
    &api_query_routes,
    &api_queries_routes,
    &api_readiness_routes,
    &api_report_routes,
    &api_rules_routes,
    &api_runbooks_routes,
    &api_schedules_routes,
    &api_shadow_pages_routes,
    &api_shadows_routes,
    &api_silences_routes,
    &api_status_routes,
    &api_verdicts_routes,
    &api_web_routes,
    &api_tunings_pages_routes,
    &api_tunings_routes, //
    &api_canary_routes,  //
    &api_postmortem_page_routes,
    &api_changes_routes,   //
    &api_search_routes,    //
    &api_services_routes,  //
    &api_timelines_routes, //
    &api_why_routes,
    &api_review_routes,
    &api_drills_routes,
    &api_drills_play_routes,
    &api_drills_prom_routes,
    &api_drill_library_routes,
    &api_paging_drill_routes,
    &api_drill_debrief_routes,
    &api_drill_practice_routes,
};

enum {
    N_TABLES = sizeof(tables) / sizeof(tables[0])
};
_Static_assert((int)N_TABLES <= (int)APP_TABLES_MAX, "room in app_init_routes()'s arrays");

void app_init_routes(const struct http_route **ret_tables, size_t *ret_counts)
{
    for (size_t i = 0; i < N_TABLES; i++) {
        ret_tables[i] = tables[i]->routes;
        ret_counts[i] = tables[i]->n;
    }
    ret_tables[N_TABLES] = NULL;
}

static const char *scope_name(unsigned scope)
{
    switch ((enum http_scope)scope) {
    case HTTP_SCOPE_NONE: return "none";
    case HTTP_SCOPE_PUSH: return "push";
    case HTTP_SCOPE_READ: return "read";
    case HTTP_SCOPE_OPERATE: return "operate";
    case HTTP_SCOPE_ADMIN: return "admin";
    }
    return "several";
}

void app_dump_routes(struct str *out)
{
    struct json_out json = JSON_OUT(out);

    json_open(&json, '[');
    for (size_t t = 0; t < N_TABLES; t++) {
        for (size_t i = 0; i < tables[t]->n; i++) {
            const struct http_route *route = &tables[t]->routes[i];

            json_open(&json, '{');
            json_kv_string(&json, "method", route->method);
            json_kv_string(&json, "pattern", route->pattern);
            json_kv_string(&json, "scope", scope_name(route->scope));
            json_kv_bool(&json, "safe_post", route->flags & HTTP_SAFE_POST);
            json_kv_string(&json, "doc", route->doc);
            json_close(&json, '}');
        }
    }
    json_close(&json, ']');
    str_addc(out, '\n');
}
