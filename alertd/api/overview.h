#pragma once

/*
 * The wall in one call: GET /api/alertd/v1/overview.
 */

#include "alertd/api/api.h"

http_handler overview_get;
