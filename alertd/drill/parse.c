/*
 * A drill, read: the walk over its lines and what the drill is. See parse_private.h.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/drill/parse_private.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/near.h"

enum {
    INTERVAL_DEFAULT_MS = 15 * 1000,
    LEAD_MAX_MS = 6 * 3600 * 1000,
};

#define START_DEFAULT_MS INT64_C(1767603600000) /* a Monday: 2026-01-05T09:00:00Z */

static const char *const clock_names[] = {"seen",  "ack",  "graph",    "runbook",   "hypothesis",
                                          "right", "tell", "escalate", "mitigation"};
static const char *const count_names[] = {"wrong", "herrings", "harm",  "hints",
                                          "cost",  "answers",  "misses"};

const char *drill_clock_name(enum drill_clock clock)
{
    return clock_names[clock];
}

const char *drill_count_name(enum drill_count count)
{
    return count_names[count];
}

/* --- What the drill is --------------------------------------------------------------------------- */

static int one_text(struct parse *parse, const char *what, const char **field)
{
    if (*field)
        return parse_fail_before(parse, "%s is there already", what);
    PARSE_TRY(parse_text(parse, what, field));
    return parse_end(parse);
}

static int parse_teaches(struct parse *parse)
{
    return one_text(parse, "what it teaches", &parse->drill->teaches);
}

static int parse_brief(struct parse *parse)
{
    return one_text(parse, "what the player is told first", &parse->drill->brief);
}

static int parse_debrief(struct parse *parse)
{
    return one_text(parse, "what it was", &parse->drill->debrief);
}

static int parse_reconstructed(struct parse *parse)
{
    return one_text(parse, "what it is reconstructed from", &parse->drill->reconstructed);
}

static int parse_source(struct parse *parse)
{
    const char **source = PARSE_PUSH(parse, parse->drill, sources);

    if (!source)
        return parse_spent(parse);
    PARSE_TRY(parse_text(parse, "a source", source));
    return parse_end(parse);
}

static int parse_path(struct parse *parse)
{
    PARSE_TRY(parse_whole(parse, "its place on the path", &parse->drill->path));
    return parse_end(parse);
}

static int parse_level(struct parse *parse)
{
    static const char *const levels[] = {"first-day", "first-week", "on-call",
                                         "seasoned",  "commander",  NULL};
    size_t level = 0;

    PARSE_TRY(parse_choice(parse, "level", levels, &level));
    parse->drill->level = levels[level];
    return parse_end(parse);
}

static int parse_start(struct parse *parse)
{
    const char *word = NULL;

    PARSE_TRY(parse_word(parse, "when it begins", &word));
    if (clock_parse_rfc3339(word, &parse->drill->start_ms) != 0)
        return parse_fail_before(parse, "an instant like 2026-03-02T03:10:00Z, not '%.60s'", word);
    return parse_end(parse);
}

static int parse_interval(struct parse *parse)
{
    if (parse->drill->n_series)
        return parse_fail_before(parse, "`interval` stands above the first series");
    PARSE_TRY(parse_time(parse, "the interval", &parse->drill->interval_ms));
    if (parse->drill->interval_ms < 1000 || parse->drill->interval_ms % 1000 != 0)
        return parse_fail_before(parse, "the interval is in whole seconds, 1s at least");
    return parse_end(parse);
}

static int parse_length(struct parse *parse)
{
    if (parse->drill->n_series)
        return parse_fail_before(parse, "`length` stands above the first series");
    PARSE_TRY(parse_time(parse, "the length", &parse->drill->length_ms));
    if (parse->drill->length_ms < parse->drill->interval_ms || parse->drill->length_ms % 1000 != 0)
        return parse_fail_before(parse, "a drill is in whole seconds, an interval at least");
    return parse_end(parse);
}

static int parse_onset(struct parse *parse)
{
    PARSE_TRY(parse_time(parse, "the onset", &parse->drill->onset_ms));
    return parse_end(parse);
}

static int parse_lead(struct parse *parse)
{
    PARSE_TRY(parse_time(parse, "the lead", &parse->drill->lead_ms));
    if (parse->drill->lead_ms > LEAD_MAX_MS)
        return parse_fail_before(parse, "a lead is six hours at most");
    return parse_end(parse);
}

static int parse_names(
    struct parse *parse, const char *what, struct drill_name **list, size_t *n, size_t *capacity)
{
    do {
        struct drill_name *name = parse_push(parse, (void **)list, n, capacity, sizeof(**list));

        if (!name)
            return parse_spent(parse);
        PARSE_TRY(parse_word(parse, what, &name->text));
        name->line = parse->line->number;
        name->column = parse->line->tokens[parse->next - 1].column;
    } while (parse_peek(parse));
    return 0;
}

