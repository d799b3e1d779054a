/*
 * One condition on one label. See matcher.h; how patterns match is in pattern.c.
 */

#include "lib/model/matcher.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/bug.h"
#include "lib/base/mem.h"
#include "lib/model/pattern.h"
#include "lib/model/quote.h"

int matcher_init(struct matcher *ret_matcher,
                 enum matcher_type type,
                 const char *name,
                 const char *value,
                 struct err *reterr)
{
    struct matcher_pattern *pattern = NULL;

    if (type == MATCHER_REGEX || type == MATCHER_NOT_REGEX) {
        pattern = pattern_new(value, reterr);
        if (!pattern)
            return MATCHER_E_REGEX;
    }
    *ret_matcher = (struct matcher){
        .type = type,
        .name = mem_strdup(name),
        .value = mem_strdup(value),
        .pattern = pattern,
    };
    return 0;
}

void matcher_done(struct matcher *matcher)
{
    free(matcher->name);
    free(matcher->value);
    pattern_free(matcher->pattern);
    *matcher = (struct matcher){0};
}

bool matcher_matches(const struct matcher *matcher, const char *value)
{
    switch (matcher->type) {
    case MATCHER_EQUAL: return strcmp(matcher->value, value) == 0;
    case MATCHER_NOT_EQUAL: return strcmp(matcher->value, value) != 0;
    case MATCHER_REGEX: return pattern_matches(matcher->pattern, value);
    case MATCHER_NOT_REGEX: return !pattern_matches(matcher->pattern, value);
    }
    UNREACHABLE("matcher type");
}

bool matchers_match(const struct matcher *matchers, size_t n, const struct labels *labels)
{
    for (size_t i = 0; i < n; i++) {
        const char *value = labels_get(labels, matchers[i].name);

        if (!matcher_matches(&matchers[i], value ? value : ""))
            return false;
    }
    return true;
}

void matcher_print(const struct matcher *matcher, struct str *out)
{
    static const char *const signs[] = {
        [MATCHER_EQUAL] = "=",
        [MATCHER_NOT_EQUAL] = "!=",
        [MATCHER_REGEX] = "=~",
        [MATCHER_NOT_REGEX] = "!~",
    };

    if (labels_name_is_classic(matcher->name) && !strchr(matcher->name, ':'))
        str_add(out, matcher->name);
    else
        quote_add(out, matcher->name, strlen(matcher->name));
    str_add(out, signs[matcher->type]);
    quote_add(out, matcher->value, strlen(matcher->value));
}
