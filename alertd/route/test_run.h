#pragma once

/*
 * Runs tests of a config file: one alert through the tree, a history through the dispatcher
 * in virtual time. Pure.
 *
 * A difference is lines with their mark in front: `- ` expected, `+ ` what came. Only what
 * differs is told:
 *
 *     - 15m db: firing a
 *     + 10m db by webhook, email: first notification, firing a, b
 */

#include "alertd/route/config.h"
#include "alertd/route/test_file.h"
#include "lib/base/str.h"

/* True when all is as expected; else out has the difference. */
bool route_test_run(const struct route_config *config,
                    const struct route_test *test,
                    struct str *out);
/* How many expectations it has. */
size_t route_test_checks(const struct route_test *test);
