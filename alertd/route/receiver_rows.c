/*
 * What each kind of integration is made of: a table of fields per kind, and the table of
 * kinds. A new kind is a row there, its fields, its struct in config.h and its check in
 * receiver.c.
 */

#include "alertd/route/receiver.h"

#define AT(member) offsetof(struct route_integration, member)
#define END_OF_ROWS                     \
    {                                   \
        NULL, FIELD_TEXT, 0, NULL, NULL \
    }
#define SEND_RESOLVED                                                 \
    {                                                                 \
        "send_resolved", FIELD_BOOL, AT(send_resolved),               \
            "tell when it is over; true, mail and Slack: false", NULL \
    }
#define TIMEOUT                                                                                  \
    {                                                                                            \
        "timeout", FIELD_DURATION, AT(timeout_ms), "the longest one attempt may take; 10s", NULL \
    }

/* How fast it may be told, and when pages are folded: incident/pace.h. */
#define PACE                                                                                      \
    {"max_per_second", FIELD_COUNT, AT(max_per_second),                                           \
     "notifications a second at most; 2; 0: no limit", NULL},                                     \
    {                                                                                             \
        "digest_above", FIELD_COUNT, AT(digest_above),                                            \
            "more than so many a minute are told together, in a digest; 20, PagerDuty: 0: never", \
            NULL                                                                                  \
    }

static const struct field authorization_rows[] = {
    {"type", FIELD_TEXT, offsetof(struct route_authorization, type),
     "the scheme of the Authorization header; Bearer", NULL},
    {"credentials", FIELD_SECRET, offsetof(struct route_authorization, credentials),
     "what follows the scheme", NULL},
    {"credentials_file", FIELD_SECRET_FILE, offsetof(struct route_authorization, credentials),
     "the same, from a file", NULL},
    END_OF_ROWS,
};

static const struct field basic_auth_rows[] = {
    {"username", FIELD_TEXT, offsetof(struct route_basic_auth, username),
     "for basic authentication", NULL},
    {"password", FIELD_PASSWORD, offsetof(struct route_basic_auth, password), "its password", NULL},
    {"password_file", FIELD_SECRET_FILE, offsetof(struct route_basic_auth, password),
     "the same, from a file", NULL},
    END_OF_ROWS,
};

const struct field receiver_tls_rows[] = {
    {"ca_file", FIELD_PATH, offsetof(struct route_tls, ca_file), "who may sign the server", NULL},
    {"cert_file", FIELD_PATH, offsetof(struct route_tls, cert_file), "our certificate", NULL},
    {"key_file", FIELD_PATH, offsetof(struct route_tls, key_file), "its key", NULL},
    {"server_name", FIELD_TEXT, offsetof(struct route_tls, server_name),
     "the name the server's certificate must bear", NULL},
    {"insecure_skip_verify", FIELD_BOOL, offsetof(struct route_tls, insecure_skip_verify),
     "take any certificate; false", NULL},
    {"min_version", FIELD_TEXT, offsetof(struct route_tls, min_version), "such as TLS12", NULL},
    {"max_version", FIELD_TEXT, offsetof(struct route_tls, max_version), "such as TLS13", NULL},
    {"ca", FIELD_REFUSED, 0, "write it to a file and name it in ca_file", NULL},
    {"cert", FIELD_REFUSED, 0, "write it to a file and name it in cert_file", NULL},
    {"key", FIELD_REFUSED, 0, "write it to a file and name it in key_file", NULL},
    END_OF_ROWS,
};

