#pragma once

/*
 * A rule file's text with one rule changed, and nothing else.
 *
 *     - alert: Busy                      - alert: Busy
 *       expr: load > 3  # per core  -->    expr: load > 4  # per core
 *       for: 5m                            for: 10m
 *
 * Only what differs is written anew, so that comments and layout stay; where that can't be done (a
 * folded expression, a field that was not there) the rule is written whole, in its place.
 *
 * Invariant: the new text parses, the rule in it prints as the wanted one does, all others as before.
 */

#include "alertd/rule/group.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

enum {
    RULE_EDIT_E_NOT_POSSIBLE = 30, /* neither way keeps the invariant: the words say so */
};

/* `text` is what `file` was parsed from, `rule` one of its rules. */
int rule_edit(const struct rule_file *file,
              const char *text,
              const struct rule *rule,
              const struct rule *wanted,
              struct str *out,
              struct err *reterr);
