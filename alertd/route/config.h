#pragma once

/*
 * Who is told, and when: alertd's config file, read strictly.
 *
 *     global:     defaults that receivers inherit (smarthost, from ...)
 *     receivers:  a name and its integrations: webhook, email, ntfy, command
 *     route:      the receiver, what groups alerts together, and three times
 *
 * Spelled as in Alertmanager's file where the thing exists there, so that a file can be
 * carried over. A receiver without integrations reaches the dashboard only; that is also
 * what stands in when there is no file (route_config_default_text()).
 *
 * Invariants
 *  (1) a config is never changed after it is made; it is counted, so that a reload can
 *      swap it while notifications are under way.
 *  (2) every integration has a name of its own in the outbox: (receiver, kind, slot).
 *  (3) a secret is held by value or by the path of its file, never both. Files are read
 *      when a page is sent, so a rotated secret needs no reload.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/template/template.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/model/matcher.h"

struct route_interval; /* interval.h */

enum {
    ROUTE_E_CONFIG = 1, /* reterr has line, column and what to do */

    ROUTE_CONFIG_BYTES_MAX = 1024 * 1024,
    ROUTE_RECEIVERS_MAX = 256,
    ROUTE_NODES_MAX = 2000, /* of the tree */
    ROUTE_DEPTH_MAX = 20,
    ROUTE_MATCHERS_MAX = 64, /* of one route or side of an inhibit rule */
    ROUTE_INHIBIT_RULES_MAX = 500,
    ROUTE_INTERVALS_MAX = 500, /* named ones */
    ROUTE_TEMPLATE_FILES_MAX = 64,
    ROUTE_TEMPLATE_BYTES_MAX = 1024 * 1024, /* of all of them */
    ROUTE_PAIRS_MAX = 64,        /* details, mail headers, fields of a Slack attachment */
    ROUTE_INTEGRATIONS_MAX = 64, /* in all: each has a worker thread */
    ROUTE_GROUP_BY_MAX = 32,
    ROUTE_ARGUMENTS_MAX = 64,
};

enum route_kind {
    ROUTE_DASHBOARD, /* nobody outside is told */
    ROUTE_WEBHOOK,
    ROUTE_EMAIL,
    ROUTE_NTFY,
    ROUTE_COMMAND,
    ROUTE_SLACK,
    ROUTE_TELEGRAM,
    ROUTE_PAGERDUTY,
    ROUTE_ONCALL, /* nothing is sent to it: it begins an escalation, and that pages people */
};

struct route_names {
    const char **at;
    size_t n;
};

struct route_secret {
    const char *value; /* NULL when it is in a file or was not given */
    const char *file;
};

struct route_authorization {
    const char *type; /* "Bearer" */
    struct route_secret credentials;
};

struct route_basic_auth {
    const char *username;
    struct route_secret password;
};

struct route_tls {
    const char *ca_file, *cert_file, *key_file; /* paths */
    const char *server_name;
    const char *min_version, *max_version; /* "TLS12" ... */
    bool insecure_skip_verify;
};

struct route_http {
    struct route_authorization authorization;
    struct route_basic_auth basic_auth;
    struct route_secret bearer_token; /* the old spelling of authorization */
    struct route_tls tls;
    const char *proxy_url;
    const char *no_proxy;
    bool proxy_from_environment;
    bool no_follow_redirects;
    bool no_http2;
};

/* key: template, in the file's order. */
struct route_pair {
    const char *key, *value;
};

struct route_pairs {
    struct route_pair *at;
    size_t n;
};

/* A field's template, as it stands and parsed. */
struct route_text {
    const char *text; /* the field points to it */
    const char *key;  /* the field's: "title" */
    unsigned line, column;
    const struct tmpl *parsed;
};

struct route_texts {
    struct tmpl_library library;
    struct route_text *at;
    size_t n, capacity;
};

struct route_webhook {
    struct route_secret url;
    struct route_http http;
    int64_t max_alerts; /* in one payload; 0: no limit of its own */
};

