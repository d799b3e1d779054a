/*
 * The receivers of the config file: names, what they inherit, and whether an
 * integration makes sense. Its fields are in receiver_rows.c.
 */

#include "alertd/route/receiver.h"

#include <string.h>
#include <strings.h>

#include "alertd/route/way.h"

enum {
    ATTEMPT_MS = 10000,
    ATTEMPT_MS_MAX = 60000,
    PER_SECOND = 2,
    PER_MINUTE = 20,
    RECEIVER_KEYS_MAX = 16,
    FAILOVER_AFTER_MS = 5 * 60 * 1000,
};

bool route_mail_header_is_ours(const char *name)
{
    static const char *const ours[] = {
        "Date",
        "Message-ID",
        "In-Reply-To",
        "References",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
        "Auto-Submitted",
        "X-Watchbill-Incident",
        "X-Watchbill-Lane",
    };

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (strcasecmp(ours[i], name) == 0)
            return true;
    return false;
}

static int missing(const struct yaml_node *node, const char *what, struct err *reterr)
{
    return err_at(reterr, ROUTE_E_CONFIG, node->line, node->column, "%s", what);
}

static bool given(const struct route_secret *secret)
{
    return secret->value || secret->file;
}

static int check_http(const struct yaml_node *node, struct route_http *http, struct err *reterr)
{
    int n = (http->basic_auth.username != NULL) + given(&http->authorization.credentials) +
            given(&http->bearer_token);

    if (n > 1)
        return missing(node, "give one of authorization, basic_auth and bearer_token", reterr);
    if (given(&http->bearer_token)) {
        http->authorization.credentials = http->bearer_token;
        http->bearer_token = (struct route_secret){0};
    }
    if (!http->authorization.type)
        http->authorization.type = "Bearer";
    return way_check_http(yaml_get(node, "http_config"), http, reterr);
}

static int check_slack(const struct yaml_node *node, struct route_slack *slack, struct err *reterr)
{
    if (!given(&slack->api_url) && !given(&slack->app_token) &&
        !given(&slack->http.authorization.credentials))
        return missing(node,
                       "Slack needs an \"api_url:\" or \"api_url_file:\", here or as global "
                       "slack_api_url",
                       reterr);
    if (slack->update_message)
        return missing(yaml_get(node, "update_message"),
                       "messages are not changed here, each notification is a message of its own: "
                       "take update_message out",
                       reterr);
    if (given(&slack->app_token) && (!slack->channel || !*slack->channel))
        return missing(node, "a Slack bot (app_token) needs a \"channel:\" to post to", reterr);
    return check_http(node, &slack->http, reterr);
}

static int check_telegram(const struct yaml_node *node,
                          struct route_telegram *telegram,
                          struct err *reterr)
{
    static const char *const modes[] = {"", "HTML", "Markdown", "MarkdownV2"};
    bool known = telegram->parse_mode == NULL;

    if (!given(&telegram->bot_token))
        return missing(
            node, "Telegram needs a \"bot_token:\", here or as global telegram_bot_token", reterr);
    if ((telegram->chat_id == 0) == (telegram->chat_id_file.file == NULL))
        return missing(node, "Telegram needs one of \"chat_id:\" and \"chat_id_file:\"", reterr);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]) && !known; i++)
        known = strcmp(modes[i], telegram->parse_mode) == 0;
    if (!known)
        return missing(yaml_get(node, "parse_mode"),
                       "parse_mode is HTML, Markdown, MarkdownV2 or empty", reterr);
    return check_http(node, &telegram->http, reterr);
}

static int check_pagerduty(const struct yaml_node *node,
                           struct route_pagerduty *pagerduty,
                           struct err *reterr)
{
    if (!given(&pagerduty->routing_key))
        return missing(node, "PagerDuty needs a \"routing_key:\" or \"routing_key_file:\"", reterr);
    for (size_t i = 0; i < pagerduty->details.n; i++)
        if (strcmp(pagerduty->details.at[i].key, "watchbill") == 0)
            return missing(yaml_get(yaml_get(node, "details"), "watchbill"),
                           "the detail \"watchbill\" is ours: give it another name", reterr);
    return check_http(node, &pagerduty->http, reterr);
}

