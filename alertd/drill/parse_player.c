/*
 * The lines of a player's script: when, and what is done. See parse_private.h.
 *
 *     at 46m ack                     since the drill began
 *     at page+2m ack                 since the first page to the player
 *     within 2m of page ack          the same: the last moment that counts
 *     then 30s query "up == 0"       since what was done before
 */

#include <string.h>

#include "alertd/drill/parse_private.h"
#include "lib/model/duration.h"

static const char *const act_names[] = {"see",        "ack",    "query", "runbook",
                                        "hypothesis", "answer", "tell",  "escalate",
                                        "do",         "hint",   "note",  NULL};

const char *drill_act_name(enum drill_act_kind kind)
{
    return act_names[kind];
}

/* `45m`, `page+2m`, `page`, `onset+1m` */
static int parse_at(struct parse *parse, struct drill_act *act)
{
    const char *word = NULL;

    PARSE_TRY(parse_word(parse, "when", &word));

    size_t len = strcspn(word, "+");
    const char *rest = word[len] ? word + len + 1 : "0s";

    if (len == 4 && strncmp(word, "page", len) == 0)
        act->since = DRILL_SINCE_PAGE;
    else if (len == 5 && strncmp(word, "onset", len) == 0)
        act->since = DRILL_SINCE_ONSET;
    else
        rest = word;
    if (duration_parse(rest, strlen(rest), &act->after_ms) != 0 || act->after_ms < 0 ||
        act->after_ms > DRILL_LENGTH_MAX_MS)
        return parse_fail_before(parse, "when? 45m, page+2m or onset+1m, not '%.60s'", word);
    return 0;
}

static int parse_within(struct parse *parse, struct drill_act *act)
{
    PARSE_TRY(parse_time(parse, "within how long", &act->after_ms));
    if (!parse_take(parse, "of"))
        return parse_fail(parse, "of what? `within 5m of page`");
    if (parse_take(parse, "page"))
        act->since = DRILL_SINCE_PAGE;
    else if (parse_take(parse, "onset"))
        act->since = DRILL_SINCE_ONSET;
    else
        return parse_fail(parse, "within so long of `page` or of `onset`");
    return 0;
}

static int parse_when(struct parse *parse, struct drill_act *act)
{
    if (parse_take(parse, "at"))
        return parse_at(parse, act);
    if (parse_take(parse, "within"))
        return parse_within(parse, act);
    if (!parse_take(parse, "then"))
        return parse_fail(parse, "a player's line begins with at, within, then, by or expect");
    act->since = DRILL_SINCE_LAST;
    if (parse->player->n_acts == 0)
        return parse_fail_before(parse, "`then` follows something: begin with at or within");
    return parse_time(parse, "how much later", &act->after_ms);
}

static int parse_what(struct parse *parse, struct drill_act *act)
{
    size_t kind = 0;

    PARSE_TRY(parse_choice(parse, "deed", act_names, &kind));
    act->kind = (enum drill_act_kind)kind;
    switch (act->kind) {
    case DRILL_ACT_SEE:
    case DRILL_ACT_ACK:
    case DRILL_ACT_HINT: return 0;
    case DRILL_ACT_ESCALATE:
        return parse_peek(parse) ? parse_text(parse, "what is said", &act->text) : 0;
    case DRILL_ACT_RUNBOOK: return parse_word(parse, "which runbook", &act->text);
    case DRILL_ACT_ANSWER:
        PARSE_TRY(parse_word(parse, "the question's short name", &act->id));
        return parse_text(parse, "the answer", &act->text);
    case DRILL_ACT_QUERY:
    case DRILL_ACT_HYPOTHESIS:
    case DRILL_ACT_TELL:
    case DRILL_ACT_DO:
    case DRILL_ACT_NOTE: return parse_text(parse, "what is said", &act->text);
    }
    return 0;
}

static int parse_act(struct parse *parse)
{
    struct drill_player *player = parse->player;
    struct drill_act act = {.line = parse->line->number};

    PARSE_TRY(parse_when(parse, &act));
    PARSE_TRY(parse_what(parse, &act));
    PARSE_TRY(parse_end(parse));

    struct drill_act *grown = arena_array(&parse->drill->arena, player->n_acts + 1, sizeof(*grown));

    if (!grown)
        return parse_spent(parse);
    if (player->n_acts)
        memcpy(grown, player->acts, player->n_acts * sizeof(*grown));
    grown[player->n_acts++] = act;
    player->acts = grown;
    return 0;
}

int parse_player_line(struct parse *parse)
{
    int64_t at_ms = 0;
    bool is_by = parse_is(parse, "by");

    if (parse_take(parse, "expect"))
        return parse_expect(parse, false, false, 0);
    /* `at 50m expect state ...` or `by 50m expect page ...` */
    bool is_expectation = parse->line->n > 2 && parse->line->tokens[2].kind == DRILL_WORD &&
                          strcmp(parse->line->tokens[2].text, "expect") == 0;

    if (!is_by && !(parse_is(parse, "at") && is_expectation))
        return parse_act(parse);
    parse->next++;
    PARSE_TRY(parse_time(parse, "when", &at_ms));
    if (!parse_take(parse, "expect"))
        return parse_fail(parse, "by then what? `by 50m expect page ...`");
    return parse_expect(parse, is_by, true, at_ms);
}
