#pragma once

/*
 * A snapshot of state.db for one reply.
 */

#include "alertd/api/api.h"

/* false when the reply is an error already; otherwise db_read_end(). */
bool api_read_begin(const struct api *api,
                    struct db_conn **ret_conn,
                    struct http_response *response);