static int check_webhook(const struct yaml_node *node,
                         struct route_webhook *webhook,
                         struct err *reterr)
{
    if (!given(&webhook->url))
        return missing(node, "a webhook needs a \"url:\" or \"url_file:\"", reterr);
    return check_http(node, &webhook->http, reterr);
}

/* Headers that make it a mail and a thread are told, not taken. */
static void warn_of_headers(const struct field_reader *reader, const struct yaml_node *node)
{
    const struct yaml_node *headers = yaml_get(node, "headers");

    for (size_t i = 0; headers && headers->kind == YAML_MAP && i < headers->n; i++) {
        STR_AUTO struct str words = STR_INIT(500);

        if (!route_mail_header_is_ours(headers->keys[i]->text))
            continue;
        str_addf(&words, "the mail header %.60s is ours: what is said here has no effect",
                 headers->keys[i]->text);
        field_warn(reader, headers->keys[i], str_text(&words));
    }
}

static int check_login(const struct yaml_node *node,
                       const struct route_email *email,
                       struct err *reterr)
{
    bool own_password = yaml_get(node, "auth_password") || yaml_get(node, "auth_password_file");
    bool own_secret = yaml_get(node, "auth_secret") || yaml_get(node, "auth_secret_file");

    if (own_password && own_secret)
        return missing(node,
                       "give auth_password, or auth_secret for CRAM-MD5, not both: the mail server "
                       "would choose",
                       reterr);
    if (email->auth_username && !given(&email->auth_password) && !given(&email->auth_secret))
        return missing(node, "auth_username needs auth_password, or auth_secret for CRAM-MD5",
                       reterr);
    return way_check_tls(yaml_get(node, "tls_config"), &email->tls, reterr);
}

static int check_email(const struct field_reader *reader,
                       const struct yaml_node *node,
                       struct route_email *email,
                       struct err *reterr)
{
    if (!email->to)
        return missing(node, "a mail needs a \"to:\"", reterr);
    if (!email->from)
        return missing(node, "a mail needs a \"from:\", here or as global smtp_from", reterr);
    if (!email->smarthost)
        return missing(node, "a mail needs a \"smarthost:\", here or as global smtp_smarthost",
                       reterr);
    warn_of_headers(reader, node);
    return check_login(node, email, reterr);
}

static int check_ntfy(const struct yaml_node *node, struct route_ntfy *ntfy, struct err *reterr)
{
    if (!ntfy->url || !ntfy->topic)
        return missing(node, "ntfy needs a \"url:\" (the server's root) and a \"topic:\"", reterr);
    if (ntfy->priority > 5)
        return missing(yaml_get(node, "priority"), "an ntfy priority is 1 to 5", reterr);
    return 0;
}

static int check(const struct field_reader *reader,
                 const struct yaml_node *node,
                 struct route_integration *integration,
                 struct err *reterr)
{
    if (integration->timeout_ms < 100 || integration->timeout_ms > ATTEMPT_MS_MAX)
        return missing(yaml_get(node, "timeout"), "a timeout is between 100ms and 1m", reterr);
    switch (integration->kind) {
    case ROUTE_WEBHOOK: return check_webhook(node, &integration->webhook, reterr);
    case ROUTE_EMAIL: return check_email(reader, node, &integration->email, reterr);
    case ROUTE_NTFY: return check_ntfy(node, &integration->ntfy, reterr);
    case ROUTE_COMMAND:
        return integration->command.argv
                   ? 0
                   : missing(node, "a command needs \"argv:\": its path and arguments", reterr);
    case ROUTE_SLACK: return check_slack(node, &integration->slack, reterr);
    case ROUTE_TELEGRAM: return check_telegram(node, &integration->telegram, reterr);
    case ROUTE_PAGERDUTY: return check_pagerduty(node, &integration->pagerduty, reterr);
    case ROUTE_ONCALL:
        return integration->oncall.policy && *integration->oncall.policy
                   ? 0
                   : missing(node, "on-call needs a \"policy:\": its name", reterr);
    case ROUTE_DASHBOARD: break;
    }
    return 0;
}

