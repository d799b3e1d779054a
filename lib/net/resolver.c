/*
 * Name lookups that nobody has to wait for. See tcp.h.
 *
 *     caller                      lookup thread
 *     lookup, refs = 2  --------> getaddrinfo()  (may take half a minute)
 *     waits until the deadline    fills the result, signals
 *     lets go (refs - 1)          lets go (refs - 1); who is last frees
 *
 * The resolver counts its lookups under way and is counted by them the same way.
 */

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/net/tcp.h"

enum {
    LOOKUP_STACK = 256 * 1024 /* glibc's resolver needs about 100 KiB at worst */
};

struct resolver {
    unsigned refs; /* its owner and its lookups */
    unsigned n_lookups;
};

struct lookup {
    struct resolver *resolver;
    pthread_mutex_t lock;
    pthread_cond_t finished;
    unsigned refs;
    bool is_finished;
    int result; /* of getaddrinfo() */
    struct addrinfo *found;
    char host[NI_MAXHOST];
    char port[8];
};

struct resolver *resolver_new(void)
{
    struct resolver *resolver = mem_zalloc(sizeof(*resolver));

    resolver->refs = 1;
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    if (resolver && __atomic_sub_fetch(&resolver->refs, 1, __ATOMIC_ACQ_REL) == 0)
        free(resolver);
}

static void lookup_unref(struct lookup *lookup)
{
    (void)pthread_mutex_lock(&lookup->lock);
    bool is_last = --lookup->refs == 0;
    (void)pthread_mutex_unlock(&lookup->lock);
    if (!is_last)
        return;
    if (lookup->found)
        freeaddrinfo(lookup->found);
    (void)pthread_cond_destroy(&lookup->finished);
    (void)pthread_mutex_destroy(&lookup->lock);
    free(lookup);
}

static int ask(const char *host, const char *port, int flags, struct addrinfo **ret_found)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};

    return getaddrinfo(host, port, &hints, ret_found);
}

static void *run_lookup(void *of)
{
    struct lookup *lookup = of;
    struct resolver *resolver = lookup->resolver;
    struct addrinfo *found = NULL;
    int result = ask(lookup->host, lookup->port, 0, &found);

    (void)pthread_mutex_lock(&lookup->lock);
    lookup->result = result;
    lookup->found = result == 0 ? found : NULL;
    lookup->is_finished = true;
    (void)pthread_cond_signal(&lookup->finished);
    (void)pthread_mutex_unlock(&lookup->lock);
    lookup_unref(lookup);
    __atomic_sub_fetch(&resolver->n_lookups, 1, __ATOMIC_ACQ_REL);
    resolver_free(resolver);
    return NULL;
}

static struct lookup *lookup_new(struct resolver *resolver, const char *host, uint16_t port)
{
    struct lookup *lookup = mem_zalloc(sizeof(*lookup));
    pthread_condattr_t attributes;

    lookup->resolver = resolver;
    lookup->refs = 2;
    (void)snprintf(lookup->host, sizeof(lookup->host), "%s", host);
    (void)snprintf(lookup->port, sizeof(lookup->port), "%u", (unsigned)port);
    (void)pthread_mutex_init(&lookup->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&lookup->finished, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return lookup;
}

static int start(struct lookup *lookup)
{
    pthread_attr_t attributes;
    pthread_t thread;

    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, LOOKUP_STACK);
    __atomic_add_fetch(&lookup->resolver->refs, 1, __ATOMIC_ACQ_REL);
    __atomic_add_fetch(&lookup->resolver->n_lookups, 1, __ATOMIC_ACQ_REL);
    int r = pthread_create(&thread, &attributes, run_lookup, lookup);
    (void)pthread_attr_destroy(&attributes);
    if (r) {
        __atomic_sub_fetch(&lookup->resolver->refs, 1, __ATOMIC_ACQ_REL);
        __atomic_sub_fetch(&lookup->resolver->n_lookups, 1, __ATOMIC_ACQ_REL);
    }
    return -r;
}

static void copy_addresses(const struct addrinfo *found,
                           struct tcp_address *addresses,
                           size_t *ret_n)
{
    size_t n = 0;

    for (; found && n < TCP_ADDRESSES_MAX; found = found->ai_next) {
        if (found->ai_addrlen > sizeof(addresses[n].at))
            continue;
        memcpy(&addresses[n].at, found->ai_addr, found->ai_addrlen);
        addresses[n++].len = found->ai_addrlen;
    }
    *ret_n = n;
}

/* Waits for the thread until the deadline; true when it has finished. */
static bool wait_for(struct lookup *lookup, int64_t deadline_ms)
{
    const struct timespec until = {deadline_ms / 1000, deadline_ms % 1000 * 1000000};
    int r = 0;

    (void)pthread_mutex_lock(&lookup->lock);
    while (!lookup->is_finished && r == 0)
        r = pthread_cond_timedwait(&lookup->finished, &lookup->lock, &until);
    bool is_finished = lookup->is_finished;
    (void)pthread_mutex_unlock(&lookup->lock);
    return is_finished;
}

static int lookup_in_thread(struct resolver *resolver,
                            const char *host,
                            uint16_t port,
                            int64_t deadline_ms,
                            struct tcp_address *addresses,
                            size_t *ret_n,
                            struct err *reterr)
{
    int r = 0;

    if (__atomic_load_n(&resolver->n_lookups, __ATOMIC_ACQUIRE) >= RESOLVER_LOOKUPS_MAX)
        return err_set(reterr, NET_E_TIMEOUT, "%s: earlier lookups still wait for a name server",
                       host);

    struct lookup *lookup = lookup_new(resolver, host, port);

    if (start(lookup) < 0) {
        lookup->refs = 1;
        r = err_set(reterr, NET_E_RESOLVE, "%s: no thread for the lookup", host);
    } else if (!wait_for(lookup, deadline_ms)) {
        r = err_set(reterr, NET_E_TIMEOUT, "%s: no name server answers in time", host);
    } else if (lookup->result != 0) {
        r = err_set(reterr, NET_E_RESOLVE, "%s: %s", host, gai_strerror(lookup->result));
    } else {
        copy_addresses(lookup->found, addresses, ret_n);
    }
    lookup_unref(lookup);
    return r;
}

int resolver_lookup(struct resolver *resolver,
                    const char *host,
                    uint16_t port,
                    int64_t deadline_ms,
                    struct tcp_address ret_addresses[TCP_ADDRESSES_MAX],
                    size_t *ret_n,
                    struct err *reterr)
{
    struct addrinfo *found = NULL;
    char text[8];

    if (strlen(host) >= NI_MAXHOST)
        return err_set(reterr, NET_E_RESOLVE, "the host name is too long");
    (void)snprintf(text, sizeof(text), "%u", (unsigned)port);
    if (ask(host, text, AI_NUMERICHOST, &found) == 0) { /* a literal asks nobody */
        copy_addresses(found, ret_addresses, ret_n);
        freeaddrinfo(found);
        return 0;
    }
    return lookup_in_thread(resolver, host, port, deadline_ms, ret_addresses, ret_n, reterr);
}
