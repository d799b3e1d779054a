/*
 * What was played in a drill, for people and for programs. See drill.h.
 *
 *     The disk that fills  (perfect, seed 1)
 *
 *       0:45:10  page to ana: HostDiskFillsUp, /var/log on web-1 is full within four hours
 *       0:46:00  you ack (good)
 *
 *       ack            50 s   within 5 min     met
 *       mitigation     6 min  within 30 min    met      really: 22 min
 */

#include <stdio.h>
#include <string.h>

#include "ctl/drill.h"
#include "lib/model/duration.h"

#define DIM    "\033[2m"
#define BOLD   "\033[1m"
#define RED    "\033[31m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN  "\033[0m"

static const char *ink(bool color, const char *code)
{
    return color ? code : "";
}

/* --- The timeline ------------------------------------------------------------------------------------ */

static const char *ink_of(const struct drill_moment *moment)
{
    switch (moment->kind) {
    case DRILL_MOMENT_PAGE: return BOLD;
    case DRILL_MOMENT_NOBODY:
    case DRILL_MOMENT_BROKEN: return RED;
    case DRILL_MOMENT_ACT:
        return moment->verdict == DRILL_BAD    ? YELLOW
               : moment->verdict == DRILL_GOOD ? GREEN
                                               : PLAIN;
    case DRILL_MOMENT_HINT: return YELLOW;
    case DRILL_MOMENT_PENDING:
    case DRILL_MOMENT_FIRING:
    case DRILL_MOMENT_RESOLVED:
    case DRILL_MOMENT_OPENED:
    case DRILL_MOMENT_OVER:
    case DRILL_MOMENT_TOLD:
    case DRILL_MOMENT_HAPPENED: return DIM;
    }
    return PLAIN;
}

static void add_time(int64_t at_ms, struct str *out)
{
    int64_t s = (at_ms < 0 ? -at_ms : at_ms) / 1000;

    str_addf(out, "  %s%lld:%02d:%02d  ", at_ms < 0 ? "-" : " ", (long long)(s / 3600),
             (int)(s / 60 % 60), (int)(s % 60));
}

static void show_timeline(const struct drill_world *world, bool color, struct str *out)
{
    size_t n = 0;
    const struct drill_moment *moments = drill_world_moments(world, &n);

    for (size_t i = 0; i < n; i++) {
        add_time(moments[i].at_ms, out);
        str_add(out, ink(color, ink_of(&moments[i])));
        drill_moment_print(&moments[i], out);
        str_addf(out, "%s\n", ink(color, PLAIN));
    }
    str_addc(out, '\n');
}

/* --- The score ----------------------------------------------------------------------------------------- */

static const char *clock_text(int64_t ms, char *text)
{
    if (ms == DRILL_NEVER)
        return "never";
    if (ms == 0)
        return "at once";
    if (ms > 0)
        return duration_human(ms, text);

    char before[DURATION_TEXT_MAX];

    (void)snprintf(text, DURATION_TEXT_MAX, "%.50s before", duration_human(-ms, before));
    return text;
}

static void add_standing(enum drill_standing standing, bool color, struct str *out)
{
    switch (standing) {
    case DRILL_MET: str_addf(out, "%smet   %s", ink(color, GREEN), ink(color, PLAIN)); return;
    case DRILL_MISSED: str_addf(out, "%smissed%s", ink(color, RED), ink(color, PLAIN)); return;
    case DRILL_OPEN: str_add(out, "open  "); return;
    case DRILL_NO_LIMIT: str_add(out, "      "); return;
    }
}

static void trim(struct str *out)
{
    while (out->len > 0 && out->text[out->len - 1] == ' ')
        str_cut(out, out->len - 1);
    str_addc(out, '\n');
}

