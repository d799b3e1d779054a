/*
 * One mail, handed to one server. See smtp.h.
 */

#include "lib/net/smtp.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/str.h"
#include "lib/net/curl_load.h"
#include "lib/net/curl_way.h"

enum {
    SMTP_TIMEOUT_MS = 30000,
    CONNECT_MS = 10000,
    MESSAGE_MAX = 4 * 1024 * 1024,
    ADDRESS_MAX = 320, /* 64 @ 255, RFC 5321 */
};

/* What libcurl reads the message from. */
struct upload {
    const char *at;
    size_t left;
};

static size_t give(char *room, size_t size, size_t n, void *from)
{
    struct upload *upload = from;
    size_t len = size * n < upload->left ? size * n : upload->left;

    memcpy(room, upload->at, len);
    upload->at += len;
    upload->left -= len;
    return len;
}

/* An address goes into a command line of the protocol: nothing in it may end that. */
static bool address_is_ok(const char *address)
{
    size_t len = strlen(address);

    if (len == 0 || len > ADDRESS_MAX)
        return false;
    for (; *address; address++)
        if ((unsigned char)*address <= ' ' || *address == '<' || *address == '>' ||
            (unsigned char)*address == 127)
            return false;
    return true;
}

static int check(const struct smtp_mail *mail, struct err *reterr)
{
    if (strncasecmp(mail->url, "smtp://", 7) != 0 && strncasecmp(mail->url, "smtps://", 8) != 0)
        return err_set(reterr, SMTP_E_REQUEST, "\"%.100s\" is neither smtp:// nor smtps://",
                       mail->url);
    if (!address_is_ok(mail->from))
        return err_set(reterr, SMTP_E_REQUEST, "from: \"%.100s\" is not a mail address",
                       mail->from);
    if (mail->n_to == 0)
        return err_set(reterr, SMTP_E_REQUEST, "the mail has no recipient");
    for (size_t i = 0; i < mail->n_to; i++)
        if (!address_is_ok(mail->to[i]))
            return err_set(reterr, SMTP_E_REQUEST, "to: \"%.100s\" is not a mail address",
                           mail->to[i]);
    return 0;
}

/* Every line end becomes CR LF, whatever it was. */
static void add_with_crlf(struct str *out, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        const char *feed = memchr(text, '\n', (size_t)(end - text));
        const char *stop = feed ? feed : end;
        size_t kept = (size_t)(stop - text);

        if (feed && kept && text[kept - 1] == '\r')
            kept--;
        str_addn(out, text, kept);
        if (feed)
            str_add(out, "\r\n");
        text = feed ? feed + 1 : end;
    }
}

static int error_of(CURLcode code, long reply)
{
    switch ((int)code) { /* the few that say whose fault it is; libcurl has a hundred */
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return SMTP_E_REQUEST;
    case CURLE_OPERATION_TIMEDOUT: return SMTP_E_TIMEOUT;
    case CURLE_LOGIN_DENIED: return SMTP_E_LOGIN;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION: return SMTP_E_CONNECT;
    default: break;
    }
    if (reply >= 500)
        return SMTP_E_REFUSED;
    return reply >= 400 ? SMTP_E_TEMPORARY : SMTP_E_REPLY;
}

static long starttls_of(enum smtp_starttls policy)
{
    switch (policy) {
    case SMTP_STARTTLS_REQUIRED: return CURLUSESSL_ALL;
    case SMTP_STARTTLS_TRY: return CURLUSESSL_TRY;
    case SMTP_STARTTLS_OFF: return CURLUSESSL_NONE;
    }
    return CURLUSESSL_ALL;
}

static void set_options(const struct curl_api *api, CURL *easy, const struct smtp_mail *mail)
{
    long timeout_ms = mail->timeout_ms > 0 ? (long)mail->timeout_ms : SMTP_TIMEOUT_MS;

    api->easy_setopt(easy, CURLOPT_URL, mail->url);
    api->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    api->easy_setopt(easy, CURLOPT_USE_SSL, starttls_of(mail->starttls));
    api->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    api->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    api->easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    api->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     timeout_ms < CONNECT_MS ? timeout_ms : (long)CONNECT_MS);
    if (mail->user) {
        api->easy_setopt(easy, CURLOPT_USERNAME, mail->user);
        api->easy_setopt(easy, CURLOPT_PASSWORD, mail->password ? mail->password : "");
    }
    if (mail->identity)
        api->easy_setopt(easy, CURLOPT_SASL_AUTHZID, mail->identity);
    if (mail->mechanism) {
        char option[64];

        (void)snprintf(option, sizeof(option), "AUTH=%s", mail->mechanism);
        api->easy_setopt(easy, CURLOPT_LOGIN_OPTIONS, option);
    }
}

