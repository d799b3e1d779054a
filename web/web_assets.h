#pragma once

/*
 * The dashboard as it lies in the program: a table of files, made at build by web/embed.py.
 *
 * (1) The page is "/index.html". It answers every path that is nobody else's: the page itself
 *     shows what the address names ("/", "/i/INC-2026-0012", "/rules/7", "/pm/3" ...).
 *     An unknown path below /api, /v2, /-, /a or /assets is 404, never the page.
 * (2) Paths below /assets carry a hash of their content: immutable rows may be cached for ever,
 *     the others must be asked for again (ETag, If-None-Match).
 * (3) gzip is NULL where squeezing does not pay.
 */

#include <stdbool.h>
#include <stddef.h>

struct web_asset {
    const char *path; /* "/index.html", "/assets/main-3F2K.js": sorted */
    const char *type; /* Content-Type */
    const unsigned char *bytes;
    size_t len;
    const unsigned char *gzip; /* NULL: none */
    size_t gzip_len;
    const char *etag; /* with its quotes */
    bool immutable;
};

extern const struct web_asset web_assets[];
extern const size_t n_web_assets;

/* Content-Security-Policy of the page. Nothing inline, nothing from elsewhere, and no string
 * ever becomes markup: the browser refuses innerHTML (Trusted Types). */
#define WEB_CSP                                                                       \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " \
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "      \
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
