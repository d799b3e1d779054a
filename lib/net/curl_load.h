#pragma once

/*
 * libcurl, loaded when the first https or mail is spoken and not before.
 *
 * Linked the ordinary way it and OpenSSL cost every process 6 MB of resident
 * memory and 20 ms before main() (measured on Debian 12: 1.2 MB without, 7.2 MB
 * with, 9.6 MB after curl_global_init). An agent that only speaks plain http
 * stays under 5 MB because nobody calls curl_load().
 *
 * No globals of ours: dlopen() counts, and curl_global_init() is thread-safe and
 * counted since 7.84. The library stays loaded until the process ends, because
 * OpenSSL does not survive being unloaded.
 *
 * Private to lib/net.
 */

#include <curl/curl.h>

#include "lib/base/err.h"

struct curl_api {
    __typeof__(curl_easy_init) *easy_init;
    __typeof__(curl_easy_cleanup) *easy_cleanup;
    __typeof__(curl_easy_reset) *easy_reset;
    __typeof__(curl_easy_setopt) *easy_setopt;
    __typeof__(curl_easy_perform) *easy_perform;
    __typeof__(curl_easy_getinfo) *easy_getinfo;
    __typeof__(curl_easy_strerror) *easy_strerror;
    __typeof__(curl_slist_append) *slist_append;
    __typeof__(curl_slist_free_all) *slist_free_all;
    __typeof__(curl_global_init) *global_init;
};

/* 0, or -ELIBACC with words that name the package to install. */
int curl_load(struct curl_api *ret_api, struct err *reterr);
