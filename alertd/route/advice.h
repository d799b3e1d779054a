#pragma once

/*
 * What loads and is probably not what was meant: routes that no alert can reach, receivers
 * and time intervals that no route names, reminders more often than flushes. Pure.
 */

#include "alertd/route/config.h"

/* One finding; words are a loan. */
typedef void route_advise(void *arg, unsigned line, unsigned column, const char *words);

/* What was warned of while reading (config->warnings) is not told again. */
void route_config_advise(const struct route_config *config, route_advise *advise, void *arg);
