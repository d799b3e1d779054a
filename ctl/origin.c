/*
 * Raw samples out of a server with Prometheus' query API. See origin.h.
 */

#include "ctl/origin.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/missing.h"
#include "lib/base/clock.h"
#include "lib/json/read.h"
#include "lib/net/http_client.h"
#include "lib/wire/prom_answer.h"

enum {
    ANSWER_MAX = 32 * 1024 * 1024, /* of one question; a larger one is asked in parts */
    SERIES_ANSWER_MAX = 256 * 1024 * 1024,
    ANSWER_MS = 120000,
    FORM_MAX = 256 * 1024,
    GROW_AFTER = 8,     /* good questions before a larger one is tried */
    POINTS_MAX = 10000, /* of a range query; servers refuse 11,000 */
};

void origin_init(struct origin *origin, const char *url, const char *token, int64_t piece_max_ms)
{
    *origin = (struct origin){
        .url = url,
        .bearer = STR_INIT(8192),
        .client = http_client_new(),
        .piece_max_s = piece_max_ms / 1000 > 0 ? piece_max_ms / 1000 : 1,
    };
    origin->piece_s = origin->piece_max_s;
    if (token)
        str_addf(&origin->bearer, "Bearer %s", token);
}

void origin_done(struct origin *origin)
{
    str_done(&origin->bearer);
    http_client_free(origin->client);
}

/* The server's own words in `error`, or else the head of what it said; what it warns of is kept. */
static int refused(const struct origin *origin,
                   const struct http_response *reply,
                   struct err *reterr)
{
    struct json *root = NULL;
    const char *words = NULL;
    int status = reply->status;
    bool too_much = status == 413 || status == 422 || status == 503 || status == 504;

    if (status == 401 || status == 403)
        return err_set(reterr, ORIGIN_E_ASK, "%s answered %d: it asks for a token, or another one",
                       origin->url, status);
    if (json_parse(reply->body, reply->body_len, &root, NULL) == 0 && json_is_object(root)) {
        (void)json_get_string(root, "error", &words, NULL);
        missing_take(origin->told, json_get(root, "warnings"));
    }
    int r = err_set(reterr, too_much ? ORIGIN_E_TOO_MUCH : ORIGIN_E_ASK, "%s answered %d: %.250s",
                    origin->url, status, words ? words : reply->body);
    json_free(root);
    return r;
}

/* The answer's body in *ret_reply (http_response_done()). */
static int ask(struct origin *origin,
               const char *path,
               const struct str *form,
               size_t answer_max,
               struct http_response *ret_reply,
               struct err *reterr)
{
    STR_AUTO struct str url = STR_INIT(4096);
    struct http_header headers[] = {{"Content-Type", "application/x-www-form-urlencoded"},
                                    {"Authorization", str_text(&origin->bearer)}};

    if (form->full)
        return err_set(reterr, ORIGIN_E_ASK, "the selector is longer than %d bytes", FORM_MAX);
    int len = (int)strlen(origin->url);
    while (len > 0 && origin->url[len - 1] == '/')
        len--;
    str_addf(&url, "%.*s%s", len, origin->url, path);
    struct http_request request = {
        .method = "POST",
        .url = str_text(&url),
        .headers = headers,
        .n_headers = origin->bearer.len > 0 ? 2 : 1,
        .body = str_text(form),
        .body_len = form->len,
        .timeout_ms = ANSWER_MS,
        .response_max = answer_max,
    };
    origin->n_questions++;
    int r = http_client_send(origin->client, &request, ret_reply, reterr);
    if (r != 0)
        return r == HTTP_E_TIMEOUT ? ORIGIN_E_TOO_MUCH : ORIGIN_E_ASK;
    if (ret_reply->status / 100 != 2)
        r = refused(origin, ret_reply, reterr);
    else if (ret_reply->body_cut)
        r = err_set(reterr, ORIGIN_E_TOO_MUCH, "the answer of %s has more than %zu MiB",
                    origin->url, answer_max >> 20);
    if (r != 0)
        http_response_done(ret_reply);
    return r;
}