/* Behind set_options(). The URL is ours: scheme://host[:port][/name] */
static void set_way(const struct curl_api *api,
                    CURL *easy,
                    const struct smtp_mail *mail,
                    struct curl_way *ret_way)
{
    STR_AUTO struct str scheme = STR_INIT(16);
    STR_AUTO struct str authority = STR_INIT(1024);
    const char *host = strstr(mail->url, "://") + 3;
    size_t len = strcspn(host, "/");
    const char *colon = memrchr(host, ':', len);
    bool has_port = colon && !memchr(colon, ']', len - (size_t)(colon - host));
    unsigned usual = strncasecmp(mail->url, "smtps", 5) == 0 ? 465 : 25;
    unsigned port = has_port ? (unsigned)strtoul(colon + 1, NULL, 10) : usual;

    str_addn(&scheme, mail->url, (size_t)(host - mail->url));
    str_addn(&authority, host, has_port ? (size_t)(colon - host) : len);
    str_addf(&authority, ":%u", port);
    curl_way_set(api, easy, mail->way,
                 &(struct curl_way_url){str_text(&scheme), str_text(&authority), port, host + len},
                 ret_way);
}

static int perform(const struct curl_api *api,
                   CURL *easy,
                   const struct smtp_mail *mail,
                   struct upload *upload,
                   struct err *reterr)
{
    struct curl_slist *to = NULL;
    struct curl_way way;
    char words[CURL_ERROR_SIZE] = "";
    long reply = 0;

    for (size_t i = 0; i < mail->n_to; i++)
        to = api->slist_append(to, mail->to[i]);
    set_options(api, easy, mail);
    set_way(api, easy, mail, &way);
    api->easy_setopt(easy, CURLOPT_MAIL_FROM, mail->from);
    api->easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
    api->easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    api->easy_setopt(easy, CURLOPT_READFUNCTION, give);
    api->easy_setopt(easy, CURLOPT_READDATA, upload);
    api->easy_setopt(easy, CURLOPT_ERRORBUFFER, words);

    CURLcode code = api->easy_perform(easy);

    api->easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply);
    api->slist_free_all(to);
    api->easy_setopt(easy, CURLOPT_CONNECT_TO, NULL);
    curl_way_done(api, &way);
    if (code == CURLE_OK)
        return 0;
    return err_set(reterr, error_of(code, reply), "%s: %s (last reply %ld)", mail->url,
                   words[0] ? words : api->easy_strerror(code), reply);
}

int smtp_send(const struct smtp_mail *mail, struct err *reterr)
{
    STR_AUTO struct str message = STR_INIT(MESSAGE_MAX);
    struct curl_api api;
    int r = check(mail, reterr);

    if (r)
        return r;
    add_with_crlf(&message, mail->message, mail->message_len);
    if (message.full)
        return err_set(reterr, SMTP_E_REQUEST, "the mail is larger than %d bytes", MESSAGE_MAX);
    r = curl_load(&api, reterr);
    if (r)
        return r;

    CURL *easy = api.easy_init();

    if (!easy)
        return err_set(reterr, SMTP_E_REPLY, "libcurl gives no handle");

    struct upload upload = {str_text(&message), message.len};

    r = perform(&api, easy, mail, &upload, reterr);
    api.easy_cleanup(easy);
    return r;
}

const char *smtp_error_name(int code)
{
    static const char *const names[] = {
        [SMTP_E_REQUEST] = "request",     [SMTP_E_CONNECT] = "connect",
        [SMTP_E_TIMEOUT] = "timeout",     [SMTP_E_LOGIN] = "login",
        [SMTP_E_TEMPORARY] = "temporary", [SMTP_E_REFUSED] = "refused",
        [SMTP_E_REPLY] = "reply",
    };

    return code >= SMTP_E_REQUEST && code <= SMTP_E_REPLY ? names[code] : "system";
}
