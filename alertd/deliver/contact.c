/*
 * The methods of contacts. See contact.h.
 */

#include "alertd/deliver/contact.h"

#include <stdlib.h>
#include <string.h>

#include "lib/net/url.h"

enum {
    ADDRESS_BYTES_MAX = 2000,
    TOPIC_BYTES_MAX = 64,
    CHAT_DIGITS_MAX = 18,
    KEY_BYTES_MAX = 128,
};

struct making {
    const struct route_config *config;
    const char *address;
    struct arena *arena;
    struct route_integration *made;
    struct err *reterr;
};

struct method {
    const char *name;
    const char *written; /* as */
    bool is_secret;
    int (*check)(const char *address, struct err *reterr);
    int (*make)(struct making *making);
};

/* --- what an address looks like --- */

static int check_mail(const char *address, struct err *reterr)
{
    const char *at = strchr(address, '@');

    if (at && at > address && at[1] && !strchr(at + 1, '@') && !strpbrk(address, " ,;<>\""))
        return 0;
    return err_set(reterr, CONTACT_E_ADDRESS, "expected a mail address such as ana@example.org");
}

static int check_url(const char *address, struct err *reterr)
{
    struct url url;
    struct err err = {0};

    if (url_parse(address, &url, &err) == 0)
        return 0;
    /* url_parse()'s words quote the address, which may be a secret */
    return err_set(reterr, CONTACT_E_ADDRESS, "expected an http or https address");
}

/* https://server/topic */
static int check_ntfy(const char *address, struct err *reterr)
{
    const char *host = strstr(address, "://");
    const char *topic = host ? strchr(host + 3, '/') : NULL;

    if (check_url(address, NULL) == 0 && topic && topic[1] &&
        strlen(topic + 1) <= TOPIC_BYTES_MAX && !strpbrk(topic + 1, "/?#&%"))
        return 0;
    return err_set(reterr, CONTACT_E_ADDRESS, "expected server and topic: https://ntfy.sh/topic");
}

static int check_word(const char *address, struct err *reterr)
{
    if (*address && !strpbrk(address, " \t"))
        return 0;
    return err_set(reterr, CONTACT_E_ADDRESS, "expected one word");
}

/* A number, negative for a group. */
static int check_chat(const char *address, struct err *reterr)
{
    const char *digits = address + (*address == '-');
    size_t n = strspn(digits, "0123456789");

    if (n > 0 && n <= CHAT_DIGITS_MAX && digits[n] == '\0' && *digits != '0')
        return 0;
    return err_set(reterr, CONTACT_E_ADDRESS,
                   "expected the number of a chat such as -1001234567890");
}