/* What an integration starts with. An http_config of its own takes the global one's place. */
static void inherit(const struct yaml_node *node,
                    struct route_integration *at,
                    const struct receiver_defaults *global)
{
    struct route_http http = {0};

    if (!yaml_get(node, "http_config"))
        http = global->http;
    if (at->kind == ROUTE_EMAIL)
        at->email = (struct route_email){
            .from = global->from,
            .smarthost = global->smarthost,
            .hello = global->hello,
            .auth_username = global->auth_username,
            .auth_identity = global->auth_identity,
            .require_tls = global->require_tls,
            .implicit_tls = global->implicit_tls,
            .tls = global->mail_tls,
        };
    else if (at->kind == ROUTE_WEBHOOK)
        at->webhook.http = http;
    else if (at->kind == ROUTE_SLACK)
        at->slack = (struct route_slack){.http = http, .app_url = global->slack_app_url};
    else if (at->kind == ROUTE_TELEGRAM)
        at->telegram = (struct route_telegram){.http = http, .api_url = global->telegram_api_url};
    else if (at->kind == ROUTE_PAGERDUTY)
        at->pagerduty = (struct route_pagerduty){.http = http, .url = global->pagerduty_url};
}

/* A secret of its own wins over the inherited one as a whole. */
static void inherit_secrets(struct route_integration *at, const struct receiver_defaults *global)
{
    /* a password of its own takes the place of a secret of all, and the other way round */
    if (at->kind == ROUTE_EMAIL && !given(&at->email.auth_password) &&
        !given(&at->email.auth_secret)) {
        at->email.auth_password = global->auth_password;
        at->email.auth_secret = global->auth_secret;
    }
    if (at->kind == ROUTE_TELEGRAM && !given(&at->telegram.bot_token))
        at->telegram.bot_token = global->telegram_bot_token;
    if (at->kind != ROUTE_SLACK || given(&at->slack.api_url))
        return;
    if (!given(&at->slack.app_token) && !given(&at->slack.http.authorization.credentials))
        at->slack.app_token = global->slack_app_token;
    if (!given(&at->slack.app_token))
        at->slack.api_url = global->slack_api_url;
}

static int read_integrations(const struct field_reader *reader,
                             const struct yaml_node *list,
                             size_t kind,
                             const struct receiver_defaults *global,
                             const struct route_config *config,
                             struct route_receiver *receiver,
                             struct err *reterr)
{
    if (yaml_expect(list, YAML_LIST, "a list", reterr))
        return ROUTE_E_CONFIG;
    for (size_t i = 0; i < list->n; i++) {
        struct route_integration *at = &receiver->integrations[receiver->n_integrations++];

        *at = (struct route_integration){
            .kind = receiver_kinds[kind].kind,
            .receiver = receiver->name,
            .slot = (unsigned)i,
            .send_resolved = receiver_kinds[kind].send_resolved,
            .timeout_ms = ATTEMPT_MS,
            .texts = &config->texts,
            .max_per_second = PER_SECOND,
            /* a digest opens an incident over there that nothing ends */
            .digest_above = receiver_kinds[kind].kind == ROUTE_PAGERDUTY ? 0 : PER_MINUTE,
        };
        inherit(list->items[i], at, global);
        if (field_read_map(reader, list->items[i], receiver_kinds[kind].rows, at, reterr))
            return ROUTE_E_CONFIG;
        inherit_secrets(at, global);
        if (check(reader, list->items[i], at, reterr))
            return ROUTE_E_CONFIG;
    }
    return 0;
}

