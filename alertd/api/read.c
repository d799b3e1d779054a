/*
 * A snapshot of state.db for one reply. See read.h.
 */

#include "alertd/api/read.h"

bool api_read_begin(const struct api *api,
                    struct db_conn **ret_conn,
                    struct http_response *response)
{
    struct err err = {0};

    if (db_read_begin(api->state, ret_conn, &err) == 0)
        return true;
    http_fail(response, "internal", "%s", err.text);
    return false;
}