const struct field receiver_http_rows[] = {
    {"authorization", FIELD_MAP, offsetof(struct route_http, authorization),
     "the Authorization header", authorization_rows},
    {"basic_auth", FIELD_MAP, offsetof(struct route_http, basic_auth), "the same, the old way",
     basic_auth_rows},
    {"bearer_token", FIELD_SECRET, offsetof(struct route_http, bearer_token),
     "authorization in its old spelling", NULL},
    {"bearer_token_file", FIELD_SECRET_FILE, offsetof(struct route_http, bearer_token),
     "the same, from a file", NULL},
    {"tls_config", FIELD_MAP, offsetof(struct route_http, tls), "", receiver_tls_rows},
    {"proxy_url", FIELD_TEXT, offsetof(struct route_http, proxy_url), "through this proxy", NULL},
    {"no_proxy", FIELD_TEXT, offsetof(struct route_http, no_proxy), "but not to these", NULL},
    {"proxy_from_environment", FIELD_BOOL, offsetof(struct route_http, proxy_from_environment),
     "true is refused: write it as proxy_url", NULL},
    {"follow_redirects", FIELD_NOT_BOOL, offsetof(struct route_http, no_follow_redirects), "true",
     NULL},
    {"enable_http2", FIELD_NOT_BOOL, offsetof(struct route_http, no_http2), "true", NULL},
    {"oauth2", FIELD_REFUSED, 0, "use authorization with a token", NULL},
    {"http_headers", FIELD_REFUSED, 0, "use authorization or basic_auth", NULL},
    {"proxy_connect_header", FIELD_REFUSED, 0, "the proxy gets no headers of its own", NULL},
    END_OF_ROWS,
};

static const struct field webhook_rows[] = {
    {"url", FIELD_SECRET_URL, AT(webhook.url), "where the payload is posted", NULL},
    {"url_file", FIELD_SECRET_FILE, AT(webhook.url), "a file that holds it", NULL},
    {"http_config", FIELD_MAP, AT(webhook.http), "who we say we are", receiver_http_rows},
    {"max_alerts", FIELD_COUNT, AT(webhook.max_alerts), "alerts in one payload; 0 is all", NULL},
    {"payload", FIELD_REFUSED, 0, "the payload is Alertmanager's version 4", NULL},
    SEND_RESOLVED,
    TIMEOUT,
    PACE,
    END_OF_ROWS,
};

static const struct field email_rows[] = {
    {"to", FIELD_ADDRESSES, AT(email.to), "addresses, commas between", NULL},
    {"from", FIELD_ADDRESSES, AT(email.from), "the sender; global.smtp_from", NULL},
    {"smarthost", FIELD_HOST_PORT, AT(email.smarthost), "the mail server; global.smtp_smarthost",
     NULL},
    {"hello", FIELD_TEXT, AT(email.hello), "our name in EHLO", NULL},
    {"auth_username", FIELD_TEXT, AT(email.auth_username), "login, when the server wants one",
     NULL},
    {"auth_password", FIELD_PASSWORD, AT(email.auth_password), "its password", NULL},
    {"auth_password_file", FIELD_SECRET_FILE, AT(email.auth_password), "the same, from a file",
     NULL},
    {"require_tls", FIELD_BOOL, AT(email.require_tls), "refuse a server without TLS; true", NULL},
    {"force_implicit_tls", FIELD_BOOL, AT(email.implicit_tls), "TLS at once; on port 465 anyway",
     NULL},
    {"auth_identity", FIELD_TEXT, AT(email.auth_identity), "who to act as, for PLAIN", NULL},
    {"auth_secret", FIELD_PASSWORD, AT(email.auth_secret), "for CRAM-MD5", NULL},
    {"auth_secret_file", FIELD_SECRET_FILE, AT(email.auth_secret), "the same, from a file", NULL},
    {"tls_config", FIELD_MAP, AT(email.tls), "", receiver_tls_rows},
    {"headers", FIELD_PAIRS, AT(email.headers), "templates of headers, Subject among them", NULL},
    {"html", FIELD_TEMPLATE, AT(email.html), "template of the HTML body", NULL},
    {"text", FIELD_TEMPLATE, AT(email.text), "template of the text body", NULL},
    {"threading", FIELD_UNUSED, 0, "mails of an incident are threaded anyway", NULL},
    SEND_RESOLVED,
    TIMEOUT,
    PACE,
    END_OF_ROWS,
};