static size_t count_integrations(const struct yaml_node *node)
{
    size_t n = 0;

    for (size_t i = 0; receiver_kinds[i].key; i++) {
        const struct yaml_node *list = yaml_get(node, receiver_kinds[i].key);

        n += list && list->kind == YAML_LIST ? list->n : 0;
    }
    return n;
}

static int read_name(const struct field_reader *reader,
                     const struct yaml_node *node,
                     const struct route_config *config,
                     const char **ret_name,
                     struct err *reterr)
{
    const struct yaml_node *name = yaml_get(node, "name");
    const char *text;

    if (!name)
        return missing(node, "a receiver needs a \"name:\"", reterr);
    if (yaml_string(name, &text, reterr))
        return ROUTE_E_CONFIG;
    if (!*text || name->len > 128 || strpbrk(text, "\r\n\t"))
        return missing(name, "a receiver's name is one line of 1 to 128 bytes", reterr);
    if (strncmp(text, "person:", 7) == 0)
        return missing(
            name, "names that begin with \"person:\" are those of people: choose another", reterr);
    for (size_t i = 0; i < config->n_receivers; i++)
        if (strcmp(config->receivers[i].name, text) == 0)
            return err_at(reterr, ROUTE_E_CONFIG, name->line, name->column,
                          "a second receiver is named \"%s\"", text);
    *ret_name = field_copy(reader, text);
    return *ret_name ? 0 : field_too_large(name, reterr);
}

/* A kind that nobody here delivers is said by name: its pages would go nowhere. */
static int check_keys(const struct yaml_node *node, const char *receiver, struct err *reterr)
{
    const char *known[RECEIVER_KEYS_MAX] = {"name", "labels", "failover", "failover_after"};
    size_t n = 4;

    for (size_t i = 0; receiver_kinds[i].key; i++)
        known[n++] = receiver_kinds[i].key;
    for (size_t i = 0; i < node->n; i++) {
        const struct yaml_node *key = node->keys[i];
        size_t len = strlen(key->text);
        bool ours = false;

        for (size_t j = 0; j < n && !ours; j++)
            ours = strcmp(known[j], key->text) == 0;
        if (!ours && len > 8 && strcmp(key->text + len - 8, "_configs") == 0)
            return err_at(reterr, ROUTE_E_CONFIG, key->line, key->column,
                          "receiver \"%s\": %s are not delivered here: use webhook_configs, or "
                          "take them out",
                          receiver, key->text);
    }
    return yaml_only(node, known, reterr) ? ROUTE_E_CONFIG : 0;
}

static int read_receiver(const struct field_reader *reader,
                         const struct yaml_node *node,
                         const struct receiver_defaults *global,
                         struct route_config *config,
                         struct err *reterr)
{
    struct route_receiver *receiver = &config->receivers[config->n_receivers];
    size_t n;

    if (yaml_expect(node, YAML_MAP, "a map with a name", reterr) ||
        read_name(reader, node, config, &receiver->name, reterr))
        return ROUTE_E_CONFIG;
    receiver->line = node->line;
    receiver->column = node->column;
    if (check_keys(node, receiver->name, reterr))
        return ROUTE_E_CONFIG;
    n = count_integrations(node);
    if (n > ROUTE_INTEGRATIONS_MAX)
        return missing(node, "a receiver has at most 64 integrations", reterr);
    receiver->integrations = arena_array(reader->arena, n ? n : 1, sizeof(*receiver->integrations));
    if (!receiver->integrations)
        return field_too_large(node, reterr);
    for (size_t i = 0; receiver_kinds[i].key; i++) {
        const struct yaml_node *list = yaml_get(node, receiver_kinds[i].key);

        if (list && read_integrations(reader, list, i, global, config, receiver, reterr))
            return ROUTE_E_CONFIG;
    }
    if (receiver->n_integrations == 0)
        receiver->integrations[receiver->n_integrations++] = (struct route_integration){
            .kind = ROUTE_DASHBOARD,
            .receiver = receiver->name,
            .send_resolved = true,
            .timeout_ms = ATTEMPT_MS,
        };
    config->n_receivers++;
    return 0;
}

