#pragma once

/*
 * JSON out, straight into a growing text: no tree, so a reply of any size costs
 * one buffer. Commas are placed by the writer. Nesting is the caller's duty and is
 * asserted.
 *
 *     struct json_out out = JSON_OUT(&text);
 *     json_open(&out, '{');
 *     json_key(&out, "status"); json_string(&out, "success");
 *     json_close(&out, '}');
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/str.h"

struct json_out {
    struct str *text;
    bool need_comma;
    int depth;
};

#define JSON_OUT(str_ptr) ((struct json_out){.text = (str_ptr)})

void json_open(struct json_out *out, char bracket);  /* '{' or '[' */
void json_close(struct json_out *out, char bracket); /* '}' or ']' */
void json_key(struct json_out *out, const char *name);

/* Bytes that are not UTF-8 become U+FFFD: what comes out is always JSON. */
void json_string(struct json_out *out, const char *text); /* NULL writes null */
void json_stringn(struct json_out *out, const char *text, size_t len);
void json_int(struct json_out *out, int64_t value);
void json_bool(struct json_out *out, bool value);
void json_null(struct json_out *out);
void json_float(struct json_out *out, double value);   /* NaN and infinities become null */
void json_raw(struct json_out *out, const char *json); /* already JSON */

/* key and value in one go */
void json_kv_string(struct json_out *out, const char *name, const char *text);
void json_kv_int(struct json_out *out, const char *name, int64_t value);
void json_kv_bool(struct json_out *out, const char *name, bool value);
void json_kv_float(struct json_out *out, const char *name, double value);
/* "name":["...", ...] */
void json_kv_strings(struct json_out *out, const char *name, const char *const *texts, size_t n);
/* An RFC 3339 instant, null for 0. */
void json_kv_time(struct json_out *out, const char *name, int64_t at_ms);