static int parse_rules(struct parse *parse)
{
    struct drill *drill = parse->drill;

    return parse_names(parse, "a pack or a file of rules", &drill->rules, &drill->n_rules,
                       &drill->rules_capacity);
}

static int parse_graph(struct parse *parse)
{
    struct drill *drill = parse->drill;

    return parse_names(parse, "a metric's name", &drill->graphs, &drill->n_graphs,
                       &drill->graphs_capacity);
}

static int parse_runbook(struct parse *parse)
{
    struct drill *drill = parse->drill;

    return parse_names(parse, "a runbook, such as host#hostdiskfull", &drill->runbooks,
                       &drill->n_runbooks, &drill->runbooks_capacity);
}

static int parse_config(struct parse *parse)
{
    parse->drill->config_line = parse->line->number;
    PARSE_TRY(parse_word(parse, "a config file", &parse->drill->config));
    return parse_end(parse);
}

/* `roster team.json policy night`: people and schedules of a file. */
static int parse_roster(struct parse *parse)
{
    parse->drill->roster_line = parse->line->number;
    PARSE_TRY(parse_word(parse, "a file of people and policies", &parse->drill->roster));
    if (!parse_take(parse, "policy"))
        return parse_fail(parse, "which of its policies? `roster team.json policy night`");
    PARSE_TRY(parse_word(parse, "a policy", &parse->drill->policy));
    return parse_end(parse);
}

/* `oncall ana after 5m ben after 10m cat` */
static int parse_oncall(struct parse *parse)
{
    struct drill *drill = parse->drill;

    if (drill->n_steps)
        return parse_fail_before(parse, "who is on call is said above already");
    do {
        struct drill_step *step = PARSE_PUSH(parse, drill, steps);

        if (!step)
            return parse_spent(parse);
        PARSE_TRY(parse_word(parse, "a person", &step->person));
        if (drill->n_steps > DRILL_PEOPLE_MAX || strlen(step->person) > 60)
            return parse_fail_before(parse, "%d people at most, with short names",
                                     DRILL_PEOPLE_MAX);
        for (size_t i = 0; i + 1 < drill->n_steps; i++)
            if (strcmp(drill->steps[i].person, step->person) == 0)
                return parse_fail_before(parse, "%s is paged already", step->person);
        if (!parse_peek(parse))
            return 0;
        if (!parse_take(parse, "after"))
            return parse_fail(parse, "`oncall ana after 5m ben`");
        PARSE_TRY(parse_time(parse, "until the next one is paged", &step->delay_ms));
        if (step->delay_ms < 1000)
            return parse_fail_before(parse, "give %s a second at least", step->person);
    } while (true);
}

static int parse_escalate(struct parse *parse)
{
    return one_text(parse, "why somebody must be called", &parse->drill->escalate_why);
}

/* `at 35m deploy "..."`, `at 45m expect state ...` */
static int parse_at(struct parse *parse)
{
    static const char *const kinds[] = {"deploy", "chat", "log", "customer", "note", NULL};
    int64_t at_ms = 0;
    size_t kind = 0;

    PARSE_TRY(parse_time(parse, "when", &at_ms));
    if (parse_take(parse, "expect"))
        return parse_expect(parse, false, true, at_ms);
    PARSE_TRY(parse_choice(parse, "kind of event", kinds, &kind));

    struct drill_event *event = PARSE_PUSH(parse, parse->drill, events);

    if (!event)
        return parse_spent(parse);
    event->at_ms = at_ms;
    event->kind = (enum drill_happening)kind;
    PARSE_TRY(parse_text(parse, "what is said", &event->text));
    return parse_end(parse);
}

static int parse_by(struct parse *parse)
{
    int64_t at_ms = 0;

    PARSE_TRY(parse_time(parse, "when", &at_ms));
    if (!parse_take(parse, "expect"))
        return parse_fail(parse, "by then what? `by 50m expect page ana HostDiskFull`");
    return parse_expect(parse, true, true, at_ms);
}

static int parse_drill_expect(struct parse *parse)
{
    return parse_expect(parse, false, false, 0);
}

