/*
 * What people say a page was worth. See verdict.h.
 */

#include "alertd/incident/verdict.h"

#include <string.h>

static const char *const names[] = {
    [VERDICT_NONE] = "",
    [VERDICT_USEFUL] = "useful",
    [VERDICT_NOISE] = "noise",
    [VERDICT_UNKNOWN] = "unknown",
};

const char *verdict_name(enum verdict verdict)
{
    return names[verdict];
}

enum verdict verdict_parse(const char *name)
{
    for (unsigned i = VERDICT_USEFUL; name && i <= VERDICT_UNKNOWN; i++)
        if (strcmp(names[i], name) == 0)
            return (enum verdict)i;
    return VERDICT_NONE;
}

bool verdict_via_is_known(const char *via)
{
    static const char *const known[] = {"mail", "ntfy", "web", "phone", "api"};

    for (unsigned i = 0; via && i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i], via) == 0)
            return true;
    return false;
}

enum verdict verdict_of_votes(const struct verdict_votes *votes)
{
    if (votes->useful > votes->noise)
        return VERDICT_USEFUL;
    if (votes->noise > votes->useful)
        return VERDICT_NOISE;
    return votes->noise || votes->unknown ? VERDICT_UNKNOWN : VERDICT_NONE;
}
