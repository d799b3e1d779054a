/*
 * Series, data files and faults of a drill. See parse_private.h.
 *
 *     1x180 0x40              promtool's notation, a value an interval
 *     40 to 4 for 30m, 4      pieces of time: a value or a slope, for how long; the last goes on
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/drill/parse_private.h"
#include "alertd/promql/promql.h"
#include "alertd/promql/series_text.h"
#include "lib/base/float.h"
#include "lib/model/duration.h"

/* Values are read before the interval may be known only when `interval` stands below: it must
 * stand above. */
static int64_t intervals(const struct parse *parse, int64_t length_ms)
{
    return length_ms / parse->drill->interval_ms;
}

/* --- Pieces of time ------------------------------------------------------------------------- */

struct piece {
    bool is_gap;
    double from, to;
    int64_t length_ms; /* INT64_MAX: to the end */
    bool is_last;
};

/* A word, and whether a comma ends the piece behind it. */
static int piece_word(struct parse *parse, struct str *word, bool *ret_comma)
{
    const char *text = NULL;

    PARSE_TRY(parse_word(parse, "a value, `gap`, or how long", &text));

    size_t len = strlen(text);

    *ret_comma = len > 0 && text[len - 1] == ',';
    str_cut(word, 0);
    str_addn(word, text, len - *ret_comma);
    return 0;
}

static int piece_value(const struct parse *parse, const struct str *word, double *ret)
{
    if (float_parse(str_text(word), word->len, ret) != 0 || !isfinite(*ret))
        return parse_fail_before(parse, "'%.60s' is no value: write as in `40 to 4 for 30m, 4`",
                                 str_text(word));
    return 0;
}

/* `for 30m`; *word is what was read. */
static int piece_length(struct parse *parse, struct str *word, bool *comma, int64_t *ret_ms)
{
    PARSE_TRY(piece_word(parse, word, comma));
    if (duration_parse(str_text(word), word->len, ret_ms) != 0 || *ret_ms <= 0 ||
        *ret_ms > DRILL_LENGTH_MAX_MS)
        return parse_fail_before(parse, "'%.60s' is no length of time up to 7d", str_text(word));
    return 0;
}

static int check_piece(const struct parse *parse, const struct piece *piece)
{
    if (piece->length_ms != INT64_MAX)
        return 0;
    if (!piece->is_last)
        return parse_fail_before(parse, "for how long? only the last piece goes on to the end");
    if (piece->from != piece->to)
        return parse_fail_before(parse, "a slope needs its length: %g to %g for 30m", piece->from,
                                 piece->to);
    return 0;
}

static int read_piece(struct parse *parse, struct piece *piece)
{
    STR_AUTO struct str word = STR_INIT(200);
    bool comma = false;

    *piece = (struct piece){.length_ms = INT64_MAX};
    PARSE_TRY(piece_word(parse, &word, &comma));
    piece->is_gap = strcmp(str_text(&word), "gap") == 0;
    if (!piece->is_gap)
        PARSE_TRY(piece_value(parse, &word, &piece->from));
    piece->to = piece->from;
    if (!comma && parse_take(parse, "to")) {
        PARSE_TRY(piece_word(parse, &word, &comma));
        PARSE_TRY(piece_value(parse, &word, &piece->to));
    }
    if (!comma && parse_take(parse, "for"))
        PARSE_TRY(piece_length(parse, &word, &comma, &piece->length_ms));
    piece->is_last = !comma;
    return check_piece(parse, piece);
}

struct room {
    double *values;
    bool *gaps;
    size_t n, capacity;
};

static void add_piece(struct room *room, const struct piece *piece, size_t n)
{
    for (size_t i = 0; i < n && room->n < room->capacity; i++, room->n++) {
        room->values[room->n] = piece->from + (piece->to - piece->from) * (double)i / (double)n;
        room->gaps[room->n] = piece->is_gap;
    }
}