static const struct field ntfy_rows[] = {
    {"url", FIELD_URL, AT(ntfy.url), "the server's root", NULL},
    {"topic", FIELD_TEXT, AT(ntfy.topic), "what the phone subscribed to", NULL},
    {"token", FIELD_SECRET, AT(ntfy.token), "access token", NULL},
    {"token_file", FIELD_SECRET_FILE, AT(ntfy.token), "the same, from a file", NULL},
    {"priority", FIELD_COUNT, AT(ntfy.priority), "1 to 5; by severity when absent", NULL},
    {"title", FIELD_TEMPLATE, AT(ntfy.title), "its headline", NULL},
    {"message", FIELD_TEMPLATE, AT(ntfy.message), "template of the text", NULL},
    SEND_RESOLVED,
    TIMEOUT,
    PACE,
    END_OF_ROWS,
};

static const struct field command_rows[] = {
    {"argv", FIELD_ARGV, AT(command.argv), "program and arguments; no shell", NULL},
    SEND_RESOLVED,
    TIMEOUT,
    PACE,
    END_OF_ROWS,
};

static const struct field slack_rows[] = {
    {"api_url", FIELD_SECRET_URL, AT(slack.api_url), "the incoming webhook; global.slack_api_url",
     NULL},
    {"api_url_file", FIELD_SECRET_FILE, AT(slack.api_url), "a file that holds it", NULL},
    {"app_token", FIELD_SECRET, AT(slack.app_token), "a bot's token; global.slack_app_token", NULL},
    {"app_token_file", FIELD_SECRET_FILE, AT(slack.app_token), "the same, from a file", NULL},
    {"app_url", FIELD_URL, AT(slack.app_url), "where the bot posts; global.slack_app_url", NULL},
    {"update_message", FIELD_BOOL, AT(slack.update_message),
     "true is refused: each notification is a message of its own", NULL},
    {"http_config", FIELD_MAP, AT(slack.http), "who we say we are", receiver_http_rows},
    {"channel", FIELD_TEMPLATE, AT(slack.channel), "#channel or @person", NULL},
    {"username", FIELD_TEMPLATE, AT(slack.username), "whose name it bears", NULL},
    {"color", FIELD_TEMPLATE, AT(slack.color), "of the bar beside it", NULL},
    {"title", FIELD_TEMPLATE, AT(slack.title), "its headline", NULL},
    {"title_link", FIELD_TEMPLATE, AT(slack.title_link), "where the headline leads", NULL},
    {"pretext", FIELD_TEMPLATE, AT(slack.pretext), "above the headline", NULL},
    {"text", FIELD_TEMPLATE, AT(slack.text), "below the headline", NULL},
    {"fallback", FIELD_TEMPLATE, AT(slack.fallback), "where attachments are not shown", NULL},
    {"footer", FIELD_TEMPLATE, AT(slack.footer), "the last line", NULL},
    {"fields", FIELD_SLACK_FIELDS, AT(slack.fields), "title, value and short of each", NULL},
    {"short_fields", FIELD_BOOL, AT(slack.short_fields), "fields beside each other; false", NULL},
    {"icon_emoji", FIELD_TEMPLATE, AT(slack.icon_emoji), "its picture, an emoji", NULL},
    {"icon_url", FIELD_TEMPLATE, AT(slack.icon_url), "its picture", NULL},
    {"image_url", FIELD_TEMPLATE, AT(slack.image_url), "a picture in it", NULL},
    {"thumb_url", FIELD_TEMPLATE, AT(slack.thumb_url), "a small picture in it", NULL},
    {"callback_id", FIELD_TEMPLATE, AT(slack.callback_id), "what Slack says back", NULL},
    {"link_names", FIELD_BOOL, AT(slack.link_names), "@names are linked; false", NULL},
    {"mrkdwn_in", FIELD_TEXTS, AT(slack.mrkdwn_in), "parts in which markup is read", NULL},
    {"message_text", FIELD_REFUSED, 0, "use text", NULL},
    {"actions", FIELD_UNUSED, 0, "buttons need a Slack application that answers", NULL},
    SEND_RESOLVED,
    TIMEOUT,
    PACE,
    END_OF_ROWS,
};

