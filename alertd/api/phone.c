/*
 * What the pages for phones share. See phone.h.
 */

#include "alertd/api/phone.h"

#include <math.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/base/html.h"
#include "lib/model/duration.h"

static const char style[] =
    ":root{color-scheme:light dark;--ink:#16181d;--soft:#565c66;--paper:#fff;--line:#d5d8dd;"
    "--bad:#b3261e;--ok:#1b6e3c;--act:#0b57d0;--on-act:#fff}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a5abb5;--paper:#15171b;"
    "--line:#3a3f47;--bad:#f2857d;--ok:#7fd3a0;--act:#8ab4f8;--on-act:#10131a}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);"
    "font:17px/1.45 system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif}\n"
    "main{max-width:34rem;margin:0 auto;padding:1rem}\n"
    "h1{font-size:1.35rem;line-height:1.25;margin:.25rem 0 .75rem;overflow-wrap:anywhere}\n"
    "h2{font-size:1rem;margin:1.5rem 0 .5rem}\n"
    "p{margin:.25rem 0 .75rem}\n"
    "ul{list-style:none;margin:0;padding:0}\n"
    "li{border-top:1px solid var(--line);padding:.6rem 0;overflow-wrap:anywhere}\n"
    ".soft{color:var(--soft);font-size:.9rem}\n"
    ".bad{color:var(--bad);font-weight:600}.ok{color:var(--ok);font-weight:600}\n"
    "label{display:block;margin:.75rem 0 .25rem}\n"
    "input,textarea{width:100%;font:inherit;color:inherit;background:transparent;"
    "border:1px solid var(--soft);border-radius:8px;padding:.6rem;min-height:44px}\n"
    "button,.button{display:block;width:100%;min-height:44px;margin:.75rem 0;padding:.65rem 1rem;"
    "font:inherit;font-weight:600;text-align:center;text-decoration:none;border-radius:8px;"
    "border:1px solid var(--act);color:var(--act);background:transparent;cursor:pointer}\n"
    "button.main{background:var(--act);color:var(--on-act)}\n"
    ".row{display:flex;gap:.5rem}.row button{flex:1;margin:.25rem 0}\n"
    ".said{overflow-wrap:anywhere}\n"
    ":focus-visible{outline:3px solid var(--act);outline-offset:2px}\n";

void phone_style(void *context, struct http_request *request, struct http_response *response)
{
    response->content_type = "text/css; charset=utf-8";
    response->static_bytes = style;
    response->static_len = sizeof(style) - 1;
}

/* At most max bytes, cut between characters. */
void phone_cut(struct str *out, const char *text, size_t max)
{
    STR_AUTO struct str cut = STR_INIT(max + 8);
    size_t len = strlen(text);

    if (len <= max) {
        html_escape(out, text);
        return;
    }
    for (len = max; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
        continue;
    str_addn(&cut, text, len);
    str_add(&cut, "\xe2\x80\xa6");
    html_escape(out, str_text(&cut));
}

void phone_open(struct str *out, const char *title)
{
    str_add(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                 "<meta name=\"robots\" content=\"noindex\">"
                 "<link rel=\"stylesheet\" href=\"/a/style.css\"><title>");
    phone_cut(out, title, PHONE_TITLE_BYTES);
    str_add(out, "</title></head><body><main>\n");
}

void phone_close(struct str *out)
{
    str_add(out, "</main></body></html>\n");
}

void phone_say(struct http_response *response, int status, const char *title, const char *words)
{
    response->status = status;
    response->content_type = "text/html; charset=utf-8";
    str_cut(&response->body, 0);
    phone_open(&response->body, title);
    str_add(&response->body, "<h1>");
    html_escape(&response->body, title);
    str_add(&response->body, "</h1><p>");
    html_escape(&response->body, words);
    str_add(&response->body, "</p>\n");
    phone_close(&response->body);
}

/* "14:02:11 UTC (3 min ago)" */
void phone_time(struct str *out, int64_t at_ms, int64_t now_ms)
{
    struct clock_utc utc = clock_split_utc(at_ms);
    char span[DURATION_TEXT_MAX];
    int64_t past_ms = now_ms - at_ms;

    str_addf(out, "%02d:%02d:%02d UTC (", utc.hour, utc.minute, utc.second);
    if (past_ms < 1000) /* also a clock that was set back */
        str_add(out, "just now)");
    else
        str_addf(out, "%s ago)", duration_human(past_ms / 1000 * 1000, span));
}

void phone_alert(struct str *out, const struct incident_alert *alert, int64_t now_ms)
{
    const char *instance = labels_get(alert->labels, "instance");
    const char *summary = labels_get(alert->annotations, "summary");
    char value[FLOAT_TEXT_MAX];

    str_add(out, "<li><strong>");
    phone_cut(out, alert->name, 80);
    str_add(out, "</strong>");
    if (instance) {
        str_add(out, " on ");
        phone_cut(out, instance, 80);
    }
    str_add(out, alert->firing ? " <span class=\"bad\">fires</span>"
                               : " <span class=\"ok\">over</span>");
    if (summary) {
        str_add(out, "<br>");
        phone_cut(out, summary, PHONE_TITLE_BYTES);
    }
    str_add(out, "<br><span class=\"soft\">since ");
    phone_time(out, alert->fired_at_ms, now_ms);
    if (!isnan(alert->value)) {
        (void)float_short(alert->value, value);
        str_addf(out, ", value %s", value);
    }
    str_add(out, "</span></li>\n");
}

static bool is_web_address(const char *url)
{
    return strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;
}

void phone_runbook(struct str *out, const struct incident_alert *alerts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *url = labels_get(alerts[i].annotations, "runbook_url");

        if (!url || !is_web_address(url) || strlen(url) > 1000)
            continue;
        str_add(out, "<a class=\"button\" rel=\"noreferrer\" href=\"");
        html_escape(out, url);
        str_add(out, "\">Runbook</a>\n");
        return; /* the first alert's: one incident is one kind of trouble */
    }
}
