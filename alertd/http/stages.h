#pragma once

/*
 * What libmicrohttpd's callbacks (server.c) ask of a call (call.c), in this order.
 */

#include "alertd/http/call.h"

struct call *call_new(struct http_server *server,
                      struct MHD_Connection *connection,
                      const char *target);
/* The header is complete. */
enum MHD_Result call_head(struct call *call, const char *method, const char *version);
enum MHD_Result call_take_body(struct call *call, const char *bytes, size_t len);
/* The body is complete: refused, done at once, or suspended and given to the pool. */
enum MHD_Result call_dispatch(struct call *call);
/* Resumed: the reply is there. */
enum MHD_Result call_answer(struct call *call);
void call_free(struct call *call);

/* On a worker. */
void call_work(struct call *call);
void call_drop(struct call *call);
