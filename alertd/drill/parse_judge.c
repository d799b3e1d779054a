/*
 * What is right in a drill: questions, ideas, hints, limits, what really happened, and what
 * is expected. See parse_private.h.
 */

#include <string.h>

#include "alertd/drill/parse_private.h"

int parse_question(struct parse *parse)
{
    struct drill *drill = parse->drill;
    struct drill_question *question = PARSE_PUSH(parse, drill, questions);

    if (!question)
        return parse_spent(parse);
    question->line = parse->line->number;
    PARSE_TRY(parse_word(parse, "the question's short name", &question->id));
    for (size_t i = 0; i + 1 < drill->n_questions; i++)
        if (strcmp(drill->questions[i].id, question->id) == 0)
            return parse_fail_before(parse, "there is a question '%.60s' on line %u", question->id,
                                     drill->questions[i].line);
    PARSE_TRY(parse_text(parse, "the question", &question->text));
    if (!parse_take(parse, "accept"))
        return parse_fail(parse, "what answers are right? accept \"words\" ~\"a pattern\"");
    PARSE_TRY(parse_accepts(parse, &question->accepts, &question->n_accepts));
    return parse_end(parse);
}

static int parse_idea(struct parse *parse, struct drill_idea *idea, const struct drill_idea *first)
{
    idea->line = parse->line->number;
    PARSE_TRY(parse_text(parse, "what it is, in words", &idea->text));
    for (; first < idea; first++)
        if (strcmp(first->id, idea->id) == 0)
            return parse_fail_before(parse, "'%.60s' is on line %u already", idea->id, first->line);
    if (parse_take(parse, "accept"))
        PARSE_TRY(parse_accepts(parse, &idea->accepts, &idea->n_accepts));
    return parse_end(parse);
}

int parse_hypothesis(struct parse *parse)
{
    static const char *const worths[] = {"right", "wrong", NULL};
    struct drill_idea *idea = PARSE_PUSH(parse, parse->drill, hypotheses);
    size_t worth = 0;

    if (!idea)
        return parse_spent(parse);
    PARSE_TRY(parse_word(parse, "the hypothesis' short name", &idea->id));
    PARSE_TRY(parse_choice(parse, "kind of hypothesis", worths, &worth));
    idea->worth = worth == 0 ? DRILL_WORTH_RIGHT : DRILL_WORTH_WRONG;
    return parse_idea(parse, idea, parse->drill->hypotheses);
}

int parse_action(struct parse *parse)
{
    static const char *const worths[] = {"mends", "relevant", "herring", "harm", NULL};
    static const enum drill_worth of[] = {DRILL_WORTH_RIGHT, DRILL_WORTH_RELEVANT,
                                          DRILL_WORTH_HERRING, DRILL_WORTH_HARM};
    struct drill_idea *idea = PARSE_PUSH(parse, parse->drill, actions);
    size_t worth = 0;

    if (!idea)
        return parse_spent(parse);
    PARSE_TRY(parse_word(parse, "the action's short name", &idea->id));
    PARSE_TRY(parse_choice(parse, "kind of action", worths, &worth));
    idea->worth = of[worth];
    return parse_idea(parse, idea, parse->drill->actions);
}

int parse_hint(struct parse *parse)
{
    struct drill_hint *hint = PARSE_PUSH(parse, parse->drill, hints);

    if (!hint)
        return parse_spent(parse);
    if (!parse_take(parse, "cost"))
        return parse_fail(parse, "what does it cost? hint cost 2 \"...\"");
    PARSE_TRY(parse_whole(parse, "a cost", &hint->cost));
    PARSE_TRY(parse_text(parse, "the hint", &hint->text));
    return parse_end(parse);
}

int parse_limit(struct parse *parse)
{
    enum drill_clock clock = DRILL_SEEN;
    enum drill_count count = DRILL_WRONG;
    bool is_clock = false;

    PARSE_TRY(parse_clock_or_count(parse, &is_clock, &clock, &count));
    if (is_clock)
        PARSE_TRY(parse_time(parse, "the limit", &parse->drill->clock_limits[clock]));
    else
        PARSE_TRY(parse_whole(parse, "the limit", &parse->drill->count_limits[count]));
    return parse_end(parse);
}