/* --- samples --- */

struct window {
    struct origin *origin;
    int64_t from_ms, to_ms; /* both within; of one question */
    origin_visit *visit;
    void *arg;
};

void origin_answer_done(struct origin_answer *answer)
{
    http_response_done(&answer->reply);
}

static int on_series(void *arg, const struct prom_answer_series *series, struct err *reterr)
{
    const struct window *window = arg;
    const struct sample *samples = series->samples;
    size_t n = series->n_samples;

    window->origin->n_histograms += series->n_histograms;
    for (; n > 0 && samples[0].t_ms < window->from_ms; n--)
        samples++;
    while (n > 0 && samples[n - 1].t_ms > window->to_ms)
        n--;
    if (n == 0 && series->n_samples > 0)
        return 0;
    const struct labels *labels = labels_new(series->labels, series->n_labels);
    int r = window->visit(window->arg, labels, samples, n, reterr);
    labels_unref(labels);
    return r;
}

static void on_warning(void *arg, const char *words)
{
    const struct window *window = arg;

    missing_note(window->origin->told, words);
}

int origin_answer_read(struct origin *origin,
                       struct origin_answer *answer,
                       origin_visit *visit,
                       void *arg,
                       struct err *reterr)
{
    struct window window = {origin, answer->from_ms, answer->to_ms, visit, arg};
    int r = prom_answer_read(answer->reply.body, answer->reply.body_len, on_series, on_warning,
                             &window, reterr);

    origin_answer_done(answer);
    return r == PROM_ANSWER_E_SYNTAX ? err_prefix(reterr, ORIGIN_E_ASK, "%s", origin->url) : r;
}

static int ask_samples(struct origin *origin,
                       const char *selector,
                       int64_t end_s,
                       int64_t len_s,
                       struct http_response *ret_reply,
                       struct err *reterr)
{
    STR_AUTO struct str form = STR_INIT(FORM_MAX);

    /* nocache: VictoriaMetrics would move a time close to now otherwise */
    str_addf(&form, "nocache=1&time=%lld&query=", (long long)end_s);
    add_encoded(&form, selector);
    str_addf(&form, "%%5B%llds%%5D", (long long)len_s);
    return ask(origin, "/api/v1/query", &form, ANSWER_MAX, ret_reply, reterr);
}

static int64_t floor_seconds(int64_t t_ms)
{
    return t_ms / 1000 - (t_ms % 1000 < 0);
}

/* Half of it next time; false: less than a second can't be asked for. */
static bool ask_for_less(struct origin *origin, int64_t len_s)
{
    origin->piece_s = len_s / 2;
    origin->n_good = 0;
    if (origin->piece_s >= 1)
        return true;
    origin->piece_s = 1;
    return false;
}

static void ask_for_more(struct origin *origin)
{
    if (++origin->n_good < GROW_AFTER || origin->piece_s == origin->piece_max_s)
        return;
    origin->n_good = 0;
    origin->piece_s = origin->piece_s > origin->piece_max_s / 2 ? origin->piece_max_s
                                                                : origin->piece_s * 2;
}

static int with_place(const char *selector, int64_t at_s, int64_t end_s, struct err *reterr)
{
    char from[CLOCK_TEXT_MAX];
    char to[CLOCK_TEXT_MAX];

    return err_prefix(reterr, ORIGIN_E_ASK, "%.120s from %s to %s", selector,
                      clock_rfc3339(at_s * 1000, from), clock_rfc3339(end_s * 1000, to));
}

int origin_ask(struct origin *origin,
               const char *selector,
               int64_t from_ms,
               int64_t to_ms,
               origin_take *take,
               void *arg,
               struct err *reterr)
{
    int64_t at_s = floor_seconds(from_ms - 1);
    int64_t last_s = -floor_seconds(-to_ms);

