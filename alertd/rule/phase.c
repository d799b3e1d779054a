/*
 * When a group is evaluated. See phase.h.
 */

#include "alertd/rule/phase.h"

/* FNV-1a. */
static uint64_t hash_name(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash * UINT64_C(1099511628211);
}

int64_t rule_phase_ms(const char *source, const char *group_name, int64_t interval_ms)
{
    uint64_t hash = hash_name(hash_name(UINT64_C(14695981039346656037), source), group_name);

    return (int64_t)(hash % (uint64_t)interval_ms);
}
