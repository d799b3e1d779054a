/*
 * alertctl why: why an alert was sent, or was not.
 *
 *     not sent: Slow was not sent: ana silenced it ("deploy") until 14:30:00 UTC.
 *
 *       + rule         fires          Slow fires since 14:02:07 UTC; value 1.2
 *       + route        taken          the root route takes it: receiver ops
 *       x silence      silenced       silence 5f3c... by ana ("deploy") mutes it until 14:30:00 UTC
 *
 * A line for each step of the daemon's answer; + lets it through, x stops it, ~ waits, ? is not
 * known.
 */

#include <stdio.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/cmd.h"
#include "ctl/missing.h"
#include "ctl/when.h"
#include "lib/base/clock.h"
#include "lib/json/write.h"

#define PLAIN "\033[0m"
#define BOLD  "\033[1m"
#define DIM   "\033[2m"

enum {
    PATH_BYTES_MAX = 64 * 1024,
    FINGERPRINT_LEN = 16,
    WIDTH = 110,     /* of the whole line */
    STEP_WIDTH = 16, /* "acknowledgement" */
    RESULT_WIDTH = 20,
    TEXT_AT = 4 + STEP_WIDTH + RESULT_WIDTH,
};

/* What a result means for the page. */
static const struct {
    const char *mark, *color;
    const char *results[16];
} marks[] = {
    {"x",
     "\033[31m",
     {"silenced", "inhibited", "muted", "not active", "reaches nobody", "refused", "given up",
      "not true", "failing", NULL}},
    {"+",
     "\033[32m",
     {"fires", "kept firing", "no data", "taken", "below", "accepted", "opened", "opened again",
      "pages", "would page", "told", NULL}},
    {"~",
     "\033[33m",
     {"pending", "waits", "waiting", "failed, tried again", "acknowledged", "held back",
      "silenced later", "would begin", "supposed", NULL}},
    {"?", "\033[35m", {"not known", NULL}},
};

enum {
    N_MARKS = sizeof(marks) / sizeof(marks[0])
};

static const char *color(const struct ctl *ctl, const char *code)
{
    return ctl->color ? code : "";
}

/* N_MARKS: it says nothing either way. */
static size_t mark_of(const char *result)
{
    for (size_t i = 0; i < N_MARKS; i++)
        for (size_t k = 0; marks[i].results[k]; k++)
            if (strcmp(marks[i].results[k], result) == 0)
                return i;
    return N_MARKS;
}

/* Between words, from the column on. */
static void print_wrapped(const char *text, int column)
{
    int at = column;

    while (*text) {
        size_t len = strcspn(text, " ");

        if (at > column && at + (int)len > WIDTH) {
            (void)printf("\n%*s", column, "");
            at = column;
        }
        (void)printf("%s%.*s", at > column ? " " : "", (int)len, text);
        at += (int)len + (at > column);
        text += len + (text[len] == ' ');
    }
    (void)putchar('\n');
}

static void print_step(const struct ctl *ctl, const struct json *step)
{
    STR_AUTO struct str text = STR_INIT(PATH_BYTES_MAX);
    const char *kind = answer_words(step, "step");
    size_t mark = mark_of(answer_words(step, "result"));
    const char *code = mark < N_MARKS ? marks[mark].color : DIM;

    if (strcmp(kind, "group") == 0 || strcmp(kind, "interval") == 0)
        str_addf(&text, "%s: ", answer_words(step, "receiver"));
    str_add(&text, answer_words(step, "because"));
    (void)printf("  %s%s %-*s%-*s%s", color(ctl, code), mark < N_MARKS ? marks[mark].mark : " ",
                 STEP_WIDTH, kind, RESULT_WIDTH, answer_words(step, "result"), color(ctl, PLAIN));
    print_wrapped(str_text(&text), TEXT_AT);
}

static void add_labels(const struct json *labels, struct str *out)
{
    const char *name = NULL;
    const struct json *value = NULL;

    for (size_t i = 0; json_member(labels, i, &name, &value); i++) {
        struct json_out json = JSON_OUT(out);

        str_addf(out, "%s%s=", i ? ", " : "", name);
        json_string(&json, json_text(value));
    }
}

