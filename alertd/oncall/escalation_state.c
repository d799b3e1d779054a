/*
 * An escalation's state as JSON: what a row holds between two steps. See escalation.h.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/oncall/escalation.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

void escalation_print(const struct escalation *escalation, struct str *out)
{
    struct json_out json = JSON_OUT(out);

    json_open(&json, '{');
    json_kv_string(&json, "status", escalation_status_name(escalation->status));
    json_kv_int(&json, "opened_ms", escalation->opened_ms);
    json_kv_int(&json, "round", escalation->round);
    json_kv_int(&json, "step", escalation->step);
    if (escalation->next_ms != ESCALATION_NEVER)
        json_kv_int(&json, "next_ms", escalation->next_ms);
    if (escalation->person[0])
        json_kv_string(&json, "person", escalation->person);
    json_close(&json, '}');
}

static int read_status(const struct json *root, enum escalation_status *ret, struct err *reterr)
{
    const char *name = NULL;
    int rc = json_get_string(root, "status", &name, reterr);

    for (int i = ESCALATION_RUNNING; !rc && i <= ESCALATION_RESOLVED; i++)
        if (strcmp(escalation_status_name((enum escalation_status)i), name) == 0) {
            *ret = (enum escalation_status)i;
            return 0;
        }
    return rc ? rc : json_wrong(root, "status", reterr, "'%.40s' is no status", name);
}

static int read_state(const struct json *root, struct escalation *state, struct err *reterr)
{
    const char *person = "";
    int64_t round = 0, step = 0;
    int rc = read_status(root, &state->status, reterr);

    if (!rc)
        rc = json_get_int(root, "opened_ms", &state->opened_ms, reterr);
    if (!rc)
        rc = json_get_int(root, "round", &round, reterr);
    if (!rc)
        rc = json_get_int(root, "step", &step, reterr);
    if (!rc)
        rc = json_get_int_or(root, "next_ms", ESCALATION_NEVER, &state->next_ms, reterr);
    if (!rc)
        rc = json_get_string_or(root, "person", "", &person, reterr);
    if (rc)
        return rc;
    if (round < 0 || round > ROSTER_REPEAT_MAX + 2 || step < 0 || step > ROSTER_STEPS_MAX)
        return json_wrong(root, "step", reterr, "no policy has that many steps");
    state->round = (unsigned)round;
    state->step = (unsigned)step;
    (void)snprintf(state->person, sizeof(state->person), "%s", person);
    return 0;
}

int escalation_parse(const char *text, size_t len, struct escalation *ret, struct err *reterr)
{
    struct escalation state = {0};
    struct json *root = NULL;
    int rc = json_parse(text, len, &root, reterr);

    if (rc)
        return rc;
    rc = read_state(root, &state, reterr);
    json_free(root);
    if (!rc)
        *ret = state;
    return rc;
}
