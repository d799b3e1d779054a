#pragma once

/*
 * Inside the server: what its files share. Nobody else includes this.
 *
 *                 network thread (one per listen address)            worker threads
 *   CALL_HEAD     request line and header are here: gate, route, who
 *   CALL_BODY     bytes arrive, counted against the ceilings
 *   CALL_WORK     suspended, owned by the pool ---------------------> handler, gzip
 *   CALL_ANSWER   resumed: the reply is queued <--------------------- reply made
 *   CALL_SENT     libmicrohttpd sends it, then call_free()
 *
 * (1) A call belongs to the network thread except in CALL_WORK, when it belongs to the
 *     worker. A connection is suspended exactly while its call is in CALL_WORK (or its
 *     event stream has nothing to say), and resumed exactly once for it.
 * (2) Lock order: peers.lock, pool.lock and the hub's lock are never held together;
 *     libmicrohttpd's own locks are only taken inside them.
 */

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "alertd/http/gate.h"
#include "alertd/http/http.h"
#include "alertd/http/router.h"

enum {
    CALL_ARENA_MAX = 64 * 1024 * 1024,
    BODY_MAX = 256 * 1024,
    BIG_REPLY_BYTES = 32 * 1024 * 1024, /* what a reply is taken to have, for its deadline */
    BODIES_MAX = HTTP_BODY_LIMIT,
    REQUESTS_PER_CONNECTION = 1000,
    STREAMS_MAX = 64,
};

/* --- peers.c: connections, their ceilings and their deadlines --- */

enum peer_phase {
    PEER_IDLE,    /* between requests, or new */
    PEER_HEAD,    /* the request line came, the header is still coming */
    PEER_BODY,    /* a body is coming: a least rate, and an end */
    PEER_WORK,    /* ours to do: no deadline */
    PEER_SENDING, /* the reply is leaving */
};

struct peer {
    struct peer *next;
    struct peer **place; /* what points at us */
    int fd;
    enum peer_phase phase;
    int64_t deadline_ms; /* 0: none */
    int64_t body_since_ms;
    uint64_t body_bytes;
    unsigned n_requests;
    char address[48];
};

struct peers {
    pthread_mutex_t lock;
    struct peer *first;
    unsigned n;
    unsigned max, max_per_address;
    atomic_ullong refused;
};

void peers_init(struct peers *peers, unsigned max, unsigned max_per_address);
void peers_done(struct peers *peers);
bool peers_may_connect(struct peers *peers, const struct sockaddr *address);
struct peer *peers_add(struct peers *peers, int fd, const struct sockaddr *address, int64_t now_ms);
void peers_remove(struct peers *peers, struct peer *peer);
/* Enters a phase and sets its deadline; reply_bytes only for PEER_SENDING. */
void peers_phase(struct peers *peers,
                 struct peer *peer,
                 enum peer_phase phase,
                 uint64_t reply_bytes,
                 int64_t now_ms);
void peers_body_bytes(struct peers *peers, struct peer *peer, size_t n);
/* Cuts what is past its deadline or below the least rate. */
void peers_reap(struct peers *peers, int64_t now_ms);

/* --- one request --- */

enum call_stage {
    CALL_HEAD,
    CALL_BODY,
    CALL_WORK,
    CALL_ANSWER,
    CALL_SENT,
};

/* Workers are shared in lanes so that a pile of queries cannot hold up a page's
 * acknowledgement. */
enum lane {
    LANE_ACT,  /* changes something: first, on any worker */
    LANE_PUSH, /* samples */
    LANE_READ, /* queries: as many as may run at once, at most half of the workers */
    LANES,
};

struct call {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct peer *peer;
    enum call_stage stage;
    char *raw_target;          /* ours */
    const char *target_in_mhd; /* theirs: only its place is looked at */
    const struct http_route *route;
    size_t route_index;
    struct http_request request;
    struct http_response response;
    struct arena arena;
    struct str body;
    size_t counted_bytes; /* of BODIES_MAX */
    bool refused;         /* response is final: the body is read and dropped */
    bool close;           /* no further request on this connection */
    bool head_only;
    int64_t started_us;
    int64_t queued_us;
    struct call *next; /* in its lane */
    struct MHD_Response *reply;
};

/* request.c */
int call_read_target(struct call *call);
int call_read_form(struct call *call);
int call_unzip(struct call *call);
/* response.c: runs on whatever thread finished the handler */
void call_make_reply(struct call *call);
bool call_says(const struct call *call, const char *header, const char *token);

/* --- pool.c --- */

struct lane_queue {
    struct call *first;
    struct call **last;
    unsigned n, active, max_active;
};

struct pool {
    pthread_mutex_t lock;
    struct idle *idle; /* workers that wait, the last one first */
    struct lane_queue lanes[LANES];
    unsigned active;
    bool stopping;
    pthread_t *threads;
    unsigned size;      /* workers there will be: the lanes' shares are cut from it */
    unsigned n_threads; /* started: only whoever starts and stops looks at it */
    void (*work)(struct call *call);
    void (*drop)(struct call *call); /* instead of work, when stopping or too late */
};

/* After a failure too, pool_stop() is due: it ends the threads that did start. */
int pool_start(struct pool *pool,
               unsigned n_threads,
               unsigned max_reads,
               void (*work)(struct call *),
               void (*drop)(struct call *),
               struct err *reterr);
/* false when the lane is full: answer 503. */
bool pool_push(struct pool *pool, struct call *call, enum lane lane);
/* Waits until nothing is queued or running, at most for wait_ms; then drops the queue,
 * lets what runs end, and joins. */
void pool_stop(struct pool *pool, int64_t wait_ms);

/* --- sse.c --- */

struct MHD_Response *sse_response(struct http_sse *sse, struct MHD_Connection *connection);
void sse_free(struct http_sse *sse);
struct http_hub *sse_hub(struct http_sse *sse);
void hub_beat(struct http_hub *hub, int64_t now_ms);
void hub_close_streams(struct http_hub *hub);
unsigned hub_streams(struct http_hub *hub);

/* --- server.c --- */

struct route_count {
    atomic_ullong by_class[6]; /* [2] = 2xx ... */
    atomic_ullong duration_us;
};

struct http_server {
    struct http_options options;
    struct router router;
    struct route_count *counts; /* one for each route, and one for "none" behind them */
    size_t n_routes;
    struct MHD_Daemon **daemons;
    unsigned *ports;
    struct peers peers;
    struct pool pool;
    pthread_t keeper; /* deadlines and heartbeats */
    bool keeps;       /* it was started */
    atomic_bool stopping;
    _Atomic(struct http_hub *) hub;
    atomic_size_t body_bytes;
    atomic_uint n_calls;
    atomic_ullong requests, refused_by_gate, refused_by_limit, unauthorized;
};
