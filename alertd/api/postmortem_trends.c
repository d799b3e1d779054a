/*
 * What postmortems say together, of a year: as JSON for a page, as Markdown for the review of
 * the year. Figures come with how many there are; a mean alone says nothing.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/api/postmortem_call.h"
#include "alertd/api/postmortem_trends_over.h"
#include "alertd/api/read.h"
#include "alertd/db/postmortem_trend_db.h"
#include "alertd/postmortem/document.h"
#include "alertd/postmortem/markdown.h"
#include "alertd/postmortem/template.h"
#include "lib/base/clock.h"
#include "lib/model/duration.h"

enum {
    READ_BYTES_MAX = 32 * 1024 * 1024,
    YEAR_LEAST = 1970,
    YEAR_MOST = 9998,
};

struct trends {
    int year;
    struct trend_row *rows;
    size_t n_rows;
    struct trend_tag *tags;
    size_t n_tags;
    struct trends_over over;
};

static int by_length(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static const struct {
    const char *name, *title;
    size_t offset;
} spans[] = {
    {"ttd", "Time to detect", offsetof(struct trend_row, ttd)},
    {"ttm", "Time to mitigate", offsetof(struct trend_row, ttm)},
    {"ttr", "Time to resolve", offsetof(struct trend_row, ttr)},
};

static const struct trend_span *span_of(const struct trend_row *row, size_t which)
{
    return (const struct trend_span *)((const char *)row + spans[which].offset);
}

/* The known ones in order; how many. */
static size_t sort_spans(const struct trends *trends, size_t which, int64_t *sorted)
{
    size_t n = 0;

    for (size_t i = 0; i < trends->n_rows; i++)
        if (span_of(&trends->rows[i], which)->known)
            sorted[n++] = span_of(&trends->rows[i], which)->s;
    qsort(sorted, n, sizeof(*sorted), by_length);
    return n;
}

