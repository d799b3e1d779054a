/*
 * Server-sent events: one hub, many streams. See http.h and call.h.
 *
 *   publish: ring[newest] = event; wake every stream that sleeps
 *   stream:  cursor ... newest -> "id: 7\nevent: alerts\ndata: {...}\n\n" -> asleep
 *
 * (1) A stream holds no events, only the number of the last one it was sent: a slow
 *     reader costs nothing, and one that fell behind the ring is told `lost`, after
 *     which it fetches everything anew.
 * (2) Numbers begin at the wall clock's milliseconds, so that those of an earlier
 *     process are never taken for ours.
 * (3) `asleep` and the suspension of the connection change together, under the lock.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/http/call.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    RING = 1024,
    DATA_MAX = 16 * 1024,
    PENDING_MAX = 64 * 1024,
    BEAT_MS = 15000,
    BLOCK = 4096,
};

struct event {
    char *type;
    char *json;
};

struct http_sse {
    struct http_hub *hub;
    struct http_sse *next;
    struct http_sse **place;
    struct MHD_Connection *connection;
    uint64_t cursor; /* the last event it was sent */
    struct str pending;
    size_t pending_at;
    int64_t spoke_ms;
    bool asleep;
    bool over;
};

struct http_hub {
    pthread_mutex_t lock;
    struct event ring[RING];
    uint64_t first_id, newest_id; /* newest = first - 1: none yet */
    struct http_sse *streams;
    unsigned n_streams;
};

struct http_hub *http_hub_new(void)
{
    struct http_hub *hub = mem_zalloc(sizeof(*hub));

    (void)pthread_mutex_init(&hub->lock, NULL);
    hub->first_id = (uint64_t)clock_wall_ms();
    hub->newest_id = hub->first_id - 1;
    return hub;
}

void http_hub_free(struct http_hub *hub)
{
    if (!hub)
        return;
    for (size_t i = 0; i < RING; i++) {
        free(hub->ring[i].type);
        free(hub->ring[i].json);
    }
    (void)pthread_mutex_destroy(&hub->lock);
    free(hub);
}

/* With the lock held. */
static void wake(struct http_sse *sse)
{
    if (!sse->asleep)
        return;
    sse->asleep = false;
    MHD_resume_connection(sse->connection);
}

void http_hub_publish(struct http_hub *hub, const char *type, const char *json)
{
    (void)pthread_mutex_lock(&hub->lock);
    struct event *event = &hub->ring[++hub->newest_id % RING];

    free(event->type);
    free(event->json);
    *event = (struct event){mem_strdup(type), mem_strdup(json)};
    for (struct http_sse *sse = hub->streams; sse; sse = sse->next)
        wake(sse);
    (void)pthread_mutex_unlock(&hub->lock);
}

void hub_beat(struct http_hub *hub, int64_t now_ms)
{
    (void)pthread_mutex_lock(&hub->lock);
    for (struct http_sse *sse = hub->streams; sse; sse = sse->next) {
        if (!sse->asleep || now_ms - sse->spoke_ms < BEAT_MS)
            continue;
        sse->spoke_ms = now_ms;
        str_add(&sse->pending, ":\n\n");
        wake(sse);
    }
    (void)pthread_mutex_unlock(&hub->lock);
}

void hub_close_streams(struct http_hub *hub)
{
    (void)pthread_mutex_lock(&hub->lock);
    for (struct http_sse *sse = hub->streams; sse; sse = sse->next) {
        sse->over = true;
        wake(sse);
    }
    (void)pthread_mutex_unlock(&hub->lock);
}

unsigned hub_streams(struct http_hub *hub)
{
    (void)pthread_mutex_lock(&hub->lock);
    unsigned n = hub->n_streams;
    (void)pthread_mutex_unlock(&hub->lock);
    return n;
}

struct http_hub *sse_hub(struct http_sse *sse)
{
    return sse->hub;
}

