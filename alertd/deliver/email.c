/*
 * A mail: text and HTML, one thread per incident.
 *
 *   Message-ID    <idempotency key @ domain>     the same in every attempt
 *   References    <root of the incident @ domain> the same in all its mails: a thread
 *   Auto-Submitted: auto-generated (RFC 3834)     nobody's absence note answers it
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/deliver/encode.h"
#include "alertd/deliver/kinds.h"
#include "alertd/deliver/post.h"
#include "alertd/deliver/render.h"
#include "alertd/deliver/secret.h"
#include "alertd/deliver/words.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/net/smtp.h"

enum {
    RECIPIENTS_MAX = 64,
    ADDRESS_MAX = 256,
    PART_BYTES_MAX = 512 * 1024,
    MESSAGE_BYTES_MAX = 4 * 1024 * 1024 - 1,
};

/* "Ana <ana@example.org>" -> ana@example.org; false when there is no room. */
static bool bare_address(const char *text, size_t len, char *ret_address)
{
    const char *end = text + len;
    const char *open = memchr(text, '<', len);
    const char *close = open ? memchr(open, '>', (size_t)(end - open)) : NULL;

    if (open && close) {
        text = open + 1;
        end = close;
    }
    while (text < end && (*text == ' ' || *text == '\t'))
        text++;
    while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (end == text || (size_t)(end - text) >= ADDRESS_MAX)
        return false;
    memcpy(ret_address, text, (size_t)(end - text));
    ret_address[end - text] = '\0';
    return true;
}

struct recipients {
    char text[RECIPIENTS_MAX][ADDRESS_MAX];
    const char *at[RECIPIENTS_MAX];
    size_t n;
};

/* Who it is from and to: as it is written, and what the server is told. */
struct envelope {
    const char *from_text, *to_text;
    struct recipients recipients;
    char from[ADDRESS_MAX];
};

static bool split_recipients(const char *to, struct recipients *ret)
{
    ret->n = 0;
    while (*to) {
        size_t len = strcspn(to, ",");

        if (ret->n == RECIPIENTS_MAX || !bare_address(to, len, ret->text[ret->n]))
            return false;
        ret->at[ret->n] = ret->text[ret->n];
        ret->n++;
        to += len + (to[len] == ',');
    }
    return ret->n > 0;
}

/* RFC 5322's date, always UTC. */
static void add_date(struct str *out, int64_t at_ms)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct clock_utc utc = clock_split_utc(at_ms);

    str_addf(out, "%s, %d %s %d %02d:%02d:%02d +0000", days[utc.weekday], utc.day,
             months[utc.month - 1], utc.year, utc.hour, utc.minute, utc.second);
}

static const char *configured_header(struct words *words, const char *name)
{
    const struct route_pairs *headers = &words->to->email.headers;
    const char *usual = strcmp(name, "Subject") == 0 ? "email.default.subject" : NULL;
    const char *text = NULL;

    for (size_t i = 0; i < headers->n && !text; i++)
        if (strcasecmp(headers->at[i].key, name) == 0)
            text = headers->at[i].value;
    return words_said(words, text, usual, false);
}

static void add_header(struct words *words, const char *name, const char *usual, struct str *out)
{
    const char *own = configured_header(words, name);

    str_addf(out, "%s: ", name);
    encode_header(own && *own ? own : usual, out);
    str_add(out, "\r\n");
}