/* `really ack 1m "..."`, `really tell never` */
int parse_really(struct parse *parse)
{
    enum drill_clock clock = DRILL_SEEN;
    enum drill_count count = DRILL_WRONG;
    bool is_clock = false;

    PARSE_TRY(parse_clock_or_count(parse, &is_clock, &clock, &count));
    if (!is_clock)
        return parse_fail_before(parse, "what really happened is told of clocks, not of counts");

    struct drill_really *really = &parse->drill->really[clock];

    really->given = true;
    really->never = parse_take(parse, "never");
    if (!really->never)
        PARSE_TRY(parse_time(parse, "when it really happened", &really->after_ms));
    if (parse_peek(parse))
        PARSE_TRY(parse_text(parse, "a note", &really->note));
    return parse_end(parse);
}

/* --- Expectations -------------------------------------------------------------------------------- */

static int expect_state(struct parse *parse, struct drill_expect *expect)
{
    static const char *const states[] = {"inactive", "pending", "firing", NULL};
    size_t state = 0;

    expect->kind = DRILL_EXPECT_STATE;
    PARSE_TRY(parse_word(parse, "an alert", &expect->alert));
    PARSE_TRY(parse_choice(parse, "state", states, &state));
    expect->state = states[state];
    return 0;
}

static int expect_no_page(struct parse *parse, struct drill_expect *expect)
{
    expect->kind = DRILL_EXPECT_NO_PAGE;
    if (!parse_take(parse, "page"))
        return parse_fail(parse, "`expect no page`");
    if (parse_take(parse, "to"))
        PARSE_TRY(parse_word(parse, "whom", &expect->person));
    if (parse_take(parse, "for"))
        PARSE_TRY(parse_word(parse, "an alert", &expect->alert));
    return 0;
}

static int expect_value(struct parse *parse, struct drill_expect *expect)
{
    static const char *const compares[] = {"<", "<=", "=", ">=", ">", NULL};
    bool is_clock = false;
    size_t compare = 0;

    PARSE_TRY(parse_clock_or_count(parse, &is_clock, &expect->clock, &expect->count));
    if (!parse->player)
        return parse_fail_before(parse, "who is meant? scores are expected of a player");
    expect->kind = is_clock ? DRILL_EXPECT_CLOCK : DRILL_EXPECT_COUNT;
    if (is_clock && parse_take(parse, "never")) {
        expect->compare = DRILL_EQUAL;
        expect->value = INT64_MAX;
        return 0;
    }
    PARSE_TRY(parse_choice(parse, "comparison", compares, &compare));
    expect->compare = (enum drill_compare)compare;
    return is_clock ? parse_time(parse, "a time", &expect->value)
                    : parse_whole(parse, "a count", &expect->value);
}

static int expect_any(struct parse *parse, struct drill_expect *expect, bool is_by, bool has_time)
{
    if (parse_take(parse, "state")) {
        if (!has_time || is_by)
            return parse_fail_before(parse, "when? `at 45m expect state ...`");
        return expect_state(parse, expect);
    }
    if (has_time && !is_by)
        return parse_fail(parse, "at an instant only a state is expected: `by 50m expect ...`");
    if (parse_take(parse, "page")) {
        expect->kind = DRILL_EXPECT_PAGE;
        PARSE_TRY(parse_word(parse, "whom", &expect->person));
        return parse_word(parse, "for which alert", &expect->alert);
    }
    if (parse_take(parse, "resolved")) {
        expect->kind = DRILL_EXPECT_RESOLVED;
        return parse_word(parse, "which alert", &expect->alert);
    }
    if (has_time)
        return parse_fail(parse, "by a time a page or `resolved` is expected");
    return parse_take(parse, "no") ? expect_no_page(parse, expect) : expect_value(parse, expect);
}

int parse_expect(struct parse *parse, bool is_by, bool has_time, int64_t at_ms)
{
    struct drill_expect expect = {.at_ms = has_time ? at_ms : INT64_MAX,
                                  .line = parse->line->number,
                                  .column = parse->line->tokens[0].column};

    PARSE_TRY(expect_any(parse, &expect, is_by, has_time));
    PARSE_TRY(parse_end(parse));

    size_t capacity = 0; /* few: a copy each is fine */
    struct drill_expect **list = parse->player ? &parse->player->expects : &parse->drill->expects;
    size_t *n = parse->player ? &parse->player->n_expects : &parse->drill->n_expects;
    struct drill_expect *grown = arena_array(&parse->drill->arena, *n + 1 + capacity,
                                             sizeof(*grown));

    if (!grown)
        return parse_spent(parse);
    if (*n)
        memcpy(grown, *list, *n * sizeof(*grown));
    grown[(*n)++] = expect;
    *list = grown;
    return 0;
}