struct route_email {
    const char *to;        /* addresses with commas between, or a template of them */
    const char *from;      /* inherited from global */
    const char *smarthost; /* host:port */
    const char *hello;
    const char *auth_username;
    struct route_secret auth_password;
    bool require_tls;
    bool implicit_tls;               /* force_implicit_tls, or port 465 */
    const char *auth_identity;       /* for PLAIN */
    struct route_secret auth_secret; /* for CRAM-MD5 */
    struct route_tls tls;
    struct route_pairs headers; /* templates; "Subject" among them */
    const char *html, *text;    /* templates; NULL: our own words */
};

struct route_ntfy {
    const char *url; /* the server's root */
    const char *topic;
    struct route_secret token;
    int64_t priority;            /* 1..5; 0: by severity */
    const char *title, *message; /* templates; NULL: our own words */
};

struct route_command {
    const char **argv; /* NULL-terminated; argv[0] is an absolute path */
};

struct route_slack_field {
    const char *title, *value; /* templates */
    bool is_short;
};

/* An incoming webhook's attachment. Texts are templates; NULL: our own words. */
struct route_slack {
    struct route_secret api_url;   /* an incoming webhook's, or app_url when there is a token */
    struct route_secret app_token; /* of a bot; then api_url takes chat.postMessage */
    const char *app_url;
    bool update_message; /* change the first message instead of posting another */
    struct route_http http;
    const char *channel, *username, *color;
    const char *title, *title_link, *pretext, *text, *fallback, *footer;
    const char *icon_emoji, *icon_url, *image_url, *thumb_url, *callback_id;
    struct route_names mrkdwn_in;
    struct route_slack_field *fields;
    size_t n_fields;
    bool short_fields, link_names;
};

struct route_telegram {
    const char *api_url; /* https://api.telegram.org */
    struct route_secret bot_token;
    struct route_http http;
    int64_t chat_id; /* negative for groups */
    struct route_secret chat_id_file;
    int64_t message_thread_id; /* 0: none */
    const char *message;       /* template; NULL: our own words */
    const char *parse_mode;    /* "", "HTML", "Markdown", "MarkdownV2" */
    bool disable_notifications;
};

/* Events API v2. Texts are templates; NULL: our own words. */
struct route_pagerduty {
    const char *url;
    struct route_secret routing_key;
    struct route_http http;
    const char *client, *client_url, *description, *severity;
    const char *source, *class, *component, *group;
    struct route_pairs details;
};

/* An escalation policy, by the name it has in the database. */
struct route_oncall {
    const char *policy;
};

struct route_integration {
    enum route_kind kind;
    const char *receiver; /* its receiver's name */
    unsigned slot;        /* index among the receiver's integrations of this kind */
    bool send_resolved;
    int64_t timeout_ms;              /* of one attempt */
    int64_t max_per_second;          /* 0: no limit */
    int64_t digest_above;            /* a minute; 0: never folded */
    const struct route_texts *texts; /* of its config; NULL: made by hand, without templates */
    union {
        struct route_webhook webhook;
        struct route_email email;
        struct route_ntfy ntfy;
        struct route_command command;
        struct route_slack slack;
        struct route_telegram telegram;
        struct route_pagerduty pagerduty;
        struct route_oncall oncall;
    };
};

struct route_receiver {
    const char *name;
    struct route_integration *integrations; /* never empty: dashboard stands in */
    size_t n_integrations;
    const struct route_receiver *failover; /* told as well when this can't be; NULL: nobody */
    int64_t failover_after_ms;             /* of trying; what is refused goes there at once */
    unsigned line, column;
};

struct route_times {
    int64_t group_wait_ms;      /* an incident's first page waits so long for company */
    int64_t group_interval_ms;  /* between pages about new alerts of one incident */
    int64_t repeat_interval_ms; /* until acknowledged or over */
};

