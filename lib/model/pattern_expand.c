/*
 * Groups multiplied out. See pattern_expand.h.
 *
 * Only `(...)` and `(?:...)` that nothing repeats are of this form; a class or an escape of
 * letters is somebody else's to understand. A `|` or `)` behind a backslash is a character.
 */

#include "lib/model/pattern_expand.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

enum {
    DEPTH_MAX = 16,
    TEXTS_MAX = 4096, /* of a product; a plain list of alternatives has no limit */
    BYTES_MAX = 1024 * 1024,
};

void pattern_texts_done(struct pattern_texts *texts)
{
    for (size_t i = 0; i < texts->n; i++)
        free(texts->at[i]);
    free(texts->at);
    *texts = (struct pattern_texts){0};
}

/* head and tail as one text. */
static void add(struct pattern_texts *texts,
                const char *head,
                size_t head_len,
                const char *tail,
                size_t tail_len)
{
    char *text = mem_alloc(head_len + tail_len + 1);

    memcpy(text, head, head_len);
    memcpy(text + head_len, tail, tail_len);
    text[head_len + tail_len] = '\0';
    texts->at = mem_grow(texts->at, &texts->capacity, texts->n + 1, sizeof(*texts->at));
    texts->at[texts->n++] = text;
    texts->bytes += head_len + tail_len + 1;
}

/* Each of `texts` with each of `tails` behind it; both are gone then. */
static bool multiply(struct pattern_texts *texts, struct pattern_texts *tails)
{
    struct pattern_texts made = {0};
    bool fine = tails->n == 1 || texts->n * tails->n <= TEXTS_MAX;

    for (size_t i = 0; fine && i < texts->n; i++)
        for (size_t j = 0; fine && j < tails->n; j++) {
            add(&made, texts->at[i], strlen(texts->at[i]), tails->at[j], strlen(tails->at[j]));
            fine = made.bytes <= BYTES_MAX;
        }
    pattern_texts_done(texts);
    pattern_texts_done(tails);
    *texts = made;
    return fine;
}

static bool expand(const char **at, unsigned depth, struct pattern_texts *ret);

/* The group at *at, which is `(`. */
static bool expand_group(const char **at, unsigned depth, struct pattern_texts *ret)
{
    if (depth == DEPTH_MAX)
        return false;
    *at += 1;
    if (**at == '?') {
        if (strncmp(*at, "?:", 2) != 0)
            return false;
        *at += 2;
    }
    if (!expand(at, depth + 1, ret) || **at != ')')
        return false;
    *at += 1;
    return !**at || !strchr("*+?{", **at);
}

/* What stands at *at up to a group, a `|`, a `)` or the end, as one text. */
static bool take_run(const char **at, struct pattern_texts *ret)
{
    const char *from = *at;

    if (strchr("*+?{", *from)) /* repeats nothing: a mistake, but not behind what comes before */
        return false;
    for (; **at && !strchr("|()", **at); ++*at) {
        if (**at == '[')
            return false;
        if (**at == '\\' && *++*at == '\0')
            return false;
    }
    add(ret, from, (size_t)(*at - from), "", 0);
    return true;
}

/* One alternative, up to `|`, `)` or the end. */
static bool expand_one(const char **at, unsigned depth, struct pattern_texts *ret)
{
    bool fine = true;

    add(ret, "", 0, "", 0);
    while (fine && **at && **at != '|' && **at != ')') {
        struct pattern_texts tails = {0};

        fine = **at == '(' ? expand_group(at, depth, &tails) : take_run(at, &tails);
        fine = fine && multiply(ret, &tails);
        pattern_texts_done(&tails);
    }
    return fine;
}

/* Alternatives up to `)` or the end. */
static bool expand(const char **at, unsigned depth, struct pattern_texts *ret)
{
    for (;;) {
        struct pattern_texts one = {0};
        bool fine = expand_one(at, depth, &one);

        for (size_t i = 0; fine && i < one.n; i++)
            add(ret, one.at[i], strlen(one.at[i]), "", 0);
        pattern_texts_done(&one);
        if (!fine || ret->bytes > BYTES_MAX)
            return false;
        if (**at != '|')
            return true;
        *at += 1;
    }
}

bool pattern_expand(const char *text, struct pattern_texts *ret_texts)
{
    return expand(&text, 0, ret_texts) && *text == '\0';
}
