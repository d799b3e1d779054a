#pragma once

/*
 * Parsing a drill, in four files:
 *
 *   parse.c         the walk over lines, the table of statements, what the drill is
 *   parse_word.c    the next word of a line, as a duration, a number, a name ...
 *   parse_data.c    series, data files, faults
 *   parse_judge.c   questions, ideas, limits, expectations
 *   parse_player.c  what a player does, and when
 *
 * Every parse_* answers 0, or DRILL_E_FILE with the place of the word it could not take.
 */

#include "alertd/drill/drill.h"

struct parse {
    struct drill *drill;
    struct err *err;
    const struct drill_line *line;
    size_t next;                 /* of the line's tokens */
    struct drill_player *player; /* whose lines these are; NULL: the drill's own */
};

#define PARSE_TRY(call)        \
    do {                       \
        int parse_r_ = (call); \
        if (parse_r_)          \
            return parse_r_;   \
    } while (0)

/* At the next token (or behind the last). */
int parse_fail(const struct parse *parse, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* At the token before. */
int parse_fail_before(const struct parse *parse, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int parse_spent(const struct parse *parse);
#ifdef __clang_analyzer__ /* as err_at() in err.h: what comes back is not 0 */
#define parse_fail(parse, ...) err_code((parse_fail)((parse), __VA_ARGS__), DRILL_E_FILE)
#define parse_fail_before(parse, ...) \
    err_code((parse_fail_before)((parse), __VA_ARGS__), DRILL_E_FILE)
#define parse_spent(parse) err_code((parse_spent)(parse), DRILL_E_FILE)
#endif
const struct drill_token *parse_peek(const struct parse *parse); /* NULL: the line is over */
bool parse_is(const struct parse *parse, const char *word);
bool parse_take(struct parse *parse, const char *word); /* takes it when it is that */
int parse_word(struct parse *parse, const char *what, const char **ret);
int parse_text(struct parse *parse, const char *what, const char **ret);
int parse_span(struct parse *parse, const char *what, int64_t *ret_ms);
int parse_time(struct parse *parse,
               const char *what,
               int64_t *ret_ms); /* within a drill's length */
int parse_number(struct parse *parse, const char *what, double *ret);
int parse_whole(struct parse *parse, const char *what, int64_t *ret);
int parse_end(const struct parse *parse);
/* One of names (NULL-terminated): its place. */
int parse_choice(struct parse *parse, const char *what, const char *const *names, size_t *ret);
/* "text" or ~"pattern", as many as stand here. */
int parse_accepts(struct parse *parse, struct drill_accept **ret, size_t *ret_n);
int parse_clock_or_count(struct parse *parse,
                         bool *ret_is_clock,
                         enum drill_clock *ret_clock,
                         enum drill_count *ret_count);

/* A zeroed element at the end; NULL: the arena is spent. */
void *parse_push(struct parse *parse, void **array, size_t *n, size_t *capacity, size_t size);
#define PARSE_PUSH(parse, owner, list)                                                        \
    parse_push(parse, (void **)&(owner)->list, &(owner)->n_##list, &(owner)->list##_capacity, \
               sizeof(*(owner)->list))

int parse_series(struct parse *parse);
int parse_counter(struct parse *parse);
int parse_samples(struct parse *parse);
int parse_fault(struct parse *parse);
int parse_question(struct parse *parse);
int parse_hypothesis(struct parse *parse);
int parse_action(struct parse *parse);
int parse_hint(struct parse *parse);
int parse_limit(struct parse *parse);
int parse_really(struct parse *parse);
/* Behind `at T`, `by T` or neither. */
int parse_expect(struct parse *parse, bool is_by, bool has_time, int64_t at_ms);
int parse_player_line(struct parse *parse);

/* All series have their samples: nothing more is said. */
int parse_check_points(struct parse *parse);