static uint64_t last_seen(const struct http_request *request)
{
    const char *text = http_header(request, "Last-Event-ID");

    if (!text)
        text = http_query(request, "last_event_id");
    return text ? strtoull(text, NULL, 10) : 0;
}

void http_sse_join(struct http_hub *hub,
                   const struct http_request *request,
                   struct http_response *response)
{
    uint64_t seen = last_seen(request);
    struct http_sse *sse = mem_zalloc(sizeof(*sse));

    sse->hub = hub;
    sse->spoke_ms = clock_mono_ms();
    sse->pending = STR_INIT(PENDING_MAX);
    (void)pthread_mutex_lock(&hub->lock);
    bool refused = hub->n_streams >= STREAMS_MAX;
    if (!refused) {
        /* A number that is not ours (an earlier process') also reads as fallen behind. */
        sse->cursor = seen && seen <= hub->newest_id ? seen : hub->newest_id;
        if (seen > hub->newest_id)
            sse->cursor = 0;
        sse->next = hub->streams;
        sse->place = &hub->streams;
        if (sse->next)
            sse->next->place = &sse->next;
        hub->streams = sse;
        hub->n_streams++;
    }
    (void)pthread_mutex_unlock(&hub->lock);
    if (refused) {
        free(sse);
        http_fail(response, "limited", "%d event streams are open: close one", STREAMS_MAX);
        return;
    }
    str_add(&sse->pending, "retry: 2000\n\n");
    response->content_type = "text/event-stream";
    response->sse = sse;
}

void sse_free(struct http_sse *sse)
{
    if (!sse)
        return;
    (void)pthread_mutex_lock(&sse->hub->lock);
    *sse->place = sse->next;
    if (sse->next)
        sse->next->place = sse->place;
    sse->hub->n_streams--;
    (void)pthread_mutex_unlock(&sse->hub->lock);
    str_done(&sse->pending);
    free(sse);
}

static void free_at(void *sse)
{
    sse_free(sse);
}

/* Moves what the stream has not seen into its pending text, with the lock held. */
static void collect(struct http_sse *sse)
{
    struct http_hub *hub = sse->hub;
    uint64_t oldest = hub->newest_id >= hub->first_id + RING ? hub->newest_id - RING + 1
                                                             : hub->first_id;

    if (sse->cursor + 1 < oldest) {
        str_addf(&sse->pending, "id: %" PRIu64 "\nevent: lost\ndata: {}\n\n", hub->newest_id);
        sse->cursor = hub->newest_id;
    }
    while (sse->cursor < hub->newest_id && sse->pending.len < PENDING_MAX - 2 * DATA_MAX) {
        const struct event *event = &hub->ring[++sse->cursor % RING];

        str_addf(&sse->pending, "id: %" PRIu64 "\nevent: %s\ndata: %.*s\n\n", sse->cursor,
                 event->type, DATA_MAX, event->json);
    }
}

/* libmicrohttpd's content reader: up to max bytes, 0 after suspending. */
static ssize_t read_stream(void *arg, uint64_t at, char *buffer, size_t max)
{
    struct http_sse *sse = arg;
    ssize_t n = 0;

    (void)at;
    (void)pthread_mutex_lock(&sse->hub->lock);
    if (sse->pending_at == sse->pending.len) {
        str_cut(&sse->pending, 0);
        sse->pending_at = 0;
        collect(sse);
    }
    size_t left = sse->pending.len - sse->pending_at;
    if (left) {
        n = (ssize_t)(left < max ? left : max);
        memcpy(buffer, sse->pending.text + sse->pending_at, (size_t)n);
        sse->pending_at += (size_t)n;
        sse->spoke_ms = clock_mono_ms();
    } else if (sse->over) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        sse->asleep = true;
        MHD_suspend_connection(sse->connection);
    }
    (void)pthread_mutex_unlock(&sse->hub->lock);
    return n;
}

struct MHD_Response *sse_response(struct http_sse *sse, struct MHD_Connection *connection)
{
    sse->connection = connection;
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream, sse, free_at);
}
