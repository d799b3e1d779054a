#pragma once

/*
 * What people say a page was worth: the label that a rule is tuned by.
 *
 *   a person taps useful | noise | don't know   -> a row, for ever
 *   of one person and incident the newest counts -> a vote
 *   votes of an incident                         -> verdict_of_votes()
 */

#include <stdbool.h>

enum verdict {
    VERDICT_NONE, /* nobody said */
    VERDICT_USEFUL,
    VERDICT_NOISE,
    VERDICT_UNKNOWN,
};

enum {
    VERDICT_REASON_BYTES_MAX = 1000,
};

const char *verdict_name(enum verdict verdict); /* "useful" ...; "" for none */
enum verdict verdict_parse(const char *name);   /* VERDICT_NONE for anything else, NULL too */
bool verdict_via_is_known(const char *via);     /* "mail", "ntfy", "web", "phone", "api" */

struct verdict_votes {
    unsigned useful, noise, unknown;
};

/* More useful than noise, more noise than useful; as many of both, or only people who
 * don't know: unknown. */
enum verdict verdict_of_votes(const struct verdict_votes *votes);