static void print_alert(const struct ctl *ctl, const struct json *root)
{
    STR_AUTO struct str text = STR_INIT(PATH_BYTES_MAX);
    const struct json *alert = json_get(root, "alert");
    const struct json *others = json_get(alert, "others");

    str_addc(&text, '{');
    add_labels(json_get(alert, "labels"), &text);
    str_addf(&text, "} %s, %s", answer_words(alert, "fingerprint"), answer_words(alert, "state"));
    if (*answer_words(alert, "incident"))
        str_addf(&text, ", %s", answer_words(alert, "incident"));
    str_addf(&text, ", at %.19sZ", answer_words(root, "at"));
    (void)printf("  %s", color(ctl, DIM));
    print_wrapped(str_text(&text), 2);
    if (json_length(others) > 0) {
        str_cut(&text, 0);
        str_addf(&text, "%zu%s more alerts are meant as well, the next: {", json_length(others),
                 json_length(others) == 20 ? " or" : "");
        add_labels(json_get(json_at(others, 0), "labels"), &text);
        str_addf(&text, "} %s", answer_words(json_at(others, 0), "fingerprint"));
        (void)printf("  ");
        print_wrapped(str_text(&text), 2);
    }
    (void)printf("%s\n", color(ctl, PLAIN));
}

static void print_ladder(const struct ctl *ctl, const struct json *root)
{
    const struct json *steps = json_get(root, "steps");

    (void)printf("%s%s%s: ", color(ctl, BOLD), answer_words(root, "verdict"), color(ctl, PLAIN));
    print_wrapped(answer_words(root, "words"), (int)strlen(answer_words(root, "verdict")) + 2);
    print_alert(ctl, root);
    for (size_t i = 0; i < json_length(steps); i++)
        print_step(ctl, json_at(steps, i));
    missing_print_of(root);
}

/* --- what is asked --- */

static bool is_fingerprint(const char *text)
{
    return strlen(text) == FINGERPRINT_LEN && strspn(text, "0123456789abcdef") == FINGERPRINT_LEN;
}

/* NAME=VALUE... as {"NAME":"VALUE"}. */
static bool add_labels_given(const struct ctl *ctl, struct str *path)
{
    STR_AUTO struct str text = STR_INIT(PATH_BYTES_MAX);
    struct json_out json = JSON_OUT(&text);

    json_open(&json, '{');
    for (int i = 0; i < ctl->n_arguments; i++) {
        const char *sign = strchr(ctl->arguments[i], '=');
        char name[256];

        if (!sign || sign == ctl->arguments[i] || sign - ctl->arguments[i] >= (int)sizeof(name)) {
            (void)ctl_fail(ctl,
                           "\"%s\": name an incident (INC-2026-0012), a fingerprint, or an alert's "
                           "labels as NAME=VALUE",
                           ctl->arguments[i]);
            return false;
        }
        (void)snprintf(name, sizeof(name), "%.*s", (int)(sign - ctl->arguments[i]),
                       ctl->arguments[i]);
        json_kv_string(&json, name, sign + 1);
    }
    json_close(&json, '}');
    str_add(path, "labels=");
    add_encoded(path, str_text(&text));
    return true;
}

static bool add_alert(const struct ctl *ctl, struct str *path)
{
    const char *first = ctl->arguments[0];
    bool is_one = ctl->n_arguments == 1 && !strchr(first, '=');

    if (!is_one || (!is_fingerprint(first) && strncmp(first, "INC-", 4) != 0))
        return add_labels_given(ctl, path);
    str_add(path, is_fingerprint(first) ? "fingerprint=" : "incident=");
    add_encoded(path, first);
    return true;
}

static bool add_at(const struct ctl *ctl, struct str *path)
{
    const char *at = ctl_option(ctl, "at");
    char text[CLOCK_TEXT_MAX];
    int64_t at_ms = 0;
    struct err err = {0};

    if (!at)
        return true;
    if (when_parse("at", at, clock_wall_ms(), &at_ms, &err)) {
        (void)ctl_fail(ctl, "%s", err.text);
        return false;
    }
    str_add(path, "&at=");
    add_encoded(path, clock_rfc3339(at_ms, text));
    return true;
}

enum ctl_exit cmd_why(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(PATH_BYTES_MAX);
    const char *receiver = ctl_option(ctl, "receiver");
    struct json *root;

    str_add(&path, "/api/alertd/v1/why?");
    if (!add_alert(ctl, &path) || !add_at(ctl, &path))
        return CTL_USAGE;
    if (receiver) {
        str_add(&path, "&receiver=");
        add_encoded(&path, receiver);
    }
    if (ctl_option(ctl, "supposed"))
        str_add(&path, "&supposed=true");
    enum ctl_exit r = call_json(ctl, &(struct call){.method = "GET", .path = str_text(&path)},
                                &root);

    if (r != CTL_OK || !root)
        return r;
    print_ladder(ctl, root);
    json_free(root);
    return CTL_OK;
}
