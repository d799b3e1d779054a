/*
 * The kinds of probes: one row each. See probe.h.
 */

#include <string.h>

#include "agent/probe/probe.h"

static const struct probe_kind *const kinds[] = {
    &probe_host,
    &probe_http,
    &probe_tcp,
    &probe_exec,
};

const struct probe_kind *probe_kind_at(size_t index)
{
    return index < sizeof(kinds) / sizeof(kinds[0]) ? kinds[index] : NULL;
}

const struct probe_kind *probe_kind_find(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}
