/*
 * The weekly report. See loop_letter.h.
 */

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "alertd/api/canary_diff.h"
#include "alertd/app/letter.h"
#include "alertd/db/report_db.h"
#include "alertd/incident/report.h"

enum {
    READ_BYTES_MAX = 64 * 1024 * 1024,
    CANARIES_BYTES_MAX = 64 * 1024, /* fifty of them at most */
};

static int owe(const struct letter_desk *desk,
               struct db_conn *conn,
               const struct letter_to *to,
               int64_t now_ms,
               struct err *reterr)
{
    const struct loop_letter_options *options = desk->options;
    int64_t due_ms = report_weekly_due(desk->zone, options->weekday, options->hour, now_ms);
    int64_t from_ms = 0;
    int64_t to_ms = 0;
    char week[REPORT_WEEK_MAX];

    report_week_of(desk->zone, due_ms, week);
    if (report_week_span(week, desk->zone, &from_ms, &to_ms))
        return 0; /* a clock before 1970 */
    report_week_of(desk->zone, from_ms - 1, week);
    return letter_db_owe(conn, letter_report.name, week, "", to, now_ms, reterr);
}

/* "31 pages ... / 9 at night ...": a report's text up to its first table. */
static void add_brief(struct letter *letter)
{
    const char *text = str_text(&letter->text);
    const char *begin = strstr(text, "\n\n");
    const char *end = begin ? strstr(begin + 2, "\n\n") : NULL;

    if (end)
        str_addn(&letter->brief, begin + 2, (size_t)(end - begin - 2));
}

static int write_letter(const struct letter_desk *desk,
                        const char *week,
                        int64_t now_ms,
                        struct letter *letter,
                        struct err *reterr)
{
    struct report_input input = {.zone = desk->zone};
    struct zones zones = {0};
    struct report report;
    struct db_conn *conn = NULL;
    struct err canary_err = {0};
    STR_AUTO struct str canaries = STR_INIT(CANARIES_BYTES_MAX);
    ARENA_AUTO struct arena arena;

    arena_init(&arena, READ_BYTES_MAX);

    struct report_shift *days = arena_array(&arena, REPORT_DAYS_MAX, sizeof(*days));
    if (!days || report_week_span(week, desk->zone, &input.from_ms, &input.to_ms))
        return err_set(reterr, -EINVAL, "%s is no week", week);
    input.shifts = days;
    input.n_shifts = report_days(desk->zone, input.from_ms, input.to_ms, days);
    int r = db_read_begin(desk->options->state, &conn, reterr);
    if (r)
        return r;
    r = report_db_read(conn, &arena, &input, reterr);
    if (r == 0)
        r = report_db_read_duty(conn, &zones, now_ms, &arena, &input, reterr);
    db_read_end(desk->options->state, conn);
    if (r == 0)
        r = report_make(&input, &arena, &report, reterr);
    zones_done(&zones); /* what was made has no zone of a person's any more */
    if (r)
        return r;
    str_addf(&letter->url, "%s/report?week=%s&zone=%s", desk->options->external_url, week,
             zone_name(desk->zone));
    report_subject(&report, &letter->subject);
    report_text(&report, &letter->text);
    add_brief(letter);
    if (canary_diff_weekly(desk->options->state, atomic_load(desk->options->config), input.from_ms,
                           input.to_ms, &canaries, &canary_err))
        log_warn(desk->options->log, "report", "the canaries are not in the weekly report",
                 "error=\"%s\"", canary_err.text);
    str_add(&letter->text, str_text(&canaries));
    str_addf(&letter->text, "\nAll of it: %s\n", str_text(&letter->url));
    report_html(&report, str_text(&canaries), str_text(&letter->url), &letter->html);
    return 0;
}

const struct letter_topic letter_report = {"report", "nobody gets the report", owe, write_letter};