/* One route of the tree, what it inherits filled in. */
struct route_node {
    const struct route_node *parent; /* NULL: the root */
    struct route_node *children;
    size_t n_children;
    const struct route_receiver *receiver;
    struct matcher *matchers; /* in Alertmanager's order: by name, value, type */
    size_t n_matchers;
    struct route_names group_by;
    bool group_by_all;
    bool goes_on; /* `continue`: the next sibling is asked too */
    struct route_times times;
    const struct route_interval **mute; /* not told while one of them holds */
    size_t n_mute;
    const struct route_interval **active; /* told only while one of them holds; none: always */
    size_t n_active;
    struct route_pairs own_labels; /* besides its parent's; values are templates */
    const char *key;               /* Alertmanager's: `{}/{severity="page"}` */
    const char *id; /* unique: `{}/{severity="page"}/0`, with the place among its siblings */
    unsigned index; /* in the file's order; the root is 0 */
    unsigned line, column;
};

/* While a source fires, targets with the same values of `equal` are not told. */
struct route_inhibit_rule {
    const char *name; /* NULL: it has none */
    struct matcher *sources;
    size_t n_sources;
    struct matcher *targets;
    size_t n_targets;
    struct route_names equal;
    unsigned line, column;
};

struct route_config {
    const char *external_url; /* NULL: not set here */
    int64_t resolve_timeout_ms;
    struct route_receiver *receivers;
    size_t n_receivers;
    const struct route_receiver *receiver; /* the route's */
    struct route_names group_by;           /* label names, sorted */
    bool group_by_all;                     /* it was "..." */
    struct route_times times;

    const struct route_node *root; /* the fields above are the root's */
    size_t n_nodes;
    const struct route_inhibit_rule *inhibit_rules;
    size_t n_inhibit_rules;
    const struct route_interval *const *intervals; /* time_intervals, mute_time_intervals */
    size_t n_intervals;
    struct route_names templates; /* globs, absolute when base_folder is */
    unsigned templates_line, templates_column;
    struct route_texts texts;
    struct route_names warnings; /* "4:5: ...": what would be read otherwise elsewhere */
    struct route_names unused;   /* "4:5: key: why": read, without effect */
};

/* The value of an environment variable or NULL; the shell passes getenv's. */
typedef const char *route_environment(void *arg, const char *name);

/* Reads a config file's text. Relative paths in it are under base_folder. Counted once;
 * give it back with route_config_unref(). 0 or ROUTE_E_CONFIG. */
int route_config_parse(const char *text,
                       size_t len,
                       const char *base_folder,
                       route_environment *environment,
                       void *environment_arg,
                       const struct route_config **ret_config,
                       struct err *reterr);
/* Gives take() every file that a pattern names, in the order of their names; none is fine. What
 * take() answers ends it. */
typedef int route_take_file(
    void *arg, const char *path, const char *text, size_t len, struct err *reterr);
typedef int route_files(
    const char *pattern, size_t bytes_max, route_take_file *take, void *arg, struct err *reterr);
/* Reads the files of `templates:` and looks for every template that is called. Once, before
 * anybody shares the config. 0 or ROUTE_E_CONFIG. */
int route_config_read_templates(const struct route_config *config,
                                route_files *files,
                                struct err *reterr);
/* A mail header that makes it a mail and a thread: what a config file says of it has no effect. */
bool route_mail_header_is_ours(const char *name);
/* The template that a field's text is, by its address; NULL: it is no template. */
const struct route_text *route_text_find(const struct route_texts *texts, const char *text);

/* What is used without a file; parses with route_config_parse(). */
const char *route_config_default_text(void);

/* Every key of the file as Markdown tables, from the tables that read it. */
void route_config_manual(struct str *out);

const struct route_config *route_config_ref(const struct route_config *config);
void route_config_unref(const struct route_config *config); /* NULL is fine */

/* "webhook", "email" ...; the API's and the outbox' spelling. */
const char *route_kind_name(enum route_kind kind);
/* NULL when the config has no such integration (any more). A loan. */
const struct route_integration *route_config_find(const struct route_config *config,
                                                  const char *receiver,
                                                  const char *kind,
                                                  unsigned slot);
