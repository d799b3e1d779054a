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

#include "alertd/deliver/encode.h"
#include "alertd/deliver/kinds.h"
#include "alertd/deliver/post.h"
#include "alertd/deliver/render.h"
#include "alertd/deliver/secret.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/net/smtp.h"

enum {
    RECIPIENTS_MAX = 64,
    ADDRESS_MAX = 256,
    PART_BYTES_MAX = 256 * 1024,
    MESSAGE_BYTES_MAX = 2 * 1024 * 1024,
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

static void add_headers(const struct route_email *email,
                        const struct page *page,
                        const char *domain,
                        struct str *out)
{
    STR_AUTO struct str subject = STR_INIT(1024);

    render_subject(page, &subject);
    str_add(out, "From: ");
    encode_header(email->from, out);
    str_add(out, "\r\nTo: ");
    encode_header(email->to, out);
    str_add(out, "\r\nSubject: ");
    encode_header(str_text(&subject), out);
    str_add(out, "\r\nDate: ");
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

static void write_message(const struct route_email *email,
                          const struct page *page,
                          const char *domain,
                          struct str *out)
{
    STR_AUTO struct str text = STR_INIT(PART_BYTES_MAX);
    STR_AUTO struct str html = STR_INIT(PART_BYTES_MAX);
    char boundary[48];

    /* a quoted-printable text never holds "=_": the boundary can't be in it */
    (void)snprintf(boundary, sizeof(boundary), "=_%.32s", page->idempotency_key);
    render_text(page, &text);
    render_html(page, &html);
    add_headers(email, page, domain, out);
    str_addf(out, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n", boundary);
    add_part(out, boundary, "text/plain", str_text(&text));
    add_part(out, boundary, "text/html", str_text(&html));
    str_addf(out, "--%s--\r\n", boundary);
}

/* "host:465" -> smtps://host:465, other ports by STARTTLS; our name is the URL's path. */
static void write_url(const struct route_email *email, struct str *out)
{
    const char *port = strrchr(email->smarthost, ':');

    str_addf(out, "%s://%s", port && strcmp(port, ":465") == 0 ? "smtps" : "smtp",
             email->smarthost);
    if (email->hello) {
        str_addc(out, '/');
        encode_percent(email->hello, out);
    }
}

static bool is_final(int code)
{
    return code == SMTP_E_REQUEST || code == SMTP_E_LOGIN || code == SMTP_E_REFUSED;
}

static void hand_over(const struct route_integration *to,
                      const struct recipients *recipients,
                      const char *from,
                      const struct str *message,
                      struct deliver_outcome *outcome)
{
    const struct route_email *email = &to->email;
    STR_AUTO struct str url = STR_INIT(1024);
    MEM_AUTO char *password = NULL;
    struct err err = {0};

    if (secret_read(&email->auth_password, &password, &err)) {
        post_not_made(outcome, &err);
        return;
    }
    write_url(email, &url);

    const struct smtp_mail mail = {
        .url = str_text(&url),
        .starttls = email->require_tls ? SMTP_STARTTLS_REQUIRED : SMTP_STARTTLS_TRY,
        .user = email->auth_username,
        .password = password,
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

void email_send(struct http_client *http,
                const struct route_integration *to,
                const struct page *page,
                struct deliver_outcome *outcome)
{
    STR_AUTO struct str message = STR_INIT(MESSAGE_BYTES_MAX);
    MEM_AUTO struct recipients *recipients = mem_zalloc(sizeof(*recipients));
    char from[ADDRESS_MAX];

    if (!split_recipients(to->email.to, recipients) ||
        !bare_address(to->email.from, strlen(to->email.from), from) || !strchr(from, '@')) {
        post_not_made(outcome, &(struct err){.text = "the mail addresses in the config can't be "
                                                     "read: from one, to at most 64"});
        return;
    }
    write_message(&to->email, page, strchr(from, '@') + 1, &message);
    hand_over(to, recipients, from, &message, outcome);
}
