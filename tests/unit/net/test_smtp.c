/*
 * One mail to one server, against a real one that follows a script.
 */

#include "lib/base/clock.h"
#include "lib/net/smtp.h"
#include "tests/lib/local_server.h"
#include "tests/lib/row.h"

/* What it answers; NULL: what a friendly server says. And what it heard. */
struct script {
    const char *greeting;
    const char *rcpt;
    const char *after_data;
    bool is_silent;
    bool asks; /* by CRAM-MD5 */
    char heard[8192];
};

static void hear(struct script *script, const char *line)
{
    size_t len = strlen(script->heard);

    (void)snprintf(script->heard + len, sizeof(script->heard) - len, "%s", line);
}

static void take_message(int connection, struct script *script)
{
    char message[4096];

    local_server_write(connection, "354 go on\r\n");
    if (local_server_read_until(connection, "\r\n.\r\n", message, sizeof(message)))
        hear(script, message);
    local_server_write(connection, script->after_data ? script->after_data : "250 taken\r\n");
}

/* "<1.2@test>" is to be answered with what only who knows the secret can make of it. */
static void ask(int connection, struct script *script)
{
    char answer[1024];

    local_server_write(connection, "334 PDEuMkB0ZXN0Pg==\r\n");
    if (local_server_read_until(connection, "\r\n", answer, sizeof(answer)))
        hear(script, answer);
    local_server_write(connection, "235 welcome\r\n");
}

static void serve(int connection, void *state)
{
    struct script *script = state;
    char line[1024];

    if (script->is_silent) {
        (void)recv(connection, line, sizeof(line), 0);
        return;
    }
    local_server_write(connection, script->greeting ? script->greeting : "220 hello\r\n");
    while (local_server_read_until(connection, "\r\n", line, sizeof(line))) {
        hear(script, line);
        if (strncmp(line, "EHLO", 4) == 0)
            local_server_write(connection, script->asks ? "250-local\r\n250 AUTH PLAIN CRAM-MD5\r\n"
                                                        : "250-local\r\n250 AUTH PLAIN\r\n");
        else if (script->asks && strncmp(line, "AUTH CRAM-MD5", 13) == 0)
            ask(connection, script);
        else if (strncmp(line, "AUTH", 4) == 0)
            local_server_write(connection, "535 no\r\n");
        else if (strncmp(line, "RCPT", 4) == 0)
            local_server_write(connection, script->rcpt ? script->rcpt : "250 ok\r\n");
        else if (strncmp(line, "DATA", 4) == 0)
            take_message(connection, script);
        else
            local_server_write(connection, strncmp(line, "QUIT", 4) ? "250 ok\r\n" : "221 bye\r\n");
    }
}

static const char *const to[] = {"ana@example.org", "ben@example.org"};

static struct smtp_mail mail_to(int port, char *url, size_t size)
{
    static const char message[] = "Subject: disk\n\nfull\n.\nend\n";

    (void)snprintf(url, size, "smtp://127.0.0.1:%d", port);
    return (struct smtp_mail){
        .url = url,
        .starttls = SMTP_STARTTLS_TRY,
        .from = "watchbill@example.org",
        .to = to,
        .n_to = 2,
        .message = message,
        .message_len = sizeof(message) - 1,
        .timeout_ms = 3000,
    };
}

static void test_a_mail_to_two(void **state)
{
    struct script script = {0};
    struct local_server server;
    char url[64];
    struct err err;

    local_server_start(&server, serve, &script);

    struct smtp_mail mail = mail_to(server.port, url, sizeof(url));

    assert_int_equal(smtp_send(&mail, &err), 0);
    local_server_stop(&server);
    assert_non_null(strstr(script.heard, "MAIL FROM:<watchbill@example.org>"));
    assert_non_null(strstr(script.heard, "RCPT TO:<ana@example.org>"));
    assert_non_null(strstr(script.heard, "RCPT TO:<ben@example.org>"));
    /* line ends made CR LF, the lone dot doubled, nothing after the end */
    assert_non_null(strstr(script.heard, "Subject: disk\r\n\r\nfull\r\n..\r\nend\r\n.\r\n"));
}

