/*
 * The receivers of the config file: one table of fields per kind of integration, one
 * table of kinds. A new kind is a row in `kinds`, its fields and its struct in config.h.
 */

#include "alertd/route/receiver.h"

#include <string.h>

enum {
    ATTEMPT_MS = 10000,
    ATTEMPT_MS_MAX = 60000,
};

#define AT(member) offsetof(struct route_integration, member)
#define END_OF_ROWS                     \
    {                                   \
        NULL, FIELD_TEXT, 0, NULL, NULL \
    }
#define SEND_RESOLVED                                                                              \
    {                                                                                              \
        "send_resolved", FIELD_BOOL, AT(send_resolved), "tell when it is over; true, mail: false", \
            NULL                                                                                   \
    }
#define TIMEOUT                                                                                  \
    {                                                                                            \
        "timeout", FIELD_DURATION, AT(timeout_ms), "the longest one attempt may take; 10s", NULL \
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
    {"password", FIELD_SECRET, offsetof(struct route_basic_auth, password), "its password", NULL},
    {"password_file", FIELD_SECRET_FILE, offsetof(struct route_basic_auth, password),
     "the same, from a file", NULL},
    END_OF_ROWS,
};

static const struct field http_rows[] = {
    {"authorization", FIELD_MAP, offsetof(struct route_http, authorization),
     "the Authorization header", authorization_rows},
    {"basic_auth", FIELD_MAP, offsetof(struct route_http, basic_auth), "the same, the old way",
     basic_auth_rows},
    END_OF_ROWS,
};

static const struct field webhook_rows[] = {
    {"url", FIELD_SECRET_URL, AT(webhook.url), "where the payload is posted", NULL},
    {"url_file", FIELD_SECRET_FILE, AT(webhook.url), "a file that holds it", NULL},
    {"http_config", FIELD_MAP, AT(webhook.http), "who we say we are", http_rows},
    {"max_alerts", FIELD_COUNT, AT(webhook.max_alerts), "alerts in one payload; 0 is all", NULL},
    SEND_RESOLVED,
    TIMEOUT,
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
    {"auth_password", FIELD_SECRET, AT(email.auth_password), "its password", NULL},
    {"auth_password_file", FIELD_SECRET_FILE, AT(email.auth_password), "the same, from a file",
     NULL},
    {"require_tls", FIELD_BOOL, AT(email.require_tls), "refuse a server without TLS; true", NULL},
    SEND_RESOLVED,
    TIMEOUT,
    END_OF_ROWS,
};

static const struct field ntfy_rows[] = {
    {"url", FIELD_URL, AT(ntfy.url), "the server's root", NULL},
    {"topic", FIELD_TEXT, AT(ntfy.topic), "what the phone subscribed to", NULL},
    {"token", FIELD_SECRET, AT(ntfy.token), "access token", NULL},
    {"token_file", FIELD_SECRET_FILE, AT(ntfy.token), "the same, from a file", NULL},
    {"priority", FIELD_COUNT, AT(ntfy.priority), "1 to 5; by severity when absent", NULL},
    SEND_RESOLVED,
    TIMEOUT,
    END_OF_ROWS,
};

static const struct field command_rows[] = {
    {"argv", FIELD_ARGV, AT(command.argv), "program and arguments; no shell", NULL},
    SEND_RESOLVED,
    TIMEOUT,
    END_OF_ROWS,
};

static const struct {
    const char *key;
    enum route_kind kind;
    bool send_resolved; /* as Alertmanager: mail about the end only when asked for */
    const struct field *rows;
} kinds[] = {
    {"webhook_configs", ROUTE_WEBHOOK, true, webhook_rows},
    {"email_configs", ROUTE_EMAIL, false, email_rows},
    {"ntfy_configs", ROUTE_NTFY, true, ntfy_rows},
    {"command_configs", ROUTE_COMMAND, true, command_rows},
};

enum {
    N_KINDS = sizeof(kinds) / sizeof(kinds[0])
};

static int missing(const struct yaml_node *node, const char *what, struct err *reterr)
{
    return err_at(reterr, ROUTE_E_CONFIG, node->line, node->column, "%s", what);
}

static bool given(const struct route_secret *secret)
{
    return secret->value || secret->file;
}

static int check_webhook(const struct yaml_node *node,
                         struct route_webhook *webhook,
                         struct err *reterr)
{
    const struct route_http *http = &webhook->http;

    if (!given(&webhook->url))
        return missing(node, "a webhook needs a \"url:\" or \"url_file:\"", reterr);
    if (http->basic_auth.username && given(&http->authorization.credentials))
        return missing(node, "give authorization or basic_auth, not both", reterr);
    if (!webhook->http.authorization.type)
        webhook->http.authorization.type = "Bearer";
    return 0;
}

static int check_email(const struct yaml_node *node, struct route_email *email, struct err *reterr)
{
    if (!email->to)
        return missing(node, "a mail needs a \"to:\"", reterr);
    if (!email->from)
        return missing(node, "a mail needs a \"from:\", here or as global smtp_from", reterr);
    if (!email->smarthost)
        return missing(node, "a mail needs a \"smarthost:\", here or as global smtp_smarthost",
                       reterr);
    if (email->auth_username && !given(&email->auth_password))
        return missing(node, "auth_username needs auth_password or auth_password_file", reterr);
    return 0;
}

static int check_ntfy(const struct yaml_node *node, struct route_ntfy *ntfy, struct err *reterr)
{
    if (!ntfy->url || !ntfy->topic)
        return missing(node, "ntfy needs a \"url:\" (the server's root) and a \"topic:\"", reterr);
    if (ntfy->priority > 5)
        return missing(yaml_get(node, "priority"), "an ntfy priority is 1 to 5", reterr);
    return 0;
}

