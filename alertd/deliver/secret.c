/*
 * A secret of the config. See secret.h.
 */

#include "alertd/deliver/secret.h"

#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/mem.h"

int secret_read(const struct route_secret *secret, char **ret_text, struct err *reterr)
{
    char *text = NULL;
    size_t len = 0;

    if (!secret->file) {
        *ret_text = mem_strdup(secret->value ? secret->value : "");
        return 0;
    }
    int r = fs_read(secret->file, SECRET_BYTES_MAX, &text, &len, reterr);
    if (r)
        return r;
    text[strcspn(text, "\r\n")] = '\0';
    *ret_text = text;
    return 0;
}
