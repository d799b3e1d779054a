/*
 * The phone page's question: was this page worth it? See ack_verdict.h.
 *
 * Three buttons of one form, and an area for the reason: in it Enter is a new line, for a
 * line's Enter would press the first button.
 */

#include "alertd/api/ack_verdict.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/html.h"

static const struct {
    enum verdict verdict;
    const char *button, *sure;
} answers[] = {
    {VERDICT_USEFUL, "Useful", "Yes, it was useful"},
    {VERDICT_NOISE, "Noise", "Yes, it was noise"},
    {VERDICT_UNKNOWN, "Don\xe2\x80\x99t know", "I don\xe2\x80\x99t know"},
};

enum {
    N_ANSWERS = sizeof(answers) / sizeof(answers[0])
};

void ack_verdict_read(const struct http_request *request, struct ack_verdict *ret)
{
    const char *via = http_query(request, "via");
    const char *page = http_query(request, "page");

    ret->chosen = verdict_parse(http_query(request, "verdict"));
    ret->outbox_id = page && strspn(page, "0123456789") == strlen(page) && strlen(page) < 19
                         ? strtoll(page, NULL, 10)
                         : 0;
    if (via && strcmp(via, "mail") == 0)
        ret->via = "mail";
    else
        ret->via = via && strcmp(via, "ntfy") == 0 ? "ntfy" : "phone";
}

static void add_said(const struct ack_verdict *asked, struct str *out)
{
    static const char *const words[] = {
        [VERDICT_NONE] = "",
        [VERDICT_USEFUL] = "useful",
        [VERDICT_NOISE] = "noise",
        [VERDICT_UNKNOWN] = "doesn\xe2\x80\x99t know",
    };

    for (size_t i = 0; i < asked->n_rows; i++) {
        const struct verdict_row *row = &asked->rows[i];

        if (!row->counts)
            continue;
        str_add(out, "<p class=\"said\"><strong>");
        str_add(out, words[row->verdict]);
        str_add(out, "</strong>");
        if (row->reason[0]) {
            str_add(out, ": ");
            html_escape(out, row->reason);
        }
        str_add(out, " <span class=\"soft\">");
        html_escape(out, row->actor);
        str_add(out, "</span></p>\n");
    }
}

static void add_button(unsigned which, bool is_main, struct str *out)
{
    str_addf(out, "<button%s name=\"verdict\" value=\"%s\">%s</button>",
             is_main ? " class=\"main\"" : "", verdict_name(answers[which].verdict),
             is_main ? answers[which].sure : answers[which].button);
}

void ack_verdict_write(const struct ack_verdict *asked, struct str *out)
{
    str_add(out, "<h2 id=\"worth\">Was this page worth it?</h2>\n");
    add_said(asked, out);
    str_addf(out,
             "<form method=\"post\" action=\"/a/%s\">"
             "<input type=\"hidden\" name=\"action\" value=\"verdict\">"
             "<input type=\"hidden\" name=\"via\" value=\"%s\">"
             "<input type=\"hidden\" name=\"page\" value=\"%" PRId64 "\">\n",
             asked->token, asked->via, asked->outbox_id);
    for (unsigned i = 0; i < N_ANSWERS; i++)
        if (answers[i].verdict == asked->chosen)
            add_button(i, true, out);
    str_add(out, "<div class=\"row\">");
    for (unsigned i = 0; i < N_ANSWERS; i++)
        if (answers[i].verdict != asked->chosen)
            add_button(i, false, out);
    str_add(out, "</div>\n<label for=\"reason\">Why (optional)</label>"
                 "<textarea id=\"reason\" name=\"reason\" rows=\"2\" maxlength=\"300\"></textarea>"
                 "</form>\n");
}
