#pragma once

/*
 * The runbooks that ship with the rule packs: one Markdown text for each pack, embedded
 * at build from rules/<pack>/README.md.
 */

#include <stddef.h>

struct runbook {
    const char *pack; /* "host" */
    const char *markdown;
};

extern const struct runbook runbooks[];
extern const size_t n_runbooks;