static int parse_pieces(struct parse *parse, struct room *room)
{
    struct piece piece = {0};

    while (!piece.is_last && room->n < room->capacity) {
        PARSE_TRY(read_piece(parse, &piece));
        size_t n = piece.length_ms == INT64_MAX ? room->capacity - room->n
                                                : (size_t)intervals(parse, piece.length_ms);
        if (n == 0)
            return parse_fail_before(parse, "a piece is at least one interval long");
        add_piece(room, &piece, n);
    }
    if (!piece.is_last)
        return parse_fail(parse, "this begins behind the drill's length");
    piece.from = piece.to;
    if (room->n < room->capacity)
        add_piece(room, &piece, 1);
    return 0;
}

/* --- promtool's notation --------------------------------------------------------------------- */

static bool is_pieces(const struct parse *parse)
{
    for (size_t i = parse->next; i < parse->line->n; i++)
        if (strcmp(parse->line->tokens[i].text, "for") == 0 ||
            strcmp(parse->line->tokens[i].text, "to") == 0 ||
            strchr(parse->line->tokens[i].text, ','))
            return true;
    return false;
}

static int parse_steps(struct parse *parse, struct room *room)
{
    STR_AUTO struct str text = STR_INIT(DRILL_BYTES_MAX);
    struct series_position *positions = NULL;
    struct err err = {0};
    size_t n = 0;

    while (parse_peek(parse) && !parse_is(parse, "noise")) {
        const char *word = NULL;

        PARSE_TRY(parse_word(parse, "a value", &word));
        str_addf(&text, "%s ", word);
    }
    if (text.len == 0)
        return parse_fail(parse, "values are missing: `1x180 0x40`, or `1 for 45m, 0`");
    if (!series_text_values(str_text(&text), &positions, &n, &err))
        return parse_fail_before(parse, "%.200s", err.text);

    bool fits = n <= room->capacity;

    for (size_t i = 0; i < n && i < room->capacity; i++, room->n++) {
        room->values[i] = positions[i].gap ? 0 : positions[i].value;
        room->gaps[i] = positions[i].gap || isnan(positions[i].value);
    }
    free(positions);
    return fits ? 0 : parse_fail_before(parse, "%zu values are more than the drill is long", n);
}

/* --- A series ---------------------------------------------------------------------------------- */

static void unref_labels(void *held)
{
    labels_unref(*(const struct labels **)held);
}

static int parse_labels(struct parse *parse, const struct labels **ret)
{
    const char *word = NULL, *rest = NULL;
    struct err err = {0};

    PARSE_TRY(parse_word(parse, "a series", &word));

    const struct labels *labels = series_text_labels(word, &rest, &err);

    if (!labels)
        return parse_fail_before(parse, "this is no series: %.200s", err.text);
    const struct labels **held = arena_alloc(&parse->drill->arena, sizeof(*held));

    if (held)
        *held = labels;
    if (!held || !arena_on_reset(&parse->drill->arena, unref_labels, held)) {
        labels_unref(labels);
        return parse_spent(parse);
    }
    if (*rest || !labels_get(labels, LABEL_NAME))
        return parse_fail_before(parse, "a series has a name and labels: up{job=\"a\"}");
    for (size_t i = 0; i < parse->drill->n_series; i++)
        if (labels_equal(parse->drill->series[i].labels, labels))
            return parse_fail_before(parse, "this series is there already, on line %u",
                                     parse->drill->series[i].line);
    *ret = labels;
    return 0;
}

static int parse_noise(struct parse *parse, struct drill_series *series)
{
    const char *word = NULL;

    if (!parse_take(parse, "noise"))
        return 0;
    PARSE_TRY(parse_word(parse, "how much noise", &word));

    size_t len = strlen(word);

    series->noise_is_part = len > 0 && word[len - 1] == '%';
    if (float_parse(word, len - series->noise_is_part, &series->noise) != 0 ||
        !(series->noise > 0) || !isfinite(series->noise))
        return parse_fail_before(parse, "noise is a part (5%%) or an amount (0.2), not '%.60s'",
                                 word);
    if (series->noise_is_part)
        series->noise /= 100;
    return 0;
}

