/*
 * Samples into alertd's history. See sink.h.
 */

#include "ctl/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/progress.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/json/read.h"
#include "lib/json/write.h"
#include "lib/net/http_client.h"
#include "lib/wire/push.h"

#define HISTORY "/api/alertd/v1/samples/history"

enum {
    BATCH_SAMPLES = 20000, /* a body; alertd takes 100,000 */
    BODY_MAX = 4 * 1024 * 1024,
    SERIES_SAMPLES = 5000, /* of one series at once */
    REPLY_MS = 120000,
    TRIES = 8,
    WAIT_MS = 2000, /* when alertd does not say */
    WAIT_MAX_MS = 60000,
};

void sink_init(struct sink *sink, const char *url, const char *token)
{
    *sink = (struct sink){.url = url, .bearer = STR_INIT(8192), .client = http_client_new()};
    remote_write_init(&sink->writer, BODY_MAX);
    if (token)
        str_addf(&sink->bearer, "Bearer %s", token);
}

void sink_done(struct sink *sink)
{
    labels_unref(sink->labels);
    free(sink->samples);
    remote_write_done(&sink->writer);
    str_done(&sink->bearer);
    http_client_free(sink->client);
}

static int read_counts(struct sink *sink, const struct http_response *reply, struct err *reterr)
{
    struct json *root = NULL;
    const char *words = "";
    struct sink_counts counts = {0};

    int r = json_parse(reply->body, reply->body_len, &root, reterr);
    if (r == 0)
        r = json_get_int(root, "stored", &counts.stored, reterr);
    if (r == 0)
        r = json_get_int(root, "duplicate", &counts.duplicate, reterr);
    if (r == 0)
        r = json_get_int(root, "refused", &counts.refused, reterr);
    if (r == 0 && json_get_string(root, "words", &words, NULL) == 0 && !sink->first_refusal[0])
        (void)snprintf(sink->first_refusal, sizeof(sink->first_refusal), "%s", words);
    sink->counts.stored += counts.stored;
    sink->counts.duplicate += counts.duplicate;
    sink->counts.refused += counts.refused;
    json_free(root);
    return r == 0 ? 0 : err_prefix(reterr, SINK_E_PUSH, "%s answers as no alertd does", sink->url);
}

static int refused(const struct sink *sink, const struct http_response *reply, struct err *reterr)
{
    struct json *root = NULL;
    const char *words = NULL;
    int r;

    if (json_parse(reply->body, reply->body_len, &root, NULL) == 0 && json_is_object(root))
        (void)json_get_string(root, "error", &words, NULL);
    if (reply->status == 401)
        r = err_set(reterr, SINK_E_PUSH,
                    "%s asks who you are: set ALERTD_TOKEN or give --token-file; an import needs a "
                    "token with the scope admin",
                    sink->url);
    else if (reply->status == 403)
        r = err_set(reterr, SINK_E_PUSH, "%s: %.200s; an import needs a token with the scope admin",
                    sink->url, words ? words : "this token may not");
    else if (reply->status == 404)
        r = err_set(reterr, SINK_E_PUSH,
                    "%s has no " HISTORY ": is it an alertd, and of this version?", sink->url);
    else
        r = err_set(reterr, SINK_E_PUSH, "%s answered %d: %.250s", sink->url, reply->status,
                    words ? words : reply->body);
    json_free(root);
    return r;
}