static void show_clock(const struct drill *drill,
                       const struct drill_score *score,
                       enum drill_clock clock,
                       bool color,
                       struct str *out)
{
    enum drill_standing standing = drill_clock_standing(drill, score, clock);
    const struct drill_really *really = &drill->really[clock];
    char got[DURATION_TEXT_MAX], limit[DURATION_TEXT_MAX] = "";
    char within[DURATION_TEXT_MAX + 16] = "";

    if (score->clocks[clock] == DRILL_NEVER && standing == DRILL_NO_LIMIT && !really->given)
        return;
    if (standing != DRILL_NO_LIMIT)
        (void)snprintf(within, sizeof(within), "within %s",
                       duration_human(drill->clock_limits[clock], limit));
    str_addf(out, "  %-12s %-16s %-18s ", drill_clock_name(clock),
             clock_text(score->clocks[clock], got), within);
    add_standing(standing, color, out);
    if (really->given)
        str_addf(out, "  really: %s%s%s",
                 clock_text(really->never ? DRILL_NEVER : really->after_ms, got),
                 really->note ? ", " : "", really->note ? really->note : "");
    trim(out);
}

static void show_count(const struct drill *drill,
                       const struct drill_score *score,
                       enum drill_count count,
                       bool color,
                       struct str *out)
{
    enum drill_standing standing = drill_count_standing(drill, score, count);
    char limit[40] = "";

    if (score->counts[count] == 0 && standing == DRILL_NO_LIMIT)
        return;
    if (standing != DRILL_NO_LIMIT)
        (void)snprintf(limit, sizeof(limit), count == DRILL_ANSWERS ? "of %lld" : "%lld at most",
                       (long long)drill->count_limits[count]);
    str_addf(out, "  %-12s %-16lld %-18s ", drill_count_name(count),
             (long long)score->counts[count], limit);
    add_standing(standing, color, out);
    trim(out);
}

static void show_score(const struct drill_job *job, bool color, struct str *out)
{
    const struct drill *drill = job->loaded->drill_case->drill;
    const struct drill_score *score = &job->played.score;

    str_addf(out, "  %sclocks run from %s%s\n", ink(color, DIM),
             score->paged ? "the first page" : "the onset: nobody was paged", ink(color, PLAIN));
    for (size_t i = 0; i < DRILL_N_CLOCKS; i++)
        show_clock(drill, score, (enum drill_clock)i, color, out);
    for (size_t i = 0; i < DRILL_N_COUNTS; i++)
        show_count(drill, score, (enum drill_count)i, color, out);
}

static void show_failures(const struct drill_job *job, bool color, struct str *out)
{
    const char *line = str_text(&job->played.failures);

    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
        str_addf(out, "  %s%s:%.*s%s\n", ink(color, RED), job->loaded->path, (int)(end - line),
                 line, ink(color, PLAIN));
}

static const char *player_name(const struct drill_job *job)
{
    return job->player ? job->player->name : "nobody";
}

void drill_show_played(const struct drill_job *job, bool color, bool with_timeline, struct str *out)
{
    const struct drill *drill = job->loaded->drill_case->drill;

    str_addf(out, "%s%s%s  (%s, seed %llu)\n", ink(color, BOLD), drill->title, ink(color, PLAIN),
             player_name(job), (unsigned long long)job->seed);
    if (drill->reconstructed)
        str_addf(out, "  reconstructed from %s\n", drill->reconstructed);
    str_addc(out, '\n');
    if (with_timeline)
        show_timeline(job->played.world, color, out);
    show_score(job, color, out);
    show_failures(job, color, out);
    str_addf(out, "\n  %zu expectations, %zu not met; events %016llx\n", job->played.n_checks,
             job->played.n_failed, (unsigned long long)job->played.hash);
}

void drill_show_line(const struct drill_job *job, bool color, struct str *out)
{
    bool ok = job->played.n_failed == 0;

    str_addf(out, "%s%s%s  %-32s %-10s %3zu expectations\n", ink(color, ok ? GREEN : RED),
             ok ? "ok    " : "FAILED", ink(color, PLAIN), job->loaded->path, player_name(job),
             job->played.n_checks);
    show_failures(job, color, out);
}

