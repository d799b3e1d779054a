#pragma once

/* What series there are, and roll-ups of them: the handlers in prom_series.c and prom_rollup.c,
 * for prom_query.c's table. */

#include "alertd/api/api.h"

http_handler prom_series_get;
http_handler prom_labels_get;
http_handler prom_label_values_get;
http_handler prom_rollup_get;

/* match[] is none: what promql_parse_selector() answered. */
void prom_series_fail_match(struct http_response *response, int code, const struct err *err);
