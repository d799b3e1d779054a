#pragma once

/* What series there are: the handlers in prom_series.c, for prom_query.c's table. */

#include "alertd/api/api.h"

http_handler prom_series_get;
http_handler prom_labels_get;
http_handler prom_label_values_get;