static int post(struct sink *sink, struct err *reterr)
{
    STR_AUTO struct str url = STR_INIT(4096);
    const char *block;
    size_t len;

    remote_write_seal(&sink->writer, &block, &len);
    str_addf(&url, "%s" HISTORY, sink->url);
    const struct http_header headers[] = {
        {"Content-Type", REMOTE_WRITE_CONTENT_TYPE},
        {"Content-Encoding", REMOTE_WRITE_ENCODING},
        {PUSH_HEADER_AGENT, "import"},
        {"Authorization", str_text(&sink->bearer)},
    };
    const struct http_request request = {
        .method = "POST",
        .url = str_text(&url),
        .headers = headers,
        .n_headers = sink->bearer.len > 0 ? 4 : 3,
        .body = block,
        .body_len = len,
        .timeout_ms = REPLY_MS,
    };
    for (int i = 1;; i++) {
        struct http_response reply;
        int r = http_client_send(sink->client, &request, &reply, reterr);

        if (r != 0)
            return SINK_E_PUSH;
        bool later = (reply.status == 429 || reply.status == 503) && i < TRIES;
        int64_t wait_ms = reply.retry_after_ms < 0 ? WAIT_MS : reply.retry_after_ms;
        if (reply.status / 100 == 2)
            r = read_counts(sink, &reply, reterr);
        else if (!later)
            r = refused(sink, &reply, reterr);
        http_response_done(&reply);
        if (!later)
            return r;
        clock_sleep_ms(wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS);
    }
}

static int send_batch(struct sink *sink, struct err *reterr)
{
    if (sink->writer.n_samples == 0)
        return 0;
    int r = post(sink, reterr);
    remote_write_clear(&sink->writer);
    return r;
}

/* The samples held back go into the batch; a full one is sent before. */
static int put_series(struct sink *sink, struct err *reterr)
{
    const struct labels *labels = sink->labels;
    int r = 0;

    if (!labels || sink->n == 0)
        return 0;
    if (sink->writer.n_samples + sink->n > BATCH_SAMPLES)
        r = send_batch(sink, reterr);
    if (r == 0 &&
        !remote_write_add_series(&sink->writer, labels->at, labels->n, sink->samples, sink->n)) {
        r = send_batch(sink, reterr);
        if (r == 0 &&
            !remote_write_add_series(&sink->writer, labels->at, labels->n, sink->samples, sink->n))
            r = err_set(reterr, SINK_E_PUSH, "a series has labels of more than %d MiB",
                        BODY_MAX >> 20);
    }
    sink->n = 0;
    return r;
}

int sink_add(struct sink *sink,
             const struct labels *labels,
             const struct sample *samples,
             size_t n,
             struct err *reterr)
{
    if (!sink->labels || !labels_equal(sink->labels, labels)) {
        int r = put_series(sink, reterr);
        if (r != 0)
            return r;
        labels_unref(sink->labels);
        sink->labels = labels_ref(labels);
    }
    for (size_t i = 0; i < n; i++) {
        if (sink->n == SERIES_SAMPLES) {
            int r = put_series(sink, reterr);
            if (r != 0)
                return r;
        }
        sink->samples = mem_grow(sink->samples, &sink->capacity, sink->n + 1,
                                 sizeof(*sink->samples));
        sink->samples[sink->n++] = samples[i];
    }
    return 0;
}

int sink_flush(struct sink *sink, struct err *reterr)
{
    int r = put_series(sink, reterr);

    return r == 0 ? send_batch(sink, reterr) : r;
}

enum ctl_exit sink_report(const struct ctl *ctl,
                          const struct sink_counts *counts,
                          const char *first)
{
    char stored[COUNT_TEXT_MAX];
    char duplicate[COUNT_TEXT_MAX];
    char refused_text[COUNT_TEXT_MAX];

    if (ctl->json) {
        STR_AUTO struct str text = STR_INIT(4096);
        struct json_out out = JSON_OUT(&text);

        json_open(&out, '{');
        json_kv_int(&out, "stored", counts->stored);
        json_kv_int(&out, "duplicate", counts->duplicate);
        json_kv_int(&out, "refused", counts->refused);
        json_close(&out, '}');
        (void)puts(str_text(&text));
    } else {
        (void)printf("%s samples stored, %s were there already, %s refused\n",
                     count_text(counts->stored, stored), count_text(counts->duplicate, duplicate),
                     count_text(counts->refused, refused_text));
    }
    if (counts->refused == 0)
        return CTL_OK;
    return ctl_fail(ctl, "the first refusal: %s",
                    first[0] ? first : "was told when the import began");
}