static void write_rows(struct json_out *out, const struct trends *trends)
{
    json_key(out, "postmortems");
    json_open(out, '[');
    for (size_t i = 0; i < trends->n_rows; i++) {
        const struct trend_row *row = &trends->rows[i];

        json_open(out, '{');
        json_kv_int(out, "id", row->id);
        json_kv_string(out, "title", row->title);
        json_kv_string(out, "incident", row->incident);
        json_kv_string(out, "severity", row->severity);
        json_kv_string(out, "recurrence_of", row->recurrence_of);
        json_kv_time(out, "opened_at", row->opened_ms);
        for (size_t k = 0; k < sizeof(spans) / sizeof(*spans); k++) {
            json_key(out, spans[k].name);
            if (span_of(row, k)->known)
                json_int(out, span_of(row, k)->s);
            else
                json_null(out);
        }
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_tags(struct json_out *out, const struct trends *trends)
{
    json_key(out, "actions");
    json_open(out, '[');
    for (size_t i = 0; i < trends->n_tags; i++) {
        const struct trend_tag *tag = &trends->tags[i];

        json_open(out, '{');
        json_kv_string(out, "tag", tag->tag);
        json_kv_int(out, "n", tag->n);
        json_kv_int(out, "done_in_time", tag->done_in_time);
        json_kv_int(out, "done_late", tag->done_late);
        json_kv_int(out, "wont_do", tag->wont_do);
        json_kv_int(out, "open", tag->open);
        json_kv_int(out, "overdue", tag->overdue);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_json(const struct trends *trends, struct str *text)
{
    struct json_out out = JSON_OUT(text);

    json_open(&out, '{');
    json_kv_int(&out, "year", trends->year);
    write_rows(&out, trends);
    write_tags(&out, trends);
    trends_over_json(&trends->over, &out);
    json_close(&out, '}');
}

/* --- the review of the year --- */

static void add_spans(const struct trends *trends, int64_t *sorted, struct str *out)
{
    str_add(out, "| | Known of | Shortest | Median | Longest |\n|---|--:|--:|--:|--:|\n");
    for (size_t k = 0; k < sizeof(spans) / sizeof(*spans); k++) {
        size_t n = sort_spans(trends, k, sorted);
        char text[DURATION_TEXT_MAX];

        str_addf(out, "| %s | %zu of %zu |", spans[k].title, n, trends->n_rows);
        for (int i = 0; i < 3; i++)
            str_addf(out, " %s |",
                     n ? duration_human(1000 * sorted[i == 0   ? 0
                                                      : i == 1 ? n / 2
                                                               : n - 1],
                                        text)
                       : "not known");
        str_addc(out, '\n');
    }
}

static void add_span(const struct trend_span *span, struct str *out)
{
    char text[DURATION_TEXT_MAX];

    str_addf(out, " | %s", span->known ? duration_human(1000 * span->s, text) : "not known");
}

static size_t count_again(const struct trends *trends)
{
    size_t n = 0;

    for (size_t i = 0; i < trends->n_rows; i++)
        n += *trends->rows[i].recurrence_of != '\0';
    return n;
}

/* again: those that somebody linked to an earlier one. */
static void add_list(const struct trends *trends, bool again, struct str *out)
{
    str_addf(out,
             "| Opened | Incident | What | Severity | Detected after | Mitigated after |%s\n"
             "|---|---|---|---|--:|--:|%s\n",
             again ? " As before |" : "", again ? "---|" : "");
    for (size_t i = 0; i < trends->n_rows; i++) {
        const struct trend_row *row = &trends->rows[i];
        char at[CLOCK_TEXT_MAX];

        if (again != (*row->recurrence_of != '\0'))
            continue;
        (void)clock_rfc3339(row->opened_ms, at);
        str_addf(out, "| %.10s | %s | ", at, row->incident);
        template_escape(row->title, out);
        str_add(out, " | ");
        template_escape(row->severity, out);
        add_span(&row->ttd, out);
        add_span(&row->ttm, out);
        if (again)
            str_addf(out, " | %s", row->recurrence_of);
        str_add(out, " |\n");
    }
}

static void add_incidents(const struct trends *trends, struct str *out)
{
    size_t n_again = count_again(trends);

    str_add(out, "\n## What happened again\n\n");
    if (n_again)
        add_list(trends, true, out);
    else
        str_add(out, "Nothing that somebody linked to an earlier incident.\n");
    if (n_again == trends->n_rows)
        return;
    str_addf(out, "\n## What %shappened\n\n", n_again ? "else " : "");
    add_list(trends, false, out);
}

static void add_actions(const struct trends *trends, struct str *out)
{
    if (!trends->n_tags) {
        str_add(out, "Nothing was promised.\n");
        return;
    }
    str_add(out,
            "| About | Promised | Done in time | Done late | Will not be done | Open | Overdue |\n"
            "|---|--:|--:|--:|--:|--:|--:|\n");
    for (size_t i = 0; i < trends->n_tags; i++) {
        const struct trend_tag *tag = &trends->tags[i];

        str_addf(out, "| %s | %lld | %lld | %lld | %lld | %lld | %lld |\n",
                 *tag->tag ? tag->tag : "nothing special", (long long)tag->n,
                 (long long)tag->done_in_time, (long long)tag->done_late, (long long)tag->wont_do,
                 (long long)tag->open, (long long)tag->overdue);
    }
}

static void write_review(const struct trends *trends, int64_t *sorted, struct str *out)
{
    str_addf(out, "# Review of %d\n\n%zu postmortems were published of incidents of that year.\n\n",
             trends->year, trends->n_rows);
    str_add(out, "## How long it took\n\n");
    add_spans(trends, sorted, out);
    trends_over_review(&trends->over, out);
    str_add(out, "\n## What was promised\n\n");
    add_actions(trends, out);
    add_incidents(trends, out);
    str_add(out, "\n## What we learnt\n\n" TEMPLATE_PROMPT
                 " What did these have in common, and what do we do differently next year?\n");
}

/* One file that opens offline and prints. */
static int write_page(const struct trends *trends,
                      int64_t *sorted,
                      struct arena *arena,
                      struct str *out,
                      struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(DOCUMENT_HTML_MAX);
    STR_AUTO struct str title = STR_INIT(100);
    struct markdown *body = NULL;

    write_review(trends, sorted, &text);
    str_addf(&title, "Review of %d", trends->year);
    if (text.full || markdown_parse(arena, str_text(&text), text.len, &body, reterr))
        return POSTMORTEM_DB_E_LIMIT;

    const struct document document = {.title = str_text(&title),
                                      .incident_key = str_text(&title),
                                      .updated_at_ms = clock_wall_ms(),
                                      .updated_by = "",
                                      .body = body};

    return document_html(&document, out, reterr) ? POSTMORTEM_DB_E_LIMIT : 0;
}

static bool read_year(const struct http_request *request,
                      int *ret_year,
                      struct http_response *response)
{
    const char *text = http_query(request, "year");
    char *end = NULL;
    long year = text ? strtol(text, &end, 10) : clock_split_utc(clock_wall_ms()).year;

    if (text && (end == text || *end))
        year = 0;
    if (year < YEAR_LEAST || year > YEAR_MOST) {
        http_fail(response, "bad_data", "year: expected one like 2026");
        return false;
    }
    *ret_year = (int)year;
    return true;
}

static int64_t start_of(int year)
{
    STR_AUTO struct str text = STR_INIT(40);
    int64_t at_ms = 0;

    str_addf(&text, "%04d-01-01T00:00:00Z", year);
    (void)clock_parse_rfc3339(str_text(&text), &at_ms);
    return at_ms;
}

static int read_trends(struct db_conn *conn,
                       struct arena *arena,
                       struct trends *trends,
                       struct err *reterr)
{
    const struct trend_time time = {start_of(trends->year), start_of(trends->year + 1),
                                    clock_wall_ms()};
    int r = trend_db_rows(conn, time.from_ms, time.to_ms, arena, &trends->rows, &trends->n_rows,
                          reterr);

    if (!r)
        r = trend_db_tags(conn, &time, arena, &trends->tags, &trends->n_tags, reterr);
    return r ? r : trends_over_read(conn, time.from_ms, time.to_ms, arena, &trends->over, reterr);
}

static void handle_trends(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    const char *format = http_query(request, "format");
    const struct api *api = context;
    struct trends trends = {0};
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};

    arena_init(&arena, READ_BYTES_MAX);
    if (format && strcmp(format, "json") != 0 && strcmp(format, "md") != 0 &&
        strcmp(format, "html") != 0) {
        http_fail(response, "bad_data", "format: expected json, md or html");
        return;
    }
    if (!read_year(request, &trends.year, response) || !api_read_begin(api, &conn, response))
        return;
    int r = read_trends(conn, &arena, &trends, &err);

    db_read_end(api->state, conn);
    int64_t *sorted = arena_array(&arena, trends.n_rows + 1, sizeof(*sorted));

    if (r || !sorted) {
        postmortem_fail(response, r ? r : POSTMORTEM_DB_E_LIMIT, &err);
        return;
    }
    if (!format || strcmp(format, "json") == 0) {
        write_json(&trends, &response->body);
    } else if (strcmp(format, "md") == 0) {
        response->content_type = "text/markdown; charset=utf-8";
        write_review(&trends, sorted, &response->body);
    } else if (write_page(&trends, sorted, &arena, &response->body, &err) != 0) {
        postmortem_fail(response, POSTMORTEM_DB_E_LIMIT, &err);
    } else {
        response->content_type = "text/html; charset=utf-8";
        http_add_header(response, "Content-Disposition", "attachment; filename=\"review.html\"");
    }
}

static const struct http_route routes[] = {
    {"GET", POSTMORTEMS_PATH "/trends", HTTP_SCOPE_READ, 0, handle_trends,
     "what those of a year say together: year=2026; format=md|html: its review"},
};

const struct api_table api_postmortem_trends_routes = {routes, sizeof(routes) / sizeof(routes[0])};
