#pragma once

/*
 * Is the way to a receiver one that delivery can take? Private to route/.
 */

#include "alertd/route/field.h"

/* `map`: http_config; NULL: there is none to check. 0 or ROUTE_E_CONFIG at the key. */
int way_check_http(const struct yaml_node *map, const struct route_http *http, struct err *reterr);
/* `map`: tls_config. */
int way_check_tls(const struct yaml_node *map, const struct route_tls *tls, struct err *reterr);
