#pragma once

/*
 * What of a config file is kept for later, when somebody asks why a page of last month was sent:
 * all that decides who is told, and nothing that says where, or with which secret.
 *
 *     receivers: names, and of each integration its kind and what it tells
 *     route, inhibit_rules, time_intervals, resolve_timeout: as they are
 *
 * What is written is a config file again: route_config_parse() reads it, and it routes as the
 * first one does.
 */

#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/* Of a text that route_config_parse() took; what it refuses is refused: 0 or ROUTE_E_CONFIG. */
int route_config_keep(const char *text, size_t len, struct str *out, struct err *reterr);