/* Where its pages go as well when it can't be told. */
struct failover {
    const char *name; /* whose */
    const char *receiver;
    int64_t after_ms;
};

static const struct field receiver_rows[] = {
    {"name", FIELD_TEXT, offsetof(struct failover, name), "what `route.receiver` names", NULL},
    {"failover", FIELD_TEXT, offsetof(struct failover, receiver),
     "the receiver that is told as well when this one refuses, or can't be told for failover_after",
     NULL},
    {"failover_after", FIELD_DURATION, offsetof(struct failover, after_ms),
     "how long it is tried alone; 5m", NULL},
    {NULL, FIELD_TEXT, 0, NULL, NULL},
};

/* When all receivers are there: one may stand further down. */
static int read_failover(const struct field_reader *reader,
                         const struct yaml_node *node,
                         struct route_config *config,
                         struct route_receiver *receiver,
                         struct err *reterr)
{
    struct failover failover = {.after_ms = FAILOVER_AFTER_MS};
    const struct yaml_node *named = yaml_get(node, "failover");

    if (field_read_known(reader, node, receiver_rows, &failover, reterr))
        return ROUTE_E_CONFIG;
    if (!named && yaml_get(node, "failover_after"))
        return missing(yaml_get(node, "failover_after"),
                       "failover_after needs a \"failover:\": the receiver that is told then",
                       reterr);
    if (!named)
        return 0;
    for (size_t i = 0; i < config->n_receivers; i++)
        if (strcmp(config->receivers[i].name, failover.receiver) == 0)
            receiver->failover = &config->receivers[i];
    if (!receiver->failover)
        return err_at(reterr, ROUTE_E_CONFIG, named->line, named->column,
                      "no receiver is named \"%s\"", failover.receiver);
    if (receiver->failover == receiver)
        return missing(named, "a receiver can't stand in for itself: name another", reterr);
    receiver->failover_after_ms = failover.after_ms;
    return 0;
}

int receiver_read_all(const struct field_reader *reader,
                      const struct yaml_node *root,
                      const struct receiver_defaults *global,
                      struct route_config *config,
                      struct err *reterr)
{
    const struct yaml_node *list = yaml_get(root, "receivers");
    size_t n_integrations = 0;

    if (!list)
        return missing(root, "a list of \"receivers:\" is missing", reterr);
    if (yaml_expect(list, YAML_LIST, "a list of receivers", reterr))
        return ROUTE_E_CONFIG;
    if (list->n > ROUTE_RECEIVERS_MAX)
        return missing(list, "there may be at most 256 receivers", reterr);
    config->receivers = arena_array(reader->arena, list->n + 1, sizeof(*config->receivers));
    if (!config->receivers)
        return field_too_large(list, reterr);
    for (size_t i = 0; i < list->n; i++) {
        if (read_receiver(reader, list->items[i], global, config, reterr))
            return ROUTE_E_CONFIG;
        n_integrations += config->receivers[i].n_integrations;
        if (n_integrations > ROUTE_INTEGRATIONS_MAX)
            return missing(list->items[i], "there may be at most 64 integrations in all", reterr);
    }
    for (size_t i = 0; i < list->n; i++)
        if (read_failover(reader, list->items[i], config, &config->receivers[i], reterr))
            return ROUTE_E_CONFIG;
    return 0;
}

void receiver_manual(struct str *out)
{
    field_manual("receivers[]", receiver_rows, out);
    for (size_t i = 0; receiver_kinds[i].key; i++) {
        STR_AUTO struct str title = STR_INIT(100);

        str_addf(&title, "receivers[].%s[]", receiver_kinds[i].key);
        field_manual(str_text(&title), receiver_kinds[i].rows, out);
    }
}