    while (at_s < last_s) {
        int64_t len_s = origin->piece_s < last_s - at_s ? origin->piece_s : last_s - at_s;
        struct origin_answer answer = {
            .from_ms = at_s * 1000 < from_ms ? from_ms : at_s * 1000 + 1,
            .to_ms = (at_s + len_s) * 1000 > to_ms ? to_ms : (at_s + len_s) * 1000,
        };
        int r = ask_samples(origin, selector, at_s + len_s, len_s, &answer.reply, reterr);

        if (r == ORIGIN_E_TOO_MUCH && ask_for_less(origin, len_s))
            continue;
        if (r != 0)
            return with_place(selector, at_s, at_s + len_s, reterr);
        r = take(arg, &answer, reterr);
        if (r != 0)
            return r;
        at_s += len_s;
        ask_for_more(origin);
    }
    return 0;
}

struct reading {
    struct origin *origin;
    origin_visit *visit;
    void *arg;
};

static int read_at_once(void *arg, struct origin_answer *answer, struct err *reterr)
{
    const struct reading *reading = arg;

    return origin_answer_read(reading->origin, answer, reading->visit, reading->arg, reterr);
}

int origin_read(struct origin *origin,
                const char *selector,
                int64_t from_ms,
                int64_t to_ms,
                origin_visit *visit,
                void *arg,
                struct err *reterr)
{
    struct reading reading = {origin, visit, arg};

    return origin_ask(origin, selector, from_ms, to_ms, read_at_once, &reading, reterr);
}

static int ask_range(struct origin *origin,
                     const char *expression,
                     const struct origin_steps *steps,
                     struct http_response *ret_reply,
                     struct err *reterr)
{
    STR_AUTO struct str form = STR_INIT(FORM_MAX);

    str_addf(&form, "nocache=1&start=%lld.%03lld&end=%lld.%03lld&step=%lld.%03lld&query=",
             (long long)(steps->start_ms / 1000), (long long)(steps->start_ms % 1000),
             (long long)(steps->end_ms / 1000), (long long)(steps->end_ms % 1000),
             (long long)(steps->step_ms / 1000), (long long)(steps->step_ms % 1000));
    add_encoded(&form, expression);
    return ask(origin, "/api/v1/query_range", &form, ANSWER_MAX, ret_reply, reterr);
}

int origin_range(struct origin *origin,
                 const char *expression,
                 const struct origin_steps *steps,
                 origin_visit *visit,
                 void *arg,
                 struct err *reterr)
{
    int64_t points = POINTS_MAX;

    for (int64_t at_ms = steps->start_ms; at_ms <= steps->end_ms;) {
        struct origin_steps piece = {at_ms, at_ms + (points - 1) * steps->step_ms, steps->step_ms};
        struct origin_answer answer = {.from_ms = steps->start_ms, .to_ms = steps->end_ms};
        piece.end_ms = piece.end_ms < steps->end_ms ? piece.end_ms : steps->end_ms;
        int r = ask_range(origin, expression, &piece, &answer.reply, reterr);
        if (r == ORIGIN_E_TOO_MUCH && points > 1) {
            points /= 2;
            continue;
        }
        if (r != 0)
            return with_place(expression, at_ms / 1000, piece.end_ms / 1000, reterr);
        r = origin_answer_read(origin, &answer, visit, arg, reterr);
        if (r != 0)
            return r;
        at_ms += points * steps->step_ms;
    }
    return 0;
}

int origin_series(struct origin *origin,
                  const char *selector,
                  int64_t from_ms,
                  int64_t to_ms,
                  origin_visit *visit,
                  void *arg,
                  struct err *reterr)
{
    struct origin_answer answer = {.from_ms = from_ms, .to_ms = to_ms};
    STR_AUTO struct str form = STR_INIT(FORM_MAX);

    str_addf(&form, "start=%lld&end=%lld&match%%5B%%5D=", (long long)floor_seconds(from_ms),
             (long long)-floor_seconds(-to_ms));
    add_encoded(&form, selector);
    int r = ask(origin, "/api/v1/series", &form, SERIES_ANSWER_MAX, &answer.reply, reterr);
    if (r != 0)
        return err_prefix(reterr, ORIGIN_E_ASK, "%.120s", selector);
    return origin_answer_read(origin, &answer, visit, arg, reterr);
}
