#pragma once

/*
 * What the calls about rules share: one consistent look at all rules and their alerts.
 */

#include "alertd/alert/set.h"
#include "alertd/api/api.h"
#include "alertd/db/rule_db.h"
#include "lib/base/arena.h"
#include "lib/json/write.h"
#include "lib/model/labels.h"

struct rules_snapshot {
    struct arena arena;
    struct rule_group_row *groups;
    size_t n_groups;
    struct alert_set **alerts; /* [group][rule] */
};

/* false when the reply is an error already; else rules_snapshot_done(). */
bool rules_snapshot_take(const struct api *api,
                         struct rules_snapshot *ret_snapshot,
                         struct http_response *response);
void rules_snapshot_done(struct rules_snapshot *snapshot);

/* Firing when one fires, else pending when one is, else inactive. */
enum alert_state rules_state(const struct alert_set *alerts);

void rules_json_labels(struct json_out *out, const char *name, const struct labels *labels);

/* {"file","line","column","expr_line","expr_column"} of the rule's last error; the latter two
 * are null when it is not in the expression. */
void rules_json_place(struct json_out *out, const struct rule_row *rule);

/* prom_rules.c */
http_handler prom_rules_get;
http_handler prom_alerts_get;
