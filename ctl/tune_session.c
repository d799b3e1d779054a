/*
 * A drill that was played on alertd as a past. See tune_drill.h.
 *
 *     POST /tunings {"session": ID}       when it was, when its trouble was; refuses whom it is not for
 *     /drills/ID/api/v1/query_range       its samples, evaluated there
 */

#include <errno.h>
#include <stdlib.h>

#include "ctl/client.h"
#include "ctl/tune_drill.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

#define TUNINGS "/api/alertd/v1/tunings"
#define DRILLS  "/api/alertd/v1/drills"

enum {
    TEXT_BYTES_MAX = 4096,
};

static int take_time(const struct json *object,
                     const char *key,
                     int64_t *ret_ms,
                     struct err *reterr)
{
    const char *text = NULL;

    if (json_get_string(object, key, &text, reterr))
        return -EINVAL;
    return clock_parse_rfc3339(text, ret_ms)
               ? err_set(reterr, -EINVAL, "%s is no time: %.60s", key, text)
               : 0;
}

/* {"from","to","incidents":[{"begin","end","title","source":"drill"}]} */
static int take_past(const struct json *root, struct tune_drill *drill, struct err *reterr)
{
    const struct json *incidents = NULL;
    const char *title = NULL;

    if (take_time(root, "from", &drill->past.from_ms, reterr) ||
        take_time(root, "to", &drill->past.to_ms, reterr) ||
        json_get_array(root, "incidents", &incidents, reterr))
        return -EINVAL;
    if (json_length(incidents) != 1)
        return err_set(reterr, -EINVAL, "its trouble is not told");
    const struct json *trouble = json_at(incidents, 0);
    if (take_time(trouble, "begin", &drill->past.begin_ms, reterr) ||
        take_time(trouble, "end", &drill->past.end_ms, reterr) ||
        json_get_string(trouble, "title", &title, reterr))
        return -EINVAL;
    drill->title = mem_strdup(title);
    return 0;
}

/* About a rule that costs nothing: what is asked is the past. */
static enum ctl_exit ask_past(const struct ctl *ctl, long long id, struct tune_drill *drill)
{
    STR_AUTO struct str body = STR_INIT(TEXT_BYTES_MAX);
    struct json *root = NULL;
    struct err err = {0};

    str_addf(
        &body,
        "{\"yaml\":\"- alert: Any\\n  expr: vector(0) > 1\\n\",\"columns\":1,\"session\":%lld}",
        id);
    const struct call call = {
        .method = "POST", .path = TUNINGS, .body = str_text(&body), .kept = true};
    enum ctl_exit status = call_json(ctl, &call, &root);
    if (status != CTL_OK)
        return status;
    int r = take_past(root, drill, &err);
    json_free(root);
    return r == 0 ? CTL_OK : ctl_fail(ctl, "session %lld: %s", id, err.text);
}

enum ctl_exit tune_drill_session(const struct ctl *ctl,
                                 const char *text,
                                 struct tune_drill **ret_drill)
{
    STR_AUTO struct str url = STR_INIT(TEXT_BYTES_MAX);
    char *end = NULL;
    long long id = strtoll(text, &end, 10);

    if (id < 1 || *end) {
        (void)ctl_fail(ctl, "--session is the number of a drill that was played");
        return CTL_USAGE;
    }
    struct tune_drill *drill = mem_zalloc(sizeof(*drill));
    str_addf(&url, "%s" DRILLS "/%lld", ctl->url, id);
    drill->url = mem_strdup(str_text(&url));
    enum ctl_exit status = url.full ? ctl_fail(ctl, "--url is too long") : ask_past(ctl, id, drill);
    if (status == CTL_OK)
        *ret_drill = drill;
    else
        tune_drill_free(drill);
    return status;
}
