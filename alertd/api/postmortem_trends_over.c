/*
 * Services and factors over a year. See postmortem_trends_over.h.
 */

#include "alertd/api/postmortem_trends_over.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/db/postmortem_trend_db.h"
#include "alertd/db/service_db.h"
#include "alertd/postmortem/factor.h"
#include "alertd/postmortem/template.h"
#include "lib/base/clock.h"

enum {
    DOCUMENT_BYTES_MAX = 4 * 1024 * 1024,
};

/* The line of that name, with one more in its month; NULL past the limits. */
static struct trends_line *count(
    struct trends_over *over, struct trends_line *lines, size_t *n, const char *name, int64_t at_ms)
{
    size_t i = 0;

    while (i < *n && strcmp(lines[i].name, name) != 0)
        i++;
    if (i == TRENDS_NAMES_MAX)
        return NULL;
    if (i == *n) {
        lines[i].name = arena_strndup(over->arena, name, strlen(name));
        if (!lines[i].name) {
            over->is_spent = true;
            return NULL;
        }
        (*n)++;
    }
    lines[i].months[clock_split_utc(at_ms).month - 1]++;
    lines[i].n++;
    return &lines[i];
}

static void take_incident(void *arg, const char *service, int64_t opened_ms)
{
    struct trends_over *over = arg;

    (void)count(over, over->services, &over->n_services, service, opened_ms);
}

static void take_factor(struct trends_over *over,
                        const struct trend_document *document,
                        const char *tag,
                        const char *text)
{
    struct trends_line *line = count(over, over->factors, &over->n_factors, tag,
                                     document->opened_ms);
    struct arena *arena = over->arena;

    if (!line || line->n_said == TRENDS_SAID_MAX)
        return;
    if (!line->said)
        line->said = arena_array(arena, TRENDS_SAID_MAX, sizeof(*line->said));
    const char *incident = arena_strndup(arena, document->incident, strlen(document->incident));
    const char *kept = arena_strndup(arena, text, strlen(text));

    if (line->said && incident && kept)
        line->said[line->n_said++] = (struct trends_factor){document->id, incident, kept};
    else
        over->is_spent = true;
}

static int take_document(void *arg, const struct trend_document *document)
{
    struct trends_over *over = arg;
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    arena_init(&arena, DOCUMENT_BYTES_MAX);
    const struct factor *factors = factor_find(&arena, document->markdown, document->heading, &n);

    if (!factors)
        return TREND_DB_E_LIMIT;
    over->n_documents += n > 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < factors[i].n_tags; k++)
            take_factor(over, document, factors[i].tags[k], factors[i].text);
        if (!factors[i].n_tags)
            take_factor(over, document, "", factors[i].text);
    }
    return over->is_spent ? TREND_DB_E_LIMIT : 0;
}

static int most_first(const void *a, const void *b)
{
    const struct trends_line *x = a;
    const struct trends_line *y = b;

    return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : strcmp(x->name, y->name);
}

int trends_over_read(struct db_conn *conn,
                     int64_t from_ms,
                     int64_t to_ms,
                     struct arena *arena,
                     struct trends_over *ret_over,
                     struct err *reterr)
{
    struct trends_over over = {
        .arena = arena,
        .services = arena_array(arena, TRENDS_NAMES_MAX, sizeof(struct trends_line)),
        .factors = arena_array(arena, TRENDS_NAMES_MAX, sizeof(struct trends_line)),
    };

    if (!over.services || !over.factors)
        return err_set(reterr, TREND_DB_E_LIMIT, "too much to show at once");
    int r = service_db_incidents(conn, from_ms, to_ms, take_incident, &over, reterr);

    if (!r)
        r = trend_db_documents(conn, from_ms, to_ms, take_document, &over, reterr);
    if (!r && over.is_spent)
        r = TREND_DB_E_LIMIT;
    if (r == TREND_DB_E_LIMIT || r == SERVICE_DB_E_LIMIT)
        return err_set(reterr, TREND_DB_E_LIMIT, "too much to show at once");
    if (r)
        return r;
    qsort(over.services, over.n_services, sizeof(*over.services), most_first);
    qsort(over.factors, over.n_factors, sizeof(*over.factors), most_first);
    *ret_over = over;
    return 0;
}