/* --- For programs --------------------------------------------------------------------------------------- */

static const char *const verdict_names[] = {NULL, "good", "bad", "void"};
static const char *const standing_names[] = {NULL, "met", "missed", "open"};

static void json_moment(const struct drill_moment *moment, struct json_out *out)
{
    STR_AUTO struct str words = STR_INIT(64 * 1024);

    drill_moment_print(moment, &words);
    json_open(out, '{');
    json_kv_int(out, "at_ms", moment->at_ms);
    json_kv_string(out, "kind", drill_moment_name(moment->kind));
    if (moment->kind == DRILL_MOMENT_ACT || moment->kind == DRILL_MOMENT_HINT)
        json_kv_string(out, "act", drill_act_name(moment->act));
    json_kv_string(out, "who", moment->who);
    json_kv_string(out, "what", moment->what);
    json_kv_string(out, "more", moment->more);
    if (moment->incident)
        json_kv_int(out, "incident", moment->incident);
    if (moment->verdict)
        json_kv_string(out, "verdict", verdict_names[moment->verdict]);
    json_kv_string(out, "text", str_text(&words));
    json_close(out, '}');
}

static void json_score(const struct drill *drill,
                       const struct drill_score *score,
                       struct json_out *out)
{
    json_open(out, '{');
    json_kv_bool(out, "paged", score->paged);
    json_kv_int(out, "from_ms", score->base_ms);
    json_key(out, "clocks");
    json_open(out, '{');
    for (size_t i = 0; i < DRILL_N_CLOCKS; i++) {
        enum drill_clock clock = (enum drill_clock)i;

        json_key(out, drill_clock_name(clock));
        json_open(out, '{');
        json_key(out, "after_ms");
        if (score->clocks[i] == DRILL_NEVER)
            json_null(out);
        else
            json_int(out, score->clocks[i]);
        if (drill->clock_limits[i] != INT64_MAX)
            json_kv_int(out, "limit_ms", drill->clock_limits[i]);
        json_kv_string(out, "standing", standing_names[drill_clock_standing(drill, score, clock)]);
        if (drill->really[i].given && !drill->really[i].never)
            json_kv_int(out, "really_ms", drill->really[i].after_ms);
        json_close(out, '}');
    }
    json_close(out, '}');
    json_key(out, "counts");
    json_open(out, '{');
    for (size_t i = 0; i < DRILL_N_COUNTS; i++)
        json_kv_int(out, drill_count_name((enum drill_count)i), score->counts[i]);
    json_close(out, '}');
    json_close(out, '}');
}

static void json_job(const struct drill_job *job, struct json_out *out)
{
    char hash[24];
    size_t n = 0;
    const struct drill_moment *moments = drill_world_moments(job->played.world, &n);
    const char *line = str_text(&job->played.failures);

    (void)snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)job->played.hash);
    json_open(out, '{');
    json_kv_string(out, "file", job->loaded->path);
    json_kv_string(out, "title", job->loaded->drill_case->drill->title);
    json_kv_string(out, "player", job->player ? job->player->name : NULL);
    json_kv_int(out, "seed", (int64_t)job->seed);
    json_kv_string(out, "hash", hash);
    json_kv_int(out, "expectations", (int64_t)job->played.n_checks);
    json_key(out, "failures");
    json_open(out, '[');
    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
        json_stringn(out, line, (size_t)(end - line));
    json_close(out, ']');
    json_key(out, "score");
    json_score(job->loaded->drill_case->drill, &job->played.score, out);
    json_key(out, "moments");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++)
        json_moment(&moments[i], out);
    json_close(out, ']');
    json_close(out, '}');
}

void drill_show_json(const struct drill_job *jobs, size_t n, struct json_out *out)
{
    json_open(out, '[');
    for (size_t i = 0; i < n; i++)
        json_job(&jobs[i], out);
    json_close(out, ']');
}