static void test_what_can_go_wrong(void **state)
{
    static const struct {
        const char *name;
        struct script script;
        const char *user;
        enum smtp_starttls starttls;
        int expect;
    } rows[] = {
        {"an address refused", {.rcpt = "550 nobody\r\n"}, NULL, SMTP_STARTTLS_OFF, SMTP_E_REFUSED},
        {"an address not now",
         {.rcpt = "451 later\r\n"},
         NULL,
         SMTP_STARTTLS_OFF,
         SMTP_E_TEMPORARY},
        {"the message refused",
         {.after_data = "554 spam\r\n"},
         NULL,
         SMTP_STARTTLS_OFF,
         SMTP_E_REFUSED},
        {"the message not now",
         {.after_data = "452 full\r\n"},
         NULL,
         SMTP_STARTTLS_OFF,
         SMTP_E_TEMPORARY},
        {"the password is wrong", {0}, "ana", SMTP_STARTTLS_OFF, SMTP_E_LOGIN},
        {"TLS required, not offered", {0}, NULL, SMTP_STARTTLS_REQUIRED, SMTP_E_CONNECT},
        {"the server is busy",
         {.greeting = "421 later\r\n"},
         NULL,
         SMTP_STARTTLS_OFF,
         SMTP_E_TEMPORARY},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct script script = rows[i].script;
        struct local_server server;
        char url[64];
        struct err err;

        row("%s", rows[i].name);
        local_server_start(&server, serve, &script);

        struct smtp_mail mail = mail_to(server.port, url, sizeof(url));

        mail.starttls = rows[i].starttls;
        mail.user = rows[i].user;
        mail.password = rows[i].user ? "wrong" : NULL;
        assert_int_equal(smtp_send(&mail, &err), rows[i].expect);
        assert_non_null(strstr(err.text, "smtp://127.0.0.1"));
        local_server_stop(&server);
    }
}

/* The secret itself never leaves. */
static void test_a_login_by_challenge(void **state)
{
    struct script script = {.asks = true};
    struct local_server server;
    char url[64];
    struct err err;

    local_server_start(&server, serve, &script);

    struct smtp_mail mail = mail_to(server.port, url, sizeof(url));

    mail.user = "watch";
    mail.password = "s3cret";
    mail.mechanism = "CRAM-MD5";
    assert_int_equal(smtp_send(&mail, &err), 0);
    local_server_stop(&server);
    assert_non_null(
        strstr(script.heard, "d2F0Y2ggNDllOTU5ZjQyNTc5ZDUyZDc1OTczOWFkZGQ0MDczYTY=\r\n"));
    assert_null(strstr(script.heard, "s3cret"));
}

static void test_a_silent_server_costs_the_timeout_and_no_more(void **state)
{
    struct script script = {.is_silent = true};
    struct local_server server;
    char url[64];
    struct err err;

    local_server_start(&server, serve, &script);

    struct smtp_mail mail = mail_to(server.port, url, sizeof(url));
    int64_t start_ms = clock_mono_ms();

    mail.timeout_ms = 200;
    assert_int_equal(smtp_send(&mail, &err), SMTP_E_TIMEOUT);
    assert_in_range(clock_mono_ms() - start_ms, 190, 1500);
    local_server_stop(&server);

    mail.timeout_ms = 1000;
    assert_int_equal(smtp_send(&mail, &err), SMTP_E_CONNECT); /* nobody listens any more */
}

static void test_mails_that_are_refused_before_they_leave(void **state)
{
    static const char *const evil[] = {"ana@example.org>\r\nRCPT TO:<eve@example.org"};
    char url[64];
    struct err err;
    struct smtp_mail mail = mail_to(1, url, sizeof(url));

    mail.to = evil;
    mail.n_to = 1;
    assert_int_equal(smtp_send(&mail, &err), SMTP_E_REQUEST);
    mail.n_to = 0;
    assert_int_equal(smtp_send(&mail, &err), SMTP_E_REQUEST);
    mail = mail_to(1, url, sizeof(url));
    mail.from = "";
    assert_int_equal(smtp_send(&mail, &err), SMTP_E_REQUEST);
    mail = mail_to(1, url, sizeof(url));
    mail.url = "http://127.0.0.1/";
    assert_int_equal(smtp_send(&mail, &err), SMTP_E_REQUEST);
    assert_string_equal(smtp_error_name(SMTP_E_REQUEST), "request");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_mail_to_two),
        cmocka_unit_test(test_what_can_go_wrong),
        cmocka_unit_test(test_a_login_by_challenge),
        cmocka_unit_test(test_a_silent_server_costs_the_timeout_and_no_more),
        cmocka_unit_test(test_mails_that_are_refused_before_they_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
