/*
 * See told_json.h.
 */

#include "alertd/api/told_json.h"

void told_json(const struct told *told, struct json_out *out)
{
    const char *words[TOLD_LIST_MAX];
    size_t n = told_list(told, words);

    json_kv_strings(out, "warnings", words, n);
}

void told_fail(struct http_response *response,
               const struct told *told,
               const char *error_type,
               const char *words)
{
    const char *missing[TOLD_LIST_MAX];
    size_t n = told_list(told, missing);

    http_fail_warned(response, error_type, words, missing, n);
}
