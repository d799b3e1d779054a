/*
 * One batch to one target. See send.h.
 */

#include "alertd/forward/send.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/base64.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/net/http_client.h"

enum {
    BODY_BYTES_MAX = 8 << 20,
    SECRET_BYTES_MAX = 4096,
    ANSWER_BYTES_MAX = 1024,
    WORDS_MAX = 250,
    /* So many refused one by one, and none taken in between: the rest of the batch is not
     * asked about any more, unless it is only out of order. */
    REFUSED_MAX = 64,
};

void sender_init(struct sender *sender, const struct forward_config *config)
{
    *sender = (struct sender){.config = config, .client = http_client_new()};
    remote_write_init(&sender->writer, BODY_BYTES_MAX);
}

void sender_done(struct sender *sender)
{
    http_client_free(sender->client);
    remote_write_done(&sender->writer);
}

void sender_begin(struct sender *sender, size_t n)
{
    sender->ranges[0] = (struct send_range){0, n};
    sender->n_ranges = n > 0;
    sender->n_refused = 0;
}

size_t sender_left(const struct sender *sender)
{
    size_t left = 0;

    for (size_t i = 0; i < sender->n_ranges; i++)
        left += sender->ranges[i].to - sender->ranges[i].from;
    return left;
}

/* --- the request --- */

/* "" without a secret; a file's first line. */
static int read_secret(const char *text, const char *file, char **ret_secret, struct err *reterr)
{
    size_t len;

    if (!file) {
        *ret_secret = mem_strdup(text ? text : "");
        return 0;
    }
    int r = fs_read(file, SECRET_BYTES_MAX, ret_secret, &len, reterr);
    if (r == 0)
        (*ret_secret)[strcspn(*ret_secret, "\r\n")] = '\0';
    return r;
}

/* The Authorization header's value, empty without one. */
static int authorization(const struct forward_config *config, struct str *out, struct err *reterr)
{
    MEM_AUTO char *secret = NULL;

    if (config->username) {
        STR_AUTO struct str pair = STR_INIT(2 * (size_t)SECRET_BYTES_MAX);

        int r = read_secret(config->password, config->password_file, &secret, reterr);
        if (r != 0)
            return r;
        str_addf(&pair, "%s:%s", config->username, secret);
        str_add(out, "Basic ");
        base64_encode(str_text(&pair), pair.len, out);
        return 0;
    }
    int r = read_secret(config->credentials, config->credentials_file, &secret, reterr);
    if (r == 0 && secret[0])
        str_addf(out, "%s %s", config->auth_type ? config->auth_type : "Bearer", secret);
    return r;
}

static int post(struct sender *sender, struct http_response *ret_response, struct err *reterr)
{
    const struct forward_config *config = sender->config;
    STR_AUTO struct str auth = STR_INIT(4 * (size_t)SECRET_BYTES_MAX);
    struct http_header headers[FORWARD_HEADERS_MAX + 5] = {
        {"Content-Type", REMOTE_WRITE_CONTENT_TYPE},
        {"Content-Encoding", REMOTE_WRITE_ENCODING},
        {"X-Prometheus-Remote-Write-Version", REMOTE_WRITE_VERSION},
        {"User-Agent", "alertd"},
    };
    size_t n = 4;
    const char *body;
    size_t len;

    int r = authorization(config, &auth, reterr);
    if (r != 0)
        return r;
    if (auth.len > 0)
        headers[n++] = (struct http_header){"Authorization", str_text(&auth)};
    for (size_t i = 0; i < config->n_headers; i++)
        headers[n++] = (struct http_header){config->headers[2 * i], config->headers[2 * i + 1]};
    remote_write_seal(&sender->writer, &body, &len);
    sender->stats.requests++;
    sender->stats.bytes += len;
    return http_client_send(sender->client,
                            &(struct http_request){.method = "POST",
                                                   .url = config->url,
                                                   .headers = headers,
                                                   .n_headers = n,
                                                   .body = body,
                                                   .body_len = len,
                                                   .timeout_ms = config->timeout_ms,
                                                   .response_max = ANSWER_BYTES_MAX,
                                                   .ca_file = config->ca_file},
                            ret_response, reterr);
}

/* False: it is more than fits one body. */
static bool encode(struct sender *sender, const struct queue_sample *batch, struct send_range range)
{
    MEM_AUTO struct sample *samples = mem_alloc((range.to - range.from) * sizeof(*samples));

    remote_write_clear(&sender->writer);
    for (size_t i = range.from; i < range.to;) {
        const struct labels *labels = batch[i].labels;
        size_t n = 0;

        while (i < range.to && batch[i].labels == labels)
            samples[n++] = batch[i++].sample;
        if (!remote_write_add_series(&sender->writer, labels->at, labels->n, samples, n))
            return false;
    }
    return true;
}

/* What Prometheus and its relatives say of samples that come too late for them. */
static bool is_about_order(const char *words)
{
    static const char *const known[] = {"out of order", "out-of-order", "out of bounds", "too old",
                                        "duplicate sample"};

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strcasestr(words, known[i]))
            return true;
    return false;
}

/* --- ranges --- */

/* It is refused: in halves, or dropped. True when it was dropped. */
static bool divide(struct sender *sender, bool is_order)
{
    struct send_range range = sender->ranges[--sender->n_ranges];
    size_t middle = range.from + (range.to - range.from) / 2;

    if (range.to - range.from > 1 && sender->n_ranges + 2 <= SEND_RANGES_MAX &&
        sender->n_refused < REFUSED_MAX) {
        sender->ranges[sender->n_ranges++] = (struct send_range){middle, range.to};
        sender->ranges[sender->n_ranges++] = (struct send_range){range.from, middle};
        return false;
    }
    if (is_order) {
        sender->stats.dropped_out_of_order += range.to - range.from;
    } else {
        sender->stats.dropped_refused += range.to - range.from;
        sender->n_refused++;
    }
    return true;
}

static enum send_outcome accept(struct sender *sender)
{
    struct send_range range = sender->ranges[--sender->n_ranges];

    sender->stats.sent += range.to - range.from;
    sender->n_refused = 0;
    return SEND_ACCEPTED;
}

enum send_outcome sender_step(struct sender *sender,
                              const struct queue_sample *batch,
                              int64_t *ret_retry_after_ms,
                              struct err *ret_words)
{
    struct http_response reply = {0};

    *ret_retry_after_ms = -1;
    while (!encode(sender, batch, sender->ranges[sender->n_ranges - 1])) {
        (void)err_set(ret_words, 0, "a series is too large for one body");
        if (divide(sender, false))
            return SEND_REFUSED;
    }
    if (post(sender, &reply, ret_words) != 0) {
        sender->stats.failed++;
        return SEND_FAILED;
    }
    int status = reply.status;
    if (reply.body)
        reply.body[strcspn(reply.body, "\r\n")] = '\0';
    const char *words = reply.body ? reply.body : "";
    bool is_order = is_about_order(words);
    *ret_retry_after_ms = reply.retry_after_ms;
    (void)err_set(ret_words, 0, "status %d %.*s", status, WORDS_MAX, words);
    http_response_done(&reply);
    if (status / 100 == 2)
        return accept(sender);
    if (retry_is_vain(status)) {
        (void)divide(sender, is_order);
        return SEND_REFUSED;
    }
    sender->stats.failed++;
    return SEND_FAILED;
}
