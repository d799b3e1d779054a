#pragma once

/*
 * One call of alertd's API: address and token from struct ctl, errors as words on
 * stderr with what to do about them.
 */

#include "ctl/cmd.h"
#include "lib/base/str.h"
#include "lib/json/read.h"

enum {
    CALL_REPLY_MAX = 256 * 1024 * 1024, /* of what is asked for: the asker knows what they do */
};

struct call {
    const char *method;       /* "GET" */
    const char *path;         /* "/api/alertd/v1/incidents"; already encoded */
    const char *body;         /* NULL: none */
    const char *content_type; /* NULL: application/json */
    bool quiet;               /* no complaint on stderr */
    bool kept;                /* the caller's alone: not printed with --json either */
    bool judged;              /* the exit status depends on it: read with --json too */
    const char *expression;   /* NULL: none; a mistake in it is shown with a caret */
};

/* Any 2xx: CTL_OK and the body in *ret_body (heap, free()), else CTL_FAILURE. */
enum ctl_exit call_text(const struct ctl *ctl, const struct call *call, char **ret_body);

/* The same, and the body read as JSON (json_free()). With --json the body is printed as
 * it came and *ret_root is NULL: the caller returns at once. Of a kept one nothing is printed, and of
 * a judged one the root is there as well. */
enum ctl_exit call_json(const struct ctl *ctl, const struct call *call, struct json **ret_root);

/* Percent-encodes text for a path segment or a query value. */
void add_encoded(struct str *url, const char *text);
