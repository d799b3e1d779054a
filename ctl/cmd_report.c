/*
 * alertctl report: what a week cost the people on call. alertd makes the tables, as it does
 * for the weekly mail; --json gives the numbers.
 */

#include <stdio.h>
#include <stdlib.h>

#include "ctl/client.h"
#include "ctl/cmd.h"
#include "ctl/when.h"
#include "lib/base/clock.h"

/* &name=2026-11-23T00:00:00.000Z of an option that says when; false when it can't be read. */
static bool add_when(struct ctl *ctl, const char *name, int64_t now_ms, struct str *path)
{
    const char *text = ctl_option(ctl, name);
    char at[CLOCK_TEXT_MAX];
    struct err err = {0};
    int64_t at_ms = 0;

    if (!text)
        return true;
    if (when_parse(name, text, now_ms, &at_ms, &err)) {
        (void)ctl_fail(ctl, "%s", err.text);
        return false;
    }
    str_addf(path, "&%s=", name);
    add_encoded(path, clock_rfc3339(at_ms, at));
    return true;
}

enum ctl_exit cmd_report(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(2048);
    const char *week = ctl_option(ctl, "week");
    const char *zone = ctl_option(ctl, "zone");
    int64_t now_ms = clock_wall_ms();
    char *body = NULL;

    if (week && (ctl_option(ctl, "from") || ctl_option(ctl, "to"))) {
        (void)ctl_fail(ctl, "--week, or --from and --to");
        return CTL_USAGE;
    }
    str_addf(&path, "/api/alertd/v1/report?format=%s", ctl->json ? "json" : "text");
    if (!add_when(ctl, "from", now_ms, &path) || !add_when(ctl, "to", now_ms, &path))
        return CTL_USAGE;
    if (week) {
        str_add(&path, "&week=");
        add_encoded(&path, week);
    }
    if (zone) {
        str_add(&path, "&zone=");
        add_encoded(&path, zone);
    }
    enum ctl_exit r = call_text(ctl, &(struct call){.method = "GET", .path = str_text(&path)},
                                &body);
    if (r == CTL_OK)
        (void)printf("%s%s", body, ctl->json ? "\n" : "");
    free(body);
    return r;
}