static int keep_values(struct parse *parse, const struct room *room, struct drill_series *series)
{
    bool has_gaps = false;

    for (size_t i = 0; i < room->n; i++)
        has_gaps |= room->gaps[i];
    series->n = room->n;
    series->values = arena_room(&parse->drill->arena, room->n + 1, sizeof(*series->values));
    series->gaps = has_gaps ? arena_room(&parse->drill->arena, room->n, 1) : NULL;
    if (!series->values || (has_gaps && !series->gaps))
        return parse_spent(parse);
    memcpy(series->values, room->values, room->n * sizeof(*series->values));
    if (has_gaps)
        memcpy(series->gaps, room->gaps, room->n);
    return 0;
}

static int parse_values(struct parse *parse, struct drill_series *series)
{
    size_t capacity = (size_t)intervals(parse, parse->drill->length_ms) + 1;
    double *values = malloc(capacity * sizeof(*values));
    bool *gaps = calloc(capacity, sizeof(*gaps));
    struct room room = {values, gaps, 0, capacity};
    int r = !values || !gaps ? parse_spent(parse) : 0;

    if (!r)
        r = is_pieces(parse) ? parse_pieces(parse, &room) : parse_steps(parse, &room);
    if (!r)
        r = keep_values(parse, &room, series);
    free(values);
    free(gaps);
    return r;
}

static int parse_any_series(struct parse *parse, bool is_counter)
{
    struct drill *drill = parse->drill;
    struct drill_series series = {.is_counter = is_counter, .line = parse->line->number};

    if (drill->length_ms == 0)
        return parse_fail(parse, "say `length` above the first series: how long the drill is");
    PARSE_TRY(parse_labels(parse, &series.labels));
    PARSE_TRY(parse_values(parse, &series));
    PARSE_TRY(parse_noise(parse, &series));

    struct drill_series *kept = PARSE_PUSH(parse, drill, series);

    if (!kept)
        return parse_spent(parse);
    *kept = series;
    if (drill->n_series > DRILL_SERIES_MAX)
        return parse_fail(parse, "more than %d series", DRILL_SERIES_MAX);
    return parse_end(parse);
}

int parse_series(struct parse *parse)
{
    return parse_any_series(parse, false);
}

int parse_counter(struct parse *parse)
{
    return parse_any_series(parse, true);
}

int parse_check_points(struct parse *parse)
{
    int64_t points = intervals(parse,
                               parse->drill->length_ms + parse->drill->lead_ms + 3600 * 1000) *
                     (int64_t)parse->drill->n_series;

    if (points > DRILL_POINTS_MAX)
        return err_set(parse->err, DRILL_E_FILE,
                       "the drill has %lld samples, more than %d: make the interval longer",
                       (long long)points, DRILL_POINTS_MAX);
    return 0;
}

/* When the first sample of a file is: also before the start, so that a lead and the rules' windows have
 * a past that was measured. */
static int parse_first(struct parse *parse, int64_t *ret_ms)
{
    static const char what[] = "the time of its first sample";
    const struct drill_token *token = parse_peek(parse);
    int64_t ms = 0;

    if (!token || token->kind != DRILL_WORD || token->text[0] != '-')
        return parse_time(parse, what, ret_ms);
    parse->next++;
    if (duration_parse(token->text + 1, strlen(token->text) - 1, &ms) != 0 ||
        ms > DRILL_LENGTH_MAX_MS)
        return parse_fail_before(parse,
                                 "%s is a length of time like 5m, or -5m before the start, not "
                                 "'%.60s'",
                                 what, token->text);
    *ret_ms = -ms;
    return 0;
}