static int check(const struct yaml_node *node,
                 struct route_integration *integration,
                 struct err *reterr)
{
    if (integration->timeout_ms < 100 || integration->timeout_ms > ATTEMPT_MS_MAX)
        return missing(yaml_get(node, "timeout"), "a timeout is between 100ms and 1m", reterr);
    switch (integration->kind) {
    case ROUTE_WEBHOOK: return check_webhook(node, &integration->webhook, reterr);
    case ROUTE_EMAIL: return check_email(node, &integration->email, reterr);
    case ROUTE_NTFY: return check_ntfy(node, &integration->ntfy, reterr);
    case ROUTE_COMMAND:
        return integration->command.argv
                   ? 0
                   : missing(node, "a command needs \"argv:\": its path and arguments", reterr);
    case ROUTE_SLACK:
    case ROUTE_TELEGRAM:
    case ROUTE_PAGERDUTY:
    case ROUTE_DASHBOARD: break;
    }
    return 0;
}

static void inherit(struct route_email *email, const struct receiver_defaults *mail)
{
    *email = (struct route_email){
        .from = mail->from,
        .smarthost = mail->smarthost,
        .hello = mail->hello,
        .auth_username = mail->auth_username,
        .require_tls = mail->require_tls,
    };
}

static int read_integrations(const struct field_reader *reader,
                             const struct yaml_node *list,
                             size_t kind,
                             const struct receiver_defaults *mail,
                             struct route_receiver *receiver,
                             struct err *reterr)
{
    if (yaml_expect(list, YAML_LIST, "a list", reterr))
        return ROUTE_E_CONFIG;
    for (size_t i = 0; i < list->n; i++) {
        struct route_integration *at = &receiver->integrations[receiver->n_integrations++];

        *at = (struct route_integration){
            .kind = kinds[kind].kind,
            .receiver = receiver->name,
            .slot = (unsigned)i,
            .send_resolved = kinds[kind].send_resolved,
            .timeout_ms = ATTEMPT_MS,
        };
        if (at->kind == ROUTE_EMAIL)
            inherit(&at->email, mail);
        if (field_read_map(reader, list->items[i], kinds[kind].rows, at, reterr))
            return ROUTE_E_CONFIG;
        /* a password of its own wins over the inherited one as a whole */
        if (at->kind == ROUTE_EMAIL && !given(&at->email.auth_password))
            at->email.auth_password = mail->auth_password;
        if (check(list->items[i], at, reterr))
            return ROUTE_E_CONFIG;
    }
    return 0;
}

static size_t count_integrations(const struct yaml_node *node)
{
    size_t n = 0;

    for (size_t i = 0; i < N_KINDS; i++) {
        const struct yaml_node *list = yaml_get(node, kinds[i].key);

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
    for (size_t i = 0; i < config->n_receivers; i++)
        if (strcmp(config->receivers[i].name, text) == 0)
            return err_at(reterr, ROUTE_E_CONFIG, name->line, name->column,
                          "a second receiver is named \"%s\"", text);
    *ret_name = field_copy(reader, text);
    return *ret_name ? 0 : field_too_large(name, reterr);
}

static int read_receiver(const struct field_reader *reader,
                         const struct yaml_node *node,
                         const struct receiver_defaults *mail,
                         struct route_config *config,
                         struct err *reterr)
{
    static const char *const known[] = {"name",         "webhook_configs", "email_configs",
                                        "ntfy_configs", "command_configs", NULL};
    struct route_receiver *receiver = &config->receivers[config->n_receivers];
    size_t n;

    if (yaml_expect(node, YAML_MAP, "a map with a name", reterr) ||
        yaml_only(node, known, reterr) || read_name(reader, node, config, &receiver->name, reterr))
        return ROUTE_E_CONFIG;
    n = count_integrations(node);
    if (n > ROUTE_INTEGRATIONS_MAX)
        return missing(node, "a receiver has at most 64 integrations", reterr);
    receiver->integrations = arena_array(reader->arena, n ? n : 1, sizeof(*receiver->integrations));
    if (!receiver->integrations)
        return field_too_large(node, reterr);
    for (size_t i = 0; i < N_KINDS; i++) {
        const struct yaml_node *list = yaml_get(node, kinds[i].key);

        if (list && read_integrations(reader, list, i, mail, receiver, reterr))
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

int receiver_read_all(const struct field_reader *reader,
                      const struct yaml_node *root,
                      const struct receiver_defaults *mail,
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
        return missing(list, "there may be at most 64 receivers", reterr);
    config->receivers = arena_array(reader->arena, list->n + 1, sizeof(*config->receivers));
    if (!config->receivers)
        return field_too_large(list, reterr);
    for (size_t i = 0; i < list->n; i++) {
        if (read_receiver(reader, list->items[i], mail, config, reterr))
            return ROUTE_E_CONFIG;
        n_integrations += config->receivers[i].n_integrations;
        if (n_integrations > ROUTE_INTEGRATIONS_MAX)
            return missing(list->items[i], "there may be at most 64 integrations in all", reterr);
    }
    return 0;
}

void receiver_manual(struct str *out)
{
    static const struct field receiver_rows[] = {
        {"name", FIELD_TEXT, 0, "what `route.receiver` names", NULL},
        END_OF_ROWS,
    };

    field_manual("receivers[]", receiver_rows, out);
    for (size_t i = 0; i < N_KINDS; i++) {
        STR_AUTO struct str title = STR_INIT(100);

        str_addf(&title, "receivers[].%s[]", kinds[i].key);
        field_manual(str_text(&title), kinds[i].rows, out);
    }
}