/* The config file's other headers. */
static void add_own_headers(struct words *words, struct str *out)
{
    static const char token[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    const struct route_pairs *headers = &words->to->email.headers;

    for (size_t i = 0; i < headers->n; i++) {
        const char *name = headers->at[i].key;

        if (!*name || name[strspn(name, token)] || route_mail_header_is_ours(name) ||
            strcasecmp(name, "From") == 0 || strcasecmp(name, "To") == 0 ||
            strcasecmp(name, "Subject") == 0 || !configured_header(words, name))
            continue;
        add_header(words, name, "", out);
    }
}

static void add_headers(struct words *words,
                        const struct envelope *envelope,
                        const char *domain,
                        struct str *out)
{
    const struct page *page = words->page;
    STR_AUTO struct str subject = STR_INIT(1024);

    render_subject(page, &subject);
    add_header(words, "From", envelope->from_text, out);
    add_header(words, "To", envelope->to_text, out);
    /* a practice copy or a test says so, whatever the config file's subject is */
    if (render_mark(page)) {
        str_add(out, "Subject: ");
        encode_header(str_text(&subject), out);
        str_addf(out, "\r\nX-Watchbill-Lane: %s\r\n", page->lane);
    } else {
        add_header(words, "Subject", str_text(&subject), out);
    }
    str_add(out, "Date: ");
    add_date(out, page->now_ms);
    str_addf(out, "\r\nMessage-ID: <%s@%s>", page->idempotency_key, domain);
    if (!page->digest) {
        str_addf(out, "\r\nIn-Reply-To: <incident-%s@%s>", page->root_id, domain);
        str_addf(out, "\r\nReferences: <incident-%s@%s>", page->root_id, domain);
    }
    str_add(out, "\r\nAuto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n");
    str_addf(out, "List-Id: <alertd.%s>\r\n", domain);
    if (!page->digest)
        str_addf(out, "X-Watchbill-Incident: %s\r\n", page->incident.key);
    if (!page->digest && incident_severity_rank(page->incident.severity) == 3 &&
        page->incident.status != INCIDENT_RESOLVED)
        str_add(out, "Importance: high\r\n");
    add_own_headers(words, out);
    str_add(out, "MIME-Version: 1.0\r\n");
}

static void add_part(struct str *out, const char *boundary, const char *type, const char *text)
{
    str_addf(out,
             "--%s\r\nContent-Type: %s; charset=utf-8\r\n"
             "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
             boundary, type);
    encode_quoted_printable(text, out);
    str_add(out, "\r\n");
}

/* The config file's words, or ours. A page that is no real one, and a digest, keep ours. */
static void add_words(struct words *words,
                      const char *configured,
                      const char *usual,
                      void (*render)(const struct page *page, struct str *out),
                      struct str *out)
{
    bool is_none = configured && !*configured; /* `html: ""`: a mail without it */
    bool is_ours = words->page->digest || (render_mark(words->page) && !is_none);
    const char *own = is_ours ? NULL : words_said(words, configured, usual, render == render_html);

    if (own)
        str_add(out, own);
    else
        render(words->page, out);
}

static void write_message(struct words *words,
                          const struct envelope *envelope,
                          const char *domain,
                          struct str *out)
{
    const struct route_email *email = &words->to->email;
    STR_AUTO struct str text = STR_INIT(PART_BYTES_MAX);
    STR_AUTO struct str html = STR_INIT(PART_BYTES_MAX);
    char boundary[48];

    /* a quoted-printable text never holds "=_": the boundary can't be in it */
    (void)snprintf(boundary, sizeof(boundary), "=_%.32s", words->page->idempotency_key);
    add_words(words, email->text, "email.default.text", render_text, &text);
    add_words(words, email->html, "email.default.html", render_html, &html);
    add_headers(words, envelope, domain, out);
    str_addf(out, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n", boundary);
    add_part(out, boundary, "text/plain", str_text(&text));
    if (html.len) /* `html: ""` is how a mail without it is asked for */
        add_part(out, boundary, "text/html", str_text(&html));
    str_addf(out, "--%s--\r\n", boundary);
}

/* "host:465" and implicit TLS: smtps://, others by STARTTLS; our name is the URL's path. */
static void write_url(const struct route_email *email, struct str *out)
{
    const char *port = strrchr(email->smarthost, ':');

    bool at_once = email->implicit_tls || (port && strcmp(port, ":465") == 0);

    str_addf(out, "%s://%s", at_once ? "smtps" : "smtp", email->smarthost);
    if (email->hello) {
        str_addc(out, '/');
        encode_percent(email->hello, out);
    }
}

static bool is_final(int code)
{
    return code == SMTP_E_REQUEST || code == SMTP_E_LOGIN || code == SMTP_E_REFUSED;
}

static bool is_given(const struct route_secret *secret)
{
    return secret->value || secret->file;
}

static void hand_over(const struct route_integration *to,
                      const struct recipients *recipients,
                      const char *from,
                      const struct str *message,
                      struct deliver_outcome *outcome)
{
    const struct route_email *email = &to->email;
    STR_AUTO struct str url = STR_INIT(1024);
    /* a secret without a password: the server is to ask for CRAM-MD5 */
    bool by_secret = !is_given(&email->auth_password) && is_given(&email->auth_secret);
    MEM_AUTO char *password = NULL;
    struct net_way way = {0};
    struct err err = {0};

    if (!post_tls(&email->tls, &way)) {
        post_not_made(outcome,
                      &(struct err){.text = "a TLS version is TLS10, TLS11, TLS12 or TLS13"});
        return;
    }
    if (secret_read(by_secret ? &email->auth_secret : &email->auth_password, &password, &err)) {
        post_not_made(outcome, &err);
        return;
    }
    write_url(email, &url);

    const struct smtp_mail mail = {
        .url = str_text(&url),
        .starttls = email->require_tls ? SMTP_STARTTLS_REQUIRED : SMTP_STARTTLS_TRY,
        .user = email->auth_username,
        .password = password,
        .identity = email->auth_identity,
        .mechanism = by_secret ? "CRAM-MD5" : NULL,
        .way = &way,
        .from = from,
        .to = recipients->at,
        .n_to = recipients->n,
        .message = str_text(message),
        .message_len = message->len,
        .timeout_ms = to->timeout_ms,
    };
    int r = smtp_send(&mail, &err);

    if (r == 0)
        outcome->verdict = DELIVER_ACCEPTED;
    else if (is_final(r))
        outcome->verdict = DELIVER_REFUSED;
    (void)snprintf(outcome->words, sizeof(outcome->words), "%s", r ? err.text : "accepted");
}

/* An address that a template could not make leaves nobody to send to: that is said, not
 * guessed. */
static bool read_envelope(struct words *words, struct envelope *envelope)
{
    const struct route_email *email = &words->to->email;

    envelope->from_text = words_said(words, email->from, NULL, false);
    envelope->to_text = words_said(words, email->to, NULL, false);
    return envelope->from_text && envelope->to_text &&
           split_recipients(envelope->to_text, &envelope->recipients) &&
           bare_address(envelope->from_text, strlen(envelope->from_text), envelope->from) &&
           strchr(envelope->from, '@');
}

void email_send(struct http_client *http,
                const struct route_integration *to,
                const struct page *page,
                struct deliver_outcome *outcome)
{
    STR_AUTO struct str message = STR_INIT(MESSAGE_BYTES_MAX);
    WORDS_AUTO struct words words = WORDS(to, page, outcome);
    MEM_AUTO struct envelope *envelope = mem_zalloc(sizeof(*envelope));

    if (!read_envelope(&words, envelope)) {
        post_not_made(outcome, &(struct err){.text = "the mail addresses in the config can't be "
                                                     "read: from one, to at most 64"});
        return;
    }
    write_message(&words, envelope, strchr(envelope->from, '@') + 1, &message);
    hand_over(to, &envelope->recipients, envelope->from, &message, outcome);
}
