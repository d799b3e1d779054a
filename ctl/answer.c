/*
 * What an answer of alertd's says. See answer.h.
 */

#include "ctl/answer.h"

const char *answer_text(const struct json *object, const char *key)
{
    const char *text = NULL;

    (void)json_get_string_or(object, key, NULL, &text, NULL);
    return text;
}

const char *answer_words(const struct json *object, const char *key)
{
    const char *text = answer_text(object, key);

    return text ? text : "";
}

int64_t answer_count(const struct json *object, const char *key)
{
    int64_t n = 0;

    (void)json_get_int_or(object, key, 0, &n, NULL);
    return n;
}
