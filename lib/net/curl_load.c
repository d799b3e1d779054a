/*
 * libcurl, loaded when it is needed. See curl_load.h.
 */

#include "lib/net/curl_load.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    size_t place; /* of the pointer in struct curl_api */
} functions[] = {
    {"curl_easy_init", offsetof(struct curl_api, easy_init)},
    {"curl_easy_cleanup", offsetof(struct curl_api, easy_cleanup)},
    {"curl_easy_reset", offsetof(struct curl_api, easy_reset)},
    {"curl_easy_setopt", offsetof(struct curl_api, easy_setopt)},
    {"curl_easy_perform", offsetof(struct curl_api, easy_perform)},
    {"curl_easy_getinfo", offsetof(struct curl_api, easy_getinfo)},
    {"curl_easy_strerror", offsetof(struct curl_api, easy_strerror)},
    {"curl_slist_append", offsetof(struct curl_api, slist_append)},
    {"curl_slist_free_all", offsetof(struct curl_api, slist_free_all)},
    {"curl_global_init", offsetof(struct curl_api, global_init)},
};

int curl_load(struct curl_api *ret_api, struct err *reterr)
{
    struct curl_api api;
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

    if (!library)
        return err_set(reterr, -ELIBACC,
                       "https and mail need libcurl.so.4 (install the package libcurl4)");
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        void *found = dlsym(library, functions[i].name);

        if (!found)
            return err_set(reterr, -ELIBACC, "libcurl.so.4 has no %s: it is too old",
                           functions[i].name);
        memcpy((char *)&api + functions[i].place, &found, sizeof(found));
    }
    if (api.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(reterr, -ELIBACC, "libcurl.so.4 cannot be initialised");
    *ret_api = api;
    return 0;
}