static const struct field telegram_rows[] = {
    {"api_url", FIELD_URL, AT(telegram.api_url), "global.telegram_api_url", NULL},
    {"bot_token", FIELD_SECRET, AT(telegram.bot_token), "global.telegram_bot_token", NULL},
    {"bot_token_file", FIELD_SECRET_FILE, AT(telegram.bot_token), "the same, from a file", NULL},
    {"chat_id", FIELD_INT, AT(telegram.chat_id), "who is told; a group's is negative", NULL},
    {"chat_id_file", FIELD_SECRET_FILE, AT(telegram.chat_id_file), "a file that holds it", NULL},
    {"message_thread_id", FIELD_COUNT, AT(telegram.message_thread_id), "the topic of a group",
     NULL},
    {"message", FIELD_TEMPLATE, AT(telegram.message), "template of the text", NULL},
    {"parse_mode", FIELD_TEXT, AT(telegram.parse_mode), "HTML, Markdown, MarkdownV2 or empty",
     NULL},
    {"disable_notifications", FIELD_BOOL, AT(telegram.disable_notifications),
     "without a sound; false", NULL},
    {"http_config", FIELD_MAP, AT(telegram.http), "the proxy, mostly", receiver_http_rows},
    SEND_RESOLVED,
    TIMEOUT,
    PACE,
    END_OF_ROWS,
};

static const struct field pagerduty_rows[] = {
    {"routing_key", FIELD_SECRET, AT(pagerduty.routing_key), "the integration's key", NULL},
    {"routing_key_file", FIELD_SECRET_FILE, AT(pagerduty.routing_key), "the same, from a file",
     NULL},
    {"service_key", FIELD_REFUSED, 0,
     "that is Events API v1: make an Events API v2 integration and give its routing_key", NULL},
    {"service_key_file", FIELD_REFUSED, 0,
     "that is Events API v1: make an Events API v2 integration and give its routing_key", NULL},
    {"url", FIELD_URL, AT(pagerduty.url), "global.pagerduty_url", NULL},
    {"client", FIELD_TEMPLATE, AT(pagerduty.client), "who sends it", NULL},
    {"client_url", FIELD_TEMPLATE, AT(pagerduty.client_url), "where that leads", NULL},
    {"description", FIELD_TEMPLATE, AT(pagerduty.description), "its headline", NULL},
    {"severity", FIELD_TEMPLATE, AT(pagerduty.severity), "critical, error, warning or info", NULL},
    {"source", FIELD_TEMPLATE, AT(pagerduty.source), "what is affected; the client", NULL},
    {"class", FIELD_TEMPLATE, AT(pagerduty.class), "the kind of event", NULL},
    {"component", FIELD_TEMPLATE, AT(pagerduty.component), "the part that is affected", NULL},
    {"group", FIELD_TEMPLATE, AT(pagerduty.group), "what parts belong together", NULL},
    {"details", FIELD_PAIRS, AT(pagerduty.details), "templates, by any name", NULL},
    {"images", FIELD_UNUSED, 0, "not sent", NULL},
    {"links", FIELD_UNUSED, 0, "not sent: the incident's own link is", NULL},
    {"http_config", FIELD_MAP, AT(pagerduty.http), "the proxy, mostly", receiver_http_rows},
    SEND_RESOLVED,
    TIMEOUT,
    PACE,
    END_OF_ROWS,
};

static const struct field oncall_rows[] = {
    {"policy", FIELD_TEXT, AT(oncall.policy), "the escalation policy that pages people", NULL},
    END_OF_ROWS,
};

/* send_resolved as Alertmanager: mail and Slack about the end only when asked for. */
const struct receiver_kind receiver_kinds[] = {
    {"webhook_configs", ROUTE_WEBHOOK, true, webhook_rows},
    {"email_configs", ROUTE_EMAIL, false, email_rows},
    {"ntfy_configs", ROUTE_NTFY, true, ntfy_rows},
    {"command_configs", ROUTE_COMMAND, true, command_rows},
    {"slack_configs", ROUTE_SLACK, false, slack_rows},
    {"telegram_configs", ROUTE_TELEGRAM, true, telegram_rows},
    {"pagerduty_configs", ROUTE_PAGERDUTY, true, pagerduty_rows},
    {"oncall_configs", ROUTE_ONCALL, true, oncall_rows},
    {NULL, ROUTE_DASHBOARD, false, NULL},
};
