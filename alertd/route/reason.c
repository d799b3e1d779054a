/*
 * Why a notification is made, and what two of them make. See reason.h.
 */

#include "alertd/route/reason.h"

#include <string.h>

#include "lib/base/bug.h"

static const char *const reason_names[] = {
    [ROUTE_NOTHING] = "",
    [ROUTE_FIRST] = "first",
    [ROUTE_NEW_ALERTS] = "new alerts",
    [ROUTE_SOME_RESOLVED] = "some resolved",
    [ROUTE_RESOLVED] = "resolved",
    [ROUTE_REPEAT] = "repeat",
    [ROUTE_ESCALATION] = "escalation",
};

const char *route_reason_name(enum route_reason reason)
{
    return reason_names[reason];
}

enum route_reason route_reason_parse(const char *name)
{
    for (unsigned i = ROUTE_FIRST; i <= ROUTE_ESCALATION; i++)
        if (strcmp(reason_names[i], name) == 0)
            return (enum route_reason)i;
    return ROUTE_NOTHING;
}

enum route_merge route_merge(enum route_reason waiting, unsigned attempts, enum route_reason next)
{
    if (waiting == ROUTE_NOTHING)
        return ROUTE_MERGE_ADD;
    switch (next) {
    case ROUTE_REPEAT: return ROUTE_MERGE_COVERED; /* what waits is itself the reminder */
    case ROUTE_NEW_ALERTS: /* not by a reminder: an acknowledgement would drop both */
    case ROUTE_SOME_RESOLVED:
        return attempts == 0 && waiting != ROUTE_RESOLVED && waiting != ROUTE_REPEAT
                   ? ROUTE_MERGE_COVERED
                   : ROUTE_MERGE_SUPERSEDE;
    case ROUTE_ESCALATION: /* the page that waits is the same page */
        return waiting == ROUTE_ESCALATION ? ROUTE_MERGE_COVERED : ROUTE_MERGE_SUPERSEDE;
    case ROUTE_FIRST:
    case ROUTE_RESOLVED: return ROUTE_MERGE_SUPERSEDE;
    case ROUTE_NOTHING: break;
    }
    UNREACHABLE("merging nothing");
}