/* --- as JSON --- */

static void write_line(const struct trends_line *line, const char *name, struct json_out *out)
{
    json_open(out, '{');
    json_kv_string(out, name, line->name);
    json_kv_int(out, "n", line->n);
    json_key(out, "months");
    json_open(out, '[');
    for (int i = 0; i < 12; i++)
        json_int(out, line->months[i]);
    json_close(out, ']');
    if (line->said) {
        json_key(out, "said");
        json_open(out, '[');
        for (size_t i = 0; i < line->n_said; i++) {
            json_open(out, '{');
            json_kv_int(out, "postmortem", line->said[i].postmortem_id);
            json_kv_string(out, "incident", line->said[i].incident);
            json_kv_string(out, "text", line->said[i].text);
            json_close(out, '}');
        }
        json_close(out, ']');
    }
    json_close(out, '}');
}

void trends_over_json(const struct trends_over *over, struct json_out *out)
{
    json_key(out, "services");
    json_open(out, '[');
    for (size_t i = 0; i < over->n_services; i++)
        write_line(&over->services[i], "service", out);
    json_close(out, ']');
    json_key(out, "factors");
    json_open(out, '[');
    for (size_t i = 0; i < over->n_factors; i++)
        write_line(&over->factors[i], "tag", out);
    json_close(out, ']');
    json_kv_int(out, "factors_in", (int64_t)over->n_documents);
}

/* --- as the review --- */

static void add_table(
    const struct trends_line *lines, size_t n, const char *what, const char *none, struct str *out)
{
    str_addf(out,
             "| %s | Jan | Feb | Mar | Apr | May | Jun | Jul | Aug | Sep | Oct | Nov | Dec "
             "| Year |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
             what);
    for (size_t i = 0; i < n; i++) {
        str_add(out, "| ");
        template_escape(*lines[i].name ? lines[i].name : none, out);
        for (int k = 0; k < 12; k++)
            if (lines[i].months[k])
                str_addf(out, " | %lld", (long long)lines[i].months[k]);
            else
                str_add(out, " | ");
        str_addf(out, " | %lld |\n", (long long)lines[i].n);
    }
}

static bool is_same(const struct trends_line *line, size_t a, size_t b)
{
    return strcasecmp(line->said[a].text, line->said[b].text) == 0;
}

static bool was_said(const struct trends_line *line, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (is_same(line, i, at))
            return true;
    return false;
}

/* The same words are one line, with every incident of theirs. */
static void add_once(const struct trends_line *line, size_t at, struct str *out)
{
    size_t n = 0;

    str_addf(out, "- %s (", line->said[at].text);
    for (size_t i = at; i < line->n_said; i++)
        if (is_same(line, at, i))
            str_addf(out, "%s%s", n++ ? ", " : "", line->said[i].incident);
    str_add(out, ")\n");
}

static void add_said(const struct trends_line *line, struct str *out)
{
    str_add(out, "\n### ");
    template_escape(*line->name ? line->name : "without a tag", out);
    str_add(out, "\n\n");
    for (size_t i = 0; i < line->n_said; i++)
        if (!was_said(line, i))
            add_once(line, i, out);
    if (line->n > (int64_t)line->n_said)
        str_addf(out, "- and %lld more\n", (long long)(line->n - (int64_t)line->n_said));
}

void trends_over_review(const struct trends_over *over, struct str *out)
{
    str_add(out, "\n## Where it happened\n\n");
    if (over->n_services)
        add_table(over->services, over->n_services, "Incidents of", "no service of the catalogue",
                  out);
    else
        str_add(out, "No incident was opened.\n");
    str_add(out, "\n## What it came from\n\n");
    if (!over->n_factors) {
        str_add(out, "No published document names a contributing factor.\n");
        return;
    }
    str_addf(out, "Contributing factors, as %zu published documents name them.\n\n",
             over->n_documents);
    add_table(over->factors, over->n_factors, "About", "without a tag", out);
    for (size_t i = 0; i < over->n_factors; i++)
        add_said(&over->factors[i], out);
}