static int check_key(const char *address, struct err *reterr)
{
    size_t n = strspn(address, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+");

    if (n > 0 && n <= KEY_BYTES_MAX && address[n] == '\0')
        return 0;
    return err_set(reterr, CONTACT_E_ADDRESS,
                   "expected the routing key of an Events API v2 integration");
}

/* --- what it becomes --- */

static const struct route_integration *first_of(const struct route_config *config,
                                                enum route_kind kind,
                                                const char *receiver)
{
    for (size_t i = 0; i < config->n_receivers; i++) {
        const struct route_receiver *one = &config->receivers[i];

        for (size_t j = 0; j < one->n_integrations; j++)
            if (one->integrations[j].kind == kind &&
                (!receiver || strcmp(one->name, receiver) == 0))
                return &one->integrations[j];
    }
    return NULL;
}

/* By the mail server of the config file's first mail receiver. */
static int make_mail(struct making *making)
{
    const struct route_integration *like = first_of(making->config, ROUTE_EMAIL, NULL);

    if (!like)
        return err_set(making->reterr, CONTACT_E_CONFIG,
                       "mail needs a server: the config file has no receiver with email_configs");
    making->made->kind = ROUTE_EMAIL;
    making->made->email = like->email;
    making->made->email.to = making->address;
    /* its headers and bodies are written for that receiver */
    making->made->email.headers = (struct route_pairs){0};
    making->made->email.html = making->made->email.text = NULL;
    return 0;
}

static int make_ntfy(struct making *making)
{
    const char *topic = strrchr(making->address, '/') + 1;
    const char *server = arena_strndup(making->arena, making->address,
                                       (size_t)(topic - making->address) - 1);

    if (!server)
        return err_set(making->reterr, CONTACT_E_ADDRESS, "it is too long");
    making->made->kind = ROUTE_NTFY;
    making->made->ntfy = (struct route_ntfy){.url = server, .topic = topic};
    return 0;
}

static int make_webhook(struct making *making)
{
    making->made->kind = ROUTE_WEBHOOK;
    making->made->webhook = (struct route_webhook){.url = {.value = making->address}};
    return 0;
}

static int make_command(struct making *making)
{
    const struct route_integration *like = first_of(making->config, ROUTE_COMMAND, making->address);

    if (!like)
        return err_set(making->reterr, CONTACT_E_CONFIG,
                       "the config file has no receiver '%.100s' with command_configs",
                       making->address);
    making->made->kind = ROUTE_COMMAND;
    making->made->command = like->command;
    making->made->timeout_ms = like->timeout_ms;
    return 0;
}

static int make_slack(struct making *making)
{
    making->made->kind = ROUTE_SLACK;
    making->made->slack = (struct route_slack){.api_url = {.value = making->address}};
    return 0;
}

/* By the bot of the config file's first Telegram receiver. */
static int make_telegram(struct making *making)
{
    const struct route_integration *like = first_of(making->config, ROUTE_TELEGRAM, NULL);

    if (!like)
        return err_set(making->reterr, CONTACT_E_CONFIG,
                       "telegram needs a bot: the config file has no receiver with "
                       "telegram_configs");
    making->made->kind = ROUTE_TELEGRAM;
    making->made->telegram = (struct route_telegram){
        .api_url = like->telegram.api_url,
        .bot_token = like->telegram.bot_token,
        .http = like->telegram.http,
        .chat_id = strtoll(making->address, NULL, 10),
    };
    return 0;
}

/* To where the config file's first PagerDuty receiver sends, when there is one. */
static int make_pagerduty(struct making *making)
{
    const struct route_integration *like = first_of(making->config, ROUTE_PAGERDUTY, NULL);

    making->made->kind = ROUTE_PAGERDUTY;
    making->made->pagerduty = (struct route_pagerduty){
        .routing_key = {.value = making->address},
    };
    if (like) {
        making->made->pagerduty.url = like->pagerduty.url;
        making->made->pagerduty.http = like->pagerduty.http;
    }
    return 0;
}

static const struct method methods[] = {
    {"email", "ana@example.org", false, check_mail, make_mail},
    {"ntfy", "https://ntfy.sh/topic", true, check_ntfy, make_ntfy},
    {"webhook", "an http or https address", true, check_url, make_webhook},
    {"slack", "the address of an incoming webhook", true, check_url, make_slack},
    {"telegram", "the number of a chat", true, check_chat, make_telegram},
    {"pagerduty", "an integration's routing key", true, check_key, make_pagerduty},
    {"command", "a receiver of the config file that has command_configs", false, check_word,
     make_command},
};

enum {
    N_METHODS = sizeof(methods) / sizeof(methods[0])
};

static const struct method *find(const char *name)
{
    for (size_t i = 0; i < N_METHODS; i++)
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}

int contact_valid(const char *method, const char *address, struct err *reterr)
{
    const struct method *one = find(method);

    if (!one) {
        STR_AUTO struct str names = STR_INIT(ERR_TEXT_MAX / 2);

        for (size_t i = 0; i < N_METHODS; i++)
            str_addf(&names, "%s%s", i ? ", " : "", methods[i].name);
        return err_set(reterr, CONTACT_E_METHOD, "'%.40s' is none of %s", method, str_text(&names));
    }
    if (strlen(address) > ADDRESS_BYTES_MAX)
        return err_set(reterr, CONTACT_E_ADDRESS, "at most %d bytes", ADDRESS_BYTES_MAX);
    for (const char *c = address; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            return err_set(reterr, CONTACT_E_ADDRESS, "it has a control character");
    return one->check(address, reterr);
}

void contact_show(const char *method, const char *address, struct str *out)
{
    const struct method *one = find(method);
    const char *host = strstr(address, "://");
    size_t shown = host ? strcspn(host + 3, "/?#") : 0;

    if (one && !one->is_secret)
        str_add(out, address);
    else if (host && !memchr(host + 3, '@', shown))
        str_addn(out, address, (size_t)(host + 3 - address) + shown);
    if (!one || one->is_secret)
        str_add(out, host ? "/…" : "…");
}

bool contact_is_secret(const char *method)
{
    const struct method *one = find(method);

    return !one || one->is_secret;
}

int contact_integration(const struct route_config *config,
                        const char *person,
                        const char *method,
                        const char *address,
                        struct arena *arena,
                        struct route_integration *ret_integration,
                        struct err *reterr)
{
    struct route_integration made = {
        .receiver = person,
        .send_resolved = true,
        .timeout_ms = CONTACT_TIMEOUT_MS,
    };
    struct making making = {config, address, arena, &made, reterr};
    const struct method *one = find(method);
    int r = contact_valid(method, address, reterr);

    if (r)
        return r;
    r = one->make(&making);
    if (r == 0)
        *ret_integration = made;
    return r;
}
