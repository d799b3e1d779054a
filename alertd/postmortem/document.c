/*
 * A postmortem as one HTML file. See document.h.
 */

#include "alertd/postmortem/document.h"

#include <string.h>

#include "lib/base/clock.h"

/* One column of readable lines, system fonts, two palettes; figures take the colour of
 * the text around them. */
static const char style[] =
    ":root{color-scheme:light dark;--text:#1d2126;--soft:#5c6570;--line:#d9dde2;--back:#fff;"
    "--tint:#f4f6f8;--link:#0b5cad;--ask:#8a5a00;--ask-tint:#fff7e0}"
    "@media(prefers-color-scheme:dark){:root{--text:#e4e7eb;--soft:#9aa4b0;--line:#343a42;"
    "--back:#14171b;--tint:#1d2126;--link:#7ab8ff;--ask:#e8bd62;--ask-tint:#2b2413}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--back);color:var(--text);"
    "font:16px/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif;"
    "overflow-wrap:break-word}"
    "main,footer{max-width:54rem;margin:0 auto;padding:0 1.25rem}"
    "main{padding-top:2rem;padding-bottom:2rem}"
    "h1{font-size:1.75rem;line-height:1.25;margin:0 0 .75rem;letter-spacing:-.01em;text-wrap:balance}"
    "h2{font-size:1.2rem;margin:2.25rem 0 .6rem;padding-bottom:.25rem;"
    "border-bottom:1px solid var(--line)}"
    "h3{font-size:1rem;margin:1.5rem 0 .4rem}h4,h5,h6{font-size:.95rem;margin:1.2rem 0 .3rem}"
    "p,ul,ol,pre,blockquote,figure{margin:.7rem 0}ul,ol{padding-left:1.4rem}"
    "li{margin:.2rem 0}li.task{list-style:none;margin-left:-1.3rem;padding-left:1.6rem;"
    "text-indent:-1.6rem}.box{font-size:1.1em;display:inline-block;width:1.45rem;text-indent:0}"
    "li.task p{display:inline}"
    "a{color:var(--link);text-underline-offset:.15em}"
    "code{font:.875em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;"
    "background:var(--tint);border-radius:.25rem;padding:.1em .3em}"
    "pre{background:var(--tint);border-radius:.4rem;padding:.8rem 1rem;overflow-x:auto}"
    "pre code{padding:0;background:none}"
    ".scroll{overflow-x:auto;margin:.8rem 0}"
    "table{border-collapse:collapse;width:100%;font-size:.925rem;"
    "font-variant-numeric:tabular-nums}"
    "th,td{text-align:left;vertical-align:top;padding:.4rem .75rem .4rem 0;"
    "border-bottom:1px solid var(--line)}"
    ".short{white-space:nowrap}"
    "th{color:var(--soft);font-weight:600}"
    "th:empty{padding:0;border:0}"
    ".right{text-align:right}.center{text-align:center}"
    "blockquote{border-left:3px solid var(--line);padding:.1rem 0 .1rem 1rem;color:var(--soft)}"
    "blockquote.prompt{border-color:var(--ask);background:var(--ask-tint);color:var(--ask);"
    "padding:.3rem 1rem;border-radius:0 .3rem .3rem 0}"
    "blockquote p{margin:.3rem 0}"
    "figure{margin:1.2rem 0}figure svg{display:block;width:100%;height:auto;color:var(--soft)}"
    "figcaption,footer,.missing{color:var(--soft);font-size:.85rem}"
    "details{font-size:.85rem;color:var(--soft)}summary{cursor:pointer}"
    "figcaption{margin-top:.35rem;overflow-wrap:anywhere}"
    "hr{border:0;border-top:1px solid var(--line);margin:2rem 0}"
    "footer{padding-top:1rem;padding-bottom:2rem;border-top:1px solid var(--line)}"
    "@media(max-width:34rem){body{font-size:15px}td:not(.short){min-width:11rem}main{padding-top:1.25rem}"
    "h1{font-size:1.4rem}figure{overflow-x:auto}figure svg{width:40rem}}"
    "@media print{@page{margin:18mm 16mm}:root{--text:#000;--soft:#444;--line:#bbb;--back:#fff;"
    "--tint:#f3f3f3;--link:#000;--ask:#6b4600;--ask-tint:#fff}body{font-size:10.5pt}"
    "main,footer{max-width:none;padding:0}h2,h3{break-after:avoid}"
    "tr,figure,blockquote,li,thead{break-inside:avoid}thead{display:table-header-group;"
    "break-after:avoid}tbody tr:first-child,tbody tr:last-child{break-before:avoid}"
    "p{orphans:3;widows:3}footer{break-before:avoid}"
    "details{display:none}.scroll,pre{overflow:visible}pre{white-space:pre-wrap}}";

static void add_footer(const struct document *document, struct str *out)
{
    bool in_review = document->status && strcmp(document->status, "in_review") == 0;

    str_add(out, "</main>\n<footer>");
    markdown_escape_html(document->incident_key, out);
    if (document->status)
        str_addf(out, " \xc2\xb7 %s \xc2\xb7 revision %lld",
                 in_review ? "in review" : document->status, (long long)document->revision);
    if (document->updated_at_ms) {
        struct clock_utc at = clock_split_utc(document->updated_at_ms);

        str_addf(out, ", <time>%04d-%02d-%02d %02d:%02d UTC</time>", at.year, at.month, at.day,
                 at.hour, at.minute);
    }
    if (document->updated_by[0]) {
        str_add(out, " by ");
        markdown_escape_html(document->updated_by, out);
    }
    str_add(out, "</footer>\n</body>\n</html>\n");
}

int document_html(const struct document *document, struct str *out, struct err *reterr)
{
    str_add(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                 "<meta http-equiv=\"Content-Security-Policy\" "
                 "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
                 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                 "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    markdown_escape_html(document->title, out);
    str_addf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n", style);
    markdown_html(document->body, document->graphs, document->n_graphs, out);
    add_footer(document, out);
    if (out->full)
        return err_set(reterr, DOCUMENT_E_LIMIT, "the document is too large to export");
    return 0;
}
