/*
 * Connections, their ceilings and their deadlines. See call.h.
 *
 * libmicrohttpd's timeout counts silence, so one byte every two seconds holds a
 * connection for ever. Here each phase of a request has an end, whatever trickles:
 *
 *   new -> header 10 s -> body 60 s and at least 1 KiB/s after 5 s -> (work) ->
 *   sending 60 s and 16 KiB/s -> idle 75 s -> next header 10 s ...
 *
 * The keeper thread shuts the socket down; libmicrohttpd sees it and closes. A socket's
 * number stays ours until peers_remove(), because libmicrohttpd tells us before it
 * closes: that is why the list is locked and not the number copied.
 */

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "alertd/http/call.h"
#include "lib/base/mem.h"

enum {
    HEAD_MS = 10000,
    IDLE_MS = 75000, /* keep-alive: longer than most agents' push interval */
    BODY_MS = 60000,
    BODY_FREE_MS = 5000,
    BODY_BYTES_PER_S = 1024,
    SENDING_MS = 60000,
    SENDING_BYTES_PER_MS = 16,
    LOOPBACK_FACTOR = 8,
};

void peers_init(struct peers *peers, unsigned max, unsigned max_per_address)
{
    *peers = (struct peers){.max = max, .max_per_address = max_per_address};
    (void)pthread_mutex_init(&peers->lock, NULL);
}

void peers_done(struct peers *peers)
{
    while (peers->first)
        peers_remove(peers, peers->first);
    (void)pthread_mutex_destroy(&peers->lock);
}

static void name_of(const struct sockaddr *address, char *text, size_t size)
{
    socklen_t len = address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                   : sizeof(struct sockaddr_in);

    if ((address->sa_family != AF_INET && address->sa_family != AF_INET6) ||
        getnameinfo(address, len, text, (socklen_t)size, NULL, 0, NI_NUMERICHOST) != 0)
        (void)snprintf(text, size, "unknown");
    if (strncmp(text, "::ffff:", 7) == 0)
        memmove(text, text + 7, strlen(text + 7) + 1);
}

bool peers_may_connect(struct peers *peers, const struct sockaddr *address)
{
    char text[sizeof(((struct peer *)NULL)->address)];
    unsigned n = 0;
    bool yes;

    name_of(address, text, sizeof(text));
    bool loopback = strncmp(text, "127.", 4) == 0 || strcmp(text, "::1") == 0;
    (void)pthread_mutex_lock(&peers->lock);
    for (const struct peer *peer = peers->first; peer; peer = peer->next)
        n += strcmp(peer->address, text) == 0;
    yes = peers->n < peers->max && n < peers->max_per_address * (loopback ? LOOPBACK_FACTOR : 1);
    (void)pthread_mutex_unlock(&peers->lock);
    if (!yes)
        atomic_fetch_add(&peers->refused, 1);
    return yes;
}

struct peer *peers_add(struct peers *peers, int fd, const struct sockaddr *address, int64_t now_ms)
{
    struct peer *peer = mem_zalloc(sizeof(*peer));

    peer->fd = fd;
    peer->deadline_ms = now_ms + HEAD_MS;
    name_of(address, peer->address, sizeof(peer->address));
    (void)pthread_mutex_lock(&peers->lock);
    peer->next = peers->first;
    peer->place = &peers->first;
    if (peer->next)
        peer->next->place = &peer->next;
    peers->first = peer;
    peers->n++;
    (void)pthread_mutex_unlock(&peers->lock);
    return peer;
}

void peers_remove(struct peers *peers, struct peer *peer)
{
    (void)pthread_mutex_lock(&peers->lock);
    *peer->place = peer->next;
    if (peer->next)
        peer->next->place = peer->place;
    peers->n--;
    (void)pthread_mutex_unlock(&peers->lock);
    free(peer);
}

static int64_t deadline_of(enum peer_phase phase, uint64_t reply_bytes, int64_t now_ms)
{
    switch (phase) {
    case PEER_IDLE: return now_ms + IDLE_MS;
    case PEER_HEAD: return now_ms + HEAD_MS;
    case PEER_BODY: return now_ms + BODY_MS;
    case PEER_WORK: return 0;
    case PEER_SENDING: return now_ms + SENDING_MS + (int64_t)(reply_bytes / SENDING_BYTES_PER_MS);
    }
    return 0;
}

void peers_phase(struct peers *peers,
                 struct peer *peer,
                 enum peer_phase phase,
                 uint64_t reply_bytes,
                 int64_t now_ms)
{
    (void)pthread_mutex_lock(&peers->lock);
    bool first_head = phase == PEER_HEAD && peer->n_requests == 0;
    if (!first_head) /* the first header's time began with the connection */
        peer->deadline_ms = deadline_of(phase, reply_bytes, now_ms);
    peer->phase = phase;
    peer->body_since_ms = now_ms;
    peer->body_bytes = 0;
    peer->n_requests += phase == PEER_IDLE;
    (void)pthread_mutex_unlock(&peers->lock);
}

void peers_body_bytes(struct peers *peers, struct peer *peer, size_t n)
{
    (void)pthread_mutex_lock(&peers->lock);
    peer->body_bytes += n;
    (void)pthread_mutex_unlock(&peers->lock);
}

static bool is_over(const struct peer *peer, int64_t now_ms)
{
    int64_t body_ms = now_ms - peer->body_since_ms - BODY_FREE_MS;

    if (peer->deadline_ms && now_ms > peer->deadline_ms)
        return true;
    return peer->phase == PEER_BODY && body_ms > 0 &&
           peer->body_bytes < (uint64_t)body_ms * BODY_BYTES_PER_S / 1000;
}

void peers_reap(struct peers *peers, int64_t now_ms)
{
    (void)pthread_mutex_lock(&peers->lock);
    for (struct peer *peer = peers->first; peer; peer = peer->next) {
        if (!is_over(peer, now_ms))
            continue;
        (void)shutdown(peer->fd, SHUT_RDWR);
        peer->phase = PEER_WORK; /* once is enough */
        peer->deadline_ms = 0;
        atomic_fetch_add(&peers->refused, 1);
    }
    (void)pthread_mutex_unlock(&peers->lock);
}