static int parse_player(struct parse *parse)
{
    struct drill *drill = parse->drill;
    struct drill_player *player = PARSE_PUSH(parse, drill, players);

    if (!player)
        return parse_spent(parse);
    player->line = parse->line->number;
    PARSE_TRY(parse_word(parse, "the player's name", &player->name));
    if (drill->n_players > DRILL_PLAYERS_MAX)
        return parse_fail_before(parse, "%d players at most", DRILL_PLAYERS_MAX);
    for (size_t i = 0; i + 1 < drill->n_players; i++)
        if (strcmp(drill->players[i].name, player->name) == 0)
            return parse_fail_before(parse, "there is a player '%.60s' already", player->name);
    parse->player = player;
    return parse_end(parse);
}

/* --- The walk ---------------------------------------------------------------------------------------- */

static const struct statement {
    const char *word;
    int (*parse)(struct parse *parse);
} statements[] = {
    {"path", parse_path},
    {"level", parse_level},
    {"teaches", parse_teaches},
    {"brief", parse_brief},
    {"debrief", parse_debrief},
    {"reconstructed", parse_reconstructed},
    {"source", parse_source},
    {"start", parse_start},
    {"interval", parse_interval},
    {"length", parse_length},
    {"onset", parse_onset},
    {"lead", parse_lead},
    {"rules", parse_rules},
    {"config", parse_config},
    {"roster", parse_roster},
    {"oncall", parse_oncall},
    {"series", parse_series},
    {"counter", parse_counter},
    {"samples", parse_samples},
    {"fault", parse_fault},
    {"at", parse_at},
    {"by", parse_by},
    {"expect", parse_drill_expect},
    {"question", parse_question},
    {"hypothesis", parse_hypothesis},
    {"action", parse_action},
    {"hint", parse_hint},
    {"graph", parse_graph},
    {"runbook", parse_runbook},
    {"escalate", parse_escalate},
    {"limit", parse_limit},
    {"really", parse_really},
    {"player", parse_player},
};

enum {
    N_STATEMENTS = sizeof(statements) / sizeof(statements[0])
};

static int parse_statement(struct parse *parse, struct drill_line *line)
{
    const char *names[N_STATEMENTS + 1] = {NULL};
    size_t place = 0;

    line->depth = 1;
    for (size_t i = 0; i < N_STATEMENTS; i++)
        names[i] = statements[i].word;
    PARSE_TRY(parse_choice(parse, "statement", names, &place));
    return statements[place].parse(parse);
}

static int parse_line(struct parse *parse, struct drill_line *line)
{
    struct drill *drill = parse->drill;

    parse->line = line;
    parse->next = 0;
    line->depth = drill->title ? 1 + (parse->player != NULL) : 0;
    if (line->n == 0)
        return 0;
    if (!drill->title) {
        if (!parse_take(parse, "drill"))
            return parse_fail(parse, "a drill begins with its title: drill \"...\"");
        PARSE_TRY(parse_text(parse, "the title", &drill->title));
        return parse_end(parse);
    }
    if (parse->player && !parse_is(parse, "player"))
        return parse_player_line(parse);
    return parse_statement(parse, line);
}

static int check_whole(struct parse *parse)
{
    const struct drill *drill = parse->drill;

    if (!drill->title)
        return err_at(parse->err, DRILL_E_FILE, 1, 1,
                      "a drill begins with its title: drill \"...\"");
    if (drill->n_steps == 0 && !drill->roster)
        return err_set(parse->err, DRILL_E_FILE,
                       "nobody is on call: add a line like `oncall ana after 5m ben`");
    if (drill->length_ms == 0)
        return err_set(parse->err, DRILL_E_FILE, "how long is it? add a line like `length 2h`");
    return parse_check_points(parse);
}

int drill_parse(const char *text, size_t len, struct drill **ret_drill, struct err *reterr)
{
    struct drill *drill = mem_zalloc(sizeof(*drill));
    struct parse parse = {.drill = drill, .err = reterr};

    arena_init(&drill->arena, DRILL_ARENA_MAX);
    drill->interval_ms = INTERVAL_DEFAULT_MS;
    drill->start_ms = START_DEFAULT_MS;
    for (size_t i = 0; i < DRILL_N_CLOCKS; i++)
        drill->clock_limits[i] = INT64_MAX;
    for (size_t i = 0; i < DRILL_N_COUNTS; i++)
        drill->count_limits[i] = INT64_MAX;

    int r = drill_lex(text, len, &drill->arena, &drill->lines, reterr);

    for (size_t i = 0; !r && i < drill->lines.n; i++)
        r = parse_line(&parse, &drill->lines.at[i]);
    if (!r)
        r = check_whole(&parse);
    if (r)
        drill_free(drill);
    else
        *ret_drill = drill;
    return r;
}

void drill_free(struct drill *drill)
{
    if (!drill)
        return;
    arena_reset(&drill->arena);
    free(drill);
}