/* `samples shop.om`, `samples shop.csv at 30m`, `samples shop.om at -1h mended 1h20m until mended` */
int parse_samples(struct parse *parse)
{
    struct drill_file *file = PARSE_PUSH(parse, parse->drill, files);

    if (!file)
        return parse_spent(parse);
    file->line = parse->line->number;
    PARSE_TRY(parse_word(parse, "a file's name", &file->name));
    file->column = parse->line->tokens[parse->next - 1].column;
    if (parse_take(parse, "at"))
        PARSE_TRY(parse_first(parse, &file->first_ms));
    if (parse_take(parse, "mended")) {
        PARSE_TRY(parse_time(parse, "when it was mended that day", &file->mended_ms));
        if (file->mended_ms <= file->first_ms)
            return parse_fail_before(parse, "it is mended behind its first sample");
        if (parse_take(parse, "until")) {
            if (!parse_take(parse, "mended"))
                return parse_fail(parse, "`until mended`: it goes on until somebody mends it");
            file->until_mended = true;
        }
    }
    return parse_end(parse);
}

/* --- Faults ------------------------------------------------------------------------------------- */

static const char *const fault_names[] = {"set",    "add",  "scale", "ramp",  "spike",
                                          "freeze", "drop", "gap",   "reset", NULL};

static int parse_fault_end(struct parse *parse, struct drill_fault *fault)
{
    fault->to_ms = INT64_MAX;
    if (parse_take(parse, "to")) {
        PARSE_TRY(parse_time(parse, "when it ends", &fault->to_ms));
        if (fault->to_ms <= fault->from_ms)
            return parse_fail_before(parse, "it ends before it begins");
    } else if (parse_take(parse, "until")) {
        if (!parse_take(parse, "mended"))
            return parse_fail(parse, "`until mended`: to the action that mends");
        fault->until_mended = true;
        if (parse_take(parse, "after"))
            PARSE_TRY(parse_time(parse, "how long mending takes", &fault->mended_after_ms));
    }
    if (parse_take(parse, "over"))
        PARSE_TRY(parse_time(parse, "how long the ramp is", &fault->over_ms));
    if (parse_take(parse, "every"))
        PARSE_TRY(parse_time(parse, "the time between spikes", &fault->every_ms));
    return parse_end(parse);
}

static int check_fault(const struct parse *parse, struct drill_fault *fault)
{
    if (fault->kind == DRILL_FAULT_RAMP && fault->over_ms == 0) {
        if (fault->to_ms == INT64_MAX)
            return parse_fail(parse, "how long is the ramp? add `over 30m`");
        fault->over_ms = fault->to_ms - fault->from_ms;
    }
    if (fault->kind != DRILL_FAULT_RAMP && fault->over_ms)
        return parse_fail(parse, "only a ramp is `over` a time");
    if (fault->kind == DRILL_FAULT_SPIKE && fault->every_ms < parse->drill->interval_ms)
        return parse_fail(parse, "how often does it spike? add `every 5m`, the interval at least");
    if (fault->kind != DRILL_FAULT_SPIKE && fault->every_ms)
        return parse_fail(parse, "only a spike comes `every` so often");
    return 0;
}

int parse_fault(struct parse *parse)
{
    struct drill_fault *fault = PARSE_PUSH(parse, parse->drill, faults);
    const char *selector = NULL;
    struct err err = {0};
    size_t kind = 0;

    if (!fault)
        return parse_spent(parse);
    fault->line = parse->line->number;
    PARSE_TRY(parse_choice(parse, "fault", fault_names, &kind));
    fault->kind = (enum drill_fault_kind)kind;
    PARSE_TRY(parse_word(parse, "a selector of series", &selector));
    if (promql_parse_selector(&parse->drill->arena, selector, &fault->matchers, &fault->n_matchers,
                              &err) != 0)
        return parse_fail_before(parse, "this is no selector: %.200s", err.text);
    if (fault->kind <= DRILL_FAULT_SPIKE)
        PARSE_TRY(parse_number(parse, "by how much", &fault->value));
    if (!parse_take(parse, "from"))
        return parse_fail(parse, "from when? `from 30m`");
    PARSE_TRY(parse_time(parse, "when it begins", &fault->from_ms));
    PARSE_TRY(parse_fault_end(parse, fault));
    return check_fault(parse, fault);
}
