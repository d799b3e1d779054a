#pragma once

/*
 * JSON in, for small bodies (256 KiB at most): jansson's one home. Getters say
 * which field is wrong and what was expected: `labels.job: expected a string`.
 * Large inputs never come through here: remote write and text have own decoders.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum {
    JSON_E_SYNTAX = 1, /* reterr has line and column */
    JSON_E_TYPE = 2,   /* a field is missing or of another type */
    JSON_BODY_MAX = 256 * 1024,
};

struct json; /* one parsed value; children are loans of their root */

/* Duplicate keys and trailing text are errors. json_free(). */
int json_parse(const char *text, size_t len, struct json **ret_root, struct err *reterr);
/* The same for a file that somebody chose to bring, up to max_bytes. */
int json_parse_upto(
    const char *text, size_t len, size_t max_bytes, struct json **ret_root, struct err *reterr);
void json_free(struct json *root);

/* JSON_E_TYPE for a value that is well-formed and not meaningful, with its path in front:
 * of member key, or (NULL) of the value itself. */
int json_wrong(const struct json *value, const char *key, struct err *reterr, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Members of an object. A required one that is missing is JSON_E_TYPE. */
int json_get_string(const struct json *object,
                    const char *key,
                    const char **ret_text,
                    struct err *reterr);
int json_get_int(const struct json *object,
                 const char *key,
                 int64_t *ret_value,
                 struct err *reterr);
int json_get_float(const struct json *object,
                   const char *key,
                   double *ret_value,
                   struct err *reterr);
int json_get_bool(const struct json *object, const char *key, bool *ret_value, struct err *reterr);
int json_get_array(const struct json *object,
                   const char *key,
                   const struct json **ret_array,
                   struct err *reterr);
int json_get_object(const struct json *object,
                    const char *key,
                    const struct json **ret_object,
                    struct err *reterr);
bool json_has(const struct json *object, const char *key); /* present and not null */
/* Any member, or NULL. */
const struct json *json_get(const struct json *object, const char *key);

/* A string member, or fallback when absent or null; wrong type is JSON_E_TYPE. */
int json_get_string_or(const struct json *object,
                       const char *key,
                       const char *fallback,
                       const char **ret_text,
                       struct err *reterr);
int json_get_int_or(const struct json *object,
                    const char *key,
                    int64_t fallback,
                    int64_t *ret_value,
                    struct err *reterr);

bool json_is_object(const struct json *value);
bool json_is_array(const struct json *value);
bool json_is_null(const struct json *value);
const char *json_text(const struct json *value); /* NULL when not a string */
/* An array's item: 0 or JSON_E_TYPE. */
int json_number(const struct json *value, double *ret_value);
int json_truth(const struct json *value, bool *ret_value);
size_t json_length(const struct json *array_or_object);
const struct json *json_at(const struct json *array, size_t index);
/* Walk an object: index from 0; false past the end. Order is that of the text. */
bool json_member(const struct json *object,
                 size_t index,
                 const char **ret_key,
                 const struct json **ret_value);
/* Any key not in `known` (NULL-terminated) is JSON_E_TYPE naming it: strict bodies. */
int json_only(const struct json *object, const char *const *known, struct err *reterr);
